//! The pieces of a sentence as a reader sees them: safe for a terminal, and with aliases where they are asked for.
use super::aliases::Aliases;
use super::safe;
use crate::prose::{Piece, Text};
use std::fmt::Write;

/// Longer labels of captures are cut in the middle: their beginning and their end tell them apart.
const LONGEST_LABEL: usize = 26;

/// Longer names of devices are cut where they are the subject of a sentence.
const LONGEST_NAME: usize = 24;

/// What a device or a host calls itself.
pub(super) fn named(name: &str, aliases: Option<&Aliases>) -> String {
    let hidden = aliases.map(|aliases| aliases.hide_name(name));
    safe::text(hidden.as_deref().unwrap_or(name)).into_owned()
}

/// A sentence without what moves cursors. An address that is in no capture's tables has an alias too: none passes.
pub(super) fn show(text: &Text, aliases: Option<&Aliases>) -> String {
    let mut shown = String::new();
    let mut last = None;
    // A name or an outside text is hidden before it is cut: no half of a name stays.
    let named = |name: &str| named(name, aliases);
    let outside = |words: &str| {
        let words = safe::text(words);
        aliases.map_or_else(|| words.clone().into_owned(), |aliases| aliases.hide(&words))
    };
    text.each(|piece| match (piece, aliases) {
        (Piece::Address(address), Some(aliases)) => {
            let alias = aliases.address(*address);
            shown.push_str(alias);
            last = Some(alias.to_owned());
        }
        (Piece::Name(name), _) => {
            let name = named(name);
            match shown.strip_suffix(", ") {
                // The address before it has the same alias: once is enough.
                Some(before) if last.as_ref() == Some(&name) => shown.truncate(before.len()),
                _ => {
                    let _ = write!(shown, "\"{name}\"");
                }
            }
        }
        (Piece::Called(name), _) => shown.push_str(&safe::fit(named(name).trim(), LONGEST_NAME)),
        (Piece::Label(label), _) => {
            shown.push_str(&safe::fit_middle(&outside(label), LONGEST_LABEL));
        }
        (Piece::Quoted(words), _) => shown.push_str(&outside(words)),
        (piece, _) => {
            let _ = write!(shown, "{piece}");
        }
    });
    shown
}
