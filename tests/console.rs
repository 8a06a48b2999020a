//! The two streams of a terminal or a pipe: whatever becomes of them, the exit status is the one
//! that is due.
#![cfg(feature = "cli")]
#![cfg(unix)]
mod common;

use common::{fixture, flagship};
use hcidiff::report::safe;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
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

/// An archive of two captures whose names would clear a screen, and turn what follows.
fn hostile_archive(folder: &Path) -> PathBuf {
    let path = folder.join("bug\u{1b}[2J.zip");
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    let capture = std::fs::read(fixture("vectors/s_1002.btsnoop")).unwrap();
    for name in ["one\u{1b}[31m\n.log", "two\u{202e}\u{9b}K.log"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&capture).unwrap();
    }
    archive.finish().unwrap();
    path
}

#[test]
fn names_from_anywhere_move_no_cursor_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let archive = vec![hostile_archive(folder.path())];
    let refused = vec![folder.path().join("x\u{1b}[31m\u{2066}.log")];
    std::fs::write(&refused[0], "plain text").unwrap();
    for (lines, arguments, files) in [
        (1, &["events"][..], archive.clone()),
        (1, &["--full"], archive.clone()),
        (1, &["--member", "no\u{1b}[2J\r\nsuch"], archive),
        (1, &["events"], refused.clone()),
        (1, &["--quiet"], refused),
        (1, &["events", "missing\u{1b}]0;x\u{7}"], vec![]),
        (1, &["-o", "no/such\u{1b}[31m\n/r.md"], flagship()),
        (1, &["-o", "report\u{1b}[31m\n.pdf"], flagship()),
        (1, &["explain", "no\u{1b}[31m\u{e0041}card"], vec![]),
        (1, &["--no\u{1b}[31m\u{202e}option"], vec![]),
        (3, &["--window", "\u{1b}[31m\u{202e}", "a"], vec![]),
    ] {
        let output = program(arguments, &files).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        for line in said.lines() {
            assert_eq!(safe::text(line), line, "{arguments:?}");
        }
        // Warnings about the capture itself may follow.
        assert!(said.lines().count() >= lines, "{arguments:?}: {said}");
        assert!(said.contains("\\x1b") || said.contains("\\u{202e}"), "{arguments:?}: {said}");
    }
}

#[test]
fn where_no_thread_can_be_made_captures_are_read_one_after_the_other() {
    for arguments in [&[][..], &["--format", "json"]] {
        let usual = common::hcidiff(&flagship(), arguments);
        // No machine has a stack of so many bytes.
        let output = program(arguments, &flagship())
            .env("RUST_MIN_STACK", (1_u64 << 50).to_string())
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == usual.stdout);
    }
}

#[test]
fn a_reader_that_has_seen_enough_changes_no_exit_status() {
    for format in ["terminal", "json", "markdown", "html", "facts"] {
        for (due, option) in [(1, "--strict"), (0, "--exit-zero")] {
            let status = program(&["--format", format, option], &flagship())
                .stdout(closed_pipe())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(status.code(), Some(due), "{format} {option}");
        }
    }
    for (due, job) in [(0, "events"), (1, "doctor")] {
        let status = program(&[job], &flagship()[..1]).stdout(closed_pipe()).status().unwrap();
        assert_eq!(status.code(), Some(due), "{job}");
    }
}

#[test]
fn output_that_does_not_block_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("long.btsnoop");
    let one = std::fs::read(fixture("vectors/s_1002.btsnoop")).unwrap();
    let (header, records) = one.split_at(16);
    std::fs::write(&capture, [header, &records.repeat(300)].concat()).unwrap();
    let arguments = ["events", "--format", "jsonl"];
    let whole = program(&arguments, std::slice::from_ref(&capture))
        .stdout(Stdio::piped())
        .output()
        .unwrap()
        .stdout;
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut child = program(&arguments, &[capture])
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As long as nobody reads there is no room for all of it.
    assert!(whole.len() > 1_000_000);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let mut read = Vec::new();
    (&ours).read_to_end(&mut read).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(read == whole);
}
