//! Links on the air in a table: where each was asked for, whether it was answered, and how its events fared.
use super::{Field, Section};
use crate::air::Link;

/// Most links told; JSON has all connections.
const MOST: usize = 24;

/// Appends the links with the numbers of their connections.
pub fn links<'a>(section: &mut Section, links: impl Iterator<Item = (u32, &'a Link)>) {
    let row = |(number, link): (u32, &Link)| -> Vec<Field> {
        let request =
            link.request.map_or("not seen".to_owned(), |r| format!("frame {}", r.seen.frame));
        let answer = match link.first_answer {
            Some((seen, Some(event))) => format!("frame {}, in event {event}", seen.frame),
            Some((seen, None)) => format!("frame {}", seen.frame),
            None => "never".to_owned(),
        };
        let timing = &link.timing;
        let events = format!(
            "{} heard, {} answered, {} missed",
            timing.heard, timing.answered, timing.missed
        );
        let repeated = (link.central.repeated + link.peripheral.repeated).to_string();
        let cells = [number.to_string(), request, answer, events, repeated];
        cells.into_iter().map(Field::from).collect()
    };
    let rows: Vec<_> = links.take(MOST).map(row).collect();
    if rows.is_empty() {
        return;
    }
    let header = ["connection", "connect request", "first answer", "connection events", "repeated"];
    section.table(Some(header.into_iter().map(Field::from).collect()), rows);
}
