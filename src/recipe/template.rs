//! Programs as templates: real files, with marks where a capture's facts go.

/// The template with each mark filled in. What is filled in is not looked at again.
pub fn fill(template: &str, marks: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match marks.iter().find(|(mark, _)| from.starts_with(mark)) {
            Some((mark, text)) => {
                out.push_str(text);
                rest = &from[mark.len()..];
            }
            None => {
                out.push('@');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let marks = [("@A@", "<@B@>"), ("@B@\n", "two\n")];
        assert_eq!(fill("x@A@y@B@\nmail@host @A@", &marks), "x<@B@>ytwo\nmail@host <@B@>");
    }
}
