//! Cases: small traces beside a rule, with what it must make of them.
use super::{Confidence, Level, Rule};
use crate::seen::SourceId;
use crate::timeline::Capture;
use crate::trace::Trace;
use crate::trace::on_air::OnAir;
use crate::witness::Testimony;

/// A trace, or a pair of them.
pub struct Example {
    /// The capture that works, where there is one.
    pub reference: Option<Trace>,
    /// The capture under diagnosis.
    pub subject: Trace,
    /// A log of the subject's host.
    pub log: Option<&'static str>,
    /// What a sniffer beside them heard.
    pub air: Option<Trace>,
}

impl From<Trace> for Example {
    fn from(subject: Trace) -> Self {
        Self { reference: None, subject, log: None, air: None }
    }
}

impl From<OnAir> for Example {
    fn from(air: OnAir) -> Self {
        Trace::from(air).into()
    }
}

impl Example {
    /// Two captures, to be compared.
    pub fn pair(reference: Trace, subject: Trace) -> Self {
        Self { reference: Some(reference), subject, log: None, air: None }
    }

    /// A capture, and a log of its host.
    pub fn with_log(subject: Trace, log: &'static str) -> Self {
        Self { reference: None, subject, log: Some(log), air: None }
    }

    /// A capture, and what a sniffer beside it heard.
    pub fn sniffed(subject: Trace, air: Trace) -> Self {
        Self { reference: None, subject, log: None, air: Some(air) }
    }

    /// What was said beside the packets, held against the subject, which is the last of the captures.
    pub fn testimonies(&self, captures: &[Capture]) -> Vec<Testimony> {
        let at = captures.len().saturating_sub(1);
        let log = self.log.and_then(|log| {
            let input = crate::capture::Input::bytes("log", log.as_bytes());
            crate::witness::read(&input, &Default::default()).ok().flatten()
        });
        let mut all = Testimony::all(log.map(|log| (at, log)).into_iter().collect(), captures);
        if let Some(air) = &self.air {
            let source = SourceId::Witness(u16::try_from(all.len()).unwrap_or(u16::MAX));
            Testimony::add_sniffed(&mut all, vec![(at, air.run_of(source))], captures);
        }
        all
    }
}

/// What a rule must say of one trace.
///
/// The nearest cases tell most: the same trace on both sides of one threshold or one guard.
pub struct Case {
    /// What is special about it.
    pub name: &'static str,
    /// Makes the traces.
    pub example: fn() -> Example,
    /// What the rule must say.
    pub expected: Expected,
    /// The constants that it stands on one side of: `SHORTEST`, or `waits::SHORTEST` of a shared file.
    pub pins: &'static [&'static str],
    /// Connections that the finding must name. Empty: any.
    pub connections: &'static [u32],
    /// Words that the finding's sentences or its evidence must hold.
    pub words: &'static str,
    /// Words that they must not hold.
    pub absent: &'static str,
}

/// What a rule must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It speaks, so loud and so sure.
    Finding(Level, Confidence),
    /// It says nothing.
    Silence,
    /// It has something to say, and gives way to another rule's finding.
    Outweighed,
}

impl Case {
    const fn new(name: &'static str, expected: Expected, example: fn() -> Example) -> Self {
        Self { name, example, expected, pins: &[], connections: &[], words: "", absent: "" }
    }

    /// The rule must speak, on this level.
    pub const fn cause(
        confidence: Confidence,
        name: &'static str,
        example: fn() -> Example,
    ) -> Self {
        Self::new(name, Expected::Finding(Level::Cause, confidence), example)
    }

    /// The rule must speak, on this level.
    pub const fn suspect(
        confidence: Confidence,
        name: &'static str,
        example: fn() -> Example,
    ) -> Self {
        Self::new(name, Expected::Finding(Level::Suspect, confidence), example)
    }

    /// The rule must speak, on this level.
    pub const fn note(
        confidence: Confidence,
        name: &'static str,
        example: fn() -> Example,
    ) -> Self {
        Self::new(name, Expected::Finding(Level::Note, confidence), example)
    }

    /// The rule must say nothing.
    pub const fn silent(name: &'static str, example: fn() -> Example) -> Self {
        Self::new(name, Expected::Silence, example)
    }

    /// The rule fires, and another rule's finding takes the place of its own.
    pub const fn outweighed(name: &'static str, example: fn() -> Example) -> Self {
        Self::new(name, Expected::Outweighed, example)
    }

    /// Whether the report shows what the rule says.
    pub const fn is_shown(&self) -> bool {
        matches!(self.expected, Expected::Finding(..))
    }

    /// The case stands on one side of these constants; another one must stand on the other side.
    pub const fn pins(mut self, constants: &'static [&'static str]) -> Self {
        self.pins = constants;
        self
    }

    /// The finding names exactly these connections.
    pub const fn about(mut self, connections: &'static [u32]) -> Self {
        self.connections = connections;
        self
    }

    /// The finding's sentences or its evidence hold these words.
    pub const fn saying(mut self, words: &'static str) -> Self {
        self.words = words;
        self
    }

    /// Neither hold these.
    pub const fn not_saying(mut self, words: &'static str) -> Self {
        self.absent = words;
        self
    }
}

impl Rule {
    /// The first case that has a finding.
    pub fn example(&self) -> Option<&Case> {
        self.cases.iter().find(|case| case.is_shown())
    }

    /// The first case that has none.
    pub fn near_miss(&self) -> Option<&Case> {
        self.cases.iter().find(|case| case.expected == Expected::Silence)
    }
}
