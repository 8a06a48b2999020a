use super::{Basis, Case, Check, Confidence, Facts, Rule, Scene, Sight, Verdict, see};
use crate::packet::Status;
use crate::packet::hci::Command;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Sighting};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "terminate-not-acknowledged",
    title: "This host hung up, and the device was no longer there to hear it",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
This host ended the link, and the device never acknowledged that: it was gone already. The controller waited for the
supervision timeout and then reported the end. What went wrong, if anything did, went wrong before.

## How it shows
A Disconnect command of ours, and Disconnection Complete with 0x22 or 0x08 one supervision timeout later (within ten percent).

## What else it could be
0x22 without a Disconnect command of ours is `ll-response-timeout-40s`. This rule rests on a trace of its author's.

## What to do
Look at what came before the Disconnect command: when the device was last heard, and which request was open.",
    sources: &["measured twice: 0x22 after 6.97 s of 7.00 s and 7.99 s of 8.00 s from our Disconnect command"],
    check: Check::Connection(check),
    cases: &[
        Case::note(Confidence::Medium, "0x22 one supervision timeout after our command", || {
            ended(4_970, Status::LL_RESPONSE_TIMEOUT).into()
        })
        .about(&[1])
        .saying("4.97 s"),
        Case::note(Confidence::Medium, "0x08 one supervision timeout after our command", || {
            ended(5_000, Status::CONNECTION_TIMEOUT).into()
        }),
        Case::note(Confidence::Medium, "4.51 s of 5 s", || {
            ended(4_510, Status::LL_RESPONSE_TIMEOUT).into()
        })
        .pins(&["NEAR_PERCENT"]),
        Case::silent("4.49 s of 5 s", || ended(4_490, Status::LL_RESPONSE_TIMEOUT).into())
            .pins(&["NEAR_PERCENT"]),
        Case::silent("the device acknowledged", || {
            ended(5_000, Status::LOCAL_HOST_TERMINATED).into()
        }),
        Case::silent("nobody hung up", || {
            heard().wait_ms(5_000).disconnected(Status::LL_RESPONSE_TIMEOUT).into()
        }),
        Case::note(Confidence::Medium, "exactly 4.5 s of 5 s", || ended_after(4_500_000).into())
            .pins(&["NEAR_PERCENT"]),
        Case::silent("a moment less", || ended_after(4_499_999).into()).pins(&["NEAR_PERCENT"]),
    ],
};

fn heard() -> Trace {
    Trace::new().create().connected_as(0, 24, 0, 500).features().mtu()
}

/// We hang up, and that much later the controller reports the end.
fn ended(ms: u32, reason: Status) -> Trace {
    let link = heard().taken(Command::Disconnect {
        connection_handle: HANDLE,
        reason: Status::REMOTE_USER_TERMINATED,
    });
    link.wait_ms(ms).disconnected(reason)
}

/// The same, to the microsecond: the status comes 0.1 ms after the command.
fn ended_after(us: u32) -> Trace {
    let link = heard().taken(Command::Disconnect {
        connection_handle: HANDLE,
        reason: Status::REMOTE_USER_TERMINATED,
    });
    link.after_us(us - 100).disconnected(Status::LL_RESPONSE_TIMEOUT)
}

/// How far from the supervision timeout, in percent of it, the wait may be.
const NEAR_PERCENT: i64 = 10;

/// A link whose end the device never acknowledged.
#[derive(Debug)]
struct Unacknowledged {
    command_frame: u32,
    waited: Span,
    timeout: Span,
    last_heard: Option<Sighting>,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| {
        matches!(end.reason, Status::LL_RESPONSE_TIMEOUT | Status::CONNECTION_TIMEOUT)
    })?;
    let (waited, timeout) = (end.at.since(end.command_at())?, connection.current?.timeout());
    let near = (waited - timeout).abs().0 * 100 <= timeout.0 * NEAR_PERCENT;
    let facts = Unacknowledged {
        command_frame: end.command_frame()?,
        waited,
        timeout,
        last_heard: connection.last_heard,
        end: end.clone(),
    };
    near.then(|| Verdict::note(facts))
}

impl Facts for Unacknowledged {
    fn says(&self) -> Text {
        text!(
            "This host hung up and the device never acknowledged it: the controller waited {}, the supervision timeout of {}. The device was gone before.",
            self.waited,
            self.timeout
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let heard = self.last_heard.map(|heard| {
            Sight::here(heard.seen.frame, text!("last sign of the device: {}", heard.by))
        });
        let rest =
            [Sight::here(self.command_frame, "Disconnect command"), see::link_ended(&self.end)];
        heard.into_iter().chain(rest).collect()
    }
}
