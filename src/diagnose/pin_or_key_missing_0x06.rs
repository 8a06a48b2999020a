use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Connection, Outcome, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pin-or-key-missing-0x06",
    title: "One side has lost the bond: the stored key is not known there any more",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "remote-user-terminated-idle", "immediate-0x13-after-first-att", "connection-cancelled-by-app", "peer-hangs-up-on-deadline"],
    docs: "\
## What it means
This side tried to encrypt with a key of an earlier bond, and the other side has no such key: it was reset, it made room for
another host, or its owner removed the bond there.

## How it shows
Encryption Change with PIN or Key Missing (0x06), or on the peripheral a Long Term Key request that is refused; then the link
is ended, with reason 0x05 in our own command on Linux (the Disconnection Complete itself says 0x16). It repeats at each try.

## What else it could be
A link that was lost during encryption echoes 0x08, not 0x06. Keys that are both there and differ end the link with 0x3D.

## What to do
Remove the bond on the side that still has it, put the device in pairing mode, and pair again.",
    sources: &["BlueZ src/device.c (back-off after a missing key)", "h2zero/NimBLE-Arduino#116", "espressif/esp-idf#18795"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::PIN_OR_KEY_MISSING).into()),
        Case::silent("the nearest other trace", || example(Status::SUCCESS).into()),
    ],
};

fn example(status: Status) -> Trace {
    Trace::new()
        .up()
        .encrypts()
        .wait_ms(60)
        .encryption(status)
        .hangs_up(Status::AUTHENTICATION_FAILURE)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, put the device in pairing mode, then `bluetoothctl pair ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Delete the stored bond and pair again with the device in pairing mode (over D-Bus: `bluetoothctl remove ADDRESS`).",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Forget the device in the Bluetooth settings, put it in pairing mode, and pair again.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp],
        "Delete the bond (`ble_store_util_delete_peer`, `esp_ble_remove_bond_device`) and pair again; check that bonds survive a reset.",
    ),
    Remedy::any("Reconnecting or waiting will not help, because the key is gone on one side."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let missing = Status::PIN_OR_KEY_MISSING;
    let refused = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Encrypt
            && s.outcome == Outcome::Error
            && s.status == Some(missing.0)
    });
    let ended = connection.end.as_ref().filter(|end| end.reason == missing);
    let frame = refused.map(|step| step.last_frame).or(ended.map(|end| end.frame))?;
    // Only a central starts encryption: what is missing is missing on the peripheral's side.
    let here = connection.role == Some(Role::Peripheral);
    let says = if here {
        "The central asked to encrypt with the key of an earlier bond, and this host has no such key: the bond is lost on this side."
    } else {
        "This host asked to encrypt with the key of an earlier bond, and the device answered that it has no such key: the bond is lost on the device."
    };
    let mut verdict = Verdict::cause(says).sure(Confidence::High);
    if let Some(step) = refused {
        verdict = verdict.sees(step.frame, "encryption with the stored key is asked for");
    }
    verdict = verdict.sees(frame, format!("{missing}"));
    if let Some(end) = &connection.end {
        let how = match end.reason_sent {
            Some(sent) => format!("the link is ended by this host, reason sent {sent}"),
            None => format!("Disconnection Complete, {}", end.reason),
        };
        verdict = verdict.sees(end.command_frame.unwrap_or(end.frame), how);
    }
    Some(
        verdict
            .rules_out(
                "mic-failure-0x3d",
                "the other side refused the key; it did not use a different one",
            )
            .rules_out("never-heard-peer", "the refusal is an answer of the peer")
            .try_these(remedies(scene, REMEDIES)),
    )
}
