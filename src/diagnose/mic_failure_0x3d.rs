use super::bond::{self, Key};
use super::{
    Basis, Case, Check, Confidence, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict, see,
};
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, End, Procedure, Stack};
use crate::trace::Trace;

pub const RULE: Rule = Rule {
    id: "mic-failure-0x3d",
    title: "An encrypted packet did not pass its integrity check",
    basis: Basis::Laboratory,
    silences: &["pin-or-key-missing-0x06", "insufficient-auth-no-pairing", "link-died-during-encryption"],
    docs: "\
## What it means
An encrypted packet did not pass its integrity check. Right after encryption was switched on this means, as a rule, that the two
sides hold different keys for the same bond. Where the same key had encrypted this very link before, the keys do not differ: then a
controller, or a race of the link layer while encryption begins, is at fault.

## How it shows
Encryption is started (or has just succeeded), and the link ends with 0x3D within about a tenth of a second. Keys that the capture
holds are compared in memory and never printed.

## What else it could be
0x3D late on a link that has worked for long points to a fault in one of the controllers, not to the bond. A key that is provably
the wrong one is `keys-differ-by-role`.

## What to do
Where nothing shows that the keys are equal: remove the bond on both sides and pair again. Else do not: repeat with another
adapter, and report the capture to the vendor.",
    sources: &["bluez/bluez#2461, #1776", "google/bumble PR890", "zephyrproject-rtos/zephyr#36600"],
    check: Check::Connection(check),
    cases: &[
        Case::cause(Confidence::High, "the link ends 50 ms after encryption was switched on", || {
            encrypted(0).wait_ms(50).disconnected(Status::MIC_FAILURE).into()
        })
        .about(&[1])
        .saying("the two sides hold different keys")
        .pins(&["SOON"]),
        Case::cause(Confidence::Medium, "it ends one second after", || {
            encrypted(0).wait_ms(1_000).disconnected(Status::MIC_FAILURE).into()
        })
        .saying("in the middle of its life")
        .pins(&["SOON"]),
        Case::cause(Confidence::Medium, "the same key had encrypted the link before", || {
            let link = encrypted(7).wait_ms(5_000).encrypts_with(7).wait_ms(60);
            link.encryption(Status::SUCCESS).wait_ms(50).disconnected(Status::MIC_FAILURE).into()
        })
        .saying("The same key had encrypted this link")
        .not_saying("different keys"),
        Case::cause(Confidence::High, "the same key had encrypted an earlier link", || {
            let first = encrypted(7).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
            let again = encrypted(7).wait_ms(50).disconnected(Status::MIC_FAILURE);
            first.followed_by(again).into()
        })
        .about(&[2])
        .saying("it is the device's key that has changed"),
        Case::cause(Confidence::High, "another key had encrypted an earlier link to the same device", || {
            let first = encrypted(6).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
            let again = encrypted(7).wait_ms(50).disconnected(Status::MIC_FAILURE);
            first.followed_by(again).into()
        })
        .not_saying("it is the device's key that has changed"),
        Case::cause(Confidence::Medium, "nobody saw when encryption began", || {
            Trace::new().up().mtu().disconnected(Status::MIC_FAILURE).into()
        })
        .not_saying("in the middle of its life"),
        Case::silent("the link was lost", || {
            encrypted(0).wait_ms(50).disconnected(Status::CONNECTION_TIMEOUT).into()
        }),

        Case::cause(Confidence::High, "the link ends 950 ms after encryption was switched on", || {
            encrypted(0).wait_ms(950).disconnected(Status::MIC_FAILURE).into()
        })
        .pins(&["SOON"])
        .saying("Forget the device here")
        .not_saying("Repeat with another adapter"),
        Case::cause(Confidence::Medium, "late in its life another adapter tells", || {
            encrypted(0).wait_ms(5_000).disconnected(Status::MIC_FAILURE).into()
        })
        .saying("Repeat with another adapter")
        .not_saying("Forget the device here"),
        Case::cause(Confidence::Medium, "a key that had worked on this link is no reason to pair again", || {
            let link = encrypted(7).wait_ms(5_000).encrypts_with(7).wait_ms(60);
            link.encryption(Status::SUCCESS).wait_ms(50).disconnected(Status::MIC_FAILURE).into()
        })
        .saying("Repeat with another adapter")
        .not_saying("Forget the device here"),
        Case::cause(Confidence::High, "an earlier link was refused that key", || {
            let first = Trace::new().up().encrypts_with(7).wait_ms(60);
            let first = first.encryption(Status::PIN_OR_KEY_MISSING).wait_ms(900);
            let first = first.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(900);
            first.followed_by(encrypted(7).wait_ms(50).disconnected(Status::MIC_FAILURE)).into()
        })
        .about(&[2])
        .not_saying("it is the device's key that has changed"),
        Case::cause(Confidence::Medium, "it ends exactly one second after", || {
            encrypted(0).after_ms(1_000).disconnected(Status::MIC_FAILURE).into()
        }),
        Case::cause(Confidence::High, "it ends a moment sooner", || {
            encrypted(0).after_us(999_999).disconnected(Status::MIC_FAILURE).into()
        }),
        Case::cause(Confidence::High, "a later link is encrypted with that key", || {
            let first = encrypted(7).wait_ms(50).disconnected(Status::MIC_FAILURE).wait_ms(900);
            let later = encrypted(7).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED);
            first.followed_by(later).into()
        })
        .about(&[1])
        .not_saying("it is the device's key that has changed"),
        Case::cause(Confidence::High, "the pairing's own encryption fails: its key had never been used before", || {
            let random_value = crate::packet::Secret::new([4; 16]);
            let random = crate::packet::smp::Pdu::PairingRandom { random_value };
            let paired = Trace::new().up().asks_to_pair().answers_pairing();
            let paired = paired.smp(crate::packet::Direction::Received, random).wait_ms(20);
            let on = paired.encrypts_with(7).wait_ms(60).encryption(Status::SUCCESS);
            on.wait_ms(50).disconnected(Status::MIC_FAILURE).into()
        })
        .not_saying("the same key, before"),
        Case::cause(Confidence::Medium, "the link was used for long, and up to its end", || {
            let used = encrypted(0).wait_ms(5_000).mtu().wait_ms(50);
            used.disconnected(Status::MIC_FAILURE).into()
        })
        .saying("in the middle of its life"),
    ],
};

/// Keys that differ show at the first encrypted packet; a second is time for the slowest interval.
const SOON: Span = Span::from_ms(1000);

fn encrypted(key: u8) -> Trace {
    Trace::new().up().encrypts_with(key).wait_ms(60).encryption(Status::SUCCESS)
}

const REMEDIES: &[Remedy] = &[
    Remedy::on(
        &[Stack::BlueZ],
        "`bluetoothctl remove ADDRESS`, clear the bond on the device too, scan until the device is found, then pair again.",
    ),
    Remedy::on(
        &[Stack::Android, Stack::Ios, Stack::MacOs],
        "Forget the device here and clear the bonds on the device, then pair again.",
    ),
    Remedy::any(
        "Clear the bond on both sides: on the device alone is not enough, for this host then still has its key.",
    ),
];

const OF_THE_CONTROLLER: &[Remedy] = &[
    Remedy::any("Repeat with another adapter: if it goes away, the controller was at fault."),
    Remedy::any(
        "Report it to the vendor of the controller, with this capture and one of the device's side.",
    ),
    Remedy::no_use("Pairing again: the keys are the same and worked before."),
];

/// A link that a failed integrity check ended.
#[derive(Debug)]
struct MicFailure {
    started: Option<u32>,
    /// Whether it ended right after encryption began; unknown without times or without a beginning.
    soon: Option<bool>,
    /// Where the same key had encrypted this link before.
    worked: Option<u32>,
    /// Where the same key was made, or had encrypted an earlier link to this device.
    known: Option<u32>,
    end: End,
}

fn check(scene: &Scene<'_>, connection: &Connection) -> Option<Verdict> {
    let end = connection.end.as_ref().filter(|end| end.reason == Status::MIC_FAILURE)?;
    let started = connection.steps.iter().rev().find(|s| s.procedure == Procedure::Encrypt);
    let soon = started.and_then(|s| end.at.since(s.last.at)).map(|passed| passed < SOON);
    let key = started.and_then(|step| bond::key_of(scene, connection, step));
    let known = match key {
        Some(Key::Worked { frame } | Key::Right { made: frame }) => Some(frame),
        _ => None,
    };
    let facts = MicFailure {
        started: started.map(|step| step.frame),
        soon,
        worked: known.filter(|frame| connection.up.is_some_and(|up| up.comes_before(*frame))),
        known,
        end: end.clone(),
    };
    let sure = facts.soon == Some(true) && facts.worked.is_none();
    Some(Verdict::cause(facts).sure(if sure { Confidence::High } else { Confidence::Medium }))
}

impl Facts for MicFailure {
    fn says(&self) -> Text {
        match (self.worked, self.soon) {
            (Some(_), _) => text!(
                "The link ended with a failed integrity check. The same key had encrypted this link before, so no bond is lost: \
                 this points to one of the controllers, or to packets that crossed while encryption began."
            ),
            (None, Some(true)) => text!(
                "The link ended with a failed integrity check right after encryption began: the two sides hold different keys.{}",
                self.known.map(|_| " This host used the key that it had used with the device before, so it is the device's key that has changed.")
            ),
            (None, Some(false)) => text!(
                "The link ended with a failed integrity check in the middle of its life. Keys that differ fail at once, so this points to one of the controllers."
            ),
            (None, None) => text!(
                "The link ended with a failed integrity check. The capture does not show how long after encryption began: right after it, the keys differ; later, one of the controllers is at fault."
            ),
        }
    }

    fn evidence(&self) -> Vec<Sight> {
        let mut sights = Vec::new();
        sights.extend(self.started.map(|frame| Sight::here(frame, "encryption is started")));
        sights.push(see::link_ended(&self.end));
        sights.extend(self.known.map(|frame| Sight::here(frame, "the same key, before")));
        sights
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::new(
            "pin-or-key-missing-0x06",
            match self.worked {
                Some(_) => "the same key had encrypted this link before",
                None => "neither side said that the key is missing",
            },
        )]
    }

    fn would_settle(&self) -> Vec<Text> {
        if self.soon == Some(true) && self.worked.is_none() {
            return Vec::new();
        }
        vec![text!("Repeat with another adapter: if it goes away, the controller was at fault.")]
    }

    fn remedies(&self) -> Vec<Remedy> {
        match (self.worked, self.soon) {
            (None, Some(true) | None) => REMEDIES.to_vec(),
            _ => OF_THE_CONTROLLER.to_vec(),
        }
    }
}
