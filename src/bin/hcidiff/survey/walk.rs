//! Which files a survey looks at.
use super::written;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Folders inside of each other: more is a link that leads in a circle.
const DEEPEST: usize = 40;

/// A file to be read, as the survey names it, or why it will not be.
pub struct Found {
    pub path: PathBuf,
    pub name: String,
    pub wrong: Option<String>,
}

/// All files under all paths, each path's in the order of their names. What an earlier survey has written to
/// `outputs` is not among them.
pub fn walk(paths: &[PathBuf], outputs: &[PathBuf]) -> Vec<Found> {
    let roots = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut walk =
        Walk { roots, outputs, linked: HashSet::new(), above: Vec::new(), found: Vec::new() };
    for path in paths {
        walk.enter(path, path, 0);
    }
    walk.found
}

struct Walk<'a> {
    roots: Vec<PathBuf>,
    outputs: &'a [PathBuf],
    /// Folders outside of all roots that a link led to.
    linked: HashSet<PathBuf>,
    above: Vec<PathBuf>,
    found: Vec<Found>,
}

impl Walk<'_> {
    /// What cannot be entered is a row of its own.
    fn enter(&mut self, root: &Path, path: &Path, depth: usize) {
        let name = match path.strip_prefix(root) {
            Ok(inside) if inside.as_os_str().is_empty() => path.file_name().map(PathBuf::from),
            Ok(inside) => Some(inside.to_owned()),
            Err(_) => None,
        };
        let name = name.unwrap_or_else(|| path.to_owned()).to_string_lossy().replace('\\', "/");
        let wrong = match fs::metadata(path) {
            Err(error) => Some(reason(&error)),
            Ok(metadata) if metadata.is_dir() => match self.folder(path, depth) {
                Ok(inside) => return self.each(root, inside, depth),
                Err(why) => Some(why),
            },
            Ok(metadata) if !metadata.is_file() => {
                Some("is neither a file nor a folder".to_owned())
            }
            Ok(_) if depth > 0 && written::earlier(path, self.outputs) => return,
            Ok(_) => None,
        };
        self.found.push(Found { path: path.to_owned(), name, wrong });
    }

    fn each(&mut self, root: &Path, inside: Vec<PathBuf>, depth: usize) {
        for path in inside {
            self.enter(root, &path, depth + 1);
        }
        self.above.pop();
    }

    /// What is in a folder. A link to a folder that is read anyway is not followed: it may lead in a circle, and
    /// nothing is counted twice.
    fn folder(&mut self, path: &Path, depth: usize) -> Result<Vec<PathBuf>, String> {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_link = depth > 0 && fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
        if depth > DEEPEST || self.above.contains(&real) {
            return Err("a link that leads back to a folder above".to_owned());
        }
        if is_link && self.roots.iter().any(|root| real.starts_with(root)) {
            return Err("a link to a folder that is read where it lies".to_owned());
        }
        if is_link && !self.linked.insert(real.clone()) {
            return Err("a link to a folder that another link leads to".to_owned());
        }
        let entries = fs::read_dir(path).map_err(|error| reason(&error))?;
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        inside.sort();
        self.above.push(real);
        Ok(inside)
    }
}

/// Why the system refuses, without a path in it.
fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}
