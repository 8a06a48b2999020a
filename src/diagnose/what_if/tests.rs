//! The law held against what was measured, and what is said of it.
use super::*;
use crate::diagnose::diagnose;
use crate::packet::Status;
use crate::timeline::Capture;
use crate::trace::Trace;

fn ms(span: Span) -> f64 {
    span.as_ms()
}

/// Measured in the laboratory at the device, and what the arithmetic says: within 3 ms at 50 and 30 ms.
#[test]
fn the_law_fits_what_was_measured() {
    for (interval, requests, measured) in [
        (50.0, 17, 1852.0),
        (50.0, 13, 1452.0),
        (30.0, 17, 1111.0),
        (50.0, 8, 952.0),
        (50.0, 6, 752.0),
        (30.0, 8, 572.0),
        (50.0, 7, 852.0),
        (50.0, 11, 1252.0),
        (50.0, 4, 552.0),
        (30.0, 4, 332.0),
        (50.0, 1, 252.0),
        (50.0, 3, 452.0),
        (50.0, 0, 152.0),
    ] {
        let computed = ms(reaches(Span((interval * 1e3) as i64), requests, true));
        assert!((computed - measured).abs() <= 3.0, "{interval} ms, {requests}: {computed}");
    }
    // A raw host asks for no features.
    for (interval, requests, measured) in
        [(50.0, 0, 53.0), (50.0, 1, 153.0), (30.0, 0, 33.0), (30.0, 1, 93.0)]
    {
        let computed = ms(reaches(Span((interval * 1e3) as i64), requests, false));
        assert!((computed - measured).abs() <= 3.0, "{interval} ms, {requests}: {computed}");
    }
}

/// At 15 ms and below the measured times were longer, by no more than the margin.
#[test]
fn the_margin_covers_what_short_intervals_cost() {
    for (units_, requests, measured) in
        [(12, 17, 572.0), (12, 8, 288.0), (6, 17, 325.0), (6, 8, 166.0), (8, 17, 392.0)]
    {
        let computed = ms(reaches(units(units_), requests, true));
        assert!(measured >= computed && measured <= computed * 1.2, "{computed} {measured}");
    }
}

#[test]
fn a_deadline_of_400_ms_and_17_requests() {
    let deadline = Span::from_ms(400);
    // 400 / 37 = 10.8 ms: 10 ms is the longest, and 7.5 ms has the margin. Both worked; 15 ms did not at first.
    assert_eq!(longest_interval(deadline, 17, true).map(units), Some(Span(10_000)));
    assert_eq!(longest_interval(with_margin(deadline), 17, true).map(units), Some(Span(7_500)));
    assert!(reaches(Span(15_000), 17, true) > deadline);
}

#[test]
fn too_many_requests_fit_into_no_interval() {
    assert_eq!(longest_interval(Span::from_ms(400), 26, true), None);
    assert_eq!(longest_interval(Span::from_ms(400), 25, true), Some(6));
    assert_eq!(longest_interval(Span(0), 0, false), None);
}

#[test]
fn a_timeout_that_survives_is_longer_than_the_silence_and_legal() {
    let granted = Granted { interval: 40, latency: 0, timeout: 42, clock_accuracy: 0 };
    assert_eq!(surviving_timeout(Span::from_ms(2_600), granted), 312);
    assert_eq!(surviving_timeout(Span::from_ms(1_000), granted), 120);
    // More than two intervals of 50 ms with a latency of 9.
    let lazy = Granted { latency: 9, ..granted };
    assert_eq!(surviving_timeout(Span::from_ms(100), lazy), 101);
    assert_eq!(surviving_timeout(Span::from_ms(60_000), granted), 3_200);
}

fn told(captures: &[Capture], rule: &str) -> WhatIf {
    let comparison = crate::compare::of_captures(captures);
    let scene = Scene {
        captures,
        testimonies: &[],
        subject: captures.len() - 1,
        comparison: comparison.as_ref(),
    };
    let found = diagnose(&scene);
    let finding = found.into_iter().find(|f| f.rule == rule).expect("found");
    finding.what_if.expect("an estimate")
}

#[test]
fn a_finding_of_a_deadline_says_how_many_round_trips_and_which_interval() {
    let hung_up = Status::REMOTE_USER_TERMINATED;
    let one = Trace::new().up().discovery(2).mtu().wait_ms(10).disconnected(hung_up);
    let two = one.wait_ms(2_000).up().mtu().discovery(2).wait_ms(10).disconnected(hung_up);
    let works = Trace::new().up().write(3, &[1]).wait_ms(5_000).hangs_up(hung_up);
    let what_if = told(&[works.run(), two.run()], "peer-hangs-up-on-deadline");
    let rows: Vec<String> = what_if.rows.iter().map(|r| r[0].to_string()).collect();
    assert!(rows.contains(&"the working host".to_owned()), "{rows:?}");
    assert!(what_if.says.to_string().contains("had not written yet"), "{}", what_if.says);
    assert!(what_if.rows.iter().all(|row| row.len() == what_if.columns.len()));
}

/// The estimate's rows, each as one line.
fn table(what_if: &WhatIf) -> Vec<String> {
    let cells = |row: &Vec<Text>| row.iter().map(ToString::to_string).collect::<Vec<_>>();
    what_if.rows.iter().map(|row| cells(row).join(" | ")).collect()
}

const HUNG_UP: Status = Status::REMOTE_USER_TERMINATED;

/// A link with five round trips, which the device ends 351.4 ms after the connection; twice.
fn kicked() -> Trace {
    let one = Trace::new().up().discovery(2).mtu().wait_ms(10).disconnected(HUNG_UP);
    one.wait_ms(2_000).up().mtu().discovery(2).wait_ms(10).disconnected(HUNG_UP)
}

/// With 13 intervals of 21.25 ms the write arrives after 276 ms: four fifths of 351 ms are 281 ms.
#[test]
fn the_table_of_a_deadline_has_each_way_with_its_time() {
    let works = Trace::new().up().write(3, &[1]).wait_ms(5_000).hangs_up(HUNG_UP);
    let what_if = told(&[works.run(), kicked().run()], "peer-hangs-up-on-deadline");
    assert_eq!(
        table(&what_if),
        [
            "this host, as captured | more than 5 | 48.75 ms | 634 ms | no",
            "this host, shorter interval | more than 5 | 21.25 ms | 276 ms | cannot tell",
            "this host, write at once (known handle) | 0 | 48.75 ms | 146 ms | yes",
            "the working host | 0 | 48.75 ms | 146 ms | yes",
        ]
    );
    let says = what_if.says.to_string();
    assert!(says.contains("an interval of 21.25 ms or less would meet it"), "{says}");
    assert!(says.contains("At 48.75 ms a round trip takes 97.5 ms"), "{says}");
}

/// The working host reads first and asks for no features: one exchange and the write, three intervals.
#[test]
fn the_working_host_s_own_way_is_reckoned() {
    let works = Trace::new().create().connected_as(0, 24, 0, 42).mtu().write(3, &[1]);
    let works = works.wait_ms(5_000).hangs_up(HUNG_UP);
    let what_if = told(&[works.run(), kicked().run()], "peer-hangs-up-on-deadline");
    assert_eq!(table(&what_if)[3], "the working host | 1 | 30 ms | 90 ms | yes");
}

#[test]
fn an_estimate_says_whether_it_is_in_time_and_how_sure_that_is() {
    let of = |deadline: i64, requests: Requests| {
        let interval = Span::from_ms(50);
        let deadline = Span(deadline);
        let budget = Budget { deadline, interval, requests, features: true };
        row(&budget, text!("a way"), requests, interval)[4].to_string()
    };
    // Three exchanges and the write are seven intervals: 350 ms.
    assert_eq!(of(349_999, Requests::Counted(2)), "no");
    assert_eq!(of(350_000, Requests::Counted(2)), "only just");
    assert_eq!(of(437_499, Requests::Counted(2)), "only just");
    assert_eq!(of(437_500, Requests::Counted(2)), "yes");
    assert_eq!(of(437_500, Requests::AtLeast(2)), "cannot tell");
    assert_eq!(of(349_999, Requests::AtLeast(2)), "no");
    assert_eq!(of(437_500, Requests::Usual(2)), "yes");
}

/// A link on which this host makes five quick requests, and which the device ends that long after the connection.
fn quick(interval: u16, ms: u32) -> Trace {
    use crate::packet::att::{Handle, Pdu};
    let link = Trace::new().create().connected_as(0, interval, 0, 42).features();
    let link = (0..5).fold(link, |link, n| {
        let read = Pdu::ReadRequest { attribute_handle: Handle(n + 1) };
        let value = Pdu::ReadResponse { attribute_value: &[7] };
        link.att(Direction::Sent, read).att(Direction::Received, value)
    });
    // The features took 90.4 ms, the requests 1 ms.
    link.wait_ms(ms - 91).disconnected(HUNG_UP)
}

/// Thirteen intervals of 7.5 ms are 97.5 ms, and with the margin 121.9 ms.
#[test]
fn the_answer_says_what_is_left_to_do() {
    let of = |trace: Trace| {
        let captures = [trace.run()];
        let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
        let links: Vec<&Connection> = captures[0].connections.iter().collect();
        let what_if = deadline(&scene, &links).expect("an estimate");
        (what_if.says.to_string(), what_if.rows.len())
    };
    let (says, rows) = of(quick(39, 124));
    assert!(says.contains("an interval of 7.5 ms or less would meet it"), "{says}");
    assert_eq!(rows, 3);
    let (says, rows) = of(quick(39, 110));
    assert!(says.contains("only 7.5 ms meets it, without any margin"), "{says}");
    assert_eq!(rows, 2);
    let (says, _) = of(quick(39, 95));
    assert!(says.contains("no interval is short enough"), "{says}");
    let (says, rows) = of(quick(6, 124));
    assert!(says.contains("the interval is short enough for that"), "{says}");
    assert_eq!(rows, 2, "a shorter one is no way");
    let (_, rows) = of(quick(7, 124));
    assert_eq!(rows, 3);
}

fn budget_of(captures: &[Capture]) -> Option<Budget> {
    let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
    let links: Vec<&Connection> = captures[0].connections.iter().collect();
    Budget::of(&scene, &links)
}

/// The shortest life counts, the longest interval, and only links that the device ended.
#[test]
fn a_budget_is_that_of_the_links_that_the_device_ended() {
    let short = || quick(12, 124).wait_ms(900);
    let both = short().followed_by(quick(39, 200));
    let budget = budget_of(&[both.run()]).expect("a budget");
    assert_eq!(in_ms(budget.deadline), Span::from_ms(124));
    assert_eq!((budget.interval, budget.features), (units(39), true));
    assert_eq!(budget.requests, Requests::AtLeast(5));
    let ours = short().followed_by(Trace::new().up().mtu().hangs_up(HUNG_UP));
    let budget = budget_of(&[ours.run()]).expect("a budget");
    assert_eq!(budget.interval, units(12), "the other link this host ended");
    let lost = Trace::new().up().mtu().disconnected(Status::CONNECTION_TIMEOUT);
    assert_eq!(budget_of(&[lost.run()]), None);
    let at_once = Trace::new().create().connected().after_us(0).disconnected(HUNG_UP);
    assert_eq!(budget_of(&[at_once.run()]), None, "both events in one moment tell no time");
    let text = Trace::new().create().connected_as(0, 0, 0, 0).mtu().disconnected(HUNG_UP);
    assert_eq!(budget_of(&[text.run()]), None, "text that does not print the interval");
    // Where the capture shows the write, what stands before it is counted.
    let writes = quick(39, 124).wait_ms(900).up().mtu().write(3, &[1]).disconnected(HUNG_UP);
    let budget = budget_of(&[writes.run()]).expect("a budget");
    assert_eq!(budget.requests, Requests::Counted(1));
}

/// BlueZ asks for everything before a program may write: 9 requests for one service with one characteristic and a CCCD
/// behind a gap, 17 for a device of which nothing is known.
#[test]
fn what_bluez_still_had_before_it_is_reckoned() {
    use crate::packet::att::{ErrorCode, Handle};
    let of = |trace: Trace, stack| {
        let evidence = String::new();
        let host = crate::timeline::Host {
            stack,
            version: None,
            evidence_frame: None,
            evidence,
            guessed: false,
        };
        let captures = [Capture { host: Some(host), ..trace.run() }];
        budget_of(&captures).expect("a budget").requests
    };
    let known = || Trace::new().up().discovery(2).mtu().wait_ms(10).disconnected(HUNG_UP);
    assert_eq!(of(known(), Stack::BlueZ), Requests::Reckoned(9));
    assert_eq!(of(known(), Stack::Noble), Requests::AtLeast(5));
    let unknown = |n: usize| {
        let read = crate::packet::att::Pdu::ReadRequest { attribute_handle: Handle(9) };
        let link = Trace::new().up();
        let link = (0..n).fold(link, |link, _| link.refused(read, ErrorCode::INVALID_HANDLE));
        link.wait_ms(10).disconnected(HUNG_UP)
    };
    assert_eq!(of(unknown(16), Stack::BlueZ), Requests::Usual(17));
    assert_eq!(of(unknown(17), Stack::BlueZ), Requests::AtLeast(17));
}

#[test]
fn the_first_write_is_a_program_s() {
    let of = |trace: Trace| {
        let capture = trace.run();
        let link = &capture.connections[0];
        (first_write(link).map(|s| s.attribute), requests_before_write(link))
    };
    // BlueZ writes Client Supported Features (0x2B29) by itself.
    let features = [7, 2, 0, 0x0a, 3, 0, 0x29, 0x2b];
    let link = Trace::new().up().by_wire(&[0x08, 1, 0, 9, 0, 3, 0x28], 0x09, &features);
    assert_eq!(of(link.write(3, &[1]).write(0x10, &[7])), (Some(0x10), Some(2)));
    let central_writes = Trace::new().up().mtu().from_peer(&[0x12, 3, 0, 1], &[0x13]);
    assert_eq!(of(central_writes), (None, None), "the device's own");
    // A value that the device pushes, a command and the device's question are no round trips of this host.
    let link = Trace::new().up().notified(9, &[1]).from_peer(&[0x0a, 3, 0], &[0x0b, 7]).mtu();
    assert_eq!(of(link.writes_to(0x10, 1)), (Some(0x10), Some(1)));
    assert_eq!(of(Trace::new().up().write(0x10, &[1]).mtu()), (Some(0x10), Some(0)));
    assert_eq!(of(Trace::new().mtu().write(0x10, &[1])), (Some(0x10), None), "began late");
}

#[test]
fn features_cost_a_round_trip_where_they_are_asked_for_first() {
    let of = |trace: Trace| asks_features(&trace.run().connections[0]);
    assert!(of(Trace::new().up().mtu()));
    assert!(of(Trace::new().up()));
    assert!(!of(Trace::new().create().connected().mtu().features()));
    assert!(!of(Trace::new().create().connected().mtu()));
}

fn answered_after(timeout: u16, ms: u32) -> Trace {
    use crate::packet::att::{Handle, Pdu};
    let link = Trace::new().create().connected_as(0, 39, 0, timeout).features();
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let value = Pdu::ReadResponse { attribute_value: &[7] };
    let link = link.att(Direction::Sent, read).wait_ms(ms).att(Direction::Received, value);
    link.wait_ms(900).hangs_up(HUNG_UP)
}

/// 2.6 s and a fifth are 3.12 s.
#[test]
fn a_silence_that_the_working_link_outlived_says_which_timeout_is_enough() {
    use crate::packet::att::{Handle, Pdu};
    use crate::packet::hci::LeEvent;
    let lost = || Trace::new().up().mtu().wait_ms(430).disconnected(Status::CONNECTION_TIMEOUT);
    let of = |works: Trace| told(&[works.run(), lost().run()], "supervision-timeout-0x08");
    let what_if = of(answered_after(500, 2_599));
    let says = what_if.says.to_string();
    assert!(says.contains("(312 units of 10 ms)"), "{says}");
    assert_eq!(
        table(&what_if),
        [
            "this link | 420 ms | no",
            "the working link | 5.00 s | yes",
            "this link, longer timeout | 3.12 s | yes",
        ]
    );
    // An answer that this link would have outlived too tells nothing.
    assert_eq!(table(&of(answered_after(500, 419))), ["this link | 420 ms | no"]);
    assert_eq!(table(&of(answered_after(500, 421))).len(), 3);
    // A refusal is no answer that was waited for, and two answers are not one late one.
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let value = Pdu::ReadResponse { attribute_value: &[7] };
    let link = || Trace::new().create().connected_as(0, 39, 0, 500).features();
    let refused = link().acl(Direction::Sent, 4, &[0x0a, 3, 0]).wait_ms(2_600);
    let refused = refused.acl(Direction::Received, 4, &[0x01, 0x0a, 3, 0, 0x02]);
    assert_eq!(table(&of(refused.wait_ms(900).hangs_up(HUNG_UP))).len(), 1);
    let twice = link().exchange(read, value).wait_ms(2_600).exchange(read, value);
    assert_eq!(table(&of(twice.wait_ms(900).hangs_up(HUNG_UP))).len(), 1);
    // What the device asks is not this host's question.
    let late = Trace::new().create().connected_as(0, 39, 0, 500).features();
    let asked = late.acl(Direction::Received, 4, &[0x0a, 3, 0]).wait_ms(2_600);
    let asked = asked.acl(Direction::Sent, 4, &[0x0b, 1]).wait_ms(900).hangs_up(HUNG_UP);
    assert_eq!(table(&of(asked)).len(), 1);
    // A link whose timeout was shortened after the late answer does not show that it outlives such a silence now.
    let write = Pdu::WriteRequest { attribute_handle: Handle(3), attribute_value: &[1] };
    let shorter = |timeout: u16| {
        let link = Trace::new().create().connected_as(0, 39, 0, 500).features();
        let link = link.att(Direction::Sent, write).wait_ms(2_600);
        let link = link.att(Direction::Received, Pdu::WriteResponse {});
        let link = link.le(LeEvent::ConnectionUpdateComplete {
            status: Status::SUCCESS,
            connection_handle: crate::trace::HANDLE,
            connection_interval: 39,
            peripheral_latency: 0,
            supervision_timeout: timeout,
        });
        table(&of(link.wait_ms(900).hangs_up(HUNG_UP))).len()
    };
    assert_eq!((shorter(400), shorter(100)), (3, 1));
}

#[test]
fn a_link_that_died_in_silence_is_held_against_its_timeout() {
    let lost = Trace::new().up().mtu().wait_ms(430).disconnected(Status::CONNECTION_TIMEOUT);
    let what_if = told(&[lost.run()], "supervision-timeout-0x08");
    assert!(what_if.says.to_string().contains("does not show"), "{}", what_if.says);
    assert_eq!(what_if.rows[0][2].to_string(), "no");
}
