//! What of a link is a handshake: operations and their need, on small links.
use super::handshake::{Action, Need, content, meanings, operations};
use super::refusal::Refusal;
use super::server::{Characteristic, Server, Service};
use super::transcript::{Said, What};
use crate::packet::att::{ErrorCode, Uuid};
use crate::time::{Moment, Timestamp};
use crate::timeline::Connection;
use crate::trace::Trace;

/// A value to write to, one that notifies, and the device's name.
fn server() -> Server {
    let mut server = Server::default();
    server.services.insert(1, Service { end: 9, secondary: false, uuid: Uuid::Full([9; 16]) });
    for (at, properties, uuid) in [
        (2, 0x0a, Uuid::Full([1; 16])),
        (4, 0x12, Uuid::Full([2; 16])),
        (7, 0x02, Uuid::Short(0x2a00)),
    ] {
        let declared = Characteristic { properties, value: at + 1, uuid };
        server.characteristics.insert(at, declared);
    }
    server
}

fn link() -> Connection {
    let mut connections = Trace::new().up().run().connections;
    connections.remove(0)
}

/// One packet after the other, a millisecond apart.
fn said(all: impl IntoIterator<Item = What>) -> Vec<Said> {
    let one = |(at, what): (usize, What)| Said {
        frame: 100 + at as u32,
        at: Moment::from(Timestamp(1_000_000 + 1_000 * at as i64)),
        what,
        damaged: false,
        hidden: false,
    };
    all.into_iter().enumerate().map(one).collect()
}

fn write(handle: u16, value: &[u8]) -> What {
    What::Write { handle, value: value.to_vec() }
}

fn answered(request: u8) -> What {
    What::Answered { request, handle: None }
}

fn rows(said: &[Said]) -> Result<Vec<(Action, Need)>, Refusal> {
    let (server, link) = (server(), link());
    let all: Vec<&Said> = said.iter().collect();
    let rows = operations(&link, &all, said, &meanings(&server))?;
    Ok(rows.into_iter().map(|row| (row.action, row.need)).collect())
}

fn content_at(said: &[Said]) -> Option<u32> {
    let (server, link) = (server(), link());
    content(&link, said, &meanings(&server)).map(|content| content.frame)
}

#[test]
fn the_device_is_content_at_its_first_data_else_at_its_first_answer() {
    let pushed = What::Pushed { handle: 5, indication: false };
    let all = said([write(3, &[1]), answered(0x12), write(6, &[1, 0]), answered(0x12), pushed]);
    assert_eq!(content_at(&all), Some(104));
    assert_eq!(content_at(&all[..4]), Some(101));
    assert_eq!(content_at(&all[..1]), None, "nothing answered");
    // The host's own writes are not the application's.
    assert_eq!(content_at(&said([write(8, &[1]), answered(0x12)])), None);
    let command = What::Command { handle: 3, value: vec![1] };
    assert_eq!(content_at(&said([command])), Some(101), "nothing answers a command");
}

#[test]
fn parts_of_a_long_value_are_one_write() {
    let part = |offset, value: &[u8]| What::Prepare { handle: 3, offset, value: value.to_vec() };
    let all = said([
        part(0, &[1, 2]),
        answered(0x16),
        part(2, &[3]),
        answered(0x16),
        What::Execute,
        answered(0x18),
    ]);
    assert_eq!(rows(&all).unwrap(), [(Action::Write(vec![1, 2, 3]), Need::Yes)]);
    assert_eq!(content_at(&all), Some(105));
}

#[test]
fn habits_and_what_was_refused_are_not_needed() {
    let refused = What::Refused { request: 0x12, error: ErrorCode::WRITE_NOT_PERMITTED };
    let all = said([
        What::Read { handle: 8 },
        answered(0x0a),
        write(3, &[1]),
        refused,
        write(6, &[0, 0]),
        answered(0x12),
        What::Read { handle: 3 },
        answered(0x0a),
        write(6, &[1, 0]),
        answered(0x12),
    ]);
    let needs: Vec<Need> = rows(&all).unwrap().into_iter().map(|(_, need)| need).collect();
    let no = Need::No;
    let expected = [
        no("the host's own habit"),
        no("the device refused it"),
        no("switches notifications off"),
        Need::Perhaps,
        Need::Yes,
    ];
    assert_eq!(needs, expected);
}

/// A host that knew the handles from before: the value that is pushed behind it tells that it was a subscription.
#[test]
fn a_subscription_to_an_unknown_handle_is_one_where_data_follows() {
    let pushed = What::Pushed { handle: 0x20, indication: false };
    let all = said([write(0x21, &[1, 0]), answered(0x12), pushed]);
    let value = Some(0x20);
    assert_eq!(rows(&all).unwrap()[0].0, Action::Subscribe { value, bits: vec![1, 0] });
    assert_eq!(rows(&all[..2]).unwrap()[0].0, Action::Write(vec![1, 0]));
}

#[test]
fn keys_and_signatures_are_refused() {
    let mut all = said([write(3, &[1]), answered(0x12)]);
    all[0].hidden = true;
    assert!(matches!(rows(&all), Err(Refusal::Key { frame: 100 })));
    let signed = said([What::Signed { handle: 3 }]);
    assert!(matches!(rows(&signed), Err(Refusal::Signed { frame: 100 })));
}

/// Beyond the most operations of a handshake it is the application's work.
#[test]
fn sixty_four_operations_are_a_handshake_and_one_more_is_not() {
    let writes = |count| said((0..count).flat_map(|n| [write(3, &[n]), answered(0x12)]));
    assert_eq!(rows(&writes(64)).unwrap().len(), 64);
    assert!(matches!(rows(&writes(65)), Err(Refusal::Cannot { .. })));
}
