//! Borders of what a tracker takes for true: a case on each side.
use super::*;
use crate::time::Timestamp;

/// The tracker after a trace whose packets have these times instead: of each, its frame and its time in microseconds.
pub(in crate::timeline) fn retimed(trace: &Trace, time: impl Fn(u32, i64) -> i64) -> Tracker {
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    for record in trace.records() {
        let at = record.time.map(|known| Timestamp(time(record.frame, known.0)));
        tracker.push(&decoder.decode(&crate::capture::Record { time: at, ..record }));
    }
    tracker
}

/// Only a server that knows no secondary services may say so where a search ends.
#[test]
fn an_unsupported_group_ends_the_search_for_secondary_services_alone() {
    let search = |group| Pdu::ReadByGroupTypeRequest {
        starting_handle: Handle(1),
        ending_handle: Handle(0xffff),
        attribute_group_type: LastUuid::short(group),
    };
    let failed = |group, error| {
        let connection = only(Trace::new().up().refused(search(group), error));
        connection.steps.last().expect("the request").outcome == Outcome::Error
    };
    assert!(!failed(0x2801, ErrorCode::UNSUPPORTED_GROUP_TYPE));
    assert!(!failed(0x2801, ErrorCode::ATTRIBUTE_NOT_FOUND));
    assert!(failed(0x2801, ErrorCode::INVALID_HANDLE));
    assert!(failed(0x2800, ErrorCode::UNSUPPORTED_GROUP_TYPE));
}

/// A controller that refused a key resolves nothing with it.
#[test]
fn a_key_that_was_refused_is_not_in_the_resolving_list() {
    let add = Command::LeAddDeviceToResolvingList {
        peer_identity_address_type: AddressType::RANDOM,
        peer_identity_address: crate::trace::PEER,
        peer_irk: crate::packet::Secret::new([1; 16]),
        local_irk: crate::packet::Secret::new([1; 16]),
    };
    let on = Command::LeSetAddressResolutionEnable { address_resolution_enable: 1 };
    let resolvable = |trace: Trace| {
        only(trace.done(on).create()).request.as_ref().expect("it was asked for").resolvable
    };
    let refused = |opcode: Opcode| Trace::new().command(add).complete(opcode, &[0x07]);
    assert!(resolvable(Trace::new().done(add)));
    assert!(!resolvable(refused(add.opcode())));
    let other = Trace::new().done(add).command(on).complete(on.opcode(), &[0x0c]);
    assert!(resolvable(other), "another command was refused");
    // The refusal of a second key leaves the first one.
    let second = Command::LeAddDeviceToResolvingList {
        peer_identity_address_type: AddressType::RANDOM,
        peer_identity_address: Address([9; 6]),
        peer_irk: crate::packet::Secret::new([2; 16]),
        local_irk: crate::packet::Secret::new([1; 16]),
    };
    assert!(resolvable(Trace::new().done(add).command(second).complete(second.opcode(), &[0x07])));
}

/// A scan that the controller disallowed never was.
#[test]
fn a_scan_that_was_disallowed_is_none() {
    let enable = Command::LeSetScanEnable { le_scan_enable: 1, filter_duplicates: 0 };
    let extended = Command::LeSetExtendedScanEnable {
        enable: 1,
        filter_duplicates: 0,
        duration: 0,
        period: 0,
    };
    let scans = |trace: Trace| {
        let on = happened(trace.clone()).iter().any(|what| matches!(what, Happening::ScanOn(_)));
        (on, trace.create().connected().run().connections[0].scan_at_connect.is_some())
    };
    for command in [enable, extended] {
        let answered =
            |status: u8| scans(Trace::new().command(command).complete(command.opcode(), &[status]));
        assert_eq!(answered(0), (true, true));
        assert_eq!(answered(Status::COMMAND_DISALLOWED.0), (false, false));
        // Any other refusal says nothing about a scan that may be on already.
        assert_eq!(answered(Status::CONNECTION_TIMEOUT.0), (true, true));
    }
    // The refusal of another command, and that of a switch that was on before.
    let create = Trace::new().done(enable).create_refused(Status::COMMAND_DISALLOWED);
    assert!(happened(create).iter().any(|what| matches!(what, Happening::ScanOn(_))));
    let off = Command::LeSetScanEnable { le_scan_enable: 0, filter_duplicates: 0 };
    let off = Trace::new().done(enable).command(off).complete(off.opcode(), &[0x0c]);
    assert!(happened(off).iter().any(|what| matches!(what, Happening::ScanOn(_))));
}

/// No scan has an interval of zero: the text that was read does not say it.
#[test]
fn a_scan_without_an_interval_takes_no_time() {
    let duty = |interval, window| {
        let link = only(Trace::new().scan(true, interval, window).create().connected());
        link.scan_at_connect.expect("it was on").duty()
    };
    assert_eq!(duty(0, 16), 0.0);
    assert_eq!(duty(1, 1), 1.0);
    assert_eq!(duty(100, 50), 0.5);
    assert_eq!(duty(100, 200), 1.0, "no more than all of the time");
    let granted = |interval| Granted { interval, latency: 0, timeout: 72, clock_accuracy: 0 };
    assert_eq!(granted(24).events_in_timeout(), 24.0);
    let unknown = Granted { interval: 0, latency: 0, timeout: 0, clock_accuracy: 0 };
    assert_eq!(unknown.events_in_timeout(), f64::INFINITY);
    assert_eq!(granted(1).events_in_timeout(), 576.0);
}

/// The device told who it is; what is learned at the end of the capture does not replace it.
#[test]
fn an_identity_that_the_device_told_stays() {
    let tells = smp::Pdu::IdentityAddressInformation { addr_type: 1, bd_addr: crate::trace::PEER };
    let identity = only(Trace::new().up().smp(Received, tells)).peer.identity;
    assert_eq!(identity.map(|(address, _)| address), Some(crate::trace::PEER));
    assert_eq!(only(Trace::new().up()).peer.identity, None);
    // The name of the identity is that of the link under another address.
    let air = Address([3, 2, 1, 0, 0, 0x5a]);
    let known = Trace::new().known_under(air).peer(crate::trace::PEER, AddressType::RANDOM);
    let names: Vec<_> =
        known.advertises_as("Lamp").run().connections.into_iter().map(|c| c.peer.name).collect();
    assert_eq!(names, [Some("Lamp".into())]);
    let own = Trace::new().advertises_as("Own").up().run().connections.remove(0);
    assert_eq!(own.peer.name.as_deref(), Some("Own"));
}

/// One frame of the air is enough for a sniffer's capture, and one command for a host's.
#[test]
fn what_a_recording_holds_is_told_by_a_single_packet() {
    use crate::trace::on_air::OnAir;
    let of = |trace: Trace| {
        let capture = trace.run();
        (capture.on_air(), capture.data_only())
    };
    assert_eq!(of(OnAir::new().advertises(true).into()), (true, false));
    assert_eq!(of(Trace::new().notified(3, &[1])), (false, true));
    assert_eq!(of(Trace::new().up()), (false, false));
    assert_eq!(of(Trace::new()), (false, false));
    let both = Trace::from(OnAir::new().advertises(true)).advertises(0);
    assert_eq!(of(both), (false, false));
    // Of data alone nobody knows when the link ended.
    let unknown = |trace: Trace| only(trace).end_unknown;
    assert!(unknown(Trace::new().notified(3, &[1])));
    assert!(!unknown(Trace::new().up().notified(3, &[1])));
    assert!(!unknown(Trace::new().advertises(0).notified(3, &[1])));
}
