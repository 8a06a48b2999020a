use super::rpa_identity_mismatch::proved;
use super::waits::{Waited, in_vain};
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, Opcode, Secret, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{AdapterEvent, Connection, Happening, Stack};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "resolving-list-refused",
    title: "The controller refused the key that resolves the device's addresses",
    basis: Basis::Author,
    silences: &[
        "create-conn-timeout-cancel",
        "connection-cancelled-by-app",
        "peer-gone-or-moved",
        "rpa-identity-mismatch",
        "background-connect-accept-list-stall",
    ],
    docs: "\
## What it means
The host gave the controller the device's identity key, so that it recognises the device under its changing private addresses. The
controller refused it: its list is full, or it takes no change while it scans, advertises or connects. The connect request then
asks for the identity address, which is never on the air. This rule rests on traces of its author's.

## How it shows
LE Add Device To Resolving List, or LE Set Privacy Mode, answered with an error; then a request to the identity address that waits in
vain, while the device is heard under a private address.

## What else it could be
`rpa-identity-mismatch`: nobody gave the controller a key at all.

## What to do
Stop scanning, advertising and connecting before the list is changed; remove devices from the list that are no longer used.",
    sources: &["Core Specification, Vol 4, Part E, 7.8.38: not allowed while advertising, scanning or connecting with resolution enabled"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::Medium, "the key is refused, and the device has a private address", || {
            asks(refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED)).into()
        })
        .about(&[2])
        .saying("LE Add Device To Resolving List"),
        Case::silent("nothing shows that a private address is the device's", || {
            asks(refused(Trace::new(), Status::COMMAND_DISALLOWED)).into()
        }),
        Case::cause(Confidence::Medium, "the privacy mode is refused", || {
            let mode = Command::LeSetPrivacyMode { peer_identity_address_type: RANDOM, peer_identity_address: PEER, privacy_mode: 1 };
            let refused = Trace::new().known_under(PRIVATE).done(key()).command(mode);
            asks(refused.complete(mode.opcode(), &[Status::COMMAND_DISALLOWED.0])).into()
        })
        .saying("LE Set Privacy Mode"),
        Case::silent("another device's key is refused", || {
            let other = Command::LeAddDeviceToResolvingList { peer_identity_address_type: RANDOM, peer_identity_address: PRIVATE, peer_irk: Secret::new([0; 16]), local_irk: Secret::new([0; 16]) };
            let refused = Trace::new().known_under(PRIVATE).command(other);
            asks(refused.complete(other.opcode(), &[Status::COMMAND_DISALLOWED.0])).into()
        }),
        Case::silent("the key is taken", || asks(Trace::new().known_under(PRIVATE).done(key())).into()),
        Case::silent("the key is refused, and taken at the second try", || {
            asks(refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED).wait_ms(10).done(key())).into()
        }),
        Case::silent("no key is given", || asks(Trace::new().known_under(PRIVATE)).into()),
        Case::silent("the list is refused before the adapter was reset", || {
            let trace = refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED).done(Command::Reset {});
            asks(trace).into()
        }),
        Case::silent("the device advertises with its identity address", || {
            asks(refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED).peer(PEER, RANDOM).advertises(0)).into()
        }),
        Case::silent("the request comes through", || {
            let trace = refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED);
            trace.peer(PEER, RANDOM).up().into()
        }),
        Case::cause(Confidence::Medium, "another command is refused after the key", || {
            let refused = refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED);
            let other = Command::ReadBdAddr {};
            asks(refused.command(other).status(other.opcode(), Status::COMMAND_DISALLOWED)).into()
        })
        .saying("The controller refused LE Add Device To Resolving List"),
        Case::silent("the key is taken, and another command is refused", || {
            let given = Trace::new().known_under(PRIVATE).done(key());
            let other = Command::ReadBdAddr {};
            asks(given.command(other).status(other.opcode(), Status::COMMAND_DISALLOWED)).into()
        }),
        Case::silent("the device advertises once with its identity address", || {
            let refused = refused(Trace::new().known_under(PRIVATE), Status::COMMAND_DISALLOWED);
            asks(refused.peer(PEER, RANDOM).advertises(0)).into()
        }),
        Case::cause(Confidence::Medium, "a link had been made to the identity, which no scan had heard", || {
            let link = Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900);
            let known = link.followed_by(Trace::new().known_under(PRIVATE));
            asks(refused(known, Status::COMMAND_DISALLOWED)).into()
        })
        .about(&[3]),
    ],
};

const RANDOM: AddressType = AddressType::RANDOM;

const ADD_TO_RESOLVING_LIST: Opcode = Opcode(0x2027);
const SET_PRIVACY_MODE: Opcode = Opcode(0x204e);

const PRIVATE: Address = Address([3, 2, 1, 0, 0, 0x5a]);

fn key() -> Command<'static> {
    Command::LeAddDeviceToResolvingList {
        peer_identity_address_type: RANDOM,
        peer_identity_address: PEER,
        peer_irk: Secret::new([0; 16]),
        local_irk: Secret::new([0; 16]),
    }
}

fn refused(trace: Trace, status: Status) -> Trace {
    trace.command(key()).complete(key().opcode(), &[status.0])
}

fn asks(trace: Trace) -> Trace {
    trace.peer(PEER, RANDOM).asks_in_vain()
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "Forget devices that are no longer used (`bluetoothctl remove ADDRESS`): each takes a place in the controller's list. Until the key is taken, keep discovery running while connecting.",
    ),
    Remedy::any(
        "Stop scanning, advertising and connecting before the list is changed, and repeat the refused command then.",
    ),
];

/// A key that the controller refused, and the wait that followed.
#[derive(Debug)]
struct Refused {
    opcode: Opcode,
    status: Status,
    command_frame: u32,
    frame: u32,
    wait: Waited,
    identity: Address,
    private: Address,
    private_frame: u32,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let wait = in_vain(scene, connection)?;
    let (identity, _) = wait.whom?;
    let capture = scene.capture();
    let heard_itself = capture.device(identity).is_some_and(|d| d.reports > 0);
    if heard_itself || wait.request.resolvable {
        return None;
    }
    let before = see::events_before(capture, wait.request.frame);
    let of_adapter = before.iter().rev().filter(|e| e.adapter == connection.adapter);
    let since = of_adapter.take_while(|e| e.what != Happening::Reset);
    let (event, opcode, status, command_frame) = since
        .filter_map(|e| match e.what {
            Happening::CommandFailed { opcode, status, command_frame } => {
                Some((e, opcode, status, command_frame))
            }
            _ => None,
        })
        // A command from before the capture has no frame, so nothing of it is known.
        .find(|(_, opcode, _, frame)| gives_a_key(*opcode) && *frame > 0)?;
    // The device's own key, and the last time that it was given.
    let given = |e: &&AdapterEvent| matches!(e.what, Happening::ResolvingListAdded(of, _) if of == identity);
    let of_adapter = before.iter().rev().filter(|e| e.adapter == connection.adapter);
    let last = of_adapter.clone().find(given)?;
    if opcode == ADD_TO_RESOLVING_LIST && last.frame != command_frame {
        return None;
    }
    let device = proved(capture, identity)?;
    let facts = Refused {
        opcode,
        status,
        command_frame,
        frame: event.frame,
        wait: wait.facts(),
        identity,
        private: device.address,
        private_frame: device.last?.frame,
    };
    Some(Verdict::cause(facts).sure(Confidence::High))
}

fn gives_a_key(opcode: Opcode) -> bool {
    opcode == ADD_TO_RESOLVING_LIST || opcode == SET_PRIVACY_MODE
}

impl Facts for Refused {
    fn says(&self) -> Text {
        text!(
            "The controller refused {} with {}, so it could not know the device under its private address {}; the request asked for {}, its identity, and waited {} in vain.",
            self.opcode,
            self.status,
            self.private,
            self.identity,
            self.wait.lasted
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = vec![
            Sight::here(self.command_frame, text!("{}", self.opcode)),
            Sight::here(self.frame, text!("refused: {}", self.status)),
            Sight::here(
                self.private_frame,
                text!("advertising report of the private address {}", self.private),
            ),
        ];
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
