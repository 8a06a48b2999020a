//! hcidiff for a page: what the browser calls. It runs in a worker, so nothing here is ever waited for by a hand.
//!
//! A capture is read in pieces through [`Piecewise`], so a file of any size passes through bounded memory. The
//! browser keeps the files; nothing of them leaves it.
mod outcome;
mod source;

use hcidiff::{Case, analyse};
use outcome::{Asked, Outcome};
use source::{Piecewise, capture};
use wasm_bindgen::prelude::*;

/// Analyses one capture, or a working one and then a failing one.
///
/// `asked` is JSON (see [`Asked`]), and so is what comes back (see [`Outcome`]). An error is a sentence.
#[wasm_bindgen]
pub fn examine(captures: Vec<Piecewise>, asked: &str) -> Result<String, JsError> {
    let asked: Asked = serde_json::from_str(asked)?;
    let mut sides = captures.into_iter().map(|file| asked.side(capture(file)));
    let case = match (sides.next(), sides.next()) {
        (Some(one), None) => Case::one(one),
        (Some(reference), Some(subject)) => Case::pair(reference, subject),
        (None, _) => return Err(JsError::new("There is no capture to look at.")),
    };
    let analysis =
        analyse(&asked.of(case)).map_err(|unreadable| JsError::new(&unreadable.to_string()))?;
    Ok(serde_json::to_string(&Outcome::of(analysis, &asked))?)
}

/// What a code, an error text, a word or a line of a log means, as plain text.
#[wasm_bindgen]
pub fn explain(question: &str) -> String {
    use hcidiff::explain::Answer;
    match hcidiff::explain::answer(question) {
        Answer::Cards(cards) => cards,
        Answer::Nearest(names) if names.is_empty() => "Nothing is known of that.".to_owned(),
        Answer::Nearest(names) => {
            format!("Nothing is known of that. What comes nearest:\n  {}\n", names.join("\n  "))
        }
    }
}

/// The program's version, for the page's foot.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
