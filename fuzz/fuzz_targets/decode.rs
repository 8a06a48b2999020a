//! Any records through the decoder, and every event through both printers.
#![no_main]

use hcidiff::timeline::Tracker;
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::time::Clock;
use hcidiff::decode::Decoder;
use hcidiff_fuzz::records;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::new();
    let mut tracker = Tracker::new();
    let mut table = Events::new(Style::Table, true, Clock::Utc);
    let mut json = Events::new(Style::JsonLines, true, Clock::Utc);
    for record in records(data) {
        let frame = record.frame;
        let event = decoder.decode(&record);
        assert_eq!(event.frame, frame);
        let place = Place { connection: tracker.push(&event), peer: event.packet.peer(), comment: None, record: Some(record.bytes()) };
        let mut line = Vec::new();
        table.push(&event, place, &mut line).unwrap();
        assert!(line.ends_with(b"\n") && !line[..line.len() - 1].contains(&b'\n') && !line.contains(&0x1b));
        line.clear();
        json.push(&event, place, &mut line).unwrap();
        serde_json::from_slice::<serde_json::Value>(&line).unwrap();
    }
});
