//! Every laboratory capture and pair gets the verdict that `fixtures/lab/EXPECTED.tsv` names: which rule
//! comes first, which others may stand above a note, and which tempting mistakes must not be made.
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use hcidiff::diagnose::{Basis, Check, Level, RULES};
use hcidiff::{Case, analyse};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab").join(name)
}

/// That a write starts an erase, or that a discovery request is one too many, only a side that works can tell.
const NEEDS_A_REFERENCE: &[&str] = &["ota-erase-silence", "discovery-order-or-volume-difference"];

#[test]
fn every_laboratory_capture_gets_its_verdict() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let table = text_of!("fixtures/lab/EXPECTED.tsv");
    let mut rows = 0;
    let mut wrong = Vec::new();
    let mut fired = BTreeSet::new();
    for line in table.lines().filter(|l| !l.starts_with('#') && !l.starts_with("reference\t")) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("");
        let (reference, subject, first, may, never) = (cell(), cell(), cell(), cell(), cell());
        rows += 1;
        let case = match (reference, subject) {
            ("-", one) | (one, "-") => Case::one(lab(one)),
            (reference, subject) => Case::pair(lab(reference), lab(subject)),
        };
        let analysis = analyse(&case).unwrap_or_else(|unreadable| panic!("{unreadable}"));
        assert_eq!(analysis.captures.len(), case.sides().len(), "{:?}", analysis.no_match);
        let all = analysis.findings;
        fired.extend(all.iter().map(|f| f.rule));
        let found: Vec<&str> =
            all.iter().filter(|f| f.level != Level::Note).map(|f| f.rule).collect();
        let first: Vec<&str> = first.split('|').collect();
        // Where a row takes the general rule too, the special one must have spoken all the same.
        if let [special, _, ..] = first[..]
            && !all.iter().any(|f| f.rule == special)
            && !(reference == "-" && NEEDS_A_REFERENCE.contains(&special))
        {
            wrong.push(format!("{reference} {subject}: {special} is silent; found {found:?}"));
        }
        let may: Vec<&str> = may.split(' ').filter(|m| !m.is_empty()).collect();
        let mut say =
            |what: String| wrong.push(format!("{reference} {subject}: {what}; found {found:?}"));
        match found.first() {
            None if first == ["none"] => {}
            None => say(format!("nothing found, expected {first:?}")),
            Some(rule) if first == ["none"] && may.contains(rule) => {}
            Some(rule) if !first.contains(rule) => say(format!("{rule} first, expected {first:?}")),
            Some(_) => {}
        }
        for rule in &found {
            if never.split(' ').any(|n| n == *rule) {
                say(format!("{rule} is a tempting mistake"));
            } else if !first.contains(rule) && !may.contains(rule) {
                say(format!("{rule} may not accompany {first:?}"));
            }
        }
    }
    assert!(rows > 180, "{rows} rows");
    assert!(wrong.is_empty(), "{} of {rows} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    for rule in RULES.iter().filter(|rule| rule.basis == Basis::Laboratory) {
        // In its capture, 13-phantom, the link was never usable at all, which says more.
        let outspoken = rule.id == "att-request-unanswered";
        // What needs a log fires in the laboratory of logs: tests/witness.rs.
        let needs_log = matches!(rule.check, Check::Witness(_));
        // What a sniffer heard has a laboratory of its own: tests/air_lab.rs.
        let needs_air = matches!(rule.check, Check::Air(_))
            || rule.example().is_some_and(|case| (case.example)().air.is_some());
        assert!(
            fired.contains(rule.id) || outspoken || needs_log || needs_air,
            "{} fires in no laboratory capture",
            rule.id
        );
    }
}

/// Files of other people's that are larger are left to `cargo run --example findings`.
const LARGEST: u64 = 5_000_000;

#[test]
fn every_real_link_that_was_never_answered_is_named_and_no_other() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(catalogue) = std::fs::read_to_string(folder.join("catalogue.json")) else {
        eprintln!("no real captures here: skipped");
        return;
    };
    let catalogue: Value = serde_json::from_str(&catalogue).expect("a catalogue");
    let mut with = 0;
    for entry in catalogue["captures"].as_array().into_iter().flatten() {
        let (Some(file), Some(ends)) = (entry["file"].as_str(), entry["disc"].as_object()) else {
            continue;
        };
        let expected = ends.get("LE 0x3e").and_then(Value::as_u64).unwrap_or(0);
        if entry["size"].as_u64().is_none_or(|size| size > LARGEST) {
            assert_eq!(expected, 0, "{file} is too large to be left out");
            continue;
        }
        let Ok(analysis) = analyse(&Case::one(folder.join(file))) else { continue };
        let named = analysis.findings.iter().filter(|f| f.rule == "never-heard-peer");
        let numbers: Vec<u32> = named.flat_map(|f| f.connections.clone()).collect();
        assert_eq!(numbers.len() as u64, expected, "{file}: {numbers:?}");
        for number in &numbers {
            let connection =
                analysis.captures[0].connection(*number).expect("a connection of the capture");
            assert_eq!(connection.reason().map(|r| r.0), Some(0x3e), "{file}, connection {number}");
        }
        with += usize::from(expected > 0);
    }
    assert!(with >= 8, "only {with} captures with 0x3E were read");
}

/// Every signature of the catalogue is a rule of the same name, or `docs/rules.md` says why not.
#[test]
fn every_signature_has_a_rule_or_a_reason() {
    needs!("fixtures/lab/EXPECTED.tsv");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/SIGNATURES.md");
    let Ok(catalogue) = std::fs::read_to_string(path) else {
        eprintln!("no catalogue here: skipped");
        return;
    };
    let page = hcidiff::explain::rules_page();
    let (_, undecidable) = page.split_once("# What no capture can decide").expect("the last part");
    let ids: Vec<&str> = catalogue
        .lines()
        .filter(|line| line.starts_with("#### S"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    assert_eq!(ids.len(), 78);
    for id in ids {
        let known = hcidiff::diagnose::rule(id).is_some();
        assert!(known != undecidable.contains(&format!("`{id}`")), "{id}");
    }
}
