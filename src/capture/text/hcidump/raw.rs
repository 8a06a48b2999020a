//! `hcidump -R`: a direction mark and the H4 packet, twenty bytes a row, with `-t` after a date.
use super::super::super::{Direction, Format};
use super::super::hex::{self, Form, Row};
use super::super::times::{self, When};

pub(crate) const FORMAT: Format =
    Format { name: Raw::FORMAT, claim: hex::claim::<Raw>, open: hex::open::<Raw> };

struct Raw;

impl Form for Raw {
    const FORMAT: &'static str = "hcidump-text";
    const VARIANT: &'static str = "raw";
    const RESOLUTION_US: u32 = 1;

    fn of(_: &[String]) -> Self {
        Self
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let line = line.trim_start();
        let (when, rest) = match times::date_time(line) {
            Some((at, rest)) => (Some(When::Wall(at)), rest.trim_start()),
            None => (None, line),
        };
        let direction = match rest.chars().next() {
            Some('<') => Direction::Sent,
            Some('>') => Direction::Received,
            _ if wants && hex::words(line, bytes).is_empty() && !bytes.is_empty() => {
                return Row::More;
            }
            _ => return Row::Other,
        };
        let packet = rest.get(1..).unwrap_or_default();
        // Decoded text and mail have such marks too: then no byte follows.
        if !hex::words(packet, bytes).is_empty() || bytes.is_empty() {
            return Row::Other;
        }
        match hex::typed(bytes) {
            Some(kind) => Row::Packet { when, kind, direction: Some(direction) },
            None => Row::Puzzle,
        }
    }
}
