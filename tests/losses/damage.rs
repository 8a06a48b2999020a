//! A btsnoop recording, and ways to lose a part of it.
use crate::random::Random;
use hcidiff::capture::{Input, Kind, OpenOptions, open};
use std::fmt;
use std::path::Path;

const HEADER: usize = 16;
const RECORD: usize = 24;

/// The channels of L2CAP that filters tell apart.
const ATT: u16 = 4;
const SMP: u16 = 6;

/// What can be filtered out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Commands,
    Events,
    Data,
    DataSent,
    DataReceived,
    /// All but ATT, as an export with a display filter leaves it.
    AllButAtt,
    Att,
    Smp,
    /// LE advertising reports.
    Reports,
    /// Number Of Completed Packets.
    Completed,
    /// What the host's kernel and daemon write into the recording.
    Notes,
}

const PARTS: [Part; 11] = [
    Part::Commands,
    Part::Events,
    Part::Data,
    Part::DataSent,
    Part::DataReceived,
    Part::AllButAtt,
    Part::Att,
    Part::Smp,
    Part::Reports,
    Part::Completed,
    Part::Notes,
];

/// What becomes of a recording. Places are indexes of records.
#[derive(Clone, Debug)]
pub enum Loss {
    Begin(usize),
    End(usize),
    Filtered(Part),
    /// Data packets keep so many bytes, as Android's filtered log and its bug reports have them.
    DataClipped(usize),
    /// All packets keep so many bytes, as with a snap length.
    AllClipped(usize),
    /// The logger lost these, and counts them.
    Counted {
        from: usize,
        to: usize,
        each: usize,
    },
    /// One packet, without a trace.
    Silent(usize),
}

impl Loss {
    pub fn any(random: &mut Random, capture: &Recording) -> Self {
        let records = capture.records.len();
        match random.below(8) {
            0 | 1 => Self::Begin(1 + random.below(records - 1)),
            2 => Self::End(1 + random.below(records - 1)),
            3 => Self::Filtered(random.of(&PARTS)),
            4 if random.below(2) == 0 => Self::DataClipped(random.of(&[8, 9, 11, 14, 15, 20])),
            4 => Self::AllClipped(random.of(&[14, 20, 32])),
            5 => {
                let from = random.below(records);
                let to = (from + 1 + random.below(records)).min(records);
                Self::Counted { from, to, each: random.of(&[1, 1, 2, 3, 7]) }
            }
            _ => Self::Silent(random.below(records)),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(place) => write!(f, "without the first {place} records"),
            Self::End(place) => write!(f, "without what follows frame {place}"),
            Self::Filtered(part) => write!(f, "filtered ({part:?})"),
            Self::DataClipped(len) => write!(f, "data cut at {len} bytes"),
            Self::AllClipped(len) => write!(f, "packets cut at {len} bytes"),
            Self::Counted { from, to, each } => {
                write!(f, "drops counted in frames {} to {to}, one in {each}", from + 1)
            }
            Self::Silent(place) => write!(f, "without frame {}", place + 1),
        }
    }
}

/// One record of a recording.
struct Entry {
    /// Header and bytes, as they stand in the file.
    bytes: Vec<u8>,
    kind: Kind,
    /// Channel of L2CAP, for data.
    channel: Option<u16>,
    sent: bool,
}

/// A recording as it was made.
pub struct Recording {
    pub name: String,
    header: Vec<u8>,
    records: Vec<Entry>,
}

/// What is left of a recording.
pub struct Left {
    pub bytes: Vec<u8>,
    /// For each frame that is left, the frame that it was.
    pub frames: Vec<u32>,
}

impl Recording {
    pub fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).expect("a file");
        let mut opened = open(&Input::from(file), &OpenOptions::default()).expect("a capture");
        let mut records: Vec<Entry> = Vec::new();
        let mut at = HEADER;
        // The channel of each link's last packet: what continues it has none of its own.
        let mut channels = std::collections::HashMap::new();
        while let Some(record) = opened.source.next().expect("it is whole") {
            let included = u32::from_be_bytes(bytes[at + 4..at + 8].try_into().expect("four"));
            let end = at + RECORD + included as usize;
            let data = record.bytes();
            let mut channel = None;
            if record.kind == Kind::Acl && data.len() >= 4 {
                let handle = u16::from_le_bytes([data[0], data[1]]);
                let key = (record.adapter, record.direction, handle & 0x0fff);
                if (handle >> 12) & 3 != 1 && data.len() >= 8 {
                    channels.insert(key, u16::from_le_bytes([data[6], data[7]]));
                }
                channel = channels.get(&key).copied();
            }
            let sent = record.direction == Some(hcidiff::packet::Direction::Sent);
            records.push(Entry {
                bytes: bytes[at..end].to_vec(),
                kind: record.kind,
                channel,
                sent,
            });
            at = end;
        }
        assert_eq!(at, bytes.len(), "{}", file.display());
        let folder = file.parent().and_then(Path::file_name).expect("a folder");
        let own = file.file_name().expect("a name");
        let name = format!("{}/{}", folder.to_string_lossy(), own.to_string_lossy());
        Self { name, header: bytes[..HEADER].to_vec(), records }
    }

    /// Whether the recording that is left shows that something is missing. Where this host asks nothing more than one
    /// question, a recording without answers is that of a silent device.
    pub fn shows(&self, loss: &Loss) -> bool {
        let asks = |entry: &&Entry| entry.sent && matches!(entry.channel, Some(ATT | SMP));
        match loss {
            Loss::Silent(_) => false,
            // What this host sends is counted by the controller too; nothing counts what it receives.
            Loss::Filtered(Part::Smp) => {
                self.records.iter().any(|entry| entry.sent && entry.channel == Some(SMP))
            }
            Loss::Filtered(Part::DataReceived) => self.records.iter().filter(asks).count() > 1,
            _ => true,
        }
    }

    pub fn whole(&self) -> Left {
        self.keeping(|_, _| true)
    }

    pub fn after(&self, loss: &Loss) -> Left {
        match *loss {
            Loss::Begin(place) => self.keeping(|index, _| index >= place),
            Loss::End(place) => self.keeping(|index, _| index < place),
            Loss::Silent(place) => self.keeping(|index, _| index != place),
            Loss::Filtered(part) => self.keeping(|_, entry| entry.stays(part)),
            Loss::DataClipped(len) => self.with(|_, entry| {
                Some(if entry.kind == Kind::Acl { entry.cut(len) } else { entry.bytes.clone() })
            }),
            Loss::AllClipped(len) => self.with(|_, entry| Some(entry.cut(len))),
            Loss::Counted { from, to, each } => {
                let mut dropped: u32 = 0;
                self.with(|index, entry| {
                    if (from..to).contains(&index) && (index - from).is_multiple_of(each) {
                        dropped += 1;
                        return None;
                    }
                    let mut bytes = entry.bytes.clone();
                    let before = u32::from_be_bytes(bytes[12..16].try_into().expect("four"));
                    bytes[12..16].copy_from_slice(&(before + dropped).to_be_bytes());
                    Some(bytes)
                })
            }
        }
    }

    fn keeping(&self, keeps: impl Fn(usize, &Entry) -> bool) -> Left {
        self.with(|index, entry| keeps(index, entry).then(|| entry.bytes.clone()))
    }

    fn with(&self, mut change: impl FnMut(usize, &Entry) -> Option<Vec<u8>>) -> Left {
        let mut left = Left { bytes: self.header.clone(), frames: Vec::new() };
        for (index, entry) in self.records.iter().enumerate() {
            if let Some(bytes) = change(index, entry) {
                left.bytes.extend(bytes);
                left.frames.push(index as u32 + 1);
            }
        }
        left
    }
}

impl Entry {
    fn stays(&self, without: Part) -> bool {
        // The first byte of the packet: an event's code, behind the type byte of H4 where there is one.
        let packet = &self.bytes[RECORD..];
        let event = |code: u8| {
            self.kind == Kind::Event
                && (packet.first() == Some(&code) || packet.starts_with(&[4, code]))
        };
        match without {
            Part::Commands => self.kind != Kind::Command,
            Part::Events => self.kind != Kind::Event,
            Part::Data => self.kind != Kind::Acl,
            Part::DataSent => self.kind != Kind::Acl || !self.sent,
            Part::DataReceived => self.kind != Kind::Acl || self.sent,
            Part::AllButAtt => self.channel == Some(ATT),
            Part::Att => self.channel != Some(ATT),
            Part::Smp => self.channel != Some(SMP),
            Part::Reports => {
                let sub =
                    if packet.starts_with(&[4, 0x3e]) { packet.get(3) } else { packet.get(2) };
                !(event(0x3e) && matches!(sub, Some(0x02 | 0x0b | 0x0d)))
            }
            Part::Completed => !event(0x13),
            Part::Notes => matches!(self.kind, Kind::Command | Kind::Event | Kind::Acl),
        }
    }

    /// The record with so many bytes of its packet, type byte and all. The original length stays.
    fn cut(&self, len: usize) -> Vec<u8> {
        let kept = (self.bytes.len() - RECORD).min(len);
        let mut bytes = self.bytes[..RECORD + kept].to_vec();
        bytes[4..8].copy_from_slice(&(kept as u32).to_be_bytes());
        bytes
    }
}
