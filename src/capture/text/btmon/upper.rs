//! How btmon prints what L2CAP carries: ATT, SMP and signalling.
use super::super::marks::first_word;
use super::body::{self, Details};
use super::layout::Part::{self, Address, All, Bytes, Kind, Lead, N, Range, Rest, Uuid};
use super::layout::{self, little};

const HANDLE: Part = Lead(2, "Handle");
const VALUE: Part = Rest("Value|Data");

/// By ATT opcode; answers with lists and errors are read by hand.
#[rustfmt::skip]
pub(super) const ATT: &[(u8, &[Part])] = &[
    (0x02, &[N(2, "Client RX MTU")]),
    (0x03, &[N(2, "Server RX MTU")]),
    (0x04, &[Range("Handle range")]),
    (0x07, &[All(&[Range("Handle range")])]),
    (0x08, &[Range("Handle range"), Uuid("Attribute type")]),
    (0x0a, &[HANDLE]),
    (0x0b, &[VALUE]),
    (0x0c, &[HANDLE, N(2, "Offset")]),
    (0x0d, &[VALUE]),
    (0x0e, &[All(&[HANDLE])]),
    (0x0f, &[VALUE]),
    (0x10, &[Range("Handle range"), Uuid("Attribute group type")]),
    (0x12, &[HANDLE, VALUE]),
    (0x13, &[]),
    (0x16, &[HANDLE, N(2, "Offset"), VALUE]),
    (0x17, &[HANDLE, N(2, "Offset"), VALUE]),
    (0x18, &[N(1, "Flags")]),
    (0x19, &[]),
    (0x1b, &[HANDLE, VALUE]),
    (0x1d, &[HANDLE, VALUE]),
    (0x1e, &[]),
    (0x20, &[All(&[HANDLE])]),
    (0x52, &[HANDLE, VALUE]),
    (0xd2, &[HANDLE, VALUE, Bytes(12, "Signature")]),
];

const PAIRING: &[Part] = &[
    N(1, "IO capability"),
    N(1, "OOB data"),
    N(1, "Authentication requirement"),
    N(1, "Max encryption key size"),
    N(1, "Initiator key distribution"),
    N(1, "Responder key distribution"),
];

#[rustfmt::skip]
pub(super) const SMP: &[(u8, &[Part])] = &[
    (0x01, PAIRING),
    (0x02, PAIRING),
    (0x03, &[Bytes(16, "Confim value|Confirm value")]),
    (0x04, &[Bytes(16, "Random value")]),
    (0x05, &[N(1, "Reason")]),
    (0x06, &[Bytes(16, "Long term key")]),
    (0x07, &[N(2, "EDIV"), N(8, "Rand")]),
    (0x08, &[Bytes(16, "Identity resolving key")]),
    (0x09, &[Kind("Address"), Address("Address")]),
    (0x0a, &[Bytes(16, "Signature key")]),
    (0x0b, &[N(1, "Authentication requirement")]),
    (0x0c, &[Bytes(32, "X"), Bytes(32, "Y")]),
    (0x0d, &[Bytes(16, "E")]),
    (0x0e, &[N(1, "Type")]),
];

const DESTINATION: Part = N(2, "Destination CID");
const SOURCE: Part = N(2, "Source CID");
const RESULT: Part = N(2, "Result");
const CREDITS: Part = N(2, "Credits");

#[rustfmt::skip]
pub(super) const SIGNALS: &[(u8, &[Part])] = &[
    (0x01, &[N(2, "Reason")]),
    (0x02, &[N(2, "PSM"), SOURCE]),
    (0x03, &[DESTINATION, SOURCE, RESULT, N(2, "Status")]),
    (0x04, &[DESTINATION, N(2, "Flags")]),
    (0x05, &[SOURCE, N(2, "Flags"), RESULT]),
    (0x06, &[DESTINATION, SOURCE]),
    (0x07, &[DESTINATION, SOURCE]),
    (0x08, &[]),
    (0x09, &[]),
    (0x0a, &[N(2, "Type")]),
    (0x0b, &[N(2, "Type"), RESULT]),
    (0x0c, &[N(2, "PSM"), SOURCE, N(1, "Controller ID")]),
    (0x0d, &[DESTINATION, SOURCE, RESULT, N(2, "Status")]),
    (0x12, &[
        N(2, "Min interval"), N(2, "Max interval"), N(2, "Peripheral latency|Slave latency"), N(2, "Timeout multiplier"),
    ]),
    (0x13, &[RESULT]),
    (0x14, &[N(2, "PSM"), SOURCE, N(2, "MTU"), N(2, "MPS"), CREDITS]),
    (0x15, &[DESTINATION, N(2, "MTU"), N(2, "MPS"), CREDITS, RESULT]),
    (0x16, &[SOURCE, CREDITS]),
    (0x17, &[N(2, "PSM"), N(2, "MTU"), N(2, "MPS"), CREDITS, All(&[SOURCE])]),
    (0x18, &[N(2, "MTU"), N(2, "MPS"), CREDITS, RESULT, All(&[DESTINATION])]),
    (0x19, &[N(2, "MTU"), N(2, "MPS"), All(&[N(2, "Channel|Destination CID|Source CID")])]),
    (0x1a, &[RESULT]),
];

/// The parameters of an ATT PDU.
pub(super) fn att(opcode: u8, details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    match opcode {
        0x01 => error(details, out).is_some(),
        0x05 => information(details, out).is_some(),
        0x06 => find_by_value(details, out).is_some(),
        0x09 => by_type(details, out).is_some(),
        0x11 => by_group(details, out).is_some(),
        0x23 => values(details, out).is_some(),
        _ => layout::of(ATT, opcode).is_some_and(|parts| layout::fill(parts, details, out)),
    }
}

/// The request has a line of its own, without a label.
fn error(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let request = details.next().filter(|line| !line.text.contains(':'))?;
    out.push(u8::try_from(request.code()?).ok()?);
    layout::fill(&[HANDLE, N(1, "Error")], details, out).then_some(())
}

fn information(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    layout::fill(&[N(1, "Format")], details, out).then_some(())?;
    let mut any = None;
    while let Some(handle) = details.find_ahead("Handle") {
        let from = out.len();
        little(body::number(first_word(handle.value()?))?, 2, out);
        if details.find_ahead("UUID").and_then(|uuid| body::uuid(uuid.value()?, out)).is_none() {
            out.truncate(from);
            return None;
        }
        any = Some(());
    }
    any
}

fn find_by_value(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let parts = [Range("Handle range"), N(2, "Attribute type")];
    layout::fill(&parts, details, out).then_some(())?;
    match details.find_ahead("UUID|Value") {
        Some(found) if found.label() == "UUID" => body::uuid(found.value()?, out),
        Some(found) => {
            details.hex(found, out);
            Some(())
        }
        None => {
            let rows = details.rows();
            out.extend(&rows);
            (!rows.is_empty()).then_some(())
        }
    }
}

fn by_type(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let length = body::number(details.find("Attribute data length")?.value()?)?;
    little(length, 1, out);
    entries(details, "Handle", usize::try_from(length).ok()?, out, |entry, out| {
        let handle = entry.find_ahead("Handle")?.value()?;
        little(body::number(first_word(handle))?, 2, out);
        let value = entry.find_ahead("Value")?;
        entry.hex(value, out);
        Some(())
    })
}

fn by_group(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    let length = body::number(details.find("Attribute data length")?.value()?)?;
    little(length, 1, out);
    entries(details, "Handle range", usize::try_from(length).ok()?, out, |entry, out| {
        layout::fill(&[Range("Handle range")], entry, out).then_some(())?;
        let value = entry.find_ahead("UUID|Value")?;
        if value.label() == "UUID" {
            return body::uuid(value.value()?, out);
        }
        entry.hex(value, out);
        Some(())
    })
}

/// Entries of one size; the first that is not all there ends the list.
fn entries(
    details: &mut Details<'_>,
    label: &str,
    size: usize,
    out: &mut Vec<u8>,
    one: impl Fn(&mut Details<'_>, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    while let Some(mut entry) = details.entry(label) {
        let from = out.len();
        if one(&mut entry, out).is_none() || out.len() - from != size {
            out.truncate(from);
            return None;
        }
    }
    Some(())
}

fn values(details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<()> {
    while let Some(mut entry) = details.entry("Handle") {
        let mut value = Vec::new();
        layout::fill(&[HANDLE], &mut entry, out).then_some(())?;
        let found = entry.find("Data|Value")?;
        entry.hex(found, &mut value);
        little(i64::try_from(value.len()).ok()?, 2, out);
        out.extend(value);
    }
    Some(())
}

/// The data of a signalling command.
pub(super) fn signal(code: u8, details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    let Some(parts) = layout::of(SIGNALS, code) else { return false };
    if !layout::fill(parts, details, out) {
        return false;
    }
    if matches!(code, 0x04 | 0x05) {
        return options(details, out);
    }
    if code == 0x0b {
        let mut known = |part| layout::fill(&[part], details, out);
        return known(N(4, "Features")) || known(N(8, "Channels")) || known(N(2, "MTU"));
    }
    true
}

/// Configuration options: those that channels are configured with, as far as they are printed.
fn options(details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    const FLOW_CONTROL: &[Part] = &[
        N(1, "Mode"),
        N(1, "TX window size"),
        N(1, "Max transmit"),
        N(2, "Retransmission timeout"),
        N(2, "Monitor timeout"),
        N(2, "Maximum PDU size"),
    ];
    while let Some(mut option) = details.entry("Option") {
        let Some(line) = option.next() else { return false };
        let (parts, size): (&[Part], u8) = match line.code() {
            Some(0x01) => (&[N(2, "MTU")], 2),
            Some(0x02) => (&[N(2, "Flush timeout")], 2),
            Some(0x04) => (FLOW_CONTROL, 9),
            Some(0x05) => (&[N(1, "FCS")], 1),
            _ => return false,
        };
        let kind = u8::try_from(line.code().unwrap_or_default()).unwrap_or_default();
        out.extend([kind | u8::from(line.text.ends_with("[hint]")) << 7, size]);
        if !layout::fill(parts, &mut option, out) {
            return false;
        }
    }
    true
}
