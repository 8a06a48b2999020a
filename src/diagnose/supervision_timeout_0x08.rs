use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Address, AddressType, Direction, Status, att, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Sighting, Stack, Transport};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "supervision-timeout-0x08",
    title: "The radio link was lost after it had worked",
    basis: Basis::Real,
    silences: &["att-request-unanswered", "zombie-link-data-silence", "never-usable-connection", "att-transaction-timeout-30s"],
    docs: "\
## What it means
The link had been up, and then nothing at all was received for the supervision timeout. Even an idle link exchanges empty
packets, so the peer was gone, out of reach, or its radio was off.

## How it shows
Disconnection Complete with 0x08, without a command of ours, at least one supervision timeout after the last sign of the
peer. Empty packets do not show on HCI, so the visible silence may be much longer. A request still open at that moment is a
consequence. A change of the connection parameters before it, however near, proves nothing by itself.

## What else it could be
0x3E: the peer was never heard. 0x22: the peer is there but did not finish a link-layer procedure. A device that advertises
while its link is silent has left it by itself: `device-restarted`.

## What to do
Distance, antenna, interference, Wi-Fi on the same chip; a device that resets or switches its radio off (flash erase). A
longer supervision timeout bridges short gaps. Look whether advertising resumes right after the end: then the device reset.",
    sources: &["BlueZ doc/btmon-connections.rst", "RPi-Distro/bluez-firmware#8"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "silent for longer than its timeout of 420 ms", || {
            lost(Trace::new().up().mtu().wait_ms(500)).into()
        })
        .about(&[1])
        .saying("the supervision timeout in force was 420 ms"),
        Case::cause(Confidence::High, "silent for 4.76 s of its 5 s", || {
            lost(slow().wait_ms(4_760)).into()
        })
        .pins(&["ELAPSED_PERCENT"]),
        Case::silent("silent for 4.74 s of its 5 s", || lost(slow().wait_ms(4_740)).into())
            .pins(&["ELAPSED_PERCENT"]),
        Case::cause(Confidence::High, "answers had taken 2.99 connection events", || {
            lost(answered(146, 146)).into()
        })
        .saying("as on a good link")
        .pins(&["GOOD", "FEWEST_ANSWERS"]),
        Case::cause(Confidence::High, "answers had taken 3.02 connection events", || {
            lost(answered(147, 147)).into()
        })
        .not_saying("as on a good link")
        .pins(&["GOOD"]),
        Case::cause(Confidence::High, "one answer alone shows no good link", || {
            lost(Trace::new().up().write(3, &[1]).wait_ms(500)).into()
        })
        .not_saying("as on a good link")
        .pins(&["FEWEST_ANSWERS"]),
        Case::silent("our host asked for the end", || {
            let link = slow().wait_ms(5_000).taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(link).into()
        }),
        Case::silent("it was silent, and ended for another reason", || {
            slow().wait_ms(5_000).disconnected(Status::LL_RESPONSE_TIMEOUT).into()
        }),
        Case::cause(Confidence::Medium, "the link was up before the capture began", || {
            lost(Trace::new().mtu().wait_ms(500)).into()
        })
        .saying("its timeout is not known"),
        Case::cause(Confidence::High, "the controller cleared its queue at the end", || {
            lost(slow().wait_ms(5_000).acknowledged(1).wait_ms(15)).into()
        })
        .saying("last sign of the peer: ACL data from the peer"),
        Case::cause(Confidence::High, "the device advertises 1.4 s after the end", || {
            lost(slow().wait_ms(5_000)).wait_ms(1_400).advertises(0).into()
        })
        .saying("advertises again")
        .pins(&["REAPPEARED"]),
        Case::cause(Confidence::High, "the device advertises 1.6 s after the end", || {
            lost(slow().wait_ms(5_000)).wait_ms(1_600).advertises(0).into()
        })
        .not_saying("advertises again")
        .pins(&["REAPPEARED"]),
        Case::cause(Confidence::High, "an idle link of which nothing was seen for 10.1 s", || {
            lost(slow().wait_ms(10_100)).into()
        })
        .saying("An idle link shows nothing")
        .pins(&["IDLE"]),
        Case::cause(Confidence::High, "nothing was seen for 9.9 s", || {
            lost(slow().wait_ms(9_900)).into()
        })
        .saying("Nothing was heard for 9.90 s")
        .pins(&["IDLE"]),
        Case::cause(Confidence::High, "its timeout had room for six packets", || {
            lost(of(80, 0, 60).wait_ms(700)).into()
        })
        .saying("room for only 6.0 packets")
        .pins(&["FEW"]),
        Case::cause(Confidence::High, "its timeout had room for 6.1 packets", || {
            lost(of(80, 0, 61).wait_ms(700)).into()
        })
        .not_saying("had room for")
        .pins(&["FEW"]),
        Case::cause(Confidence::High, "the parameters changed 14.9 s before, three timeouts", || {
            lost(changed(slow()).wait_ms(14_900)).into()
        })
        .saying("that alone proves nothing")
        .pins(&["NEAR"]),
        Case::cause(Confidence::High, "the parameters changed 15.1 s before", || {
            lost(changed(slow()).wait_ms(15_100)).into()
        })
        .not_saying("that alone proves nothing")
        .pins(&["NEAR"]),
        Case::cause(Confidence::High, "a timeout of 3.99 s", || {
            lost(of(24, 0, 399).wait_ms(4_000)).into()
        })
        .saying("ConnectionSupervisionTimeout=600")
        .pins(&["ORDINARY"]),
        Case::cause(Confidence::High, "a timeout of 4 s", || {
            lost(of(24, 0, 400).wait_ms(4_000)).into()
        })
        .not_saying("ConnectionSupervisionTimeout=600")
        .pins(&["ORDINARY"]),
        Case::cause(Confidence::High, "a BR/EDR link", || {
            lost(Trace::new().connected_bredr().signal_bredr(Direction::Received, 1, signal::Pdu::InformationRequest { info_type: 2 }).wait_ms(20_000)).into()
        })
        .saying("It was a BR/EDR link; nothing was heard on it for 20"),
        Case::cause(Confidence::High, "a link to another device is lost 0.4 s later", || both_lost(400).into())
            .about(&[1])
            .saying("lost at the same moment")
            .pins(&["TOGETHER"]),
        Case::cause(Confidence::High, "a link to another device is lost 0.6 s later", || both_lost(600).into())
            .not_saying("lost at the same moment")
            .pins(&["TOGETHER"]),
        Case::cause(Confidence::High, "it fell silent 2 s after the connection, twice", || {
            lived(2_000).wait_ms(3_000).followed_by(lived(2_000)).into()
        })
        .about(&[1, 2])
        .saying("On 2 links the device fell silent about 2"),
        Case::cause(Confidence::High, "it fell silent after 2 s, and after 7 s", || {
            lived(2_000).wait_ms(3_000).followed_by(lived(7_000)).into()
        })
        .not_saying("fell silent about"),

        Case::cause(Confidence::High, "the device advertises exactly 1.5 s after the end", || {
            lost(slow().wait_ms(5_000)).after_ms(1_500).advertises(0).into()
        })
        .not_saying("advertises again"),
        Case::cause(Confidence::High, "silent for exactly 4.75 s of its 5 s", || {
            lost(slow().after_ms(4_750)).into()
        }),
        Case::cause(Confidence::High, "nothing was seen for exactly 10 s", || {
            lost(slow().after_ms(10_000)).into()
        })
        .saying("Nothing was heard for 10.00 s"),
        Case::cause(Confidence::High, "the parameters changed exactly 15 s before", || {
            lost(changed(slow()).after_ms(15_000)).into()
        })
        .saying("that alone proves nothing"),
        Case::cause(Confidence::High, "a link to another device is lost exactly 0.5 s later", || {
            both_lost_after(500_000).into()
        })
        .saying("lost at the same moment")
        .pins(&["TOGETHER"]),
        Case::cause(Confidence::High, "a link to another device is lost a moment later than that", || {
            both_lost_after(500_001).into()
        })
        .not_saying("lost at the same moment")
        .pins(&["TOGETHER"]),
        Case::cause(Confidence::High, "lost beside another device, and the next link lived as long", || {
            let next = lost(of(24, 0, 500).wait_ms(5_400));
            both_lost(400).wait_ms(3_000).followed_by(next).into()
        })
        .about(&[1, 3])
        .saying("lost at the same moment")
        .not_saying("fell silent about"),
        Case::cause(Confidence::High, "answers had taken exactly three connection events", || {
            lost(answered_after(146_250)).into()
        })
        .saying("as on a good link"),
        Case::cause(Confidence::High, "answers had taken a little more than three connection events", || {
            lost(answered_after(146_251)).into()
        })
        .not_saying("as on a good link"),
        Case::cause(Confidence::High, "another adapter loses its link at the same moment", || {
            let link = |trace: Trace| lost(trace.create().connected_as(0, 24, 0, 500).mtu().wait_ms(5_400));
            let other = Address([2, 0, 0, 0, 0, 0xc0]);
            link(Trace::new()).beside(link(Trace::new().peer(other, AddressType::RANDOM))).into()
        })
        .not_saying("lost at the same moment"),
    ],
};

/// Links to two devices, with timeouts of 5 s: both fall silent, and the second is lost so much later.
fn both_lost(ms: u32) -> Trace {
    let link = |trace: Trace| trace.create().connected_as(0, 24, 0, 500).mtu();
    let other = Address([2, 0, 0, 0, 0, 0xc0]);
    let two = link(link(Trace::new()).peer(other, AddressType::RANDOM).handle(0x41));
    lost(lost(two.wait_ms(5_400).handle(HANDLE.0)).wait_ms(ms).handle(0x41))
}

/// The same, to the microsecond.
fn both_lost_after(us: u32) -> Trace {
    let link = |trace: Trace| trace.create().connected_as(0, 24, 0, 500).mtu();
    let other = Address([2, 0, 0, 0, 0, 0xc0]);
    let two = link(link(Trace::new()).peer(other, AddressType::RANDOM).handle(0x41));
    lost(lost(two.wait_ms(5_400).handle(HANDLE.0)).after_us(us).handle(0x41))
}

/// A link whose features and MTU come exactly so long after the question, and then nothing.
fn answered_after(us: u32) -> Trace {
    let asked = Trace::new().create().connected();
    let asked = asked.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
    // The status comes 0.1 ms after the command.
    let told = asked.after_us(us - 100).le(LeEvent::ReadRemoteFeaturesComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        le_features: [0; 8],
    });
    let request = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
    let told = told.att(Direction::Sent, request).after_us(us);
    told.att(Direction::Received, answer).wait_ms(500)
}

/// A link that is lost so long after its connection, and the timeout.
fn lived(ms: u32) -> Trace {
    lost(of(24, 0, 500).wait_ms(ms).notified(0x10, &[1]).wait_ms(5_000))
}

/// A link with a supervision timeout of 5 s, that was heard.
fn slow() -> Trace {
    Trace::new().advertises(0).followed_by(of(24, 0, 500))
}

fn of(interval: u16, latency: u16, timeout: u16) -> Trace {
    Trace::new().create().connected_as(0, interval, latency, timeout).mtu()
}

/// The interval becomes a little longer.
fn changed(link: Trace) -> Trace {
    link.le(LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        connection_interval: 36,
        peripheral_latency: 0,
        supervision_timeout: 500,
    })
}

/// A link whose features and MTU come after these times, and then nothing.
fn answered(features: u32, mtu: u32) -> Trace {
    let link = Trace::new().create().connected();
    let asked = link.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
    let told = asked.wait_ms(features).le(LeEvent::ReadRemoteFeaturesComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        le_features: [0; 8],
    });
    let request = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
    let told = told.att(Direction::Sent, request).wait_ms(mtu);
    told.att(Direction::Received, answer).wait_ms(500)
}

fn lost(link: Trace) -> Trace {
    link.disconnected(Status::CONNECTION_TIMEOUT)
}

const RADIO: Remedy = Remedy::any(
    "Repeat at one metre, and with 2.4 GHz Wi-Fi off: if it holds, it is the radio path.",
);

const DEVICE: Remedy = Remedy::any(
    "Look whether the device resets or switches its radio off at that moment: its log, its supply, an erase of its flash.",
);

const THIS_SIDE: Remedy = Remedy::any(
    "Test with another adapter on this host, and look at what it did at that moment: Wi-Fi traffic, sleep, another scan, or that it was carried away.",
);

/// For links whose timeout was shorter than the ordinary 4 to 6 s.
const LONGER: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Lengthen the timeout: `[LE] ConnectionSupervisionTimeout=600` (6 s) in /etc/bluetooth/main.conf.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pass a longer timeout: `peripheral.connect({ timeout: 0x0258 })` (6 s) where the fork supports it.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Request a supervision timeout of 4-6 s in the connection parameters.",
    ),
];

/// A timeout of this length is no short one: a longer one is no advice.
const ORDINARY: Span = Span::from_ms(4_000);

/// An idle link shows no packets: a silence of so many timeouts and more does not say when the link was lost.
const IDLE: i64 = 2;

/// A timeout with room for so few packets is worth a remark.
const FEW: f64 = 6.0;

/// An update that ended within so many supervision timeouts before the end is worth a remark.
const NEAR: i64 = 3;

/// Links to two devices that are lost within so short a time share their reason: a controller reports the two ends up to
/// an interval apart.
const TOGETHER: Span = Span::from_ms(500);

/// How much of the supervision timeout must have passed in silence: events are stamped late.
const ELAPSED_PERCENT: i64 = 95;

/// A device that advertises this soon after the end is alive.
const REAPPEARED: Span = Span::from_ms(1_500);

/// On a good link an answer that needs no thought takes no more connection events than this.
const GOOD: f64 = 3.0;

/// So many answers show it.
const FEWEST_ANSWERS: u64 = 2;

/// A link that had worked and was given up for want of packets.
#[derive(Debug)]
struct Lost {
    transport: Transport,
    timeout: Option<Span>,
    silence: Option<Span>,
    last_heard: Option<Sighting>,
    end: End,
    /// An advertising report after the end: frame, and how much later.
    advertises: Option<(u32, Span)>,
    /// How many packets the timeout had room for, if only few.
    room: Option<f64>,
    /// An update of the parameters shortly before the end: frame, and how much earlier.
    update: Option<(u32, Span)>,
    /// The end of a link to another device, which was lost at the same moment.
    together: Option<u32>,
    /// How many connection events answers had taken, where that shows that the link had been good: frame, events.
    good: Option<(u32, f64)>,
    /// On so many lost links the device fell silent about the same time after the connection.
    regular: Option<(usize, Span)>,
}

fn lost_by(connection: &Connection) -> Option<&End> {
    let end = connection.end.as_ref()?;
    (end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none()).then_some(end)
}

/// The end of a link to another device that fell silent at the same moment: by the controller's timers, the end less
/// the supervision timeout.
fn together(scene: &Scene<'_>, connection: &Connection) -> Option<u32> {
    let who = connection.peer.who()?;
    let timeout = connection.current?.timeout();
    let end = lost_by(connection)?;
    let near = |c: &&Connection| {
        let other = c.current.map(|current| current.timeout());
        let gap = lost_by(c).and_then(|other| other.at.since(end.at));
        let apart = gap.zip(other).map(|(gap, other)| Span(gap.0 - (other.0 - timeout.0)));
        c.adapter == connection.adapter
            && c.peer.who().is_some_and(|other| other != who)
            && apart.is_some_and(|apart| apart.abs() <= TOGETHER)
    };
    let first = (connection.number as usize).saturating_sub(super::see::SHOWN_KIN + 1);
    let beside = scene.capture().connections.iter().skip(first).take(2 * super::see::SHOWN_KIN + 1);
    Some(lost_by(beside.filter(|c| c.number != connection.number).find(near)?)?.frame)
}

/// On how many lost links to the device it fell silent the same time after the connection, and that time.
fn regular(scene: &Scene<'_>, connection: &Connection) -> Option<(usize, Span)> {
    let lived = |c: &Connection| {
        lost_by(c)?;
        c.last_heard?.seen.at.since(c.connected_at())
    };
    let own = lived(connection)?;
    let mut all: Vec<Span> =
        scene.capture().kin(connection, super::see::SHOWN_KIN).filter_map(lived).collect();
    all.push(own);
    see::constant(&all).then_some((all.len(), own))
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = lost_by(connection)?;
    let timeout = connection.current.map(|c| c.timeout());
    let silence = connection.silence_before_end();
    if let (Some(timeout), Some(silence)) = (timeout, silence)
        && silence.0 * 100 < timeout.0 * ELAPSED_PERCENT
    {
        return None;
    }
    let advertises = connection.report_after.and_then(|report| {
        let after = report.at.since(end.at).filter(|after| *after < REAPPEARED)?;
        Some((report.frame, after))
    });
    let room = connection.current.map(|current| current.events_in_timeout());
    let update = connection.pace.get(1..).and_then(|updates| updates.last()).and_then(|update| {
        let before = end.at.since(update.at)?;
        (before.0 <= timeout?.0.saturating_mul(NEAR)).then_some((update.frame, before))
    });
    let facts = Lost {
        room: room.filter(|room| *room <= FEW),
        update,
        transport: connection.transport,
        timeout,
        silence,
        last_heard: connection.last_heard,
        end: end.clone(),
        advertises,
        together: together(scene, connection),
        good: connection
            .bare_answers()
            .filter(|answers| answers.events <= GOOD && answers.count >= FEWEST_ANSWERS)
            .map(|answers| (answers.frame, answers.events)),
        regular: regular(scene, connection),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Lost {
    fn says(&self) -> Text {
        let timing = match (self.timeout, self.silence) {
            (Some(timeout), Some(silence)) if silence.0 > timeout.0.saturating_mul(IDLE) => text!(
                "The last sign of the device was {} before the end. An idle link shows nothing on HCI: it was lost one supervision timeout, {}, before the end.",
                silence,
                timeout
            ),
            (Some(timeout), Some(silence)) => text!(
                "Nothing was heard for {}; the supervision timeout in force was {}.",
                silence,
                timeout
            ),
            (None, Some(silence)) if self.transport == Transport::BrEdr => {
                text!("It was a BR/EDR link; nothing was heard on it for {}.", silence)
            }
            (None, _) => {
                text!("The link was up before the capture began, so its timeout is not known.")
            }
            _ => Text::EMPTY,
        };
        let room = self.room.map(|room| {
            let room = text!("{}", format_args!("{room:.1}"));
            text!(" The timeout had room for only {} packets (interval × (1 + latency)).", room)
        });
        let together = self.together.map(|_| {
            text!(
                " A link to another device was lost at the same moment: look at what the two share, which is this side's radio and the place."
            )
        });
        let regular = self.regular.filter(|_| self.together.is_none()).map(|(links, after)| {
            text!(
                " On {} links the device fell silent about {} after the connection: a weak signal is not so regular.",
                links,
                after
            )
        });
        text!(
            "The controller gave the link up for want of packets from the device. {}{}{}{}",
            timing,
            room,
            together,
            regular
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        if let Some(heard) = self.last_heard {
            sights
                .push(Sight::here(heard.seen.frame, text!("last sign of the peer: {}", heard.by)));
        }
        sights.push(see::link_ended(&self.end));
        sights.extend(self.good.map(|(frame, events)| {
            let text = text!(
                "from here on answers took {} connection events, as on a good link: it was not weak then",
                format_args!("{events:.1}")
            );
            Sight::here(frame, text)
        }));
        if let Some((frame, before)) = self.update {
            let text = text!(
                "the connection parameters had changed {} before the end; that alone proves nothing",
                before
            );
            sights.push(Sight::here(frame, text));
        }
        sights.extend(self.together.map(|frame| {
            Sight::here(frame, "the link to another device is lost at the same moment")
        }));
        if let Some((frame, after)) = self.advertises {
            sights.push(Sight::here(
                frame,
                text!(
                    "the device advertises again {} after the end: it is alive, and may have reset",
                    after
                ),
            ));
        }
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "never-heard-peer",
            "the link had been established: 0x08 is only reported after packets were received",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Repeat with the device at one metre and Wi-Fi off; log resets on the device's side."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let short = self.timeout.is_some_and(|timeout| timeout < ORDINARY);
        let longer = if short { LONGER } else { &[] };
        let mut remedies = match (self.together, self.regular) {
            (Some(_), _) => vec![THIS_SIDE, RADIO],
            (None, Some(_)) => vec![DEVICE, RADIO],
            (None, None) => vec![RADIO, DEVICE],
        };
        remedies.extend(longer.iter().cloned());
        remedies
    }
}
