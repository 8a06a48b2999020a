//! What a sniffer heard of one connection: the air lane between the hosts' lanes.
use super::Spoken;
use crate::air::{Link, Procedure, Row};
use crate::packet::Direction;
use crate::packet::air::Control;
use crate::packet::units::{Interval, Timeout};
use crate::seen::Seen;
use crate::time::Span;
use crate::timeline::Connection;
use crate::witness::{Sniffed, Testimony};
use std::borrow::Cow;

/// Most moments of one link in a lane: turning points first, then procedures, then events of which nothing was heard.
const MOST: usize = 40;

/// What weighs most stays where there is no room for all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    TurningPoint,
    Procedure,
    Events,
}

/// A moment on the air.
struct Moment {
    seen: Seen,
    words: Cow<'static, str>,
    says: String,
    is_wrong: bool,
    weight: Weight,
}

/// The moments of the link that is this connection, in the sniffer's order. Nothing where it heard none.
pub fn about<'a>(testimony: &'a Testimony, connection: &Connection) -> Vec<Spoken<'a>> {
    let Some(air) = &testimony.air else { return Vec::new() };
    let Some(link) = air.link_of(connection.number) else { return Vec::new() };
    let mut moments = moments(link);
    if moments.len() > MOST {
        moments.sort_by_key(|moment| moment.weight);
        moments.truncate(MOST);
    }
    moments.sort_by_key(|moment| moment.seen.frame);
    let mut order = Order::of(link, connection);
    let spoken = |moment: Moment| {
        let after = after(air, connection, moment.seen);
        Spoken {
            testimony,
            place: moment.seen.frame,
            relation: None,
            is_wrong: moment.is_wrong,
            is_telling: moment.weight == Weight::TurningPoint,
            after,
            order: after.or_else(|| order.next(moment.seen)),
            words: moment.words,
            says: moment.says,
        }
    };
    moments.into_iter().map(spoken).collect()
}

/// From the connection's zero, where the sniffer's clock is laid against the host's.
fn after(air: &Sniffed, connection: &Connection, seen: Seen) -> Option<Span> {
    let at = air.at_host(seen.at.time()?.0)?;
    Some(Span(at - connection.zero().time()?.0))
}

/// Places for moments whose time on the host's clock is not known. The request stands where the host says that the
/// connection is up, and no moment stands before an earlier one or behind the end.
struct Order {
    first: Option<Seen>,
    last: Option<Span>,
    end: Option<Span>,
}

impl Order {
    fn of(link: &Link, connection: &Connection) -> Self {
        let first = link.request.map(|request| request.seen);
        let end = connection.end.as_ref().and_then(|end| connection.after(end.at));
        let last = connection.zero().time().map(|_| Span(0));
        Self { first: first.or(link.central.first), last, end }
    }

    fn next(&mut self, seen: Seen) -> Option<Span> {
        let before = self.last?;
        let since = self.first.and_then(|first| seen.at.since(first.at)).unwrap_or(before);
        let place = since.max(before);
        let place = self.end.map_or(place, |end| place.min(end));
        self.last = Some(place);
        Some(place)
    }
}

fn side(by: Direction) -> &'static str {
    if by == Direction::Sent { "the central" } else { "the peripheral" }
}

fn moments(link: &Link) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    let mut turning = |seen: Seen, words: &'static str, says: String, is_wrong: bool| {
        let (words, weight) = (Cow::Borrowed(words), Weight::TurningPoint);
        moments.push(Moment { seen, words, says, is_wrong, weight });
    };
    if let Some(request) = link.request {
        let words = if request.auxiliary { "AUX_CONNECT_REQ" } else { "CONNECT_IND" };
        let says = format!(
            "interval {} ms, latency {}, supervision timeout {} ms",
            Interval(request.interval).ms(),
            request.latency,
            Timeout(request.timeout).ms()
        );
        turning(request.seen, words, says, false);
    }
    if let Some(accepted) = link.accepted {
        turning(accepted, "AUX_CONNECT_RSP", "the advertiser accepts it".to_owned(), false);
    }
    match (link.first_answer, link.central.last) {
        (Some((seen, event)), _) => {
            let event = event.map_or(String::new(), |event| format!("in connection event {event}"));
            let heard = match link.heard_by_central {
                Some(heard) => {
                    format!("the central acknowledges a packet of it in air frame {}", heard.frame)
                }
                None => "no packet of the central acknowledges any of it".to_owned(),
            };
            let says = [event, heard].into_iter().filter(|part| !part.is_empty());
            let says = says.collect::<Vec<_>>().join("; ");
            turning(seen, "first packet of the peripheral", says, link.heard_by_central.is_none());
        }
        (None, Some(last)) => {
            let says = format!("in {} connection events of the central", link.timing.central);
            turning(last, "no packet of the peripheral was heard", says, true);
        }
        (None, None) => {}
    }
    if let Some(end) = link.terminated {
        let acknowledged = match end.acknowledged {
            Some(seen) => format!("acknowledged in air frame {}", seen.frame),
            None => "no acknowledgement was heard".to_owned(),
        };
        let says = format!("by {}: {}; {acknowledged}", side(end.by), end.reason);
        turning(end.seen, "LL_TERMINATE_IND", says, false);
    } else {
        let last = [(link.central.last, "the central"), (link.peripheral.last, "the peripheral")];
        for (seen, by) in last.into_iter().filter_map(|(seen, by)| Some((seen?, by))) {
            // Said above where it is the only one.
            if link.first_answer.is_some() {
                let words = match by {
                    "the central" => "last packet of the central",
                    _ => "last packet of the peripheral",
                };
                turning(seen, words, "nothing later of it was heard".to_owned(), false);
            }
        }
    }
    moments.extend(link.procedures.all.iter().map(|of| procedure(link, of)));
    let latency = link.request.map_or(0, |request| u32::from(request.latency));
    let silent = |row: &&Row| row.events > latency && row.events > 1;
    let silent =
        link.timing.unanswered.iter().filter(silent).filter(|_| link.first_answer.is_some());
    moments.extend(silent.map(|row| {
        let says = "the central was heard in them, the peripheral was not";
        events(row, "connection events without an answer", says)
    }));
    let gaps = link.timing.gaps.iter().filter(|row| row.events > latency);
    moments.extend(gaps.map(|row| {
        let says = "before this packet: the sniffer missed them, or nobody spoke";
        events(row, "connection events of which nothing was heard", says)
    }));
    moments
}

fn events(row: &Row, what: &'static str, says: &'static str) -> Moment {
    let words = match row.events {
        1 => "1 connection event of which nothing was heard".to_owned(),
        events => format!("{events} {what}"),
    };
    let says = format!("from event {} on; {says}", row.event);
    Moment { seen: row.seen, words: words.into(), says, is_wrong: false, weight: Weight::Events }
}

fn procedure(link: &Link, of: &Procedure) -> Moment {
    let words = match Control::name_of(of.opcode) {
        Some(name) => Cow::Borrowed(name),
        None => format!("LL control {:#04x}", of.opcode).into(),
    };
    let mut says = format!("from {}", side(of.by));
    let mut add = |part: String| {
        says.push_str(", ");
        says.push_str(&part);
    };
    if let Some(instant) = of.instant {
        add(format!("holds from event {instant} on"));
    }
    let mut is_wrong = false;
    match of.answer {
        Some(answer) => match answer.error {
            Some(error) => add(format!("refused in air frame {}: {error}", answer.seen.frame)),
            None => {
                let name = Control::name_of(answer.opcode).unwrap_or("an answer");
                add(format!("answered by {name} in air frame {}", answer.seen.frame));
            }
        },
        // What is encrypted may be the answer.
        None if of.wants_answer() => {
            is_wrong = link.encrypted == 0;
            add("no answer was heard".to_owned());
        }
        None if of.acknowledged.is_none() => add("no acknowledgement was heard".to_owned()),
        None => {}
    }
    Moment { seen: of.request, words, says, is_wrong, weight: Weight::Procedure }
}
