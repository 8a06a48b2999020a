//! Recording on Linux: packets of all adapters, from the kernel's monitor channel.
//!
//! [`Monitor`] receives them from a socket, [`Writer`] makes btsnoop of them as `btmon -w` does, and [`Opening`] keeps
//! what a later file must begin with. No file is opened here: the program does that.
mod monitor;
mod opening;
mod socket;
mod writer;

pub use monitor::{Monitor, Packet};
pub use opening::Opening;
pub use writer::{Sink, Writer};
