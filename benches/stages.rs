//! What each stage costs, as a ratio to a plain loop over the same records.
//!
//! `cargo bench --bench stages -- [ROUNDS] [FILE...]`. Without a file, a capture of the laboratory is
//! repeated to 32 MB. Rounds alternate between the stages, so that a busy machine slows all of them;
//! medians count. The plain loop reads through a 256 KiB buffer and copies each record out.
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
    // `cargo bench` adds flags of its own.
    let mut arguments: Vec<_> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let rounds = arguments.first().and_then(|first| first.parse().ok());
    if rounds.is_some() {
        arguments.remove(0);
    }
    let rounds = rounds.unwrap_or(5).max(1);
    let repeated = repeated();
    let mut files: Vec<_> = arguments.into_iter().map(PathBuf::from).collect();
    if files.is_empty() {
        files.push(repeated.path().into());
    }
    for path in files {
        measure(&path, rounds);
    }
}

fn measure(path: &Path, rounds: usize) {
    let size = fs::metadata(path).expect("a file").len() as f64 / 1e6;
    let captures = [folded(path), folded(path)];
    let mut times = [const { Vec::new() }; STAGES.len()];
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for ((_, stage), times) in STAGES.iter().zip(&mut times) {
            times.push(timed(|| stage(path)));
        }
        one.push(analysed(&captures[..1]));
        two.push(analysed(&captures));
    }
    let connections = captures[0].connections.len();
    let records = captures[0].totals.records;
    println!("{size:.0} MB, {records} records, {connections} connections; {rounds} rounds");
    println!("{:12} {:>9} {:>7} {:>11}", "stage", "seconds", "MB/s", "plain loops");
    let [plain, ..] = times.each_mut().map(|times| median(times));
    let stages =
        STAGES.iter().map(|(name, _)| *name).zip(times.iter_mut().map(|times| median(times)));
    for (name, seconds) in
        stages.chain([("one analysed", median(&mut one)), ("two analysed", median(&mut two))])
    {
        let (rate, ratio) = (size / seconds, seconds / plain);
        println!("{name:12} {seconds:>9.4} {rate:>7.0} {ratio:>11.2}");
    }
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Everything behind the reading: choosing, comparing, diagnosing.
fn analysed(captures: &[Capture]) -> Duration {
    let captures = captures.to_vec();
    timed(|| drop(black_box(Analysis::of(captures, &Options::default()))))
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// One capture, many times over: a btsnoop header, and then its records again and again.
fn repeated() -> tempfile::NamedTempFile {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let one = fs::read(root.join(REPEATED)).expect("a capture of the laboratory");
    let (header, records) = one.split_at(16);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(header).expect("it can be written");
    for _ in 0..SIZE / records.len() {
        file.write_all(records).expect("it can be written");
    }
    file
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
