//! Measures reading against a plain loop over the same file, as a ratio of medians.
//!
//! `cargo run --release --example bench_read -- [ROUNDS] FILE...` for btsnoop and PacketLogger
//! files (`generate` writes large ones). The plain loop reads through a 256 KiB buffer and
//! copies each record out; rounds alternate, so that a busy machine slows both.
use hcidiff::capture::{Input, OpenOptions, open};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let rounds = arguments.first().and_then(|first| first.parse().ok());
    if rounds.is_some() {
        arguments.remove(0);
    }
    for path in arguments.iter().map(Path::new) {
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        let mut records = 0;
        for _ in 0..rounds.unwrap_or(7).max(1) {
            let (count, time) = timed(|| plain_loop(path));
            plain.push(time);
            let (same, time) = timed(|| drain(path));
            ours.push(time);
            assert_eq!(count, same, "both loops read the same records");
            records = count;
        }
        let (plain, ours) = (median(plain), median(ours));
        println!(
            "{}: {records} records; plain loop {plain:.1?}, hcidiff {ours:.1?}: {:.2} times",
            path.display(),
            ours.as_secs_f64() / plain.as_secs_f64()
        );
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("peak resident memory of this process: {}", peak.unwrap_or("unknown"));
    }
}

fn timed(run: impl Fn() -> u64) -> (u64, Duration) {
    let start = Instant::now();
    let count = run();
    (count, start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What a straightforward program does, without looking at the records.
fn plain_loop(path: &Path) -> u64 {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path).expect("readable"));
    let mut first = [0; 16];
    file.read_exact(&mut first).expect("a file header");
    let btsnoop = first.starts_with(b"btsnoop\0");
    let little = first[0] != 0;
    if !btsnoop {
        file.seek_relative(-16).expect("seekable");
    }
    let (mut record, mut records) = (Vec::new(), 0);
    let mut header = [0; 24];
    loop {
        let header = if btsnoop { &mut header[..] } else { &mut header[..12] };
        match file.read_exact(header) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return records,
            Err(error) => panic!("{error}"),
        }
        let word = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]];
        let len = match (btsnoop, little) {
            (true, _) => u32::from_be_bytes(word(4)),
            (false, false) => u32::from_be_bytes(word(0)) - 8,
            (false, true) => u32::from_le_bytes(word(0)) - 8,
        };
        record.resize(len as usize, 0);
        file.read_exact(&mut record).expect("a whole record");
        black_box(&record);
        records += 1;
    }
}

fn drain(path: &Path) -> u64 {
    let opened = open(&Input::Path(path.into()), &OpenOptions::default()).expect("a capture");
    let mut source = opened.source;
    let mut records = 0;
    while let Some(record) = source.next().expect("readable") {
        black_box(record.bytes());
        black_box(&record);
        records += 1;
    }
    records
}
