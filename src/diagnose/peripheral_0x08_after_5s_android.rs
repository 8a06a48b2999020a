use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict, see};
use crate::packet::Status;
use crate::packet::hci::LeEvent;
use crate::time::Span;
use crate::timeline::{Connection, End, Outcome, Procedure, Role, Step};
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
        Case::fires(|| example(0).into()),
        Case::silent("the nearest other trace", || example(20).into()),
    ],
};

/// How many seconds the phone is heard after the update.
fn example(heard: u32) -> Trace {
    let update = LeEvent::ConnectionUpdateComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        connection_interval: 36,
        peripheral_latency: 0,
        supervision_timeout: 500,
    };
    let mut trace = Trace::new()
        .connected_as(1, 24, 0, 500)
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .le(update);
    for _ in 0..heard {
        trace = trace.wait_ms(1000).from_peer(&[0x0a, 3, 0], &[0x0b, 1]);
    }
    trace.wait_ms(5_040).disconnected(Status::CONNECTION_TIMEOUT)
}

/// How long after the update the phone may still be heard.
const GRACE: Span = Span::from_ms(1000);

fn check(_: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let lost: Vec<(&Connection, &Step, &End)> = attempts.iter().copied().filter_map(deaf).collect();
    let (first, ..) = lost.first()?;
    let current = first.current?;
    // Any lost link may look so once.
    let (tries, confidence) = match lost.len() {
        1 => ("once".to_owned(), Confidence::Low),
        several => (format!("{several} times"), Confidence::Medium),
    };
    let mut verdict = Verdict::suspect(format!(
        "As peripheral this host lost the central {tries} one timeout after an update to {} with a timeout of {}, and heard nothing of it since: some built-in controllers lose Android phones just so.",
        current.interval(),
        current.timeout()
    ))
    .sure(confidence)
    .about(lost.iter().map(|(c, ..)| c.number));
    for (_, update, end) in lost {
        let (frame, text) = see::ended(end);
        verdict =
            verdict.sees(update.last.frame, "the connection parameters change").sees(frame, text);
    }
    Some(
        verdict
            .rules_out("remote-user-terminated-idle", "nobody hung up: the packets stayed away")
            .settled_by("Repeat with a USB dongle as the peripheral's adapter.")
            .try_this("Update the controller's firmware and the kernel, or use a USB dongle; do not request a parameter update from the peripheral."),
    )
}

/// A link in the peripheral role on which nothing was heard after its last parameter update.
fn deaf(connection: &Connection) -> Option<(&Connection, &Step, &End)> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    connection.current.filter(|c| c.timeout == 500 && (24..=40).contains(&c.interval))?;
    let update = connection
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure == Procedure::ParameterUpdate && s.outcome == Outcome::Ok)?;
    let heard = connection.last_heard.and_then(|h| h.seen.at.since(update.last.at));
    (connection.role == Some(Role::Peripheral) && heard.is_none_or(|after| after <= GRACE))
        .then_some((connection, update, end))
}
