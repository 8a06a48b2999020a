use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::{Asked, OnAir};

pub const RULE: Rule = Rule {
    id: "peripheral-never-answered",
    title: "On the air the connect request was sent, and the device never answered it",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
A sniffer heard the connect request and the central's packets in the connection events that follow, and not one packet of
the device. The request was sent; the device did not take it, or did not find the central's packets.

## How it shows
CONNECT_IND, then a packet of the central in each connection event, each time the same one, and none of the peripheral.

## What else it could be
A sniffer that stands near the central and far from the device does not hear the device either. It heard the device's
advertising just before the request: that speaks against it.

## What to do
Try again with the device nearer. If it never answers this central and answers others, compare the two connect requests:
window offset, channel map, ChSel, PHY and address type.",
    sources: &["Core, Vol 6, Part B, 4.5: a connection is established once a packet of the peer was received"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "six events, and no answer", || {
            asked().unanswered(6).gone(500).into()
        })
        .about(&[1])
        .saying("6 connection events"),
        Case::silent("it answers in the sixth event", || {
            asked().unanswered(5).idles(1).gone(5_000).into()
        }),
        Case::cause(Confidence::Medium, "the sniffer missed every other event", || {
            asked().unanswered(3).missed(3).unanswered(3).gone(500).into()
        })
        .saying("The sniffer heard nothing of"),
        Case::cause(Confidence::High, "three events were heard", || {
            asked().unanswered(3).gone(500).into()
        })
        .pins(&["FEWEST_EVENTS"]),
        Case::silent("two events: the sniffer lost the link", || {
            asked().unanswered(2).gone(500).into()
        })
        .pins(&["FEWEST_EVENTS"]),
        Case::cause(Confidence::Medium, "the sniffer missed one event of ten", || {
            asked().unanswered(5).missed(1).unanswered(4).gone(500).into()
        }),
        Case::cause(Confidence::High, "the sniffer missed one event of eleven", || {
            asked().unanswered(5).missed(1).unanswered(5).gone(500).into()
        })
        .not_saying("The sniffer heard nothing of"),
    ],
};

fn asked() -> OnAir {
    OnAir::new().advertises(true).asks(Asked::default())
}

/// Of so few events the sniffer shows nothing: a device may miss the first ones.
const FEWEST_EVENTS: u32 = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Try again three to five times with the device at one metre: the request went out, and the device did not take it.",
    ),
    Remedy::firmware(
        "check that the device listens on the channel of its advertisement right after it, and that its accept list is not set.",
    ),
];

/// A request that nobody took.
#[derive(Debug)]
struct Silent {
    request: Seen,
    first: Seen,
    last: Seen,
    events: u32,
    gaps: Option<Text>,
    heard_again: Option<Seen>,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    let request = link.request?;
    if link.first_answer.is_some()
        || link.peripheral.broken > 0
        || link.timing.central < FEWEST_EVENTS
    {
        return None;
    }
    let facts = Silent {
        request: request.seen,
        first: link.central.first?,
        last: link.central.last?,
        events: link.timing.central,
        gaps: heard.gaps(),
        heard_again: heard.connection.report_after.map(|report| report.seen),
    };
    Some(Verdict::cause(facts).sure(heard.sure(Confidence::High)))
}

impl Facts for Silent {
    fn says(&self) -> Text {
        let again = self
            .heard_again
            .map(|_| " It went on advertising afterwards: it never took the request.");
        text!(
            "The connect request was sent, and the central spoke in {}; the device answered in none of them.{} {}",
            prose::count(self.events as usize, "connection event", "connection events"),
            again,
            self.gaps.clone()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            sight(self.request, "the connect request"),
            sight(self.first, "the central's first packet"),
            sight(self.last, "its last one, not answered either"),
        ];
        sights.extend(self.heard_again.map(|seen| sight(seen, "the device advertises again")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("connect-request-never-sent", "the sniffer heard the request"),
            RuledOut::no_exchange_was_possible(),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        self.gaps.clone().into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
