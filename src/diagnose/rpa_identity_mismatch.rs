use super::waits::{in_vain, show};
use super::{Basis, Case, Check, Confidence, Remedy, Rule, Scene, Verdict, remedies};
use crate::packet::{Address, AddressType, Direction, smp};
use crate::timeline::{Capture, Connection, Device, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "rpa-identity-mismatch",
    title: "The host asked for the identity address while the device advertises a private one",
    basis: Basis::Laboratory,
    silences: &["create-conn-timeout-cancel", "connection-cancelled-by-app", "peer-gone-or-moved", "background-connect-accept-list-stall"],
    docs: "\
## What it means
A bonded device advertises with changing private addresses. The host asks for the fixed identity address behind them, and the
controller does not know how to resolve one into the other: it waits for an address that never appears.

## How it shows
A request to a public or static address that waits in vain, while reports come from a resolvable private address of the same
device. That both are one is proved by the Identity Address Information of a pairing in the capture.

## What else it could be
Where no pairing in the capture gives the identity, a common name only suggests it.

## What to do
Update the kernel and BlueZ; connect to the private address that a scan just reported; or use an adapter whose controller
resolves addresses (LL Privacy).",
    sources: &["bluez/bluetooth-next#725", "zephyrproject-rtos/zephyr#18306", "bluez/bluez#1079"],
    check: Check::Connection(check),
    cases: &[
        Case::fires(|| example(true).into()),
        Case::silent("the nearest other trace", || example(false).into()),
    ],
};

const PRIVATE: Address = Address([3, 2, 1, 0, 0, 0x5a]);

fn example(private: bool) -> Trace {
    let air = if private { PRIVATE } else { PEER };
    let random = AddressType::RANDOM;
    Trace::new()
        .peer(air, random)
        .advertises(0)
        .up()
        .smp(
            Direction::Received,
            smp::Pdu::IdentityAddressInformation { addr_type: 1, bd_addr: PEER },
        )
        .wait_ms(500)
        .hangs_up(crate::packet::Status::REMOTE_USER_TERMINATED)
        .wait_ms(500)
        .advertises(0)
        .peer(PEER, random)
        .create()
        .wait_ms(20_500)
        .cancel()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Update kernel and BlueZ. Until then keep discovery running while connecting, or connect to the private address that the scan just showed.",
    ),
    Remedy::on(
        &[Stack::Noble],
        "Connect to the peripheral of a fresh `discover` event, not to the address known from pairing.",
    ),
    Remedy::any(
        "A controller with LL Privacy resolves addresses itself; an older adapter does not.",
    ),
];

/// A private address that the capture proves to be this identity's.
pub(super) fn proved(capture: &Capture, identity: Address) -> Option<&Device> {
    let of_links = || {
        let link = capture.identified_as(identity).find(|c| c.peer.address != Some(identity))?;
        capture.device(link.peer.address?)
    };
    let of_air = capture.aliases(identity).filter(|d| d.address != identity && d.reports > 0);
    of_air.max_by_key(|d| d.last.map(|r| r.frame)).or_else(of_links)
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (identity, kind) = wait.whom?;
    let capture = scene.capture();
    let fixed = !kind.is_random() || identity.looks_static();
    let heard_itself = capture.device(identity).is_some_and(|d| d.reports > 0);
    if !fixed || heard_itself || wait.request.resolvable {
        return None;
    }
    let device = proved(capture, identity)?;
    let private = device.address;
    let told = capture.identified_as(identity).next();
    let mut verdict = Verdict::cause(format!(
        "The request asked for {identity}, the device's identity; on the air it uses the private address {private}, and the controller was not told how to resolve it."
    ))
    .sure(Confidence::High)
    .sees(device.last?.frame, format!("advertising report of the private address {private}"));
    if let Some(step) =
        told.and_then(|c| c.steps.iter().find(|s| s.procedure == crate::timeline::Procedure::Pair))
    {
        verdict = verdict
            .sees(step.frame, format!("the pairing that tells that {identity} is its identity"));
    }
    Some(
        show(verdict, wait.shown())
            .rules_out("peer-gone-or-moved", "the device is heard, under its private address")
            .try_these(remedies(scene, REMEDIES)),
    )
}
