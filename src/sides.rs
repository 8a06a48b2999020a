//! The two sides of a comparison.
use std::array;
use std::ops::{Index, IndexMut};

/// One value for each side of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides<T> {
    /// The side that works.
    pub reference: T,
    /// The side that fails.
    pub subject: T,
}

/// One of the two sides, in the order in which they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The side that works.
    Reference,
    /// The side that fails.
    Subject,
}

impl<T> Sides<T> {
    /// What the reference has, and what the subject has.
    pub const fn new(reference: T, subject: T) -> Self {
        Self { reference, subject }
    }

    /// What is made for either side.
    pub fn of(mut make: impl FnMut(Which) -> T) -> Self {
        Self { reference: make(Which::Reference), subject: make(Which::Subject) }
    }

    /// Both values, borrowed.
    pub const fn as_ref(&self) -> Sides<&T> {
        Sides { reference: &self.reference, subject: &self.subject }
    }

    /// The same done to both.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Sides<U> {
        Sides { reference: change(self.reference), subject: change(self.subject) }
    }

    /// The values of two pairs, side by side.
    pub fn zip<U>(self, other: Sides<U>) -> Sides<(T, U)> {
        Sides {
            reference: (self.reference, other.reference),
            subject: (self.subject, other.subject),
        }
    }

    /// The reference's value becomes the subject's, and the other way round.
    pub fn swapped(self) -> Self {
        Self { reference: self.subject, subject: self.reference }
    }

    /// Reference first.
    pub fn iter(&self) -> array::IntoIter<&T, 2> {
        self.as_ref().into_iter()
    }
}

impl<T> Sides<Option<T>> {
    /// Both values, if there are both.
    pub fn both(self) -> Option<Sides<T>> {
        Some(Sides { reference: self.reference?, subject: self.subject? })
    }
}

impl<T> Index<Which> for Sides<T> {
    type Output = T;

    fn index(&self, which: Which) -> &T {
        match which {
            Which::Reference => &self.reference,
            Which::Subject => &self.subject,
        }
    }
}

impl<T> IndexMut<Which> for Sides<T> {
    fn index_mut(&mut self, which: Which) -> &mut T {
        match which {
            Which::Reference => &mut self.reference,
            Which::Subject => &mut self.subject,
        }
    }
}

impl<T> IntoIterator for Sides<T> {
    type Item = T;
    type IntoIter = array::IntoIter<T, 2>;

    /// Reference first.
    fn into_iter(self) -> Self::IntoIter {
        [self.reference, self.subject].into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Sides<T> {
    type Item = &'a T;
    type IntoIter = array::IntoIter<&'a T, 2>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_on_its_side() {
        let mut sides = Sides::of(|which| match which {
            Which::Reference => 1,
            Which::Subject => 2,
        });
        assert_eq!(sides, Sides::new(1, 2));
        assert_eq!(sides.swapped(), Sides::new(2, 1));
        assert_eq!(sides.map(|value| value * 10).into_iter().collect::<Vec<_>>(), [10, 20]);
        assert_eq!(sides.zip(Sides::new('a', 'b')).subject, (2, 'b'));
        sides[Which::Subject] = 7;
        assert_eq!((sides[Which::Reference], sides[Which::Subject]), (1, 7));
    }

    #[test]
    fn both_need_both() {
        assert_eq!(Sides::new(Some(1), Some(2)).both(), Some(Sides::new(1, 2)));
        assert_eq!(Sides::new(Some(1), None).both(), None);
        assert_eq!(Sides::new(None, Some(2)).both(), None);
    }
}
