use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Detail, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "service-changed-on-exit",
    title: "This peripheral removed its services while the host was connected",
    basis: Basis::Laboratory,
    silences: &["immediate-0x13-after-first-att", "peer-hangs-up-on-deadline", "remote-user-terminated-idle", "reverse-discovery-collides", "connection-cancelled-by-app"],
    docs: "\
## What it means
A program that served a GATT service ended (or crashed) while a host was connected. The server told the host that its services
changed, the host looked again, did not find them, and left. It may drop its bond or profile for this peripheral with them.

## How it shows
On the peripheral: an indication of Service Changed (0x2A05) sent by us, the host discovers again, then Disconnection Complete
0x13 from the host.

## What else it could be
Service Changed after a firmware update or at start-up, followed by ordinary use, is normal.

## What to do
Stop advertising, disconnect, wait for the disconnection, and only then end the program; or keep the GATT server in a process
that does not restart, with stable handles.",
    sources: &["laboratory: a BlueZ HID peripheral whose application exits"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::REMOTE_USER_TERMINATED).into()),
        Case::silent("the nearest other trace", || example(Status::CONNECTION_TIMEOUT).into()),
    ],
};

/// The central finds Service Changed (0x0008) and its CCCD, is told of a change, looks again, and leaves.
fn example(reason: Status) -> Trace {
    Trace::new()
        .connected_as(1, 24, 0, 72)
        .from_peer(&[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28], &[0x09, 7, 7, 0, 0x20, 8, 0, 0x05, 0x2a])
        .from_peer(&[0x04, 9, 0, 9, 0], &[0x05, 1, 9, 0, 0x02, 0x29])
        .from_peer(&[0x12, 9, 0, 2, 0], &[0x13])
        .wait_ms(1000)
        .to_peer(&[0x1d, 8, 0, 0x0e, 0, 0xff, 0xff], &[0x1e])
        .from_peer(&[0x10, 0x0e, 0, 0xff, 0xff, 0x00, 0x28], &[0x01, 0x10, 0x0e, 0, 0x0a])
        .wait_ms(800)
        .disconnected(reason)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Keep the GATT application in a process that is not restarted. Else give each service the property `Handle` of `GattService1`, and at shutdown stop advertising, call `Device1.Disconnect`, wait until `Connected` is false, and only then leave D-Bus.",
    ),
    Remedy::on(
        &[Stack::Bumble, Stack::NimBle, Stack::Zephyr, Stack::Esp],
        "Disconnect before changing the GATT database, and keep the handles stable between runs.",
    ),
    Remedy::any(
        "If the host does not come back, remove this peripheral in the host's Bluetooth settings and pair again.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let changed = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Indicate
            && s.by == Direction::Sent
            && matches!(s.detail, Detail::Discovery { attribute_type: 0x2a05, .. })
    })?;
    let Detail::Discovery { first, last, .. } = changed.detail else { return None };
    let again = connection.steps.iter().find(|s| {
        s.frame > changed.frame
            && s.by == Direction::Received
            && matches!(
                s.procedure,
                Procedure::DiscoverServices | Procedure::DiscoverCharacteristics
            )
    });
    let wait = end.at.since(changed.at).filter(|d| *d < Span::from_ms(30_000))?;
    let mut verdict = Verdict::cause(format!(
        "This peripheral told the host that its services {first:#06x} to {last:#06x} changed; {} and {wait} later it left. The host reacted to our own change, it was no whim of its.",
        if again.is_some() { "the host looked again" } else { "the host did not even look again" }
    ))
    .sure(if again.is_some() { Confidence::High } else { Confidence::Medium })
    .sees(changed.frame, format!("Service Changed indication sent, {first:#06x} to {last:#06x}"));
    if let Some(step) = again {
        verdict = verdict.sees(step.frame, "the host discovers again");
    }
    let (frame, text) = see::ended(end);
    Some(
        verdict
            .sees(frame, text)
            .rules_out("supervision-timeout-0x08", "the host ended the link itself")
            .rules_out(
                "remote-user-terminated-idle",
                "the end follows our indication and the host's new discovery",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}
