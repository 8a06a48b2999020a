use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict, see};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "noble-stall-mtu-invalid-pdu",
    title: "noble's ATT queue stands still after an error to the MTU request",
    basis: Basis::Laboratory,
    silences: &["mtu-exchange-breaks-peer", "never-usable-connection", "zombie-link-data-silence", "connection-cancelled-by-app"],
    docs: "\
## What it means
noble on a raw HCI socket asks for the MTU at once. The device answers with error 0x04 (Invalid PDU). noble's handler for
this error returns without releasing the current command, so every later request waits for ever. `connect` has long succeeded.

## How it shows
The host is noble (a request of 256 directly after LE Connection Complete, no feature request of its own). Error Response
0x04 to opcode 0x02, and nothing more from this host on ATT for seconds, while the link stays up.

## What else it could be
Another host after the same answer is `mtu-exchange-breaks-peer`. Without any answer it is an unanswered request.

## What to do
Use noble's D-Bus binding, or a noble whose queue goes on after error 0x04. Setting `mtu: 23` is not known to prevent the
request.",
    sources: &["stoprocent/noble lib/hci-socket/gatt.js"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(ErrorCode(0x04)).into()),
        Case::silent("the nearest other trace", || example(ErrorCode(0x06)).into()),
    ],
};

/// noble's own request: 7.5-22.5 ms, and the MTU at once.
fn example(error: ErrorCode) -> Trace {
    let peer = crate::trace::PEER;
    Trace::new()
        .taken(crate::packet::hci::Command::LeCreateConnection {
            le_scan_interval: 0x60,
            le_scan_window: 0x30,
            initiator_filter_policy: 0,
            peer_address_type: crate::packet::AddressType::RANDOM,
            peer_address: peer,
            own_address_type: 0,
            connection_interval_min: 6,
            connection_interval_max: 18,
            max_latency: 0,
            supervision_timeout: 42,
            min_ce_length: 4,
            max_ce_length: 6,
        })
        .connected_as(0, 18, 0, 42)
        .refused(Pdu::ExchangeMtuRequest { client_rx_mtu: 256 }, error)
        .wait_ms(25_000)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let host = scene.capture().host.as_ref().filter(|host| host.stack == Stack::Noble)?;
    let asked = connection
        .steps
        .iter()
        .find(|s| s.procedure == Procedure::ExchangeMtu && s.by == Sent)
        .filter(|s| s.outcome == Outcome::Error && s.status == Some(0x04))?;
    let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
    let stalled = stop.since(asked.last.at).filter(|wait| *wait >= Span::from_ms(3000))?;
    let later =
        connection.steps.iter().any(|s| s.by == Sent && s.is_att() && s.frame > asked.last.frame);
    if later || connection.cut_packets > 0 {
        return None;
    }
    let mut verdict = Verdict::cause(format!(
        "The device answered noble's Exchange MTU Request with error 0x04, and noble sent nothing more on ATT for {stalled}: its queue still waits for this request."
    ))
    .sure(if host.guessed { Confidence::Medium } else { Confidence::High })
    .sees(asked.frame, see::pdu(asked))
    .sees(asked.last.frame, "Error Response, Invalid PDU (0x04)");
    if let Some(frame) = host.evidence_frame {
        verdict = verdict.sees(frame, format!("the host is noble: {}", host.evidence));
    }
    if let Some(end) = &connection.end {
        let (frame, text) = see::ended(end);
        let text = if end.by == EndedBy::Host { "this host gives up".to_owned() } else { text };
        verdict = verdict.sees(frame, text);
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device answered on ATT")
            .rules_out("att-request-unanswered", "the request was answered, with an error")
            .try_this("Use noble's D-Bus binding (`withBindings('dbus')`) or a release whose ATT queue goes on after error 0x04.")
            .try_this("In the device's firmware: answer the Exchange MTU Request with a value, or with error 0x06 (Request Not Supported)."),
    )
}
