//! Which packets are about a link, beyond those whose table says it: commands without an entry
//! whose parameters begin with a connection handle, and what commands return.
//!
//! The Command Complete of such a command, where it has one, returns a status and the handle.
use super::{Command, Event};
use crate::packet::codes::ConnHandle;
use crate::packet::visit::Kind;

/// Commands without an entry (Core, Vol 4, Part E, section 7), in order of number.
const ABOUT_A_LINK: &[u16] = &[
    0x040f, 0x0415, 0x041c, 0x041f, 0x0420, 0x0428, 0x043d, 0x0801, 0x0803, 0x0804, 0x0805, 0x0806,
    0x0807, 0x0809, 0x080c, 0x080d, 0x0810, 0x0811, 0x0c08, 0x0c27, 0x0c28, 0x0c2d, 0x0c36, 0x0c37,
    0x0c5f, 0x0c68, 0x1401, 0x1402, 0x1403, 0x1406, 0x1407, 0x2054, 0x2055, 0x2056, 0x2057, 0x205a,
    0x205b, 0x205c, 0x2076, 0x2077, 0x2078, 0x2079, 0x207a,
];

fn about_a_link(opcode: u16) -> bool {
    matches!(Command::fields_of(opcode), [(_, Kind::Link), ..])
        || ABOUT_A_LINK.binary_search(&opcode).is_ok()
}

fn handle(bytes: &[u8]) -> Option<ConnHandle> {
    bytes.first_chunk().map(|bytes| ConnHandle(u16::from_le_bytes(*bytes) & 0x0fff))
}

impl Command<'_> {
    /// The link that the command is about.
    pub fn connection_handle(&self) -> Option<ConnHandle> {
        match self {
            Command::Other { code, parameters } if about_a_link(*code) => handle(parameters),
            command => command.link(),
        }
    }
}

impl Event<'_> {
    /// The link that the event is about, if it is about one.
    pub fn connection_handle(&self) -> Option<ConnHandle> {
        match self {
            Event::CommandComplete { command_opcode, return_parameters, .. }
                if about_a_link(command_opcode.0) =>
            {
                // A command that the controller does not know returns its status alone.
                return_parameters.0.get(1..).and_then(handle)
            }
            Event::Le { event } => event.link(),
            event => event.link(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Opcode;
    use crate::packet::hci::Returned;
    use crate::packet::pdus::hex;

    #[test]
    fn the_table_ascends_and_repeats_nothing_declared() {
        assert!(ABOUT_A_LINK.is_sorted_by(|a, b| a < b));
        assert!(ABOUT_A_LINK.iter().all(|code| Command::name_of(*code).is_none()));
    }

    #[test]
    fn commands_without_an_entry_and_answers_know_their_link() {
        let link = Some(ConnHandle(0x40));
        assert_eq!(
            Command::Other { code: 0x0803, parameters: &hex("4000 2003") }.connection_handle(),
            link
        );
        assert_eq!(
            Command::Other { code: 0x0c33, parameters: &hex("4000 2003") }.connection_handle(),
            None
        );
        let bytes = hex("00 4000");
        let complete = |parameters| Event::CommandComplete {
            num_hci_command_packets: 1,
            command_opcode: Opcode(0x2022),
            return_parameters: parameters,
        };
        assert_eq!(complete(Returned(&bytes)).connection_handle(), link);
        assert_eq!(complete(Returned(&bytes[..1])).connection_handle(), None);
    }
}
