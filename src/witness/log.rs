//! A log, read to its end: its kind, its clock, and what its lines claim.
use super::bus::{Bus, BusClaim};
use super::claim::{Claim, Kind, LogClock, Radio, What};
use super::dbus::container::Container;
use super::head::{self, Dated, Form, Head, Stamp};
use super::lines::Lines;
use super::monitor;
use super::names;
use super::reader::{Memory, Message, READERS, Said, device, names_hidden_device};
use super::story::{self, Open, Told};
use crate::capture::{self, CaptureError, Input, OpenOptions, Stream};
use crate::packet::Address;
use crate::redact;
use crate::time::{Moment, Timestamp};
use crate::timeline::hash_of_line;
use aho_corasick::{AhoCorasick, MatchKind};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

/// Most claims that are kept. More are counted.
const MOST_CLAIMS: usize = 50_000;
/// Most devices whose first advertising is kept.
const MOST_HEARD: usize = 512;
/// Most authors whose last device is remembered.
const MOST_AUTHORS: usize = 64;
/// The longest quotation of a line, in characters.
const LONGEST_QUOTE: usize = 200;
/// How much of a skipped line is kept, in case that the next one belongs to it.
const HEAD: usize = 160;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

/// Words of dbus-monitor's heads.
const BUS_MARKS: [&str; 2] = ["sender=:", "sender=org.freedesktop"];

/// The words of all readers: a line without any of them is passed at once. A word that holds another one is left out:
/// the fewer there are, the faster is the search.
static MARKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let marks = || READERS.iter().flat_map(|reader| reader.marks.iter().copied()).chain(BUS_MARKS);
    let needed = |mark: &&str| !marks().any(|other| other != *mark && mark.contains(other));
    let kind = MatchKind::LeftmostFirst;
    AhoCorasick::builder().match_kind(kind).build(marks().filter(needed)).ok()
});

/// What a log says, as far as it is about Bluetooth connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Log {
    /// The file's name, without folders.
    pub file: String,
    /// Which program wrote it.
    pub kind: Kind,
    /// What its times are counted from.
    pub clock: LogClock,
    /// The smallest step of its stamps.
    pub resolution_us: u32,
    /// Lines, or messages of a D-Bus capture.
    pub lines: u64,
    /// Lines that say something about a connection, those without a counterpart in HCI included.
    pub understood: u64,
    /// In the order of the lines.
    pub claims: Vec<Claim>,
    /// What the lines call devices, and the machines that speak for them.
    pub(crate) names: Vec<(Option<Address>, String)>,
    pub(super) dated: Dated,
    /// It was read from packets, not from lines.
    pub(super) bus_capture: bool,
}

impl Log {
    /// What the log tells without any capture: one attempt after the other.
    pub fn attempts(&self) -> Vec<Told> {
        story::attempts(self)
    }

    /// Whether it was read from a binary capture of D-Bus, and not from text.
    pub(crate) fn is_bus_capture(&self) -> bool {
        self.bus_capture
    }

    /// Words of the log that stand for several truths, between which only a capture can tell.
    pub fn open(&self) -> Vec<Open> {
        story::open(&self.attempts())
    }

    /// The first and the last time among the claims.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || self.claims.iter().filter_map(|claim| claim.at.time());
        Some((times().min()?, times().max()?))
    }
}

/// Whether a line holds one of the words that readers look for.
pub(crate) fn may_say_something(line: &str) -> bool {
    MARKS.as_ref().is_none_or(|marks| marks.is_match(line))
}

/// Whether a message of dbus-monitor begins with this line.
pub(crate) fn is_bus_head(line: &str) -> bool {
    line.contains("sender=") && monitor::head(line.trim_start(), 0).is_some()
}

/// Reads a log. `None`: it is none that is known here.
pub fn read(input: &Input, options: &OpenOptions) -> Result<Option<Log>, CaptureError> {
    let (file, stream) = capture::bytes(input, options)?;
    match Container::open(stream)? {
        Ok(container) => Ok(Some(bus(file, container)?)),
        Err(stream) => text(file, stream),
    }
}

fn bus(file: String, mut container: Container) -> Result<Log, CaptureError> {
    let mut keeper = Keeper::default();
    let mut bus = Bus::default();
    let mut messages = 0;
    let clock = LogClock::Utc;
    while let Some(frame) = container.next()? {
        messages = u64::from(frame.number);
        let Some(message) = super::dbus::decode(frame.bytes) else { continue };
        let stamp = frame.micros.map(|micros| Stamp {
            micros,
            clock,
            dated: Dated::Whole,
            resolution_us: 1,
        });
        for claim in bus.push(&message, frame.number) {
            keeper.push_bus(claim, frame.number, stamp);
        }
    }
    Ok(Log {
        file,
        kind: Kind::DBus,
        clock,
        resolution_us: 1,
        lines: messages,
        understood: keeper.understood,
        claims: keeper.claims.into_iter().map(|(claim, _)| claim).collect(),
        names: Vec::new(),
        dated: Dated::Whole,
        bus_capture: true,
    })
}

fn text(file: String, stream: Stream) -> Result<Option<Log>, CaptureError> {
    let mut lines = Lines::new(stream)?;
    let mut reading = Reading::default();
    let mut strange = 0_u64;
    loop {
        // Of a log of gigabytes almost every line is somebody else's.
        if let (None, Some(marks)) = (&reading.open, MARKS.as_ref())
            && let Some(passed) = lines.pass_without(marks)?
        {
            strange += passed.with_zeroes;
            reading.pass(passed.last);
            continue;
        }
        let number = lines.number() + 1;
        let Some(line) = lines.next()? else { break };
        strange += u64::from(line.contains(&0));
        reading.line(line, u32::try_from(number).unwrap_or(u32::MAX));
    }
    reading.flush();
    // Noise has zeroes in most of its lines.
    let noise = strange * 2 > lines.number();
    if reading.keeper.understood == 0 && (reading.known == 0 || noise) {
        return Ok(None);
    }
    Ok(Some(reading.finish(file, lines.number())))
}

/// What is known while a text is read.
#[derive(Default)]
struct Reading {
    memory: Memory,
    /// Who wrote the last line of a Python log.
    author: String,
    keeper: Keeper,
    /// dbus-monitor: the message whose values are being printed.
    open: Option<monitor::Open>,
    bus: Bus,
    /// The beginning of the last line that was passed, if it may be a head.
    passed: Vec<u8>,
    /// Of the last line with a head: when, and whether traceback lines may follow.
    last: Option<(Option<Stamp>, bool)>,
    /// Lines with a head of a program that is known, whatever they say.
    known: u64,
    /// Those of them that are heads of dbus-monitor's messages.
    messages: u64,
    votes: BTreeMap<Kind, u64>,
    names: Vec<(Option<Address>, String)>,
    /// Names of users and hosts, which no quotation shows.
    people: Vec<String>,
    cleaned: String,
}

impl Reading {
    fn line(&mut self, raw: &[u8], number: u32) {
        if let Some(open) = &mut self.open
            && raw.first().is_some_and(|byte| byte.is_ascii_whitespace())
        {
            capture::clean(raw, &mut self.cleaned);
            open.value(&self.cleaned);
            return;
        }
        let interesting = MARKS.as_ref().is_none_or(|marks| marks.is_match(raw));
        if !interesting {
            return self.pass(raw);
        }
        let mut cleaned = std::mem::take(&mut self.cleaned);
        capture::clean(raw, &mut cleaned);
        self.cleaned_line(&cleaned, number);
        self.cleaned = cleaned;
    }

    /// A line of somebody else: only its stamp may be asked for.
    fn pass(&mut self, raw: &[u8]) {
        self.passed.clear();
        let indented = raw.first().is_none_or(|byte| byte.is_ascii_whitespace());
        if !indented {
            self.passed.extend_from_slice(raw.get(..HEAD).unwrap_or(raw));
        }
    }

    fn cleaned_line(&mut self, line: &str, number: u32) {
        if line.contains("sender=")
            && let Some(open) = monitor::head(line.trim_start(), number)
        {
            self.flush();
            self.open = Some(open);
            self.known += 1;
            self.messages += 1;
            return;
        }
        let mut head = head::split(line);
        // A service's output in the journal: a traceback's lines have the journal's head before them.
        let carried = head.filter(|head| {
            head.form == Form::Journal && !["bluetoothd", "kernel"].contains(&head.author)
        });
        let mut text = line.trim_start_matches(['>', ' ', '\t']);
        if let (Some(carrier), Some((_, true))) = (carried, self.last) {
            text = carrier.text.trim_start();
            head = None;
            self.passed.clear();
        }
        match &head {
            Some(head) => {
                self.known += u64::from(["bluetoothd", "kernel"].contains(&head.author));
                let python = matches!(head.form, Form::Python | Form::HomeAssistant);
                self.last = Some((head.stamp, python));
                self.passed.clear();
            }
            None => self.take_passed(),
        }
        let message = match &head {
            Some(head) => Message {
                form: Some(head.form),
                author: head.author,
                level: head.level,
                text: head.text,
            },
            None => Message { form: None, author: "", level: "", text },
        };
        let python = matches!(message.form, Some(Form::Python | Form::HomeAssistant));
        let named = device(message.text);
        if python {
            if named.is_some() || names_hidden_device(message.text) {
                self.memory.remember(message.author);
            }
            self.author.clear();
            self.author.push_str(message.author);
        }
        // A line of a traceback is about what its logger spoke of.
        let author = if message.form.is_none() { &self.author } else { message.author };
        self.keeper.named(author, named);
        let understood = READERS.iter().find_map(|reader| {
            let said = (reader.read)(&message, &self.memory)?;
            Some((reader.kind, said))
        });
        let host = head.as_ref().and_then(|head| names::host(line, head));
        self.people(host.into_iter().chain(redact::users(line)));
        for (device, name) in names::of(message.text) {
            let known = self.names.iter().any(|(of, known)| *of == device && known == name);
            if !known && self.names.len() < names::MOST {
                self.names.push((device, name.to_owned()));
            }
        }
        let Some((kind, said)) = understood else { return };
        if python {
            self.memory.remember(message.author);
        }
        if let Some(kind) = label(kind, head.as_ref()) {
            *self.votes.entry(kind).or_default() += 1;
        }
        let stamp = match (&head, self.last) {
            (Some(head), _) => head.stamp,
            (None, Some((stamp, true))) => stamp,
            (None, _) => None,
        };
        let author = if message.form.is_none() { &self.author } else { message.author };
        self.keeper.push(said, author, message.text, number, stamp);
    }

    /// Remembers who must not be named. What machines are called by default names nobody.
    fn people<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names.filter(|name| name.len() > 2 && !names::is_default(name)) {
            if self.people.len() < names::MOST && !self.people.iter().any(|known| known == name) {
                self.people.push(name.to_owned());
            }
        }
    }

    /// The line before had none of our words, and may yet be what this one belongs to.
    fn take_passed(&mut self) {
        if self.passed.is_empty() {
            return;
        }
        let mut cleaned = String::new();
        capture::clean(&self.passed, &mut cleaned);
        self.passed.clear();
        if let Some(head) = head::split(&cleaned) {
            let python = matches!(head.form, Form::Python | Form::HomeAssistant);
            self.last = Some((head.stamp, python));
        }
    }

    /// dbus-monitor's open message is complete.
    fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        let stamp = open.micros.map(|micros| Stamp {
            micros,
            clock: LogClock::Utc,
            dated: Dated::Whole,
            resolution_us: 1,
        });
        for claim in self.bus.push(&open.message, open.line) {
            *self.votes.entry(Kind::DBus).or_default() += 1;
            self.keeper.push_bus(claim, open.line, stamp);
        }
    }

    fn finish(self, file: String, lines: u64) -> Log {
        let Keeper { claims, understood, clocks, .. } = self.keeper;
        let kind =
            self.votes.iter().max_by_key(|(kind, votes)| (**votes, std::cmp::Reverse(**kind)));
        let otherwise = if self.messages > 0 { Kind::DBus } else { Kind::Journal };
        let kind = kind.map_or(otherwise, |(kind, _)| *kind);
        // Several logs in one paste have several clocks: the one of most lines counts.
        let most = clocks.iter().max_by_key(|(key, votes)| (**votes, std::cmp::Reverse(**key)));
        let (clock, dated) = most.map_or((LogClock::None, Dated::Whole), |(key, _)| *key);
        let people = self.people;
        let mut resolution_us = 0;
        let mut finest = 1_000_000;
        let claims = claims
            .into_iter()
            .map(|(mut claim, stamp)| {
                let same = stamp.filter(|stamp| (stamp.clock, stamp.dated) == (clock, dated));
                if let Some(stamp) = same {
                    finest = finest.min(stamp.resolution_us);
                    resolution_us = finest;
                    claim.at = Moment::from(Timestamp(stamp.micros));
                }
                if let Cow::Owned(hidden) = redact::words(&claim.text, &people) {
                    claim.text = hidden.into();
                }
                claim
            })
            .collect();
        let names = self.names;
        Log {
            file,
            kind,
            clock,
            resolution_us,
            lines,
            understood,
            claims,
            names,
            dated,
            bus_capture: false,
        }
    }
}

/// What a log of such lines is called. Lines of a traceback say nothing about it.
fn label(kind: Kind, head: Option<&Head<'_>>) -> Option<Kind> {
    let head = match head {
        Some(head) => head,
        None => return (kind == Kind::Bluetoothctl).then_some(kind),
    };
    Some(match (kind, head.form) {
        (Kind::Bluetoothd, _) if head.stamp.is_some() => Kind::Journal,
        (_, Form::HomeAssistant) => Kind::HomeAssistant,
        (kind, _) => kind,
    })
}

/// Claims as they come, and what is common to all.
#[derive(Default)]
struct Keeper {
    claims: Vec<(Claim, Option<Stamp>)>,
    understood: u64,
    clocks: BTreeMap<(LogClock, Dated), u64>,
    heard: HashSet<(Option<Address>, Radio)>,
    last_device: Option<Address>,
    /// The last device that each author named.
    devices: HashMap<String, Address>,
    /// The last time of day, and how many midnights passed since the first.
    day: Option<(i64, i64)>,
}

impl Keeper {
    /// Somebody named a device, whatever he said of it.
    fn named(&mut self, author: &str, device: Option<Address>) {
        let Some(device) = device else { return };
        self.last_device = Some(device);
        if let Some(last) = self.devices.get_mut(author) {
            *last = device;
        } else if self.devices.len() < MOST_AUTHORS {
            self.devices.insert(author.to_owned(), device);
        }
    }

    fn push(&mut self, said: Said, author: &str, text: &str, line: u32, stamp: Option<Stamp>) {
        let named = device(text);
        let radio = match said.radio {
            Radio::Unsaid => super::reader::adapter(text).map_or(Radio::Unsaid, Radio::Adapter),
            radio => radio,
        };
        let named = named.or_else(|| match said.what {
            What::AddressNamed => super::reader::address_at(text, b" "),
            _ => None,
        });
        let claim = Claim {
            line,
            at: Moment::UNKNOWN,
            what: said.what,
            radio,
            adapter_address: said.adapter_address,
            device: named.or_else(|| self.devices.get(author).copied()).or(self.last_device),
            device_named: named.is_some(),
            handle: said.handle,
            client: None,
            answers: None,
            said: if author == "bluetoothd" { hash_of_line(text) } else { 0 },
            text: Box::default(),
        };
        self.keep(claim, text, stamp);
    }

    fn push_bus(&mut self, bus: BusClaim, line: u32, stamp: Option<Stamp>) {
        let claim = Claim {
            line,
            at: stamp.map(|stamp| Timestamp(stamp.micros)).into(),
            what: bus.what,
            radio: bus.radio,
            adapter_address: None,
            device: bus.device,
            device_named: bus.device.is_some(),
            handle: None,
            client: bus.client,
            answers: bus.answers,
            said: 0,
            text: Box::default(),
        };
        self.keep(claim, &bus.text, stamp);
    }

    /// Counts a claim, and keeps it with its text where there is room. Only what is kept is quoted: that takes long.
    fn keep(&mut self, claim: Claim, text: &str, stamp: Option<Stamp>) {
        self.understood += 1;
        if claim.device_named {
            self.last_device = claim.device;
        }
        let stamp = stamp.map(|stamp| self.on_its_day(stamp));
        if let Some(stamp) = stamp {
            *self.clocks.entry((stamp.clock, stamp.dated)).or_default() += 1;
        }
        if claim.what == What::Aside {
            return;
        }
        // A scanner says the same of the same device a thousand times.
        if claim.what == What::Heard {
            let place = (claim.device, claim.radio);
            if self.heard.len() >= MOST_HEARD || !self.heard.insert(place) {
                return;
            }
        }
        if self.claims.len() < MOST_CLAIMS {
            self.claims.push((Claim { text: quote(text), ..claim }, stamp));
        }
    }

    /// Of a time of day: counts the midnights.
    fn on_its_day(&mut self, stamp: Stamp) -> Stamp {
        if stamp.dated != Dated::Time {
            return stamp;
        }
        let (last, mut days) = self.day.unwrap_or((stamp.micros, 0));
        if last - stamp.micros > DAY / 2 {
            days += 1;
        }
        self.day = Some((stamp.micros, days));
        Stamp { micros: stamp.micros + days * DAY, ..stamp }
    }
}

/// A line's message as reports may show it.
fn quote(text: &str) -> Box<str> {
    let hidden = redact::log(text.trim());
    let mut short: String = hidden.chars().take(LONGEST_QUOTE).collect();
    if short.len() < hidden.len() {
        short.push('…');
    }
    short.into()
}
