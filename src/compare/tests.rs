//! Which two connections are compared, and what counts as missing: traces whose answer is known.
use super::*;
use crate::capture::{Warning, WarningKind};
use crate::packet::att::{Handle, Pdu};
use crate::packet::{Address, AddressType, Direction, Status};
use crate::seen::{Seen, SourceId};
use crate::timeline::{Detail, Moment};
use crate::trace::Trace;

pub(super) const LAMP: Address = Address([1, 0, 0, 0, 0, 0xc1]);
pub(super) const LOCK: Address = Address([2, 0, 0, 0, 0, 0xc2]);
pub(super) const OTHER: Address = Address([3, 0, 0, 0, 0, 0xc3]);

pub(super) fn to(peer: Address) -> Trace {
    Trace::new().peer(peer, AddressType::RANDOM)
}

/// A link that works until this host hangs up.
pub(super) fn good(peer: Address) -> Trace {
    to(peer).up().mtu().discovery(2).wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
}

/// A link that dies unheard.
pub(super) fn bad(peer: Address) -> Trace {
    to(peer).create().connected().wait_ms(315).disconnected(Status::FAILED_TO_BE_ESTABLISHED)
}

pub(super) fn chosen(traces: &[Trace], options: &Options) -> Result<(u32, u32, MatchedBy), String> {
    let captures: Vec<Capture> = traces.iter().map(Trace::run).collect();
    let choice = choose(&captures, options).map_err(|none| none.says.to_string())?;
    Ok((choice.reference.connection, choice.subject.connection, choice.matched_by))
}

pub(super) fn anything() -> Options {
    Options::default()
}

pub(super) fn only_subject(wanted: Wanted) -> Sides<Wanted> {
    Sides::new(Wanted::default(), wanted)
}

fn adapter(index: u16) -> Wanted {
    Wanted { adapter: Some(index), ..Wanted::default() }
}

#[test]
fn the_working_attempt_is_held_against_the_failing_one_of_the_same_device() {
    let reference = bad(LAMP).followed_by(good(LAMP)).followed_by(good(LOCK));
    let subject = good(LAMP).followed_by(bad(LAMP)).followed_by(good(LOCK));
    let both = [reference, subject];
    assert_eq!(chosen(&both, &anything()), Ok((2, 2, MatchedBy::Address)));
    // The option names another device.
    let lock = Options { wanted: only_subject(Wanted::peer(LOCK)), ..anything() };
    assert_eq!(chosen(&both, &lock), Ok((3, 3, MatchedBy::Address)));
    let first = Options { wanted: only_subject(Wanted::connection(1)), ..anything() };
    assert_eq!(chosen(&both, &first), Ok((2, 1, MatchedBy::Address)));
}

#[test]
fn one_device_on_each_side_is_compared_by_position_and_said_to_be() {
    let both = [good(LAMP), bad(LOCK)];
    assert_eq!(chosen(&both, &anything()), Ok((1, 1, MatchedBy::Position)));
    let named =
        Options { wanted: Sides::new(Wanted::peer(LAMP), Wanted::peer(LOCK)), ..anything() };
    assert_eq!(chosen(&both, &named), Ok((1, 1, MatchedBy::Option)));
    // One name is not enough to say that both are one.
    let half = Options { wanted: Sides::new(Wanted::peer(LAMP), Wanted::default()), ..anything() };
    assert_eq!(chosen(&both, &half), Ok((1, 1, MatchedBy::Position)));
    // The lamp is heard beside the lock: it is another device, and its attempt is not here.
    let heard = [good(LAMP), to(LAMP).advertises(0).followed_by(bad(LOCK))];
    assert!(chosen(&heard, &anything()).unwrap_err().starts_with("no device of"));
    assert_eq!(chosen(&heard, &named), Ok((1, 1, MatchedBy::Option)));
    let many = [good(LAMP).followed_by(good(OTHER)), bad(LOCK)];
    assert!(chosen(&many, &anything()).unwrap_err().starts_with("no device of"));
}

#[test]
fn what_the_options_leave_out_is_not_compared() {
    let there = [good(LAMP), bad(LAMP)];
    for options in [
        Options { wanted: only_subject(Wanted::peer(LOCK)), ..anything() },
        Options { wanted: only_subject(adapter(1)), ..anything() },
        Options { wanted: only_subject(Wanted::connection(2)), ..anything() },
    ] {
        let says = chosen(&there, &options).unwrap_err();
        assert!(says.ends_with("has no connection that fits the options given for it"), "{says}");
    }
    let fits = Options { wanted: Sides::new(adapter(0), adapter(0)), ..anything() };
    assert_eq!(chosen(&there, &fits), Ok((1, 1, MatchedBy::Address)));
    let empty = chosen(&[good(LAMP), Trace::new()], &anything()).unwrap_err();
    assert!(empty.ends_with("holds no connection and no attempt to connect"), "{empty}");
}

#[test]
fn one_capture_is_compared_within_itself_where_one_device_works_and_fails() {
    let within = anything();
    let both = [good(LAMP).followed_by(bad(LAMP)).followed_by(good(LOCK))];
    assert_eq!(chosen(&both, &within), Ok((1, 2, MatchedBy::Address)));
    assert!(chosen(&[good(LAMP).followed_by(bad(LOCK))], &within).is_err());
    // The device that fails more often is told of.
    let twice = both[0].clone().followed_by(bad(LOCK)).followed_by(bad(LOCK));
    assert_eq!(chosen(&[twice], &within).map(|(reference, ..)| reference), Ok(3));
}

/// The first connections of two captures, side by side.
pub(super) fn pair<'a>(reference: &'a Capture, subject: &'a Capture) -> Pair<'a> {
    Pair::of(reference, &reference.connections[0], subject, &subject.connections[0])
}

/// A capture that says something else in one place.
pub(super) fn changed(mut capture: Capture, change: impl FnOnce(&mut Capture)) -> Capture {
    change(&mut capture);
    capture
}

/// The same from a logger that lost packets somewhere.
pub(super) fn lossy(capture: Capture) -> Capture {
    let lost = Warning::of_all(WarningKind::DroppedPackets, "the logger lost packets");
    changed(capture, |capture| capture.warnings.push(lost))
}

/// A link of ten seconds.
pub(super) fn long() -> Capture {
    let link = to(LAMP).up().wait_ms(10_000);
    link.hangs_up(Status::REMOTE_USER_TERMINATED).run()
}

/// The same with these steps: each so many milliseconds after the link came up, and done at once.
pub(super) fn with(steps: Vec<(i64, Step)>) -> Capture {
    changed(long(), |capture| {
        let connection = &mut capture.connections[0];
        let zero = connection.zero().time().expect("a time");
        connection.steps = (10..)
            .zip(steps)
            .map(|(frame, (ms, step))| {
                let at = Moment::from(zero + Span::from_ms(ms));
                let took = step.last.at.since(step.first.at).unwrap_or(Span(0));
                let last = Moment::from(zero + Span::from_ms(ms) + took);
                let seen = |at| Seen { source: SourceId::FIRST, at, frame };
                Step { first: seen(at), last: seen(last), ..step }
            })
            .collect();
    })
}

/// The first connection of a capture, as a comparison looks at it.
pub(super) fn view(capture: &Capture) -> View<'_> {
    let connection = &capture.connections[0];
    View::new(capture, connection, Names::of(capture, connection))
}

/// A step of our own that was answered, without a time.
pub(super) fn step(procedure: Procedure, detail: Detail) -> Step {
    let seen = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 1 };
    Step {
        procedure,
        by: Direction::Sent,
        outcome: Outcome::Ok,
        status: None,
        attribute: 0,
        first: seen,
        last: seen,
        count: 1,
        bytes: 0,
        detail,
    }
}

pub(super) fn compared(reference: Trace, subject: Trace) -> Comparison {
    of_captures(&[reference.run(), subject.run()]).expect("the same device")
}

fn missing(comparison: &Comparison, normal: bool) -> usize {
    let missing = |s: &&AlignedStep| s.kind == StepKind::Missing && s.normal == normal;
    comparison.steps.iter().filter(missing).count()
}

/// What one side had no time for is not missing there.
#[test]
fn a_step_is_missing_only_where_there_was_time_for_it() {
    let write = |trace: Trace| trace.wait_ms(200).write(0x10, &[1]).wait_ms(3_000);
    let mtu = || to(LAMP).up().mtu();
    let kicked = |trace: Trace| trace.disconnected(Status::REMOTE_USER_TERMINATED);
    let later = compared(kicked(write(mtu())), kicked(mtu().wait_ms(4_000)));
    assert_eq!(missing(&later, false), 1, "{:#?}", later.steps);
    let over = compared(kicked(write(mtu())), kicked(mtu().wait_ms(20)));
    let unreached =
        over.steps.iter().find(|s| s.note.to_string().contains("the link was over by then"));
    assert!(unreached.is_some_and(|s| s.normal), "{:#?}", over.steps);
    let unheard = compared(kicked(write(mtu())), bad(LAMP));
    assert!(unheard.steps.iter().any(|s| s.note.to_string().contains("the peer was never heard")));
}

/// An error that only repeats how the link ended is an echo; the same error of another moment is none.
#[test]
fn an_error_with_the_code_of_the_end_is_its_echo() {
    let failing = |ms| {
        let asked =
            to(LAMP).up().mtu().command(crate::packet::hci::Command::LeReadRemoteFeatures {
                connection_handle: crate::packet::ConnHandle(0x40),
            });
        let taken = asked.status(crate::packet::Opcode(0x2016), Status::SUCCESS).wait_ms(900);
        let failed = taken.le(crate::packet::hci::LeEvent::ReadRemoteFeaturesComplete {
            status: Status::REMOTE_USER_TERMINATED,
            connection_handle: crate::packet::ConnHandle(0x40),
            le_features: [0; 8],
        });
        failed.wait_ms(ms).disconnected(Status::REMOTE_USER_TERMINATED)
    };
    let echoes = |ms| {
        let comparison = compared(good(LAMP), failing(ms));
        let failed =
            comparison.steps.iter().filter(|s| s.note.to_string().contains("0x13") && !s.normal);
        failed.count()
    };
    assert!(echoes(2) < echoes(600), "{} {}", echoes(2), echoes(600));
}

#[test]
fn a_read_that_both_did_is_not_missing_where_one_did_it_more_often() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let answer = Pdu::ReadResponse { attribute_value: &[1] };
    let reads = |times: usize, between: u32| {
        let link = to(LAMP).up().mtu();
        let link = (0..times).fold(link, |link, at| {
            // A write in between keeps the reads apart.
            link.exchange(read, answer).wait_ms(between).write(0x10, &[at as u8])
        });
        link.wait_ms(2_000).hangs_up(Status::REMOTE_USER_TERMINATED)
    };
    assert_eq!(missing(&compared(reads(3, 50), reads(1, 50)), false), 0);
    let none = to(LAMP).up().mtu().wait_ms(3_000).hangs_up(Status::REMOTE_USER_TERMINATED);
    assert!(missing(&compared(reads(1, 50), none), false) > 0);
}

/// Ends: a host that hangs up is normal, another reason than the other side's is not.
#[test]
fn an_end_matters_where_only_one_side_failed() {
    let end = |a: Trace, b: Trace| {
        let captures = [a.run(), b.run()];
        ending::compare(&captures[0].connections[0], &captures[1].connections[0], false)
    };
    let kicked = || to(LAMP).up().mtu().disconnected(Status::REMOTE_USER_TERMINATED);
    assert_eq!(end(good(LAMP), good(LAMP)), ending::Ending::default());
    assert!(end(good(LAMP), bad(LAMP)).matters);
    assert!(!end(bad(LAMP), bad(LAMP)).matters);
    assert!(end(bad(LAMP), kicked()).matters, "both failed, in another way");
    // No end is another end, and no failure.
    let open = end(good(LAMP), to(LAMP).up().mtu());
    assert!(!open.matters && !open.says.is_empty(), "{open:?}");
}

/// An attempt that still waits when the capture ends may connect later and do the step then.
#[test]
fn an_attempt_that_still_waits_cannot_tell_what_it_will_do() {
    let fates = |subject: Trace| -> Vec<Fate> {
        let captures = [good(LAMP).run(), subject.run()];
        let comparison = of_captures(&captures).expect("both are about the lamp");
        comparison.missing_early.iter().map(|operation| operation.fate).collect()
    };
    let waits = fates(to(LAMP).create().wait_ms(5_000).advertises(0));
    assert!(!waits.is_empty());
    assert!(waits.iter().all(|fate| *fate == Fate::CannotTell), "{waits:?}");
    // The near miss: the attempt is over, and no link came of it.
    let failed = fates(bad(LAMP));
    assert!(!failed.is_empty());
    assert!(failed.iter().all(|fate| *fate == Fate::NotReached), "{failed:?}");
}

/// What waits behind a request that is never answered was not left out.
#[test]
fn what_an_unanswered_request_holds_up_is_blocked_and_not_missing() {
    let read = Pdu::ReadRequest { attribute_handle: Handle(6) };
    let works = to(LAMP).up().mtu().discovery(0x1a).write(4, &[1, 0]).write(3, &[1]);
    let works = works.wait_ms(40_000).hangs_up(Status::REMOTE_USER_TERMINATED);
    let start = || to(LAMP).up().mtu().discovery(0x1a);
    let blocked = |trace: Trace, wait| {
        let trace = trace.att(crate::packet::Direction::Sent, read).wait_ms(wait);
        let captures = [works.run(), trace.hangs_up(Status::REMOTE_USER_TERMINATED).run()];
        let comparison = of_captures(&captures).expect("a comparison");
        let writes = comparison.missing_early.iter().filter(|o| o.procedure == Procedure::Write);
        let fates = writes.map(|o| (o.fate, o.blocked_by.is_some())).collect::<Vec<_>>();
        let missing = comparison.steps.iter().filter(|s| s.kind == StepKind::Missing);
        (fates, missing.filter(|s| s.note.to_string().contains("blocked")).count())
    };
    assert_eq!(blocked(start(), 32_000), (vec![(Fate::NotReached, true)], 2), "held up");
    let (fates, steps) = blocked(start(), 1_000);
    assert!(fates.iter().all(|(_, blocked)| !blocked) && steps == 0, "open for a moment only");
    let later = start().write(4, &[1, 0]).wait_ms(5_000);
    assert_eq!(
        blocked(later, 32_000),
        (vec![(Fate::Never, false)], 0),
        "it could have, long before"
    );
}

/// One end of a link: this host hung up here, the peer there.
#[test]
fn one_end_seen_from_both_sides_is_one_end() {
    let compare = |a: Trace, b: Trace, roles_differ| {
        let captures = [a.run(), b.run()];
        ending::compare(&captures[0].connections[0], &captures[1].connections[0], roles_differ)
    };
    let kicked = || to(LAMP).up().mtu().disconnected(Status::REMOTE_USER_TERMINATED);
    assert_eq!(compare(good(LAMP), kicked(), true), ending::Ending::default());
    assert!(compare(good(LAMP), kicked(), false).matters);
    assert!(compare(good(LAMP), bad(LAMP), true).matters, "the controller ended it");
    assert!(compare(kicked(), bad(LAMP), true).matters);
}

#[test]
fn how_an_attempt_failed_is_told_by_its_end() {
    use crate::packet::Direction::{Received, Sent};
    let of = |trace: Trace| standing::Failure::of(&trace.run().connections[0]);
    let up = || to(LAMP).up().mtu();
    let ended = |status| Some(standing::Failure::Ended(status));
    assert_eq!(of(good(LAMP)), None);
    assert_eq!(of(up()), None);
    assert_eq!(of(bad(LAMP)), ended(Status::FAILED_TO_BE_ESTABLISHED));
    assert_eq!(
        of(up().disconnected(Status::REMOTE_USER_TERMINATED)),
        ended(Status::REMOTE_USER_TERMINATED)
    );
    assert_eq!(
        of(up().hangs_up(Status::AUTHENTICATION_FAILURE)),
        ended(Status::AUTHENTICATION_FAILURE)
    );
    // A central may leave a peripheral at any time.
    let peripheral = to(LAMP).connected_as(1, 24, 0, 500).mtu();
    assert_eq!(of(peripheral.disconnected(Status::REMOTE_USER_TERMINATED)), None);
    let refused = to(LAMP).create().connect_failed(Status::CONNECTION_LIMIT_EXCEEDED);
    assert_eq!(of(refused), Some(standing::Failure::Refused(Status::CONNECTION_LIMIT_EXCEEDED)));
    assert_eq!(of(to(LAMP).create()), None, "it still waits");
    let cancelled =
        to(LAMP).create().cancel().connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER);
    assert_eq!(of(cancelled), Some(standing::Failure::GivenUp));
    let failed = up().encrypts().encryption(Status::PIN_OR_KEY_MISSING);
    let security = Some(standing::Failure::Security(Status::PIN_OR_KEY_MISSING.0));
    assert_eq!(of(failed.clone().hangs_up(Status::REMOTE_USER_TERMINATED)), security);
    let cured = failed.encrypts().encryption(Status::SUCCESS);
    assert_eq!(of(cured.hangs_up(Status::REMOTE_USER_TERMINATED)), None);
    let read = Pdu::ReadRequest { attribute_handle: Handle(6) };
    let owes = |by| up().att(by, read).wait_ms(32_000).hangs_up(Status::REMOTE_USER_TERMINATED);
    assert_eq!(of(owes(Sent)), Some(standing::Failure::Unanswered));
    assert_eq!(of(owes(Received)), None, "this host owes it");
}

#[test]
fn how_far_an_attempt_came_is_told_by_what_was_answered() {
    let of = |trace: Trace| {
        let standing = standing::Standing::of(&trace.run().connections[0]);
        (standing.connected, standing.heard, standing.usable, standing.kinds)
    };
    assert_eq!(of(to(LAMP).create()), (false, false, false, 0));
    assert_eq!(of(bad(LAMP)), (true, false, false, 0));
    // The link layer's own procedures are of no use to a program.
    assert_eq!(of(to(LAMP).up()), (true, true, false, 0));
    assert_eq!(of(to(LAMP).up().mtu()), (true, true, true, 1));
    assert_eq!(of(to(LAMP).up().mtu().write(3, &[1]).write(3, &[2])), (true, true, true, 2));
    assert_eq!(of(to(LAMP).up().mtu().write(3, &[1]).write(4, &[1, 0])), (true, true, true, 3));
    assert_eq!(of(to(LAMP).up().encrypts().encryption(Status::SUCCESS)), (true, true, true, 1));
    let refused = Pdu::ReadRequest { attribute_handle: Handle(6) };
    let refused = to(LAMP).up().refused(refused, crate::packet::att::ErrorCode::READ_NOT_PERMITTED);
    assert_eq!(of(refused), (true, true, false, 0));
}

/// Three UUIDs of its own, and seven of ten in all, tell a device under another address.
#[test]
fn a_device_is_known_by_its_services_where_enough_are_the_same() {
    let device = |peer, uuids: &[u16]| {
        let mut link = to(peer).up().mtu();
        for (at, uuid) in uuids.iter().enumerate() {
            let [low, high] = uuid.to_le_bytes();
            let first = at as u8 * 8 + 1;
            let end = first + 6;
            link = link.by_wire(
                &[0x10, first, 0, 0xff, 0xff, 0x00, 0x28],
                0x11,
                &[6, first, 0, end, 0, low, high],
            );
        }
        link.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    };
    let by = |ours: &[u16], theirs: &[u16]| {
        chosen(&[device(LAMP, ours), device(LOCK, theirs)], &anything()).map(|(.., by)| by)
    };
    let of = |count: u16, from: u16| (0..count).map(|n| 0xa000 + from + n).collect::<Vec<_>>();
    assert_eq!(by(&of(3, 0), &of(3, 0)), Ok(MatchedBy::Gatt));
    assert_eq!(by(&of(2, 0), &of(2, 0)), Ok(MatchedBy::Position));
    assert_eq!(by(&of(7, 0), &of(10, 0)), Ok(MatchedBy::Gatt));
    assert_eq!(by(&of(7, 0), &of(11, 0)), Ok(MatchedBy::Position));
    assert_eq!(by(&of(3, 0), &of(3, 5)), Ok(MatchedBy::Position));
}

#[test]
fn sides_are_swapped_where_the_second_capture_is_the_reference() {
    let captures = [good(LAMP).run(), bad(LAMP).run()];
    let compared = |captures: &[Capture], swap: bool| {
        let mut choice = choose(captures, &anything()).expect("one device");
        if swap {
            (choice.reference, choice.subject) = (choice.subject, choice.reference);
        }
        compare(captures, &choice, &anything()).expect("both are there").swapped()
    };
    assert!(!compared(&captures, false) && compared(&captures, true));
    let within = [good(LAMP).followed_by(bad(LAMP)).run()];
    assert!(!compared(&within, false) && !compared(&within, true), "one capture has no other side");
}

/// What parts two links whose steps agree, or that went by other radios.
#[test]
fn links_part_at_their_steps_else_at_what_else_differs() {
    let parts = |a: &Capture, b: &Capture| {
        let compared = of_captures(&[a.clone(), b.clone()]).expect("one device");
        assert_eq!(compared.differs, compared.divergence.is_some());
        compared.divergence.map(|says| says.to_string())
    };
    let ends = |trace: Trace| trace.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED).run();
    let up = |latency| to(LAMP).create().connected_as(0, 24, latency, 500).features();
    let plain = ends(up(0).mtu());
    assert_eq!(parts(&plain, &plain), None);
    let bredr = ends(to(LAMP).connected_bredr());
    let says = |text: &str| Some(text.to_owned());
    assert_eq!(
        parts(&plain, &bredr),
        says("the subject went by BR/EDR where the reference went by LE")
    );
    // A parameter that matters; one that hosts choose by habit does not part them.
    let slow = parts(&plain, &ends(up(4).mtu()));
    assert_eq!(slow, says("the steps agree; latency granted: 0 against 4"));
    let faster = ends(to(LAMP).create().connected_as(0, 12, 0, 500).features().mtu());
    assert_eq!(parts(&plain, &faster), None);
    let served = |properties| ends(up(0).discovery(properties));
    let databases = parts(&served(0x1a), &served(0x0a)).expect("other properties");
    assert!(databases.starts_with("the steps agree; the databases differ: "), "{databases}");
}

/// An adapter that goes away under a link ends it, though no event says so.
#[test]
fn a_link_lost_with_its_adapter_differs_from_one_that_is_up() {
    let open = to(LAMP).up().mtu().wait_ms(900).run();
    let lost = changed(open.clone(), |capture| {
        let connection = &mut capture.connections[0];
        let seen = connection.up.expect("it was up");
        let (how, by) =
            (crate::timeline::AdapterLoss::Removed, crate::timeline::EndedBy::Controller);
        connection.gone =
            Some(crate::timeline::Gone { seen, how, by, process: None, command: None });
    });
    let differs = |a: &Capture, b: &Capture| {
        of_captures(&[a.clone(), b.clone()]).expect("one device").differs
    };
    assert!(differs(&open, &lost) && !differs(&open, &open));
}

#[test]
fn roles_differ_where_both_are_known() {
    use crate::timeline::Role::{Central, Peripheral};
    let link = |role| changed(to(LAMP).up().run(), |capture| capture.connections[0].role = role);
    let differ = |a, b| {
        let (a, b) = (link(a), link(b));
        pair(&a, &b).roles_differ
    };
    assert!(differ(Some(Central), Some(Peripheral)) && differ(Some(Peripheral), Some(Central)));
    assert!(!differ(Some(Central), Some(Central)));
    assert!(!differ(None, Some(Central)) && !differ(Some(Peripheral), None));
}

#[test]
fn wishes_are_none_until_one_is_given() {
    assert!(!Wanted::default().says_anything());
    for wanted in [Wanted::peer(LAMP), Wanted::connection(1), adapter(0)] {
        assert!(wanted.says_anything());
    }
}
