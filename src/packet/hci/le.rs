//! LE Meta subevents (Core, Vol 4, Part E, section 7.7.65).
use super::advertising::{DirectedReports, ExtendedReports, LegacyReports};
use crate::packet::codes::{Address, AddressType, ConnHandle, Secret, Status};
use crate::packet::field::U24;
use crate::packet::pdus::pdus;
use crate::packet::visit::Kind;

pdus! {
    /// One LE Meta subevent.
    LeEvent: u8, "Core, Vol 4, Part E" {
        0x01 ConnectionComplete "LE Connection Complete" "7.7.65.1" {
            status: Status, connection_handle: ConnHandle, role: u8 = 0x00..=0x01, peer_address_type: AddressType = 0x00..=0x01,
            peer_address: Address, connection_interval: u16 = 0x0006..=0x0c80, peripheral_latency: u16 = 0x0000..=0x01f3,
            supervision_timeout: u16 = 0x000a..=0x0c80, central_clock_accuracy: u8 = 0x00..=0x07
        } "00 4000 00 01 0102030405c6 2400 0000 2a00 01";
        0x02 AdvertisingReport "LE Advertising Report" "7.7.65.2" { reports: LegacyReports<'a> } "01 00 01 0102030405c6 03 020106 c4";
        0x03 ConnectionUpdateComplete "LE Connection Update Complete" "7.7.65.3" {
            status: Status, connection_handle: ConnHandle, connection_interval: u16 = 0x0006..=0x0c80,
            peripheral_latency: u16 = 0x0000..=0x01f3, supervision_timeout: u16 = 0x000a..=0x0c80
        } "00 4000 0600 0000 f401";
        0x04 ReadRemoteFeaturesComplete "LE Read Remote Features Complete" "7.7.65.4" {
            status: Status, connection_handle: ConnHandle, le_features: [u8; 8]
        } "00 4000 3f00000800000000";
        0x05 LongTermKeyRequest "LE Long Term Key Request" "7.7.65.5" {
            connection_handle: ConnHandle, random_number: Secret<8>, encrypted_diversifier: u16
        } "4000 0000000000000000 0000";
        0x06 RemoteConnectionParameterRequest "LE Remote Connection Parameter Request" "7.7.65.6" {
            connection_handle: ConnHandle, interval_min: u16 = 0x0006..=0x0c80, interval_max: u16 = 0x0006..=0x0c80,
            max_latency: u16 = 0x0000..=0x01f3, timeout: u16 = 0x000a..=0x0c80
        } "4000 0600 0c00 0000 c800";
        0x07 DataLengthChange "LE Data Length Change" "7.7.65.7" {
            connection_handle: ConnHandle, max_tx_octets: u16 = 0x001b..=0x00fb, max_tx_time: u16 = 0x0148..=0x4290,
            max_rx_octets: u16 = 0x001b..=0x00fb, max_rx_time: u16 = 0x0148..=0x4290
        } "4000 fb00 4808 fb00 4808";
        0x08 ReadLocalP256PublicKeyComplete "LE Read Local P-256 Public Key Complete" "7.7.65.8" {
            status: Status, key: Secret<64>
        } "00 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
        0x09 GenerateDhKeyComplete "LE Generate DHKey Complete" "7.7.65.9" { status: Status, dh_key: Secret<32> }
            "00 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        0x0a EnhancedConnectionComplete "LE Enhanced Connection Complete" "7.7.65.10" {
            status: Status, connection_handle: ConnHandle, role: u8 = 0x00..=0x01, peer_address_type: AddressType = 0x00..=0x03,
            peer_address: Address, local_resolvable_private_address: Address as OwnAddress,
            peer_resolvable_private_address: Address, connection_interval: u16 = 0x0006..=0x0c80,
            peripheral_latency: u16 = 0x0000..=0x01f3, supervision_timeout: u16 = 0x000a..=0x0c80,
            central_clock_accuracy: u8 = 0x00..=0x07
        } "00 4000 00 01 0102030405c6 000000000000 000000000000 2400 0000 2a00 01";
        0x0b DirectedAdvertisingReport "LE Directed Advertising Report" "7.7.65.11" { reports: DirectedReports<'a> }
            "01 01 01 0102030405c6 01 060504030246 c4";
        0x0c PhyUpdateComplete "LE PHY Update Complete" "7.7.65.12" {
            status: Status, connection_handle: ConnHandle, tx_phy: u8 = 0x01..=0x03, rx_phy: u8 = 0x01..=0x03
        } "00 4000 02 02";
        0x0d ExtendedAdvertisingReport "LE Extended Advertising Report" "7.7.65.13" { reports: ExtendedReports<'a> }
            "01 1300 01 0102030405c6 01 00 ff 7f c4 0000 00 000000000000 03 020106";
        0x0e PeriodicAdvertisingSyncEstablished "LE Periodic Advertising Sync Established" "7.7.65.14" {
            status: Status, sync_handle: u16, advertising_sid: u8 = 0x00..=0x0f, advertiser_address_type: AddressType,
            advertiser_address: Address, advertiser_phy: u8 = 0x01..=0x03, periodic_advertising_interval: u16 = 0x0006..=0xffff,
            advertiser_clock_accuracy: u8 = 0x00..=0x07
        } "00 0100 02 01 0102030405c6 01 5000 01";
        0x0f PeriodicAdvertisingReport "LE Periodic Advertising Report" "7.7.65.15" {
            sync_handle: u16, tx_power: i8, rssi: i8, cte_type: u8, data_status: u8, data_length: u8 as Count,
            data: &'a [u8] as Advertising
        } "0100 7f c4 ff 00 03 020106";
        0x10 PeriodicAdvertisingSyncLost "LE Periodic Advertising Sync Lost" "7.7.65.16" { sync_handle: u16 } "0100";
        0x11 ScanTimeout "LE Scan Timeout" "7.7.65.17" {} "";
        0x12 AdvertisingSetTerminated "LE Advertising Set Terminated" "7.7.65.18" {
            status: Status, advertising_handle: u8, connection_handle: ConnHandle, num_completed_extended_advertising_events: u8
        } "00 01 4000 00";
        0x13 ScanRequestReceived "LE Scan Request Received" "7.7.65.19" {
            advertising_handle: u8 = 0x00..=0xef, scanner_address_type: AddressType, scanner_address: Address
        } "01 01 0102030405c6";
        0x14 ChannelSelectionAlgorithm "LE Channel Selection Algorithm" "7.7.65.20" {
            connection_handle: ConnHandle, channel_selection_algorithm: u8 = 0x00..=0x01
        } "4000 01";
        0x17 CteRequestFailed "LE CTE Request Failed" "7.7.65.23" { status: Status, connection_handle: ConnHandle } "00 4000";
        0x18 PeriodicAdvertisingSyncTransferReceived "LE Periodic Advertising Sync Transfer Received" "7.7.65.24" {
            status: Status, connection_handle: ConnHandle, service_data: u16, sync_handle: u16, advertising_sid: u8 = 0x00..=0x0f,
            advertiser_address_type: AddressType, advertiser_address: Address, advertiser_phy: u8 = 0x01..=0x03,
            periodic_advertising_interval: u16 = 0x0006..=0xffff, advertiser_clock_accuracy: u8 = 0x00..=0x07
        } "00 4000 0000 0100 02 01 0102030405c6 01 5000 01";
        0x19 CisEstablished "LE CIS Established" "7.7.65.25" {
            status: Status, connection_handle: ConnHandle, cig_sync_delay: U24, cis_sync_delay: U24, transport_latency_c_to_p: U24,
            transport_latency_p_to_c: U24, phy_c_to_p: u8, phy_p_to_c: u8, nse: u8, bn_c_to_p: u8, bn_p_to_c: u8,
            ft_c_to_p: u8, ft_p_to_c: u8, max_pdu_c_to_p: u16, max_pdu_p_to_c: u16, iso_interval: u16
        } "00 6000 010000 020000 030000 040000 02 02 03 01 01 01 01 7800 7800 0800";
        0x1a CisRequest "LE CIS Request" "7.7.65.26" {
            acl_connection_handle: ConnHandle, cis_connection_handle: ConnHandle as OtherLink, cig_id: u8, cis_id: u8
        } "4000 6000 01 01";
        0x1f RequestPeerScaComplete "LE Request Peer SCA Complete" "7.7.65.31" {
            status: Status, connection_handle: ConnHandle, peer_clock_accuracy: u8 = 0x00..=0x07
        } "00 4000 01";
        0x20 PathLossThreshold "LE Path Loss Threshold" "7.7.65.32" {
            connection_handle: ConnHandle, current_path_loss: u8, zone_entered: u8
        } "4000 20 01";
        0x21 TransmitPowerReporting "LE Transmit Power Reporting" "7.7.65.33" {
            status: Status, connection_handle: ConnHandle, reason: u8, phy: u8, tx_power_level: i8, tx_power_level_flag: u8, delta: i8
        } "00 4000 00 01 04 00 00";
        0x23 SubrateChange "LE Subrate Change" "7.7.65.35" {
            status: Status, connection_handle: ConnHandle, subrate_factor: u16 = 0x0001..=0x01f4,
            peripheral_latency: u16 = 0x0000..=0x01f3, continuation_number: u16 = 0x0000..=0x01f3,
            supervision_timeout: u16 = 0x000a..=0x0c80
        } "00 4000 0100 0000 0000 c800";
        0x24 PeriodicAdvertisingSyncEstablishedV2 "LE Periodic Advertising Sync Established [v2]" "7.7.65.14" {
            status: Status, sync_handle: u16, advertising_sid: u8 = 0x00..=0x0f, advertiser_address_type: AddressType,
            advertiser_address: Address, advertiser_phy: u8 = 0x01..=0x03, periodic_advertising_interval: u16 = 0x0006..=0xffff,
            advertiser_clock_accuracy: u8 = 0x00..=0x07, num_subevents: u8, subevent_interval: u8, response_slot_delay: u8,
            response_slot_spacing: u8
        } "00 0100 02 01 0102030405c6 01 5000 01 00 00 00 00";
        0x26 PeriodicAdvertisingSyncTransferReceivedV2 "LE Periodic Advertising Sync Transfer Received [v2]" "7.7.65.24" {
            status: Status, connection_handle: ConnHandle, service_data: u16, sync_handle: u16,
            advertising_sid: u8 = 0x00..=0x0f, advertiser_address_type: AddressType, advertiser_address: Address,
            advertiser_phy: u8 = 0x01..=0x03, periodic_advertising_interval: u16 = 0x0006..=0xffff,
            advertiser_clock_accuracy: u8 = 0x00..=0x07, num_subevents: u8, subevent_interval: u8, response_slot_delay: u8,
            response_slot_spacing: u8
        } "00 4000 0000 0100 02 01 0102030405c6 01 5000 01 00 00 00 00";
        0x29 EnhancedConnectionCompleteV2 "LE Enhanced Connection Complete [v2]" "7.7.65.10" {
            status: Status, connection_handle: ConnHandle, role: u8 = 0x00..=0x01, peer_address_type: AddressType = 0x00..=0x03,
            peer_address: Address, local_resolvable_private_address: Address as OwnAddress,
            peer_resolvable_private_address: Address, connection_interval: u16 = 0x0006..=0x0c80,
            peripheral_latency: u16 = 0x0000..=0x01f3, supervision_timeout: u16 = 0x000a..=0x0c80,
            central_clock_accuracy: u8 = 0x00..=0x07, advertising_handle: u8, sync_handle: u16
        } "00 4000 00 01 0102030405c6 000000000000 000000000000 2400 0000 2a00 01 ff ffff";
        0x2b ReadAllRemoteFeaturesComplete "LE Read All Remote Features Complete" "7.7.65.38" {
            status: Status, connection_handle: ConnHandle, max_remote_page: u8, max_valid_page: u8, le_features: &'a [u8] as Bits
        } "00 4000 00 00 3f00000800000000";
    }
}

/// The three LE Connection Complete shapes as one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeConnection {
    /// Which of the three shapes it was.
    pub subevent: u8,
    /// Whether there is a link.
    pub status: Status,
    /// The link's handle.
    pub handle: ConnHandle,
    /// 0 is central.
    pub role: u8,
    /// The type of the peer's address.
    pub peer_address_type: AddressType,
    /// The address of the peer.
    pub peer_address: Address,
    /// The private address that this host used, where the controller made it.
    pub local_rpa: Option<Address>,
    /// The private address that the peer used, where the controller resolved it.
    pub peer_rpa: Option<Address>,
    /// The connection interval, in units of 1.25 ms.
    pub interval: u16,
    /// How many connection events the peripheral may skip.
    pub latency: u16,
    /// The supervision timeout, in units of 10 ms.
    pub timeout: u16,
    /// The clock accuracy of the central, as the specification counts it.
    pub clock_accuracy: u8,
}

impl LeEvent<'_> {
    /// What the event says of a new connection, whichever of its forms it has.
    pub fn le_connection_complete(&self) -> Option<LeConnection> {
        let subevent = self.code();
        match *self {
            LeEvent::ConnectionComplete {
                status,
                connection_handle: handle,
                role,
                peer_address_type,
                peer_address,
                connection_interval: interval,
                peripheral_latency: latency,
                supervision_timeout: timeout,
                central_clock_accuracy: clock_accuracy,
            } => Some(LeConnection {
                subevent,
                status,
                handle,
                role,
                peer_address_type,
                peer_address,
                local_rpa: None,
                peer_rpa: None,
                interval,
                latency,
                timeout,
                clock_accuracy,
            }),
            LeEvent::EnhancedConnectionComplete {
                status,
                connection_handle: handle,
                role,
                peer_address_type,
                peer_address,
                local_resolvable_private_address,
                peer_resolvable_private_address,
                connection_interval: interval,
                peripheral_latency: latency,
                supervision_timeout: timeout,
                central_clock_accuracy: clock_accuracy,
            }
            | LeEvent::EnhancedConnectionCompleteV2 {
                status,
                connection_handle: handle,
                role,
                peer_address_type,
                peer_address,
                local_resolvable_private_address,
                peer_resolvable_private_address,
                connection_interval: interval,
                peripheral_latency: latency,
                supervision_timeout: timeout,
                central_clock_accuracy: clock_accuracy,
                ..
            } => Some(LeConnection {
                subevent,
                status,
                handle,
                role,
                peer_address_type,
                peer_address,
                local_rpa: Some(local_resolvable_private_address)
                    .filter(|a| *a != Address::default()),
                peer_rpa: Some(peer_resolvable_private_address)
                    .filter(|a| *a != Address::default()),
                interval,
                latency,
                timeout,
                clock_accuracy,
            }),
            _ => None,
        }
    }

    /// The status that it reports, if it has one.
    pub fn status(&self) -> Option<Status> {
        self.first(Kind::Status).and_then(|code| u8::try_from(code).ok()).map(Status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_subevent_decodes_its_example_and_encodes_it_back() {
        check_table!(LeEvent);
    }

    #[test]
    fn any_bytes_of_any_subevent_decode() {
        check_properties!(LeEvent);
    }
}
