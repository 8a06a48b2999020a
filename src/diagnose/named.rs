//! A step with the name of its attribute, and what became of the same step where it works.
use super::{Scene, see};
use crate::compare::{Key, Meaning, Names};
use crate::numbers;
use crate::packet::att::Uuid;
use crate::prose::Text;
use crate::text;
use crate::time::Span;
use crate::timeline::{Connection, Outcome, Procedure, Step};

const CCCD: Uuid = Uuid::Short(0x2902);

/// A step, and what its attribute is, as far as the captures tell.
#[derive(Clone, Debug)]
pub struct Named {
    pub step: Step,
    uuid: Option<Uuid>,
    /// Of a CCCD: the characteristic that it belongs to.
    parent: Option<Uuid>,
}

impl Named {
    /// A step of a connection of the capture under diagnosis.
    pub fn of(scene: &Scene<'_>, connection: &Connection, step: &Step) -> Self {
        let meaning = names(scene, connection).of_step(connection, step);
        let by_type = match step.detail {
            crate::timeline::Detail::Read { by_type, .. } if by_type != 0 => {
                Some(Uuid::Short(by_type))
            }
            _ => None,
        };
        Self {
            step: step.clone(),
            uuid: meaning.map(|m| m.uuid).or(by_type),
            parent: meaning.and_then(|Meaning { parent, .. }| parent),
        }
    }

    /// How it reads in a sentence: `read of attribute 0x0018 (Appearance, 0x2A01)`.
    pub fn request(&self) -> Text {
        let length = match self.step.procedure {
            Procedure::Write | Procedure::WriteCommand if self.step.count == 1 => {
                let bytes = usize::try_from(self.step.bytes).unwrap_or(usize::MAX);
                Some(crate::prose::count(bytes, "byte", "bytes"))
            }
            _ => None,
        };
        let name = match (self.uuid, self.parent) {
            (Some(CCCD), Some(parent)) => Some(text!("of {}", uuid(parent))),
            (Some(CCCD), None) | (None, _) => None,
            (Some(known), _) => Some(uuid(known)),
        };
        let request = see::request(&self.step);
        match (name, length) {
            (None, None) => request,
            (Some(one), None) | (None, Some(one)) => text!("{} ({})", request, one),
            (Some(name), Some(length)) => text!("{} ({}; {})", request, name, length),
        }
    }
}

/// `Appearance, 0x2A01`, or the long UUID.
fn uuid(uuid: Uuid) -> Text {
    match uuid {
        Uuid::Short(short) => match numbers::uuid16(short) {
            Some(name) => text!("{}, {}", name, format_args!("{short:#06X}")),
            None => text!("{}", format_args!("{short:#06X}")),
        },
        Uuid::Full(full) => match numbers::uuid128(u128::from_be_bytes(full)) {
            Some(name) => text!("{}", name),
            None => text!("{}", format_args!("{uuid}")),
        },
    }
}

/// What the attributes of a connection under diagnosis are called; the reference helps where it is the same device.
fn names(scene: &Scene<'_>, connection: &Connection) -> Names {
    let mut names = Names::of(scene.capture(), connection);
    if let Some((reference, swapped)) = reference(scene, connection) {
        names.learn_from(&reference, swapped);
    }
    names
}

/// The names of the reference, and whether it was captured at the other end of the link.
fn reference(scene: &Scene<'_>, connection: &Connection) -> Option<(Names, bool)> {
    let side = scene.comparison?.reference;
    let capture = scene.captures.get(side.capture)?;
    let works = capture.connection(side.connection)?;
    let swapped = matches!((works.role, connection.role), (Some(a), Some(b)) if a != b);
    Some((Names::of(capture, works), swapped))
}

/// What the working side did of the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// It never sent it.
    Never,
    /// It sent it too, in that frame, and was answered after that time.
    Answered(u32, Option<Span>),
    /// It sent it too, and got no answer either.
    Unanswered(u32),
}

/// What the working side did of the same step; nothing where its capture cannot tell.
pub fn elsewhere(scene: &Scene<'_>, connection: &Connection, step: &Step) -> Option<Elsewhere> {
    let works = scene.reference()?;
    let capture = scene.captures.get(scene.comparison?.reference.capture)?;
    let (mut theirs, swapped) = reference(scene, connection)?;
    let ours = names(scene, connection);
    theirs.learn_from(&ours, swapped);
    let key = Key::of(connection, &ours, step);
    let same = works.steps.iter().find(|other| Key::of(works, &theirs, other) == key);
    match same {
        Some(other) if matches!(other.outcome, Outcome::Ok | Outcome::Error) => {
            Some(Elsewhere::Answered(other.frame, other.duration().filter(|_| other.count == 1)))
        }
        Some(other) => Some(Elsewhere::Unanswered(other.frame)),
        None => {
            let whole = works.start_seen
                && works.cut_packets == 0
                && works.elided_steps == 0
                && !capture.filtered
                && !capture.lost_packets_of(works);
            whole.then_some(Elsewhere::Never)
        }
    }
}

impl Elsewhere {
    /// As a clause that ends a sentence: ` The working side never sends it.`
    pub fn says(self) -> Text {
        match self {
            Self::Never => " The working side never sends it.".into(),
            Self::Answered(_, Some(took)) => {
                text!(" The working side sends it too, and is answered after {}.", took)
            }
            Self::Answered(_, None) => " The working side sends it too, and is answered.".into(),
            Self::Unanswered(_) => {
                " The working side sends it too, and gets no answer either.".into()
            }
        }
    }

    /// Where the working side sends it.
    pub fn frame(self) -> Option<u32> {
        match self {
            Self::Never => None,
            Self::Answered(frame, _) | Self::Unanswered(frame) => Some(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Warning, WarningKind};
    use crate::packet::att::{ErrorCode, Handle, Pdu};
    use crate::packet::{Direction, Status};
    use crate::timeline::Capture;
    use crate::trace::Trace;

    const READ: Pdu<'_> = Pdu::ReadRequest { attribute_handle: Handle(0x10) };
    const VALUE: Pdu<'_> = Pdu::ReadResponse { attribute_value: &[1] };

    fn ends(link: Trace) -> Trace {
        link.wait_ms(900).hangs_up(Status::REMOTE_USER_TERMINATED)
    }

    /// What the working side did of a read that this side got no answer to.
    fn of(works: Trace, change: fn(&mut Capture)) -> Option<Elsewhere> {
        let fails = Trace::new().up().mtu().att(Direction::Sent, READ).wait_ms(9_000);
        let mut captures = [ends(works).run(), ends(fails).run()];
        let comparison = crate::compare::of_captures(&captures);
        let comparison = comparison.as_ref();
        change(&mut captures[0]);
        let scene = Scene { captures: &captures, testimonies: &[], subject: 1, comparison };
        let connection = &captures[1].connections[0];
        let read = |s: &&Step| s.procedure == Procedure::Read;
        elsewhere(&scene, connection, connection.steps.iter().find(read).expect("a read"))
    }

    /// Only a whole capture of the working side shows that it never sent something.
    #[test]
    fn never_is_said_where_the_working_side_was_seen_whole() {
        let works = || Trace::new().up().mtu();
        assert_eq!(of(works(), |_| ()), Some(Elsewhere::Never));
        assert_eq!(of(works(), |c| c.connections[0].start_seen = false), None);
        assert_eq!(of(works(), |c| c.connections[0].cut_packets = 1), None);
        assert_eq!(of(works(), |c| c.connections[0].elided_steps = 1), None);
        assert_eq!(of(works(), |c| c.filtered = true), None);
        let lost: fn(&mut Capture) =
            |c| c.warnings.push(Warning::of_all(WarningKind::DroppedPackets, "some"));
        assert_eq!(of(works(), lost), None);
    }

    /// How the read of attribute 0x0010 reads, which this host did not discover.
    fn read_beside(works: Trace) -> String {
        let fails = Trace::new().up().mtu().att(Direction::Sent, READ).wait_ms(9_000);
        let captures = [ends(works).run(), ends(fails).run()];
        let comparison = crate::compare::of_captures(&captures);
        let comparison = comparison.as_ref();
        assert!(comparison.is_some(), "one device");
        let scene = Scene { captures: &captures, testimonies: &[], subject: 1, comparison };
        let connection = &captures[1].connections[0];
        let read = connection.steps.iter().find(|s| s.procedure == Procedure::Read);
        Named::of(&scene, connection, read.expect("a read")).request().to_string()
    }

    /// A capture of the other end knows the device's database as its own.
    #[test]
    fn what_the_device_says_of_itself_names_what_this_host_reads() {
        let asked = [0x08, 1, 0, 0xff, 0xff, 0x03, 0x28];
        let found = [7, 0x0f, 0, 0x0a, 0x10, 0, 0x19, 0x2a];
        let answer = [0x09, 7, 0x0f, 0, 0x0a, 0x10, 0, 0x19, 0x2a];
        let named = "read of attribute 0x0010 (Battery Level, 0x2A19)";
        let other_end = Trace::new().connected_as(1, 39, 0, 42).from_peer(&asked, &answer);
        assert_eq!(read_beside(other_end), named);
        let host = || Trace::new().up().mtu();
        assert_eq!(read_beside(host().by_wire(&asked, 0x09, &found)), named);
        // What the working host has itself is not the device's.
        assert_eq!(read_beside(host().from_peer(&asked, &answer)), "read of attribute 0x0010");
    }

    #[test]
    fn what_the_working_side_sent_was_answered_or_not() {
        let answered = of(Trace::new().up().mtu().exchange(READ, VALUE), |_| ());
        assert_eq!(answered, Some(Elsewhere::Answered(9, Some(Span(50_100)))));
        let refused = Trace::new().up().mtu().refused(READ, ErrorCode::READ_NOT_PERMITTED);
        assert!(matches!(of(refused, |_| ()), Some(Elsewhere::Answered(9, Some(_)))));
        // Of several that were folded into one step nobody knows how long each took.
        let often = Trace::new().up().mtu().exchange(READ, VALUE).exchange(READ, VALUE);
        assert_eq!(of(often, |_| ()), Some(Elsewhere::Answered(9, None)));
        let open = Trace::new().up().mtu().att(Direction::Sent, READ);
        assert_eq!(of(open, |_| ()), Some(Elsewhere::Unanswered(9)));
        // A read of another attribute is another step, and so is one that the device sends.
        let other = Pdu::ReadRequest { attribute_handle: Handle(0x12) };
        let other = Trace::new().up().mtu().exchange(other, VALUE);
        assert_eq!(of(other, |_| ()), Some(Elsewhere::Never));
        let theirs = Trace::new().up().mtu().from_peer(&[0x0a, 0x10, 0], &[0x0b, 7]);
        assert_eq!(of(theirs, |_| ()), Some(Elsewhere::Never));
    }
}
