//! The truth of the whole laboratory of logs, of which the fixtures are a selection.
//!
//! `NAME.witness.json` says of each line that matters which attempt of the capture it belongs to and how;
//! `derived/NAME.derived.json` says it of logs that were shifted, cut, quoted or mixed, and how far their clocks are off.
use super::{KeyLine, is_aligned_well, is_related, related};
use hcidiff::capture::Input;
use hcidiff::case::{self, Side};
use hcidiff::timeline::Capture;
use hcidiff::witness::{self, Testimony};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

/// A log with its truth.
struct Witness {
    file: String,
    derived: bool,
    /// Log minus capture, in seconds, as far as the log has a clock that counts from a known moment.
    offset: Option<f64>,
    keys: Vec<KeyLine>,
    testimony: Testimony,
}

/// A scenario's capture, and the logs beside it.
struct Scenario {
    name: String,
    capture: Capture,
    witnesses: Vec<Witness>,
}

/// All scenarios, read once. `None`: the laboratory is not here.
fn laboratory() -> Option<&'static [Scenario]> {
    static ALL: OnceLock<Option<Vec<Scenario>>> = OnceLock::new();
    let read = || {
        let laboratory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/W");
        if !laboratory.exists() {
            eprintln!("{} is not here: skipped", laboratory.display());
            return None;
        }
        Some(scenarios(&laboratory))
    };
    ALL.get_or_init(read).as_deref()
}

fn json(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// The scenarios of a laboratory that have a capture.
fn scenarios(laboratory: &Path) -> Vec<Scenario> {
    let mut folders: Vec<_> =
        std::fs::read_dir(laboratory).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().filter_map(|folder| scenario(folder)).collect()
}

fn scenario(folder: &Path) -> Option<Scenario> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let truth = json(&folder.join(format!("{name}.witness.json")))?;
    let capture = folder.join(format!("{name}.btsnoop"));
    let capture = case::read(&Side::new(capture.into())).unwrap();
    let attempts = attempts(&truth["capture"]["attempts"]);
    let derived = json(&folder.join(format!("derived/{name}.derived.json")));
    let own = truth["witnesses"].as_array().into_iter().flatten().map(|of| (of, false));
    let derived = derived.as_ref().and_then(|truth| truth["witnesses"].as_array());
    let derived = derived.into_iter().flatten().map(|of| (of, true));
    let witnesses = own.chain(derived).filter_map(|(of, derived)| {
        let file = of["file"].as_str().unwrap().to_owned();
        let keys = keys(of, &attempts);
        // Some kernels had nothing to say.
        if keys.is_empty() {
            return None;
        }
        let log = witness::read(&Input::from(folder.join(&file)), &Default::default());
        let log = log.unwrap_or_else(|e| panic!("{file}: {e}"));
        let log = log.unwrap_or_else(|| panic!("{file}: no log"));
        let testimony = Testimony::of(log, &capture);
        Some(Witness { derived, offset: offset(of), keys, testimony, file })
    });
    let witnesses = witnesses.collect();
    Some(Scenario { name, capture, witnesses })
}

/// What the stamps of a log are ahead of the capture's: its clock's error, and the zone where it shows local time. Only
/// of stamps that say the day.
fn offset(witness: &Value) -> Option<f64> {
    let clock = witness["clock"].as_str()?;
    if clock == "none"
        || clock.contains("since boot (")
        || clock.contains("no date")
        || clock == "ms since boot"
    {
        return None;
    }
    let local = witness["text_is_local_time_utc_offset_s"].as_f64();
    let local = local.or(witness["utc_offset_s"].as_f64()).unwrap_or_default();
    Some(witness["true_offset_to_capture_s"].as_f64()? + local)
}

/// The frames that the attempts of a capture are known by: of the request, and of its completion.
fn attempts(truth: &Value) -> BTreeMap<u64, Vec<u32>> {
    let of = |attempt: &Value| {
        let frame = |part: &str| attempt[part]["frame"].as_u64().map(|frame| frame as u32);
        let frames = ["create", "complete"].into_iter().filter_map(frame);
        Some((attempt["n"].as_u64()?, frames.collect()))
    };
    truth.as_array().into_iter().flatten().filter_map(of).collect()
}

fn keys(witness: &Value, attempts: &BTreeMap<u64, Vec<u32>>) -> Vec<KeyLine> {
    let of = |key: &Value| KeyLine {
        file: String::new(),
        line: key["line"].as_u64().or(key["packet"].as_u64()).unwrap() as u32,
        class: key["cls"].as_str().unwrap().to_owned(),
        relation: key["relation"].as_str().unwrap().to_owned(),
        attempt: key["attempt"]
            .as_u64()
            .and_then(|n| attempts.get(&n).cloned())
            .unwrap_or_default(),
    };
    witness["key_lines"].as_array().into_iter().flatten().map(of).collect()
}

/// How many there are, and which of them are wrong.
struct Counted {
    all: usize,
    wrong: Vec<String>,
}

impl Counted {
    const fn new() -> Self {
        Self { all: 0, wrong: Vec::new() }
    }

    fn count(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.all += 1;
        if !right {
            self.wrong.push(what());
        }
    }

    /// In percent.
    fn share(&self) -> f64 {
        100.0 - 100.0 * self.wrong.len() as f64 / self.all.max(1) as f64
    }

    fn tell(&self, what: &str) {
        eprintln!(
            "{what}: {} wrong of {}, {:.1} % right",
            self.wrong.len(),
            self.all,
            self.share()
        );
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{:#?}", self.wrong);
        }
    }
}

/// Key lines that belong to an attempt or elsewhere, and those of the derived logs. What is only context belongs to none.
#[test]
fn every_key_line_of_the_laboratory_has_its_relation_and_its_attempt() {
    let Some(laboratory) = laboratory() else { return };
    let [mut own, mut derived, mut context] = [const { Counted::new() }; 3];
    for scenario in laboratory {
        for witness in &scenario.witnesses {
            for key in &witness.keys {
                let counted = match (key.relation.as_str(), witness.derived) {
                    ("context", _) => &mut context,
                    (_, false) => &mut own,
                    (_, true) => &mut derived,
                };
                let right = is_related(key, &witness.testimony, &scenario.capture);
                counted.count(right, || {
                    let found: Vec<_> =
                        related(key, &witness.testimony, &scenario.capture).collect();
                    let (relation, attempt) = (&key.relation, &key.attempt);
                    let place = format!("{}/{}:{}", scenario.name, witness.file, key.line);
                    format!("{place} {}: {relation} {attempt:?}, not {found:?}", key.class)
                });
            }
        }
    }
    for (name, counted) in [("own", &own), ("derived", &derived), ("context", &context)] {
        counted.tell(&format!("key lines, {name}"));
    }
    assert!(own.all > 4_000 && derived.all > 1_000, "{} {}", own.all, derived.all);
    let mut all = Counted::new();
    for counted in [&own, &derived, &context] {
        all.all += counted.all;
        all.wrong.extend(counted.wrong.iter().cloned());
    }
    for counted in [&own, &derived, &all] {
        assert!(counted.share() >= 97.0, "{:#?}", counted.wrong);
    }
}

/// Of every log with three lines or more that belong to an attempt, the offset is found, and its error is honest.
#[test]
fn clocks_of_the_laboratory_are_found_with_their_error() {
    let Some(laboratory) = laboratory() else { return };
    let [mut own, mut derived] = [const { Counted::new() }; 2];
    for scenario in laboratory {
        for witness in &scenario.witnesses {
            let Some(offset) = witness.offset else { continue };
            let anchors = witness.keys.iter().filter(|key| !key.attempt.is_empty()).count();
            if anchors < 3 {
                continue;
            }
            let counted = if witness.derived { &mut derived } else { &mut own };
            counted.count(is_aligned_well(&witness.testimony, offset), || {
                let found = &witness.testimony.alignment;
                let found = (found.aligned, found.anchors, found.offset, found.error);
                format!("{}/{}: {offset}, not {found:?}", scenario.name, witness.file)
            });
        }
    }
    own.tell("logs as they were written");
    derived.tell("derived logs");
    assert!(own.all > 200 && derived.all > 50, "{} {}", own.all, derived.all);
    for counted in [&own, &derived] {
        assert!(counted.share() >= 95.0, "{:#?}", counted.wrong);
    }
}
