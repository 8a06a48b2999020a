//! HCI commands (Core, Vol 4, Part E, section 7): what hosts do on the way to a connection and on it.
use crate::packet::codes::{Address, AddressType, ConnHandle, Opcode, Secret, Status};
use crate::packet::field::{Counted, Entry, FieldSink, PerPhy, Phys, U24, le16};
use crate::packet::pdus::pdus;

/// One PHY of an extended create command (7.8.66).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitiatingPhy {
    pub scan_interval: u16,
    pub scan_window: u16,
    pub connection_interval_min: u16,
    pub connection_interval_max: u16,
    pub max_latency: u16,
    pub supervision_timeout: u16,
    pub min_ce_length: u16,
    pub max_ce_length: u16,
}

impl Entry for InitiatingPhy {
    const SIZE: usize = 16;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            scan_interval: le16(bytes, 0)?,
            scan_window: le16(bytes, 2)?,
            connection_interval_min: le16(bytes, 4)?,
            connection_interval_max: le16(bytes, 6)?,
            max_latency: le16(bytes, 8)?,
            supervision_timeout: le16(bytes, 10)?,
            min_ce_length: le16(bytes, 12)?,
            max_ce_length: le16(bytes, 14)?,
        })
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        for (name, value) in [
            ("scan_interval", self.scan_interval),
            ("scan_window", self.scan_window),
            ("connection_interval_min", self.connection_interval_min),
            ("connection_interval_max", self.connection_interval_max),
            ("max_latency", self.max_latency),
            ("supervision_timeout", self.supervision_timeout),
            ("min_ce_length", self.min_ce_length),
            ("max_ce_length", self.max_ce_length),
        ] {
            sink.number(name, i64::from(value));
        }
    }
}

impl PerPhy for InitiatingPhy {
    const MASK: &'static str = "initiating_phys";
}

/// One PHY of the extended scan parameters (7.8.64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanningPhy {
    pub scan_type: u8,
    pub scan_interval: u16,
    pub scan_window: u16,
}

impl Entry for ScanningPhy {
    const SIZE: usize = 5;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            scan_type: *bytes.first()?,
            scan_interval: le16(bytes, 1)?,
            scan_window: le16(bytes, 3)?,
        })
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("scan_type", i64::from(self.scan_type));
        sink.number("scan_interval", i64::from(self.scan_interval));
        sink.number("scan_window", i64::from(self.scan_window));
    }
}

impl PerPhy for ScanningPhy {
    const MASK: &'static str = "scanning_phys";
}

/// One set of LE Set Extended Advertising Enable (7.8.56).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingSet {
    pub advertising_handle: u8,
    /// In units of 10 ms; 0 has no end.
    pub duration: u16,
    pub max_extended_advertising_events: u8,
}

impl Entry for AdvertisingSet {
    const SIZE: usize = 4;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            advertising_handle: *bytes.first()?,
            duration: le16(bytes, 1)?,
            max_extended_advertising_events: *bytes.get(3)?,
        })
    }
    fn show(&self, sink: &mut dyn FieldSink) {
        sink.number("advertising_handle", i64::from(self.advertising_handle));
        sink.number("duration", i64::from(self.duration));
        sink.number(
            "max_extended_advertising_events",
            i64::from(self.max_extended_advertising_events),
        );
    }
}

pdus! {
    /// One HCI command, after its header of opcode and length.
    Command: u16 {
        0x0405 CreateConnection "Create Connection" {
            bd_addr: Address, packet_type: u16, page_scan_repetition_mode: u8, reserved: u8, clock_offset: u16, allow_role_switch: u8
        } "0102030405c6 18cc 02 00 0000 01";
        0x0406 Disconnect "Disconnect" { connection_handle: ConnHandle, reason: Status } "4000 13";
        0x0408 CreateConnectionCancel "Create Connection Cancel" { bd_addr: Address } "0102030405c6";
        0x0409 AcceptConnectionRequest "Accept Connection Request" { bd_addr: Address, role: u8 } "0102030405c6 01";
        0x040a RejectConnectionRequest "Reject Connection Request" { bd_addr: Address, reason: Status } "0102030405c6 0d";
        0x040b LinkKeyRequestReply "Link Key Request Reply" { bd_addr: Address, link_key: Secret<16> }
            "0102030405c6 000102030405060708090a0b0c0d0e0f";
        0x040c LinkKeyRequestNegativeReply "Link Key Request Negative Reply" { bd_addr: Address } "0102030405c6";
        0x040d PinCodeRequestReply "PIN Code Request Reply" { bd_addr: Address, pin_code_length: u8, pin_code: Secret<16> }
            "0102030405c6 04 30303030000000000000000000000000";
        0x040e PinCodeRequestNegativeReply "PIN Code Request Negative Reply" { bd_addr: Address } "0102030405c6";
        0x0411 AuthenticationRequested "Authentication Requested" { connection_handle: ConnHandle } "4000";
        0x0413 SetConnectionEncryption "Set Connection Encryption" { connection_handle: ConnHandle, encryption_enable: u8 } "4000 01";
        0x0419 RemoteNameRequest "Remote Name Request" {
            bd_addr: Address, page_scan_repetition_mode: u8, reserved: u8, clock_offset: u16
        } "0102030405c6 02 00 0000";
        0x041b ReadRemoteSupportedFeatures "Read Remote Supported Features" { connection_handle: ConnHandle } "4000";
        0x041d ReadRemoteVersionInformation "Read Remote Version Information" { connection_handle: ConnHandle } "4000";
        0x042b IoCapabilityRequestReply "IO Capability Request Reply" {
            bd_addr: Address, io_capability: u8, oob_data_present: u8, authentication_requirements: u8
        } "0102030405c6 03 00 05";
        0x042c UserConfirmationRequestReply "User Confirmation Request Reply" { bd_addr: Address } "0102030405c6";
        0x042d UserConfirmationRequestNegativeReply "User Confirmation Request Negative Reply" { bd_addr: Address } "0102030405c6";
        0x042e UserPasskeyRequestReply "User Passkey Request Reply" { bd_addr: Address, numeric_value: Secret<4> } "0102030405c6 01020304";
        0x042f UserPasskeyRequestNegativeReply "User Passkey Request Negative Reply" { bd_addr: Address } "0102030405c6";
        0x0434 IoCapabilityRequestNegativeReply "IO Capability Request Negative Reply" { bd_addr: Address, reason: Status } "0102030405c6 37";
        0x0c01 SetEventMask "Set Event Mask" { event_mask: u64 } "ffffffffffffff3f";
        0x0c03 Reset "Reset" {} "";
        0x0c13 WriteLocalName "Write Local Name" { local_name: &'a [u8] } "6869";
        0x0c7c WriteAuthenticatedPayloadTimeout "Write Authenticated Payload Timeout" {
            connection_handle: ConnHandle, authenticated_payload_timeout: u16
        } "4000 b80b";
        0x0c7b ReadAuthenticatedPayloadTimeout "Read Authenticated Payload Timeout" { connection_handle: ConnHandle } "4000";
        0x1001 ReadLocalVersionInformation "Read Local Version Information" {} "";
        0x1002 ReadLocalSupportedCommands "Read Local Supported Commands" {} "";
        0x1003 ReadLocalSupportedFeatures "Read Local Supported Features" {} "";
        0x1005 ReadBufferSize "Read Buffer Size" {} "";
        0x1009 ReadBdAddr "Read BD ADDR" {} "";
        0x1408 ReadEncryptionKeySize "Read Encryption Key Size" { connection_handle: ConnHandle } "4000";
        0x1405 ReadRssi "Read RSSI" { handle: ConnHandle } "4000";
        0x2001 LeSetEventMask "LE Set Event Mask" { le_event_mask: u64 } "1f00000000000000";
        0x2002 LeReadBufferSize "LE Read Buffer Size" {} "";
        0x2003 LeReadLocalSupportedFeatures "LE Read Local Supported Features" {} "";
        0x2005 LeSetRandomAddress "LE Set Random Address" { random_address: Address } "0102030405c6";
        0x2006 LeSetAdvertisingParameters "LE Set Advertising Parameters" {
            advertising_interval_min: u16, advertising_interval_max: u16, advertising_type: u8, own_address_type: u8,
            peer_address_type: AddressType, peer_address: Address, advertising_channel_map: u8, advertising_filter_policy: u8
        } "0008 0008 00 00 00 000000000000 07 00";
        0x2007 LeReadAdvertisingPhysicalChannelTxPower "LE Read Advertising Physical Channel Tx Power" {} "";
        0x2008 LeSetAdvertisingData "LE Set Advertising Data" { advertising_data_length: u8, advertising_data: &'a [u8] } "03 020106";
        0x2009 LeSetScanResponseData "LE Set Scan Response Data" { scan_response_data_length: u8, scan_response_data: &'a [u8] } "03 020106";
        0x200a LeSetAdvertisingEnable "LE Set Advertising Enable" { advertising_enable: u8 } "01";
        0x200b LeSetScanParameters "LE Set Scan Parameters" {
            le_scan_type: u8, le_scan_interval: u16, le_scan_window: u16, own_address_type: u8, scanning_filter_policy: u8
        } "01 6000 3000 00 00";
        0x200c LeSetScanEnable "LE Set Scan Enable" { le_scan_enable: u8, filter_duplicates: u8 } "01 00";
        0x200d LeCreateConnection "LE Create Connection" {
            le_scan_interval: u16, le_scan_window: u16, initiator_filter_policy: u8, peer_address_type: AddressType,
            peer_address: Address, own_address_type: u8, connection_interval_min: u16, connection_interval_max: u16,
            max_latency: u16, supervision_timeout: u16, min_ce_length: u16, max_ce_length: u16
        } "6000 3000 00 01 0102030405c6 00 1800 2800 0000 2a00 0000 0000";
        0x200e LeCreateConnectionCancel "LE Create Connection Cancel" {} "";
        0x200f LeReadFilterAcceptListSize "LE Read Filter Accept List Size" {} "";
        0x2010 LeClearFilterAcceptList "LE Clear Filter Accept List" {} "";
        0x2011 LeAddDeviceToFilterAcceptList "LE Add Device To Filter Accept List" { address_type: AddressType, address: Address } "01 0102030405c6";
        0x2012 LeRemoveDeviceFromFilterAcceptList "LE Remove Device From Filter Accept List" {
            address_type: AddressType, address: Address
        } "01 0102030405c6";
        0x2013 LeConnectionUpdate "LE Connection Update" {
            connection_handle: ConnHandle, connection_interval_min: u16, connection_interval_max: u16, max_latency: u16,
            supervision_timeout: u16, min_ce_length: u16, max_ce_length: u16
        } "4000 0600 0600 0000 f401 0000 0000";
        0x2014 LeSetHostChannelClassification "LE Set Host Channel Classification" { channel_map: [u8; 5] } "ffffffff1f";
        0x2015 LeReadChannelMap "LE Read Channel Map" { connection_handle: ConnHandle } "4000";
        0x2016 LeReadRemoteFeatures "LE Read Remote Features" { connection_handle: ConnHandle } "4000";
        0x2017 LeEncrypt "LE Encrypt" { key: Secret<16>, plaintext_data: Secret<16> }
            "000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f";
        0x2018 LeRand "LE Rand" {} "";
        0x2019 LeEnableEncryption "LE Enable Encryption" {
            connection_handle: ConnHandle, random_number: Secret<8>, encrypted_diversifier: u16, long_term_key: Secret<16>
        } "4000 0000000000000000 0000 000102030405060708090a0b0c0d0e0f";
        0x201a LeLongTermKeyRequestReply "LE Long Term Key Request Reply" { connection_handle: ConnHandle, long_term_key: Secret<16> }
            "4000 000102030405060708090a0b0c0d0e0f";
        0x201b LeLongTermKeyRequestNegativeReply "LE Long Term Key Request Negative Reply" { connection_handle: ConnHandle } "4000";
        0x201c LeReadSupportedStates "LE Read Supported States" {} "";
        0x2020 LeRemoteConnectionParameterRequestReply "LE Remote Connection Parameter Request Reply" {
            connection_handle: ConnHandle, interval_min: u16, interval_max: u16, max_latency: u16, timeout: u16,
            min_ce_length: u16, max_ce_length: u16
        } "4000 0600 0c00 0000 c800 0000 0000";
        0x2021 LeRemoteConnectionParameterRequestNegativeReply "LE Remote Connection Parameter Request Negative Reply" {
            connection_handle: ConnHandle, reason: Status
        } "4000 3b";
        0x2022 LeSetDataLength "LE Set Data Length" { connection_handle: ConnHandle, tx_octets: u16, tx_time: u16 } "4000 fb00 4808";
        0x2023 LeReadSuggestedDefaultDataLength "LE Read Suggested Default Data Length" {} "";
        0x2024 LeWriteSuggestedDefaultDataLength "LE Write Suggested Default Data Length" {
            suggested_max_tx_octets: u16, suggested_max_tx_time: u16
        } "fb00 4808";
        0x2027 LeAddDeviceToResolvingList "LE Add Device To Resolving List" {
            peer_identity_address_type: AddressType, peer_identity_address: Address, peer_irk: Secret<16>, local_irk: Secret<16>
        } "01 0102030405c6 000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f";
        0x2028 LeRemoveDeviceFromResolvingList "LE Remove Device From Resolving List" {
            peer_identity_address_type: AddressType, peer_identity_address: Address
        } "01 0102030405c6";
        0x2029 LeClearResolvingList "LE Clear Resolving List" {} "";
        0x202a LeReadResolvingListSize "LE Read Resolving List Size" {} "";
        0x202d LeSetAddressResolutionEnable "LE Set Address Resolution Enable" { address_resolution_enable: u8 } "01";
        0x202e LeSetResolvablePrivateAddressTimeout "LE Set Resolvable Private Address Timeout" { rpa_timeout: u16 } "8403";
        0x202f LeReadMaximumDataLength "LE Read Maximum Data Length" {} "";
        0x2030 LeReadPhy "LE Read PHY" { connection_handle: ConnHandle } "4000";
        0x2031 LeSetDefaultPhy "LE Set Default PHY" { all_phys: u8, tx_phys: u8, rx_phys: u8 } "00 01 01";
        0x2032 LeSetPhy "LE Set PHY" { connection_handle: ConnHandle, all_phys: u8, tx_phys: u8, rx_phys: u8, phy_options: u16 } "4000 00 02 02 0000";
        0x2035 LeSetAdvertisingSetRandomAddress "LE Set Advertising Set Random Address" {
            advertising_handle: u8, random_address: Address
        } "01 0102030405c6";
        0x2036 LeSetExtendedAdvertisingParameters "LE Set Extended Advertising Parameters" {
            advertising_handle: u8, advertising_event_properties: u16, primary_advertising_interval_min: U24,
            primary_advertising_interval_max: U24, primary_advertising_channel_map: u8, own_address_type: u8,
            peer_address_type: AddressType, peer_address: Address, advertising_filter_policy: u8, advertising_tx_power: i8,
            primary_advertising_phy: u8, secondary_advertising_max_skip: u8, secondary_advertising_phy: u8,
            advertising_sid: u8, scan_request_notification_enable: u8
        } "01 1300 200000 400000 07 01 00 000000000000 00 7f 01 00 01 00 00";
        0x2037 LeSetExtendedAdvertisingData "LE Set Extended Advertising Data" {
            advertising_handle: u8, operation: u8, fragment_preference: u8, advertising_data_length: u8, advertising_data: &'a [u8]
        } "01 03 01 03 020106";
        0x2038 LeSetExtendedScanResponseData "LE Set Extended Scan Response Data" {
            advertising_handle: u8, operation: u8, fragment_preference: u8, scan_response_data_length: u8, scan_response_data: &'a [u8]
        } "01 03 01 03 020106";
        0x2039 LeSetExtendedAdvertisingEnable "LE Set Extended Advertising Enable" { enable: u8, sets: Counted<'a, AdvertisingSet> } "01 01 01000000";
        0x2041 LeSetExtendedScanParameters "LE Set Extended Scan Parameters" {
            own_address_type: u8, scanning_filter_policy: u8, phys: Phys<'a, ScanningPhy>
        } "00 00 01 01 6000 3000";
        0x2042 LeSetExtendedScanEnable "LE Set Extended Scan Enable" { enable: u8, filter_duplicates: u8, duration: u16, period: u16 } "01 00 0000 0000";
        0x2043 LeExtendedCreateConnection "LE Extended Create Connection" {
            initiator_filter_policy: u8, own_address_type: u8, peer_address_type: AddressType, peer_address: Address,
            phys: Phys<'a, InitiatingPhy>
        } "00 00 01 0102030405c6 01 6000 6000 1800 2800 0000 2a00 0000 0000";
        0x204e LeSetPrivacyMode "LE Set Privacy Mode" {
            peer_identity_address_type: AddressType, peer_identity_address: Address, privacy_mode: u8
        } "01 0102030405c6 01";
        0x2060 LeReadBufferSizeV2 "LE Read Buffer Size [v2]" {} "";
        0x2064 LeCreateCis "LE Create CIS" { cis: Counted<'a, (ConnHandle, ConnHandle)> } "01 6000 4000";
        0x2065 LeRemoveCig "LE Remove CIG" { cig_id: u8 } "01";
        0x2066 LeAcceptCisRequest "LE Accept CIS Request" { connection_handle: ConnHandle } "6000";
        0x2067 LeRejectCisRequest "LE Reject CIS Request" { connection_handle: ConnHandle, reason: Status } "6000 0d";
        0x206d LeRequestPeerSca "LE Request Peer SCA" { connection_handle: ConnHandle } "4000";
        0x207d LeSetDefaultSubrate "LE Set Default Subrate" {
            subrate_min: u16, subrate_max: u16, max_latency: u16, continuation_number: u16, supervision_timeout: u16
        } "0100 0100 0000 0000 c800";
        0x207e LeSubrateRequest "LE Subrate Request" {
            connection_handle: ConnHandle, subrate_min: u16, subrate_max: u16, max_latency: u16, continuation_number: u16,
            supervision_timeout: u16
        } "4000 0100 0100 0000 0000 c800";
        0x2085 LeExtendedCreateConnectionV2 "LE Extended Create Connection [v2]" {
            advertising_handle: u8, subevent: u8, initiator_filter_policy: u8, own_address_type: u8,
            peer_address_type: AddressType, peer_address: Address, phys: Phys<'a, InitiatingPhy>
        } "ff ff 01 01 00 000000000000 01 3000 3000 0800 1800 0000 4800 0200 0c00";
        0x2088 LeReadAllRemoteFeatures "LE Read All Remote Features" { connection_handle: ConnHandle, pages_requested: u8 } "4000 01";
    }
}

impl Command<'_> {
    pub fn opcode(&self) -> Opcode {
        Opcode(self.code())
    }

    /// The link that a declared command is about.
    pub(super) fn declared_handle(&self) -> Option<ConnHandle> {
        match *self {
            Command::Disconnect { connection_handle, .. }
            | Command::AuthenticationRequested { connection_handle }
            | Command::SetConnectionEncryption { connection_handle, .. }
            | Command::ReadRemoteSupportedFeatures { connection_handle }
            | Command::ReadRemoteVersionInformation { connection_handle }
            | Command::WriteAuthenticatedPayloadTimeout { connection_handle, .. }
            | Command::ReadAuthenticatedPayloadTimeout { connection_handle }
            | Command::ReadRssi { handle: connection_handle }
            | Command::ReadEncryptionKeySize { connection_handle }
            | Command::LeConnectionUpdate { connection_handle, .. }
            | Command::LeReadChannelMap { connection_handle }
            | Command::LeReadRemoteFeatures { connection_handle }
            | Command::LeEnableEncryption { connection_handle, .. }
            | Command::LeLongTermKeyRequestReply { connection_handle, .. }
            | Command::LeLongTermKeyRequestNegativeReply { connection_handle }
            | Command::LeRemoteConnectionParameterRequestReply { connection_handle, .. }
            | Command::LeRemoteConnectionParameterRequestNegativeReply {
                connection_handle, ..
            }
            | Command::LeSetDataLength { connection_handle, .. }
            | Command::LeReadPhy { connection_handle }
            | Command::LeSetPhy { connection_handle, .. }
            | Command::LeAcceptCisRequest { connection_handle }
            | Command::LeRejectCisRequest { connection_handle, .. }
            | Command::LeRequestPeerSca { connection_handle }
            | Command::LeSubrateRequest { connection_handle, .. }
            | Command::LeReadAllRemoteFeatures { connection_handle, .. } => Some(connection_handle),
            _ => None,
        }
    }
}

impl Opcode {
    /// The specification's name, if this number has one.
    pub fn name(self) -> Option<&'static str> {
        Command::name_of(self.0).or_else(|| super::names::command(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_command_decodes_its_example_and_encodes_it_back() {
        check_table!(Command);
    }

    #[test]
    fn any_bytes_of_any_command_decode() {
        check_properties!(Command);
    }

    /// Whole or short, decoded or not: a key is neither printed nor handed out.
    #[test]
    fn keys_do_not_print() {
        let keys = [0x040b, 0x040d, 0x042e, 0x2017, 0x2019, 0x201a, 0x2027, 0x0c11, 0x0430];
        for (code, length) in keys.into_iter().flat_map(|code| (0..64).map(move |n| (code, n))) {
            let bytes = vec![0x5a; length];
            let (command, _) = Command::decode(code, &bytes, false);
            let printed = format!("{command:?}").replace("5A:5A:5A:5A:5A:5A", "");
            // As hexadecimal, as a list of numbers, as text; PIN lengths and handles are no keys.
            for trace in ["5a, 5a", "90, 90", "ZZ", "5a5a"] {
                assert!(!printed.contains(trace), "{printed}");
            }
        }
    }
}
