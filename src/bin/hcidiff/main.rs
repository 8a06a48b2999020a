//! Parse what was typed, do the job, choose the exit status.
use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use hcidiff::capture::{CaptureError, Input, OpenOptions};
use hcidiff::case::Unreadable;
use hcidiff::diagnose::Level;
use hcidiff::report::events::Style;
use hcidiff::report::safe;
use hcidiff::report::terminal::{self, Screen};
use hcidiff::report::{Report, Shown, facts, html, json, markdown};
use hcidiff::share::Excerpt;
use hcidiff::sides::Which;
use hcidiff::{Analysis, Case, analyse, explain};
use listing::Listing;
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

mod check;
mod cli;
mod console;
mod doctor;
#[cfg(embedded)]
pub mod embedded;
#[cfg(all(feature = "record", target_os = "linux"))]
mod host;
mod listing;
mod live;
mod manual;
mod output;
mod pager;
mod piped;
mod progress;
mod recipe;
mod record;
#[cfg(all(feature = "record", target_os = "linux"))]
mod recording;
mod share;
mod stop;
mod survey;
mod usage;
mod values;
mod warnings;
mod watch;

/// Unreadable input, nothing that matches, bad usage.
const TROUBLE: u8 = 2;

const INTO_ITSELF: &str = "standard output is the capture itself: nothing is written into it";

/// Wider lines than this are hard to follow.
const WIDEST: usize = 200;

#[cfg(not(embedded))]
fn main() -> ExitCode {
    program(&std::env::args_os().collect::<Vec<_>>())
}

/// Does what the command line asks for; its first word is the program's name.
fn program(line: &[OsString]) -> ExitCode {
    let cli = match Cli::try_parse_from(line) {
        Ok(cli) => cli,
        Err(error) => match usage::refused(&error) {
            Some(sentence) => return trouble(&sentence),
            None => return console::usage(&error, line),
        },
    };
    if let Err(sentence) = fits(&cli) {
        return trouble(&sentence);
    }
    match run(&cli) {
        Ok(code) => code,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => trouble(&error.to_string()),
    }
}

/// What the parser cannot see: values that do not go together, and files that are not there.
fn fits(cli: &Cli) -> Result<(), String> {
    cli.check()?;
    match &cli.command {
        None => usage::captures(&cli.compare.captures),
        Some(Command::Events(events)) => usage::captures(std::slice::from_ref(&events.capture)),
        Some(Command::Share(asked)) => usage::captures(&asked.captures),
        Some(Command::Recipe(recipe)) => usage::captures(&recipe.captures),
        Some(Command::Check(asked)) => usage::captures(&asked.files()),
        Some(Command::Doctor(asked)) => usage::captures(asked.capture.as_slice()),
        Some(Command::Watch(asked)) => usage::captures(&asked.files()),
        Some(Command::Record(asked)) => usage::captures(asked.reference.as_slice()),
        Some(_) => Ok(()),
    }
}

fn run(cli: &Cli) -> io::Result<ExitCode> {
    let mut out = BufWriter::with_capacity(1 << 16, console::Patient(io::stdout().lock()));
    let code = match &cli.command {
        None if cli.compare.captures.is_empty() => {
            // That standard error is closed must not change the exit status.
            let _ = writeln!(io::stderr(), "{}", usage::WELCOME);
            return Ok(ExitCode::from(TROUBLE));
        }
        None => return compare(&cli.compare, &mut out),
        Some(Command::Events(events)) => return list(events, &mut out),
        Some(Command::Share(asked)) => return Ok(share::run(asked)),
        Some(Command::Explain { what }) => explained(what, &mut out)?,
        Some(Command::Recipe(asked)) => return recipe::run(asked, &mut out),
        Some(Command::Check(asked)) => return check::run(asked, &mut out),
        Some(Command::Survey(asked)) => return survey::run(asked, &mut out),
        Some(Command::Doctor(asked)) => return doctor::run(asked, &mut out),
        Some(Command::Watch(asked)) => return watch::run(asked, &mut out),
        Some(Command::Record(asked)) => return record::run(asked, &mut out),
        Some(Command::Schema) => {
            out.write_all(json::SCHEMA_TEXT.as_bytes())?;
            ExitCode::SUCCESS
        }
        Some(Command::Completions { shell }) => {
            // Into memory first: the generator panics where a pipe is closed.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "hcidiff", &mut script);
            out.write_all(&script)?;
            ExitCode::SUCCESS
        }
        Some(Command::Man) => {
            manual::render(&mut out)?;
            ExitCode::SUCCESS
        }
    };
    out.flush()?;
    Ok(code)
}

/// Words of the command line are a question; standard input is one, or a log.
fn explained(what: &[String], out: &mut impl Write) -> io::Result<ExitCode> {
    let reads = match what {
        [] => !io::stdin().is_terminal(),
        [one] => one == "-",
        _ => false,
    };
    let answer = if reads {
        match explain::annotate(&mut io::stdin().lock(), out)? {
            explain::Summary::Question(answer) => Some(answer),
            explain::Summary::Nothing => None,
            explain::Summary::Log { lines, known: 0 } => {
                return Ok(trouble(&format!("nothing in these {lines} lines is known")));
            }
            explain::Summary::Log { .. } => return Ok(ExitCode::SUCCESS),
        }
    } else {
        (!what.is_empty()).then(|| explain::answer(&what.join(" ")))
    };
    match answer {
        None => out.write_all(explain::list().as_bytes())?,
        Some(explain::Answer::Cards(cards)) => out.write_all(cards.as_bytes())?,
        Some(explain::Answer::Nearest(near)) => {
            return Ok(trouble(&usage::unknown(&what.join(" "), &near)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The main job: two captures compared, or one looked at.
fn compare(asked: &cli::Compare, out: &mut impl Write) -> io::Result<ExitCode> {
    if let Some(path) = output::over_a_capture(&asked.output, &asked.captures) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is a capture to be read: a report would replace it")));
    }
    let prints = !asked.quiet;
    if prints && output::goes_into(&asked.captures) {
        return Ok(trouble(INTO_ITSELF));
    }
    let case = asked.case();
    let display = progress::Display::of(case.sides());
    let analysis = analyse(&case);
    drop(display);
    match analysis {
        Ok(analysis) => present(asked, &case, analysis, out),
        Err(unreadable) => Ok(cannot_be_read(&unreadable)),
    }
}

/// Shows what was found, writes the files that were asked for, and chooses the exit status.
fn present(
    asked: &cli::Compare,
    case: &Case,
    analysis: Analysis,
    out: &mut impl Write,
) -> io::Result<ExitCode> {
    let prints = !asked.quiet;
    let shown = Shown {
        strict: asked.strict,
        full: asked.full,
        values: asked.show_values,
        aliases: asked.aliases,
    };
    let mut report = Report::from(analysis);
    report.shown = shown;
    report.command = asked.words();
    let first_screen = prints && asked.shows_first_screen();
    // Rows that standard error takes of the first screen.
    let mut taken = asked.output.len();
    if first_screen && !asked.full {
        taken += warnings::few(&report);
    } else {
        warnings::all(&report);
    }
    let mut code = u8::from(found(&report, asked.fail_on) && !asked.exit_zero);
    if let Some(no_match) = &report.no_match {
        if !first_screen {
            console::say(&report.visible(&no_match.says));
        }
        code = TROUBLE;
    }
    let screen = screen(asked.color);
    let written = output::write_all(&asked.output, |path, out| {
        if cli::is_evidence(path) {
            return hcidiff::share::evidence(case, asked.show_addresses, asked.show_values, out)
                .map_err(|refusal| io::Error::other(refusal.to_string()));
        }
        let format = cli::Format::of_file(path).unwrap_or(asked.format);
        if format == cli::Format::Terminal {
            // A text for a mailing list: it hides who is at home, and nothing quotes its lines.
            report.shown.aliases = !asked.show_addresses;
            return out.write_all(terminal::letter(&report).as_bytes());
        }
        write_report(&mut report, asked, format, out)
    });
    if let Err((path, error)) = written {
        let path = path.display().to_string();
        return Ok(trouble(&format!("{}: {error}", safe::text(&path))));
    }
    if prints {
        let printed = if asked.format == cli::Format::Terminal && !first_screen {
            report.shown.aliases = asked.aliases;
            pager::show(&terminal::render(&report, screen), out)
        } else if first_screen {
            report.shown.aliases = asked.aliases;
            let rows = terminal::ROWS.saturating_sub(taken);
            out.write_all(terminal::first(&report, screen, rows).as_bytes())
        } else {
            write_report(&mut report, asked, asked.format, out)
        };
        console::seen_enough(printed.and_then(|()| out.flush()))?;
        for path in &asked.output {
            console::say(&format!("wrote {}", safe::text(&path.display().to_string())));
        }
    }
    Ok(ExitCode::from(code))
}

/// Whether something was found that gives status 1.
fn found(report: &Report, least: cli::FailOn) -> bool {
    let has = |level| report.findings.iter().any(|finding| finding.level == level);
    match least {
        cli::FailOn::Cause => has(Level::Cause),
        cli::FailOn::Suspect => has(Level::Cause) || has(Level::Suspect),
        cli::FailOn::Difference => report.found_something(),
    }
}

fn write_report(
    report: &mut Report,
    asked: &cli::Compare,
    format: cli::Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    // What is attached somewhere hides who is at home, unless told otherwise.
    report.shown.aliases = match format {
        cli::Format::Terminal | cli::Format::Json => asked.aliases,
        cli::Format::Markdown | cli::Format::Html | cli::Format::Facts => !asked.show_addresses,
    };
    let text = match format {
        cli::Format::Json => return json::write(report, out),
        cli::Format::Terminal => terminal::render(report, Screen::default()),
        cli::Format::Markdown => markdown::render(report),
        cli::Format::Html => html::render(report),
        cli::Format::Facts => facts::render(report),
    };
    out.write_all(text.as_bytes())
}

/// The terminal's width and whether it wants colours (NO_COLOR, CLICOLOR_FORCE, TERM).
fn screen(color: cli::Color) -> Screen {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let is_terminal = io::stdout().is_terminal();
    let colour = match color {
        cli::Color::Always => true,
        cli::Color::Never => false,
        cli::Color::Auto if set("NO_COLOR").is_some() => false,
        cli::Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        cli::Color::Auto => is_terminal && set("TERM").is_none_or(|term| term != "dumb"),
    };
    let columns = set("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok());
    let width = columns.or_else(|| terminal::columns().filter(|_| is_terminal));
    Screen { width: width.unwrap_or(Screen::default().width).min(WIDEST), colour }
}

fn list(events: &cli::Events, out: &mut impl Write) -> io::Result<ExitCode> {
    if output::goes_into(std::slice::from_ref(&events.capture)) {
        return Ok(trouble(INTO_ITSELF));
    }
    let style = match events.format {
        cli::EventsFormat::Terminal => Style::Table,
        cli::EventsFormat::Jsonl => Style::JsonLines,
    };
    let listing = Listing::asked(events, style);
    let options = events.reading.of(Which::Reference);
    let input = Input::parse(&events.capture);
    if let Some(path) = &events.write {
        return Ok(excerpt(&listing, events, path, &input, &options));
    }
    match listing.write(&input, &options, out) {
        Ok(warnings) => {
            for warning in warnings {
                console::say(&format!("warning: {}", safe::text(&warning.text)));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(CaptureError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Err(error),
        Err(error) => {
            // What was read before the trouble has been shown.
            out.flush()?;
            let error = error.to_string();
            Ok(trouble(&format!("{}: {}", safe::text(&input.name()), safe::text(&error))))
        }
    }
}

/// The listed records as a capture of their own.
fn excerpt(
    listing: &Listing,
    events: &cli::Events,
    path: &Path,
    input: &Input,
    options: &OpenOptions,
) -> ExitCode {
    let shown = safe::text(&path.to_string_lossy()).into_owned();
    let outputs = [path.to_owned()];
    if output::over_a_capture(&outputs, std::slice::from_ref(&events.capture)).is_some() {
        return trouble(&format!("{shown} is a capture to be read: the excerpt would replace it"));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
    let mut excerpt = Excerpt::default();
    let written = output::write_all(&outputs, |_, out| {
        let made = listing.excerpt(input, options, ending.as_deref().unwrap_or(""), out);
        excerpt = made.map_err(|refusal| io::Error::other(refusal.to_string()))?;
        Ok(())
    });
    if let Err((_, error)) = written {
        return trouble(&format!("{shown}: {}", safe::text(&error.to_string())));
    }
    for warning in &excerpt.warnings {
        console::say(&format!("warning: {}", safe::text(&warning.text)));
    }
    if excerpt.unfit > 0 {
        console::say(&format!("{} records have no place in such a file", excerpt.unfit));
    }
    console::say(&format!("wrote {shown}: {} records, keys replaced by dummies", excerpt.records));
    ExitCode::SUCCESS
}

fn cannot_be_read(unreadable: &Unreadable) -> ExitCode {
    let error = unreadable.error.to_string();
    trouble(&format!("{}: {}", safe::text(&unreadable.name), safe::text(&error)))
}

fn trouble(sentence: &str) -> ExitCode {
    console::say(sentence);
    ExitCode::from(TROUBLE)
}
