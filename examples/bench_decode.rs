//! Measures decoding: a plain loop over a btsnoop file, reading alone, reading and decoding.
//!
//! `cargo run --release --example bench_decode -- [ROUNDS] FILE...` (`generate` writes large
//! files). Rounds alternate, so that a busy machine slows all three; medians count.
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::wire::{Decoder, Packet};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

fn main() {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let rounds = arguments.first().and_then(|first| first.parse().ok());
    if rounds.is_some() {
        arguments.remove(0);
    }
    for path in arguments.iter().map(Path::new) {
        let size = fs::metadata(path).expect("a file").len();
        let mut times = [const { Vec::new() }; 3];
        let mut records = 0;
        for _ in 0..rounds.unwrap_or(7).max(1) {
            for (run, times) in [plain_loop, read, decode].into_iter().zip(&mut times) {
                let start = clock();
                records = run(path);
                times.push(clock() - start);
            }
        }
        println!("{}: {records} records, {:.1} MB", path.display(), size as f64 / 1e6);
        for (name, times) in ["plain loop", "read", "read and decode"].iter().zip(times) {
            let time = median(times).as_secs_f64();
            println!(
                "  {name:<16} {time:.3} s, {:.0} MB/s, {:.1} million records a second",
                size as f64 / time / 1e6,
                records as f64 / time / 1e6
            );
        }
    }
}

/// Time that this program ran, where Linux tells: what else the machine does counts less.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|told| told.split(' ').next()?.parse().ok());
    spent.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What a straightforward program does, without looking at the records.
fn plain_loop(path: &Path) -> u64 {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path).expect("readable"));
    let mut header = [0; 24];
    file.read_exact(&mut header[..16]).expect("a file header");
    assert!(header.starts_with(b"btsnoop\0"), "the plain loop reads btsnoop files alone");
    let (mut record, mut records) = (Vec::new(), 0);
    while file.read_exact(&mut header).is_ok() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        record.resize(length as usize, 0);
        file.read_exact(&mut record).expect("a whole record");
        black_box(&record);
        records += 1;
    }
    records
}

fn read(path: &Path) -> u64 {
    let mut source =
        open(&Input::Path(path.into()), &OpenOptions::default()).expect("a capture").source;
    let mut records = 0;
    while let Some(record) = source.next().expect("readable") {
        black_box(&record);
        records += 1;
    }
    records
}

fn decode(path: &Path) -> u64 {
    let mut source =
        open(&Input::Path(path.into()), &OpenOptions::default()).expect("a capture").source;
    let mut decoder = Decoder::new();
    let (mut records, mut opaque) = (0, 0);
    while let Some(record) = source.next().expect("readable") {
        let event = decoder.decode(&record);
        opaque += u64::from(matches!(event.packet, Packet::Opaque { .. }));
        black_box(&event);
        records += 1;
    }
    assert!(opaque < records, "something was decoded");
    records
}
