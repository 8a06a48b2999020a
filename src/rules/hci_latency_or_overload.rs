use super::{Basis, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::link::{Connection, Stack};
use crate::time::Span;
use crate::trace::Trace;
use crate::wire::{Address, AddressType, Status};

pub const RULE: Rule = Rule {
    id: "hci-latency-or-overload",
    title: "Several links of one adapter were lost at the same moment",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
Links to different devices that are lost together point to what they share: this adapter, its radio time, or its surroundings, not
to the devices. This rule rests on a trace of its author's.

## How it shows
Two or more links to different devices end with 0x08 within one second on one adapter.

## What else it could be
A host that moved away from all devices at once.

## What to do
Fewer links on an adapter, longer intervals with a common factor, no scanning meanwhile, Wi-Fi off for a test.",
    sources: &["hbldh/bleak#1858", "Nordic SoftDevice scheduling documentation"],
    check: Check::Capture(check),
    fires_on: || example(200).into(),
    silent_on: || example(5_000).into(),
};

fn example(apart: u32) -> Trace {
    let second = Address([2, 0, 0, 0, 0, 0xc0]);
    let lost = Status::CONNECTION_TIMEOUT;
    Trace::new()
        .up()
        .peer(second, AddressType::RANDOM)
        .handle(0x41)
        .up()
        .wait_ms(3_000)
        .disconnected(lost)
        .wait_ms(apart)
        .handle(0x40)
        .disconnected(lost)
}

const REMEDIES: &[Remedy] = &[
    (
        &[Stack::BlueZ, Stack::Noble],
        "Stop scanning while links are up, ask for longer intervals, and spread the devices over two adapters.",
    ),
    (&[], "Repeat with Wi-Fi off: what all links share is this host's radio."),
];

fn check(scene: &Scene<'_>) -> Vec<Verdict> {
    let lost: Vec<&Connection> = scene
        .capture()
        .connections
        .iter()
        .filter(|c| c.reason() == Some(Status::CONNECTION_TIMEOUT))
        .collect();
    let together = |a: &Connection, b: &Connection| {
        let near = a
            .end
            .as_ref()
            .zip(b.end.as_ref())
            .and_then(|(a, b)| b.at.since(a.at))
            .is_some_and(|d| d.abs() <= Span::from_ms(1000));
        near && a.adapter == b.adapter && a.peer.address != b.peer.address
    };
    lost.windows(2)
        .filter(|pair| together(pair[0], pair[1]))
        .filter_map(|pair| {
            let mut verdict = Verdict::note("Links to different devices were lost within one second: look at what they share, this adapter and its surroundings.")
                .sure(Confidence::Low)
                .about(pair.iter().map(|c| c.number))
                .try_these(remedies(scene, REMEDIES));
            for c in pair {
                verdict = verdict.sees(c.end.as_ref()?.frame, format!("connection {} is lost (0x08)", c.number));
            }
            Some(verdict)
        })
        .collect()
}
