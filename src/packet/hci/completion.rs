//! Which event ends what a command began, where it is not Command Complete.
//!
//! Such a command is first taken up with Command Status. An excerpt of a capture may lack that, and hold the event
//! that proves that the controller got the command.
use super::{Event, LeEvent};
use crate::packet::codes::Opcode;

/// The event that completes a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Event(u8),
    Le(u8),
}

/// Commands with the events of their own (Core, Vol 4, Part E, section 7), in order of opcode.
const COMPLETED_BY: &[(u16, &[By])] = &[
    (0x0401, &[By::Event(0x01)]),
    (0x0405, &[By::Event(0x03)]),
    (0x0406, &[By::Event(0x05)]),
    (0x0409, &[By::Event(0x03)]),
    (0x040a, &[By::Event(0x03)]),
    (0x040f, &[By::Event(0x1d)]),
    (0x0411, &[By::Event(0x06)]),
    (0x0413, &[By::Event(0x08), By::Event(0x59)]),
    (0x0415, &[By::Event(0x09)]),
    (0x0417, &[By::Event(0x0a)]),
    (0x0419, &[By::Event(0x07)]),
    (0x041b, &[By::Event(0x0b)]),
    (0x041c, &[By::Event(0x23)]),
    (0x041d, &[By::Event(0x0c)]),
    (0x041f, &[By::Event(0x1c)]),
    (0x0428, &[By::Event(0x2c)]),
    (0x0429, &[By::Event(0x2c), By::Event(0x03)]),
    (0x042a, &[By::Event(0x2c), By::Event(0x03)]),
    (0x043d, &[By::Event(0x2c)]),
    (0x043e, &[By::Event(0x2c), By::Event(0x03)]),
    (0x0801, &[By::Event(0x14)]),
    (0x0803, &[By::Event(0x14)]),
    (0x0804, &[By::Event(0x14)]),
    (0x0807, &[By::Event(0x0d)]),
    (0x080b, &[By::Event(0x12)]),
    (0x0810, &[By::Event(0x21)]),
    (0x0c53, &[By::Event(0x30)]),
    (0x200d, &[By::Le(0x01), By::Le(0x0a)]),
    (0x2013, &[By::Le(0x03)]),
    (0x2016, &[By::Le(0x04)]),
    (0x2019, &[By::Event(0x08), By::Event(0x59), By::Event(0x30)]),
    (0x2025, &[By::Le(0x08)]),
    (0x2026, &[By::Le(0x09)]),
    (0x2032, &[By::Le(0x0c)]),
    (0x2043, &[By::Le(0x01), By::Le(0x0a), By::Le(0x29)]),
    (0x2044, &[By::Le(0x0e), By::Le(0x24)]),
    (0x205e, &[By::Le(0x09)]),
    (0x2064, &[By::Le(0x19), By::Le(0x2a)]),
    (0x2066, &[By::Le(0x19), By::Le(0x2a)]),
    (0x2068, &[By::Le(0x1b)]),
    (0x206a, &[By::Le(0x1c)]),
    (0x206b, &[By::Le(0x1d)]),
    (0x206d, &[By::Le(0x1f)]),
    (0x207e, &[By::Le(0x23)]),
    (0x2085, &[By::Le(0x01), By::Le(0x0a), By::Le(0x29)]),
    (0x2088, &[By::Le(0x2b)]),
];

impl Event<'_> {
    /// Whether this event, other than Command Complete and Command Status, ends what that command began.
    #[inline]
    pub fn completes(&self, opcode: Opcode) -> bool {
        // These come all the time and are in no row: the table need not be searched.
        let usual = matches!(
            self,
            Self::CommandComplete { .. }
                | Self::CommandStatus { .. }
                | Self::NumberOfCompletedPackets { .. }
        );
        !usual && self.is_the_end_of(opcode)
    }

    /// What the table says.
    fn is_the_end_of(&self, opcode: Opcode) -> bool {
        let place = COMPLETED_BY.binary_search_by_key(&opcode.0, |(opcode, _)| *opcode);
        let Some((_, events)) = place.ok().and_then(|place| COMPLETED_BY.get(place)) else {
            return false;
        };
        events.contains(&match self {
            Event::Le { event } => By::Le(LeEvent::code(event)),
            event => By::Event(event.code()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{ConnHandle, Status};

    #[test]
    fn the_table_ascends() {
        assert!(COMPLETED_BY.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn an_event_completes_its_own_commands_only() {
        let features = Event::Le {
            event: LeEvent::ReadRemoteFeaturesComplete {
                status: Status::SUCCESS,
                connection_handle: ConnHandle(0x40),
                le_features: [0; 8],
            },
        };
        assert!(features.completes(Opcode(0x2016)));
        assert!(!features.completes(Opcode(0x2013)));
        assert!(!features.completes(Opcode(0x0c03)), "Reset is answered with Command Complete");
        // An event code is not a subevent code: 0x04 is Connection Request.
        let disconnected = Event::DisconnectionComplete {
            status: Status::SUCCESS,
            connection_handle: ConnHandle(0x40),
            reason: Status::CONNECTION_TIMEOUT,
        };
        assert!(disconnected.completes(Opcode(0x0406)));
        assert!(!disconnected.completes(Opcode(0x2016)));
    }
}
