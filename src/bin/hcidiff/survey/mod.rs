//! `hcidiff survey`: many captures, read side by side.
mod labels;
mod order;
mod reading;
mod walk;
mod written;

use crate::{console, output, trouble};
use clap::{Args, ValueEnum};
use glob::Pattern;
use hcidiff::capture::Input;
use hcidiff::report::html::Panel;
use hcidiff::report::{Report, safe};
use hcidiff::survey::{self, By};
use hcidiff::{Case, analyse};
use labels::Labels;
use order::InOrder;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use walk::Found;
use written::Outputs;

/// `hcidiff survey`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    hcidiff survey attachments/                                 which causes, and how often\n  \
    hcidiff survey runs/ --good 'runs/pass-*' --bad 'runs/fail-*'   what sets the bad runs apart\n  \
    hcidiff survey runs/ --label runs.csv --by label -f json\n  \
    hcidiff survey reports/ -o tables/                          Parquet files for DuckDB, Spark, pandas\n\n\
    A file that cannot be read is counted with its reason. Status 2 only where nothing could be read.")]
pub struct Survey {
    /// Captures, archives, and folders of them
    #[arg(value_name = "PATH", required = true, value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// These runs work: a pattern over the paths, as in 'runs/pass-*'; repeatable
    #[arg(long, value_name = "GLOB", value_parser = Pattern::new, conflicts_with = "label")]
    pub good: Vec<Pattern>,

    /// These runs fail; repeatable
    #[arg(long, value_name = "GLOB", value_parser = Pattern::new, conflicts_with = "label")]
    pub bad: Vec<Pattern>,

    /// A table of two columns, file and label; `good` and `bad` are compared, other labels group
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    pub label: Option<PathBuf>,

    /// By what captures are grouped
    #[arg(long, value_enum, default_value_t = Grouped::Device)]
    pub by: Grouped,

    /// How the survey is printed
    #[arg(short, long, value_enum, default_value_t = Shape::Text)]
    pub format: Shape,

    /// Write the survey there: FILE.json, FILE.html, or a folder for tables (Parquet); repeatable
    #[arg(short, long, value_name = "FILE|FOLDER", value_hint = clap::ValueHint::AnyPath)]
    pub output: Vec<PathBuf>,

    /// How many files are read at a time; as many as there are processors where nothing is said
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    Text,
    Json,
    /// One page with a picture: runs of each group on one time axis
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Grouped {
    Device,
    Host,
    Adapter,
    Label,
}

impl From<Grouped> for By {
    fn from(by: Grouped) -> Self {
        match by {
            Grouped::Device => By::Device,
            Grouped::Host => By::Host,
            Grouped::Adapter => By::Adapter,
            Grouped::Label => By::Label,
        }
    }
}

/// Reads everything, counts it, and prints that.
pub fn run(asked: &Survey, out: &mut impl Write) -> io::Result<ExitCode> {
    let made = Labels::of(asked).and_then(|labels| Ok((labels, Outputs::of(&asked.output)?)));
    let (labels, outputs) = match made {
        Ok(made) => made,
        Err(sentence) => return Ok(trouble(&sentence)),
    };
    let files = outputs.files();
    let found = walk::walk(&asked.paths, &files);
    if let Some(sentence) = labels.fit_nothing(&found) {
        return Ok(trouble(sentence));
    }
    let captures: Vec<PathBuf> = found.iter().map(|one| one.path.clone()).collect();
    if let Some(path) = output::over_a_capture(&files, &captures) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is one of the captures: a survey would replace it")));
    }
    let tables = match outputs.tables() {
        Ok(tables) => tables.map(InOrder::new),
        Err(sentence) => return Ok(trouble(&sentence)),
    };
    let jobs = asked.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, usize::from);
    let rows = reading::read_all(&found, &labels, jobs, tables.as_ref());
    let survey = survey::Survey { rows };
    let by = asked.by.into();
    let tables = tables.map_or(Ok(Vec::new()), |tables| tables.finish(jobs));
    let has_picture = outputs.have_picture() || asked.format == Shape::Html;
    let page = if has_picture { page(&survey, by, &found) } else { String::new() };
    if let Err(sentence) = outputs.write(&survey, by, &page, tables) {
        return Ok(trouble(&sentence));
    }
    let printed = match asked.format {
        Shape::Text => survey::text(&survey, by),
        Shape::Json => survey::json(&survey, by),
        Shape::Html => page,
    };
    console::seen_enough(out.write_all(printed.as_bytes()).and_then(|()| out.flush()))?;
    let nothing = survey.read().next().is_none();
    Ok(if nothing { trouble("no capture could be read") } else { ExitCode::SUCCESS })
}

/// The page, for which the runs that are shown are read once more: of the others nothing was kept.
fn page(survey: &survey::Survey, by: By, found: &[Found]) -> String {
    let chosen = survey.chosen(by);
    let runs = chosen.iter().flat_map(|one| one.rows.iter().map(move |row| (&one.group, *row)));
    let read: Vec<(&str, &str, Report)> = runs
        .filter_map(|(group, row)| {
            let one = found.get(row)?;
            // What changed in the meantime is not shown.
            let analysis = analyse(&Case::one(Input::parse(&one.path))).ok()?;
            Some((group.as_str(), one.name.as_str(), Report::from(analysis)))
        })
        .collect();
    let panels: Vec<Panel<'_>> =
        read.iter().map(|(group, label, report)| Panel { group, label, report }).collect();
    survey::html(survey, by, &panels)
}
