//! Steps, runs and questions of one link: of every condition a case on each side.
use super::*;
use crate::packet::att::{ErrorCode, Handle, Pdu};
use crate::timeline::Transport;
use crate::timeline::tests::only;
use crate::trace::Trace;
use Direction::{Received, Sent};

fn connection() -> Connection {
    Connection::new(0, None, Transport::Le)
}

fn at(frame: u32) -> At {
    let (source, time) = (SourceId::FIRST, Moment::UNKNOWN);
    At { source, frame, time, direction: Sent, cut: false, link: None }
}

fn question(pending: Pending) -> Question {
    Question {
        pending,
        at: at(1),
        attribute: 0,
        step: None,
        run: None,
        key: 0,
        procedure: Procedure::Read,
        detail: Detail::None,
        bytes: 0,
    }
}

fn of(procedure: Procedure, attribute: u16) -> Step {
    Step { attribute, ..step(procedure, Sent, at(1), Outcome::Ok, Detail::None) }
}

#[test]
fn steps_questions_runs_and_oddities_are_bounded() {
    let (mut link, mut connection) = (Link::new(0, 3), connection());
    let added: Vec<_> = (0..5).map(|_| link.add(&mut connection, of(Procedure::Phy, 0))).collect();
    assert_eq!(added, [Some(0), Some(1), Some(2), None, None]);
    assert_eq!((connection.steps.len(), connection.elided_steps), (3, 2));
    (0..100).for_each(|_| link.ask(question(Pending::LongTermKey)));
    assert_eq!(link.questions.len(), 64);
    (0..200).for_each(|frame| connection.odd(frame, OddityKind::SecondDisconnect));
    assert_eq!(connection.oddities.len(), 100);
    let mut link = Link::new(0, 100_000);
    for handle in 0..200 {
        link.run(&mut connection, at(1), Sent, of(Procedure::Notify, handle));
    }
    assert_eq!(link.runs.len(), 128);
    // The oldest one gave way.
    assert_eq!(link.open_run(&of(Procedure::Notify, 71), Sent), None);
    assert!(link.open_run(&of(Procedure::Notify, 72), Sent).is_some());
    let index = connection.steps.len();
    connection.steps.push(of(Procedure::Read, 9));
    link.may_grow(&connection, index);
    assert_eq!(link.open_run(&of(Procedure::Read, 9), Sent), None, "there is no room");
}

/// Like values fold into one step, until something else comes in between.
#[test]
fn a_run_grows_until_another_kind_of_step_ends_it() {
    let counts = |trace: Trace| {
        let steps = only(trace).steps;
        let pushed = steps.iter().filter(|step| step.procedure == Procedure::Notify);
        pushed.map(|step| (step.attribute, step.count)).collect::<Vec<_>>()
    };
    let up = || Trace::new().up().notified(3, &[1]);
    assert_eq!(counts(up().notified(3, &[2])), [(3, 2)]);
    assert_eq!(counts(up().notified(5, &[2]).notified(3, &[2])), [(3, 2), (5, 1)]);
    // A write may be why the value changes: what comes after it is another run.
    assert_eq!(counts(up().write(9, &[1]).notified(3, &[2])), [(3, 1), (3, 1)]);
    assert_eq!(counts(up().writes_to(9, 1).notified(3, &[2])), [(3, 1), (3, 1)]);
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let good = up().exchange(read, Pdu::ReadResponse { attribute_value: &[1] });
    assert_eq!(counts(good.notified(3, &[2])), [(3, 2)]);
    // The link layer's own business runs beside it; an encryption does not.
    assert_eq!(counts(up().features().notified(3, &[2])), [(3, 2)]);
    assert_eq!(counts(up().encrypts().notified(3, &[2])), [(3, 1), (3, 1)]);
    // What this host pushes is no run of the peer's.
    assert_eq!(counts(up().notified_by_us(3, &[2]).notified(3, &[3])), [(3, 2), (3, 1)]);
}

#[test]
fn writes_without_an_answer_fold_as_well() {
    let steps = only(Trace::new().up().writes_to(9, 3).writes_to(5, 1).writes_to(9, 1)).steps;
    let writes = steps.iter().filter(|step| step.procedure == Procedure::WriteCommand);
    assert_eq!(writes.map(|s| (s.attribute, s.count)).collect::<Vec<_>>(), [(9, 4), (5, 1)]);
}

#[test]
fn good_exchanges_fold_and_failures_stand_alone() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let good = |trace: Trace| trace.exchange(read, Pdu::ReadResponse { attribute_value: &[1, 2] });
    let reads = |trace: Trace| {
        let steps = only(trace).steps;
        let reads = steps.iter().filter(|step| step.procedure == Procedure::Read);
        reads.map(|step| (step.outcome, step.count, step.bytes)).collect::<Vec<_>>()
    };
    let up = || Trace::new().up();
    assert_eq!(reads(good(good(up()))), [(Outcome::Ok, 2, 4)]);
    let refused = |trace: Trace| trace.refused(read, ErrorCode::READ_NOT_PERMITTED);
    assert_eq!(reads(refused(good(up()))), [(Outcome::Ok, 1, 2), (Outcome::Error, 1, 0)]);
    assert_eq!(reads(refused(refused(up()))).len(), 2);
    let mtus = only(up().mtu().mtu()).steps;
    let mtus = mtus.iter().filter(|step| step.procedure == Procedure::ExchangeMtu);
    assert_eq!(mtus.count(), 2, "an exchange of the MTU is an event of its own");
}

#[test]
fn a_run_is_of_one_kind_of_request() {
    let key = |detail| run_key(&Step { detail, ..of(Procedure::Read, 3) }, Sent);
    let read = |offset, by_type| key(Detail::Read { offset, by_type });
    assert_eq!(read(0, 0), read(0, 0));
    assert_ne!(read(0, 0), read(22, 0), "the rest of a long value");
    assert_ne!(read(0, 0), read(1, 0));
    assert_eq!(read(22, 0), read(44, 0));
    assert_ne!(read(0, 0x2a00), read(0, 0x2a01));
    let discovery = |attribute_type, by_uuid| {
        key(Detail::Discovery { first: 1, last: 2, found: 0, attribute_type, by_uuid })
    };
    assert_ne!(discovery(0x2800, false), discovery(0x2800, true));
    assert_ne!(discovery(0x2800, false), discovery(0x2801, false));
    assert_ne!(run_key(&of(Procedure::Read, 3), Sent), run_key(&of(Procedure::Read, 3), Received));
}

#[test]
fn the_first_proof_of_life_stays_and_the_last_one_moves() {
    let mut connection = connection();
    connection.hear(at(3), "one");
    connection.hear(at(5), "another");
    let frames =
        (connection.heard.map(|h| h.seen.frame), connection.last_heard.map(|h| h.seen.frame));
    assert_eq!(frames, (Some(3), Some(5)));
    let time = |ms| Moment::from(crate::time::Timestamp(ms));
    connection.usable(At { time: time(7), ..at(3) });
    connection.usable(At { time: time(9), ..at(5) });
    assert_eq!(connection.usable_at, time(7));
}

/// Data that came before its link moves behind the steps of the attempt.
#[test]
fn what_points_to_steps_moves_with_them() {
    let mut link = Link::new(0, 100_000);
    link.questions.push(Question { step: Some(1), run: None, ..question(Pending::LongTermKey) });
    link.questions.push(Question { step: None, run: Some(2), ..question(Pending::LongTermKey) });
    (link.pairing, link.mtu_step) = (Some(4), Some(5));
    link.runs.push((run_key(&of(Procedure::Notify, 3), Sent), 6));
    link.shift_steps(10);
    assert_eq!((link.questions[0].step, link.questions[1].run), (Some(11), Some(12)));
    assert_eq!((link.pairing, link.mtu_step, link.encrypting), (Some(14), Some(15), None));
    assert_eq!(link.open_run(&of(Procedure::Notify, 3), Sent), Some(16));
}

/// Reads of one attribute are one run, its later parts another; and each type that is searched for has its own.
#[test]
fn reads_fold_by_what_they_read() {
    let counts = |requests: &[&[u8]]| {
        let read = |trace: Trace, request: &&[u8]| {
            let answer = [0x0b, 0x09][usize::from(request[0] == 0x08)];
            let body: &[u8] = if answer == 0x09 { &[3, 9, 0, 7] } else { &[7] };
            let answer = if request[0] == 0x0c { 0x0d } else { answer };
            trace.by_wire(request, answer, body)
        };
        let steps = only(requests.iter().fold(Trace::new().up(), read)).steps;
        let reads = steps.iter().filter(|step| step.procedure == Procedure::Read);
        reads.map(|step| step.count).collect::<Vec<_>>()
    };
    let (three, five): (&[u8], &[u8]) = (&[0x0a, 3, 0], &[0x0a, 5, 0]);
    assert_eq!(counts(&[three, three]), [2]);
    assert_eq!(counts(&[three, five]), [1, 1]);
    let part = |offset: u8| [0x0c, 3, 0, offset, 0];
    assert_eq!(counts(&[three, &part(1), &part(22)]), [1, 2]);
    assert_eq!(counts(&[&part(0), &part(1)]), [1, 1]);
    let typed = |kind: u8| [0x08, 1, 0, 0xff, 0xff, kind, 0x2a];
    assert_eq!(counts(&[&typed(0), &typed(0), &typed(1)]), [2, 1]);
}
