use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "remote-user-terminated-idle",
    title: "The device hangs up after a fixed time without what it waits for",
    basis: Basis::Real,
    silences: &["zombie-link-data-silence"],
    docs: "\
## What it means
The device was heard and answered, then the link was idle, and the device ended it itself. One of two clocks is the same in
every try: from the connection to the end, or from the last packet to the end. That is a login or inactivity timer in firmware.

## How it shows
Disconnection Complete 0x13 without our command, more than a second after the last packet, the one or the other clock constant
within ten percent over two or more tries.

## What else it could be
A parameter or security request of the device that nobody answered (`param-update-unanswered-then-drop`,
`security-request-ignored`); a packet right before the end; a user who switched the device off.

## What to do
Replay the first writes that the working side makes, within the deadline. Against an inactivity timer read something at a
third of its time.",
    sources: &["dotnet-bluetooth-le#277 (30 s without password)", "measured: 8.055 s and 8.054 s from the last packet, lives 15.2 s and 33.5 s"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| Trace::new().up().mtu().wait_ms(17_000).disconnected(Status::REMOTE_USER_TERMINATED).repeated(2, 2000).into()),
        Case::silent("the nearest other trace", || Trace::new().up().mtu().wait_ms(17_000).hangs_up(Status::REMOTE_USER_TERMINATED).repeated(2, 2000).into()),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Compare with a host that works: replay the first application writes and subscriptions that it makes, in its order.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "With bleak write or `start_notify` right after `connect()`; for an inactivity timer read a characteristic at a third of its time.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Write or subscribe right after discovery; for an inactivity timer read a characteristic at a third of its time.",
    ),
    Remedy::any(
        "A longer supervision timeout will not help: the link was healthy, the device chose to end it.",
    ),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let tries: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| {
            see::peer_hung_up(c).is_some_and(|end| end.reason == Status::REMOTE_USER_TERMINATED)
        })
        .filter(|c| c.role == Some(Role::Central) && c.peer_heard() && !see::peer_request_open(c))
        .filter(|c| c.idle_before_end().is_some_and(|idle| idle > Span::from_ms(1000)))
        .collect();
    let lives: Vec<Span> = tries.iter().filter_map(|c| c.life()).collect();
    let idles: Vec<Span> = tries.iter().filter_map(|c| c.idle_before_end()).collect();
    let clock = match (see::constant(&lives), see::constant(&idles)) {
        (true, true) if spread(&idles) < spread(&lives) => Clock::Idle,
        (true, _) => Clock::Life,
        (false, true) => Clock::Idle,
        _ => return None,
    };
    let says = match clock {
        Clock::Life => format!(
            "In {} tries the device hung up {} after the connection was made, with nothing going on before: a timer that starts with the connection.",
            tries.len(),
            see::range(&lives)
        ),
        Clock::Idle => format!(
            "In {} tries the device hung up {} after the last packet: an inactivity timer.",
            tries.len(),
            see::range(&idles)
        ),
    };
    // A device may rightly hang up on a host that has nothing to say: only a host that works shows the fault.
    let level = if scene.reference().is_some() { Verdict::cause } else { Verdict::suspect };
    let mut verdict = level(says).sure(Confidence::High).about(tries.iter().map(|c| c.number));
    for c in &tries {
        let end = c.end.as_ref()?;
        verdict = verdict.sees(
            end.frame,
            format!(
                "{}, {} after the connection, {} after the last packet",
                end.reason,
                c.life()?,
                c.idle_before_end()?
            ),
        );
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the device answered on this link before it hung up")
            .rules_out("supervision-timeout-0x08", "the device ended the link itself")
            .settled_by("Repeat and read a characteristic every few seconds: if the link then lives, it was inactivity; if it ends at the same time, the device waits for a certain write.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

enum Clock {
    Life,
    Idle,
}

fn spread(spans: &[Span]) -> i64 {
    let (low, high) = (spans.iter().min(), spans.iter().max());
    low.zip(high).map_or(0, |(low, high)| (high.0 - low.0) * 1000 / low.0.max(1))
}
