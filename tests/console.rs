//! The two streams of a terminal or a pipe: whatever becomes of them, the exit status is the one
//! that is due.
#![cfg(feature = "cli")]
#![cfg(unix)]
mod common;

use common::{fixture, flagship};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn program(arguments: &[&str], files: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
    command.args(arguments).args(files).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The end of a pipe that nobody reads from any more.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_disk() -> Option<Stdio> {
    let full = Path::new("/dev/full");
    full.exists().then(|| File::options().write(true).open(full).unwrap().into())
}

#[test]
fn standard_error_that_cannot_be_written_changes_no_exit_status() {
    let missing = vec![fixture("no-such-file")];
    let refused = vec![fixture("vectors/s_1003.btsnoop")];
    let warned = vec![fixture("vectors/h_cut_in_data.btsnoop")];
    for (due, arguments, files) in [
        // The second capture has a warning.
        (1, &[][..], flagship()),
        (1, &["--quiet"], flagship()),
        (0, &["--exit-zero"], flagship()),
        (0, &["events"], warned),
        (2, &[], missing.clone()),
        (2, &["events"], missing),
        (2, &["events"], refused),
        (2, &["explain", "nothing-of-that-name"], vec![]),
        (2, &["-o", "report.pdf"], flagship()),
        (2, &["--peer", "C0:DE:C0:FF:EE:01"], flagship()),
        (2, &["--no-such-option"], flagship()),
    ] {
        for stderr in [Some(closed_pipe()), full_disk()].into_iter().flatten() {
            let status = program(arguments, &files).stderr(stderr).status().unwrap();
            assert_eq!(status.code(), Some(due), "{arguments:?} {status}");
        }
    }
}
