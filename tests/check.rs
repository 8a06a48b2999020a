//! `hcidiff check`, the real program over the flagship pair.
#![cfg(feature = "cli")]
mod common;

use common::flagship;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The Mac's capture, which works, and the Pi's, in which the device hangs up.
fn pair() -> [PathBuf; 2] {
    let mac = flagship().remove(0);
    let pi = mac.with_file_name("pi-kicked.btsnoop");
    [mac, pi]
}

fn check(arguments: &[&str]) -> Output {
    let [works, fails] = pair();
    let arguments = arguments.iter().map(|argument| match *argument {
        "WORKS" => works.clone().into_os_string(),
        "FAILS" => fails.clone().into_os_string(),
        other => other.into(),
    });
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("check")
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

#[test]
fn the_status_says_whether_all_are_met() {
    for (arguments, status) in [
        (&["WORKS"][..], 0),
        (&["FAILS"], 1),
        (&["WORKS", "--baseline", "WORKS"], 0),
        (&["FAILS", "--baseline", "WORKS"], 1),
        // The capture that is checked works, whatever the baseline does.
        (&["WORKS", "--baseline", "FAILS", "--expect", "no finding suspect"], 0),
        (&["FAILS", "--expect", "finding peer-hangs-up-on-deadline"], 0),
        (&["FAILS", "--expect", "reason = 0x13", "--expect", "encrypted"], 1),
        (&["FAILS", "--connection", "1", "--expect", "number = 1"], 0),
        (&["FAILS", "--baseline", "WORKS", "--connection", "2", "--expect", "number = 2"], 0),
        (&["FAILS", "--peer", "LabSensor", "--expect", "peer.name = LabSensor"], 0),
        (&["FAILS", "--peer", "Nobody"], 2),
        (&["WORKS", "--expect", "encryptd"], 2),
        (&["WORKS", "--format", "xml"], 2),
        (&["WORKS", "-o", "result.pdf"], 2),
        (&["nothing-there.btsnoop"], 2),
    ] {
        let output = check(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn text_says_what_each_was_decided_by() {
    let output = check(&[
        "FAILS",
        "--baseline",
        "WORKS",
        "--expect",
        "mtu.answered_after_ms < 100",
        "--expect",
        "reason = 0x13",
        "--expect",
        "report.comparison.swapped or host.version = null",
    ]);
    insta::assert_snapshot!("check", out(&output));
}

#[test]
fn a_file_holds_expectations_and_a_wrong_line_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("lamp.txt");
    fs::write(&file, "# the lamp\nno finding suspect\nreason = 0x16 # the host ended it\n")
        .expect("it is written");
    let file = file.to_str().expect("UTF-8");
    let output = check(&["WORKS", "--expect", file]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("2 of 2 expectations met"), "{}", out(&output));

    fs::write(file, "encrypted\n\n paird\n").expect("it is written");
    let output = check(&["WORKS", "--expect", file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("lamp.txt, line 3, column 1"), "{}", err(&output));

    fs::write(file, "# nothing\n").expect("it is written");
    assert_eq!(check(&["WORKS", "--expect", file]).status.code(), Some(2));
}

/// Elements, their children and their attributes, as Jenkins' xUnit plugin has them in `junit-10.xsd`.
const JUNIT: [(&str, &[&str], &[&str]); 5] = [
    ("testsuites", &["testsuite"], &["name", "time", "tests", "failures", "errors"]),
    (
        "testsuite",
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
    ),
    (
        "testcase",
        &["skipped", "error", "failure", "system-out", "system-err"],
        &["name", "time", "classname", "group"],
    ),
    ("failure", &[], &["type", "message"]),
    ("system-out", &[], &[]),
];

#[test]
fn junit_is_what_ci_systems_read() {
    let expects =
        ["--expect", "reason = 0x13", "--expect", "encrypted", "--expect", "comparison.differs"];
    let output = check(&[&["FAILS", "--format", "junit"], &expects[..]].concat());
    let document = roxmltree::Document::parse(out(&output)).expect("well-formed");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    for node in root.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let (_, children, attributes) =
            JUNIT.iter().find(|(known, ..)| *known == name).expect(name);
        for child in node.children().filter(roxmltree::Node::is_element) {
            assert!(
                children.contains(&child.tag_name().name()),
                "{name}/{}",
                child.tag_name().name()
            );
        }
        for attribute in node.attributes() {
            assert!(attributes.contains(&attribute.name()), "{name} {}", attribute.name());
        }
    }
    let suite = root.first_element_child().expect("a suite");
    assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("3"), Some("2")));
    let failures: Vec<_> =
        suite.descendants().filter(|node| node.has_tag_name("failure")).collect();
    let kinds: Vec<_> = failures.iter().filter_map(|node| node.attribute("type")).collect();
    assert_eq!(kinds, ["failed", "cannot-tell"]);
}

/// The parts of SARIF 2.1.0 that are used, by the sections of the OASIS standard; `scripts/schemas` fetches the
/// standard's whole schema, and then that is asked too.
#[test]
fn sarif_is_what_code_hosts_read() {
    let output = check(&["FAILS", "--format", "sarif"]);
    let log: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2, "the expectation, and the finding behind it");
    for result in results {
        assert!(ids.contains(&result["ruleId"].as_str().expect("a rule")), "3.27.5");
        assert!(
            ["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")),
            "3.27.10"
        );
        assert!(!result["message"]["text"].as_str().expect("a text").is_empty(), "3.11.8");
        let place = &result["locations"][0];
        assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "pi-kicked.btsnoop");
        assert_eq!(place["logicalLocations"][0]["name"], "frame 500");
    }
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/schemas/sarif-2.1.0.json");
    let Ok(schema) = fs::read_to_string(schema) else {
        eprintln!("SARIF's own schema is not here (scripts/schemas fetches it): it was not asked");
        return;
    };
    let mut schema: Value = serde_json::from_str(&schema).expect("JSON");
    // The standard's own pattern for languages has a bracket too many: not every engine reads it.
    for definition in ["run", "toolComponent"] {
        let language = schema["definitions"][definition]["properties"]["language"].as_object_mut();
        language.expect("a definition").remove("pattern");
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = "grave".into();
    assert!(!validator.is_valid(&broken), "the schema sees what is wrong");
}

#[test]
fn annotations_keep_to_one_line_each() {
    let output = check(&[
        "FAILS",
        "--format",
        "github",
        "--expect",
        "no finding suspect",
        "--expect",
        "encrypted",
    ]);
    let lines: Vec<&str> = out(&output).lines().collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let (title, message) = line
            .strip_prefix("::error title=")
            .and_then(|rest| rest.split_once("::"))
            .expect("an annotation");
        assert!(!title.contains([':', ',']), "{title}");
        assert!(!message.is_empty());
    }
}

/// What CI shows may be read by everybody.
#[test]
fn names_and_addresses_stand_only_where_asked() {
    let expects = [
        "--expect",
        "peer.name = Nobody",
        "--expect",
        "peer.address = Nobody",
        "--expect",
        "no finding",
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    for format in ["junit", "sarif", "github"] {
        let hidden = check(&[&["FAILS", "--format", format], &expects[..]].concat());
        let shown =
            check(&[&["FAILS", "--show-addresses", "--format", format], &expects[..]].concat());
        for secret in ["LabSensor", "F0:12:7C:AA:00:01"] {
            assert!(!out(&hidden).contains(secret), "{format} {secret}");
        }
        assert!(out(&shown).contains("LabSensor"), "{format}");
    }
    let file = folder.path().join("result.xml");
    let output = check(&[&["FAILS", "-o", file.to_str().expect("UTF-8")], &expects[..]].concat());
    assert!(out(&output).contains("LabSensor"), "the terminal shows names");
    assert!(!fs::read_to_string(&file).expect("it is there").contains("LabSensor"));
}
