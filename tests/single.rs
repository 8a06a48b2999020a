//! What `hcidiff CAPTURE` shows for captures of many kinds, at 80 and at 160 columns.
//!
//! The snapshots were read before they were accepted; the facts below were checked against tshark
//! (`bthci_evt.le_meta_subevent in {1,0xa}`, `bthci_evt.code == 5`, `btatt.opcode == 2`).
#![cfg(feature = "cli")]
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use std::path::Path;
use std::process::Command;

/// Capture, and lines (or parts of lines) that must stand in its report.
const CAPTURES: &[(&str, &[&str])] = &[
    ("A/01-good-basic.pklg", &["0x16, sent 0x13", "packetlogger"]),
    ("A/10-hid-good.btsnoop", &["peripheral"]),
    ("A/14-limit-and-disallowed.btsnoop", &["0x09", "0x0c"]),
    ("A/15-two-devices.btsnoop", &["F0:12:7C:AA:00:02", "0x08"]),
    ("A/16-ext-rpa-resolved.btsnoop", &["0x16"]),
    ("A2/20b-apple-bonded.pklg", &["central"]),
    ("A2/25-accept-list-stall.btsnoop", &["background-connect-accept-list-stall"]),
    ("A2/42-two-adapters.btsnoop", &["hci0", "hci1"]),
    ("A2/54-bredr.btsnoop", &["bredr-instead-of-le"]),
    ("A2/55-no-phy.btsnoop", &["create-with-no-phy", "frame 32", "frame 33"]),
    ("A2/60-queued.btsnoop", &["never-heard-peer"]),
    ("B-bluez5.66/b01-late-start.btsnoop", &["BlueZ"]),
    ("B-bluez5.82/b16-extended.btsnoop", &["BlueZ 5.82"]),
    ("B-bluez5.66/b17-hardware-error.btsnoop", &["controller-hardware-error"]),
];

fn report(name: &str, columns: &str) -> (Option<i32>, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab").join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .env("COLUMNS", columns)
        .arg("--full")
        .arg(path)
        .output()
        .expect("the program runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn reports_of_single_captures() {
    needs!("fixtures/lab/EXPECTED.tsv");
    for (name, wanted) in CAPTURES {
        let plain = name.replace(['/', '.'], "-");
        for columns in ["80", "160"] {
            let (code, text) = report(name, columns);
            assert!(matches!(code, Some(0 | 1)), "{name}: {code:?}");
            for line in text.lines() {
                let width = unicode_width::UnicodeWidthStr::width(line);
                assert!(width <= columns.parse().expect("a number"), "{name}: {line}");
            }
            for part in *wanted {
                let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(flat.contains(part), "{name} at {columns}: no `{part}`\n{text}");
            }
            insta::assert_snapshot!(format!("{plain}-{columns}"), text);
        }
    }
}

#[test]
fn a_number_or_a_device_that_is_not_there_lists_those_that_are() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/A/15-two-devices.btsnoop");
    for option in [["--peer", "AA:BB:CC:DD:EE:FF"], ["--subject-connection", "99"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
            .arg(&path)
            .args(option)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option:?}: {said}");
        assert!(said.contains("F0:12:7C:AA:00:01"), "{option:?}: {said}");
    }
}
