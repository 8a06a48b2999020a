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
            Some((_, EndedBy::Host)) if sent_bad(connection) => Some(Self::Ended(sent(connection))),
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

fn sent(connection: &Connection) -> Status {
    connection.end.as_ref().and_then(|end| end.reason_sent).unwrap_or_default()
}

fn sent_bad(connection: &Connection) -> bool {
    connection.end.as_ref().is_some_and(|end| end.reason_sent.is_some()) && bad(sent(connection))
}

/// A request of ours that the peer left without an answer.
fn waited_in_vain(connection: &Connection) -> bool {
    connection.steps.iter().any(|s| {
        s.outcome == Outcome::Unanswered && s.is_att() && s.by == crate::packet::Direction::Sent
    })
}
