//! Texts that hold every byte say what the binary capture of the same session says.
//!
//! The texts of `fixtures/text` were printed from it by other programs: hcidump itself, and
//! `scripts/texts/forms.py`.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, piped};
use serde_json::Value;

/// The events of a text on standard input, or of a fixture.
fn events(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let events = ["events", "--format", "jsonl", "--show-values"];
    let (code, out, err) = piped(&[&events, arguments].concat(), input);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// An event without its times: no two ways of printing keep the same of them.
fn timeless(mut event: Value) -> Value {
    for key in ["time", "local_time", "offset_s"] {
        event[key] = Value::Null;
    }
    event
}

fn session(name: &str) -> Vec<Value> {
    let path = fixture(name);
    let events = events(&[path.to_str().expect("UTF-8")], b"");
    events.into_iter().map(timeless).collect()
}

const BINARY: &str = "lab/A/02-bad-kick.btsnoop";
const COMPLETE: [&str; 8] = [
    "hcidump-R",
    "hcidump-tR",
    "noble",
    "noble-date",
    "noble-usb",
    "packetlogger",
    "packetlogger-tail",
    "packetlogger-nhdr",
];

fn text(form: &str) -> String {
    format!("text/02-bad-kick.{form}.txt")
}

#[test]
fn every_byte_arrives() {
    let binary = session(BINARY);
    assert_eq!(binary.len(), 151);
    for form in COMPLETE {
        let read = session(&text(form));
        for (read, binary) in read.iter().zip(&binary) {
            assert_eq!(read, binary, "{form}");
        }
        assert_eq!(read.len(), binary.len(), "{form}");
    }
    // BTstack adds its own log line at the end.
    let read = session(&text("btstack"));
    assert_eq!(read[..151], binary);
    assert_eq!((read.len(), &read[151]["layer"]), (152, &Value::from("note")));
}

/// hcitool prints commands and events, and nothing of the data.
#[test]
fn commands_and_events_of_hcitool_arrive() {
    let strip = |mut event: Value| {
        // Frames count what is there.
        for key in ["frame", "answers"] {
            event[key] = Value::Null;
        }
        event
    };
    let is_data = |event: &Value| !["command", "event"].contains(&event["layer"].as_str().unwrap());
    let binary = session(BINARY).into_iter().filter(|event| !is_data(event)).map(strip);
    let read = session(&text("hcitool")).into_iter().map(strip);
    assert_eq!(read.collect::<Vec<_>>(), binary.collect::<Vec<_>>());
}

/// Equal but for numbers that differ by what milliseconds round away.
fn alike(one: &Value, other: &Value, tolerance: f64) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= if a.fract() == 0.0 && b.fract() == 0.0 { 1.0 } else { tolerance }
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b, tolerance))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| {
                    let exact = ["status", "frame", "last_frame", "handle", "reason", "count"];
                    let tolerance = if exact.contains(&key.as_str()) { 0.0 } else { tolerance };
                    b.get(key).is_some_and(|b| match tolerance {
                        0.0 => a == b,
                        _ => alike(a, b, tolerance),
                    })
                })
        }
        _ => one == other,
    }
}

fn report(name: &str) -> Value {
    let path = fixture(name);
    let (_, out, err) = piped(&["--format", "json", path.to_str().expect("UTF-8")], b"");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{name}: {error}: {err}"))
}

#[test]
fn connections_and_findings_are_those_of_the_binary_capture() {
    let binary = report(BINARY);
    assert_eq!(binary["captures"][0]["connections"].as_array().map(Vec::len), Some(3));
    for (form, format) in
        [("hcidump-tR", "hcidump-text"), ("noble-date", "hex-text"), ("btstack", "hex-text")]
    {
        let read = report(&text(form));
        assert_eq!(read["captures"][0]["format"], format, "{form}");
        let connections = |report: &Value| report["captures"][0]["connections"].clone();
        assert!(alike(&connections(&read), &connections(&binary), 2.0), "{form}");
        let rules = |report: &Value| {
            let findings = report["findings"].as_array().cloned().unwrap_or_default();
            findings.iter().map(|finding| finding["rule"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(rules(&read), rules(&binary), "{form}");
        assert!(!rules(&read).is_empty());
    }
}

/// Pauses of seconds are printed without their milliseconds: said once, and all else is exact.
#[test]
fn rounded_pauses_are_said() {
    let read = report(&text("noble"));
    let warnings = read["captures"][0]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["code"], "times-rounded");
    let binary = report(BINARY);
    let first = |report: &Value| report["captures"][0]["connections"][0].clone();
    assert!(alike(&first(&read), &first(&binary), 2.0));
}

/// Without times there are no times: nothing is made up.
#[test]
fn text_without_times_has_none() {
    let path = fixture(&text("hcidump-R"));
    for event in events(&[path.to_str().expect("UTF-8")], b"") {
        for key in ["time", "local_time", "offset_s"] {
            assert_eq!(event[key], Value::Null);
        }
    }
}

/// What pasting does to text: each way of it must leave all packets.
#[test]
fn pastes_lose_nothing() {
    let plain = std::fs::read_to_string(fixture(&text("hcidump-tR"))).unwrap();
    let binary = session(BINARY);
    let map = |change: &dyn Fn(&str) -> String| plain.lines().map(change).collect::<String>();
    let escaped = plain.replace('<', "&lt;").replace('>', "&gt;");
    let pastes = [
        ("CRLF", plain.replace('\n', "\r\n")),
        ("HTML", escaped),
        ("quoted", map(&|line| format!("> {line}\n"))),
        ("quoted twice", map(&|line| format!("> > {line}\n"))),
        ("indented", map(&|line| format!("    {line}\n"))),
        ("coloured", map(&|line| format!("\x1b[0;35m{line}\x1b[0m\n"))),
        ("zeroes", map(&|line| format!("{line}\0\n"))),
        ("prose", format!("Hello, it fails: > see\n\n```\n{plain}```\nThanks! < me\n")),
        ("two marks", format!("\u{feff}{plain}")),
    ];
    for (how, paste) in pastes {
        let read: Vec<_> = events(&["-"], paste.as_bytes()).into_iter().map(timeless).collect();
        assert_eq!(read.len(), binary.len(), "{how}");
        assert!(read == binary, "{how}");
    }
}

#[test]
fn two_pastes_are_read_one_after_the_other() {
    let plain = std::fs::read_to_string(fixture(&text("hcidump-tR"))).unwrap();
    let both = format!("First try:\n{plain}\nSecond try:\n{plain}");
    let read = events(&["-"], both.as_bytes());
    assert_eq!(read.len(), 302);
    assert_eq!((&read[301]["frame"], &read[301]["text"]), (&Value::from(302), &read[150]["text"]));
}

#[test]
fn wrapped_and_prefixed_lines_are_read() {
    let wrapped = "[00:00:00.001] CMD => 0D 20 19 60 00 60 00 00 01 01 00 AA 7C\n12 F0 00 0C 00 18 00 00 00 48 00 00 00 00 00\n[00:00:00.003] EVT <= 0F 04 00 01\n0D 20\n";
    let read = events(&["-"], wrapped.as_bytes());
    assert_eq!(read.len(), 2);
    assert!(read.iter().all(|event| event["cut"] == false && event["problem"] == Value::Null));
    assert_eq!(read[0]["fields"]["peer_address"], "F0:12:7C:AA:00:01");
    let journal = "Nov 21 10:00:00 pi node[12]: noble:hci reset - writing: 01030c00 +0ms\nNov 21 10:00:00 pi node[12]: noble:hci onSocketData: 040e0401030c00 +3ms\n";
    let read = events(&["-"], journal.as_bytes());
    assert_eq!(read.len(), 2);
    assert_eq!(read[1]["offset_s"].as_f64(), Some(0.003));
}

/// PowerShell's `>` writes UTF-16.
#[test]
fn text_of_powershell_is_read() {
    let plain = "[00:00:00.001] CMD => 03 0C 00\r\n[00:00:00.003] EVT <= 0E 04 01 03 0C 00\r\n";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(plain.encode_utf16().flat_map(u16::to_le_bytes));
    let read = events(&["-"], &wide);
    assert_eq!(read, events(&["-"], plain.as_bytes()));
    assert_eq!(read.len(), 2);
}

/// A paste that stops in the middle of a packet: the packet is there, and said to be cut.
#[test]
fn a_cut_end_is_a_cut_packet() {
    let cut = "< 01 16 20 02 40 00\n> 04 3E 13 01 00 40 00 00 01 01 EE F";
    let read = events(&["-"], cut.as_bytes());
    assert_eq!(read.len(), 2);
    assert_eq!((&read[0]["cut"], &read[1]["cut"]), (&Value::from(false), &Value::from(true)));
    assert_eq!(read[1]["problem"], "cut");
}

#[test]
fn lines_that_nobody_understands_are_counted_and_quoted() {
    let text = "[00:00:00.001] CMD => 03 0C 00\n[00:00:00.002] EVT <= zz\n[00:00:00.003] EVT <= 0E 04 01 03 0C 00\n[00:00:00.003] ACL <=\n";
    let (code, out, err) = piped(&["events", "-"], text.as_bytes());
    assert_eq!((code, out.lines().filter(|line| line.contains("Reset")).count()), (0, 2), "{out}");
    assert!(err.contains("2 lines of the text were not understood (line 2:"), "{err}");
}

/// Other text is no capture, and what it is is said.
#[test]
fn prose_is_refused() {
    for text in [
        "Dear all,\n> it disconnects after 10 s\n< any idea?\nThe handle is 04 0E.\n",
        "hci is a layer\nhci writing: nothing\n",
        "Log:\n[12:00:00.000] CMD => what?\n",
    ] {
        let (code, _, err) = piped(&["-"], text.as_bytes());
        assert_eq!(code, 2, "{text}");
        assert!(err.contains("it looks like plain text"), "{err}");
    }
}

/// What a L2CAP answer must wait for is no HCI error.
#[test]
fn a_pending_channel_says_what_it_waits_for() {
    let text = "> 02 01 20 10 00 0C 00 01 00 03 01 08 00 40 00 41 00 01 00 02 00\n";
    let read = events(&["-"], text.as_bytes());
    let said = read[0]["text"].as_str().unwrap();
    assert!(said.ends_with("result 1, authorization pending"), "{said}");
}

/// Logs of small hosts, which print their packets too.
#[test]
fn logs_of_small_hosts_are_captures() {
    let arduino = "HCI COMMAND TX -> 01030C00\nHCI EVENT RX <- 040E0401030C00\n\
        HCI ACLDATA TX -> 024000070003000400020002\nHCI ACLDATA RX <- 024020070003000400031700\n\
        HCI EVENT RX <- 040504\n12:00:00.250 -> HCI EVENT RX <- 04050400400013\nHCI EVENT RX <- nothing\n";
    let read = events(&["-"], arduino.as_bytes());
    let names: Vec<_> = read.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert_eq!((names[0], names[5]), ("Reset", "Disconnection Complete"));
    assert_eq!((&read[2]["dir"], &read[3]["dir"]), (&"sent".into(), &"received".into()));
    assert_eq!((&read[4]["cut"], &read[5]["cut"]), (&true.into(), &false.into()));

    let esp = "I (300) main: starting\nD (1183) NimBLE: ble_hs_hci_cmd_send: ogf=0x03 ocf=0x0003 len=0\n\
        D (1184) NimBLE: 0x03 \nD (1184) NimBLE: 0x0c \nD (1184) NimBLE: 0x00 \nD (1184) NimBLE: \n\
        D (1190) NimBLE: ble_hs_hci_cmd_send: ogf=0x08 ocf=0x000c len=2\n\
        D (1190) NimBLE: 0x0c \nD (1190) NimBLE: 0x20 \nD (1190) NimBLE: 0x02 \nD (1191) NimBLE: 0x01 \nD (1191) NimBLE: 0x00 \n\
        D (1500) NimBLE: ble_hs_hci_evt_acl_process(): conn_handle=1 pb=2 len=7 data=0x03 0x00 0x04 0x00 0x03 0x17 0x00\n\
        D (1600) NimBLE: ble_hs_hci_acl_tx(): 0x01 0x00 0x07 0x00 0x03 0x00 0x04 0x00 0x02 0x00 0x02\n";
    let read = events(&["-"], esp.as_bytes());
    let names: Vec<_> = read.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(read.iter().all(|event| event["cut"] == false), "{read:?}");
    assert_eq!(read[1]["name"], "LE Set Scan Enable");
    assert_eq!((&read[2]["handle"], read[3]["offset_s"].as_f64()), (&1.into(), Some(0.417)));
}

/// Text about packets that has none: the refusal says what to do instead.
#[test]
fn lists_and_logs_without_packets_are_refused_with_advice() {
    for (text, advice) in [
        (
            "No.     Time           Source                Destination           Protocol Length Info\n\
                  1 0.000000       host                  controller            HCI_CMD  4      Sent Reset\n",
            "Export Specified Packets",
        ),
        ("1\t0.000000\thost\tcontroller\tHCI_CMD\t4\tSent Reset\n", "Export Specified Packets"),
    ] {
        let (code, _, err) = piped(&["-"], text.as_bytes());
        assert_eq!(code, 2, "{text}");
        assert!(err.contains(advice), "{err}");
    }
}

/// A host's log without packets stands as a side of its own, and says what it proves.
#[test]
fn a_log_without_packets_is_told_as_a_log() {
    let log = "W (5213) BT_HCI: hcif disc complete: hdl 0x0, rsn 0x3e\nI (5220) GATTC: disconnected, rsn=0x3e\n";
    let (code, out, err) = piped(&["-"], log.as_bytes());
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("0x3e"), "{out}");
}

/// bleno's lines of old terminals: the packet's type stands behind its bytes.
#[test]
fn what_follows_the_bytes_of_a_packet_is_passed() {
    let text = "  hci onSocketData: 040e0401030c00  event type = 4 +22ms\n  hci onSocketData: 04050400400013  event type = 4 +3ms\n  hci onSocketData: 0405 04 +1ms\n";
    let (_, out, err) = piped(&["events", "--format", "jsonl", "-"], text.as_bytes());
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(err.contains("1 line of the text was not understood (line 3:"), "{err}");
}

/// With a USB adapter most packets are printed twice; one that the transport alone has counts too.
#[test]
fn a_packet_of_the_usb_transport_alone_is_one() {
    let text = "  hci-usb HCI event: 0e0401030c00 +0ms\n  hci onSocketData: 040e0401030c00 +0ms\n\
          hci disconnect - writing: 01060403480013 +1ms\n  hci-usb write: 01060403480013 +0ms\n\
          hci-usb HCI event: 05040048003e +7ms\n  hci \tevent type = 4 +0ms\n\
          hci-usb HCI event: 0e0a01091000 +1ms\n  hci-usb HCI event: 010203040506 +0ms\n";
    let read = events(&["-"], text.as_bytes());
    let names: Vec<_> = read.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["Command Complete", "Disconnect", "Disconnection Complete", "Command Complete"]
    );
    assert_eq!(read[2]["fields"]["reason"], 0x3e);
    assert!(read.iter().all(|event| event["cut"] == false), "{read:?}");
}

/// Version 2 of `debug` has one clock for all namespaces, later ones have one for each: the times are the same.
#[test]
fn lines_of_one_clock_and_of_several_have_the_same_times() {
    let moments = |clocks: bool| {
        let (mut text, mut last, mut last_gap) = (String::new(), 0, 0);
        for n in 0..20 {
            let (gap, hci) = (100 * n + 40, 100 * n + 100);
            let (since, since_gap) = if clocks { (last, last_gap) } else { (gap, last) };
            text += &format!("  gap a line +{}ms\n", gap - since_gap);
            text += &format!("  hci onSocketData: 040e0401030c00 +{}ms\n", hci - since);
            (last, last_gap) = (hci, gap);
        }
        let read = events(&["-"], text.as_bytes());
        let at = |event: &Value| (event["offset_s"].as_f64().unwrap() * 1000.0).round() as i64;
        read.iter().map(|event| at(event) - at(&read[0])).collect::<Vec<_>>()
    };
    let expected: Vec<i64> = (0..20).map(|n| 100 * n).collect();
    assert_eq!(moments(false), expected, "one clock");
    assert_eq!(moments(true), expected, "several clocks");
}
