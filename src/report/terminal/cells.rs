//! Colours in the cells of a table. Only the program has them: they need a crate that knows terminals.
pub(super) use drawn::{paint, prepare};

#[cfg(feature = "cli")]
mod drawn {
    use crate::report::content::Paint;
    use comfy_table::{Cell, Color, Table};

    /// Whether the table may have colours is our decision, not the crate's.
    pub fn prepare(table: &mut Table, colour: bool) {
        if colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
    }

    pub fn paint(cell: Cell, paint: Paint) -> Cell {
        match paint {
            Paint::Plain | Paint::Bold => cell,
            Paint::Faint => cell.fg(Color::DarkGrey),
            Paint::Red => cell.fg(Color::DarkRed),
            Paint::Yellow => cell.fg(Color::DarkYellow),
            Paint::Green => cell.fg(Color::DarkGreen),
            Paint::Blue => cell.fg(Color::DarkBlue),
        }
    }
}

#[cfg(not(feature = "cli"))]
mod drawn {
    use crate::report::content::Paint;
    use comfy_table::{Cell, Table};

    pub fn prepare(_: &mut Table, _: bool) {}

    pub fn paint(cell: Cell, _: Paint) -> Cell {
        cell
    }
}
