//! Captures whose lines hold the packets' bytes in hexadecimal: nothing is lost but times.
//!
//! What a line means is a [`Form`]'s, one file each; everything else is here.
use super::super::ledger::Ledger;
use super::super::remark::Remark;
use super::super::stream::Stream;
use super::super::{
    Boxed, CaptureError, Claim, Description, Direction, Head, Kind, LONGEST, OpenOptions, Payload,
    Record, Source, Warning, WarningKind, h4,
};
use super::lines::{self, Lines, Puzzles};
use super::times::{Times, When};

/// What a line is to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A packet begins here, with the bytes that were written.
    Packet { when: Option<When>, kind: Kind, direction: Option<Direction> },
    /// A packet of an earlier line, which only this line shows to be one. This line is asked for again.
    Before { when: Option<When>, kind: Kind, direction: Option<Direction> },
    /// The bytes that were written go on with the packet before.
    More,
    /// Nothing of this form: prose, details, another program's line.
    Other,
    /// It begins as a packet does, and cannot be read.
    Puzzle,
}

/// One way of printing packets in hexadecimal.
pub(crate) trait Form: Send {
    const FORMAT: &'static str;
    const VARIANT: &'static str;
    const RESOLUTION_US: u32;

    /// What has been learned from the first lines of the file.
    fn of(head: &[String]) -> Self;

    /// Reads a line and writes its bytes (without H4 type) to `bytes`, which is empty. `wants`
    /// says that the packet before is not complete yet.
    fn row(&mut self, line: &str, wants: bool, bytes: &mut Vec<u8>) -> Row;

    /// A packet that is still held back where the text ends.
    fn last(&mut self, _bytes: &mut Vec<u8>) -> Row {
        Row::Other
    }

    /// What a reader of the report should know of the text as a whole: its kind and a sentence.
    fn remark(&self) -> Option<(WarningKind, String)> {
        None
    }
}

/// As many packets as the first lines hold whose own length is right.
pub(crate) fn claim<F: Form>(head: &Head<'_>) -> Claim {
    let lines = lines::of_head(head);
    let (mut form, mut open, mut clean) = (F::of(&lines), None, 0);
    let (mut bytes, mut more) = (Vec::new(), Vec::new());
    for line in &lines {
        more.clear();
        match form.row(line, wants(open, &bytes), &mut more) {
            Row::Packet { kind, .. } | Row::Before { kind, .. } => {
                std::mem::swap(&mut bytes, &mut more);
                open = Some(kind);
            }
            Row::More => bytes.extend(&more),
            Row::Other | Row::Puzzle => {}
        }
        if open.is_some_and(|kind| h4::fits(kind, &bytes)) {
            (open, clean) = (None, clean + 1);
        }
    }
    Claim::chain(clean)
}

/// Whether a packet's own length asks for more bytes.
fn wants(open: Option<Kind>, bytes: &[u8]) -> bool {
    open.is_some_and(|kind| {
        let is_packet = h4::byte(kind).is_some_and(|byte| (1..=5).contains(&byte));
        is_packet && h4::declared(kind, bytes).is_none_or(|declared| bytes.len() < declared)
    })
}

pub(crate) fn open<F: Form + 'static>(
    mut stream: Stream,
    options: &OpenOptions,
) -> Result<Boxed, CaptureError> {
    let bytes = stream.peek(super::super::format::HEAD)?;
    let lines = lines::of_head(&Head { bytes, whole: bytes.len() < super::super::format::HEAD });
    let mut form = F::of(&lines);
    let first = lines.iter().find_map(|line| match form.row(line, false, &mut Vec::new()) {
        Row::Packet { when, .. } | Row::Before { when, .. } => Some(when),
        _ => None,
    });
    let times = Times::of(first.flatten());
    Ok(Box::new(Reader {
        ledger: Ledger::new(stream, times.clock(), options),
        times,
        lines: Lines::default(),
        puzzles: Puzzles::default(),
        form: F::of(&lines),
        open: None,
        next: None,
        again: false,
        bytes: Vec::new(),
        more: Vec::new(),
    }))
}

/// Where a packet began and what its first line says.
#[derive(Clone, Copy)]
struct Start {
    offset: u64,
    when: Option<When>,
    kind: Kind,
    direction: Option<Direction>,
}

struct Reader<F> {
    ledger: Ledger,
    times: Times,
    lines: Lines,
    puzzles: Puzzles,
    form: F,
    /// The packet whose bytes are being gathered.
    open: Option<Start>,
    /// The packet whose first line showed that the one before is over; its bytes are in `more`.
    next: Option<Start>,
    /// The line is asked for once more.
    again: bool,
    bytes: Vec<u8>,
    more: Vec<u8>,
}

impl<F: Form> Reader<F> {
    /// Gathers the bytes of one packet.
    fn gather(&mut self) -> Result<Option<Start>, CaptureError> {
        self.bytes.clear();
        if let Some(next) = self.next.take() {
            std::mem::swap(&mut self.bytes, &mut self.more);
            self.open = Some(next);
        }
        loop {
            let wants = wants(self.open.map(|open| open.kind), &self.bytes);
            if let Some(open) = self.open.filter(|_| !wants) {
                self.open = None;
                return Ok(Some(open));
            }
            if self.ledger.is_done() {
                return Ok(self.open.take());
            }
            if !std::mem::take(&mut self.again) && !self.lines.read(&mut self.ledger.stream)? {
                self.more.clear();
                if let Some(open) = self.open.take() {
                    return Ok(Some(open));
                }
                let Row::Packet { when, kind, direction } = self.form.last(&mut self.more) else {
                    self.ledger.finish()?;
                    return Ok(None);
                };
                std::mem::swap(&mut self.bytes, &mut self.more);
                return Ok(Some(Start { offset: self.lines.offset(), when, kind, direction }));
            }
            self.more.clear();
            // Bytes are held against their packet's length; a pause (`+31m` of `+31ms`) is not.
            let text = self.lines.text();
            let pause = text.rsplit(' ').next().is_some_and(|word| word.starts_with('+'));
            let text = if pause { self.lines.certain() } else { text };
            let row = self.form.row(text, wants, &mut self.more);
            self.again = matches!(row, Row::Before { .. });
            match row {
                Row::Packet { when, kind, direction } | Row::Before { when, kind, direction } => {
                    let offset = self.lines.offset();
                    let start = Start { offset, when, kind, direction };
                    if self.open.is_some() {
                        self.next = Some(start);
                        return Ok(self.open.take());
                    }
                    std::mem::swap(&mut self.bytes, &mut self.more);
                    self.open = Some(start);
                }
                Row::More => {
                    let room = (LONGEST as usize).saturating_sub(self.bytes.len());
                    self.bytes.extend(self.more.iter().take(room));
                }
                // A line in between ends the packet only if the packet is complete: what other
                // programs print gets between the rows of one packet.
                Row::Other if !lines::begins_packet(text) => {}
                Row::Other | Row::Puzzle => self.puzzles.push(&self.lines, self.ledger.frames()),
            }
        }
    }
}

impl<F: Form> Source for Reader<F> {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(start) = self.gather()? else { return Ok(None) };
        let Start { offset, when, kind, direction } = start;
        let frame = self.ledger.next_frame();
        let time = self.times.moment(when, &mut self.ledger, offset);
        let whole = h4::declared(kind, &self.bytes).unwrap_or_default().max(self.bytes.len());
        if whole > self.bytes.len() {
            self.ledger.remark(Remark::CutPackets, offset);
        }
        Ok(Some(Record {
            frame,
            offset,
            time,
            adapter: None,
            direction: h4::direction(kind).or(direction),
            kind,
            payload: Payload::Bytes(&self.bytes),
            original_len: u32::try_from(whole).unwrap_or(u32::MAX),
            comment: None,
        }))
    }

    fn describe(&self) -> Description {
        let clock = self.times.settled(&self.ledger);
        Description {
            format: F::FORMAT,
            variant: F::VARIANT.into(),
            clock,
            resolution_us: F::RESOLUTION_US,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.ledger.warnings();
        warnings.extend(self.puzzles.warning());
        let remark = self.form.remark();
        warnings.extend(remark.map(|(kind, text)| Warning::of_all(kind, text)));
        warnings
    }
}

/// Appends the bytes of two-digit words that begin `text`; what follows the last of them.
///
/// A comma or a colon may follow a word. One digit at the very end is a word cut in two.
pub(crate) fn words<'a>(text: &'a str, bytes: &mut Vec<u8>) -> &'a str {
    let mut rest = text.trim_start();
    while let Some((word, after)) = rest.split_at_checked(2) {
        let Some(byte) = byte(word) else { break };
        let after = after.strip_prefix([',', ':']).unwrap_or(after);
        if !after.is_empty() && !after.starts_with([' ', '\t']) {
            break;
        }
        bytes.push(byte);
        rest = after.trim_start();
    }
    if rest.len() == 1 && rest.bytes().all(|digit| digit.is_ascii_hexdigit()) { "" } else { rest }
}

/// Appends the bytes of an unbroken run of digits that begins `text`; what follows it.
pub(crate) fn run<'a>(text: &'a str, bytes: &mut Vec<u8>) -> &'a str {
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (digits, rest) = text.split_at(digits);
    let mut pairs = digits;
    while let Some((pair, after)) = pairs.split_at_checked(2) {
        bytes.extend(byte(pair));
        pairs = after;
    }
    rest
}

fn byte(pair: &str) -> Option<u8> {
    // `from_str_radix` would take "+f".
    let digits = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(pair, 16).ok().filter(|_| digits)
}

/// `AA:BB:CC:DD:EE:FF`, as on the wire: the last pair first.
pub(crate) fn address(text: &str) -> Option<[u8; 6]> {
    let mut address = [0; 6];
    let mut pairs = text.split(':');
    for to in address.iter_mut().rev() {
        *to = pairs.next().filter(|pair| pair.len() == 2).and_then(byte)?;
    }
    pairs.next().is_none().then_some(address)
}

/// Takes the H4 type off the front.
pub(crate) fn typed(bytes: &mut Vec<u8>) -> Option<Kind> {
    let kind = h4::kind(*bytes.first()?);
    bytes.remove(0);
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_printed() {
        let mut bytes = Vec::new();
        assert_eq!(words(" 04 0E, 1f: ff  .tail", &mut bytes), ".tail");
        assert_eq!(words("0", &mut bytes), "");
        assert_eq!(words("de ad be ef0", &mut bytes), "ef0");
        assert_eq!(words("+f", &mut bytes), "+f");
        assert_eq!(words("\u{e9}", &mut bytes), "\u{e9}");
        assert_eq!(run("0a1B2 +4ms", &mut bytes), " +4ms");
        assert_eq!(bytes, [0x04, 0x0e, 0x1f, 0xff, 0xde, 0xad, 0xbe, 0x0a, 0x1b]);
    }
}
