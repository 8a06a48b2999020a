//! Which runs work and which fail, as somebody says.
use super::Survey;
use super::walk::Found;
use glob::{MatchOptions, Pattern};
use hcidiff::report::safe;
use std::collections::HashMap;
use std::path::Path;

/// The labels of a survey's files.
pub enum Labels<'a> {
    /// From a table: file and label.
    Table(HashMap<String, String>),
    /// Patterns of good and of bad runs.
    Patterns { good: &'a [Pattern], bad: &'a [Pattern] },
}

impl<'a> Labels<'a> {
    /// What was asked for, or what is wrong with it.
    pub fn of(asked: &'a Survey) -> Result<Self, String> {
        Ok(match &asked.label {
            Some(path) => Self::Table(table(path)?),
            None => Self::Patterns { good: &asked.good, bad: &asked.bad },
        })
    }

    /// What is wrong where a table names none of the files.
    pub fn fit_nothing(&self, found: &[Found]) -> Option<&'static str> {
        let table = matches!(self, Self::Table(_)) && !found.is_empty();
        let nothing = table && found.iter().all(|one| self.of_file(one).is_none());
        nothing.then_some("--label: the table names none of the files that are read")
    }

    /// The label of a file. A file that is both good and bad is neither.
    pub fn of_file(&self, one: &Found) -> Option<String> {
        match self {
            Self::Table(labels) => {
                // As the survey names it, as it was typed, or by its name alone.
                let name = one.path.file_name().map(|name| name.to_string_lossy());
                let names =
                    [Some(one.name.as_str().into()), Some(one.path.to_string_lossy()), name];
                names.into_iter().flatten().find_map(|name| labels.get(&*name)).cloned()
            }
            Self::Patterns { good, bad } => {
                let fits = |patterns: &[Pattern]| {
                    let options = MatchOptions::new();
                    patterns.iter().any(|pattern| pattern.matches_path_with(&one.path, options))
                };
                match (fits(good), fits(bad)) {
                    (true, false) => Some("good".to_owned()),
                    (false, true) => Some("bad".to_owned()),
                    _ => None,
                }
            }
        }
    }
}

/// File and label of each line.
fn table(path: &Path) -> Result<HashMap<String, String>, String> {
    let name = safe::text(&path.to_string_lossy()).into_owned();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_path(path)
        .map_err(|error| format!("{name}: {error}"))?;
    let mut labels = HashMap::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("{name}: {error}"))?;
        let (Some(file), Some(label)) = (record.get(0), record.get(1)) else {
            return Err(format!("{name}, line {}: expected a file and a label", index + 1));
        };
        labels.insert(file.to_owned(), label.to_owned());
    }
    Ok(labels)
}
