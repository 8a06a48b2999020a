//! What Command Complete returns, by the command that it answers.
use crate::packet::codes::{Address, ConnHandle, Opcode, Status};
use crate::packet::field::{Field, FieldSink};
use crate::packet::pdus::pdus;
use crate::packet::visit::{Kind, Visitor, opaque};
use nom::IResult;

/// Return parameters as they came; which fields they hold, their command says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Returned<'a>(pub &'a [u8]);

impl<'a> Returned<'a> {
    /// The parameters of this command.
    pub fn of(self, command: Opcode, cut: bool) -> Return<'a> {
        Return::decode(command.0, self.0, cut).0
    }
}

/// They may be keys: only their number is told.
impl std::fmt::Debug for Returned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl<'a> Field<'a> for Returned<'a> {
    const KIND: Kind = Kind::Opaque;

    #[inline]
    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        Ok((&[], Self(input)))
    }
    fn visit(&self, name: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        // Which fields they are their command says: see `Event::visit`.
        opaque(name, self.0, visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.secret(name, self.0.len());
    }
}

pdus! {
    /// Return parameters. Commands that return only a status (and handle) need no entry: see [`Return::status`].
    Return: u16, "Core, Vol 4, Part E" {
        0x0408 CreateConnectionCancel "Create Connection Cancel" "7.1.7" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x040b LinkKeyRequestReply "Link Key Request Reply" "7.1.10" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x040c LinkKeyRequestNegativeReply "Link Key Request Negative Reply" "7.1.11" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x040d PinCodeRequestReply "PIN Code Request Reply" "7.1.12" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x040e PinCodeRequestNegativeReply "PIN Code Request Negative Reply" "7.1.13" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x041a RemoteNameRequestCancel "Remote Name Request Cancel" "7.1.20" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x042b IoCapabilityRequestReply "IO Capability Request Reply" "7.1.29" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x042c UserConfirmationRequestReply "User Confirmation Request Reply" "7.1.30" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x042d UserConfirmationRequestNegativeReply "User Confirmation Request Negative Reply" "7.1.31" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x042e UserPasskeyRequestReply "User Passkey Request Reply" "7.1.32" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x042f UserPasskeyRequestNegativeReply "User Passkey Request Negative Reply" "7.1.33" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x0430 RemoteOobDataRequestReply "Remote OOB Data Request Reply" "7.1.34" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x0433 RemoteOobDataRequestNegativeReply "Remote OOB Data Request Negative Reply" "7.1.35" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x0434 IoCapabilityRequestNegativeReply "IO Capability Request Negative Reply" "7.1.36" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x0440 TruncatedPageCancel "Truncated Page Cancel" "7.1.48" { status: Status, bd_addr: Address } "00 0102030405c6";
        0x0445 RemoteOobExtendedDataRequestReply "Remote OOB Extended Data Request Reply" "7.1.53" {
            status: Status, bd_addr: Address
        } "00 0102030405c6";
        0x0c14 ReadLocalName "Read Local Name" "7.3.12" { status: Status, local_name: &'a [u8] as Name } "00 6869";
        0x1001 ReadLocalVersionInformation "Read Local Version Information" "7.4.1" {
            status: Status, hci_version: u8, hci_subversion: u16, lmp_version: u8, company_identifier: u16, lmp_subversion: u16
        } "00 09 0001 09 0f00 1722";
        0x1005 ReadBufferSize "Read Buffer Size" "7.4.5" {
            status: Status, acl_data_packet_length: u16, synchronous_data_packet_length: u8, total_num_acl_data_packets: u16,
            total_num_synchronous_data_packets: u16
        } "00 fd03 40 0800 0800";
        0x1009 ReadBdAddr "Read BD ADDR" "7.4.6" { status: Status, bd_addr: Address as OwnAddress } "00 0102030405c6";
        0x1408 ReadEncryptionKeySize "Read Encryption Key Size" "7.5.7" {
            status: Status, connection_handle: ConnHandle, key_size: u8
        } "00 4000 10";
        0x1405 ReadRssi "Read RSSI" "7.5.4" { status: Status, handle: ConnHandle, rssi: i8 } "00 4000 c4";
        0x2002 LeReadBufferSize "LE Read Buffer Size" "7.8.2" {
            status: Status, le_acl_data_packet_length: u16, total_num_le_acl_data_packets: u8
        } "00 fb00 08";
        0x2003 LeReadLocalSupportedFeatures "LE Read Local Supported Features" "7.8.3" {
            status: Status, le_features: [u8; 8]
        } "00 3f00000800000000";
        0x2007 LeReadAdvertisingPhysicalChannelTxPower "LE Read Advertising Physical Channel Tx Power" "7.8.6" {
            status: Status, tx_power_level: i8
        } "00 08";
        0x200f LeReadFilterAcceptListSize "LE Read Filter Accept List Size" "7.8.14" {
            status: Status, filter_accept_list_size: u8
        } "00 20";
        0x2015 LeReadChannelMap "LE Read Channel Map" "7.8.20" {
            status: Status, connection_handle: ConnHandle, channel_map: [u8; 5]
        } "00 4000 ffffffff1f";
        0x202a LeReadResolvingListSize "LE Read Resolving List Size" "7.8.41" { status: Status, resolving_list_size: u8 } "00 10";
        0x202b LeReadPeerResolvableAddress "LE Read Peer Resolvable Address" "7.8.42" {
            status: Status, peer_resolvable_address: Address
        } "00 0102030405c6";
        0x202c LeReadLocalResolvableAddress "LE Read Local Resolvable Address" "7.8.43" {
            status: Status, local_resolvable_address: Address as OwnAddress
        } "00 0102030405c6";
        0x202f LeReadMaximumDataLength "LE Read Maximum Data Length" "7.8.46" {
            status: Status, supported_max_tx_octets: u16, supported_max_tx_time: u16, supported_max_rx_octets: u16,
            supported_max_rx_time: u16
        } "00 fb00 4808 fb00 4808";
        0x2030 LeReadPhy "LE Read PHY" "7.8.47" {
            status: Status, connection_handle: ConnHandle, tx_phy: u8 = 0x01..=0x03, rx_phy: u8 = 0x01..=0x03
        } "00 4000 01 01";
        0x2060 LeReadBufferSizeV2 "LE Read Buffer Size [v2]" "7.8.2" {
            status: Status, le_acl_data_packet_length: u16, total_num_le_acl_data_packets: u8,
            iso_data_packet_length: u16, total_num_iso_data_packets: u8
        } "00 fb00 08 0000 00";
    }
}

impl Return<'_> {
    /// The first return parameter of nearly every command.
    pub fn status(&self) -> Option<Status> {
        match self {
            Return::Other { parameters, .. } => parameters.first().map(|status| Status(*status)),
            _ => self.first(Kind::Status).and_then(|code| u8::try_from(code).ok()).map(Status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::pdus::{check_properties, check_table};

    #[test]
    fn every_return_decodes_its_example_and_encodes_it_back() {
        check_table!(Return);
    }

    #[test]
    fn any_bytes_of_any_return_decode() {
        check_properties!(Return);
    }
}
