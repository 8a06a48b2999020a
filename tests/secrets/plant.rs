//! Captures with secrets in every place where a secret can stand.
use crate::search::Secret;
use hcidiff::capture::btsnoop::{self, Datalink};
use hcidiff::capture::{Kind, Payload, Record, packetlogger, pcapng};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;
use std::borrow::Cow;
use std::fmt::Write;

mod air;
mod scenes;

use scenes::{advertising, attributes, connects, hci, management, pairing};

/// A capture as it would lie on a disk.
pub struct Capture {
    pub file: String,
    pub bytes: Vec<u8>,
    pub secrets: Vec<Secret>,
}

/// Names of attributes that the story's peer has, by handle.
const NAME: u16 = 0x03;
const SERIAL: u16 = 0x05;
const SYSTEM_ID: u16 = 0x07;
const BATTERY: u16 = 0x09;
const SIRK: u16 = 0x11;
const MATERIAL: u16 = 0x13;
const SCAN_CONTROL: u16 = 0x15;
const ACCOUNT: u16 = 0x17;
const HANDLE: u16 = 0x40;

/// What the battery's value is: shown where values are, so that a search that finds nothing has looked.
pub const SHOWN: [u8; 8] = [0x5a, 0xc3, 0x17, 0x88, 0x2e, 0x94, 0xf1, 0x6b];

pub fn address() -> [u8; 6] {
    [0x9d, 0x3a, 0xe7, 0x52, 0x1b, 0xc4]
}

/// A record: its kind, direction and bytes, and what somebody wrote beside it.
type Planted = (Kind, Option<Direction>, Vec<u8>, Option<String>);

/// A list of records, and the secrets in them.
#[derive(Default)]
pub struct Story {
    records: Vec<Planted>,
    pub secrets: Vec<Secret>,
    seed: u64,
}

impl Story {
    fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Bytes that nobody else has.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            // splitmix64
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.seed;
            word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.extend((word ^ word >> 31).to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    fn plant(&mut self, what: &str, bytes: &[u8], text: Option<String>, identity: bool) {
        let what = what.to_owned();
        self.secrets.push(Secret { what, bytes: bytes.to_vec(), text, identity });
    }

    /// A key of so many bytes.
    fn key(&mut self, what: &str, length: usize) -> Vec<u8> {
        let key = self.bytes(length);
        self.plant(what, &key, None, false);
        key
    }

    /// Six digits, as the number that a packet holds.
    fn passkey(&mut self, what: &str) -> Vec<u8> {
        let word = self.bytes(4);
        let number = 100_000 + u32::from_le_bytes(word.try_into().unwrap()) % 900_000;
        self.plant(what, &[], Some(number.to_string()), false);
        number.to_le_bytes().to_vec()
    }

    /// A PIN of letters and digits, padded to sixteen bytes.
    fn pin(&mut self, what: &str) -> Vec<u8> {
        let pin: String = self.bytes(9).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        self.plant(what, pin.as_bytes(), Some(pin.clone()), false);
        let mut padded = pin.into_bytes();
        padded.resize(16, 0);
        padded
    }

    /// A name or a serial number.
    fn identity(&mut self, what: &str) -> String {
        let name: String = self.bytes(10).iter().map(|byte| char::from(b'A' + byte % 26)).collect();
        self.plant(what, name.as_bytes(), Some(name.clone()), true);
        name
    }

    fn push(&mut self, kind: Kind, direction: Option<Direction>, bytes: Vec<u8>) {
        self.records.push((kind, direction, bytes, None));
    }

    fn command(&mut self, opcode: u16, parameters: &[&[u8]]) {
        let parameters = parameters.concat();
        let mut bytes = opcode.to_le_bytes().to_vec();
        bytes.push(parameters.len() as u8);
        bytes.extend(parameters);
        self.push(Kind::Command, Some(Direction::Sent), bytes);
    }

    fn event(&mut self, code: u8, parameters: &[&[u8]]) {
        let parameters = parameters.concat();
        let mut bytes = vec![code, parameters.len() as u8];
        bytes.extend(parameters);
        self.push(Kind::Event, Some(Direction::Received), bytes);
    }

    fn returns(&mut self, opcode: u16, parameters: &[&[u8]]) {
        self.event(0x0e, &[&[1], &opcode.to_le_bytes(), &parameters.concat()]);
    }

    /// An L2CAP frame in pieces of so many bytes.
    fn frame(&mut self, direction: Direction, cid: u16, payload: &[u8], piece: usize) {
        let mut frame = (payload.len() as u16).to_le_bytes().to_vec();
        frame.extend(cid.to_le_bytes());
        frame.extend(payload);
        for (at, data) in frame.chunks(piece).enumerate() {
            let start = match (at, direction) {
                (0, Direction::Sent) => 0,
                (0, Direction::Received) => 0x2000,
                _ => 0x1000,
            };
            let mut bytes = (HANDLE | start).to_le_bytes().to_vec();
            bytes.extend((data.len() as u16).to_le_bytes());
            bytes.extend(data);
            self.push(Kind::Acl, Some(direction), bytes);
        }
    }

    fn att(&mut self, direction: Direction, pdu: &[&[u8]]) {
        self.frame(direction, 4, &pdu.concat(), 512);
    }

    fn smp(&mut self, direction: Direction, pdu: &[&[u8]]) {
        self.frame(direction, 6, &pdu.concat(), 512);
    }

    fn monitor(&mut self, opcode: u16, bytes: Vec<u8>) {
        self.push(Kind::Monitor(opcode), None, bytes);
    }

    fn mgmt(&mut self, event: bool, code: u16, parameters: &[&[u8]]) {
        let mut bytes = vec![1, 0, 0, 0];
        bytes.extend(code.to_le_bytes());
        bytes.extend(parameters.concat());
        self.monitor(if event { 17 } else { 16 }, bytes);
    }

    fn log(&mut self, text: &str) {
        self.monitor(13, [&[6, 11][..], b"bluetoothd\0", text.as_bytes(), b"\0"].concat());
    }

    /// The records, lent to a writer.
    fn each(&self, mut write: impl FnMut(&Record<'_>)) {
        for (at, (kind, direction, bytes, comment)) in self.records.iter().enumerate() {
            write(&Record {
                frame: 0,
                offset: 0,
                time: Some(Timestamp(1_757_000_000_000_000 + at as i64 * 2_000)),
                adapter: matches!(kind, Kind::Monitor(_)).then_some(0),
                direction: *direction,
                kind: *kind,
                payload: Payload::Bytes(bytes),
                original_len: bytes.len() as u32,
                comment: comment.as_deref().map(Cow::Borrowed),
            });
        }
    }

    /// H4 packets one by one, for text formats.
    fn h4(&self) -> impl Iterator<Item = (bool, u8, &[u8])> {
        self.records.iter().filter_map(|(kind, direction, bytes, _)| {
            let byte = match kind {
                Kind::Command => 1,
                Kind::Acl => 2,
                Kind::Event => 4,
                _ => return None,
            };
            Some((*direction == Some(Direction::Sent), byte, bytes.as_slice()))
        })
    }
}

/// Every way in which a log may write a key.
fn spellings(key: &[u8]) -> Vec<String> {
    let join = |separator: &str, spell: &dyn Fn(&u8) -> String| {
        key.iter().map(spell).collect::<Vec<_>>().join(separator)
    };
    vec![
        join("", &|byte| format!("{byte:02x}")),
        join("", &|byte| format!("{byte:02X}")),
        format!("0x{}", join("", &|byte| format!("{byte:02x}"))),
        join(":", &|byte| format!("{byte:02X}")),
        join("-", &|byte| format!("{byte:02x}")),
        join(" ", &|byte| format!("{byte:02x}")),
        join(", ", &|byte| format!("0x{byte:02x}")),
        join(", ", &|byte| byte.to_string()),
        join("\\", &|byte| format!("x{byte:02x}")),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key),
    ]
}

/// What programs log, with keys in all spellings. The keys come back in the order of the lines.
fn said(story: &mut Story) -> Vec<String> {
    let mut lines = Vec::new();
    for before in [
        "Found link key ",
        "btstack: sm: LTK=",
        "BTstack up, device ",
        "failed to load irk: ",
        "Bluetooth daemon ",
        "Linux version ",
        "bluetoothd ",
        "Software: Version ",
        "connect error: rejected ",
        "csrk [",
    ] {
        let spelled = spellings(&[0; 16]).len();
        for at in 0..spelled {
            let key = story.key(&format!("a log line: {before}"), 16);
            lines.push(format!("{before}{}", spellings(&key)[at]));
        }
    }
    for (before, after) in [
        ("passkey ", ""),
        ("PIN code is ", "!"),
        ("PIN '", "'"),
        ("Confirm passkey ", " (yes/no): "),
        ("timed out: pin=", ", retry"),
        ("", " is the passkey"),
    ] {
        let number =
            u32::from_le_bytes(story.passkey("a passkey in a log line").try_into().unwrap());
        lines.push(format!("{before}{number}{after}"));
    }
    for before in ["token: ", "Broadcast Code = ", "password ", "PIN: "] {
        let text = String::from_utf8(story.pin(&format!("a log line: {before}"))).unwrap();
        lines.push(format!("{before}{}", text.trim_end_matches('\0')));
    }
    for mark in ["BTstack", "failed", "connect error", "Product: Mac"] {
        let name = story.identity(&format!("a name in a log line with `{mark}`"));
        lines.push(format!("{mark} for \"{name}\", serial {name}"));
        // In the open, a log line shows the names in it.
    }
    lines
}

fn btsnoop(story: &Story, datalink: Datalink) -> Vec<u8> {
    let mut writer = btsnoop::Writer::new(Vec::new(), datalink).unwrap();
    story.each(|record| drop(writer.push(record)));
    writer.finish().unwrap()
}

fn capture(file: &str, story: Story, write: impl Fn(&Story) -> Vec<u8>) -> Capture {
    let bytes = write(&story);
    Capture { file: file.to_owned(), bytes, secrets: story.secrets }
}

/// Everything that goes over HCI.
fn whole(seed: u64) -> Story {
    let mut story = Story::new(seed);
    connects(&mut story);
    hci(&mut story);
    pairing(&mut story);
    advertising(&mut story);
    attributes(&mut story);
    story
}

/// All captures.
pub fn all() -> Vec<Capture> {
    let mut all = Vec::new();
    all.push(capture("h4.btsnoop", whole(1), |story| btsnoop(story, Datalink::H4)));
    let mut story = Story::new(2);
    connects(&mut story);
    management(&mut story);
    for line in said(&mut story) {
        story.log(&line);
        story.monitor(12, [line.as_bytes(), b"\0"].concat());
    }
    attributes(&mut story);
    all.push(capture("monitor.btsnoop", story, |story| btsnoop(story, Datalink::Monitor)));
    let mut story = whole(3);
    for line in said(&mut story) {
        for kind in [0xf8, 0xfa, 0xfc, 0xfd, 0xfe] {
            story.push(Kind::Note(kind), None, line.as_bytes().to_vec());
        }
        let syslog =
            [b"\x20\0\0\0\x07bluetoothd\0sender\0com.apple\0category\0", line.as_bytes(), b"\0"];
        story.push(Kind::Note(0xf7), None, syslog.concat());
    }
    let key = story.key("an unknown PacketLogger record", 32);
    story.push(Kind::Note(0x55), None, key);
    all.push(capture("notes.pklg", story, |story| {
        let mut writer = packetlogger::Writer::big_endian(Vec::new());
        story.each(|record| drop(writer.push(record)));
        writer.finish().unwrap()
    }));
    let mut story = whole(4);
    let lines = said(&mut story);
    for (at, line) in lines.into_iter().enumerate() {
        story.records[at].3 = Some(line);
    }
    all.push(capture("comments.pcapng", story, |story| {
        let mut writer = pcapng::Writer::new(Vec::new()).unwrap();
        story.each(|record| drop(writer.push(record)));
        writer.finish().unwrap()
    }));
    // Cut in the middle, for `--salvage` and for what is said of damage.
    all.push(capture("damaged.btsnoop", whole(5), |story| {
        let mut bytes = btsnoop(story, Datalink::H4);
        let middle = bytes.len() / 2;
        bytes.drain(middle..middle + 7);
        bytes.truncate(bytes.len() - 5);
        bytes
    }));
    let mut story = Story::new(6);
    pairing(&mut story);
    attributes(&mut story);
    let encryption = ["Rand", "SKD of the central", "SKD of the peripheral"];
    let encryption = encryption.map(|what| story.key(what, 8));
    all.push(capture("air.pcap", story, |story| air::pcap(story, &encryption)));
    all.extend(crate::texts::all());
    all
}

/// The packets in lines of hexadecimal digits, each with what `line` makes of it.
pub fn hex_lines(
    seed: u64,
    head: &str,
    line: impl Fn(bool, u8, &[u8]) -> String,
) -> (String, Vec<Secret>) {
    let story = whole(seed);
    let mut text = head.to_owned();
    for (sent, kind, bytes) in story.h4() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line(sent, kind, bytes));
    }
    (text, story.secrets)
}

/// What logs say, for text captures, and the secrets in it.
pub fn log_lines(seed: u64) -> (Vec<String>, Vec<Secret>) {
    let mut story = Story::new(seed);
    let lines = said(&mut story);
    (lines, story.secrets)
}

/// Keys for texts that have words for them.
pub fn keys(seed: u64, count: usize, what: &str) -> (Vec<String>, Vec<Secret>) {
    let mut story = Story::new(seed);
    let keys = (0..count).map(|at| {
        let key = story.key(&format!("{what}, {at}"), 16);
        key.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    let keys = keys.collect();
    (keys, story.secrets)
}
