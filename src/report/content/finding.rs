//! A finding in its parts. Terminal, Markdown and HTML decide only how a part looks.
use super::{devices, display_filter, frame};
use crate::diagnose::{Finding, Remedy};
use crate::prose::Text;
use crate::report::Report;
use crate::seen::SourceId;
use crate::text;

/// Most connections that are named.
const MOST_NUMBERS: usize = 8;

/// What a part of a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Do,
    NoUse,
    Evidence,
    /// What to type in Wireshark to see these frames.
    Find,
    Not,
    Settle,
}

impl Topic {
    /// In the order in which they are read on a page: the remedy first, then what it rests on.
    pub const ALL: [Self; 6] =
        [Self::Do, Self::NoUse, Self::Evidence, Self::Find, Self::Not, Self::Settle];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Evidence => "Evidence",
            Self::Find => "How to find them",
            Self::Do => "What to do",
            Self::NoUse => "What is of no use",
            Self::Not => "What it is not",
            Self::Settle => "What would settle it",
        }
    }

    /// As a label at the beginning of a line.
    pub fn label(self) -> &'static str {
        match self {
            Self::Evidence => "seen",
            Self::Find => "find",
            Self::Do => "do",
            Self::NoUse => "no use",
            Self::Not => "not",
            Self::Settle => "settle",
        }
    }
}

/// One line of a part.
#[derive(Clone, Debug)]
pub struct Line {
    /// The rule that it speaks of.
    pub rule: Option<&'static str>,
    /// The capture and the frame that it is about.
    pub place: Option<(usize, u32)>,
    pub says: Text,
}

impl From<Text> for Line {
    fn from(says: Text) -> Self {
        Self { rule: None, place: None, says }
    }
}

/// The lines of a part, the most telling first.
pub fn part(report: &Report, finding: &Finding, topic: Topic) -> Vec<Line> {
    let remedies = |all: &[Remedy]| all.iter().map(|remedy| remedy.text().into()).collect();
    match topic {
        Topic::Evidence => finding
            .evidence
            .iter()
            .map(|seen| {
                let whose = whose(report, seen.source);
                let says = text!("{}{}: {}", whose, frame(report, seen), seen.text);
                let place = seen.source.capture().map(|capture| (capture, seen.frame));
                Line { rule: None, place, says }
            })
            .collect(),
        Topic::Find => filters(report, finding),
        Topic::Do => remedies(&finding.remedies),
        Topic::NoUse => remedies(&finding.no_use),
        Topic::Not => finding
            .rules_out
            .iter()
            .map(|out| Line { rule: Some(out.rule), place: None, says: out.why.clone() })
            .collect(),
        Topic::Settle => finding.would_settle.iter().map(|test| test.clone().into()).collect(),
    }
}

fn filters(report: &Report, finding: &Finding) -> Vec<Line> {
    let filter = |(index, capture)| {
        let filter = display_filter(capture, index, finding)?;
        let two = report.captures.len() != 1;
        let whose = two.then(|| text!("{}, ", report.source(index)));
        Some(text!("{}in Wireshark: `{}`", whose, format_args!("{filter}")).into())
    };
    report.captures.iter().enumerate().filter_map(filter).collect()
}

/// On whose side, where there are two: `subject `.
pub(super) fn whose(report: &Report, source: SourceId) -> Option<Text> {
    let two = !report.is_only_source(source);
    two.then(|| text!("{} ", report.source(source)))
}

/// How sure it is, and of whom it speaks: `subject, "LabSensor", high confidence, #1 #2, 2 of 5 attempts`.
pub fn about(report: &Report, finding: &Finding) -> Text {
    let two = report.captures.len() != 1;
    let label = two.then(|| text!("{}, ", report.source(finding.capture)));
    let about = devices::about(report, finding);
    let device = about.as_ref().map(|about| text!("{}, ", about.device));
    let numbers = finding.connections.iter().take(MOST_NUMBERS);
    let mut numbers: Vec<Text> = numbers.map(|number| text!("#{}", *number)).collect();
    if let Some(more @ 1..) = finding.connections.len().checked_sub(MOST_NUMBERS) {
        numbers.push(text!("and {} more", more));
    }
    let numbers = (!numbers.is_empty()).then(|| text!(", {}", Text::joined(numbers, " ")));
    let share = devices::share(finding, about.as_ref());
    text!("{}{}{} confidence{}{}", label, device, finding.confidence, numbers, share)
}
