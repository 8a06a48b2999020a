//! NimBLE's debug log: `ble_hs_hci_cmd_send: ogf=0x08 ocf=0x0006 len=15`, and the bytes behind it
//! as `0x06 0x20 …`, on one line or, on an ESP32, on a line each.
//!
//! It prints commands and data; of events nothing.
use super::super::{Direction, Format, Kind};
use super::hex::{self, Form, Row};
use super::times::When;

pub(crate) const FORMAT: Format =
    Format { name: Nimble::FORMAT, claim: hex::claim::<Nimble>, open: hex::open::<Nimble> };

#[derive(Default)]
struct Nimble {
    /// The header that was made of a command's line: the bytes below may repeat it.
    header: Vec<u8>,
    /// So many bytes of it were repeated.
    repeated: usize,
}

impl Form for Nimble {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "NimBLE";
    const RESOLUTION_US: u32 = 1000;

    fn of(_: &[String]) -> Self {
        Self::default()
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let (when, text) = log(line);
        if let Some((_, said)) = text.split_once("_hci_cmd_send: ogf=") {
            return match command(said, bytes) {
                Some(rest) => self.begin(when, Kind::Command, Direction::Sent, rest, bytes),
                None => Row::Puzzle,
            };
        }
        if let Some(rest) = text.strip_prefix("ble_hs_hci_acl_tx(): ") {
            prefixed(rest, bytes);
            self.header.clear();
            return Row::Packet { when, kind: Kind::Acl, direction: Some(Direction::Sent) };
        }
        if let Some(said) = text.strip_prefix("ble_hs_hci_evt_acl_process(): conn_handle=") {
            return match data(said, bytes) {
                Some(rest) => {
                    prefixed(rest, bytes);
                    self.header.clear();
                    Row::Packet { when, kind: Kind::Acl, direction: Some(Direction::Received) }
                }
                None => Row::Puzzle,
            };
        }
        if !wants || !prefixed(text, bytes) || bytes.is_empty() {
            bytes.clear();
            return Row::Other;
        }
        self.without_header(bytes);
        if bytes.is_empty() { Row::Other } else { Row::More }
    }
}

impl Nimble {
    fn begin(
        &mut self,
        when: Option<When>,
        kind: Kind,
        direction: Direction,
        rest: &str,
        bytes: &mut Vec<u8>,
    ) -> Row {
        self.header.clone_from(bytes);
        self.repeated = 0;
        let mut more = Vec::new();
        if prefixed(rest, &mut more) {
            self.without_header(&mut more);
            bytes.append(&mut more);
        }
        Row::Packet { when, kind, direction: Some(direction) }
    }

    /// Takes a repeated header off the bytes; what only began like it comes back.
    fn without_header(&mut self, bytes: &mut Vec<u8>) {
        let left = self.header.get(self.repeated..).unwrap_or_default();
        let same = left.iter().zip(bytes.iter()).take_while(|(one, other)| one == other).count();
        if same == left.len() || same == bytes.len() {
            bytes.drain(..same);
            self.repeated += same;
        } else {
            let begun = self.header.get(..self.repeated).unwrap_or_default().to_vec();
            bytes.splice(..0, begun);
            self.header.clear();
            self.repeated = 0;
        }
        if self.repeated == self.header.len() {
            self.header.clear();
            self.repeated = 0;
        }
    }
}

/// A line without what the system's log puts before it: `D (1234) NimBLE: `, in milliseconds.
fn log(line: &str) -> (Option<When>, &str) {
    let line = line.trim_start_matches(['>', ' ', '\t']);
    let timed = || {
        let (_, rest) = line.split_once(" (")?;
        let (ms, rest) = rest.split_once(") NimBLE:")?;
        let at = ms.parse::<u32>().ok().map(i64::from)?;
        Some((When::Since(at * 1000), rest.trim_start()))
    };
    timed().map_or((None, line), |(when, text)| (Some(when), text))
}

/// `0x08 ocf=0x0006 len=15`: the command's header; what follows.
fn command<'a>(said: &'a str, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let (group, rest) = said.strip_prefix("0x")?.split_once(" ocf=0x")?;
    let (command, rest) = rest.split_once(" len=")?;
    let group = u16::from_str_radix(group, 16).ok().filter(|&group| group < 0x40)?;
    let command = u16::from_str_radix(command, 16).ok().filter(|&command| command < 0x400)?;
    let (length, rest) = number(rest)?;
    bytes.extend((group << 10 | command).to_le_bytes());
    bytes.push(u8::try_from(length).ok()?);
    Some(rest)
}

/// `1 pb=2 len=9 data=0x05 …`: the packet's header; what follows.
fn data<'a>(said: &'a str, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let (handle, rest) = number(said)?;
    let (boundary, rest) = number(rest.strip_prefix(" pb=")?)?;
    let (length, rest) = number(rest.strip_prefix(" len=")?)?;
    let first = Some(handle).filter(|_| handle < 0x1000 && boundary < 4)? | boundary << 12;
    bytes.extend(first.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    rest.strip_prefix(" data=")
}

/// A decimal number that begins a text, and what follows it.
fn number(text: &str) -> Option<(u16, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

/// Appends bytes written as `0x06 0x20`. False, and nothing, where something else stands there.
fn prefixed(text: &str, bytes: &mut Vec<u8>) -> bool {
    let before = bytes.len();
    for word in text.split_whitespace() {
        let digits = word.strip_prefix("0x").filter(|digits| digits.len() == 2);
        match digits.map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => bytes.push(byte),
            _ => {
                bytes.truncate(before);
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_repeated_below_counts_once() {
        for rows in [
            vec!["0x06 0x20 0x02 0xaa 0xbb"],
            vec!["0xaa 0xbb"],
            vec!["0x06", "0x20", "0x02", "0xaa", "0xbb"],
            vec!["0xaa", "0xbb"],
        ] {
            let (mut form, mut packet) = (Nimble::default(), Vec::new());
            form.row("ble_hs_hci_cmd_send: ogf=0x08 ocf=0x0006 len=2", false, &mut packet);
            for row in rows {
                let mut more = Vec::new();
                form.row(row, true, &mut more);
                packet.extend(more);
            }
            assert_eq!(packet, [0x06, 0x20, 0x02, 0xaa, 0xbb]);
        }
        // Parameters that begin as the header does.
        let (mut form, mut packet, mut more) = (Nimble::default(), Vec::new(), Vec::new());
        form.row("ble_hs_hci_cmd_send: ogf=0x08 ocf=0x0006 len=2", false, &mut packet);
        form.row("0x06", true, &mut more);
        assert!(more.is_empty());
        form.row("0x07", true, &mut more);
        assert_eq!(more, [0x06, 0x07]);
    }
}
