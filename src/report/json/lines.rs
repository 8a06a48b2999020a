//! Lines of a live view: one object for each attempt that has ended, for each finding, and for the end.
use super::{FromOne, Verdict, finding, ms, objects};
use crate::compare::Failure;
use crate::diagnose;
use crate::report::{Report, content};
use crate::timeline::{EndedBy, Role, Transport};
use serde::Serialize;

objects! {
    Attempt {
        adapter: Option<u16>,
        address: Option<String>,
        connected: bool,
        duration_ms: Option<f64>,
        ended_by: Option<EndedBy>,
        event: &'static str,
        failed: bool,
        /// The record with which it ended.
        frame: Option<u32>,
        name: Option<String>,
        number: FromOne,
        peer_heard: bool,
        reason: Option<u8>,
        role: Option<Role>,
        says: String,
        status: Option<u8>,
        transport: Option<Transport>,
    }

    Found {
        event: &'static str,
        finding: finding::Finding,
    }

    Ended {
        attempts: usize,
        event: &'static str,
        failed: usize,
        file: String,
        records: u64,
        verdict: Verdict,
    }
}

/// One attempt that has ended. `None` where there is none of that number.
pub fn attempt(report: &Report, capture: usize, number: u32) -> Option<String> {
    let c = report.captures.get(capture)?.connection(number)?;
    let end = c.end.as_ref();
    let by = end.map(|end| end.by).or_else(|| c.gone.as_ref().map(|gone| gone.by));
    let frame = end.map(|end| end.seen.frame).or(c.gone.as_ref().map(|gone| gone.seen.frame));
    line(&Attempt {
        adapter: c.adapter,
        address: c.peer.address.map(|address| report.visible(&address)),
        connected: c.connected(),
        duration_ms: c.life().map(ms),
        ended_by: by,
        event: "attempt",
        failed: Failure::of(c).is_some(),
        frame: frame.or(c.status_frame().filter(|_| !c.connected())),
        name: c.peer.name.as_deref().map(|name| report.named(name)),
        number: FromOne(c.number),
        peer_heard: c.peer_heard(),
        reason: end.map(|end| end.reason.0),
        role: c.role,
        says: report.visible(&content::outcome(report, capture, c)),
        status: c.status.map(|status| status.0),
        transport: (c.transport != Transport::Unknown).then_some(c.transport),
    })
}

/// One finding, as the report has it.
pub fn finding(report: &Report, finding: &diagnose::Finding) -> Option<String> {
    line(&Found { event: "finding", finding: finding::Finding::of(report, finding) })
}

/// The capture is over: what it holds, and the verdict.
pub fn ended(report: &Report) -> Option<String> {
    let capture = report.captures.last()?;
    let attempts = &capture.connections;
    line(&Ended {
        attempts: attempts.len(),
        event: "end",
        failed: attempts.iter().filter(|c| Failure::of(c).is_some()).count(),
        file: super::outside(report, &capture.file),
        records: capture.totals.records,
        verdict: Verdict::of(report),
    })
}

fn line(object: &impl Serialize) -> Option<String> {
    let mut line = serde_json::to_string(object).ok()?;
    line.push('\n');
    Some(line)
}
