//! A capture that can be shown to strangers, and the proof that it still tells the same story.
//!
//! Each capture is read twice. The first reading collects what must not be shown ([`originals`]); the second writes
//! the records again, field by field ([`replace`]), and looks for all originals in what was written ([`search`]).
//! Then the new captures are analysed, and what is found must be what was found before ([`check`]).
use crate::capture::{self, CaptureError, Input, WriteError};
use crate::case::{self, Case, Side, Unreadable, read_seeing};
use crate::compare::{self, Peer};
use crate::decode::Decoder;
use crate::packet::Address;
use crate::report::aliases::Aliases;
use crate::report::{Report, Shown};
use crate::seen::SourceId;
use crate::sides::Which;
use crate::time::Clock;
use crate::timeline::{Capture, Tracker};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom, Write};

#[cfg(feature = "archives")]
mod bundle;
mod check;
mod container;
mod manifest;
mod originals;
mod replace;
mod search;
mod survey;
mod table;
mod trim;

#[cfg(feature = "archives")]
pub use bundle::write;
pub use container::Container;
pub use replace::Counts;
pub use trim::Trim;

use check::{Cited, Places, facts};
use container::{Needs, Writer};
use originals::Originals;
use replace::words::Words;
use replace::{Kept, Line, Replacer};
use search::Search;
use survey::Survey;
use table::Table;
use trim::Scope;

/// The neutral day that captures are moved to: 2001-01-01, in days since 1970.
const NEUTRAL_DAY: i64 = 11_323;
const DAY_US: i64 = 86_400_000_000;

/// What the user decides about a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub trim: Trim,
    /// Attribute values stay as they were captured.
    pub keep_values: bool,
    /// Names of devices and hosts stay.
    pub keep_names: bool,
    /// The captures stay on their day.
    pub keep_times: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { trim: Trim::Story, keep_values: false, keep_names: false, keep_times: false }
    }
}

/// Where a new capture is written before it is looked at: a file without a name, or memory.
pub trait Draft: Read + Write + Seek + Send + 'static {}

impl<T: Read + Write + Seek + Send + 'static> Draft for T {}

/// One capture of a bundle.
pub struct Part {
    /// What the file is called in the bundle.
    pub name: String,
    pub file: Box<dyn Draft>,
    /// How the original was stored.
    pub from: String,
    pub container: Container,
    pub records_before: u64,
    pub records_after: u64,
    /// Records that the file has no place for.
    pub unfit: u64,
    pub counts: Counts,
}

/// Everything that goes into a bundle.
pub struct Bundle {
    pub parts: Vec<Part>,
    /// What the new captures show.
    pub report: Report,
    /// In plain words: what was removed, replaced, kept.
    pub manifest: String,
    /// Original and alias, for the reporter alone.
    pub map: String,
    /// How much was left out: perhaps less than was asked for.
    pub trim: Trim,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("{name}: {error}")]
    Capture { name: String, error: CaptureError },
    #[error("{name} can be read only once, and sharing reads it twice: save it into a file first")]
    Once { name: String },
    #[error(
        "{name} is text: hcidiff cannot share text captures yet; share the recording that it was made from"
    )]
    Text { name: String },
    /// Something of the original was found in the output.
    #[error(
        "nothing was written: {what} of the original was found in {place}; please report this as a bug of hcidiff"
    )]
    Leak { what: &'static str, place: String },
    /// The new captures do not tell the same story.
    #[error(
        "nothing was written: the redacted capture would not give the same report ({before}; {after})"
    )]
    Verdict { before: String, after: String },
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io(error) => Self::Io(error),
            WriteError::Unfit(what) => Self::Io(io::Error::other(what)),
        }
    }
}

/// What the first reading taught.
struct FirstReading {
    found: Originals,
    report: Report,
    needs: Vec<Needs>,
}

/// Makes a bundle of the captures of a case. `draft` gives a place for each new capture.
pub fn share(
    case: &Case,
    options: &Options,
    draft: &dyn Fn() -> io::Result<Box<dyn Draft>>,
) -> Result<Bundle, Refusal> {
    let read = first_reading(case)?;
    let kept = Kept { values: options.keep_values, names: options.keep_names };
    let labels = Aliases::of(&read.report.captures);
    let table = Table::of(&read.found, &labels, kept.names);
    let work = Work {
        case,
        options,
        kept,
        words: Words::of(&table),
        search: Search::of(&read.found, kept),
        table,
        labels,
        read,
    };
    let mut different = None;
    for trim in options.trim.and_milder() {
        match work.attempt(trim, draft)? {
            Ok(bundle) => return Ok(bundle),
            Err(difference) => different = Some(difference),
        }
    }
    let (before, after) = different.unwrap_or_default();
    Err(Refusal::Verdict { before, after })
}

/// What captures are called in a bundle.
fn label(captures: usize, at: usize) -> &'static str {
    match (captures, at) {
        (1, _) => "capture",
        (_, 0) => "works",
        _ => "fails",
    }
}

fn first_reading(case: &Case) -> Result<FirstReading, Refusal> {
    let mut found = Originals::default();
    let (mut captures, mut needs) = (Vec::new(), Vec::new());
    let sides = case.sides();
    for (at, side) in sides.iter().enumerate() {
        let name = || side.capture.name().into_owned();
        if side.capture.is_read_once() {
            return Err(Refusal::Once { name: name() });
        }
        let mut survey = Survey::new(&mut found);
        let mut side = side.clone();
        side.label = Some(label(sides.len(), at).to_owned());
        let capture = read_seeing(&side, |record, event, _| survey.see(record, event))
            .map_err(|error| Refusal::Capture { name: name(), error })?;
        if survey.text {
            return Err(Refusal::Text { name: name() });
        }
        needs.push(survey.needs);
        survey.text(&capture.file);
        let names = capture.connections.iter().filter_map(|it| it.peer.name.as_deref());
        let names = names.chain(capture.devices.iter().filter_map(|it| it.name.as_deref()));
        for name in names.chain(capture.adapters.iter().filter_map(|it| it.name.as_deref())) {
            survey::learned_name(&mut found, name);
        }
        captures.push(capture);
    }
    let analysis = case::Analysis::of(captures, &case.comparing);
    let shown = Shown { aliases: true, ..Shown::default() };
    let report = Report { shown, ..Report::from(analysis) };
    Ok(FirstReading { found, report, needs })
}

/// One bundle while it is made.
struct Work<'c> {
    case: &'c Case,
    options: &'c Options,
    kept: Kept,
    table: Table,
    words: Words,
    search: Search,
    labels: Aliases,
    read: FirstReading,
}

/// A capture that was written, and where its frames went.
struct Written {
    part: Part,
    /// Of the frames that the report speaks of.
    frames: HashMap<u32, u32>,
    connections: Vec<u32>,
}

/// Where the frames and connections of all captures went.
struct Moved<'w>(&'w [Written]);

impl Places for Moved<'_> {
    fn frame(&mut self, capture: usize, frame: u32) -> Option<u32> {
        self.0.get(capture)?.frames.get(&frame).copied()
    }

    fn connection(&mut self, capture: usize, number: u32) -> Option<u32> {
        let place = self.0.get(capture)?.connections.iter().position(|kept| *kept == number)?;
        u32::try_from(place + 1).ok()
    }
}

type Different = (String, String);

impl Work<'_> {
    /// A bundle with so much left out; or what would be different then.
    fn attempt(
        &self,
        trim: Trim,
        draft: &dyn Fn() -> io::Result<Box<dyn Draft>>,
    ) -> Result<Result<Bundle, Different>, Refusal> {
        let mut cited = Cited::default();
        facts(&self.read.report, &mut cited);
        let mut written = Vec::new();
        for at in 0..self.case.sides().len() {
            let cited = cited.0.remove(&at).unwrap_or_default().into_iter().collect();
            written.push(self.write(at, trim, cited, draft()?)?);
        }
        let before = facts(&self.read.report, &mut Moved(&written));
        let mut parts: Vec<Part> = Vec::new();
        let (written, moved): (Vec<_>, Vec<_>) = written
            .into_iter()
            .map(|Written { part, frames, connections }| (part, (frames, connections)))
            .unzip();
        let connections: Vec<Vec<u32>> = moved.into_iter().map(|(_, kept)| kept).collect();
        let mut captures = Vec::new();
        for (at, mut part) in written.into_iter().enumerate() {
            let (capture, file) =
                reread(&part.name, label(self.case.sides().len(), at), part.file)?;
            part.file = file;
            parts.push(part);
            captures.push(capture);
        }
        let analysis = case::Analysis::of(captures, &self.comparing(&connections));
        let shown = Shown { aliases: true, ..Shown::default() };
        let report = Report { shown, ..Report::from(analysis) };
        let names = self.table.names().map(|(name, alias)| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            (text(name), text(alias))
        });
        let addresses = self.table.addresses().map(|(one, other)| (Address(one), Address(other)));
        // The first alias is this one: nobody has asked before.
        let _ = report.aliases.set(self.labels.renamed(addresses, names));
        let after = facts(&report, &mut check::Same);
        if let Some((before, after)) = check::difference(&before, &after) {
            return Ok(Err((before.to_owned(), after.to_owned())));
        }
        let mut bundle = Bundle { parts, report, manifest: String::new(), map: self.map(), trim };
        bundle.manifest = manifest::write(self, &bundle);
        for (place, text) in [
            ("MANIFEST.md", bundle.manifest.clone()),
            ("report.md", crate::report::markdown::render(&bundle.report)),
            ("report.html", crate::report::html::render(&bundle.report)),
        ] {
            if let Some(what) = self.search.find_in_text(&text) {
                return Err(Refusal::Leak { what, place: place.to_owned() });
            }
        }
        Ok(Ok(bundle))
    }

    /// Writes one capture.
    fn write(
        &self,
        at: usize,
        trim: Trim,
        cited: HashSet<u32>,
        file: Box<dyn Draft>,
    ) -> Result<Written, Refusal> {
        let side = &self.case.sides()[at];
        let name = || side.capture.name().into_owned();
        let unreadable = |error| Refusal::Capture { name: name(), error };
        let capture = &self.read.report.captures[at];
        let mut opened = capture::open(&side.capture, &side.reading).map_err(unreadable)?;
        let mut scope = Scope::of(trim, &self.read.report.analysis, at, cited.clone());
        let mut replacer = Replacer::of(capture, &self.table, &self.words, &self.search, self.kept);
        let mut line = Line::default();
        let variant = opened.source.describe().variant;
        let container = Container::of(capture.format, &variant, self.read.needs[at]);
        let called = format!("{}.{}", label(self.case.sides().len(), at), container.ending());
        let mut out = Output {
            writer: Writer::new(container, io::BufWriter::new(file))?,
            shift: self.shift(capture),
            search: &self.search,
            cited: &cited,
            place: &called,
            records: 0,
            unfit: 0,
            frames: HashMap::new(),
        };
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::of(SourceId::from(at)));
        let mut before = 0;
        let mut range = side.range.clone();
        loop {
            let kept = {
                let Some(record) = opened.source.next().map_err(unreadable)? else { break };
                before += 1;
                let event = decoder.decode(&record);
                if !range.has(event.frame, event.time) {
                    replacer.skip(&event, None);
                    continue;
                }
                let connection = tracker.push(&event);
                let wanted = scope.wants(&event, connection);
                if wanted {
                    replacer.push(&record, &event, connection, &mut line);
                } else {
                    replacer.skip(&event, connection);
                }
                wanted
            };
            if kept && let Some(held) = line.last_mut() {
                held.lost = opened.source.lost();
            }
            out.drain(&mut line, false)?;
        }
        out.drain(&mut line, true)?;
        if let Some((frame, what)) = replacer.leak {
            return Err(Refusal::Leak { what, place: format!("{called}, from frame {frame}") });
        }
        let Output { writer, records, unfit, frames, .. } = out;
        let file = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut counts = replacer.counts;
        counts.zeroed += line.given_up;
        let part = Part {
            name: called,
            file,
            from: format!("{} ({variant})", capture.format),
            container,
            records_before: before,
            records_after: records,
            unfit,
            counts,
        };
        let connections = scope.connections(capture.connections.len());
        Ok(Written { part, frames, connections })
    }

    /// How far the times of a capture are moved: all captures by the same number of days.
    fn shift(&self, capture: &Capture) -> i64 {
        let dated = |capture: &&Capture| matches!(capture.clock, Clock::Utc | Clock::Local);
        if self.options.keep_times || !dated(&capture) {
            return 0;
        }
        let captures = self.read.report.captures.iter().filter(dated);
        let first = captures.filter_map(|capture| capture.first_time).min();
        first.map_or(0, |first| (NEUTRAL_DAY - first.0.div_euclid(DAY_US)) * DAY_US)
    }

    /// What was asked of the originals, asked of the new captures.
    fn comparing(&self, connections: &[Vec<u32>]) -> compare::Options {
        let mut options = self.case.comparing.clone();
        for (at, which) in [Which::Reference, Which::Subject].into_iter().enumerate() {
            let wanted = &mut options.wanted[which];
            wanted.peer = wanted.peer.take().and_then(|peer| self.peer(at, peer));
            let kept = connections.get(at).or(connections.first());
            wanted.connection = wanted.connection.and_then(|number| {
                let place = kept?.iter().position(|kept| *kept == number)?;
                u32::try_from(place + 1).ok()
            });
        }
        options
    }

    /// The device that was asked for, as the new captures know it.
    fn peer(&self, at: usize, asked: Peer) -> Option<Peer> {
        let address = match asked {
            Peer::Address(address) => Some(address),
            Peer::Name(_) => {
                let analysis = &self.read.report.analysis;
                let at = at.min(analysis.captures.len().saturating_sub(1));
                let compared = analysis.comparison.as_ref().and_then(|comparison| {
                    let sides = [comparison.reference, comparison.subject];
                    let side = sides.into_iter().find(|side| side.capture == at)?;
                    analysis.captures.get(at)?.connection(side.connection)
                });
                compared.or_else(|| analysis.most_telling(at))?.peer.who()
            }
        };
        address.map(|address| Peer::Address(Address(self.table.address(address.0))))
    }

    /// Original and alias, a line each.
    fn map(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (original, alias) in self.table.addresses() {
            let (original, alias) = (Address(original), Address(alias));
            let label = self.labels.of_address(original).unwrap_or("");
            lines.push(format!("address\t{original}\t{alias}\t{label}\n"));
        }
        for (name, alias) in self.table.names() {
            let name = crate::report::safe::text(&String::from_utf8_lossy(name)).into_owned();
            let alias = String::from_utf8_lossy(alias);
            lines.push(format!("name\t{name}\t{alias}\t\n"));
        }
        lines.sort();
        format!("kind\toriginal\talias\tin the report\n{}", lines.concat())
    }
}

/// Reads a new capture. Its file comes back.
fn reread(
    name: &str,
    label: &str,
    file: Box<dyn Draft>,
) -> Result<(Capture, Box<dyn Draft>), Refusal> {
    let lent = Lent::of(file)?;
    let mut side = Side::new(Input::reader(name, lent.clone()));
    side.label = Some(label.to_owned());
    let capture =
        case::read(&side).map_err(|error| Refusal::Capture { name: name.to_owned(), error })?;
    drop(side);
    Ok((capture, Box::new(lent)))
}

/// A file that is read from its beginning, and given back afterwards.
#[derive(Clone)]
struct Lent(std::sync::Arc<std::sync::Mutex<Box<dyn Draft>>>);

impl Lent {
    fn of(mut file: Box<dyn Draft>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self(std::sync::Arc::new(std::sync::Mutex::new(file))))
    }

    fn file(&self) -> std::sync::MutexGuard<'_, Box<dyn Draft>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Read for Lent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file().read(buffer)
    }
}

impl Write for Lent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Seek for Lent {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file().seek(to)
    }
}

/// Records on their way into the file: each is looked at before it is written.
struct Output<'o, W: Write> {
    writer: Writer<W>,
    shift: i64,
    search: &'o Search,
    cited: &'o HashSet<u32>,
    place: &'o str,
    records: u64,
    unfit: u64,
    frames: HashMap<u32, u32>,
}

impl<W: Write> Output<'_, W> {
    fn drain(&mut self, line: &mut Line, end: bool) -> Result<(), Refusal> {
        while let Some(held) = line.next(end) {
            if let Some(what) = self.search.find(&held.clean) {
                let place = format!("{}, from frame {}", self.place, held.frame);
                return Err(Refusal::Leak { what, place });
            }
            if !self.writer.push(&held, self.shift)? {
                self.unfit += 1;
                continue;
            }
            self.records += 1;
            if self.cited.contains(&held.frame) {
                let frame = u32::try_from(self.records).unwrap_or(u32::MAX);
                self.frames.insert(held.frame, frame);
            }
        }
        Ok(())
    }
}
