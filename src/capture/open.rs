//! The door: from a path, standard input or any reader to a source of records.
use super::format::detect;
use super::stream::Stream;
use super::wrappers::{self, Supply, Unwrapped};
use super::{CaptureError, Digest, Source, Warning};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a capture comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// Standard input; it can be read once.
    Stdin,
    /// A file, or a pipe with a name.
    Path(PathBuf),
    /// A capture in memory, and what to call it.
    Bytes(String, Arc<[u8]>),
    /// Any reader, and what to call it; it can be read once.
    Reader(String, Once),
}

/// A reader that is taken by the first who opens it; clones share it.
#[derive(Clone)]
pub struct Once(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Once {
    pub(super) fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl<T: AsRef<Path>> From<T> for Input {
    /// Always a path: [`Input::parse`] knows `-`.
    fn from(path: T) -> Self {
        Self::Path(path.as_ref().into())
    }
}

impl Input {
    /// A capture in memory; the name stands in the report.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(name.into(), bytes.into())
    }

    /// A capture that is read from its beginning, once; the name stands in the report.
    pub fn reader(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self::Reader(name.into(), Once(Arc::new(Mutex::new(Some(Box::new(reader))))))
    }

    /// Whether a second look is impossible.
    pub fn is_read_once(&self) -> bool {
        matches!(self, Self::Stdin | Self::Reader(..))
    }

    /// `-` is standard input; everything else is a path.
    pub fn parse(argument: &Path) -> Self {
        if argument.as_os_str() == "-" { Self::Stdin } else { Self::Path(argument.into()) }
    }

    /// How messages call it: a file's name without its folders.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Stdin => "standard input".into(),
            Self::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy(),
            Self::Bytes(name, _) | Self::Reader(name, _) => name.into(),
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
    /// The SHA-256 of the file is computed while it is read.
    pub sha256: bool,
}

/// A capture, ready to be read.
pub struct Opened {
    /// The file's name, without folders; `standard input` for that.
    pub name: String,
    /// The file inside an archive.
    pub member: Option<String>,
    /// What was noticed before the first record: what else an archive holds.
    pub warnings: Vec<Warning>,
    /// Its records, one after the other.
    pub source: Box<dyn Source>,
    /// Of the file as it was given, or of the archive's member, where it was asked for. Ask it when the source is
    /// drained.
    pub digest: Option<Digest>,
}

/// Opens a capture, in whatever format its content is and whatever is wrapped around it.
pub fn open(input: &Input, options: &OpenOptions) -> Result<Opened, CaptureError> {
    match input {
        Input::Stdin => open_stream(io::stdin(), &input.name(), options),
        Input::Path(path) => open_supply(Supply::from_path(path.clone())?, &input.name(), options),
        Input::Bytes(name, bytes) => open_supply(Supply::Bytes(Arc::clone(bytes)), name, options),
        Input::Reader(name, once) => match once.take() {
            Some(reader) => open_stream(reader, name, options),
            None => Err(CaptureError::Refused("it can be read only once".into())),
        },
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

/// The bytes of an input without whatever is wrapped around them, and the file's name: for text that is no capture.
pub(crate) fn bytes(
    input: &Input,
    options: &OpenOptions,
) -> Result<(String, Stream), CaptureError> {
    let supply = match input {
        Input::Stdin => Supply::Once(Some(Box::new(io::stdin()))),
        Input::Path(path) => Supply::from_path(path.clone())?,
        Input::Bytes(_, bytes) => Supply::Bytes(Arc::clone(bytes)),
        Input::Reader(_, once) => match once.take() {
            Some(reader) => Supply::Once(Some(reader)),
            None => return Err(CaptureError::Refused("it can be read only once".into())),
        },
    };
    let name = input.name().into_owned();
    let Unwrapped { stream, member, .. } = wrappers::unwrap(supply, options)?;
    let name = match member {
        Some(member) => format!("{name}:{}", member.rsplit('/').next().unwrap_or(&member)),
        None => name,
    };
    Ok((name, stream))
}

fn open_supply(supply: Supply, name: &str, options: &OpenOptions) -> Result<Opened, CaptureError> {
    let Unwrapped { stream, member, warnings, digest } = wrappers::unwrap(supply, options)?;
    let source = detect(stream, options)?;
    Ok(Opened { name: name.into(), member, warnings, source, digest })
}
