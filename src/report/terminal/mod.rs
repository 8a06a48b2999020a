//! The report as a terminal shows it: the verdict first, then what led to it.
mod cells;
mod page;
mod verdict;

use crate::report::Report;
use crate::report::content;
use page::Page;

/// How the text will be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    pub width: usize,
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
    for section in content::sections(report) {
        page.section(&section);
    }
    page.finish()
}

/// The verdict alone, for somebody whose report goes to a file.
pub fn brief(report: &Report, screen: Screen) -> String {
    let mut page = Page::new(screen.width, screen.colour, report);
    verdict::alone(&mut page, report);
    page.finish()
}
