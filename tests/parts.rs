//! A part of a capture: by frames, times, device and connection; and the bytes of its records.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship, hcidiff, piped};
use hcidiff::capture::{Input, OpenOptions, open};
use serde_json::Value;
use std::path::PathBuf;

/// Four attempts to LabSensor: the first, in frames 433 to 447, was never answered.
fn pi() -> Vec<PathBuf> {
    flagship().split_off(1)
}

fn json(arguments: &[&str]) -> Value {
    let output = hcidiff(&pi(), &[&["--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn events(arguments: &[&str], file: PathBuf) -> Vec<Value> {
    let output = hcidiff(&[file], &[&["events", "--format", "jsonl"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_report_of_a_part_is_as_if_only_that_had_been_recorded() {
    let whole = json(&[]);
    assert_eq!(whole["captures"][0]["connections"].as_array().unwrap().len(), 4);
    let part = json(&["--from", "431", "--to", "447"]);
    let capture = &part["captures"][0];
    assert_eq!(capture["records"], 17);
    let connections = capture["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 1);
    assert_eq!(
        connections[0]["connected_frame"],
        whole["captures"][0]["connections"][0]["connected_frame"]
    );
    assert_eq!(capture["warnings"][0]["code"], "part-only");
    assert_eq!(part["findings"][0]["rule"], "never-heard-peer");
    // By the clock, and by what is left of it.
    let time = whole["captures"][0]["first_time"].as_str().unwrap().to_owned();
    for bound in [time.as_str(), &time[11..26], "0.0s"] {
        assert_eq!(
            json(&["--from", bound])["captures"][0]["records"],
            whole["captures"][0]["records"],
            "{bound}"
        );
    }
}

#[test]
fn a_part_without_records_says_what_there_is() {
    let output = hcidiff(&pi(), &["--from", "1000000"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("no record lies between --from and --to; the capture has frames 1 to "),
        "{said}"
    );
}

#[test]
fn a_device_is_asked_for_by_name_and_a_connection_by_number() {
    let files = flagship();
    let verdict = |arguments: &[&str]| -> Value {
        let output = hcidiff(&files, &[&["--format", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let named = verdict(&["--peer", "labsensor"]);
    assert_eq!(named["comparison"], verdict(&[])["comparison"]);
    let output = hcidiff(&files, &["--peer", "toaster"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("no connection that fits the options") && shown.contains("LabSensor"),
        "{shown}"
    );
    assert!(!shown.contains("never answered"), "{shown}");
    let fourth = hcidiff(&pi(), &["--connection", "4"]);
    let shown = String::from_utf8(fourth.stdout).unwrap();
    assert!(!shown.contains("never answered"), "{shown}");
    assert!(shown.starts_with("\u{2713} ") && !shown.contains("no known cause"), "{shown}");
    // What is attached somewhere does not repeat the name that was typed.
    let markdown = hcidiff(&files, &["--peer", "labsens", "--format", "markdown"]);
    assert!(!String::from_utf8(markdown.stdout).unwrap().to_lowercase().contains("labsens"));
}

#[test]
fn events_of_a_part_keep_their_numbers_and_times() {
    let file = pi().remove(0);
    let all = events(&[], file.clone());
    assert_eq!(events(&["--frames", "431-447"], file.clone()), all[430..447]);
    assert_eq!(events(&["--from", "431", "--to", "447"], file.clone()), all[430..447]);
    let (from, to) = (all[430]["time"].as_str().unwrap(), all[446]["time"].as_str().unwrap());
    let timed = events(&["--from", from, "--to", to], file.clone());
    assert!(timed.len() >= 17 && timed.iter().all(|line| all.contains(line)));
    let of_device = events(&["--peer", "LABSENSOR"], file);
    let by_address = events(&["--peer", of_device[0]["peer"].as_str().unwrap()], pi().remove(0));
    assert_eq!(of_device, by_address);
    let (status, _, said) = piped(&["events", "-", "--peer", "LabSensor"], b"");
    assert!(
        status == 2 && said.contains("a name is looked up in the whole capture first"),
        "{said}"
    );
}

/// The bytes that are shown are the file's own, each at its place.
#[test]
fn bytes_are_those_of_the_record() {
    for (name, least) in [("vectors/layers.btsnoop", 40), ("flagship/pi.btsnoop", 200)] {
        let file = fixture(name);
        let mut source = open(&Input::from(&file), &OpenOptions::default()).unwrap().source;
        let mut shown = 0;
        for line in events(&["--bytes"], file) {
            let record = source.next().unwrap().unwrap();
            let Some(digits) = line["bytes"].as_str() else { continue };
            let bytes = record.bytes();
            assert_eq!(digits.len(), 2 * bytes.len(), "{line}");
            for (byte, pair) in bytes.iter().zip(digits.as_bytes().chunks(2)) {
                let pair = str::from_utf8(pair).unwrap();
                assert!(pair == "**" || pair == format!("{byte:02x}"), "{line}");
            }
            shown += 1;
        }
        assert!(shown >= least, "{name}: {shown}");
    }
}

#[test]
fn each_field_has_a_row_under_its_event() {
    let output =
        hcidiff(&[fixture("vectors/layers.btsnoop")], &["events", "--frames", "15", "--bytes"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = text
        .lines()
        .skip(2)
        .map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    // Disconnect, as tshark shows it: handle 0x0040, reason 0x13.
    assert_eq!(
        rows,
        [
            "0000 06 04 03 header",
            "0003 40 00 connection_handle: 64 (0x40)",
            "0005 13 reason: 19 (0x13)",
        ]
    );
}

/// As btmon 5.66 prints them: the first three links of the failing side ended in its packets #73, #86 and #99.
#[test]
fn a_cited_frame_is_named_as_btmon_and_wireshark_know_it() {
    let full = common::report(&pi(), &["--full"]);
    assert!(full.contains("frame 447 (btmon #73): Disconnection Complete"), "{full}");
    assert!(full.contains("in Wireshark: `frame.number in {428, 433, 447"), "{full}");
    let markdown = common::report(&pi(), &["--format", "markdown"]);
    assert!(markdown.contains("frame 484 (btmon `#86`)"), "{markdown}");
    // Where both count alike nothing is said twice.
    let capture = fixture("lab/A/02-bad-kick.btsnoop");
    assert!(!common::report(&[capture], &["--full"]).contains("btmon #"));
}
