//! What is written in `docs/` is what the program says.
#![cfg(feature = "cli")]
use std::path::Path;
use std::process::Command;

/// A page of `docs/` holds what is made from the source. `UPDATE_DOCS=1 cargo test --test docs` writes it anew.
fn is_current(page: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    if written != made && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).expect("the page can be written");
        return;
    }
    assert!(written == made, "{page} is not current: UPDATE_DOCS=1 cargo test --test docs");
}

#[test]
fn the_index_of_rules_is_current() {
    is_current("docs/rules.md", &hcidiff::explain::rules_page());
}

/// One page a rule, at the address that reports link to; and no page of a rule that is no more.
#[test]
fn the_page_of_every_rule_is_current() {
    use hcidiff::diagnose::{RULES, Rule};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let mut expected: Vec<String> = RULES.iter().map(|rule| format!("{}.md", rule.id)).collect();
    for rule in RULES {
        assert_eq!(Rule::page(rule.id), format!("docs/rules/{}.md", rule.id));
        is_current(&Rule::page(rule.id), &hcidiff::explain::rule_page(rule));
    }
    let entries = std::fs::read_dir(folder).expect("docs/rules is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut found: Vec<String> = names.map(|name| name.expect("UTF-8")).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "docs/rules has a page of every rule, and nothing else");
}

/// What stands between this line and the next heading of the page is made from the tables themselves.
const TABLES: &str = "<!-- Made from the code: UPDATE_DOCS=1 cargo test --test docs -->\n";

/// `UPDATE_DOCS=1 cargo test --test docs` writes it anew.
#[test]
fn the_schema_of_the_tables_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/many-captures.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(TABLES).expect("the page has its mark");
    let (_, after) = rest.split_once("\n## ").expect("a heading follows");
    let current = format!("{before}{TABLES}{}\n## {after}", hcidiff::survey::tables::page());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).expect("docs/ can be written");
        return;
    }
    assert!(page == current, "docs/many-captures.md: UPDATE_DOCS=1 cargo test --test docs");
}

fn explain(what: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("explain")
        .args(what)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn explain_knows_rules_codes_and_texts_and_says_when_it_does_not() {
    for (what, says) in [
        ("never-heard-peer", "The device never answered"),
        ("0x3e", "six connection intervals"),
        ("att:0x0a", "normal end of every discovery"),
        ("smp:0x05", "pairing mode"),
        ("mgmt:3", "remote host"),
        ("le-connection-abort-by-local", "does not say who aborted"),
    ] {
        let (code, out, _) = explain(&[what]);
        assert_eq!(code, Some(0), "{what}");
        let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(says), "{what}: {out}");
    }
    let (code, out, _) = explain(&[]);
    assert_eq!(code, Some(0));
    assert!(out.contains("never-heard-peer") && out.contains("le-connection-abort-by-local"));
    let (code, _, err) = explain(&["flux-compensator"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("flux-compensator"), "{err}");
}

const EXAMPLES: &[(&str, &str)] =
    &[("report-example.md", "markdown"), ("report-example.html", "html")];

/// The example that the README points to: the flagship pair of a device that was heard and hung up.
#[test]
fn the_example_reports_are_what_the_program_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let flagship = root.join("fixtures/flagship");
    for (file, format) in EXAMPLES {
        let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
            .args([flagship.join("mac.pklg"), flagship.join("pi-kicked.btsnoop")])
            .args(["--format", format])
            .output()
            .expect("it runs");
        let path = root.join("docs").join(file);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &output.stdout).expect("docs/ can be written");
        }
        let written = std::fs::read(&path).unwrap_or_default();
        assert!(written == output.stdout, "docs/{file}: UPDATE_DOCS=1 cargo test --test docs");
    }
}

/// Every file or folder that a page names, relative to the root of the project or to the room that the line is about.
#[test]
fn files_that_the_pages_name_are_there() {
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").exists() {
        eprintln!("a package has not all files that the pages name: skipped");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "fixtures/README.md"] {
        let text = std::fs::read_to_string(root.join(page)).expect("the page is there");
        let mut named = 0;
        for line in text.lines() {
            let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            // In a table, a line's first cell is the folder that the others lie in.
            let room = line.starts_with('|').then(|| quoted.first().copied().unwrap_or(""));
            for name in quoted.iter().filter(|name| is_file(name)) {
                let mut places = vec![root.join(name)];
                places.extend(room.map(|room| root.join(room).join(name)));
                places.push(root.join(page).with_file_name(name));
                named += 1;
                assert!(places.iter().any(|place| place.exists()), "{page} names {name}");
            }
        }
        assert!(named > 3, "{page} names {named} files");
    }
}

/// Whether a quoted word is the name of one of our files: a path of ours, or a Rust file.
fn is_file(name: &str) -> bool {
    let ours =
        ["src/", "tests/", "fixtures/", "scripts/", "docs/", "examples/", "benches/", ".ci/"];
    let plain = !name.contains([' ', '<', '*', '…', '{']);
    plain && (ours.iter().any(|folder| name.starts_with(folder)) || name.ends_with(".rs"))
}

/// What the README says of twelve words is what `hcidiff explain` says of them.
#[test]
fn the_readme_explains_twelve_words_as_explain_does() {
    const TWELVE: [&str; 12] = [
        "advertising",
        "central and peripheral",
        "controller and host",
        "HCI",
        "connection interval",
        "supervision timeout",
        "GATT",
        "ATT",
        "MTU",
        "bonding",
        "RSSI",
        "never heard",
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let page = std::fs::read_to_string(&path).expect("the README is there");
    let (before, rest) = page.split_once("<!-- twelve words: ").expect("the words begin");
    let (how, rest) = rest.split_once("-->\n").expect("the comment ends");
    let (_, after) = rest.split_once("<!-- end -->").expect("the words end");
    let says = |word: &str| hcidiff::explain::glossary().find(|(title, _)| *title == word);
    let rows = TWELVE.iter().map(|word| {
        let (title, says) = says(word).expect("it is in the glossary");
        format!("| **{title}** | {says} |\n")
    });
    let rows: String = rows.collect();
    let now =
        format!("{before}<!-- twelve words: {how}-->\n| | |\n|---|---|\n{rows}<!-- end -->{after}");
    // Other tests read the page meanwhile: it is written only where it changes.
    if now != page && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &now).expect("the README can be written");
        return;
    }
    assert!(now == page, "README.md: UPDATE_DOCS=1 cargo test --test docs");
}

/// Each symptom leads to the card that stands beside it.
#[test]
fn the_readme_s_symptoms_lead_to_their_cards() {
    use hcidiff::explain::{Answer, answer};
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let page = std::fs::read_to_string(path).expect("the README is there");
    let (_, table) = page.split_once("| you see | it means | read on |\n").expect("a table");
    let card = |words: &str| match answer(words) {
        Answer::Cards(text) => text.lines().next().unwrap_or_default().to_owned(),
        Answer::Nearest(near) => panic!("{words}: no card, but {near:?}"),
    };
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let mut symptoms = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let words = cells[2].trim().trim_matches('`').strip_prefix("hcidiff explain ");
        let expected = card(words.unwrap_or_else(|| panic!("{row}")));
        for symptom in cells[0].split('`').skip(1).step_by(2) {
            assert_eq!(card(symptom), expected, "{symptom}");
            symptoms += 1;
        }
    }
    assert!(symptoms > 9, "{symptoms}");
}

/// `jq` over the JSON of the pair that ships, as the README has it; skipped where jq is not installed.
#[test]
fn the_jq_lines_of_the_readme_say_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let flagship = root.join("fixtures/flagship");
    let report = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args([flagship.join("mac.pklg"), flagship.join("pi-kicked.btsnoop")])
        .args(["--format", "json"])
        .output()
        .expect("it runs");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("report.json"), &report.stdout).expect("it can be written");
    let text = std::fs::read_to_string(root.join("README.md")).expect("the README is there");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("jq ")).collect();
    assert!(lines.len() >= 3, "{lines:?}");
    for line in lines {
        let output = Command::new("sh").args(["-c", line]).current_dir(folder.path()).output();
        let Ok(output) = output else { return };
        if output.status.code() == Some(127) {
            return;
        }
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.trim().is_empty() && !said.contains("null"), "{line}: {said}");
    }
}
