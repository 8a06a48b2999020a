use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::air::Control;
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::time::Span;
use crate::trace::on_air::OnAir;

pub const RULE: Rule = Rule {
    id: "ll-procedure-unanswered",
    title: "A link-layer request was received and never answered",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The link layer of the other side acknowledged a request and never answered it. The specification gives 40 s; then the side
that asked must end the link with 0x22. Until then it may begin nothing else of the kind.

## How it shows
A request PDU, acknowledged by the next packet of the other side, and no answer and no refusal while the link goes on.

## What else it could be
Where the link is encrypted meanwhile, the answer may be there and cannot be read: then this rule says nothing.

## What to do
Do not send the request to this device: choose a lower feature set, or another adapter. Firmware: answer every request, with
LL_UNKNOWN_RSP at least.",
    sources: &["Core, Vol 6, Part B, 5.2: the procedure response timeout"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "40 s, and the link ends with 0x22", || {
            asked().idles(1_400).hangs_up(Direction::Sent, Status::LL_RESPONSE_TIMEOUT).into()
        })
        .about(&[1])
        .saying("LL_LENGTH_REQ"),
        Case::silent("answered in the next event", || {
            asked().control(Direction::Received, ANSWER).idles(1_400).gone(5_000).into()
        }),
        Case::silent("never acknowledged: it did not arrive", || {
            OnAir::up().control_in_vain(ASKS, 20).gone(5_000).into()
        }),
        Case::suspect(Confidence::High, "5.1 s without an answer, and the link ends", || {
            asked().idles(170).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["LONG"]),
        Case::silent("4.5 s", || {
            asked().idles(150).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .pins(&["LONG"]),
        Case::suspect(Confidence::High, "refused is answered: another request is open", || {
            let refusal = Control::UnknownRsp { unknown_type: 0x14 };
            let air = asked().control(Direction::Received, refusal);
            air.control(Direction::Sent, Control::PingReq {}).idles(200).gone(5_000).into()
        })
        .saying("LL_PING_REQ"),
        Case::cause(Confidence::High, "the link ends with 0x22 sooner than that", || {
            asked().idles(20).hangs_up(Direction::Sent, Status::LL_RESPONSE_TIMEOUT).into()
        })
        .saying("The link was ended for it (0x22)"),
        Case::suspect(Confidence::High, "another end is not put down to it", || {
            asked().idles(200).hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("The central sent LL_LENGTH_REQ, the device's link layer")
        .not_saying("The link was ended for it"),
        Case::cause(Confidence::High, "the device asks, and the central does not answer", || {
            let air = OnAir::up().control(Direction::Received, ASKS).idles(1_400);
            air.hangs_up(Direction::Received, Status::LL_RESPONSE_TIMEOUT).into()
        })
        .saying("The device sent LL_LENGTH_REQ, the central's link layer"),
    ],
};

const ASKS: Control<'_> = Control::LengthReq {
    max_rx_octets: 251,
    max_rx_time: 2120,
    max_tx_octets: 251,
    max_tx_time: 2120,
};

const ANSWER: Control<'_> =
    Control::LengthRsp { max_rx_octets: 27, max_rx_time: 328, max_tx_octets: 27, max_tx_time: 328 };

fn asked() -> OnAir {
    OnAir::up().control(Direction::Sent, ASKS)
}

/// Link layers answer within a few events. Who has not answered by now does not answer.
const LONG: Span = Span::from_ms(5_000);

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Keep the request from being sent: another adapter, or an older feature set (no data length, PHY or parameter request), shows whether the device is content then.",
    ),
    Remedy::firmware("answer every request of the link layer; LL_UNKNOWN_RSP is an answer too."),
];

/// A request without an answer.
#[derive(Debug)]
struct Unanswered {
    name: &'static str,
    by_central: bool,
    request: Seen,
    acknowledged: Seen,
    last: Seen,
    waited: Span,
    ended: Option<Seen>,
    gaps: Option<Text>,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    let last =
        [link.central.last?, link.peripheral.last?].into_iter().max_by_key(|seen| seen.frame)?;
    let ended = link.terminated.filter(|end| end.reason == Status::LL_RESPONSE_TIMEOUT);
    if link.encrypted > 0 {
        return None;
    }
    let (procedure, acknowledged, waited) = link.procedures.all.iter().find_map(|procedure| {
        let open = procedure.wants_answer() && procedure.answer.is_none();
        let (acknowledged, _) = procedure.acknowledged.filter(|_| open)?;
        let waited = last.at.since(acknowledged.at)?;
        (waited >= LONG || ended.is_some()).then_some((procedure, acknowledged, waited))
    })?;
    let facts = Unanswered {
        name: Control::name_of(procedure.opcode).unwrap_or("a link-layer request"),
        by_central: procedure.by == Direction::Sent,
        request: procedure.request,
        acknowledged,
        last,
        waited,
        ended: ended.map(|end| end.seen),
        gaps: heard.gaps(),
    };
    let verdict = if ended.is_some() { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    Some(verdict.sure(heard.sure(Confidence::High)))
}

impl Facts for Unanswered {
    fn says(&self) -> Text {
        let (asks, other) =
            if self.by_central { ("central", "device") } else { ("device", "central") };
        text!(
            "The {} sent {}, the {}'s link layer acknowledged it, and no answer came in {}.{} {}",
            asks,
            self.name,
            other,
            self.waited,
            self.ended.map(|_| " The link was ended for it (0x22)."),
            self.gaps.clone()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            sight(self.request, self.name),
            sight(self.acknowledged, "acknowledged by the other side's link layer"),
        ];
        sights.push(match self.ended {
            Some(seen) => sight(seen, text!("LL_TERMINATE_IND: {}", Status::LL_RESPONSE_TIMEOUT)),
            None => sight(self.last, "the last packet of the link, still without an answer"),
        });
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("peripheral-never-answered", "both sides were heard")]
    }

    fn would_settle(&self) -> Vec<Text> {
        self.gaps.clone().into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    /// An answer that is encrypted cannot be read.
    #[test]
    fn of_an_encrypted_link_nobody_knows() {
        let air = asked().idles(1_400).hangs_up(Direction::Sent, Status::LL_RESPONSE_TIMEOUT);
        let mut captures = [Trace::from(air).run()];
        let said = |captures: &[crate::timeline::Capture]| {
            let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
            crate::diagnose::diagnose(&scene).iter().any(|finding| finding.rule == RULE.id)
        };
        assert!(said(&captures));
        captures[0].connections[0].air.as_mut().expect("on the air").encrypted = 1;
        assert!(!said(&captures));
    }
}
