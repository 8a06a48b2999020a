//! One record after the other, by its kind.
use super::attributes::{Attributes, Place};
use super::fields::{Fields, blank};
use super::frames::{Flow, FlowKey, Held, Line};
use super::lines::Printed;
use super::notes::Notes;
use super::words::Words;
use super::{Clean, Counts, Kept, Mark, Marks};
use crate::capture::{Kind, Record};
use crate::packet::{Direction, Event, Layer, Opcode, Packet, att, hci, signal, smp};
use crate::share::search::Search;
use crate::share::table::Table;
use crate::timeline::Capture;

/// Channels from here on are opened by signalling.
const DYNAMIC: u16 = 0x0040;
/// Attribute protocol on enhanced credit-based channels.
const PSM_EATT: u16 = 0x0027;
/// Serial ports over BR/EDR.
const PSM_RFCOMM: u16 = 0x0003;
/// Of an RFCOMM frame: address, control and a length of one byte. A check sum follows the data.
const RFCOMM: usize = 3;
const RFCOMM_CHECK: usize = 1;
/// The longest command of the multiplexer, in its frame.
const LONGEST_MULTIPLEXER: usize = 16;
/// Handle, flags and length of an ACL packet.
const ACL: usize = 4;
/// Length and channel of an L2CAP frame, and the length of a unit behind them.
const L2CAP: usize = 4;
const UNIT: usize = 2;

/// Replaces all records of one capture.
#[derive(Debug)]
pub struct Replacer<'c> {
    table: &'c Table,
    words: &'c Words,
    search: &'c Search,
    kept: Kept,
    attributes: Attributes<'c>,
    pub counts: Counts,
    /// Something of the original was found in a frame that was put together: where.
    pub leak: Option<(u32, &'static str)>,
}

impl<'c> Replacer<'c> {
    pub fn of(
        capture: &'c Capture,
        table: &'c Table,
        words: &'c Words,
        search: &'c Search,
        kept: Kept,
    ) -> Self {
        Self {
            table,
            words,
            search,
            kept,
            attributes: Attributes::of(capture),
            counts: Counts::default(),
            leak: None,
        }
    }

    /// Takes notice of a record that is left out.
    pub fn skip(&mut self, event: &Event<'_>, connection: Option<u32>) {
        self.attributes.see(event, connection);
    }

    /// The parameters that a text shows, and what stands for them.
    pub fn printed(
        &mut self,
        parameters: &[u8],
        event: &Event<'_>,
        connection: Option<u32>,
    ) -> Printed {
        let Self { table, words, kept, counts, attributes, .. } = self;
        let place = attributes.see(event, connection);
        let mut one = One { table, words, kept: *kept, counts, place };
        let mut clean = Clean::default();
        one.fields(event, &mut clean);
        // Of what has no table nothing is known.
        if clean.bytes.len() != parameters.len() {
            return Printed::default();
        }
        Printed { original: parameters.to_vec(), replaced: clean.bytes }
    }

    /// Puts the record that replaces this one into the queue.
    pub fn push(
        &mut self,
        record: &Record<'_>,
        event: &Event<'_>,
        connection: Option<u32>,
        line: &mut Line,
    ) {
        let Self { table, words, search, kept, attributes, counts, leak } = self;
        let place = attributes.see(event, connection);
        let mut one = One { table, words, kept: *kept, counts, place };
        one.counts.comments += u64::from(record.comment.is_some());
        if matches!(record.kind, Kind::Acl) {
            if let Some(frame) = one.acl(record, event, line)
                && leak.is_none()
            {
                *leak = search.find(&frame).map(|what| (record.frame, what));
            }
            return;
        }
        let clean = one.whole(record, event, line.room(record.bytes().len()));
        // A text may have another length than the one that it stands for.
        let original = record.bytes().len();
        let original_len = if clean.bytes.len() == original {
            record.original_len
        } else {
            u32::try_from(clean.bytes.len()).unwrap_or(u32::MAX)
        };
        line.push(Held::new(record, clean, original_len));
    }
}

/// What stays of an RFCOMM frame: its head, and all of one without data or for the multiplexer itself, whose commands
/// hold numbers of channels and sizes (3GPP TS 27.010, 5.4.6.3). Zeros there would be no frame at all.
fn rfcomm_head(payload: &[u8]) -> &[u8] {
    match payload {
        [address, ..] if address >> 2 == 0 && payload.len() <= LONGEST_MULTIPLEXER => payload,
        // An odd length has one byte (3GPP TS 27.010, 5.2.1.5).
        [_, _, 1, ..] if payload.len() == RFCOMM + RFCOMM_CHECK => payload,
        [_, _, length, ..] if length & 1 == 1 => &payload[..RFCOMM],
        [_, _, _, _, ..] => &payload[..RFCOMM + 1],
        _ => &[],
    }
}

/// A piece of a unit of the enhanced attribute protocol.
fn is_unit_piece(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::L2cap { psm: Some(PSM_EATT), cid, .. } if *cid >= DYNAMIC)
}

/// It is a piece of a unit, or completes one.
fn is_of_unit(event: &Event<'_>, key: FlowKey, line: &Line) -> bool {
    let cid = event.packet.cid().unwrap_or_default();
    is_unit_piece(&event.packet)
        || matches!(event.packet, Packet::Att { .. }) && line.has_unit(key, cid)
}

/// One record while it is replaced.
struct One<'r> {
    table: &'r Table,
    words: &'r Words,
    kept: Kept,
    counts: &'r mut Counts,
    place: Place<'r>,
}

impl One<'_> {
    /// A record that needs no other.
    fn whole(&mut self, record: &Record<'_>, event: &Event<'_>, mut clean: Clean) -> Clean {
        let bytes = record.bytes();
        match (record.kind, &event.packet) {
            (Kind::Command, Packet::Command(command)) => {
                self.head(bytes, 3, &mut clean);
                if !self.unknown_command(command, bytes, &mut clean) {
                    self.fields(event, &mut clean);
                }
            }
            (Kind::Event, Packet::Event(of)) => {
                self.head(bytes, 2, &mut clean);
                if !self.unknown_return(of, &mut clean) {
                    self.fields(event, &mut clean);
                }
            }
            (Kind::Monitor(16 | 17), Packet::Mgmt { .. }) => {
                self.head(bytes, 6, &mut clean);
                self.fields(event, &mut clean);
            }
            (Kind::Sco, Packet::Sco { .. }) => {
                self.head(bytes, 3, &mut clean);
                self.counts.zeroed += 1;
            }
            (Kind::Iso, Packet::Iso { .. }) => {
                self.head(bytes, 4, &mut clean);
                self.counts.zeroed += 1;
            }
            (Kind::Monitor(opcode), _) => {
                let notes = Notes { table: self.table, words: self.words };
                if notes.monitor(opcode, bytes, &event.packet, self.counts, &mut clean) {
                    return clean;
                }
                clean.clear();
                blank(self.table, self.counts, bytes, &mut clean);
            }
            (Kind::Note(kind), _) => {
                let notes = Notes { table: self.table, words: self.words };
                if notes.packetlogger(kind, bytes, self.counts, &mut clean) {
                    return clean;
                }
                clean.clear();
                blank(self.table, self.counts, bytes, &mut clean);
            }
            _ => blank(self.table, self.counts, bytes, &mut clean),
        }
        if clean.bytes.len() < bytes.len() {
            self.counts.zeroed += 1;
        }
        clean.fit(bytes.len());
        clean
    }

    fn head(&self, bytes: &[u8], length: usize, clean: &mut Clean) {
        clean.push(bytes.get(..length).unwrap_or(bytes), Mark::Number);
    }

    /// The fields of the event's packet.
    fn fields(&mut self, event: &Event<'_>, clean: &mut Clean) {
        self.walk(clean, |fields, out| {
            event.packet.visit_mut(fields, out);
        });
    }

    fn walk(&mut self, clean: &mut Clean, walk: impl FnOnce(&mut Fields<'_>, &mut Vec<u8>)) {
        let mut fields =
            Fields::new(self.table, self.kept, self.counts, &mut clean.marks, &self.place);
        walk(&mut fields, &mut clean.bytes);
        if fields.opaque {
            self.counts.zeroed += 1;
        }
        clean.fit(clean.bytes.len());
    }

    /// A command that no table knows: its link stays, if it is about one.
    fn unknown_command(
        &mut self,
        command: &hci::Command<'_>,
        bytes: &[u8],
        clean: &mut Clean,
    ) -> bool {
        let hci::Command::Other { parameters, .. } = command else { return false };
        let link = command.connection_handle().is_some();
        let kept = if link { parameters.len().min(2) } else { 0 };
        clean.push(parameters.get(..kept).unwrap_or_default(), Mark::Number);
        blank(self.table, self.counts, bytes.get(3 + kept..).unwrap_or_default(), clean);
        true
    }

    /// What a command returned that no table knows: its status stays, and its link if it is about one.
    fn unknown_return(&mut self, event: &hci::Event<'_>, clean: &mut Clean) -> bool {
        let hci::Event::CommandComplete {
            num_hci_command_packets,
            command_opcode,
            return_parameters,
        } = event
        else {
            return false;
        };
        let Opcode(code) = *command_opcode;
        let known = hci::Return::decode(code, return_parameters.0, false).1.is_none();
        if known {
            return false;
        }
        let vendor = code == 0 || code >> 10 == 0x3f;
        let kept = match (vendor, event.connection_handle()) {
            (true, _) => 0,
            (false, None) => 1,
            (false, Some(_)) => 3,
        };
        clean.push(&[*num_hci_command_packets], Mark::Number);
        clean.push(&code.to_le_bytes(), Mark::Number);
        let (head, rest) = return_parameters.0.split_at(kept.min(return_parameters.0.len()));
        clean.push(head, Mark::Number);
        blank(self.table, self.counts, rest, clean);
        true
    }

    /// An ACL packet: a whole frame, or a piece of one. The frame that it completes comes back.
    fn acl(&mut self, record: &Record<'_>, event: &Event<'_>, line: &mut Line) -> Option<Clean> {
        let bytes = record.bytes();
        let mut clean = line.room(bytes.len());
        self.head(bytes, ACL, &mut clean);
        let Some((&[h0, h1, l0, l1], data)) = bytes.split_first_chunk::<ACL>() else {
            line.push(Held::new(record, clean, record.original_len));
            return None;
        };
        let word = u16::from_le_bytes([h0, h1]);
        let declared = usize::from(u16::from_le_bytes([l0, l1]));
        let data = data.get(..declared).unwrap_or(data);
        let chip = matches!(event.packet, Packet::Opaque { layer: Layer::ChipLog, .. });
        let direction = record.direction.filter(|_| !chip);
        let key = (record.adapter, word & 0x0fff, direction == Some(Direction::Received));
        let begins = (word >> 12) & 3 != 1;
        let whole = begins && !matches!(event.packet, Packet::Fragment { .. });
        let alone = direction.is_some() && whole && !is_of_unit(event, key, line);
        if alone {
            line.give_up(key);
            self.content(event, data, Some(data), data.len(), &mut clean);
        }
        clean.fit(bytes.len());
        let number = line.push(Held::new(record, clean, record.original_len));
        if direction.is_none() {
            self.counts.zeroed += 1;
            return None;
        }
        match (alone, whole) {
            (true, _) => None,
            (false, true) => {
                line.give_up(key);
                let flow = line.whole(number, ACL, data);
                self.frame(event, key, &flow, line)
            }
            (false, false) => self.piece(event, key, begins, number, data, line),
        }
    }

    /// A piece of a frame, which may complete it.
    fn piece(
        &mut self,
        event: &Event<'_>,
        key: FlowKey,
        begins: bool,
        number: u64,
        data: &[u8],
        line: &mut Line,
    ) -> Option<Clean> {
        if begins {
            line.begin(key);
            if let (Some(head), Some(held)) = (data.first_chunk::<L2CAP>(), line.last_mut()) {
                // The header is no secret, and says that the frame goes on.
                held.clean.bytes[ACL..ACL + L2CAP].copy_from_slice(head);
                held.clean.marks.lay(ACL, &Marks::of(L2CAP, Mark::Number), 0..L2CAP);
            }
        }
        if !line.extend(key, number, ACL, data) {
            // A continuation of nothing.
            self.counts.zeroed += 1;
            return None;
        }
        if matches!(event.packet, Packet::Fragment { .. }) {
            return None;
        }
        let flow = line.complete(key)?;
        self.frame(event, key, &flow, line)
    }

    /// A frame of several records, or of a unit of several frames, is complete: it is replaced and laid over its pieces.
    /// What no record shows in one piece comes back.
    fn frame(
        &mut self,
        event: &Event<'_>,
        key: FlowKey,
        flow: &Flow,
        line: &mut Line,
    ) -> Option<Clean> {
        let total = flow.len();
        let cid = event.packet.cid().unwrap_or_default();
        match &event.packet {
            Packet::L2cap { .. } if is_unit_piece(&event.packet) => {
                // It waits for the rest. The first piece tells the unit's length.
                let mut clean = Clean::for_bytes(total);
                let length = if line.has_unit(key, cid) { 0 } else { UNIT };
                let head = flow.head.get(..L2CAP + length).unwrap_or(&flow.head);
                clean.push(head, Mark::Number);
                clean.fit(total);
                // Two stretches for each piece, one now and one when the unit is complete.
                line.keep_unit(key, cid, &flow.behind(L2CAP + length));
                line.lay_waiting(flow.chunks(), &clean);
                None
            }
            Packet::Att { pdu, .. } if line.has_unit(key, cid) => {
                let mut chunks = line.take_unit(key, cid);
                let mut payload = Clean::default();
                payload.push(&[pdu.code()], Mark::Number);
                self.att(pdu, &mut payload);
                chunks.extend(flow.behind(L2CAP));
                payload.fit(chunks.iter().map(|chunk| chunk.len()).sum());
                line.lay(&chunks, &payload);
                Some(payload)
            }
            _ => {
                let mut clean = Clean::for_bytes(total);
                self.content(event, &flow.head, None, total, &mut clean);
                line.lay(flow.chunks(), &clean);
                (flow.chunks().len() > 1).then_some(clean)
            }
        }
    }

    /// Appends a frame of so many bytes. `head` has its first bytes, `whole` all of it where it came in one piece.
    fn content(
        &mut self,
        event: &Event<'_>,
        head: &[u8],
        whole: Option<&[u8]>,
        total: usize,
        clean: &mut Clean,
    ) {
        let end = clean.bytes.len() + total;
        clean.push(head.get(..L2CAP).unwrap_or(head), Mark::Number);
        let payload = whole.and_then(|whole| whole.get(L2CAP..));
        match &event.packet {
            Packet::Att { cid, pdu, .. } => {
                // Of a channel with units the length of the unit stands first.
                if let Some(told) = head.get(L2CAP..L2CAP + UNIT).and_then(<[u8]>::first_chunk)
                    && *cid >= DYNAMIC
                    && usize::from(u16::from_le_bytes(*told)) + L2CAP + UNIT == total
                {
                    clean.push(told, Mark::Number);
                }
                clean.push(&[pdu.code()], Mark::Number);
                self.att(pdu, clean);
            }
            Packet::Smp { pdu, .. } => self.smp(pdu, clean),
            Packet::Signal { identifier, pdu, .. } => {
                // Several commands may follow each other: those of a frame in one piece are here.
                match payload {
                    Some(commands) => self.signals(commands, clean),
                    None => self.signal(*identifier, pdu, clean),
                }
            }
            Packet::L2cap { psm: Some(PSM_RFCOMM), .. } => {
                clean.push(rfcomm_head(payload.unwrap_or_default()), Mark::Number);
                self.counts.zeroed += u64::from(clean.bytes.len() < end);
            }
            _ => self.counts.zeroed += u64::from(total > L2CAP),
        }
        if clean.bytes.len() < end {
            // What no field holds stays zeros.
            self.counts.zeroed += u64::from(event.problem.is_some());
        }
        clean.fit(end);
    }

    fn att(&mut self, pdu: &att::Pdu<'_>, clean: &mut Clean) {
        if let att::Pdu::Other { .. } = pdu {
            return;
        }
        self.walk(clean, |fields, out| pdu.visit_mut(fields, out));
    }

    fn smp(&mut self, pdu: &smp::Pdu<'_>, clean: &mut Clean) {
        clean.push(&[pdu.code()], Mark::Number);
        self.walk(clean, |fields, out| pdu.visit_mut(fields, out));
    }

    fn signal(&mut self, identifier: u8, pdu: &signal::Pdu<'_>, clean: &mut Clean) {
        let mut parameters = Clean::default();
        self.walk(&mut parameters, |fields, out| pdu.visit_mut(fields, out));
        let length = u16::try_from(parameters.bytes.len()).unwrap_or(u16::MAX);
        clean.push(&[pdu.code(), identifier], Mark::Number);
        clean.push(&length.to_le_bytes(), Mark::Number);
        clean.push_all(&parameters);
    }

    fn signals(&mut self, commands: &[u8], clean: &mut Clean) {
        let mut rest = commands;
        while let Some((&[code, identifier, l0, l1], behind)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_le_bytes([l0, l1]));
            let data = behind.get(..length).unwrap_or(behind);
            let (pdu, _) = signal::Pdu::decode(code, data, data.len() < length);
            clean.push(&[code, identifier, l0, l1], Mark::Number);
            let end = clean.bytes.len() + data.len();
            self.walk(clean, |fields, out| pdu.visit_mut(fields, out));
            clean.fit(end);
            rest = behind.get(length..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_serial_ports_only_the_frame_stays() {
        // SABM on the control channel, data with a short and with a long length, and what is no frame.
        assert_eq!(rfcomm_head(&[0x03, 0x3f, 0x01, 0x1c]), [0x03, 0x3f, 0x01, 0x1c]);
        assert_eq!(rfcomm_head(&[0x0b, 0xef, 0x05, b'A', b'T', 0x9a]), [0x0b, 0xef, 0x05]);
        assert_eq!(rfcomm_head(&[0x0b, 0xef, 0x02, 0x01, b'A']), [0x0b, 0xef, 0x02, 0x01]);
        assert!(rfcomm_head(&[0x0b, 0xef]).is_empty());
        // Modem status on the control channel stays; data there would be longer.
        let status = [0x03, 0xef, 0x09, 0xe3, 0x05, 0x0b, 0x8d, 0xaa];
        assert_eq!(rfcomm_head(&status), status);
        let mut long = [0x41; 17];
        long[..3].copy_from_slice(&[0x03, 0xef, 0x1b]);
        assert_eq!(rfcomm_head(&long), [0x03, 0xef, 0x1b]);
    }
}
