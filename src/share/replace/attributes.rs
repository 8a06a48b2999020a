//! Which attribute a value belongs to, and what becomes of it.
//!
//! The names of attributes are those that the first reading of the capture taught. A response does not name its
//! attribute, so the open question of each bearer is kept.
use crate::compare::Names;
use crate::diagnose::orders;
use crate::packet::att::{Pdu, Uuid};
use crate::packet::secrecy::{carries_key, tells_identity};
use crate::packet::{Direction, Event, Packet};
use crate::timeline::{AttributeKind, Capture, Owner};
use foldhash::HashMap;

/// Open questions that are remembered; a bearer has one in each direction.
const MOST_QUESTIONS: usize = 4096;

/// The attributes of so many connections are at hand. Links that are up at the same time take turns.
const MOST_NAMED: usize = 16;

const DECLARATIONS: [u16; 4] = [0x2800, 0x2801, 0x2802, 0x2803];
const CCCD: u16 = 0x2902;
const DEVICE_NAME: u16 = 0x2a00;
const APPEARANCE: u16 = 0x2a01;
const SERVICE_CHANGED: u16 = 0x2a05;
const DATABASE_HASH: u16 = 0x2b2a;

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It says how the server is built, and nothing of its owner.
    Keep,
    /// It is a name.
    Name,
    /// Only whether it is equal to another one matters.
    Key,
    /// So many bytes of it are an order that findings rest on.
    Head(usize),
    /// It is or may be a key: it goes, whatever the user wants to keep.
    Pattern,
    /// It tells whose device it is. It is removed unless addresses are kept.
    Identity,
    /// Any other value.
    Wanted,
}

/// What an open question asked for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Handle(u16),
    Type(Uuid),
    Many,
}

/// A link's ATT bearer and the direction in which a question went.
type Bearer = (Option<u16>, u16, u16, Option<Direction>);

/// Attributes of one capture.
#[derive(Debug, Default)]
pub struct Attributes<'c> {
    /// What the first reading taught; nothing while that goes on.
    capture: Option<&'c Capture>,
    /// Of the connections that were asked about last; the last one stands at the end.
    names: Vec<(u32, Option<Names>)>,
    asked: HashMap<Bearer, Asked>,
}

/// One ATT packet's place among attributes.
#[derive(Debug)]
pub struct Place<'a> {
    names: Option<&'a Names>,
    owner: Owner,
    asked: Option<Asked>,
    written: bool,
    /// Its bytes are a key, or may be one.
    hidden: bool,
}

impl<'c> Attributes<'c> {
    pub fn of(capture: &'c Capture) -> Self {
        Self { capture: Some(capture), ..Self::default() }
    }

    /// Takes notice of an event. For an ATT packet, where its values belong.
    pub fn see(&mut self, event: &Event<'_>, connection: Option<u32>) -> Place<'_> {
        let Packet::Att { handle, cid, pdu } = &event.packet else {
            return Place {
                names: None,
                owner: Owner::Peer,
                asked: None,
                written: false,
                hidden: event.hidden,
            };
        };
        let of_client = is_of_client(pdu.code());
        let owner = match (event.direction, of_client) {
            (Some(Direction::Received), true) | (Some(Direction::Sent) | None, false) => {
                Owner::Host
            }
            _ => Owner::Peer,
        };
        let channel = event.channel.unwrap_or(*cid);
        let bearer = |direction| (event.adapter, handle.0, channel, direction);
        let question = match pdu {
            Pdu::ReadRequest { attribute_handle }
            | Pdu::ReadBlobRequest { attribute_handle, .. } => {
                Some(Asked::Handle(attribute_handle.0))
            }
            Pdu::ReadByTypeRequest { attribute_type, .. } => Some(Asked::Type(attribute_type.uuid)),
            Pdu::ReadByGroupTypeRequest { attribute_group_type, .. } => {
                Some(Asked::Type(attribute_group_type.uuid))
            }
            Pdu::ReadMultipleRequest { .. } | Pdu::ReadMultipleVariableRequest { .. } => {
                Some(Asked::Many)
            }
            _ => None,
        };
        let mut asked = None;
        if let Some(question) = question {
            let bearer = bearer(event.direction);
            if self.asked.len() < MOST_QUESTIONS || self.asked.contains_key(&bearer) {
                self.asked.insert(bearer, question);
            }
        } else if !of_client {
            let asker = event.direction.map(|direction| match direction {
                Direction::Sent => Direction::Received,
                Direction::Received => Direction::Sent,
            });
            let unasked = matches!(
                pdu,
                Pdu::HandleValueNotification { .. }
                    | Pdu::HandleValueIndication { .. }
                    | Pdu::MultipleHandleValueNotification { .. }
            );
            if !unasked {
                asked = self.asked.remove(&bearer(asker));
            }
        }
        let written = of_client && question.is_none();
        let names = self.capture.zip(connection).and_then(|(capture, number)| {
            match self.names.iter().rposition(|(of, _)| *of == number) {
                Some(at) if at + 1 == self.names.len() => {}
                Some(at) => {
                    let last = self.names.len() - 1;
                    self.names.swap(at, last);
                }
                None => {
                    if self.names.len() >= MOST_NAMED {
                        self.names.remove(0);
                    }
                    let names = capture.connection(number).map(|it| Names::of(capture, it));
                    self.names.push((number, names));
                }
            }
            self.names.last()?.1.as_ref()
        });
        Place { names, owner, asked, written, hidden: event.hidden }
    }
}

impl Place<'_> {
    /// What becomes of a value that stands behind this handle or short UUID.
    pub fn judge(&self, handle: Option<u16>, uuid: Option<u16>, value: &[u8]) -> What {
        // The value that is searched for stands behind its type.
        if let Some(kind) = uuid.filter(|_| self.written) {
            return by_type(Uuid::Short(kind), value);
        }
        match self.asked {
            Some(Asked::Type(kind)) => return self.sure(by_type(kind, value)),
            Some(Asked::Many) => return What::Pattern,
            _ => {}
        }
        let handle = match self.asked {
            Some(Asked::Handle(handle)) => Some(handle),
            _ => handle,
        };
        let known = handle.and_then(|handle| self.names?.type_of(handle, self.owner));
        let Some((uuid, kind)) = known else { return self.unknown(value) };
        let what = match kind {
            AttributeKind::Characteristic if matches!(value.len(), 5 | 19) => What::Keep,
            AttributeKind::PrimaryService | AttributeKind::SecondaryService
                if matches!(value.len(), 2 | 16) =>
            {
                What::Keep
            }
            AttributeKind::Include if matches!(value.len(), 4 | 6) => What::Keep,
            AttributeKind::Value | AttributeKind::Descriptor | AttributeKind::Unknown => {
                by_type(uuid, value)
            }
            _ => What::Wanted,
        };
        match what {
            What::Wanted if self.written => self.order(Some(uuid), value),
            what => self.sure(what),
        }
    }

    /// A value whose attribute nobody named.
    fn unknown(&self, value: &[u8]) -> What {
        // What subscribes: the timeline takes such a write for one behind a notifying value.
        if self.written && matches!(value, [0..=2, 0]) {
            return What::Keep;
        }
        if self.written { self.order(None, value) } else { self.sure(What::Wanted) }
    }

    /// A write that tells a device to restart is evidence: what orders it stays.
    fn order(&self, uuid: Option<Uuid>, value: &[u8]) -> What {
        match orders::telling(uuid, value) {
            0 => self.sure(What::Wanted),
            length => What::Head(length),
        }
    }

    fn sure(&self, what: What) -> What {
        if self.hidden && what == What::Wanted { What::Pattern } else { what }
    }
}

fn by_type(kind: Uuid, value: &[u8]) -> What {
    match (kind.short(), value.len()) {
        (Some(0x2800 | 0x2801), 2 | 16) | (Some(0x2803), 5 | 19) | (Some(0x2802), 4 | 6) => {
            What::Keep
        }
        (Some(short), _) if DECLARATIONS.contains(&short) => What::Pattern,
        (Some(CCCD | APPEARANCE), 2) | (Some(SERVICE_CHANGED), 4) => What::Keep,
        (Some(DATABASE_HASH), 16) => What::Key,
        (Some(DEVICE_NAME), _) => What::Name,
        _ if carries_key(kind) => What::Pattern,
        _ if tells_identity(kind) => What::Identity,
        _ => What::Wanted,
    }
}

/// Requests, commands and confirmations come from a client.
fn is_of_client(opcode: u8) -> bool {
    matches!(
        opcode,
        0x02 | 0x04
            | 0x06
            | 0x08
            | 0x0a
            | 0x0c
            | 0x0e
            | 0x10
            | 0x12
            | 0x16
            | 0x18
            | 0x1e
            | 0x20
            | 0x52
            | 0xd2
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(asked: Option<Asked>, written: bool) -> Place<'static> {
        Place { names: None, owner: Owner::Peer, asked, written, hidden: false }
    }

    #[test]
    fn declarations_stay_and_other_values_go() {
        let asked = |kind| place(Some(Asked::Type(Uuid::Short(kind))), false);
        assert_eq!(asked(0x2800).judge(Some(1), None, &[0x0f, 0x18]), What::Keep);
        assert_eq!(asked(0x2803).judge(Some(1), None, &[2, 3, 0, 0, 0x2a]), What::Keep);
        assert_eq!(asked(0x2803).judge(Some(1), None, &[2, 3, 0, 0, 0x2a, 1]), What::Pattern);
        assert_eq!(asked(0x2a00).judge(Some(3), None, b"Zoe"), What::Name);
        assert_eq!(asked(0x2b2a).judge(Some(3), None, &[7; 16]), What::Key);
        assert_eq!(asked(0x2a25).judge(Some(3), None, b"A-1177"), What::Identity);
        assert_eq!(asked(0x2a19).judge(Some(3), None, &[100]), What::Wanted);
        let read = place(None, false);
        assert_eq!(read.judge(Some(3), None, &[0x0f, 0x18]), What::Wanted);
    }

    #[test]
    fn what_may_be_a_subscription_stays_and_near_misses_go() {
        let write = place(None, true);
        assert_eq!(write.judge(Some(3), None, &[1, 0]), What::Keep);
        assert_eq!(write.judge(Some(3), None, &[2, 0]), What::Keep);
        assert_eq!(write.judge(Some(3), None, &[3, 0]), What::Wanted);
        assert_eq!(write.judge(Some(3), None, &[2, 0, 0]), What::Wanted);
        assert_eq!(
            place(None, false).judge(Some(3), None, &[1, 0]),
            What::Wanted,
            "a notification"
        );
    }

    #[test]
    fn a_value_that_may_be_a_key_goes_whatever_is_wanted() {
        let hidden = Place { hidden: true, ..place(None, false) };
        assert_eq!(hidden.judge(Some(3), None, &[1, 2, 3]), What::Pattern);
        let read = place(Some(Asked::Type(Uuid::Short(0x2b84))), false);
        assert_eq!(read.judge(Some(3), None, &[7; 16]), What::Pattern);
    }
}
