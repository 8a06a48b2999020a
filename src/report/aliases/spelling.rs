//! Finding addresses in text, however they are spelled.

/// An address in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelled {
    pub at: usize,
    pub length: usize,
    /// As printed, from right to left: the order of [`crate::packet::Address`].
    pub bytes: [u8; 6],
}

/// Digits of an address.
const SHORTEST: usize = 12;
/// Characters between the pairs of digits: `AA:BB…`, `AA-BB…`, `AA_BB…` (D-Bus), a hex dump's space.
const SEPARATORS: &[u8] = b":-_. ";

/// Which characters are hexadecimal digits.
static HEX: [bool; 256] = {
    let mut digits = [false; 256];
    let mut at = 0;
    while at < 256 {
        digits[at] = (at as u8).is_ascii_hexdigit();
        at += 1;
    }
    digits
};

/// The next thing that must not be shown: an address that is `known`, wherever it stands and
/// with whatever or nothing between its pairs; or six pairs of digits that stand alone and can
/// only be an address.
pub fn next(text: &str, known: impl Fn([u8; 6]) -> bool) -> Option<Spelled> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<SHORTEST>) {
        let digit = |place: usize| HEX[usize::from(window[place])];
        if !digit(1) {
            // No pair begins here, and none with the second sign.
            at += 2;
            continue;
        }
        // With a sign between the pairs or without, these are digits.
        if !(digit(0) && digit(4) && digit(7) && digit(10)) {
            at += 1;
            continue;
        }
        let third = window[2];
        let found = match third.is_ascii_hexdigit() {
            true => here(bytes, at, None).filter(|found| known(found.bytes)),
            false if SEPARATORS.contains(&third) => {
                let stranger = |found| third != b' ' && alone(bytes, found, third);
                here(bytes, at, Some(third)).filter(|found| known(found.bytes) || stranger(*found))
            }
            false => None,
        };
        if found.is_some() {
            return found;
        }
        at += 1;
    }
    None
}

/// Six pairs of digits from `at` on, with `separator` between them.
fn here(bytes: &[u8], at: usize, separator: Option<u8>) -> Option<Spelled> {
    let step = if separator.is_some() { 3 } else { 2 };
    let length = 5 * step + 2;
    let text = bytes.get(at..at + length)?;
    let mut address = [0; 6];
    for (place, pair) in text.chunks(step).enumerate() {
        let (high, low) = (digit(pair[0])?, digit(pair[1])?);
        if pair.len() == 3 && Some(pair[2]) != separator {
            return None;
        }
        address[5 - place] = high << 4 | low;
    }
    Some(Spelled { at, length, bytes: address })
}

/// Whether the six pairs are not a part of something longer.
fn alone(bytes: &[u8], found: Spelled, separator: u8) -> bool {
    let end = found.at + found.length;
    let longer_before = match found.at.checked_sub(1).map(|before| bytes[before]) {
        // In `dev_AA_BB…` the separator stands before the first pair as well.
        Some(b'_') => found.at >= 2 && separator == b'_' && pair_before(bytes, found.at),
        Some(c) if c == separator => pair_before(bytes, found.at),
        Some(c) => c.is_ascii_alphanumeric(),
        None => false,
    };
    let longer_after = match bytes.get(end) {
        Some(c) if *c == separator => {
            bytes.get(end + 1).is_some_and(u8::is_ascii_hexdigit)
                && bytes.get(end + 2).is_some_and(u8::is_ascii_hexdigit)
                && !bytes.get(end + 3).is_some_and(u8::is_ascii_alphanumeric)
        }
        Some(c) => c.is_ascii_alphanumeric(),
        None => false,
    };
    !longer_before && !longer_after
}

/// Whether a pair of digits and a separator stand before `at`.
fn pair_before(bytes: &[u8], at: usize) -> bool {
    at >= 3
        && bytes[at - 2].is_ascii_hexdigit()
        && bytes[at - 3].is_ascii_hexdigit()
        && !at.checked_sub(4).is_some_and(|more| bytes[more].is_ascii_alphanumeric())
}

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_pairs_that_stand_alone_are_an_address() {
        let stranger =
            |text| next(text, |_| false).map(|found| &text[found.at..found.at + found.length]);
        assert_eq!(stranger("to C0:00:00:00:00:09 (random)"), Some("C0:00:00:00:00:09"));
        assert_eq!(stranger("/org/bluez/hci0/dev_C0_00_00_00_00_09/x"), Some("C0_00_00_00_00_09"));
        assert_eq!(stranger("c0-00-00-00-00-09.btsnoop"), Some("c0-00-00-00-00-09"));
        assert_eq!(stranger("0000180f-0000-1000-8000-00805f9b34fb"), None);
        assert_eq!(stranger("00:11:22:33:44:55:66"), None);
        assert_eq!(stranger("2026-11-21 07:50:07"), None);
        assert_eq!(stranger("é"), None);
    }

    #[test]
    fn a_known_address_is_found_inside_anything() {
        let known = |bytes| bytes == [1, 2, 3, 4, 5, 6];
        for text in ["aa0605040302 01060504030201bb", "06 05 04 03 02 01 07", "x06.05.04.03.02.01x"]
        {
            assert!(next(text, known).is_some(), "{text}");
        }
        assert_eq!(next("060504030202", known), None);
    }
}
