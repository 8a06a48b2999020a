use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "mic-failure-0x3d",
    title: "Both sides encrypt with different keys",
    basis: Basis::Laboratory,
    silences: &["pin-or-key-missing-0x06", "insufficient-auth-no-pairing", "link-died-during-encryption"],
    docs: "\
## What it means
An encrypted packet did not pass its integrity check. Right after encryption was switched on this means that the two sides
hold different keys for the same bond.

## How it shows
Encryption is started (or has just succeeded), and the link ends with 0x3D within about a tenth of a second.

## What else it could be
0x3D late on a link that has worked for long points to a fault in one of the controllers, not to the bond.

## What to do
Remove the bond on both sides and pair again. If it comes back, report both captures to the vendor.",
    sources: &["bluez/bluez#2461, #1776", "google/bumble PR890", "zephyrproject-rtos/zephyr#36600"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::MIC_FAILURE).into()),
        Case::silent("the nearest other trace", || example(Status::CONNECTION_TIMEOUT).into()),
    ],
};

fn example(reason: Status) -> Trace {
    Trace::new()
        .up()
        .encrypts()
        .wait_ms(60)
        .encryption(Status::SUCCESS)
        .wait_ms(50)
        .disconnected(reason)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, clear the bond on the device too, then pair again.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Forget the device here and clear the bonds on the device, then pair again.",
    ),
    Remedy::any(
        "Clear the bond on both sides, not on one: each side believes that its key is right.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::MIC_FAILURE)?;
    let started = connection.steps.iter().rev().find(|s| s.procedure == Procedure::Encrypt);
    let soon =
        started.and_then(|s| end.at.since(s.last_at)).is_some_and(|d| d < Span::from_ms(1000));
    let says = if soon {
        "The link ended with a failed integrity check right after encryption began: the two sides hold different keys."
    } else {
        "The link ended with a failed integrity check in the middle of its life. Keys that differ fail at once, so this points to one of the controllers."
    };
    let mut verdict =
        Verdict::cause(says).sure(if soon { Confidence::High } else { Confidence::Medium });
    if let Some(step) = started {
        verdict = verdict.sees(step.frame, "encryption is started");
    }
    let (frame, text) = see::ended(end);
    verdict = verdict
        .sees(frame, text)
        .rules_out("pin-or-key-missing-0x06", "neither side said that the key is missing");
    if !soon {
        verdict = verdict.settled_by(
            "Repeat with another adapter: if it goes away, the controller was at fault.",
        );
    }
    Some(verdict.try_these(remedies(scene, REMEDIES)))
}
