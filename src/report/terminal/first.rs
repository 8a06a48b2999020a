//! The first screen: prompt, command and result in one view of a terminal of 80 × 24.
use super::page::{painted, wrap};
use crate::diagnose::{Confidence, Level};
use crate::prose::{Say, quoted};
use crate::report::content::{self, FirstTopic as Topic, Headline, Kind, Line, Paint};
use crate::report::{Report, safe};

/// Rows that are left of 24 when the prompt, the command and the next prompt have theirs.
pub const ROWS: usize = 21;

/// Narrower screens are not believed: nothing can be read there.
const NARROWEST: usize = 20;

/// Longer lines are hard to follow.
const WIDEST: usize = 120;

/// From this width on the labels stand in a column of their own.
const COLUMN: usize = 50;

/// Columns of the labels.
const LABELS: usize = 8;

/// How many entries a topic may have, and how many rows an entry.
type Room = (usize, usize);

/// What is given up first when there are too few rows: each line is tighter than the one before.
const PLANS: [fn(Topic) -> Room; 7] = [
    |topic| match topic {
        Topic::Why => (1, 6),
        Topic::Holds => (8, 2),
        Topic::Try => (3, 4),
        _ => (3, 2),
    },
    |topic| match topic {
        Topic::Why => (1, 5),
        Topic::Holds => (6, 1),
        Topic::Try => (3, 3),
        Topic::NoUse | Topic::Not => (1, 2),
        Topic::Also => (1, 1),
        _ => (2, 2),
    },
    |topic| match topic {
        Topic::Why => (1, 5),
        Topic::Holds => (6, 1),
        Topic::Try => (2, 4),
        Topic::Proof => (2, 1),
        Topic::NoUse | Topic::Differs => (1, 2),
        _ => (1, 1),
    },
    |topic| match topic {
        Topic::Why => (1, 4),
        Topic::Holds => (6, 1),
        Topic::Try => (2, 3),
        Topic::Proof => (2, 1),
        Topic::Differs => (1, 2),
        _ => (1, 1),
    },
    |topic| match topic {
        Topic::Why => (1, 4),
        Topic::Holds => (6, 1),
        Topic::Try => (2, 3),
        Topic::Proof => (2, 1),
        _ => (1, 1),
    },
    |topic| match topic {
        Topic::Why | Topic::Try => (1, 3),
        Topic::Holds => (3, 1),
        Topic::Also | Topic::NoUse | Topic::Not => (0, 0),
        _ => (1, 1),
    },
    |topic| match topic {
        Topic::Why | Topic::Try => (1, 2),
        Topic::Proof => (1, 1),
        _ => (0, 0),
    },
];

/// The first screen, in at most so many rows.
pub fn render(report: &Report, width: usize, colour: bool, rows: usize) -> String {
    let headline = content::headline(report);
    let lines = content::lines(report, &headline);
    let screen = First { report, width: width.clamp(NARROWEST, WIDEST), colour };
    let head = screen.head(&headline);
    let foot = screen.foot(report, &headline);
    let room = rows.saturating_sub(head.len() + foot.len());
    let bodies = PLANS.iter().map(|plan| screen.body(&lines, plan));
    let mut body = Vec::new();
    for tighter in bodies {
        body = tighter;
        if body.len() <= room {
            break;
        }
    }
    body.truncate(room);
    let mut text = String::new();
    for line in head.into_iter().chain(body).chain(foot) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

struct First<'a> {
    report: &'a Report,
    width: usize,
    colour: bool,
}

impl First<'_> {
    fn paint(&self, text: &str, paint: Paint) -> String {
        painted(text, paint, self.colour)
    }

    /// The sign, the headline in bold, and how sure it is at the end of its row or in the next.
    fn head(&self, headline: &Headline) -> Vec<String> {
        let (sign, paint) = sign(headline.kind);
        let sure = headline.sure(self.report).map(|(level, confidence)| sure(level, confidence));
        let says = self.report.visible(&headline.says);
        let mut rows = fit(&format!("{sign} {says}"), self.width, 3);
        let width = rows.last().map_or(0, |row| safe::width(row));
        for row in &mut rows {
            *row = match row.strip_prefix(sign) {
                Some(rest) => {
                    format!("{}{}", self.paint(sign, paint), self.paint(rest, Paint::Bold))
                }
                None => self.paint(row, Paint::Bold),
            };
        }
        if let Some(sure) = sure {
            let taken = safe::width(&sure);
            let shown = self.paint(&sure, Paint::Faint);
            match rows.last_mut() {
                Some(last) if width + taken + 2 <= self.width => {
                    last.extend(std::iter::repeat_n(' ', self.width - width - taken));
                    last.push_str(&shown);
                }
                _ => rows.push(format!("  {shown}")),
            }
        }
        rows
    }

    fn body(&self, lines: &[Line], plan: &dyn Fn(Topic) -> Room) -> Vec<String> {
        let mut body = Vec::new();
        for line in lines {
            let (most, rows) = plan(line.topic);
            let numbered = line.topic == Topic::Try && line.says.len().min(most) > 1;
            for (at, says) in line.says.iter().take(most).enumerate() {
                let label = if at == 0 { line.topic.label() } else { "" };
                let number = if numbered { format!("{} ", at + 1) } else { String::new() };
                self.entry(&mut body, label, &number, says, rows);
            }
        }
        body
    }

    fn entry(
        &self,
        body: &mut Vec<String>,
        label: &str,
        number: &str,
        says: &impl Say,
        rows: usize,
    ) {
        let says = self.report.visible(says);
        let bold = if number.is_empty() { Paint::Plain } else { Paint::Bold };
        if self.width < COLUMN {
            let label = if label.is_empty() { String::new() } else { format!("{label}: ") };
            for row in fit(&format!("{label}{number}{says}"), self.width - 1, rows) {
                body.push(format!(" {row}"));
            }
            return;
        }
        let indent = LABELS + number.len();
        for (at, row) in fit(&says, self.width - 2 - indent, rows).iter().enumerate() {
            let (label, number) = if at == 0 { (label, number) } else { ("", "") };
            let label = self.paint(&format!("{label:LABELS$}"), Paint::Faint);
            let number = self.paint(&format!("{number:0$}", indent - LABELS), bold);
            body.push(format!("  {label}{number}{row}"));
        }
    }

    /// Where to read on.
    fn foot(&self, report: &Report, headline: &Headline) -> Vec<String> {
        let explain = headline.rule(report).map(|rule| format!("hcidiff explain {rule}"));
        let parts = |some: &[&str]| {
            let parts = some.iter().copied().chain(explain.as_deref());
            parts.collect::<Vec<_>>().join(" · ")
        };
        let mut says = parts(&["--full", "-o report.md"]);
        if safe::width(&says) + 2 + LABELS > self.width {
            // A command must not be broken into two rows.
            says = parts(&["--full"]);
        }
        let mut body = Vec::new();
        self.entry(&mut body, "more", "", &quoted(&says), 2);
        body
    }
}

fn sign(kind: Kind) -> (&'static str, Paint) {
    match kind {
        Kind::Cause => ("\u{2717}", Paint::Red),
        Kind::Suspect | Kind::Unexplained | Kind::Swapped => ("?", Paint::Yellow),
        Kind::Works => ("\u{2713}", Paint::Green),
        Kind::Nothing | Kind::Same | Kind::Alone => ("\u{b7}", Paint::Blue),
    }
}

fn sure(level: Level, confidence: Confidence) -> String {
    match level {
        Level::Suspect => format!("a suspect; sure: {confidence}"),
        _ => format!("sure: {confidence}"),
    }
}

/// The text in so many rows. Where it is longer, the whole sentences that fit; where not even the
/// first one does, its beginning.
pub(super) fn fit(text: &str, width: usize, rows: usize) -> Vec<String> {
    // No row takes a name of absurd length apart.
    let text = safe::fit(text, width * (rows + 20));
    let mut all = wrap(&text, width);
    if all.len() <= rows {
        return all;
    }
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    let whole = ends.map(|end| wrap(&text[..end], width)).take_while(|some| some.len() <= rows);
    if let Some(some) = whole.last() {
        return some;
    }
    all.truncate(rows);
    if let Some(last) = all.last_mut() {
        let shorter = safe::fit(last, width.saturating_sub(2)).trim_end_matches('…').to_owned();
        *last = format!("{} …", shorter.trim_end());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_sentences_are_kept_and_what_is_cut_says_so() {
        let text = "The device hung up. It does so after five seconds. Nobody knows why.";
        assert_eq!(fit(text, 80, 1), [text]);
        assert_eq!(fit(text, 60, 1), ["The device hung up. It does so after five seconds."]);
        assert_eq!(fit(text, 12, 1), ["The device …"]);
        assert_eq!(fit(text, 12, 0), [""; 0]);
        for width in 8..40 {
            for rows in 1..5 {
                let rows_of = fit(text, width, rows);
                assert!(rows_of.len() <= rows);
                assert!(rows_of.iter().all(|row| safe::width(row) <= width), "{rows_of:?}");
            }
        }
    }
}
