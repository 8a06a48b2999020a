use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::time::Span;
use crate::timeline::{Connection, Procedure, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "local-drop-after-feature-reject",
    title: "This host hung up because the peer does not know the feature exchange",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "connection-cancelled-by-app", "remote-user-terminated-idle", "never-usable-connection"],
    docs: "\
## What it means
The host asked for the peer's link-layer features. The peer answered that it does not know this request (0x1A): an answer,
so the peer is alive. Our own stack then ended the link.

## How it shows
LE Read Remote Features Complete with 0x1A, and our Disconnect command within about 20 ms.

## What else it could be
A Disconnect that comes much later is the application's.

## What to do
Use a newer kernel, or a controller that does not send the request as peripheral; the peer's firmware may answer the
feature request instead of rejecting it.",
    sources: &["a btmon trace of a Raspberry Pi Zero 2 W as peripheral, linux-bluetooth mailing list, April 2025"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(14).into()),
        Case::silent("the nearest other trace", || example(4000).into()),
    ],
};

fn example(then_ms: u32) -> Trace {
    Trace::new()
        .connected_as(1, 24, 0, 42)
        .taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
        .wait_ms(60)
        .le(LeEvent::ReadRemoteFeaturesComplete {
            status: Status::UNSUPPORTED_REMOTE_FEATURE,
            connection_handle: HANDLE,
            le_features: [0; 8],
        })
        .wait_ms(then_ms)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with another adapter and a newer kernel: the kernel, not the peer, ends this link.",
    ),
    Remedy::any(
        "In the peer's firmware answer LL_PERIPHERAL_FEATURE_REQ instead of LL_UNKNOWN_RSP (newer link-layer stack).",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let command = end.command_frame?;
    let rejected = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Features
            && s.status == Some(Status::UNSUPPORTED_REMOTE_FEATURE.0)
            && end
                .command_at
                .since(s.last_at)
                .is_some_and(|d| d >= Span(0) && d <= Span::from_ms(50))
    })?;
    let after = end.command_at.since(rejected.last_at)?;
    Some(
        Verdict::cause(format!(
            "The peer answered the feature request with 0x1A (it does not know it), and {after} later our own host ended the link. The peer was alive and had not hung up."
        ))
        .sure(Confidence::High)
        .sees(rejected.last_frame, "LE Read Remote Features Complete: Unsupported Remote Feature (0x1a)")
        .sees(command, "Disconnect command of our host")
        .sees(end.frame, format!("Disconnection Complete, {}", end.reason))
        .rules_out("never-heard-peer", "0x1A is an answer of the peer")
        .rules_out("att-request-unanswered", "requests still open died with the link that we ended")
        .try_these(remedies(scene, REMEDIES)),
    )
}
