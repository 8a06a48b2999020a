//! noble's and bleno's debug lines (`DEBUG=hci*`): H4 packets as unbroken runs of digits.
//!
//! `hci onSocketData: 043e…` came from the controller, `hci … - writing: 010d20…` went to it.
//! With a USB adapter `hci-usb` prints the same packets again, cut to USB's pieces and without
//! H4 types: they count only where the `hci` lines are missing. What ends a line is a date
//! before, or `+4ms` since the line before of the same namespace.
use super::super::{Direction, Format, Kind};
use super::hex::{self, Form, Row};
use super::times::{self, When};
use crate::capture::WarningKind;

pub(crate) const FORMAT: Format =
    Format { name: Noble::FORMAT, claim: hex::claim::<Noble>, open: hex::open::<Noble> };

struct Noble {
    /// The library's own lines are there: those of its USB transport say nothing new.
    library: bool,
    /// Since the first line of the namespace, in microseconds.
    elapsed: i64,
    /// Differences that were printed in whole seconds, minutes or hours.
    rounded: u32,
}

impl Form for Noble {
    const FORMAT: &'static str = "hex-text";
    const VARIANT: &'static str = "noble";
    const RESOLUTION_US: u32 = 1000;

    fn of(head: &[String]) -> Self {
        let library = head.iter().any(|line| parts(line).is_some_and(|parts| !parts.usb));
        Self { library, elapsed: 0, rounded: 0 }
    }

    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row {
        let Some(parts) = parts(line) else { return Row::Other };
        self.library |= !parts.usb;
        if parts.usb == self.library {
            return Row::Other;
        }
        let when = self.when(&parts);
        let text = parts.text;
        let (direction, digits, kind) = if let Some(digits) = text.strip_prefix("onSocketData: ") {
            (Direction::Received, digits, None)
        } else if let Some((_, digits)) = text.split_once("- writing: ") {
            (Direction::Sent, digits, None)
        } else if let Some(digits) = text.strip_prefix("write: ").filter(|_| parts.usb) {
            (Direction::Sent, digits, None)
        } else if let Some(digits) = text.strip_prefix("HCI event: ").filter(|_| parts.usb) {
            (Direction::Received, digits, Some(Kind::Event))
        } else if let Some(digits) = text.strip_prefix("ACL Data In: ").filter(|_| parts.usb) {
            (Direction::Received, digits, Some(Kind::Acl))
        } else {
            return Row::Other;
        };
        let rest = hex::run(digits, bytes);
        if bytes.is_empty() || !ends(rest) {
            return Row::Puzzle;
        }
        match kind {
            // A piece of the event before.
            Some(_) if wants => Row::More,
            Some(kind) => Row::Packet { when, kind, direction: Some(direction) },
            None => match hex::typed(bytes) {
                Some(kind) => Row::Packet { when, kind, direction: Some(direction) },
                None => Row::Puzzle,
            },
        }
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
    fn when(&mut self, parts: &Parts<'_>) -> Option<When> {
        match parts.when? {
            When::Since(delta) => {
                if delta >= 1_000_000 {
                    self.rounded = self.rounded.saturating_add(1);
                }
                self.elapsed = self.elapsed.saturating_add(delta);
                Some(When::Since(self.elapsed))
            }
            date => Some(date),
        }
    }
}

/// Whether what follows a packet's bytes is not more of them: bleno prints the packet's type there.
fn ends(rest: &str) -> bool {
    let label = rest.trim_start();
    label.is_empty() || (label.len() < rest.len() && label.contains(" = "))
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
    let (text, delta) = match text.rsplit_once(" +").map(|(text, delta)| (text, span(delta))) {
        Some((text, Some(delta))) => (text, Some(When::Since(delta))),
        _ => (text, None),
    };
    Some(Parts { usb, text, when: date.or(delta) })
}

/// `Thu, 01 Jan 2015 00:00:00 GMT`, as old versions wrote where the output is no terminal.
fn old_date(line: &str) -> Option<(i64, &str)> {
    let (date, rest) = line.split_at_checked(29)?;
    let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
    Some((date.timestamp_micros(), rest.trim_start()))
}

/// `4ms`, `2s`, `1m`: a difference in microseconds.
fn span(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim() {
        "ms" => 1000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}
