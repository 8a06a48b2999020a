use super::on_air::{Heard, sight};
use super::{
    Basis, Case, Check, Confidence, Facts, Level, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::air::Control;
use crate::packet::att::{Handle, Pdu};
use crate::packet::{Direction, Secret, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::OnAir;

pub const RULE: Rule = Rule {
    id: "encryption-overlaps-procedure",
    title: "Another packet came between the steps of an encryption's start",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
While encryption starts, neither side may send anything else: no data, and no other link-layer request. A link layer that
gets such a packet may end the link, or decrypt what was never encrypted and fail with 0x3D.

## How it shows
Between LL_ENC_REQ and the end of the three-way handshake stands another control PDU or data.

## What else it could be
A packet that was queued before and is repeated is allowed: it has the number of one that was sent before.

## What to do
Let the host wait: start encryption when no other procedure is open, and begin features, version, data length and PHY
exchanges before or after it.",
    sources: &["Core, Vol 6, Part B, 5.1.3.1: what may be sent while encryption starts"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "a length request in between, and the link dies", || {
            asked().control(Direction::Received, ASKS).control(Direction::Received, ANSWERS).gone(5_000).into()
        })
        .about(&[1])
        .saying("LL_LENGTH_REQ"),
        Case::note(Confidence::High, "the same, and the link goes on", || {
            let air = asked().control(Direction::Received, ASKS).control(Direction::Received, ANSWERS);
            air.hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("nothing in between", || {
            asked().control(Direction::Received, ANSWERS).control(Direction::Received, Control::StartEncReq {}).gone(5_000).into()
        }),
        Case::silent("the key is missing", || {
            let refusal = Control::RejectExtInd { reject_opcode: 3, error_code: Status::PIN_OR_KEY_MISSING };
            asked().control(Direction::Received, refusal).control(Direction::Received, ASKS).gone(5_000).into()
        }),
        Case::cause(Confidence::High, "the device asks", || {
            asked().control(Direction::Received, ASKS).control(Direction::Received, ANSWERS).gone(5_000).into()
        })
        .saying("the device had LL_LENGTH_REQ under way")
        .not_saying("The link went on"),
        Case::note(Confidence::High, "the central sends data, and the link goes on", || {
            let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
            let air = asked().att(Direction::Sent, read).control(Direction::Received, ANSWERS);
            air.hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("the central had data under way: nothing else is allowed then. The link went on."),
    ],
};

const ASKS: Control<'_> = Control::LengthReq {
    max_rx_octets: 251,
    max_rx_time: 2120,
    max_tx_octets: 251,
    max_tx_time: 2120,
};

const ANSWERS: Control<'_> =
    Control::EncRsp { skd_p: Secret::new([1; 8]), iv_p: Secret::new([2; 4]) };

fn asked() -> OnAir {
    OnAir::up().control(
        Direction::Sent,
        Control::EncReq {
            rand: Secret::new([0; 8]),
            ediv: 0,
            skd_c: Secret::new([3; 8]),
            iv_c: Secret::new([4; 4]),
        },
    )
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Start encryption only when features, version, data length and PHY exchanges are over, or before they begin.",
    ),
    Remedy::firmware("hold back requests and data from LL_ENC_REQ until encryption is on."),
];

/// What came in between.
#[derive(Debug)]
struct Between {
    start: Seen,
    seen: Seen,
    what: &'static str,
    by_central: bool,
    died: bool,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let procedures = &heard.link.procedures;
    let overlap = procedures.overlaps.first()?;
    let start = procedures.all.iter().find(|p| p.kind == crate::air::ProcedureKind::Encryption)?;
    let level = heard.level();
    let facts = Between {
        start: start.request,
        seen: overlap.seen,
        what: overlap
            .opcode
            .map_or("data", |opcode| Control::name_of(opcode).unwrap_or("an unknown request")),
        by_central: overlap.by == Direction::Sent,
        died: level == Level::Cause,
    };
    let verdict = match level {
        Level::Cause => Verdict::cause(facts),
        _ => Verdict::note(facts),
    };
    Some(verdict.sure(heard.sure(Confidence::High)))
}

impl Facts for Between {
    fn says(&self) -> Text {
        text!(
            "While encryption was starting, the {} had {} under way: nothing else is allowed then. {}",
            if self.by_central { "central" } else { "device" },
            self.what,
            if self.died { "The link did not survive it." } else { "The link went on." }
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            sight(self.start, "LL_ENC_REQ: encryption begins"),
            sight(self.seen, text!("{}: what may not stand beside it", self.what)),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "link-died-during-encryption",
            "what came in between is seen on the air",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    /// What is shown as the beginning is LL_ENC_REQ, whatever the two sides had asked each other before.
    #[test]
    fn encryption_begins_with_its_own_request() {
        let features = |by, pdu| move |air: OnAir| air.control(by, pdu);
        let asks = features(Direction::Sent, Control::FeatureReq { feature_set: [1; 8] });
        let told = features(Direction::Received, Control::FeatureRsp { feature_set: [1; 8] });
        let before = told(asks(OnAir::up()));
        let frames = Trace::from(before.clone()).records().count();
        let encrypts = Control::EncReq {
            rand: Secret::new([0; 8]),
            ediv: 0,
            skd_c: Secret::new([3; 8]),
            iv_c: Secret::new([4; 4]),
        };
        let air = before.control(Direction::Sent, encrypts).control(Direction::Received, ASKS);
        let captures = [Trace::from(air.control(Direction::Received, ANSWERS).gone(5_000)).run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        let found = crate::diagnose::diagnose(&scene);
        let finding = found.iter().find(|finding| finding.rule == RULE.id).expect("found");
        assert_eq!(finding.evidence[0].frame as usize, frames + 1);
    }
}
