use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::timeline::{Connection, Detail, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "short-supervision-timeout-linux-420ms",
    title: "The supervision timeout leaves room for only a few lost packets",
    basis: Basis::Real,
    silences: &[],
    docs: "\
## What it means
A link is given up when nothing is received for the supervision timeout. Linux asks for 420 ms by default, about nine
connection events at 48.75 ms; some devices ask for even less. A short fade or a busy radio is then enough.

## How it shows
Disconnection Complete with 0x08 on a link whose timeout holds fewer than about ten connection events (latency counted).
Measured on real links: up to 3.2 events in the timeout, 5 of 8 ended with 0x08; above 30 events, 18 of 113.

## What else it could be
With 0x3E the timeout does not matter: it counts only from the first packet of the peer on.

## What to do
Lengthen the timeout on the side that imposed it: the central for the value at connect, the peripheral where it requested
the change.",
    sources: &["analogdevicesinc/msdk#1508: 3 % of links lost at 420 ms, none at 720 ms", "Linux net/bluetooth: default of 42 x 10 ms"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| Trace::new().up().mtu().wait_ms(500).disconnected(Status::CONNECTION_TIMEOUT).into()),
        Case::silent("the nearest other trace", || {
        Trace::new().create().connected_as(0, 39, 0, 500).features().mtu().wait_ms(5100).disconnected(Status::CONNECTION_TIMEOUT).into()
    }),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "In /etc/bluetooth/main.conf: `[LE]` `MinConnectionInterval=24` `MaxConnectionInterval=40` `ConnectionSupervisionTimeout=600`, then restart bluetooth. For a test: `echo 600 | sudo tee /sys/kernel/debug/bluetooth/hci0/supervision_timeout`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "noble writes its own parameters and ignores main.conf: pass a longer `timeout` to `connect`.",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Set the supervision timeout to 4-6 s in the connection parameters that the firmware asks for.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection
        .end
        .as_ref()
        .filter(|end| end.reason == Status::CONNECTION_TIMEOUT && end.command_frame.is_none())?;
    let current = connection.current?;
    let granted = connection.granted?;
    let events = current.events_in_timeout();
    if events >= 10.0 {
        return None;
    }
    let update = connection.steps.iter().rev().find(|s| {
        s.procedure == Procedure::ParameterUpdate && matches!(s.detail, Detail::Parameters { granted_timeout, .. } if granted_timeout != 0)
    });
    let asked = connection
        .steps
        .iter()
        .any(|s| s.procedure == Procedure::ParameterUpdate && s.by == Direction::Received);
    let who = match update {
        Some(_) if asked => "after the peer asked for it",
        Some(_) => "by an update during the link",
        None => "at connect",
    };
    let mut verdict = Verdict::suspect(format!(
        "The supervision timeout was {} with an interval of {} and latency {}, given {who}: {events:.1} connection events. A short disturbance is enough to lose such a link.",
        current.timeout(),
        current.interval(),
        current.latency
    ))
    .sure(if events <= 3.2 { Confidence::High } else { Confidence::Medium })
    .sees(update.map_or(connection.connected_frame?, |s| s.last_frame), format!("supervision timeout {}", current.timeout()));
    if current.timeout != granted.timeout {
        verdict = verdict.sees(
            connection.connected_frame?,
            format!("it had been {} at connect", granted.timeout()),
        );
    }
    let (frame, text) = see::ended(end);
    Some(
        verdict
            .sees(frame, text)
            .rules_out("never-heard-peer", "0x08 ends only links on which the peer was heard")
            .try_these(remedies(scene, REMEDIES)),
    )
}
