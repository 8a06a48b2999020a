//! The report for a reader with little room, such as a language model that is asked about a trace: what can be
//! quoted, with the frames that prove it, in less than 8 kB. `hcidiff.facts/1`.
//!
//! It is a selection of the JSON report and says nothing that does not stand there.
use super::{Report, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// Name and version of the shape; a change that breaks readers gets another.
pub const SCHEMA: &str = "hcidiff.facts/1";

/// No text is longer, in bytes.
pub const MOST_BYTES: usize = 8_000;

/// How much of each list is kept, from the usual to the least.
const LIMITS: [Limits; 5] = [
    Limits { findings: 5, proofs: 6, advice: 5, steps: 12, fitness: 6, text: 400 },
    Limits { findings: 4, proofs: 5, advice: 4, steps: 8, fitness: 4, text: 300 },
    Limits { findings: 3, proofs: 4, advice: 3, steps: 6, fitness: 3, text: 220 },
    Limits { findings: 2, proofs: 3, advice: 2, steps: 4, fitness: 2, text: 160 },
    Limits { findings: 1, proofs: 2, advice: 1, steps: 2, fitness: 1, text: 80 },
];

#[derive(Clone, Copy)]
struct Limits {
    findings: usize,
    proofs: usize,
    advice: usize,
    steps: usize,
    fitness: usize,
    /// Characters of one sentence.
    text: usize,
}

/// What is taken from the JSON report. Steps are not: a connection may have 100,000 of them.
#[derive(Deserialize)]
struct Whole {
    captures: Vec<Capture>,
    comparison: Option<Value>,
    findings: Vec<Value>,
    no_match: Option<Value>,
    tool: Value,
    verdict: Value,
}

#[derive(Deserialize)]
struct Capture {
    label: Value,
    path: Value,
    format: Value,
    records: Value,
    duration_s: Value,
    host: Value,
    fitness: Vec<Value>,
    warnings: Vec<IgnoredAny>,
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    number: u32,
    peer: Value,
    role: Value,
    status: Value,
    peer_heard: Value,
    interval_ms: Value,
    latency: Value,
    supervision_timeout_ms: Value,
    mtu: Value,
    encrypted: Value,
    paired: Value,
    reason: Value,
    reason_sent: Value,
    ended_by: Value,
    disconnect_frame: Value,
    connected_frame: Value,
    duration_ms: Value,
}

/// The facts as one line of JSON, with a newline at its end.
pub fn render(report: &Report) -> String {
    let whole: Option<Whole> = serde_json::from_str(&json::render(report)).ok();
    let mut text = String::new();
    if let Some(whole) = &whole {
        for limits in LIMITS {
            text = facts(report, whole, limits).to_string();
            if text.len() < MOST_BYTES {
                break;
            }
        }
    }
    text.push('\n');
    text
}

fn facts(report: &Report, whole: &Whole, limits: Limits) -> Value {
    let sides: Vec<Value> = whole
        .captures
        .iter()
        .enumerate()
        .map(|(at, c)| side(report, whole, at, c, limits))
        .collect();
    let findings: Vec<Value> =
        whole.findings.iter().take(limits.findings).map(|one| finding(one, limits)).collect();
    json!({
        "schema": SCHEMA,
        "tool": whole.tool,
        "verdict": short(&whole.verdict, limits),
        "sides": sides,
        "comparison": whole.comparison.as_ref().map(|one| comparison(one, limits)),
        "no_match": whole.no_match.as_ref().map(|one| short(&one["says"], limits)),
        "findings": findings,
        "findings_left_out": whole.findings.len().saturating_sub(limits.findings),
        "reading": "Frames count from 1 as in Wireshark. Times are milliseconds after the connection was made. \
            Level cause: proved; suspect: fits, and other causes fit too. What does not stand here was not seen.",
    })
}

fn side(report: &Report, whole: &Whole, at: usize, capture: &Capture, limits: Limits) -> Value {
    let told = told(report, whole, at);
    let connection = capture.connections.iter().find(|c| Some(c.number) == told);
    let fitness: Vec<Value> = capture
        .fitness
        .iter()
        .take(limits.fitness)
        .map(|one| json!({ "code": one["code"], "says": short(&one["says"], limits) }))
        .collect();
    let to_device = connection.map(|told| {
        let device = |c: &&Connection| c.peer["address"] == told.peer["address"];
        let attempts: Vec<&Connection> = capture.connections.iter().filter(device).collect();
        let made = attempts.iter().filter(|c| c.status == 0).count();
        json!({ "all": attempts.len(), "connected": made })
    });
    json!({
        "label": short(&capture.label, limits),
        "file": short(&capture.path, limits),
        "is": role(whole, at),
        "format": capture.format,
        "records": capture.records,
        "duration_s": capture.duration_s,
        "host": capture.host["stack"],
        "fitness": fitness,
        "warnings": capture.warnings.len(),
        "connections": capture.connections.len(),
        "attempts_to_device": to_device,
        "connection": connection.map(|one| self::connection(one, limits)),
    })
}

fn connection(one: &Connection, limits: Limits) -> Value {
    json!({
        "number": one.number,
        "device": short(&json!({ "name": one.peer["name"], "address_type": one.peer["address_type"] }), limits),
        "role": one.role,
        "status": one.status,
        "connected_frame": one.connected_frame,
        "peer_heard": one.peer_heard,
        "interval_ms": one.interval_ms,
        "latency": one.latency,
        "supervision_timeout_ms": one.supervision_timeout_ms,
        "mtu": one.mtu,
        "encrypted": one.encrypted,
        "paired": one.paired,
        "reason": one.reason,
        "reason_sent": one.reason_sent,
        "ended_by": one.ended_by,
        "disconnect_frame": one.disconnect_frame,
        "duration_ms": one.duration_ms,
    })
}

/// The connection of a capture that the report tells.
fn told(report: &Report, whole: &Whole, at: usize) -> Option<u32> {
    let compared = whole.comparison.as_ref().and_then(|comparison| {
        let sides = ["subject", "reference"].map(|side| &comparison[side]);
        let own = sides.into_iter().find(|side| side["capture"] == at)?;
        u32::try_from(own["connection"].as_u64()?).ok()
    });
    compared.or_else(|| report.most_telling(at).map(|connection| connection.number))
}

fn role(whole: &Whole, at: usize) -> &'static str {
    match &whole.comparison {
        _ if whole.captures.len() == 1 => "only",
        Some(comparison) if comparison["reference"]["capture"] == at => "reference",
        None if at == 0 => "reference",
        _ => "subject",
    }
}

fn comparison(one: &Value, limits: Limits) -> Value {
    let early = |key: &str| {
        let unusual: Vec<&Value> = list(&one[key]).filter(|step| step["normal"] == false).collect();
        let shown: Vec<Value> = unusual
            .iter()
            .take(limits.steps)
            .map(|step| {
                json!({
                    "name": short(&step["name"], limits),
                    "reference_frame": step["reference_frame"],
                    "reference_after_ms": step["reference_after_ms"],
                    "subject": step["subject"],
                    "subject_frame": step["subject_frame"],
                    "subject_after_ms": step["subject_after_ms"],
                })
            })
            .collect();
        json!({ "steps": shown, "left_out": unusual.len().saturating_sub(limits.steps) })
    };
    let end = |side: &str| {
        let end = &one["disconnect"][side];
        json!({ "says": short(&end["says"], limits), "frame": end["frame"] })
    };
    json!({
        "matched_by": one["matched_by"],
        "swapped": one["swapped"],
        "same_until": one["same_until"],
        "divergence": short(&one["divergence"], limits),
        "only_in_reference_early": early("missing_early"),
        "only_in_subject_early": early("extra_early"),
        "end": { "reference": end("reference"), "subject": end("subject") },
    })
}

fn finding(one: &Value, limits: Limits) -> Value {
    let some = |key: &str, most: usize| -> Vec<Value> {
        list(&one[key]).take(most).map(|item| short(item, limits)).collect()
    };
    json!({
        "rule": one["rule"],
        "level": one["level"],
        "confidence": one["confidence"],
        "capture": one["capture"],
        "connections": list(&one["connections"]).take(limits.steps).collect::<Vec<_>>(),
        "says": short(&one["says"], limits),
        "evidence": some("evidence", limits.proofs),
        "evidence_left_out": list(&one["evidence"]).count().saturating_sub(limits.proofs),
        "rules_out": some("rules_out", limits.advice),
        "try": some("remedies", limits.advice),
        "no_use": some("no_use", limits.advice),
        "would_settle": some("would_settle", limits.advice),
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The value with no text in it longer than the limit.
fn short(value: &Value, limits: Limits) -> Value {
    match value {
        Value::String(text) if text.chars().count() > limits.text => {
            let head: String = text.chars().take(limits.text - 1).collect();
            format!("{}…", head.trim_end()).into()
        }
        Value::Array(items) => items.iter().map(|item| short(item, limits)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), short(field, limits))).collect()
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Input;
    use crate::{Case, analyse};

    fn flagship(name: &str) -> Input {
        let path = format!("{}/fixtures/flagship/{name}", env!("CARGO_MANIFEST_DIR"));
        Input::parse(path.as_ref())
    }

    fn of(case: &Case) -> (Report, Value) {
        let mut report = Report::from(analyse(case).expect("it can be read"));
        report.shown.aliases = true;
        let text = render(&report);
        assert!(text.len() <= MOST_BYTES && text.ends_with('\n') && text.lines().count() == 1);
        (report, serde_json::from_str(&text).expect("JSON"))
    }

    #[test]
    fn the_flagship_pair_in_one_line() {
        let (_, facts) = of(&Case::pair(flagship("mac.pklg"), flagship("pi-kicked.btsnoop")));
        assert_eq!(facts["schema"], SCHEMA);
        assert_eq!(facts["verdict"]["rule"], "peer-hangs-up-on-deadline");
        assert_eq!(facts["sides"][0]["is"], "reference");
        assert_eq!(facts["sides"][1]["is"], "subject");
        assert_eq!(facts["sides"][1]["attempts_to_device"]["all"], 3);
        assert_eq!(facts["sides"][1]["connection"]["reason"], 0x13);
        assert_eq!(facts["findings"][0]["evidence"][0]["frame"], 512);
        let early = &facts["comparison"]["only_in_reference_early"]["steps"];
        let unlock =
            list(early).find(|step| step["reference_frame"] == 70).expect("the unlock write");
        assert_eq!(unlock["subject"], "never");
        assert!(!facts.to_string().contains("LabSensor"), "aliases stand");
    }

    #[test]
    fn one_capture_and_none_that_can_be_compared() {
        let (_, facts) = of(&Case::one(flagship("pi.btsnoop")));
        assert_eq!(facts["sides"][0]["is"], "only");
        assert_eq!(facts["verdict"]["rule"], "never-heard-peer");
        assert_eq!(facts["sides"][0]["connection"]["peer_heard"], false);
    }

    /// Names, labels and sentences of any length: the bound holds, and what is left out is counted.
    #[test]
    fn the_bound_holds_whatever_the_report_says() {
        let (mut report, _) = of(&Case::pair(flagship("mac.pklg"), flagship("pi-kicked.btsnoop")));
        report.shown.aliases = false;
        for capture in &mut report.analysis.captures {
            capture.label = "a very long label ".repeat(500);
            capture.file = "ä".repeat(5_000);
        }
        let finding = report.analysis.findings[0].clone();
        report.analysis.findings.extend(vec![finding; 300]);
        let text = render(&report);
        assert!(text.len() <= MOST_BYTES, "{}", text.len());
        let facts: Value = serde_json::from_str(&text).expect("JSON");
        let shown = facts["findings"].as_array().map_or(0, Vec::len);
        let left = facts["findings_left_out"].as_u64().expect("a number");
        assert_eq!(shown as u64 + left, report.findings.len() as u64);
    }
}
