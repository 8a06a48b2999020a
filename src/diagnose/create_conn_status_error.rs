use super::waits::pending;
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Connection, RequestKind, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "create-conn-status-error",
    title: "The local controller refused the connect command",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app"],
    docs: "\
## What it means
The host asked for a connection and its own controller said no at once. Nothing went out on the air; the device was not
involved.

## How it shows
Command Status with an error for LE Create Connection or LE Extended Create Connection. 0x0C: another request is still
pending, or the adapter is busy in a way that excludes it. 0x09 and 0x0D: no link left to give. 0x12: the parameters contradict
each other, as a rule a supervision timeout too short for the interval and latency. 0x11: a PHY or feature that the controller
lacks. 0x07: no memory.

## What else it could be
A single 0x0C can be a harmless race of two programs; a link that comes up moments later shows that.

## What to do
0x0C: connect to one device at a time, cancel a pending request before the next, and let only one program own the adapter.
0x12: raise the supervision timeout together with the interval. 0x11: ask for the 1M PHY only.",
    sources: &["noble/noble#864, #658, #165", "Core Specification, Vol 4, Part E, 7.8.12 and 7.8.66"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| refused(Status::COMMAND_DISALLOWED).into()),
        Case::silent("the nearest other trace", || Trace::new().up().mtu().into()),
    ],
};

fn refused(status: Status) -> Trace {
    let trace = Trace::new().advertises(0);
    trace.create_refused(status)
}

/// Most later requests looked at: whoever asks a thousand times in two seconds races with himself.
const MOST_RACING: usize = 64;

const BUSY: &[Remedy] = &[
    Remedy::any(
        "Connect to one device at a time: wait for the end of one attempt, or cancel it, before the next.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "If bluetoothd runs on the same adapter, stop it (`sudo systemctl stop bluetooth`) or give noble an adapter of its own (`NOBLE_HCI_DEVICE_ID`).",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Cancel a pending attempt with `bluetoothctl disconnect ADDRESS`; keep one program in charge of connecting.",
    ),
];

const PARAMETERS: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "In /etc/bluetooth/main.conf, `[LE]`, set `ConnectionSupervisionTimeout` (units of 10 ms) so that it exceeds (1 + latency) x maximum interval x 2, or lower `MaxConnectionInterval`.",
    ),
    Remedy::any("Choose a supervision timeout above (1 + latency) x maximum interval x 2."),
];

/// Requests that this one may have raced with: the one that was under way, and those that follow.
fn near<'a>(
    scene: &Scene<'a>,
    connection: &Connection,
) -> impl Iterator<Item = &'a Connection> + use<'a> {
    let later = scene.capture().connections.iter().skip(connection.number as usize);
    pending(scene, connection).into_iter().chain(later.take(MOST_RACING))
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let status = request.status.filter(|status| *status != Status::SUCCESS)?;
    let frame = request.status_frame?;
    if request.kind == RequestKind::BrEdrCreate {
        return None;
    }
    let why = match status {
        Status::COMMAND_DISALLOWED => {
            "another request was pending, or the adapter was in a state that excludes connecting"
        }
        Status::CONNECTION_LIMIT_EXCEEDED | Status::LIMITED_RESOURCES => {
            "it has no link left to give"
        }
        Status::INVALID_PARAMETERS => "the parameters contradict each other",
        Status::UNSUPPORTED_FEATURE => "it does not support a PHY or feature that was asked for",
        Status::MEMORY_CAPACITY_EXCEEDED => "it is out of memory",
        Status::CONNECTION_ALREADY_EXISTS => "a link to this device exists already",
        _ => "the code says why",
    };
    // A race of two requests that both come through in the end is no fault.
    let passed = status == Status::COMMAND_DISALLOWED
        && near(scene, connection).any(|other| {
            other.adapter == connection.adapter
                && other.connected_frame.is_some_and(|up| up > frame)
                && other.connected_at.since(request.at).is_some_and(|d| d.as_s() < 2.0)
                && other.peer_heard()
        });
    let says = format!(
        "The local controller refused the connect command with {status}: {why}. Nothing went out on the air."
    );
    let mut verdict =
        if passed { Verdict::suspect(says) } else { Verdict::cause(says).sure(Confidence::High) }
            .apart(status.0)
            .sees(request.frame, format!("{} to {}", request.kind, request.peer))
            .sees(frame, format!("Command Status: {status}"))
            .rules_out("never-heard-peer", "no connect request left this host");
    verdict = match status {
        Status::COMMAND_DISALLOWED => {
            if let Some(other) = pending(scene, connection).and_then(|c| c.request.as_ref()) {
                verdict = verdict.sees(
                    other.frame,
                    format!("{} to {}, still pending at that moment", other.kind, other.peer),
                );
            }
            verdict.try_these(remedies(scene, BUSY))
        }
        Status::INVALID_PARAMETERS => verdict.try_these(remedies(scene, PARAMETERS)),
        Status::UNSUPPORTED_FEATURE => {
            verdict.try_this("Ask for the 1M PHY only; on BlueZ `btmgmt phy LE1MTX LE1MRX`.")
        }
        Status::CONNECTION_LIMIT_EXCEEDED
        | Status::LIMITED_RESOURCES
        | Status::MEMORY_CAPACITY_EXCEEDED => verdict.try_this(
            "Close links that nobody uses, or use a second adapter for some of the devices.",
        ),
        _ => verdict,
    };
    Some(verdict)
}
