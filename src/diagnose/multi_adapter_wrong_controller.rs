use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
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
        Case::fires(|| heard_on(1).into()),
        Case::silent("the nearest other trace", || heard_on(0).into()),
    ],
};

fn heard_on(adapter: u16) -> Trace {
    let heard = Trace::new().adapter(adapter).advertises(0).wait_ms(100).advertises(0);
    heard.wait_ms(300).adapter(0).create().wait_ms(20_500).cancel()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Name the adapter: bleak `BleakScanner(adapter=\"hci0\")` and `BleakClient(device, adapter=\"hci0\")`; bluetoothctl `select ADDRESS-OF-ADAPTER`.",
    ),
    Remedy::on(&[Stack::Noble], "Set `NOBLE_HCI_DEVICE_ID` to the adapter that hears the device."),
    Remedy::any("Disable the adapter that is not wanted, or scan with the one that connects."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (peer, _) = wait.whom?;
    let capture = scene.capture();
    let device = capture.device(peer)?;
    let (heard, asked) = (device.adapter?, connection.adapter?);
    if heard == asked || device.elsewhere || device.reports == 0 {
        return None;
    }
    let report = connection.report_before.or(device.first)?;
    let verdict = Verdict::cause(format!(
        "Adapter hci{heard} heard the device ({} reports), adapter hci{asked} never did; the connect request went to hci{asked} and waited {} in vain.",
        device.reports, wait.lasted
    ))
    .sure(Confidence::High)
    .sees(report.frame, format!("advertising report of this address, on hci{heard}"));
    Some(
        show(verdict, wait.shown())
            .rules_out(
                "peer-gone-or-moved",
                "the scans that hear or miss it ran on another adapter than the request",
            )
            .settled_by(format!(
                "A scan on hci{asked} at the same place shows whether it hears the device at all."
            ))
            .try_these(remedies(scene, REMEDIES)),
    )
}
