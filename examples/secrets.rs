//! Collects the keys that captures hold, and fails if any output of any capture shows one.
//!
//! `cargo run --release --example secrets -- ../shared`
#[allow(dead_code, reason = "the suite of planted secrets uses all of it")]
#[path = "../tests/secrets/outputs.rs"]
mod outputs;
#[allow(dead_code, reason = "the suite of planted secrets uses all of it")]
#[path = "../tests/secrets/search.rs"]
mod search;

use hcidiff::capture::{self, Input, OpenOptions};
use hcidiff::decode::Decoder;
use hcidiff::packet::Packet;
use outputs::Output;
use search::{Search, Secret};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Of larger captures not every output is looked at, but the ones that hold most.
const LARGE: u64 = 1 << 20;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("usage: secrets FOLDER");
        return ExitCode::from(2);
    };
    let mut files = Vec::new();
    list(&folder, &mut files);
    files.sort();
    let (mut captures, mut keys, mut looked, mut leaks) = (0, 0, 0, 0);
    for file in &files {
        let Some(secrets) = secrets(file) else { continue };
        captures += 1;
        if secrets.is_empty() {
            continue;
        }
        keys += secrets.len();
        let search = Search::of(&secrets);
        for output in shown(file) {
            looked += 1;
            for what in search.leaks(&output.text) {
                println!("BAD  {}, {}: {what}", file.display(), output.name);
                leaks += 1;
            }
        }
    }
    println!("{captures} captures, {keys} keys in them, {looked} outputs, {leaks} leaks");
    // Without keys nothing was proven.
    if leaks == 0 && keys > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All files in a folder and the folders in it. Links are not followed: they lead back.
fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

fn shown(file: &Path) -> Vec<Output> {
    let files = [file.to_path_buf()];
    if std::fs::metadata(file).is_ok_and(|found| found.len() < LARGE) {
        return outputs::of(&files);
    }
    let mut shown = outputs::reports(&files, true, false);
    shown.push(outputs::events(&files, outputs::Style::JsonLines, true, false));
    shown
}

/// The keys of a capture; `None` where the file is none.
fn secrets(file: &Path) -> Option<Vec<Secret>> {
    let mut source = capture::open(&Input::from(file), &OpenOptions::default()).ok()?.source;
    let mut decoder = Decoder::new();
    let mut secrets = Vec::new();
    while let Ok(Some(record)) = source.next() {
        let event = decoder.decode(&record);
        let mut bytes = Vec::new();
        let places: &[(usize, usize)] = match &event.packet {
            Packet::Command(command) => {
                command.encode(&mut bytes);
                of_command(command.code())
            }
            Packet::Event(event) => {
                event.encode(&mut bytes);
                of_event(event.code(), &bytes)
            }
            Packet::Smp { pdu, .. } => {
                pdu.encode(&mut bytes);
                of_pairing(pdu.code())
            }
            Packet::Mgmt { pdu, .. } => {
                match pdu {
                    hcidiff::packet::mgmt::Pdu::Command(command) => command.encode(&mut bytes),
                    hcidiff::packet::mgmt::Pdu::Event(event) => event.encode(&mut bytes),
                }
                of_management(pdu.is_event(), pdu.code())
            }
            _ => continue,
        };
        for (at, length) in places {
            let Some(key) = bytes.get(*at..at + length) else { continue };
            // Zeroes, and test keys of one byte, are nobody's.
            if key.iter().any(|byte| *byte != key[0]) {
                let what = format!("a key of frame {}", event.frame);
                secrets.push(Secret { what, bytes: key.to_vec(), text: None, identity: false });
            }
        }
    }
    Some(secrets)
}

/// Where keys lie in a command's parameters (Core, Vol 4, Part E, 7): place and length.
fn of_command(opcode: u16) -> &'static [(usize, usize)] {
    match opcode {
        0x040b => &[(6, 16)],
        0x0430 => &[(6, 16), (22, 16)],
        0x0445 => &[(6, 16), (22, 16), (38, 16), (54, 16)],
        0x2017 => &[(0, 16), (16, 16)],
        0x2019 => &[(2, 8), (12, 16)],
        0x201a => &[(2, 16)],
        0x2027 => &[(7, 16), (23, 16)],
        _ => &[],
    }
}

fn of_event(code: u8, parameters: &[u8]) -> &'static [(usize, usize)] {
    match (code, parameters) {
        (0x18, _) => &[(6, 16)],
        // LE Encrypt, and what a controller knows of its own for pairing out of band.
        (0x0e, [_, 0x17, 0x20, ..]) => &[(4, 16)],
        (0x0e, [_, 0x57 | 0x7d, 0x0c, ..]) => &[(4, 16), (20, 16), (36, 16), (52, 16)],
        // Long Term Key Request, P-256 public key, DHKey.
        (0x3e, [0x05, ..]) => &[(3, 8)],
        (0x3e, [0x08, ..]) => &[(2, 64)],
        (0x3e, [0x09, ..]) => &[(2, 32)],
        _ => &[],
    }
}

fn of_pairing(code: u8) -> &'static [(usize, usize)] {
    match code {
        0x03 | 0x04 | 0x06 | 0x08 | 0x0a | 0x0d => &[(0, 16)],
        0x07 => &[(2, 8)],
        0x0c => &[(0, 64)],
        _ => &[],
    }
}

/// The kernel's management interface: the first key of a list stands for the list.
fn of_management(event: bool, code: u16) -> &'static [(usize, usize)] {
    match (event, code) {
        (false, 0x0012) => &[(11, 16)],
        (false, 0x0013) => &[(14, 8), (22, 16)],
        (false, 0x002f) => &[(1, 16)],
        (false, 0x0030) => &[(9, 16)],
        (true, 0x0009) => &[(9, 16)],
        (true, 0x000a) => &[(13, 8), (21, 16)],
        (true, 0x0018) => &[(14, 16)],
        (true, 0x0019) => &[(9, 16)],
        _ => &[],
    }
}
