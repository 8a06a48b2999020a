//! `hcidiff share`: from captures to a bundle that may be shown.
use crate::cli::{Reading, logs_of, of_side};
use crate::values::{bound, peer};
use crate::{console, output, progress, trouble};
use clap::{Args, ValueEnum};
use hcidiff::capture::Input;
use hcidiff::case::{Bound, Range};
use hcidiff::compare::Peer;
use hcidiff::report::safe;
use hcidiff::share::{self, Draft, Options, Refusal, Trim};
use hcidiff::sides::{Sides, Which};
use hcidiff::{Case, case, compare};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// `hcidiff share`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    hcidiff share mac.pklg pi.btsnoop -o bundle.zip    the capture that works, then the one that fails\n  \
    hcidiff share pi.btsnoop -o bundle.zip             one capture\n  \
    hcidiff share pi.btsnoop --witness journal.txt -o bundle.zip    with the host's log\n\n\
    The bundle holds the captures with aliases for addresses and names, dummies for keys and rows of x for values,\n\
    their report, and MANIFEST.md that says what was done. Nothing is written where a check fails.")]
pub struct Share {
    /// The capture that works, then the one that fails; or a single one
    #[arg(value_name = "CAPTURE", required = true, num_args = 1..=2, value_hint = clap::ValueHint::FilePath)]
    pub captures: Vec<PathBuf>,

    /// Write the bundle there, as a zip file
    #[arg(short, long, value_name = "BUNDLE", value_hint = clap::ValueHint::FilePath)]
    pub output: PathBuf,

    /// How much to leave out
    #[arg(long, value_enum, value_name = "HOW", default_value_t = HowMuch::Story)]
    pub trim: HowMuch,

    /// Keep attribute values, but for keys and identities
    #[arg(long)]
    pub keep_values: bool,

    /// Keep the names of devices and hosts
    #[arg(long)]
    pub keep_names: bool,

    /// Keep the day of the captures; else they are moved to 2001-01-01
    #[arg(long)]
    pub keep_times: bool,

    /// Write there what each alias stands for, for yourself alone
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub map: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long)]
    pub force: bool,

    /// The device to look at, by address or name; once, or once per side in order
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Vec<Peer>,

    /// Where to begin: a frame (431), seconds since the first record (12.5s), or a time (09:47:56); once, or once
    /// per side
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub from: Vec<Bound>,

    /// Where to end, named as in --from; what stands there belongs to it
    #[arg(long, value_name = "WHERE", value_parser = bound)]
    pub to: Vec<Bound>,

    #[command(flatten)]
    pub reading: Reading,

    /// A log of the failing side's host; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness: Vec<PathBuf>,

    /// A log of the working side's host; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub reference_witness: Vec<PathBuf>,
}

/// How much is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HowMuch {
    /// Nothing
    None,
    /// Other devices
    Device,
    /// Other devices, voice, streams, and the chip's own logs
    Story,
}

/// Makes the bundle and writes it whole, or nothing.
pub fn run(asked: &Share) -> ExitCode {
    let inputs = [&asked.captures[..], &asked.witness, &asked.reference_witness].concat();
    let mut outputs = vec![asked.output.clone()];
    outputs.extend(asked.map.clone());
    if let Some(path) = output::over_a_capture(&outputs, &inputs) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return trouble(&format!("{path} is a capture to be read: the bundle would replace it"));
    }
    if let Some(path) = outputs.iter().find(|path| path.is_file() && !asked.force) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return trouble(&format!("{path} exists: choose another name, or use --force"));
    }
    let case = case(asked);
    let options = Options {
        trim: match asked.trim {
            HowMuch::None => Trim::None,
            HowMuch::Device => Trim::Device,
            HowMuch::Story => Trim::Story,
        },
        keep_values: asked.keep_values,
        keep_names: asked.keep_names,
        keep_times: asked.keep_times,
    };
    let draft = || Ok(Box::new(tempfile::tempfile()?) as Box<dyn Draft>);
    let display = progress::Display::of(case.sides());
    let made = share::share(&case, &options, &draft);
    drop(display);
    let mut bundle = match made {
        Ok(bundle) => bundle,
        Err(refusal) => return trouble(&refused(&refusal)),
    };
    let written = output::write_all(&outputs, |path, out| {
        if path != asked.output {
            return out.write_all(bundle.map.as_bytes());
        }
        // A zip file is written back and forth.
        let mut whole = tempfile::tempfile()?;
        share::write(&mut bundle, &mut whole)?;
        io::Seek::rewind(&mut whole)?;
        io::copy(&mut whole, out).map(drop)
    });
    if let Err((path, error)) = written {
        let path = path.display().to_string();
        return trouble(&format!("{}: {error}", safe::text(&path)));
    }
    if bundle.trim != options.trim {
        console::say(
            "less was left out than was asked for, because otherwise the report would have changed",
        );
    }
    for path in &outputs {
        console::say(&format!("wrote {}", safe::text(&path.display().to_string())));
    }
    ExitCode::SUCCESS
}

fn refused(refusal: &Refusal) -> String {
    safe::text(&refusal.to_string()).into_owned()
}

fn case(asked: &Share) -> Case {
    let side = |path: &PathBuf, side: Which| {
        let mut of = case::Side::new(Input::parse(path));
        of.reading = asked.reading.of(side);
        of.range =
            Range::new(of_side(&asked.from, side).copied(), of_side(&asked.to, side).copied());
        of.witnesses =
            logs_of(side, asked.captures.len() == 1, &asked.witness, &asked.reference_witness);
        of
    };
    let mut case = match asked.captures.as_slice() {
        [reference, subject] => {
            Case::pair(side(reference, Which::Reference), side(subject, Which::Subject))
        }
        // Clap takes one or two.
        captures => Case::one(side(&captures[0], Which::Reference)),
    };
    let wanted = |side| compare::Wanted {
        peer: of_side(&asked.peer, side).cloned(),
        ..compare::Wanted::default()
    };
    case.comparing = compare::Options { wanted: Sides::of(wanted), ..compare::Options::default() };
    case
}
