//! What is said of a damaged capture, held against what the rules say of the whole one.
use crate::damage::{Left, Recording};
use hcidiff::capture::Input;
use hcidiff::diagnose::{self, Confidence, Considered, Level, Scene};
use hcidiff::timeline::{Capture, Connection};
use hcidiff::{Analysis, Case, analyse};
use std::collections::{BTreeSet, HashMap};

/// What is said of a failure that no rule explains.
const SENTENCE: &str = "unexplained-end";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// No finding that the whole does not have.
    NoFinding,
    /// No cause of high confidence that the whole does not have.
    NoSureCause,
}

/// Knows the whole capture.
pub struct Judge {
    /// All that the rules say of it, before the findings compete.
    considered: Vec<Considered>,
    /// Which connection a frame speaks of.
    links: HashMap<u32, u32>,
}

impl Judge {
    pub fn of(capture: &Recording) -> Self {
        let whole = capture.whole();
        let analysis = analysed(&whole);
        let scene = Scene {
            captures: &analysis.captures,
            testimonies: &[],
            subject: 0,
            comparison: analysis.comparison.as_ref(),
        };
        let mut links = HashMap::new();
        for connection in &analysis.captures[0].connections {
            links.extend(frames(connection).map(|frame| (frame, connection.number)));
        }
        Self { considered: diagnose::considered(&scene), links }
    }

    /// What is said of what is left, and must not be.
    pub fn complaints(&self, left: &Left, strictness: Strictness) -> Vec<String> {
        let analysis = analysed(left);
        let Some(capture) = analysis.captures.first() else { return Vec::new() };
        let found = analysis.findings.iter().filter(|finding| match strictness {
            Strictness::NoFinding => true,
            Strictness::NoSureCause => {
                (finding.level, finding.confidence) == (Level::Cause, Confidence::High)
            }
        });
        let mut complaints = Vec::new();
        for finding in found {
            // A suspicion may be that of a cause, but what is sure must be sure in the whole too.
            let sure = (finding.level, finding.confidence) == (Level::Cause, Confidence::High);
            let whole = self.considered.iter().filter(|considered| {
                considered.rule == finding.rule
                    && (considered.level != Level::Note || finding.level == Level::Note)
                    && (!sure
                        || (considered.level, considered.confidence)
                            == (Level::Cause, Confidence::High))
            });
            let mut known = BTreeSet::new();
            let mut said = false;
            for considered in whole {
                said = true;
                known.extend(considered.connections.iter().copied());
            }
            // Where the recording no longer holds what explains an end, a sentence about it is left.
            if finding.rule == SENTENCE && finding.level == Level::Note {
                known.extend(self.considered.iter().flat_map(|c| c.connections.iter().copied()));
                said = true;
            }
            let about = self.connections(capture, left, &finding.connections);
            let mut new: Vec<u32> = about.difference(&known).copied().collect();
            // Where drops are counted, the end of a link and the beginning of the next may be among them: then two links
            // are one, and what is cited tells which is meant.
            let cited = finding.evidence.iter().filter_map(|e| original(left, e.frame));
            let mut cited = cited.filter_map(|frame| self.links.get(&frame)).peekable();
            let proved = cited.peek().is_some() && cited.all(|number| known.contains(number));
            if proved && capture.lost_packets() {
                new.clear();
            }
            if !said || !new.is_empty() {
                let frames: Vec<u32> =
                    finding.evidence.iter().filter_map(|e| original(left, e.frame)).collect();
                complaints.push(format!(
                    "{} {} ({}) of {about:?}{}, frames {frames:?}: {}",
                    finding.level,
                    finding.rule,
                    finding.confidence,
                    if said { " where the whole has it of others" } else { "" },
                    finding.says
                ));
            }
        }
        complaints
    }

    /// The numbers that connections of the damaged capture have in the whole one, where a frame shows it.
    fn connections(&self, capture: &Capture, left: &Left, numbers: &[u32]) -> BTreeSet<u32> {
        let links = numbers.iter().filter_map(|number| capture.connection(*number));
        links
            .filter_map(|link| {
                frames(link).find_map(|frame| self.links.get(&original(left, frame)?).copied())
            })
            .collect()
    }
}

fn original(left: &Left, frame: u32) -> Option<u32> {
    left.frames.get((frame as usize).checked_sub(1)?).copied()
}

/// Frames that belong to a connection.
fn frames(connection: &Connection) -> impl Iterator<Item = u32> {
    let request = connection.request.as_ref().map(|request| request.frame);
    let end = connection.end.as_ref().map(|end| end.frame);
    let steps = connection.steps.iter().flat_map(|step| [step.frame, step.last.frame]);
    let named = [connection.connected_frame(), end, request, connection.status_frame()];
    let steps: Vec<u32> = steps.collect();
    named.into_iter().flatten().chain(steps).chain(connection.last_pdu.map(|seen| seen.frame))
}

fn analysed(left: &Left) -> Analysis {
    analyse(&Case::one(Input::bytes("left", left.bytes.clone()))).unwrap_or_default()
}
