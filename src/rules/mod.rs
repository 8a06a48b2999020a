//! Evidence becomes findings: one rule a file, weighed against each other.
use crate::compare::Comparison;
use crate::link::{Capture, Connection, words};
use std::fmt;

words! {
    Level { Cause "cause", Suspect "suspect", Note "note", }
}

words! {
    Confidence { High "high", Medium "medium", Low "low", }
}

/// One frame that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub capture: usize,
    pub frame: u32,
    pub text: String,
}

/// Another explanation that the evidence excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    pub rule: &'static str,
    pub why: String,
}

/// What is wrong, how sure, by which frames, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's kebab-case id.
    pub rule: &'static str,
    /// Says what is wrong, for this capture.
    pub title: String,
    pub level: Level,
    pub confidence: Confidence,
    /// Index into the captures.
    pub capture: usize,
    pub connections: Vec<u32>,
    /// One to three sentences.
    pub says: String,
    pub evidence: Vec<Evidence>,
    pub rules_out: Vec<RuledOut>,
    pub would_settle: Vec<String>,
    pub remedies: Vec<String>,
    pub sources: Vec<&'static str>,
}

/// Everything that a rule may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// One capture, or reference and subject in this order.
    pub captures: &'a [Capture],
    /// The capture under diagnosis: index into `captures` (the subject, or the only one).
    pub subject: usize,
    pub comparison: Option<&'a Comparison>,
}

impl<'a> Scene<'a> {
    pub fn capture(&self) -> &'a Capture {
        &self.captures[self.subject]
    }

    /// The connection of the reference that works, if there is one to compare with.
    pub fn reference(&self) -> Option<&'a Connection> {
        let side = self.comparison?.reference;
        self.captures.get(side.capture)?.connection(side.connection)
    }
}
