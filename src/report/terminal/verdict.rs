//! The head of the whole report: who is compared, what came out, what is wrong and what to do.
use super::page::Page;
use crate::compare::{Comparison, Failure, MatchedBy, Side, describe};
use crate::diagnose::{Finding, Level};
use crate::prose::quoted;
use crate::report::content::finding::{Line, Topic, part as part_of};
use crate::report::content::{self, Paint, devices, divergence};
use crate::report::{Report, words};
use crate::text;
use crate::timeline::{Capture, Connection};
use std::ops::Range;

/// Most findings shown, unless everything is asked for.
const MOST_FINDINGS: usize = 7;

/// What the report is about.
pub fn heading(page: &mut Page, report: &Report) {
    if let Some(says) = content::swapped(report) {
        page.item("SWAPPED  ", &says, Paint::Yellow);
    }
    match (&report.comparison, report.captures.as_slice()) {
        (Some(_), [one]) => {
            page.heading(&text!("{}: a working attempt and a failing one", quoted(&one.file)))
        }
        (Some(comparison), [_, _]) => {
            let label =
                |side: Side| quoted(report.captures.get(side.capture).map_or("", |c| &c.label));
            page.heading(&text!(
                "{} (reference) and {} (subject)",
                label(comparison.reference),
                label(comparison.subject)
            ));
        }
        (None, [one]) if report.no_match.is_none() => page.heading(&quoted(&one.file)),
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
            text!("matched by {}", comparison.matched_by)
        }
        by => text!("matched by {}: {}", by, comparison.match_says),
    };
    let device = match (describe(a), describe(b)) {
        (one, other) if one == other || comparison.roles_differ => one,
        (one, other) => text!("{} and {}", one, other),
    };
    let sure = text!("{}; {}", device, sure);
    for (name, connection) in [("reference  ", a), ("subject    ", b)] {
        let says = text!(
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
            &"the captures were made at opposite ends: directions are swapped for the comparison",
            Paint::Faint,
        );
    }
    page.item("diverge    ", &divergence(page.report(), comparison), Paint::Bold);
    for (name, others) in
        [("reference  ", &comparison.others.reference), ("subject    ", &comparison.others.subject)]
    {
        if !others.says.is_empty() {
            page.item(name, &text!("attempts to this device: {}", others.says), Paint::Plain);
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
    page.heading(&"NOTHING TO COMPARE");
    page.item("", &no_match.says, Paint::Plain);
    for (capture, holds) in report.captures.iter().zip(&no_match.holds) {
        for line in holds {
            page.item(
                &page.report().visible(&text!("{}: ", quoted(&capture.label))),
                line,
                Paint::Plain,
            );
        }
    }
    for guess in &no_match.nearest {
        page.item("nearest: ", guess, Paint::Plain);
    }
}

/// How much of a part is shown at first; the rest of the verdict stands further down.
fn first(topic: Topic) -> usize {
    match topic {
        Topic::Evidence => 2,
        Topic::Do | Topic::Not => 1,
        Topic::Find | Topic::NoUse | Topic::Settle => 0,
    }
}

/// The verdict as the first screen has room for: what, why by which frames, what to do, what it is not.
pub fn verdict(page: &mut Page, report: &Report) {
    let Some(finding) = report.findings.first().filter(|f| f.level != Level::Note) else { return };
    title(page, report, finding);
    for topic in [Topic::Do, Topic::Evidence, Topic::Not] {
        part(page, report, finding, topic, 0..first(topic));
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
            &text!("{}: {} [{}]", finding.title, finding.says, finding.rule),
            Paint::Blue,
        );
    }
    if let Some(hidden @ 1..) = report.findings.len().checked_sub(most) {
        page.item("", &text!("and {} more findings (--full shows them)", hidden), Paint::Faint);
    }
}

fn rest(page: &mut Page, report: &Report, finding: &Finding) {
    page.gap();
    page.heading(&"MORE ON THE VERDICT");
    let order = [Topic::Do, Topic::NoUse, Topic::Evidence, Topic::Find, Topic::Not, Topic::Settle];
    for topic in order {
        part(page, report, finding, topic, first(topic)..usize::MAX);
    }
}

fn brief(page: &mut Page, report: &Report, finding: &Finding) {
    title(page, report, finding);
    for topic in [Topic::Do, Topic::Evidence] {
        part(page, report, finding, topic, 0..first(topic));
    }
}

fn title(page: &mut Page, report: &Report, finding: &Finding) {
    let (label, paint) = match finding.level {
        Level::Cause => ("CAUSE  ", Paint::Red),
        Level::Suspect => ("SUSPECT  ", Paint::Yellow),
        Level::Note => ("NOTE  ", Paint::Blue),
    };
    let about = content::finding::about(report, finding);
    page.item(label, &text!("{} ({}) [{}]", finding.title, about, finding.rule), paint);
    page.item("  ", &finding.says, Paint::Plain);
}

fn part(page: &mut Page, report: &Report, finding: &Finding, topic: Topic, which: Range<usize>) {
    let paint = match topic {
        Topic::Do => Paint::Bold,
        Topic::Not => Paint::Faint,
        Topic::Evidence | Topic::Find | Topic::NoUse | Topic::Settle => Paint::Plain,
    };
    let label = format!("  {:8}", topic.label());
    for Line { rule, says, .. } in
        part_of(report, finding, topic).iter().take(which.end).skip(which.start)
    {
        let rule = rule.map(|rule| text!("{}: ", rule));
        page.item(&label, &text!("{}{}", rule, *says), paint);
    }
}
