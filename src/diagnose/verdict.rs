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
    pub place: Place,
    pub frame: u32,
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
    pub level: Level,
    pub confidence: Confidence,
    /// Empty: the connection that the check was called for.
    pub connections: Vec<u32>,
    /// Claims of one rule are one finding, unless they differ in this: a code, as a rule.
    pub apart: u8,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    Facts(Arc<dyn Facts>),
    /// Of a rule that still writes its sentences in its check.
    Told(Box<Told>),
}

impl<F: Facts + 'static> From<F> for Body {
    fn from(facts: F) -> Self {
        Body::Facts(Arc::new(facts))
    }
}

impl Verdict {
    fn new(level: Level, body: Body) -> Self {
        Self { level, confidence: Confidence::Medium, connections: Vec::new(), apart: 0, body }
    }

    /// The evidence is that of the cause itself.
    pub fn cause(facts: impl Into<Body>) -> Self {
        Self::new(Level::Cause, facts.into())
    }

    /// The evidence fits, and fits other causes too.
    pub fn suspect(facts: impl Into<Body>) -> Self {
        Self::new(Level::Suspect, facts.into())
    }

    /// Worth knowing, and no fault by itself.
    pub fn note(facts: impl Into<Body>) -> Self {
        Self::new(Level::Note, facts.into())
    }

    pub fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    pub fn about(mut self, connections: impl IntoIterator<Item = u32>) -> Self {
        self.connections.extend(connections);
        self
    }

    pub fn apart(mut self, by: u8) -> Self {
        self.apart = by;
        self
    }

    /// What the sentences are made of.
    pub fn facts(&self) -> &dyn Facts {
        match &self.body {
            Body::Facts(facts) => facts.as_ref(),
            Body::Told(told) => told.as_ref(),
        }
    }
}

/// Sentences that a check wrote itself. Rules with [`Facts`] of their own do not need it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    says: Text,
    evidence: Vec<Sight>,
    rules_out: Vec<RuledOut>,
    would_settle: Vec<Text>,
    remedies: Vec<Remedy>,
}

impl Facts for Told {
    fn says(&self) -> Text {
        self.says.clone()
    }

    fn evidence(&self) -> Vec<Sight> {
        self.evidence.clone()
    }

    fn rules_out(&self) -> Vec<RuledOut> {
        self.rules_out.clone()
    }

    fn would_settle(&self) -> Vec<Text> {
        self.would_settle.clone()
    }

    fn remedies(&self) -> Vec<Remedy> {
        self.remedies.clone()
    }
}

impl From<&'static str> for Body {
    fn from(says: &'static str) -> Self {
        Body::Told(Box::new(Told { says: says.into(), ..Told::default() }))
    }
}

impl From<String> for Body {
    fn from(says: String) -> Self {
        Body::Told(Box::new(Told { says: says.into(), ..Told::default() }))
    }
}

/// For rules that still write their sentences in their check.
impl Verdict {
    fn tell(mut self, add: impl FnOnce(&mut Told)) -> Self {
        if let Body::Told(told) = &mut self.body {
            add(told);
        }
        self
    }

    pub fn sees(self, frame: u32, text: impl Into<Text>) -> Self {
        self.tell(|told| told.evidence.push(Sight::here(frame, text)))
    }

    pub fn sees_in_reference(self, frame: u32, text: impl Into<Text>) -> Self {
        self.tell(|told| told.evidence.push(Sight::in_reference(frame, text)))
    }

    pub fn rules_out(self, rule: &'static str, why: impl Into<Text>) -> Self {
        self.tell(|told| told.rules_out.push(RuledOut::new(rule, why)))
    }

    pub fn settled_by(self, test: impl Into<Text>) -> Self {
        self.tell(|told| told.would_settle.push(test.into()))
    }

    pub fn try_this(self, remedy: &'static str) -> Self {
        self.try_these([Remedy::any(remedy)])
    }

    pub fn try_these(self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.tell(|told| told.remedies.extend(remedies))
    }
}
