//! Link-layer procedures of one link.
use super::connection::{Connection, Granted, Pending};
use super::live::{At, Link, Question, step};
use super::signalling::asked;
use super::step::{Detail, Encryption, Outcome, Procedure};
use crate::packet::hci::{Command, Event, LeEvent};
use crate::packet::{Direction, Opcode, Status};

/// Most sent packets remembered for age; a controller has fewer buffers than that.
const MOST_IN_FLIGHT: usize = 512;

const READ_REMOTE_FEATURES: Opcode = Opcode(0x2016);
const READ_ALL_REMOTE_FEATURES: Opcode = Opcode(0x2088);
const READ_REMOTE_VERSION: Opcode = Opcode(0x041d);
const BREDR_REMOTE_FEATURES: Opcode = Opcode(0x041b);
const CONNECTION_UPDATE: Opcode = Opcode(0x2013);
const ENABLE_ENCRYPTION: Opcode = Opcode(0x2019);
const SET_PHY: Opcode = Opcode(0x2032);
const SET_DATA_LENGTH: Opcode = Opcode(0x2022);
const AUTHENTICATION_REQUESTED: Opcode = Opcode(0x0411);
const SET_CONNECTION_ENCRYPTION: Opcode = Opcode(0x0413);

/// The event that answers a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Command Complete.
    Complete,
    /// Command Status.
    Status,
}

impl Link {
    pub(super) fn acl_sent(
        &mut self,
        connection: &mut Connection,
        at: At,
        outstanding: u32,
        buffers: Option<u32>,
    ) {
        let credits = &mut connection.credits;
        credits.sent += 1;
        if outstanding > credits.most_outstanding {
            credits.most_outstanding = outstanding;
            credits.most_outstanding_frame = at.frame;
        }
        if buffers.is_some_and(|buffers| outstanding > buffers) {
            credits.overrun_frame.get_or_insert(at.frame);
        }
        if self.acl_in_flight.len() < MOST_IN_FLIGHT {
            self.acl_in_flight.push_back(at.seen());
        }
    }

    /// Our host starts a procedure of the link layer.
    pub(super) fn link_layer_command(
        &mut self,
        connection: &mut Connection,
        at: At,
        command: &Command<'_>,
    ) {
        let (procedure, detail) = match *command {
            Command::LeReadRemoteFeatures { .. }
            | Command::LeReadAllRemoteFeatures { .. }
            | Command::ReadRemoteSupportedFeatures { .. } => (Procedure::Features, Detail::None),
            Command::ReadRemoteVersionInformation { .. } => (Procedure::Version, Detail::None),
            Command::LeConnectionUpdate {
                connection_interval_min,
                connection_interval_max,
                max_latency,
                supervision_timeout,
                ..
            } => (
                Procedure::ParameterUpdate,
                asked(
                    connection_interval_min,
                    connection_interval_max,
                    max_latency,
                    supervision_timeout,
                ),
            ),
            Command::LeSetPhy { tx_phys, rx_phys, .. } => {
                (Procedure::Phy, Detail::Phy { asked_tx: tx_phys, asked_rx: rx_phys, tx: 0, rx: 0 })
            }
            Command::LeSetDataLength { tx_octets, tx_time, .. } => (
                Procedure::DataLength,
                Detail::DataLength { tx_octets, tx_time, rx_octets: 0, rx_time: 0 },
            ),
            Command::LeEnableEncryption { .. } => {
                let key = self.key();
                self.security_answered(connection, at);
                (Procedure::Encrypt, Detail::Encryption { key, key_size: 0 })
            }
            Command::AuthenticationRequested { .. } => (Procedure::Pair, Detail::None),
            Command::SetConnectionEncryption { .. } => {
                (Procedure::Encrypt, Detail::Encryption { key: Encryption::Stored, key_size: 0 })
            }
            Command::LeLongTermKeyRequestReply { .. } => {
                if let Some(question) = self.answered(|q| q.pending == Pending::LongTermKey) {
                    // The peer waits for the encryption that follows: its step stays open.
                    self.encrypting = question.step;
                }
                return;
            }
            Command::LeLongTermKeyRequestNegativeReply { .. } => {
                if let Some(question) = self.answered(|q| q.pending == Pending::LongTermKey) {
                    self.settle(
                        connection,
                        &question,
                        at,
                        Outcome::Error,
                        Some(Status::PIN_OR_KEY_MISSING.0),
                    );
                    self.encrypting = None;
                }
                return;
            }
            Command::LeRemoteConnectionParameterRequestReply { .. } => {
                if let Some(question) = self.answered(|q| q.pending == Pending::ParameterRequest) {
                    self.settle(connection, &question, at, Outcome::Ok, Some(0));
                }
                return;
            }
            Command::LeRemoteConnectionParameterRequestNegativeReply { reason, .. } => {
                if let Some(question) = self.answered(|q| q.pending == Pending::ParameterRequest) {
                    self.settle(connection, &question, at, Outcome::Error, Some(reason.0));
                }
                return;
            }
            _ => return,
        };
        let index =
            self.add(connection, step(procedure, Direction::Sent, at, Outcome::Unknown, detail));
        if procedure == Procedure::Encrypt {
            self.encrypting = index;
        }
        self.ask(Question {
            pending: Pending::LinkLayer(command.opcode()),
            at: At { direction: Direction::Sent, ..at },
            attribute: 0,
            step: index,
            run: None,
            key: 0,
            procedure,
            detail,
            bytes: 0,
        });
    }

    /// Command Complete or Command Status for a command on this link.
    pub(super) fn command_answered(
        &mut self,
        connection: &mut Connection,
        at: At,
        opcode: Opcode,
        status: Status,
        answer: Answer,
    ) {
        if status != Status::SUCCESS {
            self.failed(at, status);
            if let Some(question) = self.answered(|q| q.pending == Pending::LinkLayer(opcode)) {
                self.settle(connection, &question, at, Outcome::Error, Some(status.0));
            }
        } else if answer == Answer::Complete && opcode == SET_DATA_LENGTH {
            // The change itself comes as an event, if anything changes at all.
            if let Some(question) = self.answered(|q| q.pending == Pending::LinkLayer(opcode)) {
                self.settle(connection, &question, at, Outcome::Ok, Some(0));
            }
        }
    }

    fn failed(&mut self, at: At, status: Status) {
        if self.recent_errors.len() >= 8 {
            self.recent_errors.pop_front();
        }
        self.recent_errors.push_back((at.seen(), status));
    }

    /// The end of a link-layer procedure of ours, or of one that the other side began.
    fn complete(
        &mut self,
        connection: &mut Connection,
        at: At,
        opcodes: &[Opcode],
        status: Status,
        unasked: Option<(Procedure, Detail)>,
    ) -> Option<usize> {
        let outcome = if status == Status::SUCCESS { Outcome::Ok } else { Outcome::Error };
        if status != Status::SUCCESS {
            self.failed(at, status);
        }
        if let Some(question) =
            self.answered(|q| matches!(q.pending, Pending::LinkLayer(o) if opcodes.contains(&o)))
        {
            return self.settle(connection, &question, at, outcome, Some(status.0));
        }
        let (procedure, detail) = unasked?;
        let mut step = step(procedure, Direction::Received, at, outcome, detail);
        step.status = Some(status.0);
        self.add(connection, step)
    }

    pub(super) fn link_layer_event(
        &mut self,
        connection: &mut Connection,
        at: At,
        event: &Event<'_>,
    ) {
        match *event {
            Event::Le {
                event: LeEvent::ReadRemoteFeaturesComplete { status, le_features, .. },
            } => {
                let index = self.complete(
                    connection,
                    at,
                    &[READ_REMOTE_FEATURES, READ_ALL_REMOTE_FEATURES],
                    status,
                    Some((Procedure::Features, Detail::Features(le_features))),
                );
                detail(connection, index, status, Detail::Features(le_features));
                if matches!(status, Status::SUCCESS | Status::UNSUPPORTED_REMOTE_FEATURE) {
                    connection.hear(at, "LE Read Remote Features Complete");
                    connection.usable(at);
                }
            }
            Event::ReadRemoteSupportedFeaturesComplete { status, .. } => {
                self.complete(
                    connection,
                    at,
                    &[BREDR_REMOTE_FEATURES],
                    status,
                    Some((Procedure::Features, Detail::None)),
                );
            }
            Event::ReadRemoteVersionInformationComplete {
                status,
                version,
                company_identifier,
                subversion,
                ..
            } => {
                let said = Detail::Version { version, company: company_identifier, subversion };
                let index = self.complete(
                    connection,
                    at,
                    &[READ_REMOTE_VERSION],
                    status,
                    Some((Procedure::Version, said)),
                );
                detail(connection, index, status, said);
                if status == Status::SUCCESS {
                    connection.peer.version = Some((version, company_identifier));
                    // The controller may answer from its cache: proof of life once, not its date.
                    if connection.heard.is_none() {
                        connection.hear(at, "Read Remote Version Complete");
                    }
                    connection.usable(at);
                }
            }
            Event::Le {
                event:
                    LeEvent::ConnectionUpdateComplete {
                        status,
                        connection_interval,
                        peripheral_latency,
                        supervision_timeout,
                        ..
                    },
            } => {
                let unasked = Detail::Parameters {
                    min: 0,
                    max: 0,
                    latency: 0,
                    timeout: 0,
                    granted_interval: connection_interval,
                    granted_latency: peripheral_latency,
                    granted_timeout: supervision_timeout,
                };
                let index = self.complete(
                    connection,
                    at,
                    &[CONNECTION_UPDATE],
                    status,
                    Some((Procedure::ParameterUpdate, unasked)),
                );
                if status != Status::SUCCESS {
                    return;
                }
                connection.hear(at, "LE Connection Update Complete");
                if let Some(step) = index.and_then(|i| connection.steps.get_mut(i))
                    && let Detail::Parameters {
                        granted_interval,
                        granted_latency,
                        granted_timeout,
                        ..
                    } = &mut step.detail
                {
                    (*granted_interval, *granted_latency, *granted_timeout) =
                        (connection_interval, peripheral_latency, supervision_timeout);
                }
                let parameters = Granted {
                    interval: connection_interval,
                    latency: peripheral_latency,
                    timeout: supervision_timeout,
                    clock_accuracy: connection.granted.map_or(0, |g| g.clock_accuracy),
                };
                connection.current = Some(parameters);
                connection.paced(at, parameters);
            }
            Event::Le {
                event:
                    LeEvent::DataLengthChange {
                        max_tx_octets,
                        max_tx_time,
                        max_rx_octets,
                        max_rx_time,
                        ..
                    },
            } => {
                let said = Detail::DataLength {
                    tx_octets: max_tx_octets,
                    tx_time: max_tx_time,
                    rx_octets: max_rx_octets,
                    rx_time: max_rx_time,
                };
                self.complete(
                    connection,
                    at,
                    &[SET_DATA_LENGTH],
                    Status::SUCCESS,
                    Some((Procedure::DataLength, said)),
                );
                connection.hear(at, "LE Data Length Change");
            }
            Event::Le { event: LeEvent::PhyUpdateComplete { status, tx_phy, rx_phy, .. } } => {
                let said = Detail::Phy { asked_tx: 0, asked_rx: 0, tx: tx_phy, rx: rx_phy };
                let index =
                    self.complete(connection, at, &[SET_PHY], status, Some((Procedure::Phy, said)));
                if status == Status::SUCCESS {
                    connection.hear(at, "LE PHY Update Complete");
                    if let Some(step) = index.and_then(|i| connection.steps.get_mut(i))
                        && let Detail::Phy { tx, rx, .. } = &mut step.detail
                    {
                        (*tx, *rx) = (tx_phy, rx_phy);
                    }
                }
            }
            Event::Le {
                event: LeEvent::ChannelSelectionAlgorithm { channel_selection_algorithm, .. },
            } => {
                connection.channel_selection = Some(channel_selection_algorithm);
            }
            Event::Le {
                event:
                    LeEvent::RemoteConnectionParameterRequest {
                        interval_min,
                        interval_max,
                        max_latency,
                        timeout,
                        ..
                    },
            } => {
                connection.hear(at, "LE Remote Connection Parameter Request");
                let said = asked(interval_min, interval_max, max_latency, timeout);
                self.peer_asks(
                    connection,
                    at,
                    Pending::ParameterRequest,
                    0,
                    Procedure::ParameterUpdate,
                    said,
                );
            }
            Event::Le { event: LeEvent::LongTermKeyRequest { .. } } => {
                connection.hear(at, "LE Long Term Key Request");
                self.security_answered(connection, at);
                let said = Detail::Encryption { key: self.key(), key_size: 0 };
                self.peer_asks(connection, at, Pending::LongTermKey, 0, Procedure::Encrypt, said);
            }
            Event::EncryptionChange { status, encryption_enabled, .. } => {
                self.encryption(connection, at, status, encryption_enabled, 0)
            }
            Event::EncryptionChangeV2 {
                status, encryption_enabled, encryption_key_size, ..
            } => {
                self.encryption(connection, at, status, encryption_enabled, encryption_key_size);
            }
            Event::EncryptionKeyRefreshComplete { status, .. } => {
                self.encryption(connection, at, status, 1, 0);
                if let Some(step) =
                    connection.steps.iter_mut().rev().find(|s| s.procedure == Procedure::Encrypt)
                    && let Detail::Encryption { key, .. } = &mut step.detail
                {
                    *key = Encryption::Refresh;
                }
            }
            Event::AuthenticationComplete { status, .. } => {
                self.complete(connection, at, &[AUTHENTICATION_REQUESTED], status, None);
            }
            Event::AuthenticatedPayloadTimeoutExpired { .. } => {
                let step = step(
                    Procedure::Other,
                    Direction::Received,
                    at,
                    Outcome::Error,
                    Detail::Hci { code: 0x57 },
                );
                self.add(connection, step);
            }
            _ => {}
        }
    }

    fn encryption(
        &mut self,
        connection: &mut Connection,
        at: At,
        status: Status,
        enabled: u8,
        size: u8,
    ) {
        let opened = self.encrypting.take();
        let index = self
            .complete(connection, at, &[ENABLE_ENCRYPTION, SET_CONNECTION_ENCRYPTION], status, None)
            .or_else(|| {
                let place = opened?;
                let step = connection.steps.get_mut(place)?;
                step.outcome = if status == Status::SUCCESS { Outcome::Ok } else { Outcome::Error };
                step.status = Some(status.0);
                step.last = at.seen();
                Some(place)
            });
        let index = index.or_else(|| {
            let key = self.key();
            let mut unasked = step(
                Procedure::Encrypt,
                Direction::Received,
                at,
                if status == Status::SUCCESS { Outcome::Ok } else { Outcome::Error },
                Detail::Encryption { key, key_size: size },
            );
            unasked.status = Some(status.0);
            self.add(connection, unasked)
        });
        if let Some(step) = index.and_then(|i| connection.steps.get_mut(i))
            && let Detail::Encryption { key_size, .. } = &mut step.detail
        {
            *key_size = size;
        }
        match status {
            Status::SUCCESS if enabled != 0 => {
                connection.hear(at, "Encryption Change");
                connection.usable(at);
                connection.encrypted = true;
                self.encryption_done(connection);
            }
            Status::PIN_OR_KEY_MISSING => connection.hear(at, "Encryption Change (key missing)"),
            _ => {}
        }
    }

    /// Key of the pairing on this link, or of an earlier bond.
    fn key(&self) -> Encryption {
        if self.fresh_key { Encryption::Fresh } else { Encryption::Stored }
    }
}

fn detail(connection: &mut Connection, index: Option<usize>, status: Status, detail: Detail) {
    if status == Status::SUCCESS
        && let Some(step) = index.and_then(|i| connection.steps.get_mut(i))
    {
        step.detail = detail;
    }
}

#[cfg(test)]
mod tests;
