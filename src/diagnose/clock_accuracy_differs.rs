use super::{Basis, Case, Check, Confidence, Example, Facts, Rule, Scene, Sight, Verdict};
use crate::compare::Comparison;
use crate::packet::hci::LeEvent;
use crate::packet::{AddressType, Status};
use crate::prose::Text;
use crate::text;
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
        Case::note(Confidence::Low, "one central claims 250 ppm, the other 20 ppm", || {
            Example::pair(claims(1, 1), claims(1, 7))
        })
        .about(&[1])
        .saying("clock accuracy 7 here and 1 on the working side"),
        Case::silent("both centrals claim the same", || {
            Example::pair(claims(1, 1), claims(1, 1))
        }),
        Case::silent("this host is the central, where the field means nothing", || {
            Example::pair(claims(0, 1), claims(0, 7))
        }),
    ],
};

fn claims(role: u8, accuracy: u8) -> Trace {
    Trace::new()
        .le(LeEvent::ConnectionComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            role,
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

/// What one central claims, and the frame that says so.
#[derive(Debug)]
struct Accuracy {
    frame: u32,
    accuracy: u8,
}

#[derive(Debug)]
struct AccuracyDiffers {
    here: Accuracy,
    reference: Accuracy,
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    let facts = AccuracyDiffers { here: accuracy(subject)?, reference: accuracy(reference)? };
    (facts.here.accuracy != facts.reference.accuracy)
        .then(|| Verdict::note(facts).sure(Confidence::Low).about([subject.number]))
}

/// The field is valid on the peripheral only.
fn accuracy(connection: &Connection) -> Option<Accuracy> {
    let granted = connection.granted.filter(|_| connection.role == Some(Role::Peripheral))?;
    Some(Accuracy { frame: connection.connected_frame()?, accuracy: granted.clock_accuracy })
}

impl Facts for AccuracyDiffers {
    fn says(&self) -> Text {
        text!(
            "The central claims clock accuracy {} here and {} on the working side (0 is 500 ppm, 7 is 20 ppm).",
            self.here.accuracy,
            self.reference.accuracy
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let Self { here, reference } = self;
        let text = |claim: &Accuracy| text!("Central_Clock_Accuracy {}", claim.accuracy);
        vec![
            Sight::here(here.frame, text(here)),
            Sight::in_reference(reference.frame, text(reference)),
        ]
    }
}
