//! What fuzz targets share: records out of any bytes, and the keys of captures.
#[path = "../../tests/secrets/keys.rs"]
mod places;
#[allow(dead_code, reason = "the suite of planted secrets uses all of it")]
#[path = "../../tests/secrets/search.rs"]
mod search;

pub mod keys;

use hcidiff::capture::{Kind, Payload, Record};
use hcidiff::packet::Direction;
use hcidiff::time::Timestamp;

/// The input as a row of records: kind, flags, length, bytes.
pub fn records(data: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = data;
    let mut frame = 0;
    std::iter::from_fn(move || {
        let (&[kind, flags, length], behind) = rest.split_first_chunk()?;
        let (bytes, behind) = behind.split_at(usize::from(length).min(behind.len()));
        rest = behind;
        frame += 1;
        Some(Record {
            frame,
            offset: 0,
            time: (flags & 4 == 0).then_some(Timestamp(i64::from(frame) * 7_500)),
            adapter: (flags & 8 != 0).then_some(u16::from(flags >> 4)),
            direction: [Some(Direction::Sent), Some(Direction::Received), None]
                [usize::from(flags & 3) % 3],
            kind: match kind % 16 {
                0 | 1 => Kind::Command,
                2..=4 => Kind::Event,
                5..=9 => Kind::Acl,
                10 => Kind::Sco,
                11 => Kind::Iso,
                12 | 13 => Kind::Monitor(u16::from(kind >> 3)),
                14 => Kind::Note(0xf7 + (kind >> 5)),
                _ => Kind::Vendor(kind),
            },
            payload: Payload::Bytes(bytes),
            original_len: u32::from(length).max(bytes.len() as u32),
            comment: None,
        })
    })
}
