//! Records become events: one vocabulary for every capture format, host and stack.
//!
//! Decoding never fails. What is unknown, cut or malformed is data too, and is
//! kept with its code and the reason.
use crate::time::Timestamp;

pub mod ad;
pub mod air;
pub mod att;
mod codes;
mod facts;
pub mod field;
pub mod hci;
pub mod mgmt;
pub mod note;
pub mod outline;
pub(crate) mod pdus;
pub mod secrecy;
pub mod signal;
pub mod smp;
pub mod units;
pub mod visit;

pub use codes::{
    Address, AddressType, ConnHandle, LinkId, MgmtReason, MgmtStatus, Opcode, Secret, Status,
};
pub use pdus::{OutOfRange, Section};

/// Which way a packet goes, seen from the host that made the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Host to controller.
    Sent,
    /// Controller to host.
    Received,
}

/// One record, decoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The position of its record in the file, from 1.
    pub frame: u32,
    /// On the clock of the capture.
    pub time: Option<Timestamp>,
    /// The number of the adapter, where the capture tells adapters apart.
    pub adapter: Option<u16>,
    /// Who sent it, where that is known.
    pub direction: Option<Direction>,
    /// The capture kept only the beginning: values and lengths are lower bounds.
    pub cut: bool,
    /// Why a part of it could not be decoded, or does not fit the specification.
    pub problem: Option<Problem>,
    /// For Command Complete and Command Status: the frame of the command that they answer.
    pub answers: Option<u32>,
    /// The link that the packet is about. For Command Complete and Command Status: that of the command that they
    /// answer. A link whose beginning the capture does not show has a number too.
    pub link: Option<LinkId>,
    /// For Connection Complete: the link that had the handle before, if the capture does not show its end.
    pub replaces: Option<LinkId>,
    /// For Number Of Completed Packets: the links, in the packet's order.
    pub completed: &'a [LinkId],
    /// Its bytes are a key or may be a part of one: no output shows them.
    pub hidden: bool,
    /// The channel of a whole frame, where it is known: the identifier that our host has for it.
    /// A frame carries the receiver's identifier, so on dynamic channels the two directions differ.
    pub channel: Option<u16>,
    /// What it is.
    pub packet: Packet<'a>,
    /// The frame on the air that it came in. There our side is the central's: what it sends is [`Direction::Sent`].
    pub air: Option<&'a air::Air>,
}

/// Why (part of) a packet was not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// No decoder knows this code.
    Unknown,
    /// The capture kept too few bytes.
    Cut,
    /// All bytes are here, and they do not fit the specification.
    Malformed,
}

impl Problem {
    /// Too few or too many bytes: the recording's doing where it cut the packet, else the sender's.
    pub(crate) fn short(cut: bool) -> Self {
        if cut { Self::Cut } else { Self::Malformed }
    }
}

/// Where something opaque was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Packets between host and controller.
    Hci,
    /// Data packets of a link.
    Acl,
    /// Frames of a channel.
    L2cap,
    /// Records of the Linux monitor.
    Monitor,
    /// A packet type of the chip's maker, or a record type that nobody documented.
    Vendor,
    /// A chip's own log, sent as ACL data under a handle of its own: the code.
    ChipLog,
    /// A frame on the air.
    Air,
    /// Frames of an interface that carries no HCI.
    Foreign,
}

/// What a record holds.
#[derive(Clone, Debug)]
pub enum Packet<'a> {
    /// A command of the host.
    Command(hci::Command<'a>),
    /// An event of the controller.
    Event(hci::Event<'a>),
    /// On CID 4, on BR/EDR PSM 0x1F, or on an enhanced (EATT) channel.
    Att {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// The channel.
        cid: u16,
        /// What it says.
        pdu: att::Pdu<'a>,
    },
    /// The Security Manager protocol: pairing.
    Smp {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// The channel.
        cid: u16,
        /// What it says.
        pdu: smp::Pdu<'a>,
    },
    /// L2CAP signalling.
    Signal {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// The channel.
        cid: u16,
        /// Joins an answer to its question.
        identifier: u8,
        /// What it says.
        pdu: signal::Pdu<'a>,
    },
    /// A whole L2CAP frame of a channel that is not decoded further.
    L2cap {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// The channel.
        cid: u16,
        /// The protocol of the channel, where the capture shows its opening.
        psm: Option<u16>,
        /// What stands behind the header.
        payload: &'a [u8],
    },
    /// An ACL packet that completes no frame.
    Fragment {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// It begins a frame.
        start: bool,
        /// How many bytes it has.
        len: u16,
    },
    /// Voice.
    Sco {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// How many bytes it has.
        len: u16,
    },
    /// Isochronous data.
    Iso {
        /// The link that it belongs to.
        handle: ConnHandle,
        /// How many bytes it has.
        len: u16,
    },
    /// Linux management: what programs and the kernel tell each other.
    Mgmt {
        /// The socket that sent the command or got the event.
        cookie: u32,
        /// What it says.
        pdu: mgmt::Pdu<'a>,
    },
    /// A remark of the logger, not a packet.
    Note(note::Note<'a>),
    /// A PDU of the link layer, on the air.
    Air(air::Pdu<'a>),
    /// Kept and not decoded.
    Opaque {
        /// Where it was met.
        layer: Layer,
        /// Its number there.
        code: u32,
        /// How many bytes it has.
        len: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events are built and moved millions of times; a new variant must not make all of them larger.
    #[test]
    fn packets_stay_small() {
        assert!(size_of::<Packet<'_>>() <= 80, "{}", size_of::<Packet<'_>>());
    }
}
