//! What several threads make is written in the order of the files.
//!
//! One file has its turn. Its rows are added at once; those of later files wait. Little may wait: whoever has more
//! than that waits for its own turn. The file that has its turn is always being read by some thread, so the turn
//! always goes on.
//!
//! Rows that are enough for a row group are encoded by the thread that added the last of them, while the others go on.
//! Which rows are a group is decided by their order alone. Whoever has encoded a group waits until the one before it is
//! written: so each thread holds a group or two, and the group that was begun first waits for nobody.
use hcidiff::Analysis;
use hcidiff::survey::Row;
use hcidiff::survey::tables::{Group, Piece, TABLES, Tables, rows};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What one file may hold back until its turn comes.
const OF_ONE: usize = 4 << 20;
/// What all files that are read may hold back together.
const OF_ALL: usize = 32 << 20;

/// Pieces that are kept for later files, and how much of rows one of them may have held: a file needs some hundred small
/// allocations, and memory that another thread gives back is dear.
const SPARE: usize = 64;
const SPARE_BYTES: usize = 64 << 10;

/// Tables that are written in order.
pub struct InOrder<W: Write + Send> {
    state: Mutex<State<W>>,
    moved: Condvar,
}

struct State<W: Write + Send> {
    /// The file that is written now.
    turn: usize,
    /// What later files hold, of those that are read to their end.
    waiting: BTreeMap<usize, Vec<Piece>>,
    waiting_bytes: usize,
    /// Empty pieces.
    spare: Vec<Piece>,
    /// Nothing once a file could not be written.
    tables: Result<Tables<W>, io::Error>,
}

impl<W: Write + Send> State<W> {
    #[must_use = "row groups are encoded, and appended"]
    fn add(&mut self, pieces: Vec<Piece>) -> Vec<Group> {
        let mut groups = Vec::new();
        for mut piece in pieces {
            if let Ok(tables) = &mut self.tables {
                groups.extend(tables.add(&piece));
            }
            if piece.bytes() <= SPARE_BYTES && self.spare.len() < SPARE {
                piece.clear();
                self.spare.push(piece);
            }
        }
        groups
    }
}

impl<W: Write + Send> InOrder<W> {
    pub fn new(tables: Tables<W>) -> Self {
        let (waiting, spare) = (BTreeMap::new(), Vec::new());
        let state = State { turn: 0, waiting, waiting_bytes: 0, spare, tables: Ok(tables) };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Writes the rows of one file, each file once. False where nothing can be written any more.
    pub fn write(&self, at: usize, row: &Row, analysis: Option<&Analysis>) -> bool {
        let mut last = self.locked().spare.pop().unwrap_or_default();
        let (mut held, mut bytes) = (Vec::new(), 0);
        let made = rows(at as u64 + 1, row, analysis, &mut last, |piece| {
            bytes += piece.bytes();
            held.push(std::mem::take(piece));
            if bytes > OF_ONE {
                let groups = self.turn_of(at).add(std::mem::take(&mut held));
                self.encode(groups);
                bytes = 0;
            }
            Ok(())
        });
        bytes += last.bytes();
        held.push(last);
        let mut state = self.locked();
        if let Err(error) = made {
            state.tables = Err(error);
        }
        if state.turn != at && state.waiting_bytes + bytes > OF_ALL {
            drop(state);
            state = self.turn_of(at);
        }
        state.waiting_bytes += bytes;
        state.waiting.insert(at, held);
        drop(state);
        while let Some(groups) = self.next_groups() {
            self.encode(groups);
        }
        self.locked().tables.is_ok()
    }

    /// Adds the rows of the files that have their turn, until there are enough for a row group.
    fn next_groups(&self) -> Option<Vec<Group>> {
        let mut state = self.locked();
        let mut groups = Vec::new();
        while groups.is_empty() {
            let turn = state.turn;
            let Some(next) = state.waiting.remove(&turn) else { break };
            state.waiting_bytes -= next.iter().map(Piece::bytes).sum::<usize>();
            groups = state.add(next);
            state.turn += 1;
            self.moved.notify_all();
        }
        (!groups.is_empty()).then_some(groups)
    }

    /// The tables, when all files are written. What is left is encoded by so many threads.
    pub fn finish(self, jobs: usize) -> io::Result<Vec<W>> {
        let groups = self.locked().tables.as_mut().map_or_else(|_| Vec::new(), Tables::rest);
        let groups = Mutex::new(groups);
        let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || {
            while let Some(group) = next() {
                self.encode(vec![group]);
            }
        };
        thread::scope(|scope| {
            for _ in 1..jobs.min(TABLES.len()) {
                // Where no thread can be made, this one does the work.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.tables?.finish()
    }

    /// Encodes row groups, and writes each when those before it are written. Nothing is locked while it is encoded.
    fn encode(&self, groups: Vec<Group>) {
        for group in groups {
            let encoded = group.encode();
            let mut state = match &encoded {
                Ok(group) => self.wait_while(|_, tables| !tables.is_next(group)),
                Err(_) => self.locked(),
            };
            if let Ok(tables) = &mut state.tables
                && let Err(error) = encoded.and_then(|group| tables.append(group))
            {
                state.tables = Err(error);
            }
            drop(state);
            self.moved.notify_all();
        }
    }

    fn locked(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a file has its turn. Once nothing can be written nobody waits.
    fn turn_of(&self, at: usize) -> MutexGuard<'_, State<W>> {
        self.wait_while(|state, _| state.turn != at)
    }

    /// Waits while something holds of the tables, and no longer than they can be written.
    fn wait_while(
        &self,
        waits: impl Fn(&State<W>, &Tables<W>) -> bool,
    ) -> MutexGuard<'_, State<W>> {
        let waits = |state: &mut State<W>| state.tables.as_ref().is_ok_and(|it| waits(state, it));
        self.moved.wait_while(self.locked(), waits).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hcidiff::{Case, analyse};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const FILES: usize = 120;

    /// Long names of files and of devices fill row groups soon; every tenth file is a capture with many connections.
    struct Files {
        rows: Vec<Row>,
        analysis: Analysis,
    }

    impl Files {
        fn new() -> Self {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/flagship/mac.pklg");
            let capture = hcidiff::capture::Input::parse(&path);
            let mut analysis = analyse(&Case::one(capture)).expect("a capture");
            let mut connection = analysis.captures[0].connections[0].clone();
            connection.peer.name = Some("n".repeat(20_000).into());
            connection.steps.truncate(5);
            analysis.captures[0].connections.extend(vec![connection; 100]);
            let row = |at: usize| {
                let name = format!("{at} {}", "x".repeat(200_000));
                if at.is_multiple_of(10) {
                    Row::of(name, None, &analysis)
                } else {
                    Row::unread(name, None, "why".into())
                }
            };
            Self { rows: (0..FILES).map(row).collect(), analysis }
        }

        fn analysis(&self, at: usize) -> Option<&Analysis> {
            self.rows[at].read.as_ref().ok().map(|_| &self.analysis)
        }

        /// Written by so many threads, as a survey does it.
        fn written<W: Write + Send>(&self, threads: usize, to: Tables<W>) -> io::Result<Vec<W>> {
            let (tables, next) = (InOrder::new(to), AtomicUsize::new(0));
            let work = || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= FILES || !tables.write(at, &self.rows[at], self.analysis(at)) {
                        return;
                    }
                }
            };
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(work);
                }
            });
            tables.finish(threads)
        }
    }

    /// Threads that overtake each other leave no trace, over several row groups.
    #[test]
    fn the_number_of_threads_changes_no_byte() {
        let files = Files::new();
        let begun = || Tables::new(|_| Ok(Vec::new())).expect("files");
        let mut plain = begun();
        for (at, row) in files.rows.iter().enumerate() {
            plain.write(at as u64 + 1, row, files.analysis(at)).expect("written");
        }
        let plain = plain.finish().expect("written");
        let groups = |table: &Vec<u8>| {
            let reader = SerializedFileReader::new(Bytes::from(table.clone())).expect("Parquet");
            reader.num_row_groups()
        };
        assert!(groups(&plain[0]) >= 3 && groups(&plain[1]) >= 3);
        for threads in [1, 2, 7] {
            let made = files.written(threads, begun()).expect("written");
            assert!(made == plain, "{threads} threads");
        }
    }

    /// A disk that is full after a while.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_ends_every_thread() {
        let files = Files::new();
        for (room, threads) in [(0, 2), (1_000, 1), (20_000, 3), (700_000, 2)] {
            let begun = Tables::new(|_| Ok(Full(room)));
            let Ok(begun) = begun else { continue };
            let error = files.written(threads, begun).err().expect("there is no room");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}: {error}");
        }
    }
}
