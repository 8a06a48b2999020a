//! D-Bus captures: `dbus-monitor --pcap` (pcap) and `busctl capture` (pcapng), link type 231.
pub(super) mod container;
mod message;

pub(super) use message::decode;
