use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-hangs-up-on-deadline",
    title: "The device hangs up after a fixed time, while the host is still busy",
    basis: Basis::Laboratory,
    silences: &["att-request-unanswered", "insufficient-auth-no-pairing", "discovery-order-or-volume-difference"],
    docs: "\
## What it means
The device was heard, talked, and then ended the link itself, after the same time in every try. It waits for something, a
login or a first write, and does not get it in time because the host is busy with other things, full discovery as a rule.

## How it shows
Disconnection Complete 0x13 (0x14, 0x15) without our command; connect-to-disconnect the same within ten percent over two or
more tries, under ten seconds; traffic flowed until the end, and the last packet differs from try to try.

## What else it could be
The same packet before every end points to that packet (`immediate-0x13-after-first-att`). A link that was idle before the end
points to an inactivity timer (`remote-user-terminated-idle`). A peer that was never heard points to the radio.

## What to do
Do first what the working host had done by then: application writes and subscriptions first. Use known handles or discovery
by UUID; let the host cache the services after one success. Ask the vendor for the deadline.",
    sources: &["laboratory: a device that hangs up after 400 ms unless its unlock characteristic is written"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| example(false).into()),
        Case::silent("the nearest other trace", || example(true).into()),
    ],
};

/// Twice the same length of life, each ending in another place; with a pause the links were idle.
fn example(idle: bool) -> Trace {
    let pause = if idle { 3000 } else { 10 };
    let kicked = Status::REMOTE_USER_TERMINATED;
    let first = Trace::new().up().discovery(2).mtu().wait_ms(pause).disconnected(kicked);
    first.wait_ms(2000).up().mtu().discovery(2).wait_ms(pause).disconnected(kicked)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "BlueZ discovers everything before a program may write. Let one connection succeed and keep its cache: `[GATT] Cache=always` in /etc/bluetooth/main.conf; later connections then skip discovery.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Use `discoverSomeServicesAndCharacteristicsAsync([service], [characteristic])` and write at once, instead of discovering everything.",
    ),
    Remedy::on(
        &[Stack::Android],
        "Write as soon as the one service is known; do not request MTU and PHY first.",
    ),
    Remedy::any(
        "A longer supervision timeout, another interval or more retries will not help: the device decides by the clock.",
    ),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let tries: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| {
            see::peer_hung_up(c).is_some() && c.peer_heard() && c.start_seen && c.cut_packets == 0
        })
        .filter(|c| c.life().is_some_and(|life| life < Span::from_ms(10_000)))
        .filter(|c| busy(c) && !explained(c))
        .collect();
    let lives: Vec<Span> = tries.iter().filter_map(|c| c.life()).collect();
    // The other end of the same link did not outlive anything.
    let reference = scene.reference().filter(|_| scene.comparison.is_some_and(|c| !c.roles_differ));
    let outlived =
        reference.is_some_and(|r| r.life().is_none_or(|life| lives.iter().all(|l| life > *l)));
    let constant = see::constant(&lives);
    let single = tries.len() == 1 && outlived;
    if tries.is_empty() || !(constant || single) || same_last_pdu(&tries) {
        return None;
    }
    let first = tries.first()?;
    let says = if constant {
        format!(
            "In {} tries the device answered and then hung up {} after the connection was made, in the middle of traffic. It follows its own clock and was not given what it waits for in time.",
            tries.len(),
            see::range(&lives)
        )
    } else {
        format!(
            "The device answered and then hung up {} after the connection was made, in the middle of traffic; the working connection outlived that time. One try cannot show whether the time is fixed.",
            see::range(&lives)
        )
    };
    let level = if constant { Verdict::cause(says) } else { Verdict::suspect(says) };
    let confidence = match (constant, reference.is_some()) {
        (true, true) => Confidence::High,
        (true, false) => Confidence::Medium,
        _ => Confidence::Low,
    };
    let mut verdict = level.sure(confidence).about(tries.iter().map(|c| c.number));
    for c in &tries {
        let end = c.end.as_ref()?;
        verdict = verdict.sees(
            end.frame,
            format!(
                "{} {} after the connection, idle for only {}",
                end.reason,
                c.life()?,
                c.idle_before_end()?
            ),
        );
    }
    verdict =
        verdict.sees(first.heard?.seen.frame, format!("the device was heard: {}", first.heard?.by));
    if let Some(reference) = reference {
        for step in candidates(reference, lives.iter().max().copied()?, &tries) {
            let name = see::pdu(step);
            let after = reference.after(step.at)?;
            verdict = verdict.sees_in_reference(
                step.frame,
                format!(
                    "the working host had done by then, and this one had not: {name}, at {after}"
                ),
            );
        }
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the peer was heard and sent data on this link")
            .rules_out("supervision-timeout-0x08", "the peer ended the link itself (0x13), the radio path was fine")
            .settled_by("Write the first application value of the working host immediately after connecting: if the link then lives longer, it was the deadline.")
            .try_these(remedies(scene, REMEDIES)),
    )
}

/// Packets flowed until shortly before the end.
fn busy(c: &Connection) -> bool {
    match (c.idle_before_end(), c.life()) {
        (Some(idle), Some(life)) => idle < Span::from_ms(1000) && idle.0 * 2 < life.0,
        _ => false,
    }
}

/// A refusal of ours or a failed security step says more than the clock.
fn explained(c: &Connection) -> bool {
    see::peer_request_open(c)
        || c.steps.iter().any(|s| {
            matches!(s.procedure, Procedure::Pair | Procedure::Encrypt)
                && s.outcome == Outcome::Error
        })
        || c.role == Some(crate::timeline::Role::Peripheral)
}

/// The same packet, old enough to have caused it, precedes every end.
fn same_last_pdu(tries: &[&&Connection]) -> bool {
    let mut last = tries.iter().filter_map(|c| {
        let step = see::last_sent(c)?;
        let reacted = c.end.as_ref()?.at.since(c.last_sent_pdu_at)? >= c.granted?.interval();
        reacted.then_some(step)
    });
    let Some(first) = last.next() else { return false };
    let rest: Vec<_> = last.collect();
    tries.len() > 1 && rest.len() + 1 == tries.len() && rest.iter().all(|s| see::same_pdu(first, s))
}

/// What the working host had finished before the deadline and no try had: writes and subscriptions first.
fn candidates<'a>(
    reference: &'a Connection,
    deadline: Span,
    tries: &[&&Connection],
) -> Vec<&'a crate::timeline::Step> {
    let wanted = |s: &&crate::timeline::Step| {
        s.by == Direction::Sent
            && s.outcome == Outcome::Ok
            && reference.after(s.last_at).is_some_and(|after| after.0 >= 0 && after <= deadline)
    };
    let done = |s: &crate::timeline::Step| {
        tries.iter().any(|c| {
            c.steps.iter().any(|t| {
                t.procedure == s.procedure && t.attribute == s.attribute && t.outcome == Outcome::Ok
            })
        })
    };
    let rank = |s: &crate::timeline::Step| match s.procedure {
        Procedure::Write | Procedure::WriteCommand => Some(0),
        Procedure::Subscribe => Some(1),
        Procedure::Pair | Procedure::Encrypt => Some(2),
        _ => None,
    };
    let mut found: Vec<_> =
        reference.steps.iter().filter(wanted).filter(|s| rank(s).is_some() && !done(s)).collect();
    found.sort_by_key(|s| (rank(s), s.frame));
    found.truncate(4);
    found
}
