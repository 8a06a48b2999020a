//! Standard error: sentences for whoever runs the program.
use std::io::{self, Write};

/// Says a sentence on standard error.
///
/// The disk may be full and the reader gone: then nobody hears it, and the exit status is still
/// the one that is due.
pub fn say(sentence: &str) {
    // One write, so that two programs on one terminal do not mix their lines.
    let _ = io::stderr().write_all(format!("hcidiff: {sentence}\n").as_bytes());
}
