//! Prints every finding of a capture, or of a pair, with its frames; or, for a folder with a
//! catalogue, of all real captures.
//!
//! `cargo run --release --example findings -- CAPTURE`, `-- REFERENCE SUBJECT`, or `-- --real ../shared`
use hcidiff::case::Unreadable;
use hcidiff::diagnose::Level;
use hcidiff::{Case, analyse};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
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
                // What cannot be read has no findings.
                let _ = print(file, &Case::one(captures.join(file)), Level::Suspect);
            }
        }
        [one] => print(one, &Case::one(one), Level::Note)?,
        [reference, subject] => {
            print(subject, &Case::pair(reference, subject), Level::Note)?;
        }
        _ => eprintln!("usage: findings CAPTURE | REFERENCE SUBJECT | --real FOLDER"),
    }
    Ok(())
}

fn print(name: &str, case: &Case, least: Level) -> Result<(), Unreadable> {
    let analysis = analyse(case)?;
    for finding in analysis.findings.iter().filter(|f| f.level <= least) {
        println!(
            "{name}: {} {} ({}) connections {:?}: {}",
            finding.level, finding.rule, finding.confidence, finding.connections, finding.says
        );
        for evidence in &finding.evidence {
            println!("    [{}] frame {}: {}", evidence.source, evidence.frame, evidence.text);
        }
    }
    Ok(())
}
