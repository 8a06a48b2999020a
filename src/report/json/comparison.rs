//! Two connections, side by side.
use super::connection::{Attribute, Disconnect, FirstAtt, Mtu};
use super::{FromOne, ms, objects, outside};
use crate::compare::{self, DatabaseChange, Fate, MatchedBy, Names, Protocol, StepKind};
use crate::prose::Text;
use crate::report::Report;
use crate::sides::Sides;
use crate::timeline::{self, Procedure};
use serde::Serialize;
use serde::ser::Serializer;

objects! {
    Comparison<'a> {
        clocks: Vec<ClockFact>,
        databases: Vec<Database>,
        differs: bool,
        disconnect: Ends,
        divergence: Option<String>,
        extra_early: Vec<Early>,
        first_att: FirstAtts,
        matched_by: MatchedBy,
        missing_early: Vec<Early>,
        mtu: Mtus,
        parameters: Vec<Parameter>,
        reference: Side,
        roles_differ: bool,
        same_until: Option<SameUntil>,
        #[cfg_attr(test, schemars(with = "Vec<Aligned>"))]
        steps: AlignedSteps<'a>,
        subject: Side,
        swapped: bool,
        window_ms: f64,
    }

    Side {
        capture: usize,
        connection: FromOne,
    }

    SameUntil {
        reference_frame: u32,
        subject_frame: u32,
    }

    Mtus {
        reference: Option<Mtu>,
        subject: Option<Mtu>,
    }

    FirstAtts {
        reference: Option<FirstAtt>,
        subject: Option<FirstAtt>,
    }

    Ends {
        reference: Option<Disconnect>,
        subject: Option<Disconnect>,
    }

    ClockFact {
        name: &'static str,
        reference_ms: Option<f64>,
        subject_ms: Option<f64>,
    }

    Parameter {
        name: &'static str,
        normal: bool,
        reference: Option<String>,
        subject: Option<String>,
    }

    Database {
        change: DatabaseChange,
        name: String,
        reference_handle: Option<u16>,
        says: String,
        subject_handle: Option<u16>,
        uuid: Option<String>,
    }

    /// What one side did early and the other did not.
    Early {
        attribute: Option<Attribute>,
        blocked_by: Option<FromOne>,
        name: String,
        normal: bool,
        procedure: Procedure,
        protocol: Protocol,
        reference_after_ms: Option<f64>,
        reference_frame: FromOne,
        subject: Fate,
        subject_after_ms: Option<f64>,
        subject_frame: Option<u32>,
    }

    /// A step of one side beside that of the other.
    Aligned {
        kind: StepKind,
        name: Option<String>,
        normal: bool,
        note: String,
        procedure: Procedure,
        reference: Option<At>,
        subject: Option<At>,
    }

    At {
        after_ms: Option<f64>,
        frame: FromOne,
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn of(report: &'a Report, of: &'a compare::Comparison) -> Self {
        let Sides { reference, subject } = sides(report, of);
        let early = |all: &[compare::EarlyOperation]| {
            all.iter().map(|operation| Early::of(report, operation)).collect()
        };
        let side = |side: compare::Side| Side {
            capture: side.capture,
            connection: FromOne(side.connection),
        };
        let maybe = |text: &Option<Text>| text.as_ref().map(|text| report.visible(text));
        let ended = |c| Disconnect::of(report, c);
        Self {
            clocks: of
                .clocks
                .iter()
                .map(|fact| ClockFact {
                    name: fact.name,
                    reference_ms: fact.reference.map(ms),
                    subject_ms: fact.subject.map(ms),
                })
                .collect(),
            databases: of.databases.iter().map(|it| Database::of(report, it)).collect(),
            differs: of.differs,
            disconnect: Ends {
                reference: reference.and_then(ended),
                subject: subject.and_then(ended),
            },
            divergence: maybe(&of.divergence),
            extra_early: early(&of.extra_early),
            first_att: FirstAtts {
                reference: reference.and_then(FirstAtt::of),
                subject: subject.and_then(FirstAtt::of),
            },
            matched_by: of.matched_by,
            missing_early: early(&of.missing_early),
            mtu: Mtus {
                reference: reference.and_then(Mtu::of),
                subject: subject.and_then(Mtu::of),
            },
            parameters: of
                .parameters
                .iter()
                .map(|it| Parameter {
                    name: it.name,
                    normal: it.normal,
                    reference: maybe(&it.reference),
                    subject: maybe(&it.subject),
                })
                .collect(),
            reference: side(of.reference),
            roles_differ: of.roles_differ,
            same_until: of.same_until.map(|(reference_frame, subject_frame)| SameUntil {
                reference_frame,
                subject_frame,
            }),
            steps: AlignedSteps(report, of),
            subject: side(of.subject),
            swapped: of.swapped(),
            window_ms: of.window.as_ms(),
        }
    }
}

impl Database {
    fn of(report: &Report, difference: &compare::DatabaseDifference) -> Self {
        Self {
            change: difference.change,
            name: report.named(&difference.name),
            reference_handle: difference.reference_handle,
            says: report.visible(&difference.says),
            subject_handle: difference.subject_handle,
            uuid: difference.uuid.map(|uuid| outside(report, &uuid.to_string())),
        }
    }
}

impl Early {
    fn of(report: &Report, operation: &compare::EarlyOperation) -> Self {
        Self {
            attribute: operation.attribute.as_ref().map(|it| Attribute::of(report, it)),
            blocked_by: operation.blocked_by.map(FromOne),
            name: report.visible(&operation.name),
            normal: operation.normal,
            procedure: operation.procedure,
            protocol: operation.protocol,
            reference_after_ms: operation.after.map(ms),
            reference_frame: FromOne(operation.frame),
            subject: operation.fate,
            subject_after_ms: operation.other_after.map(ms),
            subject_frame: operation.other_frame,
        }
    }
}

impl Aligned {
    fn of(
        report: &Report,
        sides: Sides<Option<&timeline::Connection>>,
        names: Option<&Sides<Names>>,
        aligned: &compare::AlignedStep,
    ) -> Option<Self> {
        let step = |c: Option<&timeline::Connection>, index: Option<usize>| {
            let at = c?.steps.get(index?)?;
            Some(At { after_ms: c?.after(at.at).map(ms), frame: FromOne(at.frame) })
        };
        let (c, index, names) = match (aligned.reference, aligned.subject) {
            (Some(index), _) => (sides.reference?, index, names.map(|names| &names.reference)),
            (None, Some(index)) => (sides.subject?, index, names.map(|names| &names.subject)),
            (None, None) => return None,
        };
        let told = c.steps.get(index)?;
        Some(Self {
            kind: aligned.kind,
            name: names.map(|names| report.visible(&compare::words::step(c, names, told))),
            normal: aligned.normal,
            note: report.visible(&aligned.note),
            procedure: told.procedure,
            reference: step(sides.reference, aligned.reference),
            subject: step(sides.subject, aligned.subject),
        })
    }
}

/// The steps of both sides, aligned.
pub(super) struct AlignedSteps<'a>(&'a Report, &'a compare::Comparison);

impl Serialize for AlignedSteps<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(report, compared) = *self;
        let names = compare::names(&report.captures, compared.reference, compared.subject);
        let (sides, names) = (sides(report, compared), names.as_ref());
        let aligned = |step| Aligned::of(report, sides, names, step);
        to.collect_seq(compared.steps.iter().filter_map(aligned))
    }
}

/// The connections that are compared.
fn sides<'a>(
    report: &'a Report,
    comparison: &compare::Comparison,
) -> Sides<Option<&'a timeline::Connection>> {
    Sides::new(comparison.reference, comparison.subject).map(|side| {
        let capture = report.captures.get(side.capture);
        capture.and_then(|c| c.connection(side.connection))
    })
}
