use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Role, Sighting};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "never-heard-retry-loop",
    title: "Attempt after attempt was never answered by the device",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Three or more links to the same device ended without one packet from it. What the attempts have in common, and whether one of
them came through, says where to look.

## How it shows
Disconnection Complete with 0x3E, nothing heard, again and again. With a pause of less than half a second somebody in the stack
repeats by itself; with a pause of seconds it is the application. If one attempt in between was heard, the two devices can talk
and radio time or radio loss is the matter. If none of ten was, it is something fixed: address, PHY or kind of request, a device
that takes only hosts it knows, or two programs on one adapter.

## What else it could be
A device at the edge of its range behaves like this too: compare the signal strength of its advertising reports.

## What to do
If some attempts come through: stop scanning during setup, test with Wi-Fi off, come closer, retry with 0.5-1 s between.
If none does: more retries will not help; change one thing at a time.",
    sources: &["espressif/esp-idf#10201", "espressif/esp-nimble#73", "Bluetooth-Devices/bleak-retry-connector: its pauses"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::Medium, "four links, none of them answered", || {
            dead().repeated(4, 900).into()
        })
        .about(&[1, 2, 3, 4])
        .saying("too few attempts to tell"),
        Case::suspect(Confidence::Medium, "three links, none of them answered", || {
            dead().repeated(3, 900).into()
        })
        .pins(&["FEWEST"]),
        Case::silent("two links, none of them answered", || dead().repeated(2, 900).into())
            .pins(&["FEWEST"]),
        Case::suspect(Confidence::High, "three, and one that came through", || {
            dead().repeated(3, 900).wait_ms(900).up().mtu().into()
        })
        .about(&[1, 2, 3])
        .saying("3 of 4 links"),
        Case::suspect(Confidence::High, "ten links, none of them answered", || {
            dead().repeated(10, 900).into()
        })
        .saying("something fixed is the matter")
        .pins(&["MANY"]),
        Case::suspect(Confidence::Medium, "nine links, none of them answered", || {
            dead().repeated(9, 900).into()
        })
        .not_saying("something fixed is the matter")
        .pins(&["MANY"]),
        Case::suspect(Confidence::Medium, "the next link comes 490 ms after the end", || {
            dead().repeated(3, 429).into()
        })
        .saying("the stack repeats by itself")
        .pins(&["BY_ITSELF"]),
        Case::suspect(Confidence::Medium, "the next link comes 510 ms after the end", || {
            dead().repeated(3, 450).into()
        })
        .not_saying("the stack repeats by itself")
        .pins(&["BY_ITSELF"]),
        Case::suspect(Confidence::Medium, "received with -74 dBm", || {
            heard_at(-74).repeated(3, 900).into()
        })
        .saying("distance is not a likely reason")
        .pins(&["NEAR"]),
        Case::suspect(Confidence::Medium, "received with -75 dBm", || {
            heard_at(-75).repeated(3, 900).into()
        })
        .saying("from one metre away")
        .pins(&["NEAR"]),
        Case::silent("they ended for another reason", || {
            let link = Trace::new().advertises(0).create().connected().wait_ms(315);
            link.disconnected(Status::REMOTE_USER_TERMINATED).repeated(4, 900).into()
        }),
        Case::silent("the device connected to us", || {
            let link = Trace::new().connected_as(1, 39, 0, 42).wait_ms(315);
            link.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(4, 900).into()
        }),
        Case::suspect(Confidence::Medium, "the next link comes exactly 500 ms after the end", || {
            again_after(500_000).into()
        })
        .not_saying("the stack repeats by itself"),
        Case::suspect(Confidence::Medium, "the next link comes a moment sooner", || {
            again_after(499_999).into()
        })
        .saying("the stack repeats by itself"),
        Case::suspect(Confidence::Medium, "an attempt that was cancelled is no link", || {
            dead().repeated(3, 900).wait_ms(900).create().wait_ms(400).cancel().into()
        })
        .saying("3 of 3 links"),
        Case::suspect(Confidence::High, "a link that was heard and then given up is not one of them", || {
            let heard = Trace::new().up().mtu().wait_ms(315);
            let heard = heard.disconnected(Status::FAILED_TO_BE_ESTABLISHED);
            dead().repeated(3, 900).wait_ms(900).followed_by(heard).into()
        })
        .about(&[1, 2, 3])
        .saying("3 of 4 links"),
    ],
};

fn dead() -> Trace {
    heard_at(-60)
}

fn again_after(us: u32) -> Trace {
    (0..2).fold(dead(), |trace, _| {
        // A link is made 60.2 ms after its request.
        let link = trace.after_us(us - 60_200).create().connected().wait_ms(315);
        link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
    })
}

fn heard_at(rssi: i8) -> Trace {
    let link = Trace::new().heard_at(rssi).create().connected().wait_ms(315);
    link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

/// Fewer failures than this are no loop.
const FEWEST: usize = 3;

/// So many failures, and no success among them, are no chance.
const MANY: usize = 10;

/// No application tries again this soon.
const BY_ITSELF: Span = Span::from_ms(500);

/// From a stronger signal than this, in dBm, the device is near enough.
const NEAR: i8 = -75;

/// Most failed links that are shown.
const SHOWN: usize = 8;

const SOME_CAME_THROUGH: &[Remedy] = &[
    Remedy::any(
        "Retry with 0.5-1 s between attempts, and stop scanning until services are resolved.",
    ),
    Remedy::any("Repeat the test with Wi-Fi off, and once with a USB dongle on an extension lead."),
];

const NONE_CAME_THROUGH: &[Remedy] = &[
    Remedy::any(
        "Stop retrying and change one thing at a time: the kind of adapter, the address the scan reports, 1M PHY only, the device in pairing mode, nothing else connected to it.",
    ),
    Remedy::any(
        "Test the same adapter with another device, and the same device with a phone: the pair tells on which side to look.",
    ),
];

/// Links to one device that were not answered.
#[derive(Debug)]
struct Loop {
    /// End, reason and life of each.
    unheard: Vec<(u32, Status, Option<Span>)>,
    /// All links that the controller reported.
    links: usize,
    pauses: Vec<Span>,
    /// How the device was heard on another link.
    heard: Option<Sighting>,
    /// The best signal before the failures.
    signal: Option<i8>,
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let unheard: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| {
            c.never_heard()
                && c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED)
                && c.role == Some(Role::Central)
        })
        .collect();
    if unheard.len() < FEWEST {
        return None;
    }
    let heard = attempts.iter().find(|c| c.peer_heard());
    let pause = |pair: &[&&Connection]| {
        let [before, next] = pair else { return None };
        next.connected_at().since(before.end.as_ref()?.at)
    };
    let ends = unheard.iter().filter_map(|c| {
        let end = c.end.as_ref()?;
        Some((end.frame, end.reason, c.life()))
    });
    let facts = Loop {
        unheard: ends.collect(),
        links: attempts.iter().filter(|c| c.connected_frame().is_some()).count(),
        pauses: unheard.windows(2).filter_map(pause).collect(),
        heard: heard.and_then(|c| c.heard),
        signal: unheard.iter().filter_map(|c| c.report_before?.rssi).max(),
    };
    let sure = heard.is_some() || unheard.len() >= MANY;
    let confidence = if sure { Confidence::High } else { Confidence::Medium };
    Some(Verdict::suspect(facts).sure(confidence).about(unheard.iter().map(|c| c.number)))
}

impl Facts for Loop {
    fn says(&self) -> Text {
        let meaning = match self.heard {
            Some(_) => {
                "Some attempts came through, so the two can talk: radio time or radio loss is the matter."
            }
            None if self.unheard.len() >= MANY => {
                "None came through: something fixed is the matter, and more retries will not help."
            }
            None => "None came through: too few attempts to tell radio loss from something fixed.",
        };
        let pauses = see::from_to(&self.pauses);
        let cadence = match self.pauses.iter().max() {
            Some(longest) if *longest < BY_ITSELF => text!(
                " The pause between them ({}) is too short for an application: the stack repeats by itself.",
                pauses
            ),
            Some(_) => text!(" The pauses between them: {}.", pauses),
            None => Text::EMPTY,
        };
        text!(
            "{} of {} links to this device ended without one packet from it. {}{}",
            self.unheard.len(),
            self.links,
            meaning,
            cadence
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let ends = self.unheard.iter().take(SHOWN).map(|(frame, reason, life)| {
            let after = life.map(|life| text!(", {} after the link was made", life));
            Sight::here(*frame, text!("Disconnection Complete, {}{}", *reason, after))
        });
        let heard = self.heard.map(|heard| {
            Sight::here(heard.seen.frame, text!("another attempt is heard: {}", heard.by))
        });
        ends.chain(heard).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        let signal = self.signal.map(|rssi| {
            if rssi > NEAR {
                text!("The device was received with up to {} dBm: distance is not a likely reason.", rssi)
            } else {
                text!("The device was received with {} dBm at best: repeat the test from one metre away.", rssi)
            }
        });
        signal.into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        let remedies = if self.heard.is_some() { SOME_CAME_THROUGH } else { NONE_CAME_THROUGH };
        remedies.to_vec()
    }
}
