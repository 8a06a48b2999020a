use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::Status;
use crate::timeline::{Adapter, Connection, Role, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "wifi-coexistence-combo-chip",
    title: "Wi-Fi may take the radio of a combined chip",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
On a Raspberry Pi and many other boards Wi-Fi and Bluetooth share one chip and one antenna. While Wi-Fi is busy, Bluetooth misses
packets: links are never answered, or are lost, although the signal is good.

## How it shows
A Broadcom or Cypress controller on a UART; some links to the device are never heard and others are, with a good signal.
**HCI does not show Wi-Fi**: this is a suspicion with a simple test.

## What else it could be
Any other loss on the radio: scanning, distance, interference.

## What to do
Repeat with Wi-Fi off. If that helps: 5 GHz or Ethernet, or a USB dongle.",
    sources: &["hbldh/bleak, docs/troubleshooting.rst", "RPi-Distro/bluez-firmware#12, #13", "raspberrypi/linux#1444, #1552"],
    check: Check::Device(check),
    cases: &[
        Case::fires(|| on_a_pi(-50).into()),
        Case::silent("the nearest other trace", || dead().repeated(3, 900).wait_ms(900).up().mtu().into()),
    ],
};

fn dead() -> Trace {
    Trace::new()
        .advertises(0)
        .create()
        .connected()
        .wait_ms(315)
        .disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

fn on_a_pi(_: i8) -> Trace {
    // Read Local Version: Bluetooth 5.0, manufacturer Cypress; New Index: UART.
    let start = Trace::new()
        .monitor(0, &[0, 3, 1, 0, 0, 0, 0, 0, b'h', b'c', b'i', b'0', 0, 0, 0, 0])
        .command(crate::packet::hci::Command::ReadLocalVersionInformation {})
        .complete(crate::packet::Opcode(0x1001), &[0, 9, 0, 0, 9, 0x31, 0x01, 0, 0]);
    start.followed_by(dead().repeated(3, 900)).wait_ms(900).up().mtu()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Repeat with Wi-Fi off: `sudo rfkill block wlan` (not over a Wi-Fi shell). If that helps, use 5 GHz or Ethernet.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "On a Raspberry Pi use a USB dongle on an extension lead, with `dtoverlay=disable-bt` in config.txt.",
    ),
    Remedy::any("Repeat the test with Wi-Fi off."),
];

/// Monitor bus number of a serial line.
const UART: u8 = 3;

fn combo(adapter: &&Adapter) -> bool {
    adapter.bus == Some(UART) && matches!(adapter.manufacturer, Some(0x000f | 0x0131))
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let capture = scene.capture();
    let of_combo =
        |c: &&&Connection| capture.adapters.iter().filter(combo).any(|a| a.index == c.adapter);
    let links: Vec<&&Connection> = attempts
        .iter()
        .filter(of_combo)
        .filter(|c| c.connected_frame.is_some() && c.role == Some(Role::Central))
        .collect();
    let dead: Vec<&&&Connection> = links
        .iter()
        .filter(|c| c.never_heard() && c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED))
        .collect();
    let heard = links.iter().find(|c| c.peer_heard())?;
    let signal = dead.iter().filter_map(|c| c.report_before?.rssi).max()?;
    if dead.len() < 2 || signal < -75 {
        return None;
    }
    let mut verdict = Verdict::suspect(format!(
        "{} of {} links to this device were never answered although it was received with up to {signal} dBm, on a combined Wi-Fi and Bluetooth chip. Wi-Fi may have had the radio; HCI cannot show it.",
        dead.len(),
        links.len()
    ))
    .sure(Confidence::Low)
    .about(dead.iter().map(|c| c.number))
    .rules_out("missing-mtu-exchange", "the device was never heard, so no ATT exchange could have helped");
    for connection in dead.iter().take(4) {
        let end = connection.end.as_ref()?;
        verdict = verdict.sees(end.frame, format!("Disconnection Complete, {}", end.reason));
    }
    let sighting = heard.heard?;
    Some(
        verdict
            .sees(sighting.seen.frame, format!("another link is heard: {}", sighting.by))
            .settled_by("Ten attempts with Wi-Fi off, ten with it on.")
            .try_these(remedies(scene, REMEDIES)),
    )
}
