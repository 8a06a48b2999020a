//! NameAliases of devices and hosts, wherever a text holds them.
use crate::diagnose::RULES;
use crate::numbers;
use crate::report::safe;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Shorter names are only replaced where they stand in quotes.
const SHORTEST: usize = 3;

/// NameAliases, each with its alias.
#[derive(Clone, Debug, Default)]
pub struct NameAliases {
    aliases: HashMap<Arc<str>, Arc<str>>,
    /// What to look for, by the first bytes in lower case; the longest first.
    wanted: HashMap<[u8; 3], Vec<Wanted>>,
}

/// A capture may have 40,000 names: each is kept once.
#[derive(Clone, Debug)]
struct Wanted {
    name: Arc<str>,
    alias: Arc<str>,
    /// Stands in quotes: nothing else says that it is a name.
    quoted: bool,
}

impl Wanted {
    /// Bytes of the text that is looked for.
    fn len(&self) -> usize {
        self.name.len() + if self.quoted { 2 } else { 0 }
    }

    /// Whether a text begins with it, however it is written large and small.
    fn begins(&self, text: &str) -> bool {
        let Some(begin) = text.get(..self.len()) else { return false };
        let name = match self.quoted {
            true => begin.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')),
            false => Some(begin),
        };
        name.is_some_and(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// The first bytes of the text, in lower case.
    fn key(&self) -> Option<[u8; 3]> {
        match (self.quoted, self.name.as_bytes()) {
            (false, name) => key(name),
            (true, [first, second, ..]) => key(&[b'"', *first, *second]),
            (true, [only]) => key(&[b'"', *only, b'"']),
            (true, []) => None,
        }
    }
}

impl NameAliases {
    pub fn add(&mut self, name: &str, alias: &str) {
        // `hci0` is the kernel's name for any adapter.
        let numbered = name.strip_prefix("hci").is_some_and(|n| n.parse::<u16>().is_ok());
        if name.is_empty() || numbered || self.aliases.contains_key(name) {
            return;
        }
        let (name, alias) = (Arc::<str>::from(name), Arc::<str>::from(alias));
        self.aliases.insert(Arc::clone(&name), Arc::clone(&alias));
        let shown = match safe::text(&name) {
            Cow::Borrowed(_) => Arc::clone(&name),
            Cow::Owned(shown) => shown.into(),
        };
        self.want(&shown, &alias, true);
        if shown != name {
            self.want(&name, &alias, true);
        }
        if tells_somebody(&name) {
            if shown != name {
                self.want(&name, &alias, false);
            }
            self.want(&shown, &alias, false);
        }
    }

    fn want(&mut self, name: &Arc<str>, alias: &Arc<str>, quoted: bool) {
        let new = Wanted { name: Arc::clone(name), alias: Arc::clone(alias), quoted };
        let Some(key) = new.key() else { return };
        let wanted = self.wanted.entry(key).or_default();
        // Behind those of the same length.
        let place = wanted.partition_point(|other| other.len() >= new.len());
        wanted.insert(place, new);
    }

    /// What stands for exactly this name.
    pub fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(AsRef::as_ref)
    }

    /// The text with aliases for all names in it, however they are written large and small.
    pub fn hide(&self, text: &str) -> String {
        if self.wanted.is_empty() {
            return text.to_owned();
        }
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(c) = rest.chars().next() {
            if let Some(found) = self.begins(rest, before) {
                if found.quoted {
                    hidden.extend(['"']);
                    hidden.push_str(&found.alias);
                    hidden.extend(['"']);
                } else {
                    hidden.push_str(&found.alias);
                }
                let (taken, after) = rest.split_at(found.len());
                before = taken.chars().next_back();
                rest = after;
                continue;
            }
            hidden.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
        }
        hidden
    }

    /// The longest name that `text` begins with, as a word of its own.
    fn begins(&self, text: &str, before: Option<char>) -> Option<&Wanted> {
        let bytes = text.as_bytes();
        self.wanted.get(&key(bytes)?)?.iter().find(|wanted| {
            let whole = wanted.quoted
                || !before.is_some_and(char::is_alphanumeric)
                    && !text
                        .get(wanted.len()..)
                        .and_then(|after| after.chars().next())
                        .is_some_and(char::is_alphanumeric);
            whole && wanted.begins(text)
        })
    }
}

/// The first bytes, in lower case.
fn key(bytes: &[u8]) -> Option<[u8; 3]> {
    let first: [u8; 3] = bytes.get(..3)?.try_into().ok()?;
    Some(first.map(|byte| byte.to_ascii_lowercase()))
}

/// Whether a name says more about its owner than a word of our own texts: replacing every
/// `Light` or `BlueZ 5.66` would only make the report unreadable.
pub(crate) fn tells_somebody(name: &str) -> bool {
    if name.chars().count() < SHORTEST {
        return false;
    }
    let ours = vocabulary();
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).any(|word| {
        !word.chars().all(|c| c.is_ascii_digit()) && !ours.contains(&word.to_ascii_lowercase())
    }) || !name.contains(char::is_alphanumeric)
}

/// Every word of the rules' texts and of the assigned names, in lower case.
pub(crate) fn vocabulary() -> &'static HashSet<String> {
    static WORDS: OnceLock<HashSet<String>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let rules = RULES.iter().flat_map(|rule| [rule.id, rule.title, rule.docs]);
        rules
            .chain(numbers::tables())
            .chain([
                "adapter device unknown host controller peer reference subject CENTRAL peripheral",
            ])
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_wins_and_words_stay_whole() {
        let mut names = NameAliases::default();
        names.add("Zoe", "device-1");
        names.add("Zoe's lamp", "lamp-2");
        assert_eq!(
            names.hide("ZOE'S LAMP, Zoe, Zoey, \"Zoe\""),
            "lamp-2, device-1, Zoey, \"device-1\""
        );
        assert_eq!(names.hide("Zo\u{e9}"), "Zo\u{e9}");
    }

    #[test]
    fn a_name_made_of_our_own_words_is_replaced_only_in_quotes() {
        let mut names = NameAliases::default();
        for name in ["Write", "BlueZ 5.66", "ab", "--"] {
            names.add(name, "device-1");
        }
        assert_eq!(names.hide("Write 0x004c of BlueZ 5.66 ab"), "Write 0x004c of BlueZ 5.66 ab");
        assert_eq!(names.hide("\"Write\" \"ab\""), "\"device-1\" \"device-1\"");
    }

    #[test]
    fn what_a_hostile_name_becomes_on_the_screen_is_found_too() {
        let mut names = NameAliases::default();
        names.add("Zo\u{202e}mi", "device-1");
        assert_eq!(names.hide("Zo\\u{202e}mi and Zo\u{202e}mi"), "device-1 and device-1");
    }
}
