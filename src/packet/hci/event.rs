//! HCI events (Core, Vol 4, Part E, section 7.7), LE Meta aside.
use super::command::StoredLinkKey;
use super::le::LeEvent;
use super::returns::{Return, Returned};
use crate::packet::Problem;
use crate::packet::codes::{Address, ConnHandle, Opcode, Secret, Status};
use crate::packet::field::{Counted, Field, FieldSink, entries, malformed};
use crate::packet::pdus::{OutOfRange, pdus};
use crate::packet::visit::{Kind, Part, Visitor, opaque};
use nom::IResult;

entries! {
    /// One response of Inquiry Result.
    InquiryResponse {
        bd_addr: Address,
        page_scan_repetition_mode: u8,
        reserved: u16,
        class_of_device: [u8; 3],
        clock_offset: u16,
    }

    /// One response of Inquiry Result With RSSI.
    InquiryResponseWithRssi {
        bd_addr: Address,
        page_scan_repetition_mode: u8,
        reserved: u8,
        class_of_device: [u8; 3],
        clock_offset: u16,
        rssi: i8,
    }
}

pdus! {
    /// One HCI event, after its header of code and length.
    Event: u8, "Core, Vol 4, Part E" {
        0x01 InquiryComplete "Inquiry Complete" "7.7.1" { status: Status } "00";
        0x02 InquiryResult "Inquiry Result" "7.7.2" { responses: Counted<'a, InquiryResponse> } "01 0102030405c6 01 0000 0c025a 0000";
        0x03 ConnectionComplete "Connection Complete" "7.7.3" {
            status: Status, connection_handle: ConnHandle, bd_addr: Address, link_type: u8, encryption_enabled: u8
        } "00 4000 0102030405c6 01 00";
        0x04 ConnectionRequest "Connection Request" "7.7.4" {
            bd_addr: Address, class_of_device: [u8; 3], link_type: u8
        } "0102030405c6 0c025a 01";
        0x05 DisconnectionComplete "Disconnection Complete" "7.7.5" {
            status: Status, connection_handle: ConnHandle, reason: Status as Reason
        } "00 4000 3e";
        0x06 AuthenticationComplete "Authentication Complete" "7.7.6" { status: Status, connection_handle: ConnHandle } "00 4000";
        0x07 RemoteNameRequestComplete "Remote Name Request Complete" "7.7.7" {
            status: Status, bd_addr: Address, remote_name: &'a [u8] as Name
        } "00 0102030405c6 6869";
        0x08 EncryptionChange "Encryption Change" "7.7.8" {
            status: Status, connection_handle: ConnHandle, encryption_enabled: u8 = 0x00..=0x02
        } "00 4000 01";
        0x09 ChangeConnectionLinkKeyComplete "Change Connection Link Key Complete" "7.7.9" {
            status: Status, connection_handle: ConnHandle
        } "00 4000";
        0x0b ReadRemoteSupportedFeaturesComplete "Read Remote Supported Features Complete" "7.7.11" {
            status: Status, connection_handle: ConnHandle, lmp_features: [u8; 8]
        } "00 4000 ffff8ffedbff5b87";
        0x0c ReadRemoteVersionInformationComplete "Read Remote Version Information Complete" "7.7.12" {
            status: Status, connection_handle: ConnHandle, version: u8, company_identifier: u16, subversion: u16
        } "00 4000 0b 5900 1011";
        0x0d QosSetupComplete "QoS Setup Complete" "7.7.13" {
            status: Status, connection_handle: ConnHandle, unused: u8, service_type: u8, token_rate: u32, peak_bandwidth: u32,
            latency: u32, delay_variation: u32
        } "00 4000 00 01 00000000 00000000 102b0000 ffffffff";
        0x0e CommandComplete "Command Complete" "7.7.14" {
            num_hci_command_packets: u8, command_opcode: Opcode, return_parameters: Returned<'a>
        } "01 030c 00";
        0x0f CommandStatus "Command Status" "7.7.15" {
            status: Status, num_hci_command_packets: u8, command_opcode: Opcode
        } "00 01 0d20";
        0x10 HardwareError "Hardware Error" "7.7.16" { hardware_code: u8 } "03";
        0x11 FlushOccurred "Flush Occurred" "7.7.17" { connection_handle: ConnHandle } "4000";
        0x12 RoleChange "Role Change" "7.7.18" { status: Status, bd_addr: Address, new_role: u8 = 0x00..=0x01 } "00 0102030405c6 00";
        0x13 NumberOfCompletedPackets "Number Of Completed Packets" "7.7.19" {
            handles: Counted<'a, (ConnHandle, u16)>
        } "01 4000 0100";
        0x14 ModeChange "Mode Change" "7.7.20" {
            status: Status, connection_handle: ConnHandle, current_mode: u8, interval: u16
        } "00 4000 02 2003";
        0x15 ReturnLinkKeys "Return Link Keys" "7.7.21" {
            keys: Counted<'a, StoredLinkKey>
        } "01 0102030405c6 000102030405060708090a0b0c0d0e0f";
        0x16 PinCodeRequest "PIN Code Request" "7.7.22" { bd_addr: Address } "0102030405c6";
        0x17 LinkKeyRequest "Link Key Request" "7.7.23" { bd_addr: Address } "0102030405c6";
        0x18 LinkKeyNotification "Link Key Notification" "7.7.24" { bd_addr: Address, link_key: Secret<16>, key_type: u8 }
            "0102030405c6 000102030405060708090a0b0c0d0e0f 04";
        0x1a DataBufferOverflow "Data Buffer Overflow" "7.7.26" { link_type: u8 } "01";
        0x1b MaxSlotsChange "Max Slots Change" "7.7.27" { connection_handle: ConnHandle, lmp_max_slots: u8 } "4000 05";
        0x1c ReadClockOffsetComplete "Read Clock Offset Complete" "7.7.28" {
            status: Status, connection_handle: ConnHandle, clock_offset: u16
        } "00 4000 3412";
        0x1d ConnectionPacketTypeChanged "Connection Packet Type Changed" "7.7.29" {
            status: Status, connection_handle: ConnHandle, packet_type: u16
        } "00 4000 18cc";
        0x1e QosViolation "QoS Violation" "7.7.30" { connection_handle: ConnHandle } "4000";
        0x20 PageScanRepetitionModeChange "Page Scan Repetition Mode Change" "7.7.31" {
            bd_addr: Address, page_scan_repetition_mode: u8 = 0x00..=0x02
        } "0102030405c6 01";
        0x21 FlowSpecificationComplete "Flow Specification Complete" "7.7.32" {
            status: Status, connection_handle: ConnHandle, unused: u8, flow_direction: u8, service_type: u8, token_rate: u32,
            token_bucket_size: u32, peak_bandwidth: u32, access_latency: u32
        } "00 4000 00 00 01 00000000 00000000 00000000 102b0000";
        0x22 InquiryResultWithRssi "Inquiry Result With RSSI" "7.7.33" {
            responses: Counted<'a, InquiryResponseWithRssi>
        } "01 0102030405c6 01 00 0c025a 0000 c4";
        0x23 ReadRemoteExtendedFeaturesComplete "Read Remote Extended Features Complete" "7.7.34" {
            status: Status, connection_handle: ConnHandle, page_number: u8, maximum_page_number: u8, extended_lmp_features: [u8; 8]
        } "00 4000 01 02 0300000000000000";
        0x2c SynchronousConnectionComplete "Synchronous Connection Complete" "7.7.35" {
            status: Status, connection_handle: ConnHandle, bd_addr: Address, link_type: u8, transmission_interval: u8,
            retransmission_window: u8, rx_packet_length: u16, tx_packet_length: u16, air_mode: u8
        } "00 4100 0102030405c6 02 0c 04 3c00 3c00 02";
        0x2d SynchronousConnectionChanged "Synchronous Connection Changed" "7.7.36" {
            status: Status, connection_handle: ConnHandle, transmission_interval: u8, retransmission_window: u8,
            rx_packet_length: u16, tx_packet_length: u16
        } "00 4100 0c 04 3c00 3c00";
        0x2e SniffSubrating "Sniff Subrating" "7.7.37" {
            status: Status, connection_handle: ConnHandle, maximum_tx_latency: u16, maximum_rx_latency: u16,
            minimum_remote_timeout: u16, minimum_local_timeout: u16
        } "00 4000 2003 2003 0000 0000";
        0x2f ExtendedInquiryResult "Extended Inquiry Result" "7.7.38" {
            num_responses: u8 as Count = 0x01, bd_addr: Address, page_scan_repetition_mode: u8, reserved: u8,
            class_of_device: [u8; 3], clock_offset: u16, rssi: i8, extended_inquiry_response: &'a [u8] as Advertising
        } "01 0102030405c6 01 00 0c025a 0000 c4 020106";
        0x30 EncryptionKeyRefreshComplete "Encryption Key Refresh Complete" "7.7.39" {
            status: Status, connection_handle: ConnHandle
        } "00 4000";
        0x31 IoCapabilityRequest "IO Capability Request" "7.7.40" { bd_addr: Address } "0102030405c6";
        0x32 IoCapabilityResponse "IO Capability Response" "7.7.41" {
            bd_addr: Address, io_capability: u8 = 0x00..=0x03, oob_data_present: u8 = 0x00..=0x03,
            authentication_requirements: u8 = 0x00..=0x05
        } "0102030405c6 03 00 05";
        0x33 UserConfirmationRequest "User Confirmation Request" "7.7.42" {
            bd_addr: Address, numeric_value: Secret<4>
        } "0102030405c6 01020304";
        0x34 UserPasskeyRequest "User Passkey Request" "7.7.43" { bd_addr: Address } "0102030405c6";
        0x35 RemoteOobDataRequest "Remote OOB Data Request" "7.7.44" { bd_addr: Address } "0102030405c6";
        0x36 SimplePairingComplete "Simple Pairing Complete" "7.7.45" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x38 LinkSupervisionTimeoutChanged "Link Supervision Timeout Changed" "7.7.46" {
            connection_handle: ConnHandle, link_supervision_timeout: u16
        } "4000 d007";
        0x39 EnhancedFlushComplete "Enhanced Flush Complete" "7.7.47" { connection_handle: ConnHandle } "4000";
        0x3b UserPasskeyNotification "User Passkey Notification" "7.7.48" {
            bd_addr: Address, passkey: Secret<4>
        } "0102030405c6 01020304";
        0x3c KeypressNotification "Keypress Notification" "7.7.49" {
            bd_addr: Address, notification_type: u8 = 0x00..=0x04
        } "0102030405c6 01";
        0x3d RemoteHostSupportedFeaturesNotification "Remote Host Supported Features Notification" "7.7.50" {
            bd_addr: Address, host_supported_features: [u8; 8]
        } "0102030405c6 0300000000000000";
        0x3e Le "LE Meta" "7.7.65" { event: LeEvent<'a> } "14 4000 01";
        0x50 SynchronizationTrainReceived "Synchronization Train Received" "7.7.68" {
            status: Status, bd_addr: Address, clock_offset: u32, afh_channel_map: [u8; 10], lt_addr: u8,
            next_broadcast_instant: u32, broadcast_interval: u16, service_data: u8
        } "00 0102030405c6 00000000 ffffffffffffffffff7f 01 00000000 5000 00";
        0x51 ConnectionlessPeripheralBroadcastReceive "Connectionless Peripheral Broadcast Receive" "7.7.69" {
            bd_addr: Address, lt_addr: u8, clock: u32, offset: u32, rx_status: u8, fragment: u8, data_length: u8 as Count,
            data: &'a [u8]
        } "0102030405c6 01 00000000 00000000 00 03 01 55";
        0x52 ConnectionlessPeripheralBroadcastTimeout "Connectionless Peripheral Broadcast Timeout" "7.7.70" {
            bd_addr: Address, lt_addr: u8
        } "0102030405c6 01";
        0x53 TruncatedPageComplete "Truncated Page Complete" "7.7.71" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x57 AuthenticatedPayloadTimeoutExpired "Authenticated Payload Timeout Expired" "7.7.75" {
            connection_handle: ConnHandle
        } "4000";
        0x59 EncryptionChangeV2 "Encryption Change [v2]" "7.7.8" {
            status: Status, connection_handle: ConnHandle, encryption_enabled: u8 = 0x00..=0x02, encryption_key_size: u8
        } "00 4000 01 10";
    }
}

/// LE Meta nests one table in another.
impl<'a> Field<'a> for LeEvent<'a> {
    const KIND: Kind = Kind::Value;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (rest, subevent) = u8::parse(input)?;
        // Only [`Event::read`] keeps a subevent that has a problem.
        match LeEvent::decode(subevent, rest, false) {
            (event, None) => Ok((&[], event)),
            (_, Some(_)) => malformed(input),
        }
    }
    fn visit(&self, _: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new("subevent_code", Kind::Number, &[self.code()]));
        LeEvent::visit(self, visitor);
    }
    fn show(&self, _: &'static str, sink: &mut dyn FieldSink) {
        self.fields(sink);
    }
    fn out_of_range(&self, _: &'static str, say: &mut dyn FnMut(OutOfRange)) {
        LeEvent::out_of_range(self, say);
    }
}

impl<'a> Event<'a> {
    /// Reads an event's parameters; LE Meta keeps the problem of the event inside it.
    pub fn read(code: u8, parameters: &'a [u8], cut: bool) -> (Self, Option<Problem>) {
        Self::read_as(code, parameters, cut, |event| event)
    }

    #[inline]
    pub(crate) fn read_as<T>(
        code: u8,
        parameters: &'a [u8],
        cut: bool,
        whole: impl FnOnce(Self) -> T,
    ) -> (T, Option<Problem>) {
        match (code, parameters) {
            (0x3e, [subevent, inner @ ..]) => {
                LeEvent::decode_as(*subevent, inner, cut, |event| whole(Event::Le { event }))
            }
            _ => Event::decode_as(code, parameters, cut, whole),
        }
    }

    /// LE Meta's subevent.
    pub fn subevent(&self) -> Option<u8> {
        match self {
            Event::Le { event } => Some(event.code()),
            _ => None,
        }
    }

    /// Like [`Self::visit`], and what a command returned is shown field by field too.
    pub fn visit_whole(&self, visitor: &mut dyn Visitor) {
        let Event::CommandComplete { num_hci_command_packets, command_opcode, return_parameters } =
            self
        else {
            return self.visit(visitor);
        };
        Field::visit(num_hci_command_packets, "num_hci_command_packets", Kind::Number, visitor);
        Field::visit(command_opcode, "command_opcode", Kind::Number, visitor);
        match Return::decode(command_opcode.0, return_parameters.0, false) {
            // A tail that no field holds is no reason to lose it.
            (returned, None) => returned.visit(visitor),
            (_, Some(_)) => match return_parameters.0.split_first() {
                // All but vendors' commands return a status first.
                Some((status, rest)) if command_opcode.0 != 0 && command_opcode.0 >> 10 != 0x3f => {
                    Field::visit(&Status(*status), "status", Kind::Status, visitor);
                    opaque("return_parameters", rest, visitor);
                }
                _ => opaque("return_parameters", return_parameters.0, visitor),
            },
        }
    }

    /// The status that the event carries.
    pub fn status(&self) -> Option<Status> {
        match *self {
            // Vendor commands may return anything, and No Operation returns nothing: there is no status.
            Event::CommandComplete { command_opcode, .. }
                if command_opcode.0 == 0 || command_opcode.0 >> 10 == 0x3f =>
            {
                None
            }
            Event::CommandComplete { command_opcode, return_parameters, .. } => {
                return_parameters.of(command_opcode, false).status()
            }
            Event::Le { ref event } => event.status(),
            _ => self.first(Kind::Status).and_then(|code| u8::try_from(code).ok()).map(Status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_event_decodes_its_example_and_encodes_it_back() {
        check_table!(Event);
    }

    #[test]
    fn any_bytes_of_any_event_decode() {
        check_properties!(Event);
    }
}
