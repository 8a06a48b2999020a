//! The head of a line: when it was written, by whom, and where the message begins.
//!
//! One function a form, tried in turn. A line may carry two heads, one behind the other (syslog's before a
//! program's own, `docker logs`' before anything): the finer stamp counts, and the inner author.
use super::claim::LogClock;
use super::months::{Month, month};
use chrono::{NaiveDate, NaiveDateTime};
use memchr::memmem;
use std::sync::LazyLock;

/// A year without a date of its own: a leap year, so that every day exists.
pub(super) const NO_YEAR: i32 = 2024;

/// How much of a date a stamp has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dated {
    /// The time of day alone.
    Time,
    /// A day without a year.
    Day,
    Whole,
}

/// A time as the line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Microseconds since 1970, of a wall clock as if it were UTC; since boot for that.
    pub micros: i64,
    pub clock: LogClock,
    pub dated: Dated,
    pub resolution_us: u32,
}

/// In which form the head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// journalctl, or syslog.
    Journal,
    /// dmesg, and journalctl's `short-monotonic`.
    Kernel,
    /// A program's standard error: `bluetoothd[264]: `.
    Stderr,
    Python,
    HomeAssistant,
    Esphome,
    /// ESP-IDF and NimBLE: `I (1234) TAG: `.
    EspIdf,
    Logcat,
    /// The unified log of macOS and iOS.
    Apple,
    /// Only a stamp (`docker logs`), or nothing at all.
    Bare,
}

/// A line's head, and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub stamp: Option<Stamp>,
    pub form: Form,
    /// The process, logger, component or tag.
    pub author: &'a str,
    /// `ERROR`, `W` …; empty where there is none.
    pub level: &'a str,
    pub text: &'a str,
}

/// Splits a line; `None` where it has no head and so belongs to the line before it.
pub(super) fn split(line: &str) -> Option<Head<'_>> {
    let bare = line.trim_start_matches(['>', ' ', '\t', '|', '\u{feff}', '`']);
    let outer = one(bare)?;
    // Whose message has a head of its own is only the carrier.
    let inner = match outer.form {
        Form::Journal | Form::Bare | Form::Logcat if !is_daemon(outer.author) => one(outer.text),
        Form::Esphome => one(outer.text).filter(|inner| inner.form == Form::EspIdf),
        Form::Journal => one(outer.text).filter(|inner| inner.form == Form::Stderr),
        _ => None,
    };
    let Some(mut inner) = inner else { return Some(outer) };
    let finer = match (outer.stamp, inner.stamp) {
        (Some(outer), Some(inner)) => {
            let worse = inner.clock == LogClock::Boot || inner.resolution_us > outer.resolution_us;
            if worse { Some(outer) } else { Some(inner) }
        }
        (stamp, None) | (None, stamp) => stamp,
    };
    inner.stamp = finer;
    Some(inner)
}

fn is_daemon(author: &str) -> bool {
    author == "bluetoothd" || author == "kernel"
}

fn one(line: &str) -> Option<Head<'_>> {
    let first = line.bytes().next()?;
    match first {
        b'[' => esphome(line).or_else(|| kernel(line)),
        b'0'..=b'9' => apple(line)
            .or_else(|| python(line))
            .or_else(|| journal_iso(line))
            .or_else(|| logcat_timed(line))
            .or_else(|| journal(line)),
        _ => stderr(line)
            .or_else(|| level_first(line))
            .or_else(|| esp_idf(line))
            .or_else(|| arduino(line))
            .or_else(|| logcat_brief(line))
            .or_else(|| apple(line))
            .or_else(|| journal(line)),
    }
}

/// Digits at the beginning, as a number.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    Some((text.get(..end)?.parse().ok()?, text.get(end..)?))
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (head, rest) = text.split_at_checked(count)?;
    head.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    Some((head.parse().ok()?, rest))
}

/// `HH:MM:SS` with a fraction behind `.` or `,`: microseconds of the day, and the resolution.
fn time_of_day(text: &str) -> Option<(i64, u32, &str)> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole = i64::from(hour * 3600 + minute * 60 + second) * 1_000_000;
    let Some(fraction) = rest.strip_prefix(['.', ',']) else {
        return Some((whole, 1_000_000, rest));
    };
    let end = fraction.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(fraction.len());
    if end == 0 {
        return Some((whole, 1_000_000, rest));
    }
    let mut micros = 0;
    let mut step = 1_000_000_i64;
    for byte in fraction.bytes().take(end.min(6)) {
        step /= 10;
        micros += i64::from(byte - b'0') * step;
    }
    Some((whole + micros, step.max(1) as u32, fraction.get(end..)?))
}

fn midnight(year: i32, month: u32, day: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(NaiveDateTime::from(date).and_utc().timestamp_micros())
}

/// `YYYY-MM-DD` as midnight.
fn date(text: &str) -> Option<(i64, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    Some((midnight(i32::try_from(year).ok()?, month, day)?, rest))
}

const LEVELS: [&str; 6] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "EXCEPTION"];

fn level(text: &str) -> Option<(&str, &str)> {
    let level = LEVELS.iter().find(|level| text.starts_with(**level))?;
    Some(text.split_at(level.len()))
}

/// `2026-11-28 07:54:02.049 DEBUG (MainThread) [name] `, `…,049 DEBUG name: `, `…,049 name Thread DEBUG: `.
fn python(line: &str) -> Option<Head<'_>> {
    let (midnight, rest) = date(line)?;
    let (time, resolution_us, rest) = time_of_day(rest.strip_prefix(' ')?)?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    let stamp = Some(Stamp {
        micros: midnight + time,
        clock: LogClock::Local,
        dated: Dated::Whole,
        resolution_us,
    });
    if let Some((level, behind)) = level(rest) {
        let behind = behind.trim_start();
        if let Some(thread) = behind.strip_prefix('(') {
            let (_, name) = thread.split_once(") [")?;
            let (author, text) = name.split_once(']')?;
            let (form, text) = (Form::HomeAssistant, text.trim_start());
            return Some(Head { stamp, form, author, level, text });
        }
        if let Some((author, text)) = behind.split_once(": ")
            && is_logger(author)
        {
            return Some(Head { stamp, form: Form::Python, author, level, text });
        }
        return Some(Head { stamp, form: Form::Python, author: "", level, text: behind });
    }
    // The name before the level.
    let (author, behind) = rest.split_once(' ')?;
    let (thread_and_level, text) = behind.split_once(": ")?;
    match thread_and_level.trim_start().rsplit_once(' ') {
        Some((_, word))
            if is_logger(author) && level(word).is_some_and(|(_, end)| end.is_empty()) =>
        {
            Some(Head { stamp, form: Form::Python, author, level: word, text })
        }
        _ => Some(Head { stamp, form: Form::Bare, author: "", level: "", text: rest }),
    }
}

fn is_logger(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 120
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// `DEBUG:bleak.backends.bluezdbus.client:`, logging.basicConfig's.
fn level_first(line: &str) -> Option<Head<'_>> {
    let (level, rest) = level(line)?;
    let (author, text) = rest.strip_prefix(':')?.split_once(':')?;
    is_logger(author).then_some(Head { stamp: None, form: Form::Python, author, level, text })
}

/// `2026-11-28T07:51:49.238613+00:00 HOST IDENT[PID]: `; dmesg has a comma and no host; docker ends with Z.
fn journal_iso(line: &str) -> Option<Head<'_>> {
    let (midnight, rest) = date(line)?;
    let (time, resolution_us, rest) = time_of_day(rest.strip_prefix('T')?)?;
    let (offset, rest) = zone(rest)?;
    let stamp = Stamp {
        micros: midnight + time - offset,
        clock: LogClock::Utc,
        dated: Dated::Whole,
        resolution_us,
    };
    Some(behind_stamp(stamp, rest.strip_prefix(' ')?))
}

/// An offset from UTC, in microseconds: `+05:30`, `+0530`, `Z`.
fn zone(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(text.get(1..)?, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    (hours < 15 && minutes < 60).then_some(())?;
    Some((sign * i64::from(hours * 60 + minutes) * 60_000_000, rest))
}

/// `Nov 28 07:51:49.238613 HOST IDENT[PID]: `, the month in any language; some put the day first.
fn journal(line: &str) -> Option<Head<'_>> {
    let (word, rest) = line.split_once(' ')?;
    let (named, day, rest) = match month(word) {
        Some(named) => {
            let (day, rest) = number(rest.trim_start())?;
            (named, day, rest)
        }
        None => {
            let (day, _) = number(word).filter(|(_, end)| end.is_empty())?;
            let (word, rest) = rest.trim_start().split_once(' ')?;
            (month(word)?, day, line.get(line.len() - rest.len() - 1..)?)
        }
    };
    // Some languages end the day with a mark: `28.`, `28日`.
    let rest = rest.trim_start_matches(['.', '日', '일', ',']);
    let (time, resolution_us, rest) = time_of_day(rest.strip_prefix(' ')?.trim_start())?;
    let (micros, dated) = match named {
        Month::Known(month) => (midnight(NO_YEAR, month, day)? + time, Dated::Day),
        Month::Unknown if (1..=31).contains(&day) => (time, Dated::Time),
        Month::Unknown => return None,
    };
    let stamp = Stamp { micros, clock: LogClock::Local, dated, resolution_us };
    Some(behind_stamp(stamp, rest.strip_prefix(' ')?))
}

/// `HOST IDENT[PID]: message`, as it stands behind a journal's stamp; or a bare message.
fn behind_stamp(stamp: Stamp, rest: &str) -> Head<'_> {
    let bare = Head { stamp: Some(stamp), form: Form::Bare, author: "", level: "", text: rest };
    if rest.starts_with("Bluetooth: ") || rest.starts_with("kernel: ") {
        let text = rest.strip_prefix("kernel: ").unwrap_or(rest);
        return Head { form: Form::Kernel, author: "kernel", text, ..bare };
    }
    let Some((host, behind)) = rest.split_once(' ') else { return bare };
    let Some((ident, text)) = behind.split_once(": ") else { return bare };
    let author = ident.split('[').next().unwrap_or(ident);
    let is_ident = !author.is_empty()
        && author.len() < 64
        && !author.contains(' ')
        && !author.contains('(')
        && !host.contains(['[', ':', '(']);
    if !is_ident {
        return bare;
    }
    Head { form: Form::Journal, author, text, ..bare }
}

/// `[ 1185.879866] HOST kernel: …`, `[ 1185.879866] Bluetooth: …`, `[Sat Nov 28 08:12:57 2026] …`.
fn kernel(line: &str) -> Option<Head<'_>> {
    let (inner, rest) = line.strip_prefix('[')?.split_once(']')?;
    let inner = inner.trim();
    let rest = rest.trim_start();
    let stamp = match inner.split_once('.') {
        Some((seconds, fraction)) if !seconds.is_empty() => {
            let (seconds, end) = number(seconds)?;
            let (micros, tail) = number(fraction)?;
            let scale = 10_i64.checked_pow(6_u32.checked_sub(fraction.len() as u32)?)?;
            if !end.is_empty() || !tail.is_empty() {
                return None;
            }
            let micros = i64::from(seconds) * 1_000_000 + i64::from(micros) * scale;
            let resolution_us = scale as u32;
            Stamp { micros, clock: LogClock::Boot, dated: Dated::Whole, resolution_us }
        }
        _ => {
            let mut words = inner.split_whitespace();
            let (_, named, day) = (words.next()?, month(words.next()?)?, words.next()?);
            let (time, resolution_us, _) = time_of_day(words.next()?)?;
            let year: i32 = words.next()?.parse().ok()?;
            let Month::Known(month) = named else { return None };
            let micros = midnight(year, month, day.parse().ok()?)? + time;
            Stamp { micros, clock: LogClock::Local, dated: Dated::Whole, resolution_us }
        }
    };
    let text = match rest.split_once(": ") {
        Some((before, text)) if before.ends_with(" kernel") || before == "kernel" => text,
        _ => rest,
    };
    // journalctl -o short-monotonic has other programs' lines, too.
    if let Some((_, behind)) = rest.split_once(' ')
        && let Some((ident, text)) = behind.split_once(": ")
        && let Some((author, _)) = ident.split_once('[')
        && !author.is_empty()
        && !author.contains(' ')
    {
        return Some(Head { stamp: Some(stamp), form: Form::Journal, author, level: "", text });
    }
    Some(Head { stamp: Some(stamp), form: Form::Kernel, author: "kernel", level: "", text })
}

/// `bluetoothd[264]: `, and `bluetoothd: ` where no number is printed.
fn stderr(line: &str) -> Option<Head<'_>> {
    let (author, rest) = line.split_once(['[', ':'])?;
    if author != "bluetoothd" {
        return None;
    }
    let text = match rest.split_once("]: ") {
        Some((pid, text)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => text,
        _ => rest.strip_prefix(' ')?,
    };
    Some(Head { stamp: None, form: Form::Stderr, author, level: "", text })
}

/// `[08:51:11][I][bluetooth_proxy:048]: `, with milliseconds or without any time.
fn esphome(line: &str) -> Option<Head<'_>> {
    let rest = line.strip_prefix('[')?;
    let (stamp, rest) = match time_of_day(rest) {
        Some((micros, resolution_us, rest)) => {
            let (clock, dated) = (LogClock::Local, Dated::Time);
            let stamp = Stamp { micros, clock, dated, resolution_us };
            (Some(stamp), rest.strip_prefix(']')?.trim_start().strip_prefix('[')?)
        }
        None => (None, rest),
    };
    let (level, rest) = rest.split_once(']')?;
    let is_level = ["V", "VV", "D", "I", "W", "E", "C"].contains(&level);
    let (author, rest) = rest.strip_prefix('[').filter(|_| is_level)?.split_once(']')?;
    let author = author.split(':').next().unwrap_or(author);
    // A task's name may stand between: `[BTU_TASK]`.
    let (_, text) = rest.split_once(": ").or_else(|| rest.split_once(':'))?;
    Some(Head { stamp, form: Form::Esphome, author, level, text })
}

/// `I (1234) TAG: `: milliseconds since boot.
fn esp_idf(line: &str) -> Option<Head<'_>> {
    let (level, rest) = line.split_once(" (")?;
    if !["I", "W", "E", "D", "V"].contains(&level) {
        return None;
    }
    let (ms, rest) = number(rest)?;
    let (author, text) = rest.strip_prefix(") ")?.split_once(':')?;
    let micros = i64::from(ms) * 1000;
    let stamp = Stamp { micros, clock: LogClock::Boot, dated: Dated::Whole, resolution_us: 1000 };
    let text = text.strip_prefix(' ').unwrap_or(text);
    Some(Head { stamp: Some(stamp), form: Form::EspIdf, author, level, text })
}

/// `I NimBLEClient: `, NimBLE-Arduino's, without any time.
fn arduino(line: &str) -> Option<Head<'_>> {
    let (level, rest) = line.split_once(' ')?;
    if !["I", "W", "E", "D"].contains(&level) || !rest.starts_with("NimBLE") {
        return None;
    }
    let (author, text) = rest.split_once(": ")?;
    Some(Head { stamp: None, form: Form::EspIdf, author, level, text })
}

/// Levels as Apple's Console writes them before the time.
const CONSOLE: [&str; 5] = ["default", "info", "debug", "error", "fault"];

/// Apple's unified log, of the lines that its `bluetoothd` writes:
/// `2024-06-02 10:42:49.537071+0200 0x152c Default 0x0 62824 0 bluetoothd: [com.apple.bluetooth:Server.LE] …`,
/// `2026-07-29 11:12:37.576 Df bluetoothd[546:b72] [com.apple.bluetooth:Server.LE] …`, and what Console copies:
/// `default 2021-02-09 17:04:57.813774 +0800 bluetoothd Server.LE.Connection …`.
fn apple(line: &str) -> Option<Head<'_>> {
    let first = line.split_once(['\t', ' ']).filter(|(word, _)| CONSOLE.contains(word));
    let (level, rest) = first.map_or(("", line), |(level, rest)| (level, rest.trim_start()));
    let (midnight, rest) = date(rest)?;
    let (time, resolution_us, rest) = time_of_day(rest.strip_prefix(' ')?)?;
    let zoned = zone(rest.trim_start());
    let (offset, rest) = zoned.map_or((0, rest), |(offset, rest)| (offset, rest));
    let at = APPLE.find(rest.as_bytes())?;
    let (before, behind) = (rest.get(..at)?, rest.get(at + APPLE.needle().len()..)?);
    // Its thread, type and numbers stand before it, and no word of a message.
    let own = before.ends_with([' ', '\t']) && !before.contains([':', '(', '[']);
    let process = match behind.strip_prefix('[') {
        Some(number) => number.split_once(']')?.1,
        None => behind,
    };
    let text = process.strip_prefix([':', ' ', '\t'])?.trim_start();
    let text =
        text.strip_prefix('(').and_then(|library| library.split_once(") ")).map_or(text, |of| of.1);
    let (subsystem, text) = match text.strip_prefix("[com.apple.") {
        Some(subsystem) => (true, subsystem.split_once("] ")?.1),
        None => (false, text),
    };
    (own && (subsystem || zoned.is_some())).then_some(())?;
    let clock = if zoned.is_some() { LogClock::Utc } else { LogClock::Local };
    let micros = midnight + time - offset;
    let stamp = Some(Stamp { micros, clock, dated: Dated::Whole, resolution_us });
    Some(Head { stamp, form: Form::Apple, author: "apple-bluetoothd", level, text })
}

/// The daemon's name, which is that of BlueZ's, too.
static APPLE: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new("bluetoothd"));

fn logcat_level(text: &str) -> bool {
    ["V", "D", "I", "W", "E", "F", "S"].contains(&text)
}

/// `09-21 10:13:20.458  3058  3663 D TAG: ` and `09-21 10:13:20.458 D/TAG(3058): `; some print the year, too.
fn logcat_timed(line: &str) -> Option<Head<'_>> {
    let (midnight, dated, rest) = match date(line) {
        Some((midnight, rest)) => (midnight, Dated::Whole, rest),
        None => {
            let (month, rest) = digits(line, 2)?;
            let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
            (midnight(NO_YEAR, month, day)?, Dated::Day, rest)
        }
    };
    let (time, resolution_us, rest) = time_of_day(rest.strip_prefix(' ')?)?;
    let clock = LogClock::Local;
    let stamp = Some(Stamp { micros: midnight + time, clock, dated, resolution_us });
    let rest = rest.strip_prefix(' ')?.trim_start();
    if let Some(head) = logcat_brief(rest) {
        return Some(Head { stamp, ..head });
    }
    // PID, TID (and a user's number before them in some builds), level, tag.
    let mut rest = rest;
    for _ in 0..4 {
        let (word, behind) = rest.split_once(' ')?;
        rest = behind.trim_start();
        if logcat_level(word) {
            let (author, text) = rest.split_once(':')?;
            let text = text.strip_prefix(' ').unwrap_or(text);
            let author = author.trim_end();
            return Some(Head { stamp, form: Form::Logcat, author, level: word, text });
        }
        word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(())?;
    }
    None
}

/// `D/BluetoothGatt(16848): `.
fn logcat_brief(line: &str) -> Option<Head<'_>> {
    let (level, rest) = line.split_once('/')?;
    if !logcat_level(level) {
        return None;
    }
    let (author, rest) = rest.split_once('(')?;
    let (pid, text) = rest.split_once("):")?;
    pid.trim().bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    Some(Head { stamp: None, form: Form::Logcat, author: author.trim_end(), level, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(line: &str) -> (Form, &str, &str, Option<(LogClock, Dated, u32)>) {
        let head = split(line).unwrap_or_else(|| panic!("{line}"));
        let stamp = head.stamp.map(|stamp| (stamp.clock, stamp.dated, stamp.resolution_us));
        (head.form, head.author, head.text, stamp)
    }

    #[test]
    fn every_form_is_split() {
        use Form::*;
        use LogClock::{Boot, Local, Utc};
        let day = |resolution| Some((Local, Dated::Day, resolution));
        let whole = |clock, resolution| Some((clock, Dated::Whole, resolution));
        let time = |resolution| Some((Local, Dated::Time, resolution));
        for (line, expected) in [
            (
                "Nov 28 07:51:49 pi bluetoothd[264]: src/a.c:b() c",
                (Journal, "bluetoothd", "src/a.c:b() c", day(1_000_000)),
            ),
            (
                "Nov  2 07:51:49.238613 pi bluetoothd[264]: bluetoothd[264]: Exit",
                (Stderr, "bluetoothd", "Exit", day(1)),
            ),
            (
                "ноя 28 07:51:49 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", day(1_000_000)),
            ),
            (
                "11月 28 07:51:49 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", day(1_000_000)),
            ),
            (
                "28 nov. 07:51:49 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", day(1_000_000)),
            ),
            (
                "नवंबर 28 07:51:49 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", time(1_000_000)),
            ),
            (
                "2026-11-28T07:51:49.238613+00:00 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", whole(Utc, 1)),
            ),
            (
                "2026-11-28T08:12:57,879866+01:00 Bluetooth: hci0: hardware error 0x03",
                (Kernel, "kernel", "Bluetooth: hci0: hardware error 0x03", whole(Utc, 1)),
            ),
            (
                "[ 1185.879866] Bluetooth: hci0: hardware error 0x03",
                (Kernel, "kernel", "Bluetooth: hci0: hardware error 0x03", whole(Boot, 1)),
            ),
            (
                "[  232.561023] pi kernel: hci_abort_conn: hci0: x",
                (Kernel, "kernel", "hci_abort_conn: hci0: x", whole(Boot, 1)),
            ),
            (
                "[Sat Nov 28 08:12:57 2026] Bluetooth: x",
                (Kernel, "kernel", "Bluetooth: x", whole(Local, 1_000_000)),
            ),
            ("bluetoothd[264]: Exit", (Stderr, "bluetoothd", "Exit", None)),
            (
                "2026-11-28 07:51:48,609 INFO labsensor: hello",
                (Python, "labsensor", "hello", whole(Local, 1000)),
            ),
            (
                "2026-11-28 07:54:47,212 bleak.client MainThread DEBUG: hello",
                (Python, "bleak.client", "hello", whole(Local, 1000)),
            ),
            ("DEBUG:bleak.client:hello", (Python, "bleak.client", "hello", None)),
            (
                "2026-11-28 07:54:02.049 INFO (MainThread) [labsensor] hello",
                (HomeAssistant, "labsensor", "hello", whole(Local, 1000)),
            ),
            (
                "2026-11-28 07:54:02 INFO (MainThread) [labsensor] hello",
                (HomeAssistant, "labsensor", "hello", whole(Local, 1_000_000)),
            ),
            (
                "Nov 28 07:54:02 ha hass[7]: 2026-11-28 07:54:02.049 INFO (MainThread) [a] hello",
                (HomeAssistant, "a", "hello", whole(Local, 1000)),
            ),
            (
                "2026-11-28T07:54:02.049123456Z 2026-11-28 07:54:02 INFO (MainThread) [a] hello",
                (HomeAssistant, "a", "hello", whole(Utc, 1)),
            ),
            (
                "[14:13:20][I][bluetooth_proxy:048]: [0] hello",
                (Esphome, "bluetooth_proxy", "[0] hello", time(1_000_000)),
            ),
            (
                "[14:13:20.123][D][esp-idf:000][BTU_TASK]: W (47916) BT_HCI: hello",
                (EspIdf, "BT_HCI", "hello", time(1000)),
            ),
            ("[D][esp32_ble_client:110]: hello", (Esphome, "esp32_ble_client", "hello", None)),
            ("I (3544) GATTC_DEMO: hello", (EspIdf, "GATTC_DEMO", "hello", whole(Boot, 1000))),
            ("I NimBLEClient: \"hello\"", (EspIdf, "NimBLEClient", "\"hello\"", None)),
            (
                "09-21 10:13:20.458  3058  3663 D BtGatt.GattService: hello",
                (Logcat, "BtGatt.GattService", "hello", day(1000)),
            ),
            (
                "09-21 10:13:20.458 D/BluetoothGatt(16848): hello",
                (Logcat, "BluetoothGatt", "hello", day(1000)),
            ),
            ("D/BluetoothGatt(16848): hello", (Logcat, "BluetoothGatt", "hello", None)),
            (
                "2024-06-02 10:42:49.537071+0200 0x152ccb   Default     0x0                  62824  0    bluetoothd: (CoreUtils) [com.apple.bluetooth:Server.LE] hello: x",
                (Apple, "apple-bluetoothd", "hello: x", whole(Utc, 1)),
            ),
            (
                "2026-07-29 11:12:37.576 Df bluetoothd[54674:b72673] [com.apple.bluetooth:Server.Core] hello",
                (Apple, "apple-bluetoothd", "hello", whole(Local, 1000)),
            ),
            (
                "default\t2021-02-09 17:04:57.813774 +0800\tbluetoothd\tServer.LE.Connection hello",
                (Apple, "apple-bluetoothd", "Server.LE.Connection hello", whole(Utc, 1)),
            ),
            (
                "2026-11-28 07:54:02.049 INFO (MainThread) [labsensor] bluetoothd is there",
                (HomeAssistant, "labsensor", "bluetoothd is there", whole(Local, 1000)),
            ),
            (
                "    > Nov 28 07:51:49 pi bluetoothd[264]: Exit",
                (Journal, "bluetoothd", "Exit", day(1_000_000)),
            ),
        ] {
            assert_eq!(head(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_a_head_belongs_to_the_one_before() {
        for line in [
            "",
            "Traceback (most recent call last):",
            "bleak.exc.BleakError: no",
            "  File \"x.py\", line 3",
            "[NEW] Device",
            "[bluetooth]# scan on",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn a_zone_is_taken_off_and_a_wall_clock_is_not() {
        let at = |line| split(line).and_then(|head| head.stamp).map(|stamp| stamp.micros);
        let utc = at("2026-11-28T08:00:00+01:00 pi bluetoothd[1]: x");
        assert_eq!(utc, at("2026-11-28T07:00:00Z pi bluetoothd[1]: x"));
        assert_eq!(utc.map(|t| t + 3_600_000_000), at("2026-11-28 08:00:00,000 INFO a: x"));
        for wrong in ["2026-13-28 08:00:00,000 INFO a: x", "2026-11-28 25:00:00,000 INFO a: x"] {
            assert_eq!(at(wrong), None);
        }
    }
}
