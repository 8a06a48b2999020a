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
    Command(Opcode),
    Event(u8),
    Acl {
        /// `None` where the line lost it. The packet then belongs to the adapter's only link.
        handle: Option<ConnHandle>,
        /// Length of the ACL packet's data; zero where it is unknown.
        len: u16,
        data: Data,
    },
    Sco {
        handle: ConnHandle,
        len: u16,
    },
    Iso {
        handle: ConnHandle,
        len: u16,
    },
    Mgmt {
        cookie: u32,
        event: bool,
        code: u16,
    },
    /// A note that the text has in words.
    Note(Note<'a>),
    /// A Linux monitor record, by its opcode.
    Monitor(u16),
    /// Something of which not even the kind is known.
    Opaque {
        layer: Layer,
        code: u32,
        len: u32,
    },
}

/// The L2CAP frame that this ACL packet completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    Att { cid: u16, opcode: u8 },
    Smp { cid: u16, code: u8 },
    Signal { cid: u16, identifier: u8, code: u8 },
    L2cap { cid: u16, psm: Option<u16> },
    Fragment { start: bool },
}
