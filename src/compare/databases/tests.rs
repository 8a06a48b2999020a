//! Two databases: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, changed, pair, step, to};
use crate::packet::Direction;
use crate::timeline::Capture;
use std::sync::Arc;

use DatabaseChange::{Added, Altered, Moved, Removed};

const BATTERY: u16 = 0x180f;
const HEART: u16 = 0x180d;
const LEVEL: u16 = 0x2a19;
const RATE: u16 = 0x2a37;
const READ: u8 = 0x02;
const NOTIFY: u8 = 0x10;

fn attribute(handle: u16, kind: AttributeKind, uuid: u16, end: u16, properties: u8) -> Attribute {
    Attribute { handle, kind, uuid: Some(Uuid::Short(uuid)), end, properties }
}

fn service(uuid: u16, handle: u16, end: u16) -> Attribute {
    attribute(handle, AttributeKind::PrimaryService, uuid, end, 0)
}

fn value(uuid: u16, handle: u16, properties: u8) -> Attribute {
    attribute(handle, AttributeKind::Value, uuid, 0, properties)
}

fn discovery(procedure: Procedure, first: u16, last: u16) -> Step {
    let attribute_type = if procedure == Procedure::DiscoverServices { 0x2800 } else { 0x2803 };
    let detail = Detail::Discovery { first, last, found: 1, attribute_type, by_uuid: false };
    step(procedure, detail)
}

fn services() -> Step {
    discovery(Procedure::DiscoverServices, 1, 0xffff)
}

fn characteristics() -> Step {
    discovery(Procedure::DiscoverCharacteristics, 1, 0xffff)
}

/// A link on which these steps showed these attributes.
fn showed(attributes: &[Attribute], steps: Vec<Step>) -> Capture {
    changed(to(LAMP).up().run(), |capture| {
        let connection = &mut capture.connections[0];
        let database = Arc::make_mut(&mut connection.remote);
        attributes.iter().for_each(|attribute| database.learn(attribute.clone()));
        connection.steps = steps;
    })
}

/// A server that was looked at in full.
fn server(attributes: &[Attribute]) -> Capture {
    showed(attributes, vec![services(), characteristics()])
}

fn differences(a: &Capture, b: &Capture) -> Vec<(DatabaseChange, Option<u16>, Option<u16>)> {
    let (found, _) = compare(&pair(a, b));
    found.iter().map(|d| (d.change, d.reference_handle, d.subject_handle)).collect()
}

#[test]
fn what_only_one_server_has_was_removed_or_added() {
    let both = server(&[
        service(HEART, 1, 3),
        value(RATE, 3, NOTIFY),
        service(BATTERY, 4, 6),
        value(LEVEL, 6, READ),
    ]);
    let heart = server(&[service(HEART, 1, 3), value(RATE, 3, NOTIFY)]);
    let gone = |change| match change {
        Removed => vec![(Removed, Some(4), None)],
        _ => vec![(Added, None, Some(4))],
    };
    // Of a service that is gone, the characteristics are gone with it.
    assert_eq!(differences(&both, &heart), gone(Removed));
    assert_eq!(differences(&heart, &both), gone(Added));
    assert_eq!(differences(&both, &both), []);
    let more = server(&[service(HEART, 1, 6), value(RATE, 3, NOTIFY), value(LEVEL, 6, READ)]);
    let heart = server(&[service(HEART, 1, 6), value(RATE, 3, NOTIFY)]);
    assert_eq!(differences(&more, &heart), [(Removed, Some(6), None)]);
    assert_eq!(differences(&heart, &more), [(Added, None, Some(6))]);
    // A server of which nothing is known has nothing that is missing.
    let nothing = server(&[]);
    assert_eq!(differences(&both, &nothing), []);
    assert_eq!(differences(&nothing, &both), []);
}

/// What was not looked for is not missing.
#[test]
fn what_one_side_did_not_look_for_is_not_missing_there() {
    let more = [
        service(HEART, 1, 6),
        value(RATE, 3, NOTIFY),
        value(LEVEL, 6, READ),
        service(BATTERY, 7, 9),
    ];
    let fewer = [service(HEART, 1, 6), value(RATE, 3, NOTIFY)];
    let both_ways = |steps: Vec<Step>| {
        let other = showed(&fewer, steps);
        let (there, back) =
            (differences(&server(&more), &other), differences(&other, &server(&more)));
        assert_eq!(there.len(), back.len());
        there.len()
    };
    let of = |procedure, first, last| discovery(procedure, first, last);
    use Procedure::{DiscoverCharacteristics, DiscoverServices};
    assert_eq!(both_ways(vec![services(), characteristics()]), 2);
    assert_eq!(both_ways(vec![characteristics()]), 0, "no services");
    assert_eq!(both_ways(vec![services()]), 1, "the battery service alone");
    assert_eq!(both_ways(vec![of(DiscoverServices, 2, 0xffff), characteristics()]), 0);
    assert_eq!(both_ways(vec![of(DiscoverServices, 1, 0xfffe), characteristics()]), 0);
    assert_eq!(both_ways(vec![of(DiscoverServices, 0, 0xffff), characteristics()]), 2);
    // Characteristics: from behind the service's declaration to its end.
    let looked =
        |first, last| both_ways(vec![services(), of(DiscoverCharacteristics, first, last)]);
    assert_eq!([looked(2, 6), looked(1, 6), looked(2, 7)], [2, 2, 2]);
    assert_eq!([looked(3, 6), looked(2, 5)], [1, 1]);
    let other_kinds = [
        (
            "by UUID",
            Step {
                detail: Detail::Discovery {
                    first: 1,
                    last: 0xffff,
                    found: 1,
                    attribute_type: 0x2800,
                    by_uuid: true,
                },
                ..services()
            },
        ),
        (
            "secondary",
            Step {
                detail: Detail::Discovery {
                    first: 1,
                    last: 0xffff,
                    found: 1,
                    attribute_type: 0x2801,
                    by_uuid: false,
                },
                ..services()
            },
        ),
        ("failed", Step { outcome: Outcome::Error, ..services() }),
        ("the peer's", Step { by: Direction::Received, ..services() }),
    ];
    for (says, step) in other_kinds {
        assert_eq!(both_ways(vec![step, characteristics()]), 0, "{says}");
    }
}

#[test]
fn what_has_another_handle_moved() {
    let at = |from: u16, properties| {
        server(&[service(BATTERY, from, from + 2), value(LEVEL, from + 2, properties)])
    };
    assert_eq!(differences(&at(4, READ), &at(4, READ)), []);
    // A service that moved as a whole is one line.
    let (found, _) = compare(&pair(&at(4, READ), &at(9, READ)));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].change, found[0].reference_handle, found[0].subject_handle),
        (Moved, Some(4), Some(9))
    );
    let says = found[0].says.to_string();
    assert!(says.ends_with("moved from 0x0004 to 0x0009, with its 1 characteristics"), "{says}");
    // The value moved inside of its service.
    let wide = |at| server(&[service(BATTERY, 4, 9), value(LEVEL, at, READ)]);
    assert_eq!(differences(&wide(6), &wide(8)), [(Moved, Some(6), Some(8))]);
    // Both moved, by other distances.
    let apart = server(&[service(BATTERY, 10, 19), value(LEVEL, 18, READ)]);
    assert_eq!(
        differences(&wide(6), &apart),
        [(Moved, Some(4), Some(10)), (Moved, Some(6), Some(18))]
    );
    let (found, _) = compare(&pair(&wide(6), &wide(8)));
    assert!(found[0].says.to_string().starts_with("characteristic "));
}

#[test]
fn properties_are_compared_where_both_are_known() {
    let with = |properties| server(&[service(HEART, 1, 3), value(RATE, 3, properties)]);
    assert_eq!(differences(&with(READ), &with(READ | NOTIFY)), [(Altered, Some(3), Some(3))]);
    let (found, _) = compare(&pair(&with(READ), &with(READ | NOTIFY)));
    assert!(found[0].says.to_string().ends_with("properties read against read, notify"));
    assert_eq!(differences(&with(READ), &with(0)), []);
    assert_eq!(differences(&with(0), &with(READ)), []);
    // One bit is one name (Vol 3, Part G, 3.3.1.1).
    assert_eq!(properties_of(0x81).to_string(), "broadcast, extended");
    assert_eq!(properties_of(0x24).to_string(), "write without response, indicate");
    assert_eq!(properties_of(0x48).to_string(), "write, signed write");
}

/// Of two characteristics of one type, the first is compared with the first.
#[test]
fn of_several_alike_the_first_belongs_to_the_first() {
    let twice =
        |second: u8| server(&[service(HEART, 1, 9), value(RATE, 3, READ), value(RATE, 6, second)]);
    assert_eq!(differences(&twice(READ), &twice(NOTIFY)), [(Altered, Some(6), Some(6))]);
    let once = server(&[service(HEART, 1, 9), value(RATE, 3, READ)]);
    assert_eq!(differences(&twice(READ), &once), [(Removed, Some(6), None)]);
    // The same characteristic in two services is two.
    let two = |second: u8| {
        server(&[
            service(HEART, 1, 4),
            value(RATE, 3, READ),
            service(BATTERY, 5, 9),
            value(RATE, 7, second),
        ])
    };
    assert_eq!(differences(&two(READ), &two(NOTIFY)), [(Altered, Some(7), Some(7))]);
}

#[test]
fn only_services_and_values_have_a_place() {
    let database = |attributes: &[Attribute]| {
        let mut database = Database::default();
        attributes.iter().for_each(|attribute| database.learn(attribute.clone()));
        places(&database).len()
    };
    use AttributeKind::{Characteristic, Descriptor, Include, SecondaryService, Unknown};
    assert_eq!(database(&[service(HEART, 1, 9), value(RATE, 3, READ)]), 2);
    assert_eq!(database(&[attribute(1, SecondaryService, HEART, 9, 0), value(RATE, 3, READ)]), 2);
    assert_eq!(database(&[value(RATE, 3, READ)]), 0, "of no known service");
    for kind in [Characteristic, Descriptor, Include, Unknown] {
        assert_eq!(
            database(&[service(HEART, 1, 9), attribute(2, kind, RATE, 0, 0)]),
            1,
            "{kind:?}"
        );
    }
    let nameless = Attribute { uuid: None, ..value(RATE, 3, READ) };
    assert_eq!(database(&[service(HEART, 1, 9), nameless]), 1);
}

/// Captured at two ends of a link: what the peripheral's own capture has of its database, and what the central found.
#[test]
fn at_two_ends_the_servers_database_is_its_own() {
    let heart = [service(HEART, 1, 3), value(RATE, 3, NOTIFY)];
    let more = [service(HEART, 1, 3), value(RATE, 3, NOTIFY), service(BATTERY, 4, 6)];
    let serves = |attributes: &[Attribute]| {
        changed(to(LAMP).connected_as(1, 24, 0, 500).run(), |capture| {
            let connection = &mut capture.connections[0];
            let database = Arc::make_mut(&mut connection.local);
            attributes.iter().for_each(|attribute| database.learn(attribute.clone()));
            let theirs = |step| Step { by: Direction::Received, ..step };
            connection.steps = vec![theirs(services()), theirs(characteristics())];
        })
    };
    assert_eq!(differences(&server(&heart), &serves(&heart)), []);
    assert_eq!(differences(&server(&more), &serves(&heart)), [(Removed, Some(4), None)]);
    assert_eq!(differences(&server(&heart), &serves(&more)), [(Added, None, Some(4))]);
}

#[test]
fn hashes_are_compared_where_both_were_read() {
    let hash = |hash| {
        changed(server(&[]), |capture| {
            Arc::make_mut(&mut capture.connections[0].remote).hash = hash;
        })
    };
    let of = |a, b| compare(&pair(&hash(a), &hash(b))).1;
    assert_eq!(of(Some([1; 16]), Some([1; 16])), Some(true));
    assert_eq!(of(Some([1; 16]), Some([2; 16])), Some(false));
    assert_eq!(of(Some([1; 16]), None), None);
    assert_eq!(of(None, Some([1; 16])), None);
}

/// A service that moved alone is told as it is; one with what is in it is one line.
#[test]
fn a_service_that_moved_as_a_whole_is_one_line() {
    let row = |from: u16, to: u16| DatabaseDifference {
        change: Moved,
        uuid: None,
        name: String::new(),
        reference_handle: Some(from),
        subject_handle: Some(to),
        says: "moved".into(),
    };
    let said = |rows: Vec<DatabaseDifference>| {
        together(rows).iter().map(|row| row.says.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(said(vec![row(1, 11)]), ["moved"]);
    let whole = vec![row(1, 11), row(3, 13), row(5, 15)];
    assert_eq!(said(whole), ["moved, with its 2 characteristics"]);
    assert_eq!(said(vec![row(1, 11), row(3, 14)]), ["moved", "moved"]);
}
