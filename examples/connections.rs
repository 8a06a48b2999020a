//! Folds every real binary capture, and fails if the connections by status, the disconnects by
//! reason or the MTU exchanges differ from what an independent reader counted.
//!
//! `cargo run --release --example connections -- ../shared`
use hcidiff::case;
use hcidiff::timeline::{Capture, Procedure, Transport};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Differences that are the catalogue's way of counting, and why.
const EXCUSED: &[(&str, &str)] = &[(
    "security_manager-pairing.pklg",
    "the link ends twice (0x13, then 0x16 for the same handle); the catalogue counts both, we keep the first and mark the second",
)];

type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(|f| PathBuf::from(f).join("captures")) else {
        eprintln!("usage: connections FOLDER");
        return ExitCode::from(2);
    };
    let catalogue = fs::read_to_string(folder.join("catalogue.json")).ok();
    let Some(catalogue) = catalogue.and_then(|text| serde_json::from_str::<Value>(&text).ok())
    else {
        eprintln!("no catalogue.json below {}", folder.display());
        return ExitCode::from(2);
    };
    let (mut files, mut wrong) = (0, 0);
    for entry in catalogue["captures"].as_array().into_iter().flatten() {
        let (Some(file), Some(_)) = (entry["file"].as_str(), entry["packets"].as_u64()) else {
            continue;
        };
        let Ok(capture) = case::read(&folder.join(file).into()) else { continue };
        // The catalogue counts HCI's events. tests/air.rs holds captures of the air against tshark.
        if capture.on_air() {
            continue;
        }
        files += 1;
        let (expected, ours) = (expected(entry), ours(&capture));
        let excused = EXCUSED.iter().find(|(name, _)| file.ends_with(name));
        let right = expected == ours || excused.is_some();
        if let Some((_, why)) = excused {
            println!("     excused: {why}");
        }
        wrong += u32::from(!right);
        println!(
            "{} {:3} attempts  {file}",
            if right { "ok  " } else { "BAD " },
            capture.connections.len()
        );
        for key in expected.keys().chain(ours.keys()).collect::<std::collections::BTreeSet<_>>() {
            if expected.get(key) != ours.get(key) {
                println!(
                    "       {key}: {:?}, expected {:?}",
                    ours.get(key).unwrap_or(&0),
                    expected.get(key).unwrap_or(&0)
                );
            }
        }
    }
    println!("{files} files, {wrong} wrong");
    if wrong == 0 && files > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The catalogue's counts, where the link's beginning is in the capture.
fn expected(entry: &Value) -> Counts {
    let mut counts = Counts::new();
    let mut put = |key: String, count: u64| {
        if count > 0 {
            *counts.entry(key).or_default() += count;
        }
    };
    put("LE connected 0x00".into(), entry["le_conn_ok"].as_u64().unwrap_or(0));
    for (status, count) in entry["le_conn_fail"].as_object().into_iter().flatten() {
        put(format!("LE connected {status}"), count.as_u64().unwrap_or(0));
    }
    for (link, count) in entry["disc"].as_object().into_iter().flatten() {
        put(link.clone(), count.as_u64().unwrap_or(0));
    }
    let mtu = entry["mtu"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for pdu in mtu {
        // "tx req 517": who sent what.
        let kind = if pdu.contains("req") { "MTU requests" } else { "MTU answers" };
        put(kind.into(), 1);
    }
    counts
}

/// The same from folded connections.
fn ours(capture: &Capture) -> Counts {
    let mut counts = Counts::new();
    let mut put = |key: String, count: u64| {
        if count > 0 {
            *counts.entry(key).or_default() += count;
        }
    };
    for connection in &capture.connections {
        let refused = connection
            .request
            .as_ref()
            .is_some_and(|r| r.status_frame == connection.status_frame());
        if connection.transport == Transport::Le
            && connection.start_seen
            && !refused
            && let Some(status) = connection.status
        {
            put(format!("LE connected {:#04x}", status.0), 1);
        }
        if let Some(end) = &connection.end {
            let link = match (connection.start_seen, connection.transport) {
                (false, _) => "?",
                (_, Transport::Le) => "LE",
                (_, Transport::BrEdr) => "BR",
                (_, Transport::Unknown) => "?",
            };
            put(format!("{link} {:#04x}", end.reason.0), 1);
        }
        for step in connection.steps.iter().filter(|s| s.procedure == Procedure::ExchangeMtu) {
            put("MTU requests".into(), 1);
            if let hcidiff::timeline::Detail::Mtu { answers, .. } = step.detail {
                put("MTU answers".into(), u64::from(answers));
            }
        }
    }
    counts
}
