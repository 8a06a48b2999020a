use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::{Address, AddressType, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, RequestKind, Stack};
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
        Case::cause(Confidence::High, "random on the air, asked for as public", || {
            asks_as(AddressType::PUBLIC).into()
        })
        .about(&[1])
        .saying("two devices"),
        Case::silent("asked for as it is", || asks_as(AddressType::RANDOM).into()),
        Case::silent("the controller resolved the address", || {
            asks_as(AddressType(0x03)).into()
        }),
        Case::silent("nothing is heard of it", || {
            Trace::new().peer(PEER, AddressType::PUBLIC).create().wait_ms(20_500).cancel().into()
        }),
        Case::silent("a later report has the other kind", || {
            asks_as(AddressType::PUBLIC).advertises(0).into()
        }),
        Case::cause(Confidence::High, "a link that was never heard", || {
            let link = Trace::new().advertises(0).wait_ms(500).peer(PEER, AddressType::PUBLIC);
            let link = link.create().connected().wait_ms(315);
            link.disconnected(Status::FAILED_TO_BE_ESTABLISHED).into()
        }),
        Case::silent("the link comes up and is heard", || {
            Trace::new().advertises(0).wait_ms(500).peer(PEER, AddressType::PUBLIC).up().into()
        }),
        Case::silent("the controller reports an identity that it resolved", || {
            let heard = Trace::new().peer(PEER, AddressType(0x02)).advertises(0).wait_ms(500);
            heard.peer(PEER, AddressType::PUBLIC).create().wait_ms(20_500).cancel().into()
        }),
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

/// A request for the right bytes as the wrong kind of address.
#[derive(Debug)]
struct WrongKind {
    peer: Address,
    asked: AddressType,
    heard: AddressType,
    report_frame: u32,
    kind: RequestKind,
    request_frame: u32,
    wait: Option<Waited>,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let request = connection.request.as_ref()?;
    let report = connection.report_before?;
    let wait = in_vain(scene, connection);
    let asked = request.peer_type;
    if request.filter_policy != 0 || !(wait.is_some() || connection.never_heard()) {
        return None;
    }
    // Resolved identities (0x02, 0x03) are the controller's business.
    let resolved = |kind: AddressType| kind != AddressType::PUBLIC && kind != AddressType::RANDOM;
    if resolved(asked) || resolved(report.address_type) || asked == report.address_type {
        return None;
    }
    // Every report that the capture has of these bytes must agree.
    let last = scene.capture().device(request.peer)?.last?;
    if last.address_type != report.address_type {
        return None;
    }
    let facts = WrongKind {
        peer: request.peer,
        asked,
        heard: report.address_type,
        report_frame: report.frame,
        kind: request.kind,
        request_frame: request.frame,
        wait: wait.map(|wait| wait.facts()),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for WrongKind {
    fn says(&self) -> Text {
        text!(
            "The device advertises with a {} address, and the connect request asked for the same six bytes as a {} address. To the controller these are two devices.",
            self.heard,
            self.asked
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let report = text!("advertising report of {}, {}", self.peer, self.heard);
        let request = text!("{} to {}, {}", self.kind, self.peer, self.asked);
        let mut sights =
            vec![Sight::here(self.report_frame, report), Sight::here(self.request_frame, request)];
        // The request is cited already.
        sights.extend(self.wait.iter().flat_map(|wait| wait.sights().into_iter().skip(1)));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "peer-gone-or-moved",
            "the device was heard, under the other kind of address",
        )]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
