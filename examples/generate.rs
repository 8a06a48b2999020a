//! Writes a large capture of LE traffic: advertising, connections, discovery, notifications.
//!
//! `cargo run --release --example generate -- OUT MB [btsnoop|monitor|pklg|pklg-le|pcapng] [SEED]`
use hcidiff::capture::{Kind, Payload, Record, WriteError, btsnoop, packetlogger, pcapng};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;
use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

type Output = BufWriter<File>;

enum Writer {
    Btsnoop(btsnoop::Writer<Output>, Option<u16>),
    PacketLogger(packetlogger::Writer<Output>),
    Pcapng(pcapng::Writer<Output>),
}

impl Writer {
    fn new(format: &str, output: Output) -> Result<Option<Self>, WriteError> {
        use btsnoop::Datalink;
        Ok(Some(match format {
            "btsnoop" => Self::Btsnoop(btsnoop::Writer::new(output, Datalink::H4)?, None),
            "monitor" => Self::Btsnoop(btsnoop::Writer::new(output, Datalink::Monitor)?, Some(0)),
            "pklg" => Self::PacketLogger(packetlogger::Writer::big_endian(output)),
            "pklg-le" => Self::PacketLogger(packetlogger::Writer::little_endian(output)),
            "pcapng" => Self::Pcapng(pcapng::Writer::new(output)?),
            _ => return Ok(None),
        }))
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), WriteError> {
        match self {
            Self::Btsnoop(writer, _) => writer.push(record),
            Self::PacketLogger(writer) => writer.push(record),
            Self::Pcapng(writer) => writer.push(record),
        }
    }

    fn adapter(&self) -> Option<u16> {
        match self {
            Self::Btsnoop(_, adapter) => *adapter,
            _ => None,
        }
    }

    fn finish(self) -> Result<(), WriteError> {
        match self {
            Self::Btsnoop(writer, _) => writer.finish().map(drop),
            Self::PacketLogger(writer) => writer.finish().map(drop),
            Self::Pcapng(writer) => writer.finish().map(drop),
        }
    }
}

/// Marsaglia's xorshift: the same seed gives the same file on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll(256) as u8).collect()
    }
}

struct Traffic {
    writer: Writer,
    dice: Dice,
    now: i64,
    written: u64,
    records: u64,
}

impl Traffic {
    fn push(&mut self, kind: Kind, direction: Direction, packet: &[u8]) -> Result<(), WriteError> {
        let record = Record {
            frame: 0,
            offset: 0,
            time: Some(Timestamp(self.now)),
            adapter: self.writer.adapter(),
            direction: Some(direction),
            kind,
            payload: Payload::Bytes(packet),
            original_len: packet.len() as u32,
            comment: None,
        };
        self.written += 25 + packet.len() as u64;
        self.records += 1;
        self.writer.push(&record)
    }

    fn command(&mut self, opcode: u16, parameters: &[u8]) -> Result<(), WriteError> {
        let mut packet = opcode.to_le_bytes().to_vec();
        packet.push(parameters.len() as u8);
        packet.extend_from_slice(parameters);
        self.push(Kind::Command, Direction::Sent, &packet)?;
        self.now += 500;
        Ok(())
    }

    fn event(&mut self, code: u8, parameters: &[u8]) -> Result<(), WriteError> {
        let mut packet = vec![code, parameters.len() as u8];
        packet.extend_from_slice(parameters);
        self.push(Kind::Event, Direction::Received, &packet)?;
        self.now += 300;
        Ok(())
    }

    fn complete(&mut self, opcode: u16) -> Result<(), WriteError> {
        let [low, high] = opcode.to_le_bytes();
        self.event(0x0e, &[1, low, high, 0])
    }

    fn status(&mut self, opcode: u16) -> Result<(), WriteError> {
        let [low, high] = opcode.to_le_bytes();
        self.event(0x0f, &[0, 1, low, high])
    }

    fn att(&mut self, direction: Direction, handle: u16, pdu: &[u8]) -> Result<(), WriteError> {
        let boundary = if direction == Direction::Sent { 0 } else { 0x2000 };
        let mut packet = (handle | boundary).to_le_bytes().to_vec();
        packet.extend_from_slice(&(pdu.len() as u16 + 4).to_le_bytes());
        packet.extend_from_slice(&(pdu.len() as u16).to_le_bytes());
        packet.extend_from_slice(&4u16.to_le_bytes());
        packet.extend_from_slice(pdu);
        self.push(Kind::Acl, direction, &packet)
    }

    fn request(&mut self, handle: u16, ask: &[u8], answer: &[u8]) -> Result<(), WriteError> {
        self.att(Direction::Sent, handle, ask)?;
        self.now += 45_000;
        self.att(Direction::Received, handle, answer)?;
        let [low, high] = handle.to_le_bytes();
        self.event(0x13, &[1, low, high, 1, 0])
    }

    fn advertising(&mut self, adverts: &[Vec<u8>]) -> Result<(), WriteError> {
        for _ in 0..1500 + self.dice.roll(1500) {
            self.now += 300 + self.dice.roll(3700) as i64;
            let advert = &adverts[self.dice.roll(adverts.len() as u64) as usize];
            self.event(0x3e, advert)?;
        }
        Ok(())
    }

    fn connection(&mut self, handle: u16, address: &[u8]) -> Result<(), WriteError> {
        let [low, high] = handle.to_le_bytes();
        self.command(0x200c, &[0, 0])?;
        self.complete(0x200c)?;
        let mut create = vec![0x60, 0, 0x30, 0, 0, 1];
        create.extend_from_slice(address);
        create.extend_from_slice(&[0, 24, 0, 40, 0, 0, 0, 0xf4, 1, 0, 0, 0, 0]);
        self.command(0x200d, &create)?;
        self.status(0x200d)?;
        self.now += 40_000;
        let mut up = vec![1, 0, low, high, 0, 1];
        up.extend_from_slice(address);
        up.extend_from_slice(&[36, 0, 0, 0, 0xf4, 1, 0]);
        self.event(0x3e, &up)?;
        self.command(0x2016, &[low, high])?;
        self.status(0x2016)?;
        let reason = [0x13, 0x13, 0x13, 0x08, 0x08, 0x3e, 0x16, 0x3d][self.dice.roll(8) as usize];
        if reason != 0x3e {
            self.now += 50_000;
            self.event(0x3e, &[4, 0, low, high, 0x3f, 0, 0, 8, 0, 0, 0, 0])?;
            self.request(handle, &[0x02, 5, 2], &[0x03, 0xf7, 0])?;
            for start in (1..37u8).step_by(9) {
                let answer = [0x11, 6, start, 0, start + 8, 0, start, 0x18];
                self.request(handle, &[0x10, start, 0, 0xff, 0xff, 0, 0x28], &answer)?;
            }
            for at in (1..37u8).step_by(6) {
                let answer = [0x09, 7, at + 1, 0, 0x12, at + 2, 0, at, 0x2a];
                self.request(handle, &[0x08, at, 0, 36, 0, 0x03, 0x28], &answer)?;
            }
            self.request(handle, &[0x10, 37, 0, 0xff, 0xff, 0, 0x28], &[0x01, 0x10, 37, 0, 0x0a])?;
            for at in (3..15u8).step_by(3) {
                let mut answer = vec![0x0b];
                answer.extend(self.dice.bytes(20));
                self.request(handle, &[0x0a, at, 0], &answer)?;
            }
            self.request(handle, &[0x12, 0x0c, 0, 1, 0], &[0x13])?;
            self.notifications(handle)?;
        }
        self.now += 300_000;
        self.event(0x05, &[0, low, high, reason])?;
        self.command(0x200c, &[1, 0])?;
        self.complete(0x200c)
    }

    fn notifications(&mut self, handle: u16) -> Result<(), WriteError> {
        for _ in 0..800 + self.dice.roll(1700) {
            self.now += 7_000 + self.dice.roll(23_000) as i64;
            let mut pdu = vec![0x1b, 0x0b, 0];
            let len = [20, 20, 20, 64, 120, 182][self.dice.roll(6) as usize];
            pdu.resize(3 + len, 0x5a);
            self.att(Direction::Received, handle, &pdu)?;
            // Now and then the host says something too.
            if self.dice.roll(20) == 0 {
                let mut pdu = vec![0x52, 0x0e, 0];
                pdu.resize(3 + 20, 0xa5);
                self.att(Direction::Sent, handle, &pdu)?;
                self.now += 15_000;
                let [low, high] = handle.to_le_bytes();
                self.event(0x13, &[1, low, high, 1, 0])?;
            }
        }
        Ok(())
    }
}

fn run() -> Result<bool, WriteError> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(size)) = (arguments.next(), arguments.next()) else { return Ok(false) };
    let Ok(megabytes) = size.parse::<u64>() else { return Ok(false) };
    let format = arguments.next().unwrap_or_else(|| "btsnoop".into());
    let seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let output = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let Some(writer) = Writer::new(&format, output)? else { return Ok(false) };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ seed);
    let addresses: Vec<_> = (0..400).map(|_| dice.bytes(6)).collect();
    let adverts: Vec<_> = addresses
        .iter()
        .map(|address| {
            let len = 5 + dice.roll(18) as usize;
            let mut advert = vec![2, 1, 0, 1];
            advert.extend_from_slice(address);
            advert.extend_from_slice(&[len as u8 + 5, 2, 1, 6, len as u8 + 1, 0xff]);
            advert.extend(dice.bytes(len));
            advert.push(0xc4);
            advert
        })
        .collect();
    let now = 1_760_000_000_000_000;
    let mut traffic = Traffic { writer, dice, now, written: 0, records: 0 };
    traffic.command(0x0c03, &[])?;
    traffic.complete(0x0c03)?;
    let mut handle = 0x40;
    while traffic.written < megabytes * 1_000_000 {
        traffic.advertising(&adverts)?;
        let address = &addresses[traffic.dice.roll(400) as usize];
        traffic.connection(handle, address)?;
        handle = if handle < 0x4f { handle + 1 } else { 0x40 };
    }
    println!("{} records", traffic.records);
    traffic.writer.finish()?;
    Ok(true)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("usage: generate OUT MB [btsnoop|monitor|pklg|pklg-le|pcapng] [SEED]");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
