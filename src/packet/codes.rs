//! Numbers with names. Unknown values keep their number.
use std::fmt;
use std::num::NonZeroU32;

/// Declares a newtype over an assigned-number space.
///
/// The values are associated constants, so `match` works on them, every value
/// round-trips, and there is no second spelling for a known one.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident($repr:ty) { $($value:literal $konst:ident $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            $(#[doc = $text] pub const $konst: Self = Self($value);)*

            /// All that have a name.
            pub const NAMED: &[Self] = &[$(Self($value),)*];

            /// The specification's name, if this number has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some($text),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let width = 2 + 2 * std::mem::size_of::<$repr>();
                match self.name() {
                    Some(name) => write!(f, "{name} ({:#0width$x})", self.0),
                    None => write!(f, "{:#0width$x}", self.0),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// Why a command failed or a link ended (Core, Vol 1, Part F).
    Status(u8) {
        0x00 SUCCESS "Success",
        0x01 UNKNOWN_COMMAND "Unknown HCI Command",
        0x02 UNKNOWN_CONNECTION_IDENTIFIER "Unknown Connection Identifier",
        0x03 HARDWARE_FAILURE "Hardware Failure",
        0x04 PAGE_TIMEOUT "Page Timeout",
        0x05 AUTHENTICATION_FAILURE "Authentication Failure",
        0x06 PIN_OR_KEY_MISSING "PIN or Key Missing",
        0x07 MEMORY_CAPACITY_EXCEEDED "Memory Capacity Exceeded",
        0x08 CONNECTION_TIMEOUT "Connection Timeout",
        0x09 CONNECTION_LIMIT_EXCEEDED "Connection Limit Exceeded",
        0x0a SYNCHRONOUS_LIMIT_EXCEEDED "Synchronous Connection Limit To A Device Exceeded",
        0x0b CONNECTION_ALREADY_EXISTS "Connection Already Exists",
        0x0c COMMAND_DISALLOWED "Command Disallowed",
        0x0d LIMITED_RESOURCES "Connection Rejected due to Limited Resources",
        0x0e SECURITY_REASONS "Connection Rejected due to Security Reasons",
        0x0f UNACCEPTABLE_ADDRESS "Connection Rejected due to Unacceptable BD_ADDR",
        0x10 ACCEPT_TIMEOUT "Connection Accept Timeout Exceeded",
        0x11 UNSUPPORTED_FEATURE "Unsupported Feature or Parameter Value",
        0x12 INVALID_PARAMETERS "Invalid HCI Command Parameters",
        0x13 REMOTE_USER_TERMINATED "Remote User Terminated Connection",
        0x14 REMOTE_LOW_RESOURCES "Remote Device Terminated Connection due to Low Resources",
        0x15 REMOTE_POWER_OFF "Remote Device Terminated Connection due to Power Off",
        0x16 LOCAL_HOST_TERMINATED "Connection Terminated by Local Host",
        0x17 REPEATED_ATTEMPTS "Repeated Attempts",
        0x18 PAIRING_NOT_ALLOWED "Pairing Not Allowed",
        0x19 UNKNOWN_LMP_PDU "Unknown LMP PDU",
        0x1a UNSUPPORTED_REMOTE_FEATURE "Unsupported Remote Feature",
        0x1b SCO_OFFSET_REJECTED "SCO Offset Rejected",
        0x1c SCO_INTERVAL_REJECTED "SCO Interval Rejected",
        0x1d SCO_AIR_MODE_REJECTED "SCO Air Mode Rejected",
        0x1e INVALID_LL_PARAMETERS "Invalid LMP/LL Parameters",
        0x1f UNSPECIFIED_ERROR "Unspecified Error",
        0x20 UNSUPPORTED_LL_PARAMETER "Unsupported LMP/LL Parameter Value",
        0x21 ROLE_CHANGE_NOT_ALLOWED "Role Change Not Allowed",
        0x22 LL_RESPONSE_TIMEOUT "LMP/LL Response Timeout",
        0x23 LL_COLLISION "LMP/LL Procedure Collision",
        0x24 PDU_NOT_ALLOWED "LMP PDU Not Allowed",
        0x25 ENCRYPTION_MODE_NOT_ACCEPTABLE "Encryption Mode Not Acceptable",
        0x26 LINK_KEY_CANNOT_CHANGE "Link Key cannot be Changed",
        0x27 QOS_NOT_SUPPORTED "Requested QoS Not Supported",
        0x28 INSTANT_PASSED "Instant Passed",
        0x29 UNIT_KEY_NOT_SUPPORTED "Pairing with Unit Key Not Supported",
        0x2a DIFFERENT_TRANSACTION_COLLISION "Different Transaction Collision",
        0x2c QOS_UNACCEPTABLE "QoS Unacceptable Parameter",
        0x2d QOS_REJECTED "QoS Rejected",
        0x2e CHANNEL_CLASSIFICATION "Channel Classification Not Supported",
        0x2f INSUFFICIENT_SECURITY "Insufficient Security",
        0x30 OUT_OF_RANGE "Parameter Out of Mandatory Range",
        0x32 ROLE_SWITCH_PENDING "Role Switch Pending",
        0x34 RESERVED_SLOT_VIOLATION "Reserved Slot Violation",
        0x35 ROLE_SWITCH_FAILED "Role Switch Failed",
        0x36 EIR_TOO_LARGE "Extended Inquiry Response Too Large",
        0x37 SSP_NOT_SUPPORTED "Secure Simple Pairing Not Supported by Host",
        0x38 HOST_BUSY_PAIRING "Host Busy - Pairing",
        0x39 NO_SUITABLE_CHANNEL "Connection Rejected due to No Suitable Channel Found",
        0x3a CONTROLLER_BUSY "Controller Busy",
        0x3b UNACCEPTABLE_CONNECTION_PARAMETERS "Unacceptable Connection Parameters",
        0x3c ADVERTISING_TIMEOUT "Advertising Timeout",
        0x3d MIC_FAILURE "Connection Terminated due to MIC Failure",
        0x3e FAILED_TO_BE_ESTABLISHED "Connection Failed to be Established",
        0x3f MAC_CONNECTION_FAILED "MAC Connection Failed",
        0x40 COARSE_CLOCK_REJECTED "Coarse Clock Adjustment Rejected",
        0x41 TYPE0_SUBMAP_NOT_DEFINED "Type0 Submap Not Defined",
        0x42 UNKNOWN_ADVERTISING_IDENTIFIER "Unknown Advertising Identifier",
        0x43 LIMIT_REACHED "Limit Reached",
        0x44 CANCELLED_BY_HOST "Operation Cancelled by Host",
        0x45 PACKET_TOO_LONG "Packet Too Long",
    }
}

/// A connection handle: 12 bits, reused by the controller once a link is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnHandle(pub u16);

impl fmt::Display for ConnHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// One link, by a number of its own among the links of its adapter. A controller uses a handle again once its link
/// is gone; this number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(NonZeroU32);

impl LinkId {
    /// The first one.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The one that is counted next.
    pub(crate) fn following(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Its place in a list of all: 0 for the first one.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A device address, as on the wire: least significant byte first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 6]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every report has one: a table is several times faster than six formatted numbers.
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = [b':'; 17];
        for (place, byte) in text.chunks_mut(3).zip(self.0.iter().rev()) {
            place[0] = DIGITS[usize::from(byte >> 4)];
            place[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Address {
    type Err = ();

    /// `AA:BB:CC:DD:EE:FF`, with colons or dashes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in bytes.iter_mut().rev() {
            let part = parts.next().filter(|p| p.len() == 2 && !p.starts_with('+')).ok_or(())?;
            *byte = u8::from_str_radix(part, 16).map_err(drop)?;
        }
        if parts.next().is_some() { Err(()) } else { Ok(Self(bytes)) }
    }
}

impl Address {
    /// A random address whose top bits say resolvable private (meaningful for random addresses only).
    pub const fn looks_resolvable(self) -> bool {
        self.0[5] & 0xc0 == 0x40
    }

    /// A random address whose top bits say static.
    pub const fn looks_static(self) -> bool {
        self.0[5] & 0xc0 == 0xc0
    }
}

codes! {
    /// What kind of address (HCI's numbering).
    AddressType(u8) {
        0x00 PUBLIC "public",
        0x01 RANDOM "random",
        0x02 PUBLIC_IDENTITY "public-identity",
        0x03 RANDOM_IDENTITY "random-identity",
    }
}

impl AddressType {
    /// Public or random, whether resolved by the controller or not.
    pub const fn is_random(self) -> bool {
        self.0 & 1 == 1 && self.0 < 4
    }
}

codes! {
    /// Result of a management command (Linux mgmt).
    MgmtStatus(u8) {
        0x00 SUCCESS "Success",
        0x01 UNKNOWN_COMMAND "Unknown Command",
        0x02 NOT_CONNECTED "Not Connected",
        0x03 FAILED "Failed",
        0x04 CONNECT_FAILED "Connect Failed",
        0x05 AUTHENTICATION_FAILED "Authentication Failed",
        0x06 NOT_PAIRED "Not Paired",
        0x07 NO_RESOURCES "No Resources",
        0x08 TIMEOUT "Timeout",
        0x09 ALREADY_CONNECTED "Already Connected",
        0x0a BUSY "Busy",
        0x0b REJECTED "Rejected",
        0x0c NOT_SUPPORTED "Not Supported",
        0x0d INVALID_PARAMETERS "Invalid Parameters",
        0x0e DISCONNECTED "Disconnected",
        0x0f NOT_POWERED "Not Powered",
        0x10 CANCELLED "Cancelled",
        0x11 INVALID_INDEX "Invalid Index",
        0x12 RFKILLED "RFKilled",
        0x13 ALREADY_PAIRED "Already Paired",
        0x14 PERMISSION_DENIED "Permission Denied",
    }
}

codes! {
    /// Reason of mgmt's Device Disconnected event. Raw HCI codes occur too.
    MgmtReason(u8) {
        0x00 UNSPECIFIED "Unspecified",
        0x01 TIMEOUT "Connection timeout",
        0x02 LOCAL_HOST "Connection terminated by local host",
        0x03 REMOTE "Connection terminated by remote host",
        0x04 AUTHENTICATION_FAILURE "Authentication failure",
        0x05 SUSPEND "Connection terminated by local host for suspend",
    }
}

/// An HCI command's number: group in the upper six bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u16);

impl Opcode {
    /// The one command that is not answered where it succeeds (Core, Vol 4, Part E, 7.3.40).
    pub const HOST_NUMBER_OF_COMPLETED_PACKETS: Self = Self(0x0c35);
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#06x})", self.0),
            None if self.0 >> 10 == 0x3f => write!(f, "Vendor command ({:#06x})", self.0),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Key material: used where logic needs it, shown nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes, for use and never for show.
    pub(crate) const fn bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{N} secret bytes>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_six_parts_of_two_digits() {
        let read = |text: &str| text.parse::<Address>().ok();
        assert_eq!(read("C6:05:04:03:02:01"), Some(Address([1, 2, 3, 4, 5, 0xc6])));
        let others = [
            "C6:05:04:03:02",
            "C6:05:04:03:02:01:00",
            "C6:05:04:03:02:1",
            "+6:05:04:03:02:01",
            "C6:05:04:03:02:xx",
        ];
        assert!(others.iter().all(|text| read(text).is_none()));
    }

    #[test]
    fn an_opcode_without_a_name_says_whose_it_is() {
        assert!(Opcode(0xfc01).to_string().starts_with("Vendor command"));
        assert!(!Opcode(0x07ff).to_string().starts_with("Vendor command"));
    }
}
