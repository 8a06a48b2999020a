use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Direction, Status, signal};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Granted, Procedure};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "short-supervision-by-peer",
    title: "An update left the link a supervision timeout of only a few packets",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
A connection update, which the device or this host asked for, left so short a supervision timeout, or so long an interval and
latency, that the timeout holds six packets or fewer. If that many are lost in a row the link ends. The specification demands
room for more than two.

## How it shows
Disconnection Complete with 0x08, and a supervision timeout divided by interval × (1 + latency) of 6 or less, which an LE
Connection Update Complete brought. It stands beside `supervision-timeout-0x08`: the packets were lost for another reason.

## What else it could be
A value that came with the connection itself is `short-supervision-timeout-linux-420ms`. A device that went away is lost with
any timeout.

## What to do
Whoever asked for the values should ask for a timeout of at least ten times interval × (1 + latency), or for less latency.",
    sources: &["Core Specification, Vol 4, Part E, 7.8.18: the timeout must exceed (1 + latency) x interval x 2", "six lost links with room for 3 to 7 packets"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the device asked for room for three packets", || {
            lost(updated(asks(Trace::new().up().mtu(), 24, 29, 271), 24, 29, 271), 2_800).into()
        })
        .about(&[1])
        .saying("only 3.0 packets: 2.71 s with an interval of 30 ms and latency 29. The device asked for it"),
        Case::suspect(Confidence::Medium, "this host asked", || {
            lost(updated(orders(Trace::new().up().mtu(), 24, 29, 271), 24, 29, 271), 2_800).into()
        })
        .saying("This host asked for it"),
        Case::suspect(Confidence::Medium, "nobody is seen asking", || {
            lost(updated(Trace::new().up().mtu(), 24, 29, 271), 2_800).into()
        })
        .not_saying("asked for it"),
        Case::suspect(Confidence::Medium, "room for six packets", || {
            lost(updated(Trace::new().up().mtu(), 80, 0, 60), 700).into()
        })
        .pins(&["FEW"]),
        Case::silent("room for 6.1 packets", || {
            lost(updated(Trace::new().up().mtu(), 80, 0, 61), 700).into()
        })
        .pins(&["FEW"]),
        Case::silent("the values came with the connection", || {
            lost(Trace::new().create().connected_as(0, 24, 29, 271).features(), 2_800).into()
        }),
        Case::silent("it went back to a longer timeout before the loss", || {
            let link = updated(Trace::new().up().mtu(), 24, 29, 271).wait_ms(100);
            lost(updated(link, 24, 0, 271), 2_800).into()
        }),
        Case::silent("the device hung up", || {
            let link = updated(Trace::new().up().mtu(), 24, 29, 271).wait_ms(500);
            link.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("our host asked for the end", || {
            let link = updated(Trace::new().up().mtu(), 24, 29, 271).taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            lost(link, 2_800).into()
        }),
        Case::suspect(Confidence::Medium, "what was asked for before the update before is not this one", || {
            let first = updated(orders(Trace::new().up().mtu(), 24, 0, 500), 24, 0, 500);
            lost(updated(first.wait_ms(900), 24, 29, 271), 2_800).into()
        })
        .saying("it had been 30 ms, latency 0, timeout 5.00 s")
        .not_saying("asked for it"),
        Case::suspect(Confidence::Medium, "what the device asks for after the update is another one", || {
            let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
                interval_min: 24,
                interval_max: 24,
                latency: 0,
                timeout: 600,
            };
            let link = updated(Trace::new().up().mtu(), 24, 29, 271).wait_ms(500);
            lost(link.signal(Direction::Received, 1, wanted), 2_800).into()
        })
        .not_saying("asked for it"),
        Case::suspect(Confidence::Medium, "text that does not print what came with the connection", || {
            let link = Trace::new().create().connected_as(0, 0, 0, 0).features();
            lost(updated(link, 24, 29, 271), 2_800).into()
        })
        .not_saying("it had been"),
    ],
};

fn asks(trace: Trace, interval: u16, latency: u16, timeout: u16) -> Trace {
    let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: interval,
        interval_max: interval,
        latency,
        timeout,
    };
    let asked = trace.signal(Direction::Received, 1, wanted).wait_ms(1);
    let yes = signal::Pdu::ConnectionParameterUpdateResponse { result: 0 };
    orders(asked.signal(Direction::Sent, 1, yes), interval, latency, timeout)
}

fn orders(trace: Trace, interval: u16, latency: u16, timeout: u16) -> Trace {
    trace.taken(Command::LeConnectionUpdate {
        connection_handle: HANDLE,
        connection_interval_min: interval,
        connection_interval_max: interval,
        max_latency: latency,
        supervision_timeout: timeout,
        min_ce_length: 0,
        max_ce_length: 0,
    })
}

fn updated(trace: Trace, interval: u16, latency: u16, timeout: u16) -> Trace {
    trace.wait_ms(50).le(LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        connection_interval: interval,
        peripheral_latency: latency,
        supervision_timeout: timeout,
    })
}

fn lost(link: Trace, ms: u32) -> Trace {
    link.wait_ms(ms).disconnected(Status::CONNECTION_TIMEOUT)
}

/// A timeout with room for this many packets, or fewer, does not outlive a short disturbance.
const FEW: f64 = 6.0;

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Ask for a supervision timeout of at least ten times interval × (1 + latency), 4 to 6 s as a rule, or for less latency: on whichever side asked for these parameters.",
)];

/// A lost link whose update had left little room.
#[derive(Debug)]
struct Short {
    granted: Granted,
    /// Before the update, where the capture shows it.
    before: Option<Granted>,
    update_frame: u32,
    /// From the update to the end.
    held: Option<Span>,
    /// The last request for these parameters, the device's if there is one.
    asked: Option<(Direction, u32)>,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::CONNECTION_TIMEOUT && end.command_frame().is_none())?;
    let (update, before) = match connection.pace.as_slice() {
        [.., before, update] => (update, Some(before)),
        // Text that does not print what came with the connection.
        [update] if connection.granted.is_none() => (update, None),
        _ => return None,
    };
    let since = before.map_or(0, |before| before.frame);
    let granted = update.parameters;
    if granted.events_in_timeout() > FEW {
        return None;
    }
    let before_update = connection.steps.iter().rev().filter(|s| {
        s.procedure == Procedure::ParameterUpdate && s.frame < update.frame && s.frame > since
    });
    // A host that carries out the device's request sends an update too, so the device's request is looked for first.
    let asked = before_update.max_by_key(|s| (s.by == Direction::Received, s.frame));
    let facts = Short {
        granted,
        before: before.map(|before| before.parameters),
        update_frame: update.frame,
        held: end.at.since(update.at),
        asked: asked.map(|step| (step.by, step.frame)),
        end: end.clone(),
    };
    Some(Verdict::suspect(facts).sure(Confidence::Medium))
}

impl Facts for Short {
    fn says(&self) -> Text {
        let who = match self.asked {
            Some((Direction::Received, _)) => text!(" The device asked for it."),
            Some((Direction::Sent, _)) => text!(" This host asked for it."),
            None => Text::EMPTY,
        };
        text!(
            "When the link was lost its supervision timeout had room for only {} packets: {} with an interval of {} and latency {}.{}",
            format_args!("{:.1}", self.granted.events_in_timeout()),
            self.granted.timeout(),
            self.granted.interval(),
            self.granted.latency,
            who
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let held = self.held.map(|held| text!(", {} before the end", held));
        let before = self.before.map(|before| {
            text!(
                ": it had been {}, latency {}, timeout {}",
                before.interval(),
                before.latency,
                before.timeout()
            )
        });
        let update = text!("LE Connection Update Complete{}{}", held, before);
        let mut sights = vec![Sight::here(self.update_frame, update)];
        sights.extend(self.asked.map(|(by, frame)| {
            let who = if by == Direction::Received {
                "the device asks for these parameters"
            } else {
                "this host asks for these parameters"
            };
            Sight::here(frame, who)
        }));
        sights.push(see::link_ended(&self.end));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "0x08 ends only links on which the peer was heard")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with a longer timeout: if the link then lives on, it was the timeout.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
