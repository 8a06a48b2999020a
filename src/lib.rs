//! Compare two Bluetooth HCI captures: what went wrong, why, and what to change.
//!
//! Data flows one way, and each room knows only the rooms before it:
//!
//! [`capture`] turns files into records → [`wire`] turns records into events →
//! [`link`] folds events into connections with timelines → [`compare`] aligns two
//! connections → [`rules`] turn evidence into findings → [`report`] shows them.
#![forbid(unsafe_code)]

pub mod capture;
pub mod cli;
pub mod compare;
pub mod diagnosis;
pub mod explain;
pub mod link;
pub mod listing;
pub mod numbers;
pub mod pipeline;
pub mod report;
pub mod rules;
pub mod time;
pub mod trace;
pub mod wire;
