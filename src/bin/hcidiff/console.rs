//! The streams of whoever runs the program: sentences on standard error, the rest on standard output.
use hcidiff::report::{safe, terminal};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// A stream that may be of the kind that does not block: another program on the same terminal or
/// pipe decides that. Where it takes nothing for now it is asked again.
pub struct Patient<W>(pub W);

impl<W: Write> Patient<W> {
    fn patiently<T>(&mut self, mut act: impl FnMut(&mut W) -> io::Result<T>) -> io::Result<T> {
        const WAIT: Duration = Duration::from_millis(1);
        loop {
            match act(&mut self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(WAIT),
                done => return done,
            }
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.patiently(W::flush)
    }
}

/// Whoever read our output has seen enough: that is no trouble.
pub fn seen_enough(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Says a sentence, or several lines, on standard error: whatever names stand in them, they move no
/// cursor.
///
/// The disk may be full and the reader gone: then nobody hears it, and the exit status is still
/// the one that is due.
pub fn say(sentence: &str) {
    let mut lines = format!("hcidiff: {}", still(sentence));
    // A terminal breaks lines inside of words.
    if io::stderr().is_terminal()
        && let Some(width) = terminal::columns()
    {
        let broken = |line: &str| match safe::width(line) <= width {
            true => line.to_owned(),
            false => terminal::wrap(line, width).join("\n"),
        };
        lines = lines.lines().map(broken).collect::<Vec<_>>().join("\n");
    }
    lines.push('\n');
    // One write, so that two programs on one terminal do not mix their lines.
    let _ = Patient(io::stderr()).write_all(lines.as_bytes());
}

/// What clap says of the command line: help on standard output, or why it cannot be read.
pub fn usage(error: &clap::Error, line: &[OsString]) -> ExitCode {
    let moves_cursors = |word: &OsString| {
        let word = word.to_string_lossy();
        matches!(safe::text(&word), Cow::Owned(_))
    };
    if line.iter().any(moves_cursors) {
        // Words of the command line are repeated: without colours then.
        let told = error.render().to_string();
        let _ = Patient(io::stderr()).write_all(format!("{}\n", still(&told)).as_bytes());
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
