//! What one line of a log claims, as plain values.
use crate::packet::{Address, Opcode};
use crate::time::Moment;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// Which program wrote a log, or which tool printed it.
    Kind {
        Bluetoothd "bluetoothd",
        Journal "journal",
        Bleak "bleak",
        HomeAssistant "home-assistant",
        RetryConnector "retry-connector",
        DBus "dbus",
        Bluetoothctl "bluetoothctl",
        Kernel "kernel",
        Esphome "esphome",
        EspIdf "esp-idf",
        NimBle "nimble",
        Logcat "logcat",
        AppleLog "apple-log",
        Air "air",
    }
}

vocabulary! {
    /// What the times of a log are counted from.
    LogClock {
        Utc "utc",
        /// A wall clock whose zone the log does not say; some do not say the year or the day.
        Local "local",
        /// Since the machine was switched on.
        Boot "boot",
        /// No times: only the order of the lines is known.
        None "none",
    }
}

/// Why a link ended, in the number system of the log that says it.
///
/// The same number means different things in two systems, so a bare number is never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The log does not say.
    Unsaid,
    /// HCI's own code.
    Hci(u8),
    /// Linux's management reason of a disconnect: 0 to 5.
    Mgmt(u8),
    /// An error number of Linux.
    Errno(u16),
    /// The host cancelled its own request: a number that is not HCI's (ESP-IDF's 0x100).
    Cancelled,
    /// Android's and ESP-IDF's GATT status 133, which stands for several.
    Gatt133,
}

impl Reason {
    /// HCI reasons that the log's number can stand for. Empty: it says nothing about it.
    pub fn hci(self) -> &'static [u8] {
        match self {
            Self::Unsaid | Self::Cancelled => &[],
            Self::Hci(code) => one(code),
            Self::Mgmt(0) => &[0x3e, 0x3d, 0x3b, 0x22, 0x1f],
            Self::Mgmt(1) => &[0x08],
            Self::Mgmt(2) => &[0x16],
            Self::Mgmt(3) => &[0x13, 0x14, 0x15],
            Self::Mgmt(4) => &[0x05, 0x06, 0x16, 0x3d],
            Self::Errno(38) => &[0x3e],
            Self::Errno(103) => &[0x16],
            Self::Errno(104) => &[0x13, 0x14, 0x15],
            Self::Errno(110) => &[0x08],
            Self::Errno(111) => &[0x05, 0x06, 0x16],
            Self::Gatt133 => &[0x3e, 0x08, 0x02],
            Self::Mgmt(_) | Self::Errno(_) => &[],
        }
    }
}

impl Reason {
    /// In which system it is numbered.
    pub const fn system(self) -> Option<&'static str> {
        match self {
            Self::Unsaid | Self::Cancelled => None,
            Self::Hci(_) => Some("hci"),
            Self::Mgmt(_) => Some("mgmt"),
            Self::Errno(_) => Some("errno"),
            Self::Gatt133 => Some("gatt"),
        }
    }

    /// Its number in that system.
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Unsaid | Self::Cancelled => None,
            Self::Hci(code) | Self::Mgmt(code) => Some(code as u16),
            Self::Errno(number) => Some(number),
            Self::Gatt133 => Some(133),
        }
    }
}

/// A slice of this one code.
fn one(code: u8) -> &'static [u8] {
    static ALL: [u8; 256] = {
        let mut all = [0; 256];
        let mut at = 0;
        while at < 256 {
            all[at] = at as u8;
            at += 1;
        }
        all
    };
    let at = usize::from(code);
    ALL.get(at..=at).unwrap_or_default()
}

/// What a failure is called. Most of these words stand for several truths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// `le-connection-abort-by-local`: a link that never came up, a lost bond, or a wish.
    AbortByLocal,
    /// `br-connection-canceled`.
    Cancelled,
    /// The daemon refused: an older connect is pending.
    InProgress,
    /// `Device with address … was not found`, `device 'dev_…' not found`.
    DeviceNotFound,
    /// `Characteristic … was not found`.
    CharacteristicNotFound,
    /// `failed to discover services, device disconnected`.
    LostInDiscovery,
    /// `Service Discovery has not been performed yet`: the program lost its services with the link.
    NotDiscovered,
    /// `GATT Protocol Error: Unlikely Error`, which the daemon also says where no answer came.
    UnlikelyError,
    /// The program's own clock ran out.
    TimedOut,
    /// The adapter is off or missing.
    AdapterOff,
    /// The daemon is gone, or never was there.
    NoDaemon,
    /// Pairing failed, or authentication.
    Authentication,
    /// Android's and ESP-IDF's 133.
    Gatt133,
    /// All connection slots are taken.
    NoSlot,
    /// Anything else.
    Other,
}

/// Who asked for a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A program, of its library.
    Program,
    /// The library, of the daemon; or the daemon, of the kernel.
    Stack,
}

/// What a line claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A program asked for scanning.
    ScanAsked,
    /// Scanning began.
    ScanStarted,
    /// The device was heard advertising.
    Heard,
    /// Somebody asked for a connection.
    ConnectAsked(Asker),
    /// Somebody asked for pairing.
    PairAsked,
    /// Somebody asked for the end of a connection.
    HangUpAsked,
    /// The link is up.
    Connected,
    /// The daemon answered the connect: the link and its ATT bearer are up.
    ConnectAnswered,
    /// The program has its connection: connected and, as a rule, services found.
    ProgramConnected,
    /// The services are known.
    ServicesResolved,
    /// The daemon's discovery ended.
    DiscoveryEnded {
        /// It found the services.
        ok: bool,
    },
    /// The MTU that was agreed on.
    Mtu(u16),
    /// No link came up.
    ConnectFailed(Reason),
    /// The link ended before its ATT bearer was up.
    BearerFailed(Reason),
    /// The ATT bearer closed.
    BearerClosed(Reason),
    /// The link ended.
    Disconnected(Reason),
    /// Up or down: the line is the same for both.
    UpOrDown,
    /// No answer to the request with this ATT opcode within 30 s.
    RequestTimedOut(u8),
    /// A call failed, or a program gave up.
    Failed {
        /// What the failure is called.
        how: Failure,
        /// Who tells it.
        by: FailedAt,
    },
    /// The message bus, or another policy, refused the call before any daemon saw it.
    Denied,
    /// Pairing failed.
    PairingFailed,
    /// Pairing worked.
    Paired,
    /// The agent was asked: a user, or a program in his place.
    AgentAsked,
    /// There is no agent that could be asked.
    NoAgent,
    /// The adapter is gone.
    AdapterGone,
    /// The adapter was switched off.
    PoweredOff,
    /// The adapter was switched on.
    PoweredOn,
    /// The daemon began.
    DaemonStarted,
    /// The daemon ended.
    DaemonStopped,
    /// A service appeared on the message bus.
    ServiceExported,
    /// An object disappeared from the message bus.
    ObjectRemoved,
    /// Which adapter or proxy the program will use.
    PathChosen,
    /// A kernel's command without an answer.
    CommandTimeout(Opcode),
    /// The controller reports an error of its own, by its number.
    HardwareError(u8),
    /// The address that the line before speaks of.
    AddressNamed,
    /// Worth counting, without a counterpart among HCI packets.
    Aside,
}

impl What {
    /// The word that tables use. It is part of their schema.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ScanAsked => "scan-asked",
            Self::ScanStarted => "scan-started",
            Self::Heard => "heard",
            Self::ConnectAsked(_) => "connect-asked",
            Self::PairAsked => "pair-asked",
            Self::HangUpAsked => "hang-up-asked",
            Self::Connected => "connected",
            Self::ConnectAnswered => "connect-answered",
            Self::ProgramConnected => "program-connected",
            Self::ServicesResolved => "services-resolved",
            Self::DiscoveryEnded { ok: true } => "discovery-ended",
            Self::DiscoveryEnded { ok: false } => "discovery-failed",
            Self::Mtu(_) => "mtu",
            Self::ConnectFailed(_) => "connect-failed",
            Self::BearerFailed(_) => "bearer-failed",
            Self::BearerClosed(_) => "bearer-closed",
            Self::Disconnected(_) => "disconnected",
            Self::UpOrDown => "up-or-down",
            Self::RequestTimedOut(_) => "request-timed-out",
            Self::Failed { .. } => "failed",
            Self::Denied => "denied",
            Self::PairingFailed => "pairing-failed",
            Self::Paired => "paired",
            Self::AgentAsked => "agent-asked",
            Self::NoAgent => "no-agent",
            Self::AdapterGone => "adapter-gone",
            Self::PoweredOff => "powered-off",
            Self::PoweredOn => "powered-on",
            Self::DaemonStarted => "daemon-started",
            Self::DaemonStopped => "daemon-stopped",
            Self::ServiceExported => "service-exported",
            Self::ObjectRemoved => "object-removed",
            Self::PathChosen => "path-chosen",
            Self::CommandTimeout(_) => "command-timeout",
            Self::HardwareError(_) => "hardware-error",
            Self::AddressNamed => "address-named",
            Self::Aside => "aside",
        }
    }

    /// Why a connection ended or failed, where the line says so.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::ConnectFailed(reason)
            | Self::BearerFailed(reason)
            | Self::BearerClosed(reason)
            | Self::Disconnected(reason) => Some(reason),
            _ => None,
        }
    }
}

/// At which level a failure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailedAt {
    /// The library's or the daemon's answer to one call.
    Call,
    /// The library notices it, and tries again by itself.
    Retry,
    /// The exception that a program saw.
    Exception,
    /// The program's own words.
    Program,
}

/// Over which radio a line says that it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Radio {
    /// The line does not say.
    #[default]
    Unsaid,
    /// `hciN` of the host that wrote the log.
    Adapter(u16),
    /// A proxy: another machine's radio.
    Proxy,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The line, from 1; of a D-Bus capture the message.
    pub line: u32,
    /// On the log's own clock. Unknown where the line has no time.
    pub at: Moment,
    /// What it says.
    pub what: What,
    /// Over which radio.
    pub radio: Radio,
    /// The address of the adapter, where the line names it.
    pub adapter_address: Option<Address>,
    /// The address of the device.
    pub device: Option<Address>,
    /// Whether the line names the device. If not, it is about the device that was named last.
    pub device_named: bool,
    /// Of HCI, where the line names it.
    pub handle: Option<u16>,
    /// D-Bus: the caller's number, to tell one program from another.
    pub client: Option<u32>,
    /// The line of the call that this line answers.
    pub answers: Option<u32>,
    /// Of a daemon's line: the number by which the same line is found in a capture. 0: not asked for.
    pub said: u64,
    /// The line's message without its keys, shortened.
    pub text: Box<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_its_own_system() {
        assert_eq!(Reason::Hci(0x13).hci(), [0x13]);
        assert_eq!(Reason::Mgmt(1).hci(), [0x08]);
        assert_eq!(Reason::Mgmt(3).hci(), [0x13, 0x14, 0x15]);
        assert!(Reason::Errno(38).hci().contains(&0x3e));
        assert_eq!(Reason::Cancelled.hci(), [0_u8; 0]);
        assert_eq!(Reason::Hci(0xff).hci(), [0xff]);
    }
}
