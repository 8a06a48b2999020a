//! What a writer writes, the reader of its format reads back; and no bytes break a reader.
use hcidiff::capture::btsnoop::Datalink;
use hcidiff::capture::{
    CaptureError, Kind, OpenOptions, Payload, Record, WriteError, btsnoop, open_stream,
    packetlogger, pcapng,
};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use std::borrow::Cow;
use std::io::{self, Cursor, Read};

/// A record that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
struct Owned {
    time: Option<i64>,
    adapter: Option<u16>,
    direction: Option<Direction>,
    kind: Kind,
    bytes: Vec<u8>,
    original_len: u32,
    comment: Option<String>,
}

impl Owned {
    fn of(record: &Record<'_>) -> Self {
        Self {
            time: record.time.map(|time| time.0),
            adapter: record.adapter,
            direction: record.direction,
            kind: record.kind,
            bytes: record.bytes().to_vec(),
            original_len: record.original_len,
            comment: record.comment.as_deref().map(str::to_owned),
        }
    }

    fn lend(&self) -> Record<'_> {
        Record {
            frame: 0,
            offset: 0,
            time: self.time.map(Timestamp),
            adapter: self.adapter,
            direction: self.direction,
            kind: self.kind,
            payload: Payload::Bytes(&self.bytes),
            original_len: self.original_len,
            comment: self.comment.as_deref().map(Cow::Borrowed),
        }
    }
}

/// What the formats differ in.
#[derive(Clone, Copy)]
struct Holds {
    kinds: fn() -> BoxedStrategy<(Kind, Option<Direction>)>,
    adapters: bool,
    cut: bool,
    comments: bool,
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Sent), Just(Direction::Received)]
}

/// HCI packets, each in a direction in which it travels.
fn packets() -> BoxedStrategy<(Kind, Option<Direction>)> {
    let data = prop_oneof![Just(Kind::Acl), Just(Kind::Sco), Just(Kind::Iso)];
    prop_oneof![
        Just((Kind::Command, Some(Direction::Sent))),
        Just((Kind::Event, Some(Direction::Received))),
        (data, direction()).prop_map(|(kind, direction)| (kind, Some(direction))),
    ]
    .boxed()
}

fn h4() -> BoxedStrategy<(Kind, Option<Direction>)> {
    let vendor = prop_oneof![Just(0u8), 6..=255u8];
    let vendor = (vendor, direction()).prop_map(|(byte, way)| (Kind::Vendor(byte), Some(way)));
    prop_oneof![4 => packets(), 1 => vendor].boxed()
}

fn monitor() -> BoxedStrategy<(Kind, Option<Direction>)> {
    let other = prop_oneof![0..2u16, 8..18u16, 20..=0xffffu16];
    prop_oneof![packets(), other.prop_map(|opcode| (Kind::Monitor(opcode), None))].boxed()
}

fn notes() -> BoxedStrategy<(Kind, Option<Direction>)> {
    let note = prop_oneof![4..8u8, 0x0a..0x0cu8, 0x0e..0x12u8, 0x14..=0xffu8];
    prop_oneof![packets(), note.prop_map(|byte| (Kind::Note(byte), None))].boxed()
}

/// 2001 to 2098: what is a likely time in every format.
fn time() -> impl Strategy<Value = i64> {
    1_000_000_000_000_000..4_070_908_800_000_000i64
}

fn records(holds: Holds) -> impl Strategy<Value = Vec<Owned>> {
    let adapter = if holds.adapters {
        proptest::option::of(0..0xfffeu16).boxed()
    } else {
        Just(None).boxed()
    };
    let cut = if holds.cut { (0..300u32).boxed() } else { Just(0).boxed() };
    let comment = if holds.comments {
        proptest::option::of("[ -~]{1,30}").boxed()
    } else {
        Just(None).boxed()
    };
    let record = ((holds.kinds)(), time(), adapter, vec(any::<u8>(), 1..300), cut, comment);
    let record = record.prop_map(|((kind, direction), time, adapter, bytes, cut, comment)| Owned {
        time: Some(time),
        adapter,
        direction,
        kind,
        original_len: bytes.len() as u32 + cut,
        bytes,
        comment,
    });
    vec(record, 3..30)
}

fn read(bytes: Vec<u8>) -> Result<Vec<Owned>, CaptureError> {
    drain(Cursor::new(bytes), OpenOptions::default())
}

fn drain(
    input: impl Read + Send + 'static,
    options: OpenOptions,
) -> Result<Vec<Owned>, CaptureError> {
    let mut source = open_stream(input, "test", &options)?.source;
    let mut records = Vec::new();
    while let Some(record) = source.next()? {
        records.push(Owned::of(&record));
    }
    assert!(source.next()?.is_none(), "the end is the end");
    source.describe();
    source.warnings();
    Ok(records)
}

fn write_btsnoop(records: &[Owned], datalink: Datalink) -> Result<Vec<u8>, WriteError> {
    let mut writer = btsnoop::Writer::new(Vec::new(), datalink)?;
    for record in records {
        writer.push(&record.lend())?;
    }
    writer.finish()
}

fn write_pcapng(records: &[Owned]) -> Result<Vec<u8>, WriteError> {
    let mut writer = pcapng::Writer::new(Vec::new())?;
    for record in records {
        writer.push(&record.lend())?;
    }
    writer.finish()
}

fn write_packetlogger(
    records: &[Owned],
    mut writer: packetlogger::Writer<Vec<u8>>,
) -> Result<Vec<u8>, WriteError> {
    for record in records {
        writer.push(&record.lend())?;
    }
    writer.finish()
}

const H4: Holds = Holds { kinds: h4, adapters: false, cut: true, comments: false };
const MONITOR: Holds = Holds { kinds: monitor, adapters: true, cut: true, comments: false };
const PACKETLOGGER: Holds = Holds { kinds: notes, adapters: false, cut: false, comments: false };
const PCAPNG: Holds = Holds { kinds: h4, adapters: true, cut: true, comments: true };

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn btsnoop_h4(records in records(H4)) {
        let bytes = write_btsnoop(&records, Datalink::H4).unwrap();
        prop_assert_eq!(read(bytes).unwrap(), records);
    }

    #[test]
    fn btsnoop_monitor(records in records(MONITOR)) {
        let bytes = write_btsnoop(&records, Datalink::Monitor).unwrap();
        prop_assert_eq!(read(bytes).unwrap(), records);
    }

    #[test]
    fn packetlogger_in_both_byte_orders(records in records(PACKETLOGGER)) {
        // The content must be recognisable: unknown notes alone are nobody's format.
        let known = Owned { kind: Kind::Note(0xfc), direction: None, ..records[0].clone() };
        let records = [vec![known; 3], records].concat();
        for writer in [packetlogger::Writer::big_endian(Vec::new()), packetlogger::Writer::little_endian(Vec::new())] {
            let bytes = write_packetlogger(&records, writer).unwrap();
            prop_assert_eq!(read(bytes).unwrap(), records.clone());
        }
    }

    #[test]
    fn pcapng_with_comments(records in records(PCAPNG)) {
        let bytes = write_pcapng(&records).unwrap();
        prop_assert_eq!(read(bytes).unwrap(), records);
    }

    #[test]
    fn the_size_of_reads_changes_nothing(records in records(H4), size in 1..40usize) {
        let bytes = write_btsnoop(&records, Datalink::H4).unwrap();
        let drip = Drip { bytes: Cursor::new(bytes), size };
        prop_assert_eq!(drain(drip, OpenOptions::default()).unwrap(), records);
    }

    #[test]
    fn no_bytes_break_a_reader(head in 0..HEADS.len(), tail in vec(any::<u8>(), 0..600), size in 1..700usize, salvage: bool) {
        let bytes = [HEADS[head], &tail].concat();
        let drip = Drip { bytes: Cursor::new(bytes), size };
        let options = OpenOptions { salvage, ..OpenOptions::default() };
        // Any answer will do; what must not happen is a panic or an endless loop.
        let _ = drain(drip, options);
    }

    #[test]
    fn no_damage_breaks_a_reader(records in records(MONITOR), at in any::<prop::sample::Index>(), with in vec(any::<u8>(), 1..9), salvage: bool) {
        let mut bytes = write_btsnoop(&records, Datalink::Monitor).unwrap();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + with.len());
        bytes.splice(at..end, with);
        let _ = drain(Cursor::new(bytes), OpenOptions { salvage, ..OpenOptions::default() });
    }
}

/// Beginnings that lead into each reader.
const HEADS: [&[u8]; 12] = [
    b"",
    b"btsnoop\0\0\0\0\x01\0\0\x03\xe9",
    b"btsnoop\0\0\0\0\x01\0\0\x03\xea",
    b"btsnoop\0\0\0\0\x01\0\0\x07\xd1",
    b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\xc9\0\0\0",
    b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\xfe\0\0\0",
    b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\xdc\0\0\0",
    b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\xf9\0\0\0",
    b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0\x01\0\0\0\x14\0\0\0\xc9\0\0\0\0\0\0\0\x14\0\0\0",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"PK\x03\x04",
    b"--- BEGIN:BTSNOOP_LOG_SUMMARY (9 bytes in) ---\n",
];

/// Gives a few bytes a time.
struct Drip {
    bytes: Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Drip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(self.size);
        self.bytes.read(&mut into[..len])
    }
}

#[test]
fn what_a_format_has_no_place_for_is_refused() {
    let note = Owned {
        time: Some(0),
        adapter: None,
        direction: None,
        kind: Kind::Note(0xfc),
        bytes: b"a note".to_vec(),
        original_len: 6,
        comment: None,
    };
    let sco = Owned { kind: Kind::Sco, direction: Some(Direction::Sent), ..note.clone() };
    for (record, datalink) in
        [(&note, Datalink::H4), (&note, Datalink::Monitor), (&sco, Datalink::H1)]
    {
        let written = write_btsnoop(std::slice::from_ref(record), datalink);
        assert!(matches!(written, Err(WriteError::Unfit(_))), "{datalink:?}");
    }
    assert!(matches!(write_pcapng(&[note]), Err(WriteError::Unfit(_))));
}
