//! The attribute protocol on one link: requests, their answers, and what they teach of the database.
use super::connection::OddityKind;
use super::connection::{Connection, FirstAtt, Mtu, Pending, Written};
use super::database::{Attribute, AttributeKind, Database};
use super::live::{At, Link, Question, step};
use super::step::{Detail, Outcome, Procedure, Step};
use crate::packet::Direction;
use crate::packet::Problem;
use crate::packet::att::{ErrorCode, Pdu, Uuid};
use std::sync::Arc;

/// The fixed ATT channel.
const FIXED: u16 = 4;

/// Most bytes kept of a device name.
const LONGEST_NAME: usize = 248;

const PRIMARY_SERVICE: u16 = 0x2800;
const SECONDARY_SERVICE: u16 = 0x2801;
const INCLUDE: u16 = 0x2802;
const CHARACTERISTIC: u16 = 0x2803;
const CCCD: Uuid = Uuid::Short(0x2902);
const DEVICE_NAME: Uuid = Uuid::Short(0x2a00);
const SERVICE_CHANGED: Uuid = Uuid::Short(0x2a05);
/// Characteristic properties (3.3.1.1).
const NOTIFY_OR_INDICATE: u8 = 0x30;
const DATABASE_HASH: Uuid = Uuid::Short(0x2b2a);

impl Link {
    pub(super) fn att(
        &mut self,
        connection: &mut Connection,
        at: At,
        channel: u16,
        pdu: &Pdu<'_>,
        problem: Option<Problem>,
    ) {
        connection.touch(at);
        match at.direction {
            Direction::Sent => connection.att_sent += 1,
            Direction::Received => {
                connection.att_received += 1;
                connection.usable(at);
            }
        }
        connection.enhanced_att += u64::from(channel != FIXED);
        connection.first_att.get_or_insert(FirstAtt {
            seen: at.seen(),
            opcode: pdu.opcode(),
            direction: at.direction,
        });
        if pdu.is_request() {
            self.request(connection, at, channel, pdu);
            return;
        }
        match *pdu {
            Pdu::ErrorResponse { request_opcode, error_code, .. } => {
                self.refused(connection, at, channel, request_opcode, error_code)
            }
            Pdu::HandleValueNotification { attribute_handle, attribute_value } => {
                self.pushed(
                    connection,
                    at,
                    Procedure::Notify,
                    attribute_handle.0,
                    attribute_value.len(),
                    problem,
                );
            }
            Pdu::MultipleHandleValueNotification { ref list } => {
                for (handle, value) in list.iter() {
                    self.pushed(connection, at, Procedure::Notify, handle.0, value.len(), problem);
                }
            }
            Pdu::HandleValueIndication { attribute_handle, attribute_value } => {
                self.indicated(connection, at, channel, attribute_handle.0, attribute_value);
            }
            Pdu::WriteCommand { attribute_handle, attribute_value } => {
                self.wrote(connection, at, attribute_handle.0, attribute_value, false);
            }
            Pdu::SignedWriteCommand { attribute_handle, attribute_value, .. } => {
                self.wrote(connection, at, attribute_handle.0, attribute_value.value, true);
            }
            _ => self.response(connection, at, channel, pdu),
        }
    }

    fn wrote(
        &mut self,
        connection: &mut Connection,
        at: At,
        handle: u16,
        value: &[u8],
        signed: bool,
    ) {
        if at.sent() {
            connection.last_write = Some(Written::new(at.seen(), handle, value));
        }
        let detail = Detail::Write { head: head(value), prepared: false, signed };
        let mut step = step(Procedure::WriteCommand, at.direction, at, Outcome::Ok, detail);
        step.attribute = handle;
        step.bytes = value.len() as u64;
        self.run(connection, at, at.direction, step);
    }

    fn pushed(
        &mut self,
        connection: &mut Connection,
        at: At,
        procedure: Procedure,
        handle: u16,
        len: usize,
        problem: Option<Problem>,
    ) {
        let outcome = if problem.is_some() { Outcome::Unknown } else { Outcome::Ok };
        let mut step = step(procedure, at.direction, at, outcome, Detail::None);
        step.attribute = handle;
        step.bytes = len as u64;
        self.run(connection, at, at.direction, step);
    }

    fn indicated(
        &mut self,
        connection: &mut Connection,
        at: At,
        channel: u16,
        handle: u16,
        value: &[u8],
    ) {
        let mut made = step(Procedure::Indicate, at.direction, at, Outcome::Unknown, Detail::None);
        made.attribute = handle;
        made.bytes = value.len() as u64;
        let server = self.database(at.direction == Direction::Received);
        if server
            .get(handle)
            .is_some_and(|a| a.uuid == Some(SERVICE_CHANGED) && a.kind == AttributeKind::Value)
            && let [a, b, c, d] = *value
        {
            let (first, last) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            made.detail =
                Detail::Discovery { first, last, found: 0, attribute_type: 0x2a05, by_uuid: false };
            // The two declarations of the service itself stay: later names need them.
            let keep = server.get(handle).cloned();
            server.forget(first, last);
            if let Some(keep) = keep {
                server.learn(keep);
            }
        }
        self.begin(connection, at, channel, Pdu::INDICATION, made);
    }

    /// Puts a question on the timeline, or marks it to fold into an open run.
    fn begin(&mut self, connection: &mut Connection, at: At, channel: u16, opcode: u8, made: Step) {
        let run = self.open_run(&made, at.direction);
        let (procedure, detail, attribute, bytes) =
            (made.procedure, made.detail, made.attribute, made.bytes);
        if self.questions.iter().any(|q| {
            matches!(q.pending, Pending::Att(o) if o != Pdu::INDICATION && opcode != Pdu::INDICATION)
                && q.key == channel
                && q.at.direction == at.direction
        }) {
            connection.odd(at.frame, OddityKind::SecondRequestInFlight);
        }
        let step = if run.is_some() { None } else { self.add(connection, made) };
        self.ask(Question {
            pending: Pending::Att(opcode),
            at,
            attribute,
            step,
            run,
            key: channel,
            procedure,
            detail,
            bytes,
        });
    }

    fn request(&mut self, connection: &mut Connection, at: At, channel: u16, pdu: &Pdu<'_>) {
        let mut attribute = 0;
        let mut bytes = 0;
        let (procedure, detail) = match *pdu {
            Pdu::ExchangeMtuRequest { client_rx_mtu } => {
                connection.mtu.get_or_insert(Mtu {
                    by: at.direction,
                    requested: client_rx_mtu,
                    seen: at.seen(),
                    answered: None,
                    answer: None,
                    error: None,
                });
                (
                    Procedure::ExchangeMtu,
                    Detail::Mtu { asked: client_rx_mtu, answered: None, answers: 0 },
                )
            }
            Pdu::FindInformationRequest { starting_handle, ending_handle } => (
                Procedure::DiscoverDescriptors,
                discovery(starting_handle.0, ending_handle.0, 0, false),
            ),
            Pdu::FindByTypeValueRequest {
                starting_handle, ending_handle, attribute_type, ..
            } => (
                Procedure::DiscoverServices,
                discovery(starting_handle.0, ending_handle.0, attribute_type, true),
            ),
            Pdu::ReadByGroupTypeRequest {
                starting_handle,
                ending_handle,
                attribute_group_type,
            } => (
                Procedure::DiscoverServices,
                discovery(
                    starting_handle.0,
                    ending_handle.0,
                    short(attribute_group_type.uuid),
                    false,
                ),
            ),
            Pdu::ReadByTypeRequest { starting_handle, ending_handle, attribute_type } => {
                match short(attribute_type.uuid) {
                    INCLUDE => (
                        Procedure::DiscoverIncludes,
                        discovery(starting_handle.0, ending_handle.0, INCLUDE, false),
                    ),
                    CHARACTERISTIC => (
                        Procedure::DiscoverCharacteristics,
                        discovery(starting_handle.0, ending_handle.0, CHARACTERISTIC, false),
                    ),
                    by_type => (Procedure::Read, Detail::Read { offset: 0, by_type }),
                }
            }
            Pdu::ReadRequest { attribute_handle } => {
                attribute = attribute_handle.0;
                (Procedure::Read, Detail::Read { offset: 0, by_type: 0 })
            }
            Pdu::ReadBlobRequest { attribute_handle, value_offset } => {
                attribute = attribute_handle.0;
                (Procedure::Read, Detail::Read { offset: value_offset, by_type: 0 })
            }
            Pdu::WriteRequest { attribute_handle, attribute_value } => {
                attribute = attribute_handle.0;
                bytes = attribute_value.len() as u64;
                if at.sent() {
                    let written = Written::new(at.seen(), attribute, attribute_value);
                    connection.last_write = Some(written);
                }
                let server = self.database(at.direction == Direction::Sent);
                if is_cccd(server, attribute, attribute_value) {
                    (Procedure::Subscribe, Detail::Subscription { value: head(attribute_value) })
                } else {
                    (
                        Procedure::Write,
                        Detail::Write {
                            head: head(attribute_value),
                            prepared: false,
                            signed: false,
                        },
                    )
                }
            }
            Pdu::PrepareWriteRequest { attribute_handle, part_attribute_value, .. } => {
                attribute = attribute_handle.0;
                bytes = part_attribute_value.len() as u64;
                (
                    Procedure::Write,
                    Detail::Write {
                        head: head(part_attribute_value),
                        prepared: true,
                        signed: false,
                    },
                )
            }
            _ => (Procedure::Other, Detail::Att { opcode: pdu.opcode() }),
        };
        let mut made = step(procedure, at.direction, at, Outcome::Unknown, detail);
        made.attribute = attribute;
        made.bytes = bytes;
        self.begin(connection, at, channel, pdu.opcode(), made);
    }

    fn take(&mut self, at: At, channel: u16, opcode: u8) -> Option<Question> {
        self.answered(|q| {
            q.pending == Pending::Att(opcode) && q.key == channel && q.at.direction != at.direction
        })
    }

    fn refused(
        &mut self,
        connection: &mut Connection,
        at: At,
        channel: u16,
        opcode: u8,
        error: ErrorCode,
    ) {
        if opcode == Pdu::MTU_REQUEST
            && let Some(mtu) = &mut connection.mtu
            && mtu.answered.is_none()
            && mtu.by != at.direction
        {
            mtu.error.get_or_insert(error.0);
        }
        let Some(question) = self.take(at, channel, opcode) else {
            connection.odd(at.frame, OddityKind::UnexpectedResponse);
            if opcode == Pdu::MTU_REQUEST {
                self.second_mtu_answer(connection, at);
            }
            return;
        };
        let searched = matches!(
            question.procedure,
            Procedure::DiscoverServices
                | Procedure::DiscoverIncludes
                | Procedure::DiscoverCharacteristics
                | Procedure::DiscoverDescriptors
        ) || matches!(question.detail, Detail::Read { by_type, .. } if by_type != 0);
        // The end of a search, and a server that knows no secondary services, are no failures.
        let ends = searched
            && (error == ErrorCode::ATTRIBUTE_NOT_FOUND
                || (error == ErrorCode::UNSUPPORTED_GROUP_TYPE
                    && matches!(
                        question.detail,
                        Detail::Discovery { attribute_type: SECONDARY_SERVICE, .. }
                    )));
        let outcome = if ends { Outcome::Ok } else { Outcome::Error };
        self.settle(connection, &question, at, outcome, Some(error.0));
    }

    fn second_mtu_answer(&mut self, connection: &mut Connection, at: At) {
        if let Some(step) = self.mtu_step.and_then(|i| connection.steps.get_mut(i))
            && let Detail::Mtu { answers, .. } = &mut step.detail
        {
            *answers = answers.saturating_add(1);
            step.last.frame = at.frame;
        }
    }

    fn response(&mut self, connection: &mut Connection, at: At, channel: u16, pdu: &Pdu<'_>) {
        let Some(opcode) = pdu.answers() else { return };
        let Some(question) = self.take(at, channel, opcode) else {
            // A capture that began between request and response is no fault of anybody's.
            if connection.start_seen {
                connection.odd(at.frame, OddityKind::UnexpectedResponse);
            }
            if matches!(pdu, Pdu::ExchangeMtuResponse { .. }) {
                self.second_mtu_answer(connection, at);
            }
            return;
        };
        let index = self.settle(connection, &question, at, Outcome::Ok, None);
        let remote = at.direction == Direction::Received;
        let Some(index) = index else { return };
        match *pdu {
            Pdu::ExchangeMtuResponse { server_rx_mtu } => {
                if let Some(step) = connection.steps.get_mut(index)
                    && let Detail::Mtu { answered, answers, .. } = &mut step.detail
                {
                    *answered = Some(server_rx_mtu);
                    *answers = answers.saturating_add(1);
                }
                self.mtu_step = Some(index);
                if let Some(mtu) = &mut connection.mtu
                    && mtu.answered.is_none()
                    && mtu.frame == question.at.frame
                {
                    mtu.answered = Some(server_rx_mtu);
                    mtu.answer = Some(at.seen());
                }
            }
            Pdu::ReadResponse { attribute_value } => {
                gained(connection, index, attribute_value.len(), 0, 0);
                let kind = self.database(remote).get(question.attribute).and_then(|a| a.uuid);
                self.value_read(connection, remote, kind, attribute_value);
            }
            Pdu::ReadBlobResponse { part_attribute_value } => {
                gained(connection, index, part_attribute_value.len(), 0, 0)
            }
            Pdu::ReadByTypeResponse { ref list } => {
                self.by_type(connection, remote, &question, index, list.iter())
            }
            Pdu::ReadByGroupTypeResponse { ref list } => {
                let secondary = matches!(
                    question.detail,
                    Detail::Discovery { attribute_type: SECONDARY_SERVICE, .. }
                );
                let kind = if secondary {
                    AttributeKind::SecondaryService
                } else {
                    AttributeKind::PrimaryService
                };
                let mut last = 0;
                let mut found = 0;
                for (start, end, value) in list.iter() {
                    self.database(remote).learn(Attribute {
                        handle: start.0,
                        kind,
                        uuid: Uuid::from_bytes(value),
                        end: end.0,
                        properties: 0,
                    });
                    last = last.max(end.0);
                    found += 1;
                }
                gained(connection, index, 0, last, found);
            }
            Pdu::FindByTypeValueResponse { ref list } => {
                let mut last = 0;
                let mut found = 0;
                for (start, end) in list.iter() {
                    self.database(remote).learn(Attribute {
                        handle: start.0,
                        kind: AttributeKind::PrimaryService,
                        uuid: None,
                        end: end.0,
                        properties: 0,
                    });
                    last = last.max(end.0);
                    found += 1;
                }
                gained(connection, index, 0, last, found);
            }
            Pdu::FindInformationResponse { ref list } => {
                let mut last = 0;
                let mut found = 0;
                for (handle, uuid) in list.iter() {
                    if !is_declaration(uuid) {
                        self.database(remote).learn(Attribute {
                            handle: handle.0,
                            kind: AttributeKind::Descriptor,
                            uuid: Some(uuid),
                            end: 0,
                            properties: 0,
                        });
                    }
                    last = last.max(handle.0);
                    found += 1;
                }
                gained(connection, index, 0, last, found);
            }
            _ => {}
        }
    }

    fn by_type<'a>(
        &mut self,
        connection: &mut Connection,
        remote: bool,
        question: &Question,
        index: usize,
        list: impl Iterator<Item = (crate::packet::att::Handle, &'a [u8])>,
    ) {
        let mut last = 0;
        let mut found = 0;
        for (handle, value) in list {
            last = last.max(handle.0);
            found += 1;
            match (question.procedure, value) {
                (Procedure::DiscoverCharacteristics, [properties, low, high, uuid @ ..]) => {
                    let value_handle = u16::from_le_bytes([*low, *high]);
                    let uuid = Uuid::from_bytes(uuid);
                    let declared = Attribute {
                        handle: handle.0,
                        kind: AttributeKind::Characteristic,
                        uuid,
                        end: value_handle,
                        properties: *properties,
                    };
                    let value = Attribute {
                        handle: value_handle,
                        kind: AttributeKind::Value,
                        end: 0,
                        ..declared.clone()
                    };
                    self.database(remote).learn(declared);
                    self.database(remote).learn(value);
                    last = last.max(value_handle);
                }
                (Procedure::DiscoverIncludes, [_, _, low, high, uuid @ ..]) => {
                    self.database(remote).learn(Attribute {
                        handle: handle.0,
                        kind: AttributeKind::Include,
                        uuid: Uuid::from_bytes(uuid),
                        end: u16::from_le_bytes([*low, *high]),
                        properties: 0,
                    });
                }
                (Procedure::Read, value) => {
                    if let Some(step) = connection.steps.get_mut(index) {
                        step.attribute = handle.0;
                    }
                    gained(connection, index, value.len(), 0, 0);
                    if let Detail::Read { by_type, .. } = question.detail
                        && by_type != 0
                    {
                        let uuid = Uuid::Short(by_type);
                        if self.database(remote).get(handle.0).is_none() {
                            self.database(remote).learn(Attribute {
                                handle: handle.0,
                                kind: AttributeKind::Value,
                                uuid: Some(uuid),
                                end: 0,
                                properties: 0,
                            });
                        }
                        self.value_read(connection, remote, Some(uuid), value);
                    }
                }
                _ => {}
            }
        }
        if question.procedure != Procedure::Read {
            gained(connection, index, 0, last, found);
        }
    }

    /// Values that say who the peer is, or which database it has.
    fn value_read(
        &mut self,
        connection: &mut Connection,
        remote: bool,
        uuid: Option<Uuid>,
        value: &[u8],
    ) {
        match uuid {
            Some(DEVICE_NAME) if remote => {
                let name = String::from_utf8_lossy(value.get(..LONGEST_NAME).unwrap_or(value));
                let name = name.trim_end_matches('\0');
                if !name.is_empty() && connection.peer.name.as_deref() != Some(name) {
                    connection.peer.name = Some(Arc::from(name));
                    self.name_learned = true;
                }
            }
            Some(DATABASE_HASH) => {
                if let Ok(hash) = <[u8; 16]>::try_from(value) {
                    self.database(remote).hash = Some(hash);
                }
            }
            _ => {}
        }
    }

    fn database(&mut self, remote: bool) -> &mut Database {
        if remote { &mut self.remote } else { &mut self.local }
    }
}

/// Value bytes, last handle and entries that a response added to a step.
fn gained(connection: &mut Connection, index: usize, len: usize, to: u16, entries: u16) {
    let Some(step) = connection.steps.get_mut(index) else { return };
    step.bytes = step.bytes.saturating_add(len as u64);
    if let Detail::Discovery { last, found, .. } = &mut step.detail {
        *found = found.saturating_add(entries);
        // Later rounds may search further than the first one asked.
        *last = (*last).max(to);
    }
}

fn discovery(first: u16, last: u16, attribute_type: u16, by_uuid: bool) -> Detail {
    Detail::Discovery { first, last, found: 0, attribute_type, by_uuid }
}

/// Whether a write goes to a Client Characteristic Configuration Descriptor.
///
/// BlueZ does not ask what the one descriptor of a notifying characteristic is: it takes it for the
/// CCCD, as it must be. So do we, where the value is one that a CCCD takes.
fn is_cccd(server: &mut Database, handle: u16, value: &[u8]) -> bool {
    match server.get(handle) {
        Some(known) if known.kind != AttributeKind::Unknown => {
            return known.uuid == Some(CCCD) && known.kind == AttributeKind::Descriptor;
        }
        _ => {}
    }
    let notifies =
        server.characteristic_of(handle).is_some_and(|c| c.properties & NOTIFY_OR_INDICATE != 0);
    let inferred = notifies && matches!(value, [0..=2, 0]);
    if inferred {
        server.learn(Attribute {
            handle,
            kind: AttributeKind::Descriptor,
            uuid: Some(CCCD),
            end: 0,
            properties: 0,
        });
    }
    inferred
}

fn short(uuid: Uuid) -> u16 {
    match uuid {
        Uuid::Short(short) => short,
        Uuid::Full(_) => 0,
    }
}

fn is_declaration(uuid: Uuid) -> bool {
    matches!(uuid, Uuid::Short(PRIMARY_SERVICE | SECONDARY_SERVICE | INCLUDE | CHARACTERISTIC))
}

fn head(value: &[u8]) -> u16 {
    match value {
        [low, high, ..] => u16::from_le_bytes([*low, *high]),
        [low] => u16::from(*low),
        [] => 0,
    }
}

#[cfg(test)]
mod tests;
