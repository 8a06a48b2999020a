//! Digits in the lines of a text capture that are bytes: runs, rows and parts of addresses.

/// Shorter runs of digits are numbers and codes.
pub const SHORTEST_RUN: usize = 4;
/// Pairs of digits in a row from here on are a dump.
const SHORTEST_DUMP: usize = 4;
/// The end of a UUID that is a short one (Core, Vol 3, Part B, 2.5.1).
pub const BASE: &str = "-0000-1000-8000-00805f9b34fb";
/// What stands before bytes, whatever their number.
const BEFORE_BYTES: [&str; 3] = ["]: ", "Value: ", "Data: "];
/// Digits of a dump's offset: `00000010: 1b68 0003`.
const OFFSET: usize = 8;

/// Bytes with spaces between them.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, with the offset of a dump.
    pub start: usize,
    /// Where its bytes begin and end.
    pub at: usize,
    pub end: usize,
    pub bytes: Vec<u8>,
    /// Nothing stands behind it but the same bytes as characters.
    pub ends: bool,
}

/// The row of bytes of a line: a dump by itself, or what follows a dump's offset, `Value: ` or `[ `.
pub fn row(line: &str) -> Option<Row> {
    let quoted = quote(line);
    let start = quoted + line.as_bytes().get(quoted..)?.iter().position(|byte| *byte != b' ')?;
    if let Some(dump) = groups(line, start, true).filter(|row| row.bytes.len() >= SHORTEST_DUMP) {
        return Some(dump);
    }
    let offset = line.match_indices(": ").find(|(at, _)| {
        let digits = at.checked_sub(OFFSET).and_then(|from| line.get(from..*at));
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    if let Some((at, mark)) = offset
        && let Some(row) = groups(line, at + mark.len(), true)
    {
        return Some(Row { start: at - OFFSET, ..row });
    }
    let marked = ["Value: ", "Data: ", "[ "].into_iter();
    marked
        .filter_map(|mark| groups(line, line.rfind(mark)? + mark.len(), false))
        .find(|row| line[row.at..row.end].contains(' '))
}

/// Groups of one byte or several from here on, one space between two of them.
fn groups(line: &str, start: usize, ends: bool) -> Option<Row> {
    let mut row = Row { start, at: start, end: start, bytes: Vec::new(), ends };
    let mut at = start;
    loop {
        let group = line.get(at..)?.bytes().take_while(u8::is_ascii_hexdigit).count();
        let next = line.as_bytes().get(at + group);
        let whole =
            group > 0 && group.is_multiple_of(2) && next.is_none_or(|next| b" \t".contains(next));
        if !whole {
            break;
        }
        row.bytes.extend(bytes_of(&line[at..at + group]));
        row.end = at + group;
        if next != Some(&b' ') {
            break;
        }
        at += group + 1;
    }
    (!row.bytes.is_empty()).then_some(row)
}

/// The bytes that digits stand for.
pub fn bytes_of(digits: &str) -> Vec<u8> {
    let plain: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    (0..plain.len() / 2)
        .filter_map(|at| u8::from_str_radix(plain.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// Writes bytes as others were written: the same signs between the digits, the same letters large or small.
pub fn spell(digits: &str, bytes: &[u8], out: &mut String) {
    let large = digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let new: String = bytes
        .iter()
        .map(|byte| if large { format!("{byte:02X}") } else { format!("{byte:02x}") })
        .collect();
    let mut new = new.chars();
    out.extend(
        digits.chars().map(|c| if c.is_ascii_hexdigit() { new.next().unwrap_or('0') } else { c }),
    );
}

/// The next row of at least eight digits, or a UUID: where it begins, and its length.
pub fn run(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_hexdigit()
            || at > 0 && bytes[at - 1].is_ascii_alphanumeric() && bytes[at - 1] != b'x'
        {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        // `Value[2]: 64ab` and `Value: 64ab` say themselves that these are bytes.
        let before = text.get(..at).unwrap_or_default();
        let counted = BEFORE_BYTES.iter().any(|mark| before.ends_with(mark));
        let least = if counted { 2 } else { 2 * SHORTEST_RUN };
        if length >= least && length.is_multiple_of(2) {
            let uuid = bytes.get(at..at + 36).filter(|it| length == 8 && is_uuid(it));
            let base = text.get(at + 8..at + 36).is_some_and(|it| it.eq_ignore_ascii_case(BASE));
            return Some((at, if uuid.is_some() && !base { 36 } else { length }));
        }
        at += length.max(1);
    }
    None
}

/// The next part of an address: `OUI B8-8B-15`, or an address that was cut, `00:16:A4:5..`. Where its digits begin,
/// and its length.
pub fn part(text: &str) -> Option<(usize, usize)> {
    let pairs = |from: usize, sign: u8| {
        let bytes = text.as_bytes().get(from..)?;
        let length =
            bytes.iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == sign).count();
        let signed =
            bytes.get(..length)?.chunks(3).all(|it| it.get(2).is_none_or(|byte| *byte == sign));
        (signed && length >= 5).then_some(length)
    };
    let maker = text
        .match_indices("OUI ")
        .find_map(|(at, mark)| Some((at + mark.len(), pairs(at + mark.len(), b'-')?)));
    let cut = text.match_indices("..").find_map(|(end, _)| {
        let before = text.as_bytes().get(..end)?;
        let length = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':')
            .count();
        (pairs(end - length, b':') == Some(length)).then_some((end - length, length))
    });
    maker.into_iter().chain(cut).min()
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// The marks of a mail before a quoted line of details. One mark and one space begin a packet.
pub fn quote(line: &str) -> usize {
    let bare = line.trim_start_matches('>');
    if bare.starts_with("  ") { line.len() - bare.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_where_tools_print_bytes() {
        let found = |line: &str| row(line).map(|row| (line[row.at..row.end].to_owned(), row.ends));
        for (line, bytes, ends) in [
            ("        03 04 aa bb              ....", "03 04 aa bb", true),
            ("\t00000000: 1268 0003 1100                           .h....", "1268 0003 1100", true),
            ("\tValue: 0311 00", "0311 00", false),
            (
                "Channel ID: 0x0004  Length: 0x0006 (06) [ 12 68 00 03 11 00 ]  ",
                "12 68 00 03 11 00",
                false,
            ),
        ] {
            assert_eq!(found(line), Some((bytes.to_owned(), ends)), "{line}");
        }
        for line in [
            "        Handle: 64",
            "        ab cd",
            "  Value[2]: 64ab",
            "  Value: 10 ms",
            "Count: 10 20",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn parts_of_addresses_are_found() {
        let found = |line: &str| part(line).map(|(at, length)| line[at..at + length].to_owned());
        assert_eq!(found("(OUI B8-8B-15)").as_deref(), Some("B8-8B-15"));
        assert_eq!(found("= Index Info: 00:16:A4:5.. (Cypress)").as_deref(), Some("00:16:A4:5"));
        for line in ["at 12:30 ..", "Range: 0..5", "OUI xx-yy"] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn bytes_are_spelled_as_others_were() {
        let mut out = String::new();
        spell("0311 0A", &[0x78, 0x7b, 9], &mut out);
        assert_eq!(out, "787B 09");
    }
}
