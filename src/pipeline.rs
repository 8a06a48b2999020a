//! From a file to a folded capture: open, decode, track.
use crate::capture::{self, CaptureError, Input, OpenOptions};
use crate::decode::Decoder;
use crate::timeline::{Capture, Origin, Tracker};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most warnings kept of one capture; sources say each kind once.
const MOST_WARNINGS: usize = 200;

/// Reads a capture to its end and folds it. Memory does not grow with its size.
pub fn read(
    input: &Input,
    options: &OpenOptions,
    label: Option<&str>,
) -> Result<Capture, CaptureError> {
    read_watched(input, options, label, &Progress::default())
}

/// The same, for somebody who wants to see how far it is.
pub fn read_watched(
    input: &Input,
    options: &OpenOptions,
    label: Option<&str>,
    progress: &Progress,
) -> Result<Capture, CaptureError> {
    let mut opened = capture::open(input, options)?;
    let mut warnings = std::mem::take(&mut opened.warnings);
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::new();
    let mut unsaid = 0;
    loop {
        // Looked at where it was put: a record is moved millions of times.
        let next = opened.source.next();
        match &next {
            Ok(Some(record)) => tracker.push(&decoder.decode(record)),
            Ok(None) => break,
            Err(_) => {
                next?;
                break;
            }
        };
        unsaid += 1;
        if unsaid == SAID_EVERY {
            progress.add(unsaid);
            unsaid = 0;
        }
    }
    warnings.extend(opened.source.take_warnings());
    warnings.truncate(MOST_WARNINGS);
    let file = match opened.member {
        Some(member) => format!("{}:{}", opened.name, member.rsplit('/').next().unwrap_or(&member)),
        None => opened.name,
    };
    let label = label.map_or_else(|| label_of(&file).to_owned(), str::to_owned);
    Ok(tracker.finish(Origin { file, label, description: opened.source.describe(), warnings }))
}

/// Records between two words about the progress.
const SAID_EVERY: u64 = 8_192;

/// How many records of a capture were read so far.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    pub fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }

    pub fn records(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Longer values are cut where they are shown.
const LONGEST_VALUE: usize = 64;

/// The attribute values in some frames of a capture, read once more: what was folded has none.
pub fn values(
    input: &Input,
    options: &OpenOptions,
    frames: &HashSet<u32>,
) -> Result<HashMap<u32, Value>, CaptureError> {
    let mut opened = capture::open(input, options)?;
    let mut decoder = Decoder::new();
    let mut values = HashMap::new();
    let last = frames.iter().max().copied().unwrap_or(0);
    while let Some(record) = opened.source.next()? {
        let event = decoder.decode(&record);
        if event.frame > last {
            break;
        }
        if frames.contains(&event.frame)
            && let Some(value) = event.packet.attribute_value()
        {
            let head = value.get(..LONGEST_VALUE).unwrap_or(value).into();
            values.insert(event.frame, Value { head, length: value.len(), cut: event.cut });
        }
    }
    Ok(values)
}

/// An attribute value, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub head: Box<[u8]>,
    pub length: usize,
    /// The capture itself kept only a part.
    pub cut: bool,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.head {
            write!(f, "{byte:02x}")?;
        }
        if self.cut || self.length > self.head.len() { f.write_str("…") } else { Ok(()) }
    }
}

/// The file name without its ending, for headings.
fn label_of(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}
