use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Granted, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "short-supervision-timeout-linux-420ms",
    title: "The supervision timeout leaves room for only a few lost packets",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
A link is given up when nothing is received for the supervision timeout. Linux asks for 420 ms by default, about nine
connection events at 48.75 ms. A short fade or a busy radio is then enough.

## How it shows
Disconnection Complete with 0x08 on a link whose timeout, as it came with the connection, holds fewer than ten connection
events (latency counted; six, where it is longer than 1 s). Measured on real links: up to 3.2 events in the timeout, 5 of 8 ended with 0x08; above 30 events, 18
of 113.

## What else it could be
With 0x3E the timeout does not matter: it counts only from the first packet of the peer on. Values that an update brought are
`short-supervision-by-peer`.

## What to do
Lengthen the timeout that the central asks for when it connects.",
    sources: &["analogdevicesinc/msdk#1508: 3 % of links lost at 420 ms, none at 720 ms", "Linux net/bluetooth: default of 42 x 10 ms", "laboratory: a silence of 1 s, with 420 ms and with 6 s"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "420 ms at 48.75 ms", || {
            lost(Trace::new().up().mtu(), 500).into()
        })
        .about(&[1])
        .saying("8.6 connection events"),
        Case::suspect(Confidence::Medium, "room for 9.9 events", || lost(of(40, 49), 600).into())
            .pins(&["FEW"]),
        Case::silent("room for ten events", || lost(of(40, 50), 600).into()).pins(&["FEW"]),
        Case::suspect(Confidence::High, "room for 3.2 events", || lost(of(100, 40), 500).into())
            .pins(&["HARDLY_ANY"]),
        Case::suspect(Confidence::Medium, "room for 3.3 events", || lost(of(100, 41), 500).into())
            .pins(&["HARDLY_ANY"]),
        Case::silent("a timeout of 5 s", || lost(of(39, 500), 5_100).into()),
        Case::suspect(Confidence::Medium, "room for eight events in 1 s", || {
            lost(lazy(9, 100), 1_100).into()
        })
        .pins(&["LONG"]),
        Case::silent("room for eight events in 1.01 s", || lost(lazy(9, 101), 1_100).into())
            .pins(&["LONG"]),
        Case::suspect(Confidence::Medium, "room for six events in 3 s", || {
            lost(lazy(39, 300), 3_100).into()
        })
        .pins(&["FEW_WHEN_LONG"]),
        Case::silent("room for 6.3 events in 3.15 s", || lost(lazy(39, 315), 3_200).into())
            .pins(&["FEW_WHEN_LONG"]),
        Case::silent("an update brought the short timeout", || {
            let update = LeEvent::ConnectionUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                connection_interval: 40,
                peripheral_latency: 0,
                supervision_timeout: 10,
            };
            lost(of(24, 500).wait_ms(50).le(update), 200).into()
        }),
        Case::silent("the device hung up", || {
            Trace::new().up().mtu().disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("our host asked for the end", || {
            let link = Trace::new().up().mtu().taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(link, 500).into()
        }),
        Case::silent("an update had brought a longer timeout", || {
            let update = LeEvent::ConnectionUpdateComplete {
                status: Status::SUCCESS,
                connection_handle: HANDLE,
                connection_interval: 24,
                peripheral_latency: 0,
                supervision_timeout: 500,
            };
            lost(of(39, 42).wait_ms(50).le(update), 5_100).into()
        }),
    ],
};

fn of(interval: u16, timeout: u16) -> Trace {
    Trace::new().create().connected_as(0, interval, 0, timeout).features().mtu()
}

/// 12.5 ms, with latency.
fn lazy(latency: u16, timeout: u16) -> Trace {
    Trace::new().create().connected_as(0, 10, latency, timeout).features().mtu()
}

fn lost(link: Trace, ms: u32) -> Trace {
    link.wait_ms(ms).disconnected(Status::CONNECTION_TIMEOUT)
}

/// A timeout that holds fewer events than this does not outlive an ordinary disturbance.
const FEW: f64 = 10.0;

/// A timeout longer than this outlives a short disturbance, if it has room for more than a handful of packets: a device
/// with latency may answer each interval, and does while it has something to say.
const LONG: Span = Span::from_ms(1_000);
const FEW_WHEN_LONG: f64 = 6.0;

/// Of eight real links with room for so few, five were lost.
const HARDLY_ANY: f64 = 3.2;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Set `ConnectionSupervisionTimeout=600` under `[LE]` in /etc/bluetooth/main.conf, then restart bluetooth. For a test: `echo 600 | sudo tee /sys/kernel/debug/bluetooth/hci0/supervision_timeout`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pass a longer `timeout` to `connect`: noble writes its own parameters and ignores main.conf.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Ask for a supervision timeout of 4-6 s in the parameters of the connect request.",
    ),
    Remedy::firmware("ask for a timeout of 6 s once the link is up."),
];

/// A lost link that never had much room.
#[derive(Debug)]
struct Short {
    granted: Granted,
    connected_frame: u32,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none())?;
    let granted = connection.granted?;
    let events = granted.events_in_timeout();
    let long = granted.timeout() > LONG;
    let few = if long { events <= FEW_WHEN_LONG } else { events < FEW };
    if !few || connection.pace.len() > 1 {
        return None;
    }
    let facts = Short { granted, connected_frame: connection.connected_frame()?, end: end.clone() };
    let confidence = if events <= HARDLY_ANY { Confidence::High } else { Confidence::Medium };
    Some(Verdict::suspect(facts).sure(confidence))
}

impl Facts for Short {
    fn says(&self) -> Text {
        text!(
            "The supervision timeout was {} with an interval of {} and latency {}, given at connect: {} connection events. A short disturbance is enough to lose such a link.",
            self.granted.timeout(),
            self.granted.interval(),
            self.granted.latency,
            format_args!("{:.1}", self.granted.events_in_timeout())
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let timeout = text!("supervision timeout {}", self.granted.timeout());
        vec![Sight::here(self.connected_frame, timeout), see::link_ended(&self.end)]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "0x08 ends only links on which the peer was heard")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
