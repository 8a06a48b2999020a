//! How far reading has come: on a terminal only, and only after half a second.
use hcidiff::case::{Progress, Side};
use hcidiff::report::safe;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Who is done by then sees nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN: Duration = Duration::from_millis(200);

/// Shows the progress until it is dropped.
pub struct Display {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Does nothing where standard error is no terminal that can go back in a line.
    pub fn of(sides: &[Side]) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if !io::stderr().is_terminal() || dumb {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = mpsc::channel();
        let progress: Vec<_> = sides.iter().map(|side| side.progress.clone()).collect();
        let names: Vec<_> = sides.iter().map(|side| side.capture.name().into_owned()).collect();
        let thread = thread::Builder::new().spawn(move || {
            let mut wait = PATIENCE;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(io::stderr(), "\r\x1b[K{}", line(&progress, &names));
                let _ = io::stderr().flush();
                wait = BETWEEN;
            }
            if wait == BETWEEN {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        // Where no thread can be made nobody sees the progress.
        Self { stop: Some(stop), thread: thread.ok() }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `reading mac.pklg: 1.2 million records, pi.btsnoop: 40,000 records`.
fn line(progress: &[Progress], names: &[String]) -> String {
    let sides = names.iter().zip(progress).map(|(name, progress)| {
        let records = progress.records();
        let name = safe::fit(&safe::text(name), 24).into_owned();
        if records < 1_000_000 {
            format!("{name}: {},000 records", records / 1_000)
        } else {
            format!("{name}: {:.1} million records", records as f64 / 1e6)
        }
    });
    format!("reading {}", sides.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_many_records_were_read() {
        let progress = [Progress::default(), Progress::default()];
        progress[0].add(1_234_567);
        progress[1].add(40_960);
        let names = ["mac.pklg".to_owned(), "pi\x1b.btsnoop".to_owned()];
        assert_eq!(
            line(&progress, &names),
            "reading mac.pklg: 1.2 million records, pi\\x1b.btsnoop: 40,000 records"
        );
    }
}
