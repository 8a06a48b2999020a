//! `hcidiff watch`: whatever way a capture grows, in the end its report is that of the finished file.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, flagship, hcidiff, piped};
use hcidiff::capture::{CaptureError, Input};
use hcidiff::case::{Beside, Side, Unreadable};
use hcidiff::report::{Report, json};
use hcidiff::timeline::Capture;
use hcidiff::watch::Watch;
use hcidiff::{Analysis, Case, analyse};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::LazyLock;

/// Small captures of every format, whole and damaged ones, and some of them compressed.
static CAPTURES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let mut paths = Vec::new();
    for folder in ["vectors", "text", "text/lab/A", "flagship", "lab/A"] {
        let entries = fs::read_dir(fixture(folder)).into_iter().flatten().flatten();
        paths.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    paths.sort();
    let mut captures: Vec<(String, Vec<u8>)> = paths
        .into_iter()
        .filter(|path| !path.extension().is_some_and(|ending| ending == "py" || ending == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("readable"))
        })
        .filter(|(_, bytes)| bytes.len() < 400_000)
        .collect();
    for name in ["mac.pklg", "pi.btsnoop", "02-bad-kick.hcidump-tx.txt"] {
        let found = captures.iter().find(|(known, _)| known == name);
        let packed = found.map(|(_, bytes)| {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            to.write_all(bytes).expect("memory");
            (format!("{name}.gz"), to.finish().expect("memory"))
        });
        captures.extend(packed);
    }
    // Longer than the head by which a format is known.
    for name in ["mac.pklg", "02-bad-kick.hcidump-tx.txt"] {
        let found = captures.iter().find(|(known, _)| known == name);
        let long =
            found.map(|(_, bytes)| (format!("long-{name}"), bytes.repeat(900_000 / bytes.len())));
        captures.extend(long);
    }
    captures
});

/// Hands out a few bytes at a time, as a pipe or a growing file does.
struct Chunks {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let len = size.min(into.len()).min(self.bytes.len() - self.at);
        into[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

/// All that can be said of an outcome.
fn words(analysis: Result<Analysis, Unreadable>) -> String {
    match analysis {
        Ok(analysis) => json::render(&Report::from(analysis)),
        Err(unreadable) => unreadable.to_string(),
    }
}

fn read(case: &Case, chunks: Chunks, ended: &mut Vec<u32>) -> Result<Capture, CaptureError> {
    let mut watch = Watch::open(case.sides().last().expect("a side"), chunks)?;
    while watch.take()? {
        ended.extend(watch.ended());
    }
    ended.extend(watch.ended());
    watch.finish()
}

/// What somebody sees who watched it grow, and how many attempts ended meanwhile.
fn watched(case: &Case, chunks: Chunks) -> (String, Vec<u32>) {
    let mut ended = Vec::new();
    let capture = read(case, chunks, &mut ended);
    let beside = Beside::read(case).expect("a readable reference");
    (words(beside.finished(capture)), ended)
}

fn case(name: &str, bytes: &[u8], salvage: bool) -> Case {
    let mut side = Side::new(Input::bytes(name, bytes));
    side.reading.salvage = salvage;
    side.reading.sha256 = true;
    Case::one(side)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn stopped_at_any_byte_the_report_is_that_of_a_file_that_ends_there(
        which in any::<Index>(),
        // Often all of it.
        end in prop_oneof![Just(None), any::<Index>().prop_map(Some)],
        sizes in prop_oneof![
            prop::collection::vec(1_usize..40, 1..6),
            prop::collection::vec(1_usize..100_000, 1..6),
        ],
        salvage in any::<bool>(),
    ) {
        let (name, whole) = which.get(&CAPTURES);
        let end = end.map_or(whole.len(), |end| end.index(whole.len() + 1));
        let bytes = whole[..end].to_vec();
        let case = case(name, &bytes, salvage);
        let (said, ended) = watched(&case, Chunks { bytes, at: 0, sizes, turn: 0 });
        let analysis = analyse(&case);
        if let Ok(analysis) = &analysis {
            let connections = &analysis.captures[0].connections;
            let over = |c: &&hcidiff::timeline::Connection| c.end.is_some() || c.gone.is_some();
            let over: Vec<u32> = connections.iter().filter(over).map(|c| c.number).collect();
            // A head that is read again may have other attempts; each is told once all the same.
            let mut once = ended.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), ended.len());
            prop_assert!(over.iter().all(|number| ended.contains(number)), "{:?} {:?}", over, ended);
        }
        prop_assert_eq!(said, words(analysis), "{} up to {}", name, end);
    }
}

/// The lines before the report, and the report.
fn parts(out: &str) -> (&str, &str) {
    out.split_once("\n\n").map_or(("", out), |(lines, report)| (lines, report))
}

#[test]
fn a_pipe_ends_with_the_report_of_the_pair() {
    let [reference, subject] = &flagship()[..] else { unreachable!("two captures") };
    let bytes = fs::read(subject).expect("a fixture");
    let reference = reference.to_string_lossy();
    let (status, out, said) = piped(&["watch", "-", "--reference", &reference], &bytes);
    let (due, whole, _) = piped(&[&reference, "-"], &bytes);
    let (lines, report) = parts(&out);
    assert_eq!((status, report), (due, whole.as_str()));
    assert!(lines.starts_with("✗ #1 LabSensor never answered (0x3e, \"error 62\")\n"), "{lines}");
    assert!(lines.contains("[never-heard-peer]") && lines.contains("\n✓ #4 LabSensor worked"));
    assert!(said.starts_with("hcidiff: watching standard input"), "{said}");
}

#[test]
fn machines_get_an_object_for_each_attempt_each_finding_and_the_end() {
    let bytes = fs::read(fixture("flagship/pi.btsnoop")).expect("a fixture");
    let (status, out, _) = piped(&["watch", "-", "-f", "jsonl"], &bytes);
    assert_eq!(status, 1);
    let lines: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let attempts: Vec<_> = of("attempt").iter().map(|it| it["failed"] == true).collect();
    assert_eq!(attempts, [true, true, true, false]);
    assert!(of("finding").iter().any(|it| it["finding"]["rule"] == "never-heard-peer"));
    let last = lines.last().expect("a line");
    assert_eq!((&last["event"], &last["failed"]), (&"end".into(), &3.into()));
    assert_eq!(last["verdict"]["rule"], "never-heard-peer");
    assert_eq!(last["records"], 797);
}

#[test]
fn until_failed_ends_with_the_first_attempt_that_fails() {
    let file = fixture("flagship/pi.btsnoop");
    let out = hcidiff(&[], &["watch", &file.to_string_lossy(), "--until", "failed"]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert_eq!(out.status.code(), Some(1));
    assert!(text.contains("#1 LabSensor") && !text.contains("#2 LabSensor"), "{text}");
}

#[test]
fn aliases_stand_in_the_lines_as_in_the_report() {
    let bytes = fs::read(fixture("flagship/pi.btsnoop")).expect("a fixture");
    for format in ["terminal", "jsonl"] {
        let (_, out, _) = piped(&["watch", "-", "--aliases", "-f", format], &bytes);
        assert!(out.contains("-1 never answered"), "{out}");
        assert!(!out.contains("LabSensor") && !out.contains("F0:12:7C"), "{out}");
    }
}

#[test]
fn what_cannot_be_watched_says_so() {
    let (status, _, said) = piped(&["watch", "-"], b"PK\x03\x04 and more");
    assert_eq!(status, 2);
    assert!(said.contains("a zip archive is read when it is complete"), "{said}");
    let (status, _, said) = piped(&["watch", "-"], b"no capture at all\n");
    assert!(status == 2 && said.contains("plain text"), "{said}");
    let (status, out, _) = piped(&["watch", "-"], b"");
    assert!(status == 2 && out.is_empty(), "{out}");
}

/// The program over a file that grows, and what it has said so far.
#[cfg(unix)]
mod growing {
    use super::*;
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};
    use std::thread::{self, JoinHandle};
    use std::time::{Duration, Instant};

    /// What came through a pipe so far, and the thread that reads it.
    type Said = (Arc<Mutex<String>>, Option<JoinHandle<()>>);

    struct Running {
        child: Child,
        streams: [Said; 2],
    }

    fn gathered(mut from: impl Read + Send + 'static) -> Said {
        let all = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&all);
        let thread = thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(len @ 1..) = from.read(&mut piece) {
                bytes.extend(&piece[..len]);
                *into.lock().unwrap() = String::from_utf8_lossy(&bytes).into_owned();
            }
        });
        (all, Some(thread))
    }

    impl Running {
        fn start(arguments: &[&str]) -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
                .args(arguments)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program runs");
            let out = gathered(child.stdout.take().expect("a pipe"));
            let said = gathered(child.stderr.take().expect("a pipe"));
            Self { child, streams: [out, said] }
        }

        /// Waits until some words stand there. A machine may be slow; one that hangs fails here.
        fn awaits(&self, stream: usize, words: &str) {
            let began = Instant::now();
            while !self.streams[stream].0.lock().unwrap().contains(words) {
                assert!(began.elapsed() < Duration::from_secs(60), "{words}: {:?}", self.texts());
                thread::sleep(Duration::from_millis(5));
            }
        }

        fn texts(&self) -> [String; 2] {
            [0, 1].map(|at| self.streams[at].0.lock().unwrap().clone())
        }

        fn signal(&self, signal: Signal) {
            kill(Pid::from_raw(self.child.id() as i32), signal).expect("it runs");
        }

        fn end(mut self) -> (i32, String, String) {
            let status = self.child.wait().expect("it ends");
            for (_, thread) in &mut self.streams {
                thread.take().expect("once").join().expect("it ends");
            }
            let [out, said] = self.texts();
            (status.code().unwrap_or(-1), out, said)
        }
    }

    fn append(path: &Path, bytes: &[u8]) {
        File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    fn text(path: &Path) -> String {
        path.to_string_lossy().into_owned()
    }

    /// The report of the file as it is now.
    fn report_of(path: &Path) -> String {
        common::report(&[path.to_owned()], &[])
    }

    #[test]
    fn attempts_are_told_as_they_end_and_each_signal_ends_it_with_the_report() {
        let whole = fs::read(fixture("flagship/pi.btsnoop")).expect("a fixture");
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("pi.btsnoop");
            fs::write(&path, &whole[..50]).expect("written");
            let running = Running::start(&["watch", &text(&path)]);
            // A record is cut at both places.
            append(&path, &whole[50..60_001]);
            running.awaits(0, "#1 LabSensor never answered");
            append(&path, &whole[60_001..whole.len() - 3]);
            running.awaits(0, "#4 LabSensor worked");
            running.signal(signal);
            let (status, out, _) = running.end();
            assert_eq!((status, parts(&out).1), (1, report_of(&path).as_str()), "{signal}");
        }
    }

    #[test]
    fn a_file_that_is_moved_away_or_cut_is_reported_and_the_new_one_watched() {
        let (first, second) = ("flagship/pi.btsnoop", "flagship/pi-kicked.btsnoop");
        let [first, second] =
            [first, second].map(|name| fs::read(fixture(name)).expect("a fixture"));
        for moves in [true, false] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("pi.btsnoop");
            fs::write(&path, &first).expect("written");
            let due = report_of(&path);
            let running = Running::start(&["watch", &text(&path)]);
            running.awaits(0, "#4 LabSensor worked");
            if moves {
                fs::rename(&path, folder.path().join("old")).expect("moved");
            }
            // Where it is cut it is shorter for a moment.
            fs::write(&path, &second[..100]).expect("written");
            running.awaits(1, "from here on the new capture is watched");
            append(&path, &second[100..]);
            running.awaits(0, "hung up");
            running.signal(Signal::SIGINT);
            let (_, out, said) = running.end();
            assert!(out.contains(&format!("\n\n{due}")), "{out}");
            assert!(out.ends_with(&report_of(&path)), "{out}");
            let word = if moves { "(rotation)" } else { "was cut and begins again" };
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn a_time_ends_it_too_and_text_is_followed_like_any_other_capture() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("btmon.txt");
        let whole = fs::read(fixture("text/02-bad-kick.hcidump-tx.txt")).expect("a fixture");
        fs::write(&path, b"").expect("written");
        let running = Running::start(&["watch", &text(&path), "--for", "3s"]);
        for piece in whole.chunks(1 + whole.len() / 7) {
            append(&path, piece);
            thread::sleep(Duration::from_millis(30));
        }
        running.awaits(0, "#1 ");
        let (_, out, _) = running.end();
        assert!(out.ends_with(&report_of(&path)), "{out}");
    }

    #[test]
    fn a_pipe_that_nobody_opens_can_be_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let running = Running::start(&["watch", &text(&pipe)]);
        running.awaits(1, "watching pipe");
        running.signal(Signal::SIGINT);
        let (status, _, said) = running.end();
        assert!(status == 2 && said.contains("the file is empty"), "{said}");
    }
}
