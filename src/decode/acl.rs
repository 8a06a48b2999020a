//! ACL packets become what their L2CAP frames hold: ATT, SMP, signalling, or bytes.
use super::adapter::{Adapter, Link};
use super::channels::{Channels, DYNAMIC, PSM_ATT, PSM_EATT, Piece};
use super::reassembly::{Arrival, HEADER};
use crate::packet::{ConnHandle, Direction, Event, Layer, Packet, Problem, att, signal, smp};

const SIGNALLING: u16 = 0x0001;
const ATT: u16 = 0x0004;
const LE_SIGNALLING: u16 = 0x0005;
const SMP: u16 = 0x0006;
const BREDR_SMP: u16 = 0x0007;
/// Whether chips send their own logs as ACL data under this handle (Qualcomm, MediaTek).
#[inline]
fn is_of_logs(handle: ConnHandle) -> bool {
    matches!(handle.0, 0x0edc | 0x0c6f | 0x05ff | 0x05fe | 0x0efd)
}

/// Decodes an ACL packet into `event`, whose `cut` says whether its record is.
pub fn decode<'a>(adapter: &'a mut Adapter, bytes: &'a [u8], event: &mut Event<'a>) {
    let Some((&[h0, h1, l0, l1], data)) = bytes.split_first_chunk() else {
        event.packet = Packet::Opaque { layer: Layer::Acl, code: 0, len: bytes.len() as u32 };
        event.problem = Some(Problem::short(event.cut));
        return;
    };
    let word = u16::from_le_bytes([h0, h1]);
    let handle = ConnHandle(word & 0x0fff);
    let start = (word >> 12) & 3 != 1;
    let declared = u16::from_le_bytes([l0, l1]);
    if is_of_logs(handle) && !adapter.connected(handle) {
        event.packet =
            Packet::Opaque { layer: Layer::ChipLog, code: handle.0.into(), len: declared.into() };
        event.problem = Some(Problem::Unknown);
        return;
    }
    event.packet = Packet::Fragment { handle, start, len: declared };
    event.link = Some(adapter.name(handle, event));
    if data.len() > declared.into() {
        event.problem = Some(Problem::Malformed);
    }
    fragment(adapter, handle, start, data, declared, event);
}

/// Decodes a piece of a link's data, whatever carried it. The event is a fragment until a frame is whole.
pub fn fragment<'a>(
    adapter: &'a mut Adapter,
    handle: ConnHandle,
    start: bool,
    data: &'a [u8],
    declared: u16,
    event: &mut Event<'a>,
) {
    let data = data.get(..declared.into()).unwrap_or(data);
    if data.len() < declared.into() {
        // Some phones' filters shorten packets without telling; the header's length is right.
        event.cut = true;
        event.problem = Some(Problem::Cut);
    }
    // Without a direction nobody knows whose frame it is.
    let Some(direction) = event.direction else { return };
    if !start || longer(data, declared) {
        adapter.hold(data.len());
    }
    let Link { flows, channels, .. } = adapter.link(handle);
    match flows[usize::from(direction == Direction::Received)].push(start, data, declared.into()) {
        Arrival::Open => {}
        Arrival::Orphan => event.problem = Some(Problem::Cut),
        Arrival::Frame { bytes, cut, long } => {
            event.cut |= cut;
            let problem = frame(channels, handle, direction, bytes, event);
            event.problem = if long { Some(Problem::Malformed) } else { problem.or(event.problem) };
        }
    }
}

/// Decodes a frame that was decoded before, as far as this piece shows it: nothing is learnt from it.
pub fn show<'a>(
    scratch: &'a mut Channels,
    handle: ConnHandle,
    data: &'a [u8],
    event: &mut Event<'a>,
) {
    if !longer(data, u16::try_from(data.len()).unwrap_or(u16::MAX)) {
        *scratch = Channels::default();
        event.problem =
            frame(scratch, handle, event.direction.unwrap_or(Direction::Sent), data, event);
    }
}

/// Whether a frame that starts here needs more than this packet.
#[inline]
fn longer(data: &[u8], declared: u16) -> bool {
    match data.first_chunk() {
        Some(length) => HEADER + usize::from(u16::from_le_bytes(*length)) > declared.into(),
        None => true,
    }
}

/// Decodes a whole frame into `event`.
#[inline]
fn frame<'a>(
    channels: &'a mut Channels,
    handle: ConnHandle,
    direction: Direction,
    bytes: &'a [u8],
    event: &mut Event<'a>,
) -> Option<Problem> {
    let (&[l0, l1, c0, c1], payload) = bytes.split_first_chunk()?;
    let declared = usize::from(u16::from_le_bytes([l0, l1]));
    let cid = u16::from_le_bytes([c0, c1]);
    event.channel = channels.local(direction, cid);
    match cid {
        ATT => attribute(handle, cid, payload, event),
        SMP | BREDR_SMP => security(handle, cid, payload, event),
        SIGNALLING | LE_SIGNALLING => signalling(channels, handle, cid, direction, payload, event),
        _ => {
            let channel = if cid < DYNAMIC { None } else { channels.find(direction, cid) };
            let psm = channel.as_ref().map(|channel| channel.psm);
            event.packet = Packet::L2cap { handle, cid, psm, payload };
            match channel? {
                channel if channel.credit_based => {
                    match channel.piece(direction, payload, declared) {
                        Piece::Whole { bytes, cut } if psm == Some(PSM_EATT) => {
                            event.cut |= cut;
                            attribute(handle, cid, bytes, event)
                        }
                        Piece::Part { fits: false } if !event.cut => Some(Problem::Malformed),
                        _ => None,
                    }
                }
                _ if psm == Some(PSM_ATT) => attribute(handle, cid, payload, event),
                _ => None,
            }
        }
    }
}

#[inline]
fn attribute<'a>(
    handle: ConnHandle,
    cid: u16,
    payload: &'a [u8],
    event: &mut Event<'a>,
) -> Option<Problem> {
    let Some((&opcode, parameters)) = payload.split_first() else {
        return headless(handle, cid, payload, event);
    };
    let into = &mut event.packet;
    let att = |pdu| *into = Packet::Att { handle, cid, pdu };
    att::Pdu::decode_as(opcode, parameters, event.cut, att).1
}

fn security<'a>(
    handle: ConnHandle,
    cid: u16,
    payload: &'a [u8],
    event: &mut Event<'a>,
) -> Option<Problem> {
    let Some((&code, parameters)) = payload.split_first() else {
        return headless(handle, cid, payload, event);
    };
    let (pdu, problem) = smp::Pdu::decode(code, parameters, event.cut);
    event.packet = Packet::Smp { handle, cid, pdu };
    problem
}

/// BR/EDR frames may hold several commands: the event is the first, all are learnt from.
fn signalling<'a>(
    channels: &mut Channels,
    handle: ConnHandle,
    cid: u16,
    direction: Direction,
    payload: &'a [u8],
    event: &mut Event<'a>,
) -> Option<Problem> {
    let mut rest = payload;
    let mut found = None;
    while let Some((&[code, identifier, l0, l1], behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let data = behind.get(..length).unwrap_or(behind);
        let lies = data.len() < length && !event.cut;
        let (pdu, problem) = signal::Pdu::decode(code, data, event.cut);
        let problem = if lies { Some(Problem::Malformed) } else { problem };
        if problem.is_none() {
            channels.signal(direction, identifier, &pdu);
        }
        if found.is_none() {
            event.packet = Packet::Signal { handle, cid, identifier, pdu };
            found = Some(problem);
        }
        rest = behind.get(length..).unwrap_or_default();
        if cid == LE_SIGNALLING {
            break;
        }
    }
    match found {
        // What is no command stands behind the commands.
        Some(None) if !rest.is_empty() => Some(Problem::Malformed),
        Some(problem) => problem,
        None => headless(handle, cid, payload, event),
    }
}

/// A frame without room for its protocol's code.
fn headless<'a>(
    handle: ConnHandle,
    cid: u16,
    payload: &'a [u8],
    event: &mut Event<'a>,
) -> Option<Problem> {
    event.packet = Packet::L2cap { handle, cid, psm: None, payload };
    Some(Problem::short(event.cut))
}
