use super::insufficient_auth_no_pairing::wants_security;
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::packet::{Direction, Secret, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, Outcome, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pairing-method-mismatch",
    title: "Pairing succeeded by a weaker method than the device asks for",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "write-type-mismatch", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
Both sides paired, and encryption is on. But one of them said that it has neither keyboard nor display, or neither asked for more, so
the pairing was Just Works; and the device wants a passkey or a comparison for this attribute.

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
        Case::cause(Confidence::High, "the device wants a passkey, and this host has no keyboard", || {
            refused(paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d)), AUTHENTICATION).into()
        })
        .about(&[1])
        .saying("without a passkey")
        .pins(&["MITM", "NO_INPUT_NO_OUTPUT"]),
        Case::silent("the device does not ask for a passkey", || {
            refused(paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x09)), AUTHENTICATION).into()
        })
        .pins(&["MITM"]),
        Case::silent("both sides could show and enter a passkey", || {
            refused(paired((keyboard(), 0x0d), (keyboard(), 0x0d)), AUTHENTICATION).into()
        })
        .pins(&["NO_INPUT_NO_OUTPUT"]),
        Case::cause(Confidence::High, "the device itself has neither keyboard nor display", || {
            refused(paired((keyboard(), 0x0d), (NO_INPUT_NO_OUTPUT, 0x0d)), AUTHENTICATION).into()
        }),
        Case::silent("the attribute is refused for want of encryption", || {
            let pairing = paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d));
            refused(pairing, ErrorCode::INSUFFICIENT_ENCRYPTION).into()
        }),
        Case::silent("nothing is refused", || {
            let link = paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d)).mtu();
            link.hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the attribute was refused before the pairing, and not after it", || {
            let link = Trace::new().up().refused(READ, AUTHENTICATION);
            let paired = pairing(link, (NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d)).mtu();
            paired.hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "the peer began, and it wants a passkey", || {
            let by_peer = exchanged(
                Trace::new().connected_as(1, 24, 0, 42),
                Direction::Received,
                (keyboard(), 0x0d),
                (NO_INPUT_NO_OUTPUT, 0x09),
            );
            refused(by_peer.wait_ms(60).encryption(Status::SUCCESS), AUTHENTICATION).into()
        }),

        Case::silent("this host wants the passkey, and the device does not", || {
            refused(paired((keyboard(), 0x0d), (NO_INPUT_NO_OUTPUT, 0x09)), AUTHENTICATION).into()
        }),
        Case::silent("the peer began, and only this host wants a passkey", || {
            let by_peer = exchanged(
                Trace::new().connected_as(1, 24, 0, 42),
                Direction::Received,
                (NO_INPUT_NO_OUTPUT, 0x09),
                (keyboard(), 0x0d),
            );
            refused(by_peer.wait_ms(60).encryption(Status::SUCCESS), AUTHENTICATION).into()
        }),
        Case::silent("the pairing failed", || {
            let link = exchanged(Trace::new().up(), Direction::Sent, (NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d));
            let failed = smp::Pdu::PairingFailed { reason: smp::Reason::CONFIRM_VALUE_FAILED };
            refused(link.smp(Direction::Received, failed), AUTHENTICATION).into()
        }),
        Case::silent("another request failed after it", || {
            let link = paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d));
            refused(link, ErrorCode::READ_NOT_PERMITTED).into()
        }),
        Case::silent("the pairing failed, and a key from before encrypts all the same", || {
            let link = exchanged(Trace::new().up(), Direction::Sent, (NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d));
            let failed = smp::Pdu::PairingFailed { reason: smp::Reason::CONFIRM_VALUE_FAILED };
            let link = link.smp(Direction::Received, failed).wait_ms(60).encrypts_with(7);
            refused(link.wait_ms(60).encryption(Status::SUCCESS), AUTHENTICATION).into()
        }),
        Case::silent("a later encryption fails: its code has the same number", || {
            let link = paired((NO_INPUT_NO_OUTPUT, 0x09), (keyboard(), 0x0d)).wait_ms(900);
            let again = link.encrypts().wait_ms(60).encryption(Status::AUTHENTICATION_FAILURE);
            again.hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
    ],
};

/// The IO capability of a side with a keyboard and a display.
fn keyboard() -> u8 {
    4
}

const AUTHENTICATION: ErrorCode = ErrorCode::INSUFFICIENT_AUTHENTICATION;
const READ: Pdu<'_> = Pdu::ReadRequest { attribute_handle: Handle(3) };

/// IO capability and AuthReq of a side.
type Side = (u8, u8);

fn paired(ours: Side, theirs: Side) -> Trace {
    pairing(Trace::new().up(), ours, theirs)
}

fn pairing(link: Trace, ours: Side, theirs: Side) -> Trace {
    let exchanged = exchanged(link, Direction::Sent, ours, theirs);
    exchanged.encrypts().wait_ms(60).encryption(Status::SUCCESS)
}

/// The packets of a pairing that one side begins.
fn exchanged(link: Trace, by: Direction, first: Side, second: Side) -> Trace {
    let request = smp::Pdu::PairingRequest {
        io_capability: first.0,
        oob_data_flag: 0,
        auth_req: first.1,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let response = smp::Pdu::PairingResponse {
        io_capability: second.0,
        oob_data_flag: 0,
        auth_req: second.1,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let other = match by {
        Direction::Sent => Direction::Received,
        Direction::Received => Direction::Sent,
    };
    let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
    let asked = link.smp(by, request).wait_ms(60).smp(other, response);
    asked.smp(by, random).smp(other, random)
}

fn refused(link: Trace, error: ErrorCode) -> Trace {
    link.refused(READ, error).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// AuthReq's bit for protection by a passkey or a comparison (Core, Vol 3, Part H, 3.5.1).
const MITM: u8 = 0x04;

/// The IO capability of a side that can neither show nor enter anything (the same table).
const NO_INPUT_NO_OUTPUT: u8 = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "At the prompt of an open `bluetoothctl`: `remove ADDRESS`, `scan on` until the device is found, `agent KeyboardDisplay`, `default-agent`, `pair ADDRESS`, and enter the PIN of the device.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pair at the prompt of an open `bluetoothctl` (`agent KeyboardDisplay`) and use noble's D-Bus binding: noble itself pairs by Just Works only.",
    ),
    Remedy::no_use("Pairing again with the same agent: it is the method that the device refuses."),
];

/// A pairing without a passkey, and what was refused after it.
#[derive(Debug)]
struct TooWeak {
    pairing: u32,
    refused: Step,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let pairing = connection
        .steps
        .iter()
        .find(|s| s.outcome == Outcome::Ok && matches!(s.detail, Detail::Pairing { .. }))?;
    let Detail::Pairing { request, response, .. } = pairing.detail else { return None };
    let just_works = request[0] == NO_INPUT_NO_OUTPUT || response[0] == NO_INPUT_NO_OUTPUT;
    let wanted = (response[2] & MITM != 0 && pairing.by == Direction::Sent)
        || (request[2] & MITM != 0 && pairing.by == Direction::Received);
    let refused = see::later(connection, pairing)
        .find(|s| wants_security(s) && s.status == Some(AUTHENTICATION.0))?;
    if !just_works || !wanted || !connection.encrypted {
        return None;
    }
    let facts = TooWeak { pairing: pairing.frame, refused: refused.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for TooWeak {
    fn says(&self) -> Text {
        text!(
            "Pairing succeeded without a passkey (Just Works), the device asked for protection by a passkey, and it still refuses the attribute on the encrypted link."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(
                self.pairing,
                "this pairing: one side has no input and no output; the device demands MITM protection",
            ),
            Sight::here(
                self.refused.last.frame,
                text!(
                    "after encryption: {} refused with {}",
                    see::request(&self.refused),
                    AUTHENTICATION
                ),
            ),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("pin-or-key-missing-0x06", "encryption succeeded")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
