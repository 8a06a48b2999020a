use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::units::{Interval, Timeout};
use crate::packet::{Direction, Status, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "param-update-unanswered-then-drop",
    title: "The device left because its connection parameters were refused or ignored",
    basis: Basis::Real,
    silences: &["remote-user-terminated-idle", "peer-hangs-up-on-deadline", "immediate-0x13-after-first-att"],
    docs: "\
## What it means
The device asked for other connection parameters, a longer interval to save power as a rule. This host refused or never
answered, and the device ended the link.

## How it shows
Connection Parameter Update Request from the peer (or LE Remote Connection Parameter Request) without an answer or with a
refusal, then Disconnection Complete 0x13, at once or after its own timer (30 to 60 s as a rule).

## What else it could be
A request that was accepted and carried out is normal, whatever values came of it.

## What to do
Let the host accept the values: a kernel with the fix of mid-2024; in firmware ask for values that hosts accept, and do not hang
up over a refusal.",
    sources: &["bluez/bluez#847", "Linux commit 806a5198c059", "noble/noble#296, #347", "tinygo-org/bluetooth#456"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "this host refuses, and the device hangs up", || {
            left(answered(1)).into()
        })
        .about(&[1])
        .saying("100-125 ms, latency 4, timeout 6.00 s); this host refused"),
        Case::cause(Confidence::High, "this host never answers, and the device hangs up", || {
            left(asked()).into()
        })
        .saying("this host never answered"),
        Case::silent("this host accepts", || left(answered(0)).into()),
        Case::silent("it asks once more, and this host accepts", || {
            left(answered(1).wait_ms(500).followed_by(again(0))).into()
        }),
        Case::cause(Confidence::High, "the device leaves 74.9 s later", || {
            answered(1).wait_ms(74_900).disconnected(LEFT).into()
        })
        .pins(&["LONGEST"]),
        Case::silent("the device leaves 75.1 s later", || {
            answered(1).wait_ms(75_100).disconnected(LEFT).into()
        })
        .pins(&["LONGEST"]),
        Case::silent("the link is lost", || {
            answered(1).wait_ms(2_000).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("this host hangs up", || {
            answered(1).wait_ms(2_000).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the device never asked", || left(Trace::new().up().mtu()).into()),

        Case::cause(Confidence::High, "the device leaves exactly 75 s later", || {
            answered(1).after_ms(75_000).disconnected(LEFT).into()
        }),
        Case::cause(Confidence::High, "this host accepts, and refuses the next request", || {
            left(answered(0).wait_ms(500).followed_by(again(1))).into()
        })
        .saying("30-50 ms"),
    ],
};

fn asked() -> Trace {
    let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: 80,
        interval_max: 100,
        latency: 4,
        timeout: 600,
    };
    Trace::new().up().mtu().wait_ms(500).signal(Direction::Received, 1, wanted)
}

/// The request once more on the same link, and the answer to it.
fn again(result: u16) -> Trace {
    let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: 24,
        interval_max: 40,
        latency: 0,
        timeout: 600,
    };
    let answer = signal::Pdu::ConnectionParameterUpdateResponse { result };
    let asked = Trace::new().signal(Direction::Received, 2, wanted).wait_ms(2);
    asked.signal(Direction::Sent, 2, answer)
}

fn answered(result: u16) -> Trace {
    let answer = signal::Pdu::ConnectionParameterUpdateResponse { result };
    asked().wait_ms(2).signal(Direction::Sent, 1, answer)
}

fn left(link: Trace) -> Trace {
    link.wait_ms(2_000).disconnected(Status::REMOTE_USER_TERMINATED)
}

const LEFT: Status = Status::REMOTE_USER_TERMINATED;

/// Devices are known that wait 5, 40, 60 or 70 s for the parameters; one that leaves later has another reason.
const LONGEST: Span = Span::from_ms(75_000);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use a kernel with commit 806a5198c059 (mid-2024, also in stable kernels): it accepts such requests without any setting.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Update noble: old versions never answer this request on a user channel; on a raw socket the kernel answers (see the kernel's fix 806a5198c059).",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Answer the request in the GAP event handler (accept it, or return the values that you allow).",
    ),
    Remedy::firmware("do not end the link when a parameter request is refused."),
];

/// The parameters of one request: units of 1.25 ms, events, units of 10 ms.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    min: u16,
    max: u16,
    latency: u16,
    timeout: u16,
    frame: u32,
    /// Where this host refuses.
    refused_frame: Option<u32>,
}

/// A device that left after its requests were refused or ignored.
#[derive(Debug)]
struct Refused {
    asked: Vec<Wanted>,
    last: Wanted,
    later: Span,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    if connection.cut_packets > 0 {
        return None;
    }
    let wishes = connection
        .steps
        .iter()
        .filter(|s| s.procedure == Procedure::ParameterUpdate && s.by == Direction::Received);
    // What was refused first may have been granted then.
    if !wishes.clone().next_back()?.failed() {
        return None;
    }
    let asked: Vec<_> = wishes
        .filter(|s| s.failed())
        .filter_map(|s| match s.detail {
            Detail::Parameters { min: 0, .. } => None,
            Detail::Parameters { min, max, latency, timeout, .. } => {
                let refused_frame = (s.outcome == Outcome::Error).then_some(s.last.frame);
                let wanted = Wanted { min, max, latency, timeout, frame: s.frame, refused_frame };
                Some((wanted, s.last.at))
            }
            _ => None,
        })
        .collect();
    let (last, last_at) = *asked.last()?;
    let later = end.at.since(last_at).filter(|later| *later <= LONGEST)?;
    let asked = asked.into_iter().map(|(wanted, _)| wanted).collect();
    let facts = Refused { asked, last, later, end: end.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Wanted {
    fn text(&self) -> Text {
        text!(
            "{}-{} ms, latency {}, timeout {}",
            format_args!("{}", Interval(self.min).ms()),
            format_args!("{}", Interval(self.max).ms()),
            self.latency,
            Timeout(self.timeout).span()
        )
    }
}

impl Facts for Refused {
    fn says(&self) -> Text {
        let host = if self.last.refused_frame.is_some() { "refused" } else { "never answered" };
        text!(
            "The device asked for other connection parameters ({}); this host {}, and {} later the device hung up.",
            self.last.text(),
            host,
            self.later
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let of = |wanted: &Wanted| {
            let asked = Sight::here(wanted.frame, text!("the peer asks for {}", wanted.text()));
            let refused = wanted.refused_frame.map(|frame| Sight::here(frame, "this host refuses"));
            std::iter::once(asked).chain(refused)
        };
        self.asked.iter().flat_map(of).chain([see::link_ended(&self.end)]).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new(
                "remote-user-terminated-idle",
                "the device's own request was open or refused before it left",
            ),
            RuledOut::new("never-heard-peer", "the device was heard"),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
