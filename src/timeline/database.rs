//! The attributes of a GATT server, as far as the capture taught them.
use crate::packet::att::Uuid;

/// Whose attributes a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The device at the other end.
    Peer,
    /// This host, whose attributes the peer discovers.
    Host,
}

/// What an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeKind {
    /// A primary service.
    PrimaryService,
    /// A secondary service.
    SecondaryService,
    /// An included service.
    Include,
    /// The declaration; the value lies in [`Attribute::end`].
    Characteristic,
    /// A characteristic's value.
    Value,
    /// A descriptor.
    Descriptor,
    /// Seen in traffic only: its type is not known.
    Unknown,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// Its handle.
    pub handle: u16,
    /// What kind of attribute it is.
    pub kind: AttributeKind,
    /// Service UUID, characteristic UUID (declaration and value alike) or descriptor type.
    pub uuid: Option<Uuid>,
    /// Services: the last handle of the group. Characteristics: the value handle.
    pub end: u16,
    /// Characteristic properties (declaration and value), 0 elsewhere.
    pub properties: u8,
}

/// No more attributes of one server are remembered.
const MOST_ATTRIBUTES: usize = 8192;

/// A server's attributes, ordered by handle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Database {
    attributes: Vec<Attribute>,
    /// Value of the Database Hash characteristic (0x2B2A), if it was read.
    pub hash: Option<[u8; 16]>,
}

impl Database {
    /// All attributes that are known, by handle.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Whether no attribute is known.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The attribute of that handle.
    pub fn get(&self, handle: u16) -> Option<&Attribute> {
        let at = self.attributes.binary_search_by_key(&handle, |a| a.handle).ok()?;
        self.attributes.get(at)
    }

    /// The service that a handle lies in.
    pub fn service_of(&self, handle: u16) -> Option<&Attribute> {
        self.attributes
            .iter()
            .take_while(|a| a.handle <= handle)
            .filter(|a| {
                matches!(a.kind, AttributeKind::PrimaryService | AttributeKind::SecondaryService)
            })
            .filter(|a| a.end >= handle)
            .last()
    }

    /// The characteristic value that a descriptor handle belongs to: the nearest value below it in its service.
    pub fn characteristic_of(&self, handle: u16) -> Option<&Attribute> {
        let at = self.attributes.partition_point(|a| a.handle < handle);
        self.attributes.get(..at)?.iter().rev().find_map(|a| match a.kind {
            AttributeKind::Value => Some(Some(a)),
            AttributeKind::PrimaryService | AttributeKind::SecondaryService => Some(None),
            _ => None,
        })?
    }

    /// Adds or completes an attribute, up to a bound that no real server comes near.
    pub(crate) fn learn(&mut self, attribute: Attribute) {
        match self.attributes.binary_search_by_key(&attribute.handle, |a| a.handle) {
            Ok(at) => {
                if let Some(known) = self.attributes.get_mut(at) {
                    // A search for descriptors also lists values and declarations. What is known of them already is kept.
                    let vaguer = matches!(
                        attribute.kind,
                        AttributeKind::Descriptor | AttributeKind::Unknown
                    );
                    if known.kind == AttributeKind::Unknown
                        || known.kind == AttributeKind::Descriptor
                        || !vaguer
                    {
                        *known = attribute;
                    }
                }
            }
            Err(at) if self.attributes.len() < MOST_ATTRIBUTES => {
                self.attributes.insert(at, attribute);
            }
            Err(_) => {}
        }
    }

    /// Forgets a range: Service Changed.
    pub(crate) fn forget(&mut self, first: u16, last: u16) {
        self.attributes.retain(|a| a.handle < first || a.handle > last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(handle: u16) -> Attribute {
        Attribute { handle, kind: AttributeKind::Unknown, uuid: None, end: 0, properties: 0 }
    }

    /// Handles from the last to the first: each goes before all others.
    #[test]
    fn a_server_of_all_handles_fills_no_more_than_a_bound() {
        let mut database = Database::default();
        (1..=u16::MAX).rev().for_each(|handle| database.learn(attribute(handle)));
        assert_eq!(database.attributes().len(), 8192);
        assert!(database.attributes().is_sorted_by_key(|a| a.handle));
        // Later packets may tell more about an attribute that is known already.
        let better = Attribute { kind: AttributeKind::Value, ..attribute(u16::MAX) };
        database.learn(better.clone());
        assert_eq!(database.get(u16::MAX), Some(&better));
    }

    fn of(handle: u16, kind: AttributeKind, end: u16) -> Attribute {
        Attribute { kind, end, ..attribute(handle) }
    }

    #[test]
    fn a_handle_lies_in_its_own_service_and_after_a_change_in_none() {
        let mut database = Database::default();
        database.learn(of(1, AttributeKind::PrimaryService, 5));
        database.learn(of(3, AttributeKind::Value, 0));
        database.learn(of(6, AttributeKind::PrimaryService, 9));
        database.learn(of(8, AttributeKind::Value, 0));
        let service = |database: &Database, handle| database.service_of(handle).map(|a| a.handle);
        assert_eq!((service(&database, 3), service(&database, 6)), (Some(1), Some(6)));
        assert_eq!((service(&database, 9), service(&database, 10)), (Some(6), None));
        assert_eq!(database.characteristic_of(9).map(|a| a.handle), Some(8));
        assert_eq!(database.characteristic_of(7), None, "a service begins in between");
        assert_eq!(database.characteristic_of(8), None, "a value belongs to no value");
        database.forget(6, 8);
        assert_eq!((service(&database, 3), service(&database, 9)), (Some(1), None));
        let left: Vec<u16> = database.attributes().iter().map(|a| a.handle).collect();
        assert_eq!(left, [1, 3]);
    }

    #[test]
    fn what_is_known_better_is_not_forgotten_for_less() {
        let mut database = Database::default();
        database.learn(of(3, AttributeKind::Value, 0));
        database.learn(of(3, AttributeKind::Descriptor, 0));
        assert_eq!(database.get(3).map(|a| a.kind), Some(AttributeKind::Value));
        database.learn(of(4, AttributeKind::Unknown, 0));
        database.learn(of(4, AttributeKind::Descriptor, 0));
        assert_eq!(database.get(4).map(|a| a.kind), Some(AttributeKind::Descriptor));
    }

    #[test]
    fn a_service_holds_its_first_and_its_last_handle() {
        let mut database = Database::default();
        database.learn(of(4, AttributeKind::PrimaryService, 6));
        database.learn(of(8, AttributeKind::SecondaryService, 9));
        let service = |handle| database.service_of(handle).map(|a| a.handle);
        let all = [3, 4, 6, 7, 8, 9, 10].map(service);
        assert_eq!(all, [None, Some(4), Some(4), None, Some(8), Some(8), None]);
        assert!(!database.is_empty() && Database::default().is_empty());
    }

    #[test]
    fn a_value_replaces_whatever_was_known_before() {
        use AttributeKind::{Characteristic, Descriptor, Unknown, Value};
        let after = |first, second| {
            let mut database = Database::default();
            database.learn(of(3, first, 1));
            database.learn(of(3, second, 2));
            database.get(3).map(|a| a.end)
        };
        for first in [Unknown, Descriptor, Characteristic] {
            assert_eq!(after(first, Value), Some(2), "{first:?}");
        }
        for vaguer in [Unknown, Descriptor] {
            assert_eq!(after(Value, vaguer), Some(1), "{vaguer:?}");
            assert_eq!(after(Unknown, vaguer), Some(2));
            assert_eq!(after(Descriptor, vaguer), Some(2));
        }
    }

    #[test]
    fn what_changed_is_forgotten_from_the_first_to_the_last_handle() {
        let left = |first, last| {
            let mut database = Database::default();
            (1..=5).for_each(|handle| database.learn(of(handle, AttributeKind::Value, 0)));
            database.forget(first, last);
            database.attributes().iter().map(|a| a.handle).collect::<Vec<_>>()
        };
        assert_eq!(left(2, 4), [1, 5]);
        assert!(left(1, 0xffff).is_empty());
        assert_eq!(left(6, 9), [1, 2, 3, 4, 5]);
    }
}
