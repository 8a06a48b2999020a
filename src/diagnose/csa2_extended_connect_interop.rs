use super::see::attempts_of;
use super::{Basis, Case, Check, Confidence, Example, Remedy, Rule, Scene, Verdict, remedies};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::timeline::{Connection, RequestKind, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "csa2-extended-connect-interop",
    title: "Only the newer kind of connect request goes unanswered",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
One side reaches the device with the old connect request (or channel selection #1), the other asks with the extended request (or
channel selection #2) and is never heard. Some old or cheap devices stumble over the newer request.

## How it shows
Every attempt of the failing side is extended or uses channel selection #2 and none is heard; the working side's is legacy with
channel selection #1.

## What else it could be
The two sides have different radios and places; the kind of request is one difference among others. The opposite case exists too.

## What to do
Connect once with a 4.x adapter, or restrict the adapter to the 1M PHY, and compare.",
    sources: &["Nordic DevZone 43672, 9231", "espressif/esp-idf#12970", "zephyrproject-rtos/zephyr#54531"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(works(), unheard(7))),
        Case::silent("the nearest other trace", || Example::pair(works(), legacy())),
    ],
};

fn works() -> Trace {
    Trace::new().advertises(0).up().mtu().wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn legacy() -> Trace {
    let once = Trace::new().advertises(0).create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(3, 800)
}

fn unheard(phys: u8) -> Trace {
    let once =
        Trace::new().advertises(0).create_extended(phys, Status::SUCCESS).connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(3, 800)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Restrict the adapter to the 1M PHY and compare: `btmgmt phy LE1MTX LE1MRX`; or use a Bluetooth 4.x adapter.",
    ),
    Remedy::any(
        "Connect once from a controller that sends the legacy request, at the same place: if that works ten times of ten, the request is the difference.",
    ),
];

fn newer(connection: &Connection) -> bool {
    let extended = connection.request.as_ref().is_some_and(|r| {
        matches!(r.kind, RequestKind::LeExtendedCreate | RequestKind::LeExtendedCreateV2)
    });
    extended || connection.channel_selection == Some(1)
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let reference = scene.reference()?;
    let subject = scene.compared()?;
    let attempts = attempts_of(scene, subject);
    let up: Vec<&&Connection> = attempts.iter().filter(|c| c.connected_frame().is_some()).collect();
    let old = reference.request.as_ref().is_some_and(|r| r.kind == RequestKind::LeCreate)
        && reference.channel_selection != Some(1);
    let all = up.len() > 1 && up.iter().all(|c| c.never_heard() && newer(c));
    if !old || !all || !reference.peer_heard() {
        return None;
    }
    let mut verdict = Verdict::suspect(format!(
        "All {} links of this side were asked for with the newer request and never answered; the working side used the legacy request. The request may be what this device cannot take.",
        up.len()
    ))
    .sure(if up.len() > 2 { Confidence::Medium } else { Confidence::Low })
    .about(up.iter().map(|c| c.number))
    .rules_out("missing-mtu-exchange", "the device was never heard, so no ATT exchange could have helped");
    for connection in up.iter().take(4) {
        if let Some(request) = connection.request.as_ref() {
            let phys = request.phys;
            verdict = verdict
                .sees(request.frame, format!("{}, initiating PHYs {phys:#04x}", request.kind));
        }
        let end = connection.end.as_ref()?;
        verdict = verdict.sees(end.frame, format!("Disconnection Complete, {}", end.reason));
    }
    let request = reference.request.as_ref()?;
    Some(
        verdict
            .sees_in_reference(request.frame, format!("{}, and the device is heard", request.kind))
            .settled_by("The same adapter with the legacy request, ten times each: only the difference counts.")
            .try_these(remedies(scene, REMEDIES)),
    )
}
