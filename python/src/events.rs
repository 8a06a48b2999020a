//! The events of a capture, as they are read: a thread reads ahead by a few pieces, and no further.
use crate::source::{Raised, input};
use crate::{CaptureError, raised};
use hcidiff_program::embedded::{self, Refusal};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Pieces that may wait, and how large they are: what is read ahead stays below half a megabyte.
const AHEAD: usize = 4;
const PIECE: usize = 64 * 1024;

type Piece = Result<Vec<u8>, Refusal>;

/// Pieces of whole lines, each line the JSON of one event.
#[pyclass(frozen, module = "hcidiff._native")]
pub struct Lines {
    pieces: Mutex<Receiver<Piece>>,
    by_object: Raised,
}

#[pymethods]
impl Lines {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = py.detach(|| self.pieces.lock().ok()?.recv().ok());
        match piece {
            None => self.by_object.check().map(|()| None),
            Some(Ok(lines)) => Ok(Some(PyBytes::new(py, &lines))),
            Some(Err(refusal)) => Err(self.by_object.or(raised(refusal))),
        }
    }
}

/// The events of a capture, with options of `hcidiff events` as they are typed.
#[pyfunction]
pub fn lines(capture: &Bound<'_, PyAny>, options: Vec<OsString>) -> PyResult<Lines> {
    let by_object = Raised::default();
    let capture = input(capture, &by_object)?;
    let (sender, pieces) = sync_channel(AHEAD);
    let read = move || {
        let mut out = Pieces { lines: Vec::new(), sender };
        if let Err(refusal) = embedded::events(options, capture, &mut out) {
            // What was read before the trouble comes first; and if nobody wants it, nobody hears of the trouble.
            let _ = out.send();
            let _ = out.sender.send(Err(refusal));
        }
    };
    let thread = thread::Builder::new().name("hcidiff-events".to_owned()).spawn(read);
    thread.map_err(|error| CaptureError::new_err(error.to_string()))?;
    Ok(Lines { pieces: Mutex::new(pieces), by_object })
}

/// Sends what is written, cut between lines.
struct Pieces {
    lines: Vec<u8>,
    sender: SyncSender<Piece>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let end = self.lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if end == 0 {
            return Ok(());
        }
        let rest = self.lines.split_off(end);
        let lines = std::mem::replace(&mut self.lines, rest);
        self.sender.send(Ok(lines)).map_err(|_| io::Error::from(ErrorKind::BrokenPipe))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.extend_from_slice(bytes);
        if self.lines.len() >= PIECE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
