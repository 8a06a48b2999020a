//! From the captures of a case to folded ones: open, decode, track.
use super::live::Live;
use super::{Case, Side, Unreadable};
use crate::capture::{
    self, Again, CaptureError, Description, Input, Kind, OpenOptions, Opened, Record,
};
use crate::packet::Event;
use crate::seen::SourceId;
use crate::time::Clock;
use crate::timeline::{Capture, Fitness, FitnessKind, Origin, Tracker};
use crate::witness::{self, Log};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many records of a capture were read so far.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Counts some more.
    pub fn add(&self, records: u64) {
        self.0.fetch_add(records, Ordering::Relaxed);
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads the capture of one side to its end and folds it. Memory does not grow with its size.
///
/// A log in the place of a capture becomes a capture without packets.
pub fn read(side: &Side) -> Result<Capture, CaptureError> {
    capture_or_log(side, false).map(|(capture, _)| capture)
}

/// The same of packets alone, and shows each record on the way: with its event, and the number of its connection.
pub(crate) fn read_seeing(
    side: &Side,
    see: impl FnMut(&Record<'_>, &Event<'_>, Option<u32>),
) -> Result<Capture, CaptureError> {
    packets(side, capture::open(&side.capture, &side.reading)?, see)
}

/// The capture of a side, and the log of a phone that lies in the same bug report, where that is asked for; or the log
/// that stands in its place, beside a capture without packets.
fn capture_or_log(side: &Side, with_log: bool) -> Result<(Capture, Option<Log>), CaptureError> {
    // What can be read only once is kept as far as somebody looked at it.
    let (input, again) = match Again::of(&side.capture)? {
        Some((input, again)) => (input, Some(again)),
        None => (side.capture.clone(), None),
    };
    let can_be_read_again = again.is_none();
    let mut again = again;
    let read = capture::open(&input, &side.reading).and_then(|opened| {
        // A pcapng tells only in its blocks what it holds.
        if opened.source.describe().format != "pcapng"
            && let Some(again) = again.take()
        {
            again.forget();
        }
        let member = opened.member.clone();
        Ok((packets(side, opened, |_, _, _| {})?, member))
    });
    let refused = match read {
        Ok((capture, member)) => {
            let asked = with_log && can_be_read_again;
            let log = if asked { phones(side, &capture, member.as_deref()) } else { None };
            return Ok((capture, log));
        }
        Err(refused) => refused,
    };
    let may_be_log = matches!(refused, CaptureError::Refused(_));
    let input = match again {
        Some(again) => again.input(),
        None => Some(input).filter(|_| can_be_read_again),
    };
    let log = match input.filter(|_| may_be_log) {
        Some(input) => witness::read(&input, &side.reading),
        None => Ok(None),
    };
    match log {
        Ok(Some(log)) => Ok((without_packets(side, &log), Some(log))),
        _ => Err(refused),
    }
}

/// The text of an Android bug report, in the archive beside the snoop log.
const BUG_REPORT: &str = "bugreport*.txt";

/// The logcat of the bug report that a capture was taken from.
fn phones(side: &Side, capture: &Capture, member: Option<&str>) -> Option<Log> {
    let reading = match member {
        Some(member) if member.to_lowercase().contains("btsnoop") => {
            OpenOptions { member: Some(BUG_REPORT.into()), ..side.reading.clone() }
        }
        None if capture.format == "btsnooz" => side.reading.clone(),
        _ => return None,
    };
    let log = witness::read(&side.capture, &reading).ok().flatten()?;
    (log.kind == witness::Kind::Logcat && !log.claims.is_empty()).then_some(log)
}

/// What stands for the capture of a side that is a log.
fn without_packets(side: &Side, log: &Log) -> Capture {
    let label = side.label.clone().unwrap_or_else(|| label_of(&log.file).to_owned());
    let description = Description {
        format: witness::FORMAT,
        variant: log.kind.word().to_owned(),
        clock: Clock::None,
        resolution_us: 0,
    };
    let file = log.file.clone();
    let origin = Origin { file, label, description, warnings: Vec::new(), sha256: None };
    let mut capture = Tracker::of(side.source).finish(origin);
    capture.totals.records = log.lines;
    capture.fitness = vec![Fitness {
        kind: FitnessKind::NoTraffic,
        says: "this side is a log, not a capture: it shows what programs noticed, and no packet".into(),
        remedy: "Record HCI on the host that wrote the log, from before the attempt until after the error (`btmon -w FILE` on Linux): that capture settles what the log leaves open.".into(),
    }];
    capture
}

fn packets(
    side: &Side,
    opened: Opened,
    mut see: impl FnMut(&Record<'_>, &Event<'_>, Option<u32>),
) -> Result<Capture, CaptureError> {
    let mut live = Live::of(side, opened);
    while live.step(&mut see)? {}
    live.finish()
}

/// The file name without its ending, for headings.
pub(super) fn label_of(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

/// What could be read of a case.
pub(super) struct Sides {
    pub captures: Vec<Capture>,
    /// The captures' places, and their logs.
    pub logs: Vec<(usize, Log)>,
    /// The one of two captures that could not be read.
    pub unreadable: Option<Unreadable>,
    /// The side that the first capture belongs to.
    pub first: usize,
}

/// All captures of a case. Where only one of two can be read, that one.
pub(super) fn sides(case: &Case) -> Result<Sides, Unreadable> {
    match case.sides() {
        [] => Ok(Sides { captures: Vec::new(), logs: Vec::new(), unreadable: None, first: 0 }),
        [one] => gathered(case, None, named(one)),
        [reference, subject, ..] => {
            let (reference, subject) = both(reference, subject);
            gathered(case, Some(reference), subject)
        }
    }
}

/// What was read of the captures of a case, with the logs beside them.
pub(super) fn gathered(
    case: &Case,
    reference: Option<Named>,
    last: Named,
) -> Result<Sides, Unreadable> {
    let beside = |at: usize, place| {
        case.sides().get(at).map_or(Ok(Vec::new()), |side| witnesses(side, place))
    };
    let alone = |(capture, log): Held, unreadable, first| -> Result<Sides, Unreadable> {
        let mut logs: Vec<_> = log.map(|log| (0, log)).into_iter().collect();
        logs.extend(beside(first, 0)?);
        Ok(Sides { captures: vec![capture], logs, unreadable, first })
    };
    match (reference, last) {
        (None, last) => alone(last?, None, 0),
        (Some(Ok((mut first, first_log))), Ok((mut second, second_log))) => {
            // Two captures of one name need names that tell them apart.
            if first.label == second.label {
                first.label.push_str(" (1)");
                second.label.push_str(" (2)");
            }
            let mut logs: Vec<_> = first_log.map(|log| (0, log)).into_iter().collect();
            logs.extend(beside(0, 0)?);
            logs.extend(second_log.map(|log| (1, log)));
            logs.extend(beside(1, 1)?);
            Ok(Sides { captures: vec![first, second], logs, unreadable: None, first: 0 })
        }
        (Some(Ok(reference)), Err(failure)) => alone(reference, Some(failure), 0),
        (Some(Err(failure)), Ok(subject)) => alone(subject, Some(failure), 1),
        // The user mends one at a time: the first.
        (Some(Err(failure)), Err(_)) => Err(failure),
    }
}

/// The logs beside a side's capture.
fn witnesses(side: &Side, at: usize) -> Result<Vec<(usize, Log)>, Unreadable> {
    let logs = side.witnesses.iter().filter(|input| !is_of_air(input));
    logs.map(|input| Ok((at, log(input)?))).collect()
}

/// A log that stands beside a capture.
pub(crate) fn log(input: &Input) -> Result<Log, Unreadable> {
    let read = witness::read(input, &OpenOptions::default());
    let log = read.and_then(|log| {
        log.ok_or_else(|| {
            CaptureError::Refused(
                "no log that this tool knows: bluetoothd's or the kernel's journal, bleak, Home Assistant, ESPHome, ESP-IDF, NimBLE, logcat, bluetoothctl, or a D-Bus capture; and no sniffer's capture of the air".into(),
            )
        })
    });
    log.map_err(|error| Unreadable { name: input.name().into_owned(), error })
}

/// Records that are looked at to see what a capture is of.
const LOOKED_AT: usize = 64;

/// Whether a witness is a sniffer's capture.
pub(crate) fn is_of_air(input: &Input) -> bool {
    // A second look is impossible at what can be read only once: a reader, or a pipe with a name.
    let pipe =
        matches!(input, Input::Path(path) if std::fs::metadata(path).is_ok_and(|m| !m.is_file()));
    if input.is_read_once() || pipe {
        return false;
    }
    let Ok(mut opened) = capture::open(input, &OpenOptions::default()) else { return false };
    for _ in 0..LOOKED_AT {
        match opened.source.next() {
            Ok(Some(record)) if matches!(record.kind, Kind::Air(_)) => return true,
            Ok(Some(record))
                if matches!(record.kind, Kind::Vendor(_) | Kind::Foreign(_) | Kind::Empty) => {}
            _ => return false,
        }
    }
    false
}

/// The sniffers' captures of a case, with the places of the captures that they belong to. They are numbered behind
/// `before` other witnesses.
pub(super) fn sniffed(
    case: &Case,
    first: usize,
    captures: usize,
    before: usize,
) -> Result<Vec<(usize, Capture)>, Unreadable> {
    let mut found = Vec::new();
    for (place, side) in case.sides().iter().enumerate() {
        // Where one of two captures could not be read, the other one is alone.
        let place = if captures == case.sides().len() { place } else { place.wrapping_sub(first) };
        if place >= captures {
            continue;
        }
        for input in side.witnesses.iter().filter(|input| is_of_air(input)) {
            let number = u16::try_from(before + found.len()).unwrap_or(u16::MAX);
            let source = SourceId::Witness(number);
            let witness = Side { source, ..Side::new(input.clone()) };
            let read = capture::open(input, &witness.reading)
                .and_then(|opened| packets(&witness, opened, |_, _, _| {}));
            let unreadable = |error| Unreadable { name: input.name().into_owned(), error };
            found.push((place, read.map_err(unreadable)?));
        }
    }
    Ok(found)
}

/// A capture, and a log: the one that it stands for, or the one of the same bug report.
pub(super) type Held = (Capture, Option<Log>);

pub(super) type Named = Result<Held, Unreadable>;

pub(super) fn named(side: &Side) -> Named {
    let unreadable = |error| Unreadable { name: side.capture.name().into_owned(), error };
    capture_or_log(side, true).map_err(unreadable)
}

/// One after the other, where there are no threads.
#[cfg(not(feature = "threads"))]
fn both(reference: &Side, subject: &Side) -> (Named, Named) {
    (named(reference), named(subject))
}

/// Both captures at the same time; where no thread can be made, one after the other.
#[cfg(feature = "threads")]
fn both(reference: &Side, subject: &Side) -> (Named, Named) {
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, || named(subject));
        let first = named(reference);
        let second = match other {
            Ok(other) => other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => named(subject),
        };
        (first, second)
    })
}
