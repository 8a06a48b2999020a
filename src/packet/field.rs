//! How one field is read, written and shown: side by side, once for every layer.
use super::codes::{Address, AddressType, ConnHandle, MgmtStatus, Opcode, Secret, Status};
use nom::{
    IResult, Parser,
    bytes::complete::take,
    combinator::rest,
    error::ErrorKind,
    number::complete::{le_i8, le_u8, le_u16, le_u24, le_u32, le_u64},
};
use std::fmt::Display;
use std::marker::PhantomData;

/// Takes the fields of a packet, for printing.
pub trait FieldSink {
    fn number(&mut self, name: &'static str, value: i64);
    fn text(&mut self, name: &'static str, value: &dyn Display);
    /// Bytes that may be shown on request; elsewhere their length.
    fn bytes(&mut self, name: &'static str, value: &[u8]);
    /// Bytes that are never shown.
    fn secret(&mut self, name: &'static str, len: usize);
    fn begin_list(&mut self, name: &'static str);
    fn begin_item(&mut self);
    fn end_item(&mut self);
    fn end_list(&mut self);
}

/// One field of a packet.
pub trait Field<'a>: Sized {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self>;
    fn encode(&self, out: &mut Vec<u8>);
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink);
}

macro_rules! integers {
    ($($ty:ty: $read:ident, $wrap:expr, $raw:expr;)*) => {$(
        impl<'a> Field<'a> for $ty {
            #[inline]
            fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
                $read.map($wrap).parse(input)
            }
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&$raw(*self).to_le_bytes());
            }
            fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
                sink.number(name, i64::try_from($raw(*self)).unwrap_or(i64::MAX));
            }
        }
    )*};
}

integers! {
    u8: le_u8, |n| n, |n| n;
    i8: le_i8, |n| n, |n| n;
    u16: le_u16, |n| n, |n| n;
    u32: le_u32, |n| n, |n| n;
    u64: le_u64, |n| n, |n| n;
    ConnHandle: le_u16, ConnHandle, |n: ConnHandle| n.0;
    Opcode: le_u16, Opcode, |n: Opcode| n.0;
    Status: le_u8, Status, |n: Status| n.0;
    MgmtStatus: le_u8, MgmtStatus, |n: MgmtStatus| n.0;
    AddressType: le_u8, AddressType, |n: AddressType| n.0;
}

/// A three-byte number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct U24(pub u32);

impl<'a> Field<'a> for U24 {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        le_u24.map(U24).parse(input)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let [a, b, c, _] = self.0.to_le_bytes();
        out.extend_from_slice(&[a, b, c]);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(name, i64::from(self.0));
    }
}

impl<'a, const N: usize> Field<'a> for [u8; N] {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, bytes) = take(N).parse(input)?;
        Ok((input, bytes.try_into().unwrap_or([0; N])))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self);
    }
}

impl<'a, const N: usize> Field<'a> for Secret<N> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, bytes) = <[u8; N]>::parse(input)?;
        Ok((input, Secret::new(bytes)))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes());
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.secret(name, N);
    }
}

impl<'a> Field<'a> for Address {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, bytes) = <[u8; 6]>::parse(input)?;
        Ok((input, Address(bytes)))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.text(name, self);
    }
}

/// The rest of the packet.
impl<'a> Field<'a> for &'a [u8] {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        rest.parse(input)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self);
    }
}

/// What a list holds: entries of one fixed size.
pub trait Entry: Sized {
    const SIZE: usize;
    /// `bytes` has exactly [`Self::SIZE`] bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
    fn show(&self, sink: &mut dyn FieldSink);
}

/// Entries up to the packet's end, `MIN` at least; a partial entry makes the packet malformed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct List<'a, T, const MIN: usize = 0> {
    bytes: &'a [u8],
    of: PhantomData<T>,
}

impl<'a, T: Entry, const MIN: usize> List<'a, T, MIN> {
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T, MIN> {
        self.bytes.chunks_exact(T::SIZE.max(1)).filter_map(T::read)
    }

    pub fn len(&self) -> usize {
        self.bytes.len() / T::SIZE.max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn show_entries(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.begin_list(name);
        for entry in self.iter() {
            sink.begin_item();
            entry.show(sink);
            sink.end_item();
        }
        sink.end_list();
    }
}

impl<T, const MIN: usize> Default for List<'_, T, MIN> {
    /// No entries.
    fn default() -> Self {
        Self { bytes: &[], of: PhantomData }
    }
}

impl<T, const MIN: usize> std::fmt::Debug for List<'_, T, MIN> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "List({} bytes)", self.bytes.len())
    }
}

pub(super) fn malformed<T>(input: &[u8]) -> IResult<&[u8], T> {
    Err(nom::Err::Error(nom::error::Error::new(input, ErrorKind::Verify)))
}

impl<'a, T: Entry, const MIN: usize> Field<'a> for List<'a, T, MIN> {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        if !input.len().is_multiple_of(T::SIZE.max(1)) || input.len() < MIN * T::SIZE {
            return malformed(input);
        }
        Ok((&[], List { bytes: input, of: PhantomData }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        self.show_entries(name, sink);
    }
}

/// A list behind its count, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a, T>(List<'a, T>);

impl<'a, T: Entry> Counted<'a, T> {
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a, T: Entry> Field<'a> for Counted<'a, T> {
    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, count) = le_u8.parse(input)?;
        let (input, bytes) = take(usize::from(count) * T::SIZE).parse(input)?;
        Ok((input, Counted(List { bytes, of: PhantomData })))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.0.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.0.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        self.0.show_entries(name, sink);
    }
}

/// What a command asks of each PHY that its bit mask names (7.8.64, 7.8.66).
pub trait PerPhy: Entry {
    /// The mask's name.
    const MASK: &'static str;
}

/// A bit mask of PHYs, and an entry for each bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phys<'a, T> {
    pub mask: u8,
    list: List<'a, T>,
}

impl<'a, T: PerPhy> Phys<'a, T> {
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        self.list.iter()
    }
}

impl<'a, T: PerPhy> Field<'a> for Phys<'a, T> {
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, mask) = le_u8.parse(input)?;
        let (input, bytes) = take(mask.count_ones() as usize * T::SIZE).parse(input)?;
        Ok((input, Self { mask, list: List { bytes, of: PhantomData } }))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.mask);
        out.extend_from_slice(self.list.bytes);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(T::MASK, i64::from(self.mask));
        self.list.show_entries(name, sink);
    }
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

impl Entry for (ConnHandle, u16) {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some((ConnHandle(le16(bytes, 0)?), le16(bytes, 2)?))
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("connection_handle", i64::from(self.0.0));
        sink.number("num_completed_packets", i64::from(self.1));
    }
}

/// Links of a connected isochronous group (7.8.99): its own handle, and that of the ACL link.
impl Entry for (ConnHandle, ConnHandle) {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some((ConnHandle(le16(bytes, 0)?), ConnHandle(le16(bytes, 2)?)))
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("cis_connection_handle", i64::from(self.0.0));
        sink.number("acl_connection_handle", i64::from(self.1.0));
    }
}

/// A channel identifier in a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cid(pub u16);

impl Entry for Cid {
    const SIZE: usize = 2;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(le16(bytes, 0)?))
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("cid", i64::from(self.0));
    }
}
