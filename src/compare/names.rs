//! Attributes by name: handles become UUIDs, learned from either capture.
use super::AttributeName;
use crate::numbers;
use crate::packet::Direction;
use crate::packet::att::Uuid;
use crate::timeline::{AttributeKind, Capture, Connection, Database, Owner, Procedure, Step};
use std::sync::Arc;

/// How many other connections to a device are asked for names, the nearest in time.
const NEAREST: usize = 16;

/// How many databases are asked for a name, at most.
const MOST_KNOWN: usize = 4;

const CCCD: Uuid = Uuid::Short(0x2902);

/// The databases that tell what a connection's handles mean, the nearest first.
#[derive(Clone, Debug, Default)]
pub struct Names {
    remote: Vec<Arc<Database>>,
    local: Vec<Arc<Database>>,
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Its type.
    pub uuid: Uuid,
    /// What kind of attribute it is.
    pub kind: AttributeKind,
    /// A descriptor's characteristic.
    pub parent: Option<Uuid>,
    /// The type of the service that it belongs to.
    pub service: Option<Uuid>,
}

impl Names {
    /// What the connection itself taught, and other connections of the capture to the same device.
    pub fn of(capture: &Capture, connection: &Connection) -> Self {
        let mut names =
            Self { remote: vec![connection.remote.clone()], local: vec![connection.local.clone()] };
        let mut kin: Vec<&Connection> = capture.kin(connection, NEAREST).collect();
        kin.sort_by_key(|other| other.number.abs_diff(connection.number));
        for other in kin.into_iter().take(NEAREST) {
            names.learn(&other.remote, &other.local);
        }
        names
    }

    /// Adds what another connection to the same device knows, unless it contradicts.
    pub fn learn(&mut self, remote: &Arc<Database>, local: &Arc<Database>) {
        for (known, new) in [(&mut self.remote, remote), (&mut self.local, local)] {
            // Whether two contradict each other is asked last: it takes the longest.
            let room = !new.is_empty() && known.len() < MOST_KNOWN;
            if room && !known.iter().any(|db| contradicts(db, new)) {
                known.push(new.clone());
            }
        }
    }

    /// Adds what the other side of a comparison knows; `swapped` where it was captured at the other end.
    pub fn learn_from(&mut self, other: &Names, swapped: bool) {
        let (remote, local) =
            if swapped { (&other.local, &other.remote) } else { (&other.remote, &other.local) };
        let nothing = Arc::new(Database::default());
        for at in 0..remote.len().max(local.len()) {
            self.learn(remote.get(at).unwrap_or(&nothing), local.get(at).unwrap_or(&nothing));
        }
    }

    /// What a handle of the peer's (or our own) database stands for.
    pub fn meaning(&self, handle: u16, owner: Owner) -> Option<Meaning> {
        self.databases(owner).iter().find_map(|db| {
            let Some(attribute) = db.get(handle) else { return only_descriptor(db, handle) };
            let uuid = attribute.uuid?;
            let parent = match attribute.kind {
                AttributeKind::Descriptor => db.characteristic_of(handle).and_then(|a| a.uuid),
                _ => None,
            };
            let service = db.service_of(handle).and_then(|a| a.uuid);
            Some(Meaning { uuid, kind: attribute.kind, parent, service })
        })
    }

    /// The type and the kind of the attribute: what [`Self::meaning`] says, without where it stands.
    pub(crate) fn type_of(&self, handle: u16, owner: Owner) -> Option<(Uuid, AttributeKind)> {
        self.databases(owner).iter().find_map(|db| match db.get(handle) {
            Some(attribute) => Some((attribute.uuid?, attribute.kind)),
            None => only_descriptor(db, handle).map(|meaning| (meaning.uuid, meaning.kind)),
        })
    }

    fn databases(&self, owner: Owner) -> &[Arc<Database>] {
        match owner {
            Owner::Peer => &self.remote,
            Owner::Host => &self.local,
        }
    }

    /// The attribute that a step speaks of.
    pub fn of_step(&self, connection: &Connection, step: &Step) -> Option<Meaning> {
        if step.attribute == 0 {
            return None;
        }
        self.meaning(step.attribute, connection.owner_of_attribute(step))
    }

    /// The step's attribute, as the report names it; `None` for steps without one.
    pub fn attribute(&self, connection: &Connection, step: &Step) -> Option<AttributeName> {
        let meaning = self.of_step(connection, step);
        let by_type = match step.detail {
            crate::timeline::Detail::Read { by_type, .. } if by_type != 0 => {
                Some(Uuid::Short(by_type))
            }
            _ => None,
        };
        if step.attribute == 0 && by_type.is_none() {
            return None;
        }
        let uuid = meaning.map(|m| m.uuid).or(by_type);
        let name = match meaning {
            Some(Meaning { uuid: CCCD, parent: Some(parent), .. }) => {
                format!("{} CCCD", self.short(parent))
            }
            _ => uuid.map(|uuid| self.short(uuid)).unwrap_or_default(),
        };
        Some(AttributeName { handle: step.attribute, uuid, name })
    }

    /// A UUID's assigned name, else the shortest text that no other UUID here shares.
    pub fn short(&self, uuid: Uuid) -> String {
        match uuid {
            Uuid::Short(short) => {
                numbers::uuid16(short).map_or_else(|| format!("0x{short:04X}"), str::to_owned)
            }
            Uuid::Full(full) => {
                if let Some(name) = numbers::uuid128(u128::from_be_bytes(full)) {
                    return name.to_owned();
                }
                let rival = |other: &Uuid| matches!(other, Uuid::Full(o) if o[..4] == full[..4] && *o != full);
                let known = self.remote.iter().chain(&self.local).flat_map(|db| db.attributes());
                if known.filter_map(|a| a.uuid).any(|other| rival(&other)) {
                    uuid.to_string()
                } else {
                    format!("{}…", uuid.to_string().get(..8).unwrap_or_default())
                }
            }
        }
    }
}

/// The one descriptor that a notifying characteristic has room for is its CCCD: hosts that know
/// this do not ask for its type (Vol 3, Part G, 3.3.3.3 makes it mandatory).
fn only_descriptor(database: &Database, handle: u16) -> Option<Meaning> {
    const NOTIFY_OR_INDICATE: u8 = 0x30;
    let value = database.characteristic_of(handle)?;
    let service = database.service_of(handle)?;
    let next = handle.checked_add(1)?;
    let last = service.end == handle
        || database.get(next).is_some_and(|a| a.kind == AttributeKind::Characteristic);
    let first = value.handle.checked_add(1) == Some(handle);
    (first && last && value.properties & NOTIFY_OR_INDICATE != 0).then_some(Meaning {
        uuid: CCCD,
        kind: AttributeKind::Descriptor,
        parent: value.uuid,
        service: service.uuid,
    })
}

/// Whether a step writes a characteristic's configuration, under whatever name the tracker knew it.
pub fn subscribes(step: &Step, meaning: Option<Meaning>) -> bool {
    match step.procedure {
        Procedure::Subscribe => true,
        Procedure::Write => {
            meaning.is_some_and(|m| m.uuid == CCCD && m.kind == AttributeKind::Descriptor)
        }
        _ => false,
    }
}

/// Two databases that give one handle different types cannot describe one server.
fn contradicts(a: &Database, b: &Database) -> bool {
    a.attributes().iter().any(|x| {
        let Some(uuid) = x.uuid else { return false };
        b.get(x.handle).and_then(|y| y.uuid).is_some_and(|other| other != uuid)
    })
}

/// Whether the step was asked for by the central's host.
pub fn by_central(connection: &Connection, step: &Step) -> bool {
    let central = connection.role != Some(crate::timeline::Role::Peripheral);
    (step.by == Direction::Sent) == central
}

#[cfg(test)]
mod tests;
