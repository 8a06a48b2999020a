//! What a reader meets first: the result in one line, how sure it is, why, what to do, and the proof.
mod headline;
mod log;
mod result;

pub use headline::{Headline, Kind, headline};
pub use log::{SETTLES, open as log_open, story as log_story};
pub use result::of as outcome;

use super::divergence;
use super::finding::whose;
use crate::diagnose::{Evidence, Finding, Level, Remedy};
use crate::prose::{Text, quoted, typed};
use crate::report::{Report, safe};
use crate::text;

/// Most remedies, proofs and other findings that are told here.
const MOST: usize = 3;

/// So many other findings are named, and this short.
const NAMED: usize = 2;
const SHORT: usize = 60;

/// What a line of the first screen is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Why,
    /// What became of the other side, which works.
    Works,
    Other,
    /// Since when the two sides differ.
    Differs,
    /// What the captures hold, where nothing can be compared.
    Holds,
    Try,
    NoUse,
    /// The tempting explanation that the evidence rules out.
    Not,
    Proof,
    /// What speaks against a diagnosis.
    Unsure,
    Also,
}

impl Topic {
    pub fn label(self) -> &'static str {
        match self {
            Topic::Why => "why",
            Topic::Works => "works",
            Topic::Other => "other",
            Topic::Differs => "differ",
            Topic::Holds => "holds",
            Topic::Try => "try",
            Topic::NoUse => "no use",
            Topic::Not => "not",
            Topic::Proof => "proof",
            Topic::Unsure => "unsure",
            Topic::Also => "also",
        }
    }
}

/// The lines under a headline, in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub topic: Topic,
    /// Each a sentence or more; the best first.
    pub says: Vec<Text>,
}

/// Everything that stands under the headline.
pub fn lines(report: &Report, headline: &Headline) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |topic, says: Vec<Text>| {
        let says: Vec<Text> = says.into_iter().filter(|says| !says.is_empty()).collect();
        if !says.is_empty() {
            lines.push(Line { topic, says });
        }
    };
    line(Topic::Why, vec![headline.why.clone()]);
    let (topic, others) = other(report, headline);
    line(topic, others);
    line(Topic::Differs, differ(report, headline));
    line(Topic::Holds, holds(report));
    let verdict = headline.finding.and_then(|at| report.findings.get(at));
    let helps = verdict.iter().flat_map(|finding| &finding.remedies);
    let mut tries: Vec<Text> = helps.take(MOST).map(Remedy::words).collect();
    if tries.is_empty() {
        tries.extend(advice(report, headline));
    }
    line(Topic::Try, tries);
    let no_use = verdict.iter().flat_map(|finding| &finding.no_use);
    line(Topic::NoUse, no_use.take(2).map(Remedy::words).collect());
    let out = verdict.iter().flat_map(|finding| &finding.rules_out);
    line(Topic::Not, out.take(1).map(|out| text!("{}: {}", out.rule, out.why)).collect());
    line(Topic::Proof, verdict.map_or_else(Vec::new, |finding| proofs(report, finding)));
    line(Topic::Unsure, unsure(report, headline));
    line(Topic::Also, also(report, headline));
    lines
}

/// Frames that prove the verdict, each with the side on which it stands.
fn proofs(report: &Report, finding: &Finding) -> Vec<Text> {
    let proof = |evidence: &Evidence| {
        let whose = whose(report, evidence.source);
        text!("{}{}: {}", whose, evidence.place(), evidence.text)
    };
    finding.evidence.iter().take(MOST).map(proof).collect()
}

/// What became of the side that the headline does not name; of both sides where both work.
fn other(report: &Report, headline: &Headline) -> (Topic, Vec<Text>) {
    if let Some(testimony) = log::side(report) {
        return (Topic::Other, log::beside(report, testimony).into_iter().collect());
    }
    // Why there are not two sides: nothing matches, or one of them could not be read.
    let unread = report.no_match.iter().map(|no_match| no_match.says.clone());
    let Some(comparison) = &report.comparison else {
        let told = headline.finding.is_some();
        return (Topic::Other, unread.filter(|_| told).collect());
    };
    let both = [comparison.reference, comparison.subject];
    let told: Vec<_> = match headline.kind {
        Kind::Same => Vec::new(),
        Kind::Works => both.to_vec(),
        _ => both.into_iter().filter(|side| Some(*side) != headline.side).take(1).collect(),
    };
    let works = !told.is_empty() && told.iter().all(|side| result::works(report, *side));
    let topic = if works && report.no_match.is_none() { Topic::Works } else { Topic::Other };
    let told = told.into_iter().filter_map(|side| result::of_side(report, side));
    (topic, unread.chain(told).collect())
}

fn differ(report: &Report, headline: &Headline) -> Vec<Text> {
    match &report.comparison {
        Some(comparison) if !headline.tells_divergence => {
            vec![divergence(report, comparison)]
        }
        _ => Vec::new(),
    }
}

fn holds(report: &Report) -> Vec<Text> {
    let Some(no_match) = report.no_match.as_ref().filter(|_| report.comparison.is_none()) else {
        return Vec::new();
    };
    if log::side(report).is_some() {
        return Vec::new();
    }
    let mut holds = Vec::new();
    for (index, lines) in no_match.holds.iter().enumerate() {
        let label = report.source(index);
        let more = lines.len().saturating_sub(MOST);
        holds.extend(lines.iter().take(MOST).map(|line| text!("{}: {}", label, *line)));
        if more > 0 {
            holds.push(text!("{}: and {} more (--full)", label, more));
        }
    }
    holds
}

/// What to do where no rule has a remedy.
fn advice(report: &Report, headline: &Headline) -> Vec<Text> {
    let file = |index: usize| {
        typed(report.captures.get(index).map_or("", |capture| capture.file.as_str()))
    };
    if log::side(report).is_some() {
        return vec![Text::fixed(log::SETTLES)];
    }
    match headline.kind {
        Kind::Nothing => report
            .no_match
            .iter()
            .flat_map(|no_match| no_match.nearest.iter().take(2))
            .map(|guess| text!("these two, if they are one device: {}", *guess))
            .collect(),
        Kind::Alone => vec![text!(
            "record the same steps on a host where it works, and compare: `hcidiff WORKING {}` says \
             which step is missing and what differs",
            file(0)
        )],
        Kind::Works if report.captures.len() == 1 => vec![text!(
            "beside a capture that fails it shows what is missing there: `hcidiff {} FAILING`",
            file(0)
        )],
        Kind::Swapped => {
            vec![text!("the capture that works comes first: `hcidiff {} {}`", file(1), file(0))]
        }
        Kind::Same => vec!["give the capture that works first, then the one that fails".into()],
        Kind::Unexplained => {
            vec!["`--full` shows both timelines side by side, and all that differs".into()]
        }
        _ => Vec::new(),
    }
}

/// What the capture does not show. That may be the reason why no rule gave a verdict.
fn unsure(report: &Report, headline: &Headline) -> Vec<Text> {
    if let Some(testimony) = log::side(report) {
        return log::open(report, &testimony.log).iter().map(|open| quoted(open).into()).collect();
    }
    if headline.finding.is_some() || headline.kind == Kind::Nothing {
        return Vec::new();
    }
    let capture = headline.side.map_or(report.captures.len().saturating_sub(1), |s| s.capture);
    let fitness = report.captures.get(capture).into_iter().flat_map(|capture| &capture.fitness);
    let fitness = fitness.take(1);
    fitness.map(|fitness| text!("{} {}", fitness.says.sentence(), fitness.remedy)).collect()
}

/// What else was found.
fn also(report: &Report, headline: &Headline) -> Vec<Text> {
    let verdict = headline.finding.and_then(|at| report.findings.get(at)).map(|f| f.rule);
    let mut titles: Vec<&'static str> = Vec::new();
    let others = report.findings.iter().filter(|f| f.level != Level::Note);
    for finding in others.filter(|finding| Some(finding.rule) != verdict) {
        if !titles.contains(&finding.title) {
            titles.push(finding.title);
        }
    }
    let shown = titles.iter().take(NAMED);
    let shown = shown.map(|title| text!("{}", format_args!("{}", safe::fit(title, SHORT))));
    let says = Text::joined(shown, "; ");
    match titles.len().checked_sub(NAMED) {
        Some(more @ 1..) => vec![text!("{}; and {} more", says, more)],
        _ => vec![says],
    }
}
