//! Paths, bytes and file objects of Python as inputs.
use hcidiff::capture::Input;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Most bytes that a file object is asked for at once: few calls, little memory.
const PIECE: usize = 1 << 20;

/// What a file object raised while it was read.
#[derive(Clone, Default)]
pub struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// The exception of a file object, or else this one.
    pub fn or(&self, other: PyErr) -> PyErr {
        self.take().unwrap_or(other)
    }

    /// Fails where a file object raised something: half of a capture is no capture.
    pub fn check(&self) -> PyResult<()> {
        self.take().map_or(Ok(()), Err)
    }

    fn take(&self) -> Option<PyErr> {
        self.0.lock().ok().and_then(|mut raised| raised.take())
    }
}

/// What Python gave as a capture or as a log.
pub fn input(given: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Input> {
    named(given, None, raised)
}

/// The same, with the name of what has none of its own: bytes, and file objects.
pub fn named(given: &Bound<'_, PyAny>, name: Option<&str>, raised: &Raised) -> PyResult<Input> {
    let bytes = |bytes: Vec<u8>| Ok(Input::bytes(name.unwrap_or("bytes"), bytes));
    if let Ok(given) = given.cast::<PyBytes>() {
        return bytes(given.as_bytes().to_vec());
    }
    if let Ok(given) = given.cast::<PyByteArray>() {
        return bytes(given.to_vec());
    }
    if given.hasattr("read")? {
        let path = given.getattr("name").ok().and_then(|path| path.extract::<PathBuf>().ok());
        let own = path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let name = name.map(str::to_owned).or(own);
        let reader = FileObject {
            object: given.clone().unbind(),
            piece: Vec::new(),
            at: 0,
            raised: raised.clone(),
        };
        return Ok(Input::reader(name.unwrap_or_else(|| "file object".to_owned()), reader));
    }
    match given.extract::<PathBuf>() {
        Ok(path) => Ok(Input::Path(path)),
        Err(_) => Err(PyTypeError::new_err(format!(
            "a capture is a path, bytes or an open file, not {}",
            given.get_type().name()?
        ))),
    }
}

/// A file object of Python as a reader. Python is taken for each piece alone.
struct FileObject {
    object: Py<PyAny>,
    piece: Vec<u8>,
    at: usize,
    raised: Raised,
}

impl FileObject {
    fn more(&self) -> PyResult<Vec<u8>> {
        Python::attach(|py| {
            let piece = self.object.bind(py).call_method1("read", (PIECE,))?;
            // A file that was opened as text holds a capture that was pasted.
            match piece.cast::<PyString>() {
                Ok(text) => Ok(text.to_string_lossy().into_owned().into_bytes()),
                Err(_) => piece.extract(),
            }
        })
    }
}

impl Read for FileObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.at = 0;
            self.piece = self.more().map_err(|error| {
                if let Ok(mut raised) = self.raised.0.lock() {
                    *raised = Some(error);
                }
                io::Error::other("the file object raised an exception")
            })?;
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
