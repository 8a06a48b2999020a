//! Records of every kind, and what becomes of them.
use super::*;
use crate::packet::pdus::hex;
use crate::packet::{ConnHandle, Status, att, signal};
use proptest::prelude::*;

fn record(frame: u32, kind: Kind, direction: Direction, bytes: &[u8]) -> Record<'_> {
    Record {
        frame,
        offset: 0,
        time: None,
        adapter: None,
        direction: Some(direction),
        kind,
        payload: Payload::Bytes(bytes),
        original_len: bytes.len() as u32,
        comment: None,
    }
}

/// Decodes packets one after the other and hands each event's text to `see`.
fn say(packets: &[(Kind, Direction, &str)]) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut said = Vec::new();
    for (frame, (kind, direction, text)) in (1..).zip(packets) {
        let bytes = hex(text);
        let record = record(frame, *kind, *direction, &bytes);
        let event = decoder.decode(&record);
        said.push(format!("{:?} {:?} {:?}", event.packet, event.problem, event.answers));
    }
    said
}

use Direction::{Received, Sent};
use Kind::{Acl, Command, Event};

#[test]
fn a_fragmented_frame_is_decoded_where_it_ends() {
    let said = say(&[
        (Acl, Received, "40 20 06 00 06 00 04 00 1b 2a"),
        (Acl, Received, "40 10 04 00 00 01 02 03"),
        (Acl, Received, "40 10 01 00 04"),
    ]);
    assert!(
        said[0].starts_with("Fragment { handle: ConnHandle(64), start: true, len: 6 } None"),
        "{}",
        said[0]
    );
    assert!(said[1].contains(
        "HandleValueNotification { attribute_handle: Handle(42), attribute_value: [1, 2, 3] }"
    ));
    assert!(said[2].starts_with("Fragment") && said[2].contains("Some(Cut)"), "{}", said[2]);
}

#[test]
fn an_le_signalling_frame_holds_one_command_a_classic_one_several() {
    let credits = "16 01 04 00 40 00 0a 00";
    let echo = "08 01 00 00 08 02 00 00";
    let said = say(&[
        (Acl, Sent, &format!("40 00 0c 00 08 00 05 00 {credits}")),
        (Acl, Sent, &format!("40 00 14 00 10 00 05 00 {credits} {credits}")),
        (Acl, Sent, &format!("40 00 0c 00 08 00 01 00 {echo}")),
    ]);
    let problems: Vec<bool> = said.iter().map(|line| line.contains("Malformed")).collect();
    assert_eq!(problems, [false, true, false], "{said:#?}");
}

#[test]
fn a_classic_channel_carries_att_only_where_it_was_opened_for_it() {
    let channel = |request: &str| {
        let length = request.split(' ').count() as u8;
        let frame = format!("40 00 {:02x} 00 {length:02x} 00 01 00 {request}", length + 4);
        say(&[
            (Acl, Sent, &frame),
            (Acl, Received, "40 20 10 00 0c 00 01 00 03 01 08 00 41 00 40 00 00 00 00 00"),
            (Acl, Sent, "40 00 07 00 03 00 41 00 02 05 02"),
        ])
    };
    let att = channel("02 01 04 00 1f 00 40 00");
    assert!(att[2].contains("ExchangeMtuRequest"), "{att:#?}");
    let hid = channel("02 01 04 00 11 00 40 00");
    assert!(hid[2].contains("psm: Some(") && !hid[2].contains("Mtu"), "{hid:#?}");
    // A request with a byte too many is no word to build on.
    let malformed = channel("02 01 05 00 1f 00 40 00 ff");
    assert!(malformed[2].contains("psm: None"), "{malformed:#?}");
}

#[test]
fn what_the_capture_cut_off_a_credit_based_frame_is_not_the_senders_fault() {
    let said = say(&[
        (Acl, Sent, "40 00 12 00 0e 00 05 00 14 01 0a 00 80 00 40 00 00 02 40 00 05 00"),
        (Acl, Received, "40 20 12 00 0e 00 05 00 15 01 0a 00 41 00 00 02 40 00 05 00 00 00"),
        (Acl, Sent, "40 00 0a 00 06 00 41 00 04"),
        (Acl, Sent, "40 00 05 00 01 00 41 00 04"),
    ]);
    assert!(said[2].contains("psm: Some(") && said[2].contains("Some(Cut)"), "{said:#?}");
    assert!(said[3].contains("Some(Malformed)"), "{said:#?}");
}

#[test]
fn adapters_do_not_mix() {
    let mut decoder = Decoder::new();
    let mut said = Vec::new();
    // The same link and direction on three adapters, a frame in two packets on each.
    let first = hex("40 20 06 00 06 00 04 00 1b 2a");
    let rest = hex("40 10 04 00 00 01 02 03");
    for (frame, (adapter, bytes)) in
        (1..).zip([(0, &first), (1, &first), (0, &rest), (2, &first), (1, &rest), (2, &rest)])
    {
        let record = Record { adapter: Some(adapter), ..record(frame, Acl, Received, bytes) };
        said.push(format!("{:?}", decoder.decode(&record).packet));
    }
    let whole: Vec<bool> = said.iter().map(|text| text.contains("Notification")).collect();
    assert_eq!(whole, [false, false, true, false, true, true], "{said:#?}");
}

/// Qualcomm's log goes by a handle that no link has, unless one was made.
#[test]
fn a_chips_log_is_a_log_until_a_link_has_its_handle() {
    let data = (Acl, Received, "dc 2e 07 00 03 00 04 00 02 05 02");
    let connection = |status: &str| format!("03 0b {status} dc 0e 01 02 03 04 05 c6 01 00");
    let (refused, made) = (connection("04"), connection("00"));
    let said = say(&[data, (Event, Received, &refused), data, (Event, Received, &made), data]);
    let log: Vec<bool> = said.iter().map(|text| text.contains("ChipLog")).collect();
    assert_eq!(log, [true, false, true, false, false], "{said:#?}");
}

/// More promised than kept: the recording's doing where it cut the packet, else a lie.
#[test]
fn a_cut_packet_does_not_lie() {
    let bytes = hex("05 04 00 40");
    let whole = record(1, Event, Received, &bytes);
    let cut = Record { original_len: 6, ..whole.clone() };
    assert_eq!(Decoder::new().decode(&whole).problem, Some(Problem::Malformed));
    assert_eq!(Decoder::new().decode(&cut).problem, Some(Problem::Cut));
}

#[test]
fn links_and_directions_do_not_mix() {
    let said = say(&[
        (Acl, Received, "40 20 06 00 06 00 04 00 1b 2a"),
        (Acl, Received, "41 20 07 00 03 00 04 00 02 05 02"),
        (Acl, Sent, "40 00 07 00 03 00 04 00 02 05 02"),
        (Acl, Received, "40 10 04 00 00 01 02 03"),
    ]);
    assert!(said[1].contains("ExchangeMtuRequest") && said[2].contains("ExchangeMtuRequest"));
    assert!(said[3].contains("HandleValueNotification"));
}

#[test]
fn a_disconnection_and_a_reset_end_open_frames() {
    let start = (Acl, Received, "40 20 06 00 06 00 04 00 1b 2a");
    let rest = (Acl, Received, "40 10 04 00 00 01 02 03");
    for end in [(Event, Received, "05 04 00 40 00 13"), (Command, Sent, "03 0c 00")] {
        assert!(say(&[start, end, rest])[2].starts_with("Fragment"), "{end:?}");
    }
    // Refused: the link is still there.
    let refused = (Event, Received, "05 04 02 40 00 13");
    assert!(say(&[start, refused, rest])[2].contains("HandleValueNotification"));
}

#[test]
fn answers_know_their_commands() {
    let said = say(&[
        (Command, Sent, "06 04 03 40 00 13"),
        (Command, Sent, "16 20 02 40 00"),
        (Event, Received, "0f 04 00 01 16 20"),
        (Event, Received, "0f 04 00 01 06 04"),
        (Event, Received, "0e 03 01 00 00"),
    ]);
    let answers: Vec<_> = said.iter().map(|text| text.rsplit(' ').next().unwrap()).collect();
    assert_eq!(answers, ["None", "None", "Some(2)", "Some(1)", "None"]);
}

/// A logger may lose a Command Status. The event that ends the procedure tells that the command was
/// taken, and the next answer is that of the next command.
#[test]
fn a_lost_answer_shifts_no_later_one() {
    let command = (Command, Sent, "16 20 02 40 00");
    let status = (Event, Received, "0f 04 00 01 16 20");
    let features = (Event, Received, "3e 0c 04 00 40 00 ff 00 00 00 00 00 00 00");
    let said = say(&[command, features, command, status, features]);
    assert!(said[3].ends_with("Some(3)"), "{}", said[3]);
    // While nothing completes the first, answers come in the order of their commands.
    let said = say(&[command, command, status, status]);
    assert!(said[2].ends_with("Some(1)") && said[3].ends_with("Some(2)"), "{said:?}");
}

/// A host that sends a command again after two seconds has given up waiting: the answer is the second one's.
#[test]
fn an_answer_after_a_repeated_command_is_the_second_ones() {
    let answers = |pause_us: i64| {
        let (mut decoder, mut answers) = (Decoder::new(), Vec::new());
        let packets =
            [(Command, "03 0c 00", 0), (Command, "03 10 00", 0), (Command, "03 10 00", pause_us)];
        let answer = (Event, "0e 04 01 03 10 00", pause_us + 1_000);
        for (frame, (kind, text, at)) in (1..).zip(packets.into_iter().chain([answer])) {
            let bytes = hex(text);
            let time = Some(crate::time::Timestamp(at));
            let record = Record { time, ..record(frame, kind, Received, &bytes) };
            answers.push(decoder.decode(&record).answers);
        }
        answers.pop().flatten()
    };
    assert_eq!(answers(1_999_000), Some(2));
    assert_eq!(answers(2_000_000), Some(3));
}

/// Hosts with flow control send Host Number Of Completed Packets all the time, and nothing answers it.
#[test]
fn commands_without_an_answer_push_none_out_that_waits_for_its_own() {
    let mut packets = vec![(Command, Sent, "16 20 02 40 00")];
    packets.extend([(Command, Sent, "35 0c 05 01 40 00 01 00"); 40]);
    packets.push((Event, Received, "0f 04 00 01 16 20"));
    // Refused: Invalid HCI Command Parameters.
    packets.push((Event, Received, "0e 04 01 35 0c 12"));
    let said = say(&packets);
    assert!(said[41].ends_with("Some(1)"), "{}", said[41]);
    assert!(said[42].ends_with("Some(41)"), "{}", said[42]);
}

#[test]
fn attribute_protocol_on_enhanced_channels() {
    let said = say(&[
        // Two channels asked for, the second refused.
        (Acl, Sent, "40 00 14 00 10 00 05 00 17 01 0c 00 27 00 40 00 40 00 05 00 40 00 41 00"),
        (Acl, Received, "40 20 14 00 10 00 05 00 18 01 0c 00 40 00 40 00 05 00 00 00 50 00 00 00"),
        (Acl, Sent, "40 00 09 00 05 00 50 00 03 00 02 05 02"),
        (Acl, Received, "40 20 07 00 03 00 40 00 03 00 03"),
        (Acl, Received, "40 20 06 00 02 00 40 00 f7 00"),
        (Acl, Received, "40 20 09 00 05 00 41 00 03 00 03 f7 00"),
        // Closed: no longer a channel.
        (Acl, Sent, "40 00 0c 00 08 00 05 00 06 02 04 00 50 00 40 00"),
        (Acl, Received, "40 20 0c 00 08 00 05 00 07 02 04 00 50 00 40 00"),
        (Acl, Sent, "40 00 09 00 05 00 50 00 03 00 02 05 02"),
    ]);
    assert!(
        said[2].contains(
            "Att { handle: ConnHandle(64), cid: 80, pdu: ExchangeMtuRequest { client_rx_mtu: 517 }"
        ),
        "{}",
        said[2]
    );
    assert!(said[3].starts_with("L2cap") && said[3].contains("psm: Some(39)"), "{}", said[3]);
    assert!(said[4].contains("ExchangeMtuResponse { server_rx_mtu: 247 }"), "{}", said[4]);
    assert!(said[5].starts_with("L2cap") && said[5].contains("psm: None"), "{}", said[5]);
    assert!(said[8].starts_with("L2cap") && said[8].contains("psm: None"), "{}", said[8]);
}

#[test]
fn attribute_protocol_on_classic_channels() {
    let said = say(&[
        (Acl, Received, "40 20 0c 00 08 00 01 00 02 01 04 00 1f 00 40 00"),
        // Pending, then granted.
        (Acl, Sent, "40 00 10 00 0c 00 01 00 03 01 08 00 60 00 40 00 01 00 00 00"),
        (Acl, Sent, "40 00 10 00 0c 00 01 00 03 01 08 00 60 00 40 00 00 00 00 00"),
        (Acl, Received, "40 20 07 00 03 00 60 00 02 05 02"),
        (Acl, Sent, "40 00 07 00 03 00 40 00 03 f7 00"),
    ]);
    assert!(said[3].contains("cid: 96, pdu: ExchangeMtuRequest"), "{}", said[3]);
    assert!(said[4].contains("cid: 64, pdu: ExchangeMtuResponse"), "{}", said[4]);
}

#[test]
fn headers_that_lie_keep_their_codes() {
    let said = say(&[
        (Event, Received, "05 13 00 40 00"),
        (Event, Received, "05 04 00 40 00 13 ff"),
        (Command, Sent, "0d 20 19 00"),
        (Event, Received, "3e"),
        (Acl, Received, "40 20 ff 00 03 00 04 00 02 05 02"),
        (Acl, Received, "40 20"),
    ]);
    assert_eq!(said[0], "Event(Other { code: 0x05, 3 bytes }) Some(Malformed) None");
    assert!(
        said[1].contains("reason: Remote User Terminated") && said[1].contains("Some(Malformed)"),
        "{}",
        said[1]
    );
    assert!(said[2].contains("code: 0x200d") && said[2].contains("Some(Malformed)"), "{}", said[2]);
    assert!(said[3].contains("code: 62"), "{}", said[3]);
    assert!(said[4].contains("ExchangeMtuRequest"), "{}", said[4]);
    assert!(said[5].contains("layer: Acl"), "{}", said[5]);
}

#[test]
fn what_the_capture_cut_says_so() {
    let mut decoder = Decoder::new();
    let bytes = hex("40 20 1b 00 17 00 04 00 12 2a 00 01");
    let cut = Record { original_len: 31, ..record(1, Acl, Sent, &bytes) };
    let event = decoder.decode(&cut);
    assert!(event.cut);
    assert_eq!(event.problem, Some(Problem::Cut));
    let pdu = att::Pdu::WriteRequest { attribute_handle: att::Handle(42), attribute_value: &[1] };
    assert!(matches!(event.packet, Packet::Att { pdu: found, .. } if found == pdu), "{event:?}");
}

#[test]
fn chips_that_log_as_data_do_not_disturb() {
    let log = (Acl, Received, "dc 2e 04 00 01 02 03 04");
    let connected =
        (Event, Received, "3e 13 01 00 dc 0e 00 01 01 02 03 04 05 c6 24 00 00 00 2a 00 01");
    assert!(say(&[log])[0].contains("layer: ChipLog"));
    assert!(say(&[connected, log])[1].starts_with("Fragment"));
}

#[test]
fn statuses_are_named() {
    let bytes = hex("3e 04 0c 3e 40 00");
    let mut decoder = Decoder::new();
    let record = record(1, Event, Received, &bytes);
    assert_eq!(decoder.decode(&record).problem, Some(Problem::Malformed));
    let (pdu, _) = signal::Pdu::decode(0x13, &[1, 0], false);
    assert_eq!(pdu.name(), Some("Connection Parameter Update Response"));
    assert_eq!(Status(0x3e), Status::FAILED_TO_BE_ESTABLISHED);
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        1 => Just(Command),
        1 => Just(Event),
        8 => Just(Acl),
        1 => Just(Kind::Sco),
        1 => Just(Kind::Iso),
        1 => (0..22u16).prop_map(Kind::Monitor),
        1 => any::<u8>().prop_map(Kind::Note),
        1 => any::<u8>().prop_map(Kind::Vendor),
    ]
}

/// Records of a fixture: kind, direction, bytes.
fn fixture(name: &str) -> Vec<(Kind, Direction, Vec<u8>)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors").join(name);
    let options = crate::capture::OpenOptions::default();
    let mut opened = crate::capture::open(&crate::capture::Input::Path(path), &options).unwrap();
    let mut records = Vec::new();
    while let Some(record) = opened.source.next().unwrap() {
        records.push((record.kind, record.direction.unwrap_or(Sent), record.bytes().to_vec()));
    }
    records
}

#[test]
fn a_packet_cut_anywhere_never_passes_for_a_whole_one() {
    let mut seen = 0;
    for name in ["layers.btsnoop", "s_mon.btsnoop"] {
        for (kind, direction, bytes) in fixture(name) {
            for end in 0..bytes.len() {
                let whole = record(1, kind, direction, &bytes[..end]);
                let cut = Record { original_len: bytes.len() as u32, ..whole };
                let mut decoder = Decoder::new();
                let event = decoder.decode(&cut);
                assert!(event.cut, "{event:?}");
                let open = matches!(event.packet, Packet::Fragment { .. });
                assert!(open || event.problem.is_some(), "{event:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1000);
}

#[test]
fn open_frames_of_many_links_take_bounded_memory() {
    let mut decoder = Decoder::new();
    // 4,096 links with 4,000 bytes each would be 16 MB.
    for handle in 0..4096u16 {
        let mut bytes = vec![0; 4004];
        bytes[..2].copy_from_slice(&(handle | 0x2000).to_le_bytes());
        bytes[2..8].copy_from_slice(&[0xa0, 0x0f, 0xff, 0xff, 4, 0]);
        let record = record(1, Acl, Received, &bytes);
        decoder.decode(&record);
    }
    assert!(decoder.adapters.held() <= 4 << 20, "{}", decoder.adapters.held());
}

proptest! {
    #[test]
    fn any_bytes_decode_to_something(
        records in prop::collection::vec((kind(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..64), 0..8u32), 0..40),
    ) {
        let mut decoder = Decoder::new();
        for (frame, (kind, sent, bytes, missing)) in (1..).zip(&records) {
            let direction = if *sent { Sent } else { Received };
            let mut record = record(frame, *kind, direction, bytes);
            record.original_len += missing;
            let event = decoder.decode(&record);
            prop_assert_eq!(event.frame, frame);
            prop_assert!(*missing == 0 || event.cut);
            let _ = format!("{event:?}");
        }
    }

    /// However a frame is parted into packets, the last of them gives the same PDU.
    #[test]
    fn fragmentation_changes_nothing(value in prop::collection::vec(any::<u8>(), 0..60), mut cuts in prop::collection::vec(0..66usize, 0..6)) {
        let mut frame = vec![0, 0, 4, 0, 0x1b, 0x2a, 0];
        frame.extend(&value);
        frame[0] = (frame.len() - 4) as u8;
        cuts.iter_mut().for_each(|cut| *cut = 1 + *cut % (frame.len() - 1));
        cuts.extend([0, frame.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut decoder = Decoder::new();
        let mut last = String::new();
        for (at, pair) in cuts.windows(2).enumerate() {
            let part = &frame[pair[0]..pair[1]];
            let mut packet = vec![0x40, if at == 0 { 0x20 } else { 0x10 }, part.len() as u8, 0];
            packet.extend(part);
            let record = record(1, Acl, Received, &packet);
            let event = decoder.decode(&record);
            prop_assert!(!event.cut);
            last = format!("{:?}", event.packet);
        }
        let pdu = att::Pdu::HandleValueNotification { attribute_handle: att::Handle(42), attribute_value: &value };
        prop_assert_eq!(last, format!("{:?}", Packet::Att { handle: ConnHandle(0x40), cid: 4, pdu }));
    }
}

/// The links that packets are about, in order: of the packet itself, and of those that it completes.
fn links(packets: &[(Kind, Direction, &str)]) -> Vec<(Option<usize>, Vec<usize>)> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for (frame, (kind, direction, text)) in (1..).zip(packets) {
        let bytes = hex(text);
        let record = record(frame, *kind, *direction, &bytes);
        let event = decoder.decode(&record);
        let completed = event.completed.iter().map(|link| link.index()).collect();
        found.push((event.link.map(|link| link.index()), completed));
    }
    found
}

#[test]
fn every_packet_says_which_link_it_is_about() {
    let le_connected = "3e 13 01 00 40 00 00 00 06 05 04 03 02 01 18 00 00 00 c8 00 00";
    let found = links(&[
        (Event, Received, le_connected),
        (Acl, Sent, "40 00 07 00 03 00 04 00 02 05 02"),
        // Another link, whose beginning is missing.
        (Acl, Received, "41 20 07 00 03 00 04 00 03 05 02"),
        (Event, Received, "13 09 02 40 00 01 00 41 00 01 00"),
        (Command, Sent, "06 04 03 40 00 13"),
        (Event, Received, "05 04 00 40 00 16"),
        // The answer comes after the end and means the link that ended.
        (Event, Received, "0f 04 02 01 06 04"),
        (Event, Received, le_connected),
        (Acl, Sent, "40 00 07 00 03 00 04 00 02 05 02"),
        (Command, Sent, "03 0c 00"),
        // After a reset no link is up any more.
        (Acl, Sent, "40 00 07 00 03 00 04 00 02 05 02"),
    ]);
    let of: Vec<_> = found.iter().map(|(link, _)| *link).collect();
    let [a, b, c, d] = [0, 1, 2, 3].map(Some);
    assert_eq!(of, [a, a, b, a, a, a, a, c, c, None, d]);
    assert_eq!(found[3].1, [0, 1]);
    assert!(found.iter().enumerate().all(|(at, (_, all))| at == 3 || all.is_empty()));
}
