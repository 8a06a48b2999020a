//! One line of a text capture: the words of the tool stay, bytes are looked up, everything else is masked.
use super::rows::{self, BASE, Row, SHORTEST_RUN, bytes_of, quote, run};
use super::words::{Words, spell};
use crate::capture;
use crate::redact;
use crate::report::aliases::spelling;
use crate::share::table::Table;
use crate::witness;
use foldhash::HashSet;
use std::sync::OnceLock;

/// Words that btmon, hcidump and their like print.
const TOOLS: &str = include_str!("tools.txt");

/// The kernel counts processes to 2^22, and keeps 15 characters of their names.
const LONGEST_PROCESS: usize = 7;
const LONGEST_PROCESS_NAME: usize = 15;
/// Characters of `2021-11-19`.
const DATE: usize = 10;

/// A record's parameters, and what stands for them.
#[derive(Debug, Default)]
pub struct Printed {
    pub original: Vec<u8>,
    pub replaced: Vec<u8>,
}

impl Printed {
    /// Whether the line is one of the packet's fields, and all bytes in it are parameters.
    ///
    /// Fields are indented. Mail and web pages may have lost that: then bytes that are found say it.
    fn explains(&self, line: &str, row: Option<&Row>) -> bool {
        let (line, behind, mut found) = match row {
            Some(row) if self.find(&row.bytes).is_none() => return false,
            Some(row) => (&line[..row.start], if row.ends { "" } else { &line[row.end..] }, true),
            None => (line, "", false),
        };
        for mut rest in [line, behind] {
            while let Some((at, length)) = run(rest) {
                if self.find(&bytes_of(&rest[at..at + length])).is_none() {
                    return false;
                }
                found = true;
                rest = &rest[at + length..];
            }
        }
        !self.original.is_empty() && (found || line[quote(line)..].starts_with([' ', '\t']))
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
        // A time at the right end is none of it: without it the line would be no packet any more.
        let (text, end) = line.split_at(capture::right_end(line).unwrap_or(line.len()));
        let hidden = redact::log(text) + end;
        let row = rows::row(line);
        let stays = hidden == line
            || is_range_or_date(line)
            || is_named(line)
            || printed.explains(line, row.as_ref());
        let mut cleaned = String::with_capacity(line.len());
        let (line, row) = if stays { (line, row) } else { (&*hidden, rows::row(&hidden)) };
        let date = date(line);
        cleaned.push_str(&line[..date]);
        let mut from = date;
        if let Some(process) = process(line) {
            self.words.words_of(&line[..process.start], &mut cleaned, tools());
            cleaned.push_str(&line[process.clone()]);
            from = process.end;
        }
        let Some(row) = row else {
            self.addresses(&line[from..], printed, &mut cleaned);
            return cleaned;
        };
        self.addresses(line.get(from..row.start).unwrap_or_default(), printed, &mut cleaned);
        cleaned.push_str(&line[row.start..row.at]);
        let bytes = printed.stands_for(&row.bytes);
        rows::spell(&line[row.at..row.end], &bytes, &mut cleaned);
        // The same bytes as characters stand behind a dump: they go.
        if !row.ends {
            self.addresses(&line[row.end..], printed, &mut cleaned);
        }
        cleaned
    }

    /// Addresses, whole or in part, and what stands between them.
    fn addresses(&self, line: &str, printed: &Printed, cleaned: &mut String) {
        let mut rest = line;
        let known = |bytes| self.table.known_address(bytes).is_some();
        while let Some(found) = spelling::next(rest, known) {
            let (before, from) = rest.split_at(found.at);
            self.parts(before, printed, cleaned);
            let (address, after) = from.split_at(found.length);
            let alias = self.table.known_address(found.bytes);
            spell(address, alias.unwrap_or_else(|| self.table.address(found.bytes)), cleaned);
            rest = after;
        }
        self.parts(rest, printed, cleaned);
    }

    /// Parts of addresses: the maker's (`OUI B8-8B-15`), and what a narrow screen left of one (`00:16:A4:5..`).
    fn parts(&self, text: &str, printed: &Printed, cleaned: &mut String) {
        let mut rest = text;
        while let Some((at, length)) = rows::part(rest) {
            let (before, from) = rest.split_at(at);
            self.runs(before, printed, cleaned);
            let (part, after) = from.split_at(length);
            cleaned.extend(part.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }));
            rest = after;
        }
        self.runs(rest, printed, cleaned);
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
            // The dashes of a UUID stay where they are.
            rows::spell(digits, &printed.stands_for(&bytes), cleaned);
            rest = after;
        }
        self.words.words_of(rest, cleaned, tools());
    }
}

/// Whether only a range of handles (`0x0003-0x0005`) or a date beside a number (`#1241 2021-11-19`) looks like a key.
fn is_range_or_date(line: &str) -> bool {
    let mut parted = line.replace("-0x", " to handle 0x");
    let is_date = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    let date = (0..parted.len()).find(|at| parted.get(*at..at + DATE).is_some_and(is_date));
    if let Some(at) = date {
        parted.replace_range(at..at + DATE, "day");
    }
    parted != line && redact::log(&parted) == parted
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

/// How long the date is that PacketLogger's rows begin with: `Feb 12 12:10:23.743`. Elsewhere the name of a month may
/// be somebody's.
fn date(line: &str) -> usize {
    let mut words = line.split_ascii_whitespace();
    let (Some(month), Some(day), Some(time)) = (words.next(), words.next(), words.next()) else {
        return 0;
    };
    let is_day = (1..=2).contains(&day.len()) && day.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = time.contains(':')
        && time.bytes().all(|byte| byte.is_ascii_digit() || b":.,".contains(&byte));
    if is_day && is_time && line.starts_with(month) && witness::is_month(month) {
        month.len()
    } else {
        0
    }
}

/// The number of the process that a line of btmon begins with: `bluetoothd[1755534]: `. It may be as long as a serial
/// number, and is nobody's.
fn process(line: &str) -> Option<std::ops::Range<usize>> {
    let open = line.find('[')?;
    let digits = line[open + 1..].bytes().take_while(u8::is_ascii_digit).count();
    let end = open + 1 + digits;
    let named = (1..=LONGEST_PROCESS_NAME).contains(&open)
        && line[..open].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (named && (1..=LONGEST_PROCESS).contains(&digits) && line[end..].starts_with("]: "))
        .then_some(open..end)
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
            "> #1241 2021-11-19 17:24:36.276592",
            "bluetoothd[1755534]: @ MGMT Open: bluetoothd (privileged) version 1.22  {0x0001} 0.884334",
            "Feb 12 12:10:23.789  ATT Receive      0x005A  Write Response  ",
        ] {
            assert_eq!(cleaned(line), line);
        }
    }

    #[test]
    fn bytes_become_what_stands_for_them_and_strange_ones_go() {
        assert_eq!(cleaned("  Value[3]: 020304"), "  Value[3]: 020909");
        assert_eq!(cleaned("  Value[2]: 64ab"), "  Value[2]: 7878");
        assert_eq!(cleaned("\tValue: 0304 AA"), "\tValue: 0909 08");
        assert_eq!(cleaned("  Value: 0304aa"), "  Value: 090908");
        assert_eq!(cleaned("Value: 01020304"), "Value: 01020909");
        assert_eq!(cleaned("\t00000000: 0203 04AA BB      ....."), "\t00000000: 0209 0908 08");
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
        assert_eq!(cleaned("  Name (complete): Okt"), "  Name (complete): xxx");
        assert_eq!(cleaned("zoltan[17]: @ RAW Open: zoltan"), "xxxxxx[17]: @ RAW Open: xxxxxx");
        assert_eq!(cleaned("serial[12345678]: 1"), "serial[(not shown)");
        assert_eq!(cleaned("  (OUI B8-8B-15)"), "  (OUI xx-xx-xx)");
        assert_eq!(
            cleaned("= bluetoothd: src/main.c:parse() Key file does n..   3.381436"),
            "= bluetoothd: src/main.c:parse() Key file does (not shown)..   3.381436"
        );
        assert_eq!(
            cleaned("= bluetoothd: PIN #1234 [hci0] 2026-09-21 14:13:20.001789"),
            "= bluetoothd: PIN (not shown) [hci0] 2026-09-21 14:13:20.001789"
        );
        assert_eq!(cleaned("Key: 0.381436"), "Key: (not shown)", "no line of btmon");
        assert_eq!(
            cleaned("= Index Info: 00:16:A4:5.. (Intel)  [hci0] 0.06"),
            "= Index Info: xx:xx:xx:x.. (Intel)  [hci0] 0.06"
        );
    }
}
