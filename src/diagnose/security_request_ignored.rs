use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Status, smp};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "security-request-ignored",
    title: "The device asked for security, this host did nothing, and the device left",
    basis: Basis::Laboratory,
    silences: &["remote-user-terminated-idle", "peer-hangs-up-on-deadline", "insufficient-auth-no-pairing", "zombie-link-data-silence"],
    docs: "\
## What it means
A peripheral may ask the central to pair or encrypt. This host did not react, and the device ended the link.

## How it shows
SMP Security Request received, no Pairing Request and no encryption after it, then Disconnection Complete 0x13 or 0x05.

## What else it could be
Many devices ask and live on without: an ignored request on a link that lives is no fault.

## What to do
Pair from this host, or use a stack that answers the request.",
    sources: &["noble lib/hci-socket/smp.js: no handler for the Security Request", "eq3btsmart#4"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the device leaves 30 s after it had asked", || {
            asks().mtu().wait_ms(30_000).disconnected(LEFT).into()
        })
        .about(&[1])
        .saying("30.05 s later"),
        Case::cause(Confidence::High, "the device leaves 64.9 s after it had asked", || {
            asks().mtu().wait_ms(64_900).disconnected(LEFT).into()
        })
        .pins(&["LONGEST"]),
        Case::silent("it leaves so much later that another reason is likelier", || {
            asks().mtu().wait_ms(65_000).disconnected(LEFT).into()
        })
        .pins(&["LONGEST"]),
        Case::cause(Confidence::High, "it leaves for want of authentication", || {
            asks().mtu().wait_ms(900).disconnected(Status::AUTHENTICATION_FAILURE).into()
        }),
        Case::silent("this host hangs up", || {
            asks().mtu().wait_ms(30_000).hangs_up(LEFT).into()
        }),
        Case::silent("the link is lost", || {
            asks().mtu().wait_ms(30_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("this host pairs", || {
            asks().asks_to_pair().wait_ms(900).disconnected(LEFT).into()
        }),
        Case::silent("this host encrypts", || {
            let link = asks().encrypts().wait_ms(60).encryption(Status::SUCCESS);
            link.wait_ms(900).disconnected(LEFT).into()
        }),
        Case::silent("this host asks, and the device leaves", || {
            let asks = smp::Pdu::SecurityRequest { auth_req: 13 };
            let link = Trace::new().connected_as(1, 24, 0, 42).mtu().smp(Direction::Sent, asks);
            link.wait_ms(30_000).disconnected(LEFT).into()
        }),
        Case::silent("nobody asks", || {
            Trace::new().up().mtu().wait_ms(30_000).disconnected(LEFT).into()
        }),
        // The answer about the MTU comes 50.2 ms after the wish.
        Case::cause(Confidence::High, "it leaves exactly 65 s after it had asked", || {
            asks().mtu().after_us(65_000_000 - 50_200).disconnected(LEFT).into()
        }),
        Case::silent("it leaves a moment later than that", || {
            asks().mtu().after_us(65_000_001 - 50_200).disconnected(LEFT).into()
        }),
    ],
};

const LEFT: Status = Status::REMOTE_USER_TERMINATED;

/// Pairing has 30 s by the specification, and devices that wait longer than a minute for its beginning are not known.
const LONGEST: Span = Span::from_ms(65_000);

fn asks() -> Trace {
    Trace::new().up().smp(Direction::Received, smp::Pdu::SecurityRequest { auth_req: 13 })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Pair at the prompt of an open `bluetoothctl` (`agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`) and use noble's D-Bus binding: noble itself has no handler for this request.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Pair at once after connecting: at the prompt of an open `bluetoothctl` `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Start security when the request comes (`ble_gap_security_initiate`, `esp_ble_gap_security_rsp`, `bt_conn_set_security`).",
    ),
];

/// A wish for security that nobody answered, and the end.
#[derive(Debug)]
struct Ignored {
    asked: u32,
    wait: Span,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        end.command_frame().is_none()
            && matches!(end.reason, Status::REMOTE_USER_TERMINATED | Status::AUTHENTICATION_FAILURE)
    })?;
    let asked = connection.steps.iter().find(|s| {
        s.by == Direction::Received
            && matches!(s.detail, Detail::SecurityRequest { .. })
            && s.outcome == Outcome::Unanswered
    })?;
    let secured = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Encrypt
            || (s.procedure == Procedure::Pair && s.frame != asked.frame)
    });
    if secured {
        return None;
    }
    let wait = end.at.since(asked.at).filter(|wait| *wait <= LONGEST)?;
    let facts = Ignored { asked: asked.frame, wait, end: end.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Ignored {
    fn says(&self) -> Text {
        text!(
            "The device asked for security, this host neither paired nor encrypted, and {} later the device ended the link.",
            self.wait
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.asked, "Security Request from the device"),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device was heard")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
