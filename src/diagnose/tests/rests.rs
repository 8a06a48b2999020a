//! What rules rest on: a fact is taken from their cases, and those that need it are silent, or say something else.
use super::*;
use crate::timeline::{Connection, Step};
use facts::{FACTS, FACTS_OF_REFERENCE};

mod facts;

/// A fact of a capture, and the rules that rest on it.
struct Fact {
    /// What is so once it is taken away, or turned round.
    so: &'static str,
    change: fn(&mut Capture),
    /// Rules that then say nothing of any of their cases.
    silent: &'static str,
    /// Rules that then say nothing of one of them at least.
    partly: &'static str,
    /// Rules that then say something else of one of them at least: louder, surer, or of other links.
    otherwise: &'static str,
}

fn links(c: &mut Capture, change: fn(&mut Connection)) {
    c.connections.iter_mut().for_each(change);
}

fn steps(c: &mut Capture, change: fn(&mut Step)) {
    c.connections.iter_mut().flat_map(|c| &mut c.steps).for_each(change);
}

/// What became of a rule's cases: how many there were, of how many nothing was said any more, of how many something else.
#[derive(Default)]
struct Told {
    cases: usize,
    silent: usize,
    otherwise: usize,
}

/// The cases of a rule, each with every fact of a table taken away.
fn told_without(facts: &[&Fact], rule: &'static Rule, of_reference: bool) -> Vec<Told> {
    let mut told: Vec<Told> = facts.iter().map(|_| Told::default()).collect();
    for case in rule.cases.iter().filter(|case| case.is_shown()) {
        let example = (case.example)();
        if example.log.is_some() || of_reference && example.reference.is_none() {
            continue;
        }
        let subject = usize::from(example.reference.is_some());
        let said = |captures: &[Capture]| {
            let comparison = example.reference.as_ref().and(crate::compare::of_captures(captures));
            let comparison = comparison.as_ref();
            weigh::said(&Scene { captures, testimonies: &[], subject, comparison }, rule)
        };
        let (captures, _) = run(&example);
        let before = said(&captures);
        for (fact, told) in facts.iter().zip(&mut told) {
            let mut changed = captures.clone();
            (fact.change)(&mut changed[if of_reference { 0 } else { subject }]);
            let after = said(&changed);
            told.cases += 1;
            told.silent += usize::from(after.is_empty());
            told.otherwise += usize::from(!after.is_empty() && after != before);
        }
    }
    told
}

#[test]
fn rules_rest_on_facts() {
    let mut wrong = Vec::new();
    for (of_reference, facts) in [(false, FACTS), (true, FACTS_OF_REFERENCE)] {
        for rule in RULES.iter().copied() {
            let names = |list: &str| list.split_whitespace().any(|id| id == rule.id);
            let rests =
                |fact: &&Fact| [fact.silent, fact.partly, fact.otherwise].iter().any(|l| names(l));
            let facts: Vec<&Fact> = facts.iter().filter(rests).collect();
            for (fact, told) in facts.iter().zip(told_without(&facts, rule, of_reference)) {
                let kept = [
                    (fact.silent, told.cases > 0 && told.silent == told.cases),
                    (fact.partly, told.silent > 0),
                    (fact.otherwise, told.otherwise > 0),
                ];
                if kept.iter().any(|(list, is_so)| names(list) && !is_so) {
                    let Told { cases, silent, otherwise } = told;
                    wrong.push(format!("{}: {}: {cases} {silent} {otherwise}", rule.id, fact.so));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A name that is no rule's is one that nobody looks at.
#[test]
fn the_rules_that_rest_on_facts_exist() {
    for fact in FACTS.iter().chain(FACTS_OF_REFERENCE) {
        for id in
            [fact.silent, fact.partly, fact.otherwise].iter().flat_map(|l| l.split_whitespace())
        {
            assert!(rule(id).is_some(), "{}: {id}", fact.so);
        }
    }
}
