//! `hcidiff events`, as a person or a script calls it.
#![cfg(feature = "cli")]
use hcidiff::case::{Case, analyse};
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FLAGSHIP: &str = "fixtures/flagship/pi.btsnoop";
const LAYERS: &str = "fixtures/vectors/layers.btsnoop";

fn events(arguments: &[&str]) -> Output {
    let hcidiff = env!("CARGO_BIN_EXE_hcidiff");
    Command::new(hcidiff).arg("events").args(arguments).output().expect("hcidiff runs")
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = events(&[&["--format", "jsonl"], arguments].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn one_line_for_each_record_with_all_promised_fields() {
    let lines = lines(&[LAYERS]);
    assert_eq!(lines.len(), 76);
    for (frame, line) in (1..).zip(&lines) {
        assert_eq!(line["frame"], frame);
        for field in [
            "time",
            "local_time",
            "offset_s",
            "adapter",
            "dir",
            "layer",
            "code",
            "subcode",
            "name",
            "conn",
            "handle",
            "peer",
            "status",
            "reason",
            "cut",
            "problem",
            "fields",
            "text",
        ] {
            assert!(line.get(field).is_some(), "{field} in {line}");
        }
    }
}

#[test]
fn facts_stand_where_scripts_look_for_them() {
    let lines = lines(&[LAYERS]);
    // Values as tshark 4.0 shows them for the same file.
    let disconnect = &lines[14];
    assert_eq!(disconnect["layer"], "command");
    assert_eq!(disconnect["code"], 0x0406);
    assert_eq!(disconnect["handle"], 0x40);
    assert_eq!(disconnect["reason"], 0x13);
    assert_eq!(disconnect["dir"], "sent");
    assert_eq!(disconnect["time"], "2023-11-14T22:13:20.172830Z");
    let failed = &lines[44];
    assert_eq!(
        (&failed["layer"], &failed["code"], &failed["reason"]),
        (&"smp".into(), &5.into(), &0x0c.into())
    );
    let error = &lines[73];
    assert_eq!(
        (&error["layer"], &error["code"], &error["reason"]),
        (&"att".into(), &1.into(), &0x0a.into())
    );
    assert_eq!(error["fields"]["attribute_handle"], 0x000f);
    let connected = &lines[0];
    assert_eq!(
        (&connected["code"], &connected["subcode"], &connected["status"]),
        (&0x3e.into(), &0x0a.into(), &0.into())
    );
    assert_eq!(connected["peer"], "C0:DE:C0:FF:EE:01");
}

#[test]
fn values_are_lengths_unless_asked_for() {
    let write = |arguments: &[&str]| lines(arguments)[59].clone();
    assert_eq!(write(&[LAYERS])["fields"]["attribute_value"], 2);
    let shown = write(&["--show-values", LAYERS]);
    assert_eq!(shown["fields"]["attribute_value"], "4142");
    assert!(shown["text"].as_str().unwrap().contains("4142"));
}

#[test]
fn keys_are_shown_nowhere() {
    // The vector's long-term key and random number, forwards and backwards.
    let secrets = ["000102030405060708090a0b0c0d0e0f", "0f0e0d0c0b0a09080706050403020100"];
    for arguments in
        [&["--show-values", LAYERS][..], &["--show-values", "--format", "jsonl", LAYERS]]
    {
        let text = String::from_utf8(events(arguments).stdout).unwrap().to_lowercase();
        assert!(text.contains("enable encryption"));
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
}

#[test]
fn filters_leave_lines_out() {
    let all = lines(&["--connection", "2", LAYERS]);
    assert!(!all.is_empty() && all.iter().all(|line| line["conn"] == 2));
    let peer = lines(&["--peer", "C0:DE:C0:FF:EE:01", LAYERS]);
    assert!(!peer.is_empty() && peer.len() < 76);
    assert!(lines(&["--adapter", "7", LAYERS]).is_empty());
    // Times count from the capture's first record, shown or not.
    assert_ne!(all[0]["offset_s"], 0.0);
}

#[test]
fn the_table_says_the_same_text() {
    let table = String::from_utf8(events(&[LAYERS]).stdout).unwrap();
    for line in lines(&[LAYERS]) {
        assert!(table.contains(line["text"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .args(["events", "--format", "jsonl", LAYERS])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn what_is_no_capture_is_trouble() {
    let output = events(&["Cargo.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("hcidiff: "));
}

/// A capture of the Linux monitor: opcode of the record, and its bytes.
fn monitor(records: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"btsnoop\0\0\0\0\x01\0\0\x07\xd1".to_vec();
    for (second, (opcode, bytes)) in (0..).zip(records) {
        let length = u32::try_from(bytes.len()).expect("short");
        for number in [length, length, *opcode, 0] {
            file.extend(number.to_be_bytes());
        }
        file.extend((0x00dc_ddb3_0f2f_8000_u64 + second * 1_000_000).to_be_bytes());
        file.extend(bytes);
    }
    file
}

/// Every packet of every table whose bytes hold the address is found: 110 kinds and more.
#[test]
fn a_device_is_found_in_every_packet_that_names_it() {
    use hcidiff::packet::{hci, mgmt};
    let hex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let mut records = Vec::new();
    for (opcode, _, example) in hci::Command::EXAMPLES {
        let parameters = hex(example);
        records.push((
            2,
            [&opcode.to_le_bytes()[..], &[parameters.len() as u8], &parameters].concat(),
        ));
    }
    let mut event = |code: u8, parameters: Vec<u8>| {
        records.push((3, [&[code, parameters.len() as u8][..], &parameters].concat()));
    };
    for (code, _, example) in hci::Event::EXAMPLES.iter().filter(|(code, ..)| *code != 0x0e) {
        event(*code, hex(example));
    }
    for (subevent, _, example) in hci::LeEvent::EXAMPLES {
        event(0x3e, [vec![*subevent], hex(example)].concat());
    }
    for (opcode, _, example) in hci::Return::EXAMPLES {
        event(0x0e, [&[1][..], &opcode.to_le_bytes(), &hex(example)].concat());
    }
    let mut management = |opcode: u32, code: u16, parameters: &[u8]| {
        records.push((opcode, [&[1, 0, 0, 0][..], &code.to_le_bytes(), parameters].concat()));
    };
    for (code, _, example) in mgmt::Command::EXAMPLES {
        management(16, *code, &hex(example));
    }
    for (code, _, example) in mgmt::Event::EXAMPLES {
        management(17, *code, &hex(example));
    }
    for (code, _, example) in mgmt::Return::EXAMPLES {
        management(17, 1, &[&code.to_le_bytes()[..], &[0], &hex(example)].concat());
    }
    let address = [1, 2, 3, 4, 5, 0xc6];
    let named: Vec<u64> = (1..)
        .zip(&records)
        .filter(|(_, (_, bytes))| bytes.windows(6).any(|six| six == address))
        .map(|(frame, _)| frame)
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.btsnoop");
    std::fs::write(&path, monitor(&records)).expect("written");
    let lines = lines(&["--peer", "C6:05:04:03:02:01", path.to_str().expect("UTF-8")]);
    let shown: Vec<u64> = lines.iter().filter_map(|line| line["frame"].as_u64()).collect();
    let missed: Vec<_> = named.iter().filter(|frame| !shown.contains(frame)).collect();
    assert!(missed.is_empty(), "{} of {} missed: {missed:?}", missed.len(), named.len());
    assert!(named.len() > 110, "{}", named.len());
    // What names nobody and belongs to no link is not shown.
    assert!(lines.iter().all(|line| line["name"] != "LE Scan Timeout" && line["name"] != "Reset"));
}

#[test]
fn an_excerpt_is_a_capture_of_the_listed_records() {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(FLAGSHIP);
    let listed = |file: &Path, arguments: &[&str]| {
        let output = events(&[&[file.to_str().unwrap()], arguments].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    for name in ["all.btsnoop", "all.pcap", "all.pcapng"] {
        let path = folder.path().join(name);
        listed(file, &["-w", path.to_str().unwrap()]);
        assert_eq!(listed(&path, &[]), listed(file, &[]), "{name}");
    }
    let path = folder.path().join("one.btsnoop");
    listed(file, &["--connection", "2", "-w", path.to_str().unwrap()]);
    let (some, all) = (listed(&path, &[]), listed(file, &["--connection", "2"]));
    assert!(some.lines().count() > 3);
    assert_eq!(some.lines().count(), all.lines().count());
    let path = folder.path().join("one.txt");
    listed(file, &["-w", path.to_str().unwrap()]);
    assert!(!path.exists());
}

/// The packets of an excerpt keep everything but their keys.
#[test]
fn an_excerpt_has_no_keys_and_equal_ones_stay_equal() {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new("fixtures/lab/A/06-pairing-good.btsnoop");
    let path = folder.path().join("some.btsnoop");
    events(&[file.to_str().unwrap(), "-w", path.to_str().unwrap()]);
    let keys = |file: &Path| {
        let capture = analyse(&Case::one(file.to_owned())).unwrap().captures.remove(0);
        let keys = capture.connections.iter().flat_map(|it| &it.keys);
        keys.map(|key| (key.number, key.how)).collect::<Vec<_>>()
    };
    assert!(!keys(file).is_empty());
    assert_eq!(keys(&path), keys(file));
    assert_ne!(std::fs::read(&path).unwrap(), std::fs::read(file).unwrap());
}
