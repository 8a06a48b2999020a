//! Any text through the text readers, the decoder, the tracker and the printer of events.
#![no_main]

use hcidiff::capture::{OpenOptions, open_stream};
use hcidiff::timeline::Tracker;
use hcidiff::report::events::{Events, Place, Style};
use hcidiff::time::Clock;
use hcidiff::decode::Decoder;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|input: &[u8]| {
    let options = OpenOptions { tz_offset: (input.len() % 2 == 1).then_some(120), ..OpenOptions::default() };
    let Ok(opened) = open_stream(Cursor::new(input.to_vec()), "input", &options) else { return };
    let mut source = opened.source;
    let is_text = source.describe().format.ends_with("-text");
    let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
    let mut json = Events::new(Style::JsonLines, true, Clock::Relative);
    let (mut line, mut frame) = (Vec::new(), 0);
    while let Ok(Some(record)) = source.next() {
        assert!(record.frame > frame, "frames rise");
        frame = record.frame;
        // A packet takes a few bytes of text at least: nothing is made up.
        assert!(!is_text || frame as usize <= input.len(), "more packets than text");
        let event = decoder.decode(&record);
        let place = Place { connection: tracker.push(&event), peer: event.packet.peer(), comment: None, record: Some(record.bytes()) };
        line.clear();
        json.push(&event, place, &mut line).unwrap();
        serde_json::from_slice::<serde_json::Value>(&line).unwrap();
    }
    source.describe();
    assert!(source.warnings().len() < 100, "warnings are bounded");
});
