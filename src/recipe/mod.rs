//! The cure, written: what the working host did until the device was content, as something that can be run.
//!
//! [`handshake`] reads the facts out of a case, and a [`Target`] writes its files from them. A new target is one file
//! here and one line in [`TARGETS`]. Values come from the capture; a recipe that would be wrong is refused ([`Refusal`]).
use crate::case::{self, Case};
use crate::report::safe;

mod att_socket;
mod bleak;
mod bluez_files;
mod bumble;
mod handshake;
mod literal;
mod named;
mod noble;
mod refusal;
mod server;
mod table;
mod template;
mod transcript;

#[cfg(test)]
mod tests;

pub use handshake::Handshake;
pub use refusal::{Deadline, Refusal, Why};

/// What a recipe is written for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// As it is typed.
    pub name: &'static str,
    /// What the target writes, for the help text.
    pub says: &'static str,
    /// How the name of its one file ends; empty where it makes a folder.
    pub ending: &'static str,
    write: fn(&Handshake) -> Result<Recipe, Refusal>,
}

/// Everything that a recipe can be written for. Adding one is one line here.
pub const TARGETS: &[Target] = &[
    bluez_files::TARGET,
    att_socket::TARGET,
    bleak::TARGET,
    noble::TARGET,
    bumble::TARGET,
    table::TARGET,
];

const HOLDS_VALUES: &str = "the recipe holds the device's address and values from the capture: look at it before you give it away";

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// One file of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Its name, with folders inside of the recipe.
    pub name: String,
    /// Its whole text.
    pub text: String,
}

impl File {
    fn of(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), text }
    }
}

/// A recipe: its files, the first of which can be run alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipe {
    /// The files.
    pub files: Vec<File>,
    /// What whoever uses it has to know, one sentence each.
    pub says: Vec<String>,
}

impl Recipe {
    fn of(files: Vec<File>) -> Self {
        Self { files, says: Vec::new() }
    }
}

impl Target {
    /// Writes the recipe.
    pub fn write(&self, handshake: &Handshake) -> Result<Recipe, Refusal> {
        let mut recipe = (self.write)(handshake)?;
        let mut says = vec![HOLDS_VALUES.to_owned()];
        if handshake.swapped {
            let works = safe::text(&handshake.works);
            says.push(format!(
                "the captures were given the other way round: {works} is the one that works"
            ));
        }
        says.append(&mut recipe.says);
        Ok(Recipe { says, ..recipe })
    }
}

/// Reads the handshake out of the captures of a case.
pub fn handshake(case: &Case) -> Result<Handshake, Refusal> {
    let analysis = case::analyse(case).map_err(Refusal::Unreadable)?;
    if analysis.captures.len() < case.sides().len() {
        let says = analysis.no_match.map(|no_match| no_match.says.to_string()).unwrap_or_default();
        return Err(Refusal::NoMatch(says));
    }
    Handshake::of(case, &analysis)
}
