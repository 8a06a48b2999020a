//! One packet in one line, as a person would read it out.
mod air;

use super::line::push_hex;
use super::safe;
use crate::numbers;
use crate::packet::att::{self, Handle, Uuid};
use crate::packet::field::FieldSink;
use crate::packet::units::{Interval, Timeout};
use crate::packet::{
    Address, AddressType, MgmtReason, Opcode, Packet, ad, hci, mgmt, note, signal, smp,
};
use crate::redact;
use std::fmt::{Display, Write};

/// Bytes of a value that a line shows on request.
const SHOWN: usize = 32;

/// Appends the packet's line to `out`. `values` shows the beginning of values.
pub fn write(out: &mut String, packet: &Packet<'_>, values: bool) {
    out.push_str(packet.name());
    let before = out.len();
    out.push_str(": ");
    let after = out.len();
    let mut words = Words { out, values, count: 0 };
    words.packet(packet);
    if out.len() == after {
        out.truncate(before);
    }
}

struct Words<'o> {
    out: &'o mut String,
    values: bool,
    /// Parameters so far: a line has room for a few.
    count: usize,
}

/// Appends formatted text; writing to a String cannot fail.
macro_rules! say {
    ($words:expr, $($text:tt)*) => { { let _ = write!($words.out, $($text)*); } };
}

impl Words<'_> {
    fn packet(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Command(command) => self.command(command),
            Packet::Event(event) => self.event(event),
            Packet::Att { pdu, .. } => self.attribute(pdu),
            Packet::Smp { pdu: smp::Pdu::PairingFailed { reason }, .. } => say!(self, "{reason}"),
            Packet::Smp { pdu, .. } => pdu.fields(self),
            Packet::Signal { pdu, .. } => self.signal(pdu),
            Packet::L2cap { cid, psm: Some(psm), payload, .. } => {
                say!(self, "channel {cid:#06x}, PSM {psm:#06x}, {} bytes", payload.len());
            }
            Packet::L2cap { cid, payload, .. } => {
                say!(self, "channel {cid:#06x}, {} bytes", payload.len())
            }
            Packet::Fragment { start: true, len, .. } => say!(self, "start, {len} bytes"),
            Packet::Fragment { len, .. } => say!(self, "continuation, {len} bytes"),
            Packet::Sco { len, .. } | Packet::Iso { len, .. } => say!(self, "{len} bytes"),
            Packet::Mgmt { pdu, .. } => self.management(pdu),
            Packet::Note(note) => self.note(note),
            Packet::Air(pdu) => self.on_air(pdu),
            Packet::Opaque { code, len, .. } => say!(self, "{code:#04x}, {len} bytes"),
        }
    }

    fn command(&mut self, command: &hci::Command<'_>) {
        match command {
            hci::Command::Disconnect { connection_handle, reason } => {
                say!(self, "handle {connection_handle}, {reason}")
            }
            hci::Command::LeCreateConnection {
                peer_address,
                peer_address_type,
                supervision_timeout,
                ..
            } => {
                self.peer(*peer_address, *peer_address_type);
                self.timeout(*supervision_timeout);
            }
            hci::Command::LeExtendedCreateConnection {
                peer_address, peer_address_type, ..
            }
            | hci::Command::LeExtendedCreateConnectionV2 {
                peer_address, peer_address_type, ..
            } => {
                self.peer(*peer_address, *peer_address_type);
            }
            hci::Command::Other { code, parameters } => {
                say!(self, "{code:#06x}, {} bytes", parameters.len());
            }
            _ => command.fields(self),
        }
    }

    fn event(&mut self, event: &hci::Event<'_>) {
        if let Some(link) = event.le_connection_complete() {
            say!(
                self,
                "{}, handle {}, {}, ",
                link.status,
                link.handle,
                if link.role == 0 { "central" } else { "peripheral" }
            );
            self.peer(link.peer_address, link.peer_address_type);
            // Text does not always say it, and no link has an interval of zero.
            if link.interval == 0 && link.status == crate::packet::Status::SUCCESS {
                say!(self, "parameters unknown");
                return;
            }
            self.interval(link.interval);
            say!(self, ", latency {}", link.latency);
            return self.timeout(link.timeout);
        }
        match event {
            hci::Event::CommandStatus { status, command_opcode, .. } => {
                self.opcode(*command_opcode);
                say!(self, ", {status}");
            }
            hci::Event::CommandComplete { command_opcode, .. } => {
                self.opcode(*command_opcode);
                if let Some(status) = event.status() {
                    say!(self, ", {status}");
                }
            }
            hci::Event::DisconnectionComplete { status, connection_handle, reason } => {
                if status.0 != 0 {
                    say!(self, "{status}, ");
                }
                say!(self, "handle {connection_handle}, {reason}");
            }
            hci::Event::NumberOfCompletedPackets { handles } => {
                for (at, (handle, count)) in handles.iter().enumerate() {
                    say!(self, "{}handle {handle} {count}", if at == 0 { "" } else { ", " });
                }
            }
            hci::Event::Le { event: hci::LeEvent::Other { code, parameters } } => {
                say!(self, "{code:#04x}, {} bytes", parameters.len());
            }
            hci::Event::Other { code, parameters } => {
                say!(self, "{code:#04x}, {} bytes", parameters.len())
            }
            hci::Event::Le { event: inner } => {
                let mut reports = event.advertising().peekable();
                if reports.peek().is_none() {
                    return inner.fields(self);
                }
                for (at, report) in reports.enumerate() {
                    if at > 0 {
                        self.out.push_str("; ");
                    }
                    self.peer(report.address, report.address_type);
                    say!(self, ", {} dBm", report.rssi);
                    self.name_in(report.data);
                }
            }
            _ => event.fields(self),
        }
    }

    fn attribute(&mut self, pdu: &att::Pdu<'_>) {
        use att::Pdu::*;
        match *pdu {
            ErrorResponse { request_opcode, attribute_handle, error_code } => {
                match att::Pdu::name_of(request_opcode) {
                    Some(name) => self.out.push_str(name),
                    None => say!(self, "request {request_opcode:#04x}"),
                }
                say!(self, " on {attribute_handle}, {error_code}");
            }
            ExchangeMtuRequest { client_rx_mtu: mtu }
            | ExchangeMtuResponse { server_rx_mtu: mtu } => say!(self, "{mtu}"),
            FindInformationRequest { starting_handle, ending_handle } => {
                self.range(starting_handle, ending_handle)
            }
            FindByTypeValueRequest { starting_handle, ending_handle, attribute_type, .. } => {
                self.range(starting_handle, ending_handle);
                self.kind(Uuid::Short(attribute_type));
            }
            ReadByTypeRequest { starting_handle, ending_handle, attribute_type: kind }
            | ReadByGroupTypeRequest {
                starting_handle,
                ending_handle,
                attribute_group_type: kind,
            } => {
                self.range(starting_handle, ending_handle);
                self.kind(kind.uuid);
            }
            FindInformationResponse { list } => {
                for (at, (handle, uuid)) in list.iter().enumerate() {
                    say!(self, "{}{handle}", if at == 0 { "" } else { "; " });
                    self.kind(uuid);
                }
            }
            ReadByTypeResponse { list } => {
                for (at, (handle, value)) in list.iter().enumerate() {
                    say!(self, "{}{handle}, ", if at == 0 { "" } else { "; " });
                    self.value(value);
                }
            }
            ReadByGroupTypeResponse { list } => {
                for (at, (first, last, value)) in list.iter().enumerate() {
                    say!(self, "{}{first} to {last}", if at == 0 { "" } else { "; " });
                    if let Some(uuid) = Uuid::from_bytes(value) {
                        self.kind(uuid);
                    }
                }
            }
            FindByTypeValueResponse { list } => {
                for (at, (first, last)) in list.iter().enumerate() {
                    say!(self, "{}{first} to {last}", if at == 0 { "" } else { "; " });
                }
            }
            ReadRequest { attribute_handle } => say!(self, "{attribute_handle}"),
            ReadBlobRequest { attribute_handle, value_offset } => {
                say!(self, "{attribute_handle} from {value_offset}")
            }
            ReadResponse { attribute_value: value }
            | ReadBlobResponse { part_attribute_value: value }
            | ReadMultipleResponse { values: value } => self.value(value),
            ReadMultipleVariableResponse { values } => {
                for (at, value) in values.iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { "; " });
                    self.value(value);
                }
            }
            WriteRequest { attribute_handle, attribute_value }
            | WriteCommand { attribute_handle, attribute_value }
            | HandleValueNotification { attribute_handle, attribute_value }
            | HandleValueIndication { attribute_handle, attribute_value } => {
                say!(self, "{attribute_handle}, ");
                self.value(attribute_value);
            }
            PrepareWriteRequest { attribute_handle, value_offset, part_attribute_value }
            | PrepareWriteResponse { attribute_handle, value_offset, part_attribute_value } => {
                say!(self, "{attribute_handle} from {value_offset}, ");
                self.value(part_attribute_value);
            }
            ReadMultipleRequest { handles } | ReadMultipleVariableRequest { handles } => {
                for (at, handle) in handles.iter().enumerate() {
                    say!(self, "{}{handle}", if at == 0 { "" } else { ", " });
                }
            }
            Other { code, parameters } => say!(self, "{code:#04x}, {} bytes", parameters.len()),
            _ => pdu.fields(self),
        }
    }

    fn signal(&mut self, pdu: &signal::Pdu<'_>) {
        use signal::Pdu::*;
        match *pdu {
            ConnectionParameterUpdateRequest { interval_min, interval_max, latency, timeout } => {
                say!(
                    self,
                    "{} to {} ms, latency {latency}",
                    Interval(interval_min).ms(),
                    Interval(interval_max).ms()
                );
                self.timeout(timeout);
            }
            // Its status is no HCI status: why the answer has to wait (Core, Vol 3, Part A, 4.3).
            ConnectionResponse { destination_cid, source_cid, result, status } if status != 0 => {
                let why = match status {
                    1 => "authentication pending",
                    2 => "authorization pending",
                    _ => "status unknown",
                };
                say!(
                    self,
                    "destination cid {destination_cid:#06x}, source cid {source_cid:#06x}, result {result}, {why}"
                );
            }
            ConnectionParameterUpdateResponse { result: 0 } => self.out.push_str("accepted"),
            ConnectionParameterUpdateResponse { result: 1 } => self.out.push_str("rejected"),
            Other { code, parameters } => say!(self, "{code:#04x}, {} bytes", parameters.len()),
            _ => pdu.fields(self),
        }
    }

    fn management(&mut self, pdu: &mgmt::Pdu<'_>) {
        use mgmt::Event::*;
        match pdu {
            mgmt::Pdu::Command(mgmt::Command::Other { code, .. }) => say!(self, "{code:#06x}"),
            mgmt::Pdu::Command(command) => command.fields(self),
            mgmt::Pdu::Event(event) => match event {
                CommandComplete { command_opcode, status, .. }
                | CommandStatus { command_opcode, status } => {
                    match mgmt::command_name(*command_opcode) {
                        Some(name) => self.out.push_str(name),
                        None => say!(self, "{command_opcode:#06x}"),
                    }
                    say!(self, ", {status}");
                }
                DeviceDisconnected { address, reason, .. } => {
                    say!(self, "{address}, {}", MgmtReason(*reason))
                }
                ConnectFailed { address, status, .. }
                | AuthenticationFailed { address, status, .. } => {
                    say!(self, "{address}, {status}");
                }
                DeviceConnected { address, eir, .. } => {
                    say!(self, "{address}");
                    self.name_in(eir.0);
                }
                DeviceFound { address, rssi, eir, .. } => {
                    say!(self, "{address}, {rssi} dBm");
                    self.name_in(eir.0);
                }
                Other { code, .. } => say!(self, "{code:#06x}"),
                _ => event.fields(self),
            },
        }
    }

    fn note(&mut self, note: &note::Note<'_>) {
        use note::Note::*;
        match note {
            System { text } | PacketLogger { text, process: None, .. } => {
                self.out.push_str(&safe::text(&redact::text(text)))
            }
            UserLogging { process, text, .. }
            | PacketLogger { process: Some(process), text, .. } => {
                let (process, text) = (redact::text(process), redact::text(text));
                say!(self, "{}: {}", safe::text(&process), safe::text(&text));
            }
            NewIndex { address, name, .. } => {
                say!(self, "{address} {}", safe::text(&redact::text(name)))
            }
            IndexInfo { address, manufacturer } => {
                say!(self, "{address}");
                self.company(*manufacturer);
            }
            ControlOpen { format, process, .. } => {
                self.out.push_str(match format {
                    0 => "raw",
                    1 => "user",
                    2 => "control",
                    0xffff => "logging",
                    _ => "other",
                });
                if !process.is_empty() {
                    say!(self, ", {}", safe::text(&redact::text(process)));
                }
            }
            _ => note.fields(self),
        }
    }

    fn opcode(&mut self, opcode: Opcode) {
        match opcode.name() {
            Some(name) => self.out.push_str(name),
            None => say!(self, "{opcode}"),
        }
    }

    fn peer(&mut self, address: Address, kind: AddressType) {
        say!(self, "{address}");
        match kind.name() {
            Some(name) => say!(self, " ({name})"),
            None => say!(self, " (type {:#04x})", kind.0),
        }
    }

    fn interval(&mut self, interval: u16) {
        say!(self, ", {} ms", Interval(interval).ms());
    }

    fn timeout(&mut self, timeout: u16) {
        say!(self, ", timeout {} ms", Timeout(timeout).ms());
    }

    fn range(&mut self, first: Handle, last: Handle) {
        say!(self, "{first} to {last}");
    }

    fn kind(&mut self, uuid: Uuid) {
        say!(self, ", {uuid}");
        let name = match uuid {
            Uuid::Short(short) => numbers::uuid16(short),
            Uuid::Full(full) => numbers::uuid128(u128::from_be_bytes(full)),
        };
        if let Some(name) = name {
            say!(self, " {name}");
        }
    }

    fn company(&mut self, identifier: u16) {
        match numbers::company(identifier) {
            Some(name) => say!(self, ", {name}"),
            None => say!(self, ", company {identifier:#06x}"),
        }
    }

    fn name_in(&mut self, data: &[u8]) {
        if let Some(name) = ad::name(data) {
            say!(self, ", \"{}\"", safe::bytes(name.bytes));
        }
    }

    fn value(&mut self, value: &[u8]) {
        if self.values && !value.is_empty() {
            push_hex(self.out, &value[..value.len().min(SHOWN)]);
            if value.len() > SHOWN {
                self.out.push('…');
            }
            self.out.push_str(", ");
        }
        self.length(value);
    }

    fn length(&mut self, value: &[u8]) {
        say!(self, "{} byte{}", value.len(), if value.len() == 1 { "" } else { "s" });
    }

    /// Separates parameters; false where the line is long enough.
    fn parameter(&mut self, name: &str) -> bool {
        self.count += 1;
        match self.count {
            1 => {}
            2..=8 => self.out.push_str(", "),
            9 => {
                self.out.push_str(", …");
                return false;
            }
            _ => return false,
        }
        self.out.extend(name.chars().map(|c| if c == '_' { ' ' } else { c }));
        self.out.push(' ');
        true
    }
}

/// Parameters of packets that have no sentence of their own.
impl FieldSink for Words<'_> {
    fn number(&mut self, name: &'static str, value: i64) {
        if !self.parameter(name) {
            return;
        }
        match name {
            "connection_handle" | "attribute_handle" | "psm" | "spsm" | "cid" | "source_cid"
            | "destination_cid" => {
                say!(self, "{value:#06x}");
            }
            "status" => match u8::try_from(value) {
                Ok(status) => say!(self, "{}", crate::packet::Status(status)),
                Err(_) => say!(self, "{value}"),
            },
            _ => say!(self, "{value}"),
        }
    }

    fn text(&mut self, name: &'static str, value: &dyn Display) {
        if self.parameter(name) {
            let text = value.to_string();
            self.out.push_str(&safe::text(&text));
        }
    }

    fn said(&mut self, name: &'static str, text: &str) {
        self.text(name, &redact::text(text));
    }

    fn bytes(&mut self, name: &'static str, value: &[u8]) {
        if self.parameter(name) {
            self.value(value);
        }
    }

    fn advertising(&mut self, name: &'static str, data: &[u8]) {
        if !self.parameter(name) {
            return;
        }
        if self.values && !data.is_empty() {
            let hex = ad::hex(data);
            let end = hex.len().min(2 * SHOWN);
            say!(self, "{}{}, ", &hex[..end], if end < hex.len() { "…" } else { "" });
        }
        self.length(data);
    }

    fn secret(&mut self, name: &'static str, _: usize) {
        if self.parameter(name) {
            self.out.push_str("(not shown)");
        }
    }

    fn begin_list(&mut self, _: &'static str) {}
    fn begin_item(&mut self) {}
    fn end_item(&mut self) {}
    fn end_list(&mut self) {}
}
