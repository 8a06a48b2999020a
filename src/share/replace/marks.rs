//! What is known of bytes that were written: stretches with the same mark, in their order.
use std::ops::Range;

/// What may be said of a byte that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// Replaced: nothing of the original may be left here.
    Replaced,
    /// A number, a code or a flag of a few bytes, kept by intent.
    Number,
    /// Kept by intent, and long enough to hold something else: a UUID, features, a value or a name that the
    /// user wants to keep. Known addresses in it were replaced.
    Long,
}

/// The marks of bytes, from the first one on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where each stretch ends, and its mark. Neighbours differ.
    stretches: Vec<(usize, Mark)>,
}

impl Marks {
    /// The same mark for so many bytes.
    pub fn of(length: usize, mark: Mark) -> Self {
        let mut marks = Self::default();
        marks.push(length, mark);
        marks
    }

    /// Of how many bytes.
    pub fn len(&self) -> usize {
        self.stretches.last().map_or(0, |(end, _)| *end)
    }

    /// So many bytes more.
    #[inline]
    pub fn push(&mut self, length: usize, mark: Mark) {
        if length == 0 {
            return;
        }
        match self.stretches.last_mut() {
            Some((end, last)) if *last == mark => *end += length,
            Some((end, _)) => {
                let end = *end + length;
                self.stretches.push((end, mark));
            }
            None => self.stretches.push((length, mark)),
        }
    }

    pub fn push_all(&mut self, other: &Self) {
        other.within(0..other.len()).for_each(|(length, mark)| self.push(length, mark));
    }

    /// Of so many bytes: what is missing was replaced, and what is too much goes.
    pub fn fit(&mut self, length: usize) {
        let now = self.len();
        if now <= length {
            return self.push(length - now, Mark::Replaced);
        }
        let kept = self.stretches.partition_point(|(end, _)| *end < length);
        self.stretches.truncate(if length == 0 { 0 } else { kept + 1 });
        if let Some((end, _)) = self.stretches.last_mut() {
            *end = length;
        }
    }

    pub fn clear(&mut self) {
        self.stretches.clear();
    }

    /// Lays the marks of a range of others over those from this place on.
    pub fn lay(&mut self, at: usize, others: &Self, range: Range<usize>) {
        let end = at + range.len();
        let mut laid = Self::default();
        for (length, mark) in self.within(0..at).chain(others.within(range)) {
            laid.push(length, mark);
        }
        self.within(end..self.len()).for_each(|(length, mark)| laid.push(length, mark));
        *self = laid;
    }

    /// The stretches of a range: how long each is within it, and its mark.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Mark)> + '_ {
        let first = self.stretches.partition_point(|(end, _)| *end <= range.start);
        let mut at = range.start;
        self.stretches.get(first..).unwrap_or_default().iter().map_while(move |(end, mark)| {
            let length = (*end).min(range.end).checked_sub(at).filter(|length| *length > 0)?;
            at += length;
            Some((length, *mark))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks() -> impl Strategy<Value = Vec<Mark>> {
        let mark = prop_oneof![Just(Mark::Replaced), Just(Mark::Number), Just(Mark::Long)];
        prop::collection::vec(mark, 0..24)
    }

    fn of(each: &[Mark]) -> Marks {
        let mut marks = Marks::default();
        each.iter().for_each(|mark| marks.push(1, *mark));
        marks
    }

    fn each(marks: &Marks, range: Range<usize>) -> Vec<Mark> {
        marks.within(range).flat_map(|(length, mark)| vec![mark; length]).collect()
    }

    proptest! {
        #[test]
        fn stretches_say_what_a_mark_for_each_byte_says(
            one in marks(), other in marks(), length in 0_usize..30, at in 0_usize..30, from in 0_usize..30,
        ) {
            let mut marks = of(&one);
            prop_assert_eq!(marks.len(), one.len());
            prop_assert_eq!(each(&marks, 0..one.len()), one.clone());
            let (from, to) = (from.min(other.len()), (from + 5).min(other.len()));
            prop_assert_eq!(each(&of(&other), from..to), &other[from..to]);
            // Laid over.
            let at = at.min(one.len());
            let to = to.min(from + one.len() - at);
            let mut laid = one.clone();
            laid[at..at + to - from].copy_from_slice(&other[from..to]);
            marks.lay(at, &of(&other), from..to);
            prop_assert_eq!(&marks, &of(&laid));
            // Longer or shorter, and one behind the other.
            laid.resize(length, Mark::Replaced);
            marks.fit(length);
            prop_assert_eq!(&marks, &of(&laid));
            marks.push_all(&of(&other));
            laid.extend(other);
            prop_assert_eq!(marks, of(&laid));
        }
    }
}
