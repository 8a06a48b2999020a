//! What `hcitool cmd` prints: a command and the event that answers it, parameters in rows.
use super::super::{Format, Kind};
use super::hex::{self, Form, Row};

pub(crate) const FORMAT: Format =
    Format { name: Hcitool::FORMAT, claim: hex::claim::<Hcitool>, open: hex::open::<Hcitool> };

struct Hcitool;

impl Form for Hcitool {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "hcitool";
    const RESOLUTION_US: u32 = 1;

    fn of(_: &[String]) -> Self {
        Self
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let line = line.trim_start();
        let kind = if let Some(header) = line.strip_prefix("< HCI Command: ogf ") {
            command(header, bytes).map(|()| Kind::Command)
        } else if let Some(header) = line.strip_prefix("> HCI Event: 0x") {
            event(header, bytes).map(|()| Kind::Event)
        } else if wants && hex::words(line, bytes).is_empty() && !bytes.is_empty() {
            return Row::More;
        } else {
            return Row::Other;
        };
        match kind {
            Some(kind) => Row::Packet { when: None, kind, direction: None },
            None => Row::Puzzle,
        }
    }
}

/// `0x08, ocf 0x000d, plen 25`.
fn command(header: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let (group, rest) = header.strip_prefix("0x")?.split_once(", ocf 0x")?;
    let (command, length) = rest.split_once(", plen ")?;
    let group = u16::from_str_radix(group, 16).ok().filter(|&group| group < 0x40)?;
    let command = u16::from_str_radix(command, 16).ok().filter(|&command| command < 0x400)?;
    bytes.extend((group << 10 | command).to_le_bytes());
    bytes.push(length.trim().parse().ok()?);
    Some(())
}

/// `0f plen 4`.
fn event(header: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let (code, length) = header.split_once(" plen ")?;
    bytes.push(u8::from_str_radix(code, 16).ok()?);
    bytes.push(length.trim().parse().ok()?);
    Some(())
}
