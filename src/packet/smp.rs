//! Security manager protocol (Core, Vol 3, Part H, section 3).
use super::codes::{Address, Secret, codes};
use super::field::{Field, FieldSink, integers};
use super::pdus::pdus;
use super::visit::{Kind, Part, Visitor};
use nom::IResult;

codes! {
    /// Why pairing failed (3.5.5).
    Reason(u8) {
        0x01 PASSKEY_ENTRY_FAILED "Passkey Entry Failed",
        0x02 OOB_NOT_AVAILABLE "OOB Not Available",
        0x03 AUTHENTICATION_REQUIREMENTS "Authentication Requirements",
        0x04 CONFIRM_VALUE_FAILED "Confirm Value Failed",
        0x05 PAIRING_NOT_SUPPORTED "Pairing Not Supported",
        0x06 ENCRYPTION_KEY_SIZE "Encryption Key Size",
        0x07 COMMAND_NOT_SUPPORTED "Command Not Supported",
        0x08 UNSPECIFIED_REASON "Unspecified Reason",
        0x09 REPEATED_ATTEMPTS "Repeated Attempts",
        0x0a INVALID_PARAMETERS "Invalid Parameters",
        0x0b DHKEY_CHECK_FAILED "DHKey Check Failed",
        0x0c NUMERIC_COMPARISON_FAILED "Numeric Comparison Failed",
        0x0d BREDR_PAIRING_IN_PROGRESS "BR/EDR Pairing in Progress",
        0x0e CROSS_TRANSPORT_NOT_ALLOWED "Cross-Transport Key Derivation Not Allowed",
        0x0f KEY_REJECTED "Key Rejected",
        0x10 BUSY "Busy",
    }
}

integers! {
    Reason: u8, Reason, |n: Reason| n.0, Reason;
}

pdus! {
    /// One security-manager PDU.
    Pdu: u8, "Core, Vol 3, Part H" {
        0x01 PairingRequest "Pairing Request" "3.5.1" {
            io_capability: u8 = 0x00..=0x04, oob_data_flag: u8 = 0x00..=0x01, auth_req: u8,
            maximum_encryption_key_size: u8 = 0x07..=0x10, initiator_key_distribution: u8, responder_key_distribution: u8
        } "03 00 09 10 07 07";
        0x02 PairingResponse "Pairing Response" "3.5.2" {
            io_capability: u8 = 0x00..=0x04, oob_data_flag: u8 = 0x00..=0x01, auth_req: u8,
            maximum_encryption_key_size: u8 = 0x07..=0x10, initiator_key_distribution: u8, responder_key_distribution: u8
        } "03 00 01 10 01 01";
        0x03 PairingConfirm "Pairing Confirm" "3.5.3" { confirm_value: Secret<16> } "000102030405060708090a0b0c0d0e0f";
        0x04 PairingRandom "Pairing Random" "3.5.4" { random_value: Secret<16> } "000102030405060708090a0b0c0d0e0f";
        0x05 PairingFailed "Pairing Failed" "3.5.5" { reason: Reason } "05";
        0x06 EncryptionInformation "Encryption Information" "3.6.2" { long_term_key: Secret<16> } "000102030405060708090a0b0c0d0e0f";
        0x07 CentralIdentification "Central Identification" "3.6.3" { ediv: u16, rand: Secret<8> } "3412 0001020304050607";
        0x08 IdentityInformation "Identity Information" "3.6.4" {
            identity_resolving_key: Secret<16>
        } "000102030405060708090a0b0c0d0e0f";
        0x09 IdentityAddressInformation "Identity Address Information" "3.6.5" {
            addr_type: u8 as AddressType = 0x00..=0x01, bd_addr: Address
        } "01 0102030405c6";
        0x0a SigningInformation "Signing Information" "3.6.6" { signature_key: Secret<16> } "000102030405060708090a0b0c0d0e0f";
        0x0b SecurityRequest "Security Request" "3.6.7" { auth_req: u8 } "0d";
        0x0c PairingPublicKey "Pairing Public Key" "3.5.6" {
            public_key: Secret<64>
        } "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
        0x0d PairingDhKeyCheck "Pairing DHKey Check" "3.5.7" { dhkey_check: Secret<16> } "000102030405060708090a0b0c0d0e0f";
        0x0e KeypressNotification "Keypress Notification" "3.5.8" { notification_type: u8 = 0x00..=0x04 } "01";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn secrets_do_not_print() {
        let (pdu, _) = Pdu::decode(0x06, &[0xab; 16], false);
        assert!(!format!("{pdu:?}").to_lowercase().contains("ab"), "{pdu:?}");
    }
}
