//! Damaged text: no reader panics, makes packets up, or reads without end.
use hcidiff::capture::{OpenOptions, Payload, open_stream};
use hcidiff::decode::Decoder;
use hcidiff::packet::Problem;
use proptest::prelude::*;
use std::io::Cursor;
use std::sync::LazyLock;

/// Every line of every text fixture.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/text");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
});

/// Reads everything; how many packets there were.
fn drain(text: Vec<u8>) -> usize {
    let Ok(opened) = open_stream(Cursor::new(text), "text", &OpenOptions::default()) else {
        return 0;
    };
    let (mut source, mut decoder, mut count) = (opened.source, Decoder::new(), 0);
    while let Ok(Some(record)) = source.next() {
        count += 1;
        assert_eq!(record.frame as usize, count);
        assert!(record.original_len as usize >= record.bytes().len());
        let event = decoder.decode(&record);
        match record.payload {
            Payload::Bytes(_) => assert_eq!(event.cut, record.is_cut()),
            // What is not all there never passes for a whole packet.
            Payload::Outline(_) => {
                assert!(event.problem.is_some() || !record.is_cut());
                assert_eq!(event.cut, event.problem == Some(Problem::Cut));
            }
        }
    }
    let warnings = source.warnings();
    assert!(warnings.len() < 20, "{warnings:?}");
    count
}

#[derive(Clone, Debug)]
enum Damage {
    Keep,
    Cut(usize),
    Replace(usize, char),
    Double,
    Join,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => Just(Damage::Keep),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => (any::<usize>(), any::<char>()).prop_map(|(at, char)| Damage::Replace(at, char)),
        1 => Just(Damage::Double),
        1 => Just(Damage::Join),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_lines_in_any_order_are_read(
        from in any::<usize>(),
        picks in prop::collection::vec((0..400usize, damage()), 1..60),
    ) {
        let mut text = String::new();
        let mut lines = 0;
        for (pick, damage) in picks {
            // Neighbours more often than not: the readers' memory is between lines.
            let line = &LINES[(from % LINES.len() + pick) % LINES.len()];
            let mut chars: Vec<char> = line.chars().collect();
            match damage {
                Damage::Cut(at) => chars.truncate(at % (chars.len() + 1)),
                Damage::Replace(at, char) if !chars.is_empty() => {
                    let at = at % chars.len();
                    chars[at] = char;
                }
                _ => {}
            }
            let copies = if matches!(damage, Damage::Double) { 2 } else { 1 };
            for _ in 0..copies {
                text.extend(&chars);
                lines += 1;
                if !matches!(damage, Damage::Join) {
                    text.push('\n');
                }
            }
        }
        let extra = text.matches('\n').count();
        prop_assert!(drain(text.into_bytes()) <= lines + extra);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drain(text.into_bytes());
        drain(bytes);
    }
}

/// A long capture whose every line is one packet takes no more memory than a
/// small one, and time in proportion: a reader that looked back would not come to an end here.
#[test]
fn long_texts_stream() {
    let line = "2026-09-21 14:13:20.000415 < 01 16 20 02 40 00\n";
    assert_eq!(drain(line.repeat(60_000).into_bytes()), 60_000);
    // One packet that never gets its bytes.
    let mut text = String::from("< 01 03 0C 00\n< 01 16 20 FF 40 00\n");
    text.push_str(&"prose without a packet\n".repeat(50_000));
    assert_eq!(drain(text.into_bytes()), 2);
    // A row without end.
    let mut text =
        String::from("Jan 01 00:00:00.000  ACL Send         0x0042  00:00:00:00:00:00  ");
    text.push_str(&"00 ".repeat(300_000));
    assert_eq!(drain(text.into_bytes()), 0);
}
