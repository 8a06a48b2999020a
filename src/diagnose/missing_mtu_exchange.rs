use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "missing-mtu-exchange",
    title: "No side asked for a larger MTU, and a long value did not fit",
    basis: Basis::Laboratory,
    silences: &["long-write-mtu-mismatch", "connection-cancelled-by-app"],
    docs: "\
## What it means
Neither side asked for an MTU, so one packet carries at most 20 bytes of a value. The host had more to write, had to split
the value into prepared writes, and the device refused them or the length.

## How it shows
No Exchange MTU Request on the whole link; Prepare Write refused with 0x06 or 0x0D, or a write refused with 0x0D.

## What else it could be
A missing exchange without such a refusal is only a difference between host stacks. It can never be the reason for 0x3E. If
an exchange took place and its value is too small, it is `long-write-mtu-mismatch`.

## What to do
Ask for the MTU before the first long write, or send at most 20 bytes at a time.",
    sources: &["matter-js/matterjs-server#1006", "BlueZ src/shared/gatt-client.c: long writes"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(true).into()),
        // No MTU exchange either, and nothing was too long for it.
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

fn example(long: bool) -> Trace {
    let trace = Trace::new().up().discovery(0x0a);
    let trace = if long {
        trace.refused(
            Pdu::PrepareWriteRequest {
                attribute_handle: Handle(3),
                value_offset: 0,
                part_attribute_value: &[7; 18],
            },
            ErrorCode(0x06),
        )
    } else {
        trace.write(3, &[7; 18])
    };
    trace.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "bluetoothd asks for 517 by itself. A program with a socket of its own must send the Exchange MTU Request itself, or write through bluetoothd.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Call `BluetoothGatt.requestMtu(517)` and wait for `onMtuChanged` before the first long write.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp],
        "Call `ble_gattc_exchange_mtu()` (NimBLE) or `esp_ble_gattc_send_mtu_req()` (Bluedroid) after the connection.",
    ),
    Remedy::on(&[Stack::Zephyr], "Call `bt_gatt_exchange_mtu()` after the connection."),
    Remedy::any("Or write at most 20 bytes at a time, if the device's protocol allows it."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let asked = connection.steps.iter().any(|s| s.procedure == Procedure::ExchangeMtu);
    if asked
        || connection.mtu.is_some()
        || connection.enhanced_att > 0
        || !connection.start_seen
        || connection.cut_packets > 0
    {
        return None;
    }
    let refused: Vec<&Step> = connection.steps.iter().filter(|s| too_long(s)).collect();
    let first = *refused.first()?;
    let theirs = scene.reference().and_then(|r| r.mtu.as_ref());
    let mut verdict = Verdict::cause(format!(
        "No side asked for a larger MTU on this link, so 20 bytes fit into one packet. This host had a longer value, and the device refused it with error {:#04x}.",
        first.status?
    ))
    .sure(if theirs.is_some() { Confidence::High } else { Confidence::Medium });
    for step in refused.iter().take(4) {
        verdict = verdict
            .sees(step.frame, see::pdu(step))
            .sees(step.last.frame, format!("Error Response {:#04x}", step.status?));
    }
    if let Some(att) = connection.first_att {
        verdict =
            verdict.sees(att.frame, "first ATT packet; no Exchange MTU Request before or after it");
    }
    if let Some(mtu) = theirs {
        let effective = mtu.effective().map_or(String::new(), |e| format!(", in force: {e}"));
        verdict = verdict.sees_in_reference(
            mtu.frame,
            format!("the working link exchanges the MTU: {} asked{effective}", mtu.requested),
        );
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device was heard and answered ATT")
            .settled_by("Repeat with an MTU exchange before the write.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// A write that failed for its length, or for having to be split.
fn too_long(step: &Step) -> bool {
    step.by == Sent
        && step.procedure == Procedure::Write
        && step.outcome == Outcome::Error
        && match step.detail {
            Detail::Write { prepared: true, .. } => matches!(step.status, Some(0x06 | 0x0d)),
            _ => step.status == Some(0x0d) && step.bytes >= 20,
        }
}
