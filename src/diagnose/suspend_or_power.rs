use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{AdapterEvent, Connection, Happening, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "suspend-or-power",
    title: "This host switched its own Bluetooth off or went to sleep",
    basis: Basis::Laboratory,
    silences: &["adapter-removed", "connection-cancelled-by-app", "local-disconnect-2s-kernel-idle", "remote-user-terminated-idle"],
    docs: "\
## What it means
The host ended the link because its adapter was powered down or the machine suspended. It is no fault of the device.

## How it shows
Our Disconnect command carries reason 0x15 (power off), or mgmt reports a suspend, or the adapter is closed right after.
Several links often end at once. The Disconnection Complete itself only says 0x16.

## What else it could be
An application that hangs up uses reason 0x13.

## What to do
Keep the host awake and the adapter powered: disable autosuspend of the USB adapter, and look for what turned Bluetooth off
(airplane mode, rfkill, a power manager).",
    sources: &["BlueZ doc/mgmt-protocol.rst: Device Disconnected, reason 5", "measured: 0x15 in our own Disconnect on three links at once"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| Trace::new().up().mtu().wait_ms(3000).hangs_up(Status::REMOTE_POWER_OFF).into()),
        Case::silent("the nearest other trace", || Trace::new().up().mtu().wait_ms(3000).hangs_up(Status::REMOTE_USER_TERMINATED).into()),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Disable autosuspend of a USB adapter: `echo on | sudo tee /sys/bus/usb/devices/*/power/control`.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "See who switched it off: `rfkill list`, `journalctl -u bluetooth`, `journalctl -t systemd-sleep`.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Keep Bluetooth on and the screen or app awake during the test.",
    ),
];

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    // Collected once: a capture may hold many events and many connections.
    let events = &scene.capture().adapter_events;
    let suspended: Vec<_> = events.iter().filter(|e| e.what == Happening::Suspended).collect();
    let connections = scene.capture().connections.iter();
    connections.filter_map(|connection| ended(scene, connection, &suspended)).collect()
}

fn ended(
    scene: &Scene<'_>,
    connection: &Connection,
    suspended: &[&AdapterEvent],
) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let command = end.command_frame?;
    let suspended = suspended.iter().find(|e| {
        e.adapter == connection.adapter
            && end.at.since(e.at).is_some_and(|d| d.abs() < Span::from_ms(3000))
    });
    let power_off = end.reason_sent == Some(Status::REMOTE_POWER_OFF);
    let by_suspend = connection.mgmt_reason.filter(|(_, reason)| *reason == 5);
    if !power_off && suspended.is_none() && by_suspend.is_none() {
        return None;
    }
    let mut verdict = Verdict::cause(if power_off {
        "Our own host ended the link with reason 0x15: its adapter was being switched off."
    } else {
        "Our own host ended the link because it went to sleep."
    })
    .sure(Confidence::High)
    .sees(command, format!("Disconnect command, reason {}", end.reason_sent?))
    .sees(end.frame, format!("Disconnection Complete, {}", end.reason))
    .rules_out("remote-user-terminated-idle", "the Disconnect command came from this host")
    .try_these(remedies(scene, REMEDIES));
    let events = &scene.capture().adapter_events;
    let after = &events[events.partition_point(|e| e.frame <= end.frame)..];
    let closed =
        after.iter().find(|e| e.adapter == connection.adapter && e.what == Happening::IndexClosed);
    if let Some(event) = suspended {
        verdict = verdict.sees(event.frame, "Controller Suspend");
    }
    if let Some(event) = closed {
        verdict = verdict.sees(event.frame, "the adapter is closed");
    }
    verdict.connections.push(connection.number);
    Some(verdict)
}
