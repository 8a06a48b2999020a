//! Every output of the program. A new one is one more line in [`of`].
use hcidiff::capture::{self, CaptureError, Input, OpenOptions, Warning};
use hcidiff::case::{Case, Side, analyse};
use hcidiff::decode::Decoder;
use hcidiff::recipe;
pub use hcidiff::report::events::Style;
use hcidiff::report::events::{Events, Place};
use hcidiff::report::terminal::{self, Screen};
use hcidiff::report::{Report, Shown, facts, html, json, markdown};
use hcidiff::timeline::Tracker;
use std::path::PathBuf;

/// What was shown of captures.
pub struct Output {
    /// Which output this is.
    pub name: String,
    /// Real addresses and names stand in it.
    pub open: bool,
    pub text: String,
}

/// How a report becomes text.
type Render = fn(&Report) -> String;

/// The formats of a report.
const FORMATS: &[(&str, Render)] = &[
    ("terminal", |report| terminal::render(report, Screen::default())),
    ("markdown", markdown::render),
    ("json", json::render),
    ("html", html::render),
    ("facts", facts::render),
];

/// Everything that can be shown of one or two captures.
pub fn of(files: &[PathBuf]) -> Vec<Output> {
    let mut all = Vec::new();
    for (values, salvage) in [(false, false), (true, true)] {
        all.extend(reports(files, values, salvage));
    }
    for style in [Style::Table, Style::JsonLines] {
        for (values, salvage) in [(false, false), (true, false), (true, true)] {
            all.push(events(files, style, values, salvage));
        }
    }
    all.extend(recipes(files));
    all
}

/// The recipe for each target, or why there is none.
pub fn recipes(files: &[PathBuf]) -> Vec<Output> {
    let case = match files {
        [one] => Case::one(one),
        [works, fails, ..] => Case::pair(works, fails),
        [] => return Vec::new(),
    };
    let open = |name: String, text: String| Output { name, open: true, text };
    let handshake = match recipe::handshake(&case) {
        Ok(handshake) => handshake,
        Err(refusal) => return vec![open("recipe".into(), refusal.to_string())],
    };
    let of = |target: &recipe::Target| {
        let text = match target.write(&handshake) {
            Ok(recipe) => {
                let texts = recipe.files.iter().map(|file| file.text.clone());
                texts.chain(recipe.says).collect::<Vec<_>>().join("\n")
            }
            Err(refusal) => refusal.to_string(),
        };
        open(format!("recipe {}", target.name), text)
    };
    recipe::TARGETS.iter().map(of).collect()
}

/// Reports in all formats, with aliases and without.
pub fn reports(files: &[PathBuf], everything: bool, salvage: bool) -> Vec<Output> {
    let side = |file: &PathBuf| {
        let mut side = Side::from(file);
        side.reading.salvage = salvage;
        side
    };
    let mut case = match files {
        [one] => Case::one(side(one)),
        [reference, subject, ..] => Case::pair(side(reference), side(subject)),
        [] => return Vec::new(),
    };
    case.values = everything;
    let analysis = match analyse(&case) {
        Ok(analysis) => analysis,
        Err(error) => {
            let name = format!("error, salvage {salvage}");
            return vec![Output { name, open: false, text: error.to_string() }];
        }
    };
    let shown = Shown { strict: everything, full: everything, values: everything, aliases: false };
    let mut report = Report::from(analysis);
    report.shown = shown;
    let mut all = Vec::new();
    for (format, render) in FORMATS {
        for open in [true, false] {
            report.shown.aliases = !open;
            let who = if open { "open" } else { "aliases" };
            let name = format!("{format}, {who}, everything {everything}, salvage {salvage}");
            all.push(Output { name, open, text: render(&report) });
        }
    }
    all
}

/// The events of each capture, and what is said on standard error beside them.
pub fn events(files: &[PathBuf], style: Style, values: bool, salvage: bool) -> Output {
    let mut out = Vec::new();
    for file in files {
        let said = match listed(file, style, values, salvage, &mut out) {
            Ok(warnings) => warnings.iter().map(|it| format!("{}\n", it.text)).collect(),
            Err(error) => format!("{error}\n"),
        };
        out.extend(said.bytes());
    }
    let name = format!("events {style:?}, values {values}, salvage {salvage}");
    Output { name, open: true, text: String::from_utf8(out).expect("text") }
}

fn listed(
    file: &PathBuf,
    style: Style,
    values: bool,
    salvage: bool,
    out: &mut Vec<u8>,
) -> Result<Vec<Warning>, CaptureError> {
    let options = OpenOptions { salvage, ..OpenOptions::default() };
    let mut opened = capture::open(&Input::from(file), &options)?;
    let clock = opened.source.describe().clock;
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    let mut events = Events::new(style, values, clock);
    events.begin(out)?;
    while let Some(record) = opened.source.next()? {
        let event = decoder.decode(&record);
        let connection = tracker.push(&event);
        let peer = connection.and_then(|number| tracker.peer_of(number));
        let comment = record.comment.as_deref();
        // Whoever wants values gets bytes here too.
        let place = Place { connection, peer, comment, record: values.then_some(record.bytes()) };
        events.push(&event, place, out)?;
    }
    let mut warnings = opened.warnings;
    warnings.extend(opened.source.warnings());
    Ok(warnings)
}
