use super::see::attempts_of;
use super::waits::in_vain;
use super::{Basis, Case, Check, Confidence, Example, Rule, Scene, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::timeline::{Connection, Detail, Encryption, Outcome, Procedure, Step};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "peer-filters-centrals",
    title: "The device may answer only hosts that it is bonded with",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The working side holds a bond with the device; the failing side does not, and is never answered. Some devices take connect
requests only from hosts they know, until they are put into pairing mode.

## How it shows
The working side encrypts with a stored key, without pairing; every attempt of the failing side ends unheard, with a good signal.

## What else it could be
Radio time, the address, or the kind of request. An unbonded host that gets through would disprove it.

## What to do
Disconnect the bonded host, put the device into pairing mode, and pair from the failing host.",
    sources: &["Nordic DevZone 124127", "mtheli/philips_sonicare_ble#25"],
    check: Check::Comparison(check),
    cases: &[
        Case::fires(|| Example::pair(bonded(), unheard())),
        Case::silent("the nearest other trace", || Example::pair(Trace::new().advertises(0).up().mtu().wait_ms(900), unheard())),
    ],
};

fn bonded() -> Trace {
    Trace::new()
        .advertises(0)
        .up()
        .encrypts()
        .wait_ms(150)
        .encryption(Status::SUCCESS)
        .mtu()
        .wait_ms(900)
}

fn unheard() -> Trace {
    let once = Trace::new().advertises(0).create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(4, 800)
}

fn stored_key(connection: &Connection) -> Option<&Step> {
    let paired = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Pair && !matches!(s.detail, Detail::SecurityRequest { .. })
    });
    connection
        .steps
        .iter()
        .find(|s| {
            s.outcome == Outcome::Ok
                && matches!(s.detail, Detail::Encryption { key: Encryption::Stored, .. })
        })
        .filter(|_| !paired)
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let reference = scene.reference()?;
    let bond = stored_key(reference)?;
    let subject = scene.compared()?;
    let attempts = attempts_of(scene, subject);
    let failed = |c: &&Connection| {
        c.never_heard() || in_vain(scene, c).is_some_and(|wait| wait.whom.is_some())
    };
    let tried: Vec<&Connection> = attempts.iter().copied().filter(failed).collect();
    let heard = attempts.iter().any(|c| c.connected_frame.is_some() && c.peer_heard());
    if tried.len() < 2 || heard {
        return None;
    }
    let signal = tried.iter().filter_map(|c| c.report_before?.rssi).max();
    let weak = signal.is_some_and(|rssi| rssi < -85);
    let mut verdict = Verdict::suspect(format!(
        "The working side holds a bond with this device and encrypts at once; this side has none, and none of its {} attempts was answered. The device may take only hosts that it knows.",
        tried.len()
    ))
    .sure(if weak || tried.len() < 3 { Confidence::Low } else { Confidence::Medium })
    .about(tried.iter().map(|c| c.number))
    .sees_in_reference(bond.frame, "encryption with a stored key, no pairing on this link")
    .rules_out("missing-mtu-exchange", "the device was never heard, so no ATT exchange could have helped");
    for connection in tried.iter().take(4) {
        let frame = connection.end.as_ref().map(|end| end.frame).or(connection.status_frame)?;
        verdict = verdict.sees(frame, "the attempt ends without one packet from the device");
    }
    if let Some(rssi) = signal {
        verdict = verdict.settled_by(format!("The device was received with up to {rssi} dBm here; a phone that was never paired with it, at the same place, tells whether it takes strangers at all."));
    }
    Some(
        verdict
            .try_this("Disconnect the host that holds the bond, put the device into pairing mode (its manual says how), and pair from this host.")
            .try_this("If it has no pairing mode, delete its bonds with a factory reset of the device."),
    )
}
