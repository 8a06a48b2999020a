//! Which attributes carry keys, and which tell whose device it is; and the bytes of a packet without its keys.
use super::att::Uuid;
use super::visit::{Kind, Part, Visitor};
use super::{Event, Packet};

/// Characteristics whose values are keys, or messages that hold keys or passkeys.
const KEYS: &[u16] = &[
    0x2a9f, // User Control Point: consent codes
    0x2adb, // Mesh Provisioning Data In
    0x2adc, // Mesh Provisioning Data Out
    0x2b84, // Set Identity Resolving Key
    0x2b88, // Encrypted Data Key Material
    0x2bc7, // Broadcast Audio Scan Control Point: Broadcast Codes
    0x2bc8, // Broadcast Receive State: a Broadcast Code that was wrong
    0x2bf7, // AP Sync Key Material
    0x2bf8, // ESL Response Key Material
];

/// The same among the UUIDs that companies chose.
const COMPANY_KEYS: &[u128] = &[
    // Fast Pair: pairing, passkey, account key.
    0xfe2c1234_8366_4814_8eb0_01de32100bea,
    0xfe2c1235_8366_4814_8eb0_01de32100bea,
    0xfe2c1236_8366_4814_8eb0_01de32100bea,
    // HomeKit: pair setup, pair verify, pairings.
    0x0000004c_0000_1000_8000_0026bb765291,
    0x0000004e_0000_1000_8000_0026bb765291,
    0x00000050_0000_1000_8000_0026bb765291,
];

/// Characteristics that say who or where somebody is.
const IDENTITIES: &[u16] = &[
    0x2a00, // Device Name
    0x2a03, // Reconnection Address
    0x2a23, // System ID
    0x2a25, // Serial Number String
    0x2a67, // Location and Speed
    0x2a85, // Date of Birth
    0x2a87, // Email Address
    0x2a8a, // First Name
    0x2a90, // Last Name
    0x2aae, // Latitude
    0x2aaf, // Longitude
    0x2ab5, // Location Name
    0x2b48, // Middle Name
    0x2bc2, // Call Friendly Name
    0x2bff, // UDI for Medical Devices
];

/// Whether values of this type are keys or may hold keys: no output shows them.
pub fn carries_key(uuid: Uuid) -> bool {
    match uuid {
        Uuid::Short(short) => KEYS.contains(&short),
        Uuid::Full(full) => COMPANY_KEYS.contains(&u128::from_be_bytes(full)),
    }
}

/// Whether values of this type tell whose device it is: where aliases stand, they are left out.
pub fn tells_identity(uuid: Uuid) -> bool {
    matches!(uuid, Uuid::Short(short) if IDENTITIES.contains(&short))
}

/// A run of a record's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The field's name; `header` for what stands before the fields.
    pub name: &'static str,
    /// What the field is.
    pub kind: Kind,
    /// Where it begins in the record.
    pub at: usize,
    /// How many bytes it has.
    pub len: usize,
    /// `None` where they are, or may be, a key.
    pub bytes: Option<Vec<u8>>,
}

/// A record's bytes, field by field, without keys. `None` where it is not sure which bytes are keys: of hidden
/// packets, of fragments, of notes, and where the record holds more or less than the packet's fields.
pub fn pieces(event: &Event<'_>, record: &[u8]) -> Option<Vec<Piece>> {
    // A frame on the air has other headers before its fields, and a check sequence behind them.
    if event.air.is_some() {
        return None;
    }
    // What stands before the fields; no part of it is a key.
    let header = match &event.packet {
        Packet::Command(_) => 3,
        Packet::Event(_) => 2,
        // ACL, L2CAP, and the protocol's own.
        Packet::Att { .. } | Packet::Smp { .. } => 4 + 4 + 1,
        Packet::Signal { .. } => 4 + 4 + 4,
        Packet::Mgmt { .. } => 4 + 2,
        Packet::L2cap { .. } => 4 + 4,
        Packet::Fragment { .. }
        | Packet::Sco { .. }
        | Packet::Iso { .. }
        | Packet::Note(_)
        | Packet::Air(_)
        | Packet::Opaque { .. } => return None,
    };
    let (head, rest) = record.split_at_checked(header)?;
    if event.hidden {
        return None;
    }
    let first = Piece {
        name: "header",
        kind: Kind::Number,
        at: 0,
        len: header,
        bytes: Some(head.to_vec()),
    };
    let mut walk = Walk { pieces: vec![first], rest, at: header, fits: true };
    event.packet.visit(&mut walk);
    // A frame of several fragments, a channel's segment, a tail behind the fields: the bytes are somewhere else.
    (walk.fits && walk.rest.is_empty()).then_some(walk.pieces)
}

/// Follows the fields through a record.
struct Walk<'r> {
    pieces: Vec<Piece>,
    rest: &'r [u8],
    at: usize,
    fits: bool,
}

impl Visitor for Walk<'_> {
    fn part(&mut self, part: Part<'_>) {
        match self.rest.split_at_checked(part.len()) {
            Some((here, rest)) if part.is(here) => {
                let bytes = part.bytes().map(<[u8]>::to_vec);
                let (name, kind, len) = (part.name, part.kind, part.len());
                self.pieces.push(Piece { name, kind, at: self.at, len, bytes });
                self.at += len;
                self.rest = rest;
            }
            _ => self.fits = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers;

    #[test]
    fn the_numbers_are_the_ones_that_the_names_say() {
        for (number, name) in [
            (0x2a9f, "User Control Point"),
            (0x2adb, "Mesh Provisioning Data In"),
            (0x2b84, "Set Identity Resolving Key"),
            (0x2bc7, "Broadcast Audio Scan Control Point"),
            (0x2bc8, "Broadcast Receive State"),
            (0x2bf7, "AP Sync Key Material"),
            (0x2bf8, "ESL Response Key Material"),
        ] {
            assert_eq!(numbers::uuid16(number), Some(name));
            assert!(carries_key(Uuid::Short(number)) && !tells_identity(Uuid::Short(number)));
        }
        for number in IDENTITIES {
            assert!(numbers::uuid16(*number).is_some(), "{number:#06x}");
            assert!(tells_identity(Uuid::Short(*number)) && !carries_key(Uuid::Short(*number)));
        }
        let fast_pair = 0xfe2c1236_8366_4814_8eb0_01de32100bea_u128;
        assert_eq!(numbers::uuid128(fast_pair), Some("Fast Pair Account Key"));
        assert!(carries_key(Uuid::Full(fast_pair.to_be_bytes())));
        assert!(!carries_key(Uuid::Short(0x2a19)) && !tells_identity(Uuid::Short(0x2a19)));
    }
}
