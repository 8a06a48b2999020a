//! Procedures of the link layer: of every condition a case on each side.
use super::*;

#[test]
fn an_answer_is_looked_for_under_the_number_of_its_command() {
    for (opcode, name) in [
        (READ_REMOTE_FEATURES, "LE Read Remote Features"),
        (READ_ALL_REMOTE_FEATURES, "LE Read All Remote Features"),
        (READ_REMOTE_VERSION, "Read Remote Version Information"),
        (BREDR_REMOTE_FEATURES, "Read Remote Supported Features"),
        (CONNECTION_UPDATE, "LE Connection Update"),
        (ENABLE_ENCRYPTION, "LE Enable Encryption"),
        (SET_PHY, "LE Set PHY"),
        (SET_DATA_LENGTH, "LE Set Data Length"),
        (AUTHENTICATION_REQUESTED, "Authentication Requested"),
        (SET_CONNECTION_ENCRYPTION, "Set Connection Encryption"),
    ] {
        assert!(opcode.to_string().contains(name), "{opcode}");
    }
}

use crate::timeline::tests::only;
use crate::trace::{HANDLE, Trace};

fn link() -> Trace {
    Trace::new().create().connected()
}

fn last(trace: Trace) -> (Procedure, Outcome, Option<u8>, Detail) {
    let step = only(trace).steps.pop().expect("a step");
    (step.procedure, step.outcome, step.status, step.detail)
}

const TIMEOUT: Status = Status::CONNECTION_TIMEOUT;

#[test]
fn a_procedure_ends_as_its_event_says() {
    let features = |status| LeEvent::ReadRemoteFeaturesComplete {
        status,
        connection_handle: HANDLE,
        le_features: [1; 8],
    };
    let asked = || link().taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE });
    let heard = |status| only(asked().le(features(status))).peer_heard();
    assert!(heard(Status::SUCCESS));
    // A peer that does not know the procedure has answered, too.
    assert!(heard(Status::UNSUPPORTED_REMOTE_FEATURE));
    assert!(!heard(TIMEOUT));
    let (_, outcome, status, detail) = last(asked().le(features(Status::SUCCESS)));
    assert_eq!((outcome, status, detail), (Outcome::Ok, Some(0), Detail::Features([1; 8])));
    let (_, outcome, status, detail) = last(asked().le(features(TIMEOUT)));
    assert_eq!((outcome, status, detail), (Outcome::Error, Some(8), Detail::None));
    // Without a question it is a step of the other side's.
    let (procedure, outcome, ..) = last(link().le(features(Status::SUCCESS)));
    assert_eq!((procedure, outcome), (Procedure::Features, Outcome::Ok));
    let refused = asked_refused();
    assert_eq!((last(refused.clone()).1, last(refused).2), (Outcome::Error, Some(0x0c)));
    assert_eq!(last(asked()).1, Outcome::Unknown);
}

fn asked_refused() -> Trace {
    let command = Command::LeReadRemoteFeatures { connection_handle: HANDLE };
    link().command(command).status(command.opcode(), Status::COMMAND_DISALLOWED)
}

/// A controller may answer for the peer from its memory: that proves life once, and not its date.
#[test]
fn a_version_is_the_peers_and_proves_it_once() {
    let version = |status| Event::ReadRemoteVersionInformationComplete {
        status,
        connection_handle: HANDLE,
        version: 9,
        company_identifier: 0x59,
        subversion: 1,
    };
    let alone = only(link().event(version(Status::SUCCESS)));
    assert_eq!(alone.peer.version, Some((9, 0x59)));
    assert_eq!(alone.last_heard.map(|h| h.by), Some("Read Remote Version Complete"));
    assert_ne!(alone.usable_at, crate::time::Moment::UNKNOWN);
    let later = only(link().features().event(version(Status::SUCCESS)));
    assert_eq!(later.last_heard.map(|h| h.by), Some("LE Read Remote Features Complete"));
    let failed = only(link().event(version(TIMEOUT)));
    assert!(failed.peer.version.is_none() && !failed.peer_heard());
}

#[test]
fn an_update_counts_if_it_succeeded() {
    let update = |status| LeEvent::ConnectionUpdateComplete {
        status,
        connection_handle: HANDLE,
        connection_interval: 24,
        peripheral_latency: 2,
        supervision_timeout: 500,
    };
    let asked = || {
        link().taken(Command::LeConnectionUpdate {
            connection_handle: HANDLE,
            connection_interval_min: 24,
            connection_interval_max: 40,
            max_latency: 2,
            supervision_timeout: 500,
            min_ce_length: 0,
            max_ce_length: 0,
        })
    };
    let done = only(asked().le(update(Status::SUCCESS)));
    let now = done.current.expect("in force");
    assert_eq!((now.interval, now.latency, now.timeout), (24, 2, 500));
    assert!(done.peer_heard() && done.pace.len() == 2);
    let (_, _, _, detail) = last(asked().le(update(Status::SUCCESS)));
    assert!(
        matches!(
            detail,
            Detail::Parameters {
                min: 24,
                max: 40,
                granted_interval: 24,
                granted_latency: 2,
                granted_timeout: 500,
                ..
            }
        ),
        "{detail:?}"
    );
    let failed = only(asked().le(update(TIMEOUT)));
    assert_eq!(failed.current.map(|now| now.interval), Some(39));
    assert!(!failed.peer_heard() && failed.pace.len() == 1);
}

#[test]
fn a_phy_counts_if_it_was_changed() {
    let change = |status| LeEvent::PhyUpdateComplete {
        status,
        connection_handle: HANDLE,
        tx_phy: 2,
        rx_phy: 1,
    };
    let set = Command::LeSetPhy {
        connection_handle: HANDLE,
        all_phys: 0,
        tx_phys: 2,
        rx_phys: 3,
        phy_options: 0,
    };
    let done = link().taken(set).le(change(Status::SUCCESS));
    assert!(only(done.clone()).peer_heard());
    assert_eq!(last(done).3, Detail::Phy { asked_tx: 2, asked_rx: 3, tx: 2, rx: 1 });
    let failed = link().taken(set).le(change(TIMEOUT));
    assert!(!only(failed.clone()).peer_heard());
    assert_eq!(last(failed).3, Detail::Phy { asked_tx: 2, asked_rx: 3, tx: 0, rx: 0 });
}

/// Set Data Length is done with its Command Complete; the other commands are only taken up then.
#[test]
fn a_data_length_is_set_by_the_command_itself() {
    let set = Command::LeSetDataLength { connection_handle: HANDLE, tx_octets: 251, tx_time: 2120 };
    let complete = |status| link().command(set).complete(set.opcode(), &[status, 0x40, 0]);
    assert_eq!((last(complete(0)).1, last(complete(0)).2), (Outcome::Ok, Some(0)));
    assert_eq!((last(complete(0x12)).1, last(complete(0x12)).2), (Outcome::Error, Some(0x12)));
    let status = link().command(set).status(set.opcode(), Status::SUCCESS);
    assert_eq!(last(status).1, Outcome::Unknown);
    let features = Command::LeReadRemoteFeatures { connection_handle: HANDLE };
    let other = link().command(features).complete(features.opcode(), &[0]);
    assert_eq!(last(other).1, Outcome::Unknown);
}

#[test]
fn encryption_is_on_if_the_controller_says_both() {
    let change = |status, encryption_enabled| Event::EncryptionChange {
        status,
        connection_handle: HANDLE,
        encryption_enabled,
    };
    let asked = |event| only(link().encrypts().event(event));
    let on = asked(change(Status::SUCCESS, 1));
    assert!(on.encrypted && on.peer_heard());
    let off = asked(change(Status::SUCCESS, 0));
    assert!(!off.encrypted && !off.peer_heard());
    // A peer that lost the key has answered; one that was not heard has not.
    let missing = asked(change(Status::PIN_OR_KEY_MISSING, 0));
    assert!(!missing.encrypted && missing.peer_heard());
    let failed = asked(change(TIMEOUT, 0));
    assert!(!failed.encrypted && !failed.peer_heard());
    let of = |connection: &Connection| {
        let step = connection.steps.iter().find(|s| s.procedure == Procedure::Encrypt);
        let step = step.expect("the encryption");
        (step.by, step.outcome, step.status)
    };
    assert_eq!(of(&on), (Direction::Sent, Outcome::Ok, Some(0)));
    assert_eq!(of(&failed), (Direction::Sent, Outcome::Error, Some(8)));
    // The other side began it.
    for (status, outcome) in [(Status::SUCCESS, Outcome::Ok), (TIMEOUT, Outcome::Error)] {
        let theirs = only(link().event(change(status, 1)));
        assert_eq!(of(&theirs), (Direction::Received, outcome, Some(status.0)));
        let served = only(link().replies_with_key(7).event(change(status, 1)));
        assert_eq!(of(&served), (Direction::Received, outcome, Some(status.0)));
    }
}

#[test]
fn as_many_errors_as_may_be_echoes_are_remembered() {
    let mut live = Link::new(0, 10);
    let at = At {
        source: crate::seen::SourceId::FIRST,
        frame: 1,
        time: crate::time::Moment::UNKNOWN,
        direction: Direction::Received,
        cut: false,
        link: None,
    };
    (1..=9).for_each(|frame| live.failed(At { frame, ..at }, TIMEOUT));
    let frames: Vec<u32> = live.recent_errors.iter().map(|(seen, _)| seen.frame).collect();
    assert_eq!(frames, (2..=9).collect::<Vec<_>>());
}

#[test]
fn as_many_packets_are_remembered_as_controllers_may_hold() {
    let (mut live, mut connection) =
        (Link::new(0, 10), Connection::new(0, None, crate::timeline::Transport::Le));
    let at = At {
        source: crate::seen::SourceId::FIRST,
        frame: 1,
        time: crate::time::Moment::UNKNOWN,
        direction: Direction::Sent,
        cut: false,
        link: None,
    };
    (0..600).for_each(|n| live.acl_sent(&mut connection, at, n, None));
    assert_eq!((live.acl_in_flight.len(), connection.credits.sent), (512, 600));
    assert_eq!(connection.credits.most_outstanding, 599);
}

/// The answer to one procedure ends no other.
#[test]
fn an_event_ends_the_procedure_that_it_belongs_to() {
    let set = Command::LeSetPhy {
        connection_handle: HANDLE,
        all_phys: 0,
        tx_phys: 2,
        rx_phys: 2,
        phy_options: 0,
    };
    let features = LeEvent::ReadRemoteFeaturesComplete {
        status: Status::SUCCESS,
        connection_handle: HANDLE,
        le_features: [1; 8],
    };
    let steps = only(link().taken(set).le(features)).steps;
    let outcome = |of| steps.iter().find(|step| step.procedure == of).map(|step| step.outcome);
    assert_eq!(outcome(Procedure::Phy), Some(Outcome::Unknown));
    assert_eq!(outcome(Procedure::Features), Some(Outcome::Ok));
}

/// On BR/EDR each of these commands ends with an event of its own.
#[test]
fn procedures_of_bredr_end_with_their_own_events() {
    let link = || Trace::new().connected_bredr();
    let ok = |procedure, status| (procedure, Outcome::Ok, Some(status));
    let of = |trace: Trace| {
        let (procedure, outcome, status, _) = last(trace);
        (procedure, outcome, status)
    };
    let connection_handle = HANDLE;
    let features = Event::ReadRemoteSupportedFeaturesComplete {
        status: Status::SUCCESS,
        connection_handle,
        lmp_features: [0; 8],
    };
    let asked = link().taken(Command::ReadRemoteSupportedFeatures { connection_handle });
    assert_eq!(of(asked.clone()).1, Outcome::Unknown);
    assert_eq!(only(asked.clone()).steps.len(), only(asked.clone().event(features)).steps.len());
    assert_eq!(of(asked.event(features)), ok(Procedure::Features, 0));
    let asked = link().taken(Command::AuthenticationRequested { connection_handle });
    let done = |status| Event::AuthenticationComplete { status, connection_handle };
    assert_eq!(of(asked.clone().event(done(Status::SUCCESS))), ok(Procedure::Pair, 0));
    let failed = asked.event(done(Status::PIN_OR_KEY_MISSING));
    assert_eq!(of(failed), (Procedure::Pair, Outcome::Error, Some(6)));
    let asked =
        link().taken(Command::SetConnectionEncryption { connection_handle, encryption_enable: 1 });
    let steps = only(asked.clone()).steps.len();
    let on = asked.encryption(Status::SUCCESS);
    assert_eq!(of(on.clone()), ok(Procedure::Encrypt, 0));
    assert_eq!(only(on).steps.len(), steps);
}

/// Beyond a bound, what is under way to the peer is no longer told apart.
#[test]
fn as_many_packets_are_remembered_as_a_controller_may_hold() {
    let stuck = |acknowledged| {
        let link = Trace::new().up().writes_at_once(255).writes_at_once(255).writes_at_once(3);
        only(link.acknowledged(acknowledged)).credits.stuck.is_some()
    };
    assert!(stuck(511) && !stuck(512));
}
