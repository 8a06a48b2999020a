//! What was found becomes text: for terminals, for machines, for pages.
pub mod safe;
