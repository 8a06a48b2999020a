//! Records become records that may be shown: of the same length, field by field.
//!
//! Nothing is passed through. A new record begins as zeros, and only what was decoded is written into it.
mod attributes;
mod fields;
mod frames;
mod glance;
mod lines;
mod marks;
mod notes;
mod record;
mod rows;
pub mod words;

pub use attributes::{Attributes, Place, What};
pub use frames::{Held, Line};
pub use lines::{Lines, Printed};
pub use marks::{Mark, Marks};
pub use record::Replacer;

/// Bytes that may be shown, and what is known of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clean {
    pub bytes: Vec<u8>,
    pub marks: Marks,
}

impl Clean {
    /// With room for so many bytes.
    pub fn for_bytes(length: usize) -> Self {
        Self { bytes: Vec::with_capacity(length), marks: Marks::default() }
    }

    /// Appends bytes of one kind.
    pub fn push(&mut self, bytes: &[u8], mark: Mark) {
        self.bytes.extend_from_slice(bytes);
        self.marks.push(bytes.len(), mark);
    }

    pub fn push_all(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.marks.push_all(&other.marks);
    }

    /// Zeros up to this length, or cut there.
    pub fn fit(&mut self, length: usize) {
        if self.bytes.len() != length {
            self.bytes.resize(length, 0);
        }
        self.marks.fit(length);
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
    }
}

/// What was done, by kind: for the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Addresses.
    pub addresses: u64,
    /// Names of devices and hosts.
    pub names: u64,
    /// Keys.
    pub keys: u64,
    /// Attribute values.
    pub values: u64,
    /// Lines of logs.
    pub texts: u64,
    /// Packets of which something could not be decoded: those bytes became zeros.
    pub zeroed: u64,
    /// Comments that somebody wrote beside records.
    pub comments: u64,
}

/// What the user wants to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub values: bool,
    pub names: bool,
    /// Addresses too: nothing but keys goes.
    pub addresses: bool,
}

impl Kept {
    /// Everything but keys.
    pub const ALL: Self = Self { values: true, names: true, addresses: true };
}
