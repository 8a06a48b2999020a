use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Address, AddressType};
use crate::time::Span;
use crate::timeline::{Connection, Device, Happening, Report, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "peer-gone-or-moved",
    title: "The device stopped advertising under the address that the host asked for",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app"],
    docs: "\
## What it means
The device was heard, and when the host asked for it, it was not there any more: switched off, asleep, out of range, taken by
another central, or advertising under a new private address.

## How it shows
The request waits in vain. A later scan hears other devices and not this one; or a new private address with the same name
appears after the last report of the old one.

## What else it could be
A scan that filters duplicates reports a device once and then never again: silence there says nothing. Two devices of one make
share their name.

## What to do
Connect within a second or two of a fresh report, to the newest address. With a bond, let the stack resolve the address.",
    sources: &["espressif/esp-idf#7699", "bluez/bluetooth-next#725"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| after_the_wait(false).into()),
        Case::silent("the nearest other trace", || after_the_wait(true).into()),
    ],
};

fn after_the_wait(still_there: bool) -> Trace {
    let other = Address([7, 0, 0, 0, 0, 0xc0]);
    let mut trace = Trace::new()
        .advertises(0)
        .wait_ms(800)
        .create()
        .wait_ms(20_500)
        .cancel()
        .wait_ms(500)
        .scan(true, 96, 48);
    for _ in 0..8 {
        trace = trace.wait_ms(500).peer(other, AddressType::RANDOM).advertises(0);
        if still_there {
            trace = trace.peer(PEER, AddressType::RANDOM).advertises(0);
        }
    }
    trace
}

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Scan, and connect within one or two seconds to the address that was just heard; do not keep addresses from earlier scans.",
    ),
    Remedy::any(
        "If it is gone: battery, range, sleep (press its button), or a phone that holds the connection.",
    ),
    Remedy::on(
        &[Stack::BlueZ],
        "If it changes its address: pair once, so that BlueZ knows the identity behind the private addresses.",
    ),
];

/// How long a scan must hear others before its silence about one device counts.
const LONG_ENOUGH: Span = Span::from_ms(3000);

/// A scan after the request that hears others, and not this device: its frame, and how many others.
fn later_scan(
    scene: &Scene<'_>,
    adapter: Option<u16>,
    after: u32,
    address: Address,
) -> Option<(u32, usize)> {
    let capture = scene.capture();
    let gone = capture.device(address).is_none_or(|d| d.last.is_none_or(|last| last.frame < after));
    if !gone {
        return None;
    }
    let later = capture.adapter_events.partition_point(|e| e.frame <= after);
    // The first one lasts longest: where it hears nobody for long enough, no later one does.
    let scan = capture.adapter_events.get(later..)?.iter().find(|e| {
        let all = matches!(e.what, Happening::ScanOn(scan) if scan.filter_policy & 1 == 0);
        all && e.adapter == adapter
    })?;
    let reports = capture.devices.iter().filter(|d| d.adapter == adapter).filter_map(|d| d.last);
    let heard: Vec<Report> = reports.filter(|last| last.frame > scan.frame).collect();
    let long = heard.iter().any(|last| last.at.since(scan.at).is_some_and(|d| d >= LONG_ENOUGH));
    long.then_some((scan.frame, heard.len()))
}

/// A private address that took the name over after the old one fell silent.
fn moved<'a>(scene: &Scene<'a>, report: &Report, address: Address) -> Option<&'a Device> {
    let capture = scene.capture();
    let old = capture.device(address)?;
    let name = old.name.as_deref().filter(|name| !name.is_empty())?;
    let private =
        |d: &Device| d.address_type == AddressType::RANDOM && d.address.looks_resolvable();
    let last = old.last.unwrap_or(*report).frame;
    capture.devices.iter().find(|d| {
        d.address != address
            && private(d)
            && private(old)
            && d.name.as_deref() == Some(name)
            && d.first.is_some_and(|first| first.frame > last)
    })
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (address, kind) = wait.whom?;
    let report = connection.report_before.filter(|r| r.address_type == kind)?;
    let ago = wait
        .request
        .at
        .since(report.at)
        .map_or(String::new(), |d| format!(", {d} before the request"));
    let new = moved(scene, &report, address);
    let scan = later_scan(scene, connection.adapter, wait.request.frame, address);
    let mut verdict = match (new, scan) {
        (Some(new), _) => Verdict::cause(format!(
            "The device changed its private address: after the last report of {address} the same name appears under {}. The request went to the old address.",
            new.address
        ))
        .settled_by("Two devices of one make can share a name: switch the other one off and repeat."),
        (None, Some((_, others))) => Verdict::cause(format!(
            "The device was last heard before the request{ago}; a later scan hears {others} other device{} and not this one.",
            if others == 1 { "" } else { "s" }
        )),
        (None, None) => return None,
    }
    .sure(Confidence::Medium)
    .sees(report.frame, format!("last advertising report of this address before the request{ago}"));
    verdict = show(verdict, wait.shown());
    if let Some(first) = new.and_then(|d| d.first) {
        verdict = verdict.sees(first.frame, "the same name under a new private address");
    }
    if let Some((frame, _)) = scan {
        verdict = verdict.sees(frame, "a scan begins that hears others only");
    }
    Some(
        verdict
            .rules_out(
                "wrong-peer-address-type",
                "the request names the kind of address that the report had",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}
