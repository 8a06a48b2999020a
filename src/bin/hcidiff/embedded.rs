//! The command line without a command line: the same options, sentences and reports for a program that has the library
//! inside, such as the Python module. What is asked is written as on the command line, and captures may be in memory.
use crate::cli::{self, Cli, Command, Compare};
use crate::listing::Listing;
use crate::{found, usage, write_report};
use clap::{Parser, ValueEnum};
use hcidiff::capture::{Input, Warning};
use hcidiff::case::Side;
use hcidiff::explain::Answer;
use hcidiff::report::events::Style;
use hcidiff::report::{Report, Shown, safe, terminal};
use hcidiff::sides::Which;
use hcidiff::{Case, analyse, explain};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Why there is no answer, in the program's own sentence.
#[derive(Debug)]
pub enum Refusal {
    /// What was asked cannot be asked so.
    Usage(String),
    /// A capture cannot be read.
    Capture(String),
    /// Nothing is known of that.
    Unknown(String),
}

/// Captures and logs of a question.
#[derive(Debug, Default)]
pub struct Sources {
    /// The capture that works, then the one that fails; or a single one.
    pub captures: Vec<Input>,
    /// Logs of the failing side's host.
    pub witnesses: Vec<Input>,
    /// Logs of the working side's host.
    pub reference_witnesses: Vec<Input>,
}

/// What was asked, to be shown in every format.
#[derive(Debug)]
pub struct Asked(Compare);

/// Analyses captures, with options as they are typed.
pub fn analysed(options: Vec<OsString>, sources: Sources) -> Result<(Asked, Report), Refusal> {
    // JSON names each capture by its digest, which is computed while the capture is read.
    let mut line: Vec<OsString> = vec!["hcidiff".into(), "--format=json".into()];
    line.extend(options);
    for (option, logs) in
        [("--witness", &sources.witnesses), ("--reference-witness", &sources.reference_witnesses)]
    {
        for log in logs {
            line.extend([option.into(), typed(log).into_os_string()]);
        }
    }
    line.push("--".into());
    line.extend(sources.captures.iter().map(|input| typed(input).into_os_string()));
    let cli = parsed(line)?;
    cli.check().map_err(Refusal::Usage)?;
    there(&sources.captures)?;
    let asked = cli.compare;
    if asked.captures.is_empty() {
        return Err(Refusal::Usage("there is no capture to look at".to_owned()));
    }
    let case = of_sources(&asked.case(), sources);
    let analysis = analyse(&case).map_err(|unreadable| {
        let error = unreadable.error.to_string();
        Refusal::Capture(format!("{}: {}", safe::text(&unreadable.name), safe::text(&error)))
    })?;
    let mut report = Report::from(analysis);
    report.shown = Shown {
        strict: asked.strict,
        full: asked.full,
        values: asked.show_values,
        aliases: asked.aliases,
    };
    report.command = asked.words();
    Ok((Asked(asked), report))
}

/// The case that was asked for, about inputs that may be in memory.
fn of_sources(case: &Case, sources: Sources) -> Case {
    let Sources { captures, witnesses, reference_witnesses } = sources;
    let mut sides: Vec<Side> = case.sides().to_vec();
    for (side, capture) in sides.iter_mut().zip(captures) {
        side.capture = capture;
    }
    let mut of = match <[Side; 2]>::try_from(sides) {
        Ok([mut reference, mut subject]) => {
            reference.witnesses = reference_witnesses;
            subject.witnesses = witnesses;
            Case::pair(reference, subject)
        }
        Err(mut sides) => {
            let mut only = sides.remove(0);
            only.witnesses = [witnesses, reference_witnesses].concat();
            Case::one(only)
        }
    };
    of.comparing = case.comparing.clone();
    of.values = case.values;
    of
}

/// How an input would be named on a command line.
fn typed(input: &Input) -> PathBuf {
    match input {
        Input::Path(path) => path.clone(),
        input => PathBuf::from(&*input.name()),
    }
}

fn parsed(line: Vec<OsString>) -> Result<Cli, Refusal> {
    Cli::try_parse_from(line).map_err(|error| {
        Refusal::Usage(usage::refused(&error).unwrap_or_else(|| {
            let told = error.render().to_string();
            // The usage lines below are about a command line.
            let sentence = told.split("\n\n").next().unwrap_or_default();
            sentence.trim_start_matches("error: ").trim_end().to_owned()
        }))
    })
}

/// Files that are named must be there.
fn there(captures: &[Input]) -> Result<(), Refusal> {
    if captures.len() > 2 {
        return Err(Refusal::Usage("one or two captures are read".to_owned()));
    }
    for capture in captures {
        if let Input::Path(path) = capture
            && let Some(sentence) = usage::missing(path)
        {
            return Err(Refusal::Capture(sentence));
        }
    }
    Ok(())
}

impl Asked {
    /// The exit status of the command: 0 nothing found, 1 something, 2 nothing that could be looked at.
    pub fn status(&self, report: &Report) -> u8 {
        let something = found(report, self.0.fail_on) && !self.0.exit_zero;
        if report.no_match.is_some() { crate::TROUBLE } else { u8::from(something) }
    }

    /// The report in a format of `--format`; `text` is what `-o FILE.txt` writes, `first` the first screen.
    pub fn write(&self, report: &mut Report, format: &str, out: &mut dyn Write) -> io::Result<()> {
        report.shown.aliases = self.0.aliases;
        let text = match format {
            "first" => terminal::first(report, terminal::Screen::default(), terminal::ROWS),
            "text" => {
                report.shown.aliases = !self.0.show_addresses;
                terminal::letter(report)
            }
            format => {
                let format = cli::Format::from_str(format, false).map_err(io::Error::other)?;
                return write_report(report, &self.0, format, out);
            }
        };
        out.write_all(text.as_bytes())
    }
}

/// The program: does what the command line asks for, and says the exit status.
pub fn main(line: &[OsString]) -> u8 {
    let status = crate::program(line);
    // A status does not tell its number, but it can be compared.
    (0..=u8::MAX).find(|number| ExitCode::from(*number) == status).unwrap_or(crate::TROUBLE)
}

/// Writes the events of a capture as lines of JSON, with options of `hcidiff events` as they are typed.
pub fn events(
    options: Vec<OsString>,
    capture: Input,
    out: &mut impl Write,
) -> Result<Vec<Warning>, Refusal> {
    let mut line: Vec<OsString> = vec!["hcidiff".into(), "events".into(), "--format=jsonl".into()];
    line.extend(options);
    line.extend(["--".into(), typed(&capture).into_os_string()]);
    let cli = parsed(line)?;
    cli.check().map_err(Refusal::Usage)?;
    let Some(Command::Events(asked)) = cli.command else {
        return Err(Refusal::Usage("this is no listing".to_owned()));
    };
    there(std::slice::from_ref(&capture))?;
    let listing = Listing::asked(&asked, Style::JsonLines);
    listing.write(&capture, &asked.reading.of(Which::Reference), out).map_err(|error| {
        let (name, error) = (capture.name(), error.to_string());
        Refusal::Capture(format!("{}: {}", safe::text(&name), safe::text(&error)))
    })
}

/// The cards of a question.
pub fn explained(question: &str) -> Result<String, Refusal> {
    match explain::answer(question) {
        Answer::Cards(cards) => Ok(cards),
        Answer::Nearest(near) => Err(Refusal::Unknown(usage::unknown(question, &near))),
    }
}
