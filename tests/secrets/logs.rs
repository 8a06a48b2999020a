//! Logs beside captures and in their place: what programs print there of keys, people and machines.
use crate::common::fixture;
use crate::search::{Search, Secret};
use hcidiff::capture::Input;
use hcidiff::case::{Case, Side};
use hcidiff::report::{Report, Shown, html, json, markdown, terminal};

const DEVICE: &str = "F0:12:7C:AA:00:01";
const NAME: &str = "Zoes Thermometer";

/// A key, and how programs spell it.
const KEY: [u8; 16] = [
    0x6f, 0x1e, 0xd2, 0x94, 0xb8, 0x03, 0x7c, 0xe5, 0x41, 0xaf, 0x90, 0x2b, 0xd7, 0x58, 0x3c, 0xe6,
];

/// What a program says of a connection, with a secret in it; and the secret where it is no key.
const SAID: [(&str, &str); 16] = [
    ("failed: token=hunter2token", "hunter2token"),
    ("failed: Authorization: Bearer eyJhbGciOi.J9x", "eyJhbGciOi"),
    ("failed: {'password': 'correct horse'}", "correct horse"),
    ("failed: api_key=AKIA55TTEXAMPLE", "AKIA55TTEXAMPLE"),
    ("failed: passkey 981234 was wrong", "981234"),
    ("failed: PIN code is 4711, says the user", "4711"),
    ("failed: told jane.doe@example.org about it", "jane.doe"),
    ("failed: http://me:s3cr3tpass@nas.example/x", "s3cr3tpass"),
    ("failed: https://ha:longlivedpass@192.168.17.4:8123/api", "longlivedpass"),
    ("failed: peer at 192.168.17.4 is slow", "192.168.17.4"),
    ("failed: see /home/jdoe/app.py", "jdoe"),
    ("failed: in C:\\Users\\janedoe\\app.py", "janedoe"),
    ("failed: jdoe is not in the group bluetooth", "jdoe"),
    ("failed: on attic-server, restart it", "attic-server"),
    ("failed: linkKey='hunter two'", "hunter two"),
    ("failed: passphrase: blue-suede-shoes", "blue-suede-shoes"),
];

/// How a line of each kind of log begins and ends around what is said.
const KINDS: [(&str, &str, &str); 6] = [
    (
        "app.log",
        "2026-11-28 07:54:03,100 ERROR labsensor: Communication with F0:12:7C:AA:00:01 ",
        "",
    ),
    (
        "home-assistant.log",
        "2026-11-28 07:54:03.100 ERROR (MainThread) [labsensor] F0:12:7C:AA:00:01 ",
        "",
    ),
    ("no-time.log", "ERROR:labsensor:F0:12:7C:AA:00:01 ", ""),
    (
        "retry.log",
        "2026-11-28 07:54:03,100 DEBUG bleak_retry_connector: Zoes Thermometer - F0:12:7C:AA:00:01: Failed to connect: ",
        "",
    ),
    (
        "journal.txt",
        "Nov 28 07:54:03 attic-server bluetoothd[264]: src/device.c:att_connect_cb() connect to F0:12:7C:AA:00:01: ",
        " Host is down (112)",
    ),
    (
        "traceback.log",
        "2026-11-28 07:54:03,100 ERROR labsensor: F0:12:7C:AA:00:01\nTraceback (most recent call last):\nbleak.exc.BleakError: ",
        "",
    ),
];

fn spelled() -> Vec<String> {
    let join = |separator: &str| KEY.map(|byte| format!("{byte:02x}")).join(separator);
    vec![
        format!("LTK {}", join("")),
        format!("key: {}", join(":").to_uppercase()),
        format!("irk = 0x{}", join("")),
        format!("value {}", join(" ")),
        format!("b'{}'", KEY.map(|byte| format!("\\x{byte:02x}")).join("")),
        format!("bytes {}", KEY.map(|byte| byte.to_string()).join(", ")),
        "csrk bx7SlLgDfOVBr5Ar11g85g==".to_owned(),
    ]
}

/// Logs of every kind, with every secret in a line that is quoted.
fn logs() -> Vec<(String, String)> {
    let kind = |(file, before, after): (&str, &str, &str)| {
        let mut text = String::from(
            "Nov 28 07:54:01 attic-server bluetoothd[264]: src/device.c:device_connect_le() Connection attempt to: F0:12:7C:AA:00:01\n",
        );
        text.push_str("2026-11-28 07:54:02,049 INFO labsensor: Connecting to F0:12:7C:AA:00:01\n");
        text.push_str("2026-11-28 07:54:02,060 DEBUG bleak_retry_connector: Zoes Thermometer - F0:12:7C:AA:00:01: Connection attempt: 1\n");
        let said = SAID.iter().map(|(said, _)| (*said).to_owned());
        for said in said.chain(spelled().into_iter().map(|key| format!("failed: {key}"))) {
            text.push_str(&format!("{before}{said}{after}\n"));
        }
        (file.to_owned(), text)
    };
    KINDS.map(kind).into()
}

fn secrets() -> Vec<Secret> {
    let text = |(_, text): &(&str, &str)| Secret {
        what: (*text).to_owned(),
        bytes: Vec::new(),
        text: Some((*text).to_owned()),
        identity: false,
    };
    let mut secrets: Vec<Secret> = SAID.iter().map(text).collect();
    secrets.push(Secret { what: "key".into(), bytes: KEY.into(), text: None, identity: false });
    for (what, identity) in [(DEVICE, true), (NAME, true), ("F0_12_7C_AA_00_01", true)] {
        let text = Some(what.to_owned());
        secrets.push(Secret { what: what.into(), bytes: Vec::new(), text, identity });
    }
    secrets
}

/// A log alone, one beside a capture, and one as the failing side.
fn cases(file: &str, text: &str) -> Vec<(&'static str, Case)> {
    let log = || Input::bytes(file, text.as_bytes());
    let capture = fixture("lab/A/02-bad-kick.btsnoop");
    let mut side = Side::new(capture.clone().into());
    side.witnesses = vec![log()];
    vec![
        ("alone", Case::one(Side::new(log()))),
        ("beside a capture", Case::one(side)),
        ("as the failing side", Case::pair(Side::new(capture.into()), Side::new(log()))),
    ]
}

#[test]
fn no_output_shows_a_secret_of_a_log() {
    let secrets = secrets();
    let keys = Search::of(secrets.iter().filter(|secret| !secret.identity));
    let all = Search::of(&secrets);
    let (mut leaks, mut hidden, mut shown) = (Vec::new(), 0, 0);
    for (file, text) in logs() {
        for (how, case) in cases(&file, &text) {
            let mut report = Report::from(hcidiff::case::analyse(&case).unwrap());
            for aliases in [false, true] {
                report.shown = Shown { full: true, aliases, ..Shown::default() };
                let screen = terminal::Screen::default();
                for (format, output) in [
                    ("terminal", terminal::render(&report, screen)),
                    ("first screen", terminal::first(&report, screen, usize::MAX)),
                    ("letter", terminal::letter(&report)),
                    ("markdown", markdown::render(&report)),
                    ("json", json::render(&report)),
                    ("html", html::render(&report)),
                ] {
                    hidden += usize::from(output.contains("(not shown)"));
                    shown += usize::from(!aliases && output.contains(DEVICE));
                    let found = if aliases { all.leaks(&output) } else { keys.leaks(&output) };
                    leaks
                        .extend(found.iter().map(|what| format!("{file} {how}, {format}: {what}")));
                }
            }
        }
    }
    leaks.sort();
    leaks.dedup();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    // The lines are quoted: who finds nothing has looked at something.
    assert!(hidden > 60 && shown > 40, "{hidden} {shown}");
}

/// Logs and messages of D-Bus that go into a bundle beside a capture: none of what is planted in them is in it.
#[test]
fn no_bundle_holds_a_secret_of_a_log() {
    use hcidiff::share::{Draft, Options, Trim, share};
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let capture = fixture("lab/A/02-bad-kick.btsnoop");
    let lines = logs().into_iter().map(|(file, text)| (file, text.into_bytes(), secrets()));
    let (bus, of_bus) = crate::bus::logs();
    let bus = bus.into_iter().map(|(file, bytes)| (file, bytes, of_bus.clone()));
    let (mut leaks, mut planted) = (Vec::new(), 0);
    for (file, bytes, secrets) in lines.chain(bus) {
        let search = Search::of(&secrets);
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut there = search.leaks(&String::from_utf8_lossy(&bytes));
        there.extend(search.leaks(&digits));
        planted += there.len();
        for trim in [Trim::Story, Trim::None] {
            let mut side = Side::new(capture.clone().into());
            side.witnesses = vec![Input::bytes(file.as_str(), bytes.as_slice())];
            let options = Options { trim, ..Options::default() };
            let mut bundle = share(&Case::one(side), &options, &draft)
                .unwrap_or_else(|refusal| panic!("{file}, {}: {refusal}", trim.word()));
            let mut texts = vec![
                ("manifest", bundle.manifest.clone()),
                ("markdown", markdown::render(&bundle.report)),
                ("html", html::render(&bundle.report)),
            ];
            let log = &mut bundle.parts[1].file;
            let mut text = String::new();
            std::io::Seek::rewind(log).unwrap();
            std::io::Read::read_to_string(log, &mut text).unwrap();
            assert!(text.lines().count() > 3, "{file}, {}", trim.word());
            texts.push(("log", text));
            for (place, text) in texts {
                let found = search.leaks(&text).into_iter();
                leaks.extend(found.map(|what| format!("{file}, {}, {place}: {what}", trim.word())));
            }
        }
    }
    leaks.sort();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(planted > 200, "{planted}");
}

/// Otherwise nothing would be quoted of them.
#[test]
fn the_kinds_are_read_as_logs() {
    for (file, text) in logs() {
        let input = Input::bytes(file.as_str(), text.as_bytes());
        let log = hcidiff::witness::read(&input, &Default::default()).unwrap().expect("a log");
        assert!(log.claims.len() > SAID.len(), "{file}: {}", log.claims.len());
    }
}
