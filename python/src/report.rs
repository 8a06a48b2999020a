//! Captures analysed, and their report in every format.
use crate::raised;
use crate::source::{Raised, input};
use hcidiff::report::Report;
use hcidiff_program::embedded::{self, Asked, Sources};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::sync::Mutex;

/// What was found, kept as the program keeps it.
#[pyclass(frozen, module = "hcidiff._native")]
pub struct Analysis {
    asked: Asked,
    /// Formats change what the report shows of addresses, one at a time.
    report: Mutex<Report>,
}

#[pymethods]
impl Analysis {
    /// The report in one of the program's formats.
    fn render(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        let text = py.detach(|| {
            let mut report = self.report.lock().map_err(|_| broken())?;
            let mut out = Vec::new();
            self.asked.write(&mut report, format, &mut out)?;
            Ok::<_, PyErr>(out)
        })?;
        String::from_utf8(text).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// The command's exit status.
    #[getter]
    fn status(&self) -> PyResult<u8> {
        let report = self.report.lock().map_err(|_| broken())?;
        Ok(self.asked.status(&report))
    }
}

/// A panic while the report was held.
fn broken() -> PyErr {
    PyRuntimeError::new_err("the report was broken by an error before")
}

/// Analyses one capture or two, with options as they are typed.
#[pyfunction]
pub fn analyze(
    py: Python<'_>,
    captures: Vec<Bound<'_, PyAny>>,
    witnesses: Vec<Bound<'_, PyAny>>,
    reference_witnesses: Vec<Bound<'_, PyAny>>,
    options: Vec<OsString>,
) -> PyResult<Analysis> {
    let by_objects = Raised::default();
    let inputs = |all: Vec<Bound<'_, PyAny>>| {
        all.iter().map(|one| input(one, &by_objects)).collect::<PyResult<Vec<_>>>()
    };
    let sources = Sources {
        captures: inputs(captures)?,
        witnesses: inputs(witnesses)?,
        reference_witnesses: inputs(reference_witnesses)?,
    };
    let done = py.detach(|| embedded::analysed(options, sources));
    let (asked, report) = done.map_err(|refusal| by_objects.or(raised(refusal)))?;
    by_objects.check()?;
    Ok(Analysis { asked, report: Mutex::new(report) })
}
