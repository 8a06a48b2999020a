//! Every JSON report is what its schema says, and says what the contract promises.
#![cfg(feature = "cli")]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::{flagship, made_of};
use hcidiff::report::{json, safe};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn run(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab"))
        .args(arguments)
        .output()
        .expect("the program runs");
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).expect("UTF-8"))
}

fn report(arguments: &[&str]) -> Value {
    let (code, text) = run(&[arguments, &["--format", "json"]].concat());
    assert!((0..=2).contains(&code), "{arguments:?}: {code}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {text}"))
}

/// Every row of the truth table: alone, or as a pair.
fn rows() -> Vec<Vec<&'static str>> {
    let table = text_of!("fixtures/lab/EXPECTED.tsv");
    let rows = table.lines().filter(|l| !l.starts_with('#') && !l.starts_with("reference\t"));
    rows.map(|row| row.split('\t').take(2).filter(|name| *name != "-").collect()).collect()
}

#[test]
fn every_report_validates_against_the_schema_that_ships() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let (_, schema) = run(&["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let rows = rows();
    assert!(rows.len() > 180);
    let more = [
        vec!["A/01-good-basic.pklg", "A/02-bad-kick.btsnoop", "--show-values", "--full"],
        vec!["EXPECTED.tsv", "B-bluez5.66/b04-failed-establish-3e.btsnoop"],
        vec!["B-bluez5.66/b04-failed-establish-3e.btsnoop", "EXPECTED.tsv", "--aliases"],
        vec!["../air/wifi.lossy.pcap"],
        vec!["../air/far.central.btsnoop", "--witness", "../air/far.drifting.pcap"],
    ];
    for row in rows.iter().chain(&more) {
        let report = report(row);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .take(5)
            .collect();
        assert!(errors.is_empty(), "{row:?}: {errors:#?}");
        // The verdict is the first finding, if that is more than a note.
        let first = &report["findings"][0];
        let rule = if first["level"] == "note" { &Value::Null } else { &first["rule"] };
        assert_eq!(&report["verdict"]["rule"], rule, "{row:?}");
    }
    // The schema must be able to refuse.
    let mut wrong = report(&rows[0]);
    wrong["captures"][0]["connections"][0]["transport"] = "infrared".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn facts_are_a_short_selection_of_the_report() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    for row in rows().iter().step_by(3) {
        let report = report(&[&row[..], &["--aliases"]].concat());
        let (_, text) = run(&[&row[..], &["--format", "facts"]].concat());
        assert!(text.len() < 8_000, "{row:?}: {}", text.len());
        let facts: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(facts["verdict"], report["verdict"], "{row:?}");
        let evidence = &report["findings"][0]["evidence"];
        for (at, quoted) in
            facts["findings"][0]["evidence"].as_array().into_iter().flatten().enumerate()
        {
            assert_eq!(quoted["frame"], evidence[at]["frame"], "{row:?}");
        }
    }
}

/// As tshark shows them (`-Y btatt.value`): frames 70 and 80 of the capture.
#[test]
fn values_are_there_where_they_are_asked_for_and_nowhere_else() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let capture = "A2/20c-mac-good.pklg";
    let steps = |report: &Value| report["captures"][0]["connections"][0]["steps"].clone();
    let value = |steps: &Value, frame: u64| {
        let steps = steps.as_array().expect("steps").iter();
        steps.filter(|step| step["frame"] == frame).map(|step| step["value"].clone()).next()
    };
    let shown = steps(&report(&[capture, "--show-values"]));
    assert_eq!(value(&shown, 70), Some("a55a0100".into()));
    assert_eq!(value(&shown, 80), Some("00006400".into()));
    let hidden = steps(&report(&[capture]));
    assert_eq!(value(&hidden, 70), Some(Value::Null));
    assert!(!run(&[capture, "--full"]).1.contains("a55a0100"));
    assert!(run(&[capture, "--show-values"]).1.contains("a55a0100"));
}

#[test]
fn one_unreadable_side_is_said_in_every_format() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    for files in
        [["EXPECTED.tsv", "A/01-good-basic.pklg"], ["A/01-good-basic.pklg", "EXPECTED.tsv"]]
    {
        for format in ["json", "terminal", "markdown"] {
            let (code, text) = run(&[files[0], files[1], "--format", format]);
            assert_eq!(code, 2);
            assert!(text.contains("EXPECTED.tsv: not an HCI capture"), "{format}: {text}");
        }
    }
    // Also where the one that is left is compared with itself.
    let both = "B-bluez5.66/b04-failed-establish-3e.btsnoop";
    let (_, text) = run(&["EXPECTED.tsv", both, "--full"]);
    assert!(
        text.contains("EXPECTED.tsv: not an HCI capture") && text.contains("TIMELINE"),
        "{text}"
    );
}

/// The same as `sha256sum` says, from a file and from standard input.
#[test]
fn each_capture_is_named_by_its_sha256() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let (file, sha256) = (
        "A/01-good-basic.pklg",
        "45a6faf52979a4868bb0bc3e7f00552b3f5d76dd86d72e1e665ef5dc4433d7c5",
    );
    assert_eq!(report(&[file, "A/02-bad-kick.btsnoop"])["captures"][0]["sha256"], sha256);
    let bytes = std::fs::read(common::fixture("lab").join(file)).expect("a fixture");
    let (_, text, _) = common::piped(&["-", "--format", "json"], &bytes);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["captures"][0]["sha256"], sha256);
}

/// Facts of FACTS.tsv and EXPECTED.tsv, read through the JSON.
#[test]
fn the_flagship_pair_says_what_the_laboratory_knows() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let report = report(&["A2/20c-mac-good.pklg", "B-bluez5.66/b04-failed-establish-3e.btsnoop"]);
    assert_eq!(report["schema"], "hcidiff.report/1");
    assert_eq!(report["captures"][0]["path"], "20c-mac-good.pklg");
    let finding = &report["findings"][0];
    assert_eq!(
        (finding["rule"].as_str(), finding["level"].as_str()),
        (Some("never-heard-peer"), Some("cause"))
    );
    assert_eq!(finding["connections"], serde_json::json!([1, 2, 3]));
    let connections = &report["captures"][1]["connections"];
    let reasons: Vec<Option<u64>> = (0..4).map(|n| connections[n]["reason"].as_u64()).collect();
    assert_eq!(reasons, [Some(0x3e), Some(0x3e), Some(0x3e), Some(0x16)]);
    assert_eq!(connections[0]["peer_heard"], false);
    assert_eq!(connections[0]["mtu"], Value::Null);
    assert_eq!(connections[3]["mtu"]["effective"], 247);
    assert_eq!(connections[3]["mtu"]["requested"], 517);
    let early = report["comparison"]["missing_early"].as_array().expect("a list");
    assert!(!early.is_empty() && early.iter().all(|e| e["subject"] != "never"), "{early:#?}");
}

#[test]
fn aliases_and_secrets_hold_in_json() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let (_, text) = run(&["A/07-bond-lost.btsnoop", "--format", "json", "--aliases"]);
    assert!(!text.contains("F0:12:7C:AA:00:01") && text.contains("device-1"), "{text}");
}

#[test]
fn the_same_bytes_in_give_the_same_bytes_out() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let pair = ["A/01-good-basic.pklg", "B-bluez5.66/b02-kick.btsnoop", "--format", "json"];
    assert_eq!(run(&pair), run(&pair));
}

/// What the two sides are, what is missing, how they ended, and the findings with their frames.
/// The facts are those of `fixtures/pairs/expected.tsv`, which `scripts/pairs` holds against tshark.
#[test]
fn comparisons_that_a_person_has_read() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    for case in [
        "kick-mac-bluez",
        "never-heard-bluez",
        "mtu-missing",
        "pairing-no-agent",
        "subscription-refused",
        "supervision-timeout",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pairs").join(case);
        let mut files: Vec<String> = std::fs::read_dir(&folder)
            .expect("a pair")
            .map(|entry| entry.expect("a file").path().display().to_string())
            .collect();
        files.sort();
        let report = report(&files.iter().map(String::as_str).collect::<Vec<_>>());
        let mut comparison = report["comparison"].clone();
        comparison["steps"] = Value::Null;
        comparison["parameters"] = Value::Null;
        let findings: Vec<Value> = report["findings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|finding| {
                let frames = finding["evidence"].as_array().expect("a list").iter();
                let frames: Vec<Value> =
                    frames.map(|e| serde_json::json!([e["capture"], e["frame"]])).collect();
                serde_json::json!([
                    finding["rule"],
                    finding["level"],
                    finding["connections"],
                    frames
                ])
            })
            .collect();
        let told = serde_json::json!({ "comparison": comparison, "findings": findings });
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(
                format!("json__{case}"),
                serde_json::to_string_pretty(&told).expect("JSON")
            );
        });
    }
}

#[test]
fn a_report_holds_nothing_that_a_terminal_would_act_on() {
    needs!("fixtures/pairs", "fixtures/lab/EXPECTED.tsv");
    let hostile = "Zo\u{202e}mi\u{9b}31m\u{e0041}\u{7f}\u{2066}";
    for aliases in [false, true] {
        let mut report = made_of(&flagship(), |capture| {
            capture.label = format!("{} {hostile}", capture.label);
            capture.file = format!("{hostile}.btsnoop");
            for adapter in &mut capture.adapters {
                adapter.name = Some(hostile.to_owned());
            }
            for connection in &mut capture.connections {
                connection.peer.name = Some(hostile.into());
            }
            if let Some(host) = &mut capture.host {
                host.version = Some(hostile.to_owned());
            }
        });
        report.shown.aliases = aliases;
        let text = json::render(&report);
        for line in text.lines() {
            assert_eq!(safe::text(line), line);
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        let shown = if aliases { "adapter-1" } else { &safe::text(hostile) };
        assert_eq!(value["captures"][1]["adapters"][0]["name"], shown);
    }
}
