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

/// The text without blanks at its beginning: as `trim_start`, which decodes each character.
pub(crate) fn without_indent(text: &str) -> &str {
    let blanks = text.bytes().take_while(|byte| *byte == b' ').count();
    match text.get(blanks..) {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_graphic()) => rest,
        _ => text.trim_start(),
    }
}

/// The text without blanks at its end: as `trim_end`.
pub(crate) fn without_end(text: &str) -> &str {
    let blanks = text.bytes().rev().take_while(|byte| *byte == b' ').count();
    match text.get(..text.len() - blanks) {
        Some(rest) if rest.ends_with(|last: char| last.is_ascii_graphic()) => rest,
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
        }
    }
}
