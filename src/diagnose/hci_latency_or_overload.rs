use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::{Address, AddressType, Direction, Status, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Stack, Step};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "hci-latency-or-overload",
    title: "Several links of one adapter were lost at the same moment",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
Links to different devices that are lost together point to what they share: this adapter, its radio time, its host, or their
surroundings, not to the devices.

## How it shows
Two or more links to different devices end with 0x08 within one second on one adapter. It is a suspicion where the capture
shows the load too: four links and more at intervals of 15 ms or less, or a host that takes longer than 200 ms to answer what
devices ask it; else a note.

## What else it could be
A host that moved away from all devices at once, or a burst of disturbance.

## What to do
Fewer links on an adapter, longer intervals with a common factor, no scanning meanwhile, Wi-Fi off for a test.",
    sources: &["hbldh/bleak#1858", "Nordic SoftDevice scheduling documentation"],
    check: Check::Capture(check),
    cases: &[
        Case::suspect(Confidence::Medium, "of four fast links two are lost 200 ms apart", || {
            lost(links(4, 12), 4, 200).into()
        })
        .about(&[1, 4])
        .saying("4 links were open at intervals of 15 ms or less"),
        Case::silent("they are lost 5 s apart", || lost(links(4, 12), 4, 5_000).into()),
        Case::suspect(Confidence::Medium, "they are lost 999 ms apart", || {
            lost(links(4, 12), 4, 999).into()
        })
        .pins(&["TOGETHER"]),
        Case::silent("they are lost 1.001 s apart", || lost(links(4, 12), 4, 1_001).into())
            .pins(&["TOGETHER"]),
        Case::note(Confidence::Low, "the links are not fast", || lost(links(4, 39), 4, 200).into())
            .not_saying("busy"),
        Case::suspect(Confidence::Medium, "an interval of 15 ms", || {
            lost(links(4, 12), 4, 200).into()
        })
        .pins(&["FAST"]),
        Case::note(Confidence::Low, "an interval of 16.25 ms", || {
            lost(links(4, 13), 4, 200).into()
        })
        .pins(&["FAST"]),
        Case::suspect(Confidence::Medium, "four fast links", || {
            lost(links(4, 12), 4, 200).into()
        })
        .pins(&["MANY"]),
        Case::note(Confidence::Low, "three fast links", || lost(links(3, 12), 3, 200).into())
            .pins(&["MANY"]),
        Case::suspect(Confidence::Medium, "this host answers three questions after 200 ms", || {
            lost(answers(200, 3), 4, 200).into()
        })
        .saying("this host took up to 200 ms to answer what devices asked")
        .pins(&["LATE", "OFTEN"]),
        Case::note(Confidence::Low, "it answers three questions after 199 ms", || {
            lost(answers(199, 3), 4, 200).into()
        })
        .pins(&["LATE"]),
        Case::note(Confidence::Low, "it answers two questions after 200 ms", || {
            lost(answers(200, 2), 4, 200).into()
        })
        .pins(&["OFTEN"]),
        Case::suspect(Confidence::Medium, "the first late answer is 9.99 s before the loss", || {
            lost(answers(200, 3).wait_ms(6_590), 4, 200).into()
        })
        .pins(&["RECENT"]),
        Case::note(Confidence::Low, "the first late answer is 10.01 s before the loss", || {
            lost(answers(200, 3).wait_ms(6_610), 4, 200).into()
        })
        .pins(&["RECENT"]),
        Case::silent("one link is lost", || {
            links(4, 12).wait_ms(3_000).disconnected(LOST).into()
        }),
        Case::silent("the devices hang up", || {
            let first = links(4, 12).wait_ms(3_000).disconnected(Status::REMOTE_USER_TERMINATED);
            let second = first.wait_ms(200).handle(0x40);
            second.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("the links are those of two adapters", || {
            let one = Trace::new().up().mtu().wait_ms(3_000).disconnected(LOST);
            one.beside(Trace::new().up().mtu().wait_ms(3_000).disconnected(LOST).with(numbered(9))).into()
        }),

        Case::suspect(Confidence::Medium, "exactly one second apart", || {
            let links = links(4, 12).peer(PEER, AddressType::RANDOM).handle(0x43).wait_ms(3_000);
            links.disconnected(LOST).handle(0x40).after_ms(1_000).disconnected(LOST).into()
        }),
        Case::note(Confidence::Low, "of four fast links one had ended long before", || {
            let ended = links(4, 12).handle(0x41).disconnected(Status::REMOTE_USER_TERMINATED);
            lost(ended.wait_ms(9_000), 4, 200).into()
        })
        .not_saying("busy"),
        Case::note(Confidence::Low, "the fourth fast link comes up later", || {
            let lost = lost(links(3, 12), 3, 200).wait_ms(500).peer(numbered(9), AddressType::RANDOM);
            lost.handle(0x50).create().connected_as(0, 12, 0, 100).features().into()
        })
        .not_saying("busy"),
        Case::note(Confidence::Low, "the other fast links are another adapter's", || {
            let other = links(4, 12).with(numbered(20));
            lost(links(2, 12), 2, 200).beside(other).into()
        })
        .not_saying("busy"),
        Case::note(Confidence::Low, "the device answers late, not this host", || {
            let asks = |trace: Trace, number: u8| {
                let asked = trace.acl(Direction::Sent, 4, &[0x0a, 3 + number, 0]).wait_ms(300);
                asked.acl(Direction::Received, 4, &[0x0b, 1])
            };
            lost((0..3).fold(links(4, 39), asks), 4, 200).into()
        })
        .not_saying("busy"),
        Case::note(Confidence::Low, "the late answers came after the loss", || {
            let lost = lost(links(4, 39), 4, 200).handle(0x41);
            let asks = |trace: Trace, number: u8| {
                let asked = trace.acl(Direction::Received, 4, &[0x0a, 3 + number, 0]).wait_ms(300);
                asked.acl(Direction::Sent, 4, &[0x0b, 1])
            };
            (0..3).fold(lost, asks).into()
        })
        .not_saying("busy"),
        Case::silent("both links are to one device", || {
            let one = Trace::new().create().connected_as(0, 39, 0, 100).features();
            let two = one.handle(0x41).create().connected_as(0, 39, 0, 100).features();
            let lost = two.wait_ms(3_000).disconnected(LOST).wait_ms(200).handle(0x40);
            lost.disconnected(LOST).into()
        }),
        Case::note(Confidence::Low, "what is answered late is a wish for other parameters", || {
            let asks = |trace: Trace, number: u8| {
                let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
                    interval_min: 24,
                    interval_max: 40,
                    latency: 0,
                    timeout: 500,
                };
                let granted = signal::Pdu::ConnectionParameterUpdateResponse { result: 0 };
                let asked = trace.signal(Direction::Received, number + 1, wanted).wait_ms(300);
                asked.signal(Direction::Sent, number + 1, granted).wait_ms(50)
            };
            lost((0..3).fold(links(4, 39), asks), 4, 200).into()
        })
        .not_saying("busy"),
        Case::note(Confidence::Low, "a device reads again and again, and each is answered at once", || {
            let reads = |trace: Trace, number: u8| {
                (0..4).fold(trace, |trace, _| {
                    trace.from_peer(&[0x0a, 3 + number, 0], &[0x0b, 1]).wait_ms(100)
                })
            };
            lost((0..3).fold(links(4, 39), reads), 4, 200).into()
        })
        .not_saying("busy"),
        Case::suspect(Confidence::Medium, "of four fast links the first is lost first", || {
            let links = links(4, 12).peer(PEER, AddressType::RANDOM).handle(0x40).wait_ms(3_000);
            links.disconnected(LOST).wait_ms(200).handle(0x43).disconnected(LOST).into()
        })
        .about(&[1, 4])
        .saying("4 links were open"),
        Case::suspect(Confidence::Medium, "the last late answer has the time of the loss", || {
            lost_after(0).into()
        }),
        // The three late answers are 200.2 ms apart.
        Case::suspect(Confidence::Medium, "the first late answer is exactly 10 s before the loss", || {
            lost_after(10_000_000 - 400_400).into()
        }),
        Case::note(Confidence::Low, "the first late answer is a moment earlier", || {
            lost_after(10_000_001 - 400_400).into()
        }),
    ],
};

const LOST: Status = Status::CONNECTION_TIMEOUT;

fn numbered(number: u8) -> Address {
    Address([number, 0, 0, 0, 0, 0xc0])
}

/// So many links at that interval, to a device each.
fn links(count: u8, interval: u16) -> Trace {
    (0..count).fold(Trace::new(), |trace, number| {
        trace
            .peer(numbered(number + 2), AddressType::RANDOM)
            .handle(0x40 + u16::from(number))
            .create()
            .connected_as(0, interval, 0, 100)
            .features()
    })
}

/// The last of so many links is lost, and the first that much later.
fn lost(links: Trace, count: u16, apart: u32) -> Trace {
    let links = links.peer(PEER, AddressType::RANDOM).handle(0x3f + count);
    links.wait_ms(3_000).disconnected(LOST).wait_ms(apart).handle(0x40).disconnected(LOST)
}

/// Four slow links, on one of which the device reads so many values, each answered that late.
fn answers(late: u32, count: u8) -> Trace {
    (0..count).fold(links(4, 39), |trace, number| {
        let asked = trace.acl(Direction::Received, 4, &[0x0a, 3 + number, 0]).wait_ms(late);
        asked.acl(Direction::Sent, 4, &[0x0b, 1])
    })
}

/// The same with three late answers, and two links are lost exactly so long after the last one.
fn lost_after(us: u32) -> Trace {
    let links = answers(200, 3).peer(PEER, AddressType::RANDOM).handle(0x43);
    links.after_us(us).disconnected(LOST).wait_ms(200).handle(0x40).disconnected(LOST)
}

/// Links this fast, and so many of them, leave a controller no time for anything else.
const FAST: Span = Span::from_ms(15);
const MANY: usize = 4;

/// A host that answers a device's question this late is busy; three times is no accident.
const LATE: Span = Span::from_ms(200);
const OFTEN: usize = 3;

/// Late answers show the load of the moment only this long before the loss.
const RECENT: Span = Span::from_ms(10_000);

/// Links that are lost within this time are lost together.
const TOGETHER: Span = Span::from_ms(1_000);

/// Most pairs, and most late answers of each, that are shown.
const SHOWN_PAIRS: usize = 20;
const SHOWN_ANSWERS: usize = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Ask for longer intervals, and spread the devices over two adapters; a scan beside links takes time too.",
    ),
    Remedy::any("Repeat with Wi-Fi off: what all links share is this host's radio."),
];

/// Two links that were lost together.
#[derive(Debug)]
struct LostTogether {
    lost: [Lost; 2],
    /// How many fast links were open, if they were many.
    fast: Option<usize>,
    /// The latest answer first.
    late: Vec<Answer>,
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    connection: u32,
    frame: u32,
}

/// An answer of this host to a device, and how long it took.
#[derive(Clone, Copy, Debug)]
struct Answer {
    frame: u32,
    took: Span,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let mut lost: Vec<&Connection> =
        scene.capture().connections.iter().filter(|c| c.reason() == Some(LOST)).collect();
    // Neighbours are those of one adapter.
    lost.sort_by_key(|c| c.adapter);
    let pairs = lost.windows(2).filter_map(|pair| match pair {
        [one, other] if together(one, other) => Some((*one, *other)),
        _ => None,
    });
    pairs.take(SHOWN_PAIRS).filter_map(|(one, other)| verdict(scene, one, other)).collect()
}

fn verdict(scene: &Scene<'_>, one: &Connection, other: &Connection) -> Option<Verdict> {
    let lost = |c: &Connection| Some(Lost { connection: c.number, frame: c.end.as_ref()?.frame });
    let facts = LostTogether {
        lost: [lost(one)?, lost(other)?],
        fast: Some(fast_links(scene, other)).filter(|fast| *fast >= MANY),
        late: late_answers(scene, other),
    };
    let verdict = if facts.fast.is_none() && facts.late.is_empty() {
        Verdict::note(facts).sure(Confidence::Low)
    } else {
        Verdict::suspect(facts)
    };
    Some(verdict.about([one.number, other.number]))
}

impl Facts for LostTogether {
    fn says(&self) -> Text {
        let says = text!(
            "Links to different devices were lost within one second: look at what they share, this adapter and its surroundings."
        );
        let fast = self
            .fast
            .map(|fast| text!("{} links were open at intervals of {} or less", fast, FAST));
        let late = self
            .late
            .first()
            .map(|late| text!("this host took up to {} to answer what devices asked", late.took));
        match (fast, late) {
            (None, None) => says,
            (Some(one), None) | (None, Some(one)) => {
                text!("{} The adapter was busy: {}.", says, one)
            }
            (Some(one), Some(other)) => {
                text!("{} The adapter was busy: {}, and {}.", says, one, other)
            }
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let lost = self.lost.iter().map(|Lost { connection, frame }| {
            Sight::here(*frame, text!("connection {} is lost (0x08)", *connection))
        });
        let late = self.late.iter().take(SHOWN_ANSWERS).map(|Answer { frame, took }| {
            Sight::here(*frame, text!("this host answers {} after the question", *took))
        });
        lost.chain(late).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("remote-user-terminated-idle", "no device hung up: packets stayed away")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with one device at a time, without scanning, and with Wi-Fi off.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// How many fast links the adapter had when that one was lost, itself included.
fn fast_links(scene: &Scene<'_>, lost: &Connection) -> usize {
    let Some(end) = &lost.end else { return 0 };
    let open = |c: &&Connection| {
        c.adapter == lost.adapter
            && c.up.is_some_and(|up| up.comes_before(end.frame))
            && c.end.as_ref().is_none_or(|e| !e.comes_before(end.frame) || together(c, lost))
            && c.current.is_some_and(|current| current.interval() <= FAST)
    };
    scene.capture().connections.iter().filter(open).count()
}

/// What this host answered late on the adapter shortly before that link was lost, if that was often: the latest
/// answer first.
fn late_answers(scene: &Scene<'_>, lost: &Connection) -> Vec<Answer> {
    let Some(end) = &lost.end else { return Vec::new() };
    let late = |s: &Step| {
        let asked = s.by == Direction::Received && s.is_att() && s.count == 1;
        let took = s.last.at.since(s.at).filter(|took| *took >= LATE)?;
        let ago = end.at.since(s.last.at)?;
        let recent = ago >= Span(0) && ago <= RECENT;
        (asked && recent).then_some(Answer { frame: s.last.frame, took })
    };
    let links = scene.capture().connections.iter().filter(|c| c.adapter == lost.adapter);
    let mut all: Vec<Answer> = links.flat_map(|c| c.steps.iter().filter_map(late)).collect();
    all.sort_by_key(|answer| answer.took);
    all.reverse();
    if all.len() < OFTEN { Vec::new() } else { all }
}

/// Two links of one adapter to different devices, lost at about the same moment.
fn together(a: &Connection, b: &Connection) -> bool {
    let ends = a.end.as_ref().zip(b.end.as_ref());
    let apart = ends.and_then(|(a, b)| b.at.since(a.at));
    apart.is_some_and(|apart| apart.abs() <= TOGETHER)
        && a.adapter == b.adapter
        && a.peer.address != b.peer.address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_pairs_and_late_answers_the_first_are_shown() {
        let pairs = |count: u8| {
            let lost = (0..count).fold(links(count, 39).wait_ms(3_000), |trace, number| {
                trace.handle(0x40 + u16::from(number)).wait_ms(10).disconnected(LOST)
            });
            let captures = [lost.run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            check(&scene).len()
        };
        assert_eq!([2, 20, 21, 22, 30].map(pairs), [1, 19, 20, 20, 20]);
        let shown = |count: u8| {
            let captures = [lost(answers(200, count), 4, 200).run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            check(&scene)[0].facts().evidence().len() - 2
        };
        assert_eq!([2, 3, 4, 6].map(shown), [0, 3, 3, 3]);
    }
}
