//! What a rule found.
use super::{FromOne, objects, shown};
use crate::diagnose::{self, Confidence, Level, Remedy};
use crate::report::Report;
use crate::seen::SourceId;
use serde::Serialize;

objects! {
    Finding {
        capture: usize,
        confidence: Confidence,
        connections: Vec<FromOne>,
        #[cfg_attr(test, schemars(length(min = 1)))]
        evidence: Vec<Evidence>,
        level: Level,
        no_use: Vec<String>,
        remedies: Vec<String>,
        #[cfg_attr(test, schemars(extend("pattern" = "^[a-z0-9-]+$")))]
        rule: &'static str,
        rules_out: Vec<RuledOut>,
        says: String,
        sources: Vec<&'static str>,
        title: &'static str,
        what_if: Option<WhatIf>,
        would_settle: Vec<String>,
    }

    RuledOut {
        rule: &'static str,
        why: String,
    }

    WhatIf {
        columns: &'static [&'static str],
        rows: Vec<Vec<String>>,
        says: String,
    }

    /// A frame of a capture.
    InCapture {
        capture: usize,
        frame: FromOne,
        text: String,
    }

    /// A line of a log.
    InLog {
        capture: usize,
        line: FromOne,
        text: String,
        /// The index of the log among the witnesses of the capture.
        witness: usize,
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum Evidence {
    Capture(InCapture),
    Log(InLog),
}

impl Evidence {
    fn of(report: &Report, evidence: &diagnose::Evidence) -> Option<Self> {
        let text = report.visible(&evidence.text);
        let place = FromOne(evidence.frame);
        Some(match evidence.source {
            SourceId::Capture(at) => {
                Self::Capture(InCapture { capture: usize::from(at), frame: place, text })
            }
            SourceId::Witness(at) => {
                let of = report.testimonies.get(usize::from(at))?;
                Self::Log(InLog { capture: of.capture, line: place, text, witness: of.index })
            }
        })
    }
}

impl Finding {
    pub(super) fn of(report: &Report, finding: &diagnose::Finding) -> Self {
        let remedies = |all: &[Remedy]| -> Vec<String> {
            all.iter().map(|remedy| report.visible(&remedy.text())).collect()
        };
        let out =
            |it: &diagnose::RuledOut| RuledOut { rule: it.rule, why: report.visible(&it.why) };
        Self {
            capture: finding.capture,
            confidence: finding.confidence,
            connections: finding.connections.iter().copied().map(FromOne).collect(),
            evidence: finding.evidence.iter().filter_map(|it| Evidence::of(report, it)).collect(),
            level: finding.level,
            no_use: remedies(&finding.no_use),
            remedies: remedies(&finding.remedies),
            rule: finding.rule,
            rules_out: finding.rules_out.iter().map(out).collect(),
            says: report.visible(&finding.says),
            sources: finding.sources.clone(),
            title: finding.title,
            what_if: finding.what_if.as_ref().map(|what_if| WhatIf {
                columns: what_if.columns,
                rows: what_if.rows.iter().map(|row| shown(report, row)).collect(),
                says: report.visible(&what_if.says),
            }),
            would_settle: shown(report, &finding.would_settle),
        }
    }
}
