use super::on_air::{Heard, sight};
use super::{
    Basis, Case, Check, Confidence, Facts, Level, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::air::Control;
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::OnAir;

pub const RULE: Rule = Rule {
    id: "ll-procedures-collide",
    title: "Both sides began a change of the link at the same time",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Changes of parameters, channel map and PHY exclude each other: while one is under way, the other side may not begin another.
Where both begin, the central's goes on and the peripheral's has to give way. Link layers that do not do this lose the link.

## How it shows
Two procedures with an instant, one of either side, overlap; or a side answers with LL Procedure Collision (0x23) or
Different Transaction Collision (0x2A).

## What else it could be
A refusal alone is the rule at work: where the link goes on, it is worth a note and no more.

## What to do
Let one side alone ask for changes, and not in the first moments of a link.",
    sources: &["Core, Vol 6, Part B, 5.3: procedure collisions"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "both begin, and the link dies", || {
            both().gone(5_000).into()
        })
        .about(&[1])
        .saying("LL_PHY_UPDATE_IND"),
        Case::note(Confidence::High, "a refusal, and the link goes on", || {
            refused(Status::DIFFERENT_TRANSACTION_COLLISION)
                .idles(6)
                .hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED)
                .into()
        })
        .saying("0x2a"),
        Case::silent("refused for another reason", || {
            refused(Status::UNSUPPORTED_LL_PARAMETER).idles(6).gone(5_000).into()
        }),
        Case::silent("one after the other", || {
            OnAir::up().control(Direction::Sent, update(6)).idles(8).control(Direction::Received, ASKS).gone(5_000).into()
        }),
        Case::note(Confidence::High, "refused with LL Procedure Collision", || {
            let air = refused(Status::LL_COLLISION).idles(6);
            air.hangs_up(Direction::Sent, Status::REMOTE_USER_TERMINATED).into()
        })
        .saying("The link went on."),
        Case::cause(Confidence::High, "the link that dies does not go on", || both().gone(5_000).into())
            .saying("The link did not survive it."),
    ],
};

const ASKS: Control<'_> = Control::ConnectionParamReq {
    interval_min: 24,
    interval_max: 40,
    latency: 0,
    timeout: 200,
    preferred_periodicity: 0,
    reference_conn_event_count: 0,
    offset0: 0xffff,
    offset1: 0xffff,
    offset2: 0xffff,
    offset3: 0xffff,
    offset4: 0xffff,
    offset5: 0xffff,
};

/// A connection update from this many events after the link's second one on.
fn update(ahead: u16) -> Control<'static> {
    Control::ConnectionUpdateInd {
        win_size: 1,
        win_offset: 0,
        interval: 24,
        latency: 0,
        timeout: 72,
        instant: OnAir::up().now() + ahead,
    }
}

fn both() -> OnAir {
    let phy = |instant| Control::PhyUpdateInd { phy_c_to_p: 2, phy_p_to_c: 2, instant };
    let air = OnAir::up().control(Direction::Received, ASKS);
    let instant = air.now() + 6;
    air.control(Direction::Sent, phy(instant)).unanswered(8)
}

fn refused(error_code: Status) -> OnAir {
    let refusal = Control::RejectExtInd { reject_opcode: 0x0f, error_code };
    OnAir::up().control(Direction::Received, ASKS).control(Direction::Sent, refusal)
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Let one side alone ask for changes of the link: switch off the host's own parameter or PHY request where the device makes one.",
    ),
    Remedy::firmware(
        "wait some seconds after connecting before asking for parameters, and give way when the central begins.",
    ),
];

/// Two at once.
#[derive(Debug)]
struct Crossed {
    first: (Seen, &'static str),
    second: Option<(Seen, &'static str)>,
    refusal: Option<(Seen, Status)>,
    died: bool,
}

fn name(opcode: u8) -> &'static str {
    Control::name_of(opcode).unwrap_or("a link-layer procedure")
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let procedures = &heard.link.procedures;
    let refused = procedures.all.iter().find_map(|procedure| {
        let answer = procedure.answer?;
        let error = answer.error?;
        let collision =
            matches!(error, Status::LL_COLLISION | Status::DIFFERENT_TRANSACTION_COLLISION);
        collision.then_some((procedure, answer.seen, error))
    });
    let crossed = procedures.collisions.first().and_then(|crossed| {
        Some((procedures.all.get(crossed.first)?, procedures.all.get(crossed.second)?))
    });
    let (first, second) = match (crossed, refused) {
        (Some((first, second)), _) => (first, Some(second)),
        (None, Some((first, ..))) => (first, None),
        (None, None) => return None,
    };
    let level = heard.level();
    let facts = Crossed {
        first: (first.request, name(first.opcode)),
        second: second.map(|second| (second.request, name(second.opcode))),
        refusal: refused.map(|(_, seen, error)| (seen, error)),
        died: level == Level::Cause,
    };
    let verdict = match level {
        Level::Cause => Verdict::cause(facts),
        _ => Verdict::note(facts),
    };
    Some(verdict.sure(heard.sure(Confidence::High)))
}

impl Facts for Crossed {
    fn says(&self) -> Text {
        let end = match self.died {
            true => "The link did not survive it.",
            false => "The link went on.",
        };
        match (self.second, self.refusal) {
            (Some((_, second)), _) => text!(
                "{} of one side was still under way when the other side began {}: the two exclude each other. {}",
                self.first.1,
                second,
                end
            ),
            (None, refusal) => text!(
                "{} was refused because another procedure was under way ({}). {}",
                self.first.1,
                refusal.map(|(_, error)| error),
                end
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![sight(self.first.0, text!("{}: the first one", self.first.1))];
        sights
            .extend(self.second.map(|(seen, name)| sight(seen, text!("{}: the second one", name))));
        sights.extend(self.refusal.map(|(seen, error)| sight(seen, text!("refused: {}", error))));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the silence follows two changes at once, of which each side may have made another",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
