//! Offline cards: what a rule, a code, a word or a host's error text means.
//!
//! One file a namespace, one row a card; `NAMESPACES` registers them. `ask.rs` finds the cards that a
//! question or a line of a log is about, `log.rs` annotates whole logs, `near.rs` knows the nearest names.
mod android;
mod ask;
mod att;
mod bleak;
mod bluetoothd;
mod bluez_dbus;
mod card;
mod corebluetooth;
mod errno;
mod esphome;
mod glossary;
mod hci;
mod index;
mod kernel;
mod log;
mod mgmt;
mod near;
mod nimble;
mod noble;
mod rules;
mod smp;
#[cfg(test)]
mod tests;
mod winrt;

use crate::diagnose::{self, RULES};
use card::{Hit, Namespace};
use std::fmt::Write;

pub use glossary::words as glossary;
pub use log::{Summary, annotate};
pub use rules::{rule_page, rules_page};

/// The namespaces that are known. Of two equally good answers, the one from the earlier namespace is given first.
const NAMESPACES: &[&Namespace] = &[
    &hci::NAMESPACE,
    &att::NAMESPACE,
    &smp::NAMESPACE,
    &mgmt::REASONS,
    &mgmt::STATUSES,
    &bluez_dbus::NAMESPACE,
    &bluetoothd::NAMESPACE,
    &errno::NAMESPACE,
    &kernel::NAMESPACE,
    &bleak::NAMESPACE,
    &esphome::NAMESPACE,
    &noble::NAMESPACE,
    &android::NAMESPACE,
    &nimble::NAMESPACE,
    &corebluetooth::NAMESPACE,
    &winrt::NAMESPACE,
    &glossary::NAMESPACE,
];

/// Longer questions are read up to here.
const LONGEST_QUESTION: usize = 4_096;

/// Most other meanings that are named beside the likeliest one.
const MOST_OTHERS: usize = 8;

/// What was found for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Cards, ready to be read, the likeliest first.
    Cards(String),
    /// Nothing; the names that come nearest, as they can be typed.
    Nearest(Vec<String>),
}

/// The answer to what somebody typed: a rule, a name, a number, or a line of a log.
pub fn answer(question: &str) -> Answer {
    let question = clip(question.trim());
    if let Some(rule) = diagnose::rule(&question.to_ascii_lowercase()) {
        return Answer::Cards(rules::card(rule));
    }
    let hits = ask::question(question);
    let Some((first, others)) = hits.split_first() else {
        return Answer::Nearest(near::names(question));
    };
    let mut out = first.render();
    let (meant, possible): (Vec<&Hit>, Vec<&Hit>) = others.iter().partition(|hit| hit.sure);
    for hit in meant.iter().take(MOST_OTHERS) {
        let _ = write!(out, "\n{}", hit.render());
    }
    if !possible.is_empty() {
        out.push_str("\nThe same number is also, where somebody else prints it:\n");
        for hit in possible.iter().take(MOST_OTHERS) {
            let _ = writeln!(out, "  {}", hit.brief());
        }
    }
    Answer::Cards(out)
}

/// The ids of the cards for a question, the likeliest first; a rule's is `rule:` and its name.
pub fn cards(question: &str) -> Vec<String> {
    let question = clip(question.trim());
    if let Some(rule) = diagnose::rule(&question.to_ascii_lowercase()) {
        return vec![format!("rule:{}", rule.id)];
    }
    ask::question(question).iter().map(Hit::id).collect()
}

fn clip(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_QUESTION);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What there is to explain.
pub fn list() -> String {
    let mut out = String::from(
        "hcidiff explain WORDS: a rule, a code, an error text, or a line of a log.\n\
         hcidiff explain < bluetooth.log: each line of it that is known.\n\nRules:\n",
    );
    for rule in RULES {
        let _ = writeln!(out, "  {:44} {}", rule.id, rule.title);
    }
    for namespace in NAMESPACES {
        let _ = writeln!(out, "\n{}:", namespace.title);
        for card in namespace.cards {
            let hit = Hit::of(namespace, card);
            let _ = writeln!(out, "  {:44} {}", hit.id(), hit.title());
        }
    }
    out
}
