use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::hci::Command;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, End, Moment, Procedure, Step};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "two-procedures-collide",
    title: "Two procedures were open at once when the link ended",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
A change of the connection parameters, of the PHY or of the data length was under way together with encryption or discovery.
Some controllers and some devices cannot do two things at once: one of the two is never finished, or one side misses the
moment at which the change takes place.

## How it shows
Both procedures are open at the same time, and the link ends, or one of them fails, with 0x23, 0x28 or 0x2A. Where the link
only falls silent (0x08, 0x22) and both are still open it is a note: a lost link looks the same.

## What else it could be
Most links do several things at once without any harm. This rule was tested only with a trace that its author wrote.

## What to do
One thing after the other: wait for encryption and discovery before the parameters are changed; switch automatic updates off
on one side.",
    sources: &["Core Specification, Vol 6, Part B, 5.3: procedure collisions", "three threads in which an update during encryption or discovery ended the link"],
    check: Check::Connection(check),
    cases: &[
        Case::suspect(Confidence::Medium, "an update during encryption, and the moment was missed", || {
            both().wait_ms(300).disconnected(Status::INSTANT_PASSED).into()
        })
        .about(&[1])
        .saying("encrypt"),
        Case::suspect(Confidence::Medium, "a collision of two transactions", || {
            both().wait_ms(300).disconnected(Status::DIFFERENT_TRANSACTION_COLLISION).into()
        }),
        Case::suspect(Confidence::Medium, "a collision of two procedures", || {
            both().wait_ms(300).disconnected(Status::LL_COLLISION).into()
        }),
        Case::note(Confidence::Medium, "both are open, and the link falls silent", || {
            both().wait_ms(420).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("only the update was open", || {
            updates(Trace::new().up()).wait_ms(300).disconnected(Status::INSTANT_PASSED).into()
        }),
        Case::silent("the encryption was done before", || {
            let link = Trace::new().up().encrypts().wait_ms(50).encryption(Status::SUCCESS);
            updates(link).wait_ms(300).disconnected(Status::INSTANT_PASSED).into()
        }),
        Case::silent("the device hung up", || {
            both().wait_ms(300).disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("our host asked for the end", || {
            let link = both().taken(Command::Disconnect {
                connection_handle: HANDLE,
                reason: Status::REMOTE_USER_TERMINATED,
            });
            link.wait_ms(50).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),
        Case::silent("the encryption had failed before", || {
            let link = Trace::new().up().encrypts().wait_ms(50).encryption(Status::AUTHENTICATION_FAILURE);
            updates(link.wait_ms(50)).wait_ms(300).disconnected(Status::INSTANT_PASSED).into()
        }),
    ],
};

fn updates(link: Trace) -> Trace {
    link.taken(Command::LeConnectionUpdate {
        connection_handle: HANDLE,
        connection_interval_min: 6,
        connection_interval_max: 12,
        max_latency: 0,
        supervision_timeout: 500,
        min_ce_length: 0,
        max_ce_length: 0,
    })
}

fn both() -> Trace {
    updates(Trace::new().up().encrypts())
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Do one thing after the other: change the parameters, the PHY or the data length only once encryption and discovery are done.",
)];

/// Two procedures that were open at once.
#[derive(Debug)]
struct Both {
    change: Step,
    other: Step,
    end: End,
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.command_frame().is_none())?;
    let collided = matches!(
        end.reason,
        Status::LL_COLLISION | Status::INSTANT_PASSED | Status::DIFFERENT_TRANSACTION_COLLISION
    );
    let silent = matches!(end.reason, Status::CONNECTION_TIMEOUT | Status::LL_RESPONSE_TIMEOUT);
    if !(collided || silent) {
        return None;
    }
    // What was still open when the link ended.
    let open = |step: &&Step| step.failed() && closed(step, end.at) >= end.at;
    let changes = |step: &&Step| {
        use Procedure::{DataLength, ParameterUpdate, Phy};
        let ours = step.by == Direction::Sent;
        ours && matches!(step.procedure, ParameterUpdate | Phy | DataLength)
    };
    let others = |step: &&Step| {
        use Procedure::*;
        matches!(
            step.procedure,
            Encrypt
                | DiscoverServices
                | DiscoverIncludes
                | DiscoverCharacteristics
                | DiscoverDescriptors
        )
    };
    let change = connection.steps.iter().filter(open).rfind(changes)?;
    let other = connection.steps.iter().filter(open).rfind(others)?;
    let facts = Both { change: change.clone(), other: other.clone(), end: end.clone() };
    let verdict = if collided { Verdict::suspect(facts) } else { Verdict::note(facts) };
    Some(verdict.sure(Confidence::Medium))
}

/// When a step was over; one that the link's end cut off, then.
fn closed(step: &Step, end: Moment) -> Moment {
    if step.last.frame == step.frame { end } else { step.last.at }
}

impl Facts for Both {
    fn says(&self) -> Text {
        text!(
            "When the link ended, {} and {} were open at once, and neither was finished. Some controllers and devices cannot do both.",
            self.other.procedure,
            self.change.procedure
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.other.frame, text!("{} begins", self.other.procedure)),
            Sight::here(self.change.frame, text!("{} begins", self.change.procedure)),
            see::link_ended(&self.end),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "the device was heard")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with one after the other: if the link then lives, they collided.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
