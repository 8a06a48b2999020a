//! What happens in a story: a connection, commands of the host, advertising, a pairing, attributes, management.
use super::*;

/// A connection begins.
pub(super) fn connects(story: &mut Story) {
    let peer = address();
    story.plant("the peer's address", &peer, None, true);
    let rest = [0, 6, 0, 12, 0, 0, 0, 200, 0, 0, 0, 0, 0];
    story.command(0x200d, &[&[0x60, 0, 0x30, 0, 0, 1], &peer, &rest]);
    story.event(0x0f, &[&[0, 1, 0x0d, 0x20]]);
    story.event(0x3e, &[&[1, 0, 0x40, 0, 0, 1], &peer, &[6, 0, 0, 0, 200, 0, 0]]);
}

pub(super) fn hci(story: &mut Story) {
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

pub(super) fn advertising(story: &mut Story) {
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

pub(super) fn pairing(story: &mut Story) {
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

pub(super) fn attributes(story: &mut Story) {
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

pub(super) fn management(story: &mut Story) {
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
