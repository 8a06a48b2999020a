//! A part of a capture, named by frames or by times.
use crate::capture::{CaptureError, Warning, WarningKind};
use crate::time::{Span, Timestamp};
use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike};
use std::fmt;

/// Which records of a capture are looked at. The rest is read too, for what it says of links and channels, and
/// then it is as if the recording had begun and ended here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first record that belongs to it.
    pub from: Option<Bound>,
    /// The last that belongs to it.
    pub to: Option<Bound>,
    /// The capture's first time, from which times count, and its last.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Records of the capture, and how many of them belong to it.
    records: u64,
    inside: u64,
    last_frame: u32,
}

/// Where a part of a capture begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A record, by its position in the file.
    Frame(u32),
    /// Since the first record.
    After(Span),
    /// A time of the capture's clock.
    At(Timestamp),
    /// A time of day of the capture's clock, on the day on which it begins or after midnight: microseconds.
    Daily(i64),
}

const DAY: i64 = 86_400_000_000;

/// As it is typed.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => write!(f, "{frame}"),
            Self::After(Span(us)) => write!(f, "{}.{:06}s", us / 1_000_000, us % 1_000_000),
            Self::At(time) => f.write_str(&time.rfc3339().unwrap_or_default()),
            Self::Daily(us) => {
                let (s, us) = (us / 1_000_000, us % 1_000_000);
                write!(f, "{:02}:{:02}:{:02}.{us:06}", s / 3_600, s / 60 % 60, s % 60)
            }
        }
    }
}

impl Bound {
    /// `431`, `12.5s`, `09:47:56.53`, `2025-06-20T09:47:56Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('#') {
            return digits.parse().ok().map(Self::Frame);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Frame);
        }
        if let Some(seconds) = text.strip_suffix('s') {
            return micros(seconds.trim_end()).map(|us| Self::After(Span(us)));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return micros(text).map(|us| Self::After(Span(us)));
        }
        for format in ["%H:%M:%S%.f", "%H:%M"] {
            if let Ok(time) = NaiveTime::parse_from_str(text, format) {
                let us = i64::from(time.nanosecond() / 1000);
                return Some(Self::Daily(
                    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + us,
                ));
            }
        }
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::At(Timestamp(moment.timestamp_micros())));
        }
        for format in
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        {
            if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
                return Some(Self::At(Timestamp(moment.and_utc().timestamp_micros())));
            }
        }
        None
    }

    /// The moment that is meant in a capture that begins at `first`.
    fn moment(self, first: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Frame(_) => None,
            Self::After(span) => Some(first + span),
            Self::At(time) => Some(time),
            Self::Daily(us) => {
                let day = first.0.div_euclid(DAY).saturating_mul(DAY);
                let time = day.saturating_add(us);
                // Long before the capture began: the day after is meant, which it reached at midnight.
                let next = first.0.saturating_sub(time) > DAY / 2;
                Some(Timestamp(if next { time.saturating_add(DAY) } else { time }))
            }
        }
    }
}

/// Decimal seconds in microseconds.
fn micros(seconds: &str) -> Option<i64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

impl Range {
    /// From here to there; `None` is the capture's own beginning or end.
    pub fn new(from: Option<Bound>, to: Option<Bound>) -> Self {
        Self { from, to, ..Self::default() }
    }

    /// Whether a record belongs to it. Each record of the capture is asked about, in order. A record without a
    /// time belongs to no part that is named by times.
    #[inline]
    pub fn has(&mut self, frame: u32, time: Option<Timestamp>) -> bool {
        if time.is_some() {
            self.last = time;
            if self.first.is_none() {
                self.first = time;
            }
        }
        self.last_frame = frame;
        self.records += 1;
        let inside = self.is_all() || self.lies_between(frame, time);
        self.inside += u64::from(inside);
        inside
    }

    /// Whether a record lies between both ends.
    fn lies_between(&self, frame: u32, time: Option<Timestamp>) -> bool {
        let beyond = |bound: Option<Bound>, wrong: fn(i64, i64) -> bool| match bound {
            None => false,
            Some(Bound::Frame(limit)) => wrong(frame.into(), limit.into()),
            Some(bound) => {
                let limit = self.first.and_then(|first| bound.moment(first));
                match (time, limit) {
                    (Some(time), Some(limit)) => wrong(time.0, limit.0),
                    _ => true,
                }
            }
        };
        !beyond(self.from, |here, limit| here < limit)
            && !beyond(self.to, |here, limit| here > limit)
    }

    /// Whether any record had a time, of all that were asked about.
    pub(super) fn has_times(&self) -> bool {
        self.last.is_some()
    }

    /// That a part was looked at, when all of the capture was read. Nothing in it is an error.
    pub fn part(&self) -> Result<Warning, CaptureError> {
        let Self { records, inside, last_frame, .. } = self;
        if *inside > 0 {
            return Ok(Warning::of_all(
                WarningKind::PartOnly,
                format!(
                    "only a part was looked at: {inside} of its {records} records (--from, --to)"
                ),
            ));
        }
        let lasts = self.first.zip(self.last).map_or(String::new(), |(first, last)| {
            let day = |time: Timestamp| {
                time.wall()
                    .map_or(String::new(), |wall| -> String { wall.chars().take(19).collect() })
            };
            format!(", from {} to {} ({})", day(first), day(last), last - first)
        });
        Err(CaptureError::Refused(format!(
            "no record lies between --from and --to; the capture has frames 1 to {last_frame}{lasts}"
        )))
    }

    /// Whether it is all of the capture.
    pub fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn frames_and_times_are_told_apart() {
        for (text, bound) in [
            ("431", Bound::Frame(431)),
            ("#431", Bound::Frame(431)),
            ("12.5s", Bound::After(Span(12_500_000))),
            ("12 s", Bound::After(Span(12 * S))),
            ("0.000001", Bound::After(Span(1))),
            ("09:47", Bound::Daily((9 * 60 + 47) * 60 * S)),
            ("09:47:56.53", Bound::Daily(((9 * 60 + 47) * 60 + 56) * S + 530_000)),
            ("2025-06-20T09:47:56.530123Z", Bound::At(Timestamp(1_750_412_876_530_123))),
            ("2025-06-20T11:47:56.530123+02:00", Bound::At(Timestamp(1_750_412_876_530_123))),
            ("2025-06-20 09:47:56", Bound::At(Timestamp(1_750_412_876_000_000))),
            ("2025-06-20T09:47", Bound::At(Timestamp(1_750_412_820_000_000))),
        ] {
            assert_eq!(Bound::parse(text), Some(bound), "{text}");
            assert_eq!(Bound::parse(&bound.to_string()), Some(bound), "{bound}");
        }
        for text in [
            "",
            "s",
            ".5",
            "-3",
            "1e3s",
            "25:00",
            "noon",
            "4294967296",
            "#x",
            "5 min",
            "9999999999999s",
        ] {
            assert_eq!(Bound::parse(text), None, "{text}");
        }
    }

    /// Frames 1 to 4, a second apart; the third has no time.
    fn shown(from: Option<&str>, to: Option<&str>, first: i64) -> Vec<u32> {
        let bound = |text: Option<&str>| text.map(|text| Bound::parse(text).unwrap());
        let mut range = Range::new(bound(from), bound(to));
        let time = |frame: u32| (frame != 3).then(|| Timestamp(first + i64::from(frame - 1) * S));
        (1..=4).filter(|&frame| range.has(frame, time(frame))).collect()
    }

    #[test]
    fn both_ends_belong_to_it() {
        assert_eq!(shown(None, None, 0), [1, 2, 3, 4]);
        assert_eq!(shown(Some("2"), Some("3"), 0), [2, 3]);
        assert_eq!(shown(Some("1.0"), Some("3.0"), 0), [2, 4]);
        assert_eq!(shown(Some("1.000001"), Some("2.999999"), 0), [0; 0]);
        assert_eq!(shown(Some("2"), Some("2.0s"), 0), [2]);
    }

    #[test]
    fn an_empty_part_says_what_there_is() {
        let mut range = Range::new(Some(Bound::Frame(4)), None);
        range.has(1, Some(Timestamp(0)));
        range.has(3, Some(Timestamp(2 * S)));
        let why = range.part().unwrap_err().to_string();
        assert!(
            why.ends_with(
                "frames 1 to 3, from 1970-01-01T00:00:00 to 1970-01-01T00:00:02 (2.00 s)"
            ),
            "{why}"
        );
        range.has(4, None);
        assert!(range.part().unwrap().text.contains("1 of its 3 records"));
    }

    #[test]
    fn a_time_of_day_is_of_the_first_day_or_of_the_next() {
        let day = 20_000 * DAY;
        // Begins two seconds before midnight.
        assert_eq!(shown(Some("00:00:00"), None, day - 2 * S), [4]);
        assert_eq!(shown(Some("23:00"), None, day - 2 * S), [1, 2, 4]);
        assert_eq!(shown(None, Some("23:59:59"), day - 2 * S), [1, 2]);
        // The time of day that is named lies long after the end, or just before the beginning.
        assert_eq!(shown(Some("23:00"), None, day + S), [0; 0]);
        assert_eq!(shown(Some("00:00:00"), None, day + S), [1, 2, 4]);
    }
}
