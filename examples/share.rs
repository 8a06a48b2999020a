//! Shares captures one by one and looks at what came out: `share [--tshark] [--trim-none] PATH…` reads files and folders.
//!
//! Each capture is shared alone, and once more with each log that was recorded beside it. It must be possible, and the
//! new capture must have as many records as was said; where nothing is left out, as many of each kind as the original.
//! With `--tshark`, tshark must find no malformed packet in the new capture where the original has none, and where
//! nothing is left out as many packets of each kind. The last lines count; the exit status is 1 where something is wrong.
use hcidiff::Case;
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::Side;
use hcidiff::share::{self, Bundle, Draft, Options, Refusal, Trim};
use hcidiff::witness;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The names of a mailing list's files begin with this, and with ten digits that all files of one mail have.
const LIST: &str = "lkml-bt_";
const DIGITS: usize = 10;

fn main() -> ExitCode {
    let mut paths = Vec::new();
    let mut tally = Tally::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--trim-none" => tally.trim = Trim::None,
            "--tshark" => tally.tshark = true,
            path => walk(Path::new(path), &mut paths),
        }
    }
    let (captures, others): (Vec<_>, Vec<_>) = paths.iter().partition(|path| tally.alone(path));
    let read = |path: &PathBuf| witness::read(&Input::from(path), &OpenOptions::default());
    let is_log = |path: &&&PathBuf| matches!(read(path), Ok(Some(_)));
    let logs: Vec<_> = others.iter().filter(is_log).collect();
    for path in captures {
        for log in logs.iter().filter(|log| beside(log) == beside(path)) {
            tally.with_log(path, log);
        }
    }
    let Tally { shared, with_logs, refused, wrong, judged, .. } = &tally;
    println!("alone: {shared:?}; with a log: {with_logs:?}; no captures: {refused:?}");
    println!("{judged} judged by tshark, {wrong} wrong");
    ExitCode::from(u8::from(*wrong > 0))
}

/// What was done so far.
struct Tally {
    trim: Trim,
    tshark: bool,
    /// How many were shared, by how much was left out.
    shared: BTreeMap<&'static str, u32>,
    with_logs: BTreeMap<&'static str, u32>,
    refused: BTreeMap<&'static str, u32>,
    judged: u32,
    wrong: u32,
}

impl Tally {
    fn new() -> Self {
        Self {
            trim: Trim::Story,
            tshark: false,
            shared: BTreeMap::new(),
            with_logs: BTreeMap::new(),
            refused: BTreeMap::new(),
            judged: 0,
            wrong: 0,
        }
    }

    /// Shares one capture. False where it is none.
    fn alone(&mut self, path: &Path) -> bool {
        let mut bundle = match self.share(Side::new(Input::from(path))) {
            Ok(bundle) => bundle,
            Err(refusal) => {
                let why = match refusal {
                    Refusal::Air { .. } => "of the air",
                    Refusal::Capture { .. } | Refusal::Unreadable(_) => "unreadable",
                    Refusal::Text { .. } => "text",
                    refusal => {
                        self.says(path, &refusal.to_string());
                        return false;
                    }
                };
                *self.refused.entry(why).or_default() += 1;
                return false;
            }
        };
        *self.shared.entry(bundle.trim.word()).or_default() += 1;
        let mut bytes = Vec::new();
        let part = &mut bundle.parts[0];
        let read = part.file.rewind().and_then(|()| part.file.read_to_end(&mut bytes));
        let kinds = kinds(&Input::bytes(&part.name, bytes.clone()));
        if read.is_err() || kinds.values().sum::<u64>() != part.records_after {
            self.says(path, "the new capture cannot be read to its end");
        }
        let whole = bundle.trim == Trim::None && part.unfit == 0;
        let before = self::kinds(&Input::from(path));
        if whole && before != kinds {
            self.says(path, &format!("{before:?} became {kinds:?}"));
        }
        if self.tshark {
            self.compare(path, &part.name, &bytes, whole);
        }
        true
    }

    fn with_log(&mut self, path: &Path, log: &Path) {
        let mut side = Side::new(Input::from(path));
        side.witnesses.push(Input::from(log));
        match self.share(side) {
            Ok(bundle) => {
                if bundle.trim != self.trim {
                    println!("{} with {}: {}", path.display(), log.display(), bundle.trim.word());
                }
                *self.with_logs.entry(bundle.trim.word()).or_default() += 1;
            }
            Err(refusal) => self.says(path, &format!("with {}: {refusal}", log.display())),
        }
    }

    fn share(&self, side: Side) -> Result<Bundle, Refusal> {
        let options = Options { trim: self.trim, ..Options::default() };
        let draft = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Draft>);
        share::share(&Case::one(side), &options, &draft)
    }

    fn says(&mut self, path: &Path, what: &str) {
        self.wrong += 1;
        println!("{}: {what}", path.display());
    }

    /// What tshark says of both captures. What it cannot read it does not judge.
    fn compare(&mut self, original: &Path, name: &str, bytes: &[u8], whole: bool) {
        let new = std::env::temp_dir().join(format!("hcidiff-share-{}-{name}", std::process::id()));
        let written = std::fs::write(&new, bytes);
        let (before, after) = (tshark(original), tshark(&new));
        let _ = std::fs::remove_file(&new);
        if let Err(error) = written {
            return self.says(original, &error.to_string());
        }
        let (Some(before), Some(after)) = (before, after) else { return };
        self.judged += 1;
        if after.malformed > before.malformed {
            let (after, before) = (after.malformed, before.malformed);
            self.says(
                original,
                &format!("tshark finds {after} malformed packets, {before} before"),
            );
        }
        // Another kind of file has other packets around the same ones.
        let same = before.packets.keys().eq(after.packets.keys());
        if whole && same && before.packets != after.packets {
            let what = format!("tshark counts {:?}, {:?} before", after.packets, before.packets);
            self.says(original, &what);
        }
    }
}

/// What files that were recorded together have in common.
fn beside(path: &Path) -> Option<(PathBuf, String)> {
    let name = path.file_name()?.to_str()?;
    match name.strip_prefix(LIST).and_then(|rest| rest.get(..DIGITS)) {
        // They lie in a folder for each format.
        Some(mail) => Some((PathBuf::new(), mail.to_owned())),
        None => Some((path.parent()?.to_owned(), name.split('.').next()?.to_owned())),
    }
}

fn walk(path: &Path, paths: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, paths));
    } else {
        paths.push(path.to_owned());
    }
}

/// How many records of each kind a capture holds, as far as it can be read.
fn kinds(input: &Input) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    let Ok(mut opened) = open(input, &OpenOptions::default()) else { return kinds };
    while let Ok(Some(record)) = opened.source.next() {
        *kinds.entry(format!("{:?} {:?}", record.kind, record.direction)).or_default() += 1;
    }
    kinds
}

/// What tshark says of a capture.
struct Seen {
    malformed: u64,
    /// Packets by the protocols that carry them, up to the kind of HCI packet.
    packets: BTreeMap<String, u64>,
}

fn tshark(path: &Path) -> Option<Seen> {
    let run = Command::new("tshark")
        .args(["-n", "-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed", "-r"])
        .arg(path)
        .output()
        .ok()?;
    let mut seen = Seen { malformed: 0, packets: BTreeMap::new() };
    for line in run.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let (protocols, malformed) = line.split_once('\t').unwrap_or((&line, ""));
        seen.malformed += u64::from(!malformed.is_empty());
        let kind = protocols.split(':').find(|protocol| protocol.starts_with("bthci_"));
        *seen.packets.entry(kind.unwrap_or("none").to_owned()).or_default() += 1;
    }
    run.status.success().then_some(seen)
}
