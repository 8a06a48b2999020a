//! Captures of the air: their links become connections of the same model, seen from the central's side.
//!
//! What only a sniffer sees stands in [`Connection::air`]. A sniffer sees no command and no event, so nothing here
//! says what a host asked for or was told.
use super::connection::{Connection, Granted, Pending};
use super::live::{At, Link, step};
use super::step::{Detail, Encryption, Outcome, Procedure};
use super::tracker::Tracker;
use crate::air::{self, Change, Did, ProcedureKind, Terminated};
use crate::packet::air::{Advertising, Air, Auxiliary, Control, Header, Pdu};
use crate::packet::hci::{AdvertisingReport, LeConnection};
use crate::packet::{Address, AddressType, ConnHandle, Direction, Event, Packet, Status};
use crate::seen::Seen;
use crate::time::Span;
use std::collections::HashMap;

/// Most advertisers whose last word on channel selection is remembered.
const MOST_ADVERTISERS: usize = 8192;
/// A link that nobody answered is given up after so many intervals (SIGNATURES 0.1).
const INTERVALS_TO_ESTABLISH: i64 = 6;
/// The strength of a report that has none.
const NO_RSSI: i8 = 127;

/// What advertisers say of themselves in the header of a packet.
#[derive(Clone, Debug, Default)]
pub(super) struct Advertisers(HashMap<Address, bool>);

impl Advertisers {
    fn heard(&mut self, address: Address, ch_sel: bool) {
        if self.0.len() < MOST_ADVERTISERS || self.0.contains_key(&address) {
            self.0.insert(address, ch_sel);
        }
    }
}

fn kind(random: bool) -> AddressType {
    if random { AddressType::RANDOM } else { AddressType::PUBLIC }
}

impl Tracker {
    /// Takes a packet on the air; returns the connection that it belongs to.
    pub(super) fn on_air(
        &mut self,
        adapter: usize,
        at: At,
        event: &Event<'_>,
        frame: &Air,
    ) -> Option<usize> {
        self.totals.air += 1;
        if let Packet::Air(pdu @ (Pdu::Advertising(_) | Pdu::Auxiliary(..))) = &event.packet {
            if frame.broken() || event.problem.is_some() {
                return None;
            }
            return self.advertised_on_air(adapter, at, pdu, frame);
        }
        let id = at.link?;
        let state = self.adapters.get_mut(adapter)?;
        if let Some(index) = state.ended(id) {
            // The end is acknowledged, or repeated.
            let connection = self.connections.get_mut(index)?;
            if let Some(link) = &mut connection.air {
                link.packet(at.seen(), event, frame);
            }
            return Some(index);
        }
        let index = self.link_for_data(
            adapter,
            at,
            id,
            ConnHandle(1),
            Some(super::connection::Transport::Le),
        )?;
        let connection = self.connections.get_mut(index)?;
        connection.handle = None;
        let link = connection
            .air
            .get_or_insert_with(|| Box::new(air::Link::new(frame.access_address, None, 0)));
        let change = link.packet(at.seen(), event, frame);
        if frame.broken()
            || event.problem.is_some_and(|_| matches!(event.packet, Packet::Opaque { .. }))
        {
            return Some(index);
        }
        if !at.sent() {
            connection.hear(at, "a packet of the peripheral on the air");
            connection.usable(at);
        }
        if frame.repeated {
            return Some(index);
        }
        match &event.packet {
            Packet::Air(Pdu::Control(pdu)) => {
                let live = self.adapters.get_mut(adapter)?.link(id)?;
                control(live, connection, at, pdu, change);
            }
            Packet::Air(Pdu::Encrypted { .. }) if !connection.encrypted && !at.sent() => {
                connection.encrypted = true;
                let live = self.adapters.get_mut(adapter)?.link(id)?;
                if let Some(question) =
                    live.answered(|q| q.pending == Pending::Control(ENCRYPTION_REQUEST))
                {
                    live.settle(connection, &question, at, Outcome::Ok, Some(0));
                }
            }
            Packet::Air(_) | Packet::Opaque { .. } => {}
            _ => return self.data(adapter, at, event),
        }
        if let Change::Terminated(Terminated { by, reason, .. }) = change {
            if by == Direction::Sent {
                self.disconnect_command(adapter, at, reason);
            }
            self.disconnected(adapter, at, ConnHandle(1), Status::SUCCESS, reason);
        }
        Some(index)
    }

    fn advertised_on_air(
        &mut self,
        adapter: usize,
        at: At,
        pdu: &Pdu<'_>,
        frame: &Air,
    ) -> Option<usize> {
        if let Some((access_address, mut request)) = air::request(at.seen(), pdu, frame) {
            request.adv_ch_sel = self.advertisers.0.get(&request.adv_a).copied();
            self.silent_since(adapter, request.adv_a, at, true);
            return self.requested_on_air(adapter, at, access_address, request, frame);
        }
        let Header::Advertising { ch_sel, tx_random, .. } = frame.header else { return None };
        let (auxiliary, advertising) = match pdu {
            Pdu::Advertising(advertising) => (None, advertising),
            Pdu::Auxiliary(kind, advertising) => (Some(*kind), advertising),
            _ => return None,
        };
        let scan_response = auxiliary == Some(Some(Auxiliary::ScanResponse));
        let (address, event_type, connectable, data) = match *advertising {
            Advertising::AdvInd { adv_a, adv_data } => (adv_a, 0, true, adv_data),
            Advertising::AdvDirectInd { adv_a, .. } => (adv_a, 1, true, &[][..]),
            Advertising::AdvScanInd { adv_a, adv_data } => (adv_a, 2, false, adv_data),
            Advertising::AdvNonconnInd { adv_a, adv_data } => (adv_a, 3, false, adv_data),
            Advertising::ScanRsp { adv_a, scan_rsp_data } => (adv_a, 4, false, scan_rsp_data),
            Advertising::AdvExtInd { payload } => {
                let address = payload.adv_a()?;
                (
                    address,
                    if scan_response { 4 } else { 0 },
                    payload.mode() & 1 == 1,
                    payload.data(),
                )
            }
            Advertising::AuxConnectRsp { payload } => {
                self.accepted_on_air(at, payload.adv_a(), payload.target_a());
                return None;
            }
            _ => return None,
        };
        if matches!(advertising, Advertising::AdvInd { .. } | Advertising::AdvDirectInd { .. }) {
            self.advertisers.heard(address, ch_sel);
        }
        if connectable {
            self.silent_since(adapter, address, at, false);
        }
        let report = AdvertisingReport {
            event_type,
            connectable,
            directed: event_type == 1,
            scan_response: event_type == 4,
            address_type: kind(tx_random),
            address,
            rssi: frame.radio.rssi.unwrap_or(NO_RSSI),
            data,
        };
        self.totals.advertising_reports += 1;
        self.air.report(None, at, &report, &mut self.connections);
        None
    }

    fn requested_on_air(
        &mut self,
        adapter: usize,
        at: At,
        access_address: u32,
        request: air::Request,
        frame: &Air,
    ) -> Option<usize> {
        let fact = LeConnection {
            status: Status::SUCCESS,
            handle: ConnHandle(1),
            role: 0,
            peer_address_type: kind(request.adv_random),
            peer_address: request.adv_a,
            peer_rpa: None,
            interval: request.interval,
            latency: request.latency,
            timeout: request.timeout,
            clock_accuracy: request.sca,
            local_rpa: None,
            subevent: 1,
        };
        let index = self.le_connected(adapter, at, &fact, None)?;
        let connection = self.connections.get_mut(index)?;
        // There is no handle on the air, and no command that could be missing.
        connection.handle = None;
        connection.oddities.clear();
        connection.channel_selection =
            request.algorithm().map(|algorithm| u8::from(algorithm == air::Algorithm::Two));
        let link = air::Link::new(access_address, Some(request), air::air_time_us(frame));
        connection.air = Some(Box::new(link));
        Some(index)
    }

    /// The advertiser takes an auxiliary request up.
    fn accepted_on_air(&mut self, at: At, by: Option<Address>, target: Option<Address>) {
        let latest = self.connections.iter_mut().rev().take(8).find_map(|connection| {
            let link = connection.air.as_mut()?;
            let request = link.request?;
            let same = request.auxiliary
                && by.is_none_or(|by| by == request.adv_a)
                && target.is_none_or(|target| target == request.init_a);
            same.then_some(link)
        });
        if let Some(link) = latest {
            link.accepted.get_or_insert(at.seen());
        }
    }

    /// The device is heard where only a device without a link is: a link with it that has been silent for as long as
    /// it may is over.
    fn silent_since(&mut self, adapter: usize, device: Address, at: At, asked_again: bool) {
        let Some(index) = self.air.linked_to(device) else { return };
        let Some(connection) = self.connections.get(index) else { return };
        let (Some(link), Some(granted)) = (&connection.air, connection.current) else { return };
        let last = [link.central.last, link.peripheral.last].into_iter().flatten();
        // A sniffer that heard nothing of either side did not follow the link: it cannot tell how it went.
        let Some(last) = last.max_by_key(|seen| seen.frame) else { return };
        let established = link.first_answer.is_some();
        let allowed = match established {
            true => granted.timeout(),
            false => Span(granted.interval().0 * INTERVALS_TO_ESTABLISH),
        };
        // Some devices advertise beside a link. Then its packets go on.
        let silent = at.time.since(last.at).is_some_and(|silent| silent >= allowed);
        let given_up = asked_again && !established;
        if !silent && !given_up {
            return;
        }
        let reason =
            if established { Status::CONNECTION_TIMEOUT } else { Status::FAILED_TO_BE_ESTABLISHED };
        let Some(state) = self.adapters.get(adapter) else { return };
        let live = state.links.iter().flatten().find(|live| live.connection == index);
        let Some(id) = live.and_then(|live| live.id) else { return };
        let at = At {
            time: last.at,
            frame: last.frame,
            direction: Direction::Received,
            link: Some(id),
            ..at
        };
        self.disconnected(adapter, at, ConnHandle(1), Status::SUCCESS, reason);
    }

    /// The capture is over.
    pub(super) fn end_of_air(&mut self) {
        for connection in &mut self.connections {
            if let Some(link) = &mut connection.air {
                link.close();
                // The sniffer may only have lost it.
                connection.end_unknown |= connection.end.is_none();
            }
        }
    }
}

const ENCRYPTION_REQUEST: u8 = 0x03;

/// The timeline's procedure of one on the air; those that only the link layers care for have none.
fn procedure(kind: ProcedureKind) -> Option<Procedure> {
    Some(match kind {
        ProcedureKind::Features => Procedure::Features,
        ProcedureKind::Version => Procedure::Version,
        ProcedureKind::Update | ProcedureKind::ParameterRequest => Procedure::ParameterUpdate,
        ProcedureKind::Phy => Procedure::Phy,
        ProcedureKind::DataLength => Procedure::DataLength,
        ProcedureKind::Encryption => Procedure::Encrypt,
        _ => return None,
    })
}

fn control(
    live: &mut Link,
    connection: &mut Connection,
    at: At,
    pdu: &Control<'_>,
    change: Change,
) {
    let detail = detail(live, pdu);
    if let Control::VersionInd { version, company, .. } = *pdu
        && !at.sent()
    {
        connection.peer.version = Some((version, company));
    }
    let Some(link) = connection.air.take() else { return };
    let place = match change {
        Change::Procedure(Did::Began(place) | Did::Answered(place)) => place,
        _ => usize::MAX,
    };
    let began = matches!(change, Change::Procedure(Did::Began(_)));
    if let Some(of) = link.procedures.all.get(place)
        && let Some(procedure) = procedure(of.kind)
    {
        let key = place.min(usize::from(u16::MAX)) as u16;
        let pending = Pending::Control(of.opcode);
        if began {
            if of.wants_answer() {
                live.asks(connection, at, pending, key, procedure, detail);
            } else {
                live.add(connection, step(procedure, at.direction, at, Outcome::Ok, detail));
            }
        } else if let Some(answer) = of.answer
            // The start of an encryption is answered by what is encrypted.
            && !(of.kind == ProcedureKind::Encryption && answer.error.is_none())
            && let Some(question) = live.answered(|q| q.pending == pending && q.key == key)
        {
            let outcome = if answer.error.is_none() { Outcome::Ok } else { Outcome::Error };
            let status = Some(answer.error.map_or(0, |error| error.0));
            let index = live.settle(connection, &question, at, outcome, status);
            if outcome == Outcome::Ok
                && detail != Detail::None
                && let Some(step) = index.and_then(|index| connection.steps.get_mut(index))
            {
                step.detail = detail;
            }
        }
    }
    connection.air = Some(link);
    if let Control::ConnectionUpdateInd { interval, latency, timeout, .. } = *pdu
        && interval > 0
    {
        let clock_accuracy = connection.granted.map_or(0, |granted| granted.clock_accuracy);
        let granted = Granted { interval, latency, timeout, clock_accuracy };
        connection.current = Some(granted);
        connection.paced(at, granted);
    }
}

fn detail(live: &Link, pdu: &Control<'_>) -> Detail {
    match *pdu {
        Control::FeatureReq { feature_set }
        | Control::FeatureRsp { feature_set }
        | Control::PeripheralFeatureReq { feature_set } => Detail::Features(feature_set),
        Control::VersionInd { version, company, subversion } => {
            Detail::Version { version, company, subversion }
        }
        Control::LengthReq { max_rx_octets, max_rx_time, max_tx_octets, max_tx_time }
        | Control::LengthRsp { max_rx_octets, max_rx_time, max_tx_octets, max_tx_time } => {
            Detail::DataLength {
                tx_octets: max_tx_octets,
                tx_time: max_tx_time,
                rx_octets: max_rx_octets,
                rx_time: max_rx_time,
            }
        }
        Control::PhyReq { tx_phys, rx_phys } => {
            Detail::Phy { asked_tx: tx_phys, asked_rx: rx_phys, tx: 0, rx: 0 }
        }
        Control::PhyUpdateInd { phy_c_to_p, phy_p_to_c, .. } => {
            // In the numbers of HCI: 1, 2 and 3 for the bits 1, 2 and 4.
            let number = |bits: u8| if bits == 0 { 0 } else { bits.trailing_zeros() as u8 + 1 };
            Detail::Phy { asked_tx: 0, asked_rx: 0, tx: number(phy_c_to_p), rx: number(phy_p_to_c) }
        }
        Control::ConnectionParamReq { interval_min, interval_max, latency, timeout, .. } => {
            super::signalling::asked(interval_min, interval_max, latency, timeout)
        }
        Control::ConnectionUpdateInd { interval, latency, timeout, .. } => Detail::Parameters {
            min: 0,
            max: 0,
            latency: 0,
            timeout: 0,
            granted_interval: interval,
            granted_latency: latency,
            granted_timeout: timeout,
        },
        Control::EncReq { .. } => {
            let key = if live.fresh_key { Encryption::Fresh } else { Encryption::Stored };
            Detail::Encryption { key, key_size: 0 }
        }
        _ => Detail::None,
    }
}

impl Connection {
    /// Where the link was asked for and accepted on the air, for a witness.
    pub fn requested_on_air(&self) -> Option<Seen> {
        Some(self.air.as_ref()?.request?.seen)
    }
}

#[cfg(test)]
mod tests;
