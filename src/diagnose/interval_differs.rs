use super::{Basis, Check, Confidence, Example, Rule, Scene, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
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
    fires_on: || Example::pair(example(12, false), example(39, true)),
    silent_on: || Example::pair(example(30, false), example(39, true)),
};

fn example(interval: u16, fails: bool) -> Trace {
    let trace = Trace::new().create().connected_as(0, interval, 0, 72).features().mtu();
    if fails {
        trace.wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT)
    } else {
        trace.wait_ms(4000).hangs_up(Status::REMOTE_USER_TERMINATED)
    }
}

fn check(scene: &Scene<'_>, comparison: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    let (a, b) = (reference.granted?, subject.granted?);
    let (small, large) = (a.interval.min(b.interval), a.interval.max(b.interval));
    if small == 0 || large < small * 2 || !comparison.differs {
        return None;
    }
    Some(
        Verdict::note(format!(
            "The interval is {} here and {} on the working side. That alone is no fault.",
            b.interval(),
            a.interval()
        ))
        .sure(Confidence::High)
        .about([subject.number])
        .sees(subject.connected_frame?, format!("interval {}", b.interval()))
        .sees_in_reference(reference.connected_frame?, format!("interval {}", a.interval())),
    )
}
