//! The report that is pasted into a bug: read as GitHub reads it.
#![cfg(feature = "cli")]
mod common;
#[macro_use]
#[path = "common/needs.rs"]
mod needs;

use common::{fixture, flagship, made_of, pair, report};
use hcidiff::capture::{Warning, WarningKind};
use hcidiff::report::markdown;
use hcidiff::{prose, text};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::path::PathBuf;

/// What GitHub adds to CommonMark.
const GITHUB: Options = Options::from_bits_truncate(
    Options::ENABLE_TABLES.bits()
        | Options::ENABLE_STRIKETHROUGH.bits()
        | Options::ENABLE_TASKLISTS.bits()
        | Options::ENABLE_FOOTNOTES.bits()
        | Options::ENABLE_MATH.bits()
        | Options::ENABLE_GFM.bits(),
);

/// What a page is made of, as a CommonMark parser with GitHub's tables sees it.
#[derive(Debug, Default)]
struct Page {
    headings: usize,
    tables: usize,
    /// Columns of each row of each table.
    columns: Vec<Vec<usize>>,
    links: Vec<String>,
    html: Vec<String>,
    diagrams: Vec<String>,
    text: String,
}

fn parse(markdown: &str) -> Page {
    let mut page = Page::default();
    let mut diagram = None;
    for event in Parser::new_ext(markdown, GITHUB) {
        match event {
            Event::Start(Tag::Heading { .. }) => page.headings += 1,
            Event::Start(Tag::Table(_)) => {
                page.tables += 1;
                page.columns.push(Vec::new());
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                page.columns.last_mut().unwrap().push(0);
            }
            Event::Start(Tag::TableCell) => {
                *page.columns.last_mut().unwrap().last_mut().unwrap() += 1;
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.to_string());
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                assert_eq!(&*language, "mermaid");
                diagram = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => page.diagrams.extend(diagram.take()),
            Event::Html(html) | Event::InlineHtml(html) => page.html.push(html.to_string()),
            Event::Text(text) => match &mut diagram {
                Some(diagram) => diagram.push_str(&text),
                None => page.text.push_str(&text),
            },
            Event::Code(text) => page.text.push_str(&text),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) | Event::InlineMath(_) => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    page
}

/// Nothing but our own markup, and within GitHub's limits.
fn sound(markdown: &str) -> Page {
    let page = parse(markdown);
    assert_eq!(page.links, Vec::<String>::new());
    for html in &page.html {
        let html = html.trim();
        let ours = html == "<br>"
            || html == "</details>"
            || html.strip_prefix("<details><summary>").is_some_and(|rest| {
                rest.strip_suffix("</summary>")
                    .is_some_and(|title| !outside_code(title).contains('<'))
            });
        assert!(ours, "{html}");
        refers_to_nobody(html);
    }
    let count = |what: &str| page.html.iter().filter(|html| html.contains(what)).count();
    assert_eq!(count("<details>"), count("</details>"));
    for table in &page.columns {
        assert!(table.iter().all(|columns| *columns == table[0]), "{table:?}");
    }
    assert!(markdown.chars().count() < 60_000);
    for diagram in &page.diagrams {
        let messages = diagram.lines().filter(|l| l.contains("->>") || l.contains("Note over"));
        assert!(messages.count() <= 41, "{diagram}");
        assert!(diagram.is_ascii() || !diagram.contains('\u{202e}'));
    }
    page
}

/// The text of an HTML line that does not stand inside `<code>`.
fn outside_code(html: &str) -> String {
    let mut parts = html.split("<code>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("</code>").map_or(part, |two| two.1))
}

/// GitHub makes links of these in HTML too: of an issue, of a person.
fn refers_to_nobody(html: &str) {
    let text = outside_code(html);
    for mark in ['#', '@'] {
        let referred = text.split(mark).skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
        assert!(!referred, "{html}");
    }
    assert!(!text.contains("GH-") && !text.contains("://") && !text.contains("www."), "{html}");
}

fn cases() -> Vec<(&'static str, Vec<PathBuf>)> {
    let mut cases = vec![
        ("never-heard", flagship()),
        ("kicked", vec![fixture("flagship/mac.pklg"), fixture("flagship/pi-kicked.btsnoop")]),
        ("one-side", vec![fixture("flagship/pi.btsnoop")]),
    ];
    for case in [
        "pairing-no-agent",
        "mtu-missing",
        "subscription-refused",
        "good-mac-bluez",
        "one-capture",
        "only-scanning",
        "supervision-timeout",
        "other-database",
    ] {
        cases.push((case, pair(case)));
    }
    cases
}

#[test]
fn reports_that_a_person_has_read() {
    needs!("fixtures/pairs");
    for (name, files) in cases() {
        let markdown = report(&files, &["--format", "markdown"]);
        sound(&markdown);
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format!("markdown__{name}"), markdown);
        });
    }
}

#[test]
fn every_pair_gives_a_sound_page_whatever_is_asked_for() {
    needs!("fixtures/pairs");
    for entry in std::fs::read_dir(fixture("pairs")).unwrap() {
        let folder = entry.unwrap();
        if !folder.path().is_dir() {
            continue;
        }
        let files = pair(folder.file_name().to_str().unwrap());
        for arguments in [&["--full", "--strict", "--show-addresses"][..], &["--strict"][..]] {
            let arguments = [&["--format", "markdown"], arguments].concat();
            let page = sound(&report(&files, &arguments));
            assert!(page.headings > 0 && page.tables > 0, "{:?}", folder.file_name());
        }
    }
}

#[test]
fn names_from_the_air_do_not_break_out() {
    needs!("fixtures/pairs");
    let long = "W".repeat(248);
    for hostile in [
        "a|b|c",
        "`code`",
        "``` ```mermaid",
        "</details></summary>",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<!-- ",
        "line\nbreak\r\n\n# heading\n- item",
        "\u{202e}gpj.exe\u{2066}",
        "[x](https://example.org) ![y](z)",
        "https://example.org www.example.org",
        "@everyone #1 bluez/bluez#412 GH-7",
        "**bold** _it_ ~~no~~ $x$ :smile:",
        "a;b#35;\"%%{init: {}}%% end",
        "&lt;b&gt; &#60;",
        "\\",
        "\\`",
        &long,
    ] {
        for files in [flagship(), pair("other-database"), vec![fixture("flagship/pi.btsnoop")]] {
            let mut report = made_of(&files, |capture| {
                capture.label = format!("{} {hostile}", capture.label);
                capture.file = format!("{hostile}.btsnoop");
                for adapter in &mut capture.adapters {
                    adapter.name = Some(hostile.to_owned());
                }
                for device in &mut capture.devices {
                    device.name = Some(hostile.to_owned());
                }
                for connection in &mut capture.connections {
                    connection.peer.name = Some(hostile.into());
                }
                if let Some(host) = &mut capture.host {
                    host.evidence = format!("note `{hostile}`");
                    host.version = Some(hostile.to_owned());
                }
            });
            for finding in &mut report.analysis.findings {
                finding.says = text!("{} {}", prose::quoted(hostile), finding.says);
                for evidence in &mut finding.evidence {
                    evidence.text = text!("{} {}", evidence.text, prose::quoted(hostile));
                }
            }
            for aliases in [false, true] {
                report.shown.aliases = aliases;
                let page = sound(&markdown::render(&report));
                assert!(!page.text.contains('\u{202e}'));
                // The name is there to be read, as it is.
                if !aliases && hostile.starts_with('<') {
                    assert!(page.text.contains(hostile), "{hostile}: {}", page.text);
                }
            }
        }
    }
}

#[test]
fn whatever_the_captures_hold_the_page_fits() {
    needs!("fixtures/pairs");
    let mut report = made_of(&flagship(), |capture| {
        capture.label = "L".repeat(10_000);
        let warning = capture.warnings.first().cloned().unwrap_or(Warning {
            kind: WarningKind::Padding,
            frame: Some(1),
            last_frame: None,
            offset: None,
            text: "x ".repeat(50_000),
        });
        capture.warnings = vec![warning; 200];
    });
    report.shown.full = true;
    let finding = report.findings[0].clone();
    report.analysis.findings = vec![finding; 100];
    let markdown = markdown::render(&report);
    let page = sound(&markdown);
    assert!(page.text.contains("Left out"), "{}", page.text);
    assert!(page.text.contains("the finding never-heard-peer"));
    assert!(page.text.contains("Made by hcidiff"));
}

#[test]
fn a_name_is_hidden_before_a_warning_is_cut() {
    needs!("fixtures/pairs");
    let name = "Sommerhaus am See";
    // The name stands at every place around the cut.
    for before in 270..310 {
        let mut report = made_of(&flagship(), |capture| {
            capture.devices[0].name = Some(name.to_owned());
            let text = format!("{} {name} was lost", "x".repeat(before));
            let warning = Warning {
                kind: WarningKind::Padding,
                frame: Some(1),
                last_frame: None,
                offset: None,
                text,
            };
            capture.warnings = vec![warning];
        });
        report.shown.aliases = true;
        let page = sound(&markdown::render(&report));
        assert!(!page.text.contains("Somm"), "{before}: {}", page.text);
    }
}
