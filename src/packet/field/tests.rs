//! Lists that are built here are read back as they were built.
use super::*;
use crate::packet::att::{self, ByLength, Handle, Information, Lengths, Uuid, Values};
use crate::packet::hci::{
    Command, DirectedReport, DirectedReports, Event, ExtendedReport, ExtendedReports, LeEvent,
    LegacyReport, LegacyReports, ScanningPhy,
};
use crate::packet::mgmt;

const DEVICE: Address = Address([1, 2, 3, 4, 5, 0xc6]);

#[test]
fn attribute_lists_are_built() {
    let (one, other) = (Handle(1), Handle(0x20));
    let mut room = Vec::new();
    let same = |pdu: att::Pdu<'_>| {
        let mut bytes = Vec::new();
        pdu.encode(&mut bytes);
        let (read, problem) = att::Pdu::decode(pdu.code(), &bytes, false);
        assert_eq!((problem, read), (None, pdu));
    };
    let long = Uuid::Full([7; 16]);
    for uuids in [[Uuid::Short(0x2902), Uuid::Short(0x2901)], [Uuid::Short(0x2902), long]] {
        let list = Information::new(&[(one, uuids[0]), (other, uuids[1])], &mut room).unwrap();
        assert_eq!(list.iter().map(|it| it.1).collect::<Vec<_>>(), uuids);
        same(att::Pdu::FindInformationResponse { list });
    }
    let list = ByLength::<2>::new(&[(one, b"ab"), (other, b"cd")], &mut room).unwrap();
    assert_eq!(list.iter().collect::<Vec<_>>(), [(one, &b"ab"[..]), (other, b"cd")]);
    same(att::Pdu::ReadByTypeResponse { list });
    let list = ByLength::<4>::new(&[(one, other, b"\x00\x18")], &mut room).unwrap();
    assert_eq!(list.iter().collect::<Vec<_>>(), [(one, other, &b"\x00\x18"[..])]);
    same(att::Pdu::ReadByGroupTypeResponse { list });
    let list = Values::new(&[(one, b"a"), (other, b"")], &mut room).unwrap();
    same(att::Pdu::MultipleHandleValueNotification { list });
    let values = Lengths::new(&[b"abc", b""], &mut room).unwrap();
    assert_eq!(values.iter().collect::<Vec<_>>(), [&b"abc"[..], b""]);
    same(att::Pdu::ReadMultipleVariableResponse { values });
    let handles = List::new(&[one, other], &mut room).unwrap();
    same(att::Pdu::ReadMultipleRequest { handles });
}

#[test]
fn what_no_packet_can_hold_is_not_built() {
    let mut room = Vec::new();
    let one = Handle(1);
    assert!(Information::new(&[], &mut room).is_none());
    assert!(ByLength::<2>::new(&[], &mut room).is_none());
    assert!(ByLength::<2>::new(&[(one, b"a"), (one, b"ab")], &mut room).is_none());
    assert!(ByLength::<2>::new(&[(one, &[0; 253])], &mut room).is_some());
    assert!(ByLength::<2>::new(&[(one, &[0; 254])], &mut room).is_none());
    assert!(Values::new(&[(one, &[0; 65_536])], &mut room).is_none());
    assert!(List::<Handle, 2>::new(&[one], &mut room).is_none());
    let pair = (ConnHandle(1), 1_u16);
    assert!(Counted::<(ConnHandle, u16)>::new(&[pair; 255], &mut room).is_some());
    assert!(Counted::<(ConnHandle, u16)>::new(&[pair; 256], &mut room).is_none());
    assert!(Counted::<(ConnHandle, u16), 2>::new(&[pair; 256], &mut room).is_some());
    let phy = ScanningPhy { scan_type: 0, scan_interval: 4, scan_window: 4 };
    assert!(Phys::new(0b101, &[phy], &mut room).is_none());
    let report = LegacyReport {
        event_type: 0,
        address_type: AddressType::RANDOM,
        address: DEVICE,
        data: Sized8(&[0; 256]),
        rssi: 0,
    };
    assert!(LegacyReports::new(&[report], &mut room).is_none());
}

#[test]
fn advertising_reports_are_built() {
    let same = |event: LeEvent<'_>| {
        let mut bytes = Vec::new();
        Event::Le { event }.encode(&mut bytes);
        let (read, problem) = Event::read(0x3e, &bytes, false);
        assert_eq!((problem, read), (None, Event::Le { event }));
        read.advertising().map(|it| (it.address, it.rssi, it.data.len())).collect::<Vec<_>>()
    };
    let mut room = Vec::new();
    let (address_type, address, data) = (AddressType::RANDOM, DEVICE, Sized8(b"\x02\x01\x06"));
    let report = LegacyReport { event_type: 3, address_type, address, data, rssi: -60 };
    let reports = LegacyReports::new(&[report; 2], &mut room).unwrap();
    assert_eq!(reports.whole().collect::<Vec<_>>(), [report; 2]);
    assert_eq!(same(LeEvent::AdvertisingReport { reports }), [(DEVICE, -60, 3); 2]);
    let report = DirectedReport {
        event_type: 1,
        address_type,
        address,
        direct_address_type: AddressType::RANDOM,
        direct_address: Address([6, 5, 4, 3, 2, 0x46]),
        rssi: -61,
    };
    let reports = DirectedReports::new(&[report], &mut room).unwrap();
    assert_eq!(same(LeEvent::DirectedAdvertisingReport { reports }), [(DEVICE, -61, 0)]);
    let report = ExtendedReport {
        event_type: 0x13,
        address_type,
        address,
        primary_phy: 1,
        secondary_phy: 0,
        advertising_sid: 0xff,
        tx_power: 127,
        rssi: -62,
        periodic_advertising_interval: 0,
        direct_address_type: AddressType::PUBLIC,
        direct_address: Address::default(),
        data,
    };
    let reports = ExtendedReports::new(&[report], &mut room).unwrap();
    assert_eq!(reports.whole().collect::<Vec<_>>(), [report]);
    assert_eq!(same(LeEvent::ExtendedAdvertisingReport { reports }), [(DEVICE, -62, 3)]);
}

#[test]
fn lists_of_keys_are_built_and_do_not_print_them() {
    let key = mgmt::IdentityResolvingKey {
        address: DEVICE,
        address_type: 2,
        value: Secret::new([0xab; 16]),
    };
    let mut room = Vec::new();
    let keys = Counted::new(&[key; 300], &mut room).unwrap();
    let command = mgmt::Command::LoadIdentityResolvingKeys { keys };
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    assert_eq!(bytes.len(), 2 + 300 * 23);
    let (read, problem) = mgmt::Command::decode(0x0030, &bytes, false);
    assert_eq!((problem, read), (None, command));
    let printed = format!("{read:?} {key:?}").to_lowercase();
    assert!(!printed.contains("abab") && !printed.contains("171"), "{printed}");
    let handles = Counted::new(&[(ConnHandle(0x40), 2), (ConnHandle(0x41), 1)], &mut room);
    let event = Event::NumberOfCompletedPackets { handles: handles.unwrap() };
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    assert_eq!(bytes, [2, 0x40, 0, 2, 0, 0x41, 0, 1, 0]);
    let set = Command::Other { code: 0xfc00, parameters: &[] };
    assert_eq!(set.link(), None);
}
