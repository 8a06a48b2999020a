//! How links come up: of every condition a case on each side.
use super::*;
use crate::packet::AddressType;
use crate::packet::hci::{Command, Event, LeEvent};
use crate::timeline::tests::{odd, only};
use crate::trace::{HANDLE, PEER, Trace};

const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);
const USER: Status = Status::REMOTE_USER_TERMINATED;

/// The role 0 is central's (Core, Vol 4, Part E, 7.7.65.1).
#[test]
fn a_role_is_the_one_that_the_controller_says() {
    let link = |role| only(Trace::new().connected_as(role, 24, 0, 500));
    assert_eq!(link(0).role, Some(Role::Central));
    assert_eq!(link(1).role, Some(Role::Peripheral));
    // Nobody asks for a link that the peer makes.
    assert!(odd(&link(0), OddityKind::CompleteWithoutCreate));
    assert!(!odd(&link(1), OddityKind::CompleteWithoutCreate));
    assert_eq!(link(0).steps[0].by, Direction::Sent);
    assert_eq!(link(1).steps[0].by, Direction::Received);
}

/// A peripheral is connected to while its own request for another device waits.
#[test]
fn a_link_that_the_peer_made_answers_no_request() {
    let trace = Trace::new().create().peer(OTHER, AddressType::RANDOM).connected_as(1, 24, 0, 500);
    let connections = trace.run().connections;
    assert_eq!(connections.len(), 2);
    assert!(connections[0].up.is_none() && connections[1].up.is_some());
}

#[test]
fn a_request_without_a_link_failed_or_was_taken_back() {
    let connect = |trace: Trace| {
        let connection = only(trace);
        let step = &connection.steps[0];
        (step.outcome, step.status, connection.end_seen)
    };
    let cancelled = Status::UNKNOWN_CONNECTION_IDENTIFIER;
    let asked = || Trace::new().create().wait_ms(500);
    assert_eq!(connect(asked().cancel()), (Outcome::Unanswered, Some(cancelled.0), true));
    assert_eq!(connect(asked().connect_failed(cancelled)), (Outcome::Error, Some(2), true));
    let limit = Status::CONNECTION_LIMIT_EXCEEDED;
    assert_eq!(connect(asked().connect_failed(limit)), (Outcome::Error, Some(limit.0), true));
    assert_eq!(connect(asked().connected()), (Outcome::Ok, Some(0), false));
}

/// Of two requests that wait, a failure is that of the one that was taken back.
#[test]
fn a_failure_belongs_to_the_request_that_was_cancelled() {
    let two = Trace::new().create_for_anybody().peer(OTHER, AddressType::RANDOM).create();
    let status = |trace: Trace| {
        let connections = trace.run().connections;
        connections.iter().map(|c| c.status.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(status(two.clone().cancel()), [true, false]);
    assert_eq!(status(Trace::new().create().create_for_anybody().cancel()), [true, false]);
    assert_eq!(status(two.connect_failed(Status::CONNECTION_LIMIT_EXCEEDED)), [true, false]);
    // A page on BR/EDR is no LE request.
    let paged = Trace::new().connected_bredr().connect_failed(Status::CONNECTION_LIMIT_EXCEEDED);
    assert_eq!(paged.run().connections.len(), 2);
}

/// The controller reports a device by the private address that it used, too.
#[test]
fn a_link_answers_the_request_to_the_address_that_was_on_the_air() {
    let enhanced = |peer, rpa| LeEvent::EnhancedConnectionComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        role: 0,
        peer_address_type: AddressType::RANDOM,
        peer_address: peer,
        local_resolvable_private_address: Address::default(),
        peer_resolvable_private_address: rpa,
        connection_interval: 24,
        peripheral_latency: 0,
        supervision_timeout: 500,
        central_clock_accuracy: 0,
    };
    let up = |rpa| {
        let two = Trace::new().create_for_anybody().create();
        let connections = two.le(enhanced(OTHER, rpa)).run().connections;
        let on_air = connections.iter().find_map(|c| c.peer.on_air);
        (connections.iter().map(|c| c.up.is_some()).collect::<Vec<_>>(), on_air)
    };
    assert_eq!(up(PEER), (vec![false, true], Some(PEER)));
    // No private address was on the air: whoever is on the list.
    assert_eq!(up(Address::default()), (vec![true, false], None));
}

#[test]
fn a_request_that_nothing_fits_is_answered_all_the_same() {
    // The controller resolved the address that was asked for: one request, one link.
    let trace = Trace::new().create().peer(OTHER, AddressType::PUBLIC).connected();
    let connection = only(trace);
    assert_eq!(connection.peer.address, Some(OTHER));
    assert!(connection.up.is_some());
}

#[test]
fn what_was_granted_is_known_where_the_interval_is() {
    let granted = |interval| only(Trace::new().create().connected_as(0, interval, 0, 500)).granted;
    assert_eq!(granted(1).map(|g| g.interval), Some(1));
    assert_eq!(granted(0), None);
    assert_eq!(only(Trace::new().create().connected_as(0, 0, 0, 500)).pace.len(), 0);
}

/// Who asks for one device knew what it had heard of it; who takes anybody chooses by what comes.
#[test]
fn what_was_heard_before_belongs_to_the_request() {
    let heard = |trace: Trace| only(trace).report_before.map(|report| report.frame);
    let before = || Trace::new().advertises(0);
    assert_eq!(heard(before().create().advertises(0).connected()), Some(1));
    assert_eq!(heard(before().create_for_anybody().advertises(0).connected()), Some(4));
    assert_eq!(heard(before().connected_as(1, 24, 0, 500)), Some(1));
    assert_eq!(heard(Trace::new().create().connected()), None);
}

/// Six intervals without any packet, right before the link came up.
#[test]
fn a_silence_before_the_link_is_told_if_it_is_long() {
    let silence = |interval, ms| {
        let trace = Trace::new().create().wait_ms(ms).connected_as(0, interval, 0, 500);
        only(trace).silence_before.map(|gap| gap.0 / 1000)
    };
    // 80 × 1.25 ms × 6 are 600 ms; the trace's own 60 ms come on top of the wait.
    assert_eq!(silence(80, 600), Some(660));
    assert_eq!(silence(80, 539), None);
    assert_eq!(silence(4, 29), None, "under 90 ms nothing is silent");
    assert_eq!(silence(4, 31), Some(91));
    // Another packet came between the silence and the link.
    let between = |ms| {
        let trace = Trace::new().create().wait_ms(900).advertises(0).wait_ms(ms).connected_now();
        only(trace).silence_before.is_some()
    };
    assert!(between(1) && between(4) && !between(5));
}

#[test]
fn a_link_knows_the_links_beside_it() {
    let beside = |trace: Trace| {
        let connections = trace.run().connections;
        connections.last().expect("the second").links_open
    };
    let first = || Trace::new().up();
    let second = |trace: Trace| trace.peer(OTHER, AddressType::RANDOM).handle(0x41);
    assert_eq!(beside(second(first()).create().connected()), 1);
    assert_eq!(beside(second(first().disconnected(USER)).create().connected()), 0);
    assert_eq!(beside(second(first()).connected_as(1, 24, 0, 500)), 1);
    // What was open when it was asked for, not when it came.
    let asked = second(Trace::new().create_for_anybody());
    assert_eq!(beside(asked.connected()), 0);
}

/// What an earlier link to the device taught holds for the next one.
#[test]
fn a_device_keeps_its_database_between_links() {
    let found = || Trace::new().up().discovery(0x10).hangs_up(USER);
    let knows = |trace: Trace| {
        let connections = trace.run().connections;
        connections.last().expect("the second").remote.get(3).is_some()
    };
    assert!(knows(found().followed_by(Trace::new().up())));
    let other = Trace::new().peer(OTHER, AddressType::RANDOM).up();
    assert!(!knows(found().followed_by(other)));
    // A link in between on which nothing was learned takes nothing away.
    let idle = Trace::new().up().hangs_up(USER);
    assert!(knows(found().followed_by(idle).followed_by(Trace::new().up())));
}

#[test]
fn a_handle_that_is_used_again_ends_the_link_that_had_it() {
    let again = Trace::new().up().peer(OTHER, AddressType::RANDOM).up();
    let connections = again.run().connections;
    assert!(odd(&connections[0], OddityKind::HandleReusedWithoutDisconnect));
    assert!(!odd(&connections[1], OddityKind::HandleReusedWithoutDisconnect));
    let both = Trace::new().up().peer(OTHER, AddressType::RANDOM).handle(0x41).up();
    let connections = both.run().connections;
    assert!(!odd(&connections[0], OddityKind::HandleReusedWithoutDisconnect));
}

#[test]
fn a_page_is_answered_by_the_link_to_its_device() {
    let complete = |peer, status| Event::ConnectionComplete {
        status,
        connection_handle: HANDLE,
        bd_addr: peer,
        link_type: 1,
        encryption_enabled: 0,
    };
    let paged = || Trace::new().pages_in_vain().connected_bredr();
    let connections = paged().run().connections;
    assert_eq!(connections.iter().map(|c| c.up.is_some()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(connections[0].steps[0].outcome, Outcome::Error);
    assert!(connections[0].end_seen && !connections[1].end_seen);
    assert!(connections[1].peer_heard(), "the peer answered the page");
    // A device that connects by itself.
    let incoming = Trace::new().event(complete(OTHER, Status::SUCCESS));
    assert_eq!(only(incoming).steps[0].by, Direction::Received);
    let request = Command::CreateConnection {
        bd_addr: PEER,
        packet_type: 0xcc18,
        page_scan_repetition_mode: 2,
        reserved: 0,
        clock_offset: 0,
        allow_role_switch: 1,
    };
    let other = Trace::new().taken(request).event(complete(OTHER, Status::SUCCESS)).run();
    assert_eq!(other.connections.len(), 2, "another device than the one that is paged");
    // An LE request to the same address is no page.
    let le = Trace::new().create().event(complete(PEER, Status::SUCCESS)).run();
    assert_eq!(le.connections.len(), 2);
}

/// Vendors' logging travels as data on handles that no link can have (0x0EFF is the last one; these begin at 0x0EDC).
#[test]
fn data_on_a_handle_that_no_link_has_is_none() {
    let count = |handle| Trace::new().handle(handle).mtu().run().connections.len();
    assert_eq!((count(0x0edb), count(0x0edc), count(0x0edd)), (1, 0, 0));
}

#[test]
fn data_after_the_end_is_odd_and_no_new_link() {
    let connection = only(Trace::new().up().disconnected(USER).notified(3, &[1]));
    assert!(odd(&connection, OddityKind::AttAfterDisconnect));
    assert_eq!(connection.att_received, 0);
}

/// On USB, data of a new link may come up to 20 ms before its Connection Complete.
#[test]
fn data_right_before_the_link_belongs_to_it() {
    let early = |ms: u32, by| {
        let trace = Trace::new().create().wait_ms(900);
        let data = match by {
            Direction::Received => trace.notified(3, &[1]),
            Direction::Sent => trace.notified_by_us(3, &[1]),
        };
        data.wait_ms(ms).connected_now().run().connections
    };
    let received = Direction::Received;
    let one = early(1, received);
    assert_eq!(one.len(), 1);
    assert!(odd(&one[0], OddityKind::DataBeforeConnectionComplete));
    assert_eq!((one[0].att_received, one[0].steps.len()), (1, 2));
    assert_eq!((early(19, received).len(), early(20, received).len()), (1, 2));
    assert_eq!(
        early(1, Direction::Sent).len(),
        2,
        "this host sends nothing on a link that it does not know"
    );
    // A request that failed has no data.
    let failed = Trace::new().create().notified(3, &[1]).connect_failed(Status::CONNECTION_TIMEOUT);
    assert_eq!(failed.run().connections.len(), 2);
    // A link that was up anyway is another one.
    let up =
        Trace::new().up().notified(3, &[1]).peer(OTHER, AddressType::RANDOM).create().connected();
    let connections = up.run().connections;
    assert_eq!(connections.len(), 2);
    assert!(!odd(&connections[1], OddityKind::DataBeforeConnectionComplete));
}

/// Of a failure, the attempt that was taken back is the one that it ends, and not one that waits by list.
#[test]
fn a_failure_ends_the_attempt_that_was_taken_back() {
    let capture = Trace::new().create().create_for_anybody().cancel().run();
    let ended: Vec<bool> = capture.connections.iter().map(|c| c.end_seen).collect();
    assert_eq!(ended, [true, false]);
}

/// Six intervals of 48.75 ms are 292.5 ms: a longer silence, up to 5 ms before the link, is told.
#[test]
fn a_silence_right_before_the_link_is_longer_than_six_intervals() {
    let silence = |us, before| {
        let silent = Trace::new().create().after_us(us).advertises(0);
        let connection = silent.after_us(before).connected_now().run().connections.remove(0);
        connection.silence_before.is_some()
    };
    assert!(silence(292_501, 100) && !silence(292_500, 100));
    assert!(silence(400_000, 4_999) && !silence(400_000, 5_000));
}

/// A link whose handle is used again was heard a moment ago, and is no data of the new one.
#[test]
fn a_link_that_is_up_is_no_early_data() {
    let again = Trace::new().up().create().connected_now().run().connections;
    assert_eq!(again.len(), 2);
    assert!(odd(&again[0], OddityKind::HandleReusedWithoutDisconnect));
    assert!(again[0].up.is_some() && again[1].up.is_some());
    assert!(!odd(&again[1], OddityKind::DataBeforeConnectionComplete));
}

/// Data of two links came early: what came last cannot be told from the first, and all of it stays.
#[test]
fn early_data_of_two_links_is_left_as_it_is() {
    let both = Trace::new().create().notified(3, &[1]).handle(0x50).notified(3, &[1]).handle(0x40);
    let connections = both.connected_now().run().connections;
    assert_eq!(connections.len(), 3);
    assert!(connections[0].up.is_some() && connections[0].att_received == 0);
    assert_eq!((connections[1].att_received, connections[2].att_received), (1, 1));
}
