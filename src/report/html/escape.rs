//! Text that stays text inside HTML.

/// Between tags, and inside an attribute's quotes.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text whose single backticks mark code.
pub fn prose(says: &str) -> String {
    if says.matches('`').count() % 2 == 1 || says.contains("``") {
        return text(says);
    }
    let mut out = String::new();
    for (at, part) in says.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str("<code>");
            out.push_str(&text(part));
            out.push_str("</code>");
        } else {
            out.push_str(&text(part));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_and_no_quote_gets_through() {
        assert_eq!(text("<b a='x'>\"&"), "&lt;b a=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(prose("use `scan <off>` now"), "use <code>scan &lt;off&gt;</code> now");
        assert_eq!(prose("a ` b"), "a ` b");
    }
}
