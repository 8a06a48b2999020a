//! Compare two Bluetooth HCI captures: what went wrong, why, and what to change.
//!
//! Data flows one way, and each room knows only the rooms before it:
//!
//! [`capture`] turns files into records → [`decode`] turns records into events of the [`packet`] vocabulary →
//! [`timeline`] folds events into connections with timelines → [`compare`] aligns two
//! connections → [`diagnose`] turns evidence into findings → [`report`] shows them.
//! [`pipeline`] goes from a file to the folded [`timeline::Capture`] in one call.
//!
//! ```
//! use hcidiff::capture::{CaptureError, Input, OpenOptions};
//! use hcidiff::diagnose::{self, Level, Scene};
//! use hcidiff::{compare, pipeline};
//!
//! # fn main() -> Result<(), CaptureError> {
//! let read = |file: &str| {
//!     let input = Input::Path(file.into());
//!     pipeline::read(&input, &OpenOptions::default(), None)
//! };
//! let captures = [read("fixtures/flagship/mac.pklg")?, read("fixtures/flagship/pi.btsnoop")?];
//!
//! // Every attempt to connect, how long it lived, and why it ended.
//! for connection in &captures[1].connections {
//!     let reason = connection.end.as_ref().map(|end| end.reason.to_string());
//!     println!("{} lived {:?}, {reason:?}", connection.number, connection.life());
//! }
//!
//! // The two connections that tell most, step by step.
//! let comparison = compare::of_captures(&captures).expect("both connect to the same device");
//! assert!(!comparison.steps.is_empty());
//!
//! // What the differences mean: the best explained first.
//! let scene = Scene { captures: &captures, subject: 1, comparison: Some(&comparison) };
//! let findings = diagnose::diagnose(&scene);
//! assert_eq!(findings[0].rule, "never-heard-peer");
//! assert_eq!(findings[0].level, Level::Cause);
//! for evidence in &findings[0].evidence {
//!     println!("frame {}: {}", evidence.frame, evidence.text);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Records and events stream; whoever wants every packet takes them one by one:
//!
//! ```
//! use hcidiff::capture::{CaptureError, Input, OpenOptions, open};
//! use hcidiff::decode::Decoder;
//! use hcidiff::packet::Packet;
//!
//! # fn main() -> Result<(), CaptureError> {
//! let input = Input::Path("fixtures/flagship/pi.btsnoop".into());
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
#![forbid(unsafe_code)]

pub mod capture;
pub mod compare;
pub mod decode;
pub mod diagnose;
pub mod explain;
pub mod packet;
pub mod pipeline;
pub mod report;
pub mod time;
pub mod timeline;
pub mod trace;

// Of the program alone, not of the library's surface.
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod diagnosis;
#[doc(hidden)]
pub mod listing;
#[doc(hidden)]
pub mod numbers;
