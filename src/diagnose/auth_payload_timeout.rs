use super::{Basis, Case, Check, Confidence, Facts, Rule, Scene, Sight, Verdict, see};
use crate::packet::Status;
use crate::packet::hci::Event;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, End};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "auth-payload-timeout",
    title: "No authenticated packet came for the payload timeout",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
On an encrypted link the controller reports when no packet with a valid check value came for a set time, 30 s by default on
Linux. It is a notice to the host; the link goes on until somebody ends it.

## How it shows
Authenticated Payload Timeout Expired on the handle, some time before the end.

## What else it could be
With a supervision timeout below this time a silent link ends with 0x08 before the notice can come, so its absence says
nothing. Some controllers break pairing when the kernel sets this timeout; a capture cannot prove that. Hence only a note.

## What to do
Look at what ended the link. The notice only dates the silence.",
    sources: &["Linux net/bluetooth: authenticated payload timeout of 30 s"],
    check: Check::Connection(check),
    cases: &[
        Case::note(Confidence::Low, "the controller reports it, and the link is lost", || {
            lost(expires()).into()
        })
        .about(&[1])
        .saying("Disconnection Complete"),
        Case::silent("the link is lost without that report", || lost(silent()).into()),
        Case::silent("the controller reports something else", || {
            lost(silent().event(Event::QosViolation { connection_handle: HANDLE })).into()
        }),
    ],
};

fn silent() -> Trace {
    Trace::new().create().connected_as(0, 39, 0, 3200).features().wait_ms(30_000)
}

fn expires() -> Trace {
    silent().event(Event::AuthenticatedPayloadTimeoutExpired { connection_handle: HANDLE })
}

fn lost(trace: Trace) -> Trace {
    trace.wait_ms(2_000).disconnected(Status::CONNECTION_TIMEOUT)
}

/// The controller's notice, and the end of the link, if there is one.
#[derive(Debug)]
struct Expired {
    frame: u32,
    end: Option<End>,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let expired = connection.steps.iter().find(|s| s.detail == Detail::Hci { code: 0x57 })?;
    let facts = Expired { frame: expired.frame, end: connection.end.clone() };
    Some(Verdict::note(facts).sure(Confidence::Low))
}

impl Facts for Expired {
    fn says(&self) -> Text {
        text!(
            "The controller reported that no authenticated packet had come for the payload timeout: the peer had fallen silent by then."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let notice = Sight::here(self.frame, "Authenticated Payload Timeout Expired");
        std::iter::once(notice).chain(self.end.as_ref().map(see::link_ended)).collect()
    }
}
