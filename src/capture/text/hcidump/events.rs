//! Parameters of events, as far as hcidump prints them.
use super::super::hex;
use super::header::{Details, list, number, opcode};

/// The numbers of the LE subevents that hcidump knows. What it prints for others is wrong.
pub(super) fn subevent(name: &str) -> Option<u8> {
    Some(match name {
        "LE Connection Complete" => 1,
        "LE Advertising Report" => 2,
        "LE Connection Update Complete" => 3,
        "LE Read Remote Used Features Complete" => 4,
        "LE Long Term Key Request" => 5,
        _ => return None,
    })
}

/// Writes the parameters in wire order; what stands behind the first unknown one is left out.
pub(super) fn parameters(code: u8, length: Option<u8>, details: &Details, out: &mut Vec<u8>) {
    // Breaking off at the first unknown parameter is what leaves the rest out.
    let _ = match code {
        0x03 if !details.hides_address() => connection_complete(details, out),
        0x04 => connection_request(details, out),
        0x05 => status_handle(details, out).and_then(|()| push(out, details.byte("reason"))),
        0x06 => status_handle(details, out),
        0x08 => status_handle(details, out).and_then(|()| push(out, details.byte("encrypt"))),
        0x0c => status_handle(details, out).and_then(|()| version(details, out)),
        0x0e => command_complete(details, out),
        0x0f => command_status(details, out),
        0x10 => push(out, details.byte("code")),
        0x12 => push(out, details.byte("status"))
            .and_then(|()| push(out, details.address()))
            .and_then(|()| push(out, details.byte("role").map(|role| [role]))),
        0x13 => completed_packets(details, out),
        0x16 | 0x17 | 0x31 => push(out, details.address()),
        0x3e => le(details, out),
        _ if length == Some(3) => status_handle(details, out),
        _ => None,
    };
}

fn push(out: &mut Vec<u8>, bytes: Option<impl Bytes>) -> Option<()> {
    bytes?.append(out);
    Some(())
}

/// One byte or several.
trait Bytes {
    fn append(self, out: &mut Vec<u8>);
}

impl Bytes for u8 {
    fn append(self, out: &mut Vec<u8>) {
        out.push(self);
    }
}

impl<const N: usize> Bytes for [u8; N] {
    fn append(self, out: &mut Vec<u8>) {
        out.extend(self);
    }
}

fn status_handle(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.push(details.byte("status")?);
    out.extend(details.short("handle")?);
    Some(())
}

fn link_type(details: &Details) -> Option<u8> {
    match details.word("type")? {
        "SCO" => Some(0),
        "ACL" => Some(1),
        "eSCO" => Some(2),
        _ => None,
    }
}

/// The parameters of Connection Complete; an address that somebody hid is zero.
pub(super) fn connection_complete(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    status_handle(details, out)?;
    out.extend(details.address().unwrap_or_default());
    out.push(link_type(details)?);
    out.push(details.byte("encrypt")?);
    Some(())
}

fn connection_request(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.extend(details.address()?);
    let class = u32::try_from(details.number("class")?).ok()?.to_le_bytes();
    out.extend(class.iter().take(3));
    out.push(link_type(details)?);
    Some(())
}

/// The number in the parentheses behind a word: `LMP Version: 5.0 (0x9)`.
fn inside(text: &str) -> Option<u64> {
    number(text.split_once('(')?.1.split_once(')')?.0)
}

fn version(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let line = details.lines().find(|line| line.starts_with("LMP Version: "))?;
    out.push(u8::try_from(inside(line)?).ok()?);
    let maker = details.lines().find(|line| line.starts_with("Manufacturer: "))?;
    let maker = maker.rsplit_once('(').and_then(|(_, maker)| number(maker))?;
    out.extend(u16::try_from(maker).ok()?.to_le_bytes());
    out.extend(details.short("Subversion")?);
    Some(())
}

fn command_complete(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.push(details.byte("ncmd")?);
    let answered = opcode(details.first())?;
    out.extend(answered.to_le_bytes());
    let Some(status) = details.byte("status") else {
        // What it does not decode `-x` prints, with the status.
        details.dump(out);
        return Some(());
    };
    out.push(status);
    match answered {
        0x1001 => {
            let line = details.lines().find(|line| line.starts_with("HCI Version: "))?;
            out.push(u8::try_from(inside(line)?).ok()?);
            out.extend(details.short("Revision")?);
            version(details, out)
        }
        0x1003 => {
            let line = details.lines().find_map(|line| line.strip_prefix("Features: "))?;
            list(line, out);
            Some(())
        }
        0x1009 => push(out, details.address()),
        0x2003 => {
            let digits = details.word("features")?.strip_prefix("0x")?;
            hex::run(digits, out).is_empty().then_some(())
        }
        _ => {
            details.dump(out);
            Some(())
        }
    }
}

fn command_status(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.push(details.byte("status")?);
    out.push(details.byte("ncmd")?);
    let name = details.first().split(" status ").next()?;
    out.extend(opcode(name)?.to_le_bytes());
    Some(())
}

fn completed_packets(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let counts: Vec<_> = details.all("handle").zip(details.all("packets")).collect();
    out.push(u8::try_from(counts.len()).ok()?);
    for (handle, packets) in counts {
        for number in [number(handle)?, number(packets)?] {
            out.extend(u16::try_from(number).ok()?.to_le_bytes());
        }
    }
    Some(())
}

fn le(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let subevent = subevent(details.first())?;
    out.push(subevent);
    match subevent {
        2 => reports(details, out),
        3 => {
            status_handle(details, out)?;
            let hundredths = |key, unit: u32| u16::try_from(details.hundredths(key)? / unit).ok();
            out.extend(hundredths("interval", 125)?.to_le_bytes());
            // It multiplies the latency as if it were a time.
            out.extend(hundredths("latency", 125)?.to_le_bytes());
            out.extend(hundredths("timeout", 1000)?.to_le_bytes());
            Some(())
        }
        4 => {
            status_handle(details, out)?;
            let line = details.lines().find_map(|line| line.strip_prefix("Features: "))?;
            list(line, out);
            Some(())
        }
        _ => None,
    }
}

/// Advertising: kind, address, flags and name are printed, other data only by its type.
fn reports(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let count_at = out.len();
    out.push(0);
    let mut data: Vec<u8> = Vec::new();
    let mut open = false;
    for line in details.lines().skip(1) {
        if let Some((_, kind)) = line
            .rsplit_once(" (")
            .filter(|_| line.starts_with("ADV_") || line.starts_with("SCAN_RSP"))
        {
            out.push(u8::try_from(number(kind)?).ok()?);
        } else if let Some(rest) = line.strip_prefix("bdaddr ") {
            let (text, kind) = rest.split_once(' ')?;
            out.push(u8::from(kind == "(Random)"));
            out.extend(hex::address(text)?);
            data.clear();
            open = true;
        } else if let Some(flags) = line.strip_prefix("Flags: ") {
            data.extend([2, 1, u8::try_from(number(flags)?).ok()?]);
        } else if let Some((kind, name)) =
            [("Complete local name: ", 9), ("Shortened local name: ", 8)]
                .into_iter()
                .find_map(|(key, kind)| Some((kind, line.strip_prefix(key)?)))
        {
            let name = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''))?;
            data.push(u8::try_from(name.len() + 1).ok()?);
            data.push(kind);
            data.extend(name.as_bytes());
        } else if let Some(rssi) = line.strip_prefix("RSSI: ").filter(|_| open) {
            let rssi: i8 = rssi.parse().ok()?;
            out.push(u8::try_from(data.len()).ok()?);
            out.append(&mut data);
            out.extend(rssi.to_le_bytes());
            open = false;
            let count = out.get_mut(count_at)?;
            *count = count.checked_add(1)?;
        }
    }
    Some(())
}

/// The parameters of LE Connection Complete: interval, latency, timeout and accuracy are not printed.
pub(super) fn le_connection(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let role = match details.word("role")? {
        "master" | "central" => 0,
        "slave" | "peripheral" => 1,
        _ => return None,
    };
    let line = details.lines().find(|line| line.starts_with("bdaddr "))?;
    out.extend([1, details.byte("status")?]);
    out.extend(details.short("handle")?);
    out.extend([role, u8::from(line.contains("(Random)"))]);
    // An address that somebody removed is read as zero, and the packet is marked as cut.
    out.extend(details.address().unwrap_or_default());
    out.extend([0; 7]);
    Some(())
}
