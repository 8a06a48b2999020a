use super::waits::{Waited, in_vain};
use super::{Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Secret};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Capture, Connection, Device, Procedure, Stack};
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
        Case::cause(Confidence::High, "the identity is asked for, a private address is on the air", || {
            asks(Trace::new().known_under(PRIVATE)).into()
        })
        .about(&[2])
        .saying("advertising report of the private address 5A:00:00:01:02:03"),
        Case::silent("the identity itself is on the air", || asks(Trace::new().known_under(PEER)).into()),
        Case::silent("nothing shows whose the private address is", || {
            asks(Trace::new().peer(PRIVATE, RANDOM).advertises(0)).into()
        }),
        Case::silent("the controller can resolve the address", || {
            let add = Command::LeAddDeviceToResolvingList {
                peer_identity_address_type: RANDOM,
                peer_identity_address: PEER,
                peer_irk: Secret::new([0; 16]),
                local_irk: Secret::new([0; 16]),
            };
            let on = Command::LeSetAddressResolutionEnable { address_resolution_enable: 1 };
            asks(Trace::new().known_under(PRIVATE).done(add).done(on)).into()
        }),
        Case::silent("another private address is asked for", || {
            let other = Address([4, 2, 1, 0, 0, 0x5a]);
            let asked = Trace::new().known_under(PRIVATE).peer(other, RANDOM).create().wait_ms(20_500);
            asked.cancel().into()
        }),
        Case::silent("the request comes through", || Trace::new().known_under(PRIVATE).peer(PEER, RANDOM).up().into()),
        Case::silent("the device advertises once with its identity address", || {
            asks(Trace::new().known_under(PRIVATE).peer(PEER, RANDOM).advertises(0)).into()
        }),
        Case::cause(Confidence::High, "a link had been made to the identity, which no scan had heard", || {
            let link = Trace::new().up().hangs_up(crate::packet::Status::REMOTE_USER_TERMINATED);
            asks(link.wait_ms(900).followed_by(Trace::new().known_under(PRIVATE))).into()
        })
        .about(&[3]),
        Case::cause(Confidence::High, "the pairing that told the identity is shown", || {
            use crate::packet::{Direction, Status, smp};
            let identity = smp::Pdu::IdentityAddressInformation { addr_type: 1, bd_addr: PEER };
            let link = Trace::new().peer(PRIVATE, RANDOM).advertises(0).up();
            let paired = link.asks_to_pair().answers_pairing().encrypts().wait_ms(60);
            let paired = paired.encryption(Status::SUCCESS).smp(Direction::Received, identity);
            let left = paired.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED);
            asks(left.wait_ms(500).advertises(0)).into()
        })
        .about(&[2])
        .saying("the pairing that tells that C0:00:00:00:00:01 is its identity"),
    ],
};

const RANDOM: AddressType = AddressType::RANDOM;

const PRIVATE: Address = Address([3, 2, 1, 0, 0, 0x5a]);

fn asks(trace: Trace) -> Trace {
    trace.peer(PEER, RANDOM).asks_in_vain()
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
        "Try an adapter whose controller resolves addresses itself (LL Privacy): older ones do not.",
    ),
];

/// The private address, last heard, that the capture proves to be this identity's.
pub(super) fn proved(capture: &Capture, identity: Address) -> Option<&Device> {
    capture.aliases(identity).max_by_key(|d| d.last.map(|r| r.frame))
}

/// A request for an identity whose device uses a private address.
#[derive(Debug)]
struct Unresolved {
    identity: Address,
    private: Address,
    report_frame: u32,
    pairing_frame: Option<u32>,
    wait: Waited,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (identity, _) = wait.whom?;
    let capture = scene.capture();
    let heard_itself = capture.device(identity).is_some_and(|d| d.reports > 0);
    if heard_itself || wait.request.resolvable {
        return None;
    }
    let device = proved(capture, identity)?;
    let told = capture.identified_as(identity).next();
    let pairing = told.and_then(|c| c.steps.iter().find(|s| s.procedure == Procedure::Pair));
    let facts = Unresolved {
        identity,
        private: device.address,
        report_frame: device.last?.frame,
        pairing_frame: pairing.map(|step| step.frame),
        wait: wait.facts(),
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

impl Facts for Unresolved {
    fn says(&self) -> Text {
        text!(
            "The request asked for {}, the device's identity; on the air it uses the private address {}, and the controller was not told how to resolve it.",
            self.identity,
            self.private
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let report = text!("advertising report of the private address {}", self.private);
        let mut sights = vec![Sight::here(self.report_frame, report)];
        sights.extend(self.pairing_frame.map(|frame| {
            Sight::here(
                frame,
                text!("the pairing that tells that {} is its identity", self.identity),
            )
        }));
        sights.extend(self.wait.sights());
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new("peer-gone-or-moved", "the device is heard, under its private address")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
