use super::on_air::{Heard, sight};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::trace::on_air::{Asked, OnAir};

pub const RULE: Rule = Rule {
    id: "zero-window-offset",
    title: "The connect request left the device 1.25 ms, and the device never found the central",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
The transmit window says when the central speaks first. With an offset of zero it opens 1.25 ms after the connect request.
Some devices need longer to switch from advertising to a connection. They miss the first event; some then never find the link.

## How it shows
WinOffset is 0 in the connect request, and the device answers in no event.

## What else it could be
This is the author's reasoning from the specification: no capture backs it yet. Whatever else keeps a device from
answering looks the same. A device that answers other requests with offset 0 does not have this fault.

## What to do
Connect from another adapter: the offset is the central's controller's choice. If that works, the device's firmware is too slow.",
    sources: &["Core, Vol 6, Part B, 4.5.3: the transmit window"],
    check: Check::Air(check),
    cases: &[
        Case::suspect(Confidence::Medium, "offset 0, and no answer", || asked(0).unanswered(6).gone(500).into())
            .about(&[1])
            .saying("1.25 ms"),
        Case::silent("offset 1, and no answer", || asked(1).unanswered(6).gone(500).into()),
        Case::silent("offset 0, and it answers in the second event", || {
            asked(0).unanswered(1).idles(5).gone(5_000).into()
        }),
        Case::suspect(Confidence::Medium, "three events were heard", || {
            asked(0).unanswered(3).gone(500).into()
        })
        .pins(&["FEWEST_EVENTS"]),
        Case::silent("two events say nothing", || asked(0).unanswered(2).gone(500).into())
            .pins(&["FEWEST_EVENTS"]),
    ],
};

fn asked(win_offset: u16) -> OnAir {
    OnAir::new().advertises(true).asks(Asked { win_offset, ..Asked::default() })
}

/// A device may miss the first events and come later.
const FEWEST_EVENTS: u32 = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::any("Try another adapter: its controller chooses another window offset."),
    Remedy::firmware("be ready for a first packet 1.25 ms after the connect request."),
];

/// A window that opened at once.
#[derive(Debug)]
struct Hurried {
    request: Seen,
    first: Seen,
    events: u32,
}

fn check(_: &Scene<'_>, heard: &Heard<'_>) -> Option<Verdict> {
    let link = heard.link;
    let request = link.request?;
    let silent = link.first_answer.is_none() && link.timing.central >= FEWEST_EVENTS;
    if request.win_offset != 0 || request.auxiliary || !silent {
        return None;
    }
    let facts =
        Hurried { request: request.seen, first: link.central.first?, events: link.timing.central };
    Some(Verdict::suspect(facts).sure(heard.sure(Confidence::Medium)))
}

impl Facts for Hurried {
    fn says(&self) -> Text {
        text!(
            "The connect request has a window offset of 0, so the central spoke 1.25 ms after it, and the device answered in none of {}. A device that needs longer to switch misses the link.",
            prose::count(self.events as usize, "event", "events")
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            sight(self.request, "the connect request, with a window offset of 0"),
            sight(self.first, "the central's first packet"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "A sniffed connect request with another window offset, to the same device: if it answers that one, this is the cause."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
