//! `hcidiff survey`, the real program over folders made for it.
#![cfg(feature = "cli")]
mod common;

use common::flagship;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn survey(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("survey")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

/// The Mac's capture as runs that pass, the Pi's as runs that fail, and what is no capture among them.
fn runs(passes: usize, fails: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mac = flagship().remove(0);
    let pi: PathBuf = mac.with_file_name("pi-kicked.btsnoop");
    let inside = folder.path().join("runs");
    fs::create_dir_all(inside.join("more")).expect("a folder");
    for at in 0..passes {
        fs::copy(&mac, inside.join(format!("pass-{at:02}.pklg"))).expect("a copy");
    }
    for at in 0..fails {
        fs::copy(&pi, inside.join(format!("more/fail-{at:02}.btsnoop"))).expect("a copy");
    }
    fs::write(inside.join("empty.btsnoop"), b"").expect("a file");
    fs::write(inside.join("picture.png"), b"\x89PNG\r\n\x1a\n and so on, no capture")
        .expect("a file");
    folder
}

#[test]
fn every_file_is_accounted_for() {
    let folder = runs(3, 2);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("runs"), folder.path().join("runs/circle"))
        .expect("a link");
    let output = survey(folder.path(), &["runs", "-f", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    let rows = said["captures"].as_array().expect("rows");
    let files: Vec<&str> = rows.iter().filter_map(|row| row["file"].as_str()).collect();
    let mut expected = vec![
        "empty.btsnoop",
        "more/fail-00.btsnoop",
        "more/fail-01.btsnoop",
        "pass-00.pklg",
        "pass-01.pklg",
        "pass-02.pklg",
        "picture.png",
    ];
    if cfg!(unix) {
        expected.insert(0, "circle");
    }
    assert_eq!(files, expected);
    let unread: Vec<&str> = rows
        .iter()
        .filter(|row| row["unread"].is_string())
        .filter_map(|row| row["file"].as_str())
        .collect();
    assert_eq!(unread.len(), expected.len() - 5, "{unread:?}");
    assert_eq!(said["rules"]["peer-hangs-up-on-deadline"], 2);
    let told = rows.iter().find(|row| row["file"] == "pass-00.pklg").expect("a row");
    // As tshark reads the Mac's capture: interval 15 ms, MTU 247 after 78.264 ms.
    assert_eq!(told["features"]["link: interval (ms)"], 15.0);
    assert_eq!(told["features"]["mtu: effective"], 247.0);
    assert_eq!((&told["worked"], &told["device"]), (&true.into(), &"LabSensor".into()));
}

#[test]
fn what_sets_the_bad_runs_apart_is_named_with_a_pair() {
    let folder = runs(12, 12);
    let sides = ["runs", "--good", "runs/pass-*", "--bad", "runs/more/fail-*"];
    let output = survey(folder.path(), &[&sides[..], &["-f", "json"]].concat());
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert_eq!((&said["apart"]["good"], &said["apart"]["bad"]), (&12.into(), &12.into()));
    let all = said["apart"]["differences"].as_array().expect("differences");
    let named = |name: &str| {
        all.iter().find(|one| one["feature"].as_str().is_some_and(|f| f.contains(name)))
    };
    // The link of the Pi ran at 50 ms, the Mac's at 15 ms; the unlock write came from the Mac alone.
    let interval = named("link: interval").expect("the interval");
    assert_eq!(interval["effect"]["value"], 35.0);
    let unlock = named("step: Write 0x004c").expect("the write");
    assert_eq!(unlock["measured"]["good"], serde_json::json!([12, 12]));
    assert_eq!(unlock["measured"]["bad"], serde_json::json!([0, 12]));
    let text = survey(folder.path(), &sides);
    let pair = out(&text).lines().find(|line| line.starts_with("a usual pair")).expect("a pair");
    assert!(pair.contains("pass-") && pair.contains("fail-"), "{pair}");
    // Four runs of a kind say nothing.
    let few = runs(4, 12);
    let output = survey(few.path(), &sides);
    assert!(out(&output).contains("too few runs to say"), "{}", out(&output));
}

/// Runs of the laboratory, dealt to two groups by chance: nothing sets them apart. With another supervision timeout
/// written into all links of one group, that is told, and nothing else.
#[test]
fn a_difference_that_is_planted_in_runs_of_the_laboratory_is_told_alone() {
    let lab = common::fixture("lab");
    if !lab.is_dir() {
        eprintln!("skipped: the laboratory's captures are not here");
        return;
    }
    let said = survey(&lab, &[".", "-f", "json"]);
    let said: Value = serde_json::from_str(out(&said)).expect("JSON");
    let rows = said["captures"].as_array().expect("rows").iter();
    let linked = rows.filter(|row| row["features"]["link: supervision timeout (ms)"].is_number());
    let mut runs: Vec<&str> = linked.filter_map(|row| row["file"].as_str()).collect();
    runs.retain(|file| file.ends_with(".btsnoop"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let told = |planted: bool, runs: &[&str]| -> Vec<String> {
        for (at, file) in runs.iter().take(60).enumerate() {
            let group = folder.path().join(if at < 30 { "good" } else { "bad" });
            fs::create_dir_all(&group).expect("a folder");
            let mut capture = fs::read(lab.join(file)).expect("a capture");
            if planted && at >= 30 {
                set_timeouts(&mut capture, 500 + at as u16);
            }
            fs::write(group.join(format!("{at:02}.btsnoop")), capture).expect("a copy");
        }
        let sides = ["good", "bad", "--good", "good/*", "--bad", "bad/*", "-f", "json"];
        let said: Value = serde_json::from_str(out(&survey(folder.path(), &sides))).expect("JSON");
        let apart = &said["apart"];
        assert_eq!((&apart["good"], &apart["bad"]), (&30.into(), &30.into()));
        assert!(apart["tested"].as_u64().is_some_and(|tested| tested >= 20), "{apart}");
        let all = apart["differences"].as_array().expect("differences");
        all.iter().filter_map(|one| one["feature"].as_str().map(str::to_owned)).collect()
    };
    for seed in 1..=3 {
        deal(&mut runs, seed);
        assert_eq!(told(false, &runs), Vec::<String>::new(), "dealt with {seed}");
        assert_eq!(told(true, &runs), ["link: supervision timeout (ms)"], "dealt with {seed}");
    }
}

/// Writes another supervision timeout, in 10 ms, into every LE Connection Complete (Core, Vol 4, Part E, 7.7.65.1 and
/// 7.7.65.10).
fn set_timeouts(capture: &mut [u8], timeout: u16) {
    for (event, at) in [([0x3e, 0x13, 0x01, 0x00], 18), ([0x3e, 0x1f, 0x0a, 0x00], 30)] {
        for begin in 0..capture.len().saturating_sub(at + 1) {
            if capture[begin..].starts_with(&event) {
                capture[begin + at..begin + at + 2].copy_from_slice(&timeout.to_le_bytes());
            }
        }
    }
}

/// Mixes the runs, in the same way for the same seed.
fn deal(runs: &mut [&str], seed: u64) {
    let mut state = seed;
    for at in (1..runs.len()).rev() {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        runs.swap(at, (state >> 33) as usize % (at + 1));
    }
}

#[test]
fn labels_come_from_a_table() {
    let folder = runs(2, 2);
    fs::write(
        folder.path().join("runs.csv"),
        "pass-00.pklg,old firmware\nmore/fail-00.btsnoop, new firmware\n\"fail-01.btsnoop\",new firmware\n",
    )
    .expect("a file");
    let output =
        survey(folder.path(), &["runs", "--label", "runs.csv", "--by", "label", "-f", "json"]);
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    let groups = said["groups"].as_array().expect("groups");
    let count = |name: Value| {
        groups.iter().find(|group| group["name"] == name).map(|g| g["captures"].clone())
    };
    assert_eq!(count("old firmware".into()), Some(1.into()));
    assert_eq!(count("new firmware".into()), Some(2.into()));
    assert_eq!(count(Value::Null), Some(1.into()));
    // A file that is named alone goes by its path, as it was typed, too.
    let path = folder.path().join("runs/pass-00.pklg").display().to_string();
    fs::write(folder.path().join("runs.csv"), format!("{path},whole path\n")).expect("a file");
    let by_label = ["--label", "runs.csv", "--by", "label", "-f", "json"];
    let output = survey(folder.path(), &[&[path.as_str()][..], &by_label].concat());
    assert!(out(&output).contains("whole path"), "{output:?}");
    // A table of other files is a mistake, and not a survey without labels.
    let output = survey(folder.path(), &[&["runs/more"][..], &by_label].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--label"), "{output:?}");
}

#[test]
fn the_same_files_give_the_same_survey() {
    let folder = runs(6, 6);
    let first = survey(folder.path(), &["runs", "-f", "json"]);
    for _ in 0..3 {
        assert_eq!(survey(folder.path(), &["runs", "-f", "json"]).stdout, first.stdout);
    }
}

#[test]
fn nothing_to_read_is_trouble() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("picture.png"), b"\x89PNG no capture at all, but a picture")
        .expect("a file");
    assert_eq!(survey(folder.path(), &["."]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &["nowhere"]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &[".", "--label", "nowhere.csv"]).status.code(), Some(2));
    assert_eq!(survey(folder.path(), &[".", "--good", "[", "--bad", "x"]).status.code(), Some(2));
}

const TABLES: [&str; 5] = ["captures", "connections", "steps", "findings", "claims"];

fn tables(folder: &Path) -> Vec<Vec<u8>> {
    let path = |name| folder.join(name).with_extension("parquet");
    TABLES.iter().map(|name| fs::read(path(name)).expect("a table")).collect()
}

#[test]
fn tables_are_the_same_however_many_files_are_read_at_a_time() {
    let folder = runs(7, 6);
    let mut made = Vec::new();
    for jobs in ["1", "2", "5", "40"] {
        let output = survey(folder.path(), &["runs", "-o", "tables/", "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        made.push(tables(&folder.path().join("tables")));
        assert!(made.last().is_some_and(|all| all.iter().all(|table| table.starts_with(b"PAR1"))));
    }
    assert!(made.windows(2).all(|two| two[0] == two[1]));
    // Five files and nothing else, whatever was needed on the way.
    let left = fs::read_dir(folder.path().join("tables")).expect("a folder").count();
    assert_eq!(left, TABLES.len());
}

/// A survey of the folder that it writes into does not read what it wrote before, and refuses to replace a capture.
#[test]
fn a_survey_does_not_count_itself() {
    let folder = runs(2, 1);
    let here = [".", "-o", "tables", "-o", "survey.json"];
    let first = survey(folder.path(), &here);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let (before, json) =
        (tables(&folder.path().join("tables")), fs::read(folder.path().join("survey.json")));
    let again = survey(folder.path(), &here);
    assert_eq!((again.status.code(), again.stdout), (Some(0), first.stdout));
    assert_eq!(tables(&folder.path().join("tables")), before);
    assert_eq!(fs::read(folder.path().join("survey.json")).ok(), json.ok());
    let capture = fs::read(folder.path().join("runs/pass-00.pklg")).expect("a capture");
    fs::write(folder.path().join("survey.json"), &capture).expect("a file");
    assert_eq!(survey(folder.path(), &here).status.code(), Some(2));
    assert_eq!(fs::read(folder.path().join("survey.json")).expect("a file"), capture);
}

#[test]
fn an_output_that_cannot_be_written_changes_nothing() {
    let folder = runs(1, 1);
    fs::write(folder.path().join("in-the-way"), b"kept").expect("a file");
    for output in ["in-the-way/tables", "survey.xml", "nowhere/survey.json"] {
        let said = survey(folder.path(), &["runs", "-o", output]);
        assert_eq!(said.status.code(), Some(2), "{output}");
        assert!(!said.stderr.is_empty() && said.stdout.is_empty(), "{output}");
    }
    // A table that cannot be replaced: none is.
    fs::create_dir_all(folder.path().join("tables/steps.parquet")).expect("a folder");
    let said = survey(folder.path(), &["runs", "-o", "tables", "-o", "survey.json"]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    assert!(!folder.path().join("tables/captures.parquet").exists());
    assert!(!folder.path().join("survey.json").exists());
    let two = survey(folder.path(), &["runs", "-o", "one/", "-o", "other/"]);
    assert_eq!(two.status.code(), Some(2));
}

/// Links that lead from folder to folder: each folder is read once, and each link is a row.
#[cfg(unix)]
#[test]
fn links_never_lead_in_a_circle() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = flagship().remove(0);
    let (inside, outside) = (folder.path().join("runs"), folder.path().join("outside"));
    // Twelve folders that all link to each other: without a memory, 12! ways through them.
    for at in 0..12 {
        for side in [&inside, &outside] {
            let one = side.join(format!("{at:02}"));
            fs::create_dir_all(&one).expect("a folder");
            fs::copy(&capture, one.join("run.pklg")).expect("a copy");
            for other in 0..12 {
                symlink(side.join(format!("{other:02}")), one.join(format!("to-{other:02}")))
                    .expect("a link");
            }
        }
    }
    symlink(&outside, inside.join("outside")).expect("a link");
    let output = survey(folder.path(), &["runs", "-f", "json"]);
    let said: Value = serde_json::from_str(out(&output)).expect("JSON");
    let rows = said["captures"].as_array().expect("rows");
    let (read, links): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["unread"].is_null());
    // Twelve inside. Outside, each folder is entered by its own name or by one link, and read at least once.
    let outside: Vec<&str> = read
        .iter()
        .filter_map(|row| row["file"].as_str())
        .filter(|file| file.starts_with("outside/"))
        .collect();
    assert_eq!(read.len() - outside.len(), 12);
    assert!((12..=24).contains(&outside.len()), "{}", outside.len());
    assert!(links.iter().all(|row| row["unread"].as_str().is_some_and(|why| why.contains("link"))));
}

/// The page is one file that fetches nothing and runs nothing; its picture has the runs of each group and says in words
/// what it shows.
#[test]
fn the_page_has_a_picture_of_each_group() {
    let folder = runs(12, 11);
    let sides = ["runs", "--good", "runs/pass-*", "--bad", "runs/more/fail-*"];
    let output = survey(folder.path(), &[&sides[..], &["-o", "survey.html"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = fs::read_to_string(folder.path().join("survey.html")).expect("the page");
    let printed = survey(folder.path(), &[&sides[..], &["-f", "html"]].concat());
    assert!(out(&printed) == page);
    for foreign in ["<script", "http:", "https:", "url(", "@import", " src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let document = roxmltree::Document::parse_with_options(
        &page,
        roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
    )
    .expect("well-formed");
    let pictures: Vec<_> = document.descendants().filter(|node| node.has_tag_name("svg")).collect();
    assert_eq!(pictures.len(), 2, "one wide and one narrow");
    for picture in pictures {
        assert_eq!(picture.attribute("role"), Some("img"));
        let of = |tag: &str| {
            let found = picture.children().find(|node| node.has_tag_name(tag));
            found.and_then(|node| node.text()).unwrap_or_default().to_owned()
        };
        assert!(!of("title").is_empty());
        let says = of("desc");
        assert!(
            says.contains("good: 12 captures, pass-00.pklg: connect, link set-up, MTU"),
            "{says}"
        );
        assert!(says.contains("bad: 11 captures, more/fail-00.btsnoop:"), "{says}");
        let lanes = picture
            .descendants()
            .filter(|node| node.has_tag_name("text") && node.attribute("class") == Some("lane"));
        let words: Vec<String> =
            lanes.filter_map(|node| Some(node.children().next()?.text()?.to_owned())).collect();
        // All runs of a side are copies: one of each is enough.
        let expected =
            ["good: 12 captures", "bad: 11 captures", "pass-00.pklg", "more/fail-00.btsnoop"];
        assert_eq!(words, expected);
    }
    assert!(page.contains("hcidiff pass-0") && page.contains("<td>link: interval (ms)</td>"));
}
