use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::timeline::{Connection, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "create-conn-timeout-cancel",
    title: "The connect request found nobody to connect to, and the host cancelled it",
    basis: Basis::Laboratory,
    silences: &["connection-cancelled-by-app"],
    docs: "\
## What it means
The controller waited for a connectable advertisement of the device and made no link. After its own time limit the host
cancelled the request. No link ever existed, so nothing on ATT or in pairing can be the reason.

## How it shows
LE Create Connection taken up with status 0; seconds later LE Create Connection Cancel (BlueZ's kernel after 20.5 s, Android
after 30 s or the application's own time); then LE Connection Complete with status 0x02. The 0x02 is the sign of a successful
cancel, not an error of its own.

## What else it could be
The device is off, out of range, or connected to somebody else; its address or address type is another one than the host asked
for; it advertises more seldom than the application waits. Phones cancel and renew requests for their whole accept list all the
time: such waits are not counted.

## What to do
Scan first and connect within a second or two to what was just heard, with its address type. Wait for more than three
advertising intervals.",
    sources: &[
        "Linux, hci_connect_le_scan_cleanup: 0x02 is how a cancelled request ends",
        "bluez/bluetooth-next#725",
    ],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| Trace::new().advertises(0).create().wait_ms(20_500).cancel().into()),
        Case::silent("the nearest other trace", || Trace::new().advertises(0).create().wait_ms(900).cancel().into()),
    ],
};

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Check that the device is on, near, and not connected to a phone or another computer: most devices stop advertising while they are.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "Scan, then connect to what was just found: `bluetoothctl scan on`, `scan off`, `connect ADDRESS`; with bleak hand the `BLEDevice` of `BleakScanner.find_device_by_address` to `BleakClient`.",
    ),
    Remedy::on(&[Stack::Noble], "Call `connect()` on the peripheral of a fresh `discover` event."),
    Remedy::on(
        &[Stack::Android],
        "Connect to a device from a fresh scan result; `connectGatt` with `autoConnect` true waits without limit.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let lasted = wait.lasted;
    let heard = connection.reports_during_wait;
    let mut verdict = if wait.background {
        Verdict::suspect(format!(
            "The controller waited {lasted} for any device of its accept list and heard none that it could connect to; then the host cancelled."
        ))
        .sure(Confidence::Low)
    } else if heard > 0 {
        Verdict::suspect(format!(
            "The controller waited {lasted} and made no link although {heard} advertising reports of the device came meanwhile; then the host cancelled."
        ))
    } else {
        Verdict::cause(format!(
            "The controller waited {lasted} for a chance to connect and made no link; then the host cancelled. No link existed at any time."
        ))
        .sure(Confidence::High)
    };
    verdict = show(verdict, wait.shown());
    if let Some(report) = connection.report_before.filter(|_| !wait.background) {
        let ago = wait
            .request
            .at
            .since(report.at)
            .map_or(String::new(), |d| format!(", {d} before the request"));
        verdict =
            verdict.sees(report.frame, format!("last advertising report of this address{ago}"));
    }
    Some(
        verdict
            .rules_out("never-heard-peer", "no link was created: status 0x02 is the answer to our own cancel")
            .settled_by("A scan during the attempt, by a phone or a second adapter, shows whether the device advertises, under which address, and connectable.")
            .try_these(remedies(scene, REMEDIES)),
    )
}
