//! Whether two reports say the same: what was found, how sure it is, on which frames it rests, step for step.
use crate::case::Analysis;
use crate::compare::{EarlyOperation, Side};
use crate::diagnose::Finding;
use crate::prose::Text;
use crate::report::Report;
use crate::timeline::{Connection, Step};
use foldhash::HashSet;
use std::collections::HashMap;

/// What a frame or a connection of the original is in the bundle.
pub trait Places {
    fn frame(&mut self, capture: usize, frame: u32) -> Option<u32>;
    fn connection(&mut self, capture: usize, number: u32) -> Option<u32>;

    /// Whether a claim of a log is there.
    fn claim(&mut self, _: Claimed) -> bool {
        true
    }
}

/// A claim: the capture that its log stands beside, which of the logs there, and the claim's place in the log.
pub type Claimed = (usize, usize, usize);

/// Everything is where it was: the places of a report in its own captures.
#[derive(Debug)]
pub struct Same;

impl Places for Same {
    fn frame(&mut self, _: usize, frame: u32) -> Option<u32> {
        Some(frame)
    }

    fn connection(&mut self, _: usize, number: u32) -> Option<u32> {
        Some(number)
    }
}

/// Collects the frames that a report speaks of.
#[derive(Debug, Default)]
pub struct Cited {
    /// By capture.
    pub frames: HashMap<usize, Vec<u32>>,
    /// Claims that are not asked for theirs.
    pub left_out: HashSet<Claimed>,
}

impl Places for Cited {
    fn frame(&mut self, capture: usize, frame: u32) -> Option<u32> {
        self.frames.entry(capture).or_default().push(frame);
        Some(frame)
    }

    fn claim(&mut self, claimed: Claimed) -> bool {
        !self.left_out.contains(&claimed)
    }

    fn connection(&mut self, _: usize, number: u32) -> Option<u32> {
        Some(number)
    }
}

/// What a report says, one fact a line, without sentences.
pub fn facts(report: &Report, places: &mut dyn Places) -> Vec<String> {
    let mut facts = Facts { report, places, lines: Vec::new() };
    let analysis = &report.analysis;
    for finding in &analysis.findings {
        facts.finding(finding);
    }
    facts.testimonies(analysis);
    facts.comparison(analysis);
    if analysis.comparison.is_none() {
        for at in 0..analysis.captures.len() {
            if let Some(connection) = analysis.most_telling(at) {
                facts.connection(at, connection);
            }
        }
    }
    facts.lines
}

/// The first fact of one report that the other one has not in its place.
pub fn difference<'a>(before: &'a [String], after: &'a [String]) -> Option<(&'a str, &'a str)> {
    let longest = before.len().max(after.len());
    let at = |facts: &'a [String], at: usize| facts.get(at).map_or("nothing", String::as_str);
    (0..longest)
        .map(|place| (at(before, place), at(after, place)))
        .find(|(before, after)| before != after)
}

struct Facts<'r> {
    report: &'r Report,
    places: &'r mut dyn Places,
    lines: Vec<String>,
}

impl Facts<'_> {
    fn frame(&mut self, capture: usize, frame: u32) -> String {
        match (frame, self.places.frame(capture, frame)) {
            (0, _) => "no frame".into(),
            (_, Some(frame)) => format!("frame {frame}"),
            (_, None) => "a frame that is gone".into(),
        }
    }

    fn number(&mut self, capture: usize, number: u32) -> String {
        self.places
            .connection(capture, number)
            .map_or_else(|| "a connection that is gone".into(), |number| number.to_string())
    }

    fn finding(&mut self, finding: &Finding) {
        let capture = finding.capture;
        let connections: Vec<_> =
            finding.connections.iter().map(|number| self.number(capture, *number)).collect();
        let evidence =
            finding.evidence.iter().filter_map(|it| Some((it.source.capture()?, it.frame)));
        let evidence: Vec<_> = evidence.map(|(at, frame)| self.frame(at, frame)).collect();
        self.lines.push(format!(
            "{} {} {} of capture {capture}, connections {}: {}",
            finding.rule,
            finding.level.word(),
            finding.confidence.word(),
            connections.join(" "),
            evidence.join(", ")
        ));
    }

    /// What logs say about the packets, line for line.
    fn testimonies(&mut self, analysis: &Analysis) {
        for testimony in &analysis.testimonies {
            let (capture, kind) = (testimony.capture, testimony.log.kind.word());
            self.lines.push(format!("{kind} beside capture {capture}"));
            for relation in &testimony.relations {
                if !self.places.claim((capture, testimony.index, relation.claim)) {
                    continue;
                }
                let said = testimony.claim(relation).map_or("", |claim| claim.what.word());
                let connection = relation.connection.map(|number| self.number(capture, number));
                let frame = relation.frame.map(|frame| self.frame(capture, frame));
                self.lines
                    .push(format!("{said} {} {connection:?} {frame:?}", relation.kind.word()));
            }
        }
    }

    fn comparison(&mut self, analysis: &Analysis) {
        let Some(comparison) = &analysis.comparison else {
            let matched = analysis.no_match.is_none();
            return self.lines.push(format!("no comparison, {matched}"));
        };
        let (reference, subject) = (comparison.reference, comparison.subject);
        for side in [reference, subject] {
            let number = self.number(side.capture, side.connection);
            self.lines.push(format!("compared {number} of capture {}", side.capture));
        }
        let same = comparison.same_until.map(|(one, other)| {
            let one = self.frame(reference.capture, one);
            (one, self.frame(subject.capture, other))
        });
        self.lines.push(format!(
            "{} {} {same:?} {:?} {:?}",
            comparison.matched_by.word(),
            comparison.roles_differ,
            comparison.differs,
            comparison.database_hash_equal,
        ));
        let step = |side: Side, at: Option<usize>| {
            analysis.captures.get(side.capture)?.connection(side.connection)?.steps.get(at?)
        };
        for aligned in &comparison.steps {
            let one = step(reference, aligned.reference);
            let one = one.map(|step| self.step(reference.capture, step));
            let other = step(subject, aligned.subject);
            let other = other.map(|step| self.step(subject.capture, step));
            let kind = aligned.kind.word();
            self.lines.push(format!("{kind} {}: {one:?} {other:?}", aligned.normal));
        }
        let sides = [
            (&comparison.missing_early, reference.capture, subject.capture),
            (&comparison.extra_early, subject.capture, reference.capture),
        ];
        for (early, here, there) in sides {
            for operation in early {
                self.early(operation, here, there);
            }
        }
        for clock in &comparison.clocks {
            self.lines.push(format!("{} {:?} {:?}", clock.name, clock.reference, clock.subject));
        }
        for parameter in &comparison.parameters {
            let value = |value: &Option<Text>| {
                value.as_ref().map(|value| self.report.visible(value)).unwrap_or_default()
            };
            let line = format!(
                "{} {} {} {}",
                parameter.name,
                value(&parameter.reference),
                value(&parameter.subject),
                parameter.normal
            );
            self.lines.push(line);
        }
        for database in &comparison.databases {
            self.lines.push(format!(
                "{} {:?} {:?} {:?}",
                database.change.word(),
                database.uuid,
                database.reference_handle,
                database.subject_handle
            ));
        }
    }

    fn connection(&mut self, capture: usize, connection: &Connection) {
        let number = self.number(capture, connection.number);
        self.lines.push(format!("told {number} of capture {capture}"));
        for step in &connection.steps {
            let line = self.step(capture, step);
            self.lines.push(line);
        }
    }

    fn step(&mut self, capture: usize, step: &Step) -> String {
        let first = self.frame(capture, step.first.frame);
        let last = self.frame(capture, step.last.frame);
        format!(
            "{} {:?} {} {:?} {} {first} {last} {:?} {} {}",
            step.procedure.word(),
            step.by,
            step.outcome.word(),
            step.status,
            step.attribute,
            step.last.since(&step.first),
            step.count,
            step.bytes
        )
    }

    fn early(&mut self, operation: &EarlyOperation, here: usize, there: usize) {
        let frame = self.frame(here, operation.frame);
        let other = operation.other_frame.map(|frame| self.frame(there, frame));
        let blocked = operation.blocked_by.map(|frame| self.frame(there, frame));
        self.lines.push(format!(
            "{} {} {} {frame} {:?} {other:?} {:?} {blocked:?} {}",
            operation.protocol.word(),
            operation.procedure.word(),
            operation.fate.word(),
            operation.after,
            operation.other_after,
            operation.normal
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let (one, other) = (lines(&["a", "b"]), lines(&["a", "c"]));
        assert_eq!(difference(&one, &one), None);
        assert_eq!(difference(&one, &other), Some(("b", "c")));
        assert_eq!(difference(&one, &one[..1]), Some(("b", "nothing")));
    }
}
