use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, EndedBy, Procedure, Role, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "local-disconnect-2s-kernel-idle",
    title: "The Linux kernel dropped a link that no program used",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app", "remote-user-terminated-idle"],
    docs: "\
## What it means
The link came up and was healthy. No program held it open with an L2CAP socket, so the kernel closed it after two seconds.

## How it shows
Our own Disconnect command, reason 0x13, about 2.0 s after the feature exchange (or the last traffic), with no ATT, SMP or
signalling traffic in between; Disconnection Complete says 0x16.

## What else it could be
A program that hangs up after exactly two seconds looks the same; a program that used ATT before is not this.

## What to do
Use a library that holds the link: BlueZ over D-Bus, or a current raw-HCI library; a user channel takes the kernel out.",
    sources: &["noble/noble#242 (2.03 s)", "node-bluetooth-hci-socket#23", "Linux net/bluetooth: disc_timeout of 2 s"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "two seconds after the features", || dropped(2_000).into())
            .about(&[1])
            .saying("no program used it"),
        Case::silent("a program used ATT", || {
            Trace::new().up().mtu().wait_ms(2_000).hangs_up(REASON).into()
        }),
        Case::silent("the peer notified", || {
            Trace::new().up().notified(0x10, &[1]).wait_ms(2_000).hangs_up(REASON).into()
        }),
        Case::silent("1.84 s after the features", || dropped(1_840).into())
            .pins(&["EARLIEST"]),
        Case::cause(Confidence::High, "1.86 s after the features", || dropped(1_860).into())
            .pins(&["EARLIEST"]),
        Case::cause(Confidence::High, "2.24 s after the features", || dropped(2_240).into())
            .pins(&["LATEST"]),
        Case::silent("2.26 s after the features", || dropped(2_260).into()).pins(&["LATEST"]),
        Case::silent("with another reason", || {
            Trace::new().up().wait_ms(2_000).hangs_up(Status::REMOTE_POWER_OFF).into()
        }),
        Case::silent("the peer hangs up", || {
            Trace::new().up().wait_ms(2_000).disconnected(REASON).into()
        }),
        Case::silent("the device connected to us", || {
            Trace::new().connected_as(1, 39, 0, 42).features().wait_ms(2_000).hangs_up(REASON).into()
        }),
        Case::silent("the host is another one than Linux", || {
            let android = Trace::new().done(Command::Other { code: 0xfd57, parameters: &[0] });
            android.up().wait_ms(2_000).hangs_up(REASON).into()
        }),
        Case::silent("exactly 1.85 s after the features", || {
            Trace::new().up().after_us(1_850_000).hangs_up(REASON).into()
        }),
        Case::cause(Confidence::High, "a moment later than that", || {
            Trace::new().up().after_us(1_850_001).hangs_up(REASON).into()
        }),
        Case::silent("exactly 2.25 s after the features", || {
            Trace::new().up().after_us(2_250_000).hangs_up(REASON).into()
        }),
        Case::cause(Confidence::High, "a moment sooner than that", || {
            Trace::new().up().after_us(2_249_999).hangs_up(REASON).into()
        }),
        Case::silent("the features were refused", || {
            let asked = Trace::new().create().connected();
            let asked = asked.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
            let refused = asked.wait_ms(90).le(LeEvent::ReadRemoteFeaturesComplete {
                status: Status::UNSUPPORTED_REMOTE_FEATURE,
                connection_handle: HANDLE,
                le_features: [0; 8],
            });
            refused.wait_ms(2_000).hangs_up(REASON).into()
        }),
        Case::silent("a pairing was tried", || {
            Trace::new().up().asks_to_pair().wait_ms(2_000).hangs_up(REASON).into()
        }),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::Noble],
        "Update `@stoprocent/bluetooth-hci-socket` (its helper holds the link), use `HCI_CHANNEL_USER=1` with bluetoothd stopped, or noble's D-Bus binding.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Connect through bluetoothd (`bluetoothctl connect`, bleak) or keep an L2CAP socket open on CID 4; `hcitool lecc` alone cannot hold a link.",
    ),
    Remedy::no_use(
        "Another supervision timeout, interval or MTU: the link was healthy and our own side closed it.",
    ),
];

const REASON: Status = Status::REMOTE_USER_TERMINATED;

fn dropped(ms: u32) -> Trace {
    Trace::new().up().wait_ms(ms).hangs_up(REASON)
}

/// The kernel's timer is two seconds; what was measured lies between these.
const EARLIEST: Span = Span::from_ms(1_850);
const LATEST: Span = Span::from_ms(2_250);

/// A healthy link that the kernel closed.
#[derive(Debug)]
struct Idle {
    features_frame: u32,
    after: Span,
    command_frame: u32,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.by == EndedBy::Host)?;
    let known_other = scene
        .capture()
        .host
        .as_ref()
        .is_some_and(|h| !matches!(h.stack, Stack::BlueZ | Stack::Noble));
    let central = connection.role == Some(Role::Central);
    let features =
        connection.steps.iter().find(|s| s.procedure == Procedure::Features && !s.failed())?;
    let traffic = connection.last_pdu.is_some();
    let after = end.command_at().since(features.last.at)?;
    let two_seconds = after > EARLIEST && after < LATEST;
    if known_other || !central || traffic || !two_seconds || end.reason_sent != Some(REASON) {
        return None;
    }
    let facts =
        Idle { features_frame: features.last.frame, after, command_frame: end.command_frame()? };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Idle {
    fn says(&self) -> Text {
        text!(
            "The link was up and the peer answered, no program used it, and {} later our own side closed it: the kernel drops a link that nobody holds after 2 s.",
            self.after
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.features_frame, "the peer answers the feature exchange"),
            Sight::here(
                self.command_frame,
                "Disconnect command of our host, reason 0x13; no ATT, SMP or signalling before it",
            ),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "remote-user-terminated-idle",
            "the Disconnect command came from this host",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
