//! The first screen: what `hcidiff CAPTURE` and `hcidiff A B` print fits one view of a terminal, whatever
//! the captures hold, and makes its case.
#![cfg(feature = "cli")]
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

mod common;

use common::{fixture, flagship, pair};
use hcidiff::report::terminal::{self, Screen};
use hcidiff::report::{Report, Shown};
use std::path::{Path, PathBuf};
use std::process::Command;
use unicode_width::UnicodeWidthStr;

/// Prompt, command and the next prompt take the other three rows of 24.
const ROWS: usize = 21;

/// What both streams print at this width, and the exit status.
fn screen(files: &[PathBuf], columns: &str) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .env_clear()
        .env("COLUMNS", columns)
        .args(files)
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code().unwrap_or(-1))
}

/// Rows that a text takes: lines that are too long for the terminal go on in the next row.
fn rows(text: &str, columns: usize) -> usize {
    text.lines().map(|line| line.width().max(1).div_ceil(columns)).sum()
}

/// What is wrong with a screen, if anything is.
fn misfit(files: &[PathBuf]) -> Option<String> {
    let (out, err, code) = screen(files, "80");
    if code == 2 && out.is_empty() {
        // Nothing could be read: one sentence says why.
        return (rows(&err, 80) > ROWS || err.is_empty()).then(|| format!("{files:?}: {err}"));
    }
    let taken = rows(&out, 80) + rows(&err, 80);
    if taken > ROWS {
        return Some(format!("{files:?}: {taken} rows\n{err}{out}"));
    }
    if let Some(long) = out.lines().find(|line| line.width() > 80) {
        return Some(format!("{files:?}: too long: {long}"));
    }
    (!out.contains("  more    --full")).then(|| format!("{files:?}: where to read on?\n{out}"))
}

/// Reference, subject and the expected first rule of a table of verdicts.
fn table(text: &str) -> Vec<[String; 3]> {
    let rows = text.lines().filter(|l| !l.starts_with('#') && !l.starts_with("reference\t"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [reference, subject, first, ..] = cells[..] else { panic!("{row}") };
        [reference, subject, first].map(str::to_owned)
    })
    .collect()
}

fn files(folder: &Path, reference: &str, subject: &str) -> Vec<PathBuf> {
    let named = [reference, subject].into_iter().filter(|name| *name != "-");
    named.map(|name| folder.join(name)).collect()
}

/// Every verdict of the laboratory fits, and stands with its level, its proof and what to do.
#[test]
fn every_verdict_of_the_laboratory_makes_its_case_on_one_screen() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let mut wrong = Vec::new();
    let mut verdicts = 0;
    let lab = fixture("lab");
    for [reference, subject, first] in table(text_of!("fixtures/lab/EXPECTED.tsv")) {
        let files = files(&lab, &reference, &subject);
        wrong.extend(misfit(&files));
        let (out, ..) = screen(&files, "80");
        let has = |part: &str| out.lines().any(|line| line.starts_with(part));
        let verdict = has("\u{2717} ") || out.contains("a suspect; sure: ");
        if first == "none" {
            if verdict {
                wrong.push(format!("{files:?}: a verdict\n{out}"));
            }
            continue;
        }
        verdicts += 1;
        if !verdict || !out.contains("sure: ") {
            wrong.push(format!("{files:?}: no verdict\n{out}"));
        }
        for label in ["  why     ", "  try     ", "  proof   "] {
            if !has(label) {
                wrong.push(format!("{files:?}: no {}\n{out}", label.trim()));
            }
        }
        let rules: Vec<&str> = first.split('|').collect();
        if !rules.iter().any(|rule| out.contains(&format!("hcidiff explain {rule}"))) {
            wrong.push(format!("{files:?}: explain which of {rules:?}?\n{out}"));
        }
    }
    assert!(verdicts > 150, "{verdicts}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pair_of_the_fixtures_fits() {
    let folders = std::fs::read_dir(fixture("pairs")).unwrap().map(|entry| entry.unwrap());
    let mut wrong = Vec::new();
    for folder in folders.filter(|entry| entry.path().is_dir()) {
        wrong.extend(misfit(&pair(&folder.file_name().to_string_lossy())));
    }
    wrong.extend(misfit(&flagship()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Other people's captures, where they lie beside the project.
#[test]
fn every_real_capture_fits() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let mut found = Vec::new();
    for folder in ["captures", "captures-second"] {
        captures(&shared.join(folder), &mut found);
    }
    if found.is_empty() {
        eprintln!("no captures beside the project: nothing is tried");
        return;
    }
    let mut wrong: Vec<String> =
        found.iter().filter_map(|file| misfit(std::slice::from_ref(file))).collect();
    if let Ok(truth) = std::fs::read_to_string(shared.join("captures-second/TRUTH.tsv")) {
        for row in truth.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let cells: Vec<&str> = row.split('\t').collect();
            let named = [cells[0], cells.get(1).copied().unwrap_or("-")];
            let files = files(&shared.join("captures-second"), named[0], named[1]);
            if files.len() == 2 && files.iter().all(|file| file.exists()) {
                wrong.extend(misfit(&files));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), found.len(), wrong.join("\n"));
}

fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            captures(&path, found);
        } else if !path.extension().is_some_and(|e| e == "md" || e == "json" || e == "tsv") {
            found.push(path);
        }
    }
    found.sort();
}

fn made(files: &[PathBuf], change: impl Fn(&mut hcidiff::timeline::Capture)) -> Report {
    common::made_of(files, change)
}

fn first(report: &Report, width: usize) -> String {
    terminal::first(report, Screen { width, colour: false }, ROWS)
}

/// Whoever names a device, a file or an adapter decides nothing on the screen.
#[test]
fn hostile_names_stay_in_their_rows() {
    let names = [
        "\x1b[2J\x1b[31mred".to_owned(),
        "one\ntwo\r\nthree".to_owned(),
        "lamp\u{202e}gnp.\u{2066}x".to_owned(),
        "n".repeat(10_000),
        "\u{6e29}".repeat(10_000),
        " ".repeat(500),
        "a. b. ".repeat(400),
    ];
    for name in &names {
        for width in [20, 33, 49, 50, 80, 160] {
            for aliases in [false, true] {
                let mut report = made(&pair("never-heard-bluez"), |capture| {
                    capture.label.clone_from(name);
                    capture.file.clone_from(name);
                    for connection in &mut capture.connections {
                        connection.peer.name = Some(name.as_str().into());
                    }
                });
                report.shown = Shown { aliases, ..Shown::default() };
                let text = first(&report, width);
                assert!(text.lines().count() <= ROWS, "{width}\n{text}");
                assert!(text.lines().all(|l| l.width() <= width.min(120)), "{width}\n{text}");
                assert!(!text.contains(['\x1b', '\r', '\u{202e}', '\u{2066}']), "{text}");
                assert!(text.contains("--full"), "{width}\n{text}");
                // The result comes first, and is not pushed out by a name.
                assert!(text.contains("0x3e") || width < 80, "{width}\n{text}");
            }
        }
    }
}

/// 100,000 attempts make no longer screen than four.
#[test]
fn a_hundred_thousand_attempts_fit() {
    let report = made(&[pair("never-heard-bluez").remove(1)], |capture| {
        let attempts = capture.connections.clone();
        for number in capture.connections.len() as u32 + 1..=100_000 {
            let mut attempt = attempts[number as usize % attempts.len()].clone();
            attempt.number = number;
            capture.connections.push(attempt);
        }
    });
    let text = first(&report, 80);
    assert!(text.lines().count() <= ROWS, "{text}");
    assert!(text.contains("of 100000 tries"), "{text}");
}

/// A screen with few rows keeps the headline and where to read on.
#[test]
fn however_few_rows_there_are() {
    let report = made(&pair("never-heard-bluez"), |_| {});
    for rows in 4..30 {
        let text = terminal::first(&report, Screen::default(), rows);
        assert!(text.lines().count() <= rows, "{rows}\n{text}");
        assert!(text.contains("0x3e") && text.contains("--full"), "{rows}\n{text}");
    }
}

/// There is a headline for every kind of case; each was read aloud.
#[test]
fn first_screens() {
    let lab = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| fixture("lab").join(name)).collect()
    };
    let flagship = flagship();
    let cases: [(&str, Vec<PathBuf>); 12] = [
        ("never-answered", flagship.clone()),
        ("same-twice", vec![flagship[1].clone(), flagship[1].clone()]),
        ("both-work", pair("good-mac-bluez")),
        ("hung-up", pair("kick-mac-bluez")),
        ("bond-lost", pair("bond-lost")),
        ("nothing-to-compare", pair("only-scanning")),
        ("in-one-capture", pair("one-capture")),
        ("suspect", pair("other-database")),
        ("link-lost", pair("supervision-timeout")),
        ("alone-works", lab(&["A/01-good-basic.btsnoop"])),
        ("peripheral", lab(&["A/10-hid-shutdown.btsnoop"])),
        ("hardware-error", lab(&["B-bluez5.66/b17-hardware-error.btsnoop"])),
    ];
    for (name, files) in cases {
        let (out, err, code) = screen(&files, "80");
        insta::assert_snapshot!(name, format!("{err}{out}status {code}\n"));
    }
}

/// The verdict is never missing, not even where there is nothing.
#[test]
fn an_empty_analysis_has_a_headline() {
    let text = first(&Report::default(), 80);
    assert!(text.starts_with("\u{b7} "), "{text}");
}
