//! Phrases that every renderer shares.
pub use crate::compare::words::*;
use crate::compare::{Fate, StepKind};
use crate::prose::{Text, quoted};
use crate::text;
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

/// The sign of a line that a log says.
pub const LOG: &str = "\u{201c}";

/// The sign of what a sniffer heard.
pub const AIR: &str = "\u{223f}";

/// What the signs mean, for the foot of a timeline.
pub fn legend(reference: &str, subject: &str) -> Text {
    text!(
        "= same   {} normal difference   ~ changed   - only in {}   + only in {}   ↷ moved",
        NORMAL,
        quoted(reference),
        quoted(subject)
    )
}

/// What became of an early operation: `never`, `later, at 3.87 s`.
pub fn fate(fate: Fate, other_after: Option<Span>) -> Text {
    match (fate, other_after) {
        (Fate::Never, _) => "never".into(),
        (Fate::Later, Some(after)) => text!("later, at {}", after),
        (Fate::Later, None) => "later".into(),
        (Fate::NotReached, _) => "not reached".into(),
        (Fate::CannotTell, _) => "cannot tell".into(),
    }
}

/// The host that made a capture, and how that is known.
pub fn host(capture: &Capture) -> Option<Text> {
    let host = capture.host.as_ref()?;
    let version = host.version.as_ref().map(|version| text!(" {}", quoted(version)));
    let sure = if host.guessed { ", by its habits" } else { "" };
    Some(text!("{}{}{}", host.stack.name(), version, sure))
}

/// Role, parameters and liveness of a connection, in one clause.
pub fn link(connection: &Connection) -> Text {
    let mut parts: Vec<Text> = vec![role(connection.role).into()];
    if let Some(granted) = connection.granted {
        parts.push(interval_ms(granted.interval));
    }
    if connection.connected() {
        parts.push(match connection.heard.and_then(|heard| connection.after(heard.seen.at)) {
            Some(after) => text!("peer heard after {}", after),
            None if connection.never_heard() => "peer never heard".into(),
            None if connection.only_requested() => "not followed".into(),
            None if !connection.start_seen => "up before the capture began".into(),
            None => "peer heard".into(),
        });
    }
    if connection.encrypted {
        parts.push(if connection.paired { "paired" } else { "encrypted" }.into());
    }
    Text::joined(parts, ", ")
}
