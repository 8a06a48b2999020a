//! One card: what a name or a number means to those who print it.
use crate::packet::Status;
use std::fmt::Write;

/// What is known about one name or number. A row of a namespace's table.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Tells the cards of a namespace apart where they have no number. Never reused.
    pub key: &'static str,
    /// First and last number that the card is for.
    pub numbers: Option<(u32, u32)>,
    /// As those write it who print it.
    pub title: &'static str,
    /// Other spellings, in lower case.
    pub names: &'static [&'static str],
    /// What is certain.
    pub says: &'static str,
    /// What is usually behind it; empty where nothing is usual.
    pub likely: &'static str,
    /// What would decide, where the same words stand for different truths.
    pub decides: &'static str,
    /// HCI codes that can be behind it.
    pub codes: &'static [Status],
    /// Rules that look for it in a capture.
    pub rules: &'static [&'static str],
    /// The number that stands beside these words says more than the words.
    pub carries: bool,
}

/// A card without a number.
pub const fn word(key: &'static str, title: &'static str, says: &'static str) -> Card {
    Card {
        key,
        numbers: None,
        title,
        names: &[],
        says,
        likely: "",
        decides: "",
        codes: &[],
        rules: &[],
        carries: false,
    }
}

/// A card for a number.
pub const fn number(number: u32, title: &'static str, says: &'static str) -> Card {
    range(number, number, title, says)
}

/// A card for several numbers.
pub const fn range(first: u32, last: u32, title: &'static str, says: &'static str) -> Card {
    Card { numbers: Some((first, last)), ..word("", title, says) }
}

impl Card {
    pub const fn named(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }

    pub const fn likely(self, likely: &'static str) -> Self {
        Self { likely, ..self }
    }

    pub const fn decides(self, decides: &'static str) -> Self {
        Self { decides, ..self }
    }

    pub const fn codes(self, codes: &'static [Status]) -> Self {
        Self { codes, ..self }
    }

    pub const fn rules(self, rules: &'static [&'static str]) -> Self {
        Self { rules, ..self }
    }

    pub const fn carries(self) -> Self {
        Self { carries: true, ..self }
    }

    pub fn has(&self, number: u32) -> bool {
        self.numbers.is_some_and(|(first, last)| (first..=last).contains(&number))
    }
}

/// Whose names and numbers they are.
#[derive(Debug)]
pub struct Namespace {
    /// The first half of its cards' ids.
    pub id: &'static str,
    /// What its cards are: `ATT error`.
    pub title: &'static str,
    /// Who prints these numbers; says why one of them is likely meant.
    pub printed: &'static str,
    /// Words on a line that say that a number there is one of these.
    pub words: &'static [&'static str],
    /// Its numbers are printed in decimal.
    pub decimal: bool,
    /// A name counts only where nothing else is asked: it is an everyday word.
    pub whole: bool,
    /// In a log a name counts only on a line that is about Bluetooth.
    pub everyday: bool,
    pub cards: &'static [Card],
    pub sources: &'static [&'static str],
}

impl Namespace {
    /// What a table leaves out.
    pub const NONE: Self = Self {
        id: "",
        title: "",
        printed: "",
        words: &[],
        decimal: false,
        whole: false,
        everyday: false,
        cards: &[],
        sources: &[],
    };
}

/// A card, whose it is, and the number that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub namespace: &'static Namespace,
    pub card: &'static Card,
    pub number: Option<u32>,
    /// Why it is this one; empty where that needs no word.
    pub why: &'static str,
    /// It is what the question is about, as far as its words tell; else it only has the same number.
    pub sure: bool,
}

impl Hit {
    pub fn of(namespace: &'static Namespace, card: &'static Card) -> Self {
        Self { namespace, card, number: None, why: "", sure: false }
    }

    /// `hci:0x3e`, `bleak:not-performed-yet`.
    pub fn id(&self) -> String {
        match self.number.or(self.card.numbers.map(|(first, _)| first)) {
            Some(number) if self.namespace.decimal => format!("{}:{number}", self.namespace.id),
            Some(number) => format!("{}:{number:#04x}", self.namespace.id),
            None => format!("{}:{}", self.namespace.id, self.card.key),
        }
    }

    /// The name, with its number in both spellings.
    pub fn title(&self) -> String {
        match self.number.or(self.card.numbers.map(|(first, _)| first)) {
            Some(number) if self.namespace.decimal || number < 10 => {
                format!("{} ({number})", self.card.title)
            }
            Some(number) => format!("{} ({number:#04x}, decimal {number})", self.card.title),
            None => self.card.title.to_owned(),
        }
    }

    /// The whole card.
    pub fn render(&self) -> String {
        let (card, namespace) = (self.card, self.namespace);
        let mut out = format!("{}\n{}   [{}]\n", self.title(), namespace.title, self.id());
        if !self.why.is_empty() {
            wrapped("  ", "  ", self.why, &mut out);
        }
        out.push('\n');
        labelled("means", card.says, &mut out);
        labelled("likely", card.likely, &mut out);
        labelled("decides", card.decides, &mut out);
        for code in card.codes {
            labelled("HCI", &code.to_string(), &mut out);
        }
        for rule in card.rules {
            labelled("rule", &format!("hcidiff explain {rule}"), &mut out);
        }
        for source in namespace.sources {
            labelled("source", source, &mut out);
        }
        out
    }

    /// One line, for a card that may be meant as well.
    pub fn brief(&self) -> String {
        format!("{:18} {} ({})", self.id(), self.card.title, self.namespace.title)
    }
}

/// Text is broken before this column.
const WIDTH: usize = 80;

fn labelled(label: &str, text: &str, out: &mut String) {
    if !text.is_empty() {
        wrapped(&format!("  {label:8} "), "           ", text, out);
    }
}

/// Writes `text` in lines of at most [`WIDTH`] columns.
pub fn wrapped(first: &str, others: &str, text: &str, out: &mut String) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        let full = line.chars().count() + 1 + word.chars().count() > WIDTH;
        if full && !empty {
            let _ = writeln!(out, "{}", line.trim_end());
            line = others.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
