//! What a rule's check says, before it is weighed.
use super::{Confidence, Level, RuledOut};

/// A rule's claim about one connection, device, capture or comparison.
///
/// Reads as a sentence: `Verdict::cause("…").sure(Confidence::High).sees(41, "…").try_this("…")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub level: Level,
    pub confidence: Confidence,
    /// Empty: the connection that the check was called for.
    pub connections: Vec<u32>,
    /// Claims of one rule are one finding, unless they differ in this: a code, as a rule.
    pub apart: u8,
    pub says: String,
    /// (frame of the capture under diagnosis, what it shows).
    pub evidence: Vec<(u32, String)>,
    /// The same of the reference capture.
    pub reference_evidence: Vec<(u32, String)>,
    pub rules_out: Vec<RuledOut>,
    pub would_settle: Vec<String>,
    pub remedies: Vec<String>,
}

impl Verdict {
    fn new(level: Level, says: impl Into<String>) -> Self {
        Self {
            level,
            confidence: Confidence::Medium,
            connections: Vec::new(),
            apart: 0,
            says: says.into(),
            evidence: Vec::new(),
            reference_evidence: Vec::new(),
            rules_out: Vec::new(),
            would_settle: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// The evidence is that of the cause itself.
    pub fn cause(says: impl Into<String>) -> Self {
        Self::new(Level::Cause, says)
    }

    /// The evidence fits, and fits other causes too.
    pub fn suspect(says: impl Into<String>) -> Self {
        Self::new(Level::Suspect, says)
    }

    /// Worth knowing, and no fault by itself.
    pub fn note(says: impl Into<String>) -> Self {
        Self::new(Level::Note, says)
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

    pub fn sees(mut self, frame: u32, text: impl Into<String>) -> Self {
        self.evidence.push((frame, text.into()));
        self
    }

    pub fn sees_in_reference(mut self, frame: u32, text: impl Into<String>) -> Self {
        self.reference_evidence.push((frame, text.into()));
        self
    }

    pub fn rules_out(mut self, rule: &'static str, why: impl Into<String>) -> Self {
        self.rules_out.push(RuledOut { rule, why: why.into() });
        self
    }

    pub fn settled_by(mut self, test: impl Into<String>) -> Self {
        self.would_settle.push(test.into());
        self
    }

    pub fn try_this(mut self, remedy: impl Into<String>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    pub fn try_these(mut self, remedies: impl IntoIterator<Item = String>) -> Self {
        self.remedies.extend(remedies);
        self
    }
}
