//! What somebody reads who typed something else than what was meant: the real program, word for word.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with the flagship pair, as `mac.pklg` and `pi.btsnoop`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in flagship() {
        let name = file.file_name().expect("a name");
        fs::copy(&file, folder.path().join(name)).expect("a copy");
    }
    folder
}

fn typed(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(line.split_whitespace())
        .env_clear()
        .env("COLUMNS", "100")
        .current_dir(folder)
        .output()
        .expect("the program runs")
}

/// Status, standard output and standard error of each line, one after the other.
fn transcript(lines: &[&str]) -> String {
    let folder = folder();
    let mut out = String::new();
    for line in lines {
        let output = typed(folder.path(), line);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        out.push_str(&format!("$ hcidiff {line}\n"));
        out.push_str(&text(&output.stdout));
        out.push_str(&text(&output.stderr));
        out.push_str(&format!("[{}]\n\n", output.status.code().unwrap_or(-1)));
    }
    out
}

#[test]
fn no_arguments_show_two_examples_and_how_to_record() {
    insta::assert_snapshot!("none", transcript(&[""]));
}

#[test]
fn words_that_are_no_commands_lead_to_what_was_meant() {
    insta::assert_snapshot!(
        "words",
        transcript(&[
            "explian 62",
            "exlpain",
            "diff mac.pklg pi.btsnoop",
            "compare mac.pklg pi.btsnoop",
            "compare",
            "ls pi.btsnoop",
            "help",
            "shcema",
            "mac.pklg pi.btsnoop pi.btsnoop",
        ])
    );
}

#[test]
fn files_that_are_not_there_are_all_that_is_said() {
    insta::assert_snapshot!(
        "files",
        transcript(&[
            "mac.pklg pi.btsnop",
            "mac.plkg pi.btsnop",
            "nowhere/mac.pklg",
            ".",
            "events pi.btsnoo",
            "flagship",
        ])
    );
}

#[test]
fn options_that_are_wrong_say_which_was_meant() {
    insta::assert_snapshot!(
        "options",
        transcript(&[
            "--fulll mac.pklg pi.btsnoop",
            "--zebra mac.pklg pi.btsnoop",
            "-o - mac.pklg pi.btsnoop",
            "-o report.pdf mac.pklg pi.btsnoop",
            "--format htm mac.pklg pi.btsnoop",
            "--fail-on error mac.pklg pi.btsnoop",
        ])
    );
}

#[test]
fn the_short_help_is_one_screen() {
    let help = transcript(&["-h"]);
    assert!(help.lines().count() <= 40, "{help}");
    insta::assert_snapshot!("help", help);
}

#[test]
fn a_report_in_a_file_leaves_the_verdict_on_the_screen() {
    let folder = folder();
    let output = typed(folder.path(), "-o report.html -o report.md mac.pklg pi.btsnoop");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("\u{2717} pi: LabSensor never answered"));
    assert!(
        text(&output.stderr).ends_with("hcidiff: wrote report.html\nhcidiff: wrote report.md\n")
    );
    let output = typed(folder.path(), "-q -o report.html mac.pklg pi.btsnoop");
    assert!(output.stdout.is_empty() && !text(&output.stderr).contains("wrote"));
    let output = typed(folder.path(), "-o report.html mac.pklg mac.pklg");
    assert!(text(&output.stdout).contains("the same capture twice"), "{}", text(&output.stdout));
}

/// A cause, a suspect at most, a difference without a finding, and nothing: what each level makes of it.
#[test]
fn fail_on_sets_what_gives_status_1() {
    let lab = |name: &str| fixture("lab").join(name).to_string_lossy().into_owned();
    let flagship = flagship().into_iter().map(|file| file.to_string_lossy().into_owned());
    let flagship = flagship.collect::<Vec<_>>().join(" ");
    let cases =
        [(flagship, [1, 1, 1]), (format!("{0} {0}", lab("A/01-good-basic.pklg")), [0, 0, 0])];
    for (files, statuses) in cases {
        for (level, status) in ["cause", "suspect", "difference"].into_iter().zip(statuses) {
            let output = typed(Path::new("."), &format!("-q --fail-on {level} {files}"));
            assert_eq!(output.status.code(), Some(status), "{level} {files}");
        }
        let output = typed(Path::new("."), &format!("-q --fail-on cause --exit-zero {files}"));
        assert_eq!(output.status.code(), Some(0), "{files}");
    }
}
