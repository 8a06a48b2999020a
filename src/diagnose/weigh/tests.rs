//! How findings compete, and what is left of what was seen in part only.
use super::*;
use crate::diagnose::rule;
use crate::packet::Status;
use crate::prose::Text;
use crate::seen::{Seen, SourceId};
use crate::time::Moment;
use crate::trace::Trace;

#[derive(Debug)]
struct Said;

impl Facts for Said {
    fn says(&self) -> Text {
        "as the test says".into()
    }

    fn evidence(&self) -> Vec<Sight> {
        vec![Sight::here(1, "a frame")]
    }
}

fn claim(id: &str, level: Level, connections: &[u32]) -> Claim {
    let verdict = Verdict { level, ..Verdict::note(Said) };
    let verdict = verdict.about(connections.iter().copied());
    Claim { rule: rule(id).expect("a rule"), verdict, lack: None, also: None, from_log: false }
}

/// Evidence of a witness keeps its source; the reference's stands behind the first frame.
#[test]
fn evidence_names_its_source() {
    #[derive(Debug)]
    struct Three;
    impl Facts for Three {
        fn says(&self) -> Text {
            "three sources".into()
        }

        fn evidence(&self) -> Vec<Sight> {
            let line = Seen { source: SourceId::Witness(1), at: Moment::UNKNOWN, frame: 7 };
            vec![
                Sight::here(3, "here"),
                Sight::of(line, "a log says so"),
                Sight::in_reference(5, "there"),
            ]
        }
    }
    let captures = [Trace::new().up().run(), Trace::new().up().run()];
    let comparison = crate::compare::of_captures(&captures).expect("the same device");
    let scene =
        Scene { captures: &captures, testimonies: &[], subject: 1, comparison: Some(&comparison) };
    let cited = evidence(&scene, &Three).into_iter().map(|e| (e.source, e.frame));
    assert_eq!(
        cited.collect::<Vec<_>>(),
        [(SourceId::SECOND, 3), (SourceId::FIRST, 5), (SourceId::Witness(1), 7)]
    );
}

fn left(claims: Vec<Claim>) -> Vec<(&'static str, Level, Vec<u32>)> {
    let told = |c: Claim| (c.rule.id, c.verdict.level, c.verdict.connections);
    compete(claims).into_iter().map(told).collect()
}

#[test]
fn the_special_takes_the_general_ones_connections() {
    let left = left(vec![
        claim("supervision-timeout-0x08", Level::Cause, &[1, 2]),
        claim("ota-erase-silence", Level::Cause, &[2]),
    ]);
    assert_eq!(left[0], ("supervision-timeout-0x08", Level::Cause, vec![1]));
    assert_eq!(left[1], ("ota-erase-silence", Level::Cause, vec![2]));
}

#[test]
fn what_is_only_suspected_takes_no_cause_away() {
    let left = left(vec![
        claim("smp-timeout-30s", Level::Suspect, &[1]),
        claim("att-transaction-timeout-30s", Level::Cause, &[1]),
        claim("att-request-unanswered", Level::Suspect, &[1]),
    ]);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0].0, "att-transaction-timeout-30s");
}

/// 0x22 silences the ATT timeout, which silences the unusable connection; 0x22 itself does not.
#[test]
fn the_silenced_silence_nobody() {
    let left = left(vec![
        claim("att-transaction-timeout-30s", Level::Suspect, &[1]),
        claim("ll-response-timeout-40s", Level::Suspect, &[1]),
        claim("never-usable-connection", Level::Suspect, &[1]),
    ]);
    let rules: Vec<_> = left.iter().map(|l| l.0).collect();
    assert_eq!(rules, ["ll-response-timeout-40s", "never-usable-connection"]);
}

#[test]
fn who_speaks_last_gives_way_link_by_link() {
    let left = |claims| {
        let told = |c: Claim| (c.rule.id, c.verdict.level, c.verdict.connections);
        give_way(claims).into_iter().map(told).collect::<Vec<_>>()
    };
    let said = left(vec![
        claim("supervision-timeout-0x08", Level::Cause, &[1]),
        claim("interval-differs", Level::Suspect, &[2]),
        claim("hangs-up-after-command", Level::Note, &[4]),
        claim("unexplained-end", Level::Suspect, &[1, 2]),
        claim("unexplained-end", Level::Note, &[1]),
        claim("unexplained-end", Level::Note, &[3]),
        claim("unexplained-end", Level::Suspect, &[4]),
    ]);
    let ends: Vec<_> = said.iter().filter(|l| l.0 == "unexplained-end").collect();
    assert_eq!(ends.len(), 2, "{said:?}");
    assert_eq!(ends[0].2, [2]);
    assert_eq!(ends[1].2, [3], "another rule's note explains nothing");
    // A rule may be named here before it exists, and must not be named wrongly once it does.
    assert!(LAST.iter().all(|id| rule(id).is_some()));
}

#[test]
fn of_two_that_silence_each_other_one_is_left() {
    let left = left(vec![
        claim("discovery-order-or-volume-difference", Level::Cause, &[1]),
        claim("peer-hangs-up-on-deadline", Level::Cause, &[1]),
    ]);
    assert_eq!(left, [("discovery-order-or-volume-difference", Level::Cause, vec![1])]);
}

#[test]
fn a_connection_has_one_cause_also_where_two_only_overlap() {
    let left = left(vec![
        claim("create-with-no-phy", Level::Cause, &[2, 3]),
        claim("supervision-timeout-0x08", Level::Cause, &[1, 2]),
    ]);
    for connection in 1..=3 {
        let causes = left.iter().filter(|l| l.1 == Level::Cause && l.2.contains(&connection));
        assert_eq!(causes.count(), 1, "{left:?}");
    }
    assert!(left.contains(&("supervision-timeout-0x08", Level::Suspect, vec![2])), "{left:?}");
}

#[test]
fn a_note_neither_silences_nor_is_silenced() {
    let left = left(vec![
        claim("ota-erase-silence", Level::Note, &[1]),
        claim("supervision-timeout-0x08", Level::Cause, &[1]),
        claim("short-supervision-timeout-linux-420ms", Level::Note, &[1]),
    ]);
    assert_eq!(left.len(), 3, "{left:?}");
}

fn lost(trace: Trace) -> Trace {
    trace.mtu().wait_ms(5_000).disconnected(Status::CONNECTION_TIMEOUT)
}

fn found(captures: &[Capture]) -> Vec<Finding> {
    let comparison = crate::compare::of_captures(captures);
    let comparison = comparison.as_ref();
    let subject = captures.len() - 1;
    diagnose(&Scene { captures, testimonies: &[], subject, comparison })
}

/// What was seen of the reference in part only makes a finding less sure that cites it, and no other.
#[test]
fn a_reference_that_was_seen_in_part_makes_less_sure_where_it_is_cited() {
    let up = || Trace::new().up().mtu().discovery(0x08);
    let ends = |link: Trace| link.wait_ms(500).hangs_up(Status::REMOTE_USER_TERMINATED);
    let of = |works: Trace, fails: Trace, rule: &str, change: fn(&mut Capture)| {
        let mut captures = [works.run(), fails.run()];
        change(&mut captures[0]);
        let all = found(&captures);
        let finding = all.iter().find(|f| f.rule == rule).expect("found");
        let better = |text: &prose::Text| text.to_string().starts_with("A better capture");
        (finding.confidence, finding.would_settle.iter().any(better))
    };
    let works = || ends(up().write(3, &[1]));
    let cited = |change| of(works(), ends(up().writes_to(3, 2)), "write-type-mismatch", change);
    assert_eq!(cited(|_| ()), (Confidence::High, false));
    assert_eq!(cited(|works| works.filtered = true), (Confidence::Medium, true));
    let late: fn(&mut Capture) = |works| works.connections[0].start_seen = false;
    assert_eq!(cited(late), (Confidence::Medium, true));
    let alone = |change| of(works(), lost(up()), "supervision-timeout-0x08", change);
    assert_eq!(alone(|works| works.filtered = true), (Confidence::High, false));
    assert_eq!(alone(late), (Confidence::High, false));
}

/// A note asks for no better capture.
#[test]
fn a_note_is_as_it_is() {
    let all = found(&[Trace::new().mtu().wait_ms(900).disconnected(Status(0x2a)).run()]);
    let note = all.iter().find(|f| f.rule == "unexplained-end").expect("found");
    assert_eq!(note.level, Level::Note);
    let better = |text: &prose::Text| text.to_string().starts_with("A better capture");
    assert!(!note.would_settle.iter().any(better), "{note:#?}");
}

/// Two devices are two findings; two private addresses may be those of one device.
#[test]
fn each_device_has_its_own_finding() {
    use crate::packet::AddressType;
    let of = |first: Address, second: Address, kind| {
        let link = |address| lost(Trace::new().peer(address, kind).create().connected());
        let both = link(first).wait_ms(9_000).followed_by(link(second));
        let all = found(&[both.run()]);
        let same = all.iter().filter(|f| f.rule == "supervision-timeout-0x08");
        same.map(|f| f.connections.clone()).collect::<Vec<_>>()
    };
    let fixed = |n| Address([n, 0, 0, 0, 0, 0xc0]);
    let private = |n| Address([n, 0, 0, 0, 0, 0x5a]);
    assert_eq!(of(fixed(1), fixed(2), AddressType::RANDOM), [[1], [2]]);
    assert_eq!(of(fixed(1), fixed(1), AddressType::RANDOM), [[1, 2]]);
    assert_eq!(of(private(1), private(2), AddressType::RANDOM), [[1, 2]]);
    assert_eq!(of(private(1), private(2), AddressType::PUBLIC), [[1], [2]]);
}

#[test]
fn a_finding_cites_twelve_frames_and_says_each_remedy_once() {
    let one = |pause| lost(Trace::new().up().wait_ms(pause)).wait_ms(9_000);
    let all = [0, 900, 4_000, 200, 7_000, 300, 2_000, 5_500];
    let trace = all.iter().fold(Trace::new(), |trace, pause| trace.followed_by(one(*pause)));
    let all = found(&[trace.run()]);
    let finding = all.iter().find(|f| f.rule == "supervision-timeout-0x08").expect("found");
    assert_eq!((finding.connections.len(), finding.evidence.len()), (8, 12));
    let texts: Vec<String> = finding.remedies.iter().map(|r| r.text().to_string()).collect();
    let unique: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(unique.len(), texts.len(), "{texts:#?}");
}

/// A note of a rule that suspects something of the same device adds nothing.
#[test]
fn a_note_is_not_said_beside_more_of_the_same_rule() {
    use crate::packet::Direction::Sent;
    use crate::packet::att::{Handle, Pdu};
    let read = Pdu::ReadRequest { attribute_handle: Handle(3) };
    let left = Trace::new().up().mtu().att(Sent, read).wait_ms(900);
    let left = left.disconnected(Status::REMOTE_USER_TERMINATED).wait_ms(9_000);
    let odd = || Trace::new().up().mtu().wait_ms(3_000).disconnected(Status(0x2a));
    let levels = |trace: Trace| {
        let all = found(&[trace.run()]);
        let ends = all.iter().filter(|f| f.rule == "unexplained-end");
        ends.map(|f| (f.level, f.connections.clone())).collect::<Vec<_>>()
    };
    assert_eq!(levels(left.clone().followed_by(odd())), [(Level::Suspect, vec![1])]);
    assert_eq!(levels(odd()), [(Level::Note, vec![1])]);
    let other = odd().with(Address([9, 0, 0, 0, 0, 0xc0]));
    let both = levels(left.followed_by(other));
    assert_eq!(both, [(Level::Suspect, vec![1]), (Level::Note, vec![2])]);
}

fn confidence(captures: &[Capture]) -> Confidence {
    let scene = Scene { captures, testimonies: &[], subject: 0, comparison: None };
    let found = diagnose(&scene);
    found.iter().find(|f| f.rule == "supervision-timeout-0x08").expect("found").confidence
}

#[test]
fn who_saw_only_a_part_is_less_sure() {
    let whole = lost(Trace::new().up()).run();
    assert_eq!(confidence(std::slice::from_ref(&whole)), Confidence::High);
    assert_eq!(confidence(&[lost(Trace::new()).run()]), Confidence::Medium, "began late");
    let cut = Capture { filtered: true, ..whole.clone() };
    assert_eq!(confidence(&[cut]), Confidence::Medium, "cut");
    let mut dropped = whole;
    dropped.fitness.push(crate::timeline::Fitness {
        kind: FitnessKind::DroppedPackets,
        says: prose::Text::EMPTY,
        remedy: prose::Text::EMPTY,
    });
    assert_eq!(confidence(&[dropped]), Confidence::Medium, "packets are missing");
}

/// What only a log says is a note beside what the packets prove; a suspicion of the packets leaves a log's cause alone.
#[test]
fn what_a_log_says_gives_way_to_packets() {
    use Level::{Cause, Note, Suspect};
    let of = |packets: Level, log: Level| {
        let from_log = Claim { from_log: true, ..claim("suspend-or-power", log, &[1]) };
        let mut claims = [claim("supervision-timeout-0x08", packets, &[1]), from_log];
        packets_first(&mut claims);
        (claims[0].verdict.level, claims[1].verdict.level)
    };
    assert_eq!(of(Cause, Cause), (Cause, Note));
    assert_eq!(of(Cause, Suspect), (Cause, Note));
    assert_eq!(of(Suspect, Cause), (Suspect, Cause));
    assert_eq!(of(Suspect, Suspect), (Suspect, Note));
    assert_eq!(of(Note, Cause), (Note, Cause));
    assert_eq!(of(Note, Suspect), (Note, Suspect));
}

/// A rule that reads logs alone gives way to every other rule that accuses, also to what that one read in a log.
#[test]
fn a_rule_of_logs_gives_way_to_the_others() {
    use Level::{Cause, Note, Suspect};
    let of = |other: Level, from_log: bool| {
        let other = Claim { from_log, ..claim("supervision-timeout-0x08", other, &[1]) };
        let mut claims = [other, claim("another-program-hung-up", Cause, &[1])];
        packets_first(&mut claims);
        (claims[0].verdict.level, claims[1].verdict.level)
    };
    assert_eq!(of(Cause, false), (Cause, Note));
    assert_eq!(of(Suspect, false), (Suspect, Note));
    assert_eq!(of(Note, false), (Note, Cause));
    assert_eq!(of(Cause, true), (Cause, Note));
    assert_eq!(of(Suspect, true), (Suspect, Note));
    assert_eq!(of(Note, true), (Note, Cause));
}

/// Two devices are lost in the same way: the one that works elsewhere is told first.
#[test]
fn of_two_equal_findings_that_of_the_compared_links_comes_first() {
    let other = Address([9, 0, 0, 0, 0, 0xc0]);
    let works = Trace::new().up().mtu().write(3, &[1]).wait_ms(3_000);
    let works = works.hangs_up(Status::REMOTE_USER_TERMINATED);
    let first = lost(Trace::new().up()).with(other).wait_ms(9_000);
    let said = |works: Option<Trace>| {
        let fails = first.clone().followed_by(lost(Trace::new().up()));
        let captures: Vec<Capture> = works.iter().chain([&fails]).map(Trace::run).collect();
        let all = found(&captures);
        let same = all.iter().filter(|f| f.rule == "supervision-timeout-0x08");
        same.map(|f| f.connections.clone()).collect::<Vec<_>>()
    };
    assert_eq!(said(None), [[1], [2]]);
    assert_eq!(said(Some(works)), [[2], [1]]);
}

/// A sniffer's capture beside a host's that nobody compares takes nothing from what is said of the host's.
#[test]
fn a_capture_of_the_air_silences_no_rule_of_another_capture() {
    let air = Trace::from(crate::trace::on_air::OnAir::up()).run();
    let captures = [air, lost(Trace::new().up()).run()];
    let scene = Scene { captures: &captures, testimonies: &[], subject: 1, comparison: None };
    let said = diagnose(&scene);
    assert!(said.iter().any(|f| f.rule == "supervision-timeout-0x08"), "{said:#?}");
}
