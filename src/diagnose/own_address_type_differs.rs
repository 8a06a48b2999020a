use super::see::attempts_of;
use super::{Basis, Case, Check, Confidence, Example, Remedy, Rule, Scene, Verdict, remedies};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::timeline::{Connection, Request, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "own-address-type-differs",
    title: "The two hosts show the device different kinds of address",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
One host connects with its public address, the other with a random one. Hardly any device cares; one that keys a list of known
hosts on the address may.

## How it shows
Own_Address_Type differs between the two connect requests, and no attempt of the failing side is ever heard. This rule rests on a
trace of its author's: no capture is known in which this was the reason.

## What else it could be
Nearly everything else first.

## What to do
When nothing else helped, let BlueZ use private addresses and pair afresh.",
    sources: &["Core Specification, Vol 4, Part E, 7.8.12: Own_Address_Type"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(works(1), unheard())),
        Case::silent("the nearest other trace", || Example::pair(works(0), unheard())),
    ],
};

fn works(own: u8) -> Trace {
    Trace::new().advertises(0).create_from(own).connected().features().mtu().wait_ms(900)
}

fn unheard() -> Trace {
    let once = Trace::new().advertises(0).create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(3, 800)
}

const REMEDIES: &[Remedy] = &[Remedy::on(
    &[Stack::BlueZ],
    "Only when nothing else helped: `Privacy = device` in /etc/bluetooth/main.conf, `[General]`, then pair afresh.",
)];

/// 0 and 2 fall back to or are the public address, 1 and 3 a random one.
fn random(request: &Request) -> bool {
    request.own_address_type & 1 == 1
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let reference = scene.reference()?;
    let subject = scene.compared()?;
    let (theirs, ours) = (reference.request.as_ref()?, subject.request.as_ref()?);
    let attempts = attempts_of(scene, subject);
    let up: Vec<&&Connection> = attempts.iter().filter(|c| c.connected_frame.is_some()).collect();
    let unheard = !up.is_empty() && up.iter().all(|c| c.never_heard());
    if !unheard || !reference.peer_heard() || random(theirs) == random(ours) {
        return None;
    }
    let kind = |request| if random(request) { "a random" } else { "its public" };
    Some(
        Verdict::note(format!(
            "The working host connects with {} address, this one with {}. Seldom of importance; it matters to a device that lists known hosts by address.",
            kind(theirs),
            kind(ours)
        ))
        .sure(Confidence::Low)
        .sees(ours.frame, format!("{}, own address type {}", ours.kind, ours.own_address_type))
        .sees_in_reference(theirs.frame, format!("{}, own address type {}", theirs.kind, theirs.own_address_type))
        .try_these(remedies(scene, REMEDIES)),
    )
}
