//! Host logs as witnesses: what programs, daemons and the bus wrote while the capture was made.
//!
//! [`read`] makes typed claims of a log's lines: connect asked, connected, disconnected with a reason in its own number
//! system. [`Testimony`] holds them against a capture: [`Alignment`] finds the log's time, and each claim gets a [`Relation`].
//! Each kind of log is one file with a `reader::Reader`, and one line in `reader::READERS`.
mod air;
mod align;
mod apple_log;
mod bleak;
mod bluetoothctl;
mod bluetoothd;
mod bus;
mod claim;
mod dbus;
mod esp_idf;
mod esphome;
mod head;
mod home_assistant;
mod kernel;
mod lines;
mod log;
mod logcat;
mod monitor;
mod months;
mod names;
mod nimble;
mod program;
mod reader;
mod relate;
mod relation;
mod retry_connector;
mod story;
mod wire;

pub use air::{Joined, Sniffed};
pub use align::Alignment;
pub use claim::{Asker, Claim, FailedAt, Failure, Kind, LogClock, Radio, Reason, What};
pub(crate) use dbus::Messages;
pub use log::{Log, read};
pub(crate) use log::{is_bus_head, may_say_something};
pub(crate) use months::is_month;
pub use relation::{Detail, Relation, RelationKind};
pub use story::{Open, Told};

use crate::seen::{Seen, SourceId};
use crate::time::Timestamp;
use crate::timeline::Capture;

/// Where the text of a log's line begins, and where the name of the host stands before it. `None`: a line without a head,
/// which belongs to the line before it.
pub(crate) fn line_head(line: &str) -> Option<(usize, Option<std::ops::Range<usize>>)> {
    let head = head::split(line)?;
    // Positions within the line: the head's parts are parts of it.
    let place = |part: &str| (part.as_ptr() as usize).checked_sub(line.as_ptr() as usize);
    let text = place(head.text).filter(|text| line.is_char_boundary(*text))?;
    let host = names::host(line, &head).and_then(|host| {
        let at = place(host)?;
        (at + host.len() <= text).then_some(at..at + host.len())
    });
    Some((text, host))
}

/// The format of a side that is a log.
pub const FORMAT: &str = "log";

/// A log that was held against a capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Testimony {
    /// What facts from this log name as their source.
    pub source: SourceId,
    /// The capture that it was held against, by its place among the captures.
    pub capture: usize,
    /// Its place among the witnesses of that capture.
    pub index: usize,
    /// The log.
    pub log: Log,
    /// Where it lies against the capture.
    pub alignment: Alignment,
    /// Of the claims that have any, in their order.
    pub relations: Vec<Relation>,
    /// The log stands in the place of a capture: there are no packets.
    pub alone: bool,
    /// The witness is a sniffer's capture.
    pub air: Option<Sniffed>,
}

impl Testimony {
    /// Holds a log against the capture of the same side.
    pub fn of(log: Log, capture: &Capture) -> Self {
        let alone = capture.format == FORMAT;
        let wire = wire::Wire::of(capture);
        let alignment = align::align(&log, &wire, capture.first_time.is_some());
        let relations = match alone {
            true => relate::denied(&log),
            false => relate::relate(&log, &wire, &alignment),
        };
        let source = SourceId::Witness(0);
        Self { source, capture: 0, index: 0, log, alignment, relations, alone, air: None }
    }

    /// All logs of a case, each against the capture of its side: pairs of the capture's place and a log.
    pub fn all(logs: Vec<(usize, Log)>, captures: &[Capture]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (at, log) in logs {
            let Some(capture) = captures.get(at) else { continue };
            let index = all.iter().filter(|other| other.capture == at).count();
            let source = SourceId::Witness(u16::try_from(all.len()).unwrap_or(u16::MAX));
            all.push(Self { source, capture: at, index, ..Self::of(log, capture) });
        }
        all
    }

    /// Sniffers' captures beside the logs: pairs of a capture's place and what was heard beside its host. What they
    /// name as their source is their place among all witnesses.
    pub fn add_sniffed(all: &mut Vec<Self>, sniffed: Vec<(usize, Capture)>, captures: &[Capture]) {
        for (at, air) in sniffed {
            let Some(capture) = captures.get(at) else { continue };
            let index = all.iter().filter(|other| other.capture == at).count();
            let source = air.source;
            let (air, alignment) = Sniffed::of(air, capture);
            all.push(Self {
                source,
                capture: at,
                index,
                log: air.log(),
                alignment,
                relations: Vec::new(),
                alone: false,
                air: Some(air),
            });
        }
    }

    /// The claim of a relation.
    pub fn claim(&self, relation: &Relation) -> Option<&Claim> {
        self.log.claims.get(relation.claim)
    }

    /// When a claim was made: on the capture's clock where the log is aligned, else on the log's own.
    pub fn at(&self, claim: usize) -> Option<Timestamp> {
        let aligned = self.alignment.times.get(claim).copied().flatten().map(Timestamp);
        aligned.or_else(|| self.log.claims.get(claim)?.at.time())
    }

    /// The place of a claim, to be cited.
    pub fn seen(&self, claim: &Claim) -> Seen {
        Seen { source: self.source, at: claim.at, frame: claim.line }
    }
}
