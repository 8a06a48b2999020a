//! Attribute protocol (Core, Vol 3, Part F, section 3.4).
use super::codes::codes;
use super::field::{Entry, Field, FieldSink, List, le16, malformed};
use super::pdus::pdus;
use nom::{IResult, Parser, bytes::complete::take, number::complete::le_u8};
use std::fmt;

codes! {
    /// Why a server refused a request (3.4.1.1).
    ErrorCode(u8) {
        0x01 INVALID_HANDLE "Invalid Handle",
        0x02 READ_NOT_PERMITTED "Read Not Permitted",
        0x03 WRITE_NOT_PERMITTED "Write Not Permitted",
        0x04 INVALID_PDU "Invalid PDU",
        0x05 INSUFFICIENT_AUTHENTICATION "Insufficient Authentication",
        0x06 REQUEST_NOT_SUPPORTED "Request Not Supported",
        0x07 INVALID_OFFSET "Invalid Offset",
        0x08 INSUFFICIENT_AUTHORIZATION "Insufficient Authorization",
        0x09 PREPARE_QUEUE_FULL "Prepare Queue Full",
        0x0a ATTRIBUTE_NOT_FOUND "Attribute Not Found",
        0x0b ATTRIBUTE_NOT_LONG "Attribute Not Long",
        0x0c ENCRYPTION_KEY_TOO_SHORT "Encryption Key Size Too Short",
        0x0d INVALID_VALUE_LENGTH "Invalid Attribute Value Length",
        0x0e UNLIKELY_ERROR "Unlikely Error",
        0x0f INSUFFICIENT_ENCRYPTION "Insufficient Encryption",
        0x10 UNSUPPORTED_GROUP_TYPE "Unsupported Group Type",
        0x11 INSUFFICIENT_RESOURCES "Insufficient Resources",
        0x12 DATABASE_OUT_OF_SYNC "Database Out Of Sync",
        0x13 VALUE_NOT_ALLOWED "Value Not Allowed",
        0xfc WRITE_REQUEST_REJECTED "Write Request Rejected",
        0xfd CCCD_IMPROPERLY_CONFIGURED "Client Characteristic Configuration Descriptor Improperly Configured",
        0xfe PROCEDURE_IN_PROGRESS "Procedure Already in Progress",
        0xff OUT_OF_RANGE "Out of Range",
    }
}

/// An attribute handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u16);

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// An attribute type. A 128-bit UUID on the Bluetooth base is its short form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uuid {
    Short(u16),
    /// Most significant byte first, as it prints.
    Full([u8; 16]),
}

/// `0000xxxx-0000-1000-8000-00805f9b34fb`, most significant byte first.
const BASE: [u8; 16] = [0, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb];

impl Uuid {
    /// From 2 or 16 bytes as on the wire.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [low, high] => Some(Self::Short(u16::from_le_bytes([*low, *high]))),
            _ => {
                let mut full: [u8; 16] = bytes.try_into().ok()?;
                full.reverse();
                Some(Self::from_printed(full))
            }
        }
    }

    /// From 16 bytes, most significant first.
    pub fn from_printed(full: [u8; 16]) -> Self {
        let on_base = full[..2] == BASE[..2] && full[4..] == BASE[4..];
        if on_base { Self::Short(u16::from_be_bytes([full[2], full[3]])) } else { Self::Full(full) }
    }

    pub const fn short(self) -> Option<u16> {
        match self {
            Self::Short(short) => Some(short),
            Self::Full(_) => None,
        }
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(short) => write!(f, "{short:04X}"),
            Self::Full(full) => {
                for (i, byte) in full.iter().enumerate() {
                    if matches!(i, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'a> Field<'a> for Handle {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        u16::parse(input).map(|(rest, handle)| (rest, Handle(handle)))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(name, i64::from(self.0));
    }
}

impl<'a> Field<'a> for ErrorCode {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        u8::parse(input).map(|(rest, code)| (rest, ErrorCode(code)))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(name, i64::from(self.0));
    }
}

/// A UUID that ends its packet, in the size that the packet leaves for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LastUuid {
    pub uuid: Uuid,
    long: bool,
}

impl LastUuid {
    /// In its two-byte form.
    pub const fn short(short: u16) -> Self {
        Self { uuid: Uuid::Short(short), long: false }
    }
}

impl fmt::Debug for LastUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}

impl<'a> Field<'a> for LastUuid {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        match Uuid::from_bytes(input) {
            Some(uuid) => Ok((&[], Self { uuid, long: input.len() == 16 })),
            None => malformed(input),
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut full = match self.uuid {
            Uuid::Short(short) if !self.long => return out.extend_from_slice(&short.to_le_bytes()),
            Uuid::Short(short) => {
                let mut full = BASE;
                [full[2], full[3]] = short.to_be_bytes();
                full
            }
            Uuid::Full(full) => full,
        };
        full.reverse();
        out.extend_from_slice(&full);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.text(name, &self.uuid);
    }
}

/// Handles and types: Find Information Response (3.4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Information<'a> {
    format: u8,
    bytes: &'a [u8],
}

impl<'a> Information<'a> {
    fn size(format: u8) -> Option<usize> {
        match format {
            1 => Some(4),
            2 => Some(18),
            _ => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Handle, Uuid)> + use<'a> {
        let size = Self::size(self.format).unwrap_or(4);
        self.bytes
            .chunks_exact(size)
            .filter_map(|entry| Some((Handle(le16(entry, 0)?), Uuid::from_bytes(entry.get(2..)?)?)))
    }
}

impl<'a> Field<'a> for Information<'a> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (bytes, format) = le_u8.parse(input)?;
        match Self::size(format) {
            Some(size) if !bytes.is_empty() && bytes.len() % size == 0 => {
                Ok((&[], Self { format, bytes }))
            }
            _ => malformed(input),
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.format);
        out.extend_from_slice(self.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number("format", i64::from(self.format));
        sink.begin_list(name);
        for (handle, uuid) in self.iter() {
            sink.begin_item();
            sink.number("attribute_handle", i64::from(handle.0));
            sink.text("uuid", &uuid);
            sink.end_item();
        }
        sink.end_list();
    }
}

/// Entries of one length that the packet names: `N` bytes of handles, then a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByLength<'a, const N: usize> {
    length: u8,
    bytes: &'a [u8],
}

impl<'a, const N: usize> ByLength<'a, N> {
    fn entries(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, N> {
        self.bytes.chunks_exact(usize::from(self.length).max(1))
    }
}

impl<'a> ByLength<'a, 2> {
    /// Handle and value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &'a [u8])> + use<'a> {
        self.entries().filter_map(|e| Some((Handle(le16(e, 0)?), e.get(2..)?)))
    }
}

impl<'a> ByLength<'a, 4> {
    /// First handle, last handle, value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, Handle, &'a [u8])> + use<'a> {
        self.entries().filter_map(|e| Some((Handle(le16(e, 0)?), Handle(le16(e, 2)?), e.get(4..)?)))
    }
}

impl<'a, const N: usize> Field<'a> for ByLength<'a, N> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (bytes, length) = le_u8.parse(input)?;
        let size = usize::from(length);
        if size < N || bytes.is_empty() || bytes.len() % size != 0 {
            return malformed(input);
        }
        Ok((&[], Self { length, bytes }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.length);
        out.extend_from_slice(self.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number("length", i64::from(self.length));
        sink.begin_list(name);
        for entry in self.entries() {
            sink.begin_item();
            sink.number("attribute_handle", i64::from(le16(entry, 0).unwrap_or(0)));
            if N == 4 {
                sink.number("end_group_handle", i64::from(le16(entry, 2).unwrap_or(0)));
            }
            sink.bytes("attribute_value", entry.get(N..).unwrap_or(&[]));
            sink.end_item();
        }
        sink.end_list();
    }
}

/// Handle, length, value, repeated (3.4.7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values<'a> {
    bytes: &'a [u8],
}

impl<'a> Values<'a> {
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &'a [u8])> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (entry, after) = value_entry(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

type NamedValue<'a> = (Handle, &'a [u8]);

fn value_entry(bytes: &[u8]) -> Option<(NamedValue<'_>, &[u8])> {
    let handle = Handle(le16(bytes, 0)?);
    let end = 4 + usize::from(le16(bytes, 2)?);
    Some(((handle, bytes.get(4..end)?), bytes.get(end..)?))
}

impl<'a> Field<'a> for Values<'a> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let mut rest = input;
        while !rest.is_empty() {
            match value_entry(rest) {
                Some((_, after)) => rest = after,
                None => return malformed(input),
            }
        }
        Ok((&[], Self { bytes: input }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.begin_list(name);
        for (handle, value) in self.iter() {
            sink.begin_item();
            sink.number("attribute_handle", i64::from(handle.0));
            sink.bytes("attribute_value", value);
            sink.end_item();
        }
        sink.end_list();
    }
}

/// Length and value, repeated (3.4.4.12). What the MTU left no room for, the last value lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths<'a> {
    bytes: &'a [u8],
}

impl<'a> Lengths<'a> {
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let length = usize::from(le16(rest, 0)?);
            let value = rest.get(2..)?;
            let value = value.get(..length).unwrap_or(value);
            rest = rest.get(2 + length..).unwrap_or(&[]);
            Some(value)
        })
    }
}

impl<'a> Field<'a> for Lengths<'a> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        Ok((&[], Self { bytes: input }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.begin_list(name);
        for value in self.iter() {
            sink.begin_item();
            sink.bytes("attribute_value", value);
            sink.end_item();
        }
        sink.end_list();
    }
}

impl Entry for Handle {
    const SIZE: usize = 2;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(le16(bytes, 0)?))
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("attribute_handle", i64::from(self.0));
    }
}

impl Entry for (Handle, Handle) {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some((Handle(le16(bytes, 0)?), Handle(le16(bytes, 2)?)))
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("found_handle", i64::from(self.0.0));
        sink.number("end_group_handle", i64::from(self.1.0));
    }
}

/// A value and the twelve bytes that sign it (3.4.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedValue<'a> {
    pub value: &'a [u8],
    signature: [u8; 12],
}

impl<'a> Field<'a> for SignedValue<'a> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (signature, value) = take(input.len().saturating_sub(12)).parse(input)?;
        let (rest, signature) = <[u8; 12]>::parse(signature)?;
        Ok((rest, Self { value, signature }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.value);
        out.extend_from_slice(&self.signature);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self.value);
        sink.secret("authentication_signature", 12);
    }
}

pdus! {
    /// One attribute-protocol PDU.
    Pdu: u8 {
        0x01 ErrorResponse "Error Response" { request_opcode: u8, attribute_handle: Handle, error_code: ErrorCode } "0a 2100 0f";
        0x02 ExchangeMtuRequest "Exchange MTU Request" { client_rx_mtu: u16 } "0502";
        0x03 ExchangeMtuResponse "Exchange MTU Response" { server_rx_mtu: u16 } "f700";
        0x04 FindInformationRequest "Find Information Request" { starting_handle: Handle, ending_handle: Handle } "0100 ffff";
        0x05 FindInformationResponse "Find Information Response" { list: Information<'a> } "01 0300 0229";
        0x06 FindByTypeValueRequest "Find By Type Value Request" {
            starting_handle: Handle, ending_handle: Handle, attribute_type: u16, attribute_value: &'a [u8]
        } "0100 ffff 0028 0f18";
        0x07 FindByTypeValueResponse "Find By Type Value Response" { list: List<'a, (Handle, Handle), 1> } "0100 0900";
        0x08 ReadByTypeRequest "Read By Type Request" {
            starting_handle: Handle, ending_handle: Handle, attribute_type: LastUuid
        } "0100 ffff 0328";
        0x09 ReadByTypeResponse "Read By Type Response" { list: ByLength<'a, 2> } "07 0200 02 0300 002a";
        0x0a ReadRequest "Read Request" { attribute_handle: Handle } "2100";
        0x0b ReadResponse "Read Response" { attribute_value: &'a [u8] } "64";
        0x0c ReadBlobRequest "Read Blob Request" { attribute_handle: Handle, value_offset: u16 } "2100 1600";
        0x0d ReadBlobResponse "Read Blob Response" { part_attribute_value: &'a [u8] } "6465";
        0x0e ReadMultipleRequest "Read Multiple Request" { handles: List<'a, Handle, 2> } "2100 2300";
        0x0f ReadMultipleResponse "Read Multiple Response" { values: &'a [u8] } "0102";
        0x10 ReadByGroupTypeRequest "Read By Group Type Request" {
            starting_handle: Handle, ending_handle: Handle, attribute_group_type: LastUuid
        } "0100 ffff 0028";
        0x11 ReadByGroupTypeResponse "Read By Group Type Response" { list: ByLength<'a, 4> } "06 0100 0900 0018";
        0x12 WriteRequest "Write Request" { attribute_handle: Handle, attribute_value: &'a [u8] } "2200 0100";
        0x13 WriteResponse "Write Response" {} "";
        0x16 PrepareWriteRequest "Prepare Write Request" {
            attribute_handle: Handle, value_offset: u16, part_attribute_value: &'a [u8]
        } "2200 0000 0102";
        0x17 PrepareWriteResponse "Prepare Write Response" {
            attribute_handle: Handle, value_offset: u16, part_attribute_value: &'a [u8]
        } "2200 0000 0102";
        0x18 ExecuteWriteRequest "Execute Write Request" { flags: u8 } "01";
        0x19 ExecuteWriteResponse "Execute Write Response" {} "";
        0x1b HandleValueNotification "Handle Value Notification" { attribute_handle: Handle, attribute_value: &'a [u8] } "2100 5f";
        0x1d HandleValueIndication "Handle Value Indication" { attribute_handle: Handle, attribute_value: &'a [u8] } "2100 0100ffff";
        0x1e HandleValueConfirmation "Handle Value Confirmation" {} "";
        0x20 ReadMultipleVariableRequest "Read Multiple Variable Request" { handles: List<'a, Handle, 2> } "2100 2300";
        0x21 ReadMultipleVariableResponse "Read Multiple Variable Response" { values: Lengths<'a> } "0100 05 0200 0607";
        0x23 MultipleHandleValueNotification "Multiple Handle Value Notification" { list: Values<'a> } "2100 0100 05 2300 0200 0607";
        0x52 WriteCommand "Write Command" { attribute_handle: Handle, attribute_value: &'a [u8] } "2200 01";
        0xd2 SignedWriteCommand "Signed Write Command" { attribute_handle: Handle, attribute_value: SignedValue<'a> }
            "2200 01 000000001122334455667788";
    }
}

impl Pdu<'_> {
    pub const MTU_REQUEST: u8 = 0x02;
    pub const INDICATION: u8 = 0x1d;

    pub fn opcode(&self) -> u8 {
        self.code()
    }

    /// A request of the client: an even number below 0x40 other than a response's, and answered by one.
    pub fn is_request(&self) -> bool {
        is_request(self.code())
    }

    /// The request that this response answers.
    pub fn answers(&self) -> Option<u8> {
        match self.code() {
            0x1e => Some(Self::INDICATION),
            code @ (0x03 | 0x05 | 0x07 | 0x09 | 0x0b | 0x0d | 0x0f | 0x11 | 0x13 | 0x17 | 0x19
            | 0x21) => Some(code - 1),
            _ => None,
        }
    }

    /// The attribute that the PDU names.
    pub fn attribute_handle(&self) -> Option<Handle> {
        match *self {
            Pdu::ErrorResponse { attribute_handle, .. }
            | Pdu::ReadRequest { attribute_handle }
            | Pdu::ReadBlobRequest { attribute_handle, .. }
            | Pdu::WriteRequest { attribute_handle, .. }
            | Pdu::PrepareWriteRequest { attribute_handle, .. }
            | Pdu::PrepareWriteResponse { attribute_handle, .. }
            | Pdu::HandleValueNotification { attribute_handle, .. }
            | Pdu::HandleValueIndication { attribute_handle, .. }
            | Pdu::WriteCommand { attribute_handle, .. }
            | Pdu::SignedWriteCommand { attribute_handle, .. } => Some(attribute_handle),
            _ => None,
        }
    }
}

/// Whether this opcode is a client's request.
pub const fn is_request(opcode: u8) -> bool {
    matches!(
        opcode,
        0x02 | 0x04 | 0x06 | 0x08 | 0x0a | 0x0c | 0x0e | 0x10 | 0x12 | 0x16 | 0x18 | 0x20
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Problem;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_pdu_decodes_its_example_and_encodes_it_back() {
        check_table!(Pdu);
    }

    #[test]
    fn any_bytes_of_any_pdu_decode() {
        check_properties!(Pdu);
    }

    #[test]
    fn a_full_uuid_on_the_base_is_its_short_form() {
        let mut wire = BASE;
        [wire[2], wire[3]] = [0x2a, 0x19];
        wire.reverse();
        assert_eq!(Uuid::from_bytes(&wire), Some(Uuid::Short(0x2a19)));
        assert_eq!(Uuid::Short(0x2a19).to_string(), "2A19");
    }

    #[test]
    fn a_lying_entry_length_is_malformed_and_keeps_its_code() {
        for bytes in [&[0u8, 1, 2][..], &[1, 1, 2], &[7, 1, 2]] {
            let (pdu, problem) = Pdu::decode(0x09, bytes, false);
            assert_eq!((pdu.code(), problem), (0x09, Some(Problem::Malformed)));
        }
    }
}
