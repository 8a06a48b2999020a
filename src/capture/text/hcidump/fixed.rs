//! How long packets are that always have the same parameters.
use super::header::What;

/// The length of a command's or an event's parameters, where there is only one.
pub(super) fn length(what: What) -> Option<u8> {
    Some(match what {
        What::Command { opcode, .. } => match opcode {
            0x0c03 | 0x200e => 0,
            0x200c => 2,
            0x0406 => 3,
            0x200b => 7,
            0x0405 => 13,
            0x200d => 25,
            _ => return None,
        },
        What::Event { code, .. } => match code {
            0x06 | 0x30 => 3,
            0x05 | 0x08 | 0x0f => 4,
            0x0c | 0x12 => 8,
            0x03 => 11,
            _ => return None,
        },
        What::Acl { .. } | What::Sco { .. } => return None,
    })
}
