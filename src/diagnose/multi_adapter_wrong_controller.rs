use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "multi-adapter-wrong-controller",
    title: "One adapter hears the device, another one was told to connect",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "peer-gone-or-moved", "never-heard-retry-loop"],
    docs: "\
## What it means
This host has two adapters. The scan ran on one of them; the connect request went to the other, which may stand elsewhere, have
no antenna, or not hear the device for another reason.

## How it shows
All advertising reports of the device carry one adapter's index, the connect request another's, and it waits in vain.

## What else it could be
The device may have stopped advertising meanwhile: a scan on the second adapter shows it.

## What to do
Name the adapter, in the scan and in the connect call alike.",
    sources: &["Bluetooth-Devices/bleak-retry-connector#226", "noble, README: NOBLE_HCI_DEVICE_ID"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "heard on one adapter, asked for on the other", || {
            asked(heard_on(1)).into()
        })
        .about(&[1])
        .saying("Adapter hci1 heard the device"),
        Case::silent("heard and asked for on one adapter", || asked(heard_on(0)).into()),
        Case::silent("both adapters hear it", || {
            asked(heard_on(1).adapter(0).advertises(0)).into()
        }),
        Case::silent("nobody hears it", || asked(Trace::new()).into()),
        Case::silent("only a scan response is heard", || {
            asked(Trace::new().adapter(1).advertises(4)).into()
        }),
        Case::silent("the request comes through", || {
            heard_on(1).wait_ms(300).adapter(0).up().into()
        }),
    ],
};

fn heard_on(adapter: u16) -> Trace {
    Trace::new().adapter(adapter).advertises(0).wait_ms(100).advertises(0)
}

fn asked(trace: Trace) -> Trace {
    trace.wait_ms(300).adapter(0).create().wait_ms(20_500).cancel()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Name the adapter: bleak `BleakScanner(adapter=\"hci0\")` and `BleakClient(device, adapter=\"hci0\")`; bluetoothctl `select ADDRESS-OF-ADAPTER`.",
    ),
    Remedy::on(&[Stack::Noble], "Set `NOBLE_HCI_DEVICE_ID` to the adapter that hears the device."),
    Remedy::any("Disable the adapter that is not wanted, or scan with the one that connects."),
];

/// A request on an adapter that does not hear the device.
#[derive(Debug)]
struct Elsewhere {
    heard: u16,
    asked: u16,
    reports: u64,
    report_frame: u32,
    wait: Waited,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (peer, _) = wait.whom?;
    let device = scene.capture().device(peer)?;
    let (heard, asked) = (device.adapter?, connection.adapter?);
    if heard == asked || device.elsewhere || device.reports == 0 {
        return None;
    }
    let report = connection.report_before.or(device.first)?;
    let facts = Elsewhere {
        heard,
        asked,
        reports: device.reports,
        report_frame: report.frame,
        wait: wait.facts(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Elsewhere {
    fn says(&self) -> Text {
        text!(
            "Adapter hci{} heard the device ({} reports), adapter hci{} never did; the connect request went to hci{} and waited {} in vain.",
            self.heard,
            self.reports,
            self.asked,
            self.asked,
            self.wait.lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let report = text!("advertising report of this address, on hci{}", self.heard);
        let mut sights = vec![Sight::here(self.report_frame, report)];
        sights.extend(self.wait.sights());
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "peer-gone-or-moved",
            "the scans that hear or miss it ran on another adapter than the request",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "A scan on hci{} at the same place shows whether it hears the device at all.",
            self.asked
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.iter().map(|remedy| remedy.clone().on_adapter(self.heard)).collect()
    }
}
