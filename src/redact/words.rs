//! Words that announce a key, and which words may follow them.
use aho_corasick::AhoCorasick;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// A run of letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub range: Range<usize>,
}

/// What a word announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    Key,
    /// A name or a serial number.
    Identity,
}

/// Words for keys. A word that ends with one of [`ENDINGS`] is one too: `LinkKey`, `peer_irk`.
const KEYS: &[&str] = &[
    "key",
    "keys",
    "ltk",
    "irk",
    "csrk",
    "stk",
    "tk",
    "pin",
    "pins",
    "pincode",
    "oob",
    "nonce",
    "passcode",
    "passphrase",
    "password",
    "secret",
    "token",
];
const ENDINGS: &[&str] = &["key", "keys", "ltk", "irk", "csrk", "password", "secret", "token"];
/// `code` is a key's word after one of these.
const CODES: &[&str] = &["broadcast", "consent", "pairing", "security", "access"];
const IDENTITIES: &[&str] = &["name", "serial", "alias", "hostname", "username", "owner"];

/// After these, a number of two digits at most counts or classifies.
const COUNTED: &[&str] = &[
    "type", "size", "length", "len", "status", "error", "reason", "handle", "level", "version",
    "count",
];

/// Words that are no key, in the order of the alphabet. Everything else that follows a word for a key is hidden.
const PLAIN: &[&str] = &[
    "added",
    "address",
    "all",
    "already",
    "an",
    "and",
    "are",
    "as",
    "at",
    "auth",
    "authenticated",
    "authentication",
    "be",
    "been",
    "bit",
    "bits",
    "bond",
    "bonded",
    "bonding",
    "but",
    "by",
    "byte",
    "bytes",
    "can",
    "cannot",
    "central",
    "changed",
    "code",
    "combination",
    "complete",
    "confirm",
    "connect",
    "connected",
    "connection",
    "count",
    "debug",
    "delete",
    "deleted",
    "device",
    "devices",
    "did",
    "disconnect",
    "disconnected",
    "distribution",
    "does",
    "encrypted",
    "encryption",
    "error",
    "event",
    "exchange",
    "exists",
    "expected",
    "failed",
    "failure",
    "file",
    "for",
    "found",
    "from",
    "generated",
    "get",
    "got",
    "handle",
    "has",
    "have",
    "hci",
    "hidden",
    "identity",
    "in",
    "incorrect",
    "info",
    "information",
    "invalid",
    "is",
    "it",
    "le",
    "len",
    "length",
    "level",
    "link",
    "load",
    "loaded",
    "loading",
    "local",
    "long",
    "master",
    "match",
    "mismatch",
    "missing",
    "mode",
    "needed",
    "negative",
    "new",
    "no",
    "none",
    "not",
    "null",
    "number",
    "of",
    "off",
    "ok",
    "on",
    "or",
    "pair",
    "paired",
    "pairing",
    "peer",
    "peripheral",
    "permanent",
    "present",
    "public",
    "random",
    "reason",
    "received",
    "refresh",
    "refused",
    "reject",
    "rejected",
    "remote",
    "remove",
    "removed",
    "reply",
    "request",
    "requested",
    "required",
    "resolving",
    "response",
    "retry",
    "saved",
    "sent",
    "set",
    "short",
    "shown",
    "signature",
    "size",
    "slave",
    "smp",
    "status",
    "store",
    "stored",
    "storing",
    "success",
    "supported",
    "temporary",
    "term",
    "the",
    "their",
    "there",
    "this",
    "timed",
    "timeout",
    "to",
    "type",
    "unauthenticated",
    "unknown",
    "update",
    "updated",
    "use",
    "used",
    "user",
    "using",
    "value",
    "version",
    "waiting",
    "was",
    "were",
    "will",
    "with",
    "without",
    "wrong",
    "your",
];

/// What a word says of the text around it: for whoever looks at texts word by word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// It announces a key.
    pub announces: bool,
    /// It announces a key behind some words, and this is one of those.
    pub code: bool,
    pub before_code: bool,
    /// It may follow a word for a key.
    pub plain: bool,
    /// It may announce a credential.
    pub credential: bool,
    /// A folder of this name holds folders that are called like their users.
    pub folder: bool,
}

impl Meaning {
    /// Of a word in small letters.
    pub(crate) fn of(word: &str) -> Self {
        let may_announce = may_announce_key(word);
        Self {
            announces: may_announce && is_key(word, ""),
            code: may_announce && word.trim_end_matches(|c: char| c.is_ascii_digit()) == "code",
            before_code: CODES.contains(&word),
            plain: is_plain(word),
            credential: super::people::may_announce_credential(word),
            folder: word.ends_with("home") || word.ends_with("users") || word == "user",
        }
    }
}

/// Whether a word is one of those that are no key.
fn is_plain(word: &str) -> bool {
    PLAIN.binary_search(&word).is_ok()
}

/// The words of a text, in order.
pub fn of(text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 4);
    let mut start = None;
    let mut see = |at: usize, is_part: bool| {
        if is_part {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            words.push(Word { range: from..at });
        }
    };
    match text.is_ascii() {
        true => text.bytes().enumerate().for_each(|(at, c)| see(at, c.is_ascii_alphanumeric())),
        false => text.char_indices().for_each(|(at, c)| see(at, c.is_alphanumeric())),
    }
    see(text.len(), false);
    words
}

/// Hides what words for a key (or for a name) announce: all that follows but plain words and
/// device addresses. A passkey may also stand before its word: then it is a number of four digits or more.
pub fn announced(
    text: &str,
    words: &[Word],
    addresses: &[Range<usize>],
    secret: Secret,
    hidden: &mut Vec<Range<usize>>,
) {
    if secret == Secret::Key && !may_announce_key(text) {
        return;
    }
    let lower: Vec<Cow<'_, str>> =
        words.iter().map(|word| in_small_letters(&text[word.range.clone()])).collect();
    let before = |at: usize| at.checked_sub(1).map_or("", |before| &*lower[before]);
    let announces = |at: usize| match secret {
        Secret::Key => is_key(&lower[at], before(at)),
        Secret::Identity => IDENTITIES.contains(&&*lower[at]),
    };
    let announcing: Vec<bool> = (0..words.len()).map(announces).collect();
    let Some(first) = announcing.iter().position(|announces| *announces) else { return };
    for (at, word) in words.iter().enumerate() {
        let said = &*lower[at];
        let in_address = addresses.iter().any(|address| address.contains(&word.range.start));
        let numbered = said.trim_end_matches(|c: char| c.is_ascii_digit());
        let hide = if at < first {
            secret == Secret::Key && said.len() >= 4 && numbered.is_empty()
        } else if announcing[at] {
            // `pin4711`
            said.len() - numbered.len() >= 4
        } else {
            let digits = said.strip_prefix("0x").unwrap_or(said);
            let counts = COUNTED.contains(&before(at)) && digits.len() <= 2;
            !(counts || is_plain(said))
        };
        if hide && !in_address {
            hidden.push(word.range.clone());
        }
    }
    // Signs that are no letters may be a part of it.
    let after = words[first].range.end;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < after) {
        let usual =
            c.is_alphanumeric() || c.is_whitespace() || ":=,.;()[]{}<>'\"`_-/!?".contains(c);
        let marked = super::HIDDEN.contains(c);
        if !usual && !marked && secret == Secret::Key {
            hidden.push(at..at + c.len_utf8());
        }
    }
}

/// Nearly all words are.
fn in_small_letters(word: &str) -> Cow<'_, str> {
    let small = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if small { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

/// Whether a word for a key may be in the text: most texts have none. Letters that are not ASCII have small forms that
/// are, so such texts are looked at word by word.
fn may_announce_key(text: &str) -> bool {
    static ANY: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = KEYS.iter().chain(ENDINGS).chain(&["code"]);
        AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
    });
    !text.is_ascii() || ANY.as_ref().is_none_or(|any| any.is_match(text))
}

fn is_key(word: &str, before: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    KEYS.contains(&word)
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
        || word == "code" && CODES.contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever looks at words one by one asks no number what it means.
    #[test]
    fn no_word_for_a_key_is_a_number() {
        let words =
            KEYS.iter().chain(ENDINGS).chain(CODES).chain(&["code", "home", "users", "user"]);
        for word in words {
            assert!(!word.bytes().all(|byte| byte.is_ascii_hexdigit()), "{word}");
        }
    }

    #[test]
    fn plain_words_stand_in_their_order() {
        assert!(PLAIN.is_sorted());
        assert!(PLAIN.iter().all(|word| is_plain(word)));
    }
}
