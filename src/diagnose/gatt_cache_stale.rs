use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{Connection, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "gatt-cache-stale",
    title: "This host uses remembered attribute handles that the device no longer has",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app", "zombie-link-data-silence"],
    docs: "\
## What it means
The host did not discover on this link. It used the handles of an earlier connection, and the device answers that they do not
exist: its database changed, by new firmware or another mode, and nothing told the host.

## How it shows
No discovery before the first reads and writes by handle, which fail with Invalid Handle (0x01) or Attribute Not Found (0x0A);
no Service Changed indication.

## What else it could be
Handles found on this link and refused later are a fault of the device. Error 0x12 is `db-out-of-sync-0x12`. A first failure
that the host answers with a fresh discovery is how a cache is meant to work.

## What to do
Make this host forget the device's services; in firmware implement Service Changed or the Database Hash.",
    sources: &["bluez/bluez#191", "hbldh/bleak#882", "bleak documentation, troubleshooting"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(false).into()),
        // The same errors, on handles that this link's own discovery found.
        Case::silent("the nearest other trace", || example(true).into()),
    ],
};

fn example(discovers: bool) -> Trace {
    let read = |handle| Pdu::ReadRequest { attribute_handle: Handle(handle) };
    let trace = Trace::new().up().mtu();
    let trace = if discovers { trace.discovery(2) } else { trace };
    trace
        .refused(read(3), ErrorCode(0x01))
        .refused(read(4), ErrorCode(0x01))
        .wait_ms(1000)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, then connect again (this also removes a bond); with BlueZ before 5.62 delete /var/lib/bluetooth/ADAPTER/cache/ADDRESS too. For a test: `[GATT]` `Cache=no` in /etc/bluetooth/main.conf.",
    ),
    Remedy::any(
        "In the device's firmware: offer the Database Hash (0x2B2A), or send a Service Changed indication after the database changed.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if !connection.start_seen
        || connection.cut_packets > 0
        || connection.elided_steps > 0
        || connection.role != Some(Role::Central)
    {
        return None;
    }
    let failed: Vec<&Step> = connection.steps.iter().filter(|s| by_dead_handle(s)).collect();
    let first = *failed.first()?;
    let discovered_at = connection
        .steps
        .iter()
        .find(|s| {
            s.by == Sent
                && s.outcome == Outcome::Ok
                && matches!(
                    s.procedure,
                    Procedure::DiscoverServices | Procedure::DiscoverCharacteristics
                )
        })
        .map(|s| s.frame);
    if discovered_at.is_some_and(|frame| frame < first.frame) {
        return None;
    }
    let last = failed.last()?;
    let cured = discovered_at.is_some_and(|frame| frame > last.last_frame);
    let says = format!(
        "This host discovered nothing on this link and used remembered handles; the device answered {} of its requests with {}.",
        failed.len(),
        if first.status == Some(0x01) {
            "Invalid Handle (0x01)"
        } else {
            "Attribute Not Found (0x0a)"
        }
    );
    let mut verdict = if cured {
        Verdict::note(format!("{says} The host then discovered afresh, as it should."))
    } else {
        let confidence = if failed.len() > 1 { Confidence::High } else { Confidence::Medium };
        Verdict::cause(says).sure(confidence)
    };
    for step in failed.iter().take(4) {
        let code = step.status?;
        verdict = verdict.sees(step.last_frame, format!("{} refused: {code:#04x}", see::pdu(step)));
    }
    if let Some(theirs) = scene
        .reference()
        .and_then(|r| r.steps.iter().find(|s| s.procedure == Procedure::DiscoverCharacteristics))
    {
        verdict = verdict.sees_in_reference(theirs.frame, "the working host discovers");
    }
    Some(
        verdict
            .rules_out(
                "insufficient-auth-no-pairing",
                "the device refuses the handle itself, not the right to use it",
            )
            .settled_by(
                "Forget the device on this host and connect again: does it then use other handles?",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// A read or write by handle that the device says does not exist.
fn by_dead_handle(step: &Step) -> bool {
    let by_handle = match step.procedure {
        Procedure::Read => {
            !matches!(step.detail, crate::timeline::Detail::Read { by_type, .. } if by_type != 0)
        }
        Procedure::Write | Procedure::Subscribe => true,
        _ => false,
    };
    by_handle
        && step.by == Sent
        && step.attribute != 0
        && step.outcome == Outcome::Error
        && matches!(step.status, Some(0x01 | 0x0a))
}
