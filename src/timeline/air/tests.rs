//! Who was heard: of every condition a case on each side.
use super::*;
use crate::packet::Direction;
use crate::seen::SourceId;
use crate::time::Moment;
use crate::timeline::{Connection, Transport};

const LAMP: Address = Address([1, 0, 0, 0, 0, 0xc1]);
const LOCK: Address = Address([2, 0, 0, 0, 0, 0xc2]);

fn at(frame: u32) -> At {
    let (source, time) = (SourceId::FIRST, Moment::UNKNOWN);
    At { source, frame, time, direction: Direction::Received, cut: false, link: None }
}

fn report<'a>(data: &'a [u8]) -> AdvertisingReport<'a> {
    AdvertisingReport {
        event_type: 0,
        connectable: true,
        directed: false,
        scan_response: false,
        address_type: AddressType::RANDOM,
        address: LAMP,
        rssi: -60,
        data,
    }
}

fn heard(reports: &[AdvertisingReport<'_>]) -> Air {
    let mut air = Air::default();
    for (frame, report) in (1..).zip(reports) {
        air.report(Some(0), at(frame), report, &mut []);
    }
    air
}

#[test]
fn reports_and_scan_responses_are_counted_apart() {
    let response = AdvertisingReport { scan_response: true, connectable: false, ..report(&[]) };
    let beacon = AdvertisingReport { connectable: false, ..report(&[]) };
    let air = heard(&[report(&[]), response, beacon, report(&[])]);
    let device = &air.devices[0];
    assert_eq!((device.reports, device.connectable_reports, device.scan_responses), (3, 2, 1));
    let frames = [device.first, device.last].map(|report| report.map(|report| report.frame));
    assert_eq!(frames, [Some(1), Some(4)]);
    assert_eq!((air.reports(LAMP), air.reports(LOCK)), (3, 0));
    assert_eq!(air.last_report(LAMP).map(|report| report.frame), Some(4));
}

/// 127 says that the strength is not known (Core, Vol 4, Part E, 7.7.65.2).
#[test]
fn a_strength_that_is_not_known_is_none() {
    let with = |rssi| AdvertisingReport { rssi, ..report(&[]) };
    let air = heard(&[with(-70), with(127), with(-50)]);
    let device = &air.devices[0];
    assert_eq!((device.rssi_min, device.rssi_max), (-70, -50));
    assert_eq!(heard(&[with(127)]).devices[0].last.and_then(|report| report.rssi), None);
    assert_eq!(heard(&[with(126)]).devices[0].last.and_then(|report| report.rssi), Some(126));
}

#[test]
fn a_device_that_another_adapter_hears_too_is_elsewhere() {
    let by = |adapters: &[Option<u16>]| {
        let mut air = Air::default();
        adapters.iter().for_each(|adapter| air.report(*adapter, at(1), &report(&[]), &mut []));
        (air.devices[0].adapter, air.devices[0].elsewhere)
    };
    assert_eq!(by(&[Some(0), Some(0)]), (Some(0), false));
    assert_eq!(by(&[Some(0), Some(1)]), (Some(0), true));
}

fn name(text: &str, complete: bool) -> Vec<u8> {
    let kind = if complete { 0x09 } else { 0x08 };
    [&[text.len() as u8 + 1, kind], text.as_bytes()].concat()
}

#[test]
fn a_name_is_the_complete_one_where_there_is_one() {
    let of = |names: &[(&str, bool)]| {
        let data: Vec<Vec<u8>> =
            names.iter().map(|(text, complete)| name(text, *complete)).collect();
        let reports: Vec<_> = data.iter().map(|data| report(data)).collect();
        heard(&reports).devices[0].name.clone()
    };
    assert_eq!(of(&[("La", false)]).as_deref(), Some("La"));
    assert_eq!(of(&[("La", false), ("Lamp", true)]).as_deref(), Some("Lamp"));
    assert_eq!(of(&[("Lamp", true), ("La", false)]).as_deref(), Some("Lamp"));
    assert_eq!(of(&[("Lamp", true), ("Lantern", true)]).as_deref(), Some("Lantern"));
    assert_eq!(of(&[("Lamp", true), ("", true)]).as_deref(), Some("Lamp"));
    assert_eq!(of(&[("", true)]), None);
}

/// What a device says of itself seldom changes: the first sixteen packets are read, and later every 64th of one
/// that has no name yet.
#[test]
fn what_a_device_says_is_read_at_first_and_now_and_then() {
    let named = name("Lamp", true);
    let at = |place: usize| {
        let reports: Vec<_> =
            (1..=place).map(|n| if n == place { report(&named) } else { report(&[]) }).collect();
        heard(&reports).devices[0].name.is_some()
    };
    assert!(at(16) && !at(17) && !at(63) && at(64) && !at(65) && at(128));
    // One that has a name already is not read again.
    let other = name("Lantern", true);
    let mut reports = vec![report(&named)];
    reports.extend(std::iter::repeat_n(report(&other), 0));
    reports.extend((2..64).map(|_| report(&named)));
    reports.push(report(&other));
    assert_eq!(heard(&reports).devices[0].name.as_deref(), Some("Lamp"));
    // Scan responses count among the first sixteen.
    let response = AdvertisingReport { scan_response: true, ..report(&[]) };
    let mut reports = vec![response; 16];
    reports.push(report(&named));
    assert_eq!(heard(&reports).devices[0].name, None);
}

#[test]
fn services_and_the_rest_are_kept_once() {
    let services: Vec<u8> = (0..12_u8).flat_map(|n| [n % 10, 0x18]).collect();
    let data =
        [&[25, 0x03], &services[..], &[2, 0x01, 6], &[3, 0xff, 0x59, 0], &[3, 0x19, 0x40, 0x03]]
            .concat();
    let air = heard(&[report(&data), report(&[])]);
    let device = &air.devices[0];
    assert_eq!(device.services.len(), 8);
    assert_eq!(
        (device.flags, device.company, device.appearance),
        (Some(6), Some(0x59), Some(0x0340))
    );
    let twice = [3, 0x03, 0x0f, 0x18];
    assert_eq!(heard(&[report(&twice), report(&twice)]).devices[0].services.len(), 1);
}

#[test]
fn devices_are_remembered_up_to_a_bound() {
    let mut air = Air::default();
    for n in 0..8195_u32 {
        let [a, b, c, _] = n.to_le_bytes();
        let report = AdvertisingReport { address: Address([a, b, c, 0, 0, 0xc0]), ..report(&[]) };
        air.report(None, at(1), &report, &mut []);
    }
    assert_eq!((air.devices.len(), air.beyond), (8192, 3));
}

#[test]
fn an_ended_connection_hears_the_next_report_of_its_device() {
    let mut connections = [Connection::new(0, None, Transport::Le)];
    let mut air = Air::default();
    air.report(None, at(1), &report(&[]), &mut connections);
    assert!(connections[0].report_after.is_none(), "it does not wait");
    air.await_report(LOCK, 0);
    air.report(None, at(2), &report(&[]), &mut connections);
    assert!(connections[0].report_after.is_none(), "it waits for another device");
    air.await_report(LAMP, 0);
    air.report(None, at(3), &report(&[]), &mut connections);
    air.report(None, at(4), &report(&[]), &mut connections);
    assert_eq!(connections[0].report_after.map(|report| report.frame), Some(3));
}

/// A device that would accept a connection beside the link that it has.
#[test]
fn a_link_knows_that_its_device_advertises_beside_it() {
    let beacon = AdvertisingReport { connectable: false, ..report(&[]) };
    let of = |linked: Option<Address>, reports: &[AdvertisingReport<'_>]| {
        let mut connections = [Connection::new(0, None, Transport::Le)];
        let mut air = Air::default();
        if let Some(address) = linked {
            air.linked(address, 0);
        }
        reports.iter().for_each(|report| air.report(None, at(1), report, &mut connections));
        connections[0].advertised.map_or(0, |advertised| advertised.reports)
    };
    assert_eq!(of(Some(LAMP), &[report(&[]), report(&[])]), 2);
    assert_eq!(of(Some(LAMP), &[beacon]), 0);
    assert_eq!((of(Some(LOCK), &[report(&[])]), of(None, &[report(&[])])), (0, 0));
    let mut air = Air::default();
    air.linked(LAMP, 4);
    air.unlinked(LAMP, 3);
    assert_eq!(air.linked_to(LAMP), Some(4), "another link's end");
    air.unlinked(LAMP, 4);
    assert_eq!(air.linked_to(LAMP), None);
}

/// A hash that differs for what differs; the length of an address is always six.
#[test]
fn addresses_spread() {
    let hash = |bytes: &[u8], words: &[usize]| {
        let mut hasher = AddressHasher::default();
        words.iter().for_each(|word| hasher.write_usize(*word));
        hasher.write(bytes);
        hasher.finish()
    };
    assert_ne!(hash(&LAMP.0, &[]), hash(&LOCK.0, &[]));
    assert_eq!(hash(&LAMP.0, &[6]), hash(&LAMP.0, &[]));
    assert_ne!(hash(&LAMP.0, &[7]), hash(&LAMP.0, &[]));
}
