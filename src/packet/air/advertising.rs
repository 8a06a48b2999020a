//! Advertising physical channel PDUs (Core, Vol 6, Part B, 2.3).
use super::extended::Extended;
use crate::packet::Address;
use crate::packet::field::U24;
use crate::packet::pdus::pdus;

pdus! {
    /// One PDU of advertising, scanning or initiating, by its type. On secondary channels the same
    /// types have other names.
    Advertising: u8, "Core, Vol 6, Part B" {
        0x00 AdvInd "ADV_IND" "2.3.1.1" { adv_a: Address, adv_data: &'a [u8] as Advertising } "0102030405c6 020106";
        0x01 AdvDirectInd "ADV_DIRECT_IND" "2.3.1.2" { adv_a: Address, target_a: Address } "0102030405c6 1112131415d6";
        0x02 AdvNonconnInd "ADV_NONCONN_IND" "2.3.1.3" { adv_a: Address, adv_data: &'a [u8] as Advertising } "0102030405c6 020106";
        0x03 ScanReq "SCAN_REQ" "2.3.2.1" { scan_a: Address, adv_a: Address } "1112131415d6 0102030405c6";
        0x04 ScanRsp "SCAN_RSP" "2.3.2.2" { adv_a: Address, scan_rsp_data: &'a [u8] as Advertising } "0102030405c6 020106";
        0x05 ConnectInd "CONNECT_IND" "2.3.3.1" {
            init_a: Address, adv_a: Address, access_address: u32, crc_init: U24, win_size: u8, win_offset: u16,
            interval: u16 = 0x0006..=0x0c80, latency: u16 = 0x0000..=0x01f3, timeout: u16 = 0x000a..=0x0c80,
            channel_map: [u8; 5], hop_sca: u8
        } "1112131415d6 0102030405c6 78563412 563412 02 0300 1800 0000 4800 ffffffff1f a5";
        0x06 AdvScanInd "ADV_SCAN_IND" "2.3.1.4" { adv_a: Address, adv_data: &'a [u8] as Advertising } "0102030405c6 020106";
        0x07 AdvExtInd "ADV_EXT_IND" "2.3.4" { payload: Extended<'a> } "46 18 3412 058007";
        0x08 AuxConnectRsp "AUX_CONNECT_RSP" "2.3.3.2" { payload: Extended<'a> } "0d 03 0102030405c6 1112131415d6";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_pdu_decodes_its_example_and_encodes_it_back() {
        check_table!(Advertising);
    }

    #[test]
    fn any_bytes_of_any_pdu_decode() {
        check_properties!(Advertising);
    }
}
