//! `hcidiff check`: a capture passes or fails.
use crate::cli::{Part, Reading};
use crate::values::{adapter, peer};
use crate::{INTO_ITSELF, console, output, progress, trouble, warnings};
use clap::{Args, ValueEnum};
use hcidiff::capture::Input;
use hcidiff::check::{Checked, Expectation, by_default, results};
use hcidiff::compare::Peer;
use hcidiff::report::{Report, Shown, safe};
use hcidiff::sides::{Sides, Which};
use hcidiff::{Case, analyse, case, compare};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `hcidiff check`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    hcidiff check new.btsnoop                                   no finding that is more than a note\n  \
    hcidiff check new.btsnoop --expect 'mtu.answered_after_ms < 100' --expect encrypted\n  \
    hcidiff check new.btsnoop --expect 'steps contains write 8f1d0002 before 300 ms'\n  \
    hcidiff check new.btsnoop --baseline good.btsnoop --expect rules.txt -o result.xml\n\n\
    Exit status: 0 every expectation is met, 1 one is not or cannot be told, 2 trouble.\n\
    docs/check.md has the language.")]
pub struct Check {
    /// The capture to be checked
    #[arg(value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub capture: PathBuf,

    /// A capture that is known to be good, to be compared with
    #[arg(long, value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// What the capture has to show, or a file with one expectation a line; repeatable
    #[arg(short, long, value_name = "EXPECTATION|FILE", value_hint = clap::ValueHint::FilePath)]
    pub expect: Vec<String>,

    /// How the result is printed
    #[arg(short, long, value_enum, default_value_t = Results::Text)]
    pub format: Results,

    /// Write the result there; the ending .xml (JUnit), .sarif or .txt names the format. Repeatable
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Vec<PathBuf>,

    /// The device to look at, by address or name
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Option<Peer>,

    /// The adapter (hciN) to look at
    #[arg(long, value_name = "N", value_parser = adapter)]
    pub adapter: Option<u16>,

    /// The connection to look at, as numbered in the list of connections
    #[arg(long, value_name = "N")]
    pub connection: Option<u32>,

    #[command(flatten)]
    pub part: Part,

    /// A log of the host that made the capture, or a D-Bus capture; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness: Vec<PathBuf>,

    /// Real addresses and names in JUnit, SARIF and annotations too
    #[arg(long)]
    pub show_addresses: bool,

    #[command(flatten)]
    pub reading: Reading,
}

/// What results are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Results {
    /// For people
    Text,
    /// JUnit's XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of a GitHub workflow
    Github,
}

impl Results {
    fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "xml" => Some(Self::Junit),
            "sarif" => Some(Self::Sarif),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    fn write(self, checked: &Checked) -> String {
        match self {
            Self::Text => results::text(checked),
            Self::Junit => results::junit(checked),
            Self::Sarif => results::sarif(checked),
            Self::Github => results::github(checked),
        }
    }
}

impl Check {
    /// The captures that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        self.baseline.iter().chain([&self.capture]).cloned().collect()
    }

    fn case(&self) -> Case {
        let side = |path: &PathBuf, side: Which| {
            let mut of = case::Side::new(Input::parse(path));
            of.reading = self.reading.of(side);
            of
        };
        let last = if self.baseline.is_some() { Which::Subject } else { Which::Reference };
        let mut checked = side(&self.capture, last);
        checked.range = self.part.range();
        checked.witnesses = self.witness.iter().map(|path| Input::parse(path)).collect();
        let mut case = match &self.baseline {
            Some(baseline) => Case::pair(side(baseline, Which::Reference), checked),
            None => Case::one(checked),
        };
        case.comparing.wanted = Sides::of(|side| compare::Wanted {
            peer: self.peer.clone(),
            adapter: self.adapter.filter(|_| side == last),
            connection: self.connection.filter(|_| side == last),
        });
        // In a single capture `--connection` names the attempt that is told, which is the subject.
        if self.baseline.is_none() {
            let wanted = &mut case.comparing.wanted;
            wanted.subject.connection = wanted.reference.connection.take();
        }
        case
    }

    /// All expectations, in the order in which they were given.
    fn expectations(&self) -> Result<Vec<Expectation>, String> {
        if self.expect.is_empty() {
            return Ok(by_default(self.baseline.is_some()));
        }
        let mut all = Vec::new();
        for given in &self.expect {
            let path = Path::new(given);
            if path.is_file() {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let name = name.unwrap_or_default();
                let text =
                    std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
                let own = Expectation::parse_all(&text)
                    .map_err(|(line, wrong)| format!("{name}, line {line}, {wrong}"))?;
                if own.is_empty() {
                    return Err(format!("{name} holds no expectation"));
                }
                all.extend(own);
            } else {
                all.push(Expectation::parse(given).map_err(|wrong| format!("--expect, {wrong}"))?);
            }
        }
        Ok(all)
    }
}

/// Reads, compares, judges, and says what became of each expectation.
pub fn run(asked: &Check, out: &mut impl Write) -> io::Result<ExitCode> {
    let files = asked.files();
    if let Some(path) = output::over_a_capture(&asked.output, &files) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is a capture to be read: a result would replace it")));
    }
    if output::goes_into(&files) {
        return Ok(trouble(INTO_ITSELF));
    }
    for path in &asked.output {
        if Results::of_file(path).is_none() {
            let name = safe::text(&path.to_string_lossy()).into_owned();
            return Ok(trouble(&format!(
                "the ending of {name} names no format: use .xml (JUnit), .sarif or .txt"
            )));
        }
    }
    let expectations = match asked.expectations() {
        Ok(expectations) => expectations,
        Err(sentence) => return Ok(trouble(&sentence)),
    };
    let case = asked.case();
    let display = progress::Display::of(case.sides());
    let analysis = analyse(&case);
    drop(display);
    let mut report = match analysis {
        Ok(analysis) => Report::from(analysis),
        Err(unreadable) => {
            let (name, error) = (safe::text(&unreadable.name), unreadable.error.to_string());
            return Ok(trouble(&format!("{name}: {}", safe::text(&error))));
        }
    };
    warnings::grave(&report);
    if let Some(no_match) = &report.no_match {
        return Ok(trouble(&report.visible(&no_match.says)));
    }
    report.shown = Shown { aliases: false, ..Shown::default() };
    let real = Checked::of(&mut report, &expectations);
    // What CI shows may be read by everybody.
    report.shown.aliases = !asked.show_addresses;
    let hidden = Checked::of(&mut report, &expectations);
    let written = output::write_all(&asked.output, |path, out| {
        let format = Results::of_file(path).unwrap_or(asked.format);
        out.write_all(format.write(&hidden).as_bytes())
    });
    if let Err((path, error)) = written {
        return Ok(trouble(&format!("{}: {error}", safe::text(&path.to_string_lossy()))));
    }
    let printed = match asked.format {
        Results::Text => Results::Text.write(&real),
        format => format.write(&hidden),
    };
    console::seen_enough(out.write_all(printed.as_bytes()).and_then(|()| out.flush()))?;
    Ok(ExitCode::from(u8::from(!real.passed())))
}
