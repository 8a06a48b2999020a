use super::bond::{self, Key};
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, Encryption, End, Outcome, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "keys-differ-by-role",
    title: "Encryption used another key than the pairing had made for it",
    basis: Basis::Author,
    silences: &["mic-failure-0x3d", "pin-or-key-missing-0x06", "insufficient-auth-no-pairing", "link-died-during-encryption", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
The capture holds the pairing and the encryption that failed later, and with them both keys. They differ: the host took the key
that is for the other role, or one of an older pairing. No capture backs this rule: the traces are the author's, after two threads.

## How it shows
Keys are compared in memory and never printed. In legacy pairing each side hands out the key (SMP Encryption Information) for links
on which it is the peripheral. So a central must use the key that its peer gave, and a peripheral the one that it gave itself. With
LE Secure Connections both roles have one key.

## What else it could be
The right key that is refused is `pin-or-key-missing-0x06`: then the other side lost it. The right key and a failed integrity
check point to a controller, `mic-failure-0x3d`.

## What to do
This is a fault of the host's key store: it keeps one key for both roles, or does not replace the old one. Removing the bond on
both sides helps until the roles change again.",
    sources: &["Core Specification, Vol 3, Part H, 2.4.4 and 3.6.1: which key is for which role"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "the central uses the key that it gave itself", || {
            legacy(8, 9).followed_by(fails(8)).into()
        })
        .about(&[2])
        .saying("had made for the other role"),
        Case::silent("the central uses the key that the device gave", || {
            legacy(8, 9).followed_by(fails(9)).into()
        }),
        Case::cause(Confidence::Medium, "the key of an older pairing", || {
            legacy(8, 9).followed_by(legacy(6, 7)).followed_by(fails(9)).into()
        })
        .about(&[3])
        .saying("an older pairing"),
        Case::cause(Confidence::Medium, "a key that no pairing of the capture made", || {
            legacy(8, 9).followed_by(fails(5)).into()
        })
        .saying("another key than"),
        Case::cause(Confidence::Medium, "the device says that it does not know the key", || {
            let link = Trace::new().wait_ms(900).up().encrypts_with(8).wait_ms(60);
            let missing = link.encryption(Status::PIN_OR_KEY_MISSING);
            legacy(8, 9).followed_by(missing.hangs_up(Status::AUTHENTICATION_FAILURE)).into()
        })
        .saying("had made for the other role"),
        Case::cause(Confidence::Medium, "as the peripheral this host must use the key that it gave", || {
            legacy(8, 9).followed_by(asked(9)).into()
        })
        .saying("had made for the other role"),
        Case::silent("as the peripheral it uses the key that it gave", || {
            legacy(8, 9).followed_by(asked(8)).into()
        }),
        Case::cause(Confidence::Medium, "Secure Connections made one key, and another was used", || {
            secure(7).followed_by(fails(5)).into()
        })
        .saying("another key than"),
        Case::silent("Secure Connections made this key", || secure(7).followed_by(fails(7)).into()),
        Case::silent("the other key was used, and the link was encrypted with it", || {
            let link = Trace::new().wait_ms(900).up().encrypts_with(5).wait_ms(60);
            let up = link.encryption(Status::SUCCESS).wait_ms(5_000);
            legacy(8, 9).followed_by(up.hangs_up(Status::REMOTE_USER_TERMINATED)).into()
        }),
        Case::silent("the capture holds no pairing", || fails(5).into()),
        Case::silent("the key was left out of the capture", || {
            legacy(8, 9).followed_by(fails(0)).into()
        }),
        Case::silent("the pairing was with another device", || {
            let other = crate::packet::Address([9, 0, 0, 0, 0, 0xc9]);
            legacy(8, 9).with(other).followed_by(fails(8)).into()
        }),

        Case::cause(Confidence::Medium, "two pairings, and a key of neither", || {
            legacy(8, 9).followed_by(legacy(6, 7)).followed_by(fails(5)).into()
        })
        .saying("another key than"),
        Case::cause(Confidence::Medium, "the device alone handed out a key, and another was used", || {
            handed(Direction::Received, 9).followed_by(fails(5)).into()
        })
        .saying("another key than"),
        Case::silent("the device alone handed out a key, and it was used", || {
            handed(Direction::Received, 9).followed_by(fails(9)).into()
        }),
        Case::silent("only this host handed out a key: that is for the other role", || {
            handed(Direction::Sent, 8).followed_by(fails(5)).into()
        }),
        Case::silent("no key was handed out, and none made by both", || {
            begun(pairs(1)).followed_by(fails(5)).into()
        }),
        Case::silent("only this host wanted Secure Connections", || {
            begun(pairs_as(9, 1)).followed_by(fails(5)).into()
        }),
        Case::silent("only the device wanted Secure Connections", || {
            begun(pairs_as(1, 9)).followed_by(fails(5)).into()
        }),
        Case::silent("the pairing with its keys came later", || {
            fails(5).followed_by(legacy(8, 9)).into()
        }),
        Case::silent("the Secure Connections pairing came later", || {
            fails(5).followed_by(secure(7)).into()
        }),
        Case::cause(Confidence::Medium, "as the central it is told which role it has", || {
            legacy(8, 9).followed_by(fails(8)).into()
        })
        .saying("This host is the central here"),
        Case::cause(Confidence::Medium, "as the peripheral, too", || {
            legacy(8, 9).followed_by(asked(9)).into()
        })
        .saying("This host is the peripheral here"),
        Case::cause(Confidence::Medium, "the refusal is shown", || {
            let link = Trace::new().wait_ms(900).up().encrypts_with(8).wait_ms(60);
            let missing = link.encryption(Status::PIN_OR_KEY_MISSING);
            legacy(8, 9).followed_by(missing.hangs_up(Status::AUTHENTICATION_FAILURE)).into()
        })
        .saying("encryption failed: PIN or Key Missing"),
        Case::cause(Confidence::Medium, "a step that succeeded is no refusal", || {
            legacy(8, 9).followed_by(fails(8)).into()
        })
        .not_saying("encryption failed"),
        Case::silent("the pairing's own encryption failed: it made no key that a later link could miss", || {
            let asked = pairs(9).encrypts_with(7).wait_ms(60).encryption(Status(0x1f));
            let ended = asked.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
            ended.followed_by(fails(5)).into()
        }),
        Case::silent("the two sides pair again, and that pairing's own encryption breaks", || {
            let again = pairs(1).encrypts_with(3).wait_ms(60).encryption(Status::SUCCESS);
            let broken = again.wait_ms(50).disconnected(Status::MIC_FAILURE);
            legacy(8, 9).followed_by(broken).into()
        }),
    ],
};

/// A pairing after which the link is encrypted, and no key is handed out.
fn begun(pairing: Trace) -> Trace {
    let asked = pairing.encrypts_with(3).wait_ms(60).encryption(Status::SUCCESS).wait_ms(900);
    asked.hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// The same, and one side hands out a key.
fn handed(by: Direction, key: u8) -> Trace {
    let asked = pairs(1).encrypts_with(3).wait_ms(60).encryption(Status::SUCCESS).wait_ms(30);
    asked.gives_key(by, key).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// Pairing without Secure Connections: this host gives one key and the device another.
fn legacy(by_us: u8, by_peer: u8) -> Trace {
    let asked = pairs(1).encrypts_with(3).wait_ms(60).encryption(Status::SUCCESS).wait_ms(30);
    let given = asked.gives_key(Direction::Received, by_peer).gives_key(Direction::Sent, by_us);
    given.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// Pairing with Secure Connections: both sides work out this key.
fn secure(key: u8) -> Trace {
    let asked = pairs(9).encrypts_with(key).wait_ms(60).encryption(Status::SUCCESS);
    asked.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn pairs(auth_req: u8) -> Trace {
    pairs_as(auth_req, auth_req)
}

fn pairs_as(auth_req: u8, theirs: u8) -> Trace {
    let random = smp::Pdu::PairingRandom { random_value: crate::packet::Secret::new([4; 16]) };
    let request = smp::Pdu::PairingRequest {
        io_capability: 3,
        oob_data_flag: 0,
        auth_req,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let response = smp::Pdu::PairingResponse {
        io_capability: 3,
        oob_data_flag: 0,
        auth_req: theirs,
        maximum_encryption_key_size: 16,
        initiator_key_distribution: 1,
        responder_key_distribution: 1,
    };
    let asked = Trace::new().up().smp(Direction::Sent, request).wait_ms(60);
    let answered = asked.smp(Direction::Received, response).smp(Direction::Sent, random);
    answered.wait_ms(60).smp(Direction::Received, random)
}

/// A later link to the device: encrypted with this key, and ended by a failed integrity check.
fn fails(key: u8) -> Trace {
    let link = Trace::new().wait_ms(900).up().encrypts_with(key).wait_ms(60);
    link.encryption(Status::SUCCESS).wait_ms(50).disconnected(Status::MIC_FAILURE)
}

/// The same with the device as the central.
fn asked(key: u8) -> Trace {
    let link = Trace::new().wait_ms(900).connected_as(1, 24, 0, 42).mtu().replies_with_key(key);
    link.wait_ms(60).encryption(Status::SUCCESS).wait_ms(50).disconnected(Status::MIC_FAILURE)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Stop the daemon, and look in the device's file `info` under /var/lib/bluetooth: `[LongTermKey]` is the key for this host as the central, `[PeripheralLongTermKey]` (`[SlaveLongTermKey]` on older versions) for the other role.",
    ),
    Remedy::any(
        "Report it to whoever makes this host's stack, with this capture: its key store gives out the wrong key. Until then remove the bond on both sides and pair again in the role that is used.",
    ),
];

/// A key that is not the one which the pairing made for this role.
#[derive(Debug)]
struct WrongKey {
    key: Key,
    /// The frame of the pairing that made the right key.
    right: u32,
    used: Step,
    peripheral: bool,
    failed: Option<Status>,
    end: Option<End>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let step = bond::last_try(connection)?;
    // The key of a pairing on this very link came from no store.
    let fresh = matches!(step.detail, Detail::Encryption { key: Encryption::Fresh, .. });
    let broken = connection.end.as_ref().is_some_and(|end| end.reason == Status::MIC_FAILURE);
    if fresh || !broken && step.outcome != Outcome::Error {
        return None;
    }
    let key = bond::key_of(scene, connection, step)?;
    let right = match key {
        Key::OtherRole { right, .. } | Key::Old { right, .. } | Key::Another { right } => right,
        Key::Right { .. } | Key::Worked { .. } => return None,
    };
    let facts = WrongKey {
        key,
        right,
        used: step.clone(),
        peripheral: connection.role == Some(Role::Peripheral),
        failed: step.status.map(Status).filter(|status| *status != Status::SUCCESS),
        end: connection.end.clone(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for WrongKey {
    fn says(&self) -> Text {
        let role = if self.peripheral { "the peripheral" } else { "the central" };
        let what = match self.key {
            Key::OtherRole { .. } => "the key that the pairing had made for the other role",
            Key::Old { .. } => "the key of an older pairing",
            _ => "another key than the pairing of this capture had made",
        };
        text!(
            "This host is {} here and encrypted with {}. The two keys were compared, and they differ.",
            role,
            what
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.used.frame, "encryption is started with a stored key"),
            Sight::here(self.right, "the pairing that made the key for this role: another one"),
        ];
        match self.key {
            Key::OtherRole { given, .. } => {
                sights.push(Sight::here(given, "the key for the other role: the same one"));
            }
            Key::Old { made, .. } => sights.push(Sight::here(made, "the older key: the same one")),
            _ => {}
        }
        if let Some(status) = self.failed {
            sights.push(Sight::here(self.used.last.frame, text!("encryption failed: {}", status)));
        }
        sights.extend(self.end.as_ref().map(see::link_ended));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "pin-or-key-missing-0x06",
                "the device need not have lost anything: this host used the wrong key",
            ),
            RuledOut::new("mic-failure-0x3d", "the keys are in the capture, and they differ"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
