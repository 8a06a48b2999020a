//! Host logs as witnesses: what programs, daemons and the bus wrote while the capture was made.
//!
//! [`read`] makes typed claims of a log's lines: connect asked, connected, disconnected with a reason in its own number
//! system. [`Testimony`] holds them against a capture: [`Alignment`] finds the log's time, and each claim gets a [`Relation`].
//! Each kind of log is one file with a [`reader::Reader`], and one line in `reader::READERS`.
mod align;
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
mod nimble;
mod program;
mod reader;
mod relate;
mod relation;
mod retry_connector;
mod wire;

pub use align::Alignment;
pub use claim::{Asker, Claim, FailedAt, Failure, Kind, LogClock, Radio, Reason, What};
pub use log::{Log, read};
pub use relation::{Detail, Relation, RelationKind};

use crate::timeline::Capture;

/// A log that was held against a capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Testimony {
    pub log: Log,
    pub alignment: Alignment,
    /// Of the claims that have any, in their order.
    pub relations: Vec<Relation>,
}

impl Testimony {
    /// Holds a log against the capture of the same side.
    pub fn of(log: Log, capture: &Capture) -> Self {
        let wire = wire::Wire::of(capture);
        let has_clock = capture.first_time.is_some();
        let alignment = align::align(&log, &wire, has_clock);
        let relations = relate::relate(&log, &wire, &alignment);
        Self { log, alignment, relations }
    }

    /// The claim of a relation.
    pub fn claim(&self, relation: &Relation) -> Option<&Claim> {
        self.log.claims.get(relation.claim)
    }
}
