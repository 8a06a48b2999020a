//! The report as a page: one file, a picture first, nothing fetched. Its one script is named in the page's policy by
//! its hash; without it the page stays what it is.
mod axis;
mod escape;
mod format;
mod lane;
mod multiples;
mod picture;
mod steps;
mod voice;

use crate::diagnose::what_if::WhatIf;
use crate::diagnose::{Finding, Level};
use crate::prose::{Say, Text, quoted};
use crate::report::content::{self, Block, Field, Paint, Section, Table, Topic, devices};
use crate::report::read_on::ReadOn;
use crate::report::{Report, markdown};
use crate::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escape::prose;
use escape::text;
use sha2::{Digest, Sha256};
use std::fmt::Write;

pub(crate) use escape::text as escaped;
pub use multiples::{Panel, multiples};

const STYLE: &str = include_str!("style.css");

/// The script element's whole content. A reader of XML takes it for text, and one of HTML for comments.
const SCRIPT: &str = concat!(
    "\n//<![CDATA[\n",
    include_str!("report.js"),
    "hcidiffReport(document.querySelector(\"main\"));\n//]]>\n"
);

/// Most findings shown, unless everything is asked for.
const MOST_FINDINGS: usize = 7;

/// A page stays below a megabyte: longer tables are cut here, and say so.
const MOST_ROWS: usize = 1_000;
const MOST_BYTES: usize = 900_000;
const MOST_WARNINGS: usize = 20;

/// The id of the element that holds the report to be pasted.
const MARKDOWN: &str = "hcidiff-markdown";

/// The whole page.
pub fn render(report: &Report) -> String {
    let page = Page { report };
    let title = content::headline(report).says;
    let script = STANDARD.encode(Sha256::digest(SCRIPT));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"generator\" content=\"hcidiff {}\"/>\n<title>hcidiff: {title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        env!("CARGO_PKG_VERSION"),
        title = page.text(&title),
    );
    page.who(&mut out);
    page.picture(&mut out);
    page.findings(&mut out);
    if !report.captures.is_empty() {
        page.section(&mut out, &content::sides(report), false);
    }
    if let Some(comparison) = &report.comparison {
        page.items(
            &mut out,
            &[
                ("First divergence".into(), content::divergence(report, comparison)),
                (
                    "Same device?".into(),
                    text!("matched by {}: {}", comparison.matched_by, comparison.match_says),
                ),
            ],
        );
    }
    for section in content::sections(report) {
        let folds = matches!(section.topic, Topic::Capture | Topic::Attempts | Topic::Answers)
            && report.comparison.is_some();
        page.section(&mut out, &section, folds);
    }
    page.made(&mut out);
    page.data(&mut out);
    let _ = write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

/// A page without a script around what is HTML already, in the same style.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"generator\" content=\"hcidiff {}\"/>\n<title>hcidiff: {title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        title = text(title),
    )
}

struct Page<'a> {
    report: &'a Report,
}

impl Page<'_> {
    fn text(&self, says: &impl Say) -> String {
        text(&self.report.visible(says))
    }

    fn what_if(&self, out: &mut String, what_if: &WhatIf) {
        let says = self.prose(&what_if.says);
        let _ = writeln!(out, "<h3>What if</h3>\n<p>{says}</p>");
        out.push_str("<div class=\"scroll\"><table>\n<thead>\n<tr>");
        what_if.columns.iter().for_each(|name| {
            let _ = write!(out, "<th>{}</th>", text(name));
        });
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &what_if.rows {
            out.push_str("<tr>");
            row.iter().for_each(|cell| {
                let _ = write!(out, "<td>{}</td>", self.prose(cell));
            });
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table></div>\n");
    }

    fn prose(&self, says: &impl Say) -> String {
        prose(&self.report.visible(says))
    }

    fn who(&self, out: &mut String) {
        let report = self.report;
        if let Some(says) = content::swapped(report) {
            let _ = writeln!(out, "<p><strong>Swapped sides:</strong> {}</p>", self.prose(&says));
        }
        let labels: Vec<String> = match &report.comparison {
            Some(comparison) => {
                let (left, right) = content::labels(report, comparison);
                vec![content::role(&left, "reference"), content::role(&right, "subject")]
            }
            None => (0..report.captures.len()).map(|at| report.label(at)).collect(),
        };
        let _ = writeln!(out, "<p class=\"who\">{}</p>", text(&labels.join(" and ")));
        let Some(no_match) = &report.no_match else { return };
        let _ = writeln!(out, "<p>{}</p>\n<ul>", self.prose(&no_match.says));
        for (at, holds) in no_match.holds.iter().enumerate() {
            for line in holds {
                let _ = writeln!(out, "<li>{}: {}</li>", text(&report.label(at)), self.text(line));
            }
        }
        for guess in &no_match.nearest {
            let _ = writeln!(out, "<li>nearest: {}</li>", self.text(guess));
        }
        out.push_str("</ul>\n");
    }

    fn picture(&self, out: &mut String) {
        let Some(svg) = picture::draw(self.report) else {
            if self.report.captures.iter().any(|capture| !capture.connections.is_empty()) {
                out.push_str("<p class=\"faint\">No picture: the packets have no times.</p>\n");
            }
            return;
        };
        let _ = write!(out, "<figure>\n{svg}\n<figcaption>");
        picture::key(out, true);
        out.push_str("</figcaption>\n</figure>\n");
    }

    fn findings(&self, out: &mut String) {
        let report = self.report;
        let most = if report.shown.full { usize::MAX } else { MOST_FINDINGS };
        let mut drawn = 0;
        let (notes, weighty): (Vec<_>, Vec<_>) =
            report.findings.iter().partition(|finding| finding.level == Level::Note);
        let weighty = devices::by_device(report, &weighty);
        for finding in weighty.into_iter().chain(notes).take(most) {
            if out.len() > MOST_BYTES {
                break;
            }
            self.finding(out, finding);
            drawn += 1;
        }
        if let Some(hidden @ 1..) = report.findings.len().checked_sub(drawn) {
            let _ = writeln!(
                out,
                "<p class=\"faint\">And {hidden} more findings (<code>--full</code> shows them).</p>"
            );
        }
    }

    fn finding(&self, out: &mut String, finding: &Finding) {
        let report = self.report;
        let (class, level) = match finding.level {
            Level::Cause => ("cause", "Cause"),
            Level::Suspect => ("suspect", "Suspect"),
            Level::Note => ("note", "Note"),
        };
        let _ = writeln!(
            out,
            "<section class=\"finding {class}\">\n<h2><span class=\"level\">{level}</span><br/>{}</h2>\n<p>{}</p>\n\
             <p class=\"faint\">{} {}</p>",
            self.text(&finding.title),
            self.prose(&finding.says),
            self.text(&content::finding::about(report, finding)),
            ReadOn::of(finding.rule).html(),
        );
        for topic in content::finding::Topic::ALL {
            let lines = content::finding::part(report, finding, topic);
            let shown = lines.iter().map(|line| {
                let rule = line.rule.map(|rule| format!("<code>{}</code>: ", text(rule)));
                let says = format!("{}{}", rule.unwrap_or_default(), self.prose(&line.says));
                match line.place {
                    Some((capture, frame)) => {
                        format!("<span class=\"proof\" data-at=\"{capture}:{frame}\">{says}</span>")
                    }
                    None => says,
                }
            });
            list(out, topic.title(), &Vec::from_iter(shown));
            if let (content::finding::Topic::NoUse, Some(what_if)) = (topic, &finding.what_if) {
                self.what_if(out, what_if);
            }
        }
        if !finding.sources.is_empty() {
            let sources: Vec<String> = finding.sources.iter().map(|s| self.text(s)).collect();
            let _ = writeln!(out, "<p class=\"faint\">Sources: {}</p>", sources.join("; "));
        }
        out.push_str("</section>\n");
    }

    fn items(&self, out: &mut String, items: &[(Text, Text)]) {
        out.push_str("<dl class=\"items\">\n");
        for (label, says) in items {
            if out.len() > MOST_BYTES {
                break;
            }
            let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", self.text(label), self.prose(says));
        }
        out.push_str("</dl>\n");
    }

    fn section(&self, out: &mut String, section: &Section, folds: bool) {
        let title = self.text(&section.title);
        let _ = match folds {
            true => writeln!(out, "<details>\n<summary>{title}</summary>"),
            false => writeln!(out, "<section>\n<h2>{title}</h2>"),
        };
        let mut items: Vec<(Text, Text)> = Vec::new();
        for block in &section.blocks {
            match block {
                Block::Item { label, text, .. } if !label.is_empty() => {
                    items.push((label.clone(), text.clone()));
                }
                // What has no label goes on under the item before it.
                Block::Item { text, .. } if !items.is_empty() => {
                    items.push((Text::EMPTY, text.clone()))
                }
                Block::Item { text, .. } => {
                    let _ = writeln!(out, "<p class=\"faint\">{}</p>", self.prose(text));
                }
                Block::Table(table) => {
                    if !items.is_empty() {
                        self.items(out, &std::mem::take(&mut items));
                    }
                    self.table(out, table);
                }
            }
        }
        if !items.is_empty() {
            self.items(out, &items);
        }
        out.push_str(if folds { "</details>\n" } else { "</section>\n" });
    }

    fn table(&self, out: &mut String, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        let row = |out: &mut String, tag: &str, fields: &[Field]| {
            out.push_str("<tr>");
            for field in fields {
                let class = match (field.right, field.paint) {
                    (false, Paint::Plain | Paint::Bold) => String::new(),
                    (true, Paint::Plain | Paint::Bold) => " class=\"right\"".to_owned(),
                    (right, paint) => {
                        format!(" class=\"{}{paint:?}\"", if right { "right " } else { "" })
                    }
                };
                let _ = write!(out, "<{tag}{class}>{}</{tag}>", self.text(&field.text));
            }
            out.push_str("</tr>\n");
        };
        out.push_str("<div class=\"scroll\"><table>\n");
        if let Some(header) = &table.header {
            out.push_str("<thead>\n");
            row(out, "th", header);
            out.push_str("</thead>\n");
        }
        out.push_str("<tbody>\n");
        let mut drawn = 0;
        for fields in table.rows.iter().take(MOST_ROWS) {
            if out.len() > MOST_BYTES {
                break;
            }
            row(out, "td", fields);
            drawn += 1;
        }
        out.push_str("</tbody>\n</table></div>\n");
        if let Some(more @ 1..) = table.rows.len().checked_sub(drawn) {
            let _ =
                writeln!(out, "<p class=\"faint\">{more} more rows are in the JSON report.</p>");
        }
    }

    /// What the script reads: the steps, and the report to be pasted. A page that is long already goes without.
    fn data(&self, out: &mut String) {
        let steps = steps::of(self.report);
        let markdown = serde_json::Value::from(markdown::render(self.report));
        for (id, data) in [(steps::ID, steps::json(&steps)), (MARKDOWN, steps::json(&markdown))] {
            if out.len() + data.len() > MOST_BYTES {
                return;
            }
            let _ = writeln!(out, "<script type=\"application/json\" id=\"{id}\">{data}</script>");
        }
    }

    fn made(&self, out: &mut String) {
        let report = self.report;
        let _ = write!(out, "<footer>\n<p>Made by hcidiff {}", env!("CARGO_PKG_VERSION"));
        if !report.command.is_empty() {
            let _ = write!(out, " with <code>{}</code>", self.text(&quoted(&report.command)));
        }
        out.push_str(".</p>\n");
        let _ = writeln!(out, "<p>{}</p>", report.left_out());
        for (at, capture) in report.captures.iter().enumerate() {
            if capture.warnings.is_empty() {
                continue;
            }
            let mut lines: Vec<String> = capture
                .warnings
                .iter()
                .take(MOST_WARNINGS)
                .map(|warning| {
                    let place =
                        warning.frame.map_or_else(String::new, |frame| format!("frame {frame}: "));
                    format!("{place}{}", self.prose(&quoted(&warning.text)))
                })
                .collect();
            if let Some(more @ 1..) = capture.warnings.len().checked_sub(MOST_WARNINGS) {
                lines.push(format!("and {more} more"));
            }
            list(out, &format!("Warnings of {}", text(&report.label(at))), &lines);
        }
        out.push_str("</footer>\n");
    }
}

/// Lines that are HTML already.
fn list(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h3>{title}</h3>\n<ul>");
    for line in lines {
        let _ = writeln!(out, "<li>{line}</li>");
    }
    out.push_str("</ul>\n");
}
