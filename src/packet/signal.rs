//! L2CAP signalling (Core, Vol 3, Part A, section 4).
use super::codes::codes;
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
        0x0c CreateChannelRequest "Create Channel Request" { psm: u16, source_cid: u16, controller_id: u8 } "0100 4000 01";
        0x0d CreateChannelResponse "Create Channel Response" { destination_cid: u16, source_cid: u16, result: u16, status: u16 } "4100 4000 0000 0000";
        0x0e MoveChannelRequest "Move Channel Request" { initiator_cid: u16, destination_controller_id: u8 } "4000 01";
        0x0f MoveChannelResponse "Move Channel Response" { initiator_cid: u16, result: u16 } "4000 0000";
        0x10 MoveChannelConfirmation "Move Channel Confirmation" { initiator_cid: u16, result: u16 } "4000 0000";
        0x11 MoveChannelConfirmationResponse "Move Channel Confirmation Response" { initiator_cid: u16 } "4000";
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
            spsm: u16, mtu: u16, mps: u16, initial_credits: u16, source_cids: List<'a, Cid, 1>
        } "2700 4000 4000 0500 4000 4100";
        0x18 CreditBasedConnectionResponse "Credit Based Connection Response" {
            mtu: u16, mps: u16, initial_credits: u16, result: u16, destination_cids: List<'a, Cid>
        } "4000 4000 0500 0000 5000 5100";
        0x19 CreditBasedReconfigureRequest "Credit Based Reconfigure Request" {
            mtu: u16, mps: u16, destination_cids: List<'a, Cid, 1>
        } "8000 4000 5000";
        0x1a CreditBasedReconfigureResponse "Credit Based Reconfigure Response" { result: u16 } "0000";
    }
}

codes! {
    /// Why a command was not understood (4.1).
    RejectReason(u16) {
        0 NOT_UNDERSTOOD "Command not understood",
        1 MTU_EXCEEDED "Signalling MTU exceeded",
        2 INVALID_CID "Invalid CID in request",
    }
}

codes! {
    /// What became of a request for a BR/EDR channel (4.3).
    ConnectionResult(u16) {
        0 SUCCESS "Connection successful",
        1 PENDING "Connection pending",
        2 PSM_NOT_SUPPORTED "PSM not supported",
        3 SECURITY_BLOCK "Security block",
        4 NO_RESOURCES "No resources available",
        6 INVALID_SOURCE_CID "Invalid Source CID",
        7 SOURCE_CID_ALLOCATED "Source CID already allocated",
    }
}

codes! {
    /// What became of a request for credit based channels (4.23, 4.26).
    CreditResult(u16) {
        0 SUCCESS "All connections successful",
        2 SPSM_NOT_SUPPORTED "SPSM not supported",
        4 NO_RESOURCES "Insufficient resources available",
        5 INSUFFICIENT_AUTHENTICATION "Insufficient authentication",
        6 INSUFFICIENT_AUTHORIZATION "Insufficient authorization",
        7 KEY_SIZE_TOO_SHORT "Encryption key size too short",
        8 INSUFFICIENT_ENCRYPTION "Insufficient encryption",
        9 INVALID_SOURCE_CID "Invalid Source CID",
        10 SOURCE_CID_ALLOCATED "Source CID already allocated",
        11 UNACCEPTABLE_PARAMETERS "Unacceptable parameters",
        12 INVALID_PARAMETERS "Invalid parameters",
        13 PENDING "Connection pending, no further information available",
        14 PENDING_AUTHENTICATION "Connection pending, authentication pending",
        15 PENDING_AUTHORIZATION "Connection pending, authorization pending",
    }
}

codes! {
    /// What became of a request for other connection parameters (4.21).
    UpdateResult(u16) {
        0 ACCEPTED "Connection Parameters accepted",
        1 REJECTED "Connection Parameters rejected",
    }
}

codes! {
    /// What became of a reconfiguration of credit based channels (4.28).
    ReconfigureResult(u16) {
        0 SUCCESS "Reconfiguration successful",
        1 MTU_REDUCTION "Reduction in size of MTU not allowed",
        2 MPS_REDUCTION "Reduction in size of MPS not allowed for more than one channel at a time",
        3 INVALID_DESTINATION_CID "One or more Destination CIDs invalid",
        4 UNACCEPTABLE_PARAMETERS "Other unacceptable parameters",
    }
}

codes! {
    /// What became of a configuration (4.5).
    ConfigureResult(u16) {
        0 SUCCESS "Success",
        1 UNACCEPTABLE_PARAMETERS "Failure - unacceptable parameters",
        2 REJECTED "Failure - rejected (no reason provided)",
        3 UNKNOWN_OPTIONS "Failure - unknown options",
        4 PENDING "Pending",
        5 FLOW_SPEC_REJECTED "Failure - flow spec rejected",
    }
}

impl Pdu<'_> {
    /// The result or reason that the command carries.
    pub fn result(&self) -> Option<u16> {
        match *self {
            Pdu::CommandReject { reason: result, .. }
            | Pdu::ConnectionResponse { result, .. }
            | Pdu::ConfigureResponse { result, .. }
            | Pdu::CreateChannelResponse { result, .. }
            | Pdu::MoveChannelResponse { result, .. }
            | Pdu::MoveChannelConfirmation { result, .. }
            | Pdu::InformationResponse { result, .. }
            | Pdu::ConnectionParameterUpdateResponse { result }
            | Pdu::LeCreditBasedConnectionResponse { result, .. }
            | Pdu::CreditBasedConnectionResponse { result, .. }
            | Pdu::CreditBasedReconfigureResponse { result } => Some(result),
            _ => None,
        }
    }

    /// The specification's name of that result.
    pub fn result_name(&self) -> Option<&'static str> {
        let result = self.result()?;
        match self {
            Pdu::CommandReject { .. } => RejectReason(result).name(),
            Pdu::ConnectionResponse { .. } => ConnectionResult(result).name(),
            Pdu::ConfigureResponse { .. } => ConfigureResult(result).name(),
            Pdu::ConnectionParameterUpdateResponse { .. } => UpdateResult(result).name(),
            Pdu::LeCreditBasedConnectionResponse { .. }
            | Pdu::CreditBasedConnectionResponse { .. } => CreditResult(result).name(),
            Pdu::CreditBasedReconfigureResponse { .. } => ReconfigureResult(result).name(),
            _ => None,
        }
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
