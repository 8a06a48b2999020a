//! A case whose last capture is read by somebody else, because it still grows.
use super::read::{self, Held};
use super::{Analysis, Case, Unreadable, analysed};
use crate::capture::CaptureError;
use crate::timeline::Capture;

/// What stands beside a capture that grows: the reference, read once, and the logs.
///
/// A [`Live`](super::Live) or a [`Watch`](crate::watch::Watch) reads the case's last capture.
pub struct Beside {
    case: Case,
    /// The same without logs: they still grow, too.
    bare: Case,
    reference: Option<Held>,
}

impl Beside {
    /// Reads the reference, where the case has one.
    pub fn read(case: &Case) -> Result<Self, Unreadable> {
        let reference = match case.sides() {
            [reference, _, ..] => Some(read::named(reference)?),
            _ => None,
        };
        let mut bare = case.clone();
        bare.sides.iter_mut().for_each(|side| side.witnesses.clear());
        Ok(Self { case: case.clone(), bare, reference })
    }

    /// What the case says while its last capture still grows. The logs are not asked.
    pub fn so_far(&self, last: Capture) -> Result<Analysis, Unreadable> {
        self.analyse(&self.bare, Ok((last, None)))
    }

    /// What the case says in the end: the same as [`analyse`](super::analyse) of the finished file.
    pub fn finished(&self, last: Result<Capture, CaptureError>) -> Result<Analysis, Unreadable> {
        let name = || self.case.sides().last().map(|side| side.capture.name().into_owned());
        let unreadable = |error| Unreadable { name: name().unwrap_or_default(), error };
        self.analyse(&self.case, last.map(|capture| (capture, None)).map_err(unreadable))
    }

    fn analyse(&self, case: &Case, last: read::Named) -> Result<Analysis, Unreadable> {
        analysed(case, read::gathered(case, self.reference.clone().map(Ok), last)?)
    }
}
