//! The report as a terminal shows it: the verdict first, then what led to it.
mod cells;
mod first;
mod live;
mod page;
mod verdict;

use crate::report::Report;
use crate::report::content;
pub use first::ROWS;
pub use live::{attempt, finding as found};
use page::Page;
pub use page::wrap;

/// The screen on which the text will be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Colours are shown.
    pub colour: bool,
}

impl Default for Screen {
    /// A file or a pipe: 80 columns, no colours.
    fn default() -> Self {
        Self { width: 80, colour: false }
    }
}

/// Columns of the terminal that we write to, if it is one.
pub fn columns() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

/// The whole report.
pub fn render(report: &Report, screen: Screen) -> String {
    let mut page = Page::new(screen.width, screen.colour, report);
    verdict::heading(&mut page, report);
    verdict::verdict(&mut page, report);
    verdict::sides(&mut page, report);
    verdict::more(&mut page, report);
    let wanted = |s: &content::Section| report.shown.full || s.topic != content::Topic::Answers;
    for section in content::sections(report).into_iter().filter(wanted) {
        page.section(&section);
    }
    page.finish()
}

/// The first screen: the result, why, what to do and the proof, in at most so many rows.
pub fn first(report: &Report, screen: Screen, rows: usize) -> String {
    first::render(report, screen.width, screen.colour, rows)
}

/// Columns of a letter: room stays for those who quote it.
const LETTER: usize = 72;

/// The report as plain text for a mailing list: the first screen, then the whole. No line begins
/// with the sign of a quotation, or with `From `.
pub fn letter(report: &Report) -> String {
    let mut text = first::render(report, LETTER, false, usize::MAX);
    text.push('\n');
    text.push_str(&render(report, Screen { width: LETTER, colour: false }));
    text.push_str("\n-- \n");
    for line in page::wrap(report.left_out(), LETTER) {
        text.push_str(&line);
        text.push('\n');
    }
    let quoted = |line: &&str| line.starts_with('>') || line.starts_with("From ");
    if !text.lines().any(|line| quoted(&line)) {
        return text;
    }
    let lines = text
        .lines()
        .map(|line| if quoted(&line) { format!(" {line}\n") } else { format!("{line}\n") });
    lines.collect()
}
