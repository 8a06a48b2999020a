//! Damaged captures through the program: what is missing is always said, and `--salvage` finds
//! what stands behind the damage.
#![cfg(feature = "cli")]
mod common;

use common::{fixture, piped};

/// The Enhanced Packet Blocks of a little-endian pcapng file: where each begins, and its length.
fn packets(bytes: &[u8]) -> Vec<(usize, usize)> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut packets) = (0, Vec::new());
    while at < bytes.len() {
        let len = number(at + 4) as usize;
        if number(at) == 6 {
            packets.push((at, len));
        }
        at += len;
    }
    packets
}

fn events(options: &[&str], capture: &[u8]) -> (usize, String) {
    let arguments = [&["events", "--format", "jsonl", "-"], options].concat();
    let (code, out, said) = piped(&arguments, capture);
    assert_eq!(code, 0, "{said}");
    (out.lines().count(), said)
}

#[test]
fn a_pcapng_block_of_an_unknown_type_that_is_longer_than_the_file_is_cut() {
    let whole = std::fs::read(fixture("vectors/s.pcapng")).unwrap();
    let packets = packets(&whole);
    let records = packets.len();
    assert_eq!(events(&[], &whole), (records, String::new()));
    // The third packet becomes a block of no known type, and too long.
    let (at, _) = packets[2];
    for len in [0x0001_0000_u32, 0x0100_0000, 0xffff_fffc] {
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&0x0666_0000_u32.to_le_bytes());
        damaged[at + 4..at + 8].copy_from_slice(&len.to_le_bytes());
        let (kept, said) = events(&[], &damaged);
        assert_eq!(kept, 2, "{len}");
        let cut = format!("inside record 3, which begins at byte {at}");
        assert!(said.contains(&cut), "{len}: {said}");
        let (kept, said) = events(&["--salvage"], &damaged);
        assert_eq!(kept, records - 1, "{len}");
        assert!(said.contains(&format!("record 3 at byte {at}")), "{len}: {said}");
    }
}

#[test]
fn a_long_pcapng_block_that_ends_somewhere_else_is_damaged() {
    let whole = std::fs::read(fixture("vectors/s.pcapng")).unwrap();
    let packets = packets(&whole);
    let (at, len) = packets[2];
    // A block of secrets, as long as no packet is, stands before the third packet.
    let secrets = |claimed: u32| {
        let mut block = vec![0; 400_000];
        block[..4].copy_from_slice(&10_u32.to_le_bytes());
        block[4..8].copy_from_slice(&claimed.to_le_bytes());
        block[399_996..].copy_from_slice(&400_000_u32.to_le_bytes());
        [&whole[..at], &block, &whole[at..]].concat()
    };
    let records = packets.len();
    for options in [&[][..], &["--salvage"]] {
        assert_eq!(events(options, &secrets(400_000)), (records, String::new()));
    }
    let claimed = 400_000 + len as u32;
    let (kept, said) = events(&[], &secrets(claimed));
    assert_eq!(kept, 2);
    assert!(said.contains(&format!("record 3 at byte {at}")), "{said}");
    let (kept, said) = events(&["--salvage"], &secrets(claimed));
    assert_eq!(kept, records, "{said}");
    assert!(said.contains(&format!("record 3 at byte {at}")), "{said}");
}
