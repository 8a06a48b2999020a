//! What a text shows of a packet becomes the packet.
use super::adapter::Adapter;
use super::channels::Channels;
use super::whole::Decoded;
use crate::packet::note::Note;
use crate::packet::outline::{Data, Extent, Outline, Shape};
use crate::packet::{
    ConnHandle, Direction, Event, Layer, Packet, Problem, att, hci, mgmt, signal, smp,
};

/// Decodes an outline into `event`.
pub fn decode<'a>(adapter: &mut Adapter, outline: &'a Outline<'_>, event: &mut Event<'a>) {
    let (parameters, cut) = (outline.parameters, outline.extent != Extent::Whole);
    let missing = cut.then_some(Problem::Cut);
    (event.packet, event.problem) = match &outline.shape {
        Shape::Command(opcode) => {
            hci::Command::decode_as(opcode.0, parameters, cut, Packet::Command)
        }
        Shape::Event(code) => hci::Event::read_as(*code, parameters, cut, Packet::Event),
        Shape::Acl { handle, len, data } => match handle.or_else(|| adapter.only_link()) {
            Some(handle) => {
                event.link = Some(adapter.name(handle, event));
                let channels = &mut adapter.link(handle).channels;
                let (packet, problem) = acl(handle, *len, data, parameters, cut);
                if let Some(direction) = event.direction {
                    event.channel = follow(channels, direction, &packet, problem);
                }
                (packet, problem)
            }
            None => opaque(Layer::Acl, 0, (*len).into(), Problem::Cut),
        },
        Shape::Sco { handle, len } => (Packet::Sco { handle: *handle, len: *len }, missing),
        Shape::Iso { handle, len } => (Packet::Iso { handle: *handle, len: *len }, missing),
        Shape::Mgmt { cookie, event, code } => {
            let (pdu, problem) = mgmt::Pdu::decode(*event, *code, parameters, cut);
            (Packet::Mgmt { cookie: *cookie, pdu }, problem)
        }
        Shape::Note(note) => (Packet::Note(note.clone()), missing),
        Shape::Monitor(opcode) => match Note::decode_monitor(*opcode, parameters) {
            Ok(note) => (Packet::Note(note), missing),
            Err(problem) => {
                let len = u32::try_from(parameters.len()).unwrap_or(u32::MAX);
                opaque(Layer::Monitor, (*opcode).into(), len, problem)
            }
        },
        Shape::Opaque { layer, code, len } => {
            opaque(*layer, *code, *len, missing.unwrap_or(Problem::Unknown))
        }
    };
    if outline.extent == Extent::Part {
        event.problem = missing;
    }
    event.cut = event.problem == Some(Problem::Cut);
}

fn acl<'a>(
    handle: ConnHandle,
    len: u16,
    data: &Data,
    parameters: &'a [u8],
    cut: bool,
) -> Decoded<'a> {
    let missing = cut.then_some(Problem::Cut);
    match *data {
        Data::Att { cid, opcode } => {
            let att = |pdu| Packet::Att { handle, cid, pdu };
            att::Pdu::decode_as(opcode, parameters, cut, att)
        }
        Data::Smp { cid, code } => {
            let (pdu, problem) = smp::Pdu::decode(code, parameters, cut);
            (Packet::Smp { handle, cid, pdu }, problem)
        }
        Data::Signal { cid, identifier, code } => {
            let (pdu, problem) = signal::Pdu::decode(code, parameters, cut);
            (Packet::Signal { handle, cid, identifier, pdu }, problem)
        }
        Data::L2cap { cid, psm } => {
            (Packet::L2cap { handle, cid, psm, payload: parameters }, missing)
        }
        Data::Fragment { start } => (Packet::Fragment { handle, start, len }, missing),
    }
}

/// Learns of channels from a frame, and says which one it belongs to.
fn follow(
    channels: &mut Channels,
    direction: Direction,
    packet: &Packet<'_>,
    problem: Option<Problem>,
) -> Option<u16> {
    match packet {
        Packet::Signal { cid, identifier, pdu, .. } => {
            if problem.is_none() {
                channels.signal(direction, *identifier, pdu);
            }
            Some(*cid)
        }
        Packet::Att { cid, .. } | Packet::Smp { cid, .. } | Packet::L2cap { cid, .. } => {
            channels.local(direction, *cid)
        }
        _ => None,
    }
}

fn opaque<'a>(layer: Layer, code: u32, len: u32, problem: Problem) -> Decoded<'a> {
    (Packet::Opaque { layer, code, len }, Some(problem))
}

#[cfg(test)]
mod tests {
    use super::super::Decoder;
    use super::*;
    use crate::capture::{Kind, Payload, Record};
    use crate::packet::Opcode;

    fn record(adapter: Option<u16>, shape: Shape<'static>) -> Record<'static> {
        shown(adapter, shape, &[], Extent::Whole)
    }

    fn shown<'a>(
        adapter: Option<u16>,
        shape: Shape<'a>,
        parameters: &'a [u8],
        extent: Extent,
    ) -> Record<'a> {
        Record {
            frame: 1,
            offset: 0,
            time: None,
            adapter,
            direction: None,
            kind: Kind::Empty,
            payload: Payload::Outline(Box::new(Outline { shape, parameters, extent })),
            original_len: 0,
            comment: None,
        }
    }

    fn data(handle: Option<u16>) -> Shape<'static> {
        let data = Data::Fragment { start: true };
        Shape::Acl { handle: handle.map(ConnHandle), len: 7, data }
    }

    /// A line that lost its handle to a narrow terminal belongs to the only link that is up.
    #[test]
    fn only_one_link_can_be_meant() {
        let mut decoder = Decoder::new();
        let mut handle = |adapter, shape| {
            let record = record(adapter, shape);
            match decoder.decode(&record).packet {
                Packet::Fragment { handle, .. } => Some(handle.0),
                Packet::Opaque { layer: Layer::Acl, len: 7, .. } => None,
                packet => panic!("{packet:?}"),
            }
        };
        assert_eq!(handle(None, data(None)), None);
        assert_eq!(handle(None, data(Some(64))), Some(64));
        assert_eq!(handle(Some(1), data(Some(65))), Some(65));
        assert_eq!(handle(None, data(None)), Some(64));
        assert_eq!(handle(None, data(Some(66))), Some(66));
        assert_eq!(handle(None, data(None)), None);
        let gone = shown(None, Shape::Event(5), &[0, 66, 0, 0x13], Extent::Whole);
        decoder.decode(&gone);
        let lost = record(None, data(None));
        let event = decoder.decode(&lost);
        assert!(matches!(event.packet, Packet::Fragment { handle: ConnHandle(64), .. }));
        decoder.decode(&record(None, Shape::Command(Opcode(0x0c03))));
        let event = decoder.decode(&lost);
        assert!(matches!(event.packet, Packet::Opaque { .. }) && event.cut);
    }

    #[test]
    fn what_a_text_leaves_out_is_cut() {
        let mut decoder = Decoder::new();
        let mut problem = |shape, parameters: &[u8], extent| {
            let record = shown(None, shape, parameters, extent);
            let event = decoder.decode(&record);
            (event.problem, event.cut)
        };
        let (cut, unknown) = ((Some(Problem::Cut), true), (Some(Problem::Unknown), false));
        let disconnect = || Shape::Command(Opcode(0x0406));
        assert_eq!(problem(disconnect(), &[64, 0, 0x13], Extent::Whole), (None, false));
        let malformed = (Some(Problem::Malformed), false);
        assert_eq!(problem(disconnect(), &[64, 0], Extent::Whole), malformed);
        for extent in [Extent::Part, Extent::Unread] {
            assert_eq!(problem(disconnect(), &[64, 0], extent), cut);
            assert_eq!(problem(disconnect(), &[64, 0, 0], extent), cut);
        }
        let vendor = || Shape::Command(Opcode(0xfc01));
        assert_eq!(problem(vendor(), &[1], Extent::Whole), unknown);
        assert_eq!(problem(vendor(), &[], Extent::Unread), unknown);
        assert_eq!(problem(vendor(), &[], Extent::Part), cut);
    }

    /// Text shows what opened a channel too: an answer has the channel of its question.
    #[test]
    fn both_directions_of_a_channel_have_one_name() {
        let mut decoder = Decoder::new();
        let mut channel = |direction, data, parameters: &[u8]| {
            let shape = Shape::Acl { handle: Some(ConnHandle(64)), len: 0, data };
            let record = shown(None, shape, parameters, Extent::Whole);
            decoder.decode(&Record { direction: Some(direction), ..record }).channel
        };
        let signal = |code| Data::Signal { cid: 1, identifier: 1, code };
        let att = |cid, opcode| Data::Att { cid, opcode };
        let (sent, received) = (Direction::Sent, Direction::Received);
        assert_eq!(channel(sent, att(0x40, 0x0b), &[1]), None);
        assert_eq!(channel(received, signal(2), &[0x1f, 0, 0x40, 0]), Some(1));
        channel(sent, signal(3), &[0x60, 0, 0x40, 0, 0, 0, 0, 0]);
        assert_eq!(channel(received, att(0x60, 0x0a), &[3, 0]), Some(0x60));
        assert_eq!(channel(sent, att(0x40, 0x0b), &[1]), Some(0x60));
        assert_eq!(channel(sent, att(4, 0x0b), &[1]), Some(4));
    }
}
