//! Captures of the air: what is decoded is what tshark decodes, frame by frame.
//!
//! The captures are other people's, so they are not in this repository; where they are not at hand, or tshark is not
//! installed, the tests say so and skip.
#![cfg(feature = "cli")]
mod common;

use common::events;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of captures whose link types tshark decodes.
const FOLDERS: [&str; 4] = [
    "../shared/captures/pcap_le_phdr_256",
    "../shared/captures/pcap_nordic_272",
    "../shared/captures-second/pcap_le_phdr_256",
    "../shared/captures-second/pcap_nordic_272",
];

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// tshark's fields: the first occurrence of each.
const FIELDS: [&str; 10] = [
    "btle.access_address",
    "btle.advertising_header.pdu_type",
    "btle.control_opcode",
    "btatt.opcode",
    "btle.link_layer_data.interval",
    "btle.link_layer_data.latency",
    "btle.link_layer_data.timeout",
    "btle.link_layer_data.window_offset",
    "btle.link_layer_data.window_size",
    "btle.link_layer_data.access_address",
];

type Row = [Option<u64>; 10];

fn number(text: &str) -> Option<u64> {
    let text = text.split(',').next()?;
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// What tshark makes of each frame; `None` where there is no tshark.
fn by_tshark(path: &Path) -> Option<Vec<Row>> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-r"]).arg(path);
    for field in FIELDS {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().ok()?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |line: &str| {
        let mut row = Row::default();
        row.iter_mut().zip(line.split('\t')).for_each(|(to, text)| *to = number(text));
        row
    };
    Some(lines.lines().map(row).collect())
}

/// The same of one event.
fn by_us(event: &Value) -> Row {
    let fields = &event["fields"];
    let code = |layer: &str| (event["layer"] == layer).then(|| event["code"].as_u64()).flatten();
    let request = |field: &str| {
        ["CONNECT_IND", "AUX_CONNECT_REQ"]
            .iter()
            .any(|name| event["name"] == *name)
            .then(|| fields[field].as_u64())
            .flatten()
    };
    [
        event["air"]["access_address"].as_str().and_then(number),
        code("advertising"),
        code("link"),
        code("att"),
        request("interval"),
        request("latency"),
        request("timeout"),
        request("win_offset"),
        request("win_size"),
        request("access_address"),
    ]
}

/// Why the two may differ in a frame.
fn reason(event: &Value, tshark: &Row, ours: &Row) -> Option<&'static str> {
    let air = &event["air"];
    let same = |fields: &[usize]| fields.iter().all(|at| tshark[*at] == ours[*at]);
    let all_but_control = same(&[0, 1, 3, 4, 5, 6, 7, 8, 9]);
    if air["encrypted"] == true && all_but_control && ours[2].is_none() {
        return Some("encrypted: tshark takes the first byte for an opcode");
    }
    if air["crc_ok"] == false && event["problem"] == "malformed" {
        return Some("the check sequence does not fit: lengths and fields are not relied on");
    }
    if event["layer"] == "opaque" && air.is_null() {
        return Some("no frame in it");
    }
    if event["layer"] == "opaque" && event["problem"] == "malformed" {
        return Some("a PDU that the specification does not know: tshark reads on behind its end");
    }
    None
}

#[test]
fn every_frame_is_what_tshark_says() {
    let (mut read, mut frames, mut requests) = (0, 0, 0);
    let mut why: BTreeMap<&str, usize> = BTreeMap::new();
    for path in FOLDERS.iter().flat_map(|folder| files(folder)) {
        let Some(theirs) = by_tshark(&path) else {
            eprintln!("no tshark here: skipped");
            return;
        };
        let ours = events(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (event, tshark) in ours.iter().zip(&theirs) {
            let row = by_us(event);
            requests += usize::from(row[4].is_some());
            if row != *tshark {
                let Some(reason) = reason(event, tshark, &row) else {
                    panic!("{name}: {event}\n{FIELDS:?}\ntshark {tshark:?}\nours   {row:?}");
                };
                *why.entry(reason).or_default() += 1;
            }
        }
        read += 1;
        frames += ours.len();
    }
    if read == 0 {
        eprintln!("no real captures here: skipped");
        return;
    }
    eprintln!(
        "{read} captures, {frames} frames, {requests} connect requests; differences: {why:#?}"
    );
    assert!(read >= 36, "{read}");
    let differ: usize = why.values().sum();
    assert!(differ * 1000 < frames, "{differ} of {frames}");
}

/// A reader of its own for PPI, which tshark does not decode: access address and first header byte of each frame.
fn by_hand(file: &[u8]) -> Vec<(u32, u8)> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut frames) = (24, Vec::new());
    while at + 16 <= file.len() {
        let length = word(at + 8) as usize;
        let frame = &file[at + 16..at + 16 + length];
        let skip = usize::from(u16::from_le_bytes([frame[2], frame[3]]));
        let address = u32::from_le_bytes(frame[skip..skip + 4].try_into().unwrap());
        frames.push((address, frame[skip + 4]));
        at += 16 + length;
    }
    frames
}

#[test]
fn ppi_is_what_a_second_reader_says() {
    let folders = ["../shared/captures/pcap_ppi_192", "../shared/captures-second/pcap_ppi_192"];
    let paths: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
    if paths.is_empty() {
        eprintln!("no real captures here: skipped");
        return;
    }
    assert_eq!(paths.len(), 3);
    for path in paths {
        let frames = by_hand(&std::fs::read(&path).unwrap());
        let events = events(&path);
        assert_eq!(events.len(), frames.len());
        for (event, (address, first)) in events.iter().zip(frames) {
            let air = &event["air"];
            assert_eq!(air["access_address"].as_str().and_then(number), Some(address.into()));
            if address == 0x8e89_bed6 {
                assert_eq!(event["code"], first & 0x0f, "{event}");
            } else if air["encrypted"] == false && event["layer"] != "opaque" {
                assert_eq!(air["llid"], first & 3, "{event}");
                assert_eq!(air["sn"], first & 8 != 0, "{event}");
            }
        }
    }
}

const REJECTED: &str =
    "pcap_nordic_272/lkml-bt_09befca432_Ras_dongle_Unsuccessful_connection.pcapng";
const REJECTED_HOST: &str = "btmon_text/lkml-bt_09befca432_btmon_nrf52840_fail.log";

fn report(arguments: &[&Path]) -> Value {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hcidiff"));
    program.args(["--format", "json"]);
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            program.arg("--witness");
        }
        program.arg(argument);
    }
    let output = program.output().expect("the program runs");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The frames that a finding cites of a source: of captures, or of witnesses.
fn cited(finding: &Value, key: &str) -> Vec<u64> {
    let evidence = finding["evidence"].as_array().unwrap();
    evidence.iter().filter_map(|one| one[key].as_u64()).collect()
}

/// A peripheral whose host hangs up because the central does not know its feature exchange: told from the air alone, and
/// from the host's capture with the air beside it. Every cited frame is what tshark says it is.
#[test]
fn a_link_that_ends_after_a_refused_feature_exchange_is_told_from_both_views() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let (air, host) = (folder.join(REJECTED), folder.join(REJECTED_HOST));
    let Some(tshark) = by_tshark(&air).filter(|frames| !frames.is_empty()) else {
        eprintln!("no real captures here, or no tshark: skipped");
        return;
    };
    let control = |frame: u64| tshark[frame as usize - 1][2];
    let alone = report(&[&air]);
    let first = &alone["findings"][0];
    assert_eq!(first["rule"], "hangs-up-after-feature-reject", "{first}");
    assert_eq!(first["connections"], serde_json::json!([1, 2]));
    // LL_PERIPHERAL_FEATURE_REQ, LL_UNKNOWN_RSP, LL_TERMINATE_IND, of the one link or the other.
    let opcodes: Vec<_> = cited(first, "frame").into_iter().take(3).map(control).collect();
    assert_eq!(opcodes, [Some(0x0e), Some(0x07), Some(0x02)]);
    let connections = alone["captures"][0]["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 2);
    for (connection, [up, end]) in connections.iter().zip([[24, 37], [62, 75]]) {
        assert_eq!(connection["connected_frame"], up);
        assert_eq!(connection["disconnect_frame"], end);
        assert_eq!(
            (&connection["reason"], &connection["ended_by"]),
            (&0x13.into(), &"peer".into())
        );
        assert_eq!(connection["interval_ms"], 30.0);
        assert_eq!(tshark[up - 1][4], Some(24), "30 ms in tshark's connect request");
        assert_eq!(control(end as u64), Some(0x02));
    }
    // The host's view: its own capture says who hung up, the air says what it was about.
    let both = report(&[&host, &air]);
    let witness = &both["captures"][0]["witnesses"][0];
    assert_eq!((&witness["kind"], &witness["aligned"]), (&"air".into(), &true.into()), "{witness}");
    let rules: Vec<_> = both["findings"].as_array().unwrap().iter().map(|f| &f["rule"]).collect();
    assert!(rules.iter().any(|rule| **rule == "local-drop-after-feature-reject"), "{rules:?}");
    let of_air = both["findings"].as_array().unwrap().iter();
    let of_air = of_air.filter(|finding| finding["rule"] == "hangs-up-after-feature-reject");
    for finding in of_air {
        let opcodes: Vec<_> = cited(finding, "line").into_iter().take(3).map(control).collect();
        assert_eq!(opcodes, [Some(0x0e), Some(0x07), Some(0x02)]);
    }
}
