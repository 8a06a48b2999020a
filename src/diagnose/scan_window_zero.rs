use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::units::Slots;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "scan-window-zero",
    title: "The connect request hardly lets the controller listen",
    basis: Basis::Author,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "background-connect-accept-list-stall"],
    docs: "\
## What it means
A controller that is to connect listens for advertising: for one scan window in each scan interval. With a window of nearly nothing,
or one that is a tiny share of its interval, it meets no advertisement, wherever the device is. This rule rests on traces of
its author's.

## How it shows
A connect request whose scan window is shorter than 2.5 ms, the least that the specification allows, or less than a hundredth of its
interval; it waits until the host cancels.

## What else it could be
The device may be away as well: only a request that listens more tells.

## What to do
Set the scan window as long as the interval, or half of it at least.",
    sources: &["Core Specification, Vol 4, Part E, 7.8.12: LE_Scan_Window, 0x0004 to 0x4000"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "a window of nothing", || asks(96, 0).into())
            .about(&[1])
            .saying("window 0.0 ms"),
        Case::cause(Confidence::Medium, "a window of 3 units, 1.9 ms", || asks(96, 3).into())
            .pins(&["SHORTEST_WINDOW"]),
        Case::silent("a window of 4 units, 2.5 ms", || asks(96, 4).into())
            .pins(&["SHORTEST_WINDOW"]),
        Case::suspect(Confidence::Medium, "a window of 0.9 % of its interval", || {
            asks(10_000, 99).into()
        })
        .pins(&["LEAST_PERCENT"]),
        Case::silent("a window of 1 % of its interval", || asks(10_000, 100).into())
            .pins(&["LEAST_PERCENT"]),
        Case::silent("the request comes through all the same", || {
            Trace::new().taken(request(96, 0)).wait_ms(8_000).connected().features().into()
        }),
        Case::silent("text that leaves the interval out", || asks(0, 0).into()),
    ],
};

fn request(interval: u16, window: u16) -> Command<'static> {
    Command::LeCreateConnection {
        le_scan_interval: interval,
        le_scan_window: window,
        initiator_filter_policy: 0,
        peer_address_type: crate::packet::AddressType::RANDOM,
        peer_address: PEER,
        own_address_type: 0,
        connection_interval_min: 24,
        connection_interval_max: 40,
        max_latency: 0,
        supervision_timeout: 42,
        min_ce_length: 0,
        max_ce_length: 0,
    }
}

fn asks(interval: u16, window: u16) -> Trace {
    Trace::new().taken(request(interval, window)).wait_ms(20_500).cancel()
}

/// The least window that the specification allows, in units of 0.625 ms: 2.5 ms.
const SHORTEST_WINDOW: u16 = 4;

/// Below this share of the time a device that advertises once in a second is met once in minutes.
const LEAST_PERCENT: u32 = 1;

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Take `ScanIntervalConnect` and `ScanWindowConnect` out of `[LE]` in /etc/bluetooth/main.conf, if they stand there, and restart bluetooth: the kernel then listens all the time.",
    ),
    Remedy::any(
        "Set the scan window of the connect request as long as its interval, or half of it at least.",
    ),
];

/// A request that hardly listens.
#[derive(Debug)]
struct Deaf {
    wait: Waited,
    interval: Span,
    window: Span,
}

/// Units of 0.625 ms.
fn units(units: u16) -> Span {
    Slots(units).span()
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (interval, window) = (wait.request.scan_interval, wait.request.scan_window);
    // Text may leave both out; no request has an interval of nothing.
    if interval == 0 {
        return None;
    }
    let none = window < SHORTEST_WINDOW;
    let hardly = u32::from(window) * 100 < u32::from(interval) * LEAST_PERCENT;
    let facts = Deaf { wait: wait.facts(), interval: units(interval), window: units(window) };
    match (none, hardly) {
        (true, _) => Some(Verdict::cause(facts)),
        (false, true) => Some(Verdict::suspect(facts)),
        (false, false) => None,
    }
}

impl Facts for Deaf {
    fn says(&self) -> Text {
        text!(
            "The connect request lets the controller listen for {} in every {}, so it could hardly meet an advertisement in {}.",
            self.window,
            self.interval,
            self.wait.lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = self.wait.sights();
        let said = text!("scan interval {}, window {}", self.interval, self.window);
        sights.insert(1, Sight::here(self.wait.frame, said));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no link was created")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!("The same request with a window as long as its interval.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
