use super::{Basis, Case, Check, Confidence, Facts, Rule, Scene, Sight, Verdict, see};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "queued-delivery",
    title: "Events were delivered late and together; distances around them are not real",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The controller or the host held events back and delivered them in one go. Between them more time passed than the capture says.

## How it shows
Silence on HCI for more than six connection intervals, then Connection Complete and Disconnection Complete less than one interval
apart.

## What else it could be
Silence before Connection Complete alone is normal: a request without scanning is silent until it succeeds.

## What to do
Do not draw conclusions from the distances there. The codes hold.",
    sources: &["a phone's log in which both events of a link stand 0.8 ms apart after 1.5 s of silence"],
    check: Check::Connection(check),
    cases: &[
        Case::note(Confidence::High, "after 1.5 s of silence a link begins and ends within 1 ms", || {
            lives(1).into()
        })
        .about(&[1])
        .saying("delivered 1.1 ms apart"),
        Case::note(Confidence::High, "it ends a little less than one interval later", || {
            lives(48).into()
        }),
        Case::silent("it ends a little more than one interval later", || lives(49).into()),
        Case::silent("there was no silence before", || {
            let trace = Trace::new().advertises(0).create().connected().wait_ms(1);
            trace.disconnected(Status::FAILED_TO_BE_ESTABLISHED).into()
        }),
        Case::silent("it ends exactly one interval later", || lives_us(48_750).into()),
        Case::note(Confidence::High, "it ends a moment sooner than that", || lives_us(48_749).into()),
    ],
};

fn lives(ms: u32) -> Trace {
    begins().wait_ms(ms).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn lives_us(us: u32) -> Trace {
    begins().after_us(us).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn begins() -> Trace {
    Trace::new().advertises(0).create().wait_ms(1_500).advertises(0).connected_now()
}

/// The beginning and the end of a link that came together.
#[derive(Debug)]
struct Queued {
    silence: Span,
    life: Span,
    connected_frame: u32,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let facts = Queued {
        silence: connection.silence_before?,
        life: connection.life()?,
        connected_frame: connection.connected_frame()?,
        end: connection.end.clone()?,
    };
    // A link lasts one interval at least.
    let queued = facts.life < connection.granted?.interval();
    queued.then(|| Verdict::note(facts).sure(Confidence::High))
}

impl Facts for Queued {
    fn says(&self) -> Text {
        text!(
            "After {} without any event, the link's beginning and its end were delivered {} apart: they were queued. The link lived longer than that.",
            self.silence,
            self.life
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.connected_frame, "LE Connection Complete"),
            see::link_ended(&self.end),
        ]
    }
}
