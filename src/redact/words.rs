//! Words that announce a key, and which words may follow them.
use aho_corasick::AhoCorasick;
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

/// Words that are no key. Everything else that follows a word for a key is hidden.
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

/// The words of a text, in order.
pub fn of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            words.push(Word { range: from..at });
        }
    }
    words.extend(start.map(|from| Word { range: from..text.len() }));
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
    let lower: Vec<String> =
        words.iter().map(|word| text[word.range.clone()].to_lowercase()).collect();
    let before = |at: usize| at.checked_sub(1).map_or("", |before| lower[before].as_str());
    let announces = |at: usize| match secret {
        Secret::Key => is_key(&lower[at], before(at)),
        Secret::Identity => IDENTITIES.contains(&lower[at].as_str()),
    };
    let Some(first) = (0..words.len()).find(|at| announces(*at)) else { return };
    for (at, word) in words.iter().enumerate() {
        let said = lower[at].as_str();
        let in_address = addresses.iter().any(|address| address.contains(&word.range.start));
        let numbered = said.trim_end_matches(|c: char| c.is_ascii_digit());
        let hide = if at < first {
            secret == Secret::Key && said.len() >= 4 && numbered.is_empty()
        } else if announces(at) {
            // `pin4711`
            said.len() - numbered.len() >= 4
        } else {
            let digits = said.strip_prefix("0x").unwrap_or(said);
            let counts = COUNTED.contains(&before(at)) && digits.len() <= 2;
            !(counts || PLAIN.contains(&said))
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
