//! Traces written by hand: what a rule's example, and a test, is made of.
//!
//! A trace is a list of real HCI packets. It runs through the same decoder and
//! tracker as a capture, so an example cannot say what no capture could.
use crate::capture::Kind;
use crate::packet::att::{self, ErrorCode, Handle};
use crate::packet::hci::{Command, Event, LeEvent, Returned};
use crate::packet::{
    Address, AddressType, ConnHandle, Direction, Opcode, Secret, Status, signal, smp,
};

mod joined;
pub mod on_air;
mod recorded;

/// The handle that [`Trace::connected`] opens.
pub const HANDLE: ConnHandle = ConnHandle(0x40);

/// The device that examples connect to: `C0:00:00:00:00:01`, a static random address.
pub const PEER: Address = Address([0x01, 0, 0, 0, 0, 0xc0]);

/// A moment in September 2025: only distances matter.
const START: i64 = 1_757_000_000_000_000;

#[derive(Clone, Debug)]
struct Packet {
    at: i64,
    adapter: u16,
    direction: Direction,
    kind: Kind,
    bytes: Vec<u8>,
}

/// Packets of one adapter, in order.
#[derive(Clone, Debug)]
pub struct Trace {
    now: i64,
    adapter: u16,
    packets: Vec<Packet>,
    handle: ConnHandle,
    peer: Address,
    peer_type: AddressType,
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Trace {
    pub fn new() -> Self {
        Self {
            now: START,
            adapter: 0,
            packets: Vec::new(),
            handle: HANDLE,
            peer: PEER,
            peer_type: AddressType::RANDOM,
        }
    }

    /// Time passes.
    pub fn wait_ms(mut self, ms: u32) -> Self {
        self.now += i64::from(ms) * 1000;
        self
    }

    /// From here on, packets are this adapter's.
    pub fn adapter(mut self, index: u16) -> Self {
        self.adapter = index;
        self
    }

    /// From here on, links have this handle.
    pub fn handle(mut self, handle: u16) -> Self {
        self.handle = ConnHandle(handle);
        self
    }

    /// From here on, this is the device.
    pub fn peer(mut self, address: Address, kind: AddressType) -> Self {
        (self.peer, self.peer_type) = (address, kind);
        self
    }

    fn push(mut self, direction: Direction, kind: Kind, bytes: Vec<u8>) -> Self {
        self.packets.push(Packet { at: self.now, adapter: self.adapter, direction, kind, bytes });
        // Nothing is instantaneous.
        self.now += 100;
        self
    }

    pub fn command(self, command: Command<'_>) -> Self {
        let mut parameters = Vec::new();
        command.encode(&mut parameters);
        let mut bytes = command.code().to_le_bytes().to_vec();
        bytes.push(parameters.len() as u8);
        bytes.extend(parameters);
        self.push(Direction::Sent, Kind::Command, bytes)
    }

    pub fn event(self, event: Event<'_>) -> Self {
        let mut parameters = Vec::new();
        event.encode(&mut parameters);
        let mut bytes = vec![event.code(), parameters.len() as u8];
        bytes.extend(parameters);
        self.push(Direction::Received, Kind::Event, bytes)
    }

    pub fn le(self, event: LeEvent<'_>) -> Self {
        self.event(Event::Le { event })
    }

    /// A command that succeeds at once.
    pub fn done(self, command: Command<'_>) -> Self {
        let opcode = command.opcode();
        self.command(command).complete(opcode, &[0])
    }

    /// A command that the controller takes up.
    pub fn taken(self, command: Command<'_>) -> Self {
        let opcode = command.opcode();
        self.command(command).status(opcode, Status::SUCCESS)
    }

    pub fn complete(self, opcode: Opcode, returns: &[u8]) -> Self {
        self.event(Event::CommandComplete {
            num_hci_command_packets: 1,
            command_opcode: opcode,
            return_parameters: Returned(returns),
        })
    }

    pub fn status(self, opcode: Opcode, status: Status) -> Self {
        self.event(Event::CommandStatus {
            status,
            num_hci_command_packets: 1,
            command_opcode: opcode,
        })
    }

    /// A frame on a channel, by the receiver's identifier of it.
    pub fn acl(self, direction: Direction, cid: u16, payload: &[u8]) -> Self {
        let start = if direction == Direction::Sent { 0 } else { 0x2000 };
        let mut bytes = (self.handle.0 | start).to_le_bytes().to_vec();
        bytes.extend((payload.len() as u16 + 4).to_le_bytes());
        bytes.extend((payload.len() as u16).to_le_bytes());
        bytes.extend(cid.to_le_bytes());
        bytes.extend(payload);
        self.push(direction, Kind::Acl, bytes)
    }

    pub fn att(self, direction: Direction, pdu: att::Pdu<'_>) -> Self {
        let mut bytes = vec![pdu.code()];
        pdu.encode(&mut bytes);
        self.acl(direction, 4, &bytes)
    }

    /// Our request, and 50 ms later the answer.
    pub fn exchange(self, request: att::Pdu<'_>, response: att::Pdu<'_>) -> Self {
        self.att(Direction::Sent, request).wait_ms(50).att(Direction::Received, response)
    }

    pub fn refused(self, request: att::Pdu<'_>, error: ErrorCode) -> Self {
        let response = att::Pdu::ErrorResponse {
            request_opcode: request.code(),
            attribute_handle: request.attribute_handle().unwrap_or(Handle(1)),
            error_code: error,
        };
        self.exchange(request, response)
    }

    pub fn smp(self, direction: Direction, pdu: smp::Pdu<'_>) -> Self {
        let mut bytes = vec![pdu.code()];
        pdu.encode(&mut bytes);
        self.acl(direction, 6, &bytes)
    }

    /// We send a Pairing Request: no input and output, bonding, Secure Connections.
    pub fn asks_to_pair(self) -> Self {
        let request = smp::Pdu::PairingRequest {
            io_capability: 3,
            oob_data_flag: 0,
            auth_req: 9,
            maximum_encryption_key_size: 16,
            initiator_key_distribution: 1,
            responder_key_distribution: 1,
        };
        self.smp(Direction::Sent, request)
    }

    /// The peer takes it up with the same wishes.
    pub fn answers_pairing(self) -> Self {
        let response = smp::Pdu::PairingResponse {
            io_capability: 3,
            oob_data_flag: 0,
            auth_req: 9,
            maximum_encryption_key_size: 16,
            initiator_key_distribution: 1,
            responder_key_distribution: 1,
        };
        self.wait_ms(50).smp(Direction::Received, response)
    }

    /// We start encryption. The key is left out, as some tools leave it out.
    pub fn encrypts(self) -> Self {
        self.encrypts_with(0)
    }

    /// We start encryption with a key of sixteen such bytes.
    pub fn encrypts_with(self, key: u8) -> Self {
        let connection_handle = self.handle;
        self.taken(Command::LeEnableEncryption {
            connection_handle,
            random_number: Secret::new([0; 8]),
            encrypted_diversifier: 0,
            long_term_key: Secret::new([key; 16]),
        })
    }

    /// As the peripheral, we are asked for the key, and have this one.
    pub fn replies_with_key(self, key: u8) -> Self {
        let connection_handle = self.handle;
        let asked = self.le(LeEvent::LongTermKeyRequest {
            connection_handle,
            random_number: Secret::new([0; 8]),
            encrypted_diversifier: 0,
        });
        asked.done(Command::LeLongTermKeyRequestReply {
            connection_handle,
            long_term_key: Secret::new([key; 16]),
        })
    }

    /// A side hands out a key at the end of a pairing.
    pub fn gives_key(self, direction: Direction, key: u8) -> Self {
        let long_term_key = Secret::new([key; 16]);
        self.smp(direction, smp::Pdu::EncryptionInformation { long_term_key })
    }

    /// Encryption Change.
    pub fn encryption(self, status: Status) -> Self {
        let connection_handle = self.handle;
        let encryption_enabled = u8::from(status == Status::SUCCESS);
        self.event(Event::EncryptionChange { status, connection_handle, encryption_enabled })
    }

    pub fn signal(self, direction: Direction, identifier: u8, pdu: signal::Pdu<'_>) -> Self {
        self.signal_on(5, direction, identifier, pdu)
    }

    /// The same on a BR/EDR link.
    pub fn signal_bredr(self, direction: Direction, identifier: u8, pdu: signal::Pdu<'_>) -> Self {
        self.signal_on(1, direction, identifier, pdu)
    }

    fn signal_on(
        self,
        cid: u16,
        direction: Direction,
        identifier: u8,
        pdu: signal::Pdu<'_>,
    ) -> Self {
        let mut data = Vec::new();
        pdu.encode(&mut data);
        let mut bytes = vec![pdu.code(), identifier];
        bytes.extend((data.len() as u16).to_le_bytes());
        bytes.extend(data);
        self.acl(direction, cid, &bytes)
    }

    // What every trace begins and ends with.

    /// One advertising report of the device: 0 connectable, 2 scannable, 3 neither.
    pub fn advertises(self, event_type: u8) -> Self {
        self.reported(event_type, -60)
    }

    /// The same, connectable, with that signal in dBm.
    pub fn heard_at(self, rssi: i8) -> Self {
        self.reported(0, rssi)
    }

    /// The same, connectable, with a name.
    pub fn advertises_as(self, name: &str) -> Self {
        let length = name.len() as u8;
        let mut bytes = vec![0x3e, length + 14, 0x02, 1, 0, self.peer_type.0];
        bytes.extend(self.peer.0);
        bytes.extend([length + 2, length + 1, 0x09]);
        bytes.extend(name.as_bytes());
        bytes.push(-60_i8 as u8);
        self.push(Direction::Received, Kind::Event, bytes)
    }

    fn reported(self, event_type: u8, rssi: i8) -> Self {
        let mut bytes = vec![0x3e, 15, 0x02, 1, event_type, self.peer_type.0];
        bytes.extend(self.peer.0);
        bytes.extend([3, 2, 1, 6, rssi as u8]);
        self.push(Direction::Received, Kind::Event, bytes)
    }

    pub fn scan(self, on: bool, interval: u16, window: u16) -> Self {
        let trace = if on {
            self.done(Command::LeSetScanParameters {
                le_scan_type: 1,
                le_scan_interval: interval,
                le_scan_window: window,
                own_address_type: 0,
                scanning_filter_policy: 0,
            })
        } else {
            self
        };
        trace.done(Command::LeSetScanEnable { le_scan_enable: u8::from(on), filter_duplicates: 0 })
    }

    /// LE Create Connection as BlueZ's kernel sends it: 30-50 ms, 420 ms.
    pub fn create(self) -> Self {
        self.create_from(0)
    }

    /// A request for anybody of the accept list.
    pub fn create_for_anybody(self) -> Self {
        self.create_as(1, 0)
    }

    /// The same from another kind of own address.
    pub fn create_from(self, own_address_type: u8) -> Self {
        self.create_as(0, own_address_type)
    }

    fn create_as(self, initiator_filter_policy: u8, own_address_type: u8) -> Self {
        let command = Command::LeCreateConnection {
            le_scan_interval: 0x60,
            le_scan_window: 0x60,
            initiator_filter_policy,
            peer_address_type: self.peer_type,
            peer_address: self.peer,
            own_address_type,
            connection_interval_min: 24,
            connection_interval_max: 40,
            max_latency: 0,
            supervision_timeout: 42,
            min_ce_length: 0,
            max_ce_length: 0,
        };
        self.taken(command)
    }

    /// The same, and the controller says no.
    pub fn create_refused(self, status: Status) -> Self {
        self.creates_unanswered().status(Opcode(0x200d), status)
    }

    /// A request whose Command Status is not there.
    pub fn creates_unanswered(self) -> Self {
        let mut trace = self.create();
        trace.packets.pop();
        trace
    }

    /// Create Connection on BR/EDR, as BlueZ asks for it.
    fn pages(self) -> Self {
        let peer = self.peer;
        self.taken(Command::CreateConnection {
            bd_addr: peer,
            packet_type: 0xcc18,
            page_scan_repetition_mode: 2,
            reserved: 0,
            clock_offset: 0,
            allow_role_switch: 1,
        })
    }

    /// Create Connection on BR/EDR, which nobody answers for the page timeout of BlueZ's kernel.
    pub fn pages_in_vain(self) -> Self {
        let peer = self.peer;
        self.pages().wait_ms(5120).event(Event::ConnectionComplete {
            status: Status::PAGE_TIMEOUT,
            connection_handle: ConnHandle(0),
            bd_addr: peer,
            link_type: 1,
            encryption_enabled: 0,
        })
    }

    /// Create Connection on BR/EDR, and the link.
    pub fn connected_bredr(self) -> Self {
        let (peer, handle) = (self.peer, self.handle);
        self.pages().wait_ms(600).event(Event::ConnectionComplete {
            status: Status::SUCCESS,
            connection_handle: handle,
            bd_addr: peer,
            link_type: 1,
            encryption_enabled: 0,
        })
    }

    /// LE Extended Create Connection on these PHYs (bits), with the same parameters on each.
    pub fn create_extended(self, phys: u8, status: Status) -> Self {
        let mut parameters = vec![0, 0, self.peer_type.0];
        parameters.extend(self.peer.0);
        parameters.push(phys);
        for _ in 0..phys.count_ones() {
            parameters.extend([0x60, 0, 0x60, 0, 24, 0, 40, 0, 0, 0, 42, 0, 0, 0, 0, 0]);
        }
        let mut bytes = vec![0x43, 0x20, parameters.len() as u8];
        bytes.extend(parameters);
        self.push(Direction::Sent, Kind::Command, bytes).status(Opcode(0x2043), status)
    }

    /// LE Connection Complete as central: 48.75 ms, 420 ms.
    pub fn connected(self) -> Self {
        self.connected_as(0, 39, 0, 42)
    }

    /// The same, at once.
    pub fn connected_now(mut self) -> Self {
        self.now -= 60_000;
        self.connected()
    }

    pub fn connected_as(self, role: u8, interval: u16, latency: u16, timeout: u16) -> Self {
        let event = LeEvent::ConnectionComplete {
            status: Status::SUCCESS,
            connection_handle: self.handle,
            role,
            peer_address_type: self.peer_type,
            peer_address: self.peer,
            connection_interval: interval,
            peripheral_latency: latency,
            supervision_timeout: timeout,
            central_clock_accuracy: 1,
        };
        self.wait_ms(60).le(event)
    }

    pub fn connect_failed(self, status: Status) -> Self {
        let event = LeEvent::ConnectionComplete {
            status,
            connection_handle: ConnHandle(0),
            role: 0,
            peer_address_type: AddressType::PUBLIC,
            peer_address: Address::default(),
            connection_interval: 0,
            peripheral_latency: 0,
            supervision_timeout: 0,
            central_clock_accuracy: 0,
        };
        self.le(event)
    }

    pub fn cancel(self) -> Self {
        self.done(Command::LeCreateConnectionCancel {})
            .connect_failed(Status::UNKNOWN_CONNECTION_IDENTIFIER)
    }

    /// A request that nobody answers until the host takes it back.
    pub fn asks_in_vain(self) -> Self {
        self.create().wait_ms(20_500).cancel()
    }

    /// The device pairs under this address, tells that it is [`PEER`], leaves, and advertises again.
    pub fn known_under(self, air: Address) -> Self {
        let identity = smp::Pdu::IdentityAddressInformation { addr_type: 1, bd_addr: PEER };
        let paired = self.peer(air, AddressType::RANDOM).advertises(0).up();
        let paired = paired.smp(Direction::Received, identity).wait_ms(500);
        paired.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(500).advertises(0)
    }

    /// The kernel's first question, and the peer's answer: from here on the peer is heard.
    pub fn features(self) -> Self {
        let handle = self.handle;
        self.taken(Command::LeReadRemoteFeatures { connection_handle: handle }).wait_ms(90).le(
            LeEvent::ReadRemoteFeaturesComplete {
                status: Status::SUCCESS,
                connection_handle: handle,
                le_features: [0x3f, 0, 0, 8, 0, 0, 0, 0],
            },
        )
    }

    /// Created and heard: where most examples begin.
    pub fn up(self) -> Self {
        self.create().connected().features()
    }

    pub fn mtu(self) -> Self {
        self.exchange(
            att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 },
            att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 },
        )
    }

    /// A service with one characteristic, found: 0x0001-0x0006, value 0x0003 (properties given), CCCD 0x0004.
    pub fn discovery(self, properties: u8) -> Self {
        let groups = [6, 1, 0, 6, 0, 0x0f, 0x18];
        let characteristics = [7, 2, 0, properties, 3, 0, 0x19, 0x2a];
        let descriptors = [1, 4, 0, 0x02, 0x29];
        self.by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &groups)
            .by_wire(&[0x10, 7, 0, 0xff, 0xff, 0x00, 0x28], 0x01, &[0x10, 7, 0, 0x0a])
            .by_wire(&[0x08, 1, 0, 6, 0, 0x03, 0x28], 0x09, &characteristics)
            .by_wire(&[0x04, 4, 0, 6, 0], 0x05, &descriptors)
    }

    /// A request and its answer as bytes.
    pub fn by_wire(self, request: &[u8], response: u8, body: &[u8]) -> Self {
        let mut answer = vec![response];
        answer.extend(body);
        self.acl(Direction::Sent, 4, request).wait_ms(50).acl(Direction::Received, 4, &answer)
    }

    /// The peer asks and we answer: requests of a central that looks at our database.
    pub fn from_peer(self, request: &[u8], response: &[u8]) -> Self {
        self.acl(Direction::Received, 4, request)
            .wait_ms(1)
            .acl(Direction::Sent, 4, response)
            .wait_ms(30)
    }

    /// We ask (or indicate) and the peer answers, as bytes.
    pub fn to_peer(self, request: &[u8], response: &[u8]) -> Self {
        self.acl(Direction::Sent, 4, request).wait_ms(50).acl(Direction::Received, 4, response)
    }

    pub fn write(self, handle: u16, value: &[u8]) -> Self {
        self.exchange(
            att::Pdu::WriteRequest { attribute_handle: Handle(handle), attribute_value: value },
            att::Pdu::WriteResponse {},
        )
    }

    pub fn notified(self, handle: u16, value: &[u8]) -> Self {
        self.att(
            Direction::Received,
            att::Pdu::HandleValueNotification {
                attribute_handle: Handle(handle),
                attribute_value: value,
            },
        )
    }

    /// As a server, we notify the central.
    pub fn notified_by_us(self, handle: u16, value: &[u8]) -> Self {
        self.att(
            Direction::Sent,
            att::Pdu::HandleValueNotification {
                attribute_handle: Handle(handle),
                attribute_value: value,
            },
        )
    }

    pub fn acknowledged(self, packets: u16) -> Self {
        let [low, high] = self.handle.0.to_le_bytes();
        let [few, many] = packets.to_le_bytes();
        self.push(Direction::Received, Kind::Event, vec![0x13, 5, 1, low, high, few, many])
    }

    /// The controller says how many LE packets it can hold.
    pub fn buffers(self, packets: u8) -> Self {
        self.command(Command::LeReadBufferSize {}).complete(Opcode(0x2002), &[0, 0xfb, 0, packets])
    }

    /// Writes without response to one attribute, one right behind the other.
    pub fn writes_to(mut self, handle: u16, count: u8) -> Self {
        for n in 0..count {
            let attribute_handle = Handle(handle);
            let write = att::Pdu::WriteCommand { attribute_handle, attribute_value: &[n] };
            self = self.att(Direction::Sent, write);
        }
        self
    }

    /// Writes without response, immediately one after the other.
    pub fn writes_at_once(mut self, count: u8) -> Self {
        for n in 0..count {
            let write =
                att::Pdu::WriteCommand { attribute_handle: Handle(0x10), attribute_value: &[n] };
            self = self.att(Direction::Sent, write);
        }
        self
    }

    pub fn disconnected(self, reason: Status) -> Self {
        let handle = self.handle;
        self.event(Event::DisconnectionComplete {
            status: Status::SUCCESS,
            connection_handle: handle,
            reason,
        })
    }

    /// Our host hangs up.
    pub fn hangs_up(self, reason: Status) -> Self {
        let handle = self.handle;
        self.taken(Command::Disconnect { connection_handle: handle, reason })
            .wait_ms(50)
            .disconnected(Status::LOCAL_HOST_TERMINATED)
    }

    /// A Linux monitor record that is no HCI packet.
    pub fn monitor(self, opcode: u16, payload: &[u8]) -> Self {
        self.push(Direction::Sent, Kind::Monitor(opcode), payload.to_vec())
    }

    /// A process opens a Bluetooth socket: format 0 raw, 1 user, 2 control.
    pub fn opens(self, cookie: u32, format: u16, process: &str) -> Self {
        let mut payload = cookie.to_le_bytes().to_vec();
        payload.extend(format.to_le_bytes());
        payload.extend([1, 22, 0, 0, 0, 0, 0, process.len() as u8]);
        payload.extend(process.as_bytes());
        self.monitor(14, &payload)
    }
}
