//! The report for machines: `hcidiff.report/1`. `docs/report.schema.json` describes it, and is made from the types here.
//!
//! Lists of connections and of steps are written item by item: a capture may hold 20,000 connections, and a connection
//! 100,000 steps. A tree of all of them would take many times the memory of what it says.
use super::{Report, content};
use crate::diagnose::{Confidence, Level};
use crate::prose::{Text, quoted};
use crate::time::Span;
use crate::witness::RelationKind;
use serde::Serialize;
use serde::ser::Serializer;
use std::io::{self, Write};

pub use lines::{attempt, ended, finding as found};

mod air;
mod capture;
mod comparison;
mod connection;
mod finding;
mod lines;
#[cfg(test)]
mod schema;

/// Name and version of the shape; a change that breaks readers gets another.
pub const SCHEMA: &str = "hcidiff.report/1";

/// The JSON Schema of [`render`]'s output.
pub const SCHEMA_TEXT: &str = include_str!("../../../docs/report.schema.json");

/// The report as text.
pub fn render(report: &Report) -> String {
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = write(report, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes the report as one JSON object, indented, with a newline at its end.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(report))?;
    out.write_all(b"\n")
}

/// Objects of the report. Their fields stand in the order of the alphabet, and none is ever left out unless it says so.
macro_rules! objects {
    ($($(#[$meta:meta])* $name:ident $(<$life:lifetime>)? {
        $($(#[$of_field:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        #[derive(serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        $(#[$meta])*
        pub(in crate::report::json) struct $name $(<$life>)? { $($(#[$of_field])* pub(in crate::report::json) $field: $type,)* }
    )*};
}
use objects;

objects! {
    /// What `hcidiff --format json` writes. Times are milliseconds; frames count from 1 as in Wireshark.
    #[cfg_attr(test, schemars(title = "hcidiff report"))]
    Document<'a> {
        #[cfg_attr(test, schemars(with = "Vec<capture::Capture<'a>>", length(min = 1, max = 2)))]
        captures: Vec<capture::Capture<'a>>,
        comparison: Option<comparison::Comparison<'a>>,
        findings: Vec<finding::Finding>,
        /// Why there are not two sides to compare: nothing matches, or one capture cannot be read.
        no_match: Option<NoMatch>,
        #[cfg_attr(test, schemars(with = "Vec<capture::Relation>"))]
        relations: Relations<'a>,
        #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
        schema: &'static str,
        tool: Tool,
        /// The result in one line. Where no rule says why, the headline says so and the others are null.
        verdict: Verdict,
    }

    NoMatch {
        holds: Vec<Vec<String>>,
        nearest: Vec<String>,
        says: String,
    }

    Tool {
        #[cfg_attr(test, schemars(extend("const" = "hcidiff")))]
        name: &'static str,
        version: &'static str,
    }

    Verdict {
        confidence: Option<Confidence>,
        #[cfg_attr(test, schemars(length(min = 1)))]
        headline: String,
        #[cfg_attr(test, schemars(extend("enum" = ["cause", "suspect", null])))]
        level: Option<Level>,
        rule: Option<&'static str>,
    }
}

impl<'a> Document<'a> {
    fn of(report: &'a Report) -> Self {
        let visible = |texts: &Vec<Text>| shown(report, texts);
        Self {
            captures: (0..report.captures.len())
                .map(|at| capture::Capture::of(report, at))
                .collect(),
            comparison: report.comparison.as_ref().map(|it| comparison::Comparison::of(report, it)),
            findings: report.findings.iter().map(|it| finding::Finding::of(report, it)).collect(),
            no_match: report.no_match.as_ref().map(|no_match| NoMatch {
                holds: no_match.holds.iter().map(visible).collect(),
                nearest: visible(&no_match.nearest),
                says: report.visible(&no_match.says),
            }),
            relations: Relations(report),
            schema: SCHEMA,
            tool: Tool { name: "hcidiff", version: env!("CARGO_PKG_VERSION") },
            verdict: Verdict::of(report),
        }
    }
}

impl Verdict {
    fn of(report: &Report) -> Self {
        let headline = content::headline(report);
        let sure = headline.sure(report);
        Self {
            confidence: sure.map(|(_, confidence)| confidence),
            headline: report.visible(&headline.says),
            level: sure.map(|(level, _)| level),
            rule: headline.rule(report),
        }
    }
}

/// What the lines of the logs have to do with the packets.
struct Relations<'a>(&'a Report);

impl Serialize for Relations<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all =
            self.0.testimonies.iter().flat_map(|of| of.relations.iter().map(move |it| (of, it)));
        let listed = all.filter(|(_, relation)| relation.kind != RelationKind::Context);
        to.collect_seq(listed.map(|(of, it)| capture::Relation::of(self.0, of, it)))
    }
}

/// Sentences as a reader sees them.
fn shown(report: &Report, texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| report.visible(text)).collect()
}

/// Words from outside, in which an address or a name may stand.
fn outside(report: &Report, words: &str) -> String {
    report.visible(&quoted(words))
}

/// Milliseconds to the microsecond.
fn ms(span: Span) -> f64 {
    span.0 as f64 / 1000.0
}

/// What is counted from 1: frames, lines, connections.
#[derive(Clone, Copy, Serialize)]
struct FromOne(u32);

#[cfg(test)]
impl schemars::JsonSchema for FromOne {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FromOne".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1 })
    }
}
