//! From a file to a folded capture: open, decode, track.
use crate::capture::{self, CaptureError, Input, OpenOptions};
use crate::link::{Capture, Origin, Tracker};
use crate::wire::Decoder;

/// Most warnings kept of one capture; sources say each kind once.
const MOST_WARNINGS: usize = 200;

/// Reads a capture to its end and folds it. Memory does not grow with its size.
pub fn read(
    input: &Input,
    options: &OpenOptions,
    label: Option<&str>,
) -> Result<Capture, CaptureError> {
    let mut opened = capture::open(input, options)?;
    let mut warnings = std::mem::take(&mut opened.warnings);
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::new();
    while let Some(record) = opened.source.next()? {
        tracker.push(&decoder.decode(&record));
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

/// The file name without its ending, for headings.
fn label_of(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}
