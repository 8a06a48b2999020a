use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction::Sent;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Pdu};
use crate::packet::hci::Command;
use crate::prose::{Text, quoted};
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, EndedBy, Procedure, Stack, Step};
use crate::trace::{PEER, Trace};

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
        Case::cause(Confidence::Medium, "after the error noble is silent for 25 s", || {
            gives_up(asks(ErrorCode::INVALID_PDU), 25_000).into()
        })
        .about(&[1])
        .saying("this host gives up"),
        Case::silent("the error is the one that means that it is not supported", || {
            gives_up(asks(ErrorCode::REQUEST_NOT_SUPPORTED), 25_000).into()
        }),
        Case::cause(Confidence::Medium, "it is silent for 3.005 s", || {
            gives_up(asks(ErrorCode::INVALID_PDU), 2_955).into()
        })
        .pins(&["STALLED"]),
        Case::silent("it is silent for 2.995 s", || {
            gives_up(asks(ErrorCode::INVALID_PDU), 2_945).into()
        })
        .pins(&["STALLED"]),
        Case::cause(Confidence::Medium, "the device leaves", || {
            asks(ErrorCode::INVALID_PDU).wait_ms(25_000).disconnected(HUNG_UP).into()
        })
        .saying("Disconnection Complete, "),
        Case::silent("noble goes on", || {
            gives_up(asks(ErrorCode::INVALID_PDU).discovery(2), 25_000).into()
        }),
        Case::silent("another host asked", || {
            let request = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
            gives_up(Trace::new().up().refused(request, ErrorCode::INVALID_PDU), 25_000).into()
        }),
        Case::cause(Confidence::Medium, "the device sends a value meanwhile", || {
            gives_up(asks(ErrorCode::INVALID_PDU).notified(3, &[1]), 25_000).into()
        }),
        Case::cause(Confidence::Medium, "this host answers a request of the device meanwhile", || {
            let asked = asks(ErrorCode::INVALID_PDU).from_peer(&[0x0a, 3, 0], &[0x01, 0x0a, 3, 0, 0x02]);
            gives_up(asked, 25_000).into()
        }),
        Case::cause(Confidence::Medium, "it is silent for exactly 3 s", || {
            asks(ErrorCode::INVALID_PDU).after_ms(3_000).disconnected(HUNG_UP).into()
        }),
        Case::silent("it is silent for a moment less", || {
            asks(ErrorCode::INVALID_PDU).after_us(2_999_999).disconnected(HUNG_UP).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// noble's own request: 7.5-22.5 ms, and the MTU at once.
fn asks(error: ErrorCode) -> Trace {
    Trace::new()
        .taken(Command::LeCreateConnection {
            le_scan_interval: 0x60,
            le_scan_window: 0x30,
            initiator_filter_policy: 0,
            peer_address_type: crate::packet::AddressType::RANDOM,
            peer_address: PEER,
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
}

/// The end comes 50 ms later than that.
fn gives_up(trace: Trace, ms: u32) -> Trace {
    trace.wait_ms(ms).hangs_up(HUNG_UP)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Use noble's D-Bus binding (`withBindings('dbus')`) or a release whose ATT queue goes on after error 0x04.",
    ),
    Remedy::firmware(
        "answer the Exchange MTU Request with a value, or with error 0x06 (Request Not Supported).",
    ),
];

/// A queue that works sends its next request sooner.
const STALLED: Span = Span::from_ms(3_000);

/// noble waits for an answer that has come.
#[derive(Debug)]
struct Stall {
    asked: Step,
    stalled: Span,
    /// What shows that the host is noble.
    host: Option<(u32, Box<str>)>,
    end: Option<End>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let host = scene.capture().host.as_ref().filter(|host| host.stack == Stack::Noble)?;
    let asked = connection
        .steps
        .iter()
        .find(|s| s.procedure == Procedure::ExchangeMtu && s.by == Sent)
        .filter(|s| s.status == Some(ErrorCode::INVALID_PDU.0))?;
    let stop = connection.end.as_ref().map_or(connection.capture_end, |end| end.at);
    let stalled = stop.since(asked.last.at).filter(|wait| *wait >= STALLED)?;
    let goes_on = see::later(connection, asked).any(|s| s.by == Sent && s.is_att());
    if goes_on || connection.cut_packets > 0 {
        return None;
    }
    let facts = Stall {
        asked: asked.clone(),
        stalled,
        host: host.evidence_frame.map(|frame| (frame, host.evidence.as_str().into())),
        end: connection.end.clone(),
    };
    let confidence = if host.guessed { Confidence::Medium } else { Confidence::High };
    Some(Verdict::cause(facts).sure(confidence))
}

impl Facts for Stall {
    fn says(&self) -> Text {
        text!(
            "The device answered noble's Exchange MTU Request with error {}, and noble sent nothing more on ATT for {}: its queue still waits for this request.",
            ErrorCode::INVALID_PDU,
            self.stalled
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.asked.frame, see::request(&self.asked)),
            Sight::here(self.asked.last.frame, text!("Error Response, {}", ErrorCode::INVALID_PDU)),
        ];
        sights.extend(self.host.iter().map(|(frame, shows)| {
            Sight::here(*frame, text!("the host is noble: {}", quoted(shows)))
        }));
        sights.extend(self.end.iter().map(|end| match end.by {
            EndedBy::Host => Sight::here(end.frame, "this host gives up"),
            _ => see::link_ended(end),
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "the device answered on ATT"),
            RuledOut::new("att-request-unanswered", "the request was answered, with an error"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
