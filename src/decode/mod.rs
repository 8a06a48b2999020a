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

use adapter::Adapters;
use secrecy::Secrecy;
use whole::{command, control, controller_event, isochronous, note, opaque, voice};

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
        let Self { adapters, secrecy, completed, receiver } = self;
        let mut event = decoded(adapters, completed, receiver, record);
        event.hidden = secrecy.hides(&event);
        event
    }
}

fn decoded<'a>(
    adapters: &'a mut Adapters,
    completed: &'a mut Vec<LinkId>,
    receiver: &'a mut air::Receiver,
    record: &'a Record<'_>,
) -> Event<'a> {
    let cut = record.is_cut();
    let mut event = Event {
        frame: record.frame,
        time: record.time,
        adapter: record.adapter,
        direction: record.direction,
        cut,
        problem: None,
        answers: None,
        channel: None,
        link: None,
        replaces: None,
        completed: &[],
        hidden: false,
        packet: Packet::Opaque { layer: Layer::Hci, code: 0, len: 0 },
        air: None,
    };
    let adapter = adapters.get(record.adapter);
    let bytes = match &record.payload {
        Payload::Bytes(bytes) => *bytes,
        Payload::Outline(outline) => {
            outline::decode(adapter, outline, &mut event);
            adapter.follow(&mut event, completed);
            return event;
        }
    };
    (event.packet, event.problem) = match record.kind {
        Kind::Acl => {
            acl::decode(adapter, bytes, &mut event);
            return event;
        }
        Kind::Air(radio) => {
            air::decode(receiver, adapter, radio, bytes, &mut event);
            return event;
        }
        // The type says who speaks, whatever a flag bit says.
        Kind::Command => {
            event.direction = Some(Direction::Sent);
            command(bytes, cut)
        }
        Kind::Event => {
            event.direction = Some(Direction::Received);
            controller_event(bytes, cut)
        }
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
        Kind::Empty => opaque(Layer::Hci, 0, bytes, Problem::Malformed),
        Kind::Foreign(link_type) => opaque(Layer::Foreign, link_type, bytes, Problem::Unknown),
    };
    adapter.follow(&mut event, completed);
    event
}
