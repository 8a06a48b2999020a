//! One look at a line of a log. Nearly all lines hold nothing but usual words, short numbers and known addresses, and
//! what becomes of those is known without a search for keys, people and names.
//!
//! What the look answers is what the whole cleaning answers (a test holds the two against each other). Where that is
//! not sure, it answers nothing, and the line is cleaned as a whole.
use super::rows::BASE;
use super::words::{MOST_DIGITS, known, shaped, spell};
use crate::redact::{BASE64, GAP, LISTED, LONG, Meaning};
use crate::share::table::Table;
use foldhash::{HashMap, HashSet};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Longer words are looked at closely.
const LONGEST_WORD: usize = 40;
/// Characters of an address with signs between its pairs, and those signs.
const ADDRESS: usize = 17;
const BETWEEN: &[u8] = b":-_";
const PAIR: usize = 2;
/// Digits of an address without signs.
const ADDRESS_DIGITS: usize = 12;
/// Characters and words of a UUID.
const BASE_UUID: usize = 36;
const BASE_UUID_WORDS: usize = 5;
/// Digits of a passkey, at least.
const PASSKEY: usize = 4;
/// How long the numbers of a row of bytes are at most.
const SHORT: usize = 3;
/// Full stops between digits from here on may be those of a network address.
const DOTS: u32 = 3;

const WORD: u8 = 1;
const HEX: u8 = 2;
const DIGIT: u8 = 4;
const LARGE: u8 = 8;
const SMALL: u8 = 16;
/// A sign that may stand behind a word for a key.
const USUAL: u8 = 32;
/// A sign that base64 has too, and the one that it ends with.
const BASE64_SIGN: u8 = 64;
const END: u8 = 128;

/// What each character is.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 128 {
        let c = at as u8;
        classes[at] = match c {
            b'0'..=b'9' => WORD | HEX | DIGIT,
            b'A'..=b'F' => WORD | HEX | LARGE,
            b'a'..=b'f' => WORD | HEX | SMALL,
            b'G'..=b'Z' => WORD | LARGE,
            b'g'..=b'z' => WORD | SMALL,
            b'/' => USUAL | BASE64_SIGN,
            b'+' => BASE64_SIGN,
            b'=' => USUAL | BASE64_SIGN | END,
            b' ' | b'\t' | b'\n' | b'\x0c' | b'\r' => USUAL,
            b':' | b',' | b'.' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => USUAL,
            b'<' | b'>' | b'\'' | b'"' | b'`' | b'_' | b'-' | b'!' | b'?' => USUAL,
            _ => 0,
        };
        at += 1;
    }
    classes
};

/// What is known of a usual word.
#[derive(Clone, Copy, Debug)]
struct Entry {
    meaning: Meaning,
    /// It looks like a part of a key.
    strange: bool,
}

fn entries() -> &'static HashMap<&'static [u8], Entry> {
    static ENTRIES: OnceLock<HashMap<&'static [u8], Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let entry =
            |word: &str| Entry { meaning: Meaning::of(word), strange: has_run(word.as_bytes()) };
        known().iter().map(|word| (word.as_bytes(), entry(word))).collect()
    })
}

/// Looks at texts.
#[derive(Debug)]
pub struct Glance {
    /// The first words of names, in small letters.
    names: HashSet<Vec<u8>>,
    /// What these words begin with.
    begins: [bool; 256],
    /// There is a name without any word.
    wordless: bool,
}

impl Glance {
    /// With the names that have aliases.
    pub fn of(names: &[String]) -> Self {
        let mut glance = Self { names: HashSet::default(), begins: [false; 256], wordless: false };
        // Texts with other letters are cleaned as a whole.
        for name in names.iter().filter(|name| name.is_ascii()) {
            let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
            match words.find(|word| !word.is_empty()) {
                Some(first) => {
                    let first = first.to_ascii_lowercase().into_bytes();
                    glance.begins[usize::from(first[0])] = true;
                    glance.names.insert(first);
                }
                None => glance.wordless = true,
            }
        }
        glance
    }

    /// The cleaned text, where that is sure at once.
    pub fn clean<'t>(&self, table: &Table, text: &'t str) -> Option<Cow<'t, str>> {
        if self.wordless || !text.is_ascii() {
            return None;
        }
        let mut look = Look { bytes: text.as_bytes(), ..Look::default() };
        let mut cleaned = Cleaned { text, copied: 0, out: String::new() };
        let mut at = 0;
        while let Some(byte) = look.bytes.get(at) {
            let class = CLASSES[usize::from(*byte)];
            if class & WORD == 0 {
                look.sign(at, *byte, class)?;
                at += 1;
                continue;
            }
            if let Some(bytes) = look.address(at) {
                let alias = table.known_address(bytes).filter(|alias| table.is_alias(alias))?;
                look.pass_address(at, cleaned.address(at, alias))?;
                at += ADDRESS;
                continue;
            }
            if look.uuid == 0 && look.begins_base_uuid(at) {
                let last = at + BASE_UUID - ADDRESS_DIGITS;
                look.uuid = BASE_UUID_WORDS;
                if known_digits(table, look.bytes.get(last..at + BASE_UUID)?) {
                    return None;
                }
            }
            at = self.word(&mut look, at, &mut cleaned)?;
            look.end = at;
        }
        look.base_ends(at)?;
        Some(cleaned.finish())
    }

    /// Looks at the word that begins here; where it ends.
    fn word(&self, look: &mut Look<'_>, start: usize, cleaned: &mut Cleaned<'_>) -> Option<usize> {
        let mut small = [0; LONGEST_WORD];
        let (mut any, mut all) = (0, WORD | HEX | DIGIT);
        let mut end = start;
        while let Some(byte) = look.bytes.get(end) {
            let class = CLASSES[usize::from(*byte)];
            if class & WORD == 0 {
                break;
            }
            // Of digits the bit is set already.
            *small.get_mut(end - start)? = *byte | 0x20;
            any |= class;
            all &= class;
            end += 1;
        }
        look.kinds |= any;
        let word = &small[..end - start];
        // The digits of such a UUID say its assigned number, and are no row of bytes.
        let of_uuid = look.uuid > 0;
        let digits = digits_of(word, all);
        if of_uuid {
            look.uuid -= 1;
            look.pass_number();
        } else {
            look.number(start, digits)?;
        }
        if self.begins[usize::from(word[0])] && self.names.contains(word) {
            return None;
        }
        let (mut stays, mut meaning) = (true, Meaning::default());
        if all & DIGIT == 0 || word.len() > MOST_DIGITS {
            let shape = if any & DIGIT == 0 { None } else { shaped(cleaned.text.get(start..end)?) };
            let entry = entries().get(word);
            stays = word.len() == 1 || shape.unwrap_or(entry.is_some());
            meaning = match entry {
                Some(entry) => entry.meaning,
                // Every word that means something has other letters than a number, or is a usual one.
                None if digits.is_some() => Meaning::default(),
                None => Meaning::of(std::str::from_utf8(word).ok()?),
            };
            if !of_uuid && entry.map_or_else(|| has_run(word), |entry| entry.strange) {
                return None;
            }
        }
        look.meaning(word, start, end, all, meaning)?;
        if !stays {
            cleaned.mask(start, end);
        }
        Some(end)
    }
}

/// Whether these digits are one of the captures' addresses.
fn known_digits(table: &Table, digits: &[u8]) -> bool {
    let mut address = [0; 6];
    for (byte, pair) in address.iter_mut().rev().zip(digits.chunks(2)) {
        let pair =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        *byte = pair.unwrap_or_default();
    }
    table.known_address(address).is_some()
}

/// Whether digits stand in a row that may be a key.
fn has_run(word: &[u8]) -> bool {
    word.len() >= LONG && word.split(|byte| !byte.is_ascii_hexdigit()).any(|run| run.len() >= LONG)
}

/// How many hexadecimal digits the word is a number of, `0x` and `x` aside.
fn digits_of(word: &[u8], all: u8) -> Option<usize> {
    if all & HEX != 0 {
        return Some(word.len());
    }
    let digits = match word {
        [b'0', b'x', digits @ ..] | [b'x', digits @ ..] if !digits.is_empty() => digits,
        _ => return None,
    };
    digits.iter().all(u8::is_ascii_hexdigit).then_some(digits.len())
}

/// What was seen of a text so far.
#[derive(Debug, Default)]
struct Look<'t> {
    bytes: &'t [u8],
    /// Where the last word ended.
    end: usize,
    /// A word for a key was there.
    key: bool,
    /// A number was there that may be a passkey.
    passkey: bool,
    /// The last word makes `code` a word for a key.
    before_code: bool,
    /// Full stops between digits.
    dots: u32,
    /// Where the row of base64's characters began, and which kinds it has.
    base: usize,
    kinds: u8,
    /// The last word was a number.
    number: bool,
    /// Numbers in a row of equally many digits, with the same between them.
    even: usize,
    digits: usize,
    gap: Option<&'t [u8]>,
    /// Short numbers in a row.
    short: usize,
    /// The sign of the address that was the last word.
    between: Option<u8>,
    /// So many words of a UUID are still to come.
    uuid: usize,
}

impl<'t> Look<'t> {
    fn sign(&mut self, at: usize, byte: u8, class: u8) -> Option<()> {
        if byte == b'@' || self.key && class & USUAL == 0 {
            return None;
        }
        if class & BASE64_SIGN == 0 {
            self.base_ends(at)?;
            self.base = at + 1;
            self.kinds = 0;
        } else {
            self.kinds |= class & END;
        }
        if byte == b'.' {
            let digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_digit);
            self.dots += u32::from(digit(at + 1) && at.checked_sub(1).is_some_and(digit));
            return (self.dots < DOTS).then_some(());
        }
        Some(())
    }

    /// A row of base64's characters ends here: it is no key.
    fn base_ends(&self, at: usize) -> Option<()> {
        let mixed = LARGE | SMALL | DIGIT;
        let may_be = self.kinds & END != 0 || self.kinds & mixed == mixed;
        (at - self.base < BASE64 || !may_be).then_some(())
    }

    /// The address that begins here and is no part of anything longer.
    fn address(&self, at: usize) -> Option<[u8; 6]> {
        let text: &[u8; ADDRESS] = self.bytes.get(at..)?.first_chunk()?;
        let between = text[2];
        // Numbers right before it may make a longer row of both, and so may another address.
        if !BETWEEN.contains(&between) || self.number || self.between.is_some() {
            return None;
        }
        let mut address = [0; 6];
        for (place, pair) in text.chunks(3).enumerate() {
            let digit = |c: u8| char::from(c).to_digit(16).map(|digit| digit as u8);
            if pair.get(2).is_some_and(|sign| *sign != between) {
                return None;
            }
            address[5 - place] = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        let begins = match self.bytes.get(..at)? {
            [.., digit, sign] if *sign == between => !digit.is_ascii_hexdigit(),
            _ => true,
        };
        let ends = match self.bytes.get(at + ADDRESS..)? {
            [sign, next, ..] if *sign == between => !next.is_ascii_alphanumeric(),
            [next, ..] => !next.is_ascii_alphanumeric(),
            [] => true,
        };
        (begins && ends).then_some(address)
    }

    /// An address stood here, in whose place this one is written.
    fn pass_address(&mut self, at: usize, alias: &str) -> Option<()> {
        let kinds = |pair: Option<&str>| {
            pair.unwrap_or_default()
                .bytes()
                .fold(0, |kinds, byte| kinds | CLASSES[usize::from(byte)])
        };
        // Its first pair may end a row of base64's characters, and its last one begin such a row.
        self.kinds |= kinds(alias.get(..PAIR));
        self.base_ends(at + PAIR)?;
        self.kinds = kinds(alias.get(ADDRESS - PAIR..));
        self.base = at + ADDRESS - PAIR;
        self.end = at + ADDRESS;
        self.between = self.bytes.get(at + PAIR).copied();
        (self.number, self.short, self.before_code) = (false, 0, false);
        Some(())
    }

    /// Whether a UUID of the Bluetooth base begins here, and is no part of a row of numbers.
    fn begins_base_uuid(&self, at: usize) -> bool {
        let text = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<BASE_UUID>);
        text.is_some_and(|text| {
            let (number, base) = text.split_at(BASE_UUID - BASE.len());
            base.eq_ignore_ascii_case(BASE.as_bytes())
                && number.starts_with(b"0000")
                && number.iter().all(u8::is_ascii_hexdigit)
                && !self.bytes.get(at + BASE_UUID).is_some_and(u8::is_ascii_alphanumeric)
                && !self.number
                && self.between.is_none()
        })
    }

    /// The last word was no number.
    fn pass_number(&mut self) {
        (self.number, self.short, self.between) = (false, 0, None);
    }

    /// Takes notice of a word that is a number of so many digits, or none: it is no part of a row of bytes.
    fn number(&mut self, start: usize, digits: Option<usize>) -> Option<()> {
        let between = self.between.take();
        let Some(digits) = digits else {
            self.pass_number();
            return Some(());
        };
        let gap = self.bytes.get(self.end..start).filter(|gap| gap.len() <= GAP);
        let gap = gap.map(|gap| match gap.trim_ascii() {
            [] => b" ",
            marks => marks,
        });
        // The address before is a part of a longer row.
        if between.is_some_and(|sign| gap == Some(&[sign])) {
            return None;
        }
        let goes_on = self.number && gap.is_some() && digits == self.digits;
        self.even = match goes_on {
            true if self.even == 1 || gap == self.gap => self.even + 1,
            true => 2,
            false => 1,
        };
        (self.number, self.digits, self.gap) = (true, digits, gap);
        self.short = if digits <= SHORT { self.short + 1 } else { 0 };
        let total = if digits.is_multiple_of(2) { digits * self.even } else { digits };
        (total < LONG && self.short < LISTED).then_some(())
    }

    /// Takes notice of what a word means for those beside it: nothing that must go.
    fn meaning(
        &mut self,
        word: &[u8],
        start: usize,
        end: usize,
        all: u8,
        meaning: Meaning,
    ) -> Option<()> {
        let is_number = all & DIGIT != 0;
        let announces = meaning.announces || meaning.code && self.before_code;
        let before = start.checked_sub(1).and_then(|at| self.bytes.get(at));
        let folder = meaning.folder && matches!(self.bytes.get(end), Some(b'/' | b'\\'));
        // `api_key`
        let credential = meaning.credential || before == Some(&b'_') && word.starts_with(b"key");
        let digits = || word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let hidden = match announces {
            true => self.passkey || digits() >= PASSKEY,
            false => self.key && !meaning.plain,
        };
        if folder || credential || hidden {
            return None;
        }
        self.key |= announces;
        self.passkey |= is_number && word.len() >= PASSKEY;
        self.before_code = meaning.before_code;
        Some(())
    }
}

/// What becomes of a text.
struct Cleaned<'t> {
    text: &'t str,
    /// Up to here it was copied.
    copied: usize,
    out: String,
}

impl<'t> Cleaned<'t> {
    fn copy(&mut self, to: usize) {
        if self.copied == 0 {
            // A NUL may be put behind it.
            self.out.reserve(self.text.len() + 1);
        }
        self.out.push_str(self.text.get(self.copied..to).unwrap_or_default());
    }

    /// Writes the alias for the address that stands here; how it was written.
    fn address(&mut self, at: usize, alias: [u8; 6]) -> &str {
        self.copy(at);
        self.copied = at + ADDRESS;
        let from = self.out.len();
        spell(self.text.get(at..self.copied).unwrap_or_default(), alias, &mut self.out);
        self.out.get(from..).unwrap_or_default()
    }

    fn mask(&mut self, start: usize, end: usize) {
        self.copy(start);
        self.out.extend((start..end).map(|_| 'x'));
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'t, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.text);
        }
        self.copy(self.text.len());
        Cow::Owned(self.out)
    }
}
