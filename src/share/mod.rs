//! A capture that can be shown to strangers, and the proof that it still tells the same story.
//!
//! Each capture is read twice. The first reading collects what must not be shown (`originals`); the second writes
//! the records again, field by field (`replace`), and looks for all originals in what was written (`search`).
//! Then the new captures are analysed, and what is found must be what was found before (`check`).
use crate::capture::{CaptureError, WriteError};
use crate::case::{self, Case, Unreadable, read_seeing};
use crate::report::aliases::Aliases;
use crate::report::{Report, Shown};
use crate::witness;
use std::io::{self, Read, Seek, Write};

#[cfg(feature = "archives")]
mod bundle;
mod bus;
mod check;
mod container;
mod evidence;
mod excerpt;
mod grams;
mod logs;
mod manifest;
mod originals;
mod replace;
mod search;
mod stream;
mod survey;
mod table;
mod text;
mod trim;
mod work;

#[cfg(feature = "archives")]
pub use bundle::write;
pub use container::Container;
pub use evidence::evidence;
pub use excerpt::{Excerpt, excerpt};
pub use replace::Counts;
pub use trim::Trim;

use container::Needs;
use originals::Originals;
use replace::Kept;
use replace::words::Words;
use search::Search;
use survey::Survey;
use table::Table;
use work::Work;

/// What the user decides about a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How much is left out.
    pub trim: Trim,
    /// Attribute values stay as they were captured.
    pub keep_values: bool,
    /// Names of devices and hosts stay.
    pub keep_names: bool,
    /// The captures stay on their day.
    pub keep_times: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { trim: Trim::Story, keep_values: false, keep_names: false, keep_times: false }
    }
}

/// Where a new capture is written before it is looked at: a file without a name, or memory.
pub trait Draft: Read + Write + Seek + Send + 'static {}

impl<T: Read + Write + Seek + Send + 'static> Draft for T {}

/// One capture of a bundle.
pub struct Part {
    /// What the file is called in the bundle.
    pub name: String,
    /// The new capture.
    pub file: Box<dyn Draft>,
    /// How the original was stored.
    pub from: String,
    /// What kind of file it is.
    pub container: Container,
    /// How many records the original has: of a log its lines, of a D-Bus capture its messages.
    pub records_before: u64,
    /// How many are left.
    pub records_after: u64,
    /// Records that the file has no place for.
    pub unfit: u64,
    /// What was replaced.
    pub counts: Counts,
}

/// Everything that goes into a bundle.
pub struct Bundle {
    /// The captures.
    pub parts: Vec<Part>,
    /// What the new captures show.
    pub report: Report,
    /// In plain words: what was removed, replaced, kept.
    pub manifest: String,
    /// Original and alias, for the reporter alone.
    pub map: String,
    /// How much was left out: perhaps less than was asked for.
    pub trim: Trim,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A capture cannot be read.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// A capture cannot be read to its end.
    #[error("{name}: {error}")]
    Capture {
        /// What the capture is called.
        name: String,
        /// Why it cannot be read.
        error: CaptureError,
    },
    /// A capture can be read only once.
    #[error("{name} can be read only once, and sharing reads it twice: save it into a file first")]
    Once {
        /// What the capture is called.
        name: String,
    },
    #[error(
        "{name} is text: hcidiff cannot share text captures yet; share the recording that it was made from"
    )]
    /// A capture is text.
    Text {
        /// What the capture is called.
        name: String,
    },
    #[error(
        "{name} is a sniffer's capture of the air: hcidiff cannot share those yet; share the host's capture without it"
    )]
    /// A capture is of the air.
    Air {
        /// What the capture is called.
        name: String,
    },
    /// Something of the original was found in the output.
    #[error(
        "nothing was written: {what} of the original was found in {place}; please report this as a bug of hcidiff"
    )]
    Leak {
        /// What kind of thing.
        what: &'static str,
        /// Where.
        place: String,
    },
    /// The new captures do not tell the same story.
    #[error(
        "nothing was written: the redacted capture would not give the same report ({before}; {after})"
    )]
    Verdict {
        /// What the original says.
        before: String,
        /// What the new captures say.
        after: String,
    },
    /// A witness is a capture of D-Bus without any message.
    #[error("{name} is a capture of D-Bus without a message that can be read: leave it out")]
    Bus {
        /// What the witness is called.
        name: String,
    },
    #[error(
        "the ending of the file names no capture format: use .btsnoop, .pklg, .pcap or .pcapng"
    )]
    /// Nobody knows which kind of file is wanted.
    Ending,
    /// Something cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io(error) => Self::Io(error),
            WriteError::Unfit(what) => Self::Io(io::Error::other(what)),
        }
    }
}

/// What the first reading found.
struct FirstReading {
    found: Originals,
    report: Report,
    needs: Vec<Needs>,
    /// Which captures show packets without their bytes.
    text: Vec<bool>,
}

/// Makes a bundle of the captures of a case. `draft` gives a place for each new capture.
pub fn share(
    case: &Case,
    options: &Options,
    draft: &dyn Fn() -> io::Result<Box<dyn Draft>>,
) -> Result<Bundle, Refusal> {
    let read = first_reading(case)?;
    let kept = Kept { values: options.keep_values, names: options.keep_names, addresses: false };
    let tools = Tools::of(&read, kept);
    let work = Work { case, options, tools, read };
    let mut different = None;
    for trim in options.trim.and_milder() {
        match work.attempt(trim, draft)? {
            Ok(bundle) => return Ok(bundle),
            Err(difference) => different = Some(difference),
        }
    }
    let (before, after) = different.unwrap_or_default();
    Err(Refusal::Verdict { before, after })
}

/// What captures are called in a bundle.
fn label(captures: usize, at: usize) -> &'static str {
    match (captures, at) {
        (1, _) => "capture",
        (_, 0) => "works",
        _ => "fails",
    }
}

fn first_reading(case: &Case) -> Result<FirstReading, Refusal> {
    let mut found = Originals::default();
    let (mut captures, mut needs, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let mut logs = Vec::new();
    let sides = case.sides();
    for (at, side) in sides.iter().enumerate() {
        let name = || side.capture.name().into_owned();
        if side.capture.is_read_once() {
            return Err(Refusal::Once { name: name() });
        }
        logs.extend(witnesses(side, at)?);
        let mut survey = Survey::new(&mut found);
        let mut side = side.clone();
        side.label = Some(label(sides.len(), at).to_owned());
        let capture = read_seeing(&side, |record, event, _| survey.see(record, event))
            .map_err(|error| Refusal::Capture { name: name(), error })?;
        if capture.totals.air > 0 {
            return Err(Refusal::Air { name: name() });
        }
        text.push(survey.text);
        needs.push(survey.needs);
        survey.text(&capture.file);
        let names = capture.connections.iter().filter_map(|it| it.peer.name.as_deref());
        let names = names.chain(capture.devices.iter().filter_map(|it| it.name.as_deref()));
        for name in names.chain(capture.adapters.iter().filter_map(|it| it.name.as_deref())) {
            survey::learned_name(&mut found, name);
        }
        captures.push(capture);
    }
    for log in logs.iter().map(|(_, log)| log) {
        let devices = log.claims.iter().flat_map(|claim| [claim.device, claim.adapter_address]);
        for device in devices.flatten() {
            found.address(device.0);
        }
        for (_, name) in &log.names {
            survey::learned_name(&mut found, name);
        }
    }
    let analysis = case::Analysis::with_logs(captures, logs, &case.comparing);
    let shown = Shown { aliases: true, ..Shown::default() };
    let report = Report { shown, ..Report::from(analysis) };
    Ok(FirstReading { found, report, needs, text })
}

/// The logs beside the capture of a side.
fn witnesses(side: &case::Side, at: usize) -> Result<Vec<(usize, witness::Log)>, Refusal> {
    let mut logs = Vec::new();
    for input in &side.witnesses {
        let name = || input.name().into_owned();
        if input.is_read_once() {
            return Err(Refusal::Once { name: name() });
        }
        if case::is_of_air(input) {
            return Err(Refusal::Air { name: name() });
        }
        let log = case::log(input)?;
        let unreadable = |error| Refusal::Capture { name: name(), error };
        if log.is_bus_capture() && !logs::has_messages(input).map_err(unreadable)? {
            return Err(Refusal::Bus { name: name() });
        }
        logs.push((at, log));
    }
    Ok(logs)
}

/// What replaces and what looks for what is left, for all captures of a case.
#[derive(Debug)]
struct Tools {
    kept: Kept,
    table: Table,
    words: Words,
    search: Search,
    /// What the report calls the devices.
    labels: Aliases,
}

impl Tools {
    fn of(read: &FirstReading, kept: Kept) -> Self {
        let labels = Aliases::of(&read.report.captures).and_of(&read.report.testimonies);
        let table = Table::of(&read.found, &labels, kept);
        let (words, search) = (Words::of(&table), Search::of(&read.found, kept));
        Self { kept, table, words, search, labels }
    }

    /// Those of a capture with one device, `LabSensor` at C0:00:5E:00:53:01.
    #[cfg(test)]
    fn for_tests() -> Self {
        let mut found = Originals::default();
        found.address([1, 0x53, 0, 0x5e, 0, 0xc0]);
        found.name(b"LabSensor");
        let labels = Aliases::default();
        let table = Table::of(&found, &labels, Kept::default());
        let (words, search) = (Words::of(&table), Search::of(&found, Kept::default()));
        Self { kept: Kept::default(), table, words, search, labels }
    }
}
