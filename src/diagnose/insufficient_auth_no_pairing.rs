use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "insufficient-auth-no-pairing",
    title: "The device wants an encrypted link, and this host never pairs",
    basis: Basis::Laboratory,
    silences: &["write-type-mismatch", "notifications-never-enabled", "connection-cancelled-by-app", "zombie-link-data-silence"],
    docs: "\
## What it means
The device refused an attribute until the link is paired and encrypted. This host took the refusal and did not pair. A host
that works is often silently bonded: it encrypts with a stored key before it reads.

## How it shows
Error Response 0x05, 0x0F, 0x08 or 0x0C, and no SMP Pairing Request (or encryption) from the central after it.

## What else it could be
Pairing that was tried and failed is a finding of its own. 0x08 may be the device's own idea of authorisation.

## What to do
Pair before use: once by hand with an agent, or from the program.",
    sources: &["hbldh/bleak#1434, #1634", "mtheli/philips_sonicare_ble#25"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(false).into()),
        Case::silent("the nearest other trace", || example(true).into()),
    ],
};

fn example(pairs: bool) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let trace =
        Trace::new().up().mtu().refused(read, ErrorCode::INSUFFICIENT_ENCRYPTION).wait_ms(50);
    let trace = if pairs {
        trace.asks_to_pair()
    } else {
        trace.refused(read, ErrorCode::INSUFFICIENT_ENCRYPTION)
    };
    trace.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Pair once with an agent: `bluetoothctl`, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`; with bleak `BleakClient(address, pair=True)`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Raw noble pairs by legacy Just Works only: pair with `bluetoothctl pair ADDRESS` and use noble's D-Bus binding.",
    ),
    Remedy::on(&[Stack::Android], "Call `createBond()` before reading, and wait for BOND_BONDED."),
    Remedy::on(
        &[Stack::NimBle],
        "Call `ble_gap_security_initiate` after connecting, and read when encryption is on.",
    ),
    Remedy::on(
        &[Stack::Zephyr],
        "Call `bt_conn_set_security(conn, BT_SECURITY_L2)` before reading.",
    ),
    Remedy::on(
        &[Stack::Esp],
        "Call `esp_ble_set_encryption` after connecting, and read when authentication is complete.",
    ),
];

/// Errors that ask for security (Core, Vol 3, Part F, 3.4.1.1).
pub fn wants_security(step: &Step) -> bool {
    let codes = [
        ErrorCode::INSUFFICIENT_AUTHENTICATION,
        ErrorCode::INSUFFICIENT_AUTHORIZATION,
        ErrorCode::ENCRYPTION_KEY_TOO_SHORT,
        ErrorCode::INSUFFICIENT_ENCRYPTION,
    ];
    step.is_att()
        && step.outcome == Outcome::Error
        && codes.iter().any(|code| step.status == Some(code.0))
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    // A peripheral that asks its central is another story: `reverse-discovery-collides`.
    if connection.role == Some(Role::Peripheral) {
        return None;
    }
    let refused: Vec<&Step> =
        connection.steps.iter().filter(|s| s.by == Direction::Sent && wants_security(s)).collect();
    let first = refused.first()?;
    let secured = connection.steps.iter().any(|s| {
        matches!(s.procedure, Procedure::Pair | Procedure::Encrypt)
            && s.last_frame > first.frame
            && !matches!(s.detail, Detail::SecurityRequest { .. })
    });
    let was_secure = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok && s.frame < first.frame
    });
    if secured || was_secure {
        return None;
    }
    let code = ErrorCode(first.status?);
    let mut verdict = Verdict::cause(format!(
        "The device refused a {} with {code} and this host neither paired nor encrypted afterwards.",
        see::pdu(first)
    ))
    .sure(if refused.len() > 1 || connection.end_seen { Confidence::High } else { Confidence::Medium });
    for step in refused.iter().take(3) {
        verdict = verdict.sees(step.last_frame, format!("{}: {code}", see::pdu(step)));
    }
    if let Some(reference) = scene.reference()
        && reference.encrypted
        && let Some(step) = reference
            .steps
            .iter()
            .find(|s| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt))
    {
        let how =
            if reference.paired { "pairs" } else { "encrypts with a stored key, it is bonded" };
        verdict = verdict
            .sees_in_reference(step.frame, format!("the working host {how} before it reads"));
    }
    Some(
        verdict
            .rules_out("pin-or-key-missing-0x06", "no stored key was used on this link")
            .try_these(remedies(scene, REMEDIES)),
    )
}
