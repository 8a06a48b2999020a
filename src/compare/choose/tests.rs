//! Which attempts are compared: of every condition a case on each side.
use super::*;
use crate::compare::tests::{LAMP, LOCK, OTHER, anything, bad, changed, chosen, good, to};
use crate::packet::AddressType;
use crate::trace::Trace;
use std::sync::Arc;

const PHONE: Address = Address([4, 0, 0, 0, 0, 0xc4]);

/// A link that worked, and on which the device hung up.
fn kicked(peer: Address) -> Trace {
    to(peer).up().mtu().disconnected(Status::REMOTE_USER_TERMINATED)
}

/// A link that came up and ended before anybody had asked anything.
fn idle(peer: Address) -> Trace {
    to(peer).up().wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED)
}

fn one_after_another(traces: impl IntoIterator<Item = Trace>) -> Trace {
    traces.into_iter().fold(Trace::new(), Trace::followed_by)
}

fn all_of(capture: &Capture) -> Group<'_> {
    Group { capture, attempts: capture.connections.iter().collect() }
}

fn numbers(reference: u32, subject: u32) -> Options {
    let wanted = Sides::new(Wanted::connection(reference), Wanted::connection(subject));
    Options { wanted, ..anything() }
}

/// Two attempts of one capture that the user names are compared, whatever became of them.
#[test]
fn attempts_that_the_user_names_are_compared_whatever_they_are() {
    let within = |trace: &Trace, options| chosen(std::slice::from_ref(trace), &options);
    let both_good = good(LAMP).followed_by(good(LAMP));
    assert!(within(&both_good, anything()).is_err());
    assert_eq!(within(&both_good, numbers(1, 2)), Ok((1, 2, MatchedBy::Option)));
    assert_eq!(within(&both_good, numbers(2, 1)), Ok((2, 1, MatchedBy::Option)));
    let two_devices = good(LAMP).followed_by(bad(LOCK));
    assert_eq!(within(&two_devices, numbers(1, 2)), Ok((1, 2, MatchedBy::Option)));
    assert!(within(&both_good, numbers(1, 1)).is_err(), "one attempt is no pair");
    assert!(within(&both_good, numbers(1, 9)).is_err(), "there is no ninth");
}

#[test]
fn within_one_capture_a_device_must_work_and_fail() {
    let within = |traces: Vec<Trace>| chosen(&[one_after_another(traces)], &anything());
    assert_eq!(within(vec![bad(LAMP), good(LAMP)]), Ok((2, 1, MatchedBy::Address)));
    assert!(within(vec![kicked(LAMP), bad(LAMP)]).is_err(), "each of them failed");
    assert!(within(vec![idle(LAMP), bad(LAMP)]).is_err(), "nothing shows that one worked");
    assert!(within(vec![good(LAMP), good(LAMP)]).is_err());
    // Of devices that work and fail, the one that failed most often.
    let page = || to(LOCK).pages_in_vain();
    let (lamp, lock) = ([good(LAMP), bad(LAMP)], [good(LOCK), bad(LOCK)]);
    let more_attempts = [good(LAMP), good(LAMP)];
    let more_failures = [page()];
    let all = lamp.iter().chain(&more_attempts).chain(&lock).chain(&more_failures);
    assert_eq!(within(all.cloned().collect()).map(|(reference, ..)| reference), Ok(5));
    // A failure on LE tells more than any number of pages.
    let pages = vec![good(LOCK), page(), page(), page(), good(LAMP), bad(LAMP)];
    assert_eq!(within(pages).map(|(reference, ..)| reference), Ok(5));
    let equal = [lamp, lock].concat();
    assert_eq!(within(equal).map(|(reference, ..)| reference), Ok(1), "of equals the first");
}

/// The proof first; then a pair that works and fails; then what was tried most often.
#[test]
fn of_several_devices_the_one_that_tells_most_is_compared() {
    let between = |left: Vec<Trace>, right: Vec<Trace>| {
        let both = [one_after_another(left), one_after_another(right)];
        let (reference, subject, _) = chosen(&both, &anything()).expect("the same devices");
        (reference, subject)
    };
    assert_eq!(between(vec![good(LAMP), good(LOCK)], vec![bad(LAMP), bad(LOCK)]), (1, 1));
    // The reference works with the lock alone.
    assert_eq!(between(vec![bad(LAMP), good(LOCK)], vec![bad(LAMP), bad(LOCK)]), (2, 2));
    assert_eq!(between(vec![idle(LAMP), good(LOCK)], vec![bad(LAMP), bad(LOCK)]), (2, 2));
    assert_eq!(between(vec![kicked(LAMP), good(LOCK)], vec![bad(LAMP), bad(LOCK)]), (2, 2));
    // The subject fails with the lock alone.
    assert_eq!(between(vec![good(LAMP), good(LOCK)], vec![good(LAMP), bad(LOCK)]), (2, 2));
    let often = vec![bad(LAMP), bad(LOCK), bad(LOCK)];
    assert_eq!(between(vec![good(LAMP), good(LOCK)], often), (2, 2));
}

#[test]
fn a_surer_proof_beats_a_clearer_picture() {
    let named = |mut capture: Capture, at: usize, name: &str| {
        capture.connections[at].peer.name = Some(Arc::from(name));
        capture
    };
    // By name the lock of one side is the other's other device, where it fails; by address the lamp is the lamp.
    let left = named(good(LAMP).followed_by(good(LOCK)).run(), 1, "Front door");
    let right = named(good(LAMP).followed_by(bad(OTHER)).run(), 1, "Front door");
    let choice = choose(&[left, right.clone()], &anything()).expect("two devices");
    assert_eq!((choice.matched_by, choice.subject.connection), (MatchedBy::Address, 1));
    let left = named(good(LOCK).run(), 0, "Front door");
    let choice = choose(&[left.clone(), right], &anything()).expect("one name");
    assert_eq!((choice.matched_by, choice.subject.connection), (MatchedBy::Name, 2));
    let other = named(good(LAMP).followed_by(bad(OTHER)).run(), 1, "Back door");
    assert!(choose(&[left, other], &anything()).is_err());
}

/// An identity is one whether the other side saw it as such, or connected to it by that address.
#[test]
fn an_identity_is_the_same_device_under_whatever_address() {
    let by = |(address, identity), (address_too, identity_too)| {
        let capture = |address, identity: Option<Address>| {
            let mut capture = to(address).up().mtu().run();
            capture.connections[0].peer.identity = identity.map(|id| (id, AddressType::PUBLIC));
            capture
        };
        let (left, right) = (capture(address, identity), capture(address_too, identity_too));
        same_device(&all_of(&left), &all_of(&right)).map(|(by, _)| by)
    };
    assert_eq!(by((LAMP, Some(OTHER)), (LOCK, Some(OTHER))), Some(MatchedBy::Identity));
    assert_eq!(by((LAMP, Some(OTHER)), (OTHER, None)), Some(MatchedBy::Identity));
    assert_eq!(by((OTHER, None), (LAMP, Some(OTHER))), Some(MatchedBy::Identity));
    assert_eq!(by((LAMP, None), (LAMP, None)), Some(MatchedBy::Address));
    assert_eq!(by((LAMP, Some(OTHER)), (LAMP, None)), Some(MatchedBy::Address));
    assert_eq!(by((LAMP, Some(OTHER)), (LOCK, Some(PHONE))), None);
    assert_eq!(by((LAMP, None), (LOCK, None)), None);
    // Two unknown addresses are not one address.
    let nobody = || {
        let mut capture = to(LAMP).up().mtu().run();
        capture.connections[0].peer.address = None;
        capture
    };
    let (left, right) = (nobody(), nobody());
    assert_eq!(same_device(&all_of(&left), &all_of(&right)), None);
}

/// One capture was made at the phone, the other at the device that it connected to.
#[test]
fn two_ends_are_known_by_the_adapters_address() {
    let end = |role, peer, adapter: Option<Address>| {
        let mut capture = to(peer).connected_as(role, 24, 0, 500).mtu().run();
        capture.adapters[0].address = adapter;
        capture
    };
    let by = |left: Capture, right: Capture| {
        let says = two_ends(&all_of(&left), &all_of(&right));
        let found = same_device(&all_of(&left), &all_of(&right)).map(|(by, _)| by);
        assert_eq!(says.is_some(), found == Some(MatchedBy::Address));
        found
    };
    let same = Some(MatchedBy::Address);
    assert_eq!(by(end(0, LAMP, Some(PHONE)), end(1, OTHER, Some(LAMP))), same);
    assert_eq!(by(end(0, OTHER, Some(PHONE)), end(1, PHONE, Some(LAMP))), same);
    assert_eq!(by(end(0, LAMP, Some(PHONE)), end(1, OTHER, Some(LOCK))), None);
    assert_eq!(by(end(0, LAMP, Some(PHONE)), end(0, OTHER, Some(LAMP))), None, "two centrals");
    // An adapter of no known address is nobody's peer.
    let mut unknown = end(0, LAMP, None);
    unknown.connections[0].peer.address = None;
    assert_eq!(by(unknown, end(1, OTHER, None)), None);
}

/// A device that is heard beside the one that was connected to is another one, if its address stays.
#[test]
fn a_fixed_address_that_is_heard_elsewhere_is_another_device() {
    const PLAIN: Address = Address([5, 0, 0, 0, 0, 0x05]);
    const ROTATING: Address = Address([6, 0, 0, 0, 0, 0x46]);
    let proved = |address, kind, advertises: bool| {
        let device = || Trace::new().peer(address, kind);
        let left = device().up().mtu().run();
        let heard = if advertises { device().advertises(0) } else { device().up().mtu() };
        proved_another(&all_of(&left), &heard.followed_by(bad(LOCK)).run())
    };
    assert!(proved(LAMP, AddressType::RANDOM, true), "static");
    assert!(proved(PLAIN, AddressType::PUBLIC, true));
    assert!(!proved(ROTATING, AddressType::RANDOM, true), "such an address changes");
    assert!(!proved(LAMP, AddressType::RANDOM, false), "connected to, and not heard");
    assert!(!proved_another(&all_of(&good(LAMP).run()), &bad(LOCK).run()));
}

#[test]
fn what_the_user_names_on_both_sides_is_one_pair() {
    let both = [good(LAMP), bad(LOCK)];
    assert_eq!(chosen(&both, &numbers(1, 1)), Ok((1, 1, MatchedBy::Option)));
    let half =
        Options { wanted: Sides::new(Wanted::connection(1), Wanted::default()), ..anything() };
    assert_eq!(chosen(&both, &half), Ok((1, 1, MatchedBy::Position)));
    // A name that two devices have does not say which.
    let mut left = good(LAMP).followed_by(good(OTHER)).run();
    let mut right = bad(LOCK).run();
    for connection in left.connections.iter_mut().chain(&mut right.connections) {
        connection.peer.name =
            Some(Arc::from(format!("sensor {}", connection.peer.address.unwrap())));
    }
    let name = |name: &str| Wanted {
        peer: Some(super::super::Peer::Name(name.into())),
        ..Wanted::default()
    };
    let named = Options { wanted: Sides::new(name("sensor"), name("sensor")), ..anything() };
    assert!(choose(&[left, right], &named).is_err());
}

/// What a host arms by its list and takes back at once to arm it again tells nothing.
#[test]
fn a_wait_that_only_made_way_for_the_next_is_routine() {
    let listed = |pause| Trace::new().create_for_anybody().wait_ms(500).cancel().wait_ms(pause);
    let is = |trace: Trace| {
        let capture = trace.run();
        routine(&capture, &capture.connections[0])
    };
    assert!(is(listed(100).followed_by(good(LAMP))));
    assert!(!is(listed(2_500).followed_by(good(LAMP))), "nothing came soon after");
    assert!(!is(to(LAMP).create().wait_ms(500).cancel().wait_ms(100).followed_by(good(LAMP))));
    let up = Trace::new().create_for_anybody().connected().features();
    let up = up.hangs_up(Status::REMOTE_USER_TERMINATED);
    assert!(!is(up.followed_by(good(LAMP))), "it connected");
    assert!(!is(to(LAMP).connected_as(1, 24, 0, 500).mtu()), "nobody asked for it");

    let capture = listed(100).followed_by(good(LAMP)).run();
    assert_eq!(attempts_wanted(&capture, &Wanted::default()), [2]);
    assert_eq!(attempts_wanted(&capture, &Wanted::connection(1)), [1], "asked for by its number");
    // A wait for anybody that nothing follows tells something only where there is nothing else.
    let last = good(LAMP).followed_by(listed(0)).run();
    assert_eq!(attempts_wanted(&last, &Wanted::default()), [1]);
    assert_eq!(attempts_wanted(&listed(0).run(), &Wanted::default()), [1]);
}

#[test]
fn attempts_are_those_that_fit_all_that_is_given() {
    let capture = good(LAMP).followed_by(bad(LOCK)).beside(good(LAMP)).run();
    let of = |wanted: Wanted| attempts_wanted(&capture, &wanted);
    let number = |peer, adapter: u16| {
        let fits = |c: &&Connection| c.peer.address == Some(peer) && c.adapter == Some(adapter);
        capture.connections.iter().find(fits).expect("it is there").number
    };
    assert_eq!(of(Wanted::default()).len(), 3);
    assert_eq!(of(Wanted::peer(LOCK)), [number(LOCK, 0)]);
    let second = Wanted { adapter: Some(1), ..Wanted::default() };
    assert_eq!(of(second), [number(LAMP, 1)]);
    let lamp = Wanted { adapter: Some(0), ..Wanted::peer(LAMP) };
    assert_eq!(of(lamp), [number(LAMP, 0)]);
    assert!(of(Wanted { adapter: Some(1), ..Wanted::peer(LOCK) }).is_empty());
    assert!(of(Wanted::peer(OTHER)).is_empty());
}

#[test]
fn the_attempt_that_works_best_is_the_first_of_the_best() {
    let best = |traces: Vec<Trace>| {
        let capture = one_after_another(traces).run();
        all_of(&capture).works_best().number
    };
    let off = || to(LAMP).up().mtu().discovery(2).hangs_up(Status::REMOTE_POWER_OFF);
    let short = || to(LAMP).up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED);
    assert_eq!(best(vec![good(LAMP), good(LAMP)]), 1);
    assert_eq!(best(vec![short(), good(LAMP)]), 2, "it came further");
    assert_eq!(best(vec![kicked(LAMP), short(), bad(LAMP)]), 2, "it did not fail");
    assert_eq!(best(vec![off(), short()]), 2, "Bluetooth was switched off");
    assert_eq!(best(vec![bad(LAMP), off()]), 2, "that is no failure");
    // A host that hangs up for another reason did not switch anything off.
    assert_eq!(best(vec![good(LAMP), to(LAMP).up().mtu()]), 1);
    // The peer was switched off: our Disconnect came too late to be why the link ended.
    let mut late = one_after_another([off(), short()]).run();
    late.connections[0].role = Some(Role::Peripheral);
    late.connections[0].end.as_mut().expect("it ended").by = EndedBy::Peer;
    assert_eq!(all_of(&late).works_best().number, 1);
}

#[test]
fn the_most_telling_attempt_is_the_furthest_of_the_most_frequent_failure() {
    let telling = |traces: Vec<Trace>| {
        let capture = one_after_another(traces).run();
        let all: Vec<u32> = capture.connections.iter().map(|c| c.number).collect();
        most_telling(&capture, &all).expect("there are attempts")
    };
    let page = || to(LAMP).pages_in_vain();
    let refused = || to(LAMP).create().connect_failed(Status::CONNECTION_LIMIT_EXCEEDED);
    let silent = |link: Trace| link.wait_ms(800).disconnected(Status::CONNECTION_TIMEOUT);
    assert_eq!(telling(vec![bad(LAMP), kicked(LAMP), kicked(LAMP)]), 2);
    assert_eq!(telling(vec![kicked(LAMP), bad(LAMP), bad(LAMP)]), 2);
    // Of failures that are equally frequent, the one that comes later in a link's life.
    assert_eq!(telling(vec![refused(), bad(LAMP)]), 2);
    assert_eq!(telling(vec![bad(LAMP), refused()]), 1);
    let further = to(LAMP).up().mtu().discovery(2);
    assert_eq!(
        telling(vec![kicked(LAMP), further.disconnected(Status::REMOTE_USER_TERMINATED)]),
        2
    );
    assert_eq!(telling(vec![good(LAMP), good(LAMP)]), 1, "nothing fails");
    // Pages that nobody answers tell nothing beside an LE link that came up and failed.
    assert_eq!(telling(vec![page(), page(), page(), bad(LAMP)]), 4);
    assert_eq!(telling(vec![page(), page(), page(), refused()]), 1, "no LE link came up");
    assert_eq!(telling(vec![page(), page(), good(LAMP)]), 1, "the LE link did not fail");
    let bredr = silent(to(LAMP).connected_bredr());
    let le = silent(to(LAMP).create().connected());
    assert_eq!(telling(vec![bredr.clone(), le.clone()]), 2);
    assert_eq!(telling(vec![le, bredr]), 1);
    assert_eq!(most_telling(&good(LAMP).run(), &[]), None);
    assert_eq!(most_telling(&good(LAMP).run(), &[9]), None);
}

/// The specification's own UUIDs are on every server: they do not tell one device from another.
#[test]
fn uuids_that_every_server_has_do_not_count() {
    let uuids = |shorts: &[u16]| {
        let mut capture = to(LAMP).up().mtu().run();
        let database = Arc::make_mut(&mut capture.connections[0].remote);
        for (handle, short) in (1..).zip(shorts) {
            database.learn(crate::timeline::Attribute {
                handle,
                kind: crate::timeline::AttributeKind::PrimaryService,
                uuid: Some(Uuid::Short(*short)),
                end: handle,
                properties: 0,
            });
        }
        all_of(&capture).uuids().len()
    };
    assert_eq!(uuids(&[0x1800, 0x1801, 0x2800, 0x2902, 0x29ff]), 0);
    assert_eq!(uuids(&[0x180f, 0x2a19, 0x1802, 0x17ff, 0x27ff, 0x2a00]), 6);
}

#[test]
fn what_fits_best_is_offered_first() {
    let guesses = |left: Trace, right: Trace| {
        let choice = choose(&[left.run(), right.run()], &anything());
        let nearest = choice.expect_err("other devices").nearest;
        nearest.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let served = |peer| to(peer).connected_as(1, 24, 0, 500).mtu();
    let left = to(LAMP).up().mtu().followed_by(good(LOCK));
    let right = served(OTHER).followed_by(good(PHONE));
    let guesses = guesses(left, right);
    let ends = |text: &str, words: &str| text.ends_with(words);
    // The lock and the phone have two types of attributes in common, and one role; the lamp has the role alone.
    assert_eq!(guesses.len(), 3);
    assert!(guesses[0].contains("(2 UUIDs in common)"), "{guesses:#?}");
    assert!(ends(&guesses[0], "--reference-connection 2 --subject-connection 2"), "{guesses:#?}");
    assert!(ends(&guesses[1], "--reference-connection 1 --subject-connection 2"), "{guesses:#?}");
    assert!(guesses[1].contains("only their order"));
    assert!(ends(&guesses[2], "--subject-connection 1"), "{guesses:#?}");
}

#[test]
fn a_device_is_described_by_what_is_known_of_it() {
    let of = |capture: &Capture| describe(&capture.connections[0]).to_string();
    let lamp = to(LAMP).up().run();
    assert_eq!(of(&lamp), "C1:00:00:00:00:01 (random)");
    let mut known = lamp.clone();
    known.connections[0].peer.identity = Some((LOCK, AddressType::PUBLIC));
    known.connections[0].peer.name = Some(Arc::from("Desk lamp"));
    assert_eq!(of(&known), "C1:00:00:00:00:01 (random), identity C2:00:00:00:00:02, \"Desk lamp\"");
    known.connections[0].peer.identity = Some((LAMP, AddressType::RANDOM));
    assert_eq!(of(&known), "C1:00:00:00:00:01 (random), \"Desk lamp\"", "said already");
    let mut typeless = lamp;
    typeless.connections[0].peer.address_type = None;
    assert_eq!(of(&typeless), "C1:00:00:00:00:01");
    let anyone = Trace::new().create_for_anybody().wait_ms(500).cancel().run();
    assert_eq!(of(&anyone), "anyone on the accept list");
    let mut nobody = to(LAMP).create().wait_ms(500).cancel().run();
    nobody.connections[0].peer.address = None;
    assert_eq!(of(&nobody), "a device without an address here", "one device was asked for");
    let mut up = Trace::new().create_for_anybody().connected().run();
    up.connections[0].peer.address = None;
    assert_eq!(of(&up), "a device without an address here", "it connected");
}

#[test]
fn a_capture_says_what_it_holds() {
    let of = |trace: Trace| {
        let lines = holds(&trace.run());
        lines.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of(good(LAMP)), ["C1:00:00:00:00:01 (random): 1 attempt (connection 1)"]);
    let twice = good(LAMP).followed_by(bad(LOCK)).followed_by(bad(LAMP));
    let lines = of(twice);
    assert_eq!(lines[0], "C1:00:00:00:00:01 (random): 2 attempts (connection 1, 3)");
    assert_eq!(lines.len(), 2);
    let served = to(LAMP).connected_as(1, 24, 0, 500);
    assert_eq!(of(served), ["C1:00:00:00:00:01 (random): 1 connected to us (connection 1)"]);
    let heard = to(LAMP).advertises(0).advertises(0);
    assert_eq!(of(heard), ["no connection; 2 advertising reports of 1 devices"]);
    let many = |count: u8| {
        (0..count)
            .fold(Trace::new(), |trace, n| trace.followed_by(bad(Address([n, 1, 0, 0, 0, 0xc0]))))
    };
    assert_eq!(of(many(64)).len(), 64);
    let lines = of(many(65));
    assert_eq!((lines.len(), lines[64].as_str()), (65, "and 1 more devices"));
}

/// A capture may hold thousands of devices: without anything in common only the first few are tried.
#[test]
fn pairs_worth_a_look_share_an_address_or_a_name() {
    let pairs = |left: &Capture, right: &Capture| {
        let (left, right) = (
            groups(left, &Wanted::default(), &[], |who| who),
            groups(right, &Wanted::default(), &[], |who| who),
        );
        let numbers =
            |(a, b): (&Group<'_>, &Group<'_>)| (a.attempts[0].number, b.attempts[0].number);
        candidates(&left, &right).into_iter().map(numbers).collect::<Vec<_>>()
    };
    let left = good(LAMP).followed_by(good(LOCK)).run();
    let right = good(OTHER).followed_by(good(LOCK)).run();
    assert_eq!(pairs(&left, &right), [(2, 2)]);
    let strangers = good(OTHER).followed_by(good(PHONE)).run();
    assert_eq!(pairs(&left, &strangers), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    let (mut named, mut strangers) = (left.clone(), strangers);
    named.connections[0].peer.name = Some(Arc::from("Desk lamp"));
    strangers.connections[1].peer.name = Some(Arc::from("Desk lamp"));
    assert_eq!(pairs(&named, &strangers), [(1, 2)]);
    // The address settles it: the name is not asked.
    let mut both = right;
    both.connections[0].peer.name = Some(Arc::from("Desk lamp"));
    named.connections[1].peer.name = Some(Arc::from("Desk lamp"));
    assert_eq!(pairs(&named, &both), [(1, 1), (2, 2)]);
    let known = |mut capture: Capture| {
        capture.connections[0].peer.identity = Some((PHONE, AddressType::PUBLIC));
        capture
    };
    assert_eq!(pairs(&known(left), &known(bad(OTHER).run())), [(1, 1)], "one identity");
}

/// A single type of attribute in common is something, and none is nothing.
#[test]
fn one_uuid_in_common_is_said() {
    let serves = |peer, short: u16| {
        changed(to(peer).up().mtu().run(), |capture| {
            let database = Arc::make_mut(&mut capture.connections[0].remote);
            database.learn(crate::timeline::Attribute {
                handle: 1,
                kind: crate::timeline::AttributeKind::PrimaryService,
                uuid: Some(Uuid::Short(short)),
                end: 1,
                properties: 0,
            });
        })
    };
    let guess = |short| {
        let (left, right) = (serves(LAMP, 0x180f), serves(LOCK, short));
        nearest(&[all_of(&left)], &[all_of(&right)])[0].to_string()
    };
    assert!(guess(0x180f).contains("(1 UUID in common)"), "{}", guess(0x180f));
    assert!(guess(0x180d).contains("(only their order)"), "{}", guess(0x180d));
}
