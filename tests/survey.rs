//! `hcidiff survey`, the real program over folders made for it.
#![cfg(feature = "cli")]
mod common;

use common::flagship;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn survey(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("survey")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

/// The Mac's capture as runs that pass, the Pi's as runs that fail, and what is no capture among them.
fn runs(passes: usize, fails: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mac = flagship().remove(0);
    let pi: PathBuf = mac.with_file_name("pi-kicked.btsnoop");
    let inside = folder.path().join("runs");
    fs::create_dir_all(inside.join("more")).expect("a folder");
    for at in 0..passes {
        fs::copy(&mac, inside.join(format!("pass-{at:02}.pklg"))).expect("a copy");
    }
    for at in 0..fails {
        fs::copy(&pi, inside.join(format!("more/fail-{at:02}.btsnoop"))).expect("a copy");
    }
    fs::write(inside.join("empty.btsnoop"), b"").expect("a file");
    fs::write(inside.join("picture.png"), b"\x89PNG\r\n\x1a\n and so on, no capture")
        .expect("a file");
    folder
}

#[test]
fn every_file_is_accounted_for() {
    let folder = runs(3, 2);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("runs"), folder.path().join("runs/circle"))
        .expect("a link");
    let output = survey(folder.path(), &["runs", "-f", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    let rows = said["captures"].as_array().expect("rows");
    let files: Vec<&str> = rows.iter().filter_map(|row| row["file"].as_str()).collect();
    let mut expected = vec![
        "empty.btsnoop",
        "more/fail-00.btsnoop",
        "more/fail-01.btsnoop",
        "pass-00.pklg",
        "pass-01.pklg",
        "pass-02.pklg",
        "picture.png",
    ];
    if cfg!(unix) {
        expected.insert(0, "circle");
    }
    assert_eq!(files, expected);
    let unread: Vec<&str> = rows
        .iter()
        .filter(|row| row["unread"].is_string())
        .filter_map(|row| row["file"].as_str())
        .collect();
    assert_eq!(unread.len(), expected.len() - 5, "{unread:?}");
    assert_eq!(said["rules"]["peer-hangs-up-on-deadline"], 2);
    let told = rows.iter().find(|row| row["file"] == "pass-00.pklg").expect("a row");
    // As tshark reads the Mac's capture: interval 15 ms, MTU 247 after 78.264 ms.
    assert_eq!(told["features"]["link: interval (ms)"], 15.0);
    assert_eq!(told["features"]["mtu: effective"], 247.0);
    assert_eq!((&told["worked"], &told["device"]), (&true.into(), &"LabSensor".into()));
}

#[test]
fn what_sets_the_bad_runs_apart_is_named_with_a_pair() {
    let folder = runs(12, 12);
    let sides = ["runs", "--good", "runs/pass-*", "--bad", "runs/more/fail-*"];
    let output = survey(folder.path(), &[&sides[..], &["-f", "json"]].concat());
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert_eq!((&said["apart"]["good"], &said["apart"]["bad"]), (&12.into(), &12.into()));
    let all = said["apart"]["differences"].as_array().expect("differences");
    let named = |name: &str| {
        all.iter().find(|one| one["feature"].as_str().is_some_and(|f| f.contains(name)))
    };
    // The link of the Pi ran at 50 ms, the Mac's at 15 ms; the unlock write came from the Mac alone.
    let interval = named("link: interval").expect("the interval");
    assert_eq!(interval["effect"]["value"], 35.0);
    let unlock = named("step: Write 0x004c").expect("the write");
    assert_eq!(unlock["measured"]["good"], serde_json::json!([12, 12]));
    assert_eq!(unlock["measured"]["bad"], serde_json::json!([0, 12]));
    let text = survey(folder.path(), &sides);
    let pair = out(&text).lines().find(|line| line.starts_with("a usual pair")).expect("a pair");
    assert!(pair.contains("pass-") && pair.contains("fail-"), "{pair}");
    // Four runs of a kind say nothing.
    let few = runs(4, 12);
    let output = survey(few.path(), &sides);
    assert!(out(&output).contains("too few runs to say"), "{}", out(&output));
}

#[test]
fn labels_come_from_a_table() {
    let folder = runs(2, 2);
    fs::write(
        folder.path().join("runs.csv"),
        "pass-00.pklg,old firmware\nmore/fail-00.btsnoop, new firmware\n\"fail-01.btsnoop\",new firmware\n",
    )
    .expect("a file");
    let output =
        survey(folder.path(), &["runs", "--label", "runs.csv", "--by", "label", "-f", "json"]);
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    let groups = said["groups"].as_array().expect("groups");
    let count = |name: Value| {
        groups.iter().find(|group| group["name"] == name).map(|g| g["captures"].clone())
    };
    assert_eq!(count("old firmware".into()), Some(1.into()));
    assert_eq!(count("new firmware".into()), Some(2.into()));
    assert_eq!(count(Value::Null), Some(1.into()));
}

#[test]
fn the_same_files_give_the_same_survey() {
    let folder = runs(6, 6);
    let first = survey(folder.path(), &["runs", "-f", "json"]);
    for _ in 0..3 {
        assert_eq!(survey(folder.path(), &["runs", "-f", "json"]).stdout, first.stdout);
    }
}

#[test]
fn nothing_to_read_is_trouble() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("picture.png"), b"\x89PNG no capture at all, but a picture")
        .expect("a file");
    assert_eq!(survey(folder.path(), &["."]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &["nowhere"]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &[".", "--label", "nowhere.csv"]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &[".", "--good", "[", "--bad", "x"]).status.code(), Some(2));
}
