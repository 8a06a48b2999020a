//! Times the stages of reading one capture: records, events, connections; and the memory they took.
//!
//! `cargo run --release --example fold -- CAPTURE [ROUNDS]`: medians of interleaved rounds, and their ratios.
use hcidiff::capture::{CaptureError, Input, OpenOptions, open};
use hcidiff::link::{Connection, Step, Tracker};
use hcidiff::wire::Decoder;
use hcidiff::{pipeline, rules};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() -> Result<(), CaptureError> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: fold CAPTURE [ROUNDS]");
        return Ok(());
    };
    let rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(3);
    let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
    let input = Input::Path(path);
    let options = OpenOptions::default();
    let mut times: [Vec<Duration>; 4] = Default::default();
    println!(
        "{size:.0} MB, {} bytes a connection, {} a step",
        size_of::<Connection>(),
        size_of::<Step>()
    );
    for _ in 0..rounds {
        let start = Instant::now();
        let mut source = open(&input, &options)?.source;
        let mut records = 0_u64;
        while let Some(record) = source.next()? {
            records += 1;
            black_box(record.bytes().len());
        }
        times[0].push(start.elapsed());

        let start = Instant::now();
        let mut source = open(&input, &options)?.source;
        let mut decoder = Decoder::new();
        while let Some(record) = source.next()? {
            black_box(&decoder.decode(&record));
        }
        times[1].push(start.elapsed());

        let start = Instant::now();
        let mut source = open(&input, &options)?.source;
        let (mut decoder, mut tracker) = (Decoder::new(), Tracker::new());
        while let Some(record) = source.next()? {
            black_box(tracker.push(&decoder.decode(&record)));
        }
        times[2].push(start.elapsed());
        drop(tracker);

        let capture = pipeline::read(&input, &options, None)?;
        let start = Instant::now();
        let captures = [capture];
        let scene = rules::Scene { captures: &captures, subject: 0, comparison: None };
        let findings = rules::diagnose(&scene).len();
        times[3].push(start.elapsed());
        let capture = &captures[0];
        let steps: usize = capture.connections.iter().map(|c| c.steps.len()).sum();
        black_box((records, findings));
        if times[0].len() == 1 {
            println!(
                "{records} records, {} connections, {steps} steps, {findings} findings",
                capture.connections.len()
            );
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let [read, decode, fold, diagnose] = times.each_mut().map(median);
    for (name, seconds) in [("records", read), ("events", decode), ("connections", fold)] {
        println!("{name:12} {seconds:7.3} s  {:6.0} MB/s", size / seconds);
    }
    println!(
        "folding alone is {:.2} of decoding alone; rules take {:.3} of decoding ({:.3} s)",
        (fold - decode) / (decode - read),
        diagnose / (decode - read),
        diagnose
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|l| l.starts_with("VmHWM"))
    {
        println!("peak memory {}", line.trim_start_matches("VmHWM:").trim());
    }
    Ok(())
}
