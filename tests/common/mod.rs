//! What several behaviour tests need: fixtures by name, and the real binary.
#![allow(dead_code, reason = "each test uses a part")]
use hcidiff::case::{self, Analysis};
use hcidiff::compare::Options;
use hcidiff::report::Report;
use hcidiff::timeline::Capture;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The captures of `fixtures/pairs/<case>`, the reference first.
pub fn pair(case: &str) -> Vec<PathBuf> {
    let folder = fixture("pairs").join(case);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

pub fn flagship() -> Vec<PathBuf> {
    vec![fixture("flagship/mac.pklg"), fixture("flagship/pi.btsnoop")]
}

/// The program as a pipe sees it.
pub fn hcidiff(files: &[PathBuf], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(arguments)
        .args(files)
        .env_clear()
        .output()
        .unwrap()
}

/// What the program wrote to its standard output.
pub fn report(files: &[PathBuf], arguments: &[&str]) -> String {
    String::from_utf8(hcidiff(files, arguments).stdout).unwrap()
}

/// What `hcidiff events` says of a capture, one event a record.
pub fn events(path: &Path) -> Vec<Value> {
    let lines = report(&[path.to_owned()], &["events", "--format", "jsonl"]);
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The program with something on its standard input: status, output, and what it said.
pub fn piped(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The report of captures after something was done to them.
pub fn made_of(files: &[PathBuf], change: impl Fn(&mut Capture)) -> Report {
    let read = |file: &PathBuf| case::read(&file.into()).unwrap();
    let mut captures: Vec<Capture> = files.iter().map(read).collect();
    captures.iter_mut().for_each(change);
    Report::from(Analysis::of(captures, &Options::default()))
}
