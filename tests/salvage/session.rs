//! Real sessions one after the other, more than a megabyte of them, in every binary format.
use hcidiff::capture::btsnoop::Datalink;
use hcidiff::capture::{
    Input, Kind, OpenOptions, Payload, Record, WriteError, btsnoop, open, packetlogger, pcap,
    pcapng,
};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;
use std::path::{Path, PathBuf};

/// The least size of a capture.
pub const SIZE: usize = 1 << 20;

/// Time between one session and the next.
const PAUSE: i64 = 1_000_000;

/// A record of a session.
struct Owned {
    time: i64,
    direction: Option<Direction>,
    kind: Kind,
    bytes: Vec<u8>,
}

/// A capture format, and how a session is written in it.
pub struct Container {
    pub name: &'static str,
    write: fn(&mut dyn Iterator<Item = Record<'_>>) -> Result<Vec<u8>, WriteError>,
}

/// Writes all records with a writer of the library.
macro_rules! written {
    ($writer:expr) => {
        |records| {
            let mut writer = $writer;
            for record in records {
                writer.push(&record)?;
            }
            writer.finish()
        }
    };
}

pub const CONTAINERS: [Container; 13] = [
    Container {
        name: "btsnoop 1001",
        write: written!(btsnoop::Writer::new(Vec::new(), Datalink::H1)?),
    },
    Container {
        name: "btsnoop 1002",
        write: written!(btsnoop::Writer::new(Vec::new(), Datalink::H4)?),
    },
    Container {
        name: "btsnoop 2001",
        write: written!(btsnoop::Writer::new(Vec::new(), Datalink::Monitor)?),
    },
    Container {
        name: "PacketLogger, big-endian",
        write: written!(packetlogger::Writer::big_endian(Vec::new())),
    },
    Container {
        name: "PacketLogger, little-endian",
        write: written!(packetlogger::Writer::little_endian(Vec::new())),
    },
    Container { name: "pcap 201", write: written!(pcap::Writer::new(Vec::new())?) },
    Container { name: "pcap 254", write: written!(pcap::Writer::monitor(Vec::new())?) },
    Container { name: "pcap 201, big-endian", write: |records| pcap_by_hand(201, records) },
    Container { name: "pcap 187", write: |records| pcap_by_hand(187, records) },
    Container { name: "pcapng 201", write: written!(pcapng::Writer::new(Vec::new())?) },
    Container { name: "pcapng 254", write: written!(pcapng::Writer::monitor(Vec::new())?) },
    Container { name: "hcidump", write: hcidump },
    Container { name: "monitor stream", write: monitor_stream },
];

impl Container {
    /// A capture of more than a megabyte.
    pub fn capture(&self, sessions: &Sessions) -> Vec<u8> {
        (self.write)(&mut sessions.records()).expect("it has a place for every record")
    }
}

/// Captures of the laboratory as records.
pub struct Sessions(Vec<Vec<Owned>>);

impl Sessions {
    pub fn of_the_laboratory() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lab/A");
        let held = std::fs::read_dir(folder).expect("a folder");
        let mut files: Vec<PathBuf> = held.map(|entry| entry.expect("a file").path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "btsnoop"));
        files.sort();
        Self(files.iter().map(|file| session(file)).collect())
    }

    /// The sessions one after the other, again and again, until there are enough bytes. Each has its own time.
    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let (mut now, mut written) = (1_700_000_000_000_000, 0);
        let sessions = self.0.iter().cycle().map_while(move |session| {
            if written > SIZE {
                return None;
            }
            let first = session.first().map_or(0, |record| record.time);
            let shift = now - first;
            now += session.last().map_or(0, |record| record.time - first) + PAUSE;
            // The shortest header of a record has eight bytes.
            written += session.iter().map(|record| record.bytes.len() + 8).sum::<usize>();
            Some((session, shift))
        });
        sessions.flat_map(|(session, shift)| {
            session.iter().map(move |record| Record {
                frame: 0,
                offset: 0,
                time: Some(Timestamp(record.time + shift)),
                adapter: Some(0),
                direction: record.direction,
                kind: record.kind,
                payload: Payload::Bytes(&record.bytes),
                original_len: record.bytes.len() as u32,
                comment: None,
            })
        })
    }
}

/// The packets of a capture that every format has a place for. Times do not step back.
fn session(file: &Path) -> Vec<Owned> {
    let mut source = open(&Input::from(file), &OpenOptions::default()).expect("a capture").source;
    let (mut records, mut last) = (Vec::new(), 0);
    while let Some(record) = source.next().expect("it is whole") {
        if !matches!(record.kind, Kind::Command | Kind::Event | Kind::Acl) {
            continue;
        }
        last = record.time.map_or(last, |time| time.0).max(last);
        records.push(Owned {
            time: last,
            direction: record.direction,
            kind: record.kind,
            bytes: record.bytes().to_vec(),
        });
    }
    records
}

fn h4_type(kind: Kind) -> u8 {
    match kind {
        Kind::Command => 1,
        Kind::Acl => 2,
        _ => 4,
    }
}

fn received(record: &Record<'_>) -> bool {
    record.direction == Some(Direction::Received)
}

/// What the library does not write: big-endian pcap, with or without a direction.
fn pcap_by_hand(
    linktype: u32,
    records: &mut dyn Iterator<Item = Record<'_>>,
) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    let words = |out: &mut Vec<u8>, words: &[u32]| {
        words.iter().for_each(|word| out.extend(word.to_be_bytes()));
    };
    words(&mut out, &[0xa1b2_c3d4, 0x0002_0004, 0, 0, 262_144, linktype]);
    for record in records {
        let time = record.time.map_or(0, |time| time.0);
        let directed = linktype == 201;
        let len = record.bytes().len() as u32 + 1 + if directed { 4 } else { 0 };
        words(&mut out, &[(time / 1_000_000) as u32, (time % 1_000_000) as u32, len, len]);
        if directed {
            words(&mut out, &[u32::from(received(&record))]);
        }
        out.push(h4_type(record.kind));
        out.extend(record.bytes());
    }
    Ok(out)
}

fn hcidump(records: &mut dyn Iterator<Item = Record<'_>>) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    for record in records {
        let time = record.time.map_or(0, |time| time.0);
        out.extend((record.bytes().len() as u16 + 1).to_le_bytes());
        out.extend([u8::from(received(&record)), 0]);
        out.extend(((time / 1_000_000) as u32).to_le_bytes());
        out.extend(((time % 1_000_000) as u32).to_le_bytes());
        out.push(h4_type(record.kind));
        out.extend(record.bytes());
    }
    Ok(out)
}

/// Its clock counts tenths of milliseconds from power-on.
fn monitor_stream(records: &mut dyn Iterator<Item = Record<'_>>) -> Result<Vec<u8>, WriteError> {
    let (mut out, mut start) = (Vec::new(), None);
    for record in records {
        let time = record.time.map_or(0, |time| time.0);
        let ticks = (time - *start.get_or_insert(time)) / 100;
        let opcode = match (record.kind, received(&record)) {
            (Kind::Command, _) => 2_u16,
            (Kind::Event, _) => 3,
            (_, false) => 4,
            (_, true) => 5,
        };
        out.extend((record.bytes().len() as u16 + 4 + 5).to_le_bytes());
        out.extend(opcode.to_le_bytes());
        out.extend([0, 5, 8]);
        out.extend((ticks as u32).to_le_bytes());
        out.extend(record.bytes());
    }
    Ok(out)
}
