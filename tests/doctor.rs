//! `hcidiff doctor`, as its user sees it.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, hcidiff, piped};

fn said(arguments: &[&str]) -> (i32, String) {
    let output = hcidiff(&[], arguments);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn a_capture_that_lacks_nothing_is_fit_and_its_host_is_known() {
    let file = fixture("flagship/pi-kicked.btsnoop");
    let (status, text) = said(&["doctor", &file.to_string_lossy()]);
    assert_eq!(status, 0, "{text}");
    assert!(text.starts_with("pi-kicked.btsnoop: nothing speaks against a diagnosis."), "{text}");
    assert!(text.contains("RECORD on Linux with BlueZ") && text.contains("btmon -w"), "{text}");
}

#[test]
fn what_a_capture_lacks_is_told_with_a_caution_and_a_cure() {
    // Data packets alone, as an export with a display filter leaves them.
    let whole = std::fs::read(fixture("lab/A/02-bad-kick.btsnoop")).expect("a fixture");
    let (mut at, mut data) = (16, whole[..16].to_vec());
    while at + 24 <= whole.len() {
        let length = u32::from_be_bytes(whole[at + 4..at + 8].try_into().expect("four")) as usize;
        let record = &whole[at..at + 24 + length];
        // Behind the header stands the packet's type: 2 is ACL data.
        if record[24] == 2 {
            data.extend(record);
        }
        at += record.len();
    }
    let (status, text, _) = piped(&["doctor", "-"], &data);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("without one HCI command or event"), "{text}");
    assert!(text.contains("do not conclude how a link began, who ended it, or when"), "{text}");
    assert!(text.contains("Export Specified Packets"), "{text}");
    assert!(text.contains("Nothing in it shows which host made it."), "{text}");
}

#[test]
fn every_host_can_be_asked_for_and_another_word_names_them() {
    for host in hcidiff::recording::HOSTS {
        let (status, text) = said(&["doctor", "--on", host.id]);
        assert_eq!(status, 0);
        assert!(text.starts_with(&format!("RECORD on {}\n", host.name)), "{text}");
    }
    let (status, text) = said(&["doctor"]);
    assert!(status == 0 && text.contains("HOSTS"), "{text}");
    let output = hcidiff(&[], &["doctor", "--on", "toaster"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("zephyr"));
    let (status, _, error) = piped(&["doctor", "-"], b"no capture");
    assert!(status == 2 && !error.is_empty(), "{error}");
}
