//! Each word of the language, held against the flagship pair, whose truth is known (`fixtures/README.md`).
use super::*;
use crate::capture::Input;
use crate::{Case, analyse};

const FLAGSHIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/flagship");

fn input(name: &str) -> Input {
    Input::parse(format!("{FLAGSHIP}/{name}").as_ref())
}

fn one(name: &str) -> Report {
    Report::from(analyse(&Case::one(input(name))).expect("it can be read"))
}

fn pair(reference: &str, subject: &str) -> Report {
    Report::from(analyse(&Case::pair(input(reference), input(subject))).expect("it can be read"))
}

fn outcome(report: &mut Report, text: &str) -> Outcome {
    let expectation = Expectation::parse(text).unwrap_or_else(|wrong| panic!("{wrong}"));
    Checked::of(report, &[expectation]).outcomes.remove(0)
}

/// The Mac's connection: MTU answered with 247 after 78.264 ms (frame 54 asks), never encrypted, ended by the host
/// with 0x16 in frame 92 after 2808 ms; the unlock write is frame 70.
#[test]
fn expectations_of_a_connection_that_works() {
    let mut mac = one("mac.pklg");
    for (text, truth) in [
        ("mtu.answered_after_ms < 100", Truth::Holds),
        ("mtu.answered_after_ms < 78", Truth::Fails),
        ("mtu.answered_after_ms < 0.1 s", Truth::Holds),
        ("mtu.answered_after_ms<0.078s", Truth::Fails),
        ("mtu.effective = 247", Truth::Holds),
        ("mtu.effective != 247", Truth::Fails),
        ("mtu.effective >= 247 and mtu.effective <= 247", Truth::Holds),
        ("mtu.effective > 247 or mtu.effective < 247", Truth::Fails),
        ("mtu = null", Truth::Fails),
        ("mtu != null", Truth::Holds),
        ("encrypted", Truth::Fails),
        ("not encrypted", Truth::Holds),
        ("encrypted = false", Truth::Holds),
        ("reason = 0x16", Truth::Holds),
        ("reason = 22", Truth::Holds),
        ("reason = 0x13", Truth::Fails),
        ("ended_by = host", Truth::Holds),
        ("ended_by = peer", Truth::Fails),
        ("peer.name = LabSensor", Truth::Holds),
        ("peer.name = \"LabSensor\"", Truth::Holds),
        ("peer.name contains Sens", Truth::Holds),
        ("peer.address = F0:12:7C:AA:00:01", Truth::Holds),
        ("duration_ms > 2.8 s", Truth::Holds),
        ("duration_ms > 0.05 min", Truth::Fails),
        ("capture.records = 93", Truth::Holds),
        ("records = 93", Truth::Holds),
        ("host.stack = macos", Truth::Holds),
        ("report.tool.name = hcidiff", Truth::Holds),
        ("count connections = 1", Truth::Holds),
        ("count steps > 100", Truth::Fails),
        ("no finding", Truth::Holds),
        ("finding", Truth::Fails),
        ("no finding cause and not encrypted", Truth::Holds),
        ("every connection peer_heard", Truth::Holds),
        ("some connection encrypted", Truth::Fails),
        // The comparison is not there: a single capture cannot tell.
        ("comparison.differs", Truth::CannotTell),
        ("not comparison.differs", Truth::CannotTell),
        ("comparison.differs or mtu.effective = 247", Truth::Holds),
        ("comparison.differs and mtu.effective = 247", Truth::CannotTell),
        ("comparison.differs and mtu.effective = 23", Truth::Fails),
    ] {
        assert_eq!(outcome(&mut mac, text).truth, truth, "{text}");
    }
}

#[test]
fn steps_are_named_by_procedure_attribute_outcome_and_time() {
    let mut mac = one("mac.pklg");
    for (text, truth) in [
        ("steps contains write 8f1d0002 before 300 ms", Truth::Holds),
        ("steps contains write 8F1D0002 ok before 0.3 s", Truth::Holds),
        ("steps contains write 0x4c", Truth::Holds),
        ("steps contains write 8f1d0002 before 100 ms", Truth::Fails),
        ("steps contains write 8f1d0002 after 100 ms", Truth::Holds),
        ("steps contains write 8f1d0002 after 300 ms", Truth::Fails),
        ("steps contains write 8f1d0002 error", Truth::Fails),
        ("steps contains write 8f1d9999", Truth::Fails),
        ("steps contains exchange-mtu", Truth::Holds),
        ("not steps contains pair", Truth::Holds),
        ("steps contains pair", Truth::Fails),
        ("steps contains write 8f1d0002 and steps contains pair", Truth::Fails),
    ] {
        assert_eq!(outcome(&mut mac, text).truth, truth, "{text}");
    }
    let write = outcome(&mut mac, "not steps contains write 8f1d0002 before 300 ms");
    assert_eq!(write.facts[0].frames, [70]);
    let late = outcome(&mut mac, "steps contains write 8f1d0002 before 100 ms");
    assert_eq!(late.facts[0].frames, [70]);
}

#[test]
fn the_capture_that_is_checked_is_the_last_one() {
    let mut kicked = pair("mac.pklg", "pi-kicked.btsnoop");
    for (text, truth) in [
        ("finding cause", Truth::Holds),
        ("no finding suspect", Truth::Fails),
        ("finding peer-hangs-up-on-deadline", Truth::Holds),
        ("no finding never-heard-peer", Truth::Holds),
        ("mtu.answered_after_ms < 100", Truth::Fails),
        ("reason = 0x13", Truth::Holds),
        ("not comparison.differs", Truth::Fails),
        ("every connection ended_by = peer", Truth::Holds),
        ("some connection ended_by = host", Truth::Fails),
    ] {
        assert_eq!(outcome(&mut kicked, text).truth, truth, "{text}");
    }
    // Given the other way round, the Mac's capture is the one that is checked, and it has no finding.
    let mut mac = pair("pi-kicked.btsnoop", "mac.pklg");
    assert_eq!(outcome(&mut mac, "no finding suspect").truth, Truth::Holds);
    assert_eq!(outcome(&mut mac, "reason = 0x16").truth, Truth::Holds);
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, column, says) in [
        ("mtu.answerd_after_ms < 100", 5, "did you mean answered_after_ms"),
        ("mtuu.effective = 1", 1, "did you mean mtu"),
        ("connection.mtuu = null", 12, "did you mean mtu"),
        ("encrypted and", 14, "expected a field"),
        ("encrypted paired", 11, "expected `and`, `or`, or the end"),
        ("(encrypted", 11, "expected `)`"),
        ("no encrypted", 4, "expected `finding`"),
        ("every encrypted", 7, "expected `connection`"),
        ("finding never-heard-per", 9, "did you mean never-heard-peer"),
        ("ended_by = hots", 12, "it is peer, host, controller"),
        ("ended_by < host", 12, "is no number"),
        ("encrypted = 1", 13, "expected `true` or `false`"),
        ("reason < null", 10, "nothing is less"),
        ("mtu.effective", 14, "is not true or false"),
        ("mtu.effective = 100 ms", 17, "is no time"),
        ("mtu.effective = many", 17, "expected a number"),
        ("mtu.effective = 1e999", 17, "expected a number"),
        ("mtu = 23", 7, "holds several values"),
        ("count encrypted = 1", 7, "is no list"),
        ("count steps = 1 s", 15, "no unit"),
        ("steps contains wirte 8f1d", 16, "did you mean write"),
        ("steps contains write before 300", 32, "expected a unit"),
        ("steps contains write a b", 24, "expected `before`"),
        ("peer.name = \"Lab", 13, "does not end"),
        ("ä = 1", 1, "there is no field"),
        ("encrypted $", 11, "no meaning"),
        ("", 1, "expected a field"),
    ] {
        let wrong = Expectation::parse(text).expect_err(text);
        assert_eq!(wrong.column(), column, "{text}: {wrong}");
        assert!(wrong.to_string().contains(says), "{text}: {wrong}");
    }
    let deep = format!("{}encrypted{}", "(".repeat(500), ")".repeat(500));
    assert!(Expectation::parse(&deep).unwrap_err().to_string().contains("nested too deeply"));
    let deep = format!("{}encrypted", "not ".repeat(400));
    assert!(Expectation::parse(&deep).unwrap_err().to_string().contains("nested too deeply"));
    assert!(Expectation::parse(&"encrypted and ".repeat(1000)).is_err());
}

#[test]
fn a_file_has_one_expectation_a_line() {
    let text = "# what the lamp has to do\n\nencrypted # bonded\npeer.name = \"a # b\"\n";
    let all = Expectation::parse_all(text).unwrap();
    let texts: Vec<&str> = all.iter().map(Expectation::text).collect();
    assert_eq!(texts, ["encrypted", "peer.name = \"a # b\""]);
    let (line, wrong) = Expectation::parse_all("encrypted\n  paird").unwrap_err();
    assert_eq!((line, wrong.column()), (2, 1));
}

/// Names and addresses decide, and are not shown where aliases stand.
#[test]
fn aliases_hide_what_decided() {
    let mut mac = one("mac.pklg");
    mac.shown.aliases = true;
    let asked = outcome(&mut mac, "peer.name = LabSensor and peer.address = F0:12:7C:AA:00:01");
    assert_eq!(asked.truth, Truth::Holds);
    for fact in &asked.facts {
        assert!(!fact.says.contains("LabSensor") && !fact.says.contains("F0:12"), "{}", fact.says);
    }
}

#[test]
fn defaults_are_expectations() {
    assert_eq!(by_default(false).len(), 1);
    assert_eq!(by_default(true).len(), 2);
}

proptest::proptest! {
    /// Whatever is written: a message with a column, or an expectation that can be judged.
    #[test]
    fn no_text_is_too_odd(text in "(not |\\(|\\)|and |or |every connection |no |finding |steps contains |count |write |before |mtu\\.|effective |encrypted |reason |peer\\.name |contains |= |!= |< |null |0x1[0-9a-g] |1e5 |300 |ms |\"|\\PC){0,12}") {
        match Expectation::parse(&text) {
            Ok(expectation) => {
                let mut report = Report::default();
                let outcome = Checked::of(&mut report, &[expectation]).outcomes.remove(0);
                proptest::prop_assert!(!outcome.expectation.is_empty());
            }
            Err(wrong) => proptest::prop_assert!(wrong.column() <= text.chars().count() + 1, "{}", wrong),
        }
    }
}
