use super::witnessed::{self, Line};
use super::{Basis, Case, Check, Confidence, Example, Facts, Rule, Scene, Sight, Verdict};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::trace::Trace;
use crate::witness::Testimony;

pub const RULE: Rule = Rule {
    id: "retries-hidden-in-one-call",
    title: "One connect of the program was several attempts on the air",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The library tries again inside one call. The program, and whoever counts its attempts, sees one, where the controller made several links.

## How it shows
One call in the log, and several connect requests in the capture before the next call.

## What else it could be
Two programs that connect to one device.

## What to do
Count the capture's attempts. bleak 3.1 tries again without limit after `le-connection-abort-by-local`; bleak-retry-connector counts calls, not links.",
    sources: &["laboratory: bleak 3.1 over five links that never came up"],
    check: Check::Witness(check),
    cases: &[
        Case::note(Confidence::High, "two attempts in one call", || {
            Example::with_log(twice(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:20,980 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:21,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        })
        .about(&[1, 2]),
        Case::silent("a call for each", || {
            Example::with_log(twice(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:20,970 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,980 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:21,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        }),
        Case::silent("nothing shows that the second attempt is of the same call", || {
            Example::with_log(twice(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
2025-09-04 15:33:21,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        }),
        Case::silent("the library says twice that it asks for the one attempt", || {
            Example::with_log(twice(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,030 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,300 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', False)>}, []]
")
        }),
    ],
};

fn twice() -> Trace {
    let dead = Trace::new().wait_ms(200).create().connected().wait_ms(315);
    let dead = dead.disconnected(Status::FAILED_TO_BE_ESTABLISHED).wait_ms(400);
    dead.create().connected().features().wait_ms(3_000)
}

/// One call, and its attempts.
#[derive(Debug)]
struct Hidden {
    call: Line,
    attempts: usize,
    frames: Vec<u32>,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let mut most: Option<(Line, Vec<u32>)> = None;
    let mut open: Option<(Line, Vec<u32>)> = None;
    for (place, claim) in testimony.log.claims.iter().enumerate() {
        if witnessed::program_asks(claim) {
            keep(&mut most, open.take());
            open = Some((Line::of(testimony, claim), Vec::new()));
            continue;
        }
        let asked = witnessed::asks(claim);
        let number = witnessed::relation(testimony, place).and_then(|relation| relation.connection);
        if let (Some((_, numbers)), Some(number)) = (&mut open, number.filter(|_| asked))
            && !numbers.contains(&number)
        {
            numbers.push(number);
        }
    }
    keep(&mut most, open);
    let (call, numbers) = most?;
    let frame =
        |number: &u32| scene.capture().connection(*number)?.request.as_ref().map(|r| r.frame);
    let frames: Vec<u32> = numbers.iter().filter_map(frame).collect();
    let facts = Hidden { call, attempts: numbers.len(), frames };
    Some(Verdict::note(facts).sure(Confidence::High).about(numbers))
}

/// The call with most attempts, if it has more than one.
fn keep(most: &mut Option<(Line, Vec<u32>)>, other: Option<(Line, Vec<u32>)>) {
    let known = most.as_ref().map_or(1, |(_, numbers)| numbers.len());
    if let Some(other) = other.filter(|(_, numbers)| numbers.len() > known) {
        *most = Some(other);
    }
}

impl Facts for Hidden {
    fn says(&self) -> Text {
        text!(
            "The log's one connect was {} attempts of the controller: the library tried again inside the call.",
            self.attempts
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![self.call.sight("the call")];
        sights.extend(
            self.frames.iter().map(|frame| Sight::here(*frame, "a connect request of this call")),
        );
        sights
    }
}
