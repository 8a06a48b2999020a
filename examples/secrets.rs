//! Collects the keys that captures hold, and fails if any output of any capture shows one.
//!
//! `cargo run --release --example secrets -- ../shared`
#[path = "../tests/secrets/keys.rs"]
mod keys;
#[allow(dead_code, reason = "the suite of planted secrets uses all of it")]
#[path = "../tests/secrets/outputs.rs"]
mod outputs;
#[allow(dead_code, reason = "the suite of planted secrets uses all of it")]
#[path = "../tests/secrets/search.rs"]
mod search;

use hcidiff::capture::{self, Input, OpenOptions};
use hcidiff::decode::Decoder;
use outputs::Output;
use search::{Search, Secret};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Of larger captures not every output is looked at, but the ones that hold most.
const LARGE: u64 = 1 << 20;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("usage: secrets FOLDER");
        return ExitCode::from(2);
    };
    let mut files = Vec::new();
    list(&folder, &mut files);
    files.sort();
    let (mut captures, mut keys, mut looked, mut leaks) = (0, 0, 0, 0);
    for file in &files {
        let Some(secrets) = secrets(file) else { continue };
        captures += 1;
        if secrets.is_empty() {
            continue;
        }
        keys += secrets.len();
        let search = Search::of(&secrets);
        for output in shown(file) {
            looked += 1;
            for what in search.leaks(&output.text) {
                println!("BAD  {}, {}: {what}", file.display(), output.name);
                leaks += 1;
            }
        }
    }
    println!("{captures} captures, {keys} keys in them, {looked} outputs, {leaks} leaks");
    // Without keys nothing was proven.
    if leaks == 0 && keys > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All files in a folder and the folders in it. Links are not followed: they lead back.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

fn shown(file: &Path) -> Vec<Output> {
    let files = [file.to_path_buf()];
    if std::fs::metadata(file).is_ok_and(|found| found.len() < LARGE) {
        return outputs::of(&files);
    }
    let mut shown = outputs::reports(&files, true, false);
    shown.push(outputs::events(&files, outputs::Style::JsonLines, true, false));
    shown
}

/// The keys of a capture; `None` where the file is none.
fn secrets(file: &Path) -> Option<Vec<Secret>> {
    let mut source = capture::open(&Input::from(file), &OpenOptions::default()).ok()?.source;
    let mut decoder = Decoder::new();
    let mut secrets = Vec::new();
    while let Ok(Some(record)) = source.next() {
        let event = decoder.decode(&record);
        let (bytes, places) = keys::of(&event.packet);
        for (at, length) in places {
            let Some(key) = bytes.get(*at..at + length) else { continue };
            // Zeroes, and test keys of one byte, are nobody's.
            if key.iter().any(|byte| *byte != key[0]) {
                let what = format!("a key of frame {}", event.frame);
                secrets.push(Secret { what, bytes: key.to_vec(), text: None, identity: false });
            }
        }
    }
    Some(secrets)
}
