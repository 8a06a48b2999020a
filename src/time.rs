//! Moments of a capture's own clock, and what kind of clock that is.
use chrono::DateTime;
use std::fmt;
use std::ops::{Add, Sub};

/// Microseconds on a capture's clock: since 1970-01-01 for [`Clock::Utc`] and
/// [`Clock::Local`], since an arbitrary moment for [`Clock::Relative`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A signed span in microseconds: captures' clocks do step back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

/// What a capture's timestamps mean. Two captures never share a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Microseconds since 1970 in UTC.
    Utc,
    /// Wall-clock time of the recording machine, its zone unknown.
    Local,
    /// Only distances mean something.
    Relative,
    /// The capture has no times at all.
    None,
}

impl Clock {
    /// The word that tables use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::Local => "local",
            Self::Relative => "relative",
            Self::None => "none",
        }
    }
}

impl Span {
    /// That many milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms * 1000)
    }

    /// In milliseconds.
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// In seconds.
    pub fn as_s(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// Without its sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Timestamp {
    /// `2025-06-20T09:47:56.530123Z`.
    pub fn rfc3339(self) -> Option<String> {
        let moment = DateTime::from_timestamp_micros(self.0)?;
        Some(moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
    }

    /// `2025-06-20T09:47:56.530123`: a wall clock without a zone.
    pub fn wall(self) -> Option<String> {
        let moment = DateTime::from_timestamp_micros(self.0)?;
        Some(moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())
    }
}

/// A time that may be unknown, in eight bytes: timelines hold millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// A time that nobody knows.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// The time, if it is known.
    pub fn time(self) -> Option<Timestamp> {
        (self != Self::UNKNOWN).then_some(Timestamp(self.0))
    }

    /// The distance from an earlier moment, if both are known.
    pub fn since(self, earlier: Self) -> Option<Span> {
        Some(self.time()? - earlier.time()?)
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or(Self::UNKNOWN, |t| Self(t.0.max(i64::MIN + 1)))
    }
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self::from(Some(time))
    }
}

impl fmt::Display for Span {
    /// As people say it: `0.4 ms`, `48.75 ms`, `315 ms`, `4.02 s`, `14 min 28 s`, `1 h 23 min`, `3 d 4 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        match us {
            // Connection intervals are multiples of 1.25 ms, and 48.75 ms is not 49 ms.
            1..1_000_000 if us.is_multiple_of(1_250) && !us.is_multiple_of(1_000) => {
                write!(f, "{sign}{} ms", us as f64 / 1e3)
            }
            0..10_000 => write!(f, "{sign}{:.1} ms", us as f64 / 1e3),
            10_000..1_000_000 => write!(f, "{sign}{:.0} ms", us as f64 / 1e3),
            1_000_000..100_000_000 => write!(f, "{sign}{:.2} s", us as f64 / 1e6),
            100_000_000..600_000_000 => write!(f, "{sign}{:.0} s", us as f64 / 1e6),
            _ => {
                let s = us.saturating_add(500_000) / 1_000_000;
                let two = |great: u64, unit: &str, small: u64, smaller: &str| match small {
                    0 => (great, unit.to_owned()),
                    _ => (great, format!("{unit} {small} {smaller}")),
                };
                let (great, rest) = match s {
                    0..3_600 => two(s / 60, "min", s % 60, "s"),
                    3_600..86_400 => two(s / 3_600, "h", s % 3_600 / 60, "min"),
                    _ => two(s / 86_400, "d", s % 86_400 / 3_600, "h"),
                };
                write!(f, "{sign}{great} {rest}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well_at_every_size() {
        for (us, text) in [
            (400, "0.4 ms"),
            (-400, "-0.4 ms"),
            (315_000, "315 ms"),
            (48_750, "48.75 ms"),
            (-7_500, "-7.5 ms"),
            (48_751, "49 ms"),
            (4_020_000, "4.02 s"),
            (360_000_000, "360 s"),
            (600_000_000, "10 min"),
            (-868_400_000, "-14 min 28 s"),
            (3_599_600_000, "1 h"),
            (5_009_000_000, "1 h 23 min"),
            (86_400_000_000, "1 d"),
            (273_600_000_000, "3 d 4 h"),
            (i64::MAX, "106751991 d 4 h"),
        ] {
            assert_eq!(Span(us).to_string(), text);
        }
    }

    #[test]
    fn times_print_in_microseconds() {
        let moment = Timestamp(1_750_412_876_530_123);
        assert_eq!(moment.rfc3339().unwrap(), "2025-06-20T09:47:56.530123Z");
    }
}
