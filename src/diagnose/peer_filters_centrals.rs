use super::see::attempts_of;
use super::waits::in_vain;
use super::{
    Basis, Case, Check, Confidence, Example, Facts, Remedy, Rule, RuledOut, Scene, Sight, Verdict,
};
use crate::compare::Comparison;
use crate::packet::hci::Event;
use crate::packet::{Address, Status};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail, Encryption, Outcome, Procedure, Step};
use crate::trace::{PEER, Trace};

pub const RULE: Rule = Rule {
    id: "peer-filters-centrals",
    title: "The device may answer only hosts that it is bonded with",
    basis: Basis::Laboratory,
    silences: &[],
    docs: "\
## What it means
The working side holds a bond with the device; the failing side does not, and is never answered. Some devices take connect
requests only from hosts they know, until they are put into pairing mode.

## How it shows
The working side encrypts with a stored key, without pairing; every attempt of the failing side ends unheard, with a good signal.

## What else it could be
Radio time, the address, or the kind of request. An unbonded host that gets through would disprove it.

## What to do
Disconnect the bonded host, put the device into pairing mode, and pair from the failing host.",
    sources: &["Nordic DevZone 124127", "mtheli/philips_sonicare_ble#25"],
    check: Check::Comparison(check),
    cases: &[
        Case::suspect(Confidence::Medium, "the other host is bonded, and this one is never heard", || {
            Example::pair(bonded(), unheard(4))
        })
        .about(&[1, 2, 3, 4])
        .saying("holds a bond"),
        Case::silent("the other host is not bonded either", || {
            Example::pair(Trace::new().advertises(0).up().mtu().wait_ms(900), unheard(4))
        }),
        Case::silent("one attempt proves nothing", || Example::pair(bonded(), unheard(1)))
            .pins(&["FEWEST"]),
        Case::suspect(Confidence::Low, "two attempts", || Example::pair(bonded(), unheard(2)))
            .pins(&["FEWEST", "ENOUGH"]),
        Case::suspect(Confidence::Medium, "three attempts", || {
            Example::pair(bonded(), unheard(3))
        })
        .pins(&["ENOUGH"]),
        Case::silent("it was heard once", || {
            let answered = unheard(3).wait_ms(800).followed_by(Trace::new().up().mtu());
            Example::pair(bonded(), answered)
        }),
        Case::suspect(Confidence::Low, "the signal is -86 dBm", || {
            Example::pair(bonded(), faint(-86))
        })
        .pins(&["WEAK"]),
        Case::suspect(Confidence::Medium, "the signal is -85 dBm", || {
            Example::pair(bonded(), faint(-85))
        })
        .pins(&["WEAK"]),
        Case::silent("the other host paired on that link", || {
            let paired = Trace::new().advertises(0).up().asks_to_pair().answers_pairing();
            let paired = paired.encrypts().wait_ms(150).encryption(Status::SUCCESS);
            Example::pair(paired.mtu().wait_ms(900), unheard(4))
        }),
        Case::suspect(Confidence::Medium, "two requests that nobody answered, and three links", || {
            let waits = Trace::new().asks_in_vain().wait_ms(800).repeated(2, 800);
            Example::pair(bonded(), waits.followed_by(unheard(3)))
        })
        .about(&[1, 2, 3, 4, 5]),
        Case::suspect(Confidence::Medium, "the device had asked for security, and the other host had a key", || {
            let asks = crate::packet::smp::Pdu::SecurityRequest { auth_req: 1 };
            let link = Trace::new().advertises(0).up().smp(crate::packet::Direction::Received, asks);
            let link = link.encrypts().wait_ms(150).encryption(Status::SUCCESS).mtu();
            Example::pair(link.wait_ms(900), unheard(4))
        })
        .saying("holds a bond"),
    ],
};

fn bonded() -> Trace {
    Trace::new()
        .advertises(0)
        .up()
        .encrypts()
        .wait_ms(150)
        .encryption(Status::SUCCESS)
        .mtu()
        .wait_ms(900)
}

/// Attempts that nothing answers.
fn unheard(times: usize) -> Trace {
    let once = Trace::new().advertises(0).create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(times, 800)
}

/// Three of them, of a device that is received with this signal.
fn faint(rssi: i8) -> Trace {
    let Address([a, b, c, d, e, f]) = PEER;
    let report = [0x02, 1, 0, 1, a, b, c, d, e, f, 0, rssi.cast_unsigned()];
    let once = Trace::new().event(Event::Other { code: 0x3e, parameters: &report });
    let once = once.create().connected().wait_ms(315);
    once.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(3, 800)
}

/// Below this signal radio loss explains the failures as well.
const WEAK: i8 = -85;

/// Fewer attempts are an accident.
const FEWEST: usize = 2;

/// As many attempts in a row are seldom chance.
const ENOUGH: usize = 3;

const REMEDIES: &[Remedy] = &[
    Remedy::any(
        "Disconnect the host that holds the bond, put the device into pairing mode (its manual says how), and pair from this host.",
    ),
    Remedy::any("If it has no pairing mode, delete its bonds with a factory reset of the device."),
];

fn stored_key(connection: &Connection) -> Option<&Step> {
    let paired = connection.steps.iter().any(|s| {
        s.procedure == Procedure::Pair && !matches!(s.detail, Detail::SecurityRequest { .. })
    });
    connection
        .steps
        .iter()
        .find(|s| {
            s.outcome == Outcome::Ok
                && matches!(s.detail, Detail::Encryption { key: Encryption::Stored, .. })
        })
        .filter(|_| !paired)
}

/// A device that answers a host with a bond, and not this one.
#[derive(Debug)]
struct Stranger {
    bond_frame: u32,
    attempts: usize,
    /// Where the first attempts ended.
    ends: Vec<u32>,
    /// The strongest report before an attempt.
    signal: Option<i8>,
}

fn check(scene: &Scene<'_>, _: &Comparison) -> Option<Verdict> {
    let bond = stored_key(scene.reference()?)?;
    // Links of one capture are one host's, and it has that bond.
    if scene.captures.len() == 1 {
        return None;
    }
    let attempts = attempts_of(scene, scene.compared()?);
    let failed = |c: &&Connection| {
        c.never_heard() || in_vain(scene, c).is_some_and(|wait| wait.whom.is_some())
    };
    let tried: Vec<&Connection> = attempts.iter().copied().filter(failed).collect();
    let heard = attempts.iter().any(|c| c.peer_heard());
    if tried.len() < FEWEST || heard {
        return None;
    }
    let end = |c: &Connection| c.end.as_ref().map(|end| end.frame).or(c.status_frame());
    let facts = Stranger {
        bond_frame: bond.frame,
        attempts: tried.len(),
        ends: tried.iter().take(super::see::SHOWN).filter_map(|c| end(c)).collect(),
        signal: tried.iter().filter_map(|c| c.report_before?.rssi).max(),
    };
    let weak = facts.signal.is_some_and(|rssi| rssi < WEAK);
    let sure = if weak || tried.len() < ENOUGH { Confidence::Low } else { Confidence::Medium };
    Some(Verdict::suspect(facts).sure(sure).about(tried.iter().map(|c| c.number)))
}

impl Facts for Stranger {
    fn says(&self) -> Text {
        text!(
            "The working side holds a bond with this device and encrypts at once; this side has none, and none of its {} attempts was answered. The device may take only hosts that it knows.",
            self.attempts
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let bond = "encryption with a stored key, no pairing on this link";
        let ends = self.ends.iter().map(|frame| {
            Sight::here(*frame, "the attempt ends without one packet from the device")
        });
        std::iter::once(Sight::in_reference(self.bond_frame, bond)).chain(ends).collect()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        vec![RuledOut::no_exchange_was_possible()]
    }

    fn would_settle(&self) -> Vec<Text> {
        let settles = |rssi| {
            text!(
                "The device was received with up to {} dBm here; a phone that was never paired with it, at the same place, tells whether it takes strangers at all.",
                rssi
            )
        };
        self.signal.map(settles).into_iter().collect()
    }

    fn remedies(&self) -> Vec<Remedy> {
        REMEDIES.to_vec()
    }
}
