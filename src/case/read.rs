//! From the captures of a case to folded ones: open, decode, track.
use super::{Case, Side, Unreadable};
use crate::capture::{self, CaptureError, Digest, Record};
use crate::decode::Decoder;
use crate::packet::Event;
use crate::timeline::{Capture, Origin, Tracker};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most warnings kept of one capture; sources say each kind once.
const MOST_WARNINGS: usize = 200;

/// Records between two words about the progress.
const SAID_EVERY: u64 = 8_192;

/// How many records of a capture were read so far.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Counts some more.
    pub fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads the capture of one side to its end and folds it. Memory does not grow with its size.
pub fn read(side: &Side) -> Result<Capture, CaptureError> {
    read_seeing(side, |_, _, _| {})
}

/// The same, and shows each record on the way: with its event, and the number of its connection.
pub(crate) fn read_seeing(
    side: &Side,
    mut see: impl FnMut(&Record<'_>, &Event<'_>, Option<u32>),
) -> Result<Capture, CaptureError> {
    let mut opened = capture::open(&side.capture, &side.reading)?;
    let mut warnings = std::mem::take(&mut opened.warnings);
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::of(side.source);
    let mut range = side.range.clone();
    let mut unsaid = 0;
    loop {
        // Looked at where it was put: a record is moved millions of times.
        let next = opened.source.next();
        match &next {
            Ok(Some(record)) => {
                let event = decoder.decode(record);
                if range.has(event.frame, event.time) {
                    let connection = tracker.push(&event);
                    see(record, &event, connection);
                }
            }
            Ok(None) => break,
            Err(_) => {
                next?;
                break;
            }
        }
        unsaid += 1;
        if unsaid == SAID_EVERY {
            side.progress.add(unsaid);
            unsaid = 0;
        }
    }
    if !range.is_all() {
        warnings.push(range.part()?);
    }
    warnings.extend(opened.source.take_warnings());
    warnings.truncate(MOST_WARNINGS);
    let file = match opened.member {
        Some(member) => format!("{}:{}", opened.name, member.rsplit('/').next().unwrap_or(&member)),
        None => opened.name,
    };
    let label = side.label.clone().unwrap_or_else(|| label_of(&file).to_owned());
    let description = opened.source.describe();
    let sha256 = opened.digest.and_then(Digest::finish);
    Ok(tracker.finish(Origin { file, label, description, warnings, sha256 }))
}

/// The file name without its ending, for headings.
fn label_of(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

/// What could be read of a case.
pub(super) struct Sides {
    pub captures: Vec<Capture>,
    /// The one of two captures that could not be read.
    pub unreadable: Option<Unreadable>,
    /// The side that the first capture belongs to.
    pub first: usize,
}

/// All captures of a case. Where only one of two can be read, that one.
pub(super) fn sides(case: &Case) -> Result<Sides, Unreadable> {
    let whole = |captures| Sides { captures, unreadable: None, first: 0 };
    let alone = |capture, failure, first| Sides {
        captures: vec![capture],
        unreadable: Some(failure),
        first,
    };
    match case.sides() {
        [] => Ok(whole(Vec::new())),
        [one] => Ok(whole(vec![named(one)?])),
        [reference, subject, ..] => match both(reference, subject) {
            (Ok(mut reference), Ok(mut subject)) => {
                // Two captures of one name need names that tell them apart.
                if reference.label == subject.label {
                    reference.label.push_str(" (1)");
                    subject.label.push_str(" (2)");
                }
                Ok(whole(vec![reference, subject]))
            }
            (Ok(reference), Err(failure)) => Ok(alone(reference, failure, 0)),
            (Err(failure), Ok(subject)) => Ok(alone(subject, failure, 1)),
            // The user mends one at a time: the first.
            (Err(failure), Err(_)) => Err(failure),
        },
    }
}

type Named = Result<Capture, Unreadable>;

fn named(side: &Side) -> Named {
    read(side).map_err(|error| Unreadable { name: side.capture.name().into_owned(), error })
}

/// One after the other, where there are no threads.
#[cfg(not(feature = "threads"))]
fn both(reference: &Side, subject: &Side) -> (Named, Named) {
    (named(reference), named(subject))
}

/// Both captures at the same time; where no thread can be made, one after the other.
#[cfg(feature = "threads")]
fn both(reference: &Side, subject: &Side) -> (Named, Named) {
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, || named(subject));
        let first = named(reference);
        let second = match other {
            Ok(other) => other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => named(subject),
        };
        (first, second)
    })
}
