//! A sniffer's capture as a witness: which of its links are which connections, and where its clock lies.
//!
//! Links are joined by addresses, parameters and order. Then every moment that both captures show is an anchor: the
//! connect request and Connection Complete, answers of the attribute protocol, the end. From them come offset and drift.
use super::align::Alignment;
use super::claim::{Kind, LogClock};
use super::head::Dated;
use super::log::Log;
use crate::air::Request;
use crate::packet::{Address, Direction};
use crate::seen::Seen;
use crate::time::Clock;
use crate::timeline::{Capture, Connection, Outcome, Procedure, Role, Step};

/// Distances of links that belong together differ by no more than this, in microseconds, without drift.
const WINDOW: i64 = 500_000;
/// Most links of either side that are compared.
const MOST: usize = 1_000;
/// How long a controller takes to tell its host what was on the air, in the middle and at most.
const DELAY: i64 = 1_000;
const DELAY_ERROR: i64 = 2_500;
/// Anchors agree that differ by no more than this: half of the shortest connection interval that hosts use.
const AGREE: i64 = 3_700;
/// Clocks run apart by as much as this at most.
const DRIFT_ROOM: f64 = 300e-6;
/// Clocks that run apart by more than this are taken for jumps.
const MOST_DRIFT: f64 = 1e-3;
/// Most ways to lay the captures against each other that are tried, and most slopes that are compared.
const MOST_TRIED: usize = 24;
const MOST_SLOPES: usize = 20_000;
/// A rate is told where anchors span so much, in microseconds, and there are so many.
const RATE_SPAN: i64 = 5_000_000;
const RATE_ANCHORS: usize = 3;
/// Fewer anchors tell the order alone.
const FEWEST: usize = 2;

/// A link on the air that is a connection of a host's capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its number in the sniffer's capture.
    pub on_air: u32,
    /// Its number in the host's.
    pub number: u32,
}

/// A sniffer's capture beside a host's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sniffed {
    /// What the sniffer recorded, as a capture of its own.
    pub capture: Capture,
    /// Which of its links is which of the host's.
    pub joined: Vec<Joined>,
    /// What is the sniffer's clock minus the host's, in microseconds, at a moment of the host's clock.
    line: Option<Line>,
}

/// An offset that changes at an even rate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    /// The host's moment at which `offset` holds.
    at: i64,
    offset: i64,
    rate: f64,
    error: i64,
}

impl Line {
    fn offset_at(&self, at: i64) -> i64 {
        self.offset + ((at - self.at) as f64 * self.rate) as i64
    }
}

impl Sniffed {
    /// Holds a sniffer's capture against a host's.
    pub(super) fn of(air: Capture, host: &Capture) -> (Self, Alignment) {
        let way = best(&air, host);
        let (joined, anchors, line) =
            way.map_or((Vec::new(), 0, None), |way| (way.joined, way.anchors, way.line));
        let alignment = Alignment {
            aligned: line.is_some() || !joined.is_empty(),
            anchors,
            offset: line.map(|line| line.offset),
            error: line.map(|line| line.error),
            drift_ppm: line.filter(|line| line.rate != 0.0).map(|line| line.rate * 1e6),
            ..Alignment::default()
        };
        (Self { capture: air, joined, line }, alignment)
    }

    /// What stands for the log of such a witness.
    pub(super) fn log(&self) -> Log {
        Log {
            file: self.capture.file.clone(),
            kind: Kind::Air,
            clock: match self.capture.clock {
                Clock::Utc => LogClock::Utc,
                Clock::Local => LogClock::Local,
                Clock::Relative => LogClock::Boot,
                Clock::None => LogClock::None,
            },
            resolution_us: self.capture.resolution_us,
            lines: self.capture.totals.records,
            understood: self.capture.connections.len() as u64,
            claims: Vec::new(),
            names: Vec::new(),
            dated: Dated::Whole,
            bus_capture: false,
        }
    }

    /// A moment of the host on the sniffer's clock, and how far that may be off; in microseconds.
    pub fn on_air(&self, host: i64) -> Option<(i64, i64)> {
        let line = self.line?;
        Some((host + line.offset_at(host), line.error))
    }

    /// A moment of the sniffer on the host's clock, in microseconds. None where the order alone is known.
    pub fn at_host(&self, air: i64) -> Option<i64> {
        let line = self.line?;
        let near = air - line.offset;
        Some(air - line.offset_at(near))
    }

    /// The link that is this connection of the host.
    pub fn link_of(&self, number: u32) -> Option<&crate::air::Link> {
        let joined = self.joined.iter().find(|joined| joined.number == number)?;
        self.capture.connection(joined.on_air)?.air.as_deref()
    }
}

/// The request of a link, and where the link stands among the sniffer's.
fn requests(air: &Capture) -> Vec<(&Connection, Request)> {
    let of = air
        .connections
        .iter()
        .filter_map(|connection| Some((connection, connection.air.as_ref()?.request?)));
    of.take(MOST).collect()
}

/// Whether a request on the air can be what made this connection.
fn fits(request: &Request, host: &Connection) -> bool {
    let granted = host.granted.is_none_or(|granted| {
        (granted.interval, granted.latency, granted.timeout)
            == (request.interval, request.latency, request.timeout)
    });
    let peer = match host.role {
        Some(Role::Peripheral) => request.init_a,
        _ => request.adv_a,
    };
    granted && is(host, peer)
}

/// Whether the connection's peer may have this address on the air.
fn is(host: &Connection, on_air: Address) -> bool {
    let peer = &host.peer;
    let known = [peer.address, peer.on_air, peer.identity.map(|(identity, _)| identity)];
    if known.into_iter().flatten().any(|address| address == on_air) {
        return true;
    }
    // The controller resolved a private address, and does not say which.
    let resolved = peer.address_type.is_some_and(|kind| kind.0 >= 2) && peer.on_air.is_none();
    resolved && on_air.looks_resolvable()
}

/// One way in which the two captures may lie against each other.
struct Way {
    joined: Vec<Joined>,
    anchors: usize,
    line: Option<Line>,
    /// How many anchors agree, and how well the links of both sides cover each other.
    fits: i64,
}

/// Which links are which connections: of all distances that pairs of them have, the one that explains most.
fn best(air: &Capture, host: &Capture) -> Option<Way> {
    let requests = requests(air);
    let up: Vec<&Connection> =
        host.connections.iter().filter(|c| c.up.is_some()).take(MOST).collect();
    let mut pairs: Vec<(usize, usize, Option<i64>)> = Vec::new();
    for (at, (_, request)) in requests.iter().enumerate() {
        for (of, connection) in up.iter().enumerate() {
            if fits(request, connection) {
                pairs.push((at, of, distance(request.seen, connection.up)));
            }
        }
    }
    let mut distances: Vec<i64> = pairs.iter().filter_map(|(.., distance)| *distance).collect();
    distances.sort_unstable();
    let within = |from: i64, distance: i64| (0..=WINDOW).contains(&(distance - from));
    let votes = |from: i64| distances.iter().filter(|d| within(from, **d)).count();
    let mut ranked: Vec<(usize, i64)> =
        distances.iter().map(|from| (votes(*from), *from)).collect();
    ranked.sort_unstable_by_key(|(votes, from)| (std::cmp::Reverse(*votes), from.abs()));
    let mut tried: Vec<Option<i64>> = Vec::new();
    for (_, from) in ranked {
        if tried.len() < MOST_TRIED
            && tried.iter().flatten().all(|other| (other - from).abs() > WINDOW / 2)
        {
            tried.push(Some(from));
        }
    }
    if tried.is_empty() {
        // Without clocks the order is all there is.
        tried.push(None);
    }
    let way = |from: Option<i64>| {
        let near = pairs.iter().filter(|(.., distance)| match (from, distance) {
            (Some(from), Some(distance)) => within(from, *distance),
            (None, _) => true,
            _ => false,
        });
        let near: Vec<(usize, usize)> = near.map(|(air, host, _)| (*air, *host)).collect();
        let joined: Vec<Joined> = in_order(&near)
            .into_iter()
            .filter_map(|(at, of)| {
                Some(Joined { on_air: requests.get(at)?.0.number, number: up.get(of)?.number })
            })
            .collect();
        let anchors = anchors(air, host, &joined);
        let (line, agree) = match anchors.len() {
            many if many >= FEWEST => {
                let (line, agree) = fit(&anchors);
                (Some(line).filter(|_| agree >= FEWEST), agree)
            }
            few => (None, few),
        };
        let offset = line.map(|line| line.offset).or(from);
        let covered = offset.map_or(0, |offset| covers(air, &up, offset));
        Way { joined, anchors: agree, line, fits: covered + agree as i64 }
    };
    let mut ways: Vec<Way> =
        tried.into_iter().map(&way).filter(|way| !way.joined.is_empty()).collect();
    // The sort is stable: of equals the least strange clock stands first.
    ways.sort_by_key(|way| std::cmp::Reverse(way.fits));
    let doubtful = matches!(ways.as_slice(), [first, second, ..] if first.fits == second.fits && first.joined != second.joined);
    let first = ways.into_iter().next()?;
    // Where two are as good, nobody can tell: the order alone is left.
    Some(if doubtful { Way { line: None, ..way(None) } } else { first })
}

/// How well links cover each other at this offset: one for each that has a partner at its time, one less for each that
/// has none.
fn covers(air: &Capture, up: &[&Connection], offset: i64) -> i64 {
    let heard: Vec<(i64, i64)> = air.connections.iter().take(MOST).filter_map(span).collect();
    let ended = |host: &Connection| host.end.as_ref().map_or(host.capture_end, |end| end.at).time();
    let held: Vec<(i64, i64)> = up
        .iter()
        .filter_map(|host| Some((host.up?.at.time()?.0 + offset, ended(host)?.0 + offset)))
        .collect();
    let meets = |one: &(i64, i64), other: &(i64, i64)| one.0 <= other.1 && other.0 <= one.1;
    let within = air.first_time.zip(air.last_time).map_or((0, 0), |(a, b)| (a.0, b.0));
    let score = |found: bool| if found { 1 } else { -1 };
    let ours = heard.iter().map(|one| score(held.iter().any(|other| meets(one, other))));
    let inside = held.iter().filter(|one| one.0 >= within.0 && one.1 <= within.1);
    let theirs = inside.map(|one| score(heard.iter().any(|other| meets(one, other))));
    ours.chain(theirs).sum()
}

/// From the first to the last packet of a link on the air.
fn span(connection: &Connection) -> Option<(i64, i64)> {
    let link = connection.air.as_ref()?;
    let seen = [
        link.request.map(|request| request.seen),
        link.central.first,
        link.peripheral.first,
        link.central.last,
        link.peripheral.last,
    ];
    let times = || seen.iter().flatten().filter_map(|seen| seen.at.time()).map(|at| at.0);
    Some((times().min()?, times().max()?))
}

/// The longest chain of pairs in which both sides go forward.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut sorted = pairs.to_vec();
    // Of several partners of one link only one can be in a chain.
    sorted.sort_unstable_by_key(|(air, host)| (*air, std::cmp::Reverse(*host)));
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; sorted.len()];
    for (at, (_, host)) in sorted.iter().enumerate() {
        let place = ends.partition_point(|end| sorted[*end].1 < *host);
        before[at] = place.checked_sub(1).map(|place| ends[place]);
        if place == ends.len() {
            ends.push(at);
        } else {
            ends[place] = at;
        }
    }
    let mut chain = Vec::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        chain.push(sorted[at]);
        next = before[at];
    }
    chain.reverse();
    chain
}

fn distance(air: Seen, host: Option<Seen>) -> Option<i64> {
    Some(air.at.time()?.0 - host?.at.time()?.0)
}

/// A moment of the host, and what the sniffer's clock is ahead.
type Anchor = (i64, i64);

fn anchors(air: &Capture, host: &Capture, joined: &[Joined]) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    for pair in joined {
        let (Some(on_air), Some(connection)) =
            (air.connection(pair.on_air), host.connection(pair.number))
        else {
            continue;
        };
        let mut push = |air: Option<Seen>, host: Option<Seen>| {
            let host_at = host.and_then(|host| host.at.time());
            if let (Some(distance), Some(at)) = (air.and_then(|air| distance(air, host)), host_at) {
                anchors.push((at.0, distance));
            }
        };
        let Some(link) = &on_air.air else { continue };
        push(link.request.map(|request| request.seen), connection.up);
        let ended = link.terminated.map(|end| end.acknowledged.unwrap_or(end.seen));
        push(ended, connection.end.as_ref().map(|end| end.seen));
        for (ours, theirs) in shared(connection, on_air) {
            push(Some(theirs), Some(ours));
        }
    }
    anchors
}

/// What both captures show of the same packets: what the host received.
fn shared(host: &Connection, air: &Connection) -> Vec<(Seen, Seen)> {
    let turned = host.role == Some(Role::Peripheral);
    let turn = |by: Direction| match (turned, by) {
        (true, Direction::Sent) => Direction::Received,
        (true, Direction::Received) => Direction::Sent,
        (false, by) => by,
    };
    // The host asked, and the answer came; or the peer asked.
    let received = |step: &Step, by: Direction| match by {
        Direction::Sent if step.outcome == Outcome::Ok && step.count == 1 => Some(step.last),
        Direction::Sent => None,
        Direction::Received => Some(step.first),
    };
    let tells = |step: &&Step| {
        use Procedure::*;
        matches!(
            step.procedure,
            ExchangeMtu | Read | Write | Subscribe | DiscoverServices | DiscoverCharacteristics
        )
    };
    let of = |connection: &Connection, turned: bool| -> Vec<((Procedure, Direction, u16), Seen)> {
        let steps = connection.steps.iter().filter(tells);
        let of = steps.filter_map(|step| {
            let by = if turned { turn(step.by) } else { step.by };
            Some(((step.procedure, by, step.attribute), received(step, by)?))
        });
        of.take(256).collect()
    };
    let (ours, theirs) = (of(host, false), of(air, true));
    let mut shared = Vec::new();
    let mut from = 0;
    for (key, seen) in ours {
        let found = theirs.iter().skip(from).position(|(other, _)| *other == key);
        if let Some(found) = found {
            shared.push((seen, theirs[from + found].1));
            from += found + 1;
        }
    }
    shared
}

/// The line through the anchors, and how many of them agree with it: the middle of all slopes between them, the middle
/// of the distances from it. A packet of which the sniffer only heard the repetition is late by whole events: such
/// anchors do not agree, and the others decide.
fn fit(anchors: &[Anchor]) -> (Line, usize) {
    let mut anchors = anchors.to_vec();
    anchors.sort_unstable();
    // First without any rate: so much of a drift is within the room.
    let agreeing = |rate: f64, at: i64, room: i64| -> Vec<Anchor> {
        let rest = |anchor: &Anchor| anchor.1 - ((anchor.0 - at) as f64 * rate) as i64;
        let mut rests: Vec<(i64, Anchor)> = anchors.iter().map(|a| (rest(a), *a)).collect();
        rests.sort_unstable();
        let most = (0..rests.len()).max_by_key(|from| {
            let count =
                rests[*from..].iter().take_while(|(r, _)| r - rests[*from].0 <= room).count();
            (count, std::cmp::Reverse(*from))
        });
        let Some(from) = most else { return Vec::new() };
        rests[from..]
            .iter()
            .take_while(|(rest, _)| rest - rests[from].0 <= room)
            .map(|(_, anchor)| *anchor)
            .collect()
    };
    let ends = |of: &[Anchor]| {
        let times = || of.iter().map(|anchor| anchor.0);
        (times().min().unwrap_or(0), times().max().unwrap_or(0))
    };
    let (first, last) = ends(&anchors);
    let at = first + (last - first) / 2;
    let drifted = ((last - first) as f64 * DRIFT_ROOM) as i64;
    let rough = agreeing(0.0, at, AGREE + drifted);
    let rate = rate(&rough);
    let agree = agreeing(rate, at, AGREE);
    let rest = |anchor: &Anchor| anchor.1 - ((anchor.0 - at) as f64 * rate) as i64;
    let mut rests: Vec<i64> = agree.iter().map(rest).collect();
    rests.sort_unstable();
    let middle = rests.get(rests.len() / 2).copied().unwrap_or(0);
    let spread = rests.iter().map(|rest| (rest - middle).abs()).max().unwrap_or(0);
    // Where the anchors are too few for a rate, the clocks may run apart all the same.
    let apart = if rate == 0.0 { ((last - first) as f64 * DRIFT_ROOM / 2.0) as i64 } else { 0 };
    let error = spread.max(apart) + DELAY_ERROR;
    (Line { at, offset: middle + DELAY, rate, error }, agree.len())
}

/// How fast the distances grow: the middle of the slopes between anchors that are far apart.
fn rate(anchors: &[Anchor]) -> f64 {
    let mut anchors = anchors.to_vec();
    anchors.sort_unstable();
    let (Some(first), Some(last)) = (anchors.first(), anchors.last()) else { return 0.0 };
    let whole = last.0 - first.0;
    if whole < RATE_SPAN || anchors.len() < RATE_ANCHORS {
        return 0.0;
    }
    let mut slopes: Vec<f64> = Vec::new();
    for (at, one) in anchors.iter().enumerate() {
        for two in anchors.iter().skip(at + 1).filter(|two| (two.0 - one.0) * 2 >= whole) {
            slopes.push((two.1 - one.1) as f64 / (two.0 - one.0) as f64);
        }
        if slopes.len() > MOST_SLOPES {
            break;
        }
    }
    slopes.sort_by(f64::total_cmp);
    let rate = slopes.get(slopes.len() / 2).copied().unwrap_or(0.0);
    if rate.abs() <= MOST_DRIFT { rate } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_chain_goes_forward_on_both_sides() {
        assert_eq!(in_order(&[(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(in_order(&[(0, 2), (1, 0), (2, 1)]), [(1, 0), (2, 1)]);
        assert_eq!(in_order(&[]), []);
    }

    #[test]
    fn anchors_give_offset_rate_and_error() {
        // 50 ppm fast, 3 s ahead in the middle, each told a millisecond late or so.
        let anchor = |n: i64| {
            let at = n * 10_000_000;
            (at, 3_000_000 + (at - 50_000_000) * 50 / 1_000_000 - DELAY + n % 3 * 100 - 100)
        };
        let anchors: Vec<_> = (0..=10).map(anchor).collect();
        let (line, agree) = fit(&anchors);
        assert_eq!(agree, 11);
        assert!((line.offset - 3_000_000).abs() <= line.error, "{line:?}");
        assert!((line.rate * 1e6 - 50.0).abs() < 5.0, "{line:?}");
        assert!(line.error < 5_000, "{line:?}");
    }

    #[test]
    fn two_anchors_close_together_tell_no_rate() {
        let (line, agree) = fit(&[(0, 1_000), (1_000_000, 2_000)]);
        assert_eq!((line.rate, agree), (0.0, 2));
        assert!(line.error >= 1_000);
    }

    #[test]
    fn an_anchor_that_is_late_by_an_event_does_not_agree() {
        let (line, agree) = fit(&[(0, 0), (100_000, 30_000), (200_000, 200), (300_000, 100)]);
        assert_eq!(agree, 3);
        assert!((line.offset - 100 - DELAY).abs() <= 100, "{line:?}");
        assert!(line.error < 3_000, "{line:?}");
    }
}
