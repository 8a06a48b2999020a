use super::witnessed::{self, Line};
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::EndedBy;
use crate::trace::Trace;
use crate::witness::{FailedAt, Failure, Testimony, What};

pub const RULE: Rule = Rule {
    id: "program-gave-up-early",
    title: "The program's own time ran out while the device was still answering",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The program has a timeout of its own, shorter than the work. It gave up, and this host ended the link, while the device answered every request.

## How it shows
The log has a timeout of the program; the capture has our Disconnect command, and answers of the peer shortly before it.

## What else it could be
A request that nobody answered: then the device is silent, and the timeout is right.

## What to do
Give the call more time.",
    sources: &["laboratory: a program that waits too short"],
    check: Check::Witness(check),
    cases: &[
        Case::note(Confidence::Medium, "the peer answers until the program gives up", || {
            Example::with_log(hung_up(300), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,950 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:22,980 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .about(&[1])
        .saying("gave up"),
        Case::silent("the program names no timeout", || {
            Example::with_log(hung_up(300), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,950 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:22,980 ERROR app: Communication with C0:00:00:00:00:01 failed: failed to discover services, device disconnected
")
        }),
        Case::note(Confidence::Medium, "the peer answered almost three seconds before", || {
            Example::with_log(hung_up(2_900), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:25,550 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:25,580 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["ANSWERING"]),
        Case::silent("the peer was silent for more than three seconds", || {
            Example::with_log(hung_up(3_150), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:25,800 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:25,830 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["ANSWERING"]),
        Case::silent("the device never answered", || {
            let link = Trace::new().wait_ms(200).create().connected().wait_ms(2_440);
            Example::with_log(link.hangs_up(Status::REMOTE_USER_TERMINATED), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,950 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:22,980 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        }),
        Case::silent("the device hung up before the program gave up", || {
            let up = Trace::new().wait_ms(200).create().connected().features().wait_ms(2_000).mtu();
            Example::with_log(up.wait_ms(300).disconnected(Status::REMOTE_USER_TERMINATED), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,950 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:22,980 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        }),
        // The command needs 50.2 ms to end the link.
        Case::note(Confidence::Medium, "the peer answered exactly three seconds before", || {
            Example::with_log(hung_up_after(3_000_000 - 50_200), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:25,550 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:25,580 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["ANSWERING"]),
        Case::silent("the peer answered a moment earlier than that", || {
            Example::with_log(hung_up_after(3_000_001 - 50_200), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:25,550 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:25,580 ERROR app: Communication with C0:00:00:00:00:01 failed: TimeoutError
")
        })
        .pins(&["ANSWERING"]),
    ],
};

fn hung_up(after_ms: u32) -> Trace {
    let up = Trace::new().wait_ms(200).create().connected().features().wait_ms(2_000).mtu();
    up.wait_ms(after_ms).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// The same, to the microsecond.
fn hung_up_after(us: u32) -> Trace {
    let up = Trace::new().wait_ms(200).create().connected().features().wait_ms(2_000).mtu();
    up.after_us(us).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// Up to here before the end the peer was heard: it was not silent.
const ANSWERING: Span = Span::from_ms(3_000);

const REMEDIES: &[Remedy] = &[Remedy::any(
    "Give the program's call more time (bleak: `timeout=` of the client; Home Assistant's integrations have their own).",
)];

/// A timeout of the program's, and the end that it made.
#[derive(Debug)]
struct GaveUp {
    line: Line,
    frame: u32,
    silence: Span,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    verdict(scene, testimony)
}

/// The same is what another rule says of packets alone.
pub(super) fn verdict(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let late = |what| {
        matches!(
            what,
            What::Failed { how: Failure::TimedOut, by: FailedAt::Program | FailedAt::Exception }
        )
    };
    let (claim, connection) = witnessed::related(testimony).find_map(|(claim, relation)| {
        let connection = scene.capture().connection(relation.connection?)?;
        let by_host = connection.end.as_ref().is_some_and(|end| end.by == EndedBy::Host);
        (late(claim.what) && by_host && relation.detail.is_some()).then_some((claim, connection))
    })?;
    let end = connection.end.as_ref()?;
    let silence = connection.silence_before_end()?;
    if !connection.peer_heard() || silence > ANSWERING {
        return None;
    }
    let facts = GaveUp { line: Line::of(testimony, claim), frame: end.command_frame()?, silence };
    Some(Verdict::suspect(facts).sure(Confidence::Medium).about([connection.number]))
}

impl Facts for GaveUp {
    fn says(&self) -> Text {
        text!(
            "The program gave up when its own time was over, and this host ended the link; the device had answered {} before.",
            self.silence
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![
            Sight::here(self.frame, "our Disconnect command"),
            self.line.sight("the program's timeout"),
        ]
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("att-transaction-timeout-30s", "the device was still answering")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![Text::fixed("The same with a longer timeout in the program.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
