//! What BTstack prints to its console: `CMD => 03 0C 00`, after a time since its start or a date.
use super::super::{Direction, Format, Kind};
use super::hex::{self, Form, Row};
use super::times::{self, When};

pub(crate) const FORMAT: Format =
    Format { name: Btstack::FORMAT, claim: hex::claim::<Btstack>, open: hex::open::<Btstack> };

/// The type that BTstack gives its own log lines when it writes PacketLogger files.
const LOG: Kind = Kind::Note(0xfc);

struct Btstack;

impl Form for Btstack {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "BTstack";
    const RESOLUTION_US: u32 = 1000;

    fn of(_: &[String]) -> Self {
        Self
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        let (when, label) = label(line);
        let (name, rest) = label.split_at_checked(3).unwrap_or_default();
        let kind = match name {
            "CMD" => Kind::Command,
            "EVT" => Kind::Event,
            "ACL" => Kind::Acl,
            "SCO" => Kind::Sco,
            "ISO" => Kind::Iso,
            "LOG" => LOG,
            // Mail wraps long lines.
            _ if wants && hex::words(line, bytes).is_empty() && !bytes.is_empty() => {
                return Row::More;
            }
            _ => return Row::Other,
        };
        let (arrow, data) = rest.trim_start().split_at_checked(2).unwrap_or_default();
        let direction = match (arrow, kind) {
            ("--", LOG) => {
                bytes.extend_from_slice(data.trim_start().as_bytes());
                return Row::Packet { when, kind, direction: None };
            }
            ("=>", _) => Direction::Sent,
            ("<=", _) => Direction::Received,
            _ => return Row::Other,
        };
        if hex::words(data, bytes).is_empty() && !bytes.is_empty() {
            Row::Packet { when, kind, direction: Some(direction) }
        } else {
            Row::Puzzle
        }
    }
}

/// A line's time in brackets, if it has one, and what stands behind it.
fn label(line: &str) -> (Option<When>, &str) {
    let timed = || {
        let inside = line.strip_prefix('[')?;
        let (when, rest) = match times::date_time(inside) {
            Some((at, rest)) => (When::Wall(at), rest),
            None => {
                let (at, rest) = times::time_of_day(inside)?;
                (When::OfDay(at), rest)
            }
        };
        Some((when, rest.strip_prefix(']')?.trim_start()))
    };
    timed().map_or((None, line), |(when, rest)| (Some(when), rest))
}
