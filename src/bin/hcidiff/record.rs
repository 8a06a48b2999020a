//! `hcidiff record`: from "it fails" to a verdict with one command.
use crate::cli::{Color, Compare};
use crate::values::{adapter, duration, peer, size};
use crate::watch::Until;
use clap::Args;
use hcidiff::compare::Peer;
use std::path::PathBuf;
use std::time::Duration;

/// `hcidiff record`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    sudo hcidiff record --reference mac.pklg           record, and compare with what works\n  \
    sudo hcidiff record -o pi.btsnoop --until failed --ring 64MB   for what fails once a day\n  \
    ssh pi sudo hcidiff record -o - | hcidiff watch -  from another machine\n\n\
    Linux only. It listens to all adapters and changes nothing. Ctrl-C ends it with the report;\n\
    exit status: that of the report.")]
pub struct Record {
    /// Where the capture goes; `-` is standard output, without a report. Without it a name with the time
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// A capture that works, to be compared with
    #[arg(long, value_name = "CAPTURE", value_hint = clap::ValueHint::FilePath)]
    pub reference: Option<PathBuf>,

    /// A log of this host, beside its journal; it is read in the end. Repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub witness: Vec<PathBuf>,

    /// A log of the working side's host; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub reference_witness: Vec<PathBuf>,

    /// Leave out the lines of bluetoothd and of the kernel in the journal
    #[arg(long)]
    pub no_journal: bool,

    /// Write the report there in the end; the ending .md, .json, .html, .txt or .pcapng names the format. Repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub report: Vec<PathBuf>,

    /// End after this time: 60s, 5m, 24h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub lasts: Option<Duration>,

    /// End when an attempt has failed
    #[arg(long, value_enum, value_name = "WHAT")]
    pub until: Option<Until>,

    /// Keep only the last packets: 64MB, 1GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub ring: Option<u64>,

    /// Overwrite a file that is there
    #[arg(long)]
    pub force: bool,

    /// The device to look at, by address or name
    #[arg(long, value_name = "DEVICE", value_parser = peer)]
    pub peer: Option<Peer>,

    /// The adapter (hciN) to look at; all are recorded
    #[arg(long, value_name = "N", value_parser = adapter)]
    pub adapter: Option<u16>,

    /// Aliases instead of addresses and names
    #[arg(long)]
    pub aliases: bool,

    /// Real addresses and names in Markdown, HTML and text files too
    #[arg(long, conflicts_with = "aliases")]
    pub show_addresses: bool,

    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,

    /// Standard input is a socket on which somebody writes as the kernel's monitor does
    #[arg(long, hide = true)]
    pub stdin_socket: bool,
}

impl Record {
    /// The main job over the finished capture.
    #[cfg_attr(not(all(feature = "record", target_os = "linux")), allow(dead_code))]
    fn compare(&self, path: PathBuf) -> Compare {
        Compare {
            output: self.report.clone(),
            peer: self.peer.clone().into_iter().collect(),
            adapter: self.adapter.into_iter().collect(),
            witness: self.witness.clone(),
            reference_witness: self.reference_witness.clone(),
            aliases: self.aliases,
            show_addresses: self.show_addresses,
            color: self.color,
            ..Compare::of(self.reference.iter().cloned().chain([path]).collect())
        }
    }
}

/// Why this program cannot record here.
#[cfg(not(all(feature = "record", target_os = "linux")))]
pub fn run(_: &Record, _: &mut impl std::io::Write) -> std::io::Result<std::process::ExitCode> {
    let why = if cfg!(target_os = "linux") {
        "this program was built without recording (feature `record`)"
    } else {
        "only the kernel of Linux lets a program record what goes to its adapters"
    };
    Ok(crate::trouble(&format!("{why}: `hcidiff doctor` says how to record on this host")))
}

#[cfg(all(feature = "record", target_os = "linux"))]
pub use linux::run;

#[cfg(all(feature = "record", target_os = "linux"))]
mod linux {
    use super::Record;
    use crate::cli::{Cli, Compare};
    use crate::live::{Form, Lines};
    use crate::recording::{self, Out, Outcome, Ring, create, older};
    use crate::stop::Stop;
    use crate::watch::{Behind, View};
    use crate::{cannot_be_read, compare, console, host, screen, trouble};
    use hcidiff::capture::{Fate, Follow, Input, OpenOptions, Patience};
    use hcidiff::case::Beside;
    use hcidiff::record::Monitor;
    use hcidiff::report::safe;
    use hcidiff::witness;
    use nix::errno::Errno;
    use std::io::{self, ErrorKind, Read, Write};
    use std::os::fd::AsFd;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, SystemTime};

    /// Behind a failure come the words of those who noticed it.
    const SETTLES: Duration = Duration::from_secs(1);

    /// The smallest ring: below it the notes about adapters would take most of it.
    const SMALLEST: u64 = 64 << 10;

    /// Most of a journal that is read.
    const MOST_JOURNAL: u64 = 16 << 20;

    pub fn run(asked: &Record, out: &mut impl Write) -> io::Result<ExitCode> {
        let to_stdout = asked.output.as_ref().is_some_and(|path| path.as_os_str() == "-");
        let path = asked.output.clone().unwrap_or_else(named_by_time);
        if let Err(sentence) = fits(asked, &path, to_stdout) {
            return Ok(trouble(&sentence));
        }
        let mut wanted = asked.compare(path.clone());
        if let Err(sentence) = (Cli { command: None, compare: wanted.clone() }).check() {
            return Ok(trouble(&sentence));
        }
        let case = wanted.case();
        let beside = match Beside::read(&case) {
            Ok(beside) => beside,
            Err(unreadable) => return Ok(cannot_be_read(&unreadable)),
        };
        let monitor = match opened(asked) {
            Ok(monitor) => monitor,
            Err(error) => return Ok(trouble(&refused(&error))),
        };
        let stop = Stop::new(asked.lasts)?;
        let began = SystemTime::now();
        if to_stdout {
            let outcome = recording::record(monitor, Out::Stdout(io::stdout()), None, &stop);
            return Ok(told(&outcome, "standard output").unwrap_or(ExitCode::SUCCESS));
        }
        let shown = safe::text(&path.to_string_lossy()).into_owned();
        let file = match create(&path, asked.force) {
            Ok(file) => file,
            Err(error) => return Ok(trouble(&not_created(&shown, &error))),
        };
        about_this_host(&shown);

        let done = Arc::new(AtomicBool::new(false));
        let recorder = {
            let ring = asked.ring.map(|size| Ring::new(&path, size));
            let (stop, done) = (stop.clone(), Arc::clone(&done));
            thread::Builder::new().spawn(move || {
                let outcome = recording::record(monitor, Out::File(file), ring, &stop);
                done.store(true, Ordering::Relaxed);
                outcome
            })?
        };
        let view = Stop::by_hand();
        let patience = Recorded { done, view: view.clone() };
        let mut view = View {
            asked: wanted.clone(),
            case: &case,
            beside: &beside,
            lines: Lines::new(Form::Terminal(screen(asked.color)), asked.aliases),
            until: asked.until,
            stop: view,
        };
        let seen = look(&mut view, &path, &patience, out);
        if view.stop.is_set() {
            thread::sleep(SETTLES);
        }
        // The reader of our lines may have gone, or the file cannot be read back: what is recorded is kept.
        if view.stop.is_set() || seen.is_err() {
            stop.set();
        }
        let outcome = recorder.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if let Some(code) = told(&outcome, &shown) {
            return Ok(code);
        }
        seen?;
        if !asked.no_journal {
            wanted.witness.extend(journal(began, &path, asked.force));
        }
        console::say(&format!("the whole report, again: `{}`", again(&wanted)));
        compare(&wanted, out)
    }

    /// Whether what was asked for goes together, and would overwrite nothing.
    fn fits(asked: &Record, path: &Path, to_stdout: bool) -> Result<(), String> {
        if to_stdout {
            return match (asked.until, asked.ring) {
                (Some(_), _) => Err("--until needs a file: give -o FILE".into()),
                (_, Some(_)) => Err("--ring needs a file: give -o FILE".into()),
                _ => Ok(()),
            };
        }
        if asked.ring.is_some_and(|size| size < SMALLEST) {
            return Err("--ring takes 64KB at least".into());
        }
        let also = asked.ring.map(|_| older(path));
        let mut files = [Some(path.to_owned()), also].into_iter().flatten();
        if let Some(path) = files.find(|path| !asked.force && path.exists()) {
            let shown = safe::text(&path.to_string_lossy()).into_owned();
            return Err(format!("{shown} is there already: --force overwrites it"));
        }
        if asked
            .reference
            .as_ref()
            .is_some_and(|reference| same_file::is_same_file(reference, path).unwrap_or(false))
        {
            return Err("the reference would be overwritten by the recording".into());
        }
        Ok(())
    }

    fn named_by_time() -> PathBuf {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_micros()).unwrap_or_default();
        let wall = hcidiff::time::Timestamp(now).wall().unwrap_or_default();
        let digits: String = wall.chars().take(19).filter(|&c| c != '-' && c != ':').collect();
        format!("hcidiff-{digits}Z.btsnoop").into()
    }

    fn opened(asked: &Record) -> io::Result<Monitor> {
        if asked.stdin_socket {
            return Monitor::of(io::stdin().as_fd().try_clone_to_owned()?);
        }
        Monitor::open()
    }

    /// What is needed where the kernel says no.
    fn refused(error: &io::Error) -> String {
        let program = std::env::current_exe().ok();
        let program =
            program.map_or_else(|| "hcidiff".into(), |path| path.to_string_lossy().into_owned());
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EPERM | Errno::EACCES) => format!(
                "recording needs the right to listen to all adapters: `sudo hcidiff record …`, or once and for all\n  \
                 sudo setcap cap_net_raw+ep {}",
                safe::text(&program)
            ),
            Some(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => {
                "this kernel has no Bluetooth: `sudo modprobe bluetooth` loads it where it is a module. \
                 (A container has the kernel of its host, and may not be allowed to see its Bluetooth.)"
                    .into()
            }
            _ => format!("the kernel's Bluetooth monitor cannot be opened: {error}"),
        }
    }

    fn not_created(shown: &str, error: &io::Error) -> String {
        if error.kind() == ErrorKind::AlreadyExists {
            return format!("{shown} is there already: --force overwrites it");
        }
        format!("{shown}: {error}")
    }

    /// Which adapters there are, who uses them, what blocks them, and when to begin.
    fn about_this_host(shown: &str) {
        host::says(Path::new("/")).iter().for_each(|sentence| console::say(sentence));
        console::say(&format!(
            "recording into {shown}: now start the program that fails; Ctrl-C when it has failed"
        ));
    }

    /// The view ends when all that was recorded was seen, or when it has seen what it waits for.
    #[derive(Clone)]
    struct Recorded {
        done: Arc<AtomicBool>,
        view: Stop,
    }

    impl Patience for Recorded {
        fn wait(&mut self) {
            self.view.wait();
        }

        fn is_over(&self) -> bool {
            self.done.load(Ordering::Relaxed) || self.view.is_set()
        }
    }

    /// Shows attempts as they end, through all files of a ring.
    fn look(
        view: &mut View<'_>,
        path: &Path,
        patience: &Recorded,
        out: &mut impl Write,
    ) -> io::Result<()> {
        loop {
            let (follow, followed) = match Follow::open(path, patience.clone()) {
                Ok(opened) => opened,
                // A ring has moved its file away and not begun the next one.
                Err(error) if error.kind() == ErrorKind::NotFound && !patience.is_over() => {
                    patience.clone().wait();
                    continue;
                }
                Err(error) => return Err(error),
            };
            let behind = Behind::File(followed);
            let read = view.read(Box::new(follow), &behind, out);
            match read {
                Ok((ended, Ok(capture))) => {
                    let analysis = view.beside.so_far(capture);
                    view.lines.tell(&ended, &analysis, out)?;
                }
                Ok((_, Err(hcidiff::capture::CaptureError::Io(error)))) => return Err(error),
                Err(hcidiff::capture::CaptureError::Io(error)) => return Err(error),
                // Nothing was recorded: the report says so.
                _ => {}
            }
            if behind.fate() == Fate::Grows || patience.is_over() {
                return view.lines.part(out);
            }
        }
    }

    /// The command that shows everything of the capture, now that it is there.
    fn again(asked: &Compare) -> String {
        let logs = |option: &'static str, logs: &[PathBuf]| -> Vec<String> {
            logs.iter().flat_map(|log| [option.to_owned(), word(log)]).collect()
        };
        let mut words = vec!["hcidiff".to_owned()];
        words.extend(asked.captures.iter().map(|path| word(path)));
        words.extend(logs("--witness", &asked.witness));
        words.extend(logs("--reference-witness", &asked.reference_witness));
        words.push("--full".into());
        words.join(" ")
    }

    /// A path as a shell takes it for one word.
    fn word(path: &Path) -> String {
        let path = safe::text(&path.to_string_lossy()).into_owned();
        let plain = |c: char| c.is_alphanumeric() || "-_./+:@%,=".contains(c);
        if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
    }

    /// Says what became of the recording. A status where there is nothing to report.
    fn told(outcome: &Outcome, shown: &str) -> Option<ExitCode> {
        let packets = outcome.packets;
        if let Some(error) = &outcome.error {
            if error.kind() == ErrorKind::BrokenPipe {
                return Some(ExitCode::SUCCESS);
            }
            let what = match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".into(),
                _ => error.to_string(),
            };
            console::say(&format!(
                "{what}: recording has ended; what {shown} held until then is whole"
            ));
        }
        console::say(&format!("recorded {packets} packets into {shown}"));
        if outcome.lost > 0 {
            console::say(&format!(
                "the kernel dropped {} packets that this machine did not take in time: what is missing there proves nothing",
                outcome.lost
            ));
        }
        if let Some(error) = &outcome.apart {
            console::say(&format!(
                "the two parts of the recording could not be joined ({error}): the older one is {shown}.older"
            ));
        }
        if packets == 0 {
            console::say("the kernel said nothing: there was no adapter, and none came");
            return Some(ExitCode::from(crate::TROUBLE));
        }
        if outcome.commands == 0 {
            console::say(
                "no program asked any adapter for anything meanwhile: it did not try, or it uses another radio \
                 (a Bluetooth proxy, another machine)",
            );
        }
        None
    }

    /// What bluetoothd and the kernel wrote meanwhile, in a file beside the capture, where it says anything.
    fn journal(since: SystemTime, capture: &Path, force: bool) -> Option<PathBuf> {
        let since = since.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let mut child = Command::new("journalctl")
            .args(["--no-pager", "--quiet", "--output", "short-iso-precise"])
            .arg(format!("--since=@{since}"))
            .args(["_SYSTEMD_UNIT=bluetooth.service", "+", "_TRANSPORT=kernel"])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = Vec::new();
        let read = child.stdout.take()?.take(MOST_JOURNAL).read_to_end(&mut lines);
        let _ = child.kill();
        let _ = child.wait();
        read.ok()?;
        let path = capture.with_extension("journal.log");
        let name = path.file_name()?.to_string_lossy().into_owned();
        let log = witness::read(&Input::bytes(name, lines.as_slice()), &OpenOptions::default());
        if log.ok().flatten()?.claims.is_empty() {
            return None;
        }
        let shown = safe::text(&path.to_string_lossy()).into_owned();
        let written = create(&path, force).and_then(|mut file| file.write_all(&lines));
        match written {
            Ok(()) => {
                console::say(&format!("the journal's lines of that time: {shown}"));
                Some(path)
            }
            Err(error) => {
                console::say(&not_created(&shown, &error));
                None
            }
        }
    }
}
