//! Many files are read side by side.
use super::labels::Labels;
use super::order::InOrder;
use super::walk::Found;
use hcidiff::capture::Input;
use hcidiff::survey::Row;
use hcidiff::{Analysis, Case, analyse};
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Reads all files, so many at a time, and keeps their order. What they hold goes into the tables, if there are any.
pub fn read_all<W: Write + Send>(
    found: &[Found],
    labels: &Labels<'_>,
    jobs: usize,
    tables: Option<&InOrder<W>>,
) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::new(Vec::with_capacity(found.len()));
    let progress = Progress::new(found.len());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = found.get(at) else { return };
            let (row, analysis) = read(one, labels.of_file(one));
            if let Some(tables) = tables
                && !tables.write(at, &row, analysis.as_ref())
            {
                // Nothing more can be written.
                next.store(found.len(), Ordering::Relaxed);
            }
            progress.step(at + 1);
            if let Ok(mut rows) = rows.lock() {
                rows.push((at, row));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(found.len()) {
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

fn read(one: &Found, label: Option<String>) -> (Row, Option<Analysis>) {
    if let Some(wrong) = &one.wrong {
        return (Row::unread(one.name.clone(), label, wrong.clone()), None);
    }
    match analyse(&Case::one(Input::parse(&one.path))) {
        Ok(analysis) => (Row::of(one.name.clone(), label, &analysis), Some(analysis)),
        Err(unreadable) => {
            (Row::unread(one.name.clone(), label, unreadable.error.to_string()), None)
        }
    }
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
