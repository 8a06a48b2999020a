//! What must be equal for two steps to correspond.
//!
//! A key leaves out what legitimately differs between two captures: times,
//! frames, connection handles, addresses, values, who of the two hosts happened
//! to begin a link-layer procedure. Attributes count by UUID where either capture
//! knows it.
use super::names::{Names, by_central, subscribes};
use crate::packet::att::Uuid;
use crate::timeline::{Connection, Detail, Procedure, Step};

/// The identity of a step across captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What kind of step.
    pub procedure: Procedure,
    /// Asked by the central's host; true where that makes no difference.
    pub central: bool,
    /// What it is about.
    pub what: What,
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    Nothing,
    /// An attribute, by its type.
    Uuid(Uuid),
    /// An attribute whose type neither capture tells.
    Handle(u16),
    /// The attribute type that a discovery asks for.
    Type(u16),
    /// The rest of a long value.
    Part(Uuid),
    Psm(u16, u8),
    SecurityRequest,
    Att(u8),
    Hci(u16),
    On(bool),
}

impl Key {
    /// The key of a step of this connection.
    pub fn of(connection: &Connection, names: &Names, step: &Step) -> Self {
        use Procedure::*;
        let central = by_central(connection, step);
        let meaning = names.of_step(connection, step);
        let attribute = || meaning.map_or(What::Handle(step.attribute), |m| What::Uuid(m.uuid));
        let (procedure, what, central) = match (step.procedure, step.detail) {
            // Whoever begins them, both sides take part.
            (
                Connect | Disconnect | ExchangeMtu | Encrypt | Features | Version | DataLength
                | Phy,
                _,
            ) => (step.procedure, What::Nothing, true),
            (Pair, Detail::SecurityRequest { .. }) => (Pair, What::SecurityRequest, true),
            (Pair, _) => (Pair, What::Nothing, true),
            (ParameterUpdate, _) => (ParameterUpdate, What::Nothing, central),
            (
                DiscoverServices | DiscoverIncludes | DiscoverCharacteristics,
                Detail::Discovery { attribute_type, .. },
            ) => (step.procedure, What::Type(attribute_type), central),
            (Write | WriteCommand | Subscribe, _) if subscribes(step, meaning) => {
                let parent = meaning.and_then(|m| m.parent);
                (Subscribe, parent.map_or_else(attribute, What::Uuid), central)
            }
            // A Write Command in place of a Write Request is a change, not another operation.
            (Write | WriteCommand, _) => (Write, attribute(), central),
            (Read, Detail::Read { offset, by_type }) => {
                let uuid =
                    meaning.map(|m| m.uuid).or((by_type != 0).then_some(Uuid::Short(by_type)));
                match uuid {
                    Some(uuid) if offset > 0 => (Read, What::Part(uuid), central),
                    Some(uuid) => (Read, What::Uuid(uuid), central),
                    None => (Read, attribute(), central),
                }
            }
            (Notify | Indicate, _) => (step.procedure, attribute(), central),
            (procedure, Detail::Signal { code, psm, .. }) => {
                (procedure, What::Psm(psm, code), central)
            }
            (procedure, Detail::Att { opcode }) => (procedure, What::Att(opcode), central),
            (procedure, Detail::Hci { code }) => (procedure, What::Hci(code), true),
            (procedure, Detail::Scan { on, .. }) => (procedure, What::On(on), true),
            (procedure, _) => (procedure, What::Nothing, central),
        };
        Self { procedure, central, what }
    }

    /// How much it matters that this step finds its counterpart.
    pub fn weight(&self) -> u32 {
        use Procedure::*;
        match self.procedure {
            Connect | Disconnect => 24,
            Write | WriteCommand | Subscribe | Pair | Encrypt => 16,
            ExchangeMtu => 12,
            Read | Channel | ParameterUpdate => 8,
            Notify | Indicate => 6,
            DiscoverServices | DiscoverCharacteristics => 4,
            DiscoverIncludes | DiscoverDescriptors => 3,
            // What the controllers do in between may stand anywhere.
            _ => 1,
        }
    }

    /// The UUID, where the key has one.
    pub fn uuid(&self) -> Option<Uuid> {
        match self.what {
            What::Uuid(uuid) | What::Part(uuid) => Some(uuid),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::{LAMP, changed, step, to};
    use crate::packet::Direction;
    use crate::timeline::{Attribute, AttributeKind, Capture, Role};
    use std::sync::Arc;

    const LEVEL: Uuid = Uuid::Short(0x2a19);

    /// A server whose handle 3 is the battery's level, and 4 its configuration.
    fn server() -> Capture {
        changed(to(LAMP).up().run(), |capture| {
            let remote = Arc::make_mut(&mut capture.connections[0].remote);
            for (handle, kind, uuid) in [
                (3, AttributeKind::Value, LEVEL),
                (4, AttributeKind::Descriptor, Uuid::Short(0x2902)),
            ] {
                let uuid = Some(uuid);
                remote.learn(Attribute { handle, kind, uuid, end: 0, properties: 0 });
            }
        })
    }

    fn key(attribute: u16, procedure: Procedure, detail: Detail) -> (Procedure, What) {
        let capture = server();
        let connection = &capture.connections[0];
        let step = Step { attribute, ..step(procedure, detail) };
        let key = Key::of(connection, &Names::of(&capture, connection), &step);
        (key.procedure, key.what)
    }

    #[test]
    fn a_step_is_known_by_its_attribute_else_by_what_it_asks_for() {
        use Procedure::{Read, Subscribe, Write, WriteCommand};
        let write = Detail::Write { head: 1, prepared: false, signed: false };
        assert_eq!(key(3, Write, write), (Write, What::Uuid(LEVEL)));
        assert_eq!(key(3, WriteCommand, write), (Write, What::Uuid(LEVEL)), "a change of the same");
        assert_eq!(key(9, Write, write), (Write, What::Handle(9)));
        // A configuration counts as its characteristic's.
        assert_eq!(key(4, Write, write), (Subscribe, What::Uuid(LEVEL)));
        let set = Detail::Subscription { value: 1 };
        assert_eq!(key(4, Subscribe, set), (Subscribe, What::Uuid(LEVEL)));
        assert_eq!(key(9, Subscribe, set), (Subscribe, What::Handle(9)));
        let read =
            |attribute, offset, by_type| key(attribute, Read, Detail::Read { offset, by_type }).1;
        assert_eq!((read(3, 0, 0), read(3, 22, 0)), (What::Uuid(LEVEL), What::Part(LEVEL)));
        assert_eq!((read(3, 1, 0), read(9, 22, 0)), (What::Part(LEVEL), What::Handle(9)));
        let name = Uuid::Short(0x2a00);
        assert_eq!((read(0, 0, 0x2a00), read(9, 0, 0x2a00)), (What::Uuid(name), What::Uuid(name)));
        assert_eq!(read(3, 0, 0x2a00), What::Uuid(LEVEL), "what was found");
    }

    #[test]
    fn who_asked_counts_where_both_sides_might_have() {
        let central = |procedure, by, role| {
            let capture = changed(server(), |capture| capture.connections[0].role = Some(role));
            let connection = &capture.connections[0];
            let step = Step { by, ..step(procedure, Detail::None) };
            Key::of(connection, &Names::of(&capture, connection), &step).central
        };
        use Direction::{Received, Sent};
        for role in [Role::Central, Role::Peripheral] {
            let ours = role == Role::Central;
            assert_eq!(central(Procedure::ParameterUpdate, Sent, role), ours);
            assert_eq!(central(Procedure::ParameterUpdate, Received, role), !ours);
            // Both take part in these, whoever begins.
            for procedure in [Procedure::ExchangeMtu, Procedure::Encrypt, Procedure::Phy] {
                assert!(central(procedure, Sent, role) && central(procedure, Received, role));
            }
        }
    }
}
