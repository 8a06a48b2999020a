//! Which links are up, for lines that lost their handle to a narrow terminal.
use crate::packet::{Packet, Status, hci};

/// Links remembered at once; no controller has more.
const MOST: usize = 64;

/// The links that are known to be up.
#[derive(Debug, Default)]
pub(super) struct Live {
    links: Vec<(Option<u16>, u16)>,
}

impl Live {
    pub fn clear(&mut self) {
        self.links.clear();
    }

    /// The handle of an adapter's link, if it has only one.
    pub fn only(&self, adapter: Option<u16>) -> Option<u16> {
        let mut links = self.links.iter().filter(|(index, _)| *index == adapter);
        links.next().filter(|_| links.next().is_none()).map(|(_, handle)| *handle)
    }

    /// Learns from a packet.
    pub fn follow(&mut self, adapter: Option<u16>, packet: &Packet<'_>) {
        match packet {
            Packet::Event(hci::Event::DisconnectionComplete {
                status: Status::SUCCESS,
                connection_handle,
                ..
            }) => self.links.retain(|link| *link != (adapter, connection_handle.0)),
            Packet::Event(hci::Event::ConnectionComplete {
                status: Status::SUCCESS,
                connection_handle,
                ..
            }) => self.add(adapter, connection_handle.0),
            Packet::Event(event) => {
                let link = event.le_connection_complete().filter(|l| l.status == Status::SUCCESS);
                if let Some(link) = link {
                    self.add(adapter, link.handle.0);
                }
            }
            Packet::Command(hci::Command::Reset {}) => {
                self.links.retain(|(index, _)| *index != adapter);
            }
            Packet::Att { handle, .. }
            | Packet::Smp { handle, .. }
            | Packet::Signal { handle, .. }
            | Packet::L2cap { handle, .. }
            | Packet::Fragment { handle, .. } => self.add(adapter, handle.0),
            _ => {}
        }
    }

    fn add(&mut self, adapter: Option<u16>, handle: u16) {
        if !self.links.contains(&(adapter, handle)) && self.links.len() < MOST {
            self.links.push((adapter, handle));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::ConnHandle;

    #[test]
    fn only_one_link_can_be_meant() {
        let mut live = Live::default();
        let data = |handle| Packet::Fragment { handle: ConnHandle(handle), start: true, len: 0 };
        assert_eq!(live.only(None), None);
        live.follow(None, &data(64));
        live.follow(Some(1), &data(65));
        assert_eq!(live.only(None), Some(64));
        live.follow(None, &data(66));
        assert_eq!(live.only(None), None);
        let reason = Status(0x13);
        let gone = hci::Event::DisconnectionComplete {
            status: Status::SUCCESS,
            connection_handle: ConnHandle(66),
            reason,
        };
        live.follow(None, &Packet::Event(gone));
        assert_eq!(live.only(None), Some(64));
    }
}
