use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Address, AddressType, Status};
use crate::timeline::{Connection, Stack, Transport};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "adapter-slots-exhausted",
    title: "The adapter has no link left for another device",
    basis: Basis::Laboratory,
    silences: &["create-conn-status-error"],
    docs: "\
## What it means
A controller serves a fixed number of links, often five to seven, some only three. All of them are taken. The device that cannot
be reached has nothing to do with it.

## How it shows
The connect command, or Connection Complete, says 0x09 (connection limit) or 0x0D (limited resources) while several links are
open on the adapter.

## What else it could be
0x0D with few links open: the controller's scanning, advertising and connecting at once may exceed what it can do.

## What to do
Close links that nobody uses; links that a crashed program left behind count too. Use a second adapter or a proxy.",
    sources: &["Bluetooth-Devices/bleak-retry-connector#67: CSR 5 links, Broadcom 7", "noble/noble#214, #387"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| three_links().peer(NEXT, AddressType::RANDOM).create_refused(Status::CONNECTION_LIMIT_EXCEEDED).into()),
        Case::silent("the nearest other trace", || three_links().peer(NEXT, AddressType::RANDOM).create_refused(Status::COMMAND_DISALLOWED).into()),
    ],
};

const NEXT: Address = Address([9, 0, 0, 0, 0, 0xc0]);

fn three_links() -> Trace {
    (0..3u8).fold(Trace::new(), |trace, n| {
        let Address(mut address) = PEER;
        address[0] += n;
        trace
            .peer(Address(address), AddressType::RANDOM)
            .handle(0x40 + u16::from(n))
            .up()
            .mtu()
            .wait_ms(200)
    })
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "See what is connected (`bluetoothctl devices Connected`) and close what is not needed (`bluetoothctl disconnect ADDRESS`); power-cycle the adapter if links are held that no program knows.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Call `disconnect()` on peripherals that are not in use, also on the way out of the program.",
    ),
    Remedy::any("Use a second adapter for some of the devices, or connect to them in turn."),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let status = connection.status?;
    let limit = status == Status::CONNECTION_LIMIT_EXCEEDED && connection.links_open >= 2;
    let resources = status == Status::LIMITED_RESOURCES && connection.links_open >= 3;
    if connection.transport != Transport::Le || !(limit || resources) {
        return None;
    }
    let frame = connection.status_frame?;
    let open = connection.links_open;
    let says = format!(
        "{open} links were open on this adapter when it refused the next one with {status}."
    );
    let verdict =
        if limit { Verdict::cause(says).sure(Confidence::High) } else { Verdict::suspect(says) };
    let mut verdict = verdict
        .sees(frame, format!("refused: {status}"))
        .rules_out("never-heard-peer", "no connect request left this host");
    let others = scene.capture().connections.iter().filter(|c| {
        c.adapter == connection.adapter
            && c.connected_frame.is_some_and(|up| up < frame)
            && c.end.as_ref().is_none_or(|end| end.frame > frame)
    });
    for other in others.take(8) {
        let whom = other.peer.address.map_or(String::new(), |a| format!(" to {a}"));
        verdict = verdict
            .sees(other.connected_frame?, format!("a link{whom} comes up, and is open still"));
    }
    Some(verdict.try_these(remedies(scene, REMEDIES)))
}
