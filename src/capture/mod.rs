//! Capture files become records: one [`Source`] a format, chosen by content alone.
//!
//! A source lends each record out of its own buffer, so a capture of any size
//! streams through in bounded memory. Reading stops at the first structural
//! error and keeps everything before it; what was skipped is said in a [`Warning`].
use crate::packet::Direction;
use crate::packet::air::Radio;
use crate::packet::outline::{Extent, Outline};
use crate::time::{Clock, Timestamp};
use crate::vocabulary::vocabulary;
use std::borrow::Cow;

mod again;
pub mod btsnoop;
mod btsnooz;
mod bytes;
mod chain;
mod digest;
mod direction;
#[cfg(feature = "cli")]
mod follow;
mod foreign;
mod format;
mod growing;
mod h4;
mod hcidump;
mod ledger;
mod linktype;
mod monitor;
mod monitor_stream;
mod open;
pub mod packetlogger;
pub mod pcap;
pub mod pcapng;
mod remark;
mod sniffer;
mod stream;
mod text;
mod usb;
mod wrappers;

pub(crate) use again::Again;
pub use digest::Digest;
#[cfg(feature = "cli")]
pub use follow::{Fate, Follow, Followed, Patience};
use format::{Boxed, Claim, Format, Head};
pub use growing::Growing;
#[cfg(all(feature = "record", target_os = "linux"))]
pub(crate) use monitor::kind as monitor_kind;
pub(crate) use open::bytes;
pub use open::{Input, Once, OpenOptions, Opened, open, open_stream};
pub(crate) use stream::Stream;
pub(crate) use text::clean;
pub(crate) use text::{next_shown, right_end};

/// The longest record that is believed; no HCI packet comes near it.
const LONGEST: u32 = 262_144;

/// What a record holds, as its container says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A command of the host.
    Command,
    /// An event of the controller.
    Event,
    /// Data of a link.
    Acl,
    /// Voice.
    Sco,
    /// Isochronous data.
    Iso,
    /// A Linux monitor record that is no HCI packet: its opcode.
    Monitor(u16),
    /// A PacketLogger record that is no HCI packet: its type.
    Note(u8),
    /// An H4 packet type that is none of the five.
    Vendor(u8),
    /// A record without even a type.
    Empty,
    /// A frame of the LE link layer from its access address on, and what the sniffer says of it.
    Air(Radio),
    /// A frame of an interface that does not carry HCI: its link type.
    Foreign(u16),
}

/// The bytes of a record, or, where the capture is text, what the text shows.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// The packet as on the wire, without H4 type byte or pseudo header.
    Bytes(&'a [u8]),
    /// Read from text that does not print the bytes. Boxed, because every record is moved.
    Outline(Box<Outline<'a>>),
}

/// One record, lent by its source until the next is asked for.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Position in the file, from 1, as Wireshark counts.
    pub frame: u32,
    /// Where the record begins in the (unwrapped) stream.
    pub offset: u64,
    /// On the clock of the capture.
    pub time: Option<Timestamp>,
    /// hciN, where the format tells adapters apart.
    pub adapter: Option<u16>,
    /// Who sent it, where the capture says so.
    pub direction: Option<Direction>,
    /// What the record says it holds.
    pub kind: Kind,
    /// The packet, or what a text shows of it.
    pub payload: Payload<'a>,
    /// Length of the packet on the wire, in the same terms as the payload.
    pub original_len: u32,
    /// A comment that the file attaches to this record (pcapng).
    pub comment: Option<Cow<'a, str>>,
}

impl Record<'_> {
    /// The bytes, empty where the capture is text.
    pub fn bytes(&self) -> &[u8] {
        match &self.payload {
            Payload::Bytes(bytes) => bytes,
            Payload::Outline(_) => &[],
        }
    }

    /// Whether the capture kept only a part of the packet.
    pub fn is_cut(&self) -> bool {
        match &self.payload {
            Payload::Bytes(bytes) => (bytes.len() as u64) < u64::from(self.original_len),
            Payload::Outline(outline) => outline.extent != Extent::Whole,
        }
    }
}

vocabulary! {
    /// What a [`Warning`] is about.
    WarningKind {
        CutPackets "cut-packets",
        EmptyRecords "empty-records",
        TypeOnly "type-only-records",
        OriginalShorter "original-shorter",
        DirectionContradicts "direction-contradicts",
        UnknownTypes "unknown-types",
        /// The logger itself says that it lost packets.
        DroppedPackets "dropped-packets",
        EpochMissing "epoch-missing",
        ClockUnset "clock-unset",
        TimeUnusable "time-unusable",
        TimeStepsBack "time-steps-back",
        TimeJumps "time-jumps",
        OddMicroseconds "odd-microseconds",
        Concatenated "concatenated",
        ForeignFrames "foreign-frames",
        ShortFrames "short-frames",
        DirectionInferred "direction-inferred",
        /// The text prints its times rounded.
        TimesRounded "times-rounded",
        /// The file ends inside a record.
        CutInRecord "cut-in-record",
        /// The bug report ends inside its snoop log.
        CutInLog "cut-in-log",
        NotARecord "not-a-record",
        ImpossibleLength "impossible-length",
        DamagedLength "damaged-length",
        DamagedBlock "damaged-block",
        UnreadablePart "unreadable-part",
        CompressionDamaged "compression-damaged",
        Padding "padding",
        DataAfterPadding "data-after-padding",
        /// Further places of damage, counted only.
        MoreDamage "more-damage",
        LinesNotUnderstood "lines-not-understood",
        TextIncomplete "text-incomplete",
        /// Which file of an archive was read.
        ArchiveMember "archive-member",
        NoHci "no-hci",
        NoRecords "no-records",
        /// The user asked for a part of the capture.
        PartOnly "part-only",
        /// The values that were asked for cannot be read again.
        NoValues "no-values",
    }
}

/// Something about the capture that a reader of the report should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What kind of damage or doubt.
    pub kind: WarningKind,
    /// The frame that it is about, if it is about one.
    pub frame: Option<u32>,
    /// The last frame that it is about, where it is about a stretch of them.
    pub last_frame: Option<u32>,
    /// Where in the file, in bytes.
    pub offset: Option<u64>,
    /// One sentence: what, and what it means for the reader.
    pub text: String,
}

impl Warning {
    /// About the whole capture, and no place in it.
    pub(crate) fn of_all(kind: WarningKind, text: impl Into<String>) -> Self {
        Self { kind, frame: None, last_frame: None, offset: None, text: text.into() }
    }
}

/// What a source says of itself. Complete only once it has been drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The reader's name: `btsnoop`, `packetlogger`, `pcap`, `pcapng`, `hcidump`,
    /// `btsnooz`, `monitor-stream`, `btmon-text`, `packetlogger-text`, `hcidump-text`, `hex-text`.
    pub format: &'static str,
    /// Link layer or variant in words: `Linux monitor`, `H4`, `little-endian`.
    pub variant: String,
    /// What its times mean.
    pub clock: Clock,
    /// Smallest step of the capture's times, in microseconds (1 for most, 1000 for some text).
    pub resolution_us: u32,
}

/// A capture being read.
pub trait Source: Send {
    /// The next record, or `None` at the end or at damage (which is then in the warnings).
    fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError>;

    /// What is known of the whole capture: complete once all records were read.
    fn describe(&self) -> Description;

    /// What would be said of the capture if it ended behind the record that was read last: all of it, once the source
    /// is drained.
    fn warnings(&self) -> Vec<Warning>;

    /// How many packets the logger says that it lost, up to the record that was read last.
    fn lost(&self) -> u64 {
        0
    }
}

/// Why nothing, or nothing more, could be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing of the file can be read: what it looks like, and what would help.
    #[error("{0}")]
    Refused(String),
}

/// Why a record was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The format has no way to hold this record.
    #[error("{0}")]
    Unfit(&'static str),
}
