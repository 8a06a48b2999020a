//! Attribute protocol (Core, Vol 3, Part F, section 3.4).
use super::codes::codes;
use super::field::{Entry, Field, FieldSink, List, integers, le16, malformed, pairs};
use super::pdus::pdus;
use super::visit::{Kind, Part, Visitor, opaque};
use nom::{IResult, Parser, bytes::complete::take};
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
    /// On the Bluetooth base, by its 16 bits.
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

    /// The 16-bit form, if it has one.
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

integers! {
    Handle: u16, Handle, |n: Handle| n.0, Attribute;
    ErrorCode: u8, ErrorCode, |n: ErrorCode| n.0, Reason;
}

/// A UUID that ends its packet, in the size that the packet leaves for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LastUuid {
    /// The UUID.
    pub uuid: Uuid,
    long: bool,
}

impl LastUuid {
    /// In its two-byte form.
    pub const fn short(short: u16) -> Self {
        Self { uuid: Uuid::Short(short), long: false }
    }

    /// In its 16-byte form.
    pub const fn long(uuid: Uuid) -> Self {
        Self { uuid, long: true }
    }
}

impl fmt::Debug for LastUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}

impl Uuid {
    /// The 16 bytes as on the wire.
    fn to_bytes(self) -> [u8; 16] {
        let mut full = match self {
            Uuid::Short(short) => {
                let mut full = BASE;
                [full[2], full[3]] = short.to_be_bytes();
                full
            }
            Uuid::Full(full) => full,
        };
        full.reverse();
        full
    }
}

impl<'a> Field<'a> for LastUuid {
    const KIND: Kind = Kind::Uuid;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        match Uuid::from_bytes(input) {
            Some(uuid) => Ok((&[], Self { uuid, long: input.len() == 16 })),
            None => malformed(input),
        }
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        match self.uuid {
            Uuid::Short(short) if !self.long => {
                visitor.part(Part::new(name, kind, &short.to_le_bytes()));
            }
            uuid => visitor.part(Part::new(name, kind, &uuid.to_bytes())),
        }
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

    /// A list of these attributes, written into `room`: in the short form, where all types have one.
    /// `None` where there is no attribute.
    pub fn new(entries: &[(Handle, Uuid)], room: &'a mut Vec<u8>) -> Option<Self> {
        room.clear();
        let short = entries.iter().all(|(_, uuid)| uuid.short().is_some());
        for (handle, uuid) in entries {
            room.extend_from_slice(&handle.0.to_le_bytes());
            match uuid.short() {
                Some(uuid) if short => room.extend_from_slice(&uuid.to_le_bytes()),
                _ => room.extend_from_slice(&uuid.to_bytes()),
            }
        }
        let format = if short { 1 } else { 2 };
        (!entries.is_empty()).then_some(Self { format, bytes: room })
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, Uuid)> + use<'a> {
        let size = Self::size(self.format).unwrap_or(4);
        self.bytes
            .chunks_exact(size)
            .filter_map(|entry| Some((Handle(le16(entry, 0)?), Uuid::from_bytes(entry.get(2..)?)?)))
    }
}

impl<'a> Field<'a> for Information<'a> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (bytes, format) = u8::parse(input)?;
        match Self::size(format) {
            Some(size) if !bytes.is_empty() && bytes.len() % size == 0 => {
                Ok((&[], Self { format, bytes }))
            }
            _ => malformed(input),
        }
    }
    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        // It says how long the entries are.
        visitor.part(Part::new("format", Kind::Count, &[self.format]));
        for entry in self.bytes.chunks_exact(Self::size(self.format).unwrap_or(4)) {
            visitor.item();
            let (handle, uuid) = entry.split_at(2);
            visitor.part(Part::new("attribute_handle", Kind::Attribute, handle));
            visitor.part(Part::new("uuid", Kind::Uuid, uuid));
        }
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

/// Writes entries of one length into `room`; gives the length.
fn of_one_length<'v>(
    entries: impl Iterator<Item = ([Handle; 2], &'v [u8])>,
    handles: usize,
    room: &mut Vec<u8>,
) -> Option<u8> {
    room.clear();
    let mut length = None;
    for (ends, value) in entries {
        for handle in ends.iter().take(handles) {
            room.extend_from_slice(&handle.0.to_le_bytes());
        }
        room.extend_from_slice(value);
        let own = 2 * handles + value.len();
        if *length.get_or_insert(own) != own {
            return None;
        }
    }
    length.and_then(|length| u8::try_from(length).ok())
}

impl<'a> ByLength<'a, 2> {
    /// A list of these handles and values, written into `room`. `None` where there is none, or where
    /// the values differ in length or are longer than 253 bytes.
    pub fn new(entries: &[(Handle, &[u8])], room: &'a mut Vec<u8>) -> Option<Self> {
        let all = entries.iter().map(|(handle, value)| ([*handle; 2], *value));
        let length = of_one_length(all, 1, room)?;
        Some(Self { length, bytes: room })
    }

    /// Handle and value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &'a [u8])> + use<'a> {
        self.entries().filter_map(|e| Some((Handle(le16(e, 0)?), e.get(2..)?)))
    }
}

impl<'a> ByLength<'a, 4> {
    /// A list of these groups and values, written into `room`. `None` where there is none, or where
    /// the values differ in length or are longer than 251 bytes.
    pub fn new(entries: &[(Handle, Handle, &[u8])], room: &'a mut Vec<u8>) -> Option<Self> {
        let all = entries.iter().map(|(first, last, value)| ([*first, *last], *value));
        let length = of_one_length(all, 2, room)?;
        Some(Self { length, bytes: room })
    }

    /// First handle, last handle, value.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, Handle, &'a [u8])> + use<'a> {
        self.entries().filter_map(|e| Some((Handle(le16(e, 0)?), Handle(le16(e, 2)?), e.get(4..)?)))
    }
}

impl<'a, const N: usize> Field<'a> for ByLength<'a, N> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (bytes, length) = u8::parse(input)?;
        let size = usize::from(length);
        if size < N || bytes.is_empty() || bytes.len() % size != 0 {
            return malformed(input);
        }
        Ok((&[], Self { length, bytes }))
    }
    fn visit(&self, _: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new("length", Kind::Count, &[self.length]));
        for entry in self.entries() {
            visitor.item();
            let (handles, value) = entry.split_at(N.min(entry.len()));
            for (name, handle) in
                ["attribute_handle", "end_group_handle"].iter().zip(handles.chunks(2))
            {
                visitor.part(Part::new(name, Kind::Attribute, handle));
            }
            visitor.part(Part::new("attribute_value", kind, value));
        }
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
    /// A list of these handles and values, written into `room`. `None` where a value is too long.
    pub fn new(entries: &[(Handle, &[u8])], room: &'a mut Vec<u8>) -> Option<Self> {
        room.clear();
        for (handle, value) in entries {
            room.extend_from_slice(&handle.0.to_le_bytes());
            room.extend_from_slice(&u16::try_from(value.len()).ok()?.to_le_bytes());
            room.extend_from_slice(value);
        }
        Some(Self { bytes: room })
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &'a [u8])> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (entry, after) = value_entry(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

/// A value behind its length, which may promise more than there is.
fn length_and_value(length: usize, value: &[u8], kind: Kind, visitor: &mut dyn Visitor) {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    visitor.part(Part::new("length", Kind::Count, &length.to_le_bytes()));
    visitor.part(Part::new("attribute_value", kind, value));
}

type NamedValue<'a> = (Handle, &'a [u8]);

fn value_entry(bytes: &[u8]) -> Option<(NamedValue<'_>, &[u8])> {
    let handle = Handle(le16(bytes, 0)?);
    let end = 4 + usize::from(le16(bytes, 2)?);
    Some(((handle, bytes.get(4..end)?), bytes.get(end..)?))
}

impl<'a> Field<'a> for Values<'a> {
    const KIND: Kind = Kind::Value;

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
    fn visit(&self, _: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        for (handle, value) in self.iter() {
            visitor.item();
            Field::visit(&handle, "attribute_handle", Kind::Attribute, visitor);
            length_and_value(value.len(), value, kind, visitor);
        }
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
    /// A list of these values, written into `room`. `None` where one is too long.
    pub fn new(values: &[&[u8]], room: &'a mut Vec<u8>) -> Option<Self> {
        room.clear();
        for value in values {
            room.extend_from_slice(&u16::try_from(value.len()).ok()?.to_le_bytes());
            room.extend_from_slice(value);
        }
        Some(Self { bytes: room })
    }

    /// The entries, in order.
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
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        Ok((&[], Self { bytes: input }))
    }
    fn visit(&self, _: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        let mut rest = self.bytes;
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_le_bytes(*length));
            let (value, after) = after.split_at(length.min(after.len()));
            visitor.item();
            length_and_value(length, value, kind, visitor);
            rest = after;
        }
        opaque("rest", rest, visitor);
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
    fn visit(&self, visitor: &mut dyn Visitor) {
        Field::visit(self, "attribute_handle", Kind::Attribute, visitor);
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("attribute_handle", i64::from(self.0));
    }
}

pairs! {
    (Handle "found_handle" Attribute, Handle "end_group_handle" Attribute);
}

/// A value and the twelve bytes that sign it (3.4.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedValue<'a> {
    /// The attribute value.
    pub value: &'a [u8],
    signature: [u8; 12],
}

impl<'a> SignedValue<'a> {
    /// A value and the signature behind it.
    pub const fn new(value: &'a [u8], signature: [u8; 12]) -> Self {
        Self { value, signature }
    }
}

impl<'a> Field<'a> for SignedValue<'a> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (signature, value) = take(input.len().saturating_sub(12)).parse(input)?;
        let (rest, signature) = <[u8; 12]>::parse(signature)?;
        Ok((rest, Self { value, signature }))
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new(name, kind, self.value));
        visitor.part(Part::new("authentication_signature", Kind::Secret, &self.signature));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self.value);
        sink.secret("authentication_signature", 12);
    }
}

pdus! {
    /// One attribute-protocol PDU.
    Pdu: u8, "Core, Vol 3, Part F" {
        0x01 ErrorResponse "Error Response" "3.4.1.1" {
            request_opcode: u8, attribute_handle: Handle, error_code: ErrorCode
        } "0a 2100 0f";
        0x02 ExchangeMtuRequest "Exchange MTU Request" "3.4.2.1" { client_rx_mtu: u16 = 0x0017..=0xffff } "0502";
        0x03 ExchangeMtuResponse "Exchange MTU Response" "3.4.2.2" { server_rx_mtu: u16 = 0x0017..=0xffff } "f700";
        0x04 FindInformationRequest "Find Information Request" "3.4.3.1" {
            starting_handle: Handle = 0x0001..=0xffff, ending_handle: Handle = 0x0001..=0xffff
        } "0100 ffff";
        0x05 FindInformationResponse "Find Information Response" "3.4.3.2" { list: Information<'a> } "01 0300 0229";
        0x06 FindByTypeValueRequest "Find By Type Value Request" "3.4.3.3" {
            starting_handle: Handle = 0x0001..=0xffff, ending_handle: Handle = 0x0001..=0xffff, attribute_type: u16 as Uuid,
            attribute_value: &'a [u8]
        } "0100 ffff 0028 0f18";
        0x07 FindByTypeValueResponse "Find By Type Value Response" "3.4.3.4" { list: List<'a, (Handle, Handle), 1> } "0100 0900";
        0x08 ReadByTypeRequest "Read By Type Request" "3.4.4.1" {
            starting_handle: Handle = 0x0001..=0xffff, ending_handle: Handle = 0x0001..=0xffff, attribute_type: LastUuid
        } "0100 ffff 0328";
        0x09 ReadByTypeResponse "Read By Type Response" "3.4.4.2" { list: ByLength<'a, 2> } "07 0200 02 0300 002a";
        0x0a ReadRequest "Read Request" "3.4.4.3" { attribute_handle: Handle = 0x0001..=0xffff } "2100";
        0x0b ReadResponse "Read Response" "3.4.4.4" { attribute_value: &'a [u8] } "64";
        0x0c ReadBlobRequest "Read Blob Request" "3.4.4.5" {
            attribute_handle: Handle = 0x0001..=0xffff, value_offset: u16
        } "2100 1600";
        0x0d ReadBlobResponse "Read Blob Response" "3.4.4.6" { part_attribute_value: &'a [u8] } "6465";
        0x0e ReadMultipleRequest "Read Multiple Request" "3.4.4.7" { handles: List<'a, Handle, 2> } "2100 2300";
        0x0f ReadMultipleResponse "Read Multiple Response" "3.4.4.8" { values: &'a [u8] } "0102";
        0x10 ReadByGroupTypeRequest "Read By Group Type Request" "3.4.4.9" {
            starting_handle: Handle = 0x0001..=0xffff, ending_handle: Handle = 0x0001..=0xffff, attribute_group_type: LastUuid
        } "0100 ffff 0028";
        0x11 ReadByGroupTypeResponse "Read By Group Type Response" "3.4.4.10" { list: ByLength<'a, 4> } "06 0100 0900 0018";
        0x12 WriteRequest "Write Request" "3.4.5.1" {
            attribute_handle: Handle = 0x0001..=0xffff, attribute_value: &'a [u8]
        } "2200 0100";
        0x13 WriteResponse "Write Response" "3.4.5.2" {} "";
        0x16 PrepareWriteRequest "Prepare Write Request" "3.4.6.1" {
            attribute_handle: Handle = 0x0001..=0xffff, value_offset: u16, part_attribute_value: &'a [u8]
        } "2200 0000 0102";
        0x17 PrepareWriteResponse "Prepare Write Response" "3.4.6.2" {
            attribute_handle: Handle, value_offset: u16, part_attribute_value: &'a [u8]
        } "2200 0000 0102";
        0x18 ExecuteWriteRequest "Execute Write Request" "3.4.6.3" { flags: u8 = 0x00..=0x01 } "01";
        0x19 ExecuteWriteResponse "Execute Write Response" "3.4.6.4" {} "";
        0x1b HandleValueNotification "Handle Value Notification" "3.4.7.1" {
            attribute_handle: Handle = 0x0001..=0xffff, attribute_value: &'a [u8]
        } "2100 5f";
        0x1d HandleValueIndication "Handle Value Indication" "3.4.7.2" {
            attribute_handle: Handle = 0x0001..=0xffff, attribute_value: &'a [u8]
        } "2100 0100ffff";
        0x1e HandleValueConfirmation "Handle Value Confirmation" "3.4.7.3" {} "";
        0x20 ReadMultipleVariableRequest "Read Multiple Variable Request" "3.4.4.11" { handles: List<'a, Handle, 2> } "2100 2300";
        0x21 ReadMultipleVariableResponse "Read Multiple Variable Response" "3.4.4.12" { values: Lengths<'a> } "0100 05 0200 0607";
        0x23 MultipleHandleValueNotification "Multiple Handle Value Notification" "3.4.7.4" {
            list: Values<'a>
        } "2100 0100 05 2300 0200 0607";
        0x52 WriteCommand "Write Command" "3.4.5.3" {
            attribute_handle: Handle = 0x0001..=0xffff, attribute_value: &'a [u8]
        } "2200 01";
        0xd2 SignedWriteCommand "Signed Write Command" "3.4.5.4" {
            attribute_handle: Handle = 0x0001..=0xffff, attribute_value: SignedValue<'a>
        } "2200 01 000000001122334455667788";
    }
}

impl Pdu<'_> {
    /// The opcode of Exchange MTU Request.
    pub const MTU_REQUEST: u8 = 0x02;
    /// The opcode of Handle Value Indication.
    pub const INDICATION: u8 = 0x1d;

    /// The number of the PDU.
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

    /// The attribute that the PDU names; a range of them is none.
    pub fn attribute_handle(&self) -> Option<Handle> {
        match *self {
            Pdu::FindInformationRequest { .. }
            | Pdu::FindByTypeValueRequest { .. }
            | Pdu::ReadByTypeRequest { .. }
            | Pdu::ReadByGroupTypeRequest { .. } => None,
            _ => self.first(Kind::Attribute).and_then(|n| u16::try_from(n).ok()).map(Handle),
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
