//! How links end: of every condition a case on each side.
use super::*;
use crate::packet::hci::{Command, LeEvent};
use crate::packet::{Address, AddressType, Opcode};
use crate::timeline::tests::{happened, odd, only};
use crate::timeline::{Capture, Connection, Happening};
use crate::trace::{HANDLE, PEER, Trace};

const USER: Status = Status::REMOTE_USER_TERMINATED;

fn up() -> Trace {
    Trace::new().up()
}

fn end(trace: Trace) -> End {
    only(trace).end.expect("it ended")
}

#[test]
fn who_ended_a_link_is_told_by_the_command_and_the_reason() {
    let by = |trace: Trace| end(trace).by;
    for reason in [USER, Status::REMOTE_LOW_RESOURCES, Status::REMOTE_POWER_OFF] {
        assert_eq!(by(up().disconnected(reason)), EndedBy::Peer, "{reason}");
    }
    assert_eq!(by(up().disconnected(Status::CONNECTION_TIMEOUT)), EndedBy::Controller);
    assert_eq!(by(up().hangs_up(USER)), EndedBy::Host);
    let reasons = end(up().hangs_up(Status::AUTHENTICATION_FAILURE));
    assert_eq!(reasons.reason_sent, Some(Status::AUTHENTICATION_FAILURE));
    assert_eq!(reasons.reason, Status::LOCAL_HOST_TERMINATED);
    // Of two commands the first one counts.
    let again = Command::Disconnect { connection_handle: HANDLE, reason: Status::REMOTE_POWER_OFF };
    let asked = up().taken(Command::Disconnect { connection_handle: HANDLE, reason: USER });
    let twice = asked.taken(again).disconnected(Status::LOCAL_HOST_TERMINATED);
    assert_eq!(end(twice).reason_sent, Some(USER));
}

/// A Disconnection Complete with another status than success ends nothing.
#[test]
fn an_end_that_failed_is_none() {
    let failed = crate::packet::hci::Event::DisconnectionComplete {
        status: Status::COMMAND_DISALLOWED,
        connection_handle: HANDLE,
        reason: USER,
    };
    let connection = only(up().event(failed));
    assert!(connection.end.is_none() && connection.open());
}

/// The link layer's own errors with the code of the end, up to 15 ms before it, are its echo.
#[test]
fn errors_right_before_the_end_are_its_echo() {
    let features = LeEvent::ReadRemoteFeaturesComplete {
        status: USER,
        connection_handle: HANDLE,
        le_features: [0; 8],
    };
    let asked = || {
        let link = Trace::new().create().connected();
        link.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
    };
    let echoes =
        |ms, reason| end(asked().le(features).wait_ms(ms).disconnected(reason)).echoes.len();
    // An event takes a tenth of a millisecond in these traces.
    assert_eq!((echoes(0, USER), echoes(14, USER), echoes(15, USER)), (1, 1, 0));
    assert_eq!(echoes(0, Status::CONNECTION_TIMEOUT), 0, "another code");
}

#[test]
fn the_end_proves_that_the_peer_was_there_only_of_a_link_that_came_up() {
    let heard = |reason| only(Trace::new().create().connected().disconnected(reason)).heard_by_end;
    assert!(heard(USER) && heard(Status::CONNECTION_TIMEOUT) && heard(Status::MIC_FAILURE));
    assert!(!heard(Status::FAILED_TO_BE_ESTABLISHED) && !heard(Status::LL_RESPONSE_TIMEOUT));
    let unseen = only(Trace::new().disconnected(USER));
    assert!(!unseen.heard_by_end && !unseen.start_seen);
    assert!(odd(&unseen, OddityKind::DisconnectOfUnknownHandle));
}

/// At a supervision timeout the controller counts as completed what it throws away.
#[test]
fn packets_completed_at_the_end_of_a_silent_link_prove_nothing() {
    let silent = |completed_before: u32, reason| {
        let link = up().mtu().wait_ms(5_000).writes_at_once(1);
        let link = link.wait_ms(400).acknowledged(1).wait_ms(completed_before).disconnected(reason);
        let connection = only(link);
        connection.last_heard.expect("the MTU").by
    };
    let timeout = Status::CONNECTION_TIMEOUT;
    assert_eq!(silent(5, timeout), "ACL data from the peer");
    assert_eq!(silent(19, timeout), "ACL data from the peer");
    assert_eq!(silent(20, timeout), "Number Of Completed Packets");
    assert_eq!(silent(5, USER), "Number Of Completed Packets", "the peer was there to hang up");
    // Two counts in one breath are one.
    let twice =
        up().mtu().wait_ms(5_000).writes_at_once(2).wait_ms(400).acknowledged(1).acknowledged(1);
    let connection = only(twice.wait_ms(5).disconnected(timeout));
    assert_eq!(connection.last_heard.expect("the MTU").by, "ACL data from the peer");
    // What was heard after the count proves itself.
    let later = up().mtu().wait_ms(5_000).writes_at_once(1).acknowledged(1).notified(3, &[1]);
    let later = only(later.wait_ms(5).disconnected(timeout));
    let value = later.steps.iter().find(|step| step.procedure == Procedure::Notify);
    assert_eq!(later.last_heard.map(|heard| heard.seen.frame), value.map(|step| step.frame));
    // Nothing was heard before: the count is all there is.
    let only_count = Trace::new().create().connected().writes_at_once(1).acknowledged(1);
    let only_count = only(only_count.wait_ms(5).disconnected(timeout));
    assert_eq!(only_count.last_heard.map(|heard| heard.by), Some("Number Of Completed Packets"));
}

#[test]
fn an_adapter_that_goes_down_takes_its_links_along() {
    let down = |how| {
        let mut tracker = Tracker::new();
        let mut decoder = crate::decode::Decoder::new();
        let trace = up().scan(true, 16, 16).create();
        for record in trace.records() {
            tracker.push(&decoder.decode(&record));
        }
        let at = At {
            source: tracker.source,
            frame: 99,
            time: tracker.last_time.into(),
            direction: Direction::Received,
            cut: false,
            link: None,
        };
        tracker.switched(0, false, Some("rfkill".to_owned()));
        tracker.adapter_down(0, at, how);
        let state = &tracker.adapters[0];
        assert!(state.scan.is_none() && state.creating.is_empty() && state.outstanding == 0);
        let gone = tracker.connections[0].gone.clone().expect("lost");
        (gone.by, gone.process, tracker.connections[0].oddities[0].kind)
    };
    let rfkill = Some("rfkill".to_owned());
    let closed = OddityKind::AdapterClosedWhileConnected;
    assert_eq!(down(AdapterLoss::PoweredOff), (EndedBy::Host, rfkill, closed));
    // A reset is no switch.
    let reset = OddityKind::ResetWhileConnected;
    assert_eq!(down(AdapterLoss::Reset), (EndedBy::Controller, None, reset));
}

#[test]
fn connections_that_learned_the_same_share_one_copy() {
    let over = |trace: Trace| trace.hangs_up(USER);
    let found = || over(up().discovery(0x10));
    let shared = |trace: Trace| {
        let connections = trace.run().connections;
        let last = connections.last().expect("some");
        Arc::ptr_eq(&connections[0].remote, &last.remote)
    };
    assert!(shared(found().followed_by(found())));
    let other = over(Trace::new().peer(Address([9; 6]), AddressType::PUBLIC).up().discovery(0x12));
    assert!(!shared(found().followed_by(other)));
}

/// What a capture ends in the middle of may yet be answered; what waited long will not.
#[test]
fn a_question_at_the_end_of_the_capture_is_unanswered_after_three_seconds() {
    let read =
        crate::packet::att::Pdu::ReadRequest { attribute_handle: crate::packet::att::Handle(3) };
    let asked = |link: Trace| link.att(Direction::Sent, read);
    let outcome = |trace: Trace| {
        let connection = only(trace);
        let step = connection.steps.iter().find(|step| step.procedure == Procedure::Read);
        step.expect("the read").outcome
    };
    let open = |ms| outcome(asked(up()).wait_ms(ms).advertises(0));
    assert_eq!((open(2_900), open(3_000)), (Outcome::Unknown, Outcome::Unanswered));
    let kicked = |ms| outcome(asked(up()).wait_ms(ms).disconnected(USER));
    assert_eq!((kicked(28_900), kicked(29_000)), (Outcome::CutOff, Outcome::Unanswered));
    // A host that waits three seconds and then hangs up has given up waiting.
    let gave_up = |ms| outcome(asked(up()).wait_ms(ms).hangs_up(USER));
    assert_eq!((gave_up(2_800), gave_up(3_000)), (Outcome::CutOff, Outcome::Unanswered));
    let waits = |trace: Trace| only(trace).steps[0].outcome;
    assert_eq!(waits(Trace::new().create().wait_ms(900).advertises(0)), Outcome::Unanswered);
}

fn unanswered(capture: &Capture) -> usize {
    let late = |what: &Happening| matches!(what, Happening::CommandUnanswered { .. });
    capture.adapter_events.iter().filter(|event| late(&event.what)).count()
}

/// An excerpt of a text may end anywhere: its last line is not the end of anything.
#[test]
fn what_an_excerpt_asks_last_is_not_unanswered() {
    let ask = Command::LeReadSuggestedDefaultDataLength {};
    let other = |trace: Trace| trace.monitor(12, b"a line of a log\0");
    let trace = other(Trace::new().command(ask).wait_ms(5_000));
    assert_eq!(unanswered(&trace.run_as("btsnoop")), 1);
    assert_eq!(unanswered(&trace.run_as("btmon-text")), 0);
    let waited = Trace::new().command(ask).wait_ms(5_000).command(Command::ReadBdAddr {});
    assert_eq!(unanswered(&waited.run_as("btmon-text")), 1, "another packet came much later");
}

/// Commands of a group that the specification does not have go to no controller.
#[test]
fn only_a_controllers_own_commands_want_an_answer() {
    let late = |code: u16, wait: u32| {
        let command = Command::Other { code, parameters: &[] };
        let trace = Trace::new().command(command).wait_ms(wait).command(Command::ReadBdAddr {});
        let all = happened(trace.wait_ms(100).advertises(0));
        all.iter().filter(|what| matches!(what, Happening::CommandUnanswered { .. })).count()
    };
    assert_eq!(late(0x0401, 5_000), 1);
    assert_eq!(late(0x207f, 5_000), 1);
    assert_eq!((late(0xfc01, 5_000), late(0x2401, 5_000), late(0x0001, 5_000)), (0, 0, 0));
    assert_eq!(late(0x0c35, 5_000), 0, "Host Number Of Completed Packets has none");
}

#[test]
fn an_answer_that_came_too_late_is_told_as_well() {
    let ask = Command::LeReadSuggestedDefaultDataLength {};
    let late = |ms| {
        let trace = Trace::new().command(ask).wait_ms(ms).complete(ask.opcode(), &[0; 5]);
        unanswered(&trace.run())
    };
    // Two seconds; the command itself takes a tenth of a millisecond.
    assert_eq!((late(1_999), late(2_000)), (0, 1));
    let by = |answer: Opcode| {
        let trace = Trace::new().command(ask).command(Command::ReadBdAddr {}).wait_ms(2_500);
        trace.complete(answer, &[0; 7]).run()
    };
    let overtaken = |capture: &Capture| {
        let of = |what: &Happening| match what {
            Happening::CommandUnanswered { overtaken, .. } => Some(*overtaken),
            _ => None,
        };
        capture.adapter_events.iter().filter_map(|event| of(&event.what)).collect::<Vec<_>>()
    };
    // Both waited too long; the first one was still unanswered when the second one was.
    assert_eq!(overtaken(&by(Command::ReadBdAddr {}.opcode())), [false, true]);
    assert_eq!(overtaken(&by(ask.opcode())), [false, false]);
}

fn attempt(trace: Trace) -> Connection {
    trace.run().connections.remove(0)
}

/// A device that leaves advertising when it connects is heard again when the link is over.
#[test]
fn the_first_report_after_the_end_is_kept() {
    let after = |trace: Trace| attempt(trace).report_after.is_some();
    assert!(after(up().disconnected(USER).advertises(0)));
    assert!(!after(up().disconnected(USER)));
    assert!(!after(up().advertises(0).disconnected(USER)));
    let other = up().disconnected(USER).peer(Address([9; 6]), AddressType::PUBLIC).advertises(0);
    assert!(!after(other));
    assert_eq!(attempt(up()).peer.address, Some(PEER));
}

/// Counts that are not in one breath are two proofs: only the last one may be what the controller threw away.
#[test]
fn an_earlier_count_of_completed_packets_still_proves_that_the_peer_was_there() {
    let link = up().mtu().wait_ms(5_000).writes_at_once(2).wait_ms(400).acknowledged(1);
    let first = link.clone().run().connections[0].last_heard.map(|heard| heard.seen.frame);
    let heard = |ms| {
        let later = link.clone().wait_ms(ms).acknowledged(1).wait_ms(5);
        let connection = only(later.disconnected(Status::CONNECTION_TIMEOUT));
        connection.last_heard.map(|heard| heard.seen.frame)
    };
    assert_eq!(heard(1_000), first);
    assert_eq!(heard(20), first, "the breath was over");
    assert_ne!(heard(10), first, "of one breath with the first, all of it was thrown away");
    // A count of no packets says nothing.
    let none = only(Trace::new().create().connected().writes_at_once(1).acknowledged(0));
    assert!(!none.peer_heard());
}

/// What was sent and never completed is what the controller was stuck with.
#[test]
fn the_oldest_packet_that_was_not_completed_is_stuck() {
    let stuck = |acknowledged| {
        let link = up().writes_at_once(3);
        let link = if acknowledged > 0 { link.acknowledged(acknowledged) } else { link };
        let first = up().records().count() as u32;
        only(link).credits.stuck.map(|seen| seen.frame - first)
    };
    let all = [0, 1, 2, 3, 9].map(stuck);
    assert_eq!(all, [Some(1), Some(2), Some(3), None, None]);
    // After the end nothing is counted any more.
    let after = up().writes_at_once(1).disconnected(USER).acknowledged(1);
    assert_eq!(only(after).credits.completed, 0);
}

#[test]
fn as_many_commands_are_remembered_as_may_wait() {
    let late = |count: u16| {
        let trace = (0..count).fold(Trace::new(), |trace, n| {
            trace.command(Command::Other { code: 0x0c80 + n, parameters: &[] })
        });
        unanswered(&trace.wait_ms(2_500).advertises(0).run())
    };
    assert_eq!((late(31), late(32), late(33)), (31, 32, 32));
}

/// An address, a version, buffers and features are what the controller says, if it says so with success.
#[test]
fn an_adapter_is_what_it_answers() {
    let facts = |opcode: u16, returns: &[u8]| {
        let trace = Trace::new().complete(Opcode(opcode), returns);
        trace.run().adapters.remove(0)
    };
    let address = |status| facts(0x1009, &[status, 1, 2, 3, 4, 5, 6]).address;
    assert_eq!((address(0), address(1)), (Some(Address([1, 2, 3, 4, 5, 6])), None));
    let version = |status| {
        let facts = facts(0x1001, &[status, 0x0b, 0, 0, 0x0b, 0x59, 0, 0, 0]);
        (facts.version, facts.manufacturer)
    };
    assert_eq!((version(0), version(1)), ((Some(0x0b), Some(0x59)), (None, None)));
    let buffers = |status| facts(0x2002, &[status, 0xfb, 0, 8]).le_buffers;
    assert_eq!((buffers(0), buffers(1)), (Some((251, 8)), None));
    let features = |status| facts(0x2003, &[status, 1, 0, 0, 0, 0, 0, 0, 0]).le_features;
    assert_eq!((features(0), features(1)), (Some([1, 0, 0, 0, 0, 0, 0, 0]), None));
}

/// Each limit of time, met to the microsecond.
#[test]
fn the_last_moment_counts_and_the_one_after_it_does_not() {
    let features = LeEvent::ReadRemoteFeaturesComplete {
        status: USER,
        connection_handle: HANDLE,
        le_features: [0; 8],
    };
    let echoes = |us| {
        let link = Trace::new().create().connected();
        let link = link.taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
        end(link.le(features).after_us(us).disconnected(USER)).echoes.len()
    };
    assert_eq!((echoes(15_000), echoes(15_001)), (1, 0));
    let last = |us| {
        let link = up().mtu().wait_ms(5_000).writes_at_once(1).wait_ms(400).acknowledged(1);
        let connection = only(link.after_us(us).disconnected(Status::CONNECTION_TIMEOUT));
        connection.last_heard.expect("the MTU").by
    };
    assert_eq!(last(19_999), "ACL data from the peer");
    assert_eq!(last(20_000), "Number Of Completed Packets");
    // Two counts are one breath for less than 20 ms.
    let link = up().mtu().wait_ms(5_000).writes_at_once(2).wait_ms(400).acknowledged(1);
    let first = link.clone().run().connections[0].last_heard.map(|heard| heard.seen.frame);
    let heard = |us| {
        let later = link.clone().after_us(us).acknowledged(1).after_us(100);
        let connection = only(later.disconnected(Status::CONNECTION_TIMEOUT));
        connection.last_heard.map(|heard| heard.seen.frame) == first
    };
    assert!(heard(20_000) && !heard(19_999));
    let ask = Command::LeReadSuggestedDefaultDataLength {};
    let answered = |us| {
        unanswered(&Trace::new().command(ask).after_us(us).complete(ask.opcode(), &[0; 5]).run())
    };
    assert_eq!((answered(2_000_000), answered(1_999_999)), (1, 0));
    let silent = |us| unanswered(&Trace::new().command(ask).after_us(us).advertises(0).run());
    assert_eq!((silent(2_000_000), silent(1_999_999)), (1, 0));
}

#[test]
fn the_step_of_the_end_is_whose_end_it_is() {
    let by = |trace: Trace| {
        let connection = only(trace);
        let step = connection.steps.iter().find(|step| step.procedure == Procedure::Disconnect);
        step.expect("its end").by
    };
    assert_eq!(by(up().hangs_up(USER)), Direction::Sent);
    assert_eq!(by(up().disconnected(USER)), Direction::Received);
    assert_eq!(by(up().disconnected(Status::CONNECTION_TIMEOUT)), Direction::Received);
}

/// A server of which nothing more can be kept has no attributes; what others share takes no room.
#[test]
fn what_servers_have_is_kept_up_to_a_bound() {
    let link = || up().discovery(0x10).hangs_up(USER);
    let of = |attributes: usize, trace: &Trace| {
        let mut tracker = Tracker::new();
        tracker.attributes = attributes;
        let mut decoder = crate::decode::Decoder::new();
        for record in trace.records() {
            tracker.push(&decoder.decode(&record));
        }
        tracker.connections.iter().map(|c| c.remote.attributes().len()).collect::<Vec<_>>()
    };
    let found = of(0, &link())[0];
    assert!(found > 0);
    assert_eq!(of(4_000_000 - found, &link()), [found]);
    assert_eq!(of(4_000_000 - found + 1, &link()), [0]);
    assert_eq!(of(4_000_000 - found, &link().followed_by(link())), [found; 2]);
    let other = Trace::new().peer(Address([9; 6]), AddressType::PUBLIC).up().discovery(0x12);
    let other = link().followed_by(other.hangs_up(USER));
    assert_eq!(of(4_000_000 - found, &other), [found, 0]);
}

/// An adapter that was closed and then deleted was unplugged, unless somebody switched it off.
#[test]
fn a_deleted_adapter_was_unplugged_if_nobody_switched_it_off() {
    let powered = |trace: Trace, on: u8| trace.monitor(16, &[7, 0, 0, 0, 0x05, 0x00, on]);
    let gone = |trace: Trace| {
        let gone = only(trace).gone.expect("lost");
        (gone.how, gone.by)
    };
    let (close, delete) =
        (|trace: Trace| trace.monitor(9, &[]), |trace: Trace| trace.monitor(1, &[]));
    assert_eq!(gone(close(up())), (AdapterLoss::PoweredOff, EndedBy::Controller));
    assert_eq!(gone(delete(close(up()))), (AdapterLoss::Removed, EndedBy::Controller));
    assert_eq!(gone(delete(up())), (AdapterLoss::Removed, EndedBy::Controller));
    let off = close(powered(up(), 0));
    assert_eq!(gone(off.clone()), (AdapterLoss::PoweredOff, EndedBy::Host));
    assert_eq!(gone(delete(off)), (AdapterLoss::PoweredOff, EndedBy::Host));
    let on = powered(powered(up(), 0), 1);
    assert_eq!(gone(delete(close(on))), (AdapterLoss::Removed, EndedBy::Controller));
    // A reset took the link before.
    let reset = up().command(Command::Reset {});
    assert_eq!(gone(delete(reset)).0, AdapterLoss::Reset);
    let switched = happened(powered(powered(Trace::new().advertises(0), 0), 1));
    let words = [Happening::Powered(false), Happening::Powered(true)];
    assert!(words.iter().all(|what| switched.contains(what)), "{switched:?}");
}

/// What an adapter was asked before it went down gets no answer any more, and nobody waits for one.
#[test]
fn nobody_waits_for_an_adapter_that_is_closed() {
    let ask = Command::LeReadSuggestedDefaultDataLength {};
    let later = |trace: Trace| unanswered(&trace.wait_ms(5_000).advertises(0).run());
    let asked = || Trace::new().command(ask).wait_ms(100);
    assert_eq!(later(asked()), 1);
    assert_eq!(later(asked().monitor(9, &[])), 0);
    assert_eq!(later(asked().monitor(9, &[]).command(ask)), 1, "asked again");
}

/// A command about a link that is over is refused: an echo of its end, if the refusal says that there is no such link.
#[test]
fn a_command_after_the_end_echoes_it() {
    let late = Command::LeReadRemoteFeatures { connection_handle: HANDLE };
    let echoes = |status| {
        let over = up().disconnected(USER).command(late).status(late.opcode(), status);
        end(over).echoes.len()
    };
    assert_eq!(echoes(Status::UNKNOWN_CONNECTION_IDENTIFIER), 1);
    assert_eq!(echoes(Status::COMMAND_DISALLOWED), 0);
}
