use super::insufficient_auth_no_pairing::wants_security;
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Pending, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "reverse-discovery-collides",
    title: "This peripheral also acts as a client, and gets in the central's way",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "att-transaction-timeout-30s", "att-request-unanswered", "remote-user-terminated-idle"],
    docs: "\
## What it means
BlueZ, also as a peripheral, looks at the services of whoever connects. The phone then asks to pair (a pop-up), or one side stops
answering because both discover at once.

## How it shows
In the peripheral role: requests sent by this host, refused with an error that asks for pairing, or a request of the central that
this host leaves open; then the central leaves, or its pairing fails. Where it pairs and goes on, this is a note.

## What else it could be
Reverse discovery without refusals and open requests is harmless.

## What to do
Switch it off on the peripheral: `ReverseServiceDiscovery = false`.",
    sources: &["bluez/bluez#153", "NordicSemiconductor/IOS-nRF-Connect#94", "ukBaz/python-bluezero#331, #336"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "the central refuses for want of a pairing, and leaves", || {
            left(refused(SECURITY), 3_000).into()
        })
        .about(&[1])
        .saying("Nothing came of it, and the central left."),
        Case::silent("the central refuses for another reason", || {
            left(refused(ErrorCode::ATTRIBUTE_NOT_FOUND), 3_000).into()
        }),
        Case::suspect(Confidence::Medium, "it pairs, and that fails: the refusal is the cause", || {
            let failed = crate::packet::smp::Pdu::PairingFailed {
                reason: crate::packet::smp::Reason::PAIRING_NOT_SUPPORTED,
            };
            let trace = refused(SECURITY).asks_to_pair().wait_ms(50).smp(Received, failed);
            trace.wait_ms(3_000).hangs_up(HUNG_UP).into()
        })
        .saying("Nothing came of it.")
        .not_saying("the central left"),
        Case::suspect(Confidence::Medium, "it goes on for a while, and leaves", || {
            left(refused(SECURITY).from_peer(&READ, &[0x0b, 1]), 3_000).into()
        })
        .saying("went on for a while"),
        Case::note(Confidence::Medium, "it pairs, and goes on for a minute", || {
            let paired = refused(SECURITY).wait_ms(2_000).encryption(Status::SUCCESS);
            left(paired.notified_by_us(3, &[1]), 60_000).into()
        })
        .saying("did well all the same"),
        Case::note(Confidence::Medium, "the link is lost for another reason", || {
            refused(SECURITY).wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::cause(Confidence::Medium, "the central's request is open for 30 s", || {
            left(asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Received, 4, &READ), 30_000).into()
        })
        .saying("left the central's request unanswered"),
        Case::cause(Confidence::Medium, "it is open for 29.6 s", || {
            left(asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Received, 4, &READ), 29_600).into()
        })
        .pins(&["OPEN"]),
        Case::silent("it is open for 29.4 s", || {
            left(asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Received, 4, &READ), 29_400).into()
        })
        .pins(&["OPEN"]),
        Case::silent("a request of this peripheral is open for 30 s", || {
            left(asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Sent, 4, &READ), 30_000).into()
        }),
        Case::silent("the peripheral asked nothing itself", || {
            let trace = Trace::new().connected_as(1, 24, 0, 72).notified_by_us(3, &[1]);
            left(trace.acl(Received, 4, &READ), 30_000).into()
        }),
        Case::silent("this host is the central", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            left(Trace::new().up().refused(read, SECURITY), 3_000).into()
        }),
        Case::cause(Confidence::Medium, "it is open for exactly 29.5 s", || {
            let asked = asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Received, 4, &READ);
            asked.after_us(29_500_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("it is open for a moment less", || {
            let asked = asks(ErrorCode::ATTRIBUTE_NOT_FOUND).acl(Received, 4, &READ);
            asked.after_us(29_499_999).disconnected(HUNG_UP).into()
        }),
        Case::silent("the peripheral asked for security and for nothing else", || {
            let asks = crate::packet::smp::Pdu::SecurityRequest { auth_req: 1 };
            let link = Trace::new().connected_as(1, 24, 0, 72).smp(Sent, asks);
            left(link.acl(Received, 4, &READ), 30_000).into()
        }),
        Case::cause(Confidence::Medium, "the central encrypts, and that fails", || {
            let failed = refused(SECURITY).wait_ms(900).encryption(Status::AUTHENTICATION_FAILURE);
            left(failed, 3_000).into()
        })
        .saying("Nothing came of it, and the central left."),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;
const SECURITY: ErrorCode = ErrorCode::INSUFFICIENT_AUTHENTICATION;

/// A read of attribute 3.
static READ: [u8; 3] = [0x0a, 3, 0];

/// This peripheral reads of the central, which refuses.
fn asks(error: ErrorCode) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(0x4e) };
    Trace::new().connected_as(1, 24, 0, 72).refused(read, error)
}

/// The same, and the central has asked for the MTU before.
fn refused(error: ErrorCode) -> Trace {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let up = Trace::new().connected_as(1, 24, 0, 72).from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0]);
    up.refused(read, error)
}

fn left(trace: Trace, ms: u32) -> Trace {
    trace.wait_ms(ms).disconnected(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Set `ReverseServiceDiscovery = false` under `[General]` in /etc/bluetooth/main.conf (on newer versions `Client = false` under `[GATT]`), then `sudo systemctl restart bluetooth`.",
    ),
    Remedy::on(
        &[Stack::Bumble, Stack::NimBle, Stack::Zephyr],
        "Do not start discovery of the central from the peripheral.",
    ),
];

/// ATT gives up after 30 s; a request that was open for almost as long was not going to be answered.
const OPEN: Span = Span::from_ms(29_500);

/// A peripheral that asked questions of its own.
#[derive(Debug)]
struct Reverse {
    ours: Step,
    refused: Option<(u32, ErrorCode)>,
    /// The central's request that was never answered.
    blocked_frame: Option<u32>,
    harm: Harm,
    end: Option<(u32, Status)>,
}

/// What became of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// This peripheral left a request of the central open.
    Blocked,
    /// The central's pairing failed.
    Failed,
    /// The central left, at once or after it went on for a while.
    Left,
    LeftLater,
    None,
}

/// What became of the link after that refusal.
fn harm(connection: &Connection, refused: &Step) -> Harm {
    let later = || see::later(connection, refused);
    let secures = |s: &&Step| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt);
    if later().any(|s| s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok) {
        return Harm::None;
    }
    let used = later().any(|s| {
        let by_server = matches!(s.procedure, Procedure::Notify | Procedure::Indicate);
        s.is_att() && by_server == (s.by == Sent)
    });
    let failed = later().filter(secures).any(Step::failed);
    match (failed, see::peer_hung_up(connection).is_some()) {
        (true, false) => Harm::Failed,
        (true, true) => Harm::Left,
        (false, false) => Harm::None,
        (false, true) if used => Harm::LeftLater,
        (false, true) => Harm::Left,
    }
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let ours = connection.steps.iter().find(|s| {
        s.by == Sent
            && s.is_att()
            && !matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
    })?;
    let refused = connection.steps.iter().find(|s| s.by == Sent && wants_security(s));
    let blocked = connection.open_requests.iter().find(|o| {
        o.by == Received
            && matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age >= OPEN)
    });
    let harm = match (refused, blocked) {
        (_, Some(_)) => Harm::Blocked,
        (Some(step), None) => harm(connection, step),
        (None, None) => return None,
    };
    let code = |step: &Step| Some((step.last.frame, ErrorCode(step.status?)));
    let facts = Reverse {
        ours: ours.clone(),
        refused: refused.and_then(code),
        blocked_frame: blocked.map(|open| open.frame),
        harm,
        end: connection.end.as_ref().map(|end| (end.frame, end.reason)),
    };
    let verdict = match harm {
        Harm::Blocked | Harm::Failed | Harm::Left => Verdict::cause(facts),
        Harm::LeftLater => Verdict::suspect(facts),
        Harm::None => Verdict::note(facts),
    };
    Some(verdict.sure(Confidence::Medium))
}

impl Facts for Reverse {
    fn says(&self) -> Text {
        match self.harm {
            Harm::Blocked => {
                "This peripheral discovered the central's services while the central discovered its own, and left the central's request unanswered."
            }
            Harm::Failed => {
                "This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. Nothing came of it."
            }
            Harm::Left => {
                "This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. Nothing came of it, and the central left."
            }
            Harm::LeftLater => {
                "This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. The central went on for a while, and then left."
            }
            Harm::None => {
                "This peripheral asked the central for attributes that need pairing, which makes phones ask their user. The link did well all the same."
            }
        }
        .into()
    }

    fn evidence(&self) -> Vec<Sight> {
        let ours = text!("this peripheral asks as a client: {}", see::request(&self.ours));
        let mut sights = vec![Sight::here(self.ours.frame, ours)];
        let (refused, end) = (self.refused, self.end);
        sights.extend(
            refused.map(|(f, code)| Sight::here(f, text!("the central refuses: {}", code))),
        );
        sights.extend(
            self.blocked_frame
                .map(|f| Sight::here(f, "the central's request that was never answered")),
        );
        sights.extend(end.map(|(f, reason)| Sight::here(f, text!("the link ends: {}", reason))));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the central was heard on this link")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
