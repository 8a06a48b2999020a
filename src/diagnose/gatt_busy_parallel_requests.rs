use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{Handle, Pdu};
use crate::timeline::OddityKind;
use crate::timeline::{Connection, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "gatt-busy-parallel-requests",
    title: "The host sent a second request before the first was answered",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "att-transaction-timeout-30s", "never-usable-connection", "immediate-0x13-after-first-att"],
    docs: "\
## What it means
ATT allows one open request at a time in each direction. This host sent another before the answer came; many devices then stop
answering altogether.

## How it shows
Two or more requests open on the same bearer, then no answer, an error, or the end of the link.

## What else it could be
Requests in opposite directions, or on different (EATT) bearers, are allowed.

## What to do
Send one request at a time: wait for each answer in the program, or use a stack that queues.",
    sources: &["Core Specification, Vol 3, Part F, 3.3.2"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Direction::Sent).into()),
        Case::silent("the nearest other trace", || example(Direction::Received).into()),
    ],
};

fn example(second: Direction) -> Trace {
    let read = |handle| Pdu::ReadRequest { attribute_handle: Handle(handle) };
    Trace::new()
        .up()
        .mtu()
        .att(Direction::Sent, read(3))
        .att(second, read(5))
        .wait_ms(10_000)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Await each operation before the next; update noble if it sends them in parallel by itself.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ queues by itself: look for a second program that writes to an L2CAP or HCI socket beside it.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Start the next GATT procedure in the callback of the one before.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let odd = connection.oddities.iter().find(|o| {
        o.kind == OddityKind::SecondRequestInFlight
            && connection.steps.iter().any(|s| s.frame == o.frame && s.by == Direction::Sent)
    })?;
    let open: Vec<_> = connection
        .open_requests
        .iter()
        .filter(|o| {
            o.by == Direction::Sent
                && matches!(o.pending, Pending::Att(code) if code != Pdu::INDICATION)
        })
        .collect();
    if open.len() < 2 || !connection.start_seen || connection.enhanced_att > 0 {
        return None;
    }
    let mut verdict = Verdict::cause(format!(
        "This host sent a request while another was still open, which ATT forbids; {} requests stayed without answer.",
        open.len()
    ))
    .sure(Confidence::High);
    for request in open.iter().take(3) {
        let note = if request.frame == odd.frame {
            "sent before the answer to the one before"
        } else {
            "request without answer"
        };
        verdict = verdict.sees(request.frame, note);
    }
    if let Some(end) = &connection.end {
        verdict = verdict
            .sees(end.command_frame.unwrap_or(end.frame), format!("the link ends: {}", end.reason));
    }
    Some(
        verdict
            .rules_out("att-request-unanswered", "the silence follows this host's own violation")
            .try_these(remedies(scene, REMEDIES)),
    )
}
