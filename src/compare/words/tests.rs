//! Steps, outcomes and ends in words: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, changed, good, long, to, with};
use crate::packet::att::Uuid;
use crate::packet::{Direction, Opcode};
use crate::seen::Seen;
use crate::timeline::{Attribute, AttributeKind, Capture, End, PairingPhase};
use std::sync::Arc;

fn of_procedure(procedure: Procedure, detail: Detail) -> Step {
    crate::compare::tests::step(procedure, detail)
}

/// A link to a server whose handle 3 is the battery's level, and handle 4 its configuration.
fn server() -> Capture {
    changed(long(), |capture| {
        let remote = Arc::make_mut(&mut capture.connections[0].remote);
        for (handle, kind, uuid, end) in [
            (1, AttributeKind::PrimaryService, 0x180f, 9),
            (3, AttributeKind::Value, 0x2a19, 0),
            (4, AttributeKind::Descriptor, 0x2902, 0),
        ] {
            let uuid = Some(Uuid::Short(uuid));
            remote.learn(Attribute { handle, kind, uuid, end, properties: 0 });
        }
    })
}

fn named(of: &Step) -> String {
    let capture = server();
    let connection = &capture.connections[0];
    step(connection, &Names::of(&capture, connection), of).to_string()
}

fn brought(of: &Step) -> Option<String> {
    let capture = server();
    let connection = &capture.connections[0];
    said(connection, &Names::of(&capture, connection), of).map(|says| says.to_string())
}

fn on(attribute: u16, step: Step) -> Step {
    Step { attribute, ..step }
}

const PLAIN: Detail = Detail::Write { head: 0, prepared: false, signed: false };

#[test]
fn a_step_is_called_by_what_it_did_and_to_what() {
    use Procedure::{Channel, Connect, Encrypt, Indicate, Pair, Read, Scan, Write, WriteCommand};
    let read = |offset, by_type| of_procedure(Read, Detail::Read { offset, by_type });
    assert_eq!(named(&on(3, read(0, 0))), "Read 0x0003 Battery Level");
    assert_eq!(named(&on(3, read(22, 0))), "Read on 0x0003 Battery Level");
    assert_eq!(named(&on(8, read(0, 0))), "Read 0x0008");
    assert_eq!(named(&read(0, 0x2a19)), "Read Battery Level");
    let write = |prepared, signed| Detail::Write { head: 0, prepared, signed };
    let plain = || of_procedure(Write, PLAIN);
    assert_eq!(named(&on(8, plain())), "Write 0x0008");
    assert_eq!(named(&on(4, plain())), "Subscribe 0x0004 Battery Level CCCD");
    assert_eq!(named(&on(8, of_procedure(Write, write(true, false)))), "Write (long) 0x0008");
    assert_eq!(named(&on(8, of_procedure(WriteCommand, PLAIN))), "Write command 0x0008");
    let signed = of_procedure(WriteCommand, write(false, true));
    assert_eq!(named(&on(8, signed)), "Write command (signed) 0x0008");
    // Several of one kind are counted, but for what is one thing however many packets it takes.
    let many = |step: Step| named(&Step { count: 3, ..step });
    assert_eq!(many(on(8, plain())), "Write 0x0008 ×3");
    assert_eq!(named(&on(8, Step { count: 2, ..plain() })), "Write 0x0008 ×2");
    assert_eq!(many(of_procedure(Connect, Detail::None)), "Connect");
    assert_eq!(
        many(of_procedure(Pair, Detail::SecurityRequest { auth_req: 1 })),
        "Security request"
    );
    assert_eq!(named(&of_procedure(Pair, Detail::None)), "Authenticate");
    assert_eq!(named(&of_procedure(Encrypt, Detail::None)), "Encrypt");
    let signal = |code, psm| {
        named(&of_procedure(Channel, Detail::Signal { code, psm, ours: 0x40, theirs: 0x40 }))
    };
    assert_eq!(signal(0x14, 0x80), "Open channel 0x0080");
    assert_eq!(signal(0x14, 1), "Open channel 0x0001");
    assert!(!signal(0x14, 0).starts_with("Open"));
    assert_eq!(signal(0xff, 0), "Channel signalling");
    let discovery = |attribute_type, by_uuid| {
        let detail = Detail::Discovery { first: 1, last: 9, found: 1, attribute_type, by_uuid };
        named(&of_procedure(Procedure::DiscoverServices, detail))
    };
    assert_eq!(discovery(0x2800, true), "Discover services by UUID");
    assert_eq!(discovery(0x2800, false), "Discover services");
    assert_eq!(discovery(0x2801, false), "Discover secondary services");
    let changed =
        Detail::Discovery { first: 1, last: 9, found: 0, attribute_type: 0x2a05, by_uuid: false };
    assert_eq!(named(&of_procedure(Indicate, changed)), "Service Changed");
    for (on, says) in [(true, "Scan on"), (false, "Scan off")] {
        assert_eq!(named(&of_procedure(Scan, Detail::Scan { on, interval: 96, window: 48 })), says);
    }
}

#[test]
fn a_code_is_named_in_its_own_code_space() {
    let code = |procedure, detail| {
        let step = Step { status: Some(5), ..of_procedure(procedure, detail) };
        status(&step).map(|says| says.to_string())
    };
    let says = |text: &str| Some(text.to_owned());
    let att = says("Insufficient Authentication (0x05)");
    let hci = says("Authentication Failure (0x05)");
    assert_eq!(code(Procedure::Read, Detail::None), att);
    assert_eq!(code(Procedure::Encrypt, Detail::None), hci);
    // BR/EDR pairs below HCI; on LE it is SMP that refuses.
    assert_eq!(code(Procedure::Pair, Detail::None), hci);
    let [request, response] = [[3, 0, 1, 16]; 2];
    let pairing =
        Detail::Pairing { phase: PairingPhase::Failed, request, response, refused_by: None };
    assert_eq!(code(Procedure::Pair, pairing), says("Pairing Not Supported (0x05)"));
    assert_eq!(code(Procedure::Channel, Detail::None), says("result 0x05"));
    assert_eq!(status(&of_procedure(Procedure::Read, Detail::None)), None);
}

#[test]
fn numbers_are_as_long_as_they_need_to_be() {
    let text = |text: Text| text.to_string();
    assert_eq!([text(interval_ms(24)), text(interval_ms(25))], ["30 ms", "31.25 ms"]);
    let timeouts = [99, 100, 101, 200, 42].map(|units| text(timeout_ms(units)));
    assert_eq!(timeouts, ["990 ms", "1 s", "1010 ms", "2 s", "420 ms"]);
    let set = [0, 1, 2, 3, 4].map(subscription);
    assert_eq!(
        set,
        ["off", "notifications", "indications", "notifications and indications", "off"]
    );
}

#[test]
fn what_a_step_brought_is_told_where_it_is_more_than_ok() {
    let bytes = |bytes, step: Step| brought(&Step { bytes, ..step });
    let says = |text: &str| Some(text.to_owned());
    let read = || of_procedure(Procedure::Read, Detail::Read { offset: 0, by_type: 0 });
    assert_eq!(bytes(1, read()), says("1 byte"));
    assert_eq!(bytes(0, read()), None);
    let write = |head| {
        of_procedure(Procedure::Write, Detail::Write { head, prepared: false, signed: false })
    };
    assert_eq!(bytes(2, on(8, write(1))), says("2 bytes"));
    assert_eq!(bytes(2, on(4, write(1))), says("notifications"));
    for pushed in [Procedure::Notify, Procedure::Indicate] {
        assert_eq!(bytes(3, of_procedure(pushed, Detail::None)), says("3 bytes"));
    }
    assert_eq!(bytes(3, of_procedure(Procedure::Features, Detail::None)), None);
    let mtu = |answered| {
        of_procedure(Procedure::ExchangeMtu, Detail::Mtu { asked: 517, answered, answers: 1 })
    };
    assert_eq!(brought(&mtu(Some(247))), says("517, answered 247"));
    assert_eq!(brought(&mtu(None)), None);
    let length = |rx_octets| {
        let detail = Detail::DataLength { tx_octets: 251, tx_time: 0, rx_octets, rx_time: 0 };
        brought(&of_procedure(Procedure::DataLength, detail))
    };
    assert_eq!((length(27), length(0)), (says("251/27 bytes"), None));
    let found =
        Detail::Discovery { first: 1, last: 9, found: 2, attribute_type: 0x2800, by_uuid: false };
    assert_eq!(
        brought(&of_procedure(Procedure::DiscoverServices, found)),
        says("2 found in 0x0001-0x0009")
    );
    assert_eq!(
        brought(&of_procedure(Procedure::Indicate, found)),
        None,
        "Service Changed found nothing"
    );
}

fn ended(change: impl FnOnce(&mut Connection)) -> String {
    let capture = changed(with(vec![]), |capture| change(&mut capture.connections[0]));
    ending(&capture.connections[0]).to_string()
}

fn end_of(connection: &mut Connection) -> &mut End {
    connection.end.as_mut().expect("it ended")
}

#[test]
fn an_attempt_without_a_link_is_told_by_its_status() {
    let of = |trace: crate::trace::Trace| ending(&trace.run().connections[0]).to_string();
    let create = || to(LAMP).create().wait_ms(500);
    assert_eq!(of(create().cancel()), "never connected: this host gave up waiting (0x02)");
    let anybody = to(LAMP).create_for_anybody().wait_ms(500).cancel();
    assert_eq!(of(anybody), "the wait for any device of the accept list was taken back (0x02)");
    let unasked = of(create().connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER));
    assert!(unasked.starts_with("never connected: Unknown Connection Identifier"), "{unasked}");
    assert_eq!(of(create()), "never connected: nothing answered before the capture ended");
}

#[test]
fn an_end_says_who_ended_what_and_why() {
    let worked = |capture: Capture| ending(&capture.connections[0]).to_string();
    let usable = worked(good(LAMP).run());
    assert!(
        usable.starts_with("worked for ")
            && usable.ends_with("then this host disconnected (0x16, sent 0x13)"),
        "{usable}"
    );
    let idle = ended(|_| ());
    assert!(idle.starts_with("was connected for "), "{idle}");
    // The reason that a host gave is shown of its own Disconnect alone.
    let peer = ended(|c| {
        let end = end_of(c);
        (end.by, end.reason) = (EndedBy::Peer, Status::REMOTE_USER_TERMINATED);
    });
    assert!(peer.starts_with("the peer hung up (0x13) after "), "{peer}");
    // A central may leave its peripheral: that is no failure, and not this host's doing.
    let central = ended(|c| {
        c.role = Some(crate::timeline::Role::Peripheral);
        let end = end_of(c);
        (end.by, end.reason) = (EndedBy::Peer, Status::REMOTE_USER_TERMINATED);
    });
    assert!(central.starts_with("the peer hung up (0x13) after "), "{central}");
    let unsaid = ended(|c| end_of(c).reason_sent = None);
    assert!(unsaid.ends_with("then this host disconnected (0x16)"), "{unsaid}");
    let refused = ended(|c| end_of(c).reason_sent = Some(Status::AUTHENTICATION_FAILURE));
    assert!(refused.starts_with("this host hung up (0x16, sent 0x05) after "), "{refused}");
    let timeless =
        ended(|c| c.up = c.up.map(|up| Seen { at: crate::timeline::Moment::UNKNOWN, ..up }));
    assert_eq!(timeless, "this host hung up (0x16, sent 0x13)");
    let with = |procedure, outcome| {
        let step = Step { outcome, ..of_procedure(procedure, Detail::None) };
        ending(&with(vec![(0, step)]).connections[0]).to_string()
    };
    let security = with(Procedure::Encrypt, Outcome::Error);
    assert!(security.ends_with(", after pairing or encryption had failed"), "{security}");
    let waited = with(Procedure::Read, Outcome::Unanswered);
    assert!(waited.ends_with(", after waiting for an answer in vain"), "{waited}");
}

#[test]
fn an_end_that_was_not_seen_is_not_told() {
    let open = to(LAMP).up().wait_ms(2_000).advertises(0).run();
    let says = ending(&open.connections[0]).to_string();
    assert!(
        says.starts_with("still up 2.") && says.ends_with(" later, when the capture ends"),
        "{says}"
    );
    assert_eq!(
        ended(|c| (c.end, c.end_unknown) = (None, true)),
        "how it ended is not in this capture"
    );
}

#[test]
fn the_number_of_intervals_needs_an_interval() {
    let of = |change: fn(&mut Connection)| {
        let capture = changed(long(), |capture| change(&mut capture.connections[0]));
        intervals(&capture.connections[0])
    };
    let life = long().connections[0].life().expect("it ended");
    let expected = life.0 as f64 / 48_750.0;
    assert!(of(|_| ()).is_some_and(|n| (n - expected).abs() < 1e-9));
    let shortest = |c: &mut Connection| c.granted.as_mut().expect("granted").interval = 1;
    assert!(of(shortest).is_some());
    assert_eq!(of(|c| c.granted.as_mut().expect("granted").interval = 0), None);
    assert_eq!(of(|c| c.granted = None), None);
}

/// An attribute of a request lies with the one that is asked; of an indication, with the one that sends it.
#[test]
fn an_open_request_names_what_it_is_about() {
    let capture = changed(server(), |capture| {
        let local = Arc::make_mut(&mut capture.connections[0].local);
        let (kind, uuid) = (AttributeKind::Value, Some(Uuid::Short(0x2a37)));
        local.learn(Attribute { handle: 3, kind, uuid, end: 0, properties: 0 });
    });
    let connection = &capture.connections[0];
    let names = Names::of(&capture, connection);
    let seen = connection.up.expect("it was up");
    let says = |pending, by, attribute, age| {
        open_request(&names, &OpenRequest { pending, seen, by, attribute, age }).to_string()
    };
    use Direction::{Received, Sent};
    let read = Pending::Att(0x0a);
    assert_eq!(says(read, Sent, 3, None), "Read Request 0x0003 Battery Level");
    assert_eq!(
        says(read, Received, 3, None),
        "Read Request 0x0003 Heart Rate Measurement of the peer"
    );
    let indication = Pending::Att(att::Pdu::INDICATION);
    assert!(says(indication, Sent, 3, None).ends_with("0x0003 Heart Rate Measurement"));
    assert!(says(indication, Received, 3, None).ends_with("0x0003 Battery Level of the peer"));
    let age = Some(crate::time::Span::from_ms(5_000));
    assert_eq!(says(Pending::Smp(1), Sent, 0, age), "pairing, open for 5.00 s");
    assert_eq!(says(Pending::LongTermKey, Sent, 0, None), "Long Term Key Request");
    assert_eq!(
        says(Pending::LinkLayer(Opcode(0x2016)), Sent, 0, None),
        "LE Read Remote Features (0x2016)"
    );
}
