//! Host logs beside captures: what was recorded in the laboratory, line by line.
//!
//! `fixtures/witness` holds a selection of one recording session: captures, and what bluetoothd, journald, the D-Bus,
//! bleak and others wrote at the same time, on the same clock. `key-lines.tsv` has the truth of each line that matters.
use hcidiff::witness::{self, Kind, Log, LogClock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/witness")
}

fn read(file: &str) -> Log {
    let path = folder().join(file);
    let log =
        witness::read(&path.into(), &Default::default()).unwrap_or_else(|e| panic!("{file}: {e}"));
    log.unwrap_or_else(|| panic!("{file}: no log"))
}

/// One row of `key-lines.tsv`.
struct KeyLine {
    file: String,
    line: u32,
    class: String,
    relation: String,
}

fn key_lines() -> Vec<KeyLine> {
    let table = std::fs::read_to_string(folder().join("key-lines.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| {
        let cells: Vec<_> = row.split('\t').collect();
        KeyLine {
            file: cells[0].into(),
            line: cells[1].parse().unwrap(),
            class: cells[2].into(),
            relation: cells[3].into(),
        }
    })
    .collect()
}

#[test]
fn every_line_that_matters_is_understood() {
    let mut by_file: BTreeMap<String, Vec<KeyLine>> = BTreeMap::new();
    for key in key_lines() {
        by_file.entry(key.file.clone()).or_default().push(key);
    }
    let (mut all, mut missed) = (0, Vec::new());
    for (file, keys) in by_file {
        let claimed: BTreeSet<u32> = read(&file).claims.iter().map(|claim| claim.line).collect();
        for key in keys.iter().filter(|key| key.relation != "context") {
            all += 1;
            if !claimed.contains(&key.line) {
                missed.push(format!("{file}:{} {}", key.line, key.class));
            }
        }
    }
    assert!(all > 2_000, "{all}");
    assert!(missed.len() * 200 <= all, "{} of {all}: {missed:#?}", missed.len());
}

#[test]
fn kinds_and_clocks_are_known_by_content() {
    let of = |file: &str| {
        let log = read(&format!("{file}"));
        (log.kind, log.clock, log.resolution_us)
    };
    let b04 = |ending: &str| {
        of(&format!(
            "b04-failed-establish-3e/{}b04-failed-establish-3e.{ending}",
            if ending.contains(".md") { "derived/" } else { "" }
        ))
    };
    for (ending, expected) in [
        ("home-assistant.log", (Kind::HomeAssistant, LogClock::Local, 1_000)),
        ("bleak-env.log", (Kind::Bleak, LogClock::Local, 1_000)),
        ("bleak-notime.log", (Kind::Bleak, LogClock::None, 0)),
        ("journal-precise.txt", (Kind::Journal, LogClock::Local, 1)),
        ("journal.txt", (Kind::Journal, LogClock::Local, 1_000_000)),
        ("journal-iso-precise.txt", (Kind::Journal, LogClock::Utc, 1)),
        ("bluetoothd.txt", (Kind::Bluetoothd, LogClock::None, 0)),
        ("dbus.pcap", (Kind::DBus, LogClock::Utc, 1)),
        ("busctl.pcapng", (Kind::DBus, LogClock::Utc, 1)),
        ("dbus-monitor.txt", (Kind::DBus, LogClock::Utc, 1)),
        ("home-assistant.issue.md", (Kind::HomeAssistant, LogClock::Local, 1_000)),
        ("home-assistant.issue-html-quoted.md", (Kind::HomeAssistant, LogClock::Local, 1_000)),
    ] {
        assert_eq!(b04(ending), expected, "{ending}");
    }
    for (file, kind) in [
        ("w60-dyndbg-3e/w60-dyndbg-3e.kernel-journal.txt", Kind::Kernel),
        ("w53-ctl-pair-refused/w53-ctl-pair-refused.bluetoothctl.txt", Kind::Bluetoothctl),
        ("s-02-bad-kick/s-02-bad-kick.esphome.log", Kind::Esphome),
        ("s-02-bad-kick/s-02-bad-kick.esp-idf.log", Kind::EspIdf),
        ("s-02-bad-kick/s-02-bad-kick.nimble.log", Kind::NimBle),
        ("s-02-bad-kick/s-02-bad-kick.logcat.txt", Kind::Logcat),
    ] {
        assert_eq!(of(file).0, kind, "{file}");
    }
}

#[test]
fn the_bus_tells_the_same_in_all_its_captures() {
    let told = |ending: &str| {
        let log = read(&format!("b04-failed-establish-3e/b04-failed-establish-3e.{ending}"));
        log.claims.iter().map(|claim| (claim.what, claim.device)).collect::<Vec<_>>()
    };
    let pcap = told("dbus.pcap");
    assert!(pcap.len() > 20, "{}", pcap.len());
    // The text printer began a moment later than the binary one, so it lacks the first messages.
    let text = told("dbus-monitor.txt");
    assert!(pcap.ends_with(&text[text.len() - 20..]));
}

#[test]
fn what_is_no_log_is_none() {
    for bytes in
        [&b""[..], b"hello\nworld\n", &[0, 1, 2, 3, 255], b"btsnoop\0\0\0\0\x01\0\0\x07\xd1"]
    {
        let input = hcidiff::capture::Input::bytes("x", bytes);
        assert!(witness::read(&input, &Default::default()).unwrap().is_none());
    }
    let capture = folder().join("b02-kick/b02-kick.btsnoop");
    assert!(witness::read(&capture.into(), &Default::default()).unwrap().is_none());
}
