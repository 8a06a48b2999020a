//! Attempts: create commands, and how they are answered.
use super::accept_list::Asked;
use super::connection::{Connection, Request, RequestKind, Role, Transport};
use super::established::finish_connect;
use super::live::{At, step};
use super::step::{Detail, Outcome, Procedure};
use super::tracker::{AdapterState, Tracker};
use crate::packet::hci::InitiatingPhy;
use crate::packet::{Address, AddressType, Direction, Status};
use crate::seen::Seen;
use crate::time::Span;

/// Most attempts kept of one capture; the rest is counted. A day of a busy phone has a few thousand. With long names
/// and their report so many take some 120 MiB.
const MOST_CONNECTIONS: usize = 40_000;

/// A device that leaves the accept list this soon after the cancel leaves it because of the cancel.
const WITHDRAWN: Span = Span::from_ms(1_000);

impl Tracker {
    pub(super) fn new_connection(&mut self, adapter: usize, transport: Transport) -> Option<usize> {
        let index = self.connections.len();
        if index >= MOST_CONNECTIONS {
            self.totals.connections_elided += 1;
            return None;
        }
        let id = self.adapters.get(adapter).and_then(|a| a.facts.index);
        self.connections.push(Connection::new(index, id, transport));
        if let Some(state) = self.adapters.get_mut(adapter) {
            state.facts.attempts += 1;
        }
        Some(index)
    }

    /// A create command opens an attempt.
    pub(super) fn create(&mut self, adapter: usize, mut request: Request) -> Option<usize> {
        let transport =
            if request.kind == RequestKind::BrEdrCreate { Transport::BrEdr } else { Transport::Le };
        let at = At {
            source: self.source,
            frame: request.frame,
            time: request.at,
            direction: Direction::Sent,
            link: None,
            cut: false,
        };
        let index = self.new_connection(adapter, transport)?;
        let open = self.adapters.get(adapter).map_or(0, |a| a.open_links());
        if let Some(state) = self.adapters.get(adapter) {
            request.resolvable = state.resolving.covers(request.peer);
            request.behind = self.busy_with(state);
        }
        let by_list = request.filter_policy != 0;
        if let Some(state) = self.adapters.get_mut(adapter) {
            request.listed = by_list.then(|| state.accept_list.wanted()).flatten();
            state.accept_list.forget();
            if let Some(device) = request.listed {
                let (report, reports) =
                    (self.air.last_report(device.0), self.air.reports(device.0));
                state.accept_list.remember(Asked { attempt: index, device, report, reports });
            }
        }
        let connection = &mut self.connections[index];
        connection.role = Some(Role::Central);
        connection.links_open = open.min(usize::from(u16::MAX)) as u16;
        if !by_list {
            connection.peer.address = Some(request.peer);
            connection.peer.address_type = Some(request.peer_type);
            connection.report_before = self.air.last_report(request.peer);
            request.reports_before = self.air.reports(request.peer);
        }
        connection.request = Some(Box::new(request));
        connection.steps.push(step(
            Procedure::Connect,
            Direction::Sent,
            at,
            Outcome::Unknown,
            Detail::None,
        ));
        if let Some(state) = self.adapters.get_mut(adapter) {
            // A create that nothing ever answered must not collect for ever.
            if state.creating.len() >= 64 {
                state.creating.remove(0);
            }
            state.creating.push(index);
        }
        Some(index)
    }

    /// A device leaves the accept list. Where it leaves right after the request by list that it came for was
    /// cancelled, the host had meant this device.
    pub(super) fn left_accept_list(
        &mut self,
        adapter: usize,
        at: At,
        device: (Address, AddressType),
    ) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let Some(asked) = state.accept_list.remove(device) else { return };
        let Some(connection) = self.connections.get_mut(asked.attempt) else { return };
        let Some(request) = connection.request.as_mut() else { return };
        let at_once =
            at.time.since(Seen::when(request.cancelled)).is_none_or(|after| after < WITHDRAWN);
        if request.cancelled.is_none() || !at_once || connection.up.is_some() {
            return;
        }
        request.reports_before = asked.reports;
        connection.peer.address = Some(device.0);
        connection.peer.address_type = Some(device.1);
        connection.report_before = asked.report;
        // Where the wait is not over yet, its end counts once more.
        self.end_wait(asked.attempt);
    }

    /// The oldest attempt that the controller has accepted and not ended.
    fn busy_with(&self, state: &AdapterState) -> Option<u32> {
        let mut waiting = state.creating.iter().filter_map(|index| self.connections.get(*index));
        let accepted = waiting
            .find(|c| c.request.as_ref().is_some_and(|r| r.status == Some(Status::SUCCESS)))?;
        Some(accepted.number)
    }

    /// The oldest attempt that waits and fits: its place in `creating`.
    pub(super) fn waiting(
        &self,
        adapter: usize,
        wanted: impl Fn(&Request) -> bool,
    ) -> Option<usize> {
        self.adapters.get(adapter)?.creating.iter().position(|index| {
            let connection = self.connections.get(*index);
            connection.and_then(|c| c.request.as_deref()).is_some_and(&wanted)
        })
    }

    /// Command Status of a create command.
    pub(super) fn create_status(
        &mut self,
        adapter: usize,
        at: At,
        command_frame: u32,
        status: Status,
    ) -> Option<usize> {
        let place = self.waiting(adapter, |r| r.frame == command_frame)?;
        let state = self.adapters.get_mut(adapter)?;
        let index = state.creating[place];
        let connection = self.connections.get_mut(index)?;
        let request = connection.request.as_mut()?;
        request.status = Some(status);
        request.status_frame = Some(at.frame);
        if status != Status::SUCCESS {
            state.creating.remove(place);
            connection.status = Some(status);
            connection.status_seen = Some(at.seen());
            connection.end_seen = true;
            connection.scan_at_connect = state.scan;
            finish_connect(connection, at, Outcome::Error, Some(status.0));
            self.end_wait(index);
        }
        Some(index)
    }

    pub(super) fn create_cancel(
        &mut self,
        adapter: usize,
        at: At,
        transport: Transport,
    ) -> Option<usize> {
        let state = self.adapters.get(adapter)?;
        let index = *state
            .creating
            .iter()
            .find(|i| self.connections.get(**i).is_some_and(|c| c.transport == transport))?;
        let request = self.connections.get_mut(index)?.request.as_mut()?;
        if request.cancelled.is_none() {
            request.cancelled = Some(at.seen());
        }
        Some(index)
    }

    /// The wait is over: counts the peer's reports that came meanwhile.
    pub(super) fn end_wait(&mut self, index: usize) {
        if let Some(connection) = self.connections.get_mut(index)
            && let Some(address) = connection.peer.address
            && let Some(request) = &connection.request
        {
            let now = self.air.reports(address);
            connection.reports_during_wait = now.saturating_sub(request.reports_before);
        }
    }

    /// A create command with its fields that every kind has.
    pub(super) fn request(
        kind: RequestKind,
        at: At,
        peer: (Address, AddressType),
        filter_policy: u8,
        own: u8,
        phys: u8,
    ) -> Request {
        Request {
            kind,
            seen: at.seen(),
            peer: peer.0,
            peer_type: peer.1,
            filter_policy,
            listed: None,
            own_address_type: own,
            phys,
            scan_interval: 0,
            scan_window: 0,
            interval_min: 0,
            interval_max: 0,
            latency: 0,
            timeout: 0,
            reports_before: 0,
            resolvable: false,
            behind: None,
            status: None,
            status_frame: None,
            cancelled: None,
        }
    }

    /// The first PHY's parameters are those that a maintainer compares.
    pub(super) fn extended_create(
        &mut self,
        adapter: usize,
        mut request: Request,
        phy: Option<InitiatingPhy>,
    ) -> Option<usize> {
        if let Some(phy) = phy {
            (request.scan_interval, request.scan_window) = (phy.scan_interval, phy.scan_window);
            (request.interval_min, request.interval_max) =
                (phy.connection_interval_min, phy.connection_interval_max);
            (request.latency, request.timeout) = (phy.max_latency, phy.supervision_timeout);
        }
        self.create(adapter, request)
    }
}

#[cfg(test)]
mod tests;
