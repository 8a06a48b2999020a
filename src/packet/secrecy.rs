//! Which attributes carry keys, and which tell whose device it is.
use super::att::Uuid;

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
