use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "ncp-starvation",
    title: "The controller stopped taking packets",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "att-request-unanswered", "connection-cancelled-by-app"],
    docs: "\
## What it means
The host filled the controller's buffers, and the controller acknowledged nothing more: the peer does not take the packets
(busy with its flash), or the controller is stuck. The host cannot send anything until that changes; it may still receive.

## How it shows
Exactly as many packets outstanding as the controller has buffers, and no Number Of Completed Packets for many seconds, while
the link lives.

## What else it could be
On a link that is lost (0x08) packets are outstanding too: a consequence.

## What to do
Send shorter bursts and wait for answers; give the device time; a longer supervision timeout; other controller firmware.",
    sources: &["Core Specification, Vol 4, Part E, 4.1.1", "laboratory: a peer that stops acknowledging"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(20_000).into()),
        Case::silent("the nearest other trace", || example(1_000).into()),
    ],
};

fn example(wait: u32) -> Trace {
    let trace = Trace::new().buffers(4).up().mtu().acknowledged(1).writes_at_once(4);
    trace.wait_ms(wait).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Send shorter bursts: write with response every 8th to 16th packet, and wait for the device's own acknowledgement.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with another adapter: if it flows there, the controller was stuck.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let credits = &connection.credits;
    let buffers =
        scene.capture().adapters.iter().find(|a| a.index == connection.adapter)?.le_buffers?.1;
    let lost = matches!(
        connection.reason(),
        Some(
            Status::CONNECTION_TIMEOUT
                | Status::FAILED_TO_BE_ESTABLISHED
                | Status::LL_RESPONSE_TIMEOUT
        )
    );
    let until = connection.end.as_ref().map_or(connection.capture_end, |e| {
        if e.command_frame().is_some() { e.command_at() } else { e.at }
    });
    let stuck = until.since(credits.stuck?.at).filter(|d| *d >= Span::from_ms(5_000))?;
    let last_completed = credits.last_completed.map(|seen| seen.frame)?;
    if lost || buffers == 0 || credits.outstanding() < u64::from(buffers) || !connection.start_seen
    {
        return None;
    }
    let mut verdict = Verdict::cause(format!(
        "All {buffers} buffers of the controller were full and it acknowledged nothing for {stuck}: this host could not send any more."
    ))
    .sure(Confidence::Medium)
    .sees(last_completed, "the last Number Of Completed Packets")
    .sees(credits.stuck.map(|seen| seen.frame)?, format!("the oldest packet that was never acknowledged; {} are outstanding", credits.outstanding()));
    if connection.last_heard.is_some_and(|h| h.seen.frame > last_completed) {
        let heard = connection.last_heard?;
        verdict = verdict.sees(
            heard.seen.frame,
            "the device was still heard: the link lives in the other direction",
        );
    }
    if let Some(end) = &connection.end {
        verdict = verdict.sees(
            end.command_frame().unwrap_or(end.frame),
            format!("the link ends: {}", end.reason),
        );
    }
    Some(
        verdict
            .rules_out("supervision-timeout-0x08", "the link did not end for want of packets")
            .settled_by("Repeat with another adapter, and with pauses between the writes: which of both helps tells the peer from the controller.")
            .try_these(remedies(scene, REMEDIES)),
    )
}
