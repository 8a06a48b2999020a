//! The local controller, and what happened on it outside any connection.
use crate::packet::{Address, AddressType, Opcode, Status};
use crate::seen::{Seen, seen_at};

/// Scanning as the host commanded it; times in units of 0.625 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// It asks for scan responses.
    pub active: bool,
    /// From the beginning of one window to that of the next.
    pub interval: u16,
    /// How long the controller listens in each interval.
    pub window: u16,
    /// 1 and 3: only the accept list.
    pub filter_policy: u8,
    /// Each device is reported once.
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
#[non_exhaustive]
pub struct Adapter {
    /// Its index in the capture.
    pub index: Option<u16>,
    /// Its own address.
    pub address: Option<Address>,
    /// What the host calls it.
    pub name: Option<String>,
    /// Company identifier.
    pub manufacturer: Option<u16>,
    /// HCI version number (0x0b is 5.2).
    pub version: Option<u8>,
    /// Monitor bus: 1 USB, 3 UART …
    pub bus: Option<u8>,
    /// Features of its LE controller.
    pub le_features: Option<[u8; 8]>,
    /// LE ACL buffers of the controller (packet length, number).
    pub le_buffers: Option<(u16, u16)>,
    /// Commands of the host.
    pub commands: u64,
    /// Advertising reports.
    pub advertising_reports: u64,
    /// Connection attempts (LE and BR/EDR).
    pub attempts: u32,
}

/// Something that happened on an adapter, outside any one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterEvent {
    /// Where the capture shows it.
    pub seen: Seen,
    /// The index of the adapter.
    pub adapter: Option<u16>,
    /// What happened.
    pub what: Happening,
}

seen_at!(AdapterEvent: seen);

/// What happened on an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// Scanning was switched on.
    ScanOn(Scan),
    /// Scanning was switched off.
    ScanOff,
    /// Advertising was switched on.
    AdvertisingOn,
    /// Advertising was switched off.
    AdvertisingOff,
    /// The host reset the controller.
    Reset,
    /// The controller reports an error of its own, by its number.
    HardwareError(u8),
    /// A command answered with an error.
    CommandFailed {
        /// The command.
        opcode: Opcode,
        /// How it was refused.
        status: Status,
        /// The frame of the command.
        command_frame: u32,
    },
    /// A command without any answer for at least two seconds.
    CommandUnanswered {
        /// The command.
        opcode: Opcode,
        /// The frame of the command.
        command_frame: u32,
        /// The controller answered a later command meanwhile: it did not hang.
        overtaken: bool,
    },
    /// The first legacy or extended command that the controller accepted after its last reset: it decides the family.
    FamilyUsed {
        /// The command.
        opcode: Opcode,
        /// The frame of the command.
        command_frame: u32,
    },
    /// A device went into the accept list.
    AcceptListAdded(Address, AddressType),
    /// A device was taken out of the accept list.
    AcceptListRemoved(Address, AddressType),
    /// The accept list was emptied.
    AcceptListCleared,
    /// A peer's identity went into the resolving list.
    ResolvingListAdded(Address, AddressType),
    /// The resolving list was emptied.
    ResolvingListCleared,
    /// Private addresses are resolved by the controller, or no longer.
    AddressResolution(bool),
    /// The adapter was opened.
    IndexOpened,
    /// The adapter was closed.
    IndexClosed,
    /// A process opened a socket: `raw`, `user` or `control`.
    ProcessOpened {
        /// The program.
        process: String,
        /// What it opened.
        channel: &'static str,
    },
    /// A process closed its socket.
    ProcessClosed {
        /// The program.
        process: String,
    },
    /// mgmt Set Powered.
    Powered(bool),
    /// The host is about to sleep.
    Suspended,
    /// The host is awake again.
    Resumed,
    /// mgmt: a search for devices began.
    DiscoveryStarted,
    /// mgmt: a search for devices ended.
    DiscoveryStopped,
    /// mgmt: a device connected.
    DeviceConnected {
        /// The device.
        address: Address,
        /// The type of its address, as mgmt numbers it.
        address_type: u8,
    },
    /// mgmt: a device disconnected.
    DeviceDisconnected {
        /// The device.
        address: Address,
        /// The type of its address, as mgmt numbers it.
        address_type: u8,
        /// mgmt's reason, by its number.
        reason: u8,
    },
    /// mgmt: a connection failed.
    ConnectFailed {
        /// The device.
        address: Address,
        /// The type of its address, as mgmt numbers it.
        address_type: u8,
        /// mgmt's status, by its number.
        status: u8,
    },
    /// mgmt: authentication failed.
    AuthenticationFailed {
        /// The device.
        address: Address,
        /// mgmt's status, by its number.
        status: u8,
    },
    /// The user (agent) was asked to confirm, or answered.
    ConfirmationAsked {
        /// The device.
        address: Address,
    },
    /// The user (agent) answered.
    ConfirmationAnswered {
        /// The device.
        address: Address,
        /// Yes, or no.
        accepted: bool,
    },
    /// A line of a daemon's own log that speaks of a failure, kept short.
    Log {
        /// The program.
        process: String,
        /// The line.
        text: String,
    },
}
