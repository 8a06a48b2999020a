//! Files are written whole or not at all, and never over a capture that is read.
use hcidiff::capture::Input;
#[cfg(unix)]
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use same_file::Handle;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, ErrorKind, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// The first output that is one of the captures, whatever names and links lead to it.
pub fn over_a_capture<'a>(outputs: &'a [PathBuf], captures: &[PathBuf]) -> Option<&'a Path> {
    let outputs: Vec<(&Path, Handle)> =
        outputs.iter().filter_map(|path| Some((path.as_path(), file(path)?))).collect();
    if outputs.is_empty() {
        return None;
    }
    // One capture is open at a time: there may be more of them than a program may have open.
    let taken = captures.iter().filter_map(|path| {
        let capture = capture(path)?;
        outputs.iter().position(|(_, output)| *output == capture)
    });
    taken.min().map(|at| outputs[at].0)
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

/// Writes all outputs, or changes none of them where one cannot be written; then says which.
///
/// `write` is called for each and gives its content.
pub fn write_all(
    outputs: &[PathBuf],
    mut write: impl FnMut(&Path, &mut dyn Write) -> io::Result<()>,
) -> Result<(), (&Path, io::Error)> {
    let mut streams = Vec::new();
    {
        let _signals = Deferred::new();
        let mut files = Vec::new();
        for path in outputs {
            let at = |error| (path.as_path(), error);
            match Place::of(path).map_err(at)? {
                Place::Stream => {
                    let mut content = Vec::new();
                    write(path, &mut content).map_err(at)?;
                    streams.push((path, content));
                }
                Place::File(file) => {
                    files.push((path, file.filled(|out| write(path, out)).map_err(at)?));
                }
            }
        }
        for (path, file) in files {
            file.place().map_err(|error| (path.as_path(), error))?;
        }
    }
    // Whoever waits for a pipe's other end can be interrupted.
    for (path, content) in streams {
        let out = File::options().write(true).open(path);
        out.and_then(|mut out| out.write_all(&content)).map_err(|error| (path.as_path(), error))?;
    }
    Ok(())
}

/// What an output's path leads to.
enum Place {
    File(Target),
    /// A device or a pipe: it is written to as it is.
    Stream,
}

/// A file to be written, and what stands there now.
struct Target {
    path: PathBuf,
    found: Option<Metadata>,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let path = behind_links(path)?;
        let found = match fs::metadata(&path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match &found {
            Some(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Some(found) if !found.is_file() => return Ok(Self::Stream),
            Some(found) if found.permissions().readonly() => {
                return Err(ErrorKind::PermissionDenied.into());
            }
            // Where the file may not be written it is not replaced either.
            Some(_) => drop(File::options().write(true).open(&path)?),
            None => {}
        }
        Ok(Self::File(Target { path, found }))
    }
}

/// A link stays a link: what it names is written, whether that is there yet or not.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(next) => path = folder_of(&path).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links follow each other"))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file that is complete on the disk and not yet in its place.
struct Filled {
    target: PathBuf,
    file: NamedTempFile,
    /// The file in its place belongs to somebody else, and has to: it is overwritten.
    overwrites: bool,
}

impl Target {
    /// Writes a new file beside the target.
    fn filled(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Filled> {
        let folder = folder_of(&self.path);
        fs::metadata(folder)?;
        let mut builder = Builder::new();
        builder.prefix(".hcidiff-");
        #[cfg(unix)]
        if self.found.is_none() {
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        // Its error names the file that is only for the time being.
        let file = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
        let mut out = BufWriter::new(file.as_file());
        write(&mut out)?;
        out.flush()?;
        drop(out);
        let overwrites = match &self.found {
            Some(found) => !takes_after(file.as_file(), found)?,
            None => false,
        };
        file.as_file().sync_all()?;
        Ok(Filled { target: self.path, file, overwrites })
    }
}

/// Gives a file the owner and the mode of another. False where the owner cannot be had.
#[cfg(unix)]
fn takes_after(file: &File, other: &Metadata) -> io::Result<bool> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid())
        && std::os::unix::fs::fchown(file, Some(other.uid()), Some(other.gid())).is_err()
    {
        return Ok(false);
    }
    file.set_permissions(other.permissions())?;
    Ok(true)
}

#[cfg(not(unix))]
fn takes_after(_: &File, _: &Metadata) -> io::Result<bool> {
    Ok(true)
}

impl Filled {
    /// Puts the file into its place, over what stood there.
    fn place(self) -> io::Result<()> {
        if self.overwrites {
            let mut from = self.file.reopen()?;
            let mut to = File::options().write(true).truncate(true).open(&self.target)?;
            io::copy(&mut from, &mut to)?;
            return to.sync_all();
        }
        self.file.persist(&self.target).map_err(|error| error.error)?;
        // The new name is kept only once the folder is on the disk. Not every system can do that.
        #[cfg(unix)]
        let _ = File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// While it lives, Ctrl-C and its like wait: they would leave half of the files behind.
#[cfg(unix)]
struct Deferred(Option<SigSet>);

#[cfg(unix)]
impl Deferred {
    fn new() -> Self {
        let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
        let signals = SigSet::from_iter(signals);
        Self(signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
    }
}

#[cfg(unix)]
impl Drop for Deferred {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            let _ = before.thread_set_mask();
        }
    }
}

#[cfg(not(unix))]
struct Deferred;

#[cfg(not(unix))]
impl Deferred {
    fn new() -> Self {
        Self
    }
}
