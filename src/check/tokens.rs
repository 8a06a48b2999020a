//! The words of the language: names, numbers, quoted texts, signs.
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, multispace0};
use nom::combinator::{map, recognize, value};
use nom::error::ParseError;
use nom::multi::many0;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// One word, and where it begins in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Token<'a> {
    pub at: usize,
    pub kind: Kind<'a>,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'a> {
    /// A name, a number, a code, an address: letters, digits and `_ . : -`.
    Word(&'a str),
    /// What stands between quotes.
    Quoted(&'a str),
    /// A comparison, or a parenthesis.
    Sign(&'static str),
}

impl Token<'_> {
    /// The word as it is quoted in a message.
    pub fn show(&self) -> String {
        match self.kind {
            Kind::Word(word) | Kind::Sign(word) => word.to_owned(),
            Kind::Quoted(text) => format!("\"{text}\""),
        }
    }
}

/// Nom's error, with nothing but the place: the grammar says what it expected.
#[derive(Debug)]
pub struct Place<'a>(pub &'a str);

impl<'a> ParseError<&'a str> for Place<'a> {
    fn from_error_kind(input: &'a str, _: nom::error::ErrorKind) -> Self {
        Self(input)
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// All words of a text; where there is something that is no word, what is left from there.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, &str> {
    let one = |rest| token(text, rest);
    match terminated(many0(preceded(multispace0, one)), multispace0).parse(text) {
        Ok(("", all)) => Ok(all),
        Ok((rest, _)) => Err(rest),
        Err(nom::Err::Error(Place(rest)) | nom::Err::Failure(Place(rest))) => Err(rest),
        Err(nom::Err::Incomplete(_)) => Err(""),
    }
}

fn token<'a>(text: &'a str, rest: &'a str) -> IResult<&'a str, Token<'a>, Place<'a>> {
    let at = text.len() - rest.len();
    let quoted = delimited(char('"'), take_while(|letter| letter != '"'), char('"'));
    let word = recognize(take_while1(|letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-')
    }));
    let kind = alt((sign, map(quoted, Kind::Quoted), map(word, Kind::Word)));
    map(kind, move |kind| Token { at, kind }).parse(rest)
}

fn sign(rest: &str) -> IResult<&str, Kind<'_>, Place<'_>> {
    let one = |written, meant| value(Kind::Sign(meant), tag(written));
    alt((
        one("<=", "<="),
        one(">=", ">="),
        one("!=", "!="),
        one("==", "="),
        one("<", "<"),
        one(">", ">"),
        one("=", "="),
        one("(", "("),
        one(")", ")"),
    ))
    .parse(rest)
}
