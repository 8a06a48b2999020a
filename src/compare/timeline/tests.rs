//! Two timelines aligned: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, bad, changed, long, lossy, pair, step, to, view, with};
use crate::packet::{Direction, Status};
use crate::seen::{Seen, SourceId};
use crate::timeline::{Capture, Detail, Encryption, EndedBy, Moment};
use crate::trace::Trace;

const WRITE: Detail = Detail::Write { head: 0, prepared: false, signed: false };

fn write(handle: u16) -> Step {
    Step { attribute: handle, bytes: 1, ..step(Procedure::Write, WRITE) }
}

fn notify(handle: u16) -> Step {
    let by = Direction::Received;
    Step { attribute: handle, by, ..step(Procedure::Notify, Detail::None) }
}

fn encrypt() -> Step {
    step(Procedure::Encrypt, Detail::Encryption { key: Encryption::Stored, key_size: 16 })
}

fn failed(step: Step, outcome: Outcome, status: Option<u8>) -> Step {
    Step { outcome, status, ..step }
}

/// Kind, note and whether it is normal, of each aligned step.
fn told(reference: &Capture, subject: &Capture) -> Vec<(StepKind, String, bool)> {
    let steps = align(&pair(reference, subject));
    steps.iter().map(|step| (step.kind, step.note.to_string(), step.normal)).collect()
}

fn row(kind: StepKind, note: &str, normal: bool) -> (StepKind, String, bool) {
    (kind, note.to_owned(), normal)
}

use StepKind::{Changed, Extra, Missing, Moved, Same};

#[test]
fn a_wait_counts_from_the_step_before() {
    let of = |reference: &[i64], subject: &[i64]| {
        let steps = |at: &[i64]| (1..).zip(at).map(|(n, at)| (*at, write(n))).collect();
        told(&with(steps(reference)), &with(steps(subject)))
    };
    let same = || row(Same, "", true);
    let waited = |note: &str| row(Changed, note, true);
    // The first step of both stands where it stands.
    assert_eq!(of(&[0], &[900]), [same()]);
    assert_eq!(of(&[0, 10], &[900, 910]), [same(), same()]);
    assert_eq!(of(&[0, 10], &[0, 900]), [same(), waited("waited 10 ms against 900 ms")]);
    // A step that only one side has before: the other one's waits from the link's beginning.
    let subject = with(vec![(0, write(9)), (900, write(1))]);
    let reference = with(vec![(10, write(1))]);
    let there = told(&reference, &subject);
    assert_eq!(there[1], waited("waited 10 ms against 900 ms"), "{there:?}");
    let back = told(&subject, &reference);
    assert_eq!(back[1], waited("waited 900 ms against 10 ms"), "{back:?}");
    // How a link ended is told by itself.
    let end = || step(Procedure::Disconnect, Detail::Disconnect { reason_sent: None });
    let links = [(0, write(1)), (10, end())];
    let [mut early, mut late] = [links.clone(), links];
    early[1].0 = 10;
    late[1].0 = 900;
    assert_eq!(told(&with(early.to_vec()), &with(late.to_vec())), [same(), same()]);
    // Of a link whose beginning is not there, no wait is told.
    let cut = changed(with(vec![(0, write(1)), (10, write(2))]), |capture| {
        capture.connections[0].up = None;
        capture.connections[0].start_seen = false;
    });
    let whole = with(vec![(0, write(1)), (900, write(2))]);
    assert_eq!(told(&cut, &whole), [same(), same()]);
}

#[test]
fn what_took_longer_is_told_of_single_steps() {
    let took = |ms: i64, count| {
        let step = write(2);
        let seen = |ms| Seen {
            source: SourceId::FIRST,
            at: Moment::from(crate::time::Timestamp(ms * 1000)),
            frame: 1,
        };
        Step { first: seen(0), last: seen(ms), count, ..step }
    };
    let of = |a, b| {
        let link = |step| with(vec![(0, write(1)), (10, step)]);
        told(&link(a), &link(b))[1].1.clone()
    };
    assert_eq!(of(took(10, 1), took(900, 1)), "took 10 ms against 900 ms");
    assert_eq!(of(took(10, 2), took(900, 1)), "");
    assert_eq!(of(took(10, 1), took(900, 2)), "");
    assert_eq!(of(took(10, 1), took(20, 1)), "");
}

/// The code with which a link ended, 15 ms around the end, says nothing new.
#[test]
fn an_error_beside_the_end_is_an_echo() {
    let capture = long();
    let code = capture.connections[0].end.as_ref().expect("it ended").reason.0;
    let at = |ms: i64, outcome, status| {
        let end = capture.connections[0].end.as_ref().expect("it ended").at.time().expect("a time");
        let at = Moment::from(end + Span::from_ms(ms));
        let seen = Seen { source: SourceId::FIRST, at, frame: 77 };
        let step = failed(write(1), outcome, status);
        view(&capture).echo(&Step { first: seen, last: seen, ..step })
    };
    use Outcome::{Error, Unanswered};
    assert!(at(-15, Error, Some(code)) && at(15, Error, Some(code)));
    assert!(!at(-16, Error, Some(code)) && !at(16, Error, Some(code)));
    assert!(!at(0, Error, Some(code + 1)) && !at(0, Error, None));
    assert!(!at(0, Unanswered, Some(code)));
    let known = changed(capture.clone(), |c| {
        c.connections[0].end.as_mut().expect("it ended").echoes = vec![1];
    });
    assert!(view(&known).echo(&write(1)), "the tracker found it to be one");
    assert!(!view(&capture).echo(&write(1)));
    let open = to(LAMP).up().run();
    assert!(!view(&open).echo(&write(1)));
}

#[test]
fn an_echo_of_the_end_matters_on_neither_side() {
    let code = Status::LOCAL_HOST_TERMINATED.0;
    let error = || failed(write(1), Outcome::Error, Some(code));
    let good = with(vec![(0, write(1))]);
    // 50 ms after the Disconnect command comes its event; the failure stands right before it.
    let end = long().connections[0].life().expect("it ended").0 / 1000;
    let echo = with(vec![(end, error())]);
    let early = with(vec![(0, error())]);
    let normal = |a: &Capture, b: &Capture| told(a, b)[0].2;
    assert!(normal(&good, &echo) && normal(&echo, &good));
    assert!(!normal(&good, &early) && !normal(&early, &good));
    let why = |a: &Capture, b: &Capture| align(&pair(a, b))[0].why;
    assert_eq!(why(&good, &echo), Some(ECHO));
    assert_eq!((why(&good, &early), why(&echo, &echo)), (None, None));
    // The same where the other side has no such step at all.
    let nothing = with(vec![]);
    assert!(normal(&echo, &nothing) && normal(&nothing, &echo));
    assert!(!normal(&early, &nothing) && !normal(&nothing, &early));
}

#[test]
fn a_step_may_stand_elsewhere_where_that_is_a_habit() {
    // The heavier write stays in its place; what is light moves around it.
    let around = |a: Step, b: Step| {
        let left = with(vec![(0, a), (100, write(1)), (200, write(2))]);
        let right = with(vec![(0, write(1)), (100, write(2)), (200, b)]);
        let all = told(&left, &right);
        all.into_iter().find(|(kind, ..)| *kind == Moved).map(|(_, note, normal)| (note, normal))
    };
    let moved = |note: &str, normal| Some((note.to_owned(), normal));
    let plain = "in another order";
    assert_eq!(around(encrypt(), encrypt()), moved(plain, true));
    let refused = || failed(encrypt(), Outcome::Error, Some(6));
    assert_eq!(around(refused(), refused()), moved(plain, false), "it failed");
    let (_, normal) = around(encrypt(), refused()).expect("it moved");
    assert!(!normal, "another outcome");
    // Writes in another order matter, unless both did them with success.
    assert_eq!(around(write(9), write(9)), moved(plain, true));
    let write_failed = || failed(write(9), Outcome::Error, Some(3));
    assert_eq!(around(write_failed(), write_failed()), moved(plain, false));
    let pairing = || {
        let [request, response] = [[3, 0, 1, 16]; 2];
        let phase = crate::timeline::PairingPhase::KeyDistribution;
        step(Procedure::Pair, Detail::Pairing { phase, request, response, refused_by: None })
    };
    assert_eq!(around(pairing(), pairing()), moved(plain, false), "no habit, no repetition");
    assert_eq!(around(notify(7), notify(7)), moved(plain, true));
}

#[test]
fn what_is_left_over_on_both_sides_moved_first_with_first() {
    let keys = |steps: &[u16]| {
        let capture = with(steps.iter().map(|handle| (0, write(*handle))).collect());
        view(&capture).keys.clone()
    };
    let moves = |left: &[u16], right: &[u16], ops: &[Op]| {
        let moves = super::moves(&keys(left), &keys(right), ops);
        let mut pairs: Vec<_> = moves.from_left.into_iter().collect();
        pairs.sort_unstable();
        assert!(pairs.iter().all(|(x, y)| moves.to_right.get(y) == Some(x)));
        assert_eq!(pairs.len(), moves.to_right.len());
        pairs
    };
    let ops = [Op::Left(0..3), Op::Equal { left: 3, right: 0, len: 1 }, Op::Right(1..4)];
    assert_eq!(moves(&[5, 6, 5, 1], &[1, 5, 7, 5], &ops), [(0, 1), (2, 3)]);
    assert_eq!(moves(&[5, 6, 8, 1], &[1, 5, 5, 9], &ops), [(0, 1)]);
    // What is equal is no candidate.
    assert_eq!(
        moves(
            &[1, 5],
            &[1, 6],
            &[Op::Equal { left: 0, right: 0, len: 1 }, Op::Left(1..2), Op::Right(1..2)]
        ),
        []
    );
}

/// The step that only one side has, as the reference's and as the subject's.
fn only(step: &Step, at: i64, other: &Capture) -> [(String, bool); 2] {
    let has = with(vec![(at, step.clone())]);
    let pick = |all: Vec<(StepKind, String, bool)>, kind| {
        let found = all.into_iter().find(|(of, ..)| *of == kind);
        let (_, note, normal) = found.expect("only one side has it");
        (note, normal)
    };
    [pick(told(&has, other), Missing), pick(told(other, &has), Extra)]
}

#[test]
fn a_step_of_one_side_matters_unless_it_failed_as_the_link_did_or_is_a_habit() {
    let nothing = with(vec![]);
    let of = |step: &Step| only(step, 100, &nothing);
    let both = |note: &str, normal| [(note.to_owned(), normal), (note.to_owned(), normal)];
    assert_eq!(of(&write(1)), both("", false));
    assert_eq!(of(&notify(1)), both("", false));
    let version = Step { detail: Detail::None, ..step(Procedure::Version, Detail::None) };
    assert_eq!(of(&version), both("", true));
    // A habit that failed is none, but for a peer that does not know the exchange of the MTU.
    let mtu = |outcome, status| failed(step(Procedure::ExchangeMtu, Detail::None), outcome, status);
    let refused = "Request Not Supported (0x06)";
    assert_eq!(of(&mtu(Outcome::Error, Some(6))), both(refused, true));
    assert_eq!(of(&mtu(Outcome::Error, Some(4))), both("Invalid PDU (0x04)", false));
    assert_eq!(of(&mtu(Outcome::Unanswered, None)), both("unanswered", false));
    let read = step(Procedure::DiscoverServices, Detail::None);
    assert_eq!(of(&failed(read.clone(), Outcome::Error, Some(6))), both(refused, false));
    // What the link's end cut off did not fail by itself.
    assert_eq!(of(&failed(read, Outcome::CutOff, None)), both("cut off by the link's end", true));
    assert_eq!(
        of(&failed(write(1), Outcome::CutOff, None)),
        both("cut off by the link's end", false)
    );
    assert_eq!(
        of(&failed(version, Outcome::Unknown, None)),
        both("outcome not in the capture", true)
    );
}

#[test]
fn more_rounds_of_what_both_did_are_normal() {
    let rounds = |first: Step, second: Step, other: Step| {
        let twice = with(vec![(0, first), (10, write(1)), (20, second)]);
        let once = with(vec![(0, other), (10, write(1))]);
        let (more, fewer) = (told(&twice, &once), told(&once, &twice));
        let normal = |all: &[(StepKind, String, bool)]| all.iter().all(|(_, _, normal)| *normal);
        assert_eq!(normal(&more), normal(&fewer));
        normal(&more)
    };
    assert!(rounds(write(9), write(9), write(9)));
    assert!(rounds(notify(9), notify(9), notify(9)));
    let command = || {
        step(Procedure::Channel, Detail::Signal { code: 0x14, psm: 0x80, ours: 0x40, theirs: 0x40 })
    };
    assert!(!rounds(command(), command(), command()), "a second channel is another channel");
    let failing = |n| failed(write(n), Outcome::Error, Some(3));
    assert!(!rounds(failing(9), write(9), failing(9)), "here it never succeeded");
    assert!(!rounds(write(9), write(8), write(9)), "another attribute");
}

#[test]
fn a_side_that_never_came_that_far_did_not_leave_anything_out() {
    let nothing = || with(vec![]);
    let step = write(1);
    let of = |other: &Capture| only(&step, 5_000, other);
    let told = |says: &str, other: &Capture| {
        let [(missing, normal), (extra, normal_too)] = of(other);
        assert_eq!((missing.as_str(), normal), (says, true));
        // What the subject alone did is as normal; why is no remark about it.
        assert_eq!((extra.as_str(), normal_too), ("", true));
    };
    assert!(of(&nothing()).iter().all(|(_, normal)| !normal));
    let none = changed(nothing(), |c| c.connections[0].up = None);
    told("not reached: never connected", &none);
    told("cannot tell: the logger lost packets", &lossy(nothing()));
    let mut unheard = bad(LAMP).run();
    unheard.connections[0].steps.clear();
    told("not reached: the peer was never heard", &unheard);
    told("cannot tell: the logger lost packets", &lossy(unheard));
    let cut = "cannot tell: the capture is cut or began too late";
    told(cut, &changed(nothing(), |c| c.connections[0].start_seen = false));
    told(cut, &changed(nothing(), |c| c.filtered = true));
    told(cut, &changed(nothing(), |c| c.connections[0].cut_packets = 1));
    let short = changed(nothing(), |c| {
        let connection = &mut c.connections[0];
        let up = connection.zero().time().expect("a time");
        connection.end.as_mut().expect("it ended").seen.at = Moment::from(up + Span::from_ms(900));
    });
    told("not reached: the link was over by then", &short);
}

#[test]
fn a_moment_is_reached_if_the_link_or_the_capture_lasts_longer() {
    let closed = long();
    let life = closed.connections[0].life().expect("it ended");
    let reach = |capture: &Capture, moment| view(capture).reach(moment);
    assert_eq!(reach(&closed, Some(life)), Some("not reached: the link was over by then"));
    assert_eq!(reach(&closed, Some(Span(life.0 - 1))), None);
    assert_eq!(reach(&closed, None), None);
    let open = to(LAMP).up().wait_ms(900).advertises(0).run();
    let connection = &open.connections[0];
    let end = connection.after(connection.capture_end).expect("times");
    assert_eq!(reach(&open, Some(end)), Some("cannot tell: the capture ends before"));
    assert_eq!(reach(&open, Some(Span(end.0 - 1))), None);
}

#[test]
fn what_waits_behind_a_request_is_blocked_where_it_belongs_to_att() {
    let read =
        crate::packet::att::Pdu::ReadRequest { attribute_handle: crate::packet::att::Handle(6) };
    let stuck = to(LAMP).up().att(Direction::Sent, read).wait_ms(40_000);
    let stuck = stuck.hangs_up(Status::REMOTE_USER_TERMINATED).run();
    let [(missing, normal), (extra, extra_normal)] = only(&write(1), 5_000, &stuck);
    let frame = stuck.connections[0].open_requests[0].frame;
    let says = format!("blocked: the request of frame {frame} was never answered");
    assert_eq!((missing, normal), (says, true));
    assert_eq!((extra.as_str(), extra_normal), ("", false), "it was done, whatever waited here");
    let [(missing, normal), _] = only(&encrypt(), 5_000, &stuck);
    assert_eq!((missing.as_str(), normal), ("", false), "encryption waits for nothing of ATT");
    let [(missing, _), _] = only(&write(1), 60_000, &stuck);
    assert_eq!(missing, "not reached: the link was over by then");
}

#[test]
fn an_end_of_one_side_matters_as_the_ends_do() {
    let end = |reason_sent| step(Procedure::Disconnect, Detail::Disconnect { reason_sent });
    let closed = with(vec![(100, end(Some(0x13)))]);
    let open = changed(with(vec![]), |c| {
        c.connections[0].end = None;
        c.connections[0].end_seen = false;
    });
    for (kind, steps) in
        [(Missing, align(&pair(&closed, &open))), (Extra, align(&pair(&open, &closed)))]
    {
        assert_eq!((steps[0].kind, steps[0].normal), (kind, true), "no end is no failure");
        assert!(steps[0].note.to_string().contains("still up"));
    }
    let lost = changed(closed.clone(), |c| {
        let end = c.connections[0].end.as_mut().expect("it ended");
        (end.reason, end.by) = (Status::CONNECTION_TIMEOUT, EndedBy::Controller);
    });
    for steps in [align(&pair(&lost, &open)), align(&pair(&open, &lost))] {
        assert!(!steps[0].normal);
    }
    // Both have one: it matters if they are ends of another kind.
    let of = |other: &Capture| {
        let steps = align(&pair(&closed, other));
        (steps[0].kind, steps[0].normal)
    };
    assert_eq!(of(&closed), (Same, true));
    assert_eq!(of(&lost), (Changed, false));
}

/// The last frames up to which both agree, and what came next.
fn parting(reference: &Capture, subject: &Capture) -> (Option<(u32, u32)>, Option<String>) {
    let pair = pair(reference, subject);
    let (same, says) = divergence(&pair, &align(&pair));
    (same, says.map(|says| says.to_string()))
}

#[test]
fn timelines_part_where_the_first_difference_matters() {
    let links = |handles: &[u16]| with((0..).zip(handles).map(|(at, n)| (at, write(*n))).collect());
    let of = |left: &[u16], right: &[u16]| parting(&links(left), &links(right));
    assert_eq!(of(&[1, 2], &[1, 2]), (Some((11, 11)), None));
    assert_eq!(of(&[], &[]), (None, None));
    let says = |text: &str| Some(text.to_owned());
    assert_eq!(
        of(&[1, 2, 3], &[1, 3]),
        (
            Some((10, 10)),
            says(
                "only the reference does Write 0x0002 (frame 11); the subject goes on with Write 0x0003 (frame 11)"
            )
        )
    );
    assert_eq!(
        of(&[1, 3], &[1, 2, 3]),
        (
            Some((10, 10)),
            says(
                "only the subject does Write 0x0002 (frame 11); the reference goes on with Write 0x0003 (frame 11)"
            )
        )
    );
    assert_eq!(
        of(&[1, 2], &[1]),
        (
            Some((10, 10)),
            says("only the reference does Write 0x0002 (frame 11); the subject does nothing more")
        )
    );
    let refused = failed(write(2), Outcome::Error, Some(3));
    let left = with(vec![(0, write(1)), (1, write(2))]);
    let right = with(vec![(0, write(1)), (1, refused)]);
    let (same, text) = parting(&left, &right);
    assert_eq!(same, Some((10, 10)));
    assert_eq!(
        text.as_deref(),
        Some("Write 0x0002 (frame 11; frame 11): ok against Write Not Permitted (0x03)")
    );
}

#[test]
fn the_end_is_where_they_part_if_nothing_else_differs() {
    let end = || step(Procedure::Disconnect, Detail::Disconnect { reason_sent: None });
    let closed = with(vec![(0, write(1)), (100, end())]);
    let lost = changed(closed.clone(), |c| {
        let end = c.connections[0].end.as_mut().expect("it ended");
        (end.reason, end.by) = (Status::CONNECTION_TIMEOUT, EndedBy::Controller);
    });
    let (same, says) = parting(&closed, &lost);
    assert_eq!(same, Some((10, 10)));
    assert!(says.is_some_and(|says| says.starts_with("the end (frame 11; frame 11): ")));
    let open = changed(with(vec![(0, write(1))]), |c| c.connections[0].end = None);
    let says = |a: &Capture, b: &Capture| parting(a, b).1.unwrap_or_default();
    assert!(says(&lost, &open).starts_with("the end (frame 11; no end): "));
    assert!(says(&open, &lost).starts_with("the end (no end; frame 11): "));
}

#[test]
fn what_moved_does_not_say_how_long_both_agree() {
    // A value that the peer pushes comes before the write here, and after it there.
    let left = with(vec![(0, write(1)), (1, notify(7)), (2, write(2)), (3, write(3))]);
    let right = with(vec![(0, write(1)), (1, write(2)), (2, notify(7))]);
    let (same, _) = parting(&left, &right);
    assert_eq!(same, Some((12, 11)), "the writes");
}

/// A link that never came up has no such moment to compare with; one that lived does.
#[test]
fn trace_of_a_missing_write() {
    let kicked = |trace: Trace| trace.disconnected(Status::REMOTE_USER_TERMINATED).run();
    let writes = kicked(to(LAMP).up().mtu().wait_ms(200).write(0x10, &[1]).wait_ms(3_000));
    let short = kicked(to(LAMP).up().mtu().wait_ms(20));
    let missing = |capture: &Capture| {
        told(&writes, capture).into_iter().filter(|(kind, ..)| *kind == Missing).collect::<Vec<_>>()
    };
    assert_eq!(missing(&short), [row(Missing, "not reached: the link was over by then", true)]);
}
