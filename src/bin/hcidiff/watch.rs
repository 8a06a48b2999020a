//! `hcidiff watch`: the live view of a capture that somebody else still writes.
use crate::cli::{Color, Compare, Reading};
use crate::live::{Form, Lines};
use crate::piped::Piped;
use crate::stop::Stop;
use crate::values::{adapter, duration, peer};
use crate::{INTO_ITSELF, cannot_be_read, console, output, present, screen, trouble};
use clap::{Args, ValueEnum};
use hcidiff::capture::{CaptureError, Fate, Follow, Followed, Input};
use hcidiff::case::Beside;
use hcidiff::compare::Peer;
use hcidiff::report::safe;
use hcidiff::{Case, watch};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// `hcidiff watch`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    hcidiff watch pi.btsnoop --reference mac.pklg      beside `sudo btmon -w pi.btsnoop`\n  \
    hcidiff watch pi.btsnoop --until failed -f jsonl   for a script\n  \
    ssh pi sudo tcpdump -Uw - -i bluetooth-monitor | hcidiff watch -\n\n\
    Ctrl-C ends it with the report. Exit status: that of the report.")]
pub struct Watch {
    /// The capture that grows: a file, or `-` for standard input
    #[arg(value_name = "SOURCE", value_hint = clap::ValueHint::FilePath)]
    pub source: PathBuf,

    /// A capture that works, to be compared with
    #[arg(long, value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub reference: Option<PathBuf>,

    /// A log of the host whose capture grows; it is read in the end. Repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness: Vec<PathBuf>,

    /// A log of the working side's host; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub reference_witness: Vec<PathBuf>,

    /// What is printed
    #[arg(short, long, value_enum, default_value_t = LiveFormat::Terminal)]
    pub format: LiveFormat,

    /// Write the report there in the end; the ending .md, .json, .html, .txt or .pcapng names the format. Repeatable
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Vec<PathBuf>,

    /// End after this time: 60s, 5m, 24h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub lasts: Option<Duration>,

    /// End when an attempt has failed
    #[arg(long, value_enum, value_name = "WHAT")]
    pub until: Option<Until>,

    /// The device to look at, by address or name
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Option<Peer>,

    /// The adapter (hciN) to look at
    #[arg(long, value_name = "N", value_parser = adapter)]
    pub adapter: Option<u16>,

    #[command(flatten)]
    pub reading: Reading,

    /// Aliases instead of addresses and names
    #[arg(long)]
    pub aliases: bool,

    /// Real addresses and names in Markdown, HTML and text files too
    #[arg(long, conflicts_with = "aliases")]
    pub show_addresses: bool,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

/// How a live view is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LiveFormat {
    /// For people: a line for each attempt, then the report
    Terminal,
    /// One JSON object a line: attempts, findings, and the end
    Jsonl,
}

/// What ends a live view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// An attempt that has failed
    Failed,
}

impl Watch {
    /// The captures that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        self.reference.iter().chain([&self.source]).cloned().collect()
    }

    /// The main job over the finished capture: its report is the last thing that is shown.
    fn compare(&self) -> Compare {
        Compare {
            output: self.output.clone(),
            peer: self.peer.clone().into_iter().collect(),
            adapter: self.adapter.into_iter().collect(),
            reading: self.reading.clone(),
            witness: self.witness.clone(),
            reference_witness: self.reference_witness.clone(),
            aliases: self.aliases,
            show_addresses: self.show_addresses,
            color: self.color,
            quiet: self.format == LiveFormat::Jsonl,
            ..Compare::of(self.files())
        }
    }
}

/// What a live view needs, whoever makes the capture.
pub struct View<'a> {
    pub asked: Compare,
    pub case: &'a Case,
    pub beside: &'a Beside,
    pub lines: Lines,
    pub until: Option<Until>,
    pub stop: Stop,
}

/// Where bytes come from, and who knows whether more of them wait.
pub enum Behind {
    File(Followed),
    Pipe(Arc<AtomicUsize>),
}

impl Behind {
    fn is_behind(&self) -> bool {
        match self {
            Self::File(followed) => followed.is_behind(),
            Self::Pipe(waiting) => waiting.load(Ordering::Relaxed) > 0,
        }
    }

    pub fn fate(&self) -> Fate {
        match self {
            Self::File(followed) => followed.fate(),
            Self::Pipe(_) => Fate::Grows,
        }
    }
}

pub fn run(asked: &Watch, out: &mut impl Write) -> io::Result<ExitCode> {
    let compare = asked.compare();
    if let Err(sentence) = (crate::cli::Cli { command: None, compare: compare.clone() }).check() {
        return Ok(trouble(&sentence));
    }
    let files = asked.files();
    if let Some(path) = output::over_a_capture(&asked.output, &files) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is a capture to be read: a report would replace it")));
    }
    if output::goes_into(&files) {
        return Ok(trouble(INTO_ITSELF));
    }
    let case = compare.case();
    let beside = match Beside::read(&case) {
        Ok(beside) => beside,
        Err(unreadable) => return Ok(cannot_be_read(&unreadable)),
    };
    let stop = Stop::new(asked.lasts)?;
    let form = match asked.format {
        LiveFormat::Terminal => Form::Terminal(screen(asked.color)),
        LiveFormat::Jsonl => Form::JsonLines,
    };
    let name = safe::text(&Input::parse(&asked.source).name()).into_owned();
    console::say(&format!(
        "watching {name}: a line for each attempt as it ends; Ctrl-C ends with the report"
    ));
    loop {
        let lines = Lines::new(form, asked.aliases);
        let view = View {
            asked: compare.clone(),
            case: &case,
            beside: &beside,
            lines,
            until: asked.until,
            stop: stop.clone(),
        };
        let (input, behind) = match opened(&asked.source, &stop) {
            Ok(opened) => opened,
            Err(error) => return Ok(trouble(&format!("{name}: {error}"))),
        };
        let code = view.run(input, &behind, out)?;
        let what = match behind.fate() {
            Fate::Grows => return Ok(code),
            Fate::Shrunk => "was cut and begins again",
            Fate::Replaced => "was moved away, and a new file has its name (rotation)",
        };
        console::say(&format!("{name} {what}: from here on the new capture is watched"));
    }
}

type Opened = (Box<dyn Read + Send>, Behind);

/// The bytes of the source, from its beginning.
fn opened(source: &PathBuf, stop: &Stop) -> io::Result<Opened> {
    let piped = |piped: Piped| -> Opened {
        let behind = Behind::Pipe(piped.waiting());
        (Box::new(piped), behind)
    };
    if let Input::Stdin = Input::parse(source) {
        return Piped::stdin(stop.clone()).map(piped);
    }
    if !std::fs::metadata(source)?.is_file() {
        return Piped::named(source, stop.clone()).map(piped);
    }
    let (follow, followed) = Follow::open(source, stop.clone())?;
    Ok((Box::new(follow), Behind::File(followed)))
}

impl View<'_> {
    /// Shows the attempts of a capture as they end, and its report when it is over.
    pub fn run(
        mut self,
        input: Box<dyn Read + Send>,
        behind: &Behind,
        out: &mut impl Write,
    ) -> io::Result<ExitCode> {
        let read = self.read(input, behind, out);
        let (ended, capture) = match read {
            Ok((ended, capture)) => (ended, capture),
            Err(CaptureError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(error);
            }
            Err(error) => (Vec::new(), Err(error)),
        };
        let analysis = self.beside.finished(capture);
        self.lines.finish(&ended, &analysis, out)?;
        match analysis {
            Ok(analysis) => present(&self.asked, self.case, analysis, out),
            Err(unreadable) => Ok(cannot_be_read(&unreadable)),
        }
    }

    /// Reads to the end. The attempts that nobody was told of come back beside the capture.
    #[allow(
        clippy::type_complexity,
        reason = "the capture may be unreadable where its output is not"
    )]
    pub fn read(
        &mut self,
        input: Box<dyn Read + Send>,
        behind: &Behind,
        out: &mut impl Write,
    ) -> Result<(Vec<u32>, Result<hcidiff::timeline::Capture, CaptureError>), CaptureError> {
        let Some(side) = self.case.sides().last() else {
            return Err(CaptureError::Refused("there is no capture".into()));
        };
        let mut watch = watch::Watch::open(side, input)?;
        loop {
            match watch.take() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Ok((Vec::new(), Err(error))),
            }
            if !watch.has_ended() {
                continue;
            }
            if self.until == Some(Until::Failed) && watch.has_failed() {
                self.stop.set();
                break;
            }
            if self.lines.are_due(behind.is_behind()) {
                self.lines.look(&mut watch, self.beside, out)?;
            }
        }
        Ok((watch.ended(), watch.finish()))
    }
}
