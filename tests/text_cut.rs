//! A text that was cut anywhere says nothing that the whole text does not say: of the record that
//! the cut went through, what is missing is unknown, and the record is marked.
#![cfg(feature = "cli")]
mod common;

use hcidiff::capture::{OpenOptions, open_stream};
use hcidiff::decode::Decoder;
use hcidiff::time::Timestamp;
use std::io::Cursor;

/// What is said of each record: its packet and time, and whether something of it is missing.
#[derive(Debug)]
struct Said {
    packet: String,
    time: Option<Timestamp>,
    marked: bool,
}

impl Said {
    /// A time may be unknown, but not another one.
    fn agrees(&self, whole: &Self) -> bool {
        self.packet == whole.packet && (self.time.is_none() || self.time == whole.time)
    }
}

fn said(text: &[u8]) -> Option<Vec<Said>> {
    let input = Cursor::new(text.to_vec());
    let mut source = open_stream(input, "text", &OpenOptions::default()).ok()?.source;
    let (mut decoder, mut said) = (Decoder::new(), Vec::new());
    while let Ok(Some(record)) = source.next() {
        let event = decoder.decode(&record);
        let marked = event.cut || event.problem.is_some();
        said.push(Said { packet: format!("{:?}", event.packet), time: event.time, marked });
    }
    Some(said)
}

/// The beginning that is cut, a few bytes shorter each time.
const LONGEST: usize = 2_500;
const STEP: usize = 7;

#[test]
fn a_text_that_was_cut_says_nothing_else() {
    let mut files = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(common::fixture("text")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        files += 1;
        let mut text = std::fs::read(&path).unwrap();
        let whole = said(&text).unwrap();
        text.truncate(LONGEST);
        while text.len() > 200 {
            text.truncate(text.len() - STEP);
            let Some(cut) = said(&text) else { continue };
            for (frame, (says, should)) in cut.iter().zip(&whole).enumerate() {
                if !says.marked && !says.agrees(should) {
                    let end = String::from_utf8_lossy(&text[text.len() - 60..]).into_owned();
                    wrong.push(format!("{path:?} {end:?}: {frame}: {says:?} for {should:?}"));
                    break;
                }
            }
        }
    }
    assert!(files > 10, "{files}");
    assert!(wrong.is_empty(), "{} cuts: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}
