//! The attribute protocol on one link: of every condition a case on each side.
use super::*;
use crate::packet::Direction::{Received, Sent};
use crate::packet::att::{Handle, LastUuid};
use crate::timeline::tests::{odd, only};
use crate::trace::Trace;

fn up() -> Trace {
    Trace::new().up()
}

fn of_procedure(connection: &Connection, procedure: Procedure) -> Vec<&Step> {
    connection.steps.iter().filter(|step| step.procedure == procedure).collect()
}

/// A server: a service from 1 to 6, a characteristic of this type at 3, and what stands at 4.
fn server(uuid: u16, properties: u8) -> Trace {
    let [low, high] = uuid.to_le_bytes();
    up().by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &[6, 1, 0, 6, 0, 0x01, 0x18]).by_wire(
        &[0x08, 1, 0, 6, 0, 0x03, 0x28],
        0x09,
        &[7, 2, 0, properties, 3, 0, low, high],
    )
}

fn described(trace: Trace, uuid: u16) -> Trace {
    let [low, high] = uuid.to_le_bytes();
    trace.by_wire(&[0x04, 4, 0, 6, 0], 0x05, &[1, 4, 0, low, high])
}

/// A read by type tells what stands at the handle that answers; a read by handle does not.
#[test]
fn a_read_by_type_tells_what_an_attribute_is() {
    let of = |trace: Trace| only(trace).remote.get(0x10).and_then(|a| a.uuid);
    let by_type = up().by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], 0x09, &[3, 0x10, 0, 7]);
    assert_eq!(of(by_type), Some(Uuid::Short(0x2a00)));
    let known = only(up().by_wire(&[0x0a, 0x10, 0], 0x0b, &[7]));
    assert!(known.remote.get(0x10).is_none());
}

#[test]
fn packets_are_counted_by_who_sent_them() {
    let connection = only(up().mtu().notified(3, &[1]));
    assert_eq!((connection.att_sent, connection.att_received), (1, 2));
    assert_eq!(connection.enhanced_att, 0);
    let first = connection.first_att.expect("the MTU request");
    assert_eq!((first.opcode, first.direction), (Pdu::MTU_REQUEST, Sent));
    let mtu = connection.mtu.expect("it was exchanged");
    assert_eq!((mtu.by, mtu.requested, mtu.answered), (Sent, 517, Some(247)));
}

#[test]
fn a_server_that_changed_is_forgotten_where_it_says_so() {
    let after = |trace: Trace, by, handle, value: &[u8]| {
        let attribute_handle = Handle(handle);
        let indication = Pdu::HandleValueIndication { attribute_handle, attribute_value: value };
        let connection = only(trace.att(by, indication));
        let handles = connection.remote.attributes().iter().map(|a| a.handle);
        let step = of_procedure(&connection, Procedure::Indicate)[0];
        let told = matches!(step.detail, Detail::Discovery { attribute_type: 0x2a05, .. });
        (handles.collect::<Vec<_>>(), told)
    };
    let known = || described(server(0x2a05, 0x20), 0x2902);
    let all = vec![1, 2, 3, 4];
    // The characteristic of the service itself stays.
    assert_eq!(after(known(), Received, 3, &[1, 0, 0xff, 0xff]), (vec![3], true));
    assert_eq!(after(known(), Received, 3, &[4, 0, 9, 0]), (vec![1, 2, 3], true));
    assert_eq!(after(known(), Received, 3, &[1, 0, 9]), (all.clone(), false), "no range");
    assert_eq!(after(known(), Received, 2, &[1, 0, 9, 0]), (all.clone(), false), "its declaration");
    assert_eq!(after(known(), Sent, 3, &[1, 0, 9, 0]), (all.clone(), false), "our own server");
    let other = || described(server(0x2a19, 0x20), 0x2902);
    assert_eq!(after(other(), Received, 3, &[1, 0, 9, 0]), (all, false), "another characteristic");
}

/// One request at a time on each channel and in each direction; indications have a turn of their own.
#[test]
fn two_requests_in_flight_are_odd_on_one_channel_of_one_side() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let indication =
        Pdu::HandleValueIndication { attribute_handle: Handle(3), attribute_value: &[1] };
    let is = |trace: Trace| odd(&only(trace), OddityKind::SecondRequestInFlight);
    assert!(is(up().att(Sent, read).att(Sent, read)));
    assert!(!is(up().att(Sent, read).att(Received, read)));
    assert!(!is(up().att(Sent, indication).att(Sent, read)));
    assert!(!is(up().att(Sent, indication).att(Sent, indication)));
    let enhanced = up()
        .acl(Sent, 5, &[0x17, 1, 12, 0, 0x27, 0, 64, 0, 64, 0, 9, 0, 0x40, 0, 0x41, 0])
        .acl(Received, 5, &[0x18, 1, 12, 0, 64, 0, 64, 0, 9, 0, 0, 0, 0x50, 0, 0x51, 0]);
    let one = |trace: Trace, cid| trace.acl(Sent, cid, &[3, 0, 0x0a, 3, 0]);
    assert!(!is(one(one(enhanced.clone(), 0x50), 0x51)), "each channel has its own");
    assert!(is(one(one(enhanced.clone(), 0x50), 0x50)));
    assert_eq!(only(one(enhanced, 0x50)).enhanced_att, 1);
}

#[test]
fn an_exchange_of_the_mtu_is_refused_by_the_side_that_was_asked() {
    let ask = Pdu::ExchangeMtuRequest { client_rx_mtu: 517 };
    let refuses = |by| {
        let error = [0x01, 0x02, 0, 0, 0x06];
        move |trace: Trace| trace.acl(by, 4, &error)
    };
    let error = |trace: Trace| only(trace).mtu.expect("it was asked for").error;
    assert_eq!(error(refuses(Received)(up().att(Sent, ask))), Some(6));
    assert_eq!(error(refuses(Sent)(up().att(Sent, ask))), None, "who asked cannot refuse");
    assert_eq!(error(refuses(Sent)(up().att(Received, ask))), Some(6));
    assert_eq!(error(refuses(Received)(up().mtu())), None, "it was answered");
    let other = up().att(Sent, ask).acl(Received, 4, &[0x01, 0x0a, 3, 0, 0x06]);
    assert_eq!(error(other), None, "another request was refused");
}

/// A second answer to one exchange counts: it is the peer's fault.
#[test]
fn answers_of_the_mtu_are_counted() {
    let answers = |trace: Trace| {
        let connection = only(trace);
        let step = of_procedure(&connection, Procedure::ExchangeMtu)[0];
        let Detail::Mtu { answered, answers, .. } = step.detail else { panic!("{step:?}") };
        (answered, answers, odd(&connection, OddityKind::UnexpectedResponse))
    };
    let again = |trace: Trace, bytes: &[u8]| trace.acl(Received, 4, bytes);
    assert_eq!(answers(up().mtu()), (Some(247), 1, false));
    assert_eq!(answers(again(up().mtu(), &[0x03, 0xf7, 0])), (Some(247), 2, true));
    assert_eq!(answers(again(up().mtu(), &[0x01, 0x02, 0, 0, 0x06])), (Some(247), 2, true));
    assert_eq!(answers(again(up().mtu(), &[0x01, 0x0a, 3, 0, 0x06])), (Some(247), 1, true));
    assert_eq!(answers(again(up().mtu(), &[0x0b, 1])), (Some(247), 1, true));
    // The first exchange is the one that holds.
    let twice = up().mtu().exchange(
        Pdu::ExchangeMtuRequest { client_rx_mtu: 185 },
        Pdu::ExchangeMtuResponse { server_rx_mtu: 50 },
    );
    let mtu = only(twice).mtu.expect("it was exchanged");
    assert_eq!((mtu.requested, mtu.answered), (517, Some(247)));
    let unanswered = up().att(Sent, Pdu::ExchangeMtuRequest { client_rx_mtu: 185 }).wait_ms(100);
    let later = only(unanswered.mtu()).mtu.expect("it was asked for");
    assert_eq!((later.requested, later.answered), (185, Some(247)), "the oldest is answered first");
}

/// Of a link that was up before the capture began, an answer without its request is no fault.
#[test]
fn an_answer_without_a_request_is_odd_where_the_beginning_was_seen() {
    let answer = Pdu::ReadResponse { attribute_value: &[1] };
    let is = |trace: Trace| odd(&only(trace.att(Received, answer)), OddityKind::UnexpectedResponse);
    assert!(is(up()));
    assert!(!is(Trace::new()));
    assert!(!is(up().att(Sent, Pdu::ReadRequest { attribute_handle: Handle(3) })));
}

#[test]
fn a_search_that_finds_nothing_more_has_succeeded() {
    let group = |of| Pdu::ReadByGroupTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(9),
        attribute_group_type: LastUuid::short(of),
    };
    let by_type = |of| Pdu::ReadByTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(9),
        attribute_type: LastUuid::short(of),
    };
    let find = Pdu::FindInformationRequest { starting_handle: Handle(1), ending_handle: Handle(9) };
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let outcome = |request, error| {
        let connection = only(up().refused(request, error));
        connection.steps.last().expect("the request").outcome
    };
    let nothing = ErrorCode::ATTRIBUTE_NOT_FOUND;
    for search in [group(0x2800), by_type(0x2802), by_type(0x2803), by_type(0x2a00), find] {
        assert_eq!(outcome(search, nothing), Outcome::Ok, "{search:?}");
        assert_eq!(outcome(search, ErrorCode::INVALID_HANDLE), Outcome::Error, "{search:?}");
    }
    assert_eq!(outcome(read, nothing), Outcome::Error);
    // A server that knows no secondary services says so in this way.
    let unsupported = ErrorCode::UNSUPPORTED_GROUP_TYPE;
    assert_eq!(outcome(group(0x2801), unsupported), Outcome::Ok);
    assert_eq!(outcome(group(0x2801), ErrorCode::INVALID_HANDLE), Outcome::Error);
    assert_eq!(outcome(group(0x2800), unsupported), Outcome::Error);
    assert_eq!(outcome(read, unsupported), Outcome::Error);
}

#[test]
fn a_write_subscribes_where_it_goes_to_a_configuration() {
    let of = |trace: Trace, handle, value: &[u8]| {
        let connection = only(trace.write(handle, value));
        !of_procedure(&connection, Procedure::Subscribe).is_empty()
    };
    let notifies = || server(0x2a19, 0x10);
    assert!(of(described(notifies(), 0x2902), 4, &[1, 0]));
    assert!(!of(described(notifies(), 0x2901), 4, &[1, 0]), "a description");
    assert!(!of(notifies(), 3, &[1, 0]), "the value itself");
    // A value of that type is no descriptor.
    assert!(!of(server(0x2902, 0x10), 3, &[1, 0]));
    // Nobody asked what the descriptor is: it must be the configuration, if the write looks like one.
    for value in [[0, 0], [1, 0], [2, 0]] {
        assert!(of(notifies(), 4, &value));
    }
    assert!(of(server(0x2a19, 0x20), 4, &[2, 0]), "it indicates");
    assert!(!of(server(0x2a19, 0x0a), 4, &[1, 0]), "it does neither");
    for value in [&[3, 0][..], &[1, 1], &[1], &[1, 0, 0]] {
        assert!(!of(notifies(), 4, value), "{value:?}");
    }
    assert!(!of(up(), 4, &[1, 0]), "nothing is known of that server");
    // What was inferred stays known.
    let connection = only(notifies().write(4, &[1, 0]));
    assert_eq!(connection.remote.get(4).and_then(|a| a.uuid), Some(CCCD));
}

/// What each answer teaches of the server.
#[test]
fn answers_teach_the_database() {
    let kinds = |trace: Trace| {
        let connection = only(trace);
        let all = connection.remote.attributes().iter().map(|a| (a.handle, a.kind, a.end));
        all.collect::<Vec<_>>()
    };
    use AttributeKind::{
        Characteristic, Descriptor, Include, PrimaryService, SecondaryService, Value,
    };
    let services =
        |of: u8| up().by_wire(&[0x10, 1, 0, 0xff, 0xff, of, 0x28], 0x11, &[6, 1, 0, 6, 0, 1, 0x18]);
    assert_eq!(kinds(services(0)), [(1, PrimaryService, 6)]);
    assert_eq!(kinds(services(1)), [(1, SecondaryService, 6)]);
    let characteristic =
        up().by_wire(&[0x08, 1, 0, 6, 0, 0x03, 0x28], 0x09, &[7, 2, 0, 2, 3, 0, 0x19, 0x2a]);
    assert_eq!(kinds(characteristic), [(2, Characteristic, 3), (3, Value, 0)]);
    let include =
        up().by_wire(&[0x08, 1, 0, 6, 0, 0x02, 0x28], 0x09, &[8, 2, 0, 9, 0, 12, 0, 0x0f, 0x18]);
    assert_eq!(kinds(include), [(2, Include, 12)]);
    let by_value =
        up().by_wire(&[0x06, 1, 0, 0xff, 0xff, 0, 0x28, 0x0f, 0x18], 0x07, &[4, 0, 8, 0]);
    assert_eq!(kinds(by_value), [(4, PrimaryService, 8)]);
    // A search for descriptors lists declarations too.
    let found = up().by_wire(
        &[0x04, 1, 0, 6, 0],
        0x05,
        &[1, 1, 0, 0x00, 0x28, 2, 0, 0x03, 0x28, 4, 0, 0x02, 0x29],
    );
    assert_eq!(kinds(found), [(4, Descriptor, 0)]);
    let read = up().by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], 0x09, &[3, 3, 0, b'x']);
    assert_eq!(kinds(read), [(3, Value, 0)]);
    // What is known already is known better.
    let known =
        server(0x2a00, 2).by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], 0x09, &[3, 3, 0, b'x']);
    assert_eq!(only(known).remote.get(3).map(|a| a.properties), Some(2));
    // What the peer learns of us is ours.
    let asked =
        up().from_peer(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], &[0x11, 6, 1, 0, 6, 0, 1, 0x18]);
    let connection = only(asked);
    assert_eq!((connection.remote.attributes().len(), connection.local.attributes().len()), (0, 1));
}

#[test]
fn a_discovery_says_how_far_it_searched_and_what_it_found() {
    let connection = only(Trace::new().up().discovery(0x10));
    let told = |procedure| {
        let step = of_procedure(&connection, procedure)[0];
        let Detail::Discovery { first, last, found, by_uuid, .. } = step.detail else {
            panic!("{step:?}")
        };
        (first, last, found, by_uuid)
    };
    assert_eq!(told(Procedure::DiscoverServices), (1, 0xffff, 1, false));
    assert_eq!(told(Procedure::DiscoverCharacteristics), (1, 6, 1, false));
    assert_eq!(told(Procedure::DiscoverDescriptors), (4, 6, 1, false));
    // A later answer of the same round may lie beyond what was asked first.
    let wide = up().by_wire(&[0x10, 1, 0, 4, 0, 0x00, 0x28], 0x11, &[6, 1, 0, 9, 0, 1, 0x18]);
    let connection = only(wide);
    let step = of_procedure(&connection, Procedure::DiscoverServices)[0];
    assert!(matches!(step.detail, Detail::Discovery { last: 9, .. }), "{step:?}");
    let read = up().by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], 0x09, &[4, 3, 0, b'x', b'y']);
    let connection = only(read);
    let step = of_procedure(&connection, Procedure::Read)[0];
    assert_eq!((step.attribute, step.bytes, step.count), (3, 2, 1));
}

#[test]
fn the_peers_name_is_the_one_that_it_gives() {
    let read_by = |name: &[u8]| {
        let body = [&[name.len() as u8 + 2, 3, 0], name].concat();
        only(up().by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], 0x09, &body)).peer.name
    };
    assert_eq!(read_by(b"Lamp").as_deref(), Some("Lamp"));
    assert_eq!(read_by(b"Lamp\0\0").as_deref(), Some("Lamp"));
    assert_eq!(read_by(b"").as_deref(), None);
    assert_eq!(read_by(b"\0").as_deref(), None);
    let long = [b'x'; 253];
    assert_eq!(read_by(&long).map(|name| name.len()), Some(248));
    // By its handle, where the type is known.
    let value = Pdu::ReadResponse { attribute_value: b"Lamp" };
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    assert_eq!(only(server(0x2a00, 2).exchange(read, value)).peer.name.as_deref(), Some("Lamp"));
    assert_eq!(only(server(0x2a19, 2).exchange(read, value)).peer.name, None);
    // What the peer reads of us is our own name.
    let asked = up().from_peer(&[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a], &[0x09, 3, 3, 0, b'x']);
    assert_eq!(only(asked).peer.name, None);
}

#[test]
fn a_database_hash_has_sixteen_bytes() {
    let hash = |bytes: usize| {
        let body = [&[bytes as u8 + 2, 3, 0][..], &vec![7; bytes]].concat();
        only(up().by_wire(&[0x08, 1, 0, 0xff, 0xff, 0x2a, 0x2b], 0x09, &body)).remote.hash
    };
    assert_eq!(hash(16), Some([7; 16]));
    assert_eq!((hash(15), hash(17)), (None, None));
}

#[test]
fn what_this_host_wrote_last_is_remembered() {
    let last = |trace: Trace| only(trace).last_write.map(|w| (w.attribute, w.length, w.head[0]));
    assert_eq!(last(up().write(3, &[7, 8])), Some((3, 2, 7)));
    assert_eq!(last(up().write(3, &[7]).writes_to(5, 2)), Some((5, 1, 1)));
    let theirs = up().from_peer(&[0x12, 9, 0, 1], &[0x13]);
    assert_eq!(last(theirs), None);
    assert_eq!(last(up().acl(Received, 4, &[0x52, 9, 0, 1])), None);
    assert_eq!([head(&[]), head(&[5]), head(&[5, 1]), head(&[5, 1, 9])], [0, 5, 0x105, 0x105]);
}
