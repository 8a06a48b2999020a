//! A key that one side has lost, or that differs.
use super::{Entry, For, View, What};
use crate::diagnose::pairing_refused_by_peer::handed_over_keys;
use crate::packet::{Direction, smp};
use crate::timeline::Detail;

const MISSING: &[&str] = &["pin-or-key-missing-0x06"];
const MIC: &[&str] = &["mic-failure-0x3d"];
const REFUSED: &[&str] = &["pairing-refused-by-peer"];
const BOTH: &[&str] = &["5.66", "5.82"];

pub const ROWS: &[Entry] = &[
    Entry::fixed(
        What::Command,
        "remove-scan-pair",
        (MISSING, For::BlueZ),
        "`bluetoothctl`, then at its prompt: `remove ADDRESS`, put the device in pairing mode, `scan on` until it is found, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    )
    .tried("k-06-host-remove", BOTH),
    Entry::no_use("pair-without-remove", (MISSING, For::BlueZ), "`bluetoothctl pair ADDRESS` without `remove`: BlueZ still has its half of the bond.")
        .tried("k-06-pair-again", BOTH),
    Entry::no_use("remove-pair-noscan", (MISSING, For::BlueZ), "`pair` right after `remove`, without a scan: \"Device not available\" until a scan has found it.")
        .tried("k-06-host-remove-noscan", BOTH),
    Entry::no_use("wait", (MISSING, For::Any), "Connecting again, or waiting: the key is gone on one side.")
        .tried("k-06-none", BOTH),
    Entry::fixed(
        What::Command,
        "both",
        (MIC, For::BlueZ),
        "Clear the bond on the device, and here: `bluetoothctl`, then `remove ADDRESS`, `scan on` until it is found, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    )
    .tried("k-3d-both", BOTH),
    Entry::fixed(
        What::Command,
        "host-only",
        (MIC, For::BlueZ),
        "Remove the bond here alone, if the device's cannot be cleared: `bluetoothctl`, then `remove ADDRESS`, `scan on` until it is found, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    )
    .limits("It works if the device takes a new pairing while it holds an old one.")
    .tried("k-3d-host-remove", BOTH),
    Entry::no_use("peer-only", (MIC, For::BlueZ), "Clearing the bond on the device only: 0x3d becomes 0x06.")
        .tried("k-3d-peer-only", BOTH),
    Entry::no_use("wait", (MIC, For::BlueZ), "Connecting again.").tried("k-3d-none", &["5.66"]),
    Entry::fixed(
        What::Command,
        "clear-peer-and-pairing-mode",
        (REFUSED, For::BlueZ),
        "Clear the device's own bond and put it in pairing mode; here `bluetoothctl`, then `remove ADDRESS`, `scan on` until it is found, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    )
    .when("the device does not pair at the moment, or gives no reason", |view| {
        refused(view, &[smp::Reason::PAIRING_NOT_SUPPORTED, smp::Reason::UNSPECIFIED_REASON])
    })
    .tried("k-refuse", BOTH),
    Entry::fixed(
        What::Command,
        "agent-with-passkey",
        (REFUSED, For::BlueZ),
        "Offer what the device demands: `bluetoothctl`, then at its prompt `agent KeyboardDisplay`, `default-agent`, `pair ADDRESS`, and type the passkey.",
    )
    .when("the device wants protection by a passkey", |view| {
        refused(view, &[smp::Reason::AUTHENTICATION_REQUIREMENTS])
    })
    .says_source("Core specification, Vol 3, Part H, 3.5.5: what reason 0x03 means"),
    Entry::no_use("host-only", (REFUSED, For::BlueZ), "Removing the bond here alone, while the device still refuses.")
        .when("the device does not pair at the moment, or gives no reason", |view| {
            refused(view, &[smp::Reason::PAIRING_NOT_SUPPORTED, smp::Reason::UNSPECIFIED_REASON])
        })
        .tried("k-refuse", BOTH),
];

/// The device answered with one of these reasons, before any key was handed over.
fn refused(view: &View<'_>, reasons: &[smp::Reason]) -> bool {
    view.any(|c| {
        c.steps.iter().any(|s| {
            let theirs =
                matches!(s.detail, Detail::Pairing { refused_by: Some(Direction::Received), .. });
            let reason = s.status.is_some_and(|code| reasons.contains(&smp::Reason(code)));
            theirs && reason && !handed_over_keys(s)
        })
    })
}
