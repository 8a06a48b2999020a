//! Whoever pastes a report does not tell the world who lives where.
#![cfg(feature = "cli")]
mod common;

use common::fixture;
use hcidiff::packet::Address;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The device, its name, and the adapter of the laboratory captures.
const DEVICE: [u8; 6] = [0x01, 0x00, 0xaa, 0x7c, 0x12, 0xf0];
const NAME: &[u8] = b"LabSensor";
const ADAPTER: [u8; 6] = [0x56, 0x34, 0x12, 0xeb, 0x27, 0xb8];

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) -> usize {
    assert_eq!(old.len(), new.len());
    let mut count = 0;
    let mut at = 0;
    while at + old.len() <= bytes.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
            count += 1;
        }
        at += 1;
    }
    count
}

/// Every way in which a text may spell an address.
fn spellings(address: [u8; 6]) -> Vec<String> {
    let mut forward = address;
    forward.reverse();
    let mut all = Vec::new();
    for bytes in [forward, address] {
        for separator in [":", "-", "_", "", " ", "."] {
            let upper: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            let upper = upper.join(separator);
            all.push(upper.to_lowercase());
            all.push(upper);
        }
    }
    all
}

/// A btsnoop monitor record with a line of a daemon's log, as the kernel writes it.
fn log_line(text: &str) -> Vec<u8> {
    let mut payload = vec![6, 11];
    payload.extend(b"bluetoothd\0");
    payload.extend(text.as_bytes());
    payload.push(0);
    note(0x000d, &payload)
}

/// A monitor record of adapter 0xffff.
fn note(opcode: u16, payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    let length = (payload.len() as u32).to_be_bytes();
    record.extend(length);
    record.extend(length);
    record.extend((0xffff_0000 | u32::from(opcode)).to_be_bytes());
    record.extend([0; 4]);
    record.extend(0x00e3_4a1b_0000_0000_u64.to_be_bytes());
    record.extend(payload);
    record
}

/// The laboratory pair as it would be with this device, name and adapter, which daemons speak of,
/// and after which the files are called.
fn plant(folder: &Path, device: [u8; 6], name: &str, adapter: [u8; 6]) -> [PathBuf; 2] {
    let spelled = spellings(device);
    let mut files = Vec::new();
    for (source, ending) in [("mac.pklg", "pklg"), ("pi-kicked.btsnoop", "btsnoop")] {
        let mut bytes = std::fs::read(fixture("flagship").join(source)).unwrap();
        assert!(replace(&mut bytes, &DEVICE, &device) > 1, "{source}");
        replace(&mut bytes, NAME, name.as_bytes());
        replace(&mut bytes, &ADAPTER, &adapter);
        if ending == "btsnoop" {
            // Before everything else, so that they stand in a capture that is not damaged.
            let mut with_notes = bytes[..16].to_vec();
            with_notes.extend(note(
                0x000c,
                format!("Linux version 6.1 ({name}@{})\0", spelled[2]).as_bytes(),
            ));
            with_notes.extend(log_line(&format!(
                "src/device.c: /org/bluez/hci0/dev_{} of {name}",
                spelled[5]
            )));
            for spelling in &spelled {
                with_notes
                    .extend(log_line(&format!("Bluetooth daemon 5.66 {spelling} \"{name}\"")));
            }
            with_notes.extend(&bytes[16..]);
            bytes = with_notes;
        }
        let file = folder.join(format!("{name}-{}.{ending}", spelled[5].to_lowercase()));
        std::fs::write(&file, bytes).unwrap();
        files.push(file);
    }
    files.try_into().unwrap()
}

fn run(files: &[PathBuf; 2], arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(files)
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.code() == Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn assert_hidden(report: &str, secrets: &[String], what: &str) {
    let lower = report.to_lowercase();
    for secret in secrets {
        assert!(!lower.contains(&secret.to_lowercase()), "{what} shows {secret}:\n{report}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_planted_address_or_name_is_in_what_is_attached(
        device in any::<[u8; 6]>(),
        adapter in any::<[u8; 6]>(),
        name in "Q[a-z]{3}[ _'-]?[0-9a-zA-Z]{4}|Zo[eë] [a-z]{4}",
    ) {
        let name: String = name.chars().chain("xxxxxxxxx".chars()).collect();
        let cut = (0..=NAME.len()).rev().find(|&at| name.is_char_boundary(at)).unwrap();
        let name = format!("{}{}", &name[..cut], "x".repeat(NAME.len() - cut));
        let mut device = device;
        device[5] |= 0xc0;
        prop_assume!(device != adapter);
        let folder = tempfile::tempdir().unwrap();
        let files = plant(folder.path(), device, &name, adapter);
        let mut secrets = spellings(device);
        secrets.extend(spellings(adapter));
        secrets.push(name.clone());
        for arguments in [
            &["--format", "markdown"][..],
            &["--format", "markdown", "--full", "--strict"],
            &["--format", "html"],
            &["--format", "html", "--full", "--strict"],
            &["--aliases"],
            &["--aliases", "--full", "--strict"],
            &["--format", "json", "--aliases"],
            &["--format", "facts"],
        ] {
            assert_hidden(&run(&files, arguments), &secrets, &arguments.join(" "));
        }
        // And they are there where they are asked for: the test can fail.
        let open = run(&files, &["--format", "markdown", "--show-addresses"]);
        prop_assert!(open.contains(&Address(device).to_string()));
        let terminal = run(&files, &["--full"]);
        prop_assert!(terminal.contains(&name));
    }
}

#[test]
fn an_alias_is_the_same_in_both_captures_and_all_formats() {
    let files = [fixture("flagship/mac.pklg"), fixture("flagship/pi-kicked.btsnoop")];
    for arguments in
        [&["--format", "markdown"][..], &["--format", "html"], &["--format", "json", "--aliases"]]
    {
        let report = run(&files, arguments);
        assert!(report.contains("device-1"), "{arguments:?}");
        assert!(!report.contains("device-2"), "{arguments:?}");
        assert!(report.contains("adapter-1"), "{arguments:?}");
    }
}
