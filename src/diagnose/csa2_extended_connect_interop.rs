use super::see::attempts_of;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    see,
};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::packet::hci::LeEvent;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, RequestKind, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "csa2-extended-connect-interop",
    title: "Only the newer kind of connect request goes unanswered",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
One side reaches the device with the old connect request (or channel selection #1), the other asks with the extended request (or
channel selection #2) and is never heard. Some old or cheap devices stumble over the newer request.

## How it shows
Every attempt of the failing side is extended or uses channel selection #2 and none is heard; the working side's is legacy with
channel selection #1.

## What else it could be
The two sides have different radios and places; the kind of request is one difference among others. The opposite case exists too.

## What to do
Connect once with a 4.x adapter, or restrict the adapter to the 1M PHY, and compare.",
    sources: &["Nordic DevZone 43672, 9231", "espressif/esp-idf#12970", "zephyrproject-rtos/zephyr#54531"],
    check: Check::Comparison(check),
    cases: &[
        Case::suspect(Confidence::Medium, "three extended requests are not answered, the legacy one is", || {
            Example::pair(works(), unheard().repeated(3, 800))
        })
        .about(&[1, 2, 3])
        .saying("LE Extended Create Connection, initiating PHYs 0x07")
        .pins(&["ENOUGH"]),
        Case::suspect(Confidence::Low, "two are not answered", || {
            Example::pair(works(), unheard().repeated(2, 800))
        })
        .pins(&["ENOUGH", "FEWEST"]),
        Case::silent("one is not answered", || Example::pair(works(), unheard()))
            .pins(&["FEWEST"]),
        Case::suspect(Confidence::Medium, "legacy requests, and channel selection #2", || {
            let link = Trace::new().advertises(0).create().connected().le(CHANNEL_SELECTION_2);
            Example::pair(works(), gives_up(link).repeated(3, 800))
        }),
        Case::silent("both sides use the legacy request", || {
            let link = Trace::new().advertises(0).create().connected();
            Example::pair(works(), gives_up(link).repeated(3, 800))
        }),
        Case::silent("both sides use the extended request", || {
            let link = Trace::new().advertises(0).create_extended(7, Status::SUCCESS).connected();
            let works = link.features().mtu().wait_ms(500).hangs_up(HUNG_UP);
            Example::pair(works, unheard().repeated(3, 800))
        }),
        Case::silent("both sides use channel selection #2", || {
            let link = Trace::new().advertises(0).create().connected().le(CHANNEL_SELECTION_2);
            let works = link.features().mtu().wait_ms(500).hangs_up(HUNG_UP);
            Example::pair(works, unheard().repeated(3, 800))
        }),
        Case::silent("one of the extended requests is answered", || {
            let link = Trace::new().create_extended(7, Status::SUCCESS).connected().features();
            let lost = link.wait_ms(900).disconnected(Status::CONNECTION_TIMEOUT);
            Example::pair(works(), unheard().repeated(2, 800).followed_by(lost))
        }),
        Case::suspect(Confidence::Medium, "one more request is taken back before a link comes of it", || {
            let asked = Trace::new().create_extended(7, Status::SUCCESS).wait_ms(500).cancel();
            Example::pair(works(), unheard().repeated(3, 800).followed_by(asked))
        })
        .about(&[1, 2, 3]),
        Case::silent("the working side has a link of BR/EDR", || {
            let works = Trace::new().connected_bredr().wait_ms(900).hangs_up(HUNG_UP);
            Example::pair(works, unheard().repeated(3, 800))
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

const CHANNEL_SELECTION_2: LeEvent<'_> = LeEvent::ChannelSelectionAlgorithm {
    connection_handle: HANDLE,
    channel_selection_algorithm: 1,
};

fn works() -> Trace {
    Trace::new().advertises(0).up().mtu().wait_ms(500).hangs_up(HUNG_UP)
}

fn gives_up(link: Trace) -> Trace {
    link.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn unheard() -> Trace {
    gives_up(Trace::new().advertises(0).create_extended(7, Status::SUCCESS).connected())
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use a Bluetooth 4.x adapter: the kernel sends the newer request on every adapter that knows it. On this one restrict the PHYs and compare: `sudo btmgmt phy LE1MTX LE1MRX`.",
    ),
    Remedy::any(
        "Connect once from a controller that sends the legacy request, at the same place: if that works ten times of ten, the request is the difference.",
    ),
];

/// One link that is not answered is ordinary radio loss.
const FEWEST: usize = 2;

/// From this many on the pattern is no accident.
const ENOUGH: usize = 3;

/// A link that was asked for with the newer request and never answered.
#[derive(Debug)]
struct Unheard {
    request: Option<Asked>,
    end: End,
}

/// A connect request.
#[derive(Clone, Copy, Debug)]
struct Asked {
    frame: u32,
    kind: RequestKind,
    phys: u8,
}

#[derive(Debug)]
struct NewerRequest {
    count: usize,
    links: Vec<Unheard>,
    /// The working side's.
    reference: Asked,
}

fn newer(connection: &Connection) -> bool {
    let extended = connection.request.as_ref().is_some_and(|r| {
        matches!(r.kind, RequestKind::LeExtendedCreate | RequestKind::LeExtendedCreateV2)
    });
    extended || connection.channel_selection == Some(1)
}

fn asked(connection: &Connection) -> Option<Asked> {
    let request = connection.request.as_ref()?;
    Some(Asked { frame: request.frame, kind: request.kind, phys: request.phys })
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let reference = scene.reference().filter(|reference| reference.peer_heard())?;
    let subject = scene.compared()?;
    let theirs = asked(reference).filter(|asked| asked.kind == RequestKind::LeCreate)?;
    let attempts = attempts_of(scene, subject);
    let up: Vec<&Connection> =
        attempts.into_iter().filter(|c| c.connected_frame().is_some()).collect();
    let all = up.len() >= FEWEST && up.iter().all(|c| c.never_heard() && newer(c));
    if newer(reference) || !all {
        return None;
    }
    let links = up.iter().take(super::see::SHOWN);
    let links = links.map(|c| Some(Unheard { request: asked(c), end: c.end.clone()? }));
    let facts =
        NewerRequest { count: up.len(), links: links.collect::<Option<_>>()?, reference: theirs };
    let confidence = if up.len() >= ENOUGH { Confidence::Medium } else { Confidence::Low };
    Some(Verdict::suspect(facts).sure(confidence).about(up.iter().map(|c| c.number)))
}

impl Facts for NewerRequest {
    fn says(&self) -> Text {
        text!(
            "All {} links of this side were asked for with the newer request and never answered; the working side used the legacy request. The request may be what this device cannot take.",
            self.count
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        for Unheard { request, end } in &self.links {
            sights.extend(request.map(|Asked { frame, kind, phys }| {
                Sight::here(
                    frame,
                    text!("{}, initiating PHYs {}", kind, format_args!("{phys:#04x}")),
                )
            }));
            sights.push(see::link_ended(end));
        }
        let Asked { frame, kind, .. } = self.reference;
        sights.push(Sight::in_reference(frame, text!("{}, and the device is heard", kind)));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "The same adapter with the legacy request, ten times each: only the difference counts."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
