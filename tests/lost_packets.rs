//! A logger that says it lost packets: nothing is said to be missing, and no verdict is sure.
#![cfg(feature = "cli")]
use serde_json::Value;
use std::fs;
use std::path::Path;

mod common;

/// The flagship's failing side, whose logger lost packets from its second record on.
fn with_losses(folder: &Path) -> std::path::PathBuf {
    let mut bytes = fs::read(common::fixture("flagship/pi-kicked.btsnoop")).unwrap();
    // A header of 16 bytes; then records: original length, included length, flags, cumulative drops, time.
    let mut at = 16;
    let mut number = 0;
    while at + 24 <= bytes.len() {
        number += 1;
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let included = word(at + 4) as usize;
        if number > 1 {
            bytes[at + 12..at + 16].copy_from_slice(&5_000u32.to_be_bytes());
        }
        at += 24 + included;
    }
    assert!(number > 10);
    let file = folder.join("pi-kicked.btsnoop");
    fs::write(&file, bytes).unwrap();
    file
}

fn compared(subject: &Path) -> Value {
    let files = [common::fixture("flagship/mac.pklg"), subject.to_owned()];
    serde_json::from_str(&common::report(&files, &["--format", "json"])).unwrap()
}

fn fates(report: &Value) -> Vec<&str> {
    let missing = report["comparison"]["missing_early"].as_array().unwrap();
    missing.iter().map(|operation| operation["subject"].as_str().unwrap()).collect()
}

#[test]
fn what_a_logger_lost_may_have_happened() {
    let whole = compared(&common::fixture("flagship/pi-kicked.btsnoop"));
    assert!(fates(&whole).contains(&"never"), "{:?}", fates(&whole));
    assert_eq!(whole["findings"][0]["confidence"], "high");
    assert_eq!(whole["captures"][1]["fitness"].as_array().unwrap().len(), 0);

    let folder = tempfile::tempdir().unwrap();
    let lossy = compared(&with_losses(folder.path()));
    assert!(!fates(&lossy).is_empty());
    for fate in fates(&lossy) {
        assert!(["cannot-tell", "later"].contains(&fate), "{:?}", fates(&lossy));
    }
    let finding = &lossy["findings"][0];
    assert_eq!(finding["rule"], whole["findings"][0]["rule"]);
    assert_eq!(finding["confidence"], "medium", "{finding}");
    let fitness = lossy["captures"][1]["fitness"].as_array().unwrap();
    assert!(fitness.iter().any(|line| line["code"] == "dropped-packets"), "{fitness:?}");
}
