//! One bundle while it is made: the second reading, the check, the texts.
use super::check::{self, Cited, Claimed, Places, facts};
use super::container::{Container, Writer};
use super::replace::Held;
use super::search::Search;
use super::stream::Stream;
use super::trim::{Scope, Trim};
use super::{Bundle, Draft, FirstReading, Options, Part, Refusal, Tools, label, manifest};
use super::{logs, text};
use crate::capture::{Input, OpenOptions};
use crate::case::{self, Case, Side};
use crate::compare::{self, Peer};
use crate::packet::{Address, Event};
use crate::report::{Report, Shown, html, markdown};
use crate::sides::Which;
use crate::time::Clock;
use crate::timeline::Capture;
use crate::witness::{self, Log};
use foldhash::{HashMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// The neutral day that captures are moved to: 2001-01-01, in days since 1970.
const NEUTRAL_DAY: i64 = 11_323;
const DAY_US: i64 = 86_400_000_000;
/// Bytes that are written at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;
/// How a capture of D-Bus is called, which becomes text.
pub(super) const BUS: &str = "a capture of D-Bus, as text";

/// One bundle while it is made.
pub(super) struct Work<'c> {
    pub case: &'c Case,
    pub options: &'c Options,
    pub tools: Tools,
    pub read: FirstReading,
}

/// A capture that was written, and where its frames went.
struct Written {
    part: Part,
    /// Of the frames that the report speaks of.
    frames: HashMap<u32, u32>,
    connections: Vec<u32>,
}

/// Where the frames and connections of all captures went, and which claims of logs did not come along.
struct Moved<'w> {
    captures: &'w [Written],
    left_out: &'w HashSet<Claimed>,
}

impl Places for Moved<'_> {
    fn frame(&mut self, capture: usize, frame: u32) -> Option<u32> {
        self.captures.get(capture)?.frames.get(&frame).copied()
    }

    fn claim(&mut self, claimed: Claimed) -> bool {
        !self.left_out.contains(&claimed)
    }

    fn connection(&mut self, capture: usize, number: u32) -> Option<u32> {
        let place =
            self.captures.get(capture)?.connections.iter().position(|kept| *kept == number)?;
        u32::try_from(place + 1).ok()
    }
}

type Different = (String, String);

impl Work<'_> {
    /// A bundle with so much left out; or what would be different then.
    pub fn attempt(
        &self,
        trim: Trim,
        draft: &dyn Fn() -> io::Result<Box<dyn Draft>>,
    ) -> Result<Result<Bundle, Different>, Refusal> {
        let mut cited = Cited { left_out: self.left_out(trim), ..Cited::default() };
        facts(&self.read.report, &mut cited);
        let Cited { frames: mut cited, left_out } = cited;
        let mut written = Vec::new();
        for at in 0..self.case.sides().len() {
            let cited = cited.remove(&at).unwrap_or_default().into_iter().collect();
            written.push(self.write(at, trim, cited, draft()?)?);
        }
        let mut moved = Moved { captures: &written, left_out: &left_out };
        let before = facts(&self.read.report, &mut moved);
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
        let mut logs = Vec::new();
        for (at, side) in self.case.sides().iter().enumerate() {
            let read = self.read.report.testimonies.iter().filter(|it| it.capture == at);
            for (number, (input, testimony)) in side.witnesses.iter().zip(read).enumerate() {
                let keeps = |claim| !left_out.contains(&(at, number, claim));
                let kept = logs::Wanted { log: &testimony.log, trim, keeps: &keeps };
                let (part, log) = self.write_log(at, number, input, &kept, draft()?)?;
                let Some(log) = log else {
                    let nothing = format!("{} is no log any more", part.name);
                    return Ok(Err((part.from, nothing)));
                };
                parts.push(part);
                logs.push((at, log));
            }
        }
        let comparing = self.comparing(&connections);
        let analysis = case::Analysis::with_logs(captures, logs, &comparing);
        let shown = Shown { aliases: true, ..Shown::default() };
        let report = Report { shown, ..Report::from(analysis) };
        let names = self.tools.table.names().map(|(name, alias)| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            (text(name), text(alias))
        });
        let addresses =
            self.tools.table.addresses().map(|(one, other)| (Address(one), Address(other)));
        // The first alias is this one: nobody has asked before.
        let _ = report.aliases.set(self.tools.labels.renamed(addresses, names));
        let after = facts(&report, &mut check::Same);
        if let Some((before, after)) = check::difference(&before, &after) {
            return Ok(Err((before.to_owned(), after.to_owned())));
        }
        let mut bundle = Bundle { parts, report, manifest: String::new(), map: self.map(), trim };
        bundle.manifest = manifest::write(self, &bundle);
        // What a report without any capture says is nobody's.
        let empty = Report { shown, ..Report::default() };
        for (place, text, always) in [
            ("MANIFEST.md", bundle.manifest.clone(), String::new()),
            ("report.md", markdown::render(&bundle.report), markdown::render(&empty)),
            ("report.html", html::render(&bundle.report), html::render(&empty)),
        ] {
            if let Some(what) = self.tools.search.find_in_text(&text, &always) {
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
        let mut scope = Scope::of(trim, &self.read.report.analysis, at, cited.clone());
        let connections = scope.connections(capture.connections.len());
        if self.read.text[at] {
            return self.write_text(at, scope, connections, file);
        }
        let wants = move |event: &Event<'_>, connection, _| scope.wants(event, connection);
        let mut stream =
            Stream::open(side, at, capture, &self.tools, Box::new(wants)).map_err(unreadable)?;
        let variant = stream.variant();
        let container = Container::of(capture.format, &variant, self.read.needs[at]);
        let called = format!("{}.{}", label(self.case.sides().len(), at), container.ending());
        let mut out = Output {
            writer: Writer::new(container, io::BufWriter::with_capacity(WRITTEN_AT_ONCE, file))?,
            shift: if self.keeps_times() {
                0
            } else {
                to_neutral_day(&self.read.report.captures, capture)
            },
            search: &self.tools.search,
            cited: &cited,
            place: &called,
            records: 0,
            unfit: 0,
            frames: HashMap::default(),
        };
        while let Some(held) = stream.front().map_err(unreadable)? {
            out.push(held)?;
            stream.done();
        }
        if let Some((frame, what)) = stream.leak() {
            return Err(Refusal::Leak { what, place: format!("{called}, from frame {frame}") });
        }
        let Output { writer, records, unfit, frames, .. } = out;
        let file = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        let part = Part {
            name: called,
            file,
            from: match variant.as_str() {
                "" => capture.format.to_owned(),
                variant => format!("{}, {variant}", capture.format),
            },
            container,
            records_before: stream.before,
            records_after: records,
            unfit,
            counts: stream.counts(),
        };
        Ok(Written { part, frames, connections })
    }

    /// Writes one capture that is text.
    fn write_text(
        &self,
        at: usize,
        scope: Scope,
        connections: Vec<u32>,
        file: Box<dyn Draft>,
    ) -> Result<Written, Refusal> {
        let side = &self.case.sides()[at];
        let capture = &self.read.report.captures[at];
        let mut out = io::BufWriter::new(file);
        let text = text::write(side, at, capture, &self.tools, scope, &mut out);
        let text = text
            .map_err(|error| Refusal::Capture { name: side.capture.name().into_owned(), error })?;
        let name = format!("{}.{}", label(self.case.sides().len(), at), Container::Text.ending());
        if let Some((frame, what)) = text.leak {
            return Err(Refusal::Leak { what, place: format!("{name}, from frame {frame}") });
        }
        let part = Part {
            name,
            file: out.into_inner().map_err(io::IntoInnerError::into_error)?,
            from: capture.format.to_owned(),
            container: Container::Text,
            records_before: text.before,
            records_after: text.records,
            unfit: 0,
            counts: text.counts,
        };
        Ok(Written { part, frames: text.frames, connections })
    }

    /// Writes one log, and reads what was written.
    fn write_log(
        &self,
        at: usize,
        number: usize,
        input: &Input,
        wanted: &logs::Wanted<'_>,
        file: Box<dyn Draft>,
    ) -> Result<(Part, Option<Log>), Refusal> {
        let unreadable = |error| Refusal::Capture { name: input.name().into_owned(), error };
        let name = format!("{}.log-{}.txt", label(self.case.sides().len(), at), number + 1);
        let mut out = io::BufWriter::new(file);
        let kept = logs::write(input, wanted, &self.tools, &mut out).map_err(unreadable)?;
        if let Some((line, what)) = kept.leak {
            return Err(Refusal::Leak { what, place: format!("{name}, from line {line}") });
        }
        let lent = Lent::of(out.into_inner().map_err(io::IntoInnerError::into_error)?)?;
        let written = Input::reader(&name, lent.clone());
        let log = witness::read(&written, &OpenOptions::default()).map_err(unreadable)?;
        drop(written);
        let part = Part {
            name,
            file: Box::new(lent),
            from: input_kind(&self.read.report, at, number),
            container: Container::Log,
            records_before: kept.before,
            records_after: kept.after,
            unfit: 0,
            counts: super::Counts::default(),
        };
        Ok((part, log))
    }

    /// The claims of logs about devices and connections that are left out.
    fn left_out(&self, trim: Trim) -> HashSet<Claimed> {
        let mut left_out = HashSet::default();
        for testimony in &self.read.report.testimonies {
            let at = testimony.capture;
            let scope = Scope::of(trim, &self.read.report.analysis, at, HashSet::default());
            let all = self.read.report.captures.get(at).map_or(0, |it| it.connections.len());
            let kept = scope.connections(all);
            let strange =
                testimony.log.claims.iter().enumerate().filter(|(_, claim)| {
                    claim.device.is_some_and(|device| !scope.has_device(device))
                });
            let gone = testimony.relations.iter().filter(|relation| {
                relation.connection.is_some_and(|number| !kept.contains(&number))
            });
            let claims = strange.map(|(claim, _)| claim).chain(gone.map(|relation| relation.claim));
            left_out.extend(claims.map(|claim| (at, testimony.index, claim)));
        }
        left_out
    }

    /// Whether times stay. Logs have their own times, in many forms: the captures beside them stay where they are.
    pub fn keeps_times(&self) -> bool {
        self.options.keep_times || !self.read.report.testimonies.is_empty()
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
        address.map(|address| Peer::Address(Address(self.tools.table.address(address.0))))
    }

    /// Original and alias, a line each.
    fn map(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (original, alias) in self.tools.table.addresses() {
            let (original, alias) = (Address(original), Address(alias));
            let label = self.tools.labels.of_address(original).unwrap_or("");
            lines.push(format!("address\t{original}\t{alias}\t{label}\n"));
        }
        for (name, alias) in self.tools.table.names() {
            let name = crate::report::safe::text(&String::from_utf8_lossy(name)).into_owned();
            let alias = String::from_utf8_lossy(alias);
            lines.push(format!("name\t{name}\t{alias}\t\n"));
        }
        lines.sort();
        format!("kind\toriginal\talias\tin the report\n{}", lines.concat())
    }
}

/// Which program wrote a log.
fn input_kind(report: &Report, at: usize, number: usize) -> String {
    let of = |it: &&witness::Testimony| it.capture == at && it.index == number;
    let word = |it: &witness::Testimony| match it.log.is_bus_capture() {
        true => BUS,
        false => it.log.kind.word(),
    };
    report.testimonies.iter().find(of).map_or("log", word).to_owned()
}

/// Reads a new capture, and returns its file.
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
    fn push(&mut self, held: &Held) -> Result<(), Refusal> {
        if let Some(what) = self.search.find(&held.clean) {
            let place = format!("{}, from frame {}", self.place, held.frame);
            return Err(Refusal::Leak { what, place });
        }
        if !self.writer.push(held, self.shift)? {
            self.unfit += 1;
            return Ok(());
        }
        self.records += 1;
        if self.cited.contains(&held.frame) {
            let frame = u32::try_from(self.records).unwrap_or(u32::MAX);
            self.frames.insert(held.frame, frame);
        }
        Ok(())
    }
}

/// How far the times of a capture are moved: all captures by the same number of days.
pub(super) fn to_neutral_day(captures: &[Capture], capture: &Capture) -> i64 {
    let dated = |capture: &&Capture| matches!(capture.clock, Clock::Utc | Clock::Local);
    if !dated(&capture) {
        return 0;
    }
    let first = captures.iter().filter(dated).filter_map(|capture| capture.first_time).min();
    first.map_or(0, |first| (NEUTRAL_DAY - first.0.div_euclid(DAY_US)) * DAY_US)
}
