//! One line of a text capture: the words of the tool stay, bytes are looked up, everything else is masked.
use super::words::{Words, spell};
use crate::redact;
use crate::report::aliases::spelling;
use crate::share::table::Table;
use std::collections::HashSet;
use std::sync::OnceLock;

/// Words that btmon, hcidump and their like print.
const TOOLS: &str = include_str!("tools.txt");
/// Shorter rows of digits are numbers and codes.
const SHORTEST_RUN: usize = 4;
/// Pairs of digits in a row from here on are a dump.
const SHORTEST_DUMP: usize = 4;
/// The end of a UUID that is a short one (Core, Vol 3, Part B, 2.5.1).
const BASE: &str = "-0000-1000-8000-00805f9b34fb";

/// A record's parameters, and what stands for them.
#[derive(Debug, Default)]
pub struct Printed {
    pub original: Vec<u8>,
    pub replaced: Vec<u8>,
}

impl Printed {
    /// Whether the line is one of the packet's fields, and all bytes in it are parameters.
    fn explains(&self, line: &str) -> bool {
        if let Some((_, bytes)) = dump(line) {
            return self.find(&bytes).is_some();
        }
        let mut rest = line;
        while let Some((at, length)) = run(rest) {
            if self.find(&bytes_of(&rest[at..at + length])).is_none() {
                return false;
            }
            rest = &rest[at + length..];
        }
        !self.original.is_empty() && line[quote(line)..].starts_with([' ', '\t'])
    }

    /// What stands for bytes that the parameters hold, in either order; else a row of `x`.
    fn stands_for(&self, bytes: &[u8]) -> Vec<u8> {
        self.find(bytes).unwrap_or_else(|| vec![b'x'; bytes.len()])
    }

    fn find(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        for (bytes, turned) in [(bytes, false), (&reversed[..], true)] {
            let place = self.original.windows(bytes.len().max(1)).position(|it| it == bytes);
            let found = place.and_then(|at| self.replaced.get(at..at + bytes.len()));
            if let Some(found) = found {
                let mut found = found.to_vec();
                if turned {
                    found.reverse();
                }
                return Some(found);
            }
        }
        None
    }
}

/// Cleans lines.
pub struct Lines<'t> {
    words: &'t Words,
    table: &'t Table,
}

impl<'t> Lines<'t> {
    pub fn of(words: &'t Words, table: &'t Table) -> Self {
        Self { words, table }
    }

    /// A line without its end.
    pub fn clean(&self, line: &str, printed: &Printed) -> String {
        // What may be a key stays only where the packet says what it is: then something stands for it.
        let hidden = redact::text(line);
        let stays = hidden == line || is_range(line) || is_named(line) || printed.explains(line);
        let line = if stays { line } else { &hidden };
        let (line, dump) = dump(line).map_or((line, None), |at| (&line[..at.0], Some(at)));
        let mut cleaned = String::with_capacity(line.len());
        let mut rest = line;
        let known = |bytes| self.table.known_address(bytes).is_some();
        while let Some(found) = spelling::next(rest, known) {
            let (before, from) = rest.split_at(found.at);
            self.runs(before, printed, &mut cleaned);
            let (address, after) = from.split_at(found.length);
            let alias = self.table.known_address(found.bytes);
            spell(address, alias.unwrap_or_else(|| self.table.address(found.bytes)), &mut cleaned);
            rest = after;
        }
        self.runs(rest, printed, &mut cleaned);
        if let Some((_, bytes)) = dump {
            let bytes = printed.stands_for(&bytes);
            let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            cleaned.push_str(&pairs.join(" "));
            // The same bytes as characters stand behind a dump: they go.
        }
        cleaned
    }

    /// Rows of digits that are bytes, and what stands between them.
    fn runs(&self, text: &str, printed: &Printed, cleaned: &mut String) {
        let mut rest = text;
        while let Some((at, length)) = run(rest) {
            let (before, from) = rest.split_at(at);
            self.words.words_of(before, cleaned, tools());
            let (digits, after) = from.split_at(length);
            if after.to_ascii_lowercase().starts_with(BASE) && digits.starts_with("0000") {
                let (base, behind) = after.split_at(BASE.len());
                cleaned.push_str(digits);
                cleaned.push_str(base);
                rest = behind;
                continue;
            }
            let bytes = bytes_of(digits);
            let large = digits.bytes().any(|byte| byte.is_ascii_uppercase());
            let new: String = printed
                .stands_for(&bytes)
                .iter()
                .map(|byte| if large { format!("{byte:02X}") } else { format!("{byte:02x}") })
                .collect();
            let mut new = new.chars();
            // The dashes of a UUID stay where they are.
            cleaned.extend(
                digits.chars().map(|c| if c == '-' { c } else { new.next().unwrap_or('0') }),
            );
            rest = after;
        }
        self.words.words_of(rest, cleaned, tools());
    }
}

/// Whether only a range of handles (`0x0003-0x0005`) looks like a key.
fn is_range(line: &str) -> bool {
    let parted = line.replace("-0x", " to handle 0x");
    parted != line && redact::text(&parted) == parted
}

/// Whether only a packet's name looks like a key: `Read Stored Link Key (0x03|0x000d) plen 7`. Behind the name stands
/// its number, in place of a key, and what follows is a count.
fn is_named(line: &str) -> bool {
    let Some((_, code)) = line.split_once(" (0x") else { return false };
    let Some((code, rest)) = code.split_once(')') else { return false };
    let code = code.split("|0x").all(|digits| {
        (1..=SHORTEST_RUN).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    });
    let counts = ["plen ", "ncmd ", "dlen ", "flags "];
    let rest = rest.trim_start();
    let nothing = rest.is_empty() || counts.iter().any(|count| rest.starts_with(count));
    code && nothing && run(line).is_none()
}

/// The bytes that digits stand for.
fn bytes_of(digits: &str) -> Vec<u8> {
    let plain: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    (0..plain.len() / 2)
        .filter_map(|at| u8::from_str_radix(plain.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// The next row of at least eight digits, or a UUID: where it begins, and its length.
fn run(text: &str) -> Option<(usize, usize)> {
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
        // `Value[2]: 64ab` says itself that these are bytes.
        let counted = text.get(..at).is_some_and(|before| before.ends_with("]: "));
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

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// The marks of a mail before a quoted line of details. One mark and one space begin a packet.
fn quote(line: &str) -> usize {
    let bare = line.trim_start_matches('>');
    if bare.starts_with("  ") { line.len() - bare.len() } else { 0 }
}

/// Where a dump begins that ends the line, and its bytes.
fn dump(line: &str) -> Option<(usize, Vec<u8>)> {
    let bytes = line.as_bytes();
    let quoted = quote(line);
    let start = quoted + bytes.get(quoted..)?.iter().position(|byte| *byte != b' ')?;
    let mut at = start;
    let mut found = Vec::new();
    while let Some(pair) = line.get(at..at + 2)
        && let Ok(byte) = u8::from_str_radix(pair, 16)
        && bytes.get(at + 2).is_none_or(|next| *next == b' ')
    {
        found.push(byte);
        at += 3;
    }
    (found.len() >= SHORTEST_DUMP).then_some((start, found))
}

fn tools() -> &'static HashSet<&'static str> {
    static WORDS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| TOOLS.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::aliases::Aliases;
    use crate::share::originals::Originals;

    fn cleaned(line: &str) -> String {
        let mut found = Originals::default();
        found.address([1, 0x53, 0, 0x5e, 0, 0xc0]);
        found.name(b"LabSensor");
        let table = Table::of(&found, &Aliases::default(), Default::default());
        let words = Words::of(&table);
        let printed =
            Printed { original: vec![1, 2, 3, 4, 0xaa, 0xbb], replaced: vec![1, 2, 9, 9, 8, 8] };
        Lines::of(&words, &table).clean(line, &printed)
    }

    #[test]
    fn the_tools_words_stay() {
        for line in [
            "> HCI Event: Command Complete (0x0e) plen 4       #2 2026-09-21 14:13:20.001789",
            "        Handle: 0x0003-0x0005 attribute count 2",
            "< HCI Command: Read Stored Link Key (0x03|0x000d) plen 7        #54 [hci0] 0.986259",
            "> HCI Event: Link Key Request (0x17) plen 6",
            "      LE Long Term Key Request (0x05)",
            "        UUID: Battery Service (0000180f-0000-1000-8000-00805f9b34fb)",
        ] {
            assert_eq!(cleaned(line), line);
        }
    }

    #[test]
    fn bytes_become_what_stands_for_them_and_strange_ones_go() {
        assert_eq!(cleaned("  Value[3]: 020304"), "  Value[3]: 020909");
        assert_eq!(cleaned("  Value[2]: 64ab"), "  Value[2]: 7878");
        assert_eq!(cleaned("  Value[4]: 01020304"), "  Value[4]: 01020909");
        assert_eq!(cleaned("  Key: 0xbbaa0403"), "  Key: 0x08080909");
        assert_eq!(cleaned(">>   Value: 01020304"), ">>   Value: 01020909");
        assert_eq!(cleaned(">>        03 04 aa bb"), ">>        09 09 08 08");
        assert_eq!(cleaned(">>   Key: 0x05060708"), ">>   Key: (not shown)");
        assert_eq!(cleaned("  Value[4]: 05060708"), "  Value[4]: (not shown)");
        let key = "  Link Key (0x0b): 0102030405060708";
        assert!(!cleaned(key).contains("0304"), "{}", cleaned(key));
        assert_eq!(cleaned("        03 04 aa bb              ...."), "        09 09 08 08");
    }

    #[test]
    fn addresses_and_names_have_aliases() {
        assert_eq!(
            cleaned("  Address: C0:00:5E:00:53:01 (Static)"),
            "  Address: C2:53:48:00:00:01 (Static)"
        );
        assert_eq!(cleaned("  Name (complete): LabSensor"), "  Name (complete): name-1___");
        assert_eq!(cleaned("  Name (complete): Zoltan"), "  Name (complete): xxxxxx");
    }
}
