//! HCI commands (Core, Vol 4, Part E, section 7): what hosts do on the way to a connection and on it.
use crate::packet::codes::{Address, AddressType, ConnHandle, Opcode, Secret, Status};
use crate::packet::field::{Counted, PerPhy, Phys, U24, entries};
use crate::packet::pdus::pdus;

entries! {
    /// One PHY of an extended create command (7.8.66).
    InitiatingPhy {
        scan_interval: u16 = 0x0004..=0xffff,
        scan_window: u16 = 0x0004..=0xffff,
        connection_interval_min: u16 = 0x0006..=0x0c80,
        connection_interval_max: u16 = 0x0006..=0x0c80,
        max_latency: u16 = 0x0000..=0x01f3,
        supervision_timeout: u16 = 0x000a..=0x0c80,
        min_ce_length: u16,
        max_ce_length: u16,
    }

    /// One PHY of the extended scan parameters (7.8.64).
    ScanningPhy {
        scan_type: u8 = 0x00..=0x01,
        scan_interval: u16 = 0x0004..=0xffff,
        scan_window: u16 = 0x0004..=0xffff,
    }

    /// One set of LE Set Extended Advertising Enable (7.8.56).
    AdvertisingSet {
        advertising_handle: u8 = 0x00..=0xef,
        /// In units of 10 ms; 0 has no end.
        duration: u16,
        max_extended_advertising_events: u8,
    }
}

entries! {
    /// A key that the controller keeps (7.3.9, 7.7.21).
    StoredLinkKey {
        bd_addr: Address,
        link_key: Secret<16>,
    }
}

impl PerPhy for InitiatingPhy {
    const MASK: &'static str = "initiating_phys";
}

impl PerPhy for ScanningPhy {
    const MASK: &'static str = "scanning_phys";
}

pdus! {
    /// One HCI command, after its header of opcode and length.
    Command: u16, "Core, Vol 4, Part E" {
        0x0405 CreateConnection "Create Connection" "7.1.5" {
            bd_addr: Address, packet_type: u16, page_scan_repetition_mode: u8 = 0x00..=0x02, reserved: u8, clock_offset: u16,
            allow_role_switch: u8 = 0x00..=0x01
        } "0102030405c6 18cc 02 00 0000 01";
        0x0406 Disconnect "Disconnect" "7.1.6" {
            connection_handle: ConnHandle, reason: Status as Reason = 0x05 | 0x13..=0x15 | 0x1a | 0x29 | 0x3b
        } "4000 13";
        0x0408 CreateConnectionCancel "Create Connection Cancel" "7.1.7" { bd_addr: Address } "0102030405c6";
        0x0409 AcceptConnectionRequest "Accept Connection Request" "7.1.8" {
            bd_addr: Address, role: u8 = 0x00..=0x01
        } "0102030405c6 01";
        0x040a RejectConnectionRequest "Reject Connection Request" "7.1.9" {
            bd_addr: Address, reason: Status as Reason = 0x0d..=0x0f
        } "0102030405c6 0d";
        0x040b LinkKeyRequestReply "Link Key Request Reply" "7.1.10" { bd_addr: Address, link_key: Secret<16> }
            "0102030405c6 000102030405060708090a0b0c0d0e0f";
        0x040c LinkKeyRequestNegativeReply "Link Key Request Negative Reply" "7.1.11" { bd_addr: Address } "0102030405c6";
        0x040d PinCodeRequestReply "PIN Code Request Reply" "7.1.12" {
            bd_addr: Address, pin_code_length: u8 = 0x01..=0x10, pin_code: Secret<16>
        } "0102030405c6 04 30303030000000000000000000000000";
        0x040e PinCodeRequestNegativeReply "PIN Code Request Negative Reply" "7.1.13" { bd_addr: Address } "0102030405c6";
        0x0411 AuthenticationRequested "Authentication Requested" "7.1.15" { connection_handle: ConnHandle } "4000";
        0x0413 SetConnectionEncryption "Set Connection Encryption" "7.1.16" {
            connection_handle: ConnHandle, encryption_enable: u8 = 0x00..=0x01
        } "4000 01";
        0x0419 RemoteNameRequest "Remote Name Request" "7.1.19" {
            bd_addr: Address, page_scan_repetition_mode: u8 = 0x00..=0x02, reserved: u8, clock_offset: u16
        } "0102030405c6 02 00 0000";
        0x041a RemoteNameRequestCancel "Remote Name Request Cancel" "7.1.20" { bd_addr: Address } "0102030405c6";
        0x041b ReadRemoteSupportedFeatures "Read Remote Supported Features" "7.1.21" { connection_handle: ConnHandle } "4000";
        0x041d ReadRemoteVersionInformation "Read Remote Version Information" "7.1.23" { connection_handle: ConnHandle } "4000";
        0x0429 AcceptSynchronousConnectionRequest "Accept Synchronous Connection Request" "7.1.27" {
            bd_addr: Address, transmit_bandwidth: u32, receive_bandwidth: u32, max_latency: u16, voice_setting: u16,
            retransmission_effort: u8, packet_type: u16
        } "0102030405c6 401f0000 401f0000 0c00 6000 01 3f00";
        0x042a RejectSynchronousConnectionRequest "Reject Synchronous Connection Request" "7.1.28" {
            bd_addr: Address, reason: Status as Reason = 0x0d..=0x0f
        } "0102030405c6 0d";
        0x042b IoCapabilityRequestReply "IO Capability Request Reply" "7.1.29" {
            bd_addr: Address, io_capability: u8 = 0x00..=0x03, oob_data_present: u8 = 0x00..=0x03,
            authentication_requirements: u8 = 0x00..=0x05
        } "0102030405c6 03 00 05";
        0x042c UserConfirmationRequestReply "User Confirmation Request Reply" "7.1.30" { bd_addr: Address } "0102030405c6";
        0x042d UserConfirmationRequestNegativeReply "User Confirmation Request Negative Reply" "7.1.31" {
            bd_addr: Address
        } "0102030405c6";
        0x042e UserPasskeyRequestReply "User Passkey Request Reply" "7.1.32" {
            bd_addr: Address, numeric_value: Secret<4>
        } "0102030405c6 01020304";
        0x042f UserPasskeyRequestNegativeReply "User Passkey Request Negative Reply" "7.1.33" { bd_addr: Address } "0102030405c6";
        0x0430 RemoteOobDataRequestReply "Remote OOB Data Request Reply" "7.1.34" {
            bd_addr: Address, c: Secret<16>, r: Secret<16>
        } "0102030405c6 000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f";
        0x0433 RemoteOobDataRequestNegativeReply "Remote OOB Data Request Negative Reply" "7.1.35" { bd_addr: Address } "0102030405c6";
        0x0434 IoCapabilityRequestNegativeReply "IO Capability Request Negative Reply" "7.1.36" {
            bd_addr: Address, reason: Status as Reason
        } "0102030405c6 37";
        0x043e EnhancedAcceptSynchronousConnectionRequest "Enhanced Accept Synchronous Connection Request" "7.1.46" {
            bd_addr: Address, transmit_bandwidth: u32, receive_bandwidth: u32, coding_and_paths: [u8; 44], max_latency: u16,
            packet_type: u16, retransmission_effort: u8
        } "0102030405c6 401f0000 401f0000 0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 0c00 3f00 01";
        0x043f TruncatedPage "Truncated Page" "7.1.47" {
            bd_addr: Address, page_scan_repetition_mode: u8 = 0x00..=0x02, clock_offset: u16
        } "0102030405c6 02 0000";
        0x0440 TruncatedPageCancel "Truncated Page Cancel" "7.1.48" { bd_addr: Address } "0102030405c6";
        0x0442 SetConnectionlessPeripheralBroadcastReceive "Set Connectionless Peripheral Broadcast Receive" "7.1.50" {
            enable: u8 = 0x00..=0x01, bd_addr: Address, lt_addr: u8, interval: u16, clock_offset: u32, next_instant: u32,
            supervision_timeout: u16, remote_timing_accuracy: u8, skip: u8, packet_type: u16, afh_channel_map: [u8; 10]
        } "01 0102030405c6 01 5000 00000000 00000000 0020 14 00 18cc ffffffffffffffffff7f";
        0x0444 ReceiveSynchronizationTrain "Receive Synchronization Train" "7.1.52" {
            bd_addr: Address, scan_timeout: u16, scan_window: u16, scan_interval: u16
        } "0102030405c6 0020 2200 0400";
        0x0445 RemoteOobExtendedDataRequestReply "Remote OOB Extended Data Request Reply" "7.1.53" {
            bd_addr: Address, c_192_r_192_c_256_r_256: Secret<64>
        } "0102030405c6 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
        0x080b SwitchRole "Switch Role" "7.2.8" { bd_addr: Address, role: u8 = 0x00..=0x01 } "0102030405c6 00";
        0x0c01 SetEventMask "Set Event Mask" "7.3.1" { event_mask: u64 } "ffffffffffffff3f";
        0x0c03 Reset "Reset" "7.3.2" {} "";
        0x0c0d ReadStoredLinkKey "Read Stored Link Key" "7.3.8" { bd_addr: Address, read_all: u8 = 0x00..=0x01 } "0102030405c6 00";
        0x0c11 WriteStoredLinkKey "Write Stored Link Key" "7.3.9" {
            keys: Counted<'a, StoredLinkKey>
        } "01 0102030405c6 000102030405060708090a0b0c0d0e0f";
        0x0c12 DeleteStoredLinkKey "Delete Stored Link Key" "7.3.10" {
            bd_addr: Address, delete_all: u8 = 0x00..=0x01
        } "0102030405c6 00";
        0x0c13 WriteLocalName "Write Local Name" "7.3.11" { local_name: &'a [u8] as Name } "6869";
        0x0c7c WriteAuthenticatedPayloadTimeout "Write Authenticated Payload Timeout" "7.3.94" {
            connection_handle: ConnHandle, authenticated_payload_timeout: u16 = 0x0001..=0xffff
        } "4000 b80b";
        0x0c7b ReadAuthenticatedPayloadTimeout "Read Authenticated Payload Timeout" "7.3.93" { connection_handle: ConnHandle } "4000";
        0x1001 ReadLocalVersionInformation "Read Local Version Information" "7.4.1" {} "";
        0x1002 ReadLocalSupportedCommands "Read Local Supported Commands" "7.4.2" {} "";
        0x1003 ReadLocalSupportedFeatures "Read Local Supported Features" "7.4.3" {} "";
        0x1005 ReadBufferSize "Read Buffer Size" "7.4.5" {} "";
        0x1009 ReadBdAddr "Read BD ADDR" "7.4.6" {} "";
        0x1408 ReadEncryptionKeySize "Read Encryption Key Size" "7.5.7" { connection_handle: ConnHandle } "4000";
        0x1405 ReadRssi "Read RSSI" "7.5.4" { handle: ConnHandle } "4000";
        0x2001 LeSetEventMask "LE Set Event Mask" "7.8.1" { le_event_mask: u64 } "1f00000000000000";
        0x2002 LeReadBufferSize "LE Read Buffer Size" "7.8.2" {} "";
        0x2003 LeReadLocalSupportedFeatures "LE Read Local Supported Features" "7.8.3" {} "";
        0x2005 LeSetRandomAddress "LE Set Random Address" "7.8.4" { random_address: Address as OwnAddress } "0102030405c6";
        0x2006 LeSetAdvertisingParameters "LE Set Advertising Parameters" "7.8.5" {
            advertising_interval_min: u16 = 0x0020..=0x4000, advertising_interval_max: u16 = 0x0020..=0x4000,
            advertising_type: u8 = 0x00..=0x04, own_address_type: u8 = 0x00..=0x03, peer_address_type: AddressType = 0x00..=0x01,
            peer_address: Address, advertising_channel_map: u8 = 0x01..=0x07, advertising_filter_policy: u8 = 0x00..=0x03
        } "0008 0008 00 00 00 000000000000 07 00";
        0x2007 LeReadAdvertisingPhysicalChannelTxPower "LE Read Advertising Physical Channel Tx Power" "7.8.6" {} "";
        0x2008 LeSetAdvertisingData "LE Set Advertising Data" "7.8.7" {
            advertising_data_length: u8 as Count = 0x00..=0x1f, advertising_data: &'a [u8] as Advertising
        } "03 020106";
        0x2009 LeSetScanResponseData "LE Set Scan Response Data" "7.8.8" {
            scan_response_data_length: u8 as Count = 0x00..=0x1f, scan_response_data: &'a [u8] as Advertising
        } "03 020106";
        0x200a LeSetAdvertisingEnable "LE Set Advertising Enable" "7.8.9" { advertising_enable: u8 = 0x00..=0x01 } "01";
        0x200b LeSetScanParameters "LE Set Scan Parameters" "7.8.10" {
            le_scan_type: u8 = 0x00..=0x01, le_scan_interval: u16 = 0x0004..=0x4000, le_scan_window: u16 = 0x0004..=0x4000,
            own_address_type: u8 = 0x00..=0x03, scanning_filter_policy: u8 = 0x00..=0x03
        } "01 6000 3000 00 00";
        0x200c LeSetScanEnable "LE Set Scan Enable" "7.8.11" {
            le_scan_enable: u8 = 0x00..=0x01, filter_duplicates: u8 = 0x00..=0x01
        } "01 00";
        0x200d LeCreateConnection "LE Create Connection" "7.8.12" {
            le_scan_interval: u16 = 0x0004..=0x4000, le_scan_window: u16 = 0x0004..=0x4000,
            initiator_filter_policy: u8 = 0x00..=0x01, peer_address_type: AddressType = 0x00..=0x03, peer_address: Address,
            own_address_type: u8 = 0x00..=0x03, connection_interval_min: u16 = 0x0006..=0x0c80,
            connection_interval_max: u16 = 0x0006..=0x0c80, max_latency: u16 = 0x0000..=0x01f3,
            supervision_timeout: u16 = 0x000a..=0x0c80, min_ce_length: u16, max_ce_length: u16
        } "6000 3000 00 01 0102030405c6 00 1800 2800 0000 2a00 0000 0000";
        0x200e LeCreateConnectionCancel "LE Create Connection Cancel" "7.8.13" {} "";
        0x200f LeReadFilterAcceptListSize "LE Read Filter Accept List Size" "7.8.14" {} "";
        0x2010 LeClearFilterAcceptList "LE Clear Filter Accept List" "7.8.15" {} "";
        0x2011 LeAddDeviceToFilterAcceptList "LE Add Device To Filter Accept List" "7.8.16" {
            address_type: AddressType = 0x00 | 0x01 | 0xff, address: Address
        } "01 0102030405c6";
        0x2012 LeRemoveDeviceFromFilterAcceptList "LE Remove Device From Filter Accept List" "7.8.17" {
            address_type: AddressType = 0x00 | 0x01 | 0xff, address: Address
        } "01 0102030405c6";
        0x2013 LeConnectionUpdate "LE Connection Update" "7.8.18" {
            connection_handle: ConnHandle, connection_interval_min: u16 = 0x0006..=0x0c80,
            connection_interval_max: u16 = 0x0006..=0x0c80, max_latency: u16 = 0x0000..=0x01f3,
            supervision_timeout: u16 = 0x000a..=0x0c80, min_ce_length: u16, max_ce_length: u16
        } "4000 0600 0600 0000 f401 0000 0000";
        0x2014 LeSetHostChannelClassification "LE Set Host Channel Classification" "7.8.19" { channel_map: [u8; 5] } "ffffffff1f";
        0x2015 LeReadChannelMap "LE Read Channel Map" "7.8.20" { connection_handle: ConnHandle } "4000";
        0x2016 LeReadRemoteFeatures "LE Read Remote Features" "7.8.21" { connection_handle: ConnHandle } "4000";
        0x2017 LeEncrypt "LE Encrypt" "7.8.22" { key: Secret<16>, plaintext_data: Secret<16> }
            "000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f";
        0x2018 LeRand "LE Rand" "7.8.23" {} "";
        0x2019 LeEnableEncryption "LE Enable Encryption" "7.8.24" {
            connection_handle: ConnHandle, random_number: Secret<8>, encrypted_diversifier: u16, long_term_key: Secret<16>
        } "4000 0000000000000000 0000 000102030405060708090a0b0c0d0e0f";
        0x201a LeLongTermKeyRequestReply "LE Long Term Key Request Reply" "7.8.25" {
            connection_handle: ConnHandle, long_term_key: Secret<16>
        } "4000 000102030405060708090a0b0c0d0e0f";
        0x201b LeLongTermKeyRequestNegativeReply "LE Long Term Key Request Negative Reply" "7.8.26" {
            connection_handle: ConnHandle
        } "4000";
        0x201c LeReadSupportedStates "LE Read Supported States" "7.8.27" {} "";
        0x2020 LeRemoteConnectionParameterRequestReply "LE Remote Connection Parameter Request Reply" "7.8.31" {
            connection_handle: ConnHandle, interval_min: u16 = 0x0006..=0x0c80, interval_max: u16 = 0x0006..=0x0c80,
            max_latency: u16 = 0x0000..=0x01f3, timeout: u16 = 0x000a..=0x0c80, min_ce_length: u16, max_ce_length: u16
        } "4000 0600 0c00 0000 c800 0000 0000";
        0x2021 LeRemoteConnectionParameterRequestNegativeReply "LE Remote Connection Parameter Request Negative Reply" "7.8.32" {
            connection_handle: ConnHandle, reason: Status as Reason
        } "4000 3b";
        0x2022 LeSetDataLength "LE Set Data Length" "7.8.33" {
            connection_handle: ConnHandle, tx_octets: u16 = 0x001b..=0x00fb, tx_time: u16 = 0x0148..=0x4290
        } "4000 fb00 4808";
        0x2023 LeReadSuggestedDefaultDataLength "LE Read Suggested Default Data Length" "7.8.34" {} "";
        0x2024 LeWriteSuggestedDefaultDataLength "LE Write Suggested Default Data Length" "7.8.35" {
            suggested_max_tx_octets: u16 = 0x001b..=0x00fb, suggested_max_tx_time: u16 = 0x0148..=0x4290
        } "fb00 4808";
        0x2027 LeAddDeviceToResolvingList "LE Add Device To Resolving List" "7.8.38" {
            peer_identity_address_type: AddressType = 0x00..=0x01, peer_identity_address: Address, peer_irk: Secret<16>,
            local_irk: Secret<16>
        } "01 0102030405c6 000102030405060708090a0b0c0d0e0f 000102030405060708090a0b0c0d0e0f";
        0x2028 LeRemoveDeviceFromResolvingList "LE Remove Device From Resolving List" "7.8.39" {
            peer_identity_address_type: AddressType = 0x00..=0x01, peer_identity_address: Address
        } "01 0102030405c6";
        0x2029 LeClearResolvingList "LE Clear Resolving List" "7.8.40" {} "";
        0x202a LeReadResolvingListSize "LE Read Resolving List Size" "7.8.41" {} "";
        0x202b LeReadPeerResolvableAddress "LE Read Peer Resolvable Address" "7.8.42" {
            peer_identity_address_type: AddressType = 0x00..=0x01, peer_identity_address: Address
        } "01 0102030405c6";
        0x202c LeReadLocalResolvableAddress "LE Read Local Resolvable Address" "7.8.43" {
            peer_identity_address_type: AddressType = 0x00..=0x01, peer_identity_address: Address
        } "01 0102030405c6";
        0x202d LeSetAddressResolutionEnable "LE Set Address Resolution Enable" "7.8.44" {
            address_resolution_enable: u8 = 0x00..=0x01
        } "01";
        0x202e LeSetResolvablePrivateAddressTimeout "LE Set Resolvable Private Address Timeout" "7.8.45" {
            rpa_timeout: u16 = 0x0001..=0x0e10
        } "8403";
        0x202f LeReadMaximumDataLength "LE Read Maximum Data Length" "7.8.46" {} "";
        0x2030 LeReadPhy "LE Read PHY" "7.8.47" { connection_handle: ConnHandle } "4000";
        0x2031 LeSetDefaultPhy "LE Set Default PHY" "7.8.48" { all_phys: u8, tx_phys: u8, rx_phys: u8 } "00 01 01";
        0x2032 LeSetPhy "LE Set PHY" "7.8.49" {
            connection_handle: ConnHandle, all_phys: u8, tx_phys: u8, rx_phys: u8, phy_options: u16
        } "4000 00 02 02 0000";
        0x2035 LeSetAdvertisingSetRandomAddress "LE Set Advertising Set Random Address" "7.8.52" {
            advertising_handle: u8 = 0x00..=0xef, random_address: Address as OwnAddress
        } "01 0102030405c6";
        0x2036 LeSetExtendedAdvertisingParameters "LE Set Extended Advertising Parameters" "7.8.53" {
            advertising_handle: u8 = 0x00..=0xef, advertising_event_properties: u16,
            primary_advertising_interval_min: U24 = 0x000020..=0xffffff,
            primary_advertising_interval_max: U24 = 0x000020..=0xffffff, primary_advertising_channel_map: u8 = 0x01..=0x07,
            own_address_type: u8 = 0x00..=0x03, peer_address_type: AddressType = 0x00..=0x01, peer_address: Address,
            advertising_filter_policy: u8 = 0x00..=0x03, advertising_tx_power: i8 = -127..=20 | 127,
            primary_advertising_phy: u8 = 0x01 | 0x03, secondary_advertising_max_skip: u8,
            secondary_advertising_phy: u8 = 0x01..=0x03, advertising_sid: u8 = 0x00..=0x0f,
            scan_request_notification_enable: u8 = 0x00..=0x01
        } "01 1300 200000 400000 07 01 00 000000000000 00 7f 01 00 01 00 00";
        0x2037 LeSetExtendedAdvertisingData "LE Set Extended Advertising Data" "7.8.54" {
            advertising_handle: u8 = 0x00..=0xef, operation: u8 = 0x00..=0x04, fragment_preference: u8 = 0x00..=0x01,
            advertising_data_length: u8 as Count = 0x00..=0xfb, advertising_data: &'a [u8] as Advertising
        } "01 03 01 03 020106";
        0x2038 LeSetExtendedScanResponseData "LE Set Extended Scan Response Data" "7.8.55" {
            advertising_handle: u8 = 0x00..=0xef, operation: u8 = 0x00..=0x03, fragment_preference: u8 = 0x00..=0x01,
            scan_response_data_length: u8 as Count = 0x00..=0xfb, scan_response_data: &'a [u8] as Advertising
        } "01 03 01 03 020106";
        0x2039 LeSetExtendedAdvertisingEnable "LE Set Extended Advertising Enable" "7.8.56" {
            enable: u8 = 0x00..=0x01, sets: Counted<'a, AdvertisingSet>
        } "01 01 01000000";
        0x2041 LeSetExtendedScanParameters "LE Set Extended Scan Parameters" "7.8.64" {
            own_address_type: u8 = 0x00..=0x03, scanning_filter_policy: u8, phys: Phys<'a, ScanningPhy>
        } "00 00 01 01 6000 3000";
        0x2042 LeSetExtendedScanEnable "LE Set Extended Scan Enable" "7.8.65" {
            enable: u8 = 0x00..=0x01, filter_duplicates: u8 = 0x00..=0x02, duration: u16, period: u16
        } "01 00 0000 0000";
        0x2043 LeExtendedCreateConnection "LE Extended Create Connection" "7.8.66" {
            initiator_filter_policy: u8, own_address_type: u8 = 0x00..=0x03, peer_address_type: AddressType = 0x00..=0x03,
            peer_address: Address, phys: Phys<'a, InitiatingPhy>
        } "00 00 01 0102030405c6 01 6000 6000 1800 2800 0000 2a00 0000 0000";
        0x2044 LePeriodicAdvertisingCreateSync "LE Periodic Advertising Create Sync" "7.8.67" {
            options: u8, advertising_sid: u8 = 0x00..=0x0f, advertiser_address_type: AddressType = 0x00..=0x01,
            advertiser_address: Address, skip: u16 = 0x0000..=0x01f3, sync_timeout: u16 = 0x000a..=0x4000, sync_cte_type: u8
        } "00 02 01 0102030405c6 0000 6400 00";
        0x2047 LeAddDeviceToPeriodicAdvertiserList "LE Add Device To Periodic Advertiser List" "7.8.70" {
            advertiser_address_type: AddressType = 0x00..=0x01, advertiser_address: Address, advertising_sid: u8 = 0x00..=0x0f
        } "01 0102030405c6 02";
        0x2048 LeRemoveDeviceFromPeriodicAdvertiserList "LE Remove Device From Periodic Advertiser List" "7.8.71" {
            advertiser_address_type: AddressType = 0x00..=0x01, advertiser_address: Address, advertising_sid: u8 = 0x00..=0x0f
        } "01 0102030405c6 02";
        0x204e LeSetPrivacyMode "LE Set Privacy Mode" "7.8.77" {
            peer_identity_address_type: AddressType = 0x00..=0x01, peer_identity_address: Address, privacy_mode: u8 = 0x00..=0x01
        } "01 0102030405c6 01";
        0x2060 LeReadBufferSizeV2 "LE Read Buffer Size [v2]" "7.8.2" {} "";
        0x2064 LeCreateCis "LE Create CIS" "7.8.99" { cis: Counted<'a, (ConnHandle, ConnHandle)> } "01 6000 4000";
        0x2065 LeRemoveCig "LE Remove CIG" "7.8.100" { cig_id: u8 = 0x00..=0xef } "01";
        0x2066 LeAcceptCisRequest "LE Accept CIS Request" "7.8.101" { connection_handle: ConnHandle } "6000";
        0x2067 LeRejectCisRequest "LE Reject CIS Request" "7.8.102" {
            connection_handle: ConnHandle, reason: Status as Reason
        } "6000 0d";
        0x206d LeRequestPeerSca "LE Request Peer SCA" "7.8.108" { connection_handle: ConnHandle } "4000";
        0x207d LeSetDefaultSubrate "LE Set Default Subrate" "7.8.123" {
            subrate_min: u16 = 0x0001..=0x01f4, subrate_max: u16 = 0x0001..=0x01f4, max_latency: u16 = 0x0000..=0x01f3,
            continuation_number: u16 = 0x0000..=0x01f3, supervision_timeout: u16 = 0x000a..=0x0c80
        } "0100 0100 0000 0000 c800";
        0x207e LeSubrateRequest "LE Subrate Request" "7.8.124" {
            connection_handle: ConnHandle, subrate_min: u16 = 0x0001..=0x01f4, subrate_max: u16 = 0x0001..=0x01f4,
            max_latency: u16 = 0x0000..=0x01f3, continuation_number: u16 = 0x0000..=0x01f3,
            supervision_timeout: u16 = 0x000a..=0x0c80
        } "4000 0100 0100 0000 0000 c800";
        0x2085 LeExtendedCreateConnectionV2 "LE Extended Create Connection [v2]" "7.8.66" {
            advertising_handle: u8 = 0x00..=0xef | 0xff, subevent: u8 = 0x00..=0x7f | 0xff, initiator_filter_policy: u8,
            own_address_type: u8 = 0x00..=0x03, peer_address_type: AddressType = 0x00..=0x03, peer_address: Address,
            phys: Phys<'a, InitiatingPhy>
        } "ff ff 01 01 00 000000000000 01 3000 3000 0800 1800 0000 4800 0200 0c00";
        0x2088 LeReadAllRemoteFeatures "LE Read All Remote Features" "7.8.129" {
            connection_handle: ConnHandle, pages_requested: u8
        } "4000 01";
    }
}

impl Command<'_> {
    /// The number of the command.
    pub fn opcode(&self) -> Opcode {
        Opcode(self.code())
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
            // In hexadecimal, as a list of numbers, and as text. PIN lengths and handles are not keys.
            for trace in ["5a, 5a", "90, 90", "ZZ", "5a5a"] {
                assert!(!printed.contains(trace), "{printed}");
            }
        }
    }
}
