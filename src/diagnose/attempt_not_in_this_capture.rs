use super::{Basis, Case, Check, Confidence, Example, Rule, Scene, Verdict};
use crate::packet::Status;
use crate::timeline::Capture;
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "attempt-not-in-this-capture",
    title: "This capture has no attempt to connect to the device",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The working capture shows a connection to the device; this one shows the device advertising and no request to connect to it. The
failing attempt went over another radio, or was refused before it reached this adapter.

## How it shows
Advertising reports of the device; no create command, accept-list request or connection event for it.

## What else it could be
The capture was started after the attempt, or stopped before it.

## What to do
Find out which adapter or proxy the program used (Home Assistant names the source of each device; BlueZ object paths say hciN),
and capture there. An `ESP_GATT_…` error always comes from an ESPHome proxy and never from a local adapter.",
    sources: &["home-assistant/core#150241", "Bluetooth-Devices/bleak-retry-connector, ble_device_description"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| Example::pair(works(), Trace::new().scan(true, 96, 48).advertises(0).wait_ms(5_000).advertises(0))),
        Case::silent("the nearest other trace", || Example::pair(works(), Trace::new().scan(true, 96, 48).advertises(0).create().wait_ms(900))),
    ],
};

fn works() -> Trace {
    Trace::new().advertises(0).up().mtu().wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    verdict(scene).into_iter().collect()
}

fn verdict(scene: &Scene<'_>) -> Option<Verdict> {
    let [reference, subject] = scene.captures else { return None };
    // A filtered recording, or a request to the whole accept list, may hide the attempt.
    let hidden = subject.filtered || subject.connections.iter().any(|c| c.peer.address.is_none());
    if scene.comparison.is_some() || scene.subject != 1 || hidden {
        return None;
    }
    let wanted =
        reference.connections.iter().find(|c| c.peer_heard() && c.peer.address.is_some())?;
    let address = wanted.peer.address?;
    let tried = |capture: &Capture| {
        capture.connections.iter().any(|c| {
            c.peer.address == Some(address)
                || c.peer.identity.is_some_and(|(known, _)| known == address)
                || (c.peer.name.is_some() && c.peer.name == wanted.peer.name)
        })
    };
    if tried(subject) {
        return None;
    }
    let named =
        |name: &Option<String>| name.is_some() && name.as_deref() == wanted.peer.name.as_deref();
    let device = subject.devices.iter().find(|d| d.address == address || named(&d.name))?;
    let (first, last) = (device.first?, device.last?);
    let how_long = last.at.since(first.at).map_or(String::new(), |d| format!(" over {d}"));
    Some(
        Verdict::cause(format!(
            "The device is heard in this capture ({} reports{how_long}), and no request to connect to it was ever sent on this adapter. The failing attempt is not in this capture.",
            device.reports
        ))
        .sure(Confidence::Medium)
        .sees(first.frame, "first advertising report of the device")
        .sees(last.frame, "last advertising report of the device; no connect request in between or after")
        .rules_out("never-heard-peer", "no connect request was sent")
        .settled_by("The program's log names the adapter or proxy that it used: capture there, from before the attempt until after the error.")
        .try_this("Capture on the adapter that the program uses (`/org/bluez/hciN` in its log), or switch proxies off for the test."),
    )
}
