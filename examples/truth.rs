//! Every laboratory capture and pair gets the verdict that `fixtures/lab/EXPECTED.tsv` names: which rule
//! comes first, which others may stand above a note, and which tempting mistakes must not be made.
use hcidiff::capture::{Input, OpenOptions};
use hcidiff::link::Capture;
use hcidiff::rules::{Level, Scene, diagnose};
use hcidiff::{compare, pipeline};
use std::path::Path;

fn read(name: &str) -> Capture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab").join(name);
    pipeline::read(&Input::Path(path), &OpenOptions::default(), None)
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn main() {
    let table = include_str!("../fixtures/lab/EXPECTED.tsv");
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in table.lines().filter(|l| !l.starts_with('#') && !l.starts_with("reference\t")) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("");
        let (reference, subject, first, may, never) = (cell(), cell(), cell(), cell(), cell());
        rows += 1;
        let captures: Vec<Capture> =
            [reference, subject].into_iter().filter(|n| *n != "-").map(read).collect();
        let comparison = compare::of_captures(&captures);
        let scene = Scene {
            captures: &captures,
            subject: captures.len() - 1,
            comparison: comparison.as_ref(),
        };
        let found: Vec<&str> =
            diagnose(&scene).iter().filter(|f| f.level != Level::Note).map(|f| f.rule).collect();
        let first: Vec<&str> = first.split('|').collect();
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
    println!("{}\n{} of {rows} rows are wrong", wrong.join("\n"), wrong.len());
}
