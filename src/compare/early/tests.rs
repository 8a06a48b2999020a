//! What one side did early, and what is said of the other: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, bad, changed, lossy, pair, step, to, view};
use crate::packet::att::{ErrorCode, Handle};
use crate::timeline::{Capture, Detail};
use crate::trace::Trace;

const WINDOW: Span = Span::from_ms(500);

fn ends(trace: Trace) -> Capture {
    trace.hangs_up(Status::REMOTE_USER_TERMINATED).run()
}

/// A link of ten seconds on which the MTU was exchanged.
fn long() -> Capture {
    ends(to(LAMP).up().mtu().wait_ms(10_000))
}

#[test]
fn what_never_came_could_not_come_or_was_left_out() {
    let at = |ms| Some(Span::from_ms(ms));
    let of = |capture: Capture, moment| fate(&view(&capture), moment);
    let (never, not_reached, unknown) = (Fate::Never, Fate::NotReached, Fate::CannotTell);
    assert_eq!(of(long(), at(300)), never);
    assert_eq!(of(long(), None), unknown, "it is not known when");
    // No link: over, or still wanted when the capture ends.
    assert_eq!(of(to(LAMP).create().wait_ms(900).run(), at(300)), unknown);
    let refused = to(LAMP).create().connect_failed(Status::CONNECTION_LIMIT_EXCEEDED);
    assert_eq!(of(refused.run(), at(300)), not_reached);
    let waits = to(LAMP).create().wait_ms(900).run();
    let over = changed(waits, |c| c.connections[0].end_seen = true);
    assert_eq!(of(over, at(300)), not_reached, "the adapter went away");
    // A link on which nobody was heard; but where packets were lost, an answer may have been among them.
    assert_eq!(of(bad(LAMP).run(), at(300)), not_reached);
    assert_eq!(of(bad(LAMP).run(), None), not_reached);
    assert_eq!(of(lossy(bad(LAMP).run()), at(300)), unknown);
    // What the capture does not hold.
    assert_eq!(of(lossy(long()), at(300)), unknown);
    assert_eq!(of(changed(long(), |c| c.filtered = true), at(300)), unknown);
    assert_eq!(of(changed(long(), |c| c.connections[0].cut_packets = 1), at(300)), unknown);
    let began_before = changed(long(), |c| c.connections[0].start_seen = false);
    assert_eq!(of(began_before, at(300)), unknown);
    // An end with 0x3e says that the link never was.
    let failed = to(LAMP).up().mtu().wait_ms(3_000);
    assert_eq!(
        of(failed.disconnected(Status::FAILED_TO_BE_ESTABLISHED).run(), at(300)),
        not_reached
    );
}

#[test]
fn a_link_must_have_lived_longer_than_the_moment() {
    let of = |capture: &Capture, moment| fate(&view(capture), Some(moment));
    let over = long();
    let connection = &over.connections[0];
    let life = connection.life().expect("it ended");
    assert_eq!(of(&over, life), Fate::NotReached, "it ended at that moment");
    assert_eq!(of(&over, Span(life.0 - 1)), Fate::Never);
    let open = to(LAMP).up().mtu().wait_ms(10_000).advertises(0).run();
    let end = open.connections[0].after(open.connections[0].capture_end).expect("times");
    assert_eq!(of(&open, end), Fate::CannotTell, "the capture ended at that moment");
    assert_eq!(of(&open, Span(end.0 - 1)), Fate::Never);
    // The host could not do anything before the link was usable.
    let late = changed(long(), |c| {
        let connection = &mut c.connections[0];
        connection.usable_at = connection.end.as_ref().expect("it ended").at;
    });
    assert_eq!(of(&late, Span::from_ms(300)), Fate::NotReached);
    let unusable = changed(long(), |c| c.connections[0].usable_at = Moment::UNKNOWN);
    assert_eq!(of(&unusable, Span::from_ms(300)), Fate::NotReached);
    // On BR/EDR L2CAP may begin as soon as the link is up.
    let bredr = changed(unusable.clone(), |c| c.connections[0].transport = Transport::BrEdr);
    assert_eq!(of(&bredr, Span::from_ms(300)), Fate::Never);
    let timeless = changed(long(), |c| {
        c.connections[0].end.as_mut().expect("it ended").seen.at = Moment::UNKNOWN;
    });
    assert_eq!(of(&timeless, Span::from_ms(300)), Fate::CannotTell);
}

/// Handle, fate, whether blocked, whether normal: of each operation of the first within the window.
fn rows(from: &Capture, to: &Capture, window: Span) -> Vec<(u16, Fate, bool, bool)> {
    let (missing, _) = both(&pair(from, to), window);
    let row = |o: &EarlyOperation| {
        let handle = o.attribute.as_ref().map_or(0, |attribute| attribute.handle);
        (handle, o.fate, o.blocked_by.is_some(), o.normal)
    };
    missing.iter().map(row).collect()
}

#[test]
fn early_is_from_the_link_to_the_end_of_the_window() {
    let writes = || ends(to(LAMP).up().mtu().write(0x10, &[1]).wait_ms(10_000));
    let row = [(0x10, Fate::Never, false, false)];
    let written = |capture: &Capture| {
        let connection = &capture.connections[0];
        let step = connection.steps.iter().find(|s| s.procedure == Procedure::Write);
        connection.after(step.expect("it wrote").at).expect("a time")
    };
    let (does, after) = (writes(), written(&writes()));
    assert_eq!(rows(&does, &long(), WINDOW), row);
    assert_eq!(rows(&does, &long(), after), row, "just in the window");
    assert_eq!(rows(&does, &long(), Span(after.0 - 1)), []);
    assert_eq!(rows(&does, &does, WINDOW), []);
    // At the moment of the connection is early; what seems to lie before it is a clock that stepped.
    let moved = |by: i64| {
        changed(writes(), |c| {
            let zero = c.connections[0].zero().time().expect("a time");
            let writes = c.connections[0].steps.iter_mut();
            for step in writes.filter(|s| s.procedure == Procedure::Write) {
                step.first.at = Moment::from(zero + Span(by));
            }
        })
    };
    assert_eq!(rows(&moved(0), &long(), WINDOW), row);
    assert_eq!(rows(&moved(-1), &long(), WINDOW), []);
    // The other side did it, just in the window, after it, or nobody knows when.
    let other = |by| moved(by);
    assert_eq!(rows(&does, &other(500_000), WINDOW), []);
    assert_eq!(rows(&does, &other(500_001), WINDOW), [(0x10, Fate::Later, false, true)]);
    let timeless = changed(writes(), |c| {
        let writes = c.connections[0].steps.iter_mut();
        writes.for_each(|step| step.first.at = Moment::UNKNOWN);
    });
    assert_eq!(rows(&does, &timeless, WINDOW)[0].1, Fate::CannotTell);
}

/// A second round of what the other side also did is no other operation; a first one is.
#[test]
fn more_rounds_of_the_same_are_not_missing() {
    let rounds = |rounds: &[u16]| {
        let link = rounds.iter().fold(to(LAMP).up(), |link, handle| link.write(*handle, &[1]));
        ends(link.wait_ms(10_000))
    };
    let missing = |from: &[u16], to: &[u16]| {
        let all = rows(&rounds(from), &rounds(to), Span::from_ms(5_000));
        all.into_iter().map(|(handle, ..)| handle).collect::<Vec<_>>()
    };
    assert!(missing(&[9, 8, 9], &[9, 8]).is_empty());
    assert_eq!(missing(&[9, 8, 9], &[8]), [9], "one row, however often");
    assert!(missing(&[9, 8], &[8, 9]).is_empty());
    assert_eq!(missing(&[9, 8], &[7]), [9, 8]);
}

/// What the host does by itself may be left out; what the application did may not.
#[test]
fn what_hosts_do_by_habit_is_normally_left_out() {
    let read = |uuid: u16| {
        let [low, high] = uuid.to_le_bytes();
        let link = to(LAMP).up();
        ends(
            link.by_wire(&[0x08, 1, 0, 0xff, 0xff, low, high], 0x09, &[3, 3, 0, 0x41])
                .wait_ms(10_000),
        )
    };
    let normal = |uuid| {
        let rows = rows(&read(uuid), &long(), WINDOW);
        rows.into_iter().map(|(_, fate, _, normal)| (fate, normal)).collect::<Vec<_>>()
    };
    assert_eq!(normal(0x2a00), [(Fate::Never, true)], "the device's name");
    assert_eq!(normal(0x2a19), [(Fate::Never, false)], "its battery");
}

/// A client that remembers the database writes to a handle; the other side's discovery tells that it subscribed.
#[test]
fn a_write_to_a_configuration_is_a_subscription_whoever_knows_its_type() {
    let remembered = ends(to(LAMP).up().mtu().write(4, &[1, 0]).wait_ms(10_000));
    let plain = ends(to(LAMP).up().mtu().write(5, &[1, 0]).wait_ms(10_000));
    let other = ends(to(LAMP).up().mtu().discovery(0x1a).wait_ms(10_000));
    let kinds = |from: &Capture| {
        let (missing, _) = both(&pair(from, &other), WINDOW);
        missing.iter().map(|o| o.procedure).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&remembered), [Procedure::Subscribe]);
    assert_eq!(kinds(&plain), [Procedure::Write]);
}

#[test]
fn only_what_waits_for_att_is_held_up_by_it() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(6) };
    let stuck = |trace: Trace| ends(trace.att(Direction::Sent, read).wait_ms(40_000));
    let works =
        ends(to(LAMP).up().mtu().write(9, &[1]).asks_to_pair().answers_pairing().wait_ms(40_000));
    let subject = stuck(to(LAMP).up().mtu());
    let (missing, _) = both(&pair(&works, &subject), WINDOW);
    let told: Vec<_> =
        missing.iter().map(|o| (o.protocol, o.fate, o.blocked_by.is_some())).collect();
    let att = (Protocol::Att, Fate::NotReached, true);
    assert_eq!(told, [att, (Protocol::Smp, Fate::Never, false)]);
    // It came after all, though the request had no answer.
    let after = to(LAMP).up().mtu().att(Direction::Sent, read).wait_ms(40_000).write(9, &[1]);
    let (missing, _) = both(&pair(&works, &ends(after.wait_ms(1_000))), WINDOW);
    let write = missing.iter().find(|o| o.protocol == Protocol::Att);
    let write = write.map(|o| (o.fate, o.blocked_by));
    assert_eq!(write, Some((Fate::Later, None)));
}

/// A server pushes what its client asked for; at the other end of a link, everything goes the other way.
#[test]
fn who_asks_for_a_step_is_the_client() {
    use Direction::{Received, Sent};
    let of = |procedure, by, roles_differ| {
        asker(&Step { by, ..step(procedure, Detail::None) }, roles_differ)
    };
    for (by, other) in [(Sent, Received), (Received, Sent)] {
        for procedure in [Procedure::Read, Procedure::Write, Procedure::Subscribe] {
            assert_eq!(of(procedure, by, false), by);
            assert_eq!(of(procedure, by, true), other);
        }
        for procedure in [Procedure::Notify, Procedure::Indicate] {
            assert_eq!(of(procedure, by, false), other);
            assert_eq!(of(procedure, by, true), by);
        }
    }
}

/// The request that was never answered held up what came after it, and all of it where the application had done
/// nothing before.
#[test]
fn a_request_without_an_answer_blocks_what_comes_behind_it() {
    use Direction::{Received, Sent};
    let read = Pdu::ReadRequest { attribute_handle: Handle(6) };
    let stuck = |link: Trace| ends(link.att(Sent, read).wait_ms(40_000));
    let plain = || stuck(to(LAMP).up().mtu());
    let of = |capture: &Capture, by, moment: Option<Span>| blocked(&view(capture), by, moment);
    let open = |capture: &Capture| {
        let connection = &capture.connections[0];
        let open = &connection.open_requests[0];
        (Some(open.frame), connection.after(open.at))
    };
    let capture = plain();
    let (frame, at) = open(&capture);
    assert_eq!(of(&capture, Sent, at), frame);
    assert_eq!(of(&capture, Received, at), None, "the other one asked");
    let before = at.map(|at| Span(at.0 - 1));
    assert_eq!(of(&capture, Sent, before), frame, "the application had done nothing yet");
    assert_eq!(of(&capture, Sent, None), frame);
    assert_eq!(of(&long(), Sent, at), None, "everything was answered");
    // The application had written: until the request, nothing held it up.
    let used = stuck(to(LAMP).up().write(9, &[1]));
    let (frame, at) = open(&used);
    let before = at.map(|at| Span(at.0 - 1));
    assert_eq!((of(&used, Sent, at), of(&used, Sent, before)), (frame, None));
    assert_eq!(of(&used, Sent, None), None);
    // What does not count as the application's work.
    let discovered = || to(LAMP).up().discovery(0x1a);
    let refused = Pdu::WriteRequest { attribute_handle: Handle(9), attribute_value: &[1] };
    let theirs = to(LAMP).up().from_peer(&[0x12, 9, 0, 1], &[0x13]);
    for (says, link, blocks) in [
        (
            "a write that was refused",
            to(LAMP).up().refused(refused, ErrorCode::WRITE_NOT_PERMITTED),
            true,
        ),
        ("a discovery", discovered(), true),
        ("a subscription", discovered().write(4, &[1, 0]), false),
        ("a write without response", to(LAMP).up().writes_to(9, 1), false),
        ("a write of the peer", theirs, true),
    ] {
        let capture = stuck(link);
        let (frame, at) = open(&capture);
        let before = at.map(|at| Span(at.0 - 1));
        assert_eq!(of(&capture, Sent, before), frame.filter(|_| blocks), "{says}");
    }
    // A request that was open for a moment only may yet have been answered.
    let moment = ends(to(LAMP).up().mtu().att(Sent, read).wait_ms(500));
    assert_eq!(of(&moment, Sent, Some(Span::from_ms(10_000))), None);
    // An indication that the client does not confirm holds up no request of the server's host.
    let indication =
        Pdu::HandleValueIndication { attribute_handle: Handle(3), attribute_value: &[1] };
    let indicated = ends(to(LAMP).up().att(Sent, indication).wait_ms(40_000));
    assert_eq!(indicated.connections[0].open_requests.len(), 1);
    assert_eq!(of(&indicated, Sent, Some(Span::from_ms(10_000))), None);
}

/// The host itself names its features and subscribes to Service Changed.
#[test]
fn what_the_host_writes_by_itself_is_not_the_applications_work() {
    // One service; a characteristic of that type with a value and a configuration.
    let server = |uuid: u16| {
        let [low, high] = uuid.to_le_bytes();
        to(LAMP)
            .up()
            .by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &[6, 1, 0, 6, 0, 0x01, 0x18])
            .by_wire(&[0x08, 1, 0, 6, 0, 0x03, 0x28], 0x09, &[7, 2, 0, 0x2a, 3, 0, low, high])
            .by_wire(&[0x04, 4, 0, 6, 0], 0x05, &[1, 4, 0, 0x02, 0x29])
    };
    let works = |uuid, handle| {
        let capture = ends(server(uuid).write(handle, &[2, 0]).wait_ms(900));
        let view = view(&capture);
        view.connection.steps.iter().any(|step| application(&view, step))
    };
    assert!(!works(0x2b29, 3), "Client Supported Features");
    assert!(!works(0x2a05, 4), "the configuration of Service Changed");
    assert!(works(0x2a19, 3) && works(0x2a19, 4));
}

#[test]
fn an_operation_is_att_smp_or_signalling() {
    let capture = long();
    let mut peripheral = long();
    peripheral.connections[0].role = Some(Role::Peripheral);
    let of = |capture: &Capture, procedure, by| {
        operation(&view(capture), &Step { by, ..step(procedure, Detail::None) })
    };
    use Direction::{Received, Sent};
    assert_eq!(of(&capture, Procedure::Read, Sent), Some(Protocol::Att));
    assert_eq!(of(&capture, Procedure::Pair, Sent), Some(Protocol::Smp));
    assert_eq!(of(&capture, Procedure::Channel, Sent), Some(Protocol::Signal));
    for procedure in [Procedure::Connect, Procedure::Features, Procedure::Encrypt, Procedure::Other]
    {
        assert_eq!(of(&capture, procedure, Sent), None, "{procedure}");
    }
    // A central updates by a command of the link layer, a peripheral asks by signalling.
    let update = Procedure::ParameterUpdate;
    assert_eq!(of(&capture, update, Sent), None);
    assert_eq!(of(&capture, update, Received), Some(Protocol::Signal));
    assert_eq!(of(&peripheral, update, Sent), Some(Protocol::Signal));
    assert_eq!(of(&peripheral, update, Received), None);
}

#[test]
fn a_host_did_what_it_asked_for_or_as_a_server_pushed() {
    use Direction::{Received, Sent};
    let central = long();
    let mut peripheral = long();
    peripheral.connections[0].role = Some(Role::Peripheral);
    let of = |capture: &Capture, procedure, by, swapped| {
        own(&view(capture), &Step { by, ..step(procedure, Detail::None) }, swapped)
    };
    for capture in [&central, &peripheral] {
        assert!(of(capture, Procedure::Write, Sent, false));
        assert!(!of(capture, Procedure::Write, Received, false));
        // Captured at the other end: what is received there was sent here.
        assert!(of(capture, Procedure::Write, Received, true));
        assert!(!of(capture, Procedure::Write, Sent, true));
    }
    for pushed in [Procedure::Notify, Procedure::Indicate] {
        assert!(!of(&central, pushed, Received, false) && !of(&central, pushed, Sent, false));
        assert!(of(&peripheral, pushed, Sent, false) && !of(&peripheral, pushed, Received, false));
        assert!(!of(&peripheral, pushed, Received, true) && !of(&peripheral, pushed, Sent, true));
    }
}
