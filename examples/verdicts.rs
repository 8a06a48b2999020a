//! Diagnoses every real binary capture, and fails if a link that was never heard goes without its
//! verdict, if a capture without failures gets a cause, or if one failed connection gets two.
//!
//! `cargo run --release --example verdicts -- ../shared`
use hcidiff::diagnose::Level;
use hcidiff::{Analysis, Case, analyse};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(|f| PathBuf::from(f).join("captures")) else {
        eprintln!("usage: verdicts FOLDER");
        return ExitCode::from(2);
    };
    let text = std::fs::read_to_string(folder.join("catalogue.json")).unwrap_or_default();
    let catalogue: Value = serde_json::from_str(&text).unwrap_or_default();
    let (mut files, mut never_heard, mut healthy, mut wrong) = (0, 0, 0, 0);
    for entry in catalogue["captures"].as_array().into_iter().flatten() {
        let (Some(file), Some(_)) = (entry["file"].as_str(), entry["packets"].as_u64()) else {
            continue;
        };
        let Ok(Analysis { captures, findings, .. }) = analyse(&Case::one(folder.join(file))) else {
            continue;
        };
        // The catalogue counts HCI's events: of the air it says nothing.
        if captures[0].on_air() {
            continue;
        }
        files += 1;
        let mut complain = |what: String| {
            println!("BAD  {file}: {what}");
            wrong += 1;
        };
        let silent: Vec<u32> = captures[0]
            .connections
            .iter()
            .filter(|c| c.reason().is_some_and(|r| r.0 == 0x3e))
            .map(|c| c.number)
            .collect();
        let listed = entry["disc"]["LE 0x3e"].as_u64().unwrap_or(0);
        if silent.len() as u64 != listed {
            complain(format!("{} links with 0x3e, the catalogue has {listed}", silent.len()));
        }
        let named = findings
            .iter()
            .find(|f| f.rule == "never-heard-peer")
            .map(|f| f.connections.clone())
            .unwrap_or_default();
        if named != silent {
            complain(format!("never-heard-peer names {named:?}, 0x3e ended {silent:?}"));
        }
        never_heard += named.len();
        if fails(entry) {
            let causes = || findings.iter().filter(|f| f.level == Level::Cause);
            for connection in &captures[0].connections {
                let of: Vec<&str> = causes()
                    .filter(|f| f.connections == [connection.number])
                    .map(|f| f.rule)
                    .collect();
                if of.len() > 1 {
                    complain(format!(
                        "connection {} has {} causes: {of:?}",
                        connection.number,
                        of.len()
                    ));
                }
            }
        } else {
            healthy += 1;
            for finding in findings.iter().filter(|f| f.level == Level::Cause) {
                complain(format!("no failure in it, and yet {}: {}", finding.rule, finding.says));
            }
        }
    }
    println!(
        "{files} files, {never_heard} links never heard, {healthy} files without failures, {wrong} wrong"
    );
    if wrong == 0 && files > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the catalogue knows of a failure: a connection status beyond 0 and 0x02, a reason beyond
/// 0x13 and 0x16, a failed pairing, a refused command that asks for a connection.
fn fails(entry: &Value) -> bool {
    let other = |map: &Value, usual: &[&str]| {
        map.as_object()
            .into_iter()
            .flatten()
            .any(|(key, _)| !usual.iter().any(|u| key.ends_with(u)))
    };
    let status = other(&entry["le_conn_fail"], &["0x02"]) || other(&entry["bredr_fail"], &["0x02"]);
    let reason = other(&entry["disc"], &["0x13", "0x16"]);
    let refused = other(&entry["cmd_errors"], &[])
        && entry["cmd_errors"].as_object().is_some_and(|m| {
            m.keys()
                .any(|k| ["0x200d", "0x2043", "0x2085", "0x0405"].iter().any(|c| k.starts_with(c)))
        });
    status || reason || refused || entry["smp_fail"].as_object().is_some_and(|m| !m.is_empty())
}
