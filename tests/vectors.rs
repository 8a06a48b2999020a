//! The crafted vectors: one session in every container, and the same session damaged.
//!
//! What each one holds is known from the scripts that wrote it (fixtures/vectors); what
//! each kind of damage must leave was settled beforehand, and counted with tshark too.
use hcidiff::capture::{
    CaptureError, Input, Kind, OpenOptions, Record, Warning, open, open_stream,
};
use hcidiff::packet::Direction;
use hcidiff::time::Clock;
use std::io::Cursor;
use std::path::PathBuf;

use Direction::{Received, Sent};
use Kind::{Acl, Command, Event};

/// The session of craft.py: kind, direction, packet.
const SESSION: [(Kind, Direction, &str); 16] = [
    (Command, Sent, "030c00"),
    (Event, Received, "0e0401030c00"),
    (Command, Sent, "0d201960003000000101eeffc0dec000180028000000a40100000000"),
    (Event, Received, "0f0400010d20"),
    (Event, Received, "3e1301004000000101eeffc0dec024000000a40100"),
    (Command, Sent, "1620024000"),
    (Event, Received, "0f0400011620"),
    (Acl, Sent, "4000070003000400020502"),
    (Event, Received, "3e0c04004000ff79010000000000"),
    (Acl, Received, "402007000300040003f700"),
    (Event, Received, "13050140000100"),
    (Acl, Received, "40201b001e0004001b2a00000102030405060708090a0b0c0d0e0f10111213"),
    (Acl, Received, "401007001415161718191a"),
    (Command, Sent, "13200e40000c0018000000c80000000000"),
    (Event, Received, "3e0a0300400018000000c800"),
    (Event, Received, "05040040003e"),
];

/// When the first packet of the session is, and how far apart they are.
const START: i64 = 1_700_000_000_000_000;
const STEP: i64 = 12_345;

/// A record as these tests see it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    frame: u32,
    time: Option<i64>,
    adapter: Option<u16>,
    direction: Option<Direction>,
    kind: Kind,
    bytes: String,
    cut: bool,
    comment: Option<String>,
}

struct Read {
    records: Vec<Seen>,
    warnings: Vec<Warning>,
    /// What kind of clock it is, and what was said of it before the first record.
    clock: Clock,
    clock_at_first: Clock,
    format: &'static str,
}

impl Read {
    fn codes(&self) -> Vec<&str> {
        self.warnings.iter().map(|warning| warning.kind.word()).collect()
    }

    fn warning(&self, code: &str) -> &Warning {
        let found = self.warnings.iter().find(|warning| warning.kind.word() == code);
        found.unwrap_or_else(|| panic!("no {code} among {:?}", self.codes()))
    }
}

fn see(record: &Record<'_>) -> Seen {
    Seen {
        frame: record.frame,
        time: record.time.map(|time| time.0),
        adapter: record.adapter,
        direction: record.direction,
        kind: record.kind,
        bytes: record.bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        cut: record.is_cut(),
        comment: record.comment.as_deref().map(str::to_owned),
    }
}

fn read_with(name: &str, options: &OpenOptions) -> Result<Read, CaptureError> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors").join(name);
    let mut source = open(&Input::Path(path), options)?.source;
    let clock_at_first = source.describe().clock;
    let mut records = Vec::new();
    while let Some(record) = source.next()? {
        records.push(see(&record));
    }
    let description = source.describe();
    let warnings = source.warnings();
    let (clock, format) = (description.clock, description.format);
    Ok(Read { records, warnings, clock, clock_at_first, format })
}

fn read(name: &str) -> Read {
    read_with(name, &OpenOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refusal(name: &str) -> String {
    match read_with(name, &OpenOptions::default()) {
        Err(CaptureError::Refused(why)) => why,
        Err(error) => panic!("{name}: {error}"),
        Ok(read) => panic!("{name}: {} records", read.records.len()),
    }
}

/// The session's records as `time` places them, numbered from 1.
fn session(time: impl Fn(i64) -> Option<i64>) -> Vec<Seen> {
    (0i64..)
        .zip(SESSION)
        .map(|(at, (kind, direction, bytes))| Seen {
            frame: at as u32 + 1,
            time: time(START + at * STEP),
            adapter: None,
            direction: Some(direction),
            kind,
            bytes: bytes.into(),
            cut: false,
            comment: None,
        })
        .collect()
}

fn on_adapter(mut records: Vec<Seen>, adapter: u16) -> Vec<Seen> {
    records.iter_mut().for_each(|record| record.adapter = Some(adapter));
    records
}

#[test]
fn the_session_is_the_same_in_every_container() {
    let whole = session(Some);
    for (name, format, clock) in [
        ("s_1001.btsnoop", "btsnoop", Clock::Utc),
        ("s_1002.btsnoop", "btsnoop", Clock::Utc),
        ("s_1002.btsnoop.gz", "btsnoop", Clock::Utc),
        ("s_be.pklg", "packetlogger", Clock::Local),
        ("s_le.pklg", "packetlogger", Clock::Local),
        ("s_187.pcap", "pcap", Clock::Utc),
        ("s_201.pcap", "pcap", Clock::Utc),
        ("s_201be.pcap", "pcap", Clock::Utc),
        ("s_201ns.pcap", "pcap", Clock::Utc),
        ("pd_fcsbits.pcap", "pcap", Clock::Utc),
        ("pn_be.pcapng", "pcapng", Clock::Utc),
        ("pn_conflict.pcapng", "pcapng", Clock::Utc),
        ("pn_oldpb.pcapng", "pcapng", Clock::Utc),
        ("s.hcidump", "hcidump", Clock::Utc),
        ("s_snooz1.txt", "btsnooz", Clock::Utc),
    ] {
        let read = read(name);
        assert_eq!(read.records, whole, "{name}");
        assert_eq!((read.format, read.clock), (format, clock), "{name}");
    }
    for name in ["s_2001.btsnoop", "s_254.pcap"] {
        assert_eq!(read(name).records, on_adapter(whole.clone(), 0), "{name}");
    }
    assert_eq!(read("h_bigindex.btsnoop").records, on_adapter(whole, 20));
}

#[test]
fn a_serial_stream_counts_tenths_of_a_millisecond() {
    let read = read("s.tty");
    // The stream counts 123 ticks from packet to packet.
    let ticks = |time| (time - START) / STEP * 123;
    assert_eq!(read.records, session(|time| Some(ticks(time) * 100)));
    assert_eq!((read.format, read.clock), ("monitor-stream", Clock::Relative));
}

#[test]
fn a_second_interface_is_an_adapter_of_its_own() {
    let read = read("s.pcapng");
    let mut first = on_adapter(session(Some), 0);
    first.iter_mut().for_each(|record| record.frame = record.frame * 2 - 1);
    first[4].comment = Some("a comment".into());
    let mut second = session(Some);
    second.iter_mut().for_each(|record| record.frame *= 2);
    let (odd, even): (Vec<_>, Vec<_>) =
        read.records.into_iter().partition(|record| record.frame % 2 == 1);
    assert_eq!(odd, first, "named bluetooth0");
    assert_eq!(even, second, "not named after an adapter");
}

#[test]
fn odd_clocks_of_pcapng_are_read_exactly() {
    // 2^-10 s ticks after an offset of 1000 s: what is below a tick is lost.
    let ticks = |time: i64| (time - 1_000_000_000) * 1024 / 1_000_000;
    let floor = |time| Some(1_000_000_000 + ticks(time) * 1_000_000 / 1024);
    assert_eq!(read("pn_tsres_off.pcapng").records, session(floor));
    let simple = read("pn_spb187.pcapng");
    assert_eq!(simple.records, session(|_| None), "simple packet blocks have no times");
    assert_eq!(simple.clock, Clock::None);
}

#[test]
fn sections_start_over_with_interfaces_but_not_with_frames() {
    let read = read("pn_twosec.pcapng");
    let mut whole = session(Some);
    // Between the sections stands a custom block, to which Wireshark gives a number.
    for record in &mut whole[8..] {
        record.adapter = Some(3);
        record.frame += 1;
    }
    assert_eq!(read.records, whole);
    assert_eq!(read.warning("concatenated").frame, Some(10));
}

#[test]
fn foreign_frames_count_as_frames() {
    let read = read("pn_mixed_eth.pcapng");
    let (foreign, hci): (Vec<_>, Vec<_>) =
        read.records.iter().cloned().partition(|record| record.kind == Kind::Foreign(1));
    let mut whole = session(Some);
    whole.iter_mut().for_each(|record| record.frame *= 2);
    assert_eq!(hci, whole);
    assert_eq!(foreign.len(), 16);
    assert!(read.warning("foreign-frames").text.starts_with("16 frames"));
}

#[test]
fn every_monitor_opcode_keeps_its_place() {
    let read = read("s_mon.btsnoop");
    let kinds: Vec<_> = read.records.iter().map(|record| (record.kind, record.adapter)).collect();
    let system = |opcode| (Kind::Monitor(opcode), None);
    let hci0 = |opcode| (Kind::Monitor(opcode), Some(0));
    let before: Vec<_> = [system(12), hci0(0), hci0(8), hci0(10), system(14)]
        .into_iter()
        .chain([16, 17, 17, 17, 17, 17, 13, 11].map(hci0))
        .collect();
    assert_eq!(kinds[..13], before);
    let hci: Vec<_> = SESSION.iter().map(|(kind, ..)| (*kind, Some(0))).collect();
    assert_eq!(kinds[13..29], hci);
    let hci1 = [(Kind::Monitor(0), Some(1)), (Event, Some(1))];
    let after: Vec<_> = hci1.into_iter().chain([system(15), hci0(9), hci0(1), hci0(20)]).collect();
    assert_eq!(kinds[29..], after);
}

#[test]
fn notes_and_unknown_types_do_not_hide_a_packetlogger_file() {
    for (name, kinds) in [
        ("s_note_le.pklg", vec![Kind::Note(0xfc)]),
        ("s_note256_le.pklg", vec![Kind::Note(0xfc)]),
        ("s_iso12_be.pklg", vec![Kind::Iso]),
        ("s_iso0c_be.pklg", vec![Kind::Iso]),
        ("s_unk20_be.pklg", vec![Kind::Note(0x20)]),
        ("s_fd_be.pklg", [0xf7, 0xfd, 0xfe, 0xfb].map(Kind::Note).to_vec()),
    ] {
        let records = read(name).records;
        let (first, rest) = records.split_at(kinds.len());
        assert_eq!(first.iter().map(|record| record.kind).collect::<Vec<_>>(), kinds, "{name}");
        let mut whole = session(Some);
        whole.iter_mut().for_each(|record| record.frame += kinds.len() as u32);
        assert_eq!(rest, whole, "{name}");
    }
}

#[test]
fn a_zone_makes_local_times_universal() {
    let options = OpenOptions { tz_offset: Some(-300), ..OpenOptions::default() };
    let shifted = read_with("s_be.pklg", &options).unwrap();
    assert_eq!(shifted.records, session(|time| Some(time + 5 * 3_600_000_000)));
    assert_eq!(shifted.clock, Clock::Utc);
    assert_eq!(read_with("s_1002.btsnoop", &options).unwrap().records, session(Some));
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for (name, word) in [
        ("h_empty.btsnoop", "empty"),
        ("h_cut_filehdr.btsnoop", "header"),
        ("h_version2.btsnoop", "version 2"),
        ("s_1003.btsnoop", "BCSP"),
        ("s_1004.btsnoop", "H5"),
        ("s_2002.btsnoop", "simulator"),
        ("s_9999.btsnoop", "9999"),
        ("pd_modified_magic.pcap", "modified"),
        ("pn_badif.pcapng", "interface 5"),
        ("pn_badtrail.pcapng", "at its end"),
        ("craft.py", "plain text"),
    ] {
        let why = refusal(name);
        assert!(why.contains(word), "{name}: {why}");
    }
}

/// Records kept, and what is said of them.
#[test]
fn damage_costs_what_it_must_and_is_said() {
    for (name, records, codes) in [
        ("h_header_only.btsnoop", 0, "no-records"),
        ("h_cut_in_rechdr.btsnoop", 5, "cut-in-record"),
        ("h_cut_in_data.btsnoop", 5, "cut-in-record"),
        ("h_zero_incl_zero_orig.btsnoop", 17, "empty-records"),
        ("h_zero_incl_orig20.btsnoop", 17, "cut-packets empty-records"),
        ("h_nul_tail.btsnoop", 16, "padding"),
        ("h_typeonly_1byte.btsnoop", 17, "type-only-records"),
        ("h_badtype07.btsnoop", 17, "unknown-types"),
        ("h_cmd_dirflag_recv.btsnoop", 17, "time-steps-back direction-contradicts"),
        ("h_evt_dirflag_sent.btsnoop", 17, "time-steps-back direction-contradicts"),
        ("h_trunc_acl_orig_gt_incl.btsnoop", 17, "cut-packets"),
        ("h_orig_lt_incl.btsnoop", 17, "original-shorter"),
        ("h_incl_4000.btsnoop", 17, ""),
        ("h_incl_262145.btsnoop", 5, "impossible-length"),
        ("h_incl_huge_ffffffff.btsnoop", 5, "impossible-length"),
        ("h_ts_back.btsnoop", 16, "time-steps-back"),
        ("h_ts_zero.btsnoop", 16, "time-unusable"),
        ("h_ts_neg.btsnoop", 16, "time-unusable"),
        ("h_ts_1969.btsnoop", 16, "clock-unset"),
        ("h_ts_unixepoch.btsnoop", 16, "epoch-missing"),
        ("h_concat.btsnoop", 16, "concatenated"),
        ("h_garbage_tail.btsnoop", 16, "impossible-length"),
        ("h_bigindex.btsnoop", 16, ""),
        ("h_interleave.btsnoop", 32, ""),
        ("h_evt_plen_mismatch.btsnoop", 16, ""),
        ("h_acl_dlen_mismatch.btsnoop", 17, ""),
        ("h_orphan_cont.btsnoop", 17, "time-steps-back"),
        ("h_drops.btsnoop", 16, "dropped-packets"),
        ("h_cut.pklg", 15, "cut-in-record"),
        ("h_cuthdr.pklg", 16, "cut-in-record"),
        ("h_garbage.pklg", 6, "impossible-length"),
        ("h_len0.pklg", 6, "padding data-after-padding"),
        // The four bytes lie inside a packet, not in a length: tshark reads 16 too.
        ("h_len4.pklg", 16, ""),
        ("h_len7.pklg", 6, "impossible-length"),
        ("h_len8_notype.pklg", 17, "time-steps-back empty-records"),
        ("h_lenhuge.pklg", 6, "impossible-length"),
        ("h_len2000.pklg", 17, "time-steps-back"),
        ("h_usec_ge_1e6.pklg", 17, "odd-microseconds time-steps-back"),
        ("h_usec_first.pklg", 11, "odd-microseconds time-steps-back"),
        ("h_cut.pcap", 15, "cut-in-record"),
        ("h_cuthdr.pcap", 15, "cut-in-record"),
        ("h_hugelen.pcap", 16, "impossible-length"),
        ("h_len0.pcap", 33, "time-steps-back short-frames"),
        ("h_len2.pcap", 17, "time-steps-back short-frames"),
        ("pd_snap20.pcap", 16, "cut-packets"),
        ("pn_cut.pcapng", 31, "cut-in-record"),
        ("s_snooz2.txt", 16, "cut-packets"),
        ("bumble.btsnoop", 16, ""),
        ("layers.btsnoop", 76, ""),
        ("layers.pklg", 76, ""),
    ] {
        let read = read(name);
        assert_eq!(read.records.len(), records, "{name}");
        assert_eq!(read.codes().join(" "), codes, "{name}");
        let frames: Vec<_> = read.records.iter().map(|record| record.frame).collect();
        assert_eq!(frames, (1..=records as u32).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn damage_is_placed_to_the_byte() {
    let cut = read("h_cut_in_data.btsnoop");
    let warning = cut.warning("cut-in-record");
    assert_eq!((warning.frame, warning.offset), (Some(6), Some(205)));
    assert_eq!(cut.records, session(Some)[..5]);
    let garbage = read("h_garbage_tail.btsnoop");
    let warning = garbage.warning("impossible-length");
    assert_eq!((warning.frame, warning.offset), (Some(17), Some(611)));
    assert!(warning.text.contains("16 records kept, 40 bytes not read"), "{}", warning.text);
}

#[test]
fn a_clock_that_was_not_set_still_tells_distances() {
    let unset = read("h_ts_1969.btsnoop");
    assert_eq!((unset.clock, unset.clock_at_first), (Clock::Relative, Clock::Relative));
    let at = |time| -1_500_000 + (time - START) / STEP;
    assert_eq!(unset.records, session(|time| Some(at(time))));
    for name in ["h_ts_zero.btsnoop", "h_ts_neg.btsnoop"] {
        let none = read(name);
        assert_eq!((none.records, none.clock), (session(|_| None), Clock::None), "{name}");
    }
}

#[test]
fn the_type_byte_beats_the_direction_flag() {
    let command = &read("h_cmd_dirflag_recv.btsnoop").records[5];
    assert_eq!((command.kind, command.direction), (Command, Some(Sent)));
    let event = &read("h_evt_dirflag_sent.btsnoop").records[5];
    assert_eq!((event.kind, event.direction), (Event, Some(Received)));
}

#[test]
fn only_the_lowest_bit_of_a_pseudo_header_is_a_direction() {
    // 0, 1, 2, 3, 0x80000000, 0x01000000: as tshark reads them.
    let records = read("pd_dirs.pcap").records;
    let directions: Vec<_> = records.iter().map(|record| record.direction.unwrap()).collect();
    assert_eq!(directions, [Sent, Received, Sent, Received, Sent, Sent]);
}

#[test]
fn cut_packets_say_so() {
    let record = &read("h_trunc_acl_orig_gt_incl.btsnoop").records[5];
    assert!(record.cut);
    assert_eq!((record.kind, record.bytes.len() / 2), (Acl, 13));
    // Twenty bytes of each frame, five of them header and type.
    let longer: Vec<_> =
        session(Some).iter().filter(|record| record.bytes.len() > 30).map(|r| r.frame).collect();
    let snapped = read("pd_snap20.pcap").records;
    let cut: Vec<_> = snapped.iter().filter(|record| record.cut).map(|r| r.frame).collect();
    assert_eq!(cut, longer);
}

#[test]
fn lost_packets_are_added_up() {
    let read = read("h_drops.btsnoop");
    let warning = read.warning("dropped-packets");
    assert_eq!(warning.frame, Some(2));
    assert!(warning.text.contains("lost 15 packets"), "{}", warning.text);
}

#[test]
fn salvage_goes_on_after_damage() {
    let options = OpenOptions { salvage: true, ..OpenOptions::default() };
    let whole = session(Some);
    let packets = |records: &[Seen]| records.iter().map(|r| r.bytes.clone()).collect::<Vec<_>>();
    for name in [
        "h_incl_262145.btsnoop",
        "h_incl_huge_ffffffff.btsnoop",
        "h_len0.pklg",
        "h_len7.pklg",
        "h_lenhuge.pklg",
        "h_garbage.pklg",
    ] {
        let read = read_with(name, &options).unwrap();
        assert_eq!(packets(&read.records), packets(&whole), "{name}");
        assert!(read.warnings.iter().any(|w| w.text.contains("skipped")), "{name}");
    }
    let rest = read_with("pn_badtrail.pcapng", &options).unwrap();
    assert_eq!(packets(&rest.records), packets(&whole[1..2]));
}

/// The bytes of a vector, to be put together in other ways.
fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors").join(name);
    std::fs::read(path).unwrap()
}

fn read_bytes(bytes: Vec<u8>) -> (Vec<String>, Vec<&'static str>) {
    let options = OpenOptions::default();
    let opened = open_stream(Cursor::new(bytes), "test", &options).unwrap();
    let mut source = opened.source;
    let mut packets = Vec::new();
    while let Some(record) = source.next().unwrap() {
        packets.push(see(&record).bytes);
    }
    (packets, source.warnings().iter().map(|warning| warning.kind.word()).collect())
}

#[test]
fn joined_files_are_read_on_and_padding_ends_them() {
    let once: Vec<_> = SESSION.iter().map(|(.., packet)| (*packet).to_owned()).collect();
    let twice = [once.clone(), once.clone()].concat();
    let steps = "time-steps-back";
    for (first, second, codes) in [
        ("s_201.pcap", "s_201be.pcap", ["concatenated", steps].as_slice()),
        ("s_201ns.pcap", "s_201.pcap", &["concatenated", steps]),
        ("s_1002.btsnoop", "s_2001.btsnoop", &["concatenated", steps]),
        ("s_be.pklg", "s_be.pklg", &[steps]),
        ("pn_be.pcapng", "pn_oldpb.pcapng", &["concatenated", steps]),
        ("s.hcidump", "s.hcidump", &[steps]),
        ("s.tty", "s.tty", &[steps]),
    ] {
        let joined = read_bytes([bytes(first), bytes(second)].concat());
        assert_eq!(joined, (twice.clone(), codes.to_vec()), "{first} + {second}");
        let padded = read_bytes([bytes(first), vec![0; 100]].concat());
        assert_eq!(padded, (once.clone(), vec!["padding"]), "{first} + zeroes");
    }
    // A logger that reserves space ahead and is started again.
    let gap = [bytes("s_1002.btsnoop"), vec![0; 512], bytes("s_1002.btsnoop")].concat();
    assert_eq!(read_bytes(gap), (twice, vec!["padding", "concatenated", steps]));
}

#[test]
fn many_gaps_are_counted_and_not_listed() {
    let session = bytes("s_1002.btsnoop");
    let (header, records) = session.split_at(16);
    let damaged = [records, &[0xff; 30]].concat().repeat(50);
    let options = OpenOptions { salvage: true, ..OpenOptions::default() };
    let input = Cursor::new([header, &damaged].concat());
    let mut source = open_stream(input, "test", &options).unwrap().source;
    let mut records = 0;
    while source.next().unwrap().is_some() {
        records += 1;
    }
    assert_eq!(records, 50 * 16);
    let warnings = source.warnings();
    // 49 gaps and an end, of which eight are told in full.
    assert_eq!(warnings.iter().filter(|w| w.kind.word() == "impossible-length").count(), 8);
    assert_eq!(warnings.last().unwrap().text, "42 more places of damage were skipped");
}

#[test]
fn every_kind_of_clock_is_known_before_the_first_record() {
    for name in ["s_1002.btsnoop", "s_be.pklg", "s_201.pcap", "pn_be.pcapng", "s.hcidump", "s.tty"]
    {
        let read = read(name);
        assert_eq!(read.clock_at_first, read.clock, "{name}");
    }
    // The session again, a minute after power-on.
    let mut early = bytes("pn_be.pcapng");
    let start = START.to_be_bytes();
    let mut at = 0;
    while let Some(found) = early[at..].windows(4).position(|window| *window == start[..4]) {
        at += found;
        early[at..at + 8].copy_from_slice(&60_000_000i64.to_be_bytes());
    }
    let mut source =
        open_stream(Cursor::new(early), "test", &OpenOptions::default()).unwrap().source;
    assert_eq!(source.describe().clock, Clock::Relative);
    assert_eq!(source.next().unwrap().unwrap().time.unwrap().0, 60_000_000);
}
