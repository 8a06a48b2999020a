//! Captures with secrets in every place where a secret can stand.
use crate::search::Secret;
use hcidiff::capture::btsnoop::{self, Datalink};
use hcidiff::capture::{Kind, Payload, Record, packetlogger, pcapng};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;
use std::borrow::Cow;
use std::fmt::Write;

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

/// A connection begins.
fn connects(story: &mut Story) {
    let peer = address();
    story.plant("the peer's address", &peer, None, true);
    let rest = [0, 6, 0, 12, 0, 0, 0, 200, 0, 0, 0, 0, 0];
    story.command(0x200d, &[&[0x60, 0, 0x30, 0, 0, 1], &peer, &rest]);
    story.event(0x0f, &[&[0, 1, 0x0d, 0x20]]);
    story.event(0x3e, &[&[1, 0, 0x40, 0, 0, 1], &peer, &[6, 0, 0, 0, 200, 0, 0]]);
}

fn hci(story: &mut Story) {
    let peer = address();
    let key = story.key("Link Key Request Reply", 16);
    story.command(0x040b, &[&peer, &key]);
    let pin = story.pin("PIN Code Request Reply");
    story.command(0x040d, &[&peer, &[9], &pin]);
    let passkey = story.passkey("User Passkey Request Reply");
    story.command(0x042e, &[&peer, &passkey]);
    for (opcode, count) in [(0x0430, 2), (0x0445, 4)] {
        let keys: Vec<_> =
            (0..count).map(|_| story.key("Remote OOB Data Request Reply", 16)).collect();
        story.command(opcode, &[&peer, &keys.concat()]);
    }
    let key = story.key("Write Stored Link Key", 16);
    story.command(0x0c11, &[&[1], &peer, &key]);
    let (key, plain) = (story.key("LE Encrypt, key", 16), story.key("LE Encrypt, plain text", 16));
    story.command(0x2017, &[&key, &plain]);
    let encrypted = story.key("LE Encrypt, returned", 16);
    story.returns(0x2017, &[&[0], &encrypted]);
    let random = story.key("LE Rand, returned", 8);
    story.returns(0x2018, &[&[0], &random]);
    let (random, key) =
        (story.key("LE Enable Encryption, random", 8), story.key("LE Enable Encryption", 16));
    story.command(0x2019, &[&HANDLE.to_le_bytes(), &random, &[0x12, 0x34], &key]);
    let key = story.key("LE Long Term Key Request Reply", 16);
    story.command(0x201a, &[&HANDLE.to_le_bytes(), &key]);
    // Too long and too short for its table.
    let key = story.key("LE Long Term Key Request Reply, too long", 24);
    story.command(0x201a, &[&HANDLE.to_le_bytes(), &key]);
    let key = story.key("LE Long Term Key Request Reply, too short", 12);
    story.command(0x201a, &[&HANDLE.to_le_bytes(), &key]);
    let random = story.key("LE Long Term Key Request, random", 8);
    story.event(0x3e, &[&[5], &HANDLE.to_le_bytes(), &random, &[1, 2]]);
    let keys = [
        story.key("Add Device To Resolving List, peer", 16),
        story.key("Add Device To Resolving List, local", 16),
    ];
    story.command(0x2027, &[&[1], &peer, &keys.concat()]);
    let public = story.key("LE Generate DHKey", 64);
    story.command(0x2026, &[&public]);
    let public = story.key("Read Local P-256 Public Key Complete", 64);
    story.event(0x3e, &[&[8, 0], &public]);
    let key = story.key("Generate DHKey Complete", 32);
    story.event(0x3e, &[&[9, 0], &key]);
    let code = story.key("LE Create BIG, Broadcast Code", 16);
    story.command(0x2068, &[&[1, 1, 1, 0x10, 0x27, 0, 0x64, 0, 10, 0, 1, 2, 0, 0, 1], &code]);
    let code = story.key("LE BIG Create Sync, Broadcast Code", 16);
    story.command(0x206b, &[&[1, 1, 0, 1], &code, &[0, 0x64, 0, 1, 1]]);
    let key = story.key("Return Link Keys", 16);
    story.event(0x15, &[&[1], &peer, &key]);
    let key = story.key("Link Key Notification", 16);
    story.event(0x18, &[&peer, &key, &[4]]);
    let passkey = story.passkey("User Confirmation Request");
    story.event(0x33, &[&peer, &passkey]);
    let passkey = story.passkey("User Passkey Notification");
    story.event(0x3b, &[&peer, &passkey]);
    for (opcode, count) in [(0x0c57, 2), (0x0c7d, 4)] {
        let keys: Vec<_> = (0..count).map(|_| story.key("Read Local OOB Data", 16)).collect();
        story.returns(opcode, &[&[0], &keys.concat()]);
    }
    let key = story.key("vendor command", 32);
    story.command(0xfc17, &[&key]);
    story.returns(0xfc17, &[&[0], &key]);
    let key = story.key("vendor event", 32);
    story.event(0xff, &[&key]);
    let key = story.key("unknown command", 32);
    story.command(0x20ee, &[&key]);
    let key = story.key("unknown event", 32);
    story.event(0x77, &[&key]);
    let key = story.key("unknown LE event", 32);
    story.event(0x3e, &[&[0x7e], &key]);
    let key = story.key("synchronous data", 32);
    story.push(Kind::Sco, Some(Direction::Received), [&[0x41, 0, 32], &key[..]].concat());
}

/// Types of advertising data that are keys or become keys.
const TYPES: [(u8, usize); 8] = [
    (0x0e, 16),
    (0x0f, 16),
    (0x10, 16),
    (0x1d, 16),
    (0x1e, 16),
    (0x22, 16),
    (0x23, 16),
    (0x2d, 16),
];

fn structure(story: &mut Story, kind: u8, length: usize, place: &str) -> Vec<u8> {
    let value = story.key(&format!("type {kind:#04x} in {place}"), length);
    [&[length as u8 + 1, kind], &value[..]].concat()
}

fn advertising(story: &mut Story) {
    let peer = address();
    for (kind, length) in TYPES {
        let data = structure(story, kind, length, "an advertising report");
        story.event(0x3e, &[&[2, 1, 0, 1], &peer, &[data.len() as u8], &data, &[0xc4]]);
        let data = structure(story, kind, length, "an extended report");
        extended(story, 0, &[&[2, 1, 6], &data[..]].concat());
        let data = structure(story, kind, length, "own advertising data");
        story.command(0x2008, &[&[data.len() as u8], &data, &vec![0; 31 - data.len()]]);
        let data = structure(story, kind, length, "own extended data");
        story.command(0x2037, &[&[1, 3, 1, data.len() as u8], &data]);
        let data = structure(story, kind, length, "an inquiry response");
        story.event(
            0x2f,
            &[&[1], &peer, &[1, 0, 0x0c, 2, 0x5a, 0, 0, 0xc4], &data, &vec![0; 240 - data.len()]],
        );
        story.command(0x0c52, &[&[0], &data, &vec![0; 240 - data.len()]]);
        let data = structure(story, kind, length, "a periodic report");
        story.event(0x3e, &[&[0x0f, 1, 0, 0x7f, 0xc4, 0xff, 0, data.len() as u8], &data]);
    }
    // Split in the middle of a key, which looks like structures of its own there.
    let key = story.key("a key split between two extended reports", 24);
    extended(story, 0x20, &[&[25, 0x2d], &key[..8]].concat());
    extended(story, 0x20, &key[8..16]);
    extended(story, 0, &[&key[16..], &[2, 1, 6]].concat());
    let key = story.key("a key split between two periodic reports", 24);
    story.event(0x3e, &[&[0x0f, 1, 0, 0x7f, 0xc4, 0xff, 1, 10, 25, 0x2d], &key[..8]]);
    story.event(0x3e, &[&[0x0f, 1, 0, 0x7f, 0xc4, 0xff, 0, 16], &key[8..]]);
    let key = story.key("a key split between two commands", 24);
    story.command(0x2037, &[&[1, 1, 1, 10, 25, 0x2d], &key[..8]]);
    story.command(0x2037, &[&[1, 2, 1, 16], &key[8..]]);
    let data = structure(story, 0x22, 40, "a report that cuts it");
    story.event(0x3e, &[&[2, 1, 0, 1], &peer, &[30], &data[..30], &[0xc4]]);
}

fn extended(story: &mut Story, status: u8, data: &[u8]) {
    let middle = [1, 0, 1, 0x7f, 0xc4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    story.event(
        0x3e,
        &[&[0x0d, 1, 0x10 | status, 0, 1], &address(), &middle, &[data.len() as u8], data],
    );
}

fn pairing(story: &mut Story) {
    use Direction::{Received, Sent};
    story.smp(Sent, &[&[1, 4, 0, 0x0d, 16, 7, 7]]);
    story.smp(Received, &[&[2, 4, 0, 0x0d, 16, 7, 7]]);
    for (code, length, what) in [
        (3, 16, "Pairing Confirm"),
        (4, 16, "Pairing Random"),
        (6, 16, "Encryption Information"),
        (8, 16, "Identity Information"),
        (10, 16, "Signing Information"),
        (12, 64, "Pairing Public Key"),
        (13, 16, "Pairing DHKey Check"),
        (0x33, 20, "an unknown code"),
    ] {
        for direction in [Sent, Received] {
            let key = story.key(&format!("{what}, {direction:?}"), length);
            story.smp(direction, &[&[code], &key]);
        }
        let key = story.key(&format!("{what}, in fragments"), length);
        story.frame(Received, 6, &[&[code], &key[..]].concat(), 11);
        let key = story.key(&format!("{what}, too short"), length - 5);
        story.smp(Sent, &[&[code], &key]);
        let key = story.key(&format!("{what}, too long"), length + 9);
        story.smp(Received, &[&[code], &key]);
        let key = story.key(&format!("{what}, on the classic channel"), length);
        story.frame(Sent, 7, &[&[code], &key[..]].concat(), 512);
    }
    let random = story.key("Central Identification", 8);
    story.smp(Received, &[&[7, 0x12, 0x34], &random]);
    // A rest whose beginning is not in the capture, and a beginning without its rest.
    let key = story.key("the rest of a fragment", 20);
    story.push(Kind::Acl, Some(Received), [&[0x40, 0x10, 20, 0], &key[..]].concat());
    let key = story.key("a frame that does not end", 20);
    story.push(Kind::Acl, Some(Sent), [&[0x40, 0, 24, 0, 65, 0, 6, 0], &key[..]].concat());
    let key = story.key("an unknown channel", 20);
    story.frame(Received, 0x3b, &key, 512);
}

fn attributes(story: &mut Story) {
    use Direction::{Received, Sent};
    story.att(Sent, &[&[0x02, 0, 2]]);
    story.att(Received, &[&[0x03, 0, 2]]);
    story.att(Sent, &[&[0x10, 1, 0, 0xff, 0xff, 0, 0x28]]);
    story.att(Received, &[&[0x11, 6, 1, 0, 0x20, 0, 0x46, 0x18]]);
    story.att(Sent, &[&[0x08, 1, 0, 0xff, 0xff, 3, 0x28]]);
    let mut list = vec![0x09, 7];
    for (handle, uuid) in [
        (NAME, 0x2a00_u16),
        (SERIAL, 0x2a25),
        (SYSTEM_ID, 0x2a23),
        (BATTERY, 0x2a19),
        (SIRK, 0x2b84),
        (MATERIAL, 0x2b88),
        (SCAN_CONTROL, 0x2bc7),
    ] {
        list.extend((handle - 1).to_le_bytes());
        list.push(0x3a);
        list.extend(handle.to_le_bytes());
        list.extend(uuid.to_le_bytes());
    }
    story.att(Received, &[&list]);
    story.att(Sent, &[&[0x08, 0x16, 0, 0xff, 0xff, 3, 0x28]]);
    let account = 0xfe2c1236_8366_4814_8eb0_01de32100bea_u128.to_le_bytes();
    story.att(Received, &[&[0x09, 21, 0x16, 0, 0x0a, 0x17, 0], &account]);
    story.att(Sent, &[&[0x08, 0x18, 0, 0xff, 0xff, 3, 0x28]]);
    story.att(Received, &[&[0x01, 0x08, 0x18, 0, 0x0a]]);
    // Who the peer is, as bytes of a value.
    for (handle, what) in [(NAME, "the device's name"), (SERIAL, "the serial number")] {
        let text = story.identity(what);
        story.att(Sent, &[&[0x0a], &handle.to_le_bytes()]);
        story.att(Received, &[&[0x0b], text.as_bytes()]);
    }
    let id = story.bytes(8);
    story.plant("the System ID", &id, None, true);
    story.att(Sent, &[&[0x0a], &SYSTEM_ID.to_le_bytes()]);
    story.att(Received, &[&[0x0b], &id]);
    // What may be seen.
    story.att(Sent, &[&[0x0a], &BATTERY.to_le_bytes()]);
    story.att(Received, &[&[0x0b], &SHOWN]);
    story.att(Sent, &[&[0x12], &BATTERY.to_le_bytes(), &SHOWN]);
    story.att(Received, &[&[0x13]]);
    // Keys, in every packet that carries values.
    for handle in [SIRK, MATERIAL, SCAN_CONTROL, ACCOUNT] {
        let to = handle.to_le_bytes();
        let mut key = |what: &str| story.key(&format!("attribute {handle:#06x}: {what}"), 16);
        let keys: [_; 13] = [
            "read",
            "read on",
            "written",
            "written at once",
            "prepared",
            "prepared, answered",
            "notified",
            "indicated",
            "signed",
            "read among several",
            "read among several, with lengths",
            "notified among several",
            "asked for by value",
        ]
        .map(&mut key);
        story.att(Sent, &[&[0x0a], &to]);
        story.att(Received, &[&[0x0b], &keys[0]]);
        story.att(Sent, &[&[0x0c], &to, &[22, 0]]);
        story.att(Received, &[&[0x0d], &keys[1]]);
        story.att(Sent, &[&[0x12], &to, &keys[2]]);
        story.att(Received, &[&[0x13]]);
        story.att(Sent, &[&[0x52], &to, &keys[3]]);
        story.att(Sent, &[&[0x16], &to, &[0, 0], &keys[4]]);
        story.att(Received, &[&[0x17], &to, &[0, 0], &keys[5]]);
        story.att(Sent, &[&[0x18, 1]]);
        story.att(Received, &[&[0x19]]);
        story.att(Received, &[&[0x1b], &to, &keys[6]]);
        story.att(Received, &[&[0x1d], &to, &keys[7]]);
        story.att(Sent, &[&[0x1e]]);
        let signature = story.key("a signature", 12);
        story.att(Sent, &[&[0xd2], &to, &keys[8], &signature]);
        story.att(Sent, &[&[0x0e], &BATTERY.to_le_bytes(), &to]);
        story.att(Received, &[&[0x0f, 1], &keys[9]]);
        story.att(Sent, &[&[0x20], &to, &BATTERY.to_le_bytes()]);
        story.att(Received, &[&[0x21, 16, 0], &keys[10], &[1, 0, 9]]);
        story.att(
            Received,
            &[&[0x23], &BATTERY.to_le_bytes(), &[1, 0, 9], &to, &[16, 0], &keys[11]],
        );
    }
    // By type: nothing but the request says what the value is.
    for (uuid, what) in
        [(0x2b84_u16, "Set Identity Resolving Key"), (0x2b88, "Encrypted Data Key Material")]
    {
        let key = story.key(&format!("{what}, read by type"), 16);
        story.att(Sent, &[&[0x08, 1, 0, 0xff, 0xff], &uuid.to_le_bytes()]);
        story.att(Received, &[&[0x09, 18, 0x31, 0], &key]);
        let key = story.key(&format!("{what}, found by value"), 16);
        story.att(Sent, &[&[0x06, 1, 0, 0xff, 0xff], &uuid.to_le_bytes(), &key]);
        story.att(Received, &[&[0x01, 0x06, 1, 0, 0x0a]]);
        // And what that taught: the handle of a key, on a later read.
        let key = story.key(&format!("{what}, read again"), 16);
        story.att(Sent, &[&[0x0a, 0x31, 0]]);
        story.att(Received, &[&[0x0b], &key]);
    }
    // We serve keys too.
    let key = story.key("Set Identity Resolving Key, read from us", 16);
    story.att(Received, &[&[0x08, 1, 0, 0xff, 0xff, 0x84, 0x2b]]);
    story.att(Sent, &[&[0x09, 18, 0x11, 0], &key]);
    story.event(0x05, &[&[0, 0x40, 0, 0x13]]);
}

fn management(story: &mut Story) {
    let peer = address();
    let device = [&peer[..], &[2]].concat();
    story.mgmt(true, 0x0001, &[&[5, 0, 0]]);
    let key = story.key("Load Link Keys", 16);
    story.mgmt(false, 0x0012, &[&[0, 1, 0], &device, &[4], &key, &[0]]);
    let (random, key) =
        (story.key("Load Long Term Keys, random", 8), story.key("Load Long Term Keys", 16));
    story.mgmt(false, 0x0013, &[&[1, 0], &device, &[1, 0, 16, 1, 2], &random, &key]);
    let key = story.key("Load Identity Resolving Keys", 16);
    story.mgmt(false, 0x0030, &[&[1, 0], &device, &key]);
    let pin = story.pin("mgmt PIN Code Reply");
    story.mgmt(false, 0x0016, &[&device, &[9], &pin]);
    let passkey = story.passkey("mgmt User Passkey Reply");
    story.mgmt(false, 0x001e, &[&device, &passkey]);
    let keys = story.key("Add Remote Out Of Band Data", 64);
    story.mgmt(false, 0x0021, &[&device, &keys]);
    let key = story.key("Set Privacy", 16);
    story.mgmt(false, 0x002f, &[&[1], &key]);
    let key = story.key("Set Blocked Keys", 16);
    story.mgmt(false, 0x0046, &[&[1, 0, 1], &key]);
    let data = structure(story, 0x2d, 16, "Add Advertising");
    story.mgmt(false, 0x003e, &[&[1, 0, 0, 0, 0, 0, 0, 0, 0, data.len() as u8, 0], &data]);
    let keys = story.key("mgmt Read Local Out Of Band Data", 32);
    story.mgmt(true, 0x0001, &[&[0x20, 0, 0], &keys]);
    let key = story.key("mgmt New Link Key", 16);
    story.mgmt(true, 0x0009, &[&[1], &device, &[4], &key, &[0]]);
    let (random, key) =
        (story.key("mgmt New Long Term Key, random", 8), story.key("mgmt New Long Term Key", 16));
    story.mgmt(true, 0x000a, &[&[1], &device, &[2, 0, 16, 1, 2], &random, &key]);
    let key = story.key("mgmt New Identity Resolving Key", 16);
    story.mgmt(true, 0x0018, &[&[1], &[9, 8, 7, 6, 5, 0x44], &device, &key]);
    let key = story.key("mgmt New Signature Resolving Key", 16);
    story.mgmt(true, 0x0019, &[&[1], &device, &[0], &key]);
    let passkey = story.passkey("mgmt User Confirmation Request");
    story.mgmt(true, 0x000f, &[&device, &[0], &passkey]);
    let passkey = story.passkey("mgmt Passkey Notify");
    story.mgmt(true, 0x0017, &[&device, &passkey, &[0]]);
    let keys = story.key("Local Out Of Band Data Updated", 40);
    story.mgmt(true, 0x0022, &[&[1, 40, 0], &keys]);
    for (kind, length) in TYPES {
        let data = structure(story, kind, length, "Device Found");
        story.mgmt(true, 0x0012, &[&device, &[0xc4, 0, 0, 0, 0, data.len() as u8, 0], &data]);
        let data = structure(story, kind, length, "Device Connected");
        story.mgmt(true, 0x000b, &[&device, &[0, 0, 0, 0, data.len() as u8, 0], &data]);
    }
    let key = story.key("an unknown mgmt command", 32);
    story.mgmt(false, 0x0abc, &[&key]);
    let key = story.key("an unknown mgmt event", 32);
    story.mgmt(true, 0x0abc, &[&key]);
    let key = story.key("a vendor diagnostic", 32);
    story.monitor(11, key);
    let key = story.key("an unknown monitor record", 32);
    story.monitor(77, key);
    let key = story.key("data of a program", 32);
    story.monitor(13, [&[7, 5][..], b"<a2dp\x41\0\x19\0", &key].concat());
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
