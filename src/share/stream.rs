//! The second reading: records that may be shown, one after the other.
use super::Tools;
use super::replace::{Counts, Held, Line, Replacer};
use crate::capture::{self, CaptureError, Opened, Warning};
use crate::case::{Range, Side};
use crate::decode::Decoder;
use crate::packet::{Address, Event};
use crate::seen::SourceId;
use crate::timeline::{Capture, Tracker};

/// Whether a record stays: by its event, the number of its connection and the address of that connection's peer.
pub type Wants<'c> = Box<dyn FnMut(&Event<'_>, Option<u32>, Option<Address>) -> bool + 'c>;

/// A capture while it is replaced.
pub struct Stream<'c> {
    opened: Opened,
    decoder: Decoder,
    tracker: Tracker,
    range: Range,
    wants: Wants<'c>,
    replacer: Replacer<'c>,
    line: Line,
    ended: bool,
    /// Records that were read.
    pub before: u64,
}

impl<'c> Stream<'c> {
    /// Opens the capture of a side, which is the one at this place of its case. `capture` is what the first reading
    /// taught of it.
    pub fn open(
        side: &Side,
        at: usize,
        capture: &'c Capture,
        tools: &'c Tools,
        wants: Wants<'c>,
    ) -> Result<Self, CaptureError> {
        let Tools { kept, table, words, search, .. } = tools;
        Ok(Self {
            opened: capture::open(&side.capture, &side.reading)?,
            decoder: Decoder::new(),
            tracker: Tracker::of(SourceId::from(at)),
            range: side.range.clone(),
            wants,
            replacer: Replacer::of(capture, table, words, search, *kept),
            line: Line::default(),
            ended: false,
            before: 0,
        })
    }

    /// How the file is stored, in the reader's words.
    pub fn variant(&self) -> String {
        self.opened.source.describe().variant
    }

    /// The next record that stays, to be looked at where it is; [`Self::done`] passes it.
    pub fn front(&mut self) -> Result<Option<&Held>, CaptureError> {
        while !self.ended && self.line.front(false).is_none() {
            if self.read()?
                && let Some(held) = self.line.last_mut()
            {
                held.lost = self.opened.source.lost();
            }
        }
        Ok(self.line.front(self.ended))
    }

    /// The record in front was written: its room is used again.
    pub fn done(&mut self) {
        self.line.done();
    }

    /// The next record that stays, as one's own.
    pub fn next(&mut self) -> Result<Option<Held>, CaptureError> {
        self.front()?;
        Ok(if self.line.front(self.ended).is_some() { self.line.pop() } else { None })
    }

    /// Reads one record. Whether it stays.
    fn read(&mut self) -> Result<bool, CaptureError> {
        // Looked at where it was put: a record is moved millions of times.
        let next = self.opened.source.next();
        let record = match &next {
            Ok(Some(record)) => record,
            Ok(None) => {
                self.ended = true;
                return Ok(false);
            }
            Err(_) => return next.map(|_| false),
        };
        self.before += 1;
        let Self { decoder, tracker, range, wants, replacer, line, .. } = self;
        let wanted = decoder.look(record, |event| {
            if !range.has(event.frame, event.time) {
                replacer.skip(event, None);
                return false;
            }
            let connection = tracker.push(event);
            let peer = connection.and_then(|number| tracker.peer_of(number));
            let wanted = wants(event, connection, peer);
            if wanted {
                replacer.push(record, event, connection, line);
            } else {
                replacer.skip(event, connection);
            }
            wanted
        });
        Ok(wanted)
    }

    /// What was replaced so far.
    pub fn counts(&self) -> Counts {
        let mut counts = self.replacer.counts;
        counts.zeroed += self.line.given_up;
        counts
    }

    /// Something of the original that was found in a frame.
    pub fn leak(&self) -> Option<(u32, &'static str)> {
        self.replacer.leak
    }

    /// What was noticed about the file.
    pub fn warnings(&mut self) -> Vec<Warning> {
        let mut warnings = std::mem::take(&mut self.opened.warnings);
        warnings.extend(self.opened.source.warnings());
        warnings
    }
}
