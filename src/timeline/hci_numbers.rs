//! How btmon numbers a capture's packets: per adapter, from 1, and HCI packets alone. Notes and management have no
//! number there, so it counts differently from Wireshark wherever they stand between.
use crate::packet::{Event, Layer, Packet};
use std::collections::BTreeMap;

/// No more stretches are remembered; frames after the last one have no number here.
const MOST: usize = 65_536;

/// Frames that follow each other, all of one adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    frame: u32,
    number: u32,
    len: u32,
}

impl Stretch {
    /// The number behind its last.
    fn after(&self) -> u32 {
        self.number.saturating_add(self.len)
    }
}

/// The numbers of all HCI packets, in stretches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HciNumbers {
    /// In order of frame.
    stretches: Vec<Stretch>,
    /// The next number of each adapter but that of the last stretch.
    counted: BTreeMap<Option<u16>, u32>,
    /// The adapter of the last stretch.
    adapter: Option<u16>,
    full: bool,
}

impl HciNumbers {
    pub fn push(&mut self, event: &Event<'_>) {
        let hci = match &event.packet {
            Packet::Note(_) | Packet::Mgmt { .. } | Packet::Air(_) => false,
            Packet::Opaque { layer, .. } => {
                matches!(layer, Layer::Hci | Layer::Acl | Layer::L2cap | Layer::ChipLog)
            }
            _ => true,
        };
        if !hci || self.full {
            return;
        }
        let same = self.adapter == event.adapter;
        let number = match self.stretches.last_mut() {
            Some(last) if same => {
                if last.frame.checked_add(last.len) == Some(event.frame) {
                    last.len += 1;
                    return;
                }
                last.after()
            }
            Some(last) => {
                self.counted.insert(self.adapter, last.after());
                self.counted.get(&event.adapter).copied().unwrap_or(1)
            }
            None => 1,
        };
        if self.stretches.len() == MOST {
            self.full = true;
        } else {
            self.stretches.push(Stretch { frame: event.frame, number, len: 1 });
            self.adapter = event.adapter;
        }
    }

    /// The number of a frame, if it is an HCI packet.
    pub fn of(&self, frame: u32) -> Option<u32> {
        let after = self.stretches.partition_point(|stretch| stretch.frame <= frame);
        let stretch = self.stretches.get(after.checked_sub(1)?)?;
        let into = frame - stretch.frame;
        (into < stretch.len).then(|| stretch.number + into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::note::Note;

    fn event(frame: u32, adapter: u16, note: bool) -> Event<'static> {
        let packet = match note {
            true => Packet::Note(Note::OpenIndex),
            false => Packet::Opaque { layer: Layer::Hci, code: 0, len: 0 },
        };
        Event {
            frame,
            time: None,
            adapter: Some(adapter),
            direction: None,
            cut: false,
            problem: None,
            answers: None,
            link: None,
            replaces: None,
            completed: &[],
            channel: None,
            hidden: false,
            air: None,
            packet,
        }
    }

    #[test]
    fn each_adapter_counts_its_own_packets_and_no_notes() {
        let mut numbers = HciNumbers::default();
        for (frame, adapter, note) in [
            (1, 0, true),
            (2, 0, false),
            (3, 0, false),
            (4, 0, true),
            (5, 0, false),
            (6, 1, false),
            (7, 1, false),
            (8, 0, false),
        ] {
            numbers.push(&event(frame, adapter, note));
        }
        let of: Vec<_> = (0..=9).map(|frame| numbers.of(frame)).collect();
        let expected =
            [None, None, Some(1), Some(2), None, Some(3), Some(1), Some(2), Some(4), None];
        assert_eq!(of, expected);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut numbers = HciNumbers::default();
        for frame in 0..MOST as u32 + 2 {
            numbers.push(&event(frame * 2 + 1, 0, false));
        }
        assert_eq!(numbers.stretches.len(), MOST);
        let last = MOST as u32;
        assert_eq!(numbers.of(last * 2 - 1), Some(last));
        assert_eq!(numbers.of(last * 2 + 1), None);
    }
}
