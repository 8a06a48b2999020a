use super::{Basis, Case, Check, Confidence, Example, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::Uuid;
use crate::timeline::{AttributeKind, Connection, EndedBy, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "notifications-never-enabled",
    title: "Notifications were never switched on",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app", "write-type-mismatch"],
    docs: "\
## What it means
The device sends data only after the host has written its Client Characteristic Configuration Descriptor (CCCD, 0x2902). This
host never wrote it, or the device refused the write; so commands are accepted and nothing ever comes back.

## How it shows
The working host writes 0x0001 or 0x0002 to the CCCD and then receives notifications; this host writes its commands, never
the CCCD, and receives none. Or: the write of the CCCD is refused.

## What else it could be
A refusal for want of security (0x05, 0x08, 0x0C, 0x0F) is a matter of pairing. A device that remembers a bonded host's
choice needs no new write. Without a working capture, a CCCD that was never written is no fault.

## What to do
Subscribe before the first command.",
    sources: &["Bluetooth-Devices/aiobmsble#205", "hbldh/bleak#472"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(false)),
        Case::silent("the nearest other trace", || example(true)),
    ],
};

fn example(subscribes: bool) -> Example {
    let use_it = |subscribes: bool| {
        let trace = Trace::new().up().mtu().discovery(0x1a);
        let trace = if subscribes { trace.write(4, &[1, 0]) } else { trace };
        let trace = trace.write(3, &[0xa5]).wait_ms(200);
        let trace = if subscribes { trace.notified(3, &[1, 2, 3]) } else { trace };
        trace.wait_ms(4000).hangs_up(Status::REMOTE_USER_TERMINATED)
    };
    Example::pair(use_it(true), use_it(subscribes))
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "With bleak: `await client.start_notify(characteristic, callback)` before the first write; over D-Bus: `StartNotify`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `characteristic.subscribeAsync()` and wait for it before the first write.",
    ),
    Remedy::on(
        &[Stack::Android],
        "After `setCharacteristicNotification()` also write the descriptor 0x2902 (`writeDescriptor`), and wait for `onDescriptorWrite`.",
    ),
    Remedy::on(
        &[Stack::Ios, Stack::MacOs],
        "Call `setNotifyValue(true, for:)` and wait for its callback before the first write.",
    ),
    Remedy::any("Write 0x0100 (indications: 0x0200) to the CCCD before the first command."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let healthy = connection.end.as_ref().is_none_or(|end| end.by == EndedBy::Host);
    if !connection.start_seen
        || !healthy
        || connection.cut_packets > 0
        || connection.elided_steps > 0
        || connection.role != Some(Role::Central)
        || connection.steps.iter().any(|s| pushed(s, Received))
        || connection.steps.iter().any(|s| subscribed(connection, s))
    {
        return None;
    }
    refused(connection).or_else(|| left_out(scene, connection))
}

/// The device turned the subscription down.
fn refused(connection: &Connection) -> Option<Verdict> {
    let step = connection.steps.iter().find(|s| {
        s.by == Sent
            && s.outcome == Outcome::Error
            && cccd(connection, s)
            // Security and stale handles have rules of their own.
            && !matches!(s.status, Some(0x01 | 0x05 | 0x08 | 0x0a | 0x0c | 0x0f | 0x12) | None)
    })?;
    Some(
        Verdict::cause(format!(
            "The device refused the subscription with error {:#04x}, and no notification came.",
            step.status?
        ))
        .sure(Confidence::High)
        .sees(step.frame, see::pdu(step))
        .sees(step.last.frame, format!("refused: {:#04x}", step.status?))
        .rules_out("never-heard-peer", "the device was heard and answered ATT")
        .settled_by("Does another host get the same refusal? Then it is the device's firmware.")
        .try_this("See whether the descriptor lies where the firmware expects it, and whether the device must first be put into another state (a login write, pairing).")
        .try_this("In the device's firmware: a CCCD must be writable."),
    )
}

/// The working host subscribed; this one only wrote.
fn left_out(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let reference = scene.reference()?;
    let theirs = reference.steps.iter().find(|s| subscribed(reference, s))?;
    let gained = reference.steps.iter().find(|s| pushed(s, Received) && s.frame > theirs.frame)?;
    let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
    let outlived = connection.after(stop)? > reference.after(gained.at)?;
    let wrote = connection.steps.iter().find(|s| application_write(connection, s))?;
    // A bonded device may remember what this host subscribed to.
    if !outlived || connection.encrypted && !connection.paired {
        return None;
    }
    Some(
        Verdict::cause(
            "The working host switched notifications on before it used the device; this host never did, and received none. Its commands were delivered.",
        )
        .sure(Confidence::Medium)
        .sees(wrote.frame, format!("this host uses the device: {}", see::pdu(wrote)))
        .sees(
            connection.last_pdu.map(|seen| seen.frame)?,
            "last packet of this link; no CCCD was written and nothing notified up to here",
        )
        .sees_in_reference(theirs.frame, format!("the working host: {}", see::pdu(theirs)))
        .sees_in_reference(gained.frame, "and the device notifies")
        .rules_out("never-heard-peer", "the device was heard and answered ATT")
        .settled_by("Subscribe on this host before the first command, and repeat.")
        .try_these(remedies(scene, REMEDIES)),
    )
}

fn pushed(step: &Step, by: crate::packet::Direction) -> bool {
    step.by == by && matches!(step.procedure, Procedure::Notify | Procedure::Indicate)
}

/// A write to a CCCD; Service Changed is the host's own affair.
fn cccd(connection: &Connection, step: &Step) -> bool {
    step.procedure == Procedure::Subscribe
        && connection
            .remote
            .characteristic_of(step.attribute)
            .is_none_or(|c| c.uuid != Some(Uuid::Short(0x2a05)))
}

fn subscribed(connection: &Connection, step: &Step) -> bool {
    step.by == Sent && step.outcome == Outcome::Ok && cccd(connection, step)
}

/// A write to a value that the application owns.
fn application_write(connection: &Connection, step: &Step) -> bool {
    let hosts_own = connection.remote.get(step.attribute).is_some_and(|a| {
        a.kind == AttributeKind::Descriptor || a.uuid == Some(Uuid::Short(0x2b29))
    });
    step.by == Sent
        && step.outcome == Outcome::Ok
        && matches!(step.procedure, Procedure::Write | Procedure::WriteCommand)
        && !hosts_own
}
