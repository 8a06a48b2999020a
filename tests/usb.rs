//! HCI over USB, as usbmon and USBPcap capture it.
use hcidiff::capture::{Kind, OpenOptions, open_stream};
use hcidiff::packet::Direction;
use std::io::Cursor;

use Direction::{Received, Sent};

const RESET: &[u8] = &[0x03, 0x0c, 0x00];
const COMPLETE: &[u8] = &[0x0e, 0x04, 0x01, 0x03, 0x0c, 0x00];
/// LE Read Remote Features Complete, longer than an interrupt transfer of 8 bytes.
const FEATURES: &[u8] = &[0x3e, 12, 4, 0, 0x40, 0, 0xff, 0x79, 1, 0, 0, 0, 0, 0];
const MTU: &[u8] = &[0x40, 0, 7, 0, 3, 0, 4, 0, 2, 5, 2];
/// Class request to the device: what carries commands.
const CLASS: &[u8; 8] = &[0x20, 0, 0, 0, 0, 0, 3, 0];

const CONTROL: u8 = 2;
const INTERRUPT: u8 = 1;
const BULK: u8 = 3;

fn pcap(linktype: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 65535, linktype] {
        file.extend_from_slice(&u32::to_le_bytes(word));
    }
    for frame in frames {
        let len = frame.len() as u32;
        for word in [1_700_000_000, 0, len, len] {
            file.extend_from_slice(&u32::to_le_bytes(word));
        }
        file.extend_from_slice(frame);
    }
    file
}

/// A usbmon frame with a header of `size` bytes (kernel, Documentation/usb/usbmon).
fn usbmon(
    size: usize,
    event: u8,
    transfer: u8,
    endpoint: u8,
    device: u8,
    setup: Option<&[u8; 8]>,
    data: &[u8],
) -> Vec<u8> {
    let mut frame = vec![0; size];
    frame[8..12].copy_from_slice(&[event, transfer, endpoint, device]);
    frame[12] = 1;
    frame[14] = if setup.is_some() { 0 } else { b'-' };
    frame[36..40].copy_from_slice(&(data.len() as u32).to_le_bytes());
    if let Some(setup) = setup {
        frame[40..48].copy_from_slice(setup);
    }
    frame.extend_from_slice(data);
    frame
}

/// A USBPcap frame (USBPcap capture format specification); control transfers have a stage.
fn usbpcap(completes: bool, transfer: u8, endpoint: u8, stage: Option<u8>, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 27];
    frame[0] = 27 + u8::from(stage.is_some());
    frame[16] = completes.into();
    frame[17] = 1;
    frame[19] = 5;
    frame[21..23].copy_from_slice(&[endpoint, transfer]);
    frame[23..27].copy_from_slice(&(data.len() as u32).to_le_bytes());
    frame.extend(stage);
    frame.extend_from_slice(data);
    frame
}

type Seen = (Kind, Option<Direction>, Option<u16>, Vec<u8>);

fn read(file: Vec<u8>) -> (Vec<Seen>, Vec<&'static str>) {
    let opened = open_stream(Cursor::new(file), "test", &OpenOptions::default()).unwrap();
    let mut source = opened.source;
    let mut records = Vec::new();
    while let Some(record) = source.next().unwrap() {
        records.push((record.kind, record.direction, record.adapter, record.bytes().to_vec()));
    }
    (records, source.warnings().iter().map(|warning| warning.kind.word()).collect())
}

fn hci(records: Vec<Seen>) -> Vec<Seen> {
    records.into_iter().filter(|(kind, ..)| !matches!(kind, Kind::Foreign(_))).collect()
}

fn on(adapter: u16, kind: Kind, direction: Direction, packet: &[u8]) -> Seen {
    (kind, Some(direction), Some(adapter), packet.to_vec())
}

#[test]
fn usbmon_transfers_become_packets() {
    for (linktype, size) in [(189, 48), (220, 64)] {
        let frames = [
            // A keyboard's report and a disk's data come first: they are not HCI.
            usbmon(size, b'C', INTERRUPT, 0x81, 9, None, &[0, 0, 4, 0, 0, 0, 0, 0]),
            usbmon(size, b'S', BULK, 0x02, 8, None, b"USBC data of a disk"),
            usbmon(size, b'S', CONTROL, 0, 5, Some(CLASS), RESET),
            usbmon(size, b'C', CONTROL, 0, 5, None, &[]),
            usbmon(size, b'C', INTERRUPT, 0x81, 5, None, COMPLETE),
            usbmon(size, b'S', INTERRUPT, 0x81, 5, None, &[]),
            usbmon(size, b'C', INTERRUPT, 0x81, 5, None, &FEATURES[..8]),
            usbmon(size, b'C', INTERRUPT, 0x81, 5, None, &FEATURES[8..]),
            usbmon(size, b'S', BULK, 0x02, 5, None, MTU),
            usbmon(size, b'C', BULK, 0x82, 5, None, MTU),
        ];
        let (records, warnings) = read(pcap(linktype, &frames));
        assert_eq!(records.len(), frames.len(), "every transfer is a record");
        let packets = [
            on(0, Kind::Command, Sent, RESET),
            on(0, Kind::Event, Received, COMPLETE),
            on(0, Kind::Event, Received, FEATURES),
            on(0, Kind::Acl, Sent, MTU),
            on(0, Kind::Acl, Received, MTU),
        ];
        assert_eq!(hci(records), packets, "link type {linktype}");
        assert_eq!(warnings, [""; 0]);
    }
}

#[test]
fn two_adapters_on_a_bus_are_told_apart() {
    let frames = [
        usbmon(64, b'S', CONTROL, 0, 5, Some(CLASS), RESET),
        usbmon(64, b'S', CONTROL, 0, 6, Some(CLASS), RESET),
        usbmon(64, b'C', INTERRUPT, 0x81, 6, None, COMPLETE),
        usbmon(64, b'C', INTERRUPT, 0x81, 5, None, COMPLETE),
    ];
    let adapters: Vec<_> = hci(read(pcap(220, &frames)).0).iter().map(|seen| seen.2).collect();
    assert_eq!(adapters, [Some(0), Some(1), Some(1), Some(0)]);
}

#[test]
fn usbpcap_transfers_become_packets() {
    let together = [&CLASS[..], RESET].concat();
    for commands in [
        // Setup and data apart, as older versions have it, and together.
        vec![
            usbpcap(false, CONTROL, 0, Some(0), CLASS),
            usbpcap(false, CONTROL, 0, Some(1), RESET),
        ],
        vec![usbpcap(false, CONTROL, 0, Some(0), &together)],
    ] {
        let mut frames = commands;
        frames.push(usbpcap(true, INTERRUPT, 0x81, None, COMPLETE));
        frames.push(usbpcap(false, BULK, 0x02, None, MTU));
        frames.push(usbpcap(true, BULK, 0x02, None, &[]));
        let (records, _) = read(pcap(249, &frames));
        assert_eq!(records.len(), frames.len());
        let packets = [
            on(0, Kind::Command, Sent, RESET),
            on(0, Kind::Event, Received, COMPLETE),
            on(0, Kind::Acl, Sent, MTU),
        ];
        assert_eq!(hci(records), packets);
    }
}

#[test]
fn a_capture_of_other_devices_says_that_no_adapter_is_in_it() {
    let frames = [usbmon(64, b'C', INTERRUPT, 0x81, 9, None, &[0, 0, 4, 0, 0, 0, 0, 0])];
    let (records, warnings) = read(pcap(220, &frames));
    assert_eq!(records[0].0, Kind::Foreign(220));
    assert_eq!(warnings, ["no-hci"]);
}
