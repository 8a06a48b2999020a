use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::Command;
use crate::packet::units::{Interval, Timeout};
use crate::packet::{Direction, Status};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, Procedure};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "update-refused-by-disconnect",
    title: "The device hung up because this host changed the connection parameters",
    basis: Basis::Author,
    silences: &["remote-user-terminated-idle", "unexplained-end"],
    docs: "\
## What it means
This host changed the connection parameters, and the device does not accept them: it ended the link with the reason that the
specification has for this.

## How it shows
LE Connection Update of this host, then Disconnection Complete with 0x3B within seconds, without a command of ours. The reason
is one that the device's host gives.

## What else it could be
0x3B without an update of ours: the device did not like what came with the connection. This rule rests on a trace of its
author's.

## What to do
Do not change the parameters, or ask for values that the device prefers: it may say so in its Peripheral Preferred Connection
Parameters (0x2A04), or in a request of its own.",
    sources: &["measured three times: 0x3B 2.0 to 2.3 s after LE Connection Update", "Core Specification, Vol 1, Part F, 2.54"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "0x3B two seconds after our update", || {
            after(2_000, Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        })
        .about(&[1])
        .saying("2.00 s later"),
        Case::cause(Confidence::Medium, "0x3B after 9.9 s", || {
            after(9_900, Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        })
        .pins(&["SOON"]),
        Case::silent("0x3B after 10.1 s", || {
            after(10_100, Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        })
        .pins(&["SOON"]),
        Case::silent("another reason", || after(2_000, Status::REMOTE_USER_TERMINATED).into()),
        Case::silent("no update of ours", || {
            let link = Trace::new().up().mtu().wait_ms(2_000);
            link.disconnected(Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        }),
        Case::silent("our host asked for the end", || {
            let link = asked().taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::UNACCEPTABLE_CONNECTION_PARAMETERS,
            });
            link.wait_ms(50).disconnected(Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        }),
        // The status comes 0.1 ms after the command.
        Case::cause(Confidence::Medium, "0x3B after exactly 10 s", || {
            let asked = asked().after_us(10_000_000 - 100);
            asked.disconnected(Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        }),
        Case::silent("0x3B a moment later than that", || {
            let asked = asked().after_us(10_000_001 - 100);
            asked.disconnected(Status::UNACCEPTABLE_CONNECTION_PARAMETERS).into()
        }),
    ],
};

fn asked() -> Trace {
    Trace::new().up().mtu().taken(Command::LeConnectionUpdate {
        connection_handle: HANDLE,
        connection_interval_min: 6,
        connection_interval_max: 12,
        max_latency: 0,
        supervision_timeout: 500,
        min_ce_length: 0,
        max_ce_length: 0,
    })
}

fn after(ms: u32, reason: Status) -> Trace {
    asked().wait_ms(ms).disconnected(reason)
}

/// A device that does not accept an update hangs up within this time.
const SOON: Span = Span::from_ms(10_000);

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Leave the connection parameters alone on this link, or ask for values that the device prefers: read 0x2A04, or take what it asks for itself.",
)];

/// An update that the device answered by hanging up.
#[derive(Debug)]
struct Refused {
    /// Units of 1.25 ms, events, units of 10 ms.
    asked: Option<(u16, u16, u16, u16)>,
    update_frame: u32,
    later: Span,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        end.reason == Status::UNACCEPTABLE_CONNECTION_PARAMETERS && end.command_frame().is_none()
    })?;
    let update = connection
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure == Procedure::ParameterUpdate && s.by == Direction::Sent)?;
    let later = end.at.since(update.at).filter(|later| *later <= SOON)?;
    let asked = match update.detail {
        Detail::Parameters { min, max, latency, timeout, .. } => Some((min, max, latency, timeout)),
        _ => None,
    };
    let facts = Refused { asked, update_frame: update.frame, later, end: end.clone() };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Refused {
    fn says(&self) -> Text {
        text!(
            "This host changed the connection parameters, and {} later the device ended the link with the reason that says it does not accept them.",
            self.later
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let asked = self.asked.map(|(min, max, latency, timeout)| {
            text!(
                ": {}-{} ms, latency {}, timeout {}",
                format_args!("{}", Interval(min).ms()),
                format_args!("{}", Interval(max).ms()),
                latency,
                Timeout(timeout).span()
            )
        });
        vec![
            Sight::here(self.update_frame, text!("LE Connection Update of this host{}", asked)),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "supervision-timeout-0x08",
            "the device ended the link itself, the radio path was fine",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat without the update: if the link then lives, it was the update.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
