//! hcidiff for Python. The module `hcidiff` in `../hcidiff` is what users see; this is its native part.
//!
//! What is asked goes through the program's own options (`hcidiff_program::embedded`), so that the module and the
//! command answer the same. Python is let go while captures are read.
mod events;
mod report;
mod source;
mod tables;

use hcidiff_program::embedded::{self, Refusal};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use std::ffi::OsString;

create_exception!(hcidiff, Error, PyException, "hcidiff has no answer; the message says why.");
create_exception!(hcidiff, UsageError, Error, "What was asked cannot be asked so.");
create_exception!(hcidiff, CaptureError, Error, "A capture cannot be read.");
create_exception!(hcidiff, UnknownError, Error, "Nothing is known of what was asked.");

/// The program's sentence as an exception.
fn raised(refusal: Refusal) -> PyErr {
    match refusal {
        Refusal::Usage(sentence) => UsageError::new_err(sentence),
        Refusal::Capture(sentence) => CaptureError::new_err(sentence),
        Refusal::Unknown(sentence) => UnknownError::new_err(sentence),
    }
}

/// What a code, an error text, a word, a rule or a line of a log means.
#[pyfunction]
fn explain(py: Python<'_>, question: &str) -> PyResult<String> {
    py.detach(|| embedded::explained(question)).map_err(raised)
}

/// The program: what the command line says is done, and its exit status comes back.
#[pyfunction]
fn main(py: Python<'_>, line: Vec<OsString>) -> u8 {
    py.detach(|| embedded::main(&line))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("Error", py.get_type::<Error>())?;
    module.add("UsageError", py.get_type::<UsageError>())?;
    module.add("CaptureError", py.get_type::<CaptureError>())?;
    module.add("UnknownError", py.get_type::<UnknownError>())?;
    module.add_class::<report::Analysis>()?;
    module.add_class::<events::Lines>()?;
    module.add_class::<tables::Tables>()?;
    module.add_function(wrap_pyfunction!(report::analyze, module)?)?;
    module.add_function(wrap_pyfunction!(events::lines, module)?)?;
    module.add_function(wrap_pyfunction!(explain, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)
}
