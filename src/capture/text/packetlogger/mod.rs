//! PacketLogger's list as text: copied, exported, or printed by its command line tool.
//!
//! One packet gives several rows, from its decoded protocols down to its bytes. Where the bytes
//! are there (raw rows, or hexadecimal at the end of a row) nothing is lost but the year and
//! the microseconds; else the words of the rows are taken at their word.
use super::super::stream::Stream;
use super::super::{
    Boxed, CaptureError, Claim, Description, Format, Head, Kind, LONGEST, OpenOptions, Record,
    Source, Warning, h4,
};
use super::transcript::{Shown, Start, Transcript};
use super::{lines, puzzles};
use row::{Level, Row};
use words::Words;

mod decoded;
mod row;
mod words;

pub(crate) const FORMAT: Format = Format { name: "packetlogger-text", claim, open };

/// What is said of a text in which something is missing.
const LACKS: &str = "some of PacketLogger's rows do not show the whole packet (values end after twenty bytes, most parameters of commands and events are missing): what is missing is unknown, and no finding is made from it; the .pklg file has all, and so has a text export with raw rows";

fn claim(head: &Head<'_>) -> Claim {
    let mut bytes = Vec::new();
    let rows = lines::of_head(head).iter().filter_map(|line| Row::parse(line));
    let clean = rows.filter(|row| row.kind.is_some() || row.tail(&mut bytes).is_some());
    Claim::chain(u32::try_from(clean.count()).unwrap_or(u32::MAX - 2))
}

fn open(mut stream: Stream, options: &OpenOptions) -> Result<Boxed, CaptureError> {
    let (lines, _) = lines::ahead(&mut stream)?;
    let first = lines.iter().find_map(|line| Row::parse(line)).and_then(|row| row.when);
    Ok(Box::new(Reader {
        text: Transcript::new(stream, options, first),
        open: None,
        next: None,
        done: Gathered::default(),
    }))
}

/// The rows of one packet so far.
#[derive(Default)]
struct Gathered {
    start: Start,
    kind: Option<Kind>,
    handle: Option<u16>,
    level: Option<Level>,
    /// The packet's bytes, from a raw row or a row's end.
    bytes: Vec<u8>,
    words: Words,
}

struct Reader {
    text: Transcript,
    open: Option<Gathered>,
    /// The packet whose first row ended the one before.
    next: Option<Gathered>,
    /// The packet that is lent.
    done: Gathered,
}

impl Gathered {
    fn begin(row: &Row<'_>, offset: u64) -> Self {
        let start = Start { offset, when: row.when, adapter: None, direction: row.direction };
        let mut gathered = Self { start, kind: row.kind, ..Self::default() };
        gathered.push(row);
        gathered
    }

    /// Whether a row shows the same packet once more, closer to its bytes.
    fn continues(&self, row: &Row<'_>) -> bool {
        let Start { when, direction, .. } = self.start;
        let same = (self.kind, direction, when) == (row.kind, row.direction, row.when);
        // Raw rows show no handle; events about several links show one of them.
        let one_link = row.level == Level::Raw
            || self.handle.is_none()
            || row.handle == self.handle
            || row.kind != Some(Kind::Acl);
        // Two packets of one millisecond: their bytes tell them apart.
        let mut bytes = Vec::new();
        let one_packet =
            self.bytes.is_empty() || row.tail(&mut bytes).is_none() || bytes == self.bytes;
        same && one_link
            && one_packet
            && self.level.is_some_and(|level| row.level > level)
            && !matches!(row.kind, Some(Kind::Note(_)) | None)
    }

    fn push(&mut self, row: &Row<'_>) {
        self.level = Some(row.level);
        if row.level != Level::Raw || self.kind.is_none() {
            self.handle = self.handle.or(row.handle);
        }
        let mut bytes = Vec::new();
        if let Some(kind) = row.tail(&mut bytes) {
            self.kind = Some(kind);
            self.bytes = bytes;
        } else if let (Level::Raw, Some((0, groups))) = (row.level, row::dump(row.description)) {
            self.bytes.clear();
            row::groups(groups, &mut self.bytes);
        }
        self.words.row(row);
    }

    /// A line below the row.
    fn detail(&mut self, line: &str) {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        let Some((offset, groups)) = row::dump(line) else {
            self.words.below(line);
            return;
        };
        let into = match self.level {
            Some(Level::Raw) => &mut self.bytes,
            Some(Level::L2cap) => &mut self.words.frame,
            _ => return,
        };
        // The first line repeats the row; a gap means that lines are missing.
        if offset == 0 {
            into.clear();
        }
        if offset == into.len() && offset < LONGEST as usize {
            row::groups(groups, into);
        }
    }

    /// Whether the bytes are all there, so that no other row is needed.
    fn is_complete(&self) -> bool {
        self.level == Some(Level::Raw) && self.kind.is_some_and(|kind| h4::fits(kind, &self.bytes))
    }
}

impl Reader {
    /// Gathers the rows of one packet into `done`.
    fn gather(&mut self) -> Result<bool, CaptureError> {
        if let Some(next) = self.next.take() {
            self.open = Some(next);
        }
        loop {
            if !self.text.next_line()? {
                return match self.open.take() {
                    Some(last) => {
                        self.done = last;
                        Ok(true)
                    }
                    None => {
                        self.text.finish()?;
                        Ok(false)
                    }
                };
            }
            let line = self.text.line();
            let Some(row) = Row::parse(line.text()) else {
                if puzzles::begins_packet(line.text()) {
                    self.text.puzzle();
                } else if let Some(open) = &mut self.open {
                    open.detail(line.certain());
                }
                continue;
            };
            // Bytes at a row's end begin where a packet fits: in a row that was cut another one may.
            if line.is_open() && row.tail(&mut Vec::new()).is_some() {
                self.text.puzzle();
                continue;
            }
            if let Some(open) = &mut self.open
                && !open.is_complete()
                && open.continues(&row)
            {
                open.push(&row);
                continue;
            }
            let begun = Gathered::begin(&row, line.offset());
            if begun.kind.is_none() {
                self.text.puzzle();
                continue;
            }
            if let Some(complete) = self.open.replace(begun) {
                self.next = self.open.take();
                self.done = complete;
                return Ok(true);
            }
        }
    }
}

impl Source for Reader {
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        if !self.gather()? {
            return Ok(None);
        }
        let done = &mut self.done;
        let kind = done.kind.unwrap_or(Kind::Empty);
        let shown = if let Kind::Note(_) = kind {
            Shown::Bytes(kind, done.words.description.as_bytes())
        } else if done.bytes.is_empty() {
            Shown::Outline(kind, done.words.outline(kind, done.handle), 0)
        } else {
            Shown::Bytes(kind, &done.bytes)
        };
        Ok(Some(self.text.record(done.start, shown)))
    }

    fn describe(&self) -> Description {
        let clock = self.text.clock();
        Description { format: FORMAT.name, variant: "rows".into(), clock, resolution_us: 1000 }
    }

    fn warnings(&self) -> Vec<Warning> {
        self.text.warnings(Some(LACKS))
    }
}
