//! The one entry: a case goes in, an analysis comes out.
//!
//! A [`Case`] says which captures there are and what is asked of them. [`analyse`] reads them, chooses two
//! connections, compares them, looks for what went wrong, and settles which attempt is told. The program, the
//! tests and every other user of the library call it, and nothing puts these steps together a second time.
use crate::capture::{CaptureError, Input, OpenOptions};
use crate::compare;
use crate::seen::SourceId;
use std::fmt;

mod analysis;
mod beside;
mod live;
mod range;
mod read;
mod swapped;
mod values;

pub use analysis::Analysis;
pub use beside::Beside;
pub use live::{Live, Next};
pub use range::{Bound, Range};
pub use read::{Progress, read};
pub(crate) use read::{is_of_air, log, read_seeing};
pub use values::Value;

/// What is to be analysed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// One side, or the reference and then the subject.
    sides: Vec<Side>,
    /// Which connections are compared, and how.
    pub comparing: compare::Options,
    /// Attribute values of the connections that are told are kept. This needs a second look at each capture.
    pub values: bool,
}

/// One side of a case: a capture, and how it is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Side {
    /// Where the capture comes from.
    pub capture: Input,
    /// What the side is called; the file's name without its ending where this is `None`.
    pub label: Option<String>,
    /// How the capture is read.
    pub reading: OpenOptions,
    /// Which part of the capture is looked at.
    pub range: Range,
    /// Logs of the host that made the capture, D-Bus captures: whatever saw the same connections.
    pub witnesses: Vec<Input>,
    /// Counts the records while they are read. Keep a clone to look at.
    pub progress: Progress,
    /// What facts from this capture name as their source.
    source: SourceId,
}

impl Case {
    /// One capture, looked at alone.
    pub fn one(capture: impl Into<Side>) -> Self {
        Self::of(vec![capture.into()])
    }

    /// The capture that works, and the one that fails.
    pub fn pair(reference: impl Into<Side>, subject: impl Into<Side>) -> Self {
        let subject = Side { source: SourceId::SECOND, ..subject.into() };
        Self::of(vec![reference.into(), subject])
    }

    fn of(sides: Vec<Side>) -> Self {
        Self { sides, comparing: compare::Options::default(), values: false }
    }

    /// One side, or the reference and then the subject.
    pub fn sides(&self) -> &[Side] {
        &self.sides
    }
}

impl Side {
    /// A capture that is read without any options.
    pub fn new(capture: Input) -> Self {
        Self {
            capture,
            label: None,
            reading: OpenOptions::default(),
            range: Range::default(),
            witnesses: Vec::new(),
            progress: Progress::default(),
            source: SourceId::FIRST,
        }
    }
}

impl<T: Into<Input>> From<T> for Side {
    fn from(capture: T) -> Self {
        Self::new(capture.into())
    }
}

/// No capture of the case could be read: which one was tried first, and why it failed.
#[derive(Debug)]
pub struct Unreadable {
    /// The capture's name, without folders.
    pub name: String,
    /// Why it cannot be read.
    pub error: CaptureError,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.error)
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Reads the captures of a case, compares them, and says what was found.
///
/// Where one of two captures cannot be read, the analysis is about the other one, and
/// [`Analysis::no_match`] says why there is nothing to compare.
pub fn analyse(case: &Case) -> Result<Analysis, Unreadable> {
    analysed(case, read::sides(case)?)
}

/// What the captures of a case say, when they were read.
fn analysed(case: &Case, sides: read::Sides) -> Result<Analysis, Unreadable> {
    let read::Sides { captures, logs, unreadable, first } = sides;
    let mut options = case.comparing.clone();
    if first == 1 {
        // Only the subject is left: what was asked about it is what counts.
        options.wanted = options.wanted.swapped();
        options.wanted.subject.connection = None;
    }
    let sniffed = read::sniffed(case, first, captures.len(), logs.len())?;
    let mut analysis = Analysis::with_witnesses(captures, logs, sniffed, &options);
    if let Some(unreadable) = unreadable {
        analysis.lacks(&unreadable);
    }
    if case.values {
        values::read(case, first, &mut analysis);
    }
    Ok(analysis)
}
