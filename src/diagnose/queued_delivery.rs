use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::timeline::Connection;
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
        Case::fires(|| after(1).into()),
        Case::silent("the nearest other trace", || after(315).into()),
    ],
};

fn after(ms: u32) -> Trace {
    let trace = Trace::new().advertises(0).create().wait_ms(1_500).advertises(0);
    trace.connected_now().wait_ms(ms).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let (silence, life) = (connection.silence_before?, connection.life()?);
    if life >= connection.granted?.interval() {
        return None;
    }
    Some(
        Verdict::note(format!(
            "After {silence} without any event, the link's beginning and its end were delivered {life} apart: they were queued. The link lived longer than that."
        ))
        .sure(Confidence::High)
        .sees(connection.connected_frame()?, "LE Connection Complete")
        .sees(end.frame, format!("Disconnection Complete, {}", end.reason)),
    )
}
