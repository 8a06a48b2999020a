//! Advertising reports and the data in them.
//!
//! Newer versions print the data's bytes; older ones only what the structures mean. Those whose
//! bytes follow from what is printed are put back; where one does not, the data is incomplete.
use super::body::{self, Details};
use super::layout::Part::{Address, Data, N};
use super::layout::{self, little};

/// The parameters of LE Advertising Report, behind the subevent.
pub(super) fn legacy(details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    reports(details, out, |report, out| {
        let parts = [
            N(1, "Event type"),
            N(1, "Address type"),
            Address("Address"),
            Data(1, 0),
            N(1, "RSSI"),
        ];
        layout::fill(&parts, report, out)
    })
}

/// The parameters of LE Extended Advertising Report, behind the subevent.
pub(super) fn extended(details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    reports(details, out, |report, out| {
        let parts = [
            N(2, "Event type"),
            N(1, "Address type"),
            Address("Address"),
            N(1, "Primary PHY"),
            N(1, "Secondary PHY"),
            N(1, "SID"),
            N(1, "TX power"),
            N(1, "RSSI"),
            N(2, "Periodic advertising interval|Periodic advertising invteral"),
            N(1, "Direct address type"),
            Address("Direct address"),
            Data(1, 0),
        ];
        layout::fill(&parts, report, out)
    })
}

/// Reports that are all there, behind their number; false where something is left out.
fn reports(
    details: &mut Details<'_>,
    out: &mut Vec<u8>,
    one: impl Fn(&mut Details<'_>, &mut Vec<u8>) -> bool,
) -> bool {
    let announced = details.find("Num reports").and_then(|found| body::number(found.value()?));
    let at = out.len();
    out.push(0);
    let (mut count, mut whole) = (0u8, true);
    while let Some(mut report) = details.entry("Event type") {
        whole &= one(&mut report, out);
        count = count.saturating_add(1);
    }
    if let Some(number) = out.get_mut(at) {
        *number = count;
    }
    whole && announced == Some(i64::from(count))
}

/// Advertising data of `length` bytes from the lines that follow its length.
pub(super) fn data(details: &Details<'_>, length: usize, out: &mut Vec<u8>) {
    let mut first = details.clone();
    if length == 0 {
        return;
    }
    // Only rows right below the length are the data itself.
    if first.next().is_some_and(|line| line.is_row()) {
        let rows = details.rows();
        if rows.len() == length {
            out.extend(rows);
            return;
        }
    }
    let mut lines = details.clone();
    while out.len() < length {
        let Some(line) = lines.next() else { break };
        if matches!(line.label(), "RSSI" | "Scan response length" | "Event type") {
            break;
        }
        let mut structure = Vec::new();
        let known = structure_of(line, &lines, &mut structure);
        let size = u8::try_from(structure.len()).ok().filter(|_| known.is_some());
        if let Some(size) = size.filter(|size| out.len() + 1 + usize::from(*size) <= length) {
            out.push(size);
            out.extend(structure);
        }
    }
}

/// Type and bytes of one structure, where the text shows all of them.
fn structure_of(line: body::Detail<'_>, below: &Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let (label, value) = (line.label(), line.value()?);
    match label {
        "Flags" => number(0x01, value, 1, out),
        "Name (complete)" => text(0x09, value, out),
        "Name (short)" => text(0x08, value, out),
        "TX power" => number(0x0a, value, 1, out),
        "Appearance" => number(0x19, value, 2, out),
        "Class" => number(0x0d, value, 3, out),
        "Company" => {
            number(0xff, value, 2, out)?;
            hex_below(line, below, out)
        }
        "Service Data" => {
            number(0x16, value, 2, out)?;
            hex_below(line, below, out)
        }
        "Mesh Provisioning" | "Mesh Data" | "Mesh Beacon" => {
            out.push(match label {
                "Mesh Provisioning" => 0x29,
                "Mesh Data" => 0x2a,
                _ => 0x2b,
            });
            below.hex(line, out);
            Some(())
        }
        "Peripheral Conn. Interval" | "Slave Conn. Interval" => {
            let (min, max) = value.split_once('-')?;
            number(0x12, min.trim(), 2, out)?;
            little(body::number(max.trim())?, 2, out);
            Some(())
        }
        _ if label.starts_with("Service Data (UUID 0x") => {
            let (_, uuid) = label.split_once("UUID ")?;
            number(0x16, uuid.trim_end_matches(')'), 2, out)?;
            below.hex(line, out);
            Some(())
        }
        _ if label.starts_with("Unknown EIR field 0x") => {
            let (_, kind) = label.rsplit_once("0x")?;
            out.push(u8::from_str_radix(kind, 16).ok()?);
            below.hex(line, out);
            Some(())
        }
        _ => uuids(line, label, value, below, out),
    }
}

fn number(kind: u8, value: &str, size: u8, out: &mut Vec<u8>) -> Option<()> {
    out.push(kind);
    little(body::number(value)?, size, out);
    Some(())
}

fn text(kind: u8, value: &str, out: &mut Vec<u8>) -> Option<()> {
    // What could not be printed is not there.
    if value.contains(['.', char::REPLACEMENT_CHARACTER]) && !value.is_ascii() {
        return None;
    }
    out.push(kind);
    out.extend_from_slice(value.as_bytes());
    Some(())
}

/// Bytes on the very next line, deeper than the structure's own.
fn hex_below(line: body::Detail<'_>, below: &Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut below = below.clone();
    let next = below.next().filter(|next| next.indent > line.indent && next.label() == "Data")?;
    below.hex(next, out);
    Some(())
}

/// `16-bit Service UUIDs (complete): 2 entries`, and a line each.
fn uuids(
    line: body::Detail<'_>,
    label: &str,
    value: &str,
    below: &Details<'_>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (bits, state) = label.split_once("-bit Service UUIDs ")?;
    let (kind, size) = match bits {
        "16" => (0x02, 2),
        "128" => (0x06, 16),
        _ => return None,
    };
    out.push(kind + u8::from(state == "(complete)"));
    let count = value.split(' ').next()?.parse::<usize>().ok()?;
    let from = out.len();
    for entry in below.clone().take(count).take_while(|entry| entry.indent > line.indent) {
        body::uuid(entry.text, out)?;
    }
    (out.len() - from == count.checked_mul(size)?).then_some(())
}
