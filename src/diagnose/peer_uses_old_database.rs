use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::att::{ErrorCode, Handle};
use crate::prose::{self, Text};
use crate::text;
use crate::timeline::{AttributeKind, Connection, Detail, Procedure, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-uses-old-database",
    title: "The other side uses attribute handles that this host's server no longer has",
    basis: Basis::Real,
    silences: &["gatt-cache-stale", "unexplained-end"],
    docs: "\
## What it means
This host is the server. The other side reads and writes handles that it remembers from an earlier database, and this host answers
that they do not exist: the services were registered anew, at other handles, and the other side did not drop what it had remembered.

## How it shows
This host answers three or more requests by handle with Invalid Handle (0x01), for handles that do not follow one another.

## What else it could be
A scanner tries one handle after the other, and is refused in a row. Our own requests that are refused are `gatt-cache-stale`.

## What to do
Keep the handles the same between runs, or make the other side forget this host's services.",
    sources: &["real captures: 56 Invalid Handle answers to a phone"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "it found our services, and then reads others", || {
            reads(found(Trace::new().connected_as(1, 24, 0, 72)), &[0x490, 0x4a6, 0x494]).into()
        })
        .about(&[1])
        .saying("3 of the other side's requests")
        .pins(&["FEWEST"]),
        Case::silent("two requests are refused", || {
            reads(found(Trace::new().connected_as(1, 24, 0, 72)), &[0x490, 0x4a6]).into()
        })
        .pins(&["FEWEST"]),
        Case::cause(Confidence::Medium, "what our server has is not in the capture", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x490, 0x4a6, 0x494]).into()
        }),
        Case::silent("a scanner tries one handle after the other", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x10, 0x11, 0x12, 0x13]).into()
        }),
        Case::silent("the same handle again and again", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x490, 0x490, 0x490]).into()
        }),
        Case::silent("it may not read them", || {
            let link = Trace::new().connected_as(1, 24, 0, 72);
            let read = |link: Trace, low: u8| {
                link.from_peer(&[0x0a, low, 4], &[0x01, 0x0a, low, 4, 0x02])
            };
            [0x90, 0xa6, 0x94].into_iter().fold(link, read).into()
        }),
        Case::cause(Confidence::High, "as a central we are the server too", || {
            reads(found(Trace::new().up()), &[0x490, 0x4a6, 0x494]).into()
        }),

        Case::cause(Confidence::Medium, "the handles lie among those that it found", || {
            reads(found(Trace::new().connected_as(1, 24, 0, 72)), &[5, 8, 6]).into()
        })
        .not_saying("The services that it found here end"),
        Case::cause(Confidence::High, "the last service goes to the last handle, and only its value is known", || {
            let link = Trace::new().connected_as(1, 24, 0, 72);
            let found = link
                .from_peer(&[0x10, 1, 0, 0xff, 0xff, 0, 0x28], &[0x11, 6, 1, 0, 0xff, 0xff, 0x0f, 0x18])
                .from_peer(&[0x08, 1, 0, 0xff, 0xff, 0x03, 0x28], &[0x09, 7, 2, 0, 2, 3, 0, 0x19, 0x2a]);
            reads(found, &[0x490, 0x4a6, 0x494]).into()
        }),
        Case::cause(Confidence::Medium, "every second handle is no scanner", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x10, 0x12, 0x14]).into()
        }),
        Case::silent("one of the three handles is zero", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x490, 0, 0x494]).into()
        }),
        Case::cause(Confidence::Medium, "one of the three is the first handle", || {
            reads(Trace::new().connected_as(1, 24, 0, 72), &[0x490, 1, 0x494]).into()
        }),
        Case::silent("it reads by type", || {
            let read = |link: Trace, low: u8| {
                link.from_peer(&[0x08, low, 4, 0xff, 0xff, 0, 0x2a], &[0x01, 0x08, low, 4, 0x01])
            };
            let link = Trace::new().connected_as(1, 24, 0, 72);
            [0x90, 0xa6, 0x94].into_iter().fold(link, read).into()
        }),
        Case::silent("this host's own requests are refused", || {
            let read = |link: Trace, low: u8| link.to_peer(&[0x0a, low, 4], &[0x01, 0x0a, low, 4, 0x01]);
            [0x90, 0xa6, 0x94].into_iter().fold(Trace::new().up(), read).into()
        }),
        Case::cause(Confidence::Medium, "the highest of the handles is the last that it found", || {
            reads(found(Trace::new().connected_as(1, 24, 0, 72)), &[5, 9, 6]).into()
        })
        .not_saying("The services that it found here end"),
        Case::cause(Confidence::High, "the highest of the handles is the next one after those that it found", || {
            reads(found(Trace::new().connected_as(1, 24, 0, 72)), &[5, 10, 6]).into()
        })
        .saying("The services that it found here end at 0x0009"),
    ],
};

/// The other side finds our one service and its value.
fn found(link: Trace) -> Trace {
    link.from_peer(&[0x10, 1, 0, 0xff, 0xff, 0, 0x28], &[0x11, 6, 1, 0, 9, 0, 0x0f, 0x18])
        .from_peer(&[0x08, 1, 0, 9, 0, 0x03, 0x28], &[0x09, 7, 2, 0, 2, 3, 0, 0x19, 0x2a])
}

/// The other side reads by handle, and we know of none.
fn reads(link: Trace, handles: &[u16]) -> Trace {
    handles.iter().fold(link, |link, handle| {
        let [low, high] = handle.to_le_bytes();
        link.from_peer(&[0x0a, low, high], &[0x01, 0x0a, low, high, 0x01])
    })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Fix the handles: give each service the property `Handle` of `org.bluez.GattService1`, so that it comes back at the same place; and keep the GATT application in one process that is not restarted.",
    ),
    Remedy::any(
        "On the other side: forget this host (remove the pairing), and connect anew, so that it looks at the services again.",
    ),
];

/// Fewest refused requests: one or two may have other reasons.
const FEWEST: usize = 3;

/// Requests of the other side for handles that our server does not have.
#[derive(Debug)]
struct OldHandles {
    count: usize,
    refused: Vec<Step>,
    lowest: u16,
    highest: u16,
    /// The last handle of our server that the other side found on this link.
    last_known: Option<u16>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let refused: Vec<&Step> = connection.steps.iter().filter(|s| by_dead_handle(s)).collect();
    let mut handles: Vec<u16> = refused.iter().map(|s| s.attribute).collect();
    let in_a_row = handles.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) <= 1);
    if refused.len() < FEWEST || in_a_row || connection.cut_packets > 0 {
        return None;
    }
    handles.sort_unstable();
    let known = connection.local.attributes().iter();
    let known = known.filter(|a| a.kind != AttributeKind::Unknown).map(|a| a.handle.max(a.end));
    let facts = OldHandles {
        count: refused.len(),
        refused: refused.iter().take(super::see::SHOWN).map(|s| (*s).clone()).collect(),
        lowest: *handles.first()?,
        highest: *handles.last()?,
        last_known: known.filter(|last| *last < u16::MAX).max(),
    };
    let beyond = facts.last_known.is_some_and(|last| last < facts.highest);
    let confidence = if beyond { Confidence::High } else { Confidence::Medium };
    Some(Verdict::cause(facts).sure(confidence))
}

/// A read or write of the other side by a handle that our server does not have.
fn by_dead_handle(step: &Step) -> bool {
    let by_handle = match step.procedure {
        Procedure::Read => !matches!(step.detail, Detail::Read { by_type, .. } if by_type != 0),
        Procedure::Write | Procedure::Subscribe => true,
        _ => false,
    };
    by_handle
        && step.by == Direction::Received
        && step.attribute != 0
        && step.status == Some(ErrorCode::INVALID_HANDLE.0)
}

impl Facts for OldHandles {
    fn says(&self) -> Text {
        let known = self.last_known.filter(|last| *last < self.highest);
        let known =
            known.map(|last| text!(" The services that it found here end at {}.", Handle(last)));
        text!(
            "This host's server answered {} of the other side's requests with Invalid Handle (0x01), for handles from {} to {}: the other side uses a database that is no longer this one.{}",
            self.count,
            Handle(self.lowest),
            Handle(self.highest),
            known
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let refused = self.refused.iter().map(|step| {
            let line = text!("the other side's {}: {}", see::request(step), see::failure(step));
            Sight::here(step.last.frame, line)
        });
        let more = self.count.saturating_sub(self.refused.len());
        let mut sights: Vec<Sight> = refused.collect();
        if let (Some(last), 1..) = (sights.last_mut(), more) {
            last.text = text!("{}; {} follow", last.text, prose::count(more, "more", "more"));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "gatt-cache-stale",
            "the requests are the other side's, not this host's",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![
            "Let the other side forget this host and connect again: do its requests then fit?"
                .into(),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
