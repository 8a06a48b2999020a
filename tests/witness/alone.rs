//! A log in the place of a capture: what it tells, what it leaves open, and how much of a screen that takes.
use super::{folder, loud};
use hcidiff::capture::Input;
use hcidiff::case::{self, Case, Side};
use hcidiff::report::terminal::{self, ROWS, Screen};
use hcidiff::report::{Report, json};
use hcidiff::witness;
use std::path::{Path, PathBuf};

/// Every log of a laboratory, in order.
fn logs(laboratory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for scenario in std::fs::read_dir(laboratory).unwrap() {
        let Ok(files) = std::fs::read_dir(scenario.unwrap().path()) else { continue };
        all.extend(files.map(|file| file.unwrap().path()));
    }
    let known = [".log", ".txt", ".pcap", ".pcapng"];
    all.retain(|path| known.iter().any(|ending| path.to_string_lossy().ends_with(ending)));
    all.sort();
    all
}

fn first_screen(report: &Report) -> String {
    terminal::first(report, Screen { width: 80, colour: false }, ROWS)
}

/// The whole laboratory where it is at hand, else the selection of it.
#[test]
fn the_first_screen_of_every_log_fits_and_says_something() {
    needs!("fixtures/witness");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/W");
    let laboratory = if shared.exists() { shared } else { folder() };
    let (mut all, mut open) = (0, 0);
    for path in logs(&laboratory) {
        let input = Input::from(path.clone());
        if witness::read(&input, &Default::default()).unwrap().is_none() {
            continue;
        }
        all += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = Report::from(case::analyse(&Case::one(Side::new(input))).unwrap());
        let screen = first_screen(&report);
        let rows = screen.lines().count();
        assert!(rows <= ROWS, "{name}: {rows} rows\n{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{name}\n{screen}");
        // Nothing is told as if it had packets.
        for wrong in ["advertising that was heard", "in this capture", "WORKING"] {
            assert!(!screen.contains(wrong), "{name}: {wrong}\n{screen}");
        }
        assert!(screen.contains("  why  "), "{name}\n{screen}");
        let failed = screen.contains("does not say why");
        open += usize::from(failed);
        // What is not known could be: by a capture.
        assert!(!failed || screen.contains("A capture settles it"), "{name}\n{screen}");
    }
    assert!(all > 130 && open > 20, "{all} logs, {open} of them leave it open");
}

/// The words stand for several truths: the log says which, and no rule claims one of them.
#[test]
fn what_a_log_cannot_tell_is_said() {
    needs!("fixtures/witness");
    for (file, words) in [
        ("b02-kick/b02-kick.home-assistant.log", "the device hung up (0x13)"),
        ("b04-failed-establish-3e/b04-failed-establish-3e.home-assistant.log", "lost (0x06)"),
        ("b08-att-timeout/b08-att-timeout.home-assistant.log", "never answered within 30 s"),
        ("b13-phantom/b13-phantom.home-assistant.log", "discovery that was never answered"),
        ("w20-absent/w20-absent.home-assistant.log", "not heard while scanning"),
        ("w25-impatient/w25-impatient.home-assistant.log", "limit of the program"),
    ] {
        let log = witness::read(&folder().join(file).into(), &Default::default()).unwrap().unwrap();
        let open = log.open();
        assert!(open.iter().any(|open| open.stands_for.contains(words)), "{file}: {open:?}");
        let analysis = case::analyse(&Case::one(folder().join(file))).unwrap();
        assert_eq!(loud(&analysis.findings), [""; 0], "{file}");
        let full = terminal::render(&Report::from(analysis), Screen::default());
        assert!(full.contains("cannot tell") && full.contains("settles"), "{file}\n{full}");
    }
}

#[test]
fn what_a_daemon_says_for_certain_is_a_suspicion() {
    needs!("fixtures/witness");
    for (file, rule) in [
        ("b02-kick/b02-kick.journal-precise.txt", "peer-hangs-up-on-deadline"),
        (
            "b03-supervision-timeout/b03-supervision-timeout.journal-precise.txt",
            "supervision-timeout-0x08",
        ),
        ("b04-failed-establish-3e/b04-failed-establish-3e.journal-precise.txt", "never-heard-peer"),
        (
            "b05-create-cancelled/b05-create-cancelled.journal-precise.txt",
            "create-conn-timeout-cancel",
        ),
        ("b06-pairing-no-agent/b06-pairing-no-agent.journal-precise.txt", "no-pairing-agent"),
        ("b08-att-timeout/b08-att-timeout.journal-precise.txt", "att-transaction-timeout-30s"),
        ("b13-phantom/b13-phantom.journal-precise.txt", "never-usable-connection"),
        ("b17-hardware-error/b17-hardware-error.kernel.txt", "controller-hardware-error"),
        ("w28-adapter-removed/w28-adapter-removed.journal-precise.txt", "adapter-removed"),
    ] {
        let analysis = case::analyse(&Case::one(folder().join(file))).unwrap();
        assert!(loud(&analysis.findings).contains(&rule), "{file}: {:?}", loud(&analysis.findings));
        let finding = analysis.findings.iter().find(|finding| finding.rule == rule).unwrap();
        assert!(!finding.would_settle.is_empty(), "{file}");
    }
}

/// Beside a capture that works, the log is told for what it is, and the capture as well.
#[test]
fn a_log_as_the_failing_side_is_told_beside_the_working_capture() {
    needs!("fixtures/witness");
    let works = folder().join("b01-good/b01-good.btsnoop");
    let fails = folder().join("b02-kick/b02-kick.home-assistant.log");
    let report = Report::from(case::analyse(&Case::pair(works, fails)).unwrap());
    let screen = first_screen(&report);
    assert!(!screen.contains("nothing to compare"), "{screen}");
    for words in ["3 of 3 attempts failed", "b01-good: ", "A capture settles it"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    let json: serde_json::Value = serde_json::from_str(&json::render(&report)).unwrap();
    assert_eq!(json["captures"][1]["format"], "log");
}

/// A pipe can be read once; a log in it is read all the same.
#[cfg(feature = "cli")]
#[test]
fn a_log_comes_through_standard_input_and_a_pipe() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    needs!("fixtures/witness");
    let path = folder().join("b02-kick/b02-kick.journal-precise.txt");
    let bytes = std::fs::read(&path).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
        .arg("-")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("hangs up after a fixed time"), "{said}");
    let by_name = Command::new(env!("CARGO_BIN_EXE_hcidiff")).arg(&path).env_clear().output();
    assert_eq!(output.status.code(), by_name.unwrap().status.code());
}

/// An Android bug report holds the snoop log and logcat: both are read.
#[cfg(feature = "archives")]
#[test]
fn logcat_of_a_bug_report_stands_beside_its_snoop_log() {
    use std::io::Write;
    needs!("fixtures/witness");
    let own = |ending: &str| {
        std::fs::read(folder().join(format!("s-02-bad-kick/s-02-bad-kick.{ending}"))).unwrap()
    };
    let head = "========================================================\n\
                == dumpstate: 2026-11-28 08:00:00\n\
                ========================================================\n\
                Build: TEST.1234\n\n\
                ------ SYSTEM LOG (logcat -v threadtime -d *:v) ------\n";
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let report = [head.as_bytes(), &own("logcat.txt")].concat();
    for (name, bytes) in [
        ("main_entry.txt", b"bugreport-test-2026-11-28.txt".to_vec()),
        ("FS/data/misc/bluetooth/logs/btsnoop_hci.log", own("btsnoop")),
        ("bugreport-test-2026-11-28.txt", report),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    let zip = archive.finish().unwrap().into_inner();
    let case = Case::one(Side::new(Input::bytes("bugreport.zip", zip)));
    let analysis = case::analyse(&case).unwrap();
    let [testimony] = analysis.testimonies.as_slice() else { panic!("one log") };
    assert_eq!(testimony.log.kind, witness::Kind::Logcat);
    assert!(!testimony.alone && testimony.log.claims.len() > 5, "{}", testimony.log.claims.len());
    let met = testimony.relations.iter().filter(|of| of.connection.is_some()).count();
    assert!(met > 3, "{met} of {}", testimony.relations.len());
}
