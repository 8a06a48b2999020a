//! Advertising data: structures of length, type and value, and what they say.
//!
//! The same shape serves advertising reports, scan responses and mgmt's EIR.
use super::att::Uuid;
use super::field::FieldSink;
use super::visit::{Kind, Part, Visitor, opaque};
use std::fmt::Write as _;

/// One AD structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structure<'a> {
    /// The AD type.
    pub kind: u8,
    /// What stands behind the type.
    pub value: &'a [u8],
    /// The length byte promises more than there is: the value is a beginning.
    pub short: bool,
}

/// Iterator over AD structures; a length of zero ends the data.
#[derive(Clone, Debug)]
pub struct Structures<'a> {
    rest: &'a [u8],
}

/// A device's name as it advertises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Should be UTF-8.
    pub bytes: &'a [u8],
    /// Not shortened, neither by the device nor by the packet.
    pub complete: bool,
}

const FLAGS: u8 = 0x01;
const SERVICES_16: [u8; 2] = [0x02, 0x03];
const SERVICES_32: [u8; 2] = [0x04, 0x05];
const SERVICES_128: [u8; 2] = [0x06, 0x07];
const SHORTENED_NAME: u8 = 0x08;
const COMPLETE_NAME: u8 = 0x09;
const TX_POWER: u8 = 0x0a;
const SERVICE_DATA_16: u8 = 0x16;
const APPEARANCE: u8 = 0x19;
const SERVICE_DATA_32: u8 = 0x20;
const SERVICE_DATA_128: u8 = 0x21;
const MANUFACTURER: u8 = 0xff;
const CLASS: u8 = 0x0d;
const SOLICITED_16: u8 = 0x14;
const SOLICITED_128: u8 = 0x15;
const SOLICITED_32: u8 = 0x1f;
const PUBLIC_TARGET: u8 = 0x17;
const RANDOM_TARGET: u8 = 0x18;
const DEVICE_ADDRESS: u8 = 0x1b;
const BROADCAST_NAME: u8 = 0x30;
/// What pairing out of band exchanges, and the key of encrypted data: hashes, randomizers, TK,
/// LE Secure Connections values. (Their types are those of the Assigned Numbers, section 2.3.)
/// And mesh provisioning (PB-ADV), and the Broadcast_Code.
const SECRETS: [u8; 9] = [0x0e, 0x0f, 0x10, 0x1d, 0x1e, 0x22, 0x23, 0x29, 0x2d];

/// The data in hexadecimal; `xx` stands for each byte of a key, and for what nobody can tell.
pub fn hex(data: &[u8]) -> String {
    let mut hex = String::with_capacity(data.len() * 2);
    // Writing to a String cannot fail.
    let mut push = |bytes: &[u8], hidden: bool| {
        for byte in bytes {
            let _ = if hidden { hex.write_str("xx") } else { write!(hex, "{byte:02x}") };
        }
    };
    let mut at = 0;
    for structure in structures(data) {
        let end = at + 2 + structure.value.len();
        push(&data[at..at + 2], false);
        push(structure.value, SECRETS.contains(&structure.kind));
        at = end;
    }
    // Padding, or what stands behind it.
    let rest = &data[at..];
    push(rest, rest.iter().any(|byte| *byte != 0));
    hex
}

/// The structures of advertising data, in order.
pub fn structures(data: &[u8]) -> Structures<'_> {
    Structures { rest: data }
}

/// The complete name if there is one, else the shortened.
pub fn name(data: &[u8]) -> Option<Name<'_>> {
    let names = || structures(data).filter_map(|structure| structure.name());
    names().find(|name| name.complete).or_else(|| names().next())
}

/// Flags: bit 0 limited, bit 1 general discoverable, bit 2 no BR/EDR.
pub fn flags(data: &[u8]) -> Option<u8> {
    structures(data).find(|it| it.kind == FLAGS)?.value.first().copied()
}

/// Service UUIDs of all sizes, as far as they are complete.
pub fn services(data: &[u8]) -> impl Iterator<Item = Uuid> + '_ {
    structures(data).flat_map(|structure| structure.services())
}

/// Company identifier, and the company's own bytes.
pub fn manufacturer(data: &[u8]) -> Option<(u16, &[u8])> {
    structures(data).find_map(|structure| structure.manufacturer())
}

/// What the device is, as the assigned numbers count appearances.
pub fn appearance(data: &[u8]) -> Option<u16> {
    let value = structures(data).find(|it| it.kind == APPEARANCE)?.value;
    value.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

/// Transmit power in dBm.
pub fn tx_power(data: &[u8]) -> Option<i8> {
    structures(data).find(|it| it.kind == TX_POWER)?.value.first().map(|byte| byte.cast_signed())
}

/// Hands what the data says to the sink: flags, name, services, manufacturer, appearance, power.
pub fn show(data: &[u8], sink: &mut dyn FieldSink) {
    if let Some(flags) = flags(data) {
        sink.number("flags", flags.into());
    }
    if let Some(name) = name(data) {
        sink.text(
            if name.complete { "name" } else { "short_name" },
            &String::from_utf8_lossy(name.bytes),
        );
    }
    let mut services = services(data).peekable();
    if services.peek().is_some() {
        sink.begin_list("services");
        for uuid in services {
            sink.begin_item();
            sink.text("uuid", &uuid);
            sink.end_item();
        }
        sink.end_list();
    }
    if let Some((company, _)) = manufacturer(data) {
        sink.number("manufacturer", company.into());
    }
    if let Some(appearance) = appearance(data) {
        sink.number("appearance", appearance.into());
    }
    if let Some(power) = tx_power(data) {
        sink.number("tx_power", power.into());
    }
}

/// Shows every byte of advertising data: lengths, types, and values by what their type says.
pub(crate) fn visit(data: &[u8], visitor: &mut dyn Visitor) {
    let mut shown = 0;
    for structure in structures(data) {
        let length = data.get(shown..=shown).unwrap_or_default();
        visitor.part(Part::new("ad_length", Kind::Count, length));
        visitor.part(Part::new("ad_type", Kind::Number, &[structure.kind]));
        show_value(structure.kind, structure.value, visitor);
        shown += 2 + structure.value.len();
    }
    // What follows the end is padding, or what a sender left there.
    opaque("ad_padding", data.get(shown..).unwrap_or_default(), visitor);
}

/// The value of one structure: company and service stand before bytes of their own.
fn show_value(kind: u8, value: &[u8], visitor: &mut dyn Visitor) {
    let size = match kind {
        0x02 | 0x03 | SOLICITED_16 => 2,
        0x04 | 0x05 | SOLICITED_32 => 4,
        0x06 | 0x07 | SOLICITED_128 => 16,
        PUBLIC_TARGET | RANDOM_TARGET => 6,
        SERVICE_DATA_16 | MANUFACTURER => return head_and_tail(kind, value, 2, visitor),
        SERVICE_DATA_32 => return head_and_tail(kind, value, 4, visitor),
        SERVICE_DATA_128 => return head_and_tail(kind, value, 16, visitor),
        DEVICE_ADDRESS if value.len() == 7 => {
            let (address, random) = value.split_at(6);
            visitor.part(Part::new("device_address", Kind::Address, address));
            return visitor.part(Part::new("device_address_type", Kind::Number, random));
        }
        _ => value.len().max(1),
    };
    for value in value.chunks(size) {
        let (name, kind) = match kind {
            SHORTENED_NAME | COMPLETE_NAME | BROADCAST_NAME => ("name", Kind::Name),
            0x02..=0x07 | SOLICITED_16 | SOLICITED_32 | SOLICITED_128 if value.len() == size => {
                ("uuid", Kind::Uuid)
            }
            FLAGS => ("flags", Kind::Bits),
            TX_POWER => ("tx_power", Kind::Number),
            APPEARANCE => ("appearance", Kind::Number),
            CLASS => ("class_of_device", Kind::Bits),
            PUBLIC_TARGET | RANDOM_TARGET if value.len() == 6 => ("target_address", Kind::Address),
            kind if SECRETS.contains(&kind) => ("secret", Kind::Secret),
            _ => ("value", Kind::Value),
        };
        visitor.part(Part::new(name, kind, value));
    }
}

fn head_and_tail(kind: u8, value: &[u8], size: usize, visitor: &mut dyn Visitor) {
    let (head, tail) = value.split_at(value.len().min(size));
    let (name, of) = match kind {
        MANUFACTURER => ("manufacturer", Kind::Number),
        _ => ("uuid", Kind::Uuid),
    };
    visitor.part(Part::new(name, of, head));
    visitor.part(Part::new("value", Kind::Value, tail));
}

impl<'a> Structure<'a> {
    /// The device's name, where this structure holds one.
    pub fn name(&self) -> Option<Name<'a>> {
        let complete = match self.kind {
            COMPLETE_NAME => !self.short,
            SHORTENED_NAME => false,
            _ => return None,
        };
        // Some firmware pads the name with NULs.
        let end = self.value.iter().position(|&byte| byte == 0).unwrap_or(self.value.len());
        Some(Name { bytes: &self.value[..end], complete })
    }

    /// Service UUIDs that this structure lists.
    pub fn services(&self) -> impl Iterator<Item = Uuid> + use<'a> {
        let size = match self.kind {
            kind if SERVICES_16.contains(&kind) => 2,
            kind if SERVICES_32.contains(&kind) => 4,
            kind if SERVICES_128.contains(&kind) => 16,
            _ => usize::MAX,
        };
        self.value.chunks_exact(size).filter_map(uuid)
    }

    /// Service UUID, and the service's own bytes.
    pub fn service_data(&self) -> Option<(Uuid, &'a [u8])> {
        let size = match self.kind {
            SERVICE_DATA_16 => 2,
            SERVICE_DATA_32 => 4,
            SERVICE_DATA_128 => 16,
            _ => return None,
        };
        let (head, tail) = self.value.split_at_checked(size)?;
        Some((uuid(head)?, tail))
    }

    /// Company identifier, and the company's own bytes.
    pub fn manufacturer(&self) -> Option<(u16, &'a [u8])> {
        let (company, tail) =
            self.value.split_first_chunk().filter(|_| self.kind == MANUFACTURER)?;
        Some((u16::from_le_bytes(*company), tail))
    }
}

impl<'a> Iterator for Structures<'a> {
    type Item = Structure<'a>;

    fn next(&mut self) -> Option<Structure<'a>> {
        let (&length, rest) = self.rest.split_first()?;
        let length = usize::from(length);
        let Some((kind, value)) = rest[..length.min(rest.len())].split_first() else {
            self.rest = &[];
            return None;
        };
        self.rest = rest.get(length..).unwrap_or_default();
        Some(Structure { kind: *kind, value, short: length > rest.len() })
    }
}

fn uuid(bytes: &[u8]) -> Option<Uuid> {
    match *bytes {
        [a, b, 0, 0] => Uuid::from_bytes(&[a, b]),
        [a, b, c, d] => Some(Uuid::from_printed([
            d, c, b, a, 0, 0, 0x10, 0, 0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb,
        ])),
        _ => Uuid::from_bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Flags, one 16-bit service, tx power, company 0x004c, complete name.
    const DATA: &[u8] = b"\x02\x01\x06\x03\x03\x0f\x18\x02\x0a\xf4\x04\xff\x4c\x00\x10\x05\x09Lamp";

    #[test]
    fn what_a_device_says_of_itself() {
        assert_eq!(flags(DATA), Some(6));
        assert_eq!(services(DATA).collect::<Vec<_>>(), [Uuid::Short(0x180f)]);
        assert_eq!(tx_power(DATA), Some(-12));
        assert_eq!(manufacturer(DATA), Some((0x004c, &[0x10][..])));
        assert_eq!(name(DATA), Some(Name { bytes: b"Lamp", complete: true }));
        assert_eq!(appearance(DATA), None);
        assert_eq!(appearance(b"\x03\x19\x40\x00"), Some(0x0040));
    }

    #[test]
    fn a_complete_name_wins_over_a_shortened_one() {
        assert_eq!(name(b"\x03\x08La\x05\x09Lamp").unwrap().bytes, b"Lamp");
        assert_eq!(name(b"\x03\x08La"), Some(Name { bytes: b"La", complete: false }));
        assert_eq!(name(b"\x06\x09La\0\0\0").unwrap().bytes, b"La");
    }

    #[test]
    fn services_have_three_sizes() {
        let mut data = b"\x05\x05\x0f\x18\x00\x00\x11\x07".to_vec();
        let base = 0x0000_180f_0000_1000_8000_0080_5f9b_34fb_u128;
        data.extend(base.to_le_bytes());
        assert_eq!(services(&data).collect::<Vec<_>>(), [Uuid::Short(0x180f), Uuid::Short(0x180f)]);
        // A maker's own bytes are no services, however many there are.
        let mut own = b"\x11\xff".to_vec();
        own.extend(base.to_le_bytes());
        assert_eq!(services(&own).count(), 0);
        let service_data = structures(b"\x04\x16\xaa\xfe\x20").next().unwrap().service_data();
        assert_eq!(service_data, Some((Uuid::Short(0xfeaa), &[0x20][..])));
    }

    #[test]
    fn a_length_that_lies_keeps_what_is_there() {
        let all: Vec<_> = structures(b"\x02\x01\x06\x1f\x09La").collect();
        assert_eq!(all[1], Structure { kind: 9, value: b"La", short: true });
        assert_eq!(name(b"\x1f\x09La"), Some(Name { bytes: b"La", complete: false }));
        assert_eq!(structures(b"\x02\x01\x06\0\x02\x01\x06").count(), 1);
        assert_eq!(structures(b"\x05").count(), 0);
        assert_eq!(services(b"\x04\x03\x0f\x18\x0a").count(), 1);
    }

    #[test]
    fn keys_in_advertising_data_are_not_shown() {
        let mut data = DATA.to_vec();
        data.extend(b"\x05\x22\xde\xad\xbe\xef\x02\x0a\x08");
        let shown = hex(&data);
        assert!(shown.ends_with("0522xxxxxxxx020a08"), "{shown}");
        assert_eq!(hex(DATA).len(), DATA.len() * 2);
        assert!(!hex(DATA).contains('x'));
        // A key that its packet cuts short, and what follows the data's end.
        assert_eq!(hex(b"\x02\x01\x06\x11\x10\xab\xcd"), "0201061110xxxx");
        assert_eq!(hex(b"\x02\x01\x06\x00\x00"), "0201060000");
        assert_eq!(hex(b"\x02\x01\x06\x00\xab"), "020106xxxx");
    }

    proptest! {
        #[test]
        fn any_bytes_are_structures_within_their_bounds(data in prop::collection::vec(any::<u8>(), 0..300)) {
            let taken: usize = structures(&data).map(|it| it.value.len() + 2).sum();
            prop_assert!(taken <= data.len());
            prop_assert_eq!(hex(&data).len(), data.len() * 2);
            let _ = (name(&data), flags(&data), services(&data).count(), manufacturer(&data));
        }
    }
}
