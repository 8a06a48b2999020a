//! No key appears in any output, whatever holds it and however it would be spelled; and where
//! aliases stand, nothing tells whose device it is.
//!
//! [`plant`] and [`texts`] build captures with secrets in them, [`outputs`] lists everything that can be
//! shown, [`search`] looks for the one in the other.
#![cfg(feature = "cli")]
mod bus;
#[path = "../common/mod.rs"]
mod common;
mod logs;
mod outputs;
mod plant;
mod search;
mod texts;

use plant::Capture;
use search::{Search, Secret};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the captures into a folder.
fn write(folder: &Path, captures: &[Capture]) -> Vec<PathBuf> {
    let write = |capture: &Capture| {
        let path = folder.join(&capture.file);
        std::fs::write(&path, &capture.bytes).unwrap();
        path
    };
    captures.iter().map(write).collect()
}

/// Looks for all secrets in an output, and for names only where none belongs.
struct Looked {
    keys: Search,
    all: Search,
}

impl Looked {
    fn of<'a>(captures: impl IntoIterator<Item = &'a Capture>) -> Self {
        let secrets: Vec<&Secret> = captures.into_iter().flat_map(|it| &it.secrets).collect();
        let keys = secrets.iter().copied().filter(|secret| !secret.identity);
        Self { keys: Search::of(keys), all: Search::of(secrets.iter().copied()) }
    }

    fn at(&self, output: &str, open: bool) -> Vec<String> {
        if open { self.keys.leaks(output) } else { self.all.leaks(output) }
    }
}

/// Many secrets: what was planted is there to be found.
#[test]
fn the_captures_hold_hundreds_of_secrets() {
    let captures = plant::all();
    let secrets: usize = captures.iter().map(|capture| capture.secrets.len()).sum();
    assert!(secrets > 1000, "{secrets}");
    for capture in captures.iter().filter(|capture| capture.file.ends_with(".btsnoop")) {
        let text: String = capture.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let found = Looked::of([capture]).all.leaks(&text);
        assert!(found.len() > 40, "{}: {found:#?}", capture.file);
    }
}

#[test]
fn no_output_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let captures = plant::all();
    let files = write(folder.path(), &captures);
    let mut leaks = Vec::new();
    let (mut values, mut names) = (0, 0);
    let shown: String = plant::SHOWN.iter().map(|byte| format!("{byte:02x}")).collect();
    // Each alone, and the binary ones compared with the first.
    let alone = captures.iter().zip(&files).map(|(it, file)| (vec![it], vec![file.clone()]));
    let compared = captures.iter().zip(&files).skip(1).take(4);
    let compared =
        compared.map(|(it, file)| (vec![&captures[0], it], vec![files[0].clone(), file.clone()]));
    for (captures, files) in alone.chain(compared) {
        let looked = Looked::of(captures.iter().copied());
        let identities =
            Search::of(captures.iter().flat_map(|it| &it.secrets).filter(|it| it.identity));
        for output in outputs::of(&files) {
            let file = &captures[captures.len() - 1].file;
            let found = looked.at(&output.text, output.open);
            leaks.extend(found.iter().map(|what| format!("{file}, {}: {what}", output.name)));
            values += usize::from(output.text.contains(&shown));
            names += usize::from(output.open && !identities.leaks(&output.text).is_empty());
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    // What may be shown is shown: who finds nothing has looked at something.
    assert!(values > 60 && names > 60, "{values} values, {names} names");
}

/// A bundle that is shared has no secret either: neither in its capture, byte for byte, nor in its texts.
#[test]
fn no_bundle_holds_a_secret() {
    use hcidiff::share::{Draft, Options, Refusal, Trim, share};
    let draft = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as Box<dyn Draft>);
    let (mut shared, mut planted, mut leaks) = (0, 0, Vec::new());
    for capture in plant::all() {
        for trim in [Trim::Story, Trim::None] {
            let input =
                hcidiff::capture::Input::bytes(capture.file.as_str(), capture.bytes.as_slice());
            let case = hcidiff::Case::one(hcidiff::case::Side::new(input));
            let mut bundle = match share(&case, &Options { trim, ..Options::default() }, &draft) {
                Ok(bundle) => bundle,
                Err(Refusal::Capture { .. } | Refusal::Text { .. } | Refusal::Air { .. }) => {
                    continue;
                }
                // Of a text that cannot be proved clean nothing is written.
                Err(Refusal::Leak { .. } | Refusal::Verdict { .. })
                    if capture.file.ends_with(".txt") =>
                {
                    continue;
                }
                Err(refusal) => panic!("{}: {refusal}", capture.file),
            };
            shared += 1;
            planted += capture.secrets.len();
            let mut bytes = Vec::new();
            let file = &mut bundle.parts[0].file;
            std::io::Seek::rewind(file).unwrap();
            std::io::Read::read_to_end(file, &mut bytes).unwrap();
            // In a row of digits any six digits occur by chance: there only bytes are looked for.
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let of_bytes: Vec<Secret> =
                capture.secrets.iter().map(|it| Secret { text: None, ..it.clone() }).collect();
            let found = Search::of(&of_bytes).leaks(&digits);
            let looked = Looked::of([&capture]);
            let texts = [
                String::from_utf8_lossy(&bytes).into_owned(),
                bundle.manifest.clone(),
                hcidiff::report::markdown::render(&bundle.report),
                hcidiff::report::html::render(&bundle.report),
            ];
            let found =
                found.into_iter().chain(texts.iter().flat_map(|text| looked.at(text, false)));
            leaks.extend(found.map(|what| format!("{}, {}: {what}", capture.file, trim.word())));
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(shared > 8 && planted > 400, "{planted} secrets in {shared} captures");
}

/// The program itself, with what it says on standard error.
#[test]
fn the_program_says_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let captures = plant::all();
    let files = write(folder.path(), &captures);
    let mut leaks = Vec::new();
    for (capture, file) in captures.iter().zip(&files) {
        let looked = Looked::of([capture]);
        for arguments in [
            &["--full", "--show-values"][..],
            &["--format", "markdown", "--show-values", "--salvage"],
            &["events", "--show-values"],
            &["events", "--bytes"],
            &["events", "--bytes", "--format", "jsonl"],
        ] {
            let run = Command::new(env!("CARGO_BIN_EXE_hcidiff"))
                .args(arguments)
                .arg(file)
                .env_clear()
                .output()
                .unwrap();
            let status = run.status.code();
            assert!(matches!(status, Some(0..=2)), "{} {arguments:?}: {status:?}", capture.file);
            let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            // A person's own terminal shows names; what is attached somewhere does not.
            for (text, open) in said.iter().zip([arguments[0] != "--format", true]) {
                let found = looked.at(text, open);
                leaks.extend(
                    found.iter().map(|what| format!("{} {arguments:?}: {what}", capture.file)),
                );
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}
