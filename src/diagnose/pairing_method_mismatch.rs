use super::insufficient_auth_no_pairing::wants_security;
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::packet::{Direction, Secret, Status, smp};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pairing-method-mismatch",
    title: "Pairing succeeded by a weaker method than the device asks for",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "write-type-mismatch", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
Both sides paired, and encryption is on. But this host said that it has neither keyboard nor display, so the pairing was Just
Works, and the device wants a passkey or a comparison for this attribute.

## How it shows
Pairing with MITM set by the device and NoInputNoOutput by this host, encryption succeeds, and afterwards attributes are still
refused with 0x05.

## What else it could be
Refusals without any pairing are `insufficient-auth-no-pairing`.

## What to do
Register an agent that can show or enter a passkey, remove the bond, and pair again.",
    sources: &["syssi/esphome-jbd-bms#245", "bluez/bluez#2461"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(0x0d).into()),
        Case::silent("the nearest other trace", || example(0x09).into()),
    ],
};

fn example(device_wants: u8) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let with = |auth_req, io_capability| (auth_req, io_capability);
    let (ours, theirs) = (with(0x09, 3), with(device_wants, 4));
    let request = smp::Pdu::PairingRequest {
        io_capability: ours.1,
        oob_data_flag: 0,
        auth_req: ours.0,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let response = smp::Pdu::PairingResponse {
        io_capability: theirs.1,
        oob_data_flag: 0,
        auth_req: theirs.0,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
    Trace::new()
        .up()
        .smp(Direction::Sent, request)
        .wait_ms(60)
        .smp(Direction::Received, response)
        .smp(Direction::Sent, random)
        .smp(Direction::Received, random)
        .encrypts()
        .wait_ms(60)
        .encryption(Status::SUCCESS)
        .refused(read, ErrorCode::INSUFFICIENT_AUTHENTICATION)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// MITM protection in AuthReq, and the IO capability NoInputNoOutput.
const MITM: u8 = 0x04;
const NO_INPUT_NO_OUTPUT: u8 = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, then `agent KeyboardDisplay`, `default-agent`, `pair ADDRESS`, and enter the PIN of the device.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "noble pairs by Just Works only: pair with `bluetoothctl` (`agent KeyboardDisplay`) and use the D-Bus binding.",
    ),
    Remedy::any(
        "Pairing again with the same agent will not help: it is the method that the device refuses.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let pairing = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Pair
            && s.outcome == Outcome::Ok
            && matches!(s.detail, Detail::Pairing { .. })
    })?;
    let Detail::Pairing { request, response, .. } = pairing.detail else { return None };
    let just_works = request[0] == NO_INPUT_NO_OUTPUT
        || response[0] == NO_INPUT_NO_OUTPUT
        || (request[2] | response[2]) & MITM == 0;
    let wanted = (response[2] & MITM != 0 && pairing.by == Direction::Sent)
        || (request[2] & MITM != 0 && pairing.by == Direction::Received);
    let refused = connection.steps.iter().find(|s| {
        s.frame > pairing.last_frame
            && wants_security(s)
            && s.status == Some(ErrorCode::INSUFFICIENT_AUTHENTICATION.0)
    })?;
    if !just_works || !wanted || !connection.encrypted {
        return None;
    }
    Some(
        Verdict::cause("Pairing succeeded without a passkey (Just Works), the device asked for protection by a passkey, and it still refuses the attribute on the encrypted link.")
            .sure(Confidence::High)
            .sees(pairing.frame, "this host's pairing: no input, no output; the device demands MITM protection")
            .sees(refused.last_frame, format!("after encryption: {} refused with {}", see::pdu(refused), ErrorCode(refused.status?)))
            .rules_out("pin-or-key-missing-0x06", "encryption succeeded")
            .try_these(remedies(scene, REMEDIES)),
    )
}
