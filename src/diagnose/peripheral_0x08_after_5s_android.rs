use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::packet::hci::LeEvent;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Granted, Outcome, Procedure, Role};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "peripheral-0x08-after-5s-android",
    title: "As peripheral this host loses a phone one timeout after a parameter update",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
A known trouble of some built-in controllers (Raspberry Pi) as peripheral with some Android phones: after a parameter update the
two sides no longer meet, and the link ends one supervision timeout (5 s) after the last packet.

## How it shows
Peripheral role, a connection update to 45 ms or so with a timeout of 5 s, then nothing more from the phone, 0x08. The
timeout counts from the last packet heard, so the link may end later than five seconds after the update.

## What else it could be
Any lost link looks like this; once is no proof.

## What to do
Newer controller firmware and kernel; a USB dongle; do not request an update from the peripheral's side.",
    sources: &["RPi-Distro/bluez-firmware#9", "bluez/bluez#280"],
    check: Check::Device(check),
    cases: &[
        Case::suspect(Confidence::Low, "the phone is lost 5 s after an update to 45 ms", || {
            lost(updated(36, 500)).into()
        })
        .about(&[1])
        .saying("lost the central once one timeout after an update to 45 ms with a timeout of 5.00 s"),
        Case::suspect(Confidence::Medium, "it is lost twice", || {
            lost(updated(36, 500)).repeated(2, 3_000).into()
        })
        .about(&[1, 2])
        .saying("lost the central 2 times"),
        Case::silent("the phone goes on for 20 s after the update", || {
            lost((0..20).fold(updated(36, 500), |trace, _| heard(trace, 1_000))).into()
        }),
        Case::suspect(Confidence::Low, "the phone is heard 0.99 s after the update", || {
            lost(heard(updated(36, 500), 990)).into()
        })
        .pins(&["GRACE"]),
        Case::silent("the phone is heard 1.01 s after the update", || {
            lost(heard(updated(36, 500), 1_010)).into()
        })
        .pins(&["GRACE"]),
        Case::suspect(Confidence::Low, "an update to 30 ms", || lost(updated(24, 500)).into())
            .pins(&["FASTEST"]),
        Case::silent("an update to 28.75 ms", || lost(updated(23, 500)).into())
            .pins(&["FASTEST"]),
        Case::suspect(Confidence::Low, "an update to 50 ms", || lost(updated(40, 500)).into())
            .pins(&["SLOWEST"]),
        Case::silent("an update to 51.25 ms", || lost(updated(41, 500)).into())
            .pins(&["SLOWEST"]),
        Case::suspect(Confidence::Low, "a timeout of 5 s", || lost(updated(36, 500)).into())
            .pins(&["TIMEOUT"]),
        Case::silent("a timeout of 4.99 s", || lost(updated(36, 499)).into()).pins(&["TIMEOUT"]),
        Case::silent("a timeout of 5.01 s", || lost(updated(36, 501)).into()).pins(&["TIMEOUT"]),
        Case::silent("nothing was updated", || lost(up(1)).into()),
        Case::silent("the update failed", || {
            lost(update(up(1), Status::UNSUPPORTED_REMOTE_FEATURE, 36, 500)).into()
        }),
        Case::silent("the phone hangs up", || {
            let trace = updated(36, 500).wait_ms(5_040);
            trace.disconnected(Status::REMOTE_USER_TERMINATED).into()
        }),
        Case::silent("this host is the central", || {
            lost(update(up(0), Status::SUCCESS, 36, 500)).into()
        }),
        Case::suspect(Confidence::Low, "the phone is heard exactly 1 s after the update", || {
            lost(updated(36, 500).after_ms(1_000).from_peer(&[0x0a, 3, 0], &[0x0b, 1])).into()
        }),
        Case::silent("the phone is heard a moment later than that", || {
            let late = updated(36, 500).after_us(1_000_001);
            lost(late.from_peer(&[0x0a, 3, 0], &[0x0b, 1])).into()
        }),
    ],
};

fn up(role: u8) -> Trace {
    Trace::new().connected_as(role, 36, 0, 500).from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
}

fn update(trace: Trace, status: Status, interval: u16, timeout: u16) -> Trace {
    trace.le(LeEvent::ConnectionUpdateComplete {
        status,
        connection_handle: HANDLE,
        connection_interval: interval,
        peripheral_latency: 0,
        supervision_timeout: timeout,
    })
}

fn updated(interval: u16, timeout: u16) -> Trace {
    update(up(1), Status::SUCCESS, interval, timeout)
}

fn heard(trace: Trace, ms: u32) -> Trace {
    trace.wait_ms(ms).from_peer(&[0x0a, 3, 0], &[0x0b, 1])
}

fn lost(trace: Trace) -> Trace {
    trace.wait_ms(5_040).disconnected(Status::CONNECTION_TIMEOUT)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Update the controller's firmware and the kernel, or use a USB dongle; do not request a parameter update from the peripheral.",
)];

/// How long after the update the phone may still be heard.
const GRACE: Span = Span::from_ms(1_000);

/// What Android phones change to: a timeout of 5 s, in units of 10 ms, and an interval around 45 ms, in units
/// of 1.25 ms.
const TIMEOUT: u16 = 500;
const FASTEST: u16 = 24;
const SLOWEST: u16 = 40;

/// One link that was lost.
#[derive(Debug)]
struct Lost {
    update_frame: u32,
    end: End,
}

/// Links that did not survive their parameter update.
#[derive(Debug)]
struct Deaf {
    lost: Vec<Lost>,
    /// Of the first of them.
    parameters: Granted,
}

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let (links, lost): (Vec<&Connection>, Vec<Lost>) =
        attempts.iter().filter_map(|c| Some((*c, deaf(c)?))).unzip();
    let facts = Deaf { lost, parameters: links.first()?.current? };
    // One lost link may look like this by chance.
    let confidence = if links.len() > 1 { Confidence::Medium } else { Confidence::Low };
    Some(Verdict::suspect(facts).sure(confidence).about(links.iter().map(|c| c.number)))
}

/// A link in the peripheral role on which nothing was heard after its last parameter update.
fn deaf(connection: &Connection) -> Option<Lost> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    let fits = |c: &Granted| c.timeout == TIMEOUT && (FASTEST..=SLOWEST).contains(&c.interval);
    connection.current.filter(fits)?;
    let update = connection
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure == Procedure::ParameterUpdate && s.outcome == Outcome::Ok)?;
    let heard = connection.last_heard.and_then(|h| h.seen.at.since(update.last.at));
    (connection.role == Some(Role::Peripheral) && heard.is_none_or(|after| after <= GRACE))
        .then(|| Lost { update_frame: update.last.frame, end: end.clone() })
}

impl Facts for Deaf {
    fn says(&self) -> Text {
        let times = match self.lost.len() {
            1 => "once".into(),
            several => text!("{} times", several),
        };
        text!(
            "As peripheral this host lost the central {} one timeout after an update to {} with a timeout of {}, and heard nothing of it since: some built-in controllers lose Android phones just so.",
            times,
            self.parameters.interval(),
            self.parameters.timeout()
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let lost = |Lost { update_frame, end }: &Lost| {
            [Sight::here(*update_frame, "the connection parameters change"), see::link_ended(end)]
        };
        self.lost.iter().flat_map(lost).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "remote-user-terminated-idle",
            "nobody hung up: the packets stayed away",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Repeat with a USB dongle as the peripheral's adapter.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
