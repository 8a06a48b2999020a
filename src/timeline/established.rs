//! Links come up: which attempt a Connection Complete answers, and links whose beginning is missing.
use super::connection::OddityKind;
use super::connection::{Connection, Granted, Request, RequestKind, Role, Transport};
use super::live::{At, Link, step};
use super::step::{Detail, Outcome, Procedure};
use super::tracker::Tracker;
use crate::packet::hci::LeConnection;
use crate::packet::{Address, ConnHandle, Direction, LinkId, Status};
use crate::time::Span;
use std::sync::Arc;

impl Tracker {
    /// Any of the three LE Connection Complete events.
    pub(super) fn le_connected(
        &mut self,
        adapter: usize,
        at: At,
        fact: &LeConnection,
        replaces: Option<LinkId>,
    ) -> Option<usize> {
        let central = fact.role == 0;
        let place = self.matching_create(adapter, fact, central);
        let early = self.early_link(adapter, at, fact, replaces);
        let index = match place {
            Some(place) => {
                let index = self.adapters.get_mut(adapter)?.creating.remove(place);
                if let Some((early, link)) = early.zip(replaces) {
                    self.adopt_early(adapter, early, index, link);
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
                        connection.odd(at.frame, OddityKind::CompleteWithoutCreate);
                    }
                    index
                }
            },
        };
        if fact.status != Status::SUCCESS {
            let scan = self.adapters.get(adapter)?.scan;
            let connection = self.connections.get_mut(index)?;
            connection.scan_at_connect = scan;
            connection.status = Some(fact.status);
            connection.status_seen = Some(at.seen());
            connection.end_seen = true;
            let outcome = if connection.request.as_ref().is_some_and(|r| r.cancelled.is_some()) {
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
        connection.status_seen = Some(at.seen());
        connection.up = Some(at.seen());
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
        if let Some(granted) = granted {
            connection.paced(at, granted);
        }
        // Whoever asked for that device alone knew what it had heard before; who took anybody of the accept
        // list chose by what came then.
        if connection.request.as_ref().is_none_or(|request| request.filter_policy != 0) {
            connection.report_before = report_before;
        }
        self.air.linked(fact.peer_address, index);
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
        let mut link = Link::new(index, most_steps);
        match self.adapters.get_mut(adapter)?.take_replaced(replaces) {
            // Known from data that came just before.
            Some(early) if early.connection == index => link = early,
            stale => {
                // The same handle again without an end: the capture missed it.
                if let Some(stale) = stale {
                    self.close_unended(stale, at, Some(OddityKind::HandleReusedWithoutDisconnect));
                }
                link.remote = (*remote).clone();
                link.local = (*local).clone();
            }
        }
        self.adapters.get_mut(adapter)?.open(at.link?, link);
        Some(index)
    }

    /// Which waiting attempt a Connection Complete answers: place in `creating`.
    fn matching_create(&self, adapter: usize, fact: &LeConnection, central: bool) -> Option<usize> {
        if !central && fact.status == Status::SUCCESS {
            return None;
        }
        let waiting = |wanted: &dyn Fn(&Request) -> bool| {
            self.waiting(adapter, |r| r.kind != RequestKind::BrEdrCreate && wanted(r))
        };
        if fact.status != Status::SUCCESS {
            return waiting(&|r| r.cancelled.is_some()).or_else(|| waiting(&|_| true));
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
        (handle, peer): (ConnHandle, Address),
        status: Status,
        replaces: Option<LinkId>,
    ) -> Option<usize> {
        let place = self.waiting(adapter, |r| r.kind == RequestKind::BrEdrCreate && r.peer == peer);
        let state = self.adapters.get_mut(adapter)?;
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
        connection.status_seen = Some(at.seen());
        if status != Status::SUCCESS {
            connection.end_seen = true;
            finish_connect(connection, at, Outcome::Error, Some(status.0));
            return Some(index);
        }
        connection.up = Some(at.seen());
        connection.handle = Some(handle);
        // A BR/EDR link is complete only once the peer has answered the page.
        connection.hear(at, "Connection Complete");
        finish_connect(connection, at, Outcome::Ok, Some(0));
        if let Some(stale) = self.adapters.get_mut(adapter)?.take_replaced(replaces) {
            self.close_unended(stale, at, Some(OddityKind::HandleReusedWithoutDisconnect));
        }
        let link = Link::new(index, self.most_steps());
        self.adapters.get_mut(adapter)?.open(at.link?, link);
        Some(index)
    }

    /// The connection of a link that is up; one whose beginning is not in the capture is made on first sight.
    pub(super) fn link_for_data(
        &mut self,
        adapter: usize,
        at: At,
        id: LinkId,
        handle: ConnHandle,
        transport: Option<Transport>,
    ) -> Option<usize> {
        let state = self.adapters.get_mut(adapter)?;
        if let Some(link) = state.link(id) {
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
        if let Some(index) = state.ended(id) {
            self.connections.get_mut(index)?.odd(at.frame, OddityKind::AttAfterDisconnect);
            return None;
        }
        self.unseen_start(adapter, id, handle, transport)
    }

    /// A link that was up before the capture began. Nothing may show yet which transport it has.
    pub(super) fn unseen_start(
        &mut self,
        adapter: usize,
        id: LinkId,
        handle: ConnHandle,
        transport: Option<Transport>,
    ) -> Option<usize> {
        let index = self.new_connection(adapter, transport.unwrap_or(Transport::Unknown))?;
        let connection = &mut self.connections[index];
        connection.start_seen = false;
        connection.handle = Some(handle);
        let link = Link::new(index, self.most_steps());
        if let Some(state) = self.adapters.get_mut(adapter) {
            state.open(id, link);
        }
        Some(index)
    }
}

pub(super) fn finish_connect(
    connection: &mut Connection,
    at: At,
    outcome: Outcome,
    status: Option<u8>,
) {
    if let Some(step) = connection.steps.iter_mut().find(|s| s.procedure == Procedure::Connect) {
        step.outcome = outcome;
        step.status = status;
        step.last = at.seen();
    }
}

#[cfg(test)]
mod tests;
