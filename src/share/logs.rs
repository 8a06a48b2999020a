//! Logs beside a capture: the lines that say something about connections, with everything masked that may name
//! somebody.
//!
//! The head of a line stays (time, program, level), without the name of the host. Its text is cleaned like the texts
//! that a capture holds, so that a line that stands in both is the same in both.
use super::Tools;
use super::replace::words::spell;
use super::trim::Trim;
use crate::capture::{self, CaptureError, Input, OpenOptions};
use crate::witness::{Kind, Log, line_head, may_say_something};
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

/// Writes the lines of a log that stay.
pub fn write(
    input: &Input,
    log: &Log,
    trim: Trim,
    tools: &Tools,
    out: &mut dyn Write,
) -> Result<Kept, CaptureError> {
    let claimed: HashSet<u64> = log.claims.iter().map(|claim| u64::from(claim.line)).collect();
    // A daemon's answers stand in messages of their own, and a log without claims has lines that show what it is.
    let all_that_may_speak = claimed.is_empty() || log.kind == Kind::DBus;
    let (_, mut stream) = capture::bytes(input, &OpenOptions::default())?;
    let mut kept = Kept::default();
    let mut line = String::new();
    // The last line with a head, and what belongs to it: a traceback says at its end what went wrong.
    let mut waiting: Vec<String> = Vec::new();
    let mut inside = false;
    while capture::next_shown(&mut stream, LONGEST_LINE, &mut line)?.is_some() {
        kept.before += 1;
        if trim != Trim::None {
            let has_head = line_head(&line).is_some();
            let claims = match all_that_may_speak {
                true => may_say_something(&line),
                false => claimed.contains(&kept.before),
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
                put(&first, tools, &mut kept, out)?;
            }
        }
        put(&line, tools, &mut kept, out)?;
    }
    out.flush()?;
    Ok(kept)
}

fn put(line: &str, tools: &Tools, kept: &mut Kept, out: &mut dyn Write) -> std::io::Result<()> {
    let clean = clean(line, tools);
    if kept.leak.is_none() {
        kept.leak = tools.search.find_in_text(&clean, "").map(|what| (kept.before, what));
    }
    kept.after += 1;
    out.write_all(clean.as_bytes())?;
    out.write_all(b"\n")
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
