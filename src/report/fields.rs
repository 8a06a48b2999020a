//! A packet's parameters as JSON members.
//!
//! What may never be shown does not come here as bytes: keys are secrets in the
//! tables, and packets that nobody decoded have no fields.
use super::line::Line;
use crate::packet::field::FieldSink;
use crate::packet::{Packet, ad, air, hci, mgmt};
use crate::redact;
use std::fmt::{Display, Write};

/// Writes fields into a line.
pub struct Fields<'l> {
    line: &'l mut Line,
    scratch: &'l mut String,
    values: bool,
}

/// Writes `{…}`: all parameters of a packet. `values` shows bytes; else their length stands for them.
pub fn write(line: &mut Line, scratch: &mut String, packet: &Packet<'_>, values: bool) {
    line.open('{');
    let mut fields = Fields { line, scratch, values };
    fields.packet(packet);
    line.close('}');
}

impl Fields<'_> {
    fn packet(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Command(command) => command.fields(self),
            Packet::Event(hci::Event::CommandComplete {
                num_hci_command_packets,
                command_opcode,
                return_parameters,
            }) => {
                self.number("num_hci_command_packets", i64::from(*num_hci_command_packets));
                self.number("command_opcode", i64::from(command_opcode.0));
                self.returned(command_opcode.0, return_parameters.0);
            }
            Packet::Event(event) => event.fields(self),
            Packet::Att { pdu, .. } => pdu.fields(self),
            Packet::Smp { pdu, .. } => pdu.fields(self),
            Packet::Signal { identifier, pdu, .. } => {
                self.number("identifier", i64::from(*identifier));
                pdu.fields(self);
            }
            Packet::L2cap { psm, payload, .. } => {
                if let Some(psm) = psm {
                    self.number("psm", i64::from(*psm));
                }
                self.number("payload", payload.len() as i64);
            }
            Packet::Fragment { start, len, .. } => {
                self.line.key("start");
                self.line.bool(*start);
                self.number("len", i64::from(*len));
            }
            Packet::Sco { len, .. } | Packet::Iso { len, .. } => {
                self.number("len", i64::from(*len))
            }
            Packet::Mgmt { cookie, pdu } => {
                self.number("cookie", i64::from(*cookie));
                pdu.fields(self);
                if let mgmt::Pdu::Event(
                    mgmt::Event::DeviceFound { eir, .. } | mgmt::Event::DeviceConnected { eir, .. },
                ) = pdu
                {
                    ad::show(eir.0, self);
                }
            }
            Packet::Note(note) => note.fields(self),
            Packet::Air(air::Pdu::Advertising(pdu) | air::Pdu::Auxiliary(_, pdu)) => {
                pdu.fields(self)
            }
            Packet::Air(air::Pdu::Control(pdu)) => pdu.fields(self),
            Packet::Air(air::Pdu::Empty) => {}
            Packet::Air(air::Pdu::Encrypted { len, .. } | air::Pdu::Isochronous { len }) => {
                self.number("len", i64::from(*len));
            }
            Packet::Opaque { len, .. } => self.number("len", i64::from(*len)),
        }
    }

    /// What a command returned. Of commands without an entry only the status is known.
    fn returned(&mut self, opcode: u16, parameters: &[u8]) {
        match hci::Return::decode(opcode, parameters, false).0 {
            hci::Return::Other { .. } => {
                if let (Some(status), true) =
                    (parameters.first(), opcode != 0 && opcode >> 10 != 0x3f)
                {
                    self.number("status", i64::from(*status));
                }
                self.number("return_parameters", parameters.len() as i64);
            }
            known => known.fields(self),
        }
    }
}

impl FieldSink for Fields<'_> {
    fn number(&mut self, name: &'static str, value: i64) {
        self.line.key(name);
        self.line.signed(value);
    }

    fn text(&mut self, name: &'static str, value: &dyn Display) {
        self.scratch.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.scratch, "{value}");
        self.line.key(name);
        self.line.text(self.scratch);
    }

    fn said(&mut self, name: &'static str, text: &str) {
        self.line.key(name);
        self.line.text(&redact::text(text));
    }

    fn bytes(&mut self, name: &'static str, value: &[u8]) {
        self.line.key(name);
        if self.values {
            self.line.hex(value);
        } else {
            self.line.number(value.len() as u64);
        }
    }

    fn advertising(&mut self, name: &'static str, data: &[u8]) {
        self.line.key(name);
        if self.values {
            self.line.word(&ad::hex(data));
        } else {
            self.line.number(data.len() as u64);
        }
    }

    fn secret(&mut self, name: &'static str, _: usize) {
        self.line.key(name);
        self.line.null();
    }

    fn begin_list(&mut self, name: &'static str) {
        self.line.key(name);
        self.line.open('[');
    }

    fn begin_item(&mut self) {
        self.line.part();
        self.line.open('{');
    }

    fn end_item(&mut self) {
        self.line.close('}');
    }

    fn end_list(&mut self) {
        self.line.close(']');
    }
}
