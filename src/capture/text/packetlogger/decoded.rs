//! Protocols from the words of a decoded row and the lines below it, as their bytes.
//!
//! Every function writes what the words tell, in wire order, and stops at the first thing that
//! they leave out. What is missing stays missing: the caller marks the packet as cut.
use super::super::hex;
use super::words::{Words, number};
use crate::packet::att;
use crate::packet::hci::{Command, Event, LeEvent};

/// A PDU's code, and whether its bytes are all there.
pub(super) type Told = Option<(u8, bool)>;

fn short(value: usize) -> Option<[u8; 2]> {
    Some(u16::try_from(value).ok()?.to_le_bytes())
}

/// ATT: `Write Request - Handle:0x000E - Value: A522 0424`.
pub(super) fn att(words: &Words, out: &mut Vec<u8>) -> Told {
    let name = words.pieces().next()?;
    let known = att::Pdu::EXAMPLES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
    let &(code, ..) = known?;
    Some((code, att_fields(code, words, out).unwrap_or(false)))
}

fn att_fields(code: u8, words: &Words, out: &mut Vec<u8>) -> Option<bool> {
    match code {
        0x02 | 0x03 => out.extend(short(number(words.piece("MTU")?)?)?),
        0x04 | 0x08 | 0x10 => {
            out.extend(short(number(words.piece("Start Handle")?)?)?);
            out.extend(short(number(words.piece("End Handle")?)?)?);
            if code != 0x04 {
                // A long UUID's spelling is not known.
                let uuid = words.piece("UUID")?;
                let digits = uuid.split([' ', '(']).next().filter(|digits| digits.len() == 4)?;
                out.extend(u16::from_str_radix(digits, 16).ok()?.to_le_bytes());
            }
        }
        0x0a => out.extend(short(number(words.piece("Handle")?)?)?),
        0x0b => return words.value(out),
        0x12 | 0x1b | 0x1d | 0x52 => {
            out.extend(short(number(words.piece("Handle")?)?)?);
            return words.value(out);
        }
        0x13 | 0x19 | 0x1e => {}
        _ => return None,
    }
    Some(true)
}

/// The opcode of a command, and the length of its parameters where that is told.
pub(super) fn command(words: &Words) -> Option<(u16, Option<u8>)> {
    let length = words.detail("Parameter Length").and_then(number);
    let length = length.and_then(|length| u8::try_from(length).ok());
    let name = words.pieces().next()?;
    let opcode = if let Some(opcode) = words.detail("Opcode").and_then(number) {
        u16::try_from(opcode).ok()?
    } else if let Some((digits, _)) = name.strip_prefix('[').and_then(|name| name.split_once(']')) {
        u16::from_str_radix(digits, 16).ok()?
    } else {
        let known = Command::EXAMPLES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        known?.0
    };
    Some((opcode, length))
}

/// The code of an event; its parameters go to `out`.
pub(super) fn event(words: &Words, handle: u16, out: &mut Vec<u8>) -> Told {
    let name = words.pieces().next()?;
    let code = if name.eq_ignore_ascii_case("LE Meta Event") || name == "LE" {
        0x3e
    } else {
        let known = Event::EXAMPLES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        known?.0
    };
    let whole = event_fields(code, words, handle, out).unwrap_or(false);
    let length = words.detail("Parameter Length").and_then(number);
    Some((code, whole && length.is_none_or(|length| length == out.len())))
}

fn event_fields(code: u8, words: &Words, handle: u16, out: &mut Vec<u8>) -> Option<bool> {
    let status = || u8::try_from(number(words.detail("Status")?)?).ok();
    match code {
        0x05 => {
            out.push(status()?);
            out.extend(short(number(words.detail("Connection Handle")?)?)?);
            out.push(u8::try_from(number(words.detail("Reason")?)?).ok()?);
        }
        0x0e | 0x0f => {
            let packets = u8::try_from(number(words.detail("Num HCI Command Packets")?)?).ok()?;
            let opcode = short(number(words.detail("Opcode")?)?)?;
            if code == 0x0f {
                out.push(status()?);
                out.push(packets);
                out.extend(opcode);
            } else {
                out.push(packets);
                out.extend(opcode);
                out.push(status()?);
                // More than a status only shows in the length.
                let length = words.detail("Parameter Length").and_then(number)?;
                return Some(length == out.len());
            }
        }
        0x13 => {
            let (link, packets) = (words.piece("Handle")?, words.piece("Packets")?);
            if words.detail("Number Of Handles").and_then(number).is_some_and(|links| links != 1) {
                return None;
            }
            out.push(1);
            out.extend(short(number(link)?)?);
            out.extend(short(number(packets)?)?);
        }
        0x3e => {
            let name = words.pieces().nth(1)?;
            let known =
                LeEvent::EXAMPLES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
            let &(subevent, ..) = known?;
            out.push(subevent);
            if subevent != 1 {
                return None;
            }
            return le_connection(words, handle, out);
        }
        _ => return None,
    }
    Some(true)
}

/// LE Connection Complete from the lines below its row.
fn le_connection(words: &Words, handle: u16, out: &mut Vec<u8>) -> Option<bool> {
    out.push(u8::try_from(number(words.detail("Status")?)?).ok()?);
    out.extend(short(words.detail("Connection Handle").and_then(number).unwrap_or(handle.into()))?);
    out.push(u8::try_from(number(words.detail("Role")?)?).ok()?);
    out.push(address_type(words.detail("Peer Address Type")?)?);
    out.extend(hex::address(words.detail("Peer Address")?)?);
    out.extend(short(number(words.detail("Connection Interval")?)?)?);
    // The latency prints as six digits without a mark of their base: what stands behind it
    // in parentheses is decimal.
    let latency = words.detail("Connection Latency")?;
    out.extend(short(number(latency.split_once('(')?.1)?)?);
    out.extend(short(number(words.detail("Supervision Timeout")?)?)?);
    out.push(u8::try_from(number(words.detail("Master Clock Accuracy")?)?).ok()?);
    Some(true)
}

fn address_type(text: &str) -> Option<u8> {
    match text.trim() {
        "Public" => Some(0),
        "Random" => Some(1),
        _ => None,
    }
}

/// LE Connection Complete from its row alone: `… - Master - Public - AA:… - Conn Interval: 30 ms`.
///
/// An interval is only there if the connection is. The latency and the timeout are not.
/// Replaces what is in `out`, if the row shows a connection.
pub(super) fn le_connection_row(words: &Words, handle: u16, out: &mut Vec<u8>) -> Option<()> {
    let mut pieces = words.pieces().skip(1);
    // The resolvable addresses of the enhanced form are not in the row.
    let (subevent, resolvable): (u8, &[u8]) = match pieces.next()? {
        "LE Connection Complete" => (0x01, &[]),
        "LE Enhanced Connection Complete" => (0x0a, &[0; 12]),
        _ => return None,
    };
    let role = match pieces.next()? {
        "Master" | "Central" => 0,
        "Slave" | "Peripheral" => 1,
        _ => return None,
    };
    let peer_type = address_type(pieces.next()?)?;
    let peer = hex::address(pieces.next()?)?;
    words.piece("Conn Interval").filter(|interval| !interval.starts_with("0 "))?;
    out.clear();
    out.extend([subevent, 0]);
    out.extend(handle.to_le_bytes());
    out.extend([role, peer_type]);
    out.extend(peer);
    out.extend_from_slice(resolvable);
    // Interval, latency, timeout and clock accuracy.
    out.extend([0; 7]);
    Some(())
}
