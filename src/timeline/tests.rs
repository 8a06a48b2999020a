//! What a trace must tell, fact by fact: each of these decides a diagnosis.
use super::*;
use crate::decode::Decoder;
use crate::packet::Direction::{Received, Sent};
use crate::packet::att::{ErrorCode, Handle, LastUuid, Pdu};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Address, AddressType, ConnHandle, Opcode, Status, smp};
use crate::time::Span;
use crate::trace::Trace;

#[cfg(test)]
mod limits;
pub(in crate::timeline) use limits::retimed;

pub(super) fn only(trace: Trace) -> Connection {
    let mut connections = trace.run().connections;
    assert_eq!(connections.len(), 1);
    connections.remove(0)
}

pub(super) fn odd(connection: &Connection, kind: OddityKind) -> bool {
    connection.oddities.iter().any(|oddity| oddity.kind == kind)
}

/// What happened, without the first commands of their families.
pub(super) fn happened(trace: Trace) -> Vec<Happening> {
    let all = trace.run().adapter_events.into_iter().map(|event| event.what);
    all.filter(|what| !matches!(what, Happening::FamilyUsed { .. })).collect()
}

#[test]
fn the_first_command_of_each_family_that_the_controller_takes_is_remembered_until_the_reset() {
    let used = |trace: Trace| {
        let opcode = |what: &Happening| match what {
            Happening::FamilyUsed { opcode, .. } => Some(opcode.0),
            _ => None,
        };
        trace
            .run()
            .adapter_events
            .iter()
            .filter_map(|event| opcode(&event.what))
            .collect::<Vec<_>>()
    };
    let scan = || Trace::new().scan(true, 16, 16);
    assert_eq!(used(scan().scan(false, 0, 0)), [0x200b]);
    assert_eq!(used(scan().create_extended(1, Status::SUCCESS)), [0x200b, 0x2043]);
    assert_eq!(used(scan().done(Command::Reset {}).scan(true, 16, 16)), [0x200b, 0x200b]);
    assert!(used(Trace::new().create_refused(Status::COMMAND_DISALLOWED)).is_empty());
}

const READ: Pdu<'_> = Pdu::ReadRequest { attribute_handle: Handle(3) };

#[test]
fn a_second_request_before_the_answer_is_odd_and_an_indication_is_not() {
    let two = Trace::new().up().att(Sent, READ).att(Sent, READ);
    assert!(odd(&only(two), OddityKind::SecondRequestInFlight));
    let answered = Trace::new().up().exchange(READ, Pdu::ReadResponse { attribute_value: &[1] });
    assert!(!odd(&only(answered.att(Sent, READ)), OddityKind::SecondRequestInFlight));
    let indication =
        Pdu::HandleValueIndication { attribute_handle: Handle(3), attribute_value: &[1] };
    let both = Trace::new().up().att(Received, READ).att(Received, indication);
    assert!(!odd(&only(both), OddityKind::SecondRequestInFlight));
}

#[test]
fn the_end_of_a_search_is_no_failure_and_a_missing_attribute_is() {
    let search = Pdu::ReadByGroupTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(0xffff),
        attribute_group_type: LastUuid::short(0x2800),
    };
    for (request, error, failed) in [
        (search, ErrorCode::ATTRIBUTE_NOT_FOUND, false),
        (search, ErrorCode::INVALID_HANDLE, true),
        (READ, ErrorCode::ATTRIBUTE_NOT_FOUND, true),
    ] {
        let connection = only(Trace::new().up().refused(request, error));
        let step = connection.steps.last().expect("the request");
        assert_eq!(step.outcome == Outcome::Error, failed, "{step:?}");
    }
}

#[test]
fn a_completion_that_nobody_asked_for_is_odd_unless_it_is_a_cancel() {
    assert!(odd(&only(Trace::new().connected()), OddityKind::CompleteWithoutCreate));
    let cancelled = Trace::new().connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER);
    assert!(!odd(&only(cancelled), OddityKind::CompleteWithoutCreate));
    assert!(!odd(&only(Trace::new().up()), OddityKind::CompleteWithoutCreate));
}

/// Who hangs up, loses the link after it was there, or fails a check of integrity, was heard.
#[test]
fn the_end_itself_may_prove_that_the_peer_was_there() {
    for (reason, heard) in [
        (Status::REMOTE_USER_TERMINATED, true),
        (Status::CONNECTION_TIMEOUT, true),
        (Status::MIC_FAILURE, true),
        (Status::FAILED_TO_BE_ESTABLISHED, false),
    ] {
        let connection = only(Trace::new().create().connected().disconnected(reason));
        assert_eq!(connection.peer_heard(), heard, "{reason}");
        assert_eq!(connection.never_heard(), !heard, "{reason}");
    }
}

#[test]
fn a_command_is_unanswered_after_two_seconds_and_said_once() {
    let unanswered = |ms| {
        let trace = Trace::new().command(Command::LeReadSuggestedDefaultDataLength {});
        let trace = trace.wait_ms(ms).command(Command::Reset {});
        let all = happened(trace);
        all.iter().filter(|what| matches!(what, Happening::CommandUnanswered { .. })).count()
    };
    // A reset ends the wait, and one that comes soon leaves nothing to say.
    assert_eq!(unanswered(2_500), 1);
    assert_eq!(unanswered(100), 0);
    let answered = Trace::new().done(Command::LeReadSuggestedDefaultDataLength {});
    let none = happened(answered.wait_ms(2_500).command(Command::Reset {}));
    assert!(!none.iter().any(|what| matches!(what, Happening::CommandUnanswered { .. })));
}

/// The logger's losses concern a link only if it was there between the first and the last of them.
#[test]
fn packets_lost_after_a_link_was_over_are_not_its_own() {
    let lost_from = |trace: Trace, frame, last| {
        let mut capture = trace.run();
        capture.warnings.push(crate::capture::Warning {
            kind: crate::capture::WarningKind::DroppedPackets,
            frame: Some(frame),
            last_frame: last,
            offset: None,
            text: String::new(),
        });
        let connection = &capture.connections[0];
        let end = connection.end.as_ref().map(|end| end.frame);
        let over = end.or(connection.gone.as_ref().map(|gone| gone.frame));
        (capture.lost_packets_of(connection), over)
    };
    let lost_at = |trace, frame| lost_from(trace, frame, None);
    for trace in [
        || Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED),
        || Trace::new().up().monitor(CLOSE_INDEX, &[]),
    ] {
        let over = lost_at(trace(), 1).1.expect("the link is over");
        assert_eq!(lost_at(trace(), over), (true, Some(over)));
        assert_eq!(lost_at(trace(), over + 1), (false, Some(over)));
    }
    // Still up when the capture ends.
    assert_eq!(lost_at(Trace::new().up(), 1_000), (true, None));
    // What was lost before the request was not the link's.
    let late = || Trace::new().advertises(0).advertises(0).up();
    assert_eq!(lost_from(late(), 1, Some(2)), (false, None));
    assert_eq!(lost_from(late(), 1, Some(3)), (true, None), "the request is frame 3");
    assert_eq!(lost_from(Trace::new().advertises(0).mtu(), 1, Some(1)), (true, None), "up before");
}

#[test]
fn reports_count_as_those_of_the_wait_only_from_the_request_on() {
    let before = Trace::new().advertises(0).advertises(0);
    let waits = before.create().advertises(0).advertises(0).advertises(0);
    // The capture ends while the controller still waits.
    assert_eq!(only(waits).reports_during_wait, 3);
    let before = Trace::new().advertises(0).advertises(0);
    let ended = before.create().advertises(0).connected().advertises(0);
    assert_eq!(only(ended).reports_during_wait, 1);
    assert_eq!(only(Trace::new().advertises(0).create()).reports_during_wait, 0);
}

/// The event says which command it answers; the tracker does not pair them a second time.
#[test]
fn an_answer_belongs_to_the_command_that_its_event_names() {
    let asked = Trace::new().command(Command::LeReadSuggestedDefaultDataLength {});
    let asked = asked.wait_ms(1_500).command(Command::LeReadSuggestedDefaultDataLength {});
    let asked = asked.wait_ms(1_000);
    let answer = asked.complete(Command::LeReadSuggestedDefaultDataLength {}.opcode(), &[0; 5]);
    let late_after = |named: Option<u32>| {
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        for record in answer.records() {
            let mut event = decoder.decode(&record);
            if event.frame == 3 {
                assert_eq!(event.answers, Some(1));
                event.answers = named;
            }
            tracker.push(&event);
        }
        let late = |event: &AdapterEvent| match event.what {
            Happening::CommandUnanswered { command_frame, .. } => Some(command_frame),
            _ => None,
        };
        Vec::from_iter(tracker.events.iter().filter_map(late))
    };
    assert_eq!(late_after(Some(1)), [1]);
    assert!(late_after(Some(2)).is_empty());
    assert!(late_after(None).is_empty());
}

#[test]
fn scans_are_active_or_passive_and_advertising_goes_on_and_off() {
    for (kind, active) in [(1, true), (0, false)] {
        let set = Command::LeSetScanParameters {
            le_scan_type: kind,
            le_scan_interval: 0x60,
            le_scan_window: 0x30,
            own_address_type: 0,
            scanning_filter_policy: 0,
        };
        let enable = Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 0 };
        let scans = happened(Trace::new().done(set).done(enable));
        let [Happening::ScanOn(scan)] = scans.as_slice() else { panic!("{scans:?}") };
        assert_eq!((scan.active, scan.interval, scan.window), (active, 0x60, 0x30));
    }
    let advertising = |on| Command::LeSetAdvertisingEnable { advertising_enable: on };
    let both = happened(Trace::new().done(advertising(1)).done(advertising(0)));
    assert_eq!(both, [Happening::AdvertisingOn, Happening::AdvertisingOff]);
}

/// A command for a link that just ended is refused: an echo of the end, of that link alone.
#[test]
fn an_echo_belongs_to_the_link_that_ended() {
    let other = Address([9, 9, 9, 9, 9, 0xc9]);
    let trace = Trace::new()
        .up()
        .hangs_up(Status::REMOTE_USER_TERMINATED)
        .peer(other, AddressType::RANDOM)
        .handle(0x41)
        .up()
        .hangs_up(Status::REMOTE_USER_TERMINATED)
        .command(Command::Disconnect {
            connection_handle: ConnHandle(0x41),
            reason: Status::REMOTE_USER_TERMINATED,
        })
        .status(Opcode(0x0406), Status::UNKNOWN_CONNECTION_IDENTIFIER);
    let connections = trace.run().connections;
    let echoes = |at: usize| connections[at].end.as_ref().expect("it ended").echoes.len();
    assert_eq!((echoes(0), echoes(1)), (0, 1));
}

/// An identity key is that of the connection whose peer sent it, and of no other.
#[test]
fn a_key_and_an_identity_of_two_links_make_no_pair() {
    let (irk, private) = key();
    let identity = Address([1, 0, 0, 0, 0, 0x0a]);
    let keys = |trace: Trace| {
        trace.smp(
            Received,
            smp::Pdu::IdentityInformation {
                identity_resolving_key: crate::packet::Secret::new(irk),
            },
        )
    };
    let named = |trace: Trace| {
        trace
            .smp(Received, smp::Pdu::IdentityAddressInformation { addr_type: 0, bd_addr: identity })
    };
    let heard = |trace: Trace| trace.peer(private, AddressType::RANDOM).advertises(0).run();
    let known = |capture: &Capture| capture.device(private).expect("heard").identity;
    let one = heard(named(keys(Trace::new().up())));
    assert_eq!(known(&one), Some((identity, AddressType::PUBLIC)));
    let two = keys(Trace::new().up()).peer(Address([9; 6]), AddressType::PUBLIC).handle(0x41).up();
    assert_eq!(known(&heard(named(two))), None);
}

/// Sample data of the specification (Core, Vol 3, Part H, D.7): a key, and an address made with it.
fn key() -> ([u8; 16], Address) {
    let mut irk = [
        0xec, 0x02, 0x34, 0xa3, 0x57, 0xc8, 0xad, 0x05, 0x34, 0x10, 0x10, 0xa6, 0x0a, 0x39, 0x7d,
        0x9b,
    ];
    irk.reverse();
    (irk, Address([0xaa, 0xfb, 0x0d, 0x94, 0x81, 0x70]))
}

#[test]
fn a_parameter_request_of_the_peer_is_granted_or_refused() {
    let asked = |answer: Command<'_>| {
        let trace = Trace::new().up().le(LeEvent::RemoteConnectionParameterRequest {
            connection_handle: ConnHandle(0x40),
            interval_min: 6,
            interval_max: 12,
            max_latency: 0,
            timeout: 200,
        });
        let connection = only(trace.done(answer).att(Sent, READ));
        let step = |s: &&Step| s.by == Received && s.procedure == Procedure::ParameterUpdate;
        let found = connection.steps.iter().find(step).cloned();
        found.unwrap_or_else(|| panic!("{:#?}", connection.steps)).outcome
    };
    let connection_handle = ConnHandle(0x40);
    assert_eq!(
        asked(Command::LeRemoteConnectionParameterRequestReply {
            connection_handle,
            interval_min: 6,
            interval_max: 12,
            max_latency: 0,
            timeout: 200,
            min_ce_length: 0,
            max_ce_length: 0,
        }),
        Outcome::Ok
    );
    let reason = Status::UNACCEPTABLE_CONNECTION_PARAMETERS;
    let refused =
        Command::LeRemoteConnectionParameterRequestNegativeReply { connection_handle, reason };
    assert_eq!(asked(refused), Outcome::Error);
}

/// Peripherals often stay connected when a capture ends; a central's link without an end is worth a word.
#[test]
fn only_what_the_text_or_the_recording_left_out_is_said() {
    let codes = |capture: &Capture| -> Vec<FitnessKind> {
        let mut again = capture.clone();
        again.fitness.clear();
        super::fitness::judge(&again).into_iter().map(|f| f.kind).collect()
    };
    let whole = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).run();
    assert_eq!(codes(&whole), []);
    let mut cut = whole.clone();
    cut.filtered = true;
    assert_eq!(codes(&cut), [FitnessKind::CutPackets]);
    let mut text = whole.clone();
    text.format = "btmon-text";
    assert_eq!(codes(&text), []);
    text.totals.cut = 3;
    assert_eq!(codes(&text), [FitnessKind::TextIncomplete]);
    let mut crowd = whole;
    crowd.totals.devices_beyond_table = 1;
    crowd.totals.adapter_events_elided = 1;
    crowd.totals.databases_elided = 1;
    crowd.totals.connections_elided = 1;
    let all = [
        FitnessKind::TooManyAttributes,
        FitnessKind::TooManyDevices,
        FitnessKind::TooManyAdapterEvents,
        FitnessKind::TooManyConnections,
    ];
    assert_eq!(codes(&crowd), all);
    let heard = crowd.devices_heard().to_string();
    assert!(heard.starts_with("more than "), "{heard}");
}

#[test]
fn an_attribute_is_looked_up_on_the_side_that_has_it() {
    let characteristic = [5, 0x03, 0, 0x02, 0x03, 0, 0x0a, 0x2a];
    let request = [0x08, 1, 0, 6, 0, 0x03, 0x28];
    let theirs = Trace::new().up().by_wire(&request, 0x09, &[&[7], &characteristic[1..]].concat());
    let connection = only(theirs.att(Sent, READ).att(Received, READ));
    let by = |direction| {
        let read =
            |s: &&Step| s.by == direction && s.attribute == 3 && s.procedure == Procedure::Read;
        connection.steps.iter().find(read).expect("a read")
    };
    assert!(connection.attribute(by(Sent)).is_some(), "{:?}", connection.remote);
    assert!(connection.attribute(by(Received)).is_none());
}

/// Which of the requests that wait a Connection Complete answers: the one to that address, else the
/// one for anybody of the accept list.
#[test]
fn a_completion_answers_the_request_that_asked_for_this_device() {
    let (lamp, lock) = (Address([1, 0, 0, 0, 0, 0xc1]), Address([2, 0, 0, 0, 0, 0xc2]));
    let to = |trace: Trace, peer| trace.peer(peer, AddressType::RANDOM).create();
    let up = |trace: Trace, peer| trace.peer(peer, AddressType::RANDOM).connected();
    let both = || to(Trace::new().create_for_anybody(), lamp);
    let connected = |trace: Trace| -> Vec<Option<Address>> {
        let found = trace.run().connections;
        found.iter().map(|c| c.up.and(c.peer.address)).collect()
    };
    assert_eq!(connected(up(both(), lamp)), [None, Some(lamp)]);
    assert_eq!(connected(up(both(), lock)), [Some(lock), None]);
    // A cancel ends the one that was cancelled.
    let cancelled = to(Trace::new(), lamp).cancel();
    let ended = cancelled.run().connections;
    assert_eq!(ended[0].status, Some(Status::UNKNOWN_CONNECTION_IDENTIFIER));
}

#[test]
fn a_host_is_known_by_what_it_logs() {
    let host = |lines: &[&str]| {
        let note = |trace: Trace, line: &&str| {
            let mut text = line.as_bytes().to_vec();
            text.push(0);
            trace.monitor(12, &text)
        };
        lines.iter().fold(Trace::new(), note).up().run().host
    };
    let stack = |lines: &[&str]| host(lines).map(|host| (host.stack, host.version));
    let bluez = |version: Option<&str>| Some((Stack::BlueZ, version.map(str::to_owned)));
    assert_eq!(stack(&["Bluetooth daemon 5.66"]), bluez(Some("5.66")));
    // The first word stands; a later one of the same host may add its version.
    assert_eq!(stack(&["Product: Mac14,2", "Bluetooth daemon 5.66"]).unwrap().0, Stack::MacOs);
    assert_eq!(
        stack(&["Product: Mac14,2", "Software: Version 14.1"]),
        Some((Stack::MacOs, Some("14.1".to_owned())))
    );
    assert_eq!(stack(&["OS X 10.9 Device"]).unwrap().0, Stack::MacOs);
    assert!(stack(&["a Device of another kind"]).is_none_or(|(stack, _)| stack != Stack::MacOs));
}

/// Commands of the extended kind switch the same things on and off.
#[test]
fn extended_scanning_and_advertising_are_told_as_the_others_are() {
    let scan = |enable| Command::LeSetExtendedScanEnable {
        enable,
        filter_duplicates: 0,
        duration: 0,
        period: 0,
    };
    let scans = happened(Trace::new().done(scan(1)).done(scan(0)));
    assert!(matches!(scans.as_slice(), [Happening::ScanOn(_), Happening::ScanOff]), "{scans:?}");
    let resolution = |on| Command::LeSetAddressResolutionEnable { address_resolution_enable: on };
    let both = happened(Trace::new().done(resolution(1)).done(resolution(0)));
    assert_eq!(both, [Happening::AddressResolution(true), Happening::AddressResolution(false)]);
}

/// A controller that resolves: the request to an identity is none in vain.
#[test]
fn a_request_knows_whether_its_address_can_be_resolved() {
    let listed = |on| {
        let (irk, _) = key();
        Trace::new()
            .done(Command::LeAddDeviceToResolvingList {
                peer_identity_address_type: AddressType::RANDOM,
                peer_identity_address: crate::trace::PEER,
                peer_irk: crate::packet::Secret::new(irk),
                local_irk: crate::packet::Secret::new(irk),
            })
            .done(Command::LeSetAddressResolutionEnable { address_resolution_enable: on })
    };
    let resolvable =
        |trace: Trace| only(trace.create()).request.as_ref().expect("it was asked for").resolvable;
    assert!(resolvable(listed(1)));
    assert!(!resolvable(listed(0)));
    assert!(!resolvable(listed(1).done(Command::LeClearResolvingList {})));
    let removed = Command::LeRemoveDeviceFromResolvingList {
        peer_identity_address_type: AddressType::RANDOM,
        peer_identity_address: crate::trace::PEER,
    };
    assert!(!resolvable(listed(1).done(removed)));
    assert!(!resolvable(listed(1).command(Command::Reset {})));
}

/// The kernel's own numbers (BlueZ, mgmt-api.txt): 1 is LE public, 2 is LE random.
#[test]
fn a_device_that_mgmt_found_has_mgmts_address_type() {
    for (number, kind) in [(1, AddressType::PUBLIC), (2, AddressType::RANDOM)] {
        let mut found = vec![0, 0, 0, 0, 0x12, 0];
        found.extend(crate::trace::PEER.0);
        found.extend([number, 0xc4, 0, 0, 0, 0, 3, 0, 2, 1, 6]);
        let capture = Trace::new().monitor(17, &found).run();
        let device = capture.device(crate::trace::PEER).expect("it was found");
        assert_eq!(device.address_type, kind);
    }
    for (byte, on) in [(1, true), (0, false)] {
        let powered = [0, 0, 0, 0, 5, 0, byte];
        assert_eq!(happened(Trace::new().monitor(16, &powered)), [Happening::Powered(on)]);
    }
}

/// A link whose beginning is missing: what goes over it tells which radio it uses.
#[test]
fn the_first_packet_tells_the_transport_of_a_link_that_was_up_before() {
    let pairing = smp::Pdu::PairingFailed { reason: smp::Reason::UNSPECIFIED_REASON };
    assert_eq!(only(Trace::new().smp(Received, pairing)).transport, Transport::Le);
    assert_eq!(only(Trace::new().att(Received, READ)).transport, Transport::Le);
    let raw = |cid: u16, payload: &[u8]| {
        let mut bytes = vec![0x40, 0x20];
        bytes.extend((payload.len() as u16 + 4).to_le_bytes());
        bytes.extend((payload.len() as u16).to_le_bytes());
        bytes.extend(cid.to_le_bytes());
        bytes.extend(payload);
        let record = crate::capture::Record {
            frame: 1,
            offset: 0,
            time: None,
            adapter: None,
            direction: Some(Received),
            kind: crate::capture::Kind::Acl,
            payload: crate::capture::Payload::Bytes(&bytes),
            original_len: bytes.len() as u32,
            comment: None,
        };
        let mut tracker = Tracker::new();
        tracker.push(&crate::decode::Decoder::new().decode(&record));
        tracker.connections[0].transport
    };
    // An L2CAP Connection Request for SDP, and an Information Request, are BR/EDR's alone.
    assert_eq!(raw(1, &[2, 1, 4, 0, 1, 0, 0x40, 0]), Transport::BrEdr);
    assert_eq!(raw(1, &[0x0a, 1, 2, 0, 2, 0]), Transport::BrEdr);
    // A Connection Parameter Update Request is LE's.
    assert_eq!(raw(5, &[0x12, 1, 8, 0, 6, 0, 12, 0, 0, 0, 200, 0]), Transport::Le);
    // A channel that nobody saw opening may be of either.
    assert_eq!(raw(0x41, &[1, 2, 3]), Transport::Unknown);
}

/// Events about a link tell it too, where only one transport has them.
#[test]
fn an_event_tells_the_transport_of_a_link_that_was_up_before() {
    use crate::packet::hci::Event;
    let ends = |trace: Trace| only(trace.disconnected(Status::REMOTE_USER_TERMINATED)).transport;
    assert_eq!(ends(Trace::new()), Transport::Unknown, "both have Disconnection Complete");
    assert_eq!(ends(Trace::new().encryption(Status::SUCCESS)), Transport::Unknown);
    let dynamic = Trace::new().acl(Received, 0x41, &[1, 2, 3]);
    assert_eq!(ends(dynamic.clone()), Transport::Unknown);
    // LE Data Length Change, and Mode Change.
    let length = Event::Other { code: 0x3e, parameters: &[7, 0x40, 0, 27, 0, 72, 1, 27, 0, 72, 1] };
    assert_eq!(ends(dynamic.clone().event(length)), Transport::Le);
    let mode = Event::Other { code: 0x14, parameters: &[0, 0x40, 0, 2, 0, 3] };
    assert_eq!(ends(dynamic.event(mode)), Transport::BrEdr);
}

/// Links that are up when the capture ends: worth a word where nothing ended, and not of peripherals.
#[test]
fn a_capture_that_ends_before_its_links_says_so() {
    let said = |trace: Trace| {
        trace.run().fitness.iter().any(|line| line.kind == FitnessKind::EndsBeforeLinks)
    };
    let other = |trace: Trace| trace.peer(Address([9; 6]), AddressType::PUBLIC).handle(0x41);
    let open = || Trace::new().up();
    assert!(!said(open()), "one open end is normal");
    assert!(said(other(open()).up()));
    assert!(!said(other(open()).up().disconnected(Status::REMOTE_USER_TERMINATED)));
    let peripheral = Trace::new().connected_as(1, 24, 0, 42);
    assert!(!said(other(peripheral).connected_as(1, 24, 0, 42)));
}

/// A second end of a handle right after the first is its echo; of another handle it is another link's.
#[test]
fn a_second_end_is_odd_for_the_link_that_had_the_handle() {
    let ended = || Trace::new().up().disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(100);
    let again = ended().disconnected(Status::REMOTE_USER_TERMINATED);
    assert!(odd(&only(again), OddityKind::SecondDisconnect));
    let other = ended().handle(0x41).disconnected(Status::REMOTE_USER_TERMINATED).run();
    assert_eq!(other.connections.len(), 2);
    assert!(!odd(&other.connections[0], OddityKind::SecondDisconnect));
}

/// The command came before the capture began: its answer is the frame that shows it.
#[test]
fn a_family_that_only_an_answer_shows_has_the_frame_of_the_answer() {
    let capture = Trace::new().complete(Opcode(0x203d), &[0]).run();
    let of = |event: &AdapterEvent| match event.what {
        Happening::FamilyUsed { command_frame, .. } => Some(command_frame),
        _ => None,
    };
    assert_eq!(capture.adapter_events.iter().filter_map(of).collect::<Vec<_>>(), [1]);
}

/// Monitor records: an adapter is deleted, opened, closed.
const DELETE_INDEX: u16 = 1;
const OPEN_INDEX: u16 = 8;
const CLOSE_INDEX: u16 = 9;

/// mgmt Set Powered of the socket with that cookie.
fn set_powered(cookie: u32, on: u8) -> Vec<u8> {
    let mut payload = cookie.to_le_bytes().to_vec();
    payload.extend([0x05, 0x00, on]);
    payload
}

fn gone(trace: Trace) -> Gone {
    let capture = trace.wait_ms(5000).scan(true, 16, 16).run();
    let connection = &capture.connections[0];
    assert!(connection.end_seen && !connection.open() && connection.end.is_none());
    connection.gone.clone().expect("the adapter was lost under the link")
}

#[test]
fn a_link_ends_with_its_adapter() {
    let up = || Trace::new().up().mtu().wait_ms(3000);
    let removed = gone(up().monitor(CLOSE_INDEX, &[]).monitor(DELETE_INDEX, &[]));
    assert_eq!((removed.how, removed.by), (AdapterLoss::Removed, EndedBy::Controller));
    let closed = gone(up().monitor(CLOSE_INDEX, &[]));
    assert_eq!((closed.how, closed.by), (AdapterLoss::PoweredOff, EndedBy::Controller));
    let reset = gone(up().done(Command::Reset {}));
    assert_eq!((reset.how, reset.by), (AdapterLoss::Reset, EndedBy::Controller));
}

#[test]
fn who_switched_the_adapter_off_is_named() {
    let off = || {
        let up = Trace::new().opens(7, 2, "bluetoothd").up().mtu().wait_ms(3000);
        up.monitor(16, &set_powered(7, 0))
    };
    let by = gone(off().monitor(CLOSE_INDEX, &[]));
    assert_eq!((by.how, by.by), (AdapterLoss::PoweredOff, EndedBy::Host));
    assert_eq!(by.process.as_deref(), Some("bluetoothd"));
    // A driver that is unloaded later takes nothing away from that.
    let deleted = gone(off().monitor(CLOSE_INDEX, &[]).monitor(DELETE_INDEX, &[]));
    assert_eq!((deleted.how, deleted.by), (AdapterLoss::PoweredOff, EndedBy::Host));
    // Switched on again: what comes later is not that command's doing.
    let later = off().monitor(16, &set_powered(7, 1)).monitor(CLOSE_INDEX, &[]);
    assert_eq!(gone(later).by, EndedBy::Controller);
    let opened = off().monitor(OPEN_INDEX, &[]).monitor(CLOSE_INDEX, &[]);
    assert_eq!(gone(opened).by, EndedBy::Controller);
}

#[test]
fn a_lost_link_lasts_until_the_loss_and_not_until_the_capture_ends() {
    let capture = Trace::new().up().wait_ms(3000).monitor(CLOSE_INDEX, &[]);
    let capture = capture.wait_ms(30_000).scan(true, 16, 16).run();
    let connection = &capture.connections[0];
    let lived = connection.capture_end.since(connection.connected_at()).expect("times");
    assert!(lived < Span::from_ms(4000), "{lived}");
}

/// A second read of an attribute counts in the first one's step, as long as the runs are remembered.
#[test]
fn as_many_runs_grow_as_are_remembered() {
    let read = |trace: Trace, handle: u16| {
        let request = Pdu::ReadRequest { attribute_handle: Handle(handle) };
        trace.exchange(request, Pdu::ReadResponse { attribute_value: &[1] })
    };
    let twice = |handles: u16| {
        let trace = (1..=handles).chain(1..=handles).fold(Trace::new().up(), read);
        let steps = only(trace).steps;
        let reads = steps.iter().filter(|step| step.procedure == Procedure::Read);
        reads.filter(|step| step.count == 2).count()
    };
    assert_eq!(twice(64), 64);
    assert_eq!(twice(128), 128);
}

/// The handles that were read, and what became of each.
fn reads(trace: Trace) -> Vec<(u16, Outcome)> {
    let connection = only(trace);
    assert!(connection.oddities.is_empty(), "{:?}", connection.oddities);
    let reads = connection.steps.iter().filter(|step| step.procedure == Procedure::Read);
    reads.map(|step| (step.attribute, step.outcome)).collect()
}

/// ATT on BR/EDR: each side has its own identifier of the channel, and frames carry the receiver's.
#[test]
fn an_answer_on_a_classic_channel_belongs_to_the_request_on_it() {
    let opened = Trace::new().up().acl(Received, 1, &[0x02, 1, 4, 0, 0x1f, 0, 0x40, 0]).acl(
        Sent,
        1,
        &[0x03, 1, 8, 0, 0x60, 0, 0x40, 0, 0, 0, 0, 0],
    );
    let asked = opened.acl(Received, 0x60, &[0x0a, 3, 0]);
    // The capture ends before the answer.
    assert_eq!(reads(asked.clone()), [(3, Outcome::Unknown)]);
    assert_eq!(reads(asked.clone().acl(Sent, 0x40, &[0x0b, 1])), [(3, Outcome::Ok)]);
    let refused = asked.acl(Sent, 0x40, &[0x01, 0x0a, 3, 0, 0x02]);
    assert_eq!(reads(refused), [(3, Outcome::Error)]);
}

/// EATT: two channels whose identifiers are crossed, so that a number alone names the wrong one.
#[test]
fn an_answer_on_an_enhanced_channel_belongs_to_the_request_on_it() {
    let opened = Trace::new()
        .up()
        .acl(Sent, 5, &[0x17, 1, 12, 0, 0x27, 0, 64, 0, 64, 0, 9, 0, 0x40, 0, 0x41, 0])
        .acl(Received, 5, &[0x18, 1, 12, 0, 64, 0, 64, 0, 9, 0, 0, 0, 0x41, 0, 0x40, 0]);
    let asked = opened.acl(Sent, 0x41, &[3, 0, 0x0a, 3, 0]).acl(Sent, 0x40, &[3, 0, 0x0a, 4, 0]);
    let second = asked.acl(Received, 0x41, &[2, 0, 0x0b, 1]);
    assert_eq!(reads(second.clone()), [(3, Outcome::Unknown), (4, Outcome::Ok)]);
    let both = second.acl(Received, 0x40, &[2, 0, 0x0b, 1]);
    assert_eq!(reads(both), [(3, Outcome::Ok), (4, Outcome::Ok)]);
}

/// At the end of a link the controller counts the packets that it throws away: no sign of the peer.
#[test]
fn packets_thrown_away_at_the_end_are_no_sign_of_the_peer() {
    let lost = |apart| {
        let link = Trace::new().up().mtu().wait_ms(500).acknowledged(2).acknowledged(1);
        only(link.wait_ms(apart).disconnected(Status::CONNECTION_TIMEOUT))
    };
    let by = |connection: Connection| connection.last_heard.map(|heard| heard.by);
    assert_eq!(by(lost(15)), Some("ACL data from the peer"));
    assert_eq!(by(lost(25)), Some("Number Of Completed Packets"));
    // Only a link that was lost has a queue to throw away.
    let left = Trace::new().up().mtu().wait_ms(500).acknowledged(2).wait_ms(15);
    let left = only(left.disconnected(Status::REMOTE_USER_TERMINATED));
    assert_eq!(by(left), Some("Number Of Completed Packets"));
}

#[test]
fn advertising_during_a_link_is_remembered_until_the_peer_is_heard_on_it() {
    let link = || Trace::new().advertises(0).up().mtu().wait_ms(500);
    let advertised = |trace: Trace| only(trace).advertised.map(|seen| seen.reports);
    assert_eq!(advertised(link()), None, "what came before the link");
    assert_eq!(advertised(link().advertises(0).advertises(0)), Some(2));
    assert_eq!(advertised(link().advertises(2)), None, "not connectable");
    assert_eq!(advertised(link().advertises(0).notified(3, &[1])), None, "heard afterwards");
    let ended = link().advertises(0).disconnected(Status::CONNECTION_TIMEOUT);
    assert_eq!(advertised(ended.advertises(0)), Some(1), "not what came after its end");
    let thrown = link().advertises(0).acknowledged(1).wait_ms(10);
    assert_eq!(advertised(thrown.disconnected(Status::CONNECTION_TIMEOUT)), Some(1));
}

#[test]
fn a_report_that_came_after_the_request_is_not_what_the_request_rested_on() {
    let asked = |trace: Trace| only(trace.connected()).report_before.map(|report| report.frame);
    assert_eq!(asked(Trace::new().advertises(0).create().advertises(0)), Some(1));
    assert_eq!(asked(Trace::new().create().advertises(0)), None);
    // By the accept list, the device was chosen by what came then.
    assert_eq!(asked(Trace::new().create_for_anybody().advertises(0)), Some(3));
}
