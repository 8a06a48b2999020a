//! Printed fields become the parameters that they were printed from.
//!
//! A layout names the fields of a packet in wire order, each with the labels that versions of
//! btmon give it. What a text does not show ends the parameters there: nothing is made up.
use super::super::marks::first_word;
use super::body::{self, Details};

/// One field: how many bytes, and where it is printed (`new label|old label`).
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A number of so many bytes.
    N(u8, &'static str),
    /// A number that may stay unknown: it is then zero, and the packet is marked as cut.
    Soft(u8, &'static str),
    /// The first of two numbers on a line.
    First(u8, &'static str),
    /// A number behind a second label on the line of the first.
    Within(u8, &'static str, &'static str),
    /// A device address; one that somebody hid is zero.
    Address(&'static str),
    /// The type of an address, as what is printed behind the address tells it.
    Kind(&'static str),
    /// Address and type as the management interface has them.
    Device,
    /// So many bytes in hexadecimal.
    Bytes(u8, &'static str),
    /// `0xff 0x59 …`: so many bytes.
    Flags(u8, &'static str),
    /// Bytes up to the packet's end.
    Rest(&'static str),
    /// A range of handles: two numbers.
    Range(&'static str),
    /// A UUID in the size in which it is printed.
    Uuid(&'static str),
    /// A string in a field of so many bytes.
    Text(u8, &'static str),
    /// The first number on a line that goes on: `0x0008 Type: Service Changed (0x2a05)`.
    Lead(u8, &'static str),
    /// A bit for each line that names its octet and bit.
    Bits(u8, &'static str),
    /// A number, and as many entries of these parts.
    Each(u8, &'static str, &'static [Part]),
    /// Entries of these parts as long as there are any.
    All(&'static [Part]),
    /// A number whose bits count entries of these parts.
    PerPhy(&'static str, &'static [Part]),
    /// Advertising data behind its length: of so many bytes, and filled up to so many.
    Data(u8, u8),
}

use Part::{
    Address, All, Bits, Bytes, Data, Device, Each, First, Flags, Kind, Lead, N, PerPhy, Range,
    Rest, Soft, Text, Uuid, Within,
};

/// Appends the fields of a layout. False where the text leaves something out.
pub(super) fn fill(parts: &[Part], details: &mut Details<'_>, out: &mut Vec<u8>) -> bool {
    let mut whole = true;
    for part in parts {
        match one(*part, details, out) {
            Some(said) => whole &= said,
            None => return false,
        }
    }
    whole
}

/// Appends one field: `None` where it is unknown, false where parts of it are.
fn one(part: Part, details: &mut Details<'_>, out: &mut Vec<u8>) -> Option<bool> {
    match part {
        N(size, label) => {
            let value = body::number(details.find(label)?.value()?)?;
            little(value, size, out);
        }
        Soft(size, label) => {
            let value = details.find(label).and_then(|found| body::number(found.value()?));
            little(value.unwrap_or(0), size, out);
            return Some(value.is_some());
        }
        First(size, label) => {
            let value = details.find(label)?.value()?;
            let number = body::first_hex(value).map(u64::cast_signed);
            little(number.or_else(|| body::number(value))?, size, out);
        }
        Within(size, label, second) => {
            let value = details.find(label)?.value()?;
            let (_, value) = value.split_once(second)?;
            little(body::number(value.trim_start_matches([':', ' ']))?, size, out);
        }
        Address(label) => {
            let (octets, _) = body::address(details.find(label)?.value()?);
            out.extend(octets.unwrap_or_default());
            return Some(octets.is_some());
        }
        Kind(label) => {
            let (_, kind) = body::address(details.find(label)?.value()?);
            out.push(kind?);
        }
        Device => {
            let found = details.find("LE Address|BR/EDR Address|Address")?;
            let (octets, kind) = body::address(found.value()?);
            out.extend(octets.unwrap_or_default());
            out.push(match found.label().split(' ').next()? {
                "LE" => 1 + kind?,
                "BR/EDR" => 0,
                _ => return None,
            });
            return Some(octets.is_some());
        }
        Bytes(size, label) => {
            let found = details.find(label)?;
            let from = out.len();
            details.hex(found, out);
            let whole = out.len() - from == usize::from(size);
            return whole.then_some(true);
        }
        Flags(size, label) => {
            let value = details.find(label)?.value()?;
            let from = out.len();
            for word in value.split_ascii_whitespace() {
                out.push(u8::from_str_radix(word.strip_prefix("0x")?, 16).ok()?);
            }
            return (out.len() - from == usize::from(size)).then_some(true);
        }
        Rest(label) => {
            let found = details.find(label)?;
            details.hex(found, out);
        }
        Range(label) => {
            let (first, last) = details.find(label)?.value()?.split_once('-')?;
            little(body::number(first)?, 2, out);
            little(body::number(last)?, 2, out);
        }
        Uuid(label) => body::uuid(details.find(label)?.value()?, out)?,
        Lead(size, label) => {
            let value = details.find(label)?.value()?;
            little(body::number(first_word(value))?, size, out);
        }
        Text(size, label) => {
            let value = details.find(label)?.value()?;
            out.extend(value.bytes().chain(std::iter::repeat(0)).take(size.into()));
            return Some(value.len() < usize::from(size));
        }
        Bits(size, label) => {
            let count = body::number(details.find(label)?.value()?)?;
            let mut bytes = vec![0u8; size.into()];
            let mut found = 0;
            for (octet, bit) in details.clone().filter_map(place) {
                *bytes.get_mut(octet)? |= 1u8.checked_shl(bit)?;
                found += 1;
            }
            out.extend(bytes);
            return (found == count).then_some(true);
        }
        Each(size, label, parts) => {
            let count = body::number(details.find(label)?.value()?)?;
            little(count, size, out);
            return Some((0..count.min(255)).all(|_| fill(parts, details, out)));
        }
        All(parts) => loop {
            let (mut ahead, from) = (details.rest(), out.len());
            if !fill(parts, &mut ahead, out) {
                out.truncate(from);
                break;
            }
            *details = ahead;
        },
        PerPhy(label, parts) => {
            let mask = body::number(details.find(label)?.value()?)?;
            little(mask, 1, out);
            return Some((0..(mask & 0xff).count_ones()).all(|_| fill(parts, details, out)));
        }
        Data(size, filled) => {
            let length = body::number(details.find("Data length|Length|EIR length")?.value()?)?;
            let length = usize::try_from(length).ok()?;
            let mut data = Vec::new();
            super::advertising::data(&details.rest(), length, &mut data);
            let whole = data.len() == length;
            little(i64::try_from(data.len()).ok()?, size, out);
            data.resize(data.len().max(filled.into()), 0);
            out.extend(data);
            return Some(whole);
        }
    }
    Some(true)
}

/// `(Octet 26 - Bit 4)` at the end of a line.
fn place(line: body::Detail<'_>) -> Option<(usize, u32)> {
    let (_, place) = line.text.rsplit_once("Octet ")?;
    let (octet, bit) = place.split_once(" - Bit ")?;
    let bit = bit.trim_end_matches(')').parse().ok().filter(|bit| *bit < 8)?;
    Some((octet.parse().ok()?, bit))
}

pub(super) fn little(value: i64, size: u8, out: &mut Vec<u8>) {
    out.extend(value.to_le_bytes().iter().take(size.into()));
}

/// The layout of a number in a table that is sorted by it.
pub(super) fn of<C: Ord + Copy>(
    table: &'static [(C, &'static [Part])],
    code: C,
) -> Option<&'static [Part]> {
    let at = table.binary_search_by_key(&code, |(code, _)| *code).ok()?;
    table.get(at).map(|(_, parts)| *parts)
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::*;

    #[test]
    fn what_is_missing_ends_the_parameters() {
        let mut body = Body::default();
        for line in [
            "  Status: Success (0x00)",
            "  Handle: 64",
            "  Peer address: XX:XX:XX:XX:XX:XX (Static)",
        ] {
            body.push(line);
        }
        let mut out = Vec::new();
        assert!(!fill(
            &[N(1, "Status"), N(2, "Handle"), N(1, "Role"), Address("Peer address")],
            &mut body.details(),
            &mut out
        ));
        assert_eq!(out, [0, 64, 0]);
        out.clear();
        assert!(!fill(
            &[Address("Peer address"), Kind("Peer address"), Soft(2, "Interval")],
            &mut body.details(),
            &mut out
        ));
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    /// Bytes of a field; nothing where the text decides.
    fn size(part: Part) -> Option<usize> {
        Some(match part {
            N(size, _) | Soft(size, _) | First(size, _) | Within(size, ..) => size.into(),
            Bytes(size, _) | Flags(size, _) | Text(size, _) | Lead(size, _) => size.into(),
            Bits(size, _) => size.into(),
            Address(_) => 6,
            Kind(_) => 1,
            Device => 7,
            Range(_) => 4,
            Rest(_) | Uuid(_) | Each(..) | All(_) | PerPhy(..) | Data(..) => return None,
        })
    }

    /// The lines of a packet are put back into as many bytes as the codec wants.
    #[test]
    fn layouts_have_the_fields_of_the_codec() {
        use crate::packet::hci::{Command, Event, LeEvent, Return};
        use crate::packet::{att, mgmt, smp};
        let (mut compared, mut wrong) = (0, Vec::new());
        macro_rules! compare {
            ($table:expr, $pdu:ty) => {
                for (code, parts) in $table {
                    let length: Option<usize> = parts.iter().map(|part| size(*part)).sum();
                    let known = <$pdu>::name_of(*code).is_some();
                    let Some(length) = length.filter(|_| known) else { continue };
                    let bytes = vec![0; length];
                    let (pdu, problem) = <$pdu>::decode(*code, &bytes, false);
                    compared += 1;
                    if problem.is_some() {
                        wrong.push(format!("{code:#06x}: {length} bytes, {pdu:?}: {problem:?}"));
                    }
                }
            };
        }
        compare!(super::super::commands::COMMANDS, Command<'_>);
        compare!(super::super::commands::RETURNS, Return<'_>);
        compare!(super::super::events::EVENTS, Event<'_>);
        compare!(super::super::events::LE, LeEvent<'_>);
        compare!(super::super::upper::ATT, att::Pdu<'_>);
        compare!(super::super::upper::SMP, smp::Pdu<'_>);
        compare!(super::super::management::COMMANDS, mgmt::Command<'_>);
        compare!(super::super::management::EVENTS, mgmt::Event<'_>);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn tables_are_sorted() {
        fn sorted<C: Ord + Copy>(table: &[(C, &[Part])]) -> bool {
            table.windows(2).all(|pair| pair[0].0 < pair[1].0)
        }
        assert!(sorted(super::super::commands::COMMANDS));
        assert!(sorted(super::super::commands::RETURNS));
        assert!(sorted(super::super::events::EVENTS));
        assert!(sorted(super::super::events::LE));
        assert!(sorted(super::super::upper::ATT));
        assert!(sorted(super::super::upper::SMP));
        assert!(sorted(super::super::upper::SIGNALS));
        assert!(sorted(super::super::management::COMMANDS));
        assert!(sorted(super::super::management::EVENTS));
    }
}
