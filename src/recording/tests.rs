//! The table is whole.
use super::*;
use std::collections::BTreeSet;

#[test]
fn every_row_says_how_and_how_to_tell_and_who_says_so() {
    let ids: BTreeSet<&str> = HOSTS.iter().map(|host| host.id).collect();
    assert_eq!(ids.len(), HOSTS.len());
    for host in HOSTS {
        assert!(host.steps.len() > 2, "{}", host.id);
        assert!(!host.worked.is_empty() && !host.beside.is_empty(), "{}", host.id);
        assert!(!host.again.is_empty() && !host.sources.is_empty(), "{}", host.id);
        let lacks: BTreeSet<&str> = host.again.iter().map(|(lack, _)| lack.word()).collect();
        assert_eq!(lacks.len(), host.again.len(), "{}", host.id);
        for line in host.steps.iter().chain(host.beside).chain([&host.short, &host.worked]) {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
            for on in line.split("doctor --on ").skip(1) {
                let id = on.split([' ', '`', ')']).next().unwrap_or("");
                assert!(exists(id), "{line}");
            }
        }
    }
}

fn exists(id: &str) -> bool {
    instructions(id).is_some()
}

#[test]
fn every_lack_has_a_caution_and_a_cure_on_every_host() {
    for lack in Lack::ALL {
        assert!(lack.caution().contains("do not conclude"), "{}", lack.word());
        assert!(HOSTS.iter().all(|host| !host.again(*lack).is_empty()));
    }
}

#[test]
fn an_android_is_told_by_its_version() {
    let of = |version| android(version).id;
    assert_eq!(of(None), "android");
    assert_eq!(of(Some("14")), "android");
    assert_eq!(of(Some("10")), "android");
    assert_eq!(of(Some("9")), "android-9");
    assert_eq!(of(Some("8.1.0")), "android-9");
    assert_eq!(of(Some("7.1.2")), "android-7");
}
