use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "long-write-mtu-mismatch",
    title: "The value is longer than this connection's MTU allows, and the device takes no long writes",
    basis: Basis::Laboratory,
    silences: &["write-type-mismatch", "connection-cancelled-by-app"],
    docs: "\
## What it means
A value longer than MTU minus 3 is written in pieces (Prepare Write). This device does not support that, or not for this value.
On a host with a larger MTU the same value fits into one write.

## How it shows
Prepare Write refused with 0x06, 0x0D or 0x09, and an MTU that is smaller than on the side that works.

## What else it could be
0x0D on an ordinary write means that the value itself has the wrong length.

## What to do
Split the value in the application to MTU minus 3, or get a larger MTU.",
    sources: &["BlueZ src/shared/gatt-client.c (long writes)", "Core Specification, Vol 3, Part F, 3.4.6"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(true).into()),
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

fn example(prepared: bool) -> Trace {
    let handle = Handle(0x10);
    let request = if prepared {
        Pdu::PrepareWriteRequest {
            attribute_handle: handle,
            value_offset: 0,
            part_attribute_value: &[1; 18],
        }
    } else {
        Pdu::WriteRequest { attribute_handle: handle, attribute_value: &[1; 18] }
    };
    Trace::new()
        .up()
        .mtu()
        .refused(request, ErrorCode::INVALID_VALUE_LENGTH)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(&[Stack::BlueZ], "Split the value to `client.mtu_size - 3` in the program (bleak)."),
    Remedy::on(&[Stack::Noble], "Split the value to `peripheral.mtu - 3` bytes in the program."),
    Remedy::on(
        &[Stack::Android],
        "Call `requestMtu(517)` before writing, and split to the MTU that the callback reports, minus 3.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Exchange the MTU first (`ble_gattc_exchange_mtu`, `esp_ble_gattc_send_mtu_req`, `bt_gatt_exchange_mtu`) and split to MTU minus 3.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let codes = [
        ErrorCode::REQUEST_NOT_SUPPORTED,
        ErrorCode::INVALID_VALUE_LENGTH,
        ErrorCode::PREPARE_QUEUE_FULL,
    ];
    let refused: Vec<_> = connection
        .steps
        .iter()
        .filter(|s| {
            s.procedure == Procedure::Write
                && s.by == Direction::Sent
                && s.outcome == Outcome::Error
        })
        .filter(|s| {
            matches!(s.detail, Detail::Write { prepared: true, .. })
                && codes.iter().any(|c| s.status == Some(c.0))
        })
        .collect();
    let first = refused.first()?;
    let effective = connection.mtu.and_then(|m| m.effective());
    let mtu = match effective {
        Some(mtu) => format!("the MTU is {mtu}"),
        None => "no MTU was exchanged, so it is 23".to_owned(),
    };
    let code = ErrorCode(first.status?);
    let mut verdict = Verdict::cause(format!(
        "A value for attribute {:#06x} did not fit into one packet ({mtu}); the host wrote it in pieces, and the device refused: {code}.",
        first.attribute
    ))
    .sure(Confidence::High);
    for step in refused.iter().take(3) {
        verdict = verdict
            .sees(step.frame, "Prepare Write Request")
            .sees(step.last.frame, format!("Error Response: {code}"));
    }
    if let Some(reference) = scene.reference()
        && let Some(mtu) = reference.mtu
        && let Some(theirs) = mtu.effective()
        && Some(theirs) > effective
    {
        verdict = verdict.sees_in_reference(
            mtu.answer.unwrap_or(mtu.seen).frame,
            format!("the working host has an MTU of {theirs}"),
        );
    }
    Some(
        verdict
            .rules_out(
                "write-type-mismatch",
                "the error is about the length, not about the kind of write",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}
