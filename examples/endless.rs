//! Folds what no file on this disk holds, and prints the memory it took.
//!
//! `cargo run --release --example endless -- short|long`: 20,000 short connections with 2 GB of advertising
//! and traffic between them, or one connection with 40 million notifications. Nothing is written.
use hcidiff::capture::{Description, Direction, Kind, Payload, Record};
use hcidiff::link::{Capture, Origin, Tracker};
use hcidiff::rules;
use hcidiff::time::{Clock, Timestamp};
use hcidiff::wire::Decoder;
use std::time::Instant;

struct Recorder {
    decoder: Decoder,
    tracker: Tracker,
    frame: u32,
    now: i64,
    bytes: u64,
}

impl Recorder {
    fn push(&mut self, direction: Direction, kind: Kind, bytes: &[u8], after_us: i64) {
        self.frame = self.frame.saturating_add(1);
        self.now += after_us;
        self.bytes += bytes.len() as u64 + 24;
        let record = Record {
            frame: self.frame,
            offset: self.bytes,
            time: Some(Timestamp(self.now)),
            adapter: Some(0),
            direction: Some(direction),
            kind,
            payload: Payload::Bytes(bytes),
            original_len: bytes.len() as u32,
            comment: None,
        };
        self.tracker.push(&self.decoder.decode(&record));
    }

    fn command(&mut self, bytes: &[u8]) {
        self.push(Direction::Sent, Kind::Command, bytes, 900);
    }

    fn event(&mut self, bytes: &[u8], after_us: i64) {
        self.push(Direction::Received, Kind::Event, bytes, after_us);
    }

    fn att(&mut self, direction: Direction, pdu: &[u8]) {
        let start = if direction == Direction::Sent { 0 } else { 0x20 };
        let mut bytes = vec![0x40, start, pdu.len() as u8 + 4, 0, pdu.len() as u8, 0, 4, 0];
        bytes.extend(pdu);
        self.push(direction, Kind::Acl, &bytes, 22_000);
        if direction == Direction::Sent {
            self.event(&[0x13, 5, 1, 0x40, 0, 1, 0], 9_000);
        }
    }

    fn connect(&mut self, peer: [u8; 6]) {
        let mut create = vec![0x0d, 0x20, 25, 0x60, 0, 0x60, 0, 0, 1];
        create.extend(peer);
        create.extend([0, 24, 0, 40, 0, 0, 0, 42, 0, 0, 0, 0, 0]);
        self.command(&create);
        self.event(&[0x0f, 4, 0, 1, 0x0d, 0x20], 900);
        let mut complete = vec![0x3e, 19, 1, 0, 0x40, 0, 0, 1];
        complete.extend(peer);
        complete.extend([39, 0, 0, 0, 42, 0, 1]);
        self.event(&complete, 40_000);
        self.command(&[0x16, 0x20, 2, 0x40, 0]);
        self.event(&[0x0f, 4, 0, 1, 0x16, 0x20], 900);
        self.event(&[0x3e, 12, 4, 0, 0x40, 0, 0x3f, 0, 0, 8, 0, 0, 0, 0], 90_000);
        self.att(Direction::Sent, &[2, 5, 2]);
        self.att(Direction::Received, &[3, 0xf7, 0]);
        for start in [1_u8, 9, 17, 25] {
            self.att(Direction::Sent, &[0x10, start, 0, 0xff, 0xff, 0, 0x28]);
            self.att(Direction::Received, &[0x11, 6, start, 0, start + 7, 0, start, 0x18]);
        }
        self.att(Direction::Sent, &[0x10, 33, 0, 0xff, 0xff, 0, 0x28]);
        self.att(Direction::Received, &[1, 0x10, 33, 0, 0x0a]);
        for start in (1_u8..33).step_by(4) {
            self.att(Direction::Sent, &[8, start, 0, 33, 0, 3, 0x28]);
            self.att(Direction::Received, &[9, 7, start + 1, 0, 0x12, start + 2, 0, start, 0x2a]);
        }
        for handle in [3_u8, 7, 11, 15] {
            self.att(Direction::Sent, &[0x0a, handle, 0]);
            self.att(Direction::Received, &[0x0b, 1, 2, 3, 4]);
        }
        self.att(Direction::Sent, &[0x12, 12, 0, 1, 0]);
        self.att(Direction::Received, &[0x13]);
    }

    fn disconnected(&mut self, reason: u8) {
        self.event(&[5, 4, 0, 0x40, 0, reason], 300_000);
    }
}

fn main() {
    let long = std::env::args().nth(1).is_some_and(|kind| kind == "long");
    let mut recorder = Recorder {
        decoder: Decoder::new(),
        tracker: Tracker::new(),
        frame: 0,
        now: 1_700_000_000_000_000,
        bytes: 0,
    };
    let start = Instant::now();
    let notification: Vec<u8> = [0x1b, 11, 0].into_iter().chain(0..20).collect();
    if long {
        recorder.connect([1, 2, 3, 4, 5, 0xc6]);
        for _ in 0..40_000_000 {
            recorder.att(Direction::Received, &notification);
        }
    } else {
        for n in 0..20_000_u32 {
            let [a, b, ..] = n.to_le_bytes();
            let peer = [a, b % 3, 3, 4, 5, 0xc6];
            for _ in 0..1200 {
                let mut report = vec![0x3e, 29, 2, 1, 0, 1];
                report.extend(peer);
                report.extend([17, 2, 1, 6, 13, 9]);
                report.extend(b"a lamp, again");
                report.truncate(4 + 26);
                report.push(0xc4);
                recorder.event(&report, 3_000);
            }
            recorder.connect(peer);
            for _ in 0..120 {
                recorder.att(Direction::Received, &notification);
            }
            recorder.disconnected([0x13, 0x08, 0x16, 0x3d][n as usize % 4]);
        }
    }
    let (bytes, records) = (recorder.bytes, recorder.frame);
    let description = Description {
        format: "btsnoop",
        variant: String::new(),
        clock: Clock::Utc,
        resolution_us: 1,
    };
    let capture: Capture = recorder.tracker.finish(Origin {
        file: "endless".into(),
        label: "endless".into(),
        description,
        warnings: Vec::new(),
    });
    let folded = start.elapsed();
    let steps: usize = capture.connections.iter().map(|c| c.steps.len()).sum();
    let captures = [capture];
    let start = Instant::now();
    let findings =
        rules::diagnose(&rules::Scene { captures: &captures, subject: 0, comparison: None });
    println!(
        "{records} records, {:.0} MB, {} connections, {steps} steps; folded in {:.1} s; {} findings in {:.3} s",
        bytes as f64 / 1e6,
        captures[0].connections.len(),
        folded.as_secs_f64(),
        findings.len(),
        start.elapsed().as_secs_f64()
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|l| l.starts_with("VmHWM"))
    {
        println!("peak memory {}", line.trim_start_matches("VmHWM:").trim());
    }
}
