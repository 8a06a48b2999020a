//! Writes sixteen captures that are as hard to analyse as captures of their size can be: each fills one table of the
//! analysis, or makes one search long.
//!
//! `cargo run --release --example worst -- FOLDER [NAME]`
use hcidiff::capture::btsnoop::{Datalink, Writer};
use hcidiff::capture::{Kind, Payload, Record, WriteError};
use hcidiff::packet::Direction::{self, Received, Sent};
use hcidiff::time::Timestamp;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

/// A capture's name, how often its story is told, and the story.
type Worst = (&'static str, u32, fn(&mut Capture, u32) -> Result<(), WriteError>);

const WORST: [Worst; 16] = [
    ("crashes", 100_000, |capture, _| capture.event(0x10, &[0x42])),
    ("links-lost-to-crashes", 5_000, |capture, number| {
        capture.connect(HANDLE, number)?;
        capture.event(0x10, &[0x42])
    }),
    ("attempts", 100_000, |capture, number| {
        capture.connect(HANDLE, number % 50)?;
        capture.disconnected(HANDLE, 0x13)
    }),
    ("attempts-to-private-addresses", 40_000, |capture, number| {
        capture.connect(HANDLE, 0x4000_0000 + number)?;
        capture.disconnected(HANDLE, 0x3e)
    }),
    ("refused-requests", 20_000, |capture, number| {
        capture.command(0x200d, &create(number))?;
        capture.event(0x0f, &[0x0c, 1, 0x0d, 0x20])
    }),
    ("requests-without-an-answer", 20_000, |capture, number| {
        capture.command(0x200d, &create(number))
    }),
    ("advertisers", 200_000, |capture, number| {
        let mut report = vec![2, 1, 0, 1];
        report.extend(address(number));
        report.extend([3, 2, 1, 6, 0xc4]);
        capture.event(0x3e, &report)
    }),
    ("steps", 100_000, |capture, number| {
        capture.once(number)?;
        let [low, high] = (number as u16).to_le_bytes();
        capture.att(Sent, &[0x0a, low, high])?;
        capture.att(Received, &[0x01, 0x0a, low, high, (number % 17) as u8 + 1])
    }),
    ("notified-attributes", 300_000, |capture, number| {
        capture.once(number)?;
        let [low, high] = (number as u16).to_le_bytes();
        capture.att(Received, &[0x1b, low, high, 1])
    }),
    ("attributes-backwards", 100_000, |capture, number| {
        capture.once(number)?;
        let [low, high] = (0xffff_u16.wrapping_sub(number as u16)).to_le_bytes();
        capture.att(Sent, &[0x04, low, high, 0xff, 0xff])?;
        capture.att(Received, &[0x05, 1, low, high, low, 0x2a])
    }),
    ("requests-that-nobody-answers", 100_000, |capture, number| {
        capture.once(number)?;
        capture.att(Sent, &[0x0a, number as u8, 0])
    }),
    ("fragments-without-an-end", 60_000, |capture, number| {
        let handle = (number % 0x0eff) as u16;
        let mut packet = vec![0xff, 0xff, 4, 0];
        packet.resize(200, 0x5a);
        capture.acl(Received, handle, 0x2000, &packet)
    }),
    ("channels", 60_000, |capture, number| {
        capture.once(number)?;
        let id = (number % 255) as u8 + 1;
        let [low, high] = (0x40 + (number % 0xff00) as u16).to_le_bytes();
        let request = [0x14, id, 10, 0, 0x25, 0, low, high, 0xf7, 0, 0xf7, 0, 10, 0];
        capture.signal(Sent, &request)?;
        capture.signal(Received, &[0x15, id, 10, 0, low, high, 0xf7, 0, 0xf7, 0, 10, 0, 0, 0])
    }),
    ("pairings", 60_000, |capture, number| {
        capture.once(number)?;
        capture.smp(Sent, &[1, 3, 0, 1, 16, 7, 7])?;
        capture.smp(Received, &[2, 3, 0, 1, 16, 7, 7])?;
        capture.smp(Received, &[5, (number % 14) as u8 + 1])
    }),
    ("updates", 60_000, |capture, number| {
        capture.once(number)?;
        let [low, high] = (6 + (number % 3_000) as u16).to_le_bytes();
        let id = (number % 255) as u8 + 1;
        capture.signal(Received, &[0x12, id, 8, 0, low, high, low, high, 0, 0, 0x90, 1])?;
        capture.signal(Sent, &[0x13, id, 2, 0, 0, 0])?;
        let [link, above] = HANDLE.to_le_bytes();
        capture.event(0x3e, &[3, 0, link, above, low, high, 0, 0, 0x90, 1])
    }),
    ("names", 60_000, |capture, number| {
        capture.connect(HANDLE, number)?;
        let mut answer = vec![0x09, 250, 3, 0];
        let name = format!("{number:08}");
        answer.extend(name.bytes().cycle().take(248));
        capture.att(Sent, &[0x08, 1, 0, 0xff, 0xff, 0x00, 0x2a])?;
        capture.att(Received, &answer)?;
        capture.disconnected(HANDLE, 0x08)
    }),
];

/// The link of captures that have one at a time.
const HANDLE: u16 = 0x40;

fn address(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_le_bytes();
    [a, b, c, 0x5e, 0xc0, d | 0x40]
}

/// LE Create Connection.
fn create(number: u32) -> Vec<u8> {
    let mut create = vec![0x60, 0, 0x30, 0, 0, 1];
    create.extend(address(number));
    create.extend([0, 24, 0, 40, 0, 0, 0, 0xf4, 1, 0, 0, 0, 0]);
    create
}

struct Capture {
    writer: Writer<BufWriter<File>>,
    now: i64,
}

impl Capture {
    fn push(&mut self, kind: Kind, way: Direction, packet: &[u8]) -> Result<(), WriteError> {
        self.now += 1_250;
        self.writer.push(&Record {
            frame: 0,
            offset: 0,
            time: Some(Timestamp(self.now)),
            adapter: None,
            direction: Some(way),
            kind,
            payload: Payload::Bytes(packet),
            original_len: packet.len() as u32,
            comment: None,
        })
    }

    fn command(&mut self, opcode: u16, parameters: &[u8]) -> Result<(), WriteError> {
        let [low, high] = opcode.to_le_bytes();
        let head = [low, high, parameters.len() as u8];
        self.push(Kind::Command, Sent, &[&head, parameters].concat())
    }

    fn event(&mut self, code: u8, parameters: &[u8]) -> Result<(), WriteError> {
        let head = [code, parameters.len() as u8];
        self.push(Kind::Event, Received, &[&head, parameters].concat())
    }

    /// A link comes up.
    fn connect(&mut self, handle: u16, number: u32) -> Result<(), WriteError> {
        self.command(0x200d, &create(number))?;
        self.event(0x0f, &[0, 1, 0x0d, 0x20])?;
        let [low, high] = handle.to_le_bytes();
        let mut complete = vec![1, 0, low, high, 0, 1];
        complete.extend(address(number));
        complete.extend([36, 0, 0, 0, 0xf4, 1, 0]);
        self.event(0x3e, &complete)
    }

    /// The one link of a capture, before its first story.
    fn once(&mut self, number: u32) -> Result<(), WriteError> {
        if number == 0 { self.connect(HANDLE, 1) } else { Ok(()) }
    }

    fn disconnected(&mut self, handle: u16, reason: u8) -> Result<(), WriteError> {
        let [low, high] = handle.to_le_bytes();
        self.event(0x05, &[0, low, high, reason])
    }

    fn acl(
        &mut self,
        way: Direction,
        handle: u16,
        flags: u16,
        data: &[u8],
    ) -> Result<(), WriteError> {
        let mut packet = (handle | flags).to_le_bytes().to_vec();
        packet.extend((data.len() as u16).to_le_bytes());
        packet.extend(data);
        self.push(Kind::Acl, way, &packet)
    }

    fn channel(&mut self, way: Direction, channel: u8, pdu: &[u8]) -> Result<(), WriteError> {
        let flags = if way == Sent { 0 } else { 0x2000 };
        let [low, high] = (pdu.len() as u16).to_le_bytes();
        self.acl(way, HANDLE, flags, &[&[low, high, channel, 0], pdu].concat())
    }

    fn att(&mut self, way: Direction, pdu: &[u8]) -> Result<(), WriteError> {
        self.channel(way, 4, pdu)
    }

    fn signal(&mut self, way: Direction, pdu: &[u8]) -> Result<(), WriteError> {
        self.channel(way, 5, pdu)
    }

    fn smp(&mut self, way: Direction, pdu: &[u8]) -> Result<(), WriteError> {
        self.channel(way, 6, pdu)
    }
}

fn write(folder: &Path, (name, times, story): Worst) -> Result<(), WriteError> {
    let path = folder.join(name).with_extension("btsnoop");
    let output = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let writer = Writer::new(output, Datalink::H4)?;
    let mut capture = Capture { writer, now: 1_760_000_000_000_000 };
    for number in 0..times {
        story(&mut capture, number)?;
    }
    capture.writer.finish().map(drop)
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: worst FOLDER [NAME]");
        return ExitCode::from(2);
    };
    let only = arguments.next();
    for worst in WORST {
        if only.as_deref().is_some_and(|only| only != worst.0) {
            continue;
        }
        if let Err(error) = write(Path::new(&folder), worst) {
            eprintln!("{}: {error}", worst.0);
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
