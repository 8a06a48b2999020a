//! How one field is read, walked over and printed: side by side, once for every layer.
use super::codes::{Address, AddressType, ConnHandle, MgmtStatus, Opcode, Secret, Status};
use super::pdus::OutOfRange;
use super::visit::{Kind, Part, Visitor, Writer, opaque};
use nom::{IResult, Parser, bytes::complete::take, combinator::rest, error::ErrorKind};
use std::convert::identity;
use std::fmt::Display;
use std::marker::PhantomData;

/// Takes the fields of a packet, for printing.
pub trait FieldSink {
    /// A number.
    fn number(&mut self, name: &'static str, value: i64);
    /// A value that has words of its own: an address, a status.
    fn text(&mut self, name: &'static str, value: &dyn Display);
    /// Text from a log or a note. There may be keys in it: it is shown without them.
    fn said(&mut self, name: &'static str, text: &str);
    /// Bytes that may be shown on request; elsewhere their length.
    fn bytes(&mut self, name: &'static str, value: &[u8]);
    /// Advertising data: shown on request, without the keys in it; elsewhere its length.
    fn advertising(&mut self, name: &'static str, data: &[u8]);
    /// Bytes that are never shown.
    fn secret(&mut self, name: &'static str, len: usize);
    /// A list follows, up to `end_list`.
    fn begin_list(&mut self, name: &'static str);
    /// An entry of the list follows, up to `end_item`.
    fn begin_item(&mut self);
    /// The entry is over.
    fn end_item(&mut self);
    /// The list is over.
    fn end_list(&mut self);
}

/// One field of a packet.
pub trait Field<'a>: Sized {
    /// What a field of this type is, where its table does not say it.
    const KIND: Kind;
    /// Bytes on the wire, where that is always the same number.
    const SIZE: usize = 0;

    /// Takes the field from the front of the bytes.
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self>;

    /// Shows all its bytes to the visitor, in wire order. `kind` is what the table says of the field.
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor);

    /// Shows the value under this name.
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink);

    /// The same, where the table says what the field is.
    fn show_as(&self, name: &'static str, _: Kind, sink: &mut dyn FieldSink) {
        self.show(name, sink);
    }

    /// Its value, if it is one number.
    #[inline]
    fn number(&self) -> Option<i64> {
        None
    }

    /// Says which values in it the specification does not allow, whatever packet holds the field:
    /// those of a list's entries, and a connection handle beyond 0x0EFF.
    fn out_of_range(&self, name: &'static str, say: &mut dyn FnMut(OutOfRange)) {
        if let (Kind::Link, Some(value @ 0x0f00..)) = (Self::KIND, self.number()) {
            say(OutOfRange { field: name, value, valid: "0x0000..=0x0eff" });
        }
    }

    /// Appends the bytes of the field.
    fn encode(&self, out: &mut Vec<u8>) {
        self.visit("", Self::KIND, &mut Writer(out));
    }
}

/// Fields that are one number: how to read them, how to put the number into the type and back, what they are.
macro_rules! integers {
    ($($ty:ty: $number:ty, $wrap:expr, $raw:expr, $kind:ident;)*) => {$(
        impl<'a> Field<'a> for $ty {
            const KIND: Kind = Kind::$kind;
            const SIZE: usize = size_of::<$ty>();

            #[inline]
            fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
                let (input, bytes) = $crate::packet::field::fixed(input)?;
                Ok((input, $wrap(<$number>::from_le_bytes(bytes))))
            }
            fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
                visitor.part(Part::new(name, kind, &$raw(*self).to_le_bytes()));
            }
            fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
                sink.number(name, i64::try_from($raw(*self)).unwrap_or(i64::MAX));
            }
            #[inline]
            fn number(&self) -> Option<i64> {
                i64::try_from($raw(*self)).ok()
            }
        }
    )*};
}
pub(super) use integers;

integers! {
    u8: u8, identity, identity, Number;
    i8: i8, identity, identity, Number;
    u16: u16, identity, identity, Number;
    u32: u32, identity, identity, Number;
    u64: u64, identity, identity, Bits;
    ConnHandle: u16, ConnHandle, |n: ConnHandle| n.0, Link;
    Opcode: u16, Opcode, |n: Opcode| n.0, Number;
    Status: u8, Status, |n: Status| n.0, Status;
    MgmtStatus: u8, MgmtStatus, |n: MgmtStatus| n.0, Status;
    AddressType: u8, AddressType, |n: AddressType| n.0, AddressType;
}

/// A three-byte number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct U24(pub u32);

impl<'a> Field<'a> for U24 {
    const KIND: Kind = Kind::Number;
    const SIZE: usize = 3;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, [a, b, c]) = fixed(input)?;
        Ok((input, Self(u32::from_le_bytes([a, b, c, 0]))))
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        let [a, b, c, _] = self.0.to_le_bytes();
        visitor.part(Part::new(name, kind, &[a, b, c]));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(name, i64::from(self.0));
    }
    fn number(&self) -> Option<i64> {
        Some(i64::from(self.0))
    }
}

impl<'a, const N: usize> Field<'a> for [u8; N] {
    const KIND: Kind = Kind::Bits;
    const SIZE: usize = N;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        fixed(input)
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new(name, kind, self));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self);
    }
}

impl<'a, const N: usize> Field<'a> for Secret<N> {
    const KIND: Kind = Kind::Secret;
    const SIZE: usize = N;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, bytes) = <[u8; N]>::parse(input)?;
        Ok((input, Secret::new(bytes)))
    }
    fn visit(&self, name: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new(name, Kind::Secret, self.bytes()));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.secret(name, N);
    }
}

impl<'a> Field<'a> for Address {
    const KIND: Kind = Kind::Address;
    const SIZE: usize = 6;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, bytes) = <[u8; 6]>::parse(input)?;
        Ok((input, Address(bytes)))
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new(name, kind, &self.0));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.text(name, self);
    }
}

/// The rest of the packet.
impl<'a> Field<'a> for &'a [u8] {
    const KIND: Kind = Kind::Value;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        rest.parse(input)
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        bytes(name, kind, self, visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self);
    }
    fn show_as(&self, name: &'static str, kind: Kind, sink: &mut dyn FieldSink) {
        show_bytes(name, kind, self, sink);
    }
}

/// Shows bytes of this kind; advertising data structure by structure.
pub(super) fn bytes(name: &'static str, kind: Kind, bytes: &[u8], visitor: &mut dyn Visitor) {
    match kind {
        Kind::Advertising => super::ad::visit(bytes, visitor),
        Kind::Opaque => opaque(name, bytes, visitor),
        kind => visitor.part(Part::new(name, kind, bytes)),
    }
}

/// Prints bytes of this kind: keys are never shown, and advertising data without the keys in it.
fn show_bytes(name: &'static str, kind: Kind, bytes: &[u8], sink: &mut dyn FieldSink) {
    match kind {
        Kind::Advertising => sink.advertising(name, bytes),
        kind if kind.is_hidden() => sink.secret(name, bytes.len()),
        _ => sink.bytes(name, bytes),
    }
}

/// Bytes that follow their length, which takes one byte or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sized8<'a>(pub &'a [u8]);

impl<'a> Field<'a> for Sized8<'a> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, length) = u8::parse(input)?;
        take(usize::from(length)).map(Self).parse(input)
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        let length = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        visitor.part(Part::new("length", Kind::Count, &[length]));
        bytes(name, kind, self.0.get(..length.into()).unwrap_or(self.0), visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.bytes(name, self.0);
    }
    fn show_as(&self, name: &'static str, kind: Kind, sink: &mut dyn FieldSink) {
        show_bytes(name, kind, self.0, sink);
    }
}

/// What a list holds: entries of one fixed size.
pub trait Entry: Sized {
    /// Bytes of one entry.
    const SIZE: usize;
    /// `bytes` has exactly [`Self::SIZE`] bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// Shows all [`Self::SIZE`] bytes.
    fn visit(&self, visitor: &mut dyn Visitor);
    /// Shows the fields of the entry.
    fn show(&self, sink: &mut dyn FieldSink);
    /// Says which fields hold a value that the specification does not allow.
    fn out_of_range(&self, say: &mut dyn FnMut(OutOfRange)) {
        let _ = say;
    }
}

/// Declares entries of lists, field by field as [`pdus!`](super::pdus::pdus) declares packets.
macro_rules! entries {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty $(as $kind:ident)? $(= $valid:pat)?),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields are named as the specification names them")]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $ty,)*
        }

        impl $crate::packet::field::Entry for $name {
            const SIZE: usize = 0 $(+ <$ty as $crate::packet::field::Field>::SIZE)*;

            fn read(bytes: &[u8]) -> Option<Self> {
                let rest = bytes;
                $(let (rest, $field) = <$ty as $crate::packet::field::Field>::parse(rest).ok()?;)*
                rest.is_empty().then_some(Self { $($field),* })
            }
            fn visit(&self, visitor: &mut dyn $crate::packet::visit::Visitor) {
                use $crate::packet::field::Field;
                $(<$ty as Field>::visit(&self.$field, stringify!($field), $crate::packet::pdus::kind!($ty $(, $kind)?), visitor);)*
            }
            fn show(&self, sink: &mut dyn $crate::packet::field::FieldSink) {
                use $crate::packet::field::Field;
                $(<$ty as Field>::show_as(&self.$field, stringify!($field), $crate::packet::pdus::kind!($ty $(, $kind)?), sink);)*
            }
            fn out_of_range(&self, say: &mut dyn FnMut($crate::packet::pdus::OutOfRange)) {
                let _ = &say;
                $($(if let Some(value) = $crate::packet::field::Field::number(&self.$field) {
                    if !matches!(value, $valid) {
                        say($crate::packet::pdus::OutOfRange {
                            field: stringify!($field),
                            value,
                            valid: stringify!($valid),
                        });
                    }
                })?)*
            }
        }
    )*};
}
pub(super) use entries;

/// Entries up to the packet's end, `MIN` at least; a partial entry makes the packet malformed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct List<'a, T, const MIN: usize = 0> {
    bytes: &'a [u8],
    of: PhantomData<T>,
}

impl<'a, T: Entry, const MIN: usize> List<'a, T, MIN> {
    /// A list of these entries. They are written into `room`, which the list borrows; what was in
    /// it goes. `None` where there are fewer than `MIN`.
    pub fn new(entries: &[T], room: &'a mut Vec<u8>) -> Option<Self> {
        room.clear();
        entries.iter().for_each(|entry| entry.visit(&mut Writer(room)));
        (entries.len() >= MIN).then_some(Self { bytes: room, of: PhantomData })
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T, MIN> {
        self.bytes.chunks_exact(T::SIZE.max(1)).filter_map(T::read)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / T::SIZE.max(1)
    }

    /// Whether there are none.
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

    fn visit_entries(&self, visitor: &mut dyn Visitor) {
        for entry in self.iter() {
            visitor.item();
            entry.visit(visitor);
        }
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
    const KIND: Kind = Kind::Value;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        if !input.len().is_multiple_of(T::SIZE.max(1)) || input.len() < MIN * T::SIZE {
            return malformed(input);
        }
        Ok((&[], List { bytes: input, of: PhantomData }))
    }
    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        self.visit_entries(visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        self.show_entries(name, sink);
    }
    fn out_of_range(&self, _: &'static str, say: &mut dyn FnMut(OutOfRange)) {
        self.iter().for_each(|entry| entry.out_of_range(say));
    }
}

/// A list behind its count, which has `WIDTH` bytes: one in HCI, two in Linux management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a, T, const WIDTH: usize = 1>(List<'a, T>);

impl<'a, T: Entry, const WIDTH: usize> Counted<'a, T, WIDTH> {
    /// A list of these entries: see [`List::new`]. `None` where their number does not fit its count.
    pub fn new(entries: &[T], room: &'a mut Vec<u8>) -> Option<Self> {
        let most = if WIDTH == 1 { usize::from(u8::MAX) } else { usize::from(u16::MAX) };
        let list = List::new(entries, room)?;
        (entries.len() <= most).then_some(Self(list))
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T, WIDTH> {
        self.0.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a, T: Entry, const WIDTH: usize> Field<'a> for Counted<'a, T, WIDTH> {
    const KIND: Kind = Kind::Value;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, count) = if WIDTH == 1 {
            u8::parse(input).map(|(input, count)| (input, usize::from(count)))?
        } else {
            u16::parse(input).map(|(input, count)| (input, usize::from(count)))?
        };
        let (input, bytes) = take(count * T::SIZE).parse(input)?;
        Ok((input, Counted(List { bytes, of: PhantomData })))
    }
    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        let count = u16::try_from(self.0.len()).unwrap_or(u16::MAX).to_le_bytes();
        let count = if WIDTH == 1 { &count[..1] } else { &count[..] };
        visitor.part(Part::new("count", Kind::Count, count));
        self.0.visit_entries(visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        self.0.show_entries(name, sink);
    }
    fn out_of_range(&self, _: &'static str, say: &mut dyn FnMut(OutOfRange)) {
        self.iter().for_each(|entry| entry.out_of_range(say));
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
    mask: u8,
    list: List<'a, T>,
}

impl<'a, T: PerPhy> Phys<'a, T> {
    /// The PHYs of this mask: see [`List::new`]. `None` where the mask has not as many bits.
    pub fn new(mask: u8, entries: &[T], room: &'a mut Vec<u8>) -> Option<Self> {
        let list = List::new(entries, room)?;
        (mask.count_ones() as usize == entries.len()).then_some(Self { mask, list })
    }

    /// Bit 0 is LE 1M, bit 1 LE 2M, bit 2 LE Coded.
    pub fn mask(&self) -> u8 {
        self.mask
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        self.list.iter()
    }
}

impl<'a, T: PerPhy> Field<'a> for Phys<'a, T> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (input, mask) = u8::parse(input)?;
        let (input, bytes) = take(mask.count_ones() as usize * T::SIZE).parse(input)?;
        Ok((input, Self { mask, list: List { bytes, of: PhantomData } }))
    }
    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        // It says how many entries follow.
        visitor.part(Part::new(T::MASK, Kind::Count, &[self.mask]));
        self.list.visit_entries(visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.number(T::MASK, i64::from(self.mask));
        self.list.show_entries(name, sink);
    }
    fn out_of_range(&self, _: &'static str, say: &mut dyn FnMut(OutOfRange)) {
        self.iter().for_each(|entry| entry.out_of_range(say));
    }
}

/// Takes so many bytes. (The readers of numbers of nom go through them one by one.)
#[inline]
pub(super) fn fixed<const N: usize>(input: &[u8]) -> IResult<&[u8], [u8; N]> {
    match input.split_first_chunk() {
        Some((bytes, rest)) => Ok((rest, *bytes)),
        None => Err(nom::Err::Error(nom::error::Error::new(input, ErrorKind::Eof))),
    }
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// Entries of two numbers, which callers take apart at once: tuples.
macro_rules! pairs {
    ($($(#[$meta:meta])* ($first:ident $name:literal $kind:ident, $second:ident $name2:literal $kind2:ident);)*) => {$(
        $(#[$meta])*
        impl $crate::packet::field::Entry for ($first, $second) {
            const SIZE: usize = size_of::<$first>() + size_of::<$second>();

            #[inline]
            fn read(bytes: &[u8]) -> Option<Self> {
                let (rest, first) = <$first as $crate::packet::field::Field>::parse(bytes).ok()?;
                let (_, second) = <$second as $crate::packet::field::Field>::parse(rest).ok()?;
                Some((first, second))
            }
            fn visit(&self, visitor: &mut dyn $crate::packet::visit::Visitor) {
                use $crate::packet::{field::Field, visit::Kind};
                Field::visit(&self.0, $name, Kind::$kind, visitor);
                Field::visit(&self.1, $name2, Kind::$kind2, visitor);
            }
            fn show(&self, sink: &mut dyn $crate::packet::field::FieldSink) {
                use $crate::packet::field::Field;
                Field::show(&self.0, $name, sink);
                Field::show(&self.1, $name2, sink);
            }
        }
    )*};
}
pub(super) use pairs;

pairs! {
    (ConnHandle "connection_handle" Link, u16 "num_completed_packets" Number);
    /// Links of a connected isochronous group (7.8.99): its own handle, and that of the ACL link.
    (ConnHandle "cis_connection_handle" OtherLink, ConnHandle "acl_connection_handle" Link);
}

/// A channel identifier in a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cid(pub u16);

impl Entry for Cid {
    const SIZE: usize = 2;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(le16(bytes, 0)?))
    }
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit("cid", Kind::Number, visitor);
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("cid", i64::from(self.0));
    }
}

#[cfg(test)]
mod tests;
