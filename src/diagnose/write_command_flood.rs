use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::timeline::{Connection, EndedBy, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "write-command-flood",
    title: "The host sent more packets than the controller has buffers",
    basis: Basis::Laboratory,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "ncp-starvation"],
    docs: "\
## What it means
A controller says how many packets it can hold. The host must wait for Number Of Completed Packets before it sends more. This
host did not wait, with writes without response as a rule; controllers then drop packets, stall, or crash.

## How it shows
Packets sent minus packets acknowledged exceed the number in LE Read Buffer Size, and afterwards the link or the controller
fails.

## What else it could be
Where the buffer number is not in the capture, nothing can be said. Packets that the device itself drops do not show here.

## What to do
Honour the credits: use a stack that queues; write with response every few packets; pace the writes.",
    sources: &["noble/noble#703, #373", "Core Specification, Vol 4, Part E, 4.1.1"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(6).into()),
        Case::silent("the nearest other trace", || example(3).into()),
    ],
};

fn example(writes: u8) -> Trace {
    let trace = Trace::new().buffers(4).up().mtu().acknowledged(1).writes_at_once(writes);
    trace.wait_ms(500).disconnected(Status::CONNECTION_TIMEOUT)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Update noble (its queue honours the controller's buffers since the fix of #703), and write with response every few packets.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Go through bluetoothd (AcquireWrite or WriteValue), which honours the controller's buffers; do not write to the HCI socket beside it.",
    ),
    Remedy::any("Write with response every 8th to 16th packet, or pause 10-20 ms between writes."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let credits = &connection.credits;
    let overrun = credits.overrun_frame?;
    let end = connection.end.as_ref()?;
    // Without harm it is the host's own affair; and our own hanging up is no harm.
    if end.by == EndedBy::Host || credits.outstanding() == 0 {
        return None;
    }
    let adapter = scene.capture().adapters.iter().find(|a| a.index == connection.adapter)?;
    let buffers = adapter.le_buffers?.1;
    let (frame, text) = see::ended(end);
    Some(
        Verdict::cause(format!(
            "This host had up to {} packets outstanding where the controller has {buffers} buffers; then the link failed.",
            credits.most_outstanding
        ))
        .sure(Confidence::High)
        .sees(overrun, format!("the first packet beyond the controller's {buffers} buffers"))
        .sees(credits.most_outstanding_frame, format!("{} packets outstanding", credits.most_outstanding))
        .sees(frame, text)
        .rules_out("supervision-timeout-0x08", "the loss follows the flood; the radio need not be at fault")
        .settled_by("Repeat with a pause of 20 ms between the writes.")
        .try_these(remedies(scene, REMEDIES)),
    )
}
