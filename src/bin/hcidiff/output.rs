//! Files are written whole or not at all, and never over a capture that is read.
use hcidiff::capture::Input;
use same_file::Handle;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A file that is complete on the disk and not yet in its place.
pub struct Ready {
    path: PathBuf,
    /// None: no ordinary file (a device, a pipe); it is written to as it is.
    file: Option<NamedTempFile>,
    text: String,
}

/// The first output that is one of the captures, whatever names and links lead to it.
pub fn over_a_capture<'a>(outputs: &'a [PathBuf], captures: &[PathBuf]) -> Option<&'a Path> {
    let captures: Vec<Handle> = captures.iter().filter_map(|path| capture(path)).collect();
    let taken = |path: &Path| file(path).is_some_and(|handle| captures.contains(&handle));
    outputs.iter().map(PathBuf::as_path).find(|path| taken(path))
}

/// Whether standard output goes into the capture.
pub fn goes_into(captures: &[PathBuf]) -> bool {
    let Some(out) = Handle::stdout().ok().filter(is_file) else { return false };
    captures.iter().filter_map(|path| capture(path)).any(|capture| capture == out)
}

fn capture(path: &Path) -> Option<Handle> {
    match Input::parse(path) {
        Input::Stdin => Handle::stdin().ok().filter(is_file),
        _ => file(path),
    }
}

/// Only files are opened: whoever opens a pipe and goes away disturbs its other end.
fn file(path: &Path) -> Option<Handle> {
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    if is_file { Handle::from_path(path).ok() } else { None }
}

fn is_file(handle: &Handle) -> bool {
    handle.as_file().metadata().is_ok_and(|found| found.is_file())
}

/// Writes `text` beside where it is to stand. What stands there now is not touched.
pub fn prepare(path: &Path, text: String) -> io::Result<Ready> {
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if found.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return Ok(Ready { path: path.to_owned(), file: None, text });
    }
    // A link stays a link: the file that it names is replaced.
    let path = if found.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    if found.as_ref().is_some_and(|found| found.permissions().readonly()) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = Builder::new();
    builder.prefix(".hcidiff-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let asked = found
            .as_ref()
            .map_or_else(|| fs::Permissions::from_mode(0o666), fs::Metadata::permissions);
        builder.permissions(asked);
    }
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    Ok(Ready { path, file: Some(file), text: String::new() })
}

impl Ready {
    /// Puts the file into its place, over what stood there.
    pub fn place(self) -> io::Result<()> {
        match self.file {
            Some(file) => file.persist(&self.path).map(drop).map_err(|error| error.error),
            None => {
                fs::OpenOptions::new().write(true).open(&self.path)?.write_all(self.text.as_bytes())
            }
        }
    }
}
