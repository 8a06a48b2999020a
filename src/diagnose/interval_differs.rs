use super::{Basis, Case, Check, Confidence, Example, Facts, Rule, Scene, Sight, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "interval-differs",
    title: "The two hosts use very different connection intervals",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Each host stack asks for its own interval: 15 ms on macOS, 30 ms on iOS, 30 to 50 ms on Linux and Android. That is no fault. It
matters only together with a lost link, a short timeout, or a device that is slow: then it is named there.

## How it shows
Intervals at connect that differ by a factor of two or more, on a subject that failed.

## What else it could be
Almost always something else: with 0x3E the interval only says how long six connection events take.

## What to do
Nothing by itself.",
    sources: &["measured on 190 real connections"],
    check: Check::Comparison(check),
    cases: &[
        Case::note(Confidence::High, "15 ms against 48.75 ms, and the subject fails", || {
            Example::pair(works(12), fails(39))
        })
        .about(&[1]),
        Case::note(Confidence::High, "exactly twice as long", || {
            Example::pair(works(18), fails(36))
        })
        .pins(&["FACTOR"]),
        Case::note(Confidence::High, "exactly half as long", || Example::pair(works(36), fails(18))),
        Case::silent("a little less than twice as long", || Example::pair(works(18), fails(35)))
            .pins(&["FACTOR"]),
        Case::silent("both work", || Example::pair(works(12), works(39))),
    ],
};

fn up(interval: u16) -> Trace {
    Trace::new().create().connected_as(0, interval, 0, 72).features().mtu()
}

fn works(interval: u16) -> Trace {
    up(interval).wait_ms(4000).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn fails(interval: u16) -> Trace {
    up(interval).wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT)
}

/// From this factor on, intervals are very different.
const FACTOR: u16 = 2;

/// One side's interval, and the frame that grants it.
#[derive(Debug)]
struct Interval {
    frame: u32,
    length: Span,
}

#[derive(Debug)]
struct IntervalDiffers {
    here: Interval,
    reference: Interval,
}

fn check(scene: &Scene<'_>, comparison: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    let (a, b) = (reference.granted?, subject.granted?);
    let (small, large) = (a.interval.min(b.interval), a.interval.max(b.interval));
    if large < small.saturating_mul(FACTOR) || !comparison.differs {
        return None;
    }
    let facts = IntervalDiffers {
        here: Interval { frame: subject.connected_frame()?, length: b.interval() },
        reference: Interval { frame: reference.connected_frame()?, length: a.interval() },
    };
    Some(Verdict::note(facts).sure(Confidence::High).about([subject.number]))
}

impl Facts for IntervalDiffers {
    fn says(&self) -> Text {
        text!(
            "The interval is {} here and {} on the working side. That alone is no fault.",
            self.here.length,
            self.reference.length
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let Self { here, reference } = self;
        vec![
            Sight::here(here.frame, text!("interval {}", here.length)),
            Sight::in_reference(reference.frame, text!("interval {}", reference.length)),
        ]
    }
}
