use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::timeline::{Connection, Outcome, Procedure};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "link-died-during-encryption",
    title: "The radio link was lost while encryption was being set up",
    basis: Basis::Real,
    silences: &["supervision-timeout-0x08", "short-supervision-timeout-linux-420ms", "pin-or-key-missing-0x06"],
    docs: "\
## What it means
Encryption was started, the peer fell silent, and the link ended for want of packets. The error on the encryption is only
the echo of the link's end. The keys are not at fault.

## How it shows
LE Enable Encryption without an answer of the peer, Encryption Change with 0x08 at the moment of Disconnection Complete 0x08.

## What else it could be
Key trouble shows as 0x06 on the encryption, or as 0x3D on the link.

## What to do
Treat it as a lost link: distance, interference, a peer that resets when encryption starts. Do not delete the bond.",
    sources: &["measured on an iOS host: LE Enable Encryption unanswered, 0x08 after 692 ms; the same bond worked 91 s later"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Status::CONNECTION_TIMEOUT).into()),
        Case::silent("the nearest other trace", || example(Status::PIN_OR_KEY_MISSING).into()),
    ],
};

fn example(status: Status) -> Trace {
    let reason =
        if status == Status::CONNECTION_TIMEOUT { status } else { Status::LOCAL_HOST_TERMINATED };
    Trace::new().up().encrypts().wait_ms(420).encryption(status).disconnected(reason)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    let started = connection.steps.iter().rev().find(|s| {
        s.procedure == Procedure::Encrypt
            && (matches!(s.outcome, Outcome::CutOff | Outcome::Unanswered)
                || s.status == Some(Status::CONNECTION_TIMEOUT.0))
    })?;
    // Nothing else may have gone well after the encryption began.
    if connection.last_heard.is_some_and(|heard| heard.seen.frame > started.last_frame) {
        return None;
    }
    let mut verdict = Verdict::cause(
        "Encryption was started, the peer fell silent, and the link ended for want of packets. This is a lost link, not a key problem.",
    )
    .sure(Confidence::High)
    .sees(started.frame, "encryption is started")
    .sees(end.frame, format!("Disconnection Complete, {}", end.reason))
    .rules_out("pin-or-key-missing-0x06", "the peer never answered the encryption request, so it never refused the key")
    .rules_out("mic-failure-0x3d", "no encrypted packet was ever received")
    .settled_by("Repeat close to the device: if encryption then completes, it was the radio.")
    .try_this("Retry; keep the bond. If it only fails here, look whether the device resets when encryption starts (advertising right after the end).");
    if started.last_frame != started.frame {
        verdict = verdict
            .sees(started.last_frame, "the encryption's error only echoes the end of the link");
    }
    Some(verdict)
}
