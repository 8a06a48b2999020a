//! ACL data: ATT and SMP as hcidump prints them.
use super::super::hex;
use super::header::{Details, list, number};

/// A protocol's packet: its code, and what follows as far as it is printed.
pub(super) struct Pdu {
    pub protocol: Protocol,
    pub code: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Att,
    Smp,
}

/// The PDU that `ATT: Write req (0x12)` and the lines below it show; its parameters go to `out`.
pub(super) fn pdu(details: &Details, out: &mut Vec<u8>) -> Option<Pdu> {
    let first = details.first();
    let (protocol, name) = match (first.strip_prefix("ATT: "), first.strip_prefix("SMP: ")) {
        (Some(name), _) => (Protocol::Att, name),
        (_, Some(name)) => (Protocol::Smp, name),
        _ => return None,
    };
    let code = name.rsplit_once('(').and_then(|(_, code)| number(code))?;
    let code = u8::try_from(code).ok()?;
    // The reader stops at the first unknown parameter, so the rest is left out.
    let _ = match protocol {
        Protocol::Att => att(code, details, out),
        Protocol::Smp => smp(code, details, out),
    };
    Some(Pdu { protocol, code })
}

fn att(code: u8, details: &Details, out: &mut Vec<u8>) -> Option<()> {
    match code {
        0x01 => {
            let request = details.lines().nth(2)?;
            let (name, handle) = request.rsplit_once(" on handle ")?;
            out.push(u8::try_from(number(name.rsplit_once('(')?.1)?).ok()?);
            out.extend(u16::try_from(number(handle)?).ok()?.to_le_bytes());
            let error = details.lines().nth(1)?.rsplit_once('(')?.1;
            out.push(u8::try_from(number(error)?).ok()?);
        }
        0x02 | 0x03 => out.extend(details.short("mtu")?),
        0x04 => range(details, out)?,
        0x05 => {
            let short = details.lines().nth(1)? == "format: uuid-16";
            out.push(if short { 1 } else { 2 });
            for line in details.lines().skip(2).filter(|_| short) {
                let (handle, uuid) = line.strip_prefix("handle ")?.split_once(" uuid ")?;
                let uuid = uuid.split(' ').next()?;
                for number in [number(handle)?, number(uuid)?] {
                    out.extend(u16::try_from(number).ok()?.to_le_bytes());
                }
            }
        }
        0x06 => {
            range(details, out)?;
            out.extend(details.short("uuid")?);
            value(details, out);
        }
        0x07 => {
            for line in details.lines().filter_map(|line| line.strip_prefix("Found attr ")) {
                let (start, end) = line.split_once(" group end handle ")?;
                for number in [number(start)?, number(end)?] {
                    out.extend(u16::try_from(number).ok()?.to_le_bytes());
                }
            }
        }
        0x08 | 0x10 => {
            range(details, out)?;
            out.extend(details.short("type-uuid")?);
        }
        0x09 => {
            out.push(details.byte("length")?);
            for line in details.lines().filter_map(|line| line.strip_prefix("handle ")) {
                let (handle, value) = line.split_once(" value ")?;
                out.extend(u16::try_from(number(handle)?).ok()?.to_le_bytes());
                list(value, out);
            }
        }
        0x0a => out.extend(details.short("handle")?),
        0x0c => {
            out.extend(details.short("handle")?);
            out.extend(details.short("offset")?);
        }
        0x11 => groups(details, out)?,
        0x12 | 0x1b | 0x52 => {
            out.extend(details.short("handle")?);
            value(details, out);
        }
        0x16 | 0x17 => {
            out.extend(details.short("handle")?);
            out.extend(details.short("offset")?);
            let line = details.lines().find_map(|line| line.strip_prefix("part attr value"))?;
            list(line, out);
        }
        _ => {}
    }
    Some(())
}

fn range(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.extend(details.short("start")?);
    out.extend(details.short("end")?);
    Some(())
}

/// The list behind the word `value`.
fn value(details: &Details, out: &mut Vec<u8>) {
    let line = details.lines().skip(1).find_map(|line| {
        line.strip_prefix("value ").or_else(|| line.split_once(" value ").map(|(_, list)| list))
    });
    list(line.unwrap_or_default(), out);
}

/// Read By Group Type Response: pairs of lines, all of one length.
fn groups(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let length_at = out.len();
    out.push(0);
    for line in details.lines().skip(1) {
        if let Some(range) = line.strip_prefix("attr handle ") {
            let (start, end) = range.split_once(" end group handle ")?;
            for number in [number(start)?, number(end)?] {
                out.extend(u16::try_from(number).ok()?.to_le_bytes());
            }
        } else if let Some(value) = line.strip_prefix("value ") {
            list(value, out);
            if *out.get(length_at)? == 0 {
                *out.get_mut(length_at)? = u8::try_from(out.len() - length_at - 1).ok()?;
            }
        }
    }
    Some(())
}

fn smp(code: u8, details: &Details, out: &mut Vec<u8>) -> Option<()> {
    match code {
        0x01 | 0x02 => {
            let mut keys = details.all("dist");
            for byte in [
                details.byte("capability")?,
                details.byte("oob")?,
                details.byte("req")?,
                details.byte("size")?,
                u8::try_from(number(keys.next()?)?).ok()?,
                u8::try_from(number(keys.next()?)?).ok()?,
            ] {
                out.push(byte);
            }
        }
        0x03 | 0x04 | 0x06 | 0x08 => {
            let key =
                ["key", "random", "LTK", "IRK"].into_iter().find_map(|key| details.word(key))?;
            if !hex::run(key, out).is_empty() {
                out.clear();
            }
        }
        0x05 => out.push(details.byte("reason")?),
        // Identity Address Information: what hcidump prints is not the address that was sent.
        0x0b => out.push(details.byte("req")?),
        _ => {}
    }
    Some(())
}
