//! Parameters of commands, as far as hcidump prints them.
use super::super::hex;
use super::header::{Details, hundredths};

/// Writes the parameters in wire order; what stands behind the first unknown one is left out.
pub(super) fn parameters(opcode: u16, details: &Details, out: &mut Vec<u8>) {
    // The reader stops at the first unknown parameter, so the rest is left out.
    let _ = match opcode {
        0x0406 => disconnect(details, out),
        0x2005 | 0x0408 | 0x040c | 0x042c => details.address().map(|address| out.extend(address)),
        0x200b => scan_parameters(details, out),
        0x200c => scan_enable(details, out),
        0x200d => le_create_connection(details, out),
        0x0c01 | 0x0c63 | 0x2001 => mask(details, out),
        // Of a command that has only a handle.
        0x0411 | 0x041b | 0x041d | 0x2016 => handle(details, out),
        _ => None,
    };
}

/// The parameters of Create Connection: of the page scan only the clock offset is printed.
pub(super) fn create_connection(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.extend(details.address()?);
    out.extend(details.short("ptype")?);
    // Page scan repetition mode and reserved: not printed.
    out.extend([0, 0]);
    out.extend(details.short("clkoffset")?);
    out.push(details.byte("rswitch")?);
    Some(())
}

fn handle(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.extend(details.short("handle")?);
    Some(())
}

/// `Mask: 0xff9fffbf07f8bf3d`: the bytes as they are on the wire.
fn mask(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let digits = details.word("Mask").or_else(|| details.word("mask"))?.strip_prefix("0x")?;
    hex::run(digits, out).is_empty().then_some(())
}

fn disconnect(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    handle(details, out)?;
    out.push(details.byte("reason")?);
    Some(())
}

fn scan_enable(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.push(details.byte("value")?);
    out.push(details.byte("duplicates")?);
    Some(())
}

fn scan_parameters(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    let units = |key| {
        let hundredths = details.word(key).and_then(hundredths)?;
        // In steps of 0.625 ms.
        u16::try_from(hundredths.checked_mul(2)?.div_ceil(125)).ok()
    };
    out.push(details.byte("type")?);
    out.extend(units("interval")?.to_le_bytes());
    out.extend(units("window")?.to_le_bytes());
    out.push(details.byte("address")?);
    match details.word("policy")? {
        "All" => out.push(0),
        "white" | "accept" => out.push(1),
        _ => return None,
    }
    Some(())
}

fn le_create_connection(details: &Details, out: &mut Vec<u8>) -> Option<()> {
    out.extend(details.short("interval")?);
    out.extend(details.short("window")?);
    out.push(details.byte("initiator_filter")?);
    out.push(details.byte("type")?);
    out.extend(details.address()?);
    out.push(details.byte("own_bdaddr_type")?);
    for key in ["min_interval", "max_interval", "latency", "supervision_to", "min_ce", "max_ce"] {
        out.extend(details.short(key)?);
    }
    Some(())
}
