//! What was found becomes text: for terminals, for machines, for pages.
use crate::case::{Analysis, Value};
use crate::compare::describe;
use crate::prose::{Piece, Say, Text};
use crate::seen::SourceId;
use crate::text;
use crate::timeline::Step;
use crate::witness::Testimony;

pub(crate) mod aliases;
mod clock;
pub(crate) mod content;
pub mod doctor;
pub mod events;
pub mod facts;
mod fields;
mod hexdump;
pub mod html;
pub mod json;
mod line;
pub mod markdown;
mod read_on;
pub mod safe;
mod sentence;
mod spans;
pub mod terminal;
pub(crate) mod words;

use aliases::Aliases;
use std::ops::Deref;
use std::sync::OnceLock;

/// Everything that a report may show; every renderer reads this and nothing else.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// What was found.
    pub analysis: Analysis,
    /// What the user wants to see of it.
    pub shown: Shown,
    /// What was asked for, to be repeated: file names without folders, and what differs from the defaults.
    pub command: String,
    /// Made when the first of them is asked for.
    pub(crate) aliases: OnceLock<Aliases>,
}

/// What the user wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Also the differences that are normal between host stacks.
    pub strict: bool,
    /// Do not fold equal or repeated steps.
    pub full: bool,
    /// Attribute values; elsewhere their length.
    pub values: bool,
    /// Aliases instead of addresses and names.
    pub aliases: bool,
}

/// A report is an analysis and the way in which it is shown: its renderers read the analysis as their own.
impl Deref for Report {
    type Target = Analysis;

    fn deref(&self) -> &Analysis {
        &self.analysis
    }
}

impl From<Analysis> for Report {
    fn from(analysis: Analysis) -> Self {
        Self { analysis, ..Self::default() }
    }
}

impl Report {
    /// Text as it may be shown: without what moves cursors, and without addresses and names if so asked.
    pub fn visible(&self, words: &impl Say) -> String {
        let mut text = Text::EMPTY;
        words.say(&mut text);
        spans::show(&text, self.hidden())
    }

    /// What a device or a host calls itself, as it may be shown.
    fn named(&self, name: &str) -> String {
        spans::named(name, self.hidden())
    }

    fn hidden(&self) -> Option<&Aliases> {
        self.shown.aliases.then(|| self.aliases())
    }

    /// The sentence on top of every report: who, and with what result.
    pub fn headline(&self) -> String {
        self.visible(&content::headline(self).says)
    }

    /// What can be chosen to be told instead: number, device and end of each attempt of a capture.
    pub fn attempts(&self, capture: usize) -> impl Iterator<Item = (u32, String)> + '_ {
        let connections =
            self.captures.get(capture).map_or(&[][..], |capture| &capture.connections);
        connections.iter().map(|connection| {
            let says = text!("{}: {}", describe(connection), words::ending(connection));
            (connection.number, self.visible(&says))
        })
    }

    /// The value that a step wrote, read or was sent, where values are to be shown.
    pub fn value(&self, capture: usize, step: &Step) -> Option<&Value> {
        if !self.shown.values {
            return None;
        }
        let at = |frame| self.values.get(&(capture, frame)).filter(|value| self.may_show(value));
        at(step.frame).or_else(|| at(step.last.frame).filter(|_| step.count == 1))
    }

    /// Where aliases stand, no value tells whose device it is.
    fn may_show(&self, value: &Value) -> bool {
        !self.shown.aliases || !value.identity && !self.aliases().tells_name(&value.head)
    }

    /// What was left out, for the foot of a report that somebody may pass on.
    pub fn left_out(&self) -> &'static str {
        match (self.shown.aliases, self.shown.values) {
            (true, false) => {
                "Addresses and names are aliases, the same in all sections; values and keys are left out."
            }
            (true, true) => {
                "Addresses and names are aliases, the same in all sections. Keys are left out, and values that \
                 are a name, a serial number or another identity by their type. Other values stand as they were \
                 captured: read them before you pass this on."
            }
            (false, false) => "Addresses and names are real; values and keys are left out.",
            (false, true) => "Addresses, names and values are real; keys are left out.",
        }
    }

    /// What a source is called, short enough to stand in a sentence.
    pub fn label(&self, source: impl Into<SourceId>) -> String {
        self.visible(&self.source(source))
    }

    /// What a source is called, as a piece of a sentence.
    pub fn source(&self, source: impl Into<SourceId>) -> Piece {
        let source = source.into();
        Piece::Label(match source.capture() {
            Some(index) => self.captures.get(index).map_or("", |c| c.label.as_str()).into(),
            None => self
                .witness(source)
                .map_or_else(|| source.to_string().into(), |of| of.log.file.as_str().into()),
        })
    }

    /// The log that facts name as their source.
    fn witness(&self, source: SourceId) -> Option<&Testimony> {
        self.testimonies.iter().find(|testimony| testimony.source == source)
    }

    /// Whether it goes without saying which source is meant: there is one capture, and this is it.
    pub fn is_only_source(&self, source: SourceId) -> bool {
        self.captures.len() == 1 && source.capture().is_some()
    }

    /// What stands for addresses and names where [`Shown::aliases`] asks for it.
    pub(crate) fn aliases(&self) -> &Aliases {
        self.aliases.get_or_init(|| Aliases::of(&self.captures).and_of(&self.testimonies))
    }
}
