//! The table of attempts of one capture.
use super::{Field, Paint, Section, Topic};
use crate::compare::{Failure, describe};
use crate::packet::Address;
use crate::prose::Text;
use crate::report::{Report, words};
use crate::text;
use crate::timeline::{Capture, Connection};
use std::collections::HashMap;

/// Most attempts listed; `--full` lists all.
const MOST: usize = 40;

/// More attempts than this are grouped by device.
const UNGROUPED: usize = 10;

/// One line an attempt.
pub fn table(report: &Report, capture: &Capture) -> Option<Section> {
    if capture.connections.is_empty() {
        return None;
    }
    let mut section = Section::new(Topic::Attempts, "Attempts");
    let most = if report.shown.full { usize::MAX } else { MOST };
    // The telling ones first in sight: where there are too many, routine is left out.
    let mut shown: Vec<&Connection> = capture.connections.iter().collect();
    if shown.len() > most {
        shown.sort_by_key(|c| (!c.connected(), c.number));
        shown.truncate(most);
        shown.sort_by_key(|c| c.number);
    }
    let rows = match shown.len() {
        0..=UNGROUPED => shown.iter().map(|connection| row(connection)).collect(),
        _ => grouped(&shown),
    };
    let header = vec![
        Field::right("#"),
        Field::right("frame"),
        "device".into(),
        "how".into(),
        "outcome".into(),
    ];
    section.table(Some(header), rows);
    let hidden = capture.connections.len() - shown.len();
    if hidden > 0 {
        section.item("", text!("{} more attempts (--full lists them)", hidden), Paint::Faint);
    }
    Some(section)
}

/// The attempts to each device together, the device named once with how many there are; devices in order of first
/// sight. An attempt to nobody in particular stands alone.
fn grouped(attempts: &[&Connection]) -> Vec<Vec<Field>> {
    let mut places: HashMap<Address, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Connection>> = Vec::new();
    for connection in attempts {
        let place = match connection.peer.who() {
            Some(who) => *places.entry(who).or_insert(groups.len()),
            None => groups.len(),
        };
        match groups.get_mut(place) {
            Some(group) => group.push(connection),
            None => groups.push(vec![connection]),
        }
    }
    let mut rows = Vec::new();
    for group in groups {
        let count = group.len();
        for (at, connection) in group.into_iter().enumerate() {
            let mut row = row(connection);
            if let Some(device) = row.get_mut(DEVICE) {
                match at {
                    0 if count > 1 => device.text = text!("{}, {} attempts", device.text, count),
                    0 => {}
                    _ => device.text = Text::EMPTY,
                }
            }
            rows.push(row);
        }
    }
    rows
}

/// The column that names the device.
const DEVICE: usize = 2;

fn row(connection: &Connection) -> Vec<Field> {
    let frame = connection
        .request
        .as_ref()
        .map(|r| r.frame)
        .filter(|f| *f > 0)
        .or(connection.connected_frame())
        .or(connection.status_frame());
    let (sent, received) = (connection.att_sent, connection.att_received);
    let att = (sent + received > 0).then(|| text!(", ATT {} sent {} received", sent, received));
    let how = words::link(connection);
    let how = text!("{}, {}{}", words::transport(connection.transport), how, att);
    let failed = Failure::of(connection).is_some();
    vec![
        Field::right(connection.number.to_string()),
        Field::right(frame.map_or_else(|| "·".to_owned(), |f| f.to_string())),
        Field::from(describe(connection)),
        Field::from(how),
        Field::from(words::ending(connection)).paint(if failed {
            Paint::Red
        } else {
            Paint::Plain
        }),
    ]
}
