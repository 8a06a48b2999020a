//! Captures inside archives: which one is read, from a file and from standard input.
#![cfg(feature = "archives")]
use flate2::Compression;
use flate2::write::GzEncoder;
use hcidiff::capture::{CaptureError, Input, OpenOptions, Opened, WarningKind, open, open_stream};
use std::fs;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::path::PathBuf;
use zip::write::SimpleFileOptions;

fn vector(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors").join(name);
    fs::read(path).unwrap()
}

/// What a bug report holds; the filtered log and the older one are shorter than the current one.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let logs = "FS/data/misc/bluetooth/logs/";
    let path = |name: &str| -> &'static str { format!("{logs}{name}").leak() };
    vec![
        ("main_entry.txt", b"bugreport-lynx.txt".to_vec()),
        ("bugreport-lynx.txt", vector("s_snooz2.txt")),
        (path("btsnoop_hci.log.last"), vector("h_cut_in_data.btsnoop")),
        (path("btsnooz_hci.log"), vector("h_header_only.btsnoop")),
        (path("btsnoop_hci.log"), vector("s_1002.btsnoop")),
    ]
}

fn zipped(method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files() {
        writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tarred() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files() {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, name, &*bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn wants(member: &str) -> OpenOptions {
    OpenOptions { member: Some(member.into()), ..OpenOptions::default() }
}

fn from_pipe(bytes: &[u8], options: &OpenOptions) -> Result<Opened, CaptureError> {
    open_stream(Cursor::new(bytes.to_vec()), "standard input", options)
}

fn from_file(bytes: &[u8], options: &OpenOptions) -> Result<Opened, CaptureError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    open(&Input::Path(file.path().into()), options)
}

fn count(opened: Opened) -> usize {
    let mut source = opened.source;
    let mut records = 0;
    while source.next().unwrap().is_some() {
        records += 1;
    }
    records
}

#[test]
fn the_current_log_is_read_and_the_others_are_named() {
    use zip::CompressionMethod::{Deflated, Stored};
    for archive in [zipped(Deflated), zipped(Stored), tarred(), gzipped(&tarred())] {
        for open in [from_pipe, from_file] {
            let opened = open(&archive, &OpenOptions::default()).unwrap();
            let member = opened.member.clone().unwrap();
            assert_eq!(member, "FS/data/misc/bluetooth/logs/btsnoop_hci.log");
            let [warning] = &opened.warnings[..] else { panic!("{:?}", opened.warnings) };
            assert_eq!(warning.kind, WarningKind::ArchiveMember);
            for other in ["btsnoop_hci.log.last", "btsnooz_hci.log", "bugreport-lynx.txt"] {
                assert!(warning.text.contains(other), "{}", warning.text);
            }
            assert!(!warning.text.contains("main_entry"), "{}", warning.text);
            assert_eq!(count(opened), 16);
        }
    }
}

#[test]
fn a_member_is_chosen_by_its_name_or_path() {
    let archive = zipped(zip::CompressionMethod::Deflated);
    for (name, records) in [
        ("btsnoop_hci.log.last", 5),
        ("logs/btsnoop_hci.log.last", 5),
        ("FS/data/misc/bluetooth/logs/btsnoop_hci.log", 16),
        ("bugreport-lynx.txt", 16),
    ] {
        for archive in [&archive, &tarred()] {
            let opened = from_pipe(archive, &wants(name)).unwrap();
            assert!(opened.member.as_deref().unwrap().ends_with(name));
            assert_eq!(count(opened), records, "{name}");
        }
    }
    let missing = from_pipe(&archive, &wants("hci.log")).err().unwrap().to_string();
    assert!(missing.contains("no file hci.log"), "{missing}");
    assert!(missing.contains("btsnoop_hci.log.last"), "{missing}");
    let text = from_pipe(&archive, &wants("main_entry.txt")).err().unwrap().to_string();
    assert!(text.contains("plain text"), "{text}");
}

#[test]
fn a_bug_report_alone_is_read_for_the_log_in_its_text() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bugreport-x.txt", SimpleFileOptions::default()).unwrap();
    // The log stands far below what is looked at of each file.
    writer.write_all(&b"another line of the report\n".repeat(40_000)).unwrap();
    writer.write_all(&vector("s_snooz1.txt")).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    let opened = from_file(&archive, &OpenOptions::default()).unwrap();
    assert_eq!(opened.member.as_deref(), Some("bugreport-x.txt"));
    assert_eq!(count(opened), 16);
}

#[test]
fn an_archive_without_a_capture_says_what_would_help() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    builder.append_data(&mut header, "a.txt", &b"hello"[..]).unwrap();
    let why = from_pipe(&builder.into_inner().unwrap(), &OpenOptions::default());
    let why = why.err().unwrap().to_string();
    assert!(why.contains("snoop log"), "{why}");
}

#[test]
fn damaged_compression_keeps_what_came_before() {
    let whole = vector("s_1002.btsnoop");
    let mut packed = gzipped(&whole);
    packed.truncate(packed.len() - 12);
    let mut source = from_pipe(&packed, &OpenOptions::default()).unwrap().source;
    let mut records = 0;
    while source.next().unwrap().is_some() {
        records += 1;
    }
    assert!((1..=16).contains(&records), "{records}");
    let codes: Vec<_> = source.warnings().iter().map(|warning| warning.kind.word()).collect();
    assert!(
        codes.contains(&"compression-damaged") || codes.contains(&"cut-in-record"),
        "{codes:?}"
    );
}

#[test]
fn a_wrong_checksum_in_a_zip_is_noticed() {
    let mut archive = zipped(zip::CompressionMethod::Stored);
    // The stored bytes of the current log, somewhere inside its first packet's time.
    let log = vector("s_1002.btsnoop");
    let at = archive.windows(log.len()).position(|window| window == log).unwrap();
    archive[at + 16 + 23] ^= 1;
    let mut source = from_file(&archive, &OpenOptions::default()).unwrap().source;
    while source.next().unwrap().is_some() {}
    let warnings = source.warnings();
    assert!(warnings.iter().any(|w| w.kind == WarningKind::CompressionDamaged), "{warnings:?}");
}

/// `s_1002.btsnoop` as the zstd program packs it, with a checksum.
fn zstd() -> Vec<u8> {
    vector("s_1002.btsnoop.zst")
}

#[test]
fn zstd_is_read_like_gzip() {
    let nothing = [&[0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    for (packed, records) in [
        (zstd(), 16),
        ([zstd(), zstd()].concat(), 32),
        ([&nothing[..], &zstd(), &nothing, &zstd(), &nothing].concat(), 32),
        (gzipped(&zstd()), 16),
    ] {
        for open in [from_pipe, from_file] {
            assert_eq!(count(open(&packed, &OpenOptions::default()).unwrap()), records);
        }
    }
}

#[test]
fn zstd_around_and_inside_of_an_archive() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(zstd().len() as u64);
    builder.append_data(&mut header, "pi.btsnoop.zst", &*zstd()).unwrap();
    let archive = builder.into_inner().unwrap();
    // A frame of one raw block (RFC 8878, 3.1.1.1 and 3.1.1.2): no checksum, 8 bytes of size.
    let size = (archive.len() as u64).to_le_bytes();
    let block = ((archive.len() as u32) << 3 | 1).to_le_bytes();
    let packed = [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &size, &block[..3], &archive].concat();
    for archive in [archive, packed] {
        let opened = from_pipe(&archive, &OpenOptions::default()).unwrap();
        assert_eq!(opened.member.as_deref(), Some("pi.btsnoop.zst"));
        assert_eq!(count(opened), 16);
    }
}

#[test]
fn damaged_zstd_keeps_what_came_before_and_says_so() {
    let wrong_checksum = {
        let mut packed = zstd();
        *packed.last_mut().unwrap() ^= 1;
        packed
    };
    let cut = [zstd(), zstd()[..40].to_vec()].concat();
    let not_zstd = [zstd(), b"something else".to_vec()].concat();
    let cut_in_nothing = [zstd(), vec![0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 0]].concat();
    for packed in [wrong_checksum, cut, not_zstd, cut_in_nothing] {
        let mut source = from_pipe(&packed, &OpenOptions::default()).unwrap().source;
        let mut records = 0;
        while source.next().unwrap().is_some() {
            records += 1;
        }
        assert_eq!(records, 16);
        let warnings = source.warnings();
        assert!(warnings.iter().any(|w| w.kind == WarningKind::CompressionDamaged), "{warnings:?}");
    }
}

fn sha256_of(opened: Opened) -> String {
    let mut source = opened.source;
    while source.next().unwrap().is_some() {}
    let sha256 = opened.digest.unwrap().finish().unwrap();
    sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `sha256sum` says of the files in `fixtures/vectors`.
const SHA256: [(&str, &str); 3] = [
    ("s_1002.btsnoop", "0303f7b0554b4f7d45a81773486b8ebb275d9a3b1ab8b53e5281f8f05b6ba805"),
    ("h_cut_in_data.btsnoop", "3d42e5e8a62d186bdf2efb9baf8bdd994782349b1d38f4351e7700e9fccf9a20"),
    ("s_1002.btsnoop.zst", "0a3bea3db05ec1c974c6f53d6a5d0e888f6ea3cd99fac4dae1cd76fa6cec8a1d"),
];

#[test]
fn the_digest_is_of_the_file_as_it_was_given() {
    let asked = OpenOptions { sha256: true, ..OpenOptions::default() };
    for (name, sha256) in SHA256 {
        for open in [from_pipe, from_file] {
            assert_eq!(sha256_of(open(&vector(name), &asked).unwrap()), sha256, "{name}");
        }
    }
    assert!(from_pipe(&zstd(), &OpenOptions::default()).unwrap().digest.is_none());
}

#[test]
fn of_an_archive_the_digest_is_the_member_s() {
    let asked = OpenOptions { sha256: true, ..OpenOptions::default() };
    let archives = [
        zipped(zip::CompressionMethod::Deflated),
        zipped(zip::CompressionMethod::Stored),
        tarred(),
        gzipped(&tarred()),
    ];
    for archive in &archives {
        for open in [from_pipe, from_file] {
            assert_eq!(sha256_of(open(archive, &asked).unwrap()), SHA256[0].1);
            let older = OpenOptions { sha256: true, ..wants("btsnoop_hci.log.last") };
            assert_eq!(sha256_of(open(archive, &older).unwrap()), SHA256[1].1);
        }
    }
}

#[test]
fn a_member_that_cannot_be_read_to_its_end_has_no_digest() {
    let mut archive = zipped(zip::CompressionMethod::Stored);
    let log = vector("s_1002.btsnoop");
    let at = archive.windows(log.len()).position(|window| window == log).unwrap();
    archive[at + 16 + 23] ^= 1;
    let asked = OpenOptions { sha256: true, ..OpenOptions::default() };
    let mut opened = from_file(&archive, &asked).unwrap();
    while opened.source.next().unwrap().is_some() {}
    assert_eq!(opened.digest.unwrap().finish(), None);
}

#[test]
fn two_gzip_members_are_one_file() {
    let (first, second) = (vector("s_1002.btsnoop"), vector("s_1002.btsnoop"));
    let joined = [gzipped(&first), gzipped(&second)].concat();
    assert_eq!(count(from_pipe(&joined, &OpenOptions::default()).unwrap()), 32);
}

/// A zip archive of empty files whose list takes more than 4 MiB, and what its end says.
fn long_list(files: u16, end: &[u8]) -> Vec<u8> {
    let mut archive = b"PK\x03\x04\x0a\0".to_vec();
    archive.extend([0; 24]);
    let list = archive.len() as u32;
    for number in 0..files {
        let name = format!("{number:040}");
        archive.extend(b"PK\x01\x02\x0a\0\x0a\0");
        archive.extend([0; 20]);
        archive.extend((name.len() as u16).to_le_bytes());
        archive.extend([0; 16]);
        archive.extend(name.bytes());
    }
    let length = archive.len() as u32 - list;
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([files.to_le_bytes(), files.to_le_bytes()].concat());
    archive.extend([length.to_le_bytes(), list.to_le_bytes()].concat());
    archive.extend((end.len() as u16).to_le_bytes());
    archive.extend(end);
    archive
}

#[test]
fn a_list_of_files_is_read_to_a_limit_whatever_its_end_says() {
    let few = from_file(&long_list(1_000, b""), &OpenOptions::default()).err().unwrap();
    assert!(few.to_string().starts_with("an archive of 1000 files"), "{few}");
    // In the comment stands another end, of a short list, which a reader of zip files passes over.
    let false_end = [b"PK\x05\x06\x01\0", &[0; 16][..]].concat();
    for end in [&b""[..], &false_end] {
        for open in [from_file, from_pipe] {
            let error = open(&long_list(60_000, end), &OpenOptions::default()).err().unwrap();
            assert!(error.to_string().starts_with("a zip archive of too many files"), "{error}");
        }
    }
}

#[test]
fn an_end_of_64_bits_that_claims_many_files_is_not_believed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let at = 1_u64 << 30;
    let mut archive = file.as_file();
    archive.write_all(b"PK\x03\x04").unwrap();
    archive.seek(SeekFrom::Start(at)).unwrap();
    // The end of the list in 64 bits: as many files as the list could name if it filled the file.
    let count = (at / 46).to_le_bytes();
    let sizes = [&44_u64.to_le_bytes()[..], &[45, 0, 45, 0], &[0; 8], &count, &count].concat();
    let rest = [&at.to_le_bytes()[..], &[0; 8]].concat();
    archive.write_all(&[b"PK\x06\x06", &sizes[..], &rest].concat()).unwrap();
    let locator = [b"PK\x06\x07", &[0; 4][..], &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
    archive.write_all(&locator).unwrap();
    archive.write_all(&[b"PK\x05\x06", &[0; 4][..], &[0xff; 12], &[0; 2]].concat()).unwrap();
    let error = open(&Input::Path(file.path().into()), &OpenOptions::default()).err().unwrap();
    assert!(error.to_string().starts_with("a zip archive of too many files"), "{error}");
}

#[test]
fn warnings_name_no_folder_of_an_archive() {
    let opened = from_file(&tarred(), &OpenOptions::default()).unwrap();
    let text = &opened.warnings[0].text;
    assert!(text.starts_with("read btsnoop_hci.log of the archive; also in it: "), "{text}");
    assert!(!text.contains('/') && !text.contains("FS"), "{text}");
}
