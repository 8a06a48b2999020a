//! What several behaviour tests need: fixtures by name, and the real binary.
#![allow(dead_code, reason = "each test uses a part")]
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
