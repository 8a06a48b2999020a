//! The head of the whole report: who is compared, what came out, what is wrong and what to do.
use super::page::Page;
use crate::compare::{Comparison, Failure, MatchedBy, Side, describe};
use crate::diagnose::{Finding, Level};
use crate::report::content::{self, Paint, devices, divergence};
use crate::report::{Report, words};
use crate::timeline::{Capture, Connection};
use std::ops::Range;

/// Evidence of the verdict in the first screen, and in all.
const FIRST_EVIDENCE: usize = 2;
const MOST_EVIDENCE: usize = 8;

/// Most findings shown, unless everything is asked for.
const MOST_FINDINGS: usize = 7;

/// Most connections named in a finding's title.
const MOST_NUMBERS: usize = 8;

/// What the report is about.
pub fn heading(page: &mut Page, report: &Report) {
    if let Some(says) = content::swapped(report) {
        page.item("SWAPPED  ", &says, Paint::Yellow);
    }
    match (&report.comparison, report.captures.as_slice()) {
        (Some(_), [one]) => {
            page.heading(&format!("{}: a working attempt and a failing one", one.file))
        }
        (Some(comparison), [_, _]) => {
            let label = |side: Side| report.captures.get(side.capture).map_or("", |c| &c.label);
            page.heading(&format!(
                "{} (reference) and {} (subject)",
                label(comparison.reference),
                label(comparison.subject)
            ));
        }
        (None, [one]) if report.no_match.is_none() => page.heading(&one.file),
        _ => {}
    }
}

/// Which connections, how each came out, and since when they differ.
pub fn sides(page: &mut Page, report: &Report) {
    match (&report.comparison, report.captures.as_slice()) {
        (Some(comparison), captures) => {
            // One side of two could not be read; the other one is compared with itself.
            if let Some(no_match) = &report.no_match {
                page.item("", &no_match.says, Paint::Yellow);
            }
            compared(page, comparison, captures);
        }
        (None, [_]) if report.no_match.is_none() => {}
        (None, _) => nothing_to_compare(page, report),
    }
}

fn compared(page: &mut Page, comparison: &Comparison, captures: &[Capture]) {
    let side = |side: Side| {
        Some((
            captures.get(side.capture)?,
            captures.get(side.capture)?.connection(side.connection)?,
        ))
    };
    let (Some((_, a)), Some((_, b))) = (side(comparison.reference), side(comparison.subject))
    else {
        return;
    };
    let sure = match comparison.matched_by {
        MatchedBy::Address | MatchedBy::Identity if !comparison.roles_differ => {
            format!("matched by {}", comparison.matched_by)
        }
        by => format!("matched by {by}: {}", comparison.match_says),
    };
    let device = match (describe(a), describe(b)) {
        (one, other) if one == other || comparison.roles_differ => one,
        (one, other) => format!("{one} and {other}"),
    };
    let sure = format!("{device}; {sure}");
    for (name, connection) in [("reference  ", a), ("subject    ", b)] {
        let says = format!(
            "#{}, {}: {}",
            connection.number,
            words::link(connection),
            words::ending(connection)
        );
        page.item(name, &says, outcome(connection));
    }
    if comparison.roles_differ {
        page.item(
            "           ",
            "the captures were made at opposite ends: directions are swapped for the comparison",
            Paint::Faint,
        );
    }
    page.item("diverge    ", &divergence(page.report(), comparison), Paint::Bold);
    for (name, others) in
        [("reference  ", &comparison.others.reference), ("subject    ", &comparison.others.subject)]
    {
        if !others.says.is_empty() {
            page.item(name, &format!("attempts to this device: {}", others.says), Paint::Plain);
        }
    }
    page.item("device     ", &sure, Paint::Plain);
    for device in content::only_in_reference(page.report()) {
        page.item("elsewhere  ", &device, Paint::Plain);
    }
}

fn outcome(connection: &Connection) -> Paint {
    if Failure::of(connection).is_some() { Paint::Red } else { Paint::Green }
}

fn nothing_to_compare(page: &mut Page, report: &Report) {
    let Some(no_match) = &report.no_match else { return };
    // With no connection in front of it, one capture may lack what was asked for, or its other side.
    page.heading("NOTHING TO COMPARE");
    page.item("", &no_match.says, Paint::Plain);
    for (capture, holds) in report.captures.iter().zip(&no_match.holds) {
        for line in holds {
            page.item(&format!("{}: ", capture.label), line, Paint::Plain);
        }
    }
    for guess in &no_match.nearest {
        page.item("nearest: ", guess, Paint::Plain);
    }
}

/// The verdict as the first screen has room for: what, why by which frames, what to do, what it is not.
pub fn verdict(page: &mut Page, report: &Report) {
    let Some(finding) = report.findings.first().filter(|f| f.level != Level::Note) else { return };
    title(page, report, finding);
    page.item("  ", &finding.says.to_string(), Paint::Plain);
    evidence(page, report, finding, 0..FIRST_EVIDENCE);
    if let Some(remedy) = content::remedies(finding).0.first() {
        page.item("  do      ", remedy, Paint::Bold);
    }
    if let Some(out) = finding.rules_out.first() {
        page.item("  not     ", &format!("{}: {}", out.rule, out.why), Paint::Faint);
    }
    page.gap();
}

/// What the first screen left out of the verdict, and what else was found.
pub fn more(page: &mut Page, report: &Report) {
    let (notes, weighty): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|finding| finding.level == Level::Note);
    let weighty = devices::by_device(report, &weighty);
    let most = if report.shown.full { usize::MAX } else { MOST_FINDINGS };
    if let Some(first) = weighty.first() {
        rest(page, report, first);
    }
    for finding in weighty.iter().take(most).skip(1) {
        page.gap();
        brief(page, report, finding);
    }
    let room = most.saturating_sub(weighty.len());
    if !notes.is_empty() && room > 0 {
        page.gap();
    }
    for finding in notes.iter().take(room) {
        page.item(
            "note  ",
            &format!("{}: {} [{}]", finding.title, finding.says, finding.rule),
            Paint::Blue,
        );
    }
    if let Some(hidden @ 1..) = report.findings.len().checked_sub(most) {
        page.item("", &format!("and {hidden} more findings (--full shows them)"), Paint::Faint);
    }
}

fn rest(page: &mut Page, report: &Report, finding: &Finding) {
    let (helps, no_use) = content::remedies(finding);
    page.gap();
    page.heading("MORE ON THE VERDICT");
    for remedy in helps.iter().skip(1) {
        page.item("  do      ", remedy, Paint::Bold);
    }
    for remedy in &no_use {
        page.item("  no use  ", remedy, Paint::Plain);
    }
    evidence(page, report, finding, FIRST_EVIDENCE..MOST_EVIDENCE);
    if let Some(more @ 1..) = finding.evidence.len().checked_sub(MOST_EVIDENCE) {
        let plural = if more == 1 { "" } else { "s" };
        page.item("  ", &format!("and {more} more frame{plural}"), Paint::Faint);
    }
    for (index, capture) in report.captures.iter().enumerate() {
        if let Some(filter) = content::display_filter(capture, index, finding) {
            let whose = match report.captures.len() {
                1 => String::new(),
                _ => format!("{}, ", report.label(index)),
            };
            page.item("  find    ", &format!("{whose}in Wireshark: {filter}"), Paint::Plain);
        }
    }
    for ruled_out in finding.rules_out.iter().skip(1) {
        page.item("  not     ", &format!("{}: {}", ruled_out.rule, ruled_out.why), Paint::Faint);
    }
    for question in &finding.would_settle {
        page.item("  settle  ", &question.to_string(), Paint::Plain);
    }
}

fn brief(page: &mut Page, report: &Report, finding: &Finding) {
    title(page, report, finding);
    page.item("  ", &finding.says.to_string(), Paint::Plain);
    evidence(page, report, finding, 0..FIRST_EVIDENCE);
    if let Some(remedy) = content::remedies(finding).0.first() {
        page.item("  do      ", remedy, Paint::Bold);
    }
}

fn title(page: &mut Page, report: &Report, finding: &Finding) {
    let (label, paint) = match finding.level {
        Level::Cause => ("CAUSE  ", Paint::Red),
        Level::Suspect => ("SUSPECT  ", Paint::Yellow),
        Level::Note => ("NOTE  ", Paint::Blue),
    };
    let place = match report.captures.len() {
        1 => String::new(),
        _ => format!("{}, ", report.label(finding.capture)),
    };
    let about = devices::about(report, finding);
    let device = about.as_ref().map_or(String::new(), |about| format!("{}, ", about.device));
    let mut connections: Vec<String> =
        finding.connections.iter().take(MOST_NUMBERS).map(|number| format!("#{number}")).collect();
    if let Some(more @ 1..) = finding.connections.len().checked_sub(MOST_NUMBERS) {
        connections.push(format!("and {more} more"));
    }
    let whom =
        if connections.is_empty() { String::new() } else { format!(", {}", connections.join(" ")) };
    let share = devices::share(finding, about.as_ref());
    let says = format!(
        "{} ({place}{device}{} confidence{whom}{share}) [{}]",
        finding.title, finding.confidence, finding.rule
    );
    page.item(label, &says, paint);
}

fn evidence(page: &mut Page, report: &Report, finding: &Finding, which: Range<usize>) {
    for evidence in finding.evidence.iter().take(which.end).skip(which.start) {
        let whose = match report.is_only_source(evidence.source) {
            true => String::new(),
            false => format!("{} ", report.label(evidence.source)),
        };
        page.item(
            "  seen    ",
            &format!("{whose}{}: {}", content::frame(report, evidence), evidence.text),
            Paint::Plain,
        );
    }
}
