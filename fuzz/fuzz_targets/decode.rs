//! Any records through the decoder, and every event through both printers.
//!
//! The input is a row of records: kind, flags, length, bytes.
#![no_main]

use hcidiff::capture::{Direction, Kind, Payload, Record};
use hcidiff::link::Tracker;
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::time::{Clock, Timestamp};
use hcidiff::wire::Decoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::new();
    let mut table = Events::new(Style::Table, true, Clock::Utc);
    let mut json = Events::new(Style::JsonLines, true, Clock::Utc);
    let mut frame = 0;
    while let Some((&[kind, flags, length], behind)) = rest.split_first_chunk() {
        let (bytes, behind) = behind.split_at(usize::from(length).min(behind.len()));
        rest = behind;
        frame += 1;
        let record = Record {
            frame,
            offset: 0,
            time: (flags & 4 == 0).then_some(Timestamp(i64::from(frame) * 7_500)),
            adapter: (flags & 8 != 0).then_some(u16::from(flags >> 4)),
            direction: [Some(Direction::Sent), Some(Direction::Received), None][usize::from(flags & 3) % 3],
            kind: match kind % 16 {
                0 | 1 => Kind::Command,
                2..=4 => Kind::Event,
                5..=9 => Kind::Acl,
                10 => Kind::Sco,
                11 => Kind::Iso,
                12 | 13 => Kind::Monitor(u16::from(kind >> 3)),
                14 => Kind::Note(0xf7 + (kind >> 5)),
                _ => Kind::Vendor(kind),
            },
            payload: Payload::Bytes(bytes),
            original_len: u32::from(length).max(bytes.len() as u32),
            comment: None,
        };
        let event = decoder.decode(&record);
        assert_eq!(event.frame, frame);
        let place = Place { connection: tracker.push(&event), peer: event.packet.peer(), comment: None };
        let mut line = Vec::new();
        table.push(&event, place, &mut line).unwrap();
        assert!(line.ends_with(b"\n") && !line[..line.len() - 1].contains(&b'\n') && !line.contains(&0x1b));
        line.clear();
        json.push(&event, place, &mut line).unwrap();
        serde_json::from_slice::<serde_json::Value>(&line).unwrap();
    }
});
