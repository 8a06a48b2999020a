//! A second look at the working capture: what the host said on one link, whole values and all, and what every link to
//! the device taught of its database.
use super::server::{Asked, Server};
use crate::capture::{self, CaptureError};
use crate::case::Side;
use crate::decode::Decoder;
use crate::packet::att::{ErrorCode, Pdu, Uuid};
use crate::packet::{Direction, Packet, Problem};
use crate::time::Moment;
use crate::timeline::Tracker;
use std::collections::HashMap;

/// Most packets of the link that are kept: a handshake is short.
const MOST_SAID: usize = 4_096;

/// Most bytes of values that are kept. What comes later is not part of a handshake.
const MOST_BYTES: usize = 1 << 20;

const SERVICE_CHANGED: Uuid = Uuid::Short(0x2a05);

/// One attribute packet of the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub frame: u32,
    pub at: Moment,
    pub what: What,
    /// The capture kept only a part of it, or it cannot be decoded.
    pub damaged: bool,
    /// The packet may carry a key.
    pub hidden: bool,
}

/// What was said, as far as a handshake is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Write {
        handle: u16,
        value: Vec<u8>,
    },
    Command {
        handle: u16,
        value: Vec<u8>,
    },
    /// A signed command: only who has the key can make it.
    Signed {
        handle: u16,
    },
    /// A part of a long value.
    Prepare {
        handle: u16,
        offset: u16,
        value: Vec<u8>,
    },
    Execute,
    Read {
        handle: u16,
    },
    ReadByType {
        uuid: Uuid,
    },
    /// The rest of a long value.
    ReadBlob {
        handle: u16,
    },
    /// Any other request of the host, with its opcode.
    Asked(u8),
    /// The device's answer, and the handle that it found.
    Answered {
        request: u8,
        handle: Option<u16>,
    },
    Refused {
        request: u8,
        error: ErrorCode,
    },
    Pushed {
        handle: u16,
        indication: bool,
    },
}

/// What was said, and what was learned.
#[derive(Debug, Default)]
pub struct Transcript {
    pub said: Vec<Said>,
    pub server: Server,
}

/// Reads a capture again: `link` is told, and `kin` are other links to the same device.
pub fn read(side: &Side, link: u32, kin: &[u32]) -> Result<Transcript, CaptureError> {
    let mut opened = capture::open(&side.capture, &side.reading)?;
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    let mut told = Transcript::default();
    let mut of_kin: HashMap<u32, Server> = HashMap::new();
    // The open request of a link, by channel.
    let mut open: HashMap<(u32, u16), Asked> = HashMap::new();
    let mut room = MOST_BYTES;
    while let Some(record) = opened.source.next()? {
        let event = decoder.decode(&record);
        let Some(number) = tracker.push(&event) else { continue };
        if number != link && !kin.contains(&number) {
            continue;
        }
        let Packet::Att { cid, pdu, .. } = &event.packet else { continue };
        let sent = event.direction == Some(Direction::Sent);
        let server =
            if number == link { &mut told.server } else { of_kin.entry(number).or_default() };
        if sent && pdu.is_request() {
            match Asked::of(pdu) {
                Some(asked) => open.insert((number, *cid), asked),
                None => open.remove(&(number, *cid)),
            };
        } else if !sent
            && (pdu.answers().is_some() || matches!(pdu, Pdu::ErrorResponse { .. }))
            && let Some(asked) = open.remove(&(number, *cid))
            && event.problem.is_none()
        {
            server.learn(&asked, pdu);
        }
        if !sent
            && let Pdu::HandleValueIndication { attribute_handle, .. } = pdu
            && server.uuid_of(attribute_handle.0) == Some(SERVICE_CHANGED)
        {
            server.forget();
        }
        if number != link || told.said.len() >= MOST_SAID {
            continue;
        }
        let Some(what) = what(pdu, sent) else { continue };
        if let What::Write { value, .. }
        | What::Command { value, .. }
        | What::Prepare { value, .. } = &what
        {
            let Some(left) = room.checked_sub(value.len()) else { break };
            room = left;
        }
        let problem = matches!(event.problem, Some(Problem::Malformed));
        told.said.push(Said {
            frame: event.frame,
            at: event.time.into(),
            what,
            damaged: event.cut || problem,
            hidden: event.hidden,
        });
    }
    let mut kin: Vec<(u32, Server)> = of_kin.into_iter().collect();
    kin.sort_by_key(|(number, _)| number.abs_diff(link));
    for (_, server) in kin {
        told.server.add(server);
    }
    Ok(told)
}

fn what(pdu: &Pdu<'_>, sent: bool) -> Option<What> {
    Some(match (*pdu, sent) {
        (Pdu::WriteRequest { attribute_handle, attribute_value }, true) => {
            What::Write { handle: attribute_handle.0, value: attribute_value.to_vec() }
        }
        (Pdu::WriteCommand { attribute_handle, attribute_value }, true) => {
            What::Command { handle: attribute_handle.0, value: attribute_value.to_vec() }
        }
        (Pdu::SignedWriteCommand { attribute_handle, .. }, true) => {
            What::Signed { handle: attribute_handle.0 }
        }
        (
            Pdu::PrepareWriteRequest { attribute_handle, value_offset, part_attribute_value },
            true,
        ) => What::Prepare {
            handle: attribute_handle.0,
            offset: value_offset,
            value: part_attribute_value.to_vec(),
        },
        (Pdu::ExecuteWriteRequest { .. }, true) => What::Execute,
        (Pdu::ReadRequest { attribute_handle }, true) => What::Read { handle: attribute_handle.0 },
        (Pdu::ReadBlobRequest { attribute_handle, .. }, true) => {
            What::ReadBlob { handle: attribute_handle.0 }
        }
        (Pdu::ReadByTypeRequest { attribute_type, .. }, true)
            if !matches!(attribute_type.uuid, Uuid::Short(0x2802 | 0x2803)) =>
        {
            What::ReadByType { uuid: attribute_type.uuid }
        }
        (ref pdu, true) if pdu.is_request() => What::Asked(pdu.opcode()),
        (Pdu::ErrorResponse { request_opcode, error_code, .. }, false) => {
            What::Refused { request: request_opcode, error: error_code }
        }
        (Pdu::HandleValueNotification { attribute_handle, .. }, false) => {
            What::Pushed { handle: attribute_handle.0, indication: false }
        }
        (Pdu::HandleValueIndication { attribute_handle, .. }, false) => {
            What::Pushed { handle: attribute_handle.0, indication: true }
        }
        (Pdu::MultipleHandleValueNotification { ref list }, false) => {
            let (handle, _) = list.iter().next()?;
            What::Pushed { handle: handle.0, indication: false }
        }
        (Pdu::ReadByTypeResponse { ref list }, false) => {
            What::Answered { request: 0x08, handle: list.iter().next().map(|(handle, _)| handle.0) }
        }
        (ref pdu, false) => What::Answered { request: pdu.answers()?, handle: None },
        _ => return None,
    })
}
