use super::witnessed::Line;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::prose::Text;
use crate::time::Span;
use crate::timeline::Stack;
use crate::trace::Trace;
use crate::witness::{Failure, Testimony, What};

pub const RULE: Rule = Rule {
    id: "services-resolved-before-export",
    title: "The daemon said that services are resolved before it had exported them",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
bluetoothd set `ServicesResolved` first and put the services on the D-Bus a moment later. A program that looks at once finds none of them, although the device has them.

## How it shows
In the log `ServicesResolved: True` stands before `InterfacesAdded` of the services; the program says that a characteristic was not found.

## What else it could be
A device that really lacks the characteristic: then the capture's discovery does not show it.

## What to do
Connect first and pair then, or wait a second after `ServicesResolved`.",
    sources: &["laboratory: Pair before Connect, bluetoothd 5.82, three times of three"],
    check: Check::Witness(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the services come after, and the program misses one", || {
            Example::with_log(trace(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'ServicesResolved': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,650 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.ObjectManager.InterfacesAdded (/): ['/org/bluez/hci0/dev_C0_00_00_00_00_01/service0001', {'org.bluez.GattService1': {}}]
2025-09-04 15:33:20,700 ERROR app: C0:00:00:00:00:01: Characteristic 2a37 was not found!
")
        }),
        Case::silent("the services come first", || {
            Example::with_log(trace(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.ObjectManager.InterfacesAdded (/): ['/org/bluez/hci0/dev_C0_00_00_00_00_01/service0001', {'org.bluez.GattService1': {}}]
2025-09-04 15:33:20,650 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'ServicesResolved': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,700 ERROR app: C0:00:00:00:00:01: Characteristic 2a37 was not found!
")
        }),
        Case::note(Confidence::Medium, "the services come two seconds after, and the program misses none", || {
            Example::with_log(trace(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'ServicesResolved': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.ObjectManager.InterfacesAdded (/): ['/org/bluez/hci0/dev_C0_00_00_00_00_01/service0001', {'org.bluez.GattService1': {}}]
")
        })
        .pins(&["SOON"]),
        Case::silent("they come later", || {
            Example::with_log(trace(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:20,020 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:20,500 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:20,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'ServicesResolved': <dbus_fast.signature.Variant ('b', True)>}, []]
2025-09-04 15:33:22,700 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.ObjectManager.InterfacesAdded (/): ['/org/bluez/hci0/dev_C0_00_00_00_00_01/service0001', {'org.bluez.GattService1': {}}]
")
        })
        .pins(&["SOON"]),
    ],
};

fn trace() -> Trace {
    Trace::new().wait_ms(200).create().connected().features().mtu().wait_ms(3_000)
}

/// The services come so soon after, or they belong to something else.
const SOON: Span = Span::from_ms(2_000);

const REMEDIES: &[Remedy] = &[Remedy::on(
    &[Stack::BlueZ],
    "Connect first and pair then; or wait a second after `ServicesResolved` before the services are looked at.",
)];

/// The order of two lines.
#[derive(Debug)]
struct TooEarly {
    resolved: Line,
    exported: Line,
    missed: Option<Line>,
}

fn check(_: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    let claims = || testimony.log.claims.iter().enumerate();
    let (place, resolved) = claims().find(|(_, claim)| claim.what == What::ServicesResolved)?;
    let at = testimony.at(place)?;
    let exported_before =
        claims().take(place).any(|(_, claim)| claim.what == What::ServiceExported);
    let after = claims().skip(place + 1).find(|(_, claim)| claim.what == What::ServiceExported);
    let (later, exported) = after.filter(|_| !exported_before)?;
    if testimony.at(later)? - at > SOON {
        return None;
    }
    let misses = |what| matches!(what, What::Failed { how: Failure::CharacteristicNotFound, .. });
    let missed = claims().skip(place).find(|(_, claim)| misses(claim.what));
    let missed = missed.map(|(_, claim)| Line::of(testimony, claim));
    let (resolved, exported) = (Line::of(testimony, resolved), Line::of(testimony, exported));
    let harm = missed.is_some();
    let facts = TooEarly { resolved, exported, missed };
    let verdict = if harm { Verdict::suspect(facts) } else { Verdict::note(facts) };
    Some(verdict.sure(Confidence::Medium))
}

impl Facts for TooEarly {
    fn says(&self) -> Text {
        Text::fixed(
            "The daemon announced resolved services before it exported them: a program that looks at once finds none.",
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            self.resolved.sight("said to be resolved"),
            self.exported.sight("exported afterwards"),
        ];
        sights.extend(self.missed.as_ref().map(|line| line.sight("missed by the program")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("gatt-cache-stale", "the services came a moment later")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
