//! What every reader of text has: lines, a clock, what nobody understood; and how what a text shows becomes a record.
use super::super::ledger::Ledger;
use super::super::remark::Remark;
use super::super::stream::Stream;
use super::super::{
    CaptureError, Clock, Direction, Kind, OpenOptions, Payload, Record, Warning, WarningKind, h4,
};
use super::lines::Lines;
use super::puzzles::Puzzles;
use super::times::{Times, When};
use crate::packet::outline::{Extent, Outline};

/// A text that is being read.
pub(super) struct Transcript {
    ledger: Ledger,
    times: Times,
    lines: Lines,
    puzzles: Puzzles,
    /// Packets of which the text leaves something out.
    incomplete: u64,
}

/// Where a packet begins, and what its first line says beside the packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub offset: u64,
    pub when: Option<When>,
    pub adapter: Option<u16>,
    pub direction: Option<Direction>,
}

/// What a text shows of a packet.
pub(super) enum Shown<'a> {
    /// Its bytes. It is cut where it says that it has more of them.
    Bytes(Kind, &'a [u8]),
    /// The first of its so many bytes: such a text leaves out the others as a rule.
    Prefix(Kind, &'a [u8], usize),
    /// Its fields, and its length as far as it is known.
    Outline(Kind, Outline<'a>, usize),
}

impl Transcript {
    /// `first` is what the first packet says of its time: all times are on that clock.
    pub fn new(stream: Stream, options: &OpenOptions, first: Option<When>) -> Self {
        let times = Times::of(first);
        Self {
            ledger: Ledger::new(stream, times.clock(), options),
            times,
            lines: Lines::default(),
            puzzles: Puzzles::default(),
            incomplete: 0,
        }
    }

    /// Moves on to the next line. False at the end.
    pub fn next_line(&mut self) -> Result<bool, CaptureError> {
        Ok(!self.ledger.is_done() && self.lines.read(&mut self.ledger.stream)?)
    }

    /// The line.
    pub fn line(&self) -> &Lines {
        &self.lines
    }

    /// Notes that nobody understands the line.
    pub fn puzzle(&mut self) {
        self.puzzles.push(&self.lines, self.ledger.frames());
    }

    /// Notes that nobody understands a line that was read earlier.
    pub fn puzzle_of(&mut self, line: &str, number: u64, offset: u64) {
        self.puzzles.push_line(line, number, offset, self.ledger.frames());
    }

    /// Everything is read.
    pub fn finish(&mut self) -> Result<(), CaptureError> {
        self.ledger.finish()
    }

    /// The record of a packet. What is missing of it is counted.
    pub fn record<'a>(&mut self, start: Start, shown: Shown<'a>) -> Record<'a> {
        let Start { offset, when, adapter, direction } = start;
        let frame = self.ledger.next_frame();
        let time = self.times.moment(when, &mut self.ledger, offset);
        let (kind, payload, original) = match shown {
            Shown::Bytes(kind, bytes) => {
                let original = h4::declared(kind, bytes).unwrap_or_default().max(bytes.len());
                if original > bytes.len() {
                    self.ledger.remark(Remark::CutPackets, offset);
                }
                (kind, Payload::Bytes(bytes), original)
            }
            Shown::Prefix(kind, bytes, original) => {
                self.incomplete += u64::from(bytes.len() != original);
                (kind, Payload::Bytes(bytes), original)
            }
            Shown::Outline(kind, outline, original) => {
                self.incomplete += u64::from(outline.extent != Extent::Whole);
                (kind, Payload::Outline(Box::new(outline)), original)
            }
        };
        Record {
            frame,
            offset,
            time,
            adapter,
            direction: h4::direction(kind).or(direction),
            kind,
            payload,
            original_len: u32::try_from(original).unwrap_or(u32::MAX),
            comment: None,
        }
    }

    /// The clock that the whole text turned out to have.
    pub fn clock(&self) -> Clock {
        self.times.settled(&self.ledger)
    }

    /// What is said of the text. `lacks` says what such a text leaves out, if it does.
    pub fn warnings(&self, lacks: Option<&str>) -> Vec<Warning> {
        let mut warnings = self.ledger.warnings();
        if let Some(text) = lacks.filter(|_| self.incomplete > 0) {
            warnings.push(Warning::of_all(WarningKind::TextIncomplete, text));
        }
        warnings.extend(self.puzzles.warning());
        warnings
    }
}
