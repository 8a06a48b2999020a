//! Walks the table: rows are for rules that exist, and no row is there twice.
use super::*;
use crate::diagnose::rule;

mod join;
mod offers;

#[test]
fn rows_are_for_rules_that_exist() {
    for row in entries() {
        for id in row.rules {
            assert!(rule(id).is_some(), "{}: there is no rule {id}", row.id);
        }
        let kebab = |c: char| c.is_ascii_alphanumeric() || "-+.".contains(c);
        assert!(row.id.chars().all(kebab), "{}", row.id);
    }
}

#[test]
fn no_row_is_there_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for row in entries() {
        for rule in row.rules {
            assert!(
                seen.insert((rule, row.on.word(), row.id, row.kind.word())),
                "{rule} {}",
                row.id
            );
        }
    }
}

/// What is offered on some hosts only still leaves something for the others: a general row, or the rule's own advice.
#[test]
fn what_limits_and_costs_are_sentences() {
    for row in entries() {
        for words in [row.limits, row.costs] {
            assert!(words.is_empty() || words.ends_with('.'), "{}: {words}", row.id);
        }
    }
}

/// Settings that were tried and did harm, or nothing, are advised by no row.
#[test]
fn no_row_advises_what_did_harm() {
    for row in entries().filter(|row| row.kind == RemedyKind::Do) {
        let words = match row.words {
            Words::Fixed(words) => words,
            Words::Made { sample, .. } => sample,
        };
        for bad in ["ExchangeMTU=23", "Cache=always", "MaxConnectionInterval=3200", "pair=True"] {
            assert!(!words.contains(bad), "{}: {words}", row.id);
        }
    }
}

#[test]
fn where_nothing_shows_the_host_each_stack_gets_one_remedy_and_its_name() {
    use crate::packet::Status;
    use crate::trace::Trace;
    let lost = Trace::new().create().connected_as(0, 40, 0, 42).features().mtu().wait_ms(430);
    let captures = [lost.disconnected(Status::CONNECTION_TIMEOUT).run()];
    let scene = Scene { captures: &captures, testimonies: &[], subject: 0, comparison: None };
    let found = crate::diagnose::diagnose(&scene);
    let finding = found
        .iter()
        .find(|f| {
            f.rule == "short-supervision-timeout-linux-420ms"
                || f.rule == "supervision-timeout-0x08"
        })
        .expect("found");
    let bluez: Vec<String> = finding
        .remedies
        .iter()
        .filter(|remedy| remedy.stacks == [Stack::BlueZ])
        .map(|remedy| remedy.words().to_string())
        .collect();
    let order: Vec<_> =
        finding.remedies.iter().map(|r| (r.firmware, !r.stacks.is_empty())).collect();
    assert!(order.is_sorted() && order[0] < order[order.len() - 1], "{order:?}");
    assert_eq!(bluez.len(), 1, "{bluez:#?}");
    assert!(bluez[0].starts_with("On BlueZ: "), "{bluez:#?}");
}

/// What is of no use says so as a value, not by its words: the reports sort by the value.
#[test]
fn what_is_of_no_use_is_no_advice() {
    for rule in crate::diagnose::RULES {
        for case in rule.cases {
            let example = (case.example)();
            let captures: Vec<_> =
                example.reference.iter().chain([&example.subject]).map(|t| t.run()).collect();
            let comparison = crate::compare::of_captures(&captures);
            let subject = captures.len() - 1;
            let scene = Scene {
                captures: &captures,
                testimonies: &[],
                subject,
                comparison: comparison.as_ref(),
            };
            for finding in crate::diagnose::diagnose(&scene) {
                for remedy in &finding.remedies {
                    let words = remedy.words().to_string();
                    let denies = ["will not help", "Do not look", "is of no use", "no use:"];
                    assert!(
                        !denies.iter().any(|no| words.contains(no)),
                        "{}: {words}",
                        finding.rule
                    );
                }
            }
        }
    }
}
