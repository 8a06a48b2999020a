//! Records that are no packets: what programs and systems wrote, adapters that come and go.
use super::words::Words;
use super::{Clean, Counts, Mark};
use crate::packet::Packet;
use crate::packet::note::Note;
use crate::share::survey::is_numbered;
use crate::share::table::Table;
use memchr::memchr;
use std::borrow::Cow;

/// Bytes before the process's name in Control Open: cookie, format, version, revision, flags, length.
const OPEN: usize = 14;
/// The length of a process's name has one byte.
const LONGEST_PROCESS: usize = 255;

/// Replaces texts and addresses in notes.
#[derive(Debug)]
pub struct Notes<'t> {
    pub table: &'t Table,
    pub words: &'t Words,
}

impl Notes<'_> {
    /// A Linux monitor record. False where nobody knows what is in it.
    pub fn monitor(
        &self,
        opcode: u16,
        bytes: &[u8],
        packet: &Packet<'_>,
        counts: &mut Counts,
        clean: &mut Clean,
    ) -> bool {
        let known =
            matches!(packet, Packet::Note(_)) || Note::decode_monitor(opcode, bytes).is_ok();
        if !known {
            return false;
        }
        match (opcode, bytes) {
            (0, [kind, bus, address @ ..]) => {
                clean.push(&[*kind, *bus], Mark::Number);
                self.address(address, counts, clean);
                self.adapter_name(address.get(6..).unwrap_or_default(), counts, clean);
            }
            (10, address) => {
                self.address(address, counts, clean);
                clean.push(address.get(6..8).unwrap_or_default(), Mark::Number);
            }
            (12, text) => self.text(text, counts, clean),
            (13, [priority, length, rest @ ..]) => {
                let (process, text) = rest.split_at(usize::from(*length).min(rest.len()));
                if let Some(mark @ (b'<' | b'>')) = process.first() {
                    // A frame that a program tells of: its channel stays, its bytes go.
                    clean.push(&[*priority, *length, *mark], Mark::Number);
                    clean.fit(clean.bytes.len() + process.len() - 1);
                    clean.push(text.get(..4).unwrap_or(text), Mark::Number);
                    counts.zeroed += 1;
                } else {
                    let process = self.cleaned(process, counts);
                    let process = process.get(..LONGEST_PROCESS).unwrap_or(&process);
                    clean.push(&[*priority, process.len() as u8], Mark::Number);
                    clean.push(process, Mark::Replaced);
                    self.text(text, counts, clean);
                }
            }
            (14, bytes) => {
                let head = bytes.get(..OPEN).unwrap_or(bytes);
                clean.push(head, Mark::Number);
                let process = self.same_length(bytes.get(OPEN..).unwrap_or_default());
                clean.push(&process, Mark::Replaced);
            }
            (15, cookie) => clean.push(cookie.get(..4).unwrap_or(cookie), Mark::Number),
            // Vendor diagnostics.
            _ => {}
        }
        if !matches!(opcode, 12 | 13) {
            clean.fit(bytes.len());
        }
        true
    }

    /// A PacketLogger record. False where nobody knows what is in it.
    pub fn packetlogger(
        &self,
        kind: u8,
        bytes: &[u8],
        counts: &mut Counts,
        clean: &mut Clean,
    ) -> bool {
        match kind {
            0xf7 => {
                let Some((head, rest)) = bytes.split_at_checked(5) else { return false };
                clean.fit(head.len());
                for (at, part) in rest.splitn(5, |byte| *byte == 0).enumerate() {
                    if at > 0 {
                        clean.push(&[0], Mark::Number);
                    }
                    self.text(part, counts, clean);
                }
                true
            }
            0xf8..=0xfe => {
                self.text(bytes, counts, clean);
                true
            }
            _ => false,
        }
    }

    fn address(&self, bytes: &[u8], counts: &mut Counts, clean: &mut Clean) {
        if let Some(address) = bytes.first_chunk::<6>() {
            counts.addresses += 1;
            clean.push(&self.table.address(*address), Mark::Replaced);
        }
    }

    /// `hci0` is the kernel's name for any adapter; another name is somebody's.
    fn adapter_name(&self, name: &[u8], counts: &mut Counts, clean: &mut Clean) {
        let mut name = name.to_vec();
        let text = String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned();
        if is_numbered(&text) || text.is_empty() || !self.table.name_field(&mut name) {
            return clean.push(&name, Mark::Long);
        }
        counts.names += 1;
        clean.push(&name, Mark::Replaced);
    }

    /// Text, up to its NUL; the NUL stays, and what stands behind it goes.
    fn text(&self, bytes: &[u8], counts: &mut Counts, clean: &mut Clean) {
        let kept = self.table.kept().addresses;
        let cleaned = self.cleaned(bytes, counts);
        clean.push(&cleaned, if kept { Mark::Long } else { Mark::Replaced });
    }

    /// What of it may be shown, with its NUL.
    fn cleaned<'b>(&self, bytes: &'b [u8], counts: &mut Counts) -> Cow<'b, [u8]> {
        let end = memchr(0, bytes);
        let before = &bytes[..end.unwrap_or(bytes.len())];
        let text = match std::str::from_utf8(before) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(before),
        };
        let cleaned = self.words.clean(self.table, &text);
        if *cleaned == *text {
            // The same bytes, if they are text.
            if matches!(text, Cow::Borrowed(_)) {
                return Cow::Borrowed(&bytes[..end.map_or(bytes.len(), |end| end + 1)]);
            }
        } else {
            counts.texts += 1;
        }
        let mut cleaned = cleaned.into_owned().into_bytes();
        if end.is_some() {
            cleaned.push(0);
        }
        Cow::Owned(cleaned)
    }

    /// A name of a process in a field of its own length.
    fn same_length(&self, bytes: &[u8]) -> Vec<u8> {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = String::from_utf8_lossy(&bytes[..end]);
        let mut cleaned = self.words.clean(self.table, &text).into_owned().into_bytes();
        cleaned.truncate(end);
        cleaned.resize(bytes.len(), 0);
        cleaned
    }
}
