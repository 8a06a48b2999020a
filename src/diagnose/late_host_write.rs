use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Direction, Status, att};
use crate::timeline::OddityKind;
use crate::timeline::{Connection, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "late-host-write",
    title: "The host wrote into a link that was never established",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The host sent ATT requests as soon as the controller reported the link, before anything from the device was heard, or even after
the link's end. They could not arrive. This is a consequence of the dead link and not its cause, but it explains an MTU request
without an answer and a program that hangs.

## How it shows
ATT sent on a handle on which nothing was ever received, and that ended with 0x3E.

## What else it could be
If any ATT response came on that handle, the link was alive and the rule does not apply.

## What to do
Treat `connect` as provisional until the first answer came: give it a second, then disconnect and try again.",
    sources: &["noble/noble#474, #751", "noble, onLeConnComplete: the MTU request is queued at Connection Complete"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| dead_link(true).into()),
        Case::silent("the nearest other trace", || dead_link(false).into()),
    ],
};

fn dead_link(writes: bool) -> Trace {
    let trace = Trace::new().advertises(0).create().connected().wait_ms(2);
    let trace = if writes {
        trace.att(Direction::Sent, att::Pdu::ExchangeMtuRequest { client_rx_mtu: 256 })
    } else {
        trace
    };
    trace.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Do not trust `connect` alone: wait up to 1 s for the first answer (`mtu` event or discovery), else `disconnect()` and retry.",
    ),
    Remedy::no_use(
        "Sending ATT earlier, later or more often: nothing can arrive on a link that the device never joined.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let dead = connection.never_heard() && end.reason == Status::FAILED_TO_BE_ESTABLISHED;
    if !dead || connection.role != Some(Role::Central) || connection.att_received > 0 {
        return None;
    }
    let late = connection.oddities.iter().find(|o| o.kind == OddityKind::AttAfterDisconnect);
    let first = connection.first_att.filter(|first| first.direction == Direction::Sent);
    if late.is_none() && first.is_none() {
        return None;
    }
    let mut verdict = Verdict::note(
        "The host sent ATT although nothing from the device had been heard on this link. It could not be answered: a consequence of the dead link, not its cause.",
    )
    .sure(Confidence::High);
    if let Some(first) = first {
        let after = connection
            .after(first.at)
            .map_or(String::new(), |d| format!(" {d} after the link was reported"));
        verdict = verdict.sees(first.frame, format!("first ATT request{after}"));
    }
    if let Some(late) = late {
        verdict = verdict.sees(late.frame, "ATT sent after the link had ended");
    }
    Some(
        verdict
            .sees(end.frame, format!("Disconnection Complete, {}", end.reason))
            .try_these(remedies(scene, REMEDIES)),
    )
}
