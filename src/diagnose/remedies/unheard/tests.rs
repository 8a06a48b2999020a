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

#[test]
fn a_short_interval_gives_a_late_device_little_time() {
    let trace = Trace::new().advertises(0).create().connected_as(0, 6, 0, 42);
    let finding = found(trace.wait_ms(46).disconnected(GIVEN_UP));
    assert!(finding.says.to_string().contains("only 45 ms to answer"), "{}", finding.says);
}
