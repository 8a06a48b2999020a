//! noble's and bleno's debug lines (`DEBUG=hci*`): H4 packets as unbroken runs of digits.
//!
//! `hci onSocketData: 043e…` came from the controller, `hci … - writing: 010d20…` went to it.
//! With a USB adapter `hci-usb` prints the same packets again, cut to USB's pieces and without
//! H4 types: a packet of them counts only where no `hci` line has it too. A line has a date before
//! it, or `+4ms` behind it: since a line before (`clock.rs`).
use super::super::{Direction, Format, Kind, h4};
use super::hex::{self, Form, Row};
use super::times::{self, When};
use crate::capture::WarningKind;
use clock::Difference;

mod clock;

pub(crate) const FORMAT: Format =
    Format { name: Noble::FORMAT, claim: hex::claim::<Noble>, open: hex::open::<Noble> };

struct Noble {
    /// The library's own lines are there: those of its USB transport say little new.
    library: bool,
    /// All namespaces count on one clock.
    common: bool,
    /// Since the first line of the clock, in microseconds.
    elapsed: i64,
    /// Differences that were printed in whole seconds, minutes or hours.
    rounded: u32,
    /// What the USB transport received, until the next line tells whether the library has it too.
    pending: Option<Packet>,
    /// What the library sent last, until the USB transport repeats it.
    sent: Option<Packet>,
}

/// A packet of one of the two.
struct Packet {
    when: Option<When>,
    kind: Kind,
    direction: Direction,
    bytes: Vec<u8>,
}

impl Packet {
    fn is(&self, kind: Kind, bytes: &[u8]) -> bool {
        self.kind == kind && self.bytes == bytes
    }

    fn row(self, bytes: &mut Vec<u8>) -> (Option<When>, Kind, Option<Direction>) {
        *bytes = self.bytes;
        (self.when, self.kind, Some(self.direction))
    }
}

impl Form for Noble {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "noble";
    const RESOLUTION_US: u32 = 1000;

    fn of(head: &[String]) -> Self {
        let library = head.iter().any(|line| parts(line).is_some_and(|parts| !parts.usb));
        let common = clock::is_common(head.iter().map(String::as_str));
        Self { library, common, elapsed: 0, rounded: 0, pending: None, sent: None }
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let Some(parts) = parts(line) else {
            if self.common {
                self.pass(Difference::of(line));
            }
            return Row::Other;
        };
        if let Some(row) = self.settle(&parts, line, bytes) {
            return row;
        }
        self.library |= !parts.usb;
        let when = self.when(&parts, line);
        let Some((kind, direction, rest)) = parts.packet(bytes) else { return Row::Other };
        if bytes.is_empty() || !ends(rest) {
            bytes.clear();
            return Row::Puzzle;
        }
        let kind = match kind {
            // A piece of the event before.
            Some(_) if wants && !self.library => return Row::More,
            Some(kind) => kind,
            None => match hex::typed(bytes) {
                Some(kind) => kind,
                None => return Row::Puzzle,
            },
        };
        let packet = |bytes: &mut Vec<u8>| Packet { when, kind, direction, bytes: bytes.clone() };
        match (self.library, parts.usb, direction) {
            (true, true, Direction::Received) => {
                self.pending = Some(packet(bytes));
                bytes.clear();
                return Row::Other;
            }
            (true, true, Direction::Sent)
                if self.sent.take().is_some_and(|sent| sent.is(kind, bytes)) =>
            {
                bytes.clear();
                return Row::Other;
            }
            (true, false, Direction::Sent) => self.sent = Some(packet(bytes)),
            _ => {}
        }
        Row::Packet { when, kind, direction: Some(direction) }
    }

    fn last(&mut self, bytes: &mut Vec<u8>) -> Row {
        self.pending.take().map_or(Row::Other, |pending| {
            let (when, kind, direction) = pending.row(bytes);
            Row::Packet { when, kind, direction }
        })
    }

    fn remark(&self) -> Option<(WarningKind, String)> {
        let n = self.rounded;
        (n > 0).then(|| {
            let pauses = if n == 1 { "1 pause of a second or more is".into() } else { format!("{n} pauses of a second or more are each") };
            (WarningKind::TimesRounded, format!("{pauses} printed in whole seconds, minutes or hours: times across them are only as exact as that"))
        })
    }
}

impl Noble {
    /// What becomes of the packet of the USB transport that was held back: this line is its twin, goes on with it,
    /// says nothing about it, or shows that nobody else has it.
    fn settle(&mut self, parts: &Parts<'_>, line: &str, bytes: &mut Vec<u8>) -> Option<Row> {
        let mut pending = self.pending.take()?;
        let packet = parts.packet(bytes);
        let is_piece = packet.is_some_and(|(kind, ..)| kind == Some(pending.kind));
        if parts.usb && is_piece && !h4::fits(pending.kind, &pending.bytes) {
            self.when(parts, line);
            pending.bytes.append(bytes);
            self.pending = Some(pending);
            return Some(Row::Other);
        }
        let twin = !parts.usb
            && bytes.split_first().is_some_and(|(kind, rest)| pending.is(h4::kind(*kind), rest));
        let silent = bytes.is_empty() && !parts.usb;
        bytes.clear();
        if silent {
            self.pending = Some(pending);
        } else if !twin {
            let (when, kind, direction) = pending.row(bytes);
            return Some(Row::Before { when, kind, direction });
        }
        None
    }

    /// Lets a line's difference go by.
    fn pass(&mut self, difference: Option<Difference<'_>>) {
        let Some(difference) = difference else { return };
        self.rounded = self.rounded.saturating_add(u32::from(difference.rounded > 0));
        self.elapsed = self.elapsed.saturating_add(difference.micros);
    }

    fn when(&mut self, parts: &Parts<'_>, line: &str) -> Option<When> {
        match parts.when? {
            When::Since(_) => {
                // With clocks of their own, the transport's is the one that counts only if it is alone.
                if self.common || parts.usb != self.library {
                    self.pass(Difference::of(line));
                }
                Some(When::Since(self.elapsed))
            }
            date => Some(date),
        }
    }
}

/// Whether what follows a packet's bytes is not more of them: bleno prints the packet's type there.
fn ends(rest: &str) -> bool {
    let label = rest.trim_start();
    rest.is_empty() || label.is_empty() || (label.len() < rest.len() && label.contains(" = "))
}

/// A debug line: its namespace, what it says, and its time.
struct Parts<'a> {
    usb: bool,
    text: &'a str,
    /// A date, or what went by since the line before.
    when: Option<When>,
}

fn parts(line: &str) -> Option<Parts<'_>> {
    let line = line.trim_start_matches(['>', ' ', '\t']);
    let (date, line) = match times::date_time(line) {
        Some((at, rest)) => {
            let rest = rest.strip_prefix('Z').unwrap_or(rest);
            (Some(When::Utc(at)), rest.trim_start())
        }
        None => old_date(line).map_or((None, line), |(at, rest)| (Some(When::Utc(at)), rest)),
    };
    // A journal puts its own words before the line.
    let names = ["noble:hci", "bleno:hci"];
    let line = names.iter().find_map(|name| line.get(line.find(name)?..)).unwrap_or(line);
    let line = ["noble:", "bleno:"].iter().find_map(|name| line.strip_prefix(name)).unwrap_or(line);
    let (usb, text) = if let Some(text) = line.strip_prefix("hci-usb ") {
        (true, text)
    } else {
        (false, line.strip_prefix("hci ")?)
    };
    let (text, delta) = match text.rsplit_once(" +").map(|(text, delta)| (text, clock::span(delta)))
    {
        Some((text, Some((delta, _)))) => (text, Some(When::Since(delta))),
        _ => (text, None),
    };
    Some(Parts { usb, text, when: date.or(delta) })
}

impl<'a> Parts<'a> {
    /// The packet that the line shows: its kind where no H4 type stands before the bytes, its
    /// direction, its bytes, and what follows them.
    fn packet(&self, bytes: &mut Vec<u8>) -> Option<(Option<Kind>, Direction, &'a str)> {
        let text = self.text;
        let of_usb = |mark| text.strip_prefix(mark).filter(|_| self.usb);
        let (direction, digits, kind) = if let Some(digits) = text.strip_prefix("onSocketData: ") {
            (Direction::Received, digits, None)
        } else if let Some((_, digits)) = text.split_once("- writing: ") {
            (Direction::Sent, digits, None)
        } else if let Some(digits) = of_usb("write: ") {
            (Direction::Sent, digits, None)
        } else if let Some(digits) = of_usb("HCI event: ") {
            (Direction::Received, digits, Some(Kind::Event))
        } else if let Some(digits) = of_usb("ACL Data In: ") {
            (Direction::Received, digits, Some(Kind::Acl))
        } else {
            return None;
        };
        Some((kind, direction, hex::run(digits, bytes)))
    }
}

/// `Thu, 01 Jan 2015 00:00:00 GMT`, as old versions wrote where the output is no terminal.
fn old_date(line: &str) -> Option<(i64, &str)> {
    let (date, rest) = line.split_at_checked(29)?;
    let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
    Some((date.timestamp_micros(), rest.trim_start()))
}
