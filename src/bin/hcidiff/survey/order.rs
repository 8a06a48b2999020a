//! What several threads make is written in the order of the files.
//!
//! One file has its turn. Its rows are written at once; those of later files wait. Little may wait: whoever has more
//! than that waits for its own turn. The file that has its turn is always being read by some thread, so the turn
//! always goes on.
use hcidiff::Analysis;
use hcidiff::survey::Row;
use hcidiff::survey::tables::{Piece, Tables, pieces};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What one file may hold back until its turn comes.
const OF_ONE: usize = 4 << 20;
/// What all files that are read may hold back together.
const OF_ALL: usize = 32 << 20;

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
    /// Nothing once a file could not be written.
    tables: Result<Tables<W>, io::Error>,
}

impl<W: Write + Send> State<W> {
    fn write(&mut self, pieces: &[Piece]) {
        let Ok(tables) = &mut self.tables else { return };
        if let Err(error) = pieces.iter().try_for_each(|piece| tables.add(piece)) {
            self.tables = Err(error);
        }
    }
}

impl<W: Write + Send> InOrder<W> {
    pub fn new(tables: Tables<W>) -> Self {
        let state =
            State { turn: 0, waiting: BTreeMap::new(), waiting_bytes: 0, tables: Ok(tables) };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Writes the rows of one file, each file once. False where nothing can be written any more.
    pub fn write(&self, at: usize, row: &Row, analysis: Option<&Analysis>) -> bool {
        let mut held = Vec::new();
        let mut bytes = 0;
        let number = at as u64 + 1;
        let made = pieces(number, row, analysis, |piece| {
            bytes += piece.bytes();
            held.push(piece);
            if bytes > OF_ONE {
                let mut state = self.turn_of(at);
                state.write(&held);
                held.clear();
                bytes = 0;
            }
            Ok(())
        });
        let mut state = self.locked();
        if let Err(error) = made {
            state.tables = Err(error);
        }
        if state.turn != at && state.waiting_bytes + bytes <= OF_ALL {
            state.waiting_bytes += bytes;
            state.waiting.insert(at, held);
            return state.tables.is_ok();
        }
        drop(state);
        let mut state = self.turn_of(at);
        state.write(&held);
        state.turn += 1;
        loop {
            let turn = state.turn;
            let Some(next) = state.waiting.remove(&turn) else { break };
            state.waiting_bytes -= next.iter().map(Piece::bytes).sum::<usize>();
            state.write(&next);
            state.turn += 1;
        }
        self.moved.notify_all();
        state.tables.is_ok()
    }

    /// The tables, when all files are written.
    pub fn finish(self) -> io::Result<Vec<W>> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.tables?.finish()
    }

    fn locked(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a file has its turn. Once nothing can be written nobody waits.
    fn turn_of(&self, at: usize) -> MutexGuard<'_, State<W>> {
        let waits = |state: &mut State<W>| state.turn != at && state.tables.is_ok();
        self.moved.wait_while(self.locked(), waits).unwrap_or_else(PoisonError::into_inner)
    }
}
