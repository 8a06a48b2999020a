//! `hcidiff events`, as a person or a script calls it.
use serde_json::Value;
use std::io::Read;
use std::process::{Command, Output, Stdio};

const LAYERS: &str = "fixtures/vectors/layers.btsnoop";

fn events(arguments: &[&str]) -> Output {
    let hcidiff = env!("CARGO_BIN_EXE_hcidiff");
    Command::new(hcidiff).arg("events").args(arguments).output().expect("hcidiff runs")
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = events(&[&["--format", "jsonl"], arguments].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn one_line_for_each_record_with_all_promised_fields() {
    let lines = lines(&[LAYERS]);
    assert_eq!(lines.len(), 76);
    for (frame, line) in (1..).zip(&lines) {
        assert_eq!(line["frame"], frame);
        for field in [
            "time",
            "local_time",
            "offset_s",
            "adapter",
            "dir",
            "layer",
            "code",
            "subcode",
            "name",
            "conn",
            "handle",
            "peer",
            "status",
            "reason",
            "cut",
            "problem",
            "fields",
            "text",
        ] {
            assert!(line.get(field).is_some(), "{field} in {line}");
        }
    }
}

#[test]
fn facts_stand_where_scripts_look_for_them() {
    let lines = lines(&[LAYERS]);
    // Values as tshark 4.0 shows them for the same file.
    let disconnect = &lines[14];
    assert_eq!(disconnect["layer"], "command");
    assert_eq!(disconnect["code"], 0x0406);
    assert_eq!(disconnect["handle"], 0x40);
    assert_eq!(disconnect["reason"], 0x13);
    assert_eq!(disconnect["dir"], "sent");
    assert_eq!(disconnect["time"], "2023-11-14T22:13:20.172830Z");
    let failed = &lines[44];
    assert_eq!(
        (&failed["layer"], &failed["code"], &failed["reason"]),
        (&"smp".into(), &5.into(), &0x0c.into())
    );
    let error = &lines[73];
    assert_eq!(
        (&error["layer"], &error["code"], &error["reason"]),
        (&"att".into(), &1.into(), &0x0a.into())
    );
    assert_eq!(error["fields"]["attribute_handle"], 0x000f);
    let connected = &lines[0];
    assert_eq!(
        (&connected["code"], &connected["subcode"], &connected["status"]),
        (&0x3e.into(), &0x0a.into(), &0.into())
    );
    assert_eq!(connected["peer"], "C0:DE:C0:FF:EE:01");
}

#[test]
fn values_are_lengths_unless_asked_for() {
    let write = |arguments: &[&str]| lines(arguments)[59].clone();
    assert_eq!(write(&[LAYERS])["fields"]["attribute_value"], 2);
    let shown = write(&["--show-values", LAYERS]);
    assert_eq!(shown["fields"]["attribute_value"], "4142");
    assert!(shown["text"].as_str().unwrap().contains("4142"));
}

#[test]
fn keys_are_shown_nowhere() {
    // The vector's long-term key and random number, forwards and backwards.
    let secrets = ["000102030405060708090a0b0c0d0e0f", "0f0e0d0c0b0a09080706050403020100"];
    for arguments in
        [&["--show-values", LAYERS][..], &["--show-values", "--format", "jsonl", LAYERS]]
    {
        let text = String::from_utf8(events(arguments).stdout).unwrap().to_lowercase();
        assert!(text.contains("enable encryption"));
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
}

#[test]
fn filters_leave_lines_out() {
    let all = lines(&["--connection", "2", LAYERS]);
    assert!(!all.is_empty() && all.iter().all(|line| line["conn"] == 2));
    let peer = lines(&["--peer", "C0:DE:C0:FF:EE:01", LAYERS]);
    assert!(!peer.is_empty() && peer.len() < 76);
    assert!(lines(&["--adapter", "7", LAYERS]).is_empty());
    // Times count from the capture's first record, shown or not.
    assert_ne!(all[0]["offset_s"], 0.0);
}

#[test]
fn the_table_says_the_same_text() {
    let table = String::from_utf8(events(&[LAYERS]).stdout).unwrap();
    for line in lines(&[LAYERS]) {
        assert!(table.contains(line["text"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(["events", "--format", "jsonl", LAYERS])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn what_is_no_capture_is_trouble() {
    let output = events(&["Cargo.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("hcidiff: "));
}
