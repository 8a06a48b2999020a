use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::AddressType;
use crate::timeline::{Connection, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "wrong-peer-address-type",
    title: "The connect request names the wrong kind of address",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "peer-gone-or-moved"],
    docs: "\
## What it means
A device address is its six bytes and its kind, public or random. The host asked for the right bytes and the wrong kind: to the
controller that is another device, which nobody is.

## How it shows
Advertising reports of the address say random (or public), the connect request says the other, and no link comes up. A random
address whose top two bits are 11 that is asked for as public settles it.

## What else it could be
Nothing, if every report of these bytes has the other kind.

## What to do
Hand over the device as the scan found it, not its address as text; or name the kind.",
    sources: &["esphome/esphome#18640", "espressif/esp-idf#7699", "zephyrproject-rtos/zephyr#26450"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| asks_as(AddressType::PUBLIC).into()),
        Case::silent("the nearest other trace", || asks_as(AddressType::RANDOM).into()),
    ],
};

fn asks_as(kind: AddressType) -> Trace {
    Trace::new().advertises(0).wait_ms(500).peer(PEER, kind).create().wait_ms(20_500).cancel()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, scan again, then connect; with bleak pass the `BLEDevice` of a scan instead of the address; gatttool needs `-t random`.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Connect to the peripheral of a `discover` event, or pass `addressType: 'random'`.",
    ),
    Remedy::any(
        "Keep the address type that the scan reported together with the address, and pass both on when connecting.",
    ),
];

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let report = connection.report_before?;
    let wait = in_vain(scene, connection);
    let asked = request.peer_type;
    if request.filter_policy != 0 || !(wait.is_some() || connection.never_heard()) {
        return None;
    }
    // Resolved identities (0x02, 0x03) are the controller's business.
    if asked.0 > 1 || report.address_type.0 > 1 || asked == report.address_type {
        return None;
    }
    // Every report that the capture has of these bytes must agree.
    let last = scene.capture().device(request.peer)?.last?;
    if last.address_type != report.address_type {
        return None;
    }
    let verdict = Verdict::cause(format!(
        "The device advertises with a {} address, and the connect request asked for the same six bytes as a {asked} address. To the controller these are two devices.",
        report.address_type
    ))
    .sure(Confidence::High)
    .sees(report.frame, format!("advertising report of {}, {}", request.peer, report.address_type))
    .sees(request.frame, format!("{} to {}, {asked}", request.kind, request.peer));
    let verdict = match wait {
        Some(wait) => show(verdict, wait.shown().split_off(1)),
        None => verdict,
    };
    Some(
        verdict
            .rules_out(
                "peer-gone-or-moved",
                "the device was heard, under the other kind of address",
            )
            .try_these(remedies(scene, REMEDIES)),
    )
}
