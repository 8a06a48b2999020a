use super::waits::{Wait, Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Secret, Status};
use crate::prose::{self, Text};
use crate::text;
use crate::time::Span;
use crate::timeline::{AdapterEvent, Capture, Device, Happening, Stack};
use crate::trace::{PEER, Trace};
use std::collections::{HashMap, HashSet};

pub const RULE: Rule = Rule {
    id: "background-connect-accept-list-stall",
    title: "The controller waits for an address of its accept list that is not on the air",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app"],
    docs: "\
## What it means
The host put a device's identity address on the accept list and lets the controller wait for it. The device advertises with
private addresses, and the controller was given no key to resolve them, so it waits for ever.

## How it shows
An address comes onto the accept list; a connect request by list that is made for it, or the first filtered scan after it, goes on for
half a minute and more without one report or link of it; no entry in the resolving list; and an unfiltered scan of the same
capture hears one connectable device with a private address. Where it hears two or three, none is named; where it hears more, this
is a note. A request that is
renewed at once, or taken back because Bluetooth is switched off, does not count: phones wait in the background all day.

## What else it could be
The device is simply switched off, and the private address belongs to something else.

## What to do
Keep an unfiltered discovery running while connecting; give the kernel the address-resolution flag for the device; or update.",
    sources: &["bluez/bluez#2356, #2503"],
    check: Check::Capture(check),
    cases: &[
        Case::suspect(Confidence::Medium, "a filtered scan of a minute hears nothing", || {
            stalled(hears(1), 60_000).into()
        })
        .saying("Keep discovery running"),
        Case::silent("the address of the list is on the air itself", || {
            let on_air = Trace::new().scan(true, 96, 48).advertises(0).wait_ms(1_000);
            stalled(on_air.scan(false, 0, 0), 60_000).into()
        }),
        Case::suspect(Confidence::Medium, "a filtered scan of 25.1 s", || {
            stalled(hears(1), 25_100).into()
        })
        .pins(&["LONG"]),
        Case::silent("a filtered scan of 24.9 s", || stalled(hears(1), 24_900).into())
            .pins(&["LONG"]),
        Case::silent("a scan of a minute that is not filtered", || {
            scans(listed(hears(1)), 0, 60_000).into()
        }),
        Case::suspect(Confidence::Low, "two private addresses are heard, and neither is named", || {
            stalled(hears(2), 60_000).into()
        })
        .saying("2 connectable devices"),
        Case::suspect(Confidence::Low, "three private addresses are heard", || {
            stalled(hears(3), 60_000).into()
        })
        .pins(&["FEW"]),
        Case::note(Confidence::Low, "four private addresses are heard", || {
            stalled(hears(4), 60_000).into()
        })
        .pins(&["FEW"]),
        Case::silent("the scan before had waited for the address already", || {
            scans(stalled(hears(1), 5_000), 1, 60_000).into()
        }),
        Case::silent("no private address is heard", || stalled(hears(0), 60_000).into()),
        Case::suspect(Confidence::Medium, "a request to the accept list waits for 30 s", || {
            listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel().into()
        })
        .about(&[1])
        .saying("any device of the accept list"),
        Case::silent("the request to the accept list was made for another device as well", || {
            let other = Address([2, 0, 0, 0, 0, 0xc0]);
            listed(hears(1)).done(add(other)).create_for_anybody().wait_ms(30_000).cancel().into()
        }),
        Case::silent("it was on the list for the request before", || {
            let again = listed(hears(1)).create_for_anybody().wait_ms(5_000).cancel();
            again.create_for_anybody().wait_ms(30_000).cancel().into()
        }),
        Case::silent("the request is renewed 1.9 s later", || {
            let waited = listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel();
            waited.wait_ms(1_900).create_for_anybody().wait_ms(1_000).into()
        })
        .pins(&["waits::REARMED"]),
        Case::suspect(Confidence::Medium, "there is another request 2.1 s later", || {
            let waited = listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel();
            waited.wait_ms(2_100).create_for_anybody().wait_ms(1_000).into()
        })
        .pins(&["waits::REARMED"]),
        Case::silent("Bluetooth is switched off", || {
            let waited = listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel();
            waited.wait_ms(500).done(Command::LeClearFilterAcceptList {}).into()
        }),
        Case::silent("the controller can resolve the address", || {
            stalled(resolves(hears(1), 1), 60_000).into()
        }),
        Case::suspect(Confidence::Medium, "it has the key, and resolving is off", || {
            stalled(resolves(hears(1), 0), 60_000).into()
        }),

        Case::suspect(Confidence::Medium, "the address on the list is a public one", || {
            let public = Command::LeAddDeviceToFilterAcceptList {
                address_type: AddressType::PUBLIC,
                address: PEER,
            };
            scans(hears(1).done(public), 1, 60_000).into()
        }),
        Case::silent("a private address is on the list: it need not be the device's any more", || {
            scans(hears(1).done(add(Address([9, 9, 9, 0, 0, 0x5a]))), 1, 60_000).into()
        }),
        Case::silent("a link to the address came up before", || {
            let used = hears(1).up().hangs_up(Status::REMOTE_USER_TERMINATED);
            stalled(used, 60_000).into()
        }),
        Case::silent("the private address cannot be connected to", || {
            let beacon = Trace::new().scan(true, 96, 48).peer(PRIVATE, RANDOM).advertises(3);
            stalled(beacon.wait_ms(100).scan(false, 0, 0), 60_000).into()
        }),
        Case::silent("what is heard has a static address", || {
            let other = Trace::new().scan(true, 96, 48).peer(Address([7, 0, 0, 0, 0, 0xda]), RANDOM);
            stalled(other.advertises(0).wait_ms(100).scan(false, 0, 0), 60_000).into()
        }),
        Case::silent("what is heard has a public address", || {
            let other = Trace::new().scan(true, 96, 48).peer(PRIVATE, AddressType::PUBLIC);
            stalled(other.advertises(0).wait_ms(100).scan(false, 0, 0), 60_000).into()
        }),
        Case::silent("this host asks for the private address itself", || {
            let asked = hears(1).peer(PRIVATE, RANDOM).up().hangs_up(Status::REMOTE_USER_TERMINATED);
            stalled(asked, 60_000).into()
        }),
        Case::silent("the private address is on the list, too", || {
            stalled(hears(1).done(add(PRIVATE)), 60_000).into()
        }),
        Case::suspect(Confidence::Medium, "the key was taken away again", || {
            stalled(resolves(hears(1), 1).done(Command::LeClearResolvingList {}), 60_000).into()
        }),
        Case::suspect(Confidence::Medium, "a reset took the key away", || {
            stalled(resolves(hears(1), 1).done(Command::Reset {}), 60_000).into()
        }),
        Case::silent("a request to the accept list waits for 24 s", || {
            listed(hears(1)).create_for_anybody().wait_ms(24_000).cancel().into()
        }),
        Case::suspect(Confidence::Medium, "the host asks for something else during the filtered scan", || {
            let parameters = Command::LeSetScanParameters {
                le_scan_type: 0,
                le_scan_interval: 96,
                le_scan_window: 48,
                own_address_type: 0,
                scanning_filter_policy: 1,
            };
            let enable = |on| Command::LeSetScanEnable { le_scan_enable: on, filter_duplicates: on };
            let refused = Command::ReadBdAddr {};
            let on = listed(hears(1)).done(parameters).done(enable(1)).wait_ms(20_000);
            let on = on.command(refused).status(refused.opcode(), Status::COMMAND_DISALLOWED);
            on.wait_ms(20_000).done(enable(0)).into()
        }),
        Case::suspect(Confidence::Medium, "a request to the accept list waits for exactly 25 s", || {
            listed(hears(1)).create_for_anybody().after_us(25_000_000 - 100).cancel().into()
        }),
        Case::silent("a request to the accept list waits for a moment less", || {
            listed(hears(1)).create_for_anybody().after_us(24_999_999 - 100).cancel().into()
        }),
        // The cancel is over 0.2 ms after it was asked for.
        Case::suspect(Confidence::Medium, "there is another request exactly 2 s later", || {
            let waited = listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel();
            waited.after_us(2_000_000 - 200).create_for_anybody().wait_ms(1_000).into()
        }),
        Case::silent("the request is renewed a moment sooner", || {
            let waited = listed(hears(1)).create_for_anybody().wait_ms(30_000).cancel();
            waited.after_us(1_999_999 - 200).create_for_anybody().wait_ms(1_000).into()
        }),
        Case::silent("another adapter clears its resolving list, and this one resolves", || {
            let clears = resolves(hears(1), 1).adapter(1).done(Command::LeClearResolvingList {});
            stalled(clears.adapter(0), 60_000).into()
        }),
        Case::silent("another adapter is reset, and this one resolves", || {
            let reset = resolves(hears(1), 1).adapter(1).done(Command::Reset {}).adapter(0);
            stalled(reset, 60_000).into()
        }),
        Case::suspect(Confidence::Medium, "another adapter can resolve the address", || {
            stalled(resolves(hears(1).adapter(1), 1).adapter(0), 60_000).into()
        }),
        Case::silent("another adapter hears the private address", || {
            stalled(Trace::new(), 60_000).beside(hears(1)).into()
        }),
        Case::silent("another adapter waits for its own list", || {
            let waits = listed(hears(1)).adapter(1).create_for_anybody().wait_ms(30_000).cancel();
            waits.adapter(0).done(Command::ReadBdAddr {}).into()
        }),
        Case::suspect(Confidence::Medium, "another adapter scans meanwhile", || {
            let (on, off) = (Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 1 },
                Command::LeSetScanEnable { le_scan_enable: 0, filter_duplicates: 1 });
            let parameters = Command::LeSetScanParameters {
                le_scan_type: 0,
                le_scan_interval: 96,
                le_scan_window: 48,
                own_address_type: 0,
                scanning_filter_policy: 1,
            };
            let waits = listed(hears(1)).done(parameters).done(on).wait_ms(20_000);
            let other = waits.adapter(1).done(on).wait_ms(100).done(off).adapter(0);
            other.wait_ms(20_000).done(off).into()
        }),
        Case::suspect(Confidence::Medium, "a filtered scan of exactly 25 s", || {
            scans_for(listed(hears(1)), 25_000_000).into()
        }),
        Case::silent("a filtered scan of a moment less", || {
            scans_for(listed(hears(1)), 24_999_999).into()
        }),
    ],
};

/// The private address that [`hears`] has first.
const PRIVATE: Address = Address([0, 2, 1, 0, 0, 0x5a]);

const RANDOM: AddressType = AddressType::RANDOM;

/// An unfiltered scan that hears so many private addresses.
fn hears(private: u8) -> Trace {
    let advertises = |trace: Trace, n| {
        trace.peer(Address([n, 2, 1, 0, 0, 0x5a]), RANDOM).advertises(0).wait_ms(100)
    };
    (0..private).fold(Trace::new().scan(true, 96, 48), advertises).scan(false, 0, 0)
}

fn resolves(trace: Trace, enabled: u8) -> Trace {
    let add = Command::LeAddDeviceToResolvingList {
        peer_identity_address_type: RANDOM,
        peer_identity_address: PEER,
        peer_irk: Secret::new([0; 16]),
        local_irk: Secret::new([0; 16]),
    };
    let enable = Command::LeSetAddressResolutionEnable { address_resolution_enable: enabled };
    trace.done(add).done(enable)
}

fn add(address: Address) -> Command<'static> {
    Command::LeAddDeviceToFilterAcceptList { address_type: RANDOM, address }
}

fn listed(trace: Trace) -> Trace {
    trace.done(add(PEER))
}

fn scans(trace: Trace, filter: u8, ms: u32) -> Trace {
    let parameters = Command::LeSetScanParameters {
        le_scan_type: 0,
        le_scan_interval: 96,
        le_scan_window: 48,
        own_address_type: 0,
        scanning_filter_policy: filter,
    };
    let enable = |on| Command::LeSetScanEnable { le_scan_enable: on, filter_duplicates: on };
    trace.done(parameters).done(enable(1)).wait_ms(ms).done(enable(0))
}

/// The same, between whose commands so much time passes.
fn scans_for(trace: Trace, us: u32) -> Trace {
    let parameters = Command::LeSetScanParameters {
        le_scan_type: 0,
        le_scan_interval: 96,
        le_scan_window: 48,
        own_address_type: 0,
        scanning_filter_policy: 1,
    };
    let enable = |on| Command::LeSetScanEnable { le_scan_enable: on, filter_duplicates: on };
    // The command is done 0.1 ms after it was sent.
    trace.done(parameters).done(enable(1)).after_us(us - 100).done(enable(0))
}

/// The usual peer goes onto the accept list, and a filtered scan waits for it.
fn stalled(trace: Trace, ms: u32) -> Trace {
    scans(listed(trace), 1, ms)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Keep discovery running while connecting; `sudo btmgmt set-flags -t 1 -f 4 ADDRESS` (type 1 public, 2 random; of a paired device) lets the kernel resolve the device's addresses.",
    ),
    Remedy::any(
        "Connect to the address that an unfiltered scan just reported; pair again if the stored identity is no longer right.",
    ),
];

/// Most private addresses among which one may still be suspected. Of more, each is likelier somebody else's.
const FEW: usize = 3;

/// How long a filtered wait must be.
const LONG: Span = Span::from_ms(25_000);

/// No more addresses of one capture are named.
const SHOWN: usize = 12;

/// A filtered scan: its first and last frame, and how long.
type FilteredScan = (u32, u32, Span);

/// What one adapter did while its accept list waited.
struct Listening<'a> {
    /// A private address that is nobody's, and how many there are.
    device: &'a Device,
    private: usize,
    /// Long waits for one device of the accept list, in order, each with its attempt.
    waits: Vec<(u32, Wait<'a>)>,
    /// Filtered scans, in order.
    scans: Vec<FilteredScan>,
}

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let resolved = resolved(capture);
    let mut listening: HashMap<Option<u16>, Option<Listening<'_>>> = HashMap::new();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for event in &capture.adapter_events {
        let Happening::AcceptListAdded(address, kind) = event.what else { continue };
        let fixed = !kind.is_random() || address.looks_static();
        let known = capture.device(address).is_some_and(|d| d.reports > 0)
            || capture.attempts_to(address).any(|c| c.connected_frame().is_some());
        if !fixed || known || resolved.contains(&(event.adapter, address)) {
            continue;
        }
        let adapter = listening.entry(event.adapter);
        let listening = adapter.or_insert_with(|| listen(scene, event.adapter));
        if let Some(listening) = listening
            && seen.insert(address)
        {
            found.extend(verdict(listening, event, address));
        }
        if found.len() == SHOWN {
            break;
        }
    }
    found
}

/// The identities that each adapter could resolve when the capture ended.
fn resolved(capture: &Capture) -> HashSet<(Option<u16>, Address)> {
    let mut listed = HashSet::new();
    let mut enabled = HashSet::new();
    for AdapterEvent { adapter, what, .. } in &capture.adapter_events {
        match what {
            Happening::ResolvingListAdded(address, _) => _ = listed.insert((*adapter, *address)),
            Happening::ResolvingListCleared => listed.retain(|(of, _)| of != adapter),
            Happening::AddressResolution(true) => _ = enabled.insert(*adapter),
            Happening::AddressResolution(false) => _ = enabled.remove(adapter),
            Happening::Reset => {
                listed.retain(|(of, _)| of != adapter);
                enabled.remove(adapter);
            }
            _ => {}
        }
    }
    listed.retain(|(adapter, _)| enabled.contains(adapter));
    listed
}

fn listen<'a>(scene: &Scene<'a>, adapter: Option<u16>) -> Option<Listening<'a>> {
    let capture = scene.capture();
    let (device, private) = private(capture, adapter)?;
    let of_adapter = capture.connections.iter().filter(|c| c.adapter == adapter);
    let waits = of_adapter
        .filter_map(|c| Some((c.number, in_vain(scene, c).filter(|wait| wait.lasted >= LONG)?)));
    let (waits, scans) = (waits.collect(), filtered_scans(capture, adapter));
    Some(Listening { device, private, waits, scans })
}

/// How the adapter waited for the accept list.
#[derive(Debug)]
enum Waiting {
    Request(Waited),
    Scan(FilteredScan),
}

/// An address of the accept list that never appeared, and the private address that may be the same device.
#[derive(Debug)]
struct Stalled {
    listed: Address,
    listed_frame: u32,
    waiting: Waiting,
    /// How many private addresses are heard that may be the device's, and one of them.
    count: usize,
    private: Address,
    private_name: Option<String>,
    private_frame: u32,
}

fn verdict(listening: &Listening<'_>, added: &AdapterEvent, address: Address) -> Option<Verdict> {
    let Listening { device, private, waits, scans } = listening;
    let waits = waits.get(waits.partition_point(|(_, w)| !w.request.comes_after(added.frame))..)?;
    let for_it = |w: &Wait<'_>| w.request.listed.is_some_and(|(listed, _)| listed == address);
    let waits: Vec<_> = waits.iter().filter(|(_, w)| for_it(w)).collect();
    let waiting = match waits.first() {
        Some((_, wait)) => Waiting::Request(wait.facts()),
        None => {
            // The first scan after it came was made for it. Later ones are for everybody on the list.
            let later = scans.get(scans.partition_point(|(from, ..)| *from <= added.frame)..)?;
            Waiting::Scan(later.first().copied().filter(|(_, _, lasted)| *lasted >= LONG)?)
        }
    };
    let facts = Stalled {
        listed: address,
        listed_frame: added.frame,
        waiting,
        count: *private,
        private: device.address,
        private_name: device.name.clone(),
        private_frame: device.first?.frame,
    };
    let verdict = match *private {
        1 => Verdict::suspect(facts).sure(Confidence::Medium),
        2..=FEW => Verdict::suspect(facts).sure(Confidence::Low),
        _ => Verdict::note(facts).sure(Confidence::Low),
    };
    Some(verdict.about(waits.iter().map(|(number, _)| *number)))
}

impl Stalled {
    /// The private address, with what the device calls itself.
    fn other(&self) -> Text {
        let name = self.private_name.as_deref().map(|name| text!(" ({})", prose::name(name)));
        text!("{}{}", self.private, name)
    }
}

impl Facts for Stalled {
    fn says(&self) -> Text {
        let lasted = match self.waiting {
            Waiting::Request(wait) => wait.lasted,
            Waiting::Scan((.., lasted)) => lasted,
        };
        let heard = match self.count {
            1 => text!("{}, which may be the same device", self.other()),
            count => {
                text!(
                    "{} connectable devices with private addresses; one of them may be this one",
                    count
                )
            }
        };
        text!(
            "The controller waited {} for {}, which never appeared, and had no key to resolve private addresses. An unfiltered scan hears {}.",
            lasted,
            self.listed,
            heard
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let added = text!("{} goes onto the accept list", self.listed);
        let mut sights = vec![Sight::here(self.listed_frame, added)];
        match self.waiting {
            Waiting::Request(wait) => sights.extend(wait.sights()),
            Waiting::Scan((from, to, lasted)) => sights.extend([
                Sight::here(from, "a scan for devices of the accept list begins"),
                Sight::here(
                    to,
                    text!("it ends {} later, without one report of this address", lasted),
                ),
            ]),
        }
        sights.push(Sight::here(
            self.private_frame,
            text!("an unfiltered scan reports {}, connectable, a private address", self.other()),
        ));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("never-heard-peer", "no link was ever created")]
    }

    fn would_settle(&self) -> Vec<Text> {
        vec![text!(
            "Whether the private address belongs to that identity shows with its identity key, or by switching the device off and scanning again."
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}

/// A connectable private address that is nobody's on the accept list, and how many there are.
fn private(capture: &Capture, adapter: Option<u16>) -> Option<(&Device, usize)> {
    let listed: HashSet<Address> = capture
        .adapter_events
        .iter()
        .filter_map(|e| match e.what {
            Happening::AcceptListAdded(address, _) => Some(address),
            _ => None,
        })
        .collect();
    let mut found: Vec<&Device> = capture
        .devices
        .iter()
        .filter(|d| d.adapter == adapter && d.connectable_reports > 0)
        .filter(|d| d.address_type == AddressType::RANDOM && d.address.looks_resolvable())
        .filter(|d| !listed.contains(&d.address))
        .filter(|d| capture.attempts_to(d.address).next().is_none())
        .collect();
    found.sort_by_key(|d| d.name.is_none());
    Some((*found.first()?, found.len()))
}

/// The filtered scans of an adapter.
fn filtered_scans(capture: &Capture, adapter: Option<u16>) -> Vec<FilteredScan> {
    let scans: Vec<&AdapterEvent> = capture
        .adapter_events
        .iter()
        .filter(|e| e.adapter == adapter)
        .filter(|e| matches!(e.what, Happening::ScanOn(_) | Happening::ScanOff))
        .collect();
    let pairs = scans.windows(2).filter_map(|pair| {
        let filtered =
            matches!(pair[0].what, Happening::ScanOn(scan) if scan.filter_policy & 1 == 1);
        let lasted = pair[1].at.since(pair[0].at)?;
        filtered.then_some((pair[0].frame, pair[1].frame, lasted))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_comes_onto_the_list_twice_is_named_once() {
        let captures = [scans(listed(listed(hears(1))), 1, 60_000).run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        assert_eq!(check(&scene).len(), 1);
    }

    #[test]
    fn of_many_addresses_on_the_list_twelve_are_named() {
        let named = |count: u8| {
            let listed = (0..count)
                .fold(hears(1), |trace, n| trace.done(add(Address([n, 0, 0, 0, 0, 0xc0]))));
            let captures = [scans(listed, 1, 60_000).run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            check(&scene).len()
        };
        assert_eq!([1, 11, 12, 13, 20].map(named), [1, 11, 12, 12, 12]);
    }
}
