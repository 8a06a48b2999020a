//! Shares captures one by one and looks at what came out: `share PATH…` reads files and folders.
//!
//! For each capture: whether it can be shared, and, where tshark is there, whether the new capture has a malformed
//! packet where the original has none. The last line counts; the exit status is 1 where something is wrong.
use hcidiff::Case;
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::share::{self, Draft, Options, Refusal, Trim};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut paths = Vec::new();
    let mut trim = Trim::Story;
    let mut tshark = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--trim-none" => trim = Trim::None,
            "--tshark" => tshark = true,
            path => walk(Path::new(path), &mut paths),
        }
    }
    let (mut shared, mut refused, mut wrong) = (0, 0, 0);
    let mut levels: BTreeMap<&str, u32> = BTreeMap::new();
    for path in &paths {
        let case = Case::one(Input::from(path));
        let options = Options { trim, ..Options::default() };
        let draft = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Draft>);
        match share::share(&case, &options, &draft) {
            Ok(mut bundle) => {
                shared += 1;
                *levels.entry(bundle.trim.word()).or_default() += 1;
                let mut bytes = Vec::new();
                let part = &mut bundle.parts[0];
                let read = part.file.rewind().and_then(|()| part.file.read_to_end(&mut bytes));
                if read.is_err() || !reads(&part.name, &bytes, part.records_after) {
                    wrong += 1;
                    println!("{}: the new capture cannot be read to its end", path.display());
                }
                if tshark && let Some(what) = newly_malformed(path, &part.name, &bytes) {
                    wrong += 1;
                    println!("{}: {what}", path.display());
                }
            }
            Err(
                Refusal::Capture { .. }
                | Refusal::Unreadable(_)
                | Refusal::Text { .. }
                | Refusal::Air { .. },
            ) => {
                refused += 1;
            }
            Err(refusal) => {
                wrong += 1;
                println!("{}: {refusal}", path.display());
            }
        }
    }
    println!("{shared} shared {levels:?}, {refused} no captures, {wrong} wrong");
    ExitCode::from(u8::from(wrong > 0))
}

fn walk(path: &Path, paths: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, paths));
    } else {
        paths.push(path.to_owned());
    }
}

/// Whether a capture holds so many records.
fn reads(name: &str, bytes: &[u8], records: u64) -> bool {
    let Ok(mut opened) = open(&Input::bytes(name, bytes), &OpenOptions::default()) else {
        return records == 0;
    };
    let mut count = 0;
    while let Ok(Some(_)) = opened.source.next() {
        count += 1;
    }
    count == records
}

/// What tshark calls malformed in the new capture, beyond what it calls so in the original.
fn newly_malformed(original: &Path, name: &str, bytes: &[u8]) -> Option<String> {
    let new = std::env::temp_dir().join(format!("hcidiff-share-{}-{name}", std::process::id()));
    std::fs::write(&new, bytes).ok()?;
    let before = malformed(original);
    let after = malformed(&new);
    let _ = std::fs::remove_file(&new);
    let (before, after) = (before?, after?);
    (after > before).then(|| format!("tshark finds {after} malformed packets, {before} before"))
}

fn malformed(path: &Path) -> Option<usize> {
    let run = Command::new("tshark")
        .args(["-n", "-Y", "_ws.malformed", "-T", "fields", "-e", "frame.number", "-r"])
        .arg(path)
        .output()
        .ok()?;
    // What tshark cannot read it does not judge.
    run.status.success().then(|| run.stdout.split(|byte| *byte == b'\n').count() - 1)
}
