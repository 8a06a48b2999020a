//! Names of assigned numbers: services, characteristics, companies, appearances.
//!
//! The tables are written by `scripts/numbers` and searched as they lie in the
//! binary: sorted lines of `number<TAB>name`, nothing is built at start.
use memchr::{memchr, memrchr};
use std::cmp::Ordering;

const SERVICES: &str = include_str!("services.tsv");
const CHARACTERISTICS: &str = include_str!("characteristics.tsv");
const DESCRIPTORS: &str = include_str!("descriptors.tsv");
const COMPANIES: &str = include_str!("companies.tsv");
const APPEARANCES: &str = include_str!("appearances.tsv");

/// The name of a 16-bit UUID, whatever it stands for.
pub fn uuid16(uuid: u16) -> Option<&'static str> {
    uuid_name(&hex16(uuid))
}

/// The name of a vendor's 128-bit UUID, where one is widely known.
pub fn uuid128(uuid: u128) -> Option<&'static str> {
    uuid_name(&format!("{uuid:032x}"))
}

/// The company behind a company identifier.
pub fn company(identifier: u16) -> Option<&'static str> {
    find(COMPANIES, &hex16(identifier))
}

/// What a device says that it looks like.
pub fn appearance(value: u16) -> Option<&'static str> {
    find(APPEARANCES, &hex16(value)).or_else(|| find(APPEARANCES, &hex16(value & !0x3f)))
}

/// All tables, for who wants their words.
pub(crate) fn tables() -> [&'static str; 5] {
    [SERVICES, CHARACTERISTICS, DESCRIPTORS, COMPANIES, APPEARANCES]
}

fn uuid_name(key: &str) -> Option<&'static str> {
    [SERVICES, CHARACTERISTICS, DESCRIPTORS].into_iter().find_map(|table| find(table, key))
}

fn hex16(number: u16) -> String {
    format!("{number:04x}")
}

/// Binary search over lines. The heading begins with `#`, which sorts before every digit.
fn find(table: &'static str, key: &str) -> Option<&'static str> {
    let bytes = table.as_bytes();
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // A line is longer than its number: jumping over it is what a search costs.
        let start = memrchr(b'\n', &bytes[..middle]).map_or(0, |at| at + 1).max(low);
        let end = memchr(b'\n', &bytes[start..]).map_or(table.len(), |at| start + at);
        let (number, name) = table[start..end].split_once('\t').unwrap_or(("", ""));
        match number.cmp(key) {
            Ordering::Equal => return Some(name),
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [&str; 5] = [SERVICES, CHARACTERISTICS, DESCRIPTORS, COMPANIES, APPEARANCES];

    #[test]
    fn well_known_numbers_have_their_names() {
        assert_eq!(uuid16(0x1800), Some("Generic Access"));
        assert_eq!(uuid16(0x2a00), Some("Device Name"));
        assert_eq!(uuid16(0x2902), Some("Client Characteristic Configuration"));
        assert_eq!(uuid16(0x2803), Some("Characteristic"));
        assert_eq!(uuid16(0x0000), None);
        assert_eq!(uuid128(0x00001530_1212_efde_1523_785feabcd123), Some("Legacy DFU Service"));
        assert_eq!(uuid128(1), None);
        assert_eq!(company(0x004c), Some("Apple, Inc."));
        assert_eq!(company(0x0000), Some("Ericsson AB"));
        assert_eq!(appearance(0x0040), Some("Phone"));
    }

    #[test]
    fn an_unknown_subcategory_has_its_categorys_name() {
        assert_eq!(appearance(0x0047), Some("Phone"));
    }

    #[test]
    fn every_row_is_found_and_the_tables_ascend() {
        for table in TABLES {
            let mut before = "";
            for line in table.lines().skip(1) {
                let (number, name) = line.split_once('\t').unwrap();
                assert!(before < number, "{before} before {number}");
                assert_eq!(find(table, number), Some(name), "{number}");
                before = number;
            }
        }
    }

    #[test]
    fn the_tables_name_their_date() {
        for table in TABLES {
            assert!(table.lines().next().unwrap().contains("list of 20"));
        }
    }
}
