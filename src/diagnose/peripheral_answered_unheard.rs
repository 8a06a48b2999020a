use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::{Asked, OnAir};

pub const RULE: Rule = Rule {
    id: "peripheral-answered-unheard",
    title: "On the air the device answered, and the central did not hear it",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The device took the connect request and answered. The central acknowledged none of its packets: it did not receive them.
So the device is well, and the fault is at the central's receiver, its antenna, or the time that its radio had for the link.

## How it shows
Packets of the peripheral in connection events, and the central sends the same packet again each time: its next expected
sequence number stays what it was.

## What else it could be
Where only a few packets were heard, plain radio loss in one direction.

## What to do
Bring the central's antenna into the open: a USB dongle on an extension lead, away from USB 3 and Wi-Fi. Stop other use of
the same radio: scanning, Wi-Fi on a combined chip.",
    sources: &["Core, Vol 6, Part B, 4.5.9: acknowledgement and flow control"],
    check: Check::Air(check),
    cases: &[
        Case::cause(Confidence::High, "six answers that the central did not hear", || {
            in_vain(6).gone(500).into()
        })
        .about(&[1])
        .saying("6 packets of the device"),
        Case::silent("the second one is acknowledged", || in_vain(1).idles(6).gone(5_000).into()),
        Case::silent("it never answered", || {
            OnAir::new().advertises(true).asks(Asked::default()).unanswered(6).gone(500).into()
        }),
        Case::cause(Confidence::High, "two answers", || in_vain(2).unanswered(4).gone(500).into())
            .pins(&["FEWEST_ANSWERS"]),
        Case::silent("one answer may be lost by chance", || {
            in_vain(1).unanswered(5).gone(500).into()
        })
        .pins(&["FEWEST_ANSWERS"]),
    ],
};

fn in_vain(events: u32) -> OnAir {
    let asked = OnAir::new().advertises(true).asks(Asked::default());
    (0..events).fold(asked, |air, _| air.answered_in_vain())
}

/// One answer may be lost by chance.
const FEWEST_ANSWERS: u64 = 2;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Give the central a better ear: a USB dongle on an extension lead, away from USB 3 ports, hubs and metal.",
    ),
    Remedy::any(
        "Stop what else uses the central's radio while it connects: scanning, and Wi-Fi on a combined chip.",
    ),
];

/// Answers that were not received.
#[derive(Debug)]
struct Unheard {
    first: Seen,
    last: Seen,
    answers: u64,
    repeated: Seen,
    gaps: Option<Text>,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    link.request?;
    let unheard = link.peripheral.packets >= FEWEST_ANSWERS && link.heard_by_central.is_none();
    // The central must have had the chance to acknowledge.
    let last = link.peripheral.last?;
    let repeated = link
        .central
        .last
        .filter(|seen| seen.frame > link.peripheral.first.map_or(0, |f| f.frame))?;
    if !unheard {
        return None;
    }
    let facts = Unheard {
        first: link.peripheral.first?,
        last,
        answers: link.peripheral.packets,
        repeated,
        gaps: heard.gaps(),
    };
    Some(Verdict::cause(facts).sure(heard.sure(Confidence::High)))
}

impl Facts for Unheard {
    fn says(&self) -> Text {
        text!(
            "The sniffer heard {}; the central acknowledged none of them and kept sending the same packet. The device did answer: the central's radio did not receive it. {}",
            prose::count(
                usize::try_from(self.answers).unwrap_or(usize::MAX),
                "packet of the device",
                "packets of the device"
            ),
            self.gaps.clone()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            sight(self.first, "the device's first answer"),
            sight(self.repeated, "the central, which still expects the first one"),
            sight(self.last, "the device's last answer"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("peripheral-never-answered", "the sniffer heard the device's answers")]
    }

    fn would_settle(&self) -> Vec<Text> {
        self.gaps.clone().into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
