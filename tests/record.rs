//! `hcidiff record`, with a socket on which this test speaks as the kernel does.
#![cfg(all(feature = "cli", feature = "record", target_os = "linux"))]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::{fixture, piped, report};
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::record::{Monitor, Sink, Writer};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socketpair};
use nix::unistd::Pid;
use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The kernel's end of a socket, and the recorder's.
fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .expect("a pair of sockets")
}

/// A packet as the kernel's monitor sends it.
fn message(opcode: u16, adapter: u16, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut message: Vec<u8> =
        [opcode, adapter, length].iter().flat_map(|it| it.to_le_bytes()).collect();
    message.extend(bytes);
    message
}

fn speak(kernel: &OwnedFd, message: &[u8]) {
    send(kernel.as_raw_fd(), message, MsgFlags::empty()).expect("sent");
}

/// The records of a capture of the Linux monitor: opcode, adapter and bytes.
fn packets(path: &Path) -> Vec<(u16, u16, Vec<u8>)> {
    let whole = fs::read(path).expect("a capture");
    let (mut at, mut packets) = (16, Vec::new());
    while at + 24 <= whole.len() {
        let number = |at: usize| u32::from_be_bytes(whole[at..at + 4].try_into().expect("four"));
        let (length, flags) = (number(at + 4) as usize, number(at + 8));
        let bytes = whole[at + 24..at + 24 + length].to_vec();
        packets.push((flags as u16, (flags >> 16) as u16, bytes));
        at += 24 + length;
    }
    assert_eq!(at, whole.len(), "no record is cut");
    packets
}

/// Counts, and keeps nothing.
#[derive(Default)]
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Count {
    fn cut(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Sends so many packets, and returns how many were written, of how many bytes.
fn through(packets: u64) -> (u64, u64) {
    let (kernel, recorder) = pair();
    let sender = thread::spawn(move || {
        for number in 0..packets {
            speak(&kernel, &message(5, 0, &number.to_le_bytes()));
        }
    });
    let mut monitor = Monitor::of(recorder).expect("a socket");
    let mut writer = Writer::new(Count::default()).expect("a writer");
    let mut next = 0_u64;
    loop {
        let taken = monitor.receive(|packet| {
            assert_eq!(packet.bytes, next.to_le_bytes(), "in order");
            next += 1;
            writer.push(&packet, 0)
        });
        writer.flush().expect("written");
        match taken.expect("received") {
            None => break,
            Some(0) => drop(monitor.wait(Duration::from_millis(100)).expect("it waits")),
            Some(_) => {}
        }
    }
    sender.join().expect("it ends");
    assert_eq!((writer.records(), monitor.dropped(), monitor.strange), (next, 0, 0));
    (writer.records(), writer.sink().0)
}

#[test]
fn a_hundred_thousand_packets_go_through_and_none_is_lost() {
    assert_eq!(through(100_000), (100_000, 16 + 100_000 * 32));
}

/// Takes a minute or two: `cargo test --release --test record -- --ignored`.
#[test]
#[ignore = "fifty million packets take minutes"]
fn memory_does_not_grow_with_the_recording() {
    let packets =
        std::env::var("PACKETS").ok().and_then(|it| it.parse().ok()).unwrap_or(50_000_000);
    assert_eq!(through(packets).0, packets);
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    eprintln!("{packets} packets, peak {peak} kB");
    assert!(peak < 32 << 10, "{peak} kB");
}

#[test]
fn what_the_kernel_drops_is_counted() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    sender.connect(socket.local_addr().expect("an address")).expect("connected");
    let mut monitor = Monitor::of(socket.into()).expect("a socket");
    let sent = 40_000;
    for _ in 0..sent {
        sender.send(&message(3, 0, &[0; 1_000])).expect("sent");
    }
    let mut received = 0;
    while let Some(1..) =
        monitor.receive(|_| Ok(())).expect("received").inspect(|it| received += it)
    {}
    assert!(monitor.dropped() > 0);
    assert_eq!(received as u64 + monitor.dropped(), sent);
}

#[test]
fn what_is_no_packet_is_counted_and_passed() {
    let (kernel, recorder) = pair();
    let mut monitor = Monitor::of(recorder).expect("a socket");
    for bytes in [&b"short"[..], &message(3, 0xffff, b""), &message(99, 7, b"x")] {
        speak(&kernel, bytes);
    }
    let mut seen = Vec::new();
    let see = |packet: hcidiff::record::Packet<'_>| {
        seen.push((packet.opcode, packet.adapter, packet.record().adapter));
        Ok(())
    };
    monitor.receive(see).expect("received");
    assert_eq!((monitor.strange, seen), (1, vec![(3, 0xffff, None), (99, 7, Some(7))]));
}

/// The program, and the kernel's end of its socket.
struct Recording {
    child: Child,
    kernel: OwnedFd,
    folder: tempfile::TempDir,
}

impl Recording {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, arguments)
    }

    fn start_in(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let (kernel, recorder) = pair();
        let child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
            .args(["record", "--stdin-socket"])
            .args(arguments)
            .env_clear()
            .env("PATH", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::from(recorder))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        Self { child, kernel, folder }
    }

    fn speak(&self, packets: &[(u16, u16, Vec<u8>)]) {
        for (opcode, adapter, bytes) in packets {
            speak(&self.kernel, &message(*opcode, *adapter, bytes));
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pi.btsnoop")
    }

    /// Waits until the file has so many bytes. A machine may be slow; one that hangs fails here.
    fn awaits(&self, length: u64) {
        let began = Instant::now();
        while fs::metadata(self.path()).map_or(0, |about| about.len()) < length {
            assert!(began.elapsed() < Duration::from_secs(60), "{length} bytes");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The kernel's end is closed, which no kernel does: what was sent was taken.
    fn close(self) -> (Output, tempfile::TempDir) {
        let Self { child, kernel, folder } = self;
        drop(kernel);
        (child.wait_with_output().expect("it ends"), folder)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn all_packets_are_in_the_file_and_the_report_is_that_of_the_file() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    let mac = fixture("flagship/mac.pklg");
    let recording = Recording::start(&["-o", "pi.btsnoop", "--reference", &mac.to_string_lossy()]);
    recording.speak(&pi);
    let path = recording.path();
    let (output, _folder) = recording.close();
    assert_eq!(packets(&path), pi);
    let out = text(&output.stdout);
    let (lines, rest) = out.split_once("\n\n").expect("lines, and the report");
    assert_eq!(rest, report(&[mac, path.clone()], &[]));
    assert!(lines.starts_with("✗ #1 LabSensor never answered (0x3e, \"error 62\")"), "{lines}");
    assert!(lines.contains("\n✓ #4 LabSensor worked for "), "{lines}");
    let said = text(&output.stderr);
    assert!(said.contains("now start the program that fails; Ctrl-C when it has failed"), "{said}");
    assert!(said.contains(&format!("recorded {} packets into pi.btsnoop", pi.len())), "{said}");
    assert_eq!(output.status.code(), Some(1));
    // Keys may be in it.
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).expect("it").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn each_signal_ends_it_with_all_that_was_sent_before() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let recording = Recording::start(&["-o", "pi.btsnoop"]);
        recording.speak(&pi[..400]);
        recording.awaits(5_000);
        recording.speak(&pi[400..500]);
        kill(Pid::from_raw(recording.child.id() as i32), signal).expect("it runs");
        let path = recording.path();
        let Recording { child, kernel, folder } = recording;
        let output = child.wait_with_output().expect("it ends");
        drop(kernel);
        assert_eq!(packets(&path), pi[..500], "{signal}");
        assert!(text(&output.stdout).ends_with(&report(&[path], &[])), "{signal}");
        drop(folder);
    }
}

#[test]
fn killed_at_any_moment_it_leaves_whole_records() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    for most in [100, 300, 700] {
        let mut recording = Recording::start(&["-o", "pi.btsnoop"]);
        recording.speak(&pi[..most]);
        recording.awaits(2_000);
        recording.child.kill().expect("it runs");
        recording.child.wait().expect("it ends");
        let kept = packets(&recording.path());
        assert!(!kept.is_empty() && kept[..] == pi[..kept.len()]);
    }
}

#[test]
fn until_failed_it_goes_on_for_a_moment_and_ends() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    let recording = Recording::start(&["-o", "pi.btsnoop", "--until", "failed"]);
    recording.speak(&pi[..450]);
    let path = recording.path();
    let Recording { child, kernel, folder } = recording;
    let output = child.wait_with_output().expect("it ends by itself");
    assert_eq!(packets(&path).len(), 450);
    assert!(text(&output.stdout).starts_with("✗ #1 LabSensor never answered"));
    drop((kernel, folder));
}

#[test]
fn a_time_ends_it_and_silence_is_no_capture() {
    let recording = Recording::start(&["-o", "pi.btsnoop", "--for", "1s"]);
    let Recording { child, kernel, folder } = recording;
    let output = child.wait_with_output().expect("it ends by itself");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the kernel said nothing"), "{output:?}");
    drop((kernel, folder));
}

#[test]
fn what_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("pi.btsnoop"), b"mine").expect("written");
    let (output, folder) = Recording::start_in(folder, &["-o", "pi.btsnoop"]).close();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--force overwrites it"), "{output:?}");
    assert_eq!(fs::read(folder.path().join("pi.btsnoop")).expect("there"), b"mine");
    let recording = Recording::start_in(folder, &["-o", "pi.btsnoop", "--force"]);
    recording.speak(&[(12, 0xffff, b"Linux\0".to_vec())]);
    let path = recording.path();
    let (_, _folder) = recording.close();
    assert_eq!(packets(&path).len(), 1);
}

#[test]
fn standard_output_gets_the_capture_and_nothing_else() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    let recording = Recording::start(&["-o", "-"]);
    let reader = {
        let pi = pi.clone();
        let kernel = recording.kernel.try_clone().expect("a socket");
        thread::spawn(move || {
            for (opcode, adapter, bytes) in &pi {
                speak(&kernel, &message(*opcode, *adapter, bytes));
            }
        })
    };
    let Recording { child, kernel, folder } = recording;
    drop(kernel);
    let output = child.wait_with_output().expect("it ends");
    reader.join().expect("it ends");
    let path = folder.path().join("x");
    fs::write(&path, &output.stdout).expect("written");
    assert_eq!(packets(&path), pi);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_ring_keeps_the_last_packets_behind_what_a_capture_begins_with() {
    let pi = packets(&fixture("flagship/pi.btsnoop"));
    let recording = Recording::start(&["-o", "pi.btsnoop", "--ring", "64KB"]);
    for _ in 0..6 {
        recording.speak(&pi);
    }
    let path = recording.path();
    let (output, folder) = recording.close();
    assert!(output.status.code() == Some(1), "{output:?}");
    let kept = packets(&path);
    let length = fs::metadata(&path).expect("it").len();
    assert!((32 << 10..80 << 10).contains(&length), "{length}");
    assert!(kept.ends_with(&pi[pi.len() - 100..]));
    // Adapter 0 and what it is come first, and once.
    let first: Vec<u16> = kept.iter().map(|(opcode, ..)| *opcode).take(8).collect();
    assert!(first.contains(&0) && first.contains(&10), "{first:?}");
    let input = Input::from(&path);
    let mut opened = open(&input, &OpenOptions::default()).expect("a capture");
    while opened.source.next().expect("readable").is_some() {}
    assert!(!folder.path().join("pi.btsnoop.older").exists());
}

#[cfg(unix)]
#[test]
fn the_journal_of_that_time_is_a_witness() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("journalctl");
    let line = "2025-06-20T09:47:57.100000+0000 pi bluetoothd[512]: src/device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: Connection timed out (110)";
    fs::write(&program, format!("#!/bin/sh\necho '{line}'\n")).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    let recording = Recording::start_in(folder, &["-o", "pi.btsnoop"]);
    recording.speak(&packets(&fixture("flagship/pi.btsnoop")));
    let (output, folder) = recording.close();
    let said = text(&output.stderr);
    assert!(said.contains("the journal's lines of that time: pi.journal.log"), "{said}");
    let log = folder.path().join("pi.journal.log");
    assert_eq!(fs::read_to_string(&log).expect("there").trim(), line);
    let due = report(&[folder.path().join("pi.btsnoop")], &["--witness", &log.to_string_lossy()]);
    assert!(text(&output.stdout).ends_with(&due));
}

/// Both listened to the same kernel, in the laboratory's guest: fixtures/record/README.md.
#[test]
fn btmon_beside_it_wrote_the_same() {
    needs!("fixtures/record");
    for name in ["b02-kick", "b06-pairing"] {
        let [ours, theirs] =
            ["record", "btmon"].map(|program| fixture(&format!("record/{name}.{program}.btsnoop")));
        assert!(packets(&ours).len() > 400);
        assert_eq!(packets(&ours), packets(&theirs), "{name}");
        let report = |path: &Path| piped(&["-"], &fs::read(path).expect("a capture"));
        assert_eq!(report(&ours), report(&theirs), "{name}");
    }
}

/// Here there may be no Bluetooth at all, or nobody may listen to it: then a sentence says what is needed.
#[test]
fn who_may_not_record_is_told_what_it_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(["record", "--for", "1s", "-o", "x.btsnoop"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let said = text(&output.stderr);
    let told =
        ["setcap cap_net_raw+ep", "this kernel has no Bluetooth", "monitor cannot be opened"];
    let refused = told.iter().any(|words| said.contains(words));
    assert_eq!(refused, !folder.path().join("x.btsnoop").exists(), "{said}");
    assert!(!refused || output.status.code() == Some(2), "{said}");
}
