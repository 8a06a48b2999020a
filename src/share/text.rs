//! Text captures stay text: line by line, with everything in them replaced that the packets know, and masked what they do not.
//!
//! The lines of a record are those from its first line to the next record's. Bytes that a line prints are looked up in
//! the record's parameters, and what stands for them there is printed in their place.
use super::Tools;
use super::replace::{Counts, Line, Lines, Printed, Replacer};
use super::trim::Scope;
use crate::capture::{self, CaptureError, Payload, Stream};
use crate::case::Side;
use crate::decode::Decoder;
use crate::seen::SourceId;
use crate::timeline::{Capture, Tracker};
use foldhash::HashMap;
use std::io::Write;

/// Longer lines are no lines of a capture.
const LONGEST_LINE: usize = 64 * 1024;

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    pub before: u64,
    pub records: u64,
    pub counts: Counts,
    pub frames: HashMap<u32, u32>,
    /// Something of the original was found: what, and from which frame.
    pub leak: Option<(u32, &'static str)>,
}

/// Writes the lines of a capture's records that stay.
pub fn write(
    side: &Side,
    at: usize,
    capture: &Capture,
    tools: &Tools,
    mut scope: Scope,
    out: &mut dyn Write,
) -> Result<Written, CaptureError> {
    let mut opened = capture::open(&side.capture, &side.reading)?;
    let (_, stream) = capture::bytes(&side.capture, &side.reading)?;
    let mut source =
        Source { stream, lines: Lines::of(&tools.words, &tools.table), shown: String::new() };
    let mut replacer = Replacer::of(capture, &tools.table, &tools.words, &tools.search, tools.kept);
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::of(SourceId::from(at)));
    let mut range = side.range.clone();
    let mut queue = Line::default();
    let mut written = Written::default();
    // What stands before the first record stays, as far as it is nobody's.
    let mut current = Some((0, Printed::default()));
    while let Some(record) = opened.source.next()? {
        written.before += 1;
        let event = decoder.decode(&record);
        let lines = source.until(record.offset, current.as_ref().map(|(_, printed)| printed))?;
        pass(&lines, current.as_ref().map_or(0, |(frame, _)| *frame), tools, &mut written, out)?;
        let inside = range.has(event.frame, event.time);
        let connection = inside.then(|| tracker.push(&event)).flatten();
        current = None;
        if !inside || !scope.wants(&event, connection) {
            replacer.skip(&event, connection);
            continue;
        }
        let printed = match &record.payload {
            Payload::Outline(outline) => replacer.printed(outline.parameters, &event, connection),
            Payload::Bytes(bytes) => {
                replacer.push(&record, &event, connection, &mut queue);
                // Nothing waits for the rest of a frame: the lines of its parts show no bytes then.
                let held = std::iter::from_fn(|| queue.pop()).last();
                let held = held.filter(|held| held.clean.bytes.len() == bytes.len());
                let replaced = held.map(|held| held.clean.bytes);
                let explained = |replaced| Printed { original: bytes.to_vec(), replaced };
                replaced.map(explained).unwrap_or_default()
            }
        };
        written.records += 1;
        let number = u32::try_from(written.records).unwrap_or(u32::MAX);
        written.frames.insert(event.frame, number);
        current = Some((event.frame, printed));
    }
    let lines = source.until(u64::MAX, current.as_ref().map(|(_, printed)| printed))?;
    pass(&lines, current.as_ref().map_or(0, |(frame, _)| *frame), tools, &mut written, out)?;
    out.flush()?;
    written.counts = replacer.counts;
    Ok(written)
}

/// Writes lines, if nothing of the original is left in them.
fn pass(
    lines: &str,
    frame: u32,
    tools: &Tools,
    written: &mut Written,
    out: &mut dyn Write,
) -> Result<(), CaptureError> {
    if written.leak.is_none() {
        written.leak = tools.search.find_in_text(lines, "").map(|what| (frame, what));
    }
    Ok(out.write_all(lines.as_bytes())?)
}

/// The lines of the text, in order.
struct Source<'t> {
    stream: Stream,
    lines: Lines<'t>,
    /// The line as a screen shows it.
    shown: String,
}

impl Source<'_> {
    /// The cleaned lines up to this place; none of them where they do not stay.
    fn until(&mut self, offset: u64, printed: Option<&Printed>) -> Result<String, CaptureError> {
        let mut cleaned = String::new();
        while self.stream.offset() < offset {
            let next = capture::next_shown(&mut self.stream, LONGEST_LINE, &mut self.shown)?;
            let Some(whole) = next else { break };
            if let (Some(printed), true) = (printed, whole) {
                cleaned.push_str(&self.lines.clean(&self.shown, printed));
                cleaned.push('\n');
            }
        }
        Ok(cleaned)
    }
}
