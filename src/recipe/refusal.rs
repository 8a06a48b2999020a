//! Why no recipe is written: what is missing, and how to record it.
use crate::case::Unreadable;
use crate::packet::Address;
use crate::packet::att::Handle;
use crate::report::safe;
use crate::time::Span;
use std::fmt;

/// Why there is no recipe. A recipe that would be wrong is worse than none.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// A capture cannot be read.
    Unreadable(Unreadable),
    /// The capture is a pipe, and values need a second look.
    ReadOnce(String),
    /// Captures that cannot be compared, and why.
    NoMatch(String),
    /// No link on which a device was content.
    NothingWorked {
        /// The working capture.
        file: String,
        /// What its links lack.
        why: Why,
    },
    /// The working host encrypted the link first: the frame.
    Encrypted {
        /// The working capture.
        file: String,
        /// Where encryption was asked for.
        frame: u32,
    },
    /// A signed command needs a key as well.
    Signed {
        /// The frame of the command.
        frame: u32,
    },
    /// The device's address changes.
    Private(Address),
    /// The capture kept only a part of a packet.
    Cut {
        /// The capture.
        file: String,
        /// The frame of the packet.
        frame: u32,
    },
    /// A value that may be a key.
    Key {
        /// The frame of the value.
        frame: u32,
    },
    /// The two captures are of two devices.
    OtherDevice {
        /// The device of the working capture.
        works: Address,
        /// The device of the failing one.
        fails: Address,
    },
    /// The device's attributes are not those of the other capture: what shows it.
    OtherFirmware(&'static str),
    /// What is behind a handle, no capture shows.
    Unnamed {
        /// The attribute.
        handle: Handle,
        /// What the recipe was for.
        target: &'static str,
    },
    /// The handshake has something that this target cannot do.
    Cannot {
        /// What the recipe was for.
        target: &'static str,
        /// What it cannot do.
        what: &'static str,
    },
    /// Neither file would help.
    NothingForBlueZ {
        /// What a cache file would need.
        lacks: Vec<&'static str>,
        /// Whether an interval would help.
        deadline: Deadline,
    },
}

/// Why no link of the working capture will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has no link.
    NoLink,
    /// Its links are BR/EDR.
    BrEdr,
    /// The host was the peripheral.
    Peripheral,
    /// It began after the link did.
    StartNotSeen,
    /// Connected, and nothing was written or pushed.
    NothingDone,
}

/// What the failing capture says of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// There is no failing capture.
    NotAsked,
    /// It shows none.
    None,
    /// Too short for any interval.
    TooShort(Span),
    /// The interval that it needs is in force.
    Met(Span),
}

const RECORD: &str = "Record from before the connection until the device works: its first data, or its answer to the first write.";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => {
                let error = unreadable.error.to_string();
                write!(f, "{}: {}", safe::text(&unreadable.name), safe::text(&error))
            }
            Self::ReadOnce(name) => write!(
                f,
                "{}: a recipe needs a second look at the capture, and a pipe can be read only once. Save it as a file first.",
                safe::text(name)
            ),
            Self::NoMatch(says) => write!(f, "no recipe: {}", safe::text(says)),
            Self::NothingWorked { file, why } => {
                write!(f, "{}: no recipe: ", safe::text(file))?;
                match why {
                    Why::NoLink => write!(f, "no device was connected in this capture. {RECORD}"),
                    Why::BrEdr => f.write_str(
                        "the connection is BR/EDR (classic Bluetooth); recipes are for Bluetooth LE.",
                    ),
                    Why::Peripheral => f.write_str(
                        "it was recorded on the device's side. Record on the host that connects.",
                    ),
                    Why::StartNotSeen => write!(
                        f,
                        "it begins after the connection, so the first packets are missing. {RECORD}"
                    ),
                    Why::NothingDone => write!(
                        f,
                        "on no link was a value written with success, or data received after a subscription. {RECORD}"
                    ),
                }
            }
            Self::Encrypted { file, frame } => write!(
                f,
                "{} frame {frame}: no recipe: the working host encrypted the link before the device was content, so the two are bonded or pair. A recipe never holds a key. Pair on the failing host (`bluetoothctl`, `agent on`, `pair ADDRESS`), record the working host again if the device also works without pairing.",
                safe::text(file)
            ),
            Self::Signed { frame } => write!(
                f,
                "frame {frame}: no recipe: a signed write needs the key of the bond, and a recipe never holds a key. Pair on the failing host."
            ),
            Self::Private(address) => write!(
                f,
                "no recipe: {address} is a private address, which changes every few minutes: neither a file nor a program can name the device by it. Pair the device, or record one that advertises with a static or public address."
            ),
            Self::Cut { file, frame } => write!(
                f,
                "{} frame {frame}: no recipe: the recording kept only a part of this packet. Record whole packets: on Android \"Enabled\" and not \"Filtered\", with hcidump `-s 0`.",
                safe::text(file)
            ),
            Self::Key { frame } => write!(
                f,
                "frame {frame}: no recipe: the handshake writes a value that is a key or may be one, and a key is never shown. Take it from the vendor's documentation."
            ),
            Self::OtherDevice { works, fails } => write!(
                f,
                "no recipe: the working capture is of {works}, the failing one of {fails}. Handles of one device may mean something else on another. Record both hosts with the same device, or name one capture alone."
            ),
            Self::OtherFirmware(why) => write!(
                f,
                "no recipe: {why}: the two captures show different firmware, or another database. A write to an old handle would go to something else. Record the working host again with today's firmware."
            ),
            Self::Unnamed { handle, target } => write!(
                f,
                "no recipe for {target}: neither capture shows what attribute {handle} is, since the working host knew it from before, and {target} finds attributes by UUID. Let the working host forget the device and record again, or use `--for att-socket`, which writes to the handle."
            ),
            Self::Cannot { target, what } => write!(f, "no recipe for {target}: {what}"),
            Self::NothingForBlueZ { lacks, deadline } => {
                f.write_str("no recipe for bluez-files: ")?;
                if lacks.is_empty() {
                    f.write_str("nothing that BlueZ reads from files would help")?;
                } else {
                    write!(
                        f,
                        "a cache file would make BlueZ slower, since the captures do not show {}",
                        lacks.join(", nor ")
                    )?;
                }
                match deadline {
                    Deadline::NotAsked => f.write_str(
                        ", and without the failing capture no deadline is known. Name the failing capture too",
                    )?,
                    Deadline::None => {
                        f.write_str(", and the failing capture shows no deadline that a shorter interval would meet")?;
                    }
                    Deadline::TooShort(deadline) => write!(
                        f,
                        ", and no interval is short enough for a device that waits {deadline}"
                    )?,
                    Deadline::Met(deadline) => write!(
                        f,
                        ", and the interval of the failing host is short enough for the {deadline} that the device waits"
                    )?,
                }
                f.write_str(". Use `--for att-socket`, or record a host that discovers everything (BlueZ does after `bluetoothctl remove`).")
            }
        }
    }
}

impl std::error::Error for Refusal {}
