//! A quick look whether four bytes belong to something that is looked for: nearly always they do not.
//!
//! Where the answer is no, it is right. Where it is yes, somebody has to look closely.
use super::table::FILL;

/// Bits for each entry: one of so many other answers is a wrong yes.
const BITS: usize = 64;
/// Room for few and for many entries, as bits: 16 KiB, which stays near the processor, and 4 MiB.
const LEAST: usize = 1 << 17;
const MOST: usize = 1 << 25;
/// Bytes that are looked at together, and how many of them begin something that is seen whole.
const WINDOW: usize = 21;
const COVERED: usize = 18;
/// Places that eight bytes are taken for: every stride divides it.
const STEP: usize = 6;
/// Letters differ by this bit from their other case.
const CASE: u32 = 0x2020_2020;

/// Four bytes in a row, of whatever is looked for. Upper and lower case are the same.
#[derive(Debug)]
pub struct Grams {
    bits: Vec<u64>,
    shift: u32,
}

impl Grams {
    /// With room for about so many.
    pub fn for_many(entries: usize) -> Self {
        let bits = entries.saturating_mul(BITS).clamp(LEAST, MOST).next_power_of_two();
        Self { bits: vec![0; bits / 64], shift: u32::BITS - bits.trailing_zeros() }
    }

    pub fn note(&mut self, gram: [u8; 4]) {
        let place = self.place(gram);
        self.bits[place / 64] |= 1 << (place % 64);
    }

    #[inline]
    pub fn may_hold(&self, gram: [u8; 4]) -> bool {
        let place = self.place(gram);
        // Every place is in the table: this is no way out, but quicker than to stop where it were not.
        self.bits.get(place / 64).is_none_or(|bits| bits >> (place % 64) & 1 == 1)
    }

    /// The next place, in steps of this stride (of one to three) from `from` on, whose four bytes may be held.
    pub fn next(&self, bytes: &[u8], from: usize, stride: usize) -> Option<usize> {
        match stride {
            1 => self.next_of::<1>(bytes, from),
            2 => self.next_of::<2>(bytes, from),
            _ => self.next_of::<3>(bytes, from),
        }
    }

    fn next_of<const STRIDE: usize>(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        // Values are written as rows of one sign: nothing is in these, unless it is looked for.
        let filled = [FILL; WINDOW];
        let skips_filled = !self.may_hold([FILL; 4]);
        // Several places at once: nearly always none of them is held.
        while let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<WINDOW>) {
            let any = !(skips_filled && *window == filled) && self.any_of::<STRIDE>(window);
            if any {
                break;
            }
            at += COVERED;
        }
        let rest = bytes.get(at..)?;
        let gram = |place: usize| rest.get(place..).and_then(<[u8]>::first_chunk);
        let places = (0..rest.len()).step_by(STRIDE).map_while(|place| Some((place, gram(place)?)));
        let mut held = places.filter(|(_, gram)| self.may_hold(**gram));
        held.next().map(|(place, _)| at + place)
    }

    /// Whether four bytes in this window may be held, of those that begin in steps of this stride and can be told by it.
    #[inline]
    fn any_of<const STRIDE: usize>(&self, window: &[u8; WINDOW]) -> bool {
        let (mut any, mut from) = (false, 0);
        while from < COVERED {
            let Some(eight) = window.get(from..).and_then(<[u8]>::first_chunk) else { return true };
            let eight = u64::from_le_bytes(*eight);
            let mut place = 0;
            // The last four of eight bytes begin at the fifth.
            while place < STEP.min(5) {
                any |= self.may_hold(((eight >> (8 * place)) as u32).to_le_bytes());
                place += STRIDE;
            }
            if STRIDE == 1 {
                let sixth = window.get(from + 5..).and_then(<[u8]>::first_chunk);
                any |= sixth.is_none_or(|gram| self.may_hold(*gram));
            }
            from += STEP;
        }
        any
    }

    #[inline]
    fn place(&self, gram: [u8; 4]) -> usize {
        // Mixed by multiplication: the upper bits depend on all others.
        ((u32::from_le_bytes(gram) | CASE).wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_never_denied_and_the_rest_nearly_always() {
        for entries in [0, 1, 5_000] {
            let mut grams = Grams::for_many(entries);
            let noted = |number: usize| (number as u32).wrapping_mul(0x0101_4567).to_le_bytes();
            (0..entries).for_each(|number| grams.note(noted(number)));
            assert!((0..entries).all(|number| grams.may_hold(noted(number))));
            let others =
                (entries..entries + 10_000).filter(|number| grams.may_hold(noted(*number)));
            assert!(others.count() < 1_000, "{entries}");
        }
    }

    #[test]
    fn the_next_place_is_the_first_that_may_be_held() {
        let mut grams = Grams::for_many(1);
        grams.note(*b"lamp");
        for (stride, fill) in [1, 2, 3].into_iter().zip([b'.', FILL, FILL]) {
            for length in 0..64 {
                for held in 0..64 {
                    let mut bytes = vec![fill; length];
                    if let Some(here) = bytes.get_mut(held..held + 4) {
                        here.copy_from_slice(b"lamp");
                    }
                    let one = |at: &usize| {
                        bytes[*at..].first_chunk().is_some_and(|it| grams.may_hold(*it))
                    };
                    for from in 0..5 {
                        let expected = (from..length).step_by(stride).find(one);
                        assert_eq!(
                            grams.next(&bytes, from, stride),
                            expected,
                            "{held} of {length}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_of_one_sign_is_found_where_it_is_looked_for() {
        let mut grams = Grams::for_many(1);
        assert_eq!(grams.next(&[FILL; 64], 0, 3), None);
        grams.note([FILL; 4]);
        assert_eq!(grams.next(&[FILL; 64], 0, 3), Some(0));
    }

    #[test]
    fn case_does_not_matter() {
        let mut grams = Grams::for_many(1);
        grams.note(*b"Lamp");
        assert!(grams.may_hold(*b"lAMP"));
        assert!(!grams.may_hold(*b"lump"));
    }
}
