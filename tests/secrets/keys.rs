//! Where the keys of a capture lie, written down apart from the code that hides them.
use hcidiff::packet::{Packet, mgmt};

/// Places of keys in a row of bytes: where each begins, and its length.
pub type Places = &'static [(usize, usize)];

/// The bytes of a packet that may hold keys, and where the keys are.
pub fn of(packet: &Packet<'_>) -> (Vec<u8>, Places) {
    let mut bytes = Vec::new();
    let places: Places = match packet {
        Packet::Command(command) => {
            command.encode(&mut bytes);
            of_command(command.code())
        }
        Packet::Event(event) => {
            event.encode(&mut bytes);
            of_event(event.code(), &bytes)
        }
        Packet::Smp { pdu, .. } => {
            pdu.encode(&mut bytes);
            of_pairing(pdu.code())
        }
        Packet::Mgmt { pdu, .. } => {
            match pdu {
                mgmt::Pdu::Command(command) => command.encode(&mut bytes),
                mgmt::Pdu::Event(event) => event.encode(&mut bytes),
            }
            of_management(pdu.is_event(), pdu.code())
        }
        _ => &[],
    };
    (bytes, places)
}

/// Where keys lie in a command's parameters (Core, Vol 4, Part E, 7): place and length.
pub fn of_command(opcode: u16) -> Places {
    match opcode {
        0x040b => &[(6, 16)],
        0x0430 => &[(6, 16), (22, 16)],
        0x0445 => &[(6, 16), (22, 16), (38, 16), (54, 16)],
        0x2017 => &[(0, 16), (16, 16)],
        0x2019 => &[(2, 8), (12, 16)],
        0x201a => &[(2, 16)],
        0x2027 => &[(7, 16), (23, 16)],
        _ => &[],
    }
}

pub fn of_event(code: u8, parameters: &[u8]) -> Places {
    match (code, parameters) {
        (0x18, _) => &[(6, 16)],
        // LE Encrypt, and what a controller knows of its own for pairing out of band.
        (0x0e, [_, 0x17, 0x20, ..]) => &[(4, 16)],
        (0x0e, [_, 0x57 | 0x7d, 0x0c, ..]) => &[(4, 16), (20, 16), (36, 16), (52, 16)],
        // Long Term Key Request, P-256 public key, DHKey.
        (0x3e, [0x05, ..]) => &[(3, 8)],
        (0x3e, [0x08, ..]) => &[(2, 64)],
        (0x3e, [0x09, ..]) => &[(2, 32)],
        _ => &[],
    }
}

fn of_pairing(code: u8) -> Places {
    match code {
        0x03 | 0x04 | 0x06 | 0x08 | 0x0a | 0x0d => &[(0, 16)],
        0x07 => &[(2, 8)],
        0x0c => &[(0, 64)],
        _ => &[],
    }
}

/// The kernel's management interface: the first key of a list stands for the list.
fn of_management(event: bool, code: u16) -> Places {
    match (event, code) {
        (false, 0x0012) => &[(11, 16)],
        (false, 0x0013) => &[(14, 8), (22, 16)],
        (false, 0x002f) => &[(1, 16)],
        (false, 0x0030) => &[(9, 16)],
        (true, 0x0009) => &[(9, 16)],
        (true, 0x000a) => &[(13, 8), (21, 16)],
        (true, 0x0018) => &[(14, 16)],
        (true, 0x0019) => &[(9, 16)],
        _ => &[],
    }
}
