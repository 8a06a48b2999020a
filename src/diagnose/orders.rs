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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Trace;

    #[test]
    fn an_order_is_one_value_of_one_characteristic() {
        let nowhere = Seen { source: SourceId::FIRST, at: Moment::UNKNOWN, frame: 0 };
        let orders = |uuid, value: &[u8]| by_uuid(uuid, Written::new(nowhere, 3, value)).is_some();
        for value in [&[5][..], &[6], &[1], &[1, 4]] {
            assert!(orders(LEGACY_CONTROL, value), "{value:?}");
            assert!(!orders(TELINK, value), "{value:?}");
        }
        for value in [&[4][..], &[5, 0], &[6, 0], &[1, 4, 0]] {
            assert!(!orders(LEGACY_CONTROL, value), "{value:?}");
        }
        assert!(orders(SECURE_CONTROL, &[4]));
        assert!(!orders(SECURE_CONTROL, &[4, 0]) && !orders(SECURE_CONTROL, &[3]));
        assert!(BUTTONLESS.iter().all(|uuid| orders(*uuid, &[1]) && !orders(*uuid, &[1, 0])));
        assert!(
            orders(MCUMGR, &[2, 0, 0, 2, 0, 0, 9, 5]) && orders(MCUMGR, &[10, 0, 0, 2, 0, 0, 9, 5])
        );
        assert!(
            !orders(MCUMGR, &[2, 0, 0, 2, 0, 0, 9, 4])
                && !orders(MCUMGR, &[2, 0, 0, 2, 0, 1, 9, 5])
        );
        assert!(orders(TELINK, &[2, 0xff, 9]) && !orders(TELINK, &[1, 0xff, 9]));
        assert!([0, 3, 4].iter().all(|value| orders(SILABS_CONTROL, &[*value])));
        assert!(!orders(SILABS_CONTROL, &[1]) && !orders(SILABS_CONTROL, &[0, 0]));
        assert!(orders(DIALOG_MEMORY, &[0, 0, 0, 0xfd]));
        assert!(
            !orders(DIALOG_MEMORY, &[0, 0, 0, 0xfc]) && !orders(DIALOG_MEMORY, &[0, 0, 0, 0xfd, 0])
        );
    }

    /// Under a vendor's own UUID the whole course of an update tells: start, reports, transfer, and the last order.
    #[test]
    fn an_old_update_under_another_uuid_is_known_by_its_course() {
        let of = |trace: Trace| {
            let connection = trace.run().connections.remove(0);
            legacy_update(&connection, connection.last_write.expect("written")).is_some()
        };
        let up = || Trace::new().up().mtu();
        let begun = || up().write(3, &[1, 4]).notified(3, &[0x10]).writes_to(5, 3);
        assert!(of(begun().write(3, &[5])));
        assert!(!of(begun().write(3, &[6])), "another order");
        assert!(!of(begun().write(3, &[5, 0])), "a longer value");
        assert!(!of(begun().write(4, &[5])), "another attribute");
        assert!(!of(up().notified(3, &[0x10]).writes_to(5, 3).write(3, &[5])), "no start");
        let other = up().write(3, &[2, 4]).notified(3, &[0x10]).writes_to(5, 3);
        assert!(!of(other.write(3, &[5])), "another start");
        assert!(!of(up().write(3, &[1, 4]).writes_to(5, 3).write(3, &[5])), "no report");
        let ours = up().write(3, &[1, 4]).notified_by_us(3, &[0x10]).writes_to(5, 3);
        assert!(!of(ours.write(3, &[5])), "a report of this host");
        assert!(!of(up().write(3, &[1, 4]).notified(3, &[0x10]).write(3, &[5])), "no transfer");
        let same = up().write(3, &[1, 4]).notified(3, &[0x10]).writes_to(3, 3);
        assert!(!of(same.write(3, &[5])), "a transfer to the same attribute");
        let asked = up().write(3, &[1, 4]).notified(3, &[0x10]).write(5, &[7]);
        assert!(!of(asked.write(3, &[5])), "no Write Command");
    }

    /// A device that was told to restart leaves within two seconds.
    #[test]
    fn an_order_is_obeyed_soon_and_by_the_device() {
        let begun = || {
            let link = Trace::new().up().mtu().write(3, &[1, 4]).notified(3, &[0x10]);
            link.writes_to(5, 3).write(3, &[5])
        };
        let of = |trace: Trace| {
            let captures = [trace.run()];
            let scene =
                Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
            obeyed(&scene, &captures[0].connections[0]).is_some()
        };
        let hung_up = crate::packet::Status::REMOTE_USER_TERMINATED;
        // The order is the request; its answer comes 50.1 ms later.
        assert!(of(begun().after_us(2_000_000 - 50_100).disconnected(hung_up)));
        assert!(!of(begun().after_us(2_000_001 - 50_100).disconnected(hung_up)));
        assert!(!of(begun().wait_ms(500).hangs_up(hung_up)), "this host ends it");
        assert!(!of(begun().wait_ms(500)), "nobody ends it");
    }

    /// What a capture that is passed on must keep of a value: as much as makes it an order.
    #[test]
    fn the_bytes_that_tell_an_order_are_counted() {
        let name = Some(Uuid::Short(0x2a00));
        assert_eq!(telling(Some(MCUMGR), &[2, 0, 0, 2, 0, 0, 9, 5]), 8);
        assert_eq!(telling(Some(MCUMGR), &[2, 0, 0, 2, 0, 0, 9, 4]), 0, "another command");
        assert_eq!(telling(name, &[9, 9, 9]), 0);
        assert_eq!(telling(None, &[9, 9, 9]), 0);
        for uuid in [None, name] {
            assert_eq!([&[5][..], &[1], &[1, 4]].map(|value| telling(uuid, value)), [1; 3]);
            assert_eq!(
                [&[5, 4][..], &[2], &[6], &[1, 4, 4]].map(|value| telling(uuid, value)),
                [0; 4]
            );
        }
    }
}
