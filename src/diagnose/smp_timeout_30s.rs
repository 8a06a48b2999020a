use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::{Direction, Status, att, smp};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Happening, Pending, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "smp-timeout-30s",
    title: "Pairing stalled until it timed out",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "att-transaction-timeout-30s", "att-request-unanswered", "connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
Pairing began, one side waited for the other's next packet (or for a person to confirm), and it never came. After 30 s the
pairing is dead on this link, and the host ends it.

## How it shows
A pairing PDU without its successor for 30 s, then a Disconnect (on Linux with reason 0x05) or nothing more on SMP.

## What else it could be
Pairing Failed is an answer, not a stall.

## What to do
If the host's own user or agent was asked: confirm it. If the device is silent: press its button, put it in pairing mode.",
    sources: &["Core Specification, Vol 3, Part H, 3.4 (30 s)", "zephyrproject-rtos/zephyr#53334"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the device never answers the Pairing Request", || {
            ends(asked(), 30_000).into()
        })
        .about(&[1])
        .saying("press its button")
        .not_saying("Confirm the pairing"),
        Case::cause(Confidence::High, "it was open for 29 s", || ends(asked(), 28_950).into())
            .pins(&["LONG"]),
        Case::silent("it was open for a little less", || ends(asked(), 28_900).into())
            .pins(&["LONG"]),
        Case::cause(Confidence::High, "this host owes the next packet", || {
            ends(asked().answers_pairing(), 30_000).into()
        })
        .saying("Confirm the pairing")
        .not_saying("press its button"),
        Case::cause(Confidence::High, "this host's user was asked, and never answered", || {
            ends(question(asked().answers_pairing()), 30_000).into()
        })
        .saying("the user is asked to confirm"),
        Case::silent("a key was handed out: that is never answered", || {
            ends(asked().answers_pairing().gives_key(Direction::Received, 9), 30_000).into()
        }),
        Case::suspect(Confidence::Medium, "an ATT request was open for as long", || {
            let mtu = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            ends(asked().att(Direction::Sent, mtu), 30_000).into()
        })
        .saying("either may have run out")
        .pins(&["LONG"]),
        Case::cause(Confidence::High, "an ATT request was open for a shorter time", || {
            let mtu = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            ends(asked().wait_ms(1_100).att(Direction::Sent, mtu), 28_900).into()
        })
        .not_saying("either may have run out")
        .pins(&["LONG"]),
        Case::silent("the device refused", || {
            let reason = smp::Reason::UNSPECIFIED_REASON;
            let failed = asked().smp(Direction::Received, smp::Pdu::PairingFailed { reason });
            ends(failed, 30_000).into()
        }),
        Case::cause(Confidence::High, "it was open for exactly 29 s", || {
            asked().after_us(29_000_000).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("it was open for a moment less", || {
            asked().after_us(28_999_999).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::suspect(Confidence::Medium, "an ATT request was open for exactly 29 s", || {
            let mtu = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            let link = asked().wait_ms(200).att(Direction::Sent, mtu).after_us(29_000_000);
            link.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "an ATT request was open for a moment less", || {
            let mtu = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            let link = asked().wait_ms(200).att(Direction::Sent, mtu).after_us(28_999_999);
            link.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "it is the device that owes the next packet", || {
            ends(asked(), 30_000).into()
        })
        .saying("Pairing stopped on the device's side"),
        Case::cause(Confidence::High, "it is this host that owes the next packet", || {
            ends(asked().answers_pairing(), 30_000).into()
        })
        .saying("Pairing stopped on this side"),
        Case::cause(Confidence::High, "this host only begins to scan meanwhile", || {
            ends(asked().answers_pairing().scan(true, 96, 48), 30_000).into()
        })
        .not_saying("the user is asked"),
        Case::cause(Confidence::High, "the user had been asked before this pairing began", || {
            let link = question(Trace::new().up()).wait_ms(900).asks_to_pair();
            ends(link.answers_pairing(), 30_000).into()
        })
        .not_saying("the user is asked"),
        Case::cause(Confidence::High, "the user is asked when the link is gone", || {
            question(ends(asked().answers_pairing(), 30_000).wait_ms(900)).into()
        })
        .not_saying("the user is asked"),
        Case::cause(Confidence::High, "the device owes the next packet, and this host's user is asked as well", || {
            ends(question(asked()), 30_000).into()
        })
        .saying("Confirm the pairing"),
    ],
};

fn asked() -> Trace {
    Trace::new().up().asks_to_pair()
}

fn ends(trace: Trace, wait: u32) -> Trace {
    trace.wait_ms(wait).hangs_up(Status::AUTHENTICATION_FAILURE)
}

/// The kernel asks the daemon to confirm.
fn question(trace: Trace) -> Trace {
    let mut event = vec![1, 0, 0, 0, 0x0f, 0];
    event.extend(PEER.0);
    event.extend([2, 1, 0, 0, 0, 0]);
    trace.monitor(17, &event)
}

/// The transaction's timeout is 30 s; hosts end the link a little early or late.
const LONG: Span = Span::from_ms(29_000);

/// Where this host owed the next packet.
const ANSWER: Remedy = Remedy::on(
    &[Stack::BlueZ],
    "Answer the agent's question (the desktop's dialog, or `yes` at the prompt of an open `bluetoothctl`).",
);
/// Where the device owed it.
const PRESS: Remedy =
    Remedy::any("Put the device in pairing mode and press its button when pairing begins.");
/// Elsewhere a person, or the program, must answer.
const CONFIRM: Remedy = Remedy::on(
    &[Stack::Android, Stack::Ios, Stack::MacOs, Stack::NimBle, Stack::Esp, Stack::Zephyr],
    "Confirm the pairing on this host when it asks.",
);

/// A pairing that stopped.
#[derive(Debug)]
struct Stalled {
    /// The last PDU of the pairing: the one that should follow never came.
    pdu: &'static str,
    frame: u32,
    age: Span,
    waits_for_us: bool,
    /// Somebody was asked to confirm.
    asked: Option<u32>,
    /// An ATT request that was open for as long.
    also: Option<u32>,
    end: Option<End>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let open = connection.open_requests.iter().find(|o| matches!(o.pending, Pending::Smp(_)))?;
    let age = open.age.filter(|age| *age >= LONG)?;
    let Pending::Smp(code) = open.pending else { return None };
    // Keys are handed over one after the other and are never answered (0x06 to 0x0a).
    if (0x06..=0x0a).contains(&code) {
        return None;
    }
    let asked = scene.capture().adapter_events.iter().find(|e| {
        matches!(e.what, Happening::ConfirmationAsked { .. })
            && e.frame > open.frame
            && connection.end.as_ref().is_none_or(|end| e.frame < end.frame)
    });
    // An ATT request that was open just as long explains the end equally well: name both.
    let also = connection
        .open_requests
        .iter()
        .find(|o| matches!(o.pending, Pending::Att(_)) && o.age.is_some_and(|age| age >= LONG));
    let facts = Stalled {
        pdu: smp::Pdu::name_of(code).unwrap_or("pairing PDU"),
        frame: open.frame,
        age,
        waits_for_us: open.by == Direction::Received,
        asked: asked.map(|event| event.frame),
        also: also.map(|request| request.frame),
        end: connection.end.clone(),
    };
    Some(match facts.also {
        None => Verdict::cause(facts).sure(Confidence::High),
        Some(_) => Verdict::suspect(facts),
    })
}

impl Facts for Stalled {
    fn says(&self) -> Text {
        let says = if self.waits_for_us {
            text!(
                "Pairing stopped on this side: after the device's {} this host sent nothing more for {}.",
                self.pdu,
                self.age
            )
        } else {
            text!(
                "Pairing stopped on the device's side: this host's {} had no answer for {}.",
                self.pdu,
                self.age
            )
        };
        match self.also {
            None => says,
            Some(_) => says.and(" An ATT request was open for as long: either may have run out."),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights =
            vec![Sight::here(self.frame, text!("{}, the last packet of the pairing", self.pdu))];
        sights
            .extend(self.also.map(|frame| {
                Sight::here(frame, "an ATT request without answer, open for as long")
            }));
        sights
            .extend(self.asked.map(|frame| {
                Sight::here(frame, "the user is asked to confirm, and never answers")
            }));
        sights.extend(self.end.as_ref().map(|end| match end.command_frame() {
            Some(frame) => Sight::here(frame, "Disconnect command of this host"),
            None => see::link_ended(end),
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("pairing-refused-by-peer", "no Pairing Failed was sent by anybody")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        // Only the side that owed the next packet can do something about it.
        if self.waits_for_us || self.asked.is_some() { vec![ANSWER, CONFIRM] } else { vec![PRESS] }
    }
}
