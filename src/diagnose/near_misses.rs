//! Traces that are nearly a rule's own, and what it must make of them: of each condition that
//! decides between a cause and silence, one side that its example does not show.
use super::*;
use crate::packet::Direction::{Received, Sent};
use crate::packet::att::{Handle, Pdu};
use crate::packet::{ConnHandle, Status};
use crate::trace::Trace;

/// What a rule says of a capture without a reference: level, confidence, connections.
fn said(id: &str, trace: Trace) -> Option<(Level, Confidence, Vec<u32>)> {
    let captures = [trace.run()];
    let found = diagnose(&Scene { captures: &captures, subject: 0, comparison: None });
    let finding = found.into_iter().find(|finding| finding.rule == id)?;
    Some((finding.level, finding.confidence, finding.connections))
}

const READ: Pdu<'_> = Pdu::ReadRequest { attribute_handle: Handle(0x4e) };

/// A peripheral that asked questions of its own: only one of the central's that it left open for
/// thirty seconds is its fault.
#[test]
fn whose_request_was_open_decides_who_stalled() {
    let open = |direction, ms| {
        let link = Trace::new().connected_as(1, 24, 0, 42);
        let link = link.exchange(READ, Pdu::ReadResponse { attribute_value: &[1] });
        let link = link.att(direction, READ).wait_ms(ms);
        let trace = link.disconnected(Status::REMOTE_USER_TERMINATED);
        said("reverse-discovery-collides", trace).map(|(level, ..)| level)
    };
    assert_eq!(open(Received, 30_000), Some(Level::Cause));
    assert_eq!(open(Received, 5_000), None);
    assert_eq!(open(Sent, 30_000), None);
}

#[test]
fn a_payload_timeout_is_told_by_its_own_event_alone() {
    let link = || Trace::new().create().connected_as(0, 39, 0, 3200).features().wait_ms(30_000);
    let of = |event| said("auth-payload-timeout", link().event(event).wait_ms(500));
    let expired = crate::packet::hci::Event::AuthenticatedPayloadTimeoutExpired {
        connection_handle: ConnHandle(0x40),
    };
    assert!(of(expired).is_some());
    let another = crate::packet::hci::Event::QosViolation { connection_handle: ConnHandle(0x40) };
    assert_eq!(of(another), None);
}
