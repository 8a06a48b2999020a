use super::bond::{self, Key};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, Outcome, Procedure, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pin-or-key-missing-0x06",
    title: "One side has lost the bond: the stored key is not known there any more",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "remote-user-terminated-idle", "immediate-0x13-after-first-att", "connection-cancelled-by-app", "peer-hangs-up-on-deadline"],
    docs: "\
## What it means
This side tried to encrypt with a key of an earlier bond, and the other side has no such key: it was reset, it made room for
another host, or its owner removed the bond there.

## How it shows
Encryption Change with PIN or Key Missing (0x06), or on the peripheral a Long Term Key request that is refused; then the link
is ended, with reason 0x05 in our own command on Linux (the Disconnection Complete itself says 0x16). It repeats at each try.
Where the capture also shows the pairing, the key is compared with the one that it made, in memory.

## What else it could be
A link that was lost during encryption echoes 0x08, not 0x06. Keys that are both there and differ end the link with 0x3D. A host
that used the wrong one of its keys is `keys-differ-by-role`.

## What to do
Remove the bond on the side that still has it, put the device in pairing mode, and pair again.",
    sources: &["BlueZ src/device.c (back-off after a missing key)", "h2zero/NimBLE-Arduino#116", "espressif/esp-idf#18795"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the device does not know the key", || {
            answered(Status::PIN_OR_KEY_MISSING, 0).into()
        })
        .about(&[1])
        .saying("the bond is lost on the device.")
        .not_saying("encrypted with it before"),
        Case::cause(Confidence::High, "the device does not know a key that had worked", || {
            let link = Trace::new().up().encrypts_with(7).wait_ms(60).encryption(Status::SUCCESS);
            let first = link.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
            first.followed_by(answered(Status::PIN_OR_KEY_MISSING, 7)).into()
        })
        .about(&[2])
        .saying("encrypted with it before"),
        Case::cause(Confidence::High, "the link ends with that reason as the central sees it", || {
            Trace::new().up().mtu().disconnected(Status::PIN_OR_KEY_MISSING).into()
        })
        .saying("the bond is lost on the device."),
        Case::cause(Confidence::High, "the link ends with that reason as the peripheral sees it", || {
            let link = Trace::new().connected_as(1, 24, 0, 42).mtu();
            link.disconnected(Status::PIN_OR_KEY_MISSING).into()
        })
        .saying("the bond is lost on this side."),
        Case::silent("encryption succeeds", || answered(Status::SUCCESS, 0).into()),
        Case::silent("encryption fails for another reason", || {
            answered(Status::AUTHENTICATION_FAILURE, 0).into()
        }),
        Case::silent("the link ends for another reason", || {
            Trace::new().up().mtu().disconnected(Status::AUTHENTICATION_FAILURE).into()
        }),
        Case::silent("the pairing fails for the length of the key: that code has the same number", || {
            let reason = crate::packet::smp::Reason::ENCRYPTION_KEY_SIZE;
            let failed = crate::packet::smp::Pdu::PairingFailed { reason };
            let link = Trace::new().up().asks_to_pair().wait_ms(60);
            let link = link.smp(crate::packet::Direction::Received, failed);
            link.wait_ms(500).hangs_up(Status::AUTHENTICATION_FAILURE).into()
        }),
        Case::silent("a request is not supported: that code of ATT has the same number", || {
            let request = crate::packet::att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            let denied = crate::packet::att::ErrorCode::REQUEST_NOT_SUPPORTED;
            Trace::new().up().refused(request, denied).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
    ],
};

fn answered(status: Status, key: u8) -> Trace {
    let link = Trace::new().up().encrypts_with(key).wait_ms(60).encryption(status);
    link.hangs_up(Status::AUTHENTICATION_FAILURE)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Put the device in pairing mode; `bluetoothctl`, then at its prompt `remove ADDRESS`, `scan on` until the device is found, `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Delete the stored bond and pair again with the device in pairing mode (over D-Bus: `bluetoothctl remove ADDRESS`).",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Forget the device in the Bluetooth settings, put it in pairing mode, and pair again.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp],
        "Delete the bond (`ble_store_util_delete_peer`, `esp_ble_remove_bond_device`) and pair again; check that bonds survive a reset.",
    ),
    Remedy::no_use(
        "Reconnecting, waiting, or pairing without removing the bond first: the key is gone on one side.",
    ),
];

/// A key that one side does not know.
#[derive(Debug)]
struct KeyMissing {
    /// Only a central starts encryption: what is missing is missing on the peripheral's side.
    here: bool,
    asked: Option<u32>,
    refused_frame: u32,
    /// Where this very key had encrypted a link before, or where the pairing made it.
    known: Option<u32>,
    end: Option<End>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let missing = Status::PIN_OR_KEY_MISSING;
    let refused = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Encrypt
            && s.outcome == Outcome::Error
            && s.status == Some(missing.0)
    });
    let ended = connection.end.as_ref().filter(|end| end.reason == missing);
    let key = refused.and_then(|step| bond::key_of(scene, connection, step));
    let facts = KeyMissing {
        here: connection.role == Some(Role::Peripheral),
        asked: refused.map(|step| step.frame),
        refused_frame: refused.map(|step| step.last.frame).or(ended.map(|end| end.frame))?,
        known: match key {
            Some(Key::Worked { frame } | Key::Right { made: frame }) => Some(frame),
            _ => None,
        },
        end: connection.end.clone(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for KeyMissing {
    fn says(&self) -> Text {
        let says = if self.here {
            text!(
                "The central asked to encrypt with the key of an earlier bond, and this host has no such key: the bond is lost on this side."
            )
        } else {
            text!(
                "This host asked to encrypt with the key of an earlier bond, and the device answered that it has no such key: the bond is lost on the device."
            )
        };
        match self.known {
            Some(_) => says
                .and(" The key is the right one: the two had paired or encrypted with it before."),
            None => says,
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        sights.extend(
            self.asked
                .map(|frame| Sight::here(frame, "encryption with the stored key is asked for")),
        );
        sights.push(Sight::here(self.refused_frame, text!("{}", Status::PIN_OR_KEY_MISSING)));
        if let Some(end) = &self.end {
            let how = match end.reason_sent {
                Some(sent) => text!("the link is ended by this host, reason sent {}", sent),
                None => text!("Disconnection Complete, {}", end.reason),
            };
            sights.push(Sight::here(end.command_frame().unwrap_or(end.frame), how));
        }
        sights.extend(self.known.map(|frame| Sight::here(frame, "the same key, before")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "mic-failure-0x3d",
                "the other side refused the key; it did not use a different one",
            ),
            RuledOut::new("never-heard-peer", "the refusal is an answer of the peer"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
