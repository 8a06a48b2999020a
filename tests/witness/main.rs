//! Host logs beside captures: what was recorded in the laboratory, line by line.
//!
//! `fixtures/witness` holds a selection of one recording session: captures, and what bluetoothd, journald, the D-Bus,
//! bleak and others wrote at the same time, on the same clock. `key-lines.tsv` has the truth of each line that matters.
#[macro_use]
#[path = "../common/needs.rs"]
mod needs;
mod alone;
mod bad_input;
mod foreign;
mod laboratory;

use hcidiff::capture::Input;
use hcidiff::case::{self, Case, Side};
use hcidiff::diagnose::{Finding, Level};
use hcidiff::report::{Report, Shown, html, json, markdown, terminal};
use hcidiff::timeline::Capture;
use hcidiff::witness::{self, Alignment, Kind, Log, LogClock, Testimony};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/witness")
}

fn read(file: &str) -> Log {
    let path = folder().join(file);
    let log =
        witness::read(&path.into(), &Default::default()).unwrap_or_else(|e| panic!("{file}: {e}"));
    log.unwrap_or_else(|| panic!("{file}: no log"))
}

/// One row of `key-lines.tsv`.
struct KeyLine {
    file: String,
    line: u32,
    class: String,
    relation: String,
    /// Frames of the request and of the Connection Complete of the attempt that it belongs to.
    attempt: Vec<u32>,
}

fn key_lines() -> Vec<KeyLine> {
    let table = std::fs::read_to_string(folder().join("key-lines.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| {
        let cells: Vec<_> = row.split('\t').collect();
        KeyLine {
            file: cells[0].into(),
            line: cells[1].parse().unwrap(),
            class: cells[2].into(),
            relation: cells[3].into(),
            attempt: cells[4].split('/').filter_map(|frame| frame.parse().ok()).collect(),
        }
    })
    .collect()
}

/// The capture of a log's scenario.
fn capture(log: &str) -> Capture {
    let scenario = log.split('/').next().unwrap();
    let own = folder().join(format!("{scenario}/{scenario}.btsnoop"));
    case::read(&Side::new(own.into())).unwrap()
}

/// The logs that have key lines, and these.
fn by_file() -> BTreeMap<String, Vec<KeyLine>> {
    let mut by_file: BTreeMap<String, Vec<KeyLine>> = BTreeMap::new();
    for key in key_lines() {
        by_file.entry(key.file.clone()).or_default().push(key);
    }
    by_file
}

#[test]
fn every_line_that_matters_is_understood() {
    needs!("fixtures/witness");
    let (mut all, mut missed) = (0, Vec::new());
    for (file, keys) in by_file() {
        let claimed: BTreeSet<u32> = read(&file).claims.iter().map(|claim| claim.line).collect();
        for key in keys.iter().filter(|key| key.relation != "context") {
            all += 1;
            if !claimed.contains(&key.line) {
                missed.push(format!("{file}:{} {}", key.line, key.class));
            }
        }
    }
    assert!(all > 2_000, "{all}");
    assert!(missed.len() * 200 <= all, "{} of {all}: {missed:#?}", missed.len());
}

/// What was found out about a line: the relation, and the frames of the attempt's request and completion.
fn related<'a>(
    key: &KeyLine,
    testimony: &'a Testimony,
    capture: &'a Capture,
) -> impl Iterator<Item = (&'a str, Vec<u32>)> {
    let line = key.line;
    testimony.relations.iter().filter(move |relation| relation.line == line).map(|relation| {
        let connection = relation.connection.and_then(|n| capture.connection(n));
        let frames = connection.map_or(Vec::new(), |connection| {
            let request = connection.request.as_ref().map(|request| request.seen.frame);
            let up = connection.up.map(|seen| seen.frame);
            [request, up, connection.status_frame()].into_iter().flatten().collect()
        });
        (relation.kind.word(), frames)
    })
}

/// Whether a line has its relation, and belongs to its attempt. What is only context belongs to none.
fn is_related(key: &KeyLine, testimony: &Testimony, capture: &Capture) -> bool {
    let mut related = related(key, testimony, capture);
    if key.relation == "context" {
        return related.all(|(relation, frames)| relation == "context" || frames.is_empty());
    }
    related.any(|(relation, frames)| {
        let same = key.attempt.is_empty() || key.attempt.iter().any(|f| frames.contains(f));
        relation == key.relation && (same || relation == "elsewhere")
    })
}

/// Whether a log's offset is found, and lies within its error, which is small.
fn is_aligned_well(testimony: &Testimony, offset: f64) -> bool {
    let seconds = |micros: i64| micros as f64 / 1e6;
    let most = (2.0 * f64::from(testimony.log.resolution_us) / 1e6).max(0.5);
    let Alignment { aligned, offset: found, error, .. } = testimony.alignment;
    let near = |(found, error): (i64, i64)| {
        (seconds(found) - offset).abs() <= seconds(error) && seconds(error) <= most
    };
    aligned && found.zip(error).is_some_and(near)
}

#[test]
fn every_line_that_matters_is_related_to_its_attempt() {
    needs!("fixtures/witness");
    let (mut all, mut wrong) = (0, Vec::new());
    for (file, keys) in by_file() {
        let capture = capture(&file);
        let testimony = Testimony::of(read(&file), &capture);
        for key in keys.iter().filter(|key| key.relation != "context") {
            all += 1;
            let right = is_related(key, &testimony, &capture);
            if !right {
                wrong.push(format!("{file}:{} {} {}", key.line, key.class, key.relation));
            }
        }
    }
    assert!(all > 2_000, "{all}");
    assert!(wrong.len() * 100 <= all * 3, "{} of {all}: {wrong:#?}", wrong.len());
}

#[test]
fn clocks_that_are_off_are_found_with_their_error() {
    needs!("fixtures/witness");
    let table = std::fs::read_to_string(folder().join("derived.tsv")).unwrap();
    let (mut all, mut wrong) = (0, Vec::new());
    for row in table.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let cells: Vec<_> = row.split('\t').collect();
        let (file, known) = (cells[0], cells[2].parse::<f64>().unwrap());
        let testimony = Testimony::of(read(file), &capture(file));
        let alignment = &testimony.alignment;
        if alignment.anchors < 3 {
            continue;
        }
        all += 1;
        let right = is_aligned_well(&testimony, known);
        if !right {
            wrong.push(format!(
                "{file}: {:?} {:?}, true {known}",
                alignment.offset, alignment.error
            ));
        }
    }
    assert!(all >= 25, "{all}");
    assert!(wrong.len() * 20 <= all, "{wrong:#?}");
}

#[test]
fn a_log_of_another_time_is_never_shifted() {
    needs!("fixtures/witness");
    for ending in ["home-assistant.log", "journal-precise.txt"] {
        let file = format!("x04-other-time/x04-other-time.{ending}");
        let testimony = Testimony::of(read(&file), &capture(&file));
        assert!(!testimony.alignment.aligned && testimony.alignment.other_time, "{ending}");
        let words: BTreeSet<_> = testimony
            .relations
            .iter()
            .map(|r| (r.kind.word(), r.detail.map(|d| d.to_string())))
            .collect();
        assert_eq!(words, BTreeSet::from([("elsewhere", Some("other-time".to_owned()))]));
    }
}

#[test]
fn kinds_and_clocks_are_known_by_content() {
    needs!("fixtures/witness");
    let of = |file: &str| {
        let log = read(file);
        (log.kind, log.clock, log.resolution_us)
    };
    let b04 = |ending: &str| {
        of(&format!(
            "b04-failed-establish-3e/{}b04-failed-establish-3e.{ending}",
            if ending.contains(".md") { "derived/" } else { "" }
        ))
    };
    for (ending, expected) in [
        ("home-assistant.log", (Kind::HomeAssistant, LogClock::Local, 1_000)),
        ("bleak-env.log", (Kind::Bleak, LogClock::Local, 1_000)),
        ("bleak-notime.log", (Kind::Bleak, LogClock::None, 0)),
        ("journal-precise.txt", (Kind::Journal, LogClock::Local, 1)),
        ("journal.txt", (Kind::Journal, LogClock::Local, 1_000_000)),
        ("journal-iso-precise.txt", (Kind::Journal, LogClock::Utc, 1)),
        ("bluetoothd.txt", (Kind::Bluetoothd, LogClock::None, 0)),
        ("dbus.pcap", (Kind::DBus, LogClock::Utc, 1)),
        ("busctl.pcapng", (Kind::DBus, LogClock::Utc, 1)),
        ("dbus-monitor.txt", (Kind::DBus, LogClock::Utc, 1)),
        ("home-assistant.issue.md", (Kind::HomeAssistant, LogClock::Local, 1_000)),
        ("home-assistant.issue-html-quoted.md", (Kind::HomeAssistant, LogClock::Local, 1_000)),
    ] {
        assert_eq!(b04(ending), expected, "{ending}");
    }
    for (file, kind) in [
        ("w60-dyndbg-3e/w60-dyndbg-3e.kernel-journal.txt", Kind::Kernel),
        ("w53-ctl-pair-refused/w53-ctl-pair-refused.bluetoothctl.txt", Kind::Bluetoothctl),
        ("s-02-bad-kick/s-02-bad-kick.esphome.log", Kind::Esphome),
        ("s-02-bad-kick/s-02-bad-kick.esp-idf.log", Kind::EspIdf),
        ("s-02-bad-kick/s-02-bad-kick.nimble.log", Kind::NimBle),
        ("s-02-bad-kick/s-02-bad-kick.logcat.txt", Kind::Logcat),
    ] {
        assert_eq!(of(file).0, kind, "{file}");
    }
}

#[test]
fn the_bus_tells_the_same_in_all_its_captures() {
    needs!("fixtures/witness");
    let told = |ending: &str| {
        let log = read(&format!("b04-failed-establish-3e/b04-failed-establish-3e.{ending}"));
        log.claims.iter().map(|claim| (claim.what, claim.device)).collect::<Vec<_>>()
    };
    let pcap = told("dbus.pcap");
    assert!(pcap.len() > 20, "{}", pcap.len());
    // The text printer began a moment later than the binary one, so it lacks the first messages.
    let text = told("dbus-monitor.txt");
    assert!(pcap.ends_with(&text[text.len() - 20..]));
}

#[test]
fn what_is_no_log_is_none() {
    needs!("fixtures/witness");
    for bytes in
        [&b""[..], b"hello\nworld\n", &[0, 1, 2, 3, 255], b"btsnoop\0\0\0\0\x01\0\0\x07\xd1"]
    {
        let input = hcidiff::capture::Input::bytes("x", bytes);
        assert!(witness::read(&input, &Default::default()).unwrap().is_none());
    }
    let capture = folder().join("b02-kick/b02-kick.btsnoop");
    assert!(witness::read(&capture.into(), &Default::default()).unwrap().is_none());
}

/// One row of `EXPECTED-WITNESS.tsv`, of which all files are here.
struct Row {
    files: String,
    first: String,
    /// Rules that may be said besides.
    may: Vec<String>,
    never: Vec<String>,
    case: Case,
}

/// The rows of a folder's table: captures, logs, and what must be found.
fn rows(folder: &Path) -> Vec<Row> {
    let table = std::fs::read_to_string(folder.join("EXPECTED-WITNESS.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| {
        let cells: Vec<_> = row.split('\t').collect();
        let (mut sides, mut logs, mut is_log) = (Vec::new(), Vec::new(), false);
        for word in cells[1].replace(" (log alone)", "").split(' ') {
            let path = folder.join(cells[0]).join(word);
            match (word, is_log) {
                ("--witness", _) => is_log = true,
                (_, true) => logs.push(Input::from(path)),
                (_, false) => sides.push(Side::new(path.into())),
            }
        }
        sides.last_mut().unwrap().witnesses = logs;
        let mut sides = sides.into_iter();
        let case = match (sides.next().unwrap(), sides.next()) {
            (reference, Some(subject)) => Case::pair(reference, subject),
            (only, None) => Case::one(only),
        };
        let ids =
            |cell: &str| cell.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let (may, never) = (ids(cells[3]), ids(cells[4]));
        Row { files: cells[1].into(), first: cells[2].into(), may, never, case }
    })
    .collect()
}

/// What is said louder than a note, in order.
fn loud(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|f| f.level != Level::Note).map(|f| f.rule).collect()
}

#[test]
fn two_witnesses_find_what_the_table_says() {
    finds_what_the_table_says(&folder(), 200);
}

/// The same of all scenarios, of which the fixtures are a selection.
#[test]
#[ignore = "a minute: the whole laboratory of logs"]
fn two_witnesses_find_what_the_whole_table_says() {
    let laboratory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/W");
    if !laboratory.exists() {
        eprintln!("{} is not here: skipped", laboratory.display());
        return;
    }
    finds_what_the_table_says(&laboratory, 400);
}

fn finds_what_the_table_says(folder: &Path, fewest: usize) {
    let (mut all, mut wrong, mut forbidden, mut besides) = (0, Vec::new(), Vec::new(), Vec::new());
    for row in rows(folder) {
        all += 1;
        let analysis = case::analyse(&row.case).unwrap_or_else(|e| panic!("{}: {e}", row.files));
        let loud = loud(&analysis.findings);
        let causes = analysis.findings.iter().filter(|f| f.level == Level::Cause).count();
        let relations = analysis.testimonies.iter().flat_map(|of| &of.relations);
        let relations: BTreeSet<String> = relations
            .flat_map(|r| {
                let detail = r.detail.map(|detail| format!("{}/{detail}", r.kind));
                [Some(r.kind.to_string()), detail].into_iter().flatten()
            })
            .collect();
        let right = row.first.split('|').any(|wanted| match wanted {
            "none" => loud.is_empty(),
            "cannot-tell" => causes == 0,
            relation if relation.starts_with("relation:") => {
                relations.contains(relation.trim_start_matches("relation:"))
            }
            rule => loud.first() == Some(&rule),
        });
        if !right {
            wrong.push(format!("{}: wanted {}, got {loud:?} {relations:?}", row.files, row.first));
        }
        let expected = |rule: &str| {
            row.first.split('|').any(|first| first == rule) || row.may.iter().any(|may| may == rule)
        };
        let more: Vec<_> = loud.iter().filter(|rule| !expected(rule)).collect();
        if !more.is_empty() {
            besides.push(format!("{}: {} and {:?}, also {more:?}", row.files, row.first, row.may));
        }
        for rule in &row.never {
            if rule == "any cause" && causes > 0 || loud.contains(&rule.as_str()) {
                forbidden.push(format!("{}: never {rule}, got {loud:?}", row.files));
            }
        }
    }
    if std::env::var_os("SHOW").is_some() {
        eprintln!("{all} rows; said besides in {}: {besides:#?}\nwrong: {wrong:#?}", besides.len());
    }
    assert!(all > fewest, "{all}");
    assert!(forbidden.is_empty(), "{forbidden:#?}");
    assert!(wrong.len() * 20 <= all, "{} of {all}: {wrong:#?}", wrong.len());
}

#[test]
fn no_output_shows_what_a_log_keeps_secret() {
    let secrets = [
        "deadbeefcafebabe0123456789abcdef",
        "hunter2token",
        "981234",
        "jane.doe",
        "jdoe",
        "s3cr3tpass",
        "192.168.17.4",
    ];
    let log = "\
2026-11-28 07:54:02,049 INFO labsensor: Connecting to F0:12:7C:AA:00:01\n\
2026-11-28 07:54:02,285 DEBUG bleak.backends.bluezdbus.client: Connecting to BlueZ path /org/bluez/hci0/dev_F0_12_7C_AA_00_01\n\
2026-11-28 07:54:03,100 ERROR labsensor: Communication with F0:12:7C:AA:00:01 failed: LTK deadbeefcafebabe0123456789abcdef\n\
2026-11-28 07:54:03,200 ERROR labsensor: F0:12:7C:AA:00:01 failed: token=hunter2token for jane.doe@example.org\n\
2026-11-28 07:54:03,300 ERROR labsensor: F0:12:7C:AA:00:01 failed: passkey 981234 in /home/jdoe/app.py\n\
2026-11-28 07:54:03,400 ERROR labsensor: F0:12:7C:AA:00:01 failed: http://me:s3cr3tpass@192.168.17.4/x\n";
    let capture = folder().join("b04-failed-establish-3e/b04-failed-establish-3e.btsnoop");
    let mut side = Side::new(capture.into());
    side.witnesses = vec![Input::bytes("app.log", log.as_bytes())];
    let mut told = 0;
    for case in [Case::one(side), Case::one(Side::new(Input::bytes("app.log", log.as_bytes())))] {
        let mut report = Report::from(case::analyse(&case).unwrap());
        report.shown = Shown { full: true, aliases: true, ..Shown::default() };
        let outputs = [
            json::render(&report),
            markdown::render(&report),
            html::render(&report),
            terminal::render(&report, terminal::Screen::default()),
        ];
        for output in outputs {
            told += usize::from(output.contains("(not shown)"));
            for secret in secrets {
                assert!(!output.contains(secret), "{secret}");
            }
            assert!(!output.contains("F0:12:7C") && !output.contains("F0_12_7C"), "the address");
        }
    }
    // All formats quote the lines beside the capture.
    assert!(told >= 4, "{told}");
}

/// The list of steps that the page's script shows holds the log's lines too, before the step that came after them.
#[test]
fn the_log_stands_in_the_list_of_steps() {
    let scenario = folder().join("b04-failed-establish-3e");
    let mut side = Side::new(scenario.join("b04-failed-establish-3e.btsnoop").into());
    side.witnesses.push(scenario.join("b04-failed-establish-3e.bluetoothd.txt").into());
    let page = html::render(&Report::from(case::analyse(&Case::one(side)).unwrap()));
    let data = page.split("id=\"hcidiff-steps\"").nth(1).unwrap();
    let data = data.split_once('>').unwrap().1.split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let rows = data["lists"][0]["rows"].as_array().unwrap();
    let told = |row: &&serde_json::Value| {
        row["at"].as_array().unwrap().iter().any(|at| at["cites"] == "line 57")
    };
    // Line 57 of the log: the connect call failed with 38, after 0x3E.
    let row = rows.iter().find(told).expect("line 57");
    let name = row["name"].as_str().unwrap();
    assert!(name.contains("att_connect_cb") && name.starts_with('\u{201c}'), "{row}");
    assert_eq!(row["phase"], "log");
    let place = |name: &str| rows.iter().position(|row| row["name"].as_str() == Some(name));
    let (line, end) = (rows.iter().position(|row| told(&row)), place("Disconnect"));
    assert!(line > place("Connect") && end.is_some(), "{line:?} {end:?}");
}
