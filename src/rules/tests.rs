//! Walks the table: every rule fires on its example, stays silent on the nearest
//! other, is documented, and is named for what is wrong.
use super::*;

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

fn findings(example: &Example) -> Vec<Finding> {
    let (captures, comparison) = run(example);
    let scene =
        Scene { captures: &captures, subject: captures.len() - 1, comparison: comparison.as_ref() };
    diagnose(&scene)
}

#[test]
fn every_rule_fires_on_its_example() {
    for rule in RULES {
        let found = findings(&(rule.fires_on)());
        assert!(found.iter().any(|f| f.rule == rule.id), "{}: {found:#?}", rule.id);
    }
}

#[test]
fn every_rule_is_silent_on_the_nearest_other_trace() {
    for rule in RULES {
        let found = findings(&(rule.silent_on)());
        assert!(!found.iter().any(|f| f.rule == rule.id), "{}: {found:#?}", rule.id);
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

/// A silenced rule that does not exist would be a misspelling; these are of the catalogue of
/// signatures, whose rules may be written later.
#[test]
fn silenced_rules_are_other_rules_ids() {
    for rule in RULES {
        for other in rule.silences {
            assert_ne!(*other, rule.id);
            assert!(
                other.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
        }
    }
}

#[test]
fn every_cited_frame_exists() {
    for rule in RULES {
        for example in [(rule.fires_on)(), (rule.silent_on)()] {
            let (captures, comparison) = run(&example);
            let scene = Scene {
                captures: &captures,
                subject: captures.len() - 1,
                comparison: comparison.as_ref(),
            };
            for finding in diagnose(&scene) {
                for evidence in &finding.evidence {
                    let records = captures[evidence.capture].totals.records;
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
