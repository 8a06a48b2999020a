//! What a line of a log has to do with the packets of a capture.
use crate::prose::Text;
use crate::vocabulary::vocabulary;
use std::fmt;

vocabulary! {
    /// What a line of a log has to do with the packets of a capture.
    RelationKind {
        /// The line is written before the packets, and leads to them.
        Cause "cause",
        /// The line is a consequence of the packets.
        Echo "echo",
        /// The line claims something else than the packets show.
        Contradiction "contradiction",
        /// Nothing of this capture belongs to the line.
        Elsewhere "elsewhere",
        /// Worth knowing; it has no counterpart among packets.
        Context "context",
    }
}

/// What a relation is more exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    /// HCI's status or reason of the event.
    Code(u8),
    /// The adapter was removed.
    AdapterRemoved,
    /// The adapter was switched off.
    PoweredOff,
    /// The controller was reset.
    Reset,
    /// A policy refused the call before the daemon saw it.
    Denied,
    /// The log is of another time than the capture.
    OtherTime,
    /// Another adapter, or a proxy's radio.
    OtherAdapter,
    /// It is about another device.
    OtherDevice,
    /// It is later than the capture.
    AfterCapture,
    /// It is earlier than the capture.
    BeforeCapture,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(code) => return write!(f, "{code:#04x}"),
            Self::AdapterRemoved => "adapter-removed",
            Self::PoweredOff => "powered-off",
            Self::Reset => "reset",
            Self::Denied => "denied",
            Self::OtherTime => "other-time",
            Self::OtherAdapter => "other-adapter",
            Self::OtherDevice => "other-device",
            Self::AfterCapture => "after-capture",
            Self::BeforeCapture => "before-capture",
        })
    }
}

/// What one claim has to do with the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// What they have to do with each other.
    pub kind: RelationKind,
    /// More of it, where there is more to say.
    pub detail: Option<Detail>,
    /// Index into the log's claims.
    pub claim: usize,
    /// The line of the claim.
    pub line: u32,
    /// The packet that the line leads to, follows from, or contradicts.
    pub frame: Option<u32>,
    /// The connection, by its number.
    pub connection: Option<u32>,
    /// The same in a sentence.
    pub says: Text,
}
