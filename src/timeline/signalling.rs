//! L2CAP signalling: connection parameters that the peer asks for.
use super::connection::{Connection, Pending};
use super::live::{At, Link, Question, step};
use super::step::{Detail, Outcome, Procedure};
use crate::packet::Direction;
use crate::packet::signal;

impl Link {
    /// The peer asks something that our host must answer.
    pub(super) fn peer_asks(
        &mut self,
        connection: &mut Connection,
        at: At,
        pending: Pending,
        key: u16,
        procedure: Procedure,
        detail: Detail,
    ) {
        let at = At { direction: Direction::Received, ..at };
        self.asks(connection, at, pending, key, procedure, detail);
    }

    /// A question of either side, and its step.
    pub(super) fn asks(
        &mut self,
        connection: &mut Connection,
        at: At,
        pending: Pending,
        key: u16,
        procedure: Procedure,
        detail: Detail,
    ) {
        let index =
            self.add(connection, step(procedure, at.direction, at, Outcome::Unknown, detail));
        self.ask(Question {
            pending,
            at,
            attribute: 0,
            step: index,
            run: None,
            key,
            procedure,
            detail,
            bytes: 0,
        });
    }

    /// L2CAP signalling.
    pub(super) fn signal(
        &mut self,
        connection: &mut Connection,
        at: At,
        identifier: u8,
        pdu: &signal::Pdu<'_>,
    ) {
        connection.touch(at);
        let code = pdu.code();
        let key = u16::from(identifier);
        let (procedure, detail) = match *pdu {
            signal::Pdu::ConnectionParameterUpdateRequest {
                interval_min,
                interval_max,
                latency,
                timeout,
            } => (Procedure::ParameterUpdate, asked(interval_min, interval_max, latency, timeout)),
            signal::Pdu::LeCreditBasedConnectionRequest { spsm, source_cid, .. } => (
                Procedure::Channel,
                Detail::Signal { code, psm: spsm, ours: source_cid, theirs: 0 },
            ),
            signal::Pdu::CreditBasedConnectionRequest { spsm, .. } => {
                (Procedure::Channel, Detail::Signal { code, psm: spsm, ours: 0, theirs: 0 })
            }
            signal::Pdu::ConnectionRequest { psm, source_cid } => {
                (Procedure::Channel, Detail::Signal { code, psm, ours: source_cid, theirs: 0 })
            }
            signal::Pdu::DisconnectionRequest { destination_cid, source_cid } => (
                Procedure::Channel,
                Detail::Signal { code, psm: 0, ours: source_cid, theirs: destination_cid },
            ),
            signal::Pdu::ConfigureRequest { .. }
            | signal::Pdu::InformationRequest { .. }
            | signal::Pdu::EchoRequest { .. }
            | signal::Pdu::CreditBasedReconfigureRequest { .. } => {
                (Procedure::Channel, Detail::Signal { code, psm: 0, ours: 0, theirs: 0 })
            }
            _ => return self.signal_answer(connection, at, key, pdu),
        };
        self.asks(connection, at, Pending::Signal(code), key, procedure, detail);
    }

    fn signal_answer(
        &mut self,
        connection: &mut Connection,
        at: At,
        key: u16,
        pdu: &signal::Pdu<'_>,
    ) {
        let result: Option<u16> = match *pdu {
            signal::Pdu::ConnectionParameterUpdateResponse { result } => Some(result),
            signal::Pdu::LeCreditBasedConnectionResponse { result, .. }
            | signal::Pdu::CreditBasedConnectionResponse { result, .. } => Some(result),
            signal::Pdu::ConnectionResponse { result, .. } => {
                // 1 is "pending": the real answer follows.
                if result == 1 {
                    return;
                }
                Some(result)
            }
            signal::Pdu::CommandReject { .. } => None,
            signal::Pdu::DisconnectionResponse { .. }
            | signal::Pdu::ConfigureResponse { .. }
            | signal::Pdu::InformationResponse { .. }
            | signal::Pdu::EchoResponse { .. }
            | signal::Pdu::CreditBasedReconfigureResponse { .. } => Some(0),
            _ => return,
        };
        let Some(question) = self.answered(|q| {
            matches!(q.pending, Pending::Signal(_))
                && q.key == key
                && q.at.direction != at.direction
        }) else {
            return;
        };
        let outcome = if result == Some(0) { Outcome::Ok } else { Outcome::Error };
        self.settle(connection, &question, at, outcome, result.map(|r| r.min(0xff) as u8));
    }
}

pub(super) fn asked(min: u16, max: u16, latency: u16, timeout: u16) -> Detail {
    Detail::Parameters {
        min,
        max,
        latency,
        timeout,
        granted_interval: 0,
        granted_latency: 0,
        granted_timeout: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Direction::{Received, Sent};
    use crate::timeline::tests::only;
    use crate::trace::Trace;

    fn update() -> signal::Pdu<'static> {
        signal::Pdu::ConnectionParameterUpdateRequest {
            interval_min: 6,
            interval_max: 12,
            latency: 0,
            timeout: 200,
        }
    }

    fn answered(trace: Trace) -> (Outcome, Option<u8>) {
        let step = only(trace).steps.pop().expect("a step");
        (step.outcome, step.status)
    }

    #[test]
    fn an_answer_belongs_to_the_request_with_its_identifier() {
        let response = |result| signal::Pdu::ConnectionParameterUpdateResponse { result };
        let asked = || Trace::new().up().signal(Received, 7, update());
        let by = |direction, identifier, result| {
            answered(asked().signal(direction, identifier, response(result)))
        };
        assert_eq!(by(Sent, 7, 0), (Outcome::Ok, Some(0)));
        assert_eq!(by(Sent, 7, 1), (Outcome::Error, Some(1)));
        assert_eq!(by(Sent, 8, 0), (Outcome::Unknown, None), "another identifier");
        assert_eq!(by(Received, 7, 0), (Outcome::Unknown, None), "who asked does not answer");
        let rejected = asked().signal(Sent, 7, signal::Pdu::CommandReject { reason: 0, data: &[] });
        assert_eq!(answered(rejected), (Outcome::Error, None));
    }

    /// Result 1 of a channel says that the answer is still to come (Core, Vol 3, Part A, 4.3).
    #[test]
    fn a_pending_channel_waits_for_its_real_answer() {
        let asked = signal::Pdu::ConnectionRequest { psm: 1, source_cid: 0x40 };
        let response = |result| signal::Pdu::ConnectionResponse {
            destination_cid: 0x50,
            source_cid: 0x40,
            result,
            status: 0,
        };
        let link = || Trace::new().connected_bredr().signal_bredr(Sent, 3, asked);
        let pending = || link().signal_bredr(Received, 3, response(1));
        assert_eq!(answered(pending()), (Outcome::Unknown, None));
        assert_eq!(
            answered(pending().signal_bredr(Received, 3, response(0))),
            (Outcome::Ok, Some(0))
        );
        assert_eq!(
            answered(link().signal_bredr(Received, 3, response(2))),
            (Outcome::Error, Some(2))
        );
    }

    /// Questions of other kinds have no such identifier.
    #[test]
    fn an_answer_of_signalling_ends_no_request_of_att() {
        let read = crate::packet::att::Pdu::ReadRequest {
            attribute_handle: crate::packet::att::Handle(3),
        };
        let link = Trace::new().up().att(Received, read);
        let response = signal::Pdu::ConnectionParameterUpdateResponse { result: 0 };
        assert_eq!(answered(link.signal(Sent, 4, response)), (Outcome::Unknown, None));
    }
}
