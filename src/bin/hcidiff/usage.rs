//! Usage errors that teach: a sentence says what was probably meant.
use crate::cli::Cli;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use hcidiff::report::safe;
use std::fs;
use std::path::{Path, PathBuf};

/// What somebody sees who typed the program's name alone.
pub const WELCOME: &str = "\
hcidiff compares two Bluetooth captures and says why one connection works and
the other fails.

  hcidiff mac.pklg pi.btsnoop   the capture that works, then the one that fails
  hcidiff explain error 62      what a number or an error text means

To record one: begin before you connect, and stop after it has failed.
  Linux, Pi   sudo hcidiff record         (Ctrl-C ends it with the verdict)
  macOS       PacketLogger, in Apple's Additional Tools for Xcode; save as .pklg
  Android     Developer options, Bluetooth HCI snoop log; adb bugreport phone.zip
  others      the README, \"Taking the two captures\"

`hcidiff --help` has more examples and every option.";

/// Words that people put before the two captures.
const NEEDLESS: &[&str] = &["diff", "compare", "cmp", "analyze", "analyse", "report", "run"];

/// Words that other programs use for what `events` does.
const LISTING: &[&str] = &["list", "ls", "show", "dump", "print", "log"];

/// Most entries of a folder that are looked at for a similar name.
const MOST_ENTRIES: usize = 4_096;

/// The sentence for what the parser refused, where it can be better than the parser's own.
pub fn refused(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let word = safe::text(&text(ContextKind::InvalidArg)?).into_owned();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            // The parser's own idea of similar is wide.
            let guess = text(ContextKind::SuggestedArg)
                .filter(|guess| strsim::damerau_levenshtein(guess, &word) <= 3)
                .map_or(String::new(), |guess| format!("; did you mean `{guess}`?"));
            let kind = if word.starts_with('-') { "option" } else { "argument" };
            Some(format!("there is no {kind} `{word}`{guess}\n`hcidiff --help` has them all"))
        }
        _ => None,
    }
}

/// Whether the captures that were named can be what was meant.
pub fn captures(named: &[PathBuf]) -> Result<(), String> {
    if let Some(sentence) = named.first().and_then(|first| verb(first, &named[1..])) {
        return Err(sentence);
    }
    if named.len() > 2 {
        return Err(format!(
            "{} captures were named, and one or two are read: the one that works, then the one that fails\n\
             try: {}",
            named.len(),
            line("hcidiff", &named[..2])
        ));
    }
    let missing: Vec<String> = named.iter().filter_map(|path| missing(path)).collect();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

/// A first word that is no file and was meant as a command.
fn verb(first: &Path, rest: &[PathBuf]) -> Option<String> {
    let word = first.to_str()?.to_lowercase();
    if word == "-" || word.contains(['.', '/', '\\']) || first.exists() {
        return None;
    }
    if NEEDLESS.contains(&word.as_str()) {
        let example = [PathBuf::from("mac.pklg"), PathBuf::from("pi.btsnoop")];
        let files = if rest.is_empty() { &example[..] } else { rest };
        return Some(format!(
            "there is no file `{word}`; comparing needs no command word\ntry: {}",
            line("hcidiff", files)
        ));
    }
    let try_this = |sentence: &str, typed: &str| {
        Some(format!(
            "there is no file and no command `{}`; {sentence}\ntry: {typed}",
            safe::text(&word)
        ))
    };
    match word.as_str() {
        "help" => return try_this("the help is an option", "hcidiff --help"),
        "version" => return try_this("the version is an option", "hcidiff --version"),
        _ if LISTING.contains(&word.as_str()) => {
            return try_this("`events` lists a capture", &line("hcidiff events", rest));
        }
        _ => {}
    }
    let command = Cli::command();
    let known = command.get_subcommands().map(clap::Command::get_name);
    let (distance, near) =
        known.map(|known| (strsim::damerau_levenshtein(known, &word), known)).min()?;
    let close = distance <= 2 && distance < near.len() / 2 + 1;
    close.then(|| try_this("did you mean this?", &line(&format!("hcidiff {near}"), rest)))?
}

/// A capture that is not there, or that is a folder; with the name in its folder that comes nearest.
pub fn missing(path: &Path) -> Option<String> {
    if path.as_os_str() == "-" {
        return None;
    }
    let shown = safe::text(&path.to_string_lossy()).into_owned();
    if path.is_dir() {
        return Some(format!("`{shown}` is a folder; name a capture in it"));
    }
    // What is there and cannot be read says so when it is opened.
    if !matches!(fs::metadata(path), Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
        return None;
    }
    let guess = neighbour(path).map_or(String::new(), |near| {
        format!("; did you mean `{}`?", safe::text(&near.to_string_lossy()))
    });
    Some(format!("there is no file `{shown}`{guess}"))
}

fn neighbour(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?.take(MOST_ENTRIES);
    let near = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .min()?;
    let (distance, other) = near;
    (distance <= 2 && distance * 3 <= name.chars().count()).then(|| path.with_file_name(other))
}

/// No card for a question; names that come near.
pub fn unknown(question: &str, near: &[String]) -> String {
    let question = safe::text(question);
    let question = safe::fit(&question, 60);
    if near.is_empty() {
        return format!("no card for `{question}`; `hcidiff explain` lists what there is");
    }
    let near = near.iter().map(|name| line("hcidiff explain", &[PathBuf::from(name)]));
    format!(
        "no card for `{question}`; the nearest are:\n  {}",
        near.collect::<Vec<_>>().join("\n  ")
    )
}

/// A command line as it can be typed.
fn line(begin: &str, words: &[PathBuf]) -> String {
    let mut line = begin.to_owned();
    for word in words {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_./:=+@%,".contains(c);
        let word = safe::text(&word);
        line.push(' ');
        if !word.is_empty() && word.chars().all(plain) {
            line.push_str(&word);
        } else {
            line.push_str(&format!("'{}'", word.replace('\'', "'\\''")));
        }
    }
    line
}
