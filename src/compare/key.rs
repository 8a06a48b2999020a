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
