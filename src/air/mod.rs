//! Links on the air: when their events were, who was heard in them, what was repeated, and which procedures went on.
//!
//! A link takes its packets one by one and keeps counts and procedures, so its memory does not grow with the capture.
//! A sniffer hears less than the radios did: what is missing here may have been sent. [`Link::sniffer_missed`] says how much.
mod hopping;
mod procedures;
mod timing;

pub use hopping::{Algorithm, CHANNELS, Hopping, has};
pub use procedures::{Answer, Collision, Did, Overlap, Procedure, ProcedureKind, Procedures};
pub use timing::{Over, Row, Rows, Timing};

use crate::packet::air::{Advertising, Air, Control, Header, Pdu, Phy};
use crate::packet::{Address, Direction, Event, Packet, Status};
use crate::seen::Seen;

/// Channels of events that are kept to see which algorithm they follow.
const MOST_HOPS: usize = 64;

/// The connect request: all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Where the capture shows it.
    pub seen: Seen,
    /// AUX_CONNECT_REQ.
    pub auxiliary: bool,
    /// The initiator's address.
    pub init_a: Address,
    /// That address is random.
    pub init_random: bool,
    /// The advertiser's address.
    pub adv_a: Address,
    /// That address is random.
    pub adv_random: bool,
    /// The initiator supports channel selection algorithm #2.
    pub ch_sel: bool,
    /// So does the advertiser, as its last advertisement says; `None` where none was heard.
    pub adv_ch_sel: Option<bool>,
    /// Length of the window in which the first event is, in units of 1.25 ms.
    pub win_size: u8,
    /// When that window begins, in units of 1.25 ms.
    pub win_offset: u16,
    /// The interval, in units of 1.25 ms.
    pub interval: u16,
    /// How many events the peripheral may skip.
    pub latency: u16,
    /// The supervision timeout, in units of 10 ms.
    pub timeout: u16,
    /// The channels that are used: bit 0 of the first byte is channel 0.
    pub channel_map: [u8; 5],
    /// How many channels algorithm #1 goes on at each event.
    pub hop: u8,
    /// The central's clock accuracy.
    pub sca: u8,
}

impl Request {
    /// The algorithm that both sides must use; `None` where the advertiser's word is not known.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match (self.auxiliary, self.ch_sel, self.adv_ch_sel) {
            (true, ..) | (_, true, Some(true)) => Some(Algorithm::Two),
            (_, false, _) | (_, _, Some(false)) => Some(Algorithm::One),
            (_, true, None) => None,
        }
    }
}

/// Packets of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Side {
    /// All that were heard whole.
    pub packets: u64,
    /// Of them: with nothing to say.
    pub empty: u64,
    /// Sent again, because they were not acknowledged.
    pub repeated: u64,
    /// The sniffer received them damaged.
    pub broken: u64,
    /// Packets that must have been there and were not heard: the next one's number shows it.
    pub skipped: u64,
    /// The first one.
    pub first: Option<Seen>,
    /// The last one.
    pub last: Option<Seen>,
}

/// How a channel fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// Events in which the central was heard on it.
    pub events: u32,
    /// Of them: answered.
    pub answered: u32,
}

/// LL_TERMINATE_IND.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminated {
    /// Where the capture shows it.
    pub seen: Seen,
    /// Who ended the link: the central is [`Direction::Sent`].
    pub by: Direction,
    /// The reason that it gave.
    pub reason: Status,
    /// Where the other side acknowledged it.
    pub acknowledged: Option<Seen>,
}

/// What a packet changed on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// A procedure began, or was answered.
    Procedure(Did),
    /// One side ended the link.
    Terminated(Terminated),
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// Its access address.
    pub access_address: u32,
    /// `None` where the capture began later, or the sniffer missed it.
    pub request: Option<Request>,
    /// Where the advertiser accepted an auxiliary request.
    pub accepted: Option<Seen>,
    /// Packets of the central.
    pub central: Side,
    /// Packets of the peripheral.
    pub peripheral: Side,
    /// The peripheral's first packet, and the event that it was in, counted from 0.
    pub first_answer: Option<(Seen, Option<u32>)>,
    /// The central's first packet that acknowledges one of the peripheral.
    pub heard_by_central: Option<Seen>,
    /// When its events were.
    pub timing: Timing,
    /// How each channel fared.
    pub channels: Box<[Channel; CHANNELS as usize]>,
    /// What the two link layers agreed on.
    pub procedures: Procedures,
    /// Who ended it, where that was heard.
    pub terminated: Option<Terminated>,
    /// The channels of the central's events, as long as the map is the request's.
    pub hops: Vec<(u32, u8)>,
    /// The map is another one since.
    remapped: bool,
    /// What each side sent last and waits for: its number, and its procedure.
    waiting: [Option<(bool, Option<usize>)>; 2],
    /// The sniffer named the wrong sender.
    pub mislabelled: u64,
    /// The sender was inferred.
    pub inferred: u64,
    /// Packets before the peripheral's first one that the central sent in vain.
    pub events_before_answer: u32,
    /// Everything that the peripheral sent while encrypted.
    pub encrypted: u64,
}

impl Link {
    /// A link whose connect request was seen, or was not.
    pub fn new(access_address: u32, request: Option<Request>, air_time_us: i64) -> Self {
        let timing = request.map_or_else(Timing::default, |request| {
            let ended = request.seen.at.time().map(|time| time.0 + air_time_us);
            Timing::begin(ended, request.interval, request.win_offset, request.auxiliary)
        });
        Self {
            access_address,
            request,
            accepted: None,
            central: Side::default(),
            peripheral: Side::default(),
            first_answer: None,
            heard_by_central: None,
            timing,
            channels: Box::new([Channel::default(); CHANNELS as usize]),
            procedures: Procedures::default(),
            terminated: None,
            hops: Vec::new(),
            remapped: false,
            waiting: [None; 2],
            mislabelled: 0,
            inferred: 0,
            events_before_answer: 0,
            encrypted: 0,
        }
    }

    /// Takes a packet of the link.
    pub fn packet(&mut self, seen: Seen, event: &Event<'_>, air: &Air) -> Change {
        let Header::Data { nesn, sn, .. } = air.header else { return Change::None };
        let by = event.direction.unwrap_or(Direction::Sent);
        let central = by == Direction::Sent;
        self.mislabelled += u64::from(air.mislabelled);
        self.inferred += u64::from(air.inferred);
        let over = self.timing.packet(seen, central, air.radio.event_counter, air.radio.channel);
        self.fared(over);
        let number = self.timing.event();
        let side = if central { &mut self.central } else { &mut self.peripheral };
        if air.broken() {
            side.broken += 1;
            return Change::None;
        }
        side.packets += 1;
        side.repeated += u64::from(air.repeated);
        side.skipped += u64::from(air.skipped);
        side.empty += u64::from(matches!(event.packet, Packet::Air(Pdu::Empty)));
        side.first.get_or_insert(seen);
        side.last = Some(seen);
        if central {
            let hop = number.zip(air.radio.channel).filter(|_| !self.remapped);
            if let Some(hop) = hop
                && self.hops.len() < MOST_HOPS
                && self.hops.last().is_none_or(|(last, _)| *last < hop.0)
            {
                self.hops.push(hop);
            }
            self.events_before_answer += u32::from(self.first_answer.is_none() && !air.repeated);
        } else if self.first_answer.is_none() {
            self.first_answer = Some((seen, number));
        }
        self.acknowledge(seen, by, nesn);
        let change = self.means(seen, by, event, air, number);
        if !air.repeated {
            let place = match change {
                Change::Procedure(Did::Began(place)) => Some(place),
                _ => None,
            };
            self.waiting[usize::from(!central)] = Some((sn, place));
        }
        change
    }

    fn means(
        &mut self,
        seen: Seen,
        by: Direction,
        event: &Event<'_>,
        air: &Air,
        number: Option<u32>,
    ) -> Change {
        match &event.packet {
            Packet::Air(Pdu::Control(pdu)) if air.repeated => {
                self.procedures.repeated(seen, by, pdu.code(), number);
                Change::None
            }
            _ if air.repeated => Change::None,
            Packet::Air(Pdu::Control(pdu)) if event.problem.is_none() => {
                self.control(seen, by, pdu, number)
            }
            Packet::Air(Pdu::Encrypted { .. }) => {
                self.encrypted += 1;
                self.procedures.encrypted(by);
                Change::None
            }
            Packet::Air(_) => Change::None,
            _ => {
                self.procedures.data(seen, by);
                Change::None
            }
        }
    }

    fn control(
        &mut self,
        seen: Seen,
        by: Direction,
        pdu: &Control<'_>,
        number: Option<u32>,
    ) -> Change {
        if let Control::TerminateInd { error_code } = *pdu {
            let terminated = Terminated { seen, by, reason: error_code, acknowledged: None };
            self.terminated.get_or_insert(terminated);
            return Change::Terminated(terminated);
        }
        let did = self.procedures.control(seen, by, pdu, number);
        let instant = self.procedures.all.last().and_then(|procedure| procedure.instant);
        match (*pdu, instant) {
            (Control::ConnectionUpdateInd { interval, win_offset, .. }, Some(instant)) => {
                self.timing.update(instant, interval, win_offset);
            }
            (Control::ChannelMapInd { .. }, _) => self.remapped = true,
            _ => {}
        }
        Change::Procedure(did)
    }

    /// A side expects the next number: the other side's last packet arrived.
    fn acknowledge(&mut self, seen: Seen, by: Direction, nesn: bool) {
        let other = usize::from(by == Direction::Sent);
        let Some((sn, place)) = self.waiting[other] else { return };
        if sn == nesn {
            return;
        }
        if by == Direction::Sent {
            self.heard_by_central.get_or_insert(seen);
        }
        if let Some(place) = place {
            self.procedures.acknowledged(seen, self.timing.event(), place);
        }
        if let Some(terminated) = &mut self.terminated
            && terminated.by != by
        {
            terminated.acknowledged.get_or_insert(seen);
        }
    }

    /// No packet comes any more.
    pub fn close(&mut self) {
        let over = self.timing.close();
        self.fared(over);
    }

    fn fared(&mut self, over: Option<Over>) {
        let Some(over) = over.filter(|over| over.central) else { return };
        let channel = over.channel.and_then(|channel| self.channels.get_mut(usize::from(channel)));
        if let Some(channel) = channel {
            channel.events += 1;
            channel.answered += u32::from(over.peripheral);
        }
    }

    /// The algorithm that the central's channels follow, where they follow one alone.
    pub fn followed(&self) -> Option<Algorithm> {
        let request = self.request?;
        let hopping = Hopping {
            access_address: self.access_address,
            hop: request.hop,
            map: request.channel_map,
        };
        hopping.followed(&self.hops)
    }

    /// Whether anything was heard behind the connect request.
    pub fn is_followed(&self) -> bool {
        let damaged = self.central.broken + self.peripheral.broken;
        self.central.first.is_some() || self.peripheral.first.is_some() || damaged > 0
    }

    /// Of the events that the link had while the sniffer followed it, so many in percent that it heard nothing of.
    pub fn sniffer_missed(&self) -> u32 {
        let all = u64::from(self.timing.heard) + u64::from(self.timing.missed);
        (u64::from(self.timing.missed) * 100 / all.max(1)) as u32
    }
}

/// Reads a connect request.
pub fn request(seen: Seen, pdu: &Pdu<'_>, air: &Air) -> Option<(u32, Request)> {
    let (auxiliary, pdu) = match pdu {
        Pdu::Advertising(pdu) => (false, pdu),
        Pdu::Auxiliary(_, pdu) => (true, pdu),
        _ => return None,
    };
    let Header::Advertising { ch_sel, tx_random, rx_random, .. } = air.header else { return None };
    let Advertising::ConnectInd {
        init_a,
        adv_a,
        access_address,
        win_size,
        win_offset,
        interval,
        latency,
        timeout,
        channel_map,
        hop_sca,
        ..
    } = *pdu
    else {
        return None;
    };
    let request = Request {
        seen,
        auxiliary,
        init_a,
        init_random: tx_random,
        adv_a,
        adv_random: rx_random,
        ch_sel,
        adv_ch_sel: None,
        win_size,
        win_offset,
        interval,
        latency,
        timeout,
        channel_map,
        hop: hop_sca & 0x1f,
        sca: hop_sca >> 5,
    };
    Some((access_address, request))
}

/// How long a connect request is on the air.
pub fn air_time_us(air: &Air) -> i64 {
    match air.header {
        Header::Advertising { length, .. } => {
            air.radio.phy.unwrap_or(Phy::OneMegabit).air_time_us(length)
        }
        _ => air.air_time_us(),
    }
}
