//! How btmon numbers a capture's packets: per adapter, from 1, and HCI packets alone. Notes and management have no
//! number there, so it counts differently from Wireshark wherever they stand between.
use std::collections::BTreeMap;

/// No more stretches are remembered; frames after the last one have no number here.
const MOST: usize = 65_536;

/// Frames that follow each other, all of one adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    frame: u32,
    number: u32,
    /// Known when the next one begins.
    len: u32,
}

impl Stretch {
    /// The number behind its last.
    fn after(&self) -> u32 {
        self.number.saturating_add(self.len)
    }
}

/// A frame and its adapter in one number, so that one comparison does for every packet.
fn key(frame: u32, adapter: Option<u16>) -> u64 {
    let adapter = adapter.map_or(0, |adapter| u64::from(adapter) + 1);
    adapter << 32 | u64::from(frame)
}

/// No packet has this key.
const NEVER: u64 = u64::MAX;

/// The numbers of all HCI packets, in stretches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HciNumbers {
    /// In order of frame.
    stretches: Vec<Stretch>,
    /// The next number of each adapter but that of the last stretch.
    counted: BTreeMap<Option<u16>, u32>,
    /// The adapter of the last stretch.
    adapter: Option<u16>,
    /// The key of the packet that would belong to the last stretch.
    next: u64,
    full: bool,
}

impl Default for HciNumbers {
    fn default() -> Self {
        let (stretches, counted) = (Vec::new(), BTreeMap::new());
        Self { stretches, counted, adapter: None, next: NEVER, full: false }
    }
}

impl HciNumbers {
    /// Counts a packet that has a number there: HCI, of whatever kind.
    #[inline]
    pub fn count(&mut self, frame: u32, adapter: Option<u16>) {
        // Nearly always the packet behind the last one.
        if self.next == key(frame, adapter) {
            self.next += 1;
        } else {
            self.begin(frame, adapter);
        }
    }

    /// Begins another stretch.
    #[cold]
    fn begin(&mut self, frame: u32, adapter: Option<u16>) {
        if self.full {
            return;
        }
        let len = self.len_of_last();
        let number = match self.stretches.last_mut() {
            Some(last) => {
                last.len = len;
                let after = last.after();
                if self.adapter == adapter {
                    after
                } else {
                    self.counted.insert(self.adapter, after);
                    self.counted.get(&adapter).copied().unwrap_or(1)
                }
            }
            None => 1,
        };
        if self.stretches.len() == MOST {
            self.full = true;
            self.next = NEVER;
        } else {
            self.stretches.push(Stretch { frame, number, len: 1 });
            self.adapter = adapter;
            self.next = key(frame, adapter) + 1;
        }
    }

    /// How many packets the last stretch has so far.
    fn len_of_last(&self) -> u32 {
        match self.stretches.last() {
            Some(last) if self.full => last.len,
            Some(last) => (self.next as u32).wrapping_sub(last.frame),
            None => 0,
        }
    }

    /// The number of a frame, if it is an HCI packet.
    pub fn of(&self, frame: u32) -> Option<u32> {
        let after = self.stretches.partition_point(|stretch| stretch.frame <= frame);
        let stretch = self.stretches.get(after.checked_sub(1)?)?;
        let len = if after == self.stretches.len() { self.len_of_last() } else { stretch.len };
        let into = frame - stretch.frame;
        (into < len).then(|| stretch.number + into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_adapter_counts_its_own_packets_and_no_notes() {
        let mut numbers = HciNumbers::default();
        // 1 and 4 are notes.
        for (frame, adapter) in [(2, 0), (3, 0), (5, 0), (6, 1), (7, 1), (8, 0)] {
            numbers.count(frame, Some(adapter));
        }
        let of: Vec<_> = (0..=9).map(|frame| numbers.of(frame)).collect();
        let expected =
            [None, None, Some(1), Some(2), None, Some(3), Some(1), Some(2), Some(4), None];
        assert_eq!(of, expected);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut numbers = HciNumbers::default();
        for frame in 0..65_538_u32 {
            numbers.count(frame * 2 + 1, Some(0));
        }
        assert_eq!(numbers.stretches.len(), 65_536);
        let last = 65_536_u32;
        assert_eq!(numbers.of(last * 2 - 1), Some(last));
        assert_eq!(numbers.of(last * 2 + 1), None);
    }

    /// What lies behind the last stretch that is remembered has no number, even right behind it.
    #[test]
    fn behind_the_bound_nothing_is_counted() {
        let mut numbers = HciNumbers::default();
        (0..65_537_u32).for_each(|n| numbers.count(n * 2 + 1, Some(0)));
        assert!(numbers.full);
        let last = numbers.stretches.last().copied().expect("many");
        numbers.count(last.frame + 1, Some(0));
        numbers.count(last.frame + 3, Some(1));
        assert_eq!(numbers.stretches.last(), Some(&last));
        assert_eq!(numbers.of(last.frame + 1), None);
    }

    #[test]
    fn a_number_is_that_of_its_own_stretch() {
        let mut numbers = HciNumbers::default();
        [3, 4, 9].into_iter().for_each(|frame| numbers.count(frame, None));
        let of = [2, 3, 4, 5, 8, 9, 10].map(|frame| numbers.of(frame));
        assert_eq!(of, [None, Some(1), Some(2), None, None, Some(3), None]);
        assert_eq!(HciNumbers::default().of(1), None);
        assert_eq!(numbers.stretches.len(), 2);
    }
}
