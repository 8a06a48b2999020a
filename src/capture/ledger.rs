//! What a reader keeps beside the bytes: frames, the clock, remarks, damage.
use super::chain::{self, Link};
use super::remark::{Remark, Tally};
use super::stream::Stream;
use super::{CaptureError, Clock, Timestamp, Warning, WarningKind};

const YEAR: i64 = 366 * 86_400 * 1_000_000;
/// 2100-01-01.
const LATEST: i64 = 4_102_444_800 * 1_000_000;

/// Places of damage that are said one by one.
const PLACES: usize = 8;

/// What is said of a record in which others begin.
const HOLDS_OTHERS: &str = "it holds other records, so its length is wrong";

/// Why a header is none.
pub(crate) struct Fault {
    pub kind: WarningKind,
    pub text: String,
}

/// A stream being read and everything noticed on the way.
pub(crate) struct Ledger {
    pub stream: Stream,
    frame: u32,
    clock: Clock,
    /// Added to every time: the negated `--tz-offset`, where it applies.
    shift: i64,
    last: Option<i64>,
    tallies: Vec<Tally>,
    remarks: Vec<Warning>,
    /// Places of damage beyond those in `remarks`.
    unsaid: u64,
    salvage: bool,
    done: bool,
}

impl Ledger {
    pub fn new(stream: Stream, clock: Clock, options: &super::OpenOptions) -> Self {
        let mut ledger = Self {
            stream,
            frame: 0,
            clock,
            shift: 0,
            last: None,
            tallies: Vec::new(),
            remarks: Vec::new(),
            unsaid: 0,
            salvage: options.salvage,
            done: false,
        };
        if let (Clock::Local, Some(minutes)) = (clock, options.tz_offset) {
            ledger.clock = Clock::Utc;
            ledger.shift = -i64::from(minutes) * 60_000_000;
        }
        ledger
    }

    #[inline]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The capture's clock: none, where no record so far had a time.
    pub fn clock(&self) -> Clock {
        if self.last.is_none() && self.done { Clock::None } else { self.clock }
    }

    /// Settles the kind of clock by the first record's time, ahead of reading it: whoever
    /// shows records needs to know before the first one.
    pub fn expect(&mut self, since_1970: i64) {
        if (-YEAR..YEAR).contains(&since_1970) {
            self.clock = Clock::Relative;
            self.shift = 0;
        }
    }

    /// Numbers the next record.
    #[inline]
    pub fn next_frame(&mut self) -> u32 {
        self.frame = self.frame.saturating_add(1);
        self.frame
    }

    pub fn frames(&self) -> u32 {
        self.frame
    }

    /// A time counted from 1970, if it can be one; `None` keeps the order only.
    ///
    /// A capture whose first time lies around 1970 was made by a device whose clock was
    /// not set: its times count from power-on, and only distances mean something.
    #[inline]
    pub fn moment(&mut self, since_1970: i64, offset: u64) -> Option<Timestamp> {
        let at = since_1970.saturating_add(self.shift);
        if let Some(last) = self.last {
            let step = at.wrapping_sub(last);
            if (0..YEAR).contains(&step) && (YEAR..LATEST).contains(&at) {
                self.last = Some(at);
                return Some(Timestamp(at));
            }
        }
        self.odd_moment(since_1970, offset)
    }

    #[cold]
    fn odd_moment(&mut self, since_1970: i64, offset: u64) -> Option<Timestamp> {
        let at = since_1970.saturating_add(self.shift);
        if self.last.is_none() && (-YEAR..YEAR).contains(&since_1970) {
            self.expect(since_1970);
            self.remark(Remark::ClockUnset, offset);
            return self.step(since_1970, offset);
        }
        let earliest = if self.clock == Clock::Relative { -YEAR } else { YEAR };
        if !(earliest..LATEST).contains(&at) {
            self.remark(Remark::TimeUnusable, offset);
            return None;
        }
        self.step(at, offset)
    }

    /// A time on a clock of its own.
    #[inline]
    pub fn step(&mut self, at: i64, offset: u64) -> Option<Timestamp> {
        if let Some(last) = self.last {
            let step = at.saturating_sub(last);
            if step < 0 {
                self.remark_most(Remark::TimeStepsBack, offset, step.unsigned_abs());
            } else if step >= YEAR {
                self.remark(Remark::TimeJumps, offset);
            }
        }
        self.last = Some(at);
        Some(Timestamp(at))
    }

    /// Notes a remark about the current record.
    pub fn remark(&mut self, remark: Remark, offset: u64) {
        self.tally(remark, offset).count += 1;
    }

    /// Notes a remark about what comes before the next record.
    pub fn remark_ahead(&mut self, remark: Remark, offset: u64) {
        let ahead = self.frame.saturating_add(1);
        let tally = self.tally(remark, offset);
        tally.last = ahead;
        if tally.count == 0 {
            tally.frame = ahead;
        }
        tally.count += 1;
    }

    /// How many packets the logger says that it lost.
    pub fn lost(&self) -> u64 {
        let lost = self.tallies.iter().find(|tally| tally.remark == Remark::DroppedPackets);
        lost.map_or(0, |tally| tally.amount)
    }

    pub fn remark_sum(&mut self, remark: Remark, offset: u64, amount: u64) {
        let tally = self.tally(remark, offset);
        tally.count += 1;
        tally.amount = tally.amount.saturating_add(amount);
    }

    fn remark_most(&mut self, remark: Remark, offset: u64, amount: u64) {
        let tally = self.tally(remark, offset);
        tally.count += 1;
        tally.amount = tally.amount.max(amount);
    }

    fn tally(&mut self, remark: Remark, offset: u64) -> &mut Tally {
        let at = self.tallies.iter().position(|tally| tally.remark == remark);
        let at = at.unwrap_or(self.tallies.len());
        if at == self.tallies.len() {
            let frame = self.frame.max(1);
            self.tallies.push(Tally { remark, frame, last: frame, offset, count: 0, amount: 0 });
        }
        let tally = &mut self.tallies[at];
        tally.last = self.frame.max(1);
        tally
    }

    /// Consumes the next record and returns its length, for formats of headers and lengths.
    ///
    /// `whole` tells the length of a record from its `header` bytes, or what is wrong with them.
    #[inline]
    pub fn advance(
        &mut self,
        header: usize,
        whole: impl Fn(&[u8]) -> Result<usize, Fault>,
        probe: impl Fn(&[u8]) -> Link,
    ) -> Result<Option<usize>, CaptureError> {
        loop {
            if self.done {
                return Ok(None);
            }
            let bytes = self.stream.peek(header)?;
            match bytes.get(..header).map(&whole) {
                Some(Ok(len)) => {
                    if self.stream.peek(len)?.len() >= len {
                        if self.hides(len, &probe)? {
                            continue;
                        }
                        self.stream.consume(len);
                        return Ok(Some(len));
                    }
                    self.cut(&probe)?;
                }
                _ if bytes.is_empty() => self.finish()?,
                _ if bytes.iter().take(header).all(|&byte| byte == 0) => {
                    self.padding(&probe, |_| false)?;
                }
                Some(Err(fault)) => drop(self.damage(fault.kind, &fault.text, &probe)?),
                None => drop(self.cut(&probe)?),
            }
        }
    }

    /// Whether the record of `len` bytes that comes next is none: not all of its header is as it should be, and other
    /// records begin inside of it. Then `--salvage` goes on at the first of them.
    #[inline]
    pub fn hides(
        &mut self,
        len: usize,
        probe: impl Fn(&[u8]) -> Link,
    ) -> Result<bool, CaptureError> {
        if !self.salvage {
            return Ok(false);
        }
        if let Link::Record { clean: true, .. } = probe(self.stream.peek(len)?) {
            return Ok(false);
        }
        let offset = self.stream.offset();
        let Some(at) = chain::inside(&mut self.stream, len, probe)? else { return Ok(false) };
        self.stream.consume(at);
        self.gap(offset, WarningKind::DamagedLength, HOLDS_OTHERS);
        Ok(true)
    }

    /// Something that happens at one place: said in the order in which it happened.
    pub fn say(&mut self, kind: WarningKind, offset: u64, text: String) {
        // A damaged file under --salvage may have thousands of gaps.
        if self.remarks.len() >= PLACES {
            self.unsaid += 1;
            return;
        }
        let frame = Some(self.frame.saturating_add(1));
        self.remarks.push(Warning { kind, frame, last_frame: frame, offset: Some(offset), text });
    }

    /// Something about the capture as a whole.
    pub fn say_of_all(&mut self, kind: WarningKind, text: &str) {
        self.remarks.push(Warning::of_all(kind, text));
    }

    /// The capture ends here as it should.
    pub fn finish(&mut self) -> Result<(), CaptureError> {
        if self.done {
            return Ok(());
        }
        self.done = true;
        let offset = self.stream.offset();
        if let Some(failure) = self.stream.failure() {
            let text = format!(
                "the compressed data cannot be read beyond this place ({failure}): everything before it was kept"
            );
            if self.frame == 0 {
                return Err(CaptureError::Refused(text));
            }
            self.say(WarningKind::CompressionDamaged, offset, text);
        } else if self.frame == 0 {
            self.remarks.push(no_records());
        }
        Ok(())
    }

    /// The bytes at the current place cannot be what the format wants there.
    ///
    /// True if `--salvage` found records further on. Else the rest is counted and reading is over.
    pub fn damage(
        &mut self,
        kind: WarningKind,
        text: &str,
        probe: impl Fn(&[u8]) -> Link,
    ) -> Result<bool, CaptureError> {
        let offset = self.stream.offset();
        if self.salvage {
            self.stream.consume(1);
        }
        self.damage_since(offset, kind, text, probe)
    }

    /// The same, where a part of the record that begins at `offset` has been passed already.
    pub fn damage_since(
        &mut self,
        offset: u64,
        kind: WarningKind,
        text: &str,
        probe: impl Fn(&[u8]) -> Link,
    ) -> Result<bool, CaptureError> {
        let record = self.frame.saturating_add(1);
        if self.salvage && chain::resume(&mut self.stream, probe)? {
            self.gap(offset, kind, text);
            return Ok(true);
        }
        self.stream.skip_until(|_| false)?;
        let rest = self.stream.offset() - offset;
        self.done = true;
        let tried =
            if self.salvage { "no plausible records follow" } else { "--salvage may find more" };
        let mut text = format!("record {record} at byte {offset}: {text}; ");
        if self.frame == 0 {
            text.push_str(&format!(
                "nothing could be read, perhaps because of a failed conversion or download ({tried})"
            ));
            return Err(CaptureError::Refused(text));
        }
        let kept =
            if self.frame == 1 { "1 record".into() } else { format!("{} records", self.frame) };
        text.push_str(&format!("{kept} kept, {rest} bytes not read ({tried})"));
        self.say(kind, offset, text);
        Ok(false)
    }

    /// Passes the next `len` bytes, which are a record that nobody needs and that is too long to
    /// be buffered. True if `--salvage` found records among them, and stands at the first.
    pub fn pass(&mut self, len: u64, probe: impl Fn(&[u8]) -> Link) -> Result<bool, CaptureError> {
        let offset = self.stream.offset();
        if !self.salvage {
            self.stream.skip(len)?;
            return Ok(false);
        }
        self.stream.consume(1);
        let found = chain::resume_within(&mut self.stream, len - 1, probe)?;
        if found {
            self.gap(offset, WarningKind::DamagedLength, HOLDS_OTHERS);
        }
        Ok(found)
    }

    /// Says what lies between the record at `offset` and here, where reading goes on.
    fn gap(&mut self, offset: u64, kind: WarningKind, text: &str) {
        let (record, gap) = (self.frame.saturating_add(1), self.stream.offset() - offset);
        self.say(
            kind,
            offset,
            format!("record {record} at byte {offset}: {text}; {gap} bytes were skipped to the next plausible records"),
        );
    }

    /// The file ends inside a record, which is left out: its bytes are not all there.
    ///
    /// True if `--salvage` found records inside what seemed to be the record.
    pub fn cut(&mut self, probe: impl Fn(&[u8]) -> Link) -> Result<bool, CaptureError> {
        let offset = self.stream.offset();
        if self.salvage && self.stream.failure().is_none() {
            self.stream.consume(1);
        }
        self.cut_since(offset, probe)
    }

    /// The same, where a part of the record that begins at `offset` has been passed already.
    pub fn cut_since(
        &mut self,
        offset: u64,
        probe: impl Fn(&[u8]) -> Link,
    ) -> Result<bool, CaptureError> {
        let record = self.frame.saturating_add(1);
        let failure = self.stream.failure().map(str::to_owned);
        if self.salvage && failure.is_none() && chain::resume(&mut self.stream, probe)? {
            self.gap(offset, WarningKind::DamagedLength, "it claims more bytes than the file has");
            return Ok(true);
        }
        self.stream.skip_until(|_| false)?;
        let rest = self.stream.offset() - offset;
        let why = match failure {
            Some(failure) => format!("the compressed data is damaged ({failure})"),
            None => "the file ends".into(),
        };
        self.done = true;
        if self.frame == 0 {
            return Err(CaptureError::Refused(format!(
                "{why} inside its first record, at byte {offset}: nothing could be read"
            )));
        }
        self.say(
            WarningKind::CutInRecord,
            offset,
            format!("{why} inside record {record}, which begins at byte {offset}: its {rest} bytes are left out"),
        );
        Ok(false)
    }

    /// Zeroes where a record should be: padding to the end of the file, or damage.
    ///
    /// Reading goes on if `--salvage` finds records, or where `begins` accepts what follows.
    pub fn padding(
        &mut self,
        probe: impl Fn(&[u8]) -> Link,
        begins: impl Fn(&[u8]) -> bool,
    ) -> Result<(), CaptureError> {
        let offset = self.stream.offset();
        // A record may begin with zeroes: salvage looks before they are passed.
        let found = self.salvage && chain::resume(&mut self.stream, &probe)?;
        if !found {
            self.stream.skip_until(|byte| byte != 0)?;
        }
        let end = self.stream.peek(16)?.is_empty();
        let skipped = self.stream.offset() - offset;
        let what = if found { "bytes that begin with zeroes" } else { "bytes of zeroes" };
        self.say(
            WarningKind::Padding,
            offset,
            format!("{skipped} {what} from byte {offset} on were skipped as padding (a logger that crashed, or reserved space ahead)"),
        );
        if end {
            self.finish()
        } else if found || begins(self.stream.peek(16)?) {
            Ok(())
        } else {
            let text = "zeroes are followed by something else";
            self.damage(WarningKind::DataAfterPadding, text, probe).map(drop)
        }
    }

    /// What would be said if the capture ended here.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.tallies.iter().map(Tally::warning).collect();
        warnings.extend(self.remarks.iter().cloned());
        if self.frame == 0 && !self.done {
            warnings.push(no_records());
        }
        warnings.sort_by_key(|warning| warning.offset);
        if self.unsaid > 0 {
            let text = format!("{} more places of damage were skipped", self.unsaid);
            warnings.push(Warning::of_all(WarningKind::MoreDamage, text));
        }
        warnings
    }
}

fn no_records() -> Warning {
    Warning::of_all(WarningKind::NoRecords, "the capture has a header and no records")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::OpenOptions;

    const NOON: i64 = 1_700_000_000_000_000;

    fn ledger(clock: Clock) -> Ledger {
        Ledger::new(Stream::new(Box::new(std::io::empty())), clock, &OpenOptions::default())
    }

    fn codes(mut ledger: Ledger) -> Vec<(WarningKind, Option<u32>)> {
        ledger.next_frame();
        ledger.finish().unwrap();
        ledger.warnings().iter().map(|warning| (warning.kind, warning.frame)).collect()
    }

    #[test]
    fn a_clock_that_leaps_is_noticed_once_with_its_first_place() {
        let mut ledger = ledger(Clock::Utc);
        for time in [NOON, NOON + 2 * YEAR, NOON + 2 * YEAR - 5, NOON + 2 * YEAR - 7] {
            ledger.next_frame();
            assert_eq!(ledger.moment(time, 0), Some(Timestamp(time)));
        }
        assert_eq!(
            codes(ledger),
            [(WarningKind::TimeJumps, Some(2)), (WarningKind::TimeStepsBack, Some(3))]
        );
    }

    #[test]
    fn times_of_power_on_are_relative_from_the_start() {
        let mut ledger = ledger(Clock::Local);
        assert_eq!(ledger.moment(5_000_000, 0), Some(Timestamp(5_000_000)));
        assert_eq!(ledger.clock(), Clock::Relative);
        assert_eq!(ledger.moment(5_400_000, 0), Some(Timestamp(5_400_000)));
        assert_eq!(codes(ledger), [(WarningKind::ClockUnset, Some(1))]);
    }

    #[test]
    fn one_impossible_time_among_good_ones_is_no_time() {
        let mut ledger = ledger(Clock::Utc);
        assert!(ledger.moment(NOON, 0).is_some());
        assert_eq!(ledger.moment(i64::MIN, 0), None);
        assert_eq!(ledger.moment(i64::MAX, 0), None);
        assert_eq!(ledger.moment(NOON + 1, 0), Some(Timestamp(NOON + 1)));
        assert_eq!(ledger.clock(), Clock::Utc);
    }
}
