//! The connections of every laboratory capture are those that a separate reader found
//! (`fixtures/lab/FACTS.tsv`, made by the laboratory's own scripts).
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use hcidiff::packet::Direction;
use hcidiff::packet::att;
use hcidiff::seen::Seen;
use hcidiff::timeline::{Capture, Connection, Moment};
use hcidiff::{Case, analyse};
use std::collections::BTreeMap;
use std::path::Path;

fn read(name: &str) -> Capture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab").join(name);
    let analysis = analyse(&Case::one(path)).unwrap_or_else(|unreadable| panic!("{unreadable}"));
    analysis.captures.into_iter().next().expect("one capture")
}

/// One row of the table, as our own facts would write it.
fn row(connection: &Connection) -> BTreeMap<&'static str, String> {
    let mut row = BTreeMap::new();
    let ms = |moment: Moment| {
        connection
            .after(moment)
            .map_or(String::new(), |span| format!("{:.1}", (span.0 as f64 / 1000.0)))
    };
    let code = |code: u8| format!("{code:#04x}");
    row.insert("status", connection.status.map_or(String::new(), |s| code(s.0)));
    if connection.connected_frame().is_some() {
        row.insert("role", connection.role.map_or(String::new(), |r| r.to_string()));
        let granted = connection.granted.expect("a connection has parameters");
        row.insert("interval_ms", format!("{:?}", granted.interval().as_ms()));
        row.insert("timeout_ms", format!("{}", granted.timeout().0 / 1000));
    }
    row.insert("connect_frame", connection.status_frame().map_or(String::new(), |f| f.to_string()));
    if let Some(end) = &connection.end {
        row.insert("reason", code(end.reason.0));
        row.insert("reason_sent", end.reason_sent.map_or(String::new(), |r| code(r.0)));
        row.insert("disconnect_frame", end.frame.to_string());
        row.insert(
            "life_ms",
            connection.life().map_or(String::new(), |l| format!("{:.1}", l.as_ms())),
        );
    }
    if let Some(first) = &connection.first_att {
        row.insert("first_att", att::Pdu::name_of(first.opcode).unwrap_or("?").to_owned());
        row.insert(
            "first_att_dir",
            if first.direction == Direction::Sent { "sent" } else { "received" }.to_owned(),
        );
        row.insert("first_att_ms", ms(first.at));
    }
    if let Some(mtu) = &connection.mtu {
        row.insert("mtu_asked", mtu.requested.to_string());
        row.insert("mtu_by", if mtu.by == Direction::Sent { "host" } else { "peer" }.to_owned());
        row.insert("mtu_asked_ms", ms(mtu.at));
        if let Some(answered) = mtu.answered {
            row.insert("mtu_answered", answered.to_string());
            row.insert("mtu_answered_ms", ms(Seen::when(mtu.answer)));
        }
    }
    row.retain(|_, value| !value.is_empty());
    row
}

#[test]
fn every_laboratory_connection_has_the_facts_of_the_table() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let table = text_of!("fixtures/lab/FACTS.tsv");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let header: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    let mut by_capture: BTreeMap<&str, Vec<BTreeMap<&str, String>>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let mut row: BTreeMap<&str, String> =
            header.iter().zip(&cells).map(|(name, cell)| (*name, (*cell).to_owned())).collect();
        row.retain(|_, value| !value.is_empty());
        let capture = row.remove("capture").map(|_| cells[0]).expect("a capture");
        row.remove("n");
        by_capture.entry(capture).or_default().push(row);
    }
    assert!(by_capture.len() > 100, "{} captures", by_capture.len());
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, expected) in &by_capture {
        let capture = read(name);
        let mut ours: Vec<&Connection> = capture
            .connections
            .iter()
            .filter(|c| {
                c.status_frame().is_some()
                    && c.start_seen
                    && c.transport == hcidiff::timeline::Transport::Le
            })
            .filter(|c| c.request.as_ref().is_none_or(|r| r.status_frame != c.status_frame()))
            .collect();
        ours.sort_by_key(|c| c.status_frame());
        if ours.len() != expected.len() {
            wrong.push(format!(
                "{name}: {} connection events, expected {}",
                ours.len(),
                expected.len()
            ));
            continue;
        }
        for (connection, expected) in ours.iter().zip(expected) {
            let mut expected = expected.clone();
            // The table writes the status of the first Encryption Change event; a key request that our own
            // host refused ends without one.
            let encryption = expected.remove("encryption");
            let ours = connection
                .steps
                .iter()
                .filter(|s| {
                    s.procedure == hcidiff::timeline::Procedure::Encrypt && s.status.is_some()
                })
                .find(|s| s.by == Direction::Sent || s.outcome == hcidiff::timeline::Outcome::Ok)
                .and_then(|s| s.status)
                .map(|s| format!("{s:#04x}"));
            if encryption != ours {
                wrong.push(format!(
                    "{name} {}: encryption {ours:?}, expected {encryption:?}",
                    connection.number
                ));
            }
            let row = row(connection);
            // The table's reader takes data before Connection Complete for a stranger's (see the test below).
            let early = name.ends_with("71-acl-before-cc.btsnoop");
            let apart =
                |key: &str| early && (key.starts_with("first_att") || key.starts_with("mtu"));
            for (key, value) in expected.iter().filter(|(key, _)| !apart(key)) {
                compared += 1;
                let ours = row.get(key).cloned().unwrap_or_default();
                let near = key.ends_with("_ms")
                    && ours
                        .parse::<f64>()
                        .ok()
                        .zip(value.parse::<f64>().ok())
                        .is_some_and(|(a, b)| (a - b).abs() < 0.11);
                if ours != *value && !near {
                    wrong.push(format!(
                        "{name} {}: {key} is `{ours}`, expected `{value}`",
                        connection.number
                    ));
                }
            }
            for key in row.keys().filter(|key| !expected.contains_key(*key) && !apart(key)) {
                wrong.push(format!(
                    "{name} {}: {key} is `{}`, expected none",
                    connection.number, row[key]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} facts differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 1500, "{compared} facts compared");
}

/// Refused creates have no connection event; frames and statuses as tshark shows them
/// (`bthci_evt.code == 0x0f && bthci_evt.status != 0`).
#[test]
fn refused_attempts_are_attempts_too() {
    needs!("fixtures/lab/EXPECTED.tsv");
    for (name, expected) in [
        ("A/14-limit-and-disallowed.btsnoop", &[(66, 0x09), (73, 0x0c)][..]),
        ("A2/55-no-phy.btsnoop", &[(33, 0x11), (46, 0x11), (59, 0x11)]),
        ("A2/58-slots.btsnoop", &[(156, 0x09), (159, 0x09)]),
        ("A2/65-two-stacks.btsnoop", &[(47, 0x0c), (73, 0x0c), (100, 0x0c)]),
    ] {
        let refused: Vec<(u32, u8)> = read(name)
            .connections
            .iter()
            .filter_map(|c| {
                let request = c.request.as_ref()?;
                Some((request.status_frame?, request.status?.0)).filter(|(_, status)| *status != 0)
            })
            .collect();
        assert_eq!(refused, expected, "{name}");
    }
}

/// USB delivers data and events through two pipes: the first packet of a link may overtake
/// its Connection Complete.
#[test]
fn data_before_connection_complete_belongs_to_the_attempt() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let capture = read("A2/71-acl-before-cc.btsnoop");
    assert_eq!(capture.connections.len(), 1);
    let connection = &capture.connections[0];
    assert_eq!(connection.first_att.map(|f| (f.frame, f.opcode)), Some((34, 0x02)));
    assert_eq!(connection.connected_frame(), Some(35));
    let mtu = connection.mtu.expect("an exchange");
    assert_eq!(
        (mtu.requested, mtu.answered, mtu.answer.map(|seen| seen.frame)),
        (247, Some(517), Some(38))
    );
    assert!(connection.steps.is_sorted_by_key(|s| s.frame));
}

/// One link, recorded on both sides: what one sent the other received.
#[test]
fn both_sides_of_a_link_agree() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let mut pairs = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/A"))
        .expect("fixtures")
    {
        let name = entry.expect("entry").file_name().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".peer.btsnoop") else { continue };
        let (ours, theirs) = (read(&format!("A/{stem}.btsnoop")), read(&format!("A/{name}")));
        // Where the peer never answered, its host never saw a connection.
        let ours: Vec<&Connection> = ours
            .connections
            .iter()
            .filter(|c| c.connected_frame().is_some() && !c.never_heard())
            .collect();
        let theirs: Vec<&Connection> =
            theirs.connections.iter().filter(|c| c.connected_frame().is_some()).collect();
        assert_eq!(ours.len(), theirs.len(), "{stem}");
        for (a, b) in ours.iter().zip(&theirs) {
            pairs += 1;
            assert_ne!(a.role, b.role, "{stem}");
            assert_eq!(
                a.granted.map(|g| (g.interval, g.latency, g.timeout)),
                b.granted.map(|g| (g.interval, g.latency, g.timeout))
            );
            // What was on its way when the link ended never arrived.
            let lost = |sent: u64, received: u64| (received..=received + 1).contains(&sent);
            assert!(
                lost(a.att_sent, b.att_received),
                "{stem} {}: {} {}",
                a.number,
                a.att_sent,
                b.att_received
            );
            assert!(
                lost(b.att_sent, a.att_received),
                "{stem} {}: {} {}",
                a.number,
                b.att_sent,
                a.att_received
            );
            assert_eq!(
                a.mtu.map(|m| (m.requested, m.answered)),
                b.mtu.map(|m| (m.requested, m.answered)),
                "{stem}"
            );
            assert_eq!(
                a.mtu.map(|m| m.by != Direction::Sent),
                b.mtu.map(|m| m.by == Direction::Sent),
                "{stem}"
            );
            let server =
                if a.remote.is_empty() { (&a.local, &b.remote) } else { (&a.remote, &b.local) };
            assert_eq!(
                server.0, server.1,
                "{stem}: both learn the same database from the same packets"
            );
        }
    }
    assert!(pairs >= 10, "{pairs}");
}
