use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::{Direction, Status, signal};
use crate::timeline::{Connection, Detail, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "param-update-unanswered-then-drop",
    title: "The device left because its connection parameters were refused or ignored",
    basis: Basis::Real,
    silences: &["remote-user-terminated-idle", "peer-hangs-up-on-deadline", "immediate-0x13-after-first-att"],
    docs: "\
## What it means
The device asked for other connection parameters, a longer interval to save power as a rule. This host refused or never
answered, and the device ended the link.

## How it shows
Connection Parameter Update Request from the peer (or LE Remote Connection Parameter Request) without an answer or with a
refusal, then Disconnection Complete 0x13, at once or after its own timer (30 to 60 s as a rule).

## What else it could be
A request that was accepted and carried out is normal, whatever values came of it.

## What to do
Let the host accept the values: a kernel with the fix of mid-2024, or limits in main.conf that contain the request; in firmware
ask for values that hosts accept, and do not hang up over a refusal.",
    sources: &["bluez/bluez#847", "Linux commit 806a5198c059", "noble/noble#296, #347", "tinygo-org/bluetooth#456"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(1).into()),
        Case::silent("the nearest other trace", || example(0).into()),
    ],
};

fn example(result: u16) -> Trace {
    Trace::new()
        .up()
        .mtu()
        .wait_ms(500)
        .signal(
            Direction::Received,
            1,
            signal::Pdu::ConnectionParameterUpdateRequest {
                interval_min: 80,
                interval_max: 100,
                latency: 4,
                timeout: 600,
            },
        )
        .wait_ms(2)
        .signal(Direction::Sent, 1, signal::Pdu::ConnectionParameterUpdateResponse { result })
        .wait_ms(2000)
        .disconnected(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Use a kernel with commit 806a5198c059 (mid-2024, also in stable kernels), or widen the limits together: `[LE] MinConnectionInterval=6 MaxConnectionInterval=3200 ConnectionSupervisionTimeout=1000` in /etc/bluetooth/main.conf (a wider interval alone is refused: 420 ms would be too short for it).",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Update noble: old versions never answer this request on a user channel; on a raw socket the kernel answers (see the kernel's fix 806a5198c059).",
    ),
    Remedy::on(
        &[Stack::NimBle, Stack::Esp, Stack::Zephyr],
        "Answer the request in the GAP event handler (accept it, or return the values that you allow).",
    ),
    Remedy::any(
        "In the device's firmware: do not end the link when a parameter request is refused.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = see::peer_hung_up(connection)?;
    if connection.cut_packets > 0 {
        return None;
    }
    let asked: Vec<_> = connection
        .steps
        .iter()
        .filter(|s| {
            s.procedure == Procedure::ParameterUpdate && s.by == Direction::Received && s.failed()
        })
        .filter(|s| !matches!(s.detail, Detail::Parameters { min: 0, .. }))
        .collect();
    let last = asked.last()?;
    let wanted = match last.detail {
        Detail::Parameters { min, max, latency, timeout, .. } => format!(
            "{}-{} ms, latency {latency}, timeout {} ms",
            f64::from(min) * 1.25,
            f64::from(max) * 1.25,
            u32::from(timeout) * 10
        ),
        _ => return None,
    };
    let refused = last.outcome == Outcome::Error;
    let wait = end.at.since(last.last_at)?;
    let mut verdict = Verdict::cause(format!(
        "The device asked for other connection parameters ({wanted}); this host {}, and {wait} later the device hung up.",
        if refused { "refused" } else { "never answered" }
    ))
    .sure(Confidence::High);
    for step in &asked {
        verdict = verdict.sees(step.frame, format!("the peer asks for {wanted}"));
        if step.outcome == Outcome::Error {
            verdict = verdict.sees(step.last_frame, "this host refuses");
        }
    }
    let (frame, text) = see::ended(end);
    Some(
        verdict
            .sees(frame, text)
            .rules_out(
                "remote-user-terminated-idle",
                "the device's own request was open or refused before it left",
            )
            .rules_out("never-heard-peer", "the device was heard")
            .try_these(remedies(scene, REMEDIES)),
    )
}
