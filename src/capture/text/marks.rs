//! Short marks in the lines of a text. The standard library's search prepares itself anew for each line: for lines of
//! some dozens of bytes, of which there are millions, that takes longer than the search.
use memchr::{memchr_iter, memrchr_iter};

/// What stands before the first place of a mark, and behind it.
pub(crate) fn split<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let places = memchr_iter(*mark.as_bytes().first()?, text.as_bytes());
    at_one_of(places, text, mark)
}

/// What stands before the last place of a mark, and behind it.
pub(crate) fn rsplit<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let places = memrchr_iter(*mark.as_bytes().first()?, text.as_bytes());
    at_one_of(places, text, mark)
}

fn at_one_of<'a>(
    mut places: impl Iterator<Item = usize>,
    text: &'a str,
    mark: &str,
) -> Option<(&'a str, &'a str)> {
    places.find_map(|place| {
        let (before, rest) = text.split_at_checked(place)?;
        Some((before, rest.strip_prefix(mark)?))
    })
}

/// The text up to its first blank.
pub(crate) fn first_word(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| *byte != b' ').count();
    text.get(..length).unwrap_or(text)
}

/// The text without blanks at its beginning and at its end: as `trim`.
pub(crate) fn trimmed(text: &str) -> &str {
    without_end(without_indent(text))
}

/// The text without blanks at its beginning: as `trim_start`, which decodes each character.
#[inline]
pub(crate) fn without_indent(text: &str) -> &str {
    let bytes = text.as_bytes();
    // Texts nest by eight blanks and by two.
    let (chunks, _) = bytes.as_chunks::<4>();
    let mut blanks = 4 * chunks.iter().take_while(|chunk| *chunk == b"    ").count();
    while bytes.get(blanks) == Some(&b' ') {
        blanks += 1;
    }
    match bytes.get(blanks) {
        Some(b'!'..=b'~') => text.get(blanks..).unwrap_or(text),
        _ => text.trim_start(),
    }
}

/// The text without blanks at its end: as `trim_end`.
#[inline]
pub(crate) fn without_end(text: &str) -> &str {
    let mut rest = text.as_bytes();
    while let Some((b' ', before)) = rest.split_last() {
        rest = before;
    }
    match rest.last() {
        Some(b'!'..=b'~') => text.get(..rest.len()).unwrap_or(text),
        _ => text.trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_found_where_the_standard_library_finds_them(text in "[ \t:\u{a0}(0x|aä]{0,12}", mark in "[ :(0xä]{1,3}") {
            prop_assert_eq!(split(&text, &mark), text.split_once(mark.as_str()));
            // Of places that overlap the library takes the one that ends last; so does this.
            prop_assert_eq!(rsplit(&text, &mark), text.rsplit_once(mark.as_str()));
            prop_assert_eq!(without_indent(&text), text.trim_start());
            prop_assert_eq!(without_end(&text), text.trim_end());
            prop_assert_eq!(trimmed(&text), text.trim());
            prop_assert_eq!(Some(first_word(&text)), text.split(' ').next());
        }
    }
}
