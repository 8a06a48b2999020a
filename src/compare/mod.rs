//! Two connections side by side: which to compare, how their steps align, what
//! differs, and since when.
use crate::packet::att::Uuid;
use crate::prose::{Piece, Text};
use crate::sides::Sides;
use crate::text;
use crate::time::Span;
use crate::timeline::{Capture, Connection, Outcome, Procedure, Step};
use crate::vocabulary::vocabulary;
use std::collections::HashSet;

#[doc(hidden)]
pub mod align;
mod choose;
mod clocks;
mod count;
mod databases;
mod delta;
mod early;
mod ending;
mod habits;
mod key;
mod names;
mod parameters;
mod peer;
mod standing;
mod timeline;
pub(crate) mod words;

#[cfg(test)]
mod tests;

pub use choose::{
    Choice, NoMatch, attempts, attempts_wanted, choose, describe, holds, most_telling, same_peer,
};
pub use clocks::rounded;
pub use count::{Tally, others, tally};
pub use ending::Ending;
pub use habits::of_the_host;
pub use key::Key;
pub use names::{Meaning, Names};
pub use peer::{Peer, Sought};
pub use standing::{Failure, Standing, bad};

/// What the user decides about a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long after the connection is up counts as early.
    pub window: Span,
    /// Which connections of either side may be compared.
    pub wanted: Sides<Wanted>,
}

impl Default for Options {
    fn default() -> Self {
        Self { window: Span::from_ms(500), wanted: Sides::default() }
    }
}

/// The connections of one side that may be compared: those that fit all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Connections to this device.
    pub peer: Option<Peer>,
    /// Connections of this adapter.
    pub adapter: Option<u16>,
    /// The connection of this number.
    pub connection: Option<u32>,
}

impl Wanted {
    /// Connections to this device.
    pub fn peer(peer: impl Into<Peer>) -> Self {
        Self { peer: Some(peer.into()), ..Self::default() }
    }

    /// The connection of this number.
    pub fn connection(number: u32) -> Self {
        Self { connection: Some(number), ..Self::default() }
    }

    /// Whether anything is given.
    pub fn says_anything(&self) -> bool {
        *self != Self::default()
    }
}

/// One connection of one capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Index into the captures being compared.
    pub capture: usize,
    /// [`Connection::number`].
    pub connection: u32,
}

vocabulary! {
    /// What told that both sides speak of the same device.
    MatchedBy {
        Identity "identity",
        Address "address",
        Name "name",
        Gatt "gatt",
        Position "position",
        Option "option",
    }
}

vocabulary! {
    /// What became of a step on the other side.
    StepKind { Same "same", Changed "changed", Missing "missing", Extra "extra", Moved "moved", }
}

/// One line of the aligned timeline: indices into the two connections' steps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlignedStep {
    /// What became of it.
    pub kind: StepKind,
    /// Of the reference's connection.
    pub reference: Option<usize>,
    /// Of the subject's connection.
    pub subject: Option<usize>,
    /// What changed; empty for `same`.
    pub note: Text,
    /// The difference is normal between the two host stacks.
    pub normal: bool,
    /// Why it is normal.
    pub why: Option<&'static str>,
}

vocabulary! {
    /// The protocol of an operation.
    Protocol { Att "att", Smp "smp", Signal "signal", }
}

vocabulary! {
    /// What became of an early operation of one side on the other (`missing_early.subject` in JSON).
    Fate {
        Never "never",
        Later "later",
        NotReached "not-reached",
        CannotTell "cannot-tell",
    }
}

/// An attribute, named as well as both captures allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeName {
    /// On the side that has the operation.
    pub handle: u16,
    /// Its type, where one of the captures shows it.
    pub uuid: Option<Uuid>,
    /// In words.
    pub name: String,
}

/// An operation of one side within the early window that the other did not do within it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EarlyOperation {
    /// Which protocol it belongs to.
    pub protocol: Protocol,
    /// What kind of step it is.
    pub procedure: Procedure,
    /// In words.
    pub name: Text,
    /// The attribute that it is about, if it is about one.
    pub attribute: Option<AttributeName>,
    /// Index into the steps of the side that did it.
    pub step: usize,
    /// Where it began.
    pub frame: u32,
    /// How long after the connection came up.
    pub after: Option<Span>,
    /// What became of it on the other side.
    pub fate: Fate,
    /// Where the other side did it.
    pub other_frame: Option<u32>,
    /// How long after its connection came up the other side did it.
    pub other_after: Option<Span>,
    /// The other side's request that was never answered: what would have come after it could not.
    pub blocked_by: Option<u32>,
    /// Leaving it out is normal for the other side's host stack.
    pub normal: bool,
}

/// One measured distance, side by side.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClockFact {
    /// What is measured.
    pub name: &'static str,
    /// On the reference.
    pub reference: Option<Span>,
    /// On the subject.
    pub subject: Option<Span>,
}

/// One parameter, side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// What is compared.
    pub name: &'static str,
    /// Of the reference.
    pub reference: Option<Text>,
    /// Of the subject.
    pub subject: Option<Text>,
    /// Equal, or different in a way that is normal between the two host stacks.
    pub normal: bool,
    /// Why the difference is normal.
    pub why: Option<&'static str>,
}

vocabulary! {
    /// How two GATT databases differ.
    DatabaseChange { Added "added", Removed "removed", Moved "moved", Altered "changed", }
}

/// One difference between the two GATT databases, by UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseDifference {
    /// What kind of difference.
    pub change: DatabaseChange,
    /// The type that differs.
    pub uuid: Option<Uuid>,
    /// In words.
    pub name: String,
    /// Where the reference has it.
    pub reference_handle: Option<u16>,
    /// Where the subject has it.
    pub subject_handle: Option<u16>,
    /// The difference in one sentence.
    pub says: Text,
}

/// The attempts to the device that are not shown in full: `3 of 4 ended 0x3e after 315–340 ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Their numbers.
    pub connections: Vec<u32>,
    /// What became of them, in words.
    pub says: Text,
}

/// Two connections, compared.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The connection that works.
    pub reference: Side,
    /// The connection that fails.
    pub subject: Side,
    /// What tells that both are of one device.
    pub matched_by: MatchedBy,
    /// How sure, in words.
    pub match_says: Text,
    /// How long after the connection is up counts as early.
    pub window: Span,
    /// One side's capture was made on the central, the other's on the peripheral: directions are swapped.
    pub roles_differ: bool,
    /// The last frames up to which both agree.
    pub same_until: Option<(u32, u32)>,
    /// What came next on each side, in words.
    pub divergence: Option<Text>,
    /// The steps of both, aligned.
    pub steps: Vec<AlignedStep>,
    /// What the reference did early and the subject did not.
    pub missing_early: Vec<EarlyOperation>,
    /// What the subject did early and the reference did not.
    pub extra_early: Vec<EarlyOperation>,
    /// Distances in time that were measured on both.
    pub clocks: Vec<ClockFact>,
    /// Parameters of both.
    pub parameters: Vec<Parameter>,
    /// Differences between the GATT databases.
    pub databases: Vec<DatabaseDifference>,
    /// Whether both read the same database hash; `None` where one did not read it.
    pub database_hash_equal: Option<bool>,
    /// How the two links ended, where that differs.
    pub ending: Ending,
    /// The coarser of the two captures' clocks: no distance is finer.
    pub resolution: Span,
    /// The other attempts to the device on either side.
    pub others: Sides<Others>,
    /// At least one difference is not normal between the two host stacks.
    pub differs: bool,
}

impl Comparison {
    /// The sides were given the wrong way round: what is called the reference here was given as the subject.
    pub fn swapped(&self) -> bool {
        self.reference.capture > self.subject.capture
    }
}

/// One side while it is being compared.
pub struct View<'a> {
    /// The capture of this side.
    pub capture: &'a Capture,
    /// The connection that is compared.
    pub connection: &'a Connection,
    /// What its attributes are called.
    pub names: Names,
    /// Of every step, in order.
    keys: Vec<Key>,
    /// Counts only the steps that succeeded.
    done: HashSet<Key>,
}

/// Both sides while they are being compared.
struct Pair<'a> {
    reference: View<'a>,
    subject: View<'a>,
    roles_differ: bool,
    ending: Ending,
}

impl<'a> View<'a> {
    fn new(capture: &'a Capture, connection: &'a Connection, names: Names) -> Self {
        let keys: Vec<Key> =
            connection.steps.iter().map(|step| Key::of(connection, &names, step)).collect();
        let succeeded = |(step, key): (&Step, &Key)| (step.outcome == Outcome::Ok).then_some(*key);
        let done = connection.steps.iter().zip(&keys).filter_map(succeeded).collect();
        Self { capture, connection, names, keys, done }
    }

    fn step(&self, at: usize) -> &'a Step {
        &self.connection.steps[at]
    }

    /// A step in words.
    fn name(&self, at: usize) -> Text {
        words::step(self.connection, &self.names, self.step(at))
    }
}

impl<'a> Pair<'a> {
    fn of(left: &'a Capture, a: &'a Connection, right: &'a Capture, b: &'a Connection) -> Self {
        let names = names_of(left, a, right, b);
        let roles_differ = roles_differ(a, b);
        Self {
            reference: View::new(left, a, names.reference),
            subject: View::new(right, b, names.subject),
            roles_differ,
            ending: ending::compare(a, b, roles_differ),
        }
    }
}

/// The names of both sides' attributes, each learned from the other where it is the same device.
pub fn names(captures: &[Capture], reference: Side, subject: Side) -> Option<Sides<Names>> {
    let (left, right) = (captures.get(reference.capture)?, captures.get(subject.capture)?);
    let (a, b) = (left.connection(reference.connection)?, right.connection(subject.connection)?);
    Some(names_of(left, a, right, b))
}

fn names_of(left: &Capture, a: &Connection, right: &Capture, b: &Connection) -> Sides<Names> {
    let swapped = roles_differ(a, b);
    let (mut ours, mut theirs) = (Names::of(left, a), Names::of(right, b));
    let before = ours.clone();
    ours.learn_from(&theirs, swapped);
    theirs.learn_from(&before, swapped);
    Sides::new(ours, theirs)
}

fn roles_differ(a: &Connection, b: &Connection) -> bool {
    matches!((a.role, b.role), (Some(a), Some(b)) if a != b)
}

/// The connections of the captures that tell most, compared; `None` where nothing matches.
pub fn of_captures(captures: &[Capture]) -> Option<Comparison> {
    let options = Options::default();
    compare(captures, &choose(captures, &options).ok()?, &options)
}

/// Compares what was chosen. `None` where the choice is not of these captures.
pub fn compare(captures: &[Capture], choice: &Choice, options: &Options) -> Option<Comparison> {
    let (reference, subject) = (choice.reference, choice.subject);
    let (left, right) = (captures.get(reference.capture)?, captures.get(subject.capture)?);
    let (a, b) = (left.connection(reference.connection)?, right.connection(subject.connection)?);
    let pair = Pair::of(left, a, right, b);
    let steps = timeline::align(&pair);
    let (same_until, divergence) = if a.transport == b.transport {
        timeline::divergence(&pair, &steps)
    } else {
        let (was, is) = (words::transport(a.transport), words::transport(b.transport));
        let (reference, subject) = (Piece::Reference, Piece::Subject);
        (None, Some(text!("{} went by {} where {} went by {}", subject, is, reference, was)))
    };
    let (missing_early, extra_early) = early::both(&pair, options.window);
    let parameters = parameters::compare(&pair);
    let (databases, database_hash_equal) = databases::compare(&pair);
    // Where every step agrees, something else may not.
    let elsewhere = || {
        let parameter = parameters.iter().find(|parameter| !parameter.normal).map(|parameter| {
            let shown = |value: &Option<Text>| value.clone().unwrap_or("nothing".into());
            let values = words::against(shown(&parameter.reference), shown(&parameter.subject));
            text!("the steps agree; {}: {}", parameter.name, values)
        });
        let database = databases
            .first()
            .map(|found| text!("the steps agree; the databases differ: {}", found.says));
        let early = missing_early.iter().find(|operation| !operation.normal);
        parameter
            .or(database)
            .or_else(|| early.map(|operation| text!("{} never came early", operation.name)))
    };
    let divergence = divergence.or_else(elsewhere);
    // A step that matters is where the timelines part: then there is a divergence.
    let differs = divergence.is_some() || pair.ending.matters;
    Some(Comparison {
        reference,
        subject,
        matched_by: choice.matched_by,
        match_says: choice.says.clone(),
        window: options.window,
        roles_differ: pair.roles_differ,
        same_until,
        divergence,
        steps,
        missing_early,
        extra_early,
        clocks: clocks::facts(&pair),
        parameters,
        databases,
        database_hash_equal,
        ending: pair.ending,
        resolution: Span(i64::from(left.resolution_us.max(right.resolution_us))),
        others: choice.others.clone(),
        differs,
    })
}
