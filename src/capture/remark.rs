//! What readers notice about a capture, each kind said once with its count.
use super::{Warning, WarningKind};
use crate::time::Span;

/// A kind of thing worth saying. Its code is stable; its text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    CutPackets,
    EmptyRecords,
    TypeOnly,
    OriginalShorter,
    DirectionContradicts,
    UnknownTypes,
    DroppedPackets,
    EpochMissing,
    ClockUnset,
    TimeUnusable,
    TimeStepsBack,
    TimeJumps,
    OddMicroseconds,
    Concatenated,
    ForeignFrames,
    ShortFrames,
    DirectionInferred,
}

/// How often and where a remark was due.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub remark: Remark,
    /// The first frame that it is about, and the last one.
    pub frame: u32,
    pub last: u32,
    pub offset: u64,
    pub count: u64,
    /// A sum or a maximum, as the remark needs it: how many packets were lost, how many microseconds.
    pub amount: u64,
}

impl Remark {
    pub fn kind(self) -> WarningKind {
        match self {
            Self::CutPackets => WarningKind::CutPackets,
            Self::EmptyRecords => WarningKind::EmptyRecords,
            Self::TypeOnly => WarningKind::TypeOnly,
            Self::OriginalShorter => WarningKind::OriginalShorter,
            Self::DirectionContradicts => WarningKind::DirectionContradicts,
            Self::UnknownTypes => WarningKind::UnknownTypes,
            Self::DroppedPackets => WarningKind::DroppedPackets,
            Self::EpochMissing => WarningKind::EpochMissing,
            Self::ClockUnset => WarningKind::ClockUnset,
            Self::TimeUnusable => WarningKind::TimeUnusable,
            Self::TimeStepsBack => WarningKind::TimeStepsBack,
            Self::TimeJumps => WarningKind::TimeJumps,
            Self::OddMicroseconds => WarningKind::OddMicroseconds,
            Self::Concatenated => WarningKind::Concatenated,
            Self::ForeignFrames => WarningKind::ForeignFrames,
            Self::ShortFrames => WarningKind::ShortFrames,
            Self::DirectionInferred => WarningKind::DirectionInferred,
        }
    }

    fn text(self, tally: &Tally) -> String {
        let n = tally.count;
        let records = if n == 1 { "1 record".into() } else { format!("{n} records") };
        let s = if n == 1 { "s" } else { "" };
        match self {
            Self::CutPackets => format!(
                "{records} hold{s} only the beginning of the packet: the logger cut the rest, so lengths and values there are lower bounds"
            ),
            Self::EmptyRecords => {
                format!("{records} hold{s} no packet at all, not even a packet type")
            }
            Self::TypeOnly => format!("{records} hold{s} a packet type and nothing after it"),
            Self::OriginalShorter => format!(
                "{records} claim{s} a packet shorter than the bytes that follow: the bytes were believed"
            ),
            Self::DirectionContradicts => format!(
                "{records} carr{} a direction that the packet type rules out: the type was believed",
                if n == 1 { "ies" } else { "y" }
            ),
            Self::UnknownTypes => format!(
                "{records} ha{} a type this tool does not know, and stay{s} opaque",
                if n == 1 { "s" } else { "ve" }
            ),
            Self::DroppedPackets => format!(
                "the logger says that it lost {} packet{} (first gap before this record): what is missing here may have happened",
                tally.amount,
                if tally.amount == 1 { "" } else { "s" }
            ),
            Self::EpochMissing => format!(
                "{records} count{s} time from 1970 where the format counts from the year 0: read as if from 1970"
            ),
            Self::ClockUnset => "the recording device's clock was not set (its times are of 1969 or 1970): only the distances between times mean something".into(),
            Self::TimeUnusable => format!(
                "{records} ha{} a time before 1971 or after 2100: no time is shown for them, their order stands",
                if n == 1 { "s" } else { "ve" }
            ),
            Self::TimeStepsBack => format!(
                "time steps back at {records}, by {} at most: the order in the file stands (loggers that write from several places do this)",
                span(tally.amount)
            ),
            Self::TimeJumps => format!(
                "time leaps by more than a year at {records}: the clock was probably set during the capture"
            ),
            Self::OddMicroseconds => format!(
                "{records} ha{} a million microseconds or more: carried over into the seconds",
                if n == 1 { "s" } else { "ve" }
            ),
            Self::Concatenated => format!(
                "{} joined into this one: frames count on, and what stands across a seam proves nothing",
                if n == 1 {
                    "another capture file is".into()
                } else {
                    format!("{n} more capture files are")
                }
            ),
            Self::ForeignFrames => format!(
                "{} of interfaces that do not carry Bluetooth HCI: counted as frames, not decoded",
                if n == 1 { "1 frame is".into() } else { format!("{n} frames are") }
            ),
            Self::ShortFrames => format!(
                "{} too short for the header of its link type",
                if n == 1 { "1 frame is".into() } else { format!("{n} frames are each") }
            ),
            Self::DirectionInferred => format!(
                "this format stores no direction: for {records} of ACL data it was inferred from the packet boundary flags"
            ),
        }
    }
}

fn span(micros: u64) -> String {
    match i64::try_from(micros).unwrap_or(i64::MAX) {
        ..1000 => "less than 1 ms".into(),
        micros => Span(micros).to_string(),
    }
}

impl Tally {
    pub fn warning(&self) -> Warning {
        Warning {
            kind: self.remark.kind(),
            frame: Some(self.frame),
            last_frame: Some(self.last),
            offset: Some(self.offset),
            text: self.remark.text(self),
        }
    }
}
