//! hcidump's decoded text says nothing that the binary capture of the session contradicts, and
//! what it leaves out is marked.
#![cfg(feature = "cli")]
mod common;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn run(arguments: &[&str], name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(arguments)
        .arg(path)
        .output()
        .expect("the program runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn events(name: &str) -> Vec<Value> {
    let out = run(&["events", "--format", "jsonl", "--show-values"], name);
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

const SESSIONS: [(&str, &str); 3] = [
    // With what hcidump does not decode in hexadecimal.
    ("text/02-bad-kick.hcidump-tx.txt", "lab/A/02-bad-kick.btsnoop"),
    ("text/02-bad-kick.hcidump-t.txt", "lab/A/02-bad-kick.btsnoop"),
    ("text/06-pairing-good.hcidump-t.txt", "lab/A/06-pairing-good.btsnoop"),
];

/// What hcidump 5.66 leaves out of these sessions: every event that is not exactly the binary's.
const LEFT_OUT: [&str; 10] = [
    "Command Complete",
    "Identity Address Information",
    "LE Connection Complete",
    "LE Enable Encryption",
    "LE Meta",
    "LE Read Remote Features",
    "LE Write Suggested Default Data Length",
    "Pairing Public Key",
    "Pairing DHKey Check",
    "Read Response",
];

#[test]
fn text_agrees_with_bytes_or_says_that_something_is_missing() {
    let mut left_out = BTreeSet::new();
    for (text, binary) in SESSIONS {
        let (read, binary) = (events(text), events(binary));
        assert_eq!(read.len(), binary.len(), "{text}");
        let mut exact = 0;
        for (read, binary) in read.iter().zip(&binary) {
            for key in ["frame", "dir", "offset_s", "answers"] {
                assert_eq!(read[key], binary[key], "{text}: {key} of {binary}");
            }
            if read["cut"] == false {
                exact += 1;
                for key in ["layer", "code", "subcode", "handle", "status", "fields", "text"] {
                    assert_eq!(read[key], binary[key], "{text}: {key} of {binary}");
                }
            } else {
                let name = read["name"].as_str().unwrap();
                left_out.insert(name.to_owned());
                if name != "LE Meta" {
                    assert_eq!(read["code"], binary["code"], "{text}: {binary}");
                }
            }
        }
        assert!(exact * 10 > read.len() * 6, "{text}: {exact} of {}", read.len());
    }
    assert_eq!(left_out, LEFT_OUT.map(String::from).into());
}

#[test]
fn connections_are_those_of_the_binary_capture() {
    for (text, binary) in SESSIONS {
        let report = |name: &str| -> Value {
            serde_json::from_str(&run(&["--format", "json"], name)).expect("JSON")
        };
        let (read, binary) = (report(text), report(binary));
        assert_eq!(read["captures"][0]["format"], "hcidump-text");
        let connections = |report: &Value| {
            report["captures"][0]["connections"].as_array().cloned().expect("connections")
        };
        let (read, binary) = (connections(&read), connections(&binary));
        assert_eq!(read.len(), binary.len());
        for (read, binary) in read.iter().zip(&binary) {
            for key in [
                "number",
                "role",
                "peer",
                "status",
                "reason",
                "connected_frame",
                "disconnect_frame",
                "duration_ms",
                "mtu",
                "att_sent",
                "att_received",
                "encrypted",
                "first_att",
                "peer_heard",
                "requested",
            ] {
                assert_eq!(read[key], binary[key], "{text}: {key}");
            }
            // Not printed, so not known.
            for key in ["interval_ms", "latency", "supervision_timeout_ms"] {
                assert_eq!(read[key], Value::Null, "{key}");
            }
        }
    }
}

#[test]
fn a_report_says_that_text_leaves_things_out_and_how_to_record_a_file() {
    let out = run(&["--format", "json"], SESSIONS[1].0);
    let report: Value = serde_json::from_str(&out).unwrap();
    let fitness = report["captures"][0]["fitness"].to_string();
    assert!(
        fitness.contains("cannot be told from text") && fitness.contains("btmon -w"),
        "{fitness}"
    );
    let warnings = report["captures"][0]["warnings"].to_string();
    assert!(warnings.contains("text-incomplete"), "{warnings}");
}

/// A real session of 8622 packets that exists as text and as binary. Skipped where the real
/// captures are not there.
#[test]
fn a_real_session_is_the_same_as_text_and_as_binary() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let text = captures.join("hcidump_text/manojshakti77_bluetooth__bluetooth-log.txt");
    let binary = captures.join(
        "btsnoop_h4_1002/manojshakti77_bluetooth__bluetooth-btsnoop_hci-ethermind_1fb419.log",
    );
    if !text.exists() {
        return;
    }
    let report = |path: &Path| -> Value {
        serde_json::from_str(&run(&["--format", "json"], path.to_str().unwrap())).expect("JSON")
    };
    let (text, binary) = (report(&text), report(&binary));
    let facts = |report: &Value| -> Vec<Value> {
        let connections = report["captures"][0]["connections"].as_array().cloned().unwrap();
        let keys = [
            "number",
            "transport",
            "role",
            "peer",
            "start_seen",
            "end_seen",
            "status",
            "reason",
            "handle",
            "connected_frame",
            "disconnect_frame",
            "encrypted",
            "ended_by",
        ];
        connections.iter().map(|c| keys.iter().map(|key| c[*key].clone()).collect()).collect()
    };
    assert_eq!(facts(&text).len(), 13);
    assert_eq!(facts(&text), facts(&binary));
    let rules = |report: &Value| -> Vec<Value> {
        let findings = report["findings"].as_array().cloned().unwrap();
        findings
            .iter()
            .map(|f| [&f["rule"], &f["connections"]].into_iter().cloned().collect())
            .collect()
    };
    assert_eq!(rules(&text), rules(&binary));
}

fn events_of(text: &str) -> Vec<Value> {
    let (code, out, err) =
        common::piped(&["events", "--format", "jsonl", "--show-values", "-"], text.as_bytes());
    assert_eq!(code, 0, "{err}");
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A terminal cut the lines at its edge: what stands below them says all the same.
#[test]
fn headers_that_a_terminal_cut_are_read() {
    let text = "HCI sniffer - Bluetooth packet analyzer ver 5.50\n\
        < HCI Command: Disconnect (0x01|0x0006) plen 3\n    handle 64 reason 0x13\n\
        > HCI Event: Disconn Complete (0x05) ple\n    status 0x00 handle 64 reason 0x3e\n\
        > HCI Event: Vendor (0xff) plen$\n  02 01 06\n\
        > HCI Event: LE Meta Event (0x3e) pl\n    LE Connection Complete\n      status 0x00 handle 64, role central\n      bdaddr F0:12:7C:AA:00:01 (Random)\n\
        < ACL data: handle 64 flags 0x00 dl\n    ATT: MTU req (0x02)\n      client rx mtu 517\n";
    let read = events_of(text);
    assert_eq!(read.len(), 5);
    assert_eq!(
        (&read[1]["fields"]["reason"], &read[1]["cut"]),
        (&Value::from(0x3e), &Value::from(false))
    );
    assert_eq!(read[2]["cut"], false);
    assert_eq!(
        (&read[3]["handle"], &read[3]["fields"]["peer_address"]),
        (&Value::from(64), &Value::from("F0:12:7C:AA:00:01"))
    );
    assert_eq!(read[4]["handle"], 64);
}

/// An address that somebody hid: the connection stays.
#[test]
fn hidden_addresses_are_unknown() {
    for hidden in ["(removed)", "<MAC>", "XX:XX:XX:XX:XX:XX"] {
        let text = format!(
            "> HCI Event: LE Meta Event (0x3e) plen 19\n    LE Connection Complete\n      status 0x00 handle 64, role central\n      bdaddr {hidden} (Random)\n\
            > HCI Event: Connect Complete (0x03) plen 11\n    status 0x00 handle 11 bdaddr {hidden} type ACL encrypt 0x00\n"
        );
        let read = events_of(&text);
        assert_eq!(
            (&read[0]["handle"], &read[1]["handle"]),
            (&Value::from(64), &Value::from(11)),
            "{hidden}"
        );
        assert!(read.iter().all(|event| event["cut"] == true), "{hidden}");
    }
}
