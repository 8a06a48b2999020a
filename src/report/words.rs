//! Phrases that every renderer shares.
pub use crate::compare::words::*;
use crate::compare::{Fate, StepKind};
use crate::time::Span;
use crate::timeline::{Capture, Connection};

/// The sign that stands for what became of a step.
pub fn sign(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Same => "=",
        StepKind::Changed => "~",
        StepKind::Missing => "-",
        StepKind::Extra => "+",
        StepKind::Moved => "\u{21b7}",
    }
}

/// The sign of a run of steps that differ as hosts do.
pub const NORMAL: &str = "\u{2248}";

/// What the signs mean, for the foot of a timeline.
pub fn legend(reference: &str, subject: &str) -> String {
    format!(
        "= same   {NORMAL} normal difference   ~ changed   - only in {reference}   + only in {subject}   \u{21b7} moved"
    )
}

/// What became of an early operation: `never`, `later, at 3.87 s`.
pub fn fate(fate: Fate, other_after: Option<Span>) -> String {
    match (fate, other_after) {
        (Fate::Never, _) => "never".to_owned(),
        (Fate::Later, Some(after)) => format!("later, at {after}"),
        (Fate::Later, None) => "later".to_owned(),
        (Fate::NotReached, _) => "not reached".to_owned(),
        (Fate::CannotTell, _) => "cannot tell".to_owned(),
    }
}

/// The host that made a capture, and how that is known.
pub fn host(capture: &Capture) -> Option<String> {
    let host = capture.host.as_ref()?;
    let name = host.stack.name();
    let version = host.version.as_ref().map_or(String::new(), |version| format!(" {version}"));
    let sure = if host.guessed { ", by its habits" } else { "" };
    Some(format!("{name}{version}{sure}"))
}

/// Role, parameters and liveness of a connection, in one clause.
pub fn link(connection: &Connection) -> String {
    let mut parts = vec![role(connection.role).to_owned()];
    if let Some(granted) = connection.granted {
        parts.push(interval_ms(granted.interval));
    }
    if connection.connected() {
        parts.push(match connection.heard.and_then(|heard| connection.after(heard.seen.at)) {
            Some(after) => format!("peer heard after {after}"),
            None if connection.never_heard() => "peer never heard".to_owned(),
            None if !connection.start_seen => "up before the capture began".to_owned(),
            None => "peer heard".to_owned(),
        });
    }
    if connection.encrypted {
        parts.push(if connection.paired { "paired" } else { "encrypted" }.to_owned());
    }
    parts.join(", ")
}
