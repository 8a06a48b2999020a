use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::packet::Direction;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::packet::smp;
use crate::packet::{Secret, Status};
use crate::prose::Text;
use crate::text;
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
Pair before use: once by hand with an agent, or from the program with an agent of its own.",
    sources: &["hbldh/bleak#1434, #1634", "mtheli/philips_sonicare_ble#25"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "two reads are refused, and nothing follows", || {
            ends(refused(refused(up(), ENCRYPTION), ENCRYPTION)).into()
        })
        .about(&[1])
        .saying("Insufficient Encryption"),
        Case::cause(Confidence::High, "one read is refused, and the link ends", || {
            ends(refused(up(), ENCRYPTION)).into()
        }),
        Case::cause(Confidence::Medium, "one read is refused, and nothing follows for 1.1 s", || {
            refused(up(), ENCRYPTION).wait_ms(1_100).advertises(0).into()
        })
        .pins(&["see::REACTS"]),
        Case::silent("one read is refused, and the capture ends 0.9 s later", || {
            refused(up(), ENCRYPTION).wait_ms(900).advertises(0).into()
        })
        .pins(&["see::REACTS"]),
        Case::cause(Confidence::High, "refused for want of authentication", || {
            ends(refused(up(), ErrorCode::INSUFFICIENT_AUTHENTICATION)).into()
        }),
        Case::cause(Confidence::High, "refused for want of authorisation", || {
            ends(refused(up(), ErrorCode::INSUFFICIENT_AUTHORIZATION)).into()
        }),
        Case::cause(Confidence::High, "refused for a key that is too short", || {
            ends(refused(up(), ErrorCode::ENCRYPTION_KEY_TOO_SHORT)).into()
        }),
        Case::suspect(Confidence::Medium, "the link goes on working without that attribute", || {
            ends(refused(refused(up(), ENCRYPTION), ENCRYPTION).write(9, &[1]).notified(12, &[1])).into()
        })
        .saying("went on working"),
        Case::silent("refused for another reason", || {
            ends(refused(up(), ErrorCode::READ_NOT_PERMITTED)).into()
        }),
        Case::silent("this host pairs afterwards", || {
            ends(refused(up(), ENCRYPTION).wait_ms(50).asks_to_pair()).into()
        }),
        Case::silent("this host encrypts afterwards", || {
            let link = refused(up(), ENCRYPTION).encrypts().wait_ms(60);
            ends(link.encryption(Status::SUCCESS)).into()
        }),
        Case::silent("the link was encrypted before", || {
            let link = up().encrypts().wait_ms(60).encryption(Status::SUCCESS);
            ends(refused(link, ENCRYPTION)).into()
        }),
        Case::silent("this host is the peripheral, and asks its central", || {
            ends(refused(Trace::new().connected_as(1, 24, 0, 42).mtu(), ENCRYPTION)).into()
        }),
        Case::silent("the link was up before the capture began", || {
            ends(refused(Trace::new().mtu(), ENCRYPTION)).into()
        }),
        Case::silent("the device asks us, and we refuse", || {
            let asked = up().from_peer(&[0x0a, 3, 0], &[0x01, 0x0a, 3, 0, 0x0f]);
            ends(asked).into()
        }),
        Case::cause(Confidence::High, "the working host is bonded", || {
            let works = Trace::new().up().encrypts().wait_ms(60).encryption(Status::SUCCESS);
            Example::pair(ends(works.mtu()), ends(refused(up(), ENCRYPTION)))
        })
        .saying("encrypts with a stored key, it is bonded"),
        Case::suspect(Confidence::Medium, "the working host does not encrypt either", || {
            Example::pair(ends(up()), ends(refused(up(), ENCRYPTION)))
        })
        .not_saying("the working host"),

        Case::cause(Confidence::High, "the device asks for security, and this host does not follow", || {
            let wish = smp::Pdu::SecurityRequest { auth_req: 1 };
            ends(refused(up(), ENCRYPTION).smp(Direction::Received, wish)).into()
        }),
        Case::cause(Confidence::High, "the working host pairs", || {
            let random = smp::Pdu::PairingRandom { random_value: Secret::new([0; 16]) };
            let pairs = up().asks_to_pair().answers_pairing().smp(Direction::Sent, random);
            let pairs = pairs.smp(Direction::Received, random).wait_ms(60);
            let works = pairs.encrypts().wait_ms(60).encryption(Status::SUCCESS);
            Example::pair(ends(works), ends(refused(up(), ENCRYPTION)))
        })
        .saying("the working host pairs before it reads"),
        Case::cause(Confidence::High, "what went well had gone well before the refusal", || {
            ends(refused(up().write(9, &[1]).notified(12, &[1]), ENCRYPTION)).into()
        })
        .not_saying("went on working"),
        Case::cause(Confidence::High, "a write that fails too is no life", || {
            let write = Pdu::WriteRequest { attribute_handle: Handle(9), attribute_value: &[1] };
            ends(refused(up(), ENCRYPTION).refused(write, ErrorCode::WRITE_NOT_PERMITTED)).into()
        })
        .not_saying("went on working"),
        Case::cause(Confidence::High, "two are refused, and the capture ends a while later", || {
            refused(refused(up(), ENCRYPTION), ENCRYPTION).wait_ms(1_100).advertises(0).into()
        }),
        Case::silent("encryption is tried again after the refusal, and fails", || {
            let link = refused(up(), ENCRYPTION).encrypts().wait_ms(60);
            ends(link.encryption(Status::PIN_OR_KEY_MISSING)).into()
        }),
        Case::silent("the controller refuses a change of the parameters with the same number", || {
            let update = crate::packet::hci::Command::LeConnectionUpdate {
                connection_handle: crate::trace::HANDLE,
                connection_interval_min: 6,
                connection_interval_max: 6,
                max_latency: 0,
                supervision_timeout: 42,
                min_ce_length: 0,
                max_ce_length: 0,
            };
            let opcode = update.opcode();
            ends(up().command(update).status(opcode, Status::COMMAND_DISALLOWED)).into()
        }),
        // What failed before is told instead.
        Case::outweighed("encryption had failed before the refusal", || {
            let failed = up().encrypts().wait_ms(60).encryption(Status::PIN_OR_KEY_MISSING);
            ends(refused(failed.wait_ms(50), ENCRYPTION)).into()
        }),
    ],
};

const ENCRYPTION: ErrorCode = ErrorCode::INSUFFICIENT_ENCRYPTION;

fn up() -> Trace {
    Trace::new().up().mtu()
}

fn refused(link: Trace, error: ErrorCode) -> Trace {
    link.refused(Pdu::ReadRequest { attribute_handle: Handle(3) }, error)
}

fn ends(link: Trace) -> Trace {
    link.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Pair once at the prompt of an open `bluetoothctl`: `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`. bleak registers no agent: `pair()` and `pair=True` work only while another program has one registered.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pair at the prompt of an open `bluetoothctl` and use noble's D-Bus binding: raw noble pairs by legacy Just Works only.",
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
const SECURITY: [ErrorCode; 4] = [
    ErrorCode::INSUFFICIENT_AUTHENTICATION,
    ErrorCode::INSUFFICIENT_AUTHORIZATION,
    ErrorCode::ENCRYPTION_KEY_TOO_SHORT,
    ErrorCode::INSUFFICIENT_ENCRYPTION,
];

/// Whether a request was refused until the link is secure.
pub fn wants_security(step: &Step) -> bool {
    step.is_att() && SECURITY.iter().any(|code| step.status == Some(code.0))
}

/// Most refused requests that are named.
const SHOWN: usize = 3;

/// Requests that were refused because the link was not secure, after which nobody paired or encrypted.
#[derive(Debug)]
struct NeverPairs {
    code: ErrorCode,
    /// The first few.
    refused: Vec<Step>,
    /// How the working host made its link secure, and in which frame.
    reference: Option<(&'static str, u32)>,
    /// Writes or notifications went well after the last refusal.
    lives: bool,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    // A peripheral that asks its central is another story: `reverse-discovery-collides`. Of a link whose beginning is
    // not in the capture nobody knows the role, nor whether a pairing was tried before.
    if connection.role == Some(Role::Peripheral) || !connection.start_seen {
        return None;
    }
    let refused: Vec<&Step> =
        connection.steps.iter().filter(|s| s.by == Direction::Sent && wants_security(s)).collect();
    let first = refused.first()?;
    let secured = connection.steps.iter().any(|s| {
        matches!(s.procedure, Procedure::Pair | Procedure::Encrypt)
            && s.last.comes_after(first.frame)
            && !matches!(s.detail, Detail::SecurityRequest { .. })
    });
    let was_secure = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok && s.comes_before(first.frame)
    });
    let last = refused.last()?;
    if secured || was_secure || !connection.end_seen && !see::watched(connection, last.last.at) {
        return None;
    }
    let reference =
        scene.reference().filter(|reference| reference.encrypted).and_then(|reference| {
            let how =
                if reference.paired { "pairs" } else { "encrypts with a stored key, it is bonded" };
            let secures = |s: &&Step| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt);
            Some((how, reference.steps.iter().find(secures)?.frame))
        });
    // Many hosts read what they may not have, and do without.
    let last = last.last.frame;
    let lives = connection.steps.iter().any(|s| {
        use Procedure::{Notify, Write, WriteCommand};
        s.comes_after(last)
            && s.outcome == Outcome::Ok
            && matches!(s.procedure, Notify | Write | WriteCommand)
    });
    let works_without = scene.reference().is_some_and(|works| !works.encrypted);
    let sure = if refused.len() > 1 || connection.end_seen {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let facts = NeverPairs {
        code: ErrorCode(first.status?),
        refused: refused.into_iter().take(SHOWN).cloned().collect(),
        reference,
        lives,
    };
    Some(if lives || works_without {
        Verdict::suspect(facts)
    } else {
        Verdict::cause(facts).sure(sure)
    })
}

impl Facts for NeverPairs {
    fn says(&self) -> Text {
        text!(
            "The device refused a {} with {} and this host neither paired nor encrypted afterwards.{}",
            self.refused.first().map(see::request),
            self.code,
            if self.lives { " The link went on working without it." } else { "" }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let line = |step: &Step| {
            Sight::here(step.last.frame, text!("{}: {}", see::request(step), self.code))
        };
        let mut sights: Vec<Sight> = self.refused.iter().map(line).collect();
        sights.extend(self.reference.map(|(how, frame)| {
            Sight::in_reference(frame, text!("the working host {} before it reads", how))
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("pin-or-key-missing-0x06", "no stored key was used on this link")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
