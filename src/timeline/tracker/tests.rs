//! What the tracker keeps, counts and bounds.
use super::*;
use crate::decode::Decoder;
use crate::packet::Direction;
use crate::packet::Status;
use crate::packet::att::{self, Handle};
use crate::trace::Trace;

fn fed(mut tracker: Tracker, trace: &Trace) -> Tracker {
    let mut decoder = Decoder::new();
    for record in trace.records() {
        tracker.push(&decoder.decode(&record));
    }
    tracker
}

fn steps(tracker: &Tracker) -> Vec<(usize, u64)> {
    tracker.connections.iter().map(|c| (c.steps.len(), c.elided_steps)).collect()
}

/// Two links, each with three hundred requests that are refused: every one is a step of its own.
fn refusals() -> Trace {
    let once = Trace::new().up();
    let once = (1..=300).fold(once, |trace, handle| {
        let request = att::Pdu::ReadRequest { attribute_handle: Handle(handle) };
        trace.refused(request, att::ErrorCode::ATTRIBUTE_NOT_FOUND)
    });
    once.hangs_up(Status::REMOTE_USER_TERMINATED).repeated(2, 1000)
}

#[test]
fn once_there_are_very_many_steps_few_are_kept_of_each_connection() {
    let all = steps(&fed(Tracker::new(), &refusals()));
    assert!(all.iter().all(|(kept, elided)| *kept > 300 && *elided == 0), "{all:?}");
    let crowded = Tracker { crowded: true, ..Tracker::new() };
    let few = steps(&fed(crowded, &refusals()));
    for ((kept, elided), (whole, _)) in few.into_iter().zip(all) {
        assert_eq!(kept as u64 + elided, whole as u64);
        // The link's end is kept beyond the bound.
        assert_eq!(kept, 100 + 1);
    }
}

#[test]
fn notifications_of_very_many_kinds_lose_none() {
    let value = |trace: Trace, handle: u16| {
        let value = att::Pdu::HandleValueNotification {
            attribute_handle: Handle(handle),
            attribute_value: &[1],
        };
        trace.att(Direction::Received, value)
    };
    let trace = (1..=3000).map(|n| 1 + n % 1000).fold(Trace::new().up(), value);
    let tracker = fed(Tracker::new(), &trace);
    let connection = &tracker.connections[0];
    let counted: u64 = connection
        .steps
        .iter()
        .filter(|s| s.procedure == crate::timeline::Procedure::Notify)
        .map(|s| u64::from(s.count))
        .sum();
    assert_eq!(counted, 3000);
}

/// The tracker after these events, each changed a little before.
fn changed(trace: &Trace, change: impl Fn(&mut Event<'_>)) -> Tracker {
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    for record in trace.records() {
        let mut event = decoder.decode(&record);
        change(&mut event);
        tracker.push(&event);
    }
    tracker
}

#[test]
fn what_could_not_be_decoded_is_counted_by_why() {
    let of = |problem, cut| {
        let tracker = changed(&Trace::new().up(), |event| {
            if event.frame == 1 {
                (event.problem, event.cut) = (problem, cut);
            }
        });
        (tracker.totals.malformed, tracker.totals.opaque, tracker.totals.cut)
    };
    assert_eq!(of(None, false), (0, 0, 0));
    assert_eq!(of(Some(Problem::Malformed), false), (1, 0, 0));
    assert_eq!(of(Some(Problem::Unknown), false), (0, 1, 0));
    assert_eq!(of(Some(Problem::Cut), true), (0, 0, 1));
}

#[test]
fn the_first_time_is_the_earliest_and_the_last_the_latest() {
    let of = |times: &[i64]| {
        let trace = times.iter().fold(Trace::new(), |trace, _| trace.advertises(0));
        let tracker = changed(&trace, |event| {
            event.time = Some(Timestamp(times[event.frame as usize - 1]));
        });
        (tracker.first_time.map(|t| t.0), tracker.last_time.map(|t| t.0))
    };
    assert_eq!(of(&[5]), (Some(5), Some(5)));
    assert_eq!(of(&[5, 7, 7, 6]), (Some(5), Some(7)));
    assert_eq!(of(&[5, 3, 9, 4]), (Some(3), Some(9)));
    assert_eq!(of(&[]), (None, None));
}

/// A packet that the text leaves out may be any link's of that adapter.
#[test]
fn a_packet_that_was_cut_is_missing_on_every_link_of_its_adapter() {
    let cut = |layer, cut, adapter| {
        let trace = Trace::new().up().advertises(0);
        let last = trace.records().count() as u32;
        let tracker = changed(&trace, |event| {
            if event.frame == last {
                event.packet = Packet::Opaque { layer, code: 0, len: 9 };
                (event.cut, event.adapter) = (cut, Some(adapter));
            }
        });
        tracker.connections[0].cut_packets
    };
    for layer in [Layer::Hci, Layer::Acl] {
        assert_eq!((cut(layer, true, 0), cut(layer, false, 0), cut(layer, true, 1)), (1, 0, 0));
    }
    assert_eq!((cut(Layer::Monitor, true, 0), cut(Layer::Vendor, true, 0)), (0, 0));
    // A packet of the link itself; but a text that only leaves out the link's parameters leaves nothing else out.
    let of_link = |frame| {
        let tracker = changed(&Trace::new().up().mtu(), |event| event.cut = event.frame == frame);
        tracker.connections[0].cut_packets
    };
    assert_eq!((of_link(3), of_link(7)), (0, 1), "Connection Complete, and a packet of ATT");
    // Frame 3 is the Connection Complete: create, its status, and then the link.
    let complete = changed(&Trace::new().create().connected(), |event| {
        if event.frame == 3 {
            assert!(
                matches!(&event.packet, Packet::Event(e) if e.le_connection_complete().is_some())
            );
        }
    });
    assert_eq!(complete.connections.len(), 1);
}

/// Data of a link that nobody saw beginning may be that of an attempt under way, for 20 ms.
#[test]
fn young_data_is_not_yet_said_to_be_a_links() {
    let of = |trace: &Trace| {
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        let push = |record| tracker.push(&decoder.decode(&record));
        trace.records().map(push).collect::<Vec<_>>()
    };
    let data = |ms| Trace::new().notified(3, &[1]).wait_ms(ms).notified(3, &[1]);
    // The first packet itself takes a tenth of a millisecond.
    assert_eq!(of(&data(19)), [None, None]);
    assert_eq!(of(&data(20)), [None, Some(1)]);
    assert_eq!(of(&Trace::new().up().notified(3, &[1])).last(), Some(&Some(1)));
}

#[test]
fn adapters_are_kept_apart_up_to_a_bound() {
    let of = |count: u16| {
        let trace = (0..count).fold(Trace::new(), |trace, n| trace.adapter(n).advertises(0));
        fed(Tracker::new(), &trace).adapters.len()
    };
    assert_eq!((of(2), of(64), of(65)), (2, 64, 64));
    // To and fro between two of them.
    let to_and_fro = Trace::new().adapter(0).advertises(0).adapter(1).advertises(0);
    let tracker = fed(Tracker::new(), &to_and_fro.adapter(0).advertises(0));
    let reports = tracker.adapters.iter().map(|a| a.facts.advertising_reports);
    assert_eq!(reports.collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn events_of_adapters_are_counted_beyond_a_bound() {
    let mut tracker = Tracker::new();
    let at = At {
        source: SourceId::FIRST,
        frame: 1,
        time: Moment::UNKNOWN,
        direction: Direction::Sent,
        cut: false,
        link: None,
    };
    (0..200_002).for_each(|_| tracker.happened_on(None, at, Happening::ScanOff));
    assert_eq!(tracker.events.len(), 200_000);
    assert_eq!(tracker.totals.adapter_events_elided, 2);
}

/// A packet without a time does not make the clock forget the last one.
#[test]
fn a_silence_lasts_from_one_time_to_the_next() {
    let gap = |timeless: bool| {
        let trace = Trace::new().advertises(0).wait_ms(50).advertises(0).wait_ms(50).advertises(0);
        let tracker = changed(&trace, |event| {
            if timeless && event.frame == 2 {
                event.time = None;
            }
        });
        tracker.adapters[0].gap.is_some()
    };
    assert!(gap(true) && !gap(false));
    let silent = |ms: u32| {
        let tracker = fed(Tracker::new(), &Trace::new().advertises(0).wait_ms(ms).advertises(0));
        tracker.adapters[0].gap.is_some()
    };
    assert!(silent(90) && !silent(89));
}

/// A channel's protocol tells the radio where it is one of BR/EDR's: fixed PSMs are odd, and below 0x1000.
#[test]
fn a_protocol_of_bredr_tells_the_transport() {
    let of = |psm| {
        let trace = Trace::new().acl(Direction::Received, 0x41, &[1, 2, 3]);
        let tracker = changed(&trace, |event| {
            if let Packet::L2cap { psm: known, .. } = &mut event.packet {
                *known = psm;
            }
        });
        tracker.connections[0].transport
    };
    assert_eq!((of(Some(1)), of(Some(0x0fff))), (Transport::BrEdr, Transport::BrEdr));
    assert_eq!(
        (of(Some(0x80)), of(Some(0x1001)), of(None)),
        (Transport::Unknown, Transport::Unknown, Transport::Unknown)
    );
}

#[test]
fn a_host_that_sends_more_than_the_controller_holds_overruns_it() {
    let credits = |buffers, writes, acknowledged| {
        let link = Trace::new().buffers(buffers).up().writes_at_once(writes);
        let link =
            if acknowledged > 0 { link.acknowledged(acknowledged).writes_at_once(1) } else { link };
        fed(Tracker::new(), &link).connections[0].credits
    };
    let of = |buffers, writes| {
        let credits = credits(buffers, writes, 0);
        (credits.sent, credits.most_outstanding, credits.overrun_frame.is_some())
    };
    assert_eq!(of(2, 2), (2, 2, false));
    assert_eq!(of(2, 3), (3, 3, true));
    assert_eq!(of(0, 3), (3, 3, false), "a controller that does not say how many it holds");
    let first = credits(2, 4, 0);
    assert_eq!(first.overrun_frame.map(|frame| frame + 1), Some(first.most_outstanding_frame));
    // What was acknowledged is no longer there.
    assert_eq!(credits(2, 2, 1).overrun_frame, None);
    assert_eq!(credits(9, 3, 1).most_outstanding, 3);
    assert_eq!(credits(9, 3, 9).completed, 9);
}

#[test]
fn a_name_that_was_read_is_the_devices() {
    let read = |trace: Trace| {
        trace.by_wire(
            &[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a],
            0x09,
            &[6, 3, 0, b'L', b'a', b'm', b'p'],
        )
    };
    let name = |trace: &Trace| fed(Tracker::new(), trace).air.devices[0].name.clone();
    let heard = || Trace::new().advertises(0);
    assert_eq!(name(&read(heard().up())).as_deref(), Some("Lamp"));
    assert_eq!(name(&heard().up().mtu()), None);
    // What it calls itself later counts, whatever passes on the link.
    let later = Trace::new().advertises_as("Old").up().advertises_as("New").mtu();
    assert_eq!(name(&later).as_deref(), Some("New"));
}

#[test]
fn who_came_earlier_is_known_by_what_came_later() {
    let capture =
        Trace::new().up().hangs_up(Status::REMOTE_USER_TERMINATED).advertises_as("Lamp").run();
    assert_eq!(capture.connections[0].peer.name.as_deref(), Some("Lamp"));
    let tracker = fed(Tracker::new(), &Trace::new().up());
    assert_eq!(tracker.peer_of(1), Some(crate::trace::PEER));
    assert_eq!((tracker.peer_of(0), tracker.peer_of(2)), (None, None));
}

#[test]
fn a_tracker_is_crowded_only_by_very_many_steps() {
    let mut tracker = fed(Tracker::new(), &refusals());
    assert_eq!(tracker.most_steps(), 100_000);
    tracker.look_at_what_is_kept();
    assert!(!tracker.crowded);
    tracker.crowded = true;
    assert_eq!(tracker.most_steps(), 100);
}

/// A frame of the air that could not be read is one of the air all the same; unknown records have no number among HCI.
#[test]
fn what_could_not_be_read_is_counted_where_it_belongs() {
    let opaque = |layer| {
        move |event: &mut Event<'_>| {
            if event.frame == 1 {
                event.packet = Packet::Opaque { layer, code: 0, len: 9 };
            }
        }
    };
    let air = Trace::from(crate::trace::on_air::OnAir::up());
    let frames = air.records().count() as u64;
    assert_eq!(changed(&air, opaque(Layer::Vendor)).totals.air, frames);
    let second = |layer| {
        let trace = Trace::new().advertises(0).advertises(0);
        changed(&trace, opaque(layer)).numbers.of(2)
    };
    assert_eq!((second(Layer::Hci), second(Layer::Acl)), (Some(2), Some(2)));
    assert_eq!(second(Layer::Monitor), Some(1));
}

#[test]
fn a_tracker_with_exactly_too_many_steps_is_crowded() {
    let of = |missing: usize| {
        let mut tracker = fed(Tracker::new(), &Trace::new().up());
        let step = tracker.connections[0].steps[0].clone();
        tracker.connections[0].steps = vec![step; 1_000_000 - missing];
        tracker.look_at_what_is_kept();
        let link = tracker.adapters[0].links.iter().flatten().next().expect("a link");
        (tracker.crowded, link.most_steps)
    };
    assert_eq!(of(0), (true, 100));
    assert_eq!(of(1), (false, 100_000));
}
