//! Standard error: sentences for whoever runs the program.
use hcidiff::report::safe;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// Says a sentence, or several lines, on standard error: whatever names stand in them, they move no
/// cursor.
///
/// The disk may be full and the reader gone: then nobody hears it, and the exit status is still
/// the one that is due.
pub fn say(sentence: &str) {
    // One write, so that two programs on one terminal do not mix their lines.
    let _ = io::stderr().write_all(format!("hcidiff: {}\n", still(sentence)).as_bytes());
}

/// What clap says of the command line: help on standard output, or why it cannot be read.
pub fn usage(error: &clap::Error) -> ExitCode {
    let moves_cursors = |word: OsString| {
        let word = word.to_string_lossy();
        matches!(safe::text(&word), Cow::Owned(_))
    };
    if std::env::args_os().any(moves_cursors) {
        // Words of the command line are repeated: without colours then.
        let told = error.render().to_string();
        let _ = io::stderr().write_all(format!("{}\n", still(&told)).as_bytes());
    } else {
        // As above: there may be nobody to hear it.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Lines without anything that moves cursors.
fn still(lines: &str) -> String {
    lines.lines().map(safe::text).collect::<Vec<_>>().join("\n")
}
