//! Captures whose lines hold the packets' bytes in hexadecimal: nothing is lost but times.
//!
//! What a line means is a [`Form`]'s, one file each; everything else is here.
use super::super::stream::Stream;
use super::super::{
    Boxed, CaptureError, Claim, Description, Direction, Head, Kind, LONGEST, OpenOptions, Record,
    Source, Warning, WarningKind, h4,
};
use super::times::When;
use super::transcript::{self, Shown, Transcript};
use super::{lines, puzzles};

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
    let (mut form, mut open, mut clean) = (F::of(lines), None, 0);
    let (mut bytes, mut more) = (Vec::new(), Vec::new());
    for line in lines {
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
    let (lines, _) = lines::ahead(&mut stream)?;
    let mut form = F::of(&lines);
    let first = lines.iter().find_map(|line| match form.row(line, false, &mut Vec::new()) {
        Row::Packet { when, .. } | Row::Before { when, .. } => Some(when),
        _ => None,
    });
    Ok(Box::new(Reader {
        text: Transcript::new(stream, options, first.flatten()),
        form: F::of(&lines),
        open: None,
        next: None,
        again: false,
        bytes: Vec::new(),
        more: Vec::new(),
    }))
}

/// Where a packet began and what its first line says.
type Start = (Kind, transcript::Start);

struct Reader<F> {
    text: Transcript,
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
    /// What the line says of the packet that begins in it.
    fn start(&self, when: Option<When>, direction: Option<Direction>) -> transcript::Start {
        let offset = self.text.line().offset();
        transcript::Start { offset, when, adapter: None, direction }
    }

    /// Gathers the bytes of one packet.
    fn gather(&mut self) -> Result<Option<Start>, CaptureError> {
        self.bytes.clear();
        if let Some(next) = self.next.take() {
            std::mem::swap(&mut self.bytes, &mut self.more);
            self.open = Some(next);
        }
        loop {
            let wants = wants(self.open.map(|(kind, _)| kind), &self.bytes);
            if let Some(open) = self.open.filter(|_| !wants) {
                self.open = None;
                return Ok(Some(open));
            }
            if !std::mem::take(&mut self.again) && !self.text.next_line()? {
                self.more.clear();
                if let Some(open) = self.open.take() {
                    return Ok(Some(open));
                }
                let Row::Packet { when, kind, direction } = self.form.last(&mut self.more) else {
                    self.text.finish()?;
                    return Ok(None);
                };
                std::mem::swap(&mut self.bytes, &mut self.more);
                return Ok(Some((kind, self.start(when, direction))));
            }
            self.more.clear();
            // Bytes are held against their packet's length; a pause (`+31m` of `+31ms`) is not.
            let text = self.text.line().text();
            let pause = text.rsplit(' ').next().is_some_and(|word| word.starts_with('+'));
            let text = if pause { self.text.line().certain() } else { text };
            let row = self.form.row(text, wants, &mut self.more);
            self.again = matches!(row, Row::Before { .. });
            match row {
                Row::Packet { when, kind, direction } | Row::Before { when, kind, direction } => {
                    let start = (kind, self.start(when, direction));
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
                Row::Other if !puzzles::begins_packet(text) => {}
                Row::Other | Row::Puzzle => self.text.puzzle(),
            }
        }
    }
}

impl<F: Form> Source for Reader<F> {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some((kind, start)) = self.gather()? else { return Ok(None) };
        Ok(Some(self.text.record(start, Shown::Bytes(kind, &self.bytes))))
    }

    fn describe(&self) -> Description {
        Description {
            format: F::FORMAT,
            variant: F::VARIANT.into(),
            clock: self.text.clock(),
            resolution_us: F::RESOLUTION_US,
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.text.warnings(None);
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
