//! Which events carry keys that only their neighbours give away.
//!
//! A value is a key because of its attribute's type, and a response does not name its attribute.
//! Advertising data may be split in the middle of a key. Where this room cannot tell any more, it hides.

use crate::packet::att::{Handle, Pdu, Uuid};
use crate::packet::secrecy::carries_key;
use crate::packet::{Address, ConnHandle, Direction, Event, Packet, Problem, air, hci};
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

/// Most things of a kind that are remembered; beyond them everything of that kind is hidden.
const MOST: usize = 4096;

/// Who asks on which ATT bearer, in one number: direction, adapter, connection handle, channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asker(u64);

impl Asker {
    fn new(event: &Event<'_>, handle: ConnHandle, cid: u16) -> Self {
        let direction = match event.direction {
            None => 0,
            Some(Direction::Sent) => 1,
            Some(Direction::Received) => 2,
        };
        let adapter = event.adapter.map_or(0, |adapter| 1 + u64::from(adapter));
        Self(direction << 56 | adapter << 32 | u64::from(handle.0) << 16 | u64::from(cid))
    }

    /// Whom this one answers: the other direction of the same bearer.
    fn answers(self) -> Self {
        const DIRECTIONS: u64 = 3 << 56;
        match self.0 & DIRECTIONS {
            0 => self,
            _ => Self(self.0 ^ DIRECTIONS),
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Secrecy {
    /// Attributes of a type that carries keys. On whatever link: bonded devices do not ask again.
    attributes: Known<u16>,
    /// Reads that have no answer yet, who asked, and whether it is for such an attribute.
    asked: BTreeMap<Asker, bool>,
    /// Advertisers that split their data: later parts do not say that they are parts.
    advertisers: Known<Address>,
    /// The same of periodic advertising, by sync handle.
    trains: Known<u16>,
}

/// A set that is full at some size, and then has everything.
#[derive(Debug)]
struct Known<T>(HashSet<T>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Eq + Hash> Known<T> {
    fn add(&mut self, entry: T) {
        if self.0.len() < MOST {
            self.0.insert(entry);
        }
    }

    fn has(&self, entry: &T) -> bool {
        self.0.contains(entry) || self.0.len() >= MOST
    }
}

impl Secrecy {
    /// Takes notice of an event, and says whether its bytes must not be shown.
    #[inline]
    pub fn hides(&mut self, event: &Event<'_>) -> bool {
        // A packet that does not fit the specification may hold anything, also a key.
        let hidden = event.problem == Some(Problem::Malformed);
        hidden
            | match &event.packet {
                Packet::Att { handle, cid, pdu } => {
                    self.attribute(Asker::new(event, *handle, *cid), pdu)
                }
                Packet::Event(hci::Event::Le { event }) => self.report(event),
                // Data in several commands: the first part or all of it begins with a structure.
                Packet::Command(
                    hci::Command::LeSetExtendedAdvertisingData { operation, .. }
                    | hci::Command::LeSetExtendedScanResponseData { operation, .. },
                ) => matches!(operation, 0 | 2),
                // The same on the air: what goes on in another packet, or is the rest of one.
                Packet::Air(air::Pdu::Auxiliary(kind, air::Advertising::AdvExtInd { payload })) => {
                    payload.aux_channel().is_some()
                        || !matches!(
                            kind,
                            Some(air::Auxiliary::Advertisement | air::Auxiliary::ScanResponse)
                        )
                }
                _ => false,
            }
    }

    fn attribute(&mut self, from: Asker, pdu: &Pdu<'_>) -> bool {
        match *pdu {
            Pdu::FindInformationResponse { ref list } => {
                list.iter()
                    .filter(|(_, uuid)| carries_key(*uuid))
                    .for_each(|(handle, _)| self.attributes.add(handle.0));
                false
            }
            Pdu::FindByTypeValueRequest { attribute_type, .. } => {
                carries_key(Uuid::Short(attribute_type))
            }
            Pdu::ReadByTypeRequest { attribute_type, .. } => {
                self.asks(from, carries_key(attribute_type.uuid))
            }
            Pdu::ReadRequest { attribute_handle }
            | Pdu::ReadBlobRequest { attribute_handle, .. } => {
                let secret = self.is_secret(attribute_handle);
                self.asks(from, secret)
            }
            Pdu::ReadMultipleRequest { ref handles }
            | Pdu::ReadMultipleVariableRequest { ref handles } => {
                let secret = handles.iter().any(|handle| self.is_secret(handle));
                self.asks(from, secret)
            }
            Pdu::ReadByTypeResponse { ref list } => {
                let asked = self.answered(from);
                for (handle, value) in list.iter() {
                    // A characteristic's declaration: properties, value handle, type (Vol 3, Part G, 3.3.1).
                    if let [_, low, high, uuid @ ..] = value
                        && Uuid::from_bytes(uuid).is_some_and(carries_key)
                    {
                        self.attributes.add(u16::from_le_bytes([*low, *high]));
                    }
                    if asked {
                        self.attributes.add(handle.0);
                    }
                }
                asked || list.iter().any(|(handle, _)| self.is_secret(handle))
            }
            Pdu::ReadResponse { .. }
            | Pdu::ReadBlobResponse { .. }
            | Pdu::ReadMultipleResponse { .. }
            | Pdu::ReadMultipleVariableResponse { .. }
            | Pdu::ErrorResponse { .. } => self.answered(from),
            Pdu::MultipleHandleValueNotification { ref list } => {
                list.iter().any(|(handle, _)| self.is_secret(handle))
            }
            _ => pdu.attribute_handle().is_some_and(|handle| self.is_secret(handle)),
        }
    }

    fn is_secret(&self, handle: Handle) -> bool {
        self.attributes.has(&handle.0)
    }

    /// A read request shows nothing itself.
    fn asks(&mut self, from: Asker, secret: bool) -> bool {
        if self.asked.len() < MOST || self.asked.contains_key(&from) {
            self.asked.insert(from, secret);
        }
        false
    }

    /// Whether an answer holds a key, or may hold one. Without its question nobody knows what an answer holds.
    fn answered(&mut self, from: Asker) -> bool {
        self.asked.remove(&from.answers()).unwrap_or(true)
    }

    fn report(&mut self, event: &hci::LeEvent<'_>) -> bool {
        /// More data of the same advertisement comes in the next report (7.7.65.13).
        const MORE: u8 = 1;
        match event {
            hci::LeEvent::ExtendedAdvertisingReport { reports } => {
                let mut hidden = false;
                for report in reports.iter() {
                    hidden |= self.advertisers.has(&report.address);
                    if (report.event_type >> 5 & 3) as u8 == MORE {
                        self.advertisers.add(report.address);
                    }
                }
                hidden
            }
            hci::LeEvent::PeriodicAdvertisingReport { sync_handle, data_status, .. } => {
                let hidden = self.trains.has(sync_handle);
                if *data_status == MORE {
                    self.trains.add(*sync_handle);
                }
                hidden
            }
            _ => false,
        }
    }
}
