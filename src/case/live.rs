//! A capture while it is read: what it holds so far can be asked at any time.
use super::read::label_of;
use super::{Progress, Range, Side};
use crate::capture::{self, CaptureError, Digest, Opened, Record, Source, Warning};
use crate::decode::Decoder;
use crate::packet::Event;
use crate::time::Clock;
use crate::timeline::{Capture, Connection, Origin, Tracker};
use std::io::ErrorKind;

/// Most warnings kept of one capture; sources say each kind once.
const MOST_WARNINGS: usize = 200;

/// Records between two words about the progress.
const SAID_EVERY: u64 = 8_192;

/// A capture that is read record by record.
///
/// It is made for captures that still grow. [`next`](Self::next) takes one record, and
/// [`snapshot`](Self::snapshot) says at any time what the capture holds so far: the same as if the file ended there.
/// [`Analysis::of`](super::Analysis::of) analyses a snapshot, alone or beside another capture.
///
/// ```
/// use hcidiff::case::{Live, Next, Side};
/// use hcidiff::capture::CaptureError;
///
/// # fn main() -> Result<(), CaptureError> {
/// let mut live = Live::open(&Side::from("fixtures/flagship/pi.btsnoop"))?;
/// while live.next()? != Next::End {
///     if live.connections().iter().any(|connection| connection.end.is_some()) {
///         break;
///     }
/// }
/// let so_far = live.snapshot()?;
/// assert!(so_far.connections.iter().any(|connection| connection.end.is_some()));
/// # Ok(())
/// # }
/// ```
pub struct Live {
    source: Box<dyn Source>,
    decoder: Decoder,
    tracker: Tracker,
    range: Range,
    progress: Progress,
    /// Records that the progress does not know of yet.
    unsaid: u64,
    file: String,
    label: String,
    /// What was noticed before the first record.
    warnings: Vec<Warning>,
    digest: Option<Digest>,
}

/// What [`Live::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A record, and the number of the connection that it belongs to, where it belongs to one.
    Record(Option<u32>),
    /// The reader has no whole record yet: it answered with [`ErrorKind::WouldBlock`].
    Waiting,
    /// The capture is over.
    End,
}

impl Live {
    /// Opens the capture of a side. Its logs are not read.
    ///
    /// The format is told by the first bytes, so a reader has to wait for those: it must not answer with
    /// [`ErrorKind::WouldBlock`] before the capture is open.
    pub fn open(side: &Side) -> Result<Self, CaptureError> {
        Ok(Self::of(side, capture::open(&side.capture, &side.reading)?))
    }

    /// The same of a capture that is open already. Side says how it is read and what it is called.
    pub fn of(side: &Side, opened: Opened) -> Self {
        let Opened { name, member, warnings, source, digest } = opened;
        let file = match member {
            Some(member) => format!("{name}:{}", member.rsplit('/').next().unwrap_or(&member)),
            None => name,
        };
        let label = side.label.clone().unwrap_or_else(|| label_of(&file).to_owned());
        Self {
            source,
            decoder: Decoder::new(),
            tracker: Tracker::of(side.source),
            range: side.range.clone(),
            progress: side.progress.clone(),
            unsaid: 0,
            file,
            label,
            warnings,
            digest,
        }
    }

    /// Takes the next record.
    ///
    /// Where the reader has nothing more now, nothing is lost and it is asked again the next time. That holds for
    /// formats of binary records; text and compressed captures need a reader that waits.
    #[allow(
        clippy::should_implement_trait,
        reason = "it may fail, and goes on after it had nothing"
    )]
    pub fn next(&mut self) -> Result<Next, CaptureError> {
        let mut of = None;
        match self.step(&mut |_, _, connection| of = connection) {
            Ok(true) => Ok(Next::Record(of)),
            Ok(false) => Ok(Next::End),
            Err(CaptureError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Next::Waiting)
            }
            Err(error) => Err(error),
        }
    }

    /// The connections as far as they have come, in order of their numbers: a cheap look before a whole snapshot.
    pub fn connections(&self) -> &[Connection] {
        self.tracker.connections()
    }

    /// What the capture holds so far, as if it ended behind the record that was read last. Only the file's SHA-256 is
    /// not there: it is known at the end alone.
    ///
    /// Fails where the side asks for a part of the capture and no record of that part was read yet.
    pub fn snapshot(&self) -> Result<Capture, CaptureError> {
        Ok(self.tracker.snapshot(self.origin(None)?))
    }

    /// What the capture holds, when all of it was read.
    pub fn finish(mut self) -> Result<Capture, CaptureError> {
        let sha256 = self.digest.take().and_then(Digest::finish);
        let origin = self.origin(sha256)?;
        Ok(self.tracker.finish(origin))
    }

    /// Reads one record and shows it with its event and the number of its connection. False at the end.
    #[inline]
    pub(super) fn step(
        &mut self,
        see: &mut impl FnMut(&Record<'_>, &Event<'_>, Option<u32>),
    ) -> Result<bool, CaptureError> {
        // Looked at where it was put: a record is moved millions of times.
        let next = self.source.next();
        match &next {
            Ok(Some(record)) => {
                let Self { decoder, tracker, range, .. } = self;
                decoder.look(record, |event| {
                    if range.has(event.frame, event.time) {
                        let connection = tracker.push(event);
                        see(record, event, connection);
                    }
                });
            }
            Ok(None) => return Ok(false),
            Err(_) => return next.map(|_| false),
        }
        self.unsaid += 1;
        if self.unsaid == SAID_EVERY {
            self.progress.add(self.unsaid);
            self.unsaid = 0;
        }
        Ok(true)
    }

    /// What is known of the capture as a whole.
    fn origin(&self, sha256: Option<[u8; 32]>) -> Result<Origin, CaptureError> {
        let mut warnings = self.warnings.clone();
        if !self.range.is_all() {
            warnings.push(self.range.part()?);
        }
        warnings.extend(self.source.warnings());
        warnings.truncate(MOST_WARNINGS);
        let mut description = self.source.describe();
        if !self.range.has_times() {
            description.clock = Clock::None;
        }
        let (file, label) = (self.file.clone(), self.label.clone());
        Ok(Origin { file, label, description, warnings, sha256 })
    }
}
