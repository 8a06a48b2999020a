//! A frame that is cited is what the finding says of it.
use super::*;
use crate::capture::{Kind, Payload, Record};
use crate::packet::Direction;

/// What a line of evidence begins with, and what its frame must be: an HCI command by its opcode, its answer, an event, an LE
/// event, a PDU of ATT (0x0004), LE signalling (0x0005), SMP (0x0006) or BR/EDR signalling (0x0001), with its direction, or
/// another record of the Linux monitor. The numbers are those of the Core Specification.
const SHOWS: &[(&str, &[&str])] = &[
    ("ATT sent after", &["att ?? sent"]),
    ("Authenticated Payload Timeout", &["event 57"]),
    ("Command Disallowed", &["status"]),
    ("Command Status:", &["status"]),
    ("Connection Complete", &["le 01", "event 03"]),
    ("Create Connection (BR/EDR)", &["command 0405"]),
    ("Disconnect command", &["command 0406"]),
    ("Disconnection Complete", &["event 05"]),
    ("Disconnection Request", &["signal 07 received"]),
    ("Error Response", &["att 01 received"]),
    ("HCI Reset", &["command 0c03"]),
    ("Handle Value Indication", &["att 1d"]),
    ("Hardware Error", &["event 10"]),
    ("LE Add Device To Resolving List", &["command 2027"]),
    ("LE Connection Complete", &["le 01"]),
    ("LE Connection Update Complete", &["le 03"]),
    ("LE Connection Update of this host", &["command 2013"]),
    ("LE Create Connection", &["command 200d"]),
    ("LE Data Length Change", &["le 07"]),
    ("LE Extended Create Connection", &["command 2043"]),
    ("LE PHY Update Complete", &["le 0c"]),
    ("LE Read Remote Features (", &["command 2016"]),
    ("LE Read Remote Features Complete", &["le 04"]),
    ("LE Set PHY begins", &["command 2032"]),
    ("LE Set Privacy Mode", &["command 204e"]),
    ("Long Term Key Request", &["le 05"]),
    ("No link came of the attempt", &["le 01", "event 03", "status"]),
    ("PIN or Key Missing", &["event 08", "event 05"]),
    ("Pairing Failed received", &["smp 05 received"]),
    ("Pairing Failed sent", &["smp 05 sent"]),
    ("Pairing Request", &["smp 01"]),
    ("Pairing Response", &["smp 02"]),
    ("Prepare Write Request", &["att 16 sent"]),
    ("Read By Group Type Request", &["att 10 sent"]),
    ("Read Request", &["att 0a"]),
    ("Remote User Terminated Connection", &["event 05"]),
    ("Security Request from the device", &["smp 0b received"]),
    ("Service Changed indication sent", &["att 1d sent"]),
    ("The controller ended the link", &["event 05"]),
    ("The device ended the link", &["event 05"]),
    ("This host ended the link", &["event 05"]),
    ("a connect request of this call", &["command 200d"]),
    ("a link to ", &["le 01"]),
    ("a scan begins", &["command 200c"]),
    ("a second answer to the same Exchange MTU Request", &["att 03 received"]),
    ("advertising report", &["le 02"]),
    ("after encryption: ", &["att 01 received"]),
    ("an ATT request without answer", &["att ?? sent"]),
    ("and the device notifies", &["att 1b received"]),
    ("another attempt is heard: LE Read Remote Features Complete", &["le 04"]),
    ("another link is heard: LE Read Remote Features Complete", &["le 04"]),
    ("cancelled by the host", &["command 200e"]),
    ("discovery of characteristics", &["att 08 sent", "att 09 received"]),
    ("discovery of descriptors", &["att 04 sent", "att 05 received"]),
    ("discovery of services", &["att 10 sent", "att 11 received"]),
    ("encrypt begins", &["command 2019"]),
    ("encrypt: ", &["event 08"]),
    ("encryption failed", &["event 08"]),
    ("encryption is started", &["command 2019", "le 05"]),
    ("encryption with a stored key", &["command 2019"]),
    ("encryption with the stored key", &["command 2019"]),
    ("exchange-mtu: the answer", &["att 03 received"]),
    ("features: the answer", &["le 04"]),
    ("first ATT packet", &["att"]),
    ("first ATT request", &["att ?? sent"]),
    ("first advertising", &["le 02"]),
    ("first of ", &["att 1b received"]),
    ("from here on answers took", &["le 01", "le 03"]),
    ("indication of attribute", &["att 1d"]),
    ("interval ", &["le 01"]),
    ("it advertises", &["le 02"]),
    ("it goes on advertising", &["le 02"]),
    ("its last link ends", &["event 05"]),
    ("last advertising report", &["le 02"]),
    ("last sign of the peer: ACL data", &["att ?? received", "signal ?? received"]),
    ("last sign of the peer: Encryption Change", &["event 08"]),
    ("last sign of the peer: LE Connection Update Complete", &["le 03"]),
    ("last sign of the peer: LE Data Length Change", &["le 07"]),
    ("last sign of the peer: LE PHY Update Complete", &["le 0c"]),
    ("last sign of the peer: LE Read Remote Features Complete", &["le 04"]),
    ("last sign of the peer: Number Of Completed Packets", &["event 13"]),
    ("link reported ", &["le 01"]),
    ("long write", &["att 16 sent"]),
    ("our Disconnect command", &["command 0406"]),
    ("pairing", &["smp"]),
    ("pairing begins", &["smp 01"]),
    ("parameter-update begins", &["command 2013", "signal 12"]),
    ("phy begins", &["command 2032"]),
    ("read by type", &["att 08 sent"]),
    ("read of attribute", &["att 0a sent", "att 0b received", "att 01 received"]),
    ("refused: ", &["complete", "status", "att 01 received"]),
    ("request without answer", &["att ?? sent"]),
    ("scan interval", &["command 200d"]),
    ("scanning is switched on", &["command 200c"]),
    ("security request", &["smp 0b"]),
    ("sent before the answer", &["att ?? sent"]),
    ("supervision timeout", &["le 01"]),
    ("the attempt ends", &["event 05", "le 01"]),
    ("the central refuses", &["att 01 received"]),
    ("the central's request that was never answered", &["att ?? received"]),
    ("the connect request", &["command 200d", "command 2043"]),
    ("the connection parameters ", &["le 03"]),
    ("the device advertises again", &["le 02"]),
    ("the device answers this host's request", &["att 03 received"]),
    ("the device asks for ", &["signal 12 received"]),
    ("the device hangs up", &["event 05"]),
    ("the device was heard: LE Read Remote Features Complete", &["le 04"]),
    ("the device was still heard", &["att ?? received"]),
    ("the device's next packet", &["att ?? received"]),
    ("the device's own request", &["att 02 received"]),
    ("the first link came up", &["le 01"]),
    ("the first packet beyond", &["att ?? sent"]),
    ("the host discovers again", &["att ?? received"]),
    ("the host resets the controller", &["command 0c03"]),
    ("the last Number Of Completed Packets", &["event 13"]),
    ("the last notification", &["att 1b received"]),
    ("the last packet of the transfer here", &["att ?? sent"]),
    ("the last report", &["le 02"]),
    ("the last request before the silence", &["att ?? sent"]),
    ("the link came up", &["le 01"]),
    // Where this host ended it, its command may be told as the end.
    ("the link ends", &["event 05", "command 0406"]),
    ("the link fails", &["event 05"]),
    ("the link is ended by this host", &["command 0406"]),
    ("the link is given up unanswered", &["event 05"]),
    ("the link that stays up", &["le 01"]),
    ("the link to another device is lost", &["event 05"]),
    ("the next attempt", &["le 01"]),
    ("the next link goes on", &["att ?? sent"]),
    ("the next request is refused", &["status"]),
    ("the older connect request", &["command 200d", "command 2043"]),
    ("the oldest packet that was never acknowledged", &["att ?? sent"]),
    ("the other side's ", &["att 01 sent"]),
    ("the pairing that tells", &["smp"]),
    ("the peer answers the feature exchange", &["le 04"]),
    ("the peer asks for ", &["signal 12 received"]),
    ("the same name under", &["le 02"]),
    ("the same write", &["att 12 sent", "att 52 sent"]),
    ("the working host discovers", &["att ?? sent"]),
    ("the working host encrypts", &["command 2019"]),
    ("the working host had done by then", &["att ?? sent"]),
    ("the working host has an MTU", &["att 03 received"]),
    ("the working host pairs", &["smp 01 sent"]),
    ("the working host sends a Write Request", &["att 12 sent"]),
    ("the working host: write", &["att 12 sent"]),
    ("the working link exchanges the MTU", &["att 02 sent"]),
    ("this host answers", &["att ?? sent"]),
    ("this host asks for these parameters", &["command 2013"]),
    ("this host gives up", &["event 05"]),
    ("this host hangs up", &["command 0406"]),
    ("this host refuses", &["signal 13 sent"]),
    ("this host uses the device", &["att ?? sent"]),
    ("this pairing", &["smp 01"]),
    ("this peripheral asks as a client", &["att ?? sent"]),
    ("write command of attribute", &["att 52 sent"]),
    ("write of ", &["att 12 sent", "att 13 received", "att 01 received"]),
    ("Connection Complete, status 0x02", &["le 01"]),
    ("Connection Complete: Page Timeout", &["event 03"]),
    ("Controller Suspend", &["monitor 17"]),
    ("User Confirmation Negative Reply", &["monitor 16"]),
    ("an unfiltered scan reports", &["le 02"]),
    ("connectable LE advertising", &["le 02"]),
    ("mgmt Set Powered", &["monitor 16"]),
    ("the adapter is closed", &["monitor 9"]),
    ("the daemon's log", &["monitor 13"]),
    ("the user is asked to confirm", &["monitor 17"]),
    ("this host's last write", &["att 12 sent", "att 13 received", "att 52 sent"]),
];

/// The same, of how a line ends.
const SHOWS_AT_ITS_END: &[(&str, &[&str])] = &[
    (" closes its socket", &["monitor 15"]),
    (" opens a socket on the adapter", &["monitor 14"]),
    (", never confirmed", &["att 1d"]),
    // An indication is a question as well.
    (", still open", &["att ?? sent"]),
    (", without answer", &["att"]),
    ("refused: Database Out Of Sync (0x12)", &["att 01 received"]),
    ("refused: Invalid Handle (0x01)", &["att 01 received"]),
];

/// What a frame is, in the words of the table.
fn what(record: &Record<'_>) -> String {
    let Payload::Bytes(bytes) = record.payload else { return String::new() };
    let by = if record.direction == Some(Direction::Sent) { "sent" } else { "received" };
    match (record.kind, bytes) {
        (Kind::Command, [low, high, ..]) => format!("command {high:02x}{low:02x}"),
        (Kind::Event, [0x3e, _, code, ..]) => format!("le {code:02x}"),
        (Kind::Event, [0x0e, _, _, low, high, ..]) => format!("complete {high:02x}{low:02x}"),
        (Kind::Event, [0x0f, _, _, _, low, high, ..]) => format!("status {high:02x}{low:02x}"),
        (Kind::Event, [code, ..]) => format!("event {code:02x}"),
        (Kind::Acl, [_, _, _, _, _, _, cid, 0, code, ..]) => {
            let channel = ["", "signal", "", "", "att", "signal", "smp"];
            format!("{} {code:02x} {by}", channel.get(usize::from(*cid)).unwrap_or(&""))
        }
        (Kind::Monitor(opcode), _) => format!("monitor {opcode}"),
        _ => String::new(),
    }
}

/// Whether a frame is what the table says: word by word, as far as the table goes.
fn fits(is: &str, wanted: &str) -> bool {
    let mut is = is.split(' ');
    wanted.split(' ').all(|wanted| is.next().is_some_and(|is| wanted == "??" || is == wanted))
}

/// The attribute that a packet of ATT names.
fn attribute(record: &Record<'_>) -> Option<u16> {
    let Payload::Bytes([_, _, _, _, _, _, 4, 0, code, pdu @ ..]) = record.payload else {
        return None;
    };
    match (record.kind, code, pdu) {
        (Kind::Acl, 0x0a | 0x0c | 0x12 | 0x16 | 0x1b | 0x1d | 0x52, [low, high, ..])
        // An Error Response repeats the request's opcode first.
        | (Kind::Acl, 0x01, [_, low, high, ..]) => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

/// The attribute that a line names.
fn told_attribute(text: &str) -> Option<u16> {
    let (_, behind) = text.split_once(" of attribute 0x")?;
    u16::from_str_radix(behind.get(..4)?, 16).ok()
}

#[test]
fn a_cited_frame_is_what_the_finding_says() {
    let mut wrong = std::collections::BTreeSet::new();
    let mut said = std::collections::BTreeSet::new();
    for rule in RULES.iter().filter(|rule| !matches!(rule.check, Check::Air(_))) {
        for case in rule.cases {
            let example = (case.example)();
            if example.air.is_some() {
                continue;
            }
            for finding in findings(&example) {
                for evidence in &finding.evidence {
                    let trace = match (evidence.source.capture(), &example.reference) {
                        (None, _) => continue,
                        (Some(0), Some(reference)) => reference,
                        _ => &example.subject,
                    };
                    let text = evidence.text.to_string();
                    let begins = SHOWS.iter().filter(|(words, _)| text.starts_with(words));
                    let begins = begins.max_by_key(|(words, _)| words.len());
                    let ends = SHOWS_AT_ITS_END.iter().find(|(words, _)| text.ends_with(words));
                    let record = trace.records().nth(evidence.frame as usize - 1);
                    let told = told_attribute(&text).zip(record.as_ref().and_then(attribute));
                    if told.is_some_and(|(told, is)| told != is) {
                        wrong.insert(format!("{}: {text} ({})", finding.rule, case.name));
                    }
                    let is = record.as_ref().map(what).unwrap_or_default();
                    for (words, wanted) in begins.into_iter().chain(ends) {
                        said.insert(*words);
                        if !wanted.iter().any(|wanted| fits(&is, wanted)) {
                            wrong.insert(format!("{}: {text}: {is} ({})", finding.rule, case.name));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let rows = SHOWS.iter().chain(SHOWS_AT_ITS_END).map(|(words, _)| *words);
    let unsaid: Vec<_> = rows.filter(|words| !said.contains(words)).collect();
    assert!(unsaid.is_empty(), "no rule says so: {unsaid:?}");
}
