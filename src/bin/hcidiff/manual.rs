//! The manual page, made from the same declarations that the command line is read by.
use crate::cli::Cli;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};

const EXAMPLES: &[(&str, &str)] = &[
    ("hcidiff mac.pklg pi.btsnoop", "Why does it work from the Mac and fail from the Pi?"),
    ("hcidiff pi.btsnoop", "What happened in this capture?"),
    ("hcidiff -q --fail-on cause works.btsnoop new.btsnoop", "In CI: the exit status alone."),
    ("hcidiff -o report.md -o report.json works.pklg fails.btsnoop", "Two reports at once."),
    ("hcidiff events pi.btsnoop -f jsonl", "One JSON object for each record."),
    (
        "hcidiff recipe mac.pklg pi.btsnoop --for att-socket -o cure.py",
        "What the working host did, as a program. A recipe holds values of the capture.",
    ),
    ("hcidiff explain error 62", "What a number or an error text means, and what it does not."),
    ("hcidiff explain < bluetooth.log", "The same for each line of a log that is known."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("NO_COLOR", "Where it is set, no colours."),
    ("CLICOLOR_FORCE", "Where it is set and not 0, colours even into a file."),
    ("TERM", "A terminal that is dumb gets no colours."),
];

const STATUS: &[(&str, &str)] = &[
    ("0", "Nothing found."),
    ("1", "A finding of level cause or suspect, or a difference that is not normal."),
    ("2", "Trouble: unreadable input, no connection that matches, bad usage."),
];

pub fn render(out: &mut impl Write) -> io::Result<()> {
    let mut command = Cli::command();
    // Without it the words of subcommands' usage lack the program's name.
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;

    heading("COMMANDS", out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let mut usage = sub.clone();
        let usage = usage.render_usage().to_string();
        let mut roff = Roff::new();
        roff.control("SS", [usage.trim_start_matches("Usage: ")]);
        roff.text([roman(sub.get_about().map(ToString::to_string).unwrap_or_default())]);
        roff.to_writer(out)?;
        let mut options = Vec::new();
        let sub = sub.clone().mut_args(|arg| {
            let help = arg.get_id() == "help";
            arg.hide(help)
        });
        Man::new(sub).render_options_section(&mut options)?;
        // Its options stand under the command, not in a section of their own.
        let options = String::from_utf8_lossy(&options);
        let under = options.lines().filter(|line| !line.starts_with(".SH"));
        for line in under {
            writeln!(out, "{line}")?;
        }
    }

    listed("EXIT STATUS", STATUS, out)?;
    listed("ENVIRONMENT", ENVIRONMENT, out)?;
    listed("EXAMPLES", EXAMPLES, out)?;
    page.render_version_section(out)
}

fn heading(words: &str, out: &mut impl Write) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [words]);
    roff.to_writer(out)
}

/// A section of terms and what each means.
fn listed(words: &str, terms: &[(&str, &str)], out: &mut impl Write) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [words]);
    for (term, means) in terms {
        roff.control("TP", []).text([bold(*term)]).text([roman(*means)]);
    }
    roff.to_writer(out)
}
