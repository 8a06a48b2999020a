use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Direction;
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Moment, Procedure, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "zombie-link-data-silence",
    title: "The link lives, the data have stopped",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The device notified regularly, then stopped, and the link stayed up. Its radio still answers (empty packets do not show on
HCI, but the link would have ended without them); its application does not.

## How it shows
Notifications at a regular pace, then none for many times that pace, no Disconnection Complete, no open request.

## What else it could be
0x08 within the supervision timeout is a lost link. An update of the connection parameters just before points there. A device
that only notifies on change may have nothing to say.

## What to do
A watchdog in the application: read a characteristic or write the CCCD again, and reconnect if that does not help.",
    sources: &["laboratory: a sensor whose application stops", "noble/noble#269, #347"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(120_000).into()),
        Case::silent("the nearest other trace", || example(900).into()),
    ],
};

fn example(silence: u32) -> Trace {
    let mut trace = Trace::new().up().mtu().discovery(0x10).write(4, &[1, 0]);
    for n in 0..6 {
        trace = trace.wait_ms(200).notified(3, &[n]);
    }
    trace.wait_ms(silence).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Add a watchdog: after ten missed notifications read a characteristic; if that answers, write the CCCD again; else disconnect and reconnect.",
    ),
    Remedy::no_use(
        "A keep-alive on the link layer: the link is alive, the device's application is not.",
    ),
    Remedy::any(
        "In the device's firmware: look for a stalled task, a full queue, or a CCCD that was reset.",
    ),
];

/// Fewest notifications that show a pace, and how many times it must be missed.
const FEWEST: u32 = 3;
const TIMES: i64 = 20;

/// What comes faster is one answer in pieces: it ends because it is complete.
const BURST: Span = Span::from_ms(50);

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let run: &Step = connection
        .steps
        .iter()
        .filter(|s| s.procedure == Procedure::Notify && s.by == Direction::Received)
        .max_by_key(|s| s.last.frame)?;
    let pace = Span(run.duration()?.0 / i64::from(run.count.max(2) - 1));
    let until: Moment = connection.end.as_ref().map_or(connection.capture_end, |end| {
        if end.command_frame().is_some() { end.command_at() } else { end.at }
    });
    let silence = until.since(run.last.at)?;
    let by_us = connection.end.as_ref().is_none_or(|end| end.by == EndedBy::Host);
    let other_traffic = connection
        .steps
        .iter()
        .any(|s| s.last.frame > run.last.frame && s.procedure != Procedure::Disconnect);
    // What comes once for each write is an answer: it stops when the host stops asking.
    let asked: u32 = connection
        .steps
        .iter()
        .filter(|s| matches!(s.procedure, Procedure::Write | Procedure::WriteCommand))
        .filter(|s| s.by == Direction::Sent && s.last.frame > run.frame)
        .map(|s| s.count)
        .fold(0, u32::saturating_add);
    let answers = asked.saturating_mul(2) >= run.count;
    let enough = run.count >= FEWEST && !answers;
    let regular = pace >= BURST && pace < Span::from_ms(5_000);
    if !by_us
        || !enough
        || !regular
        || silence.0 < pace.0 * TIMES
        || silence < Span::from_ms(10_000)
        || other_traffic
    {
        return None;
    }
    let mut verdict = Verdict::suspect(format!(
        "Notifications of attribute {:#06x} came every {pace}, then stopped for {silence}, and the link stayed up: the device's radio lives, its application has stopped.",
        run.attribute
    ))
    .sure(Confidence::Medium)
    .sees(run.frame, format!("first of {} notifications, one every {pace}", run.count))
    .sees(run.last.frame, "the last notification");
    match &connection.end {
        Some(end) => {
            verdict = verdict.sees(
                end.command_frame().unwrap_or(end.frame),
                format!("{silence} later this host hangs up"),
            )
        }
        None => {
            verdict = verdict.settled_by("The capture ends while the link is up: record longer.")
        }
    }
    Some(
        verdict
            .rules_out("supervision-timeout-0x08", "the link did not end for want of packets, so the device's radio went on answering")
            .settled_by("Read any characteristic during the silence: an answer shows that only the notifications stopped.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::diagnose;

    fn found(trace: Trace) -> bool {
        let captures = [trace.wait_ms(60_000).hangs_up(Status::REMOTE_USER_TERMINATED).run()];
        diagnose(&Scene { captures: &captures, subject: 0, comparison: None })
            .iter()
            .any(|f| f.rule == RULE.id)
    }

    fn ready() -> Trace {
        Trace::new().up().mtu().discovery(0x1a).write(4, &[1, 0])
    }

    #[test]
    fn a_stream_that_stops_is_a_zombies() {
        assert!(found((0..9).fold(ready(), |t, n| t.notified(3, &[n]).wait_ms(300))));
    }

    #[test]
    fn answers_stop_when_nobody_asks() {
        let ask = |t: Trace, n| t.write(3, &[n]).notified(3, &[n]).wait_ms(300);
        assert!(!found((0..9).fold(ready(), ask)));
    }

    #[test]
    fn a_burst_has_no_pace() {
        assert!(!found((0..39).fold(ready(), |t, n| t.notified(3, &[n]).wait_ms(11))));
    }
}
