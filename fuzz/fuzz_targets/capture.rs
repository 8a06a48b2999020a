//! Opens any bytes in chunks of any size and drains whatever they turn out to be.
#![no_main]
use hcidiff::capture::{OpenOptions, open_stream};
use libfuzzer_sys::fuzz_target;
use std::io::{self, Cursor, Read};

struct Chunks {
    bytes: Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(self.size);
        self.bytes.read(&mut into[..len])
    }
}

// The last byte decides how the others are read.
fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_last() else { return };
    let size = [1, 7, 64, 4096][usize::from(choice & 3)];
    let options = OpenOptions {
        salvage: choice & 4 != 0,
        tz_offset: (choice & 8 != 0).then_some(120),
        member: (choice & 16 != 0).then(|| "log".into()),
        sha256: choice & 32 != 0,
    };
    let bytes = Cursor::new(bytes.to_vec());
    let Ok(opened) = open_stream(Chunks { bytes, size }, "input", &options) else { return };
    let mut source = opened.source;
    let mut frame = 0;
    while let Ok(Some(record)) = source.next() {
        assert!(record.frame > frame, "frames rise");
        frame = record.frame;
        assert!(record.original_len as usize >= record.bytes().len(), "kept is part of the whole");
    }
    source.describe();
    assert!(source.warnings().len() < 100, "warnings are bounded");
});
