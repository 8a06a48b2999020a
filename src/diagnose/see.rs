//! What several rules look for, said once.
use super::{Scene, Sight, what_if};
use crate::compare::{DatabaseChange, MatchedBy};
use crate::packet::att::{ErrorCode, Handle};
use crate::packet::{Status, signal, smp};
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Detail, End, EndedBy, Outcome, Procedure, Role, Step};

/// Ends a peer chose: without our command, 0x13 to 0x15, after it was heard.
pub fn peer_hung_up(connection: &Connection) -> Option<&End> {
    connection
        .end
        .as_ref()
        .filter(|end| end.by == EndedBy::Peer && connection.connected_frame().is_some())
}

/// The frame that shows a link's end.
pub fn link_ended(end: &End) -> Sight {
    Sight::here(end.frame, text!("Disconnection Complete, {}", end.reason))
}

/// The captures that `hcidiff recipe` takes to write down what the working host did. None where it would refuse: it
/// never holds a key, and a handle means something only on the same device with the same database.
pub fn recipe(scene: &Scene<'_>) -> Option<&'static str> {
    let comparison = scene.comparison?;
    let works = scene.reference()?;
    let secured = |s: &Step| matches!(s.procedure, Procedure::Pair | Procedure::Encrypt);
    let told = works.start_seen
        && works.role == Some(Role::Central)
        && !works.peer.has_private_address()
        && !works.steps.iter().any(secured)
        && what_if::first_write(works).is_some();
    let one_device = matches!(comparison.matched_by, MatchedBy::Address | MatchedBy::Identity)
        && comparison.database_hash_equal != Some(false)
        && comparison.databases.iter().all(|d| d.change != DatabaseChange::Moved);
    let one_capture = comparison.reference.capture == comparison.subject.capture;
    (told && one_device).then_some(if one_capture { "CAPTURE" } else { "WORKS FAILS" })
}

/// L2CAP's code of a request to close a channel.
pub const DISCONNECTION_REQUEST: Code = 0x06;

/// A code of L2CAP signalling.
type Code = u8;

/// How far from their mean lengths may lie that a clock decides.
const SPREAD_PERCENT: i64 = 10;

/// Whether all spans are about the same length.
pub fn constant(spans: &[Span]) -> bool {
    let count = spans.len() as i64;
    if count < 2 {
        return false;
    }
    let mean = spans.iter().map(|s| s.0).sum::<i64>() / count;
    mean > 0 && spans.iter().all(|s| (s.0 - mean).abs() * 100 <= mean * SPREAD_PERCENT)
}

/// Smallest and largest: `423.7 ms` or `0.2 s to 4.0 s`.
pub fn from_to(spans: &[Span]) -> Text {
    match (spans.iter().min(), spans.iter().max()) {
        (Some(low), Some(high)) if low.to_string() == high.to_string() => text!("{}", *low),
        (Some(low), Some(high)) => text!("{} to {}", *low, *high),
        _ => Text::EMPTY,
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

/// The last question or command of our host on ATT, SMP or signalling, by when it or its answer came.
pub fn last_request(connection: &Connection) -> Option<&Step> {
    use crate::packet::Direction::Sent;
    let talks = |s: &&Step| {
        let pushed = matches!(s.procedure, Procedure::Notify | Procedure::Indicate);
        let asks = s.is_att() || matches!(s.procedure, Procedure::Pair | Procedure::Channel);
        s.by == Sent && asks && !pushed
    };
    connection.steps.iter().filter(talks).max_by_key(|s| s.last.frame)
}

/// A device that leaves this many intervals, and some more, after a request or its answer reacts to it: an answer
/// takes two, and the news of the end one more.
const REACTION_INTERVALS: i64 = 3;
const REACTION_GRACE: Span = Span::from_ms(200);

/// How long after that step the link ended, where it ended so soon that the device may have reacted to it.
pub fn reaction(connection: &Connection, step: &Step) -> Option<Span> {
    let interval = connection.current.or(connection.granted)?.interval();
    let longest = Span(interval.0 * REACTION_INTERVALS + REACTION_GRACE.0);
    connection.end.as_ref()?.at.since(step.last.at).filter(|wait| *wait <= longest)
}

/// How a step failed: its code with its name, or that no answer came.
pub fn failure(step: &Step) -> Text {
    match (step.outcome, step.status) {
        (Outcome::Error, Some(code)) if step.is_att() => text!("{}", ErrorCode(code)),
        (Outcome::Error, Some(code)) => match step.procedure {
            Procedure::Pair if step.detail != Detail::None => text!("{}", smp::Reason(code)),
            Procedure::Channel => text!("result {}", format_args!("{code:#04x}")),
            _ => text!("{}", Status(code)),
        },
        (Outcome::Error, None) => "failed".into(),
        (Outcome::CutOff, _) => "cut off by the end of the link".into(),
        _ => "without an answer".into(),
    }
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
pub fn request(step: &Step) -> Text {
    let of = (step.attribute != 0).then(|| text!(" of attribute {}", Handle(step.attribute)));
    match (step.procedure, step.detail) {
        (Procedure::ExchangeMtu, Detail::Mtu { asked, .. }) => {
            text!("Exchange MTU Request ({})", asked)
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, by_uuid: true, .. }) => {
            text!("discovery of one service by UUID from {}", Handle(first))
        }
        (Procedure::DiscoverServices, Detail::Discovery { first, .. }) => {
            text!("discovery of services from {}", Handle(first))
        }
        (Procedure::DiscoverIncludes, Detail::Discovery { first, .. }) => {
            text!("discovery of included services from {}", Handle(first))
        }
        (Procedure::DiscoverCharacteristics, Detail::Discovery { first, .. }) => {
            text!("discovery of characteristics from {}", Handle(first))
        }
        (Procedure::DiscoverDescriptors, Detail::Discovery { first, .. }) => {
            text!("discovery of descriptors from {}", Handle(first))
        }
        (Procedure::Read, Detail::Read { by_type, .. }) if by_type != 0 => {
            text!("read by type {}", format_args!("{by_type:#06x}"))
        }
        (Procedure::Read, _) => text!("read{}", of),
        (Procedure::Write, Detail::Write { prepared: true, .. }) => {
            text!("long write (prepared){}", of)
        }
        (Procedure::Write, _) => text!("write{}", of),
        (Procedure::WriteCommand, _) => text!("write command{}", of),
        (Procedure::Subscribe, Detail::Subscription { value }) => text!(
            "write of {} to the CCCD {}",
            format_args!("{value:#06x}"),
            Handle(step.attribute)
        ),
        // BR/EDR pairs below HCI: the host asks for authentication.
        (Procedure::Pair, Detail::None) => "authentication".into(),
        (Procedure::Pair, Detail::SecurityRequest { .. }) => "security request".into(),
        (Procedure::Pair, _) => "pairing".into(),
        (Procedure::Channel, Detail::Signal { code, .. }) => {
            text!("{}", signal::Pdu::name_of(code).unwrap_or("channel signalling"))
        }
        (Procedure::Indicate, _) => text!("indication{}", of),
        (Procedure::Notify, _) => text!("notification{}", of),
        (procedure, _) => text!("{}", procedure),
    }
}

/// All attempts of the capture under diagnosis to the device of that one.
pub fn attempts_of<'a>(scene: &Scene<'a>, one: &Connection) -> Vec<&'a Connection> {
    let of = |group: &Vec<&Connection>| group.iter().any(|c| c.number == one.number);
    scene.devices().into_iter().find(of).unwrap_or_default()
}
