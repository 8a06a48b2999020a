//! Prints every finding of a capture, or of a pair, with its frames; or, for a folder with a
//! catalogue, of all real captures.
//!
//! `cargo run --release --example findings -- CAPTURE`, `-- REFERENCE SUBJECT`, or `-- --real ../shared`
use hcidiff::capture::{CaptureError, Input, OpenOptions};
use hcidiff::diagnose::{Level, Scene, diagnose};
use hcidiff::timeline::Capture;
use hcidiff::{compare, pipeline};
use std::path::PathBuf;

fn main() -> Result<(), CaptureError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--real", folder] => {
            let captures = PathBuf::from(folder).join("captures");
            let catalogue = std::fs::read_to_string(captures.join("catalogue.json"))?;
            let catalogue: serde_json::Value = serde_json::from_str(&catalogue).unwrap_or_default();
            for file in catalogue["captures"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|e| e["file"].as_str())
            {
                if let Ok(capture) = read(&captures.join(file)) {
                    print(file, &[capture], Level::Suspect);
                }
            }
        }
        [one] => print(one, &[read(one.as_ref())?], Level::Note),
        [reference, subject] => {
            print(subject, &[read(reference.as_ref())?, read(subject.as_ref())?], Level::Note);
        }
        _ => eprintln!("usage: findings CAPTURE | REFERENCE SUBJECT | --real FOLDER"),
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Result<Capture, CaptureError> {
    pipeline::read(&Input::Path(path.into()), &OpenOptions::default(), None)
}

fn print(name: &str, captures: &[Capture], least: Level) {
    let comparison = compare::of_captures(captures);
    let scene = Scene { captures, subject: captures.len() - 1, comparison: comparison.as_ref() };
    for finding in diagnose(&scene).iter().filter(|f| f.level <= least) {
        println!(
            "{name}: {} {} ({}) connections {:?}: {}",
            finding.level, finding.rule, finding.confidence, finding.connections, finding.says
        );
        for evidence in &finding.evidence {
            println!("    [{}] frame {}: {}", evidence.capture, evidence.frame, evidence.text);
        }
    }
}
