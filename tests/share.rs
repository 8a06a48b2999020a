//! `hcidiff share`: what is in a bundle, and when there is none.
#![cfg(feature = "cli")]
mod common;
#[path = "common/random.rs"]
mod random;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::{fixture, flagship};
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::{Case, analyse};
use hcidiff::decode::Decoder;
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn program(arguments: &[&str], files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("share")
        .args(files)
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Shares captures and gives the files of the bundle.
fn bundle(folder: &Path, arguments: &[&str], files: &[PathBuf]) -> Vec<(String, Vec<u8>)> {
    let path = folder.join("bundle.zip");
    let output = program(&[arguments, &["--force", "-o", path.to_str().unwrap()]].concat(), files);
    assert!(output.status.success(), "{}", said(&output));
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn text<'a>(bundle: &'a [(String, Vec<u8>)], name: &str) -> &'a str {
    let (_, bytes) = bundle.iter().find(|(file, _)| file == name).unwrap();
    std::str::from_utf8(bytes).unwrap()
}

/// All addresses that a capture's packets name.
fn addresses(input: &Input) -> HashSet<[u8; 6]> {
    let mut opened = open(input, &OpenOptions::default()).unwrap();
    let mut decoder = Decoder::new();
    let mut found = HashSet::new();
    while let Some(record) = opened.source.next().unwrap() {
        decoder.decode(&record).packet.addresses(&mut |named| {
            found.insert(named.address.0);
        });
    }
    found
}

#[test]
fn a_bundle_holds_both_captures_and_their_report_with_the_same_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let files = flagship();
    let bundle = bundle(folder.path(), &[], &files);
    let names: Vec<_> = bundle.iter().map(|(name, _)| name.as_str()).collect();
    let all = ["works.pklg", "fails.btsnoop", "report.md", "report.html", "MANIFEST.md"];
    assert_eq!(names, all);
    let input = |at: usize| Input::bytes(bundle[at].0.clone(), bundle[at].1.clone());
    let before = analyse(&Case::pair(&files[0], &files[1])).unwrap();
    let after = analyse(&Case::pair(
        hcidiff::case::Side::new(input(0)),
        hcidiff::case::Side::new(input(1)),
    ))
    .unwrap();
    let found = |analysis: &hcidiff::Analysis| -> Vec<_> {
        let findings = analysis.findings.iter();
        findings.map(|it| (it.rule, it.level, it.confidence, it.evidence.len())).collect()
    };
    assert!(!found(&before).is_empty());
    assert_eq!(found(&before), found(&after));
    for (at, file) in files.iter().enumerate() {
        let originals = addresses(&Input::from(file));
        let shared = addresses(&input(at));
        assert!(originals.len() > 1 && !shared.is_empty());
        let nobody = [[0; 6], [0xff; 6]];
        let left: Vec<_> =
            originals.intersection(&shared).filter(|it| !nobody.contains(it)).collect();
        assert_eq!(left, Vec::<&[u8; 6]>::new());
        for address in originals.iter().filter(|it| !nobody.contains(it)) {
            let bytes = &bundle[at].1;
            let reversed: Vec<u8> = address.iter().rev().copied().collect();
            assert!(!bytes.windows(6).any(|it| it == address || it == reversed), "{address:02x?}");
        }
    }
    assert!(text(&bundle, "report.md").contains(found(&before)[0].0));
    assert!(text(&bundle, "MANIFEST.md").contains("Nothing was found."));
    for name in ["report.md", "report.html", "MANIFEST.md"] {
        assert!(!text(&bundle, name).contains("LabSensor"), "{name}");
    }
}

/// The comments of a pcapng file, by the number of their frame.
fn comments(path: &Path) -> Vec<(u32, String)> {
    let mut opened = open(&Input::from(path), &OpenOptions::default()).unwrap();
    let mut comments = Vec::new();
    while let Some(record) = opened.source.next().unwrap() {
        if let Some(comment) = &record.comment {
            comments.push((record.frame, comment.to_string()));
        }
    }
    comments
}

#[test]
fn evidence_for_wireshark_has_a_comment_at_each_cited_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.pcapng");
    let files = [fixture("flagship/mac.pklg"), fixture("flagship/pi-kicked.btsnoop")];
    let arguments = ["-q", "-o", path.to_str().unwrap()];
    let status = common::hcidiff(&files, &arguments).status;
    assert_eq!(status.code(), Some(1));
    let analysis = analyse(&Case::pair(&files[0], &files[1])).unwrap();
    let evidence = analysis.findings.iter().flat_map(|finding| &finding.evidence);
    let mut cited: HashSet<_> = evidence.map(|it| (it.source.capture(), it.frame)).collect();
    let comparison = analysis.comparison.as_ref().unwrap();
    let first = comparison.steps.iter().find(|step| !step.normal).unwrap();
    for (side, at) in [(comparison.reference, first.reference), (comparison.subject, first.subject)]
    {
        let connection = analysis.captures[side.capture].connection(side.connection).unwrap();
        cited.extend(at.map(|at| (Some(side.capture), connection.steps[at].first.frame)));
    }
    let found = comments(&path);
    assert!(found.len() > 4);
    assert_eq!(found.len(), cited.len(), "{found:#?}");
    assert!(found.iter().any(
        |(_, text)| text.starts_with("first difference") || text.contains("\nfirst difference")
    ));
    assert!(found.iter().all(|(_, text)| !text.contains("LabSensor")));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(9).any(|it| it == b"LabSensor"));
    // The real ones, where they are asked for; keys never.
    let status = common::hcidiff(&files, &[&arguments[..], &["--show-addresses"]].concat()).status;
    assert_eq!(status.code(), Some(1));
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.windows(9).any(|it| it == b"LabSensor"));

    // A peer's word for it, where there is one.
    let fields = |field: &str| {
        let run = Command::new("tshark")
            .args(["-n", "-r", path.to_str().unwrap(), "-Y", "frame.comment"])
            .args(["-T", "fields", "-e", "frame.number", "-e", field])
            .output();
        let output = run.ok().filter(|output| output.status.success())?;
        let lines = String::from_utf8(output.stdout).unwrap();
        let part = |line: &str| {
            let (number, field) = line.split_once('\t')?;
            Some((number.parse().ok()?, field.to_owned()))
        };
        Some(lines.lines().map(|line| part(line).unwrap()).collect::<Vec<(u32, String)>>())
    };
    if let (Some(said), Some(interfaces)) = (fields("frame.comment"), fields("frame.interface_id"))
    {
        let one_line = |text: &str| text.replace('\n', "\\n");
        let ours: Vec<_> =
            comments(&path).iter().map(|(frame, text)| (*frame, one_line(text))).collect();
        assert_eq!(said, ours);
        let interfaces: HashSet<_> = interfaces.into_iter().map(|(_, number)| number).collect();
        assert_eq!(interfaces.len(), 2);
    }
    if let Ok(output) = Command::new("capinfos").arg(&path).output() {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Number of interfaces in file: 2\n"), "{said}");
    }
}

/// Every capture of a folder, as far as it is there.
fn captures_in(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture(folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Whatever a capture holds: it can be shared, and no address of its packets and no name of its devices is left.
#[test]
fn captures_of_every_kind_can_be_shared_and_nothing_is_left() {
    needs!("fixtures/lab/EXPECTED.tsv");
    use hcidiff::share::{Draft, Options, Refusal, Trim, share};
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let files = [captures_in("lab/A"), captures_in("vectors"), captures_in("flagship")].concat();
    let mut shared = 0;
    for (file, trim) in files.iter().flat_map(|it| [(it, Trim::Story), (it, Trim::None)]) {
        let case = Case::one(file);
        let mut bundle = match share(&case, &Options { trim, ..Options::default() }, &draft) {
            Ok(bundle) => bundle,
            Err(Refusal::Capture { .. } | Refusal::Text { .. }) => continue,
            Err(refusal) => panic!("{}: {refusal}", file.display()),
        };
        shared += 1;
        let mut bytes = Vec::new();
        let part = &mut bundle.parts[0];
        std::io::Seek::rewind(&mut part.file).unwrap();
        part.file.read_to_end(&mut bytes).unwrap();
        let report = hcidiff::report::markdown::render(&bundle.report);
        for address in addresses(&Input::from(file)) {
            let different: HashSet<_> = address.iter().collect();
            let printed = hcidiff::packet::Address(address).to_string();
            assert!(!report.contains(&printed), "{}: {printed}", file.display());
            // Numbers that stay, and zeros, look like an address of few different bytes.
            if different.len() < 5 {
                continue;
            }
            let reversed: Vec<u8> = address.iter().rev().copied().collect();
            let left = bytes.windows(6).any(|it| it == address || it == reversed);
            assert!(!left, "{}: {printed}", file.display());
        }
        let original = analyse(&case).unwrap();
        let capture = &original.captures[0];
        for name in capture.devices.iter().filter_map(|device| device.name.as_deref()) {
            let left = name.len() > 5 && bytes.windows(name.len()).any(|it| it == name.as_bytes());
            assert!(!left, "{}: {name}", file.display());
        }
    }
    // The package has a few captures of each kind, the repository all of the laboratory.
    assert!(shared > 40, "{shared}");
}

/// Text stays text: the tool's words, with aliases for addresses and names and with dummies for keys.
#[test]
fn a_text_capture_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("text/lab/A/06-pairing-good.btmon.txt");
    let Ok(before) = std::fs::read_to_string(&file) else {
        return eprintln!("skipped: the laboratory's texts are not here");
    };
    let bundle = bundle(folder.path(), &["--trim", "none"], std::slice::from_ref(&file));
    let after = text(&bundle, "capture.txt");
    assert_eq!(before.lines().count(), after.lines().count());
    for gone in ["F0:12:7C:AA:00:01", "B8:27:EB:12:34:56", "C4:11:22:33:44:55"] {
        assert!(before.contains(gone) && !after.contains(gone), "{gone}");
    }
    let keys = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains(" key["));
        lines.filter_map(|line| Some(line.split_once("]: ")?.1.to_owned())).collect()
    };
    let (real, dummies) = (keys(&before), keys(after));
    assert!(real.len() > 2 && real.len() == dummies.len());
    for (one, dummy) in real.iter().zip(&dummies) {
        let left_out = one.chars().all(|c| c == '0');
        assert_eq!(one == dummy, left_out, "{one}");
        for (other, theirs) in real.iter().zip(&dummies) {
            assert_eq!(one == other, dummy == theirs);
        }
    }
}

/// Text may come from any tool, a screen with colours, or a mail that lost its indentation.
#[test]
fn texts_of_every_kind_can_be_shared() {
    needs!("fixtures/text/lab");
    let folder = tempfile::tempdir().unwrap();
    let btmon = fixture("text/lab/A/06-pairing-good.btmon.txt");
    let lines = std::fs::read_to_string(&btmon).unwrap();
    let coloured = lines.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("\u{1b}[0;34m{name}: \u{1b}[0m{value}\u{1b}[0m\r\n"),
        None => format!("{line}\r\n"),
    });
    let mailed = lines.lines().map(|line| match line.strip_prefix("        ") {
        Some(detail) => format!("> {}\n", detail.trim_start()),
        None => format!("> {line}\n"),
    });
    let derived = [
        ("coloured.txt", coloured.collect::<String>()),
        ("mailed.txt", mailed.collect()),
        ("short-values.txt", lines.replace("Value[12]: 7365637265742d76616c7565", "Value: 736563")),
    ];
    let mut files = [captures_in("text"), captures_in("text/lab/A")].concat();
    for (name, text) in derived {
        assert!(text != lines, "{name}");
        files.push(folder.path().join(name));
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    assert!(files.len() > 15, "{}", files.len());
    for file in files {
        let place = tempfile::tempdir().unwrap();
        let bundle = bundle(place.path(), &["--trim", "none"], std::slice::from_ref(&file));
        let name = bundle.iter().find(|(name, _)| name.starts_with("capture.")).unwrap();
        let shown = String::from_utf8_lossy(&name.1);
        for gone in ["F0:12:7C:AA:00:01", "B8:27:EB:12:34:56", "LabSensor"] {
            assert!(!shown.contains(gone), "{}: {gone}", file.display());
        }
        assert!(!shown.contains("736563"), "{}", file.display());
        assert!(!name.0.ends_with(".txt") || !shown.contains('\u{1b}'), "{}", file.display());
    }
}

/// A log beside a capture says the same afterwards, and names nobody.
#[test]
fn logs_beside_captures_can_be_shared() {
    needs!("fixtures/witness/b02-kick");
    use hcidiff::share::{Container, Draft, Options, share};
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let mut shared = 0;
    for name in ["b02-kick", "b05-create-cancelled", "b06-pairing-no-agent", "b17-hardware-error"] {
        let files = captures_in(&format!("witness/{name}"));
        let is = |file: &PathBuf, ending: &str| file.extension().is_some_and(|it| it == ending);
        let capture = files.iter().find(|file| is(file, "btsnoop")).unwrap();
        for file in files.iter().filter(|file| !is(file, "btsnoop")) {
            let mut side = hcidiff::case::Side::new(Input::from(capture));
            side.witnesses.push(Input::from(file));
            if is(file, "pcap") {
                continue;
            }
            let made = share(&Case::one(side), &Options::default(), &draft);
            let mut bundle = made.unwrap_or_else(|no| panic!("{}: {no}", file.display()));
            let part = bundle.parts.iter_mut().find(|part| part.container == Container::Log);
            let part = part.unwrap();
            let mut log = String::new();
            std::io::Seek::rewind(&mut part.file).unwrap();
            part.file.read_to_string(&mut log).unwrap();
            let before = std::fs::read_to_string(file).unwrap().to_ascii_lowercase();
            let after = log.to_ascii_lowercase();
            for gone in ["f0:12:7c:aa:00:01", "f0_12_7c_aa_00_01", "labsensor"] {
                assert!(!after.contains(gone), "{}: {gone}", file.display());
            }
            assert_eq!(log.lines().count() as u64, part.records_after);
            assert_eq!(before.lines().count() as u64, part.records_before);
            assert!(part.records_after > 0, "{}", file.display());
            assert!(bundle.manifest.contains(&format!("--witness {}", part.name)));
            shared += 1;
        }
    }
    assert!(shared >= 8, "{shared}");
}

/// A witness that says nothing is named, with what to do; nothing is written.
/// What bluetoothd wrote while `b15-two-devices` was recorded: two devices, one after the other.
const TWO_DEVICES: &str = "\
bluetoothd[409]: Bluetooth daemon 5.66
bluetoothd[409]: src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01
bluetoothd[409]: src/adapter.c:connected_callback() hci0 device F0:12:7C:AA:00:01 connected eir_len 14
bluetoothd[409]: src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:02
bluetoothd[409]: src/adapter.c:connected_callback() hci0 device F0:12:7C:AA:00:02 connected eir_len 15
bluetoothd[409]: src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:02 disconnected, reason 1
bluetoothd[409]: src/adapter.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason 2
";

#[test]
fn lines_of_a_log_about_devices_that_are_left_out_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("bluetoothd.txt");
    std::fs::write(&log, TWO_DEVICES).unwrap();
    let files = [fixture("lab/B-bluez5.66/b15-two-devices.btsnoop")];
    let lines = |trim: &str| {
        let arguments = ["--trim", trim, "--witness", log.to_str().unwrap()];
        let bundle = bundle(folder.path(), &arguments, &files);
        assert!(!text(&bundle, "MANIFEST.md").contains("Asked for was"), "{trim}");
        let log = text(&bundle, "capture.log-1.txt");
        log.lines().filter(|line| line.contains("disconnected")).count()
    };
    assert_eq!(lines("none"), 2);
    assert_eq!(lines("story"), 1);
    assert_eq!(lines("device"), 1);
}

#[test]
fn a_witness_that_tells_nothing_is_refused() {
    needs!("fixtures/witness/b02-kick");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bus = captures_in("witness/b02-kick")
        .into_iter()
        .find(|it| it.extension().is_some_and(|it| it == "pcap"));
    let bus = std::fs::read(bus.unwrap()).unwrap();
    // A capture of D-Bus without a message, and one whose first message is cut.
    std::fs::write(at("empty.pcap"), &bus[..24]).unwrap();
    std::fs::write(at("cut.pcap"), &bus[..60]).unwrap();
    std::fs::write(at("prose.txt"), "a sentence, and no log\n").unwrap();
    for (name, why) in [
        ("empty.pcap", "a capture of D-Bus without a message that can be read: leave it out"),
        ("cut.pcap", "a capture of D-Bus without a message that can be read: leave it out"),
        ("prose.txt", "no log that this tool knows"),
    ] {
        let output = at("bundle.zip");
        let witness = at(name);
        let arguments = ["--witness", witness.to_str().unwrap(), "-o", output.to_str().unwrap()];
        let shared = program(&arguments, &[fixture("lab/A/02-bad-kick.btsnoop")]);
        assert_eq!(shared.status.code(), Some(2), "{name}");
        assert!(said(&shared).contains(why), "{name}: {}", said(&shared));
        assert!(!output.exists(), "{name}");
    }
}

/// A sniffer's capture is refused, as a capture and as a witness, and the user hears what to share instead.
#[test]
fn captures_of_the_air_are_refused() {
    needs!("fixtures/air");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("bundle.zip");
    let output = output.to_str().unwrap();
    let air =
        captures_in("air").into_iter().find(|it| it.extension().is_some_and(|it| it == "pcap"));
    let air = air.unwrap();
    let host = fixture("lab/A/02-bad-kick.btsnoop");
    let alone = program(&["-o", output], std::slice::from_ref(&air));
    let beside = program(&["--witness", air.to_str().unwrap(), "-o", output], &[host]);
    for refused in [alone, beside] {
        assert_eq!(refused.status.code(), Some(2));
        let said = said(&refused);
        assert!(
            said.contains("a sniffer's capture of the air")
                && said.contains("share the host's capture"),
            "{said}"
        );
    }
    assert!(!Path::new(output).exists());
}

/// What the bus carried becomes dbus-monitor's text, whichever way it was recorded, and claims the same.
#[test]
fn messages_of_dbus_become_text_with_the_same_claims() {
    needs!("fixtures/witness/b04-failed-establish-3e");
    use hcidiff::share::{Container, Draft, Options, Trim, share};
    use hcidiff::witness;
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let claims = |log: &Input| {
        let log = witness::read(log, &OpenOptions::default()).unwrap().unwrap();
        assert_eq!(log.kind, witness::Kind::DBus);
        let said = |it: &witness::Claim| (it.what, it.radio, it.client, it.at, it.device.is_some());
        log.claims.iter().map(said).collect::<Vec<_>>()
    };
    let cases = [
        "b04-failed-establish-3e/b04-failed-establish-3e.dbus-monitor.txt",
        "b04-failed-establish-3e/b04-failed-establish-3e.dbus.pcap",
        "b04-failed-establish-3e/b04-failed-establish-3e.busctl.pcapng",
        "b06-pairing-no-agent/b06-pairing-no-agent.dbus.pcap",
        "w30-dbus-denied/w30-dbus-denied.dbus.pcap",
        "w35-no-daemon/w35-no-daemon.dbus.pcap",
        "w52-ctl-pair/w52-ctl-pair.dbus.pcap",
    ];
    for (case, trim) in cases.iter().flat_map(|case| [(case, Trim::Story), (case, Trim::None)]) {
        let file = fixture(&format!("witness/{case}"));
        let folder = case.split('/').next().unwrap();
        let mut side = hcidiff::case::Side::new(Input::from(
            &file.with_file_name(format!("{folder}.btsnoop")),
        ));
        side.witnesses.push(Input::from(&file));
        let options = Options { trim, ..Options::default() };
        let mut bundle =
            share(&Case::one(side), &options, &draft).unwrap_or_else(|no| panic!("{case}: {no}"));
        let part = bundle.parts.iter_mut().find(|part| part.container == Container::Log).unwrap();
        let mut text = String::new();
        std::io::Seek::rewind(&mut part.file).unwrap();
        part.file.read_to_string(&mut text).unwrap();
        let before = claims(&Input::from(&file));
        assert!(!before.is_empty(), "{case}");
        assert_eq!(claims(&Input::bytes("log.txt", text.clone().into_bytes())), before, "{case}");
        let (kept, all) = (part.records_after, part.records_before);
        assert!(kept <= all && (trim == Trim::None || kept < all), "{case}: {kept} of {all}");
        for gone in ["F0_12_7C", "B8:27:EB", "LabSensor", "f0127c"] {
            assert!(!text.contains(gone), "{case}: {gone}");
        }
    }
}

/// Any records, shared: what the fuzz target `share` asks, of records of the laboratory that are cut, repeated, mixed
/// and changed byte by byte.
#[test]
fn whatever_the_records_are_no_packet_names_an_address_of_theirs() {
    needs!("fixtures/lab/EXPECTED.tsv");
    use hcidiff::capture::btsnoop::{Datalink, Writer};
    use hcidiff::share::{Draft, Options, Refusal, Trim, share};
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let mut records = Vec::new();
    for name in ["02-bad-kick", "06-pairing-good", "07-bond-good"] {
        let file = Input::from(fixture(&format!("lab/A/{name}.btsnoop")));
        let mut opened = open(&file, &OpenOptions::default()).unwrap();
        while let Some(record) = opened.source.next().unwrap() {
            let bytes = record.bytes().to_vec();
            records.push((record.kind, record.direction, record.adapter, bytes));
        }
    }
    assert!(records.len() > 300, "{}", records.len());
    let (mut shared, mut named) = (0, 0);
    for seed in 0..120 {
        let mut random = random::Random::new(seed);
        let mut writer = Writer::new(Vec::new(), Datalink::Monitor).unwrap();
        let mut at = random.below(records.len());
        for number in 0..60 {
            // Mostly in their order, so that links and frames come about.
            at = if random.below(8) == 0 { random.below(records.len()) } else { at + 1 };
            let (kind, direction, adapter, bytes) = &records[at % records.len()];
            let mut bytes = bytes.clone();
            for _ in 0..random.of(&[0, 0, 0, 1, 4]) {
                if !bytes.is_empty() {
                    let place = random.below(bytes.len());
                    bytes[place] = random.next() as u8;
                }
            }
            if random.below(12) == 0 {
                bytes.truncate(random.below(bytes.len() + 1));
            }
            let original_len = bytes.len() as u32;
            // What the file has no place for is left out.
            let _ = writer.push(&hcidiff::capture::Record {
                frame: number,
                offset: 0,
                time: Some(hcidiff::time::Timestamp(i64::from(number) * 7_500)),
                adapter: adapter.or(Some(0)),
                direction: *direction,
                kind: *kind,
                payload: hcidiff::capture::Payload::Bytes(&bytes),
                original_len,
                comment: None,
            });
        }
        let capture = writer.finish().unwrap();
        let input = || Input::bytes("input", capture.clone());
        let options = Options {
            trim: random.of(&[Trim::None, Trim::Device, Trim::Story]),
            keep_values: random.below(2) == 0,
            keep_names: random.below(2) == 0,
            keep_times: random.below(2) == 0,
        };
        let case = Case::one(hcidiff::case::Side::new(input()));
        let mut bundle = match share(&case, &options, &draft) {
            Ok(bundle) => bundle,
            // By chance, numbers that stay may look like an address; then nothing is written.
            Err(Refusal::Leak { .. } | Refusal::Verdict { .. } | Refusal::Capture { .. }) => {
                continue;
            }
            Err(refusal) => panic!("seed {seed}: {refusal}"),
        };
        let mut bytes = Vec::new();
        let part = &mut bundle.parts[0];
        std::io::Seek::rewind(&mut part.file).unwrap();
        part.file.read_to_end(&mut bytes).unwrap();
        let originals = addresses(&input());
        let left = addresses(&Input::bytes(part.name.clone(), bytes));
        let nobody = [[0; 6], [0xff; 6]];
        let left: Vec<_> =
            originals.intersection(&left).filter(|it| !nobody.contains(it)).collect();
        assert!(left.is_empty(), "seed {seed}: {left:02x?}");
        let report = hcidiff::report::markdown::render(&bundle.report);
        for address in originals.iter().filter(|it| !nobody.contains(it)) {
            let printed = hcidiff::packet::Address(*address).to_string();
            assert!(
                !report.contains(&printed) && !bundle.manifest.contains(&printed),
                "seed {seed}"
            );
        }
        shared += 1;
        named += originals.len();
    }
    assert!(shared > 100 && named > 200, "{shared} bundles, {named} addresses");
}

#[test]
fn the_same_captures_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let once = bundle(folder.path(), &[], &flagship());
    assert_eq!(once, bundle(folder.path(), &[], &flagship()));
}

#[test]
fn without_trimming_every_record_stays() {
    needs!("fixtures/lab/A/07-bond-good.btsnoop");
    let folder = tempfile::tempdir().unwrap();
    let file = fixture("lab/A/07-bond-good.btsnoop");
    let count = |input: &Input| {
        let mut opened = open(input, &OpenOptions::default()).unwrap();
        let mut kinds = Vec::new();
        while let Some(record) = opened.source.next().unwrap() {
            kinds.push((record.kind, record.direction, record.bytes().len()));
        }
        kinds
    };
    let bundle = bundle(folder.path(), &["--trim", "none"], std::slice::from_ref(&file));
    let (name, bytes) = bundle[0].clone();
    assert_eq!(name, "capture.btsnoop");
    let packets = |kinds: Vec<(hcidiff::capture::Kind, _, usize)>| -> Vec<_> {
        // Texts may have another length.
        let texts = |kind| matches!(kind, hcidiff::capture::Kind::Monitor(0..=15));
        kinds
            .into_iter()
            .map(|(kind, way, len)| (kind, way, if texts(kind) { 0 } else { len }))
            .collect()
    };
    assert_eq!(packets(count(&Input::bytes(name, bytes))), packets(count(&Input::from(&file))));
}

#[test]
fn the_map_is_for_the_reporter_alone() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("map.tsv");
    let bundle = bundle(folder.path(), &["--map", map.to_str().unwrap()], &flagship());
    let map = std::fs::read_to_string(map).unwrap();
    assert!(map.contains("\tLabSensor\t"), "{map}");
    assert!(bundle.iter().all(|(name, _)| !name.contains("map")));
}

#[test]
fn names_values_and_days_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let holds = |arguments: &[&str], what: &[u8]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        bundle[..2].iter().any(|(_, bytes)| bytes.windows(what.len()).any(|it| it == what))
    };
    assert!(!holds(&[], b"LabSensor"));
    for trim in ["story", "none"] {
        assert!(holds(&["--keep-names", "--trim", trim], b"LabSensor"));
    }
    let rows = |arguments: &[&str]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        bundle[0].1.windows(4).filter(|it| it == b"xxxx").count()
    };
    // Serial numbers and what may be a key go, whatever is kept.
    let (kept, all) = (rows(&["--keep-values"]), rows(&[]));
    assert!(0 < kept && kept < all, "{kept} of {all}");
    let first = |arguments: &[&str]| {
        let bundle = bundle(folder.path(), arguments, &flagship());
        let (name, bytes) = bundle[1].clone();
        let capture = analyse(&Case::one(hcidiff::case::Side::new(Input::bytes(name, bytes))));
        capture.unwrap().captures[0].first_time.unwrap()
    };
    let original = analyse(&Case::one(&flagship()[1])).unwrap().captures[0].first_time.unwrap();
    assert_eq!(first(&["--keep-times"]), original);
    let moved = (original - first(&[])).0;
    assert!(moved != 0 && moved % 86_400_000_000 == 0, "whole days: {moved}");
}

#[test]
fn what_exists_is_not_replaced_and_what_fails_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    let to = path.to_str().unwrap();
    std::fs::write(&path, "mine").unwrap();
    let output = program(&["-o", to], &flagship());
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--force"), "{}", said(&output));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert!(program(&["-o", to, "--force"], &flagship()).status.success());
    assert_ne!(std::fs::read(&path).unwrap(), b"mine");

    let other = folder.path().join("other.zip");
    for file in ["vectors/s_1003.btsnoop", "vectors/h_empty.btsnoop"] {
        let output = program(&["-o", other.to_str().unwrap()], &[fixture(file)]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(!other.exists(), "{file}");
    }
    let capture = folder.path().join("capture.btsnoop");
    std::fs::copy(&flagship()[1], &capture).unwrap();
    let output =
        program(&["--force", "-o", capture.to_str().unwrap()], std::slice::from_ref(&capture));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&capture).unwrap(), std::fs::read(&flagship()[1]).unwrap());
}

#[test]
fn a_damaged_capture_gives_a_bundle_of_what_could_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), &[], &[fixture("vectors/h_cut_in_data.btsnoop")]);
    let (name, bytes) = bundle[0].clone();
    let mut opened = open(&Input::bytes(name, bytes), &OpenOptions::default()).unwrap();
    let mut records = 0;
    while opened.source.next().unwrap().is_some() {
        records += 1;
    }
    assert!(records > 3, "{records}");
}
