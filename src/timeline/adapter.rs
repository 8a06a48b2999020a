//! The local controller, and what happened on it outside any connection.
use crate::packet::{Address, AddressType, Opcode, Status};
use crate::seen::{Seen, seen_at};

/// Scanning as the host commanded it; times in units of 0.625 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    pub active: bool,
    pub interval: u16,
    pub window: u16,
    /// 1 and 3: only the accept list.
    pub filter_policy: u8,
    pub filter_duplicates: bool,
}

impl Scan {
    /// The share of time that the receiver listens, 0.0 to 1.0.
    pub fn duty(&self) -> f64 {
        if self.interval == 0 {
            0.0
        } else {
            (f64::from(self.window) / f64::from(self.interval)).min(1.0)
        }
    }
}

/// A local controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    pub index: Option<u16>,
    pub address: Option<Address>,
    pub name: Option<String>,
    /// Company identifier.
    pub manufacturer: Option<u16>,
    /// HCI version number (0x0b is 5.2).
    pub version: Option<u8>,
    /// Monitor bus: 1 USB, 3 UART …
    pub bus: Option<u8>,
    pub le_features: Option<[u8; 8]>,
    /// LE ACL buffers of the controller (packet length, number).
    pub le_buffers: Option<(u16, u16)>,
    pub commands: u64,
    pub advertising_reports: u64,
    /// Connection attempts (LE and BR/EDR).
    pub attempts: u32,
}

/// Something that happened on an adapter, outside any one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterEvent {
    pub seen: Seen,
    pub adapter: Option<u16>,
    pub what: Happening,
}

seen_at!(AdapterEvent: seen);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    ScanOn(Scan),
    ScanOff,
    AdvertisingOn,
    AdvertisingOff,
    Reset,
    HardwareError(u8),
    /// A command answered with an error.
    CommandFailed {
        opcode: Opcode,
        status: Status,
        command_frame: u32,
    },
    /// A command without any answer for at least two seconds.
    CommandUnanswered {
        opcode: Opcode,
        command_frame: u32,
    },
    /// The first command of its family, legacy or extended, that the controller took since its last reset.
    FamilyUsed {
        opcode: Opcode,
        command_frame: u32,
    },
    AcceptListAdded(Address, AddressType),
    AcceptListRemoved(Address, AddressType),
    AcceptListCleared,
    /// A peer's identity went into the resolving list.
    ResolvingListAdded(Address, AddressType),
    ResolvingListCleared,
    AddressResolution(bool),
    IndexOpened,
    IndexClosed,
    /// A process opened a socket: `raw`, `user` or `control`.
    ProcessOpened {
        process: String,
        channel: &'static str,
    },
    ProcessClosed {
        process: String,
    },
    /// mgmt Set Powered.
    Powered(bool),
    Suspended,
    Resumed,
    DiscoveryStarted,
    DiscoveryStopped,
    DeviceConnected {
        address: Address,
        address_type: u8,
    },
    DeviceDisconnected {
        address: Address,
        address_type: u8,
        reason: u8,
    },
    ConnectFailed {
        address: Address,
        address_type: u8,
        status: u8,
    },
    AuthenticationFailed {
        address: Address,
        status: u8,
    },
    /// The user (agent) was asked to confirm, or answered.
    ConfirmationAsked {
        address: Address,
    },
    ConfirmationAnswered {
        address: Address,
        accepted: bool,
    },
    /// A line of a daemon's own log that speaks of a failure, kept short.
    Log {
        process: String,
        text: String,
    },
}
