//! The grammar: words become an expectation that can be judged, or a message that points at the wrong column.
//!
//! ```text
//! expectation = and { "or" and }
//! and         = not { "and" not }
//! not         = [ "not" ] atom
//! atom        = "(" expectation ")"
//!             | ( "every" | "some" ) "connection" not
//!             | [ "no" ] "finding" [ LEVEL | RULE ]
//!             | "steps" "contains" PROCEDURE [ WHAT ] [ OUTCOME ] [ ( "before" | "after" ) TIME ]
//!             | "count" FIELD SIGN NUMBER
//!             | FIELD [ SIGN VALUE | "contains" TEXT ]
//! SIGN        = "=" | "!=" | "<" | "<=" | ">" | ">="
//! ```
use super::fields::{self, Field, nearest};
use super::tokens::{Kind, Token, tokens};
use crate::diagnose::{Level, RULES};
use std::fmt;

/// Parentheses and `not` inside of each other: more than anybody writes.
const DEEPEST: usize = 32;

/// What is wrong with an expectation, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    text: String,
    /// From 1, in characters.
    column: usize,
    says: String,
}

impl Wrong {
    pub(super) fn new(text: &str, at: usize, says: impl Into<String>) -> Self {
        let column = text.get(..at).map_or(at, |before| before.chars().count()) + 1;
        Self { text: text.to_owned(), column, says: says.into() }
    }

    /// The column that is wrong, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// The expectation, a mark under the column, and what is wrong there.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A long text is shown from shortly before the place.
        const SHOWN: usize = 70;
        const BEFORE: usize = 40;
        let skipped =
            if self.text.chars().count() > SHOWN { self.column.saturating_sub(BEFORE) } else { 0 };
        let shown: String = self.text.chars().skip(skipped).take(SHOWN).collect();
        let indent = " ".repeat(self.column - 1 - skipped);
        write!(f, "column {}: {}\n  {shown}\n  {indent}^", self.column, self.says)
    }
}

impl std::error::Error for Wrong {}

/// What is expected.
#[derive(Clone, Debug)]
pub enum Expr {
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    /// Of all connections to the device: each of them, or at least one.
    Connections {
        every: bool,
        expr: Box<Expr>,
    },
    Finding(Sought),
    Steps(Step),
    Count {
        field: Field,
        sign: Sign,
        number: f64,
    },
    Compare {
        field: Field,
        sign: Sign,
        value: Operand,
    },
    Contains {
        field: Field,
        text: String,
    },
    /// A field that is true or false.
    Flag(Field),
}

/// Which finding is meant.
#[derive(Clone, Debug)]
pub enum Sought {
    /// This level, or a graver one.
    Level(Level),
    Rule(String),
}

/// Which step is meant.
#[derive(Clone, Debug, Default)]
pub struct Step {
    pub procedure: String,
    /// The beginning of a UUID, a handle, or a part of a name.
    pub what: Option<String>,
    pub outcome: Option<String>,
    /// Milliseconds after the connection.
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// As it was written.
    pub written: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Number(f64),
    Text(String),
    Truth(bool),
    Null,
}

const EXPECTED: &str = "expected a field (mtu.effective), `finding`, `steps contains`, `count`, `every connection` or `(`";

/// Reads a whole expectation.
pub fn parse(text: &str) -> Result<Expr, Wrong> {
    let tokens = tokens(text).map_err(|rest| {
        let says = if rest.starts_with('"') {
            "this quote does not end".to_owned()
        } else {
            "this sign has no meaning here".to_owned()
        };
        Wrong::new(text, text.len() - rest.len(), says)
    })?;
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0 };
    let expr = parser.expectation()?;
    match parser.peek() {
        None => Ok(expr),
        Some(more) => Err(parser.wrong(more.at, "expected `and`, `or`, or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<&'a Token<'a>> {
        let token = self.peek();
        self.next += usize::from(token.is_some());
        token
    }

    /// The next word if it is one of these.
    fn word(&mut self, words: &[&str]) -> Option<&'a str> {
        match self.peek()?.kind {
            Kind::Word(word) if words.contains(&word) => {
                self.next += 1;
                Some(word)
            }
            _ => None,
        }
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.kind == Kind::Sign(sign_of(sign)));
        self.next += usize::from(is);
        is
    }

    fn wrong(&self, at: usize, says: impl Into<String>) -> Wrong {
        Wrong::new(self.text, at, says)
    }

    /// What is wrong at the next word, or at the end.
    fn wrong_here(&self, says: impl Into<String>) -> Wrong {
        self.wrong(self.peek().map_or(self.text.len(), |token| token.at), says)
    }

    fn expectation(&mut self) -> Result<Expr, Wrong> {
        let mut any = vec![self.all()?];
        while self.word(&["or"]).is_some() {
            any.push(self.all()?);
        }
        Ok(one_or(any, Expr::Any))
    }

    fn all(&mut self) -> Result<Expr, Wrong> {
        let mut all = vec![self.not()?];
        while self.word(&["and"]).is_some() {
            all.push(self.not()?);
        }
        Ok(one_or(all, Expr::All))
    }

    fn not(&mut self) -> Result<Expr, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong_here("this is nested too deeply"));
        }
        let expr = if self.word(&["not"]).is_some() {
            Expr::Not(Box::new(self.not()?))
        } else {
            self.atom()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn atom(&mut self) -> Result<Expr, Wrong> {
        if self.sign("(") {
            let inner = self.expectation()?;
            return if self.sign(")") { Ok(inner) } else { Err(self.wrong_here("expected `)`")) };
        }
        if let Some(word) = self.word(&["every", "some"]) {
            if self.word(&["connection"]).is_none() {
                return Err(self.wrong_here("expected `connection`"));
            }
            return Ok(Expr::Connections { every: word == "every", expr: Box::new(self.not()?) });
        }
        if self.word(&["no"]).is_some() {
            return if self.word(&["finding"]).is_some() {
                Ok(Expr::Not(Box::new(self.finding()?)))
            } else {
                Err(self.wrong_here("expected `finding`"))
            };
        }
        if self.word(&["finding"]).is_some() {
            return self.finding();
        }
        if self.word(&["count"]).is_some() {
            return self.count();
        }
        let begins = self.next;
        if self.word(&["steps"]).is_some() && self.word(&["contains", "contain"]).is_some() {
            return self.steps(begins);
        }
        self.next = begins;
        self.comparison()
    }

    /// `cause`, `never-heard-peer`, or nothing: any finding.
    fn finding(&mut self) -> Result<Expr, Wrong> {
        let levels = [("cause", Level::Cause), ("suspect", Level::Suspect), ("note", Level::Note)];
        if let Some(word) = self.word(&levels.map(|(word, _)| word)) {
            let level = levels.iter().find(|(name, _)| *name == word).map(|(_, level)| *level);
            return Ok(Expr::Finding(Sought::Level(level.unwrap_or(Level::Note))));
        }
        match self.peek() {
            Some(&Token { at, kind: Kind::Word(word) }) if !["and", "or"].contains(&word) => {
                let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
                if !ids.contains(&word) {
                    let says = format!(
                        "{word} is no level (cause, suspect, note) and no rule{}",
                        did_you_mean(&nearest(word, ids))
                    );
                    return Err(self.wrong(at, says));
                }
                self.next += 1;
                Ok(Expr::Finding(Sought::Rule(word.to_owned())))
            }
            _ => Ok(Expr::Finding(Sought::Level(Level::Note))),
        }
    }

    fn steps(&mut self, begins: usize) -> Result<Expr, Wrong> {
        let procedures = fields::words_of_step("procedure");
        let outcomes = fields::words_of_step("outcome");
        let mut step = match self.peek() {
            Some(&Token { kind: Kind::Word(word), .. }) if procedures.contains(&word) => {
                self.next += 1;
                Step { procedure: word.to_owned(), ..Step::default() }
            }
            Some(&Token { at, kind: Kind::Word(word) }) => {
                let near = nearest(word, procedures);
                let says = format!("{word} is no procedure{}", did_you_mean(&near));
                return Err(self.wrong(at, says));
            }
            _ => return Err(self.wrong_here("expected a procedure, as in `write` or `subscribe`")),
        };
        loop {
            match self.peek().map(|token| token.kind) {
                Some(Kind::Word(word @ ("before" | "after"))) => {
                    self.next += 1;
                    let time = Some(self.time()?);
                    if word == "before" { step.before = time } else { step.after = time }
                }
                Some(Kind::Word(word)) if outcomes.contains(&word) => {
                    self.next += 1;
                    step.outcome = Some(word.to_owned());
                }
                Some(Kind::Word("and" | "or")) | Some(Kind::Sign(_)) | None => break,
                Some(Kind::Word(what) | Kind::Quoted(what)) => {
                    if step.what.is_some() {
                        return Err(self.wrong_here("expected `before`, `after` or an outcome"));
                    }
                    self.next += 1;
                    step.what = Some(what.to_owned());
                }
            }
        }
        let words: Vec<String> =
            self.tokens[begins + 2..self.next].iter().map(Token::show).collect();
        step.written = words.join(" ");
        Ok(Expr::Steps(step))
    }

    /// `300 ms`, `0.3 s`, in milliseconds.
    fn time(&mut self) -> Result<f64, Wrong> {
        let (number, unit, _) = self.number("expected a time, as in `300 ms`")?;
        match unit {
            Some(unit) => Ok(number * unit),
            None => Err(self.wrong_here("expected a unit: `ms`, `s` or `min`")),
        }
    }

    /// A number, the milliseconds of its unit if it has one, and where it stands.
    fn number(&mut self, expected: &str) -> Result<(f64, Option<f64>, usize), Wrong> {
        let Some(&Token { at, kind: Kind::Word(word) }) = self.peek() else {
            return Err(self.wrong_here(expected));
        };
        let digits = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
        let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        let (number, unit) = match hex {
            Some(hex) => (u32::from_str_radix(hex, 16).ok().map(f64::from), ""),
            None => (word[..digits].parse::<f64>().ok(), &word[digits..]),
        };
        let number = number.filter(|number| number.is_finite());
        let (Some(number), Some(unit)) = (number, unit_ms(unit)) else {
            return Err(self.wrong(at, expected));
        };
        self.next += 1;
        let unit = match unit {
            Some(unit) => Some(unit),
            None => self.word(&["ms", "s", "min"]).and_then(|word| unit_ms(word).flatten()),
        };
        Ok((number, unit, at))
    }

    fn count(&mut self) -> Result<Expr, Wrong> {
        let (field, at) = self.field()?;
        if !field.holds.list {
            return Err(
                self.wrong(at, format!("{} is no list, so there is no count", field.written))
            );
        }
        let sign =
            self.comparing().ok_or_else(|| self.wrong_here("expected `=`, `<` or the like"))?;
        let (number, unit, at) = self.number("expected a number")?;
        if unit.is_some() {
            return Err(self.wrong(at, "a count has no unit"));
        }
        Ok(Expr::Count { field, sign, number })
    }

    fn field(&mut self) -> Result<(Field, usize), Wrong> {
        let Some(&Token { at, kind: Kind::Word(word) }) = self.peek() else {
            return Err(self.wrong_here(EXPECTED));
        };
        let field = fields::find(word).map_err(|unknown| {
            let near = did_you_mean(&unknown.near);
            self.wrong(at + unknown.offset, format!("there is no field {}{near}", unknown.part))
        })?;
        self.next += 1;
        Ok((field, at))
    }

    fn comparing(&mut self) -> Option<Sign> {
        let sign = match self.peek()?.kind {
            Kind::Sign("=") => Sign::Equal,
            Kind::Sign("!=") => Sign::Unequal,
            Kind::Sign("<") => Sign::Less,
            Kind::Sign("<=") => Sign::AtMost,
            Kind::Sign(">") => Sign::More,
            Kind::Sign(">=") => Sign::AtLeast,
            _ => return None,
        };
        self.next += 1;
        Some(sign)
    }

    fn comparison(&mut self) -> Result<Expr, Wrong> {
        let (field, at) = self.field()?;
        if self.word(&["contains"]).is_some() {
            let holds = &field.holds;
            if !holds.text && !holds.list {
                let says = format!("{} holds no text", field.written);
                return Err(self.wrong(at, says));
            }
            let text = match self.take().map(|token| token.kind) {
                Some(Kind::Word(text) | Kind::Quoted(text)) => text.to_owned(),
                _ => {
                    self.next = self.next.saturating_sub(1);
                    return Err(self.wrong_here("expected a text"));
                }
            };
            return Ok(Expr::Contains { field, text });
        }
        let Some(sign) = self.comparing() else {
            if field.holds.truth {
                return Ok(Expr::Flag(field));
            }
            return Err(self.wrong_here(format!(
                "{} is not true or false: expected `=`, `<`, `contains` or the like",
                field.written
            )));
        };
        let value = self.operand(&field, sign)?;
        Ok(Expr::Compare { field, sign, value })
    }

    /// What a field is compared with: it has to be of the kind that the field holds.
    fn operand(&mut self, field: &Field, sign: Sign) -> Result<Operand, Wrong> {
        let equality = matches!(sign, Sign::Equal | Sign::Unequal);
        let at = self.peek().map_or(self.text.len(), |token| token.at);
        if self.word(&["null", "none"]).is_some() {
            return if equality {
                Ok(Operand::Null)
            } else {
                Err(self.wrong(at, "nothing is less or more than null"))
            };
        }
        let holds = &field.holds;
        if holds.number {
            let (number, unit, at) = self.number("expected a number")?;
            let number = match (unit, field.unit_ms()) {
                (Some(unit), Some(own)) => number * unit / own,
                (None, _) => number,
                (Some(_), None) => {
                    return Err(self.wrong(at, format!("{} is no time", field.written)));
                }
            };
            return Ok(Operand::Number(number));
        }
        if !equality {
            let says =
                format!("{} is no number: it can be compared with `=` and `!=`", field.written);
            return Err(self.wrong(at, says));
        }
        if holds.truth
            && let Some(word) = self.word(&["true", "false", "yes", "no"])
        {
            return Ok(Operand::Truth(["true", "yes"].contains(&word)));
        }
        if !holds.text {
            let says = if holds.truth {
                "expected `true` or `false`".to_owned()
            } else {
                format!(
                    "{} holds several values: only `= null` and `!= null` can be asked",
                    field.written
                )
            };
            return Err(self.wrong(at, says));
        }
        let text = match self.take().map(|token| token.kind) {
            Some(Kind::Word(text) | Kind::Quoted(text)) => text.to_owned(),
            _ => return Err(self.wrong(at, "expected a word, or a text in quotes")),
        };
        if !holds.words.is_empty() && !holds.words.contains(&text) {
            let known: Vec<&str> = holds.words.iter().map(String::as_str).collect();
            let says = format!("{} is never {text}: it is {}", field.written, known.join(", "));
            return Err(self.wrong(at, says));
        }
        Ok(Operand::Text(text))
    }
}

fn sign_of(sign: &str) -> &'static str {
    if sign == "(" { "(" } else { ")" }
}

fn one_or(mut all: Vec<Expr>, many: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match all.pop() {
        Some(one) if all.is_empty() => one,
        Some(last) => {
            all.push(last);
            many(all)
        }
        None => many(all),
    }
}

/// The milliseconds of a unit; `Some(None)` where none is written.
fn unit_ms(unit: &str) -> Option<Option<f64>> {
    match unit {
        "" => Some(None),
        "ms" => Some(Some(1.0)),
        "s" => Some(Some(1000.0)),
        "min" => Some(Some(60_000.0)),
        _ => None,
    }
}

fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}
