//! What a line of evidence says stands in the frame that it cites.
use super::*;
use crate::capture::{Kind, Payload, Record};

/// What a frame must be.
enum Frame {
    /// A command with one of these opcodes.
    Command(&'static [u16]),
    /// An event with one of these codes.
    Event(&'static [u8]),
    /// An LE event with one of these subevent codes.
    Le(&'static [u8]),
    /// An ATT packet with one of these opcodes.
    Att(&'static [u8]),
    /// A record of the Linux monitor that is no HCI packet.
    Monitor(u16),
}

use Frame::{Att, Command, Event, Le, Monitor};

const REPORTS: Frame = Le(&[0x02, 0x0d]);
const UP: Frame = Le(&[0x01, 0x0a]);
const REQUESTS: &[u8] = &[0x02, 0x04, 0x06, 0x08, 0x0a, 0x0c, 0x0e, 0x10, 0x12, 0x16, 0x18];

/// How a line begins, how it ends, and what its frame must be. The numbers are those of the Core Specification.
const LINES: &[(&str, &str, Frame)] = &[
    ("Disconnection Complete, ", "", Event(&[0x05])),
    ("LE Connection Complete", "", UP),
    ("the link came up", "", UP),
    ("the link that stays up", "", UP),
    ("a link to ", "is open still", UP),
    ("the next attempt came through", "", UP),
    ("Command Status: ", "", Event(&[0x0f])),
    ("Command Disallowed (0x0c) for the next one", "", Event(&[0x0f])),
    ("HCI Reset", "", Command(&[0x0c03])),
    ("the host resets the controller", "", Command(&[0x0c03])),
    ("Hardware Error", "", Event(&[0x10])),
    ("this host hangs up", "", Command(&[0x0406])),
    ("Disconnect command", "", Command(&[0x0406])),
    ("our Disconnect command", "", Command(&[0x0406])),
    ("LE Read Remote Features Complete", "", Le(&[0x04])),
    ("the peer answers the feature exchange", "", Le(&[0x04])),
    ("LE Connection Update Complete", "", Le(&[0x03])),
    ("LE Create Connection to ", "", Command(&[0x200d])),
    ("LE Extended Create Connection", "", Command(&[0x2043])),
    ("Create Connection (BR/EDR)", "", Command(&[0x0405])),
    ("Connection Complete: Page Timeout", "", Event(&[0x03])),
    ("cancelled by the host after ", "", Command(&[0x200e])),
    ("Connection Complete, status 0x02", "", Le(&[0x01, 0x0a])),
    ("the older connect request", "", Command(&[0x200d, 0x2043])),
    ("first advertising report", "", REPORTS),
    ("last advertising report", "", REPORTS),
    ("advertising report of this address", "", REPORTS),
    ("connectable LE advertising", "", REPORTS),
    ("first advertising of the neighbouring address", "", REPORTS),
    ("it advertises", "", REPORTS),
    ("an unfiltered scan reports", "", REPORTS),
    ("Authenticated Payload Timeout Expired", "", Event(&[0x57])),
    ("the adapter is closed", "", Monitor(9)),
    ("mgmt Set Powered", "", Monitor(16)),
    ("\"", "opens a socket on the adapter", Monitor(14)),
    ("\"", "closes its socket", Monitor(15)),
    ("Prepare Write Request", "", Att(&[0x16])),
    ("Error Response", "", Att(&[0x01])),
    ("first ATT request", "", Att(REQUESTS)),
    ("sent before the answer to the one before", "", Att(REQUESTS)),
    ("request without answer", "", Att(REQUESTS)),
    ("Handle Value Indication, ", ", without answer", Att(&[0x1d])),
    ("", ", without answer", Att(REQUESTS)),
    ("", ", still open", Att(REQUESTS)),
    ("", ", never confirmed", Att(&[0x1d])),
    ("read of attribute ", "refused: Database Out Of Sync (0x12)", Att(&[0x01])),
    ("read of attribute ", "refused: Invalid Handle (0x01)", Att(&[0x01])),
    ("the last notification, ", "", Att(&[0x1b])),
    ("this host's last write", "", Att(&[0x12, 0x13, 0x52])),
    ("the working host discovers", "", Att(&[0x08, 0x09, 0x01])),
];

impl Frame {
    fn is(&self, record: &Record<'_>) -> bool {
        let Payload::Bytes(bytes) = record.payload else { return false };
        let at = |place: usize| bytes.get(place).copied();
        match (self, record.kind) {
            (Command(opcodes), Kind::Command) => {
                let opcode = at(0).zip(at(1)).map(|(low, high)| u16::from_le_bytes([low, high]));
                opcode.is_some_and(|opcode| opcodes.contains(&opcode))
            }
            (Event(codes), Kind::Event) => at(0).is_some_and(|code| codes.contains(&code)),
            (Le(codes), Kind::Event) => {
                at(0) == Some(0x3e) && at(2).is_some_and(|code| codes.contains(&code))
            }
            // Behind four bytes of HCI and four of L2CAP, whose last two are the channel.
            (Att(opcodes), Kind::Acl) => {
                at(6) == Some(4) && at(8).is_some_and(|opcode| opcodes.contains(&opcode))
            }
            (Monitor(opcode), Kind::Monitor(of)) => of == *opcode,
            _ => false,
        }
    }
}

#[test]
fn what_a_line_says_stands_in_its_frame() {
    let mut wrong = Vec::new();
    let mut met = vec![false; LINES.len()];
    for (rule, case) in RULES.iter().flat_map(|rule| rule.cases.iter().map(move |c| (rule, c))) {
        let example = (case.example)();
        // On the air nothing is an event.
        if matches!(rule.check, Check::Air(_)) {
            continue;
        }
        let traces: Vec<&Trace> = example.reference.iter().chain([&example.subject]).collect();
        // Of the end `smp-timeout-30s` cites this host's command.
        for finding in findings(&example).iter().filter(|f| f.rule != "smp-timeout-30s") {
            for evidence in &finding.evidence {
                let text = evidence.text.to_string();
                let Some(trace) = evidence.source.capture().map(|at| traces[at]) else { continue };
                let rows = LINES.iter().enumerate();
                let row = rows.into_iter().find(|(_, (begins, ends, _))| {
                    text.starts_with(begins) && text.ends_with(ends)
                });
                let Some((place, (.., frame))) = row else { continue };
                met[place] = true;
                let record = trace.records().find(|record| record.frame == evidence.frame);
                if !record.is_some_and(|record| frame.is(&record)) {
                    let by = finding.rule;
                    wrong.push(format!(
                        "{}: {}: {by}: {} {text}",
                        rule.id, case.name, evidence.frame
                    ));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} {}", wrong.len(), wrong.join("\n"));
    let dead = LINES.iter().zip(&met).filter(|(_, met)| !**met).map(|(row, _)| (row.0, row.1));
    assert_eq!(dead.collect::<Vec<_>>(), [], "nothing says so");
}
