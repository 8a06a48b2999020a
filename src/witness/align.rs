//! When a log's lines were written, on the capture's clock.
//!
//! Claims that have a counterpart on the wire are anchors. Their distances vote for an offset; the votes of lines that
//! stand word for word in the capture count most. An offset is believed only if most anchors of the log that fall into
//! the capture find their counterpart in order, and if the clock can be off by so much: a wall clock by whole quarters
//! of an hour and a minute at most, a clock that knows its zone by a minute. So a log of another time stays where it is.
//! Times that are coarse or missing come from the order of the anchors.
use super::claim::{Asker, Claim, LogClock, What};
use super::head::{Dated, NO_YEAR};
use super::log::Log;
use super::wire::{Ended, Point, Wire};
use crate::packet::Address;
use chrono::{DateTime, Datelike};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Zones differ from UTC by multiples of this.
const ZONE_STEP: i64 = 900 * SECOND;
/// The farthest zones.
const ZONE_MOST: i64 = 14 * 3600 * SECOND;
/// The largest error of a clock that nobody changed on purpose.
const CLOCK_MOST: i64 = 60 * SECOND;
/// Up to here a clock is taken for right: what is seen is the delay of the lines.
const CLOCK_RIGHT: i64 = SECOND / 2;
/// Beyond this a clock's error must be proved by more anchors.
const CLOCK_DOUBTFUL: i64 = 15 * SECOND;
/// How many anchors prove an offset, as a rule, and where it is a strange one.
const FEWEST: usize = 2;
const FEWEST_IF_STRANGE: usize = 4;
/// Of the anchors that fall into the capture, so many must have a counterpart, in percent; of strange offsets more.
const SHARE: usize = 55;
const SHARE_IF_STRANGE: usize = 85;
/// Lines come so much before and after their event (trap 1 of the field: they may come before it).
const BEFORE: i64 = 6 * SECOND / 10;
const AFTER: i64 = 8 * SECOND / 10;
/// The delay of a line behind its event, in the middle.
const DELAY: i64 = 60_000;
/// The width in which votes are for the same offset.
const WINDOW: i64 = SECOND / 2;
/// Most anchors of either side that are compared.
const MOST: usize = 1500;
/// Most offsets that are tried.
const MOST_TRIED: usize = 24;
/// A rate is told where anchors span so much, and there are so many.
const RATE_SPAN: i64 = 600 * SECOND;
const RATE_ANCHORS: usize = 8;

/// What two anchors must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// The same line of the daemon stands in the log and in the capture.
    Said(u64),
    Asked,
    Up,
    Refused,
    Over,
    HungUp,
    Mtu(u16),
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    key: Key,
    at: Option<i64>,
    device: Option<Address>,
    adapter: Option<u16>,
    /// Index of the claim, or of the event's attempt.
    of: usize,
    /// HCI reasons that it can mean.
    reason: super::claim::Reason,
}

struct Event {
    key: Key,
    point: Point,
    /// Index into the attempts.
    attempt: Option<usize>,
}

/// Where a log lies against a capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// Whether that is known.
    pub aligned: bool,
    /// How many lines have their counterpart.
    pub anchors: usize,
    /// Log minus capture, in microseconds.
    pub offset: Option<i64>,
    /// How far the offset may be wrong, in microseconds.
    pub error: Option<i64>,
    /// How much faster the clock of the log runs, in millionths.
    pub drift_ppm: Option<f64>,
    /// The log's times lie before or after all of the capture, whatever its zone.
    pub other_time: bool,
    /// Of each claim: when, in microseconds of the capture's clock.
    pub(super) times: Vec<Option<i64>>,
}

/// Finds where a log lies against a capture.
pub(super) fn align(log: &Log, wire: &Wire, capture_has_clock: bool) -> Alignment {
    let wanted: std::collections::HashSet<u64> =
        log.claims.iter().map(|claim| claim.said).collect();
    let mut events = events(wire);
    events.extend(
        wire.lines.iter().filter(|(hash, _)| wanted.contains(hash)).map(|(hash, point)| Event {
            key: Key::Said(*hash),
            point: *point,
            attempt: None,
        }),
    );
    events.sort_by_key(|event| (event.point.at, event.point.frame));
    events.truncate(2 * MOST);
    let anchors = anchors(log, wire);
    if log.clock == LogClock::None || !capture_has_clock {
        return by_order(log, &anchors, &events, wire);
    }
    let years = years(log, wire);
    let at: Vec<Option<i64>> = log
        .claims
        .iter()
        .zip(&years)
        .map(|(claim, year)| Some(claim.at.time()?.0 + year))
        .collect();
    let timed: Vec<Anchor> = anchors
        .iter()
        .map(|anchor| Anchor { at: at.get(anchor.of).copied().flatten(), ..*anchor })
        .filter(|anchor| anchor.at.is_some())
        .collect();
    let resolution = i64::from(log.resolution_us);
    let Some(fit) = best(log, &timed, &events, wire, resolution) else {
        return unaligned(log, &at, timed.len(), wire);
    };
    let offset = fit.offset;
    let mut times: Vec<Option<i64>> = at.iter().map(|at| at.map(|at| at - fit.offset)).collect();
    if resolution >= SECOND {
        refine(&mut times, &timed, &events, wire, offset, resolution);
    }
    Alignment {
        aligned: true,
        anchors: fit.matched,
        offset: Some(offset),
        error: Some(fit.error),
        drift_ppm: fit.drift_ppm,
        other_time: false,
        times,
    }
}

/// What must be added to a claim's time for the year that its log does not say.
fn years(log: &Log, wire: &Wire) -> Vec<i64> {
    let none = || vec![0; log.claims.len()];
    let Some(first) = wire.first.and_then(DateTime::from_timestamp_micros) else { return none() };
    match log.dated {
        Dated::Whole => none(),
        // The day that brings it nearest to the capture.
        Dated::Time => {
            let own = log.span().map_or(0, |(first, _)| first.0);
            let capture = first.timestamp_micros();
            let days = (capture - own + DAY / 2).div_euclid(DAY);
            vec![days * DAY; log.claims.len()]
        }
        Dated::Day => {
            let shift = |claim: &Claim| {
                let said = DateTime::from_timestamp_micros(claim.at.time()?.0)?;
                if said.year() != NO_YEAR {
                    return None;
                }
                // The capture's year; around New Year the one beside it.
                let year = match (first.month(), said.month()) {
                    (1, 12) => first.year() - 1,
                    (12, 1) => first.year() + 1,
                    _ => first.year(),
                };
                // The 29th of February of a year that has none is no date.
                let near = said.with_year(year)?;
                Some(near.timestamp_micros() - said.timestamp_micros())
            };
            log.claims.iter().map(|claim| shift(claim).unwrap_or(0)).collect()
        }
    }
}

fn events(wire: &Wire) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, attempt) in wire.attempts.iter().enumerate() {
        let mut push = |key, point: Option<Point>| {
            events.extend(point.map(|point| Event { key, point, attempt: Some(index) }));
        };
        push(Key::Asked, attempt.create);
        match attempt.complete {
            Some((point, 0)) => push(Key::Up, Some(point)),
            refused => push(Key::Refused, refused.map(|(point, _)| point)),
        }
        push(Key::Over, attempt.end.map(|(point, _)| point));
        push(Key::HungUp, attempt.hang_up);
        if let Some((point, size)) = attempt.mtu {
            push(Key::Mtu(size), Some(point));
        }
    }
    events
}

fn anchors(log: &Log, wire: &Wire) -> Vec<Anchor> {
    let known: std::collections::HashSet<u64> = wire.lines.iter().map(|(hash, _)| *hash).collect();
    let mut anchors = Vec::new();
    for (of, claim) in log.claims.iter().enumerate() {
        let adapter = super::relate::adapter_of(claim);
        let foreign = claim.radio == super::claim::Radio::Proxy
            || adapter.is_some_and(|number| {
                !wire.adapters.is_empty() && !wire.adapters.contains(&number)
            })
            || wire.of_device(claim.device, adapter).next().is_none();
        if foreign && !known.contains(&claim.said) {
            continue;
        }
        let none = super::claim::Reason::Unsaid;
        let (key, reason) = match claim.what {
            // A daemon's line is its own best anchor, if the capture has any of them.
            _ if claim.said != 0 && known.contains(&claim.said) => (Key::Said(claim.said), none),
            What::ConnectAsked(Asker::Stack) | What::PairAsked => (Key::Asked, none),
            What::Connected => (Key::Up, none),
            What::Disconnected(reason) => (Key::Over, reason),
            What::ConnectFailed(_) => (Key::Refused, none),
            What::HangUpAsked => (Key::HungUp, none),
            What::Mtu(size) => (Key::Mtu(size), none),
            _ => continue,
        };
        anchors.push(Anchor { key, at: None, device: claim.device, adapter, of, reason });
        if anchors.len() == MOST {
            break;
        }
    }
    anchors
}

/// Whether a line can tell of an event.
fn tells(anchor: &Anchor, event: &Event, wire: &Wire) -> bool {
    if anchor.key != event.key {
        return false;
    }
    let Some(attempt) = event.attempt.and_then(|index| wire.attempts.get(index)) else {
        return true;
    };
    let lost = matches!(attempt.end, Some((_, Ended::Lost(_))));
    attempt.is_with(anchor.device)
        && attempt.is_on(anchor.adapter)
        && (event.key != Key::Over || lost || attempt.ended_as(anchor.reason))
}

struct Fit {
    offset: i64,
    error: i64,
    matched: usize,
    drift_ppm: Option<f64>,
}

/// An offset without what a clock may be wrong by: whole quarters of an hour of a wall clock.
fn excess(offset: i64, clock: LogClock) -> i64 {
    match clock {
        LogClock::Local => {
            let steps = (offset + ZONE_STEP / 2).div_euclid(ZONE_STEP);
            offset - steps * ZONE_STEP
        }
        _ => offset,
    }
}

/// Whether a clock can be off by so much.
fn plausible(offset: i64, clock: LogClock) -> bool {
    match clock {
        LogClock::Utc => offset.abs() <= CLOCK_MOST,
        LogClock::Local => {
            offset.abs() <= ZONE_MOST + CLOCK_MOST && excess(offset, clock).abs() <= CLOCK_MOST
        }
        LogClock::Boot => true,
        LogClock::None => false,
    }
}

fn best(
    log: &Log,
    anchors: &[Anchor],
    events: &[Event],
    wire: &Wire,
    resolution: i64,
) -> Option<Fit> {
    // A stamp in whole seconds stands for the beginning of that second.
    let middle = if resolution >= SECOND { resolution / 2 } else { 0 };
    let mut votes = Vec::new();
    for anchor in anchors {
        let Some(at) = anchor.at else { continue };
        for event in events.iter().filter(|event| tells(anchor, event, wire)) {
            let offset = at + middle - event.point.at;
            let word = matches!(anchor.key, Key::Said(_));
            if word || plausible(offset, log.clock) {
                votes.push((offset, if word { 3 } else { 1 }));
            }
        }
        if votes.len() > 2_000_000 {
            break;
        }
    }
    votes.sort_unstable();
    // The width slides: the weight of all votes within it.
    let width = WINDOW + resolution;
    let mut tried: Vec<(i64, i64)> = Vec::new();
    let (mut from, mut weight) = (0, 0);
    for to in 0..votes.len() {
        weight += votes[to].1;
        while votes[to].0 - votes[from].0 > width {
            weight -= votes[from].1;
            from += 1;
        }
        tried.push((weight, votes[from + (to - from) / 2].0));
    }
    tried.sort_unstable_by_key(|(weight, offset)| (-*weight, excess(*offset, log.clock).abs()));
    let mut centers: Vec<i64> = Vec::new();
    for (_, offset) in tried {
        if centers.iter().all(|center| (center - offset).abs() > width / 2) {
            centers.push(offset);
        }
        if centers.len() == MOST_TRIED {
            break;
        }
    }
    let fits = centers
        .into_iter()
        .filter_map(|center| fit(log, anchors, events, wire, center, resolution));
    // The most anchors; of equals the least strange clock.
    fits.max_by_key(|fit| (fit.matched, -excess(fit.offset, log.clock).abs()))
}

/// Pairs anchors with events at about this offset, in order, and weighs what comes of it.
fn fit(
    log: &Log,
    anchors: &[Anchor],
    events: &[Event],
    wire: &Wire,
    center: i64,
    resolution: i64,
) -> Option<Fit> {
    let middle = if resolution >= SECOND { resolution / 2 } else { 0 };
    let slack = if resolution >= SECOND { resolution / 2 } else { 0 };
    let mut taken = vec![false; events.len()];
    let mut pairs: Vec<(i64, i64, bool, Key)> = Vec::new();
    let mut inside = 0;
    let mut words = 0;
    let (first, last) = (wire.first?, wire.last?);
    let mut said_before: Option<(Key, i64)> = None;
    for anchor in anchors {
        let Some(at) = anchor.at else { continue };
        let at = at + middle;
        let there = at - center;
        // Duplicates of one event (one line a client, syslog and stderr) count once.
        let copy = said_before
            .is_some_and(|(key, before)| key == anchor.key && (at - before).abs() < SECOND / 4);
        let asked = anchor.key == Key::Asked;
        let reach = if asked { 3 * SECOND } else { BEFORE };
        let near = events
            .iter()
            .enumerate()
            .skip(events.partition_point(|event| event.point.at < there - AFTER - slack))
            .take_while(|(_, event)| event.point.at <= there + reach + slack)
            .filter(|(index, event)| !taken[*index] && tells(anchor, event, wire))
            .min_by_key(|(_, event)| (event.point.at - there).abs());
        let within = there >= first && there <= last;
        match near {
            Some((index, event)) => {
                taken[index] = true;
                let word = matches!(anchor.key, Key::Said(_));
                words += usize::from(word);
                inside += usize::from(within || word);
                pairs.push((at, event.point.at, asked, anchor.key));
                said_before = Some((anchor.key, at));
            }
            None => inside += usize::from(within && !copy),
        }
    }
    let matched = pairs.len();
    let strange = !plausible(center, log.clock)
        || log.clock != LogClock::Boot && excess(center, log.clock).abs() > CLOCK_DOUBTFUL;
    // A clock that counts from the start of a machine tells nothing about its offset: the order must.
    let (fewest, share) = match strange || log.clock == LogClock::Boot {
        true => (FEWEST_IF_STRANGE, SHARE_IF_STRANGE),
        false => (FEWEST, SHARE),
    };
    let fewest = if log.clock == LogClock::Boot && !strange { FEWEST } else { fewest };
    if matched < fewest || matched * 100 < share * inside {
        return None;
    }
    // Of lines that stand in the capture, strange offsets need several different ones.
    if strange && words < FEWEST_IF_STRANGE {
        return None;
    }
    let prompt = |asked: bool, key: Key| !asked && !matches!(key, Key::HungUp);
    let mut offsets: Vec<i64> = pairs
        .iter()
        .filter(|(_, _, asked, key)| prompt(*asked, *key))
        .map(|(log, event, _, _)| log - event)
        .collect();
    if offsets.is_empty() {
        offsets = pairs.iter().map(|(log, event, _, _)| log - event).collect();
    }
    offsets.sort_unstable();
    let median = *offsets.get(offsets.len() / 2)?;
    let delay = if words * 2 > matched { 0 } else { DELAY };
    let seen = median - delay;
    let rest = excess(seen, log.clock);
    let right = CLOCK_RIGHT + resolution / 2;
    let offset = match log.clock {
        LogClock::Boot => seen,
        _ if rest.abs() <= right => seen - rest,
        _ => seen,
    };
    let error = if resolution >= SECOND { resolution + resolution / 2 } else { 3 * SECOND / 10 };
    let drift_ppm = rate(&pairs);
    Some(Fit { offset, error, matched, drift_ppm })
}

/// Parts in a million by which the log's clock runs fast: the median of the slopes.
fn rate(pairs: &[(i64, i64, bool, Key)]) -> Option<f64> {
    let pairs: Vec<_> = pairs.iter().filter(|pair| !pair.2).collect();
    let (first, last) = (pairs.first()?, pairs.last()?);
    if pairs.len() < RATE_ANCHORS || last.1 - first.1 < RATE_SPAN {
        return None;
    }
    let half = pairs.len() / 2;
    let mut slopes: Vec<f64> = pairs
        .iter()
        .zip(pairs.get(half..)?)
        .filter(|(early, late)| late.1 - early.1 > RATE_SPAN / 4)
        .map(|(early, late)| {
            let (log, event) = ((late.0 - early.0) as f64, (late.1 - early.1) as f64);
            (log / event - 1.0) * 1e6
        })
        .collect();
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied()
}

/// No offset is proved. Where the clock may be right and the log's times meet the capture's, they are taken as they are.
/// Where only another zone would let them meet, nothing is known of them: or they are of another time, if the log tells
/// enough of this device that some of it would have been found in the capture.
fn unaligned(log: &Log, at: &[Option<i64>], anchors: usize, wire: &Wire) -> Alignment {
    let times = || at.iter().flatten().copied();
    let span = times().min().zip(times().max());
    let capture = wire.first.zip(wire.last);
    let (Some((from, to)), Some((first, last))) = (span, capture) else {
        return Alignment { times: vec![None; at.len()], ..Alignment::default() };
    };
    let zones: Vec<i64> = match log.clock {
        LogClock::Utc => vec![0],
        LogClock::Local => {
            let most = ZONE_MOST / ZONE_STEP;
            let mut steps: Vec<i64> = (-most..=most).map(|step| step * ZONE_STEP).collect();
            steps.sort_by_key(|step| step.abs());
            steps
        }
        LogClock::Boot | LogClock::None => {
            return Alignment { times: vec![None; at.len()], ..Alignment::default() };
        }
    };
    // How long both run at the same time, in each zone; of equals the smallest.
    let overlap = |zone: &i64| (to - zone).min(last) - (from - zone).max(first);
    let zone = zones.iter().copied().rev().max_by_key(|zone| overlap(zone).min(last - first));
    // Where both run at the same time as they stand, no zone is guessed.
    let zone = zone.filter(|_| overlap(&0) < 0).unwrap_or(0);
    let would_be_found = zone != 0 && anchors >= FEWEST_IF_STRANGE;
    let other_time = overlap(&zone) < -SECOND || would_be_found;
    let known = zone == 0 || other_time;
    let times = if known { at.to_vec() } else { vec![None; at.len()] };
    Alignment { other_time, times, ..Alignment::default() }
}

/// The longest run of anchors and events in the same order. Of each anchor: the event's place.
fn in_order(
    anchors: &[&Anchor],
    events: &[&Event],
    tells: impl Fn(&Anchor, &Event) -> bool,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (anchors.len(), events.len());
    let width = columns + 1;
    let mut best = vec![0_u16; (rows + 1) * width];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let skip = best[(row + 1) * width + column].max(best[row * width + column + 1]);
            let take = if tells(anchors[row], events[column]) {
                best[(row + 1) * width + column + 1].saturating_add(1)
            } else {
                0
            };
            best[row * width + column] = skip.max(take);
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        let here = best[row * width + column];
        let take = best[(row + 1) * width + column + 1].saturating_add(1);
        if here == take && tells(anchors[row], events[column]) {
            pairs.push((row, column));
            row += 1;
            column += 1;
        } else if best[row * width + column + 1] == here {
            column += 1;
        } else {
            row += 1;
        }
    }
    pairs
}

/// How long behind its event such a line is written, as a rule.
fn delay(key: Key) -> i64 {
    match key {
        Key::Said(_) => 0,
        Key::Asked | Key::HungUp => -DELAY,
        _ => DELAY,
    }
}

/// Coarse times become those of their events, as far as the order allows; what stands between keeps between them.
fn refine(
    times: &mut [Option<i64>],
    anchors: &[Anchor],
    events: &[Event],
    wire: &Wire,
    offset: i64,
    resolution: i64,
) {
    let anchors: Vec<&Anchor> = anchors.iter().take(MOST).collect();
    let events: Vec<&Event> = events.iter().take(MOST).collect();
    let pairs = in_order(&anchors, &events, |anchor, event| {
        let Some(at) = anchor.at.map(|at| at - offset) else { return false };
        let late = event.point.at - at;
        let reach = if anchor.key == Key::Asked { 3 * SECOND } else { BEFORE };
        tells(anchor, event, wire) && late >= -AFTER && late <= resolution + reach
    });
    let mut fixed: Vec<Option<i64>> = vec![None; times.len()];
    for (row, column) in pairs {
        let delay = delay(anchors[row].key);
        if let Some(place) = fixed.get_mut(anchors[row].of) {
            *place = Some(events[column].point.at + delay);
        }
    }
    let mut last: Option<i64> = None;
    for index in 0..times.len() {
        let Some(coarse) = times[index] else { continue };
        let next = fixed[index..].iter().flatten().next().copied();
        let time = fixed[index].unwrap_or_else(|| {
            // Somewhere in its step, not before the line before, not after the next that is known.
            let low = last.filter(|last| *last >= coarse).map_or(coarse, |last| last + 1_000);
            let high =
                next.map_or(coarse + resolution, |next| next - 1_000).min(coarse + resolution);
            let near = if last.is_some_and(|last| last >= coarse) {
                low
            } else {
                (coarse + resolution / 2).max(low)
            };
            near.min(high.max(low))
        });
        last = Some(last.map_or(time, |last| last.max(time)));
        times[index] = Some(time);
    }
}

/// No clock, or none that can be compared: the order of the lines tells.
fn by_order(log: &Log, anchors: &[Anchor], events: &[Event], wire: &Wire) -> Alignment {
    let mut anchors: Vec<&Anchor> = anchors.iter().take(MOST).collect();
    // One event has one line a client: the copies behind the first follow it.
    anchors.dedup_by(|later, earlier| {
        later.key == earlier.key && later.device == earlier.device && later.key == Key::Over
    });
    let events: Vec<&Event> = events.iter().take(MOST).collect();
    let pairs = in_order(&anchors, &events, |anchor, event| tells(anchor, event, wire));
    let matched = pairs.len();
    let mut fixed: Vec<Option<i64>> = vec![None; log.claims.len()];
    for (row, column) in &pairs {
        let delay = delay(anchors[*row].key);
        if let Some(place) = fixed.get_mut(anchors[*row].of) {
            *place = Some(events[*column].point.at + delay);
        }
    }
    if matched < FEWEST || matched * 2 < anchors.len() {
        return Alignment {
            anchors: matched,
            times: vec![None; log.claims.len()],
            ..Alignment::default()
        };
    }
    let mut times = fixed.clone();
    let mut last: Option<i64> = None;
    for index in 0..times.len() {
        let next = fixed[index..].iter().flatten().next().copied();
        let time = match (fixed[index], last, next) {
            (Some(at), _, _) => Some(at),
            (None, Some(last), Some(next)) => Some((last + 10_000).min(next)),
            (None, Some(last), None) => Some(last + 10_000),
            (None, None, Some(next)) => Some(next - 10_000),
            (None, None, None) => None,
        };
        times[index] = time;
        last = time.or(last);
    }
    Alignment { aligned: true, anchors: matched, times, ..Alignment::default() }
}
