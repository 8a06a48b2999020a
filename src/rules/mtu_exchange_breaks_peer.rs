use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::capture::Direction::{Received, Sent};
use crate::link::{Connection, Detail, EndedBy, Outcome, Procedure, Stack, Step};
use crate::time::Span;
use crate::trace::Trace;
use crate::wire::Status;
use crate::wire::att::{ErrorCode, Pdu};

pub const RULE: Rule = Rule {
    id: "mtu-exchange-breaks-peer",
    title: "The MTU exchange went wrong, and nothing came after it",
    basis: Basis::Laboratory,
    silences: &["never-usable-connection", "att-request-unanswered", "att-transaction-timeout-30s", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
The device answered the Exchange MTU Request in a way that this host's ATT client does not survive: with an error other than
Request Not Supported, with two answers, or not at all while it asked the same of this host. The client then stops or closes
the channel, and services stay empty although the link is healthy.

## How it shows
An Error Response to opcode 0x02 with a code other than 0x06, and no further request of this host; or a second response to
the same request, and our own Disconnect within three seconds; or both sides ask, and ours stays open.

## What else it could be
Error 0x06 is a lawful answer: the MTU stays 23 and discovery goes on. A peer that asks for the MTU itself, even twice, is
normal, and so is any value. With 0x3E the device was never heard, and the MTU is not involved.

## What to do
Leave the exchange out on this host, or use a stack that tolerates the answer; in firmware answer once, with an
Exchange MTU Response.",
    sources: &["BlueZ src/shared/gatt-client.c and att.c", "bluez/bluez#2486, #2224, #65", "embassy-rs/trouble#619"],
    check: Check::Connection(check),
    fires_on: || example(ErrorCode(0x04), false).into(),
    // Refused as the specification allows, and discovery goes on.
    silent_on: || example(ErrorCode(0x06), true).into(),
};

fn example(error: ErrorCode, discovers: bool) -> Trace {
    let trace = Trace::new().up().refused(Pdu::ExchangeMtuRequest { client_rx_mtu: 517 }, error);
    let trace = if discovers { trace.discovery(2) } else { trace };
    trace.wait_ms(12_000).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    (
        &[Stack::BlueZ],
        "`[GATT]` `ExchangeMTU=23` in /etc/bluetooth/main.conf (23 sends no request), then `sudo systemctl restart bluetooth`; or a newer BlueZ.",
    ),
    (
        &[Stack::Noble],
        "Update noble, or use its D-Bus binding: on a raw socket it always asks for the MTU, whatever value you set.",
    ),
    (
        &[Stack::Android, Stack::NimBle, Stack::Esp, Stack::Zephyr, Stack::BtStack, Stack::Bumble],
        "Leave the MTU request of the application out: the MTU then stays 23.",
    ),
    (
        &[],
        "In the device's firmware: answer each Exchange MTU Request with exactly one response, or with error 0x06 if it is not supported.",
    ),
];

/// The three ways in which the exchange goes wrong.
enum Wrong {
    Refused(u8),
    AnsweredTwice,
    BothAsked,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.cut_packets > 0 || !connection.start_seen {
        return None;
    }
    let asked =
        connection.steps.iter().find(|s| s.procedure == Procedure::ExchangeMtu && s.by == Sent)?;
    let wrong = wrong(connection, asked)?;
    let (says, sees, confidence) = match wrong {
        Wrong::Refused(code) => (
            format!(
                "The device answered the Exchange MTU Request with error {code:#04x} instead of a value; this host's ATT client sent no further request on a healthy link."
            ),
            format!("Error Response to the Exchange MTU Request, code {code:#04x}"),
            Confidence::High,
        ),
        Wrong::AnsweredTwice => (
            "The device answered one Exchange MTU Request twice. The second answer belongs to no request; this host then closed the link."
                .to_owned(),
            "a second answer to the same Exchange MTU Request".to_owned(),
            Confidence::High,
        ),
        Wrong::BothAsked => (
            "Both sides asked for the MTU, and the device never answered this host's request: everything behind it in the queue waited."
                .to_owned(),
            "Exchange MTU Request of this host, without answer".to_owned(),
            Confidence::Medium,
        ),
    };
    let mut verdict = Verdict::cause(says).sure(confidence).sees(asked.frame, see::pdu(asked));
    if asked.last_frame != asked.frame {
        verdict = verdict.sees(asked.last_frame, sees);
    }
    if let Some(end) = &connection.end {
        let (frame, text) = see::ended(end);
        verdict = verdict.sees(frame, text);
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device answered on ATT")
            .rules_out("supervision-timeout-0x08", "the link itself was healthy")
            .settled_by(
                "Repeat without the MTU exchange: if services then appear, it was this answer.",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}

fn wrong(connection: &Connection, asked: &Step) -> Option<Wrong> {
    let later =
        connection.steps.iter().any(|s| s.by == Sent && s.is_att() && s.frame > asked.last_frame);
    match (asked.outcome, asked.detail) {
        (Outcome::Error, _) => {
            let code = asked.status.filter(|code| *code != 0x06)?;
            // The host had time to go on, and did not.
            let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
            let stalled = stop.since(asked.last_at)? >= Span::from_ms(1000);
            (!later && stalled).then_some(Wrong::Refused(code))
        }
        (Outcome::Ok, Detail::Mtu { answers: 2.., .. }) => {
            let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
            let soon = end.command_at.since(asked.last_at)? < Span::from_ms(3000);
            soon.then_some(Wrong::AnsweredTwice)
        }
        (Outcome::Unanswered, _) => connection
            .steps
            .iter()
            .any(|s| s.procedure == Procedure::ExchangeMtu && s.by == Received)
            .then_some(Wrong::BothAsked),
        _ => None,
    }
}
