//! The controller's accept list, and for which device an attempt by list was made.
//!
//! A connect request by list names no device. Where exactly one device came onto the list since the last request by
//! list, the new request was made for that one. Devices that were on it before are those that the host always waits
//! for, in the background.
use super::device::Report;
use crate::packet::{Address, AddressType};

/// Most devices remembered; controllers have room for some dozens.
const MOST_LISTED: usize = 256;

/// The last attempt by list, and the device that it was made for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Its connection.
    pub attempt: usize,
    pub device: (Address, AddressType),
    /// What was heard of the device before the request.
    pub report: Option<Report>,
    /// How many reports of it there were by then.
    pub reports: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct AcceptList {
    /// Devices, and whether a request by list was made since they came.
    listed: Vec<((Address, AddressType), bool)>,
    asked: Option<Asked>,
}

impl AcceptList {
    pub fn add(&mut self, device: (Address, AddressType)) {
        let known = self.listed.iter().any(|(listed, _)| *listed == device);
        if !known && self.listed.len() < MOST_LISTED {
            self.listed.push((device, false));
        }
    }

    /// The attempt that was made for the device which leaves the list now.
    pub fn remove(&mut self, device: (Address, AddressType)) -> Option<Asked> {
        self.listed.retain(|(listed, _)| *listed != device);
        self.asked.take_if(|asked| asked.device == device)
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A request by list begins: the one device that came onto the list for it.
    pub fn wanted(&mut self) -> Option<(Address, AddressType)> {
        self.asked = None;
        let mut fresh = self.listed.iter_mut().filter(|(_, asked_for)| !*asked_for);
        let first = fresh.next().map(|(device, asked_for)| {
            *asked_for = true;
            *device
        });
        let others = fresh.map(|(_, asked_for)| *asked_for = true).count();
        first.filter(|_| others == 0)
    }

    /// The attempt that waits for a device of the accept list now.
    pub fn remember(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    /// Another request begins.
    pub fn forget(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use crate::packet::hci::Command;
    use crate::packet::{Address, AddressType};
    use crate::timeline::Connection;
    use crate::trace::{PEER, Trace};

    const OTHER: Address = Address([2, 0, 0, 0, 0, 0xc0]);

    fn add(trace: Trace, address: Address) -> Trace {
        let address_type = AddressType::RANDOM;
        trace.done(Command::LeAddDeviceToFilterAcceptList { address_type, address })
    }

    fn remove(trace: Trace, address: Address) -> Trace {
        let address_type = AddressType::RANDOM;
        trace.done(Command::LeRemoveDeviceFromFilterAcceptList { address_type, address })
    }

    fn waited(trace: Trace) -> Trace {
        trace.create_for_anybody().wait_ms(14_000).cancel()
    }

    fn last(trace: Trace) -> Connection {
        trace.run().connections.pop().expect("an attempt")
    }

    fn listed(connection: &Connection) -> Option<Address> {
        connection.request.as_ref()?.listed.map(|(address, _)| address)
    }

    #[test]
    fn an_attempt_by_list_was_made_for_the_one_device_that_came_for_it() {
        let one = || waited(add(Trace::new(), PEER));
        assert_eq!(listed(&last(one())), Some(PEER));
        // It was there already: the host goes on waiting for it.
        assert_eq!(listed(&last(waited(one()))), None);
        // The list as it was, and one more.
        assert_eq!(listed(&last(waited(add(one(), OTHER)))), Some(OTHER));
        // Two at once: any of them.
        assert_eq!(listed(&last(waited(add(add(Trace::new(), PEER), OTHER)))), None);
        // The list was emptied, and it came again.
        let again = add(one().done(Command::LeClearFilterAcceptList {}), PEER);
        assert_eq!(listed(&last(waited(again))), Some(PEER));
    }

    #[test]
    fn the_device_that_leaves_the_list_with_the_cancel_is_the_one_that_was_meant() {
        let heard = Trace::new().advertises(0).wait_ms(100);
        let meant = last(remove(waited(add(heard, PEER)), PEER));
        assert_eq!(meant.peer.address, Some(PEER));
        assert_eq!(meant.report_before.map(|report| report.frame), Some(1));
        assert_eq!(meant.reports_during_wait, 0);
        // It stays on the list: the host goes on waiting.
        assert_eq!(last(waited(add(Trace::new(), PEER))).peer.address, None);
        // Another one leaves.
        let both = waited(add(waited(add(Trace::new(), OTHER)), PEER));
        assert_eq!(last(remove(both, OTHER)).peer.address, None);
        // It leaves long after.
        let later = waited(add(Trace::new(), PEER)).wait_ms(1_100);
        assert_eq!(last(remove(later, PEER)).peer.address, None);
        let sooner = waited(add(Trace::new(), PEER)).wait_ms(900);
        assert_eq!(last(remove(sooner, PEER)).peer.address, Some(PEER));
    }

    #[test]
    fn reports_of_the_wait_are_counted_for_the_device_that_was_meant() {
        let waits = add(Trace::new(), PEER).create_for_anybody().wait_ms(500);
        let waits = waits.advertises(3).wait_ms(500).advertises(3).cancel();
        assert_eq!(last(remove(waits, PEER)).reports_during_wait, 2);
    }

    #[test]
    fn a_device_is_on_the_list_once_and_the_list_is_bounded() {
        let kind = AddressType::RANDOM;
        let mut list = super::AcceptList::default();
        list.add((PEER, kind));
        list.add((PEER, kind));
        assert_eq!(list.listed.len(), 1);
        list.add((PEER, AddressType::PUBLIC));
        assert_eq!(list.listed.len(), 2, "another device with the same bytes");
        assert!(list.remove((PEER, kind)).is_none());
        assert_eq!(list.listed.len(), 1);
        for n in 0..300_u16 {
            let [low, high] = n.to_le_bytes();
            list.add((Address([low, high, 0, 0, 0, 0xc0]), kind));
        }
        assert_eq!(list.listed.len(), 256);
    }
}
