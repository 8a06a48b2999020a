//! Text as GitHub's Markdown shows it unchanged: nothing from the air becomes markup, a link,
//! a mention or an emoji. It stays readable where nobody draws it.

/// Text inside a line. Code between single backticks stays code.
pub fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let spans = text.matches('`').count();
    let code_is_ours = spans.is_multiple_of(2) && !text.contains("``");
    if !code_is_ours {
        plain(&mut out, text);
        return out;
    }
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push('`');
            out.push_str(part);
            out.push('`');
        } else {
            plain(&mut out, part);
        }
    }
    out
}

/// Text that begins a paragraph or a list's item.
pub fn block(text: &str) -> String {
    let escaped = inline(text);
    let digits = escaped.chars().take_while(char::is_ascii_digit).count();
    if digits > 0 && escaped[digits..].starts_with(['.', ')']) {
        // "1." would begin a list.
        return format!("{}\\{}", &escaped[..digits], &escaped[digits..]);
    }
    let rest = escaped.trim_start_matches(['-', '+', '=', '#']);
    let marks = escaped.len() - rest.len();
    let begins_block = escaped.starts_with(['>', '|'])
        || marks > 0 && (rest.is_empty() || rest.starts_with(' ') && !escaped.starts_with('='));
    if begins_block { format!("\\{escaped}") } else { escaped }
}

/// Text inside a table's cell.
pub fn cell(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| inline(line.trim()).replace('|', "\\|")).collect();
    lines.join("<br>")
}

/// Text inside an HTML tag: Markdown is not read there, but GitHub still makes its links.
pub fn tagged(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    words(&mut out, text, push_html, |out, word| {
        out.push_str("<code>");
        push_html(out, word);
        out.push_str("</code>");
    });
    out
}

fn push_html(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
}

fn plain(out: &mut String, text: &str) {
    words(out, text, push, code);
}

/// Words that GitHub would turn into something else become code, the rest is escaped.
fn words(out: &mut String, text: &str, push: fn(&mut String, &str), code: fn(&mut String, &str)) {
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let lead = word.len() - word.trim_start_matches(['(', '[', '"', '\'', ',']).len();
        let core = word[lead..].trim_end_matches([')', ']', '"', '\'', ',', '.', ';', ':']);
        if emoji(word) {
            code(out, word);
        } else if would_link(core) {
            push(out, &word[..lead]);
            code(out, core);
            push(out, &word[lead + core.len()..]);
        } else {
            push(out, word);
        }
    }
}

/// `#412`, `@name`, `GH-12`, addresses of pages and mail, `:smile:`, `$x$`.
fn would_link(word: &str) -> bool {
    let before = |mark: char| {
        word.split(mark)
            .skip(1)
            .any(|after| after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let lower = word.to_ascii_lowercase();
    let issue = lower
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter_map(|part| part.strip_prefix("gh-"))
        .any(|number| number.starts_with(|c: char| c.is_ascii_digit()));
    before('#')
        || before('@')
        || issue
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("mailto:")
        || word.contains('$')
}

fn emoji(word: &str) -> bool {
    let mut parts = word.split(':').peekable();
    parts.next();
    while let Some(part) = parts.next() {
        let closed = parts.peek().is_some();
        let shortcode =
            part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c));
        let known = matches!(part, "100" | "1234" | "+1" | "-1")
            || part.contains(|c: char| c.is_ascii_lowercase());
        if closed && shortcode && known {
            return true;
        }
    }
    false
}

/// A code span with as many backticks around it as its text needs.
fn code(out: &mut String, text: &str) {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    for part in [&fence, pad, text, pad, &fence] {
        out.push_str(part);
    }
}

fn push(out: &mut String, text: &str) {
    let emphasis = |mark: char| text.matches(mark).count() > 0;
    let (stars, tildes) = (emphasis('*'), text.matches('~').count() > 0);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let escape = match c {
            '`' => true,
            '\\' => next.is_none_or(|n| n.is_ascii_punctuation()),
            '*' => stars && text != "*",
            '~' => tildes && text != "~",
            '_' => !(alphanumeric(before) && alphanumeric(next)),
            '[' => true,
            _ => false,
        };
        match c {
            '<' if next.is_some_and(|n| n.is_alphabetic() || "/!?".contains(n)) => {
                out.push_str("&lt;")
            }
            '&' if next.is_some_and(|n| n.is_alphanumeric() || n == '#') => out.push_str("&amp;"),
            _ => {
                if escape {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        before = Some(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        for (text, shown) in [
            ("Write 0x004c 8f1d0002…", "Write 0x004c 8f1d0002…"),
            ("exchange_mtu", "exchange_mtu"),
            ("_x_ *x* ~x~", "\\_x\\_ \\*x\\* \\~x\\~"),
            ("use `bluetoothctl scan off` now", "use `bluetoothctl scan off` now"),
            ("a ` b", "a \\` b"),
            ("```", "\\`\\`\\`"),
            (
                "<script>alert(1)</script> </details>",
                "&lt;script>alert(1)&lt;/script> &lt;/details>",
            ),
            ("a < b & c", "a < b & c"),
            ("&lt; &#60;", "&amp;lt; `&#60`;"),
            ("![x](y) [x](y)", "!\\[x](y) \\[x](y)"),
            ("\\x1b \\*", "\\x1b \\\\\\*"),
        ] {
            assert_eq!(inline(text), shown, "{text}");
        }
    }

    #[test]
    fn nothing_becomes_a_link() {
        for (text, shown) in [
            ("#1, central", "`#1`, central"),
            ("(bluez/bluez#412)", "(`bluez/bluez#412`)"),
            ("mail to a@b.c.", "mail to `a@b.c`."),
            ("@everyone", "`@everyone`"),
            ("see https://example.org/x", "see `https://example.org/x`"),
            ("GH-12 gh-x", "`GH-12` gh-x"),
            (":smile: 10:48:00 F0:12:7C:AA:00:01", "`:smile:` 10:48:00 F0:12:7C:AA:00:01"),
            ("$x$", "`$x$`"),
            ("@a`b", "``@a`b``"),
        ] {
            assert_eq!(inline(text), shown, "{text}");
        }
    }

    #[test]
    fn nothing_inside_a_tag_becomes_a_link_or_a_tag() {
        for (text, shown) in [
            ("Timeline of #1", "Timeline of <code>#1</code>"),
            ("(@everyone), _x_", "(<code>@everyone</code>), _x_"),
            (":smile: `GH-12`", "<code>:smile:</code> <code>`GH-12`</code>"),
            ("</summary> a & b", "&lt;/summary&gt; a &amp; b"),
            ("@a<b>&", "<code>@a&lt;b&gt;&amp;</code>"),
        ] {
            assert_eq!(tagged(text), shown, "{text}");
        }
    }

    #[test]
    fn a_line_that_begins_like_a_block_does_not_begin_one() {
        for (text, shown) in [
            ("1. one", "1\\. one"),
            ("- one", "\\- one"),
            ("# one", "\\# one"),
            ("> one", "\\> one"),
            ("---", "\\---"),
            ("===", "\\==="),
            ("| a | b |", "\\| a | b |"),
            ("-54 dBm", "-54 dBm"),
            ("= same", "= same"),
            ("[ ] task", "\\[ ] task"),
        ] {
            assert_eq!(block(text), shown, "{text}");
        }
    }

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(cell("a|b\nc `d|e`"), "a\\|b<br>c `d\\|e`");
    }
}
