//! What was found becomes text: for terminals, for machines, for pages.
mod clock;
pub mod events;
mod fields;
mod line;
pub mod safe;
mod sentence;
