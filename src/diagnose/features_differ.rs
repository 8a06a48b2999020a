use super::{Basis, Case, Check, Confidence, Example, Rule, Scene, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::timeline::{Connection, Detail, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "features-differ",
    title: "The device shows the two hosts different link-layer features",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
The same device answered the feature request differently on the two sides: another firmware, or another chip behind the same name.
This rule rests on a trace of its author's.

## How it shows
LE Read Remote Features Complete with different bits for one device.

## What else it could be
Some controllers mask the bits by their own features.

## What to do
Make sure that both captures are of the same device with the same firmware.",
    sources: &["Core Specification, Vol 6, Part B, 4.6"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(example(0x3f), example(0x01))),
        Case::silent("the nearest other trace", || Example::pair(example(0x3f), example(0x3f))),
    ],
};

fn example(bits: u8) -> Trace {
    Trace::new()
        .create()
        .connected()
        .taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
        .wait_ms(90)
        .le(LeEvent::ReadRemoteFeaturesComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            le_features: [bits, 0, 0, 0, 0, 0, 0, 0],
        })
        .mtu()
        .wait_ms(900)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn features(c: &Connection) -> Option<(&Step, [u8; 8])> {
    c.steps.iter().find_map(|s| match s.detail {
        Detail::Features(bits) => Some((s, bits)),
        _ => None,
    })
}

fn check(scene: &Scene<'_>, comparison: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let reference = scene.reference()?;
    let ((ours, a), (theirs, b)) = (features(subject)?, features(reference)?);
    if a == b || comparison.roles_differ {
        return None;
    }
    Some(
        Verdict::note("The device answered the feature request differently on the two sides: look whether both captures are of the same firmware.")
            .sure(Confidence::Medium)
            .about([subject.number])
            .sees(ours.last.frame, format!("features {}", hex(&a)))
            .sees_in_reference(theirs.last.frame, format!("features {}", hex(&b))),
    )
}

fn hex(bits: &[u8]) -> String {
    bits.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}
