//! What can be typed: commands, options, and the words for their values.
pub use crate::check::Check;
pub use crate::doctor::Doctor;
pub use crate::record::Record;
pub use crate::share::Share;
pub use crate::survey::Survey;
use crate::values::{adapter, bound, frames, peer, target, zone};
pub use crate::watch::Watch;
use clap::{Args, Parser, Subcommand, ValueEnum};
use hcidiff::Case;
use hcidiff::capture::{Input, OpenOptions};
use hcidiff::case::{Bound, Range};
use hcidiff::compare::Peer;
use hcidiff::sides::{Sides, Which};
use hcidiff::time::Span;
use hcidiff::{case, compare, recipe};
use std::path::{Path, PathBuf};

/// Compare two Bluetooth HCI captures: what went wrong, why, and what to change.
#[derive(Debug, Parser)]
#[command(
    name = "hcidiff",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    override_usage = "hcidiff [OPTIONS] REFERENCE SUBJECT\n       hcidiff [OPTIONS] CAPTURE\n       hcidiff <COMMAND>",
    after_help = "Examples:\n  \
        hcidiff mac.pklg pi.btsnoop     the capture that works, then the one that fails\n  \
        hcidiff explain error 62        what a number or an error text means\n\
        `hcidiff --help` has every option.",
    after_long_help = "Examples:\n  \
        hcidiff mac.pklg pi.btsnoop            why does it work from the Mac and fail from the Pi?\n  \
        hcidiff pi.btsnoop                     what happened in this capture?\n  \
        hcidiff -o report.md mac.pklg pi.btsnoop       a report to attach to an issue\n  \
        hcidiff --peer LabSensor mac.pklg pi.btsnoop   one device of several\n  \
        hcidiff -q --fail-on cause works.pklg new.btsnoop   in CI: the exit status alone\n  \
        hcidiff events pi.btsnoop              every record, one a line\n  \
        hcidiff recipe mac.pklg pi.btsnoop --for att-socket   what the Mac did, as a program\n  \
        hcidiff explain error 62               what a number or an error text means\n  \
        hcidiff explain < bluetooth.log        the same for each line of a log\n\n\
        Exit status: 0 nothing found, 1 something found (see --fail-on), 2 trouble.\n\
        A capture may be in any format that hcidiff reads; `-` is standard input."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub compare: Compare,
}

/// Everything but the main job.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the events of a capture, one for each record
    Events(Events),
    /// Explain a rule, a number, an error text or a line of a log
    Explain {
        /// What to explain, in any words; without them each line of standard input, or the list of what there is
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        what: Vec<String>,
    },
    /// Make a bundle for a bug report, without addresses, names, keys and values
    Share(Share),
    /// Write the cure down: what the working host did, as something that can be run
    Recipe(Recipe),
    /// Pass or fail: hold a capture against expectations, for CI
    Check(Check),
    /// Count causes over many captures, and find what sets the bad ones apart
    Survey(Survey),
    /// Say what a capture lacks, and how to record a better one
    Doctor(Doctor),
    /// Record on this host (Linux): each attempt as it ends, then the report
    Record(Record),
    /// Watch a capture that still grows: each attempt as it ends, then the report
    Watch(Watch),
    /// Print the JSON Schema of the report
    Schema,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// The main job: two captures compared, or one looked at.
#[derive(Clone, Debug, Args)]
pub struct Compare {
    /// The capture that works, then the one that fails; or a single one
    #[arg(value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub captures: Vec<PathBuf>,

    /// Report format
    #[arg(short, long, value_enum, hide_default_value = true, default_value_t = Format::Terminal)]
    pub format: Format,

    /// Write the report there (.md, .json, .html, .txt, .pcapng); repeatable
    ///
    /// The ending sets the format; .pcapng is for the packets that the report rests on.
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Vec<PathBuf>,

    /// How long after the connection is up counts as early
    #[arg(long, hide_short_help = true, value_name = "MS", default_value_t = 500)]
    pub window: u32,

    /// The device to look at, by address or name; once, or once per side in order
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Vec<Peer>,

    /// The adapter (hciN) to look at; once, or once per side in order
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = adapter)]
    pub adapter: Vec<u16>,

    /// Connection of the reference, as numbered in the list of connections
    #[arg(long, hide_short_help = true, value_name = "N")]
    pub reference_connection: Option<u32>,

    /// Connection of the subject, as numbered in the list of connections
    #[arg(long, hide_short_help = true, value_name = "N")]
    pub subject_connection: Option<u32>,

    /// The connection to look at in a single capture, as numbered in the list of connections
    #[arg(long, hide_short_help = true, value_name = "N", conflicts_with_all = ["reference_connection", "subject_connection"])]
    pub connection: Option<u32>,

    /// Where to begin: a frame (431), seconds since the first record (12.5s), or a time (09:47:56); once, or once
    /// per side
    #[arg(long, hide_short_help = true, value_name = "WHERE", value_parser = bound)]
    pub from: Vec<Bound>,

    /// Where to end, named as in --from; what stands there belongs to it
    #[arg(long, hide_short_help = true, value_name = "WHERE", value_parser = bound)]
    pub to: Vec<Bound>,

    #[command(flatten)]
    pub reading: Reading,

    /// The failing side's log, D-Bus or air capture; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness: Vec<PathBuf>,

    /// A log of the working side's host; repeatable
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub reference_witness: Vec<PathBuf>,

    /// What to call a side; once per side in order
    #[arg(long, hide_short_help = true, value_name = "NAME")]
    pub label: Vec<String>,

    /// Real addresses and names in Markdown, HTML and text files too
    #[arg(long, hide_short_help = true, conflicts_with = "aliases")]
    pub show_addresses: bool,

    /// Aliases instead of addresses and names in terminal and JSON too
    #[arg(long, hide_short_help = true)]
    pub aliases: bool,

    /// Show attribute values; elsewhere their length
    #[arg(long, hide_short_help = true)]
    pub show_values: bool,

    /// Show the differences too that are normal between host stacks
    #[arg(long, hide_short_help = true)]
    pub strict: bool,

    /// The whole report in the terminal; through PAGER where that is set
    #[arg(long)]
    pub full: bool,

    /// When to use colours
    #[arg(long, hide_short_help = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,

    /// What gives exit status 1: a cause, a suspect too, or any difference that is not normal
    #[arg(long, hide_short_help = true, value_enum, value_name = "LEVEL", default_value_t = FailOn::Difference)]
    pub fail_on: FailOn,

    /// Exit with status 0 whatever is found
    #[arg(long, hide_short_help = true)]
    pub exit_zero: bool,

    /// No report: the exit status alone
    #[arg(short, long)]
    pub quiet: bool,
}

/// How captures are read. A value given once counts for both sides.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// What to subtract from the capture's local times; once, or once per side
    #[arg(long, hide_short_help = true, value_name = "±HH:MM", value_parser = zone, allow_hyphen_values = true)]
    pub tz_offset: Vec<Minutes>,

    /// Which file of an archive to read; once, or once per side
    #[arg(long, hide_short_help = true, value_name = "NAME")]
    pub member: Vec<String>,

    /// After damage, search for the next plausible records and go on
    #[arg(long, hide_short_help = true)]
    pub salvage: bool,
}

/// Which part of a single capture is looked at.
#[derive(Clone, Copy, Debug, Args)]
pub struct Part {
    /// Where to begin: a frame (431), seconds since the first record (12.5s), or a time (09:47:56)
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub from: Option<Bound>,

    /// Where to end, named as in --from; what stands there belongs to it
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub to: Option<Bound>,
}

impl Part {
    pub fn range(&self) -> Range {
        Range::new(self.from, self.to)
    }
}

/// `hcidiff events`.
#[derive(Clone, Debug, Args)]
pub struct Events {
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub capture: PathBuf,

    /// A table, or one JSON object a line
    #[arg(short, long, value_enum, default_value_t = EventsFormat::Terminal)]
    pub format: EventsFormat,

    /// Only events of this device, by address or name
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Option<Peer>,

    /// Only events of this adapter (hciN)
    #[arg(long, value_name = "N", value_parser = adapter)]
    pub adapter: Option<u16>,

    /// Only events of this connection, as numbered in the list of connections
    #[arg(long, value_name = "N")]
    pub connection: Option<u32>,

    #[command(flatten)]
    pub part: Part,

    /// Only these frames, the first and the last of them
    #[arg(long, value_name = "FIRST-LAST", value_parser = frames, conflicts_with_all = ["from", "to"])]
    pub frames: Option<(u32, u32)>,

    #[command(flatten)]
    pub reading: Reading,

    /// Show attribute values; elsewhere their length
    #[arg(long)]
    pub show_values: bool,

    /// Show the bytes of each record, field by field; never those of keys
    #[arg(long)]
    pub bytes: bool,

    /// Write the records as a capture of their own instead (.btsnoop, .pklg, .pcap, .pcapng); keys become dummies,
    /// and what nobody can decode becomes zeros
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub write: Option<PathBuf>,
}

impl Events {
    /// Which part of the capture is listed.
    pub fn range(&self) -> Range {
        match self.frames {
            Some((first, last)) => Range::new(Some(Bound::Frame(first)), Some(Bound::Frame(last))),
            None => self.part.range(),
        }
    }
}

/// Whether an output is to hold the packets that the report rests on.
pub fn is_evidence(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pcapng"))
}

/// `hcidiff recipe`.
#[derive(Clone, Debug, Args)]
pub struct Recipe {
    /// The capture that works, then the one that fails, if there is one
    #[arg(required = true, num_args = 1..=2, value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub captures: Vec<PathBuf>,

    /// What to write; without it the handshake as a table
    #[arg(long = "for", value_name = "TARGET", default_value = "table", value_parser = target)]
    pub target: &'static recipe::Target,

    /// Write into that file or folder
    #[arg(short, long, value_name = "FILE|FOLDER", value_hint = clap::ValueHint::AnyPath)]
    pub output: Option<PathBuf>,

    /// The device to look at, by its address or a part of its name; once, or once per side in order
    #[arg(long, value_name = "ADDR|NAME", value_parser = peer)]
    pub peer: Vec<Peer>,

    /// The working connection, as numbered in the list of connections
    #[arg(long, value_name = "N")]
    pub connection: Option<u32>,

    #[command(flatten)]
    pub reading: Reading,
}

/// A report's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Terminal,
    Markdown,
    Json,
    Html,
    /// What can be quoted, as one line of JSON below 8 kB
    Facts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventsFormat {
    Terminal,
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The least that gives exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Cause,
    Suspect,
    Difference,
}

/// Minutes east of UTC.
pub type Minutes = i32;

/// The witnesses of a side. Of a single capture, every witness is its own.
pub fn logs_of(side: Which, alone: bool, failing: &[PathBuf], working: &[PathBuf]) -> Vec<Input> {
    let logs = match side {
        Which::Reference if alone => failing.iter().chain(working),
        Which::Reference => working.iter().chain(&[]),
        Which::Subject => failing.iter().chain(&[]),
    };
    logs.map(|path| Input::parse(path)).collect()
}

/// The value for a side of an option that is given once, or once per side in order.
pub fn of_side<T>(values: &[T], side: Which) -> Option<&T> {
    match side {
        Which::Reference => values.first(),
        Which::Subject => values.get(1).or(values.first()),
    }
}

impl Cli {
    /// What clap cannot see: values that do not go together. The sentence says what to do.
    pub fn check(&self) -> Result<(), String> {
        let compare = &self.compare;
        if compare.captures.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err("standard input can be only one of the two captures".into());
        }
        for (option, given) in [
            ("--peer", compare.peer.len()),
            ("--adapter", compare.adapter.len()),
            ("--tz-offset", compare.reading.tz_offset.len()),
            ("--member", compare.reading.member.len()),
            ("--label", compare.label.len()),
            ("--from", compare.from.len()),
            ("--to", compare.to.len()),
        ] {
            if given > 2 {
                return Err(format!("{option} can be given twice at most, once per side"));
            }
        }
        if compare.connection.is_some() && compare.captures.len() > 1 {
            return Err(
                "--connection is for a single capture; of two, --reference-connection and \
                --subject-connection name the connections"
                    .into(),
            );
        }
        for path in &compare.output {
            if path.as_os_str() == "-" {
                return Err("without -o the report goes to standard output; \
                    another format there is asked for like this: --format markdown"
                    .into());
            }
            if Format::of_file(path).is_none() && !is_evidence(path) {
                let name = path.display();
                return Err(format!(
                    "the ending of {name} names no format: use .md, .json, .html, .txt or .pcapng"
                ));
            }
        }
        Ok(())
    }
}

impl Reading {
    /// How the capture of a side is read.
    pub fn of(&self, side: Which) -> OpenOptions {
        OpenOptions {
            salvage: self.salvage,
            member: of_side(&self.member, side).cloned(),
            tz_offset: of_side(&self.tz_offset, side).copied(),
            sha256: false,
        }
    }
}

impl Recipe {
    /// What the library is to look at.
    pub fn case(&self) -> Case {
        let side = |path: &PathBuf, side: Which| {
            let mut of = case::Side::new(Input::parse(path));
            of.reading = self.reading.of(side);
            of
        };
        let mut case = match self.captures.as_slice() {
            [works, fails] => {
                Case::pair(side(works, Which::Reference), side(fails, Which::Subject))
            }
            // Clap takes one or two.
            captures => Case::one(side(&captures[0], Which::Reference)),
        };
        let numbers = Sides::new(self.connection, None);
        case.comparing.wanted = Sides::of(|side| compare::Wanted {
            peer: of_side(&self.peer, side).cloned(),
            adapter: None,
            connection: numbers[side],
        });
        case
    }
}

impl Compare {
    /// The main job with these captures, and nothing else asked for.
    pub fn of(captures: Vec<PathBuf>) -> Self {
        Self { captures, ..Cli::parse_from(["hcidiff"]).compare }
    }

    /// Whether standard output gets the first screen: nothing was asked for that only the whole
    /// report shows, or the report goes to files.
    pub fn shows_first_screen(&self) -> bool {
        let details = self.full || self.strict || self.show_values;
        !self.output.is_empty() || self.format == Format::Terminal && !details
    }

    /// Whether some of the output is JSON.
    fn writes_json(&self) -> bool {
        let mut files = self.output.iter();
        files.any(|path| Format::of_file(path) == Some(Format::Json))
            || self.format == Format::Json && !self.quiet
    }

    /// What the library is to analyse.
    pub fn case(&self) -> Case {
        let side = |path: &PathBuf, side: Which| {
            let mut of = case::Side::new(Input::parse(path));
            of.reading = self.reading.of(side);
            of.reading.sha256 = self.writes_json();
            of.range =
                Range::new(of_side(&self.from, side).copied(), of_side(&self.to, side).copied());
            // A label names one side; it is no label for the other.
            of.label = self.label.get(side as usize).cloned();
            let alone = self.captures.len() == 1;
            of.witnesses = logs_of(side, alone, &self.witness, &self.reference_witness);
            of
        };
        let mut case = match self.captures.as_slice() {
            [reference, subject] => {
                Case::pair(side(reference, Which::Reference), side(subject, Which::Subject))
            }
            // Clap takes one or two.
            captures => Case::one(side(&captures[0], Which::Reference)),
        };
        let numbers =
            Sides::new(self.reference_connection, self.subject_connection.or(self.connection));
        let wanted = |side| compare::Wanted {
            peer: of_side(&self.peer, side).cloned(),
            adapter: of_side(&self.adapter, side).copied(),
            connection: numbers[side],
        };
        case.comparing = compare::Options {
            window: Span::from_ms(i64::from(self.window)),
            wanted: Sides::of(wanted),
        };
        case.values = self.show_values;
        case
    }

    /// What was asked for, to be repeated elsewhere: files without their folders, and every option
    /// that changes what a report says.
    pub fn words(&self) -> String {
        let mut words = vec!["hcidiff".to_owned()];
        for path in &self.captures {
            let name = path.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy());
            words.push(name.into_owned());
        }
        let mut option = |name: &str, value: String| words.push(format!("{name} {value}"));
        if self.window != 500 {
            option("--window", self.window.to_string());
        }
        for peer in &self.peer {
            match peer {
                Peer::Address(address) => option("--peer", address.to_string()),
                // A part of a name is no name that an alias could stand for.
                Peer::Name(name) if self.show_addresses => option("--peer", name.clone()),
                Peer::Name(_) => option("--peer", "NAME".to_owned()),
            }
        }
        for adapter in &self.adapter {
            option("--adapter", adapter.to_string());
        }
        let connections = [
            ("--reference-connection", self.reference_connection),
            ("--subject-connection", self.subject_connection),
            ("--connection", self.connection),
        ];
        for (name, number) in connections {
            if let Some(number) = number {
                option(name, number.to_string());
            }
        }
        let logs = [("--witness", &self.witness), ("--reference-witness", &self.reference_witness)];
        for (name, paths) in logs {
            for path in paths {
                let file =
                    path.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy());
                option(name, file.into_owned());
            }
        }
        for (name, bounds) in [("--from", &self.from), ("--to", &self.to)] {
            for bound in bounds {
                option(name, bound.to_string());
            }
        }
        for minutes in &self.reading.tz_offset {
            let (sign, minutes) = (if *minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            option("--tz-offset", format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        for member in &self.reading.member {
            option("--member", member.rsplit('/').next().unwrap_or(member).to_owned());
        }
        for label in &self.label {
            option("--label", label.clone());
        }
        for (name, set) in [
            ("--salvage", self.reading.salvage),
            ("--strict", self.strict),
            ("--full", self.full),
            ("--show-values", self.show_values),
            ("--show-addresses", self.show_addresses),
            ("--aliases", self.aliases),
        ] {
            if set {
                words.push(name.to_owned());
            }
        }
        words.join(" ")
    }
}

impl Format {
    /// The format that a file's ending asks for.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Terminal),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("hcidiff").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn two_captures_or_one_or_a_command() {
        assert_eq!(parse("mac.pklg pi.btsnoop").unwrap().compare.captures.len(), 2);
        assert_eq!(parse("pi.btsnoop").unwrap().compare.captures.len(), 1);
        assert!(matches!(parse("events pi.btsnoop").unwrap().command, Some(Command::Events(_))));
        assert!(parse("").unwrap().compare.captures.is_empty());
    }

    #[test]
    fn values_are_for_one_side_or_both() {
        let cli = parse("--tz-offset -05:30 --adapter hci1 --adapter 2 --label good a b")
            .unwrap()
            .compare;
        assert_eq!(of_side(&cli.reading.tz_offset, Which::Subject), Some(&-330));
        assert_eq!(of_side(&cli.adapter, Which::Reference), Some(&1));
        assert_eq!(of_side(&cli.adapter, Which::Subject), Some(&2));
        assert_eq!(of_side(&cli.reading.member, Which::Subject), None);
        assert!(parse("--label a --label b --label c x y").unwrap().check().is_err());
    }

    #[test]
    fn standard_input_is_one_side_at_most() {
        assert!(parse("- b").unwrap().check().is_ok());
        assert!(parse("- -").unwrap().check().is_err());
    }

    #[test]
    fn a_part_is_named_in_one_way() {
        assert!(parse("events a --frames 1-2 --from 1").is_err());
        assert!(parse("--connection 1 a b").unwrap().check().is_err());
        assert!(parse("--connection 1 a").unwrap().check().is_ok());
    }

    #[test]
    fn endings_name_formats() {
        assert_eq!(Format::of_file(Path::new("a/report.MD")), Some(Format::Markdown));
        assert_eq!(Format::of_file(Path::new("report")), None);
        assert!(parse("-o report.pdf a b").unwrap().check().is_err());
        assert!(parse("-o - a b").unwrap().check().is_err());
    }
}
