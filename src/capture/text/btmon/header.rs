//! The line that begins a packet: who speaks, what, and the block at its right end.
//!
//! btmon cuts names to the width of the terminal, never the numbers in parentheses: those count.
use super::super::marks::{rsplit, split, without_end, without_indent};
use super::super::puzzles;
use super::super::times::{self, When};
use crate::packet::Direction;
use memchr::{memchr, memrchr2};
use std::borrow::Cow;

/// What a line without indentation is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Header(Header<'a>),
    /// It begins as a packet does, and its number is missing: perhaps the next line has it.
    Unfinished,
    Other,
}

/// The first line of a packet, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// The program that caused it, where btmon says so (5.67 and later, live).
    pub process: Option<Cow<'a, str>>,
    pub what: What<'a>,
    pub direction: Option<Direction>,
    pub right: Right,
}

/// What a first line announces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    Command {
        opcode: u16,
        length: u8,
    },
    Event {
        code: u8,
        length: u8,
    },
    Acl(Data),
    Sco(Data),
    Iso(Data),
    MgmtCommand {
        code: u16,
        length: u16,
    },
    MgmtEvent {
        code: u16,
        length: u16,
    },
    /// A socket of another kind, which btmon does not decode, or a line that had no room for a number.
    Control {
        event: bool,
    },
    /// A command or an event that a line had no room for the number of.
    Nameless,
    /// `MGMT Open: bluetoothd (privileged) version 1.23`.
    Open {
        /// Which channel, as the monitor counts them.
        format: u16,
        text: Cow<'a, str>,
    },
    Close {
        text: Cow<'a, str>,
    },
    /// `=`: label and text.
    Note {
        label: Cow<'a, str>,
        text: Cow<'a, str>,
    },
    /// `* Unknown packet (code 20 len 2)`.
    Unknown {
        code: u16,
        length: u32,
    },
    Malformed,
}

/// What the line of a data packet shows; a narrow terminal takes all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Data {
    pub handle: Option<u16>,
    pub flags: Option<u8>,
    pub length: Option<u16>,
}

/// The block at the right end of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Right {
    pub cookie: Option<u32>,
    pub adapter: Option<u16>,
    pub when: Option<When>,
    pub any: bool,
}

impl Header<'_> {
    /// The same without the line.
    pub(super) fn into_owned(self) -> Header<'static> {
        fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        let Self { process, what, direction, right } = self;
        // Of other packets nobody asks who caused them.
        let process = process
            .filter(|_| matches!(what, What::Open { .. } | What::Close { .. } | What::Note { .. }));
        let what = match what {
            What::Open { format, text } => What::Open { format, text: owned(text) },
            What::Close { text } => What::Close { text: owned(text) },
            What::Note { label, text } => What::Note { label: owned(label), text: owned(text) },
            What::Command { opcode, length } => What::Command { opcode, length },
            What::Event { code, length } => What::Event { code, length },
            What::Acl(data) => What::Acl(data),
            What::Sco(data) => What::Sco(data),
            What::Iso(data) => What::Iso(data),
            What::MgmtCommand { code, length } => What::MgmtCommand { code, length },
            What::MgmtEvent { code, length } => What::MgmtEvent { code, length },
            What::Control { event } => What::Control { event },
            What::Nameless => What::Nameless,
            What::Unknown { code, length } => What::Unknown { code, length },
            What::Malformed => What::Malformed,
        };
        Header { process: process.map(owned), what, direction, right }
    }
}

impl Right {
    /// Takes the block off the end of a line.
    pub fn take(line: &str) -> (Self, &str) {
        let mut right = Self::default();
        let line = without_end(line);
        let mut rest = line;
        if let Some((before, time)) = last(rest) {
            if let Some(at) = since(time) {
                (right.when, rest) = (Some(When::Since(at)), before);
            } else if time.as_bytes().get(8) == Some(&b'.')
                && let Some((of_day, "")) = times::time_of_day(time)
            {
                (right.when, rest) = (Some(When::OfDay(of_day)), before);
                if let Some((more, midnight)) = dated(before)
                    && line.strip_prefix(before).and_then(|end| end.strip_prefix(' ')) == Some(time)
                {
                    (right.when, rest) = (Some(When::Wall(midnight + of_day)), more);
                }
            }
        }
        // The last byte of a word tells whether it is worth a look.
        if rest.ends_with(']')
            && let Some((before, token)) = last(rest)
            && let Some(index) =
                token.strip_prefix("[hci").and_then(|text| text.strip_suffix(']')?.parse().ok())
        {
            (right.adapter, rest) = (Some(index), before);
        }
        if rest.ends_with('}')
            && let Some((before, token)) = last(rest)
        {
            let cookie = token.strip_prefix("{0x").and_then(|text| text.strip_suffix('}'));
            if let Some(cookie) = cookie.and_then(|text| u32::from_str_radix(text, 16).ok()) {
                (right.cookie, rest) = (Some(cookie), before);
            }
        } else if rest.ends_with(|end: char| end.is_ascii_digit())
            && let Some((before, token)) = last(rest)
            && token
                .strip_prefix('#')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|digit| digit.is_ascii_digit()))
        {
            rest = before;
        }
        right.any = rest.len() < line.len();
        (right, rest)
    }

    /// What a line that holds nothing else says; lines that mail has wrapped leave such lines.
    pub fn alone(line: &str) -> Option<Self> {
        // Details begin with a letter, which is soon seen.
        let begins = |byte: &u8| matches!(byte, b'#' | b'[' | b'{' | b'>' | b'0'..=b'9');
        without_indent(line).as_bytes().first().filter(|byte| begins(byte))?;
        let (right, rest) = Self::take(line);
        (right.any && rest.trim_matches(['>', ' ', '\t']).is_empty()).then_some(right)
    }
}

/// Where the block begins that btmon writes at the right end of a packet's line, if there is a time in it. (A number
/// behind `#` may belong to the text: it is not counted in.)
pub(crate) fn right_end(line: &str) -> Option<usize> {
    let (_, rest) = process(line).unwrap_or(("", line));
    if !["< ", "> ", "@ ", "= ", "* "].iter().any(|mark| rest.starts_with(mark)) {
        return None;
    }
    let (right, text) = Right::take(line);
    right.when?;
    let block = &line[text.len()..];
    let number = block.trim_start().strip_prefix('#').map_or(0, |rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        block.len() - rest.len() + digits
    });
    Some(text.len() + number)
}

/// The last word, and what stands before it.
fn last(text: &str) -> Option<(&str, &str)> {
    let text = without_end(text);
    let at = memrchr2(b' ', b'\t', text.as_bytes()).map_or(0, |at| at + 1);
    let (before, word) = text.split_at_checked(at)?;
    (!word.is_empty()).then_some((without_end(before), word))
}

/// Midnight of the date at the end of a text, and what stands before it.
fn dated(text: &str) -> Option<(&str, i64)> {
    let (before, date) = text.split_at_checked(text.len().checked_sub(10)?)?;
    let (midnight, _) = times::date(date)?;
    Some((without_end(before), midnight))
}

/// `12.345678`: seconds since the first packet's second. Steps back wrap around.
fn since(text: &str) -> Option<i64> {
    let (seconds, rest) = text.split_at_checked(text.len().checked_sub(7)?)?;
    let rest = rest.strip_prefix('.')?;
    if ![seconds, rest].iter().all(|t| t.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let seconds = seconds.parse::<u64>().ok()?.cast_signed();
    seconds.checked_mul(1_000_000)?.checked_add(times::micros(rest)?)
}

impl<'a> Line<'a> {
    /// A line that begins a packet is a header, or unfinished: never another line.
    pub fn parse(line: &'a str) -> Self {
        match Self::read(line) {
            Self::Other if puzzles::begins_packet(line) => Self::Unfinished,
            read => read,
        }
    }

    fn read(line: &'a str) -> Self {
        let line = without_indent(line);
        let (process, rest) = process(line).map_or((None, line), |(name, rest)| (Some(name), rest));
        match rest.as_bytes() {
            [mark @ (b'<' | b'>' | b'@' | b'=' | b'*'), b' ', ..] => {
                of(process, *mark, rest.get(2..).unwrap_or_default())
            }
            _ => bare(rest).map_or(Self::Other, |(mark, text)| of(process, mark, text)),
        }
    }
}

/// The longest name of a program.
const LONGEST_NAME: usize = 32;

/// `bluetoothd[335]: `.
fn process(line: &str) -> Option<(&str, &str)> {
    // Most lines are none, which their first bytes show.
    let first = line.as_bytes().get(..LONGEST_NAME + 1).unwrap_or(line.as_bytes());
    let (name, rest) = line.split_at_checked(memchr(b'[', first)?)?;
    let rest = rest.get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let said = rest.get(digits..)?.strip_prefix("]: ")?;
    let named = !name.is_empty() && !name.bytes().any(|c| matches!(c, b' ' | b'<' | b'@' | b'='));
    (named && digits > 0).then_some((name, said))
}

/// A line whose mark a web page has eaten.
fn bare(line: &str) -> Option<(u8, &str)> {
    let marks = [
        ("HCI Command: ", b'<'),
        ("HCI Event: ", b'>'),
        ("ACL Data TX: ", b'<'),
        ("ACL Data RX: ", b'>'),
        ("MGMT Command: ", b'@'),
        ("MGMT Event: ", b'@'),
    ];
    if !line.starts_with(['H', 'A', 'M']) {
        return None;
    }
    let mark = marks.iter().find_map(|(label, mark)| line.starts_with(label).then_some(*mark))?;
    // Prose has such words too: then no number follows.
    (line.contains(" plen ") || line.contains(" dlen ")).then_some((mark, line))
}

fn of<'a>(process: Option<&'a str>, mark: u8, text: &'a str) -> Line<'a> {
    let (right, text) = Right::take(text);
    let direction = match mark {
        b'<' => Some(Direction::Sent),
        b'>' => Some(Direction::Received),
        _ => None,
    };
    let what = match mark {
        b'<' | b'>' => packet(mark, text, right.any),
        b'@' => control(text, right.any),
        b'=' => note(text, process.is_some() || right.any),
        _ => unknown(text),
    };
    match what {
        Ok(what) => {
            let process = process.map(Cow::Borrowed);
            Line::Header(Header { process, what, direction, right })
        }
        Err(other) => other,
    }
}

fn packet<'a>(mark: u8, text: &'a str, ended: bool) -> Result<What<'a>, Line<'a>> {
    if let Some((code, length)) = coded(text) {
        return Ok(match (mark, code) {
            (b'<', Code::Opcode(opcode)) => {
                What::Command { opcode, length: u8::try_from(length).map_err(|_| Line::Other)? }
            }
            (b'>', Code::Number(code)) => What::Event {
                code: u8::try_from(code).map_err(|_| Line::Other)?,
                length: u8::try_from(length).map_err(|_| Line::Other)?,
            },
            _ => return Err(Line::Other),
        });
    }
    let label = text.split(':').next().unwrap_or_default();
    let data = Data::of(text);
    match label {
        "HCI Command" | "HCI Event" if ended => Ok(What::Nameless),
        "HCI Command" | "HCI Event" => Err(Line::Unfinished),
        // Ordinary text may hold the labels below too. A packet also has its length, or the dots of a narrow terminal.
        _ if data.length.is_none() && !ended && !text.ends_with("..") => {
            Err(if data.handle.is_some() { Line::Unfinished } else { Line::Other })
        }
        "ACL Data TX" | "ACL Data RX" | "ACL" | "LE-ACL" | "BR-ACL" => Ok(What::Acl(data)),
        "SCO Data TX" | "SCO Data RX" | "SCO" | "BR-SCO" | "BR-ESCO" => Ok(What::Sco(data)),
        "ISO Data TX" | "ISO Data RX" | "ISO" | "LE-CIS" | "LE-BIS" => Ok(What::Iso(data)),
        // A very narrow terminal cuts labels too.
        _ if text.contains(" dlen ") && label.starts_with("ACL") => Ok(What::Acl(data)),
        _ => Err(Line::Other),
    }
}

/// `ended` says that the line's right end is there: nothing is missing but what had no room.
fn control<'a>(text: &'a str, ended: bool) -> Result<What<'a>, Line<'a>> {
    // `MGMT Open:... (privileged)`: dots may stand in place of the blank.
    let (label, rest) = text.split_once(':').unwrap_or((text, ""));
    let rest = rest.trim_start_matches(' ');
    if let Some((channel, what)) = label.split_once(' ')
        && matches!(channel, "MGMT" | "RAW" | "USER" | "Control" | "HCI")
    {
        match what {
            "Open" => return Ok(What::Open { format: format_of(channel), text: rest.into() }),
            "Close" => return Ok(What::Close { text: rest.into() }),
            "Command" | "Event" if channel == "Control" => {
                return Ok(What::Control { event: what == "Event" });
            }
            _ => {}
        }
    }
    if !label.starts_with("MGM") {
        return Err(Line::Other);
    }
    match coded(text) {
        Some((Code::Number(code), length)) => Ok(match label.rsplit(['.', ' ']).next() {
            Some("Event" | "vent" | "ent" | "nt") => What::MgmtEvent { code, length },
            _ => What::MgmtCommand { code, length },
        }),
        _ if label.ends_with("Open") => {
            Ok(What::Open { format: format_of("MGMT"), text: rest.into() })
        }
        _ if label.ends_with("Close") => Ok(What::Close { text: rest.into() }),
        _ if ended => Ok(What::Control { event: label.ends_with("nt") }),
        _ => Err(Line::Unfinished),
    }
}

/// The number of a socket's channel.
fn format_of(channel: &str) -> u16 {
    match channel {
        "RAW" => 0,
        "USER" => 1,
        "MGMT" => 2,
        _ => 0xffff,
    }
}

/// What btmon itself, the kernel or a daemon says. `sure` where more than the mark shows that.
fn note<'a>(text: &'a str, sure: bool) -> Result<What<'a>, Line<'a>> {
    let known = ["Note", "New Index", "Delete Index", "Open Index", "Close Index", "Index Info"];
    let (label, rest) = split(text, ": ").unwrap_or((text, ""));
    if known.contains(&label) {
        return Ok(What::Note { label: label.into(), text: rest.into() });
    }
    if text.starts_with("Vendor Diagnostic (len ") {
        return Ok(What::Note { label: "Vendor Diagnostic".into(), text: text.into() });
    }
    if let Some((name, rest)) = process(text) {
        return Ok(What::Note { label: name.into(), text: rest.into() });
    }
    if sure && !text.is_empty() {
        Ok(What::Note { label: "".into(), text: text.into() })
    } else {
        Err(Line::Other)
    }
}

fn unknown<'a>(text: &'a str) -> Result<What<'a>, Line<'a>> {
    if let Some((_, rest)) =
        text.strip_prefix("Malformed ").and_then(|t| t.split_once(" packet (len "))
    {
        let (length, _) = rest.split_once(')').ok_or(Line::Other)?;
        return length.parse::<u32>().map(|_| What::Malformed).map_err(|_| Line::Other);
    }
    let inside = text.strip_prefix("Unknown packet (code ").ok_or(Line::Other)?;
    let (code, rest) = inside.split_once(" len ").ok_or(Line::Other)?;
    let (length, _) = rest.split_once(')').ok_or(Line::Other)?;
    match (code.parse(), length.parse()) {
        (Ok(code), Ok(length)) => Ok(What::Unknown { code, length }),
        _ => Err(Line::Other),
    }
}

enum Code {
    /// `(0x08|0x000d)`: group and command.
    Opcode(u16),
    Number(u16),
}

/// `NAME (0xCCCC) plen N` at the end of a text.
fn coded(text: &str) -> Option<(Code, u16)> {
    let (before, length) = rsplit(text, " plen ")?;
    let digits = length.bytes().take_while(u8::is_ascii_digit).count();
    let length = length.get(..digits)?.parse().ok()?;
    let (_, inside) = rsplit(without_end(before).strip_suffix(')')?, "(0x")?;
    let code = match split(inside, "|0x") {
        Some((group, command)) => opcode(group, command).map(Code::Opcode)?,
        None => Code::Number(u16::from_str_radix(inside, 16).ok()?),
    };
    Some((code, length))
}

pub(super) fn opcode(group: &str, command: &str) -> Option<u16> {
    let group = u16::from_str_radix(group, 16).ok().filter(|&group| group < 0x40)?;
    let command = u16::from_str_radix(command, 16).ok().filter(|&command| command < 0x400)?;
    Some(group << 10 | command)
}

impl Data {
    fn of(text: &str) -> Self {
        let mut data = Self::default();
        let mut words = text.split_ascii_whitespace();
        while let Some(word) = words.next() {
            match word {
                "Handle" if data.handle.is_none() => {
                    data.handle = words.next().and_then(|n| n.parse().ok());
                }
                "flags" => {
                    let hex = words.next().and_then(|n| n.strip_prefix("0x"));
                    data.flags = hex.and_then(|n| u8::from_str_radix(n, 16).ok());
                }
                "dlen" => data.length = words.next().and_then(|n| n.parse().ok()),
                _ => {}
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Header<'_> {
        match Line::parse(line) {
            Line::Header(header) => header,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn names_may_be_cut_and_numbers_are_not() {
        let found =
            header("< HCI Command: LE Set Extende.. (0x08|0x0041) plen 13  #3 [hci1] 5.302395");
        assert_eq!(found.what, What::Command { opcode: 0x2041, length: 13 });
        assert_eq!(found.right.adapter, Some(1));
        assert_eq!(found.right.when, Some(When::Since(5_302_395)));
        let found = header("> HCI Event: LE Meta Event (0x3e) plen 33       #1 0.671372");
        assert_eq!(found.what, What::Event { code: 0x3e, length: 33 });
        let found = header(
            "bluetoothd[677]: @ MGMT Command: Start Di.. (0x0023) plen 1  {0x0001} 10.357344",
        );
        assert_eq!(found.what, What::MgmtCommand { code: 0x23, length: 1 });
        assert_eq!((found.process.as_deref(), found.right.cookie), (Some("bluetoothd"), Some(1)));
        let narrow = header("@ MGMT E..nt: Command.. (0x0001) plen 7 {0x0002} [hci0] 1.000000");
        assert_eq!(narrow.what, What::MgmtEvent { code: 1, length: 7 });
    }

    #[test]
    fn data_says_what_fits() {
        let all = |handle, flags, length| Data { handle, flags, length };
        for (line, data) in [
            (
                "< ACL Data TX: Handle 64 flags 0x00 dlen 7     #31 [hci0] 7.5",
                all(Some(64), Some(0), Some(7)),
            ),
            ("< ACL Data TX: Handle 64 [1/6] flags 0x00 dlen 7", all(Some(64), Some(0), Some(7))),
            (
                "> LE-ACL: Handle 2 [AA:BB:CC:00:11:22 (Static)] flags 0x02 dlen 27",
                all(Some(2), Some(2), Some(27)),
            ),
            (
                "< ACL Data TX: Handle.. flags 0x00 dlen 7  #8 [hci0] 2023-01-02 03:04:05.000006",
                all(None, Some(0), Some(7)),
            ),
            (
                "bluetoothd[335]: < ACL Data TX: Handl..   #75 [hci0] 2026-11-21 02:48:49.439408",
                all(None, None, None),
            ),
        ] {
            assert_eq!(header(line).what, What::Acl(data), "{line}");
        }
    }

    #[test]
    fn times_have_four_styles() {
        let when = |line| header(line).right.when;
        assert_eq!(when("= Note: x   18446744073709551615.900000"), Some(When::Since(-100_000)));
        assert_eq!(when("= Note: x   [hci0] 02:48:45.092837"), Some(When::OfDay(10_125_092_837)));
        let wall = times::date_time("2026-11-21 02:48:45.092837").map(|(at, _)| When::Wall(at));
        assert_eq!(when("= Note: x   [hci0] 2026-11-21 02:48:45.092837"), wall);
        // A date stands one blank before its time, and is a day.
        let of_day = Some(When::OfDay(10_125_092_837));
        assert_eq!(when("= Note: x 2026-11-21  02:48:45.092837"), of_day);
        assert_eq!(when("= Note: x 2026-11-31 02:48:45.092837"), of_day);
        assert_eq!(when("= Note: x 02:48:45,092837"), None);
        assert_eq!(when("= Note: Bluetooth subsystem version 2.22"), None);
        assert_eq!(
            Right::alone("                  #2 [hci0] 5.302358").map(|r| r.adapter),
            Some(Some(0))
        );
        assert_eq!(Right::alone("        Handle: 64"), None);
        assert_eq!(Right::alone("> >  {0x0001} 5.302358").map(|r| r.cookie), Some(Some(1)));
        assert_eq!(Right::alone("   [hci2] 5.302358").map(|r| r.adapter), Some(Some(2)));
        assert_eq!(Right::alone("        00 01 02 5.302358"), None);
        for line in ["= Note: x  #31 [hci0] 7.500000", "= Note: x {0x0001} [hci0] 7.500000"] {
            assert!(matches!(header(line).what, What::Note { text, .. } if text == "x"), "{line}");
        }
        let number = header("= Note: build #7b [hci0] 7.500000").what;
        assert!(matches!(number, What::Note { text, .. } if text == "build #7b"));
    }

    #[test]
    fn prose_is_no_header() {
        for line in [
            "> I see HCI Event: nothing",
            "= a heading",
            "* a list",
            "@ somebody",
            "* Malformed input must be refused",
            "* Unknown packet types are kept",
            "> ACL: deny all by default",
            "< SCO: none",
            "= 1.123456",
            "HCI Event: Disconnect Complete means",
            "",
            "<",
        ] {
            assert_eq!(Line::parse(line), Line::Other, "{line}");
        }
        assert_eq!(Line::parse("< HCI Command: LE Set Extended"), Line::Unfinished);
        assert_eq!(Line::parse("> ACL Data RX: Handle 64 flags 0x02 dlen"), Line::Unfinished);
        assert_eq!(header("* Malformed HCI Event packet (len 1)").what, What::Malformed);
        let open =
            header("bluetoothd[7]: @ MGMT Open:... (privileged) version 1.22  {0x0001} 0.195251");
        assert!(matches!(open.what, What::Open { format: 2, .. }));
    }
}
