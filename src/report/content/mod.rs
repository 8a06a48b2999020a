//! What a report says under its verdict, section by section, whatever draws it.
mod air;
mod answers;
mod attempts;
mod capture;
pub mod devices;
mod early;
pub mod finding;
mod first;
mod heard;
mod places;
mod sides;
mod spoken;
mod tables;
mod timeline;
mod witnesses;

pub use first::{Headline, Kind, Line, Topic as FirstTopic, headline, lines, outcome};
use first::{SETTLES, log_open, log_story};
pub use places::{display_filter, environment, frame};
pub use sides::{divergence, labels, only_in_reference, role, sides};
pub use spoken::{Said, Spoken, ThirdLane, about as spoken};

use crate::compare::Side;
use crate::prose::{Say, Text, quoted};
use crate::report::Report;
use crate::text;

/// One part of a report: a title, and what stands under it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// In sentence case; a terminal shouts its first word.
    pub title: Text,
    pub topic: Topic,
    pub blocks: Vec<Block>,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topic {
    #[default]
    Capture,
    Sides,
    Attempts,
    Timeline,
    Early,
    End,
    Clocks,
    /// How many connection events answers took.
    Answers,
    Parameters,
    Database,
    /// What a log says.
    Witness,
}

/// A line or a table of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// A sentence behind its label; the label may be empty.
    Item {
        label: Text,
        text: Text,
        paint: Paint,
    },
    Table(Table),
}

/// Rows under an optional heading row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub header: Option<Vec<Field>>,
    pub rows: Vec<Vec<Field>>,
    /// Heading and rows for whoever has the width for both sides beside each other.
    pub beside: Option<(Vec<Field>, Vec<Vec<Field>>)>,
    /// The last column holds remarks, which may as well stand under the second.
    pub remarks: bool,
}

/// One cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub text: Text,
    pub paint: Paint,
    pub right: bool,
}

/// What a piece of text wants to look like, where colours are on. Never the only sign of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    #[default]
    Plain,
    Bold,
    Faint,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Field {
    pub fn right(text: impl Into<Self>) -> Self {
        Self { right: true, ..text.into() }
    }

    pub fn paint(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

impl From<Text> for Field {
    fn from(text: Text) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&'static str> for Field {
    fn from(text: &'static str) -> Self {
        Text::fixed(text).into()
    }
}

/// Text from outside. If aliases are shown, it is searched for addresses and names.
impl From<String> for Field {
    fn from(text: String) -> Self {
        Text::from(quoted(&text)).into()
    }
}

impl Section {
    fn new(topic: Topic, title: impl Into<Text>) -> Self {
        Self { title: title.into(), topic, blocks: Vec::new() }
    }

    fn item(&mut self, label: impl Say, text: impl Say, paint: Paint) {
        let (label, text) = (Text::EMPTY.and(label), Text::EMPTY.and(text));
        self.blocks.push(Block::Item { label, text, paint });
    }

    fn table(&mut self, header: Option<Vec<Field>>, rows: Vec<Vec<Field>>) {
        self.blocks.push(Block::Table(Table { header, rows, ..Table::default() }));
    }
}

/// That the sides were given the wrong way round, where they were.
pub fn swapped(report: &Report) -> Option<Text> {
    let comparison = report.comparison.as_ref().filter(|comparison| comparison.swapped())?;
    let given = |side: Side| report.source(side.capture);
    let (works, fails) = (given(comparison.reference), given(comparison.subject));
    Some(text!(
        "{} was given as the reference, but it fails; {}, given as the subject, works. They are judged the \
         other way round: from here on {} is the reference and {} the subject.",
        fails,
        works,
        works,
        fails
    ))
}

/// All sections under the findings, in the order in which they are read.
pub fn sections(report: &Report) -> Vec<Section> {
    let mut sections = Vec::new();
    match &report.comparison {
        Some(comparison) => {
            if let [capture] = report.captures.as_slice() {
                sections.extend(one_capture(report, capture));
            }
            sections.extend(timeline::compared(report, comparison));
            sections.extend(early::early(report, comparison));
            sections.extend(tables::ends(report, comparison));
            sections.extend(tables::clocks(report, comparison));
            sections.push(tables::parameters(report, comparison));
            sections.extend(tables::databases(comparison));
        }
        None => {
            for (index, capture) in report.captures.iter().enumerate() {
                sections.extend(one_capture(report, capture));
                if let Some(connection) = report.most_telling(index) {
                    sections.push(timeline::alone(report, index, capture, connection));
                }
            }
        }
    }
    sections.extend(answers::sections(report));
    for capture in 0..report.captures.len() {
        sections.extend(witnesses::sections(report, capture));
    }
    sections
}

fn one_capture(report: &Report, capture: &crate::timeline::Capture) -> Vec<Section> {
    let mut sections = vec![capture::facts(capture)];
    sections.extend(capture::devices(capture));
    sections.extend(attempts::table(report, capture));
    sections
}
