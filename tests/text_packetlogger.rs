//! PacketLogger's rows without bytes: what they say is what the binary capture says, and what
//! they leave out is marked. (Rows with bytes are in `text_hex.rs`.)
#![cfg(feature = "cli")]
mod common;

use common::{fixture, piped};
use serde_json::Value;

fn run(arguments: &[&str], input: &str) -> (String, String) {
    let (_, out, said) = piped(arguments, input.as_bytes());
    (out, said)
}

fn events(argument: &str, input: &str) -> Vec<Value> {
    let (out, _) = run(&["events", "--format", "jsonl", "--show-values", argument], input);
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn binary() -> Vec<Value> {
    events(fixture("lab/A/02-bad-kick.btsnoop").to_str().unwrap(), "")
}

fn rows() -> String {
    std::fs::read_to_string(fixture("text/02-bad-kick.packetlogger-rows.txt")).unwrap()
}

const KEYS: [&str; 7] = ["dir", "layer", "code", "handle", "cid", "fields", "text"];

#[test]
fn rows_agree_with_bytes_or_say_that_something_is_missing() {
    let (read, binary) = (events("-", &rows()), binary());
    assert_eq!((read.len(), binary.len()), (151, 151));
    let mut exact = 0;
    for (read, binary) in read.iter().zip(&binary) {
        assert_eq!(read["frame"], binary["frame"]);
        if read["cut"] == false {
            exact += 1;
            for key in KEYS {
                assert_eq!(read[key], binary[key], "{key} of {binary}");
            }
        } else {
            assert!(read["problem"] == "cut", "{read}");
            assert_ne!(read["layer"], "att", "its L2CAP row has the bytes: {read}");
        }
    }
    assert!(exact > 90, "{exact}");
    let connected = read.iter().find(|event| event["name"] == "LE Connection Complete").unwrap();
    assert_eq!(
        (&connected["cut"], &connected["fields"]["supervision_timeout"]),
        (&false.into(), &72.into())
    );
}

/// The commonest paste: rows of ATT and HCI events alone, without the lines below them.
#[test]
fn rows_without_details_say_what_they_say() {
    let rows: String = rows()
        .lines()
        .filter(|line| line.contains("  ATT ") || line.contains("  HCI Event"))
        .map(|line| format!("{line}\n"))
        .collect();
    let read = events("-", &rows);
    let of_att = |events: &[Value]| -> Vec<Value> {
        events.iter().filter(|event| event["layer"] == "att").cloned().collect()
    };
    let (att, binary_att) = (of_att(&read), of_att(&binary()));
    assert_eq!(att.len(), binary_att.len());
    for (read, binary) in att.iter().zip(&binary_att) {
        for key in ["dir", "code", "handle", "name"] {
            assert_eq!(read[key], binary[key], "{binary}");
        }
        if read["cut"] == false {
            assert_eq!(read["fields"], binary["fields"], "{binary}");
        }
    }
    // A connection has an interval, so it was made; its latency and timeout are not shown.
    let connected: Vec<_> =
        read.iter().filter(|event| event["name"] == "LE Connection Complete").collect();
    assert_eq!(connected.len(), 3);
    assert!(connected.iter().all(|event| {
        event["cut"] == true
            && event["status"] == 0
            && event["peer"] == "F0:12:7C:AA:00:01"
            && event["text"].as_str().unwrap().ends_with("parameters unknown")
    }));
}

/// A value that ends in dots is longer than it shows.
#[test]
fn a_value_of_twenty_bytes_and_dots_is_cut() {
    let row = |value: &str| {
        format!(
            "Dec 06 13:16:04.720  ATT Send         0x0042  00:00:00:00:00:00  Write Command - Handle:0x0006 - Value: {value}\n"
        )
    };
    let text = row("8100 0001 0072 0000 0001 0203 0405 0607 0809 0A0B\u{2026}") + &row("8100 01");
    let read = events("-", &text);
    assert_eq!(read.len(), 2);
    assert_eq!((&read[0]["cut"], &read[1]["cut"]), (&true.into(), &false.into()));
    assert_eq!(read[1]["fields"]["attribute_value"], "810001");
    let (_, err) = run(&["events", "-"], &text);
    assert!(err.contains("the .pklg file has all"), "{err}");
    // The lines below the row have the whole value.
    let below = row("8100 01\u{2026}") + "\tValue: 8100 0001 \n\t0203\n\tsomething else\n";
    let read = events("-", &below);
    assert_eq!(
        (&read[0]["cut"], &read[0]["fields"]["attribute_value"]),
        (&false.into(), &"810000010203".into())
    );
}

/// There is no year, so times are relative; a new year is no step back.
#[test]
fn times_have_no_year() {
    let text = "Dec 31 23:59:59.900  ATT Receive  0x0042  00:00:00:00:00:00  Write Response\nJan 01 00:00:00.100  ATT Receive  0x0042  00:00:00:00:00:00  Write Response\n";
    let read = events("-", text);
    assert_eq!((&read[1]["time"], &read[1]["local_time"]), (&Value::Null, &Value::Null));
    assert_eq!(read[1]["offset_s"].as_f64(), Some(0.2));
}

#[test]
fn rows_survive_pasting() {
    let plain = rows();
    let expected = events("-", &plain);
    let quoted: String = plain.lines().map(|line| format!("> {line}\n")).collect();
    let html = plain.replace('>', "&gt;").replace('\n', "\r\n");
    for (how, text) in
        [("quoted", quoted), ("HTML", html), ("prose", format!("I see:\n\n{plain}\nWhy?\n"))]
    {
        let read = events("-", &text);
        assert_eq!(read.len(), expected.len(), "{how}");
        for (read, expected) in read.iter().zip(&expected) {
            for key in KEYS {
                assert_eq!(read[key], expected[key], "{how}");
            }
        }
    }
}
