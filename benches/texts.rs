//! How fast btmon's text is read, as a ratio to finding the ends of its lines and to counting them.
//!
//! `cargo bench --bench texts -- [ROUNDS] [FILE]`. Without a file, a text of the laboratory is repeated until there is
//! enough; its times go on. Rounds alternate, medians count, and the memory is what the process took at most.
#[path = "counted/mod.rs"]
mod counted;

use counted::{Made, busy, line_ends, median, memory, newlines, timed};
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::{Side, read};
use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;

const SIZE: usize = 128_000_000;
const TEXTS: [&str; 1] = ["fixtures/text/lab/B-bluez5.82/b13-phantom.btmon.txt"];
/// Microseconds between one session and the next.
const PAUSE: i64 = 1_000_000;

fn main() {
    let Made { rounds, path, .. } = &counted::file(make);
    let size = fs::metadata(path).expect("a file").len() as f64 / 1e6;
    let [mut counts, mut finds, mut reads, mut wholes] = [const { Vec::new() }; 4];
    let (mut lines, mut packets, mut attempts) = (0, 0, 0);
    for _ in 0..*rounds {
        let (counted, seconds) = timed(path, newlines);
        lines = counted;
        counts.push(seconds);
        finds.push(timed(path, line_ends).1);
        let start = busy();
        packets = black_box(drained(path));
        reads.push(busy() - start);
        let start = busy();
        let capture = read(&Side::from(path.as_path())).expect("a capture");
        wholes.push(busy() - start);
        attempts = black_box(capture).connections.len();
    }
    let all = [&mut counts, &mut finds, &mut reads, &mut wholes];
    let [count, find, read, whole] = all.map(|times| median(times));
    println!(
        "{size:.0} MB, {lines} lines, {packets} packets, {attempts} attempts; {rounds} rounds"
    );
    println!("newlines counted {count:.4} s, {:.0} MB/s", size / count);
    println!("line ends found  {find:.4} s, {:.0} MB/s", size / find);
    for (what, took) in [("packets read    ", read), ("attempts found  ", whole)] {
        println!(
            "{what} {took:.4} s, {:.0} MB/s, 1/{:.1} of finding the ends, 1/{:.1} of the count",
            size / took,
            took / find,
            took / count
        );
    }
    println!("at most {} kB of memory", memory());
}

/// Reads all records of a file.
fn drained(path: &Path) -> u64 {
    let mut source = open(&Input::from(path), &OpenOptions::default()).expect("a capture").source;
    let mut packets = 0;
    while let Some(record) = source.next().expect("a file that can be read") {
        black_box(&record);
        packets += 1;
    }
    packets
}

/// Sessions one after the other, on one clock.
fn make(out: &mut dyn Write) -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts =
        TEXTS.map(|name| fs::read_to_string(root.join(name)).expect("the laboratory's text"));
    let (mut written, mut now) = (0, 0);
    for text in texts.iter().cycle() {
        if written >= SIZE {
            break;
        }
        let mut last = now;
        for line in text.lines() {
            match line.rsplit_once(' ').and_then(|(before, end)| Some((before, micros(end)?))) {
                Some((before, at)) => {
                    last = now + at;
                    writeln!(out, "{before} {}.{:06}", last / 1_000_000, last % 1_000_000)?;
                }
                None => writeln!(out, "{line}")?,
            }
            written += line.len() + 1;
        }
        now = last + PAUSE;
    }
    Ok(())
}

/// `12.345678`, as btmon prints seconds.
fn micros(word: &str) -> Option<i64> {
    let (seconds, fraction) = word.split_once('.').filter(|(_, fraction)| fraction.len() == 6)?;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + fraction.parse::<i64>().ok()?)
}
