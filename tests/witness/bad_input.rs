//! Logs as they reach us: wrapped, torn, mixed, translated, drowned in other lines, and damaged.
use super::{capture, folder};
use hcidiff::capture::Input;
use hcidiff::packet::Address;
use hcidiff::witness::{self, Kind, Log, Testimony, What};
use proptest::prelude::*;
use std::sync::LazyLock;

fn text(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

fn log(bytes: impl AsRef<[u8]>) -> Option<Log> {
    witness::read(&Input::bytes("log", bytes.as_ref()), &Default::default()).unwrap()
}

/// What a log claims, and of whom.
fn claims(bytes: impl AsRef<[u8]>) -> Vec<(What, Option<Address>)> {
    let log = log(bytes).expect("a log");
    log.claims.iter().map(|claim| (claim.what, claim.device)).collect()
}

const HOME_ASSISTANT: &str = "b04-failed-establish-3e/b04-failed-establish-3e.home-assistant.log";
const JOURNAL: &str = "b04-failed-establish-3e/b04-failed-establish-3e.journal-precise.txt";
const KERNEL: &str = "b17-hardware-error/b17-hardware-error.kernel.txt";
const BLUETOOTHCTL: &str = "w53-ctl-pair-refused/w53-ctl-pair-refused.bluetoothctl.txt";

fn each_line(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(|line| change(line) + "\n").collect()
}

#[test]
fn a_wrapper_changes_nothing() {
    needs!("fixtures/witness");
    for file in [HOME_ASSISTANT, JOURNAL] {
        let plain = text(file);
        let expected = claims(&plain);
        assert!(expected.len() > 15, "{file}: {}", expected.len());
        let escaped = plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for (name, wrapped) in [
            ("CRLF", plain.replace('\n', "\r\n")),
            ("a byte order mark", format!("\u{feff}{plain}")),
            ("a Markdown fence", format!("It fails:\n\n```text\n{plain}```\n")),
            ("a quote", each_line(&plain, |line| format!("> {line}"))),
            ("a quote in a quote", each_line(&plain, |line| format!("> > {line}"))),
            ("HTML entities", escaped),
            ("colours", each_line(&plain, |line| format!("\x1b[32m{line}\x1b[0m"))),
            (
                "docker logs",
                each_line(&plain, |line| match line.starts_with(char::is_numeric) {
                    true => format!("2026-11-28T07:54:02.049123456Z {line}"),
                    false => line.to_owned(),
                }),
            ),
        ] {
            if name == "docker logs" && file == JOURNAL {
                continue;
            }
            assert_eq!(claims(&wrapped), expected, "{file} in {name}");
        }
        let wide: Vec<u8> = [0xfeff_u16]
            .into_iter()
            .chain(plain.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(claims(&wide), expected, "{file} in UTF-16");
    }
}

/// A prefix that is there twice, once from syslog and once from the program's own output.
#[test]
fn a_doubled_prefix_is_read_through() {
    needs!("fixtures/witness");
    let plain = text(HOME_ASSISTANT);
    let head = |line: &str| line.starts_with("2026-");
    let carried = each_line(&plain, |line| match head(line) {
        true => format!("Nov 28 07:54:02 ha hass[784017]: {line}"),
        false => line.to_owned(),
    });
    assert_eq!(claims(&carried), claims(&plain));
    let journal = text(JOURNAL);
    let doubled = each_line(&journal, |line| line.replacen("]: ", "]: bluetoothd[992]: ", 1));
    assert_eq!(claims(&doubled), claims(&journal));
}

/// Months in scripts that no table has: the day and the time of day are enough to find the log's place.
#[test]
fn months_in_any_script_are_read_and_aligned() {
    needs!("fixtures/witness");
    let journal = text(JOURNAL);
    let capture = capture(JOURNAL);
    let expected = claims(&journal);
    for month in ["ноя", "11月", "nov.", "Νοε", "نوفمبر", "นวมบร", "नवंबर", "נוב", "노벰"]
    {
        let translated =
            each_line(&journal, |line| line.replacen("Nov 28 ", &format!("{month} 28 "), 1));
        let log = log(&translated).unwrap();
        assert_eq!(log.kind, Kind::Journal, "{month}");
        let read: Vec<_> = log.claims.iter().map(|claim| (claim.what, claim.device)).collect();
        assert_eq!(read, expected, "{month}");
        let alignment = Testimony::of(log, &capture).alignment;
        assert!(alignment.aligned && alignment.offset == Some(0), "{month}: {alignment:?}");
    }
}

#[test]
fn several_logs_in_one_paste_are_all_read() {
    needs!("fixtures/witness");
    let parts = [HOME_ASSISTANT, JOURNAL, KERNEL, BLUETOOTHCTL].map(text);
    let one_by_one: usize = parts.iter().map(|part| claims(part).len()).sum();
    let pasted = parts.join("\n---\nand this is the other one:\n\n");
    let all = claims(&pasted);
    // Of an adapter's repeated sightings the first of all counts, so a few less are kept together.
    assert!(all.len() <= one_by_one && all.len() + 6 >= one_by_one, "{} {one_by_one}", all.len());
    for what in [What::HardwareError(3), What::PairingFailed, What::Connected] {
        assert!(all.iter().any(|(claim, _)| *claim == what), "{what:?}");
    }
}

/// A part of a line at the beginning and at the end, wherever somebody cut.
#[test]
fn torn_logs_lose_only_what_was_torn() {
    needs!("fixtures/witness");
    let plain = text(HOME_ASSISTANT);
    let whole = claims(&plain);
    let bytes = plain.as_bytes();
    for from in (0..bytes.len() / 2).step_by(1_931) {
        let torn = &bytes[from..bytes.len() - from / 2];
        let Some(log) = log(torn) else { continue };
        assert!(log.claims.len() <= whole.len() + 1, "{from}");
        assert_eq!(log.lines, torn.split_inclusive(|byte| *byte == b'\n').count() as u64);
    }
}

#[test]
fn a_traceback_without_its_head_is_read_for_what_it_says() {
    let log =
        log("  File \"/usr/lib/python3/dist-packages/bleak/__init__.py\", line 615, in connect\n\
         \x20   raise BleakDeviceNotFoundError(\n\
         \x20   self.address, f\"Device with address {self.address} was not found.\"\n\
         bleak.exc.BleakDeviceNotFoundError: Device with address F0:12:7C:AA:00:01 was not found.\n\
         2026-11-28 07:54:02,049 INFO app: Connecting to F0:12:7C:AA:00:01\n")
        .unwrap();
    let failed = |what| matches!(what, What::Failed { .. });
    let lines: Vec<u32> =
        log.claims.iter().filter(|claim| failed(claim.what)).map(|claim| claim.line).collect();
    // The code of the library, which has the same words, is no message.
    assert_eq!(lines, [4]);
}

/// Noise between the lines, and lines that never end.
#[test]
fn noise_is_passed_over() {
    needs!("fixtures/witness");
    let plain = text(JOURNAL);
    let expected = claims(&plain);
    let mut state = 1_u32;
    let mut noisy: Vec<u8> = Vec::new();
    for line in plain.lines() {
        let noise = (0..97).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match (state >> 24) as u8 {
                b'\n' => 0xff,
                byte => byte,
            }
        });
        noisy.extend(noise);
        noisy.push(b'\n');
        noisy.extend(line.as_bytes());
        noisy.push(b'\n');
    }
    assert_eq!(claims(&noisy), expected);
    let endless = [vec![b'x'; 3_000_000], b"\n".to_vec(), plain.into_bytes()].concat();
    assert_eq!(claims(&endless), expected);
}

/// A house's log in which one line of a hundred matters; the lines before and behind it have no words of ours.
#[test]
fn unrelated_lines_change_nothing_and_are_counted() {
    needs!("fixtures/witness");
    let plain = text(HOME_ASSISTANT);
    let other = "2026-11-28 07:54:01.123 WARNING (MainThread) [homeassistant.helpers.entity] Update of sensor.meter is slow\n";
    let mut house = String::new();
    for line in plain.split_inclusive('\n') {
        // What belongs to a record stays beside it.
        if line.starts_with("2026-") {
            house.push_str(&other.repeat(100));
        }
        house.push_str(line);
    }
    assert_eq!(claims(&house), claims(&plain));
    let log = log(&house).unwrap();
    assert_eq!(log.lines, house.lines().count() as u64);
    assert_eq!(log.kind, Kind::HomeAssistant);
}

/// A loop that failed for weeks: what is kept is bounded, what was read is counted.
#[test]
fn what_is_kept_of_a_log_is_bounded() {
    let line = |n: u32| {
        let address = n.to_be_bytes();
        format!(
            "2026-11-28 07:54:02,049 ERROR app: Communication with F0:12:{:02X}:{:02X}:{:02X}:{:02X} failed: TimeoutError\n",
            address[0], address[1], address[2], address[3]
        )
    };
    let text: String = (0..60_000).map(line).collect();
    let log = log(&text).unwrap();
    assert_eq!((log.lines, log.understood), (60_000, 60_000));
    assert_eq!(log.claims.len(), 50_000);
    assert!(log.attempts().len() <= 4_096);
}

/// Lines of every log of the laboratory, and lines that were made to trip a reader.
static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut lines: Vec<Vec<u8>> = [
        "[[[[", "> > > >", "[99:99:99][I][x:1]: y", "I (99999999999) BT_HCI: x", "]]> ", "Nov 31 07:51:49 a b: c",
        "2026-02-30 00:00:00,000 ERROR x: dev_", "signal time=99999999999999999999.9 sender=:1.2 -> destination=(null destination) serial=1 path=/; interface=a; member=PropertiesChanged",
        "   string \"org.bluez.Device1\"", "bluetoothd[1]: src/a.c:dev_disconnected() Device F0:12:7C:AA:00:01 disconnected, reason 999",
        "[ 99999999999.999999] Bluetooth: hci0: command 0x zz tx timeout", "ф0:12:7C:AA:00:01 Error", "\u{feff}\u{202e}Error:",
    ]
    .map(|line| line.as_bytes().to_vec())
    .to_vec();
    let Ok(scenarios) = std::fs::read_dir(folder()) else { return lines };
    let mut files: Vec<_> = scenarios
        .filter_map(|entry| std::fs::read_dir(entry.unwrap().path()).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log" || ending == "txt"))
        .collect();
    files.sort();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        lines.extend(bytes.split(|byte| *byte == b'\n').step_by(5).map(<[u8]>::to_vec));
    }
    lines
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn no_damage_trips_the_reader(
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u16>(), any::<u8>()), 1..60)
    ) {
        let mut bytes = Vec::new();
        for (pick, how, at, with) in picks {
            let mut line = pick.get(&LINES).clone();
            let place = usize::from(at) % (line.len() + 1);
            match how % 8 {
                0 => line.truncate(place),
                1 => { line.drain(..place); }
                2 => line.insert(place, with),
                3 => if let Some(byte) = line.get_mut(place) { *byte ^= with },
                4 => line = [line.clone(), line].concat(),
                5 => line.splice(place..place, "[hci0] F0:12:7C:AA:00:01".bytes()).for_each(drop),
                _ => {}
            }
            bytes.extend(line);
            bytes.push(b'\n');
        }
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        if let Some(log) = log(&bytes) {
            prop_assert!(log.lines <= lines);
            prop_assert!(log.claims.len() as u64 <= log.understood);
            for claim in &log.claims {
                prop_assert!(u64::from(claim.line) <= lines && claim.text.chars().count() <= 201);
            }
            let capture = hcidiff::trace::Trace::new().advertises(0).up().mtu().wait_ms(500).run();
            let open = log.open();
            prop_assert!(open.iter().all(|open| open.claim < log.claims.len()));
            let testimony = Testimony::of(log, &capture);
            for relation in &testimony.relations {
                prop_assert!(testimony.claim(relation).is_some());
            }
        }
    }
}
