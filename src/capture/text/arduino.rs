//! What ArduinoBLE prints after `BLE.debug(Serial)`: `HCI EVENT RX <- 040E…`, H4 packets as
//! unbroken runs of digits. The serial monitor may put a time of day before them.
use super::super::{Direction, Format};
use super::hex::{self, Form, Row};
use super::times::{self, When};

pub(crate) const FORMAT: Format =
    Format { name: Arduino::FORMAT, claim: hex::claim::<Arduino>, open: hex::open::<Arduino> };

struct Arduino;

const MARKS: [(&str, Direction); 4] = [
    ("HCI COMMAND TX -> ", Direction::Sent),
    ("HCI ACLDATA TX -> ", Direction::Sent),
    ("HCI ACLDATA RX <- ", Direction::Received),
    ("HCI EVENT RX <- ", Direction::Received),
];

impl Form for Arduino {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "ArduinoBLE";
    const RESOLUTION_US: u32 = 1000;

    fn of(_: &[String]) -> Self {
        Self
    }

    fn row(&mut self, line: &str, _: bool, bytes: &mut Vec<u8>) -> Row {
        let found = MARKS.iter().find_map(|(mark, direction)| {
            line.split_once(mark).map(|(before, digits)| (before, digits, *direction))
        });
        let Some((before, digits, direction)) = found else { return Row::Other };
        let before = before.trim_start_matches(['>', ' ', '\t']);
        let when = times::time_of_day(before).map(|(at, _)| When::OfDay(at));
        if !hex::run(digits, bytes).trim().is_empty() || bytes.len() < 2 {
            bytes.clear();
            return Row::Puzzle;
        }
        match hex::typed(bytes) {
            Some(kind) => Row::Packet { when, kind, direction: Some(direction) },
            None => Row::Puzzle,
        }
    }
}
