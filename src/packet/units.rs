//! Units in which the specification counts time.
use crate::time::Span;

/// A connection interval, in units of 1.25 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u16);

/// A supervision timeout, in units of 10 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeout(pub u16);

/// A scan interval, a scan window or another time, in slots of 0.625 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slots(pub u16);

impl Interval {
    /// As a length of time.
    pub const fn span(self) -> Span {
        Span(self.0 as i64 * 1_250)
    }

    /// In milliseconds, exactly: no unit is finer than 0.25 ms.
    pub fn ms(self) -> f64 {
        self.span().as_ms()
    }
}

impl Timeout {
    /// As a length of time.
    pub const fn span(self) -> Span {
        Span(self.0 as i64 * 10_000)
    }

    /// In whole milliseconds.
    pub const fn ms(self) -> u32 {
        self.0 as u32 * 10
    }
}

impl Slots {
    /// As a length of time.
    pub const fn span(self) -> Span {
        Span(self.0 as i64 * 625)
    }

    /// In milliseconds.
    pub fn ms(self) -> f64 {
        self.span().as_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranges of the specification: 7.5 ms to 4 s, 100 ms to 32 s, 2.5 ms to 10.24 s.
    #[test]
    fn the_ends_of_the_ranges_are_what_the_specification_says() {
        assert_eq!((Interval(0x0006).ms(), Interval(0x0c80).ms()), (7.5, 4_000.0));
        assert_eq!((Timeout(0x000a).ms(), Timeout(0x0c80).ms()), (100, 32_000));
        assert_eq!((Slots(0x0004).ms(), Slots(0x4000).ms()), (2.5, 10_240.0));
        assert_eq!(Interval(39).span(), Span(48_750));
        assert_eq!(Timeout(42).span(), Span::from_ms(420));
        assert_eq!(Slots(0xffff).span(), Span(40_959_375));
    }
}
