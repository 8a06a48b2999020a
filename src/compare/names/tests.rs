//! What a handle is called: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, LOCK, changed, step, to};
use crate::packet::Status;
use crate::timeline::{Attribute, Detail, Role};
use crate::trace::Trace;

const HEART: Uuid = Uuid::Short(0x180d);
const RATE: Uuid = Uuid::Short(0x2a37);
const LEVEL: Uuid = Uuid::Short(0x2a19);

use AttributeKind::{Characteristic, Descriptor, PrimaryService, Value};

fn database(attributes: &[(u16, AttributeKind, Uuid, u16, u8)]) -> Arc<Database> {
    let mut database = Database::default();
    for &(handle, kind, uuid, end, properties) in attributes {
        database.learn(Attribute { handle, kind, uuid: Some(uuid), end, properties });
    }
    Arc::new(database)
}

/// A heart rate service: its value at 3, and room for one descriptor at 4.
fn heart(properties: u8) -> Arc<Database> {
    database(&[
        (1, PrimaryService, HEART, 4, 0),
        (2, Characteristic, RATE, 3, 0),
        (3, Value, RATE, 0, properties),
    ])
}

fn known(remote: &Arc<Database>) -> Names {
    Names { remote: vec![remote.clone()], local: vec![Arc::default()] }
}

#[test]
fn a_handle_means_what_its_databases_say() {
    let full = database(&[
        (1, PrimaryService, HEART, 9, 0),
        (3, Value, RATE, 0, 0x10),
        (4, Descriptor, CCCD, 0, 0),
    ]);
    let names = Names { remote: vec![Arc::default(), full.clone()], local: vec![full.clone()] };
    let meaning = names.meaning(3, Owner::Peer).expect("the value");
    assert_eq!((meaning.uuid, meaning.kind), (RATE, Value));
    assert_eq!((meaning.parent, meaning.service), (None, Some(HEART)));
    let meaning = names.meaning(4, Owner::Host).expect("its configuration");
    assert_eq!((meaning.uuid, meaning.parent), (CCCD, Some(RATE)));
    assert_eq!(names.meaning(5, Owner::Peer), None);
    assert_eq!(known(&full).meaning(3, Owner::Host), None);
}

/// Vol 3, Part G, 3.3.3.3: a characteristic that notifies has a CCCD. Where there is room for one descriptor, that is it.
#[test]
fn the_only_descriptor_of_what_notifies_is_its_configuration() {
    let at = |database: &Arc<Database>, handle| {
        known(database).meaning(handle, Owner::Peer).map(|m| (m.uuid, m.parent))
    };
    let cccd = Some((CCCD, Some(RATE)));
    assert_eq!(at(&heart(0x10), 4), cccd);
    assert_eq!(at(&heart(0x20), 4), cccd, "indications");
    assert_eq!(at(&heart(0x0a), 4), None, "neither");
    assert_eq!(at(&heart(0x10), 5), None, "beyond the service");
    let wide = database(&[(1, PrimaryService, HEART, 5, 0), (3, Value, RATE, 0, 0x10)]);
    assert_eq!((at(&wide, 4), at(&wide, 5)), (None, None), "room for two");
    // Room for one, as the next characteristic follows.
    let followed = database(&[
        (1, PrimaryService, HEART, 9, 0),
        (3, Value, RATE, 0, 0x10),
        (5, Characteristic, LEVEL, 6, 0),
        (6, Value, LEVEL, 0, 0x10),
    ]);
    assert_eq!(at(&followed, 4), cccd);
    let other = database(&[
        (1, PrimaryService, HEART, 9, 0),
        (3, Value, RATE, 0, 0x10),
        (5, Descriptor, Uuid::Short(0x2901), 0, 0),
    ]);
    assert_eq!(at(&other, 4), None, "two descriptors");
}

#[test]
fn a_step_is_named_by_its_attribute_or_by_the_type_that_it_asks_for() {
    let capture = to(LAMP).up().run();
    let connection = &capture.connections[0];
    let full = database(&[
        (1, PrimaryService, HEART, 9, 0),
        (3, Value, RATE, 0, 0x10),
        (4, Descriptor, CCCD, 0, 0),
        (5, Descriptor, Uuid::Short(0x2901), 0, 0),
    ]);
    let names = known(&full);
    let of = |attribute, by_type| {
        let step = step(Procedure::Read, Detail::Read { offset: 0, by_type });
        let found = names.attribute(connection, &Step { attribute, ..step });
        found.map(|found| (found.handle, found.uuid, found.name))
    };
    let name = |name: &str| name.to_owned();
    assert_eq!(of(3, 0), Some((3, Some(RATE), name("Heart Rate Measurement"))));
    assert_eq!(of(4, 0), Some((4, Some(CCCD), name("Heart Rate Measurement CCCD"))));
    assert_eq!(of(5, 0).map(|(_, uuid, _)| uuid), Some(Some(Uuid::Short(0x2901))));
    assert_eq!(of(9, 0), Some((9, None, name(""))));
    assert_eq!(of(0, 0x2a19), Some((0, Some(LEVEL), name("Battery Level"))));
    assert_eq!(of(3, 0x2a19), Some((3, Some(RATE), name("Heart Rate Measurement"))));
    assert_eq!(of(0, 0), None);
}

#[test]
fn a_uuid_is_as_long_as_it_takes_to_tell_it_from_others() {
    let full = |first: u8, last: u8| {
        let mut bytes = [7; 16];
        (bytes[3], bytes[15]) = (first, last);
        Uuid::Full(bytes)
    };
    let server = |uuids: &[Uuid]| {
        let attributes: Vec<_> =
            (1..).zip(uuids).map(|(at, uuid)| (at, Value, *uuid, 0, 0)).collect();
        database(&attributes)
    };
    let short = |uuids: &[Uuid]| known(&server(uuids)).short(full(1, 1));
    assert_eq!(short(&[full(1, 1)]), "07070701…");
    assert_eq!(short(&[full(1, 1), full(2, 1)]), "07070701…", "it differs at once");
    assert_eq!(short(&[full(1, 1), full(1, 2)]).len(), 36);
    assert_eq!(known(&server(&[])).short(Uuid::Short(0x2a19)), "Battery Level");
    assert_eq!(known(&server(&[])).short(Uuid::Short(0xfffe)).len(), 6);
    // A rival among our own attributes is one too.
    let names = Names { remote: vec![server(&[full(1, 1)])], local: vec![server(&[full(1, 2)])] };
    assert_eq!(names.short(full(1, 1)).len(), 36);
}

#[test]
fn a_write_to_a_configuration_subscribes() {
    let meaning = |uuid, kind| Some(Meaning { uuid, kind, parent: None, service: None });
    let of = |procedure, meaning| subscribes(&step(procedure, Detail::None), meaning);
    assert!(of(Procedure::Subscribe, None));
    assert!(of(Procedure::Write, meaning(CCCD, Descriptor)));
    assert!(!of(Procedure::Write, None));
    assert!(!of(Procedure::Write, meaning(RATE, Descriptor)));
    assert!(!of(Procedure::Write, meaning(CCCD, Value)));
    assert!(!of(Procedure::Read, meaning(CCCD, Descriptor)));
}

/// What another connection taught is taken over, up to four, unless one handle would be two things.
#[test]
fn what_contradicts_is_not_learned() {
    let nothing = Arc::new(Database::default());
    let other = database(&[(3, Value, LEVEL, 0, 0)]);
    let mut names = known(&heart(0x10));
    names.learn(&other, &nothing);
    assert_eq!(names.meaning(3, Owner::Peer).map(|m| m.uuid), Some(RATE));
    assert_eq!((names.remote.len(), names.local.len()), (1, 1));
    let more = database(&[(3, Value, RATE, 0, 0), (9, Value, LEVEL, 0, 0)]);
    names.learn(&more, &other);
    assert_eq!(names.meaning(9, Owner::Peer).map(|m| m.uuid), Some(LEVEL));
    assert_eq!(names.meaning(3, Owner::Host).map(|m| m.uuid), Some(LEVEL));
    let untyped = Arc::new({
        let mut database = Database::default();
        database.learn(Attribute { handle: 3, kind: Value, uuid: None, end: 0, properties: 0 });
        database
    });
    assert!(!contradicts(&untyped, &other) && !contradicts(&other, &untyped));
    assert!(contradicts(&heart(0), &other) && !contradicts(&heart(0), &heart(0x10)));
    names.learn(&untyped, &nothing);
    names.learn(&more, &nothing);
    assert_eq!(names.remote.len(), 4);
    names.learn(&database(&[(20, Value, LEVEL, 0, 0)]), &nothing);
    assert_eq!(names.meaning(20, Owner::Peer), None, "four are enough");
}

/// At the other end of the link, the server's own database is its local one.
#[test]
fn the_other_side_teaches_what_it_knows() {
    let mine = || known(&Arc::default());
    let theirs =
        Names { remote: vec![heart(0x10)], local: vec![database(&[(8, Value, LEVEL, 0, 0)])] };
    let of = |swapped| {
        let mut names = mine();
        names.learn_from(&theirs, swapped);
        let knows = |handle, owner| names.meaning(handle, owner).is_some();
        (knows(3, Owner::Peer), knows(8, Owner::Host), knows(8, Owner::Peer), knows(3, Owner::Host))
    };
    assert_eq!(of(false), (true, true, false, false));
    assert_eq!(of(true), (false, false, true, true));
}

#[test]
fn other_connections_to_the_device_teach_too() {
    let over = |trace: Trace| trace.hangs_up(Status::REMOTE_USER_TERMINATED);
    let trace = over(to(LAMP).up().discovery(0x1a))
        .followed_by(over(to(LAMP).up().mtu()))
        .followed_by(over(to(LOCK).up().mtu()));
    let capture = trace.run();
    let knows = |number: usize| {
        let names = Names::of(&capture, &capture.connections[number]);
        names.meaning(3, Owner::Peer).is_some()
    };
    assert_eq!([knows(0), knows(1), knows(2)], [true, true, false]);
}

#[test]
fn the_central_asks_by_sending_and_is_heard_by_its_peripheral() {
    let of = |role, by| {
        let capture = changed(to(LAMP).up().run(), |c| c.connections[0].role = role);
        by_central(&capture.connections[0], &Step { by, ..step(Procedure::Read, Detail::None) })
    };
    use Direction::{Received, Sent};
    for role in [Some(Role::Central), None] {
        assert!(of(role, Sent) && !of(role, Received));
    }
    assert!(!of(Some(Role::Peripheral), Sent) && of(Some(Role::Peripheral), Received));
}

/// Of very many connections, those that are nearest in time are asked: sixteen on either side at most.
#[test]
fn far_connections_are_not_asked() {
    let over = |trace: Trace| trace.hangs_up(Status::REMOTE_USER_TERMINATED);
    let knows = |between: usize| {
        let taught = over(to(LAMP).up().discovery(0x1a));
        let mut capture =
            taught.followed_by(over(to(LAMP).up().mtu()).repeated(between, 100)).run();
        // Each link takes over what was known of its device: only the first one keeps it here.
        capture.connections.iter_mut().skip(1).for_each(|c| c.remote = Arc::default());
        let last = capture.connections.last().expect("many");
        Names::of(&capture, last).meaning(3, Owner::Peer).is_some()
    };
    assert!(knows(16) && !knows(17));
}

/// Sixteen other connections are asked what a handle means, the nearest ones.
#[test]
fn the_nearest_connections_tell_what_a_handle_means() {
    let known = |links: usize| {
        let link = to(LAMP).up().wait_ms(100).hangs_up(Status::REMOTE_USER_TERMINATED);
        let capture = changed(link.repeated(links, 1_000).run(), |capture| {
            capture.connections[0].remote = heart(0x10);
        });
        let last = capture.connections.last().expect("a link");
        Names::of(&capture, last).meaning(3, Owner::Peer).is_some()
    };
    assert!(known(2) && known(17) && !known(18));
}
