//! What the tables say of packets, checked against the bytes of their examples.
use super::*;
use crate::packet::pdus::hex;
use crate::packet::visit::{Part, PartMut};
use crate::packet::{AddressType, OutOfRange, Status, mgmt, smp};

const ADDRESS: Address = Address([1, 2, 3, 4, 5, 0xc6]);

/// Packets whose only address is the host's own: by table and number.
const OWN: &[(&str, u32)] = &[
    ("command", 0x2005),
    ("command", 0x2035),
    ("return", 0x1009),
    ("return", 0x202c),
    ("mgmt command", 0x002b),
    ("mgmt command", 0x0039),
    ("mgmt return", 0x0004),
];

/// Decodes the examples of all tables: table, number, parameters.
fn examples() -> Vec<(&'static str, u32, Vec<u8>)> {
    let mut all = Vec::new();
    let mut push = |table, code: u32, example: &str| all.push((table, code, hex(example)));
    hci::Command::EXAMPLES.iter().for_each(|(code, _, it)| push("command", (*code).into(), it));
    hci::Event::EXAMPLES.iter().for_each(|(code, _, it)| push("event", (*code).into(), it));
    hci::LeEvent::EXAMPLES.iter().for_each(|(code, _, it)| push("le", (*code).into(), it));
    hci::Return::EXAMPLES.iter().for_each(|(code, _, it)| push("return", (*code).into(), it));
    att::Pdu::EXAMPLES.iter().for_each(|(code, _, it)| push("att", (*code).into(), it));
    smp::Pdu::EXAMPLES.iter().for_each(|(code, _, it)| push("smp", (*code).into(), it));
    mgmt::Command::EXAMPLES.iter().for_each(|(c, _, it)| push("mgmt command", (*c).into(), it));
    mgmt::Event::EXAMPLES.iter().for_each(|(c, _, it)| push("mgmt event", (*c).into(), it));
    mgmt::Return::EXAMPLES.iter().for_each(|(c, _, it)| push("mgmt return", (*c).into(), it));
    all
}

/// The packet that holds these parameters, and all bytes of its parameters.
fn with_packet(table: &str, code: u32, bytes: &[u8], see: &mut dyn FnMut(&Packet<'_>, &[u8])) {
    let handle = ConnHandle(0x40);
    let byte = code as u8;
    let event = |code: u8, bytes: &[u8], see: &mut dyn FnMut(&Packet<'_>, &[u8])| {
        see(&Packet::Event(hci::Event::read(code, bytes, false).0), bytes);
    };
    let management = |is_event, code, bytes: &[u8], see: &mut dyn FnMut(&Packet<'_>, &[u8])| {
        let (pdu, problem) = mgmt::Pdu::decode(is_event, code, bytes, false);
        assert_eq!(problem, None);
        see(&Packet::Mgmt { cookie: 1, pdu }, bytes);
    };
    match table {
        "command" => {
            let (command, _) = hci::Command::decode(code as u16, bytes, false);
            see(&Packet::Command(command), bytes);
        }
        "event" => event(byte, bytes, see),
        "le" => event(0x3e, &[&[byte][..], bytes].concat(), see),
        "return" => event(0x0e, &[&[1, byte, (code >> 8) as u8][..], bytes].concat(), see),
        "att" => {
            see(&Packet::Att { handle, cid: 4, pdu: att::Pdu::decode(byte, bytes, false).0 }, bytes)
        }
        "smp" => {
            see(&Packet::Smp { handle, cid: 6, pdu: smp::Pdu::decode(byte, bytes, false).0 }, bytes)
        }
        "mgmt command" => management(false, code as u16, bytes, see),
        "mgmt event" => management(true, code as u16, bytes, see),
        "mgmt return" => {
            let bytes = [&[byte, (code >> 8) as u8, 0][..], bytes].concat();
            management(true, 1, &bytes, see);
        }
        _ => unreachable!(),
    }
}

/// The bytes on the wire are the witness: where they hold the address, the packet names the device.
#[test]
fn every_packet_that_carries_an_address_names_the_device() {
    let mut carry = 0;
    for (table, code, bytes) in examples() {
        with_packet(table, code, &bytes, &mut |packet, bytes| {
            let carries = bytes.windows(6).any(|six| six == ADDRESS.0);
            assert_eq!(packet.names(ADDRESS), carries, "{table} {code:#x}: {packet:?}");
            carry += usize::from(carries);
            let own = OWN.contains(&(table, code)) || table == "smp";
            let peer = (carries && !own).then_some(ADDRESS);
            assert_eq!(packet.peer(), peer, "{table} {code:#x}: {packet:?}");
        });
    }
    assert!(carry > 130, "{carry}");
}

/// Addresses of the named device, with their fields.
fn named(table: &str, code: u32, example: &str) -> Vec<Named> {
    let mut found = Vec::new();
    with_packet(table, code, &hex(example), &mut |packet, _| {
        packet.addresses(&mut |it| found.push(it))
    });
    found
}

#[test]
fn an_address_has_the_type_that_stands_beside_it() {
    let of = |table, code, example| named(table, code, example)[0].of;
    let random = AddressKind::Le(AddressType::RANDOM);
    // HCI has the type in front of the address. The management interface has it behind the address, with other numbers.
    assert_eq!(of("command", 0x2011, "01 0102030405c6"), random);
    assert_eq!(of("mgmt command", 0x0014, "0102030405c6 02"), random);
    assert_eq!(of("mgmt command", 0x0014, "0102030405c6 01"), AddressKind::Le(AddressType::PUBLIC));
    assert_eq!(of("mgmt command", 0x0014, "0102030405c6 00"), AddressKind::Classic);
    assert_eq!(of("mgmt command", 0x0014, "0102030405c6 07"), AddressKind::Untold);
    assert_eq!(of("smp", 0x09, "01 0102030405c6"), random);
    assert_eq!(of("command", 0x0408, "0102030405c6"), AddressKind::Untold);
    // The type of the own address is not that of the next one.
    let directed = "01 01 01 0102030405c6 00 060504030246 c4";
    let reports = named("le", 0x0b, directed);
    assert_eq!(reports[0].of, random);
    assert_eq!((reports[1].of, reports[1].own), (AddressKind::Le(AddressType::PUBLIC), true));
    // Enhanced Connection Complete names the device twice, and this host once.
    let enhanced = "00 4000 00 03 0102030405c6 010000000046 020000000046 2400 0000 2a00 01";
    let fields: Vec<_> =
        named("le", 0x0a, enhanced).iter().map(|it| (it.field, it.own, it.of)).collect();
    let identity = AddressKind::Le(AddressType::RANDOM_IDENTITY);
    assert_eq!(
        fields,
        [
            ("peer_address", false, identity),
            ("local_resolvable_private_address", true, AddressKind::Untold),
            ("peer_resolvable_private_address", false, AddressKind::Untold),
        ]
    );
}

#[test]
fn of_several_devices_in_a_list_none_is_the_peer() {
    let one = "00 01 0102030405c6 00 c4";
    let other = "04 00 010000000000 03 020106 b0";
    let two = format!("02 {one} {other}");
    let found = named("le", 0x02, &two);
    let items: Vec<_> = found.iter().map(|it| it.item).collect();
    assert_eq!(items, [Some(1), Some(2)]);
    with_packet("le", 0x02, &hex(&two), &mut |packet, _| {
        assert_eq!(packet.peer(), None);
        assert!(packet.names(ADDRESS) && packet.names(Address([1, 0, 0, 0, 0, 0])));
        assert!(!packet.names(Address([2, 0, 0, 0, 0, 0])));
    });
}

/// Collects what a visitor is given of the packet's bytes.
#[derive(Default)]
struct Given {
    bytes: Vec<u8>,
    secrets: usize,
}

impl Visitor for Given {
    fn part(&mut self, part: Part<'_>) {
        self.bytes.extend(part.bytes().unwrap_or_default());
        self.secrets += usize::from(part.kind == Kind::Secret);
        assert!(!format!("{part:?}").contains("04, 05, 06, 07"), "{part:?}");
    }
}

/// Keys in the examples are counted bytes, … 04 05 06 07 …: no visitor gets them.
#[test]
fn no_visitor_is_given_a_key() {
    let mut secrets = 0;
    for (table, code, bytes) in examples() {
        with_packet(table, code, &bytes, &mut |packet, _| {
            let mut given = Given::default();
            packet.visit(&mut given);
            assert!(!given.bytes.windows(4).any(|four| four == [4, 5, 6, 7]), "{packet:?}");
            secrets += given.secrets;
        });
    }
    assert!(secrets > 30, "{secrets}");
    // Nor what nobody decoded, nor what pairing out of band advertises.
    let other = hci::Command::Other { code: 0x0431, parameters: &[0, 1, 2, 3] };
    let mut given = Given::default();
    Packet::Command(other).visit(&mut given);
    assert!(given.bytes.is_empty());
    let data = [&[31, 8, 0x10, 0, 1, 2, 3, 4, 5, 6][..], &[0; 22]].concat();
    let (event, _) = hci::Command::decode(0x2008, &data, false);
    Packet::Command(event).visit(&mut given);
    assert_eq!((given.secrets, given.bytes), (1, vec![31, 8, 0x10]));
}

/// Looks and changes nothing.
struct Look;

impl VisitorMut for Look {
    fn part(&mut self, mut part: PartMut<'_>) {
        assert_eq!(part.bytes_mut().is_none(), part.kind.is_hidden());
    }
}

/// What a command returned is among the fields here; the tables' own tests do not see that.
#[test]
fn a_visitor_that_changes_nothing_writes_what_was_read() {
    for (table, code, bytes) in examples() {
        with_packet(table, code, &bytes, &mut |packet, bytes| {
            let mut out = Vec::new();
            assert!(packet.visit_mut(&mut Look, &mut out));
            assert_eq!(out, bytes, "{table} {code:#x}: {packet:?}");
        });
    }
    // Returned to a command that nobody knows, and not long enough.
    for bytes in [&[1, 0, 0xfc, 1, 2, 3][..], &[1, 0x09, 0x10, 0, 1, 2]] {
        let (event, _) = hci::Event::read(0x0e, bytes, false);
        let mut out = Vec::new();
        assert!(Packet::Event(event).visit_mut(&mut Look, &mut out));
        assert_eq!(out, bytes);
    }
}

/// Every address becomes this one, every secret and name a row of x.
struct Redact;

impl VisitorMut for Redact {
    fn part(&mut self, mut part: PartMut<'_>) {
        match part.kind {
            Kind::Address | Kind::OwnAddress => {
                part.bytes_mut().unwrap().copy_from_slice(&[0xaa; 6]);
            }
            Kind::Secret | Kind::Name => part.fill(b'x'),
            _ => {}
        }
    }
}

#[test]
fn a_visitor_changes_addresses_keys_and_names_and_nothing_else() {
    let redacted = |table: &str, code, example: &str| {
        let mut out = Vec::new();
        with_packet(table, code, &hex(example), &mut |packet, bytes| {
            assert!(packet.visit_mut(&mut Redact, &mut out));
            assert_eq!(out.len(), bytes.len());
        });
        out
    };
    let (key, no_key) = ("000102030405060708090a0b0c0d0e0f", "78".repeat(16));
    assert_eq!(
        redacted("mgmt command", 0x0030, &format!("0100 0102030405c6 02 {key}")),
        hex(&format!("0100 aaaaaaaaaaaa 02 {no_key}"))
    );
    // Flags, "Hi" as a complete name, a maker's data: inside a report, beside its address.
    let report = |address: &str, name: &str| {
        hex(&format!("01 00 01 {address} 0b 020106 0309{name} 03ff4c00 c4"))
    };
    let bytes = report("0102030405c6", "4869");
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(redacted("le", 0x02, &text)[1..], report("aaaaaaaaaaaa", "7878"));
    assert_eq!(
        redacted("return", 0x0c14, "00 4869"),
        hex("01 140c 00 7878"),
        "what a command returned"
    );
    let note = Packet::Note(crate::packet::note::Note::DeleteIndex);
    assert!(!note.visit_mut(&mut Redact, &mut Vec::new()));
}

/// Names of fields that are out of their range.
fn strange(command: &hci::Command<'_>) -> Vec<OutOfRange> {
    let mut found = Vec::new();
    command.out_of_range(&mut |it| found.push(it));
    found
}

#[test]
fn values_beyond_their_range_are_told_and_those_at_its_ends_are_not() {
    let update = |interval, timeout, handle| hci::Command::LeConnectionUpdate {
        connection_handle: ConnHandle(handle),
        connection_interval_min: interval,
        connection_interval_max: 0x0c80,
        max_latency: 0,
        supervision_timeout: timeout,
        min_ce_length: 0,
        max_ce_length: 0,
    };
    assert_eq!(strange(&update(6, 0x0c80, 0x0eff)), []);
    let told = strange(&update(5, 0x0c81, 0x0f00));
    let valid: Vec<_> = told.iter().map(|it| (it.field, it.value, it.valid)).collect();
    assert_eq!(
        valid,
        [
            ("connection_handle", 0x0f00, "0x0000..=0x0eff"),
            ("connection_interval_min", 5, "0x0006..=0x0c80"),
            ("supervision_timeout", 0x0c81, "0x000a..=0x0c80"),
        ]
    );
    // Inside a list.
    let mut room = Vec::new();
    let phy = hci::ScanningPhy { scan_type: 1, scan_interval: 3, scan_window: 4 };
    let phys = crate::packet::field::Phys::new(1, &[phy], &mut room).unwrap();
    let scan = hci::Command::LeSetExtendedScanParameters {
        own_address_type: 4,
        scanning_filter_policy: 0,
        phys,
    };
    let fields: Vec<_> = strange(&scan).iter().map(|it| it.field).collect();
    assert_eq!(fields, ["own_address_type", "scan_interval"]);
    // What comes with an error means nothing.
    let complete = |status| hci::LeEvent::PhyUpdateComplete {
        status,
        connection_handle: ConnHandle(0x40),
        tx_phy: 0,
        rx_phy: 2,
    };
    for (status, told) in [(Status::SUCCESS, 1), (Status::UNSUPPORTED_FEATURE, 0)] {
        let mut count = 0;
        hci::Event::Le { event: complete(status) }.out_of_range(&mut |_| count += 1);
        assert_eq!(count, told, "{status}");
    }
}

#[test]
fn an_entry_says_where_it_is_specified() {
    let section = hci::Command::specified_in(0x200d).unwrap().to_string();
    assert_eq!(section, "Core, Vol 4, Part E, 7.8.12");
    let section = mgmt::Event::specified_in(0x0012).unwrap().to_string();
    assert_eq!(section, "BlueZ, doc/mgmt-api.txt, Device Found Event");
    assert_eq!(hci::Command::specified_in(0x0401), None);
}
