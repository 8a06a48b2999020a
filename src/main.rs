//! Parse what was typed, do the job, choose the exit status.
use clap::{CommandFactory, Parser};
use hcidiff::capture::{CaptureError, Input, OpenOptions};
use hcidiff::cli::{self, Cli, Command};
use hcidiff::listing::Listing;
use hcidiff::report::events::Style;
use hcidiff::report::safe;
use hcidiff::wire::Address;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// Unreadable input, nothing that matches, bad usage.
const TROUBLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(sentence) = cli.check() {
        return trouble(&sentence);
    }
    match run(&cli) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => trouble(&error.to_string()),
    }
}

fn run(cli: &Cli) -> io::Result<ExitCode> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let code = match &cli.command {
        None => trouble("comparing is not built yet"),
        Some(Command::Events(events)) => return list(events, &mut out),
        Some(Command::Explain { .. }) => trouble("explanations are not built yet"),
        Some(Command::Schema) => trouble("the schema is not built yet"),
        Some(Command::Completions { shell }) => {
            // Into memory first: the generator panics where a pipe is closed.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "hcidiff", &mut script);
            out.write_all(&script)?;
            ExitCode::SUCCESS
        }
        Some(Command::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut out)?;
            ExitCode::SUCCESS
        }
    };
    out.flush()?;
    Ok(code)
}

fn list(events: &cli::Events, out: &mut impl Write) -> io::Result<ExitCode> {
    let listing = Listing {
        style: match events.format {
            cli::EventsFormat::Terminal => Style::Table,
            cli::EventsFormat::Jsonl => Style::JsonLines,
        },
        values: events.show_values,
        peer: events.peer.map(Address),
        adapter: events.adapter,
        connection: events.connection,
    };
    let options = OpenOptions {
        salvage: events.reading.salvage,
        member: events.reading.member.first().cloned(),
        tz_offset: events.reading.tz_offset.first().copied(),
    };
    let input = Input::parse(&events.capture);
    match listing.write(&input, &options, out) {
        Ok(warnings) => {
            for warning in warnings {
                eprintln!("hcidiff: warning: {}", safe::text(&warning.text));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(CaptureError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => Err(error),
        Err(error) => {
            // What was read before the trouble has been shown.
            out.flush()?;
            Ok(trouble(&format!("{}: {error}", safe::text(&input.name()))))
        }
    }
}

fn trouble(sentence: &str) -> ExitCode {
    eprintln!("hcidiff: {sentence}");
    ExitCode::from(TROUBLE)
}
