//! What the page asks, and what it is told.
use hcidiff::capture::Input;
use hcidiff::case::Side;
use hcidiff::compare::Wanted;
use hcidiff::diagnose::Level;
use hcidiff::prose::quoted;
use hcidiff::report::{Report, Shown, html, markdown};
use hcidiff::{Analysis, Case};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsError;

/// What is asked of the captures; everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// Attempt of the working side, by its number.
    reference_connection: Option<u32>,
    /// Attempt of the failing side, or of the only one.
    subject_connection: Option<u32>,
    /// Real addresses and names in the report and in Markdown; else aliases.
    show_addresses: bool,
    /// After damage, search for the next plausible records.
    salvage: bool,
    /// Compute each capture's digest, which only JSON shows: without it a capture is read in half the time.
    #[serde(skip)]
    pub sha256: bool,
}

impl Asked {
    /// The case of one capture or two, with logs of the failing host, asked in this way.
    pub fn case(&self, captures: Vec<Input>, logs: Vec<Input>) -> Result<Case, JsError> {
        let mut sides: Vec<Side> = captures.into_iter().map(|capture| self.side(capture)).collect();
        if let Some(fails) = sides.last_mut() {
            fails.witnesses = logs;
        }
        let mut sides = sides.into_iter();
        let mut case = match (sides.next(), sides.next()) {
            (Some(one), None) => Case::one(one),
            (Some(reference), Some(subject)) => Case::pair(reference, subject),
            (None, _) => return Err(JsError::new("There is no capture to look at.")),
        };
        let number = |number: Option<u32>| number.map_or_else(Wanted::default, Wanted::connection);
        case.comparing.wanted.reference = number(self.reference_connection);
        case.comparing.wanted.subject = number(self.subject_connection);
        Ok(case)
    }

    fn side(&self, capture: Input) -> Side {
        let mut side = Side::new(capture);
        side.reading.salvage = self.salvage;
        side.reading.sha256 = self.sha256;
        side
    }
}

/// Files of a recipe with their names, and what is to be said of them.
#[derive(Debug, Serialize)]
pub struct Written {
    pub files: Vec<(String, String)>,
    pub says: Vec<String>,
}

/// The report in the forms that are shown.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The sentence on top.
    headline: String,
    /// `cause`, `suspect`, `note`; nothing where no rule speaks.
    level: Option<&'static str>,
    /// The report as a page.
    html: String,
    /// The report to be pasted.
    markdown: String,
    /// What each capture is.
    captures: Vec<About>,
}

/// One capture, as it was read.
#[derive(Debug, Serialize)]
struct About {
    file: String,
    format: String,
    records: u64,
    attempts: Vec<Attempt>,
    warnings: Vec<String>,
}

/// An attempt that can be chosen instead.
#[derive(Debug, Serialize)]
struct Attempt {
    number: u32,
    says: String,
}

/// Most attempts that the page offers to choose from.
const MOST_ATTEMPTS: usize = 200;

impl Outcome {
    /// The outcome of an analysis.
    pub fn of(analysis: Analysis, asked: &Asked) -> Self {
        let mut report = Report::from(analysis);
        report.shown = Shown { aliases: !asked.show_addresses, ..Shown::default() };
        let level = report.findings.first().map(|finding| match finding.level {
            Level::Cause => "cause",
            Level::Suspect => "suspect",
            Level::Note => "note",
        });
        Self {
            headline: report.headline(),
            level,
            html: html::render(&report),
            markdown: markdown::render(&report),
            captures: (0..report.captures.len()).map(|at| About::of(&report, at)).collect(),
        }
    }
}

impl About {
    fn of(report: &Report, at: usize) -> Self {
        let capture = &report.captures[at];
        let attempts = report.attempts(at).take(MOST_ATTEMPTS);
        let attempts = attempts.map(|(number, says)| Attempt { number, says });
        Self {
            file: report.visible(&quoted(&capture.file)),
            format: capture.format.to_owned(),
            records: capture.totals.records,
            attempts: attempts.collect(),
            warnings: capture
                .warnings
                .iter()
                .map(|warning| report.visible(&quoted(&warning.text)))
                .collect(),
        }
    }
}
