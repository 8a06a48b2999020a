//! The connections of every laboratory capture are those that a separate reader found
//! (`fixtures/lab/FACTS.tsv`, made by the laboratory's own scripts).
use hcidiff::capture::{Direction, Input, OpenOptions};
use hcidiff::link::{Capture, Connection, Moment};
use hcidiff::pipeline;
use hcidiff::wire::att;
use std::collections::BTreeMap;
use std::path::Path;

fn read(name: &str) -> Capture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab").join(name);
    pipeline::read(&Input::Path(path), &OpenOptions::default(), None)
        .unwrap_or_else(|e| panic!("{name}: {e}"))
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
    if connection.connected_frame.is_some() {
        row.insert("role", connection.role.map_or(String::new(), |r| r.to_string()));
        let granted = connection.granted.expect("a connection has parameters");
        row.insert("interval_ms", format!("{:?}", granted.interval().as_ms()));
        row.insert("timeout_ms", format!("{}", granted.timeout().0 / 1000));
    }
    row.insert("connect_frame", connection.status_frame.map_or(String::new(), |f| f.to_string()));
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
            row.insert("mtu_answered_ms", ms(mtu.answered_at));
        }
    }
    row.retain(|_, value| !value.is_empty());
    row
}

#[test]
fn every_laboratory_connection_has_the_facts_of_the_table() {
    let table = include_str!("../fixtures/lab/FACTS.tsv");
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
                c.status_frame.is_some()
                    && c.start_seen
                    && c.transport == hcidiff::link::Transport::Le
            })
            .filter(|c| c.request.as_ref().is_none_or(|r| r.status_frame != c.status_frame))
            .collect();
        ours.sort_by_key(|c| c.status_frame);
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
                .filter(|s| s.procedure == hcidiff::link::Procedure::Encrypt && s.status.is_some())
                .find(|s| s.by == Direction::Sent || s.outcome == hcidiff::link::Outcome::Ok)
                .and_then(|s| s.status)
                .map(|s| format!("{s:#04x}"));
            if encryption != ours {
                wrong.push(format!(
                    "{name} {}: encryption {ours:?}, expected {encryption:?}",
                    connection.number
                ));
            }
            let row = row(connection);
            for (key, value) in &expected {
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
            for key in row.keys().filter(|key| !expected.contains_key(*key)) {
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
