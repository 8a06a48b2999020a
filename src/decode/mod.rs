//! Records become events, one for one.
use crate::capture::{Kind, Payload, Record};
use crate::packet::note::Note;
use crate::packet::{Direction, Event, Layer, LinkId, Packet, Problem};

mod acl;
mod adapter;
mod air;
mod channels;
mod links;
mod outline;
mod reassembly;
mod secrecy;
#[cfg(test)]
mod tests;
mod whole;

use adapter::{Adapter, Adapters};
use secrecy::Secrecy;
use whole::{Decoded, command, control, controller_event, isochronous, note, opaque, voice};

/// Turns records into events. Decoding never fails: what is unknown, cut or
/// malformed is an event too.
///
/// Nearly all packets are decoded by themselves. What needs memory is kept here, per
/// adapter: frames and channels of each link, and the commands that await an answer.
#[derive(Debug, Default)]
pub struct Decoder {
    adapters: Adapters,
    secrecy: Secrecy,
    /// The links of the last Number Of Completed Packets.
    completed: Vec<LinkId>,
    receiver: air::Receiver,
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The event of a record. It borrows from the record and from frames put together here.
    pub fn decode<'a>(&'a mut self, record: &'a Record<'_>) -> Event<'a> {
        let mut event = blank(record);
        self.fill(record, &mut event);
        event
    }

    /// The same for whoever only looks at the event: it is large, there are millions, and none of them is moved.
    #[inline]
    pub fn look<T>(&mut self, record: &Record<'_>, see: impl FnOnce(&Event<'_>) -> T) -> T {
        let mut event = blank(record);
        self.fill(record, &mut event);
        see(&event)
    }

    #[inline]
    fn fill<'a>(&'a mut self, record: &'a Record<'_>, event: &mut Event<'a>) {
        let Self { adapters, secrecy, completed, receiver } = self;
        fill(adapters.get(record.adapter), completed, receiver, record, event);
        event.hidden = secrecy.hides(event);
    }
}

/// What the record says without its bytes.
#[inline]
fn blank<'a>(record: &Record<'_>) -> Event<'a> {
    Event {
        frame: record.frame,
        time: record.time,
        adapter: record.adapter,
        direction: record.direction,
        cut: record.is_cut(),
        problem: None,
        answers: None,
        channel: None,
        link: None,
        replaces: None,
        completed: &[],
        hidden: false,
        packet: Packet::Opaque { layer: Layer::Hci, code: 0, len: 0 },
        air: None,
    }
}

/// Decodes what the record holds into its event, and learns from it.
#[inline]
fn fill<'a>(
    adapter: &'a mut Adapter,
    completed: &'a mut Vec<LinkId>,
    receiver: &'a mut air::Receiver,
    record: &'a Record<'_>,
    event: &mut Event<'a>,
) {
    match &record.payload {
        Payload::Outline(outline) => outline::decode(adapter, outline, event),
        Payload::Bytes(bytes) => match record.kind {
            Kind::Acl => return acl::decode(adapter, bytes, event),
            Kind::Air(radio) => return air::decode(receiver, adapter, radio, bytes, event),
            // The type says who speaks, whatever a flag bit says.
            Kind::Command => {
                event.direction = Some(Direction::Sent);
                command(bytes, event);
            }
            Kind::Event => {
                event.direction = Some(Direction::Received);
                controller_event(bytes, event);
            }
            kind => (event.packet, event.problem) = other(kind, bytes, event.cut),
        },
    }
    adapter.follow(event, completed);
}

/// What is seldom in a capture.
fn other(kind: Kind, bytes: &[u8], cut: bool) -> Decoded<'_> {
    match kind {
        Kind::Sco => voice(bytes, cut),
        Kind::Iso => isochronous(bytes, cut),
        Kind::Monitor(opcode @ (16 | 17)) => control(opcode, bytes, cut),
        Kind::Monitor(opcode) => {
            note(Note::decode_monitor(opcode, bytes), Layer::Monitor, opcode, bytes, cut)
        }
        Kind::Note(kind) => {
            note(Note::decode_packetlogger(kind, bytes), Layer::Vendor, kind.into(), bytes, cut)
        }
        Kind::Vendor(kind) => opaque(Layer::Vendor, kind.into(), bytes, Problem::Unknown),
        Kind::Foreign(link_type) => opaque(Layer::Foreign, link_type, bytes, Problem::Unknown),
        Kind::Command | Kind::Event | Kind::Acl | Kind::Air(_) | Kind::Empty => {
            opaque(Layer::Hci, 0, bytes, Problem::Malformed)
        }
    }
}
