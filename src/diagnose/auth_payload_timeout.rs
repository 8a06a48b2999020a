use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict, see};
use crate::packet::Status;
use crate::packet::hci::Event;
use crate::timeline::{Connection, Detail, Procedure};
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
        Case::fires(|| example(true).into()),
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

fn example(expires: bool) -> Trace {
    let trace = Trace::new().create().connected_as(0, 39, 0, 3200).features().wait_ms(30_000);
    let trace = if expires {
        trace.event(Event::AuthenticatedPayloadTimeoutExpired { connection_handle: HANDLE })
    } else {
        trace
    };
    trace.wait_ms(2000).disconnected(Status::CONNECTION_TIMEOUT)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let expired = connection
        .steps
        .iter()
        .find(|s| s.procedure == Procedure::Other && s.detail == Detail::Hci { code: 0x57 })?;
    let mut verdict = Verdict::note(
        "The controller reported that no authenticated packet had come for the payload timeout: the peer had fallen silent by then.",
    )
    .sure(Confidence::Low)
    .sees(expired.frame, "Authenticated Payload Timeout Expired");
    if let Some(end) = &connection.end {
        let (frame, text) = see::ended(end);
        verdict = verdict.sees(frame, text);
    }
    Some(verdict)
}
