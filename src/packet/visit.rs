//! A walk over every field of a packet, for reading and for writing.
//!
//! Every byte of the parameters belongs to one field, and the walk shows each field once, in wire
//! order. Each field says what it is ([`Kind`]), so that a visitor can tell an address from a key
//! without knowing the packet. The encoder is such a walk too: what the walk left out would be
//! missing on the wire, and the table tests would see it.
use super::{Address, AddressType};

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A number, a code or a flag without a kind of its own.
    Number,
    /// How many bytes or entries follow. Whoever changes it makes the packet unreadable.
    Count,
    /// A bit field: features, masks, a class of device.
    Bits,
    /// Whether something worked: 0 is success.
    Status,
    /// Why a link ended or a request was refused.
    Reason,
    /// The connection handle of the link that the packet is about.
    Link,
    /// A connection handle that stands beside the one of the link.
    OtherLink,
    /// An attribute handle.
    Attribute,
    /// The type of the address beside it, in HCI's numbering.
    AddressType,
    /// The type of the address before it, as Linux management counts: 0 BR/EDR, 1 LE public, 2 LE random.
    MgmtAddressType,
    /// The address of another device.
    Address,
    /// An address of the host that made the capture.
    OwnAddress,
    /// A key, or what a key is made from. A visitor does not get its bytes.
    Secret,
    /// A name that a person gave to a device.
    Name,
    /// A UUID of 2, 4 or 16 bytes, least significant byte first.
    Uuid,
    /// An attribute value, or data of an application.
    Value,
    /// Advertising data. A walk shows its structures in its place, and never this kind.
    Advertising,
    /// Bytes that nobody decoded: they may be anything, keys included. Shown as little as a key.
    Opaque,
}

impl Kind {
    /// Bytes of this kind are given to no visitor.
    pub const fn is_hidden(self) -> bool {
        matches!(self, Self::Secret | Self::Opaque)
    }
}

/// One field, as it is on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part<'v> {
    /// What the specification calls the field, in the words of the tables.
    pub name: &'static str,
    /// What the field is.
    pub kind: Kind,
    wire: &'v [u8],
}

impl<'v> Part<'v> {
    pub(crate) fn new(name: &'static str, kind: Kind, wire: &'v [u8]) -> Self {
        Self { name, kind, wire }
    }

    /// The bytes on the wire: numbers and addresses have their least significant byte first.
    /// `None` where they are, or may be, a key.
    pub fn bytes(&self) -> Option<&'v [u8]> {
        (!self.kind.is_hidden()).then_some(self.wire)
    }

    /// Whether the field's bytes are these; nobody else learns what they are.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        self.wire == bytes
    }

    /// The bytes whatever the field is, keys too: for whoever replaces them and shows none.
    pub(crate) fn raw(&self) -> &'v [u8] {
        self.wire
    }

    /// How many bytes the field has.
    pub fn len(&self) -> usize {
        self.wire.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// The address, if the field is one.
    pub fn address(&self) -> Option<Address> {
        matches!(self.kind, Kind::Address | Kind::OwnAddress)
            .then(|| self.wire.try_into().ok().map(Address))
            .flatten()
    }
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?}): ", self.name, self.kind)?;
        match self.bytes() {
            Some(bytes) => write!(f, "{bytes:02x?}"),
            None => write!(f, "<{} bytes>", self.len()),
        }
    }
}

/// Reads the fields of a packet.
pub trait Visitor {
    /// The next field.
    fn part(&mut self, part: Part<'_>);

    /// The next entry of a list begins.
    fn item(&mut self) {}
}

/// One field that may be changed. Its length stays: lengths and counts elsewhere remain true.
pub struct PartMut<'v> {
    /// What the specification calls the field, in the words of the tables.
    pub name: &'static str,
    /// What the field is.
    pub kind: Kind,
    wire: &'v mut [u8],
}

impl PartMut<'_> {
    /// The bytes on the wire, to be changed. `None` where they are, or may be, a key: see [`Self::fill`].
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        (!self.kind.is_hidden()).then_some(&mut *self.wire)
    }

    /// The bytes whatever the field is, keys too: for whoever replaces them and shows none.
    pub(crate) fn raw_mut(&mut self) -> &mut [u8] {
        self.wire
    }

    /// Every byte of the field becomes this one, whatever the field is.
    pub fn fill(&mut self, byte: u8) {
        self.wire.fill(byte);
    }

    /// Bytes of the field.
    pub fn len(&self) -> usize {
        self.wire.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }
}

/// Changes the fields of a packet.
pub trait VisitorMut {
    /// The next field.
    fn part(&mut self, part: PartMut<'_>);

    /// The next entry of a list begins.
    fn item(&mut self) {}
}

/// Writes every field as it is.
pub(crate) struct Writer<'o>(pub &'o mut Vec<u8>);

impl Visitor for Writer<'_> {
    fn part(&mut self, part: Part<'_>) {
        self.0.extend_from_slice(part.wire);
    }
}

/// Writes every field as a visitor leaves it.
pub(crate) struct Rewriter<'o, V: ?Sized> {
    pub out: &'o mut Vec<u8>,
    pub visitor: &'o mut V,
}

impl<V: VisitorMut + ?Sized> Visitor for Rewriter<'_, V> {
    fn part(&mut self, part: Part<'_>) {
        let from = self.out.len();
        self.out.extend_from_slice(part.wire);
        let wire = self.out.get_mut(from..).unwrap_or_default();
        self.visitor.part(PartMut { name: part.name, kind: part.kind, wire });
    }

    fn item(&mut self) {
        self.visitor.item();
    }
}

/// An address that a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The field's name.
    pub field: &'static str,
    /// The address itself.
    pub address: Address,
    /// What kind of address it is, as far as the packet tells.
    pub of: AddressKind,
    /// The address of the host that made the capture.
    pub own: bool,
    /// The entry of the list that holds it, counted from 1.
    pub item: Option<u32>,
}

/// What kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Of a BR/EDR device, as Linux management says.
    Classic,
    /// Of an LE device.
    Le(AddressType),
    /// No field beside the address says it.
    Untold,
}

impl AddressKind {
    fn of_management(number: u8) -> Self {
        match number {
            0 => Self::Classic,
            1 => Self::Le(AddressType::PUBLIC),
            2 => Self::Le(AddressType::RANDOM),
            _ => Self::Untold,
        }
    }
}

/// Picks the addresses out of a walk. In HCI the type stands before the address, in Linux
/// management behind it. An address of zeros names nobody.
pub(crate) struct Addresses<'s> {
    see: &'s mut dyn FnMut(Named),
    /// The type that the field before this one held.
    kind: Option<AddressType>,
    /// An address that still may get its type.
    open: Option<Named>,
    item: Option<u32>,
}

impl<'s> Addresses<'s> {
    pub fn new(see: &'s mut dyn FnMut(Named)) -> Self {
        Self { see, kind: None, open: None, item: None }
    }

    /// Called when the walk is over.
    pub fn close(&mut self) {
        if let Some(named) = self.open.take().filter(|it| it.address != Address::default()) {
            (self.see)(named);
        }
    }
}

impl Visitor for Addresses<'_> {
    fn part(&mut self, part: Part<'_>) {
        if let (Kind::MgmtAddressType, Some(open), [number]) =
            (part.kind, &mut self.open, part.wire)
        {
            open.of = AddressKind::of_management(*number);
        }
        self.close();
        let before = self.kind.take();
        if let (Kind::AddressType, [number]) = (part.kind, part.wire) {
            self.kind = Some(AddressType(*number));
        }
        self.open = part.address().map(|address| Named {
            field: part.name,
            address,
            of: before.map_or(AddressKind::Untold, AddressKind::Le),
            own: part.kind == Kind::OwnAddress,
            item: self.item,
        });
    }

    fn item(&mut self) {
        self.close();
        self.item = Some(self.item.unwrap_or(0) + 1);
    }
}

/// Shows bytes that nobody decoded.
pub(crate) fn opaque(name: &'static str, bytes: &[u8], visitor: &mut dyn Visitor) {
    if !bytes.is_empty() {
        visitor.part(Part::new(name, Kind::Opaque, bytes));
    }
}
