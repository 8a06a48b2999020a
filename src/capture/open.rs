//! The door: from a path, standard input or any reader to a source of records.
use super::format::detect;
use super::wrappers::{self, Supply, Unwrapped};
use super::{CaptureError, Source, Warning};
use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where a capture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Stdin,
    Path(PathBuf),
}

impl Input {
    /// `-` is standard input; everything else is a path.
    pub fn parse(argument: &Path) -> Self {
        if argument.as_os_str() == "-" { Self::Stdin } else { Self::Path(argument.into()) }
    }

    /// How messages call it: a file's name without its folders.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Stdin => "standard input".into(),
            Self::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy(),
        }
    }
}

/// What the user decides about reading a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// After damage, search for the next plausible records and go on.
    pub salvage: bool,
    /// Which file of an archive.
    pub member: Option<String>,
    /// Minutes to subtract from a capture's local times.
    pub tz_offset: Option<i32>,
}

/// A capture, ready to be read.
pub struct Opened {
    /// The file's name, without folders; `standard input` for that.
    pub name: String,
    /// The file inside an archive.
    pub member: Option<String>,
    /// What was noticed before the first record: what else an archive holds.
    pub warnings: Vec<Warning>,
    pub source: Box<dyn Source>,
}

/// Opens a capture, in whatever format its content is and whatever is wrapped around it.
pub fn open(input: &Input, options: &OpenOptions) -> Result<Opened, CaptureError> {
    match input {
        Input::Stdin => open_stream(io::stdin(), &input.name(), options),
        Input::Path(path) => open_supply(Supply::from_path(path.clone())?, &input.name(), options),
    }
}

/// Opens a capture that can be read once, from its beginning.
pub fn open_stream(
    input: impl Read + Send + 'static,
    name: &str,
    options: &OpenOptions,
) -> Result<Opened, CaptureError> {
    open_supply(Supply::Once(Some(Box::new(input))), name, options)
}

fn open_supply(supply: Supply, name: &str, options: &OpenOptions) -> Result<Opened, CaptureError> {
    let Unwrapped { stream, member, warnings } = wrappers::unwrap(supply, options)?;
    let source = detect(stream, options)?;
    Ok(Opened { name: name.into(), member, warnings, source })
}
