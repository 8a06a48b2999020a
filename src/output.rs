//! Files are written whole or not at all.
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
