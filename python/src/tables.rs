//! The tables of a survey, made of captures that Python hands over one by one.
use crate::Error;
use crate::source::{Raised, named};
use hcidiff::survey::Row;
use hcidiff::survey::tables::{self, TABLES};
use hcidiff::{Analysis, Case, analyse};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::io;
use std::sync::Mutex;

/// Five Parquet files in memory. Between two captures they hold rows, and nothing else of them.
#[pyclass(frozen, module = "hcidiff._native")]
pub struct Tables(Mutex<Option<tables::Tables<Vec<u8>>>>);

#[pymethods]
impl Tables {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self(Mutex::new(Some(tables::Tables::new(|_| Ok(Vec::new())).map_err(failed)?))))
    }

    /// The rows of one capture; one that cannot be read is a row with its reason.
    fn add(
        &self,
        py: Python<'_>,
        number: u64,
        name: String,
        capture: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let by_object = Raised::default();
        // A log is named by its file, without the folders.
        let file = name.rsplit('/').next();
        let input = named(capture, file, &by_object)?;
        let (row, analysis) = py.detach(|| match analyse(&Case::one(input)) {
            Ok(analysis) => (Row::of(name, None, &analysis), Some(analysis)),
            Err(unreadable) => (Row::unread(name, None, unreadable.error.to_string()), None),
        });
        by_object.check()?;
        py.detach(|| self.write(number, &row, analysis.as_ref())).map_err(failed)
    }

    /// Ends the files: each table's name and its bytes.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let ended = py.detach(|| match self.0.lock() {
            Ok(mut tables) => tables.take().ok_or_else(over)?.finish(),
            Err(_) => Err(over()),
        });
        let named = PyDict::new(py);
        for (table, bytes) in TABLES.iter().zip(ended.map_err(failed)?) {
            named.set_item(table.name, PyBytes::new(py, &bytes))?;
        }
        Ok(named)
    }
}

impl Tables {
    fn write(&self, number: u64, row: &Row, analysis: Option<&Analysis>) -> io::Result<()> {
        let mut tables = self.0.lock().map_err(|_| over())?;
        let tables = tables.as_mut().ok_or_else(over)?;
        tables.write(number, row, analysis)
    }
}

fn over() -> io::Error {
    io::Error::other("these tables have ended")
}

fn failed(error: io::Error) -> PyErr {
    Error::new_err(error.to_string())
}
