//! Paragraphs and tables that fit the width of a terminal.
use crate::prose::Say;
use crate::prose::{Piece, Text};
use crate::report::Report;
use crate::report::content::{self, Block, Field, Paint, Section};
use crate::report::safe;
use crate::report::terminal::cells;
use crate::text;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use std::collections::BTreeSet;

/// From this width on a table has room for a column of remarks.
const WIDE: usize = 120;

/// From this width on both sides of a timeline have columns of their own.
const TWO_COLUMNS: usize = 140;

/// A page of text being written.
pub struct Page<'a> {
    width: usize,
    colour: bool,
    report: &'a Report,
    text: String,
}

fn code(paint: Paint) -> &'static str {
    match paint {
        Paint::Plain => "0",
        Paint::Bold => "1",
        Paint::Faint => "2",
        Paint::Red => "31",
        Paint::Yellow => "33",
        Paint::Green => "32",
        Paint::Blue => "34",
    }
}

/// Text in a colour, where colours are on.
pub fn painted(text: &str, paint: Paint, colour: bool) -> String {
    if colour && paint != Paint::Plain && !text.is_empty() {
        format!("\x1b[{}m{text}\x1b[0m", code(paint))
    } else {
        text.to_owned()
    }
}

impl<'a> Page<'a> {
    /// Widths below 40 columns are not believed.
    pub fn new(width: usize, colour: bool, report: &'a Report) -> Self {
        Self { width: width.max(40), colour, report, text: String::new() }
    }

    fn shown(&self, text: &impl Say) -> String {
        self.report.visible(text)
    }

    pub fn report(&self) -> &'a Report {
        self.report
    }

    pub fn finish(self) -> String {
        self.text
    }

    fn painted(&self, text: &str, paint: Paint) -> String {
        painted(text, paint, self.colour)
    }

    /// An empty line, unless the page begins here or one stands there already.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub fn heading(&mut self, text: &impl Say) {
        let text = self.shown(text);
        self.head(&text);
    }

    fn head(&mut self, text: &str) {
        self.gap();
        let text = safe::fit(text, self.width);
        let painted = self.painted(&text, Paint::Bold);
        self.text.push_str(&painted);
        self.text.push('\n');
    }

    /// A label and wrapped text that hangs behind it.
    pub fn item(&mut self, label: &str, text: &impl Say, paint: Paint) {
        let text = self.shown(text);
        self.hang(label, &text, paint);
    }

    fn hang(&mut self, label: &str, text: &str, paint: Paint) {
        let indent = safe::width(label);
        if indent > self.width / 3 {
            // A long label (a file's name) is text itself.
            return self.hang("", &format!("{label}{text}"), Paint::Plain);
        }
        for (at, line) in wrap(text, self.width - indent).iter().enumerate() {
            if at == 0 {
                let painted = self.painted(label, paint);
                self.text.push_str(&painted);
            } else {
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
            self.text.push_str(line);
            while self.text.ends_with(' ') {
                self.text.pop();
            }
            self.text.push('\n');
        }
    }

    /// A section: its first word is shouted, its labels stand in a column.
    pub fn section(&mut self, section: &Section) {
        let title = self.shown(&section.title);
        let (first, rest) = title.split_once(' ').unwrap_or((&title, ""));
        self.head(format!("{} {rest}", first.to_uppercase()).trim_end());
        let labels = section.blocks.iter().map(|block| match block {
            Block::Item { label, .. } => safe::width(&self.shown(label)),
            Block::Table(_) => 0,
        });
        let column = match labels.max().unwrap_or(0) {
            0 => 0,
            1 => 2,
            longest => longest + 3,
        };
        for block in &section.blocks {
            match block {
                Block::Item { label, text, paint } => {
                    let label = self.shown(label);
                    self.item(&format!("{label:column$}"), text, *paint);
                }
                Block::Table(table) => self.content_table(table),
            }
        }
    }

    fn content_table(&mut self, table: &content::Table) {
        if let Some((header, rows)) = table.beside.as_ref().filter(|_| self.width >= TWO_COLUMNS) {
            return self.table(Some(header.clone()), rows.clone());
        }
        let (mut header, mut rows) = (table.header.clone(), table.rows.clone());
        if table.remarks && self.width < WIDE {
            if let Some(header) = &mut header {
                header.pop();
            }
            for row in &mut rows {
                let remark = row.pop().map(|field| field.text).unwrap_or_default();
                if let Some(what) = row.get_mut(1).filter(|_| !remark.is_empty()) {
                    what.text = text!("{}\n  {}", what.text, remark);
                }
            }
        }
        self.table(header, rows);
    }

    /// Rows under an optional heading row; columns share the width as their content needs.
    pub fn table(&mut self, header: Option<Vec<Field>>, rows: Vec<Vec<Field>>) {
        if rows.is_empty() {
            return;
        }
        let addresses = columns_of_addresses(header.iter().chain(&rows));
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The padding of the last column hangs over the edge; it is trimmed below.
        table.set_width(u16::try_from(self.width + 1).unwrap_or(u16::MAX));
        cells::prepare(&mut table, self.colour);
        if let Some(header) = header {
            table.add_row(header.into_iter().map(|field| self.cell(field.paint(Paint::Faint))));
        }
        for row in rows {
            table.add_row(row.into_iter().map(|field| self.cell(field)));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if addresses.contains(&at) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(ADDRESS + 2)));
            }
        }
        for line in table.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn cell(&self, field: Field) -> Cell {
        let mut cell = Cell::new(self.shown(&field.text));
        if field.right {
            cell = cell.set_alignment(CellAlignment::Right);
        }
        if self.colour { cells::paint(cell, field.paint) } else { cell }
    }
}

/// Columns of an address, which is never broken: nobody could copy it, or search for it.
const ADDRESS: u16 = 17;

/// Columns in which an address stands.
fn columns_of_addresses<'f>(rows: impl Iterator<Item = &'f Vec<Field>>) -> BTreeSet<usize> {
    let mut columns = BTreeSet::new();
    for row in rows {
        let with = row.iter().enumerate().filter(|(_, field)| holds_address(&field.text));
        columns.extend(with.map(|(at, _)| at));
    }
    columns
}

fn holds_address(text: &Text) -> bool {
    let mut holds = false;
    text.each(|piece| holds |= matches!(piece, Piece::Address(_)));
    holds
}

/// Breaks text at spaces; words that are longer than a line are broken where it ends.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let Some(line) = lines.last_mut() else { return lines };
            let taken = safe::width(line);
            let gap = usize::from(taken > 0);
            if taken + gap + safe::width(word) <= width {
                if gap > 0 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if taken > 0 {
                lines.push(String::new());
                continue;
            }
            let fits = word
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .take_while(|&end| safe::width(&word[..end]) <= width);
            let end = fits.last().unwrap_or(word.len());
            line.push_str(&word[..end]);
            word = &word[end..];
            lines.push(String::new());
            if word.is_empty() {
                break;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Address;

    #[test]
    fn text_wraps_at_spaces_and_long_words_break() {
        assert_eq!(wrap("the peer hung up", 9), ["the peer", "hung up"]);
        assert_eq!(wrap("", 9), [""]);
        assert_eq!(wrap("8f1d0002-1234-5678", 8), ["8f1d0002", "-1234-56", "78"]);
        assert_eq!(wrap("\u{6e29}\u{6e29}\u{6e29}\u{6e29}\u{6e29}", 8).len(), 2);
    }

    #[test]
    fn no_table_breaks_an_address() {
        let report = Report::default();
        for width in [40, 60, 80] {
            let mut page = Page::new(width, false, &report);
            let long = "what came of it, in more words than there is room for ".repeat(3);
            let address = Address([1, 0, 0xaa, 0x7c, 0x12, 0xf0]);
            let device = text!("{} (random)", address).into();
            page.table(
                None,
                vec![vec![Field::right("1"), device, long.clone().into(), long.into()]],
            );
            let text = page.finish();
            assert!(text.contains("F0:12:7C:AA:00:01"), "{width}\n{text}");
            assert!(text.lines().all(|line| safe::width(line) <= width), "{width}\n{text}");
        }
    }

    #[test]
    fn tables_keep_to_the_width() {
        let report = Report::default();
        for width in [60, 80, 120, 200] {
            let mut page = Page::new(width, false, &report);
            let long =
                "a long text that will have to be wrapped somewhere, as texts are ".repeat(4);
            page.table(None, vec![vec!["=".into(), long.into(), Field::right("12")]; 2]);
            assert!(page.finish().lines().all(|line| safe::width(line) <= width));
        }
    }
}
