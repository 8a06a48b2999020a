//! When a link's connection events are, and which of them were heard.
use crate::seen::Seen;
use crate::time::Moment;

/// Units of connection parameters.
const UNIT_US: i64 = 1250;
/// A packet comes up to so much before the moment that was computed for it.
const EARLY_US: i64 = 500;
/// Most rows of events that are kept: the longest.
const MOST_ROWS: usize = 8;
/// Clocks of radios and sniffers together are off by no more than this, in millionths.
const DRIFT: i64 = 400;

/// A connection update that is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Update {
    /// The event from which on it holds.
    instant: i64,
    interval_us: i64,
    offset_us: i64,
}

/// The connection event that is going on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    number: u32,
    seen: Seen,
    central: bool,
    peripheral: bool,
    channel: Option<u8>,
}

/// An event that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The central was heard.
    pub central: bool,
    /// The peripheral was heard.
    pub peripheral: bool,
    /// On which channel it was, where something was heard.
    pub channel: Option<u8>,
}

/// Connection events in a row that fared alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The first of them, counted from 0.
    pub event: u32,
    /// How many there are.
    pub events: u32,
    /// Of events in which something was heard: the first packet. Of others: the first packet after them.
    pub seen: Seen,
}

/// The longest rows of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows(Vec<Row>);

impl Rows {
    /// In the order of time.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.0.iter()
    }

    fn push(&mut self, row: Row) {
        self.0.push(row);
        let shortest = (0..self.0.len()).min_by_key(|place| self.0[*place].events);
        if self.0.len() > MOST_ROWS
            && let Some(shortest) = shortest
        {
            self.0.remove(shortest);
        }
    }
}

/// Connection events, counted from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    interval_us: i64,
    /// Where the first event may begin.
    window: Option<i64>,
    /// The last anchor point that was heard, and its event.
    anchor: Option<(i64, u32)>,
    update: Option<Update>,
    current: Option<Event>,
    /// The first anchor point.
    pub first: Option<Seen>,
    /// Events in which anything was heard.
    pub heard: u32,
    /// Events in which the central was heard.
    pub central: u32,
    /// Events in which both were heard.
    pub answered: u32,
    /// Events between those that were heard, of which nothing was heard: the sniffer missed them, or nobody spoke.
    pub missed: u32,
    /// The most events in a row of them.
    pub longest_gap: u32,
    /// The longest rows of them.
    pub gaps: Rows,
    /// The longest rows of events in which the central was heard and the peripheral was not.
    pub unanswered: Rows,
    /// The row of such events that is going on.
    silent: Option<Row>,
}

impl Timing {
    /// A link whose connect request ended at this moment.
    pub fn begin(ended_us: Option<i64>, interval: u16, win_offset: u16, auxiliary: bool) -> Self {
        // The window begins one unit after the request, two or more after an auxiliary one.
        let delay = if auxiliary { 2 } else { 1 };
        Self {
            interval_us: i64::from(interval) * UNIT_US,
            window: ended_us.map(|ended| ended + (delay + i64::from(win_offset)) * UNIT_US),
            ..Self::default()
        }
    }

    /// A connection update was sent: it holds from this event on.
    pub fn update(&mut self, instant: i64, interval: u16, win_offset: u16) {
        self.update = Some(Update {
            instant,
            interval_us: i64::from(interval) * UNIT_US,
            offset_us: i64::from(win_offset) * UNIT_US,
        });
    }

    /// The event that is going on.
    pub fn event(&self) -> Option<u32> {
        self.current.map(|event| event.number)
    }

    /// Takes a packet: the event that it is in, and the one that is over by it.
    pub fn packet(
        &mut self,
        seen: Seen,
        central: bool,
        counter: Option<u16>,
        channel: Option<u8>,
    ) -> Option<Over> {
        let number = self.number(seen.at, central, counter)?;
        let over = match self.current {
            Some(event) if event.number >= number => None,
            before => {
                if let Some(before) = before {
                    let gap = number - before.number - 1;
                    self.missed = self.missed.saturating_add(gap);
                    self.longest_gap = self.longest_gap.max(gap);
                    if gap > 0 {
                        self.gaps.push(Row { event: before.number + 1, events: gap, seen });
                    }
                }
                let (central, peripheral, channel) = (false, false, None);
                self.current = Some(Event { number, seen, central, peripheral, channel });
                before
            }
        };
        if let Some(event) = &mut self.current {
            event.central |= central;
            event.peripheral |= !central;
            event.channel = event.channel.or(channel);
        }
        if central {
            self.first.get_or_insert(seen);
        }
        over.map(|event| self.count(event))
    }

    /// No packet comes any more: the last event is over too.
    pub fn close(&mut self) -> Option<Over> {
        let event = self.current.take()?;
        let over = self.count(event);
        if let Some(row) = self.silent.take() {
            self.unanswered.push(row);
        }
        Some(over)
    }

    fn count(&mut self, event: Event) -> Over {
        self.heard += 1;
        self.central += u32::from(event.central);
        self.answered += u32::from(event.central && event.peripheral);
        if event.peripheral {
            if let Some(row) = self.silent.take() {
                self.unanswered.push(row);
            }
        } else if event.central {
            let Event { number, seen, .. } = event;
            self.silent.get_or_insert(Row { event: number, events: 0, seen }).events += 1;
        }
        Over { central: event.central, peripheral: event.peripheral, channel: event.channel }
    }

    /// The event that a packet is in.
    fn number(&mut self, at: Moment, central: bool, counter: Option<u16>) -> Option<u32> {
        let Some(at) = at.time().map(|time| time.0) else {
            // Without a clock, the sniffer's own counter is used.
            return Some(u32::from(counter?));
        };
        let Some((anchor, number)) = self.anchor else {
            let first = match self.window {
                Some(window) if self.interval_us > 0 => {
                    let since = at - window + EARLY_US;
                    u32::try_from(since.div_euclid(self.interval_us)).unwrap_or(0)
                }
                _ => u32::from(counter.unwrap_or(0)),
            };
            if central {
                self.anchor = Some((at, first));
            }
            return Some(first);
        };
        if self.interval_us == 0 {
            // Nobody saw the parameters.
            let next = match counter {
                Some(counter) => u32::from(counter).max(number),
                None => number + u32::from(central),
            };
            self.anchor = Some((at, next));
            return Some(next);
        }
        let next = self.after(at, anchor, number);
        if central && next > number {
            self.anchor = Some((at, next));
            if self.update.is_some_and(|update| i64::from(next) >= update.instant) {
                self.interval_us = self.update.take().map_or(self.interval_us, |u| u.interval_us);
            }
        }
        Some(next)
    }

    /// The event of a moment after an anchor point.
    fn after(&self, at: i64, anchor: i64, number: u32) -> u32 {
        let steps = |since: i64, interval: i64| {
            let room = (EARLY_US + since.max(0) / 1_000_000 * DRIFT).min(interval / 4);
            (since + room).div_euclid(interval.max(1)).max(0)
        };
        let number = i64::from(number);
        if let Some(update) = self.update
            && update.interval_us > 0
            && update.instant > number
        {
            let instant_at =
                anchor + (update.instant - number) * self.interval_us + update.offset_us;
            let since = at - instant_at;
            if since + EARLY_US >= 0 {
                let next = update.instant + steps(since, update.interval_us);
                return u32::try_from(next).unwrap_or(u32::MAX);
            }
        }
        u32::try_from(number + steps(at - anchor, self.interval_us)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::SourceId;
    use crate::time::Timestamp;

    fn seen(us: i64) -> Seen {
        Seen { source: SourceId::FIRST, at: Moment::from(Timestamp(us)), frame: 1 }
    }

    /// Which events packets at these moments are in.
    fn numbers(timing: &mut Timing, packets: &[(i64, bool)]) -> Vec<u32> {
        let number = |&(us, central): &(i64, bool)| {
            timing.packet(seen(us), central, None, None);
            timing.event().unwrap()
        };
        packets.iter().map(number).collect()
    }

    #[test]
    fn events_are_counted_from_the_transmit_window() {
        let mut timing = Timing::begin(Some(0), 24, 3, false);
        // The window begins at 5 ms; the interval is 30 ms.
        let packets = [(5_000, true), (5_230, false), (35_002, true), (95_010, true)];
        assert_eq!(numbers(&mut timing, &packets), [0, 0, 1, 3]);
        assert_eq!(timing.close(), Some(Over { central: true, peripheral: false, channel: None }));
        assert_eq!((timing.heard, timing.central, timing.answered), (3, 3, 1));
        assert_eq!((timing.missed, timing.longest_gap), (1, 1));
        let rows = |rows: &Rows| rows.iter().map(|row| (row.event, row.events)).collect::<Vec<_>>();
        assert_eq!(rows(&timing.gaps), [(2, 1)]);
        assert_eq!(rows(&timing.unanswered), [(1, 2)]);
    }

    #[test]
    fn of_many_rows_the_longest_stay_in_the_order_of_time() {
        let mut rows = Rows::default();
        for events in [4, 1, 9, 8, 7, 6, 5, 3, 2, 10] {
            rows.push(Row { event: 0, events, seen: seen(0) });
        }
        let kept: Vec<_> = rows.iter().map(|row| row.events).collect();
        assert_eq!(kept, [4, 9, 8, 7, 6, 5, 3, 10]);
    }

    #[test]
    fn the_first_events_may_be_missed() {
        let mut timing = Timing::begin(Some(0), 24, 0, false);
        assert_eq!(numbers(&mut timing, &[(1_250 + 60_000, true)]), [2]);
    }

    #[test]
    fn a_long_event_is_one_event() {
        let mut timing = Timing::begin(Some(0), 24, 0, false);
        let packets = [(1_250, true), (20_000, true), (25_000, false), (31_240, true)];
        assert_eq!(numbers(&mut timing, &packets), [0, 0, 0, 1]);
    }

    #[test]
    fn an_update_changes_the_interval_at_its_instant() {
        let mut timing = Timing::begin(Some(0), 24, 0, false);
        assert_eq!(numbers(&mut timing, &[(1_250, true)]), [0]);
        timing.update(3, 8, 2);
        // Instant at 91.25 ms, 2.5 ms later the first event of 10 ms.
        let packets = [(31_250, true), (93_750, true), (103_750, true), (123_750, true)];
        assert_eq!(numbers(&mut timing, &packets), [1, 3, 4, 6]);
    }

    #[test]
    fn without_a_clock_the_sniffer_counts() {
        let unknown = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 1 };
        let mut timing = Timing::begin(None, 24, 0, false);
        timing.packet(unknown, true, Some(4), None);
        assert_eq!(timing.event(), Some(4));
        timing.packet(unknown, true, None, None);
        assert_eq!(timing.event(), Some(4));
    }
}
