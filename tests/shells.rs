//! Completions and the manual page: every option in each, and fit for the programs that read them.
#![cfg(feature = "cli")]
mod common;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

/// Options of the main job, by their long names.
const OPTIONS: &[&str] = &[
    "format",
    "output",
    "window",
    "peer",
    "adapter",
    "connection",
    "from",
    "to",
    "witness",
    "reference-witness",
    "reference-connection",
    "subject-connection",
    "tz-offset",
    "member",
    "salvage",
    "label",
    "show-addresses",
    "aliases",
    "show-values",
    "strict",
    "full",
    "color",
    "fail-on",
    "exit-zero",
    "quiet",
];
const COMMANDS: &[&str] = &[
    "events",
    "explain",
    "check",
    "doctor",
    "record",
    "watch",
    "recipe",
    "share",
    "survey",
    "schema",
    "completions",
    "man",
];

fn said(arguments: &[&str]) -> String {
    let output = common::hcidiff(&[], arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a program makes of the text on its standard input, or `None` where it is not installed.
fn read_by(program: &str, arguments: &[&str], text: &str) -> Option<(bool, String, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("piped");
    let text = text.to_owned();
    // From a thread of its own, lest both sides wait for a full pipe.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((output.status.success(), lossy(&output.stdout), lossy(&output.stderr)))
}

/// Whether an option stands there whole: `--peer` is not seen in `--peer-address`.
fn names(text: &str, option: &str) -> bool {
    text.match_indices(option).any(|(at, _)| {
        let next = text[at + option.len()..].chars().next();
        !next.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    })
}

#[test]
fn every_shell_completes_every_option_and_command() {
    for shell in SHELLS {
        let script = said(&["completions", shell]);
        for option in OPTIONS {
            // fish names long options without their dashes.
            let spelled =
                if shell == "fish" { format!("-l {option}") } else { format!("--{option}") };
            assert!(names(&script, &spelled), "{shell} lacks {spelled}");
        }
        for command in COMMANDS {
            assert!(names(&script, command), "{shell} lacks {command}");
        }
    }
}

#[test]
fn the_options_listed_here_are_those_that_the_program_takes() {
    let help = said(&["--help"]);
    let taken: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('-'))
        .filter_map(|line| line.split_once("--").map(|(_, rest)| rest).or(line.strip_prefix('-')))
        .filter_map(|rest| rest.split([' ', ',']).next())
        .collect();
    let listed: BTreeSet<&str> = OPTIONS.iter().copied().chain(["help", "version"]).collect();
    assert_eq!(taken, listed);
}

#[test]
fn shells_parse_their_scripts() {
    for (shell, arguments) in [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["-n"])] {
        let script = said(&["completions", shell]);
        if let Some((fine, _, err)) = read_by(shell, &arguments, &script) {
            assert!(fine && err.is_empty(), "{shell}: {err}");
        }
    }
}

/// What bash offers for the last of the words.
fn offered(words: &[&str]) -> Option<Vec<String>> {
    let mut script = said(&["completions", "bash"]);
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let last = words.len() - 1;
    script += &format!(
        "\nCOMP_WORDS=({}); COMP_CWORD={last}; COMPREPLY=()\n\
         _hcidiff hcidiff '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        quoted.join(" "),
        words[last],
        words[last - 1],
    );
    let (_, out, _) = read_by("bash", &["--norc"], &script)?;
    Some(out.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn bash_offers_what_can_come_next() {
    let Some(options) = offered(&["hcidiff", "--s"]) else { return };
    assert_eq!(
        options,
        ["--subject-connection", "--salvage", "--show-addresses", "--show-values", "--strict"]
    );
    let formats = offered(&["hcidiff", "--format", ""]).expect("bash was there");
    assert_eq!(formats, ["terminal", "markdown", "json", "html", "facts"]);
    let formats = offered(&["hcidiff", "events", "--format", "j"]).expect("bash was there");
    assert_eq!(formats, ["jsonl"]);
}

#[test]
fn the_manual_page_has_every_option_and_command() {
    let page = said(&["man"]).replace("\\-", "-");
    for option in OPTIONS {
        assert!(names(&page, &format!("--{option}")), "the page lacks --{option}");
    }
    for command in COMMANDS {
        assert!(page.contains(&format!(".SS \"hcidiff {command}")), "the page lacks {command}");
    }
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "\"EXIT STATUS\"", "EXAMPLES"] {
        assert!(page.contains(&format!(".SH {section}\n")), "the page lacks {section}");
    }
}

#[test]
fn groff_sets_the_manual_page_without_a_complaint() {
    let page = said(&["man"]);
    let arguments = ["-k", "-man", "-Tutf8", "-ww", "-P-cbou"];
    let Some((fine, out, err)) = read_by("groff", &arguments, &page) else { return };
    assert!(fine && err.is_empty(), "{err}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("--tz-offset <±HH:MM>"), "{out}");
    assert!(words.contains("Trouble: unreadable input"), "{out}");
}

/// The promise made to scripts, where its text is at hand: the table of options in its first section.
#[test]
fn the_contract_names_the_same_options() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/CONTRACT.md");
    let Ok(contract) = std::fs::read_to_string(path) else { return };
    let section = contract.split("\n## ").nth(1).expect("a first section");
    let mut promised: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('|').next())
        .flat_map(|cell| cell.split("--").skip(1))
        .filter_map(|rest| rest.split([' ', '`', ',']).next())
        .collect();
    // Promised in a later section, in running text.
    promised.extend(["fail-on", "witness", "reference-witness"]);
    // Ours beyond the contract: a part of a capture.
    promised.extend(["connection", "from", "to"]);
    assert_eq!(promised, OPTIONS.iter().copied().collect());
}
