//! `connections`: every attempt of every capture.
use super::column::table;
use super::ms;
use crate::packet::units::{Interval, Timeout};
use crate::time::{Moment, Span};
use crate::timeline::{Connection, Transport};

/// An attempt and where it is.
pub struct One<'a> {
    pub capture: u64,
    pub began: Moment,
    pub it: &'a Connection,
}

impl One<'_> {
    fn end(&self) -> Option<&'static str> {
        match (&self.it.end, &self.it.gone) {
            (Some(_), _) => Some("disconnected"),
            (None, Some(gone)) => Some(gone.how.word()),
            (None, None) => self.it.connected().then_some("open"),
        }
    }

    fn ended_by(&self) -> Option<&'static str> {
        let end = self.it.end.as_ref().map(|end| end.by);
        end.or_else(|| self.it.gone.as_ref().map(|gone| gone.by)).map(|by| by.word())
    }
}

table! {
    /// One row for each attempt to connect, whether it came up or not.
    "connections" |one: One<'_>| {
        /// The file, as in `captures`.
        capture: Whole always = one.capture;
        /// The attempt's number in its capture, from 1.
        connection: Whole always = one.it.number;
        /// The adapter (hciN).
        adapter: Whole maybe = one.it.adapter;
        /// `le` or `bredr`.
        transport: Text maybe = (one.it.transport != Transport::Unknown).then(|| one.it.transport.word());
        /// This host's role: `central` or `peripheral`.
        role: Text maybe = one.it.role.map(|role| role.word());
        /// The device's address, as the link was made with.
        peer_address: Text maybe = one.it.peer.address.map(|it| it.to_string());
        /// `public`, `random`, `public-identity` or `random-identity`.
        peer_address_type: Text maybe = one.it.peer.address_type.and_then(|kind| kind.name());
        /// The address that stays, where the capture shows who is behind a private one.
        peer_identity: Text maybe = one.it.peer.identity.map(|(address, _)| address.to_string());
        /// What the device calls itself.
        peer_name: Text maybe = one.it.peer.name.as_deref();
        /// The capture shows how the attempt began.
        start_seen: Truth always = one.it.start_seen;
        /// The capture shows how it ended.
        end_seen: Truth always = one.it.end_seen;
        /// From the capture's first time to the connection, or to the request where none came, in seconds.
        at_s: Number maybe = one.it.zero().since(one.began).map(Span::as_s);
        /// From the request to the connection.
        wait_ms: Number maybe = one.it.up.zip(one.it.request.as_deref()).and_then(|(up, asked)| up.at.since(asked.at)).map(ms);
        /// The frame of the request.
        request_frame: Whole maybe = one.it.request.as_deref().map(|it| it.frame);
        /// The frame of the Connection Complete.
        connected_frame: Whole maybe = one.it.connected_frame();
        /// HCI's status of the attempt: 0 where it came up.
        status: Whole maybe = one.it.status.map(|status| status.0);
        /// The shortest interval that was asked for.
        asked_interval_min_ms: Number maybe = one.it.request.as_deref().map(|it| Interval(it.interval_min).ms());
        /// The longest interval that was asked for.
        asked_interval_max_ms: Number maybe = one.it.request.as_deref().map(|it| Interval(it.interval_max).ms());
        /// The latency that was asked for.
        asked_latency: Whole maybe = one.it.request.as_deref().map(|it| it.latency);
        /// The supervision timeout that was asked for.
        asked_supervision_timeout_ms: Number maybe = one.it.request.as_deref().map(|it| f64::from(Timeout(it.timeout).ms()));
        /// The connection interval that was granted.
        interval_ms: Number maybe = one.it.granted.map(|it| it.interval().as_ms());
        /// The peripheral latency that was granted.
        latency: Whole maybe = one.it.granted.map(|it| it.latency);
        /// The supervision timeout that was granted.
        supervision_timeout_ms: Number maybe = one.it.granted.map(|it| it.timeout().as_ms());
        /// The ATT MTU that was asked for first.
        mtu_requested: Whole maybe = one.it.mtu.map(|mtu| mtu.requested);
        /// The ATT MTU that was answered; empty where no answer came.
        mtu_answered: Whole maybe = one.it.mtu.and_then(|mtu| mtu.answered);
        /// Something proves that the device ever answered.
        peer_heard: Truth always = one.it.peer_heard();
        /// When the device was heard first, from the connection on.
        peer_heard_after_ms: Number maybe = one.it.heard.and_then(|heard| one.it.after(heard.seen.at)).map(ms);
        /// Encryption was switched on.
        encrypted: Truth always = one.it.encrypted;
        /// A pairing succeeded.
        paired: Truth always = one.it.paired;
        /// ATT packets that this host sent.
        att_sent: Whole always = one.it.att_sent;
        /// ATT packets that the device sent.
        att_received: Whole always = one.it.att_received;
        /// Requests without an answer at the end.
        unanswered: Whole always = one.it.open_requests.len();
        /// `disconnected`, `open`, or what took the adapter away: `adapter-removed`, `powered-off`, `reset`.
        end: Text maybe = one.end();
        /// The frame of the Disconnection Complete.
        end_frame: Whole maybe = one.it.end.as_ref().map(|end| end.frame);
        /// Who ended it: `host`, `peer` or `controller`.
        ended_by: Text maybe = one.ended_by();
        /// HCI's reason of the end.
        reason: Whole maybe = one.it.reason().map(|reason| reason.0);
        /// The reason that this host gave with its Disconnect.
        reason_sent: Whole maybe = one.it.end.as_ref().and_then(|end| end.reason_sent).map(|reason| reason.0);
        /// From the connection to its end.
        duration_ms: Number maybe = one.it.life().map(ms);
        /// From the last ATT, SMP or signalling packet to the end.
        idle_before_end_ms: Number maybe = one.it.idle_before_end().map(ms);
        /// Its steps: rows of `steps`.
        steps: Whole always = one.it.steps.len();
        /// Steps beyond the most that are kept; counted only.
        elided_steps: Whole always = one.it.elided_steps;
    }
}
