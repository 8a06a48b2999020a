use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "db-out-of-sync-0x12",
    title: "The device says that its database changed, and this host does not look again",
    basis: Basis::Laboratory,
    silences: &["gatt-cache-stale", "connection-cancelled-by-app", "zombie-link-data-silence"],
    docs: "\
## What it means
With robust caching the device answers the first request after a change of its database with Database Out Of Sync (0x12). The
host is meant to read the Database Hash or to discover again. This host went on with its old handles.

## How it shows
Error Response with code 0x12, and afterwards neither a read of 0x2B2A nor a discovery.

## What else it could be
One such error followed by a hash read or a discovery is robust caching at work, and no fault: then this is only a note.

## What to do
Use a host stack that reacts, or make this host forget the device's services.",
    sources: &["bluez/bluez PR 1715, 1879, 1925"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| {
        refused(Trace::new().up().mtu(), ErrorCode(0x12)).wait_ms(700).hangs_up(Status::REMOTE_USER_TERMINATED).into()
    }),
        Case::silent("the nearest other trace", || {
        refused(Trace::new().up().mtu(), ErrorCode(0x02)).wait_ms(700).hangs_up(Status::REMOTE_USER_TERMINATED).into()
    }),
    ],
};

fn refused(trace: Trace, code: ErrorCode) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(0x4e) };
    trace.refused(read, code).wait_ms(600).refused(read, code)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use a BlueZ with commit 7c9c8630c (February 2026), which discovers again after 0x12; until then `bluetoothctl remove ADDRESS` and connect again (this also removes a bond).",
    ),
    Remedy::on(
        &[Stack::Noble, Stack::NimBle, Stack::Esp, Stack::Zephyr, Stack::Bumble, Stack::BtStack],
        "On error 0x12 drop the remembered handles and discover again, then repeat the request.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let failed: Vec<&Step> = connection
        .steps
        .iter()
        .filter(|s| {
            s.by == Sent && s.is_att() && s.outcome == Outcome::Error && s.status == Some(0x12)
        })
        .collect();
    let first = *failed.first()?;
    let last = *failed.last()?;
    if connection.cut_packets > 0 || connection.role == Some(Role::Peripheral) {
        return None;
    }
    let cure = connection.steps.iter().find(|s| {
        s.by == Sent && s.frame > first.last_frame && s.outcome == Outcome::Ok && looks_again(s)
    });
    let mut verdict = match cure {
        Some(step) if step.frame > last.last_frame => Verdict::note(
            "The device said that its database had changed, and this host looked again, as it should.",
        )
        .sure(Confidence::High)
        .sees(step.frame, see::pdu(step)),
        _ => Verdict::cause(format!(
            "The device answered {} with Database Out Of Sync (0x12); this host neither read the hash nor discovered again.",
            if failed.len() == 1 { "a request".to_owned() } else { format!("{} requests", failed.len()) }
        ))
        .sure(if failed.len() > 1 { Confidence::High } else { Confidence::Medium }),
    };
    for step in failed.iter().take(4) {
        verdict = verdict.sees(
            step.last_frame,
            format!("{} refused: Database Out Of Sync (0x12)", see::pdu(step)),
        );
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device answered on ATT")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// A read of the Database Hash, or a discovery.
fn looks_again(step: &Step) -> bool {
    matches!(step.procedure, Procedure::DiscoverServices | Procedure::DiscoverCharacteristics)
        || matches!(step.detail, Detail::Read { by_type: 0x2b2a, .. })
}
