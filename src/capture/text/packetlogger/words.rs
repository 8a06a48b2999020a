//! A packet from the words of its rows, where its bytes are missing.
use super::super::super::{Kind, Said};
use super::decoded;
use super::row::{Level, Row};
use crate::packet::{ConnHandle, Layer, Packet, Problem, att, hci, signal, smp};

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
    /// Parameters that words tell, as bytes.
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
    pub fn said(&mut self, kind: Kind, handle: Option<u16>) -> Said<'_> {
        let mut told = std::mem::take(&mut self.told);
        told.clear();
        let handle = handle.unwrap_or_default();
        let code = match kind {
            Kind::Acl if self.frame.is_empty() && self.name == "ATT" => {
                decoded::att(self, &mut told)
            }
            Kind::Event => decoded::event(self, handle, &mut told),
            _ => None,
        };
        self.told = told;
        let (packet, problem) = match kind {
            Kind::Acl => self.data(ConnHandle(handle), code),
            Kind::Event => self.event(code, handle),
            Kind::Command => decoded::command(self).map(|(code, length)| {
                let cut = length != Some(0);
                let (command, problem) = hci::Command::decode(code, &[], cut);
                (Packet::Command(command), if cut { Some(Problem::Cut) } else { problem })
            }),
            _ => None,
        }
        .unwrap_or((Packet::Opaque { layer: Layer::Hci, code: 0, len: 0 }, Some(Problem::Cut)));
        Said { packet, problem }
    }

    fn event(&self, code: decoded::Told, handle: u16) -> Option<(Packet<'_>, Option<Problem>)> {
        let (code, whole) = code?;
        if !whole && let Some(packet) = decoded::le_connection_row(self, handle) {
            return Some((packet, Some(Problem::Cut)));
        }
        let (event, problem) = hci::Event::read(code, &self.told, !whole);
        Some((Packet::Event(event), if whole { problem } else { Some(Problem::Cut) }))
    }

    fn data(
        &self,
        handle: ConnHandle,
        att: decoded::Told,
    ) -> Option<(Packet<'_>, Option<Problem>)> {
        if let Some((code, whole)) = att {
            let (pdu, problem) = att::Pdu::decode(code, &self.told, !whole);
            let problem = if whole { problem } else { Some(Problem::Cut) };
            return Some((Packet::Att { handle, cid: 4, pdu }, problem));
        }
        let Some((&code, rest)) = self.frame.split_first() else {
            return self.fragment(handle);
        };
        let cut = self.frame_len != Some(self.frame.len());
        let cid = self.cid.unwrap_or(if self.name == "SMP" { 6 } else { 4 });
        let (packet, problem) = match cid {
            4 => {
                let (pdu, problem) = att::Pdu::decode(code, rest, cut);
                (Packet::Att { handle, cid, pdu }, problem)
            }
            6 => {
                let (pdu, problem) = smp::Pdu::decode(code, rest, cut);
                (Packet::Smp { handle, cid, pdu }, problem)
            }
            1 | 5 => {
                let (&[code, identifier, _, _], rest) = self.frame.split_first_chunk()?;
                let (pdu, problem) = signal::Pdu::decode(code, rest, cut);
                (Packet::Signal { handle, cid, identifier, pdu }, problem)
            }
            _ => (Packet::L2cap { handle, cid, psm: None, payload: &self.frame }, None),
        };
        Some((packet, if cut { Some(Problem::Cut) } else { problem }))
    }

    /// `Data [Handle: 0x0042, Packet Boundary Flags: 0x1, Length: 0x000E (14)]` and nothing else.
    fn fragment(&self, handle: ConnHandle) -> Option<(Packet<'_>, Option<Problem>)> {
        let rest = self.description.strip_prefix("Data [")?;
        let (_, flags) = rest.split_once("Flags: ")?;
        let (_, length) = rest.split_once("Length: ")?;
        let start = number(flags)? & 3 != 1;
        let len = u16::try_from(number(length)?).ok()?;
        Some((Packet::Fragment { handle, start, len }, Some(Problem::Cut)))
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
