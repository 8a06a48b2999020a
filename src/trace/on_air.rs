//! Traces of the air: what a sniffer beside two radios would have heard.
use super::{PEER, Packet, Trace};
use crate::air::{Algorithm, Hopping};
use crate::capture::Kind;
use crate::packet::air::{ADVERTISING, Advertising, Control, Phy, Physical, Radio};
use crate::packet::att;
use crate::packet::field::U24;
use crate::packet::{Address, Direction, Status};

/// The access address of a link.
const ACCESS_ADDRESS: u32 = 0x5065_3a12;
/// The central: `D0:00:00:00:00:02`.
pub const CENTRAL: Address = Address([0x02, 0, 0, 0, 0, 0xd0]);
const ALL_CHANNELS: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x1f];
const UNIT_US: i64 = 1250;
/// Between two packets of a connection event.
const INTER_FRAME_US: i64 = 150;

/// What a connect request asks for, and how the central then behaves.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub interval: u16,
    pub timeout: u16,
    pub win_offset: u16,
    pub ch_sel: bool,
    pub map: [u8; 5],
    /// The algorithm that the central follows.
    pub follows: Algorithm,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            interval: 24,
            timeout: 72,
            win_offset: 3,
            ch_sel: true,
            map: ALL_CHANNELS,
            follows: Algorithm::Two,
        }
    }
}

/// One link, event by event. Both sides acknowledge and repeat as the specification says.
#[derive(Clone, Debug)]
pub struct OnAir {
    trace: Trace,
    asked: Asked,
    event: u32,
    anchor: i64,
    /// What each side sends next, and what it expects: the central, the peripheral.
    sn: [bool; 2],
    nesn: [bool; 2],
}

impl From<OnAir> for Trace {
    fn from(air: OnAir) -> Self {
        air.trace
    }
}

impl OnAir {
    pub fn new() -> Self {
        Self {
            trace: Trace::new(),
            asked: Asked::default(),
            event: 0,
            anchor: 0,
            sn: [false; 2],
            nesn: [false; 2],
        }
    }

    pub fn wait_ms(mut self, ms: u32) -> Self {
        self.trace.now += i64::from(ms) * 1000;
        self
    }

    fn frame(
        &mut self,
        at: i64,
        direction: Direction,
        radio: Radio,
        address: u32,
        pdu: &[u8],
    ) -> i64 {
        let mut bytes = address.to_le_bytes().to_vec();
        bytes.extend_from_slice(pdu);
        bytes.extend_from_slice(&[0; 3]);
        let length = pdu.get(1).copied().unwrap_or(0);
        let packet = Packet { at, adapter: 0, direction, kind: Kind::Air(radio), bytes };
        self.trace.packets.push(packet);
        let end = at + Phy::OneMegabit.air_time_us(length);
        self.trace.now = self.trace.now.max(end);
        end
    }

    fn advertising(mut self, pdu: &Advertising<'_>, flags: u8) -> Self {
        let mut payload = Vec::new();
        pdu.encode(&mut payload);
        let mut bytes = vec![pdu.code() | flags, payload.len() as u8];
        bytes.extend(payload);
        let radio = Radio {
            channel: Some(37),
            rssi: Some(-60),
            phy: Some(Phy::OneMegabit),
            crc_ok: Some(true),
            physical: Physical::Advertising,
            ..Radio::default()
        };
        let at = self.trace.now;
        self.frame(at, Direction::Sent, radio, ADVERTISING, &bytes);
        self.trace.now += INTER_FRAME_US;
        self
    }

    /// The device advertises; `ch_sel`: it knows channel selection algorithm #2.
    pub fn advertises(self, ch_sel: bool) -> Self {
        let pdu = Advertising::AdvInd { adv_a: PEER, adv_data: &[2, 1, 6] };
        self.advertising(&pdu, 0x40 | if ch_sel { 0x20 } else { 0 })
    }

    /// The connect request, right behind an advertisement.
    pub fn asks(mut self, asked: Asked) -> Self {
        self.asked = asked;
        let pdu = Advertising::ConnectInd {
            init_a: CENTRAL,
            adv_a: PEER,
            access_address: ACCESS_ADDRESS,
            crc_init: U24(0x0012_3456),
            win_size: 2,
            win_offset: asked.win_offset,
            interval: asked.interval,
            latency: 0,
            timeout: asked.timeout,
            channel_map: asked.map,
            hop_sca: 9 | 5 << 5,
        };
        let mut air = self.advertising(&pdu, 0xc0 | if asked.ch_sel { 0x20 } else { 0 });
        let ended = air.trace.now - INTER_FRAME_US;
        air.anchor = ended + UNIT_US * (1 + i64::from(asked.win_offset));
        (air.event, air.sn, air.nesn) = (0, [false; 2], [false; 2]);
        air
    }

    /// An advertisement and a request that is answered at once.
    pub fn up() -> Self {
        Self::new().advertises(true).asks(Asked::default()).idles(2)
    }

    fn data(&mut self, at: i64, by: Direction, llid: u8, payload: &[u8]) -> i64 {
        let side = usize::from(by == Direction::Received);
        let hopping = Hopping { access_address: ACCESS_ADDRESS, hop: 9, map: self.asked.map };
        let radio = Radio {
            channel: hopping.channel(self.asked.follows, self.event),
            rssi: Some(-60),
            phy: Some(Phy::OneMegabit),
            crc_ok: Some(true),
            physical: Physical::Data,
            ..Radio::default()
        };
        let bits = u8::from(self.nesn[side]) << 2 | u8::from(self.sn[side]) << 3;
        let mut bytes = vec![llid | bits, payload.len() as u8];
        bytes.extend_from_slice(payload);
        self.frame(at, by, radio, ACCESS_ADDRESS, &bytes)
    }

    /// One connection event: the central speaks, and the peripheral answers, unless it is silent.
    pub fn event(mut self, central: (u8, &[u8]), peripheral: Option<(u8, &[u8])>) -> Self {
        let at = self.anchor;
        let end = self.data(at, Direction::Sent, central.0, central.1);
        if let Some((llid, payload)) = peripheral {
            // It takes the packet, and acknowledges it with its answer.
            if self.sn[0] == self.nesn[1] {
                self.nesn[1] = !self.nesn[1];
            }
            self.data(end + INTER_FRAME_US, Direction::Received, llid, payload);
            self.sn[0] = self.nesn[1];
            self.nesn[0] = !self.sn[1];
            self.sn[1] = !self.sn[1];
        }
        self.next()
    }

    /// The peripheral answers, and the central does not hear it.
    pub fn answered_in_vain(mut self) -> Self {
        let at = self.anchor;
        let end = self.data(at, Direction::Sent, 1, &[]);
        self.nesn[1] = !self.sn[0];
        self.data(end + INTER_FRAME_US, Direction::Received, 1, &[]);
        self.next()
    }

    fn next(mut self) -> Self {
        self.event += 1;
        self.anchor += UNIT_US * i64::from(self.asked.interval);
        self
    }

    /// Events that the sniffer does not hear.
    pub fn missed(mut self, events: u32) -> Self {
        for _ in 0..events {
            self = self.next();
        }
        self
    }

    /// Events in which both say nothing.
    pub fn idles(mut self, events: u32) -> Self {
        for _ in 0..events {
            self = self.event((1, &[]), Some((1, &[])));
        }
        self
    }

    /// Events in which the central is not answered.
    pub fn unanswered(mut self, events: u32) -> Self {
        for _ in 0..events {
            self = self.event((1, &[]), None);
        }
        self
    }

    /// The same on these channels alone; on the others both are heard.
    pub fn idles_but_on(mut self, events: u32, lost: std::ops::Range<u8>) -> Self {
        for _ in 0..events {
            let hopping = Hopping { access_address: ACCESS_ADDRESS, hop: 9, map: self.asked.map };
            let channel = hopping.channel(self.asked.follows, self.event).unwrap_or(0);
            let answer: Option<(u8, &[u8])> = (!lost.contains(&channel)).then_some((1, &[]));
            self = self.event((1, &[]), answer);
        }
        self
    }

    /// A control PDU of one side, acknowledged in the same event or the next.
    pub fn control(self, by: Direction, pdu: Control<'_>) -> Self {
        let mut payload = vec![pdu.code()];
        pdu.encode(&mut payload);
        match by {
            Direction::Sent => self.event((3, &payload), Some((1, &[]))),
            Direction::Received => self.event((1, &[]), Some((3, &payload))),
        }
    }

    /// A control PDU of the central that is not answered in these events.
    pub fn control_in_vain(mut self, pdu: Control<'_>, events: u32) -> Self {
        let mut payload = vec![pdu.code()];
        pdu.encode(&mut payload);
        for _ in 0..events {
            self = self.event((3, &payload), None);
        }
        self
    }

    /// An ATT packet of one side.
    pub fn att(self, by: Direction, pdu: att::Pdu<'_>) -> Self {
        let mut att = vec![pdu.code()];
        pdu.encode(&mut att);
        let mut payload = (att.len() as u16).to_le_bytes().to_vec();
        payload.extend([4, 0]);
        payload.extend(att);
        match by {
            Direction::Sent => self.event((2, &payload), Some((1, &[]))),
            Direction::Received => self.event((1, &[]), Some((2, &payload))),
        }
    }

    pub fn hangs_up(self, by: Direction, reason: Status) -> Self {
        self.control(by, Control::TerminateInd { error_code: reason }).idles(1)
    }

    /// The number of the event that comes next.
    pub fn now(&self) -> u16 {
        self.event as u16
    }

    /// The device is heard again, long after.
    pub fn gone(self, ms: u32) -> Self {
        self.wait_ms(ms).advertises(true)
    }
}

impl Default for OnAir {
    fn default() -> Self {
        Self::new()
    }
}
