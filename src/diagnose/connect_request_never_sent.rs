use super::on_air::sight;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::{Address, Direction, Status};
use crate::prose::Text;
use crate::seen::Seen;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Role};
use crate::trace::Trace;
use crate::trace::on_air::{Asked, OnAir};
use crate::witness::Sniffed;

pub const RULE: Rule = Rule {
    id: "connect-request-never-sent",
    title: "The controller reported a link, and no connect request went out on the air",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The host's capture has a connection that was never heard, and a sniffer beside it heard the device's advertising at that
moment and no connect request for it. So nothing was lost on the air: this controller did not send.

## How it shows
LE Connection Complete in the host's capture, no CONNECT_IND to the device in the sniffer's at that time, and advertisements
of the device around it.

## What else it could be
A sniffer listens on one of three advertising channels at a time, and may have missed the one packet. More than one attempt
without a request settles it.

## What to do
Reset the adapter, update its firmware, and try another one. Sniff again with the sniffer following the device.",
    sources: &["Core, Vol 6, Part B, 2.3.3.1: CONNECT_IND"],
    check: Check::Capture(check),
    cases: &[
        Case::suspect(Confidence::Medium, "a link that was never heard, and no request", || {
            Example::sniffed(host(), common().wait_ms(2_900).advertises(true).into())
        })
        .about(&[2])
        .saying("no connect request"),
        Case::silent("the request was heard", || {
            let asked = common().wait_ms(2_900).advertises(true).asks(Asked::default());
            Example::sniffed(host(), asked.unanswered(6).into())
        }),
        Case::silent("the device was heard on the link", || {
            let host = both().create().connected_as(0, 24, 0, 72).features().wait_ms(200);
            let host = host.disconnected(Status::REMOTE_USER_TERMINATED);
            Example::sniffed(host, common().wait_ms(2_900).advertises(true).into())
        }),
        Case::silent("no common link: no clock to compare with", || {
            Example::sniffed(host(), OnAir::new().wait_ms(3_300).advertises(true).into())
        }),
        Case::suspect(Confidence::Medium, "the device was heard 1.5 s before", || {
            Example::sniffed(host(), common().wait_ms(1_560).advertises(true).into())
        })
        .pins(&["NEAR"]),
        Case::silent("the device was heard 2.2 s before, and no more", || {
            Example::sniffed(host(), common().wait_ms(860).advertises(true).into())
        })
        .pins(&["NEAR"]),
        Case::silent("the device connected to this host", || {
            let host = both().connected_as(1, 24, 0, 72).wait_ms(200).disconnected(GIVEN_UP);
            Example::sniffed(host, common().wait_ms(2_900).advertises(true).into())
        }),
        Case::suspect(Confidence::Medium, "another device was asked at that moment", || {
            let other = Address([9, 0, 0, 0, 0, 0xc9]);
            let asked = OnAir::new().advertises(true).asks(Asked::default()).unanswered(6);
            let air = Trace::from(common().wait_ms(2_900).advertises(true));
            Example::sniffed(host(), air.followed_by(Trace::from(asked).with(other)))
        })
        .about(&[2]),
        Case::suspect(Confidence::Medium, "the request of the link before was a moment ago", || {
            let up = Trace::new().create().connected_as(0, 24, 0, 72).features().wait_ms(305);
            let ended = up.disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            let host = ended.create().connected_as(0, 24, 0, 72).wait_ms(200);
            let air = common().wait_ms(900).advertises(true);
            Example::sniffed(host.disconnected(GIVEN_UP), air.into())
        })
        .about(&[2]),
        Case::suspect(Confidence::Medium, "the device was heard 1.95 s before", || {
            Example::sniffed(host(), common().wait_ms(1_110).advertises(true).into())
        }),
        Case::silent("the device was heard 2.1 s before, and no more", || {
            Example::sniffed(host(), common().wait_ms(960).advertises(true).into())
        }),
    ],
};

/// Advertising so near to the moment shows that the sniffer heard the device then.
const NEAR: Span = Span::from_ms(2_000);

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Reset the adapter (unplug it, or `btmgmt power off` and `on`), and try another one: this controller did not send what it reported.",
    ),
    Remedy::any(
        "Sniff again, with the sniffer following this device: one packet is easily missed.",
    ),
];

/// A link that both captures show, and one 3 s later that was never heard.
fn host() -> Trace {
    both().create().connected_as(0, 24, 0, 72).wait_ms(200).disconnected(GIVEN_UP)
}

const GIVEN_UP: Status = Status::FAILED_TO_BE_ESTABLISHED;

fn both() -> Trace {
    let up = Trace::new().create().connected_as(0, 24, 0, 72).features().wait_ms(305);
    up.disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(3_000)
}

/// The first link on the air: it ends 395 ms after the sniffer's first packet. The second one of the host came up
/// when the sniffer's clock was at about 3.46 s.
fn common() -> OnAir {
    let up = OnAir::new().advertises(true).asks(Asked::default()).idles(12);
    up.hangs_up(Direction::Received, Status::REMOTE_USER_TERMINATED)
}

/// A link that was reported and never asked for.
#[derive(Debug)]
struct NeverSent {
    up_frame: u32,
    advertised: Seen,
    near: Span,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let sniffed: Vec<&Sniffed> = scene.witnesses().filter_map(|of| of.air.as_ref()).collect();
    let connections = scene.capture().connections.iter();
    let unheard = connections.filter(|c| c.never_heard() && c.role == Some(Role::Central));
    unheard
        .filter_map(|connection| sniffed.iter().find_map(|air| not_sent(air, connection)))
        .collect()
}

fn not_sent(air: &Sniffed, connection: &Connection) -> Option<Verdict> {
    let peer = connection.peer.address?;
    let (moment, error) = air.on_air(connection.up?.at.time()?.0)?;
    let near = NEAR.0 + error;
    let between = |seen: Seen| seen.at.time().is_some_and(|at| (at.0 - moment).abs() <= near);
    // Another connection's request is none for this one.
    let taken = |number: u32| {
        air.joined.iter().any(|of| of.on_air == number && of.number != connection.number)
    };
    let asked = air.capture.connections.iter().filter(|link| !taken(link.number)).any(|link| {
        link.requested_on_air().is_some_and(|seen| link.peer.address == Some(peer) && between(seen))
    });
    let device = air.capture.devices.iter().find(|device| device.address == peer)?;
    let (first, last) = (device.first?, device.last?);
    let heard = first.at.time()?.0 <= moment + near && last.at.time()?.0 >= moment - near;
    if asked || !heard {
        return None;
    }
    let facts = NeverSent {
        up_frame: connection.connected_frame()?,
        advertised: last.seen,
        near: Span(near),
    };
    Some(Verdict::suspect(facts).sure(Confidence::Medium).about([connection.number]))
}

impl Facts for NeverSent {
    fn says(&self) -> Text {
        text!(
            "The controller reported a new link, and within {} of that moment the sniffer heard no connect request for the device, although it heard the device advertise. Nothing was lost on the air: the request was not sent.",
            self.near
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.up_frame, "LE Connection Complete"),
            sight(self.advertised, "the device's advertising, as the sniffer heard it"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "peripheral-never-answered",
            "there was no request that it could answer",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("A second attempt that the sniffer follows: one packet is easily missed.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
