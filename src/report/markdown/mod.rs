//! The report as GitHub draws it: pasted into a bug report, read in an e-mail.
mod diagram;
mod escape;

use crate::diagnose::what_if::WhatIf;
use crate::diagnose::{Finding, Level};
use crate::prose::{Say, Text, quoted};
use crate::report::Report;
use crate::report::content::{self, Block, FirstTopic, Section, Table, Topic, devices};
use crate::report::read_on::ReadOn;
use escape::{block, cell, inline, tagged};
use std::fmt::Write;

/// GitHub takes 65,536 characters; some room stays for what the reporter writes.
const MOST_CHARACTERS: usize = 60_000;

/// Most findings shown of one report, warnings of one capture.
const MOST_FINDINGS: usize = 7;
const MOST_WARNINGS: usize = 10;

/// Longer tables are folded away.
const LONG: usize = 12;

/// A part that stays or goes as a whole.
struct Part {
    name: String,
    text: String,
}

/// The whole report.
pub fn render(report: &Report) -> String {
    let page = Page { report };
    let mut parts = vec![page.sides()];
    parts.extend(page.findings());
    let sections = content::sections(report);
    // In the order of weight for a maintainer, not of reading on a screen.
    let (timelines, tables): (Vec<_>, Vec<_>) =
        sections.iter().partition(|section| section.topic == Topic::Timeline);
    parts.extend(tables.into_iter().chain(timelines).map(|section| page.section(section)));
    parts.extend(page.diagram());
    fit(&page.top(), parts, page.made())
}

/// The verdict, then as many parts as fit, folded away, and which did not.
fn fit(top: &str, parts: Vec<Part>, made: String) -> String {
    let mut left_out = Vec::new();
    let mut room = MOST_CHARACTERS.saturating_sub(made.chars().count() + 1_000);
    // Only names of absurd length make the top longer.
    let mut text: String = top.chars().take(room).collect();
    if text.len() < top.len() {
        text.push('\n');
    }
    room -= text.chars().count().min(room);
    text.push_str(
        "<details><summary>Everything else: both sides, all frames, the timeline</summary>\n\n",
    );
    for part in parts {
        let size = part.text.chars().count();
        if size <= room {
            room -= size;
            text.push_str(&part.text);
        } else {
            left_out.push(part.name);
        }
    }
    text.push_str("</details>\n\n");
    if !left_out.is_empty() {
        let more = left_out.len().saturating_sub(10);
        left_out.truncate(10);
        let mut names = left_out.join("; ");
        if more > 0 {
            let _ = write!(names, "; and {more} more");
        }
        let names: String = names.chars().take(800).collect();
        let _ = writeln!(
            text,
            "**Left out, for GitHub takes no more:** {}. `-o report.html` has it all.\n",
            inline(&names)
        );
    }
    text.push_str(&made);
    text
}

struct Page<'a> {
    report: &'a Report,
}

impl Page<'_> {
    fn inline(&self, text: &impl Say) -> String {
        inline(&self.report.visible(text))
    }

    fn block(&self, text: &impl Say) -> String {
        block(&self.report.visible(text))
    }

    fn cell(&self, text: &impl Say) -> String {
        cell(&self.report.visible(text))
    }

    /// What a maintainer with ten seconds reads: the result, how sure, why, the proof, what to do.
    fn top(&self) -> String {
        let report = self.report;
        let headline = content::headline(report);
        let mut text = format!("## hcidiff: {}\n\n", self.inline(&headline.says));
        if let Some(says) = content::swapped(report) {
            let _ = writeln!(text, "**Swapped sides:** {}\n", self.block(&says));
        }
        let sure = match (headline.sure(report), headline.rule(report)) {
            (Some((level, confidence)), Some(rule)) => {
                format!("**{}, sure: {confidence}** (`{rule}`). ", level_name(level))
            }
            _ => String::new(),
        };
        let lines = content::lines(report, &headline);
        let why = lines.iter().find(|line| line.topic == FirstTopic::Why);
        let why =
            why.map_or_else(String::new, |line| self.block(&Text::joined(line.says.clone(), " ")));
        if !sure.is_empty() || !why.is_empty() {
            let _ = writeln!(text, "{}{why}\n", sure);
        }
        let mut facts = String::new();
        for line in &lines {
            let (label, most) = match line.topic {
                FirstTopic::Works => ("Works", 2),
                FirstTopic::Other => ("Other side", 2),
                FirstTopic::Differs => ("Differ", 1),
                FirstTopic::Holds => ("Holds", 6),
                FirstTopic::Proof => ("Proof", 2),
                FirstTopic::Unsure => ("Unsure", 1),
                FirstTopic::Also => ("Also", 1),
                FirstTopic::Why | FirstTopic::Try | FirstTopic::NoUse | FirstTopic::Not => continue,
            };
            for says in line.says.iter().take(most) {
                let _ = writeln!(facts, "- {label}: {}", self.inline(says));
            }
        }
        if !facts.is_empty() {
            let _ = writeln!(text, "{facts}");
        }
        let of = |topic| lines.iter().find(move |line| line.topic == topic);
        if let Some(line) = of(FirstTopic::Try) {
            text.push_str("**What to do**\n\n");
            for (at, says) in line.says.iter().enumerate() {
                let _ = writeln!(text, "{}. {}", at + 1, self.block(says));
            }
            text.push('\n');
        }
        if let Some(line) = of(FirstTopic::NoUse) {
            let says: Vec<String> = line.says.iter().map(|says| self.inline(says)).collect();
            let _ = writeln!(text, "**Of no use:** {}\n", says.join(" "));
        }
        let environment = content::environment(report);
        if !environment.is_empty() {
            let _ = writeln!(text, "{}\n", self.block(&environment));
        }
        text
    }

    /// Both sides, and since when they differ.
    fn sides(&self) -> Part {
        let report = self.report;
        let mut text = String::new();
        if let Some(no_match) = &report.no_match {
            let _ = writeln!(text, "{}\n", self.block(&no_match.says));
            for (index, holds) in no_match.holds.iter().enumerate() {
                for line in holds {
                    let _ =
                        writeln!(text, "- {}: {}", inline(&report.label(index)), self.inline(line));
                }
            }
            for guess in &no_match.nearest {
                let _ = writeln!(text, "- nearest: {}", self.inline(guess));
            }
            text.push('\n');
        }
        if !report.captures.is_empty() {
            for part in &content::sides(report).blocks {
                self.part(&mut text, part);
            }
        }
        if let Some(comparison) = &report.comparison {
            let _ = writeln!(
                text,
                "**First divergence:** {}.\n",
                self.inline(&content::divergence(report, comparison))
            );
            let _ = writeln!(
                text,
                "**Same device?** Matched by {}: {}.\n",
                comparison.matched_by,
                self.inline(&comparison.match_says)
            );
            if comparison.roles_differ {
                text.push_str("The captures were made at opposite ends: directions are swapped for the comparison.\n\n");
            }
        }
        Part { name: "the two sides".to_owned(), text: text.trim_start().to_owned() }
    }

    fn findings(&self) -> Vec<Part> {
        let report = self.report;
        let most = if report.shown.full { usize::MAX } else { MOST_FINDINGS };
        let (notes, weighty): (Vec<_>, Vec<_>) =
            report.findings.iter().partition(|finding| finding.level == Level::Note);
        let weighty = devices::by_device(report, &weighty);
        let mut parts: Vec<Part> =
            weighty.iter().take(most).map(|finding| self.finding(finding)).collect();
        let room = most.saturating_sub(weighty.len());
        let mut text = String::new();
        if room > 0 && !notes.is_empty() {
            text.push_str("### Notes\n\n");
            for note in notes.iter().take(room) {
                let _ = writeln!(
                    text,
                    "- {}: {} ({})",
                    self.inline(&note.title),
                    self.inline(&note.says),
                    ReadOn::of(note.rule).markdown()
                );
            }
            text.push('\n');
        }
        if let Some(hidden @ 1..) = report.findings.len().checked_sub(most) {
            let _ = writeln!(text, "And {hidden} more findings (`--full` shows them).\n");
        }
        if !text.is_empty() {
            parts.push(Part { name: "notes".to_owned(), text });
        }
        parts
    }

    fn finding(&self, finding: &Finding) -> Part {
        let report = self.report;
        let level = level_name(finding.level);
        let mut text = format!("### {level}: {}\n\n", self.inline(&finding.title));
        let _ = writeln!(text, "{}\n", self.block(&finding.says));
        let about = self.block(&content::finding::about(report, finding));
        let _ = writeln!(text, "{about}, rule {}.\n", ReadOn::of(finding.rule).long_markdown());
        for topic in content::finding::Topic::ALL {
            self.finding_part(&mut text, finding, topic);
        }
        if !finding.sources.is_empty() {
            let sources: Vec<String> = finding.sources.iter().map(|s| self.inline(s)).collect();
            let _ = writeln!(text, "Sources: {}.\n", sources.join("; "));
        }
        Part { name: format!("the finding {}", finding.rule), text }
    }

    fn finding_part(&self, text: &mut String, finding: &Finding, topic: content::finding::Topic) {
        use content::finding::Topic;
        let lines = content::finding::part(self.report, finding, topic);
        if !lines.is_empty() {
            let _ = writeln!(text, "**{}**\n", topic.title());
        }
        for line in &lines {
            let rule = line.rule.map_or_else(String::new, |rule| format!("`{rule}`: "));
            let says =
                if rule.is_empty() { self.block(&line.says) } else { self.inline(&line.says) };
            let _ = writeln!(text, "- {rule}{says}");
        }
        if !lines.is_empty() {
            text.push('\n');
        }
        if let (Topic::NoUse, Some(what_if)) = (topic, &finding.what_if) {
            self.what_if(text, what_if);
        }
    }

    fn what_if(&self, text: &mut String, what_if: &WhatIf) {
        let _ = writeln!(text, "**What if**\n\n{}\n", self.inline(&what_if.says));
        let _ = writeln!(text, "| {} |", what_if.columns.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(what_if.columns.len()));
        for row in &what_if.rows {
            let cells: Vec<String> = row.iter().map(|cell| self.cell(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text.push('\n');
    }

    fn section(&self, section: &Section) -> Part {
        let rows = section.blocks.iter().map(|block| match block {
            Block::Table(table) => table.rows.len(),
            Block::Item { .. } => 1,
        });
        let long = rows.sum::<usize>() > LONG;
        let folds = match section.topic {
            Topic::Timeline
            | Topic::Capture
            | Topic::Parameters
            | Topic::Database
            | Topic::Witness
            | Topic::Clocks
            | Topic::Answers => true,
            Topic::Attempts | Topic::Early => long,
            Topic::Sides | Topic::End => false,
        };
        let title = self.inline(&section.title);
        let mut text = if folds {
            // Markdown is not read inside the summary's line.
            format!(
                "<details><summary>{}</summary>\n\n",
                tagged(&self.report.visible(&section.title))
            )
        } else {
            format!("### {title}\n\n")
        };
        for part in &section.blocks {
            self.part(&mut text, part);
        }
        while text.ends_with('\n') {
            text.pop();
        }
        text.push_str("\n\n");
        if folds {
            text.push_str("</details>\n\n");
        }
        Part { name: self.report.visible(&section.title), text }
    }

    fn part(&self, text: &mut String, block: &Block) {
        match block {
            Block::Item { label, text: says, .. } if label.is_empty() => {
                gap(text);
                let _ = writeln!(text, "{}\n", self.block(says));
            }
            Block::Item { label, text: says, .. } => {
                let _ = writeln!(text, "- {}: {}", self.block(label), self.inline(says));
            }
            Block::Table(table) => self.table(text, table),
        }
    }

    fn table(&self, text: &mut String, table: &Table) {
        let Some(columns) = table.rows.iter().map(Vec::len).max() else { return };
        gap(text);
        let header = table.header.clone().unwrap_or_default();
        let line = |fields: &[content::Field]| {
            let cells: Vec<String> = (0..columns)
                .map(|at| fields.get(at).map_or_else(String::new, |field| self.cell(&field.text)))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        text.push_str(&line(&header));
        let right = |at: usize| table.rows.iter().all(|row| row.get(at).is_some_and(|f| f.right));
        let rule: Vec<&str> =
            (0..columns).map(|at| if right(at) { "---:" } else { "---" }).collect();
        let _ = writeln!(text, "| {} |", rule.join(" | "));
        for row in &table.rows {
            text.push_str(&line(row));
        }
        text.push('\n');
    }

    fn diagram(&self) -> Option<Part> {
        let source = diagram::sequence(self.report)?;
        let text = format!(
            "<details><summary>The early phase as a diagram</summary>\n\n```mermaid\n{source}```\n\n</details>\n\n"
        );
        Some(Part { name: "the diagram".to_owned(), text })
    }

    /// How the report was made, so that others can repeat it.
    fn made(&self) -> String {
        let report = self.report;
        let mut text = format!("---\n\nMade by hcidiff {}", env!("CARGO_PKG_VERSION"));
        if !report.command.is_empty() {
            let command: String =
                report.visible(&quoted(&report.command)).chars().take(1_000).collect();
            let _ = write!(text, " with `{}`", command.replace('`', "'"));
        }
        text.push_str(".\n");
        text.push_str(report.left_out());
        text.push('\n');
        for (index, capture) in report.captures.iter().enumerate() {
            let warnings = &capture.warnings;
            // Where each capture has a section of its own, they stand there.
            if warnings.is_empty() || report.captures.len() == 1 || report.comparison.is_none() {
                continue;
            }
            let _ = writeln!(text, "\nWarnings of {}:\n", inline(&report.label(index)));
            for warning in warnings.iter().take(MOST_WARNINGS) {
                let place =
                    warning.frame.map_or_else(String::new, |frame| format!("frame {frame}: "));
                // Hidden before it is cut: no half of a name stays.
                let says: String =
                    report.visible(&quoted(&warning.text)).chars().take(300).collect();
                let _ = writeln!(text, "- {place}{}", inline(&says));
            }
            if let Some(more @ 1..) = warnings.len().checked_sub(MOST_WARNINGS) {
                let _ = writeln!(text, "- and {more} more");
            }
        }
        text
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Cause => "Cause",
        Level::Suspect => "Suspect",
        Level::Note => "Note",
    }
}

/// An empty line, unless one stands there already.
fn gap(text: &mut String) {
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
}
