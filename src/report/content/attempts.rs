//! The table of attempts of one capture.
use super::{Field, Paint, Section, Topic};
use crate::compare::{Failure, describe};
use crate::report::{Report, words};
use crate::timeline::{Capture, Connection};

/// Most attempts listed; `--full` lists all.
const MOST: usize = 40;

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
    let rows = shown.iter().map(|connection| row(connection)).collect();
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
        section.item("", &format!("{hidden} more attempts (--full lists them)"), Paint::Faint);
    }
    Some(section)
}

fn row(connection: &Connection) -> Vec<Field> {
    let frame = connection
        .request
        .as_ref()
        .map(|r| r.frame)
        .filter(|f| *f > 0)
        .or(connection.connected_frame())
        .or(connection.status_frame);
    let mut how =
        format!("{}, {}", words::transport(connection.transport), words::link(connection));
    if connection.att_sent + connection.att_received > 0 {
        how.push_str(&format!(
            ", ATT {} sent {} received",
            connection.att_sent, connection.att_received
        ));
    }
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
