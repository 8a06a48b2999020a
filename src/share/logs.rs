//! Logs beside a capture: the lines that say something about connections, with everything masked that may name
//! somebody.
//!
//! The head of a line stays (time, program, level), without the name of the host. Its text is cleaned like the texts
//! that a capture holds, so that a line that stands in both is the same in both.
use super::replace::words::spell;
use super::trim::Trim;
use super::{Tools, bus};
use crate::capture::{self, CaptureError, Input, OpenOptions};
use crate::witness::{Log, Messages, is_bus_head, line_head, may_say_something};
use std::collections::HashSet;
use std::io::Write;

/// Longer lines are cut, as the reader of logs cuts them.
const LONGEST_LINE: usize = 64 * 1024;
/// Most lines of one traceback.
const MOST_WAITING: usize = 400;
/// What stands for the name of the host that wrote a journal.
const HOST: &str = "host";

/// How much of a log was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub before: u64,
    pub after: u64,
    /// Something of the original was found in this line.
    pub leak: Option<(u64, &'static str)>,
}

/// Whether a capture of D-Bus has a message that can be read.
pub fn has_messages(input: &Input) -> Result<bool, CaptureError> {
    let Some(mut messages) = Messages::open(input)? else { return Ok(false) };
    let mut text = String::new();
    while messages.next(&mut text)?.is_some() {
        if !text.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What of a log stays.
pub struct Wanted<'w> {
    /// The log as it was read.
    pub log: &'w Log,
    pub trim: Trim,
    /// Whether the claim at this place is about something that stays.
    pub keeps: &'w dyn Fn(usize) -> bool,
}

/// Writes the lines of a log that stay.
pub fn write(
    input: &Input,
    wanted: &Wanted<'_>,
    tools: &Tools,
    out: &mut dyn Write,
) -> Result<Kept, CaptureError> {
    let Wanted { log, trim, keeps } = *wanted;
    // A call says nothing that is kept, as a rule, where its answer does.
    let claims = log.claims.iter().enumerate().filter(|(at, _)| keeps(*at));
    let claims = claims.flat_map(|(_, claim)| [Some(claim.line), claim.answers]);
    let claimed: HashSet<u64> = claims.flatten().map(u64::from).collect();
    let mut writing = Writing { tools, out, kept: Kept::default(), claimed, message: None };
    if log.is_bus_capture() {
        writing.messages(input, trim)?;
    } else {
        writing.lines(input, trim)?;
    }
    writing.out.flush()?;
    Ok(writing.kept)
}

/// A log while it is written.
struct Writing<'w> {
    tools: &'w Tools,
    out: &'w mut dyn Write,
    kept: Kept,
    /// Lines, or messages of a capture, that say something.
    claimed: HashSet<u64>,
    /// dbus-monitor's message whose values follow.
    message: Option<bus::Message>,
}

impl Writing<'_> {
    /// A capture of D-Bus becomes dbus-monitor's text.
    fn messages(&mut self, input: &Input, trim: Trim) -> Result<(), CaptureError> {
        let all = trim == Trim::None || self.claimed.is_empty();
        let Some(mut messages) = Messages::open(input)? else { return Ok(()) };
        let (mut text, mut after) = (String::new(), 0);
        while let Some(number) = messages.next(&mut text)? {
            self.kept.before = u64::from(number);
            if !text.is_empty() && (all || self.claimed.contains(&self.kept.before)) {
                after += 1;
                for line in text.lines() {
                    self.put(line)?;
                }
            }
        }
        self.kept.after = after;
        Ok(())
    }

    fn lines(&mut self, input: &Input, trim: Trim) -> Result<(), CaptureError> {
        let (_, mut stream) = capture::bytes(input, &OpenOptions::default())?;
        let mut line = String::new();
        // The last line with a head, and what belongs to it: a traceback says at its end what went wrong.
        let mut waiting: Vec<String> = Vec::new();
        let mut inside = false;
        while capture::next_shown(&mut stream, LONGEST_LINE, &mut line)?.is_some() {
            self.kept.before += 1;
            if trim != Trim::None {
                let has_head = line_head(&line).is_some() || is_bus_head(&line);
                // A log without claims has lines that show what it is.
                let claims = match self.claimed.is_empty() {
                    true => may_say_something(&line),
                    false => self.claimed.contains(&self.kept.before),
                };
                // What a message of dbus-monitor holds stands indented below its head.
                inside = claims || inside && line.starts_with([' ', '\t']);
                if has_head || waiting.len() >= MOST_WAITING {
                    waiting.clear();
                }
                if !inside {
                    waiting.push(std::mem::take(&mut line));
                    continue;
                }
                for first in waiting.drain(..).filter(|_| !has_head) {
                    self.put(&first)?;
                }
            }
            self.put(&line)?;
        }
        Ok(())
    }

    fn put(&mut self, line: &str) -> std::io::Result<()> {
        let clean = self.clean(line);
        if self.kept.leak.is_none() {
            let found = self.tools.search.find_in_text(&clean, "");
            self.kept.leak = found.map(|what| (self.kept.before, what));
        }
        self.kept.after += 1;
        self.out.write_all(clean.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn clean(&mut self, line: &str) -> String {
        if is_bus_head(line) {
            let (message, head) = bus::Message::begin(line, self.tools);
            self.message = Some(message);
            return head;
        }
        let indented = line.starts_with([' ', '\t']);
        // Somebody else's line ends the message.
        if !indented && (line_head(line).is_some() || self.claimed.contains(&self.kept.before)) {
            self.message = None;
        }
        match &mut self.message {
            Some(message) => message.line(line, self.tools),
            None => clean(line, self.tools),
        }
    }
}

/// A line without anything that could tell who somebody is.
fn clean(line: &str, tools: &Tools) -> String {
    let Some((text, host)) = line_head(line) else {
        let indent = line.len() - line.trim_start().len();
        return format!("{}{}", &line[..indent], tools.words.clean(&tools.table, &line[indent..]));
    };
    let mut clean = String::with_capacity(line.len());
    match host {
        Some(host) => {
            tools.words.names_alone(&line[..host.start], &mut clean);
            clean.push_str(HOST);
            tools.words.names_alone(&line[host.end..text], &mut clean);
        }
        None => tools.words.names_alone(&line[..text], &mut clean),
    }
    match address_alone(&line[text..], tools) {
        Some(alias) => clean.push_str(&alias),
        None => clean.push_str(&tools.words.clean(&tools.table, &line[text..])),
    }
    clean
}

/// A line that holds an address and nothing else, as ESP-IDF prints it: `f0 12 7c aa 00 01`.
fn address_alone(text: &str, tools: &Tools) -> Option<String> {
    let pairs: Vec<_> = text.split_ascii_whitespace().collect();
    let mut bytes = [0; 6];
    if pairs.len() != bytes.len() || pairs.iter().any(|pair| pair.len() != 2) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().rev().zip(&pairs) {
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    let mut alias = String::new();
    spell(text, tools.table.address(bytes), &mut alias);
    Some(alias)
}
