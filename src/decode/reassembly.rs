//! ACL fragments become L2CAP frames: one flow a link and direction, one open frame a flow.
//!
//! Positions count the lengths that packets declare, not the bytes that the
//! capture kept: a frame with a hole ends where it should, and is known to be cut.

/// Length and channel identifier, before every frame's payload.
pub const HEADER: usize = 4;
/// The longest frame: header and 65,535 bytes.
pub const LONGEST: usize = HEADER + 0xffff;
/// Buffers grown beyond this are given back before the next frame.
const ROOMY: usize = 4096;

/// One direction of one link.
#[derive(Debug, Default)]
pub struct Flow {
    /// What was kept of the open frame, up to its first hole.
    bytes: Vec<u8>,
    /// Where the next fragment begins, as declared.
    position: usize,
    open: bool,
    hole: bool,
}

/// What came of adding a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// A frame is complete: header and payload, as far as they were kept.
    Frame {
        bytes: &'a [u8],
        /// Some of it is missing from the capture.
        cut: bool,
        /// The last fragment declared more than the frame had room for.
        long: bool,
    },
    /// The frame goes on.
    Open,
    /// A continuation of nothing: the capture began, or lost something, in mid-frame.
    Orphan,
}

impl Flow {
    /// Takes a fragment that was `declared` bytes long and of which `kept` is here.
    #[inline]
    pub fn push<'a>(&'a mut self, start: bool, kept: &'a [u8], declared: usize) -> Arrival<'a> {
        if start {
            self.reset();
            // Nearly always a frame is one packet: lent as it is.
            if let Some(total) = total(kept).filter(|total| declared >= *total) {
                let bytes = kept.get(..total).unwrap_or(kept);
                return Arrival::Frame { bytes, cut: bytes.len() < total, long: declared > total };
            }
            self.open = true;
        } else if !self.open {
            return Arrival::Orphan;
        }
        self.append(kept, declared)
    }

    fn append(&mut self, kept: &[u8], declared: usize) -> Arrival<'_> {
        if !self.hole {
            let room = LONGEST.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&kept[..kept.len().min(room)]);
            self.hole = kept.len() < declared;
        }
        self.position = self.position.saturating_add(declared);
        // Without its header nobody knows where a frame ends: it stays open until the next start.
        let Some(total) = total(&self.bytes).filter(|total| self.position >= *total) else {
            return Arrival::Open;
        };
        self.open = false;
        let bytes = self.bytes.get(..total).unwrap_or(&self.bytes);
        Arrival::Frame { bytes, cut: bytes.len() < total, long: self.position > total }
    }

    /// Forgets the open frame.
    #[inline]
    pub fn reset(&mut self) {
        if self.bytes.capacity() > ROOMY {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.position = 0;
        self.hole = false;
        self.open = false;
    }

    /// How many bytes are held for a frame that is not complete.
    pub fn held(&self) -> usize {
        if self.open { self.bytes.len() } else { 0 }
    }
}

/// Length of a whole frame, once its length field is here.
#[inline]
fn total(bytes: &[u8]) -> Option<usize> {
    let length = bytes.first_chunk::<2>().filter(|_| bytes.len() >= HEADER)?;
    Some(HEADER + usize::from(u16::from_le_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: [u8; 9] = [5, 0, 4, 0, 0x1b, 0x2a, 0, 1, 2];

    fn whole(bytes: &[u8]) -> Arrival<'_> {
        Arrival::Frame { bytes, cut: false, long: false }
    }

    #[test]
    fn a_frame_in_one_packet_is_lent() {
        let mut flow = Flow::default();
        assert_eq!(flow.push(true, &FRAME, 9), whole(&FRAME));
        assert_eq!(flow.held(), 0);
    }

    #[test]
    fn fragments_join_wherever_they_are_parted() {
        for at in 0..FRAME.len() {
            let (head, tail) = FRAME.split_at(at);
            let mut flow = Flow::default();
            assert_eq!(flow.push(true, head, head.len()), Arrival::Open, "{at}");
            assert_eq!(flow.push(false, tail, tail.len()), whole(&FRAME), "{at}");
        }
    }

    #[test]
    fn a_continuation_of_nothing_is_an_orphan() {
        let mut flow = Flow::default();
        assert_eq!(flow.push(false, &FRAME, 9), Arrival::Orphan);
        flow.push(true, &FRAME, 9);
        assert_eq!(flow.push(false, &FRAME, 9), Arrival::Orphan);
    }

    #[test]
    fn a_start_ends_the_frame_before_it() {
        let mut flow = Flow::default();
        flow.push(true, &FRAME[..6], 6);
        assert_eq!(flow.push(true, &FRAME, 9), whole(&FRAME));
        assert_eq!(flow.push(false, &FRAME[6..], 3), Arrival::Orphan);
    }

    #[test]
    fn a_cut_fragment_keeps_its_place() {
        let mut flow = Flow::default();
        assert_eq!(flow.push(true, &FRAME[..5], 6), Arrival::Open);
        let cut = Arrival::Frame { bytes: &FRAME[..5], cut: true, long: false };
        assert_eq!(flow.push(false, &FRAME[6..], 3), cut);
        assert_eq!(flow.push(true, &FRAME[..5], 9), cut);
    }

    #[test]
    fn without_its_header_a_frame_stays_open_until_the_next() {
        let mut flow = Flow::default();
        assert_eq!(flow.push(true, &FRAME[..3], 9), Arrival::Open);
        assert_eq!(flow.push(false, &FRAME, 9), Arrival::Open);
        assert_eq!(flow.push(true, &FRAME, 9), whole(&FRAME));
    }

    #[test]
    fn bytes_beyond_the_frame_are_told_of() {
        let mut long = FRAME.to_vec();
        long.push(0xee);
        let mut flow = Flow::default();
        let said = Arrival::Frame { bytes: &FRAME, cut: false, long: true };
        assert_eq!(flow.push(true, &long, 10), said);
        flow.push(true, &long[..6], 6);
        assert_eq!(flow.push(false, &long[6..], 4), said);
    }

    proptest! {
        #[test]
        fn one_frame_at_most_is_held(pushes in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80), 0..70_000usize), 0..64)) {
            let mut flow = Flow::default();
            for (start, kept, declared) in &pushes {
                if let Arrival::Frame { bytes, cut, .. } = flow.push(*start, kept, *declared) {
                    let total = total(bytes).unwrap();
                    prop_assert_eq!(bytes.len() < total, cut);
                    prop_assert!(bytes.len() <= total);
                }
                prop_assert!(flow.held() <= LONGEST);
            }
        }
    }
}
