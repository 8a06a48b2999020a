//! L2CAP signalling (Core, Vol 3, Part A, section 4).
use super::field::{Cid, List};
use super::pdus::pdus;

pdus! {
    /// One signalling command, after its header of code, identifier and length.
    Pdu: u8 {
        0x01 CommandReject "Command Reject" { reason: u16, data: &'a [u8] } "0000";
        0x02 ConnectionRequest "Connection Request" { psm: u16, source_cid: u16 } "0100 4000";
        0x03 ConnectionResponse "Connection Response" { destination_cid: u16, source_cid: u16, result: u16, status: u16 } "4100 4000 0000 0000";
        0x04 ConfigureRequest "Configure Request" { destination_cid: u16, flags: u16, options: &'a [u8] } "4100 0000 01020004";
        0x05 ConfigureResponse "Configure Response" { source_cid: u16, flags: u16, result: u16, options: &'a [u8] } "4000 0000 0000";
        0x06 DisconnectionRequest "Disconnection Request" { destination_cid: u16, source_cid: u16 } "4100 4000";
        0x07 DisconnectionResponse "Disconnection Response" { destination_cid: u16, source_cid: u16 } "4100 4000";
        0x08 EchoRequest "Echo Request" { data: &'a [u8] } "01";
        0x09 EchoResponse "Echo Response" { data: &'a [u8] } "01";
        0x0a InformationRequest "Information Request" { info_type: u16 } "0200";
        0x0b InformationResponse "Information Response" { info_type: u16, result: u16, info: &'a [u8] } "0200 0000 b8020000";
        0x12 ConnectionParameterUpdateRequest "Connection Parameter Update Request" {
            interval_min: u16, interval_max: u16, latency: u16, timeout: u16
        } "0600 0c00 0000 c800";
        0x13 ConnectionParameterUpdateResponse "Connection Parameter Update Response" { result: u16 } "0000";
        0x14 LeCreditBasedConnectionRequest "LE Credit Based Connection Request" {
            spsm: u16, source_cid: u16, mtu: u16, mps: u16, initial_credits: u16
        } "8000 4000 0002 f700 0a00";
        0x15 LeCreditBasedConnectionResponse "LE Credit Based Connection Response" {
            destination_cid: u16, mtu: u16, mps: u16, initial_credits: u16, result: u16
        } "4100 0002 f700 0a00 0000";
        0x16 FlowControlCreditInd "Flow Control Credit Indication" { cid: u16, credits: u16 } "4000 0500";
        0x17 CreditBasedConnectionRequest "Credit Based Connection Request" {
            spsm: u16, mtu: u16, mps: u16, initial_credits: u16, source_cids: List<'a, Cid>
        } "2700 4000 4000 0500 4000 4100";
        0x18 CreditBasedConnectionResponse "Credit Based Connection Response" {
            mtu: u16, mps: u16, initial_credits: u16, result: u16, destination_cids: List<'a, Cid>
        } "4000 4000 0500 0000 5000 5100";
        0x19 CreditBasedReconfigureRequest "Credit Based Reconfigure Request" {
            mtu: u16, mps: u16, destination_cids: List<'a, Cid>
        } "8000 4000 5000";
        0x1a CreditBasedReconfigureResponse "Credit Based Reconfigure Response" { result: u16 } "0000";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pdus::check_table;

    #[test]
    fn every_command_decodes_its_example_and_encodes_it_back() {
        check_table!(Pdu);
    }
}
