//! What a connection says of itself: of every condition a case on each side.
use super::*;
use crate::timeline::tests::only;
use crate::timeline::{Detail, Outcome, Procedure};
use crate::trace::{PEER, Trace};

const USER: Status = Status::REMOTE_USER_TERMINATED;
const OTHER: Address = Address([9, 9, 9, 9, 9, 0xc9]);

fn granted(interval: u16, latency: u16, timeout: u16) -> Granted {
    Granted { interval, latency, timeout, clock_accuracy: 0 }
}

#[test]
fn events_of_a_link_are_those_at_which_the_peripheral_listens() {
    // 30 ms and 600 ms; with latency 1 every second event.
    assert_eq!(granted(24, 0, 60).events_in_timeout(), 20.0);
    assert_eq!(granted(24, 1, 60).events_in_timeout(), 10.0);
    assert_eq!(granted(24, 1, 60).spacing(), Span::from_ms(60));
    assert_eq!(granted(0, 0, 60).events_in_timeout(), f64::INFINITY);
}

/// Random, and neither static nor resolved: such an address changes every few minutes.
#[test]
fn a_private_address_is_random_and_not_static() {
    let private = |kind, high| {
        let address = Some(Address([1, 0, 0, 0, 0, high]));
        Peer { address, address_type: Some(kind), ..Peer::default() }.has_private_address()
    };
    assert!(private(AddressType::RANDOM, 0x40) && !private(AddressType::RANDOM, 0xc0));
    assert!(!private(AddressType::PUBLIC, 0x40) && !private(AddressType::RANDOM_IDENTITY, 0x40));
    let unknown = Peer { address_type: Some(AddressType::RANDOM), ..Peer::default() };
    assert!(!unknown.has_private_address());
}

#[test]
fn a_device_is_its_identity_else_its_address() {
    let identity = Some((OTHER, AddressType::PUBLIC));
    let who = |address, identity| Peer { address, identity, ..Peer::default() }.who();
    assert_eq!((who(Some(PEER), identity), who(None, identity)), (Some(OTHER), Some(OTHER)));
    assert_eq!((who(Some(PEER), None), who(None, None)), (Some(PEER), None));
}

/// No MTU is smaller than 23 (Vol 3, Part G, 5.2.1).
#[test]
fn the_mtu_in_force_is_the_smaller_one() {
    let effective = |asked, answered| {
        let mut mtu = only(Trace::new().up().mtu()).mtu.expect("it was exchanged");
        (mtu.requested, mtu.answered) = (asked, answered);
        mtu.effective()
    };
    assert_eq!((effective(517, Some(247)), effective(100, Some(247))), (Some(247), Some(100)));
    assert_eq!((effective(517, Some(22)), effective(517, None)), (Some(23), None));
}

#[test]
fn questions_of_the_link_layer_are_told_from_those_above_it() {
    use Pending::{Att, Control, LinkLayer, LongTermKey, ParameterRequest, Signal, Smp};
    let below = [LinkLayer(Opcode(1)), Control(1), LongTermKey, ParameterRequest];
    assert!(below.iter().all(|pending| pending.is_link_layer()));
    assert!(![Att(1), Smp(1), Signal(1)].iter().any(|pending| pending.is_link_layer()));
}

#[test]
fn zero_is_the_link_else_the_request() {
    let waits = only(Trace::new().create());
    let request = waits.request.as_ref().expect("it was asked for");
    assert_eq!((waits.zero(), waits.first_frame()), (request.at, request.frame));
    let up = only(Trace::new().up());
    assert_eq!((up.zero(), up.first_frame()), (up.connected_at(), 1));
    let mut before = waits.clone();
    before.start_seen = false;
    assert_eq!((before.zero(), before.first_frame()), (Moment::UNKNOWN, 0));
    let incoming = only(Trace::new().advertises(0).connected_as(1, 24, 0, 500));
    assert_eq!(Some(incoming.first_frame()), incoming.connected_frame());
}

#[test]
fn a_link_was_up_if_that_was_seen_or_must_have_been() {
    assert!(only(Trace::new().up()).connected());
    assert!(!only(Trace::new().create()).connected());
    assert!(only(Trace::new().mtu()).connected(), "it was up before the capture");
}

#[test]
fn a_request_was_for_its_device_or_for_anybody() {
    let wanted = |trace: Trace| only(trace).wanted().map(|(address, _)| address);
    assert_eq!(wanted(Trace::new().create()), Some(PEER));
    assert_eq!(wanted(Trace::new().create_for_anybody()), None);
    assert_eq!(wanted(Trace::new().create_for_anybody().connected()), Some(PEER), "one came");
    assert_eq!(wanted(Trace::new().connected_as(1, 24, 0, 500)), None);
}

#[test]
fn a_link_is_open_until_something_ends_it() {
    let up = || Trace::new().up();
    let open = |trace: Trace| trace.wait_ms(500).scan(true, 16, 16).run().connections[0].open();
    assert!(open(up()));
    assert!(!open(up().disconnected(USER)) && !open(Trace::new().create()));
    assert!(!open(up().monitor(9, &[])), "its adapter was closed");
    let mut unknown = only(up());
    unknown.end_unknown = true;
    assert!(!unknown.open());
}

#[test]
fn what_was_never_heard_came_up_and_ended() {
    let silent = || Trace::new().create().connected().wait_ms(300);
    let failed = Status::FAILED_TO_BE_ESTABLISHED;
    assert!(only(silent().disconnected(failed)).never_heard());
    assert!(!only(silent()).never_heard(), "it may answer yet");
    assert!(!only(silent().features().disconnected(failed)).never_heard());
    assert!(!only(Trace::new().disconnected(failed)).never_heard());
    assert!(only(silent().disconnected(Status::CONNECTION_TIMEOUT)).peer_heard(), "by its end");
}

#[test]
fn an_attribute_of_a_step_lies_with_the_server() {
    use Direction::{Received, Sent};
    let connection = only(Trace::new().up());
    let owner = |procedure, by| {
        let step = &connection.steps[0];
        let (outcome, detail) = (Outcome::Ok, Detail::None);
        let step = Step { procedure, by, outcome, detail, attribute: 3, ..step.clone() };
        connection.owner_of_attribute(&step)
    };
    let both = |procedure| (owner(procedure, Sent), owner(procedure, Received));
    assert_eq!(both(Procedure::Read), (Owner::Peer, Owner::Host));
    for pushed in [Procedure::Notify, Procedure::Indicate] {
        assert_eq!(both(pushed), (Owner::Host, Owner::Peer));
    }
}

/// A sniffer that heard the request alone did not follow the link.
#[test]
fn a_link_that_was_only_asked_for_is_told_apart() {
    use crate::trace::on_air::{Asked, OnAir};
    let of = |air: OnAir| only(air.into()).only_requested();
    let asked = || OnAir::new().advertises(true).asks(Asked::default());
    assert!(of(asked()) && !of(asked().idles(1)));
    assert!(!only(Trace::new().up()).only_requested());
}
