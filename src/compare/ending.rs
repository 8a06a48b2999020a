//! How the two links ended, side by side.
use super::standing::Failure;
use super::words;
use crate::prose::Text;
use crate::timeline::{Connection, EndedBy};

/// What differs between the two ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// In words; empty where nothing differs.
    pub says: Text,
    /// More than two hosts' habits: one side failed, or both in another way.
    pub matters: bool,
}

/// Compares the ends. A host that hangs up early is normal, and so is a capture that ends first.
pub fn compare(reference: &Connection, subject: &Connection, roles_differ: bool) -> Ending {
    let (failed, failed_too) = (Failure::of(reference), Failure::of(subject));
    let matters = failed != failed_too && !(roles_differ && one_end_seen_twice(reference, subject));
    let kind = |c: &Connection| c.end.as_ref().map(|end| (end.reason, end.by));
    if !matters && (roles_differ || kind(reference) == kind(subject)) {
        return Ending::default();
    }
    Ending { says: words::against(words::ending(reference), words::ending(subject)), matters }
}

/// One host hung up: its own capture says 0x16, the capture at the other end 0x13.
fn one_end_seen_twice(a: &Connection, b: &Connection) -> bool {
    let by = |c: &Connection| c.end.as_ref().map(|end| end.by);
    matches!(
        (by(a), by(b)),
        (Some(EndedBy::Host), Some(EndedBy::Peer)) | (Some(EndedBy::Peer), Some(EndedBy::Host))
    )
}
