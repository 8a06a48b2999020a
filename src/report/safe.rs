//! Text from the air made safe to show.
//!
//! Names, notes and logs come from whoever sends them. Shown as they are, they
//! could move the cursor, recolour the screen, or make text read backwards.
use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` with everything that is no visible character written out, as `\x1b` or `\u{202e}`.
pub fn text(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(clean);
    for c in rest.chars() {
        push(&mut safe, c);
    }
    Cow::Owned(safe)
}

/// Bytes that should be UTF-8; those that are not are written out as `\xff`.
pub fn bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(valid) = str::from_utf8(bytes) {
        return text(valid);
    }
    let mut safe = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut safe, c));
        for byte in chunk.invalid() {
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    Cow::Owned(safe)
}

/// Bytes of a field that ends with its first NUL, if it has one.
pub fn c_string(field: &[u8]) -> Cow<'_, str> {
    bytes(field.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Columns that `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to so many columns, with an ellipsis where something is missing.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let end = text.char_indices().find(|&(_, c)| {
        taken += c.width().unwrap_or(0);
        taken + 1 > columns
    });
    let kept = &text[..end.map_or(text.len(), |(at, _)| at)];
    Cow::Owned(if columns == 0 { String::new() } else { format!("{kept}…") })
}

/// `text` cut in its middle to so many columns.
pub fn fit_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(1) / 2;
    let mut taken = 0;
    let tail = text.char_indices().rev().find(|&(_, c)| {
        taken += c.width().unwrap_or(0);
        taken > room
    });
    let tail = tail.map_or(text, |(at, c)| &text[at + c.len_utf8()..]);
    Cow::Owned(format!("{}{tail}", fit(text, columns - width(tail).min(columns))))
}

fn push(safe: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = match c {
        c if !is_unsafe(c) => safe.write_char(c),
        '\n' => safe.write_str("\\n"),
        '\r' => safe.write_str("\\r"),
        '\t' => safe.write_str("\\t"),
        c if c <= '\u{ff}' => write!(safe, "\\x{:02x}", u32::from(c)),
        c => write!(safe, "\\u{{{:x}}}", u32::from(c)),
    };
}

/// Controls, what turns or hides text, what breaks lines, and what is no character.
fn is_unsafe(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => true,
        // Noncharacters.
        '\u{fdd0}'..='\u{fdef}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_stays_as_it_is() {
        for plain in ["", "Thermometer", "Küche 🌡 温度", "a\\b"] {
            assert!(matches!(text(plain), Cow::Borrowed(same) if same == plain), "{plain}");
        }
    }

    #[test]
    fn what_moves_turns_or_hides_is_written_out() {
        assert_eq!(text("a\x1b[2Jb"), "a\\x1b[2Jb");
        assert_eq!(text("x\u{9b}31m"), "x\\x9b31m");
        assert_eq!(text("lamp\u{202e}gpj"), "lamp\\u{202e}gpj");
        assert_eq!(text("\u{fffe}\u{fdd0}\u{1ffff}"), "\\u{fffe}\\u{fdd0}\\u{1ffff}");
        assert_eq!(text("one\r\n\ttwo\u{7f}"), "one\\r\\n\\ttwo\\x7f");
        assert_eq!(
            text("\u{feff}\u{200b}\u{2066}\u{e0041}"),
            "\\u{feff}\\u{200b}\\u{2066}\\u{e0041}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out() {
        assert_eq!(bytes(b"ok"), "ok");
        assert_eq!(bytes(b"a\xff\xc3\x28\x1b"), "a\\xff\\xc3(\\x1b");
        assert_eq!(c_string(b"hci0\0\0\0\0"), "hci0");
        assert_eq!(c_string(b""), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("温度"), 4);
        assert_eq!(fit("温度計", 6), "温度計");
        assert_eq!(fit("温度計", 5), "温度…");
        assert_eq!(fit("温度計", 4), "温…");
        assert_eq!(fit_middle("abc", 3), "abc");
        assert_eq!(fit_middle("abcdefgh", 7), "abc\u{2026}fgh");
        assert_eq!(fit_middle("abcdefgh", 4), "ab\u{2026}h");
        assert_eq!(fit_middle("\u{6e29}\u{5ea6}\u{8a08}\u{6e29}", 6), "\u{6e29}\u{2026}\u{6e29}");
        assert_eq!(fit_middle("abc", 0), "");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("abc", 1), "…");
    }
}
