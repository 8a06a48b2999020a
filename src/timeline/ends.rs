//! Links end: by a Disconnection Complete, a reset, the same handle used again, or with the capture.
use super::answers::Wait;
use super::connection::{AdapterLoss, End, EndedBy, Gone, OddityKind};
use super::identity::Resolving;
use super::live::{At, Closing, Link, step};
use super::step::{Detail, Outcome, Procedure};
use super::tracker::Tracker;
use crate::packet::{ConnHandle, Direction, Status};
use crate::seen::Seen;
use crate::time::{Moment, Span};
use std::sync::Arc;

/// An error just before the end with the same code is its echo.
const ECHO: Span = Span::from_ms(15);

/// A count of completed packets this shortly before the end may be the controller that throws its queue away.
pub(super) const CLEARED: Span = Span::from_ms(20);

/// Most attributes kept of all servers together.
const MOST_ATTRIBUTES: usize = 4_000_000;

impl Tracker {
    pub(super) fn disconnect_command(
        &mut self,
        adapter: usize,
        at: At,
        reason: Status,
    ) -> Option<usize> {
        let link = self.adapters.get_mut(adapter)?.link(at.link?)?;
        if link.command_disconnect.is_none() {
            link.command_disconnect = Some((at.seen(), reason));
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
        let id = at.link?;
        if status != Status::SUCCESS {
            return self.adapters.get_mut(adapter)?.link(id).map(|l| l.connection);
        }
        let known = self.adapters.get_mut(adapter)?.take(id);
        let mut link = match known {
            Some(link) => link,
            None => {
                if let Some(index) = self.adapters.get(adapter)?.ended(id) {
                    // The link is over already: its first end stands.
                    self.connections.get_mut(index)?.odd(at.frame, OddityKind::SecondDisconnect);
                    return Some(index);
                }
                self.unseen_start(adapter, id, handle, None)?;
                let link = self.adapters.get_mut(adapter)?.take(id)?;
                self.connections
                    .get_mut(link.connection)?
                    .odd(at.frame, OddityKind::DisconnectOfUnknownHandle);
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
            .filter(|(seen, code)| {
                *code == reason && at.time.since(seen.at).is_none_or(|d| d <= ECHO)
            })
            .map(|(seen, _)| seen.frame)
            .collect();
        // What the controller threw away proves nothing of the peer.
        if reason == Status::CONNECTION_TIMEOUT
            && let Some(before) = link.before_completed
            && let completed_at = Seen::when(connection.credits.last_completed)
            && completed_at >= before.completed_at
            && connection.last_heard.is_some_and(|heard| heard.at == completed_at)
            && before.last_heard.is_some()
            && at.time.since(before.completed_at).is_some_and(|since| since < CLEARED)
        {
            connection.last_heard = before.last_heard;
            connection.advertised = before.advertised;
        }
        connection.end_seen = true;
        connection.heard_by_end = (by == EndedBy::Peer
            || reason == Status::CONNECTION_TIMEOUT
            || reason == Status::MIC_FAILURE)
            && connection.up.is_some();
        connection.end = Some(End {
            seen: at.seen(),
            reason,
            reason_sent: command.map(|(_, reason)| reason),
            command: command.map(|(seen, _)| seen),
            by,
            echoes,
        });
        let mut last = step(
            Procedure::Disconnect,
            if by == EndedBy::Host { Direction::Sent } else { Direction::Received },
            at,
            Outcome::Ok,
            Detail::Disconnect { reason_sent: command.map(|(_, reason)| reason.0) },
        );
        last.status = Some(reason.0);
        if let Some((seen, _)) = command {
            last.first = seen;
        }
        link.close(connection, at.time, Closing::Ended);
        // The timeline's cap must not hide how the link ended. A capture may have 40,000 links: each takes what it needs.
        connection.steps.reserve_exact(1);
        connection.steps.push(last);
        connection.steps.sort_by_key(|s| s.frame);
        let address = connection.peer.address;
        let outstanding = u32::try_from(connection.credits.outstanding()).unwrap_or(u32::MAX);
        self.share_databases(index);
        if let Some(address) = address {
            self.air.await_report(address, index);
            self.air.unlinked(address, index);
        }
        let state = self.adapters.get_mut(adapter)?;
        // The controller forgets what was queued for the link.
        state.outstanding = state.outstanding.saturating_sub(outstanding);
        state.remember_ended(id, index);
        Some(index)
    }

    /// Ends a link that the capture shows no end of (reset, handle used again, capture over).
    pub(super) fn close_unended(&mut self, mut link: Link, at: At, why: Option<OddityKind>) {
        if let Some(connection) = self.connections.get_mut(link.connection) {
            if let Some(why) = why {
                connection.odd(at.frame, why);
            }
            connection.capture_end = at.time;
            link.close(connection, at.time, Closing::EndUnseen);
            let index = link.connection;
            if let Some(address) = connection.peer.address {
                self.air.unlinked(address, index);
            }
            self.share_databases(index);
        }
    }

    /// The adapter was reset, closed or removed: no link on it lives on.
    pub(super) fn adapter_down(&mut self, adapter: usize, at: At, how: AdapterLoss) {
        // What was asked until now gets no answer any more. (A reset is itself such a question.)
        if how != AdapterLoss::Reset {
            self.unanswered_until(adapter, at, Wait::Over);
        }
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let links = state.take_all();
        state.creating.clear();
        state.resolving = Resolving::default();
        state.families.clear();
        state.accept_list.clear();
        state.scan = None;
        state.outstanding = 0;
        let switched_off = state.switched_off.clone().filter(|_| how != AdapterLoss::Reset);
        state.lost = links.iter().map(|link| link.connection).collect();
        let why = match how {
            AdapterLoss::Reset => OddityKind::ResetWhileConnected,
            AdapterLoss::PoweredOff => OddityKind::AdapterClosedWhileConnected,
            AdapterLoss::Removed => OddityKind::AdapterRemovedWhileConnected,
        };
        let by = if switched_off.is_some() { EndedBy::Host } else { EndedBy::Controller };
        let process = switched_off.flatten();
        for link in links {
            if let Some(connection) = self.connections.get_mut(link.connection) {
                let process = process.clone();
                connection.end_seen = true;
                let command = link.command_disconnect;
                connection.gone = Some(Gone { seen: at.seen(), how, by, process, command });
            }
            self.close_unended(link, at, Some(why));
        }
    }

    /// The system forgets the adapter. Where nobody switched it off before, it was unplugged, or its driver
    /// gave it up: the kernel first closes such an adapter and then deletes it.
    pub(super) fn adapter_removed(&mut self, adapter: usize, at: At) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        let lost = std::mem::take(&mut state.lost);
        if state.switched_off.take().is_none() {
            for index in lost {
                if let Some(connection) = self.connections.get_mut(index)
                    && let Some(gone) = &mut connection.gone
                    && gone.how == AdapterLoss::PoweredOff
                {
                    gone.how = AdapterLoss::Removed;
                }
            }
        }
        self.adapter_down(adapter, at, AdapterLoss::Removed);
    }

    /// mgmt or rfkill switches an adapter off or on.
    pub(super) fn switched(&mut self, adapter: usize, on: bool, process: Option<String>) {
        let Some(state) = self.adapters.get_mut(adapter) else { return };
        state.switched_off = if on { None } else { Some(process) };
    }

    /// Connections to one device that learned the same database share one copy. Beyond all reason,
    /// what a server has is no longer kept.
    fn share_databases(&mut self, index: usize) {
        let Some((before, rest)) = self.connections.split_at_mut_checked(index) else { return };
        let Some(connection) = rest.first_mut() else { return };
        let earlier = || before.iter().rev().take(256);
        if let Some(same) = earlier().find(|earlier| earlier.remote == connection.remote) {
            connection.remote = Arc::clone(&same.remote);
        }
        if let Some(same) = earlier().find(|earlier| earlier.local == connection.local) {
            connection.local = Arc::clone(&same.local);
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

    /// A question of the link layer that nothing answered when the capture ended.
    ///
    /// An excerpt of a text may end in the middle of anything: what its last line asked is not unanswered.
    pub(super) fn end_of_capture(&mut self, at: At, excerpt: bool) {
        for adapter in 0..self.adapters.len() {
            let last = self.adapters.get(adapter).map_or(at.time, |state| state.last_record_at);
            let until = if excerpt { last } else { at.time };
            self.unanswered_until(adapter, At { time: until, ..at }, Wait::Over);
            let Some(state) = self.adapters.get_mut(adapter) else { continue };
            let waiting = std::mem::take(&mut state.creating);
            for index in waiting {
                self.end_wait(index);
                if let Some(connection) = self.connections.get_mut(index) {
                    connection.capture_end = at.time;
                    if let Some(step) = connection.steps.first_mut() {
                        step.outcome = Outcome::Unanswered;
                    }
                }
            }
            let links = self.adapters.get_mut(adapter).map(|s| s.take_all()).unwrap_or_default();
            for link in links {
                let until = self.last_shown(link.connection).unwrap_or(at.time);
                self.close_unended(link, At { time: until, ..at }, None);
            }
        }
    }

    /// Of a link in a recording that holds data alone: its last packet. It may have ended right after that.
    fn last_shown(&mut self, index: usize) -> Option<Moment> {
        let data_only = self.totals.control == 0 && self.totals.air == 0;
        let connection = self.connections.get_mut(index).filter(|_| data_only)?;
        connection.end_unknown = true;
        Some(Seen::when(connection.last_pdu))
    }
}

#[cfg(test)]
mod tests;
