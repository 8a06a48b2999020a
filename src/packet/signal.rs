//! L2CAP signalling (Core, Vol 3, Part A, section 4).
use super::field::{Cid, List};
use super::pdus::pdus;

pdus! {
    /// One signalling command, after its header of code, identifier and length.
    Pdu: u8, "Core, Vol 3, Part A" {
        0x01 CommandReject "Command Reject" "4.1" { reason: u16 as Reason, data: &'a [u8] as Bits } "0000";
        0x02 ConnectionRequest "Connection Request" "4.2" { psm: u16, source_cid: u16 } "0100 4000";
        0x03 ConnectionResponse "Connection Response" "4.3" {
            destination_cid: u16, source_cid: u16, result: u16 as Reason, status: u16
        } "4100 4000 0000 0000";
        0x04 ConfigureRequest "Configure Request" "4.4" {
            destination_cid: u16, flags: u16, options: &'a [u8] as Bits
        } "4100 0000 01020004";
        0x05 ConfigureResponse "Configure Response" "4.5" {
            source_cid: u16, flags: u16, result: u16 as Reason, options: &'a [u8] as Bits
        } "4000 0000 0000";
        0x06 DisconnectionRequest "Disconnection Request" "4.6" { destination_cid: u16, source_cid: u16 } "4100 4000";
        0x07 DisconnectionResponse "Disconnection Response" "4.7" { destination_cid: u16, source_cid: u16 } "4100 4000";
        0x08 EchoRequest "Echo Request" "4.8" { data: &'a [u8] } "01";
        0x09 EchoResponse "Echo Response" "4.9" { data: &'a [u8] } "01";
        0x0a InformationRequest "Information Request" "4.10" { info_type: u16 } "0200";
        0x0b InformationResponse "Information Response" "4.11" {
            info_type: u16, result: u16 as Reason, info: &'a [u8] as Bits
        } "0200 0000 b8020000";
        0x0c CreateChannelRequest "Create Channel Request" "4.14" { psm: u16, source_cid: u16, controller_id: u8 } "0100 4000 01";
        0x0d CreateChannelResponse "Create Channel Response" "4.15" {
            destination_cid: u16, source_cid: u16, result: u16 as Reason, status: u16
        } "4100 4000 0000 0000";
        0x0e MoveChannelRequest "Move Channel Request" "4.16" { initiator_cid: u16, destination_controller_id: u8 } "4000 01";
        0x0f MoveChannelResponse "Move Channel Response" "4.17" { initiator_cid: u16, result: u16 as Reason } "4000 0000";
        0x10 MoveChannelConfirmation "Move Channel Confirmation" "4.18" { initiator_cid: u16, result: u16 as Reason } "4000 0000";
        0x11 MoveChannelConfirmationResponse "Move Channel Confirmation Response" "4.19" { initiator_cid: u16 } "4000";
        0x12 ConnectionParameterUpdateRequest "Connection Parameter Update Request" "4.20" {
            interval_min: u16 = 0x0006..=0x0c80, interval_max: u16 = 0x0006..=0x0c80, latency: u16 = 0x0000..=0x01f3,
            timeout: u16 = 0x000a..=0x0c80
        } "0600 0c00 0000 c800";
        0x13 ConnectionParameterUpdateResponse "Connection Parameter Update Response" "4.21" {
            result: u16 as Reason = 0x0000..=0x0001
        } "0000";
        0x14 LeCreditBasedConnectionRequest "LE Credit Based Connection Request" "4.22" {
            spsm: u16 = 0x0001..=0x00ff, source_cid: u16 = 0x0040..=0x007f, mtu: u16 = 0x0017..=0xffff,
            mps: u16 = 0x0017..=0xfffd, initial_credits: u16
        } "8000 4000 0002 f700 0a00";
        0x15 LeCreditBasedConnectionResponse "LE Credit Based Connection Response" "4.23" {
            destination_cid: u16, mtu: u16, mps: u16, initial_credits: u16, result: u16 as Reason
        } "4100 0002 f700 0a00 0000";
        0x16 FlowControlCreditInd "Flow Control Credit Indication" "4.24" { cid: u16, credits: u16 = 0x0001..=0xffff } "4000 0500";
        0x17 CreditBasedConnectionRequest "Credit Based Connection Request" "4.25" {
            spsm: u16, mtu: u16 = 0x0040..=0xffff, mps: u16 = 0x0040..=0xfffd, initial_credits: u16 = 0x0001..=0xffff,
            source_cids: List<'a, Cid, 1>
        } "2700 4000 4000 0500 4000 4100";
        0x18 CreditBasedConnectionResponse "Credit Based Connection Response" "4.26" {
            mtu: u16, mps: u16, initial_credits: u16, result: u16 as Reason, destination_cids: List<'a, Cid>
        } "4000 4000 0500 0000 5000 5100";
        0x19 CreditBasedReconfigureRequest "Credit Based Reconfigure Request" "4.27" {
            mtu: u16 = 0x0040..=0xffff, mps: u16 = 0x0040..=0xfffd, destination_cids: List<'a, Cid, 1>
        } "8000 4000 5000";
        0x1a CreditBasedReconfigureResponse "Credit Based Reconfigure Response" "4.28" { result: u16 as Reason } "0000";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_command_decodes_its_example_and_encodes_it_back() {
        check_table!(Pdu);
    }

    #[test]
    fn any_bytes_of_any_pdu_decode() {
        check_properties!(Pdu);
    }
}
