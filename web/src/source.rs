//! A file of the browser as a reader.
use hcidiff::capture::Input;
use js_sys::Uint8Array;
use send_wrapper::SendWrapper;
use std::io::{self, Read};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A file that gives pieces of itself. The worker has the class; `name` is the file's own.
    #[wasm_bindgen(typescript_type = "Piecewise")]
    pub type Piecewise;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Piecewise) -> String;

    /// The next bytes, at most so many; none at the end of the file.
    #[wasm_bindgen(method, catch)]
    fn next(this: &Piecewise, most: u32) -> Result<Uint8Array, JsValue>;
}

/// Most bytes that are asked for at once. The browser takes about as long for a piece of 1 MiB as for one of 16 MiB.
const PIECE: u32 = 16 * 1024 * 1024;

/// A capture that is read through the browser.
pub fn capture(file: Piecewise) -> Input {
    let name = file.name();
    Input::reader(name, Pieces::of(file))
}

/// Most bytes that are kept of one capture, where it must be read several times.
const MOST_KEPT: u64 = 256 * 1024 * 1024;

/// Captures that are read several times: kept in memory.
pub fn kept(files: Vec<Piecewise>) -> Result<Vec<Input>, JsError> {
    let keep = |file: Piecewise| {
        let name = file.name();
        let mut bytes = Vec::new();
        let count = Pieces::of(file).take(MOST_KEPT + 1).read_to_end(&mut bytes)? as u64;
        if count > MOST_KEPT {
            let says = format!(
                "{name} is too large for the browser: the program for the command line can do this."
            );
            return Err(JsError::new(&says));
        }
        Ok(Input::bytes(name, bytes))
    };
    files.into_iter().map(keep).collect()
}

/// Small reads are served from a large piece. It stays with the browser: each byte is copied once, to where it is read.
struct Pieces {
    // A module without threads never leaves the thread that it was made in, which is what the wrapper checks.
    file: SendWrapper<Piecewise>,
    piece: SendWrapper<Uint8Array>,
    at: u32,
}

impl Pieces {
    fn of(file: Piecewise) -> Self {
        let piece = SendWrapper::new(Uint8Array::new_with_length(0));
        Self { file: SendWrapper::new(file), piece, at: 0 }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.length() {
            let piece = self.file.next(PIECE).map_err(|error| {
                let says =
                    error.as_string().unwrap_or_else(|| "the file cannot be read".to_owned());
                io::Error::other(says)
            })?;
            self.piece = SendWrapper::new(piece);
            self.at = 0;
        }
        let rest = self.piece.length() - self.at;
        let count = rest.min(u32::try_from(buffer.len()).unwrap_or(u32::MAX));
        let part = self.piece.subarray(self.at, self.at + count);
        part.copy_to(&mut buffer[..count as usize]);
        self.at += count;
        Ok(count as usize)
    }
}
