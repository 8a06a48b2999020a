//! A survey for machines: `hcidiff.survey/1`.
use super::{Apart, By, Difference, Feature, Measured, Row, Survey};
use serde_json::{Map, Value, json};

/// Name and version of the shape; a change that breaks readers gets another.
pub const SCHEMA: &str = "hcidiff.survey/1";

/// The whole survey: every file with what was measured, the groups, and what sets the runs apart.
pub fn json(survey: &Survey, by: By) -> String {
    let groups: Vec<Value> = survey
        .by(by)
        .iter()
        .map(|group| {
            json!({ "name": group.name, "captures": group.captures, "found": group.found(), "rules": group.causes })
        })
        .collect();
    let document = json!({
        "schema": SCHEMA,
        "tool": { "name": "hcidiff", "version": env!("CARGO_PKG_VERSION") },
        "captures": survey.rows.iter().map(row).collect::<Vec<_>>(),
        "rules": survey.all().causes,
        "groups": groups,
        "apart": apart(&survey.apart()),
    });
    format!("{document:#}\n")
}

fn row(row: &Row) -> Value {
    let read = match &row.read {
        Ok(read) => read,
        Err(why) => return json!({ "file": row.file, "label": row.label, "unread": why }),
    };
    let features: Map<String, Value> = read
        .features
        .iter()
        .map(|(name, feature)| {
            let value = match feature {
                Feature::Truth(truth) => json!(truth),
                Feature::Number(number) => json!(number),
            };
            (name.clone(), value)
        })
        .collect();
    json!({
        "file": row.file,
        "label": row.label,
        "unread": null,
        "format": read.format,
        "records": read.records,
        "attempts": read.attempts,
        "connected": read.connected,
        "device": read.device,
        "host": read.host,
        "adapter": read.adapter,
        "rule": read.verdict.map(|(rule, _)| rule),
        "level": read.verdict.map(|(_, level)| level.word()),
        "worked": read.worked,
        "features": features,
    })
}

fn apart(apart: &Apart) -> Value {
    json!({
        "good": apart.good,
        "bad": apart.bad,
        "tested": apart.tested,
        "differences": apart.differences.iter().map(difference).collect::<Vec<_>>(),
        "pair": apart.pair,
    })
}

fn difference(one: &Difference) -> Value {
    let (test, measured) = match one.measured {
        Measured::There { good, bad } => ("fisher-exact", json!({ "good": good, "bad": bad })),
        Measured::Middle { good, bad } => ("mann-whitney", json!({ "good": good, "bad": bad })),
    };
    json!({
        "feature": one.feature,
        "test": test,
        "measured": measured,
        "p": one.p,
        "corrected": one.corrected,
        "effect": { "value": one.effect.value, "low": one.effect.low, "high": one.effect.high },
    })
}
