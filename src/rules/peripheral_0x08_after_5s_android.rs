use super::{Basis, Check, Confidence, Rule, Scene, Verdict, see};
use crate::link::{Connection, Outcome, Procedure, Role};
use crate::trace::{HANDLE, Trace};
use crate::wire::Status;
use crate::wire::hci::LeEvent;

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
Peripheral role, a connection update to 45 ms or so with a timeout of 5 s, then nothing more from the phone, 0x08.

## What else it could be
Any lost link looks like this; once is no proof.

## What to do
Newer controller firmware and kernel; a USB dongle; do not request an update from the peripheral's side.",
    sources: &["RPi-Distro/bluez-firmware#9", "bluez/bluez#280"],
    check: Check::Connection(check),
    fires_on: || example(500).into(),
    silent_on: || example(72).into(),
};

fn example(timeout: u16) -> Trace {
    Trace::new()
        .connected_as(1, 24, 0, 500)
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .le(LeEvent::ConnectionUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            connection_interval: 36,
            peripheral_latency: 0,
            supervision_timeout: timeout,
        })
        .wait_ms(u32::from(timeout) * 10 + 40)
        .disconnected(Status::CONNECTION_TIMEOUT)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::CONNECTION_TIMEOUT)?;
    let current =
        connection.current.filter(|c| c.timeout == 500 && (24..=40).contains(&c.interval))?;
    let update = connection
        .steps
        .iter()
        .rev()
        .find(|s| s.procedure == Procedure::ParameterUpdate && s.outcome == Outcome::Ok)?;
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let (frame, text) = see::ended(end);
    Some(
        Verdict::suspect(format!(
            "As peripheral this host lost the central after an update to {} with a timeout of {}: some built-in controllers lose Android phones just so.",
            current.interval(),
            current.timeout()
        ))
        .sure(Confidence::Low)
        .sees(update.last_frame, "the connection parameters change")
        .sees(frame, text)
        .settled_by("Repeat with a USB dongle as the peripheral's adapter.")
        .try_this("Update the controller's firmware and the kernel, or use a USB dongle; do not request a parameter update from the peripheral."),
    )
}
