use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{AttributeKind, Connection, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "write-type-mismatch",
    title: "Written in the way that the characteristic does not support",
    basis: Basis::Laboratory,
    silences: &["zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
A characteristic says in its properties whether it takes a Write Request (0x08), a Write Command (0x04), or both. This host
used the other kind. A Write Command that is not supported is dropped without any answer.

## How it shows
Write Commands to a characteristic whose declaration on this link lacks 0x04, with nothing from the device afterwards; or a
Write Request that the device refuses with 0x03 or 0x06, to one that lacks 0x08.

## What else it could be
Many devices take a kind that they do not announce: where the device goes on to answer, this is silent. Without the
declaration (cached services) the kind cannot be judged. A refused CCCD is `notifications-never-enabled`.

## What to do
Use the other kind of write.",
    sources: &["Bluetooth Core, Vol 3, Part G: characteristic properties"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(0x04).into()),
        Case::silent("the nearest other trace", || example(0x0c).into()),
    ],
};

/// Refused with Write Not Permitted, although (0x0c) or because (0x04) of the properties.
fn example(properties: u8) -> Trace {
    let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
    Trace::new()
        .up()
        .mtu()
        .discovery(properties)
        .refused(write, ErrorCode(0x03))
        .wait_ms(500)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "With bleak: `write_gatt_char(…, response=True)` for a Write Request, `response=False` for a Write Command; over D-Bus the `type` option (`request`, `command`).",
    ),
    Remedy::on(
        &[Stack::Noble],
        "`characteristic.write(data, withoutResponse)`: `false` sends a Write Request, `true` a Write Command.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Set the write type: `WRITE_TYPE_DEFAULT` is a Write Request, `WRITE_TYPE_NO_RESPONSE` a Write Command.",
    ),
    Remedy::on(
        &[Stack::Ios, Stack::MacOs],
        "`writeValue(_:for:type:)` with `.withResponse` or `.withoutResponse`, as the properties say.",
    ),
    Remedy::any(
        "In the device's firmware: announce in the properties every kind of write that is accepted.",
    ),
];

const WRITE_COMMAND: u8 = 0x04;
const WRITE: u8 = 0x08;

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.cut_packets > 0 || connection.role == Some(Role::Peripheral) {
        return None;
    }
    let verdict = refused(connection).or_else(|| ignored(scene, connection))?;
    Some(
        verdict
            .rules_out("never-heard-peer", "the device was heard and answered ATT")
            .settled_by("Repeat with the other kind of write.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// What the declaration says of the characteristic that a step writes, if this link showed it.
fn properties(connection: &Connection, step: &Step) -> Option<u8> {
    let attribute = connection.remote.get(step.attribute)?;
    (attribute.kind == AttributeKind::Value && attribute.properties != 0)
        .then_some(attribute.properties)
}

fn refused(connection: &Connection) -> Option<Verdict> {
    let failed: Vec<&Step> = connection
        .steps
        .iter()
        .filter(|s| {
            s.by == Sent
                && s.procedure == Procedure::Write
                && s.outcome == Outcome::Error
                && matches!(s.status, Some(0x03 | 0x06))
                && properties(connection, s).is_some_and(|p| p & WRITE == 0)
        })
        .collect();
    let first = *failed.first()?;
    let announced = properties(connection, first)?;
    let other =
        if announced & WRITE_COMMAND == 0 { "no write at all" } else { "Write Commands only" };
    let mut verdict = Verdict::cause(format!(
        "This host wrote attribute {:#06x} with a Write Request, and the device refused it ({:#04x}): its properties ({announced:#04x}) announce {other}.",
        first.attribute, first.status?
    ))
    .sure(Confidence::High);
    for step in failed.iter().take(4) {
        verdict = verdict
            .sees(step.last.frame, format!("{} refused: {:#04x}", see::pdu(step), step.status?));
    }
    Some(verdict)
}

/// A Write Command that the device does not announce, and nothing came of it.
fn ignored(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let step = connection.steps.iter().find(|s| {
        s.by == Sent
            && s.procedure == Procedure::WriteCommand
            && properties(connection, s).is_some_and(|p| p & WRITE_COMMAND == 0 && p & WRITE != 0)
    })?;
    let answered = connection.steps.iter().any(|s| {
        s.by == Received
            && matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
            && s.last.frame > step.frame
    });
    if answered {
        return None;
    }
    let uuid = connection.remote.get(step.attribute)?.uuid;
    let theirs = scene.reference().and_then(|r| {
        r.steps.iter().find(|s| {
            s.by == Sent
                && s.procedure == Procedure::Write
                && s.outcome == Outcome::Ok
                && r.remote.get(s.attribute).is_some_and(|a| a.uuid.is_some() && a.uuid == uuid)
        })
    });
    let says = format!(
        "This host wrote attribute {:#06x} with Write Commands, which its properties ({:#04x}) do not announce; a device drops such a packet without an answer, and nothing came afterwards.",
        step.attribute,
        properties(connection, step)?
    );
    let mut verdict = match theirs {
        Some(_) => Verdict::cause(says).sure(Confidence::High),
        None => Verdict::suspect(says),
    };
    verdict = verdict.sees(step.frame, see::pdu(step));
    if let Some(theirs) = theirs {
        verdict = verdict.sees_in_reference(
            theirs.frame,
            "the working host sends a Write Request, and is answered",
        );
    }
    Some(verdict)
}
