//! `steps`: what happened on the connections.
use super::column::table;
use super::ms;
use crate::compare::Names;
use crate::compare::{AttributeName, words};
use crate::packet::Direction;
use crate::timeline::{Connection, Step};

/// A step and where it is.
pub struct One<'a> {
    pub capture: u64,
    pub connection: &'a Connection,
    pub names: &'a Names,
    pub number: usize,
    pub it: &'a Step,
    pub attribute: Option<AttributeName>,
}

table! {
    /// One row for each step of a connection: a procedure, or a run of like traffic.
    "steps" |one: One<'_>| {
        /// The file, as in `captures`.
        capture: Whole always = one.capture;
        /// The attempt, as in `connections`.
        connection: Whole always = one.connection.number;
        /// The step's number on its connection, from 1.
        step: Whole always = one.number;
        /// What kind of step: a word of the report, as `exchange-mtu` or `write`.
        procedure: Text always = one.it.procedure.word();
        /// The step in words, as the report has it.
        name: Text always = words::step(one.connection, one.names, one.it).to_string();
        /// Who began it: `sent` is this host, `received` the device.
        dir: Text always = if one.it.by == Direction::Sent { "sent" } else { "received" };
        /// `ok`, `error`, `unanswered`, `cut-off` or `unknown`.
        outcome: Text always = one.it.outcome.word();
        /// HCI's status, an ATT error, an SMP reason or a signalling result, as the procedure has it.
        status: Whole maybe = one.it.status;
        /// The attribute's handle.
        handle: Whole maybe = (one.it.attribute != 0).then_some(one.it.attribute);
        /// The attribute's type.
        uuid: Text maybe = one.attribute.as_ref().and_then(|it| it.uuid).map(|uuid| uuid.to_string());
        /// The attribute's name.
        attribute: Text maybe = one.attribute.as_ref().map(|it| it.name.as_str());
        /// Its first frame.
        frame: Whole always = one.it.frame;
        /// Its last frame.
        last_frame: Whole always = one.it.last.frame;
        /// When it began, from the connection on.
        after_ms: Number maybe = one.connection.after(one.it.first.at).map(ms);
        /// From its first packet to its last.
        duration_ms: Number maybe = one.it.duration().map(ms);
        /// Packets, or pairs of request and answer, that are folded into it.
        count: Whole always = one.it.count;
        /// Bytes of attribute values.
        bytes: Whole always = one.it.bytes;
    }
}
