//! Any records, shared: no packet of the new capture names an address that a packet of the old one names, and neither
//! do the texts of the bundle.
#![no_main]
use hcidiff::Case;
use hcidiff::capture::btsnoop::{Datalink, Writer};
use hcidiff::capture::{Input, OpenOptions, open};
use hcidiff::case::Side;
use hcidiff::decode::Decoder;
use hcidiff::packet::Address;
use hcidiff::report::markdown;
use hcidiff::share::{Draft, Options, Refusal, Trim, share};
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};

/// All addresses that packets name, but those of nobody.
fn addresses(bytes: &[u8]) -> HashSet<[u8; 6]> {
    let mut found = HashSet::new();
    let Ok(mut opened) = open(&Input::bytes("input", bytes), &OpenOptions::default()) else { return found };
    let mut decoder = Decoder::new();
    while let Ok(Some(record)) = opened.source.next() {
        decoder.decode(&record).packet.addresses(&mut |named| {
            found.insert(named.address.0);
        });
    }
    found.remove(&[0; 6]);
    found.remove(&[0xff; 6]);
    found
}

// The last byte decides what is kept.
fuzz_target!(|input: &[u8]| {
    let Some((&choice, data)) = input.split_last() else { return };
    let Ok(mut writer) = Writer::new(Vec::new(), Datalink::Monitor) else { return };
    for record in hcidiff_fuzz::records(data) {
        // A kind that the file has no place for is left out.
        let _ = writer.push(&record);
    }
    let Ok(capture) = writer.finish() else { return };
    let options = Options {
        trim: [Trim::None, Trim::Device, Trim::Story][usize::from(choice & 3) % 3],
        keep_values: choice & 4 != 0,
        keep_names: choice & 8 != 0,
        keep_times: choice & 16 != 0,
    };
    let case = Case::one(Side::new(Input::bytes("input", capture.clone())));
    let draft = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Draft>);
    match share(&case, &options, &draft) {
        Ok(mut bundle) => {
            let mut shared = Vec::new();
            let part = &mut bundle.parts[0];
            part.file.rewind().expect("memory");
            part.file.read_to_end(&mut shared).expect("memory");
            let originals = addresses(&capture);
            let left: Vec<_> = addresses(&shared).intersection(&originals).copied().collect();
            assert!(left.is_empty(), "{left:02x?}");
            for text in [&bundle.manifest, &markdown::render(&bundle.report)] {
                for address in &originals {
                    let printed = Address(*address).to_string();
                    assert!(!text.contains(&printed), "{printed}");
                }
            }
        }
        // By chance, numbers that stay may look like an address; then nothing is written.
        Err(Refusal::Leak { .. } | Refusal::Verdict { .. } | Refusal::Capture { .. }) => {}
        Err(refusal) => panic!("{refusal}"),
    }
});
