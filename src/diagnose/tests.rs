//! Walks the table: every rule fires on its example, stays silent on the nearest
//! other, is documented, and is named for what is wrong.
use super::*;
use crate::packet::{Address, Status};
use crate::trace::Trace;

fn run(example: &Example) -> (Vec<Capture>, Option<Comparison>) {
    let subject = example.subject.run();
    match &example.reference {
        Some(reference) => {
            let captures = vec![reference.run(), subject];
            let comparison = crate::compare::of_captures(&captures);
            (captures, comparison)
        }
        None => (vec![subject], None),
    }
}

/// Something that is asked of an example's scene.
fn seen<T>(example: &Example, ask: impl FnOnce(&Scene<'_>) -> T) -> T {
    let (captures, comparison) = run(example);
    let testimonies = &example.testimonies(&captures);
    let (subject, comparison) = (captures.len() - 1, comparison.as_ref());
    ask(&Scene { captures: &captures, testimonies, subject, comparison })
}

/// What a rule says of all attempts of one capture, which is its own reference: a link of it works.
pub(super) fn said_of_own_attempts(
    check: fn(&Scene<'_>, &[&Connection]) -> Option<Verdict>,
    trace: Trace,
) -> Verdict {
    let captures = [trace.run()];
    let comparison = crate::compare::of_captures(&captures);
    let comparison = comparison.as_ref();
    assert!(comparison.is_some(), "a link works");
    let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison };
    let attempts: Vec<&Connection> = captures[0].connections.iter().collect();
    check(&scene, &attempts).expect("said")
}

fn findings(example: &Example) -> Vec<Finding> {
    seen(example, diagnose)
}

/// What is found in a rule's first case.
fn example_findings(rule: &Rule) -> Vec<Finding> {
    rule.example().map_or(Vec::new(), |case| findings(&(case.example)()))
}

/// What a finding says, what it says of its evidence, and what it rules out.
fn sentences(finding: &Finding) -> String {
    let evidence = finding.evidence.iter().map(|evidence| evidence.text.to_string());
    let settle = finding.would_settle.iter().map(ToString::to_string);
    let remedies = finding.remedies.iter().map(|remedy| remedy.text().to_string());
    let out = finding.rules_out.iter().map(|out| format!("not {}: {}", out.rule, out.why));
    let says = std::iter::once(finding.says.to_string());
    says.chain(evidence).chain(settle).chain(remedies).chain(out).collect::<Vec<_>>().join("\n")
}

/// What is wrong with what a rule says of its case, if anything.
fn complaint(rule: &'static Rule, case: &Case) -> Option<String> {
    let example = (case.example)();
    let all = findings(&example);
    let found: Vec<&Finding> = all.iter().filter(|f| f.rule == rule.id).collect();
    let said = found.first().map(|f| (f.level, f.confidence));
    let fits = match case.expected {
        // Silence that another rule makes proves nothing of this one.
        Expected::Silence => {
            said.is_none() && seen(&example, |of| weigh::said(of, rule)).is_empty()
        }
        Expected::Outweighed => {
            said.is_none() && !seen(&example, |of| weigh::said(of, rule)).is_empty()
        }
        Expected::Finding(level, confidence) => said == Some((level, confidence)),
    };
    let names = case.connections.is_empty()
        || found.iter().any(|finding| finding.connections == case.connections);
    let said = |words: &str| found.iter().any(|finding| sentences(finding).contains(words));
    let speaks = case.words.is_empty() || said(case.words);
    let hushes = case.absent.is_empty() || !said(case.absent);
    let right = fits && names && speaks && hushes;
    let wanted = (case.expected, case.connections, case.words, case.absent);
    let brief = |f: &Finding| {
        let Finding { rule, level, confidence, connections, .. } = f;
        format!("\n  {rule} {level} {confidence} {connections:?}\n{}", sentences(f))
    };
    let found: String = all.iter().map(brief).collect();
    (!right).then(|| format!("{}: {}: wanted {wanted:?}, found {found}", rule.id, case.name))
}

#[test]
fn every_rule_says_of_its_cases_what_it_must() {
    for rule in RULES.iter().copied() {
        assert!(rule.example().is_some() && rule.near_miss().is_some(), "{}", rule.id);
    }
    let rules = RULES.iter().copied();
    let cases = rules.flat_map(|rule| rule.cases.iter().map(move |case| (rule, case)));
    let wrong: Vec<String> = cases.filter_map(|(rule, case)| complaint(rule, case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that several rules use; a case pins a constant of theirs as `waits::SHORTEST`.
const SHARED: &[&str] = &["see", "waits"];

/// The constants of a file that decide something: numbers, and what holds numbers. Counts that begin with `SHOWN` say how
/// many lines are shown.
fn constants(file: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnose");
    let text = std::fs::read_to_string(path.join(format!("{file}.rs"))).expect("a rule's file");
    // A constant may stand inside of a function, too. The tests at a file's end have their own.
    let lines = text
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .map(|line| line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(super) "));
    let named = lines.filter_map(|line| line.strip_prefix("const ")?.split_once(": "));
    let decides = |kind: &str| {
        let kind = kind.trim_start_matches(['&', '[', '(']);
        let numbers = [
            "Span", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "f32",
            "f64",
        ];
        numbers.iter().any(|number| {
            kind.strip_prefix(number).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    };
    named
        .filter(|(name, kind)| {
            decides(kind) && !(name.starts_with("SHOWN") && kind.starts_with("usize"))
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// On both sides of every constant stands a case, so that nobody moves it unnoticed.
#[test]
fn every_constant_of_a_rule_has_cases_on_both_sides() {
    let mut wrong = Vec::new();
    let mut pinned_of_shared = std::collections::BTreeSet::new();
    for rule in RULES {
        let file = rule.id.replace('-', "_");
        let own = constants(&file);
        for case in rule.cases {
            for pin in case.pins {
                let shared = pin.split_once("::").is_some_and(|(file, name)| {
                    SHARED.contains(&file) && constants(file).iter().any(|known| known == name)
                });
                if shared {
                    pinned_of_shared.insert(*pin);
                } else if !own.iter().any(|known| known == pin) {
                    wrong.push(format!("{}: {}: there is no constant {pin}", rule.id, case.name));
                }
            }
        }
        let pins = rule.cases.iter().flat_map(|case| case.pins).copied();
        for name in own.iter().map(String::as_str).chain(pins) {
            let sides: Vec<_> = rule
                .cases
                .iter()
                .filter(|case| case.pins.contains(&name))
                .map(|case| (case.expected, case.connections, case.words, case.absent))
                .collect();
            if sides.iter().all(|side| Some(side) == sides.first()) {
                wrong.push(format!("{}: no cases on both sides of {name}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Where several rules share a constant, the cases of one rule are enough.
    for file in SHARED {
        for name in constants(file) {
            let pin = format!("{file}::{name}");
            assert!(pinned_of_shared.contains(pin.as_str()), "no rule's cases pin {pin}");
        }
    }
}

#[test]
fn every_rule_is_documented_under_the_same_headings() {
    for rule in RULES {
        let mut at = 0;
        for heading in HEADINGS {
            let place = rule.docs[at..]
                .find(heading)
                .unwrap_or_else(|| panic!("{}: no `{heading}`", rule.id));
            at += place;
        }
        assert!(!rule.sources.is_empty() || rule.basis == Basis::Author, "{}: no source", rule.id);
        if rule.basis == Basis::Author {
            assert!(
                rule.docs.contains("author"),
                "{}: its documentation must say that no capture backs it",
                rule.id
            );
        }
    }
}

#[test]
fn ids_are_kebab_case_and_unique_and_name_what_is_wrong() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(
            rule.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            rule.id
        );
        assert!(RULES[..index].iter().all(|other| other.id != rule.id), "{} twice", rule.id);
        for bad in ["avoid-", "use-", "check-", "fix-"] {
            assert!(!rule.id.starts_with(bad), "{}: names a remedy", rule.id);
        }
    }
}

#[test]
fn rules_without_a_capture_are_at_most_fairly_sure() {
    for rule in RULES.iter().filter(|rule| rule.basis == Basis::Author) {
        for finding in example_findings(rule).iter().filter(|f| f.rule == rule.id) {
            assert_ne!(finding.confidence, Confidence::High, "{}", rule.id);
        }
    }
}

#[test]
fn silenced_rules_are_other_rules() {
    for rule in RULES {
        for other in rule.silences {
            assert_ne!(*other, rule.id);
            assert!(super::rule(other).is_some(), "{} silences {other}, which is none", rule.id);
        }
    }
}

/// A finding that matters says what to do, and what it is not.
#[test]
fn who_accuses_offers_a_remedy_and_clears_another() {
    let mut bare = Vec::new();
    for rule in RULES {
        for finding in example_findings(rule) {
            let accuses = finding.rule == rule.id && finding.level != Level::Note;
            if accuses && (finding.remedies.is_empty() || finding.rules_out.is_empty()) {
                bare.push(rule.id);
            }
        }
    }
    assert!(bare.is_empty(), "{bare:?}");
}

/// What a finding rules out is a rule too, as its readers will look it up.
#[test]
fn ruled_out_are_rules() {
    for rule in RULES {
        for finding in example_findings(rule) {
            for out in &finding.rules_out {
                assert!(super::rule(out.rule).is_some(), "{}: {}", finding.rule, out.rule);
                assert_ne!(out.rule, finding.rule);
            }
        }
    }
}

/// A host with two adapters: what went wrong on one of them is told of that one alone.
#[test]
fn what_happens_on_another_adapter_is_not_taken_for_this_ones() {
    // Sockets and habits belong to the host, whichever adapter shows them. A device that two adapters hear is counted
    // for the adapter that heard it first.
    let of_the_host = [
        "two-stacks-one-adapter",
        "local-stack-stopped",
        "client-vanished-link-stays",
        "noble-stall-mtu-invalid-pdu",
        "peer-gone-or-moved",
    ];
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|rule| !of_the_host.contains(&rule.id)) {
        let (Some(fires), Some(silent)) = (rule.example(), rule.near_miss()) else { continue };
        let (fires, silent) = ((fires.example)(), (silent.example)());
        // A log tells of one host, whichever adapter it names.
        if fires.reference.is_some() || silent.reference.is_some() || fires.log.is_some() {
            continue;
        }
        // A sniffer has no adapters.
        if fires.air.is_some() || matches!(rule.check, Check::Air(_)) {
            continue;
        }
        for first in [true, false] {
            let other = Address([0x66, 0x55, 0x44, 0x33, 0x22, 0xd1]);
            let (quiet, loud) = (silent.subject.clone().with(other), fires.subject.clone());
            let of_quiet = quiet.records().filter_map(|r| r.adapter).max().unwrap_or(0);
            let of_loud = loud.records().filter_map(|r| r.adapter).max().unwrap_or(0);
            let both = if first { loud.beside(quiet) } else { quiet.beside(loud) };
            let theirs = |adapter: Option<u16>| {
                adapter.is_some_and(|a| if first { a <= of_loud } else { a > of_quiet })
            };
            let adapters: Vec<_> = both.records().map(|record| record.adapter).collect();
            let capture = both.run();
            let scene = Scene {
                captures: std::slice::from_ref(&capture),
                testimonies: &[],
                subject: 0,
                comparison: None,
            };
            let found = diagnose(&scene);
            let Some(finding) = found.iter().find(|f| f.rule == rule.id) else {
                wrong.push(format!("{} ({first}): silent", rule.id));
                continue;
            };
            for seen in finding.evidence.iter().filter(|seen| seen.source.capture().is_some()) {
                if !theirs(adapters[seen.frame as usize - 1]) {
                    wrong.push(format!("{} ({first}): {}: {}", rule.id, seen.frame, seen.text));
                }
            }
            for number in &finding.connections {
                if !theirs(capture.connection(*number).and_then(|c| c.adapter)) {
                    wrong.push(format!("{} ({first}): #{number}", rule.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two procedures that ran out at the same moment: which one the peer waited for, nobody can tell.
#[test]
fn of_a_pairing_and_a_request_that_ran_out_together_neither_is_the_cause() {
    use crate::packet::Direction::Sent;
    use crate::packet::att;
    let trace = Trace::new()
        .up()
        .asks_to_pair()
        .att(Sent, att::Pdu::ExchangeMtuRequest { client_rx_mtu: 517 })
        .wait_ms(29_740)
        .disconnected(Status::REMOTE_USER_TERMINATED);
    let found = findings(&trace.into());
    assert!(found.iter().all(|f| f.level != Level::Cause), "{found:#?}");
    assert_eq!(found[0].rule, "smp-timeout-30s");
}

#[test]
fn of_frames_of_one_kind_four_are_shown() {
    use crate::packet::att;
    let write = att::Pdu::WriteRequest { attribute_handle: att::Handle(3), attribute_value: &[1] };
    let of = |count: usize| {
        let link = Trace::new().up().mtu().discovery(0x02);
        let refused = (0..count).fold(link, |link, _| {
            link.refused(write, att::ErrorCode::WRITE_NOT_PERMITTED).wait_ms(100)
        });
        let found = findings(&refused.hangs_up(Status::REMOTE_USER_TERMINATED).into());
        let finding = found.iter().find(|f| f.rule == "write-type-mismatch").expect("found");
        finding.evidence.iter().filter(|e| e.text.to_string().contains("refused")).count()
    };
    assert_eq!([of(1), of(3), of(4), of(5), of(9)], [1, 3, 4, 4, 4]);
}

/// Of many frames of one kind a finding shows a few.
#[test]
fn of_many_frames_the_first_are_shown() {
    use crate::packet::Direction::Sent;
    use crate::packet::att::{ErrorCode, Handle, Pdu};
    let hung_up = Status::REMOTE_USER_TERMINATED;
    let read = |n: u16| Pdu::ReadRequest { attribute_handle: Handle(3 + n) };
    let lines = |rule: &str, trace: Trace, word: &str| {
        let all = findings(&trace.into());
        let finding = all.iter().find(|f| f.rule == rule).expect("found");
        finding.evidence.iter().filter(|e| e.text.to_string().contains(word)).count()
    };
    let open = |n: u16| {
        let link = (0..n).fold(Trace::new().up().mtu(), |link, n| link.att(Sent, read(n)));
        lines("gatt-busy-parallel-requests", link.wait_ms(10_000).hangs_up(hung_up), "answer")
    };
    assert_eq!([2, 3, 4, 5].map(open), [2, 3, 3, 3]);
    let dead = |n: usize| {
        let link = Trace::new().create().connected().wait_ms(315);
        let links = link.disconnected(Status::FAILED_TO_BE_ESTABLISHED).repeated(n, 900);
        lines("never-heard-retry-loop", links, "after the link was made")
    };
    assert_eq!([3, 8, 9].map(dead), [3, 8, 8]);
    let refused =
        |link: Trace, n: u16, code| (0..n).fold(link, |link, n| link.refused(read(n), code));
    let insecure = |n: u16| {
        let link = refused(Trace::new().up().mtu(), n, ErrorCode::INSUFFICIENT_ENCRYPTION);
        lines(
            "insufficient-auth-no-pairing",
            link.wait_ms(900).hangs_up(hung_up),
            "read of attribute",
        )
    };
    assert_eq!([1, 3, 4].map(insecure), [1, 3, 3]);
    let denied = |n: u16| {
        let link = Trace::new().up().mtu().write(9, &[1]).wait_ms(11_000);
        let link = refused(link, n, ErrorCode::READ_NOT_PERMITTED).wait_ms(5_000);
        lines("unexplained-end", link.disconnected(hung_up), "Read Not Permitted")
    };
    assert_eq!([1, 3, 4].map(denied), [1, 3, 3]);
    let pieces = |n: u16| {
        let piece = Pdu::PrepareWriteRequest {
            attribute_handle: Handle(3),
            value_offset: 0,
            part_attribute_value: &[1; 18],
        };
        let code = ErrorCode::REQUEST_NOT_SUPPORTED;
        let link = (0..n).fold(Trace::new().up().mtu(), |link, _| link.refused(piece, code));
        lines("long-write-mtu-mismatch", link.hangs_up(hung_up), "Prepare Write Request")
    };
    assert_eq!([1, 3, 4].map(pieces), [1, 3, 3]);
}

#[test]
fn every_cited_frame_exists() {
    for rule in RULES {
        for case in rule.cases {
            let (captures, comparison) = run(&(case.example)());
            let scene = Scene {
                captures: &captures,
                testimonies: &[],
                subject: captures.len() - 1,
                comparison: comparison.as_ref(),
            };
            for finding in diagnose(&scene) {
                for evidence in &finding.evidence {
                    let Some(capture) = evidence.source.capture() else { continue };
                    let records = captures[capture].totals.records;
                    assert!(
                        (1..=records).contains(&u64::from(evidence.frame)),
                        "{}: {evidence:?}",
                        finding.rule
                    );
                }
            }
        }
    }
}

mod frames;
mod healthy;
mod overlap;
mod rests;
mod steady;
mod two_adapters;
