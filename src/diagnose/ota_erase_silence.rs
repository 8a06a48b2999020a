use super::Example;
use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict, see};
use crate::compare::Comparison;
use crate::packet::Direction;
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Procedure, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "ota-erase-silence",
    title: "The device goes silent after one write, longer than this link's timeout allows",
    basis: Basis::Laboratory,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms"],
    docs: "\
## What it means
After a certain write (the start of an update, as a rule) the device's radio is off for a while: it erases flash. On the working
side the link outlives that silence, on this one the supervision timeout is shorter.

## How it shows
Both sides send the same write; then nothing is received. The working link goes on afterwards, the failing one ends with 0x08.

## What else it could be
Without a working capture this cannot be told from a lost link: HCI does not know which write erases.

## What to do
Before the update ask for a supervision timeout of 4 to 6 s; in firmware erase page by page. A fixed sleep after connecting will
not help.",
    sources: &["laboratory: an update that erases for 2.6 s", "NordicSemiconductor/IOS-DFU-Library#38"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(example(500, false), example(42, true))),
        Case::silent("the nearest other trace", || Example::pair(example(500, false), example(42, false))),
    ],
};

/// A write, a silence of 2.6 s, and either the loss of the link or its answer.
fn example(timeout: u16, lost: bool) -> Trace {
    let trace =
        Trace::new().create().connected_as(0, 39, 0, timeout).features().mtu().write(0x10, &[1, 0]);
    if lost {
        trace.wait_ms(460).disconnected(Status::CONNECTION_TIMEOUT)
    } else {
        trace
            .wait_ms(if timeout > 400 { 2_600 } else { 200 })
            .notified(0x12, &[1])
            .wait_ms(1_500)
            .hangs_up(Status::REMOTE_USER_TERMINATED)
    }
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    let end = subject.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    let write = last_write(subject)?;
    let (same, silence) =
        reference.steps.iter().filter(|s| same_attribute(subject, write, reference, s)).find_map(
            |s| {
                let next = reference
                    .steps
                    .iter()
                    .find(|n| n.frame > s.last_frame && n.procedure != Procedure::Disconnect)?;
                Some((s, next.at.since(s.last_at)?))
            },
        )?;
    let timeout = subject.current?.timeout();
    // The link must have died of this very silence, not of a later one.
    let died_of_it = end.at.since(write.last_at).is_some_and(|wait| wait.0 <= timeout.0 * 2);
    if silence < Span::from_ms(400) || silence < timeout || !died_of_it {
        return None;
    }
    let (frame, text) = see::ended(end);
    let answer = if write.last_frame > write.frame && write.procedure == Procedure::Write {
        " and its answer"
    } else {
        ""
    };
    Some(
        Verdict::cause(format!(
            "After {}{answer} nothing more came from the device. On the working side the same write is followed by {silence} of silence, and the link outlives it; here the supervision timeout is only {timeout}.",
            see::pdu(write)
        ))
        .sure(Confidence::Medium)
        .about([subject.number])
        .sees(write.frame, see::pdu(write))
        .sees(frame, text)
        .sees_in_reference(same.frame, format!("the same write; after it nothing for {silence}"))
        .rules_out("peer-hangs-up-on-deadline", "the device did not end the link")
        .settled_by("Repeat with a supervision timeout of 6 s: if the link survives, it was the silence after this write.")
        .try_this("Before the update set a supervision timeout of 4-6 s (BlueZ: `[LE] ConnectionSupervisionTimeout=600`), or let the device request it; in firmware erase page by page with radio events between.")
        .try_this("A fixed sleep after connecting will not help: the silence follows the write, not the connection."),
    )
}

/// The write after which nothing more was heard.
fn last_write(c: &Connection) -> Option<&Step> {
    let last = c
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure != Procedure::Disconnect && s.procedure != Procedure::Notify)?;
    let writes = matches!(last.procedure, Procedure::Write | Procedure::WriteCommand)
        && last.by == Direction::Sent;
    (writes && last.outcome != Outcome::Error).then_some(last)
}

fn same_attribute(a: &Connection, step: &Step, b: &Connection, other: &Step) -> bool {
    let uuid = |c: &Connection, s: &Step| c.attribute(s).and_then(|a| a.uuid);
    let known = uuid(a, step).is_some() && uuid(a, step) == uuid(b, other);
    other.procedure == step.procedure
        && other.by == Direction::Sent
        && (known || step.attribute == other.attribute)
}
