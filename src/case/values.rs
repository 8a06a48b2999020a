//! The attribute values of the connections that are told, from a second look at the captures.
use super::{Analysis, Case, Side};
use crate::capture::{self, CaptureError, Warning, WarningKind};
use crate::compare::{self, Names};
use crate::decode::Decoder;
use crate::packet::att::Uuid;
use crate::packet::secrecy::{carries_key, tells_identity};
use crate::sides::Sides;
use crate::timeline::Connection;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Most steps of a capture whose values are kept.
const MOST_VALUES: usize = 2_000;

/// Longer values are cut.
const LONGEST_VALUE: usize = 64;

/// An attribute value, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The first bytes.
    pub head: Box<[u8]>,
    /// How many bytes the capture has of it.
    pub length: usize,
    /// The capture itself kept only a part.
    pub cut: bool,
    /// It tells whose device it is: not shown where aliases stand.
    pub identity: bool,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.head {
            write!(f, "{byte:02x}")?;
        }
        if self.cut || self.length > self.head.len() { f.write_str("…") } else { Ok(()) }
    }
}

/// Adds the values to an analysis; `first` is the side that its first capture belongs to.
pub(super) fn read(case: &Case, first: usize, analysis: &mut Analysis) {
    for index in 0..analysis.captures.len() {
        let Some(side) = case.sides.get(first + index) else { continue };
        let frames = frames(analysis, index);
        let failure = if side.capture.is_read_once() {
            format!("{} can be read only once", side.capture.name())
        } else {
            match in_frames(side, &frames) {
                Ok(mut values) => {
                    for (frame, kind) in types(analysis, index) {
                        if carries_key(kind) {
                            values.remove(&frame);
                        } else if let Some(value) = values.get_mut(&frame) {
                            value.identity = tells_identity(kind);
                        }
                    }
                    let of = |(frame, value)| ((index, frame), value);
                    analysis.values.extend(values.into_iter().map(of));
                    continue;
                }
                Err(error) => error.to_string(),
            }
        };
        let text = format!("values cannot be shown: {failure}");
        let warning = Warning::of_all(WarningKind::NoValues, text);
        analysis.captures[index].warnings.push(warning);
    }
}

/// The frames of the steps that are told of a capture.
fn frames(analysis: &Analysis, index: usize) -> HashSet<u32> {
    let told = match &analysis.comparison {
        Some(comparison) => [comparison.reference, comparison.subject]
            .iter()
            .filter(|side| side.capture == index)
            .filter_map(|side| analysis.captures[index].connection(side.connection))
            .collect(),
        None => Vec::from_iter(analysis.most_telling(index)),
    };
    let steps = told.iter().flat_map(|connection| &connection.steps);
    let steps = steps.filter(|step| step.bytes > 0).take(MOST_VALUES);
    steps.flat_map(|step| [step.frame, step.last.frame]).collect()
}

/// The types of the values that are told of a capture, as far as either capture teaches them.
fn types(analysis: &Analysis, index: usize) -> Vec<(u32, Uuid)> {
    let capture = &analysis.captures[index];
    let told: Vec<(&Connection, Names)> = match &analysis.comparison {
        Some(comparison) => {
            let (reference, subject) = (comparison.reference, comparison.subject);
            let names = compare::names(&analysis.captures, reference, subject);
            let sides = names.map(|names| Sides::new(reference, subject).zip(names));
            let here = sides.into_iter().flatten().filter(|(side, _)| side.capture == index);
            here.filter_map(|(side, names)| Some((capture.connection(side.connection)?, names)))
                .collect()
        }
        None => {
            let told = analysis.most_telling(index);
            told.map(|connection| (connection, Names::of(capture, connection)))
                .into_iter()
                .collect()
        }
    };
    let types = told.iter().flat_map(|(connection, names)| {
        let steps = connection.steps.iter().filter(|step| step.bytes > 0);
        steps.filter_map(move |step| Some((step, names.attribute(connection, step)?.uuid?)))
    });
    types.flat_map(|(step, kind)| [(step.frame, kind), (step.last.frame, kind)]).collect()
}

/// The attribute values in some frames of a capture. Steps that were folded together have none.
fn in_frames(side: &Side, frames: &HashSet<u32>) -> Result<HashMap<u32, Value>, CaptureError> {
    let mut opened = capture::open(&side.capture, &side.reading)?;
    let mut decoder = Decoder::new();
    let mut values = HashMap::new();
    let last = frames.iter().max().copied().unwrap_or(0);
    while let Some(record) = opened.source.next()? {
        let event = decoder.decode(&record);
        if event.frame > last {
            break;
        }
        if frames.contains(&event.frame)
            && !event.hidden
            && let Some(value) = event.packet.attribute_value()
        {
            let head = value.get(..LONGEST_VALUE).unwrap_or(value).into();
            values.insert(
                event.frame,
                Value { head, length: value.len(), cut: event.cut, identity: false },
            );
        }
    }
    Ok(values)
}
