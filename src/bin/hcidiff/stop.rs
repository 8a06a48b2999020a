//! When to end what would go on for ever: Ctrl-C and its like, or a time that is over.
use hcidiff::capture::Patience;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often somebody looks whether a file has grown.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// Exit status after a second Ctrl-C, which does not wait for the report: what shells give a program that it ended.
const AT_ONCE: i32 = 130;

/// Becomes true once, and stays so.
#[derive(Clone)]
pub struct Stop {
    now: Arc<AtomicBool>,
    at: Option<Instant>,
}

impl Stop {
    /// Set by the first signal that asks the program to end, or when so much time is over. A second signal ends the
    /// program at once. A signal that whoever started the program has ignored (`nohup`) stays ignored.
    pub fn new(after: Option<Duration>) -> io::Result<Self> {
        let now = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM].into_iter().chain(HANGUP) {
            if !is_ignored(signal) {
                let second = Arc::clone(&now);
                signal_hook::flag::register_conditional_shutdown(signal, AT_ONCE, second)?;
                signal_hook::flag::register(signal, Arc::clone(&now))?;
            }
        }
        Ok(Self { now, at: after.and_then(|after| Instant::now().checked_add(after)) })
    }

    /// Set by whoever has it, and by no signal.
    #[cfg(all(feature = "record", target_os = "linux"))]
    pub fn by_hand() -> Self {
        Self { now: Arc::default(), at: None }
    }

    /// There is nothing more to wait for.
    pub fn set(&self) {
        self.now.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.now.load(Ordering::Relaxed) || self.at.is_some_and(|at| Instant::now() >= at)
    }
}

impl Patience for Stop {
    fn wait(&mut self) {
        thread::sleep(LOOKS_EVERY);
    }

    fn is_over(&self) -> bool {
        self.is_set()
    }
}

#[cfg(unix)]
const HANGUP: Option<i32> = Some(signal_hook::consts::SIGHUP);
#[cfg(not(unix))]
const HANGUP: Option<i32> = None;

/// Whether the program was started with the signal ignored, as far as the system tells.
fn is_ignored(signal: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
