//! SARIF 2.1.0, which code hosts show beside a change.
use super::why;
use crate::check::{Checked, Truth};
use crate::diagnose::rule;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The rule of results that are expectations, beside the rules of findings.
const EXPECTATION: &str = "expectation";

/// One run: a result for each expectation that is not met, and one for each finding behind them.
pub fn sarif(checked: &Checked) -> String {
    let unmet = checked.outcomes.iter().filter(|outcome| outcome.truth != Truth::Holds);
    let mut results: Vec<Value> = unmet
        .map(|outcome| {
            let frames = outcome.facts.iter().flat_map(|fact| &fact.frames);
            let says = format!("Not met: {}. {}", outcome.expectation, why(outcome));
            result(checked, EXPECTATION, "error", &says, frames)
        })
        .collect();
    results.extend(checked.findings.iter().map(|finding| {
        let level = if finding.level == "cause" { "error" } else { "warning" };
        result(checked, &finding.rule, level, &finding.says, finding.frames.iter())
    }));
    let ids: BTreeSet<&str> = results.iter().filter_map(|one| one["ruleId"].as_str()).collect();
    let rules: Vec<Value> = ids.into_iter().map(description).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "hcidiff",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result<'a>(
    checked: &Checked,
    id: &str,
    level: &str,
    says: &str,
    frames: impl Iterator<Item = &'a u64>,
) -> Value {
    // A capture has no lines: its places are frames.
    let mut frames: Vec<u64> = frames.copied().collect();
    frames.sort_unstable();
    frames.dedup();
    let frames: Vec<Value> = frames
        .iter()
        .map(|frame| json!({ "name": format!("frame {frame}"), "kind": "packet" }))
        .collect();
    let mut location = json!({
        "physicalLocation": { "artifactLocation": { "uri": uri(&checked.capture) } },
    });
    if !frames.is_empty() {
        location["logicalLocations"] = json!(frames);
    }
    json!({
        "ruleId": id,
        "level": level,
        "message": { "text": says },
        "locations": [location],
    })
}

fn description(id: &str) -> Value {
    let says = match rule(id) {
        Some(rule) => rule.title,
        None => "What the capture has to show",
    };
    json!({ "id": id, "shortDescription": { "text": says } })
}

/// A file name as a relative reference (RFC 3986): everything but letters, digits and `-._~` is written as `%XX`.
fn uri(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    name.bytes()
        .map(
            |byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") },
        )
        .collect()
}
