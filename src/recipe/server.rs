//! The peer's GATT server, as far as attribute packets showed it: what BlueZ's cache file is made from.
//!
//! The timeline's database names handles. This one also keeps what a cache file and a Database Hash need: the ranges
//! of included services, the values of the two characteristics that describe the database, and which ranges of
//! handles were searched to their end.
use crate::packet::att::{ErrorCode, Handle, Pdu, Uuid};
use aes::Aes128;
use cmac::{Cmac, Mac};
use std::collections::BTreeMap;

pub const PRIMARY: u16 = 0x2800;
pub const SECONDARY: u16 = 0x2801;
pub const INCLUDE: u16 = 0x2802;
pub const CHARACTERISTIC: u16 = 0x2803;
pub const EXTENDED_PROPERTIES: u16 = 0x2900;
pub const CCCD: u16 = 0x2902;
pub const DATABASE_HASH: u16 = 0x2b2a;
const NOTIFY_OR_INDICATE: u8 = 0x30;

/// Most attributes remembered of one server: no real one comes near.
const MOST: usize = 8192;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub end: u16,
    pub secondary: bool,
    pub uuid: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    pub first: u16,
    pub last: u16,
    /// Long UUIDs do not stand in the declaration.
    pub uuid: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Characteristic {
    pub properties: u8,
    pub value: u16,
    pub uuid: Uuid,
}

/// Handles that were searched for one kind of attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Searched(Vec<(u16, u16)>);

impl Searched {
    fn add(&mut self, first: u16, last: u16) {
        if first > last || self.0.len() >= MOST {
            return;
        }
        self.0.push((first, last));
        self.0.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::new();
        for &(first, last) in &self.0 {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => joined.push((first, last)),
            }
        }
        self.0 = joined;
    }

    fn covers(&self, first: u16, last: u16) -> bool {
        first > last || self.0.iter().any(|(from, to)| *from <= first && last <= *to)
    }
}

/// What was searched, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Coverage {
    primary: Searched,
    secondary: Searched,
    includes: Searched,
    characteristics: Searched,
    descriptors: Searched,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    pub services: BTreeMap<u16, Service>,
    pub includes: BTreeMap<u16, Include>,
    /// By the handle of the declaration.
    pub characteristics: BTreeMap<u16, Characteristic>,
    pub descriptors: BTreeMap<u16, Uuid>,
    /// The values of Extended Properties descriptors.
    extended: BTreeMap<u16, u16>,
    /// In the byte order of the air.
    hash: Option<[u8; 16]>,
    searched: Coverage,
}

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Services { first: u16, last: u16, secondary: bool, wanted: Option<Uuid> },
    Includes { first: u16, last: u16 },
    Characteristics { first: u16, last: u16 },
    Descriptors { first: u16, last: u16 },
    ByType(Uuid),
    Value(u16),
}

impl Asked {
    /// What a request of the client asks about the database.
    pub fn of(pdu: &Pdu<'_>) -> Option<Self> {
        Some(match *pdu {
            Pdu::ReadByGroupTypeRequest {
                starting_handle,
                ending_handle,
                attribute_group_type,
            } => {
                let secondary = match attribute_group_type.uuid {
                    Uuid::Short(PRIMARY) => false,
                    Uuid::Short(SECONDARY) => true,
                    _ => return None,
                };
                let (first, last) = (starting_handle.0, ending_handle.0);
                Self::Services { first, last, secondary, wanted: None }
            }
            Pdu::FindByTypeValueRequest {
                starting_handle,
                ending_handle,
                attribute_type: PRIMARY,
                attribute_value,
            } => Self::Services {
                first: starting_handle.0,
                last: ending_handle.0,
                secondary: false,
                wanted: Some(Uuid::from_bytes(attribute_value)?),
            },
            Pdu::FindInformationRequest { starting_handle, ending_handle } => {
                Self::Descriptors { first: starting_handle.0, last: ending_handle.0 }
            }
            Pdu::ReadByTypeRequest { starting_handle, ending_handle, attribute_type } => {
                let (first, last) = (starting_handle.0, ending_handle.0);
                match attribute_type.uuid {
                    Uuid::Short(INCLUDE) => Self::Includes { first, last },
                    Uuid::Short(CHARACTERISTIC) => Self::Characteristics { first, last },
                    other => Self::ByType(other),
                }
            }
            Pdu::ReadRequest { attribute_handle } => Self::Value(attribute_handle.0),
            _ => return None,
        })
    }
}

impl Server {
    fn size(&self) -> usize {
        self.services.len()
            + self.includes.len()
            + self.characteristics.len()
            + self.descriptors.len()
    }

    pub fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// Takes the answer to a request.
    pub fn learn(&mut self, asked: &Asked, answer: &Pdu<'_>) {
        if self.size() >= MOST {
            return;
        }
        match (asked, answer) {
            (asked, Pdu::ErrorResponse { error_code, .. }) => self.nothing_more(asked, *error_code),
            (
                Asked::Services { first, secondary, wanted: None, .. },
                Pdu::ReadByGroupTypeResponse { list },
            ) => {
                let mut to = 0;
                for (start, end, value) in list.iter() {
                    to = to.max(end.0);
                    if let Some(uuid) = Uuid::from_bytes(value) {
                        let service = Service { end: end.0, secondary: *secondary, uuid };
                        self.services.insert(start.0, service);
                    }
                }
                let kind = if *secondary {
                    &mut self.searched.secondary
                } else {
                    &mut self.searched.primary
                };
                kind.add(*first, to);
            }
            (Asked::Services { wanted: Some(uuid), .. }, Pdu::FindByTypeValueResponse { list }) => {
                for (start, end) in list.iter() {
                    let service = Service { end: end.0, secondary: false, uuid: *uuid };
                    self.services.insert(start.0, service);
                }
            }
            (Asked::Includes { first, .. }, Pdu::ReadByTypeResponse { list }) => {
                let mut to = 0;
                for (handle, value) in list.iter() {
                    to = to.max(handle.0);
                    if let [a, b, c, d, uuid @ ..] = value {
                        let (first, last) =
                            (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
                        let include = Include { first, last, uuid: Uuid::from_bytes(uuid) };
                        self.includes.insert(handle.0, include);
                    }
                }
                self.searched.includes.add(*first, to);
            }
            (Asked::Characteristics { first, .. }, Pdu::ReadByTypeResponse { list }) => {
                let mut to = 0;
                for (handle, value) in list.iter() {
                    if let [properties, low, high, uuid @ ..] = value
                        && let Some(uuid) = Uuid::from_bytes(uuid)
                    {
                        let value = u16::from_le_bytes([*low, *high]);
                        // No declaration lies between a declaration and its value.
                        to = to.max(handle.0).max(value);
                        let declared = Characteristic { properties: *properties, value, uuid };
                        self.characteristics.insert(handle.0, declared);
                    }
                }
                self.searched.characteristics.add(*first, to);
            }
            (Asked::Descriptors { first, .. }, Pdu::FindInformationResponse { list }) => {
                let mut to = 0;
                for (handle, uuid) in list.iter() {
                    to = to.max(handle.0);
                    self.descriptors.insert(handle.0, uuid);
                }
                self.searched.descriptors.add(*first, to);
            }
            (Asked::ByType(uuid), Pdu::ReadByTypeResponse { list }) => {
                for (handle, value) in list.iter() {
                    self.value_read(Some(*uuid), handle, value);
                }
            }
            (Asked::Value(handle), Pdu::ReadResponse { attribute_value }) => {
                let uuid = self.uuid_of(*handle);
                self.value_read(uuid, Handle(*handle), attribute_value);
            }
            _ => {}
        }
    }

    /// A search that ends says as much as one that finds.
    fn nothing_more(&mut self, asked: &Asked, error: ErrorCode) {
        let no_such_group = error == ErrorCode::UNSUPPORTED_GROUP_TYPE;
        if error != ErrorCode::ATTRIBUTE_NOT_FOUND && !no_such_group {
            return;
        }
        match *asked {
            Asked::Services { first, last, secondary, wanted: None } => {
                // A server that knows no secondary services refuses the question.
                if secondary {
                    self.searched.secondary.add(first, last);
                } else if !no_such_group {
                    self.searched.primary.add(first, last);
                }
            }
            Asked::Includes { first, last } => self.searched.includes.add(first, last),
            Asked::Characteristics { first, last } => {
                self.searched.characteristics.add(first, last);
            }
            Asked::Descriptors { first, last } => self.searched.descriptors.add(first, last),
            _ => {}
        }
    }

    fn value_read(&mut self, uuid: Option<Uuid>, handle: Handle, value: &[u8]) {
        match uuid {
            Some(Uuid::Short(DATABASE_HASH)) => {
                self.hash = <[u8; 16]>::try_from(value).ok().or(self.hash);
            }
            Some(Uuid::Short(EXTENDED_PROPERTIES)) => {
                if let [low, high] = *value {
                    self.extended.insert(handle.0, u16::from_le_bytes([low, high]));
                }
            }
            _ => {}
        }
    }

    /// Forgets a range: the server said that its database changed.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Adds what other links to the same device showed, unless the two cannot be one database.
    pub fn add(&mut self, other: Self) {
        let differs = |handle: &u16| {
            let known = self.uuid_of(*handle);
            known.is_some() && other.uuid_of(*handle).is_some_and(|uuid| Some(uuid) != known)
        };
        let handles = other.services.keys().chain(other.descriptors.keys());
        let values = other.characteristics.values().map(|c| &c.value);
        let other_hash = self.hash.zip(other.hash).is_some_and(|(a, b)| a != b);
        if other_hash || handles.chain(values).any(differs) {
            return;
        }
        let keep = std::mem::take(self);
        let Coverage { primary, secondary, includes, characteristics, descriptors } =
            other.searched.clone();
        *self = other;
        self.services.extend(keep.services);
        self.includes.extend(keep.includes);
        self.characteristics.extend(keep.characteristics);
        self.descriptors.extend(keep.descriptors);
        self.extended.extend(keep.extended);
        self.hash = keep.hash.or(self.hash);
        self.searched = keep.searched;
        for (kind, more) in [
            (&mut self.searched.primary, primary),
            (&mut self.searched.secondary, secondary),
            (&mut self.searched.includes, includes),
            (&mut self.searched.characteristics, characteristics),
            (&mut self.searched.descriptors, descriptors),
        ] {
            more.0.iter().for_each(|(first, last)| kind.add(*first, *last));
        }
    }

    /// The service that a handle lies in.
    pub fn service_of(&self, handle: u16) -> Option<(u16, &Service)> {
        let (start, service) = self.services.range(..=handle).next_back()?;
        (service.end >= handle).then_some((*start, service))
    }

    /// The characteristic that a value's or a descriptor's handle belongs to.
    pub fn characteristic_of(&self, handle: u16) -> Option<(u16, &Characteristic)> {
        let (start, declared) = self.characteristics.range(..handle).next_back()?;
        let one_service = match (self.service_of(*start), self.service_of(handle)) {
            (Some((a, _)), Some((b, _))) => a == b,
            (None, None) => true,
            _ => false,
        };
        (one_service && handle >= declared.value).then_some((*start, declared))
    }

    /// What a handle is: a characteristic's value, or a descriptor.
    pub fn uuid_of(&self, handle: u16) -> Option<Uuid> {
        if let Some(service) = self.services.get(&handle) {
            return Some(Uuid::Short(if service.secondary { SECONDARY } else { PRIMARY }));
        }
        match self.characteristic_of(handle) {
            Some((_, declared)) if declared.value == handle => Some(declared.uuid),
            _ if self.is_declared(handle) => None,
            _ => self
                .descriptors
                .get(&handle)
                .copied()
                .or_else(|| self.inferred(handle).then_some(Uuid::Short(CCCD))),
        }
    }

    fn is_declared(&self, handle: u16) -> bool {
        self.characteristics.contains_key(&handle) || self.includes.contains_key(&handle)
    }

    /// A single handle behind the value of a characteristic that notifies is its CCCD: hosts assume it and never ask.
    fn inferred(&self, handle: u16) -> bool {
        let Some((start, declared)) = self.characteristic_of(handle) else { return false };
        declared.properties & NOTIFY_OR_INDICATE != 0
            && declared.value.checked_add(1) == Some(handle)
            && self.last_of(start) == handle
            && self.service_of(handle).is_some()
    }

    /// The last handle of a characteristic: before the next declaration, or at the service's end.
    fn last_of(&self, start: u16) -> u16 {
        let end = self.service_of(start).map_or(start, |(_, service)| service.end);
        let next = self.characteristics.range(start.saturating_add(1)..).next();
        next.map_or(end, |(next, _)| end.min(next.saturating_sub(1)))
    }

    /// The configuration descriptor of a value, as far as it is known.
    pub fn cccd_of(&self, value: u16) -> Option<u16> {
        let (start, declared) = self.characteristic_of(value)?;
        let range = declared.value.checked_add(1)?..=self.last_of(start);
        range.into_iter().find(|handle| self.uuid_of(*handle) == Some(Uuid::Short(CCCD)))
    }

    /// What was not searched for, in words; empty where the whole database is known.
    pub fn lacks(&self) -> Vec<&'static str> {
        let mut lacks = Vec::new();
        let last = self.services.values().map(|service| service.end).max().unwrap_or(0);
        let all = self.searched.primary.covers(1, u16::MAX)
            || last == u16::MAX && self.searched.primary.covers(1, last);
        if self.services.is_empty() || !all {
            lacks.push("its primary services to the end");
            return lacks;
        }
        if !self.services.iter().all(|(start, service)| self.has_characteristics(*start, service)) {
            lacks.push("the characteristics of each service");
        } else if !self
            .services
            .iter()
            .all(|(start, service)| self.has_descriptors(*start, service))
        {
            lacks.push("the descriptors of each characteristic");
        }
        lacks
    }

    fn has_characteristics(&self, start: u16, service: &Service) -> bool {
        self.searched.characteristics.covers(start.saturating_add(1), service.end)
            || self.searched.characteristics.covers(start, service.end)
    }

    fn has_descriptors(&self, start: u16, service: &Service) -> bool {
        self.characteristics.range(start..=service.end).all(|(at, declared)| {
            let first = declared.value.saturating_add(1);
            let last = self.last_of(*at);
            self.searched.descriptors.covers(first, last)
                || (first..=last)
                    .all(|handle| self.descriptors.contains_key(&handle) || self.inferred(handle))
        })
    }

    /// Everything that the Database Hash covers is known.
    fn hash_can_be_computed(&self) -> bool {
        let known = |uuid: &Uuid| *uuid == Uuid::Short(EXTENDED_PROPERTIES);
        let mut extended = self.descriptors.iter().filter(|(_, uuid)| known(uuid));
        self.lacks().is_empty()
            && self.searched.secondary.covers(1, u16::MAX)
            && self.services.iter().all(|(start, service)| {
                self.searched.includes.covers(start.saturating_add(1), service.end)
                    || self.searched.includes.covers(*start, service.end)
            })
            && extended.all(|(handle, _)| self.extended.contains_key(handle))
    }

    /// The device has the characteristic that tells its Database Hash.
    pub fn has_hash(&self) -> bool {
        self.hash.is_some()
            || self.characteristics.values().any(|c| c.uuid == Uuid::Short(DATABASE_HASH))
    }

    /// The Database Hash as on the air: as it was read, else as it follows from the database.
    pub fn hash(&self) -> Option<[u8; 16]> {
        self.hash.or_else(|| self.computed_hash())
    }

    /// The hash that was read is not that of the attributes that are known.
    pub fn hash_contradicts(&self) -> bool {
        self.hash.zip(self.computed_hash()).is_some_and(|(read, computed)| read != computed)
    }

    /// AES-CMAC with a key of zeroes over the declarations (Core, Vol 3, Part G, 7.3.1).
    fn computed_hash(&self) -> Option<[u8; 16]> {
        if !self.hash_can_be_computed() {
            return None;
        }
        // Handle, type, and the value of those that count with it.
        let mut attributes: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        let mut put = |handle: u16, kind: u16, value: &[u8]| {
            let mut bytes = [handle.to_le_bytes(), kind.to_le_bytes()].concat();
            bytes.extend_from_slice(value);
            attributes.insert(handle, bytes);
        };
        for (handle, service) in &self.services {
            let kind = if service.secondary { SECONDARY } else { PRIMARY };
            put(*handle, kind, &wire(service.uuid));
        }
        for (handle, include) in &self.includes {
            let mut value = [include.first.to_le_bytes(), include.last.to_le_bytes()].concat();
            value.extend(include.uuid.map(wire).unwrap_or_default());
            put(*handle, INCLUDE, &value);
        }
        for (handle, declared) in &self.characteristics {
            let mut value = vec![declared.properties];
            value.extend(declared.value.to_le_bytes());
            value.extend(wire(declared.uuid));
            put(*handle, CHARACTERISTIC, &value);
            for handle in declared.value.saturating_add(1)..=self.last_of(*handle) {
                match self.uuid_of(handle) {
                    Some(Uuid::Short(EXTENDED_PROPERTIES)) => {
                        let value = self.extended.get(&handle)?.to_le_bytes();
                        put(handle, EXTENDED_PROPERTIES, &value);
                    }
                    Some(Uuid::Short(kind @ 0x2901..=0x2905)) => put(handle, kind, &[]),
                    _ => {}
                }
            }
        }
        let mut mac = <Cmac<Aes128> as Mac>::new_from_slice(&[0; 16]).ok()?;
        attributes.values().for_each(|bytes| mac.update(bytes));
        let mut hash: [u8; 16] = mac.finalize().into_bytes().into();
        hash.reverse();
        Some(hash)
    }

    /// The lines of BlueZ's `[Attributes]`, ascending by handle.
    pub fn attributes(&self) -> String {
        let mut lines: BTreeMap<u16, String> = BTreeMap::new();
        for (start, service) in &self.services {
            let kind = if service.secondary { SECONDARY } else { PRIMARY };
            let line = format!("{kind:04x}:{:04x}:{}", service.end, long(service.uuid));
            lines.insert(*start, line);
        }
        for (handle, include) in &self.includes {
            let uuid = include.uuid.or_else(|| Some(self.services.get(&include.first)?.uuid));
            let Some(uuid) = uuid else { continue };
            let (first, last) = (include.first, include.last);
            lines.insert(*handle, format!("{INCLUDE:04x}:{first:04x}:{last:04x}:{}", long(uuid)));
        }
        for (start, declared) in &self.characteristics {
            let mut hash = String::new();
            if declared.uuid == Uuid::Short(DATABASE_HASH)
                && let Some(value) = self.hash()
            {
                hash = value.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ":";
            }
            let Characteristic { properties, value, uuid } = declared;
            let line =
                format!("{CHARACTERISTIC:04x}:{value:04x}:{properties:02x}:{hash}{}", long(*uuid));
            lines.insert(*start, line);
            for handle in value.saturating_add(1)..=self.last_of(*start) {
                let Some(uuid) = self.uuid_of(handle) else { continue };
                let line = match uuid {
                    // BlueZ does not load the line where the value is 0.
                    Uuid::Short(EXTENDED_PROPERTIES) => {
                        let value = self.extended.get(&handle).copied().filter(|value| *value != 0);
                        format!("{:04x}:{}", value.unwrap_or(1), long(uuid))
                    }
                    _ => long(uuid),
                };
                lines.insert(handle, line);
            }
        }
        lines.iter().map(|(handle, line)| format!("{handle:04x}={line}\n")).collect()
    }
}

/// A UUID in its long form, lower case.
pub fn long(uuid: Uuid) -> String {
    match uuid {
        Uuid::Short(short) => format!("{short:08x}-0000-1000-8000-00805f9b34fb"),
        full @ Uuid::Full(_) => full.to_string(),
    }
}

/// A UUID in its shortest form, as on the air.
fn wire(uuid: Uuid) -> Vec<u8> {
    match uuid {
        Uuid::Short(short) => short.to_le_bytes().to_vec(),
        Uuid::Full(full) => full.iter().rev().copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Uuid = Uuid::Short(0x2a19);
    const SPEC_HASH: Uuid = Uuid::Short(DATABASE_HASH);

    /// A service of six handles: a value that notifies, and one that does not, with two descriptors.
    fn server() -> Server {
        let mut server = Server::default();
        let service = Service { end: 9, secondary: false, uuid: Uuid::Short(0x180f) };
        server.services.insert(1, service);
        let declared = |properties, value, uuid| Characteristic { properties, value, uuid };
        server.characteristics.insert(2, declared(0x12, 3, LIGHT));
        server.characteristics.insert(5, declared(0x02, 6, Uuid::Short(0x2a1b)));
        server.searched.primary.add(1, u16::MAX);
        server.searched.characteristics.add(1, 9);
        server.searched.descriptors.add(7, 9);
        server
    }

    #[test]
    fn a_database_is_whole_where_everything_was_searched() {
        assert_eq!(
            server().lacks(),
            [""; 0],
            "one handle behind a value that notifies is its CCCD"
        );
        let without = |change: fn(&mut Server)| {
            let mut server = server();
            change(&mut server);
            server.lacks()
        };
        let services = ["its primary services to the end"];
        assert_eq!(without(|s| s.searched.primary = Searched(vec![(1, 9)])), services);
        assert_eq!(without(|s| s.searched.primary = Searched::default()), services);
        assert_eq!(without(|s| s.services.clear()), services);
        let characteristics = ["the characteristics of each service"];
        assert_eq!(
            without(|s| s.searched.characteristics = Searched(vec![(1, 8)])),
            characteristics
        );
        let descriptors = ["the descriptors of each characteristic"];
        assert_eq!(without(|s| s.searched.descriptors = Searched(vec![(7, 8)])), descriptors);
        let quiet = |s: &mut Server| {
            s.characteristics.entry(2).and_modify(|declared| declared.properties = 0x02);
        };
        assert_eq!(
            without(quiet),
            descriptors,
            "a handle that nobody asked for, and nothing notifies"
        );
    }

    #[test]
    fn ranges_that_meet_are_one() {
        let mut searched = Searched::default();
        for (first, last) in [(10, 20), (1, 5), (6, 9), (30, 20)] {
            searched.add(first, last);
        }
        assert_eq!(searched.0, [(1, 20)]);
        assert!(searched.covers(2, 20) && !searched.covers(2, 21) && searched.covers(5, 4));
    }

    /// The lines of BlueZ's file, as its source reads them.
    #[test]
    fn includes_and_extended_properties_have_their_lines() {
        let mut server = server();
        server.services.insert(10, Service { end: 20, secondary: true, uuid: Uuid::Short(0x180a) });
        server.includes.insert(4, Include { first: 10, last: 20, uuid: None });
        server.descriptors.insert(7, Uuid::Short(EXTENDED_PROPERTIES));
        server.extended.insert(7, 1);
        let lines = "\
            0001=2800:0009:0000180f-0000-1000-8000-00805f9b34fb\n\
            0002=2803:0003:12:00002a19-0000-1000-8000-00805f9b34fb\n\
            0004=2802:000a:0014:0000180a-0000-1000-8000-00805f9b34fb\n\
            0005=2803:0006:02:00002a1b-0000-1000-8000-00805f9b34fb\n\
            0007=0001:00002900-0000-1000-8000-00805f9b34fb\n\
            000a=2801:0014:0000180a-0000-1000-8000-00805f9b34fb\n";
        assert_eq!(server.attributes(), lines);
    }

    #[test]
    fn a_cccd_that_nobody_asked_for_is_known() {
        let server = {
            let mut server = server();
            server.characteristics.remove(&5);
            server
                .characteristics
                .insert(5, Characteristic { properties: 0x02, value: 6, uuid: LIGHT });
            server
        };
        assert_eq!(server.uuid_of(3), Some(LIGHT));
        assert_eq!(server.uuid_of(4), Some(Uuid::Short(CCCD)));
        assert_eq!(server.cccd_of(3), Some(4));
        assert_eq!((server.uuid_of(7), server.cccd_of(6)), (None, None));
        assert_eq!(server.uuid_of(1), Some(Uuid::Short(PRIMARY)));
    }

    #[test]
    fn two_links_are_one_database_only_where_they_agree() {
        let mut own = Server::default();
        own.add(server());
        assert_eq!(own, server(), "nothing known before");
        let mut other = server();
        other
            .characteristics
            .insert(2, Characteristic { properties: 0x12, value: 3, uuid: SPEC_HASH });
        let mut own = server();
        own.add(other);
        assert_eq!(own, server(), "another type at a handle");
        let (mut own, mut other) = (server(), server());
        (own.hash, other.hash) = (Some([1; 16]), Some([2; 16]));
        other.descriptors.insert(8, Uuid::Short(0x2901));
        own.add(other);
        assert_eq!(own.descriptors.len(), 0, "another hash");
    }

    /// What the device told, and what follows from its database: a Bumble server in the laboratory computed the one.
    #[test]
    fn the_hash_that_is_computed_is_the_one_that_the_device_tells() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/lab/B-bluez5.66/b01-good.btsnoop");
        if !path.exists() {
            eprintln!("the laboratory's captures are not here: skipped");
            return;
        }
        let case = crate::Case::one(path.as_path());
        let capture = crate::analyse(&case).expect("it is read").captures.remove(0);
        let link = capture.connections.iter().find(|c| c.connected()).expect("a link").number;
        let told = super::super::transcript::read(&case.sides()[0], link, &[]).expect("it is read");
        let mut server = told.server;
        let read = server.hash.take();
        assert!(read.is_some() && server.lacks().is_empty());
        assert_eq!(server.hash(), read);
        server.searched.includes = Searched::default();
        assert_eq!(server.hash(), None, "includes count, and nobody looked for them");
    }
}
