use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "local-disconnect-2s-kernel-idle",
    title: "The Linux kernel dropped a link that no program used",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
The link came up and was healthy. No program held it open with an L2CAP socket, so the kernel closed it after two seconds.

## How it shows
Our own Disconnect command, reason 0x13, about 2.0 s after the feature exchange (or the last traffic), with no ATT, SMP or
signalling traffic in between; Disconnection Complete says 0x16.

## What else it could be
A program that hangs up after exactly two seconds looks the same; a program that used ATT before is not this.

## What to do
Use a library that holds the link: BlueZ over D-Bus, or a current raw-HCI library; a user channel takes the kernel out.",
    sources: &["noble/noble#242 (2.03 s)", "node-bluetooth-hci-socket#23", "Linux net/bluetooth: disc_timeout of 2 s"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| Trace::new().up().wait_ms(2000).hangs_up(Status::REMOTE_USER_TERMINATED).into()),
        Case::silent("the nearest other trace", || Trace::new().up().mtu().wait_ms(2000).hangs_up(Status::REMOTE_USER_TERMINATED).into()),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Update `@stoprocent/bluetooth-hci-socket` (its helper holds the link), use `HCI_CHANNEL_USER=1` with bluetoothd stopped, or noble's D-Bus binding.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Connect through bluetoothd (`bluetoothctl connect`, bleak) or keep an L2CAP socket open on CID 4; `hcitool lecc` alone cannot hold a link.",
    ),
    Remedy::no_use(
        "Supervision timeout, interval and MTU will not help, because the link was healthy and our own side closed it.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    let known_other = scene
        .capture()
        .host
        .as_ref()
        .is_some_and(|h| !matches!(h.stack, Stack::BlueZ | Stack::Noble));
    let central = connection.role == Some(Role::Central);
    let features =
        connection.steps.iter().find(|s| s.procedure == Procedure::Features && !s.failed())?;
    let traffic =
        connection.att_sent + connection.att_received > 0 || connection.last_pdu_frame.is_some();
    let wait = end.command_at.since(features.last_at)?;
    let two_seconds = wait > Span::from_ms(1850) && wait < Span::from_ms(2250);
    if known_other
        || !central
        || traffic
        || !two_seconds
        || end.reason_sent != Some(Status::REMOTE_USER_TERMINATED)
    {
        return None;
    }
    Some(
        Verdict::cause(format!(
            "The link was up and the peer answered, no program used it, and {wait} later our own side closed it: the kernel drops a link that nobody holds after 2 s."
        ))
        .sure(Confidence::High)
        .sees(features.last_frame, "the peer answers the feature exchange")
        .sees(end.command_frame?, "Disconnect command of our host, reason 0x13; no ATT, SMP or signalling before it")
        .rules_out("remote-user-terminated-idle", "the Disconnect command came from this host")
        .try_these(remedies(scene, REMEDIES)),
    )
}
