use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::Opcode;
use crate::packet::Status;
use crate::packet::hci::Command;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Adapter, Connection, End, Role, Sighting, Stack};
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
        Case::suspect(Confidence::Low, "three of four links died unheard on a combined chip", || {
            on_a_pi(dead().repeated(3, 900)).into()
        })
        .about(&[1, 2, 3])
        .saying("3 of 4 links"),
        Case::suspect(Confidence::Low, "two of three links died unheard", || {
            on_a_pi(dead().repeated(2, 900)).into()
        })
        .pins(&["TRIES"]),
        Case::silent("one of two links died unheard", || on_a_pi(dead()).into())
            .pins(&["TRIES"]),
        Case::suspect(Confidence::Low, "received with -75 dBm", || {
            on_a_pi(heard_at(-75).repeated(2, 900)).into()
        })
        .pins(&["NEAR"]),
        Case::silent("received with -76 dBm", || on_a_pi(heard_at(-76).repeated(2, 900)).into())
            .pins(&["NEAR"]),
        Case::silent("another chip", || dead().repeated(3, 900).wait_ms(900).up().mtu().into()),
        Case::silent("the links were heard, and lost", || {
            let lost = Trace::new().up().mtu().wait_ms(900);
            on_a_pi(lost.disconnected(Status::CONNECTION_TIMEOUT).repeated(3, 900)).into()
        }),
        Case::silent("no link came through", || {
            pi().followed_by(dead().repeated(3, 900)).into()
        }),
        Case::silent("the maker's chip is in a USB adapter, and serves no Wi-Fi", || {
            adapter(1, 0x0131).followed_by(dead().repeated(3, 900)).wait_ms(900).up().mtu().into()
        }),
        Case::silent("a chip of another maker on a serial line", || {
            adapter(3, 0x003b).followed_by(dead().repeated(3, 900)).wait_ms(900).up().mtu().into()
        }),
        Case::suspect(Confidence::Low, "an attempt that was cancelled is no link", || {
            let cancelled = Trace::new().create().wait_ms(400).cancel();
            on_a_pi(dead().repeated(2, 900).wait_ms(900).followed_by(cancelled)).into()
        })
        .saying("2 of 3 links"),
        Case::suspect(Confidence::Low, "a link that was heard and then given up is not one of them", || {
            let heard = Trace::new().up().mtu().wait_ms(315);
            let heard = heard.disconnected(Status::FAILED_TO_BE_ESTABLISHED);
            on_a_pi(dead().repeated(2, 900).wait_ms(900).followed_by(heard)).into()
        })
        .about(&[1, 2])
        .saying("2 of 4 links"),
        Case::suspect(Confidence::Low, "a link that was not heard and that this host ended is not one of them", || {
            let ended = Trace::new().create().connected().wait_ms(100);
            let ended = ended.hangs_up(Status::REMOTE_USER_TERMINATED);
            on_a_pi(dead().repeated(2, 900).wait_ms(900).followed_by(ended)).into()
        })
        .about(&[1, 2])
        .saying("2 of 4 links"),
    ],
};

fn dead() -> Trace {
    heard_at(-60)
}

fn heard_at(rssi: i8) -> Trace {
    let link = Trace::new().heard_at(rssi).create().connected().wait_ms(315);
    link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

/// A Raspberry Pi's adapter: a serial line, Cypress, Bluetooth 5.0.
fn pi() -> Trace {
    adapter(3, 0x0131)
}

/// An adapter on that bus, of that maker.
fn adapter(bus: u8, maker: u16) -> Trace {
    let [low, high] = maker.to_le_bytes();
    Trace::new()
        .monitor(0, &[0, bus, 1, 0, 0, 0, 0, 0, b'h', b'c', b'i', b'0', 0, 0, 0, 0])
        .command(Command::ReadLocalVersionInformation {})
        .complete(Opcode(0x1001), &[0, 9, 0, 0, 9, low, high, 0, 0])
}

/// These links on it, and then one that comes through.
fn on_a_pi(links: Trace) -> Trace {
    pi().followed_by(links).wait_ms(900).up().mtu()
}

/// Once is an accident.
const TRIES: usize = 2;

/// With a weaker signal, in dBm, distance is the likelier reason.
const NEAR: i8 = -75;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "Repeat with Wi-Fi off: `sudo rfkill block wlan` (not over a Wi-Fi shell). If that helps, use 5 GHz or Ethernet.",
    ),
    Remedy::on(
        &[Stack::BlueZ, Stack::Noble],
        "On a Raspberry Pi use a USB dongle on an extension lead, with `dtoverlay=disable-bt` in config.txt.",
    ),
];

/// Bus 3 is a serial line; the makers are Broadcom and Cypress.
fn combo(adapter: &&Adapter) -> bool {
    adapter.bus == Some(3) && matches!(adapter.manufacturer, Some(0x000f | 0x0131))
}

/// Links that died on a combined chip although the device was near.
#[derive(Debug)]
struct Taken {
    ends: Vec<End>,
    links: usize,
    signal: i8,
    /// How the device was heard on another link.
    heard: Sighting,
}

fn check(scene: &Scene<'_>, attempts: &[&Connection]) -> Option<Verdict> {
    let capture = scene.capture();
    let of_combo =
        |c: &&&Connection| capture.adapters.iter().filter(combo).any(|a| a.index == c.adapter);
    let links: Vec<&&Connection> = attempts
        .iter()
        .filter(of_combo)
        .filter(|c| c.connected_frame().is_some() && c.role == Some(Role::Central))
        .collect();
    let dead: Vec<&&&Connection> = links
        .iter()
        .filter(|c| c.never_heard() && c.reason() == Some(Status::FAILED_TO_BE_ESTABLISHED))
        .collect();
    let heard = links.iter().find(|c| c.peer_heard())?;
    let signal = dead.iter().filter_map(|c| c.report_before?.rssi).max()?;
    if dead.len() < TRIES || signal < NEAR {
        return None;
    }
    let facts = Taken {
        ends: dead.iter().filter_map(|c| c.end.clone()).collect(),
        links: links.len(),
        signal,
        heard: heard.heard?,
    };
    let about = dead.iter().map(|c| c.number);
    Some(Verdict::suspect(facts).sure(Confidence::Low).about(about))
}

impl Facts for Taken {
    fn says(&self) -> Text {
        text!(
            "{} of {} links to this device were never answered although it was received with up to {} dBm, on a combined Wi-Fi and Bluetooth chip. Wi-Fi may have had the radio; HCI cannot show it.",
            self.ends.len(),
            self.links,
            self.signal
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let ends = self.ends.iter().take(super::see::SHOWN).map(super::see::link_ended);
        let heard = text!("another link is heard: {}", self.heard.by);
        ends.chain([Sight::here(self.heard.seen.frame, heard)]).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("Ten attempts with Wi-Fi off, ten with it on.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
