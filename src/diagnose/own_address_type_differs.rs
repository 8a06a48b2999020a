use super::see::attempts_of;
use super::{Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, Scene, Sight, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Request, RequestKind, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "own-address-type-differs",
    title: "The two hosts show the device different kinds of address",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
One host connects with its public address, the other with a random one. Hardly any device cares; one that keys a list of known
hosts on the address may.

## How it shows
Own_Address_Type differs between the two connect requests, and no attempt of the failing side is ever heard. This rule rests on a
trace of its author's: no capture is known in which this was the reason.

## What else it could be
Nearly everything else first.

## What to do
When nothing else helped, let BlueZ use private addresses and pair afresh.",
    sources: &["Core Specification, Vol 4, Part E, 7.8.12: Own_Address_Type"],
    check: Check::Comparison(check),
    cases: &[
        Case::note(Confidence::Low, "one host is random, the other public and never heard", || {
            Example::pair(works(1), unheard())
        })
        .saying("with a random address, this one with its public"),
        Case::silent("both show their public address", || Example::pair(works(0), unheard())),
        Case::silent("one falls back to its public address", || {
            Example::pair(works(2), unheard())
        }),
        Case::silent("an attempt of the failing side is heard", || {
            let lost = Trace::new().up().mtu().wait_ms(900).disconnected(Status::CONNECTION_TIMEOUT);
            Example::pair(works(1), unheard().wait_ms(800).followed_by(lost))
        }),
        Case::note(Confidence::Low, "an attempt that was cancelled shows nothing", || {
            Example::pair(works(1), unheard().wait_ms(800).create().wait_ms(400).cancel())
        }),
        Case::silent("the failing side never had a link", || {
            Example::pair(works(1), Trace::new().advertises(0).asks_in_vain())
        }),
    ],
};

fn works(own: u8) -> Trace {
    Trace::new().advertises(0).create_from(own).connected().features().mtu().wait_ms(900)
}

fn unheard() -> Trace {
    let once = Trace::new().advertises(0).create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(3, 800)
}

const REMEDIES: &[Remedy] = &[Remedy::on(
    &[Stack::BlueZ],
    "Set `Privacy = device` under `[General]` in /etc/bluetooth/main.conf, and pair afresh, when nothing else helped.",
)];

/// 0 and 2 fall back to or are the public address, 1 and 3 a random one.
fn random(request: &Request) -> bool {
    request.own_address_type & 1 == 1
}

/// Whose connect request names which kind of own address.
#[derive(Debug)]
struct Kinds {
    theirs: (RequestKind, u8, u32),
    ours: (RequestKind, u8, u32),
    /// Theirs is the random one.
    theirs_random: bool,
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let reference = scene.reference()?;
    let subject = scene.compared()?;
    let (theirs, ours) = (reference.request.as_ref()?, subject.request.as_ref()?);
    let attempts = attempts_of(scene, subject);
    let up: Vec<&&Connection> = attempts.iter().filter(|c| c.connected_frame().is_some()).collect();
    let unheard = !up.is_empty() && up.iter().all(|c| c.never_heard());
    if !unheard || !reference.peer_heard() || random(theirs) == random(ours) {
        return None;
    }
    let of = |request: &Request| (request.kind, request.own_address_type, request.frame);
    let facts = Kinds { theirs: of(theirs), ours: of(ours), theirs_random: random(theirs) };
    Some(Verdict::note(facts).sure(Confidence::Low))
}

impl Facts for Kinds {
    fn says(&self) -> Text {
        let kind = |random| if random { "a random" } else { "its public" };
        text!(
            "The working host connects with {} address, this one with {}. Seldom of importance; it matters to a device that lists known hosts by address.",
            kind(self.theirs_random),
            kind(!self.theirs_random)
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let says =
            |(kind, own, _): (RequestKind, u8, u32)| text!("{}, own address type {}", kind, own);
        let (.., ours) = self.ours;
        let (.., theirs) = self.theirs;
        vec![Sight::here(ours, says(self.ours)), Sight::in_reference(theirs, says(self.theirs))]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
