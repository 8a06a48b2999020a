//! Data that a log holds before the Connection Complete of its link.
use super::connection::OddityKind;
use super::live::At;
use super::tracker::{EARLY_DATA, Tracker};
use crate::packet::hci::LeConnection;
use crate::packet::{LinkId, Status};

impl Tracker {
    /// A link that is known only from data that came just before its Connection Complete.
    pub(super) fn early_link(
        &mut self,
        adapter: usize,
        at: At,
        fact: &LeConnection,
        replaces: Option<LinkId>,
    ) -> Option<usize> {
        if fact.status != Status::SUCCESS {
            return None;
        }
        let index = self.adapters.get_mut(adapter)?.link(replaces?)?.connection;
        let connection = self.connections.get_mut(index)?;
        let early = connection.heard.map(|h| h.seen.at)?;
        let just_now = at.time.since(early).is_some_and(|d| d <= EARLY_DATA);
        (!connection.start_seen && just_now && connection.att_sent == 0).then_some(index)
    }

    /// Data that came before its Connection Complete belongs to the attempt that asked for the link.
    pub(super) fn adopt_early(
        &mut self,
        adapter: usize,
        early: usize,
        index: usize,
        replaces: LinkId,
    ) {
        // It was made a moment ago, so it is the last; else it is left as it is.
        if early + 1 != self.connections.len() {
            return;
        }
        let Some(mut link) = self.adapters.get_mut(adapter).and_then(|state| state.take(replaces))
        else {
            return;
        };
        let (Some(data), Some(connection)) =
            (self.connections.pop(), self.connections.get_mut(index))
        else {
            return;
        };
        link.connection = index;
        link.shift_steps(connection.steps.len());
        connection.steps.extend(data.steps);
        connection.heard = data.heard;
        connection.last_heard = data.last_heard;
        connection.first_att = data.first_att;
        connection.mtu = data.mtu;
        connection.att_received = data.att_received;
        connection.usable_at = data.usable_at;
        connection.last_pdu = data.last_pdu;
        let last = data.last_pdu.map_or(0, |seen| seen.frame);
        connection.odd(last, OddityKind::DataBeforeConnectionComplete);
        if let Some(state) = self.adapters.get_mut(adapter) {
            state.facts.attempts = state.facts.attempts.saturating_sub(1);
            state.open(replaces, link);
        }
    }
}
