//! Text captures of every kind that is read, with secrets in them.
use crate::common::fixture;
use crate::plant::{Capture, hex_lines, keys, log_lines};
use crate::search::Secret;

pub fn all() -> Vec<Capture> {
    let mut all = printed();
    all.extend(hexadecimal());
    all.push(no_capture());
    all
}

fn pairs(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(separator)
}

fn run(bytes: &[u8]) -> String {
    pairs(bytes, "").to_lowercase()
}

/// What tools print of packets byte by byte; after each packet a line that cannot be read to its end.
fn hexadecimal() -> Vec<Capture> {
    let name = |kind: u8| match kind {
        1 => "CMD",
        2 => "ACL",
        _ => "EVT",
    };
    let broken = |line: String| format!("{line}\n{line} zz");
    let mut all = Vec::new();
    let mut push = |file: &str, seed: u64, head: &str, line: &dyn Fn(bool, u8, &[u8]) -> String| {
        let (text, secrets) = hex_lines(seed, head, line);
        all.push(Capture { file: file.into(), bytes: text.into_bytes(), secrets });
    };
    push("btstack.txt", 10, "", &|sent, kind, bytes| {
        let arrow = if sent { "=>" } else { "<=" };
        broken(format!("[00:00:01.000] {} {arrow} {}", name(kind), pairs(bytes, " ")))
    });
    push("noble.txt", 11, "", &|sent, kind, bytes| {
        let what = if sent { "a command - writing: " } else { "onSocketData: " };
        broken(format!("  hci {what}{kind:02x}{}", run(bytes)))
    });
    push("noble-usb.txt", 12, "", &|sent, kind, bytes| {
        let what = match (sent, kind) {
            (true, _) => "write: ".to_owned() + &format!("{kind:02x}"),
            (false, 2) => "ACL Data In: ".to_owned(),
            _ => "HCI event: ".to_owned(),
        };
        broken(format!("  hci-usb {what}{} +1ms", run(bytes)))
    });
    let head = "HCI sniffer - Bluetooth packet analyzer ver 5.66\nbtsnoop version: 1 datalink type: 1002\n";
    push("hcidump-R.txt", 13, head, &|sent, kind, bytes| {
        let rows: Vec<String> =
            [&[kind], bytes].concat().chunks(20).map(|row| pairs(row, " ")).collect();
        broken(format!("{} {}", if sent { "<" } else { ">" }, rows.join("\n  ")))
    });
    push("packetlogger.txt", 14, "", &|sent, _, bytes| {
        let way = if sent { "SEND" } else { "RECV" };
        broken(format!(
            "Sep 21 14:13:20.000  LabSensor          0x0000  {way}  {},",
            pairs(bytes, ", ").to_lowercase()
        ))
    });
    push("hcitool.txt", 15, "", &|sent, _, bytes| {
        let rows: Vec<String> = bytes[2 + usize::from(sent)..]
            .chunks(20)
            .map(|row| format!("\n  {}", pairs(row, " ")))
            .collect();
        let rows = rows.concat();
        if sent {
            let opcode = u16::from_le_bytes([bytes[0], bytes[1]]);
            let (group, command) = (opcode >> 10, opcode & 0x3ff);
            format!(
                "< HCI Command: ogf 0x{group:02x}, ocf 0x{command:04x}, plen {}{rows}\n  zz",
                bytes.len() - 3
            )
        } else {
            format!("> HCI Event: 0x{:02x} plen {}{rows}\n  zz", bytes[0], bytes.len() - 2)
        }
    });
    all
}

/// All keys that a text has: long unbroken runs of digits, other than attribute values.
fn keys_in(text: &str, what: &str) -> Vec<Secret> {
    let lines = text.lines().filter(|line| !line.contains("Value[") && !line.contains("Commands:"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let runs = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= 32);
    let bytes = runs.map(|run| -> Vec<u8> {
        (0..run.len() / 2)
            .map(|at| u8::from_str_radix(&run[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    });
    let secret =
        |bytes| Secret { what: format!("a key in {what}"), bytes, text: None, identity: false };
    bytes.map(secret).collect()
}

/// What tools print in words: pairings of the laboratory, with more keys and log lines among them.
fn printed() -> Vec<Capture> {
    let mut all = Vec::new();
    for (seed, file) in [
        (20, "text/lab/A/06-pairing-good.btmon.txt"),
        (21, "text/06-pairing-good.hcidump-t.txt"),
        (22, "text/02-bad-kick.packetlogger.txt"),
        (23, "text/lab/B-bluez5.82/b13-phantom.btmon.txt"),
    ] {
        let mut text = std::fs::read_to_string(fixture(file)).unwrap();
        let mut secrets = keys_in(&text, file);
        let (lines, said) = log_lines(seed);
        let (keys, printed) = keys(seed + 100, 12, file);
        for (at, line) in lines.iter().enumerate() {
            let moment = format!("2026-09-21 14:13:40.{at:06}");
            text += &match seed {
                20 | 23 => {
                    format!("= bluetoothd[333]: {line}   {moment}\n= Note: {line}   {moment}\n")
                }
                21 => format!("{moment} {line}\n"),
                _ => format!("Sep 21 14:13:40.{:03}  Note  0x0000  {line}\n", at % 1000),
            };
        }
        for (at, key) in keys.iter().enumerate() {
            let moment = format!("2026-09-21 14:13:41.{at:06}");
            let spaced: Vec<&str> = (0..16).map(|byte| &key[2 * byte..2 * byte + 2]).collect();
            let spaced = spaced.join(" ");
            text += &match (seed, at % 4) {
                (20 | 23, 0) => format!(
                    "< HCI Command: Link Key Request Reply (0x01|0x000b) plen 22  #{at} {moment}\n        Address: C0:00:5E:00:53:01 (OUI C0-00-5E)\n        Link key[16]: {key}\n"
                ),
                (20 | 23, 1) => format!(
                    "@ MGMT Event: New Long Term Key (0x000a) plen 37 {{0x0001}} [hci0] {moment}\n        Store hint: Yes (0x01)\n        LE Address: C0:00:5E:00:53:01 (Static)\n        Key type: Unauthenticated key (0x00)\n        Central: 0x00\n        Encryption size: 16\n        Diversifier: 0000\n        Randomizer: {}\n        Key[16]: {key}\n",
                    &key[..16]
                ),
                (20 | 23, 2) => format!(
                    "< ACL Data TX: Handle 64 flags 0x00 dlen 21  #{at} {moment}\n      SMP: Signing Information (0x0a) len 16\n        Signature key[16]: {key}\n        {spaced}  ................\n"
                ),
                (21, 0) => format!(
                    "{moment} < HCI Command: Link Key Request Reply (0x01|0x000b) plen 22\n    bdaddr C0:00:5E:00:53:01 key {}\n",
                    key.to_uppercase()
                ),
                (21, 1) => format!(
                    "{moment} > HCI Event: Link Key Notification (0x18) plen 23\n    bdaddr C0:00:5E:00:53:01 key {} type 4\n",
                    key.to_uppercase()
                ),
                (21, 2) => format!(
                    "{moment} > ACL data: handle 64 flags 0x02 dlen 21\n    SMP: Encryption Information (0x06)\n      LTK {key}\n    {spaced}\n"
                ),
                (22, 0) => format!(
                    "Sep 21 14:13:41.{at:03}  HCI Command      0x0000                     Link Key Request Reply  \n\tOpcode: 0x040B (OGF: 0x01    OCF: 0x0B)\n\tLink Key: 0x{key}\n"
                ),
                (22, 1) => format!(
                    "Sep 21 14:13:41.{at:03}  HCI Event        0x0000                     Link Key Notification  \n\tLink Key: {spaced}\n\t00000000: {spaced}  ....\n"
                ),
                _ => format!(
                    "{key}\n  {spaced}\n< HCI Command: {key} (0x01|zz) plen {spaced}\n> {spaced} zz\n"
                ),
            };
        }
        secrets.extend(said);
        secrets.extend(printed);
        let name = file.rsplit('/').next().unwrap().to_owned();
        all.push(Capture { file: name, bytes: text.into_bytes(), secrets });
    }
    all
}

/// Lines of keys and nothing else: what is said of a file that cannot be read.
fn no_capture() -> Capture {
    let (lines, secrets) = log_lines(30);
    Capture { file: "notes.txt".into(), bytes: lines.join("\n").into_bytes(), secrets }
}
