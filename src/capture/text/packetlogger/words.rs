//! A packet from the words of its rows, where its bytes are missing.
use super::super::super::Kind;
use super::decoded;
use super::row::{Level, Row};
use crate::packet::outline::{Data, Extent, Outline, Shape};
use crate::packet::{ConnHandle, Layer, Opcode};

/// Detail lines kept of one packet.
const DETAILS: usize = 64;

/// What the rows of one packet say.
#[derive(Default)]
pub(super) struct Words {
    /// The topmost row's kind and description.
    pub name: String,
    pub description: String,
    pub level: Option<Level>,
    /// `Status: 0x00 - Success` and the like, below any of the rows.
    details: Vec<(String, String)>,
    /// The L2CAP channel, and the frame's payload.
    cid: Option<u16>,
    pub frame: Vec<u8>,
    frame_len: Option<usize>,
    /// The bytes of parameters that the text gives in words.
    told: Vec<u8>,
    /// Whether the last detail was a value, which goes on over lines.
    in_value: bool,
}

impl Words {
    pub fn row(&mut self, row: &Row<'_>) {
        self.in_value = false;
        if self.level.is_none() {
            self.name = row.name.into();
            self.description = row.description.into();
            self.level = Some(row.level);
        }
        if row.level == Level::L2cap {
            self.l2cap(row.description);
        }
    }

    /// `Channel ID: 0x0004  Length: 0x000A (10) [ 52 06 00 … ]`.
    fn l2cap(&mut self, text: &str) {
        let Some(rest) = text.strip_prefix("Channel ID: ") else { return };
        self.cid = number(rest).and_then(|cid| u16::try_from(cid).ok());
        let Some((_, rest)) = rest.split_once("Length: ") else { return };
        self.frame_len = number(rest);
        let shown = rest.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        if let Some((shown, _)) = shown.filter(|_| self.frame.is_empty()) {
            super::super::hex::words(shown, &mut self.frame);
        }
    }

    /// A line below the row that is no part of a dump.
    pub fn below(&mut self, line: &str) {
        match line.split_once(':') {
            Some((key, value)) => {
                self.in_value = key == "Value";
                if self.details.len() < DETAILS {
                    let value = value.trim().chars().take(200).collect();
                    self.details.push((key.chars().take(60).collect(), value));
                }
            }
            // Values go on over lines of nothing but digits.
            None if self.in_value && line.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ') => {
                if let Some((_, value)) = self.details.last_mut().filter(|(_, v)| v.len() < 4096) {
                    value.push(' ');
                    value.push_str(line);
                }
            }
            None => self.in_value = false,
        }
    }

    /// The parts of the topmost row's description.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.description.split(" - ").map(str::trim)
    }

    /// What follows `key:` in the topmost row's description.
    pub fn piece(&self, key: &str) -> Option<&str> {
        let after = |piece: &'_ str| piece.strip_prefix(key)?.strip_prefix(':').map(str::len);
        self.pieces().find_map(|piece| {
            let length = after(piece)?;
            piece.get(piece.len() - length..).map(str::trim)
        })
    }

    /// What follows `key:` in a line below.
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Writes the attribute value; whether it is all there. Rows show twenty bytes.
    pub fn value(&self, out: &mut Vec<u8>) -> Option<bool> {
        let is_cut = |value: &str| value.contains('\u{2026}') || value.contains("...");
        let row = self.piece("Value").unwrap_or_default();
        let value = match self.detail("Value") {
            Some(below) if is_cut(row) && !is_cut(below) => below,
            _ => row,
        };
        let before = out.len();
        for group in value.trim_end_matches(['\u{2026}', '.', ' ']).split_whitespace() {
            if group.len() % 2 == 1 || !super::super::hex::run(group, out).is_empty() {
                out.truncate(before);
                return None;
            }
        }
        Some(!is_cut(value))
    }

    /// The packet as far as the words tell.
    pub fn outline(&mut self, kind: Kind, handle: Option<u16>) -> Outline<'_> {
        let mut told = std::mem::take(&mut self.told);
        told.clear();
        let found = match kind {
            Kind::Acl => self.data(ConnHandle(handle.unwrap_or_default()), &mut told),
            Kind::Event => self.event(handle.unwrap_or_default(), &mut told),
            Kind::Command => decoded::command(self)
                .map(|(code, length)| (Shape::Command(Opcode(code)), length == Some(0))),
            _ => None,
        };
        self.told = told;
        let nothing = (Shape::Opaque { layer: Layer::Hci, code: 0, len: 0 }, false);
        let (shape, complete) = found.unwrap_or(nothing);
        Outline { shape, parameters: &self.told, extent: Extent::part_unless(complete) }
    }

    fn event(&self, handle: u16, out: &mut Vec<u8>) -> Option<(Shape<'static>, bool)> {
        let (code, complete) = decoded::event(self, handle, out)?;
        if !complete {
            decoded::le_connection_row(self, handle, out);
        }
        Some((Shape::Event(code), complete))
    }

    fn data(&self, handle: ConnHandle, out: &mut Vec<u8>) -> Option<(Shape<'static>, bool)> {
        let shape = |data, len| Shape::Acl { handle: Some(handle), len, data };
        if self.frame.is_empty()
            && self.name == "ATT"
            && let Some((opcode, complete)) = decoded::att(self, out)
        {
            return Some((shape(Data::Att { cid: 4, opcode }, 0), complete));
        }
        out.clear();
        let Some((&code, rest)) = self.frame.split_first() else {
            let (len, start) = self.fragment()?;
            return Some((shape(Data::Fragment { start }, len), false));
        };
        let cid = self.cid.unwrap_or(if self.name == "SMP" { 6 } else { 4 });
        let (data, parameters) = match cid {
            4 => (Data::Att { cid, opcode: code }, rest),
            6 => (Data::Smp { cid, code }, rest),
            1 | 5 => {
                let (&[code, identifier, _, _], rest) = self.frame.split_first_chunk()?;
                (Data::Signal { cid, identifier, code }, rest)
            }
            _ => (Data::L2cap { cid, psm: None }, self.frame.as_slice()),
        };
        out.extend_from_slice(parameters);
        Some((shape(data, 0), self.frame_len == Some(self.frame.len())))
    }

    /// `Data [Handle: 0x0042, Packet Boundary Flags: 0x1, Length: 0x000E (14)]` and nothing else:
    /// the length, and whether it starts a frame.
    fn fragment(&self) -> Option<(u16, bool)> {
        let rest = self.description.strip_prefix("Data [")?;
        let (_, flags) = rest.split_once("Flags: ")?;
        let (_, length) = rest.split_once("Length: ")?;
        Some((u16::try_from(number(length)?).ok()?, number(flags)? & 3 != 1))
    }
}

/// `0x0042` or `66`, at the beginning of a text.
pub(super) fn number(text: &str) -> Option<usize> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => {
            let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
            usize::from_str_radix(hex.get(..digits)?, 16).ok()
        }
        None => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            text.get(..digits)?.parse().ok()
        }
    }
}
