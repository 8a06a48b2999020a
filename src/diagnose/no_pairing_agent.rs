use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Direction, Status, smp};
use crate::timeline::{Connection, Detail, Happening, Outcome, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "no-pairing-agent",
    title: "Pairing failed on this side: nobody was there to confirm it",
    basis: Basis::Laboratory,
    silences: &["insufficient-auth-no-pairing", "smp-timeout-30s", "connection-cancelled-by-app", "supervision-timeout-0x08"],
    docs: "\
## What it means
Pairing went on until somebody had to confirm it, and on this host no agent was registered that could. The host itself sent
Pairing Failed.

## How it shows
Pairing Failed sent by us, reason 0x0C, 0x01 or 0x08, within a fraction of a second of the request to confirm; mgmt User
Confirmation Negative Reply, or the daemon's line `No agent available`.

## What else it could be
A person who pressed No, which takes longer than a second.

## What to do
Register an agent: `bluetoothctl agent NoInputNoOutput`, `default-agent`, or the program's own over D-Bus.",
    sources: &["mtheli/philips_sonicare_ble#25", "ukBaz/python-bluezero#362"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Direction::Sent).into()),
        Case::silent("the nearest other trace", || example(Direction::Received).into()),
    ],
};

fn example(who: Direction) -> Trace {
    Trace::new()
        .up()
        .asks_to_pair()
        .answers_pairing()
        .wait_ms(30)
        .smp(who, smp::Pdu::PairingFailed { reason: smp::Reason::NUMERIC_COMPARISON_FAILED })
        .wait_ms(500)
        .hangs_up(Status::AUTHENTICATION_FAILURE)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Register an agent before pairing: `bluetoothctl`, then `agent NoInputNoOutput`, `default-agent`, `pair ADDRESS`; a service registers its own with AgentManager1.RegisterAgent.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Pair with `bluetoothctl` and an agent, then use noble's D-Bus binding.",
    ),
    Remedy::any(
        "Retrying or resetting the device will not help: this host refused its own pairing.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let reasons = [
        smp::Reason::NUMERIC_COMPARISON_FAILED,
        smp::Reason::PASSKEY_ENTRY_FAILED,
        smp::Reason::UNSPECIFIED_REASON,
    ];
    let failed = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Pair
            && s.outcome == Outcome::Error
            && matches!(s.detail, Detail::Pairing { refused_by: Some(Direction::Sent), .. })
            && reasons.iter().any(|r| s.status == Some(r.0))
    })?;
    let capture = scene.capture();
    let near = |frame: u32| frame >= failed.frame && frame <= failed.last_frame + 40;
    let refusal = capture.adapter_events.iter().find(|e| {
        near(e.frame) && matches!(e.what, Happening::ConfirmationAnswered { accepted: false, .. })
    });
    let log = capture.adapter_events.iter().find(|e| {
        near(e.frame)
            && matches!(&e.what, Happening::Log { text, .. } if text.contains("No agent available"))
    });
    let reason = smp::Reason(failed.status?);
    let proven = refusal.is_some() || log.is_some();
    let quick = failed.duration().is_some_and(|d| d.0 < 2_000_000);
    if !proven && !quick {
        return None;
    }
    let mut verdict = Verdict::cause(format!(
        "This host itself ended the pairing ({reason}) as soon as somebody had to confirm it: {}.",
        if log.is_some() {
            "its daemon says that no agent is registered"
        } else {
            "no agent answered, as it seems"
        }
    ))
    .sure(if proven { Confidence::High } else { Confidence::Medium })
    .sees(failed.frame, "pairing begins")
    .sees(failed.last_frame, format!("Pairing Failed sent by this host: {reason}"));
    if let Some(event) = refusal {
        verdict = verdict.sees(event.frame, "User Confirmation Negative Reply");
    }
    if let Some(event) = log {
        verdict = verdict.sees(event.frame, "the daemon's log: No agent available");
    }
    Some(
        verdict
            .rules_out("pairing-refused-by-peer", "Pairing Failed was sent, not received")
            .rules_out(
                "supervision-timeout-0x08",
                "however the link ended afterwards, the pairing had failed before",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}
