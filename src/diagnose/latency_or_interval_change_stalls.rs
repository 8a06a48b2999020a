use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Direction, Status, signal};
use crate::timeline::{Connection, Detail, EndedBy, Outcome, Procedure, Stack};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "latency-or-interval-change-stalls",
    title: "New connection parameters made the link slow, and then it failed",
    basis: Basis::Laboratory,
    silences: &["short-supervision-timeout-linux-420ms", "supervision-timeout-0x08", "connection-cancelled-by-app", "att-request-unanswered", "zombie-link-data-silence"],
    docs: "\
## What it means
In the middle of the link the interval (or the latency) became much larger. Every request now takes many times longer, and a
timeout that was ample before holds only a few packets.

## How it shows
LE Connection Update Complete with at least four times the time between packets, requests that take several times longer
afterwards, and then a loss (0x08) or a host that gives up.

## What else it could be
Updates that are followed by ordinary traffic and an ordinary end are normal.

## What to do
Ask for sane values in the device's firmware; on Linux forget the values that the kernel has stored for this device.",
    sources: &["bluez/bluez#207", "noble/noble#293", "Linux net/bluetooth: stored connection parameters"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(800).into()),
        Case::silent("the nearest other trace", || example(60).into()),
    ],
};

fn example(interval: u16) -> Trace {
    let wanted = signal::Pdu::ConnectionParameterUpdateRequest {
        interval_min: interval,
        interval_max: interval,
        latency: 0,
        timeout: 1000,
    };
    let trace = Trace::new()
        .up()
        .mtu()
        .write(0x10, &[1])
        .signal(Direction::Received, 1, wanted)
        .signal(Direction::Sent, 1, signal::Pdu::ConnectionParameterUpdateResponse { result: 0 })
        .taken(Command::LeConnectionUpdate {
            connection_handle: HANDLE,
            connection_interval_min: interval,
            connection_interval_max: interval,
            max_latency: 0,
            supervision_timeout: 1000,
            min_ce_length: 0,
            max_ce_length: 0,
        })
        .wait_ms(300)
        .le(LeEvent::ConnectionUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            connection_interval: interval,
            peripheral_latency: 0,
            supervision_timeout: 1000,
        });
    let sent = Direction::Sent;
    let write = crate::packet::att::Pdu::WriteRequest {
        attribute_handle: crate::packet::att::Handle(0x12),
        attribute_value: &[2],
    };
    trace
        .att(sent, write)
        .wait_ms(u32::from(interval) * 2)
        .att(Direction::Received, crate::packet::att::Pdu::WriteResponse {})
        .wait_ms(100)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Forget the stored values: `bluetoothctl remove ADDRESS` (the kernel keeps what the device asked for and uses it again); set limits with `[LE] MaxConnectionInterval` in /etc/bluetooth/main.conf.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Call `requestConnectionPriority(CONNECTION_PRIORITY_HIGH)` for the transfer.",
    ),
    Remedy::any(
        "In the device's firmware: keep a short interval (15-50 ms) while data are being moved, and a timeout of at least ten packets.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let granted = connection.granted?;
    let end = connection.end.as_ref()?;
    let spacing = |interval: u16, latency: u16| u64::from(interval) * (1 + u64::from(latency));
    let mut before = spacing(granted.interval, granted.latency);
    let mut slow = None;
    for step in connection
        .steps
        .iter()
        .filter(|s| s.procedure == Procedure::ParameterUpdate && s.outcome == Outcome::Ok)
    {
        let Detail::Parameters { granted_interval, granted_latency, granted_timeout, .. } =
            step.detail
        else {
            continue;
        };
        if granted_interval == 0 {
            continue;
        }
        let now = spacing(granted_interval, granted_latency);
        slow = (now >= before * 4).then_some((
            step,
            granted_interval,
            granted_latency,
            granted_timeout,
        ));
        before = now;
    }
    let (step, interval, latency, timeout) = slow?;
    // A second, slower life of the same work: requests of our host that took several times longer.
    let slowest = connection
        .steps
        .iter()
        .filter(|s| {
            s.frame > step.frame
                && s.by == Direction::Sent
                && matches!(s.procedure, Procedure::Write | Procedure::Read)
        })
        .filter_map(|s| Some(s.duration()?.0 / i64::from(s.count.max(1))))
        .max();
    let per_packet = i64::try_from(spacing(interval, latency) * 1250).unwrap_or(i64::MAX);
    let lost = end.reason == Status::CONNECTION_TIMEOUT;
    // Slow requests alone are what somebody asked for: the host must have been at it to the end.
    let busy = connection
        .idle_before_end()
        .is_some_and(|idle| idle.0 <= slowest.unwrap_or(0).saturating_mul(2));
    let gave_up = end.by == EndedBy::Host
        && busy
        && slowest.is_some_and(|s| s >= 1_000_000 && s >= per_packet * 8 / 10);
    let tight = i64::from(timeout) * 10_000 < per_packet * 10;
    if !(gave_up || lost && tight) {
        return None;
    }
    let asked = connection.steps.iter().find(|s| {
        s.procedure == Procedure::ParameterUpdate
            && s.by == Direction::Received
            && s.frame <= step.last_frame
    });
    // A host that hangs up after slow work may simply have finished it.
    let level = if lost { Verdict::cause } else { Verdict::suspect };
    let mut verdict = level(format!(
        "{} the connection interval became {} ms with latency {latency} (it was {}); {}.",
        if asked.is_some() { "The device asked for it and" } else { "In the middle of the link" },
        f64::from(interval) * 1.25,
        granted.interval(),
        if lost {
            format!(
                "the timeout of {} ms then held fewer than ten packets, and the link was lost",
                u32::from(timeout) * 10
            )
        } else {
            "requests then took much longer, until this host hung up".to_owned()
        }
    ))
    .sure(Confidence::Medium);
    if let Some(step) = asked {
        verdict = verdict.sees(step.frame, "the device asks for these parameters");
    }
    let (frame, text) = see::ended(end);
    Some(
        verdict
            .sees(
                step.last_frame,
                format!(
                    "LE Connection Update Complete: {} ms, latency {latency}, timeout {} ms",
                    f64::from(interval) * 1.25,
                    u32::from(timeout) * 10
                ),
            )
            .sees(frame, text)
            .rules_out("never-heard-peer", "the device was heard")
            .try_these(remedies(scene, REMEDIES)),
    )
}
