//! Traces that are nearly a rule's own, and what it must make of them: of each condition that
//! decides between a cause and silence, one side that its example does not show.
use super::*;
use crate::packet::Direction::{Received, Sent};
use crate::packet::att::{Handle, Pdu};
use crate::packet::hci::Command;
use crate::packet::{Address, AddressType, ConnHandle, Opcode, Status};
use crate::trace::Trace;

/// What a rule says of a capture without a reference: level, confidence, connections.
fn said(id: &str, trace: Trace) -> Option<(Level, Confidence, Vec<u32>)> {
    let captures = [trace.run()];
    let found = diagnose(&Scene { captures: &captures, subject: 0, comparison: None });
    let finding = found.into_iter().find(|finding| finding.rule == id)?;
    Some((finding.level, finding.confidence, finding.connections))
}

fn dead() -> Trace {
    let link = Trace::new().advertises(0).create().connected().wait_ms(315);
    link.disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

/// A Raspberry Pi's adapter: a serial line, Cypress.
fn on_a_pi() -> Trace {
    Trace::new()
        .monitor(0, &[0, 3, 1, 0, 0, 0, 0, 0, b'h', b'c', b'i', b'0', 0, 0, 0, 0])
        .command(Command::ReadLocalVersionInformation {})
        .complete(Opcode(0x1001), &[0, 9, 0, 0, 9, 0x31, 0x01, 0, 0])
}

#[test]
fn wifi_is_suspected_of_links_that_died_unheard_and_of_no_others() {
    let of = |links: Trace| {
        said("wifi-coexistence-combo-chip", on_a_pi().followed_by(links.wait_ms(900).up().mtu()))
    };
    let (level, _, connections) = of(dead().repeated(2, 900)).expect("two of three died");
    assert_eq!((level, connections), (Level::Suspect, vec![1, 2]));
    assert_eq!(of(dead()), None, "one is an accident");
    let lost = Trace::new().up().mtu().wait_ms(900).disconnected(Status::CONNECTION_TIMEOUT);
    assert_eq!(of(lost.repeated(3, 900)), None, "these were heard");
}

const READ: Pdu<'_> = Pdu::ReadRequest { attribute_handle: Handle(0x4e) };

#[test]
fn a_slot_is_missing_only_where_others_are_taken() {
    let links = |open: u16, status| {
        let up = (0..open).fold(Trace::new(), |trace, n| {
            let peer = Address([n as u8 + 1, 0, 0, 0, 0, 0xc7]);
            trace.handle(0x40 + n).peer(peer, AddressType::RANDOM).up()
        });
        let next = up.peer(Address([99; 6]), AddressType::PUBLIC);
        said("adapter-slots-exhausted", next.create_refused(status)).map(|(level, ..)| level)
    };
    assert_eq!(links(1, Status::CONNECTION_LIMIT_EXCEEDED), None);
    assert_eq!(links(2, Status::CONNECTION_LIMIT_EXCEEDED), Some(Level::Cause));
    assert_eq!(links(2, Status::LIMITED_RESOURCES), None);
    assert_eq!(links(3, Status::LIMITED_RESOURCES), Some(Level::Suspect));
}

/// A peripheral that asked questions of its own: only one of the central's that it left open for
/// thirty seconds is its fault.
#[test]
fn whose_request_was_open_decides_who_stalled() {
    let open = |direction, ms| {
        let link = Trace::new().connected_as(1, 24, 0, 42);
        let link = link.exchange(READ, Pdu::ReadResponse { attribute_value: &[1] });
        let link = link.att(direction, READ).wait_ms(ms);
        let trace = link.disconnected(Status::REMOTE_USER_TERMINATED);
        said("reverse-discovery-collides", trace).map(|(level, ..)| level)
    };
    assert_eq!(open(Received, 30_000), Some(Level::Cause));
    assert_eq!(open(Received, 5_000), None);
    assert_eq!(open(Sent, 30_000), None);
}

/// Two seconds after the features, and not one packet of a program in between.
#[test]
fn only_a_link_that_nobody_used_is_dropped_for_idleness() {
    let after = |ms, used: bool| {
        let link = Trace::new().up();
        let link = if used { link.notified(0x10, &[1]) } else { link };
        let trace = link.wait_ms(ms).hangs_up(Status::REMOTE_USER_TERMINATED);
        said("local-disconnect-2s-kernel-idle", trace).is_some()
    };
    assert!(after(2_000, false));
    assert!(!after(2_000, true));
    assert!(!after(1_700, false) && !after(2_400, false));
}

#[test]
fn one_lost_link_after_a_phy_change_is_a_hint_and_two_are_proof() {
    let lost = |times| {
        let handle = ConnHandle(0x40);
        let set = Command::LeSetPhy {
            connection_handle: handle,
            all_phys: 0,
            tx_phys: 2,
            rx_phys: 2,
            phy_options: 0,
        };
        let changed = crate::packet::hci::LeEvent::PhyUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: handle,
            tx_phy: 2,
            rx_phy: 2,
        };
        let link = Trace::new().up().mtu().taken(set).wait_ms(60).le(changed).wait_ms(430);
        let trace = link.disconnected(Status::CONNECTION_TIMEOUT).repeated(times, 1_000);
        said("phy-or-dle-update-kills-link", trace).map(|(level, sure, _)| (level, sure))
    };
    assert_eq!(lost(1), Some((Level::Cause, Confidence::Low)));
    assert_eq!(lost(2), Some((Level::Cause, Confidence::High)));
}

/// What a rule says of a pair.
fn against(id: &str, reference: Trace, subject: Trace) -> Option<(Level, Confidence)> {
    let captures = [reference.run(), subject.run()];
    let comparison = crate::compare::of_captures(&captures);
    let scene = Scene { captures: &captures, subject: 1, comparison: comparison.as_ref() };
    let found = diagnose(&scene).into_iter().find(|finding| finding.rule == id)?;
    Some((found.level, found.confidence))
}

fn bonded() -> Trace {
    let link = Trace::new().advertises(0).up().encrypts().wait_ms(150);
    link.encryption(Status::SUCCESS).mtu().wait_ms(900)
}

/// A device that takes only hosts that it knows: suspected where it never answered, time after time.
#[test]
fn a_device_that_answered_once_takes_strangers() {
    let of = |subject| against("peer-filters-centrals", bonded(), subject);
    assert_eq!(of(dead()), None, "one attempt proves nothing");
    assert_eq!(of(dead().repeated(2, 800)), Some((Level::Suspect, Confidence::Low)));
    assert_eq!(of(dead().repeated(3, 800)), Some((Level::Suspect, Confidence::Medium)));
    let answered = dead().repeated(3, 800).wait_ms(800).followed_by(Trace::new().up().mtu());
    assert_eq!(of(answered), None);
    let stranger = Trace::new().advertises(0).up().mtu().wait_ms(900);
    assert_eq!(against("peer-filters-centrals", stranger, dead().repeated(3, 800)), None);
}

/// The attempt is elsewhere only where this capture holds none to that device, by address or by name.
#[test]
fn an_attempt_is_not_here_only_where_none_could_be_it() {
    let works = || {
        let link = Trace::new().advertises(0).up().mtu().wait_ms(500);
        link.hangs_up(Status::REMOTE_USER_TERMINATED)
    };
    let heard = || Trace::new().scan(true, 96, 48).advertises(0).wait_ms(5_000).advertises(0);
    let of = |subject| against("attempt-not-in-this-capture", works(), subject);
    assert_eq!(of(heard()), Some((Level::Cause, Confidence::Medium)));
    // Others were connected to: the attempt in question is still not here.
    let (other, third) = (Address([9, 9, 9, 9, 9, 0xc9]), Address([8, 9, 9, 9, 9, 0xc9]));
    let elsewhere = || heard().peer(other, AddressType::RANDOM).up();
    assert!(of(elsewhere()).is_some());
    assert!(of(elsewhere().peer(third, AddressType::RANDOM).handle(0x41).up()).is_some());
    // A request to anybody of the accept list may have been it.
    let anybody = heard().create_for_anybody();
    assert_eq!(of(anybody), None);
    assert_eq!(of(Trace::new().scan(true, 96, 48).wait_ms(5_000)), None, "it is not heard");
}

#[test]
fn a_payload_timeout_is_told_by_its_own_event_alone() {
    let link = || Trace::new().create().connected_as(0, 39, 0, 3200).features().wait_ms(30_000);
    let of = |event| said("auth-payload-timeout", link().event(event).wait_ms(500));
    let expired = crate::packet::hci::Event::AuthenticatedPayloadTimeoutExpired {
        connection_handle: ConnHandle(0x40),
    };
    assert!(of(expired).is_some());
    let another = crate::packet::hci::Event::QosViolation { connection_handle: ConnHandle(0x40) };
    assert_eq!(of(another), None);
}
