//! How many requests a BlueZ with nothing cached makes of a device before a program may write: counted from the
//! device's database, in the order of BlueZ's own discovery.
use crate::packet::att::Uuid;
use crate::timeline::{Attribute, AttributeKind, Connection, Database, Detail, Outcome, Procedure};

/// Exchange MTU, the Server Supported Features by type, the secondary services and the includes: one request each,
/// whatever the device has.
const ALWAYS: u32 = 4;

/// Characteristics that BlueZ reads or writes by itself as soon as it knows them, and how many requests each costs: the
/// hash is read twice, Client Supported Features written, Service Changed subscribed to, name and appearance read.
const BY_ITSELF: [(u16, u32); 5] =
    [(0x2b2a, 2), (0x2b29, 1), (0x2a05, 1), (0x2a00, 1), (0x2a01, 1)];

/// Notify and indicate, in a characteristic's properties.
const PUSHES: u8 = 0x30;

const PRIMARY_SERVICE: u16 = 0x2800;
const CHARACTERISTIC: u16 = 0x2803;

/// The MTU where none was exchanged.
const SMALLEST_MTU: u16 = 23;

/// The requests before a program's first write, of a device with that database.
pub fn of(database: &Database, mtu: u16) -> u32 {
    let all = database.attributes();
    let of_kind = |kind| all.iter().filter(move |a| a.kind == kind);
    let services: Vec<&Attribute> = of_kind(AttributeKind::PrimaryService).collect();
    let characteristics: Vec<&Attribute> = of_kind(AttributeKind::Characteristic).collect();
    // An entry has the two handles of a service, or two handles and the properties of a characteristic; then the UUID.
    let primary = answers(&services, mtu, 4) + more_after(&services);
    let declared = answers(&characteristics, mtu, 5) + 1;
    let by_itself: u32 = BY_ITSELF
        .iter()
        .filter(|(uuid, _)| characteristics.iter().any(|c| c.uuid == Some(Uuid::Short(*uuid))))
        .map(|(_, requests)| requests)
        .sum();
    ALWAYS + primary + declared + descriptors(database, &characteristics) + by_itself
}

/// How many answers carry that list: each has entries of one length, as many as fit.
fn answers(list: &[&Attribute], mtu: u16, fixed: usize) -> u32 {
    let room = usize::from(mtu.max(SMALLEST_MTU)) - 2;
    let length = |a: &Attribute| match a.uuid {
        Some(Uuid::Short(_)) => fixed + 2,
        _ => fixed + 16,
    };
    let (mut answers, mut of, mut left) = (0, 0, 0);
    for attribute in list {
        let length = length(attribute);
        if length != of || left == 0 {
            (answers, of, left) = (answers + 1, length, (room / length).max(1));
        }
        left -= 1;
    }
    answers
}

/// The search goes on behind the last service, unless that ends with the last handle.
fn more_after(services: &[&Attribute]) -> u32 {
    u32::from(services.last().is_none_or(|last| last.end != u16::MAX))
}

/// One search for each gap behind a characteristic's value. BlueZ does not ask for a single handle behind one that
/// notifies or indicates: it takes that for the CCCD.
fn descriptors(database: &Database, characteristics: &[&Attribute]) -> u32 {
    let gaps = characteristics.iter().enumerate().filter(|(at, characteristic)| {
        let next = characteristics.get(at + 1).map(|next| next.handle);
        let service = database.service_of(characteristic.handle).map(|service| service.end);
        let end = match (next, service) {
            (Some(next), Some(service)) => (next - 1).min(service),
            (Some(next), None) => next - 1,
            (None, service) => service.unwrap_or(characteristic.end),
        };
        let gap = end.saturating_sub(characteristic.end);
        gap > 1 || gap == 1 && characteristic.properties & PUSHES == 0
    });
    u32::try_from(gaps.count()).unwrap_or(u32::MAX)
}

/// A connection on which all services and their characteristics were discovered to their end. A host that looks for one
/// service by its UUID, or into one of several, learns only a part of the database.
pub fn discovered(connection: &Connection) -> bool {
    let searched = |wanted, from, to, kind| {
        connection.steps.iter().any(|s| {
            // A search that the capture does not show to its end found a part at most.
            let whole = matches!(s.outcome, Outcome::Ok | Outcome::Error);
            whole
                && s.procedure == wanted
                && matches!(s.detail, Detail::Discovery { first, last, attribute_type, by_uuid: false, .. }
                    if attribute_type == kind && first <= from && last >= to)
        })
    };
    let within = |service: &Attribute| {
        let first = service.handle.saturating_add(1);
        service.end < first
            || searched(Procedure::DiscoverCharacteristics, first, service.end, CHARACTERISTIC)
    };
    let attributes = connection.remote.attributes();
    let mut services = attributes.iter().filter(|a| a.kind == AttributeKind::PrimaryService);
    searched(Procedure::DiscoverServices, 1, u16::MAX, PRIMARY_SERVICE) && services.all(within)
}

/// The same of the device at the other end of a connection, where its discovery was complete.
pub fn of_connection(connection: &Connection, mtu: Option<u16>) -> Option<u32> {
    let own = || connection.mtu.and_then(|mtu| mtu.effective());
    discovered(connection).then(|| of(&connection.remote, mtu.or_else(own).unwrap_or(SMALLEST_MTU)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Option<Uuid> = None;

    fn service(handle: u16, end: u16, uuid: Option<Uuid>) -> Attribute {
        Attribute { handle, kind: AttributeKind::PrimaryService, uuid, end, properties: 0 }
    }

    fn characteristic(handle: u16, uuid: Option<Uuid>, properties: u8) -> Attribute {
        let kind = AttributeKind::Characteristic;
        Attribute { handle, kind, uuid, end: handle + 1, properties }
    }

    fn short(uuid: u16) -> Option<Uuid> {
        Some(Uuid::Short(uuid))
    }

    /// The laboratory's device: 9 services, 27 characteristics, each CCCD alone behind its value.
    fn laboratory(with_gatt: bool) -> Database {
        let mut database = Database::default();
        let mut add = |attribute| database.learn(attribute);
        add(service(1, 5, short(0x1800)));
        add(characteristic(2, short(0x2a00), 0x02));
        add(characteristic(4, short(0x2a01), 0x02));
        if with_gatt {
            add(service(6, 13, short(0x1801)));
            add(characteristic(7, short(0x2a05), 0x20));
            add(characteristic(10, short(0x2b29), 0x0a));
            add(characteristic(12, short(0x2b2a), 0x02));
        }
        let mut handle = 14;
        for count in [3, 3, 3, 3, 3, 3, 4] {
            add(service(handle, handle + 3 * count, LONG));
            for n in 0..count {
                add(characteristic(handle + 1 + 3 * n, LONG, 0x10));
            }
            handle += 3 * count + 1;
        }
        database
    }

    /// Counted in the laboratory, at an MTU of 247: 17, and 13 without the GATT service.
    #[test]
    fn the_laboratory_s_device_takes_what_was_counted() {
        assert_eq!(of(&laboratory(true), 247), 17);
        assert_eq!(of(&laboratory(false), 247), 13);
    }

    #[test]
    fn a_small_mtu_takes_an_answer_for_each_long_uuid() {
        // One service and one characteristic fit: 7 services and 22 characteristics with long UUIDs; three of the short
        // services, two of the short characteristics in an answer.
        assert_eq!(of(&laboratory(true), 23), 4 + (1 + 7 + 1) + (2 + 22 + 1) + 6);
    }

    #[test]
    fn descriptors_are_searched_where_the_gap_says_more_than_a_cccd() {
        let gap = |properties, end| {
            let mut database = Database::default();
            database.learn(service(1, end, short(0x180f)));
            database.learn(characteristic(2, short(0x2a19), properties));
            of(&database, 247)
        };
        let none = gap(0x02, 3);
        assert_eq!(gap(0x12, 4), none, "a CCCD");
        assert_eq!(gap(0x02, 4), none + 1, "one handle, and nothing notifies");
        assert_eq!(gap(0x12, 5), none + 1, "two handles");
    }

    #[test]
    fn a_service_to_the_last_handle_ends_the_search() {
        let of_end = |end| {
            let mut database = Database::default();
            database.learn(service(1, end, short(0x180f)));
            of(&database, 247)
        };
        assert_eq!(of_end(u16::MAX) + 1, of_end(9));
    }

    /// A Mac that looks for one service by its UUID, and a noble that looks into one of all, do not know the database.
    #[test]
    fn a_part_of_a_database_reckons_nothing() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        for name in ["flagship/mac.pklg", "lab/A2/21-noble-good.btsnoop"] {
            let path = root.join(name);
            if !path.exists() {
                eprintln!("{name} is not here: skipped");
                continue;
            }
            let analysis = crate::analyse(&crate::Case::one(path.as_path())).expect("it is read");
            let links = &analysis.captures[0].connections;
            assert!(links.iter().any(|c| !c.remote.is_empty()), "{name}");
            assert!(links.iter().all(|c| of_connection(c, None).is_none()), "{name}");
        }
    }

    /// A real BlueZ in the laboratory: what is reckoned from what it found is what it sent.
    #[test]
    fn what_is_reckoned_is_what_bluez_sent() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join("fixtures/lab/B-bluez5.66/b01-good.btsnoop");
        if !path.exists() {
            eprintln!("the laboratory's captures are not here: skipped");
            return;
        }
        let analysis = crate::analyse(&crate::Case::one(path.as_path())).expect("it is read");
        let capture = &analysis.captures[0];
        let link = capture.connections.iter().find(|c| discovered(c)).expect("a discovery");
        let sent = crate::diagnose::what_if::requests_before_write(link).expect("a write");
        assert_eq!(of_connection(link, None), Some(sent));
    }

    /// A device with one characteristic that BlueZ knows costs so many more than one with a characteristic that it does not.
    #[test]
    fn each_characteristic_that_bluez_uses_itself_has_its_price() {
        let of_one = |uuid| {
            let mut database = Database::default();
            database.learn(service(1, 9, short(0x180f)));
            database.learn(characteristic(2, short(uuid), 0x02));
            of(&database, 247)
        };
        let none = of_one(0x2a19);
        let price = |uuid| of_one(uuid) - none;
        assert_eq!([0x2b2a, 0x2b29, 0x2a05, 0x2a00, 0x2a01].map(price), [2, 1, 1, 1, 1]);
        assert_eq!([0x2b28, 0x2b2b, 0x2a04, 0x2a06, 0x29ff, 0x2a02].map(price), [0; 6]);
    }

    #[test]
    fn no_mtu_is_smaller_than_that_of_a_new_link() {
        assert_eq!(of(&laboratory(true), 0), of(&laboratory(true), 23));
        assert_eq!(of(&laboratory(true), 22), of(&laboratory(true), 23));
    }

    #[test]
    fn one_handle_behind_a_value_that_indicates_is_its_cccd() {
        let gap = |properties| {
            let mut database = Database::default();
            database.learn(service(1, 4, short(0x180f)));
            database.learn(characteristic(2, short(0x2a19), properties));
            of(&database, 247)
        };
        assert_eq!(gap(0x22), gap(0x12), "indicates, notifies");
        assert_eq!(gap(0x0f), gap(0x12) + 1, "reads and writes alone");
        assert_eq!(gap(0xc0), gap(0x12) + 1);
    }

    /// Services to the last handle, and the characteristics of each.
    #[test]
    fn a_database_is_known_where_all_of_it_was_searched_to_its_end() {
        use crate::packet::Direction::Sent;
        use crate::trace::Trace;
        let known = |trace: Trace| discovered(&trace.run().connections[0]);
        let up = || Trace::new().up().mtu();
        let groups = [6, 1, 0, 6, 0, 0x0f, 0x18];
        let services = |link: Trace| {
            link.by_wire(&[0x10, 1, 0, 0xff, 0xff, 0x00, 0x28], 0x11, &groups).by_wire(
                &[0x10, 7, 0, 0xff, 0xff, 0x00, 0x28],
                0x01,
                &[0x10, 7, 0, 0x0a],
            )
        };
        let found = [7, 2, 0, 2, 3, 0, 0x19, 0x2a];
        assert!(known(up().discovery(2)));
        assert!(!known(up()));
        assert!(!known(services(up())), "no characteristics");
        assert!(known(services(up()).by_wire(&[0x08, 2, 0, 6, 0, 0x03, 0x28], 0x09, &found)));
        assert!(!known(services(up()).by_wire(&[0x08, 3, 0, 6, 0, 0x03, 0x28], 0x09, &found)));
        assert!(!known(services(up()).by_wire(&[0x08, 1, 0, 5, 0, 0x03, 0x28], 0x09, &found)));
        assert!(
            !known(services(up()).by_wire(&[0x08, 1, 0, 6, 0, 0x02, 0x28], 0x09, &found)),
            "includes"
        );
        assert!(!known(services(up()).acl(Sent, 4, &[0x08, 1, 0, 6, 0, 0x03, 0x28])), "no answer");
        // The device has the one service, and only that one was looked for.
        let one =
            up().by_wire(&[0x06, 1, 0, 0xff, 0xff, 0x00, 0x28, 0x0f, 0x18], 0x07, &[1, 0, 6, 0]);
        assert!(!known(one.by_wire(&[0x08, 1, 0, 6, 0, 0x03, 0x28], 0x09, &found)));
        // Characteristics are searched within primary services: one of a secondary service need not be.
        let capture = up().discovery(2).run();
        let mut link = capture.connections[0].clone();
        let mut database = (*link.remote).clone();
        database.learn(characteristic(0x20, short(0x2a19), 2));
        link.remote = std::sync::Arc::new(database.clone());
        assert!(discovered(&link));
        database.learn(service(0x30, 0x32, short(0x180f)));
        link.remote = std::sync::Arc::new(database.clone());
        assert!(!discovered(&link), "a service whose characteristics nobody asked for");
        database = (*capture.connections[0].remote).clone();
        database.learn(service(0x30, 0x30, short(0x180f)));
        link.remote = std::sync::Arc::new(database);
        assert!(discovered(&link), "a service without room for a characteristic");
        let mut database = (*capture.connections[0].remote).clone();
        database.learn(service(0x30, 0x31, short(0x180f)));
        link.remote = std::sync::Arc::new(database);
        assert!(!discovered(&link), "a service with room for one attribute");
    }

    /// The MTU that is asked about, else that of the link, else the smallest.
    #[test]
    fn requests_are_reckoned_with_the_mtu_of_the_link() {
        use crate::trace::Trace;
        let of_trace = |trace: Trace, mtu| {
            let mut link = trace.run().connections.remove(0);
            link.remote = std::sync::Arc::new(laboratory(true));
            // All of it counts as searched.
            for step in &mut link.steps {
                if let Detail::Discovery { last, first, .. } = &mut step.detail {
                    (*first, *last) = (1, u16::MAX);
                }
            }
            of_connection(&link, mtu)
        };
        let small = Some(of(&laboratory(true), 23));
        let large = Some(of(&laboratory(true), 247));
        assert_ne!(small, large);
        assert_eq!(of_trace(Trace::new().up().discovery(2), None), small);
        assert_eq!(of_trace(Trace::new().up().mtu().discovery(2), None), large);
        assert_eq!(of_trace(Trace::new().up().discovery(2), Some(247)), large);
        assert_eq!(of_trace(Trace::new().up().mtu().discovery(2), Some(23)), small);
        assert_eq!(of_trace(Trace::new().up().mtu(), None), None, "nothing was searched");
    }
}
