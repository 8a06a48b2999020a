//! A recording while it is made: packets go from the kernel's socket into a file, or into two that follow each other.
use crate::stop::Stop;
use hcidiff::record::{Monitor, Opening, Packet, Sink, Writer};
use hcidiff::time::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often somebody looks whether it is time to end.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// When it is time to end, what the kernel has queued by then is still taken, for so long.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The monitor's opcode of a command.
const COMMAND: u16 = 2;

/// Where a recording goes.
pub enum Out {
    File(File),
    Stdout(io::Stdout),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(out) => out.flush(),
        }
    }
}

impl Sink for Out {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        match self {
            Self::File(file) => {
                file.set_len(length)?;
                file.seek(SeekFrom::End(0)).map(drop)
            }
            Self::Stdout(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Only its owner may read it: a capture may hold keys. Under sudo it belongs to whoever called that.
pub fn create(path: &Path, force: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let file = options.open(path)?;
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    if let (Some(user), Some(group)) = (number("SUDO_UID"), number("SUDO_GID")) {
        // Without it the file is root's, and no worse.
        let _ = fchown(&file, Some(user), Some(group));
    }
    Ok(file)
}

/// Where the older half of a ring lies.
pub fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".older");
    name.into()
}

/// The last packets of a recording that may go on for days: two files, of which the older one is given up when the
/// newer one is full.
pub struct Ring {
    pub path: PathBuf,
    /// How long each of the two may become.
    pub half: u64,
    opening: Opening,
    /// What the newer file repeats of the older one, in bytes from its beginning.
    repeated: Option<u64>,
}

impl Ring {
    pub fn new(path: &Path, size: u64) -> Self {
        let half = (size / 2).max(1);
        Self { path: path.to_owned(), half, opening: Opening::default(), repeated: None }
    }

    fn next(&mut self, time: Timestamp, lost: u64) -> io::Result<Writer<Out>> {
        fs::rename(&self.path, older(&self.path))?;
        let mut writer = Writer::new(Out::File(create(&self.path, true)?))?;
        self.opening.packets(time, |packet| writer.push(&packet, lost))?;
        writer.flush()?;
        self.repeated = Some(writer.length());
        Ok(writer)
    }

    /// Puts both files into one.
    fn join(&self) -> io::Result<()> {
        let Some(repeated) = self.repeated else { return Ok(()) };
        let older = older(&self.path);
        let mut newer = File::open(&self.path)?;
        newer.seek(SeekFrom::Start(repeated))?;
        let mut whole = OpenOptions::new().append(true).open(&older)?;
        let before = whole.metadata()?.len();
        let joined = io::copy(&mut newer, &mut whole).and_then(|_| whole.sync_all());
        if let Err(error) = joined {
            // Both stay as they were.
            let _ = whole.set_len(before);
            return Err(error);
        }
        fs::rename(&older, &self.path)
    }
}

/// What became of a recording.
#[derive(Debug, Default)]
pub struct Outcome {
    pub packets: u64,
    /// Commands among them: without any, nobody used an adapter.
    pub commands: u64,
    /// Packets that the kernel had no room for.
    pub lost: u64,
    /// Why it ended before somebody wanted that.
    pub error: Option<io::Error>,
    /// Why the two files of a ring stay two.
    pub apart: Option<io::Error>,
}

/// Takes packets until it is time to end. The file has whole records at any moment.
pub fn record(mut monitor: Monitor, out: Out, mut ring: Option<Ring>, stop: &Stop) -> Outcome {
    let mut outcome = Outcome::default();
    let written = Writer::new(out)
        .and_then(|writer| pump(&mut monitor, writer, ring.as_mut(), stop, &mut outcome));
    outcome.error = written.err();
    outcome.lost = monitor.dropped();
    if let Some(ring) = &ring {
        outcome.apart = ring.join().err();
    }
    outcome
}

fn pump(
    monitor: &mut Monitor,
    mut writer: Writer<Out>,
    mut ring: Option<&mut Ring>,
    stop: &Stop,
    outcome: &mut Outcome,
) -> io::Result<()> {
    let mut last_words: Option<Instant> = None;
    loop {
        if last_words.is_none() && stop.is_set() {
            last_words = Some(Instant::now() + LAST_WORDS);
        }
        let lost = monitor.dropped();
        let taken = monitor.receive(|packet: Packet<'_>| {
            outcome.packets += 1;
            outcome.commands += u64::from(packet.opcode == COMMAND);
            writer.push(&packet, lost)?;
            let Some(ring) = &mut ring else { return Ok(()) };
            ring.opening.see(&packet);
            if writer.length() >= ring.half {
                writer.flush()?;
                writer = ring.next(packet.time, lost)?;
            }
            Ok(())
        })?;
        writer.flush()?;
        let over = last_words.is_some_and(|last| Instant::now() >= last);
        match taken {
            None => break,
            Some(0) if last_words.is_some() => break,
            Some(_) if over => break,
            Some(0) => drop(monitor.wait(LOOKS_EVERY)?),
            Some(_) => {}
        }
    }
    if let Out::File(file) = writer.sink() {
        file.sync_all()?;
    }
    Ok(())
}
