//! Two rows of records as two captures: folded, compared, weighed, and shown in every format.
#![no_main]

use hcidiff::Analysis;
use hcidiff::capture::Description;
use hcidiff::compare::Options;
use hcidiff::timeline::{Capture, Origin, Tracker};
use hcidiff::report::terminal::{self, Screen};
use hcidiff::report::{Report, Shown, json, markdown};
use hcidiff::time::Clock;
use hcidiff::decode::Decoder;
use hcidiff_fuzz::records;
use libfuzzer_sys::fuzz_target;

fn folded(data: &[u8], label: &str) -> Capture {
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::new();
    for record in records(data) {
        tracker.push(&decoder.decode(&record));
    }
    tracker.finish(Origin {
        file: format!("{label}.btsnoop"),
        label: label.to_owned(),
        description: Description {
            format: "btsnoop",
            variant: String::new(),
            clock: Clock::Utc,
            resolution_us: 1,
        },
        warnings: Vec::new(),
        sha256: None,
    })
}

// The first bytes say where the second capture begins and what is to be shown.
fuzz_target!(|data: &[u8]| {
    let Some((&[split, flags], rest)) = data.split_first_chunk() else { return };
    let at = rest.len() * usize::from(split) / 256;
    let captures = match flags & 1 {
        0 => vec![folded(&rest[..at], "reference"), folded(&rest[at..], "subject")],
        _ => vec![folded(rest, "one")],
    };
    let mut report = Report::from(Analysis::of(captures, &Options::default()));
    report.shown = Shown {
        strict: flags & 2 != 0,
        full: flags & 4 != 0,
        values: false,
        aliases: flags & 8 != 0,
    };
    for width in [80, 160] {
        let text = terminal::render(&report, Screen { width, colour: false });
        assert!(!text.contains('\x1b'));
    }
    assert!(markdown::render(&report).chars().count() < 60_000);
    serde_json::from_str::<serde_json::Value>(&json::render(&report)).unwrap();
});
