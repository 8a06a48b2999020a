//! Where a fact was seen: in which source, at what time, in which frame.
use crate::time::Moment;
use std::fmt;

/// One source of facts: a capture, or a witness that tells of the same events.
///
/// Each source has its own clock. Times of two sources are never compared directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// A capture. Where two are compared, the reference is 0 and the subject is 1.
    Capture(u16),
    /// Anything else that saw the connection: a host log, a D-Bus monitor, an air capture.
    Witness(u16),
}

impl SourceId {
    /// The only capture, or the reference of two.
    pub const FIRST: Self = Self::Capture(0);
    /// The second capture of two.
    pub const SECOND: Self = Self::Capture(1);

    /// The place of a capture among the captures of a case; `None` for a witness.
    pub fn capture(self) -> Option<usize> {
        match self {
            Self::Capture(index) => Some(usize::from(index)),
            Self::Witness(_) => None,
        }
    }
}

/// The capture at a place among the captures of a case.
impl From<usize> for SourceId {
    fn from(index: usize) -> Self {
        Self::Capture(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

impl Default for SourceId {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for SourceId {
    /// Counted from 1: `capture 1`, `witness 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(index) => write!(f, "capture {}", u32::from(*index) + 1),
            Self::Witness(index) => write!(f, "witness {}", u32::from(*index) + 1),
        }
    }
}

/// One place in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Which capture or witness.
    pub source: SourceId,
    /// On the clock of the source.
    pub at: Moment,
    /// From 1, as Wireshark counts; for a log, the line.
    pub frame: u32,
}

impl Seen {
    /// The time of what may not have been seen.
    pub fn when(seen: Option<Self>) -> Moment {
        seen.map_or(Moment::UNKNOWN, |seen| seen.at)
    }

    /// Whether it stands before that frame of the same source.
    pub(crate) fn comes_before(&self, frame: u32) -> bool {
        self.frame < frame
    }

    /// Whether it stands behind that frame of the same source.
    pub(crate) fn comes_after(&self, frame: u32) -> bool {
        self.frame > frame
    }

    /// The distance from an earlier place of the same source, if both times are known.
    pub fn since(&self, earlier: &Self) -> Option<crate::time::Span> {
        (self.source == earlier.source).then(|| self.at.since(earlier.at))?
    }
}

/// Facts that are read as the place where they were seen: `end.frame` is `end.seen.frame`.
macro_rules! seen_at {
    ($($fact:ty: $place:ident),+ $(,)?) => {$(
        impl std::ops::Deref for $fact {
            type Target = $crate::seen::Seen;

            fn deref(&self) -> &$crate::seen::Seen {
                &self.$place
            }
        }

        impl std::ops::DerefMut for $fact {
            fn deref_mut(&mut self) -> &mut $crate::seen::Seen {
                &mut self.$place
            }
        }
    )+};
}

pub(crate) use seen_at;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Span, Timestamp};

    #[test]
    fn a_distance_needs_one_clock_and_two_times() {
        let seen = |source, at: Option<i64>| Seen {
            source,
            at: Moment::from(at.map(Timestamp)),
            frame: 1,
        };
        let first = seen(SourceId::FIRST, Some(1_000));
        assert_eq!(seen(SourceId::FIRST, Some(4_000)).since(&first), Some(Span::from_ms(3)));
        assert_eq!(seen(SourceId::SECOND, Some(4_000)).since(&first), None);
        assert_eq!(seen(SourceId::Witness(0), Some(4_000)).since(&first), None);
        assert_eq!(seen(SourceId::FIRST, None).since(&first), None);
    }

    #[test]
    fn a_frame_comes_neither_before_nor_after_itself() {
        let seen = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 5 };
        assert_eq!([4, 5, 6].map(|frame| seen.comes_before(frame)), [false, false, true]);
        assert_eq!([4, 5, 6].map(|frame| seen.comes_after(frame)), [true, false, false]);
    }

    #[test]
    fn a_place_stays_small() {
        assert_eq!(size_of::<Seen>(), 16);
        assert_eq!(size_of::<SourceId>(), 4);
    }

    #[test]
    fn sources_are_counted_from_one() {
        assert_eq!(SourceId::SECOND.to_string(), "capture 2");
        assert_eq!(SourceId::Witness(0).to_string(), "witness 1");
    }

    #[test]
    fn only_a_capture_has_a_place_among_captures() {
        assert_eq!(SourceId::from(1), SourceId::SECOND);
        assert_eq!(SourceId::SECOND.capture(), Some(1));
        assert_eq!(SourceId::Witness(1).capture(), None);
    }
}
