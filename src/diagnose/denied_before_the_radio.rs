use super::witnessed::Line;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::prose::Text;
use crate::text;
use crate::trace::Trace;
use crate::witness::{Testimony, What};

pub const RULE: Rule = Rule {
    id: "denied-before-the-radio",
    title: "A policy refused the call before it reached the Bluetooth daemon",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The program was not allowed to speak to bluetoothd: the message bus or AppArmor refused the call. Nothing was sent, by no radio. The device has nothing to do with it.

## How it shows
`org.freedesktop.DBus.Error.AccessDenied`, `Rejected send message`, or `An AppArmor policy prevents this sender` in the log; no connect request in the capture.

## What else it could be
bluetoothd's own `NotAuthorized` is another thing: there the daemon saw the call.

## What to do
Let the program's user speak to `org.bluez`: the group `bluetooth`, a policy file of D-Bus, or for Home Assistant's container the mount of `/run/dbus` and AppArmor's profile.",
    sources: &["laboratory: a D-Bus policy that denies org.bluez"],
    check: Check::Witness(check),
    cases: &[
        Case::cause(Confidence::High, "the bus rejects the call", || {
            Example::with_log(heard(), "\
2025-09-04 15:33:20,100 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.freedesktop.DBus.Error.AccessDenied] Rejected send message, 3 matched rules
")
        })
        .saying("refused"),
        Case::silent("the daemon answers with an error of its own", || {
            Example::with_log(heard(), "\
2025-09-04 15:33:20,100 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.bluez.Error.NotAuthorized] Not authorized
")
        }),
        Case::cause(Confidence::High, "it rejects one call of two", || {
            Example::with_log(heard(), "\
2025-09-04 15:33:20,100 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.freedesktop.DBus.Error.AccessDenied] Rejected send message, 3 matched rules
2025-09-04 15:33:21,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.bluez.Error.NotAuthorized] Not authorized
")
        })
        .saying("1 line says so"),
        Case::cause(Confidence::High, "it rejects two calls", || {
            Example::with_log(heard(), "\
2025-09-04 15:33:20,100 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.freedesktop.DBus.Error.AccessDenied] Rejected send message, 3 matched rules
2025-09-04 15:33:21,300 ERROR app: Communication with C0:00:00:00:00:01 failed: [org.freedesktop.DBus.Error.AccessDenied] Rejected send message, 3 matched rules
")
        })
        .saying("2 lines say so"),
    ],
};

fn heard() -> Trace {
    Trace::new().scan(true, 96, 48).advertises(0).wait_ms(5_000).advertises(0)
}

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Let the program's user speak to `org.bluez` on the system bus: the group `bluetooth`, or a policy file below `/etc/dbus-1/system.d`; in a container also AppArmor's profile.",
)];

/// Calls that never reached the daemon.
#[derive(Debug)]
struct Refused {
    first: Line,
    count: usize,
}

fn check(_: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let refused = || testimony.log.claims.iter().filter(|claim| claim.what == What::Denied);
    let first = Line::of(testimony, refused().next()?);
    Some(Verdict::cause(Refused { first, count: refused().count() }).sure(Confidence::High))
}

impl Facts for Refused {
    fn says(&self) -> Text {
        let count = crate::prose::count(self.count, "line says so", "lines say so");
        text!(
            "A policy on this host refused the program's call before bluetoothd saw it ({}). No radio sent anything, and the device had no part in it.",
            count
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.first.sight("the refusal")]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no connect request was ever made")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
