//! Attempts: from the create command to the link's end.
use super::connection::{
    Connection, Credits, End, EndedBy, Granted, Peer, Request, RequestKind, Role, Transport,
};
use super::identity::Resolving;
use super::live::{At, Link, step};
use super::step::{Detail, Moment, Outcome, Procedure};
use super::tracker::{AdapterState, Tracker};
use crate::capture::Direction;
use crate::time::Span;
use crate::wire::hci::{InitiatingPhy, LeConnection};
use crate::wire::{Address, AddressType, ConnHandle, Status};
use std::sync::Arc;

/// An error just before the end with the same code is its echo (HABITS R3).
const ECHO: Span = Span::from_ms(15);

/// Most attempts kept of one capture; the rest is counted. A day of a busy phone has a few thousand.
const MOST_CONNECTIONS: usize = 50_000;

/// Most attributes kept of all servers together.
const MOST_ATTRIBUTES: usize = 4_000_000;

/// Data for a handle this long after its end belongs to a link whose beginning is missing.
const STRAGGLER: Span = Span::from_ms(1000);

impl Connection {
    fn new(number: usize, adapter: Option<u16>, transport: Transport) -> Self {
        Self {
            number: number as u32 + 1,
            adapter,
            transport,
            role: None,
            peer: Peer::default(),
            start_seen: true,
            end_seen: false,
            request: None,
            status: None,
            status_frame: None,
            connected_frame: None,
            connected_at: Moment::UNKNOWN,
            handle: None,
            granted: None,
            current: None,
            channel_selection: None,
            heard: None,
            last_heard: None,
            heard_by_end: false,
            usable_at: Moment::UNKNOWN,
            mtu: None,
            first_att: None,
            att_sent: 0,
            att_received: 0,
            enhanced_att: 0,
            last_pdu_at: Moment::UNKNOWN,
            last_pdu_frame: None,
            last_sent_pdu_at: Moment::UNKNOWN,
            last_sent_pdu_frame: None,
            encrypted: false,
            paired: false,
            end: None,
            open_requests: Vec::new(),
            credits: Credits {
                sent: 0,
                completed: 0,
                most_outstanding: 0,
                most_outstanding_frame: 0,
                overrun_frame: None,
                last_completed_frame: None,
                last_completed_at: Moment::UNKNOWN,
                stuck_since: Moment::UNKNOWN,
                stuck_frame: None,
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
            links_open: 0,
            mgmt_reason: None,
            mgmt_failed: None,
            oddities: Vec::new(),
            cut_packets: 0,
            opaque_packets: 0,
            silence_before: None,
            capture_end: Moment::UNKNOWN,
        }
    }
}

impl Tracker {
    fn new_connection(&mut self, adapter: usize, transport: Transport) -> Option<usize> {
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
        let at =
            At { frame: request.frame, time: request.at, direction: Direction::Sent, cut: false };
        let index = self.new_connection(adapter, transport)?;
        let open = self.adapters.get(adapter).map_or(0, |a| a.open_links());
        if let Some(state) = self.adapters.get(adapter) {
            request.resolvable = state.resolving.covers(request.peer);
            request.behind = self.busy_with(state);
        }
        let background = request.filter_policy != 0;
        let connection = &mut self.connections[index];
        connection.role = Some(Role::Central);
        connection.links_open = open.min(usize::from(u16::MAX)) as u16;
        if !background {
            connection.peer.address = Some(request.peer);
            connection.peer.address_type = Some(request.peer_type);
            connection.report_before = self.air.last_report(request.peer);
            connection.reports_during_wait = self.air.reports(request.peer);
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

    /// The oldest attempt that the controller has accepted and not ended.
    fn busy_with(&self, state: &AdapterState) -> Option<u32> {
        let mut waiting = state.creating.iter().filter_map(|index| self.connections.get(*index));
        let accepted = waiting
            .find(|c| c.request.as_ref().is_some_and(|r| r.status == Some(Status::SUCCESS)))?;
        Some(accepted.number)
    }

    /// Command Status of a create command.
    pub(super) fn create_status(
        &mut self,
        adapter: usize,
        at: At,
        command_frame: u32,
        status: Status,
    ) -> Option<usize> {
        let state = self.adapters.get_mut(adapter)?;
        let place = state.creating.iter().position(|index| {
            self.connections
                .get(*index)
                .and_then(|c| c.request.as_ref())
                .is_some_and(|r| r.frame == command_frame)
        })?;
        let index = state.creating[place];
        let connection = self.connections.get_mut(index)?;
        let request = connection.request.as_mut()?;
        request.status = Some(status);
        request.status_frame = Some(at.frame);
        if status != Status::SUCCESS {
            state.creating.remove(place);
            connection.status = Some(status);
            connection.status_frame = Some(at.frame);
            connection.end_seen = true;
            finish_connect(connection, at, Outcome::Error, Some(status.0));
            self.end_wait(index);
        }
        Some(index)
    }

    pub(super) fn create_cancel(&mut self, adapter: usize, at: At, le: bool) -> Option<usize> {
        let state = self.adapters.get(adapter)?;
        let transport = if le { Transport::Le } else { Transport::BrEdr };
        let index = *state
            .creating
            .iter()
            .find(|i| self.connections.get(**i).is_some_and(|c| c.transport == transport))?;
        let request = self.connections.get_mut(index)?.request.as_mut()?;
        if request.cancel_frame.is_none() {
            request.cancel_frame = Some(at.frame);
            request.cancel_at = at.time;
        }
        Some(index)
    }

    /// Turns the report count at the request into the count during the wait.
    fn end_wait(&mut self, index: usize) {
        if let Some(connection) = self.connections.get_mut(index)
            && let Some(address) = connection.peer.address
            && connection.request.is_some()
        {
            let now = self.air.reports(address);
            connection.reports_during_wait = now.saturating_sub(connection.reports_during_wait);
        }
    }

    /// Any of the three LE Connection Complete events.
    pub(super) fn le_connected(
        &mut self,
        adapter: usize,
        at: At,
        fact: &LeConnection,
    ) -> Option<usize> {
        let central = fact.role == 0;
        let place = self.matching_create(adapter, fact, central);
        let early = self.early_link(adapter, at, fact);
        let index = match place {
            Some(place) => {
                let index = self.adapters.get_mut(adapter)?.creating.remove(place);
                if let Some(early) = early {
                    self.adopt_early(adapter, early, index, fact.handle);
                }
                index
            }
            None => match early {
                Some(index) => index,
                None => {
                    let index = self.new_connection(adapter, Transport::Le)?;
                    let connection = &mut self.connections[index];
                    connection.steps.push(step(
                        Procedure::Connect,
                        if central { Direction::Sent } else { Direction::Received },
                        at,
                        Outcome::Unknown,
                        Detail::None,
                    ));
                    if central && fact.status != Status::UNKNOWN_CONNECTION_IDENTIFIER {
                        connection.odd(at.frame, "complete-without-create");
                    }
                    index
                }
            },
        };
        if fact.status != Status::SUCCESS {
            let connection = self.connections.get_mut(index)?;
            connection.status = Some(fact.status);
            connection.status_frame = Some(at.frame);
            connection.end_seen = true;
            let outcome = if connection.request.as_ref().is_some_and(|r| r.cancel_frame.is_some()) {
                Outcome::Unanswered
            } else {
                Outcome::Error
            };
            finish_connect(connection, at, outcome, Some(fact.status.0));
            self.end_wait(index);
            return Some(index);
        }
        self.end_wait(index);
        let peer_type = fact.peer_address_type;
        let identity = self
            .identities
            .of(fact.peer_address)
            .or_else(|| self.identities.resolve(fact.peer_address));
        let (report_before, name) =
            (self.air.last_report(fact.peer_address), self.air.name_of(fact.peer_address));
        let state = self.adapters.get_mut(adapter)?;
        let scan = state.scan;
        let gap = state.gap;
        let links_open = state.open_links();
        let connection = self.connections.get_mut(index)?;
        if connection.request.is_none() {
            connection.links_open = links_open.min(usize::from(u16::MAX)) as u16;
        }
        // No link has an interval of zero: the text that was read does not say it.
        let granted = (fact.interval > 0).then_some(Granted {
            interval: fact.interval,
            latency: fact.latency,
            timeout: fact.timeout,
            clock_accuracy: fact.clock_accuracy,
        });
        connection.status = Some(Status::SUCCESS);
        connection.status_frame = Some(at.frame);
        connection.connected_frame = Some(at.frame);
        connection.connected_at = at.time;
        connection.start_seen = true;
        connection.handle = Some(fact.handle);
        connection.role = Some(if central { Role::Central } else { Role::Peripheral });
        connection.granted = granted;
        connection.current = granted;
        connection.peer.address = Some(fact.peer_address);
        connection.peer.address_type = Some(peer_type);
        connection.peer.on_air = fact.peer_rpa.filter(|rpa| *rpa != Address::default());
        connection.peer.identity = identity;
        connection.peer.name = name;
        connection.scan_at_connect = scan;
        if connection.report_before.is_none() {
            connection.report_before = report_before;
        }
        connection.silence_before = gap
            .filter(|(gap, ended)| {
                granted.is_some_and(|granted| *gap > Span(granted.interval().0 * 6))
                    && at.time.since(*ended).is_some_and(|d| d < Span::from_ms(5))
            })
            .map(|(gap, _)| gap);
        finish_connect(connection, at, Outcome::Ok, Some(0));
        let known = self.connections.iter().take(index).rev().take(64).find(|c| {
            c.peer.address == Some(fact.peer_address)
                && !(c.remote.is_empty() && c.local.is_empty())
        });
        let most_steps = self.most_steps();
        let (remote, local) =
            known.map_or_else(Default::default, |c| (Arc::clone(&c.remote), Arc::clone(&c.local)));
        let state = self.adapters.get_mut(adapter)?;
        let stale = state.link(fact.handle).is_some_and(|link| link.connection != index);
        if stale && let Some(stale) = state.take(fact.handle) {
            // The same handle again without an end: the capture missed it.
            self.close_unended(stale, at, "handle-reused-without-disconnect");
        }
        let state = self.adapters.get_mut(adapter)?;
        if state.slot(fact.handle).is_none() {
            let mut link = Link::new(index, most_steps);
            link.remote = (*remote).clone();
            link.local = (*local).clone();
            state.open(fact.handle, link);
        }
        Some(index)
    }

    /// Which waiting attempt a Connection Complete answers: place in `creating`.
    fn matching_create(&self, adapter: usize, fact: &LeConnection, central: bool) -> Option<usize> {
        if !central && fact.status == Status::SUCCESS {
            return None;
        }
        let state = self.adapters.get(adapter)?;
        let waiting = |wanted: &dyn Fn(&Request) -> bool| {
            state.creating.iter().position(|index| {
                self.connections
                    .get(*index)
                    .and_then(|c| c.request.as_deref())
                    .is_some_and(|r| r.kind != RequestKind::BrEdrCreate && wanted(r))
            })
        };
        if fact.status != Status::SUCCESS {
            return waiting(&|r| r.cancel_frame.is_some()).or_else(|| waiting(&|_| true));
        }
        waiting(&|r| {
            r.filter_policy == 0 && (r.peer == fact.peer_address || Some(r.peer) == fact.peer_rpa)
        })
        .or_else(|| waiting(&|r| r.filter_policy != 0))
        .or_else(|| waiting(&|_| true))
    }

    /// BR/EDR Connection Complete of an ACL link.
    pub(super) fn bredr_connected(
        &mut self,
        adapter: usize,
        at: At,
        handle: ConnHandle,
        peer: Address,
        status: Status,
    ) -> Option<usize> {
        let state = self.adapters.get_mut(adapter)?;
        let place = state.creating.iter().position(|index| {
            self.connections
                .get(*index)
                .and_then(|c| c.request.as_deref())
                .is_some_and(|r| r.kind == RequestKind::BrEdrCreate && r.peer == peer)
        });
        let index = match place {
            Some(place) => state.creating.remove(place),
            None => {
                let index = self.new_connection(adapter, Transport::BrEdr)?;
                let connection = &mut self.connections[index];
                connection.steps.push(step(
                    Procedure::Connect,
                    Direction::Received,
                    at,
                    Outcome::Unknown,
                    Detail::None,
                ));
                index
            }
        };
        let name = self.air.name_of(peer);
        let connection = self.connections.get_mut(index)?;
        connection.peer.address = Some(peer);
        connection.peer.name = name;
        connection.status = Some(status);
        connection.status_frame = Some(at.frame);
        if status != Status::SUCCESS {
            connection.end_seen = true;
            finish_connect(connection, at, Outcome::Error, Some(status.0));
            return Some(index);
        }
        connection.connected_frame = Some(at.frame);
        connection.connected_at = at.time;
        connection.handle = Some(handle);
        // A BR/EDR link is complete only once the peer has answered the page.
        connection.hear(at, "Connection Complete");
        finish_connect(connection, at, Outcome::Ok, Some(0));
        if let Some(stale) = self.adapters.get_mut(adapter)?.take(handle) {
            self.close_unended(stale, at, "handle-reused-without-disconnect");
        }
        let link = Link::new(index, self.most_steps());
        self.adapters.get_mut(adapter)?.open(handle, link);
        Some(index)
    }

    /// The live connection of a handle; one whose beginning is not in the capture is made on first sight.
    pub(super) fn link_for_data(
        &mut self,
        adapter: usize,
        at: At,
        handle: ConnHandle,
        transport: Option<Transport>,
    ) -> Option<usize> {
        let state = self.adapters.get_mut(adapter)?;
        if let Some(link) = state.link(handle) {
            let index = link.connection;
            if let Some(transport) = transport
                && let Some(connection) = self.connections.get_mut(index)
                && !connection.start_seen
            {
                connection.transport = transport;
            }
            return Some(index);
        }
        // Vendor logging travels as ACL on handles no link can have.
        if handle.0 >= 0x0edc {
            return None;
        }
        if let Some((_, index, ended)) = state.ended.iter().find(|(h, _, _)| *h == handle).copied()
        {
            let straggler = at.time.since(ended).is_none_or(|d| d < STRAGGLER);
            if at.sent() || straggler {
                self.connections.get_mut(index)?.odd(at.frame, "att-after-disconnect");
                return None;
            }
        }
        self.unseen_start(adapter, handle, transport.unwrap_or(Transport::Le))
    }

    /// A link that was up before the capture began.
    pub(super) fn unseen_start(
        &mut self,
        adapter: usize,
        handle: ConnHandle,
        transport: Transport,
    ) -> Option<usize> {
        let index = self.new_connection(adapter, transport)?;
        let connection = &mut self.connections[index];
        connection.start_seen = false;
        connection.handle = Some(handle);
        let link = Link::new(index, self.most_steps());
        if let Some(state) = self.adapters.get_mut(adapter) {
            state.open(handle, link);
        }
        Some(index)
    }

    pub(super) fn disconnect_command(
        &mut self,
        adapter: usize,
        at: At,
        handle: ConnHandle,
        reason: Status,
    ) -> Option<usize> {
        let link = self.adapters.get_mut(adapter)?.link(handle)?;
        if link.command_disconnect.is_none() {
            link.command_disconnect = Some((at.frame, at.time, reason.0));
        }
        Some(link.connection)
    }

    pub(super) fn disconnected(
        &mut self,
        adapter: usize,
        at: At,
        handle: ConnHandle,
        status: Status,
        reason: Status,
    ) -> Option<usize> {
        if status != Status::SUCCESS {
            return self.adapters.get_mut(adapter)?.link(handle).map(|l| l.connection);
        }
        let known = self.adapters.get_mut(adapter)?.take(handle);
        let mut link = match known {
            Some(link) => link,
            None => {
                let ended = &self.adapters.get(adapter)?.ended;
                let just_ended = ended.iter().find(|(h, _, when)| {
                    *h == handle && at.time.since(*when).is_none_or(|since| since < STRAGGLER)
                });
                if let Some((_, index, _)) = just_ended.copied() {
                    // The link is over already: its first end stands.
                    self.connections.get_mut(index)?.odd(at.frame, "second-disconnect");
                    return Some(index);
                }
                self.unseen_start(adapter, handle, Transport::Le)?;
                let link = self.adapters.get_mut(adapter)?.take(handle)?;
                self.connections
                    .get_mut(link.connection)?
                    .odd(at.frame, "disconnect-of-unknown-handle");
                link
            }
        };
        let index = link.connection;
        let connection = self.connections.get_mut(index)?;
        let command = link.command_disconnect;
        let by = match (command, reason) {
            (Some(_), _) => EndedBy::Host,
            (
                None,
                Status::REMOTE_USER_TERMINATED
                | Status::REMOTE_LOW_RESOURCES
                | Status::REMOTE_POWER_OFF,
            ) => EndedBy::Peer,
            _ => EndedBy::Controller,
        };
        let echoes: Vec<u32> = link
            .recent_errors
            .iter()
            .filter(|(_, when, code)| {
                *code == reason.0 && at.time.since(*when).is_none_or(|d| d <= ECHO)
            })
            .map(|(frame, _, _)| *frame)
            .collect();
        connection.end_seen = true;
        connection.heard_by_end = (by == EndedBy::Peer
            || reason == Status::CONNECTION_TIMEOUT
            || reason == Status::MIC_FAILURE)
            && connection.connected_frame.is_some();
        connection.end = Some(End {
            frame: at.frame,
            at: at.time,
            reason,
            reason_sent: command.map(|(_, _, reason)| Status(reason)),
            command_frame: command.map(|(frame, _, _)| frame),
            command_at: command.map_or(Moment::UNKNOWN, |(_, when, _)| when),
            command_process: None,
            by,
            echoes,
        });
        let mut last = step(
            Procedure::Disconnect,
            if by == EndedBy::Host { Direction::Sent } else { Direction::Received },
            at,
            Outcome::Ok,
            Detail::Disconnect { reason_sent: command.map(|(_, _, reason)| reason) },
        );
        last.status = Some(reason.0);
        if let Some((frame, when, _)) = command {
            last.frame = frame;
            last.at = when;
        }
        link.close(connection, at.time, true);
        // The timeline's cap must not hide how the link ended.
        connection.steps.push(last);
        connection.steps.sort_by_key(|s| s.frame);
        let address = connection.peer.address;
        let outstanding = u32::try_from(connection.credits.outstanding()).unwrap_or(u32::MAX);
        self.share_databases(index);
        if let Some(address) = address {
            self.air.await_report(address, index);
        }
        let state = self.adapters.get_mut(adapter)?;
        // The controller forgets what was queued for the link.
        state.outstanding = state.outstanding.saturating_sub(outstanding);
        state.remember_ended(handle, index, at.time);
        Some(index)
    }

    /// Ends a link that the capture shows no end of (reset, handle used again, capture over).
    pub(super) fn close_unended(&mut self, mut link: Link, at: At, why: &'static str) {
        if let Some(connection) = self.connections.get_mut(link.connection) {
            if !why.is_empty() {
                connection.odd(at.frame, why);
            }
            connection.capture_end = at.time;
            link.close(connection, at.time, false);
            let index = link.connection;
            self.share_databases(index);
        }
    }

    /// Reset or closed index: nothing on this adapter lives on.
    pub(super) fn adapter_down(&mut self, adapter: usize, at: At, why: &'static str) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let links = state.take_all();
        state.creating.clear();
        state.resolving = Resolving::default();
        state.scan = None;
        state.outstanding = 0;
        for link in links {
            self.close_unended(link, at, why);
        }
    }

    /// Connections to one device that learned the same database share one copy. Beyond all reason,
    /// what a server has is no longer kept.
    fn share_databases(&mut self, index: usize) {
        let Some((before, rest)) = self.connections.split_at_mut_checked(index) else { return };
        let Some(connection) = rest.first_mut() else { return };
        for earlier in before.iter().rev().take(256) {
            if !Arc::ptr_eq(&earlier.remote, &connection.remote)
                && earlier.remote == connection.remote
            {
                connection.remote = Arc::clone(&earlier.remote);
            }
            if !Arc::ptr_eq(&earlier.local, &connection.local) && earlier.local == connection.local
            {
                connection.local = Arc::clone(&earlier.local);
            }
        }
        let new = [&mut connection.remote, &mut connection.local];
        for database in new.into_iter().filter(|database| Arc::strong_count(database) == 1) {
            self.attributes += database.attributes().len();
            if self.attributes > MOST_ATTRIBUTES {
                *database = Arc::default();
                self.totals.databases_elided += 1;
            }
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
            frame: at.frame,
            at: at.time,
            peer: peer.0,
            peer_type: peer.1,
            filter_policy,
            own_address_type: own,
            phys,
            scan_interval: 0,
            scan_window: 0,
            interval_min: 0,
            interval_max: 0,
            latency: 0,
            timeout: 0,
            process: None,
            resolvable: false,
            behind: None,
            status: None,
            status_frame: None,
            cancel_frame: None,
            cancel_at: Moment::UNKNOWN,
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

fn finish_connect(connection: &mut Connection, at: At, outcome: Outcome, status: Option<u8>) {
    if let Some(step) = connection.steps.iter_mut().find(|s| s.procedure == Procedure::Connect) {
        step.outcome = outcome;
        step.status = status;
        step.last_frame = at.frame;
        step.last_at = at.time;
    }
}
