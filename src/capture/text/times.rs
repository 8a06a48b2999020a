//! Times as text captures print them.
use super::super::ledger::Ledger;
use super::super::{Clock, Timestamp};
use chrono::{NaiveDate, NaiveTime, Timelike};

const DAY: i64 = 86_400_000_000;

/// What a line says about its moment, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Since 1970 in UTC.
    Utc(i64),
    /// A date and a time of a wall clock, counted as if it were UTC.
    Wall(i64),
    /// Since the beginning of a year that nobody names.
    OfYear(i64),
    /// Since midnight.
    OfDay(i64),
    /// Since a moment that nobody names.
    Since(i64),
}

impl When {
    /// The clock of a capture whose times are like this.
    pub fn clock(self) -> Clock {
        match self {
            Self::Utc(_) => Clock::Utc,
            Self::Wall(_) => Clock::Local,
            Self::OfYear(_) | Self::OfDay(_) | Self::Since(_) => Clock::Relative,
        }
    }
}

/// Turns what lines say into times of one clock: that of the first packet.
#[derive(Default)]
pub(crate) struct Times {
    clock: Option<Clock>,
    /// Midnights (or new years) passed, and the last time of the day (or year): such text wraps.
    wraps: i64,
    last: Option<i64>,
}

impl Times {
    /// `first` is what the first packet says.
    pub fn of(first: Option<When>) -> Self {
        Self { clock: first.map(When::clock), ..Self::default() }
    }

    pub fn clock(&self) -> Clock {
        self.clock.unwrap_or(Clock::None)
    }

    /// The clock that the whole text turned out to have.
    pub fn settled(&self, ledger: &Ledger) -> Clock {
        match self.clock() {
            Clock::None => Clock::None,
            _ => ledger.clock(),
        }
    }

    /// The moment of a packet; `None` where it says none, or one of another clock.
    pub fn moment(
        &mut self,
        when: Option<When>,
        ledger: &mut Ledger,
        offset: u64,
    ) -> Option<Timestamp> {
        let when = when?;
        if when.clock() != self.clock() {
            return None;
        }
        match when {
            When::Utc(at) | When::Wall(at) => ledger.moment(at, offset),
            When::Since(at) => ledger.step(at, offset),
            When::OfDay(at) => self.wrapped(at, DAY, ledger, offset),
            When::OfYear(at) => self.wrapped(at, 366 * DAY, ledger, offset),
        }
    }

    fn wrapped(
        &mut self,
        at: i64,
        period: i64,
        ledger: &mut Ledger,
        offset: u64,
    ) -> Option<Timestamp> {
        // Loggers do step back a little; half a day back is the next day.
        if self.last.is_some_and(|last| last - at > period / 2) {
            self.wraps += 1;
        }
        self.last = Some(at);
        ledger.step(self.wraps.saturating_mul(period).saturating_add(at), offset)
    }
}

/// `2026-09-21 14:13:20.000415` (or with a `T`) at the beginning of a text; and what follows.
pub(crate) fn date_time(text: &str) -> Option<(i64, &str)> {
    let (midnight, rest) = date(text)?;
    let (time, rest) = time_of_day(rest.strip_prefix([' ', 'T'])?)?;
    Some((midnight.checked_add(time)?, rest))
}

/// Midnight of `2026-09-21` at the beginning of a text; and what follows.
pub(crate) fn date(text: &str) -> Option<(i64, &str)> {
    let (date, rest) = text.split_at_checked(10)?;
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = date.as_bytes() else { return None };
    let year = i32::try_from(two(a, b)? * 100 + two(c, d)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, two(e, f)?, two(g, h)?)?;
    Some((since_1970(date)?, rest))
}

/// Midnight of a day.
pub(crate) fn since_1970(date: NaiveDate) -> Option<i64> {
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

/// `14:13:20`, with or without a fraction, at the beginning of a text; and what follows.
pub(crate) fn time_of_day(text: &str) -> Option<(i64, &str)> {
    let (time, rest) = text.split_at_checked(8)?;
    let &[a, b, b':', c, d, b':', e, f] = time.as_bytes() else { return None };
    let (hours, minutes, seconds) = (two(a, b)?, two(c, d)?, two(e, f)?);
    // A leap second is counted as the one before it.
    let time = NaiveTime::from_hms_opt(hours, minutes, seconds - u32::from(seconds == 60))?;
    let seconds = i64::from(time.num_seconds_from_midnight());
    let (micros, rest) = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, rest) = fraction.split_at_checked(digits)?;
            (micros(fraction)?, rest)
        }
        None => (0, rest),
    };
    Some((seconds * 1_000_000 + micros, rest))
}

/// A number of two digits, the first of which may be left blank.
fn two(tens: u8, units: u8) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let tens = if tens == b' ' { 0 } else { digit(tens)? };
    Some(tens * 10 + digit(units)?)
}

/// The digits behind a decimal point of seconds.
pub(crate) fn micros(fraction: &str) -> Option<i64> {
    let mut digits = fraction.bytes();
    (0..6).try_fold(0, |micros, _| match digits.next() {
        Some(digit @ b'0'..=b'9') => Some(micros * 10 + i64::from(digit - b'0')),
        Some(_) => None,
        None => Some(micros * 10),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::OpenOptions;
    use super::super::super::stream::Stream;
    use super::*;

    #[test]
    fn times_are_read_with_what_follows() {
        let noon = 1_789_999_200_000_000;
        assert_eq!(date_time("2026-09-21 14:00:00.000415 <"), Some((noon + 415, " <")));
        assert_eq!(date_time("2026-09-21T14:00:00.5Z"), Some((noon + 500_000, "Z")));
        assert_eq!(date_time("2026-13-21 14:00:00"), None);
        assert_eq!(time_of_day("00:00:01.250] x"), Some((1_250_000, "] x")));
        assert_eq!(time_of_day("00:00:01"), Some((1_000_000, "")));
        assert_eq!(time_of_day("99:00:01.5"), None);
        assert_eq!(micros("1234567"), Some(123_456));
        assert_eq!(time_of_day("12:\u{e9}0:00"), None);
    }

    #[test]
    fn times_of_day_go_on_past_midnight() {
        let stream = Stream::new(Box::new(std::io::empty()));
        let mut ledger = Ledger::new(stream, Clock::Relative, &OpenOptions::default());
        let mut times = Times::of(Some(When::OfDay(DAY - 5)));
        let mut at = |when| times.moment(Some(when), &mut ledger, 0).map(|time| time.0);
        assert_eq!(at(When::OfDay(DAY - 5)), Some(DAY - 5));
        assert_eq!(at(When::OfDay(DAY - 9)), Some(DAY - 9));
        assert_eq!(at(When::OfDay(3)), Some(DAY + 3));
        // Another paste with another kind of time: its order stands, its time means nothing here.
        assert_eq!(at(When::Wall(5)), None);
    }
}
