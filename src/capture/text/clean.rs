//! Lines, cleaned of what terminals, mail and web pages put into them.
//!
//! Escape sequences, carriage returns, zeroes, HTML entities and mail's quote marks go; the
//! indentation stays, because text formats nest by it.
use super::super::stream::Stream;
use super::plain::{beginning, shows};
use std::io;

/// Writes a raw line into `text` as whoever printed it meant it.
pub(crate) fn clean(raw: &[u8], text: &mut String) {
    shown(raw, text);
    let quotes = text.len() - without_quotes(text).len();
    if quotes > 0 {
        text.drain(..quotes);
    }
}

/// A line without what mail puts before it.
pub(super) fn without_quotes(line: &str) -> &str {
    match line.as_bytes().first() {
        Some(b'<' | b'>') => single_mark(unquoted(line)),
        _ => line,
    }
}

/// Writes a raw line into `text` as a screen shows it, with mail's quote marks.
fn shown(raw: &[u8], text: &mut String) {
    text.clear();
    let ended = raw.strip_suffix(b"\r").unwrap_or(raw);
    if is_plain(ended)
        && let Ok(line) = std::str::from_utf8(ended)
    {
        text.push_str(line.trim_end());
        return;
    }
    // UTF-16, as PowerShell writes it: without its zeroes it is plain text behind this mark.
    let raw = raw.strip_prefix(b"\xff\xfe").unwrap_or(raw);
    // Almost every line is valid, which is quickly seen.
    match std::str::from_utf8(raw) {
        Ok(line) => printable(line, text),
        Err(_) => {
            for chunk in raw.utf8_chunks() {
                printable(chunk.valid(), text);
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
    if text.contains('&') {
        *text = unescape(text);
    }
    let end = text.trim_end().len();
    text.truncate(end);
}

/// Reads the next line as a screen shows it, or the next `most` bytes of a longer one: then what it gives is false.
/// Nothing at the end.
pub(crate) fn next_shown(
    stream: &mut Stream,
    most: usize,
    text: &mut String,
) -> io::Result<Option<bool>> {
    let bytes = stream.peek(most)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let page = bytes.get(..most).unwrap_or(bytes);
    let end = page.iter().position(|byte| *byte == b'\n');
    let length = end.map_or(page.len(), |end| end + 1);
    shown(page.get(..length).unwrap_or(page), text);
    stream.consume(length);
    Ok(Some(end.is_some() || length < most))
}

/// Whether a line stays as it is: nothing but ASCII that shows on paper, and no entity of a web page.
fn is_plain(raw: &[u8]) -> bool {
    // No early end inside of a chunk: so the compiler looks at its bytes at once.
    let plain = |all, byte: &u8| all & shows(*byte) & (*byte != b'&');
    let (chunks, rest) = raw.as_chunks::<16>();
    chunks.iter().all(|chunk| chunk.iter().fold(true, plain))
        // The last bytes are looked at together with some before them.
        && raw.last_chunk::<16>().map_or_else(
            || rest.iter().fold(true, plain),
            |chunk| chunk.iter().fold(true, plain),
        )
}

/// Copies what shows on paper: no escape sequences, no control codes but tabs.
fn printable(piece: &str, text: &mut String) {
    // The beginning that stays as it is, which is mostly all of it.
    let (plain, rest) = piece.split_at(beginning(piece.as_bytes(), shows));
    text.push_str(plain);
    let mut chars = rest.chars();
    let mut titles_end = true;
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars, &mut titles_end),
            // `script` records what was typed and taken back.
            '\u{8}' => drop(text.pop()),
            '\u{a0}' => text.push(' '),
            '\t' => text.push(char),
            // Byte order marks and zero-width spaces come from pasting.
            '\u{feff}' | '\u{200b}' => {}
            char if char.is_control() => {}
            char => text.push(char),
        }
    }
}

/// Passes the rest of an escape sequence (ECMA-48, and xterm's window titles).
///
/// `titles_end` becomes false where the rest of the piece ends no title: then nobody looks again,
/// because a look goes to the end of the piece.
fn skip_escape(chars: &mut std::str::Chars<'_>, titles_end: &mut bool) {
    match chars.next() {
        Some('[') => drop(chars.find(|char| ('@'..='~').contains(char))),
        Some(']') if *titles_end => {
            let mut last = ' ';
            let ends = |char: &char| {
                let end = *char == '\u{7}' || (last == '\u{1b}' && *char == '\\');
                last = *char;
                end
            };
            // A title that never ends would eat the line: then only its mark goes.
            let mut ahead = chars.clone();
            *titles_end = ahead.find(ends).is_some();
            if *titles_end {
                *chars = ahead;
            }
        }
        Some('(' | ')') => drop(chars.next()),
        _ => {}
    }
}

/// Turns the entities of web pages back into characters; everything else stays.
fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, &str); 8] = [
        ("lt;", "<"),
        ("gt;", ">"),
        ("amp;", "&"),
        ("quot;", "\""),
        ("apos;", "'"),
        ("#39;", "'"),
        ("#x27;", "'"),
        ("nbsp;", " "),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known =
            ENTITIES.iter().find_map(|(name, char)| Some((char, after.strip_prefix(name)?)));
        rest = match known {
            Some((char, after)) => {
                out.push_str(char);
                after
            }
            None => {
                out.push('&');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// A line without the `>` that mail puts before what it quotes.
///
/// `> HCI Event` and `> 04 0E` are what a tool printed: the mark is mail's only where a mark,
/// a date or the indentation of a detail follows it.
pub(crate) fn unquoted(line: &str) -> &str {
    let mut line = line;
    while let Some(rest) = line.strip_prefix('>') {
        let inner = rest.strip_prefix(' ').unwrap_or(rest);
        let marked = inner.starts_with(['<', '>', '@', '=', '*'])
            || inner.starts_with("  ")
            || inner.starts_with('\t')
            || inner.is_empty()
            || begins_with_year(inner);
        if !marked {
            break;
        }
        line = inner;
    }
    line
}

/// A line with one mark of direction: some mail programs and archives double the first `<`.
fn single_mark(line: &str) -> &str {
    let bare = line.trim_start_matches('<');
    match line.len() - bare.len() {
        marks @ 2.. if bare.starts_with(' ') => &line[marks - 1..],
        _ => line,
    }
}

fn begins_with_year(text: &str) -> bool {
    let mut bytes = text.bytes();
    (0..4).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_digit()))
        && bytes.next() == Some(b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(raw: &[u8]) -> String {
        let mut text = String::from("left over");
        clean(raw, &mut text);
        text
    }

    #[test]
    fn what_a_terminal_adds_goes() {
        let raw = b"\x1b[0;34m< HCI Command:\x1b[0m Reset\x1b[K\x00 (0x03|0x0003)\r";
        assert_eq!(cleaned(raw), "< HCI Command: Reset (0x03|0x0003)");
        assert_eq!(cleaned(b"\x1b]0;root@host: ~\x07# btmonx\x08"), "# btmon");
        assert_eq!(cleaned(b"\x1b]0;never ends"), "0;never ends");
        assert_eq!(cleaned(b"        Name: caf\xc3\xa9 \xff"), "        Name: caf\u{e9} \u{fffd}");
    }

    #[test]
    fn titles_that_never_end_are_looked_for_once() {
        // Each mark looked at the whole rest of the line: this took minutes.
        let marks = b"\x1b]".repeat(128 * 1024);
        assert_eq!(cleaned(&marks), "");
        let one_ends = [b"\x1b]title\x07", &marks[..], b"Reset"].concat();
        assert_eq!(cleaned(&one_ends), "Reset");
        let last_ends = [&marks[..], b"title\x1b\\Reset"].concat();
        assert_eq!(cleaned(&last_ends), "Reset");
    }

    #[test]
    fn what_web_pages_escape_comes_back() {
        assert_eq!(cleaned(b"&lt; ACL &amp; &unknown; &"), "< ACL & &unknown; &");
        assert_eq!(cleaned(b"&gt; HCI Event"), "> HCI Event");
        assert_eq!(cleaned(b"&amp;lt;"), "&lt;");
    }

    #[test]
    fn quoting_goes_and_directions_stay() {
        for (line, bare) in [
            ("> HCI Event: Reset", "> HCI Event: Reset"),
            ("> 04 0E 04", "> 04 0E 04"),
            ("> > HCI Event", "> HCI Event"),
            (">> HCI Event", "> HCI Event"),
            ("> > > HCI Event", "> HCI Event"),
            ("> < ACL Data TX", "< ACL Data TX"),
            (">       Status", "      Status"),
            ("> 2026-09-21 14:13:20.0 > 04", "2026-09-21 14:13:20.0 > 04"),
            ("> @ MGMT Open", "@ MGMT Open"),
            (">", ""),
        ] {
            assert_eq!(unquoted(line), bare, "{line}");
        }
    }

    #[test]
    fn a_doubled_mark_of_direction_is_one() {
        for (line, bare) in [
            ("<< HCI Command: Reset", "< HCI Command: Reset"),
            ("> << ACL Data TX", "< ACL Data TX"),
            ("> > <<< 01 03 0C 00", "< 01 03 0C 00"),
            ("<<EOF", "<<EOF"),
            ("< ACL Data TX", "< ACL Data TX"),
        ] {
            assert_eq!(cleaned(line.as_bytes()), bare, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_bytes_are_cleaned(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = cleaned(&raw);
            prop_assert!(!text.chars().any(|char| char.is_control() && char != '\t'));
        }

        #[test]
        fn a_plain_line_is_cleaned_as_any_other(raw in "[ -~\t]{0,60}") {
            let (mut slowly, mut at_once) = (String::new(), String::new());
            printable(&raw, &mut slowly);
            shown(raw.as_bytes(), &mut at_once);
            let slowly = unescape(&slowly);
            prop_assert_eq!(slowly.trim_end(), at_once);
        }
    }
}
