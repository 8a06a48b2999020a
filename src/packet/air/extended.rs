//! The common extended advertising payload (Core, Vol 6, Part B, 2.3.4).
use crate::packet::Address;
use crate::packet::field::{Field, FieldSink};
use crate::packet::visit::{Kind, Part, Visitor, opaque};
use nom::IResult;

/// Mode, extended header and advertising data of a PDU. Which fields the header has, its first byte says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extended<'a> {
    /// The length of the header in six bits, the mode in two.
    mode: u8,
    header: &'a [u8],
    data: &'a [u8],
}

/// A field of the header: its bit, its name, its length.
const FIELDS: [(u8, &str, usize); 7] = [
    (0x01, "adv_a", 6),
    (0x02, "target_a", 6),
    (0x04, "cte_info", 1),
    (0x08, "adi", 2),
    (0x10, "aux_ptr", 3),
    (0x20, "sync_info", 18),
    (0x40, "tx_power", 1),
];

impl<'a> Extended<'a> {
    /// Bit 0: connectable, bit 1: scannable.
    pub fn mode(&self) -> u8 {
        self.mode >> 6
    }

    /// The fields that are there, whole, in their order; and what is left of the header behind them.
    fn parts(&self) -> (Vec<(&'static str, &'a [u8])>, &'a [u8]) {
        let Some((&flags, mut rest)) = self.header.split_first() else { return (Vec::new(), &[]) };
        let mut parts = Vec::new();
        for (bit, name, len) in FIELDS {
            if flags & bit == 0 {
                continue;
            }
            let Some((field, behind)) = rest.split_at_checked(len) else { break };
            parts.push((name, field));
            rest = behind;
        }
        (parts, rest)
    }

    fn field(&self, wanted: &str) -> Option<&'a [u8]> {
        self.parts().0.into_iter().find(|(name, _)| *name == wanted).map(|(_, field)| field)
    }

    /// The advertiser's address, if the header has it.
    pub fn adv_a(&self) -> Option<Address> {
        self.field("adv_a").and_then(|field| field.try_into().ok()).map(Address)
    }

    /// Whom it is for, if the header says it.
    pub fn target_a(&self) -> Option<Address> {
        self.field("target_a").and_then(|field| field.try_into().ok()).map(Address)
    }

    /// The channel on which it goes on.
    pub fn aux_channel(&self) -> Option<u8> {
        self.field("aux_ptr").and_then(<[u8]>::first).map(|byte| byte & 0x3f)
    }

    /// The access address of the periodic advertising that it announces.
    pub fn sync_address(&self) -> Option<u32> {
        let address = self.field("sync_info")?.get(9..13)?;
        Some(u32::from_le_bytes(address.try_into().ok()?))
    }

    /// The advertising data behind the extended header.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }
}

impl std::fmt::Debug for Extended<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extended({} bytes, {} of data)", self.header.len() + 1, self.data.len())
    }
}

impl<'a> Field<'a> for Extended<'a> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let whole = input.split_first().and_then(|(&mode, rest)| {
            rest.split_at_checked(usize::from(mode & 0x3f)).map(|(header, data)| Self {
                mode,
                header,
                data,
            })
        });
        match whole {
            Some(whole) => Ok((&[], whole)),
            None => crate::packet::field::malformed(input),
        }
    }

    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new("mode", Kind::Count, &[self.mode]));
        if let Some(flags) = self.header.get(..1) {
            visitor.part(Part::new("extended_header_flags", Kind::Bits, flags));
        }
        let (parts, rest) = self.parts();
        for (name, field) in parts {
            let kind = if field.len() == 6 { Kind::Address } else { Kind::Number };
            visitor.part(Part::new(name, kind, field));
        }
        opaque("acad", rest, visitor);
        crate::packet::ad::visit(self.data, visitor);
    }

    fn show(&self, _: &'static str, sink: &mut dyn FieldSink) {
        sink.number("adv_mode", i64::from(self.mode()));
        if let Some(address) = self.adv_a() {
            sink.text("adv_a", &address);
        }
        if let Some(address) = self.target_a() {
            sink.text("target_a", &address);
        }
        if let Some([low, high]) = self.field("adi") {
            let adi = u16::from_le_bytes([*low, *high]);
            sink.number("advertising_data_id", i64::from(adi & 0x0fff));
            sink.number("advertising_set_id", i64::from(adi >> 12));
        }
        if let Some(channel) = self.aux_channel() {
            sink.number("aux_channel", i64::from(channel));
        }
        if let Some([power]) = self.field("tx_power") {
            sink.number("tx_power", i64::from(i8::from_le_bytes([*power])));
        }
        if !self.data.is_empty() {
            sink.advertising("adv_data", self.data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Extended<'_>> {
        Extended::parse(bytes).ok().map(|(_, read)| read)
    }

    #[test]
    fn the_header_says_which_fields_it_has() {
        // Connectable; advertiser's address, ADI, auxiliary pointer; then flags as data.
        let bytes =
            [0x4c, 0x19, 1, 2, 3, 4, 5, 0xc6, 0x34, 0x12, 0x05, 0x80, 0x07, 0x02, 0x01, 0x06];
        let read = read(&bytes).unwrap();
        assert_eq!(read.mode(), 1);
        assert_eq!(read.adv_a(), Some(Address([1, 2, 3, 4, 5, 0xc6])));
        assert_eq!(read.aux_channel(), Some(5));
        assert_eq!(read.data(), &[0x02, 0x01, 0x06]);
    }

    #[test]
    fn a_field_that_does_not_fit_the_header_is_not_read() {
        let read = read(&[0x03, 0x01, 1, 2]).unwrap();
        assert_eq!(read.adv_a(), None);
        let mut out = Vec::new();
        read.encode(&mut out);
        assert_eq!(out, [0x03, 0x01, 1, 2], "its bytes are kept");
    }

    #[test]
    fn a_header_longer_than_the_packet_is_malformed() {
        assert!(read(&[0x09, 0x01, 1, 2]).is_none());
        assert!(read(&[]).is_none());
    }
}
