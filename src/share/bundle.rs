//! The bundle: one zip file with the captures, the report and what was done.
use super::Bundle;
use crate::report::{html, markdown};
use std::io::{self, Seek, SeekFrom, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Writes the bundle. The same bundle gives the same bytes: no clock is in it.
pub fn write(bundle: &mut Bundle, out: impl Write + Seek) -> io::Result<()> {
    let mut zip = ZipWriter::new(out);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .large_file(true);
    for part in &mut bundle.parts {
        zip.start_file(part.name.as_str(), options)?;
        part.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut part.file, &mut zip)?;
    }
    for (name, text) in [
        ("report.md", markdown::render(&bundle.report)),
        ("report.html", html::render(&bundle.report)),
        ("MANIFEST.md", bundle.manifest.clone()),
    ] {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?.flush()
}
