use super::{Basis, Case, Check, Confidence, Example, Facts, Rule, Scene, Sight, Verdict};
use crate::compare::Comparison;
use crate::packet::Status;
use crate::packet::hci::{Command, LeEvent};
use crate::prose::Text;
use crate::text;
use crate::timeline::{Connection, Detail};
use crate::trace::{HANDLE, Trace};

pub const RULE: Rule = Rule {
    id: "features-differ",
    title: "The device shows the two hosts different link-layer features",
    basis: Basis::Author,
    silences: &[],
    docs: "\
## What it means
The same device answered the feature request differently on the two sides: another firmware, or another chip behind the same name.
This rule rests on a trace of its author's.

## How it shows
LE Read Remote Features Complete with different bits for one device.

## What else it could be
Some controllers mask the bits by their own features.

## What to do
Make sure that both captures are of the same device with the same firmware.",
    sources: &["Core Specification, Vol 6, Part B, 4.6"],
    check: Check::Comparison(check),
    cases: &[
        Case::note(Confidence::Medium, "the device names fewer features here", || {
            Example::pair(answers(0, 0x3f), answers(0, 0x01))
        })
        .about(&[1])
        .saying("features 01 00 00 00 00 00 00 00"),
        Case::silent("it names the same features", || {
            Example::pair(answers(0, 0x3f), answers(0, 0x3f))
        }),
        Case::silent("the working side is the peripheral", || {
            Example::pair(answers(1, 0x3f), answers(0, 0x01))
        }),
        Case::silent("it was not asked here", || {
            let link = Trace::new().create().connected().mtu().wait_ms(900);
            Example::pair(answers(0, 0x3f), link.hangs_up(HUNG_UP))
        }),
    ],
};

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link on which the other side names these features.
fn answers(role: u8, bits: u8) -> Trace {
    let trace = if role == 0 { Trace::new().create() } else { Trace::new() };
    trace
        .connected_as(role, 39, 0, 42)
        .taken(Command::LeReadRemoteFeatures { connection_handle: HANDLE })
        .wait_ms(90)
        .le(LeEvent::ReadRemoteFeaturesComplete {
            status: Status::SUCCESS,
            connection_handle: HANDLE,
            le_features: [bits, 0, 0, 0, 0, 0, 0, 0],
        })
        .mtu()
        .wait_ms(900)
        .hangs_up(HUNG_UP)
}

/// What the device answered, and the frame that shows it.
#[derive(Debug)]
struct Answer {
    frame: u32,
    bits: [u8; 8],
}

#[derive(Debug)]
struct FeaturesDiffer {
    here: Answer,
    reference: Answer,
}

fn answer(connection: &Connection) -> Option<Answer> {
    connection.steps.iter().find_map(|step| match step.detail {
        Detail::Features(bits) => Some(Answer { frame: step.last.frame, bits }),
        _ => None,
    })
}

fn check(scene: &Scene<'_>, comparison: &Comparison) -> Option<Verdict> {
    let subject = scene.compared()?;
    let facts = FeaturesDiffer { here: answer(subject)?, reference: answer(scene.reference()?)? };
    let differ = facts.here.bits != facts.reference.bits && !comparison.roles_differ;
    differ.then(|| Verdict::note(facts).sure(Confidence::Medium).about([subject.number]))
}

impl Facts for FeaturesDiffer {
    fn says(&self) -> Text {
        text!(
            "The device answered the feature request differently on the two sides: look whether both captures are of the same firmware."
        )
    }

    fn evidence(&self) -> Vec<Sight> {
        let Self { here, reference } = self;
        vec![
            Sight::here(here.frame, here.text()),
            Sight::in_reference(reference.frame, reference.text()),
        ]
    }
}

impl Answer {
    fn text(&self) -> Text {
        let byte = |text: Text, byte: &u8| text.and(format_args!(" {byte:02x}"));
        self.bits.iter().fold(text!("features"), byte)
    }
}
