//! Logs of another scenario beside a capture: they change nothing that the capture proves.
//!
//! All scenarios speak of the same device on the same adapter, and were recorded on one day: only the time and the
//! order tell that a log belongs elsewhere. A sample runs always; `-- --ignored` takes every capture with every log.
use super::{folder, loud};
use hcidiff::capture::Input;
use hcidiff::case::{self, Analysis, Side};
use hcidiff::compare::Options;
use hcidiff::diagnose::{Confidence, Level};
use hcidiff::timeline::Capture;
use hcidiff::witness::{self, Log};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A log, and the scenario that it belongs to.
struct Foreign {
    scenario: String,
    file: String,
    log: Log,
}

/// All files below a folder.
fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, all),
            false => all.push(path),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The scenario that a file is of: the number and name that its own name begins with, without the laboratory's run.
fn scenario(path: &Path) -> String {
    name(path).split('.').next().unwrap().trim_start_matches("s-").to_owned()
}

/// Every log of a laboratory.
fn logs(laboratory: &Path) -> Vec<Foreign> {
    let mut all = Vec::new();
    files(laboratory, &mut all);
    let log = |path: PathBuf| {
        let known = [".log", ".txt", ".md", ".pcap", ".pcapng"];
        known.iter().any(|ending| name(&path).ends_with(ending)).then_some(())?;
        let log = witness::read(&path.clone().into(), &Default::default()).unwrap()?;
        Some(Foreign { scenario: scenario(&path), file: name(&path), log })
    };
    all.into_iter().filter_map(log).collect()
}

fn captures(laboratory: &Path) -> Vec<(String, PathBuf, Capture)> {
    let mut all = Vec::new();
    files(laboratory, &mut all);
    all.retain(|path| name(path).ends_with(".btsnoop"));
    let read = |path: PathBuf| {
        let capture = case::read(&Side::new(path.clone().into())).unwrap();
        (scenario(&path), path, capture)
    };
    all.into_iter().map(read).collect()
}

type Verdict = Option<(&'static str, Confidence, Vec<u32>)>;

/// The verdict, if the capture proves it.
fn proved(analysis: &Analysis) -> Verdict {
    let first = analysis.findings.first().filter(|finding| finding.level == Level::Cause);
    first.map(|finding| (finding.rule, finding.confidence, finding.connections.clone()))
}

/// Holds the logs against the captures; each pair that changed something.
fn changed<'a>(
    captures: &'a [(String, PathBuf, Capture)],
    choose: impl Fn(usize, &str) -> Vec<&'a Foreign>,
) -> (usize, Vec<String>, BTreeMap<String, usize>) {
    let (mut pairs, mut turned, mut added) = (0, Vec::new(), BTreeMap::<String, usize>::new());
    for (place, (scenario, path, capture)) in captures.iter().enumerate() {
        let alone = Analysis::of(vec![capture.clone()], &Options::default());
        let (before, loud_before) = (proved(&alone), loud(&alone.findings));
        for foreign in choose(place, scenario) {
            pairs += 1;
            let logs = vec![(0, foreign.log.clone())];
            let both = Analysis::with_logs(vec![capture.clone()], logs, &Options::default());
            let after = proved(&both);
            if before.is_some() && before != after {
                turned.push(format!("{}: {before:?} {after:?}, {}", name(path), foreign.file));
            }
            let loud_after = loud(&both.findings);
            if loud_after != loud_before {
                let what =
                    format!("{} {loud_before:?} -> {loud_after:?} {}", name(path), foreign.file);
                *added.entry(what).or_default() += 1;
            }
        }
    }
    (pairs, turned, added)
}

#[test]
fn a_log_of_another_scenario_changes_no_verdict() {
    needs!("fixtures/witness");
    let all = logs(&folder());
    let captures = captures(&folder());
    let ordinary =
        |foreign: &Foreign| !foreign.file.contains("plus") && !foreign.file.contains("minus");
    let all: Vec<&Foreign> = all.iter().filter(|foreign| ordinary(foreign)).collect();
    let (pairs, turned, _) = changed(&captures, |place, scenario| {
        let foreign = all.iter().skip(place % 7).step_by(29).copied();
        foreign.filter(|foreign| foreign.scenario != scenario).collect()
    });
    assert!(pairs > 300, "{pairs}");
    assert!(turned.is_empty(), "{turned:#?}");
}

/// Every capture of the laboratories with every log of another scenario.
#[test]
#[ignore = "minutes: every capture of the laboratories with every log"]
fn no_log_of_another_scenario_changes_any_verdict() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab");
    if !shared.exists() {
        eprintln!("{} is not here: skipped", shared.display());
        return;
    }
    let captures = captures(&shared);
    let all = logs(&shared.join("W"));
    let part: usize = std::env::var("EVERY").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (pairs, turned, added) = changed(&captures, |place, scenario| {
        let foreign = all.iter().skip(place % part).step_by(part);
        foreign.filter(|foreign| foreign.scenario != scenario).collect()
    });
    eprintln!("{} captures, {} logs, {pairs} pairs", captures.len(), all.len());
    for what in added.keys() {
        eprintln!("more or less is said: {what}");
    }
    assert!(turned.is_empty(), "{} of {pairs}: {turned:#?}", turned.len());
}

/// A scenario's own log, made into one of something else: another device, another adapter, another day, another hour.
/// The capture's verdict stays, and what names another device has nothing in the capture.
#[test]
fn a_log_of_something_else_changes_no_verdict() {
    needs!("fixtures/witness");
    let other_device = |text: &str| {
        text.replace("F0:12:7C:AA:00", "C2:FF:EE:00:5E").replace("F0_12_7C_AA_00", "C2_FF_EE_00_5E")
    };
    let other_adapter = |text: &str| text.replace("hci0", "hci1");
    let other_day =
        |text: &str| text.replace("2026-11-28", "2026-11-25").replace("Nov 28", "Nov 25");
    // No zone has this distance from another.
    let other_hour = |text: &str| {
        let mut text = text.to_owned();
        for hour in (7..10).rev() {
            for stamp in ["2026-11-28 ", "2026-11-28T", "Nov 28 "] {
                text = text.replace(&format!("{stamp}0{hour}:"), &format!("{stamp}{}:", hour + 16));
            }
        }
        text
    };
    type Change<'a> = &'a dyn Fn(&str) -> String;
    let changes: [(&str, Change<'_>); 4] = [
        ("device", &other_device),
        ("adapter", &other_adapter),
        ("day", &other_day),
        ("hour", &other_hour),
    ];
    let (mut all, mut wrong) = (0, Vec::new());
    for (name_of, path, capture) in captures(&folder()) {
        let alone = Analysis::of(vec![capture.clone()], &Options::default());
        let before = proved(&alone);
        for ending in ["home-assistant.log", "journal-precise.txt", "bluetoothctl.txt"] {
            let file = path.with_extension(ending);
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            for (what, change) in changes {
                if change(&text) == text {
                    continue;
                }
                let input = Input::bytes(name(&file), change(&text).into_bytes());
                let Some(log) = witness::read(&input, &Default::default()).unwrap() else {
                    continue;
                };
                all += 1;
                let both =
                    Analysis::with_logs(vec![capture.clone()], vec![(0, log)], &Options::default());
                if before.is_some() && before != proved(&both) {
                    wrong
                        .push(format!("{name_of} {ending} {what}: {before:?} {:?}", proved(&both)));
                }
                let met = both.testimonies[0].relations.iter().find(|r| r.connection.is_some());
                // Nobody knows whom a log means that has its addresses taken out.
                if what == "device" && met.is_some() && !name_of.starts_with("x06") {
                    wrong.push(format!("{name_of} {ending} {what}: {met:?}"));
                }
                // No zone is a day off. (Lines of a daemon that stand word for word in the capture prove any offset.)
                let moved = both.testimonies[0].alignment.aligned && ending == "home-assistant.log";
                if what == "day" && moved {
                    wrong.push(format!("{name_of} {ending} {what}: aligned"));
                }
            }
        }
    }
    assert!(all > 100, "{all}");
    assert!(wrong.is_empty(), "{} of {all}: {wrong:#?}", wrong.len());
}
