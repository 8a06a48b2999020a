//! Linux management: what user space asks of the kernel, and what the kernel tells.
//!
//! Numbers and fields as in the kernel's mgmt API. Address types are mgmt's own:
//! 0 BR/EDR, 1 LE public, 2 LE random.
use super::Problem;
use super::codes::{Address, MgmtStatus, Secret};
use super::field::{self, Counted, Field, FieldSink, entries, malformed};
use super::pdus::pdus;
use super::visit::{Kind, Part, Visitor};
use nom::IResult;

/// One management packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pdu<'a> {
    /// From a program to the kernel.
    Command(Command<'a>),
    /// From the kernel to programs.
    Event(Event<'a>),
}

/// Advertising data behind its length, in two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eir<'a>(pub &'a [u8]);

impl<'a> Field<'a> for Eir<'a> {
    const KIND: Kind = Kind::Advertising;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        let (rest, length) = u16::parse(input)?;
        match rest.split_at_checked(length.into()) {
            Some((eir, rest)) => Ok((rest, Self(eir))),
            None => malformed(input),
        }
    }
    fn visit(&self, name: &'static str, kind: Kind, visitor: &mut dyn Visitor) {
        let length = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        visitor.part(Part::new("eir_length", Kind::Count, &length.to_le_bytes()));
        field::bytes(name, kind, self.0.get(..length.into()).unwrap_or(self.0), visitor);
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.advertising(name, self.0);
    }
}

/// Key material up to the packet's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Keys<'a>(&'a [u8]);

impl<'a> Keys<'a> {
    /// The keys of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} secret bytes>", self.0.len())
    }
}

impl<'a> Field<'a> for Keys<'a> {
    const KIND: Kind = Kind::Secret;

    fn parse(input: &'a [u8]) -> IResult<&'a [u8], Self> {
        Ok((&[], Self(input)))
    }
    fn visit(&self, name: &'static str, _: Kind, visitor: &mut dyn Visitor) {
        visitor.part(Part::new(name, Kind::Secret, self.0));
    }
    fn show(&self, name: &'static str, sink: &mut dyn FieldSink) {
        sink.secret(name, self.0.len());
    }
}

entries! {
    /// One key of Load Link Keys.
    LinkKey {
        address: Address,
        address_type: u8 as MgmtAddressType,
        key_type: u8,
        value: Secret<16>,
        pin_length: u8,
    }

    /// One key of Load Long Term Keys.
    LongTermKey {
        address: Address,
        address_type: u8 as MgmtAddressType,
        key_type: u8,
        central: u8,
        encryption_size: u8,
        encrypted_diversifier: u16,
        random_number: Secret<8>,
        value: Secret<16>,
    }

    /// One key of Load Identity Resolving Keys.
    IdentityResolvingKey {
        address: Address,
        address_type: u8 as MgmtAddressType,
        value: Secret<16>,
    }

    /// The parameters that one device gets, of Load Connection Parameters.
    ConnectionParameters {
        address: Address,
        address_type: u8 as MgmtAddressType,
        min_connection_interval: u16,
        max_connection_interval: u16,
        connection_latency: u16,
        supervision_timeout: u16,
    }
}

pdus! {
    /// A command: user space to kernel.
    Command: u16, "BlueZ, doc/mgmt-api.txt" {
        0x0001 ReadVersion "Read Management Version Information" "Read Management Version Information Command" {} "";
        0x0002 ReadCommands "Read Management Supported Commands" "Read Management Supported Commands Command" {} "";
        0x0003 ReadIndexList "Read Controller Index List" "Read Controller Index List Command" {} "";
        0x0004 ReadInformation "Read Controller Information" "Read Controller Information Command" {} "";
        0x0005 SetPowered "Set Powered" "Set Powered Command" { powered: u8 = 0x00..=0x01 } "01";
        0x0006 SetDiscoverable "Set Discoverable" "Set Discoverable Command" {
            discoverable: u8 = 0x00..=0x02, timeout: u16
        } "01 b400";
        0x0007 SetConnectable "Set Connectable" "Set Connectable Command" { connectable: u8 = 0x00..=0x01 } "01";
        0x0009 SetBondable "Set Bondable" "Set Bondable Command" { bondable: u8 = 0x00..=0x01 } "01";
        0x000b SetSecureSimplePairing "Set Secure Simple Pairing" "Set Secure Simple Pairing Command" {
            secure_simple_pairing: u8 = 0x00..=0x01
        } "01";
        0x000d SetLowEnergy "Set Low Energy" "Set Low Energy Command" { low_energy: u8 = 0x00..=0x01 } "01";
        0x000f SetLocalName "Set Local Name" "Set Local Name Command" { names: &'a [u8] as Name } "6869";
        0x0012 LoadLinkKeys "Load Link Keys" "Load Link Keys Command" {
            debug_keys: u8 = 0x00..=0x01, keys: Counted<'a, LinkKey, 2>
        } "00 0100 0102030405c6 00 04 000102030405060708090a0b0c0d0e0f 00";
        0x0013 LoadLongTermKeys "Load Long Term Keys" "Load Long Term Keys Command" { keys: Counted<'a, LongTermKey, 2> }
            "0100 0102030405c6 02 02 00 10 0000 0000000000000000 000102030405060708090a0b0c0d0e0f";
        0x0014 Disconnect "Disconnect" "Disconnect Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0015 GetConnections "Get Connections" "Get Connections Command" {} "";
        0x0016 PinCodeReply "PIN Code Reply" "PIN Code Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType, pin_length: u8, pin_code: Secret<16>
        } "0102030405c6 00 04 31323334000000000000000000000000";
        0x0017 PinCodeNegativeReply "PIN Code Negative Reply" "PIN Code Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 00";
        0x0018 SetIoCapability "Set IO Capability" "Set IO Capability Command" { io_capability: u8 = 0x00..=0x04 } "03";
        0x0019 PairDevice "Pair Device" "Pair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType, io_capability: u8 = 0x00..=0x04
        } "0102030405c6 02 03";
        0x001a CancelPairDevice "Cancel Pair Device" "Cancel Pair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001b UnpairDevice "Unpair Device" "Unpair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType, disconnect: u8 = 0x00..=0x01
        } "0102030405c6 02 01";
        0x001c UserConfirmationReply "User Confirmation Reply" "User Confirmation Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001d UserConfirmationNegativeReply "User Confirmation Negative Reply" "User Confirmation Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001e UserPasskeyReply "User Passkey Reply" "User Passkey Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType, passkey: Secret<4>
        } "0102030405c6 02 01020304";
        0x001f UserPasskeyNegativeReply "User Passkey Negative Reply" "User Passkey Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0021 AddRemoteOutOfBandData "Add Remote Out Of Band Data" "Add Remote Out Of Band Data Command" {
            address: Address, address_type: u8 as MgmtAddressType, data: Keys<'a>
        } "0102030405c6 02 01";
        0x0022 RemoveRemoteOutOfBandData "Remove Remote Out Of Band Data" "Remove Remote Out Of Band Data Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0023 StartDiscovery "Start Discovery" "Start Discovery Command" { address_type: u8 } "07";
        0x0024 StopDiscovery "Stop Discovery" "Stop Discovery Command" { address_type: u8 } "07";
        0x0025 ConfirmName "Confirm Name" "Confirm Name Command" {
            address: Address, address_type: u8 as MgmtAddressType, name_known: u8 = 0x00..=0x01
        } "0102030405c6 02 01";
        0x0026 BlockDevice "Block Device" "Block Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0027 UnblockDevice "Unblock Device" "Unblock Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x002b SetStaticAddress "Set Static Address" "Set Static Address Command" { address: Address as OwnAddress } "0102030405c6";
        0x002d SetSecureConnections "Set Secure Connections" "Set Secure Connections Command" {
            secure_connections: u8 = 0x00..=0x02
        } "01";
        0x002f SetPrivacy "Set Privacy" "Set Privacy Command" {
            privacy: u8 = 0x00..=0x02, identity_resolving_key: Secret<16>
        } "00 00000000000000000000000000000000";
        0x0030 LoadIdentityResolvingKeys "Load Identity Resolving Keys" "Load Identity Resolving Keys Command" {
            keys: Counted<'a, IdentityResolvingKey, 2>
        } "0100 0102030405c6 02 000102030405060708090a0b0c0d0e0f";
        0x0031 GetConnectionInformation "Get Connection Information" "Get Connection Information Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0032 GetClockInformation "Get Clock Information" "Get Clock Information Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 00";
        0x0033 AddDevice "Add Device" "Add Device Command" {
            address: Address, address_type: u8 as MgmtAddressType, action: u8 = 0x00..=0x02
        } "0102030405c6 02 02";
        0x0034 RemoveDevice "Remove Device" "Remove Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0035 LoadConnectionParameters "Load Connection Parameters" "Load Connection Parameters Command" {
            params: Counted<'a, ConnectionParameters, 2>
        } "0100 0102030405c6 02 0600 0c00 0000 c800";
        0x0039 SetPublicAddress "Set Public Address" "Set Public Address Command" { address: Address as OwnAddress } "0102030405c6";
        0x003a StartServiceDiscovery "Start Service Discovery" "Start Service Discovery Command" {
            address_type: u8, rssi_threshold: i8, uuid_count: u16, uuids: &'a [u8]
        } "06 7f 0000";
        0x004f GetDeviceFlags "Get Device Flags" "Get Device Flags Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0050 SetDeviceFlags "Set Device Flags" "Set Device Flags Command" {
            address: Address, address_type: u8 as MgmtAddressType, current_flags: u32
        } "0102030405c6 02 00000000";
    }
}

pdus! {
    /// An event: kernel to user space.
    Event: u16, "BlueZ, doc/mgmt-api.txt" {
        0x0001 CommandComplete "Command Complete" "Command Complete Event" {
            command_opcode: u16, status: MgmtStatus, return_parameters: Keys<'a>
        } "1900 00";
        0x0002 CommandStatus "Command Status" "Command Status Event" { command_opcode: u16, status: MgmtStatus } "1900 05";
        0x0003 ControllerError "Controller Error" "Controller Error Event" { error_code: u8 } "01";
        0x0004 IndexAdded "Index Added" "Index Added Event" {} "";
        0x0005 IndexRemoved "Index Removed" "Index Removed Event" {} "";
        0x0006 NewSettings "New Settings" "New Settings Event" { current_settings: u32 } "d10a0000";
        0x0007 ClassOfDeviceChanged "Class Of Device Changed" "Class Of Device Changed Event" { class_of_device: [u8; 3] } "0c0100";
        0x0008 LocalNameChanged "Local Name Changed" "Local Name Changed Event" { names: &'a [u8] as Name } "6869";
        0x0009 NewLinkKey "New Link Key" "New Link Key Event" {
            store_hint: u8, address: Address, address_type: u8 as MgmtAddressType, key_type: u8, value: Secret<16>, pin_length: u8
        } "01 0102030405c6 00 04 000102030405060708090a0b0c0d0e0f 00";
        0x000a NewLongTermKey "New Long Term Key" "New Long Term Key Event" {
            store_hint: u8, address: Address, address_type: u8 as MgmtAddressType, key_type: u8, central: u8, encryption_size: u8,
            encrypted_diversifier: u16, random_number: Secret<8>, value: Secret<16>
        } "01 0102030405c6 02 02 00 10 0000 0000000000000000 000102030405060708090a0b0c0d0e0f";
        0x000b DeviceConnected "Device Connected" "Device Connected Event" {
            address: Address, address_type: u8 as MgmtAddressType, flags: u32, eir: Eir<'a>
        } "0102030405c6 02 08000000 0300 020106";
        0x000c DeviceDisconnected "Device Disconnected" "Device Disconnected Event" {
            address: Address, address_type: u8 as MgmtAddressType, reason: u8 as Reason
        } "0102030405c6 02 01";
        0x000d ConnectFailed "Connect Failed" "Connect Failed Event" {
            address: Address, address_type: u8 as MgmtAddressType, status: MgmtStatus
        } "0102030405c6 02 04";
        0x000e PinCodeRequest "PIN Code Request" "PIN Code Request Event" {
            address: Address, address_type: u8 as MgmtAddressType, secure: u8
        } "0102030405c6 00 00";
        0x000f UserConfirmationRequest "User Confirmation Request" "User Confirmation Request Event" {
            address: Address, address_type: u8 as MgmtAddressType, confirm_hint: u8, value: Secret<4>
        } "0102030405c6 02 00 01020304";
        0x0010 UserPasskeyRequest "User Passkey Request" "User Passkey Request Event" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0011 AuthenticationFailed "Authentication Failed" "Authentication Failed Event" {
            address: Address, address_type: u8 as MgmtAddressType, status: MgmtStatus
        } "0102030405c6 02 05";
        0x0012 DeviceFound "Device Found" "Device Found Event" {
            address: Address, address_type: u8 as MgmtAddressType, rssi: i8, flags: u32, eir: Eir<'a>
        } "0102030405c6 02 c4 00000000 0300 020106";
        0x0013 Discovering "Discovering" "Discovering Event" { address_type: u8, discovering: u8 } "06 01";
        0x0014 DeviceBlocked "Device Blocked" "Device Blocked Event" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0015 DeviceUnblocked "Device Unblocked" "Device Unblocked Event" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0016 DeviceUnpaired "Device Unpaired" "Device Unpaired Event" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0017 PasskeyNotify "Passkey Notify" "Passkey Notify Event" {
            address: Address, address_type: u8 as MgmtAddressType, passkey: Secret<4>, entered: u8
        } "0102030405c6 02 01020304 00";
        0x0018 NewIdentityResolvingKey "New Identity Resolving Key" "New Identity Resolving Key Event" {
            store_hint: u8, random_address: Address, address: Address, address_type: u8 as MgmtAddressType, value: Secret<16>
        } "01 010203040546 0102030405c6 02 000102030405060708090a0b0c0d0e0f";
        0x0019 NewSignatureResolvingKey "New Signature Resolving Key" "New Signature Resolving Key Event" {
            store_hint: u8, address: Address, address_type: u8 as MgmtAddressType, key_type: u8, value: Secret<16>
        } "01 0102030405c6 02 00 000102030405060708090a0b0c0d0e0f";
        0x001a DeviceAdded "Device Added" "Device Added Event" {
            address: Address, address_type: u8 as MgmtAddressType, action: u8
        } "0102030405c6 02 02";
        0x001b DeviceRemoved "Device Removed" "Device Removed Event" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001c NewConnectionParameter "New Connection Parameter" "New Connection Parameter Event" {
            address: Address, address_type: u8 as MgmtAddressType, store_hint: u8, min_connection_interval: u16,
            max_connection_interval: u16, connection_latency: u16, supervision_timeout: u16
        } "0102030405c6 02 01 0600 0c00 0000 c800";
        0x001d UnconfiguredIndexAdded "Unconfigured Index Added" "Unconfigured Index Added Event" {} "";
        0x001e UnconfiguredIndexRemoved "Unconfigured Index Removed" "Unconfigured Index Removed Event" {} "";
        0x001f NewConfigurationOptions "New Configuration Options" "New Configuration Options Event" {
            missing_options: u32
        } "00000000";
        0x0020 ExtendedIndexAdded "Extended Index Added" "Extended Index Added Event" {
            controller_type: u8, controller_bus: u8
        } "00 01";
        0x0021 ExtendedIndexRemoved "Extended Index Removed" "Extended Index Removed Event" {
            controller_type: u8, controller_bus: u8
        } "00 01";
        0x0022 LocalOutOfBandDataUpdated "Local Out Of Band Extended Data Updated" "Local Out Of Band Extended Data Updated Event" {
            address_type: u8, data: Keys<'a>
        } "00 0000";
        0x002a DeviceFlagsChanged "Device Flags Changed" "Device Flags Changed Event" {
            address: Address, address_type: u8 as MgmtAddressType, supported_flags: u32, current_flags: u32
        } "0102030405c6 02 07000000 00000000";
        0x002d ControllerSuspend "Controller Suspend" "Controller Suspend Event" { suspend_state: u8 } "01";
        0x002e ControllerResume "Controller Resume" "Controller Resume Event" {
            wake_reason: u8, address: Address, address_type: u8 as MgmtAddressType
        } "02 0102030405c6 02";
        0x002f AdvertisementMonitorDeviceFound "Advertisement Monitor Device Found" "Advertisement Monitor Device Found Event" {
            monitor_handle: u16, address: Address, address_type: u8 as MgmtAddressType, rssi: i8, flags: u32, eir: Eir<'a>
        } "0100 0102030405c6 02 c4 00000000 0300 020106";
        0x0030 AdvertisementMonitorDeviceLost "Advertisement Monitor Device Lost" "Advertisement Monitor Device Lost Event" {
            monitor_handle: u16, address: Address, address_type: u8 as MgmtAddressType
        } "0100 0102030405c6 02";
        0x0031 MeshPacketFound "Mesh Packet Found" "Mesh Packet Found Event" {
            address: Address, address_type: u8 as MgmtAddressType, rssi: i8, instant: u64, flags: u32, eir: Eir<'a>
        } "0102030405c6 02 c4 0000000000000000 00000000 0300 020106";
    }
}

entries! {
    /// One device of what Get Connections returns.
    Device {
        address: Address,
        address_type: u8 as MgmtAddressType,
    }
}

pdus! {
    /// What Command Complete returns, of commands that return an address or a name. They are read
    /// by who walks over all fields: what a command returns is not printed, because it may be a key.
    Return: u16, "BlueZ, doc/mgmt-api.txt" {
        0x0004 ReadInformation "Read Controller Information" "Read Controller Information Command" {
            address: Address as OwnAddress, bluetooth_version: u8, manufacturer: u16, supported_settings: u32,
            current_settings: u32, class_of_device: [u8; 3], names: &'a [u8] as Name
        } "0102030405c6 09 0f00 ffbe0100 d10a0000 0c0100 6869";
        0x000f SetLocalName "Set Local Name" "Set Local Name Command" { names: &'a [u8] as Name } "6869";
        0x0014 Disconnect "Disconnect" "Disconnect Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0015 GetConnections "Get Connections" "Get Connections Command" { devices: Counted<'a, Device, 2> } "0100 0102030405c6 02";
        0x0016 PinCodeReply "PIN Code Reply" "PIN Code Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0017 PinCodeNegativeReply "PIN Code Negative Reply" "PIN Code Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0019 PairDevice "Pair Device" "Pair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001a CancelPairDevice "Cancel Pair Device" "Cancel Pair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001b UnpairDevice "Unpair Device" "Unpair Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001c UserConfirmationReply "User Confirmation Reply" "User Confirmation Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001d UserConfirmationNegativeReply "User Confirmation Negative Reply" "User Confirmation Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001e UserPasskeyReply "User Passkey Reply" "User Passkey Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x001f UserPasskeyNegativeReply "User Passkey Negative Reply" "User Passkey Negative Reply Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0021 AddRemoteOutOfBandData "Add Remote Out Of Band Data" "Add Remote Out Of Band Data Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0022 RemoveRemoteOutOfBandData "Remove Remote Out Of Band Data" "Remove Remote Out Of Band Data Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0025 ConfirmName "Confirm Name" "Confirm Name Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0026 BlockDevice "Block Device" "Block Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0027 UnblockDevice "Unblock Device" "Unblock Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x0031 GetConnectionInformation "Get Connection Information" "Get Connection Information Command" {
            address: Address, address_type: u8 as MgmtAddressType, rssi: i8, tx_power: i8, max_tx_power: i8
        } "0102030405c6 02 c4 04 08";
        0x0032 GetClockInformation "Get Clock Information" "Get Clock Information Command" {
            address: Address, address_type: u8 as MgmtAddressType, local_clock: u32, piconet_clock: u32, accuracy: u16
        } "0102030405c6 00 00000000 00000000 ffff";
        0x0033 AddDevice "Add Device" "Add Device Command" { address: Address, address_type: u8 as MgmtAddressType } "0102030405c6 02";
        0x0034 RemoveDevice "Remove Device" "Remove Device Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
        0x004f GetDeviceFlags "Get Device Flags" "Get Device Flags Command" {
            address: Address, address_type: u8 as MgmtAddressType, supported_flags: u32, current_flags: u32
        } "0102030405c6 02 07000000 00000000";
        0x0050 SetDeviceFlags "Set Device Flags" "Set Device Flags Command" {
            address: Address, address_type: u8 as MgmtAddressType
        } "0102030405c6 02";
    }
}

/// Names of numbers that the tables above do not declare.
const COMMANDS: &[(u16, &str)] = &[
    (0x0008, "Set Fast Connectable"),
    (0x000a, "Set Link Security"),
    (0x000c, "Set High Speed"),
    (0x000e, "Set Device Class"),
    (0x0010, "Add UUID"),
    (0x0011, "Remove UUID"),
    (0x0020, "Read Local Out Of Band Data"),
    (0x0028, "Set Device ID"),
    (0x0029, "Set Advertising"),
    (0x002a, "Set BR/EDR"),
    (0x002c, "Set Scan Parameters"),
    (0x002e, "Set Debug Keys"),
    (0x0036, "Read Unconfigured Controller Index List"),
    (0x0037, "Read Controller Configuration Information"),
    (0x0038, "Set External Configuration"),
    (0x003b, "Read Local Out Of Band Extended Data"),
    (0x003c, "Read Extended Controller Index List"),
    (0x003d, "Read Advertising Features"),
    (0x003e, "Add Advertising"),
    (0x003f, "Remove Advertising"),
    (0x0040, "Get Advertising Size Information"),
    (0x0041, "Start Limited Discovery"),
    (0x0042, "Read Extended Controller Information"),
    (0x0043, "Set Appearance"),
    (0x0044, "Get PHY Configuration"),
    (0x0045, "Set PHY Configuration"),
    (0x0046, "Set Blocked Keys"),
    (0x0047, "Set Wideband Speech"),
    (0x0048, "Read Controller Capabilities"),
    (0x0049, "Read Experimental Features Information"),
    (0x004a, "Set Experimental Feature"),
    (0x004b, "Read Default System Configuration"),
    (0x004c, "Set Default System Configuration"),
    (0x004d, "Read Default Runtime Configuration"),
    (0x004e, "Set Default Runtime Configuration"),
    (0x0051, "Read Advertisement Monitor Features"),
    (0x0052, "Add Advertisement Patterns Monitor"),
    (0x0053, "Remove Advertisement Monitor"),
    (0x0054, "Add Extended Advertising Parameters"),
    (0x0055, "Add Extended Advertising Data"),
    (0x0056, "Add Advertisement Patterns Monitor With RSSI Threshold"),
    (0x0057, "Set Mesh Receiver"),
    (0x0058, "Read Mesh Features"),
    (0x0059, "Transmit Mesh Packet"),
    (0x005a, "Cancel Transmit Mesh Packet"),
    (0x005b, "Send HCI Command And Wait For Event"),
];

const EVENTS: &[(u16, &str)] = &[
    (0x0023, "Advertising Added"),
    (0x0024, "Advertising Removed"),
    (0x0025, "Extended Controller Information Changed"),
    (0x0026, "PHY Configuration Changed"),
    (0x0027, "Experimental Feature Changed"),
    (0x0028, "Default System Configuration Changed"),
    (0x0029, "Default Runtime Configuration Changed"),
    (0x002b, "Advertisement Monitor Added"),
    (0x002c, "Advertisement Monitor Removed"),
    (0x0032, "Mesh Packet Transmission Complete"),
    (0x0033, "Connection Subrate"),
];

impl<'a> Pdu<'a> {
    /// Reads a command's or event's parameters.
    pub fn decode(event: bool, code: u16, input: &'a [u8], cut: bool) -> (Self, Option<Problem>) {
        if event {
            let (pdu, problem) = Event::decode(code, input, cut);
            (Self::Event(pdu), problem)
        } else {
            let (pdu, problem) = Command::decode(code, input, cut);
            (Self::Command(pdu), problem)
        }
    }

    /// Whether it is an event; else it is a command.
    pub fn is_event(&self) -> bool {
        matches!(self, Self::Event(_))
    }

    /// The number of the command or event.
    pub fn code(&self) -> u16 {
        match self {
            Self::Command(pdu) => pdu.code(),
            Self::Event(pdu) => pdu.code(),
        }
    }

    /// The name of the command or event, if its number has one.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Command(pdu) => command_name(pdu.code()),
            Self::Event(pdu) => pdu.name().or_else(|| find(EVENTS, pdu.code())),
        }
    }

    /// Shows the parameters.
    pub fn fields(&self, sink: &mut dyn FieldSink) {
        match self {
            Self::Command(pdu) => pdu.fields(sink),
            Self::Event(pdu) => pdu.fields(sink),
        }
    }

    /// The status that an event carries.
    pub fn status(&self) -> Option<MgmtStatus> {
        match self {
            Self::Event(event) => {
                event.first(Kind::Status).and_then(|code| u8::try_from(code).ok()).map(MgmtStatus)
            }
            Self::Command(_) => None,
        }
    }

    /// Why a link ended.
    pub fn reason(&self) -> Option<u8> {
        match self {
            Self::Event(event) => {
                event.first(Kind::Reason).and_then(|code| u8::try_from(code).ok())
            }
            Self::Command(_) => None,
        }
    }

    /// Shows every field to the visitor, in wire order; what a command returned field by field.
    pub fn visit(&self, visitor: &mut dyn Visitor) {
        match self {
            Self::Command(pdu) => pdu.visit(visitor),
            Self::Event(Event::CommandComplete { command_opcode, status, return_parameters }) => {
                Field::visit(command_opcode, "command_opcode", Kind::Number, visitor);
                Field::visit(status, "status", Kind::Status, visitor);
                match Return::decode(*command_opcode, return_parameters.0, false) {
                    (returned, None) => returned.visit(visitor),
                    (_, Some(_)) => {
                        return_parameters.visit("return_parameters", Kind::Secret, visitor)
                    }
                }
            }
            Self::Event(pdu) => pdu.visit(visitor),
        }
    }
}

/// The name of a management command.
pub fn command_name(code: u16) -> Option<&'static str> {
    Command::name_of(code).or_else(|| find(COMMANDS, code))
}

fn find(table: &[(u16, &'static str)], code: u16) -> Option<&'static str> {
    let at = table.binary_search_by_key(&code, |(number, _)| *number).ok()?;
    table.get(at).map(|(_, name)| *name)
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

    #[test]
    fn every_event_decodes_its_example_and_encodes_it_back() {
        check_table!(Event);
    }

    #[test]
    fn any_bytes_of_any_event_decode() {
        check_properties!(Event);
    }

    #[test]
    fn every_return_decodes_its_example_and_encodes_it_back() {
        check_table!(Return);
    }

    #[test]
    fn any_bytes_of_any_return_decode() {
        check_properties!(Return);
    }

    #[test]
    fn names_ascend_and_repeat_nothing_declared() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(EVENTS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(COMMANDS.iter().all(|(code, _)| Command::name_of(*code).is_none()));
        assert!(EVENTS.iter().all(|(code, _)| Event::name_of(*code).is_none()));
    }

    #[test]
    fn a_length_beyond_the_packet_is_malformed() {
        let (pdu, problem) =
            Pdu::decode(true, 0x000b, b"\x01\x02\x03\x04\x05\xc6\x02\0\0\0\0\x09\x00\x02", false);
        assert_eq!((pdu.code(), problem), (0x000b, Some(Problem::Malformed)));
    }

    #[test]
    fn keys_do_not_print() {
        let (pdu, _) = Pdu::decode(false, 0x0013, &[0xab; 40], false);
        assert!(!format!("{pdu:?}").contains("171"), "{pdu:?}");
    }
}
