//! Paragraphs and tables that fit the width of a terminal.
use crate::report::aliases::Aliases;
use crate::report::safe;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};

/// A page of text being written.
pub struct Page {
    width: usize,
    colour: bool,
    /// What stands for addresses and names, where they are not to be shown.
    aliases: Option<Aliases>,
    text: String,
}

/// What a piece of text wants to look like, where colours are on. Never the only sign of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    #[default]
    Plain,
    Bold,
    Faint,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Bold => "1",
            Self::Faint => "2",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Blue => "34",
        }
    }

    fn cell(self) -> Option<Color> {
        match self {
            Self::Plain | Self::Bold => None,
            Self::Faint => Some(Color::DarkGrey),
            Self::Red => Some(Color::DarkRed),
            Self::Yellow => Some(Color::DarkYellow),
            Self::Green => Some(Color::DarkGreen),
            Self::Blue => Some(Color::DarkBlue),
        }
    }
}

/// One cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub text: String,
    pub paint: Paint,
    pub right: bool,
}

impl Field {
    pub fn right(text: impl Into<String>) -> Self {
        Self { text: text.into(), right: true, ..Self::default() }
    }

    pub fn paint(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

impl<T: Into<String>> From<T> for Field {
    fn from(text: T) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl Page {
    /// Widths below 40 columns are not believed.
    pub fn new(width: usize, colour: bool, aliases: Option<Aliases>) -> Self {
        Self { width: width.max(40), colour, aliases, text: String::new() }
    }

    /// Text as it may be shown: without what moves cursors, and without names if so asked.
    fn shown(&self, text: &str) -> String {
        let text = safe::text(text);
        self.aliases.as_ref().map_or_else(|| text.to_string(), |aliases| aliases.hide(&text))
    }

    pub fn finish(self) -> String {
        self.text
    }

    pub fn width(&self) -> usize {
        self.width
    }

    fn painted(&self, text: &str, paint: Paint) -> String {
        if self.colour && paint != Paint::Plain && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    /// An empty line, unless the page begins here or one stands there already.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub fn heading(&mut self, text: &str) {
        self.gap();
        let text = self.shown(text);
        let text = safe::fit(&text, self.width);
        let painted = self.painted(&text, Paint::Bold);
        self.text.push_str(&painted);
        self.text.push('\n');
    }

    /// A label and wrapped text that hangs behind it.
    pub fn item(&mut self, label: &str, text: &str, paint: Paint) {
        let label = self.shown(label);
        let indent = safe::width(&label);
        if indent > self.width / 3 {
            // A long label (a file's name) is text itself.
            return self.item("", &format!("{label}{text}"), Paint::Plain);
        }
        for (at, line) in wrap(&self.shown(text), self.width - indent).iter().enumerate() {
            if at == 0 {
                let painted = self.painted(&label, paint);
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

    /// Rows under an optional heading row; columns share the width as their content needs.
    pub fn table(&mut self, header: Option<Vec<Field>>, rows: Vec<Vec<Field>>) {
        if rows.is_empty() {
            return;
        }
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The padding of the last column hangs over the edge; it is trimmed below.
        table.set_width(u16::try_from(self.width + 1).unwrap_or(u16::MAX));
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if let Some(header) = header {
            table.add_row(header.into_iter().map(|field| self.cell(field.paint(Paint::Faint))));
        }
        for row in rows {
            table.add_row(row.into_iter().map(|field| self.cell(field)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn cell(&self, field: Field) -> Cell {
        let lines: Vec<_> = field.text.split('\n').map(|line| self.shown(line)).collect();
        let mut cell = Cell::new(lines.join("\n"));
        if field.right {
            cell = cell.set_alignment(CellAlignment::Right);
        }
        if let Some(colour) = field.paint.cell().filter(|_| self.colour) {
            cell = cell.fg(colour);
        }
        cell
    }
}

/// Breaks text at spaces; words that are longer than a line are broken where it ends.
fn wrap(text: &str, width: usize) -> Vec<String> {
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

    #[test]
    fn text_wraps_at_spaces_and_long_words_break() {
        assert_eq!(wrap("the peer hung up", 9), ["the peer", "hung up"]);
        assert_eq!(wrap("", 9), [""]);
        assert_eq!(wrap("8f1d0002-1234-5678", 8), ["8f1d0002", "-1234-56", "78"]);
        assert_eq!(wrap("\u{6e29}\u{6e29}\u{6e29}\u{6e29}\u{6e29}", 8).len(), 2);
    }

    #[test]
    fn tables_keep_to_the_width() {
        for width in [60, 80, 120, 200] {
            let mut page = Page::new(width, false, None);
            let long =
                "a long text that will have to be wrapped somewhere, as texts are ".repeat(4);
            page.table(None, vec![vec!["=".into(), long.into(), Field::right("12")]; 2]);
            assert!(page.finish().lines().all(|line| safe::width(line) <= width));
        }
    }
}
