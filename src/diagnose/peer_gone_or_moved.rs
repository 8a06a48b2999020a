use super::waits::{Waited, in_vain};
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Status};
use crate::prose::{Text, count};
use crate::text;
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
        Case::cause(Confidence::Medium, "a scan after the request hears another device for 4 s", || {
            hears(waits(), 8, false).into()
        })
        .about(&[1])
        .saying("hears 1 other device and not this one")
        .not_saying("last link"),
        Case::cause(Confidence::Medium, "it had had a link, which ended shortly before", || after_a_link().into())
            .about(&[2])
            .saying("last link had ended")
            .not_saying("was last heard"),
        Case::silent("the scan hears this device too", || hears(waits(), 8, true).into()),
        Case::silent("nobody scans after the request", || waits().into()),
        Case::cause(Confidence::Medium, "the scan hears the other device for a little over 3 s", || {
            hears(waits(), 6, false).into()
        })
        .pins(&["LONG_ENOUGH"]),
        Case::silent("the scan hears the other device for a little over 2.5 s", || {
            hears(waits(), 5, false).into()
        })
        .pins(&["LONG_ENOUGH"]),
        Case::silent("the scan hears devices of a list only", || {
            let trace = waits().done(Command::LeSetScanParameters {
                le_scan_type: 1,
                le_scan_interval: 96,
                le_scan_window: 48,
                own_address_type: 0,
                scanning_filter_policy: 1,
            });
            let on = Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 0 };
            others(trace.done(on), 8, false).into()
        }),
        Case::silent("this device was never heard", || {
            hears(Trace::new().asks_in_vain().wait_ms(500), 8, false).into()
        }),
        Case::cause(Confidence::Medium, "its name appears under another private address", || {
            named(OLD).peer(OLD, RANDOM).asks_in_vain().peer(NEW, RANDOM).advertises_as("Lamp").into()
        })
        .about(&[1])
        .saying("the same name appears under 5A:00:00:00:00:04"),
        Case::silent("another name appears under another private address", || {
            named(OLD).peer(OLD, RANDOM).asks_in_vain().peer(NEW, RANDOM).advertises_as("Lock").into()
        }),
        Case::silent("its name appears under an address that stays", || {
            named(OLD).peer(OLD, RANDOM).asks_in_vain().peer(PEER, RANDOM).advertises_as("Lamp").into()
        }),
        Case::silent("its own address stays", || {
            named(PEER).asks_in_vain().peer(NEW, RANDOM).advertises_as("Lamp").into()
        }),
        Case::silent("the other address was heard before", || {
            named(NEW).followed_by(named(OLD)).peer(OLD, RANDOM).asks_in_vain().into()
        }),

        Case::cause(Confidence::Medium, "a device without a name is no namesake", || {
            hears(waits(), 8, false).into()
        })
        .not_saying("same name"),
        Case::silent("its name appears under a public address", || {
            let gone = named(OLD).peer(OLD, RANDOM).asks_in_vain();
            gone.peer(NEW, AddressType::PUBLIC).advertises_as("Lamp").into()
        }),
        Case::silent("the same address was only heard with another type", || {
            let heard = Trace::new().peer(PEER, AddressType::PUBLIC).advertises(0).wait_ms(800);
            hears(heard.peer(PEER, RANDOM).asks_in_vain().wait_ms(500), 8, false).into()
        }),
        Case::silent("only another adapter's scan hears others", || {
            waits().wait_ms(9_000).beside(Trace::new().wait_ms(22_000).followed_by(hears(Trace::new(), 8, false))).into()
        }),
        Case::cause(Confidence::Medium, "its link had ended before the last report", || {
            let link = Trace::new().up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED);
            hears(link.wait_ms(900).followed_by(waits()), 8, false).into()
        })
        .saying("was last heard")
        .not_saying("last link"),
        Case::cause(Confidence::Medium, "a device that moved is asked for anew", || {
            named(OLD).peer(OLD, RANDOM).asks_in_vain().peer(NEW, RANDOM).advertises_as("Lamp").into()
        })
        .saying("Pair once")
        .not_saying("Look at the device"),
        Case::cause(Confidence::Medium, "one that is gone is to be looked at", || {
            hears(waits(), 8, false).into()
        })
        .saying("Look at the device")
        .not_saying("Pair once"),
        Case::cause(Confidence::Medium, "the scan hears another device exactly 3 s after it began", || {
            let other = Address([7, 0, 0, 0, 0, 0xc0]);
            let scan = waits().scan(true, 96, 48).after_us(3_000_000);
            scan.peer(other, RANDOM).advertises(0).into()
        }),
        Case::silent("the scan hears another device a moment sooner, and nobody later", || {
            let other = Address([7, 0, 0, 0, 0, 0xc0]);
            let scan = waits().scan(true, 96, 48).after_us(2_999_899);
            scan.peer(other, RANDOM).advertises(0).into()
        }),
        Case::silent("this adapter's scan hears nobody, and another adapter's hears others", || {
            let other = Trace::new().wait_ms(22_000);
            let here = waits().scan(true, 96, 48).wait_ms(9_000);
            here.beside(hears(other, 8, false)).into()
        }),
        Case::cause(Confidence::Medium, "who was heard before the scan alone is not counted", || {
            let gone = Address([8, 0, 0, 0, 0, 0xc0]);
            let before = Trace::new().peer(gone, RANDOM).advertises(0).wait_ms(100);
            before.followed_by(hears(waits(), 8, false)).into()
        })
        .saying("hears 1 other device"),
    ],
};

const RANDOM: AddressType = AddressType::RANDOM;
const OLD: Address = Address([3, 0, 0, 0, 0, 0x5a]);
const NEW: Address = Address([4, 0, 0, 0, 0, 0x5a]);

/// A request for a device that was heard, which waits in vain.
fn waits() -> Trace {
    let asked = Trace::new().advertises(0).wait_ms(800);
    asked.asks_in_vain().wait_ms(500)
}

/// A scan that hears another device so many times, every half second, and this one or not.
fn hears(trace: Trace, times: u32, this_too: bool) -> Trace {
    others(trace.scan(true, 96, 48), times, this_too)
}

fn others(trace: Trace, times: u32, this_too: bool) -> Trace {
    let other = Address([7, 0, 0, 0, 0, 0xc0]);
    (0..times).fold(trace, |trace, _| {
        let trace = trace.wait_ms(500).peer(other, RANDOM).advertises(0).peer(PEER, RANDOM);
        if this_too { trace.advertises(0) } else { trace }
    })
}

fn named(address: Address) -> Trace {
    Trace::new().peer(address, RANDOM).advertises_as("Lamp").wait_ms(800)
}

/// The device is heard and connected to, its link ends, and it is asked for again in vain.
fn after_a_link() -> Trace {
    let link = Trace::new().advertises(0).wait_ms(800).up().mtu().wait_ms(60_000);
    let again = link.disconnected(Status::CONNECTION_TIMEOUT).wait_ms(200).create().wait_ms(20_500);
    others(again.cancel().wait_ms(500).scan(true, 96, 48), 8, false)
}

const FRESH: Remedy = Remedy::any(
    "Scan, and connect within one or two seconds to the address that was just heard; do not keep addresses from earlier scans.",
);

/// It is not on the air.
const GONE: Remedy = Remedy::any(
    "Look at the device: battery, range, sleep (press its button), or a phone that holds the connection.",
);

/// It is on the air under another address.
const PAIR: Remedy = Remedy::on(
    &[Stack::BlueZ],
    "Pair once, so that BlueZ knows the identity behind the private addresses.",
);

/// How long a scan must hear others before its silence about one device counts.
const LONG_ENOUGH: Span = Span::from_ms(3_000);

/// A request for a device that was not there any more.
#[derive(Debug)]
struct NotThere {
    asked: Address,
    /// The end of its link, where that came after the last report: frame, reason, and how long before the request.
    link: Option<(u32, Status, Option<Span>)>,
    /// The last report before the request, and how long before.
    report_frame: u32,
    ago: Option<Span>,
    wait: Waited,
    /// The new address, and its first report.
    moved: Option<(Address, Option<u32>)>,
    scan: Option<LaterScan>,
}

/// A scan that hears others only.
#[derive(Clone, Copy, Debug)]
struct LaterScan {
    frame: u32,
    others: usize,
}

/// A scan after the request that hears others, and not this device.
fn later_scan(
    scene: &Scene<'_>,
    adapter: Option<u16>,
    after: u32,
    address: Address,
) -> Option<LaterScan> {
    let capture = scene.capture();
    let gone = capture.device(address).is_none_or(|d| d.last.is_none_or(|last| last.frame < after));
    if !gone {
        return None;
    }
    // The first one lasts longest: where it hears nobody for long enough, no later one does.
    let scan = see::events_after(capture, after).iter().find(|e| {
        let all = matches!(e.what, Happening::ScanOn(scan) if scan.filter_policy & 1 == 0);
        all && e.adapter == adapter
    })?;
    let reports = capture.devices.iter().filter(|d| d.adapter == adapter).filter_map(|d| d.last);
    let heard: Vec<Report> = reports.filter(|last| last.frame > scan.frame).collect();
    let long = heard.iter().any(|last| last.at.since(scan.at).is_some_and(|d| d >= LONG_ENOUGH));
    long.then_some(LaterScan { frame: scan.frame, others: heard.len() })
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
        private(d)
            && private(old)
            && d.name.as_deref() == Some(name)
            && d.first.is_some_and(|first| first.frame > last)
    })
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (address, kind) = wait.whom?;
    let report = connection.report_before.filter(|r| r.address_type == kind)?;
    let new = moved(scene, &report, address);
    let kin = scene.capture().kin(connection, 1).find(|c| c.number < connection.number);
    let link = kin.and_then(|c| c.end.as_ref()).filter(|end| end.frame > report.frame);
    let facts = NotThere {
        link: link.map(|end| (end.frame, end.reason, wait.request.at.since(end.at))),
        asked: address,
        report_frame: report.frame,
        ago: wait.request.at.since(report.at),
        wait: wait.facts(),
        moved: new.map(|device| (device.address, device.first.map(|first| first.frame))),
        scan: later_scan(scene, connection.adapter, wait.request.frame, address),
    };
    let shown = facts.moved.is_some() || facts.scan.is_some();
    shown.then(|| Verdict::cause(facts).sure(Confidence::Medium))
}

impl NotThere {
    /// `, 800 ms before the request`.
    fn before(&self) -> Option<Text> {
        self.ago.map(|ago| text!(", {} before the request", ago))
    }
}

impl Facts for NotThere {
    fn says(&self) -> Text {
        match (self.moved, self.link, self.scan) {
            (Some((new, _)), ..) => text!(
                "The device changed its private address: after the last report of {} the same name appears under {}. The request went to the old address.",
                self.asked,
                new
            ),
            (None, Some((_, reason, ago)), scan) => text!(
                "The device's last link had ended{} ({}); a later scan hears {} and not this device.",
                ago.map(|ago| text!(" {} before the request", ago)),
                reason,
                scan.map(|scan| count(scan.others, "other device", "other devices"))
            ),
            (None, None, scan) => text!(
                "The device was last heard{}; a later scan hears {} and not this one.",
                self.before(),
                scan.map(|scan| count(scan.others, "other device", "other devices"))
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let last = text!("last advertising report of this address{}", self.before());
        let mut sights = vec![Sight::here(self.report_frame, last)];
        sights.extend(
            self.link.map(|(frame, reason, _)| {
                Sight::here(frame, text!("its last link ends: {}", reason))
            }),
        );
        sights.extend(self.wait.sights());
        let first = self.moved.and_then(|(_, first_frame)| first_frame);
        let first = first.map(|f| Sight::here(f, "the same name under a new private address"));
        sights.extend(first);
        let scan =
            self.scan.map(|scan| Sight::here(scan.frame, "a scan begins that hears others only"));
        sights.extend(scan);
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "wrong-peer-address-type",
            "the request names the kind of address that the report had",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        let two =
            text!("Two devices of one make can share a name: switch the other one off and repeat.");
        self.moved.map(|_| two).into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        if self.moved.is_some() { vec![FRESH, PAIR] } else { vec![GONE, FRESH] }
    }
}
