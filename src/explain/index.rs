//! All names of all cards, found in one pass over a text.
use super::NAMESPACES;
use super::card::{Card, Hit, Namespace};
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// A name, and whose it is.
pub struct Name {
    pub text: String,
    pub namespace: &'static Namespace,
    pub card: &'static Card,
}

/// Names and what finds them.
pub struct Index {
    pub names: Vec<Name>,
    finder: Option<AhoCorasick>,
}

pub static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut names = Vec::new();
    for namespace in NAMESPACES.iter().copied() {
        for card in namespace.cards {
            let title = card.title.to_lowercase();
            names.push(Name { text: title, namespace, card });
            for name in card.names {
                names.push(Name { text: (*name).to_owned(), namespace, card });
            }
        }
    }
    let texts = names.iter().map(|name| name.text.as_str());
    // It is made of our own tables; a test sees that it can be made.
    let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(texts).ok();
    Index { names, finder }
});

impl Index {
    #[cfg(test)]
    pub fn is_complete(&self) -> bool {
        self.finder.is_some()
    }

    /// Every name that stands in the text as words of its own, with its place. A name within a longer one is not found.
    pub fn find(&self, text: &str) -> Vec<(Range<usize>, &Name)> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let mut found: Vec<(Range<usize>, &Name)> = finder
            .find_overlapping_iter(text)
            .filter(|found| stands_alone(text, found.range()))
            .filter_map(|found| Some((found.range(), self.names.get(found.pattern().as_usize())?)))
            .filter(|(range, name)| !name.namespace.whole || is_all_of(text, range))
            .take(MOST_FOUND)
            .collect();
        let ranges: Vec<Range<usize>> = found.iter().map(|(range, _)| range.clone()).collect();
        found.retain(|(range, _)| {
            !ranges.iter().any(|other| {
                other.start <= range.start && range.end <= other.end && other.len() > range.len()
            })
        });
        found
    }
}

/// Most names of one line that are looked at.
const MOST_FOUND: usize = 256;

/// Whether nothing but marks stands around a name.
fn is_all_of(text: &str, range: &Range<usize>) -> bool {
    let outside =
        |part: Option<&str>| part.is_none_or(|part| !part.contains(char::is_alphanumeric));
    outside(text.get(..range.start)) && outside(text.get(range.end..))
}

/// Whether a name is no part of a longer word: `status 8` is not in `status 84`.
pub fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (before, within, after) =
        (text.get(..range.start), text.get(range.clone()), text.get(range.end..));
    let (Some(before), Some(within), Some(after)) = (before, within, after) else { return false };
    let glued_before = word(within.chars().next()) && word(before.chars().next_back());
    let glued_after = word(within.chars().next_back()) && word(after.chars().next());
    // `hardware error 0x` goes on with the number.
    !(glued_before || glued_after && !within.ends_with("0x"))
}

impl Name {
    pub fn hit(&self) -> Hit {
        Hit { sure: true, ..Hit::of(self.namespace, self.card) }
    }
}
