//! What a rule's check returns: facts, how sure they make it, and whom they are about.
use super::{Confidence, Level, Remedy, RuledOut};
use crate::prose::Text;
use crate::seen::{Seen, SourceId};
use std::fmt;
use std::sync::Arc;

/// What a rule found, as plain values: times, codes, frames.
///
/// A check collects them and writes no sentence. The sentences are made from them once the findings are weighed and
/// merged, and only for those that are left. Nothing here returns an `Option`: what may be unknown is an `Option`
/// among the facts, and its sentence leaves it out.
pub trait Facts: fmt::Debug + Send + Sync {
    /// What happened and why, in one to three sentences.
    fn says(&self) -> Text;

    /// The frames that prove it, the most telling first. Without one there is no finding.
    fn evidence(&self) -> Vec<Sight>;

    /// Other explanations that the facts exclude. A cause or suspect has one at least.
    fn rules_out(&self) -> Vec<RuledOut> {
        Vec::new()
    }

    /// Tests that would turn suspicion into certainty.
    fn would_settle(&self) -> Vec<Text> {
        Vec::new()
    }

    /// What to do, the best first. A cause or suspect has one at least. The report shows those that are
    /// for the host at hand.
    fn remedies(&self) -> Vec<Remedy> {
        Vec::new()
    }
}

/// Where a rule saw something. A rule does not know which places its captures have in the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The capture under diagnosis.
    Here,
    /// The capture in which it works.
    Reference,
    /// A source that the case numbers: a witness.
    Source(SourceId),
}

/// A frame, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// In which source.
    pub place: Place,
    /// The frame, or the line of a log.
    pub frame: u32,
    /// What it shows.
    pub text: Text,
}

impl Sight {
    /// A frame of the capture under diagnosis.
    pub fn here(frame: u32, text: impl Into<Text>) -> Self {
        Self { place: Place::Here, frame, text: text.into() }
    }

    /// A frame of the capture in which it works.
    pub fn in_reference(frame: u32, text: impl Into<Text>) -> Self {
        Self { place: Place::Reference, frame, text: text.into() }
    }

    /// A place in a source that the case numbers: the line of a log, a message of D-Bus.
    pub fn of(seen: Seen, text: impl Into<Text>) -> Self {
        Self { place: Place::Source(seen.source), frame: seen.frame, text: text.into() }
    }
}

/// A rule's claim about one connection, device, capture or comparison.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How much it says.
    pub level: Level,
    /// How sure it is.
    pub confidence: Confidence,
    /// Empty: the connection that the check was called for.
    pub connections: Vec<u32>,
    /// Claims of one rule are one finding, unless they differ in this: a code, as a rule.
    pub apart: u8,
    pub(super) facts: Arc<dyn Facts>,
}

impl Verdict {
    fn new(level: Level, facts: impl Facts + 'static) -> Self {
        let facts = Arc::new(facts);
        Self { level, confidence: Confidence::Medium, connections: Vec::new(), apart: 0, facts }
    }

    /// The evidence is that of the cause itself.
    pub fn cause(facts: impl Facts + 'static) -> Self {
        Self::new(Level::Cause, facts)
    }

    /// The evidence fits, and fits other causes too.
    pub fn suspect(facts: impl Facts + 'static) -> Self {
        Self::new(Level::Suspect, facts)
    }

    /// Worth knowing, and no fault by itself.
    pub fn note(facts: impl Facts + 'static) -> Self {
        Self::new(Level::Note, facts)
    }

    /// So sure is it.
    pub fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// It is about these connections.
    pub fn about(mut self, connections: impl IntoIterator<Item = u32>) -> Self {
        self.connections.extend(connections);
        self
    }

    /// It stays apart from claims of the same rule that say another number here.
    pub fn apart(mut self, by: u8) -> Self {
        self.apart = by;
        self
    }

    /// What the sentences are made of.
    pub fn facts(&self) -> &dyn Facts {
        self.facts.as_ref()
    }
}
