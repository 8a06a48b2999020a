//! Events fold into connections: who connected to whom, what was tried on the
//! link, and the facts that decide a diagnosis.
//!
//! This module's types are plain, owned data. [`Tracker`] builds them from events;
//! everything behind it (compare, rules, report) only reads them.
mod accept_list;
mod adapter;
mod air;
mod answers;
mod any;
mod att;
mod attempts;
mod commands;
mod connection;
mod database;
mod device;
mod early;
mod ends;
mod established;
mod fitness;
mod gaps;
mod hci_numbers;
mod host;
pub(crate) mod identity;
mod index;
mod keys;
mod link_layer;
mod live;
mod notes;
mod on_air;
mod pace;
mod security;
mod signalling;
mod step;
mod trace;
mod tracker;

#[cfg(test)]
mod tests;

pub use crate::time::Moment;
pub use adapter::{Adapter, AdapterEvent, Happening, Scan};
pub use connection::{
    AdapterLoss, Connection, Credits, End, EndedBy, FirstAtt, Gone, Granted, Mtu, Oddity,
    OddityKind, OpenRequest, Peer, Pending, Request, RequestKind, Role, Sighting, Transport,
    Written,
};
pub use database::{Attribute, AttributeKind, Database, Owner};
pub use device::{Advertised, Device, Report};
pub use gaps::Gap;
pub use keys::{KeySeen, KeyUse};
pub use pace::{Answers, Pace, Samples};
pub use step::{Detail, Encryption, Outcome, PairingPhase, Procedure, Step};
pub use trace::{Capture, Fitness, FitnessKind, Host, LogLine, Stack, Totals, hash_of_line};
pub use tracker::{Origin, Tracker};
