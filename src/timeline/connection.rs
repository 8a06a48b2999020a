//! One attempt to connect and all that came of it.
use super::adapter::Scan;
use super::database::{Attribute, Database, Owner};
use super::device::{Advertised, Report};
use super::keys::KeySeen;
use super::pace::Pace;
use super::step::Step;
use crate::air;
use crate::packet::units::{Interval, Timeout};
use crate::packet::{Address, AddressType, ConnHandle, Direction, Opcode, Status};
use crate::seen::{Seen, seen_at};
use crate::time::{Moment, Span};
use crate::vocabulary::vocabulary;
use std::sync::Arc;

vocabulary! {
    /// Over which radio a link goes.
    Transport {
        Le "le",
        BrEdr "bredr",
        /// Nobody saw the link beginning, and nothing on it shows which it is. JSON has null then.
        Unknown "unknown",
    }
}

vocabulary! {
    /// Our host's role on the link.
    Role { Central "central", Peripheral "peripheral", }
}

vocabulary! {
    /// Who ended the link, as far as HCI shows (`ended_by` in JSON).
    EndedBy { Peer "peer", Host "host", Controller "controller", }
}

vocabulary! {
    /// Which command asked for the connection.
    RequestKind {
        LeCreate "LE Create Connection",
        LeExtendedCreate "LE Extended Create Connection",
        LeExtendedCreateV2 "LE Extended Create Connection v2",
        BrEdrCreate "Create Connection",
        /// No command of ours: the peer connected to us.
        Incoming "incoming",
    }
}

/// What the host asked the controller for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Which command it was.
    pub kind: RequestKind,
    /// The command.
    pub seen: Seen,
    /// The device that was asked for.
    pub peer: Address,
    /// The type of its address.
    pub peer_type: AddressType,
    /// 1: connect to anyone on the accept list, the peer fields are ignored.
    pub filter_policy: u8,
    /// Of a request by list: the one device that came onto the list for it.
    pub listed: Option<(Address, AddressType)>,
    /// The type of this host's address.
    pub own_address_type: u8,
    /// Bits: 1M, 2M, Coded. Legacy requests have 1.
    pub phys: u8,
    /// Of the first PHY; raw units.
    pub scan_interval: u16,
    /// How long the controller listens in each scan interval; raw units.
    pub scan_window: u16,
    /// The shortest connection interval that was asked for; raw units.
    pub interval_min: u16,
    /// The longest connection interval that was asked for; raw units.
    pub interval_max: u16,
    /// The peripheral latency that was asked for, in events.
    pub latency: u16,
    /// The supervision timeout that was asked for; raw units.
    pub timeout: u16,
    /// Advertising reports of the peer that came before the request.
    pub reports_before: u64,
    /// The controller had been told how to resolve this identity.
    pub resolvable: bool,
    /// The attempt that the adapter was still busy with: its number.
    pub behind: Option<u32>,
    /// Status of the Command Status that answered it.
    pub status: Option<Status>,
    /// The frame of that Command Status.
    pub status_frame: Option<u32>,
    /// Our LE Create Connection Cancel (or BR/EDR Create Connection Cancel).
    pub cancelled: Option<Seen>,
}

/// Connection parameters in raw units (1.25 ms, events, 10 ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Granted {
    /// The connection interval, in units of 1.25 ms.
    pub interval: u16,
    /// How many events in a row the peripheral may skip.
    pub latency: u16,
    /// The supervision timeout, in units of 10 ms.
    pub timeout: u16,
    /// The central's clock accuracy, as the specification numbers it.
    pub clock_accuracy: u8,
}

impl Granted {
    /// The connection interval.
    pub fn interval(&self) -> Span {
        Interval(self.interval).span()
    }

    /// The supervision timeout.
    pub fn timeout(&self) -> Span {
        Timeout(self.timeout).span()
    }

    /// From one event at which the peripheral must listen to the next: interval × (1 + latency).
    pub fn spacing(&self) -> Span {
        Span(self.interval().0 * (1 + i64::from(self.latency)))
    }

    /// How many events at which the peripheral must listen fit into the supervision timeout.
    pub fn events_in_timeout(&self) -> f64 {
        let event = self.spacing().0;
        if event == 0 { f64::INFINITY } else { self.timeout().0 as f64 / event as f64 }
    }
}

/// Proof that the peer's radio answered: which packet, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The packet.
    pub seen: Seen,
    /// In words: `ACL data from the peer`, `LE Read Remote Features Complete`.
    pub by: &'static str,
}

/// The other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// As the link was made with.
    pub address: Option<Address>,
    /// The type of that address.
    pub address_type: Option<AddressType>,
    /// What the device calls itself.
    pub name: Option<Arc<str>>,
    /// Identity address behind a private one, where the capture proves it.
    pub identity: Option<(Address, AddressType)>,
    /// Resolvable addresses that were on the air, where the controller resolved them.
    pub on_air: Option<Address>,
    /// From Read Remote Version: version number, company identifier.
    pub version: Option<(u8, u16)>,
}

impl Peer {
    /// The address that tells devices apart: the identity's, else the one that was seen.
    pub fn who(&self) -> Option<Address> {
        self.identity.map(|(address, _)| address).or(self.address)
    }

    /// The address changes every few minutes: random, and neither static nor resolved.
    pub fn has_private_address(&self) -> bool {
        self.address_type == Some(AddressType::RANDOM)
            && self.address.is_some_and(|address| !address.looks_static())
    }
}

/// The first exchange of ATT MTUs on the ATT channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mtu {
    /// `Sent`: our host asked.
    pub by: Direction,
    /// What was asked for, in bytes.
    pub requested: u16,
    /// The request.
    pub seen: Seen,
    /// What the other side answered, in bytes.
    pub answered: Option<u16>,
    /// The answer.
    pub answer: Option<Seen>,
    /// ATT error that came in place of an answer.
    pub error: Option<u8>,
}

impl Mtu {
    /// The smaller of asked and answered, at least 23; `None` if unanswered.
    pub fn effective(&self) -> Option<u16> {
        self.answered.map(|answered| answered.min(self.requested).max(23))
    }
}

/// The first packet of the attribute protocol on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstAtt {
    /// Where it is.
    pub seen: Seen,
    /// What it was.
    pub opcode: u8,
    /// Who sent it.
    pub direction: Direction,
}

/// What kind of question an open request asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// ATT request or indication: its opcode.
    Att(u8),
    /// SMP: the code of the PDU that waits for its answer.
    Smp(u8),
    /// L2CAP signalling request: its code.
    Signal(u8),
    /// A link-layer procedure, by the command that started it.
    LinkLayer(Opcode),
    /// A procedure of the link layer on the air: the opcode of the PDU that began it.
    Control(u8),
    /// The controller's LE Long Term Key Request, to be answered by our host.
    LongTermKey,
    /// The peer's LE Remote Connection Parameter Request, to be answered by our host.
    ParameterRequest,
}

impl Pending {
    /// Whether the question belongs to the link layer, and not to ATT, SMP or signalling.
    pub fn is_link_layer(self) -> bool {
        matches!(
            self,
            Self::LinkLayer(_) | Self::Control(_) | Self::LongTermKey | Self::ParameterRequest
        )
    }
}

/// A question that had no answer when the link (or the capture) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenRequest {
    /// What was asked.
    pub pending: Pending,
    /// The question.
    pub seen: Seen,
    /// `Sent`: our host asked.
    pub by: Direction,
    /// The attribute that it is about; 0 where it is about none.
    pub attribute: u16,
    /// From the question to the link's (or capture's) end.
    pub age: Option<Span>,
}

/// A value that our host wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The request or command.
    pub seen: Seen,
    /// The handle that was written to.
    pub attribute: u16,
    /// The length of the whole value.
    pub length: u16,
    /// The value's first bytes, 0 where it is shorter. They tell one command from another and are never shown.
    pub head: [u8; 8],
}

impl Written {
    pub(crate) fn new(seen: Seen, attribute: u16, value: &[u8]) -> Self {
        let head = value.first_chunk().copied().unwrap_or_else(|| {
            let mut head = [0; 8];
            head.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
            head
        });
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        Self { seen, attribute, length, head }
    }
}

/// The link's end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// Disconnection Complete.
    pub seen: Seen,
    /// Its reason.
    pub reason: Status,
    /// Parameter of our Disconnect command.
    pub reason_sent: Option<Status>,
    /// Our Disconnect command.
    pub command: Option<Seen>,
    /// Who ended it.
    pub by: EndedBy,
    /// Frames that only echo this end: same code up to 15 ms before, or refused with 0x02 after.
    pub echoes: Vec<u32>,
}

impl End {
    /// The frame of our Disconnect command.
    pub fn command_frame(&self) -> Option<u32> {
        self.command.map(|command| command.frame)
    }

    /// When our host gave the Disconnect command.
    pub fn command_at(&self) -> Moment {
        Seen::when(self.command)
    }
}

vocabulary! {
    /// What took an adapter away from under its links.
    AdapterLoss {
        /// The adapter was unplugged, or its driver gave it up.
        Removed "adapter-removed",
        /// The adapter was closed: switched off by mgmt or rfkill, or taken down.
        PoweredOff "powered-off",
        Reset "reset",
    }
}

/// The end of a link that no Disconnection Complete reports: its adapter was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gone {
    /// Where the capture shows the loss.
    pub seen: Seen,
    /// What became of the adapter.
    pub how: AdapterLoss,
    /// The host, where a command or rfkill switched the adapter off; else the controller.
    pub by: EndedBy,
    /// The program that switched the adapter off, where the capture names it.
    pub process: Option<String>,
    /// Our Disconnect command, which got no event any more, and its reason.
    pub command: Option<(Seen, Status)>,
}

/// Accounting of the controller's ACL buffers for this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credits {
    /// Data packets that our host sent.
    pub sent: u64,
    /// Data packets that the controller says it has sent.
    pub completed: u64,
    /// Most packets that were outstanding on the adapter at once, and where.
    pub most_outstanding: u32,
    /// The frame of the packet that made them so many.
    pub most_outstanding_frame: u32,
    /// The host sent more than the controller has buffers: the first packet too many.
    pub overrun_frame: Option<u32>,
    /// Last Number Of Completed Packets for this handle.
    pub last_completed: Option<Seen>,
    /// The oldest packet that was still outstanding at the end.
    pub stuck: Option<Seen>,
}

seen_at!(
    Request: seen,
    Sighting: seen,
    Mtu: seen,
    FirstAtt: seen,
    OpenRequest: seen,
    Written: seen,
    End: seen,
    Gone: seen,
);

impl Credits {
    /// Packets that the controller had not sent yet.
    pub fn outstanding(&self) -> u64 {
        self.sent.saturating_sub(self.completed)
    }
}

vocabulary! {
    /// In what way a packet contradicts the rest of the capture.
    OddityKind {
        SecondRequestInFlight "second-request-in-flight",
        UnexpectedResponse "unexpected-response",
        DataBeforeConnectionComplete "data-before-connection-complete",
        CompleteWithoutCreate "complete-without-create",
        AttAfterDisconnect "att-after-disconnect",
        EventAfterDisconnect "event-after-disconnect",
        SecondDisconnect "second-disconnect",
        DisconnectOfUnknownHandle "disconnect-of-unknown-handle",
        HandleReusedWithoutDisconnect "handle-reused-without-disconnect",
        ResetWhileConnected "reset-while-connected",
        AdapterClosedWhileConnected "adapter-closed-while-connected",
        AdapterRemovedWhileConnected "adapter-removed-while-connected",
    }
}

/// Something that contradicts the rest of the capture; kept and marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// The packet.
    pub frame: u32,
    /// What contradicts the rest.
    pub kind: OddityKind,
}

/// One attempt, from 1 in order of first sight.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Connection {
    /// Counted from 1 through the capture.
    pub number: u32,
    /// The index of its adapter.
    pub adapter: Option<u16>,
    /// LE or BR/EDR.
    pub transport: Transport,
    /// Unknown where the capture began after the connection.
    pub role: Option<Role>,
    /// The device at the other end.
    pub peer: Peer,
    /// The create command or the connection event is in the capture.
    pub start_seen: bool,
    /// The capture shows that the link, or the attempt, ended.
    pub end_seen: bool,
    /// Nothing in this capture could show the end: it holds data alone, and no HCI event.
    pub end_unknown: bool,
    /// What our host asked the controller for.
    pub request: Option<Box<Request>>,
    /// Of Connection Complete, of the refused command, or `None` while nothing answered.
    pub status: Option<Status>,
    /// Where `status` was seen.
    pub status_seen: Option<Seen>,
    /// Connection Complete with status 0.
    pub up: Option<Seen>,
    /// The handle that the controller gave the link.
    pub handle: Option<ConnHandle>,
    /// As granted at connect.
    pub granted: Option<Granted>,
    /// In force at the end (or now).
    pub current: Option<Granted>,
    /// LE Channel Selection Algorithm event: 0 is #1, 1 is #2.
    pub channel_selection: Option<u8>,
    /// How long answers took under each set of parameters, in order.
    pub pace: Vec<Pace>,
    /// The first and the last proof that the peer's radio answered.
    pub heard: Option<Sighting>,
    /// The last proof that the peer's radio answered.
    pub last_heard: Option<Sighting>,
    /// The link is known to have been established by how it ended (R9), without a packet that shows it.
    pub heard_by_end: bool,
    /// First moment at which the host could send ATT: features answered, encryption done, or first ATT.
    pub usable_at: Moment,
    /// The first exchange of ATT MTUs.
    pub mtu: Option<Mtu>,
    /// The first packet of the attribute protocol.
    pub first_att: Option<FirstAtt>,
    /// ATT packets that our host sent.
    pub att_sent: u64,
    /// ATT packets that the peer sent.
    pub att_received: u64,
    /// ATT PDUs seen on enhanced bearers.
    pub enhanced_att: u64,
    /// Last ATT, SMP or signalling PDU in either direction, and the last one that we sent.
    pub last_pdu: Option<Seen>,
    /// The last one that our host sent.
    pub last_sent_pdu: Option<Seen>,
    /// The last value that our host wrote, by a request or a command.
    pub last_write: Option<Written>,
    /// Encryption was switched on.
    pub encrypted: bool,
    /// A pairing succeeded.
    pub paired: bool,
    /// Long term keys that were handed out or used, in order.
    pub keys: Vec<KeySeen>,
    /// How the link ended.
    pub end: Option<End>,
    /// The adapter was lost while the link was up; then there is no [`Self::end`].
    pub gone: Option<Gone>,
    /// Unanswered at the end of the link, or of the capture.
    pub open_requests: Vec<OpenRequest>,
    /// What became of the packets in the controller's buffers.
    pub credits: Credits,
    /// In order of first frame.
    pub steps: Vec<Step>,
    /// Steps beyond the cap, counted only.
    pub elided_steps: u64,
    /// The peer's attributes, and ours where the peer discovers us.
    pub remote: Arc<Database>,
    /// Our attributes, where the peer discovers us.
    pub local: Arc<Database>,
    /// Scanning when the link came up, or when the attempt to get one had failed; and whether it was switched on
    /// during setup.
    pub scan_at_connect: Option<Scan>,
    /// Where scanning was switched on before the peer had answered.
    pub scan_started_frame: Option<u32>,
    /// Advertising of this address: the last report before the request, how many during the
    /// wait for the connection, and the first after the end.
    pub report_before: Option<Report>,
    /// Advertising reports of this address during the wait for the connection.
    pub reports_during_wait: u64,
    /// The first advertising report after the end.
    pub report_after: Option<Report>,
    /// Connectable advertising of this address while the link was up, since the peer was last heard on it.
    pub advertised: Option<Advertised>,
    /// Other links open on this adapter when this one was asked for.
    pub links_open: u16,
    /// mgmt's view: Device Disconnected reason, Connect Failed status.
    pub mgmt_reason: Option<(u32, u8)>,
    /// The frame and status of mgmt's Connect Failed.
    pub mgmt_failed: Option<(u32, u8)>,
    /// What contradicts the rest of the capture.
    pub oddities: Vec<Oddity>,
    /// Packets of this link that the capture cut.
    pub cut_packets: u64,
    /// The longest silence of the whole adapter before Connection Complete, if it exceeds 6 intervals.
    pub silence_before: Option<Span>,
    /// What a sniffer saw of the link, where the capture is one of the air.
    pub air: Option<Box<air::Link>>,
    /// The capture's last moment, or the loss of the adapter: durations of what stays open count to here.
    pub capture_end: Moment,
}

impl Connection {
    pub(super) fn new(number: usize, adapter: Option<u16>, transport: Transport) -> Self {
        Self {
            number: number as u32 + 1,
            adapter,
            transport,
            role: None,
            peer: Peer::default(),
            start_seen: true,
            end_seen: false,
            end_unknown: false,
            request: None,
            status: None,
            status_seen: None,
            up: None,
            handle: None,
            granted: None,
            current: None,
            channel_selection: None,
            pace: Vec::new(),
            heard: None,
            last_heard: None,
            heard_by_end: false,
            usable_at: Moment::UNKNOWN,
            mtu: None,
            first_att: None,
            att_sent: 0,
            att_received: 0,
            enhanced_att: 0,
            last_pdu: None,
            last_sent_pdu: None,
            last_write: None,
            encrypted: false,
            paired: false,
            keys: Vec::new(),
            end: None,
            gone: None,
            open_requests: Vec::new(),
            credits: Credits {
                sent: 0,
                completed: 0,
                most_outstanding: 0,
                most_outstanding_frame: 0,
                overrun_frame: None,
                last_completed: None,
                stuck: None,
            },
            steps: Vec::new(),
            elided_steps: 0,
            remote: Arc::default(),
            local: Arc::default(),
            scan_at_connect: None,
            scan_started_frame: None,
            report_before: None,
            reports_during_wait: 0,
            report_after: None,
            advertised: None,
            links_open: 0,
            mgmt_reason: None,
            mgmt_failed: None,
            oddities: Vec::new(),
            cut_packets: 0,
            silence_before: None,
            air: None,
            capture_end: Moment::UNKNOWN,
        }
    }

    /// Zero of this attempt's offsets: Connection Complete, else the create command.
    pub fn zero(&self) -> Moment {
        if let Some(up) = self.up {
            up.at
        } else if self.start_seen {
            self.request.as_ref().map_or(Moment::UNKNOWN, |r| r.at)
        } else {
            Moment::UNKNOWN
        }
    }

    /// Offset of a moment from [`Self::zero`].
    pub fn after(&self, moment: Moment) -> Option<Span> {
        moment.since(self.zero())
    }

    /// Whether the link was up at any time.
    pub fn connected(&self) -> bool {
        self.up.is_some() || !self.start_seen
    }

    /// Whom our request was for. None where the controller would have taken any device of its accept list, and
    /// nothing shows that the host meant one of them.
    pub fn wanted(&self) -> Option<(Address, AddressType)> {
        let request = self.request.as_ref()?;
        match request.filter_policy {
            0 => Some((request.peer, request.peer_type)),
            _ => self.peer.address.zip(self.peer.address_type),
        }
    }

    /// The frame that carried `status`.
    pub fn status_frame(&self) -> Option<u32> {
        self.status_seen.map(|seen| seen.frame)
    }

    /// The frame of Connection Complete with status 0.
    pub fn connected_frame(&self) -> Option<u32> {
        self.up.map(|up| up.frame)
    }

    /// The frame of its request or, without one, of its Connection Complete; 0 where it was up before the capture.
    pub(crate) fn first_frame(&self) -> u32 {
        let request = self.request.as_ref().map(|request| request.frame);
        let first = request.or(self.connected_frame());
        first.filter(|_| self.start_seen).unwrap_or(0)
    }

    /// When the link came up.
    pub fn connected_at(&self) -> Moment {
        Seen::when(self.up)
    }

    /// Connection Complete to Disconnection Complete.
    pub fn life(&self) -> Option<Span> {
        self.end.as_ref()?.at.since(self.up?.at)
    }

    /// Whether the link was still up when the capture ended.
    pub fn open(&self) -> bool {
        self.connected() && self.end.is_none() && self.gone.is_none() && !self.end_unknown
    }

    /// A sniffer heard the request of this link and nothing of the link itself.
    pub fn only_requested(&self) -> bool {
        self.air.as_ref().is_some_and(|link| !link.is_followed()) && self.end.is_none()
    }

    /// Why the link ended, if its end was seen.
    pub fn reason(&self) -> Option<Status> {
        self.end.as_ref().map(|end| end.reason)
    }

    /// From the last ATT, SMP or signalling PDU to the end.
    pub fn idle_before_end(&self) -> Option<Span> {
        self.end.as_ref()?.at.since(self.last_pdu?.at)
    }

    /// From the last proof of life to the end.
    pub fn silence_before_end(&self) -> Option<Span> {
        let last = self.last_heard.map_or(self.connected_at(), |s| s.seen.at);
        self.end.as_ref()?.at.since(last)
    }

    /// Whether anything proves that the peer ever answered on this link.
    pub fn peer_heard(&self) -> bool {
        self.heard.is_some() || self.heard_by_end
    }

    /// Connected, and nothing proves that the peer was there before it ended.
    pub fn never_heard(&self) -> bool {
        self.up.is_some() && self.end.is_some() && !self.peer_heard()
    }

    /// An attribute of whichever side a step speaks of.
    pub fn attribute(&self, step: &Step) -> Option<&Attribute> {
        match self.owner_of_attribute(step) {
            Owner::Peer => self.remote.get(step.attribute),
            Owner::Host => self.local.get(step.attribute),
        }
    }

    /// In whose database a step's attribute lies: the peer's for our request and for its notification.
    pub fn owner_of_attribute(&self, step: &Step) -> Owner {
        use super::step::Procedure::{Indicate, Notify};
        let pushed = matches!(step.procedure, Notify | Indicate);
        if (step.by == Direction::Sent) != pushed { Owner::Peer } else { Owner::Host }
    }
}

#[cfg(test)]
mod tests;
