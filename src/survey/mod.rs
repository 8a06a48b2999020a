//! Many captures: which share of them fails, with which cause, and what sets the bad runs apart from the good ones.
//!
//! [`Row::of`] keeps what a survey needs of one capture and nothing else, so that ten thousand of them fit into
//! memory. [`Survey`] counts them.
mod apart;
mod chosen;
mod features;
mod html;
mod json;
mod stats;
mod table;
#[cfg(feature = "tables")]
pub mod tables;
mod text;

#[cfg(test)]
mod tests;

pub use apart::{ALPHA, Apart, Difference, FEWEST, Measured, Run, differences};
pub use chosen::Chosen;
pub use features::{Feature, Features};
pub use html::html;
pub use json::{SCHEMA, json};
pub use stats::Effect;
pub use table::Group;
pub use text::text;

use crate::case::Analysis;
use crate::compare::Failure;
use crate::diagnose::Level;
use crate::vocabulary::vocabulary;
use std::collections::BTreeMap;

vocabulary! {
    /// Which runs a capture belongs to, where somebody says it.
    Label { Good "good", Bad "bad", }
}

/// What is kept of one file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The file, as the survey names it.
    pub file: String,
    /// What it is called by, where labels are given: `good`, `bad` or any other word.
    pub label: Option<String>,
    /// What was read, or why nothing was.
    pub read: Result<Read, String>,
}

/// What is kept of a capture that was read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Read {
    /// The reader's name.
    pub format: &'static str,
    /// Records in the file.
    pub records: u64,
    /// Attempts to connect, and those that came up.
    pub attempts: usize,
    /// Attempts that came up.
    pub connected: usize,
    /// The connection that the report tells, by its number.
    pub told: Option<u32>,
    /// The device that the report tells: its name, else its address.
    pub device: Option<String>,
    /// The host's stack.
    pub host: Option<&'static str>,
    /// The adapter: its manufacturer's number and HCI version.
    pub adapter: Option<String>,
    /// The rule that decides, and its level. Notes do not.
    pub verdict: Option<(&'static str, Level)>,
    /// Whether the told link worked, as far as the capture shows.
    pub worked: bool,
    /// What the told link is measured by.
    pub features: Features,
    /// For how long the told link was watched, in milliseconds.
    pub watched_ms: f64,
}

impl Row {
    /// What a survey keeps of an analysis of one capture.
    pub fn of(file: String, label: Option<String>, analysis: &Analysis) -> Self {
        Self { file, label, read: Ok(Read::of(analysis)) }
    }

    /// A file that could not be read, and why.
    pub fn unread(file: String, label: Option<String>, why: String) -> Self {
        Self { file, label, read: Err(why) }
    }

    /// Whether the run counts as good or bad, where a label says so.
    pub fn side(&self) -> Option<Label> {
        let word = self.label.as_deref()?;
        Label::ALL.iter().copied().find(|label| label.word() == word)
    }
}

impl Read {
    fn of(analysis: &Analysis) -> Self {
        let Some(capture) = analysis.captures.first() else { return Self::default() };
        let told = analysis.told();
        let verdict = analysis.findings.iter().find(|finding| finding.level != Level::Note);
        let adapter = told
            .and_then(|told| capture.adapters.iter().find(|adapter| adapter.index == told.adapter));
        Self {
            format: capture.format,
            records: capture.totals.records,
            attempts: capture.connections.len(),
            connected: capture.connections.iter().filter(|c| c.connected()).count(),
            told: told.map(|told| told.number),
            device: told.and_then(|told| {
                let name = told.peer.name.as_deref().map(str::to_owned);
                name.or_else(|| told.peer.who().map(|address| address.to_string()))
            }),
            host: capture.host.as_ref().map(|host| host.stack.word()),
            adapter: adapter.or(capture.adapters.first()).and_then(|adapter| {
                let made = adapter.manufacturer?;
                let version = adapter.version.map_or_else(|| "?".into(), |v| v.to_string());
                Some(format!("manufacturer {made}, HCI version {version}"))
            }),
            verdict: verdict.map(|finding| (finding.rule, finding.level)),
            worked: told.is_some_and(|told| told.connected() && Failure::of(told).is_none()),
            features: told.map(|told| features::of(capture, told)).unwrap_or_default(),
            watched_ms: told.map_or(0.0, features::watched_ms),
        }
    }
}

/// All rows, in the order of their files.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// One for each file that was looked at.
    pub rows: Vec<Row>,
}

/// By what captures are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The device that the report tells.
    #[default]
    Device,
    /// The host's stack.
    Host,
    /// The adapter's maker and version.
    Adapter,
    /// The label that was given.
    Label,
}

impl By {
    /// What the groups are called.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Host => "host",
            Self::Adapter => "adapter",
            Self::Label => "label",
        }
    }
}

impl Survey {
    /// The rows that were read.
    pub fn read(&self) -> impl Iterator<Item = (&Row, &Read)> {
        self.rows.iter().filter_map(|row| Some((row, row.read.as_ref().ok()?)))
    }

    /// Why files were not read, and how many for each reason.
    pub fn unread(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for row in &self.rows {
            if let Err(why) = &row.read {
                *reasons.entry(why.as_str()).or_default() += 1;
            }
        }
        reasons
    }

    /// What sets the bad runs apart from the good ones.
    pub fn apart(&self) -> Apart {
        let of = |label| {
            let rows = self.read().filter(move |(row, _)| row.side() == Some(label));
            rows.map(|(row, read)| Run {
                name: row.file.as_str(),
                features: &read.features,
                until: read.watched_ms,
            })
            .collect::<Vec<_>>()
        };
        differences(&of(Label::Good), &of(Label::Bad))
    }
}
