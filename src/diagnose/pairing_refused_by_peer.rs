use super::{Basis, Case, Check, Confidence, Rule, Scene, Verdict};
use crate::packet::{Direction, Status, smp};
use crate::timeline::{Connection, Detail, Outcome, Procedure};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "pairing-refused-by-peer",
    title: "The device refused to pair",
    basis: Basis::Real,
    silences: &["insufficient-auth-no-pairing", "connection-cancelled-by-app", "remote-user-terminated-idle", "immediate-0x13-after-first-att", "peer-hangs-up-on-deadline"],
    docs: "\
## What it means
The device answered the pairing with Pairing Failed and a reason of its own. What ends the link afterwards is only the form.

## How it shows
SMP Pairing Failed received, then an ordinary disconnect.

## What else it could be
Pairing Failed that this host sends itself is another finding.

## What to do
By reason: 0x05 put the device in pairing mode; 0x03 and 0x06 use another IO capability or key size; 0x09 wait, then try once;
0x04 and 0x0B the keys or a passkey were wrong.",
    sources: &["Core Specification, Vol 3, Part H, 3.5.5", "linux-bluetooth mailing list: Pairing Failed 0x08, then 0x13 90 ms later"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(Direction::Received).into()),
        Case::silent("the nearest other trace", || example(Direction::Sent).into()),
    ],
};

fn example(who: Direction) -> Trace {
    Trace::new()
        .up()
        .asks_to_pair()
        .wait_ms(60)
        .smp(who, smp::Pdu::PairingFailed { reason: smp::Reason::PAIRING_NOT_SUPPORTED })
        .wait_ms(500)
        .hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn check(_: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let failed = connection.steps.iter().find(|s| {
        s.procedure == Procedure::Pair
            && s.outcome == Outcome::Error
            && matches!(s.detail, Detail::Pairing { refused_by: Some(Direction::Received), .. })
    })?;
    let reason = smp::Reason(failed.status?);
    let remedy = match reason {
        smp::Reason::PAIRING_NOT_SUPPORTED => {
            "Put the device in pairing mode (button, power cycle), then pair at once; devices that never pair do not need it for their open attributes."
        }
        smp::Reason::AUTHENTICATION_REQUIREMENTS => {
            "Offer what the device demands: an agent with keyboard or display (`bluetoothctl agent KeyboardDisplay`), so that a passkey is possible."
        }
        smp::Reason::ENCRYPTION_KEY_SIZE => {
            "Allow the key size that the device demands (16 bytes)."
        }
        smp::Reason::REPEATED_ATTEMPTS => {
            "Wait a minute or more before the next try: the device counts failed attempts."
        }
        smp::Reason::PASSKEY_ENTRY_FAILED | smp::Reason::CONFIRM_VALUE_FAILED => {
            "Check the passkey, and remove old bonds on both sides before the next try."
        }
        _ => {
            "Remove the bond on both sides, put the device in pairing mode and pair again; if the reason stays, report it to the vendor."
        }
    };
    let mut verdict =
        Verdict::cause(format!("The device answered the pairing with Pairing Failed: {reason}."))
            .sure(Confidence::High)
            .sees(failed.frame, "pairing begins")
            .sees(failed.last_frame, format!("Pairing Failed received: {reason}"))
            .rules_out("no-pairing-agent", "the refusal came from the device")
            .try_this(remedy);
    if let Some(end) = &connection.end {
        verdict = verdict.sees(end.frame, format!("the link ends: {}", end.reason));
    }
    Some(verdict)
}
