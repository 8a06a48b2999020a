use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Status};
use crate::prose::{self, Text};
use crate::seen::Seen;
use crate::text;
use crate::time::Span;
use crate::timeline::{Capture, Connection, Device, Happening, Moment, Stack};
use crate::trace::{PEER, Trace};

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
cancel, not an error of its own. A request by accept list counts where it was made for one device, which leaves the list with the
cancel: that is a suspect, for such a request has no time limit. Where reports of the device came during the wait, or the next attempt came through, the device was there: a suspect.

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
        Case::cause(Confidence::High, "a wait of 20.5 s", || {
            goes_on(waited(Trace::new(), 20_500), 31_000).into()
        })
            .about(&[1])
            .pins(&["SOON"])
            .saying("Check that the device is on"),
        Case::silent("the host cancels after 3.9 s", || waited(Trace::new(), 3_900).into())
            .pins(&["waits::SHORTEST"]),
        Case::cause(Confidence::High, "the host cancels after 4.1 s", || {
            goes_on(waited(Trace::new(), 4_100), 31_000).into()
        })
        .pins(&["waits::SHORTEST"]),
        Case::cause(Confidence::Medium, "the capture ends 29 s later: the device may have come", || {
            goes_on(waited(Trace::new(), 20_500), 29_000).into()
        })
        .pins(&["SOON"]),
        Case::cause(Confidence::Medium, "a link whose beginning is missing may be the device's", || {
            goes_on(waited(Trace::new(), 20_500).handle(0x77).mtu(), 31_000).into()
        }),
        Case::cause(Confidence::Medium, "the host scanned, and the recording has no report at all", || {
            let scan = Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 0 };
            goes_on(waited(Trace::new().done(scan), 20_500), 31_000).into()
        }),
        Case::cause(Confidence::Medium, "a private address was heard: it may be the device's", || {
            let private = Address([2, 0, 0, 0, 0, 0x41]);
            let heard = Trace::new().peer(private, AddressType::RANDOM).advertises(0);
            goes_on(waited(heard.peer(PEER, AddressType::RANDOM), 20_500), 31_000).into()
        }),
        Case::silent("it comes through", || Trace::new().create().wait_ms(8_000).connected().features().into()),
        Case::suspect(Confidence::Medium, "reports of the device come meanwhile", || {
            let waits = Trace::new().create().wait_ms(5_000).advertises(0);
            waits.wait_ms(5_000).cancel().into()
        })
        .saying("1 report"),
        Case::suspect(Confidence::Medium, "reports come during a wait of 19.9 s", || {
            heard_within(19_900).into()
        })
        .pins(&["LONG_ENOUGH"])
        .saying("Give the attempt more time"),
        Case::suspect(Confidence::Medium, "reports come during a wait of 20.1 s", || {
            heard_within(20_100).into()
        })
        .pins(&["LONG_ENOUGH"])
        .saying("waited long enough"),
        Case::cause(Confidence::High, "its last report came 9.9 s before the request", || {
            goes_on(waited(Trace::new().advertises(0).wait_ms(9_900), 20_500), 31_000).into()
        })
        .pins(&["FRESH"])
        .saying("last advertising report"),
        Case::cause(Confidence::High, "its last report came 10.1 s before the request", || {
            goes_on(waited(Trace::new().advertises(0).wait_ms(10_100), 20_500), 31_000).into()
        })
        .pins(&["FRESH"])
        .not_saying("last advertising report"),
        Case::cause(Confidence::High, "a device that was heard a moment before is not asked whether it is on", || {
            goes_on(waited(Trace::new().advertises(0).wait_ms(100), 5_000), 31_000).into()
        })
        .not_saying("Check that the device is on"),
        Case::suspect(Confidence::Medium, "the next attempt comes through after 29 s", || {
            waited(Trace::new(), 5_000).wait_ms(28_900).up().into()
        })
        .about(&[1])
        .pins(&["SOON"])
        .saying("the next attempt"),
        Case::cause(Confidence::High, "the next attempt comes through after 31 s", || {
            waited(Trace::new(), 5_000).wait_ms(31_000).up().into()
        })
        .about(&[1])
        .pins(&["SOON"]),
        Case::cause(Confidence::High, "the next attempt is to another device", || {
            let other = Address([2, 0, 0, 0, 0, 0xc0]);
            let next = waited(Trace::new(), 5_000).wait_ms(5_000).peer(other, AddressType::RANDOM);
            goes_on(next.up(), 26_000).into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "the next attempt is not heard either", || {
            let again = waited(Trace::new(), 5_000).wait_ms(5_000).create().connected();
            again.wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED).into()
        })
        .about(&[1]),
        Case::suspect(Confidence::Medium, "a request by list for one device, which leaves the list with the cancel", || {
            by_list().done(Command::LeRemoveDeviceFromFilterAcceptList { address_type: AddressType::RANDOM, address: PEER }).into()
        })
        .saying("no longer wanted"),
        Case::silent("a request for any device of the list", || by_list().into()),
        Case::silent("a page on BR/EDR", || Trace::new().pages_in_vain().into()),

        Case::cause(Confidence::High, "the attempt before came through", || {
            let before = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            goes_on(waited(before, 20_500), 31_000).into()
        })
        .about(&[2])
        .not_saying("the next attempt"),
        Case::cause(Confidence::High, "the next attempt is refused at once", || {
            let busy = waited(Trace::new(), 5_000).wait_ms(1_000);
            busy.create_refused(Status::COMMAND_DISALLOWED).into()
        })
        .about(&[1]),
        Case::cause(Confidence::Medium, "the next attempt still waits when the capture ends", || {
            waited(Trace::new(), 5_000).wait_ms(5_000).create().wait_ms(1_000).into()
        })
        .about(&[1]),
        Case::cause(Confidence::Medium, "another device's link ends, and then the capture", || {
            let other = Address([2, 0, 0, 0, 0, 0xc0]);
            let next = waited(Trace::new(), 5_000).wait_ms(1_000).peer(other, AddressType::RANDOM);
            next.up().hangs_up(Status::REMOTE_USER_TERMINATED).into()
        })
        .about(&[1]),
        Case::cause(Confidence::High, "the host scanned, and heard another device", || {
            let other = Address([2, 0, 0, 0, 0, 0xc0]);
            let heard = Trace::new().scan(true, 96, 48).peer(other, AddressType::RANDOM).advertises(0);
            let waits = waited(heard.scan(false, 0, 0).peer(PEER, AddressType::RANDOM), 20_500);
            goes_on(waits, 31_000).into()
        }),
        Case::cause(Confidence::High, "a private address was heard, and the device under its own", || {
            let private = Address([2, 0, 0, 0, 0, 0x41]);
            let heard = Trace::new().peer(private, AddressType::RANDOM).advertises(0);
            let heard = heard.peer(PEER, AddressType::RANDOM).advertises(0).wait_ms(11_000);
            goes_on(waited(heard, 20_500), 31_000).into()
        }),
        Case::cause(Confidence::High, "a public address was heard", || {
            let public = Address([2, 0, 0, 0, 0, 0x41]);
            let heard = Trace::new().peer(public, AddressType::PUBLIC).advertises(0);
            goes_on(waited(heard.peer(PEER, AddressType::RANDOM), 20_500), 31_000).into()
        }),
        Case::cause(Confidence::High, "nobody took the device off a list", || {
            goes_on(waited(Trace::new(), 20_500), 31_000).into()
        })
        .not_saying("off its list"),
        Case::suspect(Confidence::Medium, "who answers the next attempt is on the air", || {
            waited(Trace::new(), 5_000).wait_ms(5_000).up().into()
        })
        .saying("Give the attempt more time"),
        Case::suspect(Confidence::Medium, "a wait of 20 s is long enough", || {
            Trace::new().create().wait_ms(5_000).advertises(0).wait_ms(500).after_ms(15_000).cancel().into()
        })
        .saying("waited long enough"),
        Case::cause(Confidence::High, "its last report came exactly 10 s before the request", || {
            goes_on(waited(Trace::new().advertises(0).after_ms(10_000), 20_500), 31_000).into()
        })
        .saying("last advertising report"),
        // The cancel is over 0.2 ms after it was asked for; the next link is made 60.2 ms after its request.
        Case::suspect(Confidence::Medium, "the next attempt comes through after exactly 30 s", || {
            waited(Trace::new(), 5_000).after_us(30_000_000 - 200 - 60_200).up().into()
        })
        .about(&[1])
        .saying("the next attempt"),
        Case::cause(Confidence::High, "the next attempt comes through a moment later than that", || {
            waited(Trace::new(), 5_000).after_us(30_000_001 - 200 - 60_200).up().into()
        })
        .about(&[1]),
        Case::cause(Confidence::Medium, "the capture ends exactly 30 s after the cancel", || {
            let waits = waited(Trace::new(), 20_500).after_us(30_000_000 - 200);
            waits.command(Command::ReadBdAddr {}).into()
        }),
        Case::cause(Confidence::High, "the capture ends a moment later than that", || {
            let waits = waited(Trace::new(), 20_500).after_us(30_000_001 - 200);
            waits.command(Command::ReadBdAddr {}).into()
        }),
        Case::cause(Confidence::High, "the host cancels after exactly 4 s", || {
            goes_on(Trace::new().create().after_us(4_000_000 - 100).cancel(), 31_000).into()
        }),
        Case::silent("the host cancels a moment sooner", || {
            goes_on(Trace::new().create().after_us(3_999_999 - 100).cancel(), 31_000).into()
        }),
        Case::cause(Confidence::High, "another adapter has a link whose beginning is missing", || {
            let other = waited(Trace::new(), 20_500).adapter(1).handle(0x77).mtu().adapter(0);
            goes_on(other, 31_000).into()
        }),
        Case::cause(Confidence::Medium, "the next link is not heard, and still up when the capture ends", || {
            let next = waited(Trace::new(), 5_000).wait_ms(5_000).create().connected();
            next.wait_ms(300).done(Command::ReadBdAddr {}).into()
        })
        .about(&[1]),
        Case::cause(Confidence::Medium, "an earlier link ended, and the capture ends soon", || {
            let before = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(1_000);
            waited(before, 20_500).wait_ms(1_000).done(Command::ReadBdAddr {}).into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "a private address was heard, and its device has another identity", || {
            let other = Address([9, 0, 0, 0, 0, 0xc9]);
            let identity = crate::packet::smp::Pdu::IdentityAddressInformation {
                addr_type: 1,
                bd_addr: other,
            };
            let private = Trace::new().peer(Address([2, 0, 0, 0, 0, 0x41]), AddressType::RANDOM);
            let paired = private.advertises(0).up();
            let paired = paired.smp(crate::packet::Direction::Received, identity).wait_ms(500);
            let gone = paired.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500);
            goes_on(waited(gone.peer(PEER, AddressType::RANDOM), 20_500), 31_000).into()
        })
        .about(&[2]),
        Case::cause(Confidence::High, "how long it waited is told", || {
            goes_on(waited(Trace::new(), 20_500), 31_000).into()
        })
        .saying("No link existed at any time")
        .not_saying("most likely"),
        Case::suspect(Confidence::Medium, "the next attempt comes through, and how much later is told", || {
            waited(Trace::new(), 5_000).wait_ms(5_000).up().into()
        })
        .not_saying("No link existed at any time"),
    ],
};

fn waited(trace: Trace, ms: u32) -> Trace {
    trace.create().wait_ms(ms).cancel()
}

/// A wait of this length, with one report of the device.
fn heard_within(ms: u32) -> Trace {
    Trace::new().create().wait_ms(5_000).advertises(0).wait_ms(ms - 5_000).cancel()
}

/// The recording does not end for so long.
fn goes_on(trace: Trace, ms: u32) -> Trace {
    trace.wait_ms(ms).done(Command::ReadBdAddr {})
}

/// A device comes onto the accept list, and a request by list waits for it in vain.
fn by_list() -> Trace {
    let add =
        Command::LeAddDeviceToFilterAcceptList { address_type: AddressType::RANDOM, address: PEER };
    Trace::new().done(add).create_for_anybody().wait_ms(14_000).cancel()
}

/// A report older than this does not show that the device was there when it was asked for: most devices advertise at
/// least every ten seconds.
const FRESH: Span = Span::from_ms(10_000);

/// A device that answers the next attempt this soon after the cancel was there before, most likely.
const SOON: Span = Span::from_ms(30_000);

const AWAY: Remedy = Remedy::any(
    "Check that the device is on, near, and not connected to a phone or another computer: most devices stop advertising while they are.",
);

const THERE: Remedy = Remedy::any(
    "Give the attempt more time, several of the device's advertising intervals, and let no other scan run meanwhile: the device is on the air.",
);

/// The same after a wait that was long enough.
const AGAIN: Remedy = Remedy::any(
    "Try again, and let no other scan run meanwhile: the device is on the air, and this attempt waited long enough.",
);

/// Ten times the interval of a device that advertises once in two seconds.
const LONG_ENOUGH: Span = Span::from_ms(20_000);

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Scan, then connect to what was just found: `bluetoothctl`, then at its prompt `scan on` until it is found, `scan off`, `connect ADDRESS`; with bleak hand the `BLEDevice` of `BleakScanner.find_device_by_address` to `BleakClient`.",
    ),
    Remedy::on(&[Stack::Noble], "Call `connect()` on the peripheral of a fresh `discover` event."),
    Remedy::on(
        &[Stack::Android],
        "Connect to a device from a fresh scan result; `connectGatt` with `autoConnect` true waits without limit.",
    ),
];

/// A request that waited in vain for one device.
#[derive(Debug)]
struct InVain {
    wait: Waited,
    /// Reports of the device during the wait.
    heard: u64,
    /// The request went to the accept list, with this device alone on it.
    by_list: bool,
    /// The last report before the request, where it is fresh, and how old it was then.
    report: Option<(u32, Option<Span>)>,
    /// The next attempt came through: its Connection Complete, and how long after the cancel.
    next: Option<(u32, Span)>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection).filter(|wait| wait.whom.is_some())?;
    let age = |at| wait.request.at.since(at);
    let report = connection.report_before.map(|report| (report.frame, age(report.at)));
    let next = scene.capture().kin(connection, 1).find(|c| c.number > connection.number);
    let came = next.filter(|c| c.peer_heard()).and_then(|c| {
        let after = c.connected_at().since(wait.request.cancelled?.at)?;
        Some((c.connected_frame()?, after))
    });
    let facts = InVain {
        wait: wait.facts(),
        heard: connection.reports_during_wait,
        by_list: connection.request.as_ref().is_some_and(|request| request.filter_policy != 0),
        report: report.filter(|(_, age)| age.is_none_or(|age| age <= FRESH)),
        next: came.filter(|(_, after)| *after <= SOON),
    };
    let was_there = facts.heard > 0 || facts.next.is_some();
    // A request by list has no time limit of its own: whoever asked took it back.
    Some(if was_there || facts.by_list {
        Verdict::suspect(facts)
    } else if watched(scene.capture(), connection, Seen::when(wait.request.cancelled)) {
        Verdict::cause(facts).sure(Confidence::High)
    } else {
        Verdict::cause(facts).sure(Confidence::Medium)
    })
}

/// Whether the capture would show that the device is there after all. It must go on for long enough and hold reports if
/// the host scanned; and no link whose beginning is missing, and no private address, may be the device's.
fn watched(capture: &Capture, connection: &Connection, cancel_at: Moment) -> bool {
    let who = connection.peer.who();
    let mut later = capture.connections.iter().filter(|c| c.number > connection.number);
    let goes_on = Moment::from(capture.last_time).since(cancel_at).is_some_and(|left| left > SOON)
        || later.any(|c| {
            c.peer.who() == who
                && (c.end.is_some() || c.status.is_some_and(|s| s != Status::SUCCESS))
        });
    let strange = |c: &Connection| !c.start_seen || c.sent_unseen();
    let strangers =
        capture.connections.iter().any(|c| strange(c) && c.adapter == connection.adapter);
    let scanned = capture.adapter_events.iter().any(|e| matches!(e.what, Happening::ScanOn(_)));
    let deaf = scanned && capture.totals.advertising_reports == 0;
    let heard = who.and_then(|who| capture.device(who)).is_some_and(|device| device.reports > 0);
    let private = |device: &Device| {
        device.address_type == AddressType::RANDOM
            && !device.address.looks_static()
            && device.identity.is_none()
    };
    let hides = !heard && capture.devices.iter().any(private);
    goes_on && !strangers && !deaf && !hides
}

impl Facts for InVain {
    fn says(&self) -> Text {
        let lasted = self.wait.lasted;
        if self.heard > 0 {
            let heard = usize::try_from(self.heard).unwrap_or(usize::MAX);
            return text!(
                "The controller waited {} and made no link although {} of the device came meanwhile; then the host cancelled.",
                lasted,
                prose::count(heard, "report", "reports")
            );
        }
        if let Some((_, after)) = self.next {
            return text!(
                "The controller waited {} for a chance to connect and made no link; then the host cancelled. The device was there, most likely: the next attempt came through {} later.",
                lasted,
                after
            );
        }
        if self.by_list {
            return text!(
                "The controller waited {} for a chance to connect and made no link; then the host took the device off its list. Whoever asked may have given up, or no longer wanted it.",
                lasted
            );
        }
        text!(
            "The controller waited {} for a chance to connect and made no link; then the host cancelled. No link existed at any time.",
            lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = self.wait.sights();
        sights.extend(self.report.map(|(frame, age)| {
            let ago = age.map(|age| text!(", {} before the request", age));
            Sight::here(frame, text!("last advertising report of this address{}", ago))
        }));
        sights.extend(self.next.map(|(frame, after)| {
            Sight::here(frame, text!("the next attempt came through, {} after the cancel", after))
        }));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "never-heard-peer",
            "no link was created: status 0x02 is the answer to our own cancel",
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "A scan during the attempt, by a phone or a second adapter, shows whether the device advertises, under which address, and connectable."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        let there = self.heard > 0 || self.next.is_some() || self.report.is_some();
        let patient = self.wait.lasted >= LONG_ENOUGH;
        let mut remedies = vec![match (there, patient) {
            (true, true) => AGAIN,
            (true, false) => THERE,
            (false, _) => AWAY,
        }];
        remedies.extend(REMEDIES.iter().cloned());
        remedies
    }
}
