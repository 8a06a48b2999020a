//! Pairs of captures and what must be found in them.
//!
//! `fixtures/pairs/expected.tsv` holds the facts; `scripts/pairs` holds every
//! one of them against tshark. The reports themselves are snapshots.
#![cfg(feature = "cli")]
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use hcidiff::compare::{self, Comparison, Fate, Wanted};
use hcidiff::packet::Direction;
use hcidiff::sides::Sides;
use hcidiff::timeline::Connection;
use hcidiff::{Analysis, Case, analyse};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn pairs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pairs")
}

/// The capture files of a case, the reference first.
fn files(case: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(pairs().join(case)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cases() -> Vec<String> {
    let folders = std::fs::read_dir(pairs()).unwrap().map(|entry| entry.unwrap());
    let mut cases: Vec<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    cases
}

/// One capture, or the reference and then the subject.
fn of(files: &[PathBuf]) -> Case {
    match files {
        [one] => Case::one(one),
        [reference, subject] => Case::pair(reference, subject),
        other => panic!("one capture or two, not {other:?}"),
    }
}

fn analysed(case: &Case) -> Analysis {
    analyse(case).unwrap_or_else(|unreadable| panic!("{unreadable}"))
}

/// One line of the table: what was chosen, where the two part, what came early, MTU and end of both.
fn facts(case: &str) -> String {
    let Analysis { captures, comparison, .. } = analysed(&of(&files(case)));
    let Some(found) = comparison else { return format!("{case}\tno match") };
    let a = captures[found.reference.capture].connection(found.reference.connection).unwrap();
    let b = captures[found.subject.capture].connection(found.subject.connection).unwrap();
    let mut line = format!("{case}\t#{}\t#{}\t{}", a.number, b.number, found.matched_by);
    let frames = |pair: Option<(u32, u32)>| pair.map_or("-".into(), |(x, y)| format!("{x}/{y}"));
    let _ = write!(line, "\t{}\t{}", frames(found.same_until), first_difference(&found, a, b));
    let early: Vec<String> = found
        .missing_early
        .iter()
        .filter(|o| !o.normal || o.fate != Fate::Never)
        .map(|o| {
            let other = o.other_frame.map_or(String::new(), |frame| format!("@{frame}"));
            format!("{}:{}{other}", o.frame, o.fate)
        })
        .collect();
    let _ = write!(line, "\t{}", if early.is_empty() { "-".to_owned() } else { early.join(" ") });
    for connection in [a, b] {
        let _ = write!(line, "\t{}\t{}", mtu(connection), end(connection));
    }
    let _ = write!(line, "\t{}", if found.differs { "differs" } else { "quiet" });
    line
}

/// Kind and frames of the first step that differs in a way that matters.
fn first_difference(found: &Comparison, a: &Connection, b: &Connection) -> String {
    let frame = |connection: &Connection, at: Option<usize>| {
        at.map_or("-".into(), |i| connection.steps[i].frame.to_string())
    };
    match found.steps.iter().find(|step| !step.normal) {
        Some(step) => {
            format!("{} {}/{}", step.kind, frame(a, step.reference), frame(b, step.subject))
        }
        None => "-".to_owned(),
    }
}

fn mtu(connection: &Connection) -> String {
    let Some(mtu) = connection.mtu else { return "-".to_owned() };
    let by = if mtu.by == Direction::Sent { "host" } else { "peer" };
    let answered = mtu.answered.map_or("-".to_owned(), |value| value.to_string());
    format!(
        "{by} {}@{} {answered}@{}",
        mtu.requested,
        mtu.frame,
        mtu.answer.map_or(0, |seen| seen.frame)
    )
}

fn end(connection: &Connection) -> String {
    let Some(end) = &connection.end else { return "-".to_owned() };
    let sent = end.reason_sent.map_or(String::new(), |sent| format!(" sent {:#04x}", sent.0));
    format!("{:#04x}@{}{sent}", end.reason.0, end.frame)
}

#[test]
fn every_pair_gives_the_facts_in_the_table() {
    needs!("fixtures/pairs");
    let table = std::fs::read_to_string(pairs().join("expected.tsv")).unwrap();
    let expected: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let found: Vec<String> = cases().iter().map(|case| facts(case)).collect();
    if std::env::var_os("HCIDIFF_PRINT_PAIRS").is_some() {
        println!("{}", found.join("\n"));
    }
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
}

#[test]
fn good_against_good_is_quiet_and_nothing_is_found() {
    needs!("fixtures/pairs");
    let good: Vec<String> = cases().into_iter().filter(|case| case.starts_with("good-")).collect();
    assert!(good.len() >= 10, "{good:?}");
    for case in good {
        let mut pair = files(&case);
        for order in ["as they are", "exchanged"] {
            let found = analysed(&of(&pair)).comparison.unwrap();
            assert!(!found.differs, "{case} {order}: {:?}", found.divergence);
            pair.reverse();
        }
        assert_eq!(hcidiff(&files(&case), &[]).1, 0, "{case}");
    }
}

#[test]
fn every_capture_equals_itself() {
    needs!("fixtures/pairs");
    for case in cases() {
        for file in files(&case) {
            let mut case = Case::pair(&file, &file);
            let Some(mut found) = analysed(&case).comparison else { continue };
            // A capture with good and bad attempts may compare two of them: choose one and the same.
            if found.reference.connection != found.subject.connection {
                case.comparing.wanted = Sides::of(|_| Wanted::connection(found.subject.connection));
                found = analysed(&case).comparison.unwrap();
            }
            assert!(!found.differs, "{}: {:?}", file.display(), found.divergence);
            assert!(
                found.steps.iter().all(|step| step.kind == compare::StepKind::Same),
                "{}",
                file.display()
            );
            assert!(found.missing_early.is_empty() && found.extra_early.is_empty());
        }
    }
}

#[test]
fn a_link_that_was_never_heard_misses_nothing() {
    needs!("fixtures/pairs");
    let mut seen = 0;
    for case in cases() {
        let Analysis { captures, comparison, .. } = analysed(&of(&files(&case)));
        let Some(found) = comparison else { continue };
        let subject = captures[found.subject.capture].connection(found.subject.connection).unwrap();
        if subject.reason().is_some_and(|reason| reason.0 == 0x3e) || !subject.connected() {
            seen += 1;
            assert!(
                found.missing_early.iter().all(|operation| operation.fate != Fate::Never),
                "{case}"
            );
        }
    }
    assert!(seen >= 5, "{seen}");
}

/// Standard output with the whole report, exit status and standard error of the program.
fn hcidiff(files: &[PathBuf], arguments: &[&str]) -> (String, i32, String) {
    hcidiff_in(files, arguments, "80")
}

fn hcidiff_in(files: &[PathBuf], arguments: &[&str], columns: &str) -> (String, i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("--full")
        .args(arguments)
        .args(files)
        .env_clear()
        .env("COLUMNS", columns)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), output.status.code().unwrap(), text(output.stderr))
}

#[test]
fn one_unreadable_side_leaves_the_other_to_be_seen() {
    needs!("fixtures/pairs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let flagship = |name: &str| root.join("fixtures/flagship").join(name);
    let unreadable = root.join("Cargo.toml");
    for files in
        [[unreadable.clone(), flagship("pi.btsnoop")], [flagship("pi.btsnoop"), unreadable.clone()]]
    {
        let (report, status, said) = hcidiff(&files, &[]);
        assert_eq!(status, 2);
        assert!(said.contains("Cargo.toml: not an HCI capture"), "{said}");
        assert!(said.contains("nothing to compare pi with"), "{said}");
        assert!(report.contains("[never-heard-peer]"), "{report}");
    }
    let (report, status, _) = hcidiff(&[unreadable.clone(), unreadable], &[]);
    assert_eq!((report.as_str(), status), ("", 2));
}

#[test]
fn nothing_that_matches_is_trouble() {
    needs!("fixtures/pairs");
    let (report, status, said) = hcidiff(&files("only-scanning"), &[]);
    assert_eq!(status, 2);
    assert!(said.contains("holds no connection"), "{said}");
    assert!(report.contains("HEARD advertising") && report.contains("TIMELINE of #1"), "{report}");
    let (report, status, _) = hcidiff(&files("kick-mac-bluez"), &["--subject-connection", "9"]);
    assert_eq!(status, 2);
    assert!(report.contains("3 attempts (connection 1"), "{report}");
    let (_, status, _) = hcidiff(&files("one-capture"), &["--peer", "00:00:00:00:00:09"]);
    assert_eq!(status, 2);
}

#[test]
fn what_cannot_be_read_is_named() {
    needs!("fixtures/pairs");
    let pair =
        [pairs().join("kick-bumble/reference.btsnoop"), PathBuf::from("no-such-file.btsnoop")];
    let (report, status, said) = hcidiff(&pair, &[]);
    assert_eq!(status, 2);
    assert!(said.contains("no-such-file.btsnoop") && said.lines().count() == 1, "{said}");
    assert!(report.is_empty(), "{report}");
}

#[test]
fn options_choose_and_the_exit_status_can_be_silenced() {
    needs!("fixtures/pairs");
    let pair = files("kick-mac-bluez");
    let (report, status, _) = hcidiff(&pair, &["--subject-connection", "1"]);
    assert_eq!(status, 1);
    assert!(report.contains("\nsubject    #1,"), "{report}");
    let (report, status, _) = hcidiff(&pair, &["--quiet"]);
    assert_eq!((report.as_str(), status), ("", 1));
    assert_eq!(hcidiff(&pair, &["--exit-zero"]).1, 0);
    let (report, status, _) = hcidiff(&pair[..1], &[]);
    assert_eq!(status, 0, "{report}");
}

/// Whoever gives the failing capture first gets the same verdict, and is told so in the first line.
#[test]
fn swapped_sides_are_noticed() {
    needs!("fixtures/pairs");
    for case in ["kick-mac-bluez", "never-heard-bluez", "pairing-no-agent"] {
        let files = files(case);
        let (report, status, _) = hcidiff(&files, &["--format", "json"]);
        let turned: Vec<PathBuf> = files.into_iter().rev().collect();
        let (swapped, same, _) = hcidiff(&turned, &["--format", "json"]);
        assert_eq!((status, same), (1, 1), "{case}");
        let [report, swapped]: [serde_json::Value; 2] =
            [report, swapped].map(|text| serde_json::from_str(&text).expect("JSON"));
        assert_eq!(report["comparison"]["swapped"], false);
        assert_eq!(swapped["comparison"]["swapped"], true);
        assert_eq!(report["findings"][0]["rule"], swapped["findings"][0]["rule"], "{case}");
        assert_eq!(swapped["findings"][0]["capture"], 0, "{case}");
        for columns in ["60", "120"] {
            let (text, ..) = hcidiff_in(&turned, &[], columns);
            let first = text.lines().next().unwrap_or_default();
            assert!(first.starts_with("SWAPPED"), "{case}: {first}");
        }
    }
}

/// The whole report begins with the verdict, its evidence and its remedy, how both sides came out, and
/// since when they differ.
#[test]
fn the_whole_report_begins_with_the_case() {
    needs!("fixtures/pairs");
    let mut verdicts = 0;
    for case in cases() {
        let (report, ..) = hcidiff(&files(&case), &[]);
        if case == "only-scanning" {
            continue;
        }
        let screen: Vec<&str> = report.lines().take(24).collect();
        let mut wanted = vec!["reference  #", "subject    #", "diverge    "];
        if screen.iter().any(|line| line.starts_with("CAUSE  ") || line.starts_with("SUSPECT  ")) {
            verdicts += 1;
            wanted.extend(["  seen    ", "  do      "]);
        }
        for label in wanted {
            assert!(screen.iter().any(|line| line.starts_with(label)), "{case}: {label}\n{report}");
        }
    }
    assert!(verdicts >= 15, "{verdicts}");
}

#[test]
fn every_width_is_kept() {
    needs!("fixtures/pairs");
    use unicode_width::UnicodeWidthStr;
    for case in ["kick-mac-bluez", "pairing-no-agent", "only-scanning", "one-capture"] {
        for width in ["80", "100", "120", "160", "200"] {
            let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
                .args([
                    "--full",
                    "--label",
                    "温度センサー 温度センサー 温度センサー",
                    "--label",
                    "a very long label of a capture that goes on",
                ])
                .args(files(case))
                .env_clear()
                .env("COLUMNS", width)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            for line in text.lines() {
                assert!(line.width() <= width.parse().unwrap(), "{case} at {width}: {line}");
            }
        }
    }
}

#[test]
fn aliases_hide_every_address_and_name() {
    needs!("fixtures/pairs");
    for case in cases() {
        let (report, ..) = hcidiff(&files(&case), &["--aliases", "--strict"]);
        for tells in ["F0:12:7C", "B8:27:EB", "LabSensor", "unknown-device"] {
            assert!(!report.contains(tells), "{case}: {tells}\n{report}");
        }
        assert!(report.contains("device-1") || report.contains("adapter-"), "{case}");
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    needs!("fixtures/pairs");
    let (plain, ..) = hcidiff(&files("kick-mac-bluez"), &["--color", "never"]);
    let (painted, ..) = hcidiff(&files("kick-mac-bluez"), &["--color", "always"]);
    assert_ne!(plain, painted);
    let mut bare = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed =
        |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&plain), trimmed(&bare));
}

/// Findings belong to the rules, whose tests pin them.
fn without_findings(report: &str) -> String {
    let first =
        |words: &[&str]| words.iter().filter_map(|word| report.find(&format!("\n\n{word}"))).min();
    let from = first(&["CAUSE", "SUSPECT", "note  "]);
    let to = first(&["TIMELINE", "ATTEMPTS", "CAPTURE"]);
    match (from, to) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &report[..from], &report[to..]),
        _ => report.to_owned(),
    }
}

#[test]
fn reports() {
    needs!("fixtures/pairs");
    for case in [
        "bond-lost",
        "good-both-ends",
        "good-mac-bluez",
        "kick-mac-bluez",
        "mtu-missing",
        "never-heard-bluez",
        "one-capture",
        "only-scanning",
        "other-database",
        "pairing-no-agent",
        "parameters-ignored",
        "subscription-refused",
        "supervision-timeout",
        "write-type",
        "wrong-address-type",
        "bredr",
        "died-encrypting",
        "bond-lost-bluez",
        "idle-policy",
        "mtu-refused",
        "not-connectable",
        "stale-cache",
    ] {
        let report = without_findings(&hcidiff(&files(case), &[]).0);
        insta::assert_snapshot!(case, report);
    }
}

/// From 140 columns on each side has columns of its own; below, both share the column of the step.
#[test]
fn a_wide_terminal_shows_both_sides_beside_each_other() {
    let text = |case: &str, columns: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
            .args(files(case))
            .arg("--full")
            .env_clear()
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for columns in [139, 140, 160, 200] {
        let text = text("mtu-missing", &columns.to_string());
        let beside = text.lines().any(|line| line.matches("Discover services").count() == 2);
        assert_eq!(beside, columns >= 140, "{columns}\n{text}");
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max();
        assert!(widest.is_some_and(|width| width <= columns), "{columns}\n{text}");
    }
    for case in ["mtu-missing", "kick-mac-bluez"] {
        insta::assert_snapshot!(format!("{case}-160"), without_findings(&text(case, "160")));
    }
}
