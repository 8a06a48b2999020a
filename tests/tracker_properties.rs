//! Whatever a capture holds, its connections are consistent.
use hcidiff::Analysis;
use hcidiff::capture::{Description, Kind, Payload, Record};
use hcidiff::compare::Options;
use hcidiff::decode::Decoder;
use hcidiff::diagnose::{Example, Level, RULES};
use hcidiff::packet::Direction;
use hcidiff::seen::SourceId;
use hcidiff::time::{Clock, Timestamp};
use hcidiff::timeline::{Capture, Origin, Tracker};
use hcidiff::trace::Trace;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A packet of the kind that opens, uses and ends links, or any bytes at all.
#[derive(Clone, Debug)]
struct Packet {
    direction: Direction,
    kind: Kind,
    bytes: Vec<u8>,
    step_us: i64,
    cut: bool,
    adapter: u16,
}

fn handle() -> impl Strategy<Value = [u8; 2]> {
    prop_oneof![Just([0x40, 0]), Just([0x41, 0]), Just([0, 0]), Just([0xff, 0x0e])]
}

fn status() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0_u8), 1 => any::<u8>()]
}

fn bytes() -> impl Strategy<Value = (Direction, Kind, Vec<u8>)> {
    let sent = Direction::Sent;
    let received = Direction::Received;
    let create = (any::<[u8; 2]>(), 0..3_u8).prop_map(move |(peer, policy)| {
        let mut b =
            vec![0x0d, 0x20, 25, 0x60, 0, 0x60, 0, policy, 1, peer[0] & 3, 0, 0, 0, 0, 0xc0, 0];
        b.extend([24, 0, 40, 0, 0, 0, 42, 0, 0, 0, 0, 0]);
        (sent, Kind::Command, b)
    });
    let complete =
        (status(), handle(), 0..2_u8, any::<u8>()).prop_map(move |(status, handle, role, peer)| {
            let mut b = vec![
                0x3e,
                19,
                1,
                status,
                handle[0],
                handle[1],
                role,
                1,
                peer & 3,
                0,
                0,
                0,
                0,
                0xc0,
            ];
            b.extend([39, 0, 0, 0, 42, 0, 1]);
            (received, Kind::Event, b)
        });
    let disconnect = (handle(), any::<u8>()).prop_map(move |(h, reason)| {
        (sent, Kind::Command, vec![0x06, 0x04, 3, h[0], h[1], reason])
    });
    let disconnected = (status(), handle(), any::<u8>()).prop_map(move |(status, h, reason)| {
        (received, Kind::Event, vec![5, 4, status, h[0], h[1], reason])
    });
    let answer = (
        status(),
        prop_oneof![Just(0x200d_u16), Just(0x0406), Just(0x2016), Just(0x2019), any::<u16>()],
    )
        .prop_map(move |(status, opcode)| {
            (received, Kind::Event, vec![0x0f, 4, status, 1, opcode as u8, (opcode >> 8) as u8])
        });
    let procedure = (handle(), prop_oneof![Just(0x16_u8), Just(0x30)])
        .prop_map(move |(h, op)| (sent, Kind::Command, vec![op, 0x20, 2, h[0], h[1]]));
    let features = (status(), handle()).prop_map(move |(status, h)| {
        (received, Kind::Event, vec![0x3e, 12, 4, status, h[0], h[1], 1, 0, 0, 0, 0, 0, 0, 0])
    });
    let encryption = (status(), handle())
        .prop_map(move |(status, h)| (received, Kind::Event, vec![8, 4, status, h[0], h[1], 1]));
    let completed = (handle(), 0..4_u8)
        .prop_map(move |(h, n)| (received, Kind::Event, vec![0x13, 5, 1, h[0], h[1], n, 0]));
    let acl = (
        handle(),
        any::<bool>(),
        prop_oneof![Just(4_u8), Just(5), Just(6), Just(1), Just(0x40)],
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(move |(h, tx, cid, payload)| {
            let start = if tx { 0 } else { 0x20 };
            let mut b = vec![
                h[0],
                h[1] | start,
                payload.len() as u8 + 4,
                0,
                payload.len() as u8,
                0,
                cid,
                0,
            ];
            b.extend(payload);
            (if tx { sent } else { received }, Kind::Acl, b)
        });
    let att = (
        handle(),
        any::<bool>(),
        prop::sample::select(vec![
            1_u8, 2, 3, 4, 5, 8, 9, 10, 11, 16, 17, 18, 19, 0x1b, 0x1d, 0x1e, 0x52,
        ]),
        any::<[u8; 6]>(),
        0..7_usize,
    )
        .prop_map(move |(h, tx, opcode, body, len)| {
            let start = if tx { 0 } else { 0x20 };
            let body = &body[..len.min(6)];
            let size = body.len() as u8 + 1;
            let mut b = vec![h[0], h[1] | start, size + 4, 0, size, 0, 4, 0, opcode];
            b.extend(body);
            (if tx { sent } else { received }, Kind::Acl, b)
        });
    let reset = Just((sent, Kind::Command, vec![0x03, 0x0c, 0]));
    let cancel = Just((sent, Kind::Command, vec![0x0e, 0x20, 0]));
    let noise = (
        any::<bool>(),
        prop::sample::select(vec![
            Kind::Command,
            Kind::Event,
            Kind::Acl,
            Kind::Monitor(17),
            Kind::Monitor(13),
            Kind::Note(0xfc),
        ]),
        prop::collection::vec(any::<u8>(), 0..60),
    )
        .prop_map(move |(tx, kind, b)| (if tx { sent } else { received }, kind, b));
    prop_oneof![
        3 => create, 4 => complete, 1 => disconnect, 3 => disconnected, 2 => answer, 2 => procedure, 2 => features,
        1 => encryption, 2 => completed, 2 => acl, 8 => att, 1 => reset, 1 => cancel, 2 => noise
    ]
}

fn packet() -> impl Strategy<Value = Packet> {
    (
        bytes(),
        prop_oneof![8 => 0..2_000_000_i64, 1 => -3_000_000..0_i64],
        prop::bool::weighted(0.05),
        0..2_u16,
    )
        .prop_map(|((direction, kind, bytes), step_us, cut, adapter)| Packet {
            direction,
            kind,
            bytes,
            step_us,
            cut,
            adapter,
        })
}

fn fold(packets: &[Packet]) -> (Capture, Vec<Option<u32>>) {
    fold_as(SourceId::FIRST, packets)
}

fn fold_as(source: SourceId, packets: &[Packet]) -> (Capture, Vec<Option<u32>>) {
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::of(source));
    let mut now = 1_700_000_000_000_000;
    let mut owners = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        now += packet.step_us;
        let record = Record {
            frame: index as u32 + 1,
            offset: 0,
            time: Some(Timestamp(now)),
            adapter: Some(packet.adapter),
            direction: Some(packet.direction),
            kind: packet.kind,
            payload: Payload::Bytes(&packet.bytes),
            original_len: packet.bytes.len() as u32 + if packet.cut { 10 } else { 0 },
            comment: None,
        };
        owners.push(tracker.push(&decoder.decode(&record)));
    }
    let description = Description {
        format: "btsnoop",
        variant: String::new(),
        clock: Clock::Utc,
        resolution_us: 1,
    };
    let origin = Origin {
        file: "any".into(),
        label: "any".into(),
        description,
        warnings: Vec::new(),
        sha256: None,
    };
    (tracker.finish(origin), owners)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_events_give_consistent_connections(packets in prop::collection::vec(packet(), 0..120)) {
        let (capture, owners) = fold(&packets);
        prop_assert_eq!(owners.len() as u64, capture.totals.records);
        for (index, connection) in capture.connections.iter().enumerate() {
            prop_assert_eq!(connection.number as usize, index + 1);
            prop_assert!(connection.steps.is_sorted_by_key(|s| s.frame), "{:?}", connection.steps);
            for step in &connection.steps {
                prop_assert!(step.frame <= step.last.frame && step.count >= 1, "{step:?}");
                prop_assert!(step.last.frame as usize <= packets.len());
            }
            if let (Some(connected), Some(end)) = (connection.connected_frame(), &connection.end) {
                prop_assert!(connected < end.frame);
                prop_assert!(connection.end_seen);
                // Frame order is authoritative: nothing of the link lies behind its end.
                prop_assert!(connection.steps.iter().all(|s| s.last.frame <= end.frame), "{:?} {:?}", end, connection.steps);
            }
            // The link's own events name it, from its first sight to its end.
            if let Some(connected) = connection.connected_frame() {
                prop_assert_eq!(owners[connected as usize - 1], Some(connection.number));
            }
            for open in &connection.open_requests {
                prop_assert!(open.frame >= 1 && open.frame as usize <= packets.len());
            }
            if !connection.start_seen {
                prop_assert!(connection.connected_frame().is_none() && connection.request.is_none());
            }
            prop_assert!(!(connection.never_heard() && connection.heard.is_some()));
        }
        for owner in owners.into_iter().flatten() {
            prop_assert!(capture.connection(owner).is_some());
        }
        let again = fold(&packets).0;
        prop_assert_eq!(capture, again);
    }
}

/// The packets of a rule's example.
fn packets(trace: &Trace) -> Vec<Packet> {
    let mut before = None;
    let packet = |record: Record<'_>| {
        let Payload::Bytes(bytes) = record.payload else { unreachable!("traces hold bytes") };
        let now = record.time.map_or(0, |t| t.0);
        let step_us = now - before.replace(now).unwrap_or(now);
        Packet {
            direction: record.direction.unwrap_or(Direction::Sent),
            kind: record.kind,
            bytes: bytes.to_vec(),
            step_us,
            cut: false,
            adapter: record.adapter.unwrap_or_default(),
        }
    };
    trace.records().map(packet).collect()
}

/// What is done to an example: packets get lost, come twice, are damaged, come late, change places
/// with others, and strangers come between.
#[derive(Clone, Debug)]
enum Damage {
    Lost(Index),
    Twice(Index),
    Byte(Index, Index, u8),
    Later(Index, i64),
    Swapped(Index, Index),
    Stranger(Index, Packet),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Damage::Lost),
        at().prop_map(Damage::Twice),
        (at(), at(), any::<u8>()).prop_map(|(p, b, value)| Damage::Byte(p, b, value)),
        (at(), -1_000_000..40_000_000_i64).prop_map(|(p, us)| Damage::Later(p, us)),
        (at(), at()).prop_map(|(a, b)| Damage::Swapped(a, b)),
        (at(), packet()).prop_map(|(p, stranger)| Damage::Stranger(p, stranger)),
    ]
}

fn damaged(mut packets: Vec<Packet>, damages: &[Damage]) -> Vec<Packet> {
    for damage in damages {
        let len = packets.len();
        if len == 0 {
            break;
        }
        match damage {
            Damage::Lost(at) => drop(packets.remove(at.index(len))),
            Damage::Twice(at) => packets.push(packets[at.index(len)].clone()),
            Damage::Byte(at, byte, value) => {
                let bytes = &mut packets[at.index(len)].bytes;
                if !bytes.is_empty() {
                    let byte = byte.index(bytes.len());
                    bytes[byte] = *value;
                }
            }
            Damage::Later(at, us) => packets[at.index(len)].step_us += us,
            Damage::Swapped(a, b) => packets.swap(a.index(len), b.index(len)),
            Damage::Stranger(at, stranger) => packets.insert(at.index(len), stranger.clone()),
        }
    }
    packets
}

/// The first case of a rule that has a finding.
fn example(rule: usize) -> Example {
    let case = RULES[rule].example().expect("every rule has one");
    (case.example)()
}

/// A rule's example, more or less damaged, alone or behind another one's.
fn story() -> impl Strategy<Value = (Vec<Packet>, Vec<Packet>)> {
    let rule = || 0..RULES.len();
    (rule(), prop::option::weighted(0.3, rule()), prop::collection::vec(damage(), 0..4)).prop_map(
        |(rule, before, damages)| {
            let told = example(rule);
            let mut subject = before.map_or(Vec::new(), |rule| packets(&example(rule).subject));
            subject.extend(packets(&told.subject));
            let reference = told.reference.as_ref().map_or(Vec::new(), packets);
            (reference, damaged(subject, &damages))
        },
    )
}

/// Any packets at all, or a damaged story.
fn pair() -> impl Strategy<Value = (Vec<Packet>, Vec<Packet>)> {
    let any = (prop::collection::vec(packet(), 0..80), prop::collection::vec(packet(), 0..120));
    prop_oneof![1 => any, 2 => story()]
}

/// Every rule runs on any events, alone and beside any others, and cites only frames and connections
/// that there are. No failed connection has two causes. And this is no empty promise: most rules
/// find something in it.
#[test]
fn rules_run_on_any_events() {
    let fired = RefCell::new(BTreeSet::new());
    let run = |(reference, subject): (Vec<Packet>, Vec<Packet>)| {
        // What was heard on the air names its source: each side has its own.
        let alone = [fold(&subject).0];
        let both = [fold(&reference).0, fold_as(SourceId::SECOND, &subject).0];
        for captures in [&alone[..], &both[..]] {
            let analysis = Analysis::of(captures.to_vec(), &Options::default());
            let mut explained = BTreeSet::new();
            for finding in analysis.findings {
                fired.borrow_mut().insert(finding.rule);
                prop_assert!(
                    !finding.evidence.is_empty() && !finding.says.is_empty(),
                    "{finding:?}"
                );
                for evidence in &finding.evidence {
                    let records =
                        captures.get(evidence.source.capture().unwrap()).map(|c| c.totals.records);
                    prop_assert!(
                        records.is_some_and(|r| (1..=r).contains(&u64::from(evidence.frame))),
                        "{finding:?}"
                    );
                }
                for number in &finding.connections {
                    let connection = captures[finding.capture].connection(*number);
                    prop_assert!(connection.is_some(), "{finding:?}");
                    let cause = finding.level == Level::Cause;
                    prop_assert!(
                        !cause || explained.insert(*number),
                        "a second cause: {finding:?}"
                    );
                }
            }
        }
        Ok(())
    };
    let mut runner = TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..ProptestConfig::with_cases(256)
    });
    if let Err(failure) = runner.run(&pair(), run) {
        panic!("{failure}\n{runner}");
    }
    let fired = fired.into_inner();
    let never: Vec<&str> = RULES.iter().map(|r| r.id).filter(|id| !fired.contains(id)).collect();
    assert!(fired.len() * 3 > RULES.len() * 2, "only {} rules fired, not {never:?}", fired.len());
    println!("{} of {} rules fired; not {never:?}", fired.len(), RULES.len());
}
