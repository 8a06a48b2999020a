use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
    orders, see,
};
use crate::packet::{AddressType, Direction, Status, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, Procedure, Role, Stack, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "remote-user-terminated-idle",
    title: "The device hangs up after a fixed time without what it waits for",
    basis: Basis::Real,
    silences: &["zombie-link-data-silence"],
    docs: "\
## What it means
The device was heard and answered, then the link was idle, and the device ended it itself. One of two clocks is the same in
every try: from the connection to the end, or from the last packet to the end. That is a login or inactivity timer in firmware.

## How it shows
Disconnection Complete 0x13 without our command, more than a second after the last packet, the one or the other clock constant
within ten percent over two or more tries. On BR/EDR a link counts only where the device closed the channels itself: where this
host closed them first, the device drops the link about a second later, and that is a polite end.

## What else it could be
A parameter or security request of the device that nobody answered (`param-update-unanswered-then-drop`,
`security-request-ignored`); a packet right before the end; a user who switched the device off.

## What to do
Replay the first writes that the working side makes, within the deadline. Against an inactivity timer read something at a
third of its time.",
    sources: &["dotnet-bluetooth-le#277 (30 s without password)", "measured: 8.055 s and 8.054 s from the last packet, lives 15.2 s and 33.5 s"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::High, "twice after the same time, with nothing going on", || {
            idle(17_000).repeated(2, 2_000).into()
        })
        .about(&[1, 2])
        .saying("a timer that starts with the connection")
        .not_saying("Write and subscribe first what the working host did"),
        Case::cause(Confidence::High, "another host's link does not end so", || {
            let works = Trace::new().up().mtu().write(3, &[1]).wait_ms(40_000).hangs_up(HUNG_UP);
            Example::pair(works, idle(17_000).repeated(2, 2_000))
        })
        .saying("Write and subscribe first what the working host did"),
        Case::suspect(Confidence::High, "the same time after the last packet, lives differ", || {
            let longer = Trace::new().up().mtu().wait_ms(9_000).discovery(2).wait_ms(8_000);
            idle(8_000).wait_ms(900).followed_by(longer.disconnected(HUNG_UP)).into()
        })
        .saying("an inactivity timer"),
        Case::silent("once", || idle(17_000).into()),
        Case::silent("neither clock is constant", || {
            idle(17_000).wait_ms(900).followed_by(idle(9_000)).into()
        }),
        Case::suspect(Confidence::High, "idle for 1.01 s before the end", || {
            idle(1_010).repeated(2, 2_000).into()
        })
        .pins(&["SHORTEST_IDLE"]),
        Case::silent("idle for 0.99 s before the end", || idle(990).repeated(2, 2_000).into())
            .pins(&["SHORTEST_IDLE"]),
        Case::suspect(Confidence::High, "two times that differ by 0.8 s of 17 s", || {
            idle(17_000).wait_ms(900).followed_by(idle(17_800)).into()
        })
        .pins(&["TIGHT_PER_MILLE"]),
        Case::suspect(Confidence::Medium, "two times that differ by 1 s of 17 s", || {
            idle(17_000).wait_ms(900).followed_by(idle(18_000)).into()
        })
        .pins(&["TIGHT_PER_MILLE"]),
        Case::suspect(Confidence::High, "three times that differ by up to 1 s of 17 s", || {
            let two = idle(17_000).wait_ms(900).followed_by(idle(18_000));
            two.wait_ms(900).followed_by(idle(17_500)).into()
        }),
        Case::silent("our host hangs up", || {
            let link = Trace::new().up().mtu().wait_ms(17_000).hangs_up(HUNG_UP);
            link.repeated(2, 2_000).into()
        }),
        Case::silent("the device was switched off", || {
            let link = Trace::new().up().mtu().wait_ms(17_000);
            link.disconnected(Status::REMOTE_POWER_OFF).repeated(2, 2_000).into()
        }),
        Case::silent("the device connected to us", || {
            let link = Trace::new().connected_as(1, 39, 0, 42).features().mtu().wait_ms(17_000);
            link.disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
        Case::silent("a request of the device was refused", || {
            let asks = signal::Pdu::ConnectionParameterUpdateRequest {
                interval_min: 80,
                interval_max: 100,
                latency: 4,
                timeout: 600,
            };
            let refusal = signal::Pdu::ConnectionParameterUpdateResponse { result: 1 };
            let link = Trace::new().up().mtu().signal(Direction::Received, 1, asks);
            let link = link.signal(Direction::Sent, 1, refusal).wait_ms(17_000);
            link.disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
        Case::suspect(Confidence::High, "BR/EDR: the device closes its channel and leaves", || {
            bredr(Direction::Received).repeated(2, 2_000).into()
        })
        .saying("a timer that starts with the connection"),
        Case::silent("BR/EDR: this host closed the channel first", || {
            bredr(Direction::Sent).repeated(2, 2_000).into()
        }),
        Case::silent("BR/EDR: only the time since the closed channel is the same", || {
            let longer = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC);
            let longer = longer.connected_bredr().wait_ms(9_000);
            let longer = closes(longer, Direction::Received);
            bredr(Direction::Received).wait_ms(2_000).followed_by(longer).into()
        }),

        Case::silent("idle for exactly 1 s before the end", || {
            let link = Trace::new().up().mtu().after_ms(1_000).disconnected(HUNG_UP);
            link.repeated(2, 2_000).into()
        }),
        Case::suspect(Confidence::High, "two times that are the same clock tell which one", || {
            idle(17_000).repeated(2, 2_000).into()
        })
        .saying("With bleak write")
        .not_saying("Read a characteristic at a third"),
        Case::suspect(Confidence::High, "an inactivity timer is fed", || {
            let longer = Trace::new().up().mtu().wait_ms(9_000).discovery(2).wait_ms(8_000);
            idle(8_000).wait_ms(900).followed_by(longer.disconnected(HUNG_UP)).into()
        })
        .saying("Read a characteristic at a third")
        .not_saying("With bleak write"),
        Case::suspect(Confidence::High, "BR/EDR: the time since the closed channel is the steadier one", || {
            let longer = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC);
            let longer = closes(longer.connected_bredr().wait_ms(100), Direction::Received);
            bredr(Direction::Received).wait_ms(2_000).followed_by(longer).into()
        })
        .saying("a timer that starts with the connection"),
        Case::suspect(Confidence::High, "two times that differ by exactly 5 percent", || {
            lived(17_000_000).wait_ms(900).followed_by(lived(17_850_000)).into()
        })
        .pins(&["TIGHT_PER_MILLE"]),
        Case::suspect(Confidence::Medium, "two times that differ by a little more", || {
            lived(17_000_000).wait_ms(900).followed_by(lived(17_867_000)).into()
        })
        .pins(&["TIGHT_PER_MILLE"]),
        Case::suspect(Confidence::High, "LE: this host had closed a channel, which leaves the link as it is", || {
            let asks = signal::Pdu::DisconnectionRequest { destination_cid: 0x40, source_cid: 0x41 };
            let says = signal::Pdu::DisconnectionResponse { destination_cid: 0x40, source_cid: 0x41 };
            let link = Trace::new().up().mtu().signal(Direction::Sent, 4, asks);
            let link = link.wait_ms(50).signal(Direction::Received, 4, says).wait_ms(17_000);
            link.disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
        Case::suspect(Confidence::High, "BR/EDR: this host asked what the device can, and the device closed the channel", || {
            let asks = signal::Pdu::InformationRequest { info_type: 2 };
            let link = Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr();
            let link = link.signal_bredr(Direction::Sent, 1, asks);
            closes(link, Direction::Received).repeated(2, 2_000).into()
        }),
        Case::silent("each time the device had been told to restart", || {
            let begun = Trace::new().up().mtu().write(3, &[1, 4]).notified(3, &[0x10]);
            let told = begun.writes_to(5, 3).write(3, &[5]);
            told.wait_ms(1_500).disconnected(HUNG_UP).repeated(2, 2_000).into()
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link that was used, then idle, then ended by the device.
fn idle(ms: u32) -> Trace {
    Trace::new().up().mtu().wait_ms(ms).disconnected(HUNG_UP)
}

/// A link that lives exactly so long; the answer about the MTU comes 140.5 ms after the connection.
fn lived(us: u32) -> Trace {
    Trace::new().up().mtu().after_us(us - 140_500).disconnected(HUNG_UP)
}

/// A BR/EDR link whose channel that side closes, and that the device then drops.
fn bredr(by: Direction) -> Trace {
    closes(Trace::new().peer(crate::trace::PEER, AddressType::PUBLIC).connected_bredr(), by)
}

fn closes(link: Trace, by: Direction) -> Trace {
    let asks = signal::Pdu::DisconnectionRequest { destination_cid: 0x40, source_cid: 0x41 };
    let other = if by == Direction::Sent { Direction::Received } else { Direction::Sent };
    let says = signal::Pdu::DisconnectionResponse { destination_cid: 0x40, source_cid: 0x41 };
    let link = link.wait_ms(3_000).signal_bredr(by, 4, asks).signal_bredr(other, 4, says);
    link.wait_ms(1_100).disconnected(HUNG_UP)
}

const REPLAY: Remedy = Remedy::any(
    "Compare with a host that works: replay the first application writes and subscriptions that it makes, in its order.",
);

/// The working host is at hand.
const REPLAY_IT: Remedy = Remedy::any(
    "Write and subscribe first what the working host did, in its order: the report's timeline has its frames.",
);

const KEEP: Remedy = Remedy::any(
    "Read a characteristic at a third of that time to keep the link; or let it go, and connect again when there is something to say.",
);

const AT_ONCE: &[Remedy] = &[
    Remedy::on(&[Stack::BlueZ], "With bleak write or `start_notify` right after `connect()`."),
    Remedy::on(&[Stack::Noble], "Write or subscribe right after discovery."),
];

const LONGER: Remedy = Remedy::no_use(
    "A longer supervision timeout: the link was healthy, the device chose to end it.",
);

/// A device that leaves sooner after a packet may have left because of it.
const SHORTEST_IDLE: Span = Span::from_ms(1_000);

/// Two times that differ by more than this, in thousandths, do not prove a clock.
const TIGHT_PER_MILLE: i64 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Life,
    Idle,
}

/// One link that the device ended.
#[derive(Debug)]
struct Try {
    end_frame: u32,
    reason: Status,
    life: Span,
    idle: Span,
}

/// Idle links that the device ended after about the same time each.
#[derive(Debug)]
struct Timer {
    clock: Clock,
    tries: Vec<Try>,
    compared: bool,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let counts = |c: &&&Connection| {
        c.role == Some(Role::Central)
            && c.peer_heard()
            && !see::peer_request_open(c)
            && !polite(c)
            && orders::obeyed(scene, c).is_none()
    };
    let links = attempts.iter().filter(counts);
    let (numbers, tries): (Vec<u32>, Vec<Try>) =
        links.filter_map(|c| Some((c.number, left(c)?))).unzip();
    let lives: Vec<Span> = tries.iter().map(|t| t.life).collect();
    let idles: Vec<Span> = tries.iter().map(|t| t.idle).collect();
    let clock = match (see::constant(&lives), see::constant(&idles)) {
        (true, true) if spread(&idles) < spread(&lives) => Clock::Idle,
        (true, _) => Clock::Life,
        (false, true) => Clock::Idle,
        _ => return None,
    };
    // What comes after the last channel was closed is no inactivity: a device keeps such a link for a moment.
    let bredr = attempts.iter().any(|c| c.transport == Transport::BrEdr);
    if bredr && clock == Clock::Idle && !see::constant(&lives) {
        return None;
    }
    let clock = if bredr { Clock::Life } else { clock };
    let facts = Timer { clock, tries, compared: scene.reference().is_some() };
    // A device may rightly hang up on a host that has nothing to say: only a host that works shows the fault.
    // Of a link of this capture that has not ended, or whose end is not in it, nobody knows how it would have ended.
    let works = scene.reference().is_some_and(|r| r.end_seen || scene.captures.len() > 1);
    let verdict = if works { Verdict::cause(facts) } else { Verdict::suspect(facts) };
    // Two times that are only alike may be chance.
    let times = if clock == Clock::Life { lives } else { idles };
    let sure = times.len() > 2 || spread(&times) <= TIGHT_PER_MILLE;
    let sure = if sure { Confidence::High } else { Confidence::Medium };
    Some(verdict.sure(sure).about(numbers))
}

/// The try that this link is: it was idle, and the device ended it.
fn left(c: &Connection) -> Option<Try> {
    let end = see::peer_hung_up(c).filter(|end| end.reason == HUNG_UP)?;
    let (life, idle) = (c.life()?, c.idle_before_end()?);
    (idle > SHORTEST_IDLE).then_some(Try { end_frame: end.frame, reason: end.reason, life, idle })
}

/// A BR/EDR link of which this host closed a channel first, or of which the capture does not show who did.
fn polite(c: &Connection) -> bool {
    let closes = c.steps.iter().find(|s| {
        s.procedure == Procedure::Channel
            && matches!(s.detail, Detail::Signal { code: see::DISCONNECTION_REQUEST, .. })
    });
    c.transport == Transport::BrEdr && closes.is_none_or(|s| s.by == Direction::Sent)
}

impl Facts for Timer {
    fn says(&self) -> Text {
        let spans =
            |of: fn(&Try) -> Span| see::from_to(&self.tries.iter().map(of).collect::<Vec<_>>());
        match self.clock {
            Clock::Life => text!(
                "In {} tries the device hung up {} after the connection was made, with nothing going on before: a timer that starts with the connection.",
                self.tries.len(),
                spans(|t| t.life)
            ),
            Clock::Idle => text!(
                "In {} tries the device hung up {} after the last packet: an inactivity timer.",
                self.tries.len(),
                spans(|t| t.idle)
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let tries = self.tries.iter().map(|Try { end_frame, reason, life, idle }| {
            let text = text!(
                "{}, {} after the connection, {} after the last packet",
                *reason,
                *life,
                *idle
            );
            Sight::here(*end_frame, text)
        });
        tries.collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![
            RuledOut::new("never-heard-peer", "the device answered on this link before it hung up"),
            RuledOut::new("supervision-timeout-0x08", "the device ended the link itself"),
        ]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![
            "Repeat and read a characteristic every few seconds: if the link then lives, it was inactivity; if it ends at the same time, the device waits for a certain write.".into(),
        ]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let replay = if self.compared { REPLAY_IT } else { REPLAY };
        let mut remedies = match self.clock {
            Clock::Idle => vec![KEEP, replay],
            Clock::Life => std::iter::once(replay).chain(AT_ONCE.iter().cloned()).collect(),
        };
        remedies.push(LONGER);
        remedies
    }
}

fn spread(spans: &[Span]) -> i64 {
    let (low, high) = (spans.iter().min(), spans.iter().max());
    low.zip(high).map_or(0, |(low, high)| (high.0 - low.0) * 1000 / low.0.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Level;
    use crate::diagnose::tests::said_of_own_attempts;

    /// Nobody knows how a link of this capture would have ended that has not ended in it.
    #[test]
    fn a_link_of_this_capture_that_has_not_ended_shows_no_fault() {
        let said = |trace: Trace| said_of_own_attempts(check, trace).level;
        let last = || {
            let two = idle(17_000).repeated(2, 2_000).wait_ms(2_000).up().mtu();
            two.write(3, &[1]).wait_ms(40_000)
        };
        assert_eq!(said(last().hangs_up(HUNG_UP)), Level::Cause);
        assert_eq!(said(last().advertises(0)), Level::Suspect);
    }
}
