use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Connection, RequestKind, Stack, Transport};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "bredr-instead-of-le",
    title: "The host tried Bluetooth Classic where the device speaks LE",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "peer-gone-or-moved"],
    docs: "\
## What it means
The host paged the device on BR/EDR (Bluetooth Classic). The device is heard advertising on LE and did not answer the page.
The error texts speak of `br-connection-page-timeout` although the program wanted a LE device.

## How it shows
Create Connection (BR/EDR) to an address that advertises on LE, Connection Complete with Page Timeout (0x04) about 5 s
later, and no LE create command to that address.

## What else it could be
A dual-mode device that is really meant to be used on Classic and is switched off: then no LE reports of its address stand
in the capture.

## What to do
Make the host use LE: BlueZ `ControllerMode = le` in `[General]` of /etc/bluetooth/main.conf, or remove and rescan the
device. In firmware set the flag `BR/EDR Not Supported` in the advertising data.",
    sources: &["project-chip/connectedhomeip PR5214", "BlueZ src/error.h", "bluez/bluez#2034"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| example(true).into()),
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

fn example(advertises: bool) -> Trace {
    let trace = if advertises { Trace::new().advertises(0) } else { Trace::new() };
    trace.pages_in_vain()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "In /etc/bluetooth/main.conf set `ControllerMode = le` under `[General]`, then `sudo systemctl restart bluetooth` (this disables Classic on the adapter).",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, then scan with `bluetoothctl scan le` and connect again.",
    ),
    Remedy::any("In the device's firmware set the advertising flag `BR/EDR Not Supported` (0x04)."),
];

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let pages: Vec<&&Connection> = attempts
        .iter()
        .filter(|c| c.transport == Transport::BrEdr && c.status == Some(Status::PAGE_TIMEOUT))
        .filter(|c| c.request.as_ref().is_some_and(|r| r.kind == RequestKind::BrEdrCreate))
        .collect();
    let first = pages.first()?;
    let device = scene.capture().device(first.peer.address?)?;
    let report = device.first.filter(|_| device.connectable_reports > 0)?;
    // A device that answers a page after all has BR/EDR, whatever its advertising says.
    let answers = |c: &&Connection| c.transport == Transport::BrEdr && c.connected_frame.is_some();
    let tried_le = |c: &&Connection| c.transport == Transport::Le && c.start_seen;
    if attempts.iter().any(|c| answers(c) || tried_le(c)) {
        return None;
    }
    let flagged = device.flags.is_some_and(|flags| flags & 0x04 != 0);
    let mut verdict = Verdict::cause(format!(
        "The host paged the device on BR/EDR and got no answer; the same address advertises as connectable on LE, and no LE connection was tried.{}",
        if flagged { " The device even says that it does not support BR/EDR." } else { "" }
    ))
    .sure(Confidence::High)
    .about(pages.iter().map(|c| c.number))
    .sees(report.frame, "connectable LE advertising of this address")
    .try_these(remedies(scene, REMEDIES));
    for page in &pages {
        let request = page.request.as_ref()?;
        verdict = verdict
            .sees(request.frame, "Create Connection (BR/EDR)")
            .sees(page.status_frame?, "Connection Complete: Page Timeout (0x04)");
    }
    Some(verdict.rules_out("never-heard-peer", "no LE link was created"))
}
