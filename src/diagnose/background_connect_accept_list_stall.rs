use super::waits::{Wait, in_vain};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType};
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
An address on the accept list; a filtered scan or a filtered connect request for half a minute and more without one report or
link of it; no entry in the resolving list; and an unfiltered scan of the same capture that hears a connectable device with a
private address. Where it hears many such devices, this is a note.

## What else it could be
The device is simply switched off, and the private address belongs to something else.

## What to do
Keep an unfiltered discovery running while connecting; give the kernel the address-resolution flag for the device; or update.",
    sources: &["bluez/bluez#2356, #2503"],
    check: Check::Capture(check),
    cases: &[
        Case::fires(|| stalled(Address([3, 2, 1, 0, 0, 0x5a])).into()),
        Case::silent("the nearest other trace", || stalled(PEER).into()),
    ],
};

fn stalled(on_air: Address) -> Trace {
    let random = AddressType::RANDOM;
    let listed = Trace::new()
        .scan(true, 96, 48)
        .peer(on_air, random)
        .advertises(0)
        .wait_ms(1000)
        .scan(false, 0, 0)
        .done(Command::LeAddDeviceToFilterAcceptList { address_type: random, address: PEER });
    listed
        .done(Command::LeSetScanParameters {
            le_scan_type: 0,
            le_scan_interval: 96,
            le_scan_window: 48,
            own_address_type: 0,
            scanning_filter_policy: 1,
        })
        .done(Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 1 })
        .wait_ms(60_000)
        .done(Command::LeSetScanEnable { le_scan_enable: 0, filter_duplicates: 0 })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Keep discovery running while connecting; `btmgmt set-flags -t 1 -f 4 ADDRESS` (type 1 public, 2 random) lets the kernel resolve the device's addresses.",
    ),
    Remedy::any(
        "Connect to the address that an unfiltered scan just reported; pair again if the stored identity is no longer right.",
    ),
];

/// Most private addresses among which one may still be suspected.
const FEW: usize = 3;

/// How long a filtered wait must be.
const LONG: Span = Span::from_ms(25_000);

/// Most addresses told of one capture.
const MOST: usize = 12;

/// A filtered scan: its first and last frame, and how long.
type FilteredScan = (u32, u32, Span);

/// What one adapter did while its accept list waited.
struct Listening<'a> {
    /// A private address that is nobody's, and how many there are.
    device: &'a Device,
    private: usize,
    /// Long waits for the accept list, in order, and the attempts that they are.
    waits: Vec<(u32, Wait<'a>)>,
    /// Long filtered scans, in order.
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
            || capture.attempts_to(address).any(|c| c.connected_frame.is_some());
        if !fixed || known || resolved.contains(&(event.adapter, address)) {
            continue;
        }
        let adapter = listening.entry(event.adapter);
        let listening = adapter.or_insert_with(|| listen(scene, event.adapter));
        if let Some(listening) = listening
            && seen.insert(address)
        {
            found.extend(verdict(scene, listening, event, address));
        }
        if found.len() == MOST {
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
    let waits = of_adapter.filter_map(|c| {
        let wait = in_vain(scene, c).filter(|w| w.background && w.lasted >= LONG)?;
        Some((c.number, wait))
    });
    let listening = Listening {
        device,
        private,
        waits: waits.collect(),
        scans: filtered_scans(capture, adapter),
    };
    (!listening.waits.is_empty() || !listening.scans.is_empty()).then_some(listening)
}

fn verdict(
    scene: &Scene<'_>,
    listening: &Listening<'_>,
    added: &AdapterEvent,
    address: Address,
) -> Option<Verdict> {
    let Listening { device, private, waits, scans } = listening;
    let waits = waits.get(waits.partition_point(|(_, w)| w.request.frame <= added.frame)..)?;
    let (lines, lasted, about) = match waits.first() {
        Some((_, wait)) => {
            (wait.shown(), wait.lasted, waits.iter().map(|(number, _)| *number).collect())
        }
        None => {
            let later = scans.get(scans.partition_point(|(from, ..)| *from <= added.frame)..)?;
            let (from, to, lasted) = *later.iter().max_by_key(|(_, _, lasted)| *lasted)?;
            let lines = vec![
                (from, "a scan for devices of the accept list begins".to_owned()),
                (to, format!("it ends {lasted} later, without one report of this address")),
            ];
            (lines, lasted, Vec::new())
        }
    };
    let name = device.name.as_deref().map_or(String::new(), |name| format!(" (\"{name}\")"));
    let says = format!(
        "The controller waited {lasted} for {address}, which never appeared, and had no key to resolve private addresses. An unfiltered scan hears {}{name}, which may be the same device.",
        device.address
    );
    // Of many private addresses each is likelier somebody else's: in a town there are hundreds.
    let mut verdict = match *private {
        1 => Verdict::suspect(says).sure(Confidence::Medium),
        2..=FEW => Verdict::suspect(says).sure(Confidence::Low),
        _ => Verdict::note(says).sure(Confidence::Low),
    }
    .about(about)
    .sees(added.frame, format!("{address} goes onto the accept list"));
    verdict = super::waits::show(verdict, lines);
    Some(
        verdict
            .sees(device.first?.frame, format!("an unfiltered scan reports {}{name}, connectable, a private address", device.address))
            .rules_out("never-heard-peer", "no link was ever created")
            .settled_by("Whether the private address belongs to that identity shows with its identity key, or by switching the device off and scanning again.")
            .try_these(remedies(scene, REMEDIES)),
    )
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

/// The long filtered scans of an adapter.
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
        let lasted = pair[1].at.since(pair[0].at).filter(|lasted| *lasted >= LONG)?;
        filtered.then_some((pair[0].frame, pair[1].frame, lasted))
    });
    pairs.collect()
}
