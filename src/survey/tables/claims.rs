//! `claims`: what logs say.
use super::column::table;
use crate::time::Timestamp;
use crate::witness::{Claim, LogClock, Relation, Testimony};

/// A claim and where it is.
pub struct One<'a> {
    pub capture: u64,
    pub testimony: &'a Testimony,
    /// Its place in the log.
    pub at: usize,
    pub it: &'a Claim,
    pub relation: Option<&'a Relation>,
}

impl One<'_> {
    fn time(&self) -> Option<i64> {
        let calendar = matches!(self.testimony.log.clock, LogClock::Utc | LogClock::Local);
        self.it.at.time().filter(|_| calendar).map(|Timestamp(micros)| micros)
    }
}

table! {
    /// One row for each line of a log that says something about a connection.
    "claims" |one: One<'_>| {
        /// The file, as in `captures`.
        capture: Whole always = one.capture;
        /// The log: the file itself, or the one that lies beside the capture in a bug report.
        log: Text always = one.testimony.log.file.as_str();
        /// Which program wrote it.
        kind: Text always = one.testimony.log.kind.word();
        /// The claim's number in its log, from 1.
        claim: Whole always = one.at + 1;
        /// The line, from 1; of a D-Bus capture the message.
        line: Whole always = one.it.line;
        /// When it was written, where the log has a date.
        time: Time maybe = one.time();
        /// What it claims: a closed list of words.
        what: Text always = one.it.what.word();
        /// In which system a reason is numbered: `hci`, `mgmt`, `errno` or `gatt`.
        reason_system: Text maybe = one.it.what.reason().and_then(|reason| reason.system());
        /// The number of the reason in that system.
        reason: Whole maybe = one.it.what.reason().and_then(|reason| reason.number());
        /// The device's address.
        device: Text maybe = one.it.device.map(|device| device.to_string());
        /// What the line has to do with the capture's packets, where there are any.
        relation: Text maybe = one.relation.map(|it| it.kind.word());
        /// The attempt that it belongs to, as in `connections`.
        connection: Whole maybe = one.relation.and_then(|it| it.connection);
        /// The frame that it belongs to.
        frame: Whole maybe = one.relation.and_then(|it| it.frame);
        /// The line's message, shortened, without keys.
        text: Text always = &*one.it.text;
    }
}
