//! What btmon printed of a session says what the binary capture of the session says: the same
//! connections with the same facts, the same steps, the same findings.
//!
//! Apart from frame numbers and times, which the text counts in its own way, only what
//! [`EXCUSED`] lists may differ; `docs/text-captures.md` has the same list.
#![cfg(feature = "cli")]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::piped;
use hcidiff::seen::Seen;
use hcidiff::time::Span;
use hcidiff::timeline::{Connection, Moment};
use hcidiff::{Analysis, Case, analyse};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Sessions whose text cannot say what the binary says, and why.
const EXCUSED: &[(&str, &str)] = &[
    (
        "B-bluez5.66/b15-two-devices.btmon-T.txt",
        "no room for handles while two links are up: whose packet it was is not known",
    ),
    ("B-bluez5.82/b15-two-devices.btmon.txt", "the same"),
    ("B-bluez5.82/b15-two-devices.btmon-t.txt", "the same"),
    ("B-bluez5.82/b15-two-devices.btmon-T.txt", "the same"),
    (
        "B-bluez5.82/b06-pairing-no-agent.btmon-t.txt",
        "the daemon's line that names the missing agent is cut off: less confidence",
    ),
    ("B-bluez5.82/b06-pairing-no-agent.btmon-T.txt", "the same"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn analysed(path: &Path) -> Analysis {
    analyse(&Case::one(path)).unwrap_or_else(|unreadable| panic!("{unreadable}"))
}

/// The connection without frames and times, which a text counts in its own way.
fn timeless(connection: &Connection) -> Connection {
    const AT: Moment = Moment::UNKNOWN;
    let frame = |frame: &mut Option<u32>| *frame = frame.map(|_| 0);
    let place = |seen: &mut Seen| (seen.frame, seen.at) = (0, AT);
    let maybe = |seen: &mut Option<Seen>| seen.iter_mut().for_each(place);

    let mut it = connection.clone();
    if let Some(request) = &mut it.request {
        place(request);
        frame(&mut request.status_frame);
        maybe(&mut request.cancelled);
    }
    maybe(&mut it.status_seen);
    maybe(&mut it.up);
    it.keys.iter_mut().for_each(|key| place(key));
    it.pace.iter_mut().for_each(|pace| place(pace));
    it.heard.iter_mut().for_each(|sighting| place(sighting));
    it.last_heard.iter_mut().for_each(|sighting| place(sighting));
    it.usable_at = AT;
    if let Some(mtu) = &mut it.mtu {
        place(mtu);
        maybe(&mut mtu.answer);
    }
    it.first_att.iter_mut().for_each(|first| place(first));
    maybe(&mut it.last_pdu);
    maybe(&mut it.last_sent_pdu);
    it.last_write.iter_mut().for_each(|written| place(written));
    if let Some(end) = &mut it.end {
        place(end);
        maybe(&mut end.command);
        end.echoes.fill(0);
    }
    if let Some(gone) = &mut it.gone {
        place(gone);
        gone.command.iter_mut().for_each(|(seen, _)| place(seen));
    }
    for open in &mut it.open_requests {
        place(open);
        open.age = None;
    }
    it.credits.most_outstanding_frame = 0;
    frame(&mut it.credits.overrun_frame);
    maybe(&mut it.credits.last_completed);
    maybe(&mut it.credits.stuck);
    for step in &mut it.steps {
        place(&mut step.first);
        place(&mut step.last);
    }
    frame(&mut it.scan_started_frame);
    it.report_before.iter_mut().for_each(|report| place(report));
    it.report_after.iter_mut().for_each(|report| place(report));
    if let Some(advertised) = &mut it.advertised {
        place(&mut advertised.first);
        place(&mut advertised.last);
    }
    it.mgmt_reason = it.mgmt_reason.map(|(_, reason)| (0, reason));
    it.mgmt_failed = it.mgmt_failed.map(|(_, status)| (0, status));
    it.oddities.iter_mut().for_each(|oddity| oddity.frame = 0);
    it.silence_before = it.silence_before.map(|_| Span(0));
    it.capture_end = AT;
    it
}

/// The lines in which two connections differ, for the message of the test.
fn unlike(text: &Connection, binary: &Connection) -> String {
    let words = [text, binary].map(|connection| format!("{connection:#?}"));
    let [said, meant] = words.each_ref().map(|words| Vec::from_iter(words.lines()));
    let at = said.iter().zip(&meant).position(|(a, b)| a != b).unwrap_or(0);
    let near = |lines: &[&str]| {
        let shown = lines.get(at.saturating_sub(2)..(at + 2).min(lines.len()));
        format!("{:?}", shown.unwrap_or_default())
    };
    format!("line {at}: {}, binary {}", near(&said), near(&meant))
}

fn findings(analysis: &Analysis) -> BTreeSet<String> {
    analysis
        .findings
        .iter()
        .map(|finding| {
            let (rule, level, confidence) = (finding.rule, finding.level, finding.confidence);
            format!("{rule} {level:?} {confidence:?} {:?}", finding.connections)
        })
        .collect()
}

/// What differs between a text and its binary twin, in a few words.
fn differences(text: &Path, binary: &Path) -> Vec<String> {
    let both = (analysed(text), analysed(binary));
    let (text, binary) = (&both.0.captures[0], &both.1.captures[0]);
    let mut differ = Vec::new();
    if text.format != "btmon-text" {
        differ.push(format!("read as {}", text.format));
    }
    if text.connections.len() != binary.connections.len() {
        differ.push(format!(
            "{} connections, binary {}",
            text.connections.len(),
            binary.connections.len()
        ));
    }
    for (text, binary) in text.connections.iter().zip(&binary.connections) {
        let (text, binary) = (timeless(text), timeless(binary));
        if text != binary {
            differ.push(format!("connection {}, {}", text.number, unlike(&text, &binary)));
        }
    }
    let (said, meant) = (findings(&both.0), findings(&both.1));
    if said != meant {
        differ.push(format!("finds {said:?}, binary {meant:?}"));
    }
    differ
}

/// The texts of a folder whose binary twin is there.
fn twins(texts: &Path, binaries: &Path) -> Vec<(PathBuf, PathBuf)> {
    let Ok(entries) = fs::read_dir(texts) else { return Vec::new() };
    let mut pairs: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (stem, ending) = name.split_once(".btmon")?;
            let binary = binaries.join(format!("{stem}.btsnoop"));
            (matches!(ending, ".txt" | "-t.txt" | "-T.txt") && binary.exists())
                .then(|| (entry.path(), binary))
        })
        .collect();
    pairs.sort();
    pairs
}

fn judge(pairs: &[(PathBuf, PathBuf)]) {
    let (mut wrong, mut needless) = (Vec::new(), Vec::new());
    for (text, binary) in pairs {
        let shown = text.iter().rev().take(2).collect::<Vec<_>>();
        let name: PathBuf = shown.into_iter().rev().collect();
        let name = name.display().to_string();
        let differ = differences(text, binary);
        let excuse = EXCUSED.iter().find(|(excused, _)| name.ends_with(excused));
        match (differ.is_empty(), excuse) {
            (true, Some(_)) => needless.push(name),
            (false, None) => wrong.push(format!("{name}:\n  {}", differ.join("\n  "))),
            _ => {}
        }
    }
    println!("{} of {} texts equal their binaries", pairs.len() - wrong.len(), pairs.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), pairs.len(), wrong.join("\n"));
    assert!(needless.is_empty(), "excused and equal: {needless:?}");
}

#[test]
fn text_and_binary_agree() {
    needs!("fixtures/text/lab");
    let mut pairs = Vec::new();
    for folder in ["A", "B-bluez5.66", "B-bluez5.82"] {
        let folder = Path::new("lab").join(folder);
        let fixtures = root().join("fixtures");
        pairs.extend(twins(&fixtures.join("text").join(&folder), &fixtures.join(&folder)));
    }
    assert!(pairs.len() >= 6, "{} pairs", pairs.len());
    judge(&pairs);
}

/// Every laboratory capture that has both. Skipped where the laboratory is not there.
#[test]
fn text_and_binary_agree_in_the_whole_laboratory() {
    needs!("fixtures/text/lab");
    let lab = root().join("../shared/lab");
    let pairs: Vec<_> = ["A", "A2", "B-bluez5.66", "B-bluez5.82"]
        .iter()
        .flat_map(|folder| twins(&lab.join(folder), &lab.join(folder)))
        .collect();
    if lab.exists() {
        assert!(pairs.len() > 100, "{} pairs", pairs.len());
    }
    // Three texts a session: unoptimised one of them is time enough, another one for the next.
    let few = cfg!(debug_assertions) && std::env::var_os("ALL_TEXTS").is_none();
    let chosen = pairs.iter().enumerate().filter(|(at, (text, _))| {
        let offline = text.parent().is_some_and(|folder| folder.ends_with("A"));
        !few || offline || at % 4 == 0
    });
    judge(&chosen.map(|(_, pair)| pair.clone()).collect::<Vec<_>>());
}

fn run(arguments: &[&str], input: &[u8]) -> (i32, String) {
    let (status, out, _) = piped(arguments, input);
    (status, out)
}

const KICK: &str = "fixtures/text/lab/A/02-bad-kick.btmon.txt";

fn events(text: &str) -> Vec<serde_json::Value> {
    let (code, out) = run(&["events", "--format", "jsonl", "--show-values", "-"], text.as_bytes());
    assert_eq!(code, 0);
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Events without their times and places.
fn said(text: &str) -> Vec<serde_json::Value> {
    let mut events = events(text);
    for event in &mut events {
        for key in ["time", "local_time", "offset_s"] {
            event[key] = serde_json::Value::Null;
        }
    }
    events
}

/// `pbpaste | hcidiff mac.pklg -`
#[test]
fn a_paste_on_standard_input_is_compared() {
    needs!("fixtures/text/lab");
    let paste = fs::read(root().join(KICK)).expect("a fixture");
    let mac = root().join("fixtures/flagship/mac.pklg");
    let (code, out) = run(&[mac.to_str().expect("UTF-8"), "-", "--format", "json"], &paste);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["captures"][1]["format"], "btmon-text");
    let file = root().join(KICK);
    let (same, from_file) =
        run(&[mac.to_str().unwrap(), file.to_str().unwrap(), "--format", "json"], b"");
    assert_eq!(code, same);
    let from_file: serde_json::Value = serde_json::from_str(&from_file).expect("JSON");
    let rules = |report: &serde_json::Value| {
        let findings = report["findings"].as_array().expect("findings");
        findings.iter().map(|finding| finding["rule"].clone()).collect::<Vec<_>>()
    };
    assert!(!rules(&report).is_empty());
    assert_eq!(rules(&report), rules(&from_file));
}

/// What terminals, mail, web pages and people do to a paste changes nothing.
#[test]
fn a_paste_survives_what_is_done_to_it() {
    needs!("fixtures/text/lab");
    let text = fs::read_to_string(root().join(KICK)).expect("a fixture");
    let plain = said(&text);
    assert!(plain.len() > 100);
    let each = |change: &dyn Fn(&str) -> String| -> String {
        text.lines().map(|line| change(line) + "\n").collect()
    };
    let coloured = each(&|line| format!("\u{1b}[0m\u{1b}[1;32m{line}\u{1b}[0m\r"));
    assert_eq!(said(&coloured), plain, "colours");
    let page = each(&|line| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    assert_eq!(said(&page), plain, "a web page");
    let quoted = each(&|line| format!("> > {line}"));
    assert_eq!(said(&quoted), plain, "quoted twice");
    let zeroes = each(&|line| format!("{line}\0\0"));
    assert_eq!(said(&zeroes), plain, "zeroes");
    // Some archives take the mark before received packets for a quotation, and double the other.
    let archived = each(&|line| match (line.strip_prefix("> "), line.strip_prefix("< ")) {
        (Some(line), _) => line.to_owned(),
        (_, Some(line)) => format!("<< {line}"),
        _ => line.to_owned(),
    });
    assert_eq!(said(&archived), plain, "marks of direction changed");
    let prose = format!("Hello,\n\nthis is what I see = nothing < 3 > 2:\n\n{text}\n\nThanks!\n");
    assert_eq!(said(&prose), plain, "prose around");
    let flat = each(&|line| line.trim_start().to_owned());
    assert_eq!(said(&flat), plain, "without indentation");
    // The right end on a line of its own, as mail breaks lines of 80 columns.
    let wrapped = each(&|line| match line.rfind("  #") {
        Some(at) => format!("{}\n            {}", line[..at].trim_end(), line[at..].trim_start()),
        None => line.to_owned(),
    });
    assert_ne!(wrapped, text);
    assert_eq!(said(&wrapped), plain, "wrapped");
    let twice = said(&format!("{text}\n{text}"));
    assert_eq!(twice.len(), 2 * plain.len(), "two pastes");
    // Cut anywhere: what stands before the cut is the same, and the last packet claims no more.
    for end in [2000, 5000, 9999, 20_000, 33_333] {
        let cut = said(text.get(..end).expect("ASCII"));
        let whole = cut.len().saturating_sub(1);
        assert!(whole > 2 && cut[..whole] == plain[..whole], "cut at {end}");
    }
}

/// Whose address it is, somebody hid: the connection stays.
#[test]
fn hidden_addresses_are_unknown() {
    needs!("fixtures/text/lab");
    let text = fs::read_to_string(root().join(KICK)).expect("a fixture");
    let hidden = text.replace("F0:12:7C:AA:00:01", "XX:XX:XX:XX:XX:XX");
    assert_ne!(hidden, text);
    let (_, out) = run(&["--format", "json", "-"], hidden.as_bytes());
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let connections = report["captures"][0]["connections"].as_array().expect("connections");
    assert_eq!(connections.len(), analysed(&root().join(KICK)).captures[0].connections.len());
    assert!(!out.contains("F0:12:7C"));
    assert_eq!(connections[0]["role"], "central");
}

/// btmon's text names no host by itself: which program drove the adapter, only a daemon's lines say. Advice for one
/// host then carries that host's name.
#[test]
fn a_text_without_daemon_lines_has_no_host() {
    needs!("fixtures/text/lab");
    let text = fs::read_to_string(root().join(KICK)).expect("a fixture");
    let report = |text: &str| {
        let (_, out) = run(&["--format", "json", "-"], text.as_bytes());
        let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let remedies: Vec<String> = report["findings"][0]["remedies"]
            .as_array()
            .expect("remedies")
            .iter()
            .map(|r| r.as_str().expect("words").to_owned())
            .collect();
        (report["captures"][0]["host"].clone(), remedies)
    };
    let (host, remedies) = report(&text);
    assert!(host.is_null(), "{host}");
    assert!(!remedies[0].starts_with("On "), "{remedies:?}");
    for of_bluez in remedies.iter().filter(|remedy| remedy.contains("main.conf")) {
        assert!(of_bluez.starts_with("On BlueZ: "), "{of_bluez}");
    }
    // The daemon's own first line is such evidence.
    let (header, rest) = text.split_once('\n').expect("lines");
    let daemon = "= bluetoothd[397]: Bluetooth daemon 5.66             2026-09-21 14:13:20.000100";
    let (host, _) = report(&format!("{header}\n{daemon}\n{rest}"));
    assert_eq!(host["stack"], "bluez", "{host}");
}

#[test]
fn lines_that_begin_a_packet_and_say_nothing_are_counted() {
    needs!("fixtures/text/lab");
    let (_, out) = run(
        &["--format", "json", "-"],
        b"Bluetooth monitor ver 5.66\n< HCI Command: Reset (0x03|0x0003) plen 0   #1 [hci0] 0.100000\n> HCI Event: Comm\n\nnothing\n",
    );
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let warnings = report["captures"][0]["warnings"].to_string();
    assert!(
        warnings.contains("lines-not-understood") && warnings.contains("HCI Event: Comm"),
        "{warnings}"
    );
}

/// Whatever stands before a packet's words: the line is counted, its details are not the packet's
/// before, and no address or key of it is shown.
#[test]
fn no_line_that_begins_a_packet_is_lost_in_silence() {
    needs!("fixtures/text/lab");
    let text = "Bluetooth monitor ver 5.66\n\
        > HCI Event: Disconnect Complete (0x05) plen 4   #1 [hci0] 0.100000\n        \
                Status: Success (0x00)\n        Handle: 64\n\
        |> HCI Event: Link Key Request (0x17) plen 6 #2 AC:5E:00:53:01:02 00112233445566778899aabbccddeeff\n\
                Handle: 65\n        Reason: Connection Timeout (0x08)\n\
        < HCI Command: Reset (0x03|0x0003) plen 0   #3 [hci0] 0.200000\n";
    let (_, out, err) = piped(&["events", "-"], text.as_bytes());
    assert!(err.contains("1 line of the text was not understood (line 5:"), "{err}");
    assert!(!err.contains("00112233") && !err.contains("AC:5E:00"), "{err}");
    assert!(!out.contains("0x08"), "details of the lost packet: {out}");
    assert_eq!(said(text).len(), 2);
}
