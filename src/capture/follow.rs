//! A file that somebody else still writes, read as it grows. That it was cut, or that another file has its name now, is
//! noticed.
use same_file::Handle;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// How long somebody waits for a file to grow.
pub trait Patience: Send {
    /// Waits a moment.
    fn wait(&mut self);

    /// Nobody wants more than there is now.
    fn is_over(&self) -> bool;
}

/// What became of a file that was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may still grow.
    Grows,
    /// It is shorter than what was read of it: its writer cut it and began again.
    Shrunk,
    /// Another file has its name: the old one was moved away.
    Replaced,
}

/// What is known of a file that somebody reads through [`Follow`].
#[derive(Clone, Debug, Default)]
pub struct Followed(Arc<State>);

#[derive(Debug, Default)]
struct State {
    fate: AtomicU8,
    behind: AtomicBool,
}

impl Followed {
    /// Why reading came to its end.
    pub fn fate(&self) -> Fate {
        match self.0.fate.load(Ordering::Relaxed) {
            0 => Fate::Grows,
            1 => Fate::Shrunk,
            _ => Fate::Replaced,
        }
    }

    fn meets(&self, fate: Fate) {
        self.0.fate.store(fate as u8, Ordering::Relaxed);
    }

    /// The file has more than was read of it.
    pub fn is_behind(&self) -> bool {
        self.0.behind.load(Ordering::Relaxed)
    }
}

/// Reads a file, and waits where it ends.
pub struct Follow<P> {
    path: PathBuf,
    file: File,
    own: Handle,
    /// How much was read.
    at: u64,
    /// Where it ends, once nobody waits any more.
    end: Option<u64>,
    patience: P,
    followed: Followed,
}

impl<P: Patience> Follow<P> {
    /// Begins at the file's beginning.
    pub fn open(path: &Path, patience: P) -> io::Result<(Self, Followed)> {
        let file = File::open(path)?;
        let own = Handle::from_file(file.try_clone()?)?;
        let followed = Followed::default();
        let follow = Self {
            path: path.to_owned(),
            file,
            own,
            at: 0,
            end: None,
            patience,
            followed: followed.clone(),
        };
        Ok((follow, followed))
    }

    /// What happened to the file, as far as its name and its length show.
    fn fate(&self) -> io::Result<Fate> {
        if self.file.metadata()?.len() < self.at {
            return Ok(Fate::Shrunk);
        }
        // A name that is gone may come back, and who has the file open may still write.
        let other = Handle::from_path(&self.path).is_ok_and(|now| now != self.own);
        Ok(if other { Fate::Replaced } else { Fate::Grows })
    }

    fn read_now(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = match self.end {
            Some(end) => usize::try_from(end.saturating_sub(self.at)).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let room = room.min(into.len());
        let len = self.file.read(into.get_mut(..room).unwrap_or_default())?;
        self.at += len as u64;
        self.followed.0.behind.store(len > 0 && len == room, Ordering::Relaxed);
        Ok(len)
    }
}

impl<P: Patience> Read for Follow<P> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.end.is_none() && self.patience.is_over() {
                self.end = Some(self.file.metadata()?.len());
            }
            let len = self.read_now(into)?;
            if len > 0 || self.end.is_some() {
                return Ok(len);
            }
            match self.fate()? {
                Fate::Grows => self.patience.wait(),
                fate => {
                    // What was written before the name went belongs to it.
                    let len = self.read_now(into)?;
                    if len == 0 {
                        self.followed.meets(fate);
                        self.end = Some(self.at);
                    }
                    return Ok(len);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::fs;
    use std::io::Write;

    /// Does something to the file at each wait; has no patience when nothing is left to do.
    struct Script(VecDeque<Box<dyn FnOnce() + Send>>);

    impl Patience for Script {
        fn wait(&mut self) {
            if let Some(act) = self.0.pop_front() {
                act();
            }
        }

        fn is_over(&self) -> bool {
            self.0.is_empty()
        }
    }

    fn append(path: &Path, bytes: &'static [u8]) -> Box<dyn FnOnce() + Send> {
        let path = path.to_owned();
        Box::new(move || {
            File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
        })
    }

    fn read(path: &Path, acts: Vec<Box<dyn FnOnce() + Send>>) -> (Vec<u8>, Fate) {
        let (mut follow, followed) = Follow::open(path, Script(acts.into())).unwrap();
        let mut all = Vec::new();
        follow.read_to_end(&mut all).unwrap();
        (all, followed.fate())
    }

    #[test]
    fn a_file_is_read_as_it_grows_until_patience_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"ab").unwrap();
        let acts = vec![append(&path, b"c"), Box::new(|| {}), append(&path, b"de")];
        assert_eq!(read(&path, acts), (b"abcde".to_vec(), Fate::Grows));
    }

    #[test]
    fn a_new_file_under_the_name_ends_it_behind_all_that_the_old_one_had() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("a"), folder.path().join("a.old"));
        fs::write(&path, b"ab").unwrap();
        let acts: Vec<Box<dyn FnOnce() + Send>> = vec![
            Box::new({
                let (path, old) = (path.clone(), old.clone());
                move || fs::rename(path, old).unwrap()
            }),
            // The name is gone, and the writer still has the file.
            append(&old, b"c"),
            Box::new({
                let path = path.clone();
                move || fs::write(path, b"new").unwrap()
            }),
            Box::new(|| unreachable!("it has ended")),
        ];
        assert_eq!(read(&path, acts), (b"abc".to_vec(), Fate::Replaced));
    }

    #[test]
    fn a_file_that_is_cut_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"abc").unwrap();
        let acts: Vec<Box<dyn FnOnce() + Send>> = vec![
            Box::new({
                let path = path.clone();
                move || fs::write(path, b"x").unwrap()
            }),
            Box::new(|| unreachable!("it has ended")),
        ];
        assert_eq!(read(&path, acts), (b"abc".to_vec(), Fate::Shrunk));
    }
}
