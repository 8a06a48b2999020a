//! Writes that order a device to restart: the end of the link that follows was asked for.
use super::Scene;
use super::updates::{
    BUTTONLESS, DIALOG_MEMORY, LEGACY_CONTROL, MCUMGR, SECURE_CONTROL, SILABS_CONTROL, TELINK,
};
use crate::compare::Names;
use crate::packet::Direction;
use crate::packet::att::Uuid;
use crate::prose::Text;
use crate::seen::{Seen, SourceId};
use crate::text;
use crate::time::{Moment, Span};
use crate::timeline::{Connection, Owner, Procedure, Written};

/// A device that was told to restart leaves within this time of the write.
const OBEYED: Span = Span::from_ms(2_000);

/// A write after which a device is meant to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub written: Written,
    /// In words: what was ordered.
    pub what: &'static str,
}

impl Order {
    /// `the order to activate the update and restart`, for a line of evidence.
    pub fn line(self) -> Text {
        text!("this host's last write: {}", self.what)
    }
}

/// The order that a link's end obeyed: the last thing that this host wrote told the device to restart or to leave.
pub fn obeyed(scene: &Scene<'_>, connection: &Connection) -> Option<Order> {
    let written = connection.last_write?;
    let end = connection.end.as_ref().filter(|end| end.command_frame().is_none())?;
    end.at.since(written.at).filter(|after| *after <= OBEYED)?;
    let meaning = Names::of(scene.capture(), connection).meaning(written.attribute, Owner::Peer);
    let known = meaning.and_then(|meaning| by_uuid(meaning.uuid, written));
    let what = known.or_else(|| legacy_update(connection, written))?;
    Some(Order { written, what })
}

/// How many bytes at the beginning of a written value may be such an order, so that findings rest on them.
pub(crate) fn telling(uuid: Option<Uuid>, value: &[u8]) -> usize {
    let nowhere = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 0 };
    let written = Written::new(nowhere, 0, value);
    if uuid.is_some_and(|uuid| by_uuid(uuid, written).is_some()) {
        return written.head.len().min(value.len());
    }
    // The old update protocol under a vendor's own UUID: see [`legacy_update`].
    match value {
        [5] | [1] | [1, _] => 1,
        _ => 0,
    }
}

/// What a value orders where the characteristic is a known one.
fn by_uuid(uuid: Uuid, written: Written) -> Option<&'static str> {
    match (uuid, written.head, written.length) {
        (LEGACY_CONTROL, [0x05, ..], 1) => Some("activate the update and restart (0x05)"),
        (LEGACY_CONTROL, [0x06, ..], 1) => Some("restart (0x06)"),
        (LEGACY_CONTROL, [0x01, ..], 1 | 2) => {
            Some("start an update (0x01), for which it restarts")
        }
        (SECURE_CONTROL, [0x04, ..], 1) => Some("execute what was transferred (0x04)"),
        (_, [0x01, ..], 1) if BUTTONLESS.contains(&uuid) => Some("restart as a bootloader (0x01)"),
        // Operation: write; group 0: operating system; command 5: reset.
        (MCUMGR, [0x02 | 0x0a, _, _, _, 0, 0, _, 5], _) => Some("restart (MCUmgr reset)"),
        (TELINK, [0x02, 0xff, ..], _) => Some("end the update (0xff02)"),
        (SILABS_CONTROL, [0x00 | 0x03 | 0x04, ..], 1) => {
            Some("begin or end an update, for which it restarts")
        }
        (DIALOG_MEMORY, [_, _, _, 0xfd, ..], 4) => Some("restart (0xfd000000)"),
        _ => None,
    }
}

/// Nordic's old update protocol under a vendor's own UUID: one attribute takes commands and notifies their results;
/// the first command starts an update, the last one is the single byte that activates it.
fn legacy_update(connection: &Connection, written: Written) -> Option<&'static str> {
    let here = |by| {
        connection.steps.iter().filter(move |s| s.attribute == written.attribute && s.by == by)
    };
    let starts = here(Direction::Sent).any(|s| {
        s.procedure == Procedure::Write
            && s.frame < written.frame
            && matches!(s.detail, crate::timeline::Detail::Write { head, .. } if head & 0xff == 1)
    });
    let reports = here(Direction::Received).any(|s| s.procedure == Procedure::Notify);
    let transfers = connection
        .steps
        .iter()
        .any(|s| s.procedure == Procedure::WriteCommand && s.attribute != written.attribute);
    (written.length == 1 && written.head[0] == 5 && starts && reports && transfers)
        .then_some("activate the update and restart (0x05)")
}
