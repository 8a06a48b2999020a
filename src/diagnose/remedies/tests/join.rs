//! The table of remedies, compared with the table of the laboratory: what was tried says what came of it, and nothing
//! claims to be proved that was not.
use crate::diagnose::remedies::{Entry, Proof, RemedyKind, entries};
use std::path::Path;

/// Experiments that are no remedies: what a host or a device does by itself, or ways that were measured for the law.
const NO_REMEDIES: &[(&str, &str)] = &[
    ("none-moved", "BlueZ notices by itself; the device's side of it is move-ranges"),
    ("none-grown", "the same"),
    ("secondary-cache", "the same file as characteristics-cache"),
    ("includes-cache", "the same file as characteristics-cache"),
    ("bonded-life", "how long the cache of a bonded device lives"),
    ("interval-7.5-first-connection", "the same setting as interval-7.5, at each first connection"),
    ("interval-10-first-connection", "the same setting; the report computes the number"),
];

/// One experiment.
struct Tried {
    rule: String,
    stack: String,
    id: String,
    after: String,
    outcome: String,
    numbers: String,
}

impl Tried {
    /// What the host of route A did at one interval: many ways of one and the same experiment.
    fn is_a_way(&self) -> bool {
        self.id.starts_with("a-")
    }

    fn name(&self) -> &str {
        let file = self.after.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".btsnoop").unwrap_or(file)
    }
}

/// The laboratory's table; nothing where the package has no fixtures.
fn table() -> Vec<Tried> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/R/remedies.tsv");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("the laboratory's table is not here: skipped");
        return Vec::new();
    };
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let [rule, stack, id, _, _, after, outcome, numbers, ..] = &cells[..] else {
                panic!("a row of nine cells: {line}");
            };
            let cell = String::clone;
            Tried {
                rule: cell(rule),
                stack: cell(stack),
                id: cell(id),
                after: cell(after),
                outcome: cell(outcome),
                numbers: cell(numbers),
            }
        })
        .collect()
}

fn rows<'a>(tried: &'a Tried, kind: RemedyKind) -> impl Iterator<Item = &'static Entry> + 'a {
    entries().filter(move |row| {
        row.kind == kind
            && row.id == tried.id
            && row.on.word() == tried.stack
            && row.rules.contains(&tried.rule.as_str())
    })
}

#[test]
fn what_was_tried_stands_on_its_right_side() {
    let mut wrong = Vec::new();
    for tried in table().iter().filter(|tried| tried.id != "none") {
        let offered: Vec<&Entry> = rows(tried, RemedyKind::Do).collect();
        let whom = format!("{} {} {}", tried.rule, tried.stack, tried.id);
        match tried.outcome.as_str() {
            "works" => {
                let none = NO_REMEDIES.iter().any(|(id, _)| *id == tried.id) || tried.is_a_way();
                if offered.is_empty() && !none {
                    wrong.push(format!("{whom}: works, and is offered nowhere"));
                }
            }
            "fails" | "no-effect" | "harmful" | "breaks-adapter" => {
                if !offered.is_empty() {
                    wrong.push(format!("{whom}: {}, and is offered", tried.outcome));
                }
            }
            "partly" | "version-dependent" => {
                if offered.iter().any(|row| row.limits.is_empty()) {
                    wrong.push(format!("{whom}: offered without what limits it"));
                }
            }
            other => panic!("an outcome that nobody knows: {other}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_called_no_remedy_is_an_experiment() {
    let table = table();
    for (id, _) in NO_REMEDIES.iter().filter(|_| !table.is_empty()) {
        assert!(table.iter().any(|tried| tried.id == *id), "{id}");
        assert!(entries().all(|row| row.id != *id), "{id} is a row all the same");
    }
}

/// A proof names an experiment for one of the row's rules, with its outcome and its versions, no more.
#[test]
fn every_proof_is_an_experiment() {
    let table = table();
    if table.is_empty() {
        return;
    }
    let mut wrong = Vec::new();
    for row in entries() {
        let Proof::Laboratory { experiment, versions } = row.proof else { continue };
        let fits = |tried: &&Tried| {
            tried.name() == experiment && row.rules.contains(&tried.rule.as_str())
                // A proof of its own name is that row; else the experiment is all.
                && (tried.id == row.id || !table.iter().any(|t| t.id == row.id && t.name() == experiment))
        };
        let Some(tried) = table.iter().find(fits) else {
            // One experiment for two rules of one family.
            if !table.iter().any(|tried| tried.name() == experiment) {
                wrong.push(format!("{}: there is no experiment {experiment}", row.id));
            }
            continue;
        };
        let right = match row.kind {
            RemedyKind::Do => matches!(tried.outcome.as_str(), "works" | "partly"),
            RemedyKind::NoUse => tried.outcome != "works" || tried.name() == "k-refuse",
        };
        if !right {
            wrong.push(format!("{}: {experiment} says {}", row.id, tried.outcome));
        }
        for version in ["5.66", "5.82"] {
            if versions.contains(&version) != tried.numbers.contains(&format!("{version}:")) {
                wrong.push(format!("{}: {version} in {}", row.id, tried.numbers));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of what was measured at the device, the law says the same: which ways of a raw host meet 400 ms.
#[test]
fn the_law_says_which_ways_of_a_raw_host_are_in_time() {
    use crate::diagnose::what_if::reaches;
    use crate::time::Span;
    // Requests before the write, and whether features are asked for. Several ways need one round trip.
    let ways = [
        ("a-write-handle-", 0, false),
        ("a-write-cmd-", 0, false),
        ("a-mtu+write-", 1, false),
        ("a-features+write-", 0, true),
    ];
    for tried in table().iter().filter(|tried| tried.is_a_way()) {
        let Some((rest, n, features)) = ways
            .iter()
            .find_map(|(way, n, features)| Some((tried.id.strip_prefix(way)?, *n, *features)))
        else {
            continue;
        };
        let ms: f64 = rest.trim_end_matches("ms").parse().expect("an interval");
        let computed = reaches(Span((ms * 1_000.0) as i64), n, features).as_ms();
        let measured = tried.numbers.split(['(', ' ']).find_map(|word| word.parse::<f64>().ok());
        let measured = measured.expect("a measured time");
        assert!((computed - measured).abs() <= 4.0, "{}: {computed} and {measured}", tried.id);
        assert_eq!(computed <= 400.0, tried.outcome == "works", "{}", tried.id);
    }
}

/// In the captures before the experiments: what works is offered, and what contradicts the capture is not.
#[test]
fn before_the_experiment_the_report_offers_what_then_worked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/R");
    if !folder.exists() {
        eprintln!("the laboratory's captures are not here: skipped");
        return;
    }
    let mut wrong = Vec::new();
    for (file, rule, wanted, unwanted) in BEFORE {
        let path = folder.join("bluez5.66").join(format!("{file}.btsnoop"));
        let analysis = crate::analyse(&crate::Case::one(path.as_path())).expect("it is read");
        let Some(finding) = analysis.findings.iter().find(|f| f.rule == *rule) else {
            let rules: Vec<_> = analysis.findings.iter().map(|f| f.rule).collect();
            wrong.push(format!("{file}: no {rule} among {rules:?}"));
            continue;
        };
        let offered: Vec<&str> = finding.remedies.iter().map(|remedy| remedy.id).collect();
        if !wanted.iter().all(|id| offered.contains(id))
            || unwanted.iter().any(|id| offered.contains(id))
        {
            wrong.push(format!("{file}: {rule}: {offered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A capture, the rule, remedies that must be offered, and remedies that must not.
type Before = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const BEFORE: &[Before] = &[
    (
        "d-a-default",
        "peer-hangs-up-on-deadline",
        &["interval-7.5", "interval-info-file", "interval-debugfs", "trust+interval-15"],
        // Eight round trips are too many at 50 ms.
        &["trust", "generated-cache-trusted-life", "raw-l2cap"],
    ),
    (
        "v-none",
        "short-supervision-timeout-linux-420ms",
        &["main-conf", "info-file", "debugfs", "parameter-request"],
        &[],
    ),
    ("w-name-none", "immediate-0x13-after-first-att", &["noplugin-gap"], &[]),
    ("k-06-none", "pin-or-key-missing-0x06", &["remove-scan-pair"], &[]),
    ("k-3d-none", "mic-failure-0x3d", &["both", "host-only"], &[]),
    (
        "h-crash",
        "service-changed-on-exit",
        &["ordered+fixed-handle", "keep-server", "bluetoothd-first"],
        &[],
    ),
];
