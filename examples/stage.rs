#![allow(unused)]
// What each stage costs, as a ratio to a plain loop over the same records.
//
// `cargo bench --bench stages -- [ROUNDS] [FILE...]`. Without a file, a capture of the laboratory is
// repeated to 32 MB. Rounds alternate between the stages, so that a busy machine slows all of them;
// medians count. The plain loop reads through a 256 KiB buffer and copies each record out.
use hcidiff::capture::{OpenOptions, open};
use hcidiff::compare::Options;
use hcidiff::decode::Decoder;
use hcidiff::timeline::Capture;
use hcidiff::{Analysis, case};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const REPEATED: &str = "fixtures/lab/B-bluez5.66/b04-failed-establish-3e.btsnoop";
const SIZE: usize = 32_000_000;

type Stage = (&'static str, fn(&Path));

/// Each with everything before it.
const STAGES: [Stage; 4] =
    [("plain loop", plain_loop), ("read", read), ("decode", decode), ("connections", connections)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stage = STAGES.iter().find(|(name, _)| *name == arguments[0]).expect("a stage").1;
    stage(Path::new(&arguments[1]));
}
/// What a straightforward program does, without looking at the records.
fn plain_loop(path: &Path) {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path).expect("readable"));
    let mut header = [0; 24];
    file.read_exact(&mut header[..16]).expect("a file header");
    assert!(header.starts_with(b"btsnoop\0"), "the plain loop reads btsnoop files alone");
    let mut record = Vec::new();
    while file.read_exact(&mut header).is_ok() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        record.resize(length as usize, 0);
        file.read_exact(&mut record).expect("a whole record");
        black_box(&record);
    }
}

fn read(path: &Path) {
    let mut source = open(&path.into(), &OpenOptions::default()).expect("a capture").source;
    while let Some(record) = source.next().expect("readable") {
        black_box(&record);
    }
}

fn decode(path: &Path) {
    let mut source = open(&path.into(), &OpenOptions::default()).expect("a capture").source;
    let mut decoder = Decoder::new();
    while let Some(record) = source.next().expect("readable") {
        black_box(&decoder.decode(&record));
    }
}

fn connections(path: &Path) {
    black_box(folded(path));
}

fn folded(path: &Path) -> Capture {
    case::read(&path.into()).expect("a capture")
}
