//! Packets that are decoded by themselves, whatever came before: commands, events, notes, voice.
use crate::packet::note::Note;
use crate::packet::{ConnHandle, Event, Layer, Packet, Problem, hci, mgmt};

pub type Decoded<'a> = (Packet<'a>, Option<Problem>);

pub fn command<'a>(bytes: &'a [u8], event: &mut Event<'a>) {
    let cut = event.cut;
    let Some((&[low, high, length], parameters)) = bytes.split_first_chunk() else {
        let code = bytes.first_chunk().map_or(0, |code| u16::from_le_bytes(*code));
        (event.packet, event.problem) = opaque(Layer::Hci, code, bytes, Problem::short(cut));
        return;
    };
    let code = u16::from_le_bytes([low, high]);
    let (parameters, lies) = declared(parameters, length, cut);
    let into = &mut event.packet;
    let command = |command| *into = Packet::Command(command);
    let ((), problem) = hci::Command::decode_as(code, parameters, cut, command);
    event.problem = lies.or(problem);
}

pub fn controller_event<'a>(bytes: &'a [u8], event: &mut Event<'a>) {
    let cut = event.cut;
    let Some((&[code, length], parameters)) = bytes.split_first_chunk() else {
        let code = bytes.first().copied().unwrap_or(0);
        (event.packet, event.problem) = opaque(Layer::Hci, code.into(), bytes, Problem::short(cut));
        return;
    };
    let (parameters, lies) = declared(parameters, length, cut);
    let into = &mut event.packet;
    let packet = |packet| *into = Packet::Event(packet);
    let ((), problem) = hci::Event::read_as(code, parameters, cut, packet);
    event.problem = lies.or(problem);
}

/// The parameters that a header promises. A promise of more or less than there is, is a lie.
#[inline]
fn declared(parameters: &[u8], length: u8, cut: bool) -> (&[u8], Option<Problem>) {
    match parameters.get(..length.into()) {
        Some(all) if all.len() == parameters.len() => (all, None),
        Some(all) => (all, Some(Problem::Malformed)),
        None => (parameters, (!cut).then_some(Problem::Malformed)),
    }
}

pub fn voice(bytes: &[u8], cut: bool) -> Decoded<'_> {
    let Some((&[low, high, length], data)) = bytes.split_first_chunk() else {
        return opaque(Layer::Hci, 3, bytes, Problem::short(cut));
    };
    let handle = ConnHandle(u16::from_le_bytes([low, high]) & 0x0fff);
    (Packet::Sco { handle, len: length.into() }, fits(data, length.into(), cut))
}

pub fn isochronous(bytes: &[u8], cut: bool) -> Decoded<'_> {
    let Some((&[h0, h1, l0, l1], data)) = bytes.split_first_chunk() else {
        return opaque(Layer::Hci, 5, bytes, Problem::short(cut));
    };
    let handle = ConnHandle(u16::from_le_bytes([h0, h1]) & 0x0fff);
    let len = u16::from_le_bytes([l0, l1]) & 0x3fff;
    (Packet::Iso { handle, len }, fits(data, len, cut))
}

pub fn control(opcode: u16, bytes: &[u8], cut: bool) -> Decoded<'_> {
    let Some((&[k0, k1, k2, k3, low, high], parameters)) = bytes.split_first_chunk() else {
        return opaque(Layer::Monitor, opcode, bytes, Problem::short(cut));
    };
    let cookie = u32::from_le_bytes([k0, k1, k2, k3]);
    let code = u16::from_le_bytes([low, high]);
    let (pdu, problem) = mgmt::Pdu::decode(opcode == 17, code, parameters, cut);
    (Packet::Mgmt { cookie, pdu }, problem)
}

pub fn note<'a>(
    note: Result<Note<'a>, Problem>,
    layer: Layer,
    code: u16,
    bytes: &[u8],
    cut: bool,
) -> Decoded<'a> {
    match note {
        Ok(note) => (Packet::Note(note), cut.then_some(Problem::Cut)),
        Err(Problem::Malformed) => opaque(Layer::Monitor, code, bytes, Problem::short(cut)),
        Err(problem) => opaque(layer, code, bytes, problem),
    }
}

pub fn opaque<'a>(layer: Layer, code: u16, bytes: &[u8], problem: Problem) -> Decoded<'a> {
    (
        Packet::Opaque {
            layer,
            code: code.into(),
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        },
        Some(problem),
    )
}

fn fits(data: &[u8], declared: u16, cut: bool) -> Option<Problem> {
    if data.len() == usize::from(declared) { None } else { Some(Problem::short(cut)) }
}
