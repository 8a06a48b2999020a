//! The table is whole.
use super::*;
use std::collections::BTreeSet;

#[test]
fn every_row_says_how_and_how_to_tell_and_who_says_so() {
    let ids: BTreeSet<&str> = RECIPES.iter().map(|recipe| recipe.id).collect();
    assert_eq!(ids.len(), RECIPES.len());
    for recipe in RECIPES {
        assert!(recipe.steps.len() > 2, "{}", recipe.id);
        assert!(!recipe.worked.is_empty() && !recipe.beside.is_empty(), "{}", recipe.id);
        assert!(!recipe.again.is_empty() && !recipe.sources.is_empty(), "{}", recipe.id);
        let lacks: BTreeSet<&str> = recipe.again.iter().map(|(lack, _)| lack.word()).collect();
        assert_eq!(lacks.len(), recipe.again.len(), "{}", recipe.id);
        for line in recipe.steps.iter().chain(recipe.beside).chain([&recipe.short, &recipe.worked])
        {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
            for on in line.split("doctor --on ").skip(1) {
                let id = on.split([' ', '`', ')']).next().unwrap_or("");
                assert!(recipe_exists(id), "{line}");
            }
        }
    }
}

fn recipe_exists(id: &str) -> bool {
    recipe(id).is_some()
}

#[test]
fn every_lack_has_a_caution_and_a_cure_on_every_host() {
    for lack in Lack::ALL {
        assert!(lack.caution().contains("do not conclude"), "{}", lack.word());
        assert!(RECIPES.iter().all(|recipe| !recipe.again(*lack).is_empty()));
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
