//! Distances that tell how a connection went, side by side.
//!
//! Requests are those of the central: what the peripheral asks meanwhile is another client's work, and says nothing
//! of how fast this one was.
use super::names::by_central;
use super::{ClockFact, Pair, View, habits};
use crate::time::{Moment, Span};
use crate::timeline::{Outcome, Procedure, Step};

/// Every clock fact, in the order of a connection's life.
pub fn facts(pair: &Pair<'_>) -> Vec<ClockFact> {
    CLOCKS
        .iter()
        .map(|(name, of)| ClockFact {
            name,
            reference: of(&pair.reference),
            subject: of(&pair.subject),
        })
        .filter(|fact| fact.reference.is_some() || fact.subject.is_some())
        .collect()
}

type Clock = fn(&View<'_>) -> Option<Span>;

const CLOCKS: &[(&str, Clock)] = &[
    ("request to complete", |v| {
        let request = v.connection.request.as_ref()?;
        v.connection.connected_at().since(request.at)
    }),
    ("complete to first answer of the peer", |v| v.connection.after(v.connection.heard?.seen.at)),
    ("to first ATT", |v| v.connection.after(v.connection.first_att?.at)),
    ("to MTU request", |v| v.connection.after(mtu(v)?.at)),
    ("to MTU response", |v| v.connection.after(answered_at(mtu(v)?))),
    ("to end of discovery", |v| {
        let steps = v.connection.steps.iter().filter(|s| by_central(v.connection, s));
        let found = steps.filter(|s| habits::discovery(s.procedure) && s.outcome == Outcome::Ok);
        v.connection.after(found.map(|s| s.last.at).max()?)
    }),
    ("to first application write", |v| {
        first(v, |v, at, _| {
            v.keys[at].procedure == Procedure::Write && habits::application(&v.keys[at])
        })
    }),
    ("to first subscription", |v| {
        first(v, |v, at, _| {
            v.keys[at].procedure == Procedure::Subscribe && habits::application(&v.keys[at])
        })
    }),
    ("to first notification", |v| {
        first(v, |v, _, s| {
            matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
                && !by_central(v.connection, s)
        })
    }),
    ("to encryption", |v| {
        let done = v
            .connection
            .steps
            .iter()
            .find(|s| s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok)?;
        v.connection.after(done.last.at)
    }),
    ("to disconnect", |v| v.connection.life()),
];

/// The central's exchange of MTUs, answered or not.
fn mtu<'a>(view: &View<'a>) -> Option<&'a Step> {
    let mut steps = view.connection.steps.iter();
    steps.find(|s| s.procedure == Procedure::ExchangeMtu && by_central(view.connection, s))
}

fn answered_at(step: &Step) -> Moment {
    if step.outcome == Outcome::Ok { step.last.at } else { Moment::UNKNOWN }
}

fn first(view: &View<'_>, fits: fn(&View<'_>, usize, &Step) -> bool) -> Option<Span> {
    let (_, step) =
        view.connection.steps.iter().enumerate().find(|(at, step)| fits(view, *at, step))?;
    view.connection.after(step.at)
}

/// A span no finer than the captures' clocks.
pub fn rounded(span: Span, resolution: Span) -> Span {
    if resolution.0 <= 1 { span } else { Span(span.0 - span.0 % resolution.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::of_captures;
    use crate::packet::Status;
    use crate::trace::Trace;

    /// The peer's discovery of us, eleven seconds after our own.
    fn discovered_by_peer(trace: Trace) -> Trace {
        trace
            .wait_ms(11_000)
            .from_peer(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 1, 0, 0x0a])
    }

    fn row(reference: Trace, subject: Trace, name: &str) -> (Option<Span>, Option<Span>) {
        let captures = [reference.run(), subject.run()];
        let compared = of_captures(&captures).expect("one device");
        let row = compared.clocks.iter().find(|fact| fact.name == name);
        row.map_or((None, None), |fact| (fact.reference, fact.subject))
    }

    #[test]
    fn the_clock_of_a_discovery_is_that_of_the_centrals_own() {
        let up = || Trace::new().up().mtu().discovery(2);
        let over = |trace: Trace| trace.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
        let (ours, also) = row(over(up()), over(discovered_by_peer(up())), "to end of discovery");
        assert!(ours.is_some());
        assert_eq!(ours, also);
    }

    #[test]
    fn the_clock_of_an_mtu_exchange_is_that_of_the_centrals_own() {
        let asked = Trace::new().up().from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0]);
        let over = |trace: Trace| trace.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
        let pair = || (over(Trace::new().up().mtu()), over(asked.clone()));
        let of = |name| row(pair().0, pair().1, name);
        for name in ["to MTU request", "to MTU response"] {
            let (ours, theirs) = of(name);
            assert!(ours.is_some() && theirs.is_none(), "{name}: {ours:?} {theirs:?}");
        }
    }
}
