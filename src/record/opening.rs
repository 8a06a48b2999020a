//! What a capture must begin with that does not begin with the recording: which adapters there are, and who uses them.
//!
//! The kernel says it once, to whoever opens the monitor channel. A later file of the same recording says it again.
use super::Packet;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::io;

/// Opcodes of the monitor.
const NEW_INDEX: u16 = 0;
const DELETED_INDEX: u16 = 1;
const OPEN_INDEX: u16 = 8;
const CLOSED_INDEX: u16 = 9;
const INDEX_INFO: u16 = 10;
const SYSTEM_NOTE: u16 = 12;
const CONTROL_OPEN: u16 = 14;
const CONTROL_CLOSE: u16 = 15;

/// Most notes, adapters and programs that are kept.
const MOST_NOTES: usize = 8;
const MOST_ADAPTERS: usize = 64;
const MOST_PROGRAMS: usize = 256;

/// A packet that is kept.
#[derive(Clone, Debug)]
struct Kept {
    opcode: u16,
    adapter: u16,
    bytes: Vec<u8>,
}

impl Kept {
    fn of(packet: &Packet<'_>) -> Self {
        Self { opcode: packet.opcode, adapter: packet.adapter, bytes: packet.bytes.to_vec() }
    }
}

/// The state of the host's Bluetooth, as packets of the monitor.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// About the kernel and its Bluetooth.
    notes: Vec<Kept>,
    /// Of each adapter: that it is there, that it is open, and what it is.
    adapters: BTreeMap<u16, [Option<Kept>; 3]>,
    /// Programs that use the management interface, by the number of their socket.
    programs: BTreeMap<[u8; 4], Kept>,
}

impl Opening {
    /// Notices what a packet says about the host.
    pub fn see(&mut self, packet: &Packet<'_>) {
        let place = match packet.opcode {
            NEW_INDEX => 0,
            OPEN_INDEX => 1,
            INDEX_INFO => 2,
            DELETED_INDEX => return drop(self.adapters.remove(&packet.adapter)),
            CLOSED_INDEX => {
                if let Some(adapter) = self.adapters.get_mut(&packet.adapter) {
                    adapter[1] = None;
                }
                return;
            }
            SYSTEM_NOTE if packet.adapter == 0xffff => return self.note(packet),
            CONTROL_OPEN | CONTROL_CLOSE => return self.program(packet),
            _ => return,
        };
        if self.adapters.len() < MOST_ADAPTERS || self.adapters.contains_key(&packet.adapter) {
            self.adapters.entry(packet.adapter).or_default()[place] = Some(Kept::of(packet));
        }
    }

    /// The kernel says once what it is; whoever says it again says nothing new.
    fn note(&mut self, packet: &Packet<'_>) {
        let known = self.notes.iter().any(|note| note.bytes == packet.bytes);
        if !known && self.notes.len() < MOST_NOTES {
            self.notes.push(Kept::of(packet));
        }
    }

    fn program(&mut self, packet: &Packet<'_>) {
        let Some(socket) = packet.bytes.first_chunk::<4>() else { return };
        if packet.opcode == CONTROL_CLOSE {
            self.programs.remove(socket);
        } else if self.programs.len() < MOST_PROGRAMS {
            self.programs.insert(*socket, Kept::of(packet));
        }
    }

    /// Lends the packets with which a file begins that begins at this time.
    pub fn packets(
        &self,
        time: Timestamp,
        mut see: impl FnMut(Packet<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let adapters = self.adapters.values().flatten().flatten();
        for Kept { opcode, adapter, bytes } in
            self.notes.iter().chain(adapters).chain(self.programs.values())
        {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            see(Packet { opcode: *opcode, adapter: *adapter, time, bytes, length })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(packets: &[(u16, u16, &[u8])]) -> Vec<(u16, u16)> {
        let mut opening = Opening::default();
        for (opcode, adapter, bytes) in packets {
            let length = bytes.len() as u32;
            opening.see(&Packet {
                opcode: *opcode,
                adapter: *adapter,
                time: Timestamp(0),
                bytes,
                length,
            });
        }
        let mut said = Vec::new();
        let see = |packet: Packet<'_>| {
            assert_eq!(packet.time, Timestamp(7));
            said.push((packet.opcode, packet.adapter));
            Ok(())
        };
        opening.packets(Timestamp(7), see).unwrap();
        said
    }

    #[test]
    fn a_later_file_begins_with_what_is_there_then() {
        let note: (u16, u16, &[u8]) = (SYSTEM_NOTE, 0xffff, b"Linux");
        let there = [note, (NEW_INDEX, 0, b"a"), (OPEN_INDEX, 0, b""), (INDEX_INFO, 0, b"i")];
        assert_eq!(seen(&[&there[..], &[note]].concat()).len(), 4);
        assert_eq!(seen(&there), [(12, 0xffff), (0, 0), (8, 0), (10, 0)]);
        assert_eq!(
            seen(&[&there[..], &[(CLOSED_INDEX, 0, b"")]].concat()),
            [(12, 0xffff), (0, 0), (10, 0)]
        );
        assert_eq!(seen(&[&there[..], &[(DELETED_INDEX, 0, b"")]].concat()), [(12, 0xffff)]);
        // A note about one adapter is about a moment.
        assert_eq!(seen(&[(SYSTEM_NOTE, 0, b"x"), (3, 0, b"y")]), Vec::new());
    }

    #[test]
    fn programs_are_known_by_their_sockets() {
        let open: (u16, u16, &[u8]) = (CONTROL_OPEN, 0xffff, b"0001bluetoothd");
        assert_eq!(seen(&[open, (CONTROL_OPEN, 0xffff, b"0002btmgmt")]).len(), 2);
        assert_eq!(seen(&[open, (CONTROL_CLOSE, 0xffff, b"0001")]), Vec::new());
        assert_eq!(seen(&[open, (CONTROL_CLOSE, 0xffff, b"0002")]).len(), 1);
        let many: Vec<[u8; 4]> = (0..1_000_u32).map(u32::to_le_bytes).collect();
        let many: Vec<(u16, u16, &[u8])> =
            many.iter().map(|socket| (CONTROL_OPEN, 0xffff, &socket[..])).collect();
        assert_eq!(seen(&many).len(), MOST_PROGRAMS);
    }
}
