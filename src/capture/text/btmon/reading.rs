//! A packet's lines become its outline: which packet it is, and what was printed, in wire order.
use super::super::marks::{rsplit, split};
use super::body::{Body, Detail, Details};
use super::header::{self, Header, What};
use super::{advertising, commands, events, layout, management, upper};
use crate::capture::Kind;
use crate::numbers;
use crate::packet::note::Note;
use crate::packet::outline::{Data, Shape};
use crate::packet::{Address, ConnHandle, Layer, Opcode};
use std::borrow::Cow;

/// A packet read from text.
#[derive(Debug)]
pub(super) struct Reading {
    pub shape: Shape<'static>,
    pub bytes: Vec<u8>,
    /// The text shows all of it.
    pub whole: bool,
}

const SIGNALLING: u16 = 0x0001;
const ATT: u16 = 0x0004;
const LE_SIGNALLING: u16 = 0x0005;
const SMP: u16 = 0x0006;
const BREDR_SMP: u16 = 0x0007;

impl Reading {
    /// `bytes` is room for the packet's bytes.
    pub fn of(header: Header<'static>, body: &Body, mut bytes: Vec<u8>) -> Self {
        let mut details = body.details();
        bytes.clear();
        let cookie = header.right.cookie.unwrap_or(0);
        let (shape, whole) = match header.what {
            What::Command { opcode, length } => {
                let whole = length == 0
                    || layout::of(commands::COMMANDS, opcode)
                        .is_some_and(|parts| layout::fill(parts, &mut details, &mut bytes));
                let whole = dumped(whole, length.into(), body, &mut bytes);
                (Shape::Command(Opcode(opcode)), whole)
            }
            What::Event { code, length } => {
                let whole = event(code, &mut details, &mut bytes);
                let whole = dumped(whole, length.into(), body, &mut bytes);
                (Shape::Event(code), whole)
            }
            What::Acl(packet) => {
                let (data, whole) = acl(packet, body, &mut bytes);
                let (handle, len) = (packet.handle.map(ConnHandle), packet.length.unwrap_or(0));
                (Shape::Acl { handle, len, data }, whole)
            }
            What::Sco(data) => match (data.handle, data.length) {
                (Some(handle), length) => (
                    Shape::Sco { handle: ConnHandle(handle), len: length.unwrap_or(0) },
                    length.is_some(),
                ),
                (None, length) => (unknown(Layer::Hci, 3, length), false),
            },
            What::Iso(data) => match (data.handle, data.length) {
                (Some(handle), length) => (
                    Shape::Iso { handle: ConnHandle(handle), len: length.unwrap_or(0) },
                    length.is_some(),
                ),
                (None, length) => (unknown(Layer::Hci, 5, length), false),
            },
            What::MgmtCommand { code, length } => {
                let whole = length == 0
                    || layout::of(management::COMMANDS, code)
                        .is_some_and(|parts| layout::fill(parts, &mut details, &mut bytes));
                let whole = dumped(whole, length.into(), body, &mut bytes);
                (Shape::Mgmt { cookie, event: false, code }, whole)
            }
            What::MgmtEvent { code, length } => {
                let whole = mgmt_event(code, &mut details, &mut bytes);
                let whole = dumped(whole, length.into(), body, &mut bytes);
                (Shape::Mgmt { cookie, event: true, code }, whole)
            }
            What::Control { event } => {
                bytes = details.rows();
                let length = u16::try_from(bytes.len()).ok();
                (unknown(Layer::Monitor, if event { 17 } else { 16 }, length), !bytes.is_empty())
            }
            What::Open { format, text } => {
                let process = process(header.process, &text);
                (Shape::Note(Note::ControlOpen { cookie, format, process }), true)
            }
            What::Close { text } => {
                let process = Some(process(header.process, &text));
                (Shape::Note(Note::ControlClose { cookie, process }), true)
            }
            What::Note { label, text } => note(header.process, label, text),
            What::Unknown { code, length } => {
                bytes = details.rows();
                let whole = u32::try_from(bytes.len()) == Ok(length);
                (Shape::Monitor(code), whole)
            }
            What::Nameless => (unknown(Layer::Hci, 0, None), false),
            What::Malformed => (unknown(Layer::Hci, 0, None), true),
        };
        Self { shape, bytes, whole }
    }

    /// The record's kind in terms of its container.
    pub fn kind(&self) -> Kind {
        match self.shape {
            Shape::Command(_) => Kind::Command,
            Shape::Event(_) => Kind::Event,
            Shape::Sco { .. } | Shape::Opaque { layer: Layer::Hci, code: 3, .. } => Kind::Sco,
            Shape::Iso { .. } | Shape::Opaque { layer: Layer::Hci, code: 5, .. } => Kind::Iso,
            Shape::Mgmt { event, .. } => Kind::Monitor(if event { 17 } else { 16 }),
            Shape::Note(ref note) => Kind::Monitor(note.code()),
            Shape::Monitor(code) => Kind::Monitor(code),
            Shape::Opaque { layer: Layer::Monitor, code, .. } => {
                Kind::Monitor(u16::try_from(code).unwrap_or(u16::MAX))
            }
            Shape::Opaque { layer: Layer::Hci, .. } => Kind::Empty,
            _ => Kind::Acl,
        }
    }
}

fn unknown(layer: Layer, code: u32, length: Option<u16>) -> Shape<'static> {
    Shape::Opaque { layer, code, len: length.unwrap_or(0).into() }
}

/// Whether the parameters are all there; what btmon dumped is taken where it did not decode.
fn dumped(whole: bool, length: usize, body: &Body, bytes: &mut Vec<u8>) -> bool {
    if whole && bytes.len() == length {
        return true;
    }
    let mut details = body.details();
    let rows = details.rows();
    if !rows.is_empty() {
        let odd = details.any(|line| {
            line.text.contains("invalid packet size") || line.text.contains("too short packet")
        });
        // An unknown subevent or an unknown return has its rows behind a line of its own.
        let head = bytes.get(..length.saturating_sub(rows.len())).map(<[u8]>::to_vec);
        match head {
            _ if odd => {
                *bytes = rows;
                return true;
            }
            Some(mut head) if head.len() + rows.len() == length => {
                head.extend(rows);
                *bytes = head;
                return true;
            }
            _ => {}
        }
    }
    bytes.truncate(length);
    false
}

/// The parameters of an event.
fn event(code: u8, details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    match code {
        0x0e => answer(details, out, false).is_some_and(|whole| whole),
        0x0f => answer(details, out, true).is_some_and(|whole| whole),
        0x3e => {
            let Some(subevent) = details.next().and_then(Detail::code) else { return false };
            let Ok(subevent) = u8::try_from(subevent) else { return false };
            out.push(subevent);
            match subevent {
                0x02 => advertising::legacy(details, out),
                0x0d => advertising::extended(details, out),
                _ => layout::of(events::LE, subevent)
                    .is_some_and(|parts| layout::fill(parts, details, out)),
            }
        }
        _ => {
            layout::of(events::EVENTS, code).is_some_and(|parts| layout::fill(parts, details, out))
        }
    }
}

/// `Reset (0x03|0x0003) ncmd 1`, then what the command returned, or its status.
fn answer(details: &mut Details<'_>, out: &mut Vec<u8>, status: bool) -> Option<bool> {
    let line = details.next()?.text;
    let (name, credits) = rsplit(line, " ncmd ")?;
    let (_, inside) = rsplit(name, "(0x")?;
    let (group, command) = split(inside.split_once(')')?.0, "|0x")?;
    let opcode = header::opcode(group, command)?;
    let digits = credits.bytes().take_while(u8::is_ascii_digit).count();
    let credits: u8 = credits.get(..digits)?.parse().ok()?;
    let from = [layout::Part::N(1, "Status")];
    if status {
        layout::fill(&from, details, out).then_some(())?;
    }
    out.push(credits);
    out.extend(opcode.to_le_bytes());
    if status {
        return Some(true);
    }
    let parts = layout::of(commands::RETURNS, opcode).unwrap_or(&from);
    Some(layout::fill(parts, details, out))
}

fn mgmt_event(code: u16, details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    if !matches!(code, 1 | 2) {
        return layout::of(management::EVENTS, code)
            .is_some_and(|parts| layout::fill(parts, details, out));
    }
    let Some(command) = details.next().and_then(Detail::code) else { return false };
    let Ok(command) = u16::try_from(command) else { return false };
    out.extend(command.to_le_bytes());
    layout::fill(&[layout::Part::N(1, "Status")], details, out)
}

/// What an ACL packet completes, or the packet alone.
fn acl(packet: header::Data, body: &Body, bytes: &mut Vec<u8>) -> (Data, bool) {
    let mut details = body.details();
    let mut channel = None;
    while let Some(line) = details.next() {
        let text = line.text;
        if let Some(inside) = text.strip_prefix("Channel: ") {
            let mut words = inside.split_ascii_whitespace();
            let cid = words.next().and_then(|cid| cid.parse().ok());
            let psm =
                split(inside, "[PSM ").and_then(|(_, psm)| psm.split(' ').next()?.parse().ok());
            let length =
                split(inside, "len ").and_then(|(_, len)| len.split(' ').next()?.parse().ok());
            channel = cid.map(|cid| (cid, psm, length));
            continue;
        }
        let Some((protocol, named)) = split(text, ": ") else { continue };
        let Some(code) = frame_code(named) else { continue };
        let length = word_after(named, " len ").map(usize::from);
        let identifier = word_after(named, " ident ").and_then(|n| u8::try_from(n).ok());
        let cid = |fixed| channel.map_or(fixed, |(cid, ..): (u16, Option<u16>, Option<usize>)| cid);
        let (data, known) = match protocol {
            "ATT" => {
                let known = upper::att(code, &mut details, bytes);
                (Data::Att { cid: cid(ATT), opcode: code }, known)
            }
            "SMP" | "BR/EDR SMP" => {
                let cid = if protocol == "SMP" { SMP } else { BREDR_SMP };
                let known = layout::of(upper::SMP, code)
                    .is_some_and(|parts| layout::fill(parts, &mut details, bytes));
                (Data::Smp { cid, code }, known)
            }
            "LE L2CAP" | "L2CAP" => {
                let cid = if protocol == "L2CAP" { SIGNALLING } else { LE_SIGNALLING };
                let known = upper::signal(code, &mut details, bytes);
                let Some(identifier) = identifier else { continue };
                (Data::Signal { cid, identifier, code }, known)
            }
            _ => continue,
        };
        let whole = match length {
            Some(length) => dumped(known, length, body, bytes),
            None => known,
        };
        return (data, whole);
    }
    if let Some((cid, psm, length)) = channel {
        *bytes = body.details().rows();
        let whole = length == Some(bytes.len());
        if !whole {
            bytes.clear();
        }
        return (Data::L2cap { cid, psm }, whole);
    }
    let start = packet.flags.is_none_or(|flags| flags & 3 != 1);
    let whole = packet.flags.is_some() && packet.length.is_some();
    (Data::Fragment { start }, whole)
}

/// The number of `NAME (0xNN) …`, in a line that names a protocol's PDU.
fn frame_code(named: &str) -> Option<u8> {
    let (_, inside) = split(named, " (0x")?;
    let (code, rest) = inside.split_once(')')?;
    // Details have such numbers too, at their end.
    (rest.starts_with(" len ") || rest.starts_with(" ident "))
        .then(|| u8::from_str_radix(code, 16).ok())
        .flatten()
}

fn word_after(text: &str, mark: &str) -> Option<u16> {
    let (_, rest) = split(text, mark)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.get(..digits)?.parse().ok()
}

/// The program that a socket belongs to: `bluetoothd (privileged) version 1.23`.
fn process(caused_by: Option<Cow<'static, str>>, text: &str) -> Cow<'static, str> {
    let shown = text.split([' ', '(']).next().unwrap_or_default();
    // The prefix has the whole name where the line had no room for it.
    match caused_by {
        Some(process) if shown.is_empty() || shown.ends_with("..") => process,
        _ => Cow::Owned(shown.to_owned()),
    }
}

fn note(
    caused_by: Option<Cow<'static, str>>,
    label: Cow<'static, str>,
    text: Cow<'static, str>,
) -> (Shape<'static>, bool) {
    let whole = !text.ends_with("..");
    let note = match &*label {
        "Note" => Note::System { text },
        "Delete Index" => Note::DeleteIndex,
        "Open Index" => Note::OpenIndex,
        "Close Index" => Note::CloseIndex,
        "Vendor Diagnostic" => {
            let length = word_after(&text, "(len ").unwrap_or(0);
            Note::VendorDiagnostic { len: length.into() }
        }
        "New Index" => {
            let (address, rest) = text.split_once(" (").unwrap_or((&text, ""));
            let mut parts = rest.trim().trim_matches(['(', ')']).split(',');
            let (kind, bus, name) = (parts.next(), parts.next(), parts.next());
            let (octets, _) = super::body::address(address);
            let bus = bus.and_then(|bus| BUSES.iter().position(|name| *name == bus));
            let (Some(bus), Some(name)) = (bus.and_then(|bus| u8::try_from(bus).ok()), name) else {
                return (unknown(Layer::Monitor, 0, None), false);
            };
            let (known, name) = (octets.is_some(), Cow::Owned(name.to_owned()));
            let address = Address(octets.unwrap_or_default());
            let kind = u8::from(kind == Some("AMP"));
            return (Shape::Note(Note::NewIndex { kind, bus, address, name }), known);
        }
        "Index Info" => {
            let (address, rest) = text.split_once(" (").unwrap_or((&text, ""));
            let (octets, _) = super::body::address(address);
            let company = rest.trim().strip_suffix(')');
            let Some(manufacturer) = company.and_then(company_number) else {
                return (unknown(Layer::Monitor, 10, None), false);
            };
            let address = Address(octets.unwrap_or_default());
            return (Shape::Note(Note::IndexInfo { address, manufacturer }), octets.is_some());
        }
        _ => {
            let process = if label.is_empty() { caused_by.unwrap_or_default() } else { label };
            // Colour alone tells the priority, and nobody pastes that.
            Note::UserLogging { priority: Note::NO_PRIORITY, process, text }
        }
    };
    (Shape::Note(note), whole)
}

const BUSES: [&str; 12] = [
    "Virtual", "USB", "PCCARD", "UART", "RS232", "PCI", "SDIO", "SPI", "I2C", "SMD", "VIRTIO",
    "IPC",
];

fn company_number(name: &str) -> Option<u16> {
    (0..=0x1fff).find(|number| numbers::company(*number) == Some(name))
}
