use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction::{Received, Sent};
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, Detail, EndedBy, Outcome, Procedure, Stack, Step};
use crate::trace::Trace;

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
the same request, and our own Disconnect within three seconds; or both sides ask, and ours stays open. Or the device names one
MTU as server and another as client, and a value that it sends ends exactly at the smaller one: that form is a suspicion, and
rests on a trace of its author's.

## What else it could be
Error 0x06 is a lawful answer: the MTU stays 23 and discovery goes on. A peer that asks for the MTU itself, even twice, is
normal, and so is any value. With 0x3E the device was never heard, and the MTU is not involved.

## What to do
Leave the exchange out on this host, or use a stack that tolerates the answer; in firmware answer once, with an
Exchange MTU Response.",
    sources: &["BlueZ src/shared/gatt-client.c and att.c", "bluez/bluez#2486, #2224, #65", "embassy-rs/trouble#619"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(ErrorCode(0x04), false).into()),
        // Refused as the specification allows, and discovery goes on.
        Case::silent("the nearest other trace", || example(ErrorCode(0x06), true).into()),
    ],
};

fn example(error: ErrorCode, discovers: bool) -> Trace {
    let trace = Trace::new().up().refused(Pdu::ExchangeMtuRequest { client_rx_mtu: 517 }, error);
    let trace = if discovers { trace.discovery(2) } else { trace };
    trace.wait_ms(12_000).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ always asks for the MTU. The way around it is raw ATT over an L2CAP socket on channel 4, which asks for nothing by itself.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Update noble, or use its D-Bus binding: on a raw socket it always asks for the MTU, whatever value you set.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::NimBle, Stack::Esp, Stack::Zephyr, Stack::BtStack, Stack::Bumble],
        "Leave the MTU request of the application out: the MTU then stays 23.",
    ),
    Remedy::any(
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
    breaks(scene, connection).or_else(|| shortens(scene, connection))
}

/// The device has one MTU as server and another as client, and cuts a value at the smaller.
fn shortens(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let exchange = |by| {
        connection
            .steps
            .iter()
            .filter(move |s| s.procedure == Procedure::ExchangeMtu && s.by == by)
            .find_map(|s| match s.detail {
                Detail::Mtu { asked, answered, .. } => Some((s, asked, answered)),
                _ => None,
            })
    };
    let ((ours, _, server), (theirs, client, _)) = (exchange(Sent)?, exchange(Received)?);
    let server = server?;
    let small = client.min(server).max(23);
    let read = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Read
            && s.by == Sent
            && s.outcome == Outcome::Ok
            && s.count == 1
            && s.frame > ours.frame.max(theirs.frame)
            && s.bytes + 1 == u64::from(small)
            && matches!(s.detail, Detail::Read { offset: 0, by_type: 0 })
    })?;
    let goes_on = connection.steps.iter().any(|s| {
        s.attribute == read.attribute && matches!(s.detail, Detail::Read { offset: 1.., .. })
    });
    if client == server || goes_on {
        return None;
    }
    Some(
        Verdict::suspect(format!(
            "The device says that its MTU is {server} as a server and {client} as a client, and a value that it sent ends exactly where the smaller one does, after {} bytes: it may have been cut, and this host did not ask for more.",
            read.bytes
        ))
        .sure(Confidence::Low)
        .sees(read.last.frame, format!("{}: {} bytes", see::pdu(read), read.bytes))
        .sees(ours.last.frame, format!("the device answers this host's request: {server}"))
        .sees(theirs.frame, format!("the device's own request: {client}"))
        .settled_by("Read the same value with Read Blob from where it ends: is there more?")
        .try_these(remedies(scene, REMEDIES)),
    )
}

fn breaks(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
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
    if asked.last.frame != asked.frame {
        verdict = verdict.sees(asked.last.frame, sees);
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
        connection.steps.iter().any(|s| s.by == Sent && s.is_att() && s.frame > asked.last.frame);
    match (asked.outcome, asked.detail) {
        (Outcome::Error, _) => {
            let code = asked.status.filter(|code| *code != 0x06)?;
            // The host had time to go on, and did not.
            let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
            let stalled = stop.since(asked.last.at)? >= Span::from_ms(1000);
            (!later && stalled).then_some(Wrong::Refused(code))
        }
        (Outcome::Ok, Detail::Mtu { answers: 2.., .. }) => {
            let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
            let soon = end.command_at().since(asked.last.at)? < Span::from_ms(3000);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Finding, Level, diagnose};
    use crate::packet::att::Handle;

    /// The device answers `server`, asks for `client`, and sends a value of that length.
    fn found(server: u16, client: u16, length: usize) -> Option<Finding> {
        let [low, high] = client.to_le_bytes();
        let value = vec![7; length];
        let trace = Trace::new()
            .up()
            .exchange(
                Pdu::ExchangeMtuRequest { client_rx_mtu: 517 },
                Pdu::ExchangeMtuResponse { server_rx_mtu: server },
            )
            .from_peer(&[0x02, low, high], &[0x03, 5, 2])
            .discovery(2)
            .exchange(
                Pdu::ReadRequest { attribute_handle: Handle(3) },
                Pdu::ReadResponse { attribute_value: &value },
            )
            .wait_ms(5_000)
            .hangs_up(Status::REMOTE_USER_TERMINATED);
        let captures = [trace.run()];
        diagnose(&Scene { captures: &captures, subject: 0, comparison: None })
            .into_iter()
            .find(|f| f.rule == RULE.id)
    }

    #[test]
    fn a_value_that_ends_at_the_smaller_of_two_mtus_may_be_cut() {
        let finding = found(679, 103, 102).expect("a finding");
        assert_eq!((finding.level, finding.confidence), (Level::Suspect, Confidence::Low));
        assert!(
            finding.says.to_string().contains("679") && finding.says.to_string().contains("103"),
            "{finding:?}"
        );
        assert_eq!(found(679, 103, 60), None, "shorter than either");
        assert_eq!(found(103, 103, 102), None, "one MTU");
    }
}
