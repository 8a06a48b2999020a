//! LE Meta subevents (Core, Vol 4, Part E, section 7.7.65).
use super::advertising::{DirectedReports, ExtendedReports, LegacyReports};
use crate::packet::codes::{Address, AddressType, ConnHandle, Secret, Status};
use crate::packet::field::U24;
use crate::packet::pdus::pdus;

pdus! {
    /// One LE Meta subevent.
    LeEvent: u8 {
        0x01 ConnectionComplete "LE Connection Complete" {
            status: Status, connection_handle: ConnHandle, role: u8, peer_address_type: AddressType, peer_address: Address,
            connection_interval: u16, peripheral_latency: u16, supervision_timeout: u16, central_clock_accuracy: u8
        } "00 4000 00 01 0102030405c6 2400 0000 2a00 01";
        0x02 AdvertisingReport "LE Advertising Report" { reports: LegacyReports<'a> } "01 00 01 0102030405c6 03 020106 c4";
        0x03 ConnectionUpdateComplete "LE Connection Update Complete" {
            status: Status, connection_handle: ConnHandle, connection_interval: u16, peripheral_latency: u16, supervision_timeout: u16
        } "00 4000 0600 0000 f401";
        0x04 ReadRemoteFeaturesComplete "LE Read Remote Features Complete" {
            status: Status, connection_handle: ConnHandle, le_features: [u8; 8]
        } "00 4000 3f00000800000000";
        0x05 LongTermKeyRequest "LE Long Term Key Request" {
            connection_handle: ConnHandle, random_number: Secret<8>, encrypted_diversifier: u16
        } "4000 0000000000000000 0000";
        0x06 RemoteConnectionParameterRequest "LE Remote Connection Parameter Request" {
            connection_handle: ConnHandle, interval_min: u16, interval_max: u16, max_latency: u16, timeout: u16
        } "4000 0600 0c00 0000 c800";
        0x07 DataLengthChange "LE Data Length Change" {
            connection_handle: ConnHandle, max_tx_octets: u16, max_tx_time: u16, max_rx_octets: u16, max_rx_time: u16
        } "4000 fb00 4808 fb00 4808";
        0x08 ReadLocalP256PublicKeyComplete "LE Read Local P-256 Public Key Complete" { status: Status, key: Secret<64> }
            "00 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
        0x09 GenerateDhKeyComplete "LE Generate DHKey Complete" { status: Status, dh_key: Secret<32> }
            "00 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        0x0a EnhancedConnectionComplete "LE Enhanced Connection Complete" {
            status: Status, connection_handle: ConnHandle, role: u8, peer_address_type: AddressType, peer_address: Address,
            local_resolvable_private_address: Address, peer_resolvable_private_address: Address,
            connection_interval: u16, peripheral_latency: u16, supervision_timeout: u16, central_clock_accuracy: u8
        } "00 4000 00 01 0102030405c6 000000000000 000000000000 2400 0000 2a00 01";
        0x0b DirectedAdvertisingReport "LE Directed Advertising Report" { reports: DirectedReports<'a> }
            "01 01 01 0102030405c6 01 060504030246 c4";
        0x0c PhyUpdateComplete "LE PHY Update Complete" { status: Status, connection_handle: ConnHandle, tx_phy: u8, rx_phy: u8 } "00 4000 02 02";
        0x0d ExtendedAdvertisingReport "LE Extended Advertising Report" { reports: ExtendedReports<'a> }
            "01 1300 01 0102030405c6 01 00 ff 7f c4 0000 00 000000000000 03 020106";
        0x0e PeriodicAdvertisingSyncEstablished "LE Periodic Advertising Sync Established" {
            status: Status, sync_handle: u16, advertising_sid: u8, advertiser_address_type: AddressType, advertiser_address: Address,
            advertiser_phy: u8, periodic_advertising_interval: u16, advertiser_clock_accuracy: u8
        } "00 0100 02 01 0102030405c6 01 5000 01";
        0x0f PeriodicAdvertisingReport "LE Periodic Advertising Report" {
            sync_handle: u16, tx_power: i8, rssi: i8, cte_type: u8, data_status: u8, data_length: u8, data: &'a [u8]
        } "0100 7f c4 ff 00 03 020106";
        0x10 PeriodicAdvertisingSyncLost "LE Periodic Advertising Sync Lost" { sync_handle: u16 } "0100";
        0x11 ScanTimeout "LE Scan Timeout" {} "";
        0x12 AdvertisingSetTerminated "LE Advertising Set Terminated" {
            status: Status, advertising_handle: u8, connection_handle: ConnHandle, num_completed_extended_advertising_events: u8
        } "00 01 4000 00";
        0x13 ScanRequestReceived "LE Scan Request Received" { advertising_handle: u8, scanner_address_type: AddressType, scanner_address: Address }
            "01 01 0102030405c6";
        0x14 ChannelSelectionAlgorithm "LE Channel Selection Algorithm" { connection_handle: ConnHandle, channel_selection_algorithm: u8 } "4000 01";
        0x17 CteRequestFailed "LE CTE Request Failed" { status: Status, connection_handle: ConnHandle } "00 4000";
        0x18 PeriodicAdvertisingSyncTransferReceived "LE Periodic Advertising Sync Transfer Received" {
            status: Status, connection_handle: ConnHandle, service_data: u16, sync_handle: u16, advertising_sid: u8,
            advertiser_address_type: AddressType, advertiser_address: Address, advertiser_phy: u8,
            periodic_advertising_interval: u16, advertiser_clock_accuracy: u8
        } "00 4000 0000 0100 02 01 0102030405c6 01 5000 01";
        0x19 CisEstablished "LE CIS Established" {
            status: Status, connection_handle: ConnHandle, cig_sync_delay: U24, cis_sync_delay: U24, transport_latency_c_to_p: U24,
            transport_latency_p_to_c: U24, phy_c_to_p: u8, phy_p_to_c: u8, nse: u8, bn_c_to_p: u8, bn_p_to_c: u8,
            ft_c_to_p: u8, ft_p_to_c: u8, max_pdu_c_to_p: u16, max_pdu_p_to_c: u16, iso_interval: u16
        } "00 6000 010000 020000 030000 040000 02 02 03 01 01 01 01 7800 7800 0800";
        0x1a CisRequest "LE CIS Request" { acl_connection_handle: ConnHandle, cis_connection_handle: ConnHandle, cig_id: u8, cis_id: u8 } "4000 6000 01 01";
        0x1f RequestPeerScaComplete "LE Request Peer SCA Complete" { status: Status, connection_handle: ConnHandle, peer_clock_accuracy: u8 } "00 4000 01";
        0x20 PathLossThreshold "LE Path Loss Threshold" { connection_handle: ConnHandle, current_path_loss: u8, zone_entered: u8 } "4000 20 01";
        0x21 TransmitPowerReporting "LE Transmit Power Reporting" {
            status: Status, connection_handle: ConnHandle, reason: u8, phy: u8, tx_power_level: i8, tx_power_level_flag: u8, delta: i8
        } "00 4000 00 01 04 00 00";
        0x23 SubrateChange "LE Subrate Change" {
            status: Status, connection_handle: ConnHandle, subrate_factor: u16, peripheral_latency: u16, continuation_number: u16,
            supervision_timeout: u16
        } "00 4000 0100 0000 0000 c800";
        0x29 EnhancedConnectionCompleteV2 "LE Enhanced Connection Complete [v2]" {
            status: Status, connection_handle: ConnHandle, role: u8, peer_address_type: AddressType, peer_address: Address,
            local_resolvable_private_address: Address, peer_resolvable_private_address: Address,
            connection_interval: u16, peripheral_latency: u16, supervision_timeout: u16, central_clock_accuracy: u8,
            advertising_handle: u8, sync_handle: u16
        } "00 4000 00 01 0102030405c6 000000000000 000000000000 2400 0000 2a00 01 ff ffff";
        0x2b ReadAllRemoteFeaturesComplete "LE Read All Remote Features Complete" {
            status: Status, connection_handle: ConnHandle, max_remote_page: u8, max_valid_page: u8, le_features: &'a [u8]
        } "00 4000 00 00 3f00000800000000";
    }
}

/// The three LE Connection Complete shapes as one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeConnection {
    pub subevent: u8,
    pub status: Status,
    pub handle: ConnHandle,
    /// 0 is central.
    pub role: u8,
    pub peer_address_type: AddressType,
    pub peer_address: Address,
    pub local_rpa: Option<Address>,
    pub peer_rpa: Option<Address>,
    pub interval: u16,
    pub latency: u16,
    pub timeout: u16,
    pub clock_accuracy: u8,
}

impl LeEvent<'_> {
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

    pub fn connection_handle(&self) -> Option<ConnHandle> {
        match *self {
            LeEvent::ConnectionComplete { connection_handle, .. }
            | LeEvent::EnhancedConnectionComplete { connection_handle, .. }
            | LeEvent::EnhancedConnectionCompleteV2 { connection_handle, .. }
            | LeEvent::ConnectionUpdateComplete { connection_handle, .. }
            | LeEvent::ReadRemoteFeaturesComplete { connection_handle, .. }
            | LeEvent::ReadAllRemoteFeaturesComplete { connection_handle, .. }
            | LeEvent::LongTermKeyRequest { connection_handle, .. }
            | LeEvent::RemoteConnectionParameterRequest { connection_handle, .. }
            | LeEvent::DataLengthChange { connection_handle, .. }
            | LeEvent::PhyUpdateComplete { connection_handle, .. }
            | LeEvent::AdvertisingSetTerminated { connection_handle, .. }
            | LeEvent::ChannelSelectionAlgorithm { connection_handle, .. }
            | LeEvent::CteRequestFailed { connection_handle, .. }
            | LeEvent::PeriodicAdvertisingSyncTransferReceived { connection_handle, .. }
            | LeEvent::CisEstablished { connection_handle, .. }
            | LeEvent::CisRequest { acl_connection_handle: connection_handle, .. }
            | LeEvent::RequestPeerScaComplete { connection_handle, .. }
            | LeEvent::PathLossThreshold { connection_handle, .. }
            | LeEvent::TransmitPowerReporting { connection_handle, .. }
            | LeEvent::SubrateChange { connection_handle, .. } => Some(connection_handle),
            _ => None,
        }
    }

    pub fn status(&self) -> Option<Status> {
        match *self {
            LeEvent::ConnectionComplete { status, .. }
            | LeEvent::EnhancedConnectionComplete { status, .. }
            | LeEvent::EnhancedConnectionCompleteV2 { status, .. }
            | LeEvent::ConnectionUpdateComplete { status, .. }
            | LeEvent::ReadRemoteFeaturesComplete { status, .. }
            | LeEvent::ReadAllRemoteFeaturesComplete { status, .. }
            | LeEvent::ReadLocalP256PublicKeyComplete { status, .. }
            | LeEvent::GenerateDhKeyComplete { status, .. }
            | LeEvent::PhyUpdateComplete { status, .. }
            | LeEvent::AdvertisingSetTerminated { status, .. }
            | LeEvent::PeriodicAdvertisingSyncEstablished { status, .. }
            | LeEvent::PeriodicAdvertisingSyncTransferReceived { status, .. }
            | LeEvent::CteRequestFailed { status, .. }
            | LeEvent::CisEstablished { status, .. }
            | LeEvent::RequestPeerScaComplete { status, .. }
            | LeEvent::TransmitPowerReporting { status, .. }
            | LeEvent::SubrateChange { status, .. } => Some(status),
            _ => None,
        }
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
