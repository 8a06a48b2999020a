use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Secret, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, End, Outcome, PairingPhase, Procedure, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pairing-refused-by-this-host",
    title: "This host refused to pair",
    basis: Basis::Real,
    silences: &["insufficient-auth-no-pairing", "smp-timeout-30s", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
Pairing began, and this host itself sent Pairing Failed with a reason of its own. The other side did nothing wrong.

## How it shows
SMP Pairing Failed sent, and no encryption on that link afterwards. The reason says what this host lacks: 0x05 it does not pair at
the moment, 0x03 it wants protection that the two sides' keyboards and displays cannot give, 0x06 it wants a longer key, 0x04 and
0x0B the other side's proof was wrong.

## What else it could be
A host without anybody to confirm the pairing is `no-pairing-agent`. Pairing Failed from the other side is
`pairing-refused-by-peer`.

## What to do
By reason: allow pairing on this host and register an agent; give the agent the means that the security level needs; or ask
for less.",
    sources: &["Core Specification, Vol 3, Part H, 3.5.5", "linux-bluetooth mailing list: a peripheral that answers its central's pairing with 0x05"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the device asks for pairing, and this host does not pair", || {
            let asks = smp::Pdu::SecurityRequest { auth_req: 1 };
            ends(refused(Trace::new().up().smp(RECEIVED, asks), smp::Reason::PAIRING_NOT_SUPPORTED)).into()
        })
        .about(&[1])
        .saying("this host does not pair at the moment")
        .not_saying("pairing begins"),
        Case::cause(Confidence::High, "this host began, and found the key too short", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            ends(refused(begun, smp::Reason::ENCRYPTION_KEY_SIZE)).into()
        })
        .saying("a longer key"),
        Case::cause(Confidence::High, "this host wants more protection than both sides can give", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            ends(refused(begun, smp::Reason::AUTHENTICATION_REQUIREMENTS)).into()
        })
        .saying("IO capability"),
        Case::silent("the device refused", || {
            let failed = smp::Pdu::PairingFailed { reason: smp::Reason::PAIRING_NOT_SUPPORTED };
            ends(Trace::new().up().asks_to_pair().wait_ms(60).smp(RECEIVED, failed)).into()
        }),
        Case::outweighed("nobody confirmed in time: that has a rule of its own", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            ends(refused(begun, smp::Reason::NUMERIC_COMPARISON_FAILED)).into()
        }),
        Case::cause(Confidence::High, "somebody took long to say no", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing().wait_ms(8_000);
            ends(refused(begun, smp::Reason::NUMERIC_COMPARISON_FAILED)).into()
        })
        .saying("did not agree"),
        Case::cause(Confidence::High, "six digits were to be compared, and nobody said yes", || {
            compared(KEYBOARD_DISPLAY, MITM | SECURE_CONNECTIONS).into()
        })
        .saying("six digits")
        .pins(&["MITM", "SECURE_CONNECTIONS", "KEYBOARD_DISPLAY"]),
        Case::cause(Confidence::High, "both sides have a display, yes and no", || {
            compared(DISPLAY_YES_NO, MITM | SECURE_CONNECTIONS).into()
        })
        .saying("six digits")
        .pins(&["DISPLAY_YES_NO"]),
        Case::cause(Confidence::High, "displays without yes and no", || {
            compared(0, MITM | SECURE_CONNECTIONS).into()
        })
        .not_saying("six digits")
        .pins(&["DISPLAY_YES_NO", "KEYBOARD_DISPLAY"]),
        Case::cause(Confidence::High, "nobody asks for protection by a person", || {
            compared(KEYBOARD_DISPLAY, SECURE_CONNECTIONS).into()
        })
        .not_saying("six digits")
        .pins(&["MITM"]),
        Case::cause(Confidence::High, "a pairing of the old kind", || {
            compared(KEYBOARD_DISPLAY, MITM).into()
        })
        .not_saying("six digits")
        .pins(&["SECURE_CONNECTIONS"]),
        Case::cause(Confidence::High, "it had not come to the digits", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing().wait_ms(3_000);
            ends(refused(begun, smp::Reason::UNSPECIFIED_REASON)).into()
        })
        .not_saying("six digits"),
        Case::silent("a second try on the same link succeeded", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            let again = refused(begun, smp::Reason::CONFIRM_VALUE_FAILED).encrypts();
            ends(again.wait_ms(60).encryption(Status::SUCCESS)).into()
        }),
        Case::silent("nobody pairs", || ends(Trace::new().up().mtu()).into()),

        Case::cause(Confidence::High, "digits that nobody confirmed are told, and no log is asked for", || {
            compared(KEYBOARD_DISPLAY, MITM | SECURE_CONNECTIONS).into()
        })
        .saying("nobody on this host said that they are the same")
        .not_saying("Look at this host's log of that moment"),
        Case::cause(Confidence::High, "only this host can show digits", || {
            compared_as(KEYBOARD_DISPLAY, 3, MITM | SECURE_CONNECTIONS).into()
        })
        .saying("Look at this host's log of that moment")
        .not_saying("nobody on this host said"),
        Case::cause(Confidence::High, "only the other side can show digits", || {
            compared_as(3, KEYBOARD_DISPLAY, MITM | SECURE_CONNECTIONS).into()
        })
        .not_saying("nobody on this host said"),
        Case::cause(Confidence::High, "a pairing that began is shown from its beginning", || {
            let begun = Trace::new().up().asks_to_pair().answers_pairing();
            ends(refused(begun, smp::Reason::ENCRYPTION_KEY_SIZE)).into()
        })
        .saying("pairing begins"),
        Case::cause(Confidence::High, "the link had been encrypted before", || {
            let link = Trace::new().up().encrypts().wait_ms(60).encryption(Status::SUCCESS);
            let begun = link.wait_ms(900).asks_to_pair().answers_pairing();
            ends(refused(begun, smp::Reason::ENCRYPTION_KEY_SIZE)).into()
        }),
    ],
};

const RECEIVED: Direction = Direction::Received;

/// A pairing of two sides of one kind, as far as the comparison; three seconds later this host gives it up.
fn compared(io_capability: u8, wants: u8) -> Trace {
    compared_as(io_capability, io_capability, wants)
}

fn compared_as(io_capability: u8, theirs: u8, wants: u8) -> Trace {
    let request = smp::Pdu::PairingRequest {
        io_capability,
        oob_data_flag: 0,
        auth_req: 1 | wants,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let response = smp::Pdu::PairingResponse {
        io_capability: theirs,
        oob_data_flag: 0,
        auth_req: 1 | wants,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
    let asked = Trace::new().up().smp(Direction::Sent, request).wait_ms(60);
    let asked = asked.smp(RECEIVED, response).smp(Direction::Sent, random).wait_ms(60);
    ends(refused(asked.smp(RECEIVED, random).wait_ms(3_000), smp::Reason::UNSPECIFIED_REASON))
}

/// AuthReq's bits for protection by a person, and for LE Secure Connections (Core, Vol 3, Part H, 3.5.1).
const MITM: u8 = 0x04;
const SECURE_CONNECTIONS: u8 = 0x08;

/// The IO capabilities with which both sides show six digits: with yes and no, and with a keyboard (the same table).
const DISPLAY_YES_NO: u8 = 1;
const KEYBOARD_DISPLAY: u8 = 4;

/// Whether both sides had come to show six digits, and somebody had to say that they are the same.
fn to_compare(pairing: &Step) -> bool {
    let Detail::Pairing { phase: PairingPhase::Random, request, response, .. } = pairing.detail
    else {
        return false;
    };
    let shows = |side: [u8; 4]| matches!(side[0], DISPLAY_YES_NO | KEYBOARD_DISPLAY);
    shows(request)
        && shows(response)
        && request[2] & response[2] & SECURE_CONNECTIONS != 0
        && (request[2] | response[2]) & MITM != 0
}

fn refused(trace: Trace, reason: smp::Reason) -> Trace {
    trace.wait_ms(60).smp(Direction::Sent, smp::Pdu::PairingFailed { reason })
}

fn ends(trace: Trace) -> Trace {
    trace.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const ALLOW: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Allow pairing: `bluetoothctl`, then at its prompt `pairable on`, `agent NoInputNoOutput`, `default-agent`, and leave it open; or register an agent in the program with AgentManager1.RegisterAgent.",
    ),
    Remedy::on(
        &[Stack::NimBle],
        "Set `ble_hs_cfg.sm_bonding` and the key distribution, and do not refuse the security event.",
    ),
    Remedy::on(
        &[Stack::Esp],
        "Answer `ESP_GAP_BLE_SEC_REQ_EVT` with `esp_ble_gap_security_rsp(address, true)`.",
    ),
    Remedy::on(
        &[Stack::Zephyr],
        "Build with `CONFIG_BT_SMP=y`, and let `pairing_accept` return success.",
    ),
    Remedy::any(
        "Allow pairing on this host, with an agent or a user interface that may confirm it.",
    ),
];

const MORE: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Register an agent with a keyboard or a display (`agent KeyboardDisplay` at the prompt of an open `bluetoothctl`), or ask for a lower security level.",
    ),
    Remedy::any(
        "Give this host's pairing a keyboard or a display, or ask for a lower security level.",
    ),
];

const WRONG: &[Remedy] = &[Remedy::any(
    "Remove the bond on both sides and pair once more; where a passkey is asked for, read it anew.",
)];

const CONFIRM: &[Remedy] =
    &[Remedy::any("Pair once more, and say yes on both sides when they show the same six digits.")];

const OTHER: &[Remedy] = &[Remedy::any(
    "Look at this host's log of that moment: it says why its security manager refused.",
)];

/// This host's own Pairing Failed.
#[derive(Debug)]
struct RefusedHere {
    pairing: Step,
    reason: smp::Reason,
    end: Option<End>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let failed = see::refused_pairings(connection, Direction::Sent).next()?;
    let secured = see::later(connection, failed).any(|s| {
        matches!(s.procedure, Procedure::Encrypt | Procedure::Pair) && s.outcome == Outcome::Ok
    });
    if secured {
        return None;
    }
    let facts = RefusedHere {
        reason: smp::Reason(failed.status?),
        pairing: failed.clone(),
        end: connection.end.clone(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl RefusedHere {
    /// Why this host refuses.
    fn why(&self) -> &'static str {
        match self.reason {
            smp::Reason::UNSPECIFIED_REASON | smp::Reason::NUMERIC_COMPARISON_FAILED
                if to_compare(&self.pairing) =>
            {
                "both sides showed six digits, and nobody on this host said that they are the same, or somebody said no"
            }
            smp::Reason::PAIRING_NOT_SUPPORTED => {
                "this host does not pair at the moment: it is not set to, or nobody there may confirm it"
            }
            smp::Reason::AUTHENTICATION_REQUIREMENTS => {
                "this host wants protection that the IO capability of the two sides cannot give"
            }
            smp::Reason::ENCRYPTION_KEY_SIZE => {
                "this host wants a longer key than the other side offers"
            }
            smp::Reason::CONFIRM_VALUE_FAILED | smp::Reason::DHKEY_CHECK_FAILED => {
                "the other side's proof did not fit: a wrong passkey where one was typed, or one side still holds an old bond"
            }
            smp::Reason::PASSKEY_ENTRY_FAILED | smp::Reason::NUMERIC_COMPARISON_FAILED => {
                "whoever had to confirm it on this host did not agree"
            }
            smp::Reason::REPEATED_ATTEMPTS => "too many tries had failed shortly before",
            _ => "its own log may say why",
        }
    }
}

impl Facts for RefusedHere {
    fn says(&self) -> Text {
        text!(
            "This host ended the pairing itself: Pairing Failed, {}. That means: {}.",
            self.reason,
            self.why()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        if self.pairing.frame != self.pairing.last.frame {
            sights.push(Sight::here(self.pairing.frame, "pairing begins"));
        }
        sights.push(Sight::here(
            self.pairing.last.frame,
            text!("Pairing Failed sent by this host: {}", self.reason),
        ));
        sights.extend(self.end.as_ref().map(see::link_ended));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("pairing-refused-by-peer", "Pairing Failed was sent, not received")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let remedies = match self.reason {
            smp::Reason::UNSPECIFIED_REASON if to_compare(&self.pairing) => CONFIRM,
            smp::Reason::PAIRING_NOT_SUPPORTED
            | smp::Reason::PASSKEY_ENTRY_FAILED
            | smp::Reason::NUMERIC_COMPARISON_FAILED => ALLOW,
            smp::Reason::AUTHENTICATION_REQUIREMENTS | smp::Reason::ENCRYPTION_KEY_SIZE => MORE,
            smp::Reason::CONFIRM_VALUE_FAILED | smp::Reason::DHKEY_CHECK_FAILED => WRONG,
            _ => OTHER,
        };
        remedies.to_vec()
    }
}
