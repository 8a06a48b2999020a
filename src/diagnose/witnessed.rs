//! What rules share that look at logs beside the packets.
use super::{Evidence, Finding, Sight};
use crate::packet::Address;
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::timeline::Connection;
use crate::witness::{Asker, Claim, Relation, RelationKind, Testimony, What};

/// Most lines that a finding of the packets cites as its second witness.
const SHOWN_LINES: usize = 2;

/// A line of a log, as a rule cites it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    seen: Seen,
    words: Box<str>,
}

impl Line {
    pub fn of(testimony: &Testimony, claim: &Claim) -> Self {
        Self { seen: testimony.seen(claim), words: claim.text.clone() }
    }

    /// The line, and what it shows.
    pub fn sight(&self, shows: &'static str) -> Sight {
        Sight::of(self.seen, text!("{}: {}", shows, prose::quoted(&self.words)))
    }
}

/// The relation of a claim.
pub(super) fn relation(testimony: &Testimony, claim: usize) -> Option<&Relation> {
    let place = testimony.relations.binary_search_by_key(&claim, |relation| relation.claim).ok()?;
    testimony.relations.get(place)
}

/// Claims of a log with their relations.
pub(super) fn related(testimony: &Testimony) -> impl Iterator<Item = (&Claim, &Relation)> {
    testimony.relations.iter().filter_map(|r| Some((testimony.claim(r)?, r)))
}

/// Whether a claim asks for a connection.
pub(super) fn asks(claim: &Claim) -> bool {
    matches!(claim.what, What::ConnectAsked(_) | What::PairAsked)
}

/// Whether a program asks for a connection, and not its library.
pub(super) fn program_asks(claim: &Claim) -> bool {
    claim.what == What::ConnectAsked(Asker::Program)
}

/// Whether a connection may be with this device.
pub(super) fn is_with(connection: &Connection, device: Address) -> bool {
    let peer = &connection.peer;
    peer.address == Some(device)
        || peer.on_air == Some(device)
        || peer.identity.is_some_and(|(identity, _)| identity == device)
        || connection.wanted().is_some_and(|(wanted, _)| wanted == device)
}

/// Logs are second witnesses of what the packets prove: the lines about a finding's connections, those that say
/// something else first.
pub(super) fn second(testimonies: &[Testimony], finding: &mut Finding) {
    for testimony in testimonies.iter().filter(|of| of.capture == finding.capture && !of.alone) {
        let about = |relation: &&Relation| {
            relation.connection.is_some_and(|number| finding.connections.contains(&number))
        };
        let telling = |kind| {
            let of_kind = testimony.relations.iter().filter(move |r| r.kind == kind);
            of_kind.filter(about).filter(|relation| relation.detail.is_some())
        };
        let mut lines: Vec<&Relation> = telling(RelationKind::Contradiction).take(1).collect();
        let room = SHOWN_LINES - lines.len();
        lines.extend(telling(RelationKind::Echo).take(room));
        for relation in lines {
            let Some(claim) = testimony.claim(relation) else { continue };
            finding.evidence.push(Evidence {
                source: testimony.source,
                frame: relation.line,
                text: said(relation, claim),
                on_air: false,
            });
        }
    }
}

fn said(relation: &Relation, claim: &Claim) -> Text {
    let words = prose::quoted(&claim.text);
    match relation.kind {
        RelationKind::Contradiction => {
            text!(
                "the log says {}, and the packets show otherwise: {}",
                words,
                relation.says.clone()
            )
        }
        _ => text!("the log says {}: {}", words, relation.says.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::AddressType;
    use crate::trace::{PEER, Trace};

    #[test]
    fn a_connection_is_with_a_device_under_any_of_its_addresses() {
        let other = Address([9, 9, 9, 9, 9, 0xc9]);
        let asked = || Trace::new().create().run().connections.remove(0);
        let mut connection = asked();
        assert!(is_with(&connection, PEER) && !is_with(&connection, other));
        // What was asked for tells, too.
        connection.peer.address = None;
        assert!(is_with(&connection, PEER) && !is_with(&connection, other));
        connection.request = None;
        assert!(!is_with(&connection, PEER));
        connection.peer.on_air = Some(other);
        assert!(is_with(&connection, other) && !is_with(&connection, PEER));
        connection.peer.on_air = None;
        connection.peer.identity = Some((other, AddressType::RANDOM));
        assert!(is_with(&connection, other) && !is_with(&connection, PEER));
        connection.peer.identity = None;
        connection.peer.address = Some(other);
        assert!(is_with(&connection, other) && !is_with(&connection, PEER));
    }

    /// Three lines tell of one end: two are cited, and none beside a note.
    #[test]
    fn two_lines_of_a_log_are_cited_beside_what_the_packets_prove() {
        use crate::diagnose::{Example, Scene, diagnose};
        use crate::packet::Status;
        use crate::seen::SourceId;
        const LOG: &str = "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,950 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:22,980 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
2025-09-04 15:33:22,990 ERROR app: Communication with C0:00:00:00:00:01 failed: failed to discover services, device disconnected
";
        let cited = |reason: Status, rule: &str| {
            let up = Trace::new().wait_ms(200).create().connected().features().mtu();
            let example = Example::with_log(up.wait_ms(2_500).disconnected(reason), LOG);
            let captures = [example.subject.run()];
            let testimonies = &example.testimonies(&captures);
            let scene = Scene { captures: &captures, testimonies, subject: 0, comparison: None };
            let all = diagnose(&scene);
            let finding = all.iter().find(|f| f.rule == rule).expect("found");
            let of_log = finding.evidence.iter();
            of_log.filter(|e| matches!(e.source, SourceId::Witness(_))).count()
        };
        // The log of the host that works is no witness of the link that fails.
        let link = || Trace::new().wait_ms(200).create().connected().features().mtu();
        let works = link().wait_ms(2_500).hangs_up(Status::REMOTE_USER_TERMINATED);
        let fails = link().wait_ms(2_500).disconnected(Status::CONNECTION_TIMEOUT);
        let captures = [works.run(), fails.run()];
        let of_reference = Example::with_log(works, LOG).testimonies(&captures[..1]);
        let comparison = crate::compare::of_captures(&captures);
        let (testimonies, comparison) = (of_reference.as_slice(), comparison.as_ref());
        let all = diagnose(&Scene { captures: &captures, testimonies, subject: 1, comparison });
        let lost = all.iter().find(|f| f.rule == "supervision-timeout-0x08").expect("found");
        assert!(lost.evidence.iter().all(|e| !matches!(e.source, SourceId::Witness(_))));
        assert_eq!(cited(Status::CONNECTION_TIMEOUT, "supervision-timeout-0x08"), 2);
        assert_eq!(cited(Status(0x2a), "unexplained-end"), 0, "a note");
    }
}
