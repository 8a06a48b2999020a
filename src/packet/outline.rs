//! What a text shows of a packet whose bytes it does not print.
//!
//! Readers of text fill an outline and decode nothing; `decode` makes the packet.
use super::note::Note;
use super::{ConnHandle, Layer, Opcode};

/// A packet as far as a text shows it.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// Which packet it is.
    pub shape: Shape<'a>,
    /// The parameters behind the packet's header, in wire order. Those that the text leaves out at
    /// the end are not here; a number that it leaves out before others is zero.
    pub parameters: &'a [u8],
    /// How much of it there is.
    pub extent: Extent,
}

/// How much of a packet's parameters an outline has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    Whole,
    /// The text leaves something out: the packet is marked as cut.
    Part,
    /// The reader could not read all of it. A packet that the codec knows is then marked as cut. An unknown packet is
    /// not, because nobody uses its parameters.
    Unread,
}

impl Extent {
    /// `Whole` or `Part`.
    pub fn part_unless(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Part }
    }

    /// `Whole` or `Unread`.
    pub fn unread_unless(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Unread }
    }
}

/// Which packet a text shows: what its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A command.
    Command(Opcode),
    /// An event, by its code.
    Event(u8),
    /// ACL data.
    Acl {
        /// `None` where the line lost it. The packet then belongs to the adapter's only link.
        handle: Option<ConnHandle>,
        /// Length of the ACL packet's data; zero where it is unknown.
        len: u16,
        /// What is in it.
        data: Data,
    },
    /// Voice.
    Sco {
        /// The link.
        handle: ConnHandle,
        /// Bytes of data.
        len: u16,
    },
    /// Isochronous data.
    Iso {
        /// The link.
        handle: ConnHandle,
        /// Bytes of data.
        len: u16,
    },
    /// A message between a program and the kernel's management.
    Mgmt {
        /// The program's socket.
        cookie: u32,
        /// It is an event or a reply, not a command.
        event: bool,
        /// Its opcode, or the code of the event.
        code: u16,
    },
    /// A note that the text has in words.
    Note(Note<'a>),
    /// A Linux monitor record, by its opcode.
    Monitor(u16),
    /// Something of which not even the kind is known.
    Opaque {
        /// Where it was seen.
        layer: Layer,
        /// The number that stands for its kind there.
        code: u32,
        /// Bytes of it.
        len: u32,
    },
}

/// The L2CAP frame that this ACL packet completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Of the attribute protocol.
    Att {
        /// The channel: 4, or one of its own.
        cid: u16,
        /// Which message.
        opcode: u8,
    },
    /// Of pairing.
    Smp {
        /// The channel: 6 on LE, 7 on BR/EDR.
        cid: u16,
        /// Which message.
        code: u8,
    },
    /// By which the two sides agree about channels and parameters.
    Signal {
        /// The channel: 5 on LE, 1 on BR/EDR.
        cid: u16,
        /// The number that a request and its answer share.
        identifier: u8,
        /// Which message.
        code: u8,
    },
    /// Of another channel.
    L2cap {
        /// The channel.
        cid: u16,
        /// The service that it belongs to, where the text says it.
        psm: Option<u16>,
    },
    /// A part of a frame.
    Fragment {
        /// It is the first one.
        start: bool,
    },
}
