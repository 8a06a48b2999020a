//! Distances that tell how a connection went, side by side.
use super::{ClockFact, Pair, View, habits};
use crate::time::Span;
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
        v.connection.connected_at.since(request.at)
    }),
    ("complete to first answer of the peer", |v| v.connection.after(v.connection.heard?.seen.at)),
    ("to first ATT", |v| v.connection.after(v.connection.first_att?.at)),
    ("to MTU request", |v| v.connection.after(v.connection.mtu?.at)),
    ("to MTU response", |v| v.connection.after(v.connection.mtu?.answered_at)),
    ("to end of discovery", |v| {
        let last = v
            .connection
            .steps
            .iter()
            .filter(|s| habits::discovery(s.procedure) && s.outcome == Outcome::Ok);
        v.connection.after(last.map(|s| s.last_at).max()?)
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
        first(v, |_, _, s| matches!(s.procedure, Procedure::Notify | Procedure::Indicate))
    }),
    ("to encryption", |v| {
        let done = v
            .connection
            .steps
            .iter()
            .find(|s| s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok)?;
        v.connection.after(done.last_at)
    }),
    ("to disconnect", |v| v.connection.life()),
];

fn first(view: &View<'_>, fits: fn(&View<'_>, usize, &Step) -> bool) -> Option<Span> {
    let (_, step) =
        view.connection.steps.iter().enumerate().find(|(at, step)| fits(view, *at, step))?;
    view.connection.after(step.at)
}

/// A span no finer than the captures' clocks.
pub fn rounded(span: Span, resolution: Span) -> Span {
    if resolution.0 <= 1 { span } else { Span(span.0 - span.0 % resolution.0) }
}
