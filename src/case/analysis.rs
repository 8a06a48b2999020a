//! What was found in captures that have been read.
use super::{Unreadable, Value, swapped};
use crate::compare::{
    self, Choice, Comparison, Failure, NoMatch, Options, Side as ComparedSide, Standing, same_peer,
};
use crate::diagnose::{self, Finding, Level, Scene};
use crate::prose::{Text, quoted};
use crate::sides::{Sides, Which};
use crate::text;
use crate::timeline::{Capture, Connection};
use crate::witness::{Log, Testimony};
use std::collections::{HashMap, HashSet};

/// What the captures of a case hold, how they differ, and what that means.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Analysis {
    /// One capture, or reference and subject in this order.
    pub captures: Vec<Capture>,
    /// The two connections that tell most, side by side.
    pub comparison: Option<Comparison>,
    /// Why two captures could not be compared.
    pub no_match: Option<NoMatch>,
    /// The connection that is told of one capture, where the options name it.
    pub focus: Option<u32>,
    /// In order of weight: the first one is the verdict.
    pub findings: Vec<Finding>,
    /// What logs say of the captures' connections.
    pub testimonies: Vec<Testimony>,
    /// Attribute values by capture and frame, where the case asks for them.
    pub values: HashMap<(usize, u32), Value>,
}

impl Analysis {
    /// Analyses captures that are already read, or were made without any file.
    pub fn of(captures: Vec<Capture>, options: &Options) -> Self {
        Self::with_logs(captures, Vec::new(), options)
    }

    /// The same, with logs: pairs of the place of a capture and a log of its host.
    pub fn with_logs(captures: Vec<Capture>, logs: Vec<(usize, Log)>, options: &Options) -> Self {
        Self::with_witnesses(captures, logs, Vec::new(), options)
    }

    /// The same, with sniffers' captures too: pairs of the place of a capture and what was heard beside its host.
    pub fn with_witnesses(
        captures: Vec<Capture>,
        logs: Vec<(usize, Log)>,
        sniffed: Vec<(usize, Capture)>,
        options: &Options,
    ) -> Self {
        let one_capture = captures.len() == 1;
        let mut testimonies = Testimony::all(logs, &captures);
        Testimony::add_sniffed(&mut testimonies, sniffed, &captures);
        let mut analysis = Self { captures, testimonies, ..Self::default() };
        match swapped::choose(&mut analysis.captures, options) {
            Ok(choice) => {
                analysis.comparison = compare::compare(&analysis.captures, &choice, options);
            }
            Err(no_match) if !one_capture => analysis.no_match = Some(no_match),
            Err(_) => analysis.look_at_one(options),
        }
        analysis.findings = analysis.weighed(analysis.comparison.as_ref());
        if options.wanted.iter().all(|wanted| wanted.connection.is_none()) {
            analysis.follow_the_verdict(options);
        }
        analysis.keep_what_was_asked(options);
        analysis
    }

    /// Whether there is a finding of level cause or suspect, or a difference that is not normal.
    pub fn found_something(&self) -> bool {
        let differs = self.comparison.as_ref().is_some_and(|comparison| comparison.differs);
        differs || self.findings.iter().any(|finding| finding.level != Level::Note)
    }

    /// The attempt of a capture whose timeline is told where nothing is compared: the one that findings
    /// speak of first, else the failure that came furthest, else the one that worked best.
    pub fn most_telling(&self, capture: usize) -> Option<&Connection> {
        let held = self.captures.get(capture)?;
        if let Some(connection) = self.focus.and_then(|number| held.connection(number)) {
            return Some(connection);
        }
        let spoken = self.findings.iter().filter(|finding| finding.capture == capture);
        if let Some(connection) = spoken
            .flat_map(|finding| &finding.connections)
            .find_map(|number| held.connection(*number))
        {
            return Some(connection);
        }
        let rank = |c: &&Connection| (c.connected(), Failure::of(c).is_some(), Standing::of(c));
        held.connections.iter().rev().max_by_key(rank)
    }

    /// The connection that is told of a single capture: the one that was compared, where another one of the same
    /// capture worked, else the most telling one.
    pub fn told(&self) -> Option<&Connection> {
        match &self.comparison {
            Some(compared) => self.captures.first()?.connection(compared.subject.connection),
            None => self.most_telling(0),
        }
    }

    /// The other capture could not be read: there is nothing to compare this one with.
    pub(super) fn lacks(&mut self, unreadable: &Unreadable) {
        let left = self.captures.iter().map(|capture| Text::from(quoted(&capture.label)));
        self.no_match = Some(NoMatch {
            says: text!(
                "{}; nothing to compare {} with",
                quoted(&unreadable.to_string()),
                Text::joined(left, ", ")
            ),
            holds: self.captures.iter().map(compare::holds).collect(),
            nearest: Vec::new(),
        });
    }

    /// Where the verdict is about another attempt to the same device than the one that was compared,
    /// that attempt is compared instead, if the verdict stays what it was.
    fn follow_the_verdict(&mut self, options: &Options) {
        let (Some(comparison), Some(verdict)) = (&self.comparison, self.findings.first()) else {
            return;
        };
        let ComparedSide { capture, connection } = comparison.subject;
        let held = &self.captures[capture];
        let compared = held.connection(connection);
        let spoken = verdict.connections.first().and_then(|number| held.connection(*number));
        let (Some(compared), Some(spoken)) = (compared, spoken) else { return };
        let elsewhere = verdict.level == Level::Note
            || verdict.capture != capture
            || verdict.connections.contains(&connection)
            || self.captures.len() == 1 && spoken.number == comparison.reference.connection
            || !same_peer(compared, spoken);
        if elsewhere {
            return;
        }
        let choice = Choice {
            reference: comparison.reference,
            subject: ComparedSide { capture, connection: spoken.number },
            matched_by: comparison.matched_by,
            says: comparison.match_says.clone(),
            others: Sides::new(comparison.others.reference.clone(), compare::others(held, spoken)),
        };
        let Some(other) = compare::compare(&self.captures, &choice, options) else { return };
        let findings = self.weighed(Some(&other));
        let same = findings.first().is_some_and(|first| {
            first.rule == verdict.rule && first.connections.contains(&other.subject.connection)
        });
        if same {
            self.comparison = Some(other);
            self.findings = findings;
        }
    }

    /// Whoever asks about one device or connection gets no verdict about another one.
    fn keep_what_was_asked(&mut self, options: &Options) {
        let last = self.captures.len().saturating_sub(1);
        let subject = self.comparison.as_ref().map_or(last, |compared| compared.subject.capture);
        let Some(capture) = self.captures.get(subject) else { return };
        let (asked, numbers) = match (self.captures.len(), &options.wanted) {
            (1, Sides { reference, subject }) => {
                let asked = reference.says_anything() || subject.connection.is_some();
                (asked, compare::attempts(capture, options))
            }
            (_, wanted) => {
                let which = if subject == 0 { Which::Reference } else { Which::Subject };
                let wanted = &wanted[which];
                (wanted.says_anything(), compare::attempts_wanted(capture, wanted))
            }
        };
        let numbers: HashSet<u32> = numbers.into_iter().collect();
        if !asked {
            return;
        }
        // An attempt to whoever is on the accept list may have been meant for the device.
        let by_number = options.wanted.iter().any(|wanted| wanted.connection.is_some());
        let nobody = |number: u32| {
            let connection = capture.connection(number);
            !by_number && connection.is_some_and(|c| c.peer.who().is_none())
        };
        self.findings.retain(|finding| {
            let mut about = finding.connections.iter();
            finding.capture != subject
                || finding.connections.is_empty()
                || about.any(|number| numbers.contains(number) || nobody(*number))
        });
    }

    /// One capture without a comparison: the attempt that the options name, if they name one.
    fn look_at_one(&mut self, options: &Options) {
        let Some(capture) = self.captures.first() else { return };
        let numbers = compare::attempts(capture, options);
        let Sides { reference, subject } = &options.wanted;
        let named = reference.says_anything() || subject.connection.is_some();
        if !named {
            return;
        }
        if numbers.is_empty() {
            self.no_match = Some(NoMatch {
                says: text!("{} has no connection that fits the options", quoted(&capture.label)),
                holds: vec![compare::holds(capture)],
                nearest: Vec::new(),
            });
        }
        self.focus = compare::most_telling(capture, &numbers);
    }

    /// The findings about the side that fails, or about the only capture.
    fn weighed(&self, comparison: Option<&Comparison>) -> Vec<Finding> {
        let last = self.captures.len().saturating_sub(1);
        let subject = comparison.map_or(last, |comparison| comparison.subject.capture);
        let (captures, testimonies) = (self.captures.as_slice(), self.testimonies.as_slice());
        diagnose::diagnose(&Scene { captures, testimonies, subject, comparison })
    }
}
