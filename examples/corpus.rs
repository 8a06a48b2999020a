//! Reads every capture of a folder of real and of lab captures, one line a file, and fails if
//! one gives another number of records than an independent count says, or if of a text fewer
//! than 99 % of the lines that begin a packet are understood.
//!
//! `cargo run --release --example corpus -- ../shared`: the folder holds `captures/` with a
//! `catalogue.json` and `lab/` with btsnoop and PacketLogger files.
use hcidiff::capture::{CaptureError, Input, OpenOptions, Opened, WarningKind, open};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file and what is known of it.
struct Case {
    path: PathBuf,
    expected: Expected,
}

enum Expected {
    Records(u64),
    Refused,
    /// A text with so many lines that begin a packet. Several may show one packet.
    Text(u64),
}

/// What reading a file gave: the columns of its line.
struct Row {
    format: String,
    records: u64,
    warnings: Vec<&'static str>,
    /// Lines that begin a packet and were not understood.
    puzzles: u64,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("usage: corpus FOLDER");
        return ExitCode::from(2);
    };
    let mut cases = catalogue(&folder.join("captures"));
    cases.extend(lab(&folder.join("lab")));
    if cases.is_empty() {
        eprintln!("no captures below {}", folder.display());
        return ExitCode::from(2);
    }
    let mut wrong = 0;
    for case in &cases {
        let name = case.path.strip_prefix(&folder).unwrap_or(&case.path).display();
        let (verdict, line) = judge(&case.expected, read(&case.path));
        wrong += u32::from(!verdict);
        println!("{} {line}  {name}", if verdict { "ok  " } else { "BAD " });
    }
    println!("{} files, {wrong} wrong", cases.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &Path) -> Result<Row, CaptureError> {
    let options = OpenOptions::default();
    let Opened { mut source, .. } = open(&Input::Path(path.into()), &options)?;
    let mut records = 0;
    while source.next()?.is_some() {
        records += 1;
    }
    let description = source.describe();
    let warnings = source.warnings();
    let puzzles = warnings.iter().find(|warning| warning.kind == WarningKind::LinesNotUnderstood);
    let puzzles = puzzles.and_then(|warning| warning.text.split(' ').next()?.parse().ok());
    let puzzles = puzzles.unwrap_or(0);
    let warnings = warnings.iter().map(|warning| warning.kind.word()).collect();
    let format = format!("{} {}", description.format, description.variant);
    Ok(Row { format, records, warnings, puzzles })
}

fn judge(expected: &Expected, got: Result<Row, CaptureError>) -> (bool, String) {
    match (expected, got) {
        (Expected::Records(expected), Ok(row)) => {
            let warnings = row.warnings.join(" ");
            let line = format!("{:>8} of {expected:<8} {:<32} {warnings}", row.records, row.format);
            (row.records == *expected, line)
        }
        (Expected::Text(begun), Ok(row)) => {
            let (puzzles, warnings) = (row.puzzles, row.warnings.join(" "));
            let line = format!(
                "{:>8} in {begun:<4} {puzzles:>2}? {:<32} {warnings}",
                row.records, row.format
            );
            // One line a packet, but for PacketLogger, whose rows show a packet up to four times.
            let share = if row.format.starts_with("packetlogger") { 4 } else { 1 };
            let all = (row.records * share + puzzles) * 100 >= begun * 99;
            // Log lines of daemons are not counted above.
            let few = row.format.starts_with("btmon") || row.records <= *begun;
            (all && puzzles * 100 <= *begun && few, line)
        }
        (Expected::Refused, Err(CaptureError::Refused(why))) => (true, format!("refused: {why}")),
        (Expected::Refused, Ok(row)) => {
            (false, format!("read {} records as {}", row.records, row.format))
        }
        (_, Err(error)) => (false, format!("failed: {error}")),
    }
}

/// How many lines of a text begin a packet, by nothing but their first characters.
fn begun(format: &str, path: &Path) -> Option<u64> {
    let text = String::from_utf8_lossy(&fs::read(path).ok()?).into_owned();
    let begins: fn(&str) -> bool = match format {
        "txt-hcidump" => |line| {
            let (mark, rest) = line.split_at_checked(2).unwrap_or_default();
            ["< ", "> "].contains(&mark)
                && ["HCI ", "ACL data", "SCO data"].iter().any(|name| rest.starts_with(name))
        },
        "txt-packetlogger" => |line| {
            line.get(..6).is_some_and(|date| date.as_bytes()[3] == b' ' && !line.starts_with(' '))
                && line.get(15..20).is_some_and(|time| time.contains('.'))
        },
        "txt-btmon" | "txt-btmonlike" => begins_btmon,
        _ => return None,
    };
    u64::try_from(text.lines().filter(|line| begins(line)).count()).ok()
}

/// A mark and what btmon puts behind it; colours, quotes, a program's name may come before.
fn begins_btmon(line: &str) -> bool {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else if !char.is_control() {
            plain.push(char);
        }
    }
    let line = plain.trim_start();
    let line = line.split_once("]: ").filter(|(name, _)| !name.contains(' ')).map_or(line, |l| l.1);
    let line = line
        .strip_prefix("> ")
        .filter(|rest| rest.starts_with(['<', '>', '@', '=']))
        .unwrap_or(line);
    let Some((mark, rest)) = line.split_at_checked(2) else { return false };
    let labels: &[&str] = match mark {
        "< " | "> " => &["HCI Command:", "HCI Event:", "ACL Data", "SCO Data", "ISO Data"],
        "@ " => &["MGMT ", "RAW ", "USER ", "Control "],
        "= " => &[
            "Note: ",
            "New Index: ",
            "Open Index: ",
            "Close Index: ",
            "Index Info: ",
            "Delete Index: ",
            "bluetoothd",
        ],
        "* " => &["Unknown packet"],
        _ => &[],
    };
    labels.iter().any(|label| rest.starts_with(label))
}

/// The real captures, with the catalogue's counts.
fn catalogue(folder: &Path) -> Vec<Case> {
    let Ok(text) = fs::read_to_string(folder.join("catalogue.json")) else { return Vec::new() };
    let Ok(catalogue) = serde_json::from_str::<Value>(&text) else { return Vec::new() };
    let captures = catalogue["captures"].as_array().cloned().unwrap_or_default();
    let mut cases: Vec<Case> = captures.iter().filter_map(|entry| case(folder, entry)).collect();
    // A few pasted texts lie beside those that the catalogue counts.
    let texts = fs::read_dir(folder.join("btmon_text")).into_iter().flatten().flatten();
    let mut texts: Vec<_> = texts.map(|entry| entry.path()).collect();
    texts.sort();
    for path in texts {
        if cases.iter().all(|case| case.path != path)
            && let Some(begun) = begun("txt-btmon", &path)
        {
            cases.push(Case { path, expected: Expected::Text(begun) });
        }
    }
    cases
}

fn case(folder: &Path, entry: &Value) -> Option<Case> {
    let format = entry["format"].as_str()?;
    let path = folder.join(entry["file"].as_str()?);
    if format.starts_with("txt") {
        let begun = begun(format, &path)?;
        return Some(Case { path, expected: Expected::Text(begun) });
    }
    // One file of the set is corrupt.
    let expected = if entry["corrupt"] == true {
        Expected::Refused
    } else {
        let frames = entry["packets"].as_u64().or_else(|| entry["tshark"]["frames"].as_u64());
        Expected::Records(frames?)
    };
    Some(Case { path, expected })
}

/// The lab's btsnoop and PacketLogger files, counted by walking their length fields.
fn lab(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return cases };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for path in files {
            if let Some(records) = count(&path) {
                cases.push(Case { path, expected: Expected::Records(records) });
            }
        }
    }
    cases
}

fn count(path: &Path) -> Option<u64> {
    let ending = path.extension()?.to_str()?;
    let bytes = fs::read(path).ok()?;
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    let little = ending == "pklg" && *bytes.first()? != 0;
    let number = |at: usize| {
        let word = word(at)?;
        let number = if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) };
        Some(number as usize)
    };
    let (mut at, mut records) = match ending {
        "btsnoop" => (16, 0),
        "pklg" => (0, 0),
        _ => return None,
    };
    while at < bytes.len() {
        at += if ending == "btsnoop" { 24 + number(at + 4)? } else { 4 + number(at)? };
        records += 1;
    }
    Some(records)
}
