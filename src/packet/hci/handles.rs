//! Which commands are about a link: those whose parameters begin with a connection handle.
//!
//! Their Command Complete, where they have one, returns a status and the handle.
use super::{Command, Event};
use crate::packet::codes::ConnHandle;

/// Core, Vol 4, Part E, section 7, in order of number.
const ABOUT_A_LINK: &[u16] = &[
    0x0406, 0x040f, 0x0411, 0x0413, 0x0415, 0x041b, 0x041c, 0x041d, 0x041f, 0x0420, 0x0428, 0x043d,
    0x0801, 0x0803, 0x0804, 0x0805, 0x0806, 0x0807, 0x0809, 0x080c, 0x080d, 0x0810, 0x0811, 0x0c08,
    0x0c27, 0x0c28, 0x0c2d, 0x0c36, 0x0c37, 0x0c5f, 0x0c68, 0x0c7b, 0x0c7c, 0x1401, 0x1402, 0x1403,
    0x1405, 0x1406, 0x1407, 0x1408, 0x2013, 0x2015, 0x2016, 0x2019, 0x201a, 0x201b, 0x2020, 0x2021,
    0x2022, 0x2030, 0x2032, 0x2054, 0x2055, 0x2056, 0x2057, 0x205a, 0x205b, 0x205c, 0x206d, 0x2076,
    0x2077, 0x2078, 0x2079, 0x207a, 0x207e, 0x2088,
];

fn about_a_link(opcode: u16) -> bool {
    ABOUT_A_LINK.binary_search(&opcode).is_ok()
}

fn handle(bytes: &[u8]) -> Option<ConnHandle> {
    bytes.first_chunk().map(|bytes| ConnHandle(u16::from_le_bytes(*bytes) & 0x0fff))
}

impl Command<'_> {
    /// The link that the command is about.
    pub fn connection_handle(&self) -> Option<ConnHandle> {
        match self {
            Command::Other { code, parameters } if about_a_link(*code) => handle(parameters),
            command => command.declared_handle(),
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
            event => event.declared_handle(),
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
    fn the_table_ascends_and_knows_all_declared_commands() {
        assert!(ABOUT_A_LINK.is_sorted_by(|a, b| a < b));
        for (code, name, example) in Command::EXAMPLES {
            let bytes = hex(example);
            let (command, _) = Command::decode(*code, &bytes, false);
            // A connected isochronous stream is no link of its own yet.
            if command.declared_handle().is_some() && !matches!(code, 0x2066 | 0x2067) {
                assert!(about_a_link(*code), "{name}");
            }
        }
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
