//! `hcidiff survey`: many captures, read side by side.
use crate::{console, output, trouble};
use clap::{Args, ValueEnum};
use glob::{MatchOptions, Pattern};
use hcidiff::capture::Input;
use hcidiff::report::safe;
use hcidiff::survey::{self, By, Row};
use hcidiff::{Case, analyse};
use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// `hcidiff survey`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    hcidiff survey attachments/                                 which causes, and how often\n  \
    hcidiff survey runs/ --good 'runs/pass-*' --bad 'runs/fail-*'   what sets the bad runs apart\n  \
    hcidiff survey runs/ --label runs.csv --by label -f json\n\n\
    A file that cannot be read is counted with its reason. Status 2 only where nothing could be read.")]
pub struct Survey {
    /// Captures, archives, and folders of them
    #[arg(value_name = "PATH", required = true, value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// These runs work: a pattern over the paths, as in 'runs/pass-*'; repeatable
    #[arg(long, value_name = "GLOB", value_parser = Pattern::new, conflicts_with = "label")]
    pub good: Vec<Pattern>,

    /// These runs fail; repeatable
    #[arg(long, value_name = "GLOB", value_parser = Pattern::new, conflicts_with = "label")]
    pub bad: Vec<Pattern>,

    /// A table of two columns, file and label; `good` and `bad` are compared, other labels group
    #[arg(long, value_name = "FILE.csv", value_hint = clap::ValueHint::FilePath)]
    pub label: Option<PathBuf>,

    /// By what captures are grouped
    #[arg(long, value_enum, default_value_t = Grouped::Device)]
    pub by: Grouped,

    /// How the survey is printed
    #[arg(short, long, value_enum, default_value_t = Shape::Text)]
    pub format: Shape,

    /// Write the survey there as JSON; repeatable
    #[arg(short, long, value_name = "FILE.json", value_hint = clap::ValueHint::FilePath)]
    pub output: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Grouped {
    Device,
    Host,
    Adapter,
    Label,
}

impl From<Grouped> for By {
    fn from(by: Grouped) -> Self {
        match by {
            Grouped::Device => By::Device,
            Grouped::Host => By::Host,
            Grouped::Adapter => By::Adapter,
            Grouped::Label => By::Label,
        }
    }
}

/// Folders inside of each other: more is a link that leads in a circle.
const DEEPEST: usize = 40;

/// A file to be read, as the survey names it, or why it will not be.
struct Found {
    path: PathBuf,
    name: String,
    wrong: Option<String>,
}

/// Reads everything, counts it, and prints that.
pub fn run(asked: &Survey, out: &mut impl Write) -> io::Result<ExitCode> {
    let labels = match &asked.label {
        Some(path) => match labels(path) {
            Ok(labels) => Some(labels),
            Err(sentence) => return Ok(trouble(&sentence)),
        },
        None => None,
    };
    let mut found = Vec::new();
    for path in &asked.paths {
        walk(path, path, 0, &mut Vec::new(), &mut found);
    }
    let files: Vec<PathBuf> = found.iter().map(|one| one.path.clone()).collect();
    if let Some(path) = output::over_a_capture(&asked.output, &files) {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        return Ok(trouble(&format!("{path} is one of the captures: a survey would replace it")));
    }
    let label = |one: &Found| match &labels {
        Some(labels) => {
            let name = one.path.file_name().map(|name| name.to_string_lossy().into_owned());
            labels.get(&one.name).or_else(|| labels.get(&name?)).cloned()
        }
        None => {
            let fits = |patterns: &[Pattern]| {
                let options = MatchOptions::new();
                patterns.iter().any(|pattern| pattern.matches_path_with(&one.path, options))
            };
            match (fits(&asked.good), fits(&asked.bad)) {
                (true, false) => Some("good".to_owned()),
                (false, true) => Some("bad".to_owned()),
                _ => None,
            }
        }
    };
    let rows = read_all(&found, &label);
    let survey = survey::Survey { rows };
    let by = asked.by.into();
    let written = output::write_all(&asked.output, |_, out| {
        out.write_all(survey::json(&survey, by).as_bytes())
    });
    if let Err((path, error)) = written {
        return Ok(trouble(&format!("{}: {error}", safe::text(&path.to_string_lossy()))));
    }
    let printed = match asked.format {
        Shape::Text => survey::text(&survey, by),
        Shape::Json => survey::json(&survey, by),
    };
    console::seen_enough(out.write_all(printed.as_bytes()).and_then(|()| out.flush()))?;
    let nothing = survey.read().next().is_none();
    Ok(if nothing { trouble("no capture could be read") } else { ExitCode::SUCCESS })
}

/// All files under a path in the order of their names. What cannot be entered is a row of its own.
fn walk(root: &Path, path: &Path, depth: usize, above: &mut Vec<PathBuf>, found: &mut Vec<Found>) {
    let name = match path.strip_prefix(root) {
        Ok(inside) if inside.as_os_str().is_empty() => path.file_name().map(PathBuf::from),
        Ok(inside) => Some(inside.to_owned()),
        Err(_) => None,
    };
    let name = name.unwrap_or_else(|| path.to_owned()).to_string_lossy().replace('\\', "/");
    let mut row = |wrong| found.push(Found { path: path.to_owned(), name: name.clone(), wrong });
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return row(Some(reason(&error))),
    };
    if !metadata.is_dir() {
        let odd = !metadata.is_file();
        return row(odd.then(|| "is neither a file nor a folder".to_owned()));
    }
    // A link that leads back to a folder above is not followed.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if depth > DEEPEST || above.contains(&real) {
        return row(Some("a link that leads back to a folder above".to_owned()));
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return row(Some(reason(&error))),
    };
    let mut inside: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    inside.sort();
    above.push(real);
    for path in inside {
        walk(root, &path, depth + 1, above, found);
    }
    above.pop();
}

/// Why the system refuses, without a path in it.
fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}

/// Reads all files, as many at a time as there are processors, and keeps their order.
fn read_all(found: &[Found], label: &(impl Fn(&Found) -> Option<String> + Sync)) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::with_capacity(found.len()));
    let progress = Progress::new(found.len());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = found.get(at) else { return };
            let row = read(one, label(one));
            progress.step(at + 1);
            if let Ok(mut rows) = rows.lock() {
                rows.push((at, row));
            }
        }
    };
    let helpers = thread::available_parallelism().map_or(1, usize::from).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..helpers.min(found.len()) {
            // Where no thread can be made, this one does the work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    progress.done();
    let mut rows = rows.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn read(one: &Found, label: Option<String>) -> Row {
    if let Some(wrong) = &one.wrong {
        return Row::unread(one.name.clone(), label, wrong.clone());
    }
    match analyse(&Case::one(Input::parse(&one.path))) {
        Ok(analysis) => Row::of(one.name.clone(), label, &analysis),
        Err(unreadable) => Row::unread(one.name.clone(), label, unreadable.error.to_string()),
    }
}

/// File and label of each line.
fn labels(path: &Path) -> Result<HashMap<String, String>, String> {
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

/// On a terminal, how far it is.
struct Progress {
    all: usize,
    shows: bool,
    began: Instant,
    said: Mutex<Instant>,
}

impl Progress {
    fn new(all: usize) -> Self {
        let now = Instant::now();
        Self { all, shows: io::stderr().is_terminal(), began: now, said: Mutex::new(now) }
    }

    fn step(&self, done: usize) {
        const EVERY: Duration = Duration::from_millis(200);
        if !self.shows || self.began.elapsed() < Duration::from_millis(500) {
            return;
        }
        if let Ok(mut said) = self.said.try_lock()
            && said.elapsed() >= EVERY
        {
            *said = Instant::now();
            // Nobody may be there to see it.
            let _ = write!(io::stderr(), "\r{done} of {} files", self.all);
        }
    }

    fn done(&self) {
        if self.shows {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
