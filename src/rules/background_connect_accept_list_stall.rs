use super::rpa_identity_mismatch::resolvable;
use super::waits::in_vain;
use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::link::{AdapterEvent, Capture, Device, Happening, Stack};
use crate::time::Span;
use crate::trace::{PEER, Trace};
use crate::wire::hci::Command;
use crate::wire::{Address, AddressType};

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
    fires_on: || stalled(Address([3, 2, 1, 0, 0, 0x5a])).into(),
    silent_on: || stalled(PEER).into(),
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
    (
        &[Stack::BlueZ],
        "Keep discovery running while connecting; `btmgmt set-flags -t 1 -f 4 ADDRESS` (type 1 public, 2 random) lets the kernel resolve the device's addresses.",
    ),
    (
        &[],
        "Connect to the address that an unfiltered scan just reported; pair again if the stored identity is no longer right.",
    ),
];

/// Most private addresses among which one may still be suspected.
const FEW: usize = 3;

/// How long a filtered wait must be.
const LONG: Span = Span::from_ms(25_000);

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let capture = scene.capture();
    let added = capture.adapter_events.iter().filter_map(|event| match event.what {
        Happening::AcceptListAdded(address, kind) => Some((event, address, kind)),
        _ => None,
    });
    let mut seen: Vec<Address> = Vec::new();
    added
        .filter_map(|(event, address, kind)| {
            let fixed = !kind.is_random() || address.looks_static();
            let known = capture.device(address).is_some_and(|d| d.reports > 0)
                || capture
                    .connections
                    .iter()
                    .any(|c| c.connected_frame.is_some() && c.peer.address == Some(address));
            if !fixed
                || known
                || seen.contains(&address)
                || resolvable(capture, event.adapter, address, u32::MAX)
            {
                return None;
            }
            seen.push(address);
            verdict(scene, event, address)
        })
        .collect()
}

fn verdict(scene: &Scene<'_>, added: &AdapterEvent, address: Address) -> Option<Verdict> {
    let capture = scene.capture();
    let (device, private) = private(capture, added)?;
    let mut waits =
        capture.connections.iter().filter(|c| c.adapter == added.adapter).filter_map(|c| {
            let wait = in_vain(scene, c)
                .filter(|w| w.background && w.lasted >= LONG && w.request.frame > added.frame)?;
            Some((c.number, wait))
        });
    let (lines, lasted, about) = match waits.next() {
        Some((number, wait)) => {
            let all = std::iter::once(number).chain(waits.map(|(number, _)| number)).collect();
            (wait.shown(), wait.lasted, all)
        }
        None => {
            let (from, to, lasted) = filtered_scan(capture, added)?;
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
    let mut verdict = match private {
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
fn private<'a>(capture: &'a Capture, added: &AdapterEvent) -> Option<(&'a Device, usize)> {
    let listed = |address| {
        capture
            .adapter_events
            .iter()
            .any(|e| matches!(e.what, Happening::AcceptListAdded(a, _) if a == address))
    };
    let mut found: Vec<&Device> = capture
        .devices
        .iter()
        .filter(|d| d.adapter == added.adapter && d.connectable_reports > 0)
        .filter(|d| d.address_type == AddressType::RANDOM && d.address.looks_resolvable())
        .filter(|d| !listed(d.address))
        .filter(|d| !capture.connections.iter().any(|c| c.peer.address == Some(d.address)))
        .collect();
    found.sort_by_key(|d| d.name.is_none());
    Some((*found.first()?, found.len()))
}

/// The longest filtered scan after that event: its first and last frame, and how long.
fn filtered_scan(capture: &Capture, added: &AdapterEvent) -> Option<(u32, u32, Span)> {
    let scans: Vec<&AdapterEvent> = capture
        .adapter_events
        .iter()
        .filter(|e| e.frame > added.frame && e.adapter == added.adapter)
        .filter(|e| matches!(e.what, Happening::ScanOn(_) | Happening::ScanOff))
        .collect();
    let pairs = scans.windows(2).filter_map(|pair| {
        let filtered =
            matches!(pair[0].what, Happening::ScanOn(scan) if scan.filter_policy & 1 == 1);
        let lasted = pair[1].at.since(pair[0].at)?;
        filtered.then_some((pair[0].frame, pair[1].frame, lasted))
    });
    pairs.max_by_key(|(_, _, lasted)| *lasted).filter(|(_, _, lasted)| *lasted >= LONG)
}
