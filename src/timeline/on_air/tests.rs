//! Links as a sniffer hears them: of every condition a case on each side.
use super::*;
use crate::capture::{Kind, Record};
use crate::decode::Decoder;
use crate::packet::Secret;
use crate::packet::air::Radio;
use crate::packet::att::{self, Handle};
use crate::timeline::{Capture, EndedBy, Role};
use crate::trace::on_air::{Asked, CENTRAL, OnAir};
use crate::trace::{PEER, Trace};
use Direction::{Received, Sent};

fn run(air: OnAir) -> Capture {
    Trace::from(air).run()
}

fn link(air: OnAir) -> Connection {
    let mut connections = run(air).connections;
    assert_eq!(connections.len(), 1);
    connections.remove(0)
}

/// The same, and this is what the radio said of every frame.
fn with_radio(air: OnAir, change: impl Fn(u32, &mut Radio)) -> Tracker {
    let trace = Trace::from(air);
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    for record in trace.records() {
        let Kind::Air(mut radio) = record.kind else { panic!("a frame of the air") };
        change(record.frame, &mut radio);
        tracker.push(&decoder.decode(&Record { kind: Kind::Air(radio), ..record }));
    }
    tracker
}

fn asked() -> OnAir {
    OnAir::new().advertises(true).asks(Asked::default())
}

#[test]
fn a_request_and_its_answers_are_a_link_of_the_central() {
    let connection = link(OnAir::up());
    assert_eq!(connection.role, Some(Role::Central));
    assert_eq!(connection.peer.address, Some(PEER));
    assert_eq!(connection.peer.address_type, Some(AddressType::RANDOM));
    let granted = connection.granted.expect("the request says it");
    assert_eq!((granted.interval, granted.latency, granted.timeout), (24, 0, 72));
    assert_eq!((connection.handle, connection.oddities.len()), (None, 0));
    assert_eq!(connection.channel_selection, Some(1));
    assert!(connection.peer_heard() && connection.requested_on_air().is_some());
    assert_eq!(
        connection.heard.map(|heard| heard.by),
        Some("a packet of the peripheral on the air")
    );
    assert_ne!(connection.usable_at, crate::time::Moment::UNKNOWN);
    let silent = link(asked().unanswered(3));
    assert!(!silent.peer_heard() && silent.start_seen);
    assert_eq!(silent.usable_at, crate::time::Moment::UNKNOWN);
    let central = silent.air.expect("the air").request.expect("the request").init_a;
    assert_eq!(central, CENTRAL);
    // A link whose request was not heard has no beginning.
    let mut late = Tracker::new();
    let mut decoder = Decoder::new();
    for record in Trace::from(OnAir::up()).records().skip(2) {
        late.push(&decoder.decode(&record));
    }
    assert!(!late.connections[0].start_seen && late.connections[0].requested_on_air().is_none());
    assert!(late.connections[0].handle.is_none());
}

#[test]
fn channel_selection_needs_both_sides() {
    let selects = |advertiser, ch_sel| {
        link(OnAir::new().advertises(advertiser).asks(Asked { ch_sel, ..Asked::default() }))
            .channel_selection
    };
    assert_eq!([selects(true, true), selects(false, true)], [Some(1), Some(0)]);
    assert_eq!([selects(true, false), selects(false, false)], [Some(0), Some(0)]);
}

#[test]
fn what_the_last_advertiser_says_is_remembered_up_to_a_bound() {
    let mut advertisers = Advertisers::default();
    let address = |n: usize| Address([n as u8, (n >> 8) as u8, 0, 0, 0, 0xc0]);
    (0..8193).for_each(|n| advertisers.heard(address(n), false));
    assert_eq!(advertisers.0.len(), 8192);
    advertisers.heard(address(0), true);
    assert_eq!(advertisers.0.get(&address(0)), Some(&true));
}

#[test]
fn advertising_is_heard_as_a_host_hears_it() {
    let capture = run(OnAir::new().advertises(true).advertises(true));
    let device = capture.device(PEER).expect("it was heard");
    assert_eq!((device.reports, device.connectable_reports), (2, 2));
    assert_eq!(device.address_type, AddressType::RANDOM);
    assert_eq!((device.rssi_min, device.rssi_max), (-60, -60));
    assert_eq!(capture.totals.advertising_reports, 2);
    // A radio that does not say how strong it was.
    let deaf = with_radio(OnAir::new().advertises(true), |_, radio| radio.rssi = None);
    assert_eq!(deaf.air.devices[0].last.and_then(|report| report.rssi), None);
    // A frame that was damaged on the way says nothing.
    let broken = with_radio(OnAir::new().advertises(true), |_, radio| radio.crc_ok = Some(false));
    assert!(broken.air.devices.is_empty());
    assert_eq!(broken.totals.air, 1);
}

#[test]
fn a_damaged_frame_of_a_link_proves_nothing() {
    let air = || asked().idles(1);
    // Frame 4 is the peripheral's answer.
    let whole = with_radio(air(), |_, _| ());
    assert!(whole.connections[0].heard.is_some());
    let broken = with_radio(air(), |frame, radio| {
        if frame == 4 {
            radio.crc_ok = Some(false);
        }
    });
    assert!(broken.connections[0].heard.is_none());
}

#[test]
fn a_side_that_says_so_ends_the_link() {
    let end = |by, reason| {
        let connection = link(OnAir::up().hangs_up(by, reason));
        let end = connection.end.expect("it ended");
        (end.by, end.reason, end.reason_sent)
    };
    let user = Status::REMOTE_USER_TERMINATED;
    assert_eq!(end(Sent, user), (EndedBy::Host, user, Some(user)));
    assert_eq!(end(Received, user), (EndedBy::Peer, user, None));
    // What still comes is the acknowledgement of the end, and no new link.
    let capture = run(OnAir::up().hangs_up(Sent, user).idles(2));
    assert_eq!(capture.connections.len(), 1);
    assert!(!capture.connections[0].end_unknown);
    assert!(link(OnAir::up()).end_unknown, "the sniffer may only have lost it");
}

/// The device advertises again: a link with it that was silent for its timeout is over.
#[test]
fn a_device_that_is_heard_again_has_no_link_any_more() {
    let reason = |air: OnAir| link(air).end.map(|end| end.reason);
    // The timeout is 720 ms.
    let timeout = Some(Status::CONNECTION_TIMEOUT);
    assert_eq!(reason(OnAir::up().gone(5_000)), timeout);
    assert_eq!(reason(OnAir::up().gone(725)), timeout);
    assert_eq!(reason(OnAir::up().gone(700)), None, "it may advertise beside a link");
    // A link that nobody answered is given up after six intervals of 30 ms.
    let never = Some(Status::FAILED_TO_BE_ESTABLISHED);
    let unanswered = || asked().unanswered(2);
    assert_eq!(reason(unanswered().gone(185)), never);
    assert_eq!(reason(unanswered().gone(170)), None);
    // A sniffer that heard nothing of the link cannot tell how it went.
    assert_eq!(reason(asked().gone(5_000)), None);
    // Its end is where it was last heard.
    let connection = link(OnAir::up().gone(5_000));
    let end = connection.end.as_ref().expect("it ended");
    assert!(
        end.frame < 8
            && end.at.since(connection.connected_at()).is_some_and(|d| d < Span::from_ms(200))
    );
    // A device that only scans, or that somebody else asks for, is not there to be connected to.
    let still = run(OnAir::up().gone(100));
    assert!(still.connections[0].end.is_none());
}

/// A second request says that the first one was given up, if nothing ever answered it.
#[test]
fn a_new_request_ends_an_attempt_that_was_not_answered() {
    let ends = |first: OnAir| {
        let again = first.wait_ms(20).asks(Asked::default());
        run(again).connections[0].end.as_ref().map(|end| end.reason)
    };
    assert_eq!(ends(asked().unanswered(2)), Some(Status::FAILED_TO_BE_ESTABLISHED));
    assert_eq!(ends(OnAir::up()), None);
}

const FEATURES: [u8; 8] = [0x21, 0, 0, 0, 0, 0, 0, 0];

/// Steps beside the connection itself: what, whose, how it ended, and with which status.
fn steps(air: OnAir) -> Vec<(Procedure, Direction, Outcome, Option<u8>)> {
    let steps = link(air).steps;
    let others = steps.iter().filter(|step| step.procedure != Procedure::Connect);
    others.map(|step| (step.procedure, step.by, step.outcome, step.status)).collect()
}

#[test]
fn procedures_of_the_link_layer_are_steps() {
    use Outcome::{Error, Ok, Unknown};
    let request = Control::FeatureReq { feature_set: FEATURES };
    let response = Control::FeatureRsp { feature_set: FEATURES };
    let asks = || OnAir::up().control(Sent, request);
    assert_eq!(
        steps(asks().control(Received, response)),
        [(Procedure::Features, Sent, Ok, Some(0))]
    );
    assert_eq!(steps(asks()), [(Procedure::Features, Sent, Unknown, None)]);
    let unknown = Control::UnknownRsp { unknown_type: 8 };
    let refused = steps(asks().control(Received, unknown));
    assert_eq!((refused[0].2, refused[0].3.is_some_and(|status| status != 0)), (Error, true));
    let theirs = Control::PeripheralFeatureReq { feature_set: FEATURES };
    let theirs = OnAir::up().control(Received, theirs).control(Sent, response);
    assert_eq!(steps(theirs), [(Procedure::Features, Received, Ok, Some(0))]);
    // Repeated until it is acknowledged, it is one question.
    let repeated = OnAir::up().control_in_vain(request, 3).control(Received, response);
    assert_eq!(steps(repeated).len(), 1);
    // What only the link layers care for is no step.
    let ping =
        OnAir::up().control(Sent, Control::PingReq {}).control(Received, Control::PingRsp {});
    assert_eq!(steps(ping), []);
    let detail = |air: OnAir| {
        let steps = link(air).steps;
        steps.iter().find(|step| step.procedure != Procedure::Connect).expect("a step").detail
    };
    assert_eq!(detail(asks().control(Received, response)), Detail::Features(FEATURES));
    let length = |octets| Control::LengthReq {
        max_rx_octets: octets,
        max_rx_time: 2120,
        max_tx_octets: octets,
        max_tx_time: 2120,
    };
    let answer = Control::LengthRsp {
        max_rx_octets: 27,
        max_rx_time: 328,
        max_tx_octets: 251,
        max_tx_time: 2120,
    };
    let said = Detail::DataLength { tx_octets: 251, tx_time: 2120, rx_octets: 27, rx_time: 328 };
    assert_eq!(detail(OnAir::up().control(Sent, length(251)).control(Received, answer)), said);
    let phy = OnAir::up().control(Sent, Control::PhyReq { tx_phys: 3, rx_phys: 3 });
    let asked = Detail::Phy { asked_tx: 3, asked_rx: 3, tx: 0, rx: 0 };
    assert_eq!(detail(phy), asked);
}

#[test]
fn a_phy_has_the_number_that_hci_gives_it() {
    let number = |bits| {
        let pdu = Control::PhyUpdateInd { phy_c_to_p: bits, phy_p_to_c: 0, instant: 0 };
        let Detail::Phy { tx, rx, .. } = detail(&Link::default(), &pdu) else { panic!("a PHY") };
        assert_eq!(rx, 0, "it stays");
        tx
    };
    assert_eq!([number(0), number(1), number(2), number(4)], [0, 1, 2, 3]);
}

#[test]
fn the_peripherals_version_is_the_peers() {
    let version = Control::VersionInd { version: 0x0c, company: 0x59, subversion: 1 };
    let of = |by| link(OnAir::up().control(by, version)).peer.version;
    assert_eq!((of(Received), of(Sent)), (Some((0x0c, 0x59)), None));
}

#[test]
fn an_update_changes_what_is_in_force() {
    let updated = |interval| {
        let update = Control::ConnectionUpdateInd {
            win_size: 1,
            win_offset: 0,
            interval,
            latency: 0,
            timeout: 100,
            instant: 40,
        };
        let connection = link(OnAir::up().control(Sent, update));
        (connection.current.map(|now| now.interval), connection.pace.len())
    };
    assert_eq!(updated(36), (Some(36), 2));
    assert_eq!(updated(1), (Some(1), 2));
    assert_eq!(updated(0), (Some(24), 1), "no link has an interval of zero");
}

#[test]
fn data_on_the_air_is_that_of_the_hosts() {
    let ask = att::Pdu::ExchangeMtuRequest { client_rx_mtu: 185 };
    let answer = att::Pdu::ExchangeMtuResponse { server_rx_mtu: 247 };
    let connection = link(OnAir::up().att(Sent, ask).att(Received, answer));
    let mtu = connection.mtu.expect("it was exchanged");
    assert_eq!((mtu.by, mtu.answered), (Sent, Some(247)));
    assert_eq!((connection.att_sent, connection.att_received), (1, 1));
    // A controller's buffers are not on the air.
    assert_eq!(connection.credits.sent, 0);
    let read = att::Pdu::ReadRequest { attribute_handle: Handle(3) };
    let theirs = link(OnAir::up().att(Received, read));
    assert_eq!((theirs.att_sent, theirs.att_received), (0, 1));
}

/// The central asks for encryption; what the peripheral then sends under it shows that it is on.
#[test]
fn a_key_is_an_earlier_one_unless_this_link_paired() {
    let request = Control::EncReq {
        rand: Secret::new([0; 8]),
        ediv: 0,
        skd_c: Secret::new([0; 8]),
        iv_c: Secret::new([0; 4]),
    };
    let key = |fresh_key| {
        let mut live = Link::new(0, 1);
        live.fresh_key = fresh_key;
        let Detail::Encryption { key, .. } = detail(&live, &request) else { panic!("a key") };
        key
    };
    assert_eq!((key(false), key(true)), (Encryption::Stored, Encryption::Fresh));
    let started = OnAir::up().control(Sent, request);
    assert_eq!(steps(started)[0].0, Procedure::Encrypt);
}

/// A damaged advertisement, or one that could not be read, says nothing; a readable one does.
#[test]
fn an_advertisement_that_could_not_be_read_says_nothing() {
    let trace = Trace::from(OnAir::new().advertises(true));
    let devices = |problem| {
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        for record in trace.records() {
            let mut event = decoder.decode(&record);
            event.problem = problem;
            tracker.push(&event);
        }
        tracker.air.devices.len()
    };
    assert_eq!(devices(None), 1);
    assert_eq!(devices(Some(crate::packet::Problem::Malformed)), 0);
}

/// Who takes up an auxiliary request: the advertiser that was asked, for the central that asked.
#[test]
fn an_auxiliary_request_is_taken_up_by_the_one_that_was_asked() {
    let at = At {
        source: crate::seen::SourceId::FIRST,
        frame: 99,
        time: crate::time::Moment::UNKNOWN,
        direction: Received,
        cut: false,
        link: None,
    };
    let other = Address([9, 0, 0, 0, 0, 0xc0]);
    let accepted = |auxiliary, by, target| {
        let mut tracker = with_radio(asked(), |_, _| ());
        let air = tracker.connections[0].air.as_mut().expect("the air");
        air.request.as_mut().expect("the request").auxiliary = auxiliary;
        tracker.accepted_on_air(at, by, target);
        tracker.connections[0].air.as_ref().is_some_and(|air| air.accepted.is_some())
    };
    assert!(accepted(true, Some(PEER), Some(CENTRAL)));
    assert!(accepted(true, None, None) && accepted(true, Some(PEER), None));
    assert!(accepted(true, None, Some(CENTRAL)));
    assert!(!accepted(false, Some(PEER), Some(CENTRAL)), "a request that needs no answer");
    assert!(!accepted(true, Some(other), Some(CENTRAL)));
    assert!(!accepted(true, Some(PEER), Some(other)));
}

/// The kind of a PDU on the air is the one that a host's report would have.
#[test]
fn each_kind_of_advertising_is_counted_as_what_it_is() {
    let trace = Trace::from(OnAir::new().advertises(true));
    let of = |advertising: Advertising<'static>| {
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        for record in trace.records() {
            let mut event = decoder.decode(&record);
            event.packet = Packet::Air(Pdu::Advertising(advertising));
            tracker.push(&event);
        }
        let device = &tracker.air.devices[0];
        let directed = device.last.is_some_and(|report| report.directed);
        (device.reports, device.connectable_reports, device.scan_responses, directed)
    };
    let (adv_a, adv_data) = (PEER, &[2, 1, 6][..]);
    assert_eq!(of(Advertising::AdvInd { adv_a, adv_data }), (1, 1, 0, false));
    let directed = Advertising::AdvDirectInd { adv_a, target_a: CENTRAL };
    assert_eq!(of(directed), (1, 1, 0, true));
    assert_eq!(of(Advertising::AdvScanInd { adv_a, adv_data }), (1, 0, 0, false));
    assert_eq!(of(Advertising::AdvNonconnInd { adv_a, adv_data }), (1, 0, 0, false));
    let answer = Advertising::ScanRsp { adv_a, scan_rsp_data: adv_data };
    assert_eq!(of(answer), (0, 0, 1, false));
}

/// The peripheral's first encrypted packet shows that encryption is on; the central's own shows nothing yet.
#[test]
fn what_the_peripheral_sends_encrypted_starts_encryption() {
    let request = Control::EncReq {
        rand: Secret::new([0; 8]),
        ediv: 0,
        skd_c: Secret::new([0; 8]),
        iv_c: Secret::new([0; 4]),
    };
    let trace = Trace::from(OnAir::up().control(Sent, request).idles(1));
    let frames = trace.records().count() as u32;
    let of = |by: Direction| {
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        for record in trace.records() {
            let mut event = decoder.decode(&record);
            let last = if by == Sent { frames - 1 } else { frames };
            if event.frame == last {
                event.packet = Packet::Air(Pdu::Encrypted { control: false, len: 9 });
            }
            tracker.push(&event);
        }
        let connection = &tracker.connections[0];
        let steps = connection.steps.iter().filter(|s| s.procedure == Procedure::Encrypt);
        (connection.encrypted, steps.map(|s| s.outcome).collect::<Vec<_>>())
    };
    assert_eq!(of(Received), (true, vec![Outcome::Ok]));
    assert_eq!(of(Sent), (false, vec![Outcome::Unknown]));
}

/// To the microsecond: a link is silent for its timeout, or for six intervals where nobody ever answered.
#[test]
fn a_link_may_be_silent_for_less_than_its_timeout() {
    let over = |air: OnAir, us: i64| {
        let trace = Trace::from(air.gone(5_000));
        let times: Vec<i64> =
            trace.records().filter_map(|record| record.time.map(|time| time.0)).collect();
        let last = times.len();
        let tracker = crate::timeline::tests::retimed(&trace, |frame, at| {
            if frame as usize == last { times[last - 2] + us } else { at }
        });
        tracker.connections[0].end.is_some()
    };
    assert!(over(OnAir::up(), 720_000) && !over(OnAir::up(), 719_999));
    let unanswered = || asked().unanswered(2);
    assert!(over(unanswered(), 180_000) && !over(unanswered(), 179_999));
}
