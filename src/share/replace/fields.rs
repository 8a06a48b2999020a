//! The fields of one packet, replaced by what they are.
use super::attributes::{Place, What};
use super::{Clean, Counts, Kept, Mark, Marks};
use crate::packet::visit::{Kind, PartMut, VisitorMut};
use crate::share::table::{FILL, Table};

/// Fields of fewer bytes cannot hold an address.
const LONG: usize = 6;

/// Replaces the fields of one packet. The bytes themselves are written by the walk.
pub struct Fields<'t> {
    pub table: &'t Table,
    pub kept: Kept,
    pub counts: &'t mut Counts,
    pub marks: &'t mut Marks,
    /// Where the packet stands among attributes.
    pub place: &'t Place<'t>,
    /// Some bytes were not decoded.
    pub opaque: bool,
    handle: Option<u16>,
    /// A short UUID that stood before the value.
    uuid: Option<u16>,
}

impl<'t> Fields<'t> {
    pub fn new(
        table: &'t Table,
        kept: Kept,
        counts: &'t mut Counts,
        marks: &'t mut Marks,
        place: &'t Place<'t>,
    ) -> Self {
        Self { table, kept, counts, marks, place, opaque: false, handle: None, uuid: None }
    }

    fn value(&mut self, wire: &mut [u8]) -> Mark {
        if wire.is_empty() {
            return Mark::Replaced;
        }
        match self.place.judge(self.handle, self.uuid, wire) {
            What::Keep => return keep(self.table, wire),
            What::Name if self.table.name_field(wire) => self.counts.names += 1,
            What::Name => return Mark::Long,
            What::Key => {
                self.table.key(wire);
                self.counts.keys += 1;
            }
            What::Head(length) => {
                self.counts.values += 1;
                let length = length.min(wire.len());
                wire[length..].fill(FILL);
                return Mark::Number;
            }
            What::Pattern => {
                wire.fill(FILL);
                self.counts.values += 1;
            }
            What::Wanted if self.kept.values => return keep(self.table, wire),
            What::Identity if self.kept.addresses => return keep(self.table, wire),
            What::Wanted | What::Identity => {
                wire.fill(FILL);
                self.counts.values += 1;
            }
        }
        Mark::Replaced
    }
}

/// Keeps bytes, but for addresses in them.
fn keep(table: &Table, wire: &mut [u8]) -> Mark {
    if wire.len() < LONG {
        return Mark::Number;
    }
    if table.scrub(wire) { Mark::Replaced } else { Mark::Long }
}

impl VisitorMut for Fields<'_> {
    fn part(&mut self, mut part: PartMut<'_>) {
        let (name, kind) = (part.name, part.kind);
        let wire = part.raw_mut();
        let mark = match kind {
            Kind::Address | Kind::OwnAddress => match <[u8; 6]>::try_from(&*wire) {
                Ok(address) => {
                    wire.copy_from_slice(&self.table.address(address));
                    self.counts.addresses += 1;
                    Mark::Replaced
                }
                Err(_) => {
                    wire.fill(0);
                    Mark::Replaced
                }
            },
            // What a management command returned and no table knows: it may be anything.
            Kind::Secret if name == "return_parameters" => {
                self.opaque = true;
                self.table.blank(wire);
                Mark::Replaced
            }
            Kind::Secret => {
                self.counts.keys += 1;
                self.table.key(wire);
                Mark::Replaced
            }
            Kind::Number if name == "encrypted_diversifier" || name == "ediv" => {
                // It names a key, and nothing else.
                let zero = wire.iter().all(|byte| *byte == 0);
                wire.fill(u8::from(!zero));
                Mark::Number
            }
            Kind::Name if self.table.name_field(wire) => {
                self.counts.names += 1;
                Mark::Replaced
            }
            Kind::Name => Mark::Long,
            Kind::Value => self.value(wire),
            Kind::Opaque | Kind::Advertising => {
                self.opaque |= wire.iter().any(|byte| *byte != 0);
                self.table.blank(wire);
                Mark::Replaced
            }
            Kind::Attribute => {
                if name != "end_group_handle" {
                    self.handle = <[u8; 2]>::try_from(&*wire).ok().map(u16::from_le_bytes);
                }
                Mark::Number
            }
            Kind::Uuid => {
                self.uuid = <[u8; 2]>::try_from(&*wire).ok().map(u16::from_le_bytes);
                keep(self.table, wire)
            }
            Kind::Number
            | Kind::Count
            | Kind::Bits
            | Kind::Status
            | Kind::Reason
            | Kind::Link
            | Kind::OtherLink
            | Kind::AddressType
            | Kind::MgmtAddressType => keep(self.table, wire),
        };
        self.marks.push(wire.len(), mark);
    }

    fn item(&mut self) {
        self.handle = None;
    }
}

/// Bytes that nobody decoded.
pub fn blank(table: &Table, counts: &mut Counts, bytes: &[u8], clean: &mut Clean) {
    let mut bytes = bytes.to_vec();
    if bytes.iter().any(|byte| *byte != 0) {
        counts.zeroed += 1;
    }
    table.blank(&mut bytes);
    clean.push(&bytes, Mark::Replaced);
}
