use super::witnessed::{self, Line};
use super::{Basis, Case, Check, Confidence, Example, Facts, Rule, Scene, Sight, Verdict};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::trace::Trace;
use crate::witness::{Asker, RelationKind, Testimony, What};

pub const RULE: Rule = Rule {
    id: "connect-waited-for-inquiry",
    title: "The connect waited for the end of a discovery",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
A discovery was running when the program asked for the connection. The kernel finishes its round of up to 10.24 s first, and only then sends the connect request:
much of a 20 s timeout is gone by then.

## How it shows
Many seconds between the call in the log and the connect request in the capture.

## What else it could be
A passive scan for the device: the kernel waits for it to be heard.

## What to do
Stop the discovery before the connect, or give the connect more time. Home Assistant's scanner is such a discovery.",
    sources: &["laboratory: Connect while a discovery runs, 8.5 s and 9.8 s"],
    check: Check::Witness(check),
    cases: &[
        Case::note(Confidence::Medium, "nine seconds between the call and the request", || {
            Example::with_log(late(), "\
2025-09-04 15:33:20,010 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:29,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        })
        .about(&[1]),
        Case::silent("half a second", || {
            Example::with_log(late(), "\
2025-09-04 15:33:29,010 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:29,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        }),
        Case::note(Confidence::Medium, "a little over four seconds", || {
            Example::with_log(late(), "\
2025-09-04 15:33:25,200 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:29,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        })
        .pins(&["WAITED"]),
        Case::silent("a little less", || {
            Example::with_log(late(), "\
2025-09-04 15:33:25,500 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:29,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        })
        .pins(&["WAITED"]),
        Case::silent("the program itself waited before it called", || {
            Example::with_log(late(), "\
2025-09-04 15:33:20,010 INFO app: Connecting to C0:00:00:00:00:01
2025-09-04 15:33:29,010 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_C0_00_00_00_00_01
2025-09-04 15:33:29,600 DEBUG bleak.backends.bluezdbus.manager: received D-Bus signal: org.freedesktop.DBus.Properties.PropertiesChanged (/org/bluez/hci0/dev_C0_00_00_00_00_01): ['org.bluez.Device1', {'Connected': <dbus_fast.signature.Variant ('b', True)>}, []]
")
        }),
    ],
};

fn late() -> Trace {
    Trace::new().advertises(0).wait_ms(9_300).create().connected().features().wait_ms(3_000)
}

/// From so long a way on, the request waited for something.
const WAITED: Span = Span::from_ms(4_000);

/// A call, and the request that followed it late.
#[derive(Debug)]
struct Waited {
    call: Line,
    frame: u32,
    way: Span,
}

fn check(scene: &Scene<'_>, testimony: &Testimony) -> Option<Verdict> {
    // Without times of its own nothing can be said of how long something took.
    if testimony.log.resolution_us == 0 {
        return None;
    }
    let ways = witnessed::related(testimony).filter(|(claim, relation)| {
        claim.what == What::ConnectAsked(Asker::Stack) && relation.kind == RelationKind::Cause
    });
    let longest = ways.filter_map(|(claim, relation)| {
        let connection = scene.capture().connection(relation.connection?)?;
        let request = connection.request.as_ref()?;
        let way = request.at.time()? - testimony.at(relation.claim)?;
        Some((way, claim, request.frame, connection.number))
    });
    let (way, claim, frame, number) = longest.max_by_key(|(way, ..)| *way)?;
    if way < WAITED {
        return None;
    }
    let facts = Waited { call: Line::of(testimony, claim), frame, way };
    Some(Verdict::note(facts).sure(Confidence::Medium).about([number]))
}

impl Facts for Waited {
    fn says(&self) -> Text {
        text!(
            "The connect request went out {} after the call: the kernel ended a round of discovery first.",
            self.way
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![self.call.sight("the call"), Sight::here(self.frame, "the connect request")]
    }
}
