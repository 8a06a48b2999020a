//! Tables are read back with the reader of the crate, which shares little with its writer.
use super::*;
use crate::capture::Input;
use crate::{Case, analyse};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Field, Row as ReadRow};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The rows of some files, and of one that could not be read.
fn made(files: &[&str]) -> [Vec<BTreeMap<String, Field>>; 5] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |table: &Table| folder.path().join(table.name);
    let mut tables = Tables::new(|table| File::create(path(table))).expect("files");
    let mut number = 0;
    for file in files {
        number += 1;
        let analysis = analyse(&Case::one(Input::parse(&fixture(file)))).expect("a capture");
        let row = Row::of((*file).to_owned(), None, &analysis);
        tables.write(number, &row, Some(&analysis)).expect("it is written");
    }
    let row = Row::unread("picture.png".into(), Some("bad".into()), "this is no capture".into());
    tables.write(number + 1, &row, None).expect("it is written");
    tables.finish().expect("ended");
    TABLES.map(|table| read(&path(table)))
}

fn read(path: &Path) -> Vec<BTreeMap<String, Field>> {
    let reader = SerializedFileReader::new(File::open(path).expect("a file")).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    let of = |row: ReadRow| row.get_column_iter().map(|(n, f)| (n.clone(), f.clone())).collect();
    rows.map(|row| of(row.expect("a row"))).collect()
}

fn whole(row: &BTreeMap<String, Field>, column: &str) -> Option<i64> {
    match &row[column] {
        Field::Long(value) => Some(*value),
        Field::Null => None,
        other => panic!("{column}: {other:?}"),
    }
}

fn text<'a>(row: &'a BTreeMap<String, Field>, column: &str) -> Option<&'a str> {
    match &row[column] {
        Field::Str(value) => Some(value),
        Field::Null => None,
        other => panic!("{column}: {other:?}"),
    }
}

/// The flagship pair, by what its README and tshark say of it.
#[test]
fn what_was_written_is_read_back() {
    let files = ["flagship/mac.pklg", "flagship/pi-kicked.btsnoop"];
    let [captures, connections, steps, findings, claims] = made(&files);
    assert_eq!(captures.len(), 3);
    assert_eq!(text(&captures[0], "file"), Some(files[0]));
    assert_eq!(
        (text(&captures[0], "format"), text(&captures[0], "unread")),
        (Some("packetlogger"), None)
    );
    assert_eq!(
        (text(&captures[2], "unread"), text(&captures[2], "label")),
        (Some("this is no capture"), Some("bad"))
    );
    assert_eq!((whole(&captures[2], "records"), text(&captures[2], "format")), (None, None));
    assert_eq!(text(&captures[1], "rule"), Some("peer-hangs-up-on-deadline"));
    let mac: Vec<_> = connections.iter().filter(|row| whole(row, "capture") == Some(1)).collect();
    let pi: Vec<_> = connections.iter().filter(|row| whole(row, "capture") == Some(2)).collect();
    assert_eq!(mac.len() + pi.len(), connections.len());
    assert!(mac.iter().any(|row| row["interval_ms"] == Field::Double(15.0)));
    assert!(pi.iter().any(|row| row["interval_ms"] == Field::Double(50.0)
        && whole(row, "reason") == Some(0x13)
        && text(row, "ended_by") == Some("peer")));
    // Each connection says how many steps it has, and they are there in order.
    for connection in &connections {
        let of = |column| whole(connection, column);
        let own = steps.iter().filter(|step| {
            (whole(step, "capture"), whole(step, "connection")) == (of("capture"), of("connection"))
        });
        let numbers: Vec<i64> = own.filter_map(|step| whole(step, "step")).collect();
        let all: Vec<i64> = (1..=of("steps").expect("a number")).collect();
        assert_eq!(numbers, all);
    }
    let mtu = steps.iter().find(|step| {
        whole(step, "capture") == Some(1) && text(step, "procedure") == Some("exchange-mtu")
    });
    assert_eq!(text(mtu.expect("an exchange"), "outcome"), Some("ok"));
    let verdict = findings.iter().find(|row| whole(row, "capture") == Some(2)).expect("a finding");
    assert_eq!(text(verdict, "rule"), Some("peer-hangs-up-on-deadline"));
    assert_eq!(whole(verdict, "finding"), Some(1));
    assert!(claims.is_empty());
}

/// A log of bluetoothd stands in the place of a capture: no connections, but claims.
#[test]
fn logs_have_claims() {
    let name = "witness/b02-kick/b02-kick.journal.txt";
    let log = fixture(name);
    if !log.exists() {
        eprintln!("the package has no logs: skipped");
        return;
    }
    let analysis = analyse(&Case::one(Input::parse(&log))).expect("a log");
    let expected = &analysis.testimonies[0].log;
    let [captures, connections, _, _, claims] = made(&[name]);
    assert_eq!((text(&captures[0], "format"), connections.len()), (Some("log"), 0));
    assert_eq!((claims.len(), expected.claims.is_empty()), (expected.claims.len(), false));
    let lines: Vec<i64> = claims.iter().filter_map(|row| whole(row, "line")).collect();
    assert_eq!(lines, expected.claims.iter().map(|it| i64::from(it.line)).collect::<Vec<_>>());
}

/// Rows that come in many pieces and fill several row groups are all there, in their order.
#[test]
fn row_groups_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |table: &Table| folder.path().join(table.name);
    let mut tables = Tables::new(|table| File::create(path(table))).expect("files");
    const FILES: u64 = 2_000;
    for number in 1..=FILES {
        let row = Row::unread(format!("{number} {}", "x".repeat(10_000)), None, "why".into());
        tables.write(number, &row, None).expect("it is written");
    }
    tables.finish().expect("ended");
    let file = File::open(path(&captures::TABLE)).expect("a file");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    assert!(reader.num_row_groups() > 1);
    let about = reader.metadata().file_metadata().key_value_metadata().expect("what it is");
    assert!(
        about.iter().any(|it| it.key == "hcidiff.schema" && it.value.as_deref() == Some(SCHEMA))
    );
    let rows = read(&path(&captures::TABLE));
    let numbers: Vec<i64> = rows.iter().filter_map(|row| whole(row, "capture")).collect();
    assert_eq!(numbers, (1..=FILES as i64).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| text(row, "file").is_some_and(|file| file.len() > 10_000)));
}

/// A file with very many rows is given away in pieces of bounded size.
#[test]
fn pieces_are_small() {
    let path = fixture("flagship/mac.pklg");
    let mut analysis = analyse(&Case::one(Input::parse(&path))).expect("a capture");
    let connection = analysis.captures[0].connections[0].clone();
    analysis.captures[0].connections.extend(vec![connection; 3_000]);
    let row = Row::of("many".into(), None, &analysis);
    let mut sizes = Vec::new();
    let full = |piece: &mut Piece| {
        sizes.push(piece.bytes());
        Ok(())
    };
    let mut last = Piece::default();
    rows(1, &row, Some(&analysis), &mut last, full).expect("given");
    sizes.push(last.bytes());
    assert!(sizes.len() > 3, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size < 2 * PIECE), "{sizes:?}");
}

/// A column whose values are of another kind than it declares would be empty.
#[test]
fn columns_hold_what_they_declare() {
    let mut seen: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    let mut look = |piece: &mut Piece| {
        for (table, rows) in TABLES.iter().zip(&piece.0) {
            for (declared, column) in table.columns.iter().zip(&rows.columns) {
                let there = column.levels.contains(&1);
                assert!(!declared.always || !column.levels.contains(&0), "{}", declared.name);
                seen.entry(declared.name).or_default().push(there);
            }
        }
        Ok(())
    };
    for file in ["flagship/mac.pklg", "flagship/pi.btsnoop", "lab/A/06-pairing-good.btsnoop"] {
        let analysis = analyse(&Case::one(Input::parse(&fixture(file)))).expect("a capture");
        let row = Row::of(file.to_owned(), None, &analysis);
        let mut last = Piece::default();
        rows(1, &row, Some(&analysis), &mut last, &mut look).expect("given");
        look(&mut last).expect("given");
    }
    let empty: Vec<&str> =
        seen.iter().filter(|(_, there)| !there.contains(&true)).map(|(name, _)| *name).collect();
    // None of these captures has a log beside it, a label, or an error.
    const MAY_BE: &[&str] = &[
        "claim",
        "device",
        "host_version",
        "kind",
        "label",
        "lacks",
        "line",
        "log",
        "log_lines",
        "peer_identity",
        "reason_sent",
        "reason_system",
        "relation",
        "text",
        "time",
        "unread",
        "what",
    ];
    let strange: Vec<_> = empty.iter().filter(|name| !MAY_BE.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn names_are_plain_and_stand_once() {
    for table in TABLES {
        let mut names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(names.iter().all(|name| name.chars().all(plain)), "{names:?}");
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{}", table.name);
        assert!(table.columns.iter().all(|column| column.says.trim().ends_with('.')));
    }
}
