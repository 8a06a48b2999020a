//! What a survey writes, and where.
use crate::output;
use hcidiff::report::safe;
use hcidiff::survey::tables::{SCHEMA, TABLES, Table, Tables};
use hcidiff::survey::{self, By};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf, is_separator};

/// What an output is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Json,
    /// A page with one picture.
    Html,
    /// A folder of Parquet files.
    Tables,
}

impl Shape {
    /// By the path's ending; a folder, or what looks like one, gets the tables.
    fn of(path: &Path) -> Result<Self, String> {
        let is_other = fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir());
        let ending = path.extension().map(|it| it.to_string_lossy().to_ascii_lowercase());
        let folder = path.is_dir() || path.to_string_lossy().ends_with(is_separator);
        match ending.as_deref() {
            _ if is_other => Ok(Self::Json),
            _ if folder => Ok(Self::Tables),
            None => Ok(Self::Tables),
            Some("json") => Ok(Self::Json),
            Some("html" | "htm") => Ok(Self::Html),
            Some(_) => Err(format!(
                "{}: the ending names what is written: .json, .html, or a folder for tables (Parquet)",
                safe::text(&path.to_string_lossy())
            )),
        }
    }
}

/// What was asked to be written.
#[derive(Default)]
pub struct Outputs {
    documents: Vec<(PathBuf, Shape)>,
    folder: Option<PathBuf>,
}

impl Outputs {
    /// What `-o` names, or what is wrong with it.
    pub fn of(paths: &[PathBuf]) -> Result<Self, String> {
        let mut outputs = Self::default();
        for path in paths {
            match Shape::of(path)? {
                Shape::Tables if outputs.folder.is_some() => {
                    return Err("-o names two folders: all tables go into one".to_owned());
                }
                Shape::Tables => outputs.folder = Some(path.clone()),
                shape => outputs.documents.push((path.clone(), shape)),
            }
        }
        Ok(outputs)
    }

    /// All files that will be written.
    pub fn files(&self) -> Vec<PathBuf> {
        let tables = self.folder.iter().flat_map(|folder| TABLES.map(|table| place(folder, table)));
        self.documents.iter().map(|(path, _)| path.clone()).chain(tables).collect()
    }

    /// Whether some output has a picture.
    pub fn have_picture(&self) -> bool {
        self.documents.iter().any(|(_, shape)| *shape == Shape::Html)
    }

    /// Begins the tables, in files without a name: whoever stops the survey leaves nothing behind.
    pub fn tables(&self) -> Result<Option<Tables<File>>, String> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let begun = fs::create_dir_all(folder)
            .and_then(|()| Tables::new(|_| tempfile::tempfile_in(folder)));
        begun
            .map(Some)
            .map_err(|error| format!("{}: {error}", safe::text(&folder.to_string_lossy())))
    }

    /// Puts everything into its place, or nothing.
    pub fn write(
        &self,
        survey: &survey::Survey,
        by: By,
        page: &str,
        tables: io::Result<Vec<File>>,
    ) -> Result<(), String> {
        let said = |path: &Path, error: &io::Error| {
            format!("{}: {error}", safe::text(&path.to_string_lossy()))
        };
        let mut tables = match (tables, &self.folder) {
            (Ok(tables), _) => tables.into_iter(),
            (Err(error), folder) => {
                return Err(said(folder.as_deref().unwrap_or(Path::new(SCHEMA)), &error));
            }
        };
        let files = self.files();
        let written = output::write_all(&files, |path, out| {
            match self.documents.iter().find(|(document, _)| document == path) {
                Some((_, Shape::Html)) => return out.write_all(page.as_bytes()),
                Some(_) => return out.write_all(survey::json(survey, by).as_bytes()),
                None => {}
            }
            let mut table = tables.next().ok_or(io::ErrorKind::NotFound)?;
            table.rewind()?;
            io::copy(&mut table, out).map(drop)
        });
        written.map_err(|(path, error)| said(path, &error))
    }
}

fn place(folder: &Path, table: &Table) -> PathBuf {
    folder.join(format!("{}.parquet", table.name))
}

/// Whether a file in a folder is what an earlier survey has written to the same place. By its first bytes it is no
/// capture.
pub fn earlier(path: &Path, outputs: &[PathBuf]) -> bool {
    let named = path.file_name();
    if !outputs.iter().any(|output| output.file_name() == named) {
        return false;
    }
    let paths = [path.to_owned()];
    let same = outputs
        .iter()
        .any(|output| output::over_a_capture(std::slice::from_ref(output), &paths).is_some());
    let mut head = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    same && read.is_ok() && (head == *b"PAR1" || head[0] == b'{' || head == *b"<!DO")
}
