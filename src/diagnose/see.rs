//! What several rules look for, said once.
use super::Scene;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, EndedBy, Outcome, Procedure, Step};

/// Ends a peer chose: without our command, 0x13 to 0x15, after it was heard.
pub fn peer_hung_up(connection: &Connection) -> Option<&End> {
    connection
        .end
        .as_ref()
        .filter(|end| end.by == EndedBy::Peer && connection.connected_frame.is_some())
}

/// The line that names a link's end.
pub fn ended(end: &End) -> (u32, String) {
    (end.frame, format!("Disconnection Complete, {}", end.reason))
}

/// Whether all spans lie within ten percent of their mean.
pub fn constant(spans: &[Span]) -> bool {
    let count = spans.len() as i64;
    if count < 2 {
        return false;
    }
    let mean = spans.iter().map(|s| s.0).sum::<i64>() / count;
    mean > 0 && spans.iter().all(|s| (s.0 - mean).abs() * 10 <= mean)
}

/// Smallest and largest, for a sentence: `423.7 ms` or `0.2 s to 4.0 s`.
pub fn range(spans: &[Span]) -> String {
    match (spans.iter().min(), spans.iter().max()) {
        (Some(low), Some(high)) if low.to_string() == high.to_string() => low.to_string(),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        _ => String::new(),
    }
}

/// The last thing that our host said on ATT, SMP or signalling, as a step.
pub fn last_sent(connection: &Connection) -> Option<&Step> {
    use crate::packet::Direction::Sent;
    connection
        .steps
        .iter()
        .rev()
        .filter(|s| s.by == Sent)
        .find(|s| s.is_att() || matches!(s.procedure, Procedure::Pair | Procedure::Channel))
}

/// What two steps must share to be the same PDU in two tries: procedure, attribute, range.
pub fn same_pdu(a: &Step, b: &Step) -> bool {
    let of = |s: &Step| match s.detail {
        Detail::Discovery { first, attribute_type, by_uuid, .. } => {
            (first, attribute_type, u16::from(by_uuid))
        }
        Detail::Read { by_type, offset } => (s.attribute, by_type, u16::from(offset > 0)),
        Detail::Subscription { value } => (s.attribute, value, 0),
        _ => (s.attribute, 0, 0),
    };
    // A run of discovery requests asked for one range after the other: which was the last it does not say.
    let one = |s: &Step| s.count == 1 || !matches!(s.detail, Detail::Discovery { .. });
    a.procedure == b.procedure && of(a) == of(b) && one(a) && one(b)
}

/// The peer asked for connection parameters or security and got no answer, or a refusal.
pub fn peer_request_open(connection: &Connection) -> bool {
    use crate::packet::Direction::Received;
    connection.steps.iter().any(|s| {
        s.by == Received
            && s.failed()
            && match s.procedure {
                Procedure::ParameterUpdate => true,
                Procedure::Pair => matches!(s.detail, Detail::SecurityRequest { .. }),
                _ => false,
            }
    })
}

/// Whether the application got to work: something was written, subscribed to, or notified.
pub fn used(connection: &Connection) -> bool {
    use Procedure::{Notify, Subscribe, Write, WriteCommand};
    let work = |s: &Step| matches!(s.procedure, Write | WriteCommand | Subscribe | Notify);
    connection.steps.iter().any(|s| s.outcome == Outcome::Ok && work(s))
}

/// How a step reads in a sentence.
pub fn pdu(step: &Step) -> String {
    let attribute = if step.attribute == 0 {
        String::new()
    } else {
        format!(" of attribute {:#06x}", step.attribute)
    };
    match (step.procedure, step.detail) {
        (Procedure::ExchangeMtu, Detail::Mtu { asked, .. }) => {
            format!("Exchange MTU Request ({asked})")
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, by_uuid: true, .. }) => {
            format!("discovery of one service by UUID from {first:#06x}")
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, .. }) => {
            format!("discovery of services from {first:#06x}")
        }
        (Procedure::DiscoverIncludes, Detail::Discovery { first, .. }) => {
            format!("discovery of included services from {first:#06x}")
        }
        (Procedure::DiscoverCharacteristics, Detail::Discovery { first, .. }) => {
            format!("discovery of characteristics from {first:#06x}")
        }
        (Procedure::DiscoverDescriptors, Detail::Discovery { first, .. }) => {
            format!("discovery of descriptors from {first:#06x}")
        }
        (Procedure::Read, Detail::Read { by_type, .. }) if by_type != 0 => {
            format!("read by type {by_type:#06x}")
        }
        (Procedure::Read, _) => format!("read{attribute}"),
        (Procedure::Write, Detail::Write { prepared: true, .. }) => {
            format!("long write (prepared){attribute}")
        }
        (Procedure::Write, _) => format!("write{attribute}"),
        (Procedure::WriteCommand, _) => format!("write command{attribute}"),
        (Procedure::Subscribe, Detail::Subscription { value }) => {
            format!("write of {value:#06x} to the CCCD {:#06x}", step.attribute)
        }
        (Procedure::Indicate, _) => format!("indication{attribute}"),
        (Procedure::Notify, _) => format!("notification{attribute}"),
        (procedure, _) => procedure.to_string(),
    }
}

/// All attempts of the capture under diagnosis to the device of that one.
pub fn attempts_of<'a>(scene: &Scene<'a>, one: &Connection) -> Vec<&'a Connection> {
    let of = |group: &Vec<&Connection>| group.iter().any(|c| c.number == one.number);
    scene.devices().into_iter().find(of).unwrap_or_default()
}
