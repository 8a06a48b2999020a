//! Whether a line of a log has any of a few words. Nearly all have none, and there may be millions of them.
use aho_corasick::AhoCorasick;
use aho_corasick::packed::Searcher;

/// Some words to look for, in one pass.
pub struct AnyOf {
    /// Looks at many bytes at once, where the processor can.
    quick: Option<Searcher>,
    plain: Option<AhoCorasick>,
}

impl AnyOf {
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<&str> = words.into_iter().collect();
        let quick = Searcher::new(&words);
        let plain = if quick.is_some() { None } else { AhoCorasick::new(&words).ok() };
        Self { quick, plain }
    }

    pub fn is_in(&self, line: &str) -> bool {
        match (&self.quick, &self.plain) {
            (Some(quick), _) => quick.find(line).is_some(),
            (None, plain) => plain.as_ref().is_some_and(|plain| plain.is_match(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand() {
        let words = ["OS X", "btstack", "connect to "];
        let quick = AnyOf::new(words);
        let plain = AnyOf { quick: None, plain: AhoCorasick::new(words).ok() };
        for any in [&quick, &plain] {
            for before in 0..70 {
                for word in words {
                    let line = "o".repeat(before) + word;
                    assert!(any.is_in(&line) && any.is_in(&format!("{line} and more")));
                    assert!(!any.is_in(&line[..line.len() - 1]), "{line}");
                }
            }
            assert!(!any.is_in(""));
        }
    }
}
