use super::see::link_ended;
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Procedure, Stack};
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
        Case::cause(Confidence::High, "our host hangs up 14 ms after the answer", || {
            answered(UNKNOWN, 14).into()
        })
        .about(&[1])
        .saying("The peer was alive"),
        Case::silent("it hangs up 4 s later", || answered(UNKNOWN, 4_000).into()),
        Case::cause(Confidence::High, "it hangs up 49 ms later", || answered(UNKNOWN, 49).into())
            .pins(&["AT_ONCE"]),
        Case::silent("it hangs up 51 ms later", || answered(UNKNOWN, 51).into())
            .pins(&["AT_ONCE"]),
        Case::silent("the peer tells its features", || answered(Status::SUCCESS, 14).into()),
        Case::silent("the peer hangs up", || {
            asked(UNKNOWN).wait_ms(14).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "it hangs up exactly 50 ms later", || {
            asked(UNKNOWN).after_ms(50).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("it hangs up a moment later than that", || {
            asked(UNKNOWN).after_us(50_001).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("this host had asked for the end before the answer", || {
            let link = Trace::new()
                .connected_as(1, 24, 0, 42)
                .taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
                .wait_ms(60)
                .taken(Command::Disconnect {
                    connection_handle: HANDLE,
                    reason: Status::REMOTE_USER_TERMINATED,
                });
            let answered = link.wait_ms(20).le(LeEvent::ReadRemoteFeaturesComplete {
                status: UNKNOWN,
                connection_handle: HANDLE,
                le_features: [0; 8],
            });
            answered.wait_ms(10).disconnected(Status::LOCAL_HOST_TERMINATED).into()
        }),
        Case::silent("a PHY is what the peer does not know", || {
            let link = Trace::new().connected_as(1, 24, 0, 42).taken(Command::LeSetPhy {
                connection_handle: HANDLE,
                all_phys: 0,
                tx_phys: 2,
                rx_phys: 2,
                phy_options: 0,
            });
            let refused = link.wait_ms(60).le(LeEvent::PhyUpdateComplete {
                status: UNKNOWN,
                connection_handle: HANDLE,
                tx_phy: 1,
                rx_phy: 1,
            });
            refused.wait_ms(14).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::cause(Confidence::High, "answer and command have one time", || {
            asked(UNKNOWN).after_us(0).hangs_up(Status::REMOTE_USER_TERMINATED).into()
        }),
    ],
};

const UNKNOWN: Status = Status::UNSUPPORTED_REMOTE_FEATURE;

/// A Disconnect command that comes this soon was decided by the answer.
const AT_ONCE: Span = Span::from_ms(50);

fn asked(status: Status) -> Trace {
    Trace::new()
        .connected_as(1, 24, 0, 42)
        .taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
        .wait_ms(60)
        .le(LeEvent::ReadRemoteFeaturesComplete {
            status,
            connection_handle: HANDLE,
            le_features: [0; 8],
        })
}

fn answered(status: Status, then_ms: u32) -> Trace {
    asked(status).wait_ms(then_ms).hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Test with another adapter and a newer kernel: the kernel, not the peer, ends this link.",
    ),
    Remedy::firmware(
        "answer LL_PERIPHERAL_FEATURE_REQ instead of LL_UNKNOWN_RSP (newer link-layer stack).",
    ),
];

/// An answer that our host took for a failure.
#[derive(Debug)]
struct Dropped {
    answer_frame: u32,
    after: Span,
    command_frame: u32,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref()?;
    let command_frame = end.command_frame()?;
    let rejected = |s: &&crate::timeline::Step| {
        s.procedure == Procedure::Features && s.status == Some(UNKNOWN.0)
    };
    let (answer_frame, after) = connection.steps.iter().filter(rejected).find_map(|s| {
        let after = end.command_at().since(s.last.at)?;
        (after >= Span(0) && after <= AT_ONCE).then_some((s.last.frame, after))
    })?;
    let facts = Dropped { answer_frame, after, command_frame, end: end.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Dropped {
    fn says(&self) -> Text {
        text!(
            "The peer answered the feature request with 0x1A (it does not know it), and {} later our own host ended the link. The peer was alive and had not hung up.",
            self.after
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.answer_frame, text!("LE Read Remote Features Complete: {}", UNKNOWN)),
            Sight::here(self.command_frame, "Disconnect command of our host"),
            link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "0x1A is an answer of the peer"),
            RuledOut::new(
                "att-request-unanswered",
                "requests still open died with the link that we ended",
            ),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
