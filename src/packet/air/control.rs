//! LL control PDUs (Core, Vol 6, Part B, 2.4.2).
//!
//! What encryption begins with (SKD, IV, Rand) is no key, but a part of what keys are made from: it is not printed.
use crate::packet::field::U24;
use crate::packet::pdus::pdus;
use crate::packet::{Address, Secret, Status};

pdus! {
    /// One control PDU of a connection.
    Control: u8, "Core, Vol 6, Part B" {
        0x00 ConnectionUpdateInd "LL_CONNECTION_UPDATE_IND" "2.4.2.1" {
            win_size: u8, win_offset: u16, interval: u16 = 0x0006..=0x0c80, latency: u16 = 0x0000..=0x01f3,
            timeout: u16 = 0x000a..=0x0c80, instant: u16
        } "01 0000 0c00 0000 c800 0a00";
        0x01 ChannelMapInd "LL_CHANNEL_MAP_IND" "2.4.2.2" { channel_map: [u8; 5], instant: u16 } "ffffffff1f 0a00";
        0x02 TerminateInd "LL_TERMINATE_IND" "2.4.2.3" { error_code: Status as Reason } "13";
        0x03 EncReq "LL_ENC_REQ" "2.4.2.4" { rand: Secret<8>, ediv: u16, skd_c: Secret<8>, iv_c: Secret<4> }
            "0001020304050607 3412 1011121314151617 20212223";
        0x04 EncRsp "LL_ENC_RSP" "2.4.2.5" { skd_p: Secret<8>, iv_p: Secret<4> } "1011121314151617 20212223";
        0x05 StartEncReq "LL_START_ENC_REQ" "2.4.2.6" {} "";
        0x06 StartEncRsp "LL_START_ENC_RSP" "2.4.2.7" {} "";
        0x07 UnknownRsp "LL_UNKNOWN_RSP" "2.4.2.8" { unknown_type: u8 } "0e";
        0x08 FeatureReq "LL_FEATURE_REQ" "2.4.2.9" { feature_set: [u8; 8] } "ff41000000000000";
        0x09 FeatureRsp "LL_FEATURE_RSP" "2.4.2.10" { feature_set: [u8; 8] } "ff41000000000000";
        0x0a PauseEncReq "LL_PAUSE_ENC_REQ" "2.4.2.11" {} "";
        0x0b PauseEncRsp "LL_PAUSE_ENC_RSP" "2.4.2.12" {} "";
        0x0c VersionInd "LL_VERSION_IND" "2.4.2.13" { version: u8, company: u16, subversion: u16 } "0c 5900 1234";
        0x0d RejectInd "LL_REJECT_IND" "2.4.2.14" { error_code: Status as Reason } "06";
        0x0e PeripheralFeatureReq "LL_PERIPHERAL_FEATURE_REQ" "2.4.2.15" { feature_set: [u8; 8] } "ff41000000000000";
        0x0f ConnectionParamReq "LL_CONNECTION_PARAM_REQ" "2.4.2.16" {
            interval_min: u16 = 0x0006..=0x0c80, interval_max: u16 = 0x0006..=0x0c80, latency: u16 = 0x0000..=0x01f3,
            timeout: u16 = 0x000a..=0x0c80, preferred_periodicity: u8, reference_conn_event_count: u16,
            offset0: u16, offset1: u16, offset2: u16, offset3: u16, offset4: u16, offset5: u16
        } "0c00 1800 0000 c800 00 0000 ffff ffff ffff ffff ffff ffff";
        0x10 ConnectionParamRsp "LL_CONNECTION_PARAM_RSP" "2.4.2.17" {
            interval_min: u16 = 0x0006..=0x0c80, interval_max: u16 = 0x0006..=0x0c80, latency: u16 = 0x0000..=0x01f3,
            timeout: u16 = 0x000a..=0x0c80, preferred_periodicity: u8, reference_conn_event_count: u16,
            offset0: u16, offset1: u16, offset2: u16, offset3: u16, offset4: u16, offset5: u16
        } "0c00 1800 0000 c800 00 0000 ffff ffff ffff ffff ffff ffff";
        0x11 RejectExtInd "LL_REJECT_EXT_IND" "2.4.2.18" { reject_opcode: u8, error_code: Status as Reason } "0f 2a";
        0x12 PingReq "LL_PING_REQ" "2.4.2.19" {} "";
        0x13 PingRsp "LL_PING_RSP" "2.4.2.20" {} "";
        0x14 LengthReq "LL_LENGTH_REQ" "2.4.2.21" {
            max_rx_octets: u16 = 0x001b..=0x00fb, max_rx_time: u16, max_tx_octets: u16 = 0x001b..=0x00fb, max_tx_time: u16
        } "fb00 4808 fb00 4808";
        0x15 LengthRsp "LL_LENGTH_RSP" "2.4.2.21" {
            max_rx_octets: u16 = 0x001b..=0x00fb, max_rx_time: u16, max_tx_octets: u16 = 0x001b..=0x00fb, max_tx_time: u16
        } "fb00 4808 fb00 4808";
        0x16 PhyReq "LL_PHY_REQ" "2.4.2.22" { tx_phys: u8, rx_phys: u8 } "03 03";
        0x17 PhyRsp "LL_PHY_RSP" "2.4.2.22" { tx_phys: u8, rx_phys: u8 } "03 03";
        0x18 PhyUpdateInd "LL_PHY_UPDATE_IND" "2.4.2.23" { phy_c_to_p: u8, phy_p_to_c: u8, instant: u16 } "02 02 0a00";
        0x19 MinUsedChannelsInd "LL_MIN_USED_CHANNELS_IND" "2.4.2.24" { phys: u8, min_used_channels: u8 } "01 02";
        0x1a CteReq "LL_CTE_REQ" "2.4.2.25" { cte_request: u8 } "02";
        0x1b CteRsp "LL_CTE_RSP" "2.4.2.26" {} "";
        0x1c PeriodicSyncInd "LL_PERIODIC_SYNC_IND" "2.4.2.27" {
            id: u16, sync_info: [u8; 18], conn_event_count: u16, last_pa_event_counter: u16, sid_a_type_sca: u8,
            phy: u8, adv_a: Address, sync_conn_event_count: u16
        } "0100 000102030405060708090a0b0c0d0e0f1011 0000 0000 00 01 0102030405c6 0000";
        0x1d ClockAccuracyReq "LL_CLOCK_ACCURACY_REQ" "2.4.2.28" { sca: u8 = 0x00..=0x07 } "05";
        0x1e ClockAccuracyRsp "LL_CLOCK_ACCURACY_RSP" "2.4.2.28" { sca: u8 = 0x00..=0x07 } "05";
        0x1f CisReq "LL_CIS_REQ" "2.4.2.29" {
            cig_id: u8, cis_id: u8, phy_c_to_p: u8, phy_p_to_c: u8, max_sdu_c_to_p: u16, max_sdu_p_to_c: u16,
            sdu_interval_c_to_p: U24, sdu_interval_p_to_c: U24, max_pdu_c_to_p: u16, max_pdu_p_to_c: u16, nse: u8,
            sub_interval: U24, bn: u8, ft_c_to_p: u8, ft_p_to_c: u8, iso_interval: u16, cis_offset_min: U24,
            cis_offset_max: U24, conn_event_count: u16
        } "01 02 01 01 2800 2800 102700 102700 2800 2800 02 000400 11 02 02 0800 f40100 e80300 0a00";
        0x20 CisRsp "LL_CIS_RSP" "2.4.2.30" { cis_offset_min: U24, cis_offset_max: U24, conn_event_count: u16 } "f40100 e80300 0a00";
        0x21 CisInd "LL_CIS_IND" "2.4.2.31" {
            access_address: u32, cis_offset: U24, cig_sync_delay: U24, cis_sync_delay: U24, conn_event_count: u16
        } "78563412 f40100 e80300 e80300 0a00";
        0x22 CisTerminateInd "LL_CIS_TERMINATE_IND" "2.4.2.32" { cig_id: u8, cis_id: u8, error_code: Status as Reason } "01 02 13";
        0x23 PowerControlReq "LL_POWER_CONTROL_REQ" "2.4.2.33" { phy: u8, delta: i8, tx_power: i8 } "01 02 00";
        0x24 PowerControlRsp "LL_POWER_CONTROL_RSP" "2.4.2.34" { limits: u8, delta: i8, tx_power: i8, acceptable_reduction: u8 } "00 02 04 00";
        0x25 PowerChangeInd "LL_POWER_CHANGE_IND" "2.4.2.35" { phys: u8, limits: u8, delta: i8, tx_power: i8 } "01 00 02 04";
        0x26 SubrateReq "LL_SUBRATE_REQ" "2.4.2.36" {
            subrate_factor_min: u16, subrate_factor_max: u16, max_latency: u16, continuation_number: u16, timeout: u16
        } "0100 0400 0000 0100 c800";
        0x27 SubrateInd "LL_SUBRATE_IND" "2.4.2.37" {
            subrate_factor: u16, subrate_base_event: u16, latency: u16, continuation_number: u16, timeout: u16
        } "0400 0a00 0000 0100 c800";
        0x28 ChannelReportingInd "LL_CHANNEL_REPORTING_IND" "2.4.2.38" { enable: u8, min_spacing: u8, max_delay: u8 } "01 05 14";
        0x29 ChannelStatusInd "LL_CHANNEL_STATUS_IND" "2.4.2.39" { channel_classification: [u8; 10] } "00010203040506070809";
        0x2a PeriodicSyncWrInd "LL_PERIODIC_SYNC_WR_IND" "2.4.2.40" { id: u16, sync_info: &'a [u8] } "0100 0001";
        0x2b FeatureExtReq "LL_FEATURE_EXT_REQ" "2.4.2.41" { max_page: u8, page: u8, feature_page: [u8; 24] }
            "01 01 000000000000000000000000000000000000000000000000";
        0x2c FeatureExtRsp "LL_FEATURE_EXT_RSP" "2.4.2.42" { max_page: u8, page: u8, feature_page: [u8; 24] }
            "01 01 000000000000000000000000000000000000000000000000";
    }
}

impl Control<'_> {
    /// Which side alone may send such a PDU: true is the central. `None` where both may.
    pub fn by_central(&self) -> Option<bool> {
        match self {
            Self::ConnectionUpdateInd { .. }
            | Self::ChannelMapInd { .. }
            | Self::EncReq { .. }
            | Self::FeatureReq { .. }
            | Self::PauseEncReq {}
            | Self::PhyUpdateInd { .. }
            | Self::CisReq { .. }
            | Self::CisInd { .. }
            | Self::SubrateInd { .. } => Some(true),
            Self::EncRsp { .. }
            | Self::StartEncReq {}
            | Self::PeripheralFeatureReq { .. }
            | Self::MinUsedChannelsInd { .. }
            | Self::CisRsp { .. }
            | Self::SubrateReq { .. } => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_pdu_decodes_its_example_and_encodes_it_back() {
        check_table!(Control);
    }

    #[test]
    fn any_bytes_of_any_pdu_decode() {
        check_properties!(Control);
    }

    #[test]
    fn what_encryption_begins_with_does_not_print() {
        let (pdu, _) = Control::decode(0x03, &[0xab; 22], false);
        let (answer, _) = Control::decode(0x04, &[0xab; 12], false);
        let text = format!("{pdu:?} {answer:?}").to_lowercase();
        assert!(!text.replace("0xabab", "").contains("ab,"), "{text}");
    }
}
