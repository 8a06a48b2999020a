//! Bytes written as digits, wherever they stand and however they are parted.
use super::words::Word;
use std::ops::Range;

/// So many digits may be a key, or a part of one.
pub const LONG: usize = 8;

/// So many short numbers in a row are bytes.
pub const LISTED: usize = 8;

/// Characters between two numbers of a row, at most.
pub const GAP: usize = 4;

/// Base64 of sixteen bytes, without its padding.
pub const BASE64: usize = 22;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Digits {
    pub hidden: Vec<Range<usize>>,
    /// Device addresses: six pairs, parted as addresses are.
    pub addresses: Vec<Range<usize>>,
}

/// All bytes written as digits.
pub fn find(text: &str, words: &[Word]) -> Digits {
    let mut found = Digits::default();
    let mut at = 0;
    while at < words.len() {
        at += row(text, &words[at..], &mut found);
    }
    base64(text, &mut found.hidden);
    found
}

/// How many hexadecimal digits a text has.
pub fn count(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_hexdigit).count()
}

/// Looks at the row of numbers that the first word begins; how many words are done with.
fn row(text: &str, words: &[Word], found: &mut Digits) -> usize {
    let Some(first) = number(text, &words[0]) else {
        inside(text, &words[0], &mut found.hidden);
        return 1;
    };
    // Most numbers stand alone, and have few digits.
    if first < LONG && words.get(1).is_none_or(|next| number(text, next).is_none()) {
        return 1;
    }
    if base_uuid(text, words) {
        return 5;
    }
    let numbers = || words.iter().map_while(|word| number(text, word).map(|digits| (word, digits)));
    let parted = words.get(1).and_then(|next| gap(text, &words[0], next));
    let together = 1 + words
        .windows(2)
        .take_while(|pair| parted.is_some() && gap(text, &pair[0], &pair[1]) == parted)
        .count();
    // Rows of equal pairs (or fours …), the last of which may be cut.
    let even = numbers().take(together).take_while(|(_, digits)| *digits == first).count();
    let even = if first.is_multiple_of(2) { even } else { 1 };
    let total = first * even;
    let short = numbers().take(together).take_while(|(_, digits)| *digits <= 3).count();
    let whole = |count: usize| words[0].range.start..words[count.max(1) - 1].range.end;
    if is_address(text, words, even, first, parted) {
        found.addresses.push(whole(even));
        return even;
    }
    let taken = if short >= LISTED {
        short.max(even)
    } else if total >= LONG {
        even
    } else {
        return 1;
    };
    // Half a pair at the end belongs to the row.
    let cut = words
        .get(taken)
        .filter(|word| taken < together && number(text, word).is_some_and(|digits| digits < first));
    let taken = taken + usize::from(cut.is_some());
    found.hidden.push(whole(taken));
    taken
}

/// How many digits the word is a number of, `0x` and `\x` aside.
fn number(text: &str, word: &Word) -> Option<usize> {
    let word = text.as_bytes().get(word.range.clone())?;
    let digits = match word {
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] if !digits.is_empty() => {
            digits
        }
        _ => word,
    };
    digits.iter().all(u8::is_ascii_hexdigit).then_some(digits.len())
}

/// What stands between two words: blanks count as one, and beside another mark as none.
fn gap<'a>(text: &'a str, one: &Word, other: &Word) -> Option<&'a str> {
    let between = &text[one.range.end..other.range.start];
    let marks = between.trim();
    (between.len() <= GAP).then_some(if marks.is_empty() { " " } else { marks })
}

/// Six pairs with a colon, a hyphen or (D-Bus) an underscore between them.
fn is_address(
    text: &str,
    words: &[Word],
    count: usize,
    digits: usize,
    parted: Option<&str>,
) -> bool {
    count == 6
        && digits == 2
        && matches!(parted, Some(":" | "-" | "_"))
        && words[..6].iter().all(|word| word.range.len() == 2)
        && words[..6].windows(2).all(|pair| text[pair[0].range.end..pair[1].range.start].len() == 1)
}

/// A UUID of the Bluetooth base says nothing but its assigned number.
fn base_uuid(text: &str, words: &[Word]) -> bool {
    let Some(parts) = words.get(..5) else { return false };
    let word = |at: usize| &text[parts[at].range.clone()];
    word(0).len() == 8
        && word(0).starts_with("0000")
        && (word(1), word(2), word(3)) == ("0000", "1000", "8000")
        && word(4).eq_ignore_ascii_case("00805f9b34fb")
        && parts.windows(2).all(|pair| &text[pair[0].range.end..pair[1].range.start] == "-")
}

/// Long runs of digits within a word that has other letters too.
fn inside(text: &str, word: &Word, hidden: &mut Vec<Range<usize>>) {
    if word.range.len() < LONG {
        return;
    }
    let bytes = text[word.range.clone()].as_bytes();
    let mut start = 0;
    for run in bytes.split(|byte| !byte.is_ascii_hexdigit()) {
        if run.len() >= LONG {
            let at = word.range.start + start;
            hidden.push(at..at + run.len());
        }
        start += run.len() + 1;
    }
}

/// Keys in base64: long, with capitals, small letters and digits in one word.
fn base64(text: &str, hidden: &mut Vec<Range<usize>>) {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let mut start = 0;
    for word in text.as_bytes().split(|byte| !part(byte)) {
        let range = start..start + word.len();
        start = range.end + 1;
        if word.len() >= BASE64 {
            hidden.extend(base64_in(&text[range.clone()]).map(|key| range.start + key..range.end));
        }
    }
}

/// Where a key in base64 begins, which ends with the word.
fn base64_in(word: &str) -> Option<usize> {
    // `name=` before the key belongs to it as little as a folder does.
    let value = word.trim_end_matches('=');
    let skipped = value.rfind('=').map_or(0, |mark| mark + 1);
    let value = &value[skipped..];
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let mixed =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    let padded = word.ends_with('=');
    (value.len() >= BASE64 && (padded || mixed && !value.starts_with('/'))).then_some(skipped)
}
