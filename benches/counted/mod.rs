//! What benches share that hold the reading of a file against counting its lines.
use memchr::memchr_iter;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;
use tempfile::NamedTempFile;

/// The file that is read, and how often.
pub struct Made {
    pub rounds: usize,
    pub path: PathBuf,
    /// Removes the file at the end, if it was made here.
    _made: NamedTempFile,
}

/// The file that the command line names, or one that `make` writes.
pub fn file(make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Made {
    // `cargo bench` adds flags of its own.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    let rounds = words.next_if(|word| word.parse::<usize>().is_ok());
    let rounds = rounds.and_then(|word| word.parse().ok()).unwrap_or(5).max(1);
    let made = NamedTempFile::new().expect("a temporary file");
    let path = words.next().map_or_else(
        || {
            let mut out = BufWriter::new(made.as_file());
            make(&mut out).and_then(|()| out.flush()).expect("room for the file");
            made.path().to_path_buf()
        },
        PathBuf::from,
    );
    Made { rounds, path, _made: made }
}

/// Counts the ends of lines of a file, a chunk at a time. The count itself asks no more than how many there are.
pub fn newlines(path: &Path) -> usize {
    in_chunks(path, |chunk| memchr_iter(b'\n', chunk).count())
}

/// Finds the end of each line of a file, as whoever reads lines must.
#[allow(dead_code, reason = "some benches only count")]
pub fn line_ends(path: &Path) -> usize {
    in_chunks(path, |chunk| memchr_iter(b'\n', chunk).map(black_box).fold(0, |count, _| count + 1))
}

fn in_chunks(path: &Path, ends: impl Fn(&[u8]) -> usize) -> usize {
    let mut file = File::open(path).expect("a file");
    let (mut chunk, mut count) = (vec![0; 256 * 1024], 0);
    loop {
        let there = file.read(&mut chunk).expect("a file that can be read");
        if there == 0 {
            return count;
        }
        count += ends(&chunk[..there]);
    }
}

/// What `count` gives, and the seconds that it took. The system tells a thread's time in steps of some milliseconds, and
/// a count takes no longer: so many are timed together.
pub fn timed(path: &Path, count: fn(&Path) -> usize) -> (usize, f64) {
    const TIMES: u32 = 16;
    let start = busy();
    let lines = (0..TIMES).fold(0, |_, _| black_box(count(path)));
    (lines, (busy() - start) / f64::from(TIMES))
}

/// Seconds that this thread has been busy: whatever else the machine does is not in it. Where the system does not tell,
/// it is the time that has passed.
pub fn busy() -> f64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| BEGIN.elapsed().as_secs_f64(), |busy| busy / 1e9)
}

pub fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory that this process took, where the system tells.
pub fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "?".into(), |line| line.trim().trim_end_matches(" kB").to_owned())
}
