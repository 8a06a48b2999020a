//! How far an attempt came, and whether and how it failed.
use crate::packet::Status;
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, EndedBy, Outcome, Procedure, Role};

/// How far an attempt came; the greater, the further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The link came up.
    pub connected: bool,
    /// The peer answered.
    pub heard: bool,
    /// Something of value passed: an answered operation, or a pushed value.
    pub usable: bool,
    /// Kinds of successful operations on it.
    pub kinds: usize,
}

impl Standing {
    /// How far this connection got.
    pub fn of(connection: &Connection) -> Self {
        let done = connection.steps.iter().filter(|s| {
            matches!(s.outcome, Outcome::Ok | Outcome::Unknown)
                && (s.is_att() || s.procedure == Procedure::Encrypt)
        });
        let mut kinds: Vec<(Procedure, u16)> =
            done.take(4096).map(|s| (s.procedure, s.attribute)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            connected: connection.connected(),
            heard: connection.peer_heard() || !connection.start_seen,
            usable: !kinds.is_empty(),
            kinds: kinds.len(),
        }
    }
}

/// How an attempt failed; what comes later in a connection's life is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// Connection Complete or the create command said no.
    Refused(Status),
    /// This host stopped waiting.
    GivenUp,
    /// The link ended in a way that nobody wants.
    Ended(Status),
    /// The adapter was lost or switched off under the link.
    AdapterLost,
    /// Encryption or pairing failed, whoever hung up then.
    Security(u8),
    /// This host hung up while the peer owed it an answer.
    Unanswered,
}

impl Failure {
    /// How the attempt failed, if it did.
    pub fn of(connection: &Connection) -> Option<Self> {
        if !connection.connected() {
            return match connection.status {
                // A host that stops waiting for any device of its list has failed with none.
                Some(Status::UNKNOWN_CONNECTION_IDENTIFIER) => {
                    connection.wanted().map(|_| Self::GivenUp)
                }
                Some(Status::SUCCESS) | None => None,
                Some(status) => Some(Self::Refused(status)),
            };
        }
        if connection.gone.is_some() {
            return Some(Self::AdapterLost);
        }
        let broken = connection.steps.iter().find(|s| {
            matches!(s.procedure, Procedure::Encrypt | Procedure::Pair)
                && s.outcome == Outcome::Error
        });
        let cured = connection.encrypted;
        let end = connection.end.as_ref();
        match end.map(|end| (end.reason, end.by)) {
            Some((reason, _)) if bad(reason) => Some(Self::Ended(reason)),
            _ if broken.is_some() && !cured => {
                broken.map(|step| Self::Security(step.status.unwrap_or(0)))
            }
            // A central's peer that hangs up; a peripheral's central may do so at any time.
            Some((reason, EndedBy::Peer)) if connection.role != Some(Role::Peripheral) => {
                Some(Self::Ended(reason))
            }
            Some((_, EndedBy::Host)) if bad(sent(connection)) => {
                Some(Self::Ended(sent(connection)))
            }
            _ if waited_in_vain(connection) => Some(Self::Unanswered),
            _ => None,
        }
    }

    /// `ended 0x3e`, for a count of attempts.
    pub fn says(self) -> Text {
        match self {
            Self::Refused(Status(code)) => text!("were refused {}", format_args!("{code:#04x}")),
            Self::GivenUp => "never connected".into(),
            Self::Ended(Status(code)) => text!("ended {}", format_args!("{code:#04x}")),
            Self::AdapterLost => "were lost with the adapter".into(),
            Self::Security(_) => "failed on security".into(),
            Self::Unanswered => "got no answer".into(),
        }
    }
}

/// Ends that are failures whoever reports them.
pub fn bad(reason: Status) -> bool {
    !matches!(
        reason,
        Status::REMOTE_USER_TERMINATED
            | Status::REMOTE_LOW_RESOURCES
            | Status::REMOTE_POWER_OFF
            | Status::LOCAL_HOST_TERMINATED
            | Status::SUCCESS
    )
}

/// The reason in our Disconnect command; success where there is none.
fn sent(connection: &Connection) -> Status {
    connection.end.as_ref().and_then(|end| end.reason_sent).unwrap_or_default()
}

/// A request of ours that the peer left without an answer.
fn waited_in_vain(connection: &Connection) -> bool {
    connection.steps.iter().any(|s| {
        s.outcome == Outcome::Unanswered && s.is_att() && s.by == crate::packet::Direction::Sent
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::{LAMP, changed, step, to, with};
    use crate::packet::Direction;
    use crate::timeline::{AdapterLoss, Capture, Detail, Gone, Step};

    fn att() -> Step {
        step(Procedure::Read, Detail::None)
    }

    #[test]
    fn of_value_is_what_was_answered_or_may_have_been() {
        let kinds = |steps: Vec<Step>| {
            let capture = with(steps.into_iter().map(|step| (0, step)).collect());
            let standing = Standing::of(&capture.connections[0]);
            assert_eq!(standing.usable, standing.kinds > 0);
            standing.kinds
        };
        let of = |step: Step, outcome| kinds(vec![Step { outcome, ..step }]);
        let encrypt = || step(Procedure::Encrypt, Detail::None);
        for outcome in [Outcome::Ok, Outcome::Unknown] {
            assert_eq!((of(att(), outcome), of(encrypt(), outcome)), (1, 1));
            assert_eq!(of(step(Procedure::Pair, Detail::None), outcome), 0);
        }
        for outcome in [Outcome::Error, Outcome::Unanswered, Outcome::CutOff] {
            assert_eq!((of(att(), outcome), of(encrypt(), outcome)), (0, 0));
        }
        let on = |attribute| Step { attribute, ..att() };
        assert_eq!(kinds(vec![on(3), on(4), on(3)]), 2);
        assert_eq!(kinds(vec![]), 0);
    }

    #[test]
    fn a_link_that_was_up_before_the_capture_counts_as_heard() {
        let of = |capture: &Capture| Standing::of(&capture.connections[0]).heard;
        let silent = to(LAMP).create().connected().wait_ms(900).run();
        assert!(!of(&silent));
        assert!(of(&changed(silent, |c| c.connections[0].start_seen = false)));
        assert!(of(&to(LAMP).up().run()));
    }

    #[test]
    fn what_failed_is_told_by_the_end_and_by_what_came_before() {
        let link = |step: Step| with(vec![(0, step)]);
        let of = |capture: &Capture| Failure::of(&capture.connections[0]);
        let failed = |procedure, outcome, status| {
            link(Step { outcome, status, ..step(procedure, Detail::None) })
        };
        use Outcome::{Error, Unanswered};
        for procedure in [Procedure::Encrypt, Procedure::Pair] {
            assert_eq!(of(&failed(procedure, Error, Some(5))), Some(Failure::Security(5)));
            assert_eq!(of(&failed(procedure, Unanswered, None)), None);
            let cured =
                changed(failed(procedure, Error, Some(5)), |c| c.connections[0].encrypted = true);
            assert_eq!(of(&cured), None);
        }
        assert_eq!(of(&failed(Procedure::Read, Error, Some(5))), None);
        assert_eq!(of(&failed(Procedure::Read, Unanswered, None)), Some(Failure::Unanswered));
        assert_eq!(of(&failed(Procedure::Features, Unanswered, None)), None);
        let theirs = link(Step { by: Direction::Received, outcome: Unanswered, ..att() });
        assert_eq!(of(&theirs), None, "this host owes the answer");
        // Who ended it, and with what.
        let ended = |by, reason, sent, role| {
            changed(link(att()), |c| {
                let connection = &mut c.connections[0];
                connection.role = role;
                let end = connection.end.as_mut().expect("it ended");
                (end.by, end.reason, end.reason_sent) = (by, reason, sent);
            })
        };
        let (user, local) = (Status::REMOTE_USER_TERMINATED, Status::LOCAL_HOST_TERMINATED);
        let central = Some(Role::Central);
        for role in [central, None] {
            let failed = Some(Failure::Ended(user));
            assert_eq!(of(&ended(EndedBy::Peer, user, None, role)), failed);
        }
        assert_eq!(of(&ended(EndedBy::Peer, user, None, Some(Role::Peripheral))), None);
        assert_eq!(of(&ended(EndedBy::Host, local, Some(user), central)), None);
        assert_eq!(of(&ended(EndedBy::Host, local, None, central)), None);
        let refuses = Some(Status::AUTHENTICATION_FAILURE);
        let failed = Some(Failure::Ended(Status::AUTHENTICATION_FAILURE));
        assert_eq!(of(&ended(EndedBy::Host, local, refuses, central)), failed);
        assert_eq!(of(&ended(EndedBy::Controller, user, refuses, central)), None, "not by us");
        let timeout = Some(Failure::Ended(Status::CONNECTION_TIMEOUT));
        assert_eq!(
            of(&ended(EndedBy::Controller, Status::CONNECTION_TIMEOUT, None, central)),
            timeout
        );
        let lost = changed(link(att()), |c| {
            let seen = c.connections[0].up.expect("it was up");
            c.connections[0].end = None;
            c.connections[0].gone = Some(Gone {
                seen,
                how: AdapterLoss::Removed,
                by: EndedBy::Controller,
                process: None,
                command: None,
            });
        });
        assert_eq!(of(&lost), Some(Failure::AdapterLost));
    }

    #[test]
    fn ends_that_nobody_wants_are_failures() {
        for fine in [
            Status::REMOTE_USER_TERMINATED,
            Status::REMOTE_LOW_RESOURCES,
            Status::REMOTE_POWER_OFF,
            Status::LOCAL_HOST_TERMINATED,
            Status::SUCCESS,
        ] {
            assert!(!bad(fine), "{fine:?}");
        }
        assert!(bad(Status::CONNECTION_TIMEOUT) && bad(Status::MIC_FAILURE));
    }
}
