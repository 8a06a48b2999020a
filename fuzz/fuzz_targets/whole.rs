//! Files of any format, one or two and a log beside them, the whole way: analysed as the program does it, and shown
//! in every format. No output holds what moves or turns text, or a key of the captures; each is well-formed, fits its
//! schema, and is no larger than it may be.
#![no_main]

use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::{Case, Side, analyse};
use hcidiff::decode::Decoder;
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::report::terminal::{self, ROWS, Screen};
use hcidiff::report::{Report, Shown, facts, html, json, markdown, safe};
use hcidiff::timeline::Tracker;
use hcidiff_fuzz::keys::Keys;
use libfuzzer_sys::fuzz_target;
use roxmltree::{Document, ParsingOptions};
use serde_json::Value;
use std::sync::LazyLock;

/// Stands between two files. Whatever the fuzzer does to one of them, the other begins where it did.
const BETWEEN: &[u8] = b"\n<~next file~>\n";

/// More files are none.
const FILES: usize = 3;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(json::SCHEMA_TEXT).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
});

/// The input: files, and one last byte that says how they are read and shown.
struct Asked {
    shown: Shown,
    reading: OpenOptions,
    values: bool,
}

impl Asked {
    fn of(choice: u8) -> Self {
        let bit = |at: u8| choice & 1 << at != 0;
        let shown = Shown { strict: bit(0), full: bit(1), values: bit(2), aliases: bit(3) };
        let reading = OpenOptions {
            salvage: bit(4),
            tz_offset: bit(5).then_some(-90),
            ..OpenOptions::default()
        };
        Self { shown, reading, values: shown.values }
    }
}

fn files(input: &[u8]) -> Vec<&[u8]> {
    let mut rest = input;
    let mut files = Vec::new();
    while let Some(at) = rest.windows(BETWEEN.len()).position(|part| part == BETWEEN)
        && files.len() + 1 < FILES
    {
        files.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    files.push(rest);
    files
}

fn case(files: &[&[u8]], asked: &Asked) -> Case {
    let side = |name: &str, file: &[u8]| {
        let mut side = Side::new(Input::bytes(name, file));
        side.reading = asked.reading.clone();
        side
    };
    let mut case = match files {
        [one] => Case::one(side("one.btsnoop", one)),
        [works, fails, beside @ ..] => {
            let mut subject = side("fails.pklg", fails);
            subject.witnesses.extend(beside.iter().map(|log| Input::bytes("beside.log", *log)));
            Case::pair(side("works.pcap", works), subject)
        }
        [] => unreachable!("there is always one"),
    };
    case.values = asked.values;
    case
}

/// Every output of the report, by name.
fn outputs(report: &Report) -> Vec<(&'static str, String)> {
    let screen = |width| Screen { width, colour: false };
    let coloured = terminal::render(report, Screen { width: 80, colour: true });
    vec![
        ("first screen", terminal::first(report, screen(80), ROWS)),
        ("narrow first screen", terminal::first(report, screen(40), usize::MAX)),
        ("terminal", terminal::render(report, screen(80))),
        ("wide terminal", terminal::render(report, screen(160))),
        ("coloured terminal", without_colours(&coloured)),
        ("letter", terminal::letter(report)),
        ("markdown", markdown::render(report)),
        ("html", html::render(report)),
        ("json", json::render(report)),
        ("facts", facts::render(report)),
    ]
}

/// The text without `ESC [ … m`; any other escape stays.
fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = behind;
        match behind.split_once('m') {
            Some((codes, text)) if codes.bytes().all(|it| it.is_ascii_digit() || it == b';') => {
                rest = text
            }
            _ => plain.push('\x1b'),
        }
    }
    plain + rest
}

/// The listing of all files, line by line.
fn listed(files: &[&[u8]], asked: &Asked, style: Style) -> String {
    let mut out = Vec::new();
    for file in files {
        let Ok(mut opened) = open(&Input::bytes("input", *file), &asked.reading) else { continue };
        let clock = opened.source.describe().clock;
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        let mut events = Events::new(style, asked.values, clock);
        events.begin(&mut out).expect("memory");
        while let Ok(Some(record)) = opened.source.next() {
            let event = decoder.decode(&record);
            let connection = tracker.push(&event);
            let peer = connection.and_then(|number| tracker.peer_of(number));
            let bytes = asked.values.then_some(record.bytes());
            let place =
                Place { connection, peer, comment: record.comment.as_deref(), record: bytes };
            let begin = out.len();
            events.push(&event, place, &mut out).expect("memory");
            if style == Style::JsonLines {
                serde_json::from_slice::<Value>(&out[begin..]).expect("each line is JSON");
            }
        }
        let warnings = opened.source.warnings();
        assert!(warnings.len() < 100, "warnings are bounded");
        for warning in opened.warnings.iter().chain(&warnings) {
            // As the program says it beside the events.
            out.extend_from_slice(safe::text(&warning.text).as_bytes());
            out.push(b'\n');
        }
    }
    String::from_utf8(out).expect("text")
}

/// Nothing in a text moves the cursor, turns the direction of reading or hides.
fn is_visible(name: &str, text: &str) {
    let hidden = |c: char| match c {
        '\n' => false,
        '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{2028}' | '\u{2029}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    };
    if let Some((at, found)) = text.char_indices().find(|(_, c)| hidden(*c)) {
        let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        panic!("{name}: {found:?} in {line:?}");
    }
}

fn is_sound_page(page: &str) {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options)
        .unwrap_or_else(|error| panic!("{error}: {page}"));
    for node in document.descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        assert!(
            !["img", "link", "iframe", "object", "base", "a"].contains(&name),
            "{name}: {page}"
        );
        let active =
            |name: &str| name.starts_with("on") || ["href", "src", "style"].contains(&name);
        assert!(!node.attributes().any(|it| active(it.name())), "{page}");
    }
    assert!(!page.contains("@import") && !page.contains("url("), "{page}");
}

fn is_of_the_schema(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let wrong: Vec<String> = SCHEMA
        .iter_errors(&value)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .take(3)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is right for one format alone.
fn is_well_formed(name: &str, text: &str, listing: usize) {
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    match name {
        "first screen" => {
            assert!(text.lines().count() <= ROWS, "{} rows: {text}", text.lines().count());
            assert!(widest(text) <= 80, "{text}");
        }
        "terminal" => assert!(widest(text) <= 80, "{text}"),
        "letter" => {
            assert!(widest(text) <= 72, "{text}");
            assert!(
                !text.lines().any(|line| line.starts_with('>') || line.starts_with("From ")),
                "{text}"
            );
        }
        "markdown" => assert!(text.chars().count() < 60_000, "{}", text.len()),
        "html" => {
            assert!(text.len() < 1_000_000, "{}", text.len());
            is_sound_page(text);
        }
        "json" => {
            // A report tells at most what the records say, and a little of its own.
            assert!(text.len() < 300_000 + 16 * listing, "{} of {listing}", text.len());
            is_of_the_schema(text);
        }
        "facts" => {
            assert!(text.len() < 16_000, "{}: {text}", text.len());
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        _ => {}
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, rest)) = input.split_last() else { return };
    let asked = Asked::of(choice);
    let files = files(rest);
    let keys = Keys::of(&files, &asked.reading);
    let mut shown = vec![
        ("events", listed(&files, &asked, Style::JsonLines)),
        ("table of events", listed(&files, &asked, Style::Table)),
    ];
    let listing = shown[0].1.len();
    match analyse(&case(&files, &asked)) {
        Ok(analysis) => {
            let mut report = Report::from(analysis);
            report.shown = asked.shown;
            shown.extend(outputs(&report));
        }
        Err(unreadable) => {
            shown.push(("refusal", safe::text(&unreadable.to_string()).into_owned()))
        }
    }
    for (name, text) in &shown {
        // A page is made of lines and its own script: what stands in it was looked at as text before.
        is_visible(name, text);
        is_well_formed(name, text, listing);
        keys.none_in(name, text, &files);
    }
});
