//! Sentences made of pieces that still know what they are.
//!
//! A report's sentence holds addresses, names, codes, durations. Kept as pieces, each format shows them in its own
//! way, an alias can stand for an address without a search through finished text, and text that came from a
//! capture is never mistaken for ours.
//!
//! ```
//! use hcidiff::packet::Status;
//! use hcidiff::time::Span;
//! use hcidiff::text;
//!
//! let silence = Span::from_ms(420);
//! let reason = Status::CONNECTION_TIMEOUT;
//! let text = text!("Nothing was received for {}, then {}.", silence, reason);
//! assert_eq!(text.to_string(), "Nothing was received for 420 ms, then Connection Timeout (0x08).");
//! ```
use crate::packet::att::{ErrorCode, Handle};
use crate::packet::{Address, AddressType, ConnHandle, Opcode, Status, smp};
use crate::seen::SourceId;
use crate::text;
use crate::time::Span;
use std::borrow::Cow;
use std::fmt;

/// One or more sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Words);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    /// A sentence that is always the same takes no memory of its own.
    Fixed(&'static str),
    Pieces(Vec<Piece>),
}

/// A part of a sentence, as what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// Our own words. What stands between backticks is code.
    Plain(Cow<'static, str>),
    /// An address, for which an alias may stand.
    Address(Address),
    /// What a device or a host calls itself. Shown in quotation marks.
    Name(Box<str>),
    /// The same without quotation marks, as the subject of a sentence. A report cuts it where it is long.
    Called(Box<str>),
    /// What a capture or a log is called. A report cuts it in the middle where it is long.
    Label(Box<str>),
    /// A frame of a capture, or a place in a witness.
    Frame {
        /// Which one.
        source: SourceId,
        /// Counted from 1; of a log, the line.
        frame: u32,
    },
    /// One of the two sides of a comparison. A report that has a name for it says that.
    Reference,
    /// The other side.
    Subject,
    /// An attribute by its handle.
    Attribute(Handle),
    /// A number with the name that the specification gives it.
    Code(Code),
    /// A length of time.
    Duration(Span),
    /// Words from a capture or a log, which may hold anything.
    Quoted(Box<str>),
}

/// A number that the specification gives a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Of HCI.
    Hci(Status),
    /// Of the attribute protocol.
    Att(ErrorCode),
    /// Of the security manager.
    Smp(smp::Reason),
}

impl Text {
    /// Nothing at all.
    pub const EMPTY: Self = Self(Words::Fixed(""));

    /// Words of ours that are always the same.
    pub const fn fixed(words: &'static str) -> Self {
        Self(Words::Fixed(words))
    }

    /// The words with a piece in place of each `{}`. [`text!`](crate::text) calls this, and counts them first.
    pub fn filled(words: &'static str, pieces: &[&dyn Say]) -> Self {
        let mut text = Self(Words::Pieces(Vec::with_capacity(2 * pieces.len() + 1)));
        let mut rest = words;
        for piece in pieces {
            let (before, after) = rest.split_once("{}").unwrap_or((rest, ""));
            text.plain(before);
            piece.say(&mut text);
            rest = after;
        }
        text.plain(rest);
        text
    }

    /// Adds words of ours.
    pub fn plain(&mut self, words: &'static str) {
        if words.is_empty() {
            return;
        }
        if self.is_empty() {
            self.0 = Words::Fixed(words);
        } else {
            self.push(Piece::Plain(Cow::Borrowed(words)));
        }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: Piece) {
        let mut pieces = match std::mem::take(self).0 {
            Words::Fixed("") => Vec::new(),
            Words::Fixed(words) => vec![Piece::Plain(Cow::Borrowed(words))],
            Words::Pieces(pieces) => pieces,
        };
        match (pieces.last_mut(), piece) {
            // Words that follow each other are one piece.
            (Some(Piece::Plain(before)), Piece::Plain(more)) => before.to_mut().push_str(&more),
            (_, piece) => pieces.push(piece),
        }
        self.0 = Words::Pieces(pieces);
    }

    /// The same with more behind it.
    #[must_use]
    pub fn and(mut self, more: impl Say) -> Self {
        more.say(&mut self);
        self
    }

    /// One after the other, with these words between them.
    pub fn joined(texts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut texts = texts.into_iter();
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |text, next| text.and(between).and(next))
    }

    /// With a full stop at its end.
    #[must_use]
    pub fn stopped(self) -> Self {
        let ends = match &self.0 {
            Words::Fixed(words) => words.ends_with('.'),
            Words::Pieces(pieces) => {
                pieces.last().is_some_and(|last| last.to_string().ends_with('.'))
            }
        };
        if ends { self } else { self.and(".") }
    }

    /// With a capital letter at its beginning, where it begins with words of ours, and a full stop at its end.
    #[must_use]
    pub fn sentence(&self) -> Self {
        let mut text = Self::EMPTY;
        self.each(|piece| match piece {
            Piece::Plain(words) if text.is_empty() => {
                let mut letters = words.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                let words: String = first.chain(letters).collect();
                text.push(Piece::Plain(Cow::Owned(words)));
            }
            piece => piece.say(&mut text),
        });
        if text.is_empty() { text } else { text.stopped() }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Words::Fixed(words) => words.is_empty(),
            Words::Pieces(pieces) => pieces.is_empty(),
        }
    }

    /// The same with these names for the two sides of a comparison.
    #[must_use]
    pub fn with_sides(&self, reference: &Self, subject: &Self) -> Self {
        let mut text = Self::EMPTY;
        self.each(|piece| match piece {
            Piece::Reference => reference.say(&mut text),
            Piece::Subject => subject.say(&mut text),
            piece => piece.say(&mut text),
        });
        text
    }

    /// The same with these words of ours in place of those.
    #[must_use]
    pub(crate) fn replaced(&self, from: &str, to: &str) -> Self {
        let mut text = Self::EMPTY;
        self.each(|piece| match piece {
            Piece::Plain(words) => text.push(Piece::Plain(Cow::Owned(words.replace(from, to)))),
            piece => piece.say(&mut text),
        });
        text
    }

    /// Looks at the pieces one after the other.
    pub fn each(&self, mut look: impl FnMut(&Piece)) {
        match &self.0 {
            Words::Fixed("") => {}
            Words::Fixed(words) => look(&Piece::Plain(Cow::Borrowed(words))),
            Words::Pieces(pieces) => pieces.iter().for_each(look),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl From<&'static str> for Text {
    fn from(words: &'static str) -> Self {
        Self::fixed(words)
    }
}

impl From<Piece> for Text {
    fn from(piece: Piece) -> Self {
        Self(Words::Pieces(vec![piece]))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Words::Fixed(words) => f.write_str(words),
            Words::Pieces(pieces) => pieces.iter().try_for_each(|piece| piece.fmt(f)),
        }
    }
}

/// As plain text.
impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Plain(words) => f.write_str(words),
            Piece::Address(address) => address.fmt(f),
            Piece::Name(name) => write!(f, "\"{name}\""),
            Piece::Called(name) | Piece::Label(name) => f.write_str(name),
            Piece::Frame { frame, .. } => write!(f, "frame {frame}"),
            Piece::Reference => f.write_str("the reference"),
            Piece::Subject => f.write_str("the subject"),
            Piece::Attribute(handle) => handle.fmt(f),
            Piece::Code(code) => code.fmt(f),
            Piece::Duration(span) => span.fmt(f),
            Piece::Quoted(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Hci(status) => status.fmt(f),
            Code::Att(error) => error.fmt(f),
            Code::Smp(reason) => reason.fmt(f),
        }
    }
}

/// What can stand in a sentence.
///
/// There is no `impl` for `String`: text from a capture is a [`name`] or [`quoted`], and everything else has a type.
pub trait Say {
    /// Adds itself to the sentence.
    fn say(&self, text: &mut Text);
}

/// What a device or a host calls itself.
pub fn name(name: &str) -> Piece {
    Piece::Name(name.into())
}

/// Words from a capture or a log.
pub fn quoted(words: &str) -> Piece {
    Piece::Quoted(words.into())
}

/// The name of a file, as it is typed in a shell.
pub fn typed(file: &str) -> Piece {
    let plain = |c: char| c.is_alphanumeric() || "._-+,:=@%/".contains(c);
    if !file.is_empty() && file.chars().all(plain) {
        return quoted(file);
    }
    quoted(&format!("'{}'", file.replace('\'', r"'\''")))
}

/// A frame of a capture, or a place in a witness.
pub fn frame(source: SourceId, frame: u32) -> Piece {
    Piece::Frame { source, frame }
}

/// `1 try`, `3 tries`.
pub fn count(number: usize, one: &'static str, many: &'static str) -> Text {
    text!("{} {}", number, if number == 1 { one } else { many })
}

impl Say for Text {
    fn say(&self, text: &mut Text) {
        match &self.0 {
            Words::Fixed(words) => text.plain(words),
            Words::Pieces(pieces) => pieces.iter().for_each(|piece| piece.say(text)),
        }
    }
}

impl Say for Piece {
    fn say(&self, text: &mut Text) {
        text.push(self.clone());
    }
}

impl Say for &'static str {
    fn say(&self, text: &mut Text) {
        text.plain(self);
    }
}

impl<T: Say> Say for Option<T> {
    fn say(&self, text: &mut Text) {
        if let Some(piece) = self {
            piece.say(text);
        }
    }
}

/// Numbers, mostly: what no capture's owner could be known by.
impl Say for fmt::Arguments<'_> {
    fn say(&self, text: &mut Text) {
        match self.as_str() {
            Some(words) => text.plain(words),
            None => text.push(Piece::Plain(Cow::Owned(self.to_string()))),
        }
    }
}

macro_rules! say {
    // Types that print themselves and tell nothing of anybody.
    (plain: $($type:ty)*) => {
        $(impl Say for $type {
            fn say(&self, text: &mut Text) {
                text.push(Piece::Plain(Cow::Owned(self.to_string())));
            }
        })*
    };
    ($($type:ty => $piece:expr;)*) => {
        $(impl Say for $type {
            fn say(&self, text: &mut Text) {
                let make: fn($type) -> Piece = $piece;
                text.push(make(*self));
            }
        })*
    };
}

say! { plain: u8 i8 u16 u32 u64 i64 usize AddressType ConnHandle Opcode }

say! {
    Address => Piece::Address;
    Handle => Piece::Attribute;
    Span => Piece::Duration;
    Status => |code| Piece::Code(Code::Hci(code));
    ErrorCode => |code| Piece::Code(Code::Att(code));
    smp::Reason => |code| Piece::Code(Code::Smp(code));
}

/// How many `{}` the words have. Any other brace is a mistake.
pub const fn places(words: &str) -> usize {
    let bytes = words.as_bytes();
    let (mut at, mut found) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'{' {
            assert!(
                at + 1 < bytes.len() && bytes[at + 1] == b'}',
                "a brace that is no place for a piece"
            );
            found += 1;
            at += 1;
        } else {
            assert!(bytes[at] != b'}', "a brace that is no place for a piece");
        }
        at += 1;
    }
    found
}

/// A [`Text`](crate::prose::Text): words, with `{}` for each piece that follows them.
///
/// Pieces keep their types ([`Say`](crate::prose::Say)). Numbers that need a format of their own are
/// `format_args!("{ratio:.1}")`. Too many or too few pieces do not compile:
///
/// ```compile_fail
/// hcidiff::text!("heard {} of {} times", 3_usize);
/// ```
#[macro_export]
macro_rules! text {
    ($words:literal $(,)?) => {{
        const { assert!($crate::prose::places($words) == 0, "one piece for each pair of braces") };
        $crate::prose::Text::fixed($words)
    }};
    ($words:literal, $($piece:expr),+ $(,)?) => {{
        const {
            let pieces = [$(stringify!($piece)),+].len();
            assert!($crate::prose::places($words) == pieces, "one piece for each pair of braces");
        };
        $crate::prose::Text::filled($words, &[$(&$piece as &dyn $crate::prose::Say),+])
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &Text) -> Vec<Piece> {
        let mut all = Vec::new();
        text.each(|piece| all.push(piece.clone()));
        all
    }

    const LAMP: Address = Address([1, 0, 0, 0, 0, 0xc0]);

    #[test]
    fn pieces_stand_in_their_places_and_keep_their_types() {
        let text = text!("{} ({}) was lost after {}.", LAMP, name("Lamp"), Span::from_ms(420));
        assert_eq!(text.to_string(), "C0:00:00:00:00:01 (\"Lamp\") was lost after 420 ms.");
        assert_eq!(
            pieces(&text),
            [
                Piece::Address(LAMP),
                Piece::Plain(" (".into()),
                Piece::Name("Lamp".into()),
                Piece::Plain(") was lost after ".into()),
                Piece::Duration(Span::from_ms(420)),
                Piece::Plain(".".into()),
            ]
        );
    }

    #[test]
    fn a_sentence_inside_a_sentence_and_one_that_is_not_there() {
        let rssi = Some(-52_i8).map(|rssi| text!(" at {} dBm", rssi));
        assert_eq!(text!("heard{}", rssi).to_string(), "heard at -52 dBm");
        assert_eq!(text!("heard{}", None::<Text>), Text::fixed("heard"));
        assert_eq!(Text::fixed("It ended.").and(" Why?"), {
            let mut text = Text::EMPTY;
            text.push(Piece::Plain("It ended. Why?".into()));
            text
        });
    }

    #[test]
    fn a_clause_becomes_a_sentence() {
        assert_eq!(Text::fixed("it ended").sentence().to_string(), "It ended.");
        assert_eq!(text!("{} ended.", LAMP).sentence(), text!("{} ended.", LAMP));
        assert_eq!(text!("after {}", Span::from_ms(420)).stopped().to_string(), "after 420 ms.");
        assert_eq!(Text::EMPTY.sentence(), Text::EMPTY);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1, "try", "tries").to_string(), "1 try");
        assert_eq!(count(0, "try", "tries").to_string(), "0 tries");
    }

    #[test]
    fn the_name_of_a_file_is_one_word_of_the_shell() {
        for (file, word) in [
            ("works.btsnoop", "works.btsnoop"),
            ("two words.log", "'two words.log'"),
            ("it's", r"'it'\''s'"),
            ("$(x);`y`", "'$(x);`y`'"),
            ("", "''"),
        ] {
            assert_eq!(typed(file), quoted(word));
        }
    }

    #[test]
    fn text_from_outside_stays_apart_from_ours() {
        let text = text!("{} said: {}", "bluetoothd", quoted("connect `x` {}"));
        assert_eq!(text.to_string(), "bluetoothd said: connect `x` {}");
        assert_eq!(pieces(&text)[1], Piece::Quoted("connect `x` {}".into()));
    }
}
