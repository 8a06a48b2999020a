//! hcidiff for a page: what the browser calls. It runs in a worker, so nothing here is ever waited for by a hand.
//!
//! A capture is read in pieces through [`Piecewise`], so a file of any size passes through bounded memory. The
//! browser keeps the files; nothing of them leaves it.
mod outcome;
mod source;
mod warm;

use hcidiff::report::Report;
use hcidiff::{Analysis, analyse};
use outcome::{Asked, Outcome, Written};
use source::{Piecewise, capture, kept};
use std::io::Cursor;
use wasm_bindgen::prelude::*;

/// Analyses one capture, or a working one and then a failing one, and logs of the failing host beside them.
///
/// `asked` is JSON (see [`Asked`]), and so is what comes back (see [`Outcome`]). An error is a sentence.
#[wasm_bindgen]
pub fn examine(
    captures: Vec<Piecewise>,
    logs: Vec<Piecewise>,
    asked: &str,
) -> Result<String, JsError> {
    let asked: Asked = serde_json::from_str(asked)?;
    let analysis = analysed(captures, logs, &asked)?;
    Ok(serde_json::to_string(&Outcome::of(analysis, &asked))?)
}

/// The report for machines, octet for octet as the program writes it: with real addresses. The captures are read once
/// more for it, because few want it, and everybody waits for the report.
#[wasm_bindgen]
pub fn json(
    captures: Vec<Piecewise>,
    logs: Vec<Piecewise>,
    asked: &str,
) -> Result<Vec<u8>, JsError> {
    let mut asked: Asked = serde_json::from_str(asked)?;
    asked.sha256 = true;
    let report = Report::from(analysed(captures, logs, &asked)?);
    let mut json = Vec::new();
    hcidiff::report::json::write(&report, &mut json)?;
    Ok(json)
}

fn analysed(
    captures: Vec<Piecewise>,
    logs: Vec<Piecewise>,
    asked: &Asked,
) -> Result<Analysis, JsError> {
    let logs = logs.into_iter().map(capture).collect();
    let case = asked.case(captures.into_iter().map(capture).collect(), logs)?;
    analyse(&case).map_err(|unreadable| JsError::new(&unreadable.to_string()))
}

/// What the working host did, as something that can be run: files with their names, and what is to be said of them.
#[wasm_bindgen]
pub fn recipe(captures: Vec<Piecewise>, target: &str, asked: &str) -> Result<String, JsError> {
    let asked: Asked = serde_json::from_str(asked)?;
    let case = asked.case(kept(captures)?, Vec::new())?;
    let target =
        hcidiff::recipe::target(target).ok_or_else(|| JsError::new("There is no such recipe."))?;
    let written = hcidiff::recipe::handshake(&case).and_then(|handshake| target.write(&handshake));
    let recipe = written.map_err(|refusal| JsError::new(&refusal.to_string()))?;
    let files = recipe.files.into_iter().map(|file| (file.name, file.text)).collect();
    Ok(serde_json::to_string(&Written { files, says: recipe.says })?)
}

/// A zip file with the captures and their report, without addresses, names, keys and values.
#[wasm_bindgen]
pub fn bundle(captures: Vec<Piecewise>) -> Result<Vec<u8>, JsError> {
    let case = Asked::default().case(kept(captures)?, Vec::new())?;
    let draft = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn hcidiff::share::Draft>);
    let made = hcidiff::share::share(&case, &hcidiff::share::Options::default(), &draft);
    let mut bundle = made.map_err(|refusal| JsError::new(&refusal.to_string()))?;
    let mut zip = Cursor::new(Vec::new());
    hcidiff::share::write(&mut bundle, &mut zip)?;
    Ok(zip.into_inner())
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

/// Runs what a long capture keeps busy, so that the browser compiles it well while the reader still looks for the file.
#[wasm_bindgen]
pub fn warm_up() {
    warm::up();
}

/// The program's version, for the page's foot.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
