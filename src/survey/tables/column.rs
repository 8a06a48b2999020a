//! Tables as they are declared, and their rows before they are written.
use std::borrow::Cow;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Truth,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// UTF-8.
    Text,
    /// A date and a time, to the microsecond.
    Time,
}

impl Kind {
    /// What SQL calls it.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Truth => "BOOLEAN",
            Self::Whole => "BIGINT",
            Self::Number => "DOUBLE",
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMP",
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Every row has a value.
    pub always: bool,
    /// What it means.
    pub says: &'static str,
}

/// A table: one Parquet file.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The file's name without its ending.
    pub name: &'static str,
    /// What one row is.
    pub says: &'static str,
    /// In the order of the file.
    pub columns: &'static [Declared],
}

/// One value of a row.
#[derive(Debug)]
pub enum Cell<'a> {
    /// The capture does not show it.
    Nothing,
    Truth(bool),
    /// A whole number, or a time in microseconds.
    Whole(i64),
    Number(f64),
    Text(Cow<'a, str>),
}

macro_rules! cells {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl<'a> From<$from> for Cell<'a> {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

cells! {
    bool => |value| Self::Truth(value);
    u8 => |value| Self::Whole(value.into());
    u16 => |value| Self::Whole(value.into());
    u32 => |value| Self::Whole(value.into());
    u64 => |value| Self::Whole(i64::try_from(value).unwrap_or(i64::MAX));
    usize => |value| Self::Whole(i64::try_from(value).unwrap_or(i64::MAX));
    i64 => |value| Self::Whole(value);
    f64 => |value| Self::Number(value);
    String => |value| Self::Text(value.into());
    &'a str => |value| Self::Text(value.into());
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// The values of a column that are there.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    Truth(Vec<bool>),
    Whole(Vec<i64>),
    Number(Vec<f64>),
    /// All texts one behind the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
}

/// Some rows of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// 1 where a row has a value, 0 where it has none: what Parquet calls definition levels.
    pub levels: Vec<i16>,
    /// Of the rows that have one.
    pub values: Values,
}

impl Column {
    fn of(kind: Kind) -> Self {
        let values = match kind {
            Kind::Truth => Values::Truth(Vec::new()),
            Kind::Whole | Kind::Time => Values::Whole(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Text => Values::Text(Vec::new(), Vec::new()),
        };
        Self { levels: Vec::new(), values }
    }

    /// A number that is none (NaN) is no value: readers sort and compare by it.
    fn push(&mut self, cell: Cell<'_>) {
        let held = match (&mut self.values, cell) {
            (Values::Truth(all), Cell::Truth(value)) => {
                all.push(value);
                true
            }
            (Values::Whole(all), Cell::Whole(value)) => {
                all.push(value);
                true
            }
            (Values::Number(all), Cell::Number(value)) if value.is_finite() => {
                all.push(value);
                true
            }
            (Values::Text(all, ends), Cell::Text(value)) => {
                all.extend_from_slice(value.as_bytes());
                ends.push(all.len());
                true
            }
            _ => false,
        };
        self.levels.push(held.into());
    }

    fn clear(&mut self) {
        self.levels.clear();
        match &mut self.values {
            Values::Truth(all) => all.clear(),
            Values::Whole(all) => all.clear(),
            Values::Number(all) => all.clear(),
            Values::Text(all, ends) => {
                all.clear();
                ends.clear();
            }
        }
    }

    fn append(&mut self, other: &Self) {
        self.levels.extend_from_slice(&other.levels);
        match (&mut self.values, &other.values) {
            (Values::Truth(all), Values::Truth(more)) => all.extend_from_slice(more),
            (Values::Whole(all), Values::Whole(more)) => all.extend_from_slice(more),
            (Values::Number(all), Values::Number(more)) => all.extend_from_slice(more),
            (Values::Text(all, ends), Values::Text(more, more_ends)) => {
                let before = all.len();
                all.extend_from_slice(more);
                ends.extend(more_ends.iter().map(|end| before + end));
            }
            _ => {}
        }
    }
}

/// Some rows of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// In the order of the table.
    pub columns: Vec<Column>,
    /// How many rows there are.
    pub count: usize,
    /// About how much memory they take.
    pub bytes: usize,
}

impl Rows {
    /// None yet.
    pub fn of(table: &Table) -> Self {
        let columns = table.columns.iter().map(|column| Column::of(column.kind)).collect();
        Self { columns, count: 0, bytes: 0 }
    }

    /// One row more. There is a cell for each column.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += match &cell {
                Cell::Text(text) => text.len() + 16,
                _ => 10,
            };
            column.push(cell);
        }
        self.count += 1;
    }

    /// None again. The room stays.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        (self.count, self.bytes) = (0, 0);
    }

    /// The rows of another piece of the same table, behind these.
    pub fn append(&mut self, more: &Self) {
        for (column, more) in self.columns.iter_mut().zip(&more.columns) {
            column.append(more);
        }
        self.count += more.count;
        self.bytes += more.bytes;
    }
}

/// Declares a table and how its rows are made: one line a column, and the same line says what the column means.
///
/// `always` columns have a value in every row, `maybe` columns only where the capture shows it.
macro_rules! table {
    (
        $(#[doc = $says:literal])+
        $name:literal |$row:ident: $of:ty| {
            $($(#[doc = $doc:literal])+ $column:ident: $kind:ident $always:ident = $value:expr;)*
        }
    ) => {
        /// How the table is declared.
        pub const TABLE: $crate::survey::tables::column::Table = $crate::survey::tables::column::Table {
            name: $name,
            says: concat!($($says),+),
            columns: &[$($crate::survey::tables::column::Declared {
                name: stringify!($column),
                kind: $crate::survey::tables::column::Kind::$kind,
                always: $crate::survey::tables::column::$always(),
                says: concat!($($doc),+),
            },)*],
        };

        /// One row more.
        pub fn push(rows: &mut $crate::survey::tables::column::Rows, $row: &$of) {
            rows.push([$($crate::survey::tables::column::Cell::from($value),)*]);
        }
    };
}
pub(super) use table;

/// In a declaration: every row has a value.
pub(super) const fn always() -> bool {
    true
}

/// In a declaration: some rows have a value.
pub(super) const fn maybe() -> bool {
    false
}
