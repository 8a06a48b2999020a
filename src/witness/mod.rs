//! Host logs as witnesses: what programs, daemons and the bus wrote while the capture was made.
//!
//! [`read`] makes typed claims of a log's lines: connect asked, connected, disconnected with a reason in its own number
//! system. Each kind of log is one file with a [`reader::Reader`], and one line in `reader::READERS`.
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
mod retry_connector;

pub use claim::{Asker, Claim, FailedAt, Failure, Kind, LogClock, Radio, Reason, What};
pub use log::{Log, read};
