//! The page: well-formed, self-contained, and nothing from the air is markup in it.
#![cfg(feature = "cli")]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{fixture, flagship, made_of, pair, report};
use hcidiff::report::html;
use hcidiff::timeline::Step;
use hcidiff::{prose, text};
use roxmltree::{Document, ParsingOptions};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// The content of the page's one script, which its policy names by its hash; everything else in a script element is data.
fn only_its_own_script(page: &str, document: &Document<'_>) {
    let scripts = document.descendants().filter(|node| node.has_tag_name("script"));
    let (data, run): (Vec<_>, Vec<_>) =
        scripts.partition(|script| script.attribute("type") == Some("application/json"));
    assert!(data.len() <= 2 && data.iter().all(|block| !block.text().unwrap_or("").contains('<')));
    assert_eq!(run.len(), 1);
    assert_eq!(run[0].attributes().len(), 0);
    let content = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next());
    let hash = STANDARD.encode(Sha256::digest(content.unwrap()));
    let policy = format!("content=\"default-src 'none'; script-src 'sha256-{hash}'; style-src");
    assert_eq!(page.matches(&policy).count(), 1);
}

/// Parsed strictly; nothing is fetched, and nothing runs but the page's own script.
fn sound<R>(page: &str, look: impl FnOnce(&Document<'_>) -> R) -> R {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options)
        .unwrap_or_else(|error| panic!("{error}: {page}"));
    for node in document.descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        assert!(!["img", "link", "iframe", "object", "base", "a"].contains(&name), "{name}");
        for attribute in node.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !["href", "src", "style"].contains(&name), "{name}");
        }
    }
    only_its_own_script(page, &document);
    assert!(!page.contains("@import") && !page.contains("url("));
    assert!(page.len() < 1_000_000, "{}", page.len());
    look(&document)
}

fn all_text(document: &Document<'_>) -> String {
    let read = |node: &roxmltree::Node<'_, '_>| {
        node.is_text() && !node.parent().is_some_and(|parent| parent.has_tag_name("script"))
    };
    document.descendants().filter(read).filter_map(|node| node.text()).collect()
}

fn of_class(document: &Document<'_>, class: &str) -> Vec<String> {
    let has = |node: &roxmltree::Node<'_, '_>| {
        node.attribute("class").is_some_and(|names| names.split(' ').any(|name| name == class))
    };
    let texts = |node: roxmltree::Node<'_, '_>| {
        node.descendants().filter(|n| n.is_text()).filter_map(|n| n.text()).collect()
    };
    document.descendants().filter(has).map(texts).collect()
}

fn cases() -> Vec<(&'static str, Vec<PathBuf>)> {
    let mut cases = vec![
        ("never-heard", flagship()),
        ("kicked", vec![fixture("flagship/mac.pklg"), fixture("flagship/pi-kicked.btsnoop")]),
        ("one-side", vec![fixture("flagship/pi.btsnoop")]),
    ];
    for case in [
        "pairing-no-agent",
        "supervision-timeout",
        "good-mac-bluez",
        "only-scanning",
        "one-capture",
    ] {
        cases.push((case, pair(case)));
    }
    cases
}

#[test]
fn pictures_that_a_person_has_looked_at() {
    needs!("fixtures/pairs");
    for (name, files) in cases() {
        let page = report(&files, &["--format", "html"]);
        sound(&page, |_| ());
        // The picture alone: what is said beside it is in the Markdown's snapshots.
        let (_, picture) = page.split_once("<figure>").unwrap();
        let (picture, _) = picture.split_once("</figure>").unwrap();
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format!("html__{name}"), picture);
        });
    }
}

/// Facts of the laboratory: `fixtures/pairs/expected.tsv` and FACTS.tsv have them from tshark.
#[test]
fn the_picture_shows_what_happened() {
    needs!("fixtures/pairs");
    let files = [fixture("flagship/mac.pklg"), fixture("flagship/pi-kicked.btsnoop")];
    sound(&report(&files, &["--format", "html"]), |page| {
        let missing = of_class(page, "missing").join("\n");
        assert!(missing.contains("Write 0x004c") && missing.contains("frame 70"), "{missing}");
        assert!(missing.contains("Subscribe 0x004f") && missing.contains("frame 73"), "{missing}");
        assert!(missing.lines().all(|line| line.contains("never here")), "{missing}");
        let ends = of_class(page, "end").join("\n");
        assert!(ends.contains("the peer hung up (0x13) after 460 ms (frame 636)"), "{ends}");
        // The two other attempts that ended the same way.
        // Each stands there once to be read and once to be pointed at, in both pictures.
        assert_eq!(ends.matches("(0x13) after").count(), 2 * 2 * 3, "{ends}");
        let marks = of_class(page, "mark").join("\n");
        assert!(
            marks.contains("Exchange MTU: 517, answered 247 (sent, frame 626, 174 ms)"),
            "{marks}"
        );
    });
    // A peer that was never heard: nothing is called missing, the line is dashed to its end.
    sound(&report(&flagship(), &["--format", "html"]), |page| {
        let missing = of_class(page, "missing");
        assert!(
            !missing.is_empty() && missing.iter().all(|m| m.contains("not reached")),
            "{missing:?}"
        );
        assert!(of_class(page, "lane").contains(&"pi".to_owned()));
        assert_eq!(all_text(page).matches("peer never heard").count(), 2 * 3 + 1);
    });
}

#[test]
fn every_pair_gives_a_sound_page_whatever_is_asked_for() {
    needs!("fixtures/pairs");
    for entry in std::fs::read_dir(fixture("pairs")).unwrap() {
        let folder = entry.unwrap();
        if folder.path().is_dir() {
            let files = pair(folder.file_name().to_str().unwrap());
            let page =
                report(&files, &["--format", "html", "--full", "--strict", "--show-addresses"]);
            sound(&page, |page| assert!(all_text(page).contains("Made by hcidiff")));
        }
    }
}

#[test]
fn names_from_the_air_do_not_break_out() {
    needs!("fixtures/pairs");
    for hostile in [
        "</title></style></svg><script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "' autofocus onfocus='alert(1)",
        "<!-- ",
        "]]>",
        "&lt;b&gt; &#60;",
        "`<b>`",
        "\u{202e}gpj.exe\u{2066}\u{0}\u{1b}[2J\u{fffe}",
        "line\nbreak\r\n\ttab",
        &"W".repeat(248),
    ] {
        for files in [flagship(), pair("other-database"), vec![fixture("flagship/pi.btsnoop")]] {
            let mut report = made_of(&files, |capture| {
                capture.label = hostile.to_owned();
                capture.file = format!("{hostile}.btsnoop");
                for adapter in &mut capture.adapters {
                    adapter.name = Some(hostile.to_owned());
                }
                for connection in &mut capture.connections {
                    connection.peer.name = Some(hostile.into());
                }
                for warning in &mut capture.warnings {
                    warning.text = hostile.to_owned();
                }
            });
            for finding in &mut report.analysis.findings {
                finding.says = text!("{}", prose::quoted(hostile));
                for evidence in &mut finding.evidence {
                    evidence.text = text!("{}", prose::quoted(hostile));
                }
            }
            for aliases in [false, true] {
                report.shown.aliases = aliases;
                sound(&html::render(&report), |page| {
                    if !aliases && hostile.starts_with('<') {
                        assert!(all_text(page).contains(hostile));
                    }
                });
            }
        }
    }
}

#[test]
fn a_connection_of_many_steps_fits() {
    needs!("fixtures/pairs");
    let mut report = made_of(&[fixture("flagship/mac.pklg")], |capture| {
        let connection = &mut capture.connections[0];
        let template: Vec<Step> = connection.steps.clone();
        let start = template[0].at.time().unwrap();
        for round in 0..30_000_i64 {
            let mut step = template[round as usize % template.len()].clone();
            step.at = (start + hcidiff::time::Span(round * 37_000)).into();
            step.last.at = step.at;
            connection.steps.push(step);
        }
    });
    report.shown.full = true;
    sound(&html::render(&report), |page| assert!(of_class(page, "mark").len() < 1_000));
}

#[test]
fn a_page_stays_below_a_megabyte_whatever_is_in_it() {
    needs!("fixtures/pairs");
    let mut report = made_of(&[fixture("flagship/pi.btsnoop")], |capture| {
        capture.label = "L".repeat(10_000);
        let connection = capture.connections[0].clone();
        capture.connections.extend((10..3_000).map(|number| {
            let mut connection = connection.clone();
            connection.number = number;
            connection.peer.name = Some("<&>".repeat(80).into());
            connection
        }));
    });
    report.shown.full = true;
    let finding = report.findings[0].clone();
    report.analysis.findings.extend(vec![finding; 3_000]);
    sound(&html::render(&report), |page| assert!(all_text(page).contains("more")));
    report.analysis.findings.truncate(1);
    sound(&html::render(&report), |page| assert!(all_text(page).contains("more rows")));
}

#[test]
fn both_widths_show_the_same_connections() {
    needs!("fixtures/pairs");
    for (name, files) in cases() {
        sound(&report(&files, &["--format", "html"]), |page| {
            let pictures: Vec<_> = page.descendants().filter(|n| n.has_tag_name("svg")).collect();
            let of = |picture: &roxmltree::Node<'_, '_>, class: &str| {
                let has = |n: &roxmltree::Node<'_, '_>| n.attribute("class") == Some(class);
                picture.descendants().filter(has).count()
            };
            assert!(pictures.is_empty() || pictures.len() == 2, "{name}");
            for class in ["lane", "end", "end bad"] {
                let counts: Vec<_> = pictures.iter().map(|picture| of(picture, class)).collect();
                assert!(
                    counts.windows(2).all(|pair| pair[0] == pair[1]),
                    "{name}, {class}: {counts:?}"
                );
            }
        });
    }
}
