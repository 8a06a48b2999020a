//! `findings`: what the rules say.
use super::column::table;
use crate::diagnose::Finding;
use crate::seen::SourceId;

/// A finding and where it is.
pub struct One<'a> {
    pub capture: u64,
    pub number: usize,
    pub it: &'a Finding,
}

impl One<'_> {
    /// Frames of the capture, or lines of a log, that prove it.
    fn places(&self, of_capture: bool) -> Option<String> {
        let wanted = |source| matches!(source, SourceId::Capture(_)) == of_capture;
        let all = self.it.evidence.iter().filter(|it| wanted(it.source));
        let all: Vec<String> = all.map(|it| it.frame.to_string()).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

table! {
    /// One row for each finding, notes included.
    "findings" |one: One<'_>| {
        /// The file, as in `captures`.
        capture: Whole always = one.capture;
        /// Its place among the capture's findings, from 1: the first one is the verdict, if it is no note.
        finding: Whole always = one.number;
        /// The rule; `hcidiff explain RULE` says what it means.
        rule: Text always = one.it.rule;
        /// `cause`, `suspect` or `note`.
        level: Text always = one.it.level.word();
        /// How sure it is: `high`, `medium` or `low`.
        confidence: Text always = one.it.confidence.word();
        /// What is wrong, in a few words.
        title: Text always = one.it.title;
        /// What is wrong, in a few sentences.
        says: Text always = one.it.says.to_string();
        /// The attempt that it is about, as in `connections`: the first, where there are several.
        connection: Whole maybe = one.it.connections.first().copied();
        /// All attempts that it is about.
        connections: Text maybe = (!one.it.connections.is_empty()).then(|| {
            one.it.connections.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
        });
        /// The frames that prove it.
        frames: Text maybe = one.places(true);
        /// The lines of a log that prove it.
        log_lines: Text maybe = one.places(false);
        /// What to do first about it.
        remedy: Text maybe = one.it.remedies.first().map(|remedy| remedy.text().to_string());
    }
}
