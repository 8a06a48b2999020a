//! Records that wait: a fragment can be written only when its frame is complete.
//!
//! A frame is replaced as a whole and laid over its fragments again. Until then its records wait in line, and so does
//! everything behind them: the order of a capture stays. The line has a bound. A frame that takes too long stays zeros.
use super::Clean;
use crate::capture::Kind;
use crate::packet::Direction;
use crate::time::Timestamp;
use foldhash::HashMap;
use std::collections::VecDeque;

/// Most records, and most bytes, that wait.
const MOST_WAITING: usize = 4096;
const MOST_BYTES: usize = 4 << 20;
/// Room for so many records is used again.
const MOST_SPARE: usize = 64;
/// Most flows with an open frame.
const MOST_OPEN: usize = 1024;

/// A record that may be written, or waits for its frame.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number in the original.
    pub frame: u32,
    pub time: Option<Timestamp>,
    pub adapter: Option<u16>,
    pub direction: Option<Direction>,
    pub kind: Kind,
    pub original_len: u32,
    /// What the logger had lost by then, as it counts.
    pub lost: u64,
    pub clean: Clean,
    /// Frames that this record still waits for.
    waits: u32,
}

impl Held {
    pub fn new(record: &crate::capture::Record<'_>, clean: Clean, original_len: u32) -> Self {
        Self {
            frame: record.frame,
            time: record.time,
            adapter: record.adapter,
            direction: record.direction,
            kind: record.kind,
            original_len,
            lost: 0,
            clean,
            waits: 0,
        }
    }
}

/// A stretch of a record that a frame covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    record: u64,
    at: usize,
    len: usize,
}

/// One direction of a link: adapter, handle, received.
pub type FlowKey = (Option<u16>, u16, bool);

/// The open frame of a flow.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    chunks: Vec<Chunk>,
    /// Its first bytes: the header, and the length of a unit that may follow it.
    pub head: Vec<u8>,
}

/// How much of a frame's beginning is kept.
const HEAD: usize = 6;

/// Records in their order, the written ones gone.
#[derive(Debug, Default)]
pub struct Line {
    queue: VecDeque<Held>,
    /// The number of the first record of the queue.
    first: u64,
    bytes: usize,
    flows: HashMap<FlowKey, Flow>,
    /// Units of credit-based channels that are not complete.
    units: HashMap<(FlowKey, u16), Vec<Chunk>>,
    /// Records that were written without their frame.
    pub given_up: u64,
    /// Room of records that were written.
    spare: Vec<Clean>,
}

impl Line {
    /// Appends a record and gives its number.
    pub fn push(&mut self, held: Held) -> u64 {
        self.bytes += held.clean.bytes.len();
        self.queue.push_back(held);
        self.first + self.queue.len() as u64 - 1
    }

    /// The record that was pushed last.
    pub fn last_mut(&mut self) -> Option<&mut Held> {
        self.queue.back_mut()
    }

    /// The next record, if it may be written. `end`: nothing more comes, so nothing is waited for.
    pub fn front(&self, end: bool) -> Option<&Held> {
        let crowded = || self.queue.len() > MOST_WAITING || self.bytes > MOST_BYTES;
        self.queue.front().filter(|front| front.waits == 0 || end || crowded())
    }

    /// The first record of the line, which goes.
    pub fn pop(&mut self) -> Option<Held> {
        let held = self.queue.pop_front()?;
        self.given_up += u64::from(held.waits > 0);
        self.bytes -= held.clean.bytes.len();
        self.first += 1;
        Some(held)
    }

    /// Room for a record of so many bytes.
    pub fn room(&mut self, length: usize) -> Clean {
        self.spare.pop().unwrap_or_else(|| Clean::for_bytes(length))
    }

    /// The first record was written: its room is used again.
    pub fn done(&mut self) {
        if let Some(held) = self.pop()
            && self.spare.len() < MOST_SPARE
        {
            let mut clean = held.clean;
            clean.clear();
            self.spare.push(clean);
        }
    }

    /// A whole frame in one record, which waits for it.
    pub fn whole(&mut self, record: u64, at: usize, data: &[u8]) -> Flow {
        self.wait(record);
        let head = data.get(..HEAD).unwrap_or(data).to_vec();
        Flow { chunks: vec![Chunk { record, at, len: data.len() }], head }
    }

    /// What the flow had open is never completed.
    pub fn give_up(&mut self, key: FlowKey) {
        if !self.flows.is_empty()
            && let Some(flow) = self.flows.remove(&key)
        {
            self.release(&flow.chunks);
        }
    }

    /// A frame begins: what the flow had open is given up.
    pub fn begin(&mut self, key: FlowKey) {
        self.give_up(key);
        if self.flows.len() >= MOST_OPEN {
            for flow in std::mem::take(&mut self.flows).into_values() {
                self.release(&flow.chunks);
            }
        }
        self.flows.insert(key, Flow::default());
    }

    /// Adds a stretch of a record to the flow's open frame. False where none is open.
    pub fn extend(&mut self, key: FlowKey, record: u64, at: usize, data: &[u8]) -> bool {
        let Some(flow) = self.flows.get_mut(&key) else { return false };
        flow.chunks.push(Chunk { record, at, len: data.len() });
        let missing = HEAD.saturating_sub(flow.head.len());
        flow.head.extend_from_slice(data.get(..missing).unwrap_or(data));
        self.wait(record);
        true
    }

    /// The flow's frame is complete.
    pub fn complete(&mut self, key: FlowKey) -> Option<Flow> {
        self.flows.remove(&key)
    }

    /// Lays bytes over the stretches, which then wait for nothing.
    pub fn lay(&mut self, chunks: &[Chunk], clean: &Clean) {
        self.lay_waiting(chunks, clean);
        self.release(chunks);
    }

    /// The same, but the stretches wait for more.
    pub fn lay_waiting(&mut self, chunks: &[Chunk], clean: &Clean) {
        let mut from = 0;
        for chunk in chunks {
            let to = (from + chunk.len).min(clean.bytes.len());
            if let Some(held) = self.record(chunk.record) {
                let bytes = clean.bytes.get(from..to).unwrap_or_default();
                let end = chunk.at + bytes.len();
                if let Some(laid) = held.clean.bytes.get_mut(chunk.at..end) {
                    laid.copy_from_slice(bytes);
                    held.clean.marks.lay(chunk.at, &clean.marks, from..from + bytes.len());
                }
            }
            from = to;
        }
    }

    /// The stretches wait for nothing any more.
    pub fn release(&mut self, chunks: &[Chunk]) {
        for chunk in chunks {
            if let Some(held) = self.record(chunk.record) {
                held.waits = held.waits.saturating_sub(1);
            }
        }
    }

    /// Keeps stretches until their unit is complete.
    pub fn keep_unit(&mut self, key: FlowKey, cid: u16, chunks: &[Chunk]) {
        if self.units.len() >= MOST_OPEN {
            for chunks in std::mem::take(&mut self.units).into_values() {
                self.release(&chunks);
            }
        }
        self.units.entry((key, cid)).or_default().extend_from_slice(chunks);
    }

    pub fn take_unit(&mut self, key: FlowKey, cid: u16) -> Vec<Chunk> {
        self.units.remove(&(key, cid)).unwrap_or_default()
    }

    pub fn has_unit(&self, key: FlowKey, cid: u16) -> bool {
        !self.units.is_empty() && self.units.contains_key(&(key, cid))
    }

    fn wait(&mut self, record: u64) {
        if let Some(held) = self.record(record) {
            held.waits += 1;
        }
    }

    fn record(&mut self, record: u64) -> Option<&mut Held> {
        let at = usize::try_from(record.checked_sub(self.first)?).ok()?;
        self.queue.get_mut(at)
    }
}

impl Chunk {
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Flow {
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len).sum()
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The stretches without the frame's first bytes.
    pub fn behind(&self, mut skip: usize) -> Vec<Chunk> {
        let mut behind = Vec::new();
        for chunk in &self.chunks {
            let less = skip.min(chunk.len);
            skip -= less;
            // One that has nothing left is kept: it waits too.
            behind.push(Chunk { at: chunk.at + less, len: chunk.len - less, ..*chunk });
        }
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::replace::{Mark, Marks};

    fn held(frame: u32, length: usize) -> Held {
        let mut clean = Clean::default();
        clean.fit(length);
        Held {
            frame,
            time: None,
            adapter: None,
            direction: None,
            kind: Kind::Acl,
            original_len: length as u32,
            lost: 0,
            clean,
            waits: 0,
        }
    }

    fn next(line: &mut Line) -> Option<Held> {
        line.front(false)?;
        line.pop()
    }

    const KEY: FlowKey = (None, 0x40, false);

    #[test]
    fn records_wait_for_their_frame_and_keep_their_order() {
        let mut line = Line::default();
        let one = line.push(held(1, 4));
        line.begin(KEY);
        assert!(line.extend(KEY, one, 1, &[1, 2, 3]));
        line.push(held(2, 1));
        let three = line.push(held(3, 4));
        assert!(line.front(false).is_none());
        assert!(line.extend(KEY, three, 2, &[4, 5]));
        let flow = line.complete(KEY).unwrap();
        assert_eq!((flow.len(), &flow.head[..]), (5, &[1, 2, 3, 4, 5][..]));
        let mut clean = Clean::default();
        clean.push(&[10, 11, 12, 13, 14], Mark::Number);
        line.lay(flow.chunks(), &clean);
        let written: Vec<_> = std::iter::from_fn(|| next(&mut line)).collect();
        assert_eq!(written.iter().map(|held| held.frame).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(written[0].clean.bytes, [0, 10, 11, 12]);
        assert_eq!(written[2].clean.bytes, [0, 0, 13, 14]);
    }

    #[test]
    fn what_waits_too_long_stays_zeros() {
        let mut line = Line::default();
        let one = line.push(held(1, 4));
        line.begin(KEY);
        line.extend(KEY, one, 0, &[9; 4]);
        for frame in 2..=MOST_WAITING as u32 {
            line.push(held(frame, 1));
        }
        assert!(line.front(false).is_none());
        line.push(held(9999, 1));
        let first = next(&mut line).unwrap();
        assert_eq!((first.frame, &first.clean.bytes[..], line.given_up), (1, &[0; 4][..], 1));
        let flow = line.complete(KEY).unwrap();
        line.lay(flow.chunks(), &Clean { bytes: vec![7; 4], marks: Marks::of(4, Mark::Number) });
        assert_eq!(next(&mut line).unwrap().clean.bytes, [0], "the next record is not touched");
    }

    #[test]
    fn a_frame_that_another_one_interrupts_is_given_up() {
        let mut line = Line::default();
        let one = line.push(held(1, 4));
        line.begin(KEY);
        line.extend(KEY, one, 0, &[9; 4]);
        line.begin(KEY);
        assert!(line.front(false).is_some());
        assert!(!line.extend((None, 0x41, false), one, 0, &[]), "nothing is open there");
    }
}
