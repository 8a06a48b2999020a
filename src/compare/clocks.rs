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

    use crate::compare::tests::{changed, long, step, view, with};
    use crate::packet::Direction::{Received, Sent};
    use crate::packet::att::Uuid;
    use crate::timeline::{Attribute, AttributeKind, Capture, Detail, Role};
    use std::sync::Arc;

    /// A row of one side, in milliseconds.
    fn clock(capture: &Capture, name: &str) -> Option<i64> {
        let (_, of) = CLOCKS.iter().find(|(row, _)| *row == name).expect("such a row");
        of(&view(capture)).map(|span| span.0 / 1000)
    }

    /// The row of a link on which that step was at 300 ms, and at 900 ms again.
    fn row_of(step: Step, name: &str) -> Option<i64> {
        clock(&with(vec![(300, step.clone()), (900, step)]), name)
    }

    fn read(outcome: Outcome, procedure: Procedure) -> Step {
        Step { outcome, ..step(procedure, Detail::None) }
    }

    #[test]
    fn discovery_ends_with_the_last_that_succeeded() {
        let name = "to end of discovery";
        let found = || read(Outcome::Ok, Procedure::DiscoverServices);
        assert_eq!(row_of(found(), name), Some(900));
        assert_eq!(row_of(read(Outcome::Error, Procedure::DiscoverServices), name), None);
        assert_eq!(row_of(read(Outcome::Ok, Procedure::Read), name), None);
        assert_eq!(row_of(Step { by: Received, ..found() }, name), None);
    }

    #[test]
    fn the_mtu_is_answered_where_an_answer_came() {
        let asks = |outcome| read(outcome, Procedure::ExchangeMtu);
        let both =
            |step: Step| (row_of(step.clone(), "to MTU request"), row_of(step, "to MTU response"));
        assert_eq!(both(asks(Outcome::Ok)), (Some(300), Some(300)));
        assert_eq!(both(asks(Outcome::Error)), (Some(300), None));
        assert_eq!(both(asks(Outcome::Unanswered)), (Some(300), None));
        assert_eq!(both(read(Outcome::Ok, Procedure::Read)), (None, None));
        assert_eq!(both(Step { by: Received, ..asks(Outcome::Ok) }), (None, None));
        let served = changed(with(vec![(300, Step { by: Received, ..asks(Outcome::Ok) })]), |c| {
            c.connections[0].role = Some(Role::Peripheral);
        });
        assert_eq!(clock(&served, "to MTU request"), Some(300), "the peer is the central");
    }

    #[test]
    fn the_applications_first_is_not_the_hosts() {
        // Handle 3 is the device's name, handle 5 the battery's level.
        let on = |procedure, attribute: u16, by| {
            let step = Step { attribute, by, ..step(procedure, Detail::None) };
            changed(with(vec![(300, step.clone()), (900, step)]), |capture| {
                let remote = Arc::make_mut(&mut capture.connections[0].remote);
                for (handle, uuid) in [(3, 0x2a00), (5, 0x2a19)] {
                    let (kind, uuid) = (AttributeKind::Value, Some(Uuid::Short(uuid)));
                    remote.learn(Attribute { handle, kind, uuid, end: 0, properties: 0 });
                }
            })
        };
        for (name, procedure, other) in [
            ("to first application write", Procedure::Write, Procedure::Subscribe),
            ("to first subscription", Procedure::Subscribe, Procedure::Write),
        ] {
            assert_eq!(clock(&on(procedure, 5, Sent), name), Some(300));
            assert_eq!(clock(&on(procedure, 3, Sent), name), None);
            assert_eq!(clock(&on(procedure, 5, Received), name), None);
            assert_eq!(clock(&on(other, 5, Sent), name), None);
        }
    }

    #[test]
    fn values_are_pushed_by_the_peripheral() {
        let name = "to first notification";
        let pushed = |procedure, by| Step { by, ..step(procedure, Detail::None) };
        for procedure in [Procedure::Notify, Procedure::Indicate] {
            assert_eq!(row_of(pushed(procedure, Received), name), Some(300));
            assert_eq!(row_of(pushed(procedure, Sent), name), None);
        }
        assert_eq!(row_of(pushed(Procedure::Read, Received), name), None);
    }

    #[test]
    fn encryption_counts_from_where_it_is_on() {
        let name = "to encryption";
        assert_eq!(row_of(read(Outcome::Ok, Procedure::Encrypt), name), Some(300));
        assert_eq!(row_of(read(Outcome::Error, Procedure::Encrypt), name), None);
        assert_eq!(row_of(read(Outcome::Ok, Procedure::Pair), name), None);
    }

    #[test]
    fn a_row_is_shown_where_one_side_has_it() {
        let encrypted = || with(vec![(300, read(Outcome::Ok, Procedure::Encrypt))]);
        let shown = |a: &Capture, b: &Capture| {
            let facts = facts(&crate::compare::tests::pair(a, b));
            facts.iter().any(|fact| fact.name == "to encryption")
        };
        let nothing = long();
        assert!(shown(&encrypted(), &nothing) && shown(&nothing, &encrypted()));
        assert!(!shown(&nothing, &nothing));
    }

    /// A clock of whole milliseconds knows no microseconds.
    #[test]
    fn nothing_is_finer_than_the_clock() {
        let of = |span, resolution| rounded(Span(span), Span(resolution)).0;
        assert_eq!(
            [of(1234, 0), of(1234, 1), of(1235, 2), of(1234, 1000)],
            [1234, 1234, 1234, 1000]
        );
    }
}
