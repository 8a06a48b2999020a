use super::{Basis, Case, Check, Confidence, Example, Rule, Scene, Verdict};
use crate::compare::Comparison;
use crate::packet::hci::LeEvent;
use crate::packet::{AddressType, Status};
use crate::timeline::{Connection, Role};
use crate::trace::{HANDLE, PEER, Trace};

pub const RULE: Rule = Rule {
    id: "clock-accuracy-differs",
    title: "The centrals claim different clock accuracies",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
A central tells the peripheral how accurate its clock is, and the peripheral listens longer for a less accurate one. A claim that
is better than the clock loses packets. This rule rests on a trace of its author's.

## How it shows
Seen from the peripheral: Central_Clock_Accuracy in LE Connection Complete differs between the two captures.

## What else it could be
Nearly always without effect.

## What to do
Nothing by itself; worth telling the controller's vendor if links are lost.",
    sources: &["Core Specification, Vol 4, Part E, 7.7.65.1"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(example(1), example(7))),
        Case::silent("the nearest other trace", || Example::pair(example(1), example(1))),
    ],
};

fn example(accuracy: u8) -> Trace {
    Trace::new()
        .le(LeEvent::ConnectionComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            role: 1,
            peer_address_type: AddressType::RANDOM,
            peer_address: PEER,
            connection_interval: 24,
            peripheral_latency: 0,
            supervision_timeout: 72,
            central_clock_accuracy: accuracy,
        })
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .wait_ms(900)
        .disconnected(Status::REMOTE_USER_TERMINATED)
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    // The field is valid on the peripheral only.
    let claim = |c: &Connection| {
        c.granted.filter(|_| c.role == Some(Role::Peripheral)).map(|g| g.clock_accuracy)
    };
    let (ours, theirs) = (claim(subject)?, claim(reference)?);
    if ours == theirs {
        return None;
    }
    Some(
        Verdict::note(format!("The central claims clock accuracy {ours} here and {theirs} on the working side (0 is 500 ppm, 7 is 20 ppm)."))
            .sure(Confidence::Low)
            .about([subject.number])
            .sees(subject.connected_frame()?, format!("Central_Clock_Accuracy {ours}"))
            .sees_in_reference(reference.connected_frame()?, format!("Central_Clock_Accuracy {theirs}")),
    )
}
