//! What both sides of a comparison have explains no difference between them.
//!
//! A claim that is equally true of the working side becomes a note before claims compete: then it takes no connection
//! away from what only the failing side has, and the exit status follows the difference.
use super::weigh::{Claim, all_claims, compete, give_way};
use super::{Level, Scene};
use crate::compare::Comparison;
use crate::packet::Address;
use crate::seen::SourceId;
use crate::timeline::{Capture, Connection};
use std::collections::BTreeSet;

/// Where the working side shows the same: its capture, and a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Also {
    pub source: SourceId,
    pub frame: u32,
}

/// Makes notes of the claims that are equally true of the reference.
pub(super) fn explain_nothing(scene: &Scene<'_>, claims: &mut [Claim]) {
    let Some(comparison) = scene.comparison else { return };
    let side = comparison.reference;
    if side.capture == scene.subject || !claims.iter().any(Claim::speaks) {
        return;
    }
    let Some(reference) = scene.captures.get(side.capture) else { return };
    let alone = Scene {
        captures: std::slice::from_ref(reference),
        testimonies: &[],
        subject: 0,
        comparison: None,
    };
    let mut theirs = compete(give_way(all_claims(&alone)));
    theirs.retain(Claim::speaks);
    let both = Both { comparison, here: scene.capture(), there: reference };
    let also: Vec<Option<u32>> = claims
        .iter()
        .map(|claim| {
            let equal: Vec<&Claim> =
                theirs.iter().filter(|other| same_kind(claim, other)).collect();
            claim.speaks().then(|| both.shown(claim, claims, &equal)).flatten()
        })
        .collect();
    for (claim, frame) in claims.iter_mut().zip(also) {
        if let Some(frame) = frame {
            claim.also = Some(Also { source: side.capture.into(), frame });
            claim.verdict.level = Level::Note;
        }
    }
}

/// Whether the other claim says as much as this one: the same rule, no weaker.
fn same_kind(claim: &Claim, other: &Claim) -> bool {
    claim.rule.id == other.rule.id
        && claim.verdict.apart == other.verdict.apart
        && other.verdict.level <= claim.verdict.level
}

struct Both<'a> {
    comparison: &'a Comparison,
    here: &'a Capture,
    there: &'a Capture,
}

impl Both<'_> {
    /// A frame of the reference that shows what the claim says, if it is equally true there.
    fn shown(&self, claim: &Claim, all: &[Claim], theirs: &[&Claim]) -> Option<u32> {
        let (subject, reference) =
            (self.comparison.subject.connection, self.comparison.reference.connection);
        let numbers = &claim.verdict.connections;
        let one = if numbers.is_empty() {
            // About the adapter or the host.
            theirs.iter().find(|other| other.verdict.connections.is_empty())
        } else if numbers.contains(&subject) {
            theirs.iter().find(|other| other.verdict.connections.contains(&reference))
        } else {
            let devices: BTreeSet<Device> = numbers.iter().map(|n| self.device_here(*n)).collect();
            let ours: Vec<&Claim> =
                all.iter().filter(|other| other.speaks() && same_kind(claim, other)).collect();
            let as_often = |device: &Device| self.as_often(*device, &ours, theirs);
            devices.iter().all(as_often).then(|| theirs.first()).flatten()
        }?;
        Some(one.verdict.facts().evidence().first()?.frame)
    }

    /// Whether at least the same share of the attempts to this device shows it in the reference.
    fn as_often(&self, device: Device, ours: &[&Claim], theirs: &[&Claim]) -> bool {
        let here = share(self.here, ours, |c| self.device_here(c.number) == device);
        let there = share(self.there, theirs, |c| device_of(c) == device);
        there.0 > 0 && here.0 * there.1 <= there.0 * here.1
    }

    /// The device that a connection of the subject's capture is to, by its address in the reference.
    fn device_here(&self, number: u32) -> Device {
        let device = self.here.connection(number).and_then(device_of);
        let compared = |capture: &Capture, number| capture.connection(number).and_then(device_of);
        if device.is_some() && device == compared(self.here, self.comparison.subject.connection) {
            return compared(self.there, self.comparison.reference.connection);
        }
        device
    }
}

/// The address that tells devices apart; `None` where nothing does.
type Device = Option<Address>;

fn device_of(connection: &Connection) -> Device {
    connection.peer.who()
}

/// Of a capture's attempts to one device: how many the claims name, and how many there are.
fn share(capture: &Capture, claims: &[&Claim], to: impl Fn(&Connection) -> bool) -> (usize, usize) {
    let named =
        |c: &&Connection| claims.iter().any(|claim| claim.verdict.connections.contains(&c.number));
    let attempts: Vec<&Connection> = capture.connections.iter().filter(|c| to(c)).collect();
    (attempts.iter().copied().filter(|c| named(c)).count(), attempts.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Finding, diagnose};
    use crate::packet::{AddressType, Status};
    use crate::trace::Trace;

    const LAMP: Address = Address([1, 0, 0, 0, 0, 0xc1]);
    const LOCK: Address = Address([2, 0, 0, 0, 0, 0xc2]);
    const UNHEARD: &str = "never-heard-peer";

    fn to(peer: Address) -> Trace {
        Trace::new().peer(peer, AddressType::RANDOM)
    }

    fn good(peer: Address) -> Trace {
        to(peer).up().mtu().discovery(2).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    fn bad(peer: Address) -> Trace {
        to(peer).create().connected().wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
    }

    fn found(reference: Trace, subject: Trace) -> Vec<Finding> {
        let captures = [reference.run(), subject.run()];
        let comparison = crate::compare::of_captures(&captures);
        diagnose(&Scene {
            captures: &captures,
            testimonies: &[],
            subject: 1,
            comparison: comparison.as_ref(),
        })
    }

    fn level(reference: Trace, subject: Trace) -> Option<Level> {
        let found = found(reference, subject);
        found.iter().find(|finding| finding.rule == UNHEARD).map(|finding| finding.level)
    }

    #[test]
    fn what_only_the_failing_side_has_is_its_cause() {
        assert_eq!(level(good(LAMP), bad(LAMP)), Some(Level::Cause));
    }

    #[test]
    fn what_both_compared_links_have_is_a_note_that_says_so() {
        assert_eq!(level(bad(LAMP), bad(LAMP)), Some(Level::Note));
        let found = found(bad(LAMP), bad(LAMP));
        let says = found.iter().find(|f| f.rule == UNHEARD).map(|f| f.says.to_string());
        assert!(says.is_some_and(|says| says.contains("The reference shows the same (frame ")));
    }

    #[test]
    fn the_reference_may_have_failed_before_it_worked() {
        let reference = bad(LAMP).followed_by(good(LAMP));
        assert_eq!(level(reference, bad(LAMP)), Some(Level::Cause));
    }

    #[test]
    fn another_device_that_fails_on_both_sides_as_often_is_a_note() {
        let with = |trace: Trace, failing: usize, working: usize| {
            // A failure that the next attempt makes good is a note by itself.
            let trace = (0..working).fold(trace, |trace, _| trace.followed_by(good(LOCK)));
            (0..failing).fold(trace, |trace, _| trace.followed_by(bad(LOCK)))
        };
        let of = |there: (usize, usize), here: (usize, usize)| {
            let reference = with(good(LAMP).followed_by(good(LAMP)), there.0, there.1);
            let subject = with(good(LAMP).followed_by(good(LAMP)), here.0, here.1);
            let captures = [reference.run(), subject.run()];
            let wanted = crate::sides::Sides::of(|_| crate::compare::Wanted::peer(LAMP));
            let options = crate::compare::Options { wanted, ..Default::default() };
            let choice = crate::compare::choose(&captures, &options).expect("the lamp");
            let comparison = crate::compare::compare(&captures, &choice, &options);
            let scene = Scene {
                captures: &captures,
                testimonies: &[],
                subject: 1,
                comparison: comparison.as_ref(),
            };
            let found = diagnose(&scene);
            found.iter().find(|finding| finding.rule == UNHEARD).map(|finding| finding.level)
        };
        assert_eq!(of((1, 0), (1, 0)), Some(Level::Note));
        assert_eq!(of((1, 1), (2, 2)), Some(Level::Note), "the same share of more attempts");
        assert_eq!(of((1, 2), (2, 2)), Some(Level::Cause), "it fails more often than there");
        assert_eq!(of((0, 1), (1, 0)), Some(Level::Cause), "it works there");
    }

    /// Both links stand in one capture: the one that works is no witness against the other's cause.
    #[test]
    fn within_one_capture_a_cause_stays_a_cause() {
        let captures = [good(LAMP).wait_ms(900).followed_by(bad(LAMP)).run()];
        let comparison = crate::compare::of_captures(&captures);
        assert!(comparison.is_some());
        let comparison = comparison.as_ref();
        let found =
            diagnose(&Scene { captures: &captures, testimonies: &[], subject: 0, comparison });
        let level = found.iter().find(|finding| finding.rule == UNHEARD).map(|f| f.level);
        assert_eq!(level, Some(Level::Cause));
    }

    fn level_of(rule: &str, reference: Trace, subject: Trace) -> Option<Level> {
        let found = found(reference, subject);
        found.iter().find(|finding| finding.rule == rule).map(|finding| finding.level)
    }

    /// The same rule with another code is another story, and a suspicion does not make a cause common.
    #[test]
    fn only_what_says_as_much_is_the_same() {
        let refused = |status| to(LAMP).advertises(0).create_refused(status).wait_ms(900);
        let level =
            |there, here| level_of("create-conn-status-error", refused(there), refused(here));
        let (busy, wrong) = (Status::COMMAND_DISALLOWED, Status::INVALID_PARAMETERS);
        assert_eq!(level(busy, busy), Some(Level::Note));
        assert_eq!(level(wrong, busy), Some(Level::Cause));
        let goes_on =
            |trace: Trace| trace.wait_ms(31_000).done(crate::packet::hci::Command::ReadBdAddr {});
        let vain = || goes_on(to(LAMP).asks_in_vain());
        let heard = || {
            let waits = to(LAMP).create().wait_ms(5_000).advertises(0).wait_ms(15_500);
            goes_on(waits.cancel())
        };
        let level = |there, here| level_of("create-conn-timeout-cancel", there, here);
        assert_eq!(level(vain(), vain()), Some(Level::Note));
        assert_eq!(level(heard(), vain()), Some(Level::Cause), "there it is a suspicion");
        assert_eq!(level(vain(), heard()), Some(Level::Note), "there it is even more");
    }

    /// What is about no connection is held against what is about none.
    #[test]
    fn a_crash_of_the_controller_on_both_sides_is_a_note() {
        let crash = || crate::packet::hci::Event::HardwareError { hardware_code: 3 };
        let crashed = || good(LAMP).wait_ms(900).event(crash());
        let lost = || good(LAMP).wait_ms(900).followed_by(to(LOCK).up()).event(crash());
        let level = |there, here| level_of("controller-hardware-error", there, here);
        assert_eq!(level(crashed(), crashed()), Some(Level::Note));
        assert_eq!(level(good(LAMP), crashed()), Some(Level::Cause));
        assert_eq!(level(lost(), crashed()), Some(Level::Cause), "there it took a link");
    }

    /// Another device that fails there says nothing of one that fails here and is not heard of there.
    #[test]
    fn a_device_that_the_reference_does_not_know_fails_here_alone() {
        let third = Address([3, 0, 0, 0, 0, 0xc3]);
        let reference = good(LAMP).followed_by(bad(LOCK));
        let subject = good(LAMP).followed_by(bad(third));
        assert_eq!(level(reference, subject), Some(Level::Cause));
    }

    /// A cause on both sides must not hide what only the failing side has.
    #[test]
    fn a_note_takes_nothing_away_from_what_differs() {
        let refused = |reason| {
            let link = Trace::new().up().asks_to_pair().wait_ms(60);
            let failed = crate::packet::smp::Pdu::PairingFailed { reason };
            link.smp(crate::packet::Direction::Received, failed)
        };
        let reason = crate::packet::smp::Reason::PAIRING_NOT_SUPPORTED;
        let kicked = |trace: Trace| trace.wait_ms(500).disconnected(Status::REMOTE_USER_TERMINATED);
        let lost = |trace: Trace| trace.wait_ms(900).disconnected(Status::CONNECTION_TIMEOUT);
        let found = found(kicked(refused(reason)), lost(refused(reason)));
        assert_eq!(found[0].rule, "supervision-timeout-0x08", "{found:#?}");
    }
}
