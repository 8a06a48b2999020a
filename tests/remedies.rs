//! No remedy contradicts the capture that it is offered for: all captures of the project, and others where they are.
use hcidiff::diagnose::{Finding, Remedy};
use hcidiff::timeline::{Capture, Connection, Procedure};
use hcidiff::{Analysis, Case, analyse};
use std::path::{Path, PathBuf};

/// `UPDATE_DOCS=1 cargo test --test remedies` writes it anew.
#[test]
fn the_page_of_remedies_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/remedies.md");
    let page = hcidiff::diagnose::remedies::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/remedies.md can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/remedies.md: UPDATE_DOCS=1 cargo test --test remedies");
}

/// Larger captures take too long here; `cargo test --release --test remedies` looks at all, and so does
/// `ALL_CAPTURES=1 cargo test --test remedies`, in minutes.
const LARGEST: u64 = 1 << 17;

fn all_captures() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("ALL_CAPTURES").is_some()
}

fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let large =
            std::fs::metadata(&path).map_or(true, |meta| meta.len() > LARGEST) && !all_captures();
        if path.is_dir() {
            captures(&path, found);
        } else if !large {
            found.push(path);
        }
    }
}

#[test]
fn no_remedy_contradicts_its_capture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    captures(&root.join("fixtures"), &mut files);
    let ours = files.len();
    // The whole laboratory only where there is time for it.
    let lab = if all_captures() { "../shared/lab" } else { "../shared/lab/R" };
    for folder in ["../shared/captures", "../shared/captures-second", lab] {
        captures(&root.join(folder), &mut files);
    }
    if files.len() == ours {
        eprintln!("only the captures of the project are here");
    }
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for file in &files {
        let Ok(analysis) = analyse(&Case::one(file.as_path())) else { continue };
        for finding in &analysis.findings {
            looked_at += finding.remedies.len();
            let complaints = complaints(&analysis, finding);
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            wrong.extend(complaints.into_iter().map(|c| format!("{name}: {}: {c}", finding.rule)));
        }
    }
    assert!(looked_at > 100 || ours < 100, "only {looked_at} remedies were looked at");
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {looked_at}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What in the capture contradicts what the finding advises.
fn complaints(analysis: &Analysis, finding: &Finding) -> Vec<String> {
    let capture = &analysis.captures[finding.capture];
    let links: Vec<&Connection> =
        finding.connections.iter().filter_map(|number| capture.connection(*number)).collect();
    let mut complaints = Vec::new();
    for remedy in &finding.remedies {
        let words = remedy.words().to_string();
        for (why, contradicts) in CONTRADICTIONS {
            if contradicts(capture, &links, remedy, &words) {
                complaints.push(format!("{why}: {words}"));
            }
        }
    }
    let twice = |remedy: &&Remedy| {
        finding.no_use.iter().any(|no_use| no_use.id == remedy.id && !remedy.id.is_empty())
    };
    complaints.extend(
        finding.remedies.iter().filter(twice).map(|r| format!("both do and no use: {}", r.id)),
    );
    complaints
}

/// A capture of advice that was followed to the letter in a guest; how many links ended with 0x3e, how many were used
/// after it; the remedy, and whether it stands first. The numbers are the controller's own.
type Followed = (&'static str, usize, usize, &'static str, bool);

const FOLLOWED: &[Followed] = &[
    ("bluez5.66/e-advice-retry-half", 11, 8, "retry", true),
    ("bluez5.82/e-advice-retry-half", 11, 8, "retry", true),
    ("bluez5.66/e-advice-interval-default", 30, 3, "longer-interval", true),
    ("bluez5.82/e-advice-interval-default", 30, 3, "longer-interval", true),
    ("bluez5.66/e-advice-interval-stored", 30, 3, "longer-interval-stored", false),
    ("bluez5.82/e-advice-interval-stored", 25, 3, "longer-interval-stored", false),
    ("bluez5.66/e-advice-scan-off", 21, 3, "stop-scan", true),
];

#[test]
fn the_advice_for_links_that_were_never_heard_helped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/R");
    if !folder.exists() {
        eprintln!("the laboratory's captures are not here: skipped");
        return;
    }
    for (name, unheard, used, id, first) in FOLLOWED {
        let path = folder.join(format!("{name}.btsnoop.gz"));
        let analysis =
            analyse(&Case::one(path.as_path())).unwrap_or_else(|e| panic!("{name}: {e}"));
        let links: Vec<&Connection> =
            analysis.captures[0].connections.iter().filter(|c| c.connected()).collect();
        let lost = |c: &Connection| c.reason().is_some_and(|reason| reason.0 == 0x3e);
        // The program unlocked the device, subscribed, and got its data.
        let works = |c: &Connection| {
            let data = c.steps.iter().filter(|step| step.procedure == Procedure::Notify);
            data.map(|step| step.count).sum::<u32>() >= 5
        };
        assert_eq!(links.iter().filter(|c| lost(c)).count(), *unheard, "{name}");
        assert_eq!(links.iter().filter(|c| works(c)).count(), *used, "{name}");
        // What cures, cures at once. Of chance some links are lost between those that work.
        let last = &links[links.len() - used..];
        assert!(*id == "retry" || last.iter().all(|c| works(c)), "{name}");
        let finding = analysis.findings.iter().find(|f| f.rule == "never-heard-peer");
        let finding = finding.unwrap_or_else(|| panic!("{name}: {:?}", analysis.findings));
        let ids: Vec<&str> = finding.remedies.iter().map(|remedy| remedy.id).collect();
        assert!(ids.contains(id) && (!first || ids.first() == Some(id)), "{name}: {ids:?}");
    }
}

type Contradiction = fn(&Capture, &[&Connection], &Remedy, &str) -> bool;

const CONTRADICTIONS: &[(&str, Contradiction)] = &[
    ("the scan was off", |_, links, _, words| {
        let stops =
            ["scan off", "scanner.stop()", "stopScanning", "Stop scanning", "Stop every scan"];
        let scanned =
            |c: &&Connection| c.scan_at_connect.is_some() || c.scan_started_frame.is_some();
        stops.iter().any(|stop| words.contains(stop))
            && !words.contains("scan on")
            && !links.is_empty()
            && !links.iter().any(scanned)
    }),
    ("the timeout is as long already", |_, links, _, words| {
        let asks = words.contains("SupervisionTimeout=600") || words.contains("echo 600");
        asks && !links.is_empty() && timeouts(links).all(|timeout| timeout >= 600)
    }),
    ("the interval is as short already", |_, links, remedy, words| {
        let set = number_behind(words, "MaxConnectionInterval=")
            .or(number_behind(words, " MaxInterval="));
        let shortens = remedy.id.starts_with("interval-") || remedy.id.contains("+interval-");
        shortens
            && set.is_some_and(|set| intervals(links).all(|interval| u32::from(interval) <= set))
    }),
    ("the interval is as long already", |_, links, remedy, words| {
        let set = number_behind(words, "MinConnectionInterval=");
        remedy.id == "longer-interval"
            && set.is_some_and(|set| intervals(links).all(|interval| u32::from(interval) >= set))
    }),
    ("this host is the initiator", |_, links, _, words| {
        let central = |c: &&Connection| c.role == Some(hcidiff::timeline::Role::Central);
        words.contains("ReverseServiceDiscovery") && !links.is_empty() && links.iter().all(central)
    }),
    ("it does harm, or nothing", |_, _, _, words| {
        let bad = ["ExchangeMTU=23", "Cache=always", "MaxConnectionInterval=3200", "pair=True"];
        bad.iter().any(|bad| words.contains(bad) && !words.contains("remove it"))
    }),
    ("the host is another one", |capture, _, remedy, words| {
        let host = capture.host.as_ref().map(|host| host.stack.name());
        let of_bluez = words.contains("/etc/bluetooth/main.conf") || words.contains("bluetoothctl");
        let named = words.starts_with("On ")
            || words.starts_with("In a program")
            || words.starts_with("With ");
        match host {
            None => of_bluez && !remedy.id.is_empty() && !named,
            Some("BlueZ" | "noble" | "Bumble" | "BTstack") => false,
            Some(_) => of_bluez && !remedy.id.is_empty(),
        }
    }),
];

fn timeouts<'a>(links: &'a [&Connection]) -> impl Iterator<Item = u16> + 'a {
    links.iter().filter_map(|c| c.current.or(c.granted)).map(|granted| granted.timeout)
}

fn intervals<'a>(links: &'a [&Connection]) -> impl Iterator<Item = u16> + 'a {
    links.iter().filter_map(|c| c.current.or(c.granted)).map(|granted| granted.interval)
}

/// `12` of `MaxConnectionInterval=12`.
fn number_behind(words: &str, setting: &str) -> Option<u32> {
    let (_, rest) = words.split_once(setting)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}
