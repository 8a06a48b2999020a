//! D-Bus captures: `dbus-monitor --pcap` (pcap) and `busctl capture` (pcapng), link type 231.
pub(super) mod container;
mod message;

pub(super) use message::decode;

use super::monitor;
use crate::capture::{self, CaptureError, Input, OpenOptions};

/// The messages of a capture, each as dbus-monitor's text.
pub(crate) struct Messages(container::Container);

impl Messages {
    /// `None`: it is no capture of D-Bus.
    pub fn open(input: &Input) -> Result<Option<Self>, CaptureError> {
        let (_, stream) = capture::bytes(input, &OpenOptions::default())?;
        Ok(container::Container::open(stream)?.ok().map(Self))
    }

    /// The next message: its number, and its lines. What cannot be decoded has none.
    pub fn next(&mut self, text: &mut String) -> Result<Option<u32>, CaptureError> {
        text.clear();
        let Some(frame) = self.0.next()? else { return Ok(None) };
        if let Some(message) = decode(frame.bytes) {
            monitor::write(&message, frame.micros, text);
        }
        Ok(Some(frame.number))
    }
}
