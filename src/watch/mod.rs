//! The live view of a capture that still grows: which attempts have ended, and what was found since somebody last asked.
//!
//! A [`Watch`] reads record by record and keeps nothing but what a report needs. In the end it gives the same capture as
//! the finished file would.
use crate::capture::{CaptureError, Growing, Opened};
use crate::case::{Live, Next, Side};
use crate::compare::Failure;
use crate::diagnose::{Finding, Level};
use crate::report::Report;
use crate::timeline::{Capture, Connection};
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// Attempts that are looked at behind each record, whether they have ended. Of more, a part is.
const LOOKED_AT: usize = 16;

/// A capture that is read while it grows.
pub struct Watch {
    growing: Growing,
    live: Live,
    side: Side,
    /// Attempts that have not ended, by their numbers.
    open: Vec<u32>,
    /// How many of those the next look begins with.
    next_look: usize,
    /// Attempts that were seen beginning.
    begun: usize,
    /// Those that have ended since somebody last asked.
    ended: Vec<u32>,
    /// All that have ended, lest one is told twice where reading has to begin again.
    told: HashSet<u32>,
}

impl Watch {
    /// Opens it as soon as its beginning shows what it is. The reader waits where nothing more is there yet, and answers
    /// with no bytes where the capture ends.
    pub fn open(side: &Side, input: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let (growing, opened) = Growing::open(input, &side.capture.name(), &side.reading)?;
        Ok(Self {
            growing,
            live: Live::of(side, opened),
            side: side.clone(),
            open: Vec::new(),
            next_look: 0,
            begun: 0,
            ended: Vec::new(),
            told: HashSet::new(),
        })
    }

    /// Takes one record. False at the end.
    pub fn take(&mut self) -> Result<bool, CaptureError> {
        loop {
            match self.live.next() {
                Ok(Next::Record(connection)) => {
                    self.look(connection);
                    return Ok(true);
                }
                // The reader waits; one that does not has come to its end.
                Ok(Next::End | Next::Waiting) => {}
                Err(error) => match self.growing.again() {
                    Some(again) => {
                        self.begin_again(again?);
                        continue;
                    }
                    None => return Err(error),
                },
            }
            match self.growing.again() {
                Some(again) => self.begin_again(again?),
                None => return Ok(false),
            }
        }
    }

    /// A whole head of the capture is read in another way than its first bytes were: all that was read is forgotten.
    fn begin_again(&mut self, opened: Opened) {
        self.live = Live::of(&self.side, opened);
        for untold in self.ended.drain(..) {
            self.told.remove(&untold);
        }
        self.open.clear();
        (self.begun, self.next_look) = (0, 0);
    }

    fn look(&mut self, connection: Option<u32>) {
        let connections = self.live.connections();
        for new in connections.get(self.begun..).unwrap_or_default() {
            self.open.push(new.number);
        }
        self.begun = connections.len();
        // The record's own attempt, and those that a word about the adapter may have ended.
        if let Some(own) = connection
            && let Some(at) = self.open.iter().position(|&number| number == own)
        {
            self.settle(at);
        }
        for _ in 0..self.open.len().min(LOOKED_AT) {
            let at = if self.next_look < self.open.len() { self.next_look } else { 0 };
            self.next_look = if self.settle(at) { at } else { at + 1 };
            if self.open.is_empty() {
                break;
            }
        }
    }

    /// Whether this one of the open attempts has ended; then it is one of them no longer.
    fn settle(&mut self, at: usize) -> bool {
        let Some(&number) = self.open.get(at) else { return false };
        let over = self.connection(number).is_none_or(is_over);
        if over {
            self.open.remove(at);
            if self.told.insert(number) {
                self.ended.push(number);
            }
        }
        over
    }

    /// Whether an attempt has ended since [`ended`](Self::ended) was last asked.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Whether one of those attempts has failed.
    pub fn has_failed(&self) -> bool {
        let mut ended = self.ended.iter().filter_map(|number| self.connection(*number));
        ended.any(|connection| Failure::of(connection).is_some())
    }

    /// The attempt of that number: they stand in order, from 1.
    fn connection(&self, number: u32) -> Option<&Connection> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        self.live.connections().get(place)
    }

    /// The numbers of the attempts that have ended since somebody last asked, in the order of their ends.
    pub fn ended(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.ended)
    }

    /// What the capture holds so far.
    pub fn snapshot(&self) -> Result<Capture, CaptureError> {
        self.live.snapshot()
    }

    /// What the capture holds, when all of it was read.
    pub fn finish(self) -> Result<Capture, CaptureError> {
        self.live.finish()
    }
}

/// Nothing more will happen in this attempt.
fn is_over(connection: &Connection) -> bool {
    connection.end_seen || connection.gone.is_some() || connection.end_unknown
}

/// Which findings were told already.
#[derive(Debug, Default)]
pub struct Told(HashMap<(usize, &'static str, Option<u32>), Level>);

impl Told {
    /// Findings of a report that were not told before, or not with this level. Notes are left to the whole report.
    pub fn new_ones<'a>(&mut self, report: &'a Report) -> Vec<&'a Finding> {
        let mut new = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.level != Level::Note) {
            let key = (finding.capture, finding.rule, finding.connections.first().copied());
            if self.0.insert(key, finding.level) != Some(finding.level) {
                new.push(finding);
            }
        }
        new
    }
}
