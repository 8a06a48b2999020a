//! Two connections side by side: which to compare, how their steps align, what
//! differs, and since when.
use crate::link::{Procedure, words};
use crate::time::Span;
use crate::wire::att::Uuid;
use std::fmt;

/// One connection of one capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Index into the captures being compared.
    pub capture: usize,
    /// [`Connection::number`].
    pub connection: u32,
}

words! {
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

words! {
    /// What became of a step on the other side.
    StepKind { Same "same", Changed "changed", Missing "missing", Extra "extra", Moved "moved", }
}

/// One line of the aligned timeline: indices into the two connections' steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignedStep {
    pub kind: StepKind,
    pub reference: Option<usize>,
    pub subject: Option<usize>,
    /// What changed, in words; empty for `same`.
    pub note: String,
    /// The difference is normal between the two host stacks.
    pub normal: bool,
}

words! {
    Protocol { Att "att", Smp "smp", Signal "signal", }
}

words! {
    /// What became of an early operation of one side on the other (CONTRACT: `missing_early.subject`).
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
    pub handle: u16,
    pub uuid: Option<Uuid>,
    pub name: String,
}

/// An operation of one side within the early window that the other did not do within it.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyOperation {
    pub protocol: Protocol,
    pub procedure: Procedure,
    pub name: String,
    pub attribute: Option<AttributeName>,
    /// Index into the steps of the side that did it.
    pub step: usize,
    pub frame: u32,
    pub after: Option<Span>,
    pub fate: Fate,
    pub other_frame: Option<u32>,
    pub other_after: Option<Span>,
    /// Leaving it out is normal for the other side's host stack.
    pub normal: bool,
}

/// One measured distance, side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockFact {
    pub name: &'static str,
    pub reference: Option<Span>,
    pub subject: Option<Span>,
}

/// One parameter, side by side, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub reference: Option<String>,
    pub subject: Option<String>,
    /// Equal, or different in a way that is normal between the two host stacks.
    pub normal: bool,
    pub why: Option<&'static str>,
}

words! {
    DatabaseChange { Added "added", Removed "removed", Moved "moved", Altered "changed", }
}

/// One difference between the two GATT databases, by UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseDifference {
    pub change: DatabaseChange,
    pub uuid: Option<Uuid>,
    pub name: String,
    pub reference_handle: Option<u16>,
    pub subject_handle: Option<u16>,
    pub says: String,
}

/// The attempts to the device that are not shown in full: `3 of 4 ended 0x3e after 315–340 ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    pub connections: Vec<u32>,
    pub says: String,
}

/// Two connections, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub reference: Side,
    pub subject: Side,
    pub matched_by: MatchedBy,
    /// How sure, in words.
    pub match_says: String,
    pub window: Span,
    /// One side's capture was made on the central, the other's on the peripheral: directions are swapped.
    pub roles_differ: bool,
    /// The last frames up to which both agree.
    pub same_until: Option<(u32, u32)>,
    /// What came next on each side, in words.
    pub divergence: Option<String>,
    pub steps: Vec<AlignedStep>,
    pub missing_early: Vec<EarlyOperation>,
    pub extra_early: Vec<EarlyOperation>,
    pub clocks: Vec<ClockFact>,
    pub parameters: Vec<Parameter>,
    pub databases: Vec<DatabaseDifference>,
    pub database_hash_equal: Option<bool>,
    pub reference_others: Others,
    pub subject_others: Others,
    /// At least one difference is not normal between the two host stacks.
    pub differs: bool,
}

/// The connections of two captures that tell most, compared.
///
/// Nothing can be chosen yet; the aligner replaces this.
pub fn of_captures(_: &[crate::link::Capture]) -> Option<Comparison> {
    None
}
