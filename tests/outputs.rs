//! Files that a run leaves behind: several formats at once, whole or not at all, the same bytes again.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship, hcidiff};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program in `folder` and has it write `files` there.
fn write(folder: &Path, captures: &[PathBuf], files: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
    command.args(captures).env_clear().current_dir(folder);
    for file in files {
        command.arg("-o").arg(file);
    }
    command.output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn one_analysis_writes_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let output = write(folder.path(), &flagship(), &["r.md", "r.json", "r.txt", "r.html"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"CAUSE  "), "the verdict alone");
    assert_eq!(names(folder.path()), ["r.html", "r.json", "r.md", "r.txt"]);
    for (file, format) in
        [("r.md", "markdown"), ("r.json", "json"), ("r.txt", "terminal"), ("r.html", "html")]
    {
        let printed = hcidiff(&flagship(), &["--format", format]).stdout;
        assert!(fs::read(folder.path().join(file)).unwrap() == printed, "{file}");
    }
}

#[test]
fn the_same_bytes_in_any_folder_zone_and_terminal() {
    let here = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let deep = there.path().join("a folder/with spaces");
    fs::create_dir_all(&deep).unwrap();
    let copies: Vec<Vec<PathBuf>> = [here.path(), &deep]
        .iter()
        .map(|folder| {
            let copy = |file: &PathBuf| {
                let name = folder.join(file.file_name().unwrap());
                fs::copy(file, &name).unwrap();
                name
            };
            flagship().iter().map(copy).collect()
        })
        .collect();
    for format in ["markdown", "json", "html", "terminal"] {
        let run = |captures: &[PathBuf], variables: &[(&str, &str)]| {
            Command::new(env!("CARGO_BIN_EXE_hcidiff"))
                .args(captures)
                .args(["--format", format])
                .env_clear()
                .envs(variables.iter().copied())
                .current_dir(captures[0].parent().unwrap())
                .output()
                .unwrap()
                .stdout
        };
        let first = run(&copies[0], &[("TZ", "UTC"), ("LANG", "C")]);
        let mut elsewhere = vec![
            ("TZ", "Pacific/Auckland"),
            ("LANG", "de_DE.UTF-8"),
            ("TERM", "xterm-256color"),
            ("HOSTNAME", "x"),
        ];
        if format != "terminal" {
            elsewhere.push(("COLUMNS", "200"));
        }
        assert!(first == run(&copies[1], &elsewhere), "{format}");
        assert!(!first.is_empty());
    }
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.md"), "the report of yesterday").unwrap();
    fs::create_dir(folder.path().join("taken.json")).unwrap();
    for bad in ["missing/r.json", "taken.json"] {
        let output = write(folder.path(), &flagship(), &["old.md", "new.md", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(bad));
        assert_eq!(names(folder.path()), ["old.md", "taken.json"], "{bad}");
        assert_eq!(
            fs::read_to_string(folder.path().join("old.md")).unwrap(),
            "the report of yesterday"
        );
    }
}

#[test]
fn an_existing_file_is_replaced_and_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.md");
    fs::write(&real, "x".repeat(100_000)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.md", folder.path().join("link.md")).unwrap();
        write(folder.path(), &flagship(), &["link.md"]);
        assert!(fs::symlink_metadata(folder.path().join("link.md")).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
    #[cfg(not(unix))]
    write(folder.path(), &flagship(), &["real.md"]);
    assert!(fs::read_to_string(&real).unwrap().starts_with("## hcidiff: "));
}

#[test]
fn a_report_job_ends_well_whatever_is_found() {
    let files = flagship();
    assert_eq!(hcidiff(&files, &[]).status.code(), Some(1));
    assert_eq!(hcidiff(&files, &["--exit-zero"]).status.code(), Some(0));
    let missing = [fixture("flagship/mac.pklg"), fixture("flagship/no-such-file")];
    assert_eq!(hcidiff(&missing, &["--exit-zero"]).status.code(), Some(2));
}

#[test]
fn a_capture_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let capture = fs::read(fixture("text/02-bad-kick.hcidump-t.txt")).unwrap();
    fs::write(path("cap.txt"), &capture).unwrap();
    fs::hard_link(path("cap.txt"), path("hard.md")).unwrap();
    let mut outputs = vec!["cap.txt", "./cap.txt", "hard.md"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("cap.txt", path("soft.html")).unwrap();
        outputs.push("soft.html");
    }
    let before = names(folder.path());
    let good = fixture("flagship/mac.pklg");
    for bad in outputs {
        for captures in [vec![path("cap.txt")], vec![good.clone(), path("cap.txt")]] {
            let output = write(folder.path(), &captures, &["new.json", bad]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{bad}: {said}");
            assert_eq!(
                said,
                format!("hcidiff: {bad} is a capture to be read: a report would replace it\n")
            );
            assert_eq!(names(folder.path()), before, "{bad}");
            assert!(fs::read(path("cap.txt")).unwrap() == capture, "{bad}");
        }
    }
}

#[test]
fn a_capture_that_comes_by_standard_input_or_takes_the_output_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cap.txt");
    let capture = fs::read(fixture("text/02-bad-kick.hcidump-t.txt")).unwrap();
    fs::write(&path, &capture).unwrap();
    let append = || fs::File::options().append(true).open(&path).unwrap();
    let file = path.to_str().unwrap();
    for (arguments, appends) in [
        (&["-", "-o", file][..], false),
        (&[file], true),
        (&["-"], true),
        (&["events", file], true),
        (&["events", "-"], true),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
        command.args(arguments).stdin(fs::File::open(&path).unwrap());
        if appends {
            command.stdout(append());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(fs::read(&path).unwrap() == capture, "{arguments:?}");
    }
}
