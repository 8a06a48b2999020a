//! One row of PacketLogger's list, taken apart.
use super::super::super::{Direction, Kind, h4};
use super::super::hex;
use super::super::times::{self, When};
use chrono::NaiveDate;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How close to the bytes a row is. One packet gives several rows, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// A protocol above L2CAP, decoded.
    Upper,
    L2cap,
    /// The HCI packet, decoded.
    Hci,
    /// The HCI packet's bytes.
    Raw,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub when: Option<When>,
    /// Missing where the list was printed without that column.
    pub kind: Option<Kind>,
    pub direction: Option<Direction>,
    pub level: Level,
    /// The kind's name without its direction: `ATT`, `HCI Event`.
    pub name: &'a str,
    pub handle: Option<u16>,
    pub description: &'a str,
}

/// The note types that PacketLogger names; the longer name before the one that it begins with.
const NOTES: [(&str, u8); 9] = [
    ("Kernel Debug", 0xf9),
    ("Kernel", 0xf8),
    ("Syslog", 0xf7),
    ("Error", 0xfa),
    ("Power", 0xfb),
    ("Note", 0xfc),
    ("Config", 0xfd),
    ("New Controller", 0xfe),
    ("LMP", 0x0a),
];

/// What is carried over L2CAP and gets rows of its own.
const UPPER: [&str; 15] = [
    "ATT", "SMP", "L2CAP", "SDP", "RFCOMM", "AVDTP", "AVCTP", "AVRCP", "HID", "HFP", "BNEP",
    "OBEX", "A2DP", "HCRP", "MAP",
];

impl<'a> Row<'a> {
    /// `None` where the line is no row. A row's beginning alone does not make it understood.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        let (when, rest) = match date(line) {
            Some((when, rest)) => (Some(when), rest),
            None => (None, line),
        };
        let mut row = Self {
            when,
            kind: None,
            direction: None,
            level: Level::Upper,
            name: "",
            handle: None,
            description: rest,
        };
        row.take_kind();
        row.take_handle();
        // Without a date only the columns themselves tell a row from prose.
        if row.when.is_none() && (row.kind.is_none() || row.handle.is_none()) {
            return None;
        }
        if row.kind.is_none() {
            row.take_bare()?;
        } else {
            row.take_peer();
        }
        if dump(row.description).is_some() && row.kind.is_some() {
            row.level = Level::Raw;
        }
        Some(row)
    }

    fn take_kind(&mut self) {
        let text = self.description;
        let direct = [
            ("HCI Command", Kind::Command, Direction::Sent),
            ("HCI Event", Kind::Event, Direction::Received),
        ];
        for (name, kind, direction) in direct {
            if let Some(rest) = word(text, name) {
                (self.kind, self.direction) = (Some(kind), Some(direction));
                (self.name, self.level, self.description) = (name, Level::Hci, rest);
                return;
            }
        }
        let carriers = [("ACL", Kind::Acl), ("SCO", Kind::Sco), ("ISO", Kind::Iso)];
        let carried = UPPER.map(|name| (name, Kind::Acl));
        for (name, kind) in carriers.into_iter().chain(carried) {
            let Some(rest) = word(text, name) else { continue };
            let (direction, rest) = if let Some(rest) = word(rest, "Send") {
                (Direction::Sent, rest)
            } else if let Some(rest) = word(rest, "Receive") {
                (Direction::Received, rest)
            } else {
                continue;
            };
            (self.kind, self.direction) = (Some(kind), Some(direction));
            (self.name, self.description) = (name, rest);
            self.level = match name {
                "ACL" | "SCO" | "ISO" => Level::Hci,
                "L2CAP" => Level::L2cap,
                _ => Level::Upper,
            };
            return;
        }
        for (name, byte) in NOTES {
            if let Some(rest) = word(text, name).filter(|_| self.when.is_some()) {
                (self.kind, self.level) = (Some(Kind::Note(byte)), Level::Hci);
                (self.name, self.description) = (name, rest);
                return;
            }
        }
    }

    fn take_handle(&mut self) {
        let Some((digits, rest)) =
            self.description.strip_prefix("0x").and_then(|text| text.split_at_checked(4))
        else {
            return;
        };
        if let (Ok(handle), true) =
            (u16::from_str_radix(digits, 16), rest.is_empty() || rest.starts_with([' ', '\t']))
        {
            // Raw rows and what belongs to no connection show zero, which is a handle too.
            self.handle = Some(handle);
            self.description = rest;
        }
    }

    /// Passes the column of the peer's address or name, which may be blank or missing.
    fn take_peer(&mut self) {
        let text = self.description;
        let column = text.trim_start();
        let blank = text.len() - column.len();
        self.description = column;
        if blank >= 12 || self.handle.is_none() {
            return;
        }
        if let Some((_, rest)) = column.split_at_checked(17).filter(|(peer, _)| is_address(peer)) {
            self.description = rest.trim_start();
        } else if let Some((_, rest)) = column.split_once("  ").or_else(|| column.split_once('\t'))
        {
            // A row without that column ends where a peer would: then it is the description.
            if !rest.trim().is_empty() && column.len() - rest.len() <= 20 {
                self.description = rest.trim_start();
            }
        }
        for (mark, direction) in [("SEND", Direction::Sent), ("RECV", Direction::Received)] {
            if let Some(rest) = word(self.description, mark) {
                self.description = rest;
                self.direction = self.direction.or(Some(direction));
            }
        }
    }

    /// A row that shows its direction instead of its kind (`-f nhdr`): a name, perhaps a handle,
    /// `SEND` or `RECV`, bytes.
    fn take_bare(&mut self) -> Option<()> {
        let text = self.description;
        let (before, after, direction) = if let Some((before, after)) = text.split_once("RECV") {
            (before, after, Direction::Received)
        } else {
            let (before, after) = text.split_once("SEND")?;
            (before, after, Direction::Sent)
        };
        let handle = before.split_whitespace().rev().find_map(|word| word.strip_prefix("0x"));
        self.handle =
            handle.and_then(|digits| u16::from_str_radix(digits, 16).ok()).or(self.handle);
        self.direction = Some(direction);
        self.description = after.trim_start();
        self.level = Level::Raw;
        Some(())
    }

    /// The packet that stands in hexadecimal at the end of the row, and its kind.
    pub fn tail(&self, bytes: &mut Vec<u8>) -> Option<Kind> {
        bytes.clear();
        let words = self.description.split_whitespace().rev();
        for word in words {
            let word = word.strip_suffix([',', ':']).unwrap_or(word);
            let before = bytes.len();
            if word.len() != 2 || !hex::words(word, bytes).is_empty() || bytes.len() == before {
                break;
            }
        }
        bytes.reverse();
        // The description's last words may look like bytes: the packet begins where it fits.
        let (start, kind) = (0..bytes.len().min(64)).find_map(|at| {
            let packet = bytes.get(at..)?;
            let mut kinds = [Kind::Acl, Kind::Event, Kind::Command].into_iter();
            let kind = match self.kind {
                Some(kind) => Some(kind).filter(|&kind| self.accepts(kind, packet)),
                None => kinds.find(|&kind| self.accepts(kind, packet)),
            };
            Some((at, kind?))
        })?;
        bytes.drain(..start);
        Some(kind)
    }

    fn accepts(&self, kind: Kind, packet: &[u8]) -> bool {
        let one_way = h4::direction(kind);
        if !h4::fits(kind, packet) || one_way.is_some_and(|way| self.direction != Some(way)) {
            return false;
        }
        // The handle column and the packet's own handle must be one.
        match (kind, packet, self.handle) {
            (Kind::Acl, [low, high, ..], Some(handle)) => {
                handle == 0 || u16::from_le_bytes([*low, *high]) & 0x0fff == handle
            }
            (Kind::Command, _, _) if self.kind.is_none() => packet.get(..2) != Some(&[0, 0]),
            _ => true,
        }
    }
}

/// What follows a word, or `None` if the text does not begin with it.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix(word)?;
    if rest.is_empty() {
        return Some(rest);
    }
    // Two blanks at least part the columns: the next column's own blanks stay.
    rest.starts_with([' ', '\t']).then(|| {
        let column = rest.trim_start_matches([' ', '\t']);
        if column.starts_with("0x") || column.len() + 1 == rest.len() { column } else { rest }
    })
}

fn is_address(text: &str) -> bool {
    text.split(':').filter(|pair| pair.len() == 2).count() == 6
}

/// `Feb 12 12:10:23.743`: no year. Counted in a leap year, so that every day exists.
fn date(line: &str) -> Option<(When, &str)> {
    let (month, rest) = line.split_at_checked(3)?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let (day, rest) = rest.split_once(' ')?;
    let date = NaiveDate::from_ymd_opt(2000, u32::try_from(month).ok()? + 1, day.parse().ok()?)?;
    let (time, rest) = times::time_of_day(rest.trim_start())?;
    let new_year = times::since_1970(NaiveDate::from_ymd_opt(2000, 1, 1)?)?;
    let at = times::since_1970(date)?.checked_sub(new_year)?.checked_add(time)?;
    Some((When::OfYear(at), rest.trim_start()))
}

/// A row of a hexadecimal dump, `00000010: 000B  ..`: its offset, and the rest.
pub(super) fn dump(text: &str) -> Option<(usize, &str)> {
    let (offset, rest) = text.split_at_checked(8)?;
    let offset = usize::from_str_radix(offset, 16).ok()?;
    Some((offset, rest.strip_prefix(':')?))
}

/// Appends the bytes of a dump's row: up to eight groups of two bytes, then blanks and letters.
pub(super) fn groups(text: &str, bytes: &mut Vec<u8>) {
    let text = text.strip_prefix(' ').unwrap_or(text);
    for group in text.split(' ').take(8) {
        let before = bytes.len();
        let even = matches!(group.len(), 2 | 4);
        if !even || !hex::run(group, bytes).is_empty() {
            bytes.truncate(before);
            break;
        }
        if group.len() == 2 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn rows_are_taken_apart() {
        let row = Row::parse("Feb 01 00:00:01.500  ATT Send         0x005A  Living room lamp   Write Request - Handle:0x0068 - Value: 0311 00").unwrap();
        assert_eq!(row.when, Some(When::OfYear(31 * DAY + 1_500_000)));
        assert_eq!((row.kind, row.direction), (Some(Kind::Acl), Some(Direction::Sent)));
        assert_eq!((row.name, row.level, row.handle), ("ATT", Level::Upper, Some(0x5a)));
        assert_eq!(row.description, "Write Request - Handle:0x0068 - Value: 0311 00");
        for line in [
            "Jan 01 00:00:00.000  HCI Event        0x0000                     Command Status - Reset",
            "Jan 01 00:00:00.000  HCI Event        0x0000  AA:BB:CC:DD:EE:FF  Command Status - Reset",
            "Jan 01 00:00:00.000 HCI Event 0x0000 AA:BB:CC:DD:EE:FF Command Status - Reset",
            ">  Jan  1 00:00:00.000\tHCI Event\t0x0000\tname\tCommand Status - Reset",
        ] {
            let row = Row::parse(line).unwrap();
            assert_eq!(
                (row.kind, row.description),
                (Some(Kind::Event), "Command Status - Reset"),
                "{line}"
            );
        }
        let raw = Row::parse("Jan 01 00:00:00.000  ACL Send         0x0000  00:00:00:00:00:00  00000000: 4200 0500  B...").unwrap();
        assert_eq!((raw.level, raw.description), (Level::Raw, "00000000: 4200 0500  B..."));
        assert!(Row::parse("Feb 30 00:00:00.000  ATT Send  0x0041  x").is_none());
        assert!(Row::parse("ATT Send is a row").is_none());
        assert!(Row::parse("").is_none());
    }

    #[test]
    fn a_packet_at_the_end_of_a_row_is_found() {
        let mut bytes = Vec::new();
        let mut tail = |line: &str| {
            let kind = Row::parse(line).and_then(|row| row.tail(&mut bytes));
            kind.map(|kind| (kind, bytes.len()))
        };
        let event = Some((Kind::Event, 6));
        assert_eq!(tail("Aug 02 17:19:16.589  HCI Event  0f 04 00 01 19 04"), event);
        assert_eq!(tail("Aug 02 17:19:16.589  name  0x0000  RECV  0f, 04, 00, 01, 19, 04"), event);
        // The value's last byte stands before the packet.
        let write = "Jan 04 08:02:40.876  ATT Send         0x0405  00:00:00:00:00:00  Write Request - Handle:0x000E - Value: 0B  05 04 08 00 04 00 04 00 12 0E 00 0B";
        assert_eq!(tail(write), Some((Kind::Acl, 12)));
        // Another handle's packet, a value only.
        assert_eq!(tail(&write.replace("0x0405", "0x0406")), None);
        assert_eq!(
            tail(
                "Jan 04 08:02:40.876  ATT Send  0x0405  00:00:00:00:00:00  Write Request - Handle:0x000E - Value: 0B"
            ),
            None
        );
    }

    #[test]
    fn dumps_end_before_their_letters() {
        let mut bytes = Vec::new();
        let (offset, rest) =
            dump("00000010: 000B 42                                  ABCD").unwrap();
        groups(rest, &mut bytes);
        assert_eq!((offset, &bytes[..]), (16, &[0, 0x0b, 0x42][..]));
        bytes.clear();
        groups(" 4220 0C00 0800 0400 1B09 0005 0008 8001  ABCD", &mut bytes);
        assert_eq!(bytes.len(), 16);
        assert_eq!(dump("Channel ID: 0x0004"), None);
    }
}
