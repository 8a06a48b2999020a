//! Each reason with its weight, and what is offered for it.
use super::*;
use crate::diagnose::{Scene, diagnose};
use crate::trace::Trace;

fn found(trace: Trace) -> Finding {
    let captures = [trace.run()];
    let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
    let all = diagnose(&scene);
    all.into_iter().find(|f| f.rule == "never-heard-peer").expect("found")
}

const GIVEN_UP: Status = Status::FAILED_TO_BE_ESTABLISHED;

#[test]
fn without_a_sign_it_is_chance_and_the_remedy_is_another_try() {
    let finding =
        found(Trace::new().advertises(0).create().connected().wait_ms(315).disconnected(GIVEN_UP));
    assert!(!finding.says.to_string().contains("tested first"), "{}", finding.says);
    let list = finding.would_settle[0].to_string();
    assert!(list.starts_with("1 of 1 links to this device ended so"), "{list}");
    let ids: Vec<_> = finding.remedies.iter().map(|r| r.id).collect();
    assert_eq!(ids.first(), Some(&"retry-elsewhere"), "{ids:?}");
    assert!(!ids.contains(&"stop-scan"), "the scan was off: {ids:?}");
}

#[test]
fn a_scan_that_was_on_stands_first_and_its_test_too() {
    let trace = Trace::new().advertises(0).scan(true, 96, 96).create().connected();
    let finding = found(trace.wait_ms(315).disconnected(GIVEN_UP));
    assert_eq!(finding.remedies[0].id, "stop-scan", "{:#?}", finding.remedies);
    assert!(finding.would_settle[0].to_string().contains("every scan stopped"));
}

/// Measured on real captures: a scan beside a new link proves little where others came up beside one.
#[test]
fn a_scan_beside_which_other_links_came_up_is_not_the_first_suspect() {
    let good = Trace::new().advertises(0).scan(true, 96, 96).up().mtu();
    let good = good.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(2_000);
    let trace = good.advertises(0).create().connected().wait_ms(315).disconnected(GIVEN_UP);
    let finding = found(trace);
    assert!(!finding.says.to_string().contains("tested first"), "{}", finding.says);
    let list: Vec<_> = finding.would_settle.iter().map(ToString::to_string).collect();
    assert!(list.iter().any(|line| line.contains("1 link came up beside a scan")), "{list:#?}");
}

/// What the ranked list says, and whether a reason is told first.
fn told(trace: Trace) -> (String, bool) {
    let finding = found(trace.wait_ms(315).disconnected(GIVEN_UP));
    let list: Vec<_> = finding.would_settle.iter().map(ToString::to_string).collect();
    (list.join("\n"), finding.says.to_string().contains("tested first"))
}

#[test]
fn one_failure_of_four_is_ordinary() {
    let of = |good: usize| {
        let link =
            || Trace::new().advertises(0).up().mtu().hangs_up(Status::REMOTE_USER_TERMINATED);
        let before = (0..good).fold(Trace::new(), |all, _| all.followed_by(link().wait_ms(2_000)));
        told(before.followed_by(Trace::new().advertises(0).create().connected())).0
    };
    let four = of(3);
    assert!(four.contains("1 of 4 links to this device ended so: a lost packet"), "{four}");
    let three = of(2);
    assert!(three.contains("1 of 3 links to this device ended so: the two can talk"), "{three}");
    let one = of(0);
    assert!(one.contains("1 of 1 links to this device ended so: radio loss"), "{one}");
}

#[test]
fn each_reason_begins_at_its_number() {
    let rssi = |dbm| told(Trace::new().heard_at(dbm).create().connected()).0;
    assert!(rssi(-85).contains("the device was heard at -85 dBm only"));
    assert!(!rssi(-84).contains("dBm only"));
    // Six intervals of 15 ms are short, six of 16.25 ms are not.
    let interval =
        |units| told(Trace::new().advertises(0).create().connected_as(0, units, 0, 42)).0;
    assert!(interval(12).contains("only 90 ms to answer"), "{}", interval(12));
    assert!(!interval(13).contains("to answer: six"), "{}", interval(13));
    // A scan of half the time is told first, one of less stands in the list.
    let scan =
        |window| told(Trace::new().advertises(0).scan(true, 100, window).create().connected());
    let (list, first) = scan(50);
    assert!(first && list.contains("a scan took 50 % of the radio's time"), "{list}");
    let (list, first) = scan(49);
    assert!(!first && list.contains("a scan took 49 % of the radio's time"), "{list}");
    assert!(!told(Trace::new().advertises(0).create().connected()).0.contains("a scan took"));
}

#[test]
fn a_private_address_that_was_not_heard_lately_may_be_out_of_date() {
    use crate::packet::{Address, AddressType};
    let of = |address, ms| {
        let link = Trace::new().peer(address, AddressType::RANDOM).advertises(0).wait_ms(ms);
        told(link.create().connected()).0.contains("a private one that changes")
    };
    let private = Address([3, 2, 1, 0, 0, 0x5a]);
    assert!(!of(private, 1_900));
    assert!(of(private, 2_100));
    assert!(!of(Address([3, 2, 1, 0, 0, 0xda]), 2_100), "a static one does not change");
}

/// What speaks for each reason, the likeliest first.
fn ranked_of(captures: &[crate::timeline::Capture]) -> Vec<(Reason, u32)> {
    let comparison = crate::compare::of_captures(captures);
    let comparison = comparison.as_ref();
    let subject = captures.len() - 1;
    let scene = Scene { captures, testimonies: &[], subject, comparison };
    let all = diagnose(&scene);
    let finding = all.iter().find(|f| f.rule == "never-heard-peer").expect("found");
    why(&View::of(&scene, finding)).iter().map(|why| (why.reason, why.weight)).collect()
}

fn ranked(link: Trace) -> Vec<(Reason, u32)> {
    ranked_of(&[link.wait_ms(315).disconnected(GIVEN_UP).run()])
}

fn good() -> Trace {
    let link = Trace::new().up().mtu().wait_ms(200);
    link.hangs_up(Status::REMOTE_USER_TERMINATED).wait_ms(2_000)
}

#[test]
fn each_reason_has_its_weight() {
    use Reason::*;
    let plain = || Trace::new().advertises(0).create().connected();
    assert_eq!(ranked(plain()), [(Chance, 10)]);
    let scans = |window| Trace::new().advertises(0).scan(true, 100, window);
    assert_eq!(ranked(scans(50).create().connected()), [(Scanning, 80), (Chance, 10)]);
    assert_eq!(ranked(scans(49).create().connected()), [(Scanning, 40), (Chance, 10)]);
    let again = plain().scan(true, 100, 10);
    assert_eq!(ranked(again), [(Scanning, 90), (Chance, 10)]);
    let weak = |dbm| ranked(Trace::new().heard_at(dbm).create().connected());
    assert_eq!(weak(-85), [(WeakSignal, 70), (Chance, 10)]);
    assert_eq!(weak(-128), [(Chance, 10)], "the value that stands for none");
    let short = Trace::new().advertises(0).create().connected_as(0, 12, 0, 42);
    assert_eq!(ranked(short), [(SilentAtFirst, 50), (Chance, 10)]);
    let unknown = Trace::new().advertises(0).create().connected_as(0, 0, 0, 0);
    assert_eq!(ranked(unknown), [(Chance, 10)], "an interval that a text does not show");
    let other = crate::packet::Address([9, 0, 0, 0, 0, 0xc0]);
    let random = crate::packet::AddressType::RANDOM;
    let beside = Trace::new().peer(other, random).handle(0x50).up().mtu().wait_ms(900);
    let beside = beside.peer(crate::trace::PEER, random).handle(0x40);
    assert_eq!(ranked(beside.advertises(0).create().connected()), [(OtherLinks, 30), (Chance, 10)]);
}

/// One of four is chance, and stands first with all the weight; one of three is not.
#[test]
fn a_single_failure_outweighs_every_sign() {
    use Reason::*;
    let fails = || Trace::new().heard_at(-90).create().connected();
    let after = |links: usize| (0..links).fold(Trace::new(), |all, _| all.followed_by(good()));
    let of = |links| ranked(after(links).followed_by(fails()));
    assert_eq!(of(3), [(Chance, 100), (WeakSignal, 70)]);
    assert_eq!(of(2), [(WeakSignal, 70), (Chance, 10)]);
    // Two of eight are as many.
    let two = after(3).followed_by(fails()).wait_ms(315).disconnected(GIVEN_UP).wait_ms(900);
    assert_eq!(ranked(two.followed_by(after(3)).followed_by(fails()))[0], (Chance, 100));
}

/// A link that came up beside a scan as busy speaks against the scan: another try is likelier to tell then.
#[test]
fn what_came_up_under_a_scan_speaks_against_it() {
    use Reason::*;
    let fails = |before: Trace| before.advertises(0).create().connected();
    let scans = |window| Trace::new().scan(true, 100, window);
    let ends = |link: Trace| link.wait_ms(200).hangs_up(Status::REMOTE_USER_TERMINATED);
    let against = [(Chance, 10), (Scanning, 9)];
    assert_eq!(ranked(fails(ends(scans(50).up().mtu()).wait_ms(900))), against);
    // A link beside which one was switched on counts too.
    let started = ends(Trace::new().create().connected().scan(true, 100, 80).features().mtu());
    assert_eq!(ranked(fails(started.wait_ms(900))), against);
    // The host became the peripheral, or the link was not heard, or the scan left half of the time.
    let peripheral = ends(scans(50).connected_as(1, 39, 0, 42).features());
    assert_eq!(ranked(fails(peripheral.wait_ms(900)))[0], (Scanning, 80));
    let unheard = scans(50).create().connected().wait_ms(315).disconnected(GIVEN_UP);
    assert_eq!(ranked(fails(unheard.wait_ms(900)))[0], (Scanning, 80));
    let idle = ends(scans(49).up().mtu()).wait_ms(900).scan(false, 0, 0).scan(true, 100, 60);
    assert_eq!(ranked(fails(idle))[0], (Scanning, 80));
}

#[test]
fn a_soldered_chip_shares_its_antenna() {
    let of = |maker, bus| {
        let link = Trace::new().advertises(0).create().connected().wait_ms(315);
        let mut captures = [link.disconnected(GIVEN_UP).run()];
        let adapter = &mut captures[0].adapters[0];
        (adapter.manufacturer, adapter.bus) = (maker, bus);
        ranked_of(&captures)[0]
    };
    for maker in [0x000f, 0x0131, 0x005d, 0x0046] {
        assert_eq!(of(Some(maker), Some(3)), (Reason::WiFi, 45), "{maker:#06x}");
    }
    assert_eq!(of(Some(0x000f), Some(1)).0, Reason::Chance, "a dongle");
    assert_eq!(of(Some(0x0002), Some(3)).0, Reason::Chance, "another maker");
    assert_eq!(of(None, None).0, Reason::Chance);
}

/// Channel selection algorithm #2 is a suspect where the link that works uses #1.
#[test]
fn the_channel_selection_counts_where_it_differs() {
    use crate::packet::hci::LeEvent;
    let selects = |link: Trace, algorithm| {
        link.le(LeEvent::ChannelSelectionAlgorithm {
            connection_handle: crate::trace::HANDLE,
            channel_selection_algorithm: algorithm,
        })
    };
    let link = || Trace::new().advertises(0).create().connected();
    let of = |works, fails| {
        let good = selects(link(), works).features().mtu().wait_ms(200);
        let good = good.hangs_up(Status::REMOTE_USER_TERMINATED).run();
        let dead = selects(link(), fails).wait_ms(315).disconnected(GIVEN_UP).run();
        ranked_of(&[good, dead])[0]
    };
    assert_eq!(of(0, 1), (Reason::ChannelSelection, 55));
    assert_eq!(of(1, 1).0, Reason::Chance);
    assert_eq!(of(0, 0).0, Reason::Chance);
    assert_eq!(of(1, 0).0, Reason::Chance);
}

/// What is offered, by its names: what to do, and what is of no use.
fn offered(trace: &Trace, stack: Option<Stack>) -> (Vec<&'static str>, Vec<&'static str>) {
    let (version, evidence) = (None, String::new());
    let host = stack.map(|stack| crate::timeline::Host {
        stack,
        version,
        evidence_frame: None,
        evidence,
        guessed: false,
    });
    let captures = [crate::timeline::Capture { host, ..trace.run() }];
    let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
    let all = diagnose(&scene);
    let finding = all.iter().find(|f| NEVER_OR_STARVES.contains(&f.rule)).expect("found");
    let ids = |of: &[crate::diagnose::Remedy]| of.iter().map(|remedy| remedy.id).collect();
    (ids(&finding.remedies), ids(&finding.no_use))
}

/// So many tries, far enough apart that they are no loop.
fn tries(count: usize) -> Trace {
    let one = || {
        let link = Trace::new().advertises(0).create().connected().wait_ms(315);
        link.disconnected(GIVEN_UP).wait_ms(30_000)
    };
    (0..count).fold(Trace::new(), |all, _| all.followed_by(one()))
}

#[test]
fn what_is_offered_follows_the_number_of_tries() {
    let (few, _) = offered(&tries(2), None);
    assert!(few.contains(&"retry-elsewhere") && !few.contains(&"cross-test"), "{few:?}");
    let (three, none) = offered(&tries(3), None);
    assert!(three.contains(&"cross-test") && three.contains(&"retry-elsewhere"), "{three:?}");
    assert!(!none.contains(&"more-tries"), "{none:?}");
    let (nine, none) = offered(&tries(9), None);
    assert!(nine.contains(&"retry-elsewhere") && !none.contains(&"more-tries"), "{nine:?}");
    let (ten, none) = offered(&tries(10), None);
    assert!(!ten.contains(&"retry-elsewhere") && none.contains(&"more-tries"), "{ten:?}");
    // One that came through in ten: nothing is fixed.
    let (mixed, none) = offered(&good().followed_by(tries(9)), None);
    assert!(mixed.contains(&"retry-elsewhere") && !mixed.contains(&"cross-test"), "{mixed:?}");
    assert!(!none.contains(&"more-tries"), "{none:?}");
}

#[test]
fn each_host_gets_its_own_rows() {
    let scanning = Trace::new().advertises(0).scan(true, 96, 96).create().connected();
    let scanning = scanning.wait_ms(315).disconnected(GIVEN_UP);
    let of = |stack| offered(&scanning, stack).0.iter().filter(|id| **id == "stop-scan").count();
    assert_eq!([of(Some(Stack::BlueZ)), of(Some(Stack::Noble)), of(Some(Stack::Android))], [1; 3]);
    let (bluez, _) = offered(&tries(1), Some(Stack::BlueZ));
    assert!(bluez.contains(&"retry") && !bluez.contains(&"retry-elsewhere"), "{bluez:?}");
    assert!(!bluez.contains(&"stop-scan"), "{bluez:?}");
    let (noble, _) = offered(&tries(1), Some(Stack::Noble));
    assert!(!noble.contains(&"retry") && noble.contains(&"retry-elsewhere"), "{noble:?}");
    let weak = Trace::new().heard_at(-90).create().connected().wait_ms(315);
    let (weak, _) = offered(&weak.disconnected(GIVEN_UP), Some(Stack::BlueZ));
    assert_eq!(weak.first(), Some(&"nearer"), "{weak:?}");
    let short = Trace::new().advertises(0).create().connected_as(0, 6, 0, 42).wait_ms(46);
    let (short, _) = offered(&short.disconnected(GIVEN_UP), Some(Stack::BlueZ));
    assert_eq!(short.first(), Some(&"longer-interval"), "{short:?}");
    assert!(!bluez.contains(&"nearer") && !bluez.contains(&"longer-interval"), "{bluez:?}");
    let (scanned, none) = offered(&scanning, Some(Stack::BlueZ));
    assert_eq!(scanned.first(), Some(&"stop-scan"), "{scanned:?}");
    assert!(none.contains(&"scan-off-elsewhere"), "{none:?}");
    assert!(!offered(&tries(1), Some(Stack::BlueZ)).1.contains(&"scan-off-elsewhere"));
}

#[test]
fn a_short_interval_gives_a_late_device_little_time() {
    let trace = Trace::new().advertises(0).create().connected_as(0, 6, 0, 42);
    let finding = found(trace.wait_ms(46).disconnected(GIVEN_UP));
    assert!(finding.says.to_string().contains("only 45 ms to answer"), "{}", finding.says);
}
