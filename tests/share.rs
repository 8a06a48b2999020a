//! `hcidiff share`: what is in a bundle, and when there is none.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship};
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::{Case, analyse};
use hcidiff::decode::Decoder;
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn program(arguments: &[&str], files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("share")
        .args(files)
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Shares captures and gives the files of the bundle.
fn bundle(folder: &Path, arguments: &[&str], files: &[PathBuf]) -> Vec<(String, Vec<u8>)> {
    let path = folder.join("bundle.zip");
    let output = program(&[arguments, &["--force", "-o", path.to_str().unwrap()]].concat(), files);
    assert!(output.status.success(), "{}", said(&output));
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn text<'a>(bundle: &'a [(String, Vec<u8>)], name: &str) -> &'a str {
    let (_, bytes) = bundle.iter().find(|(file, _)| file == name).unwrap();
    std::str::from_utf8(bytes).unwrap()
}

/// All addresses that a capture's packets name.
fn addresses(input: &Input) -> HashSet<[u8; 6]> {
    let mut opened = open(input, &OpenOptions::default()).unwrap();
    let mut decoder = Decoder::new();
    let mut found = HashSet::new();
    while let Some(record) = opened.source.next().unwrap() {
        decoder.decode(&record).packet.addresses(&mut |named| {
            found.insert(named.address.0);
        });
    }
    found
}

#[test]
fn a_bundle_holds_both_captures_and_their_report_with_the_same_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let files = flagship();
    let bundle = bundle(folder.path(), &[], &files);
    let names: Vec<_> = bundle.iter().map(|(name, _)| name.as_str()).collect();
    let all = ["works.pklg", "fails.btsnoop", "report.md", "report.html", "MANIFEST.md"];
    assert_eq!(names, all);
    let input = |at: usize| Input::bytes(bundle[at].0.clone(), bundle[at].1.clone());
    let before = analyse(&Case::pair(&files[0], &files[1])).unwrap();
    let after = analyse(&Case::pair(
        hcidiff::case::Side::new(input(0)),
        hcidiff::case::Side::new(input(1)),
    ))
    .unwrap();
    let found = |analysis: &hcidiff::Analysis| -> Vec<_> {
        let findings = analysis.findings.iter();
        findings.map(|it| (it.rule, it.level, it.confidence, it.evidence.len())).collect()
    };
    assert!(!found(&before).is_empty());
    assert_eq!(found(&before), found(&after));
    for (at, file) in files.iter().enumerate() {
        let originals = addresses(&Input::from(file));
        let shared = addresses(&input(at));
        assert!(originals.len() > 1 && !shared.is_empty());
        let nobody = [[0; 6], [0xff; 6]];
        let left: Vec<_> =
            originals.intersection(&shared).filter(|it| !nobody.contains(it)).collect();
        assert_eq!(left, Vec::<&[u8; 6]>::new());
        for address in originals.iter().filter(|it| !nobody.contains(it)) {
            let bytes = &bundle[at].1;
            let reversed: Vec<u8> = address.iter().rev().copied().collect();
            assert!(!bytes.windows(6).any(|it| it == address || it == reversed), "{address:02x?}");
        }
    }
    assert!(text(&bundle, "report.md").contains(found(&before)[0].0));
    assert!(text(&bundle, "MANIFEST.md").contains("Nothing was found."));
    for name in ["report.md", "report.html", "MANIFEST.md"] {
        assert!(!text(&bundle, name).contains("LabSensor"), "{name}");
    }
}

#[test]
fn the_same_captures_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let once = bundle(folder.path(), &[], &flagship());
    assert_eq!(once, bundle(folder.path(), &[], &flagship()));
}

#[test]
fn without_trimming_every_record_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("lab/A/07-bond-good.btsnoop");
    let count = |input: &Input| {
        let mut opened = open(input, &OpenOptions::default()).unwrap();
        let mut kinds = Vec::new();
        while let Some(record) = opened.source.next().unwrap() {
            kinds.push((record.kind, record.direction, record.bytes().len()));
        }
        kinds
    };
    let bundle = bundle(folder.path(), &["--trim", "none"], std::slice::from_ref(&file));
    let (name, bytes) = bundle[0].clone();
    assert_eq!(name, "capture.btsnoop");
    let packets = |kinds: Vec<(hcidiff::capture::Kind, _, usize)>| -> Vec<_> {
        // Texts may have another length.
        let texts = |kind| matches!(kind, hcidiff::capture::Kind::Monitor(0..=15));
        kinds
            .into_iter()
            .map(|(kind, way, len)| (kind, way, if texts(kind) { 0 } else { len }))
            .collect()
    };
    assert_eq!(packets(count(&Input::bytes(name, bytes))), packets(count(&Input::from(&file))));
}

#[test]
fn the_map_is_for_the_reporter_alone() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("map.tsv");
    let bundle = bundle(folder.path(), &["--map", map.to_str().unwrap()], &flagship());
    let map = std::fs::read_to_string(map).unwrap();
    assert!(map.contains("\tLabSensor\t"), "{map}");
    assert!(bundle.iter().all(|(name, _)| !name.contains("map")));
}

#[test]
fn names_values_and_days_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let holds = |arguments: &[&str], what: &[u8]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        bundle[..2].iter().any(|(_, bytes)| bytes.windows(what.len()).any(|it| it == what))
    };
    assert!(!holds(&[], b"LabSensor"));
    assert!(holds(&["--keep-names"], b"LabSensor"));
    let rows = |arguments: &[&str]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        bundle[0].1.windows(4).filter(|it| it == b"xxxx").count()
    };
    // Serial numbers and what may be a key go, whatever is kept.
    let (kept, all) = (rows(&["--keep-values"]), rows(&[]));
    assert!(0 < kept && kept < all, "{kept} of {all}");
    let first = |arguments: &[&str]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        let (name, bytes) = bundle[1].clone();
        let capture = analyse(&Case::one(hcidiff::case::Side::new(Input::bytes(name, bytes))));
        capture.unwrap().captures[0].first_time.unwrap()
    };
    let original = analyse(&Case::one(&flagship()[1])).unwrap().captures[0].first_time.unwrap();
    assert_eq!(first(&["--keep-times"]), original);
    let moved = (original - first(&[])).0;
    assert!(moved != 0 && moved % 86_400_000_000 == 0, "whole days: {moved}");
}

#[test]
fn what_exists_is_not_replaced_and_what_fails_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    let to = path.to_str().unwrap();
    std::fs::write(&path, "mine").unwrap();
    let output = program(&["-o", to], &flagship());
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--force"), "{}", said(&output));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert!(program(&["-o", to, "--force"], &flagship()).status.success());
    assert_ne!(std::fs::read(&path).unwrap(), b"mine");

    let other = folder.path().join("other.zip");
    for file in ["vectors/s_1003.btsnoop", "vectors/h_empty.btsnoop"] {
        let output = program(&["-o", other.to_str().unwrap()], &[fixture(file)]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(!other.exists(), "{file}");
    }
    let capture = folder.path().join("capture.btsnoop");
    std::fs::copy(&flagship()[1], &capture).unwrap();
    let output =
        program(&["--force", "-o", capture.to_str().unwrap()], std::slice::from_ref(&capture));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&capture).unwrap(), std::fs::read(&flagship()[1]).unwrap());
}

#[test]
fn a_damaged_capture_gives_a_bundle_of_what_could_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), &[], &[fixture("vectors/h_cut_in_data.btsnoop")]);
    let (name, bytes) = bundle[0].clone();
    let mut opened = open(&Input::bytes(name, bytes), &OpenOptions::default()).unwrap();
    let mut records = 0;
    while opened.source.next().unwrap().is_some() {
        records += 1;
    }
    assert!(records > 3, "{records}");
}
