//! Compare two Bluetooth HCI captures: what went wrong, why, and what to change.
//!
//! Data flows one way, and each room knows only the rooms before it:
//!
//! [`capture`] turns files into records → [`decode`] turns records into events of the [`packet`] vocabulary →
//! [`timeline`] folds events into connections with timelines → [`compare`] aligns two
//! connections → [`diagnose`] turns evidence into findings → [`report`] shows them.
//!
//! [`case`] holds the one entry: [`analyse`] takes a [`Case`] through all of it, up to the findings.
//!
//! ```
//! use hcidiff::diagnose::Level;
//! use hcidiff::report::{Report, markdown};
//! use hcidiff::{Case, analyse, case::Unreadable};
//!
//! # fn main() -> Result<(), Unreadable> {
//! let case = Case::pair("fixtures/flagship/mac.pklg", "fixtures/flagship/pi.btsnoop");
//! let analysis = analyse(&case)?;
//!
//! // Every attempt to connect, how long it lived, and why it ended.
//! for connection in &analysis.captures[1].connections {
//!     let reason = connection.end.as_ref().map(|end| end.reason.to_string());
//!     println!("{} lived {:?}, {reason:?}", connection.number, connection.life());
//! }
//!
//! // The two connections that tell most, step by step.
//! let comparison = analysis.comparison.as_ref().expect("both connect to the same device");
//! assert!(!comparison.steps.is_empty());
//!
//! // What the differences mean: the best explained first.
//! let verdict = &analysis.findings[0];
//! assert_eq!((verdict.rule, verdict.level), ("never-heard-peer", Level::Cause));
//! for evidence in &verdict.evidence {
//!     println!("frame {}: {}", evidence.frame, evidence.text);
//! }
//!
//! // All of it as a page.
//! assert!(markdown::render(&Report::from(analysis)).contains("never-heard-peer"));
//! # Ok(())
//! # }
//! ```
//!
//! Records and events stream; whoever wants every packet takes them one by one:
//!
//! ```
//! use hcidiff::capture::{CaptureError, OpenOptions, open};
//! use hcidiff::decode::Decoder;
//! use hcidiff::packet::Packet;
//!
//! # fn main() -> Result<(), CaptureError> {
//! let input = "fixtures/flagship/pi.btsnoop".into();
//! let mut source = open(&input, &OpenOptions::default())?.source;
//! let mut decoder = Decoder::new();
//! let mut attribute_packets = 0;
//! while let Some(record) = source.next()? {
//!     let event = decoder.decode(&record);
//!     attribute_packets += u32::from(matches!(event.packet, Packet::Att { .. }));
//! }
//! assert!(attribute_packets > 0);
//! # Ok(())
//! # }
//! ```
//!
//! Features: `cli` (default) is the program with all that it needs; `archives` reads captures inside of zip and
//! tar archives; `record` (default) records from the kernel of Linux; `threads` reads both captures of a pair at the same time. Without `cli` the library needs no terminal,
//! no temporary files and no threads: it compiles for `wasm32-unknown-unknown`. There a capture comes from
//! [`capture::Input::bytes`], and an archive that comes from a reader is kept in memory, up to 256 MiB.

#![warn(missing_docs)]

pub mod air;
pub mod capture;
pub mod case;
pub mod check;
pub mod compare;
pub mod decode;
pub mod diagnose;
pub mod explain;
pub mod packet;
pub mod prose;
pub mod recipe;
#[cfg(all(feature = "record", target_os = "linux"))]
pub mod record;
pub mod recording;
pub mod redact;
pub mod report;
pub mod seen;
pub mod share;
pub mod sides;
pub mod survey;
pub mod time;
pub mod timeline;
#[doc(hidden)]
pub mod trace;
mod vocabulary;
pub mod watch;
pub mod witness;

#[doc(hidden)]
pub mod numbers;

pub use case::{Analysis, Case, analyse};
