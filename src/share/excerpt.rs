//! Some records of a capture as a capture of their own: everything stays but keys and what nobody can decode.
use super::container::{Container, Writer};
use super::replace::Kept;
use super::stream::{Stream, Wants};
use super::{Refusal, Tools, first_reading};
use crate::capture::Warning;
use crate::case::Case;
use std::io::Write;

/// What was written.
#[derive(Debug, Default)]
pub struct Excerpt {
    /// How many records it has.
    pub records: u64,
    /// Records that were chosen and that the file has no place for.
    pub unfit: u64,
    /// What was noticed about the original.
    pub warnings: Vec<Warning>,
}

/// Writes the chosen records of a case's first capture into a file of the kind that `ending` names.
pub fn excerpt<W: Write>(
    case: &Case,
    ending: &str,
    wants: Wants<'_>,
    out: W,
) -> Result<Excerpt, Refusal> {
    let read = first_reading(case)?;
    let tools = Tools::of(&read, Kept::ALL);
    let (Some(side), Some(capture), Some(needs)) =
        (case.sides().first(), read.report.captures.first(), read.needs.first())
    else {
        return Ok(Excerpt::default());
    };
    if read.text.contains(&true) {
        return Err(Refusal::Text { name: side.capture.name().into_owned() });
    }
    let container = Container::of_ending(ending, *needs).ok_or(Refusal::Ending)?;
    let unreadable = |error| Refusal::Capture { name: side.capture.name().into_owned(), error };
    let mut stream = Stream::open(side, 0, capture, &tools, wants).map_err(unreadable)?;
    let mut writer = Writer::new(container, out)?;
    let mut excerpt = Excerpt::default();
    while let Some(held) = stream.next().map_err(unreadable)? {
        if writer.push(&held, 0)? {
            excerpt.records += 1;
        } else {
            excerpt.unfit += 1;
        }
    }
    writer.finish()?.flush()?;
    excerpt.warnings = stream.warnings();
    Ok(excerpt)
}
