//! What holds for every card.
use super::card::Hit;
use super::index::INDEX;
use super::*;
use crate::packet::att::ErrorCode;
use crate::packet::{MgmtReason, MgmtStatus, Status, smp as pairing};
use std::collections::{BTreeMap, HashSet};

fn every() -> impl Iterator<Item = Hit> {
    NAMESPACES
        .iter()
        .flat_map(|namespace| namespace.cards.iter().map(|card| Hit::of(namespace, card)))
}

fn explained(question: &str) -> String {
    match answer(question) {
        Answer::Cards(text) => text,
        Answer::Nearest(near) => panic!("no card for {question}; near: {near:?}"),
    }
}

#[test]
fn every_card_has_an_id_of_its_own_and_is_found_by_it() {
    let mut ids = HashSet::new();
    for hit in every() {
        assert!(ids.insert(hit.id()), "{} twice", hit.id());
        assert_eq!(cards(&hit.id()).first(), Some(&hit.id()));
        assert!(!hit.card.title.is_empty() && !hit.card.says.is_empty(), "{}", hit.id());
        assert!(hit.card.numbers.is_some() == hit.card.key.is_empty(), "{}", hit.id());
    }
    assert!(INDEX.is_complete());
}

#[test]
fn every_name_leads_to_its_card_alone_in_capitals_and_within_a_line() {
    for name in &INDEX.names {
        assert_eq!(name.text, name.text.to_lowercase(), "names are in lower case");
        let id = Hit::of(name.namespace, name.card).id();
        let mut lines = vec![name.text.clone(), name.text.to_uppercase()];
        if !name.namespace.whole {
            lines.push(format!("xx: {}; (again)", name.text));
        }
        for line in lines {
            assert!(cards(&line).contains(&id), "{line}: {:?} lacks {id}", cards(&line));
        }
    }
}

#[test]
fn rules_that_cards_link_exist_and_codes_have_names() {
    for hit in every() {
        for rule in hit.card.rules {
            assert!(diagnose::rule(rule).is_some(), "{}: {rule}", hit.id());
        }
        for code in hit.card.codes {
            assert!(code.name().is_some(), "{}: {code}", hit.id());
        }
        for column in hit.render().lines().map(|line| line.chars().count()) {
            assert!(column <= 100, "{}: {}", hit.id(), hit.render());
        }
    }
}

/// Every number that has a name has a card.
#[test]
fn the_tables_of_the_specification_are_complete() {
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(Status::NAMED.iter().map(|code| format!("hci:{:#04x}", code.0)));
    wanted.extend(ErrorCode::NAMED.iter().map(|code| format!("att:{:#04x}", code.0)));
    wanted.extend(pairing::Reason::NAMED.iter().map(|code| format!("smp:{:#04x}", code.0)));
    wanted.extend(MgmtReason::NAMED.iter().map(|code| format!("mgmt:{}", code.0)));
    wanted.extend(MgmtStatus::NAMED.iter().map(|code| format!("mgmt-status:{}", code.0)));
    let known: HashSet<String> = every().map(|hit| hit.id()).collect();
    for id in wanted {
        assert!(known.contains(&id), "{id}");
    }
}

/// What the kernel makes of HCI's codes (`bt_to_errno`): the card of the words names every code.
#[test]
fn every_error_number_of_the_kernel_names_its_codes() {
    let cases: &[(&str, &[u8])] = &[
        ("Transport endpoint is not connected (107)", &[0x02]),
        ("[Errno 13] Permission denied", &[0x05]),
        ("Invalid exchange (52)", &[0x06]),
        ("Connection timed out (110)", &[0x08, 0x10]),
        ("Too many links (31)", &[0x09, 0x0a]),
        ("Operation already in progress (114)", &[0x0b]),
        ("Device or resource busy (16)", &[0x0c]),
        ("Connection refused (111)", &[0x0d, 0x0e, 0x0f]),
        ("Operation not supported (95)", &[0x11]),
        ("Invalid argument (22)", &[0x12]),
        ("Connection reset by peer (104)", &[0x13, 0x14, 0x15]),
        ("connect error: Software caused connection abort (103)", &[0x16, 0x3e]),
        ("Protocol not supported (93)", &[0x1a]),
        ("Protocol error (71)", &[0x19, 0x1e, 0x23, 0x24, 0x25]),
        ("connect: Function not implemented (38)", &[0x22, 0x3b, 0x3d, 0x3e]),
    ];
    for (text, codes) in cases {
        let card = explained(text);
        for code in *codes {
            assert!(card.contains(&Status(*code).to_string()), "{text}: {card}");
        }
    }
}

/// The same words, opposite truths: both are said, and what would decide.
#[test]
fn words_with_two_truths_say_both_and_what_decides() {
    let flat = |text: &str| explained(text).split_whitespace().collect::<Vec<_>>().join(" ");
    for (text, truths) in [
        ("Connection reset by peer", ["the device hung up", "lost its own adapter"]),
        ("Software caused connection abort", ["this host hung up", "0x3E"]),
        ("failed to discover services, device disconnected", ["3 is the device", "2 is this host"]),
        ("Unlikely Error", ["its application failed", "no device sent it"]),
        ("le-connection-abort-by-local", ["0x3E", "bond that is lost"]),
        ("br-connection-canceled", ["A program cancelled", "0x3E"]),
        ("TimeoutError", ["did not advertise", "never came"]),
    ] {
        let card = flat(text);
        assert!(truths.iter().all(|truth| card.contains(truth)), "{text}: {card}");
        assert!(card.contains(" decides "), "{text}: {card}");
    }
}

#[test]
fn the_card_for_0x3e_does_not_spread_folklore() {
    let card = explained("0x3E").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(card.contains("Connection Failed to be Established (0x3e, decimal 62)"), "{card}");
    assert!(card.contains("no MTU exchange, pairing or keep-alive can cause or cure it"), "{card}");
    assert!(card.contains("hcidiff explain never-heard-peer"), "{card}");
}

#[test]
fn near_misses_are_offered_and_nonsense_is_not() {
    let near = |text: &str| match answer(text) {
        Answer::Nearest(near) => near,
        Answer::Cards(card) => panic!("{text}: {card}"),
    };
    assert_eq!(near("never-herd-peer").first().map(String::as_str), Some("never-heard-peer"));
    assert!(
        near("le-conection-abort-by-locl").contains(&"le-connection-abort-by-local".to_owned())
    );
    assert!(near("BleakDeviceNotFoundEror").contains(&"bleakdevicenotfounderror".to_owned()));
    assert!(near("flux compensator").is_empty());
    assert!(near("att:flux").is_empty());
    assert!(near("").is_empty());
    assert!(near(&"\u{202e}x".repeat(10_000)).is_empty());
}

#[test]
fn the_glossary_has_its_words() {
    let words: BTreeMap<&str, &str> = glossary().collect();
    for word in [
        "advertising",
        "connection interval",
        "supervision timeout",
        "GATT",
        "ATT",
        "MTU",
        "handle",
        "bonding",
        "HCI",
        "RSSI",
    ] {
        assert!(words.contains_key(word), "{word}");
        assert!(explained(word).contains("Glossary"), "{word}");
    }
}
