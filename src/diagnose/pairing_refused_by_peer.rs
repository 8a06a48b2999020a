use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, End, PairingPhase, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pairing-refused-by-peer",
    title: "The device refused to pair",
    basis: Basis::Real,
    silences: &["insufficient-auth-no-pairing", "connection-cancelled-by-app", "remote-user-terminated-idle", "immediate-0x13-after-first-att", "peer-hangs-up-on-deadline"],
    docs: "\
## What it means
The device answered the pairing with Pairing Failed and a reason of its own. What ends the link afterwards is only the form.

## How it shows
SMP Pairing Failed received, then an ordinary disconnect.

## What else it could be
Pairing Failed that this host sends itself is `pairing-refused-by-this-host`.

## What to do
By reason: 0x05 put the device in pairing mode; 0x03 and 0x06 use another IO capability or key size; 0x09 wait, then try once;
0x04 and 0x0B the keys or a passkey were wrong.",
    sources: &["Core Specification, Vol 3, Part H, 3.5.5", "linux-bluetooth mailing list: Pairing Failed 0x08, then 0x13 90 ms later"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the device does not pair at the moment", || {
            refused(smp::Reason::PAIRING_NOT_SUPPORTED).into()
        })
        .about(&[1])
        .saying("Put the device in pairing mode"),
        Case::cause(Confidence::High, "the device wants a passkey", || {
            refused(smp::Reason::AUTHENTICATION_REQUIREMENTS).into()
        })
        .saying("keyboard or display"),
        Case::cause(Confidence::High, "the device wants a longer key", || {
            refused(smp::Reason::ENCRYPTION_KEY_SIZE).into()
        })
        .saying("16 bytes"),
        Case::cause(Confidence::High, "too many tries had failed", || {
            refused(smp::Reason::REPEATED_ATTEMPTS).into()
        })
        .saying("Wait a minute"),
        Case::cause(Confidence::High, "the passkey was wrong", || {
            refused(smp::Reason::CONFIRM_VALUE_FAILED).into()
        })
        .saying("Check the passkey"),
        Case::cause(Confidence::High, "the device gives no reason", || {
            refused(smp::Reason::UNSPECIFIED_REASON).into()
        })
        .saying("Remove the bond on both sides"),
        Case::cause(Confidence::High, "it took the pairing, and failed when keys were handed over", || {
            let keys = asked().answers_pairing().encrypts().wait_ms(60).encryption(Status::SUCCESS);
            let keys = keys.gives_key(Direction::Sent, 1);
            ends(keys, Direction::Received, smp::Reason::UNSPECIFIED_REASON).into()
        })
        .saying("while keys were handed over")
        .not_saying("Remove the bond"),
        Case::silent("this host refused", || {
            ends(asked(), Direction::Sent, smp::Reason::PAIRING_NOT_SUPPORTED).into()
        }),
        Case::silent("nobody refused", || {
            asked().hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
    ],
};

fn asked() -> Trace {
    Trace::new().up().asks_to_pair().wait_ms(60)
}

fn ends(trace: Trace, who: Direction, reason: smp::Reason) -> Trace {
    let failed = trace.smp(who, smp::Pdu::PairingFailed { reason });
    failed.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn refused(reason: smp::Reason) -> Trace {
    ends(asked(), Direction::Received, reason)
}

const PAIRING_MODE: &[Remedy] = &[Remedy::any(
    "Put the device in pairing mode (button, power cycle; where it still holds an old bond, clear that first), then pair at once. Devices that never pair do not need it for their open attributes.",
)];

const PASSKEY: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Offer what the device demands: `bluetoothctl`, then at its prompt `agent KeyboardDisplay`, `default-agent`, `pair ADDRESS`, so that a passkey is possible.",
    ),
    Remedy::any(
        "Offer what the device demands: an agent with keyboard or display, so that a passkey is possible.",
    ),
];

const KEY_SIZE: &[Remedy] =
    &[Remedy::any("Allow the key size that the device demands (16 bytes).")];

const WAIT: &[Remedy] =
    &[Remedy::any("Wait a minute or more before the next try: the device counts failed attempts.")];

const WRONG: &[Remedy] =
    &[Remedy::any("Check the passkey, and remove old bonds on both sides before the next try.")];

const OTHER: &[Remedy] = &[Remedy::any(
    "Remove the bond on both sides, put the device in pairing mode and pair again; if the reason stays, report it to the vendor.",
)];

const KEYS: &[Remedy] = &[Remedy::any(
    "Pair once from a phone or another host, and compare which keys the two sides hand over there: the device took this pairing and minded one of the keys.",
)];

/// The device's Pairing Failed.
#[derive(Debug)]
struct RefusedThere {
    reason: smp::Reason,
    /// The link was encrypted already, and keys were handed over.
    keys: bool,
    begun: u32,
    refused_frame: u32,
    end: Option<End>,
}

/// Whether a pairing had got as far as its last part.
pub fn handed_over_keys(pairing: &Step) -> bool {
    matches!(pairing.detail, Detail::Pairing { phase: PairingPhase::KeyDistribution, .. })
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let failed = see::refused_pairings(connection, Direction::Received).next()?;
    let facts = RefusedThere {
        reason: smp::Reason(failed.status?),
        keys: handed_over_keys(failed),
        begun: failed.frame,
        refused_frame: failed.last.frame,
        end: connection.end.clone(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for RefusedThere {
    fn says(&self) -> Text {
        text!(
            "The device answered the pairing with Pairing Failed: {}.{}",
            self.reason,
            if self.keys {
                " The pairing itself had succeeded: this came while keys were handed over."
            } else {
                ""
            }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.begun, "pairing begins"),
            Sight::here(self.refused_frame, text!("Pairing Failed received: {}", self.reason)),
        ];
        if let Some(end) = &self.end {
            sights.push(Sight::here(end.frame, text!("the link ends: {}", end.reason)));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("no-pairing-agent", "the refusal came from the device")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let remedies = match self.reason {
            _ if self.keys => KEYS,
            smp::Reason::PAIRING_NOT_SUPPORTED => PAIRING_MODE,
            smp::Reason::AUTHENTICATION_REQUIREMENTS => PASSKEY,
            smp::Reason::ENCRYPTION_KEY_SIZE => KEY_SIZE,
            smp::Reason::REPEATED_ATTEMPTS => WAIT,
            smp::Reason::PASSKEY_ENTRY_FAILED | smp::Reason::CONFIRM_VALUE_FAILED => WRONG,
            _ => OTHER,
        };
        remedies.to_vec()
    }
}
