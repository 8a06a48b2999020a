//! Requests and what becomes of them: of every condition a case on each side.
use super::*;
use crate::packet::hci::Command;
use crate::timeline::tests::only;
use crate::trace::{PEER, Trace};

const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);

fn request(connection: &Connection) -> &Request {
    connection.request.as_deref().expect("it was asked for")
}

#[test]
fn attempts_are_counted_beyond_a_bound() {
    let mut tracker = Tracker::new();
    (0..40_000).for_each(|_| assert!(tracker.new_connection(0, Transport::Le).is_some()));
    assert_eq!(tracker.new_connection(0, Transport::Le), None);
    assert_eq!((tracker.connections.len(), tracker.totals.connections_elided), (40_000, 1));
}

/// An attempt that waits behind another one: the controller makes one link at a time.
#[test]
fn a_request_knows_the_one_that_the_adapter_is_busy_with() {
    let behind = |trace: Trace| {
        let connections = trace.peer(OTHER, AddressType::RANDOM).create().run().connections;
        request(connections.last().expect("the second")).behind
    };
    assert_eq!(behind(Trace::new().create()), Some(1));
    assert_eq!(behind(Trace::new().up()), None, "it is up");
    assert_eq!(behind(Trace::new().creates_unanswered()), None, "nobody took it up");
    assert_eq!(behind(Trace::new().create_refused(Status::COMMAND_DISALLOWED)), None);
    assert_eq!(behind(Trace::new().create().cancel()), None);
}

#[test]
fn a_refused_command_ends_its_own_attempt() {
    let capture = Trace::new().create().peer(OTHER, AddressType::RANDOM);
    let connections = capture.create_refused(Status::COMMAND_DISALLOWED).run().connections;
    let states: Vec<_> = connections.iter().map(|c| (c.status, c.end_seen)).collect();
    assert_eq!(states, [(None, false), (Some(Status::COMMAND_DISALLOWED), true)]);
    assert_eq!(request(&connections[0]).status, Some(Status::SUCCESS));
    assert_eq!(connections[1].steps[0].outcome, Outcome::Error);
}

#[test]
fn very_many_requests_without_an_answer_do_not_pile_up() {
    let mut tracker = Tracker::new();
    tracker.adapter(None);
    let at = At {
        source: tracker.source,
        frame: 1,
        time: crate::time::Moment::UNKNOWN,
        direction: Direction::Sent,
        link: None,
        cut: false,
    };
    for _ in 0..70 {
        let peer = (PEER, AddressType::RANDOM);
        tracker.create(0, Tracker::request(RequestKind::LeCreate, at, peer, 0, 0, 1));
    }
    let waiting = &tracker.adapters[0].creating;
    assert_eq!((waiting.len(), waiting[0]), (64, 6), "the oldest gave way");
}

#[test]
fn a_cancel_takes_back_the_oldest_of_its_radio_once() {
    let page = Command::CreateConnection {
        bd_addr: OTHER,
        packet_type: 0xcc18,
        page_scan_repetition_mode: 2,
        reserved: 0,
        clock_offset: 0,
        allow_role_switch: 1,
    };
    let cancelled = |trace: Trace| {
        let connections = trace.run().connections;
        connections.iter().map(|c| request(c).cancelled.map(|seen| seen.frame)).collect::<Vec<_>>()
    };
    let both = || Trace::new().taken(page).create();
    let le = both().done(Command::LeCreateConnectionCancel {});
    assert_eq!(cancelled(le), [None, Some(5)]);
    let bredr = both().done(Command::CreateConnectionCancel { bd_addr: OTHER });
    assert_eq!(cancelled(bredr), [Some(5), None]);
    let twice = Trace::new().create().done(Command::LeCreateConnectionCancel {});
    let twice = twice.done(Command::LeCreateConnectionCancel {});
    assert_eq!(cancelled(twice), [Some(3)], "the first time counts");
}

/// A request by list names nobody.
#[test]
fn a_request_by_list_has_no_device() {
    let named = only(Trace::new().advertises(0).create());
    assert_eq!((named.peer.address, request(&named).reports_before), (Some(PEER), 1));
    let anybody = only(Trace::new().advertises(0).create_for_anybody());
    assert_eq!((anybody.peer.address, request(&anybody).reports_before), (None, 0));
    assert!(request(&anybody).listed.is_none() && request(&named).listed.is_none());
}

/// A device that leaves the list a second after the cancel leaves it for another reason; so does one that came up.
#[test]
fn a_device_that_leaves_the_list_was_meant_if_it_leaves_because_of_the_cancel() {
    let address_type = AddressType::RANDOM;
    let add = |trace: Trace| {
        trace.done(Command::LeAddDeviceToFilterAcceptList { address_type, address: PEER })
    };
    let remove = |trace: Trace| {
        trace.done(Command::LeRemoveDeviceFromFilterAcceptList { address_type, address: PEER })
    };
    let meant = |trace: Trace| only(remove(trace)).peer.address;
    let waits = || add(Trace::new()).create_for_anybody().wait_ms(500);
    // The cancel, its answer and the end of the wait take three tenths of a millisecond.
    assert_eq!(meant(waits().cancel().wait_ms(999)), Some(PEER));
    assert_eq!(meant(waits().cancel().wait_ms(1_000)), None);
    assert_eq!(meant(waits()), None, "it was not taken back");
    let up = waits()
        .peer(OTHER, AddressType::RANDOM)
        .done(Command::LeCreateConnectionCancel {})
        .connected();
    assert_eq!(meant(up), Some(OTHER), "the link came up all the same");
}

/// An attempt that nothing ever answered gives way to the sixty-fourth after it.
#[test]
fn attempts_that_nothing_answers_do_not_collect_for_ever() {
    let first = |count: usize| {
        let trace = (0..count).fold(Trace::new(), |trace, _| trace.creates_unanswered());
        trace.advertises(0).run().connections[0].steps[0].outcome
    };
    use crate::timeline::Outcome;
    assert_eq!((first(64), first(65)), (Outcome::Unanswered, Outcome::Unknown));
}

/// The list is left within a second of the first cancel.
#[test]
fn a_device_that_leaves_the_list_after_exactly_a_second_was_not_meant() {
    let (address, address_type) = (PEER, AddressType::RANDOM);
    let meant = |us, again: bool| {
        let listed = Command::LeAddDeviceToFilterAcceptList { address_type, address };
        let waits = Trace::new().done(listed).create_for_anybody().wait_ms(500);
        let cancelled = waits.command(Command::LeCreateConnectionCancel {});
        let cancelled = if again {
            cancelled.after_us(us - 100).command(Command::LeCreateConnectionCancel {}).after_us(100)
        } else {
            cancelled.after_us(us)
        };
        let left = Command::LeRemoveDeviceFromFilterAcceptList { address_type, address };
        only(cancelled.command(left)).peer.address
    };
    assert_eq!((meant(999_999, false), meant(1_000_000, false)), (Some(PEER), None));
    // A second cancel changes nothing.
    assert_eq!((meant(999_999, true), meant(1_000_000, true)), (Some(PEER), None));
}

/// The reports that came while a device was waited for are counted until the wait is over.
#[test]
fn reports_are_counted_until_the_wait_is_over() {
    let (address, address_type) = (PEER, AddressType::RANDOM);
    let listed = Command::LeAddDeviceToFilterAcceptList { address_type, address };
    let left = Command::LeRemoveDeviceFromFilterAcceptList { address_type, address };
    let waits = Trace::new().advertises(0).done(listed).create_for_anybody().advertises(0);
    let cancelled = waits.done(Command::LeCreateConnectionCancel {}).done(left).advertises(0);
    let failed = Status::UNKNOWN_CONNECTION_IDENTIFIER;
    let over = only(cancelled.clone().connect_failed(failed).advertises(0));
    assert_eq!(over.reports_during_wait, 2);
    assert_eq!(only(cancelled).reports_during_wait, 2);
}
