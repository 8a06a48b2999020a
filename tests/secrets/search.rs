//! Finds secrets in an output, however they are spelled.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::collections::{HashMap, HashSet};

/// So many bytes of a secret in a row are a leak: half a key is one too.
const PART: usize = 6;

/// Characters of base64 that are looked for at once.
const LETTERS: usize = 16;

/// Stands where a letter is that is no digit.
const NONE: u8 = 0xff;

/// Something that was planted.
#[derive(Clone, Debug)]
pub struct Secret {
    /// What it is and where it stands.
    pub what: String,
    pub bytes: Vec<u8>,
    /// How a person would write it, where that is not its bytes: a PIN, a passkey, a name.
    pub text: Option<String>,
    /// A name, a serial number, an address: shown, but not where aliases stand.
    pub identity: bool,
}

/// All spellings of all secrets, ready to be looked up.
pub struct Search {
    parts: HashMap<[u8; PART], String>,
    letters: HashMap<[u8; LETTERS], String>,
    texts: Vec<(String, String)>,
}

impl Search {
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut search = Self { parts: HashMap::new(), letters: HashMap::new(), texts: Vec::new() };
        for secret in secrets {
            search.add(secret);
        }
        search
    }

    fn add(&mut self, secret: &Secret) {
        let reversed: Vec<u8> = secret.bytes.iter().rev().copied().collect();
        for bytes in [&secret.bytes, &reversed] {
            for part in bytes.windows(PART) {
                // What everybody has is nobody's secret: padding.
                if part.iter().collect::<HashSet<_>>().len() > 2 {
                    self.parts.insert(part.try_into().unwrap(), secret.what.clone());
                }
            }
            for spelled in [STANDARD.encode(bytes), URL_SAFE.encode(bytes)] {
                if let Some(letters) = spelled.as_bytes().first_chunk() {
                    self.letters.insert(*letters, secret.what.clone());
                }
            }
        }
        if let Some(text) = &secret.text {
            self.texts.push((text.to_lowercase(), secret.what.clone()));
        }
    }

    /// What of the secrets the output shows.
    pub fn leaks(&self, output: &str) -> Vec<String> {
        let mut found = HashSet::new();
        let digits = digits(output);
        let rows = digits.split(|digit| *digit == NONE);
        for run in rows.flat_map(|row| row.windows(2 * PART)) {
            let bytes = std::array::from_fn(|at| run[2 * at] << 4 | run[2 * at + 1]);
            found.extend(self.parts.get(&bytes).map(|what| format!("{what}, in hexadecimal")));
        }
        let numbers = numbers(output);
        let lists = numbers.split(Option::is_none);
        for list in lists.flat_map(|list| list.windows(PART)) {
            let bytes = std::array::from_fn(|at| list[at].unwrap_or_default());
            let what = self.parts.get(&bytes);
            found.extend(what.map(|what| format!("{what}, as a list of numbers")));
        }
        let words = output
            .as_bytes()
            .split(|byte| !byte.is_ascii_alphanumeric() && !b"+/-_=".contains(byte));
        for letters in words.flat_map(|word| word.windows(LETTERS)) {
            let what =
                letters.try_into().ok().and_then(|key: [u8; LETTERS]| self.letters.get(&key));
            found.extend(what.map(|what| format!("{what}, in base64")));
        }
        let lower = output.to_lowercase();
        for (text, what) in &self.texts {
            if lower.contains(text) {
                found.insert(format!("{what}, as `{text}`"));
            }
        }
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort();
        found
    }
}

/// All hexadecimal digits in a row, whatever parts them: the marks of numbers go, and so does
/// everything that is no letter. A letter that is no digit ends the row.
fn digits(output: &str) -> Vec<u8> {
    let mut digits = Vec::with_capacity(output.len());
    let bytes = output.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match char::from(byte).to_digit(16) {
            // `0x6f`
            Some(0) if matches!(bytes.get(at + 1), Some(b'x' | b'X')) => at += 1,
            Some(digit) => digits.push(digit as u8),
            None if byte.is_ascii_alphabetic() && !matches!(byte, b'x' | b'X') => digits.push(NONE),
            None => {}
        }
        at += 1;
    }
    digits
}

/// All decimal numbers in order; `None` for what is no byte.
fn numbers(output: &str) -> Vec<Option<u8>> {
    output
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().ok())
        .collect()
}

#[test]
fn every_spelling_is_found() {
    let bytes: Vec<u8> = (0..16).map(|n: u8| n.wrapping_mul(37).wrapping_add(90)).collect();
    let secret = Secret {
        what: "key".into(),
        bytes: bytes.clone(),
        text: Some("Open Sesame".into()),
        identity: false,
    };
    let search = Search::of([&secret]);
    let join = |separator: &str, spell: fn(&u8) -> String| {
        bytes.iter().map(spell).collect::<Vec<_>>().join(separator)
    };
    let hex = |byte: &u8| format!("{byte:02x}");
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    for spelled in [
        join("", hex),
        join("", hex).to_uppercase(),
        join(":", hex),
        join("-", hex),
        join(" ", hex),
        join(", ", |byte| format!("0x{byte:02X}")),
        join("", |byte| format!("\\x{byte:02x}")),
        join(",", |byte| byte.to_string()),
        join("\n", |byte| byte.to_string()),
        reversed.iter().map(hex).collect(),
        join("", hex)[8..22].to_owned(),
        STANDARD.encode(&bytes),
        URL_SAFE.encode(&reversed),
        "open SESAME".into(),
    ] {
        assert_eq!(
            search.leaks(&format!("an output with {spelled}, and more")).len(),
            1,
            "{spelled}"
        );
    }
    assert!(search.leaks("16 bytes, 0x0040, frame 12, 2026-09-21 14:13:20").is_empty());
}
