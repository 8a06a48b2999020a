use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::air::Algorithm;
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::{Asked, OnAir};

pub const RULE: Rule = Rule {
    id: "wrong-channel-selection",
    title: "The central hops by another channel selection algorithm than the two sides agreed on",
    basis: Basis::Laboratory,
    silences: &["peripheral-never-answered", "zero-window-offset"],
    docs: "\
## What it means
Both sides say with one bit (ChSel) whether they know channel selection algorithm #2. If both do, both must use it, else #1.
Here the central's packets are on the channels of the other algorithm: the device waits where nobody speaks.

## How it shows
The channels of the central's packets follow one algorithm in every event, and ChSel of advertisement and connect request
call for the other.

## What else it could be
A device that says that it knows #2 and hops by #1 looks the same from its side: the sniffer then hears it on other channels.

## What to do
Update the controller's firmware on the side that hops wrongly. Until then, connect in a way that does not offer algorithm #2.",
    sources: &["Core, Vol 6, Part B, 4.5.8: channel selection", "Core, Vol 6, Part C, 3: sample data of algorithm #2"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "algorithm #1 where both know #2", || {
            hops(true, true, Algorithm::One, 6).into()
        })
        .about(&[1])
        .saying("the central is on the channels of algorithm #1"),
        Case::cause(Confidence::High, "algorithm #2 to a device that does not know it", || {
            hops(false, true, Algorithm::Two, 6).into()
        })
        .saying("agree on channel selection algorithm #1"),
        Case::silent("both know #2, and the central uses it", || {
            hops(true, true, Algorithm::Two, 6).into()
        }),
        Case::silent("the central does not offer #2", || hops(true, false, Algorithm::One, 6).into()),
        Case::cause(Confidence::High, "four events tell it", || {
            hops(true, true, Algorithm::One, 4).into()
        })
        .pins(&["FEWEST_HOPS"]),
        Case::silent("three events may be chance", || hops(true, true, Algorithm::One, 3).into())
            .pins(&["FEWEST_HOPS"]),
        Case::cause(Confidence::High, "the device answers on the channels of the other algorithm", || {
            let asked = Asked { ch_sel: true, follows: Algorithm::One, ..Asked::default() };
            OnAir::new().advertises(true).asks(asked).idles(6).gone(5_000).into()
        })
        .not_saying("never answered"),
        Case::cause(Confidence::High, "the device never answers on those channels", || {
            hops(true, true, Algorithm::One, 6).into()
        })
        .saying("The device never answered"),
    ],
};

fn hops(advertiser: bool, ch_sel: bool, follows: Algorithm, events: u32) -> OnAir {
    let asked = Asked { ch_sel, follows, ..Asked::default() };
    OnAir::new().advertises(advertiser).asks(asked).unanswered(events).gone(500)
}

/// So many channels in a row are no chance: each agrees by accident once in 37 times.
const FEWEST_HOPS: usize = 4;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Use another adapter, or one with newer firmware: this one's controller hops by the wrong algorithm.",
    ),
    Remedy::firmware(
        "say with ChSel only what the link layer does: algorithm #2 is for both sides or for none.",
    ),
];

/// Channels that nobody agreed on.
#[derive(Debug)]
struct Wrong {
    request: Seen,
    first: Seen,
    events: usize,
    agreed: u8,
    followed: u8,
    answered: bool,
}

fn number(algorithm: Algorithm) -> u8 {
    if algorithm == Algorithm::One { 1 } else { 2 }
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    let request = link.request?;
    let (agreed, followed) = (request.algorithm()?, link.followed()?);
    if agreed == followed || link.hops.len() < FEWEST_HOPS {
        return None;
    }
    let facts = Wrong {
        request: request.seen,
        first: link.central.first?,
        events: link.hops.len(),
        agreed: number(agreed),
        followed: number(followed),
        answered: link.first_answer.is_some(),
    };
    Some(Verdict::cause(facts).sure(heard.sure(Confidence::High)))
}

impl Facts for Wrong {
    fn says(&self) -> Text {
        let silence =
            (!self.answered).then_some(" The device never answered: it listens on other channels.");
        text!(
            "Advertisement and connect request agree on channel selection algorithm #{}, and in {} the central is on the channels of algorithm #{}.{}",
            self.agreed,
            prose::count(self.events, "event", "events"),
            self.followed,
            silence
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            sight(self.request, "the connect request, with its ChSel bit"),
            sight(self.first, "the central's first packet, on a channel of the other algorithm"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("channel-losses", "the channels are the wrong ones, not bad ones")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
