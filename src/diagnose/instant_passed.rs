use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::air::Procedure;
use crate::packet::air::Control;
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::OnAir;

pub const RULE: Rule = Rule {
    id: "instant-passed",
    title: "A change of the link was to hold from an event that was over when the device got it",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Changes of interval, channel map and PHY name the connection event from which on they hold: the instant. The device has to
receive the PDU before it. Where it is received too late, the two sides live by different rules, and the link is lost; a
device that notices ends it with 0x28.

## How it shows
The PDU with the instant is repeated, unacknowledged, until the event of its instant is there or over. Or LL_TERMINATE_IND
with Instant Passed (0x28).

## What else it could be
Radio loss is what delays the PDU: see on which channels packets are lost.

## What to do
Ask for fewer changes right after connecting, and not while packets are being lost. Firmware: an instant at least six
events ahead, more with peripheral latency.",
    sources: &["Core, Vol 6, Part B, 5.5.1: instants", "Core, Vol 1, Part F, 2.35: Instant Passed (0x28)"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "repeated until its instant is there", || {
            update(6, 8, false).gone(5_000).into()
        })
        .about(&[1])
        .saying("LL_CONNECTION_UPDATE_IND"),
        Case::silent("acknowledged in the event before the instant", || {
            update(6, 5, true).idles(4).gone(5_000).into()
        }),
        Case::silent("heard once, in the event of its instant", || {
            update(0, 1, false).gone(5_000).into()
        }),
        Case::cause(Confidence::High, "heard twice, from the event of its instant on", || {
            update(0, 2, false).gone(5_000).into()
        }),
        Case::cause(Confidence::High, "the device says so", || {
            OnAir::up().hangs_up(Direction::Received, Status::INSTANT_PASSED).gone(5_000).into()
        })
        .saying("0x28"),
        Case::silent("the device hangs up for another reason", || {
            OnAir::up().hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "last repeated in the event of its instant", || {
            update(6, 7, false).gone(5_000).into()
        }),
        Case::silent("last repeated in the event before its instant", || {
            update(6, 6, false).gone(5_000).into()
        }),
        Case::suspect(Confidence::High, "received too late, and the link goes on", || {
            let air = update(6, 8, true).idles(2);
            air.hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "the device says nothing of an instant", || {
            update(6, 8, false).gone(5_000).into()
        })
        .not_saying("LL_TERMINATE_IND"),
    ],
};

/// A connection update whose instant is so many events ahead, and that goes unanswered for so many events; then the
/// device gets it, or does not.
fn update(ahead: u16, events: u32, received: bool) -> OnAir {
    let air = OnAir::up();
    let instant = air.now() + ahead;
    let pdu = Control::ConnectionUpdateInd {
        win_size: 1,
        win_offset: 0,
        interval: 24,
        latency: 0,
        timeout: 72,
        instant,
    };
    let air = air.control_in_vain(pdu, events);
    if received { air.control(Direction::Sent, pdu) } else { air }
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Let the link settle before its parameters are changed: no parameter, PHY or channel map update in the first second, and none while packets are lost.",
    ),
    Remedy::firmware(
        "choose the instant at least six events ahead, and more where the peripheral has latency.",
    ),
];

/// A change that came too late.
#[derive(Debug)]
struct Late {
    name: Option<&'static str>,
    request: Option<Seen>,
    last: Option<(Seen, u32)>,
    instant: Option<i64>,
    said: Option<Seen>,
}

/// Whether a change was still under way when it should have held.
fn is_late(procedure: &Procedure) -> bool {
    let Some(instant) = procedure.instant else { return false };
    // Of what was heard once nobody knows whether it came late, or whether the sniffer counts events otherwise.
    if procedure.last_sent.0.frame == procedure.request.frame {
        return false;
    }
    procedure.last_sent.1.is_some_and(|event| i64::from(event) >= instant)
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    let late = link.procedures.all.iter().find(|procedure| is_late(procedure));
    let said = link.terminated.filter(|end| end.reason == Status::INSTANT_PASSED);
    if late.is_none() && said.is_none() {
        return None;
    }
    let facts = Late {
        name: late.and_then(|procedure| Control::name_of(procedure.opcode)),
        request: late.map(|procedure| procedure.request),
        last: late.and_then(|procedure| Some((procedure.last_sent.0, procedure.last_sent.1?))),
        instant: late.and_then(|procedure| procedure.instant),
        said: said.map(|end| end.seen),
    };
    let verdict = if heard.died() { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    Some(verdict.sure(heard.sure(Confidence::High)))
}

impl Facts for Late {
    fn says(&self) -> Text {
        match (self.name, self.instant, self.last) {
            (Some(name), Some(instant), Some((_, event))) => text!(
                "{} holds from event {} on, and the central was still sending it in event {}: the device did not get it in time, and from then on the two sides live by different rules.",
                name,
                instant,
                event
            ),
            _ => text!(
                "A side ended the link with {}: a change of the link reached it after the event from which on it holds.",
                Status::INSTANT_PASSED
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        sights.extend(self.request.map(|seen| sight(seen, "the change, with its instant")));
        sights.extend(
            self.last
                .map(|(seen, _)| sight(seen, "the same, sent again when the instant was there")),
        );
        sights.extend(
            self.said
                .map(|seen| sight(seen, text!("LL_TERMINATE_IND: {}", Status::INSTANT_PASSED))),
        );
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the silence has a reason: the two sides disagree about the link",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
