use super::insufficient_auth_no_pairing::wants_security;
use super::{Basis, Case, Check, Confidence, Level, Remedy, Rule, Scene, Verdict, remedies, see};
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Pending, Procedure, Role, Stack, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "reverse-discovery-collides",
    title: "This peripheral also acts as a client, and gets in the central's way",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "att-transaction-timeout-30s", "att-request-unanswered", "remote-user-terminated-idle"],
    docs: "\
## What it means
BlueZ, also as a peripheral, looks at the services of whoever connects. The phone then asks to pair (a pop-up), or one side stops
answering because both discover at once.

## How it shows
In the peripheral role: requests sent by this host, refused with an error that asks for pairing, or a request of the central that
this host leaves open; then the central leaves, or its pairing fails. Where it pairs and goes on, this is a note.

## What else it could be
Reverse discovery without refusals and open requests is harmless.

## What to do
Switch it off on the peripheral: `ReverseServiceDiscovery = false`.",
    sources: &["bluez/bluez#153", "NordicSemiconductor/IOS-nRF-Connect#94", "ukBaz/python-bluezero#331, #336"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(ErrorCode::INSUFFICIENT_AUTHENTICATION).into()),
        Case::silent("the nearest other trace", || example(ErrorCode::ATTRIBUTE_NOT_FOUND).into()),
    ],
};

fn example(error: ErrorCode) -> Trace {
    let request = Pdu::ReadRequest { attribute_handle: Handle(3) };
    Trace::new()
        .connected_as(1, 24, 0, 72)
        .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
        .refused(request, error)
        .wait_ms(3000)
        .disconnected(Status::REMOTE_USER_TERMINATED)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "In /etc/bluetooth/main.conf: `[General] ReverseServiceDiscovery = false` (or `[GATT] Client = false` on newer versions); for a test `bluetoothd --noplugin=battery`.",
    ),
    Remedy::on(
        &[Stack::Bumble, Stack::NimBle, Stack::Zephyr],
        "Do not start discovery of the central from the peripheral.",
    ),
];

/// What became of the link after that refusal.
fn harm(connection: &Connection, refused: &Step) -> Level {
    let later = || connection.steps.iter().filter(|s| s.frame > refused.last.frame);
    let secures = |s: &&Step| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt);
    if later().any(|s| s.procedure == Procedure::Encrypt && s.outcome == Outcome::Ok) {
        return Level::Note;
    }
    if later().filter(secures).any(Step::failed) {
        return Level::Cause;
    }
    let used = later().any(|s| {
        let by_server = matches!(s.procedure, Procedure::Notify | Procedure::Indicate);
        s.is_att() && by_server == (s.by == Direction::Sent)
    });
    match see::peer_hung_up(connection) {
        None => Level::Note,
        Some(_) if used => Level::Suspect,
        Some(_) => Level::Cause,
    }
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    if connection.role != Some(Role::Peripheral) {
        return None;
    }
    let ours = connection.steps.iter().find(|s| {
        s.by == Direction::Sent
            && s.is_att()
            && !matches!(s.procedure, Procedure::Notify | Procedure::Indicate)
    })?;
    let refused = connection.steps.iter().find(|s| s.by == Direction::Sent && wants_security(s));
    let blocked = connection.open_requests.iter().find(|o| {
        o.by == Direction::Received
            && matches!(o.pending, Pending::Att(_))
            && o.age.is_some_and(|age| age >= Span::from_ms(29_500))
    });
    if refused.is_none() && blocked.is_none() {
        return None;
    }
    let mut verdict = match (refused, blocked) {
        (_, Some(_)) => Verdict::cause("This peripheral discovered the central's services while the central discovered its own, and left the central's request unanswered."),
        (Some(step), None) => match harm(connection, step) {
            Level::Cause if see::peer_hung_up(connection).is_none() => Verdict::cause("This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. Nothing came of it."),
            Level::Cause => Verdict::cause("This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. Nothing came of it, and the central left."),
            Level::Suspect => Verdict::suspect("This peripheral asked the central for attributes that need pairing: phones answer with a pairing pop-up or an error. The central went on for a while, and then left."),
            Level::Note => Verdict::note("This peripheral asked the central for attributes that need pairing, which makes phones ask their user. The link did well all the same."),
        },
        (None, None) => return None,
    }
    .sure(Confidence::Medium)
    .sees(ours.frame, format!("this peripheral asks as a client: {}", see::pdu(ours)));
    if let Some(step) = refused {
        verdict = verdict
            .sees(step.last.frame, format!("the central refuses: {}", ErrorCode(step.status?)));
    }
    if let Some(open) = blocked {
        verdict = verdict.sees(open.frame, "the central's request that was never answered");
    }
    if let Some(end) = &connection.end {
        verdict = verdict.sees(end.frame, format!("the link ends: {}", end.reason));
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "the central was heard on this link")
            .try_these(remedies(scene, REMEDIES)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Finding, diagnose};
    use crate::timeline::Capture;

    fn refused() -> Trace {
        let request = Pdu::ReadRequest { attribute_handle: Handle(3) };
        Trace::new()
            .connected_as(1, 24, 0, 72)
            .from_peer(&[0x02, 5, 2], &[0x03, 0xf7, 0])
            .refused(request, ErrorCode::INSUFFICIENT_AUTHENTICATION)
    }

    fn encrypted(trace: Trace) -> Trace {
        trace.wait_ms(2000).encryption(Status::SUCCESS)
    }

    fn found(trace: &Trace) -> Vec<Finding> {
        let captures: [Capture; 1] = [trace.run()];
        diagnose(&Scene { captures: &captures, subject: 0, comparison: None })
    }

    fn level(trace: &Trace) -> Option<Level> {
        found(trace).iter().find(|f| f.rule == RULE.id).map(|f| f.level)
    }

    #[test]
    fn refused_then_paired_then_going_on_is_worth_a_note() {
        let trace = encrypted(refused())
            .notified_by_us(3, &[1])
            .wait_ms(60_000)
            .disconnected(Status::REMOTE_USER_TERMINATED);
        let found = found(&trace);
        assert!(found.iter().all(|f| f.level == Level::Note), "{found:#?}");
        assert_eq!(level(&trace), Some(Level::Note));
    }

    #[test]
    fn refused_and_lost_for_another_reason_is_a_note_that_hides_nothing() {
        let trace = refused().wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT);
        let found = found(&trace);
        assert_eq!(found[0].rule, "supervision-timeout-0x08", "{found:#?}");
        assert_eq!(level(&trace), Some(Level::Note));
    }

    #[test]
    fn a_central_that_went_on_for_a_while_makes_it_a_suspicion() {
        let trace = refused()
            .from_peer(&[0x0a, 3, 0], &[0x0b, 1])
            .wait_ms(3000)
            .disconnected(Status::REMOTE_USER_TERMINATED);
        assert_eq!(level(&trace), Some(Level::Suspect));
    }
}
