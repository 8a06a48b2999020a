//! Which handle is which link.
//!
//! A controller uses a handle again once its link is gone. A link's number is never used again, so what comes behind
//! needs no table of handles: the event says which link it is about.
use crate::packet::{ConnHandle, LinkId};
use crate::time::{Moment, Span};

/// Data for a handle this long after its end belongs to a link whose beginning is missing.
const STRAGGLER: Span = Span::from_ms(1000);

/// The links of one adapter by their handles, of which there are 4,096.
#[derive(Debug)]
pub struct Links {
    holders: Vec<Holder>,
    next: LinkId,
}

/// Who holds a handle, or held it last.
#[derive(Clone, Copy, Debug, Default)]
enum Holder {
    #[default]
    Nobody,
    Up(LinkId),
    Ended(LinkId, Moment),
}

impl Links {
    /// Links are counted on from this one.
    pub fn from(next: LinkId) -> Self {
        Self { holders: Vec::new(), next }
    }

    /// The number that the next link gets.
    pub fn next(&self) -> LinkId {
        self.next
    }

    /// The link of a data packet. `sent`: our host sent it, so it can only be meant for the link that it knows.
    #[inline]
    pub fn of_data(&mut self, handle: ConnHandle, at: Moment, sent: bool) -> LinkId {
        match self.holder(handle) {
            Holder::Up(link) => link,
            Holder::Ended(link, ended) if sent || straggles(at, ended) => link,
            _ => self.fresh(handle),
        }
    }

    /// The link that a command or an event is about, also after its end.
    pub fn of_control(&mut self, handle: ConnHandle) -> LinkId {
        match self.holder(handle) {
            Holder::Up(link) | Holder::Ended(link, _) => link,
            Holder::Nobody => self.fresh(handle),
        }
    }

    /// A link comes up: it, and the one that had its handle and whose end the capture does not show.
    pub fn begin(&mut self, handle: ConnHandle) -> (LinkId, Option<LinkId>) {
        let replaced = match self.holder(handle) {
            Holder::Up(link) => Some(link),
            _ => None,
        };
        (self.fresh(handle), replaced)
    }

    /// A link ends: which one. A second end shortly after the first is the same link's.
    pub fn end(&mut self, handle: ConnHandle, at: Moment) -> LinkId {
        let link = match self.holder(handle) {
            Holder::Up(link) => link,
            Holder::Ended(link, ended) if straggles(at, ended) => return link,
            _ => self.fresh(handle),
        };
        *self.place(handle) = Holder::Ended(link, at);
        link
    }

    /// The adapter was reset or closed: no link is up any more.
    pub fn forget(&mut self) {
        for holder in &mut self.holders {
            if let Holder::Up(_) = holder {
                *holder = Holder::Nobody;
            }
        }
    }

    #[inline]
    fn holder(&self, handle: ConnHandle) -> Holder {
        self.holders.get(index(handle)).copied().unwrap_or_default()
    }

    fn place(&mut self, handle: ConnHandle) -> &mut Holder {
        let index = index(handle);
        if self.holders.len() <= index {
            self.holders.resize(index + 1, Holder::Nobody);
        }
        &mut self.holders[index]
    }

    fn fresh(&mut self, handle: ConnHandle) -> LinkId {
        let link = self.next;
        self.next = link.following();
        *self.place(handle) = Holder::Up(link);
        link
    }
}

fn index(handle: ConnHandle) -> usize {
    usize::from(handle.0 & 0x0fff)
}

/// Whether a packet came so soon after the end that it was on its way already.
fn straggles(at: Moment, ended: Moment) -> bool {
    at.since(ended).is_none_or(|since| since < STRAGGLER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    const HANDLE: ConnHandle = ConnHandle(0x40);

    fn ms(ms: i64) -> Moment {
        Moment::from(Timestamp(ms * 1000))
    }

    fn links() -> Links {
        Links::from(LinkId::FIRST)
    }

    #[test]
    fn a_handle_that_is_used_again_is_another_link() {
        let mut links = links();
        let (first, replaced) = links.begin(HANDLE);
        assert_eq!(replaced, None);
        assert_eq!(links.of_data(HANDLE, ms(1), false), first);
        assert_eq!(links.of_control(HANDLE), first);
        assert_eq!(links.end(HANDLE, ms(2)), first);
        let (second, replaced) = links.begin(HANDLE);
        assert_ne!(first, second);
        assert_eq!(replaced, None, "the first one ended");
        assert_eq!(links.of_data(HANDLE, ms(3), true), second);
    }

    #[test]
    fn an_end_that_is_missing_is_told() {
        let mut links = links();
        let (first, _) = links.begin(HANDLE);
        assert_eq!(links.begin(HANDLE).1, Some(first));
        // Also of a link whose beginning is missing.
        let early = links.of_data(ConnHandle(0x41), ms(0), false);
        assert_eq!(links.begin(ConnHandle(0x41)).1, Some(early));
    }

    #[test]
    fn what_comes_late_is_the_link_that_ended_for_a_second() {
        let mut links = links();
        let (first, _) = links.begin(HANDLE);
        links.end(HANDLE, ms(0));
        assert_eq!(links.of_data(HANDLE, ms(999), false), first);
        assert_eq!(links.end(HANDLE, ms(999)), first, "the controller says it twice");
        assert_eq!(links.of_data(HANDLE, ms(5_000), true), first, "the host has not noticed");
        assert_eq!(links.of_control(HANDLE), first);
        let unseen = links.of_data(HANDLE, ms(1_000), false);
        assert_ne!(unseen, first);
        assert_eq!(links.of_data(HANDLE, ms(1_001), false), unseen);
    }

    #[test]
    fn a_reset_ends_what_is_up_and_keeps_what_was() {
        let mut links = links();
        let (ended, _) = links.begin(HANDLE);
        links.end(HANDLE, ms(0));
        let (up, _) = links.begin(ConnHandle(0x41));
        links.forget();
        assert_eq!(links.of_control(HANDLE), ended);
        assert_ne!(links.of_control(ConnHandle(0x41)), up);
    }
}
