use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::air::ProcedureKind;
use crate::packet::air::Control;
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::time::Span;
use crate::trace::on_air::OnAir;

pub const RULE: Rule = Rule {
    id: "hangs-up-after-feature-reject",
    title: "A side hung up because the other does not know its feature exchange",
    basis: Basis::Real,
    silences: &["hangs-up-after-command", "hangs-up-before-any-att", "att-request-unanswered", "unexplained-end"],
    docs: "\
## What it means
One side asked for the other's link-layer features. The other answered that it does not know the request: an answer, and no
fault. The host that asked took it for a failure and ended the link.

## How it shows
On the air: LL_PERIPHERAL_FEATURE_REQ or LL_FEATURE_REQ, LL_UNKNOWN_RSP as the answer, and a few events later
LL_TERMINATE_IND of the side that had asked. What the other side had asked meanwhile stays without an answer.

## What else it could be
An end that comes much later is the application's.

## What to do
Use a newer kernel on the side that hung up, or a controller there that does not send the request as peripheral.",
    sources: &["an nRF Sniffer capture of a Raspberry Pi Zero 2 W as peripheral, linux-bluetooth mailing list, April 2025"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "the device hangs up two events later", || {
            refused().idles(1).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .about(&[1])
        .saying("LL_PERIPHERAL_FEATURE_REQ"),
        Case::silent("the central hangs up", || {
            refused().idles(1).hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the features are told", || {
            let told = Control::FeatureRsp { feature_set: [1; 8] };
            let air = OnAir::up().control(Direction::Received, ASKS).control(Direction::Sent, told);
            air.idles(1).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "240 ms later", || {
            refused().idles(7).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["AT_ONCE"]),
        Case::silent("360 ms later", || {
            refused().idles(11).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["AT_ONCE"]),
        Case::cause(Confidence::High, "the central asks, and hangs up", || {
            let asks = Control::FeatureReq { feature_set: [0x1f, 0, 0, 0, 0, 0, 0, 0] };
            let answer = Control::UnknownRsp { unknown_type: 0x08 };
            let air = OnAir::up().control(Direction::Sent, asks).control(Direction::Received, answer);
            air.idles(1).hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("The central sent LL_FEATURE_REQ, the device answered"),
        Case::silent("the length of packets is what the other side does not know", || {
            let asks = Control::LengthReq {
                max_rx_octets: 251,
                max_rx_time: 2120,
                max_tx_octets: 251,
                max_tx_time: 2120,
            };
            let answer = Control::UnknownRsp { unknown_type: 0x14 };
            let air = OnAir::up().control(Direction::Received, asks).control(Direction::Sent, answer);
            air.idles(1).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "the device asks", || {
            refused().idles(1).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("The device sent LL_PERIPHERAL_FEATURE_REQ, the central answered"),
        Case::cause(Confidence::High, "nine events of 30 ms later", || {
            refused().idles(8).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("ten events of 30 ms later", || {
            refused().idles(9).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        }),
    ],
};

const ASKS: Control<'_> =
    Control::PeripheralFeatureReq { feature_set: [0x1f, 0, 0, 0, 0, 0, 0, 0] };

fn refused() -> OnAir {
    let answer = Control::UnknownRsp { unknown_type: 0x0e };
    OnAir::up().control(Direction::Received, ASKS).control(Direction::Sent, answer)
}

/// A host decides at once, and its end waits for a connection event or two.
const AT_ONCE: Span = Span::from_ms(300);

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Update the kernel of the side that hung up, or give it another adapter: its own stack ends the link.",
    ),
    Remedy::firmware(
        "answer the feature request of the peripheral instead of LL_UNKNOWN_RSP (newer link-layer stack).",
    ),
];

/// An answer that was taken for a failure.
#[derive(Debug)]
struct Taken {
    name: &'static str,
    by_central: bool,
    request: Seen,
    answer: Seen,
    end: Seen,
    reason: Status,
    after: Span,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let end = heard.link.terminated?;
    let (procedure, answer, after) = heard.link.procedures.all.iter().find_map(|procedure| {
        let answer = procedure.answer?;
        let refused = answer.error == Some(Status::UNSUPPORTED_REMOTE_FEATURE);
        let after = end.seen.at.since(answer.seen.at)?;
        let fits = procedure.kind == ProcedureKind::Features && procedure.by == end.by;
        (refused && fits && after >= Span(0) && after <= AT_ONCE)
            .then_some((procedure, answer, after))
    })?;
    let facts = Taken {
        name: Control::name_of(procedure.opcode).unwrap_or("the feature request"),
        by_central: procedure.by == Direction::Sent,
        request: procedure.request,
        answer: answer.seen,
        end: end.seen,
        reason: end.reason,
        after,
    };
    Some(Verdict::cause(facts).sure(heard.sure(Confidence::High)))
}

impl Facts for Taken {
    fn says(&self) -> Text {
        let (asks, other) =
            if self.by_central { ("central", "device") } else { ("device", "central") };
        text!(
            "The {} sent {}, the {} answered that it does not know it, and {} later the {}'s own host ended the link ({}). Nothing was lost on the air, and what was asked meanwhile died with the link.",
            asks,
            self.name,
            other,
            self.after,
            asks,
            self.reason
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            sight(self.request, self.name),
            sight(self.answer, "LL_UNKNOWN_RSP: the other side does not know the request"),
            sight(self.end, text!("LL_TERMINATE_IND: {}", self.reason)),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("peripheral-never-answered", "both sides were heard"),
            RuledOut::new(
                "supervision-timeout-0x08",
                "a side ended the link with a packet of its own",
            ),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
