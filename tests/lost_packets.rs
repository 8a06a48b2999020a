//! A logger that says it lost packets: nothing is said to be missing, and no verdict is sure.
#![cfg(feature = "cli")]
use serde_json::Value;
use std::fs;
use std::path::Path;

mod common;

/// The flagship's failing side, whose logger lost packets before these records, so many each time.
fn with_losses(folder: &Path, before: impl Fn(usize) -> bool) -> std::path::PathBuf {
    let mut bytes = fs::read(common::fixture("flagship/pi-kicked.btsnoop")).unwrap();
    // A header of 16 bytes; then records: original length, included length, flags, cumulative drops, time.
    let (mut at, mut number, mut lost) = (16, 0, 0u32);
    while at + 24 <= bytes.len() {
        number += 1;
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let included = word(at + 4) as usize;
        lost += if before(number) { 100 } else { 0 };
        bytes[at + 12..at + 16].copy_from_slice(&lost.to_be_bytes());
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
    let lossy = compared(&with_losses(folder.path(), |number| number > 1));
    assert!(!fates(&lossy).is_empty());
    for fate in fates(&lossy) {
        assert!(["cannot-tell", "later"].contains(&fate), "{:?}", fates(&lossy));
    }
    // Which packet came last on each link is not known: that it was another one each time must not be said.
    for finding in lossy["findings"].as_array().unwrap() {
        assert_ne!(finding["rule"], whole["findings"][0]["rule"], "{finding}");
        assert_ne!(finding["confidence"], "high", "{finding}");
    }
    let fitness = lossy["captures"][1]["fitness"].as_array().unwrap();
    assert!(fitness.iter().any(|line| line["code"] == "dropped-packets"), "{fitness:?}");
}

/// What was lost before a link began was not the link's.
#[test]
fn what_a_logger_lost_before_the_links_hides_nothing_of_them() {
    let whole = compared(&common::fixture("flagship/pi-kicked.btsnoop"));
    let folder = tempfile::tempdir().unwrap();
    let lossy = compared(&with_losses(folder.path(), |number| number == 2));
    assert_eq!(fates(&lossy), fates(&whole));
    let finding = &lossy["findings"][0];
    assert_eq!(finding["rule"], whole["findings"][0]["rule"]);
    assert_eq!(finding["confidence"], "medium", "{finding}");
    let fitness = lossy["captures"][1]["fitness"].as_array().unwrap();
    assert!(fitness.iter().any(|line| line["code"] == "dropped-packets"), "{fitness:?}");
}
