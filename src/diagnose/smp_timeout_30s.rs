use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::{Direction, Status, smp};
use crate::time::Span;
use crate::timeline::{Connection, Happening, Pending, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "smp-timeout-30s",
    title: "Pairing stalled until it timed out",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "att-transaction-timeout-30s", "att-request-unanswered", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
Pairing began, one side waited for the other's next packet (or for a person to confirm), and it never came. After 30 s the
pairing is dead on this link, and the host ends it.

## How it shows
A pairing PDU without its successor for 30 s, then a Disconnect (on Linux with reason 0x05) or nothing more on SMP.

## What else it could be
Pairing Failed is an answer, not a stall.

## What to do
If the host's own user or agent was asked: confirm it. If the device is silent: press its button, put it in pairing mode.",
    sources: &["Core Specification, Vol 3, Part H, 3.4 (30 s)", "zephyrproject-rtos/zephyr#53334"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(30_000).into()),
        Case::silent("the nearest other trace", || example(5_000).into()),
    ],
};

fn example(wait: u32) -> Trace {
    Trace::new().up().asks_to_pair().wait_ms(wait).hangs_up(Status::AUTHENTICATION_FAILURE)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Answer the agent's question (the desktop's dialog, or `yes` in bluetoothctl), or register `agent NoInputNoOutput` for devices without display.",
    ),
    Remedy::any("Put the device in pairing mode and press its button when pairing begins."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let open = connection.open_requests.iter().find(|o| matches!(o.pending, Pending::Smp(_)))?;
    let age = open.age.filter(|age| *age >= Span::from_ms(29_000))?;
    let Pending::Smp(code) = open.pending else { return None };
    // Keys are handed over one after the other and are never answered (0x06 to 0x0a).
    if (0x06..=0x0a).contains(&code) {
        return None;
    }
    let pdu = smp::Pdu::name_of(code).unwrap_or("pairing PDU");
    let waits_for_us = open.by == Direction::Received;
    let asked = scene.capture().adapter_events.iter().find(|e| {
        matches!(e.what, Happening::ConfirmationAsked { .. })
            && e.frame > open.frame
            && connection.end.as_ref().is_none_or(|end| e.frame < end.frame)
    });
    let says = if waits_for_us {
        format!(
            "Pairing stopped on this side: after the device's {pdu} this host sent nothing more for {age}."
        )
    } else {
        format!("Pairing stopped on the device's side: this host's {pdu} had no answer for {age}.")
    };
    // An ATT request that was open just as long explains the end equally well: name both.
    let also = connection.open_requests.iter().find(|o| {
        matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age >= Span::from_ms(29_000))
    });
    let mut verdict = match also {
        None => Verdict::cause(says).sure(Confidence::High),
        Some(_) => Verdict::suspect(format!(
            "{says} An ATT request was open for as long: either may have run out."
        )),
    }
    .sees(open.frame, format!("{pdu}, the last packet of the pairing"));
    if let Some(request) = also {
        verdict = verdict.sees(request.frame, "an ATT request without answer, open for as long");
    }
    if let Some(event) = asked {
        verdict = verdict.sees(event.frame, "the user is asked to confirm, and never answers");
    }
    if let Some(end) = &connection.end {
        let (frame, text) = see::ended(end);
        verdict = verdict.sees(end.command_frame.unwrap_or(frame), text);
    }
    Some(
        verdict
            .rules_out("pairing-refused-by-peer", "no Pairing Failed was sent by anybody")
            .try_these(remedies(scene, REMEDIES)),
    )
}
