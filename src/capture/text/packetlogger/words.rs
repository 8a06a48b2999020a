//! A packet from the words of its rows, where its bytes are missing.
use super::super::super::{Kind, Said};
use super::row::{Level, Row};
use crate::wire::{ConnHandle, Layer, Packet, Problem, att, signal, smp};

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

    pub fn detail(&mut self, line: &str) {
        match line.split_once(": ") {
            Some((key, value)) => {
                self.in_value = key == "Value";
                if self.details.len() < DETAILS {
                    let value = value.chars().take(200).collect();
                    self.details.push((key.chars().take(60).collect(), value));
                }
            }
            None if self.in_value => {
                if let Some((_, value)) = self.details.last_mut().filter(|(_, v)| v.len() < 4096) {
                    value.push(' ');
                    value.push_str(line);
                }
            }
            None => {}
        }
    }

    /// The packet as far as the words tell.
    pub fn said(&self, kind: Kind, handle: Option<u16>) -> Said<'_> {
        let told = match (kind, handle) {
            (Kind::Acl, Some(handle)) => self.data(ConnHandle(handle)),
            _ => None,
        };
        let (packet, problem) = told
            .unwrap_or((Packet::Opaque { layer: Layer::Hci, code: 0, len: 0 }, Some(Problem::Cut)));
        Said { packet, problem }
    }

    fn data(&self, handle: ConnHandle) -> Option<(Packet<'_>, Option<Problem>)> {
        let cut = self.frame_len != Some(self.frame.len());
        let cid = self.cid.unwrap_or(if self.name == "SMP" { 6 } else { 4 });
        let (&code, rest) = self.frame.split_first()?;
        Some(match cid {
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
            _ => {
                let payload = &self.frame;
                let problem = cut.then_some(Problem::Cut);
                (Packet::L2cap { handle, cid, psm: None, payload }, problem)
            }
        })
    }
}

/// `0x0042` or `66`, at the beginning of a text.
fn number(text: &str) -> Option<usize> {
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
